//! What every bundle promises beside the scenarios: the same bytes, truthful omissions, blocks and rules, and bad input.

use kernel::Micros;
use memory::blocks::{BlockChange, BlockPlace};
use memory::bundle::SectionName;
use serde_json::{Value, json};
use store::{Reach, execute};
use testkit::{Home, bound_key, ctx, key, on_both};

use super::{asked, items, section, texts, wire};
use crate::support::{code, event, room, said};

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_over_the_same_data_gives_the_same_bytes() {
    on_both(|home| async move {
        let (one, two, ana) = (room(&home), room(&home), ctx("acme", "ana"));
        for n in 0..50 {
            let more = json!({"session_id": format!("s{}", n % 5)});
            one.record(&ana, event(&format!("Boat {n} left the harbour with {} sails", n % 4), more)).await;
        }
        let more = || json!({"query_text": "which boats left the harbour?", "reference_date": "2026-02-01T00:00:00Z"});
        let first = one.bundle(&ana, "answer", more()).await;
        // Another server, with a cold index, at another time.
        two.clock.advance(3 * Micros::SECOND);
        let second = two.bundle(&ana, "answer", more()).await;
        assert_eq!(wire(&first), wire(&second));
        let kept = one.memory.get_bundle(&ana, &first.acb_id).await.unwrap();
        assert_eq!(kept.digest, first.provenance.digest);
        assert_eq!(kept.token_used_est as usize, first.token_used_est);
        assert!(!kept.contents.to_string().contains("harbour"), "words are not kept");
        let stranger = ctx("acme", "ben");
        assert_eq!(code(one.memory.get_bundle(&stranger, &first.acb_id).await), "not_found");
        let bare = one.bundle(&ana, "answer", json!({"query_text": "which boats left the harbour?",
            "reference_date": "2026-02-01T00:00:00Z", "include_text": false})).await;
        assert_eq!(bare.provenance.digest, first.provenance.digest);
        assert!(bare.rendered.is_none() && !wire(&bare).contains("sails"));
        one.record(&ana, said("Boat 51 left the harbour, too")).await;
        assert_ne!(two.bundle(&ana, "answer", more()).await.provenance.digest, first.provenance.digest);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn budgets_hold_and_what_does_not_fit_is_counted() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        let words = ["sail", "rope", "tar", "oar", "net", "buoy", "mast", "keel"];
        for n in 0..120_usize {
            let text = format!(
                "Ship {n} carries {} {} and {} {n}",
                words[n % 8],
                words[n / 8 % 8],
                words[n / 3 % 8]
            );
            room.record(&ana, event(&text, json!({"session_id": format!("s{n}")}))).await;
        }
        let ask = |more: Value| {
            let mut whole = json!({"query_text": "what does each ship carry?"});
            whole.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            whole
        };
        let small = room.bundle(&ana, "answer", ask(json!({"max_tokens": 1_000}))).await;
        let served = section(&small, SectionName::Evidence);
        assert!(served.budget == 28_000 / 65 && !served.items.is_empty());
        let cut = small.omissions.iter().find(|one| one.reason.as_str() == "budget").unwrap();
        let others: usize =
            small.omissions.iter().filter(|one| one.reason.as_str() != "budget").map(|one| one.count).sum();
        assert_eq!(served.items.len() + cut.count + others, 120);
        assert_eq!(cut.candidates.len(), 50);
        let given = ask(json!({"max_tokens": 1_000, "budgets": {"retrieved_evidence": 100}}));
        let given = room.bundle(&ana, "answer", given).await;
        assert!(section(&given, SectionName::Evidence).token_est <= 100);
        let lent = room.bundle(&ana, "answer", ask(json!({"max_tokens": 1_000, "borrow": true}))).await;
        assert!(section(&lent, SectionName::Evidence).items.len() > served.items.len());
        for (bad, field) in [
            (json!({"max_tokens": 999}), "max_tokens"),
            (json!({"max_tokens": 200_001}), "max_tokens"),
            (json!({"budgets": {"prose": 1}}), "budgets.prose"),
            (json!({"budgets": {"rules": -1}}), "budgets.rules"),
            (json!({"session_id": ""}), "session_id"),
            (json!({"agent_id": "a\u{7}"}), "agent_id"),
            (json!({"intent": " "}), "intent"),
            (json!({"query_text": "x".repeat(4_001)}), "query_text"),
            (json!({"capsule_ids": ["nonsense"]}), "id"),
        ] {
            let error = room.memory.build_bundle(&ana, asked("answer", bad.clone())).await.unwrap_err();
            assert_eq!(error.fields[0].field, field, "{bad}");
        }
        let theirs = asked("answer", json!({"tenant_id": "zeta"}));
        assert_eq!(code(room.memory.build_bundle(&ana, theirs).await), "tenant_mismatch");
        let bound = bound_key("acme", "k1", "ana");
        assert_eq!(
            code(room.memory.build_bundle(&bound, asked("x", json!({"user_id": "ben"}))).await),
            "not_found"
        );
        let any = key("acme", "k2");
        let of_ana = room.memory.build_bundle(&any, asked("ships", json!({"user_id": "ana"}))).await.unwrap();
        assert!(!items(&of_ana, SectionName::Evidence).is_empty());
    })
    .await;
}

