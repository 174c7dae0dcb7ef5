//! Where a connection stands and since when. Its socket and its requests write it; one watch reads it.

use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use metrics::Gauge;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::TimeLimits;

/// What the next byte would be part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing has come yet.
    Silent,
    /// A request's head (or a handshake) has begun.
    Head,
    /// Requests are being answered.
    Busy,
    /// The last answer is out.
    Idle,
}

/// What a client was too slow at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overdue {
    /// Sent nothing.
    FirstByte,
    /// Began a head and did not end it.
    Head,
    /// Asked for nothing more.
    KeepAlive,
    /// Does not take its answer.
    Write,
    /// Gives up more requests than it lets us answer.
    Resets,
}

impl Overdue {
    /// Label of `hearth_client_timeouts_total`.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::FirstByte => "first_byte",
            Self::Head => "head",
            Self::KeepAlive => "keep_alive",
            Self::Write => "write",
            Self::Resets => "resets",
        }
    }
}

/// Requests that a client may give up on one connection without more of them having been answered.
const RESETS: usize = 100;

/// The state of one connection.
pub(crate) struct Pulse {
    state: Mutex<State>,
    flooded: Notify,
}

struct State {
    phase: Phase,
    since: Instant,
    requests: usize,
    answered: usize,
    given_up: usize,
    /// HTTP/2: what is read between requests need not be a request.
    is_multiplexed: bool,
    /// When the socket began to refuse bytes.
    blocked_since: Option<Instant>,
    /// Answers of which a piece was taken and the next not yet asked for, and when one last was.
    held_answers: usize,
    held_since: Instant,
}

impl Pulse {
    /// A connection that begins now.
    pub(crate) fn new() -> Arc<Self> {
        let now = Instant::now();
        GAUGES.of(Phase::Silent).increment(1.0);
        let state = State {
            phase: Phase::Silent,
            since: now,
            requests: 0,
            answered: 0,
            given_up: 0,
            is_multiplexed: false,
            blocked_since: None,
            held_answers: 0,
            held_since: now,
        };
        Arc::new(Self { state: Mutex::new(state), flooded: Notify::new() })
    }

    /// The connection speaks HTTP/2.
    pub(crate) fn set_multiplexed(&self) {
        self.lock().is_multiplexed = true;
    }

    /// Bytes came in.
    pub(super) fn heard(&self) {
        let mut state = self.lock();
        let begins = state.phase == Phase::Silent || (state.phase == Phase::Idle && !state.is_multiplexed);
        if begins {
            state.enter(Phase::Head);
        }
    }

    /// The socket took bytes or refused them.
    pub(super) fn wrote(&self, is_blocked: bool) {
        let mut state = self.lock();
        if is_blocked {
            state.blocked_since.get_or_insert_with(Instant::now);
        } else {
            state.blocked_since = None;
        }
    }

    /// A piece of an answer was handed over, or the next one was asked for.
    pub(super) fn hold_answer(&self, is_held: bool) {
        let mut state = self.lock();
        state.held_since = Instant::now();
        if is_held {
            state.held_answers += 1;
        } else {
            state.held_answers -= 1;
        }
    }

    /// A request's head is complete; it is in flight until the result is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> InFlight {
        let mut state = self.lock();
        state.requests += 1;
        if state.requests == 1 {
            state.enter(Phase::Busy);
        }
        InFlight { pulse: self.clone(), is_answered: false }
    }

    /// Whether a request is being answered or an answer is still on its way out.
    pub(crate) fn is_busy(&self) -> bool {
        let state = self.lock();
        state.phase == Phase::Busy || state.blocked_since.is_some()
    }

    /// Whether the socket refuses bytes.
    pub(super) fn is_blocked(&self) -> bool {
        self.lock().blocked_since.is_some()
    }

    /// Returns when the client is too slow.
    ///
    /// Looks at least once in the shortest limit: whatever begins after a look is due after the next one, so nothing
    /// that happens on the connection has to set a timer.
    pub(crate) async fn overdue(&self, limits: &TimeLimits) -> Overdue {
        let shortest = limits.first_byte.min(limits.head).min(limits.keep_alive).min(limits.write_stalled);
        loop {
            let now = Instant::now();
            let due = self.lock().due(limits);
            let next = match due {
                Some((at, what)) if at <= now => return what,
                Some((at, _)) => at.min(now + shortest),
                None => now + shortest,
            };
            tokio::select! {
                () = sleep_until(next) => {}
                () = self.flooded.notified() => return Overdue::Resets,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn enter(&mut self, phase: Phase) {
        GAUGES.of(self.phase).decrement(1.0);
        GAUGES.of(phase).increment(1.0);
        (self.phase, self.since) = (phase, Instant::now());
    }

    /// What is due next, and when.
    fn due(&self, limits: &TimeLimits) -> Option<(Instant, Overdue)> {
        let blocked = self.blocked_since.map(|since| (since + limits.write_stalled, Overdue::Write));
        let held = (self.held_answers > 0).then(|| (self.held_since + limits.write_stalled, Overdue::Write));
        let waiting = match self.phase {
            Phase::Silent => Some((self.since + limits.first_byte, Overdue::FirstByte)),
            Phase::Head => Some((self.since + limits.head, Overdue::Head)),
            Phase::Idle => Some((self.since + limits.keep_alive, Overdue::KeepAlive)),
            Phase::Busy => None,
        };
        [blocked, held, waiting].into_iter().flatten().min_by_key(|(at, _)| *at)
    }
}

impl Drop for State {
    fn drop(&mut self) {
        GAUGES.of(self.phase).decrement(1.0);
    }
}

/// A request in flight.
pub(super) struct InFlight {
    pulse: Arc<Pulse>,
    is_answered: bool,
}

impl InFlight {
    /// Its answer is there. Dropped before that, its client has given it up.
    pub(super) fn answered(mut self) -> Self {
        self.is_answered = true;
        self
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut state = self.pulse.lock();
        let tally = if self.is_answered { &mut state.answered } else { &mut state.given_up };
        *tally += 1;
        if state.given_up > RESETS.max(state.answered) {
            self.pulse.flooded.notify_one();
        }
        state.requests -= 1;
        if state.requests == 0 {
            state.enter(Phase::Idle);
        }
    }
}

/// `hearth_connections` by state.
struct Gauges {
    waiting: Gauge,
    active: Gauge,
    idle: Gauge,
}

static GAUGES: LazyLock<Gauges> = LazyLock::new(|| {
    let gauge = |state: &'static str| metrics::gauge!("hearth_connections", "state" => state);
    Gauges { waiting: gauge("waiting"), active: gauge("active"), idle: gauge("idle") }
});

impl Gauges {
    fn of(&self, phase: Phase) -> &Gauge {
        match phase {
            Phase::Silent | Phase::Head => &self.waiting,
            Phase::Busy => &self.active,
            Phase::Idle => &self.idle,
        }
    }
}
