//! HTTP of data rights.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use httpkit::{Body, Caller, PageQuery, Problem, ProblemBody, Query, UrlPath};
use kernel::{Ctx, Cursor, Error, FieldError, Micros, Page, Result, Scope};
use memory::rights::check_name;
use serde::{Deserialize, Serialize};
use store::rights::{self, Counts, Erasure, Subject, Who};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Rights;

/// Every route of data rights.
pub(crate) fn routes() -> OpenApiRouter<Rights> {
    OpenApiRouter::new()
        .routes(routes!(erase_memory))
        .routes(routes!(list_erasures))
        .routes(routes!(get_erasure))
        .routes(routes!(get_certificate))
        .routes(routes!(erase_user))
        .merge(super::holds::routes())
        .merge(super::exporting::routes())
}

/// Whose memory to erase: one conversation (`session_id`), all of one owner (`user_id` alone), or all of the tenant.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EraseRequest {
    /// One conversation of the owner.
    session_id: Option<String>,
    /// The owner; with `session_id` the caller's own when absent. Anybody else's needs the scope `admin`.
    user_id: Option<String>,
    /// All memory of the tenant; needs the scope `admin`.
    tenant: Option<bool>,
    /// Repeats what is erased: the session_id, the user_id, or the name of the tenant.
    confirm: String,
}

/// The account to erase.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EraseUserRequest {
    /// Repeats the id of the account.
    confirm: String,
}

/// What one table held of the subject.
#[derive(Serialize, ToSchema)]
struct CountsBody {
    /// Rows when the erasure began.
    before: i64,
    /// Rows removed so far.
    removed: i64,
    /// Rows left at the end.
    after: i64,
}

impl From<Counts> for CountsBody {
    fn from(Counts { before, removed, after }: Counts) -> Self {
        Self { before, removed, after }
    }
}

/// An erasure and how far it has come.
#[derive(Serialize, ToSchema)]
struct ErasureBody {
    /// `era_…`
    erasure_id: String,
    /// `session`, `owner`, `person`, `memory` or `tenant`.
    kind: String,
    /// The owner or person; null once it is done, because then no name is left.
    user_id: Option<String>,
    /// The conversation; null once it is done.
    session_id: Option<String>,
    /// `waiting`, `running` or `done`.
    state: &'static str,
    /// Who asked for it.
    requested_by: String,
    #[schema(value_type = String, format = DateTime)]
    requested_at: Micros,
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Micros>,
    /// Rows by table; empty while it waits.
    tables: BTreeMap<String, CountsBody>,
    /// Objects removed so far.
    objects: usize,
}

impl TryFrom<Erasure> for ErasureBody {
    type Error = Error;

    fn try_from(row: Erasure) -> Result<Self> {
        let report = rights::report_of(&row)?;
        let state = match row.finished_at {
            Some(_) => "done",
            None if report.tables.is_empty() => "waiting",
            None => "running",
        };
        Ok(Self {
            erasure_id: row.erasure_id,
            kind: row.kind,
            user_id: row.user_id,
            session_id: row.session_id,
            state,
            requested_by: row.requested_by,
            requested_at: Micros(row.requested_at),
            finished_at: row.finished_at.map(Micros),
            tables: report.tables.into_iter().map(|(table, counts)| (table, counts.into())).collect(),
            objects: report.objects.len(),
        })
    }
}

/// Erasures, newest first.
#[derive(Serialize, ToSchema)]
struct ErasurePage {
    items: Vec<ErasureBody>,
    next_cursor: Option<String>,
}

impl EraseRequest {
    fn subject(self, ctx: &Ctx) -> Result<Subject> {
        check_name("session_id", self.session_id.as_deref())?;
        check_name("user_id", self.user_id.as_deref())?;
        let is_all = self.tenant == Some(true);
        let (who, field, named) = match (self.session_id, self.user_id, is_all) {
            (Some(session_id), user_id, false) => {
                let named = session_id.clone();
                (Who::Session { user_id: Rights::owner(ctx, user_id)?, session_id }, "session_id", named)
            }
            (None, Some(user_id), false) => {
                (Who::Owner(Rights::owner(ctx, Some(user_id.clone()))?), "user_id", user_id)
            }
            (None, None, true) => (Who::Memory, "tenant", ctx.tenant.to_string()),
            _ => {
                let text = "name one of session_id, user_id and \"tenant\": true; a session_id may come with its user_id";
                return Err(at_fields(&["user_id", "session_id", "tenant"], text));
            }
        };
        confirmed(&self.confirm, field, &named)?;
        Ok(Subject { tenant: ctx.tenant.clone(), who })
    }
}

fn confirmed(confirm: &str, field: &str, named: &str) -> Result<()> {
    if confirm == named {
        return Ok(());
    }
    let text = format!("confirm repeats the {field} letter for letter; an erasure cannot be undone");
    Err(at_fields(&["confirm", field], &text))
}

/// One mistake that lies between several fields.
pub(super) fn at_fields(fields: &[&str], text: &str) -> Error {
    let mut error = Error::field(fields[0], text);
    let error_at =
        |field: &&str| FieldError { field: (*field).to_owned(), message: text.to_owned(), index: None };
    error.fields.extend(fields[1..].iter().map(error_at));
    error
}

