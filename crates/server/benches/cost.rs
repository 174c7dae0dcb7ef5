//! Makes one kind of request again and again, for `scripts/cost` to count instructions.
//!
//! ```text
//! cost SUBJECT COUNT [waste]     SUBJECT is live, read or record
//! ```
//! The requests go through the whole router, edge included; sockets and the parsing of HTTP are left out. `waste` adds
//! needless allocations to each request: the control, which the gate must notice.

#![allow(clippy::print_stdout, reason = "a bench says how it is called")]
#![allow(clippy::unwrap_used, reason = "a bench may end when something fails")]

use std::collections::BTreeMap;
use std::hint::black_box;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use kernel::Clock;
use serde_json::{Value, json};
use server::App;
use server::config::{Flags, load};
use tower::ServiceExt;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (subject, count, waste) = match words.as_slice() {
        [subject @ ("live" | "read" | "record"), count] => (*subject, count.parse().unwrap(), false),
        [subject @ ("live" | "read" | "record"), count, "waste"] => (*subject, count.parse().unwrap(), true),
        // `cargo bench` without words runs every bench of the workspace: nothing to do here.
        _ => return println!("scripts/cost runs this; by hand: cost live|read|record COUNT [waste]"),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(drive(subject, count, waste));
}

async fn drive(subject: &str, count: usize, waste: bool) {
    let folder = tempfile::tempdir().unwrap();
    let app = app(folder.path()).await;
    let scopes = ["memory:*".to_owned()];
    let key = app.identity.create_operator_key("cost", &scopes, None).await.unwrap();
    let caller = Caller { router: app.router(), bearer: format!("Bearer {}", key.api_key.expose()) };
    let made = caller.post("/api/v1/events", &event(0)).await;
    let read = format!("/api/v1/events/{}", made["event_id"].as_str().unwrap());
    for number in 1..=count {
        if waste {
            for size in 0..100 {
                black_box(vec![0_u8; black_box(200 + size)]);
            }
        }
        match subject {
            "live" => caller.get("/health/live").await,
            "read" => caller.get(&read).await,
            _ => caller.post("/api/v1/events", &event(number)).await,
        };
    }
}

/// A server of defaults on SQLite. Its clock stands still, so that no cached credential grows old.
async fn app(folder: &std::path::Path) -> App {
    let file = folder.join("hearth.toml");
    std::fs::write(&file, "").unwrap();
    let variables = [
        ("DATA_DIR", folder.join("data").to_str().unwrap().to_owned()),
        ("EMBEDDING_BASE_URL", "none".to_owned()),
        ("RATE_LIMIT_ENABLED", "false".to_owned()),
        ("DATABASE_POOL_MIN", "1".to_owned()),
        ("DATABASE_POOL_MAX", "1".to_owned()),
    ];
    let variables: BTreeMap<String, String> =
        variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let flags = Flags { config: Some(file), ..Flags::default() };
    let config = load(&flags, &variables).config.unwrap();
    let app = App::build(config, Clock::fixed(Clock::system().now())).await.unwrap();
    app.become_ready().await.unwrap();
    app
}

fn event(number: usize) -> Value {
    json!({"session_id": "cost", "channel": "private", "kind": "message", "actor": {"type": "human", "id": "ada"},
        "content": {"text": format!("note {number} about the harbour and its lanterns")}})
}

struct Caller {
    router: Router,
    bearer: String,
}

impl Caller {
    async fn get(&self, path: &str) -> Value {
        self.send(Request::get(path), Body::empty()).await
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let request = Request::post(path).header("content-type", "application/json");
        self.send(request, Body::from(body.to_string())).await
    }

    async fn send(&self, request: axum::http::request::Builder, body: Body) -> Value {
        let request =
            request.header("authorization", &self.bearer).header("host", "hearth").body(body).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        assert!(status == StatusCode::OK || status == StatusCode::CREATED, "{status} {bytes:?}");
        // Answers are read once only, to learn an id: their reading is no cost of the server's.
        if status == StatusCode::CREATED { serde_json::from_slice(&bytes).unwrap() } else { Value::Null }
    }
}
