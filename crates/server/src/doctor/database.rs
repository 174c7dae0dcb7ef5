//! The database: there, right version, right schema, right time, durable, archived.

use std::time::{Duration, Instant};

use kernel::Clock;
use store::Store;
use store::examine::{Archive, Examination};
use store::migrate::{self, MigrateError};
use store::replica::LAG_LIMIT;

use super::Line;
use crate::config::Config;
use crate::open::open_store;

/// Longest wait for each question.
const PATIENCE: Duration = Duration::from_secs(10);
/// Clocks further apart than this make tokens and leases end early or late.
const SKEW_MS: i64 = 2_000;
/// Connections that PostgreSQL keeps for superusers, and a few for the operator's own tools.
const OTHERS: i64 = 10;

pub(super) async fn examine(config: &Config, clock: &Clock) -> Vec<Line> {
    let file = config.database.store.sqlite_path();
    if let Some(file) = file.filter(|file| !file.exists()) {
        return vec![Line::ok(
            "database",
            format!("{} is made when the server first starts", file.display()),
        )];
    }
    let store = match open_store(config).await {
        Ok(store) => store,
        Err(error) => return vec![Line::fail("database", error.text, format!("see {}", error.variable))],
    };
    let started = Instant::now();
    let answered = tokio::time::timeout(PATIENCE, store.ping()).await;
    let lines = match answered {
        Ok(Ok(())) => {
            let mut lines = look(config, clock, &store, started.elapsed()).await;
            lines.extend(replica(config, &store).await);
            lines
        }
        Ok(Err(error)) => vec![away(&error.to_string())],
        Err(_) => vec![away("does not answer")],
    };
    store.close().await;
    lines
}

fn away(why: &str) -> Line {
    Line::fail("database", why, "start it, or mend DATABASE_URL and the way to it")
}

async fn look(config: &Config, clock: &Clock, store: &Store, took: Duration) -> Vec<Line> {
    let found = match tokio::time::timeout(PATIENCE, store.examine()).await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => return vec![away(&error.to_string())],
        Err(_) => return vec![away("does not answer")],
    };
    let text = format!("{} answers in {:.1} ms", found.version, took.as_secs_f64() * 1e3);
    let schema = schema(store).await;
    let is_ours = schema.status == super::Status::Ok;
    let mut lines = vec![Line::ok("database", text), schema];
    if is_ours {
        lines.push(indexes(&found));
    }
    if let Some(allowed) = found.max_connections {
        lines.push(skew(&found, clock));
        lines.push(connections(allowed, i64::from(config.database.store.pool_max)));
        lines.push(durability(&found));
        lines.push(role(&found));
    }
    lines.extend(found.archive.map(archive));
    lines
}

