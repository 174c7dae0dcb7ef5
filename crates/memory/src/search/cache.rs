//! Partitions in memory: bounded by bytes, loaded once, kept fresh by the version that every write bumps.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use kernel::{Micros, Result, TenantId};
use recall::{Doc, Index, Vector};
use serde_json::{Map, Value};
use store::Store;
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

use super::store::{self as sql, Changes, IndexRow, MemoryIndexRow, ScopeRow, VectorRow};
use crate::events::EventKind;
use crate::memories::MemoryState;
use crate::text::{extra_text, indexed_text};

/// Rows read at a time while an index catches up.
const PAGE: i64 = 2_000;
/// Fewer rows than this are indexed where they stand; more go to a thread for heavy work.
const INLINE_ROWS: usize = 32;

/// Kind of a memory in the index; those of events are smaller.
pub(super) const MEMORY_KIND: u8 = 32;
/// Labels that no caller can give, as theirs hold no control characters: of memories that were superseded, and of those that
/// wait for a review.
pub(super) const CLOSED: &str = "\u{1}closed";
/// See [`CLOSED`].
pub(super) const WAITING: &str = "\u{1}waiting";

/// An index and how far it has read.
#[derive(Default)]
pub(crate) struct Loaded {
    pub(crate) index: Index,
    version: i64,
    rebuild_version: i64,
    /// When chunks expire, soonest first: microseconds and the chunk.
    expiring: BTreeSet<(i64, String)>,
}

impl Loaded {
    fn has_expired(&self, now: Micros) -> bool {
        self.expiring.first().is_some_and(|(at, _)| *at <= now.0)
    }

    /// Takes chunks out whose time has come, so that they count in no statistics either.
    fn expire(&mut self, now: Micros) {
        while self.has_expired(now)
            && let Some((_, chunk_id)) = self.expiring.pop_first()
        {
            self.index.remove(&chunk_id);
        }
    }
}

struct Slot {
    loaded: Arc<RwLock<Loaded>>,
    last_used: AtomicU64,
    bytes: AtomicU64,
}

/// All partitions in memory.
pub(crate) struct ScopeCache {
    store: Store,
    /// Model whose vectors are loaded.
    model: Option<String>,
    budget_bytes: u64,
    slots: Mutex<HashMap<String, Arc<Slot>>>,
    clock: AtomicU64,
}

impl ScopeCache {
    pub(crate) fn new(store: Store, model: Option<String>, budget_bytes: u64) -> Self {
        Self { store, model, budget_bytes, slots: Mutex::default(), clock: AtomicU64::new(0) }
    }

    /// The index of a scope, at `scope.version` or later, without what has expired. Of several who wait for it, one loads.
    pub(crate) async fn get(
        &self,
        tenant: &TenantId,
        scope: &ScopeRow,
        now: Micros,
    ) -> Result<OwnedRwLockReadGuard<Loaded>> {
        let slot = self.slot(&scope.scope_id);
        loop {
            let loaded = slot.loaded.clone().read_owned().await;
            let is_current =
                loaded.version >= scope.version && loaded.rebuild_version == scope.rebuild_version;
            if is_current && !loaded.has_expired(now) {
                return Ok(loaded);
            }
            drop(loaded);
            let loaded = slot.loaded.clone().write_owned().await;
            // The index is everyone's: what it reads is not counted to the search that finds it behind.
            let (loaded, _) = ::store::tally::counted(self.catch_up(tenant, scope, loaded)).await;
            let mut loaded = loaded?;
            loaded.expire(now);
            slot.bytes.store(loaded.index.memory_bytes() as u64, Ordering::Relaxed);
            drop(loaded);
            self.evict(&scope.scope_id);
        }
    }

    /// Bytes of all indexes in memory, and how many there are.
    pub(crate) fn size(&self) -> (u64, usize) {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        (slots.values().map(|slot| slot.bytes.load(Ordering::Relaxed)).sum(), slots.len())
    }

    fn slot(&self, scope_id: &str) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = slots.entry(scope_id.to_owned()).or_insert_with(|| {
            Arc::new(Slot { loaded: Arc::default(), last_used: AtomicU64::new(0), bytes: AtomicU64::new(0) })
        });
        slot.last_used.store(self.clock.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        slot.clone()
    }

