//! HTTP furniture that every room shares: the edge, problems, callers, bodies, paging, limits and the accept loop.
//!
//! A route takes [`Caller`] (who asks), [`Body`] or [`Posted`] (what was sent) and [`Query`], and answers
//! `Result<_, Problem>`. Everything else (ids, headers, metrics, error bodies) is the work of [`edge`].

pub mod accept;
mod address;
mod body;
mod caller;
pub mod edge;
mod head;
mod json;
pub mod limits;
mod page;
mod problem;
mod range;
mod series;
pub mod shed;
mod timing;
pub mod tls;

pub use address::{AddressRules, network};
pub use body::{Body, BodyLimit, Posted, Query, UrlPath};
pub use caller::{
    Authenticate, Authenticator, Caller, Credentials, KnownOrigin, Meta, SESSION_COOKIE, Visitor,
};
pub use edge::{Edge, EdgeConfig, Observation};
pub use json::{MAX_DEPTH, MAX_KEYS, check_shape};
pub use page::PageQuery;
pub use problem::{Problem, ProblemBody, status_of};
pub use range::byte_range;
pub use timing::Patience;
