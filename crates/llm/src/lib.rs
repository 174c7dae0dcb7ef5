//! Models: embeddings of texts, by a model in this process or by an OpenAI-compatible server, and completions by a server.
//!
//! [`Embedder`] is what the rooms above hold. It never downloads anything and never panics on what a server or a
//! text holds; [`ModelError`] tells what the caller may do about a failure.

mod complete;
mod error;
mod local;
mod queue;
mod remote;
mod safetensors;
mod server;

use std::path::Path;

pub use complete::{ChatConfig, ChatModel, Completion, Form, Message, Role};
pub use error::ModelError;
pub use local::LocalModel;
use queue::Workers;
pub use remote::{RemoteConfig, RemoteModel};

/// What an embedding is for; decides its place in the queue and how long a server may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Somebody waits: served before documents, 2 s for a server.
    Query,
    /// Background work: 30 s for a server.
    Document,
}

/// A text to embed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Input {
    /// What came before it, such as `"{previous turn}\n{speaker}:"`. Only the local model reads it: tokens see it,
    /// but only the text's own tokens are returned. Cut from its start when both are too long.
    pub context: Option<String>,
    /// The text itself; the local model reads its first 128 tokens.
    pub text: String,
}

impl Input {
    /// A text with nothing before it.
    pub fn new(text: impl Into<String>) -> Self {
        Self { context: None, text: text.into() }
    }

    /// A text after `context`.
    pub fn after(context: impl Into<String>, text: impl Into<String>) -> Self {
        Self { context: Some(context.into()), text: text.into() }
    }
}

/// The vectors of one text.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Embedding {
    /// Sentence vector `[dim]`, unit length.
    pub vector: Vec<f32>,
    /// Unit vectors of the text's own tokens `[n, dim]`, row after row; empty from a server.
    pub tokens: Vec<f32>,
    /// Bytes of the text each token covers, `[n]`.
    pub spans: Vec<(usize, usize)>,
}

/// Where embeddings come from.
pub enum Embedder {
    /// Nowhere: recall goes by words.
    None,
    /// A model in this process.
    Local(Workers),
    /// A server with `POST {base}/embeddings`.
    Remote(RemoteModel),
}

impl Embedder {
    /// Loads a BERT model from a directory with `config.json`, `tokenizer.json` and `model.safetensors`.
    ///
    /// Blocks for about a second. `threads` texts are embedded at a time (at least one); the weights are shared.
    ///
    /// # Errors
    /// [`ModelError::Load`] when a file is missing or is not what its name says.
    pub fn local(directory: &Path, threads: usize) -> Result<Self, ModelError> {
        Ok(Self::Local(Workers::start(LocalModel::load(directory)?, threads)?))
    }

    /// Prepares to ask a server; sends nothing yet.
    ///
    /// # Errors
    /// [`ModelError::Load`] when the HTTP client cannot be built.
    pub fn remote(config: RemoteConfig) -> Result<Self, ModelError> {
        Ok(Self::Remote(RemoteModel::new(config)?))
    }

    /// Name of the model; vectors of different names are never compared.
    pub fn model_id(&self) -> Option<&str> {
        match self {
            Self::None => None,
            Self::Local(workers) => Some(workers.model().id()),
            Self::Remote(model) => Some(model.id()),
        }
    }

    /// Components of a vector; of a server unknown until its first answer, unless it was configured.
    pub fn dim(&self) -> Option<usize> {
        match self {
            Self::None => None,
            Self::Local(workers) => Some(workers.model().dim()),
            Self::Remote(model) => model.dim(),
        }
    }

    /// Tells whether embeddings carry token vectors.
    pub fn has_tokens(&self) -> bool {
        matches!(self, Self::Local(_))
    }

    /// Asks for a sign of life, without embedding anything.
    ///
    /// # Errors
    /// `Disabled` without a model, `Unreachable` and `Refused` of a server that would not embed either.
    pub async fn ping(&self) -> Result<(), ModelError> {
        match self {
            Self::None => Err(ModelError::Disabled),
            Self::Local(_) => Ok(()),
            Self::Remote(model) => model.ping().await,
        }
    }

    /// Embeds texts; answer i belongs to `inputs[i]`. Safe to repeat and to drop half-way.
    ///
    /// # Errors
    /// Any [`ModelError`] but `Load`; no partial answers.
    pub async fn embed(&self, purpose: Purpose, inputs: Vec<Input>) -> Result<Vec<Embedding>, ModelError> {
        match self {
            Self::None => Err(ModelError::Disabled),
            Self::Local(workers) => workers.embed(purpose, inputs).await,
            Self::Remote(model) => model.embed(purpose, &inputs).await,
        }
    }
}
