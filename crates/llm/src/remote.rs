//! Embeddings from an OpenAI-compatible server: `POST {base}/embeddings`.

use std::sync::OnceLock;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::local::to_unit;
use crate::{EmbedError, Embedding, Input, Purpose};

/// Longest answer read, in bytes.
const ANSWER_MAX: usize = 64 << 20;

/// How long an idle connection is kept. Shorter than the pause after a failed query: a line that was cut unnoticed is
/// then gone when the server is tried again, and cannot fail it once more.
const IDLE_LIMIT: Duration = Duration::from_secs(4);

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
    url: String,
    client: reqwest::Client,
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
    pub(crate) fn new(config: RemoteConfig) -> Result<Self, EmbedError> {
        let client = reqwest::Client::builder()
            .tcp_nodelay(true)
            .connect_timeout(config.query_limit)
            .pool_idle_timeout(IDLE_LIMIT);
        let client = client.build().map_err(EmbedError::load)?;
        let url = format!("{}/embeddings", config.base_url.trim_end_matches('/'));
        let dim = config.dim.map_or_else(OnceLock::new, OnceLock::from);
        Ok(Self { config, url, client, dim })
    }

    pub(crate) fn id(&self) -> &str {
        &self.config.model
    }

    pub(crate) fn dim(&self) -> Option<usize> {
        self.dim.get().copied()
    }

    /// Asks for the list of models, which costs no token. A server without such a list (404) is there all the same.
    pub(crate) async fn ping(&self) -> Result<(), EmbedError> {
        let call = self.client.get(format!("{}/models", self.config.base_url.trim_end_matches('/')));
        let answer = self.with_key(call).send().await.map_err(EmbedError::Unreachable)?;
        let status = answer.status().as_u16();
        if matches!(status, 401 | 403) || status >= 500 {
            return Err(EmbedError::Refused { status });
        }
        Ok(())
    }

    fn with_key(&self, call: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        match &self.config.api_key {
            Some(key) => call.bearer_auth(key),
            None => call,
        }
    }

    pub(crate) async fn embed(
        &self,
        purpose: Purpose,
        inputs: &[Input],
    ) -> Result<Vec<Embedding>, EmbedError> {
        if inputs.is_empty() {
            return Ok(Vec::new());
        }
        let limit = match purpose {
            Purpose::Query => self.config.query_limit,
            Purpose::Document => self.config.document_limit,
        };
        let body = tokio::time::timeout(limit, self.post(inputs))
            .await
            .map_err(|_| EmbedError::Timeout { limit_ms: limit.as_millis() as u64 })??;
        self.read(&body, inputs.len())
    }

    async fn post(&self, inputs: &[Input]) -> Result<Vec<u8>, EmbedError> {
        let input = inputs.iter().map(|i| i.text.as_str()).collect();
        let request = Request { model: &self.config.model, input, encoding_format: "float" };
        let call = self.with_key(self.client.post(&self.url).json(&request));
        let mut answer = call.send().await.map_err(EmbedError::Unreachable)?;
        if !answer.status().is_success() {
            return Err(EmbedError::Refused { status: answer.status().as_u16() });
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(EmbedError::Unreachable)? {
            if body.len() + chunk.len() > ANSWER_MAX {
                return Err(malformed(format!("longer than {ANSWER_MAX} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn read(&self, body: &[u8], count: usize) -> Result<Vec<Embedding>, EmbedError> {
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

    fn check(&self, mut vector: Vec<f32>) -> Result<Embedding, EmbedError> {
        if vector.is_empty() || vector.iter().any(|v| !v.is_finite()) || vector.iter().all(|&v| v == 0.0) {
            return Err(malformed("a vector that is empty, zero or not finite".to_owned()));
        }
        let expected = *self.dim.get_or_init(|| vector.len());
        if vector.len() != expected {
            return Err(EmbedError::Dimension { expected, got: vector.len() });
        }
        to_unit(&mut vector);
        Ok(Embedding { vector, ..Embedding::default() })
    }
}

fn malformed(what: String) -> EmbedError {
    EmbedError::Malformed { what }
}
