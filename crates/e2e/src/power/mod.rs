//! Power cuts without pulling a plug: every call that changes files is recorded from the built server, replayed on a
//! simulated disk, and stopped anywhere; whatever the disk may then hold must open and hold what was acknowledged.
//!
//! The disk is as hostile as POSIX allows: what was not synced may be there in any part, sectors of 512 bytes are torn,
//! and names that were made, moved or removed may be lost until their folder is synced. Memory-mapped writes would be
//! invisible here; SQLite maps the database for reading only and rebuilds its shared index after a crash.

mod disk;
mod image;
mod recording;
mod trace;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result};

use self::disk::{Disk, Image};
use self::image::Checker;
pub use self::recording::Recording;

/// What simulated power cuts brought to light.
#[derive(Debug, Default)]
pub struct Report {
    /// Images that were opened and checked.
    pub images: usize,
    /// Faults, each with the number of images that showed it.
    pub faults: BTreeMap<String, usize>,
    /// Images that held at least one fault.
    pub faulty: usize,
}

/// Whether the simulated disk keeps its promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Honesty {
    /// What was synced survives.
    Honest,
    /// A sync does nothing, as if the database ran with `synchronous=OFF`.
    IgnoresSync,
}

/// Draws for one run; equal seeds give equal images from equal recordings (`SplitMix64`, Steele et al. 2014).
#[derive(Clone, Debug)]
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// 0 up to `bound` exclusive; 0 when the bound is 0.
    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// True in `percent` of 100 cases.
    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// Cuts the power `images` times, at moments spread evenly over the recording, and checks what is left.
///
/// # Errors
/// When an image cannot be written or looked at; a fault of the server is no error here but a line of the report.
pub fn cut(recording: &Recording, images: usize, honesty: Honesty, seed: u64) -> Result<Report> {
    let workers = std::thread::available_parallelism()?.get().min(4);
    let done = AtomicUsize::new(0);
    let reports = std::thread::scope(|scope| {
        let running: Vec<_> = (0..workers)
            .map(|worker| {
                let share = Share { worker, workers, images, seed };
                let done = &done;
                scope.spawn(move || work(recording, share, honesty, done))
            })
            .collect();
        running
            .into_iter()
            .map(|worker| worker.join().expect("a worker does not panic"))
            .collect::<Result<Vec<Report>>>()
    })?;
    Ok(reports.into_iter().fold(Report::default(), |mut sum, part| {
        sum.images += part.images;
        sum.faulty += part.faulty;
        for (fault, count) in part.faults {
            *sum.faults.entry(fault).or_default() += count;
        }
        sum
    }))
}

/// Every `workers`-th image is one worker's.
#[derive(Clone, Copy)]
struct Share {
    worker: usize,
    workers: usize,
    images: usize,
    seed: u64,
}

fn work(recording: &Recording, share: Share, honesty: Honesty, done: &AtomicUsize) -> Result<Report> {
    let checker = Checker::new(recording)?;
    let mut disk = Disk::new(&recording.root, honesty);
    let mut report = Report::default();
    let mut applied = 0;
    for number in (share.worker..share.images).step_by(share.workers) {
        let moment = (number + 1) * recording.events.len() / share.images;
        for event in &recording.events[applied..moment] {
            disk.apply(event);
        }
        applied = moment;
        let mut draw = Draw(share.seed ^ ((number as u64) << 20));
        let faults = checker.check(&disk.cut(&mut draw), &recording.acknowledged_by(moment))?;
        report.images += 1;
        report.faulty += usize::from(!faults.is_empty());
        for fault in faults {
            *report.faults.entry(fault).or_default() += 1;
        }
        let count = done.fetch_add(1, Ordering::Relaxed) + 1;
        if count.is_multiple_of(500) {
            eprintln!("{count} of {} images", share.images);
        }
    }
    Ok(report)
}

/// Writes an image below `place`.
fn lay_out(image: &Image, root: &Path, place: &Path) -> Result<()> {
    for (path, bytes) in image {
        let target = place.join(path.strip_prefix(root).context("an image holds paths below its root")?);
        std::fs::create_dir_all(target.parent().context("a file has a folder")?)?;
        std::fs::write(target, bytes)?;
    }
    Ok(())
}
