//! A bundle on its way in and out.

use std::collections::BTreeMap;

use kernel::{Ctx, Error, Micros, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::budget::Room;
use crate::events::{Channel, check_name};
use crate::memories::check_id;
use crate::words::words;

words! {
    /// The sections of a bundle, in their order.
    SectionName {
        /// Blocks and pinned memories.
        Identity = "identity",
        /// Rules, by scope and priority.
        Rules = "rules",
        /// Capsules for this agent.
        Handoff = "handoff_packet",
        /// Tasks that are open or begun.
        Tasks = "task_state",
        /// Decisions that hold.
        Decisions = "relevant_decisions",
        /// The last turns of the conversation.
        Recent = "recent_window",
        /// What recall found.
        Evidence = "retrieved_evidence",
        /// Left for the model's answer.
        Reserve = "reserve",
    }
}

words! {
    /// Why something is not in a bundle.
    OmissionReason {
        /// It did not fit.
        Budget = "budget",
        /// Something else says the same.
        NearDuplicate = "near_duplicate",
        /// Something else took its place.
        Superseded = "superseded",
        /// Its time has come.
        Expired = "expired",
        /// It answers too little of the question.
        LowScore = "low_score",
        /// Only an excerpt of it fits.
        Oversize = "oversize",
        /// What it is found by is being made again.
        PartialIndex = "partial_index",
    }
}

words! {
    /// What an item of a bundle is.
    ItemType {
        /// Words.
        Text = "text",
        /// A decision.
        Decision = "decision",
        /// A task.
        Task = "task",
    }
}

words! {
    /// How a bundle was put together.
    BundlePath {
        /// Without a search.
        Fast = "fast",
        /// With one.
        Retrieval = "retrieval",
        /// While what is derived from events was made again.
        Cold = "cold",
    }
}

/// What a bundle is wanted for.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct BundleRequest {
    /// The conversation that goes on, 1–256 characters.
    pub session_id: String,
    /// The agent that will read it, 1–256 characters: what belongs to another agent is left out.
    pub agent_id: String,
    /// Where the answer will be shown; decides what may be read.
    pub channel: Channel,
    /// What the agent is about to do, 1–4,000 characters. One that begins with `continue`, without `query_text`, asks for the
    /// state of things and no search.
    #[schema(min_length = 1, max_length = 4000)]
    pub intent: String,
    /// The question, up to 4,000 characters; the intent when absent.
    #[schema(max_length = 4000)]
    pub query_text: Option<String>,
    /// Estimated tokens of the whole, 1,000–200,000; 65,000 when absent.
    #[schema(minimum = 1000, maximum = 200_000)]
    pub max_tokens: Option<i64>,
    /// Owner whose memory is asked; the credential's own person or principal when absent.
    pub user_id: Option<String>,
    /// Tokens of sections by their names, in place of their share.
    #[serde(default)]
    pub budgets: BTreeMap<String, i64>,
    /// Whether a section may use what those before it left.
    #[serde(default)]
    pub borrow: bool,
    /// The instant that "yesterday" in the question is counted from; now when absent.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub reference_date: Option<Micros>,
    /// Only these capsules, up to 12, `cap_…`.
    #[serde(default)]
    pub capsule_ids: Vec<String>,
    /// Whether items hold their words and `rendered` is made.
    #[serde(default = "yes")]
    pub include_text: bool,
    /// Tenant, for older clients: refused unless it is the credential's own.
    pub tenant_id: Option<String>,
}

fn yes() -> bool {
    true
}

/// Capsules of one bundle.
pub(super) const MOST_CAPSULES: usize = 12;
/// Tokens of a bundle when nobody says.
pub(super) const DEFAULT_TOKENS: usize = 65_000;

impl BundleRequest {
    pub(super) fn check(&self, ctx: &Ctx) -> Result<()> {
        ctx.check_tenant(self.tenant_id.as_deref())?;
        check_name("session_id", Some(&self.session_id))?;
        check_name("agent_id", Some(&self.agent_id))?;
        check_name("user_id", self.user_id.as_deref())?;
        if self.intent.trim().is_empty() || self.intent.chars().count() > 4_000 {
            return Err(Error::field("intent", "is 1 to 4,000 characters, not all of them white space"));
        }
        if self.query_text.as_ref().is_some_and(|text| text.chars().count() > 4_000) {
            return Err(Error::field("query_text", "is at most 4,000 characters"));
        }
        if !(1_000..=200_000).contains(&self.max_tokens.unwrap_or(1_000)) {
            return Err(Error::field("max_tokens", "is 1,000 to 200,000"));
        }
        if self.capsule_ids.len() > MOST_CAPSULES {
            return Err(Error::field("capsule_ids", format!("names at most {MOST_CAPSULES} capsules")));
        }
        self.capsule_ids.iter().try_for_each(|id| check_id("cap", id))
    }

    /// The question; `None` when only the state of things is wanted.
    pub(super) fn question(&self) -> Option<&str> {
        let query = self.query_text.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let intent = self.intent.trim();
        let goes_on = intent.get(..8).is_some_and(|head| head.eq_ignore_ascii_case("continue"));
        query.or((!goes_on).then_some(intent))
    }

    pub(super) fn tokens(&self) -> usize {
        self.max_tokens.map_or(DEFAULT_TOKENS, |tokens| tokens as usize)
    }
}

