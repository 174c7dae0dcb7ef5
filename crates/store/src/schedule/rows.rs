//! The table `schedules`.

use kernel::Micros;
use sqlx::FromRow;

use super::Schedule;
use crate::{Conn, Result, Tx, execute, fetch_all};

/// A schedule as it stands.
#[derive(Clone, Debug, FromRow)]
pub struct ScheduleRow {
    /// Its name.
    pub name: String,
    /// Kind of its job.
    pub kind: String,
    /// Cron text.
    pub cron: String,
    /// Zone.
    pub time_zone: String,
    /// `skip`, `once` or `all`.
    pub catch_up: String,
    /// Due next, µs; `i64::MAX` for never.
    pub next_at: i64,
    /// The last occurrence that got a job, µs.
    pub last_fired_at: Option<i64>,
}

/// All schedules by name, also those of other versions of the server.
///
/// # Errors
/// The engine's.
pub async fn list_schedules(conn: &mut Conn) -> Result<Vec<ScheduleRow>> {
    fetch_all!(
        conn,
        ScheduleRow,
        "SELECT name, kind, cron, time_zone, catch_up, next_at, last_fired_at FROM schedules ORDER BY name",
    )
}

/// Adds a schedule, or begins it anew at `next_at` when it changed.
pub(super) async fn put(tx: &mut Tx, schedule: &Schedule, next_at: Micros) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO schedules (name, kind, cron, time_zone, catch_up, next_at, fence)
         VALUES ($1, $2, $3, $4, $5, $6, 0)
         ON CONFLICT (name) DO UPDATE SET
             next_at = CASE WHEN schedules.cron = $3 AND schedules.time_zone = $4
                 THEN schedules.next_at ELSE $6 END,
             kind = $2, cron = $3, time_zone = $4, catch_up = $5",
        &schedule.name,
        schedule.kind,
        &schedule.cron,
        &schedule.time_zone,
        schedule.catch_up.as_str(),
        next_at.0,
    )?;
    Ok(())
}

/// Names and times of what is due at `now`.
pub(super) async fn list_due(conn: &mut Conn, now: Micros) -> Result<Vec<(String, i64)>> {
    let sql = "SELECT name, next_at FROM schedules WHERE next_at <= $1 ORDER BY next_at, name";
    fetch_all!(conn, (String, i64), sql, now.0)
}

/// Notes that the leader `fence` fired a schedule up to `last`.
pub(super) async fn move_on(
    tx: &mut Tx,
    name: &str,
    next_at: Micros,
    last: Option<Micros>,
    fence: i64,
) -> kernel::Result<()> {
    execute!(
        tx,
        "UPDATE schedules SET next_at = $1, last_fired_at = COALESCE($2, last_fired_at), fence = $3 WHERE name = $4",
        next_at.0,
        last.map(|at| at.0),
        fence,
        name,
    )?;
    Ok(())
}
