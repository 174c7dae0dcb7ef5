//! A database of its own for each test, on each engine, gone when the test ends.

use std::path::{Path, PathBuf};
use std::time::Duration;

use store::sqlx::{AssertSqlSafe, Connection, PgConnection};
use store::{Blobs, Engine, Store, StoreConfig};
use tempfile::TempDir;

/// A database on one engine. Dropping it removes the database and its files.
pub struct Home {
    /// `SQLite` or `PostgreSQL`, for messages.
    pub name: &'static str,
    /// Which of the two.
    pub engine: Engine,
    /// The open database.
    pub store: Store,
    /// Where it is, for a second server on the same one.
    pub url: String,
    folder: TempDir,
    database: Option<Database>,
}

impl Home {
    /// A folder that is removed with the database.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where blobs on disk are kept.
    pub fn blob_root(&self) -> PathBuf {
        self.folder().join("blobs")
    }

    /// Blobs on disk; the folder is made with the first one.
    pub fn blobs(&self) -> Blobs {
        Blobs::disk(self.blob_root())
    }

    /// A second server's pools on the same database.
    pub async fn open_again(&self) -> Store {
        Store::open(&config(&self.url)).await.expect("the database opens twice")
    }
}

/// Because of this an `async move` that uses one field keeps the whole home, its folder included.
impl Drop for Home {
    fn drop(&mut self) {
        if let Some(database) = &self.database {
            database.remove();
        }
    }
}

/// An empty database on each engine.
pub async fn databases() -> [Home; 2] {
    [sqlite().await, postgres().await]
}

/// A migrated database on each engine.
pub async fn homes() -> [Home; 2] {
    let homes = databases().await;
    for home in &homes {
        store::migrate::up(&home.store, &crate::clock()).await.expect("the migrations apply");
    }
    homes
}

/// Runs a scenario on each engine, one after the other; the last line of a failed test names the engine.
pub async fn on_both<F>(scenario: impl Fn(Home) -> F)
where
    F: Future<Output = ()>,
{
    for home in homes().await {
        eprintln!("on {}", home.name);
        scenario(home).await;
    }
}

/// The PostgreSQL server of the tests, as a role that may make databases; row security must bind it.
pub fn server_url() -> String {
    crate::needed(
        "HEARTH_TEST_POSTGRES_URL",
        "a PostgreSQL role that may make databases and is no superuser, such as postgres://hearth@127.0.0.1:5432/postgres",
    )
}

async fn sqlite() -> Home {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite:{}", folder.path().join("hearth.db").display());
    home("SQLite", url, folder, None).await
}

async fn postgres() -> Home {
    let database = Database::create().await;
    let (server, _) = database.server.rsplit_once('/').expect("an address names a database");
    let url = format!("{server}/{}", database.name);
    let folder = tempfile::tempdir().expect("a temporary folder");
    home("PostgreSQL", url, folder, Some(database)).await
}

async fn home(name: &'static str, url: String, folder: TempDir, database: Option<Database>) -> Home {
    let store = Store::open(&config(&url)).await.expect("an empty database opens");
    Home { name, engine: store.engine(), store, url, folder, database }
}

/// Few connections, and patience on a busy machine.
fn config(url: &str) -> StoreConfig {
    let mut config = StoreConfig::new(url);
    config.pool_min = 0;
    config.pool_max = 8;
    config.connect_timeout = Duration::from_secs(30);
    config
}

/// A database on the server of the tests.
struct Database {
    server: String,
    name: String,
}

impl Database {
    async fn create() -> Self {
        let database =
            Self { server: server_url(), name: format!("hearth_test_{}", &kernel::random::token()[..20]) };
        database.ask(&format!("CREATE DATABASE {}", database.name)).await;
        database
    }

    async fn ask(&self, sql: &str) {
        let mut conn =
            PgConnection::connect(&self.server).await.expect("the PostgreSQL of the tests answers");
        store::sqlx::query(AssertSqlSafe(sql.to_owned()))
            .execute(&mut conn)
            .await
            .expect("the server of the tests allows it");
        conn.close().await.expect("a connection closes");
    }

    /// On a thread with its own runtime: the test's may be ending.
    fn remove(&self) {
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let dropped = std::thread::scope(|threads| {
            let work = || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.expect("a runtime").block_on(self.ask(&sql));
            };
            threads.spawn(work).join()
        });
        if dropped.is_err() {
            eprintln!("the database {} stays behind", self.name);
        }
    }
}
