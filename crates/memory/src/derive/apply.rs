//! From what was read to memories: each through the desk, which merges, closes, blocks and puts aside.

use std::collections::HashSet;

use kernel::{Error, Micros, Result};
use serde_json::{Map, json};
use store::Tx;

use super::Item;
use super::near::Twin;
use super::reading::{Statement, Wish};
use super::repeats::content_words;
use super::store::{self as sql, Unread};
use crate::events::{Channel, Sensitivity};
use crate::memories::change::{Desk, Draft, Outcome, rank};
use crate::memories::history::store as history;
use crate::memories::store::{self as memories, By, Head};
use crate::memories::{MemorySource, MemoryState, VersionOp, instructs};

/// Memories that one request to forget may take back; a wider one is for the owner to make by hand.
const MOST_FORGOTTEN: usize = 20;
/// Memories that are looked through for what is to be forgotten or put right, newest first.
const LOOKED_THROUGH: i64 = 2_000;

/// Words of a request to forget that tell nothing of what is meant.
const IDLE: &str = "old previous former current new thing stuff everything";

/// What became of the readings.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    derived: u64,
    merged: u64,
    blocked: u64,
    quarantined: u64,
    retracted: u64,
    corrected: u64,
}

impl Tally {
    /// Adds it to the metrics.
    pub(super) fn count(self) {
        let counts = [
            ("derived", self.derived),
            ("merged", self.merged),
            ("blocked", self.blocked),
            ("quarantined", self.quarantined),
            ("retracted", self.retracted),
            ("corrected", self.corrected),
        ];
        for (outcome, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            metrics::counter!("memory_derivations_total", "outcome" => outcome).increment(count);
        }
        metrics::counter!("memory_storage_total", "type" => "memory").increment(self.derived);
    }
}

/// Does what was read, in its order. Events that are gone or going meanwhile are passed over.
pub(super) async fn apply(tx: &mut Tx, desk: &Desk<'_>, items: Vec<Item>) -> Result<Tally> {
    let chunks = items.iter().flat_map(|item| std::iter::once(&item.chunk).chain(&item.also));
    let ids: Vec<&str> = chunks.map(|chunk| chunk.event_id.as_str()).collect();
    let standing: HashSet<String> =
        sql::list_standing(tx, desk.tenant, &ids, desk.now).await?.into_iter().collect();
    let mut tally = Tally::default();
    let mut made: Vec<Option<String>> = Vec::with_capacity(items.len());
    for item in items {
        let stands = |chunk: &Unread| standing.contains(&chunk.event_id);
        if !stands(&item.chunk) || !item.also.iter().all(stands) {
            made.push(None);
            continue;
        }
        let by = By { actor: item.by.clone(), reason: Some(item.chunk.event_id.clone()), ..By::default() };
        let memory_id = match item.wish.clone() {
            Wish::Keep(statement) => {
                let twin = match &item.twin {
                    Some(Twin::Known(id)) => Some(id.clone()),
                    Some(Twin::Earlier(at)) => made.get(*at).cloned().flatten(),
                    None => None,
                };
                keep(tx, desk, draft(&item, statement, &by, twin)?, &by, &mut tally).await?
            }
            Wish::Forget(topic) => {
                tally.retracted += forget(tx, desk, &item.chunk, &topic, &by).await?;
                None
            }
            Wish::Correct(right, wrong) => {
                correct(tx, desk, &item, (&right, &wrong), &by, &mut tally).await?;
                None
            }
        };
        made.push(memory_id);
    }
    Ok(tally)
}

/// Adds a memory and tells its id.
async fn keep(
    tx: &mut Tx,
    desk: &Desk<'_>,
    draft: Draft,
    by: &By,
    tally: &mut Tally,
) -> Result<Option<String>> {
    Ok(match desk.add(tx, draft, by).await? {
        Outcome::New(head, _) => {
            tally.derived += 1;
            tally.quarantined += u64::from(head.state == MemoryState::Quarantined.as_str());
            Some(head.memory_id)
        }
        Outcome::Merged(head) => {
            tally.merged += 1;
            Some(head.memory_id)
        }
        Outcome::Known => None,
        Outcome::Blocked => {
            tally.blocked += 1;
            None
        }
    })
}

/// It lives where its chunks live, as long as the first of their events to go, and is trusted as the least of their speakers.
/// A model may have been told what to note: what would give orders is put aside, whoever the words are laid to.
fn draft(item: &Item, said: Statement, by: &By, same_as: Option<String>) -> Result<Draft> {
    let chunk = &item.chunk;
    let chunks = || std::iter::once(chunk).chain(&item.also);
    let is_order = item.by.starts_with("model:") && instructs(said.kind, &said.text);
    let unknown = || Error::internal(format!("{} has words of another version", chunk.chunk_id));
    let mut metadata = Map::new();
    if let Some(days) = said.days {
        metadata.insert("date".to_owned(), json!(days.label()));
    }
    let happened = said.days.filter(|_| said.has_happened).map(|days| days.from);
    Ok(Draft {
        kind: said.kind,
        text: said.text,
        subject: said.subject.clone(),
        owner: chunk.user_id.clone(),
        agent_id: chunk.agent_id.clone(),
        session_id: Some(chunk.session_id.clone()),
        channel: Channel::parse(&chunk.channel).ok_or_else(unknown)?,
        sensitivity: Sensitivity::parse(&chunk.sensitivity).ok_or_else(unknown)?,
        valid_from: happened.unwrap_or(Micros(chunk.occurred_at)),
        expires_at: chunks().filter_map(|chunk| chunk.expires_at).min().map(Micros),
        importance: said.importance,
        pinned: false,
        trust: least_trusted(chunks()),
        state: if is_order { MemoryState::Quarantined } else { MemoryState::Active },
        derived_by: by.actor.clone(),
        confidence: said.confidence,
        tags: Vec::new(),
        metadata,
        sources: sources(item),
        supersedes: None,
        closes_subject: said.subject.is_some(),
        same_as,
    })
}

