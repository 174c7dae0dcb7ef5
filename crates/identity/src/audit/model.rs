//! What an audit row says. It never holds a secret or the text of a message.

use kernel::{Ctx, Micros, PrincipalKind};
use serde::Serialize;
use utoipa::ToSchema;

use super::store::StoredRow;
use crate::model::Origin;

/// How an act went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It happened.
    Success,
    /// It was tried and failed, such as a sign-in.
    Failure,
    /// The caller had no right to it.
    Denied,
}

impl Outcome {
    /// Reads the word of a row.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Success, Self::Failure, Self::Denied].into_iter().find(|outcome| outcome.as_str() == name)
    }

    /// The word in the row.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Denied => "denied",
        }
    }
}

/// A row to write.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    /// The tenant whose administrators may read it; `-` when none could be told.
    pub tenant: String,
    /// When.
    pub at: Micros,
    /// `user`, `api_key`, `local operator` or `anonymous`.
    pub principal_kind: &'static str,
    /// Who: `usr_…`, `key_…`, or `-`.
    pub principal_id: String,
    /// With what: `ses_…`, `key_…`, or `-`.
    pub credential_id: String,
    /// What: `identity.sign_in`.
    pub action: &'static str,
    /// To what: `user:usr_…`.
    pub resource: String,
    /// How it went.
    pub outcome: Outcome,
    /// From where.
    pub address: Option<String>,
    /// In which request.
    pub request_id: String,
    /// Names of the changed fields, never their values.
    pub fields: Vec<&'static str>,
}

impl AuditEntry {
    /// A successful act of a caller.
    pub fn of(ctx: &Ctx, at: Micros, action: &'static str, resource: impl Into<String>) -> Self {
        Self {
            tenant: ctx.tenant.to_string(),
            at,
            principal_kind: ctx.principal.kind.as_str(),
            principal_id: ctx.principal.id.clone(),
            credential_id: ctx.principal.credential_id.clone(),
            action,
            resource: resource.into(),
            outcome: Outcome::Success,
            address: ctx.address.map(|address| address.to_string()),
            request_id: ctx.request_id.to_string(),
            fields: Vec::new(),
        }
    }

    /// An act of somebody who has shown no credential (yet).
    pub fn anonymous(
        tenant: &str,
        origin: &Origin,
        at: Micros,
        action: &'static str,
        resource: impl Into<String>,
    ) -> Self {
        Self {
            tenant: tenant.to_owned(),
            at,
            principal_kind: "anonymous",
            principal_id: "-".to_owned(),
            credential_id: "-".to_owned(),
            action,
            resource: resource.into(),
            outcome: Outcome::Success,
            address: origin.address.map(|address| address.to_string()),
            request_id: origin.request_id.to_string(),
            fields: Vec::new(),
        }
    }

    /// An act at the machine's own command line.
    pub fn operator(tenant: &str, at: Micros, action: &'static str, resource: impl Into<String>) -> Self {
        Self {
            tenant: tenant.to_owned(),
            at,
            principal_kind: PrincipalKind::Operator.as_str(),
            principal_id: "-".to_owned(),
            credential_id: "-".to_owned(),
            action,
            resource: resource.into(),
            outcome: Outcome::Success,
            address: None,
            request_id: kernel::id::new_id("cli", at),
            fields: Vec::new(),
        }
    }

    /// The same with another outcome.
    pub fn outcome(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    /// The same with the names of what changed.
    pub fn fields(mut self, fields: &[&'static str]) -> Self {
        self.fields = fields.to_vec();
        self
    }

    /// The same, done by a person through a session.
    pub fn by_user(mut self, user_id: &str, session_id: &str) -> Self {
        self.principal_kind = PrincipalKind::User.as_str();
        user_id.clone_into(&mut self.principal_id);
        session_id.clone_into(&mut self.credential_id);
        self
    }
}

/// A row as administrators read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AuditRow {
    /// `aud_…`
    pub audit_id: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Micros,
    /// `user`, `api_key`, `local operator` or `anonymous`.
    pub principal_kind: String,
    /// Who.
    pub principal_id: String,
    /// With what credential.
    pub credential_id: String,
    /// What was done.
    pub action: String,
    /// To what.
    pub resource: String,
    /// `success`, `failure` or `denied`.
    pub outcome: String,
    /// From where.
    pub address: Option<String>,
    /// In which request.
    pub request_id: String,
    /// Names of the changed fields.
    pub fields: Vec<String>,
    /// Its place in the tenant's chain; null for a row from before there was one.
    pub seq: Option<i64>,
    /// Hash of the row and of the one before it.
    pub hash: Option<String>,
}

impl From<StoredRow> for AuditRow {
    fn from(row: StoredRow) -> Self {
        Self {
            audit_id: row.audit_id,
            at: Micros(row.at),
            principal_kind: row.principal_kind,
            principal_id: row.principal_id,
            credential_id: row.credential_id,
            action: row.action,
            resource: row.resource,
            outcome: row.outcome,
            address: row.address,
            request_id: row.request_id,
            fields: serde_json::from_str(&row.fields).unwrap_or_default(),
            seq: row.seq,
            hash: row.hash,
        }
    }
}

/// Which rows a list or an export holds; empty means any.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// A whole action or its first words: `identity` and `identity.sign_in` both match `identity.sign_in`.
    pub action: Option<String>,
    /// Who: `usr_…` or `key_…`.
    pub principal: Option<String>,
    /// How it went.
    pub outcome: Option<Outcome>,
    /// A whole resource or its kind: `user` matches `user:usr_…`.
    pub resource: Option<String>,
    /// Not before.
    pub since: Option<Micros>,
    /// Before.
    pub until: Option<Micros>,
}
