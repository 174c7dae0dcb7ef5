//! Rules of memories: who may read, add and change them.

use kernel::{Ctx, Cursor, Error, Micros, Page, PageRequest, PrincipalKind, Result, Scope, TenantId};
use store::{Reach, Tx};

use super::change::{Desk, Draft, Outcome};
use super::history::store as history;
use super::model::{
    Added, MemoryItem, MemoryPatch, MemorySource, MemoryState, MemoryType, MemoryVersion, NewMemory,
    VersionOp,
};
use super::store::{self as sql, By, Head, MemoryFilter};
use crate::Memory;
use crate::events::{Channel, Sensitivity};
use crate::redact::Redactions;
use crate::search::policy::may_read_row;
use crate::text::{sanitise_map, sanitise_text};

impl Memory {
    pub(crate) fn desk<'a>(&'a self, tenant: &'a TenantId, now: Micros) -> Desk<'a> {
        Desk { tenant, redactor: &self.0.redactor, model: self.0.embedder.model_id(), now }
    }

    /// Keeps a memory as it is said; the same words in the same place are one memory.
    ///
    /// # Errors
    /// `validation_failed`, `too_large`, `unknown_ref`, `not_found` for a foreign owner.
    pub async fn add_memory(&self, ctx: &Ctx, new: NewMemory) -> Result<Added> {
        ctx.require(Scope::MemoryWrite)?;
        let now = self.0.clock.now();
        new.check(now)?;
        if new.supersedes.as_ref().is_some_and(|id| !kernel::id::is_id("mem", id)) {
            return Err(unknown_ref("supersedes"));
        }
        let (refs, supersedes) = (new.refs.clone(), new.supersedes.clone());
        let draft = self.draft(ctx, new, now)?;
        let (memory, ctx) = (self.clone(), ctx.clone());
        let added = self.0.store.write("memory.add", Reach::of(&ctx.tenant.clone()), move |tx| {
            Box::pin(async move {
                let desk = memory.desk(&ctx.tenant, now);
                let mut draft = draft;
                crate::refs::check(tx, &ctx.tenant, &draft.owner, &refs).await?;
                if let Some(id) = supersedes {
                    let old = sql::find(tx, &ctx.tenant, &id).await?.filter(|old| may_change(&ctx, old));
                    draft.supersedes = Some(old.ok_or_else(|| unknown_ref("supersedes"))?);
                }
                let by = By { actor: ctx.principal.id.clone(), ..By::default() };
                Ok(match desk.add(tx, draft, &by).await? {
                    Outcome::New(head, superseded) => {
                        Added { memory: head.item(now), merged: false, superseded }
                    }
                    Outcome::Merged(head) => {
                        Added { memory: head.item(now), merged: true, superseded: Vec::new() }
                    }
                    Outcome::Known | Outcome::Blocked => {
                        return Err(Error::internal("what is said is never blocked"));
                    }
                })
            })
        });
        let added = added.await?;
        self.0.wake_jobs.notify_one();
        metrics::counter!("memory_storage_total", "type" => "memory").increment(u64::from(!added.merged));
        Ok(added)
    }

    /// A memory as it is said, cleaned of secrets.
    pub(crate) fn draft(&self, ctx: &Ctx, new: NewMemory, now: Micros) -> Result<Draft> {
        let owner = ctx.owner(new.user_id.as_deref())?;
        let (mut text, mut metadata, mut seen) = (new.text, new.metadata, Redactions::default());
        sanitise_text(&mut text);
        sanitise_map(&mut metadata);
        self.0.redactor.clean_text(&mut text, &mut seen);
        self.0.redactor.clean_map(&mut metadata, &mut seen);
        let kind = new.r#type.unwrap_or(MemoryType::Fact);
        let is_person = ctx.principal.kind == PrincipalKind::User;
        let sensitivity = new.sensitivity.unwrap_or(Sensitivity::None);
        let source = |id: &String| MemorySource { event_id: id.clone(), start_byte: None, end_byte: None };
        Ok(Draft {
            kind,
            importance: new.importance.unwrap_or_else(|| default_importance(kind, new.pinned)),
            subject: new.subject,
            owner,
            agent_id: new.agent_id,
            session_id: new.session_id,
            channel: new.channel.unwrap_or(Channel::Private),
            sensitivity: if seen.is_empty() { sensitivity } else { Sensitivity::Secret },
            valid_from: new.valid_from.unwrap_or(now),
            expires_at: new.expires_at,
            pinned: new.pinned,
            trust: if is_person { "user" } else { "agent" }.to_owned(),
            state: MemoryState::Active,
            derived_by: if is_person { "user" } else { "agent" }.to_owned(),
            confidence: 1.0,
            tags: new.tags,
            sources: new.refs.iter().filter(|id| id.starts_with("evt_")).map(source).collect(),
            text,
            metadata,
            supersedes: None,
            closes_subject: false,
            same_as: None,
        })
    }

