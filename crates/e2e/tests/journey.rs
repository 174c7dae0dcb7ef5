//! From nothing to a first answer, as a new user walks it.

use anyhow::{Context, Result, ensure};
use e2e::{Api, Engine, Hearth};
use serde_json::json;

#[test]
fn starts_from_nothing_on_sqlite() -> Result<()> {
    first_steps(Engine::Sqlite)
}

#[test]
fn starts_from_nothing_on_postgres() -> Result<()> {
    first_steps(Engine::Postgres)
}

fn first_steps(engine: Engine) -> Result<()> {
    let hearth = Hearth::new(engine)?;
    let server = hearth.start()?;
    let link = server.setup_link()?;
    let owner = hearth.api().set_up(&link)?;
    ensure!(hearth.api().set_up(&link).is_err(), "the set-up link worked twice");

    let key = owner.create_key(&["memory:read", "memory:write"])?;
    let agent = hearth.api().with_bearer(&key);
    let turns = [
        ("turn-1".to_owned(), "I start at the aquarium on Monday.".to_owned()),
        ("turn-2".to_owned(), "The spare key lies under the third flower pot.".to_owned()),
    ];
    let recorded = agent.record("first-steps", &turns)?;
    ensure!(recorded.status == 201, "recording failed: {recorded:?}");
    ensure!(recorded.body["accepted"] == 2, "not all accepted: {recorded:?}");
    expect_found(&agent)?;
    let (status, _) = server.terminate()?;
    ensure!(status.success(), "ended with {status}");

    let server = hearth.start()?;
    ensure!(server.setup_link().is_err(), "a server with an owner prints a set-up link");
    expect_found(&agent).context("after a restart")?;
    let again = agent.record("first-steps", &turns)?;
    ensure!(again.body["duplicates"] == 2, "the same events were taken twice: {again:?}");
    Ok(())
}

/// The turn about the key is the best answer to a question about it.
fn expect_found(agent: &Api) -> Result<()> {
    let answer = agent.post("/api/v1/memories/search", &json!({ "query": "where is the spare key?" }))?;
    ensure!(answer.status == 200, "search failed: {answer:?}");
    let text = answer.body.to_string();
    ensure!(text.contains("third flower pot"), "the turn was not found: {text}");
    Ok(())
}
