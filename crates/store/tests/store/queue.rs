//! The queue among several: tenants take turns, kinds are paused, servers stop and are killed.

use std::sync::{Arc, Mutex};

use kernel::{Clock, Micros, TenantId};
use store::jobs::{self, Handler, Job, JobFilter, JobKind, JobRow, Runner, enqueue};
use store::{NewJob, Reach, Store};
use testkit::{clock, on_both};
use tokio::sync::{Notify, mpsc};

use crate::support::{change, code, eventually};

#[path = "../../benches/queue/work.rs"]
mod work;

const KIND: &str = "test.queue";

async fn add(store: &Store, tenant: &str, key: &str, now: Micros) {
    let tenant = TenantId::parse(tenant).unwrap();
    let job = NewJob { kind: KIND, key: key.to_owned(), payload: "{}".to_owned(), run_at: now };
    store
        .write("test.enqueue", Reach::Everyone, move |tx| {
            Box::pin(async move {
                enqueue(tx, &tenant, now, job).await?;
                Ok(())
            })
        })
        .await
        .unwrap();
}

fn runner(store: &Store, clock: &Clock, kind: JobKind) -> Runner {
    Runner::new(store.clone(), clock.clone(), vec![kind], Arc::new(Notify::new()))
}

/// A kind whose jobs note their keys and are done.
fn noting() -> (JobKind, Arc<Mutex<Vec<String>>>) {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let notes = seen.clone();
    let handler: Handler = Arc::new(move |job: Job| {
        notes.lock().unwrap().push(job.job_key);
        Box::pin(async { Ok(()) })
    });
    (JobKind::new(KIND, handler), seen)
}

/// A kind whose jobs say that they began, and never end.
fn endless() -> (JobKind, mpsc::UnboundedReceiver<String>) {
    let (began, has_begun) = mpsc::unbounded_channel();
    let handler: Handler = Arc::new(move |job: Job| {
        let _ = began.send(job.job_key);
        Box::pin(std::future::pending())
    });
    (JobKind::new(KIND, handler), has_begun)
}

async fn rows(store: &Store) -> Vec<JobRow> {
    let mut conn = store.read(Reach::Everyone).await.unwrap();
    jobs::list_jobs(&mut conn, &JobFilter::default(), 100).await.unwrap()
}

