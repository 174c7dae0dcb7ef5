//! Backups on S3: sent after they were made here, and fetched to be looked at or restored.

use std::path::{Path, PathBuf};

use store::backup::{BackupError, Bucket, Entry, Progress};

use crate::backups::{Shelf, is_dump, need_room};

/// The backups in a bucket, judged and pruned by the rules of the folder.
pub(crate) struct Offsite {
    bucket: Bucket,
    shelf: Shelf,
}

/// A backup that was fetched; its file goes with it.
pub(crate) struct Fetched {
    path: PathBuf,
}

impl Fetched {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Fetched {
    fn drop(&mut self) {
        // Nothing but a file that is fetched again stays behind.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Offsite {
    pub(crate) fn new(bucket: Bucket, shelf: Shelf) -> Self {
        Self { bucket, shelf }
    }

    /// How people call a backup there.
    pub(crate) fn address(&self, name: &str) -> String {
        self.bucket.address(name)
    }

    /// Sends a backup that was verified here; gives its address.
    ///
    /// # Errors
    /// As [`Bucket::put`].
    pub(crate) async fn send(&self, path: &Path, progress: &Progress) -> Result<String, BackupError> {
        let name = self.bucket.put(path, progress).await?;
        self.judge(&name, path, false, &Ok(())).await?;
        Ok(self.bucket.address(&name))
    }

    /// What is there, newest first.
    ///
    /// # Errors
    /// When the bucket cannot be read.
    pub(crate) async fn list(&self) -> Result<Vec<Entry>, BackupError> {
        self.bucket.list().await
    }

    /// Fetches a backup into the folder of the backups, where there must be room. The caller holds the folder.
    ///
    /// # Errors
    /// `NoRoom`; as [`Bucket::get`].
    pub(crate) async fn fetch(&self, name: &str) -> Result<Fetched, BackupError> {
        let listed = self.list().await?;
        let size = listed.iter().find(|entry| entry.name == name).map_or(0, |entry| entry.size_bytes);
        let folder = self.shelf.config.folder.as_path();
        need_room(folder, size)?;
        // `.part`: what a killed fetch leaves is removed by whoever takes the folder next.
        let fetched = Fetched { path: folder.join(format!(".{name}.part")) };
        self.bucket.get(name, &fetched.path).await?;
        Ok(fetched)
    }

    /// Fetches a backup and looks at it as [`Shelf::verify`] does; the verdict is kept beside it in the bucket.
    ///
    /// # Errors
    /// `Damaged` when it is not good.
    pub(crate) async fn verify(&self, name: &str, deep: bool) -> Result<String, BackupError> {
        let fetched = self.fetch(name).await?;
        let result = self.shelf.look(fetched.path(), is_dump(Path::new(name)), deep).await;
        if matches!(result, Ok(()) | Err(BackupError::Damaged(_))) {
            self.judge(name, fetched.path(), deep, &result).await?;
        }
        result.map(|()| self.bucket.address(name))
    }

    async fn judge(
        &self,
        name: &str,
        path: &Path,
        is_deep: bool,
        result: &Result<(), BackupError>,
    ) -> Result<(), BackupError> {
        let verdict = self.shelf.verdict(path, is_deep && !is_dump(Path::new(name)), result);
        self.bucket.remember(name, &verdict).await
    }

    /// Removes what need not stay, or only names it.
    ///
    /// # Errors
    /// When the bucket cannot be changed.
    pub(crate) async fn prune(&self, is_dry: bool) -> Result<(Vec<Entry>, usize), BackupError> {
        let all = self.list().await?;
        let gone = self.shelf.superfluous(&all);
        if !is_dry {
            for entry in &gone {
                self.bucket.remove(&entry.name).await?;
            }
        }
        Ok((gone, all.len()))
    }
}
