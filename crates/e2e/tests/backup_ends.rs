//! Backups that do not end well, and backups on S3: no command ever says success for a file that is not whole.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use e2e::{Ended, Engine, Hearth, run_to_end};

/// How often a command is killed, for each way to back up.
const KILLS: u32 = 8;

fn run(hearth: &Hearth, arguments: &[&str]) -> Result<Ended> {
    run_to_end(&mut hearth.command(arguments))
}

/// Runs a command that must succeed; what it printed.
fn good(hearth: &Hearth, arguments: &[&str]) -> Result<String> {
    let ended = run(hearth, arguments)?;
    ensure!(ended.code == Some(0), "{arguments:?}: {ended:?}");
    Ok(ended.stdout.trim().to_owned())
}

/// A stopped server's database with some events.
fn filled(hearth: Hearth) -> Result<Hearth> {
    let server = hearth.start()?;
    let key = hearth.create_key("acme", "memory:read,memory:write")?;
    let events: Vec<_> =
        (0..200).map(|n| (format!("e-{n}"), format!("note {n} of the lighthouse"))).collect();
    let answer = hearth.api().with_bearer(&key).record("s", &events)?;
    ensure!(answer.status < 300, "{answer:?}");
    server.terminate()?;
    Ok(hearth)
}

/// Names in the folder of the backups.
fn names(hearth: &Hearth) -> Result<Vec<String>> {
    let folder = hearth.data_dir().join("backups");
    let entries = std::fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    // Tests share the bucket, and with it the list of erasures.
    Ok(names.filter(|name| name != "erasures.jsonl").collect())
}

fn is_part(name: &str) -> bool {
    is_of(name, "part")
}

fn is_of(name: &str, kind: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == kind)
}

#[test]
fn without_room_nothing_is_begun_and_the_exit_is_4() -> Result<()> {
    let hearth = filled(Hearth::new(Engine::Sqlite)?)?;
    let folder = hearth.data_dir().join("backups");
    std::fs::create_dir(&folder)?;
    // A hole of 4 TB that takes no room: the next backup is expected to be as large.
    std::fs::File::create(folder.join("backup_20260101_020000.hearth"))?.set_len(4 << 40)?;
    let ended = run(&hearth, &["backup", "create"])?;
    ensure!(ended.code == Some(4) && ended.stdout.is_empty(), "{ended:?}");
    ensure!(
        ended.stderr.starts_with("Backup failed!\n") && ended.stderr.contains("not enough room"),
        "{ended:?}"
    );
    let begun: Vec<_> = names(&hearth)?
        .into_iter()
        .filter(|name| is_part(name) || name.starts_with("backup_2026112"))
        .collect();
    ensure!(begun.is_empty(), "{begun:?}");
    Ok(())
}

