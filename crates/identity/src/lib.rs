//! Tenants, people, sessions, tokens, API keys, roles and the audit log: who asks, and what they may do.
//!
//! [`Identity`] is the one service. Every kind of credential goes through [`Identity::authenticate`], which answers with a
//! [`kernel::Ctx`]; the other rooms know callers only by that. Nothing here stores a secret: passwords are Argon2id
//! hashes, keys and tokens HMACs under the server's pepper.

mod accounts;
pub mod audit;
mod authenticate;
mod config;
mod error;
mod invitations;
mod keys;
mod lookup;
mod model;
mod operator;
mod password;
mod people;
mod refresh;
mod retention;
pub mod rights;
mod routes;
mod service;
mod sessions;
mod standing;
mod throttle;
mod token;
mod validate;

pub use accounts::{Registering, SettingUp, SetupState, SigningIn};
pub use config::{Config, Registration};
pub use error::Error;
pub use invitations::{Invitation, ListedInvitation};
pub use keys::{ActsFor, ApiKey, Minted, NewApiKey, NewKey};
pub use model::{Origin, PageSession, Person, Session, SessionUser, SignedIn};
pub use operator::{MadeKey, after_restore};
pub use people::User;
pub use retention::retention;
pub use routes::routes;
pub use service::Identity;
pub use sessions::{SignIn, SignIns, Validation};
