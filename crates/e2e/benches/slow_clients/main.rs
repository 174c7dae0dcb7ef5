//! The built server beside clients that are slow on purpose: silent, half a head, half a body, a reader that stops.
//!
//! ```text
//! cargo bench -p e2e --bench slow_clients -- --connections 2000 --seconds 300
//! ```
//! `--connections` of each kind. A round measures a good client alone, then beside the slow ones until all of them are
//! closed, and begins anew while `--seconds` last; one round takes 40 s. At the end the server is told to stop with 1,000
//! of them (or as many as there are) connected. Ends with 1 when a target is missed. That the same clients are never
//! closed by a plain serve loop is shown in `crates/httpkit/tests/accept/slow.rs`.

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

mod clients;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clients::{Good, KINDS, Slow};
use e2e::{Engine, Hearth, Server, percentile};

/// All are closed within this time. A reader's 30 s begin when it stalls, moments after it connected.
const CLOSED_WITHIN: Duration = Duration::from_millis(30_500);
/// How long their ends are waited for.
const PATIENCE: Duration = Duration::from_mins(1);
/// A connection may cost the server this much memory.
const BYTES_EACH: u64 = 40 * 1024;
/// A server that is told to stop ends within this time.
const STOPPED_WITHIN: Duration = Duration::from_secs(10);
/// How long the good client is measured alone.
const ALONE: Duration = Duration::from_secs(5);
/// Differences of latency below this are the machine's.
const NOISE: Duration = Duration::from_millis(2);

/// What one round saw.
struct Round {
    alone: Vec<Duration>,
    beside: Vec<Duration>,
    /// The last of each kind to be closed, in the order of [`KINDS`].
    closed: Vec<Duration>,
    bytes_each: u64,
}

fn main() -> Result<()> {
    let (connections, seconds) = (argument("--connections", 100)?, argument("--seconds", 1)?);
    check_open_files(connections * KINDS.len() + 1_000)?;
    let most = (connections * KINDS.len() + 1_000).to_string();
    let hearth =
        Hearth::new(Engine::Sqlite)?.set("MAX_CONNECTIONS", &most).set("MAX_CONNECTIONS_PER_ADDRESS", &most);
    let server = hearth.start()?;
    let place = clients::Place {
        address: hearth.address(),
        key: hearth.create_key("home", "memory:read,memory:write")?,
    };
    let runtime = tokio::runtime::Runtime::new()?;
    let rounds =
        runtime.block_on(measure(&server, &place, connections, Duration::from_secs(seconds as u64)))?;
    report(&rounds, connections)?;
    stop(&runtime, server, &place, connections.min(250))
}

fn argument(name: &str, fallback: usize) -> Result<usize> {
    let mut words = std::env::args().skip_while(|word| word != name);
    match words.nth(1) {
        Some(text) => text.parse().with_context(|| format!("{name} takes a number")),
        None => Ok(fallback),
    }
}

/// Each connection is a file here and one in the server, which inherits the limit.
fn check_open_files(needed: usize) -> Result<()> {
    let limits = std::fs::read_to_string("/proc/self/limits")?;
    let soft = limits.lines().find_map(|line| line.strip_prefix("Max open files")?.split_whitespace().next());
    let may_open = soft.and_then(|text| text.parse::<usize>().ok()).unwrap_or(usize::MAX);
    ensure!(
        may_open >= needed,
        "{may_open} files may be open, {needed} are needed: run `ulimit -n {needed}` first"
    );
    Ok(())
}

async fn measure(
    server: &Server,
    place: &clients::Place,
    connections: usize,
    length: Duration,
) -> Result<Vec<Round>> {
    let began = Instant::now();
    // Warm before memory is first read.
    Good::start(place).stop_after(Duration::from_secs(1)).await?;
    let mut rounds = Vec::new();
    while rounds.is_empty() || began.elapsed() < length {
        let round = round(server, place, connections).await?;
        println!(
            "round {}: p99 {:.1?} alone, {:.1?} beside; {} bytes each; closed after {:.1?}",
            rounds.len() + 1,
            percentile(&round.alone, 0.99),
            percentile(&round.beside, 0.99),
            round.bytes_each,
            round.closed,
        );
        rounds.push(round);
    }
    Ok(rounds)
}

async fn round(server: &Server, place: &clients::Place, connections: usize) -> Result<Round> {
    let alone = Good::start(place).stop_after(ALONE).await?;
    let before = server.resident_bytes()?;
    let slow = Slow::connect(place, connections).await?;
    let good = Good::start(place);
    // Every kind has sent what it will send, and none is due yet.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let grown = server.resident_bytes()?.saturating_sub(before);
    let closed = slow.all_closed(PATIENCE).await?;
    let beside = good.stop_after(Duration::ZERO).await?;
    Ok(Round { alone, beside, closed, bytes_each: grown / (connections * KINDS.len()) as u64 })
}

fn report(rounds: &[Round], connections: usize) -> Result<()> {
    let all = |of: fn(&Round) -> &Vec<Duration>| rounds.iter().flat_map(of).copied().collect::<Vec<_>>();
    let (alone, beside) = (all(|round| &round.alone), all(|round| &round.beside));
    let (p99_alone, p99_beside) = (percentile(&alone, 0.99), percentile(&beside, 0.99));
    let bytes_each = rounds.iter().map(|round| round.bytes_each).max().unwrap_or_default();
    let last = |kind: usize| rounds.iter().map(|round| round.closed[kind]).max().unwrap_or_default();
    let closed: Vec<String> =
        KINDS.iter().enumerate().map(|(kind, name)| format!("{name} {:.1?}", last(kind))).collect();
    println!(
        "slow clients: {connections} of each kind, {} rounds: closed after at most: {}; {bytes_each} bytes each; \
         p99 of {} requests alone {p99_alone:.1?}, of {} beside {p99_beside:.1?}",
        rounds.len(),
        closed.join(", "),
        alone.len(),
        beside.len(),
    );
    // A small run says nothing about cost, because its first connections also pay for what the server keeps for later ones,
    // and is made on machines that are busy with other things: it shows that all are closed and others are served.
    if connections >= 1_000 {
        for (kind, name) in KINDS.iter().enumerate() {
            ensure!(last(kind) <= CLOSED_WITHIN, "{name} stayed for {:?}", last(kind));
        }
        ensure!(bytes_each <= BYTES_EACH, "a slow client costs {bytes_each} bytes");
        ensure!(p99_beside <= p99_alone * 2 + NOISE, "others wait {p99_beside:?} instead of {p99_alone:?}");
    }
    Ok(())
}

/// Tells the server to stop while slow clients hang on to it.
fn stop(
    runtime: &tokio::runtime::Runtime,
    server: Server,
    place: &clients::Place,
    of_each: usize,
) -> Result<()> {
    let slow = runtime.block_on(async {
        let slow = Slow::connect(place, of_each).await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok::<_, anyhow::Error>(slow)
    })?;
    let (status, took) = server.terminate()?;
    drop(slow);
    println!("slow clients: SIGTERM with {} of them connected ends in {took:.1?}", of_each * KINDS.len());
    ensure!(status.code() == Some(0), "ended with {status}");
    ensure!(took <= STOPPED_WITHIN, "took {took:?}");
    Ok(())
}
