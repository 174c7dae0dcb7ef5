//! The queue and its schedules under counts of one's own:
//! `cargo bench -p store --bench queue -- jobs 10000` and `… -- histories 1000 [seed [unfenced]]`; unfenced shows
//! that the check can fail.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a tool fails loudly and prints its figures"
)]

mod histories;
mod work;

use std::time::Instant;

use futures::future::join_all;
use testkit::{Home, homes};

use self::histories::Fencing;

#[tokio::main]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let number = |at: usize| words.get(at).and_then(|word| word.parse::<u64>().ok());
    let fencing = if words.iter().any(|word| word == "unfenced") { Fencing::None } else { Fencing::Checked };
    match words.first().map(String::as_str) {
        Some("jobs") => {
            for home in homes().await {
                jobs(&home, number(1).unwrap_or(10_000) as usize).await;
            }
        }
        Some("histories") => {
            let seed = number(2).unwrap_or_else(|| u64::from_le_bytes(kernel::random::bytes()) >> 16);
            for home in homes().await {
                play(&home, number(1).unwrap_or(1_000), seed, fencing).await;
            }
        }
        _ => println!("say `jobs <count>` or `histories <count> [seed [unfenced]]`"),
    }
}

async fn jobs(home: &Home, count: usize) {
    let outcome = work::run(home, count).await;
    let rate = count as f64 / outcome.took.as_secs_f64();
    println!(
        "{}: {count} jobs in {:.1} s ({rate:.0} a second): {outcome:?}",
        home.name,
        outcome.took.as_secs_f64()
    );
    assert_eq!(outcome.states.get("done").copied(), Some(count as i64), "none is lost");
    assert_eq!(outcome.overlaps, 0, "none runs twice at once");
    assert_eq!(outcome.runs, count + outcome.in_hand, "only what the killed runner held ran again");
}

async fn play(home: &Home, count: u64, seed: u64, fencing: Fencing) {
    println!("{}: {count} histories from seed {seed}", home.name);
    let (started, mut wrong) = (Instant::now(), 0);
    for from in (0..count).step_by(50) {
        let seeds = (from..count.min(from + 50)).map(|n| seed + n);
        let verdicts = join_all(seeds.map(|seed| histories::play(&home.store, seed, fencing))).await;
        for why in verdicts.into_iter().filter_map(Result::err) {
            wrong += 1;
            println!("{why}");
        }
        println!("  {} played, {wrong} wrong", count.min(from + 50));
    }
    println!("{}: {count} histories, {wrong} wrong, {:.1} s", home.name, started.elapsed().as_secs_f64());
    assert_eq!(wrong, 0);
}
