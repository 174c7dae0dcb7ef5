//! Writing events: requests that arrive together share one transaction, and are answered when it is durable.

use ::store::Reach;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use kernel::{Clock, Ctx, Error, Micros, Result, TenantId};
use store::idempotency::{Idempotency, find_answer, save_answer};
use store::{Blobs, Store, Tx};
use tokio::sync::{mpsc, oneshot};

use super::model::Recorded;
use super::prepare::Prepared;
use super::store::{self as sql, EventRow};
use crate::memories::unknown_ref;
use crate::rights::refuse_erased;
use crate::{derive, embed, refs, work};

/// Events that share a transaction, at most.
const FOLD_EVENTS: usize = 1_024;
/// Requests that may wait; past it callers wait for a place.
const QUEUE_LIMIT: usize = 1_024;
/// Tries when another server records the same events at the same time.
const RACE_TRIES: usize = 3;

/// The events of one request: all are recorded or none.
#[derive(Clone, Debug)]
pub struct AppendGroup {
    /// The caller.
    pub ctx: Ctx,
    /// Events in their order.
    pub events: Vec<Prepared>,
    /// The request's `Idempotency-Key`.
    pub idempotency: Option<Idempotency>,
}

impl AppendGroup {
    /// Whether the group needs no look into the database before it is written.
    fn is_plain(&self) -> bool {
        let must_lead = |reference: &String| refs::is_ours(reference) || reference.starts_with("client:");
        self.idempotency.is_none() && !self.events.iter().any(|e| e.event.refs.iter().any(must_lead))
    }
}

/// What is made of events in the background.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// The model whose vectors are wanted, if there is one.
    pub(crate) model: Option<String>,
    /// Whether memories are derived.
    pub(crate) memories: bool,
}

type Waiting = (AppendGroup, oneshot::Sender<Result<Vec<Recorded>>>);

/// The entrance to the log.
#[derive(Clone)]
pub(crate) struct Appender {
    queue: mpsc::Sender<Waiting>,
    writer: Arc<Writer>,
}

struct Writer {
    store: Store,
    blobs: Blobs,
    clock: Clock,
    wanted: Wanted,
    wake_jobs: Arc<tokio::sync::Notify>,
}

impl Appender {
    pub(crate) fn start(
        store: Store,
        blobs: Blobs,
        clock: Clock,
        wanted: Wanted,
        wake_jobs: Arc<tokio::sync::Notify>,
    ) -> Self {
        let writer = Arc::new(Writer { store, blobs, clock, wanted, wake_jobs });
        let (queue, waiting) = mpsc::channel(QUEUE_LIMIT);
        tokio::spawn(serve(writer.clone(), waiting));
        Self { queue, writer }
    }

    /// Records a group and answers after it is durable.
    pub(crate) async fn append(&self, mut group: AppendGroup) -> Result<Vec<Recorded>> {
        for event in &mut group.events {
            if let Some(artifact) = &mut event.artifact {
                artifact.blob_key = self.writer.blobs.put(&group.ctx.tenant, artifact.bytes.clone()).await?;
            }
        }
        if !group.is_plain() {
            return self.writer.write_checked(Arc::new(group)).await;
        }
        let (answer, wait) = oneshot::channel();
        let gone = || Error::unavailable("shutting_down", "the server is shutting down; nothing was stored");
        self.queue.send((group, answer)).await.map_err(|_| gone())?;
        wait.await.map_err(|_| gone())?
    }
}

async fn serve(writer: Arc<Writer>, mut queue: mpsc::Receiver<Waiting>) {
    while let Some(first) = queue.recv().await {
        let mut events = first.0.events.len();
        let mut fold = vec![first];
        while events < FOLD_EVENTS
            && let Ok(next) = queue.try_recv()
        {
            events += next.0.events.len();
            fold.push(next);
        }
        writer.clone().write_fold(fold).await;
    }
}

/// The tenant of all groups, or everyone when they fold together from several.
fn reach_of(groups: &[AppendGroup]) -> Reach {
    let first = &groups[0].ctx.tenant;
    if groups.iter().all(|group| group.ctx.tenant == *first) { Reach::of(first) } else { Reach::Everyone }
}

