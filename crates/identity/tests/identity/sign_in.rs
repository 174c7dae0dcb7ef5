//! Signing in: one answer to every failure, and a limit on guessing.

use crate::support::*;
use identity::Identity;
use kernel::{ErrorKind, Micros, Refusal, Secret};
use store::Reach;

#[tokio::test]
async fn every_cause_of_failure_reads_the_same() {
    for world in worlds().await {
        world.user("acme", "ada", None).await;
        world.user("other", "olga", None).await;
        let cases = [
            ("acme", "ada", "wrong password here"),
            ("acme", "ada", ""),
            ("acme", "nobody", PASSWORD),
            ("nowhere", "ada", PASSWORD),
            ("other", "ada", PASSWORD),
            ("Not A Tenant", "ada", PASSWORD),
            ("acme", "a\0b", PASSWORD),
            ("acme", "' OR 1=1 --", PASSWORD),
        ];
        let mut answers = Vec::new();
        for (n, (tenant, username, password)) in cases.into_iter().enumerate() {
            let from = origin_at(&format!("192.0.2.{n}"));
            let failed =
                world.identity.sign_in(signing_in(tenant, username, password), from).await.unwrap_err();
            answers.push((failed.kind, failed.code, failed.public, failed.fields.len()));
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "{answers:?}");
        assert_eq!(answers[0].0, ErrorKind::Unauthenticated);
        world.sign_in("acme", "ada").await;
        let rows = world.audit().await;
        let failures = rows.iter().filter(|row| *row == "identity.sign_in anonymous failure");
        assert_eq!(failures.count(), cases.len(), "{rows:?}");
        assert!(rows.contains(&"identity.sign_in user success".to_owned()));
    }
}

