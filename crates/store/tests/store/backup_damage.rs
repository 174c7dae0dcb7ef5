//! No damage to a backup goes unnoticed, and no hostile file writes anything.

use std::path::Path;

use store::backup::{Archive, BackupError, Progress};
use testkit::{Home, databases, fill_every_table, homes};

use crate::backup::{back_up, restore_over};

/// A backup of some rows on SQLite, and its home.
async fn backup() -> (Home, Vec<u8>) {
    let [home, _] = homes().await;
    fill_every_table(&home.store, &home.blobs(), 0, 10).await;
    let bytes = std::fs::read(back_up(&home).await).unwrap();
    (home, bytes)
}

fn check(path: &Path, bytes: &[u8]) -> Result<(), BackupError> {
    std::fs::write(path, bytes).unwrap();
    Archive::open(path)?.verify(&Progress::default())
}

fn is_noticed(result: Result<(), BackupError>) -> bool {
    matches!(result, Err(BackupError::Damaged(_)))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_changed_byte_and_every_cut_is_noticed() {
    let (home, bytes) = backup().await;
    let path = home.folder().join("damaged.hearth");
    check(&path, &bytes).expect("the undamaged backup is good");
    // A header, the seal, and some in between.
    let ends = bytes.len() - 2_100..bytes.len();
    for at in (0..512).step_by(23).chain((512..bytes.len() - 2_100).step_by(1_997)).chain(ends.step_by(61)) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        assert!(is_noticed(check(&path, &damaged)), "byte {at} of {}", bytes.len());
    }
    for length in (0..bytes.len()).step_by(5_011).chain([bytes.len() - 1, bytes.len() - 512]) {
        assert!(is_noticed(check(&path, &bytes[..length])), "cut after {length} of {}", bytes.len());
    }
    let longer = [bytes.as_slice(), &[0; 512]].concat();
    assert!(is_noticed(check(&path, &longer)), "something was added");
}

/// Entry names, contents and kinds of a tar, sealed as a backup is.
fn sealed(entries: &[(&str, tar::EntryType, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut add = |name: &str, kind: tar::EntryType, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o600);
        header.set_mtime(0);
        header.set_size(bytes.len() as u64);
        header.set_entry_type(kind);
        let field = &mut header.as_old_mut().name;
        field[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        builder.append(&header, bytes).unwrap();
    };
    for (name, kind, bytes) in entries {
        add(name, *kind, bytes);
    }
    let body = builder.into_inner().unwrap();
    let body = &body[..body.len() - 1_024];
    let seal = store::blob::data_hash(body);
    let mut tail = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o600);
    header.set_mtime(0);
    header.set_size(64);
    tail.append_data(&mut header, "seal", seal.as_bytes()).unwrap();
    [body, &tail.into_inner().unwrap()].concat()
}

type Entries = Vec<(String, Vec<u8>)>;

/// The entries of a good backup.
fn entries(bytes: &[u8]) -> Entries {
    let mut archive = tar::Archive::new(bytes);
    let read = |entry: std::io::Result<tar::Entry<'_, &[u8]>>| {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
        (name, content)
    };
    archive.entries().unwrap().map(read).filter(|(name, _)| name != "seal").collect()
}

