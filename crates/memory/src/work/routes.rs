//! HTTP of decisions and tasks.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use httpkit::{Body, Caller, Problem, ProblemBody, Query, UrlPath};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{Decision, NewDecision, Task, TaskPatch, TaskStatus};
use crate::Memory;
use crate::timeline::routes::list_limit;

/// Routes of this slice.
pub(crate) fn routes() -> OpenApiRouter<Memory> {
    OpenApiRouter::new()
        .routes(routes!(list_decisions, record_decision))
        .routes(routes!(get_decision))
        .routes(routes!(list_tasks, add_task))
        .routes(routes!(change_task))
}

/// What recording a decision answers.
#[derive(Debug, Serialize, ToSchema)]
struct RecordedDecision {
    /// `dec_…`.
    decision_id: String,
    /// The event that records it.
    event_id: String,
}

/// Record a decision; one about the same subject is superseded
#[utoipa::path(post, path = "/api/v1/decisions", tag = "memory", request_body = NewDecision,
    responses((status = 201, body = RecordedDecision), (status = "default", body = ProblemBody)))]
async fn record_decision(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    Body(new): Body<NewDecision>,
) -> Result<(StatusCode, Json<RecordedDecision>), Problem> {
    let (decision_id, recorded) = memory.record_decision(&ctx, new).await?;
    Ok((StatusCode::CREATED, Json(RecordedDecision { decision_id, event_id: recorded.event_id })))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct DecisionsQuery {
    /// `active` when absent; `superseded`.
    status: Option<String>,
    /// Owner.
    user_id: Option<String>,
    /// Decisions, 1–1,000; 100 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<i64>,
    /// Tenant, for older clients: refused unless it is the credential's own.
    tenant_id: Option<String>,
}

/// List decisions, newest first
#[utoipa::path(get, path = "/api/v1/decisions", tag = "memory", params(DecisionsQuery),
    responses((status = 200, body = Vec<Decision>), (status = "default", body = ProblemBody)))]
async fn list_decisions(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    Query(query): Query<DecisionsQuery>,
) -> Result<Json<Vec<Decision>>, Problem> {
    ctx.check_tenant(query.tenant_id.as_deref())?;
    let limit = list_limit(query.limit)?;
    let status = query.status.as_deref().unwrap_or("active");
    Ok(Json(memory.list_decisions(&ctx, query.user_id.as_deref(), status, limit).await?))
}

/// Read one decision
#[utoipa::path(get, path = "/api/v1/decisions/{decision_id}", tag = "memory",
    params(("decision_id" = String, Path, description = "`dec_…`")),
    responses((status = 200, body = Decision), (status = "default", body = ProblemBody)))]
async fn get_decision(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    UrlPath(decision_id): UrlPath<String>,
) -> Result<Json<Decision>, Problem> {
    Ok(Json(memory.get_decision(&ctx, &decision_id).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct TasksQuery {
    /// Open and doing ones when absent.
    status: Option<TaskStatus>,
    /// Owner.
    user_id: Option<String>,
    /// Tasks, 1–1,000; 100 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<i64>,
}

/// List tasks, most urgent first
#[utoipa::path(get, path = "/api/v1/tasks", tag = "memory", params(TasksQuery),
    responses((status = 200, body = Vec<Task>), (status = "default", body = ProblemBody)))]
async fn list_tasks(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    Query(query): Query<TasksQuery>,
) -> Result<Json<Vec<Task>>, Problem> {
    let status = query.status.map(TaskStatus::as_str);
    Ok(Json(memory.list_tasks(&ctx, query.user_id.as_deref(), status, list_limit(query.limit)?).await?))
}

/// Record a task
#[utoipa::path(post, path = "/api/v1/tasks", tag = "memory", request_body = TaskPatch,
    responses((status = 201, body = Task), (status = "default", body = ProblemBody)))]
async fn add_task(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    Body(new): Body<TaskPatch>,
) -> Result<(StatusCode, Json<Task>), Problem> {
    Ok((StatusCode::CREATED, Json(memory.record_task(&ctx, None, new).await?)))
}

/// Change a task
#[utoipa::path(patch, path = "/api/v1/tasks/{task_id}", tag = "memory", request_body = TaskPatch,
    params(("task_id" = String, Path, description = "`tsk_…`")),
    responses((status = 200, body = Task), (status = "default", body = ProblemBody)))]
async fn change_task(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    UrlPath(task_id): UrlPath<String>,
    Body(change): Body<TaskPatch>,
) -> Result<Json<Task>, Problem> {
    Ok(Json(memory.record_task(&ctx, Some(&task_id), change).await?))
}
