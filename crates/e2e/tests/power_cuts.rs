//! What was acknowledged survives a power cut, wherever it strikes.
//!
//! `HEARTH_POWER_IMAGES` sets the number of images, `HEARTH_POWER_SEED` repeats a run's draws; `scripts/power-cuts` sets both.

use anyhow::{Context, Result, ensure};
use e2e::power::{Honesty, Recording, cut};

const DEFAULT_IMAGES: usize = 100;
const REQUESTS: usize = 90;

#[test]
fn acknowledged_events_survive_power_cuts() -> Result<()> {
    let images = number("HEARTH_POWER_IMAGES")?.unwrap_or(DEFAULT_IMAGES as u64) as usize;
    let seed = number("HEARTH_POWER_SEED")?.unwrap_or(u64::from(std::process::id()));
    let recording = Recording::make(REQUESTS)?;
    let (calls, acknowledged) = recording.size();
    let report = cut(&recording, images, Honesty::Honest, seed)?;
    eprintln!(
        "power cuts on SQLite: {} images from {calls} calls, {acknowledged} events acknowledged, seed {seed}: {} faulty",
        report.images, report.faulty,
    );
    ensure!(acknowledged > REQUESTS, "too little was written to prove anything");
    ensure!(report.images == images && report.faulty == 0, "seed {seed}: {report:#?}");

    // The control: on a disk that forgets, the same check must find losses.
    let control = cut(&recording, (images / 10).max(20), Honesty::IgnoresSync, seed)?;
    eprintln!(
        "the same on a disk that ignores syncs: {} of {} images faulty",
        control.faulty, control.images
    );
    let is_red = control.faults.keys().any(|fault| fault.contains("lost") || fault.contains("gone"));
    ensure!(is_red, "a disk that ignores syncs lost nothing: the check proves nothing: {control:#?}");
    Ok(())
}

fn number(name: &str) -> Result<Option<u64>> {
    match std::env::var(name) {
        Ok(text) => Ok(Some(text.parse().with_context(|| format!("{name} is a number"))?)),
        Err(_) => Ok(None),
    }
}
