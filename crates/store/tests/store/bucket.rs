//! Backups in a bucket: what comes back is what was sent, and nothing is there before it is there whole.

use kernel::Micros;
use kernel::Secret;
use store::backup::{Archive, BackupError, Bucket, Progress, Verdict};
use store::blob::S3Config;
use testkit::{homes, needed};

use crate::backup::back_up;

fn config() -> S3Config {
    let given = |name: &str| needed(&format!("HEARTH_TEST_S3_{name}"), "an S3 server");
    S3Config {
        endpoint: given("ENDPOINT"),
        bucket: given("BUCKET"),
        access_key: Secret::new(given("ACCESS_KEY")),
        secret_key: Secret::new(given("SECRET_KEY")),
    }
}

/// A name that no other run uses.
fn name() -> String {
    let digits = u64::from_le_bytes(kernel::random::bytes());
    format!(
        "backup_{}0101_{:02}{:02}{:02}.hearth",
        1000 + digits % 900,
        digits % 24,
        digits % 60,
        (digits >> 8) % 60
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_many_pieces_comes_back_as_it_was_and_its_name_is_taken() {
    let (home, bucket, name) = (tempfile::tempdir().unwrap(), Bucket::open(&config()).unwrap(), name());
    let path = home.path().join(&name);
    let piece: [u8; 1 << 16] = kernel::random::bytes();
    std::fs::write(&path, piece.repeat(330)).unwrap();
    let progress = Progress::default();
    bucket.put(&path, &name, &progress).await.unwrap();
    assert_eq!(progress.rows(), 330 << 16, "every byte was read back");
    let again = bucket.put(&path, &name, &progress).await;
    assert!(matches!(again, Err(BackupError::Refused(what)) if what.contains("there already")));

    let back = home.path().join("back");
    bucket.get(&name, &back).await.unwrap();
    assert!(std::fs::read(&back).unwrap() == std::fs::read(&path).unwrap());
    let verdict = Verdict { verified_at: Micros(0), is_deep: true, problem: None, size_bytes: 330 << 16 };
    bucket.remember(&name, &verdict).await.unwrap();
    let listed = bucket.list().await.unwrap();
    let entry = listed.iter().find(|entry| entry.name == name).unwrap();
    assert_eq!((entry.size_bytes, entry.verdict.as_ref()), (330 << 16, Some(&verdict)));
    for _ in 0..2 {
        bucket.remove(&name).await.unwrap();
    }
    assert!(bucket.list().await.unwrap().iter().all(|entry| entry.name != name));
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_in_the_bucket_is_found_and_a_bucket_that_is_away_is_said_to_be() {
    let [home, _] = homes().await;
    let good = back_up(&home).await;
    let (bucket, name) = (Bucket::open(&config()).unwrap(), name());
    let (damaged, back) = (home.folder().join(&name), home.folder().join("back"));
    let mut bytes = std::fs::read(&good).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&damaged, bytes).unwrap();
    bucket.put(&damaged, &name, &Progress::default()).await.unwrap();
    bucket.get(&name, &back).await.unwrap();
    let seen = Archive::open(&back).and_then(|archive| archive.verify(&Progress::default()));
    assert!(matches!(seen, Err(BackupError::Damaged(_))), "{seen:?}");
    bucket.remove(&name).await.unwrap();

    let nobody = S3Config { endpoint: "http://127.0.0.1:9".to_owned(), ..config() };
    let bucket = Bucket::open(&nobody).unwrap();
    assert!(matches!(bucket.put(&good, &name, &Progress::default()).await, Err(BackupError::Store(_))));
    assert!(bucket.list().await.is_err());
}
