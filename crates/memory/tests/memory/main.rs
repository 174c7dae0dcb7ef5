//! What memory promises, on both engines.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

mod blocks;
mod bundles;
mod deriving;
mod extracting;
mod filing;
mod finding;
mod graphing;
mod handing;
mod importing;
mod recording;
mod remembering;
mod rights;
mod secrecy;
mod support;
mod vectors;
mod walls;
mod working;
