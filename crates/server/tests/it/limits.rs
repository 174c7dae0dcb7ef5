//! Limits of whole servers: visitors, sign-ups, tenants, and two servers with one Redis.

use std::sync::Arc;

use serde_json::json;
use testkit::RedisServer;
use tokio::task::JoinSet;

use crate::principals::key;
use crate::support::*;

const DAY: (&str, &str) = ("RATE_LIMIT_WINDOW_MS", "86400000");

on_both_engines! {
    async fn visitors_are_limited_by_address_and_callers_are_not_for_it(engine: Engine) {
        let settings = [("RATE_LIMIT_ENABLED", "true"), ("RATE_LIMIT_MAX_REQUESTS", "6"), DAY];
        let server = Server::start_with(engine, &settings).await;
        let key = key(&server, "acme", &["memory:*"], None).await;
        for left in (0..6).rev() {
            let answer = match left % 3 {
                0 => server.get("/api/v1/sessions").await.expect(401),
                1 => server.get_as("hk_false", "/api/v1/sessions").await.expect(401),
                _ => server.get("/api/v1/setup").await.expect(200),
            };
            assert_eq!(answer.header("ratelimit-limit"), "6");
            assert_eq!(answer.header("ratelimit-remaining"), left.to_string());
        }
        for path in ["/api/v1/sessions", "/api/v1/setup", "/auth/sessions"] {
            let answer = server.get_as("hk_false", path).await.expect(429);
            assert_eq!((answer.code(), answer.header("ratelimit-remaining")), ("rate_limited", "0"), "{path}");
            assert!(answer.header("retry-after").parse::<u32>().unwrap() > 0);
        }
        server.get_as(&key, "/api/v1/sessions").await.expect(200);
        let page = server.get("/").await;
        assert_eq!(page.header("ratelimit-limit"), "", "the page itself does not count");
    }
}

on_both_engines! {
    async fn five_sign_ups_an_hour_come_from_one_address(engine: Engine) {
        let server = Server::start_with(engine, &[("RATE_LIMIT_ENABLED", "true")]).await;
        let sign_up = |n: u32| {
            let body = json!({"username": format!("ada{n}"), "password": "short"});
            server.send(server.request("POST", "/auth/register").json(&body))
        };
        for n in 0..5 {
            let answer = sign_up(n).await;
            assert_ne!(answer.status, 429);
            assert_eq!(answer.header("ratelimit-limit"), "5");
        }
        let wait: u32 = sign_up(5).await.expect(429).header("retry-after").parse().unwrap();
        assert!((700..=720).contains(&wait), "{wait}: one of five comes back in a fifth of an hour");
        server.get("/api/v1/setup").await.expect(200);
    }
}

on_both_engines! {
    async fn a_tenants_callers_share_its_limit_when_it_has_one(engine: Engine) {
        let settings = [("RATE_LIMIT_ENABLED", "true"), ("RATE_LIMIT_TENANT_MAX_REQUESTS", "5"), DAY];
        let server = Server::start_with(engine, &settings).await;
        let keys = [key(&server, "acme", &["memory:*"], None).await, key(&server, "acme", &["memory:*"], None).await];
        for n in 0..5 {
            server.get_as(&keys[n % 2], "/api/v1/sessions").await.expect(200);
        }
        for key in &keys {
            let answer = server.get_as(key, "/api/v1/sessions").await.expect(429);
            assert_eq!(answer.header("ratelimit-limit"), "5");
        }
        let other = key(&server, "other", &["memory:*"], None).await;
        server.get_as(&other, "/api/v1/sessions").await.expect(200);
    }
}

/// `HEARTH_LIMIT_ROUNDS` sets how often 200 requests arrive at one instant.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_200_at_once_two_servers_with_one_redis_let_exactly_the_limit_pass() {
    let redis = RedisServer::start();
    let servers = two_servers(&redis).await;
    let rounds = std::env::var("HEARTH_LIMIT_ROUNDS").map_or(3, |rounds| rounds.parse().unwrap());
    for round in 0..rounds {
        // Each round comes from an address of its own, which has a limit too.
        let address = format!("198.51.100.{}", round % 256);
        let key = key(&servers[0], "acme", &["memory:*"], None).await;
        let mut asking = JoinSet::new();
        for n in 0..200 {
            let (server, key, address) = (servers[n % 2].clone(), key.clone(), address.clone());
            asking.spawn(async move {
                let request = server.request("GET", "/auth/sessions").bearer_auth(key);
                server.send(request.header("x-forwarded-for", address)).await.status
            });
        }
        let statuses = asking.join_all().await;
        let count = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
        assert_eq!((count(200), count(429)), (50, 150), "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_says_when_redis_is_gone_and_when_it_is_back() {
    let mut redis = RedisServer::start();
    let servers = two_servers(&redis).await;
    let key = key(&servers[0], "acme", &["memory:*"], None).await;
    redis.kill();
    servers[0].get_as(&key, "/auth/sessions").await.expect(200);
    assert_eq!(servers[0].get("/health/ready").await.status, 200);
    is_whole(&servers[0], false).await;
    redis.start_again();
    is_whole(&servers[0], true).await;
}

/// On one database, both of them seen by Redis; 50 requests a day pass, and none is shed.
async fn two_servers(redis: &RedisServer) -> Vec<Arc<Server>> {
    let (database, url) = (database(Engine::Postgres).await, redis.url());
    let settings = [
        ("RATE_LIMIT_ENABLED", "true"),
        ("RATE_LIMIT_MAX_REQUESTS", "50"),
        DAY,
        ("SHED_ENABLED", "false"),
        ("TRUSTED_PROXIES", "127.0.0.0/8"),
        ("REDIS_URL", url.expose()),
    ];
    let mut servers = Vec::new();
    for _ in 0..2 {
        let server = Server::start_unready(&database, &settings).await;
        server.app.become_ready().await.unwrap();
        server.app.redis.as_ref().unwrap().standing().wait_for(|is_up| *is_up).await.unwrap();
        servers.push(Arc::new(server));
    }
    servers
}

/// Waits until `/health` and the gauge say that nothing is lacking, or that Redis is.
async fn is_whole(server: &Server, wanted: bool) {
    let word = if wanted { "healthy" } else { "degraded" };
    eventually(20, || server.get("/health"), |answer| answer.json["status"] == word).await;
    let line = format!("hearth_dependency_up{{dependency=\"redis\"}} {}", u8::from(wanted));
    eventually(20, || server.get("/metrics"), |answer| answer.text().contains(&line)).await;
    server.get("/health/ready").await.expect(200);
}
