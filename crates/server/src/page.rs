//! The web page, embedded in the binary: hashed files for ever, the shell always fresh.

use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use httpkit::Problem;
use kernel::Error;
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../../ui/dist"]
#[allow_missing = true]
struct Files;

/// Paths that belong to programs: below them an unknown path is an absent route, never the page.
const API_PREFIXES: &[&str] =
    &["/api/", "/auth/", "/v1/", "/health", "/metrics", "/docs", "/openapi", "/mcp"];

/// Serves a file of the page, or its shell for every other path that a person may open.
pub(crate) async fn serve(request: Request) -> Response {
    let path = request.uri().path();
    let absent = || Problem(Error::not_found("route")).into_response();
    let reads = request.method() == Method::GET || request.method() == Method::HEAD;
    if !reads || API_PREFIXES.iter().any(|prefix| path.starts_with(prefix)) {
        return absent();
    }
    let name = path.trim_start_matches('/');
    if let Some(file) = Files::get(name).filter(|_| !name.is_empty()) {
        return answer(file, name.starts_with("assets/"));
    }
    if name.rsplit('/').next().is_some_and(|last| last.contains('.')) {
        return absent();
    }
    if let Some(shell) = Files::get("index.html") {
        return answer(shell, false);
    }
    let text = "Hearth runs, but this build has no page: build it with `npm --prefix ui run build`, \
                then build the server again. The API is described at /docs.\n";
    let media = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    (StatusCode::OK, media, text).into_response()
}

fn answer(file: rust_embed::EmbeddedFile, is_hashed: bool) -> Response {
    let life = if is_hashed { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mime = file.metadata.mimetype();
    let text = mime.starts_with("text/") || mime.ends_with("javascript") || mime.ends_with("json");
    let media = if text { format!("{mime}; charset=utf-8") } else { mime.to_owned() };
    let mut response = file.data.into_owned().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(life));
    headers
        .insert(header::CONTENT_TYPE, HeaderValue::from_str(&media).expect("a media type is visible ASCII"));
    response
}
