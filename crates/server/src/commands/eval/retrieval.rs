//! Evaluations of whole sessions and of memories: ranked ids against those that are relevant.

use std::path::{Path, PathBuf};

use recall::eval::{RankTally, madial, rank_table, sessions};
use serde_json::{Map, json};

use super::ground::{Asked, Ground, Item, read};
use super::{Report, files, searches};
use crate::commands::Failure;

/// The k of LongMemEval's published tables.
const SESSION_CUTS: [usize; 5] = [1, 3, 5, 10, 50];
/// The k of MADial-Bench's.
const MEMORY_CUTS: [usize; 4] = [1, 3, 5, 10];

/// Session recall in the LongMemEval format; a session stands where its best turn stands.
pub(super) async fn sessions(ground: &mut Ground, file: &Path) -> Result<Report, Failure> {
    let cases = read(file, sessions::parse)?;
    let items =
        cases.iter().flat_map(|case| case.sessions.iter().flat_map(|session| turns(&case.id, session)));
    ground.fill(items.collect()).await?;
    let scored: Vec<_> = cases.iter().filter(|case| !case.relevant.is_empty()).collect();
    eprintln!("{} of {} questions have an answer to be found", scored.len(), cases.len());
    let asked: Vec<Asked<'_>> =
        scored.iter().map(|case| Asked { owner: &case.id, text: &case.question, wanted: 50 }).collect();
    let mut results = Vec::new();
    for (name, mode) in searches(ground) {
        let mut tally = RankTally::new(&SESSION_CUTS);
        for (case, found) in scored.iter().zip(ground.ask(&asked, mode).await?) {
            tally.add(&case.group, &case.relevant, &found);
        }
        results.push((name, tally));
    }
    Ok(report(&results))
}

fn turns<'a>(owner: &'a str, session: &'a sessions::Session) -> impl Iterator<Item = Item> + 'a {
    session.turns.iter().map(move |(role, text)| Item {
        owner: owner.to_owned(),
        session: session.id.clone(),
        speaker: role.clone(),
        text: text.clone(),
        caption: None,
        image_query: None,
        occurred_at_us: session.occurred_at_us,
        counts_as: session.id.clone(),
    })
}

/// Emotional recall: the memories that a dialogue brings to mind, each in a session of its own.
pub(super) async fn madial(ground: &mut Ground, directory: &Path) -> Result<Report, Failure> {
    let owner = "listener";
    let memories = read(&named(directory, "memory.json")?, madial::parse_memories)?;
    let dialogues = read(&named(directory, "dialogue.json")?, madial::parse_dialogues)?;
    let item = |memory: madial::Memory| Item {
        owner: owner.to_owned(),
        session: format!("memory-{}", memory.id),
        speaker: owner.to_owned(),
        text: memory.text,
        caption: None,
        image_query: None,
        occurred_at_us: 0,
        counts_as: memory.id,
    };
    ground.fill(memories.into_iter().map(item).collect()).await?;
    let asked: Vec<Asked<'_>> =
        dialogues.iter().map(|dialogue| Asked { owner, text: &dialogue.question, wanted: 10 }).collect();
    let mut results = Vec::new();
    for (name, mode) in searches(ground) {
        let mut tally = RankTally::new(&MEMORY_CUTS);
        for (dialogue, found) in dialogues.iter().zip(ground.ask(&asked, mode).await?) {
            tally.add("dialogues", &dialogue.relevant, &found);
        }
        results.push((name, tally));
    }
    Ok(report(&results))
}

/// The one file of a directory whose name ends so.
fn named(directory: &Path, ending: &str) -> Result<PathBuf, Failure> {
    let mut found: Vec<PathBuf> = if directory.is_dir() { files(directory)? } else { Vec::new() };
    found.retain(|file| file.file_name().is_some_and(|name| name.to_string_lossy().ends_with(ending)));
    match found.as_slice() {
        [one] => Ok(one.clone()),
        many => Err(Failure::work(format!(
            "hearth: {} holds {} files whose names end in {ending}, and one is wanted",
            directory.display(),
            many.len()
        ))),
    }
}

pub(super) fn report(results: &[(&str, RankTally)]) -> Report {
    let figures: Map<_, _> = results
        .iter()
        .map(|(name, tally)| {
            let of = |group| {
                let (questions, at) = tally.figures(group);
                json!({"questions": questions, "at": at})
            };
            let groups: Map<_, _> =
                tally.groups().into_iter().map(|group| (group.to_owned(), of(Some(group)))).collect();
            ((*name).to_owned(), json!({"overall": of(None), "groups": groups}))
        })
        .collect();
    Report { text: rank_table(results), figures: figures.into() }
}