/// Waits until the replica has what the primary had when it was first asked.
async fn replica(config: &Config, store: &Store) -> Option<Line> {
    config.database.store.replica.as_ref()?;
    let began = Instant::now();
    let caught_up = loop {
        match store.probe_replica().await {
            Ok(lag) if lag < began.elapsed() => break Ok(()),
            Ok(_) if began.elapsed() > LAG_LIMIT => break Err("is more than 5 s behind".to_owned()),
            Ok(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            Err(error) => break Err(error),
        }
    };
    Some(match caught_up {
        Ok(()) => Line::ok("replica", format!("is at most {:.1} s behind", began.elapsed().as_secs_f64())),
        Err(what) => {
            Line::warn("replica", what, "see it and the way to it; reads go to the primary meanwhile")
        }
    })
}

async fn schema(store: &Store) -> Line {
    match migrate::status(store).await {
        Ok(all) => {
            let waiting: Vec<_> =
                all.iter().filter(|one| one.applied_at.is_none()).map(|one| one.name.as_str()).collect();
            if waiting.is_empty() {
                return Line::ok("schema", format!("all {} migrations are applied", all.len()));
            }
            let text = format!("not applied yet: {}", waiting.join(", "));
            Line::warn("schema", text, "they are applied at the next start, or by `hearth migrate up`")
        }
        Err(MigrateError::Store(error)) => Line::fail("schema", error.to_string(), "run this again"),
        Err(error) => {
            let text = error.to_string();
            let (text, cure) = text.split_once("; ").unwrap_or((&text, "use the matching hearth"));
            Line::fail("schema", text, cure)
        }
    }
}

fn indexes(found: &Examination) -> Line {
    if found.missing_indexes.is_empty() {
        return Line::ok("indexes", "all are there");
    }
    let text = format!("missing: {}", found.missing_indexes.join(", "));
    Line::fail("indexes", text, "make them again as the migrations do, or restore a backup")
}

fn skew(found: &Examination, clock: &Clock) -> Line {
    let skew = found.skew_ms(clock.now());
    if skew.abs() <= SKEW_MS {
        return Line::ok("clock", "agrees with the database's");
    }
    let text = format!("is {} s apart from the database's", skew.abs() / 1_000);
    Line::fail("clock", text, "let both machines follow one time server, such as with chrony")
}

fn connections(allowed: i64, pool: i64) -> Line {
    if pool + OTHERS <= allowed {
        return Line::ok("connections", format!("{pool} of {allowed} at most"));
    }
    let text = format!("DATABASE_POOL_MAX is {pool} and the database allows {allowed}");
    Line::warn("connections", text, "lower DATABASE_POOL_MAX or raise max_connections")
}

fn durability(found: &Examination) -> Line {
    if found.unsafe_settings.is_empty() {
        return Line::ok("durability", "what is acknowledged is on disk");
    }
    let names = found.unsafe_settings.join(", ");
    Line::fail("durability", format!("off: {names}"), format!("set {names} to on in postgresql.conf"))
}

fn role(found: &Examination) -> Line {
    if found.passes_row_security {
        let text = "is a superuser or passes over row security";
        return Line::warn("database role", text, "give Hearth a plain role that owns its database");
    }
    Line::ok("database role", "is held by row security")
}

fn archive(archive: Archive) -> Line {
    let cure = "see docs/operations/point-in-time.md";
    match archive {
        Archive::Works => Line::ok("archive", "the write-ahead log is archived"),
        Archive::Off => Line::warn("archive", "is off, so there is no way back to a point in time", cure),
        Archive::Nothing => {
            Line::warn("archive", "has no file yet", "look again in a minute, then see the server's log")
        }
        Archive::Behind(files) => {
            let text = format!("{files} files wait, and the log fills the disk");
            Line::fail("archive", text, cure)
        }
        Archive::Failing => {
            Line::fail("archive", "the last attempt failed, and the log fills the disk", cure)
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::Micros;

    use super::*;
    use crate::doctor::Status;

    #[test]
    fn each_doubt_about_the_database_has_its_line_and_cure() {
        let clock = Clock::fixed(Micros(1_700_000_000_000_000));
        let sound = Examination { clock: Some(clock.now().0), ..Examination::default() };
        let late = Examination { clock: Some(clock.now().0 - 3_000_000), ..Examination::default() };
        let broken = Examination {
            missing_indexes: vec!["ix_a".to_owned()],
            unsafe_settings: vec!["fsync".to_owned()],
            passes_row_security: true,
            ..Examination::default()
        };
        for (line, status) in [
            (skew(&sound, &clock), Status::Ok),
            (skew(&late, &clock), Status::Fail),
            (indexes(&sound), Status::Ok),
            (indexes(&broken), Status::Fail),
            (durability(&sound), Status::Ok),
            (durability(&broken), Status::Fail),
            (role(&sound), Status::Ok),
            (role(&broken), Status::Warn),
            (connections(100, 20), Status::Ok),
            (connections(20, 20), Status::Warn),
            (archive(Archive::Works), Status::Ok),
            (archive(Archive::Off), Status::Warn),
            (archive(Archive::Nothing), Status::Warn),
            (archive(Archive::Behind(9)), Status::Fail),
            (archive(Archive::Failing), Status::Fail),
        ] {
            assert_eq!(line.status, status, "{line:?}");
            assert_eq!(line.cure.is_empty(), status == Status::Ok, "{line:?}");
        }
    }
}
