//! Who may read a capsule, and what of it they see now.

use std::collections::HashMap;

use ::store::{Conn, Reach};
use kernel::{Ctx, Cursor, Error, Micros, Page, PageRequest, PrincipalKind, Result, Scope, TenantId};
use serde_json::json;

use super::model::{Capsule, CapsuleChunk, CapsuleContents, CapsuleItems, MAX_TOKENS, NewCapsule, too_large};
use super::store::{self as sql, CapsuleRow};
use crate::Memory;
use crate::estimate_tokens;
use crate::events::{Channel, Sensitivity, check_name};
use crate::memories::{check_id, unknown_ref};
use crate::redact::Redactions;
use crate::refs;
use crate::rights::hold_owner;
use crate::search::policy::{Partition, Readable, partition_of};
use crate::search::{chunk_text, store as search_sql};
use crate::text::sanitise;
use crate::timeline::store::StoredEvent;
use crate::work::{Decision, store as work_sql};

/// Capsules that an agent is given at once, at most.
const MOST_ADDRESSED: i64 = 20;

/// Who reads, and where what they answer will be shown.
#[derive(Clone, Debug, Default)]
pub struct CapsuleReader {
    /// The agent that reads. Keys name it; a person who is signed in sees all of their own capsules without.
    pub agent_id: Option<String>,
    /// Where the answer is shown; `private` when absent. Capsules are for `private` and `agent`.
    pub channel: Option<Channel>,
}

impl CapsuleReader {
    fn check(&self, ctx: &Ctx) -> Result<()> {
        check_name("agent_id", self.agent_id.as_deref())?;
        if self.agent_id.is_none() && ctx.principal.kind == PrincipalKind::ApiKey {
            return Err(Error::field("agent_id", "names the agent that reads; keys must say"));
        }
        Ok(())
    }

    fn is_party(&self, row: &CapsuleRow) -> bool {
        self.agent_id
            .as_ref()
            .is_none_or(|agent| *agent == row.author_agent_id || row.audience().contains(agent))
    }

    fn readable(&self, tenant: &TenantId, owner: &str) -> Readable {
        Readable::new(tenant.clone(), owner.to_owned(), self.channel.unwrap_or(Channel::Private), None)
    }
}

/// The active capsules that are for an agent, latest first, at most 20, with what of them may be read in `channel`.
///
/// # Errors
/// The store's.
pub async fn addressed_to(
    conn: &mut Conn,
    tenant: &TenantId,
    owner: &str,
    agent: &str,
    channel: Channel,
    now: Micros,
) -> Result<Vec<Capsule>> {
    let readable = Readable::new(tenant.clone(), owner.to_owned(), channel, None);
    let mut rows = sql::list_active(conn, tenant, owner, Some(agent), "~", MOST_ADDRESSED, now).await?;
    rows.retain(|row| row.audience().iter().any(|one| one == agent));
    open(conn, &readable, rows, now).await
}

impl Memory {
    /// Makes a capsule.
    ///
    /// # Errors
    /// `validation_failed`, `unknown_ref`, `too_large`, `not_found` for a foreign owner, `erasure_in_progress`.
    pub async fn create_capsule(&self, ctx: &Ctx, new: NewCapsule) -> Result<Capsule> {
        ctx.require(Scope::MemoryWrite)?;
        let days = new.check()?;
        let owner = ctx.owner(new.user_id.as_deref())?;
        let now = self.0.clock.now();
        let row = self.capsule_row(new, owner, days, now);
        let tenant = ctx.tenant.clone();
        let created = self.0.store.write("memory.create_capsule", Reach::of(&ctx.tenant), move |tx| {
            Box::pin(async move {
                hold_owner(tx, &tenant, &row.user_id, now).await?;
                if refs::is_ours(&row.subject_id)
                    && !refs::leads_somewhere(tx, &tenant, &row.user_id, &row.subject_id).await?
                {
                    return Err(unknown_ref("subject_id"));
                }
                let readable = CapsuleReader::default().readable(&tenant, &row.user_id);
                let capsule = open(tx, &readable, vec![row.clone()], now).await?.pop();
                let capsule = capsule.ok_or_else(|| Error::internal("a capsule is for its author"))?;
                refuse_absent(&row, &capsule.items)?;
                let tokens = tokens_of(&capsule);
                if tokens > MAX_TOKENS {
                    return Err(too_large(tokens));
                }
                sql::add(tx, &tenant, &row).await?;
                Ok(capsule)
            })
        });
        created.await.inspect(|_| metrics::counter!("memory_storage_total", "type" => "capsule").increment(1))
    }

