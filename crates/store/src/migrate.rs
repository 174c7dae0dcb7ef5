//! Numbered migrations with rollbacks, checksums and a lock, recorded in `schema_migrations(name, applied_at)`.

use std::collections::BTreeMap;

use kernel::Clock;
use sqlx::FromRow;

use crate::blob::data_hash;
use crate::{Conn, Engine, Error, Result, Store};

/// One migration in the words of one engine.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// `NNN_name`.
    pub name: &'static str,
    /// Forward statements.
    pub up: &'static str,
    /// Statements that undo them.
    pub down: &'static str,
}

macro_rules! migrations {
    ($folder:literal: $($name:literal),+ $(,)?) => {
        &[$(Migration {
            name: $name,
            up: include_str!(concat!("../../../migrations/", $folder, "/", $name, ".sql")),
            down: include_str!(concat!("../../../migrations/", $folder, "/rollbacks/", $name, "_rollback.sql")),
        }),+]
    };
}

/// The names of the migrations in order, once for both engines.
macro_rules! both_engines {
    ($engine:expr, $($name:literal),+ $(,)?) => {
        match $engine {
            Engine::Sqlite => migrations!("sqlite": $($name),+),
            Engine::Postgres => migrations!("postgres": $($name),+),
        }
    };
}

/// The migrations of an engine in order; both engines have the same names.
pub fn all(engine: Engine) -> &'static [Migration] {
    both_engines!(
        engine,
        "001_engine_room",
        "002_identity",
        "003_memory",
        "004_row_security",
        "005_audit_chain",
        "006_schedules",
        "007_sign_in_failures",
        "008_sealed",
        "009_data_rights",
        "010_memories",
        "011_deleted_blocks",
        "012_derivation",
        "013_bundle_indexes",
    )
}

/// Where one migration stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// `NNN_name`.
    pub name: String,
    /// When it was applied, RFC 3339; `None` when it waits.
    pub applied_at: Option<String>,
}

/// Why the schema cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database knows a migration that this program does not.
    #[error(
        "the database has migration {0}, which this version does not know; use the matching or a newer hearth"
    )]
    Newer(String),
    /// An applied migration's text is not ours.
    #[error("migration {0} was applied with another text; use the version of hearth that applied it")]
    Changed(String),
    /// The server is too old.
    #[error("PostgreSQL {0} is too old; use 15 or newer")]
    OldServer(i64),
    /// No such migration.
    #[error("there is no migration {0}")]
    Unknown(String),
    /// The engine refused.
    #[error(transparent)]
    Store(#[from] Error),
}

#[derive(FromRow)]
struct Applied {
    name: String,
    applied_at: String,
    checksum: String,
}

/// Any number that no other program on the server is likely to use: "hearth" in ASCII.
const POSTGRES_LOCK: i64 = 0x6865_6172_7468;

/// Applies what is missing, under a lock; returns the names applied. Safe to repeat and to run from two servers at once.
///
/// # Errors
/// A schema from another version, or the engine's refusal; a failed migration leaves no trace.
pub async fn up(store: &Store, clock: &Clock) -> Result<Vec<&'static str>, MigrateError> {
    up_through(store, clock, all(store.engine())).await
}

/// As [`up`], but no further than `last`: the schema that a backup was made of.
///
/// # Errors
/// As [`up`], and `Unknown` for a name that does not exist.
pub(crate) async fn up_to(
    store: &Store,
    clock: &Clock,
    last: &str,
) -> Result<Vec<&'static str>, MigrateError> {
    let ours = all(store.engine());
    let end =
        ours.iter().position(|m| m.name == last).ok_or_else(|| MigrateError::Unknown(last.to_owned()))?;
    up_through(store, clock, &ours[..=end]).await
}

async fn up_through(
    store: &Store,
    clock: &Clock,
    wanted: &'static [Migration],
) -> Result<Vec<&'static str>, MigrateError> {
    let mut conn = lock(store).await?;
    let result = up_locked(&mut conn, store.engine(), clock, wanted).await;
    unlock(conn).await;
    result
}

async fn up_locked(
    conn: &mut Conn,
    engine: Engine,
    clock: &Clock,
    wanted: &'static [Migration],
) -> Result<Vec<&'static str>, MigrateError> {
    let applied = check(conn, engine).await?;
    let mut done = Vec::new();
    for migration in wanted.iter().filter(|m| !applied.contains_key(m.name)) {
        let (name, checksum, at) =
            (migration.name, data_hash(migration.up.as_bytes()), clock.now().to_string());
        let row = "INSERT INTO schema_migrations (name, applied_at, checksum) VALUES ($1, $2, $3)";
        step(conn, migration.up, row, &[name, &at, &checksum]).await?;
        done.push(name);
    }
    Ok(done)
}

