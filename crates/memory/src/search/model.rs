//! A search on its way in and its answer on its way out.

use std::collections::BTreeMap;

use kernel::{Ctx, Error, Micros, Result, Scope};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::filter::Condition;
use crate::events::{Actor, Channel, Event, EventKind, check_name};
use crate::memories::{MemoryItem, MemoryType};
use crate::words::words;

words! {
    /// What is searched.
    Include {
        /// What was said and done, word for word.
        Events = "events",
        /// What was derived from it or said to be remembered.
        Memories = "memories",
    }
}

words! {
    /// Memories that are otherwise left out.
    Show {
        /// Those whose place another has taken.
        Superseded = "superseded",
        /// Those that wait for a review; for administrators.
        Quarantined = "quarantined",
    }
}

/// Which legs of the recipe take part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SearchMode {
    /// The best that the server can do now.
    #[default]
    Auto,
    /// Words only.
    Lexical,
    /// Vectors only.
    Dense,
    /// Words and vectors.
    Hybrid,
}

/// Which labels an event must have.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TagFilter {
    /// At least one of these.
    pub any: Vec<String>,
    /// All of these.
    pub all: Vec<String>,
    /// None of these.
    pub none: Vec<String>,
}

/// A question to memory.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchRequest {
    /// The question, 1–4,000 characters.
    #[schema(min_length = 1, max_length = 4000)]
    pub query: String,
    /// Owner whose memory is asked; the credential's own person or principal when absent.
    pub user_id: Option<String>,
    /// Only events of this agent.
    pub agent_id: Option<String>,
    /// Only events of this conversation.
    pub session_id: Option<String>,
    /// Where the answer will be shown; decides what may be read. `private` when absent.
    pub channel: Option<Channel>,
    /// Read only from these; can only narrow.
    pub channels: Option<Vec<Channel>>,
    /// Labels.
    #[serde(default)]
    pub tags: TagFilter,
    /// Only these kinds.
    pub kinds: Option<Vec<EventKind>>,
    /// Only events at or after this instant.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub after: Option<Micros>,
    /// Only events before this instant.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub before: Option<Micros>,
    /// Hits at most, 1–200; 10 when absent.
    #[schema(minimum = 1, maximum = 200)]
    pub limit: Option<i64>,
    /// Turns around each hit, on each side, 0–3; 1 when absent.
    #[schema(minimum = 0, maximum = 3)]
    pub neighbours: Option<i64>,
    /// Legs.
    #[serde(default)]
    pub mode: SearchMode,
    /// Whether hits carry the parts of their score.
    #[serde(default)]
    pub explain: bool,
    /// Only hits with at least this score, 0–1.
    #[schema(minimum = 0, maximum = 1)]
    pub min_score: Option<f64>,
    /// Conditions on fields and `metadata.<key>`: `{"AND": […]}`, `{"OR": […]}`, `{"NOT": {…}}`, `{"field": value}` or
    /// `{"field": {"gte": value}}`; at most 32 conditions in 4 levels.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub filters: Map<String, Value>,
    /// Events, memories or, when absent, both.
    pub include: Option<Vec<Include>>,
    /// Only memories of these types; events are not concerned.
    pub types: Option<Vec<MemoryType>>,
    /// Memories that were so at this instant, also those superseded since.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub valid_at: Option<Micros>,
    /// Only what was known at this instant, in the words of then.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub as_of: Option<Micros>,
    /// The instant that "yesterday" in the question is counted from; now when absent.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub reference_date: Option<Micros>,
    /// Packs the best hits into one text of at most this many estimated tokens, 100–200,000.
    #[schema(minimum = 100, maximum = 200_000)]
    pub max_tokens: Option<i64>,
    /// Ask a reranking model, where there is one; `degraded` says when there is none.
    #[serde(default)]
    pub rerank: bool,
    /// Memories that are otherwise left out.
    #[serde(default)]
    pub show: Vec<Show>,
}

/// The answer of a search.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SearchAnswer {
    /// Hits, best first.
    pub items: Vec<SearchHit>,
    /// The question taken apart.
    #[schema(value_type = Object)]
    pub query: recall::Analysis,
    /// Legs that took part.
    pub mode: SearchMode,
    /// What could not be done, in stable words: `no_embedding_model`, `embeddings_unavailable`, `vectors_missing`,
    /// `no_reranker`.
    pub degraded: Vec<&'static str>,
    /// Documents in the partitions read that have no vector yet.
    pub missing_vectors: usize,
    /// Version of each partition read.
    pub snapshot: BTreeMap<String, i64>,
    /// Time spent, ms.
    pub took_ms: f64,
    /// The hits as one text, if `max_tokens` asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packed: Option<Packed>,
}

