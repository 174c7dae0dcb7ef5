//! What the server leans on, and the settings it runs with.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use httpkit::{Caller, Problem, ProblemBody};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Admin;
use crate::config::{Finding, Shown};
use crate::dependencies::Dependency;

pub(super) fn routes() -> OpenApiRouter<Admin> {
    OpenApiRouter::new().routes(routes!(list_dependencies)).routes(routes!(get_configuration))
}

/// Everything the server could lean on.
#[derive(Serialize, ToSchema)]
struct DependencyList {
    items: Vec<Dependency>,
}

/// The settings in use.
#[derive(Serialize, ToSchema)]
struct Configuration {
    settings: Vec<Shown>,
    /// Doubts that did not keep the server from starting.
    warnings: Vec<Finding>,
}

/// Lists what the server leans on, as its probers last saw it.
#[utoipa::path(get, path = "/api/v1/admin/dependencies", tag = "admin", operation_id = "list_dependencies",
    responses((status = 200, body = DependencyList), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody)))]
async fn list_dependencies(
    State(admin): State<Admin>,
    Caller(ctx): Caller,
) -> Result<impl IntoResponse, Problem> {
    admin.operator(&ctx).await?;
    Ok(Json(DependencyList { items: admin.dependencies.report() }))
}

/// Shows every setting with its value, source and meaning; secrets only as their length.
#[utoipa::path(get, path = "/api/v1/admin/configuration", tag = "admin", operation_id = "get_configuration",
    responses((status = 200, body = Configuration), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody)))]
async fn get_configuration(
    State(admin): State<Admin>,
    Caller(ctx): Caller,
) -> Result<impl IntoResponse, Problem> {
    admin.operator(&ctx).await?;
    let in_use = admin.settings.in_use();
    Ok(Json(Configuration { settings: in_use.shown, warnings: in_use.warnings }))
}
