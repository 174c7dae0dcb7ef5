//! A server that speaks the protocol of OpenAI: addresses, credentials, limits of time and size.

use std::time::Duration;

use serde::Serialize;

use crate::ModelError;

/// How long an idle connection is kept. Shorter than the pause after a failed query: a line that was cut unnoticed is
/// then gone when the server is tried again, and cannot fail it once more.
const IDLE_LIMIT: Duration = Duration::from_secs(4);

/// The way to a server.
pub(crate) struct Server {
    base_url: String,
    api_key: Option<String>,
    client: reqwest::Client,
}

impl Server {
    /// `base_url` such as `http://localhost:1234/v1`; a final slash is passed over.
    pub(crate) fn new(
        base_url: &str,
        api_key: Option<String>,
        connect_limit: Duration,
    ) -> Result<Self, ModelError> {
        let client = reqwest::Client::builder()
            .tcp_nodelay(true)
            .connect_timeout(connect_limit)
            .pool_idle_timeout(IDLE_LIMIT);
        let client = client.build().map_err(ModelError::load)?;
        Ok(Self { base_url: base_url.trim_end_matches('/').to_owned(), api_key, client })
    }

    /// Asks for the list of models, which costs no token. A server without such a list (404) is there all the same.
    pub(crate) async fn ping(&self) -> Result<(), ModelError> {
        let call = self.client.get(format!("{}/models", self.base_url));
        let answer = self.with_key(call).send().await.map_err(ModelError::Unreachable)?;
        let status = answer.status().as_u16();
        if matches!(status, 401 | 403) || status >= 500 {
            return Err(ModelError::Refused { status });
        }
        Ok(())
    }

    /// Posts `body` and reads an answer of at most `most` bytes within `limit`.
    pub(crate) async fn post(
        &self,
        path: &str,
        body: &impl Serialize,
        limit: Duration,
        most: usize,
    ) -> Result<Vec<u8>, ModelError> {
        let asked = self.ask(path, body, most);
        tokio::time::timeout(limit, asked)
            .await
            .map_err(|_| ModelError::Timeout { limit_ms: limit.as_millis() as u64 })?
    }

    async fn ask(&self, path: &str, body: &impl Serialize, most: usize) -> Result<Vec<u8>, ModelError> {
        let call = self.with_key(self.client.post(format!("{}{path}", self.base_url)).json(body));
        let mut answer = call.send().await.map_err(ModelError::Unreachable)?;
        if !answer.status().is_success() {
            return Err(ModelError::Refused { status: answer.status().as_u16() });
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(ModelError::Unreachable)? {
            if body.len() + chunk.len() > most {
                return Err(ModelError::Malformed { what: format!("longer than {most} bytes") });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn with_key(&self, call: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        match &self.api_key {
            Some(key) => call.bearer_auth(key),
            None => call,
        }
    }
}
