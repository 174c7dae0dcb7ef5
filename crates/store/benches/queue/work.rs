//! Many jobs, two runners and a third that is killed: none is lost, and none runs in two places at once.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use kernel::{Clock, Micros, TenantId};
use store::jobs::{Handler, Job, JobKind, Runner, enqueue};
use store::{NewJob, Reach, Store, fetch_all};
use testkit::Home;
use tokio::sync::Notify;

const KIND: &str = "bench.work";
/// Jobs of the kind that a server runs at a time.
pub(crate) const AT_ONCE: usize = 4;
const TENANTS: usize = 7;

/// What came of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Jobs in each state at the end.
    pub(crate) states: HashMap<String, i64>,
    /// Begun runs.
    pub(crate) runs: usize,
    /// Runs of a job that began while another of it went on.
    pub(crate) overlaps: usize,
    /// Jobs that the killed runner had in hand.
    pub(crate) in_hand: usize,
    /// Time of the two runners.
    pub(crate) took: Duration,
}

/// Who is at work, and how often anybody began.
#[derive(Default)]
struct Book {
    working: HashSet<String>,
    runs: usize,
    overlaps: usize,
}

/// Takes a job out of the book, also when its runner is killed.
struct AtWork(Arc<Mutex<Book>>, String);

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.lock().unwrap().working.remove(&self.1);
    }
}

/// Enqueues `count` jobs, lets a runner take some and kills it, and works until all are done.
pub(crate) async fn run(home: &Home, count: usize) -> Outcome {
    let (clock, book) = (testkit::clock(), Arc::<Mutex<Book>>::default());
    add_jobs(&home.store, clock.now(), count).await;
    let victim = Victim::start(home.url.clone(), clock.clone(), book.clone());
    let in_hand = victim.kill_when_it_works();
    let started = Instant::now();
    let other = home.open_again().await;
    let first = runner(&home.store, &clock, handler(book.clone()));
    let second = runner(&other, &clock, handler(book.clone()));
    let drain = |runner: Runner| tokio::spawn(async move { runner.drain().await });
    let (one, two) = tokio::join!(drain(first.clone()), drain(second));
    one.unwrap().unwrap();
    two.unwrap().unwrap();
    let took = started.elapsed();
    // What the killed runner held is taken over when its leases are over.
    clock.advance(61 * Micros::SECOND);
    first.drain().await.unwrap();
    let mut conn = home.store.read(Reach::Everyone).await.unwrap();
    let states =
        fetch_all!(&mut conn, (String, i64), "SELECT state, COUNT(*) FROM jobs GROUP BY state").unwrap();
    let book = book.lock().unwrap();
    Outcome { states: states.into_iter().collect(), runs: book.runs, overlaps: book.overlaps, in_hand, took }
}

async fn add_jobs(store: &Store, now: Micros, count: usize) {
    for from in (0..count).step_by(500) {
        let add = store.write("bench.enqueue", Reach::Everyone, move |tx| {
            Box::pin(async move {
                for n in from..count.min(from + 500) {
                    let tenant = TenantId::parse(&format!("tenant-{}", n % TENANTS)).unwrap();
                    let job =
                        NewJob { kind: KIND, key: format!("job {n}"), payload: String::new(), run_at: now };
                    enqueue(tx, &tenant, now, job).await?;
                }
                Ok(())
            })
        });
        add.await.unwrap();
    }
}

fn runner(store: &Store, clock: &Clock, handler: Handler) -> Runner {
    let kind = JobKind::new(KIND, handler).at_once(AT_ONCE);
    Runner::new(store.clone(), clock.clone(), vec![kind], Arc::new(Notify::new()))
}

/// Notes the job, lets others have a turn, and is done.
fn handler(book: Arc<Mutex<Book>>) -> Handler {
    Arc::new(move |job: Job| {
        let at_work = begin(&book, job);
        Box::pin(async move {
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            drop(at_work);
            Ok(())
        })
    })
}

fn begin(book: &Arc<Mutex<Book>>, job: Job) -> AtWork {
    let mut open = book.lock().unwrap();
    open.runs += 1;
    if !open.working.insert(job.job_id.clone()) {
        open.overlaps += 1;
    }
    AtWork(book.clone(), job.job_id)
}

/// A runner in a runtime of its own, whose jobs never end.
struct Victim {
    runtime: tokio::runtime::Runtime,
    holding: std::sync::mpsc::Receiver<()>,
}

impl Victim {
    fn start(url: String, clock: Clock, book: Arc<Mutex<Book>>) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (holds, holding) = std::sync::mpsc::channel();
        runtime.spawn(async move {
            let store = Store::open(&store::StoreConfig::new(url)).await.unwrap();
            let endless: Handler = Arc::new(move |job: Job| {
                let at_work = begin(&book, job);
                let _ = holds.send(());
                Box::pin(async move {
                    std::future::pending::<()>().await;
                    drop(at_work);
                    Ok(())
                })
            });
            runner(&store, &clock, endless).run(Arc::new(Notify::new())).await;
        });
        Self { runtime, holding }
    }

    /// Waits until its hands are full, then ends it without a word; tells how many jobs it held.
    fn kill_when_it_works(self) -> usize {
        for _ in 0..AT_ONCE {
            self.holding.recv_timeout(Duration::from_secs(30)).expect("the victim claims jobs");
        }
        self.runtime.shutdown_background();
        AT_ONCE
    }
}
