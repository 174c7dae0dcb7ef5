//! The tool of context bundles.

use kernel::{Ctx, Result};

use super::native::recalled;
use crate::Memory;
use crate::bundle::{Bundle, BundleRequest};

pub(super) async fn build_bundle(memory: &Memory, ctx: &Ctx, request: BundleRequest) -> Result<String> {
    let bundle = memory.build_bundle(ctx, request).await?;
    // Its sections say the same, and all of it is fenced here.
    recalled(&Bundle { rendered: None, ..bundle })
}
