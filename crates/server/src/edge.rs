//! The edge of this server, from its settings.

use std::time::Duration;

use httpkit::{AddressRules, Edge, EdgeConfig};
use store::{Redis, Store};

use crate::config::Config;
use crate::metrics::{self, Observer};

/// The edge, which forgets idle callers by itself; other things of every minute are done beside.
pub(crate) fn start(config: &Config, redis: Option<Redis>, store: &Store, observer: &Observer) -> Edge {
    let observer = observer.clone();
    let edge = Edge::new(
        EdgeConfig {
            slow_request: Some(config.slow_request),
            cors_origins: config.cors_origins.clone(),
            addresses: AddressRules::new(config.trusted_proxies.clone()),
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
            crate::logs::tell_folded();
            forgetting.forget_idle();
            metrics::recorder().run_upkeep();
        }
    });
    edge
}
