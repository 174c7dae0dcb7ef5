//! What the store promises, on both engines.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

mod blobs;
mod failures;
mod idempotency;
mod jobs;
mod migrations;
mod reach;
mod rows;
mod schema;
mod statements;
mod support;
mod writing;
