//! Backups on S3, beside the objects of the same bucket: `backups/<name>` and `backups/<name>.verdict`.
//!
//! A backup there is whole by itself: it holds the objects, too, so it survives the loss of what it was made from.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use futures::TryStreamExt;
use object_store::aws::AmazonS3;
use object_store::path::Path as ObjectPath;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt};
use sha2::{Digest, Sha256};
use tokio::io::AsyncReadExt;

use super::folder::{Entry, VERDICT, Verdict, entry_of};
use super::hashing::hash_of;
use super::{BackupError, Progress, Result};
use crate::Error;
use crate::blob::{S3Config, bucket};
use crate::rights::ErasureList;

const FOLDER: &str = "backups";
/// The list of erasures among them.
const ERASURES: &str = "erasures.jsonl";
/// Sent or asked for at once, so that no single request takes long.
const PIECE: usize = 8 << 20;
/// Longest time for one piece: 8 MiB at 70 kB/s.
const PIECE_LIMIT: Duration = Duration::from_mins(2);

/// The backups in a bucket.
#[derive(Clone, Debug)]
pub struct Bucket {
    s3: Arc<AmazonS3>,
    name: String,
}

impl Bucket {
    /// Prepares for a bucket; nothing is sent.
    ///
    /// # Errors
    /// Settings that cannot be used.
    pub fn open(config: &S3Config) -> Result<Self> {
        let s3 = bucket(config, PIECE_LIMIT)?;
        Ok(Self { s3: Arc::new(s3), name: config.bucket.clone() })
    }

    /// How people call a backup there.
    pub fn address(&self, name: &str) -> String {
        format!("s3://{}/{FOLDER}/{name}", self.name)
    }

    /// The backups there, newest first; `path` is their address.
    ///
    /// # Errors
    /// When the bucket cannot be read.
    pub async fn list(&self) -> Result<Vec<Entry>> {
        let objects: Vec<_> =
            self.s3.list(Some(&ObjectPath::from(FOLDER))).try_collect().await.map_err(away)?;
        let mut found = Vec::new();
        for object in objects {
            let name = object.location.filename().unwrap_or_default();
            let Some(mut entry) = entry_of(name, self.address(name).into(), object.size) else {
                continue;
            };
            let verdict = self.verdict(name).await?;
            entry.verdict = verdict.filter(|verdict| verdict.size_bytes == entry.size_bytes);
            found.push(entry);
        }
        found.sort_by(|one, other| other.name.cmp(&one.name));
        Ok(found)
    }

    async fn verdict(&self, name: &str) -> Result<Option<Verdict>> {
        let text = self.small(&format!("{name}{VERDICT}")).await?;
        Ok(text.and_then(|text| serde_json::from_slice(&text).ok()))
    }

