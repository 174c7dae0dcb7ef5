//! Completions from an OpenAI-compatible server: `POST {base}/chat/completions`, answered as a whole.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::ModelError;
use crate::server::Server;

/// Longest answer read, in bytes.
const ANSWER_MAX: usize = 1 << 20;
/// Longest wait for a connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// How to reach a chat model.
#[derive(Clone)]
pub struct ChatConfig {
    /// Base of the API, such as `http://localhost:1234/v1`; a final slash is passed over.
    pub base_url: String,
    /// Sent as bearer token.
    pub api_key: Option<String>,
    /// Name of the model there.
    pub model: String,
    /// 0–2; how freely it chooses its words.
    pub temperature: f64,
    /// Tokens it may write at most.
    pub max_tokens: u32,
    /// Time limit of an answer.
    pub limit: Duration,
}

impl ChatConfig {
    /// A model with the usual settings: 0.7, 2,000 tokens, 60 s, no key.
    pub fn new(base_url: impl Into<String>, model: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            api_key: None,
            model: model.into(),
            temperature: 0.7,
            max_tokens: 2_000,
            limit: Duration::from_mins(1),
        }
    }
}

/// Whose words a message holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The operator's.
    System,
    /// The asker's.
    User,
    /// The model's own.
    Assistant,
}

/// A message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Whose words.
    pub role: Role,
    /// The words.
    pub content: String,
}

/// The form an answer must have.
#[derive(Debug, Clone, PartialEq)]
pub struct Form {
    /// A name of letters, figures and underscores.
    pub name: &'static str,
    /// Its JSON schema. Not every server keeps to it: the answer is to be checked.
    pub schema: Value,
}

/// What a model wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The words.
    pub text: String,
    /// Tokens read and written, where the server counts them.
    pub tokens: Option<u64>,
}

/// A chat model.
pub struct ChatModel {
    config: ChatConfig,
    server: Server,
}

impl std::fmt::Debug for ChatModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ChatModel").field(&self.config.model).finish()
    }
}

#[derive(Deserialize)]
struct Answer {
    choices: Vec<Choice>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Choice {
    message: Written,
}

#[derive(Deserialize)]
struct Written {
    content: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    total_tokens: Option<u64>,
}

impl ChatModel {
    /// Prepares to ask a server; sends nothing yet.
    ///
    /// # Errors
    /// [`ModelError::Load`] when the HTTP client cannot be built.
    pub fn new(config: ChatConfig) -> Result<Self, ModelError> {
        let server = Server::new(&config.base_url, config.api_key.clone(), CONNECT_LIMIT)?;
        Ok(Self { config, server })
    }

    /// Name of the model.
    pub fn id(&self) -> &str {
        &self.config.model
    }

    /// Tokens it may write at most.
    pub fn max_tokens(&self) -> u32 {
        self.config.max_tokens
    }

    /// Asks for the next message, in a form if one is given. Safe to drop half-way.
    ///
    /// # Errors
    /// `Timeout`, `Unreachable`, `Refused`, or `Malformed` for what is no answer or holds no words.
    pub async fn complete(
        &self,
        messages: &[Message],
        form: Option<&Form>,
    ) -> Result<Completion, ModelError> {
        let ChatConfig { model, temperature, max_tokens, .. } = &self.config;
        let mut request = json!({
            "model": model, "messages": messages, "temperature": temperature, "max_tokens": max_tokens, "stream": false,
        });
        if let Some(Form { name, schema }) = form {
            let schema = json!({"name": name, "strict": true, "schema": schema});
            request["response_format"] = json!({"type": "json_schema", "json_schema": schema});
        }
        let body = self.server.post("/chat/completions", &request, self.config.limit, ANSWER_MAX).await?;
        let malformed = |what: String| ModelError::Malformed { what };
        let answer: Answer = serde_json::from_slice(&body).map_err(|error| malformed(error.to_string()))?;
        let written = answer.choices.into_iter().next().and_then(|choice| choice.message.content);
        let text = written.filter(|text| !text.trim().is_empty());
        let text = text.ok_or_else(|| malformed("no words in it".to_owned()))?;
        Ok(Completion { text, tokens: answer.usage.and_then(|usage| usage.total_tokens) })
    }
}
