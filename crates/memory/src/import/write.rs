//! One chunk of an import: one transaction, all of it or nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use kernel::{Error, Micros, Result, TenantId};
use serde_json::{Map, Value as Json};
use store::{Reach, Tx, Value};

use super::columns::{KINDS, Kind};
use super::row::Row;
use super::store as sql;
use crate::Memory;
use crate::embed;
use crate::events::store::bump_scopes;
use crate::events::{Channel, EventKind, Sensitivity, chunks_of};
use crate::memories::change::normalised;
use crate::memories::history::store::is_blocked;
use crate::rights::refuse_erased;
use crate::search::policy::{Partition, partition_of};
use crate::text::indexed_text;

/// Code of the error that takes a dry run's rows back.
const DRY: &str = "import_dry_run";

/// Rows that are written together, and what writing them needs.
pub(super) struct Chunk {
    pub(super) memory: Memory,
    pub(super) tenant: TenantId,
    pub(super) rows: Vec<Row>,
    /// Ids of earlier chunks that a dry run did not write.
    pub(super) seen: HashSet<String>,
    /// Whether long texts come as objects.
    pub(super) has_objects: bool,
    /// Whether facts that their owner blocked stay out.
    pub(super) checks_blocked: bool,
    pub(super) now: Micros,
}

/// What a chunk did.
#[derive(Clone, Debug, Default)]
pub(super) struct Written {
    pub(super) imported: BTreeMap<&'static str, u64>,
    pub(super) skipped: BTreeMap<&'static str, u64>,
    pub(super) known: u64,
}

type Scopes = BTreeMap<(String, Partition), (String, i64)>;

impl Chunk {
    /// Writes the rows that are not there yet; a dry run takes them back.
    ///
    /// # Errors
    /// `id_taken` with the line, `unknown_ref` with the line, `erasure_in_progress`, or the store's.
    pub(super) async fn write(mut self, is_dry: bool) -> Result<Written> {
        for row in &mut self.rows {
            if let Some(bytes) = row.bytes.clone().filter(|_| !is_dry) {
                let key = self.memory.0.blobs.put(&self.tenant, bytes).await?;
                row.cells.push(key.into());
            } else if row.bytes.is_some() {
                row.cells.push("dry".into());
            }
        }
        let (tenant, wake) = (self.tenant.clone(), self.memory.0.wake_jobs.clone());
        let store = self.memory.0.store.clone();
        let (told, mut hear) = tokio::sync::mpsc::unbounded_channel();
        let written = store.write("memory.import", Reach::of(&tenant), move |tx| {
            Box::pin(async move {
                let written = self.apply(tx).await?;
                if is_dry {
                    let _ = told.send(written);
                    return Err(Error::invalid(DRY, "nothing was written"));
                }
                Ok(written)
            })
        });
        match written.await {
            Err(error) if error.code == DRY => hear.try_recv().map_err(Error::internal),
            written => {
                wake.notify_one();
                written
            }
        }
    }

    async fn apply(mut self, tx: &mut Tx) -> Result<Written> {
        let mut written = Written::default();
        self.drop_known(tx, &mut written).await?;
        self.add_conversations();
        let scopes = self.lock(tx).await?;
        self.drop_orphans(tx, &mut written).await?;
        if self.checks_blocked {
            self.drop_blocked(tx, &mut written).await?;
        }
        for kind in KINDS {
            let rows: Vec<Row> = self.rows.iter().filter(|row| row.kind.word == kind.word).cloned().collect();
            if rows.is_empty() {
                continue;
            }
            let values = rows.iter().map(|row| self.values(row, &scopes)).collect();
            let added = sql::add_rows(tx, kind.word, kind.insert, values).await?;
            if added < rows.len() as u64 {
                self.refuse_taken(tx, kind, &rows).await?;
            }
            // A conversation is there before its events or with them: it is no row of its own to count.
            if kind.word != "conversation" {
                *written.imported.entry(kind.word).or_default() += added;
                written.known += rows.len() as u64 - added;
            }
            match kind.word {
                "event" => self.index(tx, &rows, &scopes).await?,
                "artifact" => self.index_whole(tx, &rows, &scopes).await?,
                _ => {}
            }
        }
        if let Some(model) = self.memory.0.embedder.model_id() {
            for (scope_id, _) in scopes.values() {
                embed::enqueue(tx, &self.tenant, scope_id, model, self.now).await?;
            }
        }
        Ok(written)
    }

