//! Dependencies that fail in every way there is: what is asked for is answered in time and with a reason, the process
//! lives, nothing acknowledged is lost, and all is well again by itself.
//!
//! A cell is one dependency, one fault and one request. The rows of the dependencies run beside each other.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::Cluster;
use testkit::proxy::{Fault, Proxy};
use tokio::task::JoinSet;

use crate::answer::Answer;
use crate::principals::key;
use crate::support::*;

/// Nothing may take longer, whatever a dependency does.
const PATIENCE: Duration = Duration::from_secs(15);

/// A server, the line to one of its dependencies, and a key to ask with.
struct Place {
    server: Server,
    line: Proxy,
    key: String,
    acknowledged: usize,
}

fn event(text: &str) -> Value {
    json!({"session_id": "s", "channel": "private", "kind": "message", "actor": {"type": "human", "id": "ada"},
        "content": {"text": text}})
}

fn large(word: &str) -> Value {
    event(&format!("{word} {}", kernel::random::token()).repeat(2_000))
}

impl Place {
    async fn new(server: Server, line: Proxy) -> Self {
        let key = key(&server, "acme", &["memory:*"], None).await;
        Self { server, line, key, acknowledged: 0 }
    }

    async fn record(&mut self, event: &Value) -> Answer {
        let answer = self.server.post_as(&self.key, "/api/v1/events", event).await;
        self.acknowledged += usize::from(answer.status == 201);
        answer
    }

    /// Live stays 200 and quick whatever happens.
    async fn is_alive(&self) {
        let asked = Instant::now();
        self.server.get("/health/live").await.expect(200);
        assert!(asked.elapsed() < Duration::from_secs(1), "live took {:?}", asked.elapsed());
    }

    /// Everything acknowledged is there once; nothing that was refused is.
    async fn keeps_its_books(&self) {
        let stats = self.server.get_as(&self.key, "/api/v1/memory/stats").await.expect(200).json;
        assert_eq!(stats["events"], self.acknowledged);
    }
}

/// One cell of the table, checked and printed.
fn cell(dependency: &str, fault: Fault, what: &str, asked: Instant, answer: &Answer, wanted: &[(u16, &str)]) {
    let took = asked.elapsed();
    let fits = wanted.contains(&(answer.status, answer.code()));
    eprintln!(
        "{dependency:<11}{:<11}{what:<8}{:>4} {:<24}{took:>9.0?}",
        format!("{fault:?}"),
        answer.status,
        answer.code()
    );
    assert!(fits, "{dependency} {fault:?} {what}: {} {}", answer.status, answer.text());
    assert!(took < PATIENCE, "{dependency} {fault:?} {what} took {took:?}");
}

async fn database_row(fault: Fault) {
    let url = database(Engine::Postgres).await;
    let (before, name) = url.rsplit_once('/').unwrap();
    let (scheme, target) = before.rsplit_once('@').unwrap();
    let line = Proxy::to(target).await;
    let url = format!("{scheme}@{}/{name}", line.address());
    let settings = [("DATABASE_CONNECT_TIMEOUT_MS", "2000"), ("DATABASE_STATEMENT_TIMEOUT_MS", "3000")];
    let server = Server::start_unready(&url, &settings).await;
    server.app.become_ready().await.unwrap();
    let mut place = Place::new(server, line).await;
    place.record(&event("before")).await.expect(201);

    place.line.set(fault);
    let struck = Instant::now();
    let gone = [(503, "database_unavailable"), (503, "database_busy")];
    let asked = Instant::now();
    let read = place.server.get_as(&place.key, "/api/v1/sessions").await;
    cell("database", fault, "read", asked, &read, &gone);
    let asked = Instant::now();
    let write = place.record(&event("meanwhile")).await;
    cell("database", fault, "write", asked, &write, &gone);
    place.is_alive().await;
    eventually(5, || place.server.get("/health/ready"), |answer| answer.status == 503).await;
    eprintln!(
        "{:<11}{:<11}{:<8}{:>4} {:<24}{:>9.0?}",
        "database",
        format!("{fault:?}"),
        "unready",
        503,
        "",
        struck.elapsed()
    );

    place.line.set(Fault::None);
    let healed = Instant::now();
    eventually(10, || place.server.get("/health/ready"), |answer| answer.status == 200).await;
    eprintln!(
        "{:<11}{:<11}{:<8}{:>4} {:<24}{:>9.0?}",
        "database",
        format!("{fault:?}"),
        "ready",
        200,
        "",
        healed.elapsed()
    );
    place.record(&event("after")).await.expect(201);
    place.keeps_its_books().await;
}

