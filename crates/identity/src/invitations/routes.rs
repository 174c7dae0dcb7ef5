//! Invitations.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use httpkit::{Body, Caller, PageQuery, Problem, ProblemBody, Query, UrlPath};
use kernel::Micros;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ListedInvitation;
use crate::Identity;
use crate::people::role;
use crate::routes::NO_STORE;

pub(crate) fn routes() -> OpenApiRouter<Identity> {
    OpenApiRouter::new()
        .routes(routes!(create_invitation, list_invitations))
        .routes(routes!(withdraw_invitation))
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

/// Invitations, newest first.
#[derive(Serialize, ToSchema)]
struct InvitationPage {
    items: Vec<ListedInvitation>,
    next_cursor: Option<String>,
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

/// Lists the tenant's invitations, newest first, without their tokens.
#[utoipa::path(get, path = "/api/v1/invitations", tag = "identity", operation_id = "list_invitations",
    params(PageQuery),
    responses((status = 200, body = InvitationPage), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody)))]
async fn list_invitations(
    State(identity): State<Identity>,
    Caller(ctx): Caller,
    Query(page): Query<PageQuery>,
) -> Result<impl IntoResponse, Problem> {
    let page = identity.list_invitations(&ctx, page.request()?).await?;
    Ok(Json(InvitationPage { items: page.items, next_cursor: page.next_cursor }))
}

/// Withdraws an invitation that nobody has used.
#[utoipa::path(delete, path = "/api/v1/invitations/{id}", tag = "identity", operation_id = "withdraw_invitation",
    params(("id" = String, Path, description = "`inv_…`")),
    responses((status = 204), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody)))]
async fn withdraw_invitation(
    State(identity): State<Identity>,
    Caller(ctx): Caller,
    UrlPath(id): UrlPath<String>,
) -> Result<impl IntoResponse, Problem> {
    identity.withdraw_invitation(&ctx, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
