//! The open loop: each request leaves when it is due.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::Client;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::operation::{LIMITED, Operation, User};
use crate::schedule::Schedule;
use crate::tally::{Sample, Tally};

/// Requests that may be unanswered at once; past it they count as failed and stay here.
const MOST_OPEN: usize = 10_000;
/// Between two reports of progress.
const REPORT_EVERY: Duration = Duration::from_millis(500);

/// How far a run has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// What is being done.
    pub doing: &'static str,
    /// Of `total`.
    pub done: u64,
    /// Users or requests.
    pub total: u64,
    /// Requests that failed so far.
    pub failed: u64,
    /// The 95th percentile of the latency so far, in ms.
    pub p95_ms: f64,
}

impl Progress {
    pub(crate) fn of_users(doing: &'static str, done: usize, total: usize) -> Self {
        Self { doing, done: done as u64, total: total as u64, failed: 0, p95_ms: 0.0 }
    }
}

/// Why a run came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Everything was sent and answered.
    Whole,
    /// Somebody stopped it.
    Stopped,
    /// The server's limits refused a request, so that it is not load which is measured.
    Limited,
}

/// Sends everything that the schedule asks for and waits for the answers.
pub(crate) async fn drive(
    (client, host): (&Client, &str),
    schedule: &Schedule,
    users: Vec<User>,
    watch: &impl Fn(&Progress),
    mut stop: Pin<&mut impl Future<Output = ()>>,
) -> (Tally, End) {
    let tally = Arc::new(Mutex::new(Tally::new(schedule.length(), schedule.stages.len())));
    let users: Vec<Arc<User>> = users.into_iter().map(Arc::new).collect();
    let (mut turns, is_limited) = (vec![0_u64; users.len()], Arc::new(AtomicBool::new(false)));
    let (begin, total, mut open) = (Instant::now(), schedule.count(), JoinSet::new());
    let (mut reported, mut sent) = (begin, 0_u64);
    let mut end = loop {
        let Some(due) = schedule.due(sent) else { break End::Whole };
        tokio::select! {
            biased;
            () = stop.as_mut() => break End::Stopped,
            () = until(begin + due.at) => {}
        }
        if is_limited.load(Ordering::Relaxed) {
            break End::Limited;
        }
        while open.try_join_next().is_some() {}
        let number = sent as usize % due.users.min(users.len());
        let operation = Operation::at(turns[number] + number as u64);
        let sending = Sending { operation, stage: due.stage, due: due.at, begin, tally: tally.clone() };
        let (user, client, host, turn) =
            (users[number].clone(), client.clone(), host.to_owned(), turns[number]);
        turns[number] += 1;
        sent += 1;
        if open.len() >= MOST_OPEN {
            sending.count(Instant::now(), Some("too many requests are unanswered".to_owned()));
            continue;
        }
        let is_limited = is_limited.clone();
        open.spawn(async move {
            let left = Instant::now();
            let failure = user.ask(&client, &host, operation, turn).await.err();
            if failure.as_deref() == Some(LIMITED) {
                is_limited.store(true, Ordering::Relaxed);
            }
            sending.count(left, failure);
        });
        if reported.elapsed() >= REPORT_EVERY {
            reported = Instant::now();
            watch(&progress(&tally, sent, total));
        }
    };
    if end == End::Whole {
        tokio::select! {
            biased;
            () = stop => end = End::Stopped,
            () = async { while open.join_next().await.is_some() {} } => {}
        }
        if is_limited.load(Ordering::Relaxed) {
            end = End::Limited;
        }
    }
    open.shutdown().await;
    watch(&progress(&tally, sent, total));
    let tally = std::mem::replace(&mut *lock(&tally), Tally::new(Duration::ZERO, 0));
    (tally, end)
}

/// A request between its leaving and its being counted.
struct Sending {
    operation: Operation,
    stage: usize,
    due: Duration,
    begin: Instant,
    tally: Arc<Mutex<Tally>>,
}

impl Sending {
    fn count(self, left: Instant, failure: Option<String>) {
        let Self { operation, stage, due, begin, tally } = self;
        let now = Instant::now();
        let (latency, service) = (now.saturating_duration_since(begin + due), now - left);
        lock(&tally).add(Sample { operation, stage, due, latency, service, failure });
    }
}

/// Waits until an instant; what is already over costs no turn of the timer.
async fn until(at: Instant) {
    if Instant::now() < at {
        tokio::time::sleep_until(at).await;
    }
}

fn progress(tally: &Mutex<Tally>, done: u64, total: u64) -> Progress {
    let tally = lock(tally);
    let (failed, p95_ms) = (tally.all.failed, tally.all.percentile_ms(95.0));
    Progress { doing: "asking", done, total, failed, p95_ms }
}

fn lock(tally: &Mutex<Tally>) -> std::sync::MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}
