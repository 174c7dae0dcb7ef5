//! Making again what is derived from events: chunks, decisions and tasks. Their ids come from their events, so that what is
//! made again is what was there.

pub(crate) mod store;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::store::jobs::{Handler, Job};
use ::store::{NewJob, Reach, Tx};
use kernel::{Error, ErrorKind, Micros, Result, TenantId};
use serde_json::{Map, Value};

use crate::events::store::{self as events_sql, EventRow};
use crate::events::{
    Actor, ActorType, Channel, EventKind, NewEvent, Prepared, PreparedChunk, Sensitivity, chunks_of,
};
use crate::search::policy::partition_of;
use crate::search::store::find_artifact;
use crate::text::{indexed_text, long_field, sanitise_text};
use crate::timeline::store::StoredEvent;
use crate::{Memory, derive, embed, work};

/// Kind of the job.
pub(crate) const JOB_KIND: &str = "memory.rebuild";
/// Events of one transaction.
const PAGE: i64 = 250;
/// A caller who waits is answered with what was made again in this time.
const WAIT: Duration = Duration::from_secs(1);

/// The job's handler.
pub(crate) fn handler(memory: Memory) -> Handler {
    Arc::new(move |job: Job| {
        let memory = memory.clone();
        Box::pin(async move {
            let tenant = TenantId::parse(&job.tenant_id).map_err(Error::internal)?;
            memory.replay_work(&tenant, &job.payload).await?;
            memory.add_chunks_again(&tenant, &job.payload, Micros(i64::MIN), None).await
        })
    })
}

impl Memory {
    /// Makes again what an answer needs now, the chunks of the last day among it, and leaves the rest to a job.
    pub(crate) async fn rebuild(&self, tenant: &TenantId, owner: &str) -> Result<()> {
        let (until, now) = (Instant::now() + WAIT, self.0.clock.now());
        let (for_job, name) = (tenant.clone(), owner.to_owned());
        let enqueued = self.0.store.write("memory.rebuild_later", Reach::of(tenant), move |tx| {
            Box::pin(async move {
                let job = NewJob {
                    kind: JOB_KIND,
                    key: name.clone(),
                    payload: name,
                    run_at: now.plus(Micros::SECOND),
                };
                ::store::jobs::enqueue(tx, &for_job, now, job).await?;
                Ok(())
            })
        });
        enqueued.await?;
        let known = store::count_work(&mut self.0.store.read(tenant).await?, tenant, owner).await?;
        if known == 0 {
            self.replay_work(tenant, owner).await?;
        }
        self.add_chunks_again(tenant, owner, now.plus(-Micros::DAY), Some(until)).await?;
        self.0.wake_jobs.notify_one();
        Ok(())
    }

    /// Decisions and tasks build on each other: all are made again, from the first event on.
    async fn replay_work(&self, tenant: &TenantId, owner: &str) -> Result<()> {
        let (tenant, owner) = (tenant.clone(), owner.to_owned());
        let replayed = self.0.store.write("memory.replay_work", Reach::of(&tenant.clone()), move |tx| {
            Box::pin(async move {
                store::lock_scopes(tx, &tenant, &owner).await?;
                let events = store::list_work(tx, &tenant, &owner).await?;
                store::remove_work(tx, &tenant, &owner).await?;
                for row in events {
                    let at = Micros(row.recorded_at);
                    let Some(event) = prepared(row, Vec::new()) else { continue };
                    match work::apply(tx, &tenant, &event, at).await {
                        // It was accepted once; two of one batch may come in another order.
                        Err(error) if matches!(error.kind, ErrorKind::Conflict | ErrorKind::Invalid) => {
                            tracing::warn!(%error, event_id = event.event_id, "an event was not replayed");
                        }
                        result => result?,
                    }
                }
                Ok(())
            })
        });
        replayed.await
    }

    /// Makes the chunks of events again that have none, the latest first.
    async fn add_chunks_again(
        &self,
        tenant: &TenantId,
        owner: &str,
        since: Micros,
        until: Option<Instant>,
    ) -> Result<()> {
        let mut before = (i64::MAX, String::new());
        while until.is_none_or(|until| Instant::now() < until) {
            let mut conn = self.0.store.read(tenant).await?;
            let rows = store::list_chunkless(&mut conn, tenant, owner, since, &before, PAGE).await?;
            drop(conn);
            let Some(last) = rows.last() else { break };
            before = (last.occurred_at, last.event_id.clone());
            let mut events = Vec::with_capacity(rows.len());
            for row in rows {
                let (seq, at) = (row.seq, Micros(row.recorded_at));
                let chunks = self.stored_chunks(tenant, &row).await?;
                events.extend(prepared(row, chunks).map(|event| (event, seq, at)));
            }
            let (memory, tenant) = (self.clone(), tenant.clone());
            let written =
                self.0.store.write("memory.rebuild_chunks", Reach::of(&tenant.clone()), move |tx| {
                    Box::pin(async move { memory.write_chunks(tx, &tenant, &events).await })
                });
            written.await?;
        }
        Ok(())
    }

