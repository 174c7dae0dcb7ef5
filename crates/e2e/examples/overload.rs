//! What is left of a server at five times the load it can bear.
//!
//! `cargo run -p e2e --example overload -- [seconds]`: measures the peak in a closed loop, then offers five times as much in
//! an open loop, where latency counts from the moment a request was due, and measures the peak again. Prints goodput, the
//! latency of `/health`, recovery, and what a flooding tenant leaves the others. Where there are two cores, the server has
//! all but the last and the generator that one; it also pays for the sockets of both. `HEARTH_BIN` names another build;
//! `OVERLOAD_STRICT=1` makes a missed bar a failure; `OVERLOAD_CONTROL=1` switches shedding off, and then the bars must be
//! missed.

#![allow(clippy::print_stdout, reason = "it prints its figures")]

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use e2e::{Engine, Hearth};
use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Mutex, mpsc};

/// Connections of the closed loop.
const CALLERS: usize = 32;
/// Connections of the open loop: as many as can be waiting for an answer, so that the generator never holds a request back.
const CONNECTIONS: usize = 3_000;
/// Offered load over the peak.
const FACTOR: f64 = 5.0;
/// An answer later than this is of no use to anybody: it is no goodput.
const USEFUL: Duration = Duration::from_secs(1);

/// One kept connection, speaking just enough HTTP.
struct Link {
    address: String,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

impl Link {
    fn new(address: &str) -> Self {
        Self { address: address.to_owned(), stream: None, buffer: vec![0; 65_536] }
    }

    /// Sends a request and reads its whole answer; tells the status.
    async fn ask(&mut self, request: &[u8]) -> Result<u16> {
        let asked = tokio::time::timeout(Duration::from_secs(20), self.exchange(request)).await;
        let answered = asked.unwrap_or_else(|_| bail!("no answer"));
        if answered.is_err() {
            self.stream = None;
        }
        answered
    }

    async fn exchange(&mut self, request: &[u8]) -> Result<u16> {
        if self.stream.is_none() {
            let stream = TcpStream::connect(&self.address).await?;
            stream.set_nodelay(true)?;
            self.stream = Some(stream);
        }
        let stream = self.stream.as_mut().context("connected above")?;
        stream.write_all(request).await?;
        let mut have = 0;
        loop {
            let read = stream.read(&mut self.buffer[have..]).await?;
            ensure!(read > 0, "the server hung up");
            have += read;
            let text = &self.buffer[..have];
            if let Some(head) = text.windows(4).position(|w| w == b"\r\n\r\n") {
                let head_text = std::str::from_utf8(&text[..head])?.to_ascii_lowercase();
                let length = head_text.lines().find_map(|line| line.strip_prefix("content-length:"));
                let length: usize = length.context("an answer tells its length")?.trim().parse()?;
                if have >= head + 4 + length {
                    let closes = head_text.contains("connection: close");
                    let status = head_text[9..12].parse()?;
                    if closes {
                        self.stream = None;
                    }
                    return Ok(status);
                }
                self.buffer.resize(self.buffer.len().max(head + 4 + length), 0);
            }
        }
    }
}

/// What one stream of requests got.
#[derive(Default)]
struct Tally {
    good: AtomicU64,
    refused: AtomicU64,
    late: AtomicU64,
    failed: AtomicU64,
}

impl Tally {
    fn note(&self, status: Result<u16>, since: Instant) {
        let place = match status {
            Ok(200) if since.elapsed() <= USEFUL => &self.good,
            Ok(200) => &self.late,
            Ok(503 | 429) => &self.refused,
            _ => &self.failed,
        };
        place.fetch_add(1, Ordering::Relaxed);
    }

