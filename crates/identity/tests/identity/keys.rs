//! API keys: never more than their maker, shown once, gone when revoked.

use crate::support::*;
use httpkit::Credentials;
use identity::{ActsFor, NewApiKey};
use kernel::{Ctx, ErrorKind, Micros, PageRequest, Role, Scope, Secret};

fn wanted(scopes: &[&str], acts_for: Option<ActsFor>) -> NewApiKey {
    NewApiKey {
        name: "a key".to_owned(),
        scopes: scopes.iter().map(ToString::to_string).collect(),
        acts_for,
        expires_at: None,
    }
}

async fn key(world: &World, ctx: &Ctx, scopes: &[&str], acts_for: Option<ActsFor>) -> String {
    let made = world.identity.create_key(ctx, wanted(scopes, acts_for)).await.unwrap();
    made.secret.expose().to_owned()
}

async fn ctx(world: &World, key: &str) -> Ctx {
    world.identity.authenticate(bearer(key)).await.unwrap()
}

fn page(limit: u32, cursor: Option<String>) -> PageRequest {
    PageRequest { limit, cursor }
}

#[tokio::test]
async fn a_key_has_its_form_and_only_its_hash_is_stored() {
    for world in worlds().await {
        let ada = world.ctx("acme", "ada", Some(Role::Member)).await;
        let made = world.identity.create_key(&ada, wanted(&["memory:read"], None)).await.unwrap();
        let text = made.secret.expose();
        assert!(text.len() == 55 && text.starts_with("hk_") && text.starts_with(&made.key.prefix), "{text}");
        assert_eq!(made.key.prefix.len(), 10);
        let clear = world.count("SELECT COUNT(*) FROM api_keys WHERE key_hash LIKE 'hk_%'").await;
        assert_eq!(clear, 0);
        for credentials in [
            bearer(text),
            Credentials { api_keys: vec![Secret::new(text)], ..no_credentials() },
            Credentials { api_keys: vec![Secret::new(text), Secret::new(text)], ..bearer(text) },
        ] {
            assert_eq!(world.code(credentials).await, "ok");
        }
        let key = ctx(&world, text).await;
        assert_eq!(key.principal.user_id, ada.principal.user_id);
        assert_eq!((key.principal.role, key.scopes.names()), (None, vec!["memory:read"]));
    }
}

#[tokio::test]
async fn two_different_credentials_are_refused_before_either_is_looked_at() {
    for world in worlds().await {
        let ada = world.ctx("acme", "ada", Some(Role::Member)).await;
        let (one, two) = (
            key(&world, &ada, &["memory:read"], None).await,
            key(&world, &ada, &["memory:read"], None).await,
        );
        for credentials in [
            Credentials { api_keys: vec![Secret::new(&one)], ..bearer(&two) },
            Credentials { api_keys: vec![Secret::new(&one), Secret::new("wrong")], ..no_credentials() },
            Credentials { cookie: Some(Secret::new("hs_x")), ..bearer(&two) },
        ] {
            assert_eq!(world.code(credentials).await, "two_credentials");
        }
    }
}

#[tokio::test]
async fn a_key_never_holds_more_than_its_maker_at_any_depth() {
    for world in worlds().await {
        let member = world.ctx("acme", "mia", Some(Role::Member)).await;
        let viewer = world.ctx("acme", "vic", Some(Role::Viewer)).await;
        let nobody = world.ctx("acme", "nob", None).await;
        for (maker, scopes) in [
            (&member, &["admin"][..]),
            (&member, &["memory:read", "admin"]),
            (&viewer, &["memory:write"]),
            (&viewer, &["memory:*"]),
            (&nobody, &["memory:read"]),
        ] {
            let refused = world.identity.create_key(maker, wanted(scopes, None)).await.unwrap_err();
            assert_eq!((refused.kind, refused.code), (ErrorKind::Forbidden, "beyond_maker"), "{scopes:?}");
        }
        for scopes in [&[][..], &["root"], &["*"], &[""]] {
            assert_eq!(
                code(world.identity.create_key(&member, wanted(scopes, None)).await),
                "validation_failed"
            );
        }
        let reading = ctx(&world, &key(&world, &member, &["memory:read"], None).await).await;
        assert_eq!(
            code(world.identity.create_key(&reading, wanted(&["memory:write"], None)).await),
            "beyond_maker"
        );
        let child = ctx(&world, &key(&world, &reading, &["memory:read"], None).await).await;
        assert_eq!(child.principal.user_id, member.principal.user_id, "and acts for the same person");
        let denied = "identity.create_key user denied".to_owned();
        assert!(world.audit().await.contains(&denied));
    }
}

#[tokio::test]
async fn only_administrators_make_keys_for_anyone_and_a_bound_key_never_does() {
    for world in worlds().await {
        let member = world.ctx("acme", "mia", Some(Role::Member)).await;
        let admin = world.ctx("acme", "adi", Some(Role::Admin)).await;
        let anyone = Some(ActsFor::Anyone);
        assert_eq!(
            code(world.identity.create_key(&member, wanted(&["memory:read"], anyone)).await),
            "forbidden"
        );
        let free = ctx(&world, &key(&world, &admin, &["memory:read"], anyone).await).await;
        assert_eq!(free.principal.user_id, None);
        let by_default = ctx(&world, &key(&world, &admin, &["memory:read"], None).await).await;
        assert_eq!(by_default.principal.user_id, None);
        let bound = ctx(&world, &key(&world, &admin, &["admin"], Some(ActsFor::Myself)).await).await;
        assert_eq!(bound.principal.user_id, admin.principal.user_id);
        let child = ctx(&world, &key(&world, &bound, &["memory:read"], anyone).await).await;
        assert_eq!(child.principal.user_id, admin.principal.user_id);
    }
}

