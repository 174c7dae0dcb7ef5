//! Rules: what agents must always or never do, said by a person for themselves or by administrators for the tenant.

mod model;
pub(crate) mod routes;
mod service;
mod store;

pub use model::{NewRule, Rule, RulePatch, RuleScope, RuleState};
pub use service::{RuleFilter, in_force};
