//! Recall: at once, by the filters asked for, with scores that add up.

use std::collections::HashMap;
use std::sync::Arc;

use kernel::Micros;
use llm::Embedder;
use memory::MemoryConfig;
use serde_json::json;
use testkit::{clock, ctx, on_both};
use tokio::task::JoinSet;

use crate::support::{code, event, request, room, room_with, said};

#[tokio::test(flavor = "multi_thread")]
async fn another_server_finds_what_was_acknowledged_at_once() {
    on_both(|home| async move {
        let (one, two, ana) = (Arc::new(room(&home)), Arc::new(room(&home)), ctx("acme", "ana"));
        let mut writers = JoinSet::new();
        for n in 0..16 {
            let (writer, reader, ana) = if n % 2 == 0 {
                (one.clone(), two.clone(), ana.clone())
            } else {
                (two.clone(), one.clone(), ana.clone())
            };
            writers.spawn(async move {
                for turn in 0..4 {
                    let word = format!("zq{n}x{turn}");
                    let id = writer.record(&ana, said(&format!("the word is {word}"))).await.event_id;
                    assert_eq!(reader.found(&ana, &word, json!({})).await.first(), Some(&id), "{word}");
                }
            });
        }
        writers.join_all().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_parts_of_a_score_add_up_to_it() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        for n in 0..30 {
            let text = format!(
                "We talked about sailing and the weather in March, number {n}. Ana likes \"old boats\"."
            );
            let more = json!({"session_id": format!("s{}", n % 4)});
            room.record(&ana, event(&text, more)).await;
            room.record(&ana, said(&format!("Something else entirely {n}"))).await;
        }
        let answer = room
            .ask(&ana, "Did Ana mention \"old boats\" or sailing in March?", json!({"explain": true}))
            .await;
        assert_eq!(answer.items.len(), 10);
        for hit in &answer.items {
            let explain = hit.explain.as_ref().unwrap();
            let sum: f64 = explain.parts.iter().map(|part| part.value).sum();
            assert!((sum - hit.score).abs() < 1e-6, "{sum} is not {}", hit.score);
            assert!((0.0..=1.0).contains(&hit.score));
            assert!(!explain.terms.is_empty());
        }
        assert!(answer.items.is_sorted_by(|a, b| a.score >= b.score));
        assert_eq!(answer.degraded, ["no_embedding_model"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_narrow_and_limits_hold() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        let day = |n: i64| clock().now().plus(-n * Micros::DAY);
        let fields = [
            json!({"occurred_at": day(3), "tags": ["a", "b"], "agent_id": "one"}),
            json!({"occurred_at": day(2), "tags": ["b"], "agent_id": "two", "session_id": "t"}),
            json!({"occurred_at": day(1), "kind": "note"}),
        ];
        let mut ids = Vec::new();
        for (n, more) in fields.into_iter().enumerate() {
            ids.push(
                room.record(&ana, event(&format!("quince {n} {}", "pear ".repeat(n)), more)).await.event_id,
            );
        }
        for (filter, expected) in [
            (json!({}), vec![0, 1, 2]),
            (json!({"tags": {"any": ["a", "z"]}}), vec![0]),
            (json!({"tags": {"all": ["a", "b"]}}), vec![0]),
            (json!({"tags": {"any": ["b"], "none": ["a"]}}), vec![1]),
            (json!({"kinds": ["note", "decision"]}), vec![2]),
            (json!({"after": day(2)}), vec![1, 2]),
            (json!({"before": day(2)}), vec![0]),
            (json!({"after": day(2), "before": day(1)}), vec![1]),
            (json!({"session_id": "t"}), vec![1]),
            (json!({"agent_id": "one"}), vec![0]),
            (json!({"agent_id": "one' OR '1'='1"}), vec![]),
        ] {
            let mut found = room.found(&ana, "quince", filter.clone()).await;
            found.sort();
            let mut expected: Vec<String> = expected.into_iter().map(|at: usize| ids[at].clone()).collect();
            expected.sort();
            assert_eq!(found, expected, "{filter}");
        }
        assert_eq!(room.found(&ana, "quince", json!({"limit": 2})).await.len(), 2);
        for bad in [
            json!({"limit": 0}),
            json!({"limit": 201}),
            json!({"neighbours": 4}),
            json!({"min_score": 1.5}),
            json!({"query": " "}),
            json!({"query": "x".repeat(4_001)}),
            json!({"agent_id": ""}),
        ] {
            assert_eq!(code(room.memory.search(&ana, request("x", bad)).await), "validation_failed");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tiny_index_budget_is_slower_and_never_wrong() {
    on_both(|home| async move {
        let config = MemoryConfig { index_bytes: 1, ..MemoryConfig::default() };
        let tiny = room_with(&home, &clock(), Embedder::None, config);
        let people = ["ana", "ben", "cyd"].map(|person| ctx("acme", person));
        for round in 0..5 {
            for person in &people {
                let word = format!("{}r{round}", person.principal.id);
                let id = tiny.record(person, said(&word)).await.event_id;
                assert_eq!(tiny.found(person, &word, json!({})).await.first(), Some(&id));
            }
        }
        assert!(tiny.memory.index_size().1 <= 1, "{:?}", tiny.memory.index_size());
        for person in &people {
            let word = format!("{}r0", person.principal.id);
            assert_eq!(tiny.ask(person, &word, json!({})).await.items[0].text, word);
        }
    })
    .await;
}

/// A small generator with a fixed seed: the same run every time.
fn next(state: &mut u64) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) as usize
}

#[tokio::test(flavor = "multi_thread")]
async fn random_work_agrees_with_a_plain_list() {
    on_both(|home| async move {
        let room = room(&home);
        let people = ["ana", "ben"].map(|person| ctx("acme", person));
        let (mut seed, mut list) = (7, HashMap::new());
        for n in 0..150 {
            let owner = next(&mut seed) % 2;
            let channel = ["private", "team", "public", "agent"][next(&mut seed) % 4];
            let tier = ["none", "low", "high", "secret"][next(&mut seed) % 4];
            let word = format!("rare{n}word");
            let text = format!("common talk of {word} and {}", next(&mut seed) % 9);
            let more = json!({"channel": channel, "sensitivity": tier, "session_id": format!("s{}", n % 5)});
            let id = room.record(&people[owner], event(&text, more)).await.event_id;
            list.insert(id.clone(), (owner, channel, tier));
            let own = room.found(&people[owner], &word, json!({"limit": 1})).await;
            assert_eq!(own == [id.clone()], tier != "secret", "{channel} {tier}");
            if n % 10 == 9 {
                for (at, person) in people.iter().enumerate() {
                    let mut found = room.found(person, "common talk", json!({"limit": 200})).await;
                    found.sort();
                    let may = |(owner, channel, tier): &(usize, &str, &str)| {
                        *tier != "secret" && (*owner == at || ["team", "public"].contains(channel))
                    };
                    let mut expected: Vec<&String> =
                        list.iter().filter(|(_, what)| may(what)).map(|(id, _)| id).collect();
                    expected.sort();
                    assert!(found.iter().all(|id| expected.contains(&id)), "only what may be found");
                }
            }
        }
    })
    .await;
}
