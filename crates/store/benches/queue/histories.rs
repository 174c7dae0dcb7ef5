//! Simulated histories of a cluster: leaders are paused and die, clocks jump both ways, summer time comes and goes. No
//! occurrence of a schedule is fired twice, and one that is to be made up for is never left out.

use std::collections::BTreeMap;
use std::sync::Arc;

use kernel::{Clock, Micros, TenantId};
use store::schedule::{CatchUp, Cron, Due, Schedule, Scheduler};
use store::{Reach, Store, execute, fetch_one};
use tokio::sync::Notify;

const SERVERS: usize = 3;
const STEPS: usize = 60;
/// Days before clocks are changed in Berlin and Santiago, and one in summer.
const STARTS: [&str; 5] = [
    "2026-03-28T12:00:00Z",
    "2026-10-24T12:00:00Z",
    "2026-04-04T12:00:00Z",
    "2026-09-05T12:00:00Z",
    "2026-07-01T12:00:00Z",
];
const SCHEDULES: [(&str, &str, CatchUp); 4] = [
    ("30 2 * * *", "Europe/Berlin", CatchUp::All),
    ("0 0,12 * * *", "America/Santiago", CatchUp::All),
    ("*/20 * * * *", "Europe/Berlin", CatchUp::Once),
    ("15 23 * * *", "America/Santiago", CatchUp::Skip),
];

/// Whether a leader shows the number under which it looked, or whatever number is there now (the control).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fencing {
    /// As it is.
    Checked,
    /// As if there were none.
    None,
}

/// Chance that can be repeated: `SplitMix64` (Steele, Lea, Flood 2014).
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % n
    }

    /// µs in ± `hours`.
    fn jump(&mut self, hours: u64) -> i64 {
        let minutes = hours * 60;
        (self.below(2 * minutes) as i64 - minutes as i64) * 60 * Micros::SECOND
    }
}

struct Server {
    clock: Clock,
    scheduler: Scheduler,
    fence: Option<i64>,
    /// What it saw to be due, and under which number it looked.
    seen: Option<(i64, Vec<Due>)>,
}

struct History {
    store: Store,
    seed: u64,
    fencing: Fencing,
    chance: Chance,
    start: Micros,
    servers: Vec<Server>,
    born: usize,
    /// Fired occurrences by schedule, in the order of their firing.
    fired: BTreeMap<usize, Vec<Micros>>,
}

/// Plays the history that `seed` tells.
///
/// # Errors
/// What must not happen, with the seed.
pub(crate) async fn play(store: &Store, seed: u64, fencing: Fencing) -> Result<(), String> {
    let mut chance = Chance(seed);
    let start = Micros::parse(STARTS[chance.below(STARTS.len() as u64) as usize]).unwrap();
    let mut history = History {
        store: store.clone(),
        seed,
        fencing,
        chance,
        start,
        servers: Vec::new(),
        born: 0,
        fired: BTreeMap::new(),
    };
    for _ in 0..SERVERS {
        let server = history.new_server(Clock::fixed(start));
        server.scheduler.register().await.unwrap();
        history.servers.push(server);
    }
    for _ in 0..STEPS {
        history.step().await;
    }
    history.settle().await;
    let verdict = history.verdict();
    history.tidy_up().await;
    verdict
}

impl History {
    fn name(&self, at: usize) -> String {
        format!("history-{}-{at}", self.seed)
    }

    fn new_server(&mut self, clock: Clock) -> Server {
        self.born += 1;
        let schedules = SCHEDULES.iter().enumerate().map(|(at, (cron, zone, catch_up))| Schedule {
            name: self.name(at),
            kind: "test.scheduled",
            cron: (*cron).to_owned(),
            time_zone: (*zone).to_owned(),
            catch_up: *catch_up,
        });
        let tenant = TenantId::parse("default").unwrap();
        let (store, holder) = (self.store.clone(), format!("server {}", self.born));
        let wake = Arc::new(Notify::new());
        let scheduler =
            Scheduler::new(store, clock.clone(), holder, tenant, schedules.collect(), wake).unwrap();
        let scheduler = scheduler.with_lease(self.name(SCHEDULES.len()));
        Server { clock, scheduler, fence: None, seen: None }
    }

