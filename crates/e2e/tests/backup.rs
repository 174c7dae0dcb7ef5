//! Backups as an operator makes and restores them, on the command line, beside a running server and without one.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use e2e::{Ended, Engine, Hearth, run_to_end};

fn run(hearth: &Hearth, arguments: &[&str]) -> Result<Ended> {
    run_to_end(&mut hearth.command(arguments))
}

/// Runs a command that must succeed; its last line.
fn good(hearth: &Hearth, arguments: &[&str]) -> Result<String> {
    let ended = run(hearth, arguments)?;
    ensure!(ended.code == Some(0), "{arguments:?}: {ended:?}");
    Ok(ended.stdout.trim().lines().last().unwrap_or_default().to_owned())
}

/// Runs a command that must end with `code` and say `what`.
fn refused(hearth: &Hearth, arguments: &[&str], code: i32, what: &str) -> Result<()> {
    let ended = run(hearth, arguments)?;
    let is_said = ended.stderr.contains(what);
    ensure!(ended.code == Some(code) && is_said, "{arguments:?}: want {code} and {what}: {ended:?}");
    Ok(())
}

fn record(hearth: &Hearth, key: &str, session: &str, count: usize) -> Result<()> {
    let events: Vec<_> =
        (0..count).map(|n| (format!("{session}-{n}"), format!("note {n} of {session}"))).collect();
    let answer = hearth.api().with_bearer(key).record(session, &events)?;
    ensure!(answer.status < 300, "{answer:?}");
    Ok(())
}

/// PostgreSQL's own programs, of the server's version.
fn with_postgres_programs(hearth: Hearth) -> Result<Hearth> {
    Ok(hearth.set("PATH", &format!("{}:/usr/bin:/bin", postgres_programs()?)))
}

fn postgres_programs() -> Result<String> {
    std::env::var("HEARTH_TEST_POSTGRES_BIN")
        .context("HEARTH_TEST_POSTGRES_BIN must name the folder of pg_dump and psql; ./test sets it")
}

fn create(hearth: &Hearth) -> Result<PathBuf> {
    let line = good(hearth, &["backup", "create"])?;
    let file = line.strip_prefix("Backup successful: ").map(PathBuf::from);
    file.filter(|file| file.is_file()).ok_or_else(|| anyhow::anyhow!("no file in `{line}`"))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap_or_default()
}

#[test]
fn a_backup_beside_a_running_server_brings_back_what_was_there() -> Result<()> {
    for engine in Engine::ALL {
        let hearth = Hearth::new(engine)?;
        let server = hearth.start()?;
        let key = hearth.create_key("acme", "memory:read,memory:write")?;
        record(&hearth, &key, "before", 5)?;
        let file = create(&hearth)?;
        record(&hearth, &key, "after", 3)?;
        good(&hearth, &["backup", "verify", text(&file), "--deep"])?;
        let listed = good(&hearth, &["backup", "list"])?;
        ensure!(listed.contains("restored and compared"), "{listed}");

        let running = if engine == Engine::Sqlite { (2, "pid") } else { (1, "a server uses") };
        refused(&hearth, &["backup", "restore", text(&file), "--force"], running.0, running.1)?;
        server.terminate()?;
        refused(&hearth, &["backup", "restore", text(&file)], 1, "not empty")?;
        let last = good(&hearth, &["backup", "restore", text(&file), "--force"])?;
        ensure!(last == format!("Restore successful: {}", file.display()), "{last}");
        let events = hearth.database().events()?;
        ensure!(
            events.len() == 5 && events.keys().all(|id| id.starts_with("before-")),
            "{engine:?}: {events:?}"
        );

        // The restored database serves, and a key of the backup opens it.
        let server = hearth.start()?;
        record(&hearth, &key, "later", 1)?;
        server.terminate()?;
    }
    Ok(())
}

#[test]
fn a_backup_moves_from_one_engine_to_the_other() -> Result<()> {
    let (from, to) = (Hearth::new(Engine::Sqlite)?, Hearth::new(Engine::Postgres)?);
    let server = from.start()?;
    let key = from.create_key("acme", "memory:read,memory:write")?;
    record(&from, &key, "s", 4)?;
    let file = create(&from)?;
    server.terminate()?;
    good(&to, &["backup", "restore", text(&file)])?;
    ensure!(to.database().events()?.len() == 4);
    to.start()?.terminate()?;
    Ok(())
}

