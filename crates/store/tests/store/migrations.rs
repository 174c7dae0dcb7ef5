//! Migrations: once, in order, under a lock, and refused when the schema is another version's.

use store::migrate::{self, MigrateError};
use store::{Engine, Store};
use testkit::{clock, databases, homes, on_both};

use crate::schema::lines;
use crate::support::{change, number, texts};

const APPLIED: &str = "SELECT name FROM schema_migrations ORDER BY name";

fn names(engine: Engine) -> Vec<&'static str> {
    migrate::all(engine).iter().map(|m| m.name).collect()
}

/// What `up`, `down` and `status` answer a schema that is not ours.
async fn refusals(store: &Store) -> [MigrateError; 3] {
    [
        migrate::up(store, &clock()).await.unwrap_err(),
        migrate::down(store, "001_engine_room").await.unwrap_err(),
        migrate::status(store).await.unwrap_err(),
    ]
}

#[test]
fn both_engines_have_the_same_migrations_in_order() {
    let ours = names(Engine::Sqlite);
    assert_eq!(ours, names(Engine::Postgres));
    assert!(ours.is_sorted() && ours.len() >= 3, "{ours:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn migrating_twice_applies_once() {
    for home in databases().await {
        let expected = names(home.engine);
        let waiting = migrate::status(&home.store).await.unwrap();
        assert!(waiting.iter().all(|standing| standing.applied_at.is_none()));
        assert_eq!(migrate::up(&home.store, &clock()).await.unwrap(), expected);
        let later = clock();
        later.advance(1_000_000);
        assert_eq!(migrate::up(&home.store, &later).await.unwrap(), Vec::<&str>::new());
        let status = migrate::status(&home.store).await.unwrap();
        let standing: Vec<&str> = status.iter().map(|standing| standing.name.as_str()).collect();
        assert_eq!(standing, expected);
        for standing in status {
            assert_eq!(standing.applied_at.as_deref(), Some(testkit::NOON));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_that_start_at_once_apply_each_migration_once() {
    for home in databases().await {
        let (one, other) = (home.open_again().await, home.open_again().await);
        let up = |store: Store| tokio::spawn(async move { migrate::up(&store, &clock()).await });
        let (first, second) = tokio::join!(up(one), up(other));
        let mut applied = [first.unwrap().unwrap(), second.unwrap().unwrap()];
        applied.sort();
        assert_eq!(applied, [vec![], names(home.engine)], "{}", home.name);
        assert_eq!(texts(&home.store, APPLIED).await, names(home.engine));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rolling_back_and_forth_ends_where_it_began() {
    on_both(|home| async move {
        let before = lines(&home).await;
        let mut expected = names(home.engine).split_off(1);
        expected.reverse();
        let undone = migrate::down(&home.store, "001_engine_room").await.unwrap();
        assert_eq!(undone, expected, "newest first");
        let left = "SELECT CAST(COUNT(*) AS BIGINT) FROM schema_migrations";
        assert_eq!(number(&home.store, left).await, 1);
        let between = lines(&home).await;
        assert!(between.iter().any(|line| line.starts_with("jobs.")));
        assert!(!between.iter().any(|line| line.starts_with("events.") || line.starts_with("users.")));
        assert_eq!(migrate::down(&home.store, "001_engine_room").await.unwrap(), Vec::<&str>::new());
        expected.reverse();
        assert_eq!(migrate::up(&home.store, &clock()).await.unwrap(), expected);
        assert_eq!(lines(&home).await, before);
        let unknown = migrate::down(&home.store, "000_nothing").await.unwrap_err();
        assert!(matches!(unknown, MigrateError::Unknown(name) if name == "000_nothing"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_applied_with_another_text_is_refused() {
    on_both(|home| async move {
        change(&home.store, "UPDATE schema_migrations SET checksum = 'other' WHERE name = '002_identity'")
            .await;
        let before = lines(&home).await;
        for refusal in refusals(&home.store).await {
            assert!(matches!(&refusal, MigrateError::Changed(name) if name == "002_identity"), "{refusal}");
        }
        assert_eq!(lines(&home).await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_from_the_future_is_refused() {
    on_both(|home| async move {
        change(
            &home.store,
            "INSERT INTO schema_migrations (name, applied_at, checksum) VALUES ('999_later', 'x', 'y')",
        )
        .await;
        let before = lines(&home).await;
        for refusal in refusals(&home.store).await {
            assert!(matches!(&refusal, MigrateError::Newer(name) if name == "999_later"), "{refusal}");
            assert!(refusal.to_string().contains("newer hearth"), "{refusal}");
        }
        assert_eq!(lines(&home).await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_fails_half_way_leaves_no_trace_of_itself() {
    for home in databases().await {
        // The last table of the third migration is in the way, after many that are not.
        change(&home.store, "CREATE TABLE artifacts (mine TEXT)").await;
        let error = migrate::up(&home.store, &clock()).await.unwrap_err();
        assert!(matches!(error, MigrateError::Store(_)), "{error}");
        assert_eq!(texts(&home.store, APPLIED).await, ["001_engine_room", "002_identity"]);
        let half = lines(&home).await;
        assert!(half.iter().any(|line| line.starts_with("users.")));
        assert!(!half.iter().any(|line| line.starts_with("events.")), "{}", home.name);
        change(&home.store, "DROP TABLE artifacts").await;
        let rest = migrate::up(&home.store, &clock()).await.unwrap();
        assert_eq!(rest, names(home.engine).split_off(2), "{}", home.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn migrating_leaves_no_lock_behind() {
    for home in homes().await {
        change(&home.store, "UPDATE schema_migrations SET checksum = 'other'").await;
        for _ in 0..3 {
            assert!(migrate::up(&home.store, &clock()).await.is_err());
        }
        change(&home.store, "DELETE FROM jobs").await;
        if home.engine == Engine::Postgres {
            let locks = "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory'
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
            let store = &home.store;
            crate::support::eventually("the connection is closed", || async {
                number(store, locks).await == 0
            })
            .await;
        }
    }
}
