//! `hearth monitor`: what a server and its machine use, sample after sample, on the screen and as CSV.

use std::fs::File;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use kernel::Clock;
use reqwest::Client;
use serde_json::Value;
use tokio::time::MissedTickBehavior;

use super::{Failure, say};
use crate::config::process_environment;

/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Rows of the table between two headings.
const HEADING_EVERY: usize = 20;

/// Columns of the CSV, with the place of each in the JSON of `/api/v1/metrics`; the three without one are made here.
const COLUMNS: [(&str, &str); 15] = [
    ("timestamp", ""),
    ("cpu_percent", "/system/cpu_percent"),
    ("memory_mb", "/system/memory_mb"),
    ("memory_percent", "/system/memory_percent"),
    ("disk_read_mb", "/system/disk_read_mb"),
    ("disk_write_mb", "/system/disk_write_mb"),
    ("network_sent_mb", "/system/network_sent_mb"),
    ("network_recv_mb", "/system/network_recv_mb"),
    ("api_latency_ms", ""),
    ("api_status", ""),
    ("db_pool_size", "/database/pool_size"),
    ("db_pool_available", "/database/pool_available"),
    ("db_pool_active", "/database/pool_active"),
    ("redis_hit_rate", "/cache/hit_rate_percent"),
    ("redis_total_reads", "/cache/total_reads"),
];

#[derive(Debug, Args)]
pub(super) struct Monitor {
    /// Address of the server; metrics are read with METRICS_TOKEN from the environment when it is set
    #[arg(long, default_value = "http://localhost:8080")]
    host: String,
    /// Seconds between samples
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    interval: u64,
    /// Seconds to go on for; until Ctrl-C when absent
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    duration: Option<u64>,
    /// File to write the samples to as CSV; replaced when it is there
    #[arg(long)]
    output: Option<PathBuf>,
}

/// One look at the server.
#[derive(Debug)]
struct Sample {
    timestamp: String,
    latency_ms: f64,
    /// Of `/health/live`; 0 when nothing answered.
    status: u16,
    /// The JSON of `/api/v1/metrics`; null when it could not be read.
    metrics: Value,
}

impl Sample {
    fn field(&self, (name, place): (&str, &str)) -> String {
        let number =
            |value: f64| format!("{value:.2}").trim_end_matches('0').trim_end_matches('.').to_owned();
        match name {
            "timestamp" => self.timestamp.clone(),
            "api_latency_ms" if self.status == 0 => String::new(),
            "api_latency_ms" => number(self.latency_ms),
            "api_status" => self.status.to_string(),
            _ => self.metrics.pointer(place).and_then(Value::as_f64).map(number).unwrap_or_default(),
        }
    }

    fn csv(&self) -> String {
        COLUMNS.map(|column| self.field(column)).join(",")
    }

    fn at(&self, place: &str) -> Option<f64> {
        self.metrics.pointer(place).and_then(Value::as_f64)
    }
}

/// Samples until the time is over or Ctrl-C; ends with 1 when the server never answered, with 130 on Ctrl-C.
pub(super) async fn run(monitor: &Monitor) -> Result<(), Failure> {
    let client = Client::builder().no_proxy().timeout(PATIENCE).build();
    let client = client.map_err(|error| Failure::work(format!("hearth: no HTTP client: {error}")))?;
    let mut output = monitor.output.as_ref().map(open).transpose()?;
    let (mut every, mut samples) = (tokio::time::interval(Duration::from_secs(monitor.interval)), Vec::new());
    every.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let end = monitor.duration.map(|seconds| tokio::time::Instant::now() + Duration::from_secs(seconds));
    let interrupted = loop {
        tokio::select! {
            biased;
            _ = tokio::signal::ctrl_c() => break true,
            () = sleep_until(end) => break false,
            _ = every.tick() => {}
        }
        let sample = tokio::select! {
            _ = tokio::signal::ctrl_c() => break true,
            sample = look(&client, &monitor.host) => sample,
        };
        if let Some(file) = &mut output {
            append(file, &sample.csv())?;
        }
        show(&sample, samples.len())?;
        samples.push(sample);
    };
    summarise(&samples)?;
    if interrupted {
        return Err(Failure { code: 130, text: "hearth: stopped".to_owned() });
    }
    if samples.iter().all(|sample| sample.status == 0) {
        return Err(Failure::work(format!("hearth: {} never answered; see --host", monitor.host)));
    }
    Ok(())
}

