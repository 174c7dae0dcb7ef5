//! The edge of this server, from its settings.

use std::time::Duration;

use httpkit::{AddressRules, Edge, EdgeConfig};
use store::{Redis, Store};

use crate::config::Config;
use crate::metrics::{self, Observer};

/// Whose word counts for a caller's address.
pub(crate) fn addresses(config: &Config) -> AddressRules {
    AddressRules { trusted_proxies: config.trusted_proxies.clone() }
}

/// The edge, which forgets idle callers by itself.
pub(crate) fn start(config: &Config, redis: Option<Redis>, store: &Store, observer: &Observer) -> Edge {
    let observer = observer.clone();
    let edge = Edge::new(
        EdgeConfig {
            slow_request: Some(config.slow_request),
            cors_origins: config.cors_origins.clone(),
            addresses: addresses(config),
            rate: config.rate,
            redis,
            at_once: config.at_once,
            replicated: config.database.store.replica.is_some().then(|| store.clone()),
        },
        move |seen| observer.see(seen),
    );
    let backups = config.backup.folder.clone();
    let forgetting = edge.clone();
    tokio::spawn(async move {
        let mut every = tokio::time::interval(Duration::from_mins(1));
        loop {
            every.tick().await;
            crate::backups::note_newest(&backups);
            forgetting.forget_idle();
            metrics::recorder().run_upkeep();
        }
    });
    edge
}