impl Writer {
    /// Writes groups in one transaction. When any of them meets an earlier event, each is written alone.
    async fn write_fold(self: Arc<Self>, fold: Vec<Waiting>) {
        let (groups, answers): (Vec<_>, Vec<_>) = fold.into_iter().unzip();
        let groups = Arc::new(groups);
        let (for_tx, now, wanted) = (groups.clone(), self.clock.now(), self.wanted.clone());
        let written = self
            .store
            .write("memory.append", reach_of(&groups), move |tx| {
                Box::pin(async move {
                    let rows = for_tx.iter().flat_map(|g| g.events.iter().map(|e| (&g.ctx, e))).collect();
                    write_rows(tx, rows, &wanted, now).await
                })
            })
            .await;
        metrics::histogram!("hearth_append_fold_events")
            .record(groups.iter().map(|g| g.events.len()).sum::<usize>() as f64);
        match written {
            Ok(()) => {
                self.wake_jobs.notify_one();
                for (group, answer) in groups.iter().zip(answers) {
                    let _ = answer.send(Ok(group.events.iter().map(recorded).collect()));
                }
            }
            Err(error) if error.code == RACED || groups.len() > 1 => {
                for (at, answer) in answers.into_iter().enumerate() {
                    let (writer, group) = (self.clone(), Arc::new(groups[at].clone()));
                    tokio::spawn(async move {
                        let _ = answer.send(writer.write_checked(group).await);
                    });
                }
            }
            Err(error) => answers.into_iter().for_each({
                let mut error = Some(error);
                move |answer| {
                    let _ = answer
                        .send(Err(error.take().unwrap_or_else(|| Error::internal("one group, one answer"))));
                }
            }),
        }
    }

    /// Writes one group after looking for its key, its earlier events and what it refers to.
    async fn write_checked(&self, group: Arc<AppendGroup>) -> Result<Vec<Recorded>> {
        for _ in 1..RACE_TRIES {
            match self.write_checked_once(group.clone()).await {
                Err(error) if [RACED, IN_PROGRESS].contains(&error.code) => {}
                result => return result,
            }
        }
        self.write_checked_once(group).await
    }

    async fn write_checked_once(&self, group: Arc<AppendGroup>) -> Result<Vec<Recorded>> {
        let (now, wanted) = (self.clock.now(), self.wanted.clone());
        let written = self
            .store
            .write("memory.append_checked", Reach::of(&group.ctx.tenant), move |tx| {
                Box::pin(async move { write_group(tx, &group, &wanted, now).await })
            })
            .await;
        self.wake_jobs.notify_one();
        written
    }
}

/// Code of the error that rolls a transaction back because an event is there already.
const RACED: &str = "append_raced";
/// Code of [`save_answer`]'s error: the other request has committed, so its answer is found the next time.
const IN_PROGRESS: &str = "idempotency_in_progress";

/// Writes new events and everything they touch.
///
/// # Errors
/// [`RACED`] when an event with the same `client_event_id` exists; `erasure_in_progress`.
async fn write_rows(tx: &mut Tx, events: Vec<(&Ctx, &Prepared)>, wanted: &Wanted, now: Micros) -> Result<()> {
    let (mut sessions, mut scopes) = (BTreeMap::new(), BTreeMap::new());
    for (ctx, event) in &events {
        let at = event.occurred_at;
        let session = sessions.entry(session_key(ctx, event)).or_insert((0_i64, at, at));
        *session = (session.0 + 1, session.1.min(at), session.2.max(at));
        if let Some(partition) = &event.partition {
            let scope = scopes.entry((ctx.tenant.to_string(), partition.clone())).or_insert((0_i64, 0_i64));
            *scope = (scope.0 + 1, scope.1 + event.text_bytes as i64);
        }
    }
    let last_seqs = sql::bump_sessions(tx, &sessions).await?;
    let versions = sql::bump_scopes(tx, &scopes, now).await?;
    let owners: Vec<_> = events
        .iter()
        .map(|(ctx, e)| (ctx.tenant.as_str(), e.owner.as_str(), e.event.session_id.as_str()))
        .collect();
    refuse_erased(tx, &owners).await?;
    let mut next_seqs: HashMap<_, i64> =
        last_seqs.iter().map(|(key, last)| (key, last - sessions[key].0 + 1)).collect();
    let mut rows = Vec::with_capacity(events.len());
    for (ctx, prepared) in &events {
        let key = session_key(ctx, prepared);
        let next = next_seqs.get_mut(&key).expect("every session was counted");
        let scope =
            prepared.partition.as_ref().and_then(|p| versions.get(&(ctx.tenant.to_string(), p.clone())));
        rows.push(EventRow { tenant: &ctx.tenant, prepared, seq: *next, scope, recorded_at: now });
        *next += 1;
    }
    if sql::add_events(tx, &rows).await? != rows.len() as u64 {
        return Err(Error::conflict(RACED, "an event with this client_event_id exists"));
    }
    sql::add_chunks(tx, &rows).await?;
    sql::add_artifacts(tx, &rows).await?;
    for (ctx, event) in events.iter().filter(|(_, event)| work::concerns(event.event.kind)) {
        work::apply(tx, &ctx.tenant, event, now).await?;
    }
    let mut jobs = Vec::with_capacity(2 * versions.len());
    for ((tenant, _), (scope_id, _)) in &versions {
        let tenant = TenantId::parse(tenant).map_err(Error::internal)?;
        jobs.extend(wanted.model.as_deref().map(|model| (tenant.clone(), embed::job(scope_id, model, now))));
        jobs.extend(wanted.memories.then(|| (tenant, derive::job(scope_id, now))));
    }
    store::jobs::enqueue_all(tx, now, jobs).await?;
    Ok(())
}

