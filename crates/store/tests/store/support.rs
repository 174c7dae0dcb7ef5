//! A small table to write to, and short ways to ask it.

use std::future::Future;
use std::time::{Duration, Instant};
use store::Reach;

use store::{Store, execute, fetch_all};
use testkit::Home;

/// A home with the table `notes (id, n)`.
pub(crate) async fn with_notes(home: &Home) {
    home.store
        .write("test.table", Reach::Everyone, |tx| {
            Box::pin(async move {
                Ok(tx.batch("CREATE TABLE notes (id TEXT NOT NULL PRIMARY KEY, n BIGINT NOT NULL)").await?)
            })
        })
        .await
        .unwrap();
}

pub(crate) async fn add_note(store: &Store, id: &str, n: i64) -> kernel::Result<()> {
    let id = id.to_owned();
    store
        .write("test.note", Reach::Everyone, move |tx| {
            Box::pin(async move {
                execute!(tx, "INSERT INTO notes (id, n) VALUES ($1, $2)", id, n)?;
                Ok(())
            })
        })
        .await
}

/// Ids of all notes, in order.
pub(crate) async fn notes(store: &Store) -> Vec<String> {
    texts(store, "SELECT id FROM notes ORDER BY n, id").await
}

/// The one text column of a query.
pub(crate) async fn texts(store: &Store, sql: &'static str) -> Vec<String> {
    let mut conn = store.read(Reach::Everyone).await.unwrap();
    let rows = fetch_all!(&mut conn, (String,), sql).unwrap();
    rows.into_iter().map(|row| row.0).collect()
}

/// The one number of a query.
pub(crate) async fn number(store: &Store, sql: &'static str) -> i64 {
    let mut conn = store.read(Reach::Everyone).await.unwrap();
    fetch_all!(&mut conn, (i64,), sql).unwrap()[0].0
}

/// Runs statements of a test as one write.
pub(crate) async fn change(store: &Store, sql: &'static str) {
    store
        .write("test.change", Reach::Everyone, move |tx| Box::pin(async move { Ok(tx.batch(sql).await?) }))
        .await
        .unwrap();
}

/// Asks until the answer is yes; fails after 20 seconds.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, ask: impl Fn() -> F) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !ask().await {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        tokio::task::yield_now().await;
    }
}

/// The code of a refusal, or `ok`.
pub(crate) fn code<T>(result: kernel::Result<T>) -> &'static str {
    result.map_or_else(|error| error.code, |_| "ok")
}
