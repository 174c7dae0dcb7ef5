//! Answering a question: which partitions, which vectors, which hits, and the turns around them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use kernel::{Clock, Ctx, Error, Micros, Result};
use llm::Embedder;
use recall::{Filter, Mode, Params, Query, Ranking};
use store::Store;
use tokio::sync::{OwnedRwLockReadGuard, Semaphore};

use super::cache::{CLOSED, Loaded, MEMORY_KIND, ScopeCache, WAITING};
use super::model::{Include, SearchAnswer, SearchMode, SearchRequest, Show};
use super::pack::pack;
use super::policy::Readable;
use super::store as sql;
use super::vectors::{QueryEmbedder, QueryVectors};
use crate::events::{Channel, EventKind};

/// Documents that are ranked, and so can be returned, when hits are sifted one by one.
const MOST_SIFTED: usize = 20_000;
/// Of the documents ranked, this many are compared word by word.
const MOST_RERANKED: usize = 200;

/// Answers searches.
pub(crate) struct Searcher {
    pub(super) store: Store,
    pub(super) clock: Clock,
    cache: Arc<ScopeCache>,
    vectors: QueryEmbedder,
    pub(super) params: Params,
    /// Searches that compute at once: as many as there are cores.
    cores: Arc<Semaphore>,
}

/// The indexes of one search and what they were read at.
struct Partitions {
    loaded: Vec<OwnedRwLockReadGuard<Loaded>>,
    snapshot: BTreeMap<String, i64>,
}

/// A request, and what is asked for beyond it.
pub(super) struct Asked {
    pub(super) request: SearchRequest,
    /// Whose documents may be returned, see [`Filter::agents`].
    pub(super) agents: Vec<String>,
    /// Documents ranked at most.
    pub(super) candidates: usize,
}

/// What a request ranks.
pub(super) struct Ranked {
    pub(super) ranking: Ranking,
    pub(super) snapshot: BTreeMap<String, i64>,
    pub(super) mode: SearchMode,
    pub(super) degraded: Vec<&'static str>,
    pub(super) missing_vectors: usize,
}

impl Searcher {
    pub(crate) fn new(
        store: Store,
        clock: Clock,
        cache: Arc<ScopeCache>,
        embedder: Arc<Embedder>,
        params: Params,
    ) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let vectors = QueryEmbedder::new(embedder, clock.clone(), store.cache());
        Self { store, clock, cache, vectors, params, cores: Arc::new(Semaphore::new(cores)) }
    }

    /// Answers a checked request.
    pub(crate) async fn search(
        &self,
        ctx: &Ctx,
        owner: String,
        request: SearchRequest,
    ) -> Result<SearchAnswer> {
        let started = Instant::now();
        let channel = request.channel.unwrap_or(Channel::Private);
        let readable = Readable::new(ctx.tenant.clone(), owner, channel, request.channels.as_deref());
        let candidates = if sifts(&request) { MOST_SIFTED } else { self.params.candidates };
        let agents = request.agent_id.iter().cloned().collect();
        let asked = Arc::new(Asked { request, agents, candidates });
        let Ranked { ranking, snapshot, mode, mut degraded, missing_vectors } =
            Box::pin(self.ranked(ctx, &readable, asked.clone())).await?;
        let request = &asked.request;
        let mut items = self.hits(ctx, request, &readable, &ranking).await?;
        if request.rerank {
            degraded.push("no_reranker");
        }
        let packed = request.max_tokens.map(|budget| pack(&items, budget as usize));
        if let Some(packed) = &packed {
            items.retain(|hit| !packed.skipped.contains(&hit.id));
        }
        metrics::counter!("memory_retrievals_total", "type" => "event").increment(1);
        let took_ms = (started.elapsed().as_secs_f64() * 1e5).round() / 100.0;
        Ok(SearchAnswer {
            items,
            query: ranking.analysis().clone(),
            mode,
            degraded,
            missing_vectors,
            snapshot,
            took_ms,
            packed,
        })
    }

    /// Ranks what may be read for a checked request.
    pub(super) async fn ranked(&self, ctx: &Ctx, readable: &Readable, asked: Arc<Asked>) -> Result<Ranked> {
        let mut degraded = Vec::new();
        let (partitions, vectors) =
            tokio::join!(self.partitions(readable), self.query_vectors(ctx, &asked.request, &mut degraded));
        let partitions = partitions?;
        let missing_vectors = match vectors {
            Some(_) => partitions.loaded.iter().map(|loaded| loaded.index.missing_vectors()).sum(),
            None => 0,
        };
        if missing_vectors > 0 {
            degraded.push("vectors_missing");
        }
        let mode = mode_used(asked.request.mode, vectors.is_some());
        let snapshot = partitions.snapshot.clone();
        let ranking = self.rank(ctx, partitions, vectors, asked).await?;
        Ok(Ranked { ranking, snapshot, mode, degraded, missing_vectors })
    }

    /// Name of the model that vectors come from.
    pub(super) fn model_id(&self) -> Option<&str> {
        self.vectors.model_id()
    }

    async fn partitions(&self, readable: &Readable) -> Result<Partitions> {
        let scopes = sql::list_scopes(
            &mut self.store.read(&readable.tenant).await?,
            &readable.tenant,
            &readable.owner,
        )
        .await?;
        let (mut loaded, mut snapshot) = (Vec::new(), BTreeMap::new());
        let now = self.clock.now();
        for scope in scopes {
            let partition = sql::partition(&scope.home, scope.owner.clone(), &scope.tier);
            if partition.is_some_and(|partition| readable.allows(&partition)) {
                loaded.push(self.cache.get(&readable.tenant, &scope, now).await?);
                snapshot.insert(scope.scope_id, scope.version);
            }
        }
        Ok(Partitions { loaded, snapshot })
    }

    /// The query's vectors; `None`, and a word in `degraded`, when the answer has to go by words.
    async fn query_vectors(
        &self,
        ctx: &Ctx,
        request: &SearchRequest,
        degraded: &mut Vec<&'static str>,
    ) -> Option<Arc<QueryVectors>> {
        if request.mode == SearchMode::Lexical {
            return None;
        }
        let found = self.vectors.vectors(&ctx.tenant, &request.query).await;
        found.inspect_err(|word| degraded.push(word)).ok()
    }

    /// Both phases of the engine, on a thread for heavy work, with the token codes read in between.
    async fn rank(
        &self,
        ctx: &Ctx,
        partitions: Partitions,
        vectors: Option<Arc<QueryVectors>>,
        asked: Arc<Asked>,
    ) -> Result<Ranking> {
        let place = self.cores.clone().acquire_owned().await.map_err(Error::internal)?;
        let (now, params) = (self.clock.now(), self.params);
        let has_tokens = vectors.as_ref().is_some_and(|vectors| !vectors.tokens.spans.is_empty());
        let first = tokio::task::spawn_blocking(move || {
            let _place = place;
            let indexes: Vec<_> = partitions.loaded.iter().map(|loaded| &loaded.index).collect();
            first_phase(&indexes, vectors.as_deref(), &asked, now, params)
        });
        let mut ranking = first.await.map_err(Error::internal)?;
        let wanted: Vec<&str> = ranking.candidates().take(MOST_RERANKED).collect();
        let (Some(model), true) = (self.model_id(), has_tokens && !wanted.is_empty()) else {
            return Ok(ranking);
        };
        let codes =
            sql::list_token_codes(&mut self.store.read(&ctx.tenant).await?, &ctx.tenant, model, &wanted)
                .await?;
        let second = tokio::task::spawn_blocking(move || {
            ranking.rerank(codes.iter().map(|(key, codes)| (key.as_str(), codes.as_slice())));
            ranking
        });
        second.await.map_err(Error::internal)
    }
}

