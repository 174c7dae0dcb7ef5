//! mem0's verbs, each a few calls of ours.

use kernel::{Ctx, Error, Micros, Result, Scope as Right};
use serde_json::{Map, Value, json};

use super::model::{
    APP, Entities, Listing, Message, NewMemories, Question, Remembered, Step, Update, Whose, end_of, instant,
};
use super::scope::Scope;
use crate::Memory;
use crate::events::{Actor, Channel, EventKind, NewEvent, check_list};
use crate::memories::store::{MemoryFilter, list};
use crate::memories::{EditOp, MemoryItem, MemoryPatch, MemoryState, NewEdit, NewMemory};
use crate::search::{Condition, Include, SearchRequest, TagFilter, field_of_memory};

/// Messages of one request.
const MAX_MESSAGES: usize = 100;
/// Memories that one list looks at: mem0 counts them all.
const MAX_LISTED: usize = 10_000;
/// Rows read at once.
const STEP: u32 = 200;
/// The conversation of what names none.
const NO_RUN: &str = "mem0";

/// What all messages of a request have in common.
struct Frame {
    who: Entities,
    metadata: Map<String, Value>,
    occurred_at: Option<Micros>,
    expires_at: Option<Micros>,
}

impl NewMemories {
    fn frame(&self, now: Micros) -> Result<Frame> {
        let named = [&self.user_id, &self.agent_id, &self.app_id, &self.run_id];
        let who = Entities::of(named, &self.filters)?;
        let mut metadata = self.metadata.clone();
        metadata.extend(who.app.clone().map(|app| (APP.to_owned(), app.into())));
        let seconds = 0..=now.plus(Micros::DAY).0 / Micros::SECOND;
        if self.timestamp.is_some_and(|at| !seconds.contains(&at)) {
            return Err(Error::field("timestamp", "is seconds since 1970, at most 24 hours ahead"));
        }
        let expires_at = self.expiration_date.as_deref().map(end_of).transpose()?;
        if expires_at.is_some_and(|at| at <= now) {
            return Err(Error::field("expiration_date", "lies in the past"));
        }
        Ok(Frame {
            who,
            metadata,
            occurred_at: self.timestamp.map(|at| Micros(at * Micros::SECOND)),
            expires_at,
        })
    }
}

impl Frame {
    fn event(&self, message: &Message, kind: EventKind) -> NewEvent {
        let mut content = Map::new();
        content.insert("text".to_owned(), message.content.clone().into());
        if !self.metadata.is_empty() {
            content.insert("metadata".to_owned(), self.metadata.clone().into());
        }
        NewEvent {
            session_id: self.who.run.clone().unwrap_or_else(|| NO_RUN.to_owned()),
            channel: Channel::Private,
            actor: Actor {
                kind: message.role.actor(),
                id: message.role.word().to_owned(),
                name: message.name.clone(),
            },
            kind,
            content,
            sensitivity: None,
            tags: Vec::new(),
            refs: Vec::new(),
            user_id: self.who.user.clone(),
            agent_id: self.who.agent.clone(),
            client_event_id: None,
            occurred_at: self.occurred_at,
            expires_at: self.expires_at,
            recalled: message.role.instructs(),
            tenant_id: None,
        }
    }

    fn fact(&self, message: &Message) -> NewMemory {
        NewMemory {
            text: message.content.clone(),
            user_id: self.who.user.clone(),
            agent_id: self.who.agent.clone(),
            session_id: self.who.run.clone(),
            valid_from: self.occurred_at,
            expires_at: self.expires_at,
            metadata: self.metadata.clone(),
            ..NewMemory::default()
        }
    }
}

