//! Moving a database to the other engine and back changes nothing.

use store::backup::{BackupError, DatabaseHash, Progress, transfer};
use store::{Reach, StoreConfig};
use testkit::{Home, clock, databases, fill_every_table, homes};

use crate::backup::hash;
use crate::support::change;

async fn moved(from: &Home, to: &Home) -> Result<DatabaseHash, BackupError> {
    let (from, to) = (StoreConfig::new(from.url.clone()), StoreConfig::new(to.url.clone()));
    transfer(&from, &to, &clock(), &Progress::default()).await.map(|done| done.content)
}

#[tokio::test(flavor = "multi_thread")]
async fn there_and_back_is_identical_by_hash() {
    let [sqlite, _] = homes().await;
    fill_every_table(&sqlite.store, &sqlite.blobs(), 0, 60).await;
    let before = hash(&sqlite.store).await;
    let [back, postgres] = databases().await;
    assert_eq!(moved(&sqlite, &postgres).await.unwrap(), before);
    assert_eq!(hash(&postgres.open_again().await).await.content(), before.content());
    moved(&postgres, &back).await.unwrap();
    assert_eq!(hash(&back.open_again().await).await, before);
    assert_eq!(hash(&sqlite.store).await, before, "the source is only read");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_was_broken_off_goes_on_and_one_row_too_many_is_noticed() {
    let [sqlite, _] = homes().await;
    fill_every_table(&sqlite.store, &sqlite.blobs(), 0, 20).await;
    let [_, postgres] = databases().await;
    let target = StoreConfig::new(postgres.url.clone());
    // What a broken-off run leaves: the schema, and some of the rows.
    let place = store::backup::Place::beside(&target, "transferring");
    let half = place.open().await.unwrap();
    store::migrate::up(&half, &clock()).await.unwrap();
    fill_every_table(&half, &sqlite.blobs(), 0, 7).await;
    half.close().await;
    assert_eq!(moved(&sqlite, &postgres).await.unwrap(), hash(&sqlite.store).await);

    let [_, other] = databases().await;
    let target = StoreConfig::new(other.url.clone());
    let half = store::backup::Place::beside(&target, "transferring").open().await.unwrap();
    store::migrate::up(&half, &clock()).await.unwrap();
    change(&half, "INSERT INTO tenants (tenant_id, created_at) VALUES ('stranger', 0)").await;
    half.close().await;
    let refused = moved(&sqlite, &other).await.unwrap_err().to_string();
    assert!(refused.contains("tenants: 20 rows and 21 rows"), "{refused}");
    let mut conn = other.store.read(Reach::Everyone).await.unwrap();
    assert!(store::backup::tables(&mut conn).await.unwrap().is_empty(), "the target is as it was");
}
