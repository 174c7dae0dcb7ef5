//! The memory service: the one thing that routes, commands and other domains hold.

use std::sync::Arc;

use bytes::Bytes;
use kernel::{Clock, Ctx, Cursor, Error, Page, PageRequest, Result, Scope};
use llm::Embedder;
use recall::Params;
use serde::Serialize;
use store::idempotency::Idempotency;
use store::jobs::Handler;
use store::{Blobs, Store};
use tokio::sync::Notify;
use utoipa::ToSchema;

use crate::embed;
use crate::events::store::{self as sql, EventFilter, StoredEvent};
use crate::events::{
    AppendGroup, Appender, Channel, Event, NewEvent, Recorded, RecordedBatch, Sensitivity, SessionSummary,
    prepare,
};
use crate::search::policy::{Readable, partition_of};
use crate::search::{ScopeCache, SearchAnswer, SearchRequest, Searcher, store as search_sql};

/// Events of one batch.
pub(crate) const MAX_BATCH: usize = 1_000;

/// Settings of memory.
#[derive(Clone, Copy, Debug)]
pub struct MemoryConfig {
    /// Bytes of indexes kept in RAM.
    pub index_bytes: u64,
    /// The recipe of recall.
    pub params: Params,
}

impl Default for MemoryConfig {
    fn default() -> Self {
        Self {
            index_bytes: 512 * 1024 * 1024,
            params: Params::default(),
        }
    }
}

/// The service. Clones share everything.
#[derive(Clone)]
pub struct Memory(Arc<Inner>);

struct Inner {
    store: Store,
    blobs: Blobs,
    clock: Clock,
    embedder: Arc<Embedder>,
    appender: Appender,
    cache: Arc<ScopeCache>,
    searcher: Searcher,
}

/// A chunk as older clients read it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Chunk {
    /// `chk_…`.
    pub chunk_id: String,
    /// Tenant.
    pub tenant_id: String,
    /// Its event.
    pub event_id: String,
    /// When the event happened.
    #[schema(value_type = String, format = DateTime)]
    pub ts: kernel::Micros,
    /// Kind of the event.
    pub kind: String,
    /// Where it was said.
    pub channel: String,
    /// How carefully it is kept.
    pub sensitivity: String,
    /// Labels of the event.
    pub tags: Vec<String>,
    /// Estimated tokens.
    pub token_est: i64,
    /// 0–1.
    pub importance: f64,
    /// The words.
    pub text: String,
}

/// What an owner's memory holds.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MemoryStats {
    /// Owner.
    pub user_id: String,
    /// Events recorded.
    pub events: i64,
    /// Conversations.
    pub sessions: i64,
    /// Where vectors come from.
    pub embedding: EmbeddingStats,
}

/// Where vectors come from.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EmbeddingStats {
    /// Name of the model; absent without one.
    pub model: Option<String>,
    /// Components of a vector.
    pub dimension: Option<usize>,
    /// `ready`, or `none` when recall goes by words alone.
    pub state: &'static str,
}

impl Memory {
    /// Starts the service; `wake_jobs` is notified when there is something to embed.
    pub fn start(
        store: Store,
        blobs: Blobs,
        clock: Clock,
        embedder: Arc<Embedder>,
        config: MemoryConfig,
        wake_jobs: Arc<Notify>,
    ) -> Self {
        let model = embedder.model_id().map(str::to_owned);
        let appender = Appender::start(
            store.clone(),
            blobs.clone(),
            clock.clone(),
            model.clone(),
            wake_jobs,
        );
        let cache = Arc::new(ScopeCache::new(store.clone(), model, config.index_bytes));
        let searcher = Searcher::new(
            store.clone(),
            clock.clone(),
            cache.clone(),
            embedder.clone(),
            config.params,
        );
        Self(Arc::new(Inner {
            store,
            blobs,
            clock,
            embedder,
            appender,
            cache,
            searcher,
        }))
    }

    /// Handlers of the jobs that memory enqueues.
    pub fn jobs(&self) -> Vec<(&'static str, Handler)> {
        vec![(
            embed::JOB_KIND,
            embed::handler(self.0.store.clone(), self.0.embedder.clone()),
        )]
    }

    /// Asks for vectors that are missing, after a start or when the model changed.
    ///
    /// # Errors
    /// The store's.
    pub async fn enqueue_missing_vectors(&self) -> Result<()> {
        match self.0.embedder.model_id() {
            Some(model) => embed::enqueue_all(&self.0.store, &self.0.clock, model).await,
            None => Ok(()),
        }
    }

    /// How many vectors there are, of all tenants; for progress.
    ///
    /// # Errors
    /// The store's.
    pub async fn count_vectors(&self) -> Result<i64> {
        Ok(embed::count_vectors(&mut self.0.store.read().await?).await?)
    }

    /// Bytes of indexes in RAM, and how many there are.
    pub fn index_size(&self) -> (u64, usize) {
        self.0.cache.size()
    }

