//! Overload: what runs at once is bounded, a few wait in a fair line, and the rest is told at once to come back.
//!
//! The gate stands behind authentication, which is remembered and cheap, because a line can only be fair to somebody it
//! knows. Health and metrics never meet it. Lower classes may use less of the limit, so they are shed first; higher ones
//! are taken first from the line.

mod line;
mod pace;
#[cfg(test)]
mod simulation;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::Method;
use kernel::Error;
use line::Line;
use metrics::{Counter, Gauge};
use pace::Pace;
pub use pace::Range;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Longest wait in line.
const LONGEST_WAIT: Duration = Duration::from_millis(500);
/// Places in the line of a class.
const PLACES: usize = 256;
/// How often a full line is searched for those who went away: it costs a look at every place.
const PURGE_EVERY: Duration = Duration::from_millis(50);

/// What a request is worth keeping for. Health and metrics are above all of these: they never wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShedClass {
    /// Heartbeats, sign-out, cancelling: they make room or keep a machine from being given up.
    Control,
    /// Somebody waits: chat, recall, the console, signing in.
    Interactive,
    /// Ingestion and uploads: whoever sends them can send them again.
    Bulk,
    /// Exports, backups, reports, jobs.
    Background,
}

/// Highest first, as they are taken from the line.
const CLASSES: [ShedClass; 4] =
    [ShedClass::Control, ShedClass::Interactive, ShedClass::Bulk, ShedClass::Background];

impl ShedClass {
    /// The class of a route.
    pub fn of(method: &Method, template: &str) -> Self {
        match (method.as_str(), template) {
            ("DELETE", "/api/v1/session" | "/auth/sessions/{id}")
            | ("POST", "/auth/token/revoke" | "/api/heartbeat" | "/api/agents/heartbeat") => Self::Control,
            ("POST", "/api/v1/events" | "/api/v1/events/batch" | "/api/v1/files/upload" | "/api/metrics") => {
                Self::Bulk
            }
            (_, path) if path.contains("/export") => Self::Background,
            _ => Self::Interactive,
        }
    }

    fn word(self) -> &'static str {
        ["control", "interactive", "bulk", "background"][self as usize]
    }

    /// Of the limit, how much this class may fill: hundredths.
    fn share(self) -> u32 {
        [100, 90, 70, 40][self as usize]
    }
}

/// The gate of one server. Clones share it.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    shed: [Counter; 4],
    limit: Gauge,
}

struct State {
    pace: Pace,
    running: u32,
    lines: [Line<oneshot::Sender<Permit>>; 4],
    purged: Instant,
}

impl State {
    /// Frees the places of those who no longer wait, when none is left.
    fn make_room(&mut self, class: ShedClass) {
        if self.lines[class as usize].len() == PLACES && self.purged.elapsed() > PURGE_EVERY {
            self.lines[class as usize].purge(oneshot::Sender::is_closed);
            self.purged = Instant::now();
        }
    }

    fn has_room(&self, class: ShedClass) -> bool {
        self.running < (self.pace.limit() * class.share() / 100).max(1)
    }

    /// Takes a place for the next in line.
    fn next(&mut self) -> Option<oneshot::Sender<Permit>> {
        for class in CLASSES {
            if !self.has_room(class) {
                return None;
            }
            if let Some(next) = self.lines[class as usize].pop() {
                self.running += 1;
                return Some(next);
            }
        }
        None
    }
}

/// Who wants a place, and what for.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    pub(crate) class: ShedClass,
    pub(crate) tenant: Box<str>,
    pub(crate) user: Box<str>,
    /// Route template.
    pub(crate) endpoint: Box<str>,
}

/// A place among what runs; free again when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    gate: Option<Gate>,
    /// `None` until somebody takes it up.
    asker: Option<Asker>,
    since: Instant,
}

impl Permit {
    /// Frees the place before the work is done, so that its time tells nothing; gives back who may ask for another.
    pub(crate) fn give_up(mut self) -> Option<Asker> {
        self.asker.take()
    }
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate").field("running", &self.lock().running).finish()
    }
}

impl Gate {
    /// A gate that lets between `floor` and `ceiling` run.
    pub fn new(range: Range) -> Self {
        let lines = CLASSES.map(|_| Line::new(PLACES));
        let state = State { pace: Pace::new(range), running: 0, lines, purged: Instant::now() };
        let shed = CLASSES.map(|class| metrics::counter!("hearth_shed_total", "class" => class.word()));
        Self(Arc::new(Inner {
            state: Mutex::new(state),
            shed,
            limit: metrics::gauge!("hearth_concurrency_limit"),
        }))
    }

