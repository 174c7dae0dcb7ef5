//! Sessions as people see them.

use kernel::Micros;
use serde::Serialize;
use utoipa::ToSchema;

use crate::model::Person;

/// One open session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SignIn {
    /// `ses_…`
    pub session_id: String,
    /// `page` (cookie), `token` (login), `key` (made with an API key).
    pub kind: String,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Micros,
    /// Last use, to the minute.
    #[schema(value_type = String, format = DateTime)]
    pub last_used_at: Micros,
    /// When it ends if it is not used.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Micros,
    /// Where it began.
    pub address: Option<String>,
    /// What the client said it was.
    pub user_agent: Option<String>,
    /// The session that asks.
    pub current: bool,
}

/// Open sessions of a person, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SignIns {
    /// At most 200.
    pub sessions: Vec<SignIn>,
    /// How many are listed.
    pub count: usize,
}

/// What is known of an access token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Validation {
    /// Whether it opens anything.
    pub valid: bool,
    /// Whose it is.
    pub user: Option<Person>,
    /// `usr_…`
    pub user_id: Option<String>,
    /// When it ends.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Micros>,
    /// Why it is not valid.
    pub error: Option<String>,
}