    /// The chunks of a stored event, of its whole text where it keeps an excerpt.
    async fn stored_chunks(&self, tenant: &TenantId, row: &StoredEvent) -> Result<Vec<PreparedChunk>> {
        let Some(kind) = EventKind::parse(&row.kind) else { return Ok(Vec::new()) };
        let mut content: Map<String, Value> = serde_json::from_str(&row.content).unwrap_or_default();
        let is_excerpt = content.get("truncated") == Some(&true.into());
        if let (true, Some(name), Some(artifact)) = (is_excerpt, long_field(kind), &row.artifact_id) {
            let mut conn = self.0.store.read(tenant).await?;
            let found = find_artifact(&mut conn, tenant, artifact).await?;
            drop(conn);
            let bytes = match found {
                Some(found) => self.0.blobs.get(&found.blob_key).await?,
                None => None,
            };
            if let Some(mut text) = bytes.and_then(|bytes| String::from_utf8(bytes.to_vec()).ok()) {
                sanitise_text(&mut text);
                content.insert(name.to_owned(), text.into());
            }
        }
        Ok(chunks_of(&row.event_id, &indexed_text(kind, &content), is_excerpt))
    }

    async fn write_chunks(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        events: &[(Prepared, i64, Micros)],
    ) -> Result<()> {
        // They were counted when they were recorded.
        let partitions = events.iter().filter_map(|(event, ..)| event.partition.clone());
        let touched: BTreeMap<_, _> =
            partitions.map(|partition| ((tenant.to_string(), partition), (0, 0))).collect();
        let now = self.0.clock.now();
        let versions = events_sql::bump_scopes(tx, &touched, now).await?;
        let scope = |event: &Prepared| versions.get(&(tenant.to_string(), event.partition.clone()?));
        let rows: Vec<EventRow<'_>> = events
            .iter()
            .map(|(event, seq, at)| EventRow {
                tenant,
                prepared: event,
                seq: *seq,
                scope: scope(event),
                recorded_at: *at,
            })
            .collect();
        events_sql::add_chunks(tx, &rows).await?;
        for (scope_id, _) in versions.values() {
            let embeds = self.0.embedder.model_id().map(|model| embed::job(scope_id, model, now));
            let derives = self.0.derives.then(|| derive::job(scope_id, now));
            let jobs = embeds.into_iter().chain(derives).map(|job| (tenant.clone(), job)).collect();
            ::store::jobs::enqueue_all(tx, now, jobs).await?;
        }
        Ok(())
    }
}

/// A stored event as it was before it was stored; `None` for words of a newer version.
fn prepared(row: StoredEvent, chunks: Vec<PreparedChunk>) -> Option<Prepared> {
    let kind = EventKind::parse(&row.kind)?;
    let (channel, sensitivity) = (Channel::parse(&row.channel)?, Sensitivity::parse(&row.sensitivity)?);
    let event = NewEvent {
        session_id: row.session_id,
        channel,
        actor: Actor { kind: ActorType::parse(&row.actor_type)?, id: row.actor_id, name: row.actor_name },
        kind,
        content: serde_json::from_str(&row.content).ok()?,
        sensitivity: Some(sensitivity),
        tags: serde_json::from_str(&row.tags).ok()?,
        refs: serde_json::from_str(&row.refs).ok()?,
        user_id: Some(row.user_id.clone()),
        agent_id: row.agent_id,
        client_event_id: row.client_event_id,
        occurred_at: Some(Micros(row.occurred_at)),
        expires_at: None,
        recalled: false,
        tenant_id: None,
    };
    Some(Prepared {
        partition: partition_of(channel, sensitivity, &row.user_id),
        event,
        event_id: row.event_id,
        owner: row.user_id,
        occurred_at: Micros(row.occurred_at),
        content: row.content,
        content_hash: String::new(),
        text_bytes: 0,
        token_est: row.token_est as usize,
        chunks,
        artifact: None,
        redactions: Vec::new(),
    })
}
