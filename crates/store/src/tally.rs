//! How many statements a piece of work sends to fetch rows: counted where they are sent, so that the figure is true.

use std::cell::Cell;
use std::future::Future;

tokio::task_local! {
    static STATEMENTS: Cell<u64>;
}

/// Does `work` and counts the statements that fetch rows in it. What it spawns, and what is counted by itself within it, is
/// left out.
pub async fn counted<F: Future>(work: F) -> (F::Output, u64) {
    let both = async {
        let done = work.await;
        (done, STATEMENTS.with(Cell::get))
    };
    STATEMENTS.scope(Cell::new(0), both).await
}

/// Notes one statement, if anybody counts.
#[doc(hidden)]
pub fn count() {
    // Nobody counting is the rule.
    let _ = STATEMENTS.try_with(|statements| statements.set(statements.get() + 1));
}
