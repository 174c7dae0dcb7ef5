//! A7 to A9: what is private and secret stays so, and going on costs little.

use std::time::Instant;

use memory::bundle::SectionName;
use serde_json::{Value, json};
use testkit::{ctx, everything_in, holds, on_both};

use super::{PATIENCE, asked, items, report, report_bundle, wire};
use crate::support::{event, room};

const CHANNELS: [&str; 4] = ["private", "team", "public", "agent"];

#[tokio::test(flavor = "multi_thread")]
async fn a7_what_is_private_leaves_no_trace_in_public() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        let question =
            || json!({"query_text": "what should be on the pizza", "channel": "public", "max_tokens": 1_500});
        // In the open there is much to say, so that there are omissions to count.
        for n in 0..80 {
            let more = json!({"channel": "public", "session_id": format!("open{n}")});
            room.record(&ana, event(&format!("Pizza number {n} went to table {}", n * 3), more)).await;
        }
        let before = room.bundle(&ana, "answer", question()).await;
        assert!(!before.omissions.is_empty());
        let preference =
            event("I want anchovies on my pizza, keep it to yourself", json!({"session_id": "now"}));
        let said = room.record(&ana, preference).await;
        for more in [json!({"channel": "team"}), json!({"sensitivity": "low", "channel": "public"})] {
            let mut more = more;
            more["session_id"] = "now".into();
            room.record(&ana, event("anchovies on every pizza", more)).await;
        }
        let memory = json!({"text": "Ana loves anchovies", "pinned": true, "refs": [said.event_id]});
        room.memory.add_memory(&ana, serde_json::from_value(memory).unwrap()).await.unwrap();
        let task = json!({"title": "Buy anchovies"});
        room.memory.record_task(&ana, None, serde_json::from_value(task).unwrap()).await.unwrap();
        let decision = json!({"decision": "Always have anchovies in the house"});
        room.memory.record_decision(&ana, serde_json::from_value(decision).unwrap()).await.unwrap();

        let after = room.bundle(&ana, "answer", question()).await;
        assert_eq!(wire(&before), wire(&after), "a public answer tells that there is something private");
        let found = room.ask(&ana, "anchovies pizza", json!({"channel": "public", "limit": 200})).await;
        assert!(!found.items.is_empty() && found.items.iter().all(|hit| !hit.text.contains("anchov")));

        let own = room.bundle(&ana, "answer", json!({"query_text": "what should be on the pizza"})).await;
        let pinned: Vec<_> = items(&own, SectionName::Identity).iter().map(|item| &item.text).collect();
        assert_eq!(pinned, [&Some("Ana loves anchovies".to_owned())]);
        assert!(items(&own, SectionName::Recent).iter().any(|item| item.refs.contains(&said.event_id)));
        assert!(wire(&own).contains("Buy anchovies") && wire(&own).contains("Always have anchovies"));
        for other in [ctx("acme", "ben"), ctx("zeta", "ana")] {
            let theirs =
                room.bundle(&other, "answer", json!({"query_text": "keep anchovies pizza yourself"})).await;
            for text in [said.event_id.as_str(), "Ana loves", "Always have", "Buy anchovies"] {
                assert!(!wire(&theirs).contains(text), "{text}");
            }
        }
        report_bundle(&home, "a7", &own);
    })
    .await;
}

