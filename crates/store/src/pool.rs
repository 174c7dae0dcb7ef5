//! Opening an engine, handing out connections, and the one way to write.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, PgPool, SqlitePool};

use crate::reach::REACH_SETTING;
use crate::replica::{self, Replica};
use crate::writer::{Writer, guarded};
use crate::{Cache, Conn, Error, Reach, Result, Tx};

/// Which engine stands behind a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Embedded SQLite.
    Sqlite,
    /// PostgreSQL ≥ 15.
    Postgres,
}

/// How to open a store.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// `postgres://…`, or `sqlite:<path>`.
    pub url: kernel::Secret,
    /// A standby of the same PostgreSQL, for [`Store::browse`].
    pub replica: Option<kernel::Secret>,
    /// Connections at most, per server; as many again to the replica.
    pub pool_max: u32,
    /// Connections kept open.
    pub pool_min: u32,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Longest run of one statement (PostgreSQL).
    pub statement_timeout: Duration,
    /// Idle connections close after this.
    pub idle_timeout: Duration,
    /// Connections are renewed after this.
    pub max_lifetime: Duration,
}

impl StoreConfig {
    /// The defaults of the configuration for `url`.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: kernel::Secret::new(url),
            replica: None,
            pool_max: 20,
            pool_min: 5,
            connect_timeout: Duration::from_secs(2),
            statement_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(30),
            max_lifetime: Duration::from_mins(30),
        }
    }

    /// The engine that the address names.
    pub fn engine(&self) -> Engine {
        if self.url.expose().starts_with("sqlite:") { Engine::Sqlite } else { Engine::Postgres }
    }

    /// The SQLite file, when it is one.
    pub fn sqlite_path(&self) -> Option<PathBuf> {
        let path = self.url.expose().strip_prefix("sqlite:")?;
        Some(PathBuf::from(path.strip_prefix("//").unwrap_or(path)))
    }
}

/// The database, and the cache beside it. Clones share the pools.
#[derive(Clone)]
pub struct Store(Arc<Inner>, Cache);

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("name", &self.0.name).finish_non_exhaustive()
    }
}

struct Inner {
    backend: Backend,
    replica: Option<Replica>,
    pool_max: u32,
    pool_min: u32,
    name: String,
}

enum Backend {
    Sqlite { readers: SqlitePool, writer: Writer },
    Postgres(PgPool),
}

/// How busy the pool is, in connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolState {
    /// Open now.
    pub open: u32,
    /// Open and idle.
    pub idle: u32,
    /// May be open at most.
    pub max: u32,
    /// Kept open.
    pub min: u32,
}

impl Store {
    /// Opens the engine; PostgreSQL is connected to lazily, SQLite's file is opened (and made) at once.
    ///
    /// # Errors
    /// An address that cannot be read; a file that cannot be opened or is no database.
    pub async fn open(config: &StoreConfig) -> Result<Self> {
        let (backend, name) = match config.engine() {
            Engine::Sqlite => open_sqlite(config).await?,
            Engine::Postgres => open_postgres(config)?,
        };
        let replica = config.replica.as_ref().map(|url| open_replica(config, url)).transpose()?;
        let (pool_max, pool_min) = (config.pool_max, config.pool_min);
        let cache = Cache::new(true, None, kernel::Clock::system());
        Ok(Self(Arc::new(Inner { backend, replica, pool_max, pool_min, name }), cache))
    }

    pub(crate) fn replica(&self) -> Option<&Replica> {
        self.0.replica.as_ref()
    }

    /// The same store with another cache beside it than one of this process alone.
    #[must_use]
    pub fn with_cache(self, cache: Cache) -> Self {
        Self(self.0, cache)
    }

    /// What is kept beside the database.
    pub fn cache(&self) -> &Cache {
        &self.1
    }

    /// The engine.
    pub fn engine(&self) -> Engine {
        match self.0.backend {
            Backend::Sqlite { .. } => Engine::Sqlite,
            Backend::Postgres(_) => Engine::Postgres,
        }
    }