/// Records messages. With `infer` the answer names their event, without it the memories that were made.
///
/// # Errors
/// `validation_failed`, `too_large`, `not_found` for a foreign owner.
pub(super) async fn add(memory: &Memory, ctx: &Ctx, new: NewMemories) -> Result<Vec<Value>> {
    ctx.require(Right::MemoryWrite)?;
    let now = memory.0.clock.now();
    let frame = new.frame(now)?;
    if !(1..=MAX_MESSAGES).contains(&new.messages.len()) {
        return Err(Error::field("messages", format!("holds 1 to {MAX_MESSAGES} messages")));
    }
    for (at, message) in new.messages.iter().enumerate() {
        if message.content.trim().is_empty() {
            return Err(Error::field(format!("messages[{at}].content"), "may not be empty"));
        }
        crate::events::check_name(&format!("messages[{at}].name"), message.name.as_deref())?;
    }
    if new.infer.unwrap_or(true) {
        let events = new.messages.iter().map(|message| frame.event(message, EventKind::Message)).collect();
        let mut recorded = memory.record_batch(ctx, events, None).await?;
        let last = recorded.results.pop().ok_or_else(|| Error::internal("a batch has results"))?;
        let said = "recorded; memories are derived from it in the background";
        return Ok(vec![json!({"message": said, "status": "PENDING", "event_id": last.event_id})]);
    }
    let said: Vec<&Message> = new.messages.iter().filter(|message| !message.role.instructs()).collect();
    keep(memory, ctx, &frame, &said, now).await
}

/// Keeps each message as a note and as a fact that rests on it.
async fn keep(
    memory: &Memory,
    ctx: &Ctx,
    frame: &Frame,
    said: &[&Message],
    now: Micros,
) -> Result<Vec<Value>> {
    if said.is_empty() {
        return Err(Error::field("messages", "holds nothing but instructions, which are not remembered"));
    }
    let facts: Vec<NewMemory> = said.iter().map(|message| frame.fact(message)).collect();
    // Before any note is written: all are kept or none.
    facts.iter().try_for_each(|fact| fact.check(now))?;
    let notes = said.iter().map(|message| frame.event(message, EventKind::Note)).collect();
    let notes = memory.record_batch(ctx, notes, None).await?.results;
    let mut kept = Vec::with_capacity(facts.len());
    for (fact, note) in facts.into_iter().zip(notes) {
        let added = memory.add_memory(ctx, NewMemory { refs: vec![note.event_id], ..fact }).await?;
        let event = if added.merged { "NONE" } else { "ADD" };
        let (id, text) = (added.memory.memory_id, added.memory.text);
        kept.push(json!({"id": id, "memory": text, "event": event, "data": {"memory": text}}));
    }
    Ok(kept)
}

/// Answers a question with memories.
///
/// # Errors
/// As [`Memory::search`], with mem0's names of fields.
pub(super) async fn search(memory: &Memory, ctx: &Ctx, asked: Question) -> Result<Vec<Remembered>> {
    let named = [&asked.user_id, &asked.agent_id, &asked.app_id, &asked.run_id];
    let scope = Scope::new(Entities::of(named, &Map::new())?, &asked.filters)?;
    let limit = asked.top_k.or(asked.limit);
    if !(1..=200).contains(&limit.unwrap_or(10)) {
        return Err(Error::field(if asked.top_k.is_some() { "top_k" } else { "limit" }, "is 1 to 200"));
    }
    if !(0.0..=1.0).contains(&asked.threshold.unwrap_or(0.0)) {
        return Err(Error::field("threshold", "is 0 to 1"));
    }
    let reference =
        asked.reference_date.as_deref().map(|text| instant("reference_date", text)).transpose()?;
    let categories = asked.categories.unwrap_or_default();
    check_list("categories", &categories, 32, 64)?;
    let request = SearchRequest {
        user_id: scope.owner,
        agent_id: scope.agent,
        session_id: scope.session,
        filters: scope.filters,
        limit,
        min_score: asked.threshold,
        rerank: asked.rerank.unwrap_or(false),
        reference_date: reference.map(|(at, _)| at),
        tags: TagFilter { any: categories, ..TagFilter::default() },
        include: Some(vec![Include::Memories]),
        neighbours: Some(0),
        ..SearchRequest::new(&asked.query)
    };
    let answer = memory.search(ctx, request).await?;
    let hits = answer.items.into_iter().filter_map(|hit| Some((hit.memory?, hit.score)));
    Ok(hits.map(|(item, score)| Remembered::new(item).with_score(score)).collect())
}

