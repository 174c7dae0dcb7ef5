//! A disk that fills up under a running server: system calls fail as told, the process does not.

use anyhow::{Result, ensure};
use e2e::{Engine, Hearth};

fn events(name: &str, count: usize) -> Vec<(String, String)> {
    (0..count)
        .map(|number| (format!("{name}-{number}"), format!("note {number} about the harbour")))
        .collect()
}

#[test]
fn a_disk_that_is_full_at_commit_is_503_storage_full_and_nothing_half() -> Result<()> {
    let mut hearth = Hearth::new(Engine::Sqlite)?;
    let key = hearth.create_key("full", "memory:read,memory:write")?;
    // The write-ahead log grows at each commit; from the 200th write on there is no room for it.
    let log = hearth.data_dir().join("hearth.db-wal");
    hearth = hearth.under(&[
        "strace",
        "--daemonize",
        "--follow-forks",
        "--quiet=all",
        "--output=/dev/null",
        &format!("--trace-path={}", log.display()),
        "--trace=pwrite64",
        "--inject=pwrite64:error=ENOSPC:when=200+",
    ]);
    let server = hearth.start()?;
    let agent = hearth.api().with_bearer(&key);
    let (mut stored, mut refused) = (0, 0);
    for request in 0..30 {
        let answer = agent.record("full", &events(&request.to_string(), 3))?;
        match (answer.status, answer.body["code"].as_str()) {
            (201, _) => stored += 3,
            (503, Some("storage_full")) => refused += 1,
            _ => anyhow::bail!("request {request}: {answer:?}"),
        }
    }
    ensure!(stored > 0 && refused > 0, "{stored} stored, {refused} refused: the fault did not strike midway");
    ensure!(hearth.api().get("/health/live")?.status == 200, "the server is gone");
    let stats = agent.get("/api/v1/memory/stats")?;
    ensure!(stats.body["events"] == stored, "{stored} were acknowledged: {stats:?}");
    server.kill()?;
    let found = hearth.database().events()?;
    ensure!(found.len() == stored && found.values().all(|count| *count == 1), "{stored} stored: {found:?}");
    Ok(())
}
