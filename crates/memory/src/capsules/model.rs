//! Words of capsules.

use kernel::{Error, ErrorKind, Micros, Result};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::events::{check_list, check_name};
use crate::work::Decision;

/// Tokens of a capsule with all that it names.
pub(super) const MAX_TOKENS: usize = 6_000;
const MAX_AUDIENCE: usize = 32;
const MAX_CHUNKS: usize = 20;
/// Decisions, and artifacts, of one capsule.
const MAX_NAMED: usize = 50;
/// Days until a capsule expires when nobody says.
const TTL_DAYS: i64 = 7;

/// What is handed over in words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Packet {
    /// What is to be reached.
    pub goal: String,
    /// How far it is.
    #[serde(default)]
    pub state: String,
    /// What to do next.
    #[serde(default)]
    pub next_steps: Vec<String>,
    /// What is not known yet.
    #[serde(default)]
    pub open_questions: Vec<String>,
}

/// What a capsule refers to; each must be the owner's and exist.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CapsuleItems {
    /// Up to 50 `dec_…`.
    pub decisions: Vec<String>,
    /// Up to 20 `chk_…`.
    pub chunks: Vec<String>,
    /// Up to 50 `art_…`.
    pub artifacts: Vec<String>,
}

/// A capsule to make.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCapsule {
    /// The agent that hands over.
    pub author_agent_id: String,
    /// The 1–32 agents that may read it.
    pub audience_agent_ids: Vec<String>,
    /// What it is about: the caller's own word, such as `task`; `task` when absent.
    pub subject_type: Option<String>,
    /// Which one: an id of ours, which must exist, or of the caller's own.
    pub subject_id: Option<String>,
    /// What is handed over in words.
    pub packet: Packet,
    /// What it refers to.
    #[serde(default, deserialize_with = "crate::wire::object")]
    pub items: CapsuleItems,
    /// What may go wrong.
    #[serde(default)]
    pub risks: Vec<String>,
    /// Days until it expires, 1–90; 7 when absent.
    #[schema(minimum = 1, maximum = 90)]
    pub ttl_days: Option<i64>,
    /// Owner; the credential's own person or principal when absent.
    pub user_id: Option<String>,
}

/// A capsule as its author and audience read it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Capsule {
    /// `cap_…`.
    pub capsule_id: String,
    /// Owner.
    pub user_id: String,
    /// The agent that hands over.
    pub author_agent_id: String,
    /// The agents that may read it.
    pub audience_agent_ids: Vec<String>,
    /// What it is about.
    pub subject_type: String,
    /// Which one; empty when nobody said.
    pub subject_id: String,
    /// What is handed over in words.
    pub packet: Packet,
    /// What it refers to, as far as it may be read now and where it is asked.
    pub items: CapsuleContents,
    /// What may go wrong.
    pub risks: Vec<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub recorded_at: Micros,
    /// When it expires.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Micros,
}

/// What a capsule refers to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct CapsuleContents {
    /// Decisions, as they are now.
    pub decisions: Vec<Decision>,
    /// Pieces of events, word for word.
    pub chunks: Vec<CapsuleChunk>,
    /// `art_…`; their bytes are read by their own route.
    pub artifacts: Vec<String>,
}

/// A piece of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CapsuleChunk {
    /// `chk_…`.
    pub chunk_id: String,
    /// `evt_…`.
    pub event_id: String,
    /// The words.
    pub text: String,
    /// Who acted.
    pub actor_id: String,
    /// How far the actor's word is trusted.
    pub trust: String,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    pub occurred_at: Micros,
}

impl NewCapsule {
    /// Checks lengths and ranges; returns in how many days it expires.
    pub(super) fn check(&self) -> Result<i64> {
        check_name("author_agent_id", Some(&self.author_agent_id))?;
        check_name("user_id", self.user_id.as_deref())?;
        check_name("subject_type", self.subject_type.as_deref())?;
        check_name("subject_id", self.subject_id.as_deref())?;
        if self.audience_agent_ids.is_empty() {
            return Err(Error::field("audience_agent_ids", "names 1 to 32 agents"));
        }
        check_list("audience_agent_ids", &self.audience_agent_ids, MAX_AUDIENCE, 256)?;
        check_list("items.decisions", &self.items.decisions, MAX_NAMED, 200)?;
        check_list("items.chunks", &self.items.chunks, MAX_CHUNKS, 200)?;
        check_list("items.artifacts", &self.items.artifacts, MAX_NAMED, 200)?;
        if self.packet.goal.trim().is_empty() {
            return Err(Error::field("packet.goal", "says what is to be reached and may not be empty"));
        }
        let days = self.ttl_days.unwrap_or(TTL_DAYS);
        if (1..=90).contains(&days) { Ok(days) } else { Err(Error::field("ttl_days", "is 1 to 90")) }
    }
}

impl CapsuleItems {
    /// Every reference with the name of its field.
    pub(super) fn named(&self) -> impl Iterator<Item = (String, &'static str, &String)> {
        let lists = [
            ("decisions", "dec", &self.decisions),
            ("chunks", "chk", &self.chunks),
            ("artifacts", "art", &self.artifacts),
        ];
        lists.into_iter().flat_map(|(field, prefix, ids)| {
            ids.iter().enumerate().map(move |(at, id)| (format!("items.{field}[{at}]"), prefix, id))
        })
    }
}

pub(super) fn too_large(tokens: usize) -> Error {
    let text = format!(
        "a capsule holds at most {MAX_TOKENS} tokens with all that it names, this one {tokens}; nothing was stored"
    );
    Error::new(ErrorKind::TooLarge, "too_large", text)
}
