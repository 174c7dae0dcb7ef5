//! Settings that a running server takes up when they are read again.

use identity::audit::{self, AuditEntry};
use store::Reach;

use crate::App;
use crate::config::Config;
use crate::settings::Changes;

impl App {
    /// Puts settings that were read again into use, as far as a running server can change them, and audits which.
    pub async fn apply(&self, config: Config) {
        let Changes { taken, waiting } = self.settings.renew(&config);
        crate::logs::set_level(&config.log.level);
        self.edge.set_rate(config.rate);
        self.edge.set_cors_origins(config.cors_origins);
        self.edge.addresses().set(config.trusted_proxies);
        if let Some(tls) = &self.tls {
            tls.try_reload(&self.clock);
        }
        if !waiting.is_empty() {
            tracing::warn!(settings = waiting.join(", "), "changed settings need a restart");
        }
        tracing::info!(settings = taken.join(", "), "reloaded");
        if let Err(error) = self.record_reload(&taken).await {
            tracing::error!(code = error.code, "a reload could not be audited");
        }
    }

    async fn record_reload(&self, taken: &[&'static str]) -> kernel::Result<()> {
        let tenant = self.operator_tenant().await?;
        let now = self.clock.now();
        let entry =
            AuditEntry::operator(tenant.as_str(), now, "server.reload", "configuration").fields(taken);
        self.store
            .write("server.reload", Reach::Everyone, move |tx| {
                Box::pin(async move { audit::record(tx, &entry).await })
            })
            .await
    }
}
