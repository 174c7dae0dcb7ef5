//! `hearth eval locomo` on an invented corpus: the whole way from the command line to the printed figures.

use std::path::Path;

use anyhow::{Result, ensure};
use e2e::{Engine, Hearth, run_to_end};

#[test]
fn an_invented_corpus_gets_its_exact_figures() -> Result<()> {
    let hearth = Hearth::new(Engine::Sqlite)?;
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../recall/tests/data/array.json");
    let figures = hearth.data_dir().join("figures.json");
    let arguments = [
        "eval",
        "locomo",
        &corpus.display().to_string(),
        "--mode",
        "lexical",
        "--json",
        &figures.display().to_string(),
    ];
    let ended = run_to_end(&mut hearth.command(&arguments))?;
    ensure!(ended.code == Some(0), "eval failed: {ended:?}");
    let written: serde_json::Value = serde_json::from_slice(&std::fs::read(&figures)?)?;
    let overall = &written["Hearth, words"]["overall"];
    // Of three scored questions one is answered, one half, and one shares no word with its evidence.
    ensure!(overall["questions"] == 3 && overall["recall"][0] == 50.0, "{overall}");
    ensure!(ended.stdout.contains("LoCoMo paper, DRAGON"), "no baseline beside ours: {}", ended.stdout);
    let left: Vec<_> = std::fs::read_dir(hearth.data_dir())?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with("hearth-eval"))
        .collect();
    ensure!(left.is_empty(), "left behind: {left:?}");
    Ok(())
}

#[test]
fn a_file_of_another_layout_is_named() -> Result<()> {
    let hearth = Hearth::new(Engine::Sqlite)?;
    let file = hearth.data_dir().join("other.json");
    std::fs::write(&file, "{\"rows\": 3}")?;
    let ended = run_to_end(&mut hearth.command(&["eval", "locomo", &file.display().to_string()]))?;
    ensure!(ended.code == Some(1) && ended.stderr.contains("other.json"), "{ended:?}");
    Ok(())
}
