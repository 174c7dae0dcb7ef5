//! A backup sealed to a public key: whoever makes or keeps it cannot open it.
//!
//! HPKE (RFC 9180) in base mode: X25519, HKDF-SHA-256, ChaCha20-Poly1305. A file is [`MAGIC`], the 32 bytes of the encapsulated
//! key, and pieces of 64 KiB, each sealed as the next message of one context and 16 bytes longer for its tag. The last piece,
//! which may be empty, is sealed with another word beside it, so that no cut goes unnoticed.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use data_encoding::HEXLOWER;
use kernel::Secret;
use rustls::crypto::aws_lc_rs::hpke::DH_KEM_X25519_HKDF_SHA256_CHACHA20_POLY1305 as SUITE;
use rustls::crypto::hpke::{EncapsulatedSecret, Hpke, HpkePrivateKey, HpkePublicKey};

use super::{BackupError, Result};

const MAGIC: &[u8; 16] = b"hearth-sealed-1\n";
const KEY_BYTES: usize = 32;
const PIECE: usize = 64 << 10;
const TAG: usize = 16;
const PUBLIC: &str = "hearth-public-";
const PRIVATE: &str = "hearth-private-";

/// The key that backups are sealed to: `hearth-public-` and 64 hexadecimal digits. No secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(Vec<u8>);

/// The key that opens them: `hearth-private-` and 64 hexadecimal digits.
pub struct PrivateKey(Vec<u8>);

impl PublicKey {
    /// Reads a key.
    pub fn parse(text: &str) -> Option<Self> {
        key_bytes(text, PUBLIC).map(Self)
    }
}

impl PrivateKey {
    /// Reads a key.
    pub fn parse(text: &Secret) -> Option<Self> {
        key_bytes(text.expose(), PRIVATE).map(Self)
    }
}

fn key_bytes(text: &str, kind: &str) -> Option<Vec<u8>> {
    let bytes = HEXLOWER.decode(text.trim().strip_prefix(kind)?.as_bytes()).ok()?;
    (bytes.len() == KEY_BYTES).then_some(bytes)
}

/// Makes a pair: the public key's text, and the private one's.
///
/// # Errors
/// When the system gives no random bytes.
pub fn new_pair() -> Result<(String, Secret)> {
    let (public, private) = SUITE.generate_key_pair().map_err(failed)?;
    let text = |kind: &str, bytes: &[u8]| format!("{kind}{}", HEXLOWER.encode(bytes));
    Ok((text(PUBLIC, &public.0), Secret::new(text(PRIVATE, private.secret_bytes()))))
}

/// Seals a file into a new one that its owner alone may read. Blocks.
///
/// # Errors
/// The file system's.
pub fn seal(from: &Path, into: &Path, to: &PublicKey) -> Result<()> {
    let (enc, mut sealer) = SUITE.setup_sealer(MAGIC, &HpkePublicKey(to.0.clone())).map_err(failed)?;
    copy(from, into, |reader, writer| {
        writer.write_all(MAGIC)?;
        writer.write_all(&enc.0)?;
        pieces(reader, PIECE, |piece, word| {
            writer.write_all(&sealer.seal(word, piece).map_err(std::io::Error::other)?)
        })
    })
}

/// Opens a sealed file into a new one. Blocks; what it wrote before it failed is removed.
///
/// # Errors
/// `Damaged` when the file changed, was cut, or was sealed to another key.
pub fn unseal(from: &Path, into: &Path, with: &PrivateKey) -> Result<()> {
    let opened = copy(from, into, |reader, writer| {
        let (mut magic, mut enc) = ([0; MAGIC.len()], vec![0; KEY_BYTES]);
        reader.read_exact(&mut magic)?;
        reader.read_exact(&mut enc)?;
        let key = HpkePrivateKey::from(with.0.clone());
        let opener = SUITE.setup_opener(&EncapsulatedSecret(enc), &magic, &key);
        let mut opener = opener.map_err(|_| ErrorKind::InvalidData)?;
        pieces(reader, PIECE + TAG, |piece, word| {
            let plain = opener.open(word, piece).map_err(|_| ErrorKind::InvalidData)?;
            writer.write_all(&plain)
        })
    });
    let Err(error) = opened else {
        return Ok(());
    };
    let _ = std::fs::remove_file(into);
    let is_damage =
        |cause: &std::io::Error| matches!(cause.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof);
    Err(match error {
        BackupError::File(_, cause) if is_damage(&cause) => BackupError::damaged(format!(
            "{} changed after it was sealed, or was sealed to another key",
            from.display()
        )),
        error => error,
    })
}