async fn states(store: &Store) -> Vec<String> {
    let mut all: Vec<String> =
        rows(store).await.iter().map(|row| format!("{} {} {}", row.job_key, row.state, row.tries)).collect();
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_take_turns_however_much_one_of_them_has_waiting() {
    on_both(|home| async move {
        let clock = clock();
        let now = clock.now();
        for n in 0..6 {
            add(&home.store, "big", &format!("big {n}"), now.plus(n)).await;
        }
        add(&home.store, "little", "little 0", now.plus(10)).await;
        add(&home.store, "alone", "alone 0", now.plus(11)).await;
        clock.advance(100);
        let (kind, seen) = noting();
        runner(&home.store, &clock, kind).drain().await.unwrap();
        let order = seen.lock().unwrap().clone();
        assert_eq!(
            order,
            ["alone 0", "big 0", "little 0", "big 1", "big 2", "big 3", "big 4", "big 5"],
            "{}",
            home.name
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_kind_waits_on_every_server_until_it_is_resumed() {
    on_both(|home| async move {
        let clock = clock();
        add(&home.store, "acme", "a", clock.now()).await;
        let now = clock.now();
        let act = |pause: bool| {
            home.store.write("test.pause", Reach::Everyone, move |tx| {
                Box::pin(async move {
                    if pause { jobs::pause(tx, KIND, now).await } else { jobs::resume(tx, KIND).await }
                })
            })
        };
        act(true).await.unwrap();
        act(true).await.unwrap();
        let (kind, seen) = noting();
        let runner = runner(&home.open_again().await, &clock, kind);
        runner.drain().await.unwrap();
        assert_eq!(seen.lock().unwrap().len(), 0);
        act(false).await.unwrap();
        runner.drain().await.unwrap();
        assert_eq!(seen.lock().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_hands_its_jobs_back_at_once_and_the_try_does_not_count() {
    on_both(|home| async move {
        let clock = clock();
        add(&home.store, "acme", "a", clock.now()).await;
        let (kind, mut has_begun) = endless();
        let stop = Arc::new(Notify::new());
        let running = tokio::spawn(runner(&home.store, &clock, kind).run(stop.clone()));
        has_begun.recv().await.unwrap();
        assert_eq!(states(&home.store).await, ["a running 1"]);
        stop.notify_one();
        running.await.unwrap();
        assert_eq!(states(&home.store).await, ["a due 0"]);
        let (kind, seen) = noting();
        runner(&home.store, &clock, kind).drain().await.unwrap();
        assert_eq!(*seen.lock().unwrap(), ["a"], "another server need not wait for the lease");
        assert_eq!(states(&home.store).await, ["a done 1"]);
    })
    .await;
}

/// The runner is dropped with its runtime's task, as a kill would: nothing is written.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_kills_its_server_is_dead_after_its_tries() {
    on_both(|home| async move {
        let clock = clock();
        add(&home.store, "acme", "killer", clock.now()).await;
        for tries in 1..=3 {
            let (kind, mut has_begun) = endless();
            let victim = runner(&home.store, &clock, kind.tries(3));
            let victim = tokio::spawn(async move { victim.drain().await });
            has_begun.recv().await.unwrap();
            victim.abort();
            assert_eq!(states(&home.store).await, [format!("killer running {tries}")]);
            clock.advance(61 * Micros::SECOND);
        }
        let (kind, mut has_begun) = endless();
        runner(&home.store, &clock, kind.tries(3)).drain().await.unwrap();
        assert!(has_begun.try_recv().is_err(), "it does not kill a fourth");
        let row = rows(&home.store).await.remove(0);
        assert_eq!((row.state.as_str(), row.tries), ("dead", 3));
        assert!(row.last_error.unwrap().contains("server ended"));
        assert!(row.finished_at.is_some());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_runs_as_many_at_once_as_it_says() {
    on_both(|home| async move {
        let clock = clock();
        for key in ["a", "b", "c"] {
            add(&home.store, "acme", key, clock.now()).await;
        }
        let (kind, mut has_begun) = endless();
        let stop = Arc::new(Notify::new());
        let running = tokio::spawn(runner(&home.store, &clock, kind.at_once(2)).run(stop.clone()));
        has_begun.recv().await.unwrap();
        has_begun.recv().await.unwrap();
        let store = &home.store;
        let waiting =
            || async move { states(store).await.iter().filter(|row| row.contains("due")).count() == 1 };
        eventually("two run and one waits", waiting).await;
        assert!(has_begun.try_recv().is_err());
        stop.notify_one();
        running.await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_runner_cannot_end_a_job_that_was_cancelled_and_set_going_again() {
    on_both(|home| async move {
        let clock = clock();
        add(&home.store, "acme", "a", clock.now()).await;
        let (release, gate) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (began, mut has_begun) = mpsc::unbounded_channel();
        let open = release.clone();
        let handler: Handler = Arc::new(move |_| {
            let (open, began) = (open.clone(), began.clone());
            Box::pin(async move {
                began.send(()).unwrap();
                open.notified().await;
                Err(kernel::Error::not_found("end"))
            })
        });
        let old = runner(&home.store, &clock, JobKind::new(KIND, handler));
        let old = tokio::spawn(async move { old.drain().await });
        has_begun.recv().await.unwrap();
        let id = rows(&home.store).await.remove(0).job_id;
        let now = clock.now();
        let restart = home.store.write("test.restart", Reach::Everyone, move |tx| {
            Box::pin(async move {
                jobs::cancel(tx, &id, now).await?;
                assert_eq!(code(jobs::cancel(tx, &id, now).await), "job_not_waiting");
                jobs::retry(tx, &id, now).await
            })
        });
        restart.await.unwrap();
        let (kind, mut has_begun) = endless();
        let new = runner(&home.store, &clock, kind);
        let new = tokio::spawn(async move { new.drain().await });
        has_begun.recv().await.unwrap();
        release.notify_one();
        old.await.unwrap().unwrap();
        assert_eq!(states(&home.store).await, ["a running 1"], "the same number of tries, another lease");
        new.abort();
        drop(gate);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_job_is_lost_or_run_twice_at_once_when_a_runner_is_killed() {
    on_both(|home| async move {
        let outcome = work::run(&home, 200).await;
        eprintln!("200 jobs in {:?}", outcome.took);
        assert_eq!(outcome.states.into_iter().collect::<Vec<_>>(), [("done".to_owned(), 200)]);
        assert_eq!(outcome.overlaps, 0);
        assert_eq!(outcome.runs, 200 + outcome.in_hand, "only what the killed runner held ran again");
    })
    .await;
}

/// The control: leases that do not hold are noticed as jobs that run twice at once.
#[tokio::test(flavor = "multi_thread")]
async fn leases_that_do_not_hold_are_noticed() {
    on_both(|home| async move {
        let broken = match home.engine {
            store::Engine::Sqlite => {
                "CREATE TRIGGER no_lease AFTER UPDATE OF lease_token ON jobs WHEN new.state = 'running'
                 BEGIN UPDATE jobs SET lease_until = 0 WHERE job_id = new.job_id; END"
            }
            store::Engine::Postgres => {
                "CREATE FUNCTION no_lease() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN IF new.state = 'running' THEN new.lease_until := 0; END IF; RETURN new; END $$;
                 CREATE TRIGGER no_lease BEFORE UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION no_lease()"
            }
        };
        change(&home.store, broken).await;
        assert!(work::run(&home, 200).await.overlaps > 0, "{}", home.name);
    })
    .await;
}
