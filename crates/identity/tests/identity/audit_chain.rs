//! The chain: whatever is done to a row behind the server's back is found, and named.

use crate::support::*;
use ::identity::audit::{self, AuditEntry, Outcome, Verdict, record};
use kernel::Micros;
use store::Reach;

/// Adds one row.
async fn act(world: &World, tenant: &str) {
    acts(world, tenant, 1).await;
}

/// Adds `count` rows in one transaction.
async fn acts(world: &World, tenant: &str, count: usize) {
    let (tenant, now) = (tenant.to_owned(), world.clock.now());
    let written = world.store.write("test", Reach::Everyone, move |tx| {
        Box::pin(async move {
            let entry = AuditEntry::operator(&tenant, now, "test.act", "thing:1").fields(&["a", "b"]);
            for _ in 0..count {
                record(tx, &entry).await?;
            }
            Ok(())
        })
    });
    written.await.unwrap();
}

/// What nobody does but somebody with the database's password.
async fn tamper(world: &World, sql: &str) {
    let sql: &'static str = Box::leak(sql.to_owned().into_boxed_str());
    let done = world
        .store
        .write("test", Reach::Everyone, move |tx| Box::pin(async move { Ok(tx.batch(sql).await?) }));
    done.await.unwrap();
}

async fn verdict(world: &World) -> Verdict {
    audit::verify(&world.store, "acme").await.unwrap()
}

async fn id_at(world: &World, seq: i64) -> String {
    let mut conn = world.store.read(Reach::Everyone).await.unwrap();
    let sql = "SELECT audit_id FROM audit_log WHERE tenant_id = 'acme' AND seq = $1";
    store::fetch_one!(&mut conn, (String,), sql, seq).unwrap().0
}

#[tokio::test]
async fn every_kind_of_tampering_is_found_at_its_row() {
    let columns = [
        ("at", "at + 1"),
        ("principal_kind", "'user'"),
        ("principal_id", "'usr_other'"),
        ("credential_id", "'ses_other'"),
        ("action", "'test.other'"),
        ("resource", "'thing:2'"),
        ("outcome", "'failure'"),
        ("address", "'192.0.2.1'"),
        ("request_id", "'req_other'"),
        ("fields", "'[]'"),
        ("hash", "previous_hash"),
        ("audit_id", "'aud_other'"),
    ];
    for world in worlds().await {
        acts(&world, "acme", 6).await;
        acts(&world, "other", 3).await;
        assert!(verdict(&world).await.intact, "the control: nothing was touched");
        let save = "CREATE TABLE saved AS SELECT * FROM audit_log; CREATE TABLE saved_heads AS SELECT * FROM audit_heads";
        tamper(&world, save).await;
        let restore = "DELETE FROM audit_log; INSERT INTO audit_log SELECT * FROM saved;
            DELETE FROM audit_heads; INSERT INTO audit_heads SELECT * FROM saved_heads";
        let at_three = "WHERE tenant_id = 'acme' AND seq = 3";
        let mut cases: Vec<(String, Option<i64>)> = columns
            .iter()
            .map(|(column, value)| (format!("UPDATE audit_log SET {column} = {value} {at_three}"), Some(3)))
            .collect();
        let swap = "UPDATE audit_log SET seq = 30 WHERE tenant_id = 'acme' AND seq = 3;
            UPDATE audit_log SET seq = 3 WHERE tenant_id = 'acme' AND seq = 4;
            UPDATE audit_log SET seq = 4 WHERE tenant_id = 'acme' AND seq = 30";
        cases.extend([
            (format!("DELETE FROM audit_log {at_three}"), Some(3)),
            (swap.to_owned(), Some(3)),
            ("DELETE FROM audit_log WHERE tenant_id = 'acme' AND seq = 1".to_owned(), Some(1)),
            ("DELETE FROM audit_log WHERE tenant_id = 'acme' AND seq > 4".to_owned(), Some(5)),
            ("DELETE FROM audit_log WHERE tenant_id = 'acme'".to_owned(), Some(1)),
            ("UPDATE audit_log SET tenant_id = 'acme', seq = 9 WHERE tenant_id = 'other' AND seq = 3".to_owned(), Some(9)),
            ("UPDATE audit_log SET seq = NULL WHERE tenant_id = 'acme' AND seq = 6; UPDATE audit_heads SET seq = 5,
                hash = (SELECT hash FROM audit_log WHERE tenant_id = 'acme' AND seq = 5) WHERE tenant_id = 'acme'"
                .to_owned(), None),
            ("DELETE FROM audit_heads WHERE tenant_id = 'acme'".to_owned(), Some(1)),
            ("UPDATE audit_heads SET hash = 'x' WHERE tenant_id = 'acme'".to_owned(), Some(7)),
        ]);
        for (sql, place) in cases {
            tamper(&world, &sql).await;
            let found = verdict(&world).await;
            assert!(!found.intact, "{sql}");
            let broken = found.broken.unwrap();
            assert_eq!(broken.seq, place, "{sql}: {broken:?}");
            tamper(&world, restore).await;
            let restored = verdict(&world).await;
            assert!(restored.intact && restored.rows == 6, "{sql}: {restored:?}");
        }
        let other = audit::verify(&world.store, "other").await.unwrap();
        assert!(other.intact && other.rows == 3);
    }
}