/// Rolls back every migration after `to`; returns the names undone, newest first.
///
/// # Errors
/// As [`up`], and `Unknown` for a name that does not exist.
pub async fn down(store: &Store, to: &str) -> Result<Vec<&'static str>, MigrateError> {
    let ours = all(store.engine());
    let keep = ours.iter().position(|m| m.name == to).ok_or_else(|| MigrateError::Unknown(to.to_owned()))?;
    let mut conn = lock(store).await?;
    let result = down_locked(&mut conn, store.engine(), &ours[keep + 1..]).await;
    unlock(conn).await;
    result
}

async fn down_locked(
    conn: &mut Conn,
    engine: Engine,
    undo: &'static [Migration],
) -> Result<Vec<&'static str>, MigrateError> {
    let applied = check(conn, engine).await?;
    let mut done = Vec::new();
    for migration in undo.iter().rev().filter(|m| applied.contains_key(m.name)) {
        step(conn, migration.down, "DELETE FROM schema_migrations WHERE name = $1", &[migration.name])
            .await?;
        done.push(migration.name);
    }
    Ok(done)
}

/// Lists every migration and when it was applied.
///
/// # Errors
/// As [`up`]: a schema from another version is refused here too.
pub async fn status(store: &Store) -> Result<Vec<Standing>, MigrateError> {
    let mut conn = lock(store).await?;
    let applied = check(&mut conn, store.engine()).await;
    unlock(conn).await;
    let applied = applied?;
    let standing = |m: &Migration| Standing {
        name: m.name.to_owned(),
        applied_at: applied.get(m.name).map(|row| row.applied_at.clone()),
    };
    Ok(all(store.engine()).iter().map(standing).collect())
}

/// Reads what was applied and refuses what this program cannot serve.
async fn check(conn: &mut Conn, engine: Engine) -> Result<BTreeMap<String, Applied>, MigrateError> {
    if engine == Engine::Postgres {
        let (version,): (i64,) =
            crate::fetch_one!(conn, (i64,), "SELECT current_setting('server_version_num')::BIGINT")?;
        if version < 150_000 {
            return Err(MigrateError::OldServer(version / 10_000));
        }
    }
    conn.batch(
        "CREATE TABLE IF NOT EXISTS schema_migrations \
         (name TEXT NOT NULL PRIMARY KEY, applied_at TEXT NOT NULL, checksum TEXT NOT NULL)",
    )
    .await?;
    let rows = crate::fetch_all!(
        conn,
        Applied,
        "SELECT name, applied_at, checksum FROM schema_migrations ORDER BY name"
    )?;
    for row in &rows {
        let ours = all(engine).iter().find(|m| m.name == row.name);
        let ours = ours.ok_or_else(|| MigrateError::Newer(row.name.clone()))?;
        if data_hash(ours.up.as_bytes()) != row.checksum {
            return Err(MigrateError::Changed(row.name.clone()));
        }
    }
    Ok(rows.into_iter().map(|row| (row.name.clone(), row)).collect())
}

/// Runs one migration and its line in the record as one transaction.
async fn step(conn: &mut Conn, sql: &'static str, record: &'static str, binds: &[&str]) -> Result<()> {
    // SQLite's lock is taken once for all steps; inside it each step is a savepoint.
    let (begin, commit, undo) = match conn {
        Conn::Sqlite(_) => ("SAVEPOINT step", "RELEASE step", "ROLLBACK TO step; RELEASE step"),
        Conn::Postgres(_) => ("BEGIN", "COMMIT", "ROLLBACK"),
    };
    conn.batch(begin).await?;
    let result = async {
        conn.batch(sql).await?;
        match conn {
            Conn::Sqlite(c) => {
                binds
                    .iter()
                    .fold(sqlx::query(record), |q, b| q.bind((*b).to_owned()))
                    .execute(&mut **c)
                    .await?;
            }
            Conn::Postgres(c) => {
                binds
                    .iter()
                    .fold(sqlx::query(record), |q, b| q.bind((*b).to_owned()))
                    .execute(&mut **c)
                    .await?;
            }
        }
        Ok(())
    }
    .await;
    conn.batch(if result.is_ok() { commit } else { undo }).await?;
    result
}

/// One migrating server at a time: SQLite's write lock, or an advisory lock of PostgreSQL's.
async fn lock(store: &Store) -> Result<Conn> {
    let mut conn = store.migration_conn().await?;
    match &mut conn {
        Conn::Sqlite(_) => conn.batch("BEGIN IMMEDIATE").await?,
        Conn::Postgres(c) => {
            sqlx::query("SELECT pg_advisory_lock($1)").bind(POSTGRES_LOCK).execute(&mut **c).await?;
        }
    }
    Ok(conn)
}

/// Ends the connection too: an advisory lock or an open transaction must not travel back to a pool.
async fn unlock(mut conn: Conn) {
    if let Conn::Sqlite(_) = conn {
        let _ = conn.batch("COMMIT").await;
    }
    conn.discard();
}