    /// The PostgreSQL database's name, or the SQLite file's stem.
    pub fn database_name(&self) -> &str {
        &self.0.name
    }

    /// A connection for reading the rows in `reach`.
    ///
    /// # Errors
    /// `PoolExhausted` when none became free in time; `Unavailable` when the database is away.
    pub async fn read(&self, reach: impl Into<Reach>) -> Result<Conn> {
        let mut conn = self.acquire().await?;
        if let Conn::Postgres(conn) = &mut conn {
            let sql = AssertSqlSafe(reach.into().set("SET"));
            sqlx::raw_sql(sql).execute(&mut **conn).await?;
        }
        Ok(conn)
    }

    async fn acquire(&self) -> Result<Conn> {
        let conn = match &self.0.backend {
            Backend::Sqlite { readers, .. } => readers.acquire().await.map(Conn::Sqlite),
            Backend::Postgres(pool) => pool.acquire().await.map(Conn::Postgres),
        };
        conn.map_err(Error::from).inspect_err(|error| {
            if matches!(error, Error::PoolExhausted) {
                metrics::counter!("db_pool_exhausted_total", "pool" => "primary").increment(1);
                tracing::warn!("pool exhausted");
            }
        })
    }

    /// Runs `closure` in a transaction and returns its value after a durable commit; `Err` rolls it back.
    ///
    /// `operation` names the caller in metrics, `reach` the rows that may be touched. The write goes on when the caller stops waiting. On SQLite closures that
    /// wait together share one commit. Never wait for anything outside the database in the closure.
    ///
    /// # Errors
    /// The closure's own, or the store's.
    pub async fn write<T, F>(
        &self,
        operation: &'static str,
        reach: impl Into<Reach>,
        closure: F,
    ) -> kernel::Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, kernel::Result<T>> + Send + 'static,
    {
        let started = Instant::now();
        let result = match &self.0.backend {
            Backend::Sqlite { writer, .. } => writer.write(closure).await,
            Backend::Postgres(_) => {
                let (store, reach) = (self.clone(), reach.into());
                // A task of its own: a caller that goes away must not leave a transaction half done.
                let task = tokio::spawn(async move { store.write_postgres(reach, closure).await });
                task.await.unwrap_or_else(|error| Err(kernel::Error::internal(error)))
            }
        };
        let seconds = started.elapsed().as_secs_f64();
        metrics::histogram!("database_query_duration_seconds", "operation" => operation).record(seconds);
        result
    }

    async fn write_postgres<T, F>(&self, reach: Reach, closure: F) -> kernel::Result<T>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, kernel::Result<T>>,
    {
        let mut tx = Tx::new(self.acquire().await?);
        tx.begin_within(&reach).await?;
        let result = guarded(closure, &mut tx).await;
        let end = if result.is_ok() { "COMMIT" } else { "ROLLBACK" };
        match (tx.batch(end).await, result) {
            (Ok(()), result) => result,
            (Err(error), result) => {
                tx.discard();
                result.and(Err(error.into()))
            }
        }
    }