    /// Drops the least recently used indexes until the rest fit; never the one just loaded.
    fn evict(&self, keep: &str) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let mut total: u64 = slots.values().map(|slot| slot.bytes.load(Ordering::Relaxed)).sum();
        while total > self.budget_bytes {
            let oldest = slots
                .iter()
                .filter(|(id, _)| id.as_str() != keep)
                .min_by_key(|(_, slot)| slot.last_used.load(Ordering::Relaxed))
                .map(|(id, slot)| (id.clone(), slot.bytes.load(Ordering::Relaxed)));
            let Some((id, bytes)) = oldest else { break };
            slots.remove(&id);
            total -= bytes;
            metrics::counter!("hearth_index_evictions_total").increment(1);
        }
        metrics::gauge!("hearth_index_bytes").set(total as f64);
    }

    /// Reads what changed since the index was last used. Rows carry the version of the write that made them, and writes to
    /// one scope are ordered by the lock on its row, so nothing at or below `scope.version` can appear later.
    async fn catch_up(
        &self,
        tenant: &TenantId,
        scope: &ScopeRow,
        mut loaded: OwnedRwLockWriteGuard<Loaded>,
    ) -> Result<OwnedRwLockWriteGuard<Loaded>> {
        if loaded.rebuild_version != scope.rebuild_version {
            *loaded = Loaded { rebuild_version: scope.rebuild_version, ..Loaded::default() };
        }
        if loaded.version >= scope.version {
            return Ok(loaded);
        }
        let after = (loaded.version, String::new());
        let mut changes = Changes {
            tenant,
            scope_id: &scope.scope_id,
            after: after.clone(),
            up_to: scope.version,
            limit: PAGE,
        };
        let mut conn = self.store.read(tenant).await?;
        loop {
            let rows = sql::list_changed_chunks(&mut conn, &changes).await?;
            let Some(last) = rows.last() else { break };
            changes.after = (last.scope_version, last.chunk_id.clone());
            loaded = heavy(rows.len(), loaded, move |loaded| {
                for row in &rows {
                    add(loaded, row);
                }
            })
            .await?;
        }
        changes.after = after.clone();
        loop {
            let rows = sql::list_changed_memories(&mut conn, &changes).await?;
            let Some(last) = rows.last() else { break };
            changes.after = (last.scope_version, last.memory_id.clone());
            loaded = heavy(rows.len(), loaded, move |loaded| {
                for row in &rows {
                    add_memory(loaded, row);
                }
            })
            .await?;
        }
        if let Some(model) = &self.model {
            changes.after = after;
            loop {
                let rows = sql::list_changed_vectors(&mut conn, &changes, model).await?;
                let Some(last) = rows.last() else { break };
                changes.after = (last.scope_version, last.owner_id.clone());
                loaded = heavy(rows.len(), loaded, move |loaded| attach(&mut loaded.index, &rows)).await?;
            }
        }
        loaded.version = scope.version;
        Ok(loaded)
    }
}

async fn heavy(
    rows: usize,
    mut loaded: OwnedRwLockWriteGuard<Loaded>,
    work: impl FnOnce(&mut Loaded) + Send + 'static,
) -> Result<OwnedRwLockWriteGuard<Loaded>> {
    if rows <= INLINE_ROWS {
        work(&mut loaded);
        return Ok(loaded);
    }
    let done = tokio::task::spawn_blocking(move || {
        work(&mut loaded);
        loaded
    });
    done.await.map_err(kernel::Error::internal)
}

/// Whether `row` is a new version of what the index holds is not asked: an upsert replaces.
fn add(loaded: &mut Loaded, row: &IndexRow) {
    if row.excluded {
        loaded.index.remove(&row.chunk_id);
        return;
    }
    if let Some(at) = row.expires_at {
        loaded.expiring.insert((at, row.chunk_id.clone()));
    }
    let Some(kind) = EventKind::parse(&row.kind) else {
        return;
    };
    let content: Map<String, Value> = serde_json::from_str(&row.content).unwrap_or_default();
    let whole;
    let text = if let Some(text) = &row.text {
        text.as_str()
    } else {
        whole = indexed_text(kind, &content);
        whole.get(row.start_byte as usize..row.end_byte as usize).unwrap_or_default()
    };
    let tags: Vec<String> = serde_json::from_str(&row.tags).unwrap_or_default();
    let labels: Vec<&str> = tags.iter().map(String::as_str).collect();
    loaded.index.upsert(&Doc {
        key: &row.chunk_id,
        session: &row.session_id,
        seq: row.seq,
        speaker: row.actor_name.as_deref().unwrap_or(&row.actor_id),
        agent: row.agent_id.as_deref().unwrap_or_default(),
        kind: kind as u8,
        occurred_at_us: row.occurred_at,
        text,
        extra: &extra_text(&content),
        labels: &labels,
        ..Doc::default()
    });
}

/// A memory stands in a session of its own: it has no neighbours, and lends no weight to anything.
fn add_memory(loaded: &mut Loaded, row: &MemoryIndexRow) {
    let index = &mut loaded.index;
    let state = MemoryState::parse(&row.state);
    if !matches!(state, Some(MemoryState::Active | MemoryState::Quarantined)) {
        index.remove(&row.memory_id);
        return;
    }
    if let Some(at) = row.expires_at {
        loaded.expiring.insert((at, row.memory_id.clone()));
    }
    let tags: Vec<String> = serde_json::from_str(&row.tags).unwrap_or_default();
    let closed = row.is_closed.then_some(CLOSED);
    let waiting = (state == Some(MemoryState::Quarantined)).then_some(WAITING);
    let labels: Vec<&str> = tags.iter().map(String::as_str).chain(closed).chain(waiting).collect();
    let subject: Vec<&str> = row.subject.as_deref().into_iter().collect();
    index.upsert(&Doc {
        key: &row.memory_id,
        session: &row.memory_id,
        agent: row.agent_id.as_deref().unwrap_or_default(),
        kind: MEMORY_KIND,
        occurred_at_us: row.valid_from,
        text: &row.text,
        extra: &subject,
        labels: &labels,
        ..Doc::default()
    });
}

fn attach(index: &mut Index, rows: &[VectorRow]) {
    for row in rows {
        let vector = Vector::from_bytes(row.scale as f32, &row.bytes);
        if let Err(error) = index.set_vector(&row.owner_id, &vector) {
            // A chunk that is excluded keeps its vector in the database but not here.
            tracing::debug!(chunk = row.owner_id, %error, "vector passed over");
        }
    }
}