#[test]
fn an_interrupted_backup_ends_with_130_and_leaves_none() -> Result<()> {
    let hearth = filled(Hearth::new(Engine::Postgres)?)?;
    std::thread::scope(|scope| -> Result<()> {
        // Whoever reads the events waits meanwhile, so the backup cannot end by itself.
        let lock = "BEGIN; LOCK TABLE events IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(6); COMMIT";
        let locked = scope.spawn(|| hearth.database().execute(lock));
        let mut command = hearth.command(&["backup", "create"]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let began = Instant::now();
        while !names(&hearth).is_ok_and(|names| names.iter().any(|name| is_part(name))) {
            ensure!(began.elapsed() < Duration::from_secs(20), "the backup does not begin");
            std::thread::sleep(Duration::from_millis(5));
        }
        ensure!(Command::new("kill").args(["-INT", &child.id().to_string()]).status()?.success());
        let ended = child.wait_with_output()?;
        let said = String::from_utf8_lossy(&ended.stderr);
        ensure!(ended.status.code() == Some(130) && said.contains("stopped"), "{:?}: {said}", ended.status);
        ensure!(!locked.is_finished(), "it was stopped, not let through");
        locked.join().map_err(|_| anyhow::anyhow!("the lock panicked"))??;
        Ok(())
    })?;
    ensure!(!names(&hearth)?.iter().any(|name| name.starts_with("backup_")), "{:?}", names(&hearth)?);
    good(&hearth, &["backup", "create"])?;
    ensure!(
        !names(&hearth)?.iter().any(|name| is_part(name)),
        "the next one tidies up: {:?}",
        names(&hearth)?
    );
    Ok(())
}

#[test]
fn a_killed_backup_is_none_and_the_next_one_is_whole() -> Result<()> {
    let programs =
        std::env::var("HEARTH_TEST_POSTGRES_BIN").context("HEARTH_TEST_POSTGRES_BIN; ./test sets it")?;
    let path = format!("{programs}:/usr/bin:/bin");
    for (engine, format) in
        [(Engine::Sqlite, "portable"), (Engine::Postgres, "portable"), (Engine::Postgres, "sql")]
    {
        let hearth = filled(Hearth::new(engine)?.set("PATH", &path))?;
        let create = ["backup", "create", "--format", format];
        let began = Instant::now();
        good(&hearth, &create)?;
        let step = began.elapsed() / KILLS;
        let mut survivors = 0;
        for round in 0..KILLS {
            let mut command = hearth.command(&create);
            let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
            std::thread::sleep(step * round);
            child.kill()?;
            let said = String::from_utf8(child.wait_with_output()?.stdout)?;
            for name in names(&hearth)?.iter().filter(|name| name.starts_with("backup_2")) {
                if !is_of(name, "verdict") {
                    good(&hearth, &["backup", "verify", name]).with_context(|| format!("round {round}"))?;
                }
            }
            if let Some(file) = said.trim().strip_prefix("Backup successful: ") {
                ensure!(PathBuf::from(file).is_file(), "round {round}: {said}");
                survivors += 1;
            }
        }
        eprintln!("{engine:?} {format}: {KILLS} killed, {survivors} of them too late");
        good(&hearth, &create)?;
        ensure!(
            !names(&hearth)?.iter().any(|name| is_part(name)),
            "{engine:?} {format}: {:?}",
            names(&hearth)?
        );
    }
    Ok(())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap_or_default()
}

#[test]
fn a_backup_on_s3_is_proven_and_restored_where_everything_else_is_gone() -> Result<()> {
    let from = filled(Hearth::new(Engine::Sqlite)?.with_bucket()?)?;
    let said = good(&from, &["backup", "create", "--to", "s3"])?;
    let address = said.strip_prefix("Backup successful: ").unwrap_or_default();
    let name = address.rsplit('/').next().unwrap_or_default();
    ensure!(address.starts_with("s3://") && name.starts_with("backup_"), "{said}");
    let listed = |hearth: &Hearth| good(hearth, &["backup", "list", "--from", "s3"]);
    let state = |list: &str| list.lines().find(|line| line.starts_with(name)).map(str::to_owned);
    ensure!(state(&listed(&from)?).is_some_and(|line| line.contains("verified")), "{}", listed(&from)?);

    let to = Hearth::new(Engine::Postgres)?.with_bucket()?;
    let proven = good(&to, &["backup", "verify", name, "--from", "s3", "--deep"])?;
    ensure!(proven == format!("restored and compared: {address}"), "{proven}");
    ensure!(
        state(&listed(&to)?).is_some_and(|line| line.contains("restored and compared")),
        "{}",
        listed(&to)?
    );
    let last = good(&to, &["backup", "restore", name, "--from", "s3"])?;
    ensure!(last.ends_with(&format!("Restore successful: {address}")), "{last}");
    ensure!(to.database().events()? == from.database().events()?);
    ensure!(names(&to)? == ["backup.lock"], "what was fetched is gone: {:?}", names(&to)?);

    // The newest verified one stays whatever the rule says.
    let to = to.set("BACKUP_KEEP", "0,0,0");
    good(&to, &["backup", "prune", "--from", "s3"])?;
    ensure!(state(&listed(&to)?).is_some(), "{}", listed(&to)?);

    for (arguments, code, what) in [
        (
            ["backup", "verify", "backup_20200101_000000.hearth", "--from", "s3"].as_slice(),
            1,
            "there is no s3://",
        ),
        (&["backup", "verify", "../etc/passwd", "--from", "s3"], 1, "no name of a backup"),
    ] {
        let ended = run(&to, arguments)?;
        ensure!(ended.code == Some(code) && ended.stderr.contains(what), "{arguments:?}: {ended:?}");
    }
    let key = from.data_dir().join("backup.key");
    let printed = good(&from, &["backup", "new-key", "--out", text(&key)])?;
    let from = from.set("BACKUP_PUBLIC_KEY", printed.trim_start_matches("BACKUP_PUBLIC_KEY="));
    let said = good(&from, &["backup", "create", "--to", "s3"])?;
    let sealed = said.rsplit('/').next().unwrap_or_default();
    ensure!(Path::new(sealed).extension().is_some_and(|end| end == "sealed"), "{said}");
    let ended = run(&to, &["backup", "verify", sealed, "--from", "s3"])?;
    ensure!(ended.code == Some(1) && ended.stderr.contains("--key"), "{ended:?}");
    good(&to, &["backup", "verify", sealed, "--from", "s3", "--key", text(&key), "--deep"])?;
    good(&to, &["backup", "restore", sealed, "--from", "s3", "--key", text(&key), "--force"])?;
    ensure!(to.database().events()? == from.database().events()?);
    ensure!(names(&to)? == ["backup.lock"], "what was opened is gone: {:?}", names(&to)?);
    let other = from.data_dir().join("other.key");
    good(&from, &["backup", "new-key", "--out", text(&other)])?;
    let ended = run(&to, &["backup", "verify", sealed, "--from", "s3", "--key", text(&other)])?;
    ensure!(ended.code == Some(3) && ended.stderr.contains("another key"), "{ended:?}");

    let without = filled(Hearth::new(Engine::Sqlite)?)?;
    let ended = run(&without, &["backup", "create", "--to", "s3"])?;
    ensure!(ended.code == Some(2) && ended.stderr.contains("S3_ENDPOINT"), "{ended:?}");
    Ok(())
}
