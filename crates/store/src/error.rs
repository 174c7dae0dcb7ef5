//! What can go wrong with a database, sorted by what the caller can do.

use kernel::error::{Error as PublicError, ErrorKind};

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A unique constraint refused the row; the text is the constraint's name or columns.
    #[error("unique constraint {0}")]
    Unique(String),
    /// No room on the disk.
    #[error("disk full")]
    Full(#[source] sqlx::Error),
    /// No connection became free in time.
    #[error("pool exhausted")]
    PoolExhausted,
    /// Another transaction stood in the way: a deadlock, or rows that could not be locked.
    #[error("transaction contended")]
    Contended(#[source] sqlx::Error),
    /// The database cannot be reached, is locked by another process, or is shutting down.
    #[error("database unavailable")]
    Unavailable(#[source] sqlx::Error),
    /// The file is damaged or is no database.
    #[error("database corrupt")]
    Corrupt(#[source] sqlx::Error),
    /// The writer ended, or a write panicked.
    #[error("write aborted: {0}")]
    Aborted(String),
    /// A statement or a row that does not fit: a defect of ours.
    #[error("statement failed")]
    Statement(#[source] sqlx::Error),
    /// Objects on disk or S3.
    #[error("blob store: {0}")]
    Blob(String),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::PoolTimedOut => Self::PoolExhausted,
            // Bytes that are no protocol come from a sick server or line; a statement of ours cannot cause them.
            sqlx::Error::Io(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unavailable(error),
            sqlx::Error::Database(database) if database.is_unique_violation() => {
                let name = database.constraint().unwrap_or(database.message()).to_owned();
                Self::Unique(name)
            }
            sqlx::Error::Database(database) => match database.code().as_deref() {
                Some(code) => {
                    let code = code.to_owned();
                    Self::by_code(&code, error)
                }
                None => Self::Statement(error),
            },
            _ => Self::Statement(error),
        }
    }
}

impl Error {
    /// Sorts by SQLite's result codes (primary or extended, decimal) and PostgreSQL's SQLSTATE classes.
    fn by_code(code: &str, error: sqlx::Error) -> Self {
        if let (true, Ok(number)) = (code.len() < 5, code.parse::<i32>()) {
            return match number & 0xff {
                13 => Self::Full(error),
                // BUSY, LOCKED, READONLY, IOERR, CANTOPEN
                5 | 6 | 8 | 10 | 14 => Self::Unavailable(error),
                // CORRUPT, NOTADB
                11 | 26 => Self::Corrupt(error),
                _ => Self::Statement(error),
            };
        }
        match code {
            "53100" => Self::Full(error),
            "57014" => Self::Unavailable(error),
            "55P03" => Self::Contended(error),
            _ if code.starts_with("40") => Self::Contended(error),
            // XX000 is a defect of the server's, not damage to the data.
            "XX001" | "XX002" => Self::Corrupt(error),
            _ if code.starts_with("08") || code.starts_with("53") || code.starts_with("57P") => {
                Self::Unavailable(error)
            }
            _ => Self::Statement(error),
        }
    }

    /// Whether trying again later may help.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Full(_) | Self::PoolExhausted | Self::Contended(_) | Self::Unavailable(_) | Self::Blob(_)
        )
    }
}

impl From<Error> for PublicError {
    fn from(error: Error) -> Self {
        let public = match &error {
            Error::Full(_) => PublicError::unavailable(
                "storage_full",
                "there is no room left to store this; nothing was written",
            ),
            Error::PoolExhausted | Error::Contended(_) => {
                PublicError::unavailable("database_busy", "the database is busy; try again")
            }
            Error::Unavailable(_) | Error::Aborted(_) => PublicError::unavailable(
                "database_unavailable",
                "the database cannot be reached; nothing was written",
            ),
            Error::Blob(_) => PublicError::unavailable(
                "blob_store_unavailable",
                "stored objects cannot be reached; try again",
            ),
            Error::Corrupt(_) => PublicError::new(
                ErrorKind::Internal,
                "database_corrupt",
                "the database is damaged; the operator must restore a backup",
            ),
            Error::Unique(_) => PublicError::conflict("already_exists", "something of that name exists"),
            Error::Statement(_) => return PublicError::internal(error),
        };
        public.because(error)
    }
}
