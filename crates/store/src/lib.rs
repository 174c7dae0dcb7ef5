//! Two SQL engines behind one value, and the durable furniture that stands on them.
//!
//! [`Store`] opens SQLite or PostgreSQL. Reads take a [`Conn`], writes go through [`Store::write`], which hands a
//! [`Tx`] to a closure and acknowledges only after a durable commit. Statements are one text for both engines
//! (`$1…$n`, portable columns); the macros [`fetch_all!`], [`fetch_optional!`], [`fetch_one!`] and [`execute!`] expand
//! the same expression once per engine, so nothing is decided at run time but the engine itself.
//!
//! Danger: never wait for the outside world inside a `write` closure. On SQLite it holds the only writer.

pub mod backup;
pub mod blob;
pub mod cache;
pub mod conn;
pub mod error;
pub mod examine;
pub mod idempotency;
pub mod jobs;
pub mod lease;
pub mod lock;
pub mod migrate;
mod pool;
mod reach;
pub mod redis;
pub mod replica;
pub mod retention;
pub mod rights;
mod rows;
pub mod schedule;
pub mod seal;
pub mod sealed;
pub mod tally;
mod writer;

pub use self::redis::Redis;
pub use blob::Blobs;
pub use cache::Cache;
pub use conn::{Conn, Tx};
pub use error::Error;
pub use jobs::NewJob;
pub use pool::{Engine, PoolState, Store, StoreConfig};
pub use reach::Reach;
pub use rows::{Row, Value, fetch_by_ids, fetch_joined, insert_many, insert_returning};
pub use sqlx;

/// A result with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