    /// Leaves out rows whose id the tenant has: they were imported, or exported here, before.
    async fn drop_known(&mut self, tx: &mut Tx, written: &mut Written) -> Result<()> {
        let mut known = HashSet::new();
        for kind in KINDS {
            let ids: Vec<String> =
                self.rows.iter().filter(|row| row.kind.word == kind.word).filter_map(Row::id).collect();
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            known.extend(sql::list_known(tx, &self.tenant, kind.word, &ids).await?);
        }
        let before = self.rows.len();
        // A version or source begins with the id of what it belongs to; those have their own keys.
        let is_own =
            |row: &Row| !matches!(row.kind.word, "memory_version" | "block_version" | "memory_source");
        self.rows.retain(|row| !(is_own(row) && row.id().is_some_and(|id| known.contains(&id))));
        written.known += (before - self.rows.len()) as u64;
        Ok(())
    }

    /// A conversation for every event, also where the file has no line for it. Its events are counted when they are written, so
    /// that a file which is cut promises none that did not come.
    fn add_conversations(&mut self) {
        let kind = Kind::of("conversation").expect("a kind of the table");
        let mut spans: BTreeMap<(String, String), [i64; 3]> = BTreeMap::new();
        for row in self.rows.drain(..).collect::<Vec<_>>() {
            let at = |first: &str, last: &str| (row.number(first), row.number(last));
            let (seq, (first, last)) = match row.kind.word {
                "conversation" => (row.number("last_seq"), at("first_at", "last_at")),
                "event" => (row.number("seq"), at("occurred_at", "occurred_at")),
                _ => {
                    self.rows.push(row);
                    continue;
                }
            };
            let key = (row.text("user_id"), row.text("session_id"));
            let span = spans.entry(key).or_insert([seq, first, last]);
            *span = [span[0].max(seq), span[1].min(first), span[2].max(last)];
            if row.kind.word == "event" {
                self.rows.push(row);
            }
        }
        self.rows.extend(spans.into_iter().map(|((owner, session), [seq, first, last])| {
            let cells =
                vec![owner.into(), session.into(), seq.into(), 0_i64.into(), first.into(), last.into()];
            Row { kind, line: 0, cells, bytes: None }
        }));
    }

    /// Takes the lock on every partition that is written to, and on each owner's own, and refuses those who are being erased.
    async fn lock(&self, tx: &mut Tx) -> Result<Scopes> {
        let mut counts: BTreeMap<(String, Partition), (i64, i64)> = BTreeMap::new();
        let mut writes: BTreeSet<(String, String)> = BTreeSet::new();
        for row in &self.rows {
            let owner = row.text("user_id");
            if owner.is_empty() {
                continue;
            }
            let own = Partition { home: Channel::Private, owner: owner.clone(), tier: Sensitivity::None };
            counts.entry((self.tenant.to_string(), own)).or_default();
            if let Some(partition) = partition(row) {
                let count = counts.entry((self.tenant.to_string(), partition)).or_default();
                if row.kind.word == "event" {
                    *count = (count.0 + 1, count.1 + row.number("text_bytes"));
                }
            }
            let session = match row.kind.word {
                "memory" => row.text("conversation_id"),
                _ => row.text("session_id"),
            };
            writes.insert((owner, session));
        }
        for long in self.long_events(tx).await? {
            if let Some(partition) = long.1 {
                counts.entry((self.tenant.to_string(), partition)).or_default();
            }
        }
        let scopes = bump_scopes(tx, &counts, self.now).await?;
        let tenant = self.tenant.as_str();
        let writes: Vec<(&str, &str, &str)> =
            writes.iter().map(|(owner, session)| (tenant, owner.as_str(), session.as_str())).collect();
        refuse_erased(tx, &writes).await?;
        Ok(scopes)
    }

