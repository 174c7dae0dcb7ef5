//! Backups on S3: sent after they were made here, and fetched to be looked at or restored.

use std::path::{Path, PathBuf};

use store::backup::{self, BackupError, Bucket, Entry, PrivateKey, Progress, SEALED, take_folder};
use store::rights::ErasureList;
use tokio::task::spawn_blocking;

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

    /// The bucket that a server keeps its shelf in, too, if `BACKUP_TO_S3` says so.
    ///
    /// # Errors
    /// Settings that cannot be used.
    pub(crate) fn of(shelf: &Shelf) -> Result<Option<Self>, BackupError> {
        let bucket = shelf.config.bucket.as_ref().map(Bucket::open).transpose()?;
        Ok(bucket.map(|bucket| Self::new(bucket, shelf.clone())))
    }

    /// Makes the list of erasures here and the one in the bucket one.
    ///
    /// # Errors
    /// As [`Bucket::share_erasures`].
    pub(crate) async fn share_erasures(&self) -> Result<(), BackupError> {
        self.bucket.share_erasures(&ErasureList::beside(&self.shelf.config.folder)).await
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
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some(key) = self.shelf.config.public_key.clone() else {
            return self.put(path, &name, progress).await;
        };
        let name = format!("{name}{SEALED}");
        let _folder = take_folder(&self.shelf.config.folder)?;
        let sealed = self.beside(&name);
        need_room(&self.shelf.config.folder, path.metadata().map_or(0, |file| file.len()))?;
        let (from, into) = (path.to_owned(), sealed.path.clone());
        let sealing = spawn_blocking(move || backup::seal(&from, &into, &key));
        sealing.await.expect("sealing does not panic")?;
        self.put(&sealed.path, &name, progress).await
    }

    async fn put(&self, path: &Path, name: &str, progress: &Progress) -> Result<String, BackupError> {
        self.bucket.put(path, name, progress).await?;
        self.share_erasures().await?;
        self.judge(name, false, &Ok(())).await?;
        Ok(self.bucket.address(name))
    }

    /// A file of ours beside the backups. `.part`: what a killed command leaves is removed by whoever takes the folder next.
    fn beside(&self, name: &str) -> Fetched {
        Fetched { path: self.shelf.config.folder.join(format!(".{name}.part")) }
    }

    /// What is there, newest first.
    ///
    /// # Errors
    /// When the bucket cannot be read.
    pub(crate) async fn list(&self) -> Result<Vec<Entry>, BackupError> {
        self.bucket.list().await
    }

    /// Fetches a backup into the folder of the backups, where there must be room, and what was erased since. The caller
    /// holds the folder.
    ///
    /// # Errors
    /// `NoRoom`; `Refused` for a sealed one without its key; as [`Bucket::get`] and [`backup::unseal`].
    pub(crate) async fn fetch(&self, name: &str, key: Option<PrivateKey>) -> Result<Fetched, BackupError> {
        let plain = name.strip_suffix(SEALED);
        if plain.is_some() && key.is_none() {
            let text = format!("{name} is sealed; name the file of its private key with --key");
            return Err(BackupError::Refused(text));
        }
        let listed = self.list().await?;
        let size = listed.iter().find(|entry| entry.name == name).map_or(0, |entry| entry.size_bytes);
        let folder = self.shelf.config.folder.as_path();
        need_room(folder, if plain.is_some() { size * 2 } else { size })?;
        let fetched = self.beside(name);
        self.bucket.get(name, &fetched.path).await?;
        self.bucket.fetch_erasures(&ErasureList::beside(folder)).await?;
        let Some((plain, key)) = plain.zip(key) else {
            return Ok(fetched);
        };
        let opened = self.beside(plain);
        let (from, into) = (fetched.path.clone(), opened.path.clone());
        let opening = spawn_blocking(move || backup::unseal(&from, &into, &key));
        opening.await.expect("opening does not panic")?;
        Ok(opened)
    }

    /// Fetches a backup and looks at it as [`Shelf::verify`] does; the verdict is kept beside it in the bucket.
    ///
    /// # Errors
    /// `Damaged` when it is not good.
    pub(crate) async fn verify(
        &self,
        name: &str,
        key: Option<PrivateKey>,
        deep: bool,
    ) -> Result<String, BackupError> {
        let is_dump = is_dump(Path::new(name.strip_suffix(SEALED).unwrap_or(name)));
        // One that does not open says nothing of itself: it may be the wrong key.
        let fetched = self.fetch(name, key).await?;
        let result = self.shelf.look(fetched.path(), is_dump, deep).await;
        if matches!(result, Ok(()) | Err(BackupError::Damaged(_))) {
            self.judge(name, deep && !is_dump, &result).await?;
        }
        result.map(|()| self.bucket.address(name))
    }

    async fn judge(
        &self,
        name: &str,
        is_deep: bool,
        result: &Result<(), BackupError>,
    ) -> Result<(), BackupError> {
        let size_bytes = self.bucket.size(name).await?;
        self.bucket.remember(name, &self.shelf.verdict(size_bytes, is_deep, result)).await
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
