//! Schedules for operators.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use httpkit::{Caller, Problem, ProblemBody};
use kernel::Micros;
use serde::Serialize;
use store::schedule::{LEASE, ScheduleRow, list_schedules};
use store::{Reach, lease};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Admin;

pub(super) fn routes() -> OpenApiRouter<Admin> {
    OpenApiRouter::new().routes(routes!(list_all))
}

/// A job that comes due by the clock.
#[derive(Serialize, ToSchema)]
struct ScheduleBody {
    name: String,
    /// Kind of the job that it enqueues.
    kind: String,
    /// Minute, hour, day of month, month, day of week.
    cron: String,
    /// Zone of the wall clock that the text names.
    time_zone: String,
    /// What happens to missed occurrences: `skip`, `once` or `all`.
    catch_up: String,
    /// Due next; null for never.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_at: Option<Micros>,
    /// The last occurrence that got a job.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_fired_at: Option<Micros>,
    /// The server that leads now: host, process, and a part made by chance. Null while none does.
    leader: Option<String>,
}

/// All schedules, by name.
#[derive(Serialize, ToSchema)]
struct ScheduleList {
    items: Vec<ScheduleBody>,
}

/// Lists the schedules of the server, by name.
#[utoipa::path(get, path = "/api/v1/admin/schedules", tag = "admin", operation_id = "list_schedules",
    responses((status = 200, body = ScheduleList), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody)))]
async fn list_all(State(admin): State<Admin>, Caller(ctx): Caller) -> Result<impl IntoResponse, Problem> {
    admin.operator(&ctx).await?;
    let mut conn = admin.store.read(Reach::Everyone).await?;
    let leader = lease::find_holder(&mut conn, LEASE, admin.clock.now()).await?;
    let body = |row: ScheduleRow| ScheduleBody {
        name: row.name,
        kind: row.kind,
        cron: row.cron,
        time_zone: row.time_zone,
        catch_up: row.catch_up,
        next_at: (row.next_at != i64::MAX).then_some(Micros(row.next_at)),
        last_fired_at: row.last_fired_at.map(Micros),
        leader: leader.clone(),
    };
    let items = list_schedules(&mut conn).await?.into_iter().map(body).collect();
    Ok(Json(ScheduleList { items }))
}
