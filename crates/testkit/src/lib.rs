//! For tests only: an empty or migrated database on each engine, callers, a place for blobs, a played embedding
//! server, and lines that break.
//!
//! Nothing here is skipped when a service is missing: the test fails and names the variable to set.

mod callers;
pub mod chat;
mod cluster;
pub mod embeddings;
mod engines;
mod planted;
pub mod proxy;
mod redis;
mod rows;

pub use callers::{bound_key, ctx, key, limited};
pub use cluster::Cluster;
pub use engines::{Home, databases, homes, on_both, server_url};
pub use planted::{everything_in, holds};
pub use redis::RedisServer;
pub use rows::fill_every_table;

use kernel::{Clock, Micros};

/// The instant at which the clocks of tests stand.
pub const NOON: &str = "2026-01-31T12:00:00Z";

/// A clock that stands at [`NOON`] until it is moved.
pub fn clock() -> Clock {
    Clock::fixed(instant(NOON))
}

/// Reads an instant.
///
/// # Panics
/// When the text is none.
pub fn instant(text: &str) -> Micros {
    Micros::parse(text).expect("an instant of a test is RFC 3339")
}

/// Reads a variable that `./test` sets.
///
/// # Panics
/// When it is missing, with what it must hold.
pub fn needed(name: &str, what: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| missing(name, what))
}

#[allow(clippy::panic, reason = "a test without its service fails, it is never skipped")]
fn missing(name: &str, what: &str) -> ! {
    panic!("{name} must name {what}; ./test starts one and sets it")
}
