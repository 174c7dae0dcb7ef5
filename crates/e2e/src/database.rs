//! One database per journey, looked into with SQL where the HTTP API would hide what happened.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, bail};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, SqliteConnection};

/// Which engine a journey runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The embedded one.
    Sqlite,
    /// The server named by `HEARTH_TEST_POSTGRES_URL`.
    Postgres,
}

impl Engine {
    /// Both, in the order in which they are tried.
    pub const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];
}

/// A database made for one journey; a PostgreSQL one is dropped at the end.
#[derive(Debug)]
pub enum Database {
    /// Lives in the server's data directory.
    Sqlite(PathBuf),
    /// A fresh database on the test server.
    Postgres {
        /// Superuser URL of the server.
        admin: String,
        /// Name of the fresh database.
        name: String,
    },
}

static COUNTER: AtomicU32 = AtomicU32::new(0);

impl Database {
    /// Makes an empty database; `data` is the data directory of the server that will use it.
    ///
    /// # Errors
    /// When PostgreSQL is asked for and `HEARTH_TEST_POSTGRES_URL` is unset or unreachable.
    pub fn create(engine: Engine, data: &Path) -> Result<Self> {
        if engine == Engine::Sqlite {
            return Ok(Self::Sqlite(data.to_owned()));
        }
        let admin = std::env::var("HEARTH_TEST_POSTGRES_URL")
            .context("HEARTH_TEST_POSTGRES_URL is unset; ./test starts a server and sets it")?;
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("e2e_{}_{number}", std::process::id());
        execute_postgres(&admin, format!("CREATE DATABASE {name}"))?;
        Ok(Self::Postgres { admin, name })
    }

    /// What `DATABASE_URL` must say, if anything.
    pub fn url(&self) -> Option<String> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres { admin, name } => Some(on_database(admin, name)),
        }
    }

    /// Runs one statement without looking at an answer.
    ///
    /// # Errors
    /// When the engine refuses.
    pub fn execute(&self, sql: &str) -> Result<()> {
        let sql = sql.to_owned();
        match self {
            Self::Postgres { admin, name } => execute_postgres(&on_database(admin, name), sql),
            Self::Sqlite(data) => {
                let path = sqlite_file(data)?;
                block_on(async move {
                    let mut conn = SqliteConnection::connect(&format!("sqlite:{}", path.display())).await?;
                    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut conn).await?;
                    Ok(conn.close().await?)
                })
            }
        }
    }

    /// How often each `client_event_id` stands in the table of events.
    ///
    /// # Errors
    /// When the engine refuses.
    pub fn events(&self) -> Result<BTreeMap<String, u64>> {
        const SQL: &str = "SELECT client_event_id, COUNT(*) FROM events
            WHERE client_event_id IS NOT NULL
            GROUP BY client_event_id";
        let rows: Vec<(String, i64)> = match self {
            Self::Postgres { admin, name } => {
                let url = on_database(admin, name);
                block_on(async move {
                    let mut conn = PgConnection::connect(&url).await?;
                    let rows = sqlx::query(SQL).fetch_all(&mut conn).await?;
                    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
                })?
            }
            Self::Sqlite(data) => {
                let path = sqlite_file(data)?;
                block_on(async move {
                    let mut conn = SqliteConnection::connect(&format!("sqlite:{}", path.display())).await?;
                    let rows = sqlx::query(SQL).fetch_all(&mut conn).await?;
                    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
                })?
            }
        };
        Ok(rows.into_iter().map(|(id, count)| (id, count.unsigned_abs())).collect())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Self::Postgres { admin, name } = self {
            let result = execute_postgres(admin, format!("DROP DATABASE {name} WITH (FORCE)"));
            if let Err(problem) = result {
                eprintln!("database {name} was left behind: {problem:#}");
            }
        }
    }
}

fn execute_postgres(url: &str, sql: String) -> Result<()> {
    block_on(async move {
        let mut conn = PgConnection::connect(url).await.context("connecting to PostgreSQL")?;
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut conn).await?;
        Ok(conn.close().await?)
    })
}

/// The server's URL with another database at its end.
fn on_database(admin: &str, name: &str) -> String {
    let base = admin.rsplit_once('/').map_or(admin, |(base, _)| base);
    format!("{base}/{name}")
}

/// The database file in a data directory, known by its first bytes rather than by its name.
fn sqlite_file(data: &Path) -> Result<PathBuf> {
    for entry in std::fs::read_dir(data).context("listing the data directory")? {
        let path = entry?.path();
        let is_database = std::fs::read(&path).is_ok_and(|bytes| bytes.starts_with(b"SQLite format 3\0"));
        // A restore puts the database that was there aside, beside the new one.
        let is_aside = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("before_"));
        if is_database && !is_aside {
            return Ok(path);
        }
    }
    bail!("no SQLite database in {}", data.display())
}

fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}
