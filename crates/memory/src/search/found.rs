//! From ranked keys to hits: the rows behind them, and which of them were asked for.

use std::collections::HashMap;

use kernel::{Ctx, Micros, Result};
use recall::{Group, Part};
use serde_json::Value;
use store::Conn;

use super::filter::field_of_memory;
use super::hits::chunk_text;
use super::model::{Explain, SearchHit, SearchRequest, Show};
use super::store as sql;
use crate::events::{Actor, ActorType, Event};
use crate::memories::history::store as history;
use crate::memories::store::{self as memory_sql, Head};
use crate::memories::{MemoryState, MemoryVersion};
use crate::timeline::store::StoredEvent;

/// Reads what stands behind the best keys, best first. What is gone meanwhile is passed over.
pub(super) async fn found(
    conn: &mut Conn,
    ctx: &Ctx,
    request: &SearchRequest,
    best: Vec<recall::Hit>,
    now: Micros,
) -> Result<Vec<SearchHit>> {
    let (memories, turns): (Vec<&str>, Vec<&str>) =
        best.iter().map(|hit| hit.key.as_str()).partition(|key| is_memory(key));
    let chunks = by_key(sql::list_chunks(conn, &ctx.tenant, &turns).await?, |chunk| chunk.chunk_id.clone());
    let ids: Vec<&str> = chunks.values().map(|chunk| chunk.event_id.as_str()).collect();
    let events = sql::list_events_by_id(conn, &ctx.tenant, &ids, now).await?;
    // Read once, however many chunks of it were found.
    let events: HashMap<String, (StoredEvent, Event)> =
        events.into_iter().map(|row| (row.event_id.clone(), (row.clone(), row.into()))).collect();
    let mut memories = read_memories(conn, ctx, request, &memories).await?;
    let mut found = Vec::with_capacity(best.len());
    for hit in best {
        if let Some(memory) = memories.remove(&hit.key) {
            found.extend(memory.hit(hit, request, now));
        } else if let Some(chunk) = chunks.get(&hit.key)
            && let Some((row, event)) = events.get(&chunk.event_id)
        {
            found.push(event_hit(hit, chunk_text(chunk, row), event.clone()));
        }
    }
    found.sort_by(better);
    Ok(found)
}

/// Score rounded to 1e-6, then newer, then id.
fn better(a: &SearchHit, b: &SearchHit) -> std::cmp::Ordering {
    let rounded = |hit: &SearchHit| (hit.score * 1e6).round() as i64;
    let newer = || b.occurred_at.cmp(&a.occurred_at);
    rounded(b).cmp(&rounded(a)).then_with(newer).then_with(|| a.id.cmp(&b.id))
}

pub(super) fn is_memory(key: &str) -> bool {
    key.starts_with("mem_")
}

fn by_key<T>(rows: Vec<T>, key: impl Fn(&T) -> String) -> HashMap<String, T> {
    rows.into_iter().map(|row| (key(&row), row)).collect()
}

/// A memory with the events it rests on, and its versions if the words of an earlier instant are wanted.
struct Remembered {
    head: Head,
    sources: Vec<String>,
    versions: Vec<MemoryVersion>,
}

async fn read_memories(
    conn: &mut Conn,
    ctx: &Ctx,
    request: &SearchRequest,
    ids: &[&str],
) -> Result<HashMap<String, Remembered>> {
    let mut memories = HashMap::with_capacity(ids.len());
    if ids.is_empty() {
        return Ok(memories);
    }
    let mut sources: HashMap<String, Vec<String>> = HashMap::new();
    for (memory_id, event_id) in history::list_sources_of(conn, &ctx.tenant, ids).await? {
        sources.entry(memory_id).or_default().push(event_id);
    }
    for head in memory_sql::list_by_id(conn, &ctx.tenant, ids).await? {
        let versions = match request.as_of {
            Some(_) => history::list_versions(conn, &ctx.tenant, &head.memory_id).await?,
            None => Vec::new(),
        };
        let sources = sources.remove(&head.memory_id).unwrap_or_default();
        memories.insert(head.memory_id.clone(), Remembered { head, sources, versions });
    }
    Ok(memories)
}

