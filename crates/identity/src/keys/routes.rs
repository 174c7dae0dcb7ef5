//! API keys, in the contract's form and in ours, and tokens made with keys.

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

use super::{ActsFor, ApiKey, Minted, NewApiKey, NewKey};
use crate::Identity;
use crate::routes::NO_STORE;

pub(crate) fn routes() -> OpenApiRouter<Identity> {
    OpenApiRouter::new()
        .routes(routes!(create_contract_key))
        .routes(routes!(list_api_keys, create_api_key))
        .routes(routes!(revoke_api_key))
        .routes(routes!(mint_token))
}

/// A key in the contract's form.
#[derive(Deserialize, ToSchema)]
struct ContractKeyRequest {
    /// At least one.
    scopes: Vec<String>,
    /// 1–100 characters.
    #[schema(max_length = 100)]
    name: Option<String>,
    /// Never later than the key that makes it.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Micros>,
}

/// A key to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ApiKeyRequest {
    /// 1–100 characters.
    #[schema(max_length = 100)]
    name: String,
    /// At least one, none beyond the caller's own.
    scopes: Vec<String>,
    /// `self` when absent; `anyone` needs an administrator.
    acts_for: Option<ActsFor>,
    /// Never later than the key that makes it.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Micros>,
}

/// A key that was made just now. It is shown this once.
#[derive(Serialize, ToSchema)]
struct ApiKeyCreated {
    /// `hk_` and 52 characters.
    api_key: String,
    tenant_id: String,
    #[serde(flatten)]
    key: ApiKey,
}

/// Keys, newest first.
#[derive(Serialize, ToSchema)]
struct ApiKeyPage {
    items: Vec<ApiKey>,
    next_cursor: Option<String>,
}

/// A token for the person that the key is bound to.
#[derive(Deserialize, ToSchema)]
struct MintRequest {
    user_id: String,
    /// 1–24; more is cut to 24.
    expires_in_hours: Option<i64>,
}

fn created(made: NewKey) -> impl IntoResponse {
    let body =
        ApiKeyCreated { api_key: made.secret.expose().to_owned(), tenant_id: made.tenant_id, key: made.key };
    (StatusCode::CREATED, NO_STORE, Json(body))
}

/// Makes an API key: for anyone when the caller is an administrator, else for the caller.
#[utoipa::path(post, path = "/auth/api-keys", tag = "identity", operation_id = "create_contract_api_key",
    request_body = ContractKeyRequest,
    responses((status = 201, body = ApiKeyCreated), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)))]
async fn create_contract_key(
    State(identity): State<Identity>,
    Caller(ctx): Caller,
    Body(request): Body<ContractKeyRequest>,
) -> Result<impl IntoResponse, Problem> {
    let request = NewApiKey {
        name: request.name.unwrap_or_else(|| "API key".to_owned()),
        scopes: request.scopes,
        acts_for: None,
        expires_at: request.expires_at,
    };
    Ok(created(identity.create_key(&ctx, request).await?))
}

/// Makes an API key.
#[utoipa::path(post, path = "/api/v1/api-keys", tag = "identity", operation_id = "create_api_key",
    request_body = ApiKeyRequest,
    responses((status = 201, body = ApiKeyCreated), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)))]
async fn create_api_key(
    State(identity): State<Identity>,
    Caller(ctx): Caller,
    Body(request): Body<ApiKeyRequest>,
) -> Result<impl IntoResponse, Problem> {
    let request = NewApiKey {
        name: request.name,
        scopes: request.scopes,
        acts_for: Some(request.acts_for.unwrap_or(ActsFor::Myself)),
        expires_at: request.expires_at,
    };
    Ok(created(identity.create_key(&ctx, request).await?))
}

/// Lists API keys: all of the tenant for an administrator, else the caller's own.
#[utoipa::path(get, path = "/api/v1/api-keys", tag = "identity", operation_id = "list_api_keys",
    params(PageQuery),
    responses((status = 200, body = ApiKeyPage), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody)))]
async fn list_api_keys(
    State(identity): State<Identity>,
    Caller(ctx): Caller,
    Query(page): Query<PageQuery>,
) -> Result<impl IntoResponse, Problem> {
    let page = identity.list_keys(&ctx, page.request()?).await?;
    Ok(Json(ApiKeyPage { items: page.items, next_cursor: page.next_cursor }))
}

/// Revokes an API key and ends the sessions made with it.
#[utoipa::path(delete, path = "/api/v1/api-keys/{key_id}", tag = "identity", operation_id = "revoke_api_key",
    params(("key_id" = String, Path, description = "`key_…`")),
    responses((status = 204), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody)))]
async fn revoke_api_key(
    State(identity): State<Identity>,
    Caller(ctx): Caller,
    UrlPath(key_id): UrlPath<String>,
) -> Result<impl IntoResponse, Problem> {
    identity.revoke_key(&ctx, &key_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes an access token for the person that the caller's key is bound to.
#[utoipa::path(post, path = "/auth/token", tag = "identity", operation_id = "mint_token",
    request_body = MintRequest,
    responses((status = 200, body = Minted), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody, description = "the key is not bound to that person")))]
async fn mint_token(
    State(identity): State<Identity>,
    Caller(ctx): Caller,
    Body(request): Body<MintRequest>,
) -> Result<impl IntoResponse, Problem> {
    let minted = identity.mint_access(&ctx, &request.user_id, request.expires_in_hours).await?;
    Ok((NO_STORE, Json(minted)))
}
