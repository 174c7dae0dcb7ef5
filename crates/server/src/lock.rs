//! One server per embedded database: a lock on a file that names its holder.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};

use crate::config::Config;

/// Held for as long as the process serves; the operating system lets go when it dies.
pub(crate) struct DataLock(#[allow(dead_code, reason = "the lock lives as long as the open file")] File);

/// Why the lock was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum LockError {
    /// Another server holds it; its process id if it could be read.
    Held(Option<u32>),
    /// The file cannot be used.
    Io(String),
}

/// Takes the lock of an embedded database, a file beside it, and writes our process id into it.
///
/// # Errors
/// [`LockError`].
pub(crate) fn take(config: &Config) -> Result<DataLock, LockError> {
    let io = |error: std::io::Error| LockError::Io(error.to_string());
    let database = config.database.store.sqlite_path().unwrap_or_else(|| config.data_dir.join("hearth.db"));
    let path = database.with_extension("lock");
    let mut file =
        File::options().read(true).write(true).create(true).truncate(false).open(path).map_err(io)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let _ = file.read_to_string(&mut text);
            return Err(LockError::Held(text.trim().parse().ok()));
        }
        Err(TryLockError::Error(error)) => return Err(io(error)),
    }
    file.set_len(0).and_then(|()| file.rewind()).map_err(io)?;
    write!(file, "{}", std::process::id()).map_err(io)?;
    Ok(DataLock(file))
}