#[tokio::test]
async fn the_broken_row_is_named_by_its_id() {
    for world in worlds().await {
        acts(&world, "acme", 5).await;
        let changed = id_at(&world, 4).await;
        tamper(&world, "UPDATE audit_log SET resource = 'x' WHERE tenant_id = 'acme' AND seq = 4").await;
        let found = verdict(&world).await;
        assert_eq!(found.broken.unwrap().audit_id, Some(changed));
        assert_eq!((found.rows, found.head_seq), (3, 5));
    }
}

/// A row that was changed and hashed anew breaks the next one; rewriting everything to the end moves the head's hash,
/// which backups and the operator's notes hold.
#[tokio::test]
async fn the_head_is_another_after_every_act() {
    for world in worlds().await {
        let mut heads = std::collections::BTreeSet::new();
        for n in 1..=5 {
            act(&world, "acme").await;
            let now = verdict(&world).await;
            assert_eq!((now.head_seq, now.head_hash.len()), (n, 64));
            heads.insert(now.head_hash);
        }
        assert_eq!(heads.len(), 5);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_writers_at_once_make_one_chain_and_some_roll_back() {
    for world in worlds().await {
        let writers = (0..50).map(|writer| {
            let (store, now) = (world.store.clone(), world.clock.now());
            tokio::spawn(async move {
                for n in 0..4 {
                    let undo = (writer + n) % 5 == 0;
                    let tenant = if n == 3 { "other" } else { "acme" };
                    let written = store.write("test", Reach::Everyone, move |tx| {
                        Box::pin(async move {
                            record(tx, &AuditEntry::operator(tenant, now, "test.act", "thing")).await?;
                            if undo { Err(kernel::Error::conflict("undone", "undone")) } else { Ok(()) }
                        })
                    });
                    assert_eq!(code(written.await), if undo { "undone" } else { "ok" });
                }
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
        let mut rows = 0;
        for tenant in audit::list_audited_tenants(&world.store).await.unwrap() {
            let found = audit::verify(&world.store, &tenant).await.unwrap();
            assert!(found.intact && found.rows == found.head_seq, "{found:?}");
            rows += found.rows;
        }
        assert_eq!(rows, 160, "of 200 every fifth was rolled back");
    }
}

/// The control of the test before: writers that read the end of the chain without locking it make two rows for one place.
#[tokio::test]
async fn without_the_lock_on_the_head_the_chain_forks_and_the_database_refuses() {
    for world in worlds().await {
        acts(&world, "acme", 2).await;
        tamper(&world, "UPDATE audit_heads SET seq = 1, hash = 'the first row''s' WHERE tenant_id = 'acme'")
            .await;
        let (now, place_taken) = (world.clock.now(), world.store.clone());
        let second = place_taken.write("test", Reach::Everyone, move |tx| {
            Box::pin(async move { record(tx, &AuditEntry::operator("acme", now, "test.act", "thing")).await })
        });
        assert!(second.await.is_err(), "two rows have one place");
    }
}

#[tokio::test]
async fn removing_old_rows_leaves_a_chain_that_verifies_and_still_breaks() {
    for world in worlds().await {
        acts(&world, "acme", 1_500).await;
        world.clock.advance(100 * Micros::DAY);
        acts(&world, "acme", 20).await;
        let too_short = audit::remove_expired(&world.store, world.clock.now(), 89).await;
        assert_eq!(code(too_short), "retention_too_short");
        assert_eq!(audit::remove_expired(&world.store, world.clock.now(), 101).await.unwrap(), 0);
        assert_eq!(audit::remove_expired(&world.store, world.clock.now(), 90).await.unwrap(), 1_500);
        let kept = verdict(&world).await;
        assert!(kept.intact, "{kept:?}");
        assert_eq!((kept.rows, kept.head_seq), (21, 1_521), "twenty, and the row that tells of the removal");
        assert_eq!(world.count("SELECT COUNT(*) FROM audit_log").await, 21);
        act(&world, "acme").await;
        assert!(verdict(&world).await.intact);
        tamper(&world, "DELETE FROM audit_log WHERE seq = 1501").await;
        assert_eq!(
            verdict(&world).await.broken.unwrap().seq,
            Some(1_501),
            "the oldest row is not free to go"
        );
        world.clock.advance(400 * Micros::DAY);
        assert!(audit::remove_expired(&world.store, world.clock.now(), 365).await.unwrap() > 0);
    }
}

/// Rows from before the chain cannot be checked, but none can be added to them.
#[tokio::test]
async fn rows_from_before_the_chain_are_counted_and_age_like_others() {
    for world in worlds().await {
        let (store, clock) = (&world.store, &world.clock);
        store::migrate::down(store, "004_row_security").await.unwrap();
        let old = "INSERT INTO audit_log (tenant_id, audit_id, at, principal_kind, principal_id, credential_id, action,
            resource, outcome, request_id, fields) VALUES ('acme', 'aud_1', 1, 'user', '-', '-', 'a', 'b', 'success', 'r', '[]'),
            ('acme', 'aud_2', 1, 'user', '-', '-', 'a', 'b', 'success', 'r', '[]')";
        tamper(&world, old).await;
        store::migrate::up(store, clock).await.unwrap();
        acts(&world, "acme", 3).await;
        let found = verdict(&world).await;
        assert!(found.intact && found.rows == 3 && found.unchained == 2, "{found:?}");
        tamper(&world, &old.replace("aud_", "aud_x")).await;
        let added = verdict(&world).await.broken.unwrap();
        assert_eq!(added.audit_id.as_deref(), Some("aud_x2"));
        tamper(&world, "DELETE FROM audit_log WHERE audit_id LIKE 'aud_x%'").await;
        assert_eq!(audit::remove_expired(store, clock.now(), 365).await.unwrap(), 2);
        let found = verdict(&world).await;
        assert!(found.intact && found.rows == 4 && found.unchained == 0, "{found:?}");
    }
}

/// Nothing in the sources changes a row, and one file removes them.
#[test]
fn no_statement_changes_a_row_of_the_record() {
    let crates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut folders: Vec<_> =
        std::fs::read_dir(crates).unwrap().map(|room| room.unwrap().path().join("src")).collect();
    let (mut removing, mut read) = (Vec::new(), 0);
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let source = std::fs::read_to_string(&path).unwrap_or_default();
            read += 1;
            assert!(!source.contains("UPDATE audit_log"), "{} changes audit rows", path.display());
            if source.contains("DELETE FROM audit_log") {
                removing.push(path.display().to_string());
            }
        }
    }
    assert!(read > 100, "the sources were found");
    assert_eq!(removing.len(), 1, "{removing:?}");
    assert!(removing[0].ends_with("identity/src/audit/store.rs"));
}

#[test]
fn outcomes_are_read_back() {
    for outcome in [Outcome::Success, Outcome::Failure, Outcome::Denied] {
        assert_eq!(Outcome::parse(outcome.as_str()), Some(outcome));
    }
    assert_eq!(Outcome::parse("won"), None);
}
