//! The standard series of this process, and its limit of open files.

use std::fmt::Write as _;

/// The standard series of a process, from `/proc`.
pub(crate) fn process_lines() -> String {
    let mut out = String::new();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    let mut add = |name: &str, kind: &str, value: Option<f64>| {
        if let Some(value) = value {
            _ = writeln!(out, "# TYPE {name} {kind}\n{name} {value}");
        }
    };
    add("process_resident_memory_bytes", "gauge", kib("VmRSS").map(|kib| kib as f64 * 1_024.0));
    add("process_virtual_memory_bytes", "gauge", kib("VmSize").map(|kib| kib as f64 * 1_024.0));
    add("process_threads", "gauge", kib("Threads").map(|count| count as f64));
    let descriptors = std::fs::read_dir("/proc/self/fd").map(Iterator::count).ok();
    add("process_open_fds", "gauge", descriptors.map(|count| count as f64));
    add("process_max_fds", "gauge", most_files().map(|files| files as f64));
    add("process_cpu_seconds_total", "counter", cpu_seconds());
    add("process_start_time_seconds", "gauge", start_seconds());
    out
}

/// Files that the server opens beside its connections.
const FILES_OF_OURS: u64 = 256;

/// Says so when the process may not open a file for each of that many connections.
pub(crate) fn warn_of_few_files(connections: usize) {
    let needed = connections as u64 + FILES_OF_OURS;
    if let Some(may_open) = most_files().filter(|files| *files < needed) {
        let cure = "raise LimitNOFILE (or ulimit -n), or lower MAX_CONNECTIONS";
        tracing::warn!(may_open, needed, cure, "fewer files may be open than connections are taken");
    }
}

/// How many files may be open; `None` when that is unlimited.
fn most_files() -> Option<u64> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let soft = limits.lines().find_map(|line| line.strip_prefix("Max open files")?.split_whitespace().next());
    soft?.parse().ok()
}

/// User and system time, in seconds.
fn cpu_seconds() -> Option<f64> {
    Some((ticks(14)? + ticks(15)?) / TICKS_PER_SECOND)
}

/// When the process began, in seconds since 1970: the machine's start, and the ticks from there.
fn start_seconds() -> Option<f64> {
    let machine = std::fs::read_to_string("/proc/stat").ok()?;
    let booted = machine.lines().find_map(|line| line.strip_prefix("btime "))?;
    Some(booted.trim().parse::<f64>().ok()? + ticks(22)? / TICKS_PER_SECOND)
}

/// `USER_HZ` of Linux, whatever the kernel's own clock.
const TICKS_PER_SECOND: f64 = 100.0;

/// A field of `/proc/self/stat` by its number in proc(5); the name in field 2 may hold blanks, so counting begins behind it.
fn ticks(field: usize) -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(field - 3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_began_before_now_and_after_yesterday() {
        let age = kernel::Clock::system().now().0 as f64 / 1e6 - start_seconds().unwrap();
        assert!((-2.0..86_400.0).contains(&age), "{age} s");
    }
}
