//! Keys as people ask for them and see them.

use kernel::{Micros, Secret};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// For whom a key acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ActsFor {
    /// Its maker: what it writes belongs to them. Made by a credential that is nobody in particular, it is nobody's too.
    #[serde(rename = "self")]
    Myself,
    /// Whoever a request names; only administrators make such keys.
    Anyone,
}

/// A key to make.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// 1–100 characters for people.
    pub name: String,
    /// Names of scopes, at least one, none beyond the maker's.
    pub scopes: Vec<String>,
    /// For whom it acts; `None`: anyone when an administrator makes it, else the maker.
    pub acts_for: Option<ActsFor>,
    /// When it ends; never later than the key that makes it.
    pub expires_at: Option<Micros>,
}

/// A key that was made just now: the only time it can be read.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// The key itself.
    pub secret: Secret,
    /// All else about it.
    pub key: ApiKey,
    /// Its tenant.
    pub tenant_id: String,
}

/// A key as lists show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ApiKey {
    /// `key_…`
    pub key_id: String,
    /// For people.
    pub name: String,
    /// The key's first ten characters.
    pub prefix: String,
    /// What it may do, unless its person or maker may do less by now.
    pub scopes: Vec<String>,
    /// The person it acts for, if it is one.
    pub user_id: Option<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Micros,
    /// When it ends.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Micros>,
    /// Last use, to the minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Micros>,
    /// When it was revoked.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub revoked_at: Option<Micros>,
}
