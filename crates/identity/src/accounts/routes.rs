//! Sign-up, sign-in and the first set-up.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use httpkit::{Body, Caller, Meta, Problem, ProblemBody, Visitor};
use kernel::{Micros, Secret};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Registering, SettingUp, SetupState, SigningIn};
use crate::Identity;
use crate::model::{Session, SignedIn};
use crate::routes::{NO_STORE, cookie_pair, cookies};

pub(crate) fn routes() -> OpenApiRouter<Identity> {
    OpenApiRouter::new()
        .routes(routes!(register))
        .routes(routes!(login))
        .routes(routes!(get_setup, complete_setup))
        .routes(routes!(get_session, sign_in, sign_out))
}

fn default_tenant() -> String {
    "default".to_owned()
}

/// A sign-up.
#[derive(Deserialize, ToSchema)]
struct RegisterRequest {
    /// 1–64 characters of `a-z A-Z 0-9 . _ @ -`.
    #[schema(max_length = 64)]
    username: String,
    /// 12–256 bytes.
    #[schema(min_length = 12, max_length = 256)]
    password: String,
    /// Grants nothing; an invitation overrules it.
    #[serde(default = "default_tenant")]
    tenant_id: String,
    /// Not verified.
    email: Option<String>,
    /// Sets tenant and role.
    invitation: Option<String>,
    /// Makes the first owner.
    setup_token: Option<String>,
}

/// A sign-in for tokens.
#[derive(Deserialize, ToSchema)]
struct LoginRequest {
    username: String,
    password: String,
    #[serde(default = "default_tenant")]
    tenant_id: String,
}

/// The first set-up.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SetupRequest {
    /// From the set-up link; needed in production.
    setup_token: Option<String>,
    /// 1–64 characters of `a-z 0-9 - _`.
    #[schema(max_length = 64)]
    tenant_name: String,
    #[schema(max_length = 64)]
    username: String,
    #[schema(min_length = 12, max_length = 256)]
    password: String,
}

/// A sign-in of the page.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignInRequest {
    tenant: String,
    username: String,
    password: String,
}

/// Makes an account and signs it in.
#[utoipa::path(post, path = "/auth/register", tag = "identity", operation_id = "register",
    request_body = RegisterRequest,
    responses((status = 201, body = SignedIn), (status = 400, body = ProblemBody),
        (status = 403, body = ProblemBody, description = "sign-up is closed"),
        (status = 409, body = ProblemBody, description = "the username is taken")))]
async fn register(
    State(identity): State<Identity>,
    Visitor(meta): Visitor,
    Body(request): Body<RegisterRequest>,
) -> Result<impl IntoResponse, Problem> {
    let request = Registering {
        username: request.username,
        password: Secret::new(request.password),
        tenant: request.tenant_id,
        email: request.email.filter(|email| !email.is_empty()),
        invitation: request.invitation.map(Secret::new),
        setup_token: request.setup_token.map(Secret::new),
    };
    let signed_in = identity.register(request, meta.into()).await?;
    Ok((StatusCode::CREATED, NO_STORE, Json(signed_in)))
}

/// Signs in for tokens.
#[utoipa::path(post, path = "/auth/login", tag = "identity", operation_id = "login",
    request_body = LoginRequest,
    responses((status = 200, body = SignedIn),
        (status = 401, body = ProblemBody, description = "one text for every cause"),
        (status = 429, body = ProblemBody)))]
async fn login(
    State(identity): State<Identity>,
    Visitor(meta): Visitor,
    Body(request): Body<LoginRequest>,
) -> Result<impl IntoResponse, Problem> {
    let request = SigningIn {
        username: request.username,
        password: Secret::new(request.password),
        tenant: request.tenant_id,
    };
    Ok((NO_STORE, Json(identity.sign_in(request, meta.into()).await?)))
}

/// Tells whether this server waits for its first owner.
#[utoipa::path(get, path = "/api/v1/setup", tag = "identity", operation_id = "get_setup",
    responses((status = 200, body = SetupState)))]
async fn get_setup(State(identity): State<Identity>, _: Visitor) -> Result<impl IntoResponse, Problem> {
    Ok((NO_STORE, Json(identity.setup_state().await?)))
}

/// Makes the first tenant and its owner, and signs the page in.
#[utoipa::path(post, path = "/api/v1/setup", tag = "identity", operation_id = "complete_setup",
    request_body = SetupRequest,
    responses((status = 201, body = Session), (status = 400, body = ProblemBody),
        (status = 403, body = ProblemBody, description = "the set-up token is missing, used or expired"),
        (status = 409, body = ProblemBody, description = "there is an owner already")))]
async fn complete_setup(
    State(identity): State<Identity>,
    Visitor(meta): Visitor,
    Body(request): Body<SetupRequest>,
) -> Result<impl IntoResponse, Problem> {
    let request = SettingUp {
        setup_token: request.setup_token.map(Secret::new),
        tenant_name: request.tenant_name,
        username: request.username,
        password: Secret::new(request.password),
    };
    let is_encrypted = meta.is_encrypted;
    let page = identity.set_up(request, meta.into()).await?;
    let cookies = cookies(&identity, &page, is_encrypted);
    Ok((StatusCode::CREATED, NO_STORE, cookies, Json(page.session)))
}

/// Signs the page in; answers with two cookies.
#[utoipa::path(post, path = "/api/v1/session", tag = "identity", operation_id = "sign_in",
    request_body = SignInRequest,
    responses((status = 200, body = Session), (status = 401, body = ProblemBody), (status = 429, body = ProblemBody)))]
async fn sign_in(
    State(identity): State<Identity>,
    Visitor(meta): Visitor,
    Body(request): Body<SignInRequest>,
) -> Result<impl IntoResponse, Problem> {
    let request = SigningIn {
        username: request.username,
        password: Secret::new(request.password),
        tenant: request.tenant,
    };
    let is_encrypted = meta.is_encrypted;
    let page = identity.sign_in_page(request, meta.into()).await?;
    let cookies = cookies(&identity, &page, is_encrypted);
    Ok((NO_STORE, cookies, Json(page.session)))
}

/// Tells who is signed in, and renews the life of the cookies.
#[utoipa::path(get, path = "/api/v1/session", tag = "identity", operation_id = "get_session",
    responses((status = 200, body = Session), (status = 401, body = ProblemBody)))]
async fn get_session(
    State(identity): State<Identity>,
    Caller(ctx): Caller,
    meta: Meta,
) -> Result<impl IntoResponse, Problem> {
    let session = identity.page_session(&ctx).await?;
    let life = identity.config().refresh_ttl / Micros::SECOND;
    let renewed = meta
        .credentials
        .cookie
        .map(|cookie| cookie_pair(cookie.expose(), &session.csrf_token, life, meta.is_encrypted));
    let answer = (NO_STORE, Json(session));
    Ok(match renewed {
        Some(cookies) => (cookies, answer).into_response(),
        None => answer.into_response(),
    })
}

/// Ends the session and removes its cookies.
#[utoipa::path(delete, path = "/api/v1/session", tag = "identity", operation_id = "sign_out",
    responses((status = 204), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)))]
async fn sign_out(
    State(identity): State<Identity>,
    Caller(ctx): Caller,
    meta: Meta,
) -> Result<impl IntoResponse, Problem> {
    identity.sign_out(&ctx).await?;
    Ok((StatusCode::NO_CONTENT, cookie_pair("", "", 0, meta.is_encrypted)))
}
