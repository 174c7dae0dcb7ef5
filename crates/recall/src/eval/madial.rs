//! MADial-Bench: dialogues, and the memories of a life that a listener would be reminded of.
//!
//! He et al., "MADial-Bench: Towards Real-world Evaluation of Memory-Augmented Dialogue Generation" (2025).

use serde_json::{Map, Value};

use super::EvalError;

/// Longest question asked, in characters; of a longer dialogue its end.
const QUESTION_CHARS: usize = 4_000;
/// Fields of a memory that are no words of it.
const NO_WORDS: [&str; 6] = ["id", "user-id", "user_id", "time", "date", "summary-id"];

/// One memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory {
    /// Name in the data.
    pub id: String,
    /// Event, scene and emotion, a line each.
    pub text: String,
}

/// A dialogue up to the turn where the listener should remember something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialogue {
    /// What was said until then.
    pub question: String,
    /// Ids of the memories that belong to it.
    pub relevant: Vec<String>,
}

/// Reads memories: an object a line or an array, each a memory or an object of memories.
///
/// # Errors
/// [`EvalError`] when it is not JSON of this layout, or holds no memory.
pub fn parse_memories(bytes: &[u8]) -> Result<Vec<Memory>, EvalError> {
    let mut out = Vec::new();
    for record in records(bytes)? {
        if record.contains_key("id") {
            out.extend(memory(&record));
        } else {
            out.extend(record.values().filter_map(Value::as_object).filter_map(memory));
        }
    }
    some(out, "no memory with an `id` in it")
}

/// Reads dialogues: an object a line or an array, each with `dialogue`, `test-turn` and `relevant-id`.
///
/// # Errors
/// [`EvalError`] when it is not JSON of this layout, or holds no dialogue.
pub fn parse_dialogues(bytes: &[u8]) -> Result<Vec<Dialogue>, EvalError> {
    let dialogues = records(bytes)?.iter().filter_map(dialogue).collect();
    some(dialogues, "no dialogue with `dialogue` and `relevant-id` in it")
}

fn some<T>(found: Vec<T>, why_not: &str) -> Result<Vec<T>, EvalError> {
    if found.is_empty() { Err(EvalError::Layout(why_not.to_owned())) } else { Ok(found) }
}

fn records(bytes: &[u8]) -> Result<Vec<Map<String, Value>>, EvalError> {
    let mut out = Vec::new();
    for value in serde_json::Deserializer::from_slice(bytes).into_iter() {
        match value? {
            Value::Array(list) => out.extend(list.into_iter().filter_map(object)),
            other => out.extend(object(other)),
        }
    }
    Ok(out)
}

fn object(value: Value) -> Option<Map<String, Value>> {
    if let Value::Object(map) = value { Some(map) } else { None }
}

fn memory(fields: &Map<String, Value>) -> Option<Memory> {
    let id = name(fields.get("id")?)?;
    let words = fields.iter().filter(|(key, _)| !NO_WORDS.contains(&key.as_str()));
    let text = words.filter_map(|(_, value)| value.as_str()).collect::<Vec<_>>().join("\n");
    Some(Memory { id, text })
}

fn dialogue(fields: &Map<String, Value>) -> Option<Dialogue> {
    let turns: Vec<&str> = fields.get("dialogue")?.as_array()?.iter().filter_map(Value::as_str).collect();
    let first =
        |value: &Value| value.as_array().map_or(Some(value), |list| list.first()).and_then(Value::as_u64);
    let until = fields.get("test-turn").and_then(first).map_or(turns.len(), |turn| turn as usize);
    let said = turns[..until.min(turns.len())].join("\n");
    let skip = said.chars().count().saturating_sub(QUESTION_CHARS);
    let question: String = said.chars().skip(skip).collect();
    let mut relevant: Vec<String> = fields.get("relevant-id")?.as_array()?.iter().filter_map(name).collect();
    relevant.sort();
    relevant.dedup();
    (!question.trim().is_empty()).then_some(Dialogue { question, relevant })
}

fn name(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned).or_else(|| value.as_i64().map(|number| number.to_string()))
}
