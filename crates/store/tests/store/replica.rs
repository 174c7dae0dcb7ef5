//! The replica: it takes reads off the primary, and nobody notices, not even when it lags, dies or is the wrong one.

use kernel::{Ctx, Secret};
use store::replica::LAG_LIMIT;
use store::{Conn, Redis, Store, StoreConfig, fetch_all, fetch_one};
use testkit::{Cluster, RedisServer, ctx};

use crate::support::{add_note, change, eventually};

/// What a read saw, and where.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    on_replica: bool,
    notes: Vec<String>,
}

async fn look(store: &Store, ctx: &Ctx) -> Seen {
    let look = |mut conn: Conn| async move {
        let (on_replica,) = fetch_one!(&mut conn, (bool,), "SELECT pg_is_in_recovery()")?;
        let rows = fetch_all!(&mut conn, (String,), "SELECT id FROM notes ORDER BY id")?;
        Ok(Seen { on_replica, notes: rows.into_iter().map(|(id,)| id).collect() })
    };
    store.browse(ctx, look).await.unwrap()
}

async fn open(primary: &str, replica: &str) -> Store {
    let mut config = StoreConfig::new(primary);
    (config.replica, config.pool_min) = (Some(Secret::new(replica)), 0);
    Store::open(&config).await.unwrap()
}

/// A store whose replica has an empty table `notes` and may be read.
async fn with_notes(cluster: &Cluster) -> Store {
    let (primary, replica) = cluster.database("notes").await;
    let store = open(&primary, &replica).await;
    change(&store, "CREATE TABLE notes (id TEXT PRIMARY KEY, n BIGINT)").await;
    caught_up(&store).await;
    store
}

/// Probes until the replica is read and has what was written before.
async fn caught_up(store: &Store) {
    let began = std::time::Instant::now();
    eventually("the replica has caught up", || async {
        store.probe_replica().await.is_ok_and(|lag| lag < began.elapsed())
    })
    .await;
}

fn seen(on_replica: bool, notes: &[&str]) -> Seen {
    Seen { on_replica, notes: notes.iter().map(|id| (*id).to_owned()).collect() }
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_find_what_they_wrote_and_others_read_the_replica() {
    let cluster = Cluster::start();
    let store = with_notes(&cluster).await;
    let (ada, bob) = (ctx("acme", "ada"), testkit::key("acme", "key_bob"));
    cluster.pause_replay().await;
    add_note(&store, "first", 1).await.unwrap();
    store.note_write(&ada).await;
    assert_eq!(look(&store, &ada).await, seen(false, &["first"]));
    assert_eq!(look(&store, &bob).await, seen(true, &[]), "who did not write may be seconds behind");
    store.probe_replica().await.unwrap();
    assert_eq!(look(&store, &ada).await, seen(false, &["first"]), "the replica has not passed the write");

    cluster.resume_replay().await;
    caught_up(&store).await;
    assert_eq!(look(&store, &ada).await, seen(true, &["first"]));

    // The control: a write that is not noted is missed, so the assertions above can fail.
    cluster.pause_replay().await;
    add_note(&store, "second", 2).await.unwrap();
    assert_eq!(look(&store, &ada).await, seen(true, &["first"]), "nobody notes it: the check proves nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_lags_or_dies_is_left_alone_and_costs_no_error() {
    let mut cluster = Cluster::start();
    let store = with_notes(&cluster).await;
    let ada = ctx("acme", "ada");
    cluster.kill_standby();
    assert_eq!(look(&store, &ada).await, seen(false, &[]), "found dead on the way");
    assert!(store.probe_replica().await.is_err());
    assert_eq!(look(&store, &ada).await, seen(false, &[]));
    cluster.start_standby();
    caught_up(&store).await;
    assert_eq!(look(&store, &ada).await, seen(true, &[]), "it came back");

    cluster.pause_replay().await;
    add_note(&store, "first", 1).await.unwrap();
    eventually("the lag is over the limit", || async {
        let lag = store.probe_replica().await.unwrap();
        let seen = look(&store, &ada).await;
        assert!(seen.on_replica || !seen.notes.is_empty(), "the primary has the row");
        assert!(!seen.on_replica || lag <= LAG_LIMIT, "read {lag:?} behind");
        !seen.on_replica
    })
    .await;
    assert!(store.replica_lag().unwrap() > LAG_LIMIT);
    cluster.resume_replay().await;
    caught_up(&store).await;
    assert_eq!(look(&store, &ada).await, seen(true, &["first"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_tell_each_other_of_writes_through_redis() {
    let cluster = Cluster::start();
    let mut server = RedisServer::start();
    let here = with_notes(&cluster).await;
    let (primary, replica) = cluster.urls("notes");
    let there = open(&primary, &replica).await;
    for store in [&here, &there] {
        let redis = Redis::open(&server.url()).unwrap();
        redis.watch();
        let mut standing = redis.standing();
        standing.wait_for(|is_up| *is_up).await.unwrap();
        store.tell_writes_through(redis);
    }
    let (ada, bob) = (ctx("acme", "ada"), testkit::key("acme", "key_bob"));
    caught_up(&there).await;
    assert!(!look(&there, &bob).await.on_replica, "Redis may have been away: not long enough there");
    eventually("Redis is believed", || async {
        there.probe_replica().await.unwrap();
        look(&there, &bob).await.on_replica
    })
    .await;

    cluster.pause_replay().await;
    add_note(&here, "first", 1).await.unwrap();
    here.note_write(&ada).await;
    assert_eq!(look(&there, &ada).await, seen(false, &["first"]), "the other server knows");
    assert_eq!(look(&there, &bob).await, seen(true, &[]));
    server.kill();
    assert_eq!(look(&there, &bob).await, seen(false, &["first"]), "nobody can be asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_replica_keeps_a_connection_to_its_tenant_and_must_be_the_right_one() {
    let cluster = Cluster::start();
    let (primary, replica) = cluster.database("walls").await;
    let store = open(&primary, &replica).await;
    store::migrate::up(&store, &testkit::clock()).await.unwrap();
    for tenant in ["acme", "other"] {
        let tenant = kernel::TenantId::parse(tenant).unwrap();
        let sql = "INSERT INTO idempotency_keys (tenant_id, principal_id, route, idempotency_key, request_hash, answer, created_at)
             VALUES ($1, 'p', 'r', 'k', 'h', '{}', 0)";
        let reach = store::Reach::of(&tenant);
        let add = store.write("test.add", reach, move |tx| {
            Box::pin(async move { Ok(store::execute!(tx, sql, tenant.as_str())?) })
        });
        add.await.unwrap();
    }
    caught_up(&store).await;
    let look = |mut conn: Conn| async move {
        let sql = "SELECT tenant_id, pg_is_in_recovery() FROM idempotency_keys";
        Ok(fetch_all!(&mut conn, (String, bool), sql)?)
    };
    assert_eq!(store.browse(&ctx("acme", "ada"), look).await.unwrap(), [("acme".to_owned(), true)]);
    let itself = open(&primary, &primary).await;
    assert!(itself.probe_replica().await.unwrap_err().contains("is no standby"));
    let foreign = open(&primary, &testkit::server_url()).await;
    assert!(foreign.probe_replica().await.unwrap_err().contains("another database server"));
    let caller = ctx("acme", "ada");
    assert!(!foreign.browse(&caller, look).await.unwrap()[0].1, "and it is not read");
}
