//! An OpenAI-compatible chat model on loopback that says what a test has it say.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use tokio::io::BufReader;
use tokio::net::{TcpListener, TcpStream};

use crate::embeddings::{read_request, respond};

/// How the model answers a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// With these words.
    Words(String),
    /// With this body and nothing around it.
    Raw(String),
    /// With this status.
    Status(u16),
    /// Not at all.
    Silence,
}

type Script = Arc<dyn Fn(&Value) -> Reply + Send + Sync>;

/// The model; it ends with the runtime of the test.
pub struct ChatServer {
    address: SocketAddr,
    script: Arc<Mutex<Script>>,
    requests: Arc<Mutex<Vec<Value>>>,
}

impl ChatServer {
    /// Starts a model on a free port of loopback; `script` makes the reply of a request's body.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn start(script: impl Fn(&Value) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let script: Arc<Mutex<Script>> = Arc::new(Mutex::new(Arc::new(script)));
        let requests: Arc<Mutex<Vec<Value>>> = Arc::default();
        let (playing, seen) = (script.clone(), requests.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, playing.clone(), seen.clone()));
            }
        });
        Self { address, script, requests }
    }

    /// Base of its API.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// From the next request on.
    pub fn play(&self, script: impl Fn(&Value) -> Reply + Send + Sync + 'static) {
        *self.script.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(script);
    }

    /// Bodies of the requests it has taken.
    pub fn requests(&self) -> Vec<Value> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn serve(stream: TcpStream, script: Arc<Mutex<Script>>, requests: Arc<Mutex<Vec<Value>>>) {
    let mut stream = BufReader::new(stream);
    while let Some(body) = read_request(&mut stream).await {
        let play = script.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let reply = play(&body);
        requests.lock().unwrap_or_else(PoisonError::into_inner).push(body);
        let (status, answer) = match reply {
            Reply::Words(text) => (
                200,
                json!({"choices": [{"message": {"content": text}}], "usage": {"total_tokens": 100}})
                    .to_string(),
            ),
            Reply::Raw(body) => (200, body),
            Reply::Status(status) => (status, json!({"error": {"message": "no"}}).to_string()),
            Reply::Silence => std::future::pending().await,
        };
        if respond(&mut stream, status, &answer).await.is_none() {
            return;
        }
    }
}