    fn capsule_row(&self, new: NewCapsule, owner: String, days: i64, now: Micros) -> CapsuleRow {
        let mut said = json!({"packet": new.packet, "risks": new.risks, "subject_id": new.subject_id.unwrap_or_default(),
            "subject_type": new.subject_type.unwrap_or_else(|| "task".to_owned())});
        sanitise(&mut said);
        self.0.redactor.clean(&mut said, &mut Redactions::default());
        let word = |name: &str| said[name].as_str().unwrap_or_default().to_owned();
        CapsuleRow {
            capsule_id: kernel::id::new_id("cap", now),
            user_id: owner,
            author_agent_id: new.author_agent_id,
            audience_agent_ids: json!(new.audience_agent_ids).to_string(),
            subject_type: word("subject_type"),
            subject_id: word("subject_id"),
            packet: said["packet"].to_string(),
            items: json!(new.items).to_string(),
            risks: said["risks"].to_string(),
            recorded_at: now.0,
            expires_at: now.plus(days * Micros::DAY).0,
        }
    }

    /// Reads a capsule, as its author or one of its audience.
    ///
    /// # Errors
    /// `not_found`, the same for absent, foreign, revoked, expired and not addressed to this agent.
    pub async fn get_capsule(&self, ctx: &Ctx, capsule_id: &str, reader: &CapsuleReader) -> Result<Capsule> {
        ctx.require(Scope::MemoryRead)?;
        let row = self.capsule_for(ctx, capsule_id, reader).await?;
        let (now, readable) = (self.0.clock.now(), reader.readable(&ctx.tenant, &row.user_id));
        let mut conn = self.0.store.read(&ctx.tenant).await?;
        let mut opened = open(&mut conn, &readable, vec![row], now).await?;
        opened.pop().ok_or_else(|| Error::not_found("capsule"))
    }

    async fn capsule_for(&self, ctx: &Ctx, capsule_id: &str, reader: &CapsuleReader) -> Result<CapsuleRow> {
        check_id("cap", capsule_id)?;
        reader.check(ctx)?;
        let mut conn = self.0.store.read(&ctx.tenant).await?;
        let found = sql::find_active(&mut conn, &ctx.tenant, capsule_id, self.0.clock.now()).await?;
        let is_visible = |row: &CapsuleRow| ctx.owner(Some(&row.user_id)).is_ok() && reader.is_party(row);
        Error::unless_foreign("capsule", found, is_visible)
    }

    /// Lists the active capsules that an agent wrote or that are for it, latest first.
    ///
    /// # Errors
    /// `validation_failed`, `not_found` for a foreign owner.
    pub async fn list_capsules(
        &self,
        ctx: &Ctx,
        named_owner: Option<&str>,
        reader: &CapsuleReader,
        page: &PageRequest,
    ) -> Result<Page<Capsule>> {
        ctx.require(Scope::MemoryRead)?;
        reader.check(ctx)?;
        let (owner, now) = (ctx.owner(named_owner)?, self.0.clock.now());
        let from: String =
            page.cursor.as_deref().map(Cursor::key).transpose()?.unwrap_or_else(|| "~".to_owned());
        let (mut conn, limit) = (self.0.store.read(&ctx.tenant).await?, i64::from(page.limit) + 1);
        let agent = reader.agent_id.as_deref();
        let rows = sql::list_active(&mut conn, &ctx.tenant, &owner, agent, &from, limit, now).await?;
        let Page { items, next_cursor } = Page::cut(rows, page.limit, |row| row.capsule_id.clone());
        let items = open(&mut conn, &reader.readable(&ctx.tenant, &owner), items, now).await?;
        Ok(Page { items, next_cursor })
    }

    /// Ends a capsule at once; for its author, or its owner in person.
    ///
    /// # Errors
    /// As [`Memory::get_capsule`]; `forbidden` for its audience.
    pub async fn revoke_capsule(&self, ctx: &Ctx, capsule_id: &str, reader: &CapsuleReader) -> Result<()> {
        ctx.require(Scope::MemoryWrite)?;
        let row = self.capsule_for(ctx, capsule_id, reader).await?;
        if reader.agent_id.as_ref().is_some_and(|agent| *agent != row.author_agent_id) {
            return Err(Error::forbidden("only the agent that wrote it may revoke it"));
        }
        let tenant = ctx.tenant.clone();
        let revoked = self.0.store.write("memory.revoke_capsule", Reach::of(&ctx.tenant), move |tx| {
            Box::pin(async move { Ok(sql::revoke(tx, &tenant, &row.capsule_id).await?) })
        });
        revoked.await.map(|_| ())
    }
}

/// Capsules with what of them may be read now. Four statements, however many there are.
async fn open(
    conn: &mut Conn,
    readable: &Readable,
    mut rows: Vec<CapsuleRow>,
    now: Micros,
) -> Result<Vec<Capsule>> {
    let home = |row: &CapsuleRow| Partition {
        home: Channel::Agent,
        owner: row.user_id.clone(),
        tier: Sensitivity::None,
    };
    rows.retain(|row| readable.allows(&home(row)));
    let found = Found::of(conn, readable, &rows, now).await?;
    Ok(rows.into_iter().map(|row| found.capsule(row)).collect())
}

