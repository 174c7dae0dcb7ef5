//! Embeddings from an OpenAI-compatible server: `POST {base}/embeddings`.

use std::sync::OnceLock;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::local::to_unit;
use crate::server::Server;
use crate::{Embedding, Input, ModelError, Purpose};

/// Longest answer read, in bytes.
const ANSWER_MAX: usize = 64 << 20;

/// How to reach an embedding server.
#[derive(Clone)]
pub struct RemoteConfig {
    /// Base of the API, such as `http://localhost:1234/v1`; a final slash is passed over.
    pub base_url: String,
    /// Sent as bearer token.
    pub api_key: Option<String>,
    /// Name of the model there.
    pub model: String,
    /// Components of its vectors; without it the first answer sets them.
    pub dim: Option<usize>,
    /// Time limit for queries.
    pub query_limit: Duration,
    /// Time limit for documents.
    pub document_limit: Duration,
}

impl RemoteConfig {
    /// A server with the usual time limits (2 s, 30 s), no key and unknown dimension.
    pub fn new(base_url: impl Into<String>, model: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            api_key: None,
            model: model.into(),
            dim: None,
            query_limit: Duration::from_secs(2),
            document_limit: Duration::from_secs(30),
        }
    }
}

/// An embedding server.
pub struct RemoteModel {
    config: RemoteConfig,
    server: Server,
    dim: OnceLock<usize>,
}

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    input: Vec<&'a str>,
    encoding_format: &'static str,
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    index: Option<usize>,
    embedding: Vec<f32>,
}

impl RemoteModel {
    pub(crate) fn new(config: RemoteConfig) -> Result<Self, ModelError> {
        let server = Server::new(&config.base_url, config.api_key.clone(), config.query_limit)?;
        let dim = config.dim.map_or_else(OnceLock::new, OnceLock::from);
        Ok(Self { config, server, dim })
    }

    pub(crate) fn id(&self) -> &str {
        &self.config.model
    }

    pub(crate) fn dim(&self) -> Option<usize> {
        self.dim.get().copied()
    }

    pub(crate) async fn ping(&self) -> Result<(), ModelError> {
        self.server.ping().await
    }

    pub(crate) async fn embed(
        &self,
        purpose: Purpose,
        inputs: &[Input],
    ) -> Result<Vec<Embedding>, ModelError> {
        if inputs.is_empty() {
            return Ok(Vec::new());
        }
        let limit = match purpose {
            Purpose::Query => self.config.query_limit,
            Purpose::Document => self.config.document_limit,
        };
        let input = inputs.iter().map(|i| i.text.as_str()).collect();
        let request = Request { model: &self.config.model, input, encoding_format: "float" };
        let body = self.server.post("/embeddings", &request, limit, ANSWER_MAX).await?;
        self.read(&body, inputs.len())
    }

    fn read(&self, body: &[u8], count: usize) -> Result<Vec<Embedding>, ModelError> {
        let answer: Answer = serde_json::from_slice(body).map_err(|e| malformed(e.to_string()))?;
        if answer.data.len() != count {
            return Err(malformed(format!("{} vectors for {count} texts", answer.data.len())));
        }
        let mut out = vec![None; count];
        for (position, row) in answer.data.into_iter().enumerate() {
            let at = row.index.unwrap_or(position);
            let place = out.get_mut(at).filter(|place| place.is_none());
            let place = place.ok_or_else(|| malformed(format!("index {at} is out of place")))?;
            *place = Some(self.check(row.embedding)?);
        }
        Ok(out.into_iter().flatten().collect())
    }

    fn check(&self, mut vector: Vec<f32>) -> Result<Embedding, ModelError> {
        if vector.is_empty() || vector.iter().any(|v| !v.is_finite()) || vector.iter().all(|&v| v == 0.0) {
            return Err(malformed("a vector that is empty, zero or not finite".to_owned()));
        }
        let expected = *self.dim.get_or_init(|| vector.len());
        if vector.len() != expected {
            return Err(ModelError::Dimension { expected, got: vector.len() });
        }
        to_unit(&mut vector);
        Ok(Embedding { vector, ..Embedding::default() })
    }
}

fn malformed(what: String) -> ModelError {
    ModelError::Malformed { what }
}
