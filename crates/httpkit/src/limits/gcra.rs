//! The generic cell rate algorithm over several keys at once, in two homes: this process, and Redis.
//!
//! Source: ITU-T I.371, annex A, "virtual scheduling". A key's whole state is its theoretical arrival time, the instant at
//! which it owes nothing. An arrival passes when that lies less than a whole window ahead, and moves it on by one interval.
//! Checking all keys and moving all of them is one step, so that an arrival refused by one key eats nothing of another.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use store::Redis;
use store::redis::Script;

/// Keys remembered at most, about 30 MB; beyond it those who owe least are forgotten.
const MOST_KEYS: usize = 500_000;

/// How often something may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quota {
    /// Arrivals at once, and in a window.
    pub(super) burst: u32,
    /// Microseconds after which one more may come.
    interval_us: i64,
}

impl Quota {
    /// `most` (at least 1) in a `window`.
    pub(super) fn new(most: u32, window: Duration) -> Self {
        let most = most.max(1);
        Self { burst: most, interval_us: (window.as_micros() as i64 / i64::from(most)).max(1) }
    }

    /// `factor` times as many in the same window.
    pub(super) fn times(self, factor: u32) -> Self {
        Self::new(self.burst.saturating_mul(factor), self.window())
    }

    /// One server's part, when `servers` cannot tell each other what they count.
    pub(super) fn shared_by(self, servers: u32) -> Self {
        Self::new(self.burst / servers.max(1), self.window())
    }

    /// The window, to the microsecond of its intervals.
    pub(super) fn window(self) -> Duration {
        Duration::from_micros(self.window_us() as u64)
    }

    fn window_us(self) -> i64 {
        self.interval_us * i64::from(self.burst)
    }
}

/// One key that an arrival counts against.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    /// Label of the metric, and word in the refusal.
    pub(super) scope: &'static str,
    /// Names the counted thing, over all servers.
    key: String,
    /// Its limit.
    pub(super) quota: Quota,
}

impl Ask {
    /// Something called `id` among those of its `kind`.
    pub(super) fn new(scope: &'static str, kind: &str, id: String, quota: Quota) -> Self {
        Self { scope, key: format!("hearth:rate:{kind}:{id}"), quota }
    }
}

/// What became of an arrival.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Whether it passes; then all keys have counted it, else none.
    pub(super) passes: bool,
    /// For each key, the microseconds until it owes nothing.
    pub(super) debts_us: Vec<i64>,
}

impl Ask {
    /// What the key owes; a clock that was set back, or a limit that was lowered, makes nobody owe more than a window.
    fn debt(&self, arrival_us: Option<i64>, now_us: i64) -> i64 {
        (arrival_us.unwrap_or(now_us) - now_us).clamp(0, self.quota.window_us())
    }

    /// Microseconds until one more may come.
    pub(super) fn wait_us(&self, debt_us: i64) -> i64 {
        (debt_us + self.quota.interval_us - self.quota.window_us()).max(0)
    }

    /// How many more may come now.
    pub(super) fn remaining(&self, debt_us: i64) -> u32 {
        ((self.quota.window_us() - debt_us) / self.quota.interval_us).max(0) as u32
    }
}

/// Arrival times in this process.
pub(super) struct Local {
    /// By a keyed hash of 64 bits: two of half a million keys meet once in a hundred million fillings.
    arrivals: Mutex<HashMap<u64, i64>>,
    hasher: RandomState,
    began: Instant,
}

impl Local {
    pub(super) fn new() -> Self {
        Self { arrivals: Mutex::default(), hasher: RandomState::new(), began: Instant::now() }
    }

    /// Microseconds on a clock that nobody can set.
    pub(super) fn now_us(&self) -> i64 {
        self.began.elapsed().as_micros() as i64
    }

    /// Counts an arrival at `now_us` against all keys, or none.
    pub(super) fn count(&self, asks: &[Ask], now_us: i64) -> Verdict {
        let hashes: Vec<u64> = asks.iter().map(|ask| self.hasher.hash_one(&ask.key)).collect();
        let mut arrivals = self.lock_with_room(asks.len(), now_us);
        let debt = |(ask, hash): (&Ask, &u64)| ask.debt(arrivals.get(hash).copied(), now_us);
        let mut debts_us: Vec<i64> = asks.iter().zip(&hashes).map(debt).collect();
        let passes = asks.iter().zip(&debts_us).all(|(ask, debt)| ask.wait_us(*debt) == 0);
        if passes {
            for ((ask, hash), debt) in asks.iter().zip(&hashes).zip(&mut debts_us) {
                *debt += ask.quota.interval_us;
                arrivals.insert(*hash, now_us + *debt);
            }
        }
        Verdict { passes, debts_us }
    }

    /// Takes over what Redis said of keys, so that it is not forgotten when Redis goes away.
    pub(super) fn mirror(&self, asks: &[Ask], debts_us: &[i64], now_us: i64) {
        let mut arrivals = self.lock_with_room(asks.len(), now_us);
        for (ask, debt) in asks.iter().zip(debts_us) {
            arrivals.insert(self.hasher.hash_one(&ask.key), now_us + debt);
        }
    }

    fn lock_with_room(&self, more: usize, now_us: i64) -> MutexGuard<'_, HashMap<u64, i64>> {
        let mut arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        if arrivals.len() + more > MOST_KEYS {
            make_room(&mut arrivals, now_us);
        }
        arrivals
    }

    /// Forgets keys that owe nothing.
    pub(super) fn forget_idle(&self) {
        let now_us = self.now_us();
        let mut arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        arrivals.retain(|_, arrival| *arrival > now_us);
        arrivals.shrink_to(1_024);
    }
}

