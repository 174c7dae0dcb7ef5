//! The table `sign_in_failures`.

use kernel::{Micros, Result};
use sqlx::FromRow;
use store::{Conn, Tx, execute, fetch_one, fetch_optional};

/// What is known of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub(super) struct Failures {
    pub(super) failures: i64,
    pub(super) last_failed_at: i64,
}

pub(super) async fn find_failures(conn: &mut Conn, subject: &str) -> Result<Option<Failures>> {
    Ok(fetch_optional!(
        conn,
        Failures,
        "SELECT failures, last_failed_at FROM sign_in_failures WHERE subject = $1",
        subject,
    )?)
}

/// A subject's row, made if need be and locked until the transaction ends: PostgreSQL locks what an upsert touches, and
/// SQLite has one writer.
pub(super) async fn lock_failures(tx: &mut Tx, subject: &str, now: Micros) -> Result<Failures> {
    Ok(fetch_one!(
        tx,
        Failures,
        "INSERT INTO sign_in_failures (subject, failures, last_failed_at) VALUES ($1, 0, $2)
         ON CONFLICT (subject) DO UPDATE SET failures = sign_in_failures.failures
         RETURNING failures, last_failed_at",
        subject,
        now.0,
    )?)
}

pub(super) async fn update_failures(tx: &mut Tx, subject: &str, known: Failures) -> Result<()> {
    execute!(
        tx,
        "UPDATE sign_in_failures SET failures = $2, last_failed_at = $3 WHERE subject = $1",
        subject,
        known.failures,
        known.last_failed_at,
    )?;
    Ok(())
}

/// Takes one failure back.
pub(super) async fn forgive_failure(tx: &mut Tx, subject: &str) -> Result<()> {
    execute!(
        tx,
        "UPDATE sign_in_failures SET failures = failures - 1 WHERE subject = $1 AND failures > 0",
        subject,
    )?;
    Ok(())
}

pub(super) async fn remove_failures(tx: &mut Tx, subject: &str) -> Result<()> {
    execute!(tx, "DELETE FROM sign_in_failures WHERE subject = $1", subject)?;
    Ok(())
}

/// Removes what has been quiet since `before`.
pub(super) async fn remove_quiet(tx: &mut Tx, before: Micros) -> Result<()> {
    execute!(tx, "DELETE FROM sign_in_failures WHERE last_failed_at < $1", before.0)?;
    Ok(())
}