fn session_key(ctx: &Ctx, event: &Prepared) -> (String, String, String) {
    (ctx.tenant.to_string(), event.owner.clone(), event.event.session_id.clone())
}

/// Writes one group, answering earlier events with their first result.
async fn write_group(
    tx: &mut Tx,
    group: &AppendGroup,
    wanted: &Wanted,
    now: Micros,
) -> Result<Vec<Recorded>> {
    if let Some(wanted) = &group.idempotency
        && let Some(answer) = find_answer(tx, &group.ctx, wanted, now).await?
    {
        let mut first: Vec<Recorded> = serde_json::from_str(&answer).map_err(Error::internal)?;
        for result in &mut first {
            result.duplicate = true;
        }
        return Ok(first);
    }
    let mut results = Vec::with_capacity(group.events.len());
    let mut seen = Seen::new();
    let mut new = Vec::new();
    for (index, event) in group.events.iter().enumerate() {
        check_refs(tx, group, event).await.map_err(|error| error.at_index(index))?;
        let earlier =
            find_earlier(tx, &group.ctx, event, &seen).await.map_err(|error| error.at_index(index))?;
        if earlier.is_none() {
            new.push((&group.ctx, event));
        }
        let result = earlier.unwrap_or_else(|| recorded(event));
        if let Some(key) = client_key(event) {
            seen.entry(key).or_insert_with(|| (event.content_hash.clone(), result.clone()));
        }
        results.push(result);
    }
    if !new.is_empty() {
        write_rows(tx, new, wanted, now).await?;
    }
    if let Some(wanted) = &group.idempotency {
        let answer = serde_json::to_string(&results).map_err(Error::internal)?;
        save_answer(tx, &group.ctx, wanted, &answer, now).await?;
    }
    Ok(results)
}

/// What a group has met so far under the caller's own ids: hash of the body and first result.
type Seen<'a> = HashMap<(&'a str, &'a str, &'a str), (String, Recorded)>;

/// Owner, conversation and the caller's own id, which together are unique in a tenant.
fn client_key(event: &Prepared) -> Option<(&str, &str, &str)> {
    let id = event.event.client_event_id.as_deref()?;
    Some((&event.owner, &event.event.session_id, id))
}

/// The first result of an event recorded before, in the database or earlier in the same group.
async fn find_earlier(tx: &mut Tx, ctx: &Ctx, event: &Prepared, seen: &Seen<'_>) -> Result<Option<Recorded>> {
    let Some((owner, session, id)) = client_key(event) else {
        return Ok(None);
    };
    let (hash, mut first) = if let Some(earlier) = seen.get(&(owner, session, id)) {
        earlier.clone()
    } else {
        let Some(row) = sql::find_by_client_id(tx, &ctx.tenant, owner, session, id).await? else {
            return Ok(None);
        };
        let chunk_ids = sql::list_chunk_ids(tx, &ctx.tenant, &row.event_id).await?;
        let artifact_id = row.artifact_id;
        (
            row.content_hash,
            Recorded { event_id: row.event_id, chunk_ids, artifact_id, duplicate: true, redactions: vec![] },
        )
    };
    if hash != event.content_hash {
        let mut error = Error::conflict(
            "idempotency_conflict",
            format!("client_event_id {id} was recorded with another body"),
        );
        error.fields.push(kernel::FieldError {
            field: "client_event_id".to_owned(),
            message: "was recorded with another body".to_owned(),
            index: None,
        });
        return Err(error);
    }
    first.duplicate = true;
    Ok(Some(first))
}

/// Refuses references that lead nowhere; `client:` leads to another event of the group.
async fn check_refs(tx: &mut Tx, group: &AppendGroup, event: &Prepared) -> Result<()> {
    for (at, reference) in event.event.refs.iter().enumerate() {
        let Some(id) = reference.strip_prefix("client:") else { continue };
        if !group.events.iter().any(|other| other.event.client_event_id.as_deref() == Some(id)) {
            return Err(unknown_ref(&format!("refs[{at}]")));
        }
    }
    refs::check(tx, &group.ctx.tenant, &event.owner, &event.event.refs).await
}

fn recorded(event: &Prepared) -> Recorded {
    Recorded {
        event_id: event.event_id.clone(),
        chunk_ids: event.chunks.iter().map(|chunk| chunk.chunk_id.clone()).collect(),
        artifact_id: event.artifact.as_ref().map(|artifact| artifact.artifact_id.clone()),
        duplicate: false,
        redactions: event.redactions.clone(),
    }
}
