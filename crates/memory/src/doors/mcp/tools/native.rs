//! Hearth's own tools.

use kernel::{Ctx, Error, Micros, PageRequest, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::super::fence::{fenced, lines};
use crate::Memory;
use crate::events::{EventKind, NewEvent};
use crate::memories::{EditOp, MemoryPatch, NewEdit, NewMemory};
use crate::search::SearchRequest;
use crate::timeline::store::EventFilter;
use crate::work::{NewDecision, TaskPatch, TaskStatus};

/// Rows of a list that a model reads, when it does not say how many.
const ROWS: i64 = 20;

/// Recalled rows, each with its ids, its actor and its times.
pub(super) fn recalled(rows: &impl Serialize) -> Result<String> {
    Ok(fenced(&serde_json::to_string_pretty(rows).map_err(Error::internal)?))
}

pub(super) async fn recall(memory: &Memory, ctx: &Ctx, asked: SearchRequest) -> Result<String> {
    let answer = memory.search(ctx, asked).await?;
    Ok(lines(&answer.items, answer.packed.as_ref()))
}

pub(super) async fn remember(memory: &Memory, ctx: &Ctx, new: NewMemory) -> Result<String> {
    let added = memory.add_memory(ctx, new).await?;
    let (id, merged, superseded) = (added.memory.memory_id, added.merged, added.superseded);
    Ok(json!({"memory_id": id, "merged": merged, "superseded": superseded}).to_string())
}

/// What to forget.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Forget {
    /// `mem_…`.
    memory_id: String,
    /// Keep it from being derived again.
    #[serde(default)]
    never_again: bool,
    /// Why, up to 1,000 characters; shown in the history.
    reason: Option<String>,
}

pub(super) async fn forget(memory: &Memory, ctx: &Ctx, what: Forget) -> Result<String> {
    let op = if what.never_again { EditOp::Block } else { EditOp::Retract };
    let (target_id, reason) = (what.memory_id, what.reason);
    let edit = NewEdit { target_id, op, patch: MemoryPatch::default(), reason, propose: false };
    let done = memory.edit(ctx, edit).await?;
    Ok(json!({"edit_id": done.edit.edit_id, "status": done.edit.status, "state": done.memory.state})
        .to_string())
}

/// A memory.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OfMemory {
    /// `mem_…`.
    memory_id: String,
}

pub(super) async fn history(memory: &Memory, ctx: &Ctx, of: OfMemory) -> Result<String> {
    recalled(&memory.memory_history(ctx, &of.memory_id).await?)
}

/// Which events.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Timeline {
    /// Owner.
    user_id: Option<String>,
    /// Only this conversation.
    session_id: Option<String>,
    /// Only this agent.
    agent_id: Option<String>,
    /// Only this kind.
    kind: Option<EventKind>,
    /// Only events at or after this instant.
    #[schema(value_type = Option<String>, format = DateTime)]
    after: Option<Micros>,
    /// Only events before this instant.
    #[schema(value_type = Option<String>, format = DateTime)]
    before: Option<Micros>,
    /// Events, 1–200; 20 when absent.
    #[schema(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// `next_cursor` of the answer before.
    cursor: Option<String>,
}

pub(super) async fn timeline(memory: &Memory, ctx: &Ctx, which: Timeline) -> Result<String> {
    let filter = EventFilter {
        session: which.session_id,
        agent: which.agent_id,
        kind: which.kind.map(|kind| kind.as_str().to_owned()),
        after: which.after,
        before: which.before,
    };
    let limit = rows(which.limit, 200)?;
    let page = PageRequest { limit: limit as u32, cursor: which.cursor };
    recalled(&memory.timeline(ctx, which.user_id.as_deref(), &filter, &page).await?)
}

fn rows(asked: Option<i64>, most: i64) -> Result<i64> {
    let limit = asked.unwrap_or(ROWS);
    if (1..=most).contains(&limit) {
        Ok(limit)
    } else {
        Err(Error::field("limit", format!("is 1 to {most}")))
    }
}

pub(super) async fn record_event(memory: &Memory, ctx: &Ctx, event: NewEvent) -> Result<String> {
    Ok(json!(memory.record(ctx, event, None).await?).to_string())
}

/// An event.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct OfEvent {
    /// `evt_…`.
    #[serde(alias = "id")]
    event_id: String,
    /// Tenant, for older clients: refused unless it is the credential's own.
    tenant_id: Option<String>,
}

pub(super) async fn get_event(memory: &Memory, ctx: &Ctx, of: OfEvent) -> Result<String> {
    ctx.check_tenant(of.tenant_id.as_deref())?;
    recalled(&memory.get_event(ctx, &of.event_id).await?)
}

pub(super) async fn record_decision(memory: &Memory, ctx: &Ctx, new: NewDecision) -> Result<String> {
    let (decision_id, recorded) = memory.record_decision(ctx, new).await?;
    Ok(json!({"decision_id": decision_id, "event_id": recorded.event_id}).to_string())
}

/// Which decisions.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct Decisions {
    /// `active` when absent; `superseded`.
    status: Option<String>,
    /// Owner.
    user_id: Option<String>,
    /// Decisions, 1–1,000; 20 when absent.
    #[schema(minimum = 1, maximum = 1000)]
    limit: Option<i64>,
    /// Tenant, for older clients: refused unless it is the credential's own.
    tenant_id: Option<String>,
}

pub(super) async fn decisions(memory: &Memory, ctx: &Ctx, which: Decisions) -> Result<String> {
    ctx.check_tenant(which.tenant_id.as_deref())?;
    let (status, limit) = (which.status.as_deref().unwrap_or("active"), rows(which.limit, 1_000)?);
    recalled(&memory.list_decisions(ctx, which.user_id.as_deref(), status, limit).await?)
}

/// Which tasks.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Tasks {
    /// Open and doing ones when absent.
    status: Option<TaskStatus>,
    /// Owner.
    user_id: Option<String>,
    /// Tasks, 1–1,000; 20 when absent.
    #[schema(minimum = 1, maximum = 1000)]
    limit: Option<i64>,
}

pub(super) async fn tasks(memory: &Memory, ctx: &Ctx, which: Tasks) -> Result<String> {
    let (status, limit) = (which.status.map(TaskStatus::as_str), rows(which.limit, 1_000)?);
    recalled(&memory.list_tasks(ctx, which.user_id.as_deref(), status, limit).await?)
}

/// A task's fields and the id of the one that changes.
pub(super) fn task_schema() -> Value {
    let mut schema = super::schema_of::<TaskPatch>();
    schema["properties"]["task_id"] =
        json!({"type": "string", "description": "`tsk_…`; a new task is added when absent."});
    schema
}

pub(super) async fn update_task(
    memory: &Memory,
    ctx: &Ctx,
    mut arguments: Map<String, Value>,
) -> Result<String> {
    let id = match arguments.remove("task_id") {
        None | Some(Value::Null) => None,
        Some(Value::String(id)) => Some(id),
        Some(_) => return Err(Error::field("task_id", "is text")),
    };
    let task = memory.record_task(ctx, id.as_deref(), super::read::<TaskPatch>(arguments)?).await?;
    Ok(json!({"task_id": task.task_id, "status": task.status}).to_string())
}
