//! What mem0's clients send and read.

use kernel::{Error, Micros, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use crate::events::{ActorType, check_name};
use crate::memories::{MemoryItem, MemoryVersion};

/// Name in the metadata under which the application is kept.
pub(super) const APP: &str = "app_id";

/// Whose memory is meant.
#[derive(Clone, Debug, Default)]
pub(super) struct Entities {
    pub(super) user: Option<String>,
    pub(super) agent: Option<String>,
    pub(super) app: Option<String>,
    pub(super) run: Option<String>,
}

impl Entities {
    /// Reads a request's own names, and those among its filters where it has none.
    ///
    /// # Errors
    /// `validation_failed` with the field.
    pub(super) fn of(named: [&Option<String>; 4], filters: &Map<String, Value>) -> Result<Self> {
        let names = ["user_id", "agent_id", APP, "run_id"];
        let in_filters = |name: &str| filters.get(name).and_then(Value::as_str).map(str::to_owned);
        let mut found = [None, None, None, None];
        for ((place, name), given) in found.iter_mut().zip(names).zip(named) {
            *place = given.clone().or_else(|| in_filters(name));
            check_name(name, place.as_deref())?;
        }
        let [user, agent, app, run] = found;
        Ok(Self { user, agent, app, run })
    }

    pub(super) fn is_empty(&self) -> bool {
        [&self.user, &self.agent, &self.app, &self.run].into_iter().all(Option::is_none)
    }
}

/// Who speaks in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Mem0Role)]
pub(super) enum Role {
    /// A person.
    User,
    /// An agent.
    Assistant,
    /// Instructions: kept, never a source of memories.
    System,
    /// Instructions under their newer name.
    Developer,
    /// A tool.
    Tool,
}

impl Role {
    pub(super) fn actor(self) -> ActorType {
        match self {
            Self::User => ActorType::Human,
            Self::Assistant | Self::System | Self::Developer => ActorType::Agent,
            Self::Tool => ActorType::Tool,
        }
    }

    pub(super) fn instructs(self) -> bool {
        matches!(self, Self::System | Self::Developer)
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::System | Self::Developer => "system",
            Self::Tool => "tool",
        }
    }
}

/// A message of a conversation.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[schema(as = Mem0Message)]
pub(super) struct Message {
    /// Who speaks.
    pub(super) role: Role,
    /// The words.
    pub(super) content: String,
    /// The speaker's name.
    pub(super) name: Option<String>,
}

/// Messages to remember.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = Mem0Add)]
pub(super) struct NewMemories {
    /// 1–100 messages.
    pub(super) messages: Vec<Message>,
    /// Owner; the credential's own person or principal when absent.
    pub(super) user_id: Option<String>,
    /// Agent or persona.
    pub(super) agent_id: Option<String>,
    /// Application; kept in the metadata.
    pub(super) app_id: Option<String>,
    /// Conversation.
    pub(super) run_id: Option<String>,
    /// The caller's own fields.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub(super) metadata: Map<String, Value>,
    /// Whether memories are derived from the messages, which is the default, or each is kept as it is said.
    pub(super) infer: Option<bool>,
    /// When it was said, seconds since 1970.
    pub(super) timestamp: Option<i64>,
    /// Last day on which it is remembered, `YYYY-MM-DD`.
    pub(super) expiration_date: Option<String>,
    /// The ids above, for clients that send them here.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub(super) filters: Map<String, Value>,
    /// `v1.1` wraps a list into an object, on v1 routes.
    pub(super) output_format: Option<String>,
}

/// A question.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = Mem0Search)]
pub(super) struct Question {
    /// The question, 1–4,000 characters.
    pub(super) query: String,
    /// Owner.
    pub(super) user_id: Option<String>,
    /// Only of this agent.
    pub(super) agent_id: Option<String>,
    /// Only of this application.
    pub(super) app_id: Option<String>,
    /// Only of this conversation.
    pub(super) run_id: Option<String>,
    /// Conditions with `AND`, `OR`, `NOT` and the operators `eq`, `ne`, `in`, `gt`, `gte`, `lt`, `lte`, `contains`, `icontains`; a
    /// name that is none of mem0's own is one of the metadata.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub(super) filters: Map<String, Value>,
    /// Hits at most, 1–200; 10 when absent.
    pub(super) top_k: Option<i64>,
    /// The same under its older name.
    pub(super) limit: Option<i64>,
    /// Only hits with at least this score, 0–1.
    pub(super) threshold: Option<f64>,
    /// Ask a reranking model, where there is one.
    pub(super) rerank: Option<bool>,
    /// Only memories with one of these tags.
    pub(super) categories: Option<Vec<String>>,
    /// The day or instant that "yesterday" in the question is counted from.
    pub(super) reference_date: Option<String>,
    /// `v1.1` wraps a list into an object, on v1 and v2 routes.
    pub(super) output_format: Option<String>,
}

