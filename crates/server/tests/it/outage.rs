//! A database that goes away under a running server and comes back.

use serde_json::json;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::health::without_database;
use crate::principals::key;
use crate::support::*;

/// A line to the database that can be cut.
struct Line {
    port: u16,
    target: String,
    carrying: JoinHandle<()>,
}

impl Line {
    async fn to(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        Self { port, target: target.to_owned(), carrying: carry(listener, target.to_owned()) }
    }

    /// A line that is cut from the start.
    async fn cut_off_from(target: &str) -> Self {
        let mut line = Self::to(target).await;
        line.cut().await;
        line
    }

    /// Ends every connection and refuses new ones.
    async fn cut(&mut self) {
        self.carrying.abort();
        let _ = (&mut self.carrying).await;
    }

    async fn mend(&mut self) {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await.unwrap();
        self.carrying = carry(listener, self.target.clone());
    }
}

fn carry(listener: TcpListener, target: String) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut calls = JoinSet::new();
        loop {
            let (mut near, _) = listener.accept().await.unwrap();
            let target = target.clone();
            calls.spawn(async move {
                if let Ok(mut far) = TcpStream::connect(target).await {
                    let _ = copy_bidirectional(&mut near, &mut far).await;
                }
            });
        }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_goes_away_makes_503_and_comes_back_by_itself() {
    let url = database(Engine::Postgres).await;
    let (before, name) = url.rsplit_once('/').unwrap();
    let (scheme, place) = before.rsplit_once('@').unwrap();
    let mut line = Line::to(place).await;
    let url = format!("{scheme}@127.0.0.1:{}/{name}", line.port);
    let settings = [("DATABASE_CONNECT_TIMEOUT_MS", "500")];
    let server = Server::start_unready(&url, &settings).await;
    server.app.become_ready().await.unwrap();
    let key = key(&server, "acme", &["memory:*"], None).await;
    server.get_as(&key, "/api/v1/sessions").await.expect(200);

    line.cut().await;
    eventually(15, || server.get("/health/ready"), |answer| answer.status == 503).await;
    without_database(&server).await;
    let event = json!({"session_id": "s", "channel": "private", "actor": {"type": "human", "id": "ada"},
        "kind": "message", "content": {"text": "said while the database was away"}});
    for answer in [
        server.get_as(&key, "/api/v1/sessions").await,
        server.get_as("hk_never-seen-before", "/api/v1/sessions").await,
        server.post_as(&key, "/api/v1/events", &event).await,
        server.get("/api/v1/setup").await,
    ] {
        let allowed = if answer.status == 401 { 401 } else { 503 };
        let answer = answer.expect(allowed);
        assert!(
            ["database_unavailable", "database_busy", "invalid_api_key"].contains(&answer.code()),
            "{}",
            answer.text()
        );
    }
    let scrape = server.get("/metrics").await.expect(200).text();
    assert!(scrape.contains("hearth_dependency_up{dependency=\"database\"} 0"));

    line.mend().await;
    eventually(15, || server.get("/health/ready"), |answer| answer.status == 200).await;
    let sessions = server.get_as(&key, "/api/v1/sessions").await.expect(200);
    assert_eq!(sessions.json["items"], json!([]), "what was answered with 503 was not stored");
    server.post_as(&key, "/api/v1/events", &event).await.expect(201);
    let scrape = server.get("/metrics").await.expect(200).text();
    assert!(scrape.contains("hearth_dependency_up{dependency=\"database\"} 1"));
}

/// The S3 server of the tests: place, access key, secret key, bucket.
pub(crate) fn s3_server() -> [String; 4] {
    ["ENDPOINT", "ACCESS_KEY", "SECRET_KEY", "BUCKET"].map(|part| {
        let name = format!("HEARTH_TEST_S3_{part}");
        std::env::var(&name).unwrap_or_else(|_| panic!("{name} must be set; ./test starts an S3 server"))
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_away_degrades_health_and_never_makes_the_server_unready() {
    let [place, access, secret, bucket] = s3_server();
    let mut line = Line::cut_off_from(place.trim_start_matches("http://")).await;
    let endpoint = format!("http://127.0.0.1:{}", line.port);
    let nobody = format!("http://127.0.0.1:{}/v1", closed_port().await);
    let settings = [
        ("S3_ENDPOINT", endpoint.as_str()),
        ("S3_ACCESS_KEY", &access),
        ("S3_SECRET_KEY", &secret),
        ("S3_BUCKET", &bucket),
        ("EMBEDDING_BASE_URL", &nobody),
    ];
    let server = Server::start_with(Engine::Sqlite, &settings).await;
    let of = |name: &str| server.app.dependencies().into_iter().find(|row| row.name == name).unwrap();
    let health = eventually(10, || server.get("/health"), |answer| answer.json["status"] == "degraded").await;
    assert_eq!(health.json["database"], true);
    eventually(
        10,
        || server.get("/metrics"),
        |scrape| {
            ["s3", "embeddings"].iter().all(|name| {
                scrape.text().contains(&format!("hearth_dependency_up{{dependency=\"{name}\"}} 0"))
            })
        },
    )
    .await;
    server.get("/health/ready").await.expect(200);
    let down = of("s3");
    assert_eq!((down.configured, down.up, down.latency_ms), (true, Some(false), None));
    assert!(down.since.is_some() && down.last_error.is_some_and(|error| !error.contains(&secret)));
    assert_eq!(of("embeddings").up, Some(false));

    line.mend().await;
    eventually(
        10,
        || server.get("/metrics"),
        |scrape| scrape.text().contains("hearth_dependency_up{dependency=\"s3\"} 1"),
    )
    .await;
    let up = of("s3");
    assert!(up.up == Some(true) && up.latency_ms.is_some() && up.detail.contains(&bucket), "{up:?}");
    assert_eq!(server.get("/health").await.json["status"], "degraded", "embeddings are still away");

    for absent in ["replica", "redis"] {
        let row = of(absent);
        assert_eq!((row.configured, row.up, row.last_error), (false, None, None), "{absent}");
        let scrape = server.get("/metrics").await.text();
        assert!(!scrape.contains(&format!("dependency=\"{absent}\"")), "{absent} is not configured");
    }
}
