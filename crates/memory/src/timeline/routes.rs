//! HTTP of reading back what was recorded.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use httpkit::{Caller, PageQuery, Problem, ProblemBody, Query, UrlPath, byte_range};
use kernel::{Error, Micros, Page};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{Chunk, MemoryStats};
use super::store::EventFilter;
use crate::Memory;
use crate::events::{Event, EventKind, SessionSummary, check_name};

/// Routes of this slice.
pub(crate) fn routes() -> OpenApiRouter<Memory> {
    OpenApiRouter::new()
        .routes(routes!(list_session_events))
        .routes(routes!(get_event))
        .routes(routes!(get_chunk))
        .routes(routes!(get_artifact))
        .routes(routes!(timeline))
        .routes(routes!(list_sessions))
        .routes(routes!(stats))
}

/// Read one event
#[utoipa::path(get, path = "/api/v1/events/{event_id}", tag = "memory",
    params(("event_id" = String, Path, description = "`evt_…`")),
    responses((status = 200, body = Event), (status = "default", body = ProblemBody)))]
async fn get_event(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    UrlPath(event_id): UrlPath<String>,
) -> Result<Json<Event>, Problem> {
    Ok(Json(memory.get_event(&ctx, &event_id).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct SessionEventsQuery {
    /// Conversation.
    session_id: String,
    /// Events, 1–1,000; 100 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<i64>,
    /// Go on before this sequence number; the `Link` header of an answer carries it.
    before_seq: Option<i64>,
    /// Owner.
    user_id: Option<String>,
    /// Tenant, for older clients: refused unless it is the credential's own.
    tenant_id: Option<String>,
}

/// List the latest events of a conversation
#[utoipa::path(get, path = "/api/v1/events", tag = "memory", params(SessionEventsQuery),
    responses((status = 200, body = Vec<Event>), (status = "default", body = ProblemBody)))]
async fn list_session_events(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    Query(query): Query<SessionEventsQuery>,
) -> Result<(HeaderMap, Json<Vec<Event>>), Problem> {
    ctx.check_tenant(query.tenant_id.as_deref())?;
    let limit = list_limit(query.limit)?;
    check_name("session_id", Some(&query.session_id))?;
    let owner = query.user_id.as_deref();
    let events = memory.list_session_events(&ctx, owner, &query.session_id, limit, query.before_seq).await?;
    let mut headers = HeaderMap::new();
    if events.len() as i64 == limit
        && let Some(last) = events.last()
    {
        let link = format!("</api/v1/events?{}>; rel=\"next\"", next_query(&query, limit, last.seq));
        headers.insert(header::LINK, HeaderValue::from_str(&link).map_err(Error::internal)?);
    }
    Ok((headers, Json(events)))
}

/// Rows of a list that older clients read as an array.
///
/// # Errors
/// `validation_failed` for `limit`.
pub(crate) fn list_limit(asked: Option<i64>) -> kernel::Result<i64> {
    let limit = asked.unwrap_or(100);
    if (1..=1_000).contains(&limit) { Ok(limit) } else { Err(Error::field("limit", "is 1 to 1,000")) }
}

fn next_query(query: &SessionEventsQuery, limit: i64, before: i64) -> String {
    let mut pairs = vec![("session_id", query.session_id.clone()), ("limit", limit.to_string())];
    pairs.push(("before_seq", before.to_string()));
    pairs.extend(query.user_id.clone().map(|owner| ("user_id", owner)));
    let encode = |text: &str| -> String {
        let safe = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
        text.bytes().map(|b| if safe(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
    };
    pairs.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect::<Vec<_>>().join("&")
}

/// Read one chunk
#[utoipa::path(get, path = "/api/v1/chunks/{chunk_id}", tag = "memory",
    params(("chunk_id" = String, Path, description = "`chk_…`")),
    responses((status = 200, body = Chunk), (status = "default", body = ProblemBody)))]
async fn get_chunk(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    UrlPath(chunk_id): UrlPath<String>,
) -> Result<Json<Chunk>, Problem> {
    Ok(Json(memory.get_chunk(&ctx, &chunk_id).await?))
}

/// Read an artifact's bytes
#[utoipa::path(get, path = "/api/v1/artifacts/{artifact_id}", tag = "memory",
    params(("artifact_id" = String, Path, description = "`art_…`"),
        ("Range" = Option<String>, Header, description = "One range of bytes")),
    responses((status = 200, content_type = "application/octet-stream"), (status = 206),
        (status = "default", body = ProblemBody)))]
