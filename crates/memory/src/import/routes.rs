//! The route of imports.

use axum::Json;
use axum::body::Body as Stream;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use futures::StreamExt;
use httpkit::{Caller, Problem, ProblemBody, Query};
use kernel::{Error, ErrorKind};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Ids, ImportOptions, Imported, Importer, TrustRule};
use crate::Memory;

/// Routes of this slice.
pub(crate) fn routes() -> OpenApiRouter<Memory> {
    OpenApiRouter::new().routes(routes!(import_memory))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ImportQuery {
    /// Owner of lines that name none; the credential's own person or principal when absent. Anybody else's needs the scope
    /// `admin`.
    user_id: Option<String>,
    /// `keep` or `new`; when absent ids stay in an export of this very tenant, and change in one of another.
    #[param(inline)]
    ids: Option<Ids>,
    /// `import`, or `keep` for administrators who vouch for the file; `import` when absent.
    #[param(inline)]
    trust: Option<TrustRule>,
    /// Checks everything and writes nothing.
    dry_run: Option<bool>,
}

/// Import memory
///
/// Lines of JSON: an export of ours, memories of mem0, or entities and relations of the official MCP memory server. They are
/// written in chunks, each whole or not at all; sending the same file again adds nothing twice.
#[utoipa::path(post, path = "/api/v1/memory/import", tag = "memory", params(ImportQuery),
    request_body(content = String, content_type = "application/x-ndjson"),
    responses((status = 200, body = Imported), (status = "default", body = ProblemBody)))]
async fn import_memory(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    Query(query): Query<ImportQuery>,
    headers: HeaderMap,
    body: Stream,
) -> Result<Json<Imported>, Problem> {
    let ImportQuery { user_id, ids, trust, dry_run } = query;
    let options = ImportOptions { user_id, ids, trust, dry_run: dry_run.unwrap_or(false) };
    if headers.contains_key(header::CONTENT_ENCODING) {
        let text = "send the body without content-encoding";
        return Err(Error::new(ErrorKind::UnsupportedMedia, "unsupported_media_type", text).into());
    }
    let mut importer = Importer::new(&memory, &ctx, options)?;
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| {
            let text = "the body could not be read to its end; chunks that came before are stored, send the file again";
            Error::invalid("body_incomplete", text).because(error)
        })?;
        importer.push(&piece).await?;
    }
    Ok(Json(importer.finish().await?))
}
