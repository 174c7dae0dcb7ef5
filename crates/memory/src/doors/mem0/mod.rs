//! The door for programs written for mem0: its paths and bodies below `/mem0`, of its platform (v1 to v3) and of its
//! self-hosted server.
//!
//! `run_id` is our session, `app_id` lies in the metadata, `categories` are tags. What is added with `infer` is recorded as
//! events, from which memories are derived in the background; without it each message is a note and a fact that rests on it.

mod model;
mod routes;
mod scope;
mod service;

pub(super) use routes::routes;
