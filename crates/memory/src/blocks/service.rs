//! Rules of blocks: who may see which, and what a change must know.

use ::store::{Conn, Reach};
use kernel::{Ctx, Cursor, Error, Page, PageRequest, Result, Scope, TenantId};

use super::change::stale;
use super::model::{Block, BlockChange, BlockPlace, BlockVersion, NewBlock};
use super::store::{self as sql, BlockRow};
use crate::Memory;
use crate::files::check_label;

/// Blocks that an agent has before it, at most.
const MOST_IN_VIEW: i64 = 200;

/// The blocks that an agent has before it, by name: its own, and the shared ones whose name it has not given to one of its
/// own. Files of the memory tool are not among them. At most 200.
///
/// # Errors
/// The store's.
pub async fn in_view(conn: &mut Conn, tenant: &TenantId, owner: &str, agent: &str) -> Result<Vec<Block>> {
    let mut rows = sql::list_in_view(conn, tenant, owner, agent, MOST_IN_VIEW).await?;
    rows.dedup_by(|later, first| later.label == first.label);
    Ok(rows.into_iter().map(Block::from).collect())
}

/// Which blocks a list holds.
#[derive(Clone, Debug, Default)]
pub struct BlockFilter {
    /// Owner; the credential's own person or principal when absent.
    pub user_id: Option<String>,
    /// Those that this agent sees; all of the owner's when absent.
    pub agent_id: Option<String>,
    /// Beginning of their names.
    pub prefix: Option<String>,
}

impl Memory {
    /// Makes a block.
    ///
    /// # Errors
    /// `validation_failed`, `too_large`, `block_exists`, `erasure_in_progress`, `not_found` for a foreign owner.
    pub async fn create_block(&self, ctx: &Ctx, new: NewBlock) -> Result<Block> {
        ctx.require(Scope::MemoryWrite)?;
        new.check()?;
        check_label(&new.label)?;
        let owner = ctx.owner(new.user_id.as_deref())?;
        let (memory, ctx) = (self.clone(), ctx.clone());
        let created = self.0.store.write("memory.create_block", Reach::of(&ctx.tenant.clone()), move |tx| {
            Box::pin(async move {
                let desk = memory.block_desk(tx, &ctx, &owner).await?;
                Ok(desk.create(tx, new).await?.into())
            })
        });
        created.await.inspect(|_| metrics::counter!("memory_storage_total", "type" => "block").increment(1))
    }

    /// Reads a block as an agent sees it.
    ///
    /// # Errors
    /// `not_found`, the same for absent, deleted and foreign.
    pub async fn get_block(&self, ctx: &Ctx, place: &BlockPlace) -> Result<Block> {
        ctx.require(Scope::MemoryRead)?;
        let found = self.find_block(ctx, place).await?;
        found.filter(|row| !row.deleted).map(Block::from).ok_or_else(|| Error::not_found("block"))
    }

    async fn find_block(&self, ctx: &Ctx, place: &BlockPlace) -> Result<Option<BlockRow>> {
        place.check()?;
        let (owner, agent) =
            (ctx.owner(place.user_id.as_deref())?, place.agent_id.as_deref().unwrap_or_default());
        let mut conn = self.0.store.read(&ctx.tenant).await?;
        Ok(sql::find(&mut conn, &ctx.tenant, &owner, [agent, ""], &place.label).await?)
    }

    /// Lists blocks by name, then agent.
    ///
    /// # Errors
    /// `validation_failed` for a foreign cursor, `not_found` for a foreign owner.
    pub async fn list_blocks(
        &self,
        ctx: &Ctx,
        filter: &BlockFilter,
        page: &PageRequest,
    ) -> Result<Page<Block>> {
        ctx.require(Scope::MemoryRead)?;
        let owner = ctx.owner(filter.user_id.as_deref())?;
        let from = page.cursor.as_deref().map(Cursor::key).transpose()?.unwrap_or_default();
        let (agent, prefix) = (filter.agent_id.as_deref(), filter.prefix.as_deref().unwrap_or_default());
        let (mut conn, limit) = (self.0.store.read(&ctx.tenant).await?, i64::from(page.limit) + 1);
        let rows = sql::list(&mut conn, &ctx.tenant, &owner, agent, prefix, from, limit).await?;
        Ok(Page::cut(rows, page.limit, |row| (row.label.clone(), row.agent_id.clone())).map(Block::from))
    }

