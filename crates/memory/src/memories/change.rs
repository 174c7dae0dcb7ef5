//! The two ways a memory changes: it is added, or it gets a new version. Nothing is ever overwritten.

use std::collections::BTreeMap;

use kernel::{Error, Micros, Result, TenantId};
use serde_json::{Map, Value};
use store::Tx;

use super::history::store as history;
use super::instructions::instructs;
use super::model::{MemorySource, MemoryState, MemoryType, VersionOp};
use super::store::{self as sql, By, Head};
use crate::embed;
use crate::events::{Channel, Sensitivity, store::bump_scopes};
use crate::redact::Redactor;

/// A memory about to be added.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) kind: MemoryType,
    pub(crate) text: String,
    pub(crate) subject: Option<String>,
    pub(crate) owner: String,
    pub(crate) agent_id: Option<String>,
    pub(crate) session_id: Option<String>,
    pub(crate) channel: Channel,
    pub(crate) sensitivity: Sensitivity,
    pub(crate) valid_from: Micros,
    pub(crate) expires_at: Option<Micros>,
    pub(crate) importance: f64,
    pub(crate) pinned: bool,
    pub(crate) trust: String,
    pub(crate) state: MemoryState,
    /// `user`, `agent`, `rule:…` or `model:…`; the last two ask whether the fact is blocked.
    pub(crate) derived_by: String,
    pub(crate) confidence: f64,
    pub(crate) tags: Vec<String>,
    pub(crate) metadata: Map<String, Value>,
    pub(crate) sources: Vec<MemorySource>,
    /// The memory whose place it takes.
    pub(crate) supersedes: Option<Head>,
    /// Takes the place of whatever was known of its subject.
    pub(crate) closes_subject: bool,
    /// The memory that says the same in other words.
    pub(crate) same_as: Option<String>,
}

/// What became of a draft.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// It is a memory now; these are closed.
    New(Head, Vec<String>),
    /// This one says the same already.
    Merged(Head),
    /// The same was derived from the same event before, whatever became of it since.
    Known,
    /// Its owner does not want it known.
    Blocked,
}

/// What a change needs beside its transaction.
#[derive(Clone, Copy)]
pub(crate) struct Desk<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) redactor: &'a Redactor,
    /// Model that is to embed what is new.
    pub(crate) model: Option<&'a str>,
    pub(crate) now: Micros,
}

