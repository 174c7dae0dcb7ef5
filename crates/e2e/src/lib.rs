//! Journeys that drive the built `hearth` binary as its users do: over HTTP, the command line and signals.
//!
//! The helpers here start servers of their own, each with a database, a data directory and a port of its own,
//! and with nothing of the caller's environment. A missing binary or database server is an error, never a skip.

mod api;
mod database;
mod ledger;
pub mod power;
mod server;

pub use api::{Answer, Api};
pub use database::{Database, Engine};
pub use ledger::{Findings, Ledger, percentile};
pub use server::{Ended, Hearth, Server, run_to_end};
