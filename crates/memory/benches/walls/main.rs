//! What must never happen between tenants and between servers, under counts of one's own, on both engines:
//!
//! ```text
//! cargo bench -p memory --bench walls -- canaries 1000 100000 [down]     tenants, searches; `down` shows that the check can fail
//! cargo bench -p memory --bench walls -- replicas 8 500 [apart]          writers on each server, writes of each; PostgreSQL
//! ```
//! The tests of the crate run the same with small counts.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a tool fails loudly and prints its figures"
)]

mod canaries;
mod replicas;

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::time::Instant;

use llm::Embedder;
use memory::{Memory, MemoryConfig};
use store::{Engine, Store};
use testkit::{Home, homes};

use self::canaries::Wall;

#[tokio::main]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let number = |at: usize, usual: usize| words.get(at).and_then(|w| w.parse().ok()).unwrap_or(usual);
    let is_broken = words.iter().any(|word| word == "down" || word == "apart");
    match words.first().map(String::as_str) {
        Some("canaries") => {
            for home in homes().await {
                let wall = if is_broken { Wall::Down } else { Wall::Up };
                search(&home, number(1, 1_000), number(2, 100_000), wall).await;
            }
        }
        Some("replicas") => {
            for home in homes().await.into_iter().filter(|home| home.engine == Engine::Postgres) {
                replicate(&home, number(1, 8), number(2, 500), is_broken).await;
            }
        }
        _ => println!("say `canaries TENANTS SEARCHES [down]` or `replicas WRITERS WRITES [apart]`"),
    }
}

async fn search(home: &Home, tenants: usize, searches: usize, wall: Wall) {
    let (memory, started) = (server(home, home.store.clone()), Instant::now());
    let found = canaries::run(&memory, tenants, searches, wall, progress(home.name, searches)).await;
    eprintln!();
    println!(
        "{}: {tenants} tenants, {searches} searches in {:.1} s: {} foreign texts; recall of exact search: least of any \
         tenant {:.4}, mean {:.4}",
        home.name,
        started.elapsed().as_secs_f64(),
        found.foreign,
        found.least_recall,
        found.mean_recall
    );
    let holds = found.foreign == 0 && found.least_recall >= 0.99;
    assert!(
        holds == (wall == Wall::Up),
        "{}",
        if holds { "the check cannot fail" } else { "the wall leaks" }
    );
}

async fn replicate(home: &Home, writers: usize, writes: usize, is_apart: bool) {
    let started = Instant::now();
    let here = server(home, home.store.clone());
    let other = if is_apart { homes().await.into_iter().next_back() } else { None };
    let there = match &other {
        Some(other) => server(other, other.store.clone()),
        None => server(home, home.open_again().await),
    };
    let total = writers * writes * 2;
    let missed = replicas::missed(&here, &there, writers, writes, progress(home.name, total)).await;
    eprintln!();
    println!(
        "{}: two servers, {total} acknowledged writes by {writers} writers on each, each looked for on the other at once: \
         {missed} missed; {:.1} s",
        home.name,
        started.elapsed().as_secs_f64()
    );
    assert!(
        (missed == 0) != is_apart,
        "{}",
        if is_apart { "the check cannot fail" } else { "a write was missed" }
    );
}

/// A server's memory over a database; words alone.
fn server(home: &Home, store: Store) -> Memory {
    let (clock, embedder) = (kernel::Clock::system(), Arc::new(Embedder::None));
    Memory::start(store, home.blobs(), clock, embedder, MemoryConfig::default(), Arc::default())
}

/// A line that moves on a terminal and stands still elsewhere.
fn progress(name: &'static str, total: usize) -> impl Fn(usize) + Clone + Send + Sync + 'static {
    let step = if std::io::stderr().is_terminal() { total.div_ceil(200) } else { total.div_ceil(10) };
    move |done| {
        if done.is_multiple_of(step.max(1)) {
            let end = if std::io::stderr().is_terminal() { '\r' } else { '\n' };
            eprint!("{name}: {done} of {total}{end}");
            let _ = std::io::stderr().flush();
        }
    }
}