async fn s3_row(fault: Fault) {
    let endpoint = testkit::needed("HEARTH_TEST_S3_ENDPOINT", "an S3 server");
    let line = Proxy::to(endpoint.trim_start_matches("http://")).await;
    let settings = [
        ("S3_ENDPOINT", format!("http://{}", line.address())),
        ("S3_ACCESS_KEY", testkit::needed("HEARTH_TEST_S3_ACCESS_KEY", "its access key")),
        ("S3_SECRET_KEY", testkit::needed("HEARTH_TEST_S3_SECRET_KEY", "its secret key")),
        ("S3_BUCKET", testkit::needed("HEARTH_TEST_S3_BUCKET", "its bucket")),
    ];
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let server = Server::start_with(Engine::Sqlite, &settings).await;
    let mut place = Place::new(server, line).await;
    let made = place.record(&large("before")).await.expect(201).json;
    let artifact = format!("/api/v1/artifacts/{}", made["artifact_id"].as_str().unwrap());

    place.line.set(fault);
    let gone = [(503, "blob_store_unavailable")];
    let asked = Instant::now();
    let read = place.server.get_as(&place.key, &artifact).await;
    cell("s3", fault, "read", asked, &read, &gone);
    let asked = Instant::now();
    let write = place.record(&large("meanwhile")).await;
    cell("s3", fault, "write", asked, &write, &gone);
    let asked = Instant::now();
    let small = place.record(&event("what needs no object goes on")).await;
    cell("s3", fault, "beside", asked, &small, &[(201, "")]);
    place.is_alive().await;
    place.server.get("/health/ready").await.expect(200);

    place.line.set(Fault::None);
    place.server.get_as(&place.key, &artifact).await.expect(200);
    place.record(&large("after")).await.expect(201);
    place.keeps_its_books().await;
}

async fn embeddings_row(fault: Fault) {
    let model = testkit::embeddings::Server::start(testkit::embeddings::Behaviour::Good(16)).await;
    let target = model.base_url();
    let line = Proxy::to(target.trim_start_matches("http://").trim_end_matches("/v1")).await;
    let base = format!("http://{}/v1", line.address());
    let settings =
        [("EMBEDDING_BASE_URL", base.as_str()), ("EMBEDDING_MODEL", "played"), ("EMBEDDING_DIMENSION", "16")];
    let server = Server::start_with(Engine::Sqlite, &settings).await;
    let mut place = Place::new(server, line).await;
    place.record(&event("the lighthouse keeper")).await.expect(201);

    place.line.set(fault);
    let asked = Instant::now();
    let search = json!({"query": format!("lighthouse {fault:?}")});
    let found = place.server.post_as(&place.key, "/api/v1/memories/search", &search).await;
    cell("embeddings", fault, "search", asked, &found, &[(200, "")]);
    assert_eq!(
        found.json["items"].as_array().map(Vec::len),
        Some(1),
        "words alone find it: {}",
        found.text()
    );
    assert_ne!(found.json["degraded"], json!([]), "and the answer says so: {}", found.text());
    let asked = Instant::now();
    let write = place.record(&event("meanwhile")).await;
    cell("embeddings", fault, "write", asked, &write, &[(201, "")]);
    place.is_alive().await;
    place.server.get("/health/ready").await.expect(200);

    place.line.set(Fault::None);
    let healed = Instant::now();
    let ask = || place.server.post_as(&place.key, "/api/v1/memories/search", &search);
    eventually(25, ask, |answer| !answer.text().contains("embeddings_unavailable")).await;
    eprintln!("{:<11}{:<11}{:<8}{:>37.0?}", "embeddings", format!("{fault:?}"), "well", healed.elapsed());
    place.keeps_its_books().await;
}

