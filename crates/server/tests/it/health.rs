//! The contract's health routes, row by row.

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::answer::Answer;
use crate::principals::{Person, key, signed_in};
use crate::raw::{self, RawAnswer};
use crate::support::*;

pub(crate) const PATHS: [&str; 6] =
    ["/healthz", "/health", "/health/live", "/health/db", "/health/ready", "/api/health"];

/// The body with its time replaced by `T`, after checking that it is UTC with milliseconds and `Z`.
fn timeless(answer: &Answer) -> Value {
    let mut body = answer.json.clone();
    if let Some(time) = body.get_mut("timestamp") {
        let text = time.as_str().unwrap().to_owned();
        assert_eq!(text.len(), "2026-01-31T12:00:00.000Z".len(), "{text}");
        assert!(text.ends_with('Z') && text.as_bytes()[19] == b'.', "{text}");
        kernel::Micros::parse(&text).unwrap();
        *time = json!("T");
    }
    body
}

fn names(body: &Value) -> Vec<&str> {
    body.as_object().unwrap().keys().map(String::as_str).collect()
}

on_both_engines! {
    async fn each_health_route_answers_its_row_of_the_contract(engine: Engine) {
        let server = Server::start(engine).await;
        let answer = server.get("/healthz").await.expect(200);
        assert_eq!(answer.text(), r#"{"status":"healthy"}"#);

        let answer = server.get("/health").await.expect(200);
        let wanted = json!({"status": "healthy", "timestamp": "T", "version": env!("CARGO_PKG_VERSION"),
            "service": "hearth", "authenticated": false, "database": true, "llm": false});
        assert_eq!(timeless(&answer), wanted);
        let order = ["status", "timestamp", "version", "service", "authenticated", "database", "llm"];
        assert_eq!(names(&answer.json), order);

        let answer = server.get("/health/live").await.expect(200);
        let wanted = json!({"status": "alive", "timestamp": "T", "uptime": "application is running"});
        assert_eq!(timeless(&answer), wanted);
        assert_eq!(names(&answer.json), ["status", "timestamp", "uptime"]);

        let answer = server.get("/health/db").await.expect(200);
        let name = server.app.store.database_name();
        let wanted = json!({"status": "healthy", "database": "connected", "timestamp": "T", "db_name": name});
        assert_eq!(timeless(&answer), wanted);
        match engine {
            Engine::Sqlite => assert_eq!(name, "hearth", "the stem of the file"),
            Engine::Postgres => assert!(name.starts_with("hearth_test_"), "{name}"),
        }

        let answer = server.get("/health/ready").await.expect(200);
        let wanted = json!({"status": "ready", "timestamp": "T",
            "checks": {"database": "ok", "application": "ok"}});
        assert_eq!(timeless(&answer), wanted);

        let answer = server.get("/api/health").await.expect(200);
        let wanted = json!({"status": "healthy", "database": "connected", "timestamp": "T"});
        assert_eq!(timeless(&answer), wanted);
    }
}

on_both_engines! {
    async fn health_is_json_that_no_cache_keeps_and_head_says_the_same(engine: Engine) {
        let server = Server::start(engine).await;
        for path in PATHS {
            let answer = server.get(path).await.expect(200);
            assert_eq!(answer.header("content-type"), "application/json", "{path}");
            assert_eq!(answer.header("cache-control"), "no-store", "{path}");
            let head = server.send(server.request("HEAD", path)).await.expect(200);
            assert_eq!(head.header("content-type"), "application/json", "{path}");
            assert_eq!(head.header("cache-control"), "no-store", "{path}");
            assert_eq!(head.header("content-length"), answer.header("content-length"), "{path}");
            for method in ["POST", "PUT", "PATCH", "DELETE"] {
                let answer = server.send(server.request(method, path)).await.expect(405);
                assert_eq!(answer.header("allow"), "GET,HEAD", "{method} {path}");
                assert_eq!(answer.code(), "method_not_allowed", "{method} {path}");
            }
        }
        for path in ["/health/", "/health/nope", "/healthz/", "/api/health/x"] {
            let answer = server.get(path).await.expect(404);
            assert_eq!(answer.code(), "not_found", "{path}");
        }
    }
}

on_both_engines! {
    async fn health_needs_no_credential_and_is_never_limited(engine: Engine) {
        let limits = [("RATE_LIMIT_ENABLED", "true"), ("RATE_LIMIT_MAX_REQUESTS", "1")];
        let server = Server::start_with(engine, &limits).await;
        let key = key(&server, "acme", &["admin"], None).await;
        server.get_as(&key, "/auth/sessions").await.expect(200);
        server.get_as(&key, "/auth/sessions").await.expect(429);
        for _ in 0..50 {
            for path in PATHS {
                let answer = server.get_as(&key, path).await.expect(200);
                assert_eq!(answer.header("ratelimit-limit"), "", "{path}");
            }
        }
        for credential in ["hk_wrong", "a.b.c", "", "x y z"] {
            for path in PATHS {
                let request = server.request("GET", path).header("authorization", credential);
                server.send(request.header("x-api-key", "wrong")).await.expect(200);
            }
        }
    }
}

on_both_engines! {
    async fn authenticated_is_true_only_for_what_verifies_in_memory(engine: Engine) {
        let server = Server::start(engine).await;
        let authenticated = async |request: reqwest::RequestBuilder| {
            server.send(request).await.expect(200).json["authenticated"].as_bool().unwrap()
        };
        let health = || server.request("GET", "/health");
        assert!(!authenticated(health()).await);
        let ada = Person { tenant: "acme", name: "ada", role: Some(kernel::Role::Member) };
        let token = signed_in(&server, &ada).await;
        assert!(authenticated(health().bearer_auth(&token.access)).await, "signature and expiry are enough");
        let key = key(&server, "acme", &["memory:read"], None).await;
        assert!(!authenticated(health().bearer_auth(&key)).await, "an unseen key needs a look-up");
        server.get_as(&key, "/auth/sessions").await.expect(200);
        assert!(authenticated(health().bearer_auth(&key)).await, "a key seen just now is in memory");
        assert!(authenticated(health().header("x-api-key", &key)).await);
        assert!(authenticated(health().header("api-key", &key)).await);
        assert!(!authenticated(health().basic_auth("ada", Some(&key))).await);
        assert!(!authenticated(health().bearer_auth(&token.access).header("x-api-key", &key)).await);
        for bad in ["hk_wrong", &key[..key.len() - 1], "a.b.c", &token.expired] {
            assert!(!authenticated(health().bearer_auth(bad)).await, "{bad}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_name_is_a_setting() {
    let server = Server::start_with(Engine::Sqlite, &[("SERVICE_NAME", "admin-api")]).await;
    assert_eq!(server.get("/health").await.json["service"], "admin-api");
}

on_both_engines! {
    async fn a_starting_server_is_alive_and_not_ready(engine: Engine) {
        let server = Server::start_unready(&database(engine).await, &[]).await;
        let starting = |answer: &Answer| answer.json["error"] == "Application is starting";
        let answer = eventually(10, || server.get("/health/ready"), starting).await.expect(503);
        let wanted = json!({"status": "not_ready", "timestamp": "T",
            "checks": {"database": "ok", "application": "failed"}, "error": "Application is starting"});
        assert_eq!(timeless(&answer), wanted);
        let live = server.get("/health/live").await.expect(200);
        assert_eq!(live.json["status"], "alive");
        server.get("/healthz").await.expect(200);
        for (method, path) in [
            ("GET", "/api/v1/setup"),
            ("POST", "/auth/login"),
            ("GET", "/api/v1/sessions"),
            ("POST", "/api/v1/events"),
        ] {
            let request = server.request(method, path).bearer_auth("hk_unknown");
            let body = json!({"username": "ada", "password": "x"});
            let answer = server.send(request.json(&body)).await.expect(503);
            assert_eq!(answer.code(), "starting", "{method} {path}");
        }
        server.app.become_ready().await.unwrap();
        server.get("/health/ready").await.expect(200);
        server.get("/api/v1/setup").await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draining_server_is_alive_and_not_ready() {
    let mut server = Server::start(Engine::Sqlite).await;
    // Connections whose request is on its way when the server is told to stop: those are still answered.
    let mut waiting = Vec::new();
    for path in ["/health/live"; 2].into_iter().chain(["/health/ready"; 30]) {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let begun = format!("GET {path} HTTP/1.1\r\nHost: hearth\r\n");
        stream.write_all(begun.as_bytes()).await.unwrap();
        waiting.push((path, stream));
    }
    // Accepted in order: once a later one is answered, all before it are known to the server.
    server.get("/healthz").await.expect(200);
    server.tell_to_stop();
    let mut last: Option<RawAnswer> = None;
    for (path, mut stream) in waiting {
        stream.write_all(b"\r\n").await.unwrap();
        let answer = RawAnswer::parse(&raw::rest(&mut stream).await);
        if path == "/health/live" {
            assert_eq!(answer.status, 200, "{answer:?}");
        } else {
            last = Some(answer);
        }
    }
    let last = last.unwrap();
    assert_eq!(last.status, 503, "{last:?}");
    let mut body: Value = serde_json::from_str(&last.body).unwrap();
    body["timestamp"] = json!("T");
    let wanted = json!({"status": "not_ready", "timestamp": "T",
        "checks": {"database": "ok", "application": "failed"}, "error": "Application is shutting down"});
    assert_eq!(body, wanted);
    server.ended().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_whose_database_is_away_binds_and_says_so() {
    let url = format!("postgres://nobody@127.0.0.1:{}/admin_db", closed_port().await);
    let server = Server::start_unready(&url, &[("DATABASE_CONNECT_TIMEOUT_MS", "200")]).await;
    let waiting = {
        let app = server.app.clone();
        tokio::spawn(async move { app.become_ready().await })
    };
    without_database(&server).await;
    for (method, path) in [
        ("GET", "/api/v1/setup"),
        ("GET", "/api/v1/sessions"),
        ("POST", "/api/v1/events"),
        ("POST", "/auth/login"),
    ] {
        let request = server.request(method, path).bearer_auth("hk_unknown").json(&json!({}));
        let answer = server.send(request).await.expect(503);
        assert_eq!(answer.code(), "starting", "{method} {path}");
    }
    assert!(!waiting.is_finished(), "it keeps trying");
    waiting.abort();
}

/// What health says while the database cannot be reached.
pub(crate) async fn without_database(server: &Server) {
    let answer = server.get("/health").await.expect(200);
    let wanted = json!({"status": "degraded", "timestamp": "T", "version": env!("CARGO_PKG_VERSION"),
        "service": "hearth", "authenticated": false, "database": false, "llm": false});
    assert_eq!(timeless(&answer), wanted);
    let answer = server.get("/health/db").await.expect(503);
    let wanted = json!({"status": "unhealthy", "database": "disconnected", "timestamp": "T",
        "error": "Database connection failed"});
    assert_eq!(timeless(&answer), wanted);
    assert_eq!(answer.header("cache-control"), "no-store");
    let answer = server.get("/health/ready").await.expect(503);
    let wanted = json!({"status": "not_ready", "timestamp": "T",
        "checks": {"database": "failed", "application": "ok"}, "error": "Database not available"});
    assert_eq!(timeless(&answer), wanted);
    let answer = server.get("/api/health").await.expect(200);
    let wanted = json!({"status": "degraded", "database": "disconnected", "timestamp": "T"});
    assert_eq!(timeless(&answer), wanted);
    assert_eq!(server.get("/healthz").await.expect(200).text(), r#"{"status":"healthy"}"#);
    server.get("/health/live").await.expect(200);
}
