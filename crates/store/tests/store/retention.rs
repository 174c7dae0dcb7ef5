//! What has had its time goes, batch by batch, and nothing else does.

use kernel::Micros;
use store::retention::{self, Outcome, preview, run};
use store::{Reach, Store, insert_many};
use testkit::{clock, on_both};

use crate::support::{number, texts};

/// Adds `count` jobs of a state that ended at `ended`.
async fn add_jobs(store: &Store, state: &'static str, count: usize, ended: Option<Micros>) {
    let add = store.write("test.jobs", Reach::Everyone, move |tx| {
        Box::pin(async move {
            let row = |n: usize| {
                let id = format!("job_{state}_{}_{n}", ended.map_or(0, |at| at.0));
                let ended = ended.map(|at| at.0);
                let columns = [id.clone().into(), id.into(), state.into(), ended.into()];
                [vec!["acme".into(), "k".into(), "{}".into(), 1_i64.into(), 0_i64.into(), 0_i64.into()], columns.into()]
                    .concat()
            };
            let head = "INSERT INTO jobs (tenant_id, kind, payload, tries, run_at, created_at, job_id, job_key, state,
                finished_at)";
            insert_many(tx, head, "", (0..count).map(row).collect()).await?;
            Ok(())
        })
    });
    add.await.unwrap();
}

fn rows(outcomes: &[Outcome], rule: &str) -> u64 {
    outcomes.iter().find(|outcome| outcome.rule == rule).unwrap().rows
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_had_its_time_is_counted_first_and_then_removed_with_nothing_else() {
    on_both(|home| async move {
        let clock = clock();
        let ago = |days: i64| Some(clock.now().plus(-days * Micros::DAY - 1));
        add_jobs(&home.store, "done", 2_300, ago(1)).await;
        add_jobs(&home.store, "done", 3, ago(0)).await;
        add_jobs(&home.store, "dead", 2, ago(30)).await;
        add_jobs(&home.store, "failed", 1, ago(30)).await;
        add_jobs(&home.store, "dead", 1, ago(29)).await;
        add_jobs(&home.store, "due", 1, None).await;
        let rules = retention::rules();
        let before = preview(&home.store, &clock, &rules).await.unwrap();
        assert_eq!((rows(&before, "jobs.done"), rows(&before, "jobs.dead")), (2_300, 3));
        assert_eq!(number(&home.store, "SELECT COUNT(*) FROM jobs").await, 2_308, "counting removes nothing");
        assert_eq!(run(&home.store, &clock, &rules).await.unwrap(), before, "what was said was done");
        let left =
            texts(&home.store, "SELECT state || ' ' || COUNT(*) FROM jobs GROUP BY state ORDER BY state")
                .await;
        assert_eq!(left, ["dead 1", "done 3", "due 1"]);
        let again = run(&home.store, &clock, &rules).await.unwrap();
        assert!(again.iter().all(|outcome| outcome.rows == 0), "{again:?}");
    })
    .await;
}
