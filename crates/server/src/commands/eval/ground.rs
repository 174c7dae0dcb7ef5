//! A store of its own with the service over it: what is to be found is recorded and embedded as in production.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use kernel::{Clock, Ctx, Micros, Principal, PrincipalKind, Scopes, TenantId};
use llm::Embedder;
use memory::events::{Actor, ActorType, Channel, EventKind, NewEvent};
use memory::search::{SearchMode, SearchRequest};
use memory::{Memory, MemoryConfig};
use recall::Params;
use serde_json::Map;
use store::jobs::Runner;
use store::{Blobs, Store, StoreConfig};
use tokio::sync::Notify;

use crate::commands::Failure;
use crate::config::Config;

/// Most hits a search gives.
pub(super) const MOST: i64 = 200;

/// Something to be found.
pub(super) struct Item {
    /// The scope it lies in.
    pub(super) owner: String,
    pub(super) session: String,
    pub(super) speaker: String,
    pub(super) text: String,
    pub(super) caption: Option<String>,
    pub(super) image_query: Option<String>,
    pub(super) occurred_at_us: i64,
    /// What a hit on it is counted as.
    pub(super) counts_as: String,
}

/// A question to one scope.
pub(super) struct Asked<'a> {
    pub(super) owner: &'a str,
    pub(super) text: &'a str,
    /// Units wanted, best first.
    pub(super) wanted: usize,
}

pub(super) struct Ground {
    place: PathBuf,
    store: Store,
    blobs: Blobs,
    clock: Clock,
    embedder: Arc<Embedder>,
    memory: Memory,
    ctx: Ctx,
    wake: Arc<Notify>,
    counts_as: HashMap<String, String>,
}

impl Ground {
    /// Opens a new place under the data directory; [`Ground::leave`] removes it.
    pub(super) async fn open(config: &Config, embedder: Embedder) -> Result<Self, Failure> {
        let place = config.data_dir.join(format!("hearth-eval-{}", &kernel::random::token()[..12]));
        std::fs::create_dir_all(&place)
            .map_err(|e| Failure::work(format!("hearth: cannot make {}: {e}", place.display())))?;
        let clock = Clock::system();
        let store =
            Store::open(&StoreConfig::new(format!("sqlite:{}", place.join("eval.db").display()))).await?;
        store::migrate::up(&store, &clock).await?;
        let (blobs, embedder, wake) = (Blobs::disk(place.join("blobs")), Arc::new(embedder), Arc::default());
        let memory = start(&store, &blobs, &clock, &embedder, Params::default(), &wake);
        let counts_as = HashMap::new();
        Ok(Self { place, store, blobs, clock, embedder, memory, ctx: context(), wake, counts_as })
    }

    /// Whether there is a model.
    pub(super) fn model(&self) -> Option<&str> {
        self.embedder.model_id()
    }

    /// From now on searches by this recipe.
    pub(super) fn use_recipe(&mut self, params: Params) {
        self.memory = start(&self.store, &self.blobs, &self.clock, &self.embedder, params, &self.wake);
    }

    /// Records and, with a model, embeds; returns when everything can be found.
    pub(super) async fn fill(&mut self, items: Vec<Item>) -> Result<(), Failure> {
        let (total, started) = (items.len(), Instant::now());
        let progress = bar("recording", total);
        for batch in items.chunks(500) {
            let events = batch.iter().map(event).collect();
            let recorded = self.memory.record_batch(&self.ctx, events, None).await?;
            let ids = recorded.results.into_iter().map(|result| result.event_id);
            self.counts_as.extend(ids.zip(batch.iter().map(|item| item.counts_as.clone())));
            progress.inc(batch.len() as u64);
        }
        progress.finish_and_clear();
        eprintln!("recorded {total} texts in {:.1} s", started.elapsed().as_secs_f64());
        if let Some(model) = self.model() {
            eprintln!("model: {model}");
            self.embed(total).await?;
        }
        Ok(())
    }

