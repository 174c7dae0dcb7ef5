//! Recall: partitions in memory, a query in, the turns that answer out.

mod cache;
mod candidates;
mod filter;
mod fold;
mod found;
mod hits;
mod model;
mod pack;
pub mod policy;
mod query;
pub mod routes;
pub(crate) mod store;
mod vectors;

pub(crate) use cache::ScopeCache;
pub(crate) use candidates::{Candidates, Wish};
pub(crate) use filter::{Condition, field_of_memory};
pub(crate) use hits::{chunk_text, event_text};
pub use model::{
    Explain, Include, Neighbour, Packed, SearchAnswer, SearchHit, SearchMode, SearchRequest, Show, TagFilter,
};
pub(crate) use query::Searcher;