    fn good(&self) -> f64 {
        self.good.load(Ordering::Relaxed) as f64
    }
}

/// One caller of the server.
#[derive(Clone)]
struct Load {
    address: String,
    request: Arc<Vec<u8>>,
}

impl Load {
    fn search(port: u16, key: &str) -> Self {
        let body =
            r#"{"query":"what did the otter say about the river and the boat","mode":"lexical","limit":20}"#;
        let request = format!(
            "POST /api/v1/memories/search HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {key}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        Self { address: format!("127.0.0.1:{port}"), request: Arc::new(request.into_bytes()) }
    }

    /// As many requests as `callers` can wait for, for a while; tells the rate of good answers.
    async fn closed(&self, callers: usize, time: Duration) -> f64 {
        let (tally, started) = (Arc::new(Tally::default()), Instant::now());
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..callers {
            let (load, tally) = (self.clone(), tally.clone());
            tasks.spawn(async move {
                let mut link = Link::new(&load.address);
                while started.elapsed() < time {
                    let since = Instant::now();
                    tally.note(link.ask(&load.request).await, since);
                }
            });
        }
        tasks.join_all().await;
        tally.good() / started.elapsed().as_secs_f64()
    }

    /// `rate` requests a second, whether or not the server keeps up.
    async fn open(&self, rate: f64, time: Duration, connections: usize) -> Tally {
        let tally = Arc::new(Tally::default());
        let (give, take) = mpsc::unbounded_channel::<Instant>();
        let take = Arc::new(Mutex::new(take));
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..connections {
            let (load, tally, take) = (self.clone(), tally.clone(), take.clone());
            tasks.spawn(async move {
                let mut link = Link::new(&load.address);
                loop {
                    let due = take.lock().await.recv().await;
                    let Some(due) = due else { return };
                    tally.note(link.ask(&load.request).await, due);
                }
            });
        }
        let started = Instant::now();
        let mut sent = 0.0;
        let mut tick = tokio::time::interval(Duration::from_millis(2));
        while started.elapsed() < time {
            tick.tick().await;
            while sent < started.elapsed().as_secs_f64() * rate {
                let _ = give.send(started + Duration::from_secs_f64(sent / rate));
                sent += 1.0;
            }
        }
        drop(give);
        let unsent = {
            let mut take = take.lock().await;
            std::iter::from_fn(|| take.try_recv().ok()).count() as u64
        };
        tasks.join_all().await;
        tally.failed.fetch_add(unsent, Ordering::Relaxed);
        Arc::into_inner(tally).unwrap_or_default()
    }
}

/// Asks for `/health` twenty times a second until told to stop; latencies in microseconds.
async fn watch_health(port: u16, stop: Arc<AtomicBool>) -> Result<Histogram<u64>> {
    let mut latencies = Histogram::new(3)?;
    let mut link = Link::new(&format!("127.0.0.1:{port}"));
    let mut every = tokio::time::interval(Duration::from_millis(50));
    while !stop.load(Ordering::Relaxed) {
        let due = every.tick().await;
        ensure!(link.ask(b"GET /health HTTP/1.1\r\nHost: h\r\n\r\n").await? == 200, "health is not 200");
        latencies.record(due.elapsed().as_micros() as u64)?;
    }
    Ok(latencies)
}

struct Report {
    missed: bool,
}

impl Report {
    fn line(&mut self, what: &str, value: f64, unit: &str, holds: bool, bar: &str) {
        println!("{what:42} {value:9.1} {unit:6} {} {bar}", if holds { "holds " } else { "MISSES" });
        self.missed |= !holds;
    }
}

fn main() -> Result<()> {
    let seconds: f64 = std::env::args().find_map(|word| word.parse().ok()).unwrap_or(20.0);
    let is_control = std::env::var("OVERLOAD_CONTROL").is_ok();
    let hearth = Hearth::new(Engine::Sqlite)?
        .set("EMBEDDING_BASE_URL", "none")
        .set("MAX_CONNECTIONS_PER_ADDRESS", "10000")
        .set("SHED_ENABLED", if is_control { "false" } else { "true" });
    let cores = std::thread::available_parallelism()?.get();
    let hearth = if cores > 1 { pin_apart(hearth, cores)? } else { hearth };
    println!("{cores} cores, load average {}", std::fs::read_to_string("/proc/loadavg")?.trim());
    let _server = hearth.start()?;
    let (flood, quiet) = (fill(&hearth, "flood")?, fill(&hearth, "quiet")?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut report = Report { missed: false };
    runtime.block_on(measure(&hearth, &flood, &quiet, Duration::from_secs_f64(seconds), &mut report))?;
    if is_control {
        ensure!(report.missed, "shedding is off and no bar was missed: this measurement shows nothing");
        println!("control: without shedding a bar is missed, as it should be");
    } else {
        ensure!(!report.missed || std::env::var("OVERLOAD_STRICT").is_err(), "a bar was missed");
    }
    Ok(())
}

/// Gives the server all cores but the last, and this process that one.
fn pin_apart(hearth: Hearth, cores: usize) -> Result<Hearth> {
    let (last, us) = ((cores - 1).to_string(), std::process::id().to_string());
    let pinned = Command::new("taskset").args(["-cp", &last, &us]).stdout(Stdio::null()).status();
    ensure!(
        pinned.context("taskset pins processes")?.success(),
        "this process cannot be pinned to core {last}"
    );
    Ok(hearth.under(&["taskset", "-c", &format!("0-{}", cores - 2)]))
}

/// Makes a tenant with something to search, and tells its key.
fn fill(hearth: &Hearth, tenant: &str) -> Result<String> {
    let key = hearth.create_key(tenant, "memory:read,memory:write")?;
    let api = hearth.api().with_bearer(&key);
    for batch in 0..6 {
        let text = |n| {
            format!("turn {n}: the otter told the river about boat {} and the weather of day {n}", n % 17)
        };
        let events: Vec<_> = (0..500).map(|n| (format!("{batch}-{n}"), text(n))).collect();
        let answer = api.record(&format!("session-{batch}"), &events)?;
        ensure!(answer.status == 201, "recording was refused: {answer:?}");
    }
    Ok(key)
}

async fn measure(
    hearth: &Hearth,
    flood: &str,
    quiet: &str,
    time: Duration,
    report: &mut Report,
) -> Result<()> {
    let port = hearth.port();
    let (flood, quiet) = (Load::search(port, flood), Load::search(port, quiet));
    for load in [&flood, &quiet] {
        load.closed(CALLERS, time / 8).await;
    }
    let peak = flood.closed(CALLERS, time / 2).await;
    println!("peak in a closed loop of {CALLERS}: {peak:.0} requests a second");

    let stop = Arc::new(AtomicBool::new(false));
    let health = tokio::spawn(watch_health(port, stop.clone()));
    let tally = flood.open(peak * FACTOR, time, CONNECTIONS).await;
    let ended = Instant::now();
    stop.store(true, Ordering::Relaxed);
    let health = health.await??;
    let share = tally.good() / time.as_secs_f64() / peak * 100.0;
    report.line("goodput at five times the peak", share, "%", share >= 85.0, "of the peak, at least 85");
    let counts = [&tally.refused, &tally.late, &tally.failed].map(|count| count.load(Ordering::Relaxed));
    println!(
        "  good {}, refused {}, later than 1 s {}, failed {}",
        tally.good(),
        counts[0],
        counts[1],
        counts[2]
    );
    let p99 = health.value_at_quantile(0.99) as f64 / 1e3;
    report.line("/health p99 meanwhile", p99, "ms", p99 <= 50.0, "at most 50");
    let back = loop {
        let rate = flood.closed(CALLERS, Duration::from_millis(500)).await;
        if rate >= peak * 0.85 || ended.elapsed() > Duration::from_secs(20) {
            break ended.elapsed().as_secs_f64();
        }
    };
    report.line("back to the peak after", back, "s", back <= 5.0, "at most 5");

    // The others ask for three tenths of what the server can do; a flood of five times as much must leave them that.
    let wanted = peak * 0.3;
    let others = async { quiet.open(wanted, time / 2, 32).await };
    let (_, others) = tokio::join!(flood.open(peak * FACTOR, time / 2, CONNECTIONS), others);
    let share = others.good() / (time / 2).as_secs_f64() / wanted * 100.0;
    report.line(
        "a flooding tenant leaves the others",
        share,
        "%",
        share >= 85.0,
        "of what they ask, at least 85",
    );
    Ok(())
}
