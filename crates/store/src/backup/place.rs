//! Where a restored or moved database is built: beside the one in use, which is put aside only when the new one stands.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use kernel::{Micros, Secret};
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};

use super::{BackupError, Result, folder, tables};
use crate::{Engine, Error, Reach, Store, StoreConfig, fetch_optional};

/// A database to be replaced, and the name under which the new one is built beside it.
#[derive(Clone, Debug)]
pub struct Place {
    target: StoreConfig,
    purpose: &'static str,
}

impl Place {
    /// `purpose` is a word for the name of what is being built, such as `restoring`.
    pub fn beside(target: &StoreConfig, purpose: &'static str) -> Self {
        Self { target: target.clone(), purpose }
    }

    /// Tells whether the target holds any row, or anything that is not ours to judge.
    ///
    /// # Errors
    /// The engine's, for a database that is away.
    pub async fn is_occupied(&self) -> Result<bool> {
        if self.target.sqlite_path().is_some_and(|path| !path.exists()) {
            return Ok(false);
        }
        match rows_in(&self.target).await {
            Ok(has_rows) => Ok(has_rows),
            // Not a database, or one with tables of somebody else's: it is not empty, whatever it is.
            Err(BackupError::Store(Error::Corrupt(_)) | BackupError::Refused(_)) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Opens an empty database beside the target; what an earlier attempt left there is removed.
    ///
    /// # Errors
    /// The engine's, and the file system's.
    pub async fn open_fresh(&self) -> Result<Store> {
        self.discard().await?;
        self.open().await
    }

    /// Opens the database beside the target, with what an earlier attempt left there.
    ///
    /// # Errors
    /// As [`Place::open_fresh`].
    pub async fn open(&self) -> Result<Store> {
        let mut config = self.target.clone();
        if let Some(path) = self.staged_file() {
            config.url = Secret::new(format!("sqlite:{}", path.display()));
        } else {
            let schema = self.schema();
            self.ask(&[format!("CREATE SCHEMA IF NOT EXISTS {schema}")]).await?;
            let url = self.target.url.expose();
            let joint = if url.contains('?') { '&' } else { '?' };
            config.url = Secret::new(format!("{url}{joint}options[search_path]={schema}"));
            config.statement_timeout = std::time::Duration::ZERO;
        }
        Ok(Store::open(&config).await?)
    }

    /// Removes what was built.
    ///
    /// # Errors
    /// As [`Place::open_fresh`].
    pub async fn discard(&self) -> Result<()> {
        match self.staged_file() {
            Some(path) => remove_files(&path),
            None => self.ask(&[format!("DROP SCHEMA IF EXISTS {} CASCADE", self.schema())]).await,
        }
    }

    /// Puts the new database in the target's place. The old one is put aside under the name that is returned, if there
    /// was one. A crash leaves the one or the other in place, whole.
    ///
    /// # Errors
    /// The engine's, and the file system's.
    pub async fn swap(&self, built: Store, now: Micros) -> Result<Option<String>> {
        built.close().await;
        drop(built);
        let aside = folder::stem(now).replace("backup", "before");
        match (self.target.sqlite_path(), self.staged_file()) {
            (Some(target), Some(staged)) => swap_files(&target, &staged, &aside).await,
            _ => self.swap_schemas(&aside).await,
        }
    }

    fn staged_file(&self) -> Option<PathBuf> {
        self.target.sqlite_path().map(|path| with_ending(&path, &format!(".{}", self.purpose)))
    }

    fn schema(&self) -> String {
        format!("hearth_{}", self.purpose)
    }

    async fn swap_schemas(&self, aside: &str) -> Result<Option<String>> {
        let mut conn = connect(&self.target).await?;
        let current: Option<String> = sqlx::query_scalar("SELECT current_schema()::TEXT")
            .fetch_one(&mut conn)
            .await
            .map_err(Error::from)?;
        let current = current.unwrap_or_else(|| "public".to_owned());
        let is_used: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS s
                 ON s.oid = c.relnamespace WHERE s.nspname = $1)",
        )
        .bind(&current)
        .fetch_one(&mut conn)
        .await
        .map_err(Error::from)?;
        let away = if is_used {
            format!("ALTER SCHEMA \"{current}\" RENAME TO \"{aside}\"")
        } else {
            format!("DROP SCHEMA IF EXISTS \"{current}\"")
        };
        let steps = [
            "BEGIN".to_owned(),
            away,
            format!("ALTER SCHEMA {} RENAME TO \"{current}\"", self.schema()),
            format!("GRANT USAGE ON SCHEMA \"{current}\" TO PUBLIC"),
            "COMMIT".to_owned(),
        ];
        self.ask(&steps).await?;
        Ok(is_used.then(|| format!("schema {aside}")))
    }