impl Remembered {
    /// The hit, if the memory may be shown; its strength moves the score by at most a tenth.
    fn hit(mut self, hit: recall::Hit, request: &SearchRequest, now: Micros) -> Option<SearchHit> {
        let is_shown = |what: Show| request.show.contains(&what);
        let is_active = self.head.state == MemoryState::Active.as_str();
        let is_waiting = self.head.state == MemoryState::Quarantined.as_str() && is_shown(Show::Quarantined);
        let has_expired = self.head.expires_at.is_some_and(|at| at <= now.0);
        if !(is_active || is_waiting) || has_expired {
            return None;
        }
        if let Some(at) = request.as_of {
            self.go_back_to(at)?;
        }
        let strength = self.head.strength(request.reference_date.unwrap_or(now));
        let score = (hit.score * (0.9 + 0.2 * strength)).clamp(0.0, 1.0);
        let explain = request.explain.then(|| explain_with(hit.explain, strength, score - hit.score));
        let memory = self.head.item(now);
        Some(SearchHit {
            kind: "memory",
            id: memory.memory_id.clone(),
            event: None,
            text: memory.text.clone(),
            score,
            session_id: memory.conversation_id.clone(),
            seq: None,
            actor: None,
            occurred_at: memory.valid_from,
            valid_from: Some(memory.valid_from),
            valid_to: memory.valid_to,
            r#type: memory.r#type.clone(),
            trust: memory.trust.clone(),
            refs: self.sources,
            neighbours: Vec::new(),
            also: Vec::new(),
            explain,
            memory: Some(memory),
        })
    }

    /// Puts the version of an instant in the head's place; `None` when there was none, or it was not in use.
    fn go_back_to(&mut self, at: Micros) -> Option<()> {
        let was = |version: &&MemoryVersion| {
            version.recorded_at <= at && version.retired_at.is_none_or(|retired| retired > at)
        };
        let version = self.versions.iter().find(was)?;
        if version.fields["state"] != MemoryState::Active.as_str() {
            return None;
        }
        self.head.text.clone_from(&version.text);
        self.head.version = version.version;
        let until = version.fields["valid_to"].as_str().and_then(|text| Micros::parse(text).ok());
        self.head.valid_to = until.map(|at| at.0);
        self.head.superseded_by = version.fields["superseded_by"].as_str().map(str::to_owned);
        self.head.importance = version.fields["importance"].as_f64().unwrap_or(self.head.importance);
        until.is_none_or(|until| until > at).then_some(())
    }
}

fn explain_with(mut parts: Vec<Part>, strength: f64, increment: f64) -> Explain {
    parts.push(Part {
        kind: "strength",
        group: Group::Context,
        label: "how strong the memory is".to_owned(),
        value: increment,
        raw: Some(strength),
        from: None,
    });
    Explain { parts, terms: Vec::new() }
}

fn event_hit(hit: recall::Hit, text: String, event: Event) -> SearchHit {
    SearchHit {
        kind: "event",
        id: hit.key,
        memory: None,
        text,
        score: hit.score,
        session_id: Some(event.session_id.clone()),
        seq: Some(event.seq),
        actor: Some(Actor {
            kind: ActorType::parse(&event.actor_type).unwrap_or(ActorType::Human),
            id: event.actor_id.clone(),
            name: event.actor_name.clone(),
        }),
        occurred_at: event.ts,
        valid_from: None,
        valid_to: None,
        r#type: event.kind.clone(),
        trust: event.trust.clone(),
        refs: event.refs.clone(),
        neighbours: Vec::new(),
        also: Vec::new(),
        explain: (!hit.explain.is_empty()).then(|| Explain { parts: hit.explain, terms: Vec::new() }),
        event: Some(event),
    }
}

/// Whether a hit is of the types and of the time that were asked for.
pub(super) fn is_asked_for(hit: &SearchHit, request: &SearchRequest) -> bool {
    let of_type =
        |types: &Vec<crate::memories::MemoryType>| types.iter().any(|kind| kind.as_str() == hit.r#type);
    let Some(memory) = &hit.memory else {
        let known =
            hit.event.as_ref().is_none_or(|event| request.as_of.is_none_or(|at| event.recorded_at <= at));
        return known && request.valid_at.is_none_or(|at| hit.occurred_at <= at);
    };
    let was_so = |at: Micros| memory.valid_from <= at && memory.valid_to.is_none_or(|until| until > at);
    let is_current = memory.valid_to.is_none() && memory.superseded_by.is_none();
    let in_time = match request.valid_at {
        Some(at) => was_so(at),
        None => is_current || request.as_of.is_some() || request.show.contains(&Show::Superseded),
    };
    in_time && request.types.as_ref().is_none_or(of_type)
}

/// A field of a hit as filters see it; null when it has none.
pub(super) fn field(hit: &SearchHit, name: &str) -> Value {
    let of_memory = || hit.memory.as_ref().map(|memory| field_of_memory(memory, name)).unwrap_or_default();
    let Some(event) = &hit.event else {
        return of_memory();
    };
    match name {
        "kind" => event.kind.clone().into(),
        "session_id" => event.session_id.clone().into(),
        "agent_id" => event.agent_id.clone().into(),
        "actor_id" => event.actor_id.clone().into(),
        "actor_type" => event.actor_type.clone().into(),
        "channel" => event.channel.clone().into(),
        "sensitivity" => event.sensitivity.clone().into(),
        "trust" => hit.trust.clone().into(),
        "tags" => event.tags.clone().into(),
        "occurred_at" => hit.occurred_at.to_string().into(),
        "recorded_at" => event.recorded_at.to_string().into(),
        _ => of_memory(),
    }
}
