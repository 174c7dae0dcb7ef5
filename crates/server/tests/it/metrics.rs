//! The contract's three metrics routes: who may read them, in which form, with which keys.

use serde_json::Value;

use crate::answer::Answer;
use crate::principals::key;
use crate::raw;
use crate::support::*;

const PATHS: [&str; 3] = ["/metrics", "/metrics/json", "/api/v1/metrics"];
const TOKEN: &str = "bWV0cmljcyBhcmUgcmVhZCBieSB0aGUgc2NyYXBlcg";

/// Loopback is far away here, as a scraper on another machine would be.
const FAR: (&str, &str) = ("METRICS_ALLOW", "192.0.2.0/24");

fn names(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loopback_reads_metrics_without_a_credential() {
    let server = Server::start(Engine::Sqlite).await;
    for path in PATHS {
        server.get(path).await.expect(200);
        server.send(server.request("HEAD", path)).await.expect(200);
        // nginx may ask for a password of its own in front: it is none of ours.
        let basic = server.request("GET", path).basic_auth("grafana", Some("its-own"));
        server.send(basic).await.expect(200);
        let answer = server.send(server.request("POST", path)).await.expect(405);
        assert_eq!(answer.header("allow"), "GET,HEAD", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forwarding_headers_of_an_untrusted_peer_are_never_local() {
    let server = Server::start(Engine::Sqlite).await;
    for path in PATHS {
        for (name, value) in [
            ("x-forwarded-for", "127.0.0.1"),
            ("x-forwarded-for", "203.0.113.9"),
            ("x-forwarded-for", ""),
            ("forwarded", "for=127.0.0.1"),
            ("forwarded", "for=\"[::1]\""),
            ("x-real-ip", "127.0.0.1"),
            ("x-forwarded-host", "localhost"),
            ("x-forwarded-proto", "https"),
        ] {
            let answer = server.send(server.request("GET", path).header(name, value)).await;
            let answer = answer.expect(401);
            assert_eq!(answer.code(), "credential_missing", "{path} {name}: {value}");
            assert_eq!(answer.json["detail"], "API key required");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trusted_proxy_speaks_for_the_caller() {
    let server = Server::start_with(Engine::Sqlite, &[("TRUSTED_PROXIES", "127.0.0.1")]).await;
    let from = async |value: &str| {
        let request = server.request("GET", "/metrics").header("x-forwarded-for", value);
        server.send(request).await.status
    };
    assert_eq!(from("203.0.113.9").await, 401, "somebody far away, through our proxy");
    assert_eq!(from("127.0.0.1, 203.0.113.9").await, 401, "what the caller claims before it does not count");
    assert_eq!(from("127.0.0.1").await, 200, "a caller on this machine, through our proxy");
    assert_eq!(server.get("/metrics").await.status, 200);
}

on_both_engines! {
    async fn from_far_away_only_the_token_or_an_admin_key_reads_metrics(engine: Engine) {
        let server = Server::start_with(engine, &[FAR, ("METRICS_TOKEN", TOKEN)]).await;
        let admin = key(&server, "acme", &["admin"], None).await;
        let reader = key(&server, "acme", &["memory:read"], None).await;
        for path in PATHS {
            let get = || server.request("GET", path);
            let wrong_key = if path == "/api/v1/metrics" { 403 } else { 401 };
            let none = server.send(get()).await.expect(401);
            assert_eq!((none.code(), &none.json["detail"]), ("credential_missing", &"API key required".into()));
            for wrong in ["hk_wrong", "not the token", &TOKEN[1..]] {
                for request in [get().bearer_auth(wrong), get().header("x-api-key", wrong)] {
                    let answer = server.send(request).await.expect(wrong_key);
                    assert_eq!((answer.code(), &answer.json["detail"]), ("invalid_api_key", &"Invalid API key".into()));
                }
            }
            server.send(get().basic_auth("any", Some("wrong"))).await.expect(401);
            server.send(get().basic_auth(TOKEN, Some(""))).await.expect(401);
            server.send(get().header("authorization", "Basic not-base64!")).await.expect(401);
            server.send(get().header("x-forwarded-for", "192.0.2.7")).await.expect(401);
            server.send(get().bearer_auth(TOKEN)).await.expect(200);
            server.send(get().header("authorization", format!("bearer {TOKEN}"))).await.expect(200);
            server.send(get().basic_auth("any", Some(TOKEN))).await.expect(200);
            server.send(get().basic_auth("", Some(TOKEN))).await.expect(200);
            server.send(get().bearer_auth(&admin)).await.expect(200);
            server.send(get().header("x-api-key", &admin)).await.expect(200);
            server.send(get().bearer_auth(&reader)).await.expect(403);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_token_an_empty_one_opens_nothing() {
    let server = Server::start_with(Engine::Sqlite, &[FAR]).await;
    for value in ["Bearer ", "Basic Og==", "Bearer", "Basic "] {
        let request = server.request("GET", "/metrics").header("authorization", value);
        server.send(request).await.expect(401);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_that_are_switched_off_are_absent_for_everybody() {
    let settings = [("ENABLE_METRICS", "false"), ("METRICS_TOKEN", TOKEN)];
    let server = Server::start_with(Engine::Sqlite, &settings).await;
    let admin = key(&server, "acme", &["admin"], None).await;
    let absent = server.get("/api/v1/no-such-route").await.expect(404);
    for path in PATHS {
        for bearer in ["", TOKEN, &admin] {
            let answer = server.get_as(bearer, path).await.expect(404);
            assert_eq!(answer.json["detail"], absent.json["detail"], "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_format_of_the_overview_follows_accept_and_the_query_wins() {
    let server = Server::start(Engine::Sqlite).await;
    let get = async |path: &str, accept: Option<&str>| {
        // Written by hand: the client would add an Accept of its own.
        let headers: Vec<(&str, &str)> = accept.map(|text| ("Accept", text)).into_iter().collect();
        let answer = raw::exchange(server.address, &raw::request("GET", path, &headers)).await;
        if answer.status == 200 && path.starts_with("/api/v1/metrics") {
            let varies = answer.headers.iter().any(|(name, value)| name == "vary" && value == "Accept");
            assert!(varies, "{path} {accept:?}: {answer:?}");
        }
        (answer.status, answer.header("content-type").to_owned())
    };
    let json = || (200, "application/json".to_owned());
    let text = || (200, "text/plain; version=0.0.4; charset=utf-8".to_owned());
    let path = "/api/v1/metrics";
    for accept in [
        None,
        Some("*/*"),
        Some("application/json"),
        Some("application/*"),
        Some("text/plain;q=0.3, application/json;q=0.9"),
        Some("text/html, */*;q=0.1"),
        Some("application/json, text/plain"),
    ] {
        assert_eq!(get(path, accept).await, json(), "{accept:?}");
    }
    for accept in [
        "text/plain",
        "application/openmetrics-text",
        "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        "application/json;q=0.2, text/plain",
    ] {
        assert_eq!(get(path, Some(accept)).await, text(), "{accept}");
    }
    assert_eq!(get("/api/v1/metrics?format=json", Some("text/plain")).await, json());
    assert_eq!(get("/api/v1/metrics?format=prometheus", Some("application/json")).await, text());
    assert_eq!(get("/api/v1/metrics?format=prometheus", Some("image/png")).await, text());
    let problem = || "application/problem+json".to_owned();
    for accept in ["image/png", "text/html", "application/json;q=0"] {
        assert_eq!(get(path, Some(accept)).await, (406, problem()), "{accept}");
    }
    assert_eq!(get("/api/v1/metrics?format=xml", None).await, (400, problem()));
    for accept in ["application/openmetrics-text", "application/json", "image/png"] {
        assert_eq!(get("/metrics", Some(accept)).await, text(), "always 0.0.4: {accept}");
        assert_eq!(get("/metrics/json", Some(accept)).await, json(), "{accept}");
    }
}

on_both_engines! {
    async fn the_json_of_metrics_has_the_keys_of_the_contract(engine: Engine) {
        let server = Server::start(engine).await;
        let key = key(&server, "acme", &["memory:*"], None).await;
        let search = serde_json::json!({"query": "anything"});
        server.post_as(&key, "/api/v1/memories/search", &search).await.expect(200);
        server.post_as(&key, "/api/v1/memories/search", &serde_json::json!({})).await.expect(400);

        let memory = server.get("/metrics/json").await.expect(200).json;
        let keys = ["total_requests", "successful_requests", "failed_requests", "avg_latency_ms", "p50_latency_ms",
            "p95_latency_ms", "p99_latency_ms", "operations"];
        assert_eq!(names(&memory), keys);
        assert_eq!(memory["total_requests"], 2);
        assert_eq!(memory["successful_requests"], 1);
        assert_eq!(memory["failed_requests"], 1);
        assert_eq!(names(&memory["operations"]), ["search"]);
        let search = &memory["operations"]["search"];
        assert_eq!(names(search), ["count", "failures", "avg_latency_ms", "p95_latency_ms"]);
        assert_eq!((&search["count"], &search["failures"]), (&2.into(), &1.into()));
        assert!(search["avg_latency_ms"].as_f64().unwrap() > 0.0);

        let all = server.get("/api/v1/metrics").await.expect(200).json;
        assert_eq!(names(&all), ["timestamp", "system", "database", "cache"]);
        kernel::Micros::parse(all["timestamp"].as_str().unwrap()).unwrap();
        assert_eq!(names(&all["system"]), ["cpu_percent", "memory_mb", "memory_percent", "memory_available_mb",
            "disk_read_mb", "disk_write_mb", "network_sent_mb", "network_recv_mb"]);
        assert_eq!(names(&all["database"]), ["pool_size", "pool_available", "pool_active", "pool_min_size",
            "pool_max_size", "pool_utilization_percent"]);
        assert_eq!(names(&all["cache"]), ["enabled", "hits", "misses", "sets", "deletes", "errors", "total_reads",
            "hit_rate_percent"]);
        for (part, name) in ["system", "database", "cache"].into_iter().flat_map(|part| {
            names(&all[part]).into_iter().map(move |name| (part, name.to_owned())).collect::<Vec<_>>()
        }) {
            let value = &all[part][&name];
            if name == "enabled" {
                assert!(value.is_boolean(), "{part}.{name} = {value}");
            } else {
                assert!(value.as_f64().is_some_and(|number| number >= 0.0), "{part}.{name} = {value}");
            }
            if name.ends_with("percent") {
                assert!(value.as_f64().unwrap() <= 100.0, "{part}.{name} = {value}");
            }
        }
        let sampled = |answer: &Answer| answer.json["system"]["memory_mb"].as_f64() > Some(0.0);
        eventually(10, || server.get("/api/v1/metrics"), sampled).await;
    }
}
