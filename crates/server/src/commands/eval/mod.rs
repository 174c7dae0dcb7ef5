//! `hearth eval`: records public data and asks their questions, through the code that serves requests.

mod ground;
mod locomo;
mod retrieval;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use llm::Embedder;
use memory::search::SearchMode;
use serde_json::Value;

use self::ground::Ground;
use super::{Failure, configuration};
use crate::config::Flags;

#[derive(Debug, Subcommand)]
pub(super) enum Eval {
    /// Evidence recall on LoCoMo dialogues: does a question find the turns that answer it?
    Locomo {
        /// A file of the data set, or a directory with a file for each conversation
        path: PathBuf,
        #[command(flatten)]
        common: Common,
        /// What is to be found: turns, or the sessions they lie in
        #[arg(long, value_enum, default_value = "turn")]
        unit: Unit,
        /// Indexed text
        #[arg(long, value_enum, default_value = "all")]
        fields: Fields,
        /// Choose the recipe's constants on all conversations but one, and print the scores on the one left out
        #[arg(long, conflicts_with = "unit")]
        cv: bool,
    },
    /// Session recall on a file in the LongMemEval format
    Sessions {
        /// The file
        file: PathBuf,
        #[command(flatten)]
        common: Common,
    },
    /// Emotional recall on MADial-Bench: which memories does a dialogue bring to mind?
    Madial {
        /// A directory with one `…dialogue.json` and one `…memory.json`
        directory: PathBuf,
        #[command(flatten)]
        common: Common,
    },
}

#[derive(Debug, Args)]
pub(super) struct Common {
    /// Legs to use; without it words alone, and the local model if there is one
    #[arg(long, value_enum)]
    mode: Option<EvalMode>,
    /// Write the figures as JSON, too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write them as a page in Markdown, too, with the hash of the data
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum EvalMode {
    /// Words only
    Lexical,
    /// Words and vectors
    Hybrid,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Unit {
    /// Single turns
    Turn,
    /// Whole sessions, each placed by its best turn
    Session,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Fields {
    /// Speaker, text, caption, as in the published table
    Paper,
    /// The same and the date
    Product,
    /// The same and the words an image was searched by
    All,
}

/// What an evaluation found.
struct Report {
    text: String,
    figures: Value,
}

pub(super) async fn run(flags: &Flags, command: Eval) -> Result<(), Failure> {
    let (path, common) = match &command {
        Eval::Locomo { path, common, .. } => (path.clone(), common),
        Eval::Sessions { file, common } => (file.clone(), common),
        Eval::Madial { directory, common } => (directory.clone(), common),
    };
    let config = configuration(flags, false)?;
    crate::logs::start(&config.log);
    let embedder = match common.mode {
        Some(EvalMode::Lexical) => Embedder::None,
        _ => crate::open::open_embedder(&config)?,
    };
    if common.mode == Some(EvalMode::Hybrid) && embedder.model_id().is_none() {
        return Err(Failure::setting(
            "EMBEDDING_MODEL",
            "no model is there; fetch it with ./run or scripts/fetch-model",
        ));
    }
    let mut ground = Ground::open(&config, embedder).await?;
    let outcome = match &command {
        Eval::Locomo { path, unit, fields, cv, .. } => {
            let asked = locomo::Options { unit: *unit, fields: *fields, is_cv: *cv };
            locomo::run(&mut ground, path, asked).await
        }
        Eval::Sessions { file, .. } => retrieval::sessions(&mut ground, file).await,
        Eval::Madial { directory, .. } => retrieval::madial(&mut ground, directory).await,
    };
    ground.leave();
    let report = outcome?;
    super::say(&report.text)?;
    if let Some(file) = &common.json {
        write(file, &serde_json::to_string_pretty(&report.figures).unwrap_or_default())?;
    }
    if let Some(file) = &common.page {
        write(file, &page(&path, &report.text)?)?;
    }
    Ok(())
}

/// The searches to compare: by words, then with the model if there is one.
fn searches(ground: &Ground) -> Vec<(&'static str, SearchMode)> {
    let mut out = vec![("Hearth, words", SearchMode::Lexical)];
    if ground.model().is_some() {
        out.push(("Hearth, with model", SearchMode::Hybrid));
    }
    out
}

/// The JSON files of a directory in the order of their names, or the one file.
fn files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let listed = std::fs::read_dir(path)
        .map_err(|error| Failure::work(format!("hearth: cannot read {}: {error}", path.display())))?;
    let mut files: Vec<PathBuf> = listed.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    Ok(files)
}

fn page(path: &Path, table: &str) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    for file in files(path)? {
        bytes.extend(ground::read(&file, |bytes| Ok(bytes.to_vec()))?);
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let machine = format!("{} {}, {cores} cores", std::env::consts::OS, std::env::consts::ARCH);
    let (version, commit) = (env!("CARGO_PKG_VERSION"), option_env!("HEARTH_COMMIT").unwrap_or("unknown"));
    Ok(format!(
        "# Recall on `{name}`\n\nWritten by `hearth eval … --page`; version {version}, commit {commit}, {machine}.\n\
         Data: SHA-256 `{}`.\n\n```text\n{table}```\n",
        store::blob::data_hash(&bytes)
    ))
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(file, text)
        .map_err(|error| Failure::work(format!("hearth: cannot write {}: {error}", file.display())))
}
