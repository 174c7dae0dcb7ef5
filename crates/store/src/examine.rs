//! What an operator wants to know of the database itself: version, settings, clock, indexes, archiving.

use std::collections::BTreeSet;

use crate::migrate;
use crate::{Conn, Engine, Reach, Result, Store};

/// The condition of a database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examination {
    /// Version in the engine's own words.
    pub version: String,
    /// The engine's clock in µs since 1970; absent when the engine runs in this process.
    pub clock: Option<i64>,
    /// Indexes of the migrations that the database lacks.
    pub missing_indexes: Vec<String>,
    /// Connections that the engine allows; absent when it has no limit.
    pub max_connections: Option<i64>,
    /// Names of settings that give up durability: `fsync`, `full_page_writes`, `synchronous_commit`.
    pub unsafe_settings: Vec<String>,
    /// Whether our role passes over row security.
    pub passes_row_security: bool,
    /// How the archive of the write-ahead log does; absent when the engine has none.
    pub archive: Option<Archive>,
}

/// The archive of the write-ahead log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Archive {
    /// Nothing is archived: there is no way back to a point in time.
    Off,
    /// The last attempt failed.
    Failing,
    /// So many files wait. A command that cannot be run at all ends the archiver, which then notes no failure.
    Behind(u64),
    /// No file was archived yet.
    Nothing,
    /// The last attempt succeeded.
    Works,
}

/// Finished files that may wait while the archive works: the archiver may be busy with one, and has a restart.
const WAITING: u64 = 3;

impl Store {
    /// Examines the database, reading only.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub async fn examine(&self) -> Result<Examination> {
        let mut conn = self.read(Reach::Everyone).await?;
        let wanted = wanted_indexes(self.engine());
        if self.engine() == Engine::Sqlite {
            let rows = crate::fetch_all!(
                &mut conn,
                (String,),
                "SELECT name FROM sqlite_master WHERE type = 'index'"
            )?;
            let (version,) = crate::fetch_one!(
                &mut conn,
                (String,),
                "SELECT sqlite_version() FROM sqlite_master LIMIT 1"
            )?;
            let missing_indexes = missing(wanted, rows);
            return Ok(Examination {
                version: format!("SQLite {version}"),
                missing_indexes,
                ..Examination::default()
            });
        }
        let rows = crate::fetch_all!(
            &mut conn,
            (String,),
            "SELECT indexname::TEXT FROM pg_indexes WHERE schemaname = current_schema()"
        )?;
        let (version, clock, max_connections, passes) = crate::fetch_one!(
            &mut conn,
            (String, i64, i64, bool),
            "SELECT current_setting('server_version'),
                (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::BIGINT,
                current_setting('max_connections')::BIGINT,
                COALESCE((SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user), FALSE)"
        )?;
        let off = crate::fetch_all!(
            &mut conn,
            (String,),
            "SELECT name FROM pg_settings
             WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off' ORDER BY name"
        )?;
        let archive = archive(&mut conn).await?;
        Ok(Examination {
            version: format!("PostgreSQL {version}"),
            clock: Some(clock),
            missing_indexes: missing(wanted, rows),
            max_connections: Some(max_connections),
            unsafe_settings: off.into_iter().map(|(name,)| name).collect(),
            passes_row_security: passes,
            archive: Some(archive),
        })
    }
}

async fn archive(conn: &mut Conn) -> Result<Archive> {
    let (mode, is_failing, archived, current, file_bytes) = crate::fetch_one!(
        conn,
        (String, bool, Option<String>, String, i64),
        "SELECT current_setting('archive_mode'),
            COALESCE(last_failed_time > COALESCE(last_archived_time, '-infinity'), FALSE),
            last_archived_wal, pg_walfile_name(pg_current_wal_flush_lsn()),
            (SELECT CAST(setting AS BIGINT) FROM pg_settings WHERE name = 'wal_segment_size') FROM pg_stat_archiver"
    )?;
    let number = |name: &str| file_number(name, file_bytes);
    let waiting = match (archived.as_deref().map(number), number(&current)) {
        // The current file is not finished.
        (Some(Some(archived)), Some(current)) => current.saturating_sub(archived + 1),
        _ => 0,
    };
    Ok(match (mode.as_str(), archived) {
        ("off", _) => Archive::Off,
        _ if is_failing => Archive::Failing,
        (_, None) => Archive::Nothing,
        _ if waiting > WAITING => Archive::Behind(waiting),
        _ => Archive::Works,
    })
}

/// Which file of the log a name speaks of, counted from its beginning: 8 digits of the timeline, then 8 of the upper half of
/// the position and 8 of the file in it, all hexadecimal. Other names tell no position.
fn file_number(name: &str, file_bytes: i64) -> Option<u64> {
    let half = |digits| u64::from_str_radix(name.get(digits)?, 16).ok();
    let files_in_half = (1_u64 << 32).checked_div(u64::try_from(file_bytes).ok()?)?;
    Some(half(8..16)? * files_in_half + half(16..24)?)
}

fn missing(wanted: BTreeSet<String>, present: Vec<(String,)>) -> Vec<String> {
    let present: BTreeSet<String> = present.into_iter().map(|(name,)| name).collect();
    wanted.into_iter().filter(|name| !present.contains(name)).collect()
}

/// The named indexes that all migrations together make.
fn wanted_indexes(engine: Engine) -> BTreeSet<String> {
    let mut wanted = BTreeSet::new();
    for migration in migrate::all(engine) {
        let words: Vec<&str> = migration.up.split_whitespace().collect();
        for (at, word) in words.iter().enumerate() {
            // CREATE [UNIQUE] INDEX name, DROP INDEX [IF EXISTS] name
            let makes = *word == "INDEX" && at > 0 && ["CREATE", "UNIQUE"].contains(&words[at - 1]);
            let drops = *word == "INDEX" && at > 0 && words[at - 1] == "DROP";
            let name = words[at + 1..].iter().find(|word| !["IF", "NOT", "EXISTS"].contains(word));
            let Some(name) = name.filter(|_| makes || drops) else { continue };
            let name = name.trim_end_matches(';').split('(').next().unwrap_or_default().to_owned();
            if makes {
                wanted.insert(name);
            } else {
                wanted.remove(&name);
            }
        }
    }
    wanted
}

impl Examination {
    /// How far the engine's clock is from ours, in ms; 0 when it runs in this process.
    pub fn skew_ms(&self, now: kernel::Micros) -> i64 {
        self.clock.map_or(0, |clock| (clock - now.0) / 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_log_count_its_files() {
        let number = |name| file_number(name, 16 << 20);
        assert_eq!(number("000000010000000000000003"), Some(3));
        assert_eq!(number("000000030000000200000001"), Some(2 * 256 + 1));
        assert_eq!(number("000000010000000000000003.00000028.backup"), Some(3));
        assert_eq!(number("00000002.history"), None);
    }
}
