//! Who may make an account, and what it may do.

use crate::support::*;
use identity::{Registration, SettingUp};
use kernel::{ErrorKind, Micros, Role, Scope, Secret};

fn setting_up(token: Option<Secret>) -> SettingUp {
    SettingUp {
        setup_token: token,
        tenant_name: "acme".to_owned(),
        username: "ada".to_owned(),
        password: Secret::new(PASSWORD),
    }
}

#[tokio::test]
async fn the_first_person_in_development_makes_the_tenant_and_owns_it() {
    for world in worlds().await {
        assert!(world.identity.setup_state().await.unwrap().needed);
        let first = world.identity.register(registering("acme", "ada"), origin()).await.unwrap();
        assert_eq!((first.user.tenant_id.as_str(), first.user.roles), ("acme", vec!["owner".to_owned()]));
        assert!(!world.identity.setup_state().await.unwrap().needed);
        assert!(world.identity.owner_exists().await.unwrap());
        let second = world.identity.register(registering("acme", "bob"), origin()).await.unwrap();
        assert!(second.user.roles.is_empty());
        let ctx = world.identity.authenticate(bearer(&second.access_token)).await.unwrap();
        assert_eq!(ctx.scopes, kernel::Scopes::NONE, "the tenant named at sign-up grants nothing");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_first_persons_at_once_exactly_one_becomes_owner() {
    for world in worlds().await {
        let tries: Vec<_> = (0..8)
            .map(|n| {
                let identity = world.identity.clone();
                tokio::spawn(async move {
                    let request = registering(&format!("tenant-{n}"), &format!("user{n}"));
                    code(identity.register(request, origin()).await)
                })
            })
            .collect();
        for one in tries {
            one.await.unwrap();
        }
        assert_eq!(world.count("SELECT COUNT(*) FROM users WHERE role = 'owner'").await, 1);
    }
}

#[tokio::test]
async fn unknown_tenants_answer_like_closed_sign_up_and_are_not_made() {
    for registration in [Registration::Open, Registration::Invite, Registration::Closed] {
        for world in worlds_with(|config| config.registration = registration).await {
            world.user("acme", "ada", Some(Role::Owner)).await;
            let unknown = world.identity.register(registering("nobody", "eve"), origin()).await.unwrap_err();
            assert_eq!((unknown.kind, unknown.code), (ErrorKind::Forbidden, "sign_up_closed"));
            let known = code(world.identity.register(registering("acme", "eve"), origin()).await);
            let expected = if registration == Registration::Open { "ok" } else { "sign_up_closed" };
            assert_eq!(known, expected);
            assert_eq!(world.count("SELECT COUNT(*) FROM tenants").await, 1);
            let denied = "identity.register anonymous denied".to_owned();
            assert!(world.audit().await.contains(&denied));
        }
    }
}

#[tokio::test]
async fn an_invitation_sets_tenant_and_role_once() {
    for world in worlds_with(closed).await {
        let owner = world.ctx("acme", "ada", Some(Role::Owner)).await;
        world.user("other", "olga", Some(Role::Owner)).await;
        let invitation = world.identity.invite(&owner, Role::Member).await.unwrap();
        let invited = |username: &str| {
            let mut request = registering("other", username);
            request.invitation = Some(invitation.token.clone());
            request
        };
        let bob = world.identity.register(invited("bob"), origin()).await.unwrap();
        assert_eq!((bob.user.tenant_id.as_str(), bob.user.roles), ("acme", vec!["member".to_owned()]));
        assert_eq!(code(world.identity.register(invited("eve"), origin()).await), "sign_up_closed");
        let late = world.identity.invite(&owner, Role::Viewer).await.unwrap();
        world.clock.advance(7 * Micros::DAY);
        let mut request = registering("acme", "late");
        request.invitation = Some(late.token);
        assert_eq!(code(world.identity.register(request, origin()).await), "sign_up_closed");
    }
}

#[tokio::test]
async fn a_taken_name_is_a_conflict_and_uses_no_invitation_up() {
    for world in worlds_with(closed).await {
        let owner = world.ctx("acme", "ada", Some(Role::Owner)).await;
        let invitation = world.identity.invite(&owner, Role::Member).await.unwrap();
        let mut request = registering("acme", "ada");
        request.invitation = Some(invitation.token);
        let taken = world.identity.register(request.clone(), origin()).await.unwrap_err();
        assert_eq!((taken.kind, taken.code), (ErrorKind::Conflict, "username_taken"));
        request.username = "bob".to_owned();
        assert_eq!(code(world.identity.register(request, origin()).await), "ok");
    }
}

#[tokio::test]
async fn production_wants_the_setup_token_once_and_in_time() {
    for world in worlds_with(|config| config.production = true).await {
        let identity = &world.identity;
        let state = identity.setup_state().await.unwrap();
        assert!(state.needed && state.token_required);
        assert_eq!(code(identity.set_up(setting_up(None), origin()).await), "setup_token_refused");
        assert_eq!(
            code(identity.register(registering("acme", "ada"), origin()).await),
            "setup_token_refused"
        );
        let voided = identity.create_setup_token().await.unwrap();
        let late = identity.create_setup_token().await.unwrap();
        assert_eq!(code(identity.set_up(setting_up(Some(voided)), origin()).await), "setup_token_refused");
        world.clock.advance(30 * 60 * Micros::SECOND);
        assert_eq!(code(identity.set_up(setting_up(Some(late)), origin()).await), "setup_token_refused");
        let good = identity.create_setup_token().await.unwrap();
        world.clock.advance(30 * 60 * Micros::SECOND - 1);
        let page = identity.set_up(setting_up(Some(good.clone())), origin()).await.unwrap();
        assert_eq!(page.session.user.roles, ["owner"]);
        assert!(page.session.scopes.contains(&Scope::Admin.as_str()));
        assert_eq!(code(identity.set_up(setting_up(Some(good.clone())), origin()).await), "already_set_up");
        assert_eq!(code(identity.create_setup_token().await), "already_set_up");
        let mut again = registering("acme", "eve");
        again.setup_token = Some(good);
        assert_eq!(code(identity.register(again, origin()).await), "setup_token_refused");
        assert_eq!(world.count("SELECT COUNT(*) FROM users").await, 1);
        let rows = world.audit().await;
        let refused = rows.iter().filter(|row| *row == "identity.set_up anonymous denied");
        assert_eq!(refused.count(), 3, "{rows:?}");
        assert!(rows.contains(&"identity.create_setup_token local operator success".to_owned()));
    }
}

#[tokio::test]
async fn bad_fields_are_named() {
    for world in worlds().await {
        type Change = fn(&mut identity::Registering);
        let cases: [(&str, Change); 7] = [
            ("username", |r| r.username = "a b".to_owned()),
            ("username", |r| r.username = "a\0".to_owned()),
            ("username", |r| r.username = "x".repeat(65)),
            ("password", |r| r.password = Secret::new("too short")),
            ("password", |r| {
                r.password = Secret::new("with\0nul in the middle");
            }),
            ("tenant_id", |r| r.tenant = "Not A Tenant".to_owned()),
            ("email", |r| r.email = Some("nobody".to_owned())),
        ];
        for (field, change) in cases {
            let mut request = registering("acme", "ada");
            change(&mut request);
            let error = world.identity.register(request, origin()).await.unwrap_err();
            assert_eq!((error.kind, error.fields[0].field.as_str()), (ErrorKind::Invalid, field));
        }
        let mut same = registering("acme", "a-long-username");
        same.password = Secret::new("A-Long-Username");
        assert_eq!(code(world.identity.register(same, origin()).await), "validation_failed");
        assert_eq!(world.count("SELECT COUNT(*) FROM users").await, 0);
    }
}
