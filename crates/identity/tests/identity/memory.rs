//! What is remembered of credentials: little, briefly, and written down off the request's path.

use std::time::Duration;
use store::Reach;

use crate::support::*;
use httpkit::Credentials;
use identity::Identity;
use kernel::{Micros, Role, Secret};

/// Waits for a background write: until the count is `expected`, at most ten seconds.
async fn becomes(world: &World, sql: &'static str, expected: i64) {
    let seen = async {
        while world.count(sql).await != expected {
            tokio::task::yield_now().await;
        }
    };
    let seen = tokio::time::timeout(Duration::from_secs(10), seen).await;
    assert!(seen.is_ok(), "{sql} never became {expected}");
}

#[tokio::test]
async fn a_keys_use_is_noted_once_a_minute() {
    const NOTED: &str = "SELECT COALESCE(MAX(last_used_at), 0) FROM api_keys";
    for world in worlds().await {
        let made =
            world.identity.create_operator_key("acme", &["memory:read".to_owned()], None).await.unwrap();
        let shown = bearer(made.api_key.expose());
        assert_eq!(world.count(NOTED).await, 0);
        world.identity.authenticate(shown.clone()).await.unwrap();
        let first = world.clock.now();
        becomes(&world, NOTED, first.0).await;
        world.clock.advance(59 * Micros::SECOND);
        world.identity.authenticate(shown.clone()).await.unwrap();
        world.clock.advance(Micros::SECOND);
        assert_eq!(world.count(NOTED).await, first.0);
        world.identity.authenticate(shown).await.unwrap();
        becomes(&world, NOTED, world.clock.now().0).await;
    }
}

#[tokio::test]
async fn a_page_sessions_new_end_is_seen_by_other_servers() {
    for world in worlds().await {
        world.user("acme", "ada", None).await;
        let page = world.identity.sign_in_page(signing_in("acme", "ada", PASSWORD), origin()).await.unwrap();
        let shown = || Credentials { cookie: Some(Secret::new(page.cookie.expose())), ..no_credentials() };
        world.clock.advance(6 * Micros::DAY);
        world.identity.authenticate(shown()).await.unwrap();
        let end = world.clock.now().plus(7 * Micros::DAY).0;
        becomes(&world, "SELECT MAX(expires_at) FROM sessions", end).await;
        world.clock.advance(6 * Micros::DAY);
        let other = Identity::new(world.store.clone(), world.clock.clone(), world.identity.config().clone());
        assert_eq!(code(other.authenticate(shown()).await), "ok");
    }
}

#[tokio::test]
async fn most_requests_need_no_database() {
    for world in worlds().await {
        world.user("acme", "ada", Some(Role::Member)).await;
        let page = world.identity.sign_in_page(signing_in("acme", "ada", PASSWORD), origin()).await.unwrap();
        let token = world.sign_in("acme", "ada").await.access_token;
        let key = world.identity.create_operator_key("acme", &["admin".to_owned()], None).await.unwrap();
        let known = [
            bearer(&token),
            bearer(key.api_key.expose()),
            Credentials { cookie: Some(page.cookie.clone()), ..no_credentials() },
        ];
        for credentials in &known {
            assert_eq!(world.code(credentials.clone()).await, "ok");
        }
        world.store.close().await;
        let gone = world.store.read(Reach::Everyone).await.err().map(|error| error.is_transient());
        assert_eq!(gone, Some(true), "the database is away");
        for credentials in &known {
            assert_eq!(world.code(credentials.clone()).await, "ok", "remembered");
        }
        let forged = format!("hk_{}", kernel::random::token());
        assert_eq!(world.code(bearer(&forged)).await, "invalid_api_key", "a false key costs no look-up");
    }
}

#[tokio::test]
async fn health_tells_true_credentials_from_memory_and_is_no_oracle() {
    for world in worlds().await {
        world.user("acme", "ada", None).await;
        let token = world.sign_in("acme", "ada").await.access_token;
        let identity = &world.identity;
        assert!(identity.verify_in_memory(&bearer(&token)));
        assert!(!identity.verify_in_memory(&no_credentials()));
        for _ in 0..20 {
            assert!(!identity.verify_in_memory(&bearer(&format!("{token}x"))));
        }
        assert!(!identity.verify_in_memory(&bearer(&token)), "the address is locked out");
        let right = identity.sign_in(signing_in("acme", "ada", PASSWORD), origin()).await;
        assert_eq!(code(right), "sign_in_throttled");
        let elsewhere = Credentials { address: Some("198.51.100.1".parse().unwrap()), ..bearer(&token) };
        assert!(identity.verify_in_memory(&elsewhere));
    }
}
