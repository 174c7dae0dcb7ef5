//! The memory service: the one thing that routes, commands and other domains hold.

use std::sync::Arc;
use store::Reach;

use kernel::{Clock, Ctx, Error, Result, Scope, Secret};
use llm::{ChatModel, Embedder};
use recall::Params;
use store::idempotency::Idempotency;
use store::jobs::Handler;
use store::{Blobs, Store};
use tokio::sync::Notify;

use crate::derive::extract;
use crate::doors::Ended;
use crate::events::{AppendGroup, Appender, NewEvent, Recorded, RecordedBatch, Wanted, prepare};
use crate::redact::Redactor;
use crate::search::{ScopeCache, SearchAnswer, SearchRequest, Searcher};
use crate::{derive, embed, rebuild};

/// Events of one batch.
pub(crate) const MAX_BATCH: usize = 1_000;

/// Settings of memory.
#[derive(Clone, Debug)]
pub struct MemoryConfig {
    /// Bytes of indexes kept in RAM.
    pub index_bytes: u64,
    /// The recipe of recall.
    pub params: Params,
    /// Whether memories are derived from events.
    pub derives: bool,
    /// A model that reads what the rules cannot.
    pub chat: Option<Arc<ChatModel>>,
    /// Tokens that the model may be given by a tenant's conversations in a day.
    pub chat_tokens_per_day: u64,
    /// Makes the placeholders of secrets that were taken out; servers of one database share it.
    pub placeholder_key: Secret,
}

impl Default for MemoryConfig {
    fn default() -> Self {
        Self {
            index_bytes: 512 * 1024 * 1024,
            params: Params::default(),
            derives: true,
            chat: None,
            chat_tokens_per_day: 200_000,
            placeholder_key: Secret::new(""),
        }
    }
}

/// The service. Clones share everything.
#[derive(Clone)]
pub struct Memory(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) blobs: Blobs,
    pub(crate) clock: Clock,
    pub(crate) embedder: Arc<Embedder>,
    appender: Appender,
    pub(crate) wake_jobs: Arc<Notify>,
    cache: Arc<ScopeCache>,
    pub(crate) searcher: Searcher,
    pub(crate) redactor: Redactor,
    pub(crate) derives: bool,
    pub(crate) ended_mcp: Ended,
    pub(crate) reader: Option<extract::Reader>,
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
        let wanted = Wanted { model: model.clone(), memories: config.derives };
        let appender =
            Appender::start(store.clone(), blobs.clone(), clock.clone(), wanted, wake_jobs.clone());
        let cache = Arc::new(ScopeCache::new(store.clone(), model, config.index_bytes));
        let searcher =
            Searcher::new(store.clone(), clock.clone(), cache.clone(), embedder.clone(), config.params);
        let chat = config.chat.filter(|_| config.derives && config.chat_tokens_per_day > 0);
        let reader = chat.map(|chat| extract::Reader::new(chat, config.chat_tokens_per_day));
        let redactor = Redactor::new(&config.placeholder_key);
        Self(Arc::new(Inner {
            store,
            blobs,
            clock,
            embedder,
            appender,
            wake_jobs,
            cache,
            searcher,
            redactor,
            derives: config.derives,
            ended_mcp: Ended::default(),
            reader,
        }))
    }

    /// Handlers of the jobs that memory enqueues.
    pub fn jobs(&self) -> Vec<(&'static str, Handler)> {
        vec![
            (embed::JOB_KIND, embed::handler(self.0.store.clone(), self.0.embedder.clone())),
            (derive::JOB_KIND, derive::handler(self.clone())),
            (extract::JOB_KIND, extract::handler(self.clone())),
            (rebuild::JOB_KIND, rebuild::handler(self.clone())),
        ]
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

    /// Asks for the memories of what was recorded before there were the present rules.
    ///
    /// # Errors
    /// The store's.
    pub async fn enqueue_underived(&self) -> Result<()> {
        if !self.0.derives {
            return Ok(());
        }
        derive::enqueue_all(self).await
    }

    /// How many vectors there are, of all tenants; for progress.
    ///
    /// # Errors
    /// The store's.
    pub async fn count_vectors(&self) -> Result<i64> {
        Ok(embed::count_vectors(&mut self.0.store.read(Reach::Everyone).await?).await?)
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
        let prepared = prepare(ctx, event, &self.0.redactor, self.0.clock.now())?;
        let group = AppendGroup { ctx: ctx.clone(), events: vec![prepared], idempotency };
        let mut results = self.append(group).await?;
        results.pop().ok_or_else(|| Error::internal("one event, one result"))
    }

    /// Records up to 1,000 events, all or none.
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
        let prepared = events.into_iter().enumerate().map(|(index, event)| {
            prepare(ctx, event, &self.0.redactor, now).map_err(|error| in_batch(error, index))
        });
        let group = AppendGroup { ctx: ctx.clone(), events: prepared.collect::<Result<_>>()?, idempotency };
        let results = self.append(group).await?;
        let duplicates = results.iter().filter(|result| result.duplicate).count();
        Ok(RecordedBatch { accepted: results.len() - duplicates, duplicates, results })
    }

    async fn append(&self, group: AppendGroup) -> Result<Vec<Recorded>> {
        let results = self.0.appender.append(group).await?;
        let new = results.iter().filter(|result| !result.duplicate).count();
        metrics::counter!("memory_storage_total", "type" => "event").increment(new as u64);
        Ok(results)
    }

    /// Answers a question.
    ///
    /// # Errors
    /// `validation_failed`, or the store's. A model that is away is no error: the answer says so in `degraded`.
    pub async fn search(&self, ctx: &Ctx, request: SearchRequest) -> Result<SearchAnswer> {
        ctx.require(Scope::MemoryRead)?;
        request.check(ctx)?;
        let owner = ctx.owner(request.user_id.as_deref())?;
        self.0.searcher.search(ctx, owner, request).await
    }
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