/// Hits as one text within a budget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Packed {
    /// Dated and attributed lines in the order of time.
    pub text: String,
    /// Estimated tokens of the text; never more than asked for.
    pub token_est: usize,
    /// Ids of hits that did not fit.
    pub skipped: Vec<String>,
}

/// One hit.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SearchHit {
    /// `event` or `memory`: what was found at this place.
    pub kind: &'static str,
    /// `chk_…` or `mem_…`, what was found.
    pub id: String,
    /// The event found, or the source of the memory when both were found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<Event>,
    /// The memory found, or the one that rests on the event when both were found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<MemoryItem>,
    /// The words found: of an event the chunk, not the whole.
    pub text: String,
    /// 0–1, comparable within one answer.
    pub score: f64,
    /// Conversation.
    pub session_id: Option<String>,
    /// Place in the conversation; memories have none.
    pub seq: Option<i64>,
    /// Who spoke; memories have none.
    pub actor: Option<Actor>,
    /// When it happened, or since when it is so.
    #[schema(value_type = String, format = DateTime)]
    pub occurred_at: Micros,
    /// Since when a memory is so.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub valid_from: Option<Micros>,
    /// Until when it was so.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub valid_to: Option<Micros>,
    /// Type of a memory, kind of an event.
    pub r#type: String,
    /// How far its word is trusted.
    pub trust: String,
    /// References of an event; source events of a memory.
    pub refs: Vec<String>,
    /// Turns around it in its conversation that the caller may read.
    pub neighbours: Vec<Neighbour>,
    /// Hits in nearly the same words, and the memory or event that shares this place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// Why it stands where it stands, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explain: Option<Explain>,
}

/// A turn beside a hit.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Neighbour {
    /// `evt_…`.
    pub event_id: String,
    /// Its words.
    pub text: String,
    /// Who spoke.
    pub actor: String,
    /// Places from the hit: −1 is the turn before.
    pub offset: i64,
}

/// Parts of a score; they add up to it within 1e-6.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Explain {
    /// Addends.
    #[schema(value_type = Vec<Object>)]
    pub parts: Vec<recall::Part>,
    /// Which of the question's terms the text holds, and in which words.
    pub terms: Vec<MatchedTerm>,
}

/// A term of the question in the words of a hit.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MatchedTerm {
    /// The word as asked.
    pub term: String,
    /// The words as found.
    pub matched: Vec<String>,
    /// Rarity of the term, above 0.
    pub weight: f32,
}

impl SearchRequest {
    /// A question with everything else at its default.
    pub fn new(query: &str) -> Self {
        Self {
            query: query.to_owned(),
            user_id: None,
            agent_id: None,
            session_id: None,
            channel: None,
            channels: None,
            tags: TagFilter::default(),
            kinds: None,
            after: None,
            before: None,
            limit: None,
            neighbours: None,
            mode: SearchMode::Auto,
            explain: false,
            min_score: None,
            filters: Map::new(),
            include: None,
            types: None,
            valid_at: None,
            as_of: None,
            reference_date: None,
            max_tokens: None,
            rerank: false,
            show: Vec::new(),
        }
    }

    /// Checks ranges, lengths and filters, and what only administrators may see.
    ///
    /// # Errors
    /// `validation_failed` with the first wrong field; `forbidden`.
    pub fn check(&self, ctx: &Ctx) -> Result<()> {
        Condition::parse(&self.filters)?;
        if self.show.contains(&Show::Quarantined) {
            ctx.require(Scope::Admin)?;
        }
        if !(100..=200_000).contains(&self.max_tokens.unwrap_or(100)) {
            return Err(Error::field("max_tokens", "is 100 to 200,000"));
        }
        let length = self.query.chars().count();
        if !(1..=4_000).contains(&length) || self.query.trim().is_empty() {
            return Err(Error::field("query", "is 1 to 4,000 characters, not all of them white space"));
        }
        for (name, value) in
            [("user_id", &self.user_id), ("agent_id", &self.agent_id), ("session_id", &self.session_id)]
        {
            check_name(name, value.as_deref())?;
        }
        if !(1..=200).contains(&self.limit.unwrap_or(10)) {
            return Err(Error::field("limit", "is 1 to 200"));
        }
        if !(0..=3).contains(&self.neighbours.unwrap_or(1)) {
            return Err(Error::field("neighbours", "is 0 to 3"));
        }
        if !(0.0..=1.0).contains(&self.min_score.unwrap_or(0.0)) {
            return Err(Error::field("min_score", "is 0 to 1"));
        }
        let tags = &self.tags;
        if [&tags.any, &tags.all, &tags.none].into_iter().any(|list| list.len() > 32) {
            return Err(Error::field("tags", "names at most 32 labels in each list"));
        }
        Ok(())
    }
}