async fn get_artifact(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    UrlPath(artifact_id): UrlPath<String>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    let bytes = memory.get_artifact(&ctx, &artifact_id).await?;
    let whole = bytes.len();
    let range = byte_range(&headers, whole as u64);
    let mut out = HeaderMap::new();
    let mut set = |name: HeaderName, value: String| {
        out.insert(name, HeaderValue::from_str(&value).expect("numbers and our own words"));
    };
    set(header::CONTENT_TYPE, "application/octet-stream".to_owned());
    set(header::CONTENT_DISPOSITION, format!("attachment; filename=\"{artifact_id}.txt\""));
    set(header::ACCEPT_RANGES, "bytes".to_owned());
    let Some((start, end)) = range else {
        return Ok((StatusCode::OK, out, bytes));
    };
    set(header::CONTENT_RANGE, format!("bytes {start}-{}/{whole}", end - 1));
    Ok((StatusCode::PARTIAL_CONTENT, out, bytes.slice(start as usize..end as usize)))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct TimelineQuery {
    /// Owner.
    user_id: Option<String>,
    /// Only this conversation.
    session_id: Option<String>,
    /// Only this agent.
    agent_id: Option<String>,
    /// Only this kind.
    kind: Option<EventKind>,
    /// Only events at or after this instant.
    #[param(value_type = Option<String>, format = DateTime)]
    after: Option<Micros>,
    /// Only events before this instant.
    #[param(value_type = Option<String>, format = DateTime)]
    before: Option<Micros>,
    /// Rows of the page, 1–200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of events.
#[derive(Debug, Serialize, ToSchema)]
struct EventPage {
    items: Vec<Event>,
    next_cursor: Option<String>,
}

/// List events, latest first
#[utoipa::path(get, path = "/api/v1/memory/timeline", tag = "memory", params(TimelineQuery),
    responses((status = 200, body = EventPage), (status = "default", body = ProblemBody)))]
async fn timeline(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    Query(query): Query<TimelineQuery>,
) -> Result<Json<EventPage>, Problem> {
    let filter = EventFilter {
        session: query.session_id,
        agent: query.agent_id,
        kind: query.kind.map(|kind| kind.as_str().to_owned()),
        after: query.after,
        before: query.before,
    };
    let page = PageQuery { limit: query.limit, cursor: query.cursor }.request()?;
    let Page { items, next_cursor } = memory.timeline(&ctx, query.user_id.as_deref(), &filter, &page).await?;
    Ok(Json(EventPage { items, next_cursor }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SessionsQuery {
    /// Owner.
    user_id: Option<String>,
    /// Rows of the page, 1–200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of conversations.
#[derive(Debug, Serialize, ToSchema)]
struct SessionPage {
    items: Vec<SessionSummary>,
    next_cursor: Option<String>,
}

/// List conversations, latest first
#[utoipa::path(get, path = "/api/v1/sessions", tag = "memory", params(SessionsQuery),
    responses((status = 200, body = SessionPage), (status = "default", body = ProblemBody)))]
async fn list_sessions(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    Query(query): Query<SessionsQuery>,
) -> Result<Json<SessionPage>, Problem> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor }.request()?;
    let Page { items, next_cursor } = memory.list_sessions(&ctx, query.user_id.as_deref(), &page).await?;
    Ok(Json(SessionPage { items, next_cursor }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OwnerQuery {
    /// Owner.
    user_id: Option<String>,
}

/// Count what an owner's memory holds
#[utoipa::path(get, path = "/api/v1/memory/stats", tag = "memory", params(OwnerQuery),
    responses((status = 200, body = MemoryStats), (status = "default", body = ProblemBody)))]
async fn stats(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    Query(query): Query<OwnerQuery>,
) -> Result<Json<MemoryStats>, Problem> {
    Ok(Json(memory.stats(&ctx, query.user_id.as_deref()).await?))
}
