//! Callers as the front door would have let them in.

use std::sync::Arc;

use kernel::{Ctx, Principal, PrincipalKind, Role, Scopes, TenantId};

/// A person signed in: owns as themselves and holds the scopes of a member.
pub fn ctx(tenant: &str, user: &str) -> Ctx {
    caller(
        tenant,
        Principal {
            kind: PrincipalKind::User,
            id: user.to_owned(),
            user_id: Some(user.to_owned()),
            role: Some(Role::Member),
            credential_id: "ses_test".to_owned(),
        },
    )
}

/// A key bound to no person: may name any owner of its tenant.
pub fn key(tenant: &str, id: &str) -> Ctx {
    caller(tenant, api_key(id, None))
}

/// A key bound to a person: always owns as them.
pub fn bound_key(tenant: &str, id: &str, user: &str) -> Ctx {
    caller(tenant, api_key(id, Some(user.to_owned())))
}

/// The same caller with other scopes.
pub fn limited(mut ctx: Ctx, scopes: Scopes) -> Ctx {
    ctx.scopes = scopes;
    ctx
}

fn api_key(id: &str, user_id: Option<String>) -> Principal {
    Principal {
        kind: PrincipalKind::ApiKey,
        id: id.to_owned(),
        user_id,
        role: None,
        credential_id: id.to_owned(),
    }
}

fn caller(tenant: &str, principal: Principal) -> Ctx {
    Ctx {
        tenant: TenantId::parse(tenant).expect("a tenant of a test has a proper name"),
        principal: Arc::new(principal),
        scopes: Role::Member.scopes(),
        request_id: Arc::from("req_test"),
        address: None,
    }
}
