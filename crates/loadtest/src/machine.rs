//! What the generator itself uses: a generator without room measures itself.

use std::time::Instant;

use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};

/// Share of the machine past which a run is void, 0–100.
pub(crate) const SATURATED_PERCENT: f64 = 80.0;

/// The processor time of this process since a beginning.
pub(crate) struct OwnUse {
    started: Instant,
    cpu_ms: u64,
}

impl OwnUse {
    /// Begins now.
    pub(crate) fn begin() -> Self {
        Self { started: Instant::now(), cpu_ms: cpu_ms() }
    }

    /// Share of all cores used since, 0–100.
    pub(crate) fn cpu_percent(&self) -> f64 {
        let used = cpu_ms().saturating_sub(self.cpu_ms) as f64 / 1e3;
        used / self.started.elapsed().as_secs_f64().max(0.001) / cores() as f64 * 100.0
    }
}

/// Cores that this process may use.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Processor time of this process so far; 0 where the system does not tell.
fn cpu_ms() -> u64 {
    let Ok(own) = sysinfo::get_current_pid() else { return 0 };
    let mut system = System::new();
    let wanted = ProcessRefreshKind::nothing().with_cpu();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[own]), true, wanted);
    system.process(own).map_or(0, sysinfo::Process::accumulated_cpu_time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_of_this_process_shows() {
        let own = OwnUse::begin();
        let mut sum = 0_u64;
        while own.started.elapsed().as_millis() < 200 {
            sum = (0..10_000).fold(sum, |sum, n| sum.wrapping_mul(31).wrapping_add(n));
        }
        let percent = own.cpu_percent();
        assert!(sum != 1 && percent > 1.0 && percent <= 110.0, "{percent}");
    }
}
