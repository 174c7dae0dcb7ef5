//! What reading back answers beside events themselves.

use serde::Serialize;
use utoipa::ToSchema;

/// A chunk as older clients read it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Chunk {
    /// `chk_…`.
    pub chunk_id: String,
    /// Tenant.
    pub tenant_id: String,
    /// Its event.
    pub event_id: String,
    /// When the event happened.
    #[schema(value_type = String, format = DateTime)]
    pub ts: kernel::Micros,
    /// Kind of the event.
    pub kind: String,
    /// Where it was said.
    pub channel: String,
    /// How carefully it is kept.
    pub sensitivity: String,
    /// Labels of the event.
    pub tags: Vec<String>,
    /// Estimated tokens.
    pub token_est: i64,
    /// 0–1.
    pub importance: f64,
    /// The words.
    pub text: String,
}

/// What an owner's memory holds.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MemoryStats {
    /// Owner.
    pub user_id: String,
    /// Events recorded.
    pub events: i64,
    /// Conversations.
    pub sessions: i64,
    /// Where vectors come from.
    pub embedding: EmbeddingStats,
}

/// Where vectors come from.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EmbeddingStats {
    /// Name of the model; absent without one.
    pub model: Option<String>,
    /// Components of a vector.
    pub dimension: Option<usize>,
    /// `ready`, or `none` when recall goes by words alone.
    pub state: &'static str,
}
