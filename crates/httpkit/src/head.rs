//! What a request's head must not say, whatever the route.

use axum::extract::Request;
use http::uri::Authority;
use http::{HeaderValue, header};
use kernel::{Error, ErrorKind};

/// Refuses a head that no honest client sends.
pub(crate) fn check(request: &Request) -> kernel::Result<()> {
    let headers = request.headers();
    let mut hosts = headers.get_all(header::HOST).iter();
    let (host, second) = (hosts.next(), hosts.next());
    let of_target = request.uri().authority().is_none_or(|authority| !authority.as_str().contains('@'));
    if second.is_some() || host.is_some_and(|host| !is_host(host)) || !of_target {
        return Err(Error::invalid(
            "invalid_host",
            "Host is one name with an optional port, such as hearth:8080",
        ));
    }
    let encoding = headers.get(header::CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        let text = "send the body without content-encoding";
        return Err(Error::new(ErrorKind::UnsupportedMedia, "unsupported_media_type", text));
    }
    Ok(())
}

/// A name or address with an optional port; empty when the target has none (RFC 9112, 3.2).
fn is_host(host: &HeaderValue) -> bool {
    let bytes = host.as_bytes();
    bytes.is_empty() || (!bytes.contains(&b'@') && Authority::try_from(bytes).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_and_a_port() {
        let is_ok = |host: &str| is_host(&HeaderValue::from_bytes(host.as_bytes()).unwrap());
        for good in ["", "hearth", "hearth:8080", "192.0.2.1:80", "[2001:db8::1]:443", "a.b-c.example"] {
            assert!(is_ok(good), "{good}");
        }
        for bad in
            ["hearth/path", "user@hearth", "a b", "hearth?x", "hearth#x", "a\\b", "hearth:80/..", "\u{e4}"]
        {
            assert!(!is_ok(bad), "{bad}");
        }
    }
}
