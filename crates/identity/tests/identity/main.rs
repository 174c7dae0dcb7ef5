//! Rules of identity, each on both engines.

mod audit;
mod forged;
mod http;
mod keys;
mod mint;
mod refresh;
mod roles;
mod sign_in;
mod sign_up;
mod support;
