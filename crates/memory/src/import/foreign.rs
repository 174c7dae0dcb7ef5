//! Lines of others as lines of ours: memories of mem0, entities and relations of the official MCP memory server.

use kernel::{Error, Micros, Result};
use serde_json::{Map, Value as Json, json};

use super::columns::Kind;
use super::row::{Reading, Row};
use crate::text::{sanitise, sanitise_map};

/// Memories of one line or document, at most.
const MOST: usize = 10_000;

/// Whether a first line is mem0's: a memory, a list of them, or an answer of `get_all`.
pub(super) fn is_mem0(first: &Json) -> bool {
    first["memory"].is_string() || first["results"].is_array() || first.is_array()
}

/// Whether a first line is an entity or a relation of the MCP memory server.
pub(super) fn is_graph(first: &Json) -> bool {
    match first["type"].as_str() {
        Some("entity") => first["name"].is_string(),
        Some("relation") => first["from"].is_string() && first["to"].is_string(),
        _ => false,
    }
}

/// Memories of mem0. `created_at` is since when they are so; `run_id` is the conversation; what we have no column for goes into
/// the metadata.
pub(super) fn mem0(reading: &Reading, whole: Json) -> Result<Vec<Row>> {
    let items = match whole {
        Json::Array(items) => items,
        Json::Object(mut map) if map.contains_key("results") => match map.remove("results") {
            Some(Json::Array(items)) => items,
            _ => return Err(Error::field("results", "is a list")),
        },
        one => vec![one],
    };
    if items.len() > MOST {
        return Err(Error::field(
            "results",
            format!("holds more than {MOST} memories; write one on each line"),
        ));
    }
    let mut rows = Vec::with_capacity(items.len() * 2);
    for (at, item) in items.into_iter().enumerate() {
        let Json::Object(fields) = item else {
            return Err(Error::field(format!("results[{at}]"), "is an object"));
        };
        rows.extend(mem0_memory(reading, fields)?);
    }
    Ok(rows)
}

fn mem0_memory(reading: &Reading, mut fields: Map<String, Json>) -> Result<[Row; 2]> {
    sanitise_map(&mut fields);
    let text = |name: &str| fields.get(name).and_then(Json::as_str).map(str::to_owned);
    let words = text("memory").filter(|words| !words.is_empty());
    let words = words.ok_or_else(|| Error::field("memory", "holds the words of the memory"))?;
    let at = |name: &str| match text(name) {
        Some(instant) => Micros::parse(&instant)
            .map(Some)
            .map_err(|_| Error::field(name, "is an instant such as 2026-01-31T12:00:00Z")),
        None => Ok(None),
    };
    let since = at("created_at")?.or(at("updated_at")?);
    let mut metadata = match fields.get("metadata") {
        Some(Json::Object(map)) => map.clone(),
        _ => Map::new(),
    };
    for name in ["app_id", "actor_id", "role", "categories"] {
        if let Some(value) = fields.get(name).filter(|value| !value.is_null()) {
            metadata.entry(name).or_insert_with(|| value.clone());
        }
    }
    let owner = text("user_id").unwrap_or_else(|| reading.owner.clone());
    let name = text("id").unwrap_or_else(|| words.clone());
    let memory = Memory {
        key: format!("mem0\n{owner}\n{name}"),
        owner: &owner,
        text: &words,
        subject: None,
        agent_id: text("agent_id"),
        session_id: text("run_id"),
        since,
        from: "mem0",
    };
    memory.rows(reading, metadata)
}

