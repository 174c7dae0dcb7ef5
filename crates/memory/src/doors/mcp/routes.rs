//! HTTP of the door for the Model Context Protocol.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use httpkit::{Body, Caller, KnownOrigin, Problem, ProblemBody, Query};
use kernel::{Ctx, Error};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::protocol::{Incoming, ToolSets, check_version};
use crate::Memory;

/// Carries the session's ticket.
static SESSION: HeaderName = HeaderName::from_static("mcp-session-id");

/// Routes of this door. There is no GET: the server has nothing to say that it was not asked.
pub(in crate::doors) fn routes() -> OpenApiRouter<Memory> {
    OpenApiRouter::new().routes(routes!(mcp, end_mcp))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct McpQuery {
    /// Tools that are offered: `native`, `graph`, `files`, or several between commas; all when absent.
    toolset: Option<String>,
}

/// Speak the Model Context Protocol
#[utoipa::path(post, path = "/mcp", tag = "mcp", request_body = Incoming,
    params(McpQuery, ("Mcp-Session-Id" = Option<String>, Header, description = "As the answer to `initialize` carried it")),
    responses((status = 200, body = serde_json::Value), (status = 202, description = "A notification was taken"),
        (status = "default", body = ProblemBody)))]
async fn mcp(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    KnownOrigin: KnownOrigin,
    Query(query): Query<McpQuery>,
    headers: HeaderMap,
    Body(message): Body<Incoming>,
) -> Result<Response, Problem> {
    let sets = ToolSets::parse(query.toolset.as_deref())?;
    let opened = if message.opens() {
        Some(memory.open_mcp_session(&ctx))
    } else {
        check_version(text(&headers, "mcp-protocol-version"))?;
        memory.check_mcp_session(&ctx, session(&headers)?)?;
        None
    };
    let Some(answer) = memory.answer_mcp(&ctx, &sets, message).await? else {
        return Ok(StatusCode::ACCEPTED.into_response());
    };
    let mut response = Json(answer).into_response();
    if let Some(ticket) = opened {
        let ticket = HeaderValue::from_str(&ticket).map_err(Error::internal)?;
        response.headers_mut().insert(&SESSION, ticket);
    }
    Ok(response)
}

/// End a session of the Model Context Protocol
#[utoipa::path(delete, path = "/mcp", tag = "mcp",
    params(("Mcp-Session-Id" = String, Header, description = "As the answer to `initialize` carried it")),
    responses((status = 204), (status = "default", body = ProblemBody)))]
async fn end_mcp(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    KnownOrigin: KnownOrigin,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    end(&memory, &ctx, &headers)?;
    Ok(StatusCode::NO_CONTENT)
}

fn end(memory: &Memory, ctx: &Ctx, headers: &HeaderMap) -> kernel::Result<()> {
    memory.end_mcp_session(ctx, session(headers)?)
}

fn session(headers: &HeaderMap) -> kernel::Result<&str> {
    let missing = || {
        Error::invalid("session_missing", "send initialize first, then its Mcp-Session-Id with every request")
    };
    text(headers, SESSION.as_str()).ok_or_else(missing)
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
