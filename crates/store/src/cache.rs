//! Answers kept for the next one who asks: in this process, and in Redis for the other servers.
//!
//! Nothing here is the only copy of anything, and nothing that must not outlive a revocation is kept on a shelf. With
//! the cache off, or Redis away, every answer is the same, only slower.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use ::redis::cmd;
use kernel::{Clock, Micros, TenantId};
use metrics::Counter;
use moka::future::Cache as Shelved;

use crate::Redis;
use crate::blob::data_hash;

/// How long a value past its life is still served while it is loaded anew.
const STALE: i64 = 10 * Micros::SECOND;

/// What all shelves share: whether anything is kept, the second level, and the counts. Clones share it.
#[derive(Clone)]
pub struct Cache(Arc<Inner>);

struct Inner {
    is_enabled: bool,
    redis: Option<Redis>,
    clock: Clock,
    counts: Counts,
}

impl Cache {
    /// Keeps values in this process, and in Redis where there is one; `is_enabled = false` keeps nothing anywhere.
    pub fn new(is_enabled: bool, redis: Option<Redis>, clock: Clock) -> Self {
        Self(Arc::new(Inner {
            is_enabled,
            redis: redis.filter(|_| is_enabled),
            clock,
            counts: Counts::new(),
        }))
    }

    /// Whether anything is kept.
    pub fn is_enabled(&self) -> bool {
        self.0.is_enabled
    }

    /// What was counted; every cache of the process counts here, those beside the shelves too.
    pub fn counts(&self) -> &Counts {
        &self.0.counts
    }
}

/// Operations since the start.
pub struct Counts {
    totals: [AtomicU64; 5],
    series: [Counter; 5],
}

/// Totals since the start, as `/api/v1/metrics` names them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Reads answered without loading.
    pub hits: u64,
    /// Reads that loaded.
    pub misses: u64,
    /// Values kept.
    pub sets: u64,
    /// Values taken away before their time.
    pub deletes: u64,
    /// Reads and writes that Redis did not answer.
    pub errors: u64,
}

impl Counts {
    fn new() -> Self {
        let series = [("get", "hit"), ("get", "miss"), ("set", "ok"), ("delete", "ok"), ("get", "error")].map(
            |(operation, result)| metrics::counter!("cache_operations_total", "operation" => operation, "result" => result),
        );
        Self { totals: Default::default(), series }
    }

    fn count(&self, at: usize, by: u64) {
        self.totals[at].fetch_add(by, Ordering::Relaxed);
        self.series[at].increment(by);
    }

    /// Counts a read.
    pub fn read(&self, was_hit: bool) {
        self.count(usize::from(!was_hit), 1);
    }

    /// Counts a value kept.
    pub fn set(&self) {
        self.count(2, 1);
    }

    /// Counts values taken away.
    pub fn deleted(&self, values: u64) {
        self.count(3, values);
    }

    fn failed(&self) {
        self.count(4, 1);
    }

    /// The totals.
    pub fn totals(&self) -> Totals {
        let [hits, misses, sets, deletes, errors] =
            [0, 1, 2, 3, 4].map(|at| self.totals[at].load(Ordering::Relaxed));
        Totals { hits, misses, sets, deletes, errors }
    }
}

/// A value that can lie on a shelf.
pub trait Keepable: Send + Sync + Sized + 'static {
    /// Its bytes in Redis; their number is also its weight in this process.
    fn to_bytes(&self) -> Vec<u8>;
    /// Reads what [`Keepable::to_bytes`] wrote; `None` for anything else.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

struct Kept<T> {
    value: Arc<T>,
    weight: u32,
    fresh_until: Micros,
    /// Somebody is loading it anew already.
    is_renewing: AtomicBool,
}

/// Values of one sort by tenant and key, bounded by bytes. Clones share it.
pub struct Shelf<T> {
    cache: Cache,
    /// Names the sort of value in Redis; changes when the bytes of [`Keepable`] do.
    name: &'static str,
    life: Duration,
    kept: Shelved<(TenantId, String), Arc<Kept<T>>>,
}

impl<T> Clone for Shelf<T> {
    fn clone(&self) -> Self {
        Self { cache: self.cache.clone(), name: self.name, life: self.life, kept: self.kept.clone() }
    }
}

