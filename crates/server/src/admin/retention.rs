//! How long rows are kept, for operators.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use httpkit::{Caller, Problem, ProblemBody};
use serde::Serialize;
use store::retention::{self, Outcome};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Admin;
use crate::background;

pub(super) fn routes() -> OpenApiRouter<Admin> {
    OpenApiRouter::new().routes(routes!(show_retention))
}

/// How long one kind of rows is kept.
#[derive(Serialize, ToSchema)]
struct RuleBody {
    /// What is kept, such as `jobs.done`.
    name: &'static str,
    /// For how many days after its end.
    days: i64,
    /// Rows that have had their time and go with the next run.
    expired: u64,
}

/// Every rule of retention.
#[derive(Serialize, ToSchema)]
struct RuleList {
    items: Vec<RuleBody>,
}

/// Shows how long rows are kept, and how many of them the next nightly run removes.
#[utoipa::path(get, path = "/api/v1/admin/retention", tag = "admin", operation_id = "show_retention",
    responses((status = 200, body = RuleList), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody)))]
async fn show_retention(
    State(admin): State<Admin>,
    Caller(ctx): Caller,
) -> Result<impl IntoResponse, Problem> {
    admin.operator(&ctx).await?;
    let found =
        retention::preview(&admin.store, &admin.clock, &background::retention_rules(&admin.rights.blobs))
            .await?;
    let body = |Outcome { rule, days, rows }| RuleBody { name: rule, days, expired: rows };
    Ok(Json(RuleList { items: found.into_iter().map(body).collect() }))
}
