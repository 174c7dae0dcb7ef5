//! Tools of blocks.

use kernel::{Ctx, Error, PageRequest, Result};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::native::recalled;
use crate::Memory;
use crate::blocks::{Block, BlockChange, BlockFilter, BlockPlace, InsertText, NewBlock, ReplaceText};

/// Blocks of a list.
const ROWS: u32 = 200;

/// A block, or all of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OfBlock {
    /// Its name; all blocks are listed when absent.
    label: Option<String>,
    /// Owner.
    user_id: Option<String>,
    /// The agent that looks: it sees its own block of a name, or else the one that all agents share.
    agent_id: Option<String>,
}

pub(super) async fn read_block(memory: &Memory, ctx: &Ctx, of: OfBlock) -> Result<String> {
    let OfBlock { label, user_id, agent_id } = of;
    if let Some(label) = label {
        return recalled(&memory.get_block(ctx, &BlockPlace { user_id, agent_id, label }).await?);
    }
    let filter = BlockFilter { user_id, agent_id, ..BlockFilter::default() };
    recalled(&memory.list_blocks(ctx, &filter, &PageRequest { limit: ROWS, cursor: None }).await?)
}

/// A change of a block: one of `insert`, `replace` and `rethink`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EditBlock {
    /// Its name.
    label: String,
    /// Owner.
    user_id: Option<String>,
    /// The one agent that it is for.
    agent_id: Option<String>,
    /// The version that was read; a new block is made when absent.
    expected_version: Option<i64>,
    /// Puts text between two lines.
    insert: Option<InsertText>,
    /// Puts text in the place of other text.
    replace: Option<ReplaceText>,
    /// The whole text anew.
    rethink: Option<String>,
    /// What it is for, up to 1,000 characters.
    description: Option<String>,
}

pub(super) async fn edit_block(memory: &Memory, ctx: &Ctx, edit: EditBlock) -> Result<String> {
    let EditBlock { label, user_id, agent_id, expected_version, insert, replace, rethink, description } =
        edit;
    let block = match expected_version {
        Some(expected_version) => {
            let place = BlockPlace { user_id, agent_id, label };
            let change = BlockChange {
                expected_version,
                insert,
                replace,
                rethink,
                description,
                ..BlockChange::default()
            };
            memory.change_block(ctx, place, change).await?
        }
        None if insert.is_some() || replace.is_some() => {
            return Err(Error::field("expected_version", "is the version that was read"));
        }
        None => {
            let (text, description) = (rethink.unwrap_or_default(), description.unwrap_or_default());
            let new = NewBlock { label, text, description, user_id, agent_id, ..NewBlock::default() };
            memory.create_block(ctx, new).await?
        }
    };
    Ok(told(&block))
}

fn told(block: &Block) -> String {
    json!({"label": block.label, "version": block.version}).to_string()
}
