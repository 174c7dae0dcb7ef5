//! An OpenAI-compatible embedding server on loopback that behaves well or badly, as told.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// How the server behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Vectors of this many components, the same for the same words.
    Good(usize),
    /// 200 and something that is no answer.
    Garbage,
    /// 200 and one vector fewer than asked for.
    OneShort,
    /// 500.
    Failing,
    /// Takes the request and never answers.
    Silent,
}

/// The server; it ends with the runtime of the test.
pub struct Server {
    address: SocketAddr,
    behaviour: Arc<Mutex<Behaviour>>,
    requests: Arc<AtomicUsize>,
}

impl Server {
    /// Starts a server on a free port of loopback.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let server = Self {
            address: listener.local_addr().expect("a bound socket has an address"),
            behaviour: Arc::new(Mutex::new(behaviour)),
            requests: Arc::default(),
        };
        let (behaviour, requests) = (server.behaviour.clone(), server.requests.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, behaviour.clone(), requests.clone()));
            }
        });
        server
    }

    /// Base of its API.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// From the next request on.
    pub fn behave(&self, behaviour: Behaviour) {
        *self.behaviour.lock().unwrap_or_else(PoisonError::into_inner) = behaviour;
    }

    /// Requests it has taken.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

async fn serve(stream: TcpStream, behaviour: Arc<Mutex<Behaviour>>, requests: Arc<AtomicUsize>) {
    let mut stream = BufReader::new(stream);
    while let Some(body) = read_request(&mut stream).await {
        requests.fetch_add(1, Ordering::SeqCst);
        let now = *behaviour.lock().unwrap_or_else(PoisonError::into_inner);
        let (status, answer) = match now {
            Behaviour::Good(dim) => (200, vectors(&body, dim, 0)),
            Behaviour::OneShort => (200, vectors(&body, 8, 1)),
            Behaviour::Garbage => (200, "<html>try again later</html>".to_owned()),
            Behaviour::Failing => (500, json!({"error": {"message": "out of memory"}}).to_string()),
            Behaviour::Silent => std::future::pending().await,
        };
        if respond(&mut stream, status, &answer).await.is_none() {
            return;
        }
    }
}

/// Writes an answer; `None` when the client has gone.
pub(crate) async fn respond(stream: &mut BufReader<TcpStream>, status: u16, answer: &str) -> Option<()> {
    let head = format!(
        "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        answer.len()
    );
    stream.write_all((head + answer).as_bytes()).await.ok()
}

/// One request's body; `None` when the client has gone.
pub(crate) async fn read_request(stream: &mut BufReader<TcpStream>) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    serde_json::from_slice(&body).ok()
}

/// Vectors for all texts of a request but the last `left_out`.
fn vectors(request: &Value, dim: usize, left_out: usize) -> String {
    let texts = request["input"].as_array().map(Vec::as_slice).unwrap_or_default();
    let row = |(index, text): (usize, &Value)| json!({"index": index, "embedding": vector(text.as_str().unwrap_or_default(), dim)});
    let rows: Vec<Value> =
        texts.iter().take(texts.len().saturating_sub(left_out)).enumerate().map(row).collect();
    json!({ "data": rows }).to_string()
}

/// Counts words by a hash of their first three letters, so that related words lie near each other.
fn vector(text: &str, dim: usize) -> Vec<f32> {
    let mut out = vec![0.01; dim];
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let hash = word
            .to_lowercase()
            .chars()
            .take(3)
            .fold(7_usize, |hash, c| hash.wrapping_mul(31).wrapping_add(c as usize));
        out[hash % dim] += 1.0;
    }
    out
}