fn least_trusted<'a>(chunks: impl Iterator<Item = &'a Unread>) -> String {
    chunks.map(|chunk| &chunk.trust).min_by_key(|trust| rank(trust)).cloned().unwrap_or_default()
}

fn sources(item: &Item) -> Vec<MemorySource> {
    let source = |chunk: &Unread, (start, end): (usize, usize)| MemorySource {
        event_id: chunk.event_id.clone(),
        start_byte: Some(chunk.start_byte + start as i64),
        end_byte: Some(chunk.start_byte + end as i64),
    };
    let also = item.also.iter().map(|chunk| source(chunk, (0, chunk.length())));
    std::iter::once(source(&item.chunk, item.span)).chain(also).collect()
}

/// Whether what a person says counts as the owner's word: in a home of their own, or under their own name.
fn is_owners_word(chunk: &Unread) -> bool {
    let is_at_home = matches!(Channel::parse(&chunk.channel), Some(Channel::Private | Channel::Agent));
    chunk.trust == "user" && (is_at_home || chunk.actor_id == chunk.user_id)
}

/// Takes back the owner's memories that hold every content word of the topic and were so before the wish.
async fn forget(tx: &mut Tx, desk: &Desk<'_>, chunk: &Unread, topic: &str, by: &By) -> Result<u64> {
    let idle = content_words(IDLE);
    let topic: HashSet<String> = content_words(topic).difference(&idle).cloned().collect();
    if topic.is_empty() || !is_owners_word(chunk) {
        return Ok(0);
    }
    let all = memories::list_live(tx, desk.tenant, &chunk.user_id, LOOKED_THROUGH).await?;
    let is_meant = |head: &Head| {
        let words = content_words(&format!("{} {}", head.text, head.subject.as_deref().unwrap_or_default()));
        head.valid_from <= chunk.occurred_at && topic.is_subset(&words)
    };
    let meant: Vec<Head> = all.into_iter().filter(is_meant).collect();
    if meant.len() > MOST_FORGOTTEN {
        tracing::warn!(event_id = chunk.event_id, memories = meant.len(), "too much to forget at a word");
        return Ok(0);
    }
    let mut count = 0;
    for head in meant {
        if history::has_version_for(tx, desk.tenant, &head.memory_id, &by.actor, &chunk.event_id).await? {
            continue;
        }
        let retract = |head: &mut Head| MemoryState::Retracted.as_str().clone_into(&mut head.state);
        desk.change(tx, &head, VersionOp::Retract, by, retract).await?;
        count += 1;
    }
    Ok(count)
}

/// Puts `right` in the place of `wrong` in the newest memory of the same conversation that holds it.
async fn correct(
    tx: &mut Tx,
    desk: &Desk<'_>,
    item: &Item,
    (right, wrong): (&str, &str),
    by: &By,
    tally: &mut Tally,
) -> Result<()> {
    let chunk = &item.chunk;
    if !is_owners_word(chunk) {
        return Ok(());
    }
    let all = memories::list_live(tx, desk.tenant, &chunk.user_id, LOOKED_THROUGH).await?;
    let is_meant = |head: &&Head| {
        head.conversation_id.as_deref() == Some(&chunk.session_id)
            && head.derived_by.starts_with("rule:")
            && head.channel == chunk.channel
            && replaced(&head.text, wrong, right).is_some()
    };
    let Some(old) = all.iter().find(is_meant) else { return Ok(()) };
    let Some(kind) = crate::memories::MemoryType::parse(&old.r#type) else { return Ok(()) };
    let said = Statement {
        kind,
        text: replaced(&old.text, wrong, right).unwrap_or_default(),
        subject: old.subject.clone(),
        importance: old.importance,
        confidence: 0.9,
        days: None,
        has_happened: false,
    };
    let mut draft = draft(item, said, by, None)?;
    draft.supersedes = Some(old.clone());
    draft.closes_subject = false;
    if keep(tx, desk, draft, by, tally).await?.is_some() {
        tally.corrected += 1;
    }
    Ok(())
}

/// The text with whole words `wrong` replaced; the days a rule has worked out no longer hold.
fn replaced(text: &str, wrong: &str, right: &str) -> Option<String> {
    let said = text.rsplit_once(" (2").map_or(text, |(said, _)| said);
    let at = said.to_lowercase().find(&wrong.to_lowercase()).filter(|at| said.is_char_boundary(*at))?;
    let end = at + wrong.len();
    let is_edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    let is_whole = said.is_char_boundary(end)
        && is_edge(said[..at].chars().next_back())
        && is_edge(said.get(end..)?.chars().next());
    is_whole.then(|| format!("{}{right}{}", &said[..at], &said[end..]))
}
