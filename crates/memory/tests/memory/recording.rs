//! Verbatim, all or none, once, and in order.

use std::sync::Arc;

use kernel::ErrorKind;
use memory::events::NewEvent;
use serde_json::{Value, json};
use store::idempotency::Idempotency;
use testkit::{bound_key, ctx, key, on_both};
use tokio::task::JoinSet;

use crate::support::{code, event, room, said};

fn client(text: &str, id: &str) -> NewEvent {
    event(text, json!({"client_event_id": id}))
}

#[tokio::test(flavor = "multi_thread")]
async fn any_text_comes_back_byte_for_byte() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        for text in [
            "if a < b && c > d { return Vec::<u8>::new(); }",
            "'; DROP TABLE events; -- $1 ? %s \\ \"",
            "<script>alert('x')</script>&amp;<b>",
            "\u{1F469}\u{200D}\u{1F680} e\u{301} \u{1F525}",
            "שלום \u{202E}עולם\u{202C} مرحبا",
            "  leading\r\n\ttabs and trailing \n",
        ] {
            let id = room.record(&ana, said(text)).await.event_id;
            let read = room.memory.get_event(&ana, &id).await.unwrap();
            assert_eq!(read.content, json!({ "text": text }));
            assert!(!read.truncated && read.artifact_id.is_none());
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_event_refuses_its_whole_batch_and_says_which() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        for (bad, expected) in [
            (said(""), "validation_failed"),
            (event("x", json!({"tenant_id": "zeta"})), "tenant_mismatch"),
            (event("x", json!({"user_id": "ben"})), "not_found"),
            (event("x", json!({"refs": ["evt_0123456789abcdef"]})), "unknown_ref"),
            (client("other words", "a"), "idempotency_conflict"),
        ] {
            let batch =
                vec![client("marmalade one", "a"), said("marmalade two"), bad, said("marmalade four")];
            let error = room.memory.record_batch(&ana, batch, None).await.unwrap_err();
            assert_eq!(error.code, expected);
            let at: Vec<Option<usize>> = error.fields.iter().map(|field| field.index).collect();
            assert_eq!(at, [Some(2)], "{expected}");
        }
        assert_eq!(room.found(&ana, "marmalade", json!({})).await, Vec::<String>::new());
        assert_eq!(room.memory.stats(&ana, None).await.unwrap().events, 0);
        assert_eq!(code(room.memory.record_batch(&ana, vec![], None).await), "validation_failed");
        let many = vec![said("x"); 1001];
        assert_eq!(code(room.memory.record_batch(&ana, many, None).await), "validation_failed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_client_event_id_answers_the_first_result_or_a_conflict() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        let first = room.record(&ana, client("hello", "a")).await;
        assert!(!first.duplicate);
        let again = room.record(&ana, client("hello", "a")).await;
        assert!(again.duplicate);
        assert_eq!((&again.event_id, &again.chunk_ids), (&first.event_id, &first.chunk_ids));
        let other = room.memory.record(&ana, client("goodbye", "a"), None).await.unwrap_err();
        assert_eq!((other.kind, other.code), (ErrorKind::Conflict, "idempotency_conflict"));
        let elsewhere = event("goodbye", json!({"client_event_id": "a", "session_id": "t"}));
        assert!(!room.record(&ana, elsewhere).await.duplicate);
        let reordered: Value = json!({"client_event_id": "b", "content": {"z": 1, "text": "hi", "a": 2}});
        let same: Value = json!({"client_event_id": "b", "content": {"a": 2, "text": "hi", "z": 1}});
        let first = room.record(&ana, event("", reordered)).await.event_id;
        let again = room.record(&ana, event("", same)).await;
        assert_eq!((again.event_id, again.duplicate), (first, true), "the order of keys says nothing");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_repeats_ids_of_its_own_and_of_earlier_events() {
    on_both(|home| async move {
        let (room, app) = (room(&home), key("acme", "key_app"));
        let earlier = room.record(&app, client("one", "a")).await.event_id;
        let batch = vec![client("one", "a"), client("one", "a"), client("two", "b"), client("two", "b")];
        let done = room.memory.record_batch(&app, batch, None).await.unwrap();
        assert_eq!((done.accepted, done.duplicates), (1, 3));
        let ids: Vec<&str> = done.results.iter().map(|r| r.event_id.as_str()).collect();
        assert_eq!(ids[..2], [earlier.as_str(); 2]);
        assert_eq!(ids[2], ids[3]);
        for id in ids {
            room.memory.get_event(&app, id).await.unwrap();
        }
        let owners = ["ana", "ben"]
            .map(|owner| event(owner, json!({"client_event_id": "c", "user_id": owner})))
            .to_vec();
        let done = room.memory.record_batch(&app, owners, None).await.unwrap();
        assert_eq!(done.accepted, 2, "two owners share no id");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_two_retries_at_once_record_one_event() {
    on_both(|home| async move {
        let (one, two, ana) = (Arc::new(room(&home)), Arc::new(room(&home)), ctx("acme", "ana"));
        for with_key in [false, true] {
            let mut retries = JoinSet::new();
            for n in 0..32 {
                let (room, ana) = (if n % 2 == 0 { one.clone() } else { two.clone() }, ana.clone());
                retries.spawn(async move {
                    let wanted = with_key.then(|| Idempotency {
                        route: "/api/v1/events".to_owned(),
                        key: "k".to_owned(),
                        request_hash: "h".to_owned(),
                    });
                    let event = if with_key { said("by key") } else { client("by id", "a") };
                    room.memory.record(&ana, event, wanted).await.unwrap()
                });
            }
            let results = retries.join_all().await;
            assert_eq!(results.iter().filter(|result| !result.duplicate).count(), 1);
            assert!(results.iter().all(|result| result.event_id == results[0].event_id));
        }
        assert_eq!(one.memory.stats(&ana, None).await.unwrap().events, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sequence_numbers_have_no_gap_and_no_twin() {
    on_both(|home| async move {
        let (one, two, ana) = (Arc::new(room(&home)), Arc::new(room(&home)), ctx("acme", "ana"));
        let mut appends = JoinSet::new();
        for n in 0..32 {
            let (room, ana) = (if n % 2 == 0 { one.clone() } else { two.clone() }, ana.clone());
            appends.spawn(async move {
                room.record(&ana, said(&format!("first {n}"))).await;
                let bad = event("x", json!({"refs": ["evt_0123456789abcdef"]}));
                assert_eq!(code(room.memory.record(&ana, bad, None).await), "unknown_ref");
                room.record(&ana, said(&format!("then {n}"))).await;
            });
        }
        appends.join_all().await;
        let events = one.memory.list_session_events(&ana, None, "s", 1000, None).await.unwrap();
        let seqs: Vec<i64> = events.iter().rev().map(|event| event.seq).collect();
        assert_eq!(seqs, (1..=64).collect::<Vec<_>>());
        for n in 0..32 {
            let seq = |text: String| events.iter().find(|e| e.content["text"] == text).unwrap().seq;
            assert!(seq(format!("first {n}")) < seq(format!("then {n}")), "acknowledged before is before");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_text_goes_whole_to_an_artifact_and_is_found_by_its_middle() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        let filler = "ordinary words é <b>. ".repeat(2_000);
        let text = format!("{filler} xylophone in the middle. {filler}{filler}");
        let recorded = room.record(&ana, said(&text)).await;
        let read = room.memory.get_event(&ana, &recorded.event_id).await.unwrap();
        assert!(read.truncated && read.artifact_id == recorded.artifact_id);
        let kept = read.content["text"].as_str().unwrap();
        assert!(kept.len() < 66_000 && kept.contains("bytes left out") && text.starts_with(&kept[..1_000]));
        assert_eq!(read.content["indexed_bytes"], json!(text.trim_end().len()));
        let artifact = recorded.artifact_id.unwrap();
        assert_eq!(room.memory.get_artifact(&ana, &artifact).await.unwrap(), text.as_bytes());
        let ben = room.memory.get_artifact(&ctx("acme", "ben"), &artifact).await;
        assert_eq!(code(ben), "not_found");
        let answer = room.ask(&ana, "xylophone", json!({})).await;
        assert_eq!(answer.items[0].event.as_ref().unwrap().event_id, recorded.event_id);
        assert!(answer.items[0].text.contains("xylophone"));
        let whole = "w".repeat(8 * 1024 * 1024);
        assert_eq!(code(room.memory.record(&ana, said(&whole), None).await), "event_too_large");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nul_is_replaced_in_text_and_kept_in_the_artifact() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        let recorded = room.record(&ana, said("before\0after")).await;
        let read = room.memory.get_event(&ana, &recorded.event_id).await.unwrap();
        assert_eq!(read.content, json!({"text": "before\u{FFFD}after", "sanitised": true}));
        let bytes = room.memory.get_artifact(&ana, &recorded.artifact_id.unwrap()).await.unwrap();
        assert_eq!(bytes, "before\0after".as_bytes());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_leads_to_own_things_and_foreign_looks_like_absent() {
    on_both(|home| async move {
        let (room, ana, ben) = (room(&home), ctx("acme", "ana"), ctx("acme", "ben"));
        let own = room.record(&ana, said("own")).await;
        let foreign = room.record(&ben, said("foreign")).await.event_id;
        let refs = |refs: &[&str]| event("x", json!({ "refs": refs }));
        room.record(&ana, refs(&[&own.event_id, &own.chunk_ids[0], "https://example.test/x"])).await;
        let mut refusals = Vec::new();
        for bad in [foreign.as_str(), "evt_0123456789abcdef", "client:nobody"] {
            let error = room.memory.record(&ana, refs(&[bad]), None).await.unwrap_err();
            refusals.push((error.code, error.public, error.fields));
        }
        assert_eq!(refusals[0].0, "unknown_ref");
        assert!(refusals.iter().all(|refusal| *refusal == refusals[0]), "{refusals:?}");
        let batch = vec![client("one", "a"), refs(&["client:a"])];
        assert_eq!(room.memory.record_batch(&ana, batch, None).await.unwrap().accepted, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bound_credential_owns_as_its_person_and_an_unbound_one_may_name_any() {
    on_both(|home| async move {
        let (room, app) = (room(&home), key("acme", "key_app"));
        let of_ben = event("of ben", json!({"user_id": "ben"}));
        for bound in [ctx("acme", "ana"), bound_key("acme", "key_b", "ana")] {
            let error = room.memory.record(&bound, of_ben.clone(), None).await.unwrap_err();
            assert_eq!((error.kind, error.code), (ErrorKind::NotFound, "not_found"));
            let asked = room.memory.stats(&bound, Some("ben")).await;
            assert_eq!(code(asked), "not_found");
        }
        let id = room.record(&app, of_ben).await.event_id;
        assert_eq!(room.memory.get_event(&app, &id).await.unwrap().user_id, "ben");
        room.memory.get_event(&ctx("acme", "ben"), &id).await.unwrap();
        for stranger in [ctx("acme", "ana"), ctx("zeta", "ben"), key("zeta", "key_z")] {
            assert_eq!(code(room.memory.get_event(&stranger, &id).await), "not_found");
        }
        let own = room.record(&app, said("its own")).await.event_id;
        assert_eq!(room.memory.get_event(&app, &own).await.unwrap().user_id, "key_app");
    })
    .await;
}
