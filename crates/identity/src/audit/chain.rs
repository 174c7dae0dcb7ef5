//! What a row's hash is made of: every column, its place, and the hash of the row before it.

use store::blob::data_hash;

use super::store::StoredRow;

/// Begins every hashed text, so that no other use of SHA-256 here can make the same.
const DOMAIN: &str = "hearth audit row 1";

impl StoredRow {
    /// SHA-256 of the row at its place, hexadecimal. Each part is preceded by its length, so that no two rows have one text;
    /// an absent part has the length that no text reaches.
    pub(super) fn computed_hash(&self) -> String {
        let (seq, at) = (self.seq.unwrap_or(0).to_string(), self.at.to_string());
        let parts = [
            Some(DOMAIN),
            Some(&self.tenant_id),
            Some(&seq),
            self.previous_hash.as_deref(),
            Some(&self.audit_id),
            Some(&at),
            Some(&self.principal_kind),
            Some(&self.principal_id),
            Some(&self.credential_id),
            Some(&self.action),
            Some(&self.resource),
            Some(&self.outcome),
            self.address.as_deref(),
            Some(&self.request_id),
            Some(&self.fields),
        ];
        let mut text = Vec::with_capacity(512);
        for part in parts {
            text.extend(part.map_or(u64::MAX, |part| part.len() as u64).to_le_bytes());
            text.extend(part.unwrap_or_default().as_bytes());
        }
        data_hash(&text)
    }
}
