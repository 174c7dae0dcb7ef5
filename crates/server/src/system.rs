//! What the machine and this process use, sampled in the background and read from memory.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use sysinfo::{Disks, Networks, System};

use crate::disk::Disk;

/// The `system` object of `/api/v1/metrics`, and what alerts need beside it.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct SystemSample {
    /// 0–100, over all cores.
    pub(crate) cpu_percent: f64,
    /// Memory used, MB.
    pub(crate) memory_mb: f64,
    /// 0–100.
    pub(crate) memory_percent: f64,
    /// Memory free for use, MB.
    pub(crate) memory_available_mb: f64,
    /// Read from disks since start, MB.
    pub(crate) disk_read_mb: f64,
    /// Written to disks since start, MB.
    pub(crate) disk_write_mb: f64,
    /// Sent since boot, MB.
    pub(crate) network_sent_mb: f64,
    /// Received since boot, MB.
    pub(crate) network_recv_mb: f64,
    /// Share of the data disk in use, 0–100.
    #[serde(skip)]
    pub(crate) data_disk_percent: f64,
}

const MB: f64 = 1_000_000.0;

/// The latest sample.
#[derive(Clone, Default)]
pub(crate) struct SystemWatch(Arc<Mutex<SystemSample>>);

impl SystemWatch {
    /// Samples every five seconds until it is dropped.
    pub(crate) async fn keep(self, data_dir: PathBuf) {
        let (mut system, mut every) = (System::new(), tokio::time::interval(Duration::from_secs(5)));
        loop {
            every.tick().await;
            let sample = sample(&mut system, &data_dir);
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = sample;
        }
    }

    /// The latest sample; zeroes before the first.
    pub(crate) fn latest(&self) -> SystemSample {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn sample(system: &mut System, data_dir: &std::path::Path) -> SystemSample {
    system.refresh_cpu_usage();
    system.refresh_memory();
    // A limited control group is the machine that matters; otherwise the host is.
    // Without /proc there is no memory to speak of, and asking for the group's limits would panic.
    let group = (system.total_memory() > 0).then(|| system.cgroup_limits()).flatten();
    let (total, free) = match group {
        Some(group) => (group.total_memory, group.free_memory),
        None => (system.total_memory(), system.available_memory()),
    };
    let used = total.saturating_sub(free) as f64;
    let networks = Networks::new_with_refreshed_list();
    let (sent, received) = networks.values().fold((0, 0), |(sent, received), network| {
        (sent + network.total_transmitted(), received + network.total_received())
    });
    let disks = Disks::new_with_refreshed_list();
    let (read, written) = disks.list().iter().fold((0, 0), |(read, written), disk| {
        let usage = disk.usage();
        (read + usage.total_read_bytes, written + usage.total_written_bytes)
    });
    SystemSample {
        cpu_percent: f64::from(system.global_cpu_usage()),
        memory_mb: used / MB,
        memory_percent: if total == 0 { 0.0 } else { used / total as f64 * 100.0 },
        memory_available_mb: free as f64 / MB,
        disk_read_mb: read as f64 / MB,
        disk_write_mb: written as f64 / MB,
        network_sent_mb: sent as f64 / MB,
        network_recv_mb: received as f64 / MB,
        data_disk_percent: Disk::of(data_dir).map_or(0.0, |disk| disk.used_percent()),
    }
}
