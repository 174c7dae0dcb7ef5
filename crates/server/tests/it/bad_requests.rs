//! Methods, paths, ids and queries that no client should send.

use std::collections::{BTreeMap, BTreeSet};

use crate::raw;
use crate::routes::described;
use crate::routes_table::{BESIDE, World};
use crate::support::*;

const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW", "PROPFIND"];

/// Methods by path, `HEAD` wherever `GET` is served.
fn served() -> BTreeMap<String, BTreeSet<&'static str>> {
    let mut by_path: BTreeMap<String, BTreeSet<&'static str>> = BTreeMap::new();
    for operation in described() {
        let (method, path) = operation.split_once(' ').unwrap();
        let known = METHODS.iter().find(|known| **known == method).unwrap();
        by_path.entry(path.to_owned()).or_default().insert(known);
    }
    for path in BESIDE {
        by_path.entry(path.to_owned()).or_default().insert("GET");
    }
    for methods in by_path.values_mut().filter(|methods| methods.contains("GET")) {
        methods.insert("HEAD");
    }
    by_path
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_method_that_is_not_served_is_405_and_allow_names_the_others() {
    let world = World::on(Server::start(Engine::Sqlite).await).await;
    for (template, methods) in served() {
        let path = template
            .replace("{event_id}", &world.event)
            .replace("{chunk_id}", &world.chunk)
            .replace("{artifact_id}", &world.artifact)
            .replace("{key_id}", "key_x")
            .replace("{id}", "x");
        for method in METHODS.iter().filter(|method| !methods.contains(**method)) {
            let request = world.server.request(method, &path).bearer_auth(&world.owner.access);
            let answer = world.server.send(request).await.expect(405);
            let allowed: BTreeSet<&str> = answer.header("allow").split(',').map(str::trim).collect();
            assert_eq!(allowed, methods, "{method} {template}");
            if *method != "HEAD" {
                assert_eq!(answer.code(), "method_not_allowed", "{method} {template}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_paths_below_the_api_are_problems_and_never_the_page() {
    let server = Server::start(Engine::Sqlite).await;
    // By hand: a client would resolve the dots before it asks.
    let ask = async |method: &str, path: &str| {
        let answer = raw::exchange(server.address, &raw::request(method, path, &[])).await;
        for leak in ["root:", "[workspace]", "SQLite format"] {
            assert!(!answer.body.contains(leak), "{method} {path}");
        }
        answer
    };
    for path in [
        "/api/",
        "/api/v1",
        "/api/v1/",
        "/api/v1/nope",
        "/api/v1/events/",
        "/api/v1/events/evt_0123456789abcdef/extra",
        "/auth/",
        "/auth/nope",
        "/v1/chat/completions",
        "/api/v2/events",
        "/api/v1//events",
        "/api/v1/../../etc/passwd",
        "/api/v1/%2e%2e/%2e%2e/etc/passwd",
        "/api/v1/events%2f..%2f..%2fetc%2fpasswd",
        "/api/v1/%252e%252e/passwd",
        "/assets/..%2f..%2f..%2fCargo.toml",
        "/%2e%2e/Cargo.toml",
        "/hearth.db",
        "/.env",
    ] {
        let answer = ask("GET", path).await;
        let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!((answer.status, &body["code"]), (404, &"not_found".into()), "{path}");
        let posted = ask("POST", path).await;
        assert!([404, 405].contains(&posted.status), "{path}: {}", posted.status);
    }
    // Below the page's own paths there is the page, and never a file of the machine.
    for path in [
        "/API/V1/EVENTS",
        "/secrets/jwt_secret",
        "/..%2f..%2fetc/passwd",
        "/../../etc/passwd",
        "//etc/passwd",
    ] {
        let answer = ask("GET", path).await;
        assert!(answer.status == 200 || answer.status == 404, "{path}: {}", answer.status);
        assert_eq!(ask("POST", path).await.status, 404, "{path}");
    }
}

/// Texts that are no id: wrong prefix, case, length, letters, and what other programs might make of them.
fn malformed(prefix: &str) -> Vec<String> {
    let good = format!("{prefix}_{}", "0123456789abcdefghjkmnpqrs");
    vec![
        "x".to_owned(),
        format!("{prefix}_"),
        prefix.to_owned(),
        good.to_uppercase(),
        format!("{good}0"),
        good[..good.len() - 1].to_owned(),
        format!("{prefix}_0123456789abcdefghjkmnpqri"),
        format!("%20{good}"),
        format!("{good}%00"),
        format!("{good}%27%20OR%201=1%20--"),
        "%2e%2e%2fetc%2fpasswd".to_owned(),
        "%F0%9F%94%A5".to_owned(),
        "null".to_owned(),
        "-1".to_owned(),
        "*".to_owned(),
        "x".repeat(4_000),
    ]
}

on_both_engines! {
    async fn a_malformed_id_is_400_on_memory_routes_and_like_an_absent_one_elsewhere(engine: Engine) {
        let world = World::on(Server::start(engine).await).await;
        let server = &world.server;
        for (prefix, path) in [("evt", "/api/v1/events/"), ("chk", "/api/v1/chunks/"), ("art", "/api/v1/artifacts/")] {
            for id in malformed(prefix).into_iter().chain(["%ff%fe".to_owned(), world.member.user_id.clone()]) {
                let answer = server.get_as(world.caller("member"), &format!("{path}{id}")).await.expect(400);
                assert_eq!((answer.code(), answer.fields()), ("validation_failed", vec!["id"]), "{path}{id}");
            }
        }
        let absent = kernel::id::new_id("key", kernel::Clock::system().now());
        for (prefix, method, before, after) in [
            ("key", "DELETE", "/api/v1/api-keys/", ""),
            ("ses", "DELETE", "/auth/sessions/", ""),
            ("usr", "PUT", "/api/v1/users/", "/role"),
        ] {
            let ask = async |id: &str| {
                let request = server.request(method, &format!("{before}{id}{after}")).bearer_auth(&world.owner.access);
                let request = if method == "PUT" { request.json(&serde_json::json!({"role": "viewer"})) } else { request };
                server.send(request).await.expect(404)
            };
            let wanted = ask(&absent).await;
            for id in malformed(prefix).into_iter().chain(["%ff%fe".to_owned()]) {
                let answer = ask(&id).await;
                assert_eq!((answer.code(), &answer.json["detail"]), (wanted.code(), &wanted.json["detail"]), "{before}{id}");
            }
        }
    }
}

on_both_engines! {
    async fn queries_outside_their_range_are_refused_and_never_cut(engine: Engine) {
        let world = World::on(Server::start(engine).await).await;
        let ask = async |path: &str| world.server.get_as(&world.owner.access, path).await;
        let paged = ["/api/v1/api-keys", "/api/v1/users", "/api/v1/audit", "/api/v1/memory/timeline", "/api/v1/sessions"];
        for path in paged {
            for limit in ["1", "200"] {
                ask(&format!("{path}?limit={limit}")).await.expect(200);
            }
            for limit in ["0", "201", "-1", "x", "", "1.5", "99999999999999999999", "0x10", "1e2", "%00"] {
                let answer = ask(&format!("{path}?limit={limit}")).await.expect(400);
                assert_eq!((answer.code(), answer.fields()), ("validation_failed", vec!["limit"]), "{path} {limit}");
            }
            for cursor in ["x", "%00", "bm9uc2Vuc2U", "eyJrIjoxfQ", "../../etc/passwd", "%27%20OR%201=1"] {
                let answer = ask(&format!("{path}?cursor={cursor}")).await.expect(400);
                assert!(!answer.code().is_empty(), "{path} {cursor}");
            }
            let answer = ask(&format!("{path}?an_unknown_one=1")).await.expect(400);
            assert_eq!((answer.code(), answer.fields()), ("validation_failed", vec!["an_unknown_one"]), "{path}");
            let twice = ask(&format!("{path}?limit=1&limit=2")).await.expect(400);
            assert_eq!(twice.code(), "validation_failed", "{path}");
        }
        let events = "/api/v1/events?session_id=talk";
        for limit in ["1", "1000"] {
            ask(&format!("{events}&limit={limit}")).await.expect(200);
        }
        for limit in ["0", "1001", "-1", "x"] {
            let answer = ask(&format!("{events}&limit={limit}")).await.expect(400);
            assert_eq!(answer.fields(), ["limit"], "{limit}");
        }
        ask(&format!("{events}&an_unknown_one=1")).await.expect(200);
        assert_eq!(ask("/api/v1/events").await.expect(400).fields(), ["session_id"]);
        assert_eq!(ask("/api/v1/events?session_id=").await.expect(400).fields(), ["session_id"]);
        assert_eq!(ask("/api/v1/events?session_id=a%00b").await.expect(400).fields(), ["session_id"]);
        assert_eq!(ask(&format!("{events}&tenant_id=other")).await.expect(403).code(), "tenant_mismatch");
        ask(&format!("{events}&tenant_id=acme")).await.expect(200);
        for (query, field) in [
            ("kind=no-such-kind", "kind"),
            ("kind=MESSAGE", "kind"),
            ("kind=", "kind"),
            ("after=yesterday", "after"),
            ("after=2026-01-31", "after"),
            ("before=1700000000", "before"),
        ] {
            let answer = ask(&format!("/api/v1/memory/timeline?{query}")).await.expect(400);
            assert_eq!((answer.code(), answer.fields()), ("validation_failed", vec![field]), "{query}");
        }
        for text in ["%00", "a%00b", "%27%3B%20DROP%20TABLE%20users%3B--", "%25_%5C", "%ED%A0%80", "%ff"] {
            for name in ["user_id", "session_id", "agent_id"] {
                let answer = ask(&format!("/api/v1/memory/timeline?{name}={text}")).await;
                assert!([200, 400, 404].contains(&answer.status), "{name}={text}: {} {}", answer.status, answer.text());
            }
            for path in ["/api/v1/sessions", "/api/v1/memory/stats"] {
                let as_key = world.server.get_as(world.caller("reader key"), &format!("{path}?user_id={text}")).await;
                assert!([200, 400].contains(&as_key.status), "{path} {text}: {} {}", as_key.status, as_key.text());
            }
        }
    }
}
