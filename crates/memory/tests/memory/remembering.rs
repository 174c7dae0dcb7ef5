//! Memories: kept as said, found beside the turns they rest on, changed without losing what was.

use kernel::{Ctx, Micros};
use memory::memories::{Added, EditOp, MemoryPatch, NewEdit, NewMemory};
use serde_json::{Value, json};
use testkit::{bound_key, ctx, instant, on_both};

use crate::support::{Room, code, local, room, room_with, said};

fn new(text: &str, more: Value) -> NewMemory {
    let mut whole = json!({"text": text});
    for (key, value) in more.as_object().unwrap() {
        whole[key] = value.clone();
    }
    serde_json::from_value(whole).unwrap()
}

fn edit(target: &str, op: EditOp) -> NewEdit {
    NewEdit { target_id: target.to_owned(), op, patch: MemoryPatch::default(), reason: None, propose: false }
}

impl Room {
    async fn keep(&self, ctx: &Ctx, text: &str, more: Value) -> Added {
        self.memory.add_memory(ctx, new(text, more)).await.unwrap()
    }

    /// Ids of hits, best first.
    async fn hits(&self, ctx: &Ctx, query: &str, more: Value) -> Vec<String> {
        self.ask(ctx, query, more).await.items.into_iter().map(|hit| hit.id).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_is_found_at_once_and_the_same_words_are_kept_once() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        let first = room.keep(&ana, "Ana's favourite dish is ceviche.", json!({"type": "preference"})).await;
        let again = room.keep(&ana, "ana's favourite DISH is ceviche", json!({"type": "preference"})).await;
        assert_eq!((first.merged, again.merged), (false, true));
        assert_eq!(first.memory.memory_id, again.memory.memory_id);
        let answer = room.ask(&ana, "which dish does Ana like", json!({"explain": true})).await;
        let hit = &answer.items[0];
        assert_eq!(
            (hit.kind, hit.id.as_str(), hit.r#type.as_str()),
            ("memory", first.memory.memory_id.as_str(), "preference")
        );
        let sum: f64 = hit.explain.as_ref().unwrap().parts.iter().map(|part| part.value).sum();
        assert!((sum - hit.score).abs() < 1e-6, "{sum} {}", hit.score);
        assert!(room.hits(&ctx("acme", "ben"), "dish ceviche", json!({})).await.is_empty());
        assert!(room.hits(&ctx("zeta", "ana"), "dish ceviche", json!({})).await.is_empty());
        assert!(room.hits(&ana, "dish ceviche", json!({"include": ["events"]})).await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_and_the_turn_it_rests_on_share_one_hit() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        let event = room.record(&ana, said("We moved the harbour office to Porto in spring")).await.event_id;
        let kept = room.keep(&ana, "The harbour office is in Porto", json!({"refs": [event]})).await.memory;
        let answer = room.ask(&ana, "where is the harbour office", json!({})).await;
        assert_eq!(answer.items.len(), 1);
        let hit = &answer.items[0];
        assert_eq!(hit.event.as_ref().unwrap().event_id, event);
        assert_eq!(hit.memory.as_ref().unwrap().memory_id, kept.memory_id);
        assert_eq!(hit.also.len(), 1);
        assert_eq!(room.memory.memory_sources(&ana, &kept.memory_id).await.unwrap()[0].event_id, event);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_superseded_stays_and_answers_for_its_time() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        let old =
            room.keep(&ana, "Ana lives in Lima", json!({"valid_from": "2020-01-01T00:00:00Z"})).await.memory;
        room.clock.advance(Micros::DAY);
        let next = json!({"supersedes": old.memory_id, "valid_from": "2024-06-01T00:00:00Z"});
        let next = room.keep(&ana, "Ana lives in Quito", next).await;
        assert_eq!(next.superseded, [old.memory_id.as_str()]);
        let new = next.memory.memory_id;
        assert_eq!(room.hits(&ana, "where does Ana live", json!({})).await, [new.as_str()]);
        let then = json!({"valid_at": "2022-01-01T00:00:00Z"});
        assert_eq!(room.hits(&ana, "where does Ana live", then).await, [old.memory_id.as_str()]);
        let believed = json!({"as_of": testkit::NOON});
        let believed = room.ask(&ana, "where does Ana live", believed).await.items;
        assert_eq!(believed.len(), 1);
        assert_eq!((believed[0].id.as_str(), believed[0].valid_to), (old.memory_id.as_str(), None));
        let both = room.hits(&ana, "where does Ana live", json!({"show": ["superseded"]})).await;
        assert_eq!(both.len(), 2);
        let stored = room.memory.get_memory(&ana, &old.memory_id).await.unwrap();
        assert_eq!(
            (stored.superseded_by, stored.valid_to),
            (Some(new), Some(instant("2024-06-01T00:00:00Z")))
        );
        let ops: Vec<_> = room
            .memory
            .memory_history(&ana, &old.memory_id)
            .await
            .unwrap()
            .into_iter()
            .map(|v| v.op)
            .collect();
        assert_eq!(ops, ["ADD", "SUPERSEDE"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_edit_keeps_what_was_and_can_be_taken_back() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        let id = room.keep(&ana, "The boat is called Marlin", json!({})).await.memory.memory_id;
        let amend = NewEdit {
            patch: serde_json::from_value(json!({"text": "The boat is called Osprey"})).unwrap(),
            reason: Some("renamed".to_owned()),
            ..edit(&id, EditOp::Amend)
        };
        assert_eq!(room.memory.edit(&ana, amend).await.unwrap().memory.version, 2);
        assert_eq!(room.hits(&ana, "Osprey", json!({})).await, [id.as_str()]);
        assert!(room.hits(&ana, "Marlin", json!({})).await.is_empty());
        for op in [EditOp::Retract, EditOp::Quarantine, EditOp::Block] {
            room.memory.edit(&ana, edit(&id, op)).await.unwrap();
            assert!(room.hits(&ana, "boat Osprey", json!({})).await.is_empty(), "{op:?}");
            room.memory.edit(&ana, edit(&id, EditOp::Restore)).await.unwrap();
            assert_eq!(room.hits(&ana, "boat Osprey", json!({})).await, [id.as_str()], "{op:?}");
        }
        let history = room.memory.memory_history(&ana, &id).await.unwrap();
        assert_eq!(history.len(), 8);
        assert_eq!(history[1].previous_text.as_deref(), Some("The boat is called Marlin"));
        assert_eq!((history[1].op.as_str(), history[1].reason.as_deref()), ("UPDATE", Some("renamed")));
        assert!(history[..7].iter().all(|version| version.retired_at.is_some()));
        room.memory.erase_memory(&ana, &id).await.unwrap();
        assert_eq!(code(room.memory.get_memory(&ana, &id).await), "not_found");
        assert!(room.hits(&ana, "boat Osprey", json!({})).await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn others_propose_and_the_owner_decides_once() {
    on_both(|home| async move {
        let room = room(&home);
        let (ana, ben, eve) =
            (bound_key("acme", "k1", "ana"), bound_key("acme", "k2", "ben"), bound_key("zeta", "k3", "eve"));
        let id =
            room.keep(&ana, "The stand-up is at nine", json!({"channel": "team"})).await.memory.memory_id;
        let propose = || NewEdit {
            patch: serde_json::from_value(json!({"text": "The stand-up is at ten"})).unwrap(),
            ..edit(&id, EditOp::Amend)
        };
        assert_eq!(code(room.memory.edit(&eve, propose()).await), "not_found");
        let [first, second] = [(); 2].map(|()| room.memory.edit(&ben, propose()));
        let (first, second) = (first.await.unwrap().edit, second.await.unwrap().edit);
        assert_eq!(first.status, "pending");
        assert_eq!(room.hits(&ben, "stand-up nine", json!({"channel": "team"})).await, [id.as_str()]);
        assert_eq!(code(room.memory.decide_edit(&ben, &first.edit_id, true, None).await), "not_found");
        assert_eq!(code(room.memory.decide_edit(&eve, &first.edit_id, true, None).await), "not_found");
        let done = room.memory.decide_edit(&ana, &first.edit_id, true, None).await.unwrap();
        assert_eq!(
            (done.edit.status.as_str(), done.memory.text.as_str()),
            ("approved", "The stand-up is at ten")
        );
        for (edit, approve) in [(&first, true), (&first, false), (&second, true)] {
            let decided = room.memory.decide_edit(&ana, &edit.edit_id, approve, None).await;
            assert_eq!(code(decided), "edit_stale");
        }
        let rejected =
            room.memory.decide_edit(&ana, &second.edit_id, false, Some("no".to_owned())).await.unwrap();
        assert_eq!((rejected.edit.status.as_str(), rejected.memory.version), ("rejected", 2));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_what_has_changed_since_is_refused() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        let id = room.keep(&ana, "The ferry leaves at six", json!({})).await.memory.memory_id;
        let amend = |text: &str, version: i64| NewEdit {
            patch: serde_json::from_value(json!({"text": text, "expected_version": version})).unwrap(),
            ..edit(&id, EditOp::Amend)
        };
        assert_eq!(room.memory.edit(&ana, amend("at seven", 1)).await.unwrap().memory.version, 2);
        assert_eq!(code(room.memory.edit(&ana, amend("at eight", 1)).await), "edit_stale");
        assert_eq!(room.memory.get_memory(&ana, &id).await.unwrap().text, "at seven");
        assert_eq!(room.memory.edit(&ana, amend("at eight", 2)).await.unwrap().memory.version, 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_and_types_choose_among_memories_however_few_match() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        for n in 0..300 {
            room.keep(&ana, &format!("lighthouse number {n}"), json!({"metadata": {"n": n}})).await;
        }
        let rule =
            room.keep(&ana, "lighthouse rule", json!({"type": "rule", "metadata": {"n": -1}})).await.memory;
        let found = room.hits(&ana, "lighthouse", json!({"filters": {"metadata.n": {"gte": 298}}})).await;
        assert_eq!(found.len(), 2);
        assert_eq!(
            room.hits(&ana, "lighthouse", json!({"types": ["rule"]})).await,
            [rule.memory_id.as_str()]
        );
        assert_eq!(
            room.hits(&ana, "lighthouse", json!({"filters": {"metadata.n": -1}})).await,
            [rule.memory_id]
        );
        let bad = crate::support::request("x", json!({"filters": {"tenant_id": "zeta"}}));
        assert_eq!(code(room.memory.search(&ana, bad).await), "validation_failed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memories_get_vectors_of_their_present_words() {
    on_both(|home| async move {
        let (room, ana) = (
            room_with(&home, &testkit::clock(), local(), memory::MemoryConfig::default()),
            ctx("acme", "ana"),
        );
        let id = room.keep(&ana, "She adores felines", json!({})).await.memory.memory_id;
        room.keep(&ana, "The invoice was paid on Monday", json!({})).await;
        room.jobs.drain().await.unwrap();
        let answer = room.ask(&ana, "does she like cats", json!({"mode": "dense"})).await;
        assert_eq!((answer.items[0].id.as_str(), answer.missing_vectors), (id.as_str(), 0));
        let patch = serde_json::from_value(json!({"text": "She is fond of sailing"})).unwrap();
        room.memory.edit(&ana, NewEdit { patch, ..edit(&id, EditOp::Amend) }).await.unwrap();
        assert_eq!(room.ask(&ana, "boats", json!({})).await.missing_vectors, 1);
        room.jobs.drain().await.unwrap();
        let answer = room.ask(&ana, "does she enjoy boats on the water", json!({"mode": "dense"})).await;
        assert_eq!((answer.items[0].id.as_str(), answer.missing_vectors), (id.as_str(), 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_memories_are_refused_by_field_and_secrets_never_kept() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), bound_key("acme", "k1", "ana"));
        for (more, expected) in [
            (json!({"text": " "}), "validation_failed"),
            (json!({"text": "x".repeat(8_001)}), "too_large"),
            (json!({"metadata": {"x": "y".repeat(17_000)}}), "too_large"),
            (json!({"importance": 1.5}), "validation_failed"),
            (json!({"expires_at": "2020-01-01T00:00:00Z"}), "validation_failed"),
            (json!({"refs": ["evt_0123456789abcdef"]}), "unknown_ref"),
            (json!({"supersedes": "mem_0123456789abcdef"}), "unknown_ref"),
            (json!({"user_id": "ben"}), "not_found"),
            (json!({"tags": [""]}), "validation_failed"),
        ] {
            assert_eq!(
                code(room.memory.add_memory(&ana, new("fine", more.clone())).await),
                expected,
                "{more}"
            );
        }
        let secret = format!("ghp_{}", "Qm4Zt8Kd93hfQp27LmZx04Rt61WsabcdefAB");
        let kept =
            room.keep(&ana, &format!("deploy key {secret}"), json!({"metadata": {"k": secret}})).await.memory;
        assert_eq!(kept.sensitivity, "secret");
        assert!(!testkit::holds(&testkit::everything_in(&home).await, &secret));
        assert!(room.hits(&ana, "deploy key", json!({})).await.is_empty());
    })
    .await;
}
