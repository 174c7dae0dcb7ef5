//! From one database to another, row by row, with the proof that both are equal.

use kernel::Clock;

use super::sink::load;
use super::source::{Snapshot, channel};
use super::{BackupError, DatabaseHash, Place, Progress, Result, content_hash, tables};
use crate::{Engine, Reach, Store, StoreConfig, migrate};

/// What a transfer did.
#[derive(Clone, Debug)]
pub struct Transferred {
    /// What both databases hold now.
    pub content: DatabaseHash,
    /// Where the database that was there before is now.
    pub aside: Option<String>,
}

/// Copies every row of `from` into a database beside `to`, compares both, and puts it in `to`'s place. The source is only
/// read. One that was broken off goes on: rows that arrived are not sent a second time into the tables.
///
/// Objects are not copied: both databases name them by the same keys.
///
/// # Errors
/// `Refused` when a schema is not this version's; `Damaged` when the two differ at the end, and the next run starts afresh.
pub async fn transfer(
    from: &StoreConfig,
    to: &StoreConfig,
    clock: &Clock,
    progress: &Progress,
) -> Result<Transferred> {
    let source = Store::open(from).await?;
    let place = Place::beside(to, "transferring");
    let target = place.open().await?;
    copy(&source, &target, clock, progress).await?;
    let (content, arrived) = (
        content_hash(&source, &Progress::default()).await?,
        content_hash(&target, &Progress::default()).await?,
    );
    source.close().await;
    let differences = content.differences(&arrived);
    if !differences.is_empty() {
        target.close().await;
        drop(target);
        place.discard().await?;
        return Err(BackupError::damaged(format!(
            "the copy differs from the source: {}; stop everything that writes to the source and start again",
            differences.join(", ")
        )));
    }
    let aside = place.swap(target, clock.now()).await?;
    Ok(Transferred { content, aside })
}

async fn copy(source: &Store, target: &Store, clock: &Clock, progress: &Progress) -> Result<()> {
    let mut snapshot = Snapshot::take(source).await?;
    let ours: Vec<&str> = migrate::all(Engine::Sqlite).iter().map(|migration| migration.name).collect();
    if snapshot.schema != ours {
        let text = "the source has another version's schema; run `hearth migrate up` on it first";
        return Err(BackupError::Refused(text.to_owned()));
    }
    migrate::up(target, clock).await?;
    let mut conn = target.read(Reach::Everyone).await?;
    if tables(&mut conn).await? != snapshot.tables {
        let text = "the source has tables that this version's migrations do not make";
        return Err(BackupError::Refused(text.to_owned()));
    }
    drop(conn);
    let (to, from) = channel();
    let known = snapshot.tables.clone();
    let (sent, loaded) = tokio::join!(
        snapshot.send(None, to, progress),
        load(from, target, &known, "ON CONFLICT DO NOTHING", None)
    );
    sent?;
    loaded
}
