//! One connection: admission, TLS, the choice of protocol, its requests, and its end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use futures::future::Either;
use http::{HeaderValue, Request, Response, StatusCode, Version, header};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tower::ServiceExt;

use super::farewell;
use super::places::{Place, Places};
use super::pulse::{Overdue, Pulse};
use super::watched::{WatchedBody, WatchedSocket};
use super::{AcceptConfig, TimeLimits};
use crate::timing::{TimedBody, Timing};

/// Bytes of a request's head, and of what is read ahead and written behind on HTTP/1.
const HEAD_BYTES: usize = 32 * 1024;
/// Header lines of a request.
const HEADERS: usize = 100;
/// How a connection without TLS says that it speaks HTTP/2.
const PREFACE: &[u8] = b"PRI * HTTP/2.0";
/// Clients at once that are told why they get no place; more are just closed.
const FAREWELLS: usize = 64;
/// Whoever sits on a place of the reserve has this long for each step, and one request.
const RESERVE_PATIENCE: Duration = Duration::from_secs(2);

/// What all connections of a server share.
pub(super) struct Shared {
    router: Router,
    config: AcceptConfig,
    places: Arc<Places>,
    farewells: Arc<Semaphore>,
    /// Told to stop: connections end with their next answer.
    pub(super) is_stopping: AtomicBool,
    /// True once connections must end.
    pub(super) closing: watch::Receiver<bool>,
}

impl Shared {
    pub(super) fn new(router: Router, config: AcceptConfig, closing: watch::Receiver<bool>) -> Self {
        let places = Places::new(config.places, config.addresses.clone());
        let (farewells, is_stopping) = (Arc::new(Semaphore::new(FAREWELLS)), AtomicBool::new(false));
        Self { router, config, places, farewells, is_stopping, closing }
    }
}

/// A request came over TLS of our own.
#[derive(Clone, Copy)]
pub(crate) struct OverTls;

/// The work on a connection that was just accepted; `None` when it is closed at once.
pub(super) fn admit(
    stream: TcpStream,
    peer: SocketAddr,
    shared: &Arc<Shared>,
) -> Option<impl Future<Output = ()> + Send + use<>> {
    match shared.places.take(peer.ip()) {
        Ok(place) => Some(Either::Left(serve(stream, peer, place, shared.clone()))),
        Err(refusal) => {
            metrics::counter!("hearth_connections_refused_total", "reason" => refusal.reason()).increment(1);
            let turn = shared.farewells.clone().try_acquire_owned().ok()?;
            // Without a handshake nobody could read an answer.
            shared.config.tls.is_none().then(|| {
                Either::Right(async move {
                    farewell::send(stream, &farewell::no_place()).await;
                    drop(turn);
                })
            })
        }
    }
}

async fn serve(stream: TcpStream, peer: SocketAddr, place: Place, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let mut times = shared.config.times;
    if place.is_reserve {
        (times.first_byte, times.head, times.keep_alive) =
            (RESERVE_PATIENCE, RESERVE_PATIENCE, RESERVE_PATIENCE);
    }
    let pulse = Pulse::new();
    let handler = Handler {
        peer,
        pulse: pulse.clone(),
        is_reserve: place.is_reserve,
        is_tls: shared.config.tls.is_some(),
        shared: shared.clone(),
    };
    let mut closing = shared.closing.clone();
    // What comes later is boxed, so that a connection that says nothing costs little more than its socket.
    let opened = async {
        match &shared.config.tls {
            None => Ok(Opened::Plain { is_http2: speaks_http2(&stream).await?, stream }),
            Some(tls) => {
                let socket = WatchedSocket::new(stream, pulse.clone());
                Box::pin(tls.acceptor().accept(socket)).await.map(|stream| Opened::Tls(Box::new(stream)))
            }
        }
    };
    let opened = tokio::select! {
        opened = opened => opened,
        overdue = pulse.overdue(&times) => return count(overdue),
        _ = closing.wait_for(|closing| *closing) => return,
    };
    // A handshake that failed, or a client that left.
    let Ok(opened) = opened else {
        return;
    };
    let end = End { pulse: &pulse, times: &times, closing };
    match opened {
        Opened::Plain { stream, is_http2: true } => {
            Box::pin(http2(WatchedSocket::new(stream, pulse.clone()), handler, end)).await;
        }
        Opened::Plain { stream, is_http2: false } => {
            Box::pin(http1(WatchedSocket::new(stream, pulse.clone()), handler, end)).await;
        }
        Opened::Tls(stream) if stream.get_ref().1.alpn_protocol() == Some(b"h2") => {
            Box::pin(http2(stream, handler, end)).await;
        }
        Opened::Tls(stream) => Box::pin(http1(stream, handler, end)).await,
    }
}

/// A connection on which requests can be read.
enum Opened {
    Plain { stream: TcpStream, is_http2: bool },
    Tls(Box<tokio_rustls::server::TlsStream<WatchedSocket>>),
}

