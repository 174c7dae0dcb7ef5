//! The contract's series in a live scrape: present, typed, labelled with templates, and few.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::principals::{Person, key, signed_in};
use crate::support::*;

/// Name, type and labels of every series of the contract that this server has work for. Those of chat, companion, coach,
/// fleet and models (`llm_*`, `active_conversations`, `hearth_agents`), of event streams (`http_stream_duration_seconds`),
/// come with those rooms; those of the replica are in `replica`, and `hearth_backup_last_success_timestamp_seconds` comes with
/// the first good backup.
const SERIES: &[(&str, &str, &[&str])] = &[
    ("agent_memory_total_requests", "counter", &[]),
    ("agent_memory_successful_requests", "counter", &[]),
    ("agent_memory_failed_requests", "counter", &[]),
    ("agent_memory_latency_ms", "histogram", &[]),
    ("agent_memory_latency_ms_avg", "gauge", &[]),
    ("agent_memory_latency_ms_p50", "gauge", &[]),
    ("agent_memory_latency_ms_p95", "gauge", &[]),
    ("agent_memory_latency_ms_p99", "gauge", &[]),
    ("agent_memory_operation_count", "counter", &["operation"]),
    ("agent_memory_operation_failures", "counter", &["operation"]),
    ("agent_memory_operation_latency_avg", "gauge", &["operation"]),
    ("agent_memory_operation_latency_p95", "gauge", &["operation"]),
    ("agent_memory_db_pool_connections", "gauge", &["state"]),
    ("http_requests_total", "counter", &["endpoint", "method", "status"]),
    ("http_request_duration_seconds", "histogram", &["endpoint", "method"]),
    ("http_requests_in_progress", "gauge", &["endpoint", "method"]),
    ("cache_operations_total", "counter", &["operation", "result"]),
    ("health_agent_cache_hit_rate_percent", "gauge", &[]),
    ("memory_retrievals_total", "counter", &["type"]),
    ("memory_storage_total", "counter", &["type"]),
    ("hearth_bundle_seconds", "histogram", &["path"]),
    ("database_query_duration_seconds", "histogram", &["operation"]),
    ("db_pool_exhausted_total", "counter", &["pool"]),
    ("health_agent_cpu_percent", "gauge", &[]),
    ("health_agent_memory_mb", "gauge", &[]),
    ("health_agent_db_pool_active", "gauge", &[]),
    ("health_agent_db_pool_size", "gauge", &[]),
    ("health_agent_request_duration_ms", "histogram", &["endpoint"]),
    ("hearth_dependency_up", "gauge", &["dependency"]),
    ("hearth_host_memory_percent", "gauge", &[]),
    ("hearth_data_disk_percent", "gauge", &[]),
    ("hearth_jobs", "gauge", &["state"]),
    ("hearth_job_oldest_seconds", "gauge", &[]),
    ("hearth_rate_limited_total", "counter", &["scope"]),
    ("hearth_shed_total", "counter", &["class"]),
    ("hearth_build_info", "gauge", &["commit", "version"]),
    ("process_cpu_seconds_total", "counter", &[]),
    ("process_resident_memory_bytes", "gauge", &[]),
    ("process_open_fds", "gauge", &[]),
    ("process_max_fds", "gauge", &[]),
    ("process_start_time_seconds", "gauge", &[]),
];

/// One line of a scrape.
#[derive(Debug)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

struct Scrape {
    types: BTreeMap<String, String>,
    samples: Vec<Sample>,
}

impl Scrape {
    async fn of(server: &Server) -> Self {
        let answer = server.get("/metrics").await.expect(200);
        assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
        let text = answer.text();
        let (mut types, mut samples) = (BTreeMap::new(), Vec::new());
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap();
                assert!(types.insert(name.to_owned(), kind.to_owned()).is_none(), "{name} is typed twice");
            } else if !line.starts_with('#') {
                samples.push(sample(line));
            }
        }
        Self { types, samples }
    }

    /// Samples of a series; those of a histogram carry its suffixes.
    fn family(&self, name: &str, kind: &str) -> Vec<&Sample> {
        let suffixes: &[&str] = if kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
        let wanted: Vec<String> = suffixes.iter().map(|suffix| format!("{name}{suffix}")).collect();
        self.samples.iter().filter(|sample| wanted.contains(&sample.name)).collect()
    }

    fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let fits = |sample: &&Sample| {
            sample.name == name
                && labels
                    .iter()
                    .all(|(label, value)| sample.labels.get(*label).map(String::as_str) == Some(*value))
        };
        self.samples.iter().filter(fits).map(|sample| sample.value).sum()
    }
}