    /// Changes a block. Safe to try again: the version that was expected is gone after the first time.
    ///
    /// # Errors
    /// `not_found`; `block_stale` with the block as it is; `block_read_only` for agents; `too_large`; `validation_failed`.
    pub async fn change_block(&self, ctx: &Ctx, place: BlockPlace, change: BlockChange) -> Result<Block> {
        ctx.require(Scope::MemoryWrite)?;
        place.check()?;
        change.check()?;
        let owner = ctx.owner(place.user_id.as_deref())?;
        let (memory, ctx) = (self.clone(), ctx.clone());
        let changed = self.0.store.write("memory.change_block", Reach::of(&ctx.tenant.clone()), move |tx| {
            Box::pin(async move {
                let desk = memory.block_desk(tx, &ctx, &owner).await?;
                let agent = place.agent_id.as_deref().unwrap_or_default();
                let found = desk.find(tx, agent, &place.label).await?;
                let old = found.ok_or_else(|| Error::not_found("block"))?;
                if old.version != change.expected_version {
                    return Err(stale(old));
                }
                let row = BlockRow {
                    text: change.apply(&old.text)?,
                    limit_chars: change.limit_chars.unwrap_or(old.limit_chars),
                    read_only: change.read_only.unwrap_or(old.read_only),
                    description: change.description.unwrap_or_else(|| old.description.clone()),
                    ..old.clone()
                };
                Ok(desk.change(tx, &old, row).await?.into())
            })
        });
        changed.await
    }

    /// Deletes a block; its versions can be read for 30 days, and its name can be given again.
    ///
    /// # Errors
    /// As [`Memory::change_block`].
    pub async fn delete_block(
        &self,
        ctx: &Ctx,
        place: BlockPlace,
        expected_version: Option<i64>,
    ) -> Result<()> {
        ctx.require(Scope::MemoryWrite)?;
        place.check()?;
        let owner = ctx.owner(place.user_id.as_deref())?;
        let (memory, ctx) = (self.clone(), ctx.clone());
        let deleted = self.0.store.write("memory.delete_block", Reach::of(&ctx.tenant.clone()), move |tx| {
            Box::pin(async move {
                let desk = memory.block_desk(tx, &ctx, &owner).await?;
                let agent = place.agent_id.as_deref().unwrap_or_default();
                let found = desk.find(tx, agent, &place.label).await?;
                let old = found.ok_or_else(|| Error::not_found("block"))?;
                if expected_version.is_some_and(|expected| expected != old.version) {
                    return Err(stale(old));
                }
                desk.delete(tx, &old).await?;
                Ok(())
            })
        });
        deleted.await
    }

    /// Lists the versions of a block, last first; also of a deleted one.
    ///
    /// # Errors
    /// `not_found`, the same for absent and foreign.
    pub async fn block_versions(
        &self,
        ctx: &Ctx,
        place: &BlockPlace,
        page: &PageRequest,
    ) -> Result<Page<BlockVersion>> {
        ctx.require(Scope::MemoryRead)?;
        let row = self.find_block(ctx, place).await?.ok_or_else(|| Error::not_found("block"))?;
        let before = page.cursor.as_deref().map(Cursor::key).transpose()?.unwrap_or(i64::MAX);
        let (mut conn, limit) = (self.0.store.read(&ctx.tenant).await?, i64::from(page.limit) + 1);
        let versions = sql::list_versions(&mut conn, &ctx.tenant, &row.block_id, before, limit).await?;
        Ok(Page::cut(versions, page.limit, |version| version.version))
    }
}
