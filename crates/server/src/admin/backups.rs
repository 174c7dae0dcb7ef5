//! Backups for operators.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use httpkit::{Caller, Problem, ProblemBody, UrlPath};
use kernel::{Ctx, Error, Micros, Result};
use serde::Serialize;
use store::backup::{BackupError, Entry};
use store::jobs::{self, NewJob};
use store::schedule::list_schedules;
use store::{Reach, Store};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Admin;
use crate::background::{BACKUP, VERIFY_BACKUP};

pub(super) fn routes() -> OpenApiRouter<Admin> {
    OpenApiRouter::new()
        .routes(routes!(list_backups))
        .routes(routes!(create_backup))
        .routes(routes!(verify_backup))
}

/// A backup in the server's folder.
#[derive(Serialize, ToSchema)]
struct BackupBody {
    /// `backup_YYYYMMDD_HHMMSS.hearth` or `.sql.gz`.
    name: String,
    /// `portable` or `sql`.
    format: &'static str,
    #[schema(value_type = String, format = DateTime)]
    created_at: Micros,
    size_bytes: u64,
    /// When it was last looked at; null when it never was.
    #[schema(value_type = Option<String>, format = DateTime)]
    verified_at: Option<Micros>,
    /// `unverified`, `read` (every byte is as it was written), `restored` (on trial, too) or `damaged`.
    state: &'static str,
    /// What is wrong with a damaged one.
    problem: Option<String>,
}

impl From<Entry> for BackupBody {
    fn from(entry: Entry) -> Self {
        let format = if entry.is_portable() { "portable" } else { "sql" };
        let state = match &entry.verdict {
            None => "unverified",
            Some(verdict) if verdict.problem.is_some() => "damaged",
            Some(verdict) if verdict.is_deep => "restored",
            Some(_) => "read",
        };
        let (verified_at, problem) =
            entry.verdict.map_or((None, None), |verdict| (Some(verdict.verified_at), verdict.problem));
        Self {
            name: entry.name,
            format,
            created_at: entry.created_at,
            size_bytes: entry.size_bytes,
            verified_at,
            state,
            problem,
        }
    }
}

/// The backups, newest first, and when the next one comes.
#[derive(Serialize, ToSchema)]
struct BackupList {
    items: Vec<BackupBody>,
    /// Where they lie.
    directory: String,
    /// Cron text, UTC; null when none is made by itself.
    schedule: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    next_at: Option<Micros>,
}

/// The job that does what was asked.
#[derive(Serialize, ToSchema)]
struct BackupJob {
    /// `job_…`
    job_id: String,
}

/// Lists the backups in the server's folder, newest first.
#[utoipa::path(get, path = "/api/v1/admin/backups", tag = "admin", operation_id = "list_backups",
    responses((status = 200, body = BackupList), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody)))]
async fn list_backups(State(admin): State<Admin>, Caller(ctx): Caller) -> Result<impl IntoResponse, Problem> {
    admin.operator(&ctx).await?;
    let entries = entries(&admin).await?;
    let config = &admin.backups.shelf.config;
    Ok(Json(BackupList {
        items: entries.into_iter().map(BackupBody::from).collect(),
        directory: config.folder.display().to_string(),
        schedule: config.schedule.clone(),
        next_at: next_at(&admin.store).await?,
    }))
}

/// Makes a backup in the background, restores it on trial, and prunes.
#[utoipa::path(post, path = "/api/v1/admin/backups", tag = "admin", operation_id = "create_backup",
    responses((status = 202, body = BackupJob), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody)))]
async fn create_backup(
    State(admin): State<Admin>,
    Caller(ctx): Caller,
) -> Result<impl IntoResponse, Problem> {
    enqueue(&admin, &ctx, ("admin.backups.create", BACKUP), String::new()).await
}

/// Reads a backup back in the background and restores it on trial.
#[utoipa::path(post, path = "/api/v1/admin/backups/{name}/verify", tag = "admin", operation_id = "verify_backup",
    params(("name" = String, Path, description = "such as `backup_20260131_020000.hearth`")),
    responses((status = 202, body = BackupJob), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody)))]
async fn verify_backup(
    State(admin): State<Admin>,
    Caller(ctx): Caller,
    UrlPath(name): UrlPath<String>,
) -> Result<impl IntoResponse, Problem> {
    admin.operator(&ctx).await?;
    if !entries(&admin).await?.iter().any(|entry| entry.name == name) {
        return Err(Error::not_found("backup").into());
    }
    enqueue(&admin, &ctx, ("admin.backups.verify", VERIFY_BACKUP), name).await
}

/// Enqueues the job about `name` with its audit row; one that waits already serves this wish, too.
async fn enqueue(
    admin: &Admin,
    ctx: &Ctx,
    (action, kind): (&'static str, &'static str),
    name: String,
) -> Result<impl IntoResponse + use<>, Problem> {
    let tenant = ctx.tenant.clone();
    let job_id = admin
        .change(ctx, action, format!("backup:{name}"), move |tx, now| {
            Box::pin(async move {
                let job = NewJob { kind, key: name, payload: "{}".to_owned(), run_at: now };
                Ok(jobs::enqueue(tx, &tenant, now, job).await?)
            })
        })
        .await?;
    admin.wake_jobs.notify_one();
    Ok((StatusCode::ACCEPTED, Json(BackupJob { job_id })))
}

/// The folder is read on a thread that may wait.
async fn entries(admin: &Admin) -> Result<Vec<Entry>> {
    let shelf = admin.backups.shelf.clone();
    let listed = tokio::task::spawn_blocking(move || shelf.list()).await.map_err(Error::internal)?;
    listed.map_err(|error: BackupError| Error::internal(error))
}

async fn next_at(store: &Store) -> Result<Option<Micros>> {
    let mut conn = store.read(Reach::Everyone).await?;
    let backup = list_schedules(&mut conn).await?.into_iter().find(|row| row.kind == BACKUP);
    Ok(backup.filter(|row| row.next_at != i64::MAX).map(|row| Micros(row.next_at)))
}
