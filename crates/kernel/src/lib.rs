//! Words that every room shares: ids, time, chance, the caller's context, errors, pages and secrets.
//!
//! Small and dull on purpose: a change here rebuilds the house.

pub mod ctx;
pub mod error;
pub mod id;
pub mod page;
pub mod random;
pub mod scope;
pub mod secret;
pub mod time;

pub use ctx::{Ctx, Principal, PrincipalKind};
pub use error::{Error, ErrorKind, FieldError, Refusal, Result};
pub use id::TenantId;
pub use page::{Cursor, Page, PageRequest};
pub use scope::{Role, Scope, Scopes};
pub use secret::Secret;
pub use time::{Clock, Micros};
