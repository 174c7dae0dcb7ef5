//! What a checked credential stands for, remembered for a few seconds.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use kernel::{Micros, Principal, Scopes, TenantId};
use moka::sync::Cache;

/// How long a standing is believed: the longest a revocation on another server goes unseen.
const BELIEVED: Duration = Duration::from_secs(5);
/// Credentials remembered at most: about 20 MB.
const REMEMBERED: u64 = 50_000;
/// A use is written down at most this often, microseconds.
const TOUCH_EVERY: i64 = 60 * Micros::SECOND;

/// Which row tells of a credential's use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    ApiKey,
    /// A page's session: each use moves its end.
    Page,
    /// The session of an access token: only a refresh moves its end.
    Token,
}

/// A credential that was found, with the rights it had then.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) kind: Kind,
    pub(crate) tenant: TenantId,
    pub(crate) principal: Arc<Principal>,
    pub(crate) username: String,
    pub(crate) scopes: Scopes,
    /// Microseconds; `i64::MAX` for a key without an end.
    pub(crate) expires_at: AtomicI64,
    pub(crate) last_used_at: AtomicI64,
}

impl Standing {
    pub(crate) fn is_live(&self, now: Micros) -> bool {
        now.0 < self.expires_at.load(Ordering::Relaxed)
    }

    /// Notes a use; true for the one caller a minute that must write it down.
    pub(crate) fn note_use(&self, now: Micros) -> bool {
        let last = self.last_used_at.load(Ordering::Relaxed);
        now.0 - last >= TOUCH_EVERY
            && self.last_used_at.compare_exchange(last, now.0, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// Standings by what was shown: `key:<hash>`, `page:<hash>` or `token:<session>`.
pub(crate) struct Standings {
    cache: Cache<String, Arc<Standing>>,
    /// Where reads are counted, and whether anything is remembered at all.
    shared: store::Cache,
    /// Grows with every invalidation: a look-up that began before one must not be remembered after it.
    generation: AtomicU64,
}

impl Standings {
    pub(crate) fn new(shared: store::Cache) -> Self {
        Self {
            cache: Cache::builder().max_capacity(REMEMBERED).time_to_live(BELIEVED).build(),
            shared,
            generation: AtomicU64::new(0),
        }
    }

    pub(crate) fn get(&self, shown: &str) -> Option<Arc<Standing>> {
        let found = self.cache.get(shown);
        if self.shared.is_enabled() {
            self.shared.counts().read(found.is_some());
        }
        found
    }

    /// Read it before the look-up and hand it to [`Standings::remember`].
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    pub(crate) fn remember(&self, shown: String, standing: Arc<Standing>, generation: u64) {
        if !self.shared.is_enabled() || self.generation() != generation {
            return;
        }
        self.shared.counts().set();
        self.cache.insert(shown.clone(), standing);
        if self.generation() != generation {
            self.cache.invalidate(&shown);
        }
    }

    /// Forgets one credential on this server.
    pub(crate) fn forget(&self, shown: &str) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.shared.counts().deleted(u64::from(self.cache.contains_key(shown)));
        self.cache.invalidate(shown);
    }

    /// Forgets everything: rights of a person have changed, and any credential may be theirs.
    pub(crate) fn forget_all(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.shared.counts().deleted(self.cache.entry_count());
        self.cache.invalidate_all();
    }
}
