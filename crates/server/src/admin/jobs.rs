//! The queue for operators.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use httpkit::{Caller, PageQuery, Problem, ProblemBody, Query, UrlPath};
use kernel::{Cursor, Error, Micros, Page, Result};
use serde::{Deserialize, Serialize};
use store::Reach;
use store::jobs::{self, JobFilter, JobRow, KindSummary, STATES};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Admin, mask};
use crate::background;

pub(super) fn routes() -> OpenApiRouter<Admin> {
    OpenApiRouter::new()
        .routes(routes!(list_jobs))
        .routes(routes!(summarise_jobs))
        .routes(routes!(retry_job))
        .routes(routes!(cancel_job))
        .routes(routes!(pause_kind))
        .routes(routes!(resume_kind))
}

/// Which jobs to list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct JobQuery {
    /// `due`, `running`, `done`, `failed` or `dead`.
    state: Option<String>,
    /// Kind, such as `memory.embed`.
    kind: Option<String>,
    /// Rows of the page, 1–200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A job of the queue.
#[derive(Serialize, ToSchema)]
pub(crate) struct JobBody {
    /// `job_…`
    job_id: String,
    /// The tenant it works for.
    tenant_id: String,
    /// What it does.
    kind: String,
    /// What it is about.
    job_key: String,
    /// `due`, `running`, `done`, `failed` or `dead`.
    state: String,
    /// Tries begun.
    tries: i64,
    /// Earliest start.
    #[schema(value_type = String, format = DateTime)]
    run_at: Micros,
    #[schema(value_type = String, format = DateTime)]
    created_at: Micros,
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Micros>,
    /// How long its runner holds it without saying more.
    #[schema(value_type = Option<String>, format = DateTime)]
    lease_until: Option<Micros>,
    /// Why the last try failed.
    last_error: Option<String>,
    /// What it was given; secrets hidden, long texts cut.
    payload: serde_json::Value,
}

impl From<JobRow> for JobBody {
    fn from(row: JobRow) -> Self {
        Self {
            payload: mask::payload(&row.payload),
            job_id: row.job_id,
            tenant_id: row.tenant_id,
            kind: row.kind,
            job_key: row.job_key,
            state: row.state,
            tries: row.tries,
            run_at: Micros(row.run_at),
            created_at: Micros(row.created_at),
            finished_at: row.finished_at.map(Micros),
            lease_until: row.lease_until.map(Micros),
            last_error: row.last_error,
        }
    }
}

/// Jobs, newest first.
#[derive(Serialize, ToSchema)]
struct JobPage {
    items: Vec<JobBody>,
    next_cursor: Option<String>,
}

/// Jobs of one kind that are not done, counted.
#[derive(Serialize, ToSchema)]
struct KindBody {
    kind: String,
    /// Whether its jobs are kept waiting.
    paused: bool,
    due: i64,
    running: i64,
    failed: i64,
    dead: i64,
    /// How long the first waiting job could have run already, seconds; 0 when none could.
    oldest_due_seconds: f64,
}

/// What is not done, by kind.
#[derive(Serialize, ToSchema)]
struct JobSummary {
    kinds: Vec<KindBody>,
}

/// Lists the jobs of all tenants, newest first.
#[utoipa::path(get, path = "/api/v1/admin/jobs", tag = "admin", operation_id = "list_jobs", params(JobQuery),
    responses((status = 200, body = JobPage), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody)))]
async fn list_jobs(
    State(admin): State<Admin>,
    Caller(ctx): Caller,
    Query(query): Query<JobQuery>,
) -> Result<impl IntoResponse, Problem> {
    admin.operator(&ctx).await?;
    if query.state.as_deref().is_some_and(|state| !STATES.contains(&state)) {
        return Err(Error::field("state", format!("is one of {}", STATES.join(", "))).into());
    }
    let page = PageQuery { limit: query.limit, cursor: query.cursor }.request()?;
    let before = page.cursor.as_deref().map(Cursor::key).transpose()?;
    let filter = JobFilter { state: query.state, kind: query.kind, before };
    let mut conn = admin.store.read(Reach::Everyone).await?;
    let rows = jobs::list_jobs(&mut conn, &filter, i64::from(page.limit) + 1).await?;
    let page = Page::cut(rows, page.limit, |row| row.job_id.clone()).map(JobBody::from);
    Ok(Json(JobPage { items: page.items, next_cursor: page.next_cursor }))
}

