//! Memories from events, in the background: one job per scope, which goes on where the last one stopped.
//!
//! Reads chunks, not events: what was withheld as a secret or came out of memory has none. What is read, what becomes of it and
//! how far the reader has come are one transaction, so that a job which is repeated makes nothing twice.

mod apply;
mod clauses;
#[cfg(test)]
mod corpus;
mod days;
mod grammar;
mod importance;
mod near;
mod reading;
mod repeats;
mod rules;
mod store;

use ::store::jobs::{Handler, Job};
use ::store::{NewJob, Reach, Store};
use kernel::{Clock, Error, Micros, Result, TenantId};

use self::apply::Tally;
use self::near::Twin;
use self::reading::{Reading, Speaker, read};
use self::repeats::Known;
use self::store::{Progress, Unread};
use crate::Memory;

/// Kind of the job.
pub const JOB_KIND: &str = "memory.derive";
/// Chunks read and written at a time.
const BATCH: i64 = 64;
/// Nobody waits for what is derived: the events of a moment are read together.
const DELAY: i64 = Micros::SECOND;

/// Names the reader in its progress: other rules read everything once more.
fn reader() -> String {
    format!("rules@{}", rules::VERSION)
}

/// The job that reads what a scope has new.
pub(crate) fn job(scope_id: &str, now: Micros) -> NewJob {
    NewJob { kind: JOB_KIND, key: scope_id.to_owned(), payload: scope_id.to_owned(), run_at: now.plus(DELAY) }
}

/// Asks for what was recorded before there were these rules.
///
/// # Errors
/// The store's.
pub(crate) async fn enqueue_all(store: &Store, clock: &Clock) -> Result<()> {
    let scopes = store::list_lagging_scopes(&mut store.read(Reach::Everyone).await?, &reader()).await?;
    let now = clock.now();
    store
        .write("memory.derive_all", Reach::Everyone, move |tx| {
            Box::pin(async move {
                let mut jobs = Vec::with_capacity(scopes.len());
                for (tenant, scope_id) in scopes {
                    jobs.push((TenantId::parse(&tenant).map_err(Error::internal)?, job(&scope_id, now)));
                }
                ::store::jobs::enqueue_all(tx, now, jobs).await?;
                Ok(())
            })
        })
        .await
}

/// The job's handler.
pub(crate) fn handler(memory: Memory) -> Handler {
    std::sync::Arc::new(move |job: Job| {
        let memory = memory.clone();
        Box::pin(async move {
            let tenant = TenantId::parse(&job.tenant_id).map_err(Error::internal)?;
            derive_scope(&memory, &tenant, &job.payload).await
        })
    })
}

/// A chunk, what was read in it, and which memory says the same in other words.
struct Item {
    chunk: Unread,
    reading: Reading,
    twin: Option<Twin>,
}

/// Reads what a scope has new, batch by batch.
async fn derive_scope(memory: &Memory, tenant: &TenantId, scope_id: &str) -> Result<()> {
    let reader = reader();
    loop {
        let mut conn = memory.0.store.read(tenant).await?;
        let from = store::find_progress(&mut conn, scope_id, &reader).await?;
        let chunks = store::list_unread(&mut conn, tenant, scope_id, &from, BATCH).await?;
        let Some(last) = chunks.last() else { return Ok(()) };
        let to = Progress { scope_version: last.scope_version, chunk_id: last.chunk_id.clone() };
        let mut known = Known::default();
        let mut items = Vec::new();
        for chunk in chunks {
            let Some(words) = chunk.words() else { continue };
            for reading in read(&words, speaker(&chunk)) {
                let said = &words[reading.start..reading.end];
                if is_person(&chunk) || !known.repeats(&mut conn, tenant, &chunk, said).await? {
                    items.push(Item { chunk: chunk.clone(), reading, twin: None });
                }
            }
        }
        drop(conn);
        near::find_twins(memory, tenant, scope_id, &mut items).await?;
        write(memory, tenant, scope_id, &reader, (from, to), items).await?;
    }
}

/// Writes what was read, unless another server was faster.
async fn write(
    memory: &Memory,
    tenant: &TenantId,
    scope_id: &str,
    reader: &str,
    (from, to): (Progress, Progress),
    items: Vec<Item>,
) -> Result<()> {
    let (deriver, tenant, now) = (memory.clone(), tenant.clone(), memory.0.clock.now());
    let (scope_id, reader) = (scope_id.to_owned(), reader.to_owned());
    let tally = memory.0.store.write("memory.derive", Reach::of(&tenant.clone()), move |tx| {
        Box::pin(async move {
            if !store::advance(tx, &tenant, &scope_id, &reader, &from, &to).await? {
                return Ok(Tally::default());
            }
            let desk = deriver.desk(&tenant, now);
            apply::apply(tx, &desk, items).await
        })
    });
    tally.await?.count();
    Ok(())
}

fn is_person(chunk: &Unread) -> bool {
    chunk.actor_type == "human"
}

fn speaker(chunk: &Unread) -> Speaker<'_> {
    Speaker {
        id: &chunk.actor_id,
        name: chunk.speaker(),
        is_person: is_person(chunk),
        at: Micros(chunk.occurred_at),
    }
}
