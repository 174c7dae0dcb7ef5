//! What a model reads in a conversation: asked for in a form, and believed only as far as it can be checked.

mod answer;
mod prompt;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use ::store::jobs::{Handler, Job};
use ::store::{NewJob, Reach};
use kernel::{Error, Micros, Result, TenantId};
use llm::ChatModel;

use super::repeats::Known;
use super::store::{self as sql, Progress, Unread};
use super::{Item, is_person, near};
use crate::Memory;
use crate::text::estimate_tokens;

/// Kind of the job.
pub(crate) const JOB_KIND: &str = "memory.extract";
/// Turns shown to the model at a time.
const WINDOW: i64 = 12;
/// After a failure the model is left alone this long; jobs that come meanwhile fail at once and come again.
const PAUSE: i64 = 30 * Micros::SECOND;
/// From this try on a window that the model answers with nonsense is passed over.
const PATIENCE: i64 = 3;

/// A chat model that reads conversations.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) model: Arc<ChatModel>,
    /// Tokens that it may be given by a tenant's conversations in a day.
    pub(crate) tokens_per_day: u64,
    again_at: AtomicI64,
}

impl Reader {
    pub(crate) fn new(model: Arc<ChatModel>, tokens_per_day: u64) -> Self {
        Self { model, tokens_per_day, again_at: AtomicI64::new(i64::MIN) }
    }

    /// Names the reader in its progress and its memories.
    pub(super) fn name(&self) -> String {
        format!("model:{}", self.model.id())
    }
}

/// The job that has the model read what a scope has new.
pub(super) fn job(scope_id: &str, run_at: Micros) -> NewJob {
    NewJob { kind: JOB_KIND, key: scope_id.to_owned(), payload: scope_id.to_owned(), run_at }
}

/// The job's handler.
pub(crate) fn handler(memory: Memory) -> Handler {
    Arc::new(move |job: Job| {
        let memory = memory.clone();
        Box::pin(async move {
            let tenant = TenantId::parse(&job.tenant_id).map_err(Error::internal)?;
            match &memory.0.reader {
                Some(reader) => Run { memory: &memory, reader, tenant: &tenant, job: &job }.run().await,
                None => Ok(()),
            }
        })
    })
}

/// One run of the job.
struct Run<'a> {
    memory: &'a Memory,
    reader: &'a Reader,
    tenant: &'a TenantId,
    job: &'a Job,
}

impl Run<'_> {
    /// Reads window by window until there is nothing new, or the day's tokens are spent.
    async fn run(&self) -> Result<()> {
        let (store, scope_id, name) = (&self.memory.0.store, &self.job.payload, self.reader.name());
        loop {
            let mut conn = store.read(self.tenant).await?;
            let from = sql::find_progress(&mut conn, scope_id, &name).await?;
            let chunks = sql::list_unread(&mut conn, self.tenant, scope_id, &from, WINDOW).await?;
            let Some(last) = chunks.last() else { return Ok(()) };
            let to = Progress { scope_version: last.scope_version, chunk_id: last.chunk_id.clone() };
            let mut known = Known::default();
            let mut windows: BTreeMap<(String, String), Vec<(Unread, String)>> = BTreeMap::new();
            for chunk in chunks {
                let Some(words) = chunk.words().filter(|words| !words.trim().is_empty()) else { continue };
                let words = crate::text::without_fences(&words);
                if !is_person(&chunk) && known.repeats(&mut conn, self.tenant, &chunk, &words).await? {
                    continue;
                }
                let key = (chunk.user_id.clone(), chunk.session_id.clone());
                windows.entry(key).or_default().push((chunk, words));
            }
            drop(conn);
            let mut items = Vec::new();
            for window in windows.into_values() {
                match self.ask(&window).await? {
                    Some(found) => items.extend(found),
                    None => return Ok(()),
                }
            }
            near::find_twins(self.memory, self.tenant, scope_id, &mut items).await?;
            self.write(&name, from, to, items).await?;
        }
    }

    /// What the model finds in a window; `None` when the day's tokens are spent, and the job waits for the next day.
    async fn ask(&self, window: &[(Unread, String)]) -> Result<Option<Vec<Item>>> {
        let now = self.memory.0.clock.now();
        let away = || Error::unavailable("model_unavailable", "the model did not answer");
        if now.0 < self.reader.again_at.load(Ordering::Relaxed) {
            return Err(away());
        }
        let messages = prompt::messages(window);
        let read: usize = messages.iter().map(|message| estimate_tokens(&message.content)).sum();
        let most = read as u64 + u64::from(self.reader.model.max_tokens());
        let day: String = now.to_string().chars().take(10).collect();
        let spent =
            sql::find_usage(&mut self.memory.0.store.read(self.tenant).await?, self.tenant, &day).await?;
        if spent > 0 && spent as u64 + most > self.reader.tokens_per_day {
            self.wait_for_tomorrow(now).await?;
            return Ok(None);
        }
        let answer = self.reader.model.complete(&messages, Some(&prompt::form())).await;
        let answer = answer.inspect_err(|_| {
            self.reader.again_at.store(now.plus(PAUSE).0, Ordering::Relaxed);
        });
        let answer = answer.map_err(|error| away().because(error))?;
        let written = read + estimate_tokens(&answer.text);
        self.note_usage(day, answer.tokens.unwrap_or(written as u64)).await?;
        match answer::items(&answer.text, window, &self.reader.name(), &self.memory.0.redactor) {
            Some(items) => Ok(Some(items)),
            None if self.job.tries < PATIENCE => {
                Err(Error::unavailable("model_garbage", "the model's answer has not the form asked for"))
            }
            None => {
                tracing::warn!(
                    scope_id = self.job.payload,
                    "the model cannot read a window; it is passed over"
                );
                metrics::counter!("memory_derivations_total", "outcome" => "unreadable").increment(1);
                Ok(Some(Vec::new()))
            }
        }
    }

    async fn wait_for_tomorrow(&self, now: Micros) -> Result<()> {
        let (tenant, next) = (self.tenant.clone(), now.0.div_euclid(Micros::DAY) + 1);
        let job = job(&self.job.payload, Micros(next * Micros::DAY));
        let waiting = self.memory.0.store.write("memory.extract_wait", Reach::of(self.tenant), move |tx| {
            Box::pin(async move {
                ::store::jobs::enqueue(tx, &tenant, now, job).await?;
                Ok(())
            })
        });
        tracing::info!(
            tenant = self.tenant.as_str(),
            "the day's tokens are spent; the model reads on tomorrow"
        );
        waiting.await
    }

    async fn note_usage(&self, day: String, tokens: u64) -> Result<()> {
        let tenant = self.tenant.clone();
        let tokens = i64::try_from(tokens).unwrap_or(i64::MAX / 2).min(1 << 40);
        let noted = self.memory.0.store.write("memory.model_usage", Reach::of(self.tenant), move |tx| {
            Box::pin(async move { Ok(sql::add_usage(tx, &tenant, &day, tokens).await?) })
        });
        noted.await.map(|_| ())
    }

    async fn write(&self, name: &str, from: Progress, to: Progress, items: Vec<Item>) -> Result<()> {
        super::write(self.memory, self.tenant, &self.job.payload, name, (from, to), items).await
    }
}
