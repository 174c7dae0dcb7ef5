//! Tokens made with keys.

use crate::support::*;
use identity::{ActsFor, NewApiKey};
use kernel::{Ctx, Micros, Role};

async fn bound_key(world: &World, maker: &Ctx, scopes: &[&str]) -> (String, Ctx) {
    let request = NewApiKey {
        name: "minting".to_owned(),
        scopes: scopes.iter().map(ToString::to_string).collect(),
        acts_for: Some(ActsFor::Myself),
        expires_at: None,
    };
    let made = world.identity.create_key(maker, request).await.unwrap();
    let ctx = world.identity.authenticate(bearer(made.secret.expose())).await.unwrap();
    (made.key.key_id, ctx)
}

#[tokio::test]
async fn a_bound_key_mints_for_its_person_only_and_never_beyond_itself() {
    for world in worlds().await {
        let owner = world.ctx("acme", "ada", Some(Role::Owner)).await;
        let other = world.user("acme", "bob", Some(Role::Member)).await;
        let id = owner.principal.user_id.clone().unwrap();
        let (key_id, key) = bound_key(&world, &owner, &["memory:read"]).await;
        let free = world.identity.create_operator_key("acme", &["admin".to_owned()], None).await.unwrap();
        let free = world.identity.authenticate(bearer(free.api_key.expose())).await.unwrap();
        for (ctx, user) in [(&key, other.as_str()), (&free, &id), (&owner, &id), (&key, ""), (&key, "usr_0")]
        {
            assert_eq!(code(world.identity.mint_access(ctx, user, None).await), "mint_refused", "{user}");
        }
        let minted = world.identity.mint_access(&key, &id, Some(1)).await.unwrap();
        assert_eq!((minted.expires_in, minted.user_id.as_str()), (3_600, id.as_str()));
        let ctx = world.identity.authenticate(bearer(&minted.access_token)).await.unwrap();
        assert_eq!((ctx.scopes.names(), ctx.principal.role), (vec!["memory:read"], None));
        assert_eq!(code(world.identity.invite(&ctx, Role::Owner).await), "forbidden");
        world.identity.revoke_key(&owner, &key_id).await.unwrap();
        assert_eq!(
            world.code(bearer(&minted.access_token)).await,
            "invalid_access_token",
            "it ends with its key"
        );
        assert!(world.audit().await.contains(&"identity.mint_token api_key denied".to_owned()));
    }
}

#[tokio::test]
async fn hours_are_cut_to_a_day_and_less_than_one_is_refused() {
    for world in worlds().await {
        let ada = world.ctx("acme", "ada", Some(Role::Member)).await;
        let id = ada.principal.user_id.clone().unwrap();
        let (_, key) = bound_key(&world, &ada, &["memory:read"]).await;
        for (asked, seconds) in
            [(None, 86_400), (Some(24), 86_400), (Some(25), 86_400), (Some(i64::MAX), 86_400)]
        {
            let minted = world.identity.mint_access(&key, &id, asked).await.unwrap();
            assert_eq!(minted.expires_in, seconds, "{asked:?}");
        }
        for bad in [0, -1, i64::MIN] {
            assert_eq!(code(world.identity.mint_access(&key, &id, Some(bad)).await), "validation_failed");
        }
        let minted = world.identity.mint_access(&key, &id, Some(2)).await.unwrap();
        world.clock.advance(2 * 3_600 * Micros::SECOND);
        assert_eq!(world.code(bearer(&minted.access_token)).await, "invalid_access_token");
    }
}
