//! Words of decisions and tasks, which are read out of the events of their kind.

use kernel::{Error, Micros, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::events::{Channel, Sensitivity};
use crate::words::words;

words! {
    /// How far a decision reaches.
    DecisionScope {
        /// The project.
        Project = "project",
        /// One person.
        User = "user",
        /// Everyone.
        Global = "global",
    }
}

words! {
    /// Where a task stands.
    TaskStatus {
        /// Not begun.
        Open = "open",
        /// Begun.
        Doing = "doing",
        /// Finished.
        Done = "done",
        /// Given up.
        Cancelled = "cancelled",
    }
}

/// A decision to record.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct NewDecision {
    /// What was decided.
    pub decision: String,
    /// Why.
    #[serde(default)]
    pub rationale: Vec<String>,
    /// What it must respect.
    #[serde(default)]
    pub constraints: Vec<String>,
    /// What was turned down.
    #[serde(default)]
    pub alternatives: Vec<String>,
    /// What follows.
    #[serde(default)]
    pub consequences: Vec<String>,
    /// References of 1–200 characters; ours must exist.
    #[serde(default)]
    pub refs: Vec<String>,
    /// `project` when absent.
    pub scope: Option<DecisionScope>,
    /// What it is about: a later decision about the same takes its place.
    pub subject: Option<String>,
    /// The decision whose place it takes, `dec_…`.
    pub supersedes: Option<String>,
    /// Owner.
    pub user_id: Option<String>,
    /// Agent or persona.
    pub agent_id: Option<String>,
    /// Conversation; `decisions` when absent.
    pub session_id: Option<String>,
    /// Where it may be shown; `private` when absent.
    pub channel: Option<Channel>,
    /// How carefully it must be kept.
    pub sensitivity: Option<Sensitivity>,
    /// Tenant, for older clients: refused unless it is the credential's own.
    pub tenant_id: Option<String>,
}

/// A decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Decision {
    /// `dec_…`.
    pub decision_id: String,
    /// The event that records it.
    pub event_id: String,
    /// When it was taken.
    #[schema(value_type = String, format = DateTime)]
    pub ts: Micros,
    /// `active` or `superseded`.
    pub status: String,
    /// `project`, `user` or `global`.
    pub scope: String,
    /// What was decided.
    pub decision: String,
    /// Why.
    pub rationale: Vec<String>,
    /// What it must respect.
    pub constraints: Vec<String>,
    /// What was turned down.
    pub alternatives: Vec<String>,
    /// What follows.
    pub consequences: Vec<String>,
    /// References, those to the decision before and the event among them.
    pub refs: Vec<String>,
    /// What it is about.
    pub subject: Option<String>,
    /// The decision whose place it took.
    pub supersedes: Option<String>,
    /// The decision that took its place.
    pub superseded_by: Option<String>,
    /// Owner.
    pub user_id: String,
    /// Agent or persona.
    pub agent_id: Option<String>,
    /// Conversation.
    pub session_id: String,
    /// Where it may be shown.
    pub channel: String,
    /// How carefully it is kept.
    pub sensitivity: String,
}

/// A task to record, or what changes of one.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskPatch {
    /// What is to be done; needed for a new task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// More about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<TaskStatus>,
    /// −100 to 100; larger is more urgent, 0 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i64>,
    /// When it should be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub due_at: Option<Micros>,
    /// Tasks that must be done before, `tsk_…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocked_by: Option<Vec<String>>,
    /// Who does it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
    /// Owner; the credential's own person or principal when absent.
    #[serde(skip_serializing_if = "crate::words::is_aside")]
    pub user_id: Option<String>,
}

/// A task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Task {
    /// `tsk_…`.
    pub task_id: String,
    /// The event that changed it last.
    pub event_id: String,
    /// The caller's own id.
    pub external_id: Option<String>,
    /// `open`, `doing`, `done` or `cancelled`.
    pub status: String,
    /// What is to be done.
    pub title: String,
    /// More about it.
    pub details: String,
    /// Larger is more urgent.
    pub priority: i64,
    /// When it should be done.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub due_at: Option<Micros>,
    /// Tasks that must be done before.
    pub blocked_by: Vec<String>,
    /// Who does it.
    pub assignee: Option<String>,
    /// References.
    pub refs: Vec<String>,
    /// Owner.
    pub user_id: String,
    /// Agent or persona.
    pub agent_id: Option<String>,
    /// Conversation.
    pub session_id: String,
    /// Where it may be shown.
    pub channel: String,
    /// How carefully it is kept.
    pub sensitivity: String,
    /// When it was first written down.
    #[schema(value_type = String, format = DateTime)]
    pub recorded_at: Micros,
    /// When it changed last.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Micros,
}

