//! The service: what every slice of this room works with.

use ::store::Reach;
use std::future::Future;
use std::sync::Arc;

use kernel::{Clock, Ctx, ErrorKind, Micros, Refusal, Result, TenantId};
use store::Store;

use crate::Config;
use crate::audit::{self, AuditEntry, Outcome};
use crate::model::Origin;
use crate::password::Passwords;
use crate::standing::Standings;
use crate::throttle::Throttle;
use crate::token::Tokens;

/// Tenants, people and credentials. Clones share everything.
#[derive(Clone)]
pub struct Identity {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) config: Arc<Config>,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) passwords: Passwords,
    pub(crate) throttle: Arc<Throttle>,
    pub(crate) standings: Arc<Standings>,
}

impl Identity {
    /// The service over a migrated store.
    pub fn new(store: Store, clock: Clock, config: Config) -> Self {
        let tokens = Arc::new(Tokens::new(&config));
        Self {
            throttle: Arc::new(Throttle::new(store.clone(), tokens.clone())),
            tokens,
            passwords: Passwords::new(),
            standings: Arc::new(Standings::new(store.cache().clone())),
            config: Arc::new(config),
            store,
            clock,
        }
    }

    /// The settings it was made with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn now(&self) -> Micros {
        self.clock.now()
    }

    /// Writes one audit row in a transaction of its own: for acts that did not happen.
    pub(crate) async fn record_alone(&self, entry: AuditEntry) -> Result<()> {
        self.store
            .write("identity.audit", Reach::Everyone, move |tx| {
                Box::pin(async move { audit::record(tx, &entry).await })
            })
            .await
    }

    /// Writes down a refusal. One that cannot be written down stays a refusal; the log tells of the lost row.
    pub(crate) async fn record_denied(&self, entry: AuditEntry) {
        if let Err(lost) = self.record_alone(entry.outcome(Outcome::Denied)).await {
            tracing::error!(code = lost.code, source = ?lost.source, "a refusal could not be audited");
        }
    }

    /// Does `work`; when it is forbidden, records that before answering so.
    pub(crate) async fn audited<T>(
        &self,
        ctx: &Ctx,
        action: &'static str,
        resource: &str,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let entry = || AuditEntry::of(ctx, self.now(), action, resource);
        self.with_refusals(entry, work.await).await
    }

    /// The same for somebody without a credential who wants something in `tenant`.
    pub(crate) async fn audited_stranger<T>(
        &self,
        tenant: &TenantId,
        origin: &Origin,
        action: &'static str,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let entry = || AuditEntry::anonymous(tenant.as_str(), origin, self.now(), action, "account");
        self.with_refusals(entry, work.await).await
    }

    async fn with_refusals<T>(&self, entry: impl FnOnce() -> AuditEntry, mut result: Result<T>) -> Result<T> {
        if let Err(error) = &mut result
            && error.kind == ErrorKind::Forbidden
        {
            self.record_denied(entry()).await;
            error.refusal = Refusal::Recorded;
        }
        result
    }
}
