//! The proof of an erasure that a stranger can check: a statement signed with Ed25519 (RFC 8032).

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use data_encoding::{BASE64, HEXLOWER};
use kernel::{Error, Micros, Result, Secret};
use serde::{Deserialize, Serialize};

use super::{Counts, Subject};

/// What is certified. Its signed text is this struct as JSON without spaces, in the order of these fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// 1.
    pub format: u32,
    /// `era_…`
    pub erasure_id: String,
    /// Tenant.
    pub tenant_id: String,
    /// Kind of the subject.
    pub kind: String,
    /// Salt of the hash.
    pub salt: String,
    /// The subject, see [`Subject::digest`].
    pub subject_hash: String,
    /// When it was asked for.
    pub requested_at: Micros,
    /// When everything was gone.
    pub completed_at: Micros,
    /// Rows by table.
    pub tables: BTreeMap<String, Counts>,
    /// SHA-256 of the objects removed.
    pub objects: BTreeSet<String>,
    /// By when the last backup that was made before is gone, by the rotation of that day; absent when none is kept for a
    /// known time.
    pub backups_expire_by: Option<Micros>,
}

/// A statement with its signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// What is certified.
    pub statement: Statement,
    /// Ed25519 public key, base 64. Compare it with one that the server's operator gave you.
    pub public_key: String,
    /// Signature, base 64.
    pub signature: String,
}

/// Signs certificates.
pub struct Signer(Ed25519KeyPair);

impl Signer {
    /// A new key, as the text that [`Signer::new`] takes.
    pub fn make_key() -> Secret {
        Secret::new(HEXLOWER.encode(&kernel::random::bytes::<32>()))
    }

    /// A signer with a key of [`Signer::make_key`].
    ///
    /// # Errors
    /// `internal` for a text that is none.
    pub fn new(key: &Secret) -> Result<Self> {
        let seed = HEXLOWER.decode(key.expose().as_bytes()).map_err(Error::internal)?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed)
            .map_err(|_| Error::internal("the key of certificates is damaged"))?;
        Ok(Self(pair))
    }

    /// The public key, base 64.
    pub fn public_key(&self) -> String {
        BASE64.encode(self.0.public_key().as_ref())
    }

    /// Signs a statement.
    pub fn sign(&self, statement: Statement) -> Certificate {
        let signature = BASE64.encode(self.0.sign(&signed_text(&statement)).as_ref());
        Certificate { statement, public_key: self.public_key(), signature }
    }
}

impl Certificate {
    /// Whether the statement is word for word what the key signed.
    pub fn is_genuine(&self) -> bool {
        let bytes = |text: &str| BASE64.decode(text.as_bytes()).unwrap_or_default();
        let key = UnparsedPublicKey::new(&ED25519, bytes(&self.public_key));
        key.verify(&signed_text(&self.statement), &bytes(&self.signature)).is_ok()
    }

    /// Whether it is about `subject`.
    pub fn is_about(&self, subject: &Subject) -> bool {
        subject.digest(&self.statement.salt) == self.statement.subject_hash
    }
}

fn signed_text(statement: &Statement) -> Vec<u8> {
    serde_json::to_vec(statement).expect("a statement is JSON")
}

#[cfg(test)]
mod tests {
    use kernel::TenantId;

    use super::super::Who;
    use super::*;

    fn certificate() -> (Certificate, Subject) {
        let who = Who::Owner("ana".to_owned());
        let subject = Subject { tenant: TenantId::parse("acme").unwrap(), who };
        let counts = Counts { before: 3, removed: 3, after: 0 };
        let statement = Statement {
            format: 1,
            erasure_id: "era_1".to_owned(),
            tenant_id: "acme".to_owned(),
            kind: "owner".to_owned(),
            salt: "salt".to_owned(),
            subject_hash: subject.digest("salt"),
            requested_at: Micros(1),
            completed_at: Micros(2),
            tables: BTreeMap::from([("events".to_owned(), counts)]),
            objects: BTreeSet::from(["aa".to_owned()]),
            backups_expire_by: Some(Micros(3)),
        };
        (Signer::new(&Signer::make_key()).unwrap().sign(statement), subject)
    }

    #[test]
    fn a_certificate_survives_its_file_and_names_its_subject() {
        let (made, subject) = certificate();
        let file = serde_json::to_string_pretty(&made).unwrap();
        let read: Certificate = serde_json::from_str(&file).unwrap();
        assert!(read.is_genuine() && read.is_about(&subject));
        assert!(!read.is_about(&Subject { who: Who::Owner("ben".to_owned()), ..subject }));
        assert!(!file.contains("ana"));
    }

    #[test]
    fn a_certificate_that_was_changed_anywhere_is_not_genuine() {
        let (made, _) = certificate();
        let file = serde_json::to_string(&made).unwrap();
        let mut accepted = Vec::new();
        for at in 0..file.len() {
            let mut other = file.clone().into_bytes();
            other[at] = if other[at] == b'7' { b'8' } else { b'7' };
            if let Ok(read) = serde_json::from_slice::<Certificate>(&other)
                && read.is_genuine()
            {
                accepted.push(at);
            }
        }
        assert_eq!(accepted, Vec::<usize>::new());
        let other = Signer::new(&Signer::make_key()).unwrap();
        assert!(!Certificate { public_key: other.public_key(), ..made }.is_genuine());
    }
}
