//! References: a text with one of our prefixes leads to something of its owner, or is refused.

mod store;

use ::store::Conn;
use kernel::{Result, TenantId};

use crate::memories::unknown_ref;

/// How our ids begin that may be referred to.
const PREFIXES: [&str; 7] = ["evt_", "chk_", "art_", "mem_", "dec_", "tsk_", "cap_"];

/// Whether a reference has one of our own prefixes and must therefore lead somewhere.
pub(crate) fn is_ours(reference: &str) -> bool {
    PREFIXES.iter().any(|prefix| reference.starts_with(prefix))
}

/// Refuses references of ours that lead nowhere; those into another owner's memory look the same.
///
/// # Errors
/// `unknown_ref`, naming the place in `refs`.
pub(crate) async fn check(conn: &mut Conn, tenant: &TenantId, owner: &str, refs: &[String]) -> Result<()> {
    for (at, reference) in refs.iter().enumerate().filter(|(_, reference)| is_ours(reference)) {
        if !leads_somewhere(conn, tenant, owner, reference).await? {
            return Err(unknown_ref(&format!("refs[{at}]")));
        }
    }
    Ok(())
}

/// Whether a reference of ours leads to something of this owner.
pub(crate) async fn leads_somewhere(
    conn: &mut Conn,
    tenant: &TenantId,
    owner: &str,
    reference: &str,
) -> Result<bool> {
    let is_of_event = PREFIXES[..3].iter().any(|prefix| reference.starts_with(prefix));
    Ok(if is_of_event {
        store::event_exists(conn, tenant, owner, reference).await?
    } else {
        store::row_exists(conn, tenant, owner, reference).await?
    })
}