/// One page of a list, from 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pick {
    pub(super) page: usize,
    pub(super) size: usize,
}

impl Pick {
    /// # Errors
    /// `validation_failed`.
    pub(super) fn new(page: Option<i64>, size: Option<i64>) -> Result<Self> {
        let (page, size) = (page.unwrap_or(1), size.unwrap_or(100));
        if !(1..=1_000_000).contains(&page) {
            return Err(Error::field("page", "is 1 or more"));
        }
        if !(1..=1_000).contains(&size) {
            return Err(Error::field("page_size", "is 1 to 1,000"));
        }
        Ok(Self { page: page as usize, size: size as usize })
    }
}

/// Memories on one page, newest first, and how many there are on all.
///
/// # Errors
/// `validation_failed`; `too_many` where more memories would have to be looked at than a list may.
pub(super) async fn page_of(
    memory: &Memory,
    ctx: &Ctx,
    listing: &Listing,
    pick: Pick,
) -> Result<(Vec<Remembered>, usize)> {
    ctx.require(Right::MemoryRead)?;
    let named = [&listing.user_id, &listing.agent_id, &listing.app_id, &listing.run_id];
    let scope = Scope::new(Entities::of(named, &Map::new())?, &listing.filters)?;
    let mut all = all_of(memory, ctx, &scope).await?;
    if let Some(categories) = &listing.categories {
        all.retain(|item| item.tags.iter().any(|tag| categories.contains(tag)));
    }
    if let Some(text) = &listing.start_date {
        let (from, _) = instant("start_date", text)?;
        all.retain(|item| item.recorded_at >= from);
    }
    if let Some(text) = &listing.end_date {
        let (until, is_day) = instant("end_date", text)?;
        let until = if is_day { until.plus(Micros::DAY - 1) } else { until };
        all.retain(|item| item.recorded_at <= until);
    }
    let count = all.len();
    let items = all.into_iter().skip((pick.page - 1) * pick.size).take(pick.size);
    Ok((items.map(Remembered::new).collect(), count))
}

/// Everything in use of a scope, newest first.
async fn all_of(memory: &Memory, ctx: &Ctx, scope: &Scope) -> Result<Vec<MemoryItem>> {
    let (owner, now) = (ctx.owner(scope.owner.as_deref())?, memory.0.clock.now());
    let condition = Condition::parse(&scope.filters)?;
    let filter = MemoryFilter {
        agent: scope.agent.clone(),
        session: scope.session.clone(),
        ..MemoryFilter::default()
    };
    let (mut all, mut looked_at, mut from) = (Vec::new(), 0, None);
    loop {
        let mut conn = memory.0.store.read(&ctx.tenant).await?;
        let rows = list(&mut conn, &ctx.tenant, &owner, &filter, STEP, from, now).await?;
        drop(conn);
        from = rows.last().map(|row| (row.recorded_at, row.memory_id.clone()));
        looked_at += rows.len();
        let is_last = rows.len() < STEP as usize;
        let items = rows.into_iter().map(|row| row.item(now));
        all.extend(items.filter(|item| {
            item.superseded_by.is_none() && condition.holds(&|name: &str| field_of_memory(item, name))
        }));
        if is_last {
            return Ok(all);
        }
        if looked_at >= MAX_LISTED {
            let text =
                format!("this list would look at more than {MAX_LISTED} memories; name an agent or a run");
            return Err(Error::invalid("too_many", text));
        }
    }
}

/// A memory that the caller may read and that is in use.
async fn in_use(memory: &Memory, ctx: &Ctx, id: &str) -> Result<MemoryItem> {
    let head = memory.readable_memory(ctx, id).await?;
    let item = head.item(memory.0.clock.now());
    if item.state == MemoryState::Active.as_str() { Ok(item) } else { Err(Error::not_found("memory")) }
}

