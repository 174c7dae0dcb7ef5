//! Doors: memory in the shapes that other programs already speak. No door has a rule of its own.

mod mcp;
mod mem0;

use utoipa_axum::router::OpenApiRouter;

use crate::Memory;

pub(crate) use mcp::Ended;
pub use mcp::{Incoming, ToolSets};

/// Routes of all doors.
pub(crate) fn routes() -> OpenApiRouter<Memory> {
    mem0::routes().merge(mcp::routes())
}