/// Erases memory for good. Nobody reads or writes it from the answer on; a job removes it and writes a certificate.
#[utoipa::path(post, path = "/api/v1/memory/erasures", tag = "memory", operation_id = "erase_memory",
    request_body = EraseRequest,
    responses((status = 202, body = ErasureBody), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody, description = "a legal hold keeps it")))]
async fn erase_memory(
    State(rights): State<Rights>,
    Caller(ctx): Caller,
    Body(request): Body<EraseRequest>,
) -> Result<impl IntoResponse, Problem> {
    let subject = request.subject(&ctx)?;
    let erasure = rights.erase(&ctx, subject).await?;
    Ok((StatusCode::ACCEPTED, Json(ErasureBody::try_from(erasure)?)))
}

/// Lists erasures, newest first: administrators see all of the tenant, others those that they asked for.
#[utoipa::path(get, path = "/api/v1/memory/erasures", tag = "memory", operation_id = "list_erasures",
    params(PageQuery),
    responses((status = 200, body = ErasurePage), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody)))]
async fn list_erasures(
    State(rights): State<Rights>,
    Caller(ctx): Caller,
    Query(page): Query<PageQuery>,
) -> Result<impl IntoResponse, Problem> {
    ctx.require(Scope::MemoryRead)?;
    let page = page.request()?;
    let before: Option<String> = page.cursor.as_deref().map(Cursor::key).transpose()?;
    let asker = asker(&ctx)?;
    let mut conn = rights.store.read(&ctx.tenant).await?;
    let wanted = i64::from(page.limit) + 1;
    let rows =
        rights::list_erasures(&mut conn, &ctx.tenant, asker.as_deref(), before.as_deref(), wanted).await?;
    let page = Page::cut(rows, page.limit, |row| row.erasure_id.clone());
    let items = page.items.into_iter().map(ErasureBody::try_from).collect::<Result<_>>()?;
    Ok(Json(ErasurePage { items, next_cursor: page.next_cursor }))
}

/// Whose requests a caller sees; `None` sees all of the tenant.
pub(super) fn asker(ctx: &Ctx) -> Result<Option<String>> {
    if ctx.scopes.has(Scope::Admin) { Ok(None) } else { ctx.owner(None).map(Some) }
}

async fn visible(rights: &Rights, ctx: &Ctx, erasure_id: &str) -> Result<Erasure> {
    ctx.require(Scope::MemoryRead)?;
    let found = rights.get(&ctx.tenant, erasure_id).await?;
    match asker(ctx)? {
        Some(asker) if asker != found.requested_by => Err(Error::foreign("erasure")),
        _ => Ok(found),
    }
}

/// Shows an erasure and how far it has come.
#[utoipa::path(get, path = "/api/v1/memory/erasures/{erasure_id}", tag = "memory", operation_id = "get_erasure",
    params(("erasure_id" = String, Path, description = "`era_…`")),
    responses((status = 200, body = ErasureBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
async fn get_erasure(
    State(rights): State<Rights>,
    Caller(ctx): Caller,
    UrlPath(erasure_id): UrlPath<String>,
) -> Result<impl IntoResponse, Problem> {
    Ok(Json(ErasureBody::try_from(visible(&rights, &ctx, &erasure_id).await?)?))
}

/// Downloads the signed certificate of an erasure that is done; `hearth verify-certificate` checks it.
#[utoipa::path(get, path = "/api/v1/memory/erasures/{erasure_id}/certificate", tag = "memory",
    operation_id = "get_erasure_certificate",
    params(("erasure_id" = String, Path, description = "`era_…`")),
    responses((status = 200, content_type = "application/json"), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody, description = "it is not done yet")))]
async fn get_certificate(
    State(rights): State<Rights>,
    Caller(ctx): Caller,
    UrlPath(erasure_id): UrlPath<String>,
) -> Result<impl IntoResponse, Problem> {
    let erasure = visible(&rights, &ctx, &erasure_id).await?;
    let text = erasure.certificate.ok_or_else(|| {
        Error::conflict("erasure_in_progress", "this erasure is not done; its certificate comes with its end")
    })?;
    let name = format!("attachment; filename=\"{}.json\"", erasure.erasure_id);
    Ok(([(header::CONTENT_TYPE, "application/json".to_owned()), (header::CONTENT_DISPOSITION, name)], text))
}

/// Erases a person: closes the account at once, then removes it with all memories that it owns.
#[utoipa::path(post, path = "/api/v1/users/{id}/erase", tag = "identity", operation_id = "erase_user",
    params(("id" = String, Path, description = "`usr_…`")),
    request_body = EraseUserRequest,
    responses((status = 202, body = ErasureBody), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody, description = "the last owner stays, or a legal hold keeps it")))]
async fn erase_user(
    State(rights): State<Rights>,
    Caller(ctx): Caller,
    UrlPath(id): UrlPath<String>,
    Body(request): Body<EraseUserRequest>,
) -> Result<impl IntoResponse, Problem> {
    confirmed(&request.confirm, "id", &id)?;
    let erasure = rights.erase_person(&ctx, &id).await?;
    Ok((StatusCode::ACCEPTED, Json(ErasureBody::try_from(erasure)?)))
}
