//! Tools of capsules and context bundles.

use kernel::{Ctx, PageRequest, Result};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::native::recalled;
use crate::Memory;
use crate::bundle::{Bundle, BundleRequest};
use crate::capsules::{CapsuleReader, NewCapsule};
use crate::events::Channel;

/// Capsules of a list.
const ROWS: u32 = 50;

pub(super) async fn create_capsule(memory: &Memory, ctx: &Ctx, new: NewCapsule) -> Result<String> {
    let made = memory.create_capsule(ctx, new).await?;
    Ok(json!({"capsule_id": made.capsule_id, "expires_at": made.expires_at}).to_string())
}

/// For whom.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Addressee {
    /// The agent that reads; keys must say.
    agent_id: Option<String>,
    /// Where the answer is shown; `private` when absent.
    channel: Option<Channel>,
    /// Owner.
    user_id: Option<String>,
}

pub(super) async fn get_capsules(memory: &Memory, ctx: &Ctx, of: Addressee) -> Result<String> {
    let reader = CapsuleReader { agent_id: of.agent_id, channel: of.channel };
    let page = PageRequest { limit: ROWS, cursor: None };
    recalled(&memory.list_capsules(ctx, of.user_id.as_deref(), &reader, &page).await?)
}

pub(super) async fn build_bundle(memory: &Memory, ctx: &Ctx, request: BundleRequest) -> Result<String> {
    let bundle = memory.build_bundle(ctx, request).await?;
    // Its sections say the same, and all of it is fenced here.
    recalled(&Bundle { rendered: None, ..bundle })
}
