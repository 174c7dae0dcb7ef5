//! Rotation: one success, and a second use ends everything.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::support::*;
use kernel::Micros;
use store::{Reach, execute, fetch_all};
use tokio::sync::Barrier;

/// `HEARTH_REFRESH_ROUNDS` sets how often.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_hundred_refreshes_at_once_exactly_one_succeeds_and_the_family_ends() {
    let rounds = std::env::var("HEARTH_REFRESH_ROUNDS").map_or(2, |rounds| rounds.parse().unwrap());
    for world in worlds().await {
        world.user("acme", "ada", None).await;
        for round in 1..=rounds {
            let first = world.sign_in("acme", "ada").await;
            let tries: Vec<_> = (0..100)
                .map(|_| {
                    let (identity, token) = (world.identity.clone(), first.refresh_token.clone());
                    tokio::spawn(async move { code(identity.refresh(&token, origin()).await) })
                })
                .collect();
            let mut codes = BTreeMap::new();
            for one in tries {
                *codes.entry(one.await.unwrap()).or_insert(0) += 1;
            }
            assert_eq!(codes, BTreeMap::from([("ok", 1), ("refresh_token_reused", 99)]), "round {round}");
            assert_eq!(world.code(bearer(&first.access_token)).await, "invalid_access_token");
            assert_eq!(world.count("SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL").await, 0);
            assert_eq!(world.count("SELECT COUNT(*) FROM refresh_tokens").await, 2 * round);
        }
    }
}

/// The control: looking whether a token was used and then using it lets more than one refresh through.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_refresh_that_looks_and_then_writes_is_caught() {
    for world in worlds().await {
        world.user("acme", "ada", None).await;
        world.sign_in("acme", "ada").await;
        let looked = Arc::new(Barrier::new(2));
        let tries = [looked.clone(), looked].map(|looked| {
            let store = world.store.clone();
            tokio::spawn(async move {
                let mut conn = store.read(Reach::Everyone).await.unwrap();
                let unused = "SELECT COUNT(*) FROM refresh_tokens WHERE used_at IS NULL";
                let found = fetch_all!(&mut conn, (i64,), unused).unwrap()[0].0;
                drop(conn);
                looked.wait().await;
                let using = store.write("test.use", Reach::Everyone, |tx| {
                    Box::pin(async move { Ok(execute!(tx, "UPDATE refresh_tokens SET used_at = 1")?) })
                });
                using.await.unwrap();
                found
            })
        });
        let mut succeeded = 0;
        for one in tries {
            succeeded += one.await.unwrap();
        }
        assert_eq!(succeeded, 2, "the test of a hundred could not fail");
    }
}

#[tokio::test]
async fn a_chain_of_refreshes_lives_and_reuse_of_an_old_one_ends_its_newest() {
    for world in worlds().await {
        world.user("acme", "ada", None).await;
        let other = world.sign_in("acme", "ada").await;
        let first = world.sign_in("acme", "ada").await;
        let mut latest = first.clone();
        for _ in 0..3 {
            world.clock.advance(6 * Micros::DAY);
            latest = world.identity.refresh(&latest.refresh_token, origin()).await.unwrap();
            assert_eq!(world.code(bearer(&latest.access_token)).await, "ok");
        }
        let reused = world.identity.refresh(&first.refresh_token, origin()).await.unwrap_err();
        assert_eq!((reused.kind, reused.code), (kernel::ErrorKind::Forbidden, "refresh_token_reused"));
        assert_eq!(world.code(bearer(&latest.access_token)).await, "invalid_access_token");
        assert_eq!(
            code(world.identity.refresh(&latest.refresh_token, origin()).await),
            "invalid_refresh_token"
        );
        let other = world.identity.refresh(&other.refresh_token, origin()).await;
        assert_eq!(code(other), "invalid_refresh_token", "it was left unused for eighteen days");
    }
}

#[tokio::test]
async fn another_session_survives_the_end_of_a_family() {
    for world in worlds().await {
        world.user("acme", "ada", None).await;
        let (kept, lost) = (world.sign_in("acme", "ada").await, world.sign_in("acme", "ada").await);
        world.identity.refresh(&lost.refresh_token, origin()).await.unwrap();
        assert_eq!(code(world.identity.refresh(&lost.refresh_token, origin()).await), "refresh_token_reused");
        assert_eq!(world.code(bearer(&kept.access_token)).await, "ok");
        assert_eq!(code(world.identity.refresh(&kept.refresh_token, origin()).await), "ok");
    }
}

#[tokio::test]
async fn revoking_ends_the_session_and_unknown_tokens_are_no_oracle() {
    for world in worlds().await {
        world.user("acme", "ada", None).await;
        let tokens = world.sign_in("acme", "ada").await;
        assert!(world.identity.validate(&tokens.access_token).await.unwrap().valid);
        world.identity.revoke("hr_unknown", origin()).await.unwrap();
        world.identity.revoke(&tokens.refresh_token, origin()).await.unwrap();
        world.identity.revoke(&tokens.refresh_token, origin()).await.unwrap();
        assert_eq!(world.code(bearer(&tokens.access_token)).await, "invalid_access_token");
        let validation = world.identity.validate(&tokens.access_token).await.unwrap();
        assert!(!validation.valid && validation.user.is_none() && validation.error.is_some());
        assert_eq!(
            code(world.identity.refresh(&tokens.refresh_token, origin()).await),
            "invalid_refresh_token"
        );
    }
}

#[tokio::test]
async fn a_refresh_token_ends_after_its_life() {
    for world in worlds().await {
        world.user("acme", "ada", None).await;
        let tokens = world.sign_in("acme", "ada").await;
        assert_eq!((tokens.expires_in, tokens.refresh_expires_in), (86_400, 604_800));
        world.clock.advance(7 * Micros::DAY);
        assert_eq!(
            code(world.identity.refresh(&tokens.refresh_token, origin()).await),
            "invalid_refresh_token"
        );
    }
}
