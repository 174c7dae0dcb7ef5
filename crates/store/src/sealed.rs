//! The table `sealed_secrets`: secrets of a tenant that must be read back, such as a provider's key.

use kernel::{Clock, Error, Micros, Result, Secret, TenantId};
use sqlx::FromRow;

use crate::seal::{Keyring, Place, Sealed};
use crate::{Conn, Reach, Store, Tx, execute, fetch_all, fetch_optional};

/// Rows that one transaction seals anew.
const BATCH: i64 = 100;

#[derive(FromRow)]
struct Row {
    tenant_id: String,
    name: String,
    key_id: String,
    sealed: Vec<u8>,
}

impl Row {
    fn open(self, keyring: &Keyring) -> Result<Vec<u8>> {
        let place = place(&self.tenant_id, &self.name);
        keyring.open(place, &Sealed { key_id: self.key_id, bytes: self.sealed })
    }
}

fn place<'p>(tenant: &'p str, name: &'p str) -> Place<'p> {
    Place { table: "sealed_secrets", column: "sealed", tenant, row: name }
}

/// Puts a secret in, in place of the one of that name.
///
/// # Errors
/// The store's.
pub async fn put_secret(
    tx: &mut Tx,
    keyring: &Keyring,
    tenant: &TenantId,
    name: &str,
    secret: &Secret,
    now: Micros,
) -> Result<()> {
    let sealed = keyring.seal(place(tenant.as_str(), name), secret.expose().as_bytes())?;
    execute!(
        tx,
        "INSERT INTO sealed_secrets (tenant_id, name, key_id, sealed, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $5)
         ON CONFLICT (tenant_id, name) DO UPDATE
         SET key_id = excluded.key_id, sealed = excluded.sealed, updated_at = excluded.updated_at",
        tenant.as_str(),
        name,
        sealed.key_id,
        sealed.bytes,
        now.0,
    )?;
    Ok(())
}

/// A tenant's secret by its name.
///
/// # Errors
/// As [`Keyring::open`], or the store's.
pub async fn find_secret(
    conn: &mut Conn,
    keyring: &Keyring,
    tenant: &TenantId,
    name: &str,
) -> Result<Option<Secret>> {
    let row = fetch_optional!(
        conn,
        Row,
        "SELECT tenant_id, name, key_id, sealed FROM sealed_secrets WHERE tenant_id = $1 AND name = $2",
        tenant.as_str(),
        name,
    )?;
    let Some(row) = row else {
        return Ok(None);
    };
    let text = String::from_utf8(row.open(keyring)?).map_err(Error::internal)?;
    Ok(Some(Secret::new(text)))
}

/// Removes a secret; false when there is none.
///
/// # Errors
/// The store's.
pub async fn remove_secret(tx: &mut Tx, tenant: &TenantId, name: &str) -> Result<bool> {
    let removed =
        execute!(tx, "DELETE FROM sealed_secrets WHERE tenant_id = $1 AND name = $2", tenant.as_str(), name)?;
    Ok(removed == 1)
}

/// How many secrets of all tenants each key has sealed.
///
/// # Errors
/// The store's.
pub async fn count_by_key(store: &Store) -> Result<Vec<(String, i64)>> {
    let mut conn = store.read(Reach::Everyone).await?;
    Ok(fetch_all!(
        &mut conn,
        (String, i64),
        "SELECT key_id, COUNT(*) FROM sealed_secrets GROUP BY key_id ORDER BY key_id"
    )?)
}

/// Seals up to a hundred secrets of other keys under the current one; returns how many. Call it until it returns 0: what is
/// done stays done, so a run that was cut off is simply started again.
///
/// # Errors
/// As [`Keyring::open`]: the batch is left as it was.
pub async fn reseal_batch(store: &Store, keyring: std::sync::Arc<Keyring>, clock: &Clock) -> Result<usize> {
    let now = clock.now();
    store
        .write("secrets.reseal", Reach::Everyone, move |tx| {
            Box::pin(async move {
                let rows = fetch_all!(
                    tx,
                    Row,
                    "SELECT tenant_id, name, key_id, sealed FROM sealed_secrets WHERE key_id <> $1
                     ORDER BY tenant_id, name LIMIT $2",
                    keyring.current_id(),
                    BATCH,
                )?;
                let count = rows.len();
                for row in rows {
                    reseal(tx, &keyring, row, now).await?;
                }
                Ok(count)
            })
        })
        .await
}

/// A secret that was put in anew since it was read is left as it is.
async fn reseal(tx: &mut Tx, keyring: &Keyring, row: Row, now: Micros) -> Result<()> {
    let (tenant, name, before) = (row.tenant_id.clone(), row.name.clone(), row.sealed.clone());
    let plain = row.open(keyring)?;
    let sealed = keyring.seal(place(&tenant, &name), &plain)?;
    execute!(
        tx,
        "UPDATE sealed_secrets SET key_id = $1, sealed = $2, updated_at = $3
         WHERE tenant_id = $4 AND name = $5 AND sealed = $6",
        sealed.key_id,
        sealed.bytes,
        now.0,
        tenant,
        name,
        before,
    )?;
    Ok(())
}
