//! Filters over fields and metadata: a small tree of conditions, checked once and then asked of every hit. Keys and values
//! are compared as data and never become part of a statement.

use std::cmp::Ordering;

use kernel::{Error, Result};
use serde_json::{Map, Value};

use crate::memories::MemoryItem;

/// Fields that a filter may name beside `metadata.<key>`.
const FIELDS: [&str; 15] = [
    "kind",
    "type",
    "session_id",
    "agent_id",
    "actor_id",
    "actor_type",
    "channel",
    "sensitivity",
    "trust",
    "subject",
    "tags",
    "importance",
    "pinned",
    "occurred_at",
    "recorded_at",
];
/// Conditions in one filter.
const MAX_LEAVES: usize = 32;
/// Levels of AND, OR and NOT.
const MAX_DEPTH: usize = 4;

/// A checked filter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Leaf { field: String, operator: Operator, value: Value },
}

/// How a field is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Eq,
    Ne,
    In,
    Gt,
    Gte,
    Lt,
    Lte,
    Contains,
}

impl Operator {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "eq" => Self::Eq,
            "ne" => Self::Ne,
            "in" => Self::In,
            "gt" => Self::Gt,
            "gte" => Self::Gte,
            "lt" => Self::Lt,
            "lte" => Self::Lte,
            "contains" => Self::Contains,
            _ => return None,
        })
    }
}

impl Condition {
    /// Reads a filter: `{"AND": […]}`, `{"OR": […]}`, `{"NOT": {…}}`, or fields, all of which must match, each with a value or
    /// with `{"<operator>": value}`.
    ///
    /// # Errors
    /// `validation_failed` naming the place.
    pub(crate) fn parse(filter: &Map<String, Value>) -> Result<Self> {
        let mut leaves = 0;
        parse_object("filters", filter, 1, &mut leaves)
    }

    /// Whether `of`, asked for each field that a leaf names, meets the condition. An absent field is null.
    pub(crate) fn holds(&self, of: &impl Fn(&str) -> Value) -> bool {
        match self {
            Self::All(list) => list.iter().all(|one| one.holds(of)),
            Self::Any(list) => list.iter().any(|one| one.holds(of)),
            Self::Not(one) => !one.holds(of),
            Self::Leaf { field, operator, value } => compare(&of(field), *operator, value),
        }
    }
}

fn parse_object(
    place: &str,
    object: &Map<String, Value>,
    depth: usize,
    leaves: &mut usize,
) -> Result<Condition> {
    if depth > MAX_DEPTH {
        return Err(Error::field(place, format!("nests at most {MAX_DEPTH} levels")));
    }
    let mut all = Vec::with_capacity(object.len());
    for (key, value) in object {
        let place = format!("{place}.{key}");
        all.push(match (key.as_str(), value) {
            ("AND", Value::Array(list)) => Condition::All(parse_list(&place, list, depth, leaves)?),
            ("OR", Value::Array(list)) => Condition::Any(parse_list(&place, list, depth, leaves)?),
            ("NOT", Value::Object(one)) => {
                Condition::Not(Box::new(parse_object(&place, one, depth + 1, leaves)?))
            }
            ("AND" | "OR", _) => return Err(Error::field(place, "is a list of conditions")),
            ("NOT", _) => return Err(Error::field(place, "is one condition")),
            _ => parse_field(&place, key, value, leaves)?,
        });
    }
    Ok(if all.len() == 1 { all.remove(0) } else { Condition::All(all) })
}

fn parse_list(place: &str, list: &[Value], depth: usize, leaves: &mut usize) -> Result<Vec<Condition>> {
    let parse = |(at, one): (usize, &Value)| {
        let place = format!("{place}[{at}]");
        let object = one.as_object().ok_or_else(|| Error::field(&place, "is a condition"))?;
        parse_object(&place, object, depth + 1, leaves)
    };
    list.iter().enumerate().map(parse).collect()
}

fn parse_field(place: &str, field: &str, value: &Value, leaves: &mut usize) -> Result<Condition> {
    let is_key = |key: &str| {
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.-".contains(&b);
        (1..=64).contains(&key.len()) && key.bytes().all(fits)
    };
    if !FIELDS.contains(&field) && !field.strip_prefix("metadata.").is_some_and(is_key) {
        let text = format!("is none of {} and metadata.<key> of a-z, 0-9, _, . and -", FIELDS.join(", "));
        return Err(Error::field(place, text));
    }
    let Value::Object(operators) = value else {
        return leaf(place, field, Operator::Eq, value, leaves);
    };
    let mut all = Vec::with_capacity(operators.len());
    for (word, value) in operators {
        let operator = Operator::parse(word).ok_or_else(|| {
            Error::field(format!("{place}.{word}"), "is eq, ne, in, gt, gte, lt, lte or contains")
        })?;
        all.push(leaf(place, field, operator, value, leaves)?);
    }
    Ok(Condition::All(all))
}

fn leaf(
    place: &str,
    field: &str,
    operator: Operator,
    value: &Value,
    leaves: &mut usize,
) -> Result<Condition> {
    *leaves += 1;
    if *leaves > MAX_LEAVES {
        return Err(Error::field(place, format!("is one condition too many: at most {MAX_LEAVES}")));
    }
    let fits = match (operator, value) {
        (Operator::In, Value::Array(list)) => list.iter().all(|one| !one.is_array() && !one.is_object()),
        (Operator::In, _) => false,
        (_, value) => !value.is_array() && !value.is_object(),
    };
    if !fits {
        return Err(Error::field(
            place,
            "compares with text, a number, true, false or null; in takes a list of them",
        ));
    }
    Ok(Condition::Leaf { field: field.to_owned(), operator, value: value.clone() })
}