async fn sleep_until(end: Option<tokio::time::Instant>) {
    match end {
        Some(end) => tokio::time::sleep_until(end).await,
        None => std::future::pending().await,
    }
}

fn open(path: &PathBuf) -> Result<File, Failure> {
    let mut file = File::create(path)
        .map_err(|error| Failure::work(format!("hearth: cannot write {}: {error}", path.display())))?;
    append(&mut file, &COLUMNS.map(|(name, _)| name).join(","))?;
    Ok(file)
}

/// A row is with the system before the next sample, so that an interrupted run keeps it.
fn append(file: &mut File, row: &str) -> Result<(), Failure> {
    file.write_all(format!("{row}\n").as_bytes())
        .map_err(|error| Failure::work(format!("hearth: cannot write a sample: {error}")))
}

async fn look(client: &Client, host: &str) -> Sample {
    let host = host.trim_end_matches('/');
    let started = Instant::now();
    let live = client.get(format!("{host}/health/live")).send().await;
    let latency_ms = started.elapsed().as_secs_f64() * 1e3;
    let variables = process_environment();
    let token = ["METRICS_TOKEN", "HEARTH_METRICS_TOKEN"].iter().find_map(|name| variables.get(*name));
    let mut request = client.get(format!("{host}/api/v1/metrics?format=json"));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let metrics = match request.send().await.and_then(reqwest::Response::error_for_status) {
        Ok(answer) => answer.json().await.unwrap_or_default(),
        Err(_) => Value::Null,
    };
    let status = live.map_or(0, |answer| answer.status().as_u16());
    Sample { timestamp: Clock::system().now().to_millis_text(), latency_ms, status, metrics }
}

/// A line of the table on a terminal, a line of words elsewhere.
fn show(sample: &Sample, row: usize) -> Result<(), Failure> {
    let cell = |place: &str| sample.at(place).map_or_else(|| "–".to_owned(), |value| format!("{value:.1}"));
    let (cpu, memory) = (cell("/system/cpu_percent"), cell("/system/memory_percent"));
    let (active, hits) = (cell("/database/pool_active"), cell("/cache/hit_rate_percent"));
    let Sample { timestamp, latency_ms, status, .. } = sample;
    if !std::io::stdout().is_terminal() {
        return say(&format!(
            "{timestamp} status {status} latency {latency_ms:.1} ms cpu {cpu} % memory {memory} % pool {active} hits {hits} %"
        ));
    }
    if row.is_multiple_of(HEADING_EVERY) {
        say(&format!(
            "{:24} {:>6} {:>10} {:>7} {:>8} {:>6} {:>7}",
            "time", "status", "latency ms", "cpu %", "memory %", "pool", "hits %"
        ))?;
    }
    say(&format!("{timestamp:24} {status:>6} {latency_ms:>10.1} {cpu:>7} {memory:>8} {active:>6} {hits:>7}"))
}

fn summarise(samples: &[Sample]) -> Result<(), Failure> {
    let answered: Vec<&Sample> = samples.iter().filter(|sample| sample.status != 0).collect();
    let mut latencies: Vec<f64> = answered.iter().map(|sample| sample.latency_ms).collect();
    latencies.sort_by(f64::total_cmp);
    say(&format!("{} samples, {} without an answer", samples.len(), samples.len() - answered.len()))?;
    if let Some(most) = latencies.last() {
        let p95 = latencies[(latencies.len() * 95).div_ceil(100) - 1];
        let mean = latencies.iter().sum::<f64>() / latencies.len() as f64;
        say(&format!("latency mean {mean:.1} ms, p95 {p95:.1} ms, most {most:.1} ms"))?;
    }
    for (word, place) in [("cpu", "/system/cpu_percent"), ("memory", "/system/memory_percent")] {
        let seen: Vec<f64> = answered.iter().filter_map(|sample| sample.at(place)).collect();
        if !seen.is_empty() {
            let mean = seen.iter().sum::<f64>() / seen.len() as f64;
            say(&format!("{word} mean {mean:.1} %, most {:.1} %", seen.iter().copied().fold(0.0, f64::max)))?;
        }
    }
    if answered.iter().any(|sample| sample.metrics.is_null()) {
        say("some metrics could not be read; set METRICS_TOKEN, or run this on the server's own machine")?;
    }
    Ok(())
}
