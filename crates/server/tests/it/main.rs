//! What a whole server promises its clients, on both engines and over real connections.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as loudly as tests")]

mod admin_backups;
mod admin_jobs;
mod admin_overview;
mod answer;
mod bad_bodies;
mod bad_requests;
mod cache;
mod config;
mod config_binary;
mod config_cases;
mod config_files;
mod cors;
mod faults;
mod headers;
mod health;
mod injection;
mod limits;
mod metrics;
mod outage;
mod principals;
mod probes;
mod raw;
mod replica;
mod rights;
mod rights_export;
mod routes;
mod routes_table;
mod series;
mod support;
mod tenants;
mod tls;
mod tools;
