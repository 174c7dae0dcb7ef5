//! Pages of other sites: exactly those that are named may call.

use crate::answer::Answer;
use crate::support::*;

const ALLOWED: &str = "https://app.example.com";
const SETTINGS: [(&str, &str); 1] = [("CORS_ORIGINS", "https://app.example.com,http://localhost:3000")];

fn cors(answer: &Answer) -> Vec<(&str, &str)> {
    let names = answer.headers.keys().map(reqwest::header::HeaderName::as_str);
    let mut found: Vec<(&str, &str)> = names
        .filter(|name| name.starts_with("access-control-"))
        .map(|name| (name, answer.header(name)))
        .collect();
    found.sort_unstable();
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_named_origin_is_echoed_and_no_other() {
    let server = Server::start_with(Engine::Sqlite, &SETTINGS).await;
    for origin in [ALLOWED, "http://localhost:3000"] {
        // Failures too, or a page could not read why it was refused.
        for (path, status) in [("/health", 200), ("/api/v1/sessions", 401), ("/api/v1/nope", 404)] {
            let answer =
                server.send(server.request("GET", path).header("origin", origin)).await.expect(status);
            let exposed = "x-request-id,x-response-time,retry-after,mcp-session-id";
            let wanted =
                [("access-control-allow-origin", origin), ("access-control-expose-headers", exposed)];
            assert_eq!(cors(&answer), wanted, "{path}");
            assert!(answer.header("vary").to_ascii_lowercase().contains("origin"), "{path}");
        }
    }
    for origin in [
        "https://evil.example.com",
        "http://app.example.com",
        "https://app.example.com:8443",
        "https://app.example.com.evil.org",
        "https://app.example.co",
        "HTTPS://APP.EXAMPLE.COM",
        "https://app.example.com/",
        "null",
        "*",
        "",
    ] {
        for path in ["/health", "/api/v1/sessions"] {
            let answer = server.send(server.request("GET", path).header("origin", origin)).await;
            assert_eq!(answer.header("access-control-allow-origin"), "", "{origin} {path}");
        }
    }
    let answer = server.get("/health").await;
    assert_eq!(answer.header("access-control-allow-origin"), "", "no origin, no permission");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn preflights_tell_a_named_origin_what_it_may_send() {
    let server = Server::start_with(Engine::Sqlite, &SETTINGS).await;
    let preflight = async |origin: &str, path: &str| {
        let request = server.request("OPTIONS", path).header("origin", origin);
        let request = request.header("access-control-request-method", "POST");
        let headers = "authorization,content-type,x-secret";
        server.send(request.header("access-control-request-headers", headers)).await.expect(200)
    };
    for path in ["/api/v1/events", "/auth/login", "/api/v1/nope"] {
        let answer = preflight(ALLOWED, path).await;
        let wanted = [
            (
                "access-control-allow-headers",
                "authorization,content-type,x-api-key,idempotency-key,mcp-session-id,mcp-protocol-version",
            ),
            ("access-control-allow-methods", "GET,POST,PUT,PATCH,DELETE"),
            ("access-control-allow-origin", ALLOWED),
        ];
        assert_eq!(cors(&answer), wanted, "{path}");
        let answer = preflight("https://evil.example.com", path).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
        assert!(answer.bytes.is_empty(), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_named_origins_only_the_own_page_may_call() {
    let server = Server::start(Engine::Sqlite).await;
    for origin in [ALLOWED, "null", "*", "http://localhost:8080"] {
        for method in ["GET", "OPTIONS"] {
            let request = server.request(method, "/api/v1/sessions").header("origin", origin);
            let answer = server.send(request.header("access-control-request-method", "GET")).await;
            assert_eq!(answer.header("access-control-allow-origin"), "", "{method} {origin}");
            assert_eq!(answer.header("access-control-allow-credentials"), "", "{method} {origin}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_changes_whose_pages_may_call_and_whose_word_counts_for_an_address() {
    let server = Server::start(Engine::Sqlite).await;
    let ask = async || {
        let request = server.request("GET", "/metrics").header("origin", ALLOWED);
        let answer = server.send(request.header("x-forwarded-for", "127.0.0.1")).await;
        (!answer.header("access-control-allow-origin").is_empty(), answer.status == 200)
    };
    assert_eq!(ask().await, (false, false));
    let proxy = ("TRUSTED_PROXIES", "127.0.0.0/8");
    server.app.apply(server.settings_again(&[SETTINGS[0], proxy])).await;
    assert_eq!(ask().await, (true, true));
    server.app.apply(server.settings_again(&[proxy])).await;
    assert_eq!(ask().await, (false, true));
    server.app.apply(server.settings_again(&[])).await;
    assert_eq!(ask().await, (false, false));
}
