//! The end of a row's life. The only place that removes audit rows.

use ::store::rights::list_held_tenants;
use ::store::{Reach, Store};
use kernel::{Error, Micros, Result};

use super::store;
use super::{AuditEntry, record};

/// Days that a row is kept at least.
pub const MIN_RETENTION_DAYS: i64 = 90;
/// Rows that one transaction removes at most.
const BATCH: i64 = 1_000;

/// Counts the rows that [`remove_expired`] would remove, a few at the edge of a chain aside.
///
/// # Errors
/// The store's.
pub async fn count_expired(store: &Store, now: Micros, days: i64) -> Result<u64> {
    let cutoff = now.plus(-days * Micros::DAY);
    let rows = store::count_before(&mut store.read(Reach::Everyone).await?, cutoff).await?;
    Ok(rows.max(0) as u64)
}

/// Removes rows older than `days` from every tenant in which nothing is held, in batches; returns how many there were.
///
/// Rows go from the beginning of a chain only, and the head keeps the hash of the last one, so that the rest still verifies.
/// A row whose clock ran behind stays until its neighbours go. One row per tenant tells of the removal.
///
/// # Errors
/// `retention_too_short` below [`MIN_RETENTION_DAYS`]; the store's.
pub async fn remove_expired(store: &Store, now: Micros, days: i64) -> Result<u64> {
    if days < MIN_RETENTION_DAYS {
        let text = format!("audit rows are kept for {MIN_RETENTION_DAYS} days at least, not {days}");
        return Err(Error::invalid("retention_too_short", text));
    }
    let cutoff = Micros(now.0 - days * Micros::DAY);
    let mut removed = 0;
    let held = list_held_tenants(&mut store.read(Reach::Everyone).await?).await?;
    for tenant in super::list_audited_tenants(store).await? {
        if held.contains(&tenant) {
            continue;
        }
        let mut of_tenant = 0;
        loop {
            let batch = remove_batch(store, tenant.clone(), cutoff).await?;
            of_tenant += batch;
            if batch == 0 {
                break;
            }
            tokio::task::yield_now().await;
        }
        if of_tenant > 0 {
            note(store, tenant, now, of_tenant).await?;
        }
        removed += of_tenant;
    }
    Ok(removed)
}

async fn remove_batch(store: &Store, tenant: String, cutoff: Micros) -> Result<u64> {
    store
        .write("audit.remove_expired", Reach::Everyone, move |tx| {
            Box::pin(async move {
                let Some(head) = store::lock_head(tx, &tenant).await? else {
                    return Ok(0);
                };
                let unchained = store::remove_unchained(tx, &tenant, cutoff, BATCH).await?;
                if unchained > 0 {
                    return Ok(unchained);
                }
                let first_kept = store::find_first_kept(tx, &tenant, cutoff).await?.unwrap_or(head.seq + 1);
                let upto = first_kept.min(head.first_seq + BATCH);
                if upto <= head.first_seq {
                    return Ok(0);
                }
                store::remove_before(tx, &tenant, upto).await
            })
        })
        .await
}

async fn note(store: &Store, tenant: String, now: Micros, removed: u64) -> Result<()> {
    store
        .write("audit.remove_expired", Reach::Everyone, move |tx| {
            Box::pin(async move {
                let resource = format!("audit rows:{removed}");
                record(tx, &AuditEntry::operator(&tenant, now, "audit.remove_expired", resource)).await
            })
        })
        .await
}
