//! An answer, and what every answer must carry.

use reqwest::header::{HeaderMap, HeaderName};
use serde_json::Value;

/// `self` and nothing else.
pub(crate) const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'";

/// Headers that are the same on every answer.
pub(crate) const SECURITY_HEADERS: [(&str, &str); 7] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "strict-origin-when-cross-origin"),
    ("x-xss-protection", "1; mode=block"),
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
    ("cross-origin-opener-policy", "same-origin"),
];

/// Routes whose failures are bare JSON: the contract's health bodies.
const BARE: [&str; 6] = ["/healthz", "/health", "/health/live", "/health/db", "/health/ready", "/api/health"];

/// A whole answer.
pub(crate) struct Answer {
    /// Method and path, for messages.
    pub(crate) said: String,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
    /// `null` when the body is no JSON.
    pub(crate) json: Value,
}

impl Answer {
    pub(crate) async fn read(said: String, response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.unwrap().to_vec();
        Self { said, status, headers, json: serde_json::from_slice(&bytes).unwrap_or(Value::Null), bytes }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// A header's text, empty when it is absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The stable word of a problem, empty for other answers.
    pub(crate) fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }

    /// Names of the wrong fields of a problem.
    pub(crate) fn fields(&self) -> Vec<&str> {
        let errors = self.json["errors"].as_array().map(Vec::as_slice);
        errors.unwrap_or_default().iter().map(|error| error["field"].as_str().unwrap()).collect()
    }

    /// Fails unless the status is `wanted`, showing the whole answer.
    pub(crate) fn expect(self, wanted: u16) -> Self {
        assert_eq!(self.status, wanted, "{}: {}", self.said, self.text());
        self
    }

    /// Everything that a client can read, as one text.
    pub(crate) fn everything(&self) -> String {
        let mut all = self.text();
        for (name, value) in &self.headers {
            let value = String::from_utf8_lossy(value.as_bytes());
            all.extend(["\n", name.as_str(), ": ", &value]);
        }
        all
    }

    /// What every answer carries, and what every failure looks like.
    pub(crate) fn check_form(&self) {
        let said = format!("{} → {}: {}", self.said, self.status, shortened(&self.text()));
        for (name, value) in SECURITY_HEADERS {
            assert_eq!(self.header(name), value, "{name} of {said}");
        }
        let id = self.header("x-request-id");
        assert!(is_sane_id(id), "X-Request-ID {id:?} of {said}");
        let time = self.header("x-response-time");
        assert!(is_time(time), "X-Response-Time {time:?} of {said}");
        assert_ne!(self.header("access-control-allow-origin"), "*", "{said}");
        for name in ["server", "x-powered-by", "strict-transport-security"] {
            assert!(!self.headers.contains_key(HeaderName::from_static(name)), "{name} of {said}");
        }
        let path = self.said.split(' ').nth(1).unwrap_or_default();
        if self.status >= 400 && !BARE.contains(&path) {
            self.check_problem(&said);
        } else if self.status >= 400 && self.status != 405 {
            assert_eq!(self.header("content-type"), "application/json", "{said}");
        }
    }

    fn check_problem(&self, said: &str) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{said}");
        let text = |name: &str| self.json[name].as_str().unwrap_or_default();
        assert_eq!(text("type"), "about:blank", "{said}");
        assert_eq!(self.json["status"], self.status, "{said}");
        for name in ["title", "detail", "code", "error"] {
            assert!(!text(name).is_empty(), "{name} of {said}");
        }
        assert_eq!(text("code"), text("error"), "{said}");
        assert_eq!(text("request_id"), self.header("x-request-id"), "{said}");
        if text("code") == "validation_failed" {
            let errors = self.json["errors"].as_array().map_or(0, Vec::len);
            assert!(errors > 0, "no errors[] in {said}");
            for error in self.json["errors"].as_array().unwrap() {
                assert!(!error["field"].as_str().unwrap().is_empty(), "{said}");
                assert!(!error["message"].as_str().unwrap().is_empty(), "{said}");
            }
        }
        if self.status == 401 {
            assert_eq!(self.header("www-authenticate"), "Bearer", "{said}");
        }
        if self.status == 429 || self.status == 503 {
            let wait = self.header("retry-after").parse::<u32>();
            assert!(wait.is_ok_and(|wait| wait >= 1), "Retry-After of {said}");
            assert_eq!(self.json["retryAfter"].to_string(), self.header("retry-after"), "{said}");
        }
        for leak in ["SELECT ", "INSERT ", "sqlx", "panicked", ".rs:", "SQLITE", "tenant_id ="] {
            assert!(!self.text().contains(leak), "{leak} in {said}");
        }
    }
}

/// The beginning of a long text.
pub(crate) fn shortened(text: &str) -> String {
    text.chars().take(400).collect()
}

/// 8–128 characters that logs can hold.
pub(crate) fn is_sane_id(id: &str) -> bool {
    (8..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

/// `12.3ms`.
fn is_time(text: &str) -> bool {
    let number = text.strip_suffix("ms").and_then(|text| text.split_once('.'));
    number.is_some_and(|(whole, tenth)| {
        !whole.is_empty()
            && whole.bytes().all(|b| b.is_ascii_digit())
            && tenth.len() == 1
            && tenth.bytes().all(|b| b.is_ascii_digit())
    })
}
