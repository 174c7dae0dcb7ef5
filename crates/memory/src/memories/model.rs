//! Words of memories: what was derived or said to be remembered, its versions and its sources.

use kernel::{Error, Micros, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::events::{Channel, Sensitivity, check_list, check_name};
use crate::words::words;

/// Longest text of a memory, in characters.
pub(crate) const MAX_TEXT: usize = 8_000;
/// Largest metadata, in bytes of JSON.
const MAX_METADATA: usize = 16 * 1024;

words! {
    /// What a memory is.
    MemoryType {
        /// Something that is so.
        Fact = "fact",
        /// What somebody likes or wants.
        Preference = "preference",
        /// Something that happened.
        Episode = "episode",
        /// What was decided.
        Decision = "decision",
        /// What is to be done.
        Task = "task",
        /// What must always or never be done.
        Rule = "rule",
        /// How something is done.
        Procedure = "procedure",
        /// A digest of events.
        Summary = "summary",
    }
}

words! {
    /// Whether a memory takes part in recall.
    MemoryState {
        /// It does.
        Active = "active",
        /// Not before somebody has looked at it.
        Quarantined = "quarantined",
        /// Taken back; can be restored.
        Retracted = "retracted",
        /// Taken back, and never derived again.
        Blocked = "blocked",
    }
}

words! {
    /// What made a version of a memory.
    VersionOp {
        /// It was new.
        Add = "ADD",
        /// Its words or fields changed.
        Update = "UPDATE",
        /// Another took its place.
        Supersede = "SUPERSEDE",
        /// It was taken back.
        Retract = "RETRACT",
        /// It was put aside for review.
        Quarantine = "QUARANTINE",
        /// It was made less important.
        Attenuate = "ATTENUATE",
        /// It was taken back for good.
        Block = "BLOCK",
        /// It was brought back.
        Restore = "RESTORE",
        /// Its time had come.
        Expire = "EXPIRE",
    }
}

/// A memory.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct MemoryItem {
    /// `mem_…`.
    pub memory_id: String,
    /// Counts from 1; every change makes a new one.
    pub version: i64,
    /// What it is.
    pub r#type: String,
    /// The words.
    pub text: String,
    /// What it is about, for supersession; such as `favourite colour`.
    pub subject: Option<String>,
    /// Owner.
    pub user_id: String,
    /// Agent or persona it belongs to.
    pub agent_id: Option<String>,
    /// Conversation it came from.
    pub conversation_id: Option<String>,
    /// Where it may be shown.
    pub channel: String,
    /// How carefully it is kept.
    pub sensitivity: String,
    /// Since when it is so.
    #[schema(value_type = String, format = DateTime)]
    pub valid_from: Micros,
    /// Until when it was so; null while it is.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub valid_to: Option<Micros>,
    /// When it was first written down.
    #[schema(value_type = String, format = DateTime)]
    pub recorded_at: Micros,
    /// The memory that took its place.
    pub superseded_by: Option<String>,
    /// 0–1, as set or derived.
    pub importance: f64,
    /// Importance × max(0.5, 2^(−days beyond 90 unused ÷ 90)); pinned memories do not fade.
    pub strength: f64,
    /// Always part of a bundle, and never forgotten by default rules.
    pub pinned: bool,
    /// When it must be forgotten.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Micros>,
    /// When it was last cited or opened.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Micros>,
    /// How often it was cited or opened.
    pub use_count: i64,
    /// The lowest trust of its sources: `user`, `agent`, `tool`, `external` or `import`.
    pub trust: String,
    /// Whether it takes part in recall.
    pub state: String,
    /// `user`, `agent`, `rule:<name>@<version>` or `model:<name>`.
    pub derived_by: String,
    /// 0–1.
    pub confidence: f64,
    /// Labels.
    pub tags: Vec<String>,
    /// The caller's own fields.
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
    /// How often the same was said again.
    pub merged_count: i64,
}

/// A memory to keep as it is said.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMemory {
    /// The words, 1–8,000 characters.
    #[schema(min_length = 1, max_length = 8000)]
    pub text: String,
    /// What it is; `fact` when absent.
    pub r#type: Option<MemoryType>,
    /// What it is about: a newer memory with the same subject takes the older one's place.
    pub subject: Option<String>,
    /// Owner; the credential's own person or principal when absent.
    pub user_id: Option<String>,
    /// Agent or persona it belongs to.
    pub agent_id: Option<String>,
    /// Conversation it comes from.
    pub session_id: Option<String>,
    /// Where it may be shown; `private` when absent.
    pub channel: Option<Channel>,
    /// How carefully it must be kept; `none` when absent.
    pub sensitivity: Option<Sensitivity>,
    /// Events that it rests on, `evt_…`; each must exist.
    #[serde(default)]
    pub refs: Vec<String>,
    /// The memory whose place it takes, `mem_…`.
    pub supersedes: Option<String>,
    /// Since when it is so; now when absent.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub valid_from: Option<Micros>,
    /// When it must be forgotten.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Micros>,
    /// 0–1; by its type and words when absent.
    #[schema(minimum = 0, maximum = 1)]
    pub importance: Option<f64>,
    /// Always part of a bundle.
    #[serde(default)]
    pub pinned: bool,
    /// Up to 100 labels of 1–64 characters.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Up to 16 KiB of the caller's own fields.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
}

