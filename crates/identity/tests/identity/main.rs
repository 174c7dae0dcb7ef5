//! Rules of identity, each on both engines.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as loudly as tests")]

mod accounts;
mod audit;
mod audit_chain;
mod audit_reading;
mod forged;
mod http;
mod keys;
mod memory;
mod mint;
mod misused;
mod refresh;
mod roles;
mod sign_in;
mod sign_up;
mod support;
