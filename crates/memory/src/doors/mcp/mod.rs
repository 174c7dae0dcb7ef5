//! The door for agents that speak the Model Context Protocol: tools over streamable HTTP at `/mcp`, and the same for
//! `hearth mcp` over stdio.
//!
//! The server sends nothing on its own and keeps no state between requests, so that any replica answers any of them: a
//! session is a signed ticket ([`session`]), and rights come from the credential of each request alone.

mod fence;
mod protocol;
mod routes;
mod session;
mod tools;

pub use protocol::{Incoming, ToolSets};
pub(super) use routes::routes;
pub(crate) use session::Ended;