    /// Records one event; answers after it is durable. Safe to repeat with the same `client_event_id` or key.
    ///
    /// # Errors
    /// `validation_failed`, `tenant_mismatch`, `event_too_large`, `unknown_ref`, `idempotency_conflict`, or the store's.
    pub async fn record(
        &self,
        ctx: &Ctx,
        event: NewEvent,
        idempotency: Option<Idempotency>,
    ) -> Result<Recorded> {
        ctx.require(Scope::MemoryWrite)?;
        let prepared = prepare(ctx, event, self.0.clock.now())?;
        let group = AppendGroup {
            ctx: ctx.clone(),
            events: vec![prepared],
            idempotency,
        };
        let mut results = self.append(group).await?;
        results
            .pop()
            .ok_or_else(|| Error::internal("one event, one result"))
    }

    /// Records up to [`MAX_BATCH`] events, all or none.
    ///
    /// # Errors
    /// As [`Memory::record`], each field error with the index of its event.
    pub async fn record_batch(
        &self,
        ctx: &Ctx,
        events: Vec<NewEvent>,
        idempotency: Option<Idempotency>,
    ) -> Result<RecordedBatch> {
        ctx.require(Scope::MemoryWrite)?;
        if !(1..=MAX_BATCH).contains(&events.len()) {
            return Err(Error::field("events", format!("holds 1 to {MAX_BATCH} events")));
        }
        let now = self.0.clock.now();
        let prepared = events
            .into_iter()
            .enumerate()
            .map(|(index, event)| prepare(ctx, event, now).map_err(|error| in_batch(error, index)));
        let group = AppendGroup {
            ctx: ctx.clone(),
            events: prepared.collect::<Result<_>>()?,
            idempotency,
        };
        let results = self.append(group).await?;
        let duplicates = results.iter().filter(|result| result.duplicate).count();
        Ok(RecordedBatch {
            accepted: results.len() - duplicates,
            duplicates,
            results,
        })
    }

    async fn append(&self, group: AppendGroup) -> Result<Vec<Recorded>> {
        let results = self.0.appender.append(group).await?;
        let new = results.iter().filter(|result| !result.duplicate).count();
        metrics::counter!("memory_storage_total", "type" => "event").increment(new as u64);
        Ok(results)
    }

    /// One event that the caller may read.
    ///
    /// # Errors
    /// `not_found`, the same for absent, foreign and expired.
    pub async fn get_event(&self, ctx: &Ctx, event_id: &str) -> Result<Event> {
        ctx.require(Scope::MemoryRead)?;
        check_id("evt", event_id)?;
        Ok(self.readable_event(ctx, event_id).await?.into())
    }

    async fn readable_event(&self, ctx: &Ctx, event_id: &str) -> Result<StoredEvent> {
        let mut conn = self.0.store.read().await?;
        let found = sql::find_event(&mut conn, &ctx.tenant, event_id, self.0.clock.now()).await?;
        found
            .filter(|event| may_read(ctx, event))
            .ok_or_else(|| Error::not_found("event"))
    }

    /// Latest events of one conversation, latest first; `before` is the sequence number to go on from.
    ///
    /// # Errors
    /// `validation_failed`, or the store's.
    pub async fn list_session_events(
        &self,
        ctx: &Ctx,
        named_owner: Option<&str>,
        session: &str,
        limit: i64,
        before: Option<i64>,
    ) -> Result<Vec<Event>> {
        ctx.require(Scope::MemoryRead)?;
        let owner = ctx.owner(named_owner)?;
        let before = before.unwrap_or(i64::MAX);
        let mut conn = self.0.store.read().await?;
        let now = self.0.clock.now();
        let rows = sql::list_session_events(&mut conn, ctx, &owner, session, before, limit, now).await?;
        Ok(rows.into_iter().map(Event::from).collect())
    }

    /// An owner's events, latest first.
    ///
    /// # Errors
    /// `validation_failed` for a foreign cursor, or the store's.
    pub(crate) async fn timeline(
        &self,
        ctx: &Ctx,
        named_owner: Option<&str>,
        filter: &EventFilter,
        page: &PageRequest,
    ) -> Result<Page<Event>> {
        ctx.require(Scope::MemoryRead)?;
        let owner = ctx.owner(named_owner)?;
        let from = page.cursor.as_deref().map(Cursor::key).transpose()?;
        let mut conn = self.0.store.read().await?;
        let now = self.0.clock.now();
        let rows = sql::list_events(&mut conn, ctx, &owner, filter, page.limit + 1, from, now).await?;
        Ok(Page::cut(rows, page.limit, |row| (row.occurred_at, row.event_id.clone())).map(Event::from))
    }

    /// An owner's conversations, latest first.
    ///
    /// # Errors
    /// As [`Memory::list_session_events`].
    pub async fn list_sessions(
        &self,
        ctx: &Ctx,
        named_owner: Option<&str>,
        page: &PageRequest,
    ) -> Result<Page<SessionSummary>> {
        ctx.require(Scope::MemoryRead)?;
        let owner = ctx.owner(named_owner)?;
        let from = page.cursor.as_deref().map(Cursor::key).transpose()?;
        let mut conn = self.0.store.read().await?;
        let rows = sql::list_sessions(&mut conn, &ctx.tenant, &owner, page, from).await?;
        Ok(Page::cut(rows, page.limit, |row| {
            (row.last_at.0, row.session_id.clone())
        }))
    }