/// Words without case, punctuation and spacing: what two ways of writing the same have in common.
pub(crate) fn normalised(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

/// How far a word is trusted; larger is more.
pub(crate) fn rank(trust: &str) -> u8 {
    match trust {
        "user" => 3,
        "agent" => 2,
        "tool" => 1,
        _ => 0,
    }
}

impl Desk<'_> {
    /// Adds a memory, unless it is known or blocked. A later one about the same subject closes the earlier ones, but never
    /// one of higher trust or a pinned one: that pair goes to review, as does what an order given by nobody would close.
    pub(crate) async fn add(&self, tx: &mut Tx, draft: Draft, by: &By) -> Result<Outcome> {
        let mut head = self.head_of(&draft);
        self.touch(tx, &mut head).await?;
        let is_derived = draft.derived_by.contains(':');
        if is_derived && let Some(outcome) = self.find_earlier(tx, &head, &draft.sources).await? {
            return Ok(outcome);
        }
        if let Some(known) = self.find_same(tx, &head, draft.same_as.as_deref()).await? {
            return self.merge(tx, known, &head, &draft.sources).await;
        }
        let mut older: Vec<Head> = draft.supersedes.into_iter().collect();
        if draft.closes_subject && head.subject.is_some() {
            older.extend(sql::list_of_subject(tx, self.tenant, &head).await?);
        }
        if is_derived && let Some(newer) = newer_of(&older, &head) {
            // Told late: it was so until then.
            (head.valid_to, head.superseded_by) = (Some(newer.valid_from), Some(newer.memory_id.clone()));
            older.clear();
        }
        sql::add_head(tx, self.tenant, &head).await?;
        history::add_version(tx, self.tenant, &head, VersionOp::Add.as_str(), by, self.now).await?;
        history::add_sources(tx, self.tenant, &head.memory_id, &draft.sources).await?;
        let is_put_aside = head.state == MemoryState::Quarantined.as_str();
        let mut closed = Vec::new();
        for old in older {
            let is_weaker = is_derived && (old.pinned || rank(&old.trust) > rank(&head.trust));
            if is_weaker || is_put_aside {
                super::edits::add_conflict(tx, self, &old, &head, by).await?;
                metrics::counter!("memory_conflicts_total").increment(1);
                continue;
            }
            let (until, next) = (head.valid_from.max(old.valid_from), head.memory_id.clone());
            self.change(tx, &old, VersionOp::Supersede, by, |changed| {
                changed.valid_to = Some(until);
                changed.superseded_by = Some(next);
            })
            .await?;
            closed.push(old.memory_id);
        }
        Ok(Outcome::New(head, closed))
    }

    /// Whether a derived memory is blocked, or was derived from this event before: what became of it then is its owner's will.
    async fn find_earlier(
        &self,
        tx: &mut Tx,
        head: &Head,
        sources: &[MemorySource],
    ) -> Result<Option<Outcome>> {
        if history::is_blocked(tx, self.tenant, &head.user_id, &self.fingerprint(head)).await? {
            return Ok(Some(Outcome::Blocked));
        }
        for source in sources {
            if history::rests_on(tx, self.tenant, &head.text_hash, &source.event_id).await? {
                return Ok(Some(Outcome::Known));
            }
        }
        Ok(None)
    }

    /// The live memory that says the same: in the same words, or the one that is named, if it still stands in the same place.
    async fn find_same(&self, tx: &mut Tx, head: &Head, named: Option<&str>) -> Result<Option<Head>> {
        if let Some(equal) = sql::find_equal(tx, self.tenant, head).await? {
            return Ok(Some(equal));
        }
        let Some(id) = named else { return Ok(None) };
        let stands = |known: &Head| {
            known.state == MemoryState::Active.as_str()
                && known.valid_to.is_none()
                && known.scope_id == head.scope_id
                && (&known.user_id, &known.agent_id) == (&head.user_id, &head.agent_id)
        };
        Ok(sql::find(tx, self.tenant, id).await?.filter(stands))
    }

    /// Notes that a memory was said again. A voice that is trusted less only repeats it, and an event counts once.
    async fn merge(
        &self,
        tx: &mut Tx,
        known: Head,
        head: &Head,
        sources: &[MemorySource],
    ) -> Result<Outcome> {
        if rank(&head.trust) < rank(&known.trust) {
            return Ok(Outcome::Merged(known));
        }
        let added = history::add_sources(tx, self.tenant, &known.memory_id, sources).await?;
        if sources.is_empty() || added > 0 {
            sql::count_merge(tx, self.tenant, &known.memory_id).await?;
        }
        Ok(Outcome::Merged(known))
    }

    /// Gives a memory a new version, in which `edit` has changed what is to change.
    ///
    /// # Errors
    /// `edit_stale` when `old` is no longer the last version.
    pub(crate) async fn change(
        &self,
        tx: &mut Tx,
        old: &Head,
        op: VersionOp,
        by: &By,
        edit: impl FnOnce(&mut Head),
    ) -> Result<Head> {
        let mut head = old.clone();
        edit(&mut head);
        head.version = old.version + 1;
        head.text_hash = text_hash(&head.text);
        self.touch(tx, &mut head).await?;
        if sql::update_head(tx, self.tenant, &head).await? == 0 {
            return Err(Error::conflict("edit_stale", "the memory has changed since; read it again"));
        }
        history::add_version(tx, self.tenant, &head, op.as_str(), by, self.now).await?;
        if head.text_hash == old.text_hash {
            sql::carry_vectors(tx, self.tenant, &head).await?;
        } else {
            sql::remove_vectors(tx, self.tenant.as_str(), &head.memory_id).await?;
        }
        Ok(head)
    }

    /// Keyed hash of what a fact says, for facts that must stay gone.
    pub(crate) fn fingerprint(&self, head: &Head) -> String {
        let subject = head.subject.as_deref().unwrap_or_default();
        self.redactor.keyed_hash(&format!("{subject}\n{}", normalised(&head.text)))
    }

    /// Bumps the version of the head's partition and locks it, which puts writers of the same facts in a row; asks for its
    /// vector.
    async fn touch(&self, tx: &mut Tx, head: &mut Head) -> Result<()> {
        let Some(partition) = head.partition() else { return Ok(()) };
        let key = (self.tenant.to_string(), partition);
        let scopes = bump_scopes(tx, &BTreeMap::from([(key, (0, 0))]), self.now).await?;
        for (scope_id, version) in scopes.into_values() {
            if let Some(model) = self.model {
                embed::enqueue(tx, self.tenant, &scope_id, model, self.now).await?;
            }
            (head.scope_id, head.scope_version) = (Some(scope_id), version);
        }
        let session = head.conversation_id.as_deref().unwrap_or_default();
        crate::rights::refuse_erased(tx, &[(self.tenant.as_str(), &head.user_id, session)]).await
    }

    fn head_of(&self, draft: &Draft) -> Head {
        let json = |list: &[String]| serde_json::to_string(list).expect("a list of text is JSON");
        Head {
            memory_id: kernel::id::new_id("mem", self.now),
            version: 1,
            r#type: draft.kind.as_str().to_owned(),
            text: draft.text.clone(),
            text_hash: text_hash(&draft.text),
            subject: draft.subject.clone(),
            user_id: draft.owner.clone(),
            agent_id: draft.agent_id.clone(),
            conversation_id: draft.session_id.clone(),
            scope_id: None,
            scope_version: 0,
            channel: draft.channel.as_str().to_owned(),
            sensitivity: draft.sensitivity.as_str().to_owned(),
            valid_from: draft.valid_from.0,
            valid_to: None,
            recorded_at: self.now.0,
            superseded_by: None,
            importance: draft.importance,
            pinned: draft.pinned,
            expires_at: draft.expires_at.map(|at| at.0),
            last_used_at: None,
            use_count: 0,
            trust: draft.trust.clone(),
            state: state_of(draft).as_str().to_owned(),
            derived_by: draft.derived_by.clone(),
            confidence: draft.confidence,
            tags: json(&draft.tags),
            metadata: serde_json::to_string(&draft.metadata).expect("a map of JSON is JSON"),
            merged_count: 1,
        }
    }
}

/// Words that would give orders, and do not come from a person, wait until somebody has looked at them.
fn state_of(draft: &Draft) -> MemoryState {
    let is_order = rank(&draft.trust) < rank("user") && instructs(draft.kind, &draft.text);
    if is_order { MemoryState::Quarantined } else { draft.state }
}

/// The first of the memories that became true after `head`.
fn newer_of<'a>(older: &'a [Head], head: &Head) -> Option<&'a Head> {
    older.iter().filter(|other| other.valid_from > head.valid_from).min_by_key(|other| other.valid_from)
}

fn text_hash(text: &str) -> String {
    store::blob::data_hash(normalised(text).as_bytes())
}
