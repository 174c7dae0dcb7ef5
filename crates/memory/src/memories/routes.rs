//! HTTP of memories and their edits.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use httpkit::{Body, Caller, PageQuery, Problem, ProblemBody, Query, UrlPath};
use kernel::Page;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::edits::{Edit, EditOp, EditResult, NewEdit};
use super::model::{
    Added, MemoryItem, MemoryPatch, MemorySource, MemoryState, MemoryType, MemoryVersion, NewMemory,
};
use super::store::MemoryFilter;
use crate::Memory;
use crate::events::Channel;

/// Routes of this slice.
pub(crate) fn routes() -> OpenApiRouter<Memory> {
    OpenApiRouter::new()
        .routes(routes!(list_memories, add_memory))
        .routes(routes!(get_memory, amend_memory, retract_memory))
        .routes(routes!(memory_history))
        .routes(routes!(memory_sources))
        .routes(routes!(pin_memory))
        .routes(routes!(restore_memory))
        .routes(routes!(list_edits, make_edit))
        .routes(routes!(approve_edit))
        .routes(routes!(reject_edit))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct MemoriesQuery {
    /// Owner.
    user_id: Option<String>,
    /// Only this agent.
    agent_id: Option<String>,
    /// Only from this conversation.
    session_id: Option<String>,
    /// Only this type.
    r#type: Option<MemoryType>,
    /// Only about this.
    subject: Option<String>,
    /// `active` when absent.
    #[param(inline)]
    state: Option<MemoryState>,
    /// Only pinned ones, or only others.
    pinned: Option<bool>,
    /// Only those for this channel.
    channel: Option<Channel>,
    /// Only those with this label.
    tag: Option<String>,
    /// Rows of the page, 1–200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of memories.
#[derive(Debug, Serialize, ToSchema)]
struct MemoryPage {
    items: Vec<MemoryItem>,
    next_cursor: Option<String>,
}

/// List memories, newest first
#[utoipa::path(get, path = "/api/v1/memories", tag = "memory", params(MemoriesQuery),
    responses((status = 200, body = MemoryPage), (status = "default", body = ProblemBody)))]
async fn list_memories(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    Query(query): Query<MemoriesQuery>,
) -> Result<Json<MemoryPage>, Problem> {
    let filter = MemoryFilter {
        agent: query.agent_id,
        session: query.session_id,
        kind: query.r#type.map(|kind| kind.as_str().to_owned()),
        subject: query.subject,
        state: query.state.map(|state| state.as_str().to_owned()),
        pinned: query.pinned,
        channel: query.channel.map(|channel| channel.as_str().to_owned()),
        tag: query.tag,
    };
    let page = PageQuery { limit: query.limit, cursor: query.cursor }.request()?;
    let Page { items, next_cursor } =
        memory.list_memories(&ctx, query.user_id.as_deref(), &filter, &page).await?;
    Ok(Json(MemoryPage { items, next_cursor }))
}

/// Keep a memory as it is said
#[utoipa::path(post, path = "/api/v1/memories", tag = "memory", request_body = NewMemory,
    responses((status = 201, body = Added), (status = "default", body = ProblemBody)))]
async fn add_memory(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    Body(new): Body<NewMemory>,
) -> Result<(StatusCode, Json<Added>), Problem> {
    Ok((StatusCode::CREATED, Json(memory.add_memory(&ctx, new).await?)))
}

/// Read one memory
#[utoipa::path(get, path = "/api/v1/memories/{memory_id}", tag = "memory",
    params(("memory_id" = String, Path, description = "`mem_…`")),
    responses((status = 200, body = MemoryItem), (status = "default", body = ProblemBody)))]
async fn get_memory(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    UrlPath(memory_id): UrlPath<String>,
) -> Result<Json<MemoryItem>, Problem> {
    Ok(Json(memory.get_memory(&ctx, &memory_id).await?))
}

/// Change a memory; the old version stays in its history
#[utoipa::path(patch, path = "/api/v1/memories/{memory_id}", tag = "memory",
    params(("memory_id" = String, Path, description = "`mem_…`")), request_body = MemoryPatch,
    responses((status = 200, body = EditResult, description = "`edit.status` is `pending` where the caller is not the owner"),
        (status = "default", body = ProblemBody)))]
