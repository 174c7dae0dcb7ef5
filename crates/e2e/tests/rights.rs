//! Data rights as an operator exercises them on the command line, with the server killed in between.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use e2e::{Engine, Hearth, run_to_end};
use serde_json::Value;

/// Runs a command that must end with `code`; what it printed.
fn run(hearth: &Hearth, arguments: &[&str], code: i32) -> Result<String> {
    let ended = run_to_end(&mut hearth.command(arguments))?;
    ensure!(ended.code == Some(code), "{arguments:?}: want {code}: {ended:?}");
    Ok(format!("{}{}", ended.stdout, ended.stderr).trim().to_owned())
}

fn record(hearth: &Hearth, key: &str, session: &str, count: usize) -> Result<()> {
    let events: Vec<_> =
        (0..count).map(|n| (format!("{session}-{n}"), format!("note {n} of {session}"))).collect();
    let answer = hearth.api().with_bearer(key).record(session, &events)?;
    ensure!(answer.status < 300, "{answer:?}");
    Ok(())
}

/// Waits until the newest erasure is done.
fn await_erasure(hearth: &Hearth) -> Result<()> {
    let deadline = Instant::now() + Duration::from_mins(1);
    while Instant::now() < deadline {
        if run(hearth, &["rights", "erasures", "--tenant", "acme"], 0)?.contains(" done ") {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    bail!("the erasure is not done after a minute")
}

fn newest_backup(hearth: &Hearth) -> Result<PathBuf> {
    let said = run(hearth, &["backup", "create"], 0)?;
    let line = said.lines().find_map(|line| line.strip_prefix("Backup successful: "));
    Ok(PathBuf::from(line.context("no backup was made")?))
}

#[test]
fn an_erasure_survives_a_kill_and_a_restore_and_its_certificate_convinces_a_stranger() -> Result<()> {
    for engine in Engine::ALL {
        let hearth = Hearth::new(engine)?;
        let server = hearth.start()?;
        let key = hearth.create_key("acme", "admin")?;
        for part in 0..3 {
            record(&hearth, &key, &format!("part{part}"), 1_000)?;
        }
        let older = newest_backup(&hearth)?;
        let erase = ["rights", "erase", "--tenant", "acme", "--confirm"];
        run(&hearth, &[&erase[..], &["yes"]].concat(), 2)?;
        let held = run(&hearth, &["rights", "hold", "--tenant", "acme", "--reason", "a case"], 0)?;
        let refused = run(&hearth, &[&erase[..], &["acme"]].concat(), 1)?;
        ensure!(refused.contains(&held), "{refused}");
        run(&hearth, &["rights", "release", "--tenant", "acme", &held], 0)?;
        run(&hearth, &[&erase[..], &["acme"]].concat(), 0)?;
        server.kill()?;
        let server = hearth.start()?;
        await_erasure(&hearth)?;
        ensure!(hearth.database().events()?.is_empty());

        let api = hearth.api().with_bearer(&key);
        let listed = api.get("/api/v1/memory/erasures")?.body["items"][0].clone();
        let counts = &listed["tables"]["events"];
        ensure!(counts["before"] == 3_000 && counts["removed"] == 3_000, "counted once: {listed}");
        let id = listed["erasure_id"].as_str().context("no id")?.to_owned();
        let certificate = api.get(&format!("/api/v1/memory/erasures/{id}/certificate"))?.body;
        check_certificate(&hearth, &certificate)?;

        record(&hearth, &key, "fresh", 1)?;
        let exported = run(&hearth, &["export", "--tenant", "acme"], 0)?;
        ensure!(exported.contains("note 0 of fresh") && !exported.contains("of part"), "{exported}");
        server.terminate()?;
        let restored = run(&hearth, &["backup", "restore", &older.display().to_string(), "--force"], 0)?;
        ensure!(restored.contains("1 erasures repeated"), "{restored}");
        ensure!(hearth.database().events()?.is_empty(), "the backup brought it back");
    }
    Ok(())
}

#[test]
fn what_was_erased_stays_gone_where_only_the_bucket_is_left() -> Result<()> {
    let from = Hearth::new(Engine::Sqlite)?.with_bucket()?.set("BACKUP_TO_S3", "true");
    let server = from.start()?;
    let key = from.create_key("acme", "admin")?;
    record(&from, &key, "part", 10)?;
    let said = run(&from, &["backup", "create", "--to", "s3"], 0)?;
    let line = said.lines().find_map(|line| line.strip_prefix("Backup successful: "));
    let name = line.and_then(|line| line.rsplit('/').next()).context("no address")?;
    let restore = ["backup", "restore", name, "--from", "s3"];
    let before = Hearth::new(Engine::Sqlite)?.with_bucket()?;
    run(&before, &restore, 0)?;
    ensure!(before.database().events()?.len() == 10, "the backup holds what will be erased");

    run(&from, &["rights", "erase", "--tenant", "acme", "--confirm", "acme"], 0)?;
    await_erasure(&from)?;
    server.terminate()?;
    let after = Hearth::new(Engine::Sqlite)?.with_bucket()?;
    let restored = run(&after, &restore, 0)?;
    ensure!(restored.contains("erasures repeated"), "{restored}");
    ensure!(after.database().events()?.is_empty(), "the backup brought it back");
    Ok(())
}

fn check_certificate(hearth: &Hearth, certificate: &Value) -> Result<()> {
    let file = hearth.data_dir().join("certificate.json");
    let path = file.display().to_string();
    std::fs::write(&file, serde_json::to_vec_pretty(certificate)?)?;
    let said = run(hearth, &["verify-certificate", &path], 0)?;
    ensure!(said.starts_with("genuine") && said.contains(" rows and 0 objects"), "{said}");
    run(hearth, &["verify-certificate", &path, "--key", "AAAA"], 3)?;
    run(hearth, &["verify-certificate", &path, "--user", "ana"], 3)?;
    let mut altered = certificate.clone();
    altered["statement"]["tables"]["events"]["removed"] = 2_999.into();
    std::fs::write(&file, serde_json::to_vec(&altered)?)?;
    run(hearth, &["verify-certificate", &path], 3)?;
    std::fs::write(&file, "{}")?;
    run(hearth, &["verify-certificate", &path], 2)?;
    Ok(())
}