/// What several capsules refer to, as far as it may be read.
struct Found {
    decisions: HashMap<String, Decision>,
    chunks: HashMap<String, CapsuleChunk>,
    artifacts: HashMap<String, String>,
}

impl Found {
    async fn of(conn: &mut Conn, readable: &Readable, rows: &[CapsuleRow], now: Micros) -> Result<Self> {
        let items: Vec<_> = rows.iter().map(CapsuleRow::items).collect();
        let ids = |prefix: &str| -> Vec<&str> {
            let named = items.iter().flat_map(CapsuleItems::named);
            named.filter(|(_, wanted, _)| *wanted == prefix).map(|(_, _, id)| id.as_str()).collect()
        };
        let tenant = &readable.tenant;
        let decisions = work_sql::list_decisions_by_id(conn, tenant, &ids("dec")).await?;
        let chunks = search_sql::list_chunks(conn, tenant, &ids("chk")).await?;
        let artifacts = sql::list_artifact_events(conn, tenant, &ids("art")).await?;
        let event_ids =
            chunks.iter().map(|chunk| &chunk.event_id).chain(artifacts.iter().map(|(_, event)| event));
        let event_ids: Vec<&str> = event_ids.map(String::as_str).collect();
        let events = search_sql::list_events_by_id(conn, tenant, &event_ids, now).await?;
        let events: HashMap<&str, &StoredEvent> = events
            .iter()
            .filter(|event| allows(readable, &event.channel, &event.sensitivity, &event.user_id))
            .map(|event| (event.event_id.as_str(), event))
            .collect();
        let is_readable = |one: &Decision| allows(readable, &one.channel, &one.sensitivity, &one.user_id);
        let chunk = |row: search_sql::ChunkRow| {
            let event = events.get(row.event_id.as_str())?;
            Some((row.chunk_id.clone(), piece(row, event)))
        };
        let is_there = |(_, event): &(String, String)| events.contains_key(event.as_str());
        Ok(Self {
            decisions: decisions
                .into_iter()
                .filter(is_readable)
                .map(|one| (one.decision_id.clone(), one))
                .collect(),
            artifacts: artifacts.into_iter().filter(is_there).collect(),
            chunks: chunks.into_iter().filter_map(chunk).collect(),
        })
    }

    fn capsule(&self, row: CapsuleRow) -> Capsule {
        let items = row.items();
        let contents = CapsuleContents {
            decisions: items.decisions.iter().filter_map(|id| self.decisions.get(id).cloned()).collect(),
            chunks: items.chunks.iter().filter_map(|id| self.chunks.get(id).cloned()).collect(),
            artifacts: items.artifacts.into_iter().filter(|id| self.artifacts.contains_key(id)).collect(),
        };
        Capsule {
            audience_agent_ids: row.audience(),
            packet: row.packet(),
            risks: serde_json::from_str(&row.risks).unwrap_or_default(),
            items: contents,
            capsule_id: row.capsule_id,
            user_id: row.user_id,
            author_agent_id: row.author_agent_id,
            subject_type: row.subject_type,
            subject_id: row.subject_id,
            recorded_at: Micros(row.recorded_at),
            expires_at: Micros(row.expires_at),
        }
    }
}

fn piece(row: search_sql::ChunkRow, event: &StoredEvent) -> CapsuleChunk {
    CapsuleChunk {
        text: chunk_text(&row, event),
        chunk_id: row.chunk_id,
        event_id: row.event_id,
        actor_id: event.actor_id.clone(),
        trust: event.trust.clone(),
        occurred_at: Micros(event.occurred_at),
    }
}

fn allows(readable: &Readable, channel: &str, sensitivity: &str, owner: &str) -> bool {
    let words = Channel::parse(channel).zip(Sensitivity::parse(sensitivity));
    let partition = words.and_then(|(home, tier)| partition_of(home, tier, owner));
    partition.is_some_and(|partition| readable.allows(&partition))
}

/// Refuses references that lead nowhere; those into another owner's memory look the same.
fn refuse_absent(row: &CapsuleRow, found: &CapsuleContents) -> Result<()> {
    for (field, prefix, id) in row.items().named() {
        let is_there = match prefix {
            "dec" => found.decisions.iter().any(|one| one.decision_id == *id),
            "chk" => found.chunks.iter().any(|one| one.chunk_id == *id),
            _ => found.artifacts.contains(id),
        };
        if !is_there {
            return Err(unknown_ref(&field));
        }
    }
    Ok(())
}

fn tokens_of(capsule: &Capsule) -> usize {
    let packet = &capsule.packet;
    let words =
        [&packet.goal, &packet.state].into_iter().chain(&packet.next_steps).chain(&packet.open_questions);
    let decisions =
        capsule.items.decisions.iter().flat_map(|one| std::iter::once(&one.decision).chain(&one.rationale));
    let chunks = capsule.items.chunks.iter().map(|one| &one.text);
    words.chain(&capsule.risks).chain(decisions).chain(chunks).map(|text| estimate_tokens(text)).sum()
}