    async fn step(&mut self) {
        let at = self.chance.below(SERVERS as u64) as usize;
        match self.chance.below(12) {
            0..=2 => {
                let micros = self.chance.below(3 * 3_600) as i64 * Micros::SECOND;
                self.servers.iter().for_each(|server| server.clock.advance(micros));
            }
            3 => {
                let micros = self.chance.jump(48);
                self.servers[at].clock.advance(micros);
            }
            4 => {
                let clock = self.servers[at].clock.clone();
                self.servers[at] = self.new_server(clock);
                self.servers[at].scheduler.register().await.unwrap();
            }
            5..=7 => self.servers[at].fence = self.servers[at].scheduler.lead().await.unwrap(),
            8..=9 => {
                let server = &mut self.servers[at];
                if let Some(fence) = server.fence {
                    server.seen = Some((fence, server.scheduler.list_due().await.unwrap()));
                }
            }
            _ => self.fire(at).await,
        }
    }

    async fn fire(&mut self, at: usize) {
        let Some((fence, seen)) = self.servers[at].seen.take() else { return };
        let fence = match self.fencing {
            Fencing::Checked => fence,
            Fencing::None => self.present_fence().await,
        };
        for due in seen {
            match self.servers[at].scheduler.fire(fence, &due).await {
                Ok(occurrences) => self.fired.entry(due.place()).or_default().extend(occurrences),
                Err(error) => assert_eq!(error.code, "lease_lost", "history {}", self.seed),
            }
        }
    }

    async fn present_fence(&self) -> i64 {
        let mut conn = self.store.read(Reach::Everyone).await.unwrap();
        let name = self.name(SCHEDULES.len());
        fetch_one!(&mut conn, (i64,), "SELECT fence FROM leases WHERE name = $1", name).unwrap().0
    }

    /// A new server with a clock ahead of all others leads and catches up.
    async fn settle(&mut self) {
        let latest = self.servers.iter().map(|server| server.clock.now()).max().unwrap();
        let server = self.new_server(Clock::fixed(latest.plus(Micros::DAY)));
        server.scheduler.register().await.unwrap();
        self.servers[0] = server;
        loop {
            let server = &mut self.servers[0];
            let fence = server.scheduler.lead().await.unwrap().expect("every lease is over by now");
            let due = server.scheduler.list_due().await.unwrap();
            if due.is_empty() {
                return;
            }
            server.seen = Some((fence, due));
            self.fire(0).await;
        }
    }

    fn verdict(&self) -> Result<(), String> {
        for (at, (text, zone, catch_up)) in SCHEDULES.iter().enumerate() {
            let fired = self.fired.get(&at).cloned().unwrap_or_default();
            let cron = Cron::parse(text, zone).unwrap();
            let mut due = self.start;
            let mut all = Vec::new();
            while let Some(next) = cron.next_after(due).filter(|next| Some(next) <= fired.last()) {
                all.push(next);
                due = next;
            }
            let is_right = match catch_up {
                CatchUp::All => fired == all,
                CatchUp::Once | CatchUp::Skip => {
                    fired.is_sorted_by(|a, b| a < b) && fired.iter().all(|at| all.contains(at))
                }
            };
            if !is_right {
                return Err(format!(
                    "history {}: {text} {zone} {catch_up:?} fired {fired:?} of {all:?}",
                    self.seed
                ));
            }
        }
        Ok(())
    }

    async fn tidy_up(&self) {
        let like = format!("history-{}-%", self.seed);
        let remove = self.store.write("test.tidy", Reach::Everyone, move |tx| {
            Box::pin(async move {
                execute!(tx, "DELETE FROM schedules WHERE name LIKE $1", &like)?;
                execute!(tx, "DELETE FROM jobs WHERE job_key LIKE $1", &like)?;
                Ok(())
            })
        });
        remove.await.unwrap();
    }
}
