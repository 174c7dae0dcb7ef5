//! The LongMemEval format: a question, the sessions of its own haystack, and those that answer it.
//!
//! Wu et al., "LongMemEval: Benchmarking Chat Assistants on Long-Term Interactive Memory" (2025).

use serde::Deserialize;

use super::EvalError;
use crate::text::micros_of_civil;

/// A question with its haystack; a scope of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Name in the data.
    pub id: String,
    /// Kind of question, as the data name it.
    pub group: String,
    /// The question.
    pub question: String,
    /// What is to be searched.
    pub sessions: Vec<Session>,
    /// Ids of the sessions that answer it. Empty: there is no answer to be found, and it is not scored.
    pub relevant: Vec<String>,
}

/// One session of a haystack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Id; unique in its haystack.
    pub id: String,
    /// When it took place, µs UTC; 0 if the data do not say.
    pub occurred_at_us: i64,
    /// Role and words of each turn.
    pub turns: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct Raw {
    question_id: String,
    #[serde(default)]
    question_type: String,
    question: String,
    haystack_session_ids: Vec<String>,
    #[serde(default)]
    haystack_dates: Vec<String>,
    haystack_sessions: Vec<Vec<RawTurn>>,
    #[serde(default)]
    answer_session_ids: Vec<String>,
}

#[derive(Deserialize)]
struct RawTurn {
    role: String,
    content: String,
}

/// Reads an array of questions with their haystacks. Questions whose id ends in `_abs` ask what was never said.
///
/// # Errors
/// [`EvalError`] when it is not JSON of this layout, or holds no question.
pub fn parse(bytes: &[u8]) -> Result<Vec<Case>, EvalError> {
    let raw: Vec<Raw> = serde_json::from_slice(bytes)?;
    if raw.is_empty() {
        return Err(EvalError::Layout("no question in it".to_owned()));
    }
    raw.into_iter().map(case).collect()
}

fn case(raw: Raw) -> Result<Case, EvalError> {
    if raw.haystack_session_ids.len() != raw.haystack_sessions.len() {
        let (ids, sessions) = (raw.haystack_session_ids.len(), raw.haystack_sessions.len());
        return Err(EvalError::Layout(format!(
            "{}: {ids} session ids for {sessions} sessions",
            raw.question_id
        )));
    }
    let dates = raw.haystack_dates.iter().map(|date| instant(date).unwrap_or(0)).chain(std::iter::repeat(0));
    let mut sessions: Vec<Session> = Vec::with_capacity(raw.haystack_sessions.len());
    for ((id, turns), occurred_at_us) in
        raw.haystack_session_ids.into_iter().zip(raw.haystack_sessions).zip(dates)
    {
        // The data repeat a few sessions within a haystack.
        if sessions.iter().all(|known| known.id != id) {
            let turns = turns.into_iter().map(|turn| (turn.role, turn.content)).collect();
            sessions.push(Session { id, occurred_at_us, turns });
        }
    }
    let mut relevant = raw.answer_session_ids;
    relevant.sort();
    relevant.dedup();
    if raw.question_id.ends_with("_abs") {
        relevant.clear();
    }
    Ok(Case { id: raw.question_id, group: raw.question_type, question: raw.question, sessions, relevant })
}

/// Reads `2023/05/20 (Sat) 02:21` as UTC.
fn instant(text: &str) -> Option<i64> {
    let mut words = text.split_whitespace();
    let mut date = words.next()?.split('/').map(str::parse::<i64>);
    let (year, month, day) = (date.next()?.ok()?, date.next()?.ok()?, date.next()?.ok()?);
    let (hour, minute) = words.next_back()?.split_once(':')?;
    let minutes = hour.parse::<i64>().ok()? * 60 + minute.parse::<i64>().ok()?;
    (1..=12).contains(&month).then(|| micros_of_civil(year, month as usize, day) + minutes * 60_000_000)
}
