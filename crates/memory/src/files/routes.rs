//! HTTP of the memory tool.

use axum::Json;
use axum::extract::State;
use httpkit::{Body, Caller, Problem, ProblemBody};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{FileAnswer, FileCall};
use crate::Memory;

/// Routes of this slice.
pub(crate) fn routes() -> OpenApiRouter<Memory> {
    OpenApiRouter::new().routes(routes!(memory_tool))
}

/// Run a command of the tool `memory_20250818`
#[utoipa::path(post, path = "/api/v1/memory/tool", tag = "memory", request_body = FileCall,
    responses((status = 200, body = FileAnswer, description = "What to hand to the model, also where it did something wrong"),
        (status = "default", body = ProblemBody)))]
async fn memory_tool(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    Body(call): Body<FileCall>,
) -> Result<Json<FileAnswer>, Problem> {
    Ok(Json(memory.memory_tool(&ctx, call).await?))
}
