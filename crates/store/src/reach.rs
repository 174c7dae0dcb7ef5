//! Whose rows a connection may touch: the second wall behind the tenant in every statement.
//!
//! PostgreSQL holds a connection to its reach by row-level security (migration `004_row_security`): a table's rows are
//! there only for their tenant, or for [`Reach::Everyone`]. SQLite has no such wall; there the statements stand alone.

use kernel::TenantId;

/// The setting of a PostgreSQL connection that the policies read.
pub(crate) const REACH_SETTING: &str = "hearth.tenant";

/// Whose rows a connection may touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The rows of one tenant.
    Tenant(TenantId),
    /// All rows: finding out who asks, background work and the operator's commands.
    Everyone,
}

impl Reach {
    /// The rows of `tenant`.
    pub fn of(tenant: &TenantId) -> Self {
        Self::Tenant(tenant.clone())
    }

    /// The statement that holds a PostgreSQL connection to this reach; `verb` is `SET` or `SET LOCAL`.
    pub(crate) fn set(&self, verb: &str) -> String {
        let value = match self {
            Self::Tenant(tenant) => tenant.as_str(),
            Self::Everyone => "*",
        };
        // A tenant's name is made of a-z, 0-9, `-` and `_`: nothing in it ends the text.
        format!("{verb} {REACH_SETTING} = '{value}'")
    }
}

impl From<&TenantId> for Reach {
    fn from(tenant: &TenantId) -> Self {
        Self::of(tenant)
    }
}
