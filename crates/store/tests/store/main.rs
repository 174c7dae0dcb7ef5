//! What the store promises, on both engines.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

mod backup;
mod backup_damage;
mod backup_transfer;
mod blobs;
mod bucket;
mod cache;
mod failures;
mod idempotency;
mod jobs;
mod migrations;
mod queue;
mod reach;
mod redis;
mod replica;
mod retention;
mod rows;
mod schedules;
mod schema;
mod sealed;
mod statements;
mod support;
mod writing;