    /// Runs statements on a PostgreSQL connection of their own, as one batch.
    async fn ask(&self, statements: &[String]) -> Result<()> {
        let mut conn = connect(&self.target).await?;
        let sql = AssertSqlSafe(statements.join("; "));
        sqlx::raw_sql(sql).execute(&mut conn).await.map_err(Error::from)?;
        conn.close().await.map_err(Error::from)?;
        Ok(())
    }
}

/// Tells whether a server has this PostgreSQL database open. An embedded database has a lock of its own instead.
///
/// # Errors
/// The engine's.
pub async fn is_served(target: &StoreConfig) -> Result<bool> {
    if target.engine() == Engine::Sqlite {
        return Ok(false);
    }
    let mut conn = connect(target).await?;
    let served = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM pg_stat_activity
             WHERE datname = current_database() AND application_name = 'hearth')",
    );
    Ok(served.fetch_one(&mut conn).await.map_err(Error::from)?)
}

/// A connection that does not count as a server's.
async fn connect(target: &StoreConfig) -> Result<PgConnection> {
    let options = PgConnectOptions::from_str(target.url.expose()).map_err(Error::from)?;
    Ok(options.application_name("hearth-restore").connect().await.map_err(Error::from)?)
}

async fn rows_in(target: &StoreConfig) -> Result<bool> {
    let store = Store::open(target).await?;
    let mut conn = store.read(Reach::Everyone).await?;
    let mut has_rows = false;
    for table in tables(&mut conn).await? {
        let sql = AssertSqlSafe(super::text::probe(&table));
        has_rows |= fetch_optional!(&mut conn, (i64,), sql)?.is_some();
    }
    drop(conn);
    store.close().await;
    Ok(has_rows)
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    PathBuf::from(name)
}

/// SQLite's log and index of a database lie beside it.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

fn remove_files(path: &Path) -> Result<()> {
    for ending in ["", BESIDE[0], BESIDE[1]] {
        let path = with_ending(path, ending);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(BackupError::at(&path)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

async fn swap_files(target: &Path, staged: &Path, aside: &str) -> Result<Option<String>> {
    // Everything moves from the log into the file, which can then go alone.
    let mut conn = SqliteConnectOptions::new().filename(staged).connect().await.map_err(Error::from)?;
    let (busy, _, _): (i64, i64, i64) =
        sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut conn).await.map_err(Error::from)?;
    conn.close().await.map_err(Error::from)?;
    if busy != 0 {
        return Err(BackupError::Refused(format!("{} is in use by another program", staged.display())));
    }
    std::fs::File::open(staged).and_then(|file| file.sync_all()).map_err(BackupError::at(staged))?;
    let old = target.with_file_name(format!("{aside}.db"));
    let was_there = target.exists();
    if was_there {
        std::fs::hard_link(target, &old).map_err(BackupError::at(&old))?;
        for ending in BESIDE {
            let (from, to) = (with_ending(target, ending), with_ending(&old, ending));
            if from.exists() {
                std::fs::rename(&from, &to).map_err(BackupError::at(&from))?;
            }
        }
    }
    std::fs::rename(staged, target).map_err(BackupError::at(staged))?;
    remove_files(staged)?;
    folder::sync(target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))?;
    Ok(was_there.then(|| old.display().to_string()))
}
