//! `Store::write`: durable, grouped on SQLite, each closure on its own.

use std::sync::Arc;
use store::Reach;

use store::{Store, execute};
use testkit::on_both;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::support::{add_note, code, eventually, notes, number, with_notes};

/// A write that adds `first` and then holds its transaction until told; tells when it has begun.
async fn held_note(
    store: Store,
    id: &'static str,
    began: oneshot::Sender<()>,
    go_on: oneshot::Receiver<()>,
) -> kernel::Result<()> {
    store
        .write("test.held", Reach::Everyone, move |tx| {
            Box::pin(async move {
                execute!(tx, "INSERT INTO notes (id, n) VALUES ($1, 0)", id)?;
                let _ = began.send(());
                let _ = go_on.await;
                Ok(())
            })
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledged_write_is_seen_by_another_server_at_once() {
    on_both(|home| async move {
        with_notes(&home).await;
        let other = Arc::new(home.open_again().await);
        let mut writers = JoinSet::new();
        for n in 0..64 {
            let (store, other) = (home.store.clone(), other.clone());
            writers.spawn(async move {
                let id = format!("note {n:02}");
                add_note(&store, &id, n).await.unwrap();
                assert!(notes(&other).await.contains(&id), "{id} was acknowledged");
            });
        }
        while let Some(done) = writers.join_next().await {
            done.unwrap();
        }
        let expected: Vec<String> = (0..64).map(|n| format!("note {n:02}")).collect();
        assert_eq!(notes(&home.store).await, expected);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_seen_before_the_commit() {
    on_both(|home| async move {
        with_notes(&home).await;
        let (began, has_begun) = oneshot::channel();
        let (release, go_on) = oneshot::channel();
        let writing = tokio::spawn(held_note(home.store.clone(), "held", began, go_on));
        has_begun.await.unwrap();
        assert_eq!(notes(&home.store).await, Vec::<String>::new());
        release.send(()).unwrap();
        writing.await.unwrap().unwrap();
        assert_eq!(notes(&home.store).await, ["held"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_failing_closure_of_a_group_rolls_back_alone() {
    on_both(|home| async move {
        with_notes(&home).await;
        let store = &home.store;
        let failing = store.write("test.failing", Reach::Everyone, |tx| {
            Box::pin(async move {
                execute!(tx, "INSERT INTO notes (id, n) VALUES ('unwanted', 5)")?;
                Err::<(), _>(kernel::Error::not_found("reason"))
            })
        });
        let breaking = store.write("test.breaking", Reach::Everyone, |tx| {
            Box::pin(async move {
                execute!(tx, "INSERT INTO notes (id, n) VALUES ('half', 6)")?;
                execute!(tx, "INSERT INTO notes (id, n) VALUES ('half', 7)")?;
                Ok(())
            })
        });
        let (began, _has_begun) = oneshot::channel();
        let (release, go_on) = oneshot::channel();
        // Polled in this order, all of them wait behind the first when it is released.
        let (first, second, failed, broken, last, ()) = tokio::join!(
            held_note(store.clone(), "first", began, go_on),
            add_note(store, "second", 1),
            failing,
            breaking,
            add_note(store, "last", 2),
            async { release.send(()).unwrap() },
        );
        assert_eq!([code(first), code(second), code(last)], ["ok"; 3]);
        assert_eq!(code(failed), "not_found");
        assert_eq!(code(broken), "already_exists");
        assert_eq!(notes(store).await, ["first", "second", "last"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panicking_closure_ends_neither_its_group_nor_the_writer() {
    on_both(|home| async move {
        with_notes(&home).await;
        let store = &home.store;
        let panicking = store.write("test.panicking", Reach::Everyone, |tx| {
            Box::pin(async move {
                execute!(tx, "INSERT INTO notes (id, n) VALUES ('unwanted', 5)")?;
                assert!(tx.batch("SELECT 1").await.is_err(), "this panic is part of the test");
                Ok(())
            })
        });
        let (began, _has_begun) = oneshot::channel();
        let (release, go_on) = oneshot::channel();
        let (first, panicked, beside, ()) = tokio::join!(
            held_note(store.clone(), "first", began, go_on),
            panicking,
            add_note(store, "beside", 1),
            async { release.send(()).unwrap() },
        );
        assert_eq!([code(first), code(beside)], ["ok"; 2]);
        let error = panicked.unwrap_err();
        assert_eq!(error.code, "internal");
        assert!(!error.public.contains("panic"), "{}", error.public);
        assert_eq!(code(add_note(store, "after", 2).await), "ok");
        assert_eq!(notes(store).await, ["first", "beside", "after"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_caller_went_away_still_completes() {
    on_both(|home| async move {
        with_notes(&home).await;
        let (began, has_begun) = oneshot::channel();
        let (release, go_on) = oneshot::channel();
        let caller = tokio::spawn(held_note(home.store.clone(), "orphan", began, go_on));
        has_begun.await.unwrap();
        caller.abort();
        assert!(caller.await.unwrap_err().is_cancelled());
        release.send(()).unwrap();
        let store = &home.store;
        eventually("the orphan is there", || async { notes(store).await == ["orphan"] }).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_increments_lose_nothing() {
    on_both(|home| async move {
        with_notes(&home).await;
        add_note(&home.store, "counter", 0).await.unwrap();
        let mut writers = JoinSet::new();
        for _ in 0..64 {
            let store = home.store.clone();
            writers.spawn(async move {
                store
                    .write("test.count", Reach::Everyone, |tx| {
                        Box::pin(async move {
                            Ok(execute!(tx, "UPDATE notes SET n = n + 1 WHERE id = 'counter'")?)
                        })
                    })
                    .await
            });
        }
        while let Some(changed) = writers.join_next().await {
            assert_eq!(changed.unwrap().unwrap(), 1);
        }
        assert_eq!(number(&home.store, "SELECT n FROM notes").await, 64);
    })
    .await;
}
