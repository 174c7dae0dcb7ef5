//! People, their roles, accounts and sessions.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use httpkit::{Body, Caller, PageQuery, Problem, ProblemBody, Query, UrlPath};
use kernel::{Error, Role};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::User;
use crate::Identity;
use crate::sessions::SignIns;

pub(crate) fn routes() -> OpenApiRouter<Identity> {
    OpenApiRouter::new()
        .routes(routes!(list_users))
        .routes(routes!(set_user_role))
        .routes(routes!(disable_user))
        .routes(routes!(enable_user))
        .routes(routes!(list_user_sessions))
        .routes(routes!(end_user_session))
}

/// The new role.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RoleRequest {
    /// `owner`, `admin`, `member`, `viewer`, or null for none.
    #[serde(deserialize_with = "Option::deserialize")]
    role: Option<String>,
}

/// People, in the order they came.
#[derive(Serialize, ToSchema)]
struct UserPage {
    items: Vec<User>,
    next_cursor: Option<String>,
}

pub(crate) fn role(name: &str) -> Result<Role, Error> {
    Role::parse(name).ok_or_else(|| Error::field("role", "is owner, admin, member or viewer"))
}

/// Lists the people of the tenant.
#[utoipa::path(get, path = "/api/v1/users", tag = "identity", operation_id = "list_users",
    params(PageQuery),
    responses((status = 200, body = UserPage), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody)))]
async fn list_users(
    State(identity): State<Identity>,
    Caller(ctx): Caller,
    Query(page): Query<PageQuery>,
) -> Result<impl IntoResponse, Problem> {
    let page = identity.list_users(&ctx, page.request()?).await?;
    Ok(Json(UserPage { items: page.items, next_cursor: page.next_cursor }))
}

/// Gives a person a role, or takes it away.
#[utoipa::path(put, path = "/api/v1/users/{id}/role", tag = "identity", operation_id = "set_user_role",
    params(("id" = String, Path, description = "`usr_…`")),
    request_body = RoleRequest,
    responses((status = 200, body = User), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody, description = "the last owner stays")))]
async fn set_user_role(
    State(identity): State<Identity>,
    Caller(ctx): Caller,
    UrlPath(id): UrlPath<String>,
    Body(request): Body<RoleRequest>,
) -> Result<impl IntoResponse, Problem> {
    let role = request.role.as_deref().map(role).transpose()?;
    Ok(Json(identity.set_role(&ctx, &id, role).await?))
}

/// Closes a person's account: their sessions end at once, their keys open nothing.
#[utoipa::path(post, path = "/api/v1/users/{id}/disable", tag = "identity", operation_id = "disable_user",
    params(("id" = String, Path, description = "`usr_…`")),
    responses((status = 200, body = User), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody, description = "the last owner stays")))]
async fn disable_user(
    State(identity): State<Identity>,
    Caller(ctx): Caller,
    UrlPath(id): UrlPath<String>,
) -> Result<impl IntoResponse, Problem> {
    Ok(Json(identity.disable_user(&ctx, &id).await?))
}

/// Opens a closed account again; its sessions stay ended.
#[utoipa::path(post, path = "/api/v1/users/{id}/enable", tag = "identity", operation_id = "enable_user",
    params(("id" = String, Path, description = "`usr_…`")),
    responses((status = 200, body = User), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody)))]
async fn enable_user(
    State(identity): State<Identity>,
    Caller(ctx): Caller,
    UrlPath(id): UrlPath<String>,
) -> Result<impl IntoResponse, Problem> {
    Ok(Json(identity.enable_user(&ctx, &id).await?))
}

/// Lists a person's open sessions, newest first.
#[utoipa::path(get, path = "/api/v1/users/{id}/sessions", tag = "identity", operation_id = "list_user_sessions",
    params(("id" = String, Path, description = "`usr_…`")),
    responses((status = 200, body = SignIns), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody)))]
async fn list_user_sessions(
    State(identity): State<Identity>,
    Caller(ctx): Caller,
    UrlPath(id): UrlPath<String>,
) -> Result<impl IntoResponse, Problem> {
    Ok(Json(identity.list_sessions_of(&ctx, &id).await?))
}

/// Ends one of a person's sessions.
#[utoipa::path(delete, path = "/api/v1/users/{id}/sessions/{sid}", tag = "identity", operation_id = "end_user_session",
    params(("id" = String, Path, description = "`usr_…`"), ("sid" = String, Path, description = "`ses_…`")),
    responses((status = 204), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody)))]
async fn end_user_session(
    State(identity): State<Identity>,
    Caller(ctx): Caller,
    UrlPath((id, session_id)): UrlPath<(String, String)>,
) -> Result<impl IntoResponse, Problem> {
    identity.end_session_of(&ctx, &id, &session_id).await?;
    Ok(StatusCode::NO_CONTENT)
}
