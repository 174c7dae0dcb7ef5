//! The queue: once, in one place, again after a failure, and kept when it is dead.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use store::Reach;

use kernel::{Clock, Micros, TenantId};
use store::jobs::{Handler, Job, Runner, depth, enqueue};
use store::{NewJob, Store};
use testkit::{Home, clock, homes, on_both};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::support::{code, eventually, number, texts};

const KIND: &str = "test.work";

fn job(key: &str, now: Micros) -> NewJob {
    NewJob { kind: KIND, key: key.to_owned(), payload: format!("payload of {key}"), run_at: now }
}

async fn add(store: &Store, tenant: &str, new: NewJob, now: Micros) {
    let tenant = TenantId::parse(tenant).unwrap();
    store
        .write("test.enqueue", Reach::Everyone, move |tx| {
            Box::pin(async move {
                enqueue(tx, &tenant, now, new).await?;
                Ok(())
            })
        })
        .await
        .unwrap();
}

fn runner(store: &Store, clock: &Clock, handler: Handler) -> Runner {
    Runner::new(store.clone(), clock.clone(), vec![(KIND, handler)], Arc::new(Notify::new()))
}

/// A handler that notes `tenant key payload try` and then answers with `answer`.
fn noting(
    answer: impl Fn(&Job) -> kernel::Result<()> + Send + Sync + 'static,
) -> (Handler, Arc<Mutex<Vec<String>>>) {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let notes = seen.clone();
    let handler: Handler = Arc::new(move |job: Job| {
        notes
            .lock()
            .unwrap()
            .push(format!("{} {} {} {}", job.tenant_id, job.job_key, job.payload, job.tries));
        let answer = answer(&job);
        Box::pin(async move { answer })
    });
    (handler, seen)
}

