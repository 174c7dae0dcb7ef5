//! Sealing of the few secrets that must be read back: AES-256-GCM under `ENCRYPTION_KEY`.
//!
//! Each sealed value names its key, has a nonce of its own (96 random bits: good for 2^32 values under one key, NIST SP
//! 800-38D §8.3), and is bound to its table, column, tenant and row, so that it opens nowhere else.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use kernel::{Error, ErrorKind, Result, Secret};

use crate::blob::data_hash;

/// First byte of every sealed value.
const FORM: u8 = 1;

/// Where a sealed value lies. It opens only there.
#[derive(Clone, Copy, Debug)]
pub struct Place<'p> {
    /// Table.
    pub table: &'static str,
    /// Column.
    pub column: &'static str,
    /// The row's tenant.
    pub tenant: &'p str,
    /// The row's id within its tenant.
    pub row: &'p str,
}

impl Place<'_> {
    /// Each part with its length before it, so that no two places have one text.
    fn aad(&self) -> Vec<u8> {
        let parts = [self.table, self.column, self.tenant, self.row];
        parts.iter().flat_map(|part| [&(part.len() as u64).to_le_bytes(), part.as_bytes()].concat()).collect()
    }
}

/// A sealed value and the key that opens it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// 16 hexadecimal digits.
    pub key_id: String,
    /// Form, nonce, ciphertext and tag.
    pub bytes: Vec<u8>,
}

struct Key {
    id: String,
    aead: LessSafeKey,
}

impl Key {
    fn new(secret: &Secret) -> Self {
        let extracted = Salt::new(HKDF_SHA256, b"hearth sealing 1").extract(secret.expose().as_bytes());
        let material = extracted.expand(&[b"aes-256-gcm"], &AES_256_GCM).expect("32 bytes are not too many");
        let id = data_hash(format!("hearth sealing key id {}", secret.expose()).as_bytes());
        Self { id: id[..16].to_owned(), aead: LessSafeKey::new(UnboundKey::from(material)) }
    }
}

/// The key that seals, and the one before it, which still opens during a rotation.
pub struct Keyring {
    current: Key,
    previous: Option<Key>,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let previous = self.previous.as_ref().map(|key| &key.id);
        f.debug_struct("Keyring").field("current", &self.current.id).field("previous", &previous).finish()
    }
}

impl Keyring {
    /// Keys derived from `ENCRYPTION_KEY` and `ENCRYPTION_KEY_PREVIOUS`.
    pub fn new(current: &Secret, previous: Option<&Secret>) -> Self {
        Self { current: Key::new(current), previous: previous.map(Key::new) }
    }

    /// Names the key that seals.
    pub fn current_id(&self) -> &str {
        &self.current.id
    }

    /// Whether a value sealed under `key_id` can be opened.
    pub fn knows(&self, key_id: &str) -> bool {
        self.find(key_id).is_some()
    }

    fn find(&self, key_id: &str) -> Option<&Key> {
        std::iter::once(&self.current).chain(&self.previous).find(|key| key.id == key_id)
    }

    /// Seals `plain` for one place, under the current key.
    ///
    /// # Errors
    /// `internal` for more than 64 GiB.
    pub fn seal(&self, place: Place<'_>, plain: &[u8]) -> Result<Sealed> {
        let nonce = kernel::random::bytes::<NONCE_LEN>();
        let mut body = plain.to_vec();
        self.current
            .aead
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place.aad()), &mut body)
            .map_err(|_| Error::internal("a value could not be sealed"))?;
        let bytes = [&[FORM][..], &nonce, &body].concat();
        Ok(Sealed { key_id: self.current.id.clone(), bytes })
    }

    /// Opens what was sealed for the same place.
    ///
    /// # Errors
    /// `sealing_key_missing` when its key is neither of ours; `sealed_value_altered` when it was changed or moved.
    pub fn open(&self, place: Place<'_>, sealed: &Sealed) -> Result<Vec<u8>> {
        let Some(key) = self.find(&sealed.key_id) else {
            return Err(missing(&sealed.key_id));
        };
        let altered = || {
            let text = "a stored secret was changed or moved since it was sealed; put it in again";
            Error::new(ErrorKind::Internal, "sealed_value_altered", text)
        };
        let rest = sealed.bytes.strip_prefix(&[FORM]).ok_or_else(altered)?;
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>().ok_or_else(altered)?;
        let mut body = body.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let plain =
            key.aead.open_in_place(nonce, Aad::from(place.aad()), &mut body).map_err(|_| altered())?;
        Ok(plain.to_vec())
    }
}

fn missing(key_id: &str) -> Error {
    let text = format!(
        "a stored secret is sealed under encryption key {key_id}, which this server does not have; \
         set ENCRYPTION_KEY_PREVIOUS to that key and run hearth secrets reseal"
    );
    Error::new(ErrorKind::Internal, "sealing_key_missing", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyring(current: &str, previous: Option<&str>) -> Keyring {
        Keyring::new(&Secret::new(current), previous.map(Secret::new).as_ref())
    }

    const PLACE: Place<'_> = Place { table: "t", column: "c", tenant: "acme", row: "r" };

    #[test]
    fn a_value_opens_in_its_place_and_nowhere_else() {
        let ring = keyring("one key of thirty-two characters", None);
        let sealed = ring.seal(PLACE, b"hunter2").unwrap();
        assert_eq!(ring.open(PLACE, &sealed).unwrap(), b"hunter2");
        let text = String::from_utf8_lossy(&sealed.bytes).into_owned();
        assert!(!text.contains("hunter2"));
        let elsewhere = [
            Place { table: "u", ..PLACE },
            Place { column: "d", ..PLACE },
            Place { tenant: "other", ..PLACE },
            Place { row: "s", ..PLACE },
            Place { tenant: "acm", row: "er", ..PLACE },
        ];
        for place in elsewhere {
            assert_eq!(ring.open(place, &sealed).unwrap_err().code, "sealed_value_altered", "{place:?}");
        }
    }

    #[test]
    fn every_changed_bit_is_noticed_and_no_two_seals_are_alike() {
        let ring = keyring("one key of thirty-two characters", None);
        let sealed = ring.seal(PLACE, b"hunter2").unwrap();
        for bit in 0..sealed.bytes.len() * 8 {
            let mut other = sealed.clone();
            other.bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(ring.open(PLACE, &other).unwrap_err().code, "sealed_value_altered", "bit {bit}");
        }
        for length in 0..sealed.bytes.len() {
            let other = Sealed { bytes: sealed.bytes[..length].to_vec(), ..sealed.clone() };
            assert!(ring.open(PLACE, &other).is_err(), "{length} bytes");
        }
        assert_ne!(ring.seal(PLACE, b"hunter2").unwrap().bytes, sealed.bytes);
    }

    #[test]
    fn the_previous_key_opens_until_it_goes_and_the_error_names_it() {
        let (old, new) = ("the old key of 32 characters or so", "the new key of 32 characters or so");
        let sealed = keyring(old, None).seal(PLACE, b"x").unwrap();
        assert_eq!(keyring(new, Some(old)).open(PLACE, &sealed).unwrap(), b"x");
        assert_ne!(keyring(new, Some(old)).seal(PLACE, b"x").unwrap().key_id, sealed.key_id);
        let error = keyring(new, None).open(PLACE, &sealed).unwrap_err();
        assert_eq!(error.code, "sealing_key_missing");
        assert!(error.public.contains(&sealed.key_id) && error.public.contains("ENCRYPTION_KEY_PREVIOUS"));
        assert!(!format!("{:?}", keyring(new, Some(old))).contains("characters"), "Debug tells ids alone");
    }
}
