//! LoCoMo: turns or sessions as units, the shipped recipe or constants chosen on the other conversations.

use std::fmt::Write as _;
use std::path::Path;

use memory::search::SearchMode;
use recall::eval::locomo::{self, Conversation, Question, Turn};
use recall::eval::{CUTS, LOCOMO_BASELINES, RankTally, Tally, leave_one_out, table, variants};
use serde_json::{Map, json};

use super::ground::{Asked, Ground, Item, read};
use super::{Fields, Report, Unit, files, searches};
use crate::commands::Failure;

/// The k at which sessions are counted.
const SESSION_CUTS: [usize; 5] = [1, 3, 5, 10, 15];

pub(super) struct Options {
    pub(super) unit: Unit,
    pub(super) fields: Fields,
    pub(super) is_cv: bool,
}

pub(super) async fn run(ground: &mut Ground, path: &Path, options: Options) -> Result<Report, Failure> {
    let mut conversations = Vec::new();
    for file in files(path)? {
        conversations.extend(read(&file, locomo::parse)?);
    }
    ground
        .fill(conversations.iter().flat_map(|c| c.turns.iter().map(|t| item(c, t, &options))).collect())
        .await?;
    match options {
        Options { is_cv: true, .. } => left_out(ground, &conversations).await,
        Options { unit: Unit::Turn, .. } => by_turn(ground, &conversations).await,
        Options { unit: Unit::Session, .. } => by_session(ground, &conversations).await,
    }
}

fn item(conversation: &Conversation, turn: &Turn, options: &Options) -> Item {
    // One date for all turns says nothing of any.
    let has_date = options.fields != Fields::Paper;
    Item {
        owner: conversation.id.clone(),
        session: format!("session-{}", turn.session),
        speaker: turn.speaker.clone(),
        text: turn.text.clone(),
        caption: turn.caption.clone(),
        image_query: turn.image_query.clone().filter(|_| options.fields == Fields::All),
        occurred_at_us: if has_date { turn.occurred_at_us } else { 0 },
        counts_as: match options.unit {
            Unit::Turn => turn.id.clone(),
            Unit::Session => session_of(&turn.id).to_owned(),
        },
    }
}

/// `D3` of `D3:14`.
fn session_of(turn_id: &str) -> &str {
    turn_id.split_once(':').map_or(turn_id, |(session, _)| session)
}

/// Every question with its scope, the most units any measure looks at wanted.
fn questions(conversations: &[Conversation], wanted: usize) -> Vec<(usize, &Question, Asked<'_>)> {
    let mut out = Vec::new();
    for (at, conversation) in conversations.iter().enumerate() {
        for question in &conversation.questions {
            out.push((at, question, Asked { owner: &conversation.id, text: &question.text, wanted }));
        }
    }
    out
}

/// What each conversation's questions score, by conversation.
async fn tallies(
    ground: &Ground,
    conversations: &[Conversation],
    mode: SearchMode,
) -> Result<Vec<Tally>, Failure> {
    let (places, asked): (Vec<_>, Vec<_>) = questions(conversations, CUTS[CUTS.len() - 1])
        .into_iter()
        .map(|(at, q, asked)| ((at, q), asked))
        .unzip();
    let answers = ground.ask(&asked, mode).await?;
    let mut out = vec![Tally::default(); conversations.len()];
    for ((at, question), found) in places.into_iter().zip(answers) {
        out[at].add(question, &found);
    }
    Ok(out)
}

fn merged(parts: &[Tally]) -> Tally {
    let mut all = Tally::default();
    for part in parts {
        all.merge(part);
    }
    all
}

async fn by_turn(ground: &Ground, conversations: &[Conversation]) -> Result<Report, Failure> {
    let mut results = Vec::new();
    for (name, mode) in searches(ground) {
        results.push((name, merged(&tallies(ground, conversations, mode).await?)));
    }
    Ok(report(&results))
}

fn report(results: &[(&str, Tally)]) -> Report {
    let named: Vec<(&str, &Tally)> = results.iter().map(|(name, tally)| (*name, tally)).collect();
    let figures: Map<_, _> = named
        .iter()
        .map(|(name, tally)| {
            let by_category: Vec<_> = (1..=5).map(|c| tally.category(c)).collect();
            ((*name).to_owned(), json!({"overall": tally.overall(), "categories": by_category}))
        })
        .collect();
    Report { text: table(&named, &LOCOMO_BASELINES), figures: figures.into() }
}

/// Constants chosen on all conversations but one, scored on that one.
async fn left_out(ground: &mut Ground, conversations: &[Conversation]) -> Result<Report, Failure> {
    if conversations.len() < 2 {
        return Err(Failure::work("hearth: --cv leaves one conversation out and needs at least two"));
    }
    let mode = if ground.model().is_some() { SearchMode::Hybrid } else { SearchMode::Lexical };
    let (mut scores, mut names) = (Vec::new(), Vec::new());
    for (name, params) in variants() {
        eprintln!("recipe: {name}");
        ground.use_recipe(params);
        scores.push(tallies(ground, conversations, mode).await?);
        names.push(name);
    }
    let (tally, chosen) = leave_one_out(&scores);
    let mut out = report(&[("shipped constants", merged(&scores[0])), ("chosen on the others", tally)]);
    for (conversation, variant) in conversations.iter().zip(chosen) {
        let _ = writeln!(out.text, "left out {}: {}", conversation.id, names[variant]);
    }
    Ok(out)
}

async fn by_session(ground: &Ground, conversations: &[Conversation]) -> Result<Report, Failure> {
    let mut results = Vec::new();
    for (name, mode) in searches(ground) {
        let asked = questions(conversations, SESSION_CUTS[SESSION_CUTS.len() - 1]);
        let (places, asked): (Vec<_>, Vec<_>) = asked.into_iter().map(|(_, q, asked)| (q, asked)).unzip();
        let answers = ground.ask(&asked, mode).await?;
        let mut tally = RankTally::new(&SESSION_CUTS);
        for (question, found) in places.into_iter().zip(answers) {
            let mut relevant: Vec<String> =
                question.evidence.iter().map(|id| session_of(id).to_owned()).collect();
            relevant.sort();
            relevant.dedup();
            tally.add(&format!("category {}", question.category), &relevant, &found);
        }
        results.push((name, tally));
    }
    Ok(super::retrieval::report(&results))
}