fn sample(line: &str) -> Sample {
    let (series, value) = line.rsplit_once(' ').unwrap();
    let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
    let mut rest = labels.strip_suffix('}').unwrap();
    let mut labels = BTreeMap::new();
    while let Some((label, after)) = rest.split_once("=\"") {
        let (value, after) = after.split_once('"').unwrap();
        labels.insert(label.trim_start_matches(',').to_owned(), value.to_owned());
        rest = after;
    }
    Sample {
        name: name.to_owned(),
        labels,
        value: value.parse().unwrap_or_else(|_| panic!("no number in {line}")),
    }
}

on_both_engines! {
    async fn a_scrape_after_some_traffic_holds_the_series_of_the_contract(engine: Engine) {
        let limits = [("RATE_LIMIT_ENABLED", "true"), ("RATE_LIMIT_MAX_REQUESTS", "20")];
        let server = Server::start_with(engine, &limits).await;
        let ada = Person { tenant: "acme", name: "ada-the-countess", role: Some(kernel::Role::Owner) };
        let ada = signed_in(&server, &ada).await;
        let key = key(&server, "acme", &["memory:*"], None).await;
        let event = json!({"session_id": "the-secret-talk", "channel": "private", "kind": "message",
            "actor": {"type": "human", "id": "actor-canary"}, "content": {"text": "lighthouse canary"}});
        let made = server.post_as(&key, "/api/v1/events", &event).await.expect(201).json;
        let event_path = format!("/api/v1/events/{}", made["event_id"].as_str().unwrap());
        server.get_as(&key, &event_path).await.expect(200);
        server.post_as(&key, "/api/v1/memories/search", &json!({"query": "lighthouse"})).await.expect(200);
        server.post_as(&key, "/api/v1/context", &crate::routes_table::bundle("continue")).await.expect(200);
        server.post_as(&key, "/api/v1/memories/search", &json!({})).await.expect(400);
        server.get_as(&key, "/api/v1/events/evt_malformed").await.expect(400);
        server.get(&format!("/no/such/{}", ada.user_id)).await;
        let mut refused = 0;
        for _ in 0..25 {
            let answer = server.get_as(&key, "/api/v1/sessions?user_id=person-canary").await;
            refused += u32::from(answer.status == 429);
        }
        assert!(refused > 0);

        let scrape = Scrape::of(&server).await;
        for (name, kind, labels) in SERIES {
            let found = scrape.types.get(*name);
            assert_eq!(found.map(String::as_str), Some(*kind), "type of {name}");
            let family = scrape.family(name, kind);
            assert!(!family.is_empty(), "no sample of {name}");
            for sample in family {
                let known: Vec<&str> = sample.labels.keys().map(String::as_str).filter(|label| *label != "le").collect();
                assert_eq!(known, *labels, "labels of {}", sample.name);
            }
        }
        let route = [("endpoint", "/api/v1/events/{event_id}"), ("method", "GET")];
        assert!(scrape.value("http_requests_total", &[route[0], route[1], ("status", "200")]) >= 1.0);
        assert!(scrape.value("http_requests_total", &[route[0], route[1], ("status", "400")]) >= 1.0);
        assert!(scrape.value("hearth_rate_limited_total", &[("scope", "requests")]) >= f64::from(refused));
        let memory = |name: &str| scrape.value(&format!("agent_memory_{name}_requests"), &[]);
        assert!(memory("failed") >= 2.0 && memory("successful") >= 3.0);
        assert_eq!(memory("total"), memory("failed") + memory("successful"));
        let operations: BTreeSet<&str> = scrape.samples.iter()
            .filter_map(|sample| sample.labels.get("operation").filter(|_| sample.name == "agent_memory_operation_count"))
            .map(String::as_str).collect();
        assert!(["record", "search", "list", "get"].iter().all(|name| operations.contains(name)), "{operations:?}");
        let query = scrape.family("database_query_duration_seconds", "histogram");
        assert!(query.iter().any(|sample| sample.labels["operation"].starts_with("identity.")), "writes are timed by name");

        let secrets = [ada.user_id.as_str(), "ada-the-countess", "canary", "the-secret-talk", "acme", "127.0.0.1", &key[3..]];
        let ids = ["evt_", "usr_", "chk_", "key_", "ses_", "art_"];
        for sample in &scrape.samples {
            for (label, value) in &sample.labels {
                let bad = secrets.iter().chain(&ids).find(|bad| value.contains(**bad));
                let template = value.contains("{event_id}") || value.contains("{key_id}");
                assert!(bad.is_none() || template, "{}{{{label}={value:?}}} holds {bad:?}", sample.name);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counters_grow_by_what_happened_and_scrapes_count_themselves_once() {
    let server = Server::start(Engine::Sqlite).await;
    let labels = [("endpoint", "/healthz"), ("method", "GET"), ("status", "200")];
    let before = Scrape::of(&server).await.value("http_requests_total", &labels);
    for _ in 0..7 {
        server.get("/healthz").await.expect(200);
    }
    let after = Scrape::of(&server).await;
    assert_eq!(after.value("http_requests_total", &labels) - before, 7.0);
    let seconds = after.value("http_request_duration_seconds_count", &labels[..2]);
    assert_eq!(seconds - before, 7.0);
    let endless = [("endpoint", "/healthz"), ("method", "GET"), ("le", "+Inf")];
    assert_eq!(after.value("http_request_duration_seconds_bucket", &endless), seconds);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_paths_and_methods_make_no_series_of_their_own() {
    let server = Server::start(Engine::Sqlite).await;
    let methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW", "PROPFIND"];
    let send = async |method: &str, path: &str| {
        let answer = server.send(server.request(method, path)).await;
        assert!(answer.status < 500, "{method} {path}: {}", answer.text());
    };
    let ask = async |round: usize| {
        let chance = kernel::random::token();
        let path = match round % 5 {
            0 => format!("/{chance}"),
            1 => format!("/api/v1/{chance}"),
            2 => format!("/api/v1/events/{chance}"),
            3 => format!("/auth/sessions/{chance}"),
            _ => format!("/health/{chance}?{chance}={chance}"),
        };
        let method = if round.is_multiple_of(7) {
            format!("M{}", &chance[..6]).to_uppercase()
        } else {
            methods[round % methods.len()].to_owned()
        };
        send(&method, &path).await;
    };
    for round in 0..500 {
        ask(round).await;
    }
    let described = crate::routes::described();
    let known = described.iter().map(|operation| operation.split_once(' ').unwrap().1);
    for path in known.chain(crate::routes_table::BESIDE) {
        for method in methods.into_iter().chain(["HEAD"]) {
            send(method, path).await;
        }
    }
    let scrape = Scrape::of(&server).await;
    assert!(scrape.samples.len() <= 5_000, "{} series", scrape.samples.len());
    let before: BTreeSet<String> =
        scrape.samples.iter().map(|s| format!("{}{:?}", s.name, s.labels)).collect();
    let standard = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "OTHER"];
    for sample in &scrape.samples {
        if let Some(method) = sample.labels.get("method") {
            assert!(standard.contains(&method.as_str()), "{sample:?}");
        }
    }
    assert!(scrape.value("http_requests_total", &[("endpoint", "unmatched"), ("status", "404")]) >= 1.0);
    for round in 500..1_000 {
        ask(round).await;
    }
    let after = Scrape::of(&server).await;
    let fresh: Vec<String> = after
        .samples
        .iter()
        .map(|s| format!("{}{:?}", s.name, s.labels))
        .filter(|series| !before.contains(series))
        .collect();
    assert!(fresh.len() <= 60, "{} new series from 500 more requests: {fresh:?}", fresh.len());
}
