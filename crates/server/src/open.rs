//! Opening what the settings name, each refusal with the variable to look at.

use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::sync::Arc;

use llm::{ChatConfig, ChatModel, Embedder, RemoteConfig};
use store::{Blobs, Redis, Store};
use tokio::net::{TcpListener, TcpSocket};

use crate::app::StartError;
use crate::config::{Config, EmbeddingConfig};

/// Makes the data directory, its owner's alone.
///
/// # Errors
/// A place that is not ours to make.
pub(crate) fn make_place(config: &Config) -> Result<(), StartError> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&config.data_dir);
    made.map_err(|error| {
        let place = config.data_dir.display();
        StartError::new("DATA_DIR", format!("cannot make {place}: {error}; name a directory of your own"))
    })
}

/// Connections that wait to be accepted; the kernel may allow fewer (`net.core.somaxconn`). The runtime's own 128 overflow
/// in a burst, and then a client believes in a connection that the server never sees.
const BACKLOG: u32 = 4_096;

pub(crate) fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Else a restart waits for the connections of the server before.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Opens the database; SQLite's file must be one.
///
/// # Errors
/// What is wrong with it, for the operator.
pub(crate) async fn open_store(config: &Config) -> Result<Store, StartError> {
    Store::open(&config.database.store).await.map_err(|error| {
        let cure = match error {
            store::Error::Corrupt(_) => "restore a backup or name another file",
            _ => "see that the file and its directory are yours to write",
        };
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
        StartError::new("DATABASE_URL", format!("{error}{cause}; {cure}"))
    })
}

/// Prepares the connection to Redis, when one is named; a Redis that is away is no error.
pub(crate) fn open_redis(config: &Config) -> Result<Option<Redis>, StartError> {
    let opened = config.redis_url.as_ref().map(Redis::open).transpose();
    opened.map_err(|error| StartError::new("REDIS_URL", format!("cannot be used: {error}; mend the address")))
}

/// Opens the store of objects.
///
/// # Errors
/// An S3 address that cannot be used.
pub(crate) fn open_blobs(config: &Config) -> Result<Blobs, StartError> {
    match &config.s3 {
        Some(s3) => Blobs::s3(s3)
            .map_err(|error| StartError::new("S3_ENDPOINT", format!("cannot be used: {error}; mend it"))),
        None => Ok(Blobs::disk(config.data_dir.join("blobs"))),
    }
}

/// Opens where vectors come from. A local model that is not there is no error: recall goes by words and says so.
///
/// # Errors
/// A model directory that is there but cannot be used.
pub(crate) fn open_embedder(config: &Config) -> Result<Embedder, StartError> {
    match &config.embedding {
        EmbeddingConfig::None => Ok(Embedder::None),
        EmbeddingConfig::Local(directory) if !directory.join("model.safetensors").exists() => {
            tracing::warn!(directory = %directory.display(), "no embedding model there; recall goes by words");
            Ok(Embedder::None)
        }
        EmbeddingConfig::Local(directory) => {
            let threads = std::thread::available_parallelism().map_or(1, usize::from);
            Embedder::local(directory, threads).map_err(|error| {
                StartError::new(
                    "EMBEDDING_MODEL",
                    format!("{error}; fetch the model again or set EMBEDDING_BASE_URL=none"),
                )
            })
        }
        EmbeddingConfig::Remote { base_url, model, dimension, api_key } => {
            let remote = RemoteConfig {
                dim: Some(*dimension),
                api_key: api_key.as_ref().map(|key| key.expose().to_owned()),
                ..RemoteConfig::new(base_url, model)
            };
            Embedder::remote(remote)
                .map_err(|error| StartError::new("EMBEDDING_BASE_URL", format!("{error}; mend the address")))
        }
    }
}

/// Prepares to ask the chat model, if there is one; sends nothing yet.
///
/// # Errors
/// An HTTP client that cannot be built.
pub(crate) fn open_chat(config: &Config) -> Result<Option<Arc<ChatModel>>, StartError> {
    let Some(chat) = &config.chat else { return Ok(None) };
    let model = ChatModel::new(ChatConfig {
        api_key: chat.api_key.as_ref().map(|key| key.expose().to_owned()),
        temperature: chat.temperature,
        max_tokens: chat.max_tokens,
        ..ChatConfig::new(&chat.base_url, &chat.model)
    });
    let model =
        model.map_err(|error| StartError::new("LLM_BASE_URL", format!("{error}; mend the address")))?;
    Ok(Some(Arc::new(model)))
}