    /// Leaves out sources and versions of what is not there, and refuses those of somebody else's.
    async fn drop_orphans(&mut self, tx: &mut Tx, written: &mut Written) -> Result<()> {
        let parents = |row: &Row| match row.kind.word {
            "memory_source" => vec![row.text("memory_id"), row.text("event_id")],
            "memory_version" => vec![row.text("memory_id")],
            "block_version" => vec![row.text("block_id")],
            "artifact" => vec![row.text("event_id")],
            _ => Vec::new(),
        };
        let ids: HashSet<String> = self.rows.iter().flat_map(parents).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let mut owners: HashMap<String, String> =
            sql::list_owners(tx, &self.tenant, &ids).await?.into_iter().collect();
        let here = self.rows.iter().filter(|row| matches!(row.kind.word, "event" | "memory" | "block"));
        owners.extend(here.filter_map(|row| Some((row.id()?, row.text("user_id")))));
        let mut kept = Vec::with_capacity(self.rows.len());
        for row in std::mem::take(&mut self.rows) {
            let of: Vec<Option<&String>> = parents(&row).iter().map(|id| owners.get(id)).collect();
            let is_there = parents(&row).iter().all(|id| owners.contains_key(id) || self.seen.contains(id));
            if !is_there {
                *written.skipped.entry(row.kind.word).or_default() += 1;
                continue;
            }
            if let [Some(memory), Some(event)] = of.as_slice()
                && memory != event
            {
                let text = format!("line {}: event_id: leads nowhere", row.line);
                return Err(Error::invalid("unknown_ref", text));
            }
            kept.push(row);
        }
        self.rows = kept;
        Ok(())
    }

    /// Leaves out what its owner does not want known, with its versions.
    async fn drop_blocked(&mut self, tx: &mut Tx, written: &mut Written) -> Result<()> {
        let mut blocked = HashSet::new();
        for row in self.rows.iter().filter(|row| row.kind.word == "memory") {
            let said = format!("{}\n{}", row.text("subject"), normalised(&row.text("text")));
            let fingerprint = self.memory.0.redactor.keyed_hash(&said);
            if is_blocked(tx, &self.tenant, &row.text("user_id"), &fingerprint).await? {
                blocked.insert(row.text("memory_id"));
            }
        }
        let before = self.rows.len();
        self.rows.retain(|row| !blocked.contains(&row.text("memory_id")));
        written.known += (before - self.rows.len()) as u64;
        Ok(())
    }

    /// The values of a row: the tenant, its cells, and what is derived.
    fn values(&self, row: &Row, scopes: &Scopes) -> Vec<Value> {
        let mut values = Vec::with_capacity(row.cells.len() + 4);
        values.push(self.tenant.as_str().into());
        values.extend(row.cells.iter().cloned());
        if row.kind.word == "memory" {
            let scope = partition(row).and_then(|p| scopes.get(&(self.tenant.to_string(), p)));
            values.push(::store::blob::data_hash(normalised(&row.text("text")).as_bytes()).into());
            values.push(scope.map(|(scope_id, _)| scope_id.clone()).into());
            values.push(scope.map_or(0, |(_, version)| *version).into());
        }
        values
    }

    /// Rows that were passed over although the tenant has no such id: somebody else has it.
    async fn refuse_taken(&self, tx: &mut Tx, kind: &Kind, rows: &[Row]) -> Result<()> {
        let ids: Vec<String> = rows.iter().filter_map(Row::id).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        if !matches!(kind.word, "event" | "memory" | "decision" | "edit" | "rule" | "capsule" | "artifact") {
            return Ok(());
        }
        let known: HashSet<String> =
            sql::list_known(tx, &self.tenant, kind.word, &ids).await?.into_iter().collect();
        let Some(row) = rows.iter().find(|row| row.id().is_some_and(|id| !known.contains(&id))) else {
            return Ok(());
        };
        let text = format!(
            "line {}: this id, or the caller's own id of the event, is taken by something else; import with ids=new",
            row.line
        );
        Err(Error::conflict("id_taken", text))
    }