    /// Asks the engine for a sign of life on a connection of the pool.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub async fn ping(&self) -> Result<()> {
        self.acquire().await?.batch("SELECT 1").await
    }

    /// Empties SQLite's log into its file, so that the log holds no earlier contents of a page. Does nothing on PostgreSQL.
    ///
    /// # Errors
    /// `Aborted` while a reader holds the log for longer than five seconds; the engine's.
    pub async fn empty_log(&self) -> Result<()> {
        if self.engine() == Engine::Postgres {
            return Ok(());
        }
        let mut conn = self.migration_conn().await?;
        let (busy, _, _): (i64, i64, i64) =
            crate::fetch_one!(&mut conn, (i64, i64, i64), "PRAGMA wal_checkpoint(TRUNCATE)")?;
        if busy == 0 {
            return Ok(());
        }
        Err(Error::Aborted("readers hold the log".to_owned()))
    }

    /// How busy the pool is.
    pub fn pool_state(&self) -> PoolState {
        let (open, idle) = match &self.0.backend {
            Backend::Sqlite { readers, .. } => (readers.size(), readers.num_idle()),
            Backend::Postgres(pool) => (pool.size(), pool.num_idle()),
        };
        PoolState { open, idle: idle as u32, max: self.0.pool_max, min: self.0.pool_min }
    }

    /// Closes the connections after the work in hand.
    pub async fn close(&self) {
        if let Some(replica) = &self.0.replica {
            replica.close().await;
        }
        match &self.0.backend {
            Backend::Sqlite { readers, .. } => readers.close().await,
            Backend::Postgres(pool) => pool.close().await,
        }
    }

    /// A connection outside the pools, for migrations and the log.
    pub(crate) async fn migration_conn(&self) -> Result<Conn> {
        match &self.0.backend {
            Backend::Sqlite { readers, .. } => {
                let options = (*readers.connect_options()).clone().pragma("query_only", "OFF");
                let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
                Ok(Conn::Sqlite(pool.acquire().await?))
            }
            Backend::Postgres(_) => self.read(Reach::Everyone).await,
        }
    }
}

async fn open_sqlite(config: &StoreConfig) -> Result<(Backend, String)> {
    let path = config.sqlite_path().expect("the engine was told from the address");
    let options = SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .statement_cache_capacity(256)
        .pragma("mmap_size", "268435456")
        .pragma("journal_size_limit", "67108864")
        .pragma("temp_store", "MEMORY")
        // What is removed is overwritten: an erased text must not lie about in the file.
        .pragma("secure_delete", "ON");
    let writing = SqlitePoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None);
    let conn = writing.connect_with(options.clone()).await?.acquire().await?;
    let readers = SqlitePoolOptions::new()
        .max_connections(config.pool_max)
        .min_connections(config.pool_min.min(config.pool_max))
        .acquire_timeout(config.connect_timeout)
        .idle_timeout(config.idle_timeout)
        .max_lifetime(config.max_lifetime)
        .connect_with(options.pragma("query_only", "ON"))
        .await?;
    let name =
        path.file_stem().map_or_else(|| "hearth".to_owned(), |stem| stem.to_string_lossy().into_owned());
    Ok((Backend::Sqlite { readers, writer: Writer::start(Conn::Sqlite(conn)) }, name))
}

fn open_postgres(config: &StoreConfig) -> Result<(Backend, String)> {
    let options = postgres_options(config, &config.url)?;
    let name = options.get_database().unwrap_or("postgres").to_owned();
    let pool = postgres_pool(config).min_connections(config.pool_min.min(config.pool_max));
    Ok((Backend::Postgres(pool.connect_lazy_with(options)), name))
}

fn open_replica(config: &StoreConfig, url: &kernel::Secret) -> Result<Replica> {
    let wait = config.connect_timeout.min(replica::CONNECT_LIMIT);
    let pool = postgres_pool(config).acquire_timeout(wait);
    Ok(Replica::new(pool.connect_lazy_with(postgres_options(config, url)?)))
}

fn postgres_options(config: &StoreConfig, url: &kernel::Secret) -> Result<PgConnectOptions> {
    Ok(PgConnectOptions::from_str(url.expose())?
        .application_name("hearth")
        .statement_cache_capacity(256)
        // No tenant until a reach is named: a statement that slips past `read` and `write` sees no row.
        .options([("statement_timeout", config.statement_timeout.as_millis().to_string())])
        .options([(REACH_SETTING, "")]))
}

fn postgres_pool(config: &StoreConfig) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(config.pool_max)
        .acquire_timeout(config.connect_timeout)
        .idle_timeout(config.idle_timeout)
        .max_lifetime(config.max_lifetime)
}
