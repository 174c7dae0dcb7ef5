//! Objects by content: large texts and files, on disk or S3.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use kernel::{Micros, TenantId};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path as ObjectPath;
use object_store::{ClientOptions, ObjectMeta, ObjectStore, ObjectStoreExt, RetryConfig};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc::Sender;

use crate::{Error, Result};

/// One request to a bucket, body included; no further try begins after this.
const S3_LIMIT: Duration = Duration::from_secs(10);
/// Reaching a bucket.
const S3_CONNECT_LIMIT: Duration = Duration::from_secs(2);

/// Where objects live. Keys are `<tenant>/<first two>/<sha-256 in hex>`; equal bytes of a tenant are kept once.
#[derive(Clone, Debug)]
pub enum Blobs {
    /// Files below a directory.
    Disk(Arc<PathBuf>),
    /// A bucket.
    S3(Arc<AmazonS3>),
}

/// An S3-compatible bucket.
#[derive(Clone, Debug)]
pub struct S3Config {
    /// `https://host[:port]`.
    pub endpoint: String,
    /// Bucket; must exist.
    pub bucket: String,
    /// Access key.
    pub access_key: kernel::Secret,
    /// Secret key.
    pub secret_key: kernel::Secret,
}

impl Blobs {
    /// Objects below `root`, which is made when first written to.
    pub fn disk(root: impl Into<PathBuf>) -> Self {
        Self::Disk(Arc::new(root.into()))
    }

    /// Objects in a bucket.
    ///
    /// # Errors
    /// Settings that cannot be used.
    pub fn s3(config: &S3Config) -> Result<Self> {
        Ok(Self::S3(Arc::new(bucket(config, S3_LIMIT)?)))
    }

    /// Stores bytes durably and returns their key. Safe to repeat.
    ///
    /// # Errors
    /// `Blob` when the bytes are not safe; nothing half-written can be read.
    pub async fn put(&self, tenant: &TenantId, bytes: Bytes) -> Result<String> {
        let hash = data_hash(&bytes);
        let key = format!("{tenant}/{}/{hash}", &hash[..2]);
        match self {
            Self::Disk(root) => put_file(root, &key, &bytes).await.map_err(file_error)?,
            Self::S3(s3) => {
                s3.put(&ObjectPath::from(key.as_str()), bytes.into()).await.map_err(blob_error)?;
            }
        }
        Ok(key)
    }

    /// Reads an object; `None` when there is none.
    ///
    /// # Errors
    /// `Blob` when it cannot be read, or is not what was stored.
    pub async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        let bytes: Bytes = match self {
            Self::Disk(root) => match tokio::fs::read(root.join(key)).await {
                Ok(bytes) => bytes.into(),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(blob_error(error)),
            },
            Self::S3(s3) => match s3.get(&ObjectPath::from(key)).await {
                Ok(object) => object.bytes().await.map_err(blob_error)?,
                Err(object_store::Error::NotFound { .. }) => return Ok(None),
                Err(error) => return Err(blob_error(error)),
            },
        };
        // Half an object, or a page that some proxy put in its place, is worse than none.
        if !key.ends_with(&data_hash(&bytes)) {
            return Err(Error::Blob(format!("object {key} is not what was stored under its name")));
        }
        Ok(Some(bytes))
    }

    /// Asks for a sign of life: whether the bucket answers a list of nothing. A directory always does.
    ///
    /// # Errors
    /// `Blob` when the bucket is away, unknown or closed to us.
    pub async fn ping(&self) -> Result<()> {
        let Self::S3(s3) = self else { return Ok(()) };
        let nothing = ObjectPath::from(".ping");
        s3.list(Some(&nothing)).next().await.transpose().map(|_| ()).map_err(blob_error)
    }

    /// The keys of objects that were stored before an instant, by the clock of where they lie, in no promised order; on disk
    /// also what a write that was cut off has left. What else lies there, such as backups, is passed over.
    pub fn list_before(&self, before: Micros) -> BoxStream<'_, Result<String>> {
        match self {
            Self::Disk(root) => {
                let (to, from) = tokio::sync::mpsc::channel(1_000);
                let root = root.clone();
                tokio::task::spawn_blocking(move || {
                    if let Err(error) = walk(&root, &root, before, &to) {
                        let _ = to.blocking_send(Err(blob_error(error)));
                    }
                });
                futures::stream::unfold(from, async |mut from| from.recv().await.map(|key| (key, from)))
                    .boxed()
            }
            Self::S3(s3) => {
                let old = move |object: object_store::Result<ObjectMeta>| async move {
                    match object {
                        Ok(object) if object.last_modified.timestamp_micros() >= before.0 => None,
                        Ok(object) => Some(object.location.to_string()).filter(|key| is_key(key)).map(Ok),
                        Err(error) => Some(Err(blob_error(error))),
                    }
                };
                s3.list(None).filter_map(old).boxed()
            }
        }
    }

    /// Removes an object. Safe to repeat.
    ///
    /// # Errors
    /// `Blob` when it may still be there.
    pub async fn remove(&self, key: &str) -> Result<()> {
        match self {
            Self::Disk(root) => match tokio::fs::remove_file(root.join(key)).await {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(blob_error(error)),
                _ => Ok(()),
            },
            Self::S3(s3) => match s3.delete(&ObjectPath::from(key)).await {
                Err(error) if !matches!(error, object_store::Error::NotFound { .. }) => {
                    Err(blob_error(error))
                }
                _ => Ok(()),
            },
        }
    }
}

