//! A good client, whose latency is measured, and four bad ones.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// Names of the bad ones.
pub(crate) const KINDS: [&str; 4] = ["silent", "half a head", "half a body", "a reader that stops"];
/// Good connections.
const GOOD: usize = 4;
/// Each asks again after this long.
const PAUSE: Duration = Duration::from_millis(5);
/// Connections that are opened at once.
const AT_ONCE: usize = 64;

/// Where to connect, and a key that may read and write.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) address: SocketAddr,
    pub(crate) key: String,
}

impl Place {
    fn request(&self, line: &str, more: &str) -> String {
        format!("{line} HTTP/1.1\r\nHost: hearth\r\nAuthorization: Bearer {}\r\n{more}", self.key)
    }
}

/// Clients that read an authenticated route over and over.
pub(crate) struct Good {
    is_done: Arc<AtomicBool>,
    asking: JoinSet<Result<Vec<Duration>>>,
}

impl Good {
    /// Begins to ask.
    pub(crate) fn start(place: &Place) -> Self {
        let is_done = Arc::new(AtomicBool::new(false));
        let asking = (0..GOOD).map(|_| ask(place.clone(), is_done.clone())).collect();
        Self { is_done, asking }
    }

    /// Ends after a time; the latencies so far.
    pub(crate) async fn stop_after(mut self, time: Duration) -> Result<Vec<Duration>> {
        tokio::time::sleep(time).await;
        self.is_done.store(true, Ordering::Relaxed);
        let mut latencies = Vec::new();
        while let Some(asked) = self.asking.join_next().await {
            latencies.extend(asked??);
        }
        Ok(latencies)
    }
}

async fn ask(place: Place, is_done: Arc<AtomicBool>) -> Result<Vec<Duration>> {
    let request = place.request("GET /api/v1/sessions", "\r\n");
    let mut stream = TcpStream::connect(place.address).await?;
    stream.set_nodelay(true)?;
    let mut latencies = Vec::new();
    while !is_done.load(Ordering::Relaxed) {
        let asked = Instant::now();
        stream.write_all(request.as_bytes()).await?;
        read_answer(&mut stream).await.context("a good client")?;
        latencies.push(asked.elapsed());
        tokio::time::sleep(PAUSE).await;
    }
    Ok(latencies)
}

/// Reads one answer with a length, which must be 200.
async fn read_answer(stream: &mut TcpStream) -> Result<()> {
    let mut seen = Vec::with_capacity(2_048);
    loop {
        ensure!(stream.read_buf(&mut seen).await? > 0, "the server closed");
        let text = String::from_utf8_lossy(&seen);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        ensure!(head.starts_with("HTTP/1.1 200"), "answered {head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if body.len() >= length.context("no length")?.parse::<usize>()? {
            return Ok(());
        }
    }
}

/// Slow clients that are connected, by kind.
pub(crate) struct Slow(Vec<JoinHandle<Duration>>);

impl Slow {
    /// Connects that many of each kind; each has sent what it will send.
    pub(crate) async fn connect(place: &Place, of_each: usize) -> Result<Self> {
        let mut slow = Vec::with_capacity(of_each * KINDS.len());
        let half_head = place.request("GET /api/v1/sessions", "X-Slow: ");
        let half_body = place.request(
            "POST /api/v1/events",
            "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"session_id\":",
        );
        // Answers that cost the server nothing and are more than it and the kernel hold for a client.
        let many = "GET /openapi.json HTTP/1.1\r\nHost: hearth\r\n\r\n".repeat(4);
        for _ in (0..of_each).step_by(AT_ONCE) {
            let mut opening = JoinSet::new();
            for _ in 0..AT_ONCE.min(of_each - slow.len() / KINDS.len()) {
                for (kind, said) in
                    [b"", half_head.as_bytes(), half_body.as_bytes(), many.as_bytes()].iter().enumerate()
                {
                    let (address, said) = (place.address, said.to_vec());
                    opening
                        .spawn(async move { Ok::<_, std::io::Error>((kind, open(address, &said).await?)) });
                }
            }
            while let Some(opened) = opening.join_next().await {
                let (kind, stream) = opened?.context("connecting a slow client")?;
                slow.push((kind, tokio::spawn(until_closed(stream, kind == 3))));
            }
        }
        slow.sort_by_key(|(kind, _)| *kind);
        Ok(Self(slow.into_iter().map(|(_, closed)| closed).collect()))
    }

    /// Waits for the ends of all; how long the last of each kind was open.
    pub(crate) async fn all_closed(mut self, limit: Duration) -> Result<Vec<Duration>> {
        let mut last = vec![Duration::ZERO; KINDS.len()];
        let of_each = self.0.len() / KINDS.len();
        let deadline = tokio::time::Instant::now() + limit;
        for (index, slow) in self.0.iter_mut().enumerate() {
            let kind = index / of_each;
            let closed = tokio::time::timeout_at(deadline, slow).await;
            let open = closed.with_context(|| format!("still open after {limit:?}: {}", KINDS[kind]))??;
            last[kind] = last[kind].max(open);
        }
        Ok(last)
    }
}

impl Drop for Slow {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

async fn open(address: SocketAddr, said: &[u8]) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(4_096)?;
    let mut stream = socket.connect(address).await?;
    stream.write_all(said).await?;
    Ok(stream)
}

/// How long the server lets the connection be.
async fn until_closed(mut stream: TcpStream, is_reader: bool) -> Duration {
    let opened = Instant::now();
    if is_reader {
        // The server resets whoever does not take its answer; no byte has to be read to see that.
        let _ = stream.ready(Interest::ERROR).await;
    } else {
        let mut rest = [0; 1_024];
        while stream.read(&mut rest).await.is_ok_and(|count| count > 0) {}
    }
    opened.elapsed()
}
