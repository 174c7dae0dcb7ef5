//! Rules of reading back: who may read which event, and everything that hangs on it.

use ::store::Conn;
use bytes::Bytes;
use kernel::{Ctx, Cursor, Error, Page, PageRequest, Result, Scope};

use super::model::{Chunk, EmbeddingStats, MemoryStats};
use super::store::{self as sql, EventFilter, StoredEvent};
use crate::Memory;
use crate::events::{Event, SessionSummary};
use crate::memories::check_id;
use crate::search::policy::may_read_row;
use crate::search::{chunk_text, store as search_sql};

impl Memory {
    /// One event that the caller may read.
    ///
    /// # Errors
    /// `not_found`, the same for absent, foreign and expired.
    pub async fn get_event(&self, ctx: &Ctx, event_id: &str) -> Result<Event> {
        ctx.require(Scope::MemoryRead)?;
        check_id("evt", event_id)?;
        Ok(self.readable_event(ctx, event_id).await?.into())
    }

    async fn readable_event(&self, ctx: &Ctx, event_id: &str) -> Result<StoredEvent> {
        let mut conn = self.0.store.read(&ctx.tenant).await?;
        let found = sql::find_event(&mut conn, &ctx.tenant, event_id, self.0.clock.now()).await?;
        Error::unless_foreign("event", found, |event| may_read(ctx, event))
    }

    /// Latest events of one conversation, latest first; `before` is the sequence number to go on from.
    ///
    /// # Errors
    /// `validation_failed`, or the store's.
    pub async fn list_session_events(
        &self,
        ctx: &Ctx,
        named_owner: Option<&str>,
        session: &str,
        limit: i64,
        before: Option<i64>,
    ) -> Result<Vec<Event>> {
        ctx.require(Scope::MemoryRead)?;
        let owner = ctx.owner(named_owner)?;
        let before = before.unwrap_or(i64::MAX);
        let (owner, now) = (&owner, self.0.clock.now());
        let look = |mut conn: Conn| async move {
            Ok(sql::list_session_events(&mut conn, ctx, owner, session, before, limit, now).await?)
        };
        let rows = self.0.store.browse(ctx, look).await?;
        Ok(rows.into_iter().map(Event::from).collect())
    }

    /// An owner's events, latest first.
    ///
    /// # Errors
    /// `validation_failed` for a foreign cursor, or the store's.
    pub(crate) async fn timeline(
        &self,
        ctx: &Ctx,
        named_owner: Option<&str>,
        filter: &EventFilter,
        page: &PageRequest,
    ) -> Result<Page<Event>> {
        ctx.require(Scope::MemoryRead)?;
        let owner = ctx.owner(named_owner)?;
        let from = page.cursor.as_deref().map(Cursor::key).transpose()?;
        let (owner, from, now) = (&owner, &from, self.0.clock.now());
        let look = |mut conn: Conn| async move {
            Ok(sql::list_events(&mut conn, ctx, owner, filter, page.limit + 1, from.clone(), now).await?)
        };
        let rows = self.0.store.browse(ctx, look).await?;
        Ok(Page::cut(rows, page.limit, |row| (row.occurred_at, row.event_id.clone())).map(Event::from))
    }

    /// An owner's conversations, latest first.
    ///
    /// # Errors
    /// As [`Memory::list_session_events`].
    pub async fn list_sessions(
        &self,
        ctx: &Ctx,
        named_owner: Option<&str>,
        page: &PageRequest,
    ) -> Result<Page<SessionSummary>> {
        ctx.require(Scope::MemoryRead)?;
        let owner = ctx.owner(named_owner)?;
        let from = page.cursor.as_deref().map(Cursor::key).transpose()?;
        let (owner, from) = (&owner, &from);
        let look = |mut conn: Conn| async move {
            Ok(sql::list_sessions(&mut conn, &ctx.tenant, owner, page, from.clone()).await?)
        };
        let rows = self.0.store.browse(ctx, look).await?;
        Ok(Page::cut(rows, page.limit, |row| (row.last_at.0, row.session_id.clone())))
    }

    /// One chunk that the caller may read.
    ///
    /// # Errors
    /// `not_found`, the same for absent and foreign.
    pub async fn get_chunk(&self, ctx: &Ctx, chunk_id: &str) -> Result<Chunk> {
        ctx.require(Scope::MemoryRead)?;
        check_id("chk", chunk_id)?;
        let mut conn = self.0.store.read(&ctx.tenant).await?;
        let mut chunks = search_sql::list_chunks(&mut conn, &ctx.tenant, &[chunk_id]).await?;
        let chunk = chunks.pop().ok_or_else(|| Error::not_found("chunk"))?;
        let found = sql::find_event(&mut conn, &ctx.tenant, &chunk.event_id, self.0.clock.now()).await?;
        let event = Error::unless_foreign("chunk", found, |event| may_read(ctx, event))?;
        let text = chunk_text(&chunk, &event);
        let event = Event::from(event);
        Ok(Chunk {
            chunk_id: chunk.chunk_id,
            tenant_id: event.tenant_id,
            event_id: event.event_id,
            ts: event.ts,
            kind: event.kind,
            channel: event.channel,
            sensitivity: event.sensitivity,
            tags: event.tags,
            token_est: chunk.token_est,
            importance: chunk.importance,
            text,
        })
    }

    /// The bytes of an artifact that the caller may read.
    ///
    /// # Errors
    /// `not_found`, the same for absent and foreign; `blob_store_unavailable`.
    pub async fn get_artifact(&self, ctx: &Ctx, artifact_id: &str) -> Result<Bytes> {
        ctx.require(Scope::MemoryRead)?;
        check_id("art", artifact_id)?;
        let absent = || Error::not_found("artifact");
        let mut conn = self.0.store.read(&ctx.tenant).await?;
        let row = search_sql::find_artifact(&mut conn, &ctx.tenant, artifact_id).await?.ok_or_else(absent)?;
        let event = sql::find_event(&mut conn, &ctx.tenant, &row.event_id, self.0.clock.now()).await?;
        Error::unless_foreign("artifact", event, |event| may_read(ctx, event))?;
        drop(conn);
        self.0.blobs.get(&row.blob_key).await?.ok_or_else(absent)
    }

    /// What an owner's memory holds.
    ///
    /// # Errors
    /// The store's.
    pub async fn stats(&self, ctx: &Ctx, named_owner: Option<&str>) -> Result<MemoryStats> {
        ctx.require(Scope::MemoryRead)?;
        let owner = ctx.owner(named_owner)?;
        let of = &owner;
        let look = |mut conn: Conn| async move { Ok(sql::count_memory(&mut conn, &ctx.tenant, of).await?) };
        let counts = self.0.store.browse(ctx, look).await?;
        let model = self.0.embedder.model_id().map(str::to_owned);
        let embedding = EmbeddingStats {
            state: if model.is_some() { "ready" } else { "none" },
            dimension: self.0.embedder.dim(),
            model,
        };
        Ok(MemoryStats { user_id: owner, events: counts.events, sessions: counts.sessions, embedding })
    }
}

fn may_read(ctx: &Ctx, event: &StoredEvent) -> bool {
    may_read_row(ctx, &event.user_id, &event.channel, &event.sensitivity)
}