impl<T: Keepable> Shelf<T> {
    /// A shelf for values that live for `life` ± 10 % and weigh at most `bytes` together in this process.
    pub fn new(cache: &Cache, name: &'static str, life: Duration, bytes: u64) -> Self {
        let weigh =
            |key: &(TenantId, String), kept: &Arc<Kept<T>>| kept.weight.saturating_add(key.1.len() as u32);
        let kept = Shelved::builder().max_capacity(bytes).weigher(weigh).build();
        Self { cache: cache.clone(), name, life, kept }
    }

    /// The value under `key`: kept, or from `load`, which of all who wait for it runs once. A value past its life is
    /// served for ten seconds more while one loader runs behind. `None` when `load` has none; that is not kept.
    pub async fn get_or_load<F>(
        &self,
        tenant: &TenantId,
        key: &str,
        load: impl FnOnce() -> F + Send + 'static,
    ) -> Option<Arc<T>>
    where
        F: Future<Output = Option<T>> + Send + 'static,
    {
        if !self.cache.is_enabled() {
            return load().await.map(Arc::new);
        }
        let place = (tenant.clone(), key.to_owned());
        let now = self.cache.0.clock.now();
        if let Some(kept) = self.kept.get(&place).await {
            if now < kept.fresh_until {
                self.cache.counts().read(true);
                return Some(kept.value.clone());
            }
            if now < kept.fresh_until.plus(STALE) {
                self.cache.counts().read(true);
                if !kept.is_renewing.swap(true, Ordering::Relaxed) {
                    tokio::spawn(self.clone().renew(place, kept.clone(), load));
                }
                return Some(kept.value.clone());
            }
            self.kept.invalidate(&place).await;
        }
        let mut has_loaded = false;
        let found = self.kept.optionally_get_with(place.clone(), async {
            if let Some(value) = self.find_in_redis(&place).await {
                return Some(Arc::new(self.keep(value)));
            }
            has_loaded = true;
            Some(Arc::new(self.keep_everywhere(&place, load().await?).await))
        });
        let found = found.await;
        self.cache.counts().read(!has_loaded);
        found.map(|kept| kept.value.clone())
    }

    async fn renew<F>(self, place: (TenantId, String), old: Arc<Kept<T>>, load: impl FnOnce() -> F + Send)
    where
        F: Future<Output = Option<T>> + Send,
    {
        match load().await {
            Some(value) => {
                let kept = self.keep_everywhere(&place, value).await;
                self.kept.insert(place, Arc::new(kept)).await;
            }
            None => old.is_renewing.store(false, Ordering::Relaxed),
        }
    }

    fn keep(&self, value: T) -> Kept<T> {
        let weight = u32::try_from(value.to_bytes().len()).unwrap_or(u32::MAX);
        let fresh_until = self.cache.0.clock.now().plus(self.drawn_life().as_micros() as i64);
        Kept { value: Arc::new(value), weight, fresh_until, is_renewing: AtomicBool::new(false) }
    }

    async fn keep_everywhere(&self, place: &(TenantId, String), value: T) -> Kept<T> {
        if let Some(redis) = &self.cache.0.redis {
            let life = self.drawn_life().as_millis() as u64;
            let mut set = cmd("SET");
            set.arg(self.redis_key(place)).arg(value.to_bytes()).arg("PX").arg(life);
            if redis.ask::<()>(&set).await.is_none() {
                self.cache.counts().failed();
            }
        }
        self.cache.counts().set();
        self.keep(value)
    }

    async fn find_in_redis(&self, place: &(TenantId, String)) -> Option<T> {
        let redis = self.cache.0.redis.as_ref()?;
        let mut get = cmd("GET");
        get.arg(self.redis_key(place));
        let Some(found) = redis.ask::<Option<Vec<u8>>>(&get).await else {
            self.cache.counts().failed();
            return None;
        };
        T::from_bytes(&found?)
    }

    /// Keys are hashed: what people ask does not stand in Redis in the clear.
    fn redis_key(&self, (tenant, key): &(TenantId, String)) -> String {
        format!("hearth:cache:{}:{tenant}:{}", self.name, data_hash(key.as_bytes()))
    }

    /// Lives differ, so that what was loaded together does not end together.
    fn drawn_life(&self) -> Duration {
        let [byte] = kernel::random::bytes::<1>();
        self.life.mul_f64(0.9 + f64::from(byte) / 255.0 * 0.2)
    }
}
