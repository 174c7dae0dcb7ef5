//! What a broken or full database looks like to the caller.

use std::time::Duration;
use store::Reach;

use kernel::ErrorKind;
use store::{Engine, Error, Store, StoreConfig, execute};
use testkit::{databases, homes};

use crate::support::{add_note, change, notes, with_notes};

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_database_is_called_corrupt_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hearth.db");
    let text = "Dear diary, this is not a database. ".repeat(200);
    std::fs::write(&path, &text).unwrap();
    let error = Store::open(&StoreConfig::new(format!("sqlite:{}", path.display()))).await.err().unwrap();
    assert!(matches!(error, Error::Corrupt(_)), "{error:?}");
    let public = kernel::Error::from(error);
    assert_eq!((public.kind, public.code), (ErrorKind::Internal, "database_corrupt"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_where_no_file_can_be_made_is_unavailable() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "in the way").unwrap();
    for path in ["file/hearth.db", "absent/hearth.db"] {
        let url = format!("sqlite:{}", folder.path().join(path).display());
        let error = Store::open(&StoreConfig::new(url)).await.err().unwrap();
        assert!(matches!(error, Error::Unavailable(_)), "{path}: {error:?}");
        assert_eq!(kernel::Error::from(error).code, "database_unavailable");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stores_nothing_says_so_and_recovers() {
    let [home, _] = homes().await;
    assert_eq!(home.engine, Engine::Sqlite);
    with_notes(&home).await;
    add_note(&home.store, "before", 0).await.unwrap();
    // The writer's connection may not grow the file any further: what SQLite answers when the disk is full.
    change(&home.store, "PRAGMA max_page_count = 1").await;
    let big = "x".repeat(1_000_000);
    let error = home
        .store
        .write("test.big", Reach::Everyone, move |tx| {
            Box::pin(async move { Ok(execute!(tx, "INSERT INTO notes (id, n) VALUES ($1, 1)", big)?) })
        })
        .await
        .unwrap_err();
    assert_eq!((error.kind, error.code), (ErrorKind::Unavailable, "storage_full"));
    assert!(error.retry_after_seconds.is_some());
    assert_eq!(notes(&home.store).await, ["before"]);
    change(&home.store, "PRAGMA max_page_count = 1000000").await;
    add_note(&home.store, "after", 2).await.unwrap();
    assert_eq!(notes(&home.store).await, ["before", "after"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reading_connection_of_sqlite_cannot_write() {
    let [home, _] = homes().await;
    with_notes(&home).await;
    let mut conn = home.store.read(Reach::Everyone).await.unwrap();
    assert!(conn.batch("INSERT INTO notes (id, n) VALUES ('sly', 1)").await.is_err());
    drop(conn);
    assert_eq!(notes(&home.store).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_is_transient() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let mut config = StoreConfig::new(format!("postgres://nobody@127.0.0.1:{port}/none"));
    config.connect_timeout = Duration::from_millis(200);
    let store = Store::open(&config).await.unwrap();
    let error = store.ping().await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    assert_eq!(kernel::Error::from(error).kind, ErrorKind::Unavailable);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exhausted_pool_is_busy_not_broken() {
    for home in databases().await {
        let mut config = StoreConfig::new(home.url.clone());
        (config.pool_max, config.pool_min) = (1, 0);
        config.connect_timeout = Duration::from_secs(1);
        let store = Store::open(&config).await.unwrap();
        let held = store.read(Reach::Everyone).await.unwrap();
        let error = store.read(Reach::Everyone).await.err().unwrap();
        assert!(matches!(error, Error::PoolExhausted), "{}: {error:?}", home.name);
        assert_eq!(kernel::Error::from(error).code, "database_busy");
        drop(held);
        store.ping().await.unwrap();
        assert_eq!(store.pool_state().max, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_past_its_limit_is_ended_and_a_deadlock_may_be_tried_again() {
    let [_, home] = databases().await;
    assert_eq!(home.engine, Engine::Postgres);
    let mut config = StoreConfig::new(home.url.clone());
    config.statement_timeout = Duration::from_millis(50);
    let store = Store::open(&config).await.unwrap();
    let error = store.read(Reach::Everyone).await.unwrap().batch("SELECT pg_sleep(30)").await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
    for (sql, public) in [
        ("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40P01'; END $$", "database_busy"),
        ("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$", "database_busy"),
        ("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '53100'; END $$", "storage_full"),
        ("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = 'XX001'; END $$", "database_corrupt"),
        ("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = 'XX000'; END $$", "internal"),
        ("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '42P01'; END $$", "internal"),
    ] {
        let error = home.store.read(Reach::Everyone).await.unwrap().batch(sql).await.unwrap_err();
        assert_eq!(kernel::Error::from(error).code, public, "{sql}");
    }
}