    async fn small(&self, name: &str) -> Result<Option<Bytes>> {
        match self.s3.get(&place(name)).await {
            Ok(object) => Ok(Some(object.bytes().await.map_err(away)?)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(away(error)),
        }
    }

    /// Adds what the bucket knows of erasures to the list here; gives the text of all.
    ///
    /// # Errors
    /// As [`ErasureList::join`]; when the bucket cannot be read.
    pub async fn fetch_erasures(&self, list: &ErasureList) -> Result<String> {
        let text = self.small(ERASURES).await?.unwrap_or_default();
        list.join(&String::from_utf8_lossy(&text), &self.address(ERASURES))
    }

    /// Makes the list here and the one in the bucket one, so that a restore where only the bucket is left repeats them all.
    ///
    /// # Errors
    /// As [`Bucket::fetch_erasures`]; when the bucket cannot be written to.
    pub async fn share_erasures(&self, list: &ErasureList) -> Result<()> {
        let all = self.fetch_erasures(list).await?;
        if !all.is_empty() {
            self.s3.put(&place(ERASURES), all.into()).await.map_err(away)?;
        }
        Ok(())
    }

    /// Sends a file under a name and reads it back; nothing of it is there before it is there whole.
    ///
    /// # Errors
    /// `Refused` when the name is taken; `Damaged` when what was read back is not what was sent, which is then removed.
    pub async fn put(&self, path: &Path, name: &str, progress: &Progress) -> Result<()> {
        let (to, address) = (place(name), self.address(name));
        if self.s3.head(&to).await.is_ok() {
            return Err(BackupError::Refused(format!("{address} is there already")));
        }
        let sent = self.send(path, &to).await?;
        let mut back = Sha256::new();
        let read = self.read(&to, |piece| {
            back.update(piece);
            progress.add(piece.len());
            Ok(())
        });
        let read = read.await;
        if read.is_err() || HEXLOWER.encode(&back.finalize()) != sent {
            self.s3.delete(&to).await.map_err(away)?;
            read?;
            return Err(BackupError::damaged(format!("{address} came back as something else")));
        }
        Ok(())
    }

    /// Sends a file in pieces; gives its hash.
    async fn send(&self, path: &Path, to: &ObjectPath) -> Result<String> {
        let hash = File::open(path).and_then(hash_of).map_err(BackupError::at(path))?;
        let mut file = tokio::fs::File::open(path).await.map_err(BackupError::at(path))?;
        let mut upload = self.s3.put_multipart(to).await.map_err(away)?;
        let sent = async {
            loop {
                let mut piece = Vec::with_capacity(PIECE);
                (&mut file)
                    .take(PIECE as u64)
                    .read_to_end(&mut piece)
                    .await
                    .map_err(BackupError::at(path))?;
                if piece.is_empty() {
                    break;
                }
                upload.put_part(piece.into()).await.map_err(away)?;
            }
            upload.complete().await.map(|_| ()).map_err(away)
        };
        if let Err(error) = sent.await {
            // What was sent of it must not be paid for.
            let _ = upload.abort().await;
            return Err(error);
        }
        Ok(hash)
    }

    /// Fetches a backup into a new file that its owner alone may read.
    ///
    /// # Errors
    /// `Refused` when there is none of that name.
    pub async fn get(&self, name: &str, into: &Path) -> Result<()> {
        if entry_of(name, into.to_owned(), 0).is_none() {
            let text = format!("`{name}` is no name of a backup; see hearth backup list --from s3");
            return Err(BackupError::Refused(text));
        }
        let file = File::options().write(true).create_new(true).mode(0o600).open(into);
        let mut file = file.map_err(BackupError::at(into))?;
        self.read(&place(name), |piece| file.write_all(piece).map_err(BackupError::at(into))).await?;
        file.sync_all().map_err(BackupError::at(into))
    }

    /// Length of a backup, bytes.
    ///
    /// # Errors
    /// `Refused` when there is none of that name.
    pub async fn size(&self, name: &str) -> Result<u64> {
        self.size_of(&place(name)).await
    }

    async fn size_of(&self, at: &ObjectPath) -> Result<u64> {
        match self.s3.head(at).await {
            Ok(object) => Ok(object.size),
            Err(object_store::Error::NotFound { .. }) => {
                Err(BackupError::Refused(format!("there is no s3://{}/{at}", self.name)))
            }
            Err(error) => Err(away(error)),
        }
    }

    async fn read(&self, from: &ObjectPath, mut each: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let size = self.size_of(from).await?;
        let mut at = 0;
        while at < size {
            let piece = self.s3.get_range(from, at..size.min(at + PIECE as u64)).await.map_err(away)?;
            at += piece.len() as u64;
            each(&piece)?;
        }
        Ok(())
    }

    /// Keeps what a verification found beside the backup.
    ///
    /// # Errors
    /// When the bucket cannot be written to.
    pub async fn remember(&self, name: &str, verdict: &Verdict) -> Result<()> {
        let text = serde_json::to_vec(verdict).map_err(away)?;
        let put = self.s3.put(&place(&format!("{name}{VERDICT}")), text.into()).await;
        put.map(|_| ()).map_err(away)
    }

    /// Removes a backup and what is known of it. Safe to repeat.
    ///
    /// # Errors
    /// When it may still be there.
    pub async fn remove(&self, name: &str) -> Result<()> {
        for name in [name.to_owned(), format!("{name}{VERDICT}")] {
            match self.s3.delete(&place(&name)).await {
                Err(error) if !matches!(error, object_store::Error::NotFound { .. }) => {
                    return Err(away(error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn place(name: &str) -> ObjectPath {
    ObjectPath::from_iter([FOLDER, name])
}

fn away(error: impl std::fmt::Display) -> BackupError {
    BackupError::Store(Error::Blob(error.to_string()))
}