fn first_phase(
    indexes: &[&recall::Index],
    vectors: Option<&QueryVectors>,
    asked: &Asked,
    now: Micros,
    mut params: Params,
) -> Ranking {
    let request = &asked.request;
    let agents: Vec<&str> = asked.agents.iter().map(String::as_str).collect();
    let [any, all, none] = [&request.tags.any, &request.tags.all, &request.tags.none]
        .map(|list| list.iter().map(String::as_str).collect::<Vec<_>>());
    let mut none = none;
    none.extend(
        left_out(request).into_iter().filter(|label| indexes.iter().any(|index| index.has_label(label))),
    );
    let query = Query {
        text: &request.query,
        vector: vectors.map(|v| v.sentence.as_slice()),
        tokens: vectors.map(|v| &v.tokens).filter(|tokens| !tokens.spans.is_empty()),
        filter: Filter {
            agents: &agents,
            session: request.session_id.as_deref(),
            kinds: kinds(request),
            after_us: request.after.map(|at| at.0),
            before_us: request.before.map(|at| at.0),
            any_label: &any,
            all_labels: &all,
            no_label: &none,
        },
        mode: match request.mode {
            SearchMode::Lexical => Mode::Lexical,
            SearchMode::Dense => Mode::Dense,
            SearchMode::Auto | SearchMode::Hybrid => Mode::Hybrid,
        },
        reference_us: Some(request.reference_date.unwrap_or(now).0),
        explain: request.explain,
    };
    params.candidates = asked.candidates;
    recall::search(indexes, &query, &params)
}

/// Whether hits are looked at one by one after ranking; then more of them are ranked.
fn sifts(request: &SearchRequest) -> bool {
    let SearchRequest { types, valid_at, as_of, .. } = request;
    !request.filters.is_empty() || types.is_some() || valid_at.is_some() || as_of.is_some()
}

/// Labels of memories that are not asked for.
fn left_out(request: &SearchRequest) -> Vec<&'static str> {
    let wants_closed =
        request.show.contains(&Show::Superseded) || request.valid_at.is_some() || request.as_of.is_some();
    let closed = (!wants_closed).then_some(CLOSED);
    let waiting = (!request.show.contains(&Show::Quarantined)).then_some(WAITING);
    closed.into_iter().chain(waiting).collect()
}

/// Bits of the kinds asked for; `None` for all.
fn kinds(request: &SearchRequest) -> Option<u64> {
    let includes = |what| request.include.as_ref().is_none_or(|list| list.contains(&what));
    if request.kinds.is_none() && includes(Include::Events) && includes(Include::Memories) {
        return None;
    }
    let of_events = match &request.kinds {
        _ if !includes(Include::Events) => 0,
        Some(kinds) => kinds.iter().fold(0, |bits, kind| bits | 1 << *kind as u8),
        None => (1 << EventKind::ALL.len()) - 1,
    };
    // Who asks for kinds of events asks for events, unless memories are named.
    let wants_memories =
        includes(Include::Memories) && (request.kinds.is_none() || request.include.is_some());
    Some(of_events | u64::from(wants_memories) << MEMORY_KIND)
}

fn mode_used(asked: SearchMode, has_vectors: bool) -> SearchMode {
    match (asked, has_vectors) {
        (_, false) => SearchMode::Lexical,
        (SearchMode::Dense, true) => SearchMode::Dense,
        (_, true) => SearchMode::Hybrid,
    }
}
