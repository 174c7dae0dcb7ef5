//! Finding the first row of a chain that is not as it was written.

use ::store::{Conn, Reach, Store};
use kernel::{Ctx, Result, Scope};
use serde::Serialize;
use utoipa::ToSchema;

use super::store::{self, Head, StoredRow};
use crate::Identity;

/// Rows read at once.
const BATCH: i64 = 2_000;

/// How a tenant's chain stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Verdict {
    /// The tenant; `-` for acts that belong to none.
    pub tenant_id: String,
    /// Every row is there, in its place, as it was written.
    pub intact: bool,
    /// Rows of the chain that were checked.
    pub rows: i64,
    /// Rows from before there was a chain: they cannot be checked.
    pub unchained: i64,
    /// Place of the last row.
    pub head_seq: i64,
    /// Hash of the last row. Kept elsewhere, it proves that nothing before it was rewritten since.
    pub head_hash: String,
    /// The first row that is not as it was written.
    pub broken: Option<Broken>,
}

/// Where a chain breaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Broken {
    /// `aud_…` of the row; null when rows at the end are gone.
    pub audit_id: Option<String>,
    /// Its place in the chain, or the place of the row that is gone.
    pub seq: Option<i64>,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl Broken {
    fn at(row: &StoredRow, problem: &'static str) -> Self {
        Self { audit_id: Some(row.audit_id.clone()), seq: row.seq, problem }
    }
}

/// The walk along one chain: what the next row must be.
struct Walk {
    next_seq: i64,
    previous_hash: String,
}

impl Walk {
    fn step(&mut self, row: &StoredRow) -> Option<Broken> {
        let seq = row.seq.unwrap_or(0);
        if seq != self.next_seq {
            let problem = "the row before this one is gone";
            return Some(Broken { seq: Some(self.next_seq), ..Broken::at(row, problem) });
        }
        if row.previous_hash.as_deref() != Some(&self.previous_hash) {
            return Some(Broken::at(row, "it does not follow the row before it"));
        }
        let hash = row.hash.clone().unwrap_or_default();
        if hash != row.computed_hash() {
            return Some(Broken::at(row, "it was changed after it was written"));
        }
        (self.next_seq, self.previous_hash) = (seq + 1, hash);
        None
    }

    /// Whether the walk, which found no broken row, arrived where the head stands.
    fn end(&self, head: &Head) -> Option<Broken> {
        let broken = |problem| Some(Broken { audit_id: None, seq: Some(self.next_seq), problem });
        match () {
            () if self.next_seq <= head.seq => broken("the rows from here to the end are gone"),
            () if self.previous_hash != head.hash => {
                broken("the last row is not the one that was written last")
            }
            () => None,
        }
    }
}

/// Checks the chain of one tenant, of any length, beside a running server.
///
/// # Errors
/// The store's.
pub async fn verify(store: &Store, tenant: &str) -> Result<Verdict> {
    loop {
        let (verdict, began_at) = verify_once(store, tenant).await?;
        // Old rows may have been removed during the walk, which then began at a place that is gone.
        if verdict.intact || began_at == first_seq(store, tenant).await? {
            return Ok(verdict);
        }
    }
}

/// Every tenant that has audit rows, in the order of their names; `-` stands for acts that belong to none.
///
/// # Errors
/// The store's.
pub async fn list_audited_tenants(store: &Store) -> Result<Vec<String>> {
    store::list_tenants(&mut store.read(Reach::Everyone).await?).await
}

async fn first_seq(store: &Store, tenant: &str) -> Result<i64> {
    let head = store::find_head(&mut store.read(Reach::Everyone).await?, tenant).await?;
    Ok(head.map_or(1, |head| head.first_seq))
}

/// The verdict, and the place at which the walk began.
async fn verify_once(store: &Store, tenant: &str) -> Result<(Verdict, i64)> {
    let mut conn = store.read(Reach::Everyone).await?;
    // Rows that are written during the walk lie after this head and are left to the next one.
    let head = store::find_head(&mut conn, tenant).await?.unwrap_or_else(empty_head);
    let (mut broken, rows) = walk_rows(&mut conn, tenant, &head).await?;
    if broken.is_none() {
        broken = find_outside(&mut conn, tenant).await?;
    }
    let verdict = Verdict {
        tenant_id: tenant.to_owned(),
        intact: broken.is_none(),
        rows,
        unchained: head.unchained,
        head_seq: head.seq,
        head_hash: head.hash,
        broken,
    };
    Ok((verdict, head.first_seq))
}

/// The first broken row up to the head, and how many rows before it are as they were.
async fn walk_rows(conn: &mut Conn, tenant: &str, head: &Head) -> Result<(Option<Broken>, i64)> {
    let mut walk = Walk { next_seq: head.first_seq, previous_hash: head.first_previous_hash.clone() };
    while walk.next_seq <= head.seq {
        let wanted = BATCH.min(head.seq - walk.next_seq + 1);
        let page = store::list_chain(conn, tenant, walk.next_seq - 1, wanted).await?;
        if page.is_empty() {
            break;
        }
        for row in page.iter().filter(|row| row.seq.is_some_and(|seq| seq <= head.seq)) {
            if let Some(broken) = walk.step(row) {
                return Ok((Some(broken), walk.next_seq - head.first_seq));
            }
        }
    }
    Ok((walk.end(head), walk.next_seq - head.first_seq))
}

async fn find_outside(conn: &mut Conn, tenant: &str) -> Result<Option<Broken>> {
    if let Some((audit_id, seq)) = store::find_row_outside(conn, tenant).await? {
        let problem = "it stands outside the chain";
        return Ok(Some(Broken { audit_id: Some(audit_id), seq: Some(seq), problem }));
    }
    let added = store::find_row_too_many(conn, tenant).await?;
    let problem = "it was added without a place in the chain";
    Ok(added.map(|audit_id| Broken { audit_id: Some(audit_id), seq: None, problem }))
}

fn empty_head() -> Head {
    Head { seq: 0, hash: String::new(), first_seq: 1, first_previous_hash: String::new(), unchained: 0 }
}

impl Identity {
    /// Checks the chain of the caller's tenant.
    ///
    /// # Errors
    /// `forbidden` (audited) without the scope `admin`.
    pub async fn verify_audit(&self, ctx: &Ctx) -> Result<Verdict> {
        self.audited(ctx, "identity.audit.verify", "audit", async {
            ctx.require(Scope::Admin)?;
            verify(&self.store, ctx.tenant.as_str()).await
        })
        .await
    }
}
