//! A1 to A4, A10 and A12: what was recorded comes back, and the right of it.

use std::time::Instant;

use kernel::Micros;
use memory::bundle::SectionName;
use memory::work::NewDecision;
use serde_json::{Value, json};
use testkit::{clock, ctx, on_both};

use super::{PATIENCE, items, report_bundle, texts, wire};
use crate::support::{Room, event, room, said};

fn days_ago(days: i64) -> Micros {
    clock().now().plus(-days * Micros::DAY)
}

impl Room {
    async fn decides(&self, ctx: &kernel::Ctx, more: Value) -> String {
        let new: NewDecision = serde_json::from_value(more).unwrap();
        self.memory.record_decision(ctx, new).await.unwrap().0
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a1_everything_is_kept_and_large_results_are_excerpts_with_their_whole() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        let of = |kind: &str, content: Value| {
            let actor = json!({"type": if kind == "message" { "human" } else { "tool" }, "id": "ana"});
            event("", json!({"kind": kind, "content": content, "actor": actor, "session_id": "now"}))
        };
        let request = room
            .record(&ana, of("message", json!({"text": "Please find out why the nightly import fails"})))
            .await;
        let call = json!({"tool": "read_file", "path": "src/import.rs", "arguments": {"lines": 200}});
        let call = room.record(&ana, of("tool_call", call)).await;
        let lines: Vec<String> = (0..200).map(|n| format!("line {n} of the importer")).collect();
        let small = room.record(&ana, of("tool_result", json!({"text": lines.join("\n")}))).await;
        let whole: Vec<String> =
            (0..40_000).map(|n| format!("row {n} imported with state {}", n % 7)).collect();
        let whole = whole.join("\n");
        assert!(whole.len() > 1_000_000);
        let large = room.record(&ana, of("tool_result", json!({"text": whole}))).await;
        let file = "fn retry_after_the_seventh_failure() { back_off(); }";
        let file = room.record(&ana, of("artifact", json!({"text": file, "path": "src/retry.rs"}))).await;
        let decision = json!({"decision": "Skip rows in state 5", "rationale": ["they break the import"],
            "refs": [request.event_id, large.event_id], "session_id": "now"});
        let decision = room.decides(&ana, decision).await;
        let summary = json!({"text": "The nightly import fails on rows in state 5", "type": "summary",
            "refs": [request.event_id, small.event_id]});
        room.memory.add_memory(&ana, serde_json::from_value(summary).unwrap()).await.unwrap();

        for recorded in [&request, &call, &small, &large, &file] {
            room.memory.get_event(&ana, &recorded.event_id).await.unwrap();
        }
        let artifact = large.artifact_id.as_ref().unwrap();
        assert_eq!(room.memory.get_artifact(&ana, artifact).await.unwrap(), whole.as_bytes());
        let stored = room.memory.get_decision(&ana, &decision).await.unwrap();
        assert!(stored.refs.contains(&request.event_id) && stored.refs.contains(&large.event_id));

        let bundle = room.bundle(&ana, "why does the nightly import fail?", json!({})).await;
        let started = Instant::now();
        room.bundle(&ana, "why does the nightly import fail?", json!({})).await;
        let took = started.elapsed().as_secs_f64() * 1e3;
        assert!(took <= 500.0 * PATIENCE, "{took} ms");
        let turn = items(&bundle, SectionName::Recent)
            .iter()
            .find(|item| item.artifact_id.as_ref() == Some(artifact))
            .unwrap();
        assert!(turn.excerpt && turn.token_est <= 2_000, "{}", turn.token_est);
        assert!(turn.refs.contains(&large.event_id));
        let kinds: Vec<&str> =
            items(&bundle, SectionName::Recent).iter().map(|item| item.source.as_str()).collect();
        assert_eq!(kinds, ["message", "tool_call", "tool_result", "tool_result", "artifact", "decision"]);
        let decided = &items(&bundle, SectionName::Decisions)[0];
        assert_eq!(decided.decision_id.as_deref(), Some(decision.as_str()));
        let asked = json!({"session_id": "later"});
        let later = room.bundle(&ana, "what happens after the seventh failure in retry.rs", asked).await;
        let found = &items(&later, SectionName::Evidence)[0];
        assert!(found.refs.contains(&file.event_id), "{found:?}");
        report_bundle(&home, "a1", &bundle);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a2_an_old_decision_is_found_with_what_led_to_it() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        let at = |days, text: &str, session: &str| {
            event(text, json!({"occurred_at": days_ago(days), "session_id": session}))
        };
        let cause = "The Redis queue lost eleven jobs during the failover on Thursday";
        let cause = room.record(&ana, at(15, cause, "incident")).await;
        let content = json!({"decision": "Use PostgreSQL for the job queue", "subject": "job queue",
            "rationale": ["Redis lost jobs during a failover"]});
        let more = json!({"kind": "decision", "content": content, "occurred_at": days_ago(14),
            "session_id": "incident", "refs": [cause.event_id]});
        let decision = room.record(&ana, event("", more)).await;
        let mut planted = Vec::new();
        for n in 0..60 {
            let text = format!("The garden needs watering and the tomatoes of row {n} are ripe");
            planted.push(room.record(&ana, at(n % 13, &text, "garden")).await.event_id);
        }
        let question = json!({"query_text": "Why did we choose PostgreSQL for the job queue?"});
        let bundle = room.bundle(&ana, "answer", question).await;
        let decided = items(&bundle, SectionName::Decisions);
        assert!(decided[0].refs.contains(&decision.event_id), "{decided:?}");
        let evidence = items(&bundle, SectionName::Evidence);
        assert!(evidence.iter().any(|item| item.refs[0] == cause.chunk_ids[0]));
        let top = evidence.iter().take(5);
        assert!(top.flat_map(|item| &item.refs).all(|id| !planted.contains(id)), "{evidence:?}");
        assert_eq!(bundle.provenance.path.as_str(), "retrieval");
        report_bundle(&home, "a2", &bundle);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a3_only_the_decision_that_holds_is_served() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        let first = json!({"decision": "Deploy the harbour service on Fridays", "subject": "deploy day"});
        let first = room.decides(&ana, first).await;
        let change = room.record(&ana, said("Deploying on Fridays ruined two weekends, no more of it")).await;
        let second = json!({"decision": "Deploy the harbour service on Tuesdays", "subject": "deploy day",
            "refs": [change.event_id]});
        let second = room.decides(&ana, second).await;
        let (old, new) = (
            room.memory.get_decision(&ana, &first).await.unwrap(),
            room.memory.get_decision(&ana, &second).await.unwrap(),
        );
        assert_eq!((old.status.as_str(), new.status.as_str()), ("superseded", "active"));
        assert!([&first, &change.event_id].iter().all(|id| new.refs.contains(id)));
        for more in [json!({}), json!({"session_id": "decisions"})] {
            let bundle = room.bundle(&ana, "when do we deploy the harbour service?", more).await;
            let served: Vec<_> =
                items(&bundle, SectionName::Decisions).iter().map(|item| &item.decision_id).collect();
            assert_eq!(served, [&Some(second.clone())]);
            assert!(!wire(&bundle).contains("harbour service on Fridays"), "{}", wire(&bundle));
            let gone = bundle.omissions.iter().filter(|one| one.reason.as_str() == "superseded");
            assert!(gone.flat_map(|one| &one.candidates).count() >= 1);
            report_bundle(&home, "a3", &bundle);
        }
        // Two at the same instant: the one recorded last holds.
        let tie = |text: &str| {
            let content = json!({"decision": text, "subject": "paint"});
            event("", json!({"kind": "decision", "content": content, "occurred_at": days_ago(1)}))
        };
        room.record(&ana, tie("Paint the hull green")).await;
        room.record(&ana, tie("Paint the hull blue")).await;
        let bundle = room.bundle(&ana, "continue", json!({"session_id": "fresh"})).await;
        let said = texts(&bundle, SectionName::Decisions).join("\n");
        assert!(said.contains("hull blue") && !said.contains("hull green"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a4_what_was_said_wins_over_a_digest_that_drifted() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        let early = room
            .record(
                &ana,
                event("We start with a context budget of 32K tokens", json!({"occurred_at": days_ago(9)})),
            )
            .await;
        let summary = |text: &str, refs: Value, days| {
            serde_json::from_value(json!({"text": text, "type": "summary", "refs": refs,
                "valid_from": days_ago(days)}))
            .unwrap()
        };
        let digest = summary("The context budget is 32K tokens", json!([early.event_id]), 8);
        let digest = room.memory.add_memory(&ana, digest).await.unwrap().memory.memory_id;
        let bare = summary("The context budget of the planner is 16K tokens", json!([]), 7);
        let bare = room.memory.add_memory(&ana, bare).await.unwrap().memory.memory_id;
        let fact = json!({"text": "The context budget is 48K tokens", "valid_from": days_ago(6)});
        let fact = room.memory.add_memory(&ana, serde_json::from_value(fact).unwrap()).await.unwrap();
        let fact = fact.memory.memory_id;
        let late = room.record(&ana, said("From today the context budget is 65K tokens")).await;
        let bundle = room.bundle(&ana, "what is the context budget in tokens?", json!({})).await;
        let served = items(&bundle, SectionName::Evidence);
        assert!(served.iter().any(|item| item.refs.contains(&late.event_id)), "{served:?}");
        let names: Vec<(&str, &str)> =
            bundle.conflicts.iter().map(|one| (one.memory_id.as_str(), one.event_id.as_str())).collect();
        assert!(
            names.contains(&(&digest, &late.event_id)) && names.contains(&(&fact, &late.event_id)),
            "{names:?}"
        );
        let all = wire(&bundle);
        assert!(!all.contains(&bare) && !all.contains("16K") && !all.contains("48K"), "{all}");
        assert!(served.iter().flat_map(|item| &item.refs).all(|id| *id != digest && *id != fact));
        report_bundle(&home, "a4", &bundle);
        // The control: with nothing newer that says otherwise, the fact is served.
        let alone = ctx("acme", "ben");
        let fact = json!({"text": "The context budget is 48K tokens"});
        room.memory.add_memory(&alone, serde_json::from_value(fact).unwrap()).await.unwrap();
        let bundle = room.bundle(&alone, "what is the context budget in tokens?", json!({})).await;
        assert!(bundle.conflicts.is_empty() && wire(&bundle).contains("48K"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a10_one_decision_is_found_among_thousands_of_events() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        let words =
            ["anchor", "basil", "copper", "dune", "ember", "fjord", "gravel", "heron", "iris", "jetty"];
        for batch in 0..6 {
            let noise = (0..500).map(|n: usize| {
                let word = |k: usize| words[(n * (k + 3) + batch + k) % 10];
                let text = format!("{} {} near the {} in week {n}", word(0), word(1), word(2));
                event(&text, json!({"session_id": format!("s{}", n % 40), "occurred_at": days_ago(20)}))
            });
            room.memory.record_batch(&ana, noise.collect(), None).await.unwrap();
        }
        for n in 0..60 {
            room.decides(&ana, json!({"decision": format!("Rename module {n} to {}", words[n % 10])})).await;
        }
        let why = room
            .record(
                &ana,
                event(
                    "Customers abroad could not pay by card, so billing in euros failed",
                    json!({"occurred_at": days_ago(19), "session_id": "billing"}),
                ),
            )
            .await;
        let content = json!({"decision": "Bill customers abroad in their own currency",
            "rationale": ["card payments in euros failed"]});
        let more = json!({"kind": "decision", "content": content, "occurred_at": days_ago(18),
            "session_id": "billing"});
        let decision = room.record(&ana, event("", more)).await;
        let question = json!({"query_text": "Which currency do we bill customers abroad in, and why?"});
        let bundle = room.bundle(&ana, "answer", question).await;
        let first = &items(&bundle, SectionName::Decisions)[0];
        assert!(first.refs.contains(&decision.event_id), "{first:?}");
        let evidence = items(&bundle, SectionName::Evidence);
        assert!(evidence.iter().any(|item| item.refs.contains(&why.event_id)));
        assert!(evidence.len() <= 200 && super::section(&bundle, SectionName::Evidence).token_est <= 28_000);
        assert!(bundle.provenance.bytes_read <= 8 * 1024 * 1024);
        assert!(items(&bundle, SectionName::Decisions).len() <= 50);
        report_bundle(&home, "a10", &bundle);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a12_what_was_said_twenty_times_takes_the_room_of_three() {
    on_both(|home| async move {
        let room = room(&home);
        let endings = ["", ".", "!", " :)", " ...", "?!", " -", ";", "!!", " ;)"];
        let mut used = Vec::new();
        for (owner, times) in [("ana", 5), ("ben", 20)] {
            let who = ctx("acme", owner);
            for n in 0..times {
                let begin = if n % 2 == 0 { "Please remember" } else { "please REMEMBER" };
                let text = format!("{begin} that my boat is moored in Lisbon{}", endings[n % 10]);
                room.record(&who, event(&text, json!({"session_id": format!("s{n}")}))).await;
            }
            for n in 0..10 {
                room.record(&who, said(&format!("Gulls were seen on day {n} over mast {}", n * 7))).await;
            }
            let bundle = room.bundle(&who, "where is my boat moored?", json!({})).await;
            let about = texts(&bundle, SectionName::Evidence).iter().filter(|t| t.contains("Lisbon")).count();
            assert!((1..=3).contains(&about), "{about}");
            assert!(times < 20 || bundle.provenance.dedupe_count >= 15, "{:?}", bundle.omissions);
            used.push(bundle.token_used_est as f64);
            report_bundle(&home, &format!("a12-{times}"), &bundle);
        }
        assert!((used[1] / used[0] - 1.0).abs() <= 0.1, "{used:?}");
    })
    .await;
}
