//! Whom a right is about.

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use data_encoding::HEXLOWER;
use kernel::TenantId;

/// Whose data, within a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// One conversation of one owner of memories.
    Session {
        /// The owner.
        user_id: String,
        /// The conversation.
        session_id: String,
    },
    /// All memories of one owner; owners are the callers' own words and need no account.
    Owner(String),
    /// A person with an account: the account, and all memories that it owns. `usr_…`.
    Person(String),
    /// All memories of the tenant.
    Memory,
    /// The tenant and everything in it but its audit log.
    Tenant,
}

/// Whose data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The tenant that it is in.
    pub tenant: TenantId,
    /// Whose, within it.
    pub who: Who,
}

impl Subject {
    /// Puts the columns of a row together; `None` when they are none of a subject's.
    pub fn of(
        tenant: TenantId,
        kind: &str,
        user_id: Option<String>,
        session_id: Option<String>,
    ) -> Option<Self> {
        let who = match (kind, user_id, session_id) {
            ("session", Some(user_id), Some(session_id)) => Who::Session { user_id, session_id },
            ("owner", Some(user_id), _) => Who::Owner(user_id),
            ("person", Some(user_id), _) => Who::Person(user_id),
            ("memory", _, _) => Who::Memory,
            ("tenant", _, _) => Who::Tenant,
            _ => return None,
        };
        Some(Self { tenant, who })
    }

    /// `session`, `owner`, `person`, `memory` or `tenant`.
    pub fn kind(&self) -> &'static str {
        match self.who {
            Who::Session { .. } => "session",
            Who::Owner(_) => "owner",
            Who::Person(_) => "person",
            Who::Memory => "memory",
            Who::Tenant => "tenant",
        }
    }

    /// The owner or person, if the subject is about one.
    pub fn user_id(&self) -> Option<&str> {
        match &self.who {
            Who::Session { user_id, .. } | Who::Owner(user_id) | Who::Person(user_id) => Some(user_id),
            Who::Memory | Who::Tenant => None,
        }
    }

    /// The conversation, if the subject is one.
    pub fn session_id(&self) -> Option<&str> {
        match &self.who {
            Who::Session { session_id, .. } => Some(session_id),
            _ => None,
        }
    }

    /// HMAC-SHA256 of the subject under `salt`, hexadecimal: tells a subject again that somebody names, and nobody who is
    /// not named. Each part is preceded by its length.
    ///
    /// The salt stands beside the hash, so a list of hashes needs no key that could be lost with the database; a reader of
    /// the list can try names one by one.
    pub fn digest(&self, salt: &str) -> String {
        let parts = [self.tenant.as_str(), self.kind()].map(Some);
        let parts = parts.into_iter().chain([self.user_id(), self.session_id()]);
        let mut text = Vec::with_capacity(128);
        for part in parts {
            text.extend(part.map_or(u64::MAX, |part| part.len() as u64).to_le_bytes());
            text.extend(part.unwrap_or_default().as_bytes());
        }
        HEXLOWER.encode(sign(&Key::new(HMAC_SHA256, salt.as_bytes()), &text).as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(who: Who) -> Subject {
        Subject { tenant: TenantId::parse("acme").unwrap(), who }
    }

    #[test]
    fn a_hash_tells_every_subject_apart_and_every_salt() {
        let session = |user: &str, session: &str| {
            subject(Who::Session { user_id: user.to_owned(), session_id: session.to_owned() })
        };
        let all = [
            session("a", "bc"),
            session("ab", "c"),
            subject(Who::Owner("a".to_owned())),
            subject(Who::Person("a".to_owned())),
            subject(Who::Memory),
            subject(Who::Tenant),
        ];
        let mut hashes: Vec<String> =
            all.iter().flat_map(|one| [one.digest("salt"), one.digest("other")]).collect();
        hashes.sort();
        hashes.dedup();
        assert_eq!(hashes.len(), 12);
        for one in all {
            let text = |part: Option<&str>| part.map(str::to_owned);
            let again =
                Subject::of(one.tenant.clone(), one.kind(), text(one.user_id()), text(one.session_id()));
            assert_eq!(again, Some(one));
        }
    }
}
