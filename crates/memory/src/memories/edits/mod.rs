//! Edits: what an owner does at once and others propose, and what became of it.

mod store;

use ::store::{Reach, Tx};
use kernel::{Ctx, Cursor, Error, Micros, Page, PageRequest, Result, Scope};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use self::store::{self as sql, EditRow};

use crate::Memory;
use crate::memories::change::Desk;
use crate::memories::history::store as history;
use crate::memories::model::{MemoryItem, MemoryPatch, MemoryState, VersionOp};
use crate::memories::service::{check_id, may_change};
use crate::memories::store::{self as memories, By, Head};
use crate::words::words;

words! {
    /// What an edit does.
    EditOp {
        /// Changes words or fields; the old version stays.
        Amend = "amend",
        /// Takes the memory back; it can be restored.
        Retract = "retract",
        /// Puts it aside for review.
        Quarantine = "quarantine",
        /// Makes it less important.
        Attenuate = "attenuate",
        /// Takes it back and keeps it from being derived again.
        Block = "block",
        /// Brings it back.
        Restore = "restore",
        /// Two memories that contradict each other; approving closes the target in favour of the other.
        Conflict = "conflict",
    }
}

/// An edit to make or to propose.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEdit {
    /// `mem_…`.
    pub target_id: String,
    /// What to do.
    pub op: EditOp,
    /// For `amend` what changes; for `attenuate` the lower `importance`.
    #[serde(default, deserialize_with = "crate::wire::object")]
    pub patch: MemoryPatch,
    /// Why, up to 1,000 characters.
    pub reason: Option<String>,
    /// Only propose it, even where it could be made at once.
    #[serde(default)]
    pub propose: bool,
}

/// An edit and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Edit {
    /// `edt_…`.
    pub edit_id: String,
    /// Owner of the target.
    pub user_id: String,
    /// `memory`.
    pub target_type: String,
    /// `mem_…`.
    pub target_id: String,
    /// Version of the target that was looked at.
    pub target_version: i64,
    /// What it does.
    pub op: String,
    /// What it changes; of a conflict the other memory.
    #[schema(value_type = Object)]
    pub patch: Value,
    /// Why.
    pub reason: Option<String>,
    /// Who proposed it.
    pub proposed_by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub recorded_at: Micros,
    /// `pending`, `approved` or `rejected`.
    pub status: String,
    /// Who decided.
    pub decided_by: Option<String>,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub decided_at: Option<Micros>,
}

impl From<EditRow> for Edit {
    fn from(row: EditRow) -> Self {
        Self {
            edit_id: row.edit_id,
            user_id: row.user_id,
            target_type: row.target_type,
            target_id: row.target_id,
            target_version: row.target_version,
            op: row.op,
            patch: serde_json::from_str(&row.patch).unwrap_or_default(),
            reason: row.reason,
            proposed_by: row.proposed_by,
            recorded_at: Micros(row.recorded_at),
            status: row.status,
            decided_by: row.decided_by,
            decided_at: row.decided_at.map(Micros),
        }
    }
}

/// What making an edit answers.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EditResult {
    /// The edit; `pending` when somebody else has to approve it.
    pub edit: Edit,
    /// The memory as it is now.
    pub memory: MemoryItem,
}

impl Memory {
    /// Makes an edit, or proposes it where the caller does not own the memory.
    ///
    /// # Errors
    /// `not_found`, `validation_failed`, `edit_stale`.
    pub async fn edit(&self, ctx: &Ctx, edit: NewEdit) -> Result<EditResult> {
        ctx.require(Scope::MemoryWrite)?;
        edit.patch.check(self.0.clock.now())?;
        check_reason(edit.reason.as_deref())?;
        if !kernel::id::is_id("mem", &edit.target_id) {
            return Err(Error::field("target_id", "is mem_ and 26 characters of 0-9 and a-z"));
        }
        if edit.op == EditOp::Conflict {
            return Err(Error::field("op", "conflicts are found, not made"));
        }
        let target = self.readable_memory(ctx, &edit.target_id).await?;
        if edit.patch.expected_version.is_some_and(|expected| expected != target.version) {
            return Err(Error::conflict("edit_stale", "the memory has changed since; read it again"));
        }
        // Putting something aside is open to everyone who may write; it does no harm that a look does not mend.
        let at_once = !edit.propose && (edit.op == EditOp::Quarantine || may_change(ctx, &target));
        let mut row = new_row(&target, edit.op, ctx, self.0.clock.now());
        row.patch = serde_json::to_string(&edit.patch).map_err(Error::internal)?;
        row.reason = edit.reason;
        if at_once {
            "approved".clone_into(&mut row.status);
            row.decided_by = Some(ctx.principal.id.clone());
            row.decided_at = Some(row.recorded_at);
        }
        self.write_edit(ctx, row, target, at_once).await
    }

