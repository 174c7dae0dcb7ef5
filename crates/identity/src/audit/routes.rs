//! The audit log for administrators.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use httpkit::{Caller, PageQuery, Problem, ProblemBody, Query};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::AuditRow;
use crate::Identity;

pub(crate) fn routes() -> OpenApiRouter<Identity> {
    OpenApiRouter::new().routes(routes!(list_audit))
}

/// Audit rows, newest first.
#[derive(Serialize, ToSchema)]
struct AuditPage {
    items: Vec<AuditRow>,
    next_cursor: Option<String>,
}

/// Lists the tenant's audit rows, newest first.
#[utoipa::path(get, path = "/api/v1/audit", tag = "identity", operation_id = "list_audit",
    params(PageQuery),
    responses((status = 200, body = AuditPage), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody)))]
async fn list_audit(
    State(identity): State<Identity>,
    Caller(ctx): Caller,
    Query(page): Query<PageQuery>,
) -> Result<impl IntoResponse, Problem> {
    let page = identity.list_audit(&ctx, page.request()?).await?;
    Ok(Json(AuditPage { items: page.items, next_cursor: page.next_cursor }))
}
