//! `hearth loadtest` against the built server: its users, its verdicts, its reports, and that nothing stays behind.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use e2e::{Api, Ended, Engine, Hearth, run_to_end};
use serde_json::Value;

#[test]
fn smoke_passes_on_sqlite_and_leaves_nothing() -> Result<()> {
    smoke_passes(Engine::Sqlite)
}

#[test]
fn smoke_passes_on_postgres_and_leaves_nothing() -> Result<()> {
    smoke_passes(Engine::Postgres)
}

fn smoke_passes(engine: Engine) -> Result<()> {
    let hearth = Hearth::new(engine)?;
    let _server = hearth.start()?;
    let key = hearth.create_key("home", "admin")?;
    let page = hearth.data_dir().join("report.html");
    let page_path = page.to_string_lossy().into_owned();
    let wanted = ["--duration", "2", "--users", "3", "--rate", "5", "--json", "--html", &page_path];
    let ended = loadtest(&hearth, Some(&key), "smoke", &wanted)?;
    let report: Value = serde_json::from_str(&ended.stdout).context("the report is JSON")?;
    ensure!(ended.code == Some(0) && report["outcome"] == "pass", "it did not pass: {ended:?}");
    ensure!(report["all"]["requests"] == 30, "{report:#}");
    let asked: Vec<&str> = report["operations"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|row| row["name"].as_str())
        .collect();
    ensure!(asked == ["event", "batch", "search", "context", "list", "health"], "{asked:?}");
    let page = std::fs::read_to_string(&page)?;
    ensure!(page.contains("Passed") && !page.contains("src=") && !page.contains("<link"), "{page}");
    nothing_is_left(&hearth.api().with_bearer(&key))
}

/// The keys of the run are revoked and the memories of its users gone.
fn nothing_is_left(admin: &Api) -> Result<()> {
    let keys = admin.get("/api/v1/api-keys?limit=200")?.body;
    let of_run = |key: &&Value| key["name"].as_str().is_some_and(|name| name.starts_with("load test"));
    let made: Vec<&Value> = keys["items"].as_array().into_iter().flatten().filter(of_run).collect();
    ensure!(made.len() == 3 && made.iter().all(|key| key["revoked_at"].is_string()), "{keys:#}");
    let erasures = admin.get("/api/v1/memory/erasures")?.body;
    let done = erasures["items"].as_array().into_iter().flatten().filter(|row| row["state"] == "done");
    ensure!(done.count() == 3, "{erasures:#}");
    Ok(())
}

#[test]
fn a_missed_threshold_and_a_run_that_cannot_be_have_their_codes() -> Result<()> {
    let hearth = Hearth::new(Engine::Sqlite)?;
    let server = hearth.start()?;
    let key = hearth.create_key("home", "admin")?;
    let short = ["--duration", "1", "--users", "1", "--rate", "5"];
    let strict = [&short[..], &["--p95", "0.001"]].concat();
    let ended = loadtest(&hearth, Some(&key), "stress", &strict)?;
    ensure!(ended.code == Some(3) && ended.stdout.contains("MISSED p95 < 0.001 ms"), "{ended:?}");

    let reader = hearth.create_key("home", "memory:read")?;
    let ended = loadtest(&hearth, Some(&reader), "smoke", &short)?;
    ensure!(ended.code == Some(1) && ended.stderr.contains("cannot make a key"), "{ended:?}");
    let ended = loadtest(&hearth, None, "smoke", &short)?;
    ensure!(ended.code == Some(1) && ended.stderr.contains("LOADTEST_API_KEY"), "{ended:?}");
    server.terminate()?;
    let ended = loadtest(&hearth, Some(&key), "smoke", &short)?;
    ensure!(ended.code == Some(1) && ended.stderr.contains("no server answers"), "{ended:?}");
    Ok(())
}

#[test]
fn limits_that_refuse_make_the_run_void() -> Result<()> {
    let hearth =
        Hearth::new(Engine::Sqlite)?.set("RATE_LIMIT_ENABLED", "true").set("RATE_LIMIT_MAX_REQUESTS", "30");
    let _server = hearth.start()?;
    let key = hearth.create_key("home", "admin")?;
    let ended = loadtest(&hearth, Some(&key), "smoke", &["--duration", "20", "--rate", "40"])?;
    ensure!(ended.code == Some(1) && ended.stderr.contains("RATE_LIMIT_MAX_REQUESTS"), "{ended:?}");
    Ok(())
}

fn loadtest(hearth: &Hearth, key: Option<&str>, scenario: &str, more: &[&str]) -> Result<Ended> {
    let host = format!("http://127.0.0.1:{}", hearth.port());
    let mut command: Command = hearth.command(&["loadtest", scenario, "--host", &host]);
    command.args(more).envs(key.map(|key| ("LOADTEST_API_KEY", key)));
    run_to_end(&mut command)
}