fn resealed(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let plain = tar::EntryType::Regular;
    let borrowed: Vec<_> =
        entries.iter().map(|(name, bytes)| (name.as_str(), plain, bytes.as_slice())).collect();
    sealed(&borrowed)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_seal_hides_no_change() {
    let (home, bytes) = backup().await;
    let path = home.folder().join("damaged.hearth");
    let good = entries(&bytes);
    check(&path, &resealed(&good)).expect("the seal of this test is a seal");
    let at = |name: &str| good.iter().position(|(found, _)| found.contains(name)).unwrap();
    let (events, users, last) = (at("events"), at("users"), good.len() - 1);
    let changed = |change: &dyn Fn(&mut Entries)| {
        let mut entries = good.clone();
        change(&mut entries);
        resealed(&entries)
    };
    let text = |from: &str, to: &str| {
        let manifest = String::from_utf8(good[last].1.clone()).unwrap();
        assert!(manifest.contains(from), "{manifest}");
        manifest.replacen(from, to, 1).into_bytes()
    };
    let cases: [(&str, Vec<u8>); 8] = [
        ("a part dropped", changed(&|all| drop(all.remove(events)))),
        ("two parts swapped", changed(&|all| all.swap(events, users))),
        (
            "two contents swapped",
            changed(&|all| {
                let one = all[events].1.clone();
                all[events].1 = std::mem::replace(&mut all[users].1, one);
            }),
        ),
        (
            "a part packed anew without its last row",
            changed(&|all| {
                let lines = zstd::decode_all(all[users].1.as_slice()).unwrap();
                let end = lines[..lines.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap();
                all[users].1 = zstd::encode_all(&lines[..=end], 3).unwrap();
            }),
        ),
        ("a count edited", changed(&|all| all[last].1 = text("\"rows\": 10", "\"rows\": 9"))),
        ("a hash edited", changed(&|all| all[last].1 = text("\"sha256\": \"", "\"sha256\": \"0"))),
        ("a column renamed", changed(&|all| all[last].1 = text("\"username\"", "\"password\""))),
        ("a field added", changed(&|all| all[last].1 = text("{", "{\"x\": 1,"))),
    ];
    for (what, bytes) in cases {
        let [_, target] = databases().await;
        std::fs::write(&path, bytes).unwrap();
        let refused = restore_over(&path, &target).await;
        assert!(matches!(refused, Err(BackupError::Damaged(_))), "{what}: {refused:?}");
    }
    let newer = text("\"003_memory\"", "\"999_later\"");
    std::fs::write(&path, changed(&|all| all[last].1.clone_from(&newer))).unwrap();
    let [target, _] = databases().await;
    let refused = restore_over(&path, &target).await.unwrap_err().to_string();
    assert!(refused.contains("999_later") && refused.contains("newer hearth"), "{refused}");
    let other = text("\"hearth\": \"0.", "\"hearth\": \"7.");
    std::fs::write(&path, changed(&|all| all[last].1.clone_from(&other))).unwrap();
    let refused = restore_over(&path, &target).await.unwrap_err().to_string();
    assert!(refused.contains("made by hearth 7."), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_archives_are_refused_before_anything_is_written() {
    use tar::EntryType;
    let (home, bytes) = backup().await;
    let path = home.folder().join("hostile.hearth");
    let good = entries(&bytes);
    let (_, manifest) = good.last().unwrap();
    let with = |name: &str, kind: EntryType, content: &[u8]| {
        let mut all: Vec<_> =
            good.iter().map(|(name, bytes)| (name.as_str(), EntryType::Regular, bytes.as_slice())).collect();
        all.insert(0, (name, kind, content));
        sealed(&all)
    };
    let cases = [
        ("out of the folder", with("../../etc/cron.d/x", EntryType::Regular, b"x")),
        ("an absolute path", with("/etc/passwd", EntryType::Regular, b"x")),
        ("a link", with("tables/a", EntryType::Symlink, b"")),
        ("a hard link", with("tables/a", EntryType::Link, b"")),
        ("a device", with("tables/a", EntryType::Char, b"")),
        ("a folder", with("tables/", EntryType::Directory, b"")),
        ("a part nobody names", with("tables/extra.jsonl.zst", EntryType::Regular, b"x")),
        ("a manifest alone", sealed(&[("manifest.json", EntryType::Regular, manifest)])),
        ("nothing", sealed(&[])),
        ("something else", b"PK\x03\x04 a zip".to_vec()),
        ("nothing at all", Vec::new()),
    ];
    for (what, bytes) in cases {
        let [target, _] = databases().await;
        target.store.close().await;
        std::fs::write(&path, bytes).unwrap();
        let refused = restore_over(&path, &target).await;
        assert!(matches!(refused, Err(BackupError::Damaged(_))), "{what}: {refused:?}");
        let left: Vec<_> =
            std::fs::read_dir(target.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(left.iter().all(|name| name.to_string_lossy().starts_with("hearth.db")), "{what}: {left:?}");
        assert!(!left.iter().any(|name| name.to_string_lossy().contains("restoring")), "{what}: {left:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bomb_stops_where_the_manifest_ends() {
    let (home, bytes) = backup().await;
    let path = home.folder().join("bomb.hearth");
    let mut all = entries(&bytes);
    let users = all.iter().position(|(name, _)| name.contains("users")).unwrap();
    // 3 GB of one line in some hundred kilobytes; the manifest knows the packed length and not the other.
    let bomb = zstd::encode_all(std::io::Read::take(std::io::repeat(b'a'), 3 << 30), 1).unwrap();
    let old = all[users].1.len();
    let last = all.len() - 1;
    let manifest = String::from_utf8(all[last].1.clone()).unwrap();
    let said = format!("\"stored_bytes\": {old},");
    all[last].1 = manifest.replace(&said, &format!("\"stored_bytes\": {},", bomb.len())).into_bytes();
    all[users].1 = bomb;
    let started = std::time::Instant::now();
    assert!(is_noticed(check(&path, &resealed(&all))));
    assert!(started.elapsed().as_secs() < 3, "it was unpacked for {:?}", started.elapsed());
}
