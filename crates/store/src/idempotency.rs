//! First results kept for 24 hours, so that a repeated request answers what the first one answered.

use kernel::{Ctx, Error, Micros};

use crate::{Tx, execute, fetch_optional};

/// What a caller sent as `Idempotency-Key`, and what it asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// Route template; the same key on another route is another key.
    pub route: String,
    /// The caller's key, 1–255 visible characters.
    pub key: String,
    /// Hash of the request's body.
    pub request_hash: String,
}

/// Looks for the first answer of a key; call it first in the transaction that would do the work.
///
/// # Errors
/// `idempotency_conflict` when the key was used with another body.
pub async fn find_answer(
    tx: &mut Tx,
    ctx: &Ctx,
    wanted: &Idempotency,
    now: Micros,
) -> kernel::Result<Option<String>> {
    let found = fetch_optional!(
        tx,
        (String, String),
        "SELECT request_hash, answer FROM idempotency_keys
         WHERE tenant_id = $1 AND principal_id = $2 AND route = $3 AND idempotency_key = $4 AND created_at > $5",
        ctx.tenant.as_str(),
        &ctx.principal.id,
        &wanted.route,
        &wanted.key,
        now.plus(-Micros::DAY).0,
    )?;
    match found {
        Some((hash, answer)) if hash == wanted.request_hash => Ok(Some(answer)),
        Some(_) => Err(Error::conflict(
            "idempotency_conflict",
            "this Idempotency-Key was used with another body; use a new key for a new request",
        )),
        None => Ok(None),
    }
}

/// Keeps the answer with the work it answers for.
///
/// # Errors
/// `idempotency_in_progress` for the later of two requests at once: its work is rolled back, and when it is repeated it
/// finds the other's answer.
pub async fn save_answer(
    tx: &mut Tx,
    ctx: &Ctx,
    wanted: &Idempotency,
    answer: &str,
    now: Micros,
) -> kernel::Result<()> {
    let kept = execute!(
        tx,
        "INSERT INTO idempotency_keys (tenant_id, principal_id, route, idempotency_key, request_hash, answer, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (tenant_id, principal_id, route, idempotency_key) DO UPDATE
         SET request_hash = excluded.request_hash, answer = excluded.answer, created_at = excluded.created_at
         WHERE idempotency_keys.created_at <= $8",
        ctx.tenant.as_str(),
        &ctx.principal.id,
        &wanted.route,
        &wanted.key,
        &wanted.request_hash,
        answer,
        now.0,
        now.plus(-Micros::DAY).0,
    )?;
    if kept == 0 {
        return Err(Error::conflict(
            "idempotency_in_progress",
            "another request with this Idempotency-Key is being answered; repeat this one",
        ));
    }
    Ok(())
}
