//! HTTP of recall.

use axum::Json;
use axum::extract::State;
use httpkit::{Body, Caller, Problem, ProblemBody};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{SearchAnswer, SearchRequest};
use crate::Memory;

/// Routes of this slice.
pub(crate) fn routes() -> OpenApiRouter<Memory> {
    OpenApiRouter::new().routes(routes!(search))
}

/// Ask memory
#[utoipa::path(post, path = "/api/v1/memories/search", tag = "memory", request_body = SearchRequest,
    responses((status = 200, body = SearchAnswer), (status = "default", body = ProblemBody)))]
async fn search(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    Body(request): Body<SearchRequest>,
) -> Result<Json<SearchAnswer>, Problem> {
    Ok(Json(memory.search(&ctx, request).await?))
}
