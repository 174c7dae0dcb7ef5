//! Random rounds of backup, damage and restore: `cargo bench -p store --bench backups -- --rounds 100`.
//!
//! Each round adds rows, backs up, damages a copy in one of seven ways that must be reported, restores the good one over a
//! database that has moved on, and compares every row. Prints a line per engine, and speeds.

#![allow(clippy::print_stdout, reason = "a figure is printed")]

use std::path::Path;
use std::time::{Duration, Instant};

use store::backup::{
    Archive, BackupError, Create, DatabaseHash, Progress, content_hash, create, restore, verify_deep,
};
use store::{Store, StoreConfig};
use testkit::{Home, clock, fill_every_table, homes};

/// How a round damages a copy of a good backup.
const DAMAGES: [&str; 7] = [
    "a flipped bit",
    "a cut",
    "added bytes",
    "a zeroed block",
    "two swapped blocks",
    "a dropped block",
    "an older end",
];

#[derive(Default)]
struct Tally {
    rounds: usize,
    noticed: usize,
    equal: usize,
    rows: u64,
    bytes: u64,
    backing_up: Duration,
    restoring: Duration,
}

#[tokio::main]
async fn main() {
    let rounds = argument("--rounds").unwrap_or(5);
    for home in homes().await {
        let mut tally = Tally::default();
        let mut previous = Vec::new();
        for round in 0..rounds {
            one(&home, round, &mut previous, &mut tally).await;
            eprint!("\r{}: {} of {rounds}", home.name, round + 1);
        }
        let speed = |took: Duration| {
            let seconds = took.as_secs_f64();
            format!(
                "{:.1} MB/s, {:.0} rows/s",
                tally.bytes as f64 / 1e6 / seconds,
                tally.rows as f64 / seconds
            )
        };
        println!(
            "\r{}: {} rounds, {} damages noticed, {} restores equal; backup and proof {}, restore and proof {}",
            home.name,
            tally.rounds,
            tally.noticed,
            tally.equal,
            speed(tally.backing_up),
            speed(tally.restoring)
        );
        assert_eq!((tally.noticed, tally.equal), (rounds, rounds));
    }
}

fn argument(name: &str) -> Option<usize> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    arguments.nth(1)?.parse().ok()
}

async fn one(home: &Home, round: usize, previous: &mut Vec<u8>, tally: &mut Tally) {
    let store = home.open_again().await;
    fill_every_table(&store, &home.blobs(), round * 20, 10).await;
    let folder = home.folder().join("backups");
    let _ = std::fs::remove_dir_all(&folder);
    let before = hash(&store).await;
    let started = Instant::now();
    let blobs = home.blobs();
    let what = Create {
        store: &store,
        blobs: &blobs,
        folder: &folder,
        now: clock().now(),
        progress: Progress::default(),
    };
    let (path, manifest) = create(what).await.expect("a backup can be made");
    tally.backing_up += started.elapsed();
    (tally.rows, tally.bytes) = (tally.rows + manifest.rows(), tally.bytes + manifest.bytes());

    let good = std::fs::read(&path).expect("the backup can be read");
    let damaged = folder.join("damaged.hearth");
    std::fs::write(&damaged, damage(&good, previous, round)).expect("a copy can be written");
    let seen = check(&damaged, &home.folder().join("scratch.db")).await;
    tally.noticed += usize::from(matches!(seen, Err(BackupError::Damaged(_))));
    if seen.is_ok() {
        eprintln!("\n{} went unnoticed in round {round}", DAMAGES[round % DAMAGES.len()]);
    }
    *previous = good;

    // The database moves on, and is brought back.
    fill_every_table(&store, &home.blobs(), round * 20 + 10, 10).await;
    store.close().await;
    let started = Instant::now();
    let finish = async |_: &Store| Ok::<(), BackupError>(());
    let target = StoreConfig::new(home.url.clone());
    let archive = Archive::open(&path).expect("the good one opens");
    restore(archive, &target, &home.blobs(), &clock(), &Progress::default(), finish)
        .await
        .expect("it restores");
    tally.restoring += started.elapsed();
    let restored = home.open_again().await;
    tally.equal += usize::from(hash(&restored).await == before);
    restored.close().await;
    tally.rounds += 1;
    forget_aside(home).await;
}

async fn hash(store: &Store) -> DatabaseHash {
    content_hash(store, &Progress::default()).await.expect("a database can be hashed")
}

async fn check(path: &Path, scratch: &Path) -> Result<(), BackupError> {
    verify_deep(Archive::open(path)?, scratch, &clock()).await
}

fn damage(good: &[u8], previous: &[u8], round: usize) -> Vec<u8> {
    let mut bytes = good.to_vec();
    let chance = usize::from_le_bytes(kernel::random::bytes());
    let blocks = bytes.len() / 512;
    let block = chance % (blocks - 8);
    let far = block + 4;
    match round % DAMAGES.len() {
        0 => bytes[chance % good.len()] ^= 1 << (round % 8),
        1 => bytes.truncate(chance % good.len()),
        2 => bytes.extend_from_slice(&[0; 1_024]),
        3 => bytes[block * 512..][..512].iter_mut().for_each(|byte| *byte = !*byte),
        4 => {
            let (one, other) = bytes.split_at_mut(far * 512);
            one[block * 512..][..512].swap_with_slice(&mut other[..512]);
        }
        5 => drop(bytes.drain(block * 512..(block + 1) * 512)),
        _ if previous.len() > 4_096 => {
            let end = bytes.len();
            bytes[end - 2_048..].copy_from_slice(&previous[previous.len() - 2_048..]);
        }
        _ => bytes.truncate(good.len() / 2),
    }
    bytes
}

/// What a restore put aside is not needed here.
async fn forget_aside(home: &Home) {
    for entry in std::fs::read_dir(home.folder()).expect("the home can be read").flatten() {
        if entry.file_name().to_string_lossy().starts_with("before_") {
            let _ = std::fs::remove_file(entry.path());
        }
    }
    if home.engine == store::Engine::Postgres {
        let store = home.open_again().await;
        let dropped = store.write("bench.forget", store::Reach::Everyone, |tx| {
            Box::pin(
                async move { Ok(tx.batch("DROP SCHEMA IF EXISTS before_20260131_120000 CASCADE").await?) },
            )
        });
        dropped.await.expect("the old schema goes");
        store.close().await;
    }
}