/// An invented secret of every kind, put together here so that no scanner of sources takes it for a real one.
fn secrets() -> Vec<(String, String)> {
    let long = "a8Kd93hfQp27LmZx04Rt61Ws";
    let of = |before: &str, secret: String| (format!("{before}{secret}"), secret);
    vec![
        of("use ", format!("sk-{long}")),
        of("aws ", format!("AKIA{}", "IOSFODNN7EXAMPLQ")),
        of("push with ", format!("ghp_{}", "Qm4Zt8Kd93hfQp27LmZx04Rt61WsabcdefAB")),
        of("cookie ", format!("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.{long}")),
        of("key: ", format!("-----BEGIN {}-----\nMIIEabc\n-----END {}-----", "PRIVATE KEY", "PRIVATE KEY")),
        of("Authorization: Bearer ", format!("{long}.xy")),
        of("pay with ", "4111 1111 1111 1111".to_owned()),
        of("DB_PASSWORD=", "hunterhunter".to_owned()),
        of("the key for the door was always ", format!("{long}9")),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a8_no_secret_is_kept_or_bundled() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        for channel in CHANNELS {
            for (at, (text, secret)) in secrets().into_iter().enumerate() {
                let here = |kind: &str, content: Value| {
                    event(
                        "",
                        json!({"kind": kind, "content": content, "channel": channel, "session_id": "now"}),
                    )
                };
                let nested = json!({"tool": "deploy", "arguments": {"env": [{"value": {"deep": text}}]}});
                for new in [
                    here("message", json!({"text": format!("mandarin {at}: {text}")})),
                    here("tool_call", nested),
                    here("artifact", json!({"text": format!("# mandarin file\n{text}\n"), "path": "a.env"})),
                ] {
                    let recorded = room.record(&ana, new).await;
                    let stored = room.memory.get_event(&ana, &recorded.event_id).await.unwrap();
                    assert_eq!(stored.sensitivity, "secret", "{text}");
                    assert!(!stored.content.to_string().contains(&secret));
                }
            }
            let open = event("mandarin peel in the open", json!({"channel": channel, "session_id": "now"}));
            room.record(&ana, open).await;
        }
        for channel in CHANNELS {
            for intent in ["continue", "mandarin deploy key password"] {
                let bundle = room.bundle(&ana, intent, json!({"channel": channel})).await;
                let all = wire(&bundle);
                assert!(all.contains("mandarin peel"), "{channel}: {all}");
                assert!(!all.contains("[secret:") && !all.contains("mandarin file"), "{channel}: {all}");
                report_bundle(&home, "a8", &bundle);
            }
        }
        let kept = everything_in(&home).await;
        for (_, secret) in secrets() {
            assert!(!holds(&kept, &secret), "{secret} was kept");
        }
        // The control: what is no secret is found by the same look.
        assert!(holds(&kept, "mandarin peel in the open"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a9_going_on_in_a_hot_session_reads_little() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        let turn = |n| event(&format!("turn {n} of a long talk about boats"), json!({"session_id": "now"}));
        room.memory.record_batch(&ana, (0..200).map(turn).collect(), None).await.unwrap();
        for n in 0..15 {
            let task = json!({"title": format!("task {n}"), "priority": n % 7});
            room.memory.record_task(&ana, None, serde_json::from_value(task).unwrap()).await.unwrap();
            let decision = json!({"decision": format!("decision {n}"), "session_id": "now"});
            room.memory.record_decision(&ana, serde_json::from_value(decision).unwrap()).await.unwrap();
        }
        let pinned = json!({"text": "Ana speaks Portuguese", "pinned": true});
        room.memory.add_memory(&ana, serde_json::from_value(pinned).unwrap()).await.unwrap();
        let mut took = Vec::new();
        for _ in 0..20 {
            let started = Instant::now();
            let bundle = room.bundle(&ana, "Continue with it", json!({})).await;
            took.push(started.elapsed().as_secs_f64() * 1e3);
            let by = &bundle.provenance;
            assert_eq!((by.path.as_str(), by.query_terms.len()), ("fast", 0));
            assert!((1..=12).contains(&by.reads), "{} reads", by.reads);
            assert!(by.bytes_read <= 2 * 1024 * 1024 && by.candidate_pool_size <= 500);
            assert_eq!(items(&bundle, SectionName::Recent).len(), 20);
        }
        took.sort_by(f64::total_cmp);
        assert!(took[18] <= 150.0 * PATIENCE, "{took:?}");
        let searched = room.memory.build_bundle(&ana, asked("which boats?", json!({}))).await.unwrap();
        assert_eq!(searched.provenance.path.as_str(), "retrieval");
        report(&home, "a9", json!({"p95_ms": took[18], "reads": searched.provenance.reads}));
    })
    .await;
}
