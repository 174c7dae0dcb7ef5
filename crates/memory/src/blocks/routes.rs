//! HTTP of blocks.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use httpkit::{Body, Caller, PageQuery, Problem, ProblemBody, Query, UrlPath};
use kernel::Page;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{Block, BlockChange, BlockPlace, BlockVersion, NewBlock};
use super::service::BlockFilter;
use crate::Memory;

/// Routes of this slice.
pub(crate) fn routes() -> OpenApiRouter<Memory> {
    OpenApiRouter::new()
        .routes(routes!(list_blocks, create_block))
        .routes(routes!(get_block, change_block, delete_block))
        .routes(routes!(block_versions))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct BlocksQuery {
    /// Owner.
    user_id: Option<String>,
    /// Only those that this agent sees.
    agent_id: Option<String>,
    /// Only names that begin so.
    prefix: Option<String>,
    /// Rows of the page, 1–200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of blocks.
#[derive(Debug, Serialize, ToSchema)]
struct BlockPage {
    items: Vec<Block>,
    next_cursor: Option<String>,
}

/// List blocks by name
#[utoipa::path(get, path = "/api/v1/blocks", tag = "memory", params(BlocksQuery),
    responses((status = 200, body = BlockPage), (status = "default", body = ProblemBody)))]
async fn list_blocks(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    Query(query): Query<BlocksQuery>,
) -> Result<Json<BlockPage>, Problem> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor }.request()?;
    let filter = BlockFilter { user_id: query.user_id, agent_id: query.agent_id, prefix: query.prefix };
    let Page { items, next_cursor } = memory.list_blocks(&ctx, &filter, &page).await?;
    Ok(Json(BlockPage { items, next_cursor }))
}

/// Make a block
#[utoipa::path(post, path = "/api/v1/blocks", tag = "memory", request_body = NewBlock,
    responses((status = 201, body = Block), (status = "default", body = ProblemBody)))]
async fn create_block(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    Body(new): Body<NewBlock>,
) -> Result<(StatusCode, Json<Block>), Problem> {
    Ok((StatusCode::CREATED, Json(memory.create_block(&ctx, new).await?)))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct BlockQuery {
    /// Owner.
    user_id: Option<String>,
    /// The agent that looks: it sees its own block of the name, or else the shared one.
    agent_id: Option<String>,
}

impl BlockQuery {
    fn place(self, label: String) -> BlockPlace {
        BlockPlace { user_id: self.user_id, agent_id: self.agent_id, label }
    }
}

/// Read one block
#[utoipa::path(get, path = "/api/v1/blocks/{label}", tag = "memory",
    params(("label" = String, Path, description = "Name; a slash in it is written `%2F`"), BlockQuery),
    responses((status = 200, body = Block), (status = "default", body = ProblemBody)))]
async fn get_block(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    UrlPath(label): UrlPath<String>,
    Query(query): Query<BlockQuery>,
) -> Result<Json<Block>, Problem> {
    Ok(Json(memory.get_block(&ctx, &query.place(label)).await?))
}

/// Change a block that was read
#[utoipa::path(patch, path = "/api/v1/blocks/{label}", tag = "memory", request_body = BlockChange,
    params(("label" = String, Path, description = "Name; a slash in it is written `%2F`"), BlockQuery),
    responses((status = 200, body = Block),
        (status = 409, body = ProblemBody, description = "It has changed since; `current` is the block as it is"),
        (status = "default", body = ProblemBody)))]
async fn change_block(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    UrlPath(label): UrlPath<String>,
    Query(query): Query<BlockQuery>,
    Body(change): Body<BlockChange>,
) -> Result<Json<Block>, Problem> {
    Ok(Json(memory.change_block(&ctx, query.place(label), change).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DeleteQuery {
    /// Owner.
    user_id: Option<String>,
    /// The agent that looks.
    agent_id: Option<String>,
    /// Only this version; a later one is answered with 409.
    expected_version: Option<i64>,
}

/// Delete a block; its versions can be read for 30 days
#[utoipa::path(delete, path = "/api/v1/blocks/{label}", tag = "memory",
    params(("label" = String, Path, description = "Name; a slash in it is written `%2F`"), DeleteQuery),
    responses((status = 204), (status = "default", body = ProblemBody)))]
async fn delete_block(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    UrlPath(label): UrlPath<String>,
    Query(query): Query<DeleteQuery>,
) -> Result<StatusCode, Problem> {
    let place = BlockPlace { user_id: query.user_id, agent_id: query.agent_id, label };
    memory.delete_block(&ctx, place, query.expected_version).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct VersionsQuery {
    /// Owner.
    user_id: Option<String>,
    /// The agent that looks.
    agent_id: Option<String>,
    /// Rows of the page, 1–200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of versions.
#[derive(Debug, Serialize, ToSchema)]
struct BlockVersionPage {
    items: Vec<BlockVersion>,
    next_cursor: Option<String>,
}

/// List the versions of a block, last first
#[utoipa::path(get, path = "/api/v1/blocks/{label}/versions", tag = "memory",
    params(("label" = String, Path, description = "Name; a slash in it is written `%2F`"), VersionsQuery),
    responses((status = 200, body = BlockVersionPage), (status = "default", body = ProblemBody)))]
async fn block_versions(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    UrlPath(label): UrlPath<String>,
    Query(query): Query<VersionsQuery>,
) -> Result<Json<BlockVersionPage>, Problem> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor }.request()?;
    let place = BlockPlace { user_id: query.user_id, agent_id: query.agent_id, label };
    let Page { items, next_cursor } = memory.block_versions(&ctx, &place, &page).await?;
    Ok(Json(BlockVersionPage { items, next_cursor }))
}
