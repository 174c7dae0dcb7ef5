//! The retrieval engine: documents of one or several scopes in RAM, a query in, ranked and explained hits out.
//!
//! Pure: no I/O, no clock, no chance. The caller keeps texts and token codes in its database.
//!
//! A search has two phases. [`search`] ranks by words (BM25 over turns, spread to neighbours and sessions) and, where
//! the query brings one, by sentence vector. [`Ranking::rerank`] then compares the query's token vectors with the
//! 1-bit token codes of the few hundred candidates, which the caller reads in between.
//!
//! ```
//! use recall::{Doc, Index, Params, Query, Vector, search, sign_codes};
//!
//! let mut index = Index::default();
//! let turns = [("ann", "I went to a support group yesterday"), ("bob", "How was it?"), ("ann", "It helped a lot")];
//! for (seq, (speaker, text)) in turns.into_iter().enumerate() {
//!     let key = format!("turn-{seq}");
//!     index.upsert(&Doc { key: &key, session: "s1", seq: seq as i64, speaker, text, ..Doc::default() });
//! }
//! index.set_vector("turn-0", &Vector::quantise(&[0.6, 0.8]))?;
//!
//! let query = Query { text: "Which group did Ann visit?", vector: Some(&[1.0, 0.0]), explain: true, ..Query::default() };
//! let mut ranking = search(&[&index], &query, &Params::default());
//! // Phase two: read the codes of `ranking.candidates()` and hand them in (none are wanted without `query.tokens`).
//! let codes = sign_codes(&[0.6, 0.8], 2);
//! ranking.rerank([("turn-0", codes.as_slice())]);
//! let hits = ranking.top(10);
//! assert_eq!(hits[0].key, "turn-0");
//! let sum: f64 = hits[0].explain.iter().map(|part| part.value).sum();
//! assert!((sum - hits[0].score).abs() < 1e-6);
//! # Ok::<(), recall::VectorError>(())
//! ```

pub mod eval;
mod index;
mod kernels;
mod params;
mod quant;
mod query;
mod search;
pub mod text;

pub use index::{Doc, Index, VectorError};
pub use params::{Boosts, Leg, Params};
pub use quant::{Vector, sign_codes};
pub use query::{Filter, Mode, Query, QueryTokens};
pub use search::{Analysis, Group, Hit, Part, QueryTerm, Ranking, search};
pub use text::Language;
