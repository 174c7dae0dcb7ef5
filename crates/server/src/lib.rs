//! The composition root: configuration, start-up, router, health, metrics, and the commands of the `hearth` binary.

mod admin;
pub mod api;
pub mod app;
mod background;
mod backups;
pub mod commands;
pub mod config;
pub mod dependencies;
mod disk;
mod doctor;
mod edge;
mod folding;
mod format;
mod health;
pub mod logs;
mod metrics;
mod offsite;
mod open;
mod own;
mod page;
mod probes;
mod process;
mod reload;
pub mod rights;
mod secrets;
mod settings;
mod system;
mod systemd;
mod window;

pub use app::App;
