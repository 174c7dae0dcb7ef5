//! What the store promises, on both engines.

mod blobs;
mod failures;
mod idempotency;
mod jobs;
mod migrations;
mod rows;
mod schema;
mod statements;
mod support;
mod writing;