/// Changes to a memory; what is absent stays.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemoryPatch {
    /// New words, 1–8,000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<MemoryType>,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// 0–1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub importance: Option<f64>,
    /// Until when it was so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub valid_to: Option<Micros>,
    /// When it must be forgotten.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Micros>,
    /// Labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// The caller's own fields, replaced as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<Map<String, Value>>,
    /// Why, up to 1,000 characters; shown in the history.
    #[serde(skip_serializing_if = "crate::words::is_aside")]
    pub reason: Option<String>,
    /// The version that was looked at: refused with 409 `edit_stale` when the memory has changed since.
    #[serde(skip_serializing_if = "crate::words::is_aside")]
    pub expected_version: Option<i64>,
}

/// One version of a memory.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct MemoryVersion {
    /// Counts from 1.
    pub version: i64,
    /// What made it.
    pub op: String,
    /// The words then.
    pub text: String,
    /// The words before; null for the first.
    pub previous_text: Option<String>,
    /// The other fields then.
    #[schema(value_type = Object)]
    pub fields: Value,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub recorded_at: Micros,
    /// When the next one took its place.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub retired_at: Option<Micros>,
    /// Who made it: `usr_…`, `key_…`, or `rule:…`.
    pub actor: String,
    /// The edit it came from.
    pub edit_id: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// An event that a memory rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct MemorySource {
    /// `evt_…`.
    pub event_id: String,
    /// Where in the event's text it begins, bytes.
    pub start_byte: Option<i64>,
    /// Where it ends.
    pub end_byte: Option<i64>,
}

/// What adding a memory answers.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Added {
    /// The memory, new or as it was.
    pub memory: MemoryItem,
    /// Whether the same was known already: nothing new was made.
    pub merged: bool,
    /// Memories whose place it took.
    pub superseded: Vec<String>,
}

impl NewMemory {
    pub(crate) fn check(&self, now: Micros) -> Result<()> {
        check_text(&self.text)?;
        check_name("subject", self.subject.as_deref())?;
        check_name("user_id", self.user_id.as_deref())?;
        check_name("agent_id", self.agent_id.as_deref())?;
        check_name("session_id", self.session_id.as_deref())?;
        check_list("refs", &self.refs, 256, 200)?;
        check_list("tags", &self.tags, 100, 64)?;
        check_share("importance", self.importance)?;
        check_metadata(&self.metadata)?;
        check_future("expires_at", self.expires_at, now)
    }
}

impl MemoryPatch {
    pub(crate) fn check(&self, now: Micros) -> Result<()> {
        self.text.as_deref().map_or(Ok(()), check_text)?;
        check_name("subject", self.subject.as_deref())?;
        check_list("tags", self.tags.as_deref().unwrap_or_default(), 100, 64)?;
        check_share("importance", self.importance)?;
        self.metadata.as_ref().map_or(Ok(()), check_metadata)?;
        check_future("expires_at", self.expires_at, now)
    }
}

fn check_text(text: &str) -> Result<()> {
    let length = text.chars().count();
    if length > MAX_TEXT {
        let text = format!("a memory holds at most {MAX_TEXT} characters; nothing was stored");
        return Err(Error::new(kernel::ErrorKind::TooLarge, "too_large", text));
    }
    if text.trim().is_empty() {
        return Err(Error::field("text", "holds the words of the memory and may not be empty"));
    }
    Ok(())
}

fn check_share(field: &str, value: Option<f64>) -> Result<()> {
    match value {
        Some(value) if !(0.0..=1.0).contains(&value) => Err(Error::field(field, "is 0 to 1")),
        _ => Ok(()),
    }
}

fn check_metadata(map: &Map<String, Value>) -> Result<()> {
    let size = serde_json::to_string(map).map_or(usize::MAX, |text| text.len());
    if size > MAX_METADATA {
        return Err(Error::new(
            kernel::ErrorKind::TooLarge,
            "too_large",
            "metadata holds at most 16 KiB; nothing was stored",
        ));
    }
    Ok(())
}

fn check_future(field: &str, at: Option<Micros>, now: Micros) -> Result<()> {
    if at.is_some_and(|at| at <= now) { Err(Error::field(field, "lies in the past")) } else { Ok(()) }
}
