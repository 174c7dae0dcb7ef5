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
    add("process_cpu_seconds_total", "counter", cpu_seconds());
    out
}

/// Files that the server opens beside its connections.
const FILES_OF_OURS: u64 = 256;

/// Says so when the process may not open a file for each of that many connections.
pub(crate) fn warn_of_few_files(connections: usize) {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let soft = limits.lines().find_map(|line| line.strip_prefix("Max open files")?.split_whitespace().next());
    let needed = connections as u64 + FILES_OF_OURS;
    // `unlimited` is no number, and enough.
    if let Some(may_open) = soft.and_then(|text| text.parse::<u64>().ok()).filter(|files| *files < needed) {
        let cure = "raise LimitNOFILE (or ulimit -n), or lower MAX_CONNECTIONS";
        tracing::warn!(may_open, needed, cure, "fewer files may be open than connections are taken");
    }
}

/// User and system time: fields 14 and 15 of `/proc/self/stat`, in ticks of 1/100 s (USER_HZ on Linux).
fn cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let after_name = stat.rsplit_once(')')?.1;
    let mut fields = after_name.split_whitespace().skip(11);
    let (user, system) = (fields.next()?.parse::<f64>().ok()?, fields.next()?.parse::<f64>().ok()?);
    Some((user + system) / 100.0)
}
