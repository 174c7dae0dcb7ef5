//! `erasures.jsonl`: what was erased, beside the backups and in none of them, so that a restore can repeat it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use kernel::{Micros, TenantId};
use serde::{Deserialize, Serialize};

use super::{Eraser, Report, Subject};
use crate::backup::{BackupError, Result, make_folder, sync};
use crate::{Conn, Reach, fetch_all};

/// One erasure that was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasureLine {
    /// `era_…`
    pub erasure_id: String,
    /// Its tenant.
    pub tenant_id: TenantId,
    /// Kind of the subject.
    pub kind: String,
    /// Salt of the hash.
    pub salt: String,
    /// The subject, see [`Subject::digest`].
    pub subject_hash: String,
    /// When its rows were gone: a backup of a later instant has none of them, but may have newer ones.
    pub erased_at: Micros,
}

/// The file.
#[derive(Clone, Debug)]
pub struct ErasureList(PathBuf);

impl ErasureList {
    /// The list of the backups in `folder`.
    pub fn beside(folder: &Path) -> Self {
        Self(folder.join("erasures.jsonl"))
    }

    /// Adds a line durably. A line that a crash cut short is dropped first: its erasure was not finished and comes again.
    ///
    /// # Errors
    /// `File`; the list is then as it was.
    pub fn add(&self, line: &ErasureLine) -> Result<()> {
        let folder = self.0.parent().unwrap_or(Path::new("."));
        make_folder(folder)?;
        let write = || {
            let mut file = File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(&self.0)?;
            let mut text = Vec::new();
            file.read_to_end(&mut text)?;
            let end = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1) as u64;
            file.set_len(end)?;
            file.seek(SeekFrom::Start(end))?;
            let mut added = serde_json::to_vec(line)?;
            added.push(b'\n');
            let written = file.write_all(&added).and_then(|()| file.sync_all());
            if written.is_err() {
                let _ = file.set_len(end);
            }
            written
        };
        write().map_err(BackupError::at(&self.0))?;
        sync(folder)
    }

    /// Every line; none when there is no file.
    ///
    /// # Errors
    /// `Damaged` with the line that cannot be read; `File`.
    pub fn read(&self) -> Result<Vec<ErasureLine>> {
        match std::fs::read_to_string(&self.0) {
            Ok(text) => lines(&text, &self.0.display().to_string()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(BackupError::at(&self.0)(error)),
        }
    }

    /// Adds the lines of another list, which lies at `address`, that are not here; gives the text of all, which is empty when
    /// neither has any.
    ///
    /// # Errors
    /// As [`ErasureList::read`] and [`ErasureList::add`].
    pub fn join(&self, other: &str, address: &str) -> Result<String> {
        let mut all = self.read()?;
        for line in lines(other, address)? {
            if !all.contains(&line) {
                self.add(&line)?;
                all.push(line);
            }
        }
        let text = all.iter().map(|line| serde_json::to_string(line).expect("a line is plain data") + "\n");
        Ok(text.collect())
    }

    /// Erases again, in a database that was restored from a backup made at `made_at`, whatever was erased since; returns how
    /// many subjects it found.
    ///
    /// # Errors
    /// As [`ErasureList::read`] and [`Eraser::erase`].
    pub async fn repeat(&self, eraser: &Eraser<'_>, made_at: Micros, now: Micros) -> Result<usize> {
        let mut lines = self.read()?;
        lines.retain(|line| line.erased_at >= made_at);
        if lines.is_empty() {
            return Ok(0);
        }
        let mut conn = eraser.store.read(Reach::Everyone).await?;
        let names = names(&mut conn, eraser).await?;
        drop(conn);
        let mut found = BTreeSet::new();
        for line in &lines {
            let subjects = names.iter().filter_map(|name| name.subjects(line));
            let whole = Subject::of(line.tenant_id.clone(), &line.kind, None, None);
            for subject in subjects.chain(whole).filter(|one| one.digest(&line.salt) == line.subject_hash) {
                eraser.erase(&subject, Report::default(), None, now).await?;
                found.insert(line.subject_hash.clone());
            }
        }
        Ok(found.len())
    }
}

/// The whole lines of a text.
fn lines(text: &str, place: &str) -> Result<Vec<ErasureLine>> {
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let line = |(at, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|_| {
            BackupError::Damaged(format!(
                "{place}: line {} cannot be read; mend it, or what it erased would come back",
                at + 1
            ))
        })
    };
    whole.lines().enumerate().map(line).collect()
}

/// Somebody whose data may be in a database.
struct Name {
    tenant_id: String,
    user_id: String,
    session_id: Option<String>,
}

impl Name {
    /// The subject of a line's kind with this name, if there can be one.
    fn subjects(&self, line: &ErasureLine) -> Option<Subject> {
        if self.tenant_id != line.tenant_id.as_str() || self.session_id.is_some() != (line.kind == "session")
        {
            return None;
        }
        let (user_id, session_id) = (Some(self.user_id.clone()), self.session_id.clone());
        Subject::of(line.tenant_id.clone(), &line.kind, user_id, session_id)
    }
}

async fn names(conn: &mut Conn, eraser: &Eraser<'_>) -> Result<Vec<Name>> {
    let mut names = Vec::new();
    for sql in eraser.domains.iter().flat_map(|domain| domain.directories) {
        let rows = fetch_all!(conn, (String, String, Option<String>), *sql)?;
        names.extend(rows.into_iter().map(|(tenant_id, user_id, session_id)| Name {
            tenant_id,
            user_id,
            session_id,
        }));
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(erasure_id: &str) -> ErasureLine {
        ErasureLine {
            erasure_id: erasure_id.to_owned(),
            tenant_id: TenantId::parse("acme").unwrap(),
            kind: "owner".to_owned(),
            salt: "s".to_owned(),
            subject_hash: "h".to_owned(),
            erased_at: Micros(7),
        }
    }

    #[test]
    fn lines_stay_and_one_that_was_cut_short_is_dropped() {
        let home = tempfile::tempdir().unwrap();
        let list = ErasureList::beside(&home.path().join("backups"));
        assert_eq!(list.read().unwrap(), []);
        list.add(&line("one")).unwrap();
        let path = home.path().join("backups/erasures.jsonl");
        let mut text = std::fs::read(&path).unwrap();
        text.extend_from_slice(b"{\"erasure_id\":\"tw");
        std::fs::write(&path, text).unwrap();
        assert_eq!(list.read().unwrap(), [line("one")]);
        list.add(&line("two")).unwrap();
        assert_eq!(list.read().unwrap(), [line("one"), line("two")]);
    }

    #[test]
    fn two_lists_become_one_whichever_is_joined_to_the_other() {
        let home = tempfile::tempdir().unwrap();
        let list = ErasureList::beside(home.path());
        list.add(&line("one")).unwrap();
        let other = serde_json::to_string(&line("two")).unwrap();
        let all = list.join(&format!("{other}\n{other}\n"), "there").unwrap();
        assert_eq!(list.read().unwrap(), [line("one"), line("two")]);
        assert_eq!(list.join(&all, "there").unwrap(), all, "nothing is added twice");
        assert!(list.join("garbage\n", "s3://there").unwrap_err().to_string().contains("s3://there: line 1"));
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named_and_never_passed_over() {
        let home = tempfile::tempdir().unwrap();
        let list = ErasureList::beside(home.path());
        list.add(&line("one")).unwrap();
        let path = home.path().join("erasures.jsonl");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{text}garbage\n{text}")).unwrap();
        assert!(list.read().unwrap_err().to_string().contains("line 2"));
    }
}
