//! Words of imports: how to import, and what an import did.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::words::words;

words! {
    /// What becomes of ids.
    Ids {
        /// They stay; one that is taken by something else is an error.
        Keep = "keep",
        /// Each becomes another, always the same one in this tenant, and so does every reference to it.
        New = "new",
    }
}

words! {
    /// How far what is imported is trusted.
    TrustRule {
        /// As `import`, below everything else.
        Import = "import",
        /// As the file says; for administrators, who vouch for it.
        Keep = "keep",
    }
}

/// How to import.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ImportOptions {
    /// Owner of lines that name none; the credential's own person or principal when absent.
    pub user_id: Option<String>,
    /// What becomes of ids; when absent they stay in an export of this very tenant, and change in one of another.
    pub ids: Option<Ids>,
    /// How far it is trusted; `import` when absent.
    pub trust: Option<TrustRule>,
    /// Checks everything and writes nothing.
    pub dry_run: bool,
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Imported {
    /// `hearth`, `mem0` or `mcp`.
    pub format: &'static str,
    /// Lines read.
    pub lines: usize,
    /// Rows written now, by kind.
    pub imported: BTreeMap<&'static str, u64>,
    /// Rows that were there already, or are blocked.
    pub known: u64,
    /// Lines that are no part of memory, such as accounts, or rest on something that is not there, by kind.
    pub skipped: BTreeMap<String, u64>,
    /// Whether an export of ours was whole and unchanged: its footer came and agreed.
    pub complete: bool,
    /// Whether nothing was written.
    pub dry_run: bool,
}
