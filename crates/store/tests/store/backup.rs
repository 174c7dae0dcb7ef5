//! A backup holds everything, and what is restored from it is equal.

use std::path::PathBuf;

use store::backup::{
    Archive, BackupError, Create, DatabaseHash, Place, Progress, content_hash, create, restore, tables,
    verify_deep,
};
use store::{Blobs, Engine, Reach, Store, StoreConfig};
use testkit::{Home, clock, databases, fill_every_table, homes, on_both};

use crate::support::{change, number};

/// Backs a home up into its own folder.
pub(crate) async fn back_up(home: &Home) -> PathBuf {
    let (blobs, folder) = (home.blobs(), home.folder().join("backups"));
    let what = Create {
        store: &home.store,
        blobs: &blobs,
        folder: &folder,
        now: clock().now(),
        progress: Progress::default(),
    };
    create(what).await.unwrap().0
}

pub(crate) async fn hash(store: &Store) -> DatabaseHash {
    content_hash(store, &Progress::default()).await.unwrap()
}

/// Restores over `home` as it is.
pub(crate) async fn restore_over(path: &std::path::Path, home: &Home) -> Result<Option<String>, BackupError> {
    let archive = Archive::open(path)?;
    let finish = async |_: &Store| Ok::<(), BackupError>(());
    let target = StoreConfig::new(home.url.clone());
    restore(archive, &target, &home.blobs(), &clock(), &Progress::default(), finish)
        .await
        .map(|restored| restored.aside)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_restored_is_equal_row_for_row_on_the_same_and_on_the_other_engine() {
    for source in homes().await {
        fill_every_table(&source.store, &source.blobs(), 0, 40).await;
        change(&source.store, "UPDATE users SET email = NULL WHERE user_id = 'user_id-3'").await;
        let path = back_up(&source).await;
        let heads = Archive::open(&path).unwrap().manifest().audit_heads.clone();
        assert_eq!(heads.len(), 40, "each tenant's audit log has its newest hash in the manifest");
        let before = hash(&source.store).await;
        assert!(before.0.values().all(|table| table.rows == 40), "{before:?}");
        for target in databases().await {
            let aside = restore_over(&path, &target).await.unwrap();
            assert_eq!(
                aside.is_some(),
                target.engine == Engine::Sqlite,
                "an empty file is there, and no table"
            );
            let restored = target.open_again().await;
            assert_eq!(before.differences(&hash(&restored).await), Vec::<String>::new());
            assert_eq!(hash(&restored).await.content(), before.content());
            let keys = crate::support::texts(&restored, "SELECT blob_key FROM artifacts").await;
            for key in keys {
                let (kept, back) = (source.blobs().get(&key).await, target.blobs().get(&key).await);
                assert_eq!(back.unwrap().unwrap(), kept.unwrap().unwrap());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_table_can_be_forgotten() {
    on_both(|home| async move {
        let path = back_up(&home).await;
        let migrations = store::migrate::all(home.engine).iter().map(|migration| migration.up);
        let made: Vec<String> = migrations
            .flat_map(|sql| sql.split("CREATE TABLE ").skip(1))
            .map(|rest| rest.split_whitespace().next().unwrap().to_owned())
            .collect();
        let archive = Archive::open(&path).unwrap();
        let kept: Vec<&str> = archive.manifest().tables.iter().map(|part| part.name.as_str()).collect();
        let forgotten: Vec<&String> = made.iter().filter(|name| !kept.contains(&name.as_str())).collect();
        assert!(made.len() > 15 && forgotten.is_empty(), "{forgotten:?} of {made:?}");
        // A table that no list could know is in the next one.
        change(&home.store, "CREATE TABLE surprise (id TEXT NOT NULL PRIMARY KEY)").await;
        let mut conn = home.store.read(Reach::Everyone).await.unwrap();
        assert!(tables(&mut conn).await.unwrap().iter().any(|table| table.name == "surprise"));
        change(&home.store, "CREATE TABLE odd (id TEXT NOT NULL PRIMARY KEY, price NUMERIC)").await;
        let refusal = tables(&mut conn).await.unwrap_err().to_string();
        assert!(refusal.contains("odd.price is NUMERIC"), "{refusal}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_one_instant_while_others_write() {
    on_both(|home| async move {
        const PAIR: &str = "INSERT INTO tenants (tenant_id, created_at) VALUES ($1, $2)";
        let (stop, store) = (std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false)), home.store.clone());
        let stopped = stop.clone();
        let writing = tokio::spawn(async move {
            let mut n = 0_i64;
            while !stopped.load(std::sync::atomic::Ordering::SeqCst) {
                let write = store.write("test.pair", Reach::Everyone, move |tx| {
                    Box::pin(async move {
                        store::execute!(tx, PAIR, format!("t{n}"), n)?;
                        let twin = "INSERT INTO setup_tokens (token_hash, created_at, expires_at) VALUES ($1, $2, 0)";
                        Ok(store::execute!(tx, twin, format!("t{n}"), n)?)
                    })
                });
                write.await.unwrap();
                n += 1;
            }
            n
        });
        crate::support::eventually("rows are written", || async {
            number(&home.store, "SELECT CAST(COUNT(*) AS BIGINT) FROM tenants").await > 10
        })
        .await;
        let path = back_up(&home).await;
        let manifest = Archive::open(&path).unwrap().manifest().clone();
        stop.store(true, std::sync::atomic::Ordering::SeqCst);
        let rows = |name: &str| manifest.tables.iter().find(|part| part.name == name).unwrap().rows;
        assert_eq!(rows("tenants"), rows("setup_tokens"), "a transaction is in the backup whole or not at all");
        assert!(rows("tenants") > 10 && writing.await.unwrap() as u64 >= rows("tenants"));
        Archive::open(&path).unwrap().verify(&Progress::default()).unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn restoring_over_a_database_puts_the_old_one_aside_whole() {
    on_both(|home| async move {
        fill_every_table(&home.store, &home.blobs(), 0, 5).await;
        let path = back_up(&home).await;
        let then = hash(&home.store).await;
        fill_every_table(&home.store, &home.blobs(), 5, 5).await;
        let now = hash(&home.store).await;
        let place = Place::beside(&StoreConfig::new(home.url.clone()), "restoring");
        assert!(place.is_occupied().await.unwrap());
        home.store.close().await;
        let aside = restore_over(&path, &home).await.unwrap().expect("the old one is put aside");
        assert_eq!(hash(&home.open_again().await).await, then);
        let mut old = StoreConfig::new(match home.engine {
            Engine::Sqlite => format!("sqlite:{aside}"),
            Engine::Postgres => {
                format!("{}?options[search_path]={}", home.url, aside.strip_prefix("schema ").unwrap())
            }
        });
        old.pool_min = 0;
        assert_eq!(hash(&Store::open(&old).await.unwrap()).await, now, "nothing of the old one is lost");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_fails_leaves_the_target_as_it_was() {
    on_both(|home| async move {
        fill_every_table(&home.store, &home.blobs(), 0, 5).await;
        let path = back_up(&home).await;
        fill_every_table(&home.store, &home.blobs(), 5, 5).await;
        let before = hash(&home.store).await;
        let finish = async |_: &Store| Err(BackupError::Refused("on second thoughts".to_owned()));
        let target = StoreConfig::new(home.url.clone());
        let archive = Archive::open(&path).unwrap();
        let done = restore(archive, &target, &home.blobs(), &clock(), &Progress::default(), finish).await;
        assert_eq!(done.unwrap_err().to_string(), "on second thoughts");
        assert_eq!(hash(&home.store).await, before);
        let left = Place::beside(&target, "restoring").open().await.unwrap();
        let mut conn = left.read(Reach::Everyone).await.unwrap();
        assert!(tables(&mut conn).await.unwrap().is_empty(), "nothing half built is left");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_is_gone_is_named_and_does_not_stop_the_backup() {
    on_both(|home| async move {
        fill_every_table(&home.store, &home.blobs(), 0, 3).await;
        let keys =
            crate::support::texts(&home.store, "SELECT blob_key FROM artifacts ORDER BY artifact_id").await;
        home.blobs().remove(&keys[1]).await.unwrap();
        let path = back_up(&home).await;
        let archive = Archive::open(&path).unwrap();
        assert_eq!(archive.manifest().missing_objects, [keys[1].clone()]);
        assert_eq!(archive.manifest().objects.rows, 2);
        verify_deep(archive, &home.folder().join("scratch"), &clock()).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_cannot_be_written_leaves_no_file() {
    on_both(|home| async move {
        fill_every_table(&home.store, &home.blobs(), 0, 3).await;
        let (folder, blobs) = (home.folder().join("backups"), Blobs::disk("/dev/null/nowhere"));
        let now = clock().now();
        let what =
            Create { store: &home.store, blobs: &blobs, folder: &folder, now, progress: Progress::default() };
        assert!(create(what).await.is_err(), "the objects cannot be read");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
    })
    .await;
}
