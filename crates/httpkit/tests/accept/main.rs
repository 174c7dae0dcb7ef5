//! What the accept loop promises against clients that are slow, many, or wrong, over real sockets.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as loudly as tests")]

mod client;
mod drain;
mod heads;
mod multiplexed;
mod places;
mod slow;
mod support;
mod tls;