    /// One chunk that the caller may read.
    ///
    /// # Errors
    /// `not_found`, the same for absent and foreign.
    pub async fn get_chunk(&self, ctx: &Ctx, chunk_id: &str) -> Result<Chunk> {
        ctx.require(Scope::MemoryRead)?;
        check_id("chk", chunk_id)?;
        let absent = || Error::not_found("chunk");
        let mut conn = self.0.store.read().await?;
        let mut chunks = search_sql::list_chunks(&mut conn, &ctx.tenant, &[chunk_id]).await?;
        let chunk = chunks.pop().ok_or_else(absent)?;
        let found = sql::find_event(&mut conn, &ctx.tenant, &chunk.event_id, self.0.clock.now()).await?;
        let event = found.filter(|event| may_read(ctx, event)).ok_or_else(absent)?;
        let text = crate::search::chunk_text(&chunk, &event);
        let event = Event::from(event);
        Ok(Chunk {
            chunk_id: chunk.chunk_id,
            tenant_id: event.tenant_id,
            event_id: event.event_id,
            ts: event.ts,
            kind: event.kind,
            channel: event.channel,
            sensitivity: event.sensitivity,
            tags: event.tags,
            token_est: chunk.token_est,
            importance: chunk.importance,
            text,
        })
    }

    /// The bytes of an artifact that the caller may read.
    ///
    /// # Errors
    /// `not_found`, the same for absent and foreign; `blob_store_unavailable`.
    pub async fn get_artifact(&self, ctx: &Ctx, artifact_id: &str) -> Result<Bytes> {
        ctx.require(Scope::MemoryRead)?;
        check_id("art", artifact_id)?;
        let absent = || Error::not_found("artifact");
        let mut conn = self.0.store.read().await?;
        let row = search_sql::find_artifact(&mut conn, &ctx.tenant, artifact_id)
            .await?
            .ok_or_else(absent)?;
        let event = sql::find_event(&mut conn, &ctx.tenant, &row.event_id, self.0.clock.now()).await?;
        event.filter(|event| may_read(ctx, event)).ok_or_else(absent)?;
        drop(conn);
        self.0.blobs.get(&row.blob_key).await?.ok_or_else(absent)
    }

    /// Answers a question.
    ///
    /// # Errors
    /// `validation_failed`, or the store's. A model that is away is no error: the answer says so in `degraded`.
    pub async fn search(&self, ctx: &Ctx, request: SearchRequest) -> Result<SearchAnswer> {
        ctx.require(Scope::MemoryRead)?;
        request.check()?;
        let owner = ctx.owner(request.user_id.as_deref())?;
        self.0.searcher.search(ctx, owner, request).await
    }

    /// What an owner's memory holds.
    ///
    /// # Errors
    /// The store's.
    pub async fn stats(&self, ctx: &Ctx, named_owner: Option<&str>) -> Result<MemoryStats> {
        ctx.require(Scope::MemoryRead)?;
        let owner = ctx.owner(named_owner)?;
        let counts = sql::count_memory(&mut self.0.store.read().await?, &ctx.tenant, &owner).await?;
        let model = self.0.embedder.model_id().map(str::to_owned);
        let embedding = EmbeddingStats {
            state: if model.is_some() { "ready" } else { "none" },
            dimension: self.0.embedder.dim(),
            model,
        };
        Ok(MemoryStats {
            user_id: owner,
            events: counts.events,
            sessions: counts.sessions,
            embedding,
        })
    }
}

/// Own events, also secret ones; others' only where the tenant or the public may read.
fn may_read(ctx: &Ctx, event: &StoredEvent) -> bool {
    if ctx.owner(Some(&event.user_id)).is_ok() {
        return true;
    }
    let words = Channel::parse(&event.channel).zip(Sensitivity::parse(&event.sensitivity));
    let partition = words.and_then(|(home, tier)| partition_of(home, tier, &event.user_id));
    let owner = ctx.principal.user_id.clone().unwrap_or_default();
    let readable = Readable::new(ctx.tenant.clone(), owner, Channel::Private, None);
    partition.is_some_and(|partition| readable.allows(&partition))
}

/// A malformed id is a mistake of the caller's, not an absent thing: older memory clients expect 400.
fn check_id(prefix: &str, id: &str) -> Result<()> {
    if kernel::id::is_id(prefix, id) {
        return Ok(());
    }
    Err(Error::field(
        "id",
        format!("is {prefix}_ and 26 characters of 0-9 and a-z"),
    ))
}

/// Says in a batch which event was wrong.
fn in_batch(mut error: Error, index: usize) -> Error {
    error.public = format!("events[{index}]: {}", error.public);
    if error.fields.is_empty() {
        error.fields.push(kernel::FieldError {
            field: "event".to_owned(),
            message: error.public.clone(),
            index: None,
        });
    }
    error.at_index(index)
}