    /// Cuts the new events into chunks, and counts their conversations.
    async fn index(&self, tx: &mut Tx, rows: &[Row], scopes: &Scopes) -> Result<()> {
        let mut sessions = BTreeSet::new();
        for row in rows {
            sessions.insert((row.text("user_id"), row.text("session_id")));
            let content: Map<String, Json> = serde_json::from_str(&row.text("content")).unwrap_or_default();
            let is_cut = content.get("truncated") == Some(&Json::Bool(true));
            let (Some(partition), Some(kind)) = (partition(row), EventKind::parse(&row.text("kind"))) else {
                continue;
            };
            let Some(scope) = scopes.get(&(self.tenant.to_string(), partition.clone())) else { continue };
            if is_cut && self.has_objects {
                continue;
            }
            let chunks = chunks_of(&row.text("event_id"), &indexed_text(kind, &content), false);
            sql::add_chunks(tx, &self.tenant, &row.text("event_id"), scope, partition.tier.as_str(), &chunks)
                .await?;
        }
        for (owner, session) in sessions {
            sql::recount(tx, &self.tenant, &owner, &session).await?;
        }
        Ok(())
    }

    /// The events of the chunk's artifacts, with the text of each and the partition it is indexed in.
    async fn long_events(&self, tx: &mut Tx) -> Result<Vec<(sql::LongEvent, Option<Partition>)>> {
        let ids: Vec<String> = self
            .rows
            .iter()
            .filter(|row| row.kind.word == "artifact")
            .map(|row| row.text("event_id"))
            .collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let events = sql::list_events(tx, &self.tenant, &ids).await?;
        let place = |event: &sql::LongEvent| {
            let words = Channel::parse(&event.channel).zip(Sensitivity::parse(&event.sensitivity));
            words
                .filter(|_| !event.recalled)
                .and_then(|(home, tier)| partition_of(home, tier, &event.user_id))
        };
        Ok(events
            .into_iter()
            .map(|event| (place(&event), event))
            .map(|(place, event)| (event, place))
            .collect())
    }

    /// Cuts long texts into chunks when their objects have come.
    async fn index_whole(&self, tx: &mut Tx, rows: &[Row], scopes: &Scopes) -> Result<()> {
        for (event, partition) in self.long_events(tx).await? {
            let row = rows.iter().find(|row| row.text("event_id") == event.event_id);
            let text = row.and_then(|row| String::from_utf8(row.bytes.as_ref()?.to_vec()).ok());
            let content: Map<String, Json> = serde_json::from_str(&event.content).unwrap_or_default();
            let is_cut = content.get("truncated") == Some(&Json::Bool(true));
            let (Some(partition), Some(text), Some(kind)) = (partition, text, EventKind::parse(&event.kind))
            else {
                continue;
            };
            let Some(scope) = scopes.get(&(self.tenant.to_string(), partition.clone())).filter(|_| is_cut)
            else {
                continue;
            };
            let mut whole = content;
            whole.insert("text".to_owned(), text.replace('\0', "\u{FFFD}").into());
            let chunks = chunks_of(&event.event_id, &indexed_text(kind, &whole), true);
            sql::add_chunks(tx, &self.tenant, &event.event_id, scope, partition.tier.as_str(), &chunks)
                .await?;
        }
        Ok(())
    }
}

/// Where a row is indexed; `None` for what never is.
fn partition(row: &Row) -> Option<Partition> {
    if !matches!(row.kind.word, "event" | "memory") || row.flag("recalled") {
        return None;
    }
    let words = Channel::parse(&row.text("channel")).zip(Sensitivity::parse(&row.text("sensitivity")));
    words.and_then(|(home, tier)| partition_of(home, tier, &row.text("user_id")))
}
