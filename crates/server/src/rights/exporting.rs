//! Exports: asked for, made by a job, downloaded in as many pieces as it takes, gone after seven days.

use axum::Json;
use axum::body::Body as Stream;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::TryStreamExt;
use futures::stream::{self, BoxStream, StreamExt};
use httpkit::{Body, Caller, PageQuery, Problem, ProblemBody, Query, UrlPath, byte_range};
use identity::audit::{self, AuditEntry};
use kernel::{Ctx, Cursor, Error, Micros, Page, Result, Scope, TenantId};
use memory::rights::check_name;
use serde::{Deserialize, Serialize};
use store::blob::Hasher;
use store::jobs::{self, Job, NewJob};
use store::rights::{self, Export, ExportPart, ExportRow, Subject, Who};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::routes::{asker, at_fields};
use super::{DOMAINS, Rights};

/// Kind of the job that exports; its key is the export.
pub(crate) const EXPORT: &str = "rights.export";
/// Bytes of one part.
const PART_BYTES: usize = 4 << 20;

pub(super) fn routes() -> OpenApiRouter<Rights> {
    OpenApiRouter::new()
        .routes(routes!(export_memory))
        .routes(routes!(list_exports))
        .routes(routes!(get_export))
        .routes(routes!(download_export))
}

/// What to export: all about one owner or person, or about everybody of the tenant.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ExportRequest {
    /// The owner of memories, or the person (`usr_…`) with the account; the caller when absent. Anybody else's needs the scope
    /// `admin`.
    user_id: Option<String>,
    /// Everything of the tenant; needs the scope `admin`.
    tenant: Option<bool>,
    /// Whether stored objects, such as long texts, are in it; false when absent.
    objects: Option<bool>,
}

/// An export.
#[derive(Serialize, ToSchema)]
struct ExportBody {
    /// `exp_…`
    export_id: String,
    /// Whose data; null for all of the tenant.
    user_id: Option<String>,
    /// Whether stored objects are in it.
    objects: bool,
    /// `running` or `done`.
    state: &'static str,
    /// Who asked for it.
    requested_by: String,
    #[schema(value_type = String, format = DateTime)]
    requested_at: Micros,
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Micros>,
    /// When it is removed.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Micros,
    /// Bytes so far.
    size_bytes: i64,
    /// SHA-256 of the file, when it is done.
    sha256: Option<String>,
}

impl From<ExportRow> for ExportBody {
    fn from(row: ExportRow) -> Self {
        Self {
            export_id: row.export_id,
            user_id: row.user_id,
            objects: row.with_objects,
            state: if row.finished_at.is_some() { "done" } else { "running" },
            requested_by: row.requested_by,
            requested_at: Micros(row.requested_at),
            finished_at: row.finished_at.map(Micros),
            expires_at: Micros(row.requested_at).plus(rights::EXPORT_DAYS * Micros::DAY),
            size_bytes: row.size_bytes,
            sha256: row.sha256,
        }
    }
}

/// Exports, newest first.
#[derive(Serialize, ToSchema)]
struct ExportPage {
    items: Vec<ExportBody>,
    next_cursor: Option<String>,
}

/// Whose data an export has.
pub(crate) fn exported(tenant: TenantId, user_id: Option<String>) -> Subject {
    let who = match user_id {
        None => Who::Tenant,
        Some(user_id) if kernel::id::is_id("usr", &user_id) => Who::Person(user_id),
        Some(user_id) => Who::Owner(user_id),
    };
    Subject { tenant, who }
}

/// Makes a copy of everything held about somebody, as lines of JSON; a job writes it, and it can be downloaded for seven days.
#[utoipa::path(post, path = "/api/v1/memory/export", tag = "memory", operation_id = "export_memory",
    request_body = ExportRequest,
    responses((status = 202, body = ExportBody), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
async fn export_memory(
    State(rights): State<Rights>,
    Caller(ctx): Caller,
    Body(request): Body<ExportRequest>,
) -> Result<impl IntoResponse, Problem> {
    check_name("user_id", request.user_id.as_deref())?;
    ctx.require(Scope::MemoryRead)?;
    let user_id = match (request.user_id, request.tenant == Some(true)) {
        (None, true) => {
            ctx.require(Scope::Admin)?;
            None
        }
        (Some(_), true) => {
            return Err(at_fields(&["user_id", "tenant"], "name either a user_id or \"tenant\": true").into());
        }
        (named, false) => Some(Rights::owner(&ctx, named)?),
    };
    let export = rights.export(&ctx, user_id, request.objects.unwrap_or(false)).await?;
    Ok((StatusCode::ACCEPTED, Json(ExportBody::from(export))))
}

/// Lists exports, newest first: administrators see all of the tenant, others those that they asked for.
#[utoipa::path(get, path = "/api/v1/memory/export", tag = "memory", operation_id = "list_exports", params(PageQuery),
    responses((status = 200, body = ExportPage), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody)))]