async fn amend_memory(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    UrlPath(target_id): UrlPath<String>,
    Body(patch): Body<MemoryPatch>,
) -> Result<Json<EditResult>, Problem> {
    let reason = patch.reason.clone();
    let edit = NewEdit { target_id, op: EditOp::Amend, patch, reason, propose: false };
    Ok(Json(memory.edit(&ctx, edit).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RetractQuery {
    /// Remove it for good instead, with its history.
    erase: Option<bool>,
}

/// Take a memory back; it can be restored
#[utoipa::path(delete, path = "/api/v1/memories/{memory_id}", tag = "memory",
    params(("memory_id" = String, Path, description = "`mem_…`"), RetractQuery),
    responses((status = 204), (status = "default", body = ProblemBody)))]
async fn retract_memory(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    UrlPath(target_id): UrlPath<String>,
    Query(query): Query<RetractQuery>,
) -> Result<StatusCode, Problem> {
    if query.erase == Some(true) {
        memory.erase_memory(&ctx, &target_id).await?;
    } else {
        memory.edit(&ctx, plain(target_id, EditOp::Retract)).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

fn plain(target_id: String, op: EditOp) -> NewEdit {
    NewEdit { target_id, op, patch: MemoryPatch::default(), reason: None, propose: false }
}

/// List every version of a memory, first to last
#[utoipa::path(get, path = "/api/v1/memories/{memory_id}/history", tag = "memory",
    params(("memory_id" = String, Path, description = "`mem_…`")),
    responses((status = 200, body = Vec<MemoryVersion>), (status = "default", body = ProblemBody)))]
async fn memory_history(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    UrlPath(memory_id): UrlPath<String>,
) -> Result<Json<Vec<MemoryVersion>>, Problem> {
    Ok(Json(memory.memory_history(&ctx, &memory_id).await?))
}

/// List the events that a memory rests on
#[utoipa::path(get, path = "/api/v1/memories/{memory_id}/sources", tag = "memory",
    params(("memory_id" = String, Path, description = "`mem_…`")),
    responses((status = 200, body = Vec<MemorySource>), (status = "default", body = ProblemBody)))]
async fn memory_sources(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    UrlPath(memory_id): UrlPath<String>,
) -> Result<Json<Vec<MemorySource>>, Problem> {
    Ok(Json(memory.memory_sources(&ctx, &memory_id).await?))
}

/// Whether to pin.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Pin {
    /// False lets it go.
    pinned: bool,
}

/// Pin a memory, or let it go
#[utoipa::path(post, path = "/api/v1/memories/{memory_id}/pin", tag = "memory",
    params(("memory_id" = String, Path, description = "`mem_…`")), request_body = Pin,
    responses((status = 200, body = MemoryItem), (status = "default", body = ProblemBody)))]
async fn pin_memory(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    UrlPath(memory_id): UrlPath<String>,
    Body(pin): Body<Pin>,
) -> Result<Json<MemoryItem>, Problem> {
    Ok(Json(memory.pin_memory(&ctx, &memory_id, pin.pinned).await?))
}

/// Bring a memory back that was taken back, put aside or superseded
#[utoipa::path(post, path = "/api/v1/memories/{memory_id}/restore", tag = "memory",
    params(("memory_id" = String, Path, description = "`mem_…`")),
    responses((status = 200, body = EditResult), (status = "default", body = ProblemBody)))]
async fn restore_memory(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    UrlPath(target_id): UrlPath<String>,
) -> Result<Json<EditResult>, Problem> {
    Ok(Json(memory.edit(&ctx, plain(target_id, EditOp::Restore)).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EditsQuery {
    /// Owner of what they change.
    user_id: Option<String>,
    /// `pending` when absent; `approved`, `rejected`.
    status: Option<String>,
    /// Rows of the page, 1–200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of edits.
#[derive(Debug, Serialize, ToSchema)]
struct EditPage {
    items: Vec<Edit>,
    next_cursor: Option<String>,
}

/// List edits, newest first
#[utoipa::path(get, path = "/api/v1/edits", tag = "memory", params(EditsQuery),
    responses((status = 200, body = EditPage), (status = "default", body = ProblemBody)))]
async fn list_edits(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    Query(query): Query<EditsQuery>,
) -> Result<Json<EditPage>, Problem> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor }.request()?;
    let (owner, status) = (query.user_id.as_deref(), query.status.as_deref());
    let Page { items, next_cursor } = memory.list_edits(&ctx, owner, status, &page).await?;
    Ok(Json(EditPage { items, next_cursor }))
}

/// Make an edit, or propose it where the caller does not own the memory
#[utoipa::path(post, path = "/api/v1/edits", tag = "memory", request_body = NewEdit,
    responses((status = 201, body = EditResult), (status = "default", body = ProblemBody)))]
async fn make_edit(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    Body(edit): Body<NewEdit>,
) -> Result<(StatusCode, Json<EditResult>), Problem> {
    Ok((StatusCode::CREATED, Json(memory.edit(&ctx, edit).await?)))
}

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EditDecision {
    /// Shown with the edit.
    reason: Option<String>,
}

/// Approve a proposal, which applies it
#[utoipa::path(post, path = "/api/v1/edits/{edit_id}/approve", tag = "memory",
    params(("edit_id" = String, Path, description = "`edt_…`")), request_body = EditDecision,
    responses((status = 200, body = EditResult), (status = "default", body = ProblemBody)))]
async fn approve_edit(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    UrlPath(edit_id): UrlPath<String>,
    Body(decision): Body<EditDecision>,
) -> Result<Json<EditResult>, Problem> {
    Ok(Json(memory.decide_edit(&ctx, &edit_id, true, decision.reason).await?))
}

/// Reject a proposal
#[utoipa::path(post, path = "/api/v1/edits/{edit_id}/reject", tag = "memory",
    params(("edit_id" = String, Path, description = "`edt_…`")), request_body = EditDecision,
    responses((status = 200, body = EditResult), (status = "default", body = ProblemBody)))]
async fn reject_edit(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    UrlPath(edit_id): UrlPath<String>,
    Body(decision): Body<EditDecision>,
) -> Result<Json<EditResult>, Problem> {
    Ok(Json(memory.decide_edit(&ctx, &edit_id, false, decision.reason).await?))
}
