//! Who grants which role.

use crate::support::*;
use kernel::{PageRequest, Role};

#[tokio::test]
async fn only_owners_make_or_unmake_owners() {
    for world in worlds().await {
        let owner = world.ctx("acme", "ada", Some(Role::Owner)).await;
        let admin = world.ctx("acme", "adi", Some(Role::Admin)).await;
        let member = world.ctx("acme", "mia", Some(Role::Member)).await;
        let (owner_id, member_id) = (&owner.principal.id, &member.principal.id);
        assert_eq!(code(world.identity.set_role(&member, member_id, Some(Role::Admin)).await), "forbidden");
        assert_eq!(
            code(world.identity.set_role(&admin, member_id, Some(Role::Owner)).await),
            "owner_required"
        );
        assert_eq!(code(world.identity.set_role(&admin, owner_id, None).await), "owner_required");
        assert_eq!(code(world.identity.invite(&admin, Role::Owner).await), "owner_required");
        assert_eq!(code(world.identity.invite(&member, Role::Viewer).await), "forbidden");
        assert_eq!(code(world.identity.list_users(&member, first()).await), "forbidden");
        assert_eq!(code(world.identity.set_role(&admin, member_id, Some(Role::Viewer)).await), "ok");
        let promoted = world.identity.set_role(&owner, member_id, Some(Role::Owner)).await.unwrap();
        assert_eq!(promoted.role.as_deref(), Some("owner"));
        let denied = |row: &&String| row.ends_with("denied");
        assert_eq!(world.audit().await.iter().filter(denied).count(), 6);
    }
}

#[tokio::test]
async fn the_last_owner_cannot_be_demoted_and_nothing_is_recorded_of_it() {
    for world in worlds().await {
        let owner = world.ctx("acme", "ada", Some(Role::Owner)).await;
        world.ctx("other", "olga", Some(Role::Owner)).await;
        let before = world.audit().await;
        for role in [Some(Role::Admin), None] {
            let refused = world.identity.set_role(&owner, &owner.principal.id, role).await.unwrap_err();
            assert_eq!((refused.kind, refused.code), (kernel::ErrorKind::Conflict, "last_owner"));
        }
        assert_eq!(world.audit().await, before);
        assert_eq!(world.count("SELECT COUNT(*) FROM users WHERE role = 'owner'").await, 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_owners_who_demote_each_other_at_once_leave_one() {
    for world in worlds().await {
        let one = world.ctx("acme", "one", Some(Role::Owner)).await;
        let two = world.ctx("acme", "two", Some(Role::Owner)).await;
        let (first, second) = tokio::join!(
            world.identity.set_role(&one, &two.principal.id, None),
            world.identity.set_role(&two, &one.principal.id, None),
        );
        let mut codes = [code(first), code(second)];
        codes.sort_unstable();
        assert_eq!(codes, ["last_owner", "ok"]);
        assert_eq!(world.count("SELECT COUNT(*) FROM users WHERE role = 'owner'").await, 1);
    }
}

#[tokio::test]
async fn people_of_other_tenants_are_absent() {
    for world in worlds().await {
        let owner = world.ctx("acme", "ada", Some(Role::Owner)).await;
        let stranger = world.user("other", "olga", Some(Role::Viewer)).await;
        let mut answers = Vec::new();
        for id in [stranger.as_str(), "usr_0", "", "' OR 1=1 --"] {
            let absent = world.identity.set_role(&owner, id, Some(Role::Admin)).await.unwrap_err();
            answers.push((absent.kind, absent.code, absent.public));
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "{answers:?}");
        assert_eq!(world.count("SELECT COUNT(*) FROM users WHERE role = 'admin'").await, 0);
        let people = world.identity.list_users(&owner, first()).await.unwrap();
        assert_eq!(people.items.iter().map(|user| user.username.as_str()).collect::<Vec<_>>(), ["ada"]);
    }
}

#[tokio::test]
async fn a_new_role_counts_at_once() {
    for world in worlds().await {
        let owner = world.ctx("acme", "ada", Some(Role::Owner)).await;
        let id = world.user("acme", "bob", None).await;
        let token = world.sign_in("acme", "bob").await.access_token;
        for role in [Some(Role::Admin), Some(Role::Viewer), None] {
            world.identity.authenticate(bearer(&token)).await.unwrap();
            world.identity.set_role(&owner, &id, role).await.unwrap();
            let ctx = world.identity.authenticate(bearer(&token)).await.unwrap();
            assert_eq!(ctx.scopes, role.map_or(kernel::Scopes::NONE, Role::scopes));
        }
    }
}

fn first() -> PageRequest {
    PageRequest { limit: 50, cursor: None }
}