/// What the content of a decision event says; text is taken where a list is expected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Decided {
    pub(crate) decision: String,
    pub(crate) lists: [Vec<String>; 4],
    pub(crate) scope: &'static str,
    pub(crate) subject: Option<String>,
    pub(crate) supersedes: Option<String>,
}

/// The names of [`Decided::lists`].
const LISTS: [&str; 4] = ["rationale", "constraints", "alternatives", "consequences"];

impl Decided {
    /// Reads an event's content; `None` when it says no decision.
    pub(crate) fn read(content: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| content.get(name).and_then(Value::as_str).map(str::to_owned);
        let decision = text("decision").or_else(|| text("text")).filter(|text| !text.trim().is_empty())?;
        let scope =
            text("scope").and_then(|word| DecisionScope::parse(&word)).unwrap_or(DecisionScope::Project);
        Some(Self {
            decision,
            lists: LISTS.map(|name| texts(content.get(name))),
            scope: scope.as_str(),
            subject: text("subject").filter(|subject| !subject.is_empty()),
            supersedes: text("supersedes"),
        })
    }
}

/// A list of texts, or a text as a list of one.
fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) if !text.is_empty() => vec![text.clone()],
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

impl NewDecision {
    /// The content of its event.
    pub(crate) fn content(&self) -> Map<String, Value> {
        let mut content = Map::new();
        content.insert("decision".to_owned(), self.decision.clone().into());
        let lists = [&self.rationale, &self.constraints, &self.alternatives, &self.consequences];
        for (name, list) in LISTS.into_iter().zip(lists) {
            content.insert(name.to_owned(), list.clone().into());
        }
        content.insert("scope".to_owned(), json!(self.scope.unwrap_or(DecisionScope::Project)));
        for (name, text) in [("subject", &self.subject), ("supersedes", &self.supersedes)] {
            content.extend(text.clone().map(|text| (name.to_owned(), text.into())));
        }
        content
    }
}

/// What the content of a task event says.
#[derive(Clone, Debug, Default)]
pub(crate) struct TaskChange {
    /// `tsk_…`, or an id of the caller's own; absent for a new task.
    pub(crate) task_id: Option<String>,
    pub(crate) patch: TaskPatch,
}

impl TaskChange {
    /// Reads an event's content.
    ///
    /// # Errors
    /// `validation_failed` with the field.
    pub(crate) fn read(content: &Map<String, Value>) -> Result<Self> {
        let names = ["title", "details", "status", "priority", "due_at", "blocked_by", "assignee"];
        let known = content.iter().filter(|(name, value)| names.contains(&name.as_str()) && !value.is_null());
        let known: Map<String, Value> = known.map(|(name, value)| (name.clone(), value.clone())).collect();
        let patch: TaskPatch = serde_json::from_value(known.into())
            .map_err(|error| Error::field("content", error.to_string()))?;
        patch.check("content.")?;
        Ok(Self { task_id: content.get("task_id").and_then(Value::as_str).map(str::to_owned), patch })
    }
}

impl TaskPatch {
    /// Checks ranges and lengths; `before` begins the names of fields.
    ///
    /// # Errors
    /// `validation_failed` with the field.
    pub(crate) fn check(&self, before: &str) -> Result<()> {
        let name = |field: &str| format!("{before}{field}");
        if self.title.as_ref().is_some_and(|title| title.trim().is_empty() || title.chars().count() > 500) {
            return Err(Error::field(name("title"), "is 1 to 500 characters"));
        }
        if self.details.as_ref().is_some_and(|details| details.chars().count() > 8_000) {
            return Err(Error::field(name("details"), "is at most 8,000 characters"));
        }
        if !(-100..=100).contains(&self.priority.unwrap_or(0)) {
            return Err(Error::field(name("priority"), "is -100 to 100"));
        }
        if self.blocked_by.as_ref().is_some_and(|list| list.len() > 64) {
            return Err(Error::field(name("blocked_by"), "names at most 64 tasks"));
        }
        Ok(())
    }
}
