//! Memory over a home, short events, and short questions.

use std::path::Path;
use std::sync::Arc;

use kernel::{Clock, Ctx};
use llm::{Embedder, RemoteConfig};
use memory::events::{NewEvent, Recorded};
use memory::search::{SearchAnswer, SearchRequest};
use memory::{Memory, MemoryConfig};
use serde_json::{Value, json};
use store::jobs::Runner;
use testkit::Home;
use testkit::embeddings::Server;
use tokio::sync::Notify;

/// A server's memory over a home, its clock and its jobs.
pub(crate) struct Room {
    pub(crate) memory: Memory,
    pub(crate) clock: Clock,
    pub(crate) jobs: Runner,
}

/// Memory that goes by words alone.
pub(crate) fn room(home: &Home) -> Room {
    room_with(home, &testkit::clock(), Embedder::None, MemoryConfig::default())
}

pub(crate) fn room_with(home: &Home, clock: &Clock, embedder: Embedder, config: MemoryConfig) -> Room {
    let wake = Arc::new(Notify::new());
    let memory = Memory::start(
        home.store.clone(),
        home.blobs(),
        clock.clone(),
        Arc::new(embedder),
        config,
        wake.clone(),
    );
    let jobs = Runner::new(home.store.clone(), clock.clone(), memory.jobs(), wake);
    Room { memory, clock: clock.clone(), jobs }
}

/// Vectors from the played server.
pub(crate) fn remote(server: &Server) -> Embedder {
    Embedder::remote(RemoteConfig::new(server.base_url(), "played")).unwrap()
}

/// Vectors from the model that the tests are given.
pub(crate) fn local() -> Embedder {
    let folder = testkit::needed("HEARTH_TEST_MODEL_DIR", "the folder of a sentence model");
    Embedder::local(Path::new(&folder), 1).unwrap()
}

/// A private message of session `s` with `more` fields over it.
pub(crate) fn event(text: &str, more: Value) -> NewEvent {
    let mut whole = json!({
        "session_id": "s", "channel": "private", "kind": "message",
        "actor": {"type": "human", "id": "ana", "name": "Ana"}, "content": {"text": text},
    });
    for (key, value) in more.as_object().unwrap() {
        whole[key] = value.clone();
    }
    serde_json::from_value(whole).unwrap()
}

pub(crate) fn said(text: &str) -> NewEvent {
    event(text, json!({}))
}

impl Room {
    pub(crate) async fn record(&self, ctx: &Ctx, event: NewEvent) -> Recorded {
        self.memory.record(ctx, event, None).await.unwrap()
    }

    pub(crate) async fn ask(&self, ctx: &Ctx, query: &str, more: Value) -> SearchAnswer {
        self.memory.search(ctx, request(query, more)).await.unwrap()
    }

    /// Event ids of an answer, best first.
    pub(crate) async fn found(&self, ctx: &Ctx, query: &str, more: Value) -> Vec<String> {
        ids(&self.ask(ctx, query, more).await)
    }
}

pub(crate) fn ids(answer: &SearchAnswer) -> Vec<String> {
    answer.items.iter().map(|hit| hit.event.as_ref().unwrap().event_id.clone()).collect()
}

pub(crate) fn request(query: &str, more: Value) -> SearchRequest {
    let mut whole = json!({"query": query});
    for (key, value) in more.as_object().unwrap() {
        whole[key] = value.clone();
    }
    serde_json::from_value(whole).unwrap()
}

/// The code of a refusal, or `ok`.
pub(crate) fn code<T>(result: kernel::Result<T>) -> &'static str {
    result.map_or_else(|error| error.code, |_| "ok")
}