/// Everything an agent needs for its next step, within a budget.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Bundle {
    /// `acb_…`: the same words for the same request have the same id.
    pub acb_id: String,
    /// Tokens it was given.
    pub budget_tokens: usize,
    /// Tokens it uses, never more.
    pub token_used_est: usize,
    /// All eight, always in the same order.
    pub sections: Vec<BundleSection>,
    /// What was left out and why. What the caller may not see is not counted.
    pub omissions: Vec<BundleOmission>,
    /// How it came about.
    pub provenance: BundleProvenance,
    /// Capsules it holds.
    pub capsules: Vec<BundleCapsule>,
    /// Approved edits of what it holds, `edt_…`.
    pub edits_applied: Vec<String>,
    /// Memories left out because an event says otherwise.
    pub conflicts: Vec<BundleConflict>,
    /// Whether something may be missing because it is being made again.
    pub partial: bool,
    /// Why, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partial_reason: Option<&'static str>,
    /// All items as one text: numbered lines between two marks that no item can forge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rendered: Option<String>,
}

/// A section.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BundleSection {
    /// Its name.
    pub name: SectionName,
    /// Tokens it may use.
    pub budget: usize,
    /// Tokens it uses.
    pub token_est: usize,
    /// What it holds.
    pub items: Vec<BundleItem>,
}

/// An item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct BundleItem {
    /// What it is.
    pub r#type: ItemType,
    /// The words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// `dec_…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision_id: Option<String>,
    /// `tsk_…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_id: Option<String>,
    /// `art_…` of the whole, where the event keeps an excerpt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_id: Option<String>,
    /// What it is and rests on; ours can be read by their ids.
    pub refs: Vec<String>,
    /// `block`, `notice`, `memory`, `rule`, `capsule`, `task`, `decision`, or the kind of an event.
    pub source: String,
    /// Who said it, where somebody did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// How far its word is trusted.
    pub trust: String,
    /// When it happened, or since when it is so.
    #[schema(value_type = String, format = DateTime)]
    pub occurred_at: Micros,
    /// Tokens of its line.
    pub token_est: usize,
    /// Whether `text` is only a part.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub excerpt: bool,
}

/// What was left out of a section for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct BundleOmission {
    /// Why.
    pub reason: OmissionReason,
    /// Of which section.
    pub section: SectionName,
    /// Ids, the first 50.
    pub candidates: Vec<String>,
    /// How many there are.
    pub count: usize,
    /// `art_…` of the whole, of what is too large.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_id: Option<String>,
}

/// How a bundle came about.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BundleProvenance {
    /// As asked.
    pub intent: String,
    /// Words that were searched for.
    pub query_terms: Vec<String>,
    /// Candidates that were looked at.
    pub candidate_pool_size: usize,
    /// What was read.
    pub filters: BundleFilters,
    /// What scores were made of.
    pub scoring: BundleScoring,
    /// How it was put together.
    pub path: BundlePath,
    /// Statements that fetched rows for it; keeping the shared index up to date is not counted.
    pub reads: u64,
    /// Bytes of text in those rows.
    pub bytes_read: u64,
    /// Candidates that say what others say.
    pub dedupe_count: usize,
    /// How tokens are counted.
    pub estimator: &'static str,
    /// The instant that dates were counted from.
    #[schema(value_type = String, format = DateTime)]
    pub reference_date: Micros,
    /// Version of each partition read.
    pub snapshot: BTreeMap<String, i64>,
    /// What could not be done, see recall.
    pub degraded: Vec<&'static str>,
    /// SHA-256 of the sections, in hexadecimal.
    pub digest: String,
}

/// What a bundle may be made of.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BundleFilters {
    /// Sensitivities.
    pub sensitivity_allowed: Vec<&'static str>,
    /// Channels.
    pub channels_allowed: Vec<&'static str>,
}

/// What scores were made of, 0–1; all 0 when nothing was searched.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
pub struct BundleScoring {
    /// Weight of words.
    pub alpha: f32,
    /// Weight of vectors.
    pub beta: f32,
    /// Share by which time and importance move a score at most.
    pub gamma: f32,
}

/// A capsule in a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct BundleCapsule {
    /// `cap_…`.
    pub capsule_id: String,
    /// Who made it.
    pub author_agent_id: String,
    /// What it is about.
    pub subject_type: String,
    /// Which one.
    pub subject_id: String,
    /// Until when it can be read.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Micros,
    /// Decisions, chunks and artifacts in it that the caller may read.
    pub refs: Vec<String>,
}

/// A memory that was left out because an event says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct BundleConflict {
    /// `number`, `date` or `status`.
    pub kind: &'static str,
    /// `mem_…`, left out.
    pub memory_id: String,
    /// `evt_…`, served.
    pub event_id: String,
    /// What the memory says.
    pub memory_says: Vec<String>,
    /// What the event says.
    pub event_says: Vec<String>,
}

/// What is kept of a bundle, without its words, for seven days.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KeptBundle {
    /// `acb_…`.
    pub acb_id: String,
    /// Owner.
    pub user_id: String,
    /// Conversation.
    pub session_id: String,
    /// When it was last put together.
    #[schema(value_type = String, format = DateTime)]
    pub recorded_at: Micros,
    /// SHA-256 of the request, in hexadecimal.
    pub request_hash: String,
    /// SHA-256 of the sections, in hexadecimal.
    pub digest: String,
    /// Tokens it was given.
    pub budget_tokens: i64,
    /// Tokens it used.
    pub token_used_est: i64,
    /// Sections with their budgets, tokens and references, omissions and snapshot.
    #[schema(value_type = Object)]
    pub contents: Value,
}

impl BundleRequest {
    /// Tokens of each section.
    pub(super) fn rooms(&self) -> Result<Vec<Room>> {
        super::budget::rooms(self.tokens(), &self.budgets)
    }
}
