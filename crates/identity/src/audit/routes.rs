//! The audit log for administrators.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::IntoResponse;
use httpkit::{Caller, PageQuery, Problem, ProblemBody, Query};
use kernel::{Error, Micros, Result};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{AuditFilter, AuditRow, Format, Outcome, Verdict};
use crate::Identity;

pub(crate) fn routes() -> OpenApiRouter<Identity> {
    OpenApiRouter::new()
        .routes(routes!(list_audit))
        .routes(routes!(export_audit))
        .routes(routes!(verify_audit))
}

/// Which rows, and which page of them.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AuditQuery {
    /// A whole action or its first words: `identity.sign_in`, `identity`.
    action: Option<String>,
    /// Who: `usr_…` or `key_…`.
    principal: Option<String>,
    /// `success`, `failure` or `denied`.
    outcome: Option<String>,
    /// A whole resource or its kind: `user:usr_…`, `user`.
    resource: Option<String>,
    /// Not before this instant, RFC 3339.
    since: Option<String>,
    /// Before this instant, RFC 3339.
    until: Option<String>,
    /// Rows of the page, 1–200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Which rows, and how they are written.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ExportQuery {
    /// `jsonl` or `csv`.
    format: String,
    /// As in the list.
    action: Option<String>,
    /// As in the list.
    principal: Option<String>,
    /// As in the list.
    outcome: Option<String>,
    /// As in the list.
    resource: Option<String>,
    /// As in the list.
    since: Option<String>,
    /// As in the list.
    until: Option<String>,
}

/// Reads `action, principal, outcome, resource, since, until`.
fn filter([action, principal, outcome, resource, since, until]: [Option<String>; 6]) -> Result<AuditFilter> {
    let instant = |name: &str, text: Option<String>| {
        text.map(|text| Micros::parse(&text).map_err(|why| Error::field(name, why))).transpose()
    };
    let outcome = outcome.map(|name| {
        Outcome::parse(&name).ok_or_else(|| Error::field("outcome", "is success, failure or denied"))
    });
    Ok(AuditFilter {
        action,
        principal,
        outcome: outcome.transpose()?,
        resource,
        since: instant("since", since)?,
        until: instant("until", until)?,
    })
}

/// Audit rows, newest first.
#[derive(Serialize, ToSchema)]
struct AuditPage {
    items: Vec<AuditRow>,
    next_cursor: Option<String>,
}

/// Lists the tenant's audit rows, newest first.
#[utoipa::path(get, path = "/api/v1/audit", tag = "identity", operation_id = "list_audit",
    params(AuditQuery),
    responses((status = 200, body = AuditPage), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody)))]
async fn list_audit(
    State(identity): State<Identity>,
    Caller(ctx): Caller,
    Query(query): Query<AuditQuery>,
) -> Result<impl IntoResponse, Problem> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor }.request()?;
    let wanted = [query.action, query.principal, query.outcome, query.resource, query.since, query.until];
    let page = identity.list_audit(&ctx, &filter(wanted)?, page).await?;
    Ok(Json(AuditPage { items: page.items, next_cursor: page.next_cursor }))
}

/// Sends the tenant's audit rows as a file, oldest first.
#[utoipa::path(get, path = "/api/v1/audit/export", tag = "identity", operation_id = "export_audit",
    params(ExportQuery),
    responses((status = 200, content((String = "application/x-ndjson"), (String = "text/csv"))),
        (status = 400, body = ProblemBody), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)))]
async fn export_audit(
    State(identity): State<Identity>,
    Caller(ctx): Caller,
    Query(query): Query<ExportQuery>,
) -> Result<impl IntoResponse, Problem> {
    let format = Format::parse(&query.format).ok_or_else(|| Error::field("format", "is jsonl or csv"))?;
    let wanted = [query.action, query.principal, query.outcome, query.resource, query.since, query.until];
    let stream = identity.export_audit(&ctx, filter(wanted)?, format).await?;
    let (media, name) = match format {
        Format::Jsonl => ("application/x-ndjson", "attachment; filename=\"audit.jsonl\""),
        Format::Csv => ("text/csv; charset=utf-8", "attachment; filename=\"audit.csv\""),
    };
    Ok(([(CONTENT_TYPE, media), (CONTENT_DISPOSITION, name)], Body::from_stream(stream)))
}

/// Checks that every row of the tenant's record is there, in its place, as it was written.
#[utoipa::path(post, path = "/api/v1/audit/verify", tag = "identity", operation_id = "verify_audit",
    responses((status = 200, body = Verdict), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)))]
async fn verify_audit(
    State(identity): State<Identity>,
    Caller(ctx): Caller,
) -> Result<impl IntoResponse, Problem> {
    Ok(Json(identity.verify_audit(&ctx).await?))
}