#[tokio::test]
async fn guessing_is_throttled_for_one_address_and_forgotten_in_time() {
    for world in worlds().await {
        world.user("acme", "ada", None).await;
        for _ in 0..5 {
            let guess = world.identity.sign_in(signing_in("acme", "ada", "a wrong guess"), origin());
            assert_eq!(code(guess.await), "sign_in_failed");
        }
        let right = signing_in("acme", "ada", PASSWORD);
        let locked = world.identity.sign_in(right.clone(), origin()).await.unwrap_err();
        assert_eq!((locked.kind, locked.retry_after_seconds), (ErrorKind::RateLimited, Some(60)));
        let elsewhere = world.identity.sign_in(right.clone(), origin_at("198.51.100.1")).await;
        assert_eq!(code(elsewhere), "ok", "other addresses are not locked out");
        world.clock.advance(60 * Micros::SECOND);
        assert_eq!(code(world.identity.sign_in(right, origin()).await), "ok");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_burst_of_guesses_on_two_servers_exactly_five_are_looked_at() {
    for world in worlds().await {
        world.user("acme", "ada", None).await;
        let config = world.identity.config().clone();
        let second = Identity::new(world.store.clone(), world.clock.clone(), config);
        let tries: Vec<_> = (0..40)
            .map(|n| {
                let identity = if n % 2 == 0 { &world.identity } else { &second }.clone();
                tokio::spawn(async move {
                    code(identity.sign_in(signing_in("acme", "ada", "a wrong guess"), origin()).await)
                })
            })
            .collect();
        let mut answers = Vec::new();
        for one in tries {
            answers.push(one.await.unwrap());
        }
        let count = |code: &str| answers.iter().filter(|answer| **answer == code).count();
        assert_eq!((count("sign_in_failed"), count("sign_in_throttled")), (5, 35));
        // A server that starts anew knows of it: nothing is kept in one process alone.
        let third = Identity::new(world.store.clone(), world.clock.clone(), second.config().clone());
        let right = signing_in("acme", "ada", PASSWORD);
        assert_eq!(code(third.sign_in(right.clone(), origin()).await), "sign_in_throttled");
        assert_eq!(code(third.sign_in(right, origin_at("198.51.100.1")).await), "ok");
    }
}

#[tokio::test]
async fn twenty_failures_make_the_address_wait_and_a_success_is_none() {
    for world in worlds().await {
        world.user("acme", "ada", None).await;
        for n in 0..20 {
            world.sign_in("acme", "ada").await;
            let guess = signing_in("acme", &format!("user{n}"), "a wrong guess");
            assert_eq!(code(world.identity.sign_in(guess, origin()).await), "sign_in_failed");
        }
        let right = signing_in("acme", "ada", PASSWORD);
        let locked = world.identity.sign_in(right.clone(), origin()).await.unwrap_err();
        assert_eq!(locked.retry_after_seconds, Some(60));
        assert_eq!(code(world.identity.sign_in(right.clone(), origin_at("198.51.100.1")).await), "ok");
        world.clock.advance(60 * Micros::SECOND);
        assert_eq!(code(world.identity.sign_in(right, origin()).await), "ok");
        let rows = "SELECT COUNT(*) FROM sign_in_failures";
        assert!(world.count(rows).await > 20);
        world.clock.advance(1_800 * Micros::SECOND + 1);
        world.identity.forget_old_failures().await.unwrap();
        assert_eq!(world.count(rows).await, 0, "quiet rows are removed");
    }
}

#[tokio::test]
async fn nobody_signs_in_while_failures_cannot_be_counted() {
    for world in worlds().await {
        world.user("acme", "ada", None).await;
        world
            .store
            .write("test.break", Reach::Everyone, |tx| {
                Box::pin(async move { Ok(tx.batch("DROP TABLE sign_in_failures").await?) })
            })
            .await
            .unwrap();
        let right = world.identity.sign_in(signing_in("acme", "ada", PASSWORD), origin()).await;
        assert_ne!(code(right), "ok", "never open");
    }
}

#[tokio::test]
async fn sessions_are_listed_and_ended_by_their_person_alone() {
    for world in worlds().await {
        let ada = world.ctx("acme", "ada", None).await;
        let eve = world.ctx("acme", "eve", Some(kernel::Role::Owner)).await;
        let stranger = world.ctx("other", "ada", Some(kernel::Role::Owner)).await;
        world.sign_in("acme", "ada").await;
        let mine = world.identity.list_sessions(&ada).await.unwrap();
        assert_eq!((mine.count, mine.sessions.iter().filter(|s| s.current).count()), (2, 1));
        assert_eq!(mine.sessions[0].user_agent.as_deref(), Some("tests"));
        let id = &ada.principal.credential_id;
        let mut answers = Vec::new();
        for (ctx, id, refusal) in [
            (&eve, id.as_str(), Refusal::Foreign),
            (&stranger, id, Refusal::ByKind),
            (&eve, "ses_0", Refusal::ByKind),
            (&eve, "", Refusal::ByKind),
        ] {
            let absent = world.identity.end_session(ctx, id).await.unwrap_err();
            assert_eq!(absent.refusal, refusal, "{id:?}");
            answers.push((absent.kind, absent.code, absent.public));
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "foreign looks like absent: {answers:?}");
        assert_eq!(world.identity.list_sessions(&ada).await.unwrap().count, 2);
        world.identity.end_session(&ada, id).await.unwrap();
        assert_eq!(world.identity.list_sessions(&ada).await.unwrap().count, 1);
    }
}

#[tokio::test]
async fn a_page_session_lives_a_week_after_its_last_use() {
    for world in worlds().await {
        world.user("acme", "ada", None).await;
        let page = world.identity.sign_in_page(signing_in("acme", "ada", PASSWORD), origin()).await.unwrap();
        let shown =
            || httpkit::Credentials { cookie: Some(Secret::new(page.cookie.expose())), ..no_credentials() };
        for _ in 0..3 {
            world.clock.advance(6 * Micros::DAY);
            assert_eq!(world.code(shown()).await, "ok");
        }
        world.clock.advance(7 * Micros::DAY);
        assert_eq!(world.code(shown()).await, "session_ended");
        let clear = world.count("SELECT COUNT(*) FROM sessions WHERE secret_hash LIKE 'hs_%'").await;
        assert_eq!(clear, 0, "only a hash is stored");
    }
}

#[tokio::test]
async fn without_required_sign_in_everybody_owns_the_default_tenant() {
    for world in worlds_with(|config| config.require_authentication = false).await {
        let ctx = world.identity.authenticate(no_credentials()).await.unwrap();
        assert_eq!((ctx.tenant.as_str(), ctx.scopes), ("default", kernel::Scopes::all()));
        assert_eq!(world.code(bearer("hk_wrong")).await, "invalid_api_key", "a false credential stays false");
        let invitation = world.identity.invite(&ctx, kernel::Role::Owner).await.unwrap();
        let mut request = registering("default", "ada");
        request.invitation = Some(invitation.token);
        assert_eq!(code(world.identity.register(request, origin()).await), "ok");
    }
}