async fn list_exports(
    State(rights): State<Rights>,
    Caller(ctx): Caller,
    Query(page): Query<PageQuery>,
) -> Result<impl IntoResponse, Problem> {
    ctx.require(Scope::MemoryRead)?;
    let page = page.request()?;
    let before: Option<String> = page.cursor.as_deref().map(Cursor::key).transpose()?;
    let (asker, wanted) = (asker(&ctx)?, i64::from(page.limit) + 1);
    let mut conn = rights.store.read(&ctx.tenant).await?;
    let rows =
        rights::list_exports(&mut conn, &ctx.tenant, asker.as_deref(), before.as_deref(), wanted).await?;
    let page = Page::cut(rows, page.limit, |row| row.export_id.clone());
    let items = page.items.into_iter().map(ExportBody::from).collect();
    Ok(Json(ExportPage { items, next_cursor: page.next_cursor }))
}

async fn visible(rights: &Rights, ctx: &Ctx, export_id: &str) -> Result<ExportRow> {
    ctx.require(Scope::MemoryRead)?;
    let mut conn = rights.store.read(&ctx.tenant).await?;
    let found = rights::find_export(&mut conn, &ctx.tenant, export_id).await?;
    let asker = asker(ctx)?;
    let is_own = |row: &ExportRow| asker.as_ref().is_none_or(|asker| *asker == row.requested_by);
    Error::unless_foreign("export", found, is_own)
}

/// Shows an export and how far it has come.
#[utoipa::path(get, path = "/api/v1/memory/export/{export_id}", tag = "memory", operation_id = "get_export",
    params(("export_id" = String, Path, description = "`exp_…`")),
    responses((status = 200, body = ExportBody), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody)))]
async fn get_export(
    State(rights): State<Rights>,
    Caller(ctx): Caller,
    UrlPath(export_id): UrlPath<String>,
) -> Result<impl IntoResponse, Problem> {
    Ok(Json(ExportBody::from(visible(&rights, &ctx, &export_id).await?)))
}

/// Downloads an export that is done; a download that broke off goes on with `Range`.
#[utoipa::path(get, path = "/api/v1/memory/export/{export_id}/file", tag = "memory", operation_id = "download_export",
    params(("export_id" = String, Path, description = "`exp_…`"),
        ("Range" = Option<String>, Header, description = "One range of bytes")),
    responses((status = 200, content_type = "application/x-ndjson"), (status = 206), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody, description = "it is not done yet")))]
async fn download_export(
    State(rights): State<Rights>,
    Caller(ctx): Caller,
    UrlPath(export_id): UrlPath<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let export = visible(&rights, &ctx, &export_id).await?;
    let Some(sha256) = export.sha256 else {
        return Err(Error::conflict("export_in_progress", "this export is not done; ask again later").into());
    };
    let parts =
        rights::list_parts(&mut rights.store.read(&ctx.tenant).await?, &ctx.tenant, &export_id).await?;
    let whole = export.size_bytes as u64;
    let range = byte_range(&headers, whole);
    let (start, end) = range.unwrap_or((0, whole));
    let mut response = Stream::from_stream(pieces(rights, parts, start, end)).into_response();
    let mut set = |name, value: String| {
        let value = HeaderValue::from_str(&value).expect("numbers and our own words");
        response.headers_mut().insert(name, value);
    };
    set(header::CONTENT_TYPE, "application/x-ndjson".to_owned());
    set(header::CONTENT_DISPOSITION, format!("attachment; filename=\"{export_id}.jsonl\""));
    set(header::ACCEPT_RANGES, "bytes".to_owned());
    set(header::ETAG, format!("\"{sha256}\""));
    set(header::CONTENT_LENGTH, (end - start).to_string());
    if range.is_some() {
        set(header::CONTENT_RANGE, format!("bytes {start}-{}/{whole}", end - 1));
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(response)
}

/// The bytes from `start` to before `end`, part by part.
fn pieces(
    rights: Rights,
    parts: Vec<ExportPart>,
    start: u64,
    end: u64,
) -> BoxStream<'static, Result<axum::body::Bytes, Error>> {
    let wanted = parts.into_iter().filter_map(move |part| {
        let (first, after) = (part.start_byte as u64, (part.start_byte + part.size_bytes) as u64);
        let (from, to) = (start.max(first), end.min(after));
        (from < to).then(|| (part.blob_key, (from - first) as usize..(to - first) as usize))
    });
    stream::iter(wanted.collect::<Vec<_>>().into_iter().map(Ok))
        .and_then(move |(key, range)| {
            let blobs = rights.blobs.clone();
            async move {
                let bytes = blobs.get(&key).await?;
                Ok(bytes.ok_or_else(|| Error::not_found("export"))?.slice(range))
            }
        })
        .boxed()
}