#[tokio::test]
async fn a_key_follows_its_person_and_its_maker_down() {
    for world in worlds().await {
        let owner = world.ctx("acme", "ada", Some(Role::Owner)).await;
        let admin = world.ctx("acme", "adi", Some(Role::Admin)).await;
        let bound = key(&world, &admin, &["admin"], Some(ActsFor::Myself)).await;
        let free = key(&world, &admin, &["admin"], Some(ActsFor::Anyone)).await;
        for text in [&bound, &free] {
            assert!(ctx(&world, text).await.scopes.has(Scope::Admin));
        }
        let id = admin.principal.user_id.as_deref().unwrap();
        world.identity.set_role(&owner, id, Some(Role::Viewer)).await.unwrap();
        for text in [&bound, &free] {
            assert_eq!(ctx(&world, text).await.scopes.names(), ["memory:read"]);
        }
        world.identity.set_role(&owner, id, None).await.unwrap();
        assert_eq!(ctx(&world, &bound).await.scopes, kernel::Scopes::NONE);
    }
}

#[tokio::test]
async fn revoked_and_expired_keys_open_nothing() {
    for world in worlds().await {
        let ada = world.ctx("acme", "ada", Some(Role::Member)).await;
        let mut request = wanted(&["memory:read"], None);
        request.expires_at = Some(world.clock.now().plus(Micros::SECOND));
        let brief = world.identity.create_key(&ada, request.clone()).await.unwrap();
        let parent = ctx(&world, brief.secret.expose()).await;
        let child = world.identity.create_key(&parent, wanted(&["memory:read"], None)).await.unwrap();
        assert_eq!(child.key.expires_at, brief.key.expires_at, "a child never outlives its parent");
        world.clock.advance(Micros::SECOND);
        assert_eq!(world.code(bearer(brief.secret.expose())).await, "invalid_api_key", "even from memory");
        assert_eq!(code(world.identity.create_key(&ada, request).await), "validation_failed");
        let lasting = world.identity.create_key(&ada, wanted(&["memory:read"], None)).await.unwrap();
        let shown = bearer(lasting.secret.expose());
        assert!(!world.identity.verify_in_memory(&shown), "not seen yet");
        assert_eq!(world.code(shown.clone()).await, "ok");
        assert!(world.identity.verify_in_memory(&shown));
        world.identity.revoke_key(&ada, &lasting.key.key_id).await.unwrap();
        assert!(!world.identity.verify_in_memory(&shown));
        assert_eq!(world.code(shown).await, "invalid_api_key");
        world.identity.revoke_key(&ada, &lasting.key.key_id).await.unwrap();
    }
}

#[tokio::test]
async fn foreign_keys_look_absent_and_lists_hold_ones_own() {
    for world in worlds().await {
        let ada = world.ctx("acme", "ada", Some(Role::Member)).await;
        let bob = world.ctx("acme", "bob", Some(Role::Member)).await;
        let admin = world.ctx("acme", "adi", Some(Role::Admin)).await;
        let stranger = world.ctx("other", "eve", Some(Role::Owner)).await;
        let mut ids = Vec::new();
        for _ in 0..3 {
            world.clock.advance(1_000);
            ids.push(
                world.identity.create_key(&ada, wanted(&["memory:read"], None)).await.unwrap().key.key_id,
            );
        }
        let mut answers = Vec::new();
        for (ctx, id) in [(&bob, ids[0].as_str()), (&stranger, &ids[0]), (&bob, "key_0"), (&admin, "x'y")] {
            let absent = world.identity.revoke_key(ctx, id).await.unwrap_err();
            answers.push((absent.kind, absent.code, absent.public));
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "{answers:?}");
        assert_eq!(world.identity.list_keys(&bob, page(50, None)).await.unwrap().items.len(), 0);
        assert_eq!(world.identity.list_keys(&stranger, page(50, None)).await.unwrap().items.len(), 0);
        let first = world.identity.list_keys(&ada, page(2, None)).await.unwrap();
        let rest = world.identity.list_keys(&admin, page(2, first.next_cursor)).await.unwrap();
        let listed: Vec<_> = first.items.iter().chain(&rest.items).map(|key| key.key_id.clone()).collect();
        ids.reverse();
        assert_eq!((listed, rest.next_cursor), (ids.clone(), None));
        world.identity.revoke_key(&admin, &ids[0]).await.unwrap();
        let all = world.identity.list_keys(&ada, page(50, None)).await.unwrap();
        assert!(all.items[0].revoked_at.is_some() && all.items[1].revoked_at.is_none());
    }
}

#[tokio::test]
async fn keys_of_the_command_line_act_for_anyone_or_for_a_named_person() {
    for world in worlds().await {
        let scopes = ["memory:*".to_owned()];
        let made = world.identity.create_operator_key("fresh", &scopes, None).await.unwrap();
        assert_eq!((made.tenant_id.as_str(), made.scopes.len()), ("fresh", 2));
        assert_eq!(ctx(&world, made.api_key.expose()).await.principal.user_id, None);
        let unknown = world.identity.create_operator_key("fresh", &scopes, Some("ada")).await;
        assert_eq!(code(unknown), "not_found");
        let id = world.user("fresh", "ada", Some(Role::Viewer)).await;
        let bound = world.identity.create_operator_key("fresh", &scopes, Some("ada")).await.unwrap();
        let bound = ctx(&world, bound.api_key.expose()).await;
        assert_eq!(
            (bound.principal.user_id.as_deref(), bound.scopes.names()),
            (Some(id.as_str()), vec!["memory:read"])
        );
        assert!(world.audit().await.contains(&"identity.create_key local operator success".to_owned()));
        assert!(!world.identity.create_tenant("fresh").await.unwrap());
    }
}
