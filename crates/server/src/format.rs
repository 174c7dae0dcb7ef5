//! Which form of the metrics a caller wants.

use axum::http::{HeaderMap, header};
use kernel::{Error, ErrorKind};

/// A form of the metrics.
#[derive(Debug, PartialEq)]
pub(crate) enum Format {
    /// The contract's object.
    Json,
    /// Text for scrapers.
    Prometheus,
}

/// Reads `?format=`, which wins, and `Accept`.
///
/// # Errors
/// `validation_failed` for another format; `not_acceptable`.
pub(crate) fn wanted_format(query: &str, headers: &HeaderMap) -> kernel::Result<Format> {
    match query.split('&').find_map(|pair| pair.strip_prefix("format=")) {
        Some("json") => return Ok(Format::Json),
        Some("prometheus") => return Ok(Format::Prometheus),
        Some(_) => return Err(Error::field("format", "is json or prometheus")),
        None => {}
    }
    let Some(accept) = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()) else {
        return Ok(Format::Json);
    };
    let best = accept.split(',').filter_map(offer).max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
    match best {
        Some((weight, _, format)) if weight > 0.0 => Ok(format),
        _ => {
            let text = "this route serves application/json and text/plain";
            Err(Error::new(ErrorKind::NotAcceptable, "not_acceptable", text))
        }
    }
}

/// Weight, rank among equals, and format of one entry of `Accept`.
fn offer(entry: &str) -> Option<(f64, u8, Format)> {
    let mut parts = entry.split(';').map(str::trim);
    let format = match parts.next()?.to_ascii_lowercase().as_str() {
        "application/json" | "application/*" => (0, Format::Json),
        "*/*" => (2, Format::Json),
        "text/plain" | "text/*" | "application/openmetrics-text" => (1, Format::Prometheus),
        _ => return None,
    };
    let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1.0), |q| q.parse().ok())?;
    Some((weight, format.0, format.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_follows_accept_and_the_query_wins() {
        let of = |query: &str, accept: Option<&str>| {
            let mut headers = HeaderMap::new();
            if let Some(text) = accept {
                headers.insert(header::ACCEPT, text.parse().unwrap());
            }
            wanted_format(query, &headers).map_err(|error| error.code)
        };
        assert_eq!(of("", None), Ok(Format::Json));
        assert_eq!(of("", Some("*/*")), Ok(Format::Json));
        let scraper = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert_eq!(of("", Some(scraper)), Ok(Format::Prometheus));
        assert_eq!(of("", Some("text/plain;q=0.3, application/json;q=0.9")), Ok(Format::Json));
        assert_eq!(of("format=json", Some("text/plain")), Ok(Format::Json));
        assert_eq!(of("", Some("image/png")), Err("not_acceptable"));
        assert_eq!(of("format=xml", None), Err("validation_failed"));
    }
}