impl Rights {
    /// Writes the request, its job and its audit row, all or none.
    async fn export(&self, ctx: &Ctx, user_id: Option<String>, objects: bool) -> Result<ExportRow> {
        let mut entry = AuditEntry::of(ctx, self.clock.now(), "rights.export", "");
        let (tenant, asker) = (ctx.tenant.clone(), ctx.owner(None)?);
        let found = self.store.write("rights.export", &ctx.tenant, move |tx| {
            Box::pin(async move {
                let user = user_id.as_deref();
                let id = rights::add_export(tx, &tenant, user, objects, &asker, entry.at).await?;
                let (key, payload) = (id.clone(), "{}".to_owned());
                let job = NewJob { kind: EXPORT, key, payload, run_at: entry.at };
                jobs::enqueue(tx, &tenant, entry.at, job).await?;
                entry.resource = format!("export:{id}");
                audit::record(tx, &entry).await?;
                rights::find_export(tx, &tenant, &id).await?.ok_or_else(|| Error::not_found("export"))
            })
        });
        let found = found.await?;
        self.wake_jobs.notify_one();
        Ok(found)
    }

    /// Makes an export, from the beginning when an earlier try was broken off.
    ///
    /// # Errors
    /// `erasure_in_progress` while any of it is being erased; the store's.
    pub(crate) async fn run_export(&self, job: &Job) -> Result<()> {
        let tenant = TenantId::parse(&job.tenant_id).map_err(Error::internal)?;
        let mut conn = self.store.read(&tenant).await?;
        let found = rights::find_export(&mut conn, &tenant, &job.job_key).await?;
        let masks = rights::list_masks(&mut conn).await?;
        drop(conn);
        let Some(row) = found.filter(|row| row.finished_at.is_none()) else { return Ok(()) };
        let meets = |user: &Option<String>| user.is_none() || row.user_id.is_none() || *user == row.user_id;
        if masks.iter().any(|mask| mask.tenant_id == row.tenant_id && meets(&mask.user_id)) {
            let text = "some of this is being erased; the export waits for the end of that";
            return Err(Error::conflict("erasure_in_progress", text));
        }
        let id = row.export_id.clone();
        self.change_export(&tenant, &id, |tx, tenant, id| {
            Box::pin(async move { rights::clear_parts(tx, tenant, id).await })
        })
        .await?;
        let subject = exported(tenant.clone(), row.user_id);
        let blobs = row.with_objects.then_some(&self.blobs);
        let mut export = Export::begin(&self.store, blobs, DOMAINS, subject, self.clock.now()).await?;
        let (mut part, mut hash) = (Vec::new(), Hasher::default());
        while let Some(lines) = export.next().await? {
            hash.update(&lines);
            part.extend(lines);
            if part.len() >= PART_BYTES {
                self.add_part(&tenant, &id, std::mem::take(&mut part)).await?;
            }
        }
        self.add_part(&tenant, &id, part).await?;
        let (sha256, now) = (hash.finish(), self.clock.now());
        self.change_export(&tenant, &id, move |tx, tenant, id| {
            Box::pin(async move { rights::finish_export(tx, tenant, id, &sha256, now).await })
        })
        .await
    }

    async fn add_part(&self, tenant: &TenantId, export_id: &str, bytes: Vec<u8>) -> Result<()> {
        let size = bytes.len() as i64;
        let key = self.blobs.put(tenant, bytes.into()).await?;
        self.change_export(tenant, export_id, move |tx, tenant, id| {
            Box::pin(async move { rights::add_part(tx, tenant, id, size, &key).await })
        })
        .await
    }

    async fn change_export(
        &self,
        tenant: &TenantId,
        export_id: &str,
        act: impl for<'t> FnOnce(
            &'t mut store::Tx,
            &'t TenantId,
            &'t str,
        ) -> futures::future::BoxFuture<'t, Result<()>>
        + Send
        + 'static,
    ) -> Result<()> {
        let (tenant, id) = (tenant.clone(), export_id.to_owned());
        let reach = tenant.clone();
        self.store
            .write("rights.export", &reach, move |tx| Box::pin(async move { act(tx, &tenant, &id).await }))
            .await
    }
}
