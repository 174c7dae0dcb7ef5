//! What a user of memory asks, and what a right answer looks like.

use std::fmt::Write;
use std::time::Duration;

use reqwest::{Client, RequestBuilder, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};

/// Longest wait for an answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// What a request fails with that the server's own limits refused.
pub(crate) const LIMITED: &str = "status 429: the server's limits refused it";
/// Events of one batch.
const BATCH: u64 = 10;
/// The most tokens that a context may have.
const MOST_TOKENS: u64 = 65_000;
/// Sections of a context, in their order.
const SECTIONS: [&str; 8] = [
    "identity",
    "rules",
    "handoff_packet",
    "task_state",
    "relevant_decisions",
    "recent_window",
    "retrieved_evidence",
    "reserve",
];

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Record one event.
    Event,
    /// Record ten events.
    Batch,
    /// Search what the user said in the beginning.
    Search,
    /// Build a context.
    Context,
    /// List the latest events.
    List,
    /// Ask whether the server is well.
    Health,
}

impl Operation {
    /// What a user asks in turn, over and over: of twenty requests nine record an event and one ten, four search, two build a
    /// context, three list. The first six are one of each.
    const CYCLE: [Self; 20] = [
        Self::Event,
        Self::Context,
        Self::Search,
        Self::List,
        Self::Health,
        Self::Batch,
        Self::Event,
        Self::Search,
        Self::Event,
        Self::List,
        Self::Event,
        Self::Search,
        Self::Event,
        Self::Context,
        Self::Event,
        Self::Search,
        Self::Event,
        Self::Event,
        Self::List,
        Self::Event,
    ];

    /// What a user asks at a turn, counted from 0.
    pub(crate) fn at(turn: u64) -> Self {
        Self::CYCLE[(turn % Self::CYCLE.len() as u64) as usize]
    }

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Batch => "batch",
            Self::Search => "search",
            Self::Context => "context",
            Self::List => "list",
            Self::Health => "health",
        }
    }
}

/// A simulated user: an owner of memories with a key of its own.
#[derive(Clone, Debug)]
pub(crate) struct User {
    /// Random word of the run; everything that a user writes carries it with the user's number.
    pub(crate) run: String,
    /// From 0.
    pub(crate) number: usize,
    /// API key.
    pub(crate) key: String,
}

impl User {
    /// `<run>-<four digits>`: in every text of this user and in no other's.
    fn mark(&self) -> String {
        format!("{}-{:04}", self.run, self.number)
    }

    /// The owner of its memories.
    pub(crate) fn owner(&self) -> String {
        format!("loadtest-{}", self.mark())
    }

    fn session(&self) -> String {
        format!("session-{}", self.mark())
    }

    /// What a search must find.
    fn code(&self) -> String {
        format!("code {}x{:04}", 7_919 * (self.number + 1), self.number)
    }

    fn event(&self, text: &str) -> Value {
        json!({
            "session_id": self.session(), "channel": "private", "kind": "message", "user_id": self.owner(),
            "actor": {"type": "human", "id": "visitor"}, "content": {"text": format!("{text} [{}]", self.mark())},
        })
    }

    /// What the user says before the run begins.
    pub(crate) fn first_words(&self) -> Value {
        let code = format!("The locker in the harbour opens with {}.", self.code());
        let others = (0..BATCH).map(|turn| self.event(&sentence(turn)));
        json!({ "events": std::iter::once(self.event(&code)).chain(others).collect::<Vec<_>>() })
    }

