//! Objects on disk and on S3.

use std::path::Path;

use bytes::Bytes;
use futures::StreamExt;
use kernel::{Clock, Micros, Secret, TenantId};
use store::Blobs;
use store::blob::{S3Config, data_hash};
use testkit::needed;

fn tenant(name: &str) -> TenantId {
    TenantId::parse(name).unwrap()
}

fn s3() -> S3Config {
    S3Config {
        endpoint: needed("HEARTH_TEST_S3_ENDPOINT", "an S3 server, such as http://127.0.0.1:9000"),
        bucket: needed("HEARTH_TEST_S3_BUCKET", "a bucket of the S3 server"),
        access_key: Secret::new(needed("HEARTH_TEST_S3_ACCESS_KEY", "the S3 server's access key")),
        secret_key: Secret::new(needed("HEARTH_TEST_S3_SECRET_KEY", "the S3 server's secret key")),
    }
}

/// Files below a folder, as paths from there.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(folder).unwrap().display().to_string());
            }
        }
    }
    found.sort();
    found
}

/// Unlike any object of another test on the same server.
fn unlike_others(len: usize) -> Bytes {
    let mut bytes = kernel::random::token().into_bytes();
    bytes.resize(len.max(bytes.len()), 0);
    bytes.into()
}

async fn keeps_bytes(blobs: &Blobs) {
    let acme = tenant("acme");
    for bytes in [unlike_others(52), unlike_others(3_000_000)] {
        let key = blobs.put(&acme, bytes.clone()).await.unwrap();
        let hash = data_hash(&bytes);
        assert_eq!(key, format!("acme/{}/{hash}", &hash[..2]));
        assert_eq!(blobs.put(&acme, bytes.clone()).await.unwrap(), key, "safe to repeat");
        assert_eq!(blobs.get(&key).await.unwrap(), Some(bytes.clone()));
        let other = blobs.put(&tenant("zeta"), bytes.clone()).await.unwrap();
        assert_ne!(other, key, "tenants share no object");
        // The clock of a disk or bucket is another than ours.
        for (apart, wanted) in [(-Micros::DAY, false), (Micros::DAY, true)] {
            let before = Clock::system().now().plus(apart);
            let keys: Vec<String> = blobs.list_before(before).map(Result::unwrap).collect().await;
            assert_eq!(keys.contains(&key), wanted, "{apart}");
        }
        blobs.remove(&key).await.unwrap();
        blobs.remove(&key).await.unwrap();
        assert_eq!(blobs.get(&key).await.unwrap(), None);
        assert_eq!(blobs.get(&other).await.unwrap(), Some(bytes));
        blobs.remove(&other).await.unwrap();
    }
    let empty = blobs.put(&acme, Bytes::new()).await.unwrap();
    assert_eq!(blobs.get(&empty).await.unwrap(), Some(Bytes::new()));
}

#[tokio::test]
async fn disk_keeps_bytes_by_content() {
    let folder = tempfile::tempdir().unwrap();
    keeps_bytes(&Blobs::disk(folder.path())).await;
}

#[tokio::test]
async fn s3_keeps_bytes_by_content() {
    keeps_bytes(&Blobs::s3(&s3()).unwrap()).await;
}

#[tokio::test]
async fn s3_refuses_a_wrong_secret_and_says_so() {
    let mut config = s3();
    config.secret_key = Secret::new("not the secret");
    let error = Blobs::s3(&config).unwrap().put(&tenant("acme"), unlike_others(60)).await.unwrap_err();
    assert!(matches!(error, store::Error::Blob(_)), "{error:?}");
    assert_eq!(kernel::Error::from(error).code, "blob_store_unavailable");
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_bytes_written_at_once_leave_one_file_and_nothing_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::disk(folder.path());
    let bytes = unlike_others(200_000);
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (blobs, bytes) = (blobs.clone(), bytes.clone());
        writers.spawn(async move { blobs.put(&tenant("acme"), bytes).await.unwrap() });
    }
    let keys = writers.join_all().await;
    assert_eq!(files(folder.path()), [keys[0].clone()]);
    assert!(keys.iter().all(|key| *key == keys[0]));
    assert_eq!(blobs.get(&keys[0]).await.unwrap(), Some(bytes));
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_an_error_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a file");
    std::fs::write(&file, "in the way").unwrap();
    let error = Blobs::disk(&file).put(&tenant("acme"), unlike_others(60)).await.unwrap_err();
    assert!(matches!(error, store::Error::Blob(_)) && error.is_transient(), "{error:?}");
    assert_eq!(files(folder.path()), ["a file"]);
}
