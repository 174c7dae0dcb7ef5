//! People, roles and invitations.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use httpkit::{Body, Caller, PageQuery, Problem, ProblemBody, Query, UrlPath};
use kernel::{Error, Micros, Role};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::User;
use crate::Identity;
use crate::routes::NO_STORE;

pub(crate) fn routes() -> OpenApiRouter<Identity> {
    OpenApiRouter::new()
        .routes(routes!(create_invitation))
        .routes(routes!(list_users))
        .routes(routes!(set_user_role))
}

/// Whom to invite.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct InvitationRequest {
    /// `owner`, `admin`, `member` or `viewer`.
    role: String,
}

/// An invitation that was made just now. Its token is shown this once.
#[derive(Serialize, ToSchema)]
struct InvitationCreated {
    invitation_id: String,
    token: String,
    role: &'static str,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Micros,
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

fn role(name: &str) -> Result<Role, Error> {
    Role::parse(name).ok_or_else(|| Error::field("role", "is owner, admin, member or viewer"))
}

/// Invites one person into the caller's tenant.
#[utoipa::path(post, path = "/api/v1/invitations", tag = "identity", operation_id = "create_invitation",
    request_body = InvitationRequest,
    responses((status = 201, body = InvitationCreated), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)))]
async fn create_invitation(
    State(identity): State<Identity>,
    Caller(ctx): Caller,
    Body(request): Body<InvitationRequest>,
) -> Result<impl IntoResponse, Problem> {
    let made = identity.invite(&ctx, role(&request.role)?).await?;
    let body = InvitationCreated {
        invitation_id: made.invitation_id,
        token: made.token.expose().to_owned(),
        role: made.role.as_str(),
        expires_at: made.expires_at,
    };
    Ok((StatusCode::CREATED, NO_STORE, Json(body)))
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