/// One memory.
///
/// # Errors
/// `not_found`, also for what was deleted.
pub(super) async fn get(memory: &Memory, ctx: &Ctx, id: String) -> Result<Value> {
    ctx.require(Right::MemoryRead)?;
    let item = in_use(memory, ctx, &id).await?;
    let changed =
        memory.memory_history(ctx, &id).await?.last().map_or(item.recorded_at, |last| last.recorded_at);
    Ok(json!(Remembered::new(item).changed_at(changed)))
}

/// Changes a memory; what is not named stays.
///
/// # Errors
/// `not_found`, `validation_failed`, `too_large`.
pub(super) async fn update(memory: &Memory, ctx: &Ctx, id: String, update: Update) -> Result<Value> {
    ctx.require(Right::MemoryWrite)?;
    if update.text.is_none() && update.metadata.is_none() && update.expiration_date.is_none() {
        return Err(Error::field("text", "or metadata or expiration_date says what is to change"));
    }
    let expires_at = update.expiration_date.as_deref().map(end_of).transpose()?;
    let known = in_use(memory, ctx, &id).await?;
    let metadata = update.metadata.map(|mut new| {
        let app = known.metadata.get(APP).filter(|_| !new.contains_key(APP));
        new.extend(app.map(|app| (APP.to_owned(), app.clone())));
        new
    });
    let patch = MemoryPatch { text: update.text, metadata, expires_at, ..MemoryPatch::default() };
    let done = memory.edit(ctx, edit(id, EditOp::Amend, patch)).await?;
    let message = match done.edit.status.as_str() {
        "approved" => "Memory updated successfully!",
        _ => "Proposed: its owner decides about the change.",
    };
    let mut answer = json!(Remembered::new(done.memory).changed_at(done.edit.recorded_at));
    answer["message"] = message.into();
    Ok(answer)
}

/// Takes a memory back.
///
/// # Errors
/// `not_found`.
pub(super) async fn delete(memory: &Memory, ctx: &Ctx, id: String) -> Result<Value> {
    ctx.require(Right::MemoryWrite)?;
    in_use(memory, ctx, &id).await?;
    memory.edit(ctx, edit(id, EditOp::Retract, MemoryPatch::default())).await?;
    Ok(json!({"message": "Memory deleted successfully!"}))
}

/// Takes everything of an entity back.
///
/// # Errors
/// `validation_failed` when none is named, or one that the caller does not own is.
pub(super) async fn delete_all(memory: &Memory, ctx: &Ctx, whose: Whose) -> Result<Value> {
    ctx.require(Right::MemoryWrite)?;
    let named = [&whose.user_id, &whose.agent_id, &whose.app_id, &whose.run_id];
    let named = Entities::of(named, &Map::new())?;
    if named.is_empty() {
        return Err(Error::field("user_id", "or agent_id, app_id or run_id says whose memories are to go"));
    }
    for item in all_of(memory, ctx, &Scope::new(named, &Map::new())?).await? {
        memory.edit(ctx, edit(item.memory_id, EditOp::Retract, MemoryPatch::default())).await?;
    }
    Ok(json!({"message": "Memories deleted successfully!"}))
}

fn edit(target_id: String, op: EditOp, patch: MemoryPatch) -> NewEdit {
    NewEdit { target_id, op, patch, reason: None, propose: false }
}

/// Every step of a memory, first to last, also of one that was deleted.
///
/// # Errors
/// `not_found`.
pub(super) async fn history(memory: &Memory, ctx: &Ctx, id: String) -> Result<Value> {
    let (item, versions) = (memory.get_memory(ctx, &id).await?, memory.memory_history(ctx, &id).await?);
    Ok(versions.into_iter().map(|version| json!(Step::new(&item, version))).collect())
}
