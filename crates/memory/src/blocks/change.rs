//! The one way a block changes: the owner is locked, the text cleaned and measured, and the version kept.

use kernel::{Ctx, Error, Micros, PrincipalKind, Result};
use store::Tx;

use super::model::{Block, MAX_TEXT, NewBlock, too_large};
use super::store::{self as sql, BlockRow};
use crate::Memory;
use crate::redact::{Redactions, Redactor};
use crate::rights::hold_owner;
use crate::text::sanitise_text;

/// What a change of an owner's blocks needs beside its transaction.
pub(crate) struct BlockDesk<'a> {
    ctx: &'a Ctx,
    owner: &'a str,
    redactor: &'a Redactor,
    now: Micros,
}

impl Memory {
    /// Opens an owner's blocks for changes; the owner's other writers wait until the transaction ends.
    ///
    /// # Errors
    /// `erasure_in_progress`.
    pub(crate) async fn block_desk<'a>(
        &'a self,
        tx: &mut Tx,
        ctx: &'a Ctx,
        owner: &'a str,
    ) -> Result<BlockDesk<'a>> {
        let now = self.0.clock.now();
        hold_owner(tx, &ctx.tenant, owner, now).await?;
        Ok(BlockDesk { ctx, owner, redactor: &self.0.redactor, now })
    }
}

impl BlockDesk<'_> {
    /// Finds the live block that an agent sees under a name: its own, or else the shared one.
    pub(crate) async fn find(&self, tx: &mut Tx, agent: &str, label: &str) -> Result<Option<BlockRow>> {
        let found = sql::find(tx, &self.ctx.tenant, self.owner, [agent, ""], label).await?;
        Ok(found.filter(|row| !row.deleted))
    }

    /// Lists the blocks that an agent sees whose names begin with `prefix`.
    pub(crate) async fn list(
        &self,
        tx: &mut Tx,
        agent: &str,
        prefix: &str,
        limit: i64,
    ) -> Result<Vec<BlockRow>> {
        let start = (String::new(), String::new());
        Ok(sql::list(tx, &self.ctx.tenant, self.owner, Some(agent), prefix, start, limit).await?)
    }

    /// Makes a block. The name of a deleted one goes on where its versions ended.
    ///
    /// # Errors
    /// `block_exists`, with the block; `too_large`.
    pub(crate) async fn create(&self, tx: &mut Tx, new: NewBlock) -> Result<BlockRow> {
        let agent = new.agent_id.unwrap_or_default();
        self.refuse_secret("label", &new.label)?;
        let known = sql::find(tx, &self.ctx.tenant, self.owner, [&agent, &agent], &new.label).await?;
        if let Some(known) = known.as_ref().filter(|known| !known.deleted) {
            let error = Error::conflict("block_exists", "there is a block of this name; change it instead");
            return Err(error.showing(Block::from(known.clone())));
        }
        let row = BlockRow {
            block_id: known
                .as_ref()
                .map_or_else(|| kernel::id::new_id("blk", self.now), |row| row.block_id.clone()),
            user_id: self.owner.to_owned(),
            agent_id: agent,
            label: new.label,
            text: new.text,
            limit_chars: new.limit_chars.unwrap_or(MAX_TEXT),
            read_only: new.read_only,
            description: new.description,
            version: known.map_or(0, |row| row.version),
            recorded_at: 0,
            deleted: false,
        };
        self.save(tx, row).await
    }

    /// Writes a block that was found here, with what changed in it, as its next version.
    ///
    /// # Errors
    /// `block_read_only`, `too_large`.
    pub(crate) async fn change(&self, tx: &mut Tx, old: &BlockRow, changed: BlockRow) -> Result<BlockRow> {
        let is_agent = self.ctx.principal.kind == PrincipalKind::ApiKey;
        if is_agent && (old.read_only || changed.read_only != old.read_only) {
            let text = "agents may only read this block; a person who is signed in may change it";
            return Err(Error::new(kernel::ErrorKind::Forbidden, "block_read_only", text));
        }
        self.save(tx, changed).await
    }

    /// Deletes a block that was found here; its versions stay for a while.
    ///
    /// # Errors
    /// `block_read_only`.
    pub(crate) async fn delete(&self, tx: &mut Tx, old: &BlockRow) -> Result<BlockRow> {
        self.change(tx, old, BlockRow { text: String::new(), deleted: true, ..old.clone() }).await
    }

    async fn save(&self, tx: &mut Tx, mut row: BlockRow) -> Result<BlockRow> {
        let mut seen = Redactions::default();
        for text in [&mut row.text, &mut row.description] {
            sanitise_text(text);
            self.redactor.clean_text(text, &mut seen);
        }
        if row.text.chars().count() as i64 > row.limit_chars {
            return Err(too_large(row.limit_chars));
        }
        row.version += 1;
        row.recorded_at = self.now.0;
        if sql::save(tx, &self.ctx.tenant, &row, &self.ctx.principal.id).await? == 0 {
            return Err(Error::internal("the lock on the owner keeps other writers out"));
        }
        Ok(row)
    }

    /// Refuses names that hold a secret: they are keys, and a placeholder would be another key.
    fn refuse_secret(&self, field: &str, name: &str) -> Result<()> {
        let (mut text, mut seen) = (name.to_owned(), Redactions::default());
        self.redactor.clean_text(&mut text, &mut seen);
        if seen.is_empty() { Ok(()) } else { Err(Error::field(field, "holds what looks like a secret")) }
    }
}

/// Somebody else was faster; `row` is the block as it is.
pub(super) fn stale(row: BlockRow) -> Error {
    let text = format!("the block has changed since; it is at version {} now, read it again", row.version);
    Error::conflict("block_stale", text).showing(Block::from(row))
}