    async fn write_edit(&self, ctx: &Ctx, row: EditRow, target: Head, at_once: bool) -> Result<EditResult> {
        let (memory, tenant, now) = (self.clone(), ctx.tenant.clone(), self.0.clock.now());
        let done = self.0.store.write("memory.edit", Reach::of(&ctx.tenant), move |tx| {
            Box::pin(async move {
                sql::add(tx, &tenant, &row).await?;
                let head = if at_once {
                    apply(tx, &memory.desk(&tenant, now), &target, &row).await?
                } else {
                    target
                };
                Ok(EditResult { edit: row.into(), memory: head.item(now) })
            })
        });
        done.await.inspect(|_| self.0.wake_jobs.notify_one())
    }

    /// Edits of what the caller owns, newest first; `status` is `pending` when absent.
    ///
    /// # Errors
    /// `validation_failed`, or the store's.
    pub async fn list_edits(
        &self,
        ctx: &Ctx,
        named_owner: Option<&str>,
        status: Option<&str>,
        page: &PageRequest,
    ) -> Result<Page<Edit>> {
        ctx.require(Scope::MemoryRead)?;
        let status = status.unwrap_or("pending");
        if !["pending", "approved", "rejected"].contains(&status) {
            return Err(Error::field("status", "is pending, approved or rejected"));
        }
        let owner = ctx.owner(named_owner)?;
        let from: Option<String> = page.cursor.as_deref().map(Cursor::key).transpose()?;
        let mut conn = self.0.store.read(&ctx.tenant).await?;
        let rows = sql::list(&mut conn, &ctx.tenant, &owner, status, from, page.limit).await?;
        Ok(Page::cut(rows, page.limit, |row| row.edit_id.clone()).map(Edit::from))
    }

    /// Approves or rejects a proposal.
    ///
    /// # Errors
    /// `not_found`; `forbidden` for who does not own the target; `edit_stale` when it was decided before, or the target has
    /// changed since.
    pub async fn decide_edit(
        &self,
        ctx: &Ctx,
        edit_id: &str,
        approve: bool,
        reason: Option<String>,
    ) -> Result<EditResult> {
        ctx.require(Scope::MemoryWrite)?;
        check_id("edt", edit_id)?;
        check_reason(reason.as_deref())?;
        let (memory, ctx, edit_id, now) = (self.clone(), ctx.clone(), edit_id.to_owned(), self.0.clock.now());
        let decided = self.0.store.write("memory.decide_edit", Reach::of(&ctx.tenant.clone()), move |tx| {
            Box::pin(async move {
                let row = sql::find(tx, &ctx.tenant, &edit_id).await?;
                let mut row = row.ok_or_else(|| Error::not_found("edit"))?;
                let target = memories::find(tx, &ctx.tenant, &row.target_id).await?;
                let target = Error::unless_foreign("edit", target, |target| may_change(&ctx, target))?;
                if row.status != "pending" || (approve && target.version != row.target_version) {
                    return Err(Error::conflict(
                        "edit_stale",
                        "it was decided before, or the memory has changed since",
                    ));
                }
                if approve { "approved" } else { "rejected" }.clone_into(&mut row.status);
                row.decided_by = Some(ctx.principal.id.clone());
                row.decided_at = Some(now.0);
                row.reason = reason.or(row.reason);
                decide(tx, &ctx, &row).await?;
                let head = if approve {
                    apply(tx, &memory.desk(&ctx.tenant, now), &target, &row).await?
                } else {
                    target
                };
                Ok(EditResult { edit: row.into(), memory: head.item(now) })
            })
        });
        decided.await.inspect(|_| self.0.wake_jobs.notify_one())
    }
}

