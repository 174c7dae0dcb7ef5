//! What can go wrong with a model, one variant per thing a caller may do about it.

/// Why there is no embedding or completion.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// No model is configured: go on without.
    #[error("no embedding model is configured")]
    Disabled,
    /// The model cannot be set up: fix the configuration.
    #[error("loading the model: {what}")]
    Load {
        /// File or step, and what is wrong with it.
        what: String,
    },
    /// The server did not answer in time: retry later.
    #[error("model server did not answer within {limit_ms} ms")]
    Timeout {
        /// Time allowed, ms.
        limit_ms: u64,
    },
    /// The server cannot be reached: retry later.
    #[error("reaching the model server")]
    Unreachable(#[source] reqwest::Error),
    /// The server said no. 429 and 5xx may pass; others want the configuration fixed.
    #[error("model server answered {status}")]
    Refused {
        /// HTTP status.
        status: u16,
    },
    /// The server's answer makes no sense: treat as a broken server.
    #[error("model server sent a malformed answer: {what}")]
    Malformed {
        /// What is wrong with it.
        what: String,
    },
    /// Vectors have another dimension than those before: the model changed, or the setting is wrong.
    #[error("embedding has dimension {got}, not {expected}")]
    Dimension {
        /// Dimension configured or seen before.
        expected: usize,
        /// Dimension of this answer.
        got: usize,
    },
    /// The model in this process failed on a text.
    #[error("running the embedding model: {what}")]
    Model {
        /// What the model said.
        what: String,
    },
    /// The embedder is shutting down.
    #[error("embedding was stopped")]
    Stopped,
}

impl ModelError {
    /// Tells whether the same call may succeed later without anybody acting.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Timeout { .. } | Self::Unreachable(_) => true,
            Self::Refused { status } => *status == 429 || *status >= 500,
            _ => false,
        }
    }

    pub(crate) fn load(what: impl std::fmt::Display) -> Self {
        Self::Load { what: what.to_string() }
    }
}
