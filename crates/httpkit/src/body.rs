//! Reading what a client sent: JSON bodies, queries and paths, each with a clear refusal.

use axum::extract::{FromRequest, FromRequestParts, MatchedPath, Request};
use bytes::Bytes;
use futures::FutureExt;
use http::request::Parts;
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use kernel::{Error, ErrorKind};
use serde::de::DeserializeOwned;
use store::idempotency::Idempotency;

use crate::Problem;
use crate::edge::RequestState;
use crate::json::{MAX_KEYS, check_shape};
use crate::timing::SlowBody;

/// How large a route's JSON may be. Put it on a route with `.layer(Extension(BodyLimit { … }))`.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimit {
    /// Bytes.
    pub bytes: usize,
    /// Keys in the whole body.
    pub keys: usize,
}

impl Default for BodyLimit {
    fn default() -> Self {
        Self { bytes: 1024 * 1024, keys: MAX_KEYS }
    }
}

/// A JSON body.
pub struct Body<T>(pub T);

/// A JSON body of a request that creates something, with its `Idempotency-Key` if it has one.
///
/// `STRICT` refuses unknown fields at any depth, for native routes whose types are shared with contract routes.
pub struct Posted<T, const STRICT: bool = false> {
    /// What was sent.
    pub body: T,
    /// The caller's key and the hash of the body.
    pub idempotency: Option<Idempotency>,
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let bytes = read(request).await?;
        Ok(Self(parse::<T, false>(&bytes)?))
    }
}

impl<S: Send + Sync, T: DeserializeOwned, const STRICT: bool> FromRequest<S> for Posted<T, STRICT> {
    type Rejection = Problem;
    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let key = idempotency_key(request.headers())?;
        let route =
            request.extensions().get::<MatchedPath>().map_or_else(String::new, |p| p.as_str().to_owned());
        let bytes = read(request).await?;
        let body = parse::<T, STRICT>(&bytes)?;
        let idempotency =
            key.map(|key| Idempotency { route, key, request_hash: store::blob::data_hash(&bytes) });
        Ok(Self { body, idempotency })
    }
}

/// Reads a body within the route's limit after checking that it says it is JSON.
async fn read(request: Request) -> kernel::Result<Bytes> {
    require_json(request.headers())?;
    let limit = request.extensions().get::<BodyLimit>().copied().unwrap_or_default();
    let too_large = || {
        let text = format!("the body is larger than {} bytes; nothing was stored", limit.bytes);
        Error::new(ErrorKind::TooLarge, "too_large", text)
    };
    let announced =
        request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit.bytes as u64) {
        return Err(too_large());
    }
    let state = request.extensions().get::<RequestState>().cloned();
    let body = Limited::new(request.into_body(), limit.bytes).collect().map(|collected| match collected {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => Err(too_large()),
        Err(error) => Err(SlowBody::find(error.as_ref()).unwrap_or_else(|| {
            Error::invalid("body_incomplete", "the body could not be read to its end").because(error)
        })),
    });
    let bytes = match state {
        Some(state) => state.receive(body).await?,
        None => body.await?,
    };
    check_shape(&bytes, limit.keys)?;
    Ok(bytes)
}

fn require_json(headers: &HeaderMap) -> kernel::Result<()> {
    let media = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_json =
        media == "application/json" || (media.starts_with("application/") && media.ends_with("+json"));
    if !is_json {
        let text = "send the body as content-type application/json";
        return Err(Error::new(ErrorKind::UnsupportedMedia, "unsupported_media_type", text));
    }
    if headers.contains_key(header::CONTENT_ENCODING) {
        let text = "send the body without content-encoding";
        return Err(Error::new(ErrorKind::UnsupportedMedia, "unsupported_media_type", text));
    }
    Ok(())
}

