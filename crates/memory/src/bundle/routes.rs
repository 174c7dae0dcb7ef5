//! HTTP of bundles.

use axum::Json;
use axum::extract::State;
use httpkit::{Body, Caller, Problem, ProblemBody, UrlPath};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{Bundle, BundleRequest, KeptBundle};
use crate::Memory;

/// Routes of this slice.
pub(crate) fn routes() -> OpenApiRouter<Memory> {
    OpenApiRouter::new()
        .routes(routes!(build_bundle))
        .routes(routes!(build_context))
        .routes(routes!(get_bundle))
}

/// Put together what an agent needs for its next step
#[utoipa::path(post, path = "/api/v1/acb/build", tag = "memory", request_body = BundleRequest,
    responses((status = 200, body = Bundle), (status = "default", body = ProblemBody)))]
async fn build_bundle(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    Body(request): Body<BundleRequest>,
) -> Result<Json<Bundle>, Problem> {
    Ok(Json(memory.build_bundle(&ctx, request).await?))
}

/// The same by its shorter name
#[utoipa::path(post, path = "/api/v1/context", tag = "memory", request_body = BundleRequest,
    responses((status = 200, body = Bundle), (status = "default", body = ProblemBody)))]
async fn build_context(
    memory: State<Memory>,
    caller: Caller,
    body: Body<BundleRequest>,
) -> Result<Json<Bundle>, Problem> {
    build_bundle(memory, caller, body).await
}

/// Read what is kept of a bundle: references and figures, no words
#[utoipa::path(get, path = "/api/v1/acb/{acb_id}", tag = "memory",
    params(("acb_id" = String, Path, description = "`acb_…`")),
    responses((status = 200, body = KeptBundle), (status = "default", body = ProblemBody)))]
async fn get_bundle(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    UrlPath(acb_id): UrlPath<String>,
) -> Result<Json<KeptBundle>, Problem> {
    Ok(Json(memory.get_bundle(&ctx, &acb_id).await?))
}
