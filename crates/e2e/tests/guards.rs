//! One server per embedded database, no older program on a newer database, and a prompt end.

use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::{Engine, Hearth, run_to_end};

#[test]
fn a_second_server_on_the_same_data_is_refused() -> Result<()> {
    let hearth = Hearth::new(Engine::Sqlite)?;
    let server = hearth.start()?;
    let mut second = hearth.command(&["serve"]);
    let ended = run_to_end(second.env("PORT", "0"))?;
    ensure!(ended.code == Some(2), "expected exit 2: {ended:?}");
    let holder = server.pid().to_string();
    let is_named = ended.stderr.lines().any(|line| line.starts_with("hearth: ") && line.contains(&holder));
    ensure!(is_named, "the refusal does not name process {holder}: {ended:?}");
    ensure!(hearth.api().is_ready(), "the first server was disturbed");
    Ok(())
}

#[test]
fn a_crashed_server_leaves_no_lock() -> Result<()> {
    let hearth = Hearth::new(Engine::Sqlite)?;
    hearth.start()?.kill()?;
    hearth.start()?;
    Ok(())
}

#[test]
fn a_newer_database_is_refused() -> Result<()> {
    for engine in Engine::ALL {
        let hearth = Hearth::new(engine)?;
        hearth.start()?.terminate()?;
        hearth.database().execute(
            "INSERT INTO schema_migrations (name, applied_at, checksum)
            VALUES ('999_from_the_future', '2099-01-01T00:00:00Z', 'x')",
        )?;
        let ended = run_to_end(&mut hearth.command(&["serve"]))?;
        ensure!(ended.code == Some(2), "{engine:?}: expected exit 2: {ended:?}");
        let is_named = ended
            .stderr
            .lines()
            .any(|line| line.starts_with("hearth: ") && line.contains("999_from_the_future"));
        ensure!(is_named, "{engine:?}: the refusal does not name the migration: {ended:?}");
    }
    Ok(())
}

#[test]
fn a_polite_request_ends_the_server_promptly() -> Result<()> {
    for engine in Engine::ALL {
        let hearth = Hearth::new(engine)?;
        let (status, took) = hearth.start()?.terminate()?;
        ensure!(status.code() == Some(0), "{engine:?}: ended with {status}");
        ensure!(took < Duration::from_secs(5), "{engine:?}: took {took:?}");
    }
    Ok(())
}

#[test]
fn a_reload_keeps_the_server_and_says_what_it_did() -> Result<()> {
    let hearth = Hearth::new(Engine::Sqlite)?;
    let server = hearth.start()?;
    server.signal("HUP")?;
    server.said("reloaded")?;
    ensure!(hearth.api().is_ready(), "the server was disturbed");
    Ok(())
}
