//! What of identity belongs to whom, and how an erasure shuts an account at once: see [`store::rights`].

use ::store::rights::{Area, Domain, Rows, Subject, Who, nothing};
use ::store::{Tx, execute};
use futures::future::BoxFuture;
use kernel::{Micros, Result};

/// The tables of identity.
pub static DOMAIN: Domain = Domain {
    areas: AREAS,
    directories: &["SELECT tenant_id, user_id, CAST(NULL AS TEXT) FROM users"],
    begin: shut_accounts,
    finish: nothing,
};

const ACCOUNT: &str = "belongs to an account, not to memory";
const RECORD: &str = "names people by id alone, and is kept for its days whoever is erased";

const AREAS: &[Area] = &[
    account(
        "refresh_tokens",
        "token_hash",
        "session_id IN (SELECT session_id FROM sessions
         WHERE tenant_id = $1 AND user_id = $2)",
    ),
    account("sessions", "session_id", "user_id = $2").exported_as("session"),
    // A key that somebody made has no more rights than they have.
    account("api_keys", "key_id", "user_id = $2 OR created_by = $2").exported_as("api_key"),
    Area::of_tenant("invitations", "invitation_id", "names who made it by id alone"),
    account("users", "user_id", "user_id = $2").exported_as("account"),
    Area::of_tenant("tenants", "tenant_id", "is the tenant"),
    Area::kept("audit_log", RECORD),
    Area::kept("audit_heads", RECORD),
    Area::kept("setup_tokens", "belongs to the server, not to a tenant"),
    Area::kept("sign_in_failures", "holds keyed hashes, and forgets them within the day"),
];

const fn account(table: &'static str, key: &'static str, person: &'static str) -> Area {
    Area { person: Rows::Of(person), ..Area::of_tenant(table, key, ACCOUNT) }
}

/// Nobody who is being erased signs in or stays signed in.
fn shut_accounts<'t>(tx: &'t mut Tx, subject: &'t Subject, now: Micros) -> BoxFuture<'t, Result<()>> {
    Box::pin(async move {
        if !matches!(subject.who, Who::Person(_) | Who::Tenant) {
            return Ok(());
        }
        let (tenant, user_id) = (subject.tenant.as_str(), subject.user_id());
        execute!(
            tx,
            "UPDATE users SET disabled_at = $1
             WHERE tenant_id = $2 AND ($3 IS NULL OR user_id = $3) AND disabled_at IS NULL",
            now.0,
            tenant,
            user_id,
        )?;
        execute!(
            tx,
            "UPDATE sessions SET ended_at = $1
             WHERE tenant_id = $2 AND ($3 IS NULL OR user_id = $3) AND ended_at IS NULL",
            now.0,
            tenant,
            user_id,
        )?;
        execute!(
            tx,
            "UPDATE api_keys SET revoked_at = $1
             WHERE tenant_id = $2 AND ($3 IS NULL OR user_id = $3 OR created_by = $3) AND revoked_at IS NULL",
            now.0,
            tenant,
            user_id,
        )?;
        Ok(())
    })
}
