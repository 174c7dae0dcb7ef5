//! A whole server with a replica: what a caller wrote is in every list that they ask for next, wherever it is read.

use serde_json::json;
use testkit::Cluster;

use crate::principals::key;
use crate::support::*;

/// Texts of the owner's events, newest first.
async fn timeline(server: &Server, key: &str) -> Vec<String> {
    let answer = server.get_as(key, "/api/v1/memory/timeline?user_id=ada").await.expect(200);
    let items = answer.json["items"].as_array().unwrap().clone();
    items.iter().map(|item| item["content"]["text"].as_str().unwrap().to_owned()).collect()
}

async fn record(server: &Server, key: &str, text: &str) {
    let event = json!({"session_id": "s", "user_id": "ada", "channel": "private", "kind": "message",
        "actor": {"type": "human", "id": "ada"}, "content": {"text": text}});
    server.post_as(key, "/api/v1/events", &event).await.expect(201);
}

/// How many reads went where, from the server's own figures.
async fn reads(server: &Server, outcome: &str) -> f64 {
    let scrape = server.get("/metrics").await.expect(200).text();
    let name = format!("hearth_replica_reads_total{{outcome=\"{outcome}\"}} ");
    scrape.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_reads_what_they_wrote_while_the_replica_stands_still() {
    let cluster = Cluster::start();
    let (primary, standby) = cluster.database("hearth").await;
    let server = Server::start_unready(&primary, &[("DATABASE_URL_REPLICA", &standby)]).await;
    server.app.become_ready().await.unwrap();
    let writer = key(&server, "acme", &["memory:*"], None).await;
    let reader = key(&server, "acme", &["memory:*"], None).await;
    record(&server, &writer, "before").await;
    let from_replica = || async {
        let before = reads(&server, "replica").await;
        let texts = timeline(&server, &writer).await;
        (texts, reads(&server, "replica").await > before)
    };
    let caught_up = async {
        while from_replica().await != (vec!["before".to_owned()], true) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), caught_up).await.expect("the replica is read");

    cluster.pause_replay().await;
    let mut wanted = vec!["before".to_owned()];
    for number in 0..20 {
        let text = format!("note {number}");
        record(&server, &writer, &text).await;
        wanted.insert(0, text);
        assert_eq!(timeline(&server, &writer).await, wanted);
    }
    assert!(reads(&server, "wrote").await >= 20.0);
    // The control: a caller who did not write is shown what the standing replica has, so the lists above could be wrong.
    assert_eq!(timeline(&server, &reader).await, ["before"]);

    let scrape = server.get("/metrics").await.expect(200).text();
    assert!(scrape.contains("hearth_replica_lag_seconds "), "{scrape}");
    assert!(scrape.contains("hearth_dependency_up{dependency=\"replica\"} 1"), "{scrape}");
    let report = server.app.dependencies();
    let replica = report.iter().find(|one| one.name == "replica").unwrap();
    assert!(replica.detail.ends_with(" s behind"), "{replica:?}");
}
