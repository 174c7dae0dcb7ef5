//! From rows to items: what each section may hold, the most wanted first.

use std::fmt::Write;

use kernel::Micros;
use serde::Deserialize;

use super::fill::Candidate;
use super::model::{BundleItem, ItemType};
use super::store::{CapsuleRow, ChunkOfEvent, PinnedRow, RuleRow};
use crate::blocks::Block;
use crate::events::Event;
use crate::search::store::ChunkRow;
use crate::search::{SearchHit, chunk_text, event_text};
use crate::timeline::store::StoredEvent;
use crate::work::{Decision, Task};

/// References of one item.
const MOST_REFS: usize = 32;

fn text_item(source: &str, text: String, trust: &str, at: i64) -> BundleItem {
    BundleItem {
        r#type: ItemType::Text,
        text: Some(text),
        decision_id: None,
        task_id: None,
        artifact_id: None,
        refs: Vec::new(),
        source: source.to_owned(),
        actor: None,
        trust: trust.to_owned(),
        occurred_at: Micros(at),
        token_est: 0,
        excerpt: false,
    }
}

fn refs<'a>(own: &[&str], others: impl IntoIterator<Item = &'a String>) -> Vec<String> {
    let mut all: Vec<String> = own.iter().map(|id| (*id).to_owned()).collect();
    for other in others {
        if !all.contains(other) && all.len() < MOST_REFS {
            all.push(other.clone());
        }
    }
    all
}

/// Blocks, a line for each that changed since the last bundle, and pinned memories.
pub(super) fn identity(blocks: &[Block], pinned: &[PinnedRow], last_bundle: Option<i64>) -> Vec<Candidate> {
    let changed = blocks.iter().filter(|block| last_bundle.is_some_and(|last| block.recorded_at.0 > last));
    let notices = changed.map(|block| {
        let text = format!("block \"{}\" changed; this is version {}", block.label, block.version);
        let item = text_item("notice", text, "user", block.recorded_at.0);
        Candidate {
            id: block.block_id.clone(),
            item: BundleItem { refs: vec![block.block_id.clone()], ..item },
        }
    });
    let blocks = blocks.iter().filter(|block| !block.text.trim().is_empty()).map(|block| {
        let text = format!("{}: {}", block.label, block.text);
        let item = text_item("block", text, "user", block.recorded_at.0);
        let refs = vec![block.block_id.clone()];
        let actor = block.agent_id.clone();
        Candidate { id: block.block_id.clone(), item: BundleItem { refs, actor, ..item } }
    });
    let pinned = pinned.iter().map(|row| {
        let head = &row.head;
        let item = text_item("memory", head.text.clone(), &head.trust, head.valid_from);
        let refs = refs(&[&head.memory_id], &row.source);
        Candidate { id: head.memory_id.clone(), item: BundleItem { refs, ..item } }
    });
    notices.chain(blocks).chain(pinned).collect()
}

pub(super) fn rules(rows: &[RuleRow]) -> Vec<Candidate> {
    let candidate = |row: &RuleRow| {
        let item = text_item("rule", format!("[{}] {}", row.scope, row.content), "user", row.recorded_at);
        Candidate { id: row.rule_id.clone(), item: BundleItem { refs: vec![row.rule_id.clone()], ..item } }
    };
    rows.iter().map(candidate).collect()
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Packet {
    goal: String,
    state: String,
    next_steps: Vec<String>,
    open_questions: Vec<String>,
}

/// What a capsule hands over beside its packet.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Handed {
    pub(super) decisions: Vec<String>,
    pub(super) chunks: Vec<String>,
}

impl Handed {
    pub(super) fn read(row: &CapsuleRow) -> Self {
        serde_json::from_str(&row.items).unwrap_or_default()
    }
}

