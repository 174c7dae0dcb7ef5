//! A machine of two cores on a clock of its own: what the gate leaves of it at five times what it can do.
//!
//! Each request needs 10 ms of a core, and cores are shared evenly among whatever runs, so that the peak is 200 a second.
//! An answer later than a second is of no use. Real servers are measured by `crates/e2e/examples/overload.rs`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::{Asker, Gate, Range, ShedClass};

const CORES: u32 = 2;
const PEAK: f64 = 200.0;
const USEFUL: Duration = Duration::from_secs(1);

#[derive(Clone)]
struct Machine {
    running: Arc<AtomicU32>,
    gate: Option<Gate>,
}

impl Machine {
    fn new(gate: Option<Gate>) -> Self {
        Self { running: Arc::default(), gate }
    }

    fn gated() -> Self {
        Self::new(Some(Gate::new(Range { floor: 8 * CORES, ceiling: 64 * CORES })))
    }

    /// Whether the answer came in time.
    async fn answer(self, tenant: &'static str) -> bool {
        let asked = Instant::now();
        let asker = Asker {
            class: ShedClass::Interactive,
            tenant: tenant.into(),
            user: "ada".into(),
            endpoint: "/search".into(),
        };
        let _place = match &self.gate {
            Some(gate) => match gate.enter(asker).await {
                Ok(place) => Some(place),
                Err(_refused) => return false,
            },
            None => None,
        };
        self.running.fetch_add(1, Ordering::Relaxed);
        for _millisecond in 0..10 {
            let others = self.running.load(Ordering::Relaxed);
            sleep(Duration::from_millis(1) * others.max(CORES) / CORES).await;
        }
        self.running.fetch_sub(1, Ordering::Relaxed);
        asked.elapsed() <= USEFUL
    }

    /// Offers `rate` requests a second for a while; how many a second were answered in time.
    async fn offer(&self, tenant: &'static str, rate: f64, seconds: f64) -> f64 {
        let (began, mut answers) = (Instant::now(), JoinSet::new());
        for number in 0..(rate * seconds) as u32 {
            sleep_until(began + Duration::from_secs_f64(f64::from(number) / rate)).await;
            answers.spawn(self.clone().answer(tenant));
        }
        let good = answers.join_all().await.into_iter().filter(|is_good| *is_good).count();
        good as f64 / seconds
    }
}

#[tokio::test(start_paused = true)]
async fn at_five_times_the_peak_goodput_stays_and_everything_is_back_when_it_is_over() {
    let machine = Machine::gated();
    assert!(machine.offer("a", PEAK * 0.5, 10.0).await > PEAK * 0.49, "nothing is refused in quiet times");
    let during = machine.offer("a", PEAK * 5.0, 20.0).await;
    assert!(during > PEAK * 0.9, "{during} of {PEAK} a second");
    let after = machine.offer("a", PEAK * 0.9, 5.0).await;
    assert!(after > PEAK * 0.85, "{after} a second afterwards");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_starts_into_an_overload_finds_its_limit() {
    let machine = Machine::gated();
    let during = machine.offer("a", PEAK * 5.0, 20.0).await;
    assert!(during > PEAK * 0.85, "{during} of {PEAK} a second");
}

#[tokio::test(start_paused = true)]
async fn a_flooding_tenant_leaves_the_others_what_they_ask() {
    let machine = Machine::gated();
    let flood = machine.offer("flood", PEAK * 5.0, 20.0);
    let (_, quiet) = tokio::join!(flood, machine.offer("quiet", PEAK * 0.3, 20.0));
    assert!(quiet > PEAK * 0.3 * 0.9, "{quiet} a second");
}

/// The control: a machine that lets everything in answers nothing in time.
#[tokio::test(start_paused = true)]
async fn without_a_gate_the_same_load_leaves_nothing() {
    let during = Machine::new(None).offer("a", PEAK * 5.0, 10.0).await;
    assert!(during < PEAK * 0.5, "{during} of {PEAK} a second");
}
