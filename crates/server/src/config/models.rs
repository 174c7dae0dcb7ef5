//! Settings of models: what embeds, what chats, what derives.

use std::path::{Path, PathBuf};

use kernel::Secret;

use super::checks::Finding;
use super::values::Values;

/// Where vectors come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EmbeddingConfig {
    /// Nowhere.
    None,
    /// A directory; recall goes by words when it is not there.
    Local(PathBuf),
    /// An OpenAI-compatible server.
    Remote {
        /// Address up to and without `/embeddings`.
        base_url: String,
        /// Model to ask for.
        model: String,
        /// Components of a vector.
        dimension: usize,
        /// Credential.
        api_key: Option<Secret>,
    },
}

/// What derives memories from events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeriveConfig {
    /// Whether anything does.
    pub is_on: bool,
    /// Tokens that the chat model may cost a tenant in a day; 0 leaves it to the rules.
    pub tokens_per_day: u64,
}

impl DeriveConfig {
    pub(super) fn read(values: &Values) -> Self {
        let by = values.text("MEMORY_DERIVE").unwrap_or_default().to_ascii_lowercase();
        let tokens = values.number("MEMORY_MODEL_TOKENS_PER_DAY") as u64;
        Self { is_on: by != "none", tokens_per_day: if by == "all" { tokens } else { 0 } }
    }
}

/// How to reach the chat model.
#[derive(Clone, Debug, PartialEq)]
pub struct ChatSettings {
    /// Address up to and without `/chat/completions`.
    pub base_url: String,
    /// Model to ask for.
    pub model: String,
    /// 0–2.
    pub temperature: f64,
    /// Tokens it writes at most.
    pub max_tokens: u32,
    /// Credential.
    pub api_key: Option<Secret>,
}

impl ChatSettings {
    /// The model that the settings name, if they name one.
    pub(super) fn read(values: &Values, findings: &mut Vec<Finding>) -> Option<Self> {
        let is_word = |text: &&str| !["none", "local"].iter().any(|word| text.eq_ignore_ascii_case(word));
        let base_url = values.text("LLM_BASE_URL").filter(is_word)?;
        if !values.is_set("LLM_MODEL") {
            let text = "is not set although LLM_BASE_URL is; name the model or remove LLM_BASE_URL";
            findings.push(Finding::refusal("LLM_MODEL", text));
        }
        let temperature = values.text("LLM_TEMPERATURE").unwrap_or("0.7").parse::<f64>();
        let temperature = temperature.ok().filter(|value| (0.0..=2.0).contains(value));
        if temperature.is_none() {
            let name = values.used_name("LLM_TEMPERATURE");
            findings.push(Finding::refusal(&name, "is no number from 0 to 2; write it like 0.7"));
        }
        Some(Self {
            base_url: base_url.trim_end_matches('/').trim_end_matches("/chat/completions").to_owned(),
            model: values.text("LLM_MODEL").unwrap_or_default().to_owned(),
            temperature: temperature?,
            max_tokens: values.number("LLM_MAX_TOKENS") as u32,
            api_key: values.text("OPENAI_API_KEY").map(Secret::new),
        })
    }
}

pub(super) fn embedding(values: &Values, data_dir: &Path) -> EmbeddingConfig {
    let model = values.text("EMBEDDING_MODEL").unwrap_or_default().to_owned();
    match values.text("EMBEDDING_BASE_URL").unwrap_or("local") {
        word if word.eq_ignore_ascii_case("none") => EmbeddingConfig::None,
        word if word.eq_ignore_ascii_case("local") => {
            let named = PathBuf::from(&model);
            let is_directory = named.is_absolute() || named.join("config.json").exists();
            EmbeddingConfig::Local(if is_directory { named } else { data_dir.join("models").join(model) })
        }
        url => EmbeddingConfig::Remote {
            base_url: url.trim_end_matches('/').trim_end_matches("/embeddings").to_owned(),
            model,
            dimension: values.number("EMBEDDING_DIMENSION") as usize,
            api_key: values.text("OPENAI_API_KEY").map(Secret::new),
        },
    }
}
