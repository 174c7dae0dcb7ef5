//! Prints how many short texts a second a model directory embeds, one after the other, and the RAM it takes.
//!
//! `cargo run --release -p llm --example throughput -- <directory>`

use std::fs;
use std::io::{Error, Write, stdout};
use std::path::PathBuf;
use std::time::Instant;

use llm::{Input, LocalModel};

const ROUNDS: usize = 100;
const PREVIOUS: &str =
    "Good to see you! I'm swamped with the kids and work. What's up with you? Anything new? Bob:";
const TURN: &str =
    "I went to the choir yesterday and it was wonderful, people told their stories and I felt at home";

fn main() -> Result<(), Error> {
    let directory = std::env::args_os().nth(1).map(PathBuf::from).unwrap_or_default();
    let model = LocalModel::load(&directory).map_err(Error::other)?;
    let mut out = stdout().lock();
    let cases = [
        ("question", Input::new("When did Bob go to the choir?")),
        ("turn", Input::new(TURN)),
        ("turn in context", Input::after(PREVIOUS, TURN)),
    ];
    for (name, input) in cases {
        let start = Instant::now();
        for _ in 0..ROUNDS {
            model.embed(&input).map_err(Error::other)?;
        }
        writeln!(out, "{name:<16} {:>6.1} texts/s", ROUNDS as f64 / start.elapsed().as_secs_f64())?;
    }
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    for line in status.lines().filter(|l| l.starts_with("VmHWM") || l.starts_with("VmRSS")) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}