fn parse<T: DeserializeOwned, const STRICT: bool>(bytes: &[u8]) -> kernel::Result<T> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Error::invalid("invalid_utf8", format!("the body is not UTF-8 at byte {}", error.valid_up_to()))
    })?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let mut unknown = None;
    let result = if STRICT {
        let mut note = |path: serde_ignored::Path<'_>| _ = unknown.get_or_insert_with(|| path.to_string());
        let mut track = serde_path_to_error::Track::new();
        let tracked = serde_path_to_error::Deserializer::new(&mut reader, &mut track);
        T::deserialize(serde_ignored::Deserializer::new(tracked, &mut note))
            .map_err(|error| serde_path_to_error::Error::new(track.path(), error))
    } else {
        serde_path_to_error::deserialize(&mut reader)
    };
    let value = result.map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        if inner.is_syntax() || inner.is_eof() {
            return Error::invalid("invalid_json", format!("the body is not JSON: {inner}"));
        }
        let message = inner.to_string();
        let field = match (named_field("missing", &message), path.as_str()) {
            (Some(name), ".") => name.to_owned(),
            (Some(name), path) => format!("{path}.{name}"),
            (None, ".") => "body".to_owned(),
            (None, path) => path.to_owned(),
        };
        Error::field(field, message)
    })?;
    if let Some(path) = unknown {
        return Err(Error::field(path, "is not a field of this request"));
    }
    // The reader would take the items of an array for the fields in their order.
    if text.trim_start().starts_with('[') {
        return Err(Error::field("body", "is an object"));
    }
    reader.end().map_err(|error| Error::invalid("invalid_json", format!("the body is not JSON: {error}")))?;
    Ok(value)
}

/// The name in messages such as "missing field `name`".
fn named_field<'m>(what: &str, message: &'m str) -> Option<&'m str> {
    let rest = message.strip_prefix(what)?.strip_prefix(" field `")?;
    rest.split('`').next()
}

/// Reads `Idempotency-Key`: 1–255 visible ASCII characters.
fn idempotency_key(headers: &HeaderMap) -> kernel::Result<Option<String>> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    match value.to_str() {
        Ok(key) if (1..=255).contains(&key.len()) => Ok(Some(key.to_owned())),
        _ => Err(Error::field("Idempotency-Key", "is 1 to 255 visible ASCII characters")),
    }
}

/// A query string.
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        check_query(parts.uri.query().unwrap_or_default())?;
        let query = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        query.map(|q| Self(q.0)).map_err(|error| {
            let text = error.body_text();
            Problem(in_query(text.trim_start_matches("Failed to deserialize query string: ")))
        })
    }
}

/// Refuses what no database takes as text: bytes that are no UTF-8, and NUL.
fn check_query(query: &str) -> kernel::Result<()> {
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let field = || String::from_utf8_lossy(&decoded(name)).replace('\0', "");
        let value = decoded(value);
        if value.contains(&0) || decoded(name).contains(&0) {
            return Err(Error::field(field(), "holds a NUL character"));
        }
        if std::str::from_utf8(&value).is_err() {
            return Err(Error::field(field(), "is not UTF-8"));
        }
    }
    Ok(())
}

/// The bytes that percent-encoded text stands for; a broken escape stands for itself.
fn decoded(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let escaped = (*byte == b'%').then(|| std::str::from_utf8(after.get(..2)?).ok()).flatten();
        if let Some(meant) = escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            out.push(meant);
            rest = &after[2..];
        } else {
            out.push(*byte);
            rest = after;
        }
    }
    out
}

/// Names the parameter that a message of the reader is about.
fn in_query(message: &str) -> Error {
    let (field, what) = match message.split_once(": ") {
        Some((field, what)) if !field.contains([' ', '`']) => (field, what),
        _ => ("query", message),
    };
    let named = named_field("missing", what).or_else(|| named_field("unknown", what));
    Error::field(named.unwrap_or(field), what)
}

/// The text of a path's parameter.
///
/// What cannot be text of ours (bytes that are no UTF-8, NUL) is read as the replacement character: no id holds it, so
/// each route answers as it does for any other malformed one.
pub struct UrlPath<T>(pub T);

impl<S: Send + Sync> FromRequestParts<S> for UrlPath<String> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = axum::extract::Path::<String>::from_request_parts(parts, state).await;
        Ok(Self(path.map_or_else(|_| "\u{fffd}".to_owned(), |axum::extract::Path(text)| as_text(&text))))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for UrlPath<(String, String)> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = axum::extract::Path::<(String, String)>::from_request_parts(parts, state).await;
        let (outer, inner) = path.map_or_else(
            |_| ("\u{fffd}".to_owned(), "\u{fffd}".to_owned()),
            |axum::extract::Path(both)| both,
        );
        Ok(Self((as_text(&outer), as_text(&inner))))
    }
}

