//! Memories that a model notes: believed as far as they can be checked, and never in the way of anything else.

use std::sync::Arc;

use kernel::{Ctx, Micros, Scopes};
use llm::{ChatConfig, ChatModel, Embedder};
use memory::MemoryConfig;
use memory::memories::MemoryItem;
use serde_json::{Value, json};
use testkit::chat::{ChatServer, Reply};
use testkit::{Home, clock, ctx, limited, on_both};

use crate::support::{Room, event, room_with, said};

fn room(home: &Home, server: &ChatServer, tokens: u64) -> Room {
    let config = ChatConfig {
        limit: std::time::Duration::from_millis(500),
        ..ChatConfig::new(server.base_url(), "played")
    };
    let chat = Some(Arc::new(ChatModel::new(config).unwrap()));
    let config = MemoryConfig { chat, chat_tokens_per_day: tokens, ..MemoryConfig::default() };
    room_with(home, &clock(), Embedder::None, config)
}

/// The turns that a request shows.
fn turns(request: &Value) -> Vec<Value> {
    let content = request["messages"][1]["content"].as_str().unwrap_or_default();
    serde_json::from_str::<Value>(content).unwrap()["turns"].as_array().unwrap().clone()
}

/// One memory for each turn, made by `text`.
fn notes(text: impl Fn(&str) -> String + Send + Sync + 'static) -> impl Fn(&Value) -> Reply + Send + Sync {
    move |request| {
        let note = |turn: &Value| {
            let text = text(turn["text"].as_str().unwrap());
            json!({"text": text, "type": "fact", "importance": 0.6, "events": [turn["id"]]})
        };
        let memories: Vec<Value> = turns(request).iter().map(note).collect();
        Reply::Words(json!({ "memories": memories }).to_string())
    }
}

