//! HTTP of recording.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use httpkit::{BodyLimit, Caller, Posted, Problem, ProblemBody};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{NewEvent, Recorded, RecordedBatch};
use crate::Memory;

/// Routes of this slice.
pub(crate) fn routes() -> OpenApiRouter<Memory> {
    let events = Extension(BodyLimit { bytes: 10 * 1024 * 1024, keys: httpkit::MAX_KEYS });
    let batch =
        Extension(BodyLimit { bytes: 10 * 1024 * 1024, keys: httpkit::MAX_KEYS * crate::service::MAX_BATCH });
    OpenApiRouter::new()
        .merge(OpenApiRouter::new().routes(routes!(record)).layer(events))
        .merge(OpenApiRouter::new().routes(routes!(record_batch)).layer(batch))
}

/// Events to record together.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Batch {
    /// 1–1,000 events: all are recorded or none.
    events: Vec<NewEvent>,
}

/// Record one event
#[utoipa::path(post, path = "/api/v1/events", tag = "memory", request_body = NewEvent,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeats answer the first result for 24 h")),
    responses((status = 201, body = Recorded), (status = "default", body = ProblemBody)))]
async fn record(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    Posted { body, idempotency }: Posted<NewEvent>,
) -> Result<(StatusCode, Json<Recorded>), Problem> {
    Ok((StatusCode::CREATED, Json(memory.record(&ctx, body, idempotency).await?)))
}

/// Record up to 1,000 events, all or none
#[utoipa::path(post, path = "/api/v1/events/batch", tag = "memory", request_body = Batch,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeats answer the first result for 24 h")),
    responses((status = 201, body = RecordedBatch), (status = "default", body = ProblemBody)))]
async fn record_batch(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    Posted { body, idempotency }: Posted<Batch, true>,
) -> Result<(StatusCode, Json<RecordedBatch>), Problem> {
    Ok((StatusCode::CREATED, Json(memory.record_batch(&ctx, body.events, idempotency).await?)))
}