fn make_room(arrivals: &mut HashMap<u64, i64>, now_us: i64) {
    arrivals.retain(|_, arrival| *arrival > now_us);
    if arrivals.len() > MOST_KEYS / 2 {
        let mut all: Vec<i64> = arrivals.values().copied().collect();
        let middle = all.len() / 2;
        let (_, median, _) = all.select_nth_unstable(middle);
        let median = *median;
        arrivals.retain(|_, arrival| *arrival > median);
    }
}

/// Arguments: interval and burst of each key. Answers 1 or 0, then what each key owes. Time is Redis' own, so that servers
/// whose clocks differ count alike; numbers are written out because Lua's own text of them is rounded.
const SCRIPT: &str = "
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local passes, answer = 1, {1}
for i, key in ipairs(KEYS) do
  local interval, burst = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local debt = (tonumber(redis.call('GET', key)) or now) - now
  debt = math.min(math.max(debt, 0), interval * burst)
  if debt + interval > interval * burst then passes = 0 end
  answer[i + 1] = debt
end
answer[1] = passes
if passes == 1 then
  for i, key in ipairs(KEYS) do
    local debt = answer[i + 1] + tonumber(ARGV[2 * i - 1])
    redis.call('SET', key, string.format('%.0f', now + debt), 'PX', string.format('%.0f', math.ceil(debt / 1000)))
    answer[i + 1] = debt
  end
end
return answer";

/// Arrival times in Redis, the same for all servers.
pub(super) struct Shared {
    redis: Redis,
    script: Script,
}

impl Shared {
    pub(super) fn new(redis: Redis) -> Self {
        Self { redis, script: Script::new(SCRIPT) }
    }

    /// Servers among which a limit is divided while Redis is away.
    pub(super) fn servers(&self) -> u32 {
        self.redis.servers()
    }

    /// As [`Local::count`]; `None` when Redis is away.
    pub(super) async fn count(&self, asks: &[Ask]) -> Option<Verdict> {
        let keys: Vec<String> = asks.iter().map(|ask| ask.key.clone()).collect();
        let numbers = |ask: &Ask| [ask.quota.interval_us, i64::from(ask.quota.burst)];
        let arguments: Vec<i64> = asks.iter().flat_map(numbers).collect();
        let answer: Vec<i64> = self.redis.call(&self.script, &keys, &arguments).await?;
        let (passes, debts_us) = answer.split_first()?;
        (debts_us.len() == asks.len()).then(|| Verdict { passes: *passes == 1, debts_us: debts_us.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn ask(id: &str, most: u32) -> Ask {
        Ask::new("requests", "caller", id.to_owned(), Quota::new(most, Duration::from_mins(1)))
    }

    /// How many of 200 arrivals pass, made at one instant by eight threads.
    fn passing(local: &Local, asks: &[Ask], now_us: i64) -> u32 {
        let (passed, start) = (AtomicU32::new(0), std::sync::Barrier::new(8));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    start.wait();
                    let mine = (0..25).filter(|_| local.count(asks, now_us).passes).count();
                    passed.fetch_add(mine as u32, Ordering::SeqCst);
                });
            }
        });
        passed.into_inner()
    }

    #[test]
    fn of_200_at_once_exactly_the_limit_passes_in_100_rounds() {
        for round in 0..100 {
            let (local, most) = (Local::new(), 1 + round % 199);
            assert_eq!(passing(&local, &[ask("a", most)], 7), most, "round {round}");
        }
    }

    #[test]
    fn while_the_window_turns_exactly_what_came_back_passes() {
        let local = Local::new();
        let limit = [ask("a", 60)];
        assert_eq!(passing(&local, &limit, 0), 60);
        let mut now_us = 0;
        for seconds in [1, 3, 7, 1, 20, 0, 2] {
            now_us += seconds * 1_000_000;
            assert_eq!(i64::from(passing(&local, &limit, now_us)), seconds, "one comes back every second");
        }
        assert_eq!(passing(&local, &limit, now_us + 999_999), 0, "a microsecond too early");
        assert_eq!(passing(&local, &limit, now_us + 500_000_000), 60, "never more than the limit");
    }

    #[test]
    fn the_tightest_key_decides_and_a_refusal_eats_nothing_of_the_others() {
        let local = Local::new();
        let (tight, wide) = (ask("tight", 10), ask("wide", 100));
        let both = [tight, wide.clone()];
        assert_eq!(passing(&local, &both, 0), 10);
        let Verdict { debts_us, .. } = local.count(&both, 0);
        assert_eq!(both[1].remaining(debts_us[1]), 90, "190 refusals took none of the 90");
        assert_eq!(passing(&local, &[wide], 0), 90);
    }

    #[test]
    fn a_server_alone_among_three_gives_a_third() {
        let quota = Quota::new(100, Duration::from_mins(1));
        assert_eq!(quota.shared_by(3).burst, 33);
        assert_eq!(Quota::new(1, Duration::from_mins(1)).shared_by(3).burst, 1);
        assert_eq!(quota.times(20).window(), Duration::from_mins(1));
    }

    #[test]
    fn what_owes_nothing_is_forgotten_and_a_flood_of_keys_is_bounded() {
        let local = Local::new();
        for n in 0..=MOST_KEYS {
            local.count(&[ask(&n.to_string(), 2)], n as i64);
        }
        let held = |local: &Local| local.arrivals.lock().unwrap().len();
        assert!(held(&local) <= MOST_KEYS, "{}", held(&local));
        let local = Local::new();
        local.count(&[ask("a", 2)], -120_000_000);
        local.forget_idle();
        assert_eq!(held(&local), 0);
    }
}
