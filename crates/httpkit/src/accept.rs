//! The accept loop: one task a connection, time-outs on headers, and a drain that stuck clients cannot hold.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tower::ServiceExt;

/// Bounds of the accept loop.
#[derive(Clone, Copy, Debug)]
pub struct AcceptConfig {
    /// Connections at once; more wait in the kernel's queue.
    pub max_connections: usize,
    /// Longest wait for a whole request head.
    pub header_timeout: Duration,
    /// Longest wait for requests in flight once told to stop.
    pub drain_limit: Duration,
}

impl Default for AcceptConfig {
    fn default() -> Self {
        Self {
            max_connections: 10_000,
            header_timeout: Duration::from_secs(15),
            drain_limit: Duration::from_secs(10),
        }
    }
}

/// Serves `router` on every listener until `stop` turns true, then drains for at most `drain_limit`.
pub async fn serve(
    listeners: Vec<TcpListener>,
    router: Router,
    config: AcceptConfig,
    mut stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(config.max_connections));
    let mut accepting = JoinSet::new();
    for listener in listeners {
        accepting.spawn(accept(listener, router.clone(), config, places.clone(), stop.clone()));
    }
    let _ = stop.wait_for(|stopped| *stopped).await;
    while accepting.join_next().await.is_some() {}
    let all = places.acquire_many(config.max_connections as u32);
    let _ = tokio::time::timeout(config.drain_limit, all).await;
}

async fn accept(
    listener: TcpListener,
    router: Router,
    config: AcceptConfig,
    places: Arc<Semaphore>,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let next = async {
            let place = places.clone().acquire_owned().await.expect("the semaphore is never closed");
            (listener.accept().await, place)
        };
        let (accepted, place) = tokio::select! {
            next = next => next,
            _ = stop.wait_for(|stopped| *stopped) => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                let work = connection(stream, peer, router.clone(), config, stop.clone());
                tokio::spawn(async move {
                    work.await;
                    drop(place);
                });
            }
            Err(error) => {
                // Out of descriptors, or a peer that left: waiting lets connections close.
                tracing::warn!(%error, "cannot accept");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    config: AcceptConfig,
    mut stop: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    let service = hyper::service::service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let mut request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(config.header_timeout).max_headers(100);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(100)
        .keep_alive_interval(Duration::from_secs(30));
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stop.wait_for(|stopped| *stopped) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