/// The packet of a capsule; `refs` are those of its items that may be read.
pub(super) fn packet(row: &CapsuleRow, allowed: &[String]) -> Candidate {
    let packet: Packet = serde_json::from_str(&row.packet).unwrap_or_default();
    let risks: Vec<String> = serde_json::from_str(&row.risks).unwrap_or_default();
    let parts = [
        ("Goal", packet.goal),
        ("State", packet.state),
        ("Next", packet.next_steps.join("; ")),
        ("Open", packet.open_questions.join("; ")),
        ("Risks", risks.join("; ")),
    ];
    let said = parts.iter().filter(|(_, text)| !text.is_empty());
    let text = said.map(|(name, text)| format!("{name}: {text}")).collect::<Vec<_>>().join("\n");
    let item = text_item("capsule", text, "agent", row.recorded_at);
    let (refs, actor) = (refs(&[&row.capsule_id], allowed), Some(row.author_agent_id.clone()));
    Candidate { id: row.capsule_id.clone(), item: BundleItem { refs, actor, ..item } }
}

/// A chunk that a capsule hands over.
pub(super) fn handed_chunk(row: &ChunkOfEvent) -> Candidate {
    let chunk = ChunkRow {
        chunk_id: row.chunk_id.clone(),
        event_id: row.event.event_id.clone(),
        start_byte: row.start_byte,
        end_byte: row.end_byte,
        token_est: 0,
        importance: 0.0,
        text: row.chunk_text.clone(),
    };
    let event = Event::from(row.event.clone());
    let item = event_item(&event, chunk_text(&chunk, &row.event), Some(&row.chunk_id));
    Candidate { id: row.chunk_id.clone(), item }
}

/// A decision with who is trusted for it.
pub(super) fn decision((decision, trust): &(Decision, String)) -> Candidate {
    let lists = [
        ("because", &decision.rationale),
        ("constraints", &decision.constraints),
        ("instead of", &decision.alternatives),
        ("consequences", &decision.consequences),
    ];
    let mut text = decision.decision.clone();
    for (name, list) in lists.iter().filter(|(_, list)| !list.is_empty()) {
        let _ = write!(text, "\n{name}: {}", list.join("; "));
    }
    let item = text_item("decision", text, trust, decision.ts.0);
    let refs = refs(&[&decision.decision_id, &decision.event_id], &decision.refs);
    let decision_id = Some(decision.decision_id.clone());
    Candidate {
        id: decision.decision_id.clone(),
        item: BundleItem { r#type: ItemType::Decision, decision_id, refs, ..item },
    }
}

/// A task with who is trusted for it.
pub(super) fn task((task, trust): &(Task, String)) -> Candidate {
    let mut text = format!("[{}] {}", task.status, task.title);
    if !task.details.is_empty() {
        text.push('\n');
        text.push_str(&task.details);
    }
    if let Some(due) = task.due_at {
        let _ = write!(text, "\ndue {due}");
    }
    if !task.blocked_by.is_empty() {
        let _ = write!(text, "\nwaits for {}", task.blocked_by.join(", "));
    }
    let item = text_item("task", text, trust, task.updated_at.0);
    let refs = refs(&[&task.task_id, &task.event_id], &task.refs);
    let task_id = Some(task.task_id.clone());
    Candidate {
        id: task.task_id.clone(),
        item: BundleItem { r#type: ItemType::Task, task_id, actor: task.assignee.clone(), refs, ..item },
    }
}

/// A turn of the conversation, by the words that are indexed, or else by all it holds.
pub(super) fn turn(row: &StoredEvent) -> Candidate {
    let words = event_text(row);
    let text = if words.trim().is_empty() { row.content.clone() } else { words };
    let event = Event::from(row.clone());
    let item = BundleItem { excerpt: event.truncated, ..event_item(&event, text, None) };
    Candidate { id: event.event_id, item }
}

/// What recall found.
pub(super) fn evidence_item(hit: &SearchHit) -> BundleItem {
    if let Some(event) = &hit.event {
        return event_item(event, hit.text.clone(), Some(&hit.id));
    }
    let item = text_item("memory", hit.text.clone(), &hit.trust, hit.occurred_at.0);
    BundleItem { refs: refs(&[&hit.id], &hit.refs), ..item }
}

fn event_item(event: &Event, text: String, chunk: Option<&str>) -> BundleItem {
    let own: Vec<&str> = chunk.into_iter().chain([event.event_id.as_str()]).collect();
    BundleItem {
        refs: refs(&own, &event.refs),
        artifact_id: event.artifact_id.clone(),
        actor: Some(event.actor_name.as_ref().unwrap_or(&event.actor_id).clone()),
        ..text_item(&event.kind, text, &event.trust, event.ts.0)
    }
}