    /// A memory that the caller may read, whatever its state.
    pub(crate) async fn readable_memory(&self, ctx: &Ctx, memory_id: &str) -> Result<Head> {
        check_id("mem", memory_id)?;
        let mut conn = self.0.store.read(&ctx.tenant).await?;
        let found = sql::find(&mut conn, &ctx.tenant, memory_id).await?;
        let now = self.0.clock.now();
        let standing = found.filter(|head| head.expires_at.is_none_or(|at| at > now.0));
        Error::unless_foreign("memory", standing, |head| may_read(ctx, head))
    }

    /// One memory. A person who opens it uses it, which keeps it from fading.
    ///
    /// # Errors
    /// `not_found`, the same for absent, foreign and expired.
    pub async fn get_memory(&self, ctx: &Ctx, memory_id: &str) -> Result<MemoryItem> {
        ctx.require(Scope::MemoryRead)?;
        let (mut head, now) = (self.readable_memory(ctx, memory_id).await?, self.0.clock.now());
        if ctx.principal.kind == PrincipalKind::User && head.state == MemoryState::Active.as_str() {
            (head.use_count, head.last_used_at) = (head.use_count + 1, Some(now.0));
            let (tenant, id) = (ctx.tenant.clone(), head.memory_id.clone());
            let noted = self.0.store.write("memory.note_use", Reach::of(&ctx.tenant), move |tx| {
                Box::pin(async move { Ok(history::count_use(tx, &tenant, &id, now).await?) })
            });
            // A database that takes no writes still answers who reads.
            if let Err(error) = noted.await {
                tracing::warn!(code = error.code, "a use could not be noted");
            }
        }
        Ok(head.item(now))
    }

    /// An owner's memories, newest first.
    ///
    /// # Errors
    /// `validation_failed` for a foreign cursor, or the store's.
    pub(crate) async fn list_memories(
        &self,
        ctx: &Ctx,
        named_owner: Option<&str>,
        filter: &MemoryFilter,
        page: &PageRequest,
    ) -> Result<Page<MemoryItem>> {
        ctx.require(Scope::MemoryRead)?;
        let (owner, now) = (ctx.owner(named_owner)?, self.0.clock.now());
        let from = page.cursor.as_deref().map(Cursor::key).transpose()?;
        let mut conn = self.0.store.read(&ctx.tenant).await?;
        let rows = sql::list(&mut conn, &ctx.tenant, &owner, filter, page.limit + 1, from, now).await?;
        Ok(Page::cut(rows, page.limit, |row| (row.recorded_at, row.memory_id.clone()))
            .map(|row| row.item(now)))
    }

    /// Every version of a memory, first to last.
    ///
    /// # Errors
    /// As [`Memory::get_memory`].
    pub async fn memory_history(&self, ctx: &Ctx, memory_id: &str) -> Result<Vec<MemoryVersion>> {
        ctx.require(Scope::MemoryRead)?;
        self.readable_memory(ctx, memory_id).await?;
        let mut conn = self.0.store.read(&ctx.tenant).await?;
        Ok(history::list_versions(&mut conn, &ctx.tenant, memory_id).await?)
    }

    /// The events that a memory rests on.
    ///
    /// # Errors
    /// As [`Memory::get_memory`].
    pub async fn memory_sources(&self, ctx: &Ctx, memory_id: &str) -> Result<Vec<MemorySource>> {
        ctx.require(Scope::MemoryRead)?;
        self.readable_memory(ctx, memory_id).await?;
        let mut conn = self.0.store.read(&ctx.tenant).await?;
        Ok(history::list_sources(&mut conn, &ctx.tenant, memory_id).await?)
    }

    /// Pins a memory, or lets it go.
    ///
    /// # Errors
    /// As [`Memory::get_memory`]; `forbidden` for who does not own it.
    pub async fn pin_memory(&self, ctx: &Ctx, memory_id: &str, pinned: bool) -> Result<MemoryItem> {
        ctx.require(Scope::MemoryWrite)?;
        let target = self.own_memory(ctx, memory_id).await?;
        let (memory, ctx, now) = (self.clone(), ctx.clone(), self.0.clock.now());
        let written = self.0.store.write("memory.pin", Reach::of(&ctx.tenant.clone()), move |tx| {
            Box::pin(async move {
                let by = By { actor: ctx.principal.id.clone(), ..By::default() };
                let pin = |head: &mut Head| {
                    head.pinned = pinned;
                    head.importance = if pinned { head.importance.max(0.9) } else { head.importance };
                };
                let head =
                    memory.desk(&ctx.tenant, now).change(tx, &target, VersionOp::Update, &by, pin).await?;
                Ok(head.item(now))
            })
        });
        written.await
    }