/// Which memories are listed.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = Mem0List)]
pub(super) struct Listing {
    /// Owner.
    pub(super) user_id: Option<String>,
    /// Only of this agent.
    pub(super) agent_id: Option<String>,
    /// Only of this application.
    pub(super) app_id: Option<String>,
    /// Only of this conversation.
    pub(super) run_id: Option<String>,
    /// As in a search; empty for everything.
    #[schema(value_type = Object)]
    pub(super) filters: Map<String, Value>,
    /// Only memories with one of these tags.
    pub(super) categories: Option<Vec<String>>,
    /// Only memories recorded on or after this day or instant.
    pub(super) start_date: Option<String>,
    /// Only memories recorded on or before this day or instant.
    pub(super) end_date: Option<String>,
}

/// Whose memories are listed or deleted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Whose {
    /// Owner.
    pub(super) user_id: Option<String>,
    /// Only of this agent.
    pub(super) agent_id: Option<String>,
    /// Only of this application.
    pub(super) app_id: Option<String>,
    /// Only of this conversation.
    pub(super) run_id: Option<String>,
    /// Page, from 1.
    pub(super) page: Option<i64>,
    /// Memories on a page, 1–1,000; 100 when absent.
    pub(super) page_size: Option<i64>,
    /// The same for the self-hosted paths.
    pub(super) limit: Option<i64>,
}

/// Which page of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PageOf {
    /// Page, from 1.
    pub(super) page: Option<i64>,
    /// Memories on a page, 1–1,000; 100 when absent.
    pub(super) page_size: Option<i64>,
}

/// What changes of a memory.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = Mem0Update)]
pub(super) struct Update {
    /// New words.
    #[serde(alias = "data", alias = "memory")]
    pub(super) text: Option<String>,
    /// The caller's own fields, replaced as a whole.
    #[schema(value_type = Option<Object>)]
    pub(super) metadata: Option<Map<String, Value>>,
    /// Last day on which it is remembered, `YYYY-MM-DD`.
    pub(super) expiration_date: Option<String>,
}

/// A memory as mem0's clients read it.
#[derive(Debug, Serialize)]
pub(super) struct Remembered {
    id: String,
    memory: String,
    user_id: String,
    agent_id: Option<String>,
    app_id: Option<String>,
    run_id: Option<String>,
    metadata: Map<String, Value>,
    categories: Vec<String>,
    created_at: Micros,
    /// Known where the memory was never changed, or was read alone.
    updated_at: Option<Micros>,
    expiration_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
}

impl Remembered {
    pub(super) fn new(item: MemoryItem) -> Self {
        Self {
            app_id: item.metadata.get(APP).and_then(Value::as_str).map(str::to_owned),
            updated_at: (item.version == 1).then_some(item.recorded_at),
            expiration_date: item.expires_at.map(last_day),
            id: item.memory_id,
            memory: item.text,
            user_id: item.user_id,
            agent_id: item.agent_id,
            run_id: item.conversation_id,
            metadata: item.metadata,
            categories: item.tags,
            created_at: item.recorded_at,
            score: None,
        }
    }

    pub(super) fn with_score(self, score: f64) -> Self {
        Self { score: Some(score), ..self }
    }

    pub(super) fn changed_at(self, at: Micros) -> Self {
        Self { updated_at: Some(at), ..self }
    }
}

/// One step in the history of a memory.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    id: String,
    memory_id: String,
    user_id: String,
    old_memory: Option<String>,
    new_memory: Option<String>,
    event: &'static str,
    created_at: Micros,
    updated_at: Micros,
    actor_id: String,
    is_deleted: bool,
}

impl Step {
    pub(super) fn new(of: &MemoryItem, version: MemoryVersion) -> Self {
        let event = match version.op.as_str() {
            "ADD" => "ADD",
            "RETRACT" | "BLOCK" | "EXPIRE" | "SUPERSEDE" => "DELETE",
            _ => "UPDATE",
        };
        let is_deleted = event == "DELETE";
        Self {
            id: format!("{}-{}", of.memory_id, version.version),
            memory_id: of.memory_id.clone(),
            user_id: of.user_id.clone(),
            old_memory: version.previous_text,
            new_memory: (!is_deleted).then_some(version.text),
            event,
            created_at: of.recorded_at,
            updated_at: version.recorded_at,
            actor_id: version.actor,
            is_deleted,
        }
    }
}

/// The last instant of a day, from which on a memory is forgotten.
///
/// # Errors
/// `validation_failed` for `expiration_date`.
pub(super) fn end_of(day: &str) -> Result<Micros> {
    match instant("expiration_date", day)? {
        (at, true) => Ok(at.plus(Micros::DAY)),
        _ => Err(Error::field("expiration_date", "is a day such as 2026-01-31")),
    }
}

fn last_day(end: Micros) -> String {
    end.plus(-1).to_string().chars().take(10).collect()
}

/// Reads an instant or a whole day, and whether it is the latter.
///
/// # Errors
/// `validation_failed` for the field.
pub(super) fn instant(field: &str, text: &str) -> Result<(Micros, bool)> {
    let day = Micros::parse(&format!("{text}T00:00:00Z")).map(|at| (at, true));
    let read = if text.len() == 10 { day } else { Micros::parse(text).map(|at| (at, false)) };
    read.map_err(|_| {
        Error::field(field, "is a day such as 2026-01-31 or an instant such as 2026-01-31T12:00:00Z")
    })
}
