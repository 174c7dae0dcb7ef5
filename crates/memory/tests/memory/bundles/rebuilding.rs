//! A11: what is made from events can be thrown away, and comes back as it was.

use std::time::Instant;

use kernel::Micros;
use memory::bundle::SectionName;
use serde_json::json;
use store::{Reach, execute};
use testkit::{Home, clock, ctx, on_both};

use super::{PATIENCE, items, report_bundle, texts};
use crate::support::{event, room};

/// Throws away everything that is made from events.
async fn throw_away(home: &Home) {
    let done = home.store.write("test.throw_away", Reach::Everyone, move |tx| {
        Box::pin(async move {
            execute!(tx, "DELETE FROM vectors")?;
            execute!(tx, "DELETE FROM chunks")?;
            execute!(tx, "DELETE FROM decisions")?;
            execute!(tx, "DELETE FROM tasks")?;
            Ok(())
        })
    });
    done.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a11_what_is_made_from_events_comes_back_as_it_was() {
    on_both(|home| async move {
        let (one, ana) = (room(&home), ctx("acme", "ana"));
        let at = |days: i64| clock().now().plus(-days * Micros::DAY);
        let old = (0..300).map(|n| {
            let more = json!({"session_id": format!("s{}", n % 9), "occurred_at": at(9).plus(n)});
            event(&format!("Lighthouse {n} was painted in colour {}", n % 11), more)
        });
        one.memory.record_batch(&ana, old.collect(), None).await.unwrap();
        let long = "a log of the lamp that goes on and on\n".repeat(4_000);
        one.record(&ana, event(&long, json!({"occurred_at": at(8)}))).await;
        for text in ["Use gas for the lamp", "Use electricity for the lamp"] {
            let new = json!({"decision": text, "subject": "lamp"});
            one.memory.record_decision(&ana, serde_json::from_value(new).unwrap()).await.unwrap();
        }
        let task = json!({"title": "Buy bulbs", "priority": 3});
        let task = one.memory.record_task(&ana, None, serde_json::from_value(task).unwrap()).await.unwrap();
        let begun = serde_json::from_value(json!({"status": "doing"})).unwrap();
        one.memory.record_task(&ana, Some(&task.task_id), begun).await.unwrap();
        one.record(&ana, event("The lamp of lighthouse 7 burns with electricity now", json!({}))).await;

        let more =
            || json!({"query_text": "how does the lamp of lighthouse 7 burn?", "reference_date": at(0)});
        let before = one.bundle(&ana, "answer", more()).await;
        assert!(!before.partial);
        throw_away(&home).await;

        // Another server, whose caches are empty.
        let two = room(&home);
        let started = Instant::now();
        let cold = two.bundle(&ana, "answer", more()).await;
        let took = started.elapsed().as_secs_f64() * 1e3;
        assert!(took <= 1_500.0 * PATIENCE, "{took} ms");
        assert!(cold.partial && cold.provenance.path.as_str() == "cold");
        assert!(texts(&cold, SectionName::Decisions)[0].starts_with("Use electricity"));
        assert!(texts(&cold, SectionName::Tasks)[0].starts_with("[doing] Buy bulbs"));
        assert!(
            texts(&cold, SectionName::Evidence).iter().any(|text| text.contains("burns with electricity"))
        );
        let again = two.bundle(&ana, "continue", json!({})).await;
        assert!(again.partial, "the rest is still missing");

        two.clock.advance(5 * Micros::SECOND);
        two.jobs.drain().await.unwrap();
        let after = two.bundle(&ana, "answer", more()).await;
        assert!(!after.partial && after.partial_reason.is_none());
        assert_eq!(items(&after, SectionName::Evidence).len(), items(&before, SectionName::Evidence).len());
        assert_eq!(after.provenance.digest, before.provenance.digest);
        report_bundle(&home, "a11", &after);
    })
    .await;
}
