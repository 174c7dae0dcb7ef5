//! LoCoMo: long conversations with questions and the turns that answer them.
//!
//! Maharana et al., "Evaluating Very Long-Term Conversational Memory of LLM Agents" (2024).

use serde_json::{Map, Value};

use super::EvalError;
use crate::text::micros_of_civil;

/// One conversation; a scope of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Conversation {
    /// Name in the data.
    pub id: String,
    /// Turns by session, then order.
    pub turns: Vec<Turn>,
    /// All questions, those without evidence included.
    pub questions: Vec<Question>,
}

/// One turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Repaired id, such as `D1:3`.
    pub id: String,
    /// Number of its session, from 1.
    pub session: u32,
    /// Place in the session, from 0.
    pub seq: i64,
    /// Who spoke.
    pub speaker: String,
    /// The words.
    pub text: String,
    /// Caption of the image shown, if any.
    pub caption: Option<String>,
    /// Words the image was searched by, if any.
    pub image_query: Option<String>,
    /// When the session took place, µs UTC; 0 if the data do not say.
    pub occurred_at_us: i64,
}

/// One question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The question.
    pub text: String,
    /// 1 multi-hop, 2 temporal, 3 open-domain, 4 single-hop, 5 adversarial.
    pub category: u8,
    /// Repaired ids of the turns that answer it, each once; ids that name no turn stay. Empty: not scored.
    pub evidence: Vec<String>,
}

/// Reads one file of either layout: an array of objects with `conversation` and `qa`, or one object a
/// conversation with its sessions at top level.
///
/// # Errors
/// [`EvalError`] when it is not JSON, or holds no conversation.
pub fn parse(bytes: &[u8]) -> Result<Vec<Conversation>, EvalError> {
    let samples = match serde_json::from_slice(bytes)? {
        Value::Array(samples) => samples,
        sample @ Value::Object(_) => vec![sample],
        _ => return Err(EvalError::Layout("neither an array nor an object".to_owned())),
    };
    let conversations: Vec<_> =
        samples.iter().enumerate().map(|(i, sample)| conversation(i, sample)).collect::<Result<_, _>>()?;
    if conversations.is_empty() {
        return Err(EvalError::Layout("no conversation in it".to_owned()));
    }
    Ok(conversations)
}

/// Turn ids in a piece of evidence: all matches of `D:?(\d+):(\d+)`, leading zeros dropped.
pub fn evidence_ids(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('D') {
        rest = &rest[at + 1..];
        let digits = rest.strip_prefix(':').unwrap_or(rest);
        if let Some((session, tail)) = number(digits)
            && let Some((turn, tail)) = tail.strip_prefix(':').and_then(number)
        {
            out.push(format!("D{session}:{turn}"));
            rest = tail;
        }
    }
    out
}

fn number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

fn conversation(position: usize, sample: &Value) -> Result<Conversation, EvalError> {
    let layout = |what: &str| EvalError::Layout(format!("conversation {position}: {what}"));
    let sample = sample.as_object().ok_or_else(|| layout("not an object"))?;
    let sessions = match sample.get("conversation") {
        Some(inner) => inner.as_object().ok_or_else(|| layout("`conversation` is not an object"))?,
        None => sample,
    };
    let turns = turns(sessions);
    if turns.is_empty() {
        return Err(layout("no `session_N` with turns"));
    }
    let questions = sample.get("qa").and_then(Value::as_array).ok_or_else(|| layout("no `qa`"))?;
    let id = string(sample, "sample_id").unwrap_or_else(|| format!("conversation-{position}"));
    Ok(Conversation { id, turns, questions: questions.iter().filter_map(question).collect() })
}

