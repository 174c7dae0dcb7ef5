//! Closing accounts, other people's sessions, and withdrawing invitations.

use crate::support::*;
use identity::Registering;
use kernel::{PageRequest, Role, Secret};

fn first() -> PageRequest {
    PageRequest { limit: 200, cursor: None }
}

#[tokio::test]
async fn a_closed_account_opens_nothing_at_once_and_an_opened_one_only_anew() {
    for world in worlds().await {
        let owner = world.ctx("acme", "ada", Some(Role::Owner)).await;
        let bob = world.user("acme", "bob", Some(Role::Member)).await;
        let tokens = world.sign_in("acme", "bob").await;
        let page = world.identity.sign_in_page(signing_in("acme", "bob", PASSWORD), origin()).await.unwrap();
        let key =
            world.identity.create_operator_key("acme", &["memory:read".into()], Some("bob")).await.unwrap();
        let by_token = || bearer(&tokens.access_token);
        let by_key = || bearer(key.api_key.expose());
        let by_cookie = || httpkit::Credentials { cookie: Some(page.cookie.clone()), ..no_credentials() };
        for credentials in [by_token(), by_key(), by_cookie()] {
            assert_eq!(world.code(credentials).await, "ok");
        }
        let closed = world.identity.disable_user(&owner, &bob).await.unwrap();
        assert_eq!(closed.disabled_at, Some(world.clock.now()));
        assert_eq!(world.identity.disable_user(&owner, &bob).await.unwrap(), closed, "safe to repeat");
        assert_eq!(world.code(by_token()).await, "invalid_access_token");
        assert_eq!(world.code(by_key()).await, "invalid_api_key");
        assert_eq!(world.code(by_cookie()).await, "session_ended");
        let again = world.identity.sign_in(signing_in("acme", "bob", PASSWORD), origin()).await;
        assert_eq!(code(again), "sign_in_failed");
        assert_eq!(
            code(world.identity.refresh(&tokens.refresh_token, origin()).await),
            "invalid_refresh_token"
        );
        assert_eq!(world.identity.enable_user(&owner, &bob).await.unwrap().disabled_at, None);
        assert_eq!(world.code(by_token()).await, "invalid_access_token", "its sessions stay ended");
        assert_eq!(world.code(by_key()).await, "ok");
        world.sign_in("acme", "bob").await;
        let audit = world.audit().await;
        let count = |action: &str| audit.iter().filter(|row| row.starts_with(action)).count();
        assert_eq!((count("identity.disable_user"), count("identity.enable_user")), (1, 1));
    }
}

#[tokio::test]
async fn only_owners_close_owners_and_one_stays_open() {
    for world in worlds().await {
        let owner = world.ctx("acme", "ada", Some(Role::Owner)).await;
        let admin = world.ctx("acme", "adi", Some(Role::Admin)).await;
        let member = world.ctx("acme", "mia", Some(Role::Member)).await;
        let stranger = world.ctx("other", "olga", Some(Role::Owner)).await;
        let (ada, adi) = (&owner.principal.id, &admin.principal.id);
        assert_eq!(code(world.identity.disable_user(&member, adi).await), "forbidden");
        assert_eq!(code(world.identity.disable_user(&admin, ada).await), "owner_required");
        assert_eq!(code(world.identity.disable_user(&owner, ada).await), "last_owner");
        assert_eq!(code(world.identity.disable_user(&stranger, adi).await), "not_found");
        let second = world.user("acme", "olli", Some(Role::Owner)).await;
        world.identity.disable_user(&owner, &second).await.unwrap();
        assert_eq!(code(world.identity.enable_user(&admin, &second).await), "owner_required");
        assert_eq!(code(world.identity.disable_user(&owner, ada).await), "last_owner");
        assert_eq!(code(world.identity.set_role(&owner, &second, Some(Role::Admin)).await), "ok");
    }
}

#[tokio::test]
async fn administrators_see_and_end_sessions_of_their_tenant_only() {
    for world in worlds().await {
        let owner = world.ctx("acme", "ada", Some(Role::Owner)).await;
        let stranger = world.ctx("other", "olga", Some(Role::Owner)).await;
        let member = world.ctx("acme", "mia", Some(Role::Member)).await;
        let (mia, identity) = (&member.principal.id, &world.identity);
        let session = &member.principal.credential_id;
        let listed = identity.list_sessions_of(&owner, mia).await.unwrap();
        assert_eq!(listed.count, 1);
        assert_eq!((&listed.sessions[0].session_id, listed.sessions[0].current), (session, false));
        assert_eq!(code(identity.list_sessions_of(&stranger, mia).await), "not_found");
        assert_eq!(code(identity.list_sessions_of(&member, mia).await), "forbidden");
        assert_eq!(code(identity.end_session_of(&stranger, mia, session).await), "not_found");
        assert_eq!(code(identity.end_session_of(&member, mia, session).await), "forbidden");
        let owners = &owner.principal.credential_id;
        assert_eq!(
            code(identity.end_session_of(&owner, mia, owners).await),
            "not_found",
            "not that person's"
        );
        identity.end_session_of(&owner, mia, session).await.unwrap();
        assert_eq!(code(identity.end_session_of(&owner, mia, session).await), "not_found");
        assert_eq!(identity.list_sessions_of(&owner, mia).await.unwrap().count, 0);
    }
}

#[tokio::test]
async fn a_withdrawn_invitation_makes_no_account_and_a_used_one_stays() {
    for world in worlds().await {
        let owner = world.ctx("acme", "ada", Some(Role::Owner)).await;
        let stranger = world.ctx("other", "olga", Some(Role::Owner)).await;
        let member = world.ctx("acme", "mia", Some(Role::Member)).await;
        let used = world.identity.invite(&owner, Role::Viewer).await.unwrap();
        world.clock.advance(kernel::Micros::SECOND);
        let open = world.identity.invite(&owner, Role::Member).await.unwrap();
        let with = |name: &str, token: &Secret| Registering {
            invitation: Some(token.clone()),
            ..registering("acme", name)
        };
        world.identity.register(with("uwe", &used.token), origin()).await.unwrap();
        let listed = world.identity.list_invitations(&owner, first()).await.unwrap().items;
        let ids: Vec<&str> = listed.iter().map(|row| row.invitation_id.as_str()).collect();
        assert_eq!(ids, [&open.invitation_id, &used.invitation_id]);
        assert_eq!((listed[0].role.as_str(), listed[0].used_at), ("member", None));
        assert_eq!(listed[1].used_at, Some(world.clock.now()));
        assert_eq!(listed[0].created_by, owner.principal.id);
        assert!(world.identity.list_invitations(&stranger, first()).await.unwrap().items.is_empty());
        assert_eq!(code(world.identity.list_invitations(&member, first()).await), "forbidden");
        let withdraw = |ctx, invitation: &identity::Invitation| {
            let id = invitation.invitation_id.clone();
            let identity = &world.identity;
            async move { code(identity.withdraw_invitation(ctx, &id).await) }
        };
        assert_eq!(withdraw(&stranger, &open).await, "not_found");
        assert_eq!(withdraw(&member, &open).await, "forbidden");
        assert_eq!(withdraw(&owner, &used).await, "not_found");
        assert_eq!(withdraw(&owner, &open).await, "ok");
        assert_eq!(withdraw(&owner, &open).await, "not_found");
        let late = world.identity.register(with("otto", &open.token), origin()).await;
        assert_eq!(code(late), "sign_up_closed");
    }
}
