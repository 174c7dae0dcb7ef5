//! A5 and A6: going on with open tasks, and handing work over to another agent.

use kernel::{Ctx, Micros};
use memory::bundle::{Bundle, SectionName};
use memory::work::TaskPatch;
use serde_json::{Value, json};
use store::{Reach, execute};
use testkit::{Home, ctx, on_both};

use super::{asked, items, report_bundle, texts};
use crate::support::{Room, code, event, room, said};

impl Room {
    async fn task(&self, who: &Ctx, id: Option<&str>, more: Value) -> String {
        let patch: TaskPatch = serde_json::from_value(more).unwrap();
        self.memory.record_task(who, id, patch).await.unwrap().task_id
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a5_a_new_session_goes_on_with_what_is_open() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        for n in 0..6 {
            room.record(&ana, said(&format!("We talked at length about the harbour, turn {n}"))).await;
        }
        let moor = room.task(&ana, None, json!({"title": "Moor the boat", "priority": 2})).await;
        let paint = json!({"title": "Paint the hull", "priority": 9, "blocked_by": [moor]});
        let paint = room.task(&ana, None, paint).await;
        let sell = room.task(&ana, None, json!({"title": "Sell the old sails"})).await;
        room.task(&ana, Some(&sell), json!({"status": "done"})).await;
        room.task(&ana, Some(&moor), json!({"status": "doing"})).await;
        let bundle = room.bundle(&ana, "continue", json!({"session_id": "fresh"})).await;
        let tasks: Vec<_> = items(&bundle, SectionName::Tasks).iter().map(|item| &item.task_id).collect();
        assert_eq!(tasks, [&Some(paint), &Some(moor)]);
        let said = texts(&bundle, SectionName::Tasks);
        assert!(said[1].starts_with("[doing] Moor") && said[0].contains("waits for tsk_"), "{said:?}");
        let all = super::wire(&bundle);
        assert!(!all.contains("old sails") && !all.contains("harbour"), "{all}");
        assert!(items(&bundle, SectionName::Recent).is_empty());
        assert!(items(&bundle, SectionName::Evidence).is_empty());
        assert_eq!(bundle.provenance.path.as_str(), "fast");
        report_bundle(&home, "a5", &bundle);
    })
    .await;
}

/// A capsule of Ana's as its route would keep it.
async fn hand_over(home: &Home, room: &Room, id: &str, items: Value) {
    let (id, items, now) = (id.to_owned(), items.to_string(), room.clock.now().0);
    let packet = json!({"goal": "Moor the boat in Lisbon", "state": "berth found, fee open",
        "next_steps": ["pay the fee"], "open_questions": ["who meets us?"]});
    let packet = packet.to_string();
    let written = home.store.write("test.capsule", Reach::Everyone, move |tx| {
        Box::pin(async move {
            execute!(
                tx,
                "INSERT INTO capsules (tenant_id, capsule_id, user_id, author_agent_id, audience_agent_ids, subject_type,
                     subject_id, packet, items, risks, recorded_at, expires_at, status)
                 VALUES ('acme', $1, 'ana', 'scout', '[\"skipper\"]', 'task', 'moor', $2, $3, '[\"storm\"]', $4, $5, 'active')",
                id,
                packet,
                items,
                now,
                now + 7 * Micros::DAY,
            )?;
            Ok(())
        })
    });
    written.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a6_a_capsule_hands_over_what_counts_and_no_transcript() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        let mut chunks = Vec::new();
        for n in 0..30 {
            let text = format!("Turn {n}: the harbour master of Lisbon wrote about berth {n}");
            let more = json!({"agent_id": "scout", "session_id": "scouting"});
            chunks.extend(room.record(&ana, event(&text, more)).await.chunk_ids);
        }
        let decision = json!({"decision": "Take the berth at the north quay", "agent_id": "scout"});
        let decision: memory::work::NewDecision = serde_json::from_value(decision).unwrap();
        let decision = room.memory.record_decision(&ana, decision).await.unwrap().0;
        let ben = ctx("acme", "ben");
        let foreign = room.record(&ben, said("Ben's own words about berths")).await.chunk_ids.remove(0);
        let chosen: Vec<&String> = chunks.iter().step_by(3).chain([&foreign]).collect();
        let capsule = "cap_0123456789abcdef";
        hand_over(&home, &room, capsule, json!({"decisions": [decision], "chunks": chosen, "artifacts": []}))
            .await;

        let here = json!({"agent_id": "skipper", "session_id": "mooring"});
        let named = json!({"agent_id": "skipper", "session_id": "mooring", "capsule_ids": [capsule]});
        for (intent, more) in [("continue", here), ("moor in the harbour of Lisbon", named)] {
            let bundle = room.bundle(&ana, intent, more).await;
            let handed = items(&bundle, SectionName::Handoff);
            assert_eq!(handed[0].refs[0], capsule);
            assert!(handed[0].text.as_ref().unwrap().contains("Next: pay the fee"));
            assert!(handed.iter().any(|item| item.decision_id.as_ref() == Some(&decision)));
            let evidence = handed.iter().filter(|item| item.refs[0].starts_with("chk_")).count();
            assert_eq!(evidence, 10);
            for id in bundle.capsules[0].refs.iter().filter(|id| id.starts_with("chk_")) {
                room.memory.get_chunk(&ana, id).await.unwrap();
            }
            assert!(longest_run(&bundle, &chunks) <= 3, "a transcript came along");
            assert!(!super::wire(&bundle).contains("Ben's own words"));
            report_bundle(&home, "a6", &bundle);
        }

        let outside = json!({"agent_id": "cook", "capsule_ids": [capsule]});
        assert_eq!(code(room.memory.build_bundle(&ana, asked("continue", outside)).await), "not_found");
        let unnamed = room.bundle(&ana, "continue", json!({"agent_id": "cook"})).await;
        assert!(unnamed.capsules.is_empty() && !super::wire(&unnamed).contains(capsule));
        let team = json!({"agent_id": "skipper", "channel": "team", "capsule_ids": [capsule]});
        assert_eq!(code(room.memory.build_bundle(&ana, asked("continue", team)).await), "not_found");
        let strange = json!({"agent_id": "skipper", "capsule_ids": [capsule]});
        assert_eq!(code(room.memory.build_bundle(&ben, asked("continue", strange)).await), "not_found");
        room.clock.advance(8 * Micros::DAY);
        let late = json!({"agent_id": "skipper", "capsule_ids": [capsule]});
        assert_eq!(code(room.memory.build_bundle(&ana, asked("continue", late)).await), "not_found");
        let late = room.bundle(&ana, "continue", json!({"agent_id": "skipper"})).await;
        assert!(items(&late, SectionName::Handoff).is_empty());
        assert_eq!(late.omissions[0].reason.as_str(), "expired");
    })
    .await;
}

/// The longest run of turns that followed each other in their conversation.
fn longest_run(bundle: &Bundle, chunks: &[String]) -> usize {
    let all = super::wire(bundle);
    let served = chunks.iter().map(|chunk| all.contains(chunk.as_str()));
    let runs = served.scan(0, |run, is_served| {
        *run = if is_served { *run + 1 } else { 0 };
        Some(*run)
    });
    runs.max().unwrap_or_default()
}
