//! Recall: partitions in memory, a query in, the turns that answer out.

mod cache;
mod hits;
mod model;
pub mod policy;
mod query;
pub mod routes;
pub(crate) mod store;
mod vectors;

pub(crate) use cache::ScopeCache;
pub(crate) use hits::chunk_text;
pub use model::{Explain, Neighbour, SearchAnswer, SearchHit, SearchMode, SearchRequest, TagFilter};
pub(crate) use query::Searcher;