/// A client of a bucket, with the longest time of one request, its body included.
pub(crate) fn bucket(config: &S3Config, limit: Duration) -> Result<AmazonS3> {
    let options = ClientOptions::new()
        .with_allow_http(config.endpoint.starts_with("http://"))
        .with_timeout(limit)
        .with_connect_timeout(S3_CONNECT_LIMIT);
    let retry = RetryConfig { max_retries: 2, retry_timeout: limit, ..RetryConfig::default() };
    AmazonS3Builder::new()
        .with_endpoint(&config.endpoint)
        .with_client_options(options)
        .with_retry(retry)
        .with_bucket_name(&config.bucket)
        .with_region("us-east-1")
        .with_access_key_id(config.access_key.expose())
        .with_secret_access_key(config.secret_key.expose())
        .build()
        .map_err(blob_error)
}

/// SHA-256 of bytes that come piece by piece.
#[derive(Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// Takes the next bytes in.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash in lower-case hexadecimal.
    pub fn finish(self) -> String {
        data_encoding::HEXLOWER.encode(&self.0.finalize())
    }
}

/// SHA-256 in lower-case hexadecimal.
pub fn data_hash(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Writes beside, syncs, renames, syncs the folders: after a power cut the object is whole or absent.
async fn put_file(root: &Path, key: &str, bytes: &[u8]) -> std::io::Result<()> {
    let path = root.join(key);
    let folder = path.parent().expect("a key has a folder");
    tokio::fs::create_dir_all(folder).await?;
    let beside = folder.join(format!(".{}", kernel::random::token()));
    // Also when the object is there already: a young one is not swept away before a row names it.
    let written = async {
        let mut file = tokio::fs::File::create_new(&beside).await?;
        file.write_all(bytes).await?;
        file.sync_all().await?;
        tokio::fs::rename(&beside, &path).await
    }
    .await;
    if written.is_err() {
        let _ = tokio::fs::remove_file(&beside).await;
    }
    written?;
    // A name lasts once its folder is synced, and so do those of the folders.
    let above = root.parent().unwrap_or(root);
    for folder in folder.ancestors().take_while(|folder| folder.starts_with(above)) {
        tokio::fs::File::open(folder).await?.sync_all().await?;
    }
    Ok(())
}

/// Whether a name is one that [`Blobs::put`] gives: `<tenant>/<two digits>/<hash>`, or that of a file on its way there. A bucket
/// or directory may hold other things, and nobody may take those for objects.
fn is_key(name: &str) -> bool {
    let parts: Vec<&str> = name.split('/').collect();
    let &[tenant, folder, file] = parts.as_slice() else { return false };
    let is_hex = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let is_hash = file.len() == 64 && is_hex(file) && file.starts_with(folder);
    TenantId::parse(tenant).is_ok()
        && folder.len() == 2
        && is_hex(folder)
        && (is_hash || file.starts_with('.'))
}

/// Sends the objects below a folder.
fn walk(root: &Path, folder: &Path, before: Micros, to: &Sender<Result<String>>) -> std::io::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let Ok(key) = entry.path().strip_prefix(root).map(Path::to_owned) else { continue };
        let (depth, is_folder) = (key.components().count(), entry.file_type()?.is_dir());
        if is_folder && depth < 3 {
            walk(root, &entry.path(), before, to)?;
        } else if let (false, Some(key)) = (is_folder, key.to_str().filter(|key| is_key(key))) {
            let stored = entry.metadata()?.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
            if (stored.as_micros() as i64) < before.0 && to.blocking_send(Ok(key.to_owned())).is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// A full disk has its own word.
fn file_error(error: std::io::Error) -> Error {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Error::Full(error.into()),
        _ => blob_error(error),
    }
}

fn blob_error(error: impl std::fmt::Display) -> Error {
    Error::Blob(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_stored_as_an_object_is_taken_for_one() {
        let hash = data_hash(b"bytes");
        let key = format!("acme/{}/{hash}", &hash[..2]);
        assert!(is_key(&key) && is_key(&format!("acme/{}/.half", &hash[..2])));
        let others = [
            "backups/backup_20260131_020000.hearth".to_owned(),
            "backups/20/backup_20260131_020000.hearth".to_owned(),
            "hearth.db".to_owned(),
            "secrets/je/jwt_secret".to_owned(),
            format!("acme/00/{hash}"),
            format!("Acme/{}/{hash}", &hash[..2]),
            format!("deep/acme/{}/{hash}", &hash[..2]),
            format!("acme/{}/{}", &hash[..2], hash.to_uppercase()),
        ];
        for other in others {
            assert!(!is_key(&other), "{other}");
        }
    }
}
