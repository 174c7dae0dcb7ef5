//! `kill -9` in the middle of writing: what was acknowledged is there once, whatever happens.
//!
//! This proves safety against a crash of the process. A power cut is another matter: the kernel's cache survives here.
//! `HEARTH_KILL_CYCLES` sets the number of cycles per engine. The checker's own control is in `ledger`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::{Api, Engine, Findings, Hearth, Ledger, percentile};

const WRITERS: usize = 4;
const DEFAULT_CYCLES: usize = 5;

/// Ids and texts of one request.
type Batch = Vec<(String, String)>;

/// What one writer achieved.
#[derive(Default)]
struct Written {
    acknowledged: Vec<String>,
    /// The last batch that was acknowledged.
    last: Batch,
    /// The batch that was under way when the server died.
    unanswered: Batch,
}

#[test]
fn acknowledged_events_survive_kill_on_sqlite() -> Result<()> {
    cycles(Engine::Sqlite)
}

#[test]
fn acknowledged_events_survive_kill_on_postgres() -> Result<()> {
    cycles(Engine::Postgres)
}

fn cycles(engine: Engine) -> Result<()> {
    let cycles = match std::env::var("HEARTH_KILL_CYCLES") {
        Ok(text) => text.parse().context("HEARTH_KILL_CYCLES is a number")?,
        Err(_) => DEFAULT_CYCLES,
    };
    let hearth = Hearth::new(engine)?;
    let mut server = hearth.start()?;
    let agent = hearth.api().with_bearer(&hearth.create_key("kill", "memory:read,memory:write")?);
    let mut ledger = Ledger::default();
    let mut restarts = Vec::new();
    for cycle in 0..cycles {
        let written = write_and_kill(&agent, cycle, || server.kill())?;
        server = hearth.start()?;
        restarts.push(server.ready_after);
        ledger.acknowledge(written.iter().flat_map(|writer| writer.acknowledged.iter().cloned()));
        retry(&agent, cycle, &written, &mut ledger)?;
        if (cycle + 1).is_multiple_of(50) {
            eprintln!("{} of {cycles} cycles on {engine:?}, {} acknowledged", cycle + 1, ledger.count());
        }
    }
    let Findings { lost, doubled } = ledger.check(&hearth.database().events()?);
    let (p50, p99) = (percentile(&restarts, 0.50), percentile(&restarts, 0.99));
    eprintln!(
        "kill -9 on {engine:?}: {cycles} cycles, {} acknowledged, {} lost, {} doubled, ready after {p50:.0?} (p50) {p99:.0?} (p99)",
        ledger.count(),
        lost.len(),
        doubled.len(),
    );
    ensure!(ledger.count() >= cycles * WRITERS, "too little was written to prove anything");
    ensure!(lost.is_empty() && doubled.is_empty(), "lost {lost:?}, doubled {doubled:?}");
    Ok(())
}

/// Lets the writers run for a while that differs from cycle to cycle, kills, and collects what they hold.
fn write_and_kill(agent: &Api, cycle: usize, kill: impl FnOnce() -> Result<()>) -> Result<Vec<Written>> {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                scope.spawn({
                    let is_over = &is_over;
                    move || write(agent, cycle, writer, is_over)
                })
            })
            .collect();
        std::thread::sleep(Duration::from_millis(150 + (cycle as u64 * 67) % 350));
        let killed = kill();
        is_over.store(true, Ordering::Relaxed);
        let written =
            writers.into_iter().map(|writer| writer.join().expect("a writer does not panic")).collect();
        killed?;
        written
    })
}

/// Posts batches of one to eight events until the server is gone. A refusal is an error: nothing justifies one.
fn write(agent: &Api, cycle: usize, writer: usize, is_over: &AtomicBool) -> Result<Written> {
    let mut written = Written::default();
    for batch in 0.. {
        let size = batch % 8 + 1;
        let events: Batch = (0..size)
            .map(|number| {
                let id = format!("{cycle}-{writer}-{batch}-{number}");
                let text = format!("note {id} about the harbour and its lanterns");
                (id, text)
            })
            .collect();
        let Ok(answer) = agent.record(&session(cycle, writer), &events) else {
            written.unanswered = events;
            break;
        };
        ensure!(answer.status == 201, "recording was refused: {answer:?}");
        written.acknowledged.extend(ids(&events));
        written.last = events;
        if is_over.load(Ordering::Relaxed) {
            break;
        }
    }
    Ok(written)
}

/// Sends again what got no answer, and the last batch that did, as a client does whose connection broke.
/// Stored before or not, each event must end up there once.
fn retry(agent: &Api, cycle: usize, written: &[Written], ledger: &mut Ledger) -> Result<()> {
    for (writer, held) in written.iter().enumerate() {
        for batch in [&held.last, &held.unanswered].into_iter().filter(|batch| !batch.is_empty()) {
            let answer = agent.record(&session(cycle, writer), batch)?;
            ensure!(answer.status == 201, "a retry was refused: {answer:?}");
            ledger.acknowledge(ids(batch));
        }
    }
    Ok(())
}

fn ids(batch: &Batch) -> impl Iterator<Item = String> + '_ {
    batch.iter().map(|(id, _)| id.clone())
}

fn session(cycle: usize, writer: usize) -> String {
    format!("kill-{cycle}-{writer}")
}