/// Counts the jobs of each kind that are not done.
#[utoipa::path(get, path = "/api/v1/admin/jobs/summary", tag = "admin", operation_id = "summarise_jobs",
    responses((status = 200, body = JobSummary), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody)))]
async fn summarise_jobs(
    State(admin): State<Admin>,
    Caller(ctx): Caller,
) -> Result<impl IntoResponse, Problem> {
    admin.operator(&ctx).await?;
    let now = admin.clock.now();
    let mut conn = admin.store.read(Reach::Everyone).await?;
    let mut kinds = jobs::summarise_kinds(&mut conn).await?;
    let paused = jobs::list_paused(&mut conn).await?;
    for kind in &paused {
        if !kinds.iter().any(|known| known.kind == *kind) {
            kinds.push(KindSummary { kind: kind.clone(), ..KindSummary::default() });
        }
    }
    let body = |kind: KindSummary| KindBody {
        paused: paused.contains(&kind.kind),
        oldest_due_seconds: kind.oldest_due_at.map_or(0.0, |at| (now.0 - at).max(0) as f64 / 1e6),
        kind: kind.kind,
        due: kind.due,
        running: kind.running,
        failed: kind.failed,
        dead: kind.dead,
    };
    Ok(Json(JobSummary { kinds: kinds.into_iter().map(body).collect() }))
}

/// Makes a dead, failed or waiting job due at once, with all its tries before it.
#[utoipa::path(post, path = "/api/v1/admin/jobs/{id}/retry", tag = "admin", operation_id = "retry_job",
    params(("id" = String, Path, description = "`job_…`")),
    responses((status = 204), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody, description = "it runs, is done, or a newer one of its key waits")))]
async fn retry_job(
    State(admin): State<Admin>,
    Caller(ctx): Caller,
    UrlPath(id): UrlPath<String>,
) -> Result<impl IntoResponse, Problem> {
    admin
        .change(&ctx, "admin.jobs.retry", format!("job:{id}"), move |tx, now| {
            Box::pin(async move { jobs::retry(tx, &id, now).await })
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a waiting job off the queue, or stops a running one within twenty seconds.
#[utoipa::path(post, path = "/api/v1/admin/jobs/{id}/cancel", tag = "admin", operation_id = "cancel_job",
    params(("id" = String, Path, description = "`job_…`")),
    responses((status = 204), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody, description = "it has ended")))]
async fn cancel_job(
    State(admin): State<Admin>,
    Caller(ctx): Caller,
    UrlPath(id): UrlPath<String>,
) -> Result<impl IntoResponse, Problem> {
    admin
        .change(&ctx, "admin.jobs.cancel", format!("job:{id}"), move |tx, now| {
            Box::pin(async move { jobs::cancel(tx, &id, now).await })
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Keeps the jobs of a kind waiting on all servers; running ones go on. Safe to repeat.
#[utoipa::path(post, path = "/api/v1/admin/jobs/kinds/{kind}/pause", tag = "admin", operation_id = "pause_job_kind",
    params(("kind" = String, Path, description = "such as `memory.embed`")),
    responses((status = 204), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody, description = "no server can run such jobs")))]
async fn pause_kind(
    State(admin): State<Admin>,
    Caller(ctx): Caller,
    UrlPath(kind): UrlPath<String>,
) -> Result<impl IntoResponse, Problem> {
    let is_known = background::kinds(&admin.memory, &admin.backups, &admin.rights)
        .iter()
        .any(|known| known.name == kind);
    let resource = format!("job_kind:{kind}");
    admin
        .change(&ctx, "admin.jobs.pause", resource, move |tx, now| {
            Box::pin(async move {
                if !is_known {
                    return Err(Error::not_found("kind of job"));
                }
                jobs::pause(tx, &kind, now).await
            })
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets the jobs of a kind run again. Safe to repeat.
#[utoipa::path(post, path = "/api/v1/admin/jobs/kinds/{kind}/resume", tag = "admin", operation_id = "resume_job_kind",
    params(("kind" = String, Path, description = "such as `memory.embed`")),
    responses((status = 204), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)))]
async fn resume_kind(
    State(admin): State<Admin>,
    Caller(ctx): Caller,
    UrlPath(kind): UrlPath<String>,
) -> Result<impl IntoResponse, Problem> {
    let resource = format!("job_kind:{kind}");
    admin
        .change(&ctx, "admin.jobs.resume", resource, move |tx, _| {
            Box::pin(async move { jobs::resume(tx, &kind).await })
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
