//! Inviting one person into a tenant: making, listing and withdrawing invitations.

mod model;
pub(crate) mod routes;
mod service;
pub(crate) mod store;

pub use model::{Invitation, ListedInvitation};
