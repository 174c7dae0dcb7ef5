//! A client that sends bytes as a test wants them.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::PATIENCE;

/// An answer as it came over the wire.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no answer: {text:?}"));
        Self { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    /// A header's text, empty when it is absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        found.map_or("", str::trim)
    }

    /// The problem's code, after a look at its form.
    pub(crate) fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let body: Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(body["status"], self.status, "{self:?}");
        assert_eq!(body["request_id"].as_str().unwrap().to_ascii_lowercase(), self.header("x-request-id"));
        assert!(body["detail"].as_str().unwrap().len() > 10, "{self:?}");
        body["code"].as_str().unwrap().to_owned()
    }
}

pub(crate) async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}

/// Connects and sends.
pub(crate) async fn say(address: SocketAddr, bytes: impl AsRef<[u8]>) -> TcpStream {
    let mut stream = connect(address).await;
    // The server may answer and close before it has read everything: what it says is what counts.
    let _ = stream.write_all(bytes.as_ref()).await;
    stream
}

/// Everything until the server closes, and how long that took.
pub(crate) async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> (Vec<u8>, Duration) {
    let (mut out, began) = (Vec::new(), Instant::now());
    let closed = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut out)).await;
    // A reset is as good an end as any.
    let _ = closed.expect("the server closes the connection");
    (out, began.elapsed())
}

/// The one answer of a connection that then closes.
pub(crate) async fn last_answer(stream: &mut (impl AsyncRead + Unpin)) -> Answer {
    Answer::parse(&rest(stream).await.0)
}

/// Sends and reads one answer until the server closes.
pub(crate) async fn exchange(address: SocketAddr, bytes: impl AsRef<[u8]>) -> Answer {
    last_answer(&mut say(address, bytes).await).await
}

/// Reads an answer with a length from a connection that stays open.
pub(crate) async fn next_answer(stream: &mut (impl AsyncRead + Unpin)) -> Answer {
    let read = async {
        let mut out = Vec::new();
        loop {
            let byte = stream.read_u8().await;
            out.push(byte.unwrap_or_else(|e| panic!("{e} after {:?}", String::from_utf8_lossy(&out))));
            if out.ends_with(b"\r\n\r\n") {
                let mut answer = Answer::parse(&out);
                let mut body = vec![0; answer.header("content-length").parse().unwrap()];
                stream.read_exact(&mut body).await.unwrap();
                answer.body = String::from_utf8(body).unwrap();
                return answer;
            }
        }
    };
    tokio::time::timeout(PATIENCE, read).await.expect("an answer comes")
}

/// A `GET` on a connection that stays open.
pub(crate) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: hearth\r\n\r\n")
}

/// A `GET` on a connection that closes.
pub(crate) fn get_and_close(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: hearth\r\nConnection: close\r\n\r\n")
}
