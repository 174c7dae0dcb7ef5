//! Tokens and open sessions.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use httpkit::{Body, Caller, Problem, ProblemBody, UrlPath, Visitor};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{SignIns, Validation};
use crate::Identity;
use crate::model::SignedIn;
use crate::routes::NO_STORE;

pub(crate) fn routes() -> OpenApiRouter<Identity> {
    OpenApiRouter::new()
        .routes(routes!(refresh))
        .routes(routes!(revoke))
        .routes(routes!(validate))
        .routes(routes!(list_sign_ins))
        .routes(routes!(end_sign_in))
}

/// A refresh token.
#[derive(Deserialize, ToSchema)]
struct RefreshRequest {
    refresh_token: String,
}

/// An access token.
#[derive(Deserialize, ToSchema)]
struct ValidateRequest {
    token: String,
}

/// The session of the token is over.
#[derive(Serialize, ToSchema)]
struct Revoked {
    revoked: bool,
}

/// Exchanges a refresh token for a new pair; a second use of a token ends its session.
#[utoipa::path(post, path = "/auth/token/refresh", tag = "identity", operation_id = "refresh_token",
    request_body = RefreshRequest,
    responses((status = 200, body = SignedIn), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody, description = "the token was used before")))]
async fn refresh(
    State(identity): State<Identity>,
    Visitor(meta): Visitor,
    Body(request): Body<RefreshRequest>,
) -> Result<impl IntoResponse, Problem> {
    let signed_in = identity.refresh(&request.refresh_token, meta.into()).await?;
    Ok((NO_STORE, Json(signed_in)))
}

/// Ends the session of a refresh token; an unknown one is no error.
#[utoipa::path(post, path = "/auth/token/revoke", tag = "identity", operation_id = "revoke_token",
    request_body = RefreshRequest, responses((status = 200, body = Revoked)))]
async fn revoke(
    State(identity): State<Identity>,
    Visitor(meta): Visitor,
    Body(request): Body<RefreshRequest>,
) -> Result<impl IntoResponse, Problem> {
    identity.revoke(&request.refresh_token, meta.into()).await?;
    Ok(Json(Revoked { revoked: true }))
}

/// Tells whether an access token opens anything.
#[utoipa::path(post, path = "/auth/validate", tag = "identity", operation_id = "validate_token",
    request_body = ValidateRequest, responses((status = 200, body = Validation)))]
async fn validate(
    State(identity): State<Identity>,
    _: Visitor,
    Body(request): Body<ValidateRequest>,
) -> Result<impl IntoResponse, Problem> {
    Ok((NO_STORE, Json(identity.validate(&request.token).await?)))
}

/// Lists the caller's open sessions, newest first.
#[utoipa::path(get, path = "/auth/sessions", tag = "identity", operation_id = "list_sign_ins",
    responses((status = 200, body = SignIns), (status = 401, body = ProblemBody)))]
async fn list_sign_ins(
    State(identity): State<Identity>,
    Caller(ctx): Caller,
) -> Result<impl IntoResponse, Problem> {
    Ok(Json(identity.list_sessions(&ctx).await?))
}

/// Ends one of the caller's sessions.
#[utoipa::path(delete, path = "/auth/sessions/{id}", tag = "identity", operation_id = "end_sign_in",
    params(("id" = String, Path, description = "`ses_…`")),
    responses((status = 204), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
async fn end_sign_in(
    State(identity): State<Identity>,
    Caller(ctx): Caller,
    UrlPath(id): UrlPath<String>,
) -> Result<impl IntoResponse, Problem> {
    identity.end_session(&ctx, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
