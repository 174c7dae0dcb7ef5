//! A server under `strace` and clients that write to it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::image::DATABASE;
use super::trace::{self, Event};
use crate::{Api, Engine, Hearth};

const WRITERS: usize = 3;
/// Longer than what an event holds inline: it is kept as a file.
const LARGE_BYTES: usize = 80 * 1024;

/// Everything a server did to its data directory, from an empty one to its end, and what it said.
#[derive(Debug)]
pub struct Recording {
    pub(super) root: PathBuf,
    pub(super) events: Vec<Event>,
    /// Event ids, each with the moment in which the answer that named it left.
    acknowledged: Vec<(usize, String)>,
}

impl Recording {
    /// Runs the built server on SQLite while `requests` requests of one to eight events are written.
    ///
    /// # Errors
    /// When `strace` or the server cannot run, or the server refuses a request.
    pub fn make(requests: usize) -> Result<Self> {
        let mut hearth = Hearth::new(Engine::Sqlite)?;
        let root = hearth.data_dir();
        let trace = root.with_file_name("trace");
        hearth = hearth.under(&[
            "strace",
            "--daemonize",
            "--follow-forks",
            "--seccomp-bpf",
            "--decode-fds=path",
            "--strings-in-hex=all",
            "--string-limit=4194304",
            "--output-append-mode",
            &format!("--output={}", trace.display()),
            "-e",
            trace::CALLS,
        ]);
        let key = hearth.create_key("power", "memory:read,memory:write")?;
        let server = hearth.start()?;
        let pid = server.pid();
        let answered = write(&hearth.api().with_bearer(&key), requests)?;
        server.terminate()?;
        let text = whole_trace(&trace, pid)?;
        for hidden in ["io_uring_setup(", "copy_file_range(", "sendfile("] {
            ensure!(!text.contains(hidden), "writes by {hidden}…) would be invisible");
        }
        let events = trace::read(&text, &root);
        let acknowledged = acknowledgements(&events);
        let seen: BTreeSet<&String> = acknowledged.iter().map(|(_, id)| id).collect();
        ensure!(
            answered.iter().all(|id| seen.contains(id)),
            "an answer that a client got is not in the trace: the recording is incomplete"
        );
        let database = root.join(DATABASE);
        let first = acknowledged.first().map_or(0, |(moment, _)| *moment);
        let checkpoint = |event: &Event| matches!(event, Event::Write { path, .. } if *path == database);
        ensure!(events[first..].iter().any(checkpoint), "no checkpoint was recorded: write more");
        Ok(Self { root, events, acknowledged })
    }

    /// How many calls were recorded, and how many events acknowledged.
    pub fn size(&self) -> (usize, usize) {
        (self.events.len(), self.acknowledged.len())
    }

    /// The events acknowledged before `moment`, by id.
    pub(super) fn acknowledged_by(&self, moment: usize) -> BTreeSet<&str> {
        let before = self.acknowledged.partition_point(|(when, _)| *when < moment);
        self.acknowledged[..before].iter().map(|(_, id)| id.as_str()).collect()
    }
}

/// Posts from several clients at once; returns the ids of all events that were acknowledged.
fn write(api: &Api, requests: usize) -> Result<Vec<String>> {
    let parts = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                scope.spawn(move || {
                    (writer..requests)
                        .step_by(WRITERS)
                        .map(|request| post(api, request))
                        .collect::<Result<Vec<_>>>()
                        .map(|ids| ids.concat())
                })
            })
            .collect();
        writers
            .into_iter()
            .map(|writer| writer.join().expect("a writer does not panic"))
            .collect::<Result<Vec<Vec<String>>>>()
    })?;
    Ok(parts.concat())
}

/// One request. Its events are named `<request>-<number>-<size>`, so that a half stored one is seen.
fn post(api: &Api, request: usize) -> Result<Vec<String>> {
    let size = request % 8 + 1;
    let events: Vec<(String, String)> = (0..size)
        .map(|number| {
            let bytes = if request % 10 == 3 && number == 0 { LARGE_BYTES } else { 60 + request % 5 * 700 };
            let words = format!("request {request} note {number} about the harbour and its lanterns. ");
            (format!("{request}-{number}-{size}"), words.repeat(bytes.div_ceil(words.len())))
        })
        .collect();
    let answer = api.record(&format!("power-{}", request % WRITERS), &events)?;
    ensure!(answer.status == 201, "recording was refused: {answer:?}");
    let results = answer.body["results"].as_array().context("the answer names its events")?;
    Ok(results.iter().filter_map(|result| Some(result["event_id"].as_str()?.to_owned())).collect())
}

/// Every event id that left on a socket, with the moment.
fn acknowledgements(events: &[Event]) -> Vec<(usize, String)> {
    let mut first: BTreeMap<String, usize> = BTreeMap::new();
    for (moment, event) in events.iter().enumerate() {
        let Event::Sent(bytes) = event else { continue };
        let text = String::from_utf8_lossy(bytes);
        for word in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
            if word.starts_with("evt_") {
                first.entry(word.to_owned()).or_insert(moment);
            }
        }
    }
    let mut acknowledged: Vec<_> = first.into_iter().map(|(id, moment)| (moment, id)).collect();
    acknowledged.sort();
    acknowledged
}

/// The trace, once it tells of the end of the server.
fn whole_trace(path: &std::path::Path, pid: u32) -> Result<String> {
    let started = Instant::now();
    loop {
        let text = std::fs::read_to_string(path).context("reading what strace wrote")?;
        let end = format!("{pid} +++ ");
        if text
            .lines()
            .rev()
            .take(100)
            .any(|line| line.split_whitespace().collect::<Vec<_>>().join(" ").starts_with(&end))
        {
            return Ok(text);
        }
        ensure!(started.elapsed() < Duration::from_secs(20), "strace does not finish its trace");
        std::thread::sleep(Duration::from_millis(20));
    }
}