#[test]
fn every_exit_code_says_what_went_wrong() -> Result<()> {
    let hearth = Hearth::new(Engine::Sqlite)?;
    refused(&hearth, &["backup", "create"], 2, "no database is there")?;
    refused(&hearth, &["backup", "explode"], 2, "unrecognized")?;
    hearth.start()?.terminate()?;
    let file = create(&hearth)?;
    let mut bytes = std::fs::read(&file)?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, &bytes)?;
    refused(&hearth, &["backup", "verify", text(&file)], 3, "backup_")?;
    refused(&hearth, &["backup", "restore", text(&file), "--force"], 3, "backup_")?;
    let listed = good(&hearth, &["backup", "list"])?;
    ensure!(listed.contains("DAMAGED"), "{listed}");
    refused(&hearth, &["backup", "create", "--format", "sql"], 1, "--format portable")?;

    let lock = std::fs::File::options().write(true).open(hearth.data_dir().join("backups/backup.lock"))?;
    lock.lock()?;
    refused(&hearth, &["backup", "create"], 5, "another backup runs")?;
    drop(lock);
    refused(&hearth, &["backup", "restore", "/nowhere/backup_x.hearth"], 1, "/nowhere/backup_x.hearth")?;
    Ok(())
}

/// Text that cannot be packed smaller.
fn noise(seed: usize) -> String {
    let mut state = seed as u64 + 1;
    let mut letter = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b"abcdefghijklmnopqrstuvwxyz012345"[(state >> 59) as usize])
    };
    (0..400).map(|_| letter()).collect()
}

#[test]
fn a_full_disk_fails_the_backup_and_leaves_no_file() -> Result<()> {
    for engine in Engine::ALL {
        let hearth = Hearth::new(engine)?;
        let server = hearth.start()?;
        let key = hearth.create_key("acme", "memory:read,memory:write")?;
        for batch in 0..10 {
            let noise = |n: usize| (format!("{batch}-{n}"), noise(batch * 100 + n));
            let answer =
                hearth.api().with_bearer(&key).record("noise", &(0..50).map(noise).collect::<Vec<_>>())?;
            ensure!(answer.status < 300, "{answer:?}");
        }
        server.terminate()?;
        // No file may grow past 64 KiB: writing fails in the middle, as on a full disk.
        let plain = hearth.command(&["backup", "create"]);
        let mut limited = Command::new("bash");
        limited.args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$0\" backup create"]);
        limited.arg(plain.get_program()).env_clear();
        limited.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let ended = run_to_end(&mut limited)?;
        ensure!(ended.code == Some(1), "{engine:?}: {ended:?}");
        ensure!(ended.stderr.starts_with("Backup failed!\n") && ended.stdout.is_empty(), "{ended:?}");
        let left: Vec<_> = std::fs::read_dir(hearth.data_dir().join("backups"))?
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name != "backup.lock")
            .collect();
        ensure!(left.is_empty(), "{engine:?}: {left:?}");
        create(&hearth)?;
    }
    Ok(())
}

#[test]
fn postgres_dumps_hold_all_rows_and_a_failed_dump_is_no_success() -> Result<()> {
    let hearth = with_postgres_programs(Hearth::new(Engine::Postgres)?)?;
    let server = hearth.start()?;
    let key = hearth.create_key("acme", "memory:read,memory:write")?;
    record(&hearth, &key, "s", 3)?;
    server.terminate()?;
    let line = good(&hearth, &["backup", "create", "--format", "sql"])?;
    let file = PathBuf::from(line.trim_start_matches("Backup successful: "));
    good(&hearth, &["backup", "verify", text(&file)])?;

    // Into an empty database with PostgreSQL's own program, as the page on backups says.
    let other = Hearth::new(Engine::Postgres)?;
    let url = other.database().url().unwrap_or_default();
    let script = format!(
        "set -o pipefail; gunzip -c {} | psql -v ON_ERROR_STOP=1 --single-transaction -q '{url}'",
        file.display()
    );
    let ended = run_to_end(
        Command::new("bash")
            .args(["-c", &script])
            .env("PATH", format!("{}:/usr/bin:/bin", postgres_programs()?)),
    )?;
    ensure!(ended.code == Some(0), "{ended:?}");
    ensure!(other.database().events()? == hearth.database().events()?);
    other.start()?.terminate()?;

    // A dump that dies half way: gzip alone would call it good.
    let broken = hearth.data_dir().join("bin");
    std::fs::create_dir(&broken)?;
    let program = broken.join("pg_dump");
    std::fs::write(
        &program,
        "#!/bin/sh\necho '-- PostgreSQL database dump complete'\necho 'server closed the connection' >&2\nexit 1\n",
    )?;
    ensure!(Command::new("chmod").arg("755").arg(&program).status()?.success());
    let mut command = hearth.command(&["backup", "create", "--format", "sql"]);
    let ended = run_to_end(command.env("PATH", format!("{}:/usr/bin:/bin", broken.display())))?;
    ensure!(ended.code != Some(0) && ended.stderr.contains("server closed the connection"), "{ended:?}");
    ensure!(ended.stderr.starts_with("Backup failed!\n"), "{ended:?}");
    Ok(())
}
