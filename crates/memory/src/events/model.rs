//! Words of recording: kinds, channels, sensitivities, and an event on its way in and out.

use kernel::Micros;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::words::words;

words! {
    /// What an event is.
    EventKind {
        /// Something said.
        Message = "message",
        /// A tool asked for.
        ToolCall = "tool_call",
        /// What a tool answered.
        ToolResult = "tool_result",
        /// A decision and why.
        Decision = "decision",
        /// A task that changed.
        TaskUpdate = "task_update",
        /// A file or document.
        Artifact = "artifact",
        /// A remark.
        Note = "note",
    }
}

words! {
    /// Where something was said, and where an answer will be shown.
    Channel {
        /// Between one person and their agents.
        Private = "private",
        /// In the team.
        Team = "team",
        /// In the open.
        Public = "public",
        /// Between agents working for one person.
        Agent = "agent",
    }
}

words! {
    /// How carefully something must be kept; the order is from open to closed.
    Sensitivity {
        /// Nothing special.
        None = "none",
        /// Not for the public.
        Low = "low",
        /// For the person and the team.
        High = "high",
        /// Never indexed, recalled or bundled.
        Secret = "secret",
    }
}

words! {
    /// Who acted.
    ActorType {
        /// A person.
        Human = "human",
        /// An agent.
        Agent = "agent",
        /// A tool.
        Tool = "tool",
    }
}

impl ActorType {
    /// How far the actor's word is trusted.
    pub(crate) fn trust(self) -> &'static str {
        match self {
            Self::Human => "user",
            Self::Agent => "agent",
            Self::Tool => "tool",
        }
    }
}

/// Who acted in an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Actor {
    /// Kind of actor.
    #[serde(rename = "type")]
    pub kind: ActorType,
    /// The caller's own id of the actor, 1–256 characters.
    pub id: String,
    /// Name as spoken, 1–256 characters; the id when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// An event to record.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct NewEvent {
    /// Conversation or task it belongs to, 1–256 characters of the caller's choice.
    pub session_id: String,
    /// Where it was said.
    pub channel: Channel,
    /// Who acted.
    pub actor: Actor,
    /// What it is.
    pub kind: EventKind,
    /// The event itself. `message` and `note` hold `text`; images `caption` and `image_query` beside it.
    #[schema(value_type = Object)]
    pub content: Map<String, Value>,
    /// How carefully it must be kept; `none` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitivity: Option<Sensitivity>,
    /// Up to 100 labels of 1–64 characters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Up to 256 references of 1–200 characters; `evt_…` must exist, `client:<client_event_id>` points inside a batch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refs: Vec<String>,
    /// Owner; the credential's own person or principal when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Agent or persona it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// The caller's own id: recording the same again answers the first result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_event_id: Option<String>,
    /// When it happened: any past instant, at most 24 h ahead; now when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub occurred_at: Option<Micros>,
    /// When it must be forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Micros>,
    /// Marks text that came out of memory or a system prompt: kept, never indexed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recalled: bool,
    /// Tenant, for older clients: refused unless it is the credential's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
}

/// What recording one event answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Recorded {
    /// `evt_…`.
    pub event_id: String,
    /// `chk_…`, in the order of the text; empty for what is never indexed.
    pub chunk_ids: Vec<String>,
    /// `art_…` when the text was too large to keep inline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_id: Option<String>,
    /// Whether this very event had been recorded before.
    pub duplicate: bool,
    /// Kinds and counts of the secrets that were taken out before storing: such an event is kept as `secret`.
    #[schema(value_type = Vec<Object>)]
    pub redactions: Vec<Value>,
}

/// What recording a batch answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordedBatch {
    /// One for each event, in their order.
    pub results: Vec<Recorded>,
    /// Events recorded now.
    pub accepted: usize,
    /// Events that had been recorded before.
    pub duplicates: usize,
}

/// A recorded event.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Event {
    /// `evt_…`.
    pub event_id: String,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    pub ts: Micros,
    /// When it was recorded.
    #[schema(value_type = String, format = DateTime)]
    pub recorded_at: Micros,
    /// Tenant.
    pub tenant_id: String,
    /// Owner.
    pub user_id: String,
    /// Agent or persona.
    pub agent_id: Option<String>,
    /// Conversation.
    pub session_id: String,
    /// Place in the conversation, increasing.
    pub seq: i64,
    /// Where it was said.
    pub channel: String,
    /// How carefully it is kept.
    pub sensitivity: String,
    /// What it is.
    pub kind: String,
    /// Kind of actor.
    pub actor_type: String,
    /// Actor.
    pub actor_id: String,
    /// Actor's name.
    pub actor_name: Option<String>,
    /// Labels.
    pub tags: Vec<String>,
    /// The event itself, word for word.
    #[schema(value_type = Object)]
    pub content: Value,
    /// References.
    pub refs: Vec<String>,
    /// Estimated tokens of the text.
    pub token_est: i64,
    /// Whether `content` holds an excerpt; the whole is in the artifact.
    pub truncated: bool,
    /// `art_…`.
    pub artifact_id: Option<String>,
    /// The caller's own id.
    pub client_event_id: Option<String>,
    /// How far the actor's word is trusted.
    pub trust: String,
}

/// A conversation in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SessionSummary {
    /// The caller's own id of the conversation.
    pub session_id: String,
    /// Owner.
    pub user_id: String,
    /// Events recorded.
    pub event_count: i64,
    /// When its earliest event happened.
    #[schema(value_type = String, format = DateTime)]
    pub first_at: Micros,
    /// When its latest event happened.
    #[schema(value_type = String, format = DateTime)]
    pub last_at: Micros,
}
