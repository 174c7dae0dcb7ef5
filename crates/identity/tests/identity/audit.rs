//! The record: written with the act, absent without it, and free of secrets.

use crate::support::*;
use ::identity::audit::{AuditEntry, AuditFilter, record};
use kernel::{PageRequest, Role};
use store::Reach;

fn any() -> AuditFilter {
    AuditFilter::default()
}

#[tokio::test]
async fn a_row_is_rolled_back_with_its_act_and_kept_with_it() {
    for world in worlds().await {
        let now = world.clock.now();
        for (keep, expected) in [(false, 0), (true, 1)] {
            let result = world.store.write("test", Reach::Everyone, move |tx| {
                Box::pin(async move {
                    record(tx, &AuditEntry::operator("acme", now, "test.act", "thing")).await?;
                    if keep { Ok(()) } else { Err(kernel::Error::conflict("undone", "undone")) }
                })
            });
            assert_eq!(result.await.is_ok(), keep);
            assert_eq!(world.count("SELECT COUNT(*) FROM audit_log").await, expected);
        }
    }
}

#[tokio::test]
async fn an_act_that_rolled_back_leaves_no_row_of_success() {
    for world in worlds().await {
        world.user("acme", "ada", Some(Role::Owner)).await;
        let before = world.audit().await;
        let taken = world.identity.register(registering("acme", "ada"), origin()).await;
        assert_eq!(code(taken), "username_taken");
        assert_eq!(world.audit().await, before);
        assert_eq!(world.count("SELECT COUNT(*) FROM sessions").await, 0);
    }
}

#[tokio::test]
async fn without_its_row_no_act_happens() {
    for world in worlds().await {
        let owner = world.ctx("acme", "ada", Some(Role::Owner)).await;
        let id = world.user("acme", "bob", None).await;
        let broken = world.store.write("test", Reach::Everyone, |tx| {
            Box::pin(async move { Ok(tx.batch("ALTER TABLE audit_log RENAME TO audit_log_away").await?) })
        });
        broken.await.unwrap();
        assert!(world.identity.set_role(&owner, &id, Some(Role::Admin)).await.is_err());
        assert!(world.identity.invite(&owner, Role::Viewer).await.is_err());
        assert!(world.identity.sign_in(signing_in("acme", "bob", PASSWORD), origin()).await.is_err());
        assert_eq!(world.count("SELECT COUNT(*) FROM users WHERE role = 'admin'").await, 0);
        assert_eq!(world.count("SELECT COUNT(*) FROM invitations").await, 0);
        assert_eq!(world.count("SELECT COUNT(*) FROM sessions").await, 1);
    }
}

#[tokio::test]
async fn administrators_read_their_tenants_rows_newest_first() {
    for world in worlds().await {
        let owner = world.ctx("acme", "ada", Some(Role::Owner)).await;
        world.ctx("other", "olga", Some(Role::Owner)).await;
        let member = world.ctx("acme", "mia", Some(Role::Member)).await;
        world.clock.advance(kernel::Micros::SECOND);
        world.identity.set_role(&owner, &member.principal.id, Some(Role::Viewer)).await.unwrap();
        world.clock.advance(kernel::Micros::SECOND);
        let page = |limit, cursor| PageRequest { limit, cursor };
        assert_eq!(code(world.identity.list_audit(&member, &any(), page(10, None)).await), "forbidden");
        let rows = world.identity.list_audit(&owner, &any(), page(2, None)).await.unwrap();
        assert_eq!(rows.items[0].outcome, "denied", "the refusal itself is on record");
        let change = &rows.items[1];
        assert_eq!(
            (change.action.as_str(), change.fields.as_slice()),
            ("identity.set_role", &["role".to_owned()][..])
        );
        assert_eq!(change.principal_id, owner.principal.id);
        assert_eq!(change.credential_id, owner.principal.credential_id);
        assert_eq!((change.address.as_deref(), change.request_id.as_str()), (Some("192.0.2.7"), "req_test"));
        let rest = world.identity.list_audit(&owner, &any(), page(200, rows.next_cursor)).await.unwrap();
        let all = world.count("SELECT COUNT(*) FROM audit_log WHERE tenant_id = 'acme'").await;
        assert_eq!(rest.items.len() as i64 + 2, all);
    }
}

#[tokio::test]
async fn rows_hold_no_secret() {
    for world in worlds().await {
        let owner = world.ctx("acme", "ada", Some(Role::Owner)).await;
        let invitation = world.identity.invite(&owner, Role::Viewer).await.unwrap();
        let tokens = world.sign_in("acme", "ada").await;
        let typo = signing_in("acme", "my-password-in-the-name-field", "x");
        assert_eq!(code(world.identity.sign_in(typo, origin()).await), "sign_in_failed");
        let rows = world
            .identity
            .list_audit(&owner, &any(), PageRequest { limit: 200, cursor: None })
            .await
            .unwrap();
        let text = format!("{rows:?}");
        for secret in [
            PASSWORD,
            invitation.token.expose(),
            &tokens.refresh_token,
            &tokens.access_token,
            "my-password-in-the-name-field",
        ] {
            assert!(!text.contains(secret), "{secret}");
        }
    }
}