    /// Waits for a place, half a second at most.
    ///
    /// # Errors
    /// `overloaded`, with a time to come back that differs from caller to caller.
    pub(crate) async fn enter(&self, asker: Asker) -> kernel::Result<Permit> {
        let class = asker.class;
        let waiting = {
            let mut state = self.lock();
            if state.lines[class as usize].is_empty() && state.has_room(class) {
                state.running += 1;
                return Ok(self.permit(Some(asker)));
            }
            state.make_room(class);
            let (give, take) = oneshot::channel();
            // Whoever falls out learns of it by the end of its channel.
            drop(state.lines[class as usize].push(&asker.tenant, &asker.user, give));
            take
        };
        match tokio::time::timeout(LONGEST_WAIT, waiting).await {
            Ok(Ok(mut permit)) => {
                (permit.asker, permit.since) = (Some(asker), Instant::now());
                Ok(permit)
            }
            _ => Err(self.refusal(class)),
        }
    }

    fn refusal(&self, class: ShedClass) -> Error {
        self.0.shed[class as usize].increment(1);
        let mut error = Error::unavailable("overloaded", "the server has more to do than it can; try again");
        let [chance] = kernel::random::bytes::<1>();
        error.retry_after_seconds = Some(1 + u32::from(chance % 4));
        error
    }

    fn permit(&self, asker: Option<Asker>) -> Permit {
        Permit { gate: Some(self.clone()), asker, since: Instant::now() }
    }

    /// Gives free places to those who wait. A place is handed over whole: whoever has gone away drops it, and it comes back.
    fn hand_over(&self) {
        loop {
            let Some(next) = self.lock().next() else { return };
            if let Err(mut unwanted) = next.send(self.permit(None)) {
                unwanted.gate = None;
                self.lock().running -= 1;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let Some(gate) = self.gate.take() else { return };
        {
            let mut state = gate.lock();
            if let Some(asker) = &self.asker {
                let running = state.running;
                state.pace.learn(&asker.endpoint, self.since.elapsed().as_secs_f64(), running);
                gate.0.limit.set(f64::from(state.pace.limit()));
            }
            state.running -= 1;
        }
        gate.hand_over();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(most: u32) -> Gate {
        Gate::new(Range { floor: most, ceiling: most })
    }

    async fn enter(gate: &Gate, tenant: &str) -> kernel::Result<Permit> {
        enter_as(gate, ShedClass::Control, tenant).await
    }

    async fn enter_as(gate: &Gate, class: ShedClass, tenant: &str) -> kernel::Result<Permit> {
        let asker = Asker { class, tenant: tenant.into(), user: "ada".into(), endpoint: "/x".into() };
        gate.enter(asker).await
    }

    #[tokio::test(start_paused = true)]
    async fn past_the_limit_one_waits_half_a_second_and_is_told_to_come_back() {
        let gate = gate(2);
        let (first, _second) = (enter(&gate, "a").await.unwrap(), enter(&gate, "a").await.unwrap());
        let refused = enter(&gate, "a").await.unwrap_err();
        assert_eq!(refused.code, "overloaded");
        assert!((1..=4).contains(&refused.retry_after_seconds.unwrap()));
        let waiting = tokio::spawn({
            let gate = gate.clone();
            async move { enter(&gate, "a").await }
        });
        tokio::task::yield_now().await;
        drop(first);
        assert!(waiting.await.unwrap().is_ok());
        assert!(enter(&gate, "a").await.is_ok(), "all places came back");
    }

    #[tokio::test(start_paused = true)]
    async fn a_flooding_tenant_leaves_the_others_their_turn() {
        let gate = gate(1);
        let running = enter(&gate, "flood").await.unwrap();
        let (tell, mut order) = tokio::sync::mpsc::unbounded_channel();
        for tenant in std::iter::repeat_n("flood", 300).chain(["quiet"]) {
            let (gate, tell) = (gate.clone(), tell.clone());
            tokio::spawn(async move {
                if enter(&gate, tenant).await.is_ok() {
                    let _ = tell.send(tenant);
                }
            });
            tokio::task::yield_now().await;
        }
        drop(running);
        let served = [order.recv().await.unwrap(), order.recv().await.unwrap()];
        assert!(served.contains(&"quiet"), "{served:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn lower_classes_are_shed_first() {
        let gate = gate(10);
        let mut held = Vec::new();
        for class in [ShedClass::Background, ShedClass::Bulk, ShedClass::Interactive, ShedClass::Control] {
            while let Ok(permit) = enter_as(&gate, class, "a").await {
                held.push(permit);
            }
            assert_eq!(held.len() as u32, class.share() / 10, "{class:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn places_of_those_who_went_away_are_not_lost() {
        let gate = gate(1);
        let running = enter(&gate, "a").await.unwrap();
        for _ in 0..100 {
            let gone = tokio::spawn({
                let gate = gate.clone();
                async move { enter(&gate, "a").await.map(drop) }
            });
            tokio::task::yield_now().await;
            gone.abort();
        }
        drop(running);
        assert!(enter(&gate, "a").await.is_ok());
        assert_eq!(gate.lock().running, 0);
    }
}