/// Reads one file and writes another; the new one is synced.
fn copy(
    from: &Path,
    into: &Path,
    work: impl FnOnce(&mut BufReader<File>, &mut BufWriter<File>) -> std::io::Result<()>,
) -> Result<()> {
    let mut reader = BufReader::new(File::open(from).map_err(BackupError::at(from))?);
    let file = File::options().write(true).create_new(true).mode(0o600).open(into);
    let mut writer = BufWriter::new(file.map_err(BackupError::at(into))?);
    work(&mut reader, &mut writer).map_err(BackupError::at(into))?;
    writer.flush().and_then(|()| writer.get_ref().sync_all()).map_err(BackupError::at(into))
}

/// Cuts into pieces of `size`, the last with another word than the others.
fn pieces(
    reader: &mut BufReader<File>,
    size: usize,
    mut each: impl FnMut(&[u8], &[u8]) -> std::io::Result<()>,
) -> std::io::Result<()> {
    loop {
        let mut piece = Vec::with_capacity(size);
        reader.by_ref().take(size as u64).read_to_end(&mut piece)?;
        let is_last = reader.fill_buf()?.is_empty();
        each(&piece, if is_last { b"last" } else { b"more" })?;
        if is_last {
            return Ok(());
        }
    }
}

fn failed(error: rustls::Error) -> BackupError {
    BackupError::Refused(format!("the key cannot be used: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> (PublicKey, PrivateKey) {
        let (public, private) = new_pair().unwrap();
        (PublicKey::parse(&public).unwrap(), PrivateKey::parse(&private).unwrap())
    }

    #[test]
    fn what_is_sealed_opens_with_its_key_alone_and_any_change_is_noticed() {
        let (home, (public, private), (_, other)) = (tempfile::tempdir().unwrap(), keys(), keys());
        let at = |name: &str| home.path().join(name);
        for size in [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE] {
            let plain: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
            for name in ["plain", "sealed", "opened", "changed"] {
                let _ = std::fs::remove_file(at(name));
            }
            std::fs::write(at("plain"), &plain).unwrap();
            seal(&at("plain"), &at("sealed"), &public).unwrap();
            let sealed = std::fs::read(at("sealed")).unwrap();
            assert!(size < 64 || !sealed.windows(64).any(|part| part == &plain[..64]));
            unseal(&at("sealed"), &at("opened"), &private).unwrap();
            assert_eq!(std::fs::read(at("opened")).unwrap(), plain);

            let mut changes = vec![sealed[..sealed.len() - 1].to_vec(), [&sealed[..], b"x"].concat()];
            for place in [0, 20, 60, sealed.len() - 1] {
                let mut changed = sealed.clone();
                changed[place] ^= 1;
                changes.push(changed);
            }
            // Cut between two pieces: every piece that is left is whole.
            if sealed.len() > 48 + PIECE + TAG {
                changes.push(sealed[..48 + PIECE + TAG].to_vec());
            }
            for changed in changes {
                std::fs::write(at("changed"), changed).unwrap();
                let seen = unseal(&at("changed"), &at("back"), &private);
                assert!(matches!(seen, Err(BackupError::Damaged(_))), "{seen:?}");
                assert!(!at("back").exists(), "nothing of it stays");
            }
            assert!(matches!(unseal(&at("sealed"), &at("back"), &other), Err(BackupError::Damaged(_))));
        }
    }

    #[test]
    fn keys_are_told_apart() {
        let (public, private) = new_pair().unwrap();
        assert!(PublicKey::parse(&public).is_some() && PrivateKey::parse(&private).is_some());
        assert!(
            PublicKey::parse(private.expose()).is_none(),
            "the secret one is not taken for the public one"
        );
        assert!(PublicKey::parse("hearth-public-12").is_none() && PublicKey::parse("").is_none());
    }
}
