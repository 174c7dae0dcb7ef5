//! The settings in use, as operators may see them, and what changes when they are read again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::config::{Config, Finding, Shown};

/// Doubts are said again this often.
const REMIND_EVERY: Duration = Duration::from_hours(24);

/// What is in use. Clones share it.
#[derive(Clone)]
pub(crate) struct Settings(Arc<Mutex<InUse>>);

/// Settings and doubts about them.
#[derive(Clone, Debug)]
pub(crate) struct InUse {
    /// Every setting.
    pub(crate) shown: Vec<Shown>,
    /// What was doubtful at the last reading.
    pub(crate) warnings: Vec<Finding>,
}

/// Names of settings that were read with another value.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// In use from now on.
    pub(crate) taken: Vec<&'static str>,
    /// In use after a restart.
    pub(crate) waiting: Vec<&'static str>,
}

impl Settings {
    /// The settings that a server starts with.
    pub(crate) fn new(config: &Config) -> Self {
        let in_use = InUse { shown: config.shown.clone(), warnings: config.warnings.clone() };
        Self(Arc::new(Mutex::new(in_use)))
    }

    fn lock(&self) -> MutexGuard<'_, InUse> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is in use now.
    pub(crate) fn in_use(&self) -> InUse {
        self.lock().clone()
    }

    /// Takes over what a running server can change; the rest keeps showing what is in use.
    pub(crate) fn renew(&self, config: &Config) -> Changes {
        let (mut in_use, mut changes) = (self.lock(), Changes::default());
        in_use.warnings.clone_from(&config.warnings);
        for (old, new) in in_use.shown.iter_mut().zip(&config.shown).filter(|(old, new)| !old.is_like(new)) {
            if new.needs_restart {
                changes.waiting.push(new.name);
            } else {
                changes.taken.push(new.name);
                old.clone_from(new);
            }
        }
        changes
    }

    /// Logs every doubt, now and once a day, until the process ends.
    pub(crate) async fn remind(self) {
        let mut every = tokio::time::interval(REMIND_EVERY);
        loop {
            every.tick().await;
            for Finding { variable, text, .. } in self.in_use().warnings {
                tracing::warn!(variable, text, "doubtful setting");
            }
        }
    }
}
