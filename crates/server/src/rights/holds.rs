//! HTTP of legal holds, for administrators of the tenant.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use httpkit::{Body, Caller, Problem, ProblemBody, UrlPath};
use identity::audit::{self, AuditEntry};
use kernel::{Ctx, Error, Micros, Result, Scope};
use memory::rights::check_name;
use serde::{Deserialize, Serialize};
use store::rights::{self, Hold};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Rights;
use super::routes::at_fields;

/// Characters of a reason at most.
const MAX_REASON: usize = 500;

pub(super) fn routes() -> OpenApiRouter<Rights> {
    OpenApiRouter::new().routes(routes!(list_holds)).routes(routes!(place_hold)).routes(routes!(release_hold))
}

/// What to keep: the data of one owner or person (`user_id`), or all of the tenant.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct HoldRequest {
    /// The owner of memories, or the person (`usr_…`), whose data is kept.
    user_id: Option<String>,
    /// Keep all data of the tenant.
    tenant: Option<bool>,
    /// Why, 1–500 characters.
    reason: String,
}

/// A legal hold: what it keeps is neither erased nor removed by retention.
#[derive(Serialize, ToSchema)]
struct HoldBody {
    /// `hld_…`
    hold_id: String,
    /// Whose data is kept; null for all of the tenant.
    user_id: Option<String>,
    reason: String,
    /// Who placed it.
    placed_by: String,
    #[schema(value_type = String, format = DateTime)]
    placed_at: Micros,
}

impl From<Hold> for HoldBody {
    fn from(Hold { hold_id, user_id, reason, placed_by, placed_at, .. }: Hold) -> Self {
        Self { hold_id, user_id, reason, placed_by, placed_at: Micros(placed_at) }
    }
}

/// Holds, newest first.
#[derive(Serialize, ToSchema)]
struct HoldList {
    items: Vec<HoldBody>,
}

impl HoldRequest {
    /// Whose data; `None` for all of the tenant.
    fn user_id(&self) -> Result<Option<&str>> {
        check_name("user_id", self.user_id.as_deref())?;
        check_reason(&self.reason)?;
        match (self.user_id.as_deref(), self.tenant == Some(true)) {
            (Some(user_id), false) => Ok(Some(user_id)),
            (None, true) => Ok(None),
            _ => Err(at_fields(&["user_id", "tenant"], "name either a user_id or \"tenant\": true")),
        }
    }
}

/// Checks why something is held.
///
/// # Errors
/// `validation_failed` for `reason`.
pub(crate) fn check_reason(reason: &str) -> Result<()> {
    let is_odd = |c: char| c.is_control() && c != '\n';
    if reason.trim().is_empty() || reason.chars().count() > MAX_REASON || reason.contains(is_odd) {
        let text = format!("says why in 1 to {MAX_REASON} characters without control characters");
        return Err(Error::field("reason", text));
    }
    Ok(())
}

/// Lists what is held in the tenant, newest first.
#[utoipa::path(get, path = "/api/v1/legal-holds", tag = "identity", operation_id = "list_legal_holds",
    responses((status = 200, body = HoldList), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)))]
async fn list_holds(State(rights): State<Rights>, Caller(ctx): Caller) -> Result<impl IntoResponse, Problem> {
    ctx.require(Scope::Admin)?;
    let mut conn = rights.store.read(&ctx.tenant).await?;
    let holds = rights::list_holds(&mut conn, &ctx.tenant).await?;
    Ok(Json(HoldList { items: holds.into_iter().map(HoldBody::from).collect() }))
}

/// Keeps data from erasure and retention until the hold is released.
#[utoipa::path(post, path = "/api/v1/legal-holds", tag = "identity", operation_id = "place_legal_hold",
    request_body = HoldRequest,
    responses((status = 201, body = HoldBody), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody),
        (status = 409, body = ProblemBody, description = "an erasure of it is running")))]
async fn place_hold(
    State(rights): State<Rights>,
    Caller(ctx): Caller,
    Body(request): Body<HoldRequest>,
) -> Result<impl IntoResponse, Problem> {
    ctx.require(Scope::Admin)?;
    let user_id = request.user_id()?.map(str::to_owned);
    let hold = rights.place_hold(&ctx, user_id, request.reason).await?;
    Ok((StatusCode::CREATED, Json(HoldBody::from(hold))))
}

/// Releases a legal hold; the audit log keeps that there was one.
#[utoipa::path(delete, path = "/api/v1/legal-holds/{hold_id}", tag = "identity", operation_id = "release_legal_hold",
    params(("hold_id" = String, Path, description = "`hld_…`")),
    responses((status = 204), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody)))]
async fn release_hold(
    State(rights): State<Rights>,
    Caller(ctx): Caller,
    UrlPath(hold_id): UrlPath<String>,
) -> Result<impl IntoResponse, Problem> {
    ctx.require(Scope::Admin)?;
    let entry = AuditEntry::of(&ctx, rights.clock.now(), "rights.release", format!("legal_hold:{hold_id}"));
    let tenant = ctx.tenant.clone();
    rights
        .store
        .write("rights.release", &ctx.tenant, move |tx| {
            Box::pin(async move {
                rights::release_hold(tx, &tenant, &hold_id).await?;
                audit::record(tx, &entry).await
            })
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

impl Rights {
    /// Places a hold and writes its audit row, both or neither. The row names the hold alone.
    async fn place_hold(&self, ctx: &Ctx, user_id: Option<String>, reason: String) -> Result<Hold> {
        let mut entry = AuditEntry::of(ctx, self.clock.now(), "rights.hold", "");
        let (tenant, placed_by) = (ctx.tenant.clone(), ctx.owner(None)?);
        self.store
            .write("rights.hold", &ctx.tenant, move |tx| {
                Box::pin(async move {
                    let (user, at) = (user_id.as_deref(), entry.at);
                    let hold_id = rights::place_hold(tx, &tenant, user, &reason, &placed_by, at).await?;
                    entry.resource = format!("legal_hold:{hold_id}");
                    audit::record(tx, &entry).await?;
                    let (tenant_id, placed_at) = (tenant.to_string(), at.0);
                    Ok(Hold { tenant_id, hold_id, user_id, reason, placed_by, placed_at })
                })
            })
            .await
    }
}
