//! One holder at a time: a lock on a file that names who holds it.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

/// Held until dropped; the operating system lets go when the process dies.
pub struct FileLock(#[allow(dead_code, reason = "the lock lives as long as the open file")] File);

/// Why the lock was not taken.
#[derive(Debug, PartialEq, Eq)]
pub enum LockError {
    /// Another process holds it; its process id if it could be read.
    Held(Option<u32>),
    /// The file cannot be used.
    Io(String),
}

/// Takes the lock of a file, which is made if missing, and writes our process id into it.
///
/// # Errors
/// [`LockError`].
pub fn take(path: &Path) -> Result<FileLock, LockError> {
    let io = |error: std::io::Error| LockError::Io(error.to_string());
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
    Ok(FileLock(file))
}