async fn states(home: &Home) -> Vec<String> {
    texts(
        &home.store,
        "SELECT job_key || ' ' || state || ' ' || tries FROM jobs ORDER BY job_key, created_at, state",
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_runs_once_with_its_payload_and_a_second_of_its_key_waits_for_none() {
    on_both(|home| async move {
        let clock = clock();
        let now = clock.now();
        for (tenant, key) in [("acme", "a"), ("acme", "a"), ("acme", "b"), ("zeta", "a")] {
            add(&home.store, tenant, job(key, now), now).await;
        }
        let (handler, seen) = noting(|_| Ok(()));
        let runner = runner(&home.store, &clock, handler);
        runner.drain().await.unwrap();
        let mut ran = seen.lock().unwrap().split_off(0);
        ran.sort();
        assert_eq!(ran, ["acme a payload of a 1", "acme b payload of b 1", "zeta a payload of a 1"]);
        runner.drain().await.unwrap();
        assert_eq!(seen.lock().unwrap().len(), 0, "done is done");
        add(&home.store, "acme", job("a", now), now).await;
        runner.drain().await.unwrap();
        assert_eq!(seen.lock().unwrap().len(), 1, "the key is free again");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_goes_with_the_transaction_that_causes_it() {
    on_both(|home| async move {
        let now = clock().now();
        let refused = home
            .store
            .write("test.enqueue", Reach::Everyone, move |tx| {
                Box::pin(async move {
                    enqueue(tx, &TenantId::parse("acme").unwrap(), now, job("a", now)).await?;
                    Err::<(), _>(kernel::Error::not_found("cause"))
                })
            })
            .await;
        assert_eq!(code(refused), "not_found");
        assert_eq!(states(&home).await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_waits_for_its_time() {
    on_both(|home| async move {
        let clock = clock();
        let now = clock.now();
        add(&home.store, "acme", job("later", now.plus(60_000_000)), now).await;
        let (handler, seen) = noting(|_| Ok(()));
        let runner = runner(&home.store, &clock, handler);
        clock.advance(59_999_999);
        runner.drain().await.unwrap();
        assert_eq!(seen.lock().unwrap().len(), 0);
        clock.advance(1);
        runner.drain().await.unwrap();
        assert_eq!(seen.lock().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runners_share_jobs_and_run_each_once() {
    on_both(|home| async move {
        let clock = clock();
        let now = clock.now();
        for n in 0..40 {
            add(&home.store, "acme", job(&format!("job {n}"), now), now).await;
        }
        let (handler, seen) = noting(|_| Ok(()));
        let other = home.open_again().await;
        let (one, two) = (runner(&home.store, &clock, handler.clone()), runner(&other, &clock, handler));
        let drain = |runner: Runner| tokio::spawn(async move { runner.drain().await });
        let (first, second) = tokio::join!(drain(one), drain(two));
        first.unwrap().unwrap();
        second.unwrap().unwrap();
        let mut times = BTreeMap::new();
        for line in seen.lock().unwrap().iter() {
            *times.entry(line.clone()).or_insert(0) += 1;
        }
        assert_eq!(times.len(), 40);
        assert!(times.values().all(|n| *n == 1), "{times:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_job_is_tried_again_after_a_pause_that_grows() {
    on_both(|home| async move {
        let clock = clock();
        let now = clock.now();
        add(&home.store, "acme", job("a", now), now).await;
        let (handler, seen) = noting(|job| {
            if job.tries < 3 {
                return Err(kernel::Error::unavailable("provider_away", "the provider is away"));
            }
            Ok(())
        });
        let runner = runner(&home.store, &clock, handler);
        let mut expected_s = 2;
        for tries in 1..3 {
            runner.drain().await.unwrap();
            assert_eq!(seen.lock().unwrap().len(), tries);
            assert_eq!(states(&home).await, [format!("a due {tries}")]);
            let run_at = number(&home.store, "SELECT run_at FROM jobs").await;
            let pause_s = (run_at - clock.now().0) as f64 / 1e6;
            assert!(
                (pause_s - f64::from(expected_s)).abs() <= f64::from(expected_s) * 0.2,
                "{pause_s} s after try {tries}"
            );
            clock.advance(run_at - clock.now().0 - 1);
            runner.drain().await.unwrap();
            assert_eq!(seen.lock().unwrap().len(), tries, "not before its time");
            clock.advance(1);
            expected_s *= 3;
        }
        let error = texts(&home.store, "SELECT last_error FROM jobs").await;
        assert_eq!(error, ["provider_away: the provider is away"]);
        runner.drain().await.unwrap();
        assert_eq!(states(&home).await, ["a done 3"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_never_succeeds_is_kept_as_a_dead_letter() {
    on_both(|home| async move {
        let clock = clock();
        let now = clock.now();
        add(&home.store, "acme", job("bad", now), now).await;
        let (handler, seen) = noting(|job| {
            assert!(job.tries % 2 == 1, "a panic of the test, on every other try");
            Err(kernel::Error::not_found("way"))
        });
        let runner = runner(&home.store, &clock, handler);
        for _ in 0..15 {
            runner.drain().await.unwrap();
            clock.advance(5 * 3_600 * Micros::SECOND);
        }
        assert_eq!(seen.lock().unwrap().len(), 10);
        assert_eq!(states(&home).await, ["bad dead 10"]);
        let (waiting, oldest_s) = depth(&home.store, clock.now()).await.unwrap();
        assert_eq!(waiting, [("dead".to_owned(), 1)]);
        assert_eq!(oldest_s, 0.0, "a dead letter does not wait");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_job_gives_way_to_a_newer_one_of_its_key() {
    on_both(|home| async move {
        let clock = clock();
        let now = clock.now();
        add(&home.store, "acme", job("a", now), now).await;
        let store = home.store.clone();
        let handler: Handler = Arc::new(move |running: Job| {
            let store = store.clone();
            Box::pin(async move {
                if running.payload != "newer" {
                    let newer = NewJob { payload: "newer".to_owned(), ..job("a", now) };
                    add(&store, "acme", newer, now.plus(1)).await;
                    return Err(kernel::Error::not_found("luck"));
                }
                Ok(())
            })
        });
        let runner = runner(&home.store, &clock, handler);
        runner.drain().await.unwrap();
        assert_eq!(states(&home).await, ["a failed 1", "a done 1"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_job_of_a_runner_that_hangs_is_taken_over_and_its_late_outcome_is_passed_over() {
    on_both(|home| async move {
        let clock = clock();
        let now = clock.now();
        add(&home.store, "acme", job("a", now), now).await;
        let (began, mut has_begun) = mpsc::channel(1);
        let (release, go_on) = oneshot::channel::<()>();
        let go_on = Arc::new(Mutex::new(Some(go_on)));
        let hanging: Handler = Arc::new(move |_| {
            let (began, go_on) = (began.clone(), go_on.lock().unwrap().take());
            Box::pin(async move {
                began.send(()).await.unwrap();
                go_on.expect("this runner gets one job").await.unwrap();
                Err(kernel::Error::not_found("end"))
            })
        });
        let hung = runner(&home.store, &clock, hanging);
        let hung = tokio::spawn(async move { hung.drain().await });
        has_begun.recv().await.unwrap();
        let (handler, seen) = noting(|_| Ok(()));
        let second = runner(&home.store, &clock, handler);
        clock.advance(59 * Micros::SECOND);
        second.drain().await.unwrap();
        assert_eq!(seen.lock().unwrap().len(), 0, "the lease holds for a minute");
        clock.advance(Micros::SECOND);
        second.drain().await.unwrap();
        assert_eq!(*seen.lock().unwrap(), ["acme a payload of a 2"]);
        release.send(()).unwrap();
        hung.await.unwrap().unwrap();
        assert_eq!(states(&home).await, ["a done 2"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_not_spent_waiting_behind_another_job() {
    on_both(|home| async move {
        let clock = clock();
        let now = clock.now();
        add(&home.store, "acme", job("a", now), now).await;
        add(&home.store, "acme", job("b", now.plus(1)), now).await;
        clock.advance(1);
        let (began, mut has_begun) = mpsc::channel(2);
        let go_on = Arc::new(Notify::new());
        let gate = go_on.clone();
        let slow: Handler = Arc::new(move |job: Job| {
            let (began, gate) = (began.clone(), gate.clone());
            Box::pin(async move {
                began.send(job.job_key).await.unwrap();
                gate.notified().await;
                Ok(())
            })
        });
        let busy = runner(&home.store, &clock, slow);
        let busy = tokio::spawn(async move { busy.drain().await });
        assert_eq!(has_begun.recv().await.as_deref(), Some("a"));
        assert_eq!(states(&home).await, ["a running 1", "b due 0"], "b is free for another runner");
        go_on.notify_one();
        assert_eq!(has_begun.recv().await.as_deref(), Some("b"));
        go_on.notify_one();
        busy.await.unwrap().unwrap();
        assert_eq!(states(&home).await, ["a done 1", "b done 1"]);
    })
    .await;
}

/// Only PostgreSQL can claim while another transaction is open; on SQLite the one writer keeps them apart.
#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_job_is_not_claimed_before_the_work_that_counts_on_it_is_safe() {
    let [_, home] = homes().await;
    let clock = clock();
    let now = clock.now();
    add(&home.store, "acme", job("a", now), now).await;
    let (began, has_begun) = oneshot::channel();
    let (release, go_on) = oneshot::channel::<()>();
    let store = home.store.clone();
    let adding = tokio::spawn(async move {
        store
            .write("test.enqueue", Reach::Everyone, move |tx| {
                Box::pin(async move {
                    enqueue(tx, &TenantId::parse("acme").unwrap(), now, job("a", now)).await?;
                    began.send(()).unwrap();
                    go_on.await.unwrap();
                    Ok(())
                })
            })
            .await
    });
    has_begun.await.unwrap();
    let (handler, seen) = noting(|_| Ok(()));
    let runner = runner(&home.store, &clock, handler);
    // The job waits, but its run would not see the row that the open transaction is about to add.
    let early = {
        let runner = runner.clone();
        tokio::time::timeout(std::time::Duration::from_millis(500), async move { runner.drain().await })
    };
    let _ = early.await;
    assert_eq!(seen.lock().unwrap().len(), 0, "not before the commit");
    release.send(()).unwrap();
    adding.await.unwrap().unwrap();
    let (runner, seen) = (&runner, &seen);
    eventually("the job has run", || async move {
        runner.drain().await.unwrap();
        seen.lock().unwrap().len() == 1
    })
    .await;
    assert_eq!(states(&home).await, ["a done 1"]);
}