fn new_row(target: &Head, op: EditOp, ctx: &Ctx, now: Micros) -> EditRow {
    EditRow {
        edit_id: kernel::id::new_id("edt", now),
        user_id: target.user_id.clone(),
        target_type: "memory".to_owned(),
        target_id: target.memory_id.clone(),
        target_version: target.version,
        op: op.as_str().to_owned(),
        patch: "{}".to_owned(),
        reason: None,
        proposed_by: ctx.principal.id.clone(),
        recorded_at: now.0,
        status: "pending".to_owned(),
        decided_by: None,
        decided_at: None,
    }
}

/// Notes two memories that contradict each other, for somebody to decide.
pub(super) async fn add_conflict(
    tx: &mut Tx,
    desk: &Desk<'_>,
    old: &Head,
    new: &Head,
    by: &By,
) -> Result<()> {
    let row = EditRow {
        edit_id: kernel::id::new_id("edt", desk.now),
        user_id: old.user_id.clone(),
        target_type: "memory".to_owned(),
        target_id: old.memory_id.clone(),
        target_version: old.version,
        op: EditOp::Conflict.as_str().to_owned(),
        patch: json!({"with": new.memory_id}).to_string(),
        reason: None,
        proposed_by: by.actor.clone(),
        recorded_at: desk.now.0,
        status: "pending".to_owned(),
        decided_by: None,
        decided_at: None,
    };
    sql::add(tx, desk.tenant, &row).await?;
    Ok(())
}

/// Writes a decision down.
///
/// # Errors
/// `edit_stale` when somebody else was faster.
async fn decide(tx: &mut Tx, ctx: &Ctx, row: &EditRow) -> Result<()> {
    let changed = sql::decide(tx, &ctx.tenant, row).await?;
    if changed == 0 {
        return Err(Error::conflict("edit_stale", "it was decided before"));
    }
    Ok(())
}

fn check_reason(reason: Option<&str>) -> Result<()> {
    let fits = |text: &str| text.chars().count() <= 1_000 && !text.contains('\0');
    match reason {
        Some(text) if !fits(text) => {
            Err(Error::field("reason", "is at most 1,000 characters, none of them U+0000"))
        }
        _ => Ok(()),
    }
}

/// Does what an approved edit says.
async fn apply(tx: &mut Tx, desk: &Desk<'_>, target: &Head, row: &EditRow) -> Result<Head> {
    let by = By {
        actor: row.decided_by.clone().unwrap_or_else(|| row.proposed_by.clone()),
        edit_id: Some(row.edit_id.clone()),
        reason: row.reason.clone(),
    };
    let set = |state: MemoryState| move |head: &mut Head| state.as_str().clone_into(&mut head.state);
    let patch: MemoryPatch = serde_json::from_str(&row.patch).unwrap_or_default();
    match EditOp::parse(&row.op) {
        Some(EditOp::Amend) => desk.amend(tx, target, patch, &by).await,
        Some(EditOp::Retract) => {
            desk.change(tx, target, VersionOp::Retract, &by, set(MemoryState::Retracted)).await
        }
        Some(EditOp::Quarantine) => {
            desk.change(tx, target, VersionOp::Quarantine, &by, set(MemoryState::Quarantined)).await
        }
        Some(EditOp::Attenuate) => {
            let lower = patch.importance.unwrap_or(target.importance / 2.0).min(target.importance);
            desk.change(tx, target, VersionOp::Attenuate, &by, |head| head.importance = lower).await
        }
        Some(EditOp::Block) => {
            let fingerprint = desk.fingerprint(target);
            history::add_blocked_fact(tx, desk.tenant, &target.user_id, &fingerprint, &by, desk.now).await?;
            desk.change(tx, target, VersionOp::Block, &by, set(MemoryState::Blocked)).await
        }
        Some(EditOp::Restore) => {
            let fingerprint = desk.fingerprint(target);
            history::remove_blocked_fact(tx, desk.tenant, &target.user_id, &fingerprint).await?;
            let restore = |head: &mut Head| {
                set(MemoryState::Active)(head);
                (head.valid_to, head.superseded_by) = (None, None);
            };
            desk.change(tx, target, VersionOp::Restore, &by, restore).await
        }
        Some(EditOp::Conflict) => {
            let other: Value = serde_json::from_str(&row.patch).unwrap_or_default();
            let other = other["with"].as_str().map(str::to_owned);
            desk.change(tx, target, VersionOp::Supersede, &by, |head| {
                (head.valid_to, head.superseded_by) = (Some(desk.now.0), other);
            })
            .await
        }
        None => Err(Error::internal(format!("{} is no edit", row.op))),
    }
}