    /// Removes a memory for good; its source events stay.
    ///
    /// # Errors
    /// As [`Memory::pin_memory`].
    pub async fn erase_memory(&self, ctx: &Ctx, memory_id: &str) -> Result<()> {
        ctx.require(Scope::MemoryWrite)?;
        let target = self.own_memory(ctx, memory_id).await?;
        let tenant = ctx.tenant.clone();
        let erased = self.0.store.write("memory.erase_one", Reach::of(&ctx.tenant), move |tx| {
            Box::pin(async move {
                sql::remove(tx, tenant.as_str(), &target.memory_id).await?;
                sql::rebuild_scope(tx, &tenant, &target).await?;
                Ok(())
            })
        });
        erased.await
    }

    async fn own_memory(&self, ctx: &Ctx, memory_id: &str) -> Result<Head> {
        let target = self.readable_memory(ctx, memory_id).await?;
        if may_change(ctx, &target) {
            return Ok(target);
        }
        Err(Error::forbidden("only its owner and administrators may do this; propose an edit instead"))
    }
}

impl Desk<'_> {
    /// Changes words and fields, taking secrets out of them.
    pub(super) async fn amend(&self, tx: &mut Tx, old: &Head, patch: MemoryPatch, by: &By) -> Result<Head> {
        let (mut patch, mut seen) = (patch, Redactions::default());
        if let Some(text) = &mut patch.text {
            sanitise_text(text);
            self.redactor.clean_text(text, &mut seen);
        }
        if let Some(map) = &mut patch.metadata {
            sanitise_map(map);
            self.redactor.clean_map(map, &mut seen);
        }
        let json = |list: Vec<String>| serde_json::to_string(&list).expect("a list of text is JSON");
        let edit = |head: &mut Head| {
            head.text = patch.text.unwrap_or_else(|| head.text.clone());
            head.r#type = patch.r#type.map_or_else(|| head.r#type.clone(), |kind| kind.as_str().to_owned());
            head.subject = patch.subject.or_else(|| head.subject.clone());
            head.importance = patch.importance.unwrap_or(head.importance);
            head.valid_to = patch.valid_to.map(|at| at.0).or(head.valid_to);
            head.expires_at = patch.expires_at.map(|at| at.0).or(head.expires_at);
            head.tags = patch.tags.map_or_else(|| head.tags.clone(), json);
            if let Some(map) = patch.metadata {
                head.metadata = serde_json::to_string(&map).expect("a map of JSON is JSON");
            }
            // Words that held a secret are not shown to anyone; the placeholder says why.
            if !seen.is_empty() {
                MemoryState::Quarantined.as_str().clone_into(&mut head.state);
            }
        };
        self.change(tx, old, VersionOp::Update, by, edit).await
    }
}

/// Importance where nobody said one: decisions 1, pinned at least 0.9, tasks 0.8, others in the middle.
pub(crate) fn default_importance(kind: MemoryType, pinned: bool) -> f64 {
    let by_kind: f64 = match kind {
        MemoryType::Decision => 1.0,
        MemoryType::Task => 0.8,
        _ => 0.5,
    };
    by_kind.max(if pinned { 0.9 } else { 0.0 })
}

/// Whether the caller owns a memory, or administers its tenant. An unbound key may act for any owner of its tenant.
pub(super) fn may_change(ctx: &Ctx, head: &Head) -> bool {
    ctx.owner(Some(&head.user_id)).is_ok() || ctx.scopes.has(Scope::Admin)
}

fn may_read(ctx: &Ctx, head: &Head) -> bool {
    may_read_row(ctx, &head.user_id, &head.channel, &head.sensitivity)
}

/// A malformed id is a mistake of the caller's, not an absent thing: older memory clients expect 400.
pub(crate) fn check_id(prefix: &str, id: &str) -> Result<()> {
    if kernel::id::is_id(prefix, id) {
        return Ok(());
    }
    Err(Error::field("id", format!("is {prefix}_ and 26 characters of 0-9 and a-z")))
}

pub(crate) fn unknown_ref(field: &str) -> Error {
    let mut error = Error::field(field, "leads nowhere");
    error.code = "unknown_ref";
    error
}