    /// Asks, reads the whole answer and checks it.
    ///
    /// # Errors
    /// What was wrong, without anything that differs from one request to the next.
    pub(crate) async fn ask(
        &self,
        client: &Client,
        host: &str,
        operation: Operation,
        turn: u64,
    ) -> Result<(), String> {
        let request = self.request(client, host, operation, turn);
        let answer = request.send().await.map_err(|error| unanswered(&error))?;
        let status = answer.status();
        let text = answer.text().await.map_err(|error| unanswered(&error))?;
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(LIMITED.to_owned());
        }
        let wanted = match operation {
            Operation::Event | Operation::Batch => StatusCode::CREATED,
            _ => StatusCode::OK,
        };
        if status != wanted {
            return Err(format!("status {} instead of {}", status.as_u16(), wanted.as_u16()));
        }
        let body: Value = serde_json::from_str(&text).map_err(|_| "the answer is no JSON".to_owned())?;
        if !self.is_own(&text) {
            return Err("the answer has words of another user".to_owned());
        }
        self.check(operation, &text, &body)
    }

    fn request(&self, client: &Client, host: &str, operation: Operation, turn: u64) -> RequestBuilder {
        let post = |path: &str, body: &Value| client.post(format!("{host}{path}")).json(body);
        let request = match operation {
            Operation::Event => post("/api/v1/events", &self.event(&sentence(turn))),
            Operation::Batch => {
                let events: Vec<Value> =
                    (0..BATCH).map(|at| self.event(&sentence(turn * BATCH + at))).collect();
                post("/api/v1/events/batch", &json!({ "events": events }))
            }
            Operation::Search => {
                let question = "which code opens the locker in the harbour?";
                post("/api/v1/memories/search", &json!({"query": question, "user_id": self.owner()}))
            }
            Operation::Context => post(
                "/api/v1/acb/build",
                &json!({
                    "session_id": self.session(), "agent_id": "visitor", "channel": "private", "intent": "answer",
                    "query_text": "the locker in the harbour", "user_id": self.owner(), "max_tokens": MOST_TOKENS,
                }),
            ),
            Operation::List => {
                let (session, owner) = (self.session(), self.owner());
                client.get(format!("{host}/api/v1/events?session_id={session}&user_id={owner}&limit=20"))
            }
            Operation::Health => return client.get(format!("{host}/health")),
        };
        request.bearer_auth(&self.key)
    }

    fn check(&self, operation: Operation, text: &str, body: &Value) -> Result<(), String> {
        let holds = match operation {
            Operation::Event => body["event_id"].as_str().is_some_and(|id| id.starts_with("evt_")),
            Operation::Batch => {
                body["accepted"] == BATCH && body["results"].as_array().map_or(0, Vec::len) == 10
            }
            Operation::Search => {
                body["items"].as_array().is_some_and(|items| !items.is_empty()) && text.contains(&self.code())
            }
            Operation::Context => is_context(body),
            Operation::List => body.as_array().is_some_and(|events| {
                let (session, own) = (self.session(), |event: &Value| event["session_id"].clone());
                (1..=20).contains(&events.len()) && events.iter().all(|event| own(event) == session.as_str())
            }),
            Operation::Health => body["status"] == "healthy",
        };
        let wrong = match operation {
            Operation::Event => "the answer names no event",
            Operation::Batch => "not all events of the batch were accepted",
            Operation::Search => "what the user said in the beginning was not found",
            Operation::Context => "the context lacks a section, or has more tokens than allowed",
            Operation::List => "the list is empty, too long, or of another conversation",
            Operation::Health => "the server is not healthy",
        };
        if holds { Ok(()) } else { Err(wrong.to_owned()) }
    }

    /// Whether no other user's mark is in a text.
    fn is_own(&self, text: &str) -> bool {
        let (any, own) = (format!("{}-", self.run), self.mark());
        text.match_indices(&any).all(|(at, _)| text[at..].starts_with(&own))
    }
}

fn is_context(body: &Value) -> bool {
    let names = body["sections"].as_array().into_iter().flatten().map(|section| section["name"].as_str());
    let budget = body["budget_tokens"].as_u64().unwrap_or(u64::MAX);
    budget <= MOST_TOKENS
        && body["token_used_est"].as_u64().is_some_and(|used| used <= budget)
        && names.eq(SECTIONS.map(Some))
}

/// Why no answer came, in words that are alike for alike causes.
fn unanswered(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {} s", PATIENCE.as_secs());
    }
    let is_connect = error.is_connect();
    let mut text = if is_connect { "no connection" } else { "the connection broke" }.to_owned();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        if inner.source().is_none() {
            let _ = write!(text, ": {inner}");
        }
        cause = inner.source();
    }
    text
}

/// A sentence as people say them, another for each turn.
fn sentence(turn: u64) -> String {
    const WHO: [&str; 7] =
        ["My sister", "The neighbour", "Our captain", "A tourist", "The baker", "Ines", "Tomás"];
    const DID: [&str; 8] =
        ["painted", "forgot", "repaired", "bought", "lent me", "asked about", "photographed", "described"];
    const WHAT: [&str; 11] = [
        "a blue kayak",
        "the garden gate",
        "two bicycles",
        "an old map",
        "the ferry timetable",
        "a violin",
        "the lighthouse",
        "three lanterns",
        "a recipe for plum cake",
        "the weather station",
        "a box of letters",
    ];
    let pick = |words: &[&'static str]| words[(turn % words.len() as u64) as usize];
    format!("{} {} {} on day {turn}.", pick(&WHO), pick(&DID), pick(&WHAT))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user() -> User {
        User { run: "q7k2".to_owned(), number: 12, key: String::new() }
    }

    #[test]
    fn the_cycle_begins_with_one_of_each() {
        let mut first: Vec<Operation> = (0..6).map(Operation::at).collect();
        first.sort();
        first.dedup();
        assert_eq!(first.len(), 6);
        assert_eq!(Operation::at(20), Operation::at(0));
    }

    #[test]
    fn a_word_of_another_user_is_seen() {
        let user = user();
        assert!(user.is_own(&user.first_words().to_string()));
        assert!(user.is_own("nothing of anybody"));
        assert!(!user.is_own("said q7k2-0012 and q7k2-0013"));
        assert!(!user.is_own("session-q7k2-0120"));
    }

    #[test]
    fn a_context_is_checked_for_sections_and_tokens() {
        let sections: Vec<Value> = SECTIONS.iter().map(|name| json!({ "name": name })).collect();
        let good = json!({"budget_tokens": 65_000, "token_used_est": 812, "sections": sections});
        assert!(is_context(&good));
        for (field, value) in
            [("token_used_est", json!(65_001)), ("budget_tokens", json!(70_000)), ("sections", json!([]))]
        {
            let mut bad = good.clone();
            bad[field] = value;
            assert!(!is_context(&bad), "{field}");
        }
    }

    #[test]
    fn an_answer_without_the_wanted_words_fails() {
        let user = user();
        let found = json!({"items": [{"text": user.code()}]});
        assert!(user.check(Operation::Search, &found.to_string(), &found).is_ok());
        let other = json!({"items": [{"text": "code 1x0001"}]});
        assert!(user.check(Operation::Search, &other.to_string(), &other).is_err());
    }
}
