//! A small router behind the real accept loop, with limits that a test can wait for.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::middleware::from_fn;
use axum::routing::{get, post};
use bytes::Bytes;
use futures::stream;
use httpkit::accept::{AcceptConfig, TimeLimits, serve};
use httpkit::shed::Range;
use httpkit::{Edge, EdgeConfig, Patience, Visitor};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Every limit short enough to wait for.
pub(crate) const HURRIED: TimeLimits = TimeLimits {
    first_byte: Duration::from_millis(400),
    head: Duration::from_millis(600),
    body_idle: Duration::from_millis(500),
    body_total: Duration::from_millis(1_500),
    answer: Duration::from_millis(500),
    keep_alive: Duration::from_millis(800),
    write_stalled: Duration::from_millis(500),
};

/// How long a test waits for what should come within those limits.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn hurried() -> AcceptConfig {
    AcceptConfig { times: HURRIED, ..AcceptConfig::default() }
}

/// A server of this process.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) work: Work,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(config: AcceptConfig) -> Self {
        Self::start_with(config, None).await
    }

    /// With a bound on the requests that run at once.
    pub(crate) async fn start_with(config: AcceptConfig, at_once: Option<Range>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (work, (stop, stopped)) = (Work::default(), watch::channel(false));
        let addresses = config.addresses.clone();
        let edge = Edge::new(EdgeConfig { addresses, at_once, ..EdgeConfig::default() }, |_| {});
        let router = edge.around(router(&work));
        let serving = tokio::spawn(serve(vec![listener], router, config, stopped));
        Self { address, work, stop, serving }
    }

    pub(crate) fn tell_to_stop(&self) {
        self.stop.send(true).unwrap();
    }

    pub(crate) async fn ended(&mut self) {
        tokio::time::timeout(PATIENCE, &mut self.serving).await.expect("the drain ends").unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// How many handlers and answers are alive, counted by what they hold.
#[derive(Clone, Default)]
pub(crate) struct Work(Arc<AtomicUsize>);

impl Work {
    pub(crate) fn begin(&self) -> Working {
        self.0.fetch_add(1, Ordering::SeqCst);
        Working(self.0.clone())
    }

    /// Waits until that many are alive.
    pub(crate) async fn becomes(&self, wanted: usize) {
        let reached = async {
            while self.0.load(Ordering::SeqCst) != wanted {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let alive = || self.0.load(Ordering::SeqCst);
        tokio::time::timeout(PATIENCE, reached)
            .await
            .unwrap_or_else(|_| panic!("{} at work, not {wanted}", alive()));
    }
}

pub(crate) struct Working(Arc<AtomicUsize>);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

pub(crate) fn router(work: &Work) -> Router {
    let (endless, waiting, patient) = (work.clone(), work.clone(), work.clone());
    let wait = |work: Work, time: Duration| async move {
        let _working = work.begin();
        tokio::time::sleep(time).await;
        "at last"
    };
    let grant = |patience: Patience| from_fn(move |request, next| patience.grant(request, next));
    Router::new()
        .route("/fast", get(async || "fast"))
        .route("/healthz", get(async || "healthy"))
        .route("/read", post(async |httpkit::Body(body): httpkit::Body<Value>| body.to_string()))
        .route(
            "/admitted",
            post(async |_: Visitor, httpkit::Body(body): httpkit::Body<Value>| body.to_string()),
        )
        .route("/upload", post(async |body: Bytes| body.len().to_string()).layer(grant(Patience::UPLOAD)))
        .route("/endless", get(async move || endless_body(&endless)))
        .route("/wait", get(async move || wait(waiting, HURRIED.answer * 20).await))
        .route(
            "/patient",
            get(async move || wait(patient, HURRIED.answer * 2).await).layer(grant(Patience::UPLOAD)),
        )
}

/// 64 KiB, again and again, as fast as they are taken.
fn endless_body(work: &Work) -> Body {
    let piece = Bytes::from(vec![b'x'; 64 * 1024]);
    Body::from_stream(stream::unfold(work.begin(), move |working| {
        let piece = piece.clone();
        async move { Some((Ok::<_, std::io::Error>(piece), working)) }
    }))
}
