//! Who may find what: policy chooses partitions, and what lies outside leaves no trace in an answer.

use kernel::{Role, Scope, Scopes};
use memory::events::{Channel, Sensitivity};
use memory::search::policy::{Readable, partition_of};
use serde_json::json;
use testkit::{ctx, limited, on_both};

use crate::support::{code, event, room, said};

#[tokio::test(flavor = "multi_thread")]
async fn what_policy_keeps_out_is_not_returned_counted_or_named() {
    on_both(|home| async move {
        let (room, ana, ben) = (room(&home), ctx("acme", "ana"), ctx("acme", "ben"));
        let mut recorded = Vec::new();
        for owner in [&ana, &ben, &ctx("zeta", "ana")] {
            for channel in Channel::ALL {
                for tier in Sensitivity::ALL {
                    let text =
                        format!("periwinkle {}{}{}", owner.principal.id, channel.as_str(), tier.as_str());
                    let more = json!({"channel": channel, "sensitivity": tier, "session_id": text});
                    let id = room.record(owner, event(&text, more)).await.event_id;
                    recorded.push((id, owner.clone(), *channel, *tier));
                }
            }
        }
        for asked in Channel::ALL {
            let readable = Readable::new(ana.tenant.clone(), "ana".to_owned(), *asked, None);
            let mut expected: Vec<&str> = recorded
                .iter()
                .filter(|(_, owner, channel, tier)| {
                    owner.tenant == ana.tenant
                        && partition_of(*channel, *tier, &owner.principal.id)
                            .is_some_and(|p| readable.allows(&p))
                })
                .map(|(id, ..)| id.as_str())
                .collect();
            expected.sort_unstable();
            let answer = room.ask(&ana, "periwinkle", json!({"channel": asked, "limit": 200})).await;
            let mut found = crate::support::ids(&answer);
            found.sort_unstable();
            assert_eq!(found, expected, "{asked:?}");
            assert_eq!(answer.query.terms[0].documents, expected.len(), "{asked:?}");
            assert_eq!(answer.missing_vectors, 0);
            let narrowed = json!({"channel": asked, "channels": ["public"], "limit": 200});
            let narrowed = room.ask(&ana, "periwinkle", narrowed).await;
            assert!(narrowed.items.iter().all(|hit| hit.event.as_ref().unwrap().channel == "public"));
            assert!(narrowed.snapshot.len() <= answer.snapshot.len());
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn secret_recalled_and_neighbouring_secret_turns_are_never_found() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        room.record(&ana, event("tangerine secret", json!({"sensitivity": "secret"}))).await;
        let open = room.record(&ana, said("tangerine open")).await.event_id;
        let recalled = room.record(&ana, event("tangerine recalled", json!({"recalled": true}))).await;
        assert_eq!(recalled.chunk_ids, Vec::<String>::new());
        let answer = room.ask(&ana, "tangerine", json!({"neighbours": 3})).await;
        assert_eq!(crate::support::ids(&answer), [open]);
        assert_eq!(answer.query.terms[0].documents, 1);
        assert_eq!(answer.items[0].neighbours.len(), 0);
        room.memory.get_event(&ana, &recalled.event_id).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_expires_is_gone_at_that_instant_however_much_it_is() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        let soon = json!({"expires_at": room.clock.now().plus(1_000_000), "session_id": "short"});
        let mut short = Vec::new();
        for n in 0..30 {
            let text = format!("persimmon persimmon {n}");
            short.push(room.record(&ana, event(&text, soon.clone())).await.event_id);
        }
        let text = "a long remark that happens to hold the word persimmon among many others";
        let lasting = room.record(&ana, event(text, json!({"session_id": "long"}))).await.event_id;
        assert_eq!(room.ask(&ana, "persimmon", json!({"limit": 200})).await.items.len(), 31);
        room.clock.advance(999_999);
        room.memory.get_event(&ana, &short[0]).await.unwrap();
        room.clock.advance(1);
        assert_eq!(code(room.memory.get_event(&ana, &short[0]).await), "not_found");
        assert_eq!(room.found(&ana, "persimmon", json!({"limit": 1})).await, [lasting]);
        let past = json!({"expires_at": room.clock.now()});
        let refused = room.memory.record(&ana, event("x", past), None).await;
        assert_eq!(code(refused), "validation_failed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_and_writing_need_their_scopes() {
    on_both(|home| async move {
        let room = room(&home);
        let reader = limited(ctx("acme", "ana"), Role::Viewer.scopes());
        let writer = limited(ctx("acme", "ana"), Scopes::from_iter([Scope::MemoryWrite]));
        assert_eq!(code(room.memory.record(&reader, said("x"), None).await), "forbidden");
        assert_eq!(code(room.memory.record_batch(&reader, vec![said("x")], None).await), "forbidden");
        let id = room.record(&writer, said("x")).await.event_id;
        assert_eq!(code(room.memory.get_event(&writer, &id).await), "forbidden");
        let asked = room.memory.search(&writer, crate::support::request("x", json!({}))).await;
        assert_eq!(code(asked), "forbidden");
        room.memory.get_event(&reader, &id).await.unwrap();
    })
    .await;
}

/// Invented, and put together here so that no scanner of sources takes it for a real one.
fn planted() -> String {
    format!("ghp_{}", "Qm4Zt8Kd93hfQp27LmZx04Rt61WsabcdefAB")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_taken_out_before_anything_is_stored() {
    on_both(|home| async move {
        let (room, ana, secret) = (room(&home), ctx("acme", "ana"), planted());
        let whole =
            format!("start {}{secret} and \0 on {}", "filler. ".repeat(9_000), "more filler. ".repeat(200));
        let events = [
            event(&format!("marmalade keep {secret} safe"), json!({"tags": ["t", secret]})),
            event(
                "",
                json!({"kind": "tool_call", "content": {"tool": "curl", "arguments":
                {"headers": [{"x": secret}], secret.clone(): 1, "password": "tiny-5"}}}),
            ),
            event(
                &whole,
                json!({"kind": "tool_result", "actor": {"type": "tool", "id": "cat", "name": secret}}),
            ),
        ];
        for event in events {
            let recorded = room.record(&ana, event).await;
            assert!(!recorded.redactions.is_empty());
            let stored = room.memory.get_event(&ana, &recorded.event_id).await.unwrap();
            assert_eq!(stored.sensitivity, "secret");
        }
        let all = testkit::everything_in(&home).await;
        assert!(
            testkit::holds(&all, "[secret:provider_key:") && testkit::holds(&all, "marmalade"),
            "the net works"
        );
        assert!(!testkit::holds(&all, &secret) && !testkit::holds(&all, "tiny-5"));
        // The placeholder's own chunk is withheld; the others keep the caller's level.
        assert!(room.found(&ana, "marmalade", json!({})).await.is_empty());
        assert!(!room.found(&ana, "filler", json!({})).await.is_empty());
        // The same words again are the same event, whatever was taken out of them.
        let again = || event(&format!("my key is {secret}"), json!({"client_event_id": "c1"}));
        let first = room.record(&ana, again()).await;
        let second = room.record(&ana, again()).await;
        assert_eq!((first.event_id, second.duplicate), (second.event_id, true));
    })
    .await;
}
