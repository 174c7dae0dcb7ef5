//! Reading what a client sent: JSON bodies, queries and paths, each with a clear refusal.

use axum::extract::{FromRequest, FromRequestParts, MatchedPath, Request};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use kernel::{Error, ErrorKind};
use serde::de::DeserializeOwned;
use store::idempotency::Idempotency;

use crate::Problem;
use crate::json::{MAX_KEYS, check_shape};

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
        Self {
            bytes: 1024 * 1024,
            keys: MAX_KEYS,
        }
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
        let route = request
            .extensions()
            .get::<MatchedPath>()
            .map_or_else(String::new, |p| p.as_str().to_owned());
        let bytes = read(request).await?;
        let body = parse::<T, STRICT>(&bytes)?;
        let idempotency = key.map(|key| Idempotency {
            route,
            key,
            request_hash: store::blob::data_hash(&bytes),
        });
        Ok(Self { body, idempotency })
    }
}

/// Reads a body within the route's limit after checking that it says it is JSON.
async fn read(request: Request) -> kernel::Result<Bytes> {
    require_json(request.headers())?;
    let limit = request
        .extensions()
        .get::<BodyLimit>()
        .copied()
        .unwrap_or_default();
    let too_large = || {
        let text = format!(
            "the body is larger than {} bytes; nothing was stored",
            limit.bytes
        );
        Error::new(ErrorKind::TooLarge, "too_large", text)
    };
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit.bytes as u64) {
        return Err(too_large());
    }
    let body = Limited::new(request.into_body(), limit.bytes);
    let bytes = match body.collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => return Err(too_large()),
        Err(error) => {
            return Err(
                Error::invalid("body_incomplete", "the body could not be read to its end").because(error),
            );
        }
    };
    check_shape(&bytes, limit.keys)?;
    Ok(bytes)
}

fn require_json(headers: &HeaderMap) -> kernel::Result<()> {
    let media = headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    let media = media
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let is_json =
        media == "application/json" || (media.starts_with("application/") && media.ends_with("+json"));
    if !is_json {
        let text = "send the body as content-type application/json";
        return Err(Error::new(
            ErrorKind::UnsupportedMedia,
            "unsupported_media_type",
            text,
        ));
    }
    if headers.contains_key(header::CONTENT_ENCODING) {
        let text = "send the body without content-encoding";
        return Err(Error::new(
            ErrorKind::UnsupportedMedia,
            "unsupported_media_type",
            text,
        ));
    }
    Ok(())
}

fn parse<T: DeserializeOwned, const STRICT: bool>(bytes: &[u8]) -> kernel::Result<T> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Error::invalid(
            "invalid_utf8",
            format!("the body is not UTF-8 at byte {}", error.valid_up_to()),
        )
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
        Error::field(
            if path == "." { "body".to_owned() } else { path },
            inner.to_string(),
        )
    })?;
    if let Some(path) = unknown {
        return Err(Error::field(path, "is not a field of this request"));
    }
    reader
        .end()
        .map_err(|error| Error::invalid("invalid_json", format!("the body is not JSON: {error}")))?;
    Ok(value)
}

/// Reads `Idempotency-Key`: 1–255 visible ASCII characters.
fn idempotency_key(headers: &HeaderMap) -> kernel::Result<Option<String>> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    match value.to_str() {
        Ok(key) if (1..=255).contains(&key.len()) => Ok(Some(key.to_owned())),
        _ => Err(Error::field(
            "Idempotency-Key",
            "is 1 to 255 visible ASCII characters",
        )),
    }
}

/// A query string.
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        query
            .map(|q| Self(q.0))
            .map_err(|error| Problem(Error::field("query", error.body_text())))
    }
}

/// Parameters of the path; text that does not fit is an absent thing.
pub struct UrlPath<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for UrlPath<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        path.map(|p| Self(p.0))
            .map_err(|_| Problem(Error::not_found("thing")))
    }
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
        let request = Request::builder()
            .header("content-type", media)
            .body(body.into())
            .unwrap();
        match Body::<Sample>::from_request(request, &()).await {
            Ok(Body(sample)) => Ok(sample),
            Err(Problem(e)) => Err((
                e.kind,
                e.code.to_owned(),
                e.fields.into_iter().map(|f| f.field).collect(),
            )),
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

    #[tokio::test]
    async fn strict_bodies_refuse_unknown_fields_at_any_depth() {
        let request = || {
            let body = r#"{"inner":[{"name":"a"},{"name":"b","nom":1}]}"#;
            Request::builder()
                .header("content-type", "application/json")
                .body(RawBody::from(body))
                .unwrap()
        };
        let Problem(error) = Posted::<Outer, true>::from_request(request(), &())
            .await
            .map(|_| ())
            .unwrap_err();
        assert_eq!(error.fields[0].field, "inner.1.nom");
        let loose = Posted::<Outer>::from_request(request(), &()).await.ok().unwrap();
        assert_eq!(loose.body.inner[1].name, "b");
    }

    #[tokio::test]
    async fn each_kind_of_bad_body_has_its_code() {
        let json = "application/json; charset=utf-8";
        assert_eq!(
            send(json, r#"{"name":"a"}"#).await.unwrap(),
            Sample {
                name: "a".into(),
                list: vec![]
            }
        );
        let cases: [(&str, Vec<u8>, ErrorKind, &str, &[&str]); 8] = [
            (
                "text/plain",
                b"{}".to_vec(),
                ErrorKind::UnsupportedMedia,
                "unsupported_media_type",
                &[],
            ),
            (json, b"{".to_vec(), ErrorKind::Invalid, "invalid_json", &[]),
            (
                json,
                b"{\"name\":\"a\"} x".to_vec(),
                ErrorKind::Invalid,
                "invalid_json",
                &[],
            ),
            (
                json,
                b"\"\xff\"".to_vec(),
                ErrorKind::Invalid,
                "invalid_utf8",
                &[],
            ),
            (
                json,
                br#"{"name":"\ud800"}"#.to_vec(),
                ErrorKind::Invalid,
                "invalid_json",
                &[],
            ),
            (
                json,
                br#"{"name":"a","list":[1,"x"]}"#.to_vec(),
                ErrorKind::Invalid,
                "validation_failed",
                &["list[1]"],
            ),
            (
                json,
                br#"{"name":"a","nom":1}"#.to_vec(),
                ErrorKind::Invalid,
                "validation_failed",
                &["nom"],
            ),
            (
                json,
                vec![b' '; 1024 * 1024 + 1],
                ErrorKind::TooLarge,
                "too_large",
                &[],
            ),
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