fn compare(found: &Value, operator: Operator, wanted: &Value) -> bool {
    let is_equal = |wanted: &Value| order(found, wanted) == Some(Ordering::Equal) || found == wanted;
    match operator {
        Operator::Eq => is_equal(wanted),
        Operator::Ne => !is_equal(wanted),
        // One of several labels, where the field is a list of them.
        Operator::In => wanted.as_array().is_some_and(|list| {
            list.iter().any(|one| is_equal(one) || found.as_array().is_some_and(|own| own.contains(one)))
        }),
        Operator::Gt => order(found, wanted) == Some(Ordering::Greater),
        Operator::Gte => matches!(order(found, wanted), Some(Ordering::Greater | Ordering::Equal)),
        Operator::Lt => order(found, wanted) == Some(Ordering::Less),
        Operator::Lte => matches!(order(found, wanted), Some(Ordering::Less | Ordering::Equal)),
        Operator::Contains => match (found, wanted) {
            (Value::Array(list), wanted) => list.contains(wanted),
            (Value::String(text), Value::String(part)) => text.to_lowercase().contains(&part.to_lowercase()),
            _ => false,
        },
    }
}

/// Numbers by value and texts by their characters; instants are texts that sort by time.
fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64()?.partial_cmp(&b.as_f64()?),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

/// A field of a memory as filters see it; null when it has none.
pub(crate) fn field_of_memory(memory: &MemoryItem, name: &str) -> Value {
    match name {
        "type" => memory.r#type.clone().into(),
        "session_id" => memory.conversation_id.clone().into(),
        "agent_id" => memory.agent_id.clone().into(),
        "channel" => memory.channel.clone().into(),
        "sensitivity" => memory.sensitivity.clone().into(),
        "trust" => memory.trust.clone().into(),
        "subject" => memory.subject.clone().into(),
        "tags" => memory.tags.clone().into(),
        "importance" => memory.importance.into(),
        "pinned" => memory.pinned.into(),
        "occurred_at" => memory.valid_from.to_string().into(),
        "recorded_at" => memory.recorded_at.to_string().into(),
        _ => {
            let key = name.strip_prefix("metadata.").unwrap_or_default();
            memory.metadata.get(key).cloned().unwrap_or_default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parsed(filter: Value) -> Result<Condition> {
        Condition::parse(filter.as_object().unwrap())
    }

    #[test]
    fn conditions_are_met_as_written() {
        let hit = json!({"type": "fact", "importance": 0.5, "tags": ["red"], "metadata.city": "Lima", "metadata.n": 3,
            "occurred_at": "2026-01-31T12:00:00Z"});
        let of = |field: &str| hit.get(field).cloned().unwrap_or_default();
        for (filter, expected) in [
            (json!({}), true),
            (json!({"type": "fact"}), true),
            (json!({"type": {"ne": "fact"}}), false),
            (json!({"type": {"in": ["rule", "fact"]}}), true),
            (json!({"importance": {"gt": 0.4, "lte": 0.5}}), true),
            (json!({"metadata.n": {"gte": 4}}), false),
            (json!({"metadata.n": 3.0}), true),
            (json!({"tags": {"contains": "red"}}), true),
            (json!({"tags": {"contains": "re"}}), false),
            (json!({"tags": {"in": ["blue", "red"]}}), true),
            (json!({"tags": {"in": ["blue"]}}), false),
            (json!({"metadata.city": {"contains": "im"}}), true),
            (json!({"metadata.none": null}), true),
            (json!({"metadata.none": {"ne": "x"}}), true),
            (json!({"OR": [{"type": "rule"}, {"NOT": {"metadata.city": "Rome"}}]}), true),
            (json!({"AND": [{"type": "fact"}, {"metadata.city": "Rome"}]}), false),
            (json!({"occurred_at": {"lt": "2026-02-01"}}), true),
            (json!({"importance": {"gt": "0.4"}}), false),
        ] {
            assert_eq!(parsed(filter.clone()).unwrap().holds(&of), expected, "{filter}");
        }
    }

    #[test]
    fn what_is_no_filter_is_refused_by_place() {
        let many: Vec<Value> = (0..33).map(|n| json!({"metadata.n": n})).collect();
        for (filter, place) in [
            (json!({"tenant_id": "x"}), "filters.tenant_id"),
            (json!({"metadata.": 1}), "filters.metadata."),
            (json!({"metadata.a'; DROP TABLE x": 1}), "filters.metadata.a'; DROP TABLE x"),
            (json!({"type": {"like": "%"}}), "filters.type.like"),
            (json!({"type": ["a"]}), "filters.type"),
            (json!({"type": {"in": "a"}}), "filters.type"),
            (json!({"AND": {}}), "filters.AND"),
            (json!({"OR": [1]}), "filters.OR[0]"),
            (json!({"NOT": {"NOT": {"NOT": {"NOT": {"type": "fact"}}}}}), "filters.NOT.NOT.NOT.NOT"),
            (json!({"OR": many}), "filters.OR[32].metadata.n"),
        ] {
            let error = parsed(filter.clone()).unwrap_err();
            assert_eq!(error.fields[0].field, place, "{filter}");
        }
    }
}