    /// Asks, and returns the units found for each question, each once, best first.
    pub(super) async fn ask(
        &self,
        asked: &[Asked<'_>],
        mode: SearchMode,
    ) -> Result<Vec<Vec<String>>, Failure> {
        let (progress, mut times) = (bar("asking", asked.len()), Vec::with_capacity(asked.len()));
        let mut answers = Vec::with_capacity(asked.len());
        for question in asked {
            let request = SearchRequest {
                user_id: Some(question.owner.to_owned()),
                limit: Some(MOST),
                neighbours: Some(0),
                mode,
                ..SearchRequest::new(question.text)
            };
            let started = Instant::now();
            let answer = self.memory.search(&self.ctx, request).await?;
            times.push(started.elapsed().as_secs_f64() * 1e3);
            let mut found: Vec<String> = Vec::with_capacity(question.wanted);
            for unit in
                answer.items.iter().filter_map(|hit| self.counts_as.get(&hit.event.as_ref()?.event_id))
            {
                if found.len() < question.wanted && !found.contains(unit) {
                    found.push(unit.clone());
                }
            }
            answers.push(found);
            progress.inc(1);
        }
        progress.finish_and_clear();
        times.sort_by(f64::total_cmp);
        let at = |share: usize| times.get(times.len() * share / 100).copied().unwrap_or_default();
        eprintln!(
            "asked {} questions ({mode:?}): median {:.1} ms, p95 {:.1} ms",
            asked.len(),
            at(50),
            at(95)
        );
        Ok(answers)
    }

    /// Removes everything that was recorded.
    pub(super) fn leave(self) {
        let Self { place, store, memory, .. } = self;
        drop((store, memory));
        let _ = std::fs::remove_dir_all(place);
    }

    /// Runs the embedding jobs to their end.
    async fn embed(&self, total: usize) -> Result<(), Failure> {
        let (progress, started) = (bar("embedding", total), Instant::now());
        let runner =
            Runner::new(self.store.clone(), self.clock.clone(), self.memory.jobs(), self.wake.clone());
        let work = runner.drain();
        tokio::pin!(work);
        let mut every = tokio::time::interval(Duration::from_millis(500));
        loop {
            tokio::select! {
                done = &mut work => { done?; break }
                _ = every.tick() => progress.set_position(self.memory.count_vectors().await? as u64),
            }
        }
        progress.finish_and_clear();
        let seconds = started.elapsed().as_secs_f64();
        eprintln!("embedded {total} texts in {seconds:.1} s ({:.0} a second)", total as f64 / seconds);
        Ok(())
    }
}

fn start(
    store: &Store,
    blobs: &Blobs,
    clock: &Clock,
    embedder: &Arc<Embedder>,
    params: Params,
    wake: &Arc<Notify>,
) -> Memory {
    let config = MemoryConfig { params, derives: false, ..MemoryConfig::default() };
    Memory::start(store.clone(), blobs.clone(), clock.clone(), embedder.clone(), config, wake.clone())
}

fn context() -> Ctx {
    let principal = Principal {
        kind: PrincipalKind::Operator,
        id: "operator".to_owned(),
        user_id: None,
        role: None,
        credential_id: "operator".to_owned(),
    };
    Ctx {
        tenant: TenantId::parse("eval").expect("a name by the rules"),
        principal: Arc::new(principal),
        scopes: Scopes::all(),
        request_id: "eval".into(),
        address: None,
    }
}

fn event(item: &Item) -> NewEvent {
    let mut content = Map::new();
    // A turn may be an image alone; an event needs words.
    let text = if item.text.trim().is_empty() { "(image)" } else { &item.text };
    content.insert("text".to_owned(), text.into());
    content.extend(item.caption.clone().map(|caption| ("caption".to_owned(), caption.into())));
    content.extend(item.image_query.clone().map(|query| ("image_query".to_owned(), query.into())));
    NewEvent {
        session_id: item.session.clone(),
        channel: Channel::Private,
        actor: Actor { kind: ActorType::Human, id: item.speaker.clone(), name: Some(item.speaker.clone()) },
        kind: EventKind::Message,
        content,
        sensitivity: None,
        tags: Vec::new(),
        refs: Vec::new(),
        user_id: Some(item.owner.clone()),
        agent_id: None,
        client_event_id: None,
        occurred_at: Some(Micros(item.occurred_at_us)),
        expires_at: None,
        recalled: false,
        tenant_id: None,
    }
}

fn bar(what: &'static str, length: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}")
        .expect("a template that is tested by use");
    ProgressBar::new(length as u64).with_style(style).with_message(what)
}

/// Reads a file of evaluation data by `parse`.
pub(super) fn read<T>(
    file: &Path,
    parse: impl FnOnce(&[u8]) -> Result<T, recall::eval::EvalError>,
) -> Result<T, Failure> {
    let fail =
        |why: &dyn std::fmt::Display| Failure::work(format!("hearth: cannot read {}: {why}", file.display()));
    parse(&std::fs::read(file).map_err(|e| fail(&e))?).map_err(|e| fail(&e))
}
