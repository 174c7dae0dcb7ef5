//! HTTP of rules.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use httpkit::{Body, Caller, Problem, ProblemBody, Query, UrlPath};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{NewRule, Rule, RulePatch, RuleScope, RuleState};
use super::service::RuleFilter;
use crate::Memory;
use crate::timeline::routes::list_limit;

/// Routes of this slice.
pub(crate) fn routes() -> OpenApiRouter<Memory> {
    OpenApiRouter::new().routes(routes!(list_rules, add_rule)).routes(routes!(
        get_rule,
        change_rule,
        remove_rule
    ))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RulesQuery {
    /// Owner.
    user_id: Option<String>,
    /// Only this scope.
    #[param(inline)]
    scope: Option<RuleScope>,
    /// `active` when absent.
    #[param(inline)]
    state: Option<RuleState>,
    /// Rules, 1–1,000; 100 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<i64>,
}

/// List an owner's rules and the tenant's, the tenant's first, then by priority
#[utoipa::path(get, path = "/api/v1/rules", tag = "memory", params(RulesQuery),
    responses((status = 200, body = Vec<Rule>), (status = "default", body = ProblemBody)))]
async fn list_rules(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    Query(query): Query<RulesQuery>,
) -> Result<Json<Vec<Rule>>, Problem> {
    let limit = list_limit(query.limit)?;
    let filter = RuleFilter { user_id: query.user_id, scope: query.scope, state: query.state };
    Ok(Json(memory.list_rules(&ctx, &filter, limit).await?))
}

/// Make a rule
#[utoipa::path(post, path = "/api/v1/rules", tag = "memory", request_body = NewRule,
    responses((status = 201, body = Rule), (status = "default", body = ProblemBody)))]
async fn add_rule(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    Body(new): Body<NewRule>,
) -> Result<(StatusCode, Json<Rule>), Problem> {
    Ok((StatusCode::CREATED, Json(memory.add_rule(&ctx, new).await?)))
}

/// Read one rule
#[utoipa::path(get, path = "/api/v1/rules/{rule_id}", tag = "memory",
    params(("rule_id" = String, Path, description = "`rul_…`")),
    responses((status = 200, body = Rule), (status = "default", body = ProblemBody)))]
async fn get_rule(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    UrlPath(rule_id): UrlPath<String>,
) -> Result<Json<Rule>, Problem> {
    Ok(Json(memory.get_rule(&ctx, &rule_id).await?))
}

/// Change a rule
#[utoipa::path(patch, path = "/api/v1/rules/{rule_id}", tag = "memory", request_body = RulePatch,
    params(("rule_id" = String, Path, description = "`rul_…`")),
    responses((status = 200, body = Rule), (status = "default", body = ProblemBody)))]
async fn change_rule(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    UrlPath(rule_id): UrlPath<String>,
    Body(patch): Body<RulePatch>,
) -> Result<Json<Rule>, Problem> {
    Ok(Json(memory.change_rule(&ctx, &rule_id, patch).await?))
}

/// Remove a rule
#[utoipa::path(delete, path = "/api/v1/rules/{rule_id}", tag = "memory",
    params(("rule_id" = String, Path, description = "`rul_…`")),
    responses((status = 204), (status = "default", body = ProblemBody)))]
async fn remove_rule(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    UrlPath(rule_id): UrlPath<String>,
) -> Result<StatusCode, Problem> {
    memory.remove_rule(&ctx, &rule_id).await?;
    Ok(StatusCode::NO_CONTENT)
}
