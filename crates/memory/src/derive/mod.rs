//! Memories from events, in the background: one job per scope, which goes on where the last one stopped.
//!
//! Reads chunks, not events: what was withheld as a secret or came out of memory has none. What is read, what becomes of it and
//! how far the reader has come are one transaction, so that a job which is repeated makes nothing twice.

mod apply;
mod clauses;
#[cfg(test)]
mod corpus;
mod days;
pub(crate) mod extract;
mod grammar;
mod importance;
mod near;
mod reading;
mod repeats;
mod rules;
mod store;

use ::store::jobs::{Handler, Job};
use ::store::{NewJob, Reach};
use kernel::{Error, Micros, Result, TenantId};

use self::apply::Tally;
use self::near::Twin;
use self::reading::{Reading, Speaker, Wish, read};
use self::repeats::Known;
use self::store::{Progress, Unread};
use crate::Memory;

/// Kind of the job.
pub const JOB_KIND: &str = "memory.derive";
/// Chunks read and written at a time.
const BATCH: i64 = 64;
/// Batches of one job.
const BATCHES: usize = 50;
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
pub(crate) async fn enqueue_all(memory: &Memory) -> Result<()> {
    let (store, now) = (&memory.0.store, memory.0.clock.now());
    let mut conn = store.read(Reach::Everyone).await?;
    let unread = store::list_lagging_scopes(&mut conn, &reader()).await?;
    let unread_by_model = match &memory.0.reader {
        Some(model) => store::list_lagging_scopes(&mut conn, &model.name()).await?,
        None => Vec::new(),
    };
    drop(conn);
    store
        .write("memory.derive_all", Reach::Everyone, move |tx| {
            Box::pin(async move {
                let mut jobs = Vec::with_capacity(unread.len() + unread_by_model.len());
                for (tenant, scope_id) in unread {
                    jobs.push((TenantId::parse(&tenant).map_err(Error::internal)?, job(&scope_id, now)));
                }
                for (tenant, scope_id) in unread_by_model {
                    let tenant = TenantId::parse(&tenant).map_err(Error::internal)?;
                    jobs.push((tenant, extract::job(&scope_id, now)));
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

/// What was read in a chunk, by whom, and which memory says the same in other words.
struct Item {
    chunk: Unread,
    /// Further chunks that say it.
    also: Vec<Unread>,
    /// `rule:<name>@<version>` or `model:<name>`.
    by: String,
    wish: Wish,
    /// Where it stands in the chunk, bytes.
    span: (usize, usize),
    twin: Option<Twin>,
}

impl Item {
    fn new(chunk: &Unread, reading: Reading) -> Self {
        let by = format!("rule:{}@{}", reading.rule, reading.version);
        let (wish, span) = (reading.wish, (reading.start, reading.end));
        Self { chunk: chunk.clone(), also: Vec::new(), by, wish, span, twin: None }
    }
}

/// Reads what a scope has new, batch by batch. After a while other tenants have their turn.
async fn derive_scope(memory: &Memory, tenant: &TenantId, scope_id: &str) -> Result<()> {
    let reader = reader();
    for _ in 0..BATCHES {
        let mut conn = memory.0.store.read(tenant).await?;
        let from = store::find_progress(&mut conn, scope_id, &reader).await?;
        let chunks = store::list_unread(&mut conn, tenant, scope_id, &from, BATCH).await?;
        let Some(last) = chunks.last() else { return Ok(()) };
        let to = Progress { scope_version: last.scope_version, chunk_id: last.chunk_id.clone() };
        let mut known = Known::default();
        let mut items = Vec::new();
        for chunk in chunks {
            // What a tool returns is anybody's text.
            let Some(words) = chunk.words().filter(|_| chunk.actor_type != "tool") else { continue };
            for reading in read(&words, speaker(&chunk)) {
                let said = &words[reading.start..reading.end];
                if is_person(&chunk) || !known.repeats(&mut conn, tenant, &chunk, said).await? {
                    items.push(Item::new(&chunk, reading));
                }
            }
        }
        drop(conn);
        near::find_twins(memory, tenant, scope_id, &mut items).await?;
        write(memory, tenant, scope_id, &reader, (from, to), items).await?;
    }
    let (next, now) = ((tenant.clone(), job(scope_id, memory.0.clock.now())), memory.0.clock.now());
    let again = memory.0.store.write("memory.derive_again", Reach::of(tenant), move |tx| {
        Box::pin(async move {
            ::store::jobs::enqueue_all(tx, now, vec![next]).await?;
            Ok(())
        })
    });
    again.await
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
            if deriver.0.reader.as_ref().is_some_and(|model| model.name() != reader) {
                ::store::jobs::enqueue(tx, &tenant, now, extract::job(&scope_id, now)).await?;
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
