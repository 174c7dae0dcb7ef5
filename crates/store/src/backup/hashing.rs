//! SHA-256 of what passes by.

use std::io::{Read, Write};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// Reads from or writes to `inner`, counting and hashing what passes.
pub(crate) struct Hashing<T> {
    pub(crate) inner: T,
    hash: Sha256,
    /// Bytes so far.
    pub(crate) bytes: u64,
}

impl<T> Hashing<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self { inner, hash: Sha256::new(), bytes: 0 }
    }

    /// The hash in hexadecimal, and what was wrapped.
    pub(crate) fn finish(self) -> (String, T) {
        (HEXLOWER.encode(&self.hash.finalize()), self.inner)
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hash.update(&buffer[..read]);
        self.bytes += read as u64;
        Ok(read)
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, part: &[u8]) -> std::io::Result<usize> {
        let written = self.inner.write(part)?;
        self.hash.update(&part[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

/// Reads to the end; the hash in hexadecimal.
pub(crate) fn hash_of(reader: impl Read) -> std::io::Result<String> {
    let mut hashing = Hashing::new(reader);
    std::io::copy(&mut hashing, &mut std::io::sink())?;
    Ok(hashing.finish().0)
}
