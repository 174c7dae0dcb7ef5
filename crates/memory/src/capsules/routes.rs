//! HTTP of capsules.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use httpkit::{Body, Caller, PageQuery, Problem, ProblemBody, Query, UrlPath};
use kernel::Page;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{Capsule, NewCapsule};
use super::service::CapsuleReader;
use crate::Memory;
use crate::events::Channel;

/// Routes of this slice.
pub(crate) fn routes() -> OpenApiRouter<Memory> {
    OpenApiRouter::new()
        .routes(routes!(list_capsules, create_capsule))
        .routes(routes!(get_capsule))
        .routes(routes!(revoke_capsule))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CapsulesQuery {
    /// Owner.
    user_id: Option<String>,
    /// The agent that reads; keys must say.
    agent_id: Option<String>,
    /// Where the answer is shown; `private` when absent.
    #[param(inline)]
    channel: Option<Channel>,
    /// Rows of the page, 1–200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of capsules.
#[derive(Debug, Serialize, ToSchema)]
struct CapsulePage {
    items: Vec<Capsule>,
    next_cursor: Option<String>,
}

/// List the active capsules that an agent wrote or that are for it, latest first
#[utoipa::path(get, path = "/api/v1/capsules", tag = "memory", params(CapsulesQuery),
    responses((status = 200, body = CapsulePage), (status = "default", body = ProblemBody)))]
async fn list_capsules(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    Query(query): Query<CapsulesQuery>,
) -> Result<Json<CapsulePage>, Problem> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor }.request()?;
    let reader = CapsuleReader { agent_id: query.agent_id, channel: query.channel };
    let owner = query.user_id.as_deref();
    let Page { items, next_cursor } = memory.list_capsules(&ctx, owner, &reader, &page).await?;
    Ok(Json(CapsulePage { items, next_cursor }))
}

/// Hand something over to other agents
#[utoipa::path(post, path = "/api/v1/capsules", tag = "memory", request_body = NewCapsule,
    responses((status = 201, body = Capsule), (status = "default", body = ProblemBody)))]
async fn create_capsule(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    Body(new): Body<NewCapsule>,
) -> Result<(StatusCode, Json<Capsule>), Problem> {
    Ok((StatusCode::CREATED, Json(memory.create_capsule(&ctx, new).await?)))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ReaderQuery {
    /// The agent that reads; keys must say.
    agent_id: Option<String>,
    /// Where the answer is shown; `private` when absent.
    #[param(inline)]
    channel: Option<Channel>,
}

/// Read a capsule as its author or one of its audience
#[utoipa::path(get, path = "/api/v1/capsules/{capsule_id}", tag = "memory",
    params(("capsule_id" = String, Path, description = "`cap_…`"), ReaderQuery),
    responses((status = 200, body = Capsule), (status = "default", body = ProblemBody)))]
async fn get_capsule(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    UrlPath(capsule_id): UrlPath<String>,
    Query(query): Query<ReaderQuery>,
) -> Result<Json<Capsule>, Problem> {
    let reader = CapsuleReader { agent_id: query.agent_id, channel: query.channel };
    Ok(Json(memory.get_capsule(&ctx, &capsule_id, &reader).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RevokeQuery {
    /// The agent that wrote it; keys must say.
    agent_id: Option<String>,
}

/// End a capsule at once
#[utoipa::path(post, path = "/api/v1/capsules/{capsule_id}/revoke", tag = "memory",
    params(("capsule_id" = String, Path, description = "`cap_…`"), RevokeQuery),
    responses((status = 204), (status = "default", body = ProblemBody)))]
async fn revoke_capsule(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    UrlPath(capsule_id): UrlPath<String>,
    Query(query): Query<RevokeQuery>,
) -> Result<StatusCode, Problem> {
    let reader = CapsuleReader { agent_id: query.agent_id, channel: None };
    memory.revoke_capsule(&ctx, &capsule_id, &reader).await?;
    Ok(StatusCode::NO_CONTENT)
}