fn turns(sessions: &Map<String, Value>) -> Vec<Turn> {
    let mut numbered: Vec<(u32, &Vec<Value>)> = sessions
        .iter()
        .filter_map(|(key, value)| Some((key.strip_prefix("session_")?.parse().ok()?, value.as_array()?)))
        .collect();
    numbered.sort_unstable_by_key(|(number, _)| *number);
    let mut out = Vec::new();
    for (session, list) in numbered {
        let date = string(sessions, &format!("session_{session}_date_time"));
        let occurred_at_us = date.as_deref().and_then(instant).unwrap_or(0);
        for (value, seq) in list.iter().filter_map(Value::as_object).zip(0..) {
            let raw = string(value, "dia_id").unwrap_or_default();
            out.push(Turn {
                id: evidence_ids(&raw).pop().unwrap_or_else(|| format!("D{session}:{}", seq + 1)),
                session,
                seq,
                speaker: string(value, "speaker").unwrap_or_default(),
                text: string(value, "text").or_else(|| string(value, "clean_text")).unwrap_or_default(),
                caption: string(value, "blip_caption"),
                image_query: string(value, "query"),
                occurred_at_us,
            });
        }
    }
    out
}

fn question(value: &Value) -> Option<Question> {
    let value = value.as_object()?;
    let pieces: Vec<&str> = match value.get("evidence") {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(one)) => vec![one],
        _ => Vec::new(),
    };
    let mut evidence = Vec::new();
    for id in pieces.into_iter().flat_map(evidence_ids) {
        if !evidence.contains(&id) {
            evidence.push(id);
        }
    }
    let category = value.get("category").and_then(Value::as_u64).unwrap_or(0) as u8;
    Some(Question { text: string(value, "question")?, category, evidence })
}

fn string(map: &Map<String, Value>, key: &str) -> Option<String> {
    map.get(key).and_then(Value::as_str).map(str::to_owned)
}

/// Reads `1:56 pm on 8 May, 2023` as UTC.
fn instant(text: &str) -> Option<i64> {
    const MONTHS: &str = "janfebmaraprmayjunjulaugsepoctnovdec";
    let (time, date) = text.split_once(" on ")?;
    let (clock, half) = time.trim().split_once(' ')?;
    let (hour, minute) = clock.split_once(':')?;
    let afternoon = i64::from(half.eq_ignore_ascii_case("pm")) * 12;
    let minutes = (hour.parse::<i64>().ok()? % 12 + afternoon) * 60 + minute.parse::<i64>().ok()?;
    let mut words = date.split([' ', ',']).filter(|w| !w.is_empty());
    let day = words.next()?.parse().ok()?;
    let month = MONTHS.find(words.next()?.get(..3)?.to_ascii_lowercase().as_str())? / 3 + 1;
    Some(micros_of_civil(words.next()?.parse().ok()?, month, day) + minutes * 60_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_ids_are_repaired() {
        assert_eq!(evidence_ids("D8:6; D9:17"), ["D8:6", "D9:17"]);
        assert_eq!(evidence_ids("D:11:26"), ["D11:26"]);
        assert_eq!(evidence_ids("D30:05 D1:18"), ["D30:5", "D1:18"]);
        assert_eq!(evidence_ids("(D4:1)(D4:2"), ["D4:1", "D4:2"]);
        assert!(
            evidence_ids("D").is_empty() && evidence_ids("D:3").is_empty() && evidence_ids("日D1").is_empty()
        );
    }

    #[test]
    fn session_dates_are_read() {
        let noon = 1_683_504_000_000_000 + 12 * 3_600_000_000;
        assert_eq!(instant("1:56 pm on 8 May, 2023"), Some(noon + 116 * 60_000_000));
        assert_eq!(instant("12:09 am on 8 May, 2023"), Some(noon - 12 * 3_600_000_000 + 9 * 60_000_000));
        assert_eq!(instant("some day in May"), None);
    }

    #[test]
    fn other_layouts_are_refused() {
        for bytes in
            ["", "7", "[]", "[7]", "{}", r#"{"session_1":[{"text":"hi"}]}"#, r#"[{"conversation":3}]"#]
        {
            assert!(parse(bytes.as_bytes()).is_err(), "{bytes}");
        }
    }
}
