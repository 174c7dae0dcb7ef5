//! Objects that no row names: what a request left that stored an object and then no row, or an export that had its time.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;
use kernel::{Micros, Result};

use super::{Domain, list_held_tenants};
use crate::retention::Act;
use crate::rows::fetch_by_ids;
use crate::{Blobs, Conn, Reach, Store, Value};

/// Objects looked up at a time.
const PAGE: usize = 250;

/// Counts, or removes, objects from before `before` that no row names, but none of a tenant in which anything is held; returns
/// how many.
///
/// Storing the same bytes again makes an object young, so one that is about to be named is not taken. Danger: this holds
/// only while requests take less time than `before` lies back.
///
/// # Errors
/// The engine's, or the blob store's.
pub async fn sweep(
    store: &Store,
    blobs: &Blobs,
    domains: &[&Domain],
    before: Micros,
    act: Act,
) -> Result<u64> {
    let held = list_held_tenants(&mut store.read(Reach::Everyone).await?).await?;
    let mut old = blobs.list_before(before).chunks(PAGE);
    let mut orphans = 0;
    while let Some(page) = old.next().await {
        let mut keys: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for key in page {
            let key = key?;
            let tenant = key.split('/').next().unwrap_or_default().to_owned();
            keys.entry(tenant).or_default().push(key);
        }
        for (tenant, keys) in keys.into_iter().filter(|(tenant, _)| !held.contains(tenant)) {
            let mut conn = store.read(Reach::Everyone).await?;
            let named = named(&mut conn, domains, &tenant, &keys).await?;
            drop(conn);
            for key in keys.iter().filter(|key| !named.contains(*key)) {
                if act == Act::Remove {
                    blobs.remove(key).await?;
                }
                orphans += 1;
            }
        }
    }
    Ok(orphans)
}

async fn named(
    conn: &mut Conn,
    domains: &[&Domain],
    tenant: &str,
    keys: &[String],
) -> Result<BTreeSet<String>> {
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let mut named = BTreeSet::new();
    for area in domains.iter().flat_map(|domain| domain.areas).filter(|area| area.has_objects) {
        let found: Vec<(String,)> =
            fetch_by_ids(conn, area.named_sql(), &[Value::from(tenant)], &keys).await?;
        named.extend(found.into_iter().map(|row| row.0));
    }
    Ok(named)
}