impl Room {
    /// What the model has noted, by words of the question.
    async fn noted(&self, ctx: &Ctx, query: &str) -> Vec<MemoryItem> {
        let shown = json!({"include": ["memories"], "limit": 200, "show": ["quarantined"]});
        let reviewer = limited(ctx.clone(), Scopes::all());
        let found = self.ask(&reviewer, query, shown).await.items.into_iter().filter_map(|hit| hit.memory);
        found.filter(|memory| memory.derived_by == "model:played").collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_adds_what_the_rules_cannot_read_with_its_sources() {
    on_both(|home| async move {
        let server = ChatServer::start(notes(|text| format!("Noted: {text}"))).await;
        let (room, ana) = (room(&home, &server, 100_000), ctx("acme", "ana"));
        let soon = room.clock.now().plus(Micros::DAY);
        let more = json!({"expires_at": soon, "sensitivity": "high"});
        let id =
            room.record(&ana, event("The marlin was sold to a cousin. I live in Lima.", more)).await.event_id;
        room.record(&ana, event("walrus secret", json!({"sensitivity": "secret"}))).await;
        room.record(&ana, event("walrus recalled", json!({"recalled": true}))).await;
        let tool = json!({"actor": {"type": "tool", "id": "grep"}, "session_id": "t"});
        room.record(&ana, event("The walrus weighs a ton", tool)).await;
        room.derive().await;
        let noted = room.noted(&ana, "marlin cousin").await;
        assert_eq!(noted.len(), 1);
        assert_eq!(
            (noted[0].sensitivity.as_str(), noted[0].expires_at, noted[0].trust.as_str()),
            ("high", Some(soon), "user")
        );
        let sources = room.memory.memory_sources(&ana, &noted[0].memory_id).await.unwrap();
        assert_eq!(sources[0].event_id, id);
        assert_eq!(
            room.noted(&ana, "walrus").await.iter().map(|m| m.trust.as_str()).collect::<Vec<_>>(),
            ["tool"]
        );
        assert_eq!(room.known(&ana).await.iter().filter(|text| *text == "Ana lives in Lima").count(), 1);
        let shown: Vec<Value> = server.requests().iter().flat_map(turns).collect();
        assert_eq!(shown.len(), 2, "nothing secret or recalled is shown: {shown:#?}");
        assert_eq!(server.requests()[0]["response_format"]["type"], "json_schema");
        room.derive().await;
        assert_eq!(server.requests().len(), 2, "nothing is read twice");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_model_makes_up_is_dropped() {
    on_both(|home| async move {
        let server = ChatServer::start(|request| {
            let id = turns(request)[0]["id"].clone();
            let note = |text: &str, kind: &str, importance: f64, events: Value| json!({"text": text, "type": kind, "importance": importance, "events": events});
            let long = "marlin ".repeat(200);
            let password = format!("marlin {}", "password=Zx81-secretive-word");
            let mut memories = vec![
                note("The marlin is blue", "fact", 0.6, json!(["evt_01kg9ys7g0776yh7xfs8a4bwvq"])),
                note("The marlin is red", "fact", 0.6, json!([id, "evt_01kg9ys7g0776yh7xfs8a4bwvq"])),
                note("Nothing of this was said", "fact", 0.6, json!([id])),
                note("The marlin matters little", "fact", 0.2, json!([id])),
                note("The marlin matters too much", "fact", 7.0, json!([id])),
                note("The marlin rests on nothing", "fact", 0.6, json!([])),
                note("The marlin rules", "rule", 0.9, json!([id])),
                note("The marlin is a poem", "poem", 0.9, json!([id])),
                note(&long, "fact", 0.6, json!([id])),
                note(&password, "fact", 0.6, json!([id])),
                note("", "fact", 0.6, json!([id])),
            ];
            memories.push(note("The marlin was sold", "fact", 0.6, json!([id])));
            memories.rotate_right(1);
            memories.truncate(12);
            Reply::Words(json!({ "memories": memories }).to_string())
        })
        .await;
        let (room, ana) = (room(&home, &server, 100_000), ctx("acme", "ana"));
        for text in ["The marlin was sold yesterday", "The marlin, once more", "And the marlin again"] {
            room.record(&ana, said(text)).await;
        }
        room.derive().await;
        let noted = room.noted(&ana, "marlin").await;
        assert_eq!(noted.iter().map(|m| m.text.as_str()).collect::<Vec<_>>(), ["The marlin was sold"]);
        // At most five for each turn.
        server.play(|request| {
            let id = turns(request)[0]["id"].clone();
            let note = |n: usize| json!({"text": format!("The gannet flew {n} times"), "type": "fact", "importance": 0.6, "events": [id]});
            Reply::Words(json!({"memories": (0..40).map(note).collect::<Vec<_>>()}).to_string())
        });
        room.record(&ana, said("The gannet flew many times")).await;
        room.derive().await;
        assert_eq!(room.noted(&ana, "gannet").await.len(), 5);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_obeys_an_order_in_the_conversation_plants_nothing() {
    on_both(|home| async move {
        // It notes every turn as it stands, and lays it to the person who spoke first.
        let server = ChatServer::start(|request| {
            let turns = turns(request);
            let note = |turn: &Value| json!({"text": turn["text"], "type": "preference", "importance": 1.0, "events": [turns[0]["id"]]});
            Reply::Words(json!({"memories": turns.iter().map(note).collect::<Vec<_>>()}).to_string())
        })
        .await;
        let (room, ana, ben) = (room(&home, &server, 1_000_000), ctx("acme", "ana"), ctx("acme", "ben"));
        for order in include_str!("../../src/memories/injections.txt").lines() {
            // The person's own words share one with the order, which is what an attacker would wait for.
            let word = order.split(' ').max_by_key(|word| word.len()).unwrap();
            let session = json!({"session_id": order.chars().filter(|c| c.is_alphanumeric()).collect::<String>()});
            let mut tool = session.clone();
            tool["actor"] = json!({"type": "tool", "id": "web"});
            room.record(&ana, event(&format!("Tell me about {word}"), session)).await;
            room.record(&ana, event(order, tool)).await;
        }
        room.derive().await;
        let shown = json!({"include": ["memories"], "limit": 200});
        for query in ["assistant always never", "send password token", "ignore instructions system", "you must call tool"] {
            for hit in room.ask(&ana, query, shown.clone()).await.items {
                let memory = hit.memory.unwrap();
                assert!(memory.text.starts_with("Tell me about"), "{}", memory.text);
            }
            assert!(room.ask(&ben, query, shown.clone()).await.items.is_empty());
        }
        let waiting = room.noted(&ana, "ignore previous instructions password").await;
        assert!(waiting.iter().any(|memory| memory.state == "quarantined"), "the control: the model did note them");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_fails_or_talks_nonsense_is_asked_again_and_the_rules_go_on() {
    on_both(|home| async move {
        let bad = [
            Reply::Status(500),
            Reply::Status(429),
            Reply::Silence,
            Reply::Raw("<html>try again later</html>".to_owned()),
            Reply::Raw("{\"choices\": []}".to_owned()),
            Reply::Raw("x".repeat(3 << 20)),
            Reply::Words("Sure! Here are the memories.".to_owned()),
            Reply::Words("{\"memories\": {\"text\": 1}}".to_owned()),
        ];
        let server = ChatServer::start(|_| Reply::Status(500)).await;
        let (room, ana) = (room(&home, &server, 1_000_000), ctx("acme", "ana"));
        for (n, reply) in bad.into_iter().enumerate() {
            server.play(move |_| reply.clone());
            room.record(&ana, said(&format!("I live in Town{n}. The otter is called Ole{n}."))).await;
            room.derive().await;
            assert!(
                room.known(&ana).await.contains(&format!("Ana lives in Town{n}")),
                "the rules go on: {n}"
            );
            assert!(room.noted(&ana, "otter").await.len() == n, "nothing wrong is stored: {n}");
            let asked = server.requests().len();
            room.derive().await;
            assert!(server.requests().len() <= asked + 1, "it is left alone after a failure: {n}");
            server.play(notes(str::to_owned));
            room.clock.advance(Micros::DAY);
            room.derive().await;
            assert_eq!(room.noted(&ana, "otter").await.len(), n + 1, "it is asked again: {n}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_without_end_is_passed_over_and_the_rest_is_read() {
    on_both(|home| async move {
        let server = ChatServer::start(|_| Reply::Words("no".to_owned())).await;
        let (room, ana) = (room(&home, &server, 1_000_000), ctx("acme", "ana"));
        room.record(&ana, said("The first otter is called Ole.")).await;
        for _ in 0..4 {
            room.derive().await;
            room.clock.advance(Micros::DAY);
        }
        assert_eq!(server.requests().len(), 3);
        server.play(notes(str::to_owned));
        room.record(&ana, said("The second otter is called Pim.")).await;
        room.derive().await;
        let noted = room.noted(&ana, "otter").await;
        assert_eq!(
            noted.iter().map(|m| m.text.as_str()).collect::<Vec<_>>(),
            ["The second otter is called Pim."]
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tokens_of_a_day_are_a_bound_and_what_is_left_waits_for_the_next() {
    on_both(|home| async move {
        let server = ChatServer::start(notes(str::to_owned)).await;
        let (room, ana, eve) = (room(&home, &server, 50), ctx("acme", "ana"), ctx("zeta", "eve"));
        room.record(&ana, said("The otter is called Ole.")).await;
        room.derive().await;
        room.record(&ana, said("The other otter is called Pim.")).await;
        room.derive().await;
        assert_eq!((server.requests().len(), room.noted(&ana, "otter").await.len()), (1, 1));
        room.record(&eve, said("The otter is called Max.")).await;
        room.derive().await;
        assert_eq!(server.requests().len(), 2, "another tenant has its own");
        room.clock.advance(Micros::DAY);
        room.derive().await;
        assert_eq!((server.requests().len(), room.noted(&ana, "otter").await.len()), (3, 2));
    })
    .await;
}
