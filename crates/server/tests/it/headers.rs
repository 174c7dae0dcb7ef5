//! What the edge puts on every answer: ids, times, limits, and a problem where a handler panics.

use std::collections::BTreeSet;

use axum::Router;
use axum::routing::get;
use httpkit::accept::AcceptConfig;
use httpkit::{Edge, EdgeConfig};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::answer::{SECURITY_HEADERS, is_sane_id};
use crate::principals::key;
use crate::raw;
use crate::routes_table::event;
use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sane_request_id_is_kept_and_any_other_is_replaced() {
    let server = Server::start(Engine::Sqlite).await;
    let longest = "x".repeat(128);
    for sane in ["req-12345678", "AZaz09-_.", "0af7651916cd43dd8448eb211c80319c", longest.as_str()] {
        for path in ["/healthz", "/api/v1/sessions"] {
            let answer = server.send(server.request("GET", path).header("x-request-id", sane)).await;
            assert_eq!(answer.header("x-request-id"), sane, "{path}");
            assert_eq!(answer.headers.get_all("x-request-id").iter().count(), 1);
        }
    }
    let too_long = "x".repeat(129);
    for odd in [
        "",
        "short",
        "has space in it",
        "semi;colon;here",
        "quo\"te\"quote",
        "<script>alert",
        too_long.as_str(),
    ] {
        let answer = server.send(server.request("GET", "/healthz").header("x-request-id", odd)).await;
        let made = answer.header("x-request-id");
        assert!(made != odd && made.len() == 26, "{odd:?} → {made:?}");
    }
    let mut seen = BTreeSet::new();
    for _ in 0..200 {
        assert!(
            seen.insert(server.get("/healthz").await.header("x-request-id").to_owned()),
            "an id came twice"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_writes_headers_into_an_answer() {
    let server = Server::start(Engine::Sqlite).await;
    for evil in [
        "GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-Request-ID: abcdefgh\u{b}Set-Cookie: a=b\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-Request-ID: abcdefgh\tSet-Cookie: a=b\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-Request-ID: abcdefgh\rSet-Cookie: a=b\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-Request-ID: abcd%0d%0aSet-Cookie:%20a=b\r\n\r\n",
        "GET /%0d%0aSet-Cookie:%20a=b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        "GET /api/v1/events/%0d%0aSet-Cookie:%20a=b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        "GET /docs?x=%0d%0aSet-Cookie:%20a=b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\nOrigin: http://a\u{1}\r\n\r\n",
    ] {
        let answer = raw::exchange(server.address, evil.as_bytes()).await;
        assert_eq!(answer.header("set-cookie"), "", "{evil:?} → {answer:?}");
        assert!(answer.status < 500, "{evil:?} → {answer:?}");
        let id = answer.header("x-request-id");
        assert!(id.is_empty() || is_sane_id(id), "{evil:?} → {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_longest_header_is_refused_before_anything_reads_it() {
    let server = Server::start(Engine::Sqlite).await;
    let many = "x-one: y\r\n".repeat(150);
    let request = format!("GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{many}\r\n");
    assert_eq!(raw::exchange(server.address, request.as_bytes()).await.status, 431);
    let credential = format!("Bearer {}", "'; DROP TABLE users; --".repeat(700));
    let headers = [("Authorization", credential.as_str())];
    let answer = raw::exchange(server.address, &raw::request("GET", "/api/v1/sessions", &headers)).await;
    assert!([401, 431].contains(&answer.status), "{answer:?}");
    assert!(!answer.body.contains("DROP TABLE"), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_with_two_lengths_or_mixed_framing_is_refused_and_closed() {
    let server = Server::start(Engine::Sqlite).await;
    for framing in [
        "Content-Length: 2\r\nContent-Length: 3",
        "Content-Length: 2, 3",
        "Content-Length: -1",
        "Content-Length: x",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: gzip",
    ] {
        let request = format!(
            "POST /auth/login HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n{framing}\r\n\r\n{{}}"
        );
        let answer = raw::exchange(server.address, request.as_bytes()).await;
        assert_eq!(answer.status, 400, "{framing}: {answer:?}");
    }
}

on_both_engines! {
    async fn a_caller_past_its_limit_is_told_when_to_come_back(engine: Engine) {
        let settings = [("RATE_LIMIT_ENABLED", "true"), ("RATE_LIMIT_MAX_REQUESTS", "5"),
            ("RATE_LIMIT_WINDOW_MS", "3600000"), ("RATE_LIMIT_EVENTS_PER_MINUTE", "7")];
        let server = Server::start_with(engine, &settings).await;
        let one = key(&server, "acme", &["memory:*"], None).await;
        let other = key(&server, "acme", &["memory:*"], None).await;
        for left in (0..5).rev() {
            let answer = server.get_as(&one, "/api/v1/sessions").await.expect(200);
            assert_eq!(answer.header("ratelimit-limit"), "5");
            assert_eq!(answer.header("ratelimit-remaining"), left.to_string());
            let reset: u32 = answer.header("ratelimit-reset").parse().unwrap();
            assert!((1..=3_600).contains(&reset), "{reset}");
            assert_eq!(answer.header("retry-after"), "");
        }
        for path in ["/api/v1/sessions", "/api/v1/memory/stats", "/auth/sessions", "/api/v1/events/evt_x"] {
            let answer = server.get_as(&one, path).await.expect(429);
            assert_eq!(answer.code(), "rate_limited", "{path}");
            let wait: u32 = answer.header("retry-after").parse().unwrap();
            assert!((1..=720).contains(&wait), "{wait}: one of five comes back within a fifth of the window");
            assert_eq!(answer.header("ratelimit-limit"), "5", "{path}");
            assert_eq!(answer.header("ratelimit-remaining"), "0", "{path}");
            assert!(!answer.header("ratelimit-reset").is_empty(), "{path}");
        }
        // Nobody else pays for it, and recording is a class of its own.
        server.get_as(&other, "/api/v1/sessions").await.expect(200);
        let answer = server.post_as(&one, "/api/v1/events", &event("still heard")).await.expect(201);
        assert_eq!(answer.header("ratelimit-limit"), "7");
        server.post_as(&one, "/api/v1/memories/search", &json!({"query": "x"})).await.expect(429);
    }
}

on_both_engines! {
    async fn of_many_at_once_exactly_the_limit_passes(engine: Engine) {
        let settings = [("RATE_LIMIT_ENABLED", "true"), ("RATE_LIMIT_MAX_REQUESTS", "50"),
            ("RATE_LIMIT_WINDOW_MS", "86400000")];
        let server = std::sync::Arc::new(Server::start_with(engine, &settings).await);
        let key = key(&server, "acme", &["memory:*"], None).await;
        let mut asking = JoinSet::new();
        for _ in 0..200 {
            let (server, key) = (server.clone(), key.clone());
            asking.spawn(async move { server.get_as(&key, "/auth/sessions").await.status });
        }
        let statuses = asking.join_all().await;
        let count = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
        assert_eq!((count(200), count(429)), (50, 150));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_in_a_handler_is_a_problem_and_the_server_lives() {
    let edge = Edge::new(EdgeConfig::default(), |_| {});
    let router = Router::new()
        .route("/panics/{id}", get(async || -> &'static str { panic!("the secret of the handler") }))
        .route("/lives", get(async || "lives"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = watch::channel(false);
    let serving = tokio::spawn(httpkit::accept::serve(
        vec![listener],
        edge.around(router),
        AcceptConfig::default(),
        stopped,
    ));
    for _ in 0..3 {
        let answer = raw::exchange(address, &raw::request("GET", "/panics/7", &[])).await;
        assert_eq!(answer.status, 500, "{answer:?}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!((&body["code"], &body["status"]), (&json!("internal"), &json!(500)));
        assert_eq!(body["request_id"], answer.header("x-request-id"));
        assert!(!answer.body.contains("secret"), "{answer:?}");
        for (name, value) in SECURITY_HEADERS {
            assert_eq!(answer.header(name), value, "{name}");
        }
        assert!(answer.header("x-response-time").ends_with("ms"));
        let answer = raw::exchange(address, &raw::request("GET", "/lives", &[])).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "lives"));
    }
    stop.send(true).unwrap();
    serving.await.unwrap();
}