/// The replica's line breaks: no answer but the usual one, and reads come back to it by themselves.
async fn replica_row(fault: Fault, (primary, standby): (String, String)) {
    let (before, name) = standby.rsplit_once('/').unwrap();
    let (scheme, target) = before.rsplit_once('@').unwrap();
    let line = Proxy::to(target).await;
    let replica = format!("{scheme}@{}/{name}", line.address());
    let server = Server::start_unready(&primary, &[("DATABASE_URL_REPLICA", &replica)]).await;
    server.app.become_ready().await.unwrap();
    let mut place = Place::new(server, line).await;
    // Another caller reads: what one wrote oneself is read on the primary.
    let reader = key(&place.server, "acme", &["memory:*"], None).await;
    let of_ada = |text: &str| {
        let mut event = event(text);
        event["user_id"] = "ada".into();
        event
    };
    let has_one = |answer: &Answer| answer.json["items"].as_array().is_some_and(|items| items.len() == 1);
    let sessions = "/api/v1/sessions?user_id=ada";
    let is_up = |wanted: bool| {
        let app = place.server.app.clone();
        let is_so =
            move || app.dependencies().iter().any(|one| one.name == "replica" && one.up == Some(wanted));
        async move {
            while !is_so() {
                tokio::task::yield_now().await;
            }
        }
    };
    let limit = Duration::from_secs(15);
    let (up, down, up_again) = (is_up(true), is_up(false), is_up(true));
    place.record(&of_ada("before")).await.expect(201);
    tokio::time::timeout(limit, up).await.expect("it is up");
    eventually(10, || place.server.get_as(&reader, sessions), has_one).await;

    place.line.set(fault);
    for what in ["read", "again"] {
        let asked = Instant::now();
        let read = place.server.get_as(&reader, sessions).await;
        cell("replica", fault, what, asked, &read, &[(200, "")]);
        assert!(has_one(&read), "{}", read.text());
    }
    let asked = Instant::now();
    let write = place.record(&of_ada("meanwhile")).await;
    cell("replica", fault, "write", asked, &write, &[(201, "")]);
    tokio::time::timeout(limit, down).await.expect("it is down");
    place.is_alive().await;
    place.server.get("/health/ready").await.expect(200);

    place.line.set(Fault::None);
    tokio::time::timeout(limit, up_again).await.expect("it is up again");
    place.record(&of_ada("after")).await.expect(201);
    let stats = place.server.get_as(&place.key, "/api/v1/memory/stats?user_id=ada").await.expect(200).json;
    assert_eq!(stats["events"], place.acknowledged);
}

/// Runs rows beside each other and fails with the first that does.
async fn all<F: Future<Output = ()> + Send + 'static>(rows: impl IntoIterator<Item = F>) {
    let mut running: JoinSet<()> = rows.into_iter().collect();
    while let Some(ended) = running.join_next().await {
        ended.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sick_database_is_answered_with_503_and_forgiven() {
    // One that drips is cut off by the deadline of the request, 504 after 30 s: too long to wait for here.
    all(Fault::OF_TCP.into_iter().filter(|fault| *fault != Fault::Drip).map(database_row)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sick_replica_costs_no_error() {
    let cluster = Cluster::start();
    let mut rows = Vec::new();
    for fault in Fault::OF_TCP {
        let name = format!("{fault:?}").to_lowercase();
        rows.push(replica_row(fault, cluster.database(&name).await));
    }
    all(rows).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sick_object_storage_is_answered_with_503_and_forgiven() {
    all(Fault::OF_TCP.into_iter().chain(Fault::OF_HTTP).map(s3_row)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sick_embeddings_leave_recall_by_words() {
    all(Fault::OF_TCP.into_iter().chain(Fault::OF_HTTP).map(embeddings_row)).await;
}

/// The control: without a time-out a black hole is not survived, and the same patience notices.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_time_out_the_check_goes_red() {
    let url = database(Engine::Postgres).await;
    let (before, name) = url.rsplit_once('/').unwrap();
    let (scheme, target) = before.rsplit_once('@').unwrap();
    let line = Proxy::to(target).await;
    let url = format!("{scheme}@{}/{name}", line.address());
    let settings = [("DATABASE_CONNECT_TIMEOUT_MS", "60000"), ("DATABASE_STATEMENT_TIMEOUT_MS", "60000")];
    let server = Server::start_unready(&url, &settings).await;
    server.app.become_ready().await.unwrap();
    let place = Place::new(server, line).await;
    place.line.set(Fault::BlackHole);
    let asked = place.server.get_as(&place.key, "/api/v1/sessions");
    let answered = tokio::time::timeout(Duration::from_secs(5), asked).await;
    assert!(answered.is_err(), "a request without a time-out came back: the check proves nothing");
}
