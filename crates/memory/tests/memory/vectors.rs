//! Vectors: in the background, and never in the way.

use kernel::Micros;
use memory::MemoryConfig;
use serde_json::json;
use testkit::embeddings::{Behaviour, Server};
use testkit::{clock, ctx, on_both};

use crate::support::{local, remote, room_with, said};

#[tokio::test(flavor = "multi_thread")]
async fn vectors_arrive_by_a_job_and_until_then_the_answer_says_how_many_lack() {
    on_both(|home| async move {
        let server = Server::start(Behaviour::Good(16)).await;
        let room = room_with(&home, &clock(), remote(&server), MemoryConfig::default());
        let ana = ctx("acme", "ana");
        for n in 0..40 {
            room.record(&ana, said(&format!("turn {n} about gardens"))).await;
        }
        let before = room.ask(&ana, "gardens", json!({})).await;
        assert_eq!((before.missing_vectors, before.degraded), (40, vec!["vectors_missing"]));
        assert_eq!(before.items.len(), 10);
        room.jobs.drain().await.unwrap();
        let after = room.ask(&ana, "gardens", json!({})).await;
        assert_eq!((after.missing_vectors, after.degraded), (0, vec![]));
        assert_eq!(json!(after.mode), "hybrid");
        assert_eq!(room.memory.count_vectors().await.unwrap(), 40);
        let asked = server.requests();
        room.ask(&ana, "gardens", json!({"mode": "lexical"})).await;
        room.memory.enqueue_missing_vectors().await.unwrap();
        room.jobs.drain().await.unwrap();
        assert_eq!(server.requests(), asked, "nothing is embedded twice");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_misbehaves_leaves_recall_by_words_and_is_asked_again() {
    on_both(|home| async move {
        let server = Server::start(Behaviour::Good(16)).await;
        let room = room_with(&home, &clock(), remote(&server), MemoryConfig::default());
        let ana = ctx("acme", "ana");
        room.record(&ana, said("the first word is apricot")).await;
        room.jobs.drain().await.unwrap();
        for (n, bad) in [Behaviour::Failing, Behaviour::Garbage, Behaviour::OneShort, Behaviour::Good(5)]
            .into_iter()
            .enumerate()
        {
            server.behave(bad);
            let word = format!("apricot{n}");
            let id = room.record(&ana, said(&format!("the word is {word}"))).await.event_id;
            room.jobs.drain().await.unwrap();
            let answer = room.ask(&ana, &word, json!({})).await;
            assert_eq!(crate::support::ids(&answer).first(), Some(&id), "{bad:?}");
            assert_eq!(answer.degraded, ["embeddings_unavailable"], "{bad:?}");
            assert_eq!(json!(answer.mode), "lexical");
            server.behave(Behaviour::Good(16));
            room.clock.advance(3 * 3_600 * Micros::SECOND);
            room.jobs.drain().await.unwrap();
            let answer = room.ask(&ana, &word, json!({})).await;
            assert_eq!((answer.missing_vectors, answer.degraded), (0, vec![]), "{bad:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_changed_its_dimension_breaks_nothing() {
    on_both(|home| async move {
        let server = Server::start(Behaviour::Good(16)).await;
        let ana = ctx("acme", "ana");
        let room = room_with(&home, &clock(), remote(&server), MemoryConfig::default());
        let old = room.record(&ana, said("the word is damson")).await.event_id;
        room.jobs.drain().await.unwrap();
        server.behave(Behaviour::Good(5));
        let room = room_with(&home, &clock(), remote(&server), MemoryConfig::default());
        assert_eq!(room.found(&ana, "damson", json!({})).await, [old]);
        let new = room.record(&ana, said("another word is medlar")).await.event_id;
        room.jobs.drain().await.unwrap();
        assert_eq!(room.found(&ana, "medlar", json!({})).await.first(), Some(&new));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_never_answers_is_waited_for_two_seconds_at_most() {
    on_both(|home| async move {
        let server = Server::start(Behaviour::Silent).await;
        let room = room_with(&home, &clock(), remote(&server), MemoryConfig::default());
        let ana = ctx("acme", "ana");
        let id = room.record(&ana, said("the word is loquat")).await.event_id;
        for asked in [1, 1] {
            let answer = room.ask(&ana, "loquat", json!({})).await;
            assert_eq!(crate::support::ids(&answer), std::slice::from_ref(&id));
            assert_eq!(answer.degraded, ["embeddings_unavailable"]);
            assert_eq!(server.requests(), asked, "it is left alone after a failure");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paraphrase_without_a_shared_word_finds_its_turn() {
    on_both(|home| async move {
        let room = room_with(&home, &clock(), local(), MemoryConfig::default());
        let ana = ctx("acme", "ana");
        let wanted = room.record(&ana, said("My daughter is allergic to peanuts.")).await.event_id;
        for other in [
            "The train to Lisbon leaves at nine.",
            "We painted the kitchen yellow.",
            "The quarterly report is due on Friday.",
        ] {
            room.record(&ana, said(other)).await;
        }
        room.jobs.drain().await.unwrap();
        let answer = room.ask(&ana, "which food should the child avoid", json!({})).await;
        assert_eq!(crate::support::ids(&answer).first(), Some(&wanted));
        assert_eq!(answer.missing_vectors, 0);
    })
    .await;
}
