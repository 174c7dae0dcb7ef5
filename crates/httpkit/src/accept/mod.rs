//! The accept loop: a bounded number of connections, a time limit on everything a client can be slow at, and a drain
//! that stuck clients cannot hold.

mod connection;
mod farewell;
mod places;
mod pulse;
mod watched;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::AddressRules;
use crate::tls::Tls;
pub(crate) use connection::OverTls;
use connection::Shared;
pub use places::PlaceLimits;

/// How long a client may take for each step.
#[derive(Clone, Copy, Debug)]
pub struct TimeLimits {
    /// From the connection to its first byte.
    pub first_byte: Duration,
    /// From the first byte of a request to the end of its head; a TLS handshake counts as part of the first head.
    pub head: Duration,
    /// Between two pieces of a body.
    pub body_idle: Duration,
    /// From the head to the end of the body.
    pub body_total: Duration,
    /// From the end of the body to the answer's head.
    pub answer: Duration,
    /// Between an answer and the next request.
    pub keep_alive: Duration,
    /// Without a byte of the answer taken.
    pub write_stalled: Duration,
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self {
            first_byte: Duration::from_secs(10),
            head: Duration::from_secs(15),
            body_idle: Duration::from_secs(15),
            body_total: Duration::from_mins(1),
            answer: Duration::from_secs(30),
            keep_alive: Duration::from_secs(75),
            write_stalled: Duration::from_secs(30),
        }
    }
}

/// Bounds of the accept loop.
#[derive(Clone, Debug)]
pub struct AcceptConfig {
    /// How many connections.
    pub places: PlaceLimits,
    /// How slow they may be.
    pub times: TimeLimits,
    /// Whose connections are not counted by address.
    pub addresses: AddressRules,
    /// Serves TLS and nothing else when set.
    pub tls: Option<Tls>,
    /// How long new connections are still taken once told to stop.
    pub drain_grace: Duration,
    /// After that, longest wait for requests in flight.
    pub drain_limit: Duration,
}

impl Default for AcceptConfig {
    fn default() -> Self {
        Self {
            places: PlaceLimits::default(),
            times: TimeLimits::default(),
            addresses: AddressRules::default(),
            tls: None,
            drain_grace: Duration::ZERO,
            drain_limit: Duration::from_secs(10),
        }
    }
}

/// Requests that are on the wire when the listeners should close get this long to arrive.
const LINGER: Duration = Duration::from_millis(50);

/// Serves `router` on every listener until `stop` turns true, then drains: connections are taken for `drain_grace` more,
/// requests in flight finish within `drain_limit`, and what is left then is cut off.
pub async fn serve(
    listeners: Vec<TcpListener>,
    router: Router,
    config: AcceptConfig,
    mut stop: watch::Receiver<bool>,
) {
    let (grace, limit) = (config.drain_grace + LINGER, config.drain_limit);
    let (closing, closed) = watch::channel(false);
    let shared = Arc::new(Shared::new(router, config, closed));
    let mut accepting: JoinSet<JoinSet<()>> =
        listeners.into_iter().map(|listener| accept(listener, shared.clone())).collect();
    let _ = stop.wait_for(|stopped| *stopped).await;
    shared.is_stopping.store(true, Ordering::Relaxed);
    tokio::time::sleep(grace).await;
    let _ = closing.send(true);
    let mut connections: Vec<JoinSet<()>> = Vec::new();
    while let Some(accepted) = accepting.join_next().await {
        connections.extend(accepted);
    }
    let finished = async {
        for set in &mut connections {
            while set.join_next().await.is_some() {}
        }
    };
    if tokio::time::timeout(limit, finished).await.is_err() {
        let left: usize = connections.iter().map(JoinSet::len).sum();
        tracing::warn!(connections = left, "cut off: their clients did not finish while the server drained");
    }
}

/// Takes connections until the server closes; gives back those that still live.
async fn accept(listener: TcpListener, shared: Arc<Shared>) -> JoinSet<()> {
    let (mut connections, mut closing) = (JoinSet::new(), shared.closing.clone());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            _ = closing.wait_for(|closing| *closing) => return connections,
        };
        match accepted {
            Ok((stream, peer)) => {
                if let Some(work) = connection::admit(stream, peer, &shared) {
                    connections.spawn(work);
                }
            }
            Err(error) => {
                // Out of descriptors, or a peer that left: waiting lets connections close.
                tracing::warn!(%error, "cannot accept");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}