/// Waits for the first bytes and looks at them. A preface that comes in pieces is taken for HTTP/1, which refuses it.
async fn speaks_http2(stream: &TcpStream) -> std::io::Result<bool> {
    let mut first = [0; PREFACE.len()];
    stream.peek(&mut first).await?;
    Ok(first == *PREFACE)
}

fn count(overdue: Overdue) {
    metrics::counter!("hearth_client_timeouts_total", "kind" => overdue.kind()).increment(1);
}

/// What ends a connection from our side.
struct End<'c> {
    pulse: &'c Arc<Pulse>,
    times: &'c TimeLimits,
    closing: watch::Receiver<bool>,
}

/// Why a connection is over.
#[derive(PartialEq)]
enum Over {
    Done,
    Overdue(Overdue),
}

impl End<'_> {
    /// Drives a connection until it is done, its client is too slow, or the server closes and nothing is in flight.
    async fn drive<C: Future + Unpin>(&mut self, connection: &mut C, shut: impl FnOnce(Pin<&mut C>)) -> Over {
        let Self { pulse, times, closing } = self;
        tokio::select! {
            _ = &mut *connection => return Over::Done,
            overdue = pulse.overdue(times) => return Over::Overdue(overdue),
            _ = closing.wait_for(|closing| *closing) => {}
        }
        shut(Pin::new(connection));
        // Half a head would be waited for, and nobody is there to answer it.
        if !pulse.is_busy() {
            let _ = tokio::time::timeout(super::LINGER, connection).await;
            return Over::Done;
        }
        tokio::select! {
            _ = connection => Over::Done,
            overdue = pulse.overdue(times) => Over::Overdue(overdue),
        }
    }
}

async fn http1<S>(io: S, handler: Handler, mut end: End<'_>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = http1::Builder::new();
    // The pulse keeps time: the library's own limit also cuts connections that idle between requests.
    builder
        .header_read_timeout(None)
        .max_headers(HEADERS)
        .max_header_size(HEAD_BYTES)
        .max_buf_size(HEAD_BYTES);
    let service = service_fn(move |request| handler.clone().answer(request));
    let mut connection = builder.serve_connection(TokioIo::new(io), service);
    let over = end.drive(&mut connection, http1::Connection::graceful_shutdown).await;
    if let Over::Overdue(overdue) = over {
        count(overdue);
        if overdue == Overdue::Head {
            farewell::send(connection.into_parts().io.into_inner(), &farewell::slow_head()).await;
        }
    }
}

async fn http2<S>(io: S, handler: Handler, mut end: End<'_>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    end.pulse.set_multiplexed();
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(100)
        .max_header_list_size(HEAD_BYTES as u32)
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(100)
        .keep_alive_interval(Duration::from_secs(30));
    let service = service_fn(move |request| handler.clone().answer(request));
    let mut connection = builder.serve_connection(TokioIo::new(io), service);
    let over = end.drive(&mut connection, http2::Connection::graceful_shutdown).await;
    if let Over::Overdue(overdue) = over {
        count(overdue);
        Pin::new(&mut connection).graceful_shutdown();
        // One turn, so that the client is told which requests were not touched.
        let _ = tokio::time::timeout(super::LINGER, connection).await;
    }
}

/// Answers the requests of one connection.
#[derive(Clone)]
struct Handler {
    peer: SocketAddr,
    pulse: Arc<Pulse>,
    is_reserve: bool,
    is_tls: bool,
    shared: Arc<Shared>,
}

impl Handler {
    async fn answer(self, request: Request<Incoming>) -> Result<Response<WatchedBody>, Infallible> {
        let in_flight = self.pulse.begin();
        let is_http1 = request.version() < Version::HTTP_2;
        let response = if self.is_reserve && !serves_operators(request.uri().path()) {
            farewell::no_place_for_it()
        } else {
            self.ask(request).await
        };
        let mut response = response.map(|body| WatchedBody::new(body, self.pulse.clone(), in_flight));
        let is_last = self.is_reserve
            || self.shared.is_stopping.load(Ordering::Relaxed)
            // The rest of the body may still come and is no request.
            || response.status() == StatusCode::REQUEST_TIMEOUT;
        if is_http1 && is_last {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response)
    }

    async fn ask(&self, request: Request<Incoming>) -> Response<Body> {
        let timing = Arc::new(Timing::new(&self.shared.config.times));
        let mut request = request.map(|body| TimedBody::around(body, timing.clone()));
        let extensions = request.extensions_mut();
        extensions.insert(ConnectInfo(self.peer));
        extensions.insert(timing);
        if self.is_tls {
            extensions.insert(OverTls);
        }
        let Ok(response) = self.shared.router.clone().oneshot(request).await;
        response
    }
}

/// Paths that the reserve serves.
fn serves_operators(path: &str) -> bool {
    path == "/healthz" || path == "/health" || path.starts_with("/health/") || path == "/metrics"
}