/// Rules as their route would keep them.
const RULES: &str = "INSERT INTO rules
     (tenant_id, rule_id, user_id, scope, channel, priority, content, token_est, state, recorded_at)
     VALUES ('acme', 'rul_1', 'ana', 'user', 'private', 9, 'No jokes', 2, 'active', $1),
         ('acme', 'rul_2', 'ben', 'org', 'team', 1, 'Answer in English', 4, 'active', $1),
         ('acme', 'rul_3', 'ben', 'org', 'public', 5, 'Cite sources', 3, 'active', $1),
         ('acme', 'rul_4', 'ben', 'user', 'private', 9, 'Jokes only', 2, 'active', $1),
         ('acme', 'rul_5', 'ana', 'user', 'private', 9, 'Old', 2, 'retired', $1)";

async fn add_rules(home: &Home, at: Micros) {
    let written = home.store.write("test.rules", Reach::Everyone, move |tx| {
        Box::pin(async move {
            execute!(tx, RULES, at.0)?;
            Ok(())
        })
    });
    written.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_and_rules_are_served_where_they_may_be_and_a_change_is_told_once() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        add_rules(&home, room.clock.now()).await;
        for (owner, agent, label, text) in [
            ("ana", None, "persona", "Ana is a sailor"),
            ("ana", Some("helper"), "manner", "Be brief"),
            ("ana", Some("other"), "manner", "Be long"),
            ("ana", None, "/memories/a.md", "a file"),
            ("ben", None, "persona", "Ben is a cook"),
        ] {
            let new = json!({"label": label, "text": text, "agent_id": agent});
            room.memory
                .create_block(&ctx("acme", owner), serde_json::from_value(new).unwrap())
                .await
                .unwrap();
        }
        let first = room.bundle(&ana, "continue", json!({})).await;
        assert_eq!(texts(&first, SectionName::Identity), ["manner: Be brief", "persona: Ana is a sailor"]);
        let told = ["[org] Cite sources", "[org] Answer in English", "[user] No jokes"];
        assert_eq!(texts(&first, SectionName::Rules), told);
        for (channel, blocks, rules) in [("agent", 1, 2), ("team", 0, 2), ("public", 0, 1)] {
            let bundle = room.bundle(&ana, "continue", json!({"channel": channel})).await;
            let counts =
                (items(&bundle, SectionName::Identity).len(), items(&bundle, SectionName::Rules).len());
            assert_eq!(counts, (blocks, rules), "{channel}");
        }
        room.clock.advance(Micros::SECOND);
        let place = BlockPlace { label: "persona".to_owned(), ..BlockPlace::default() };
        let rethink = Some("Ana is a captain".to_owned());
        let change = BlockChange { expected_version: 1, rethink, ..BlockChange::default() };
        room.memory.change_block(&ana, place, change).await.unwrap();
        room.clock.advance(Micros::SECOND);
        let told = room.bundle(&ana, "continue", json!({})).await;
        assert_eq!(items(&told, SectionName::Identity)[0].source, "notice");
        assert!(texts(&told, SectionName::Identity).contains(&"persona: Ana is a captain"));
        let after = room.bundle(&ana, "continue", json!({})).await;
        assert_eq!(texts(&after, SectionName::Identity).len(), 2);
    })
    .await;
}