fn as_text(segment: &str) -> String {
    segment.replace('\0', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body as RawBody;

    #[derive(Debug, serde::Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        name: String,
        #[serde(default)]
        list: Vec<u8>,
    }

    async fn send(media: &str, body: impl Into<RawBody>) -> Result<Sample, (ErrorKind, String, Vec<String>)> {
        let request = Request::builder().header("content-type", media).body(body.into()).unwrap();
        match Body::<Sample>::from_request(request, &()).await {
            Ok(Body(sample)) => Ok(sample),
            Err(Problem(e)) => {
                Err((e.kind, e.code.to_owned(), e.fields.into_iter().map(|f| f.field).collect()))
            }
        }
    }

    #[derive(Debug, serde::Deserialize)]
    struct Outer {
        inner: Vec<Loose>,
    }

    #[derive(Debug, serde::Deserialize)]
    struct Loose {
        name: String,
    }

    #[test]
    fn queries_hold_text_that_databases_take() {
        let field =
            |query: &str| check_query(query).map_or_else(|e| e.fields[0].field.clone(), |()| "ok".into());
        for good in ["", "a", "a=%C3%A4&b=1", "a=%zz%", "a=100%", "a=+"] {
            assert_eq!(field(good), "ok", "{good}");
        }
        assert_eq!(field("a=1&b=x%00y"), "b");
        assert_eq!(field("a=%ff"), "a");
        assert_eq!(field("a%00b=1"), "ab");
        assert_eq!(field("a=%ed%a0%80"), "a", "half of a surrogate pair");
    }

    #[tokio::test]
    async fn strict_bodies_refuse_unknown_fields_at_any_depth() {
        let request = || {
            let body = r#"{"inner":[{"name":"a"},{"name":"b","nom":1}]}"#;
            Request::builder().header("content-type", "application/json").body(RawBody::from(body)).unwrap()
        };
        let Problem(error) =
            Posted::<Outer, true>::from_request(request(), &()).await.map(|_| ()).unwrap_err();
        assert_eq!(error.fields[0].field, "inner.1.nom");
        let loose = Posted::<Outer>::from_request(request(), &()).await.ok().unwrap();
        assert_eq!(loose.body.inner[1].name, "b");
    }

    #[tokio::test]
    async fn each_kind_of_bad_body_has_its_code() {
        let json = "application/json; charset=utf-8";
        assert_eq!(send(json, r#"{"name":"a"}"#).await.unwrap(), Sample { name: "a".into(), list: vec![] });
        type Case<'c> = (&'c str, Vec<u8>, ErrorKind, &'c str, &'c [&'c str]);
        let cases: [Case<'_>; 8] = [
            ("text/plain", b"{}".to_vec(), ErrorKind::UnsupportedMedia, "unsupported_media_type", &[]),
            (json, b"{".to_vec(), ErrorKind::Invalid, "invalid_json", &[]),
            (json, b"{\"name\":\"a\"} x".to_vec(), ErrorKind::Invalid, "invalid_json", &[]),
            (json, b"\"\xff\"".to_vec(), ErrorKind::Invalid, "invalid_utf8", &[]),
            (json, br#"{"name":"\ud800"}"#.to_vec(), ErrorKind::Invalid, "invalid_json", &[]),
            (
                json,
                br#"{"name":"a","list":[1,"x"]}"#.to_vec(),
                ErrorKind::Invalid,
                "validation_failed",
                &["list[1]"],
            ),
            (json, br#"{"name":"a","nom":1}"#.to_vec(), ErrorKind::Invalid, "validation_failed", &["nom"]),
            (json, vec![b' '; 1024 * 1024 + 1], ErrorKind::TooLarge, "too_large", &[]),
        ];
        for (media, body, kind, code, fields) in cases {
            let shown = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
            let (k, c, f) = send(media, body).await.unwrap_err();
            assert_eq!(
                (k, c.as_str(), f),
                (kind, code, fields.iter().map(ToString::to_string).collect()),
                "{shown}"
            );
        }
    }
}
