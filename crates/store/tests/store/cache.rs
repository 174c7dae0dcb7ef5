//! The cache: one loader for a key, bounded in bytes and age, shared through Redis, and no answer differs without it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kernel::{Clock, Micros, TenantId};
use store::Redis;
use store::cache::{Cache, Keepable, Shelf, Totals};
use testkit::{RedisServer, clock};
use tokio::sync::Notify;

/// Short enough that the shortest life and ten seconds more outlast the longest: lives are drawn.
const LIFE: Duration = Duration::from_secs(30);

struct Text(String);

impl Keepable for Text {
    fn to_bytes(&self) -> Vec<u8> {
        self.0.clone().into_bytes()
    }
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        String::from_utf8(bytes.to_vec()).ok().map(Self)
    }
}

/// A shelf over a source that numbers its answers.
struct Desk {
    cache: Cache,
    shelf: Shelf<Text>,
    clock: Clock,
    loads: Arc<AtomicU64>,
}

impl Desk {
    fn new(is_enabled: bool, redis: Option<Redis>, bytes: u64) -> Self {
        let clock = clock();
        let cache = Cache::new(is_enabled, redis, clock.clone());
        let shelf = Shelf::new(&cache, "texts", LIFE, bytes);
        Self { cache, shelf, clock, loads: Arc::default() }
    }

    async fn ask_of(&self, tenant: &str, key: &str) -> String {
        let (loads, text) = (self.loads.clone(), key.to_owned());
        let load = move || async move {
            tokio::task::yield_now().await;
            Some(Text(format!("{text} {}", loads.fetch_add(1, Ordering::SeqCst))))
        };
        self.shelf.get_or_load(&TenantId::parse(tenant).unwrap(), key, load).await.unwrap().0.clone()
    }

    async fn ask(&self, key: &str) -> String {
        self.ask_of("acme", key).await
    }

    fn loads(&self) -> u64 {
        self.loads.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn of_a_hundred_who_ask_at_once_one_loads() {
    let desk = Desk::new(true, None, 1_000_000);
    let answers = futures::future::join_all((0..100).map(|_| desk.ask("a"))).await;
    assert!(answers.iter().all(|answer| answer == "a 0"), "{answers:?}");
    assert_eq!(desk.cache.counts().totals(), Totals { hits: 99, misses: 1, sets: 1, ..Totals::default() });
    assert_eq!(desk.ask_of("other", "a").await, "a 1", "a tenant never sees another's");
}

#[tokio::test]
async fn a_value_past_its_life_is_served_for_ten_seconds_while_one_loads_it_anew() {
    let desk = Desk::new(true, None, 1_000_000);
    assert_eq!(desk.ask("a").await, "a 0");
    desk.clock.advance(LIFE.as_micros() as i64 * 89 / 100);
    assert_eq!((desk.ask("a").await, desk.loads()), ("a 0".to_owned(), 1), "its life is not over");
    // At most 110 % of its life and at most ten seconds more.
    desk.clock.advance(LIFE.as_micros() as i64 * 21 / 100);
    let stale = futures::future::join_all((0..10).map(|_| desk.ask("a"))).await;
    assert!(stale.iter().all(|answer| answer == "a 0"), "nobody waits: {stale:?}");
    while desk.ask("a").await == "a 0" {
        tokio::task::yield_now().await;
    }
    assert_eq!(desk.loads(), 2, "one loaded for all");
    desk.clock.advance(LIFE.as_micros() as i64 * 11 / 10 + 10 * Micros::SECOND);
    assert_eq!(desk.ask("a").await, "a 2", "too old to be served");
}

#[tokio::test]
async fn a_load_that_fails_is_not_kept_and_the_next_one_tries_again() {
    let desk = Desk::new(true, None, 1_000_000);
    let tenant = TenantId::parse("acme").unwrap();
    assert!(desk.shelf.get_or_load(&tenant, "a", || async { None }).await.is_none());
    assert_eq!(desk.ask("a").await, "a 0");
}

#[tokio::test]
async fn a_loader_that_is_given_up_leaves_its_place_to_one_who_waits() {
    let desk = Arc::new(Desk::new(true, None, 1_000_000));
    let (tenant, begun) = (TenantId::parse("acme").unwrap(), Arc::new(Notify::new()));
    let (first, told) = (desk.clone(), begun.clone());
    let gone = tokio::spawn(async move {
        let load = move || async move {
            told.notify_one();
            std::future::pending::<Option<Text>>().await
        };
        first.shelf.get_or_load(&tenant, "a", load).await.is_some()
    });
    begun.notified().await;
    let waiting = tokio::spawn(async move { desk.ask("a").await });
    gone.abort();
    assert_eq!(waiting.await.unwrap(), "a 0");
}

#[tokio::test]
async fn what_does_not_fit_is_loaded_again_and_the_rest_stays_within_its_bytes() {
    let desk = Desk::new(true, None, 2_000);
    for round in 0..3 {
        for key in 0..100 {
            let key = format!("{key:0>100}");
            assert!(desk.ask(&key).await.starts_with(&key), "round {round}");
        }
    }
    assert!(desk.loads() > 250, "a tenth fits, {} of 300 were loaded", desk.loads());
}

#[tokio::test]
async fn switched_off_it_keeps_and_counts_nothing() {
    let server = RedisServer::start();
    let desk = Desk::new(false, Some(watched(&server).await), 1_000_000);
    assert_eq!((desk.ask("a").await, desk.ask("a").await), ("a 0".to_owned(), "a 1".to_owned()));
    assert_eq!(desk.cache.counts().totals(), Totals::default());
}

#[tokio::test]
async fn servers_share_it_through_redis_and_do_without_when_that_is_gone() {
    let mut server = RedisServer::start();
    let [first, second] =
        [watched(&server).await, watched(&server).await].map(|r| Desk::new(true, Some(r), 1_000_000));
    assert_eq!(first.ask("a").await, "a 0");
    assert_eq!(
        (second.ask("a").await, second.loads()),
        ("a 0".to_owned(), 0),
        "the other server has loaded it"
    );
    assert_eq!(second.cache.counts().totals(), Totals { hits: 1, ..Totals::default() });
    server.kill();
    assert_eq!(second.ask("a").await, "a 0", "still in this process");
    assert_eq!(second.ask("b").await, "b 0", "loaded, as nobody else can tell");
    let totals = second.cache.counts().totals();
    assert_eq!((totals.misses, totals.errors), (1, 2), "the read and the write that were not answered");
}

async fn watched(server: &RedisServer) -> Redis {
    let redis = Redis::open(&server.url()).unwrap();
    let mut seen = redis.standing();
    redis.watch();
    seen.wait_for(|is_up| *is_up).await.unwrap();
    redis
}