/// An entity with its observations, each a fact about it, or a relation.
pub(super) fn graph(reading: &Reading, mut whole: Json) -> Result<Vec<Row>> {
    sanitise(&mut whole);
    let text = |name: &str| {
        let text = whole[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        text.ok_or_else(|| Error::field(name, "is text"))
    };
    let kind = |word: &str| Kind::of(word).expect("a kind of the table");
    match whole["type"].as_str() {
        Some("entity") => {
            let (name, entity_type) = (text("name")?, text("entityType")?);
            let owner = &reading.owner;
            let id = reading.drawn_id("ent", None, &format!("entity\n{owner}\n{name}"));
            let entity = json!({
                "entity_id": id, "user_id": owner, "name": name, "entity_type": entity_type,
                "recorded_at": reading.now.0,
            });
            let mut rows = vec![reading.row(kind("entity"), object(entity))?];
            let observations = match &whole["observations"] {
                Json::Null => &[],
                Json::Array(items) => items.as_slice(),
                _ => return Err(Error::field("observations", "is a list of texts")),
            };
            for (at, observation) in observations.iter().enumerate() {
                let field = || format!("observations[{at}]");
                let words = observation.as_str().filter(|words| !words.is_empty());
                let words = words.ok_or_else(|| Error::field(field(), "is text"))?;
                let memory = Memory {
                    key: format!("observation\n{owner}\n{name}\n{words}"),
                    owner,
                    text: words,
                    subject: Some(&name),
                    agent_id: None,
                    session_id: None,
                    since: None,
                    from: "mcp",
                };
                rows.extend(memory.rows(reading, Map::new())?);
            }
            Ok(rows)
        }
        Some("relation") => {
            let relation = json!({
                "user_id": reading.owner, "from_name": text("from")?, "to_name": text("to")?,
                "relation_type": text("relationType")?, "recorded_at": reading.now.0,
            });
            Ok(vec![reading.row(kind("relation"), object(relation))?])
        }
        _ => Err(Error::field("type", "is entity or relation")),
    }
}

/// A memory that somebody else kept.
struct Memory<'a> {
    /// What its id is drawn from, so that the same file makes the same memory.
    key: String,
    owner: &'a str,
    text: &'a str,
    subject: Option<&'a str>,
    agent_id: Option<String>,
    session_id: Option<String>,
    /// Since when it is so; from now on when nobody knows.
    since: Option<Micros>,
    from: &'static str,
}

impl Memory<'_> {
    /// The memory and its first version.
    fn rows(self, reading: &Reading, metadata: Map<String, Json>) -> Result<[Row; 2]> {
        let kind = |word: &str| Kind::of(word).expect("a kind of the table");
        let id = reading.drawn_id("mem", self.since, &self.key);
        let since = self.since.unwrap_or(reading.now);
        let memory = json!({
            "memory_id": id, "version": 1, "memory_type": "fact", "text": self.text, "subject": self.subject,
            "user_id": self.owner, "agent_id": self.agent_id, "conversation_id": self.session_id, "channel": "private",
            "sensitivity": "none", "valid_from": since.0, "recorded_at": reading.now.0, "importance": 0.5,
            "pinned": false, "use_count": 0, "trust": "import", "state": "active",
            "derived_by": format!("import:{}", self.from), "confidence": 1.0, "tags": "[]",
            "metadata": Json::Object(metadata.clone()).to_string(), "merged_count": 1,
        });
        let memory = reading.row(kind("memory"), object(memory))?;
        let fields = json!({
            "type": "fact", "subject": self.subject, "importance": 0.5, "pinned": false, "state": "active",
            "valid_from": since, "valid_to": null, "expires_at": null, "superseded_by": null, "tags": [],
            "metadata": metadata,
        });
        let version = json!({
            "memory_id": id, "version": 1, "op": "ADD", "text": memory.text("text"), "fields": fields.to_string(),
            "recorded_at": reading.now.0, "actor": reading.ctx.principal.id,
        });
        Ok([memory, reading.row(kind("memory_version"), object(version))?])
    }
}

impl Reading {
    /// An id drawn from a text: the same text and instant give the same id in this tenant.
    fn drawn_id(&self, prefix: &str, at: Option<Micros>, text: &str) -> String {
        let id = kernel::id::new_id(prefix, at.unwrap_or(Micros(0)));
        // Ten characters after the prefix are the instant.
        format!("{}{}", &id[..prefix.len() + 11], self.drawn(text))
    }
}

fn object(value: Json) -> Map<String, Json> {
    match value {
        Json::Object(map) => map,
        _ => Map::new(),
    }
}
