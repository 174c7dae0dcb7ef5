//! What every request passes: an id, an address, limits, time, headers, metrics, and the body of every error.

use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use kernel::{Ctx, Error, ErrorKind};
use store::{Redis, Store};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::accept::OverTls;
use crate::address::{AddressRules, network};
use crate::limits::{Limits, RateClass, RateConfig, RateState, Who};
use crate::problem::{Pending, Problem, render};
use crate::series::{SeriesTable, method_label};
use crate::shed::{Asker, Gate, Permit, Range, ShedClass};
use crate::timing::in_time;

/// A body that is complete within this time keeps the place of its request.
const PROMPT: Duration = Duration::from_millis(50);

/// Settings of the edge.
#[derive(Clone, Debug, Default)]
pub struct EdgeConfig {
    /// Requests slower than this are logged.
    pub slow_request: Option<Duration>,
    /// Exact origins of other sites' pages that may call.
    pub cors_origins: Vec<HeaderValue>,
    /// Whose word counts for a caller's address.
    pub addresses: AddressRules,
    /// `None` switches the limit off.
    pub rate: Option<RateConfig>,
    /// Where servers count together.
    pub redis: Option<Redis>,
    /// How many requests may run at once; `None` lets everything in.
    pub at_once: Option<Range>,
    /// A database with a replica, which is told who wrote.
    pub replicated: Option<Store>,
}

/// One finished request, for the counters of other rooms.
#[derive(Clone, Copy, Debug)]
pub struct Observation<'a> {
    /// The method.
    pub method: &'a Method,
    /// Route template, or `unmatched`.
    pub endpoint: &'a str,
    /// Answer.
    pub status: StatusCode,
    /// How long it took.
    pub elapsed: Duration,
}

/// The edge of one server.
#[derive(Clone)]
pub struct Edge(Arc<Inner>);

struct Inner {
    config: EdgeConfig,
    limits: Limits,
    gate: Option<Gate>,
    series: SeriesTable,
    observer: Box<dyn Fn(Observation<'_>) + Send + Sync>,
}

/// What the edge knows of a request, in its extensions.
#[derive(Clone)]
pub(crate) struct RequestState {
    pub(crate) request_id: Arc<str>,
    pub(crate) address: Option<IpAddr>,
    /// The caller came over TLS, ours or a trusted proxy's.
    pub(crate) is_encrypted: bool,
    edge: Edge,
    rate: Arc<OnceLock<RateState>>,
    /// The request's place among those that run, until its answer is made.
    place: Arc<Mutex<Option<Permit>>>,
    /// Whoever may be writing to a database with a replica.
    writer: Arc<OnceLock<Ctx>>,
}

impl RequestState {
    /// Counts the request against its limits, then waits for a place among those that run.
    pub(crate) async fn admit(&self, who: Who<'_>, parts: &Parts) -> kernel::Result<()> {
        self.count_request(who, parts).await?;
        if let (Who::Caller(ctx), false, Some(_)) =
            (who, parts.method.is_safe(), &self.edge.0.config.replicated)
        {
            let _ = self.writer.set(ctx.clone());
        }
        let Some(gate) = &self.edge.0.gate else {
            return Ok(());
        };
        let endpoint = parts.extensions.get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str);
        let (tenant, user) = match who {
            Who::Caller(ctx) => (ctx.tenant.as_str().into(), ctx.principal.id.as_str().into()),
            Who::Visitor(address) => {
                let address = address.map(|address| network(address).to_string()).unwrap_or_default();
                (Box::default(), address.into())
            }
        };
        let class = ShedClass::of(&parts.method, endpoint);
        let place = gate.enter(Asker { class, tenant, user, endpoint: endpoint.into() }).await?;
        *self.place() = Some(place);
        Ok(())
    }

    /// Waits for a body that may be slow. A client that lets us wait gives its place to others and asks for a new one when
    /// it is done, so that half a request holds nobody up.
    pub(crate) async fn receive<T>(
        &self,
        body: impl Future<Output = kernel::Result<T>>,
    ) -> kernel::Result<T> {
        let mut body = pin!(body);
        if let Ok(came) = tokio::time::timeout(PROMPT, &mut body).await {
            return came;
        }
        let asker = self.place().take().and_then(Permit::give_up);
        let came = body.await?;
        if let (Some(gate), Some(asker)) = (&self.edge.0.gate, asker) {
            let place = gate.enter(asker).await?;
            *self.place() = Some(place);
        }
        Ok(came)
    }

    /// Remembers a caller who wrote before they are told so, whatever became of it.
    async fn note_write(&self) {
        if let (Some(ctx), Some(store)) = (self.writer.get(), &self.edge.0.config.replicated) {
            store.note_write(ctx).await;
        }
    }

    /// Gives the place back, if the request had one.
    fn leave(&self) {
        drop(self.place().take());
    }

    fn place(&self) -> MutexGuard<'_, Option<Permit>> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts the request against every limit it falls under, and remembers what is left for the answer's headers.
    pub(crate) async fn count_request(&self, who: Who<'_>, parts: &Parts) -> kernel::Result<()> {
        let template = parts.extensions.get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str);
        let class = RateClass::of(&parts.method, template);
        let Some(counted) = self.edge.0.limits.count(class, who).await else {
            return Ok(());
        };
        let (state, outcome) = match counted {
            Ok(state) => (state, Ok(())),
            Err((state, error)) => (state, Err(error)),
        };
        let _ = self.rate.set(state);
        outcome
    }
}

impl Edge {
    /// Makes an edge; `observer` is told of every finished request.
    pub fn new(config: EdgeConfig, observer: impl Fn(Observation<'_>) + Send + Sync + 'static) -> Self {
        let limits = Limits::new(config.rate, config.redis.clone());
        let gate = config.at_once.map(Gate::new);
        Self(Arc::new(Inner {
            config,
            limits,
            gate,
            series: SeriesTable::default(),
            observer: Box::new(observer),
        }))
    }

    /// Puts the edge around a router, outermost.
    pub fn around(&self, router: Router) -> Router {
        let cors = CorsLayer::new()
            .allow_origin(AllowOrigin::list(self.0.config.cors_origins.clone()))
            .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
            .allow_headers(
                ["authorization", "content-type", "x-api-key", "idempotency-key"]
                    .map(HeaderName::from_static),
            )
            .expose_headers(["x-request-id", "x-response-time", "retry-after"].map(HeaderName::from_static));
        let router = if self.0.config.cors_origins.is_empty() { router } else { router.layer(cors) };
        router.layer(from_fn_with_state(self.clone(), pass))
    }

    /// Lets go of limits that are whole again; call it now and then.
    pub fn forget_idle(&self) {
        self.0.limits.forget_idle();
    }

    /// Changes how often callers may ask; what was counted stays counted.
    pub fn set_rate(&self, rate: Option<RateConfig>) {
        self.0.limits.set(rate);
    }
}

async fn pass(State(edge): State<Edge>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let state = RequestState {
        request_id: request_id(request.headers()),
        address: peer.map(|peer| edge.0.config.addresses.caller(peer, request.headers())),
        is_encrypted: request.extensions().get::<OverTls>().is_some()
            || peer.is_some_and(|peer| edge.0.config.addresses.is_encrypted(peer, request.headers())),
        edge: edge.clone(),
        rate: Arc::default(),
        place: Arc::default(),
        writer: Arc::default(),
    };
    request.extensions_mut().insert(state.clone());
    let method = request.method().clone();
    let path = request.extensions().get::<MatchedPath>().cloned();
    let endpoint = path.as_ref().map_or("unmatched", MatchedPath::as_str);
    let series = edge.0.series.get(&method, endpoint);
    let running = series.start();
    let work = in_time(request.extensions().get().cloned(), async {
        match crate::head::check(&request) {
            Ok(()) => next.run(request).await,
            Err(error) => Problem(error).into_response(),
        }
    });
    let answer = AssertUnwindSafe(work).catch_unwind().await;
    let answer = answer.unwrap_or_else(|_| Problem(Error::internal("a handler panicked")).into_response());
    state.note_write().await;
    drop(running);
    state.leave();
    let mut response = with_body(answer, &state.request_id, &method, endpoint);
    let elapsed = started.elapsed();
    set_headers(response.headers_mut(), &state, elapsed);
    // A method that no route serves makes no series for each path that it is tried on.
    let is_served = response.status() != StatusCode::METHOD_NOT_ALLOWED && method != Method::OPTIONS;
    let endpoint = if is_served { endpoint } else { "unmatched" };
    let series = if is_served { series } else { edge.0.series.get(&method, endpoint) };
    series.finish(response.status(), elapsed);
    edge.observe(
        Observation { method: &method, endpoint, status: response.status(), elapsed },
        &state.request_id,
    );
    response
}

/// The client's id if it is one that logs can hold, else a new one.
fn request_id(headers: &HeaderMap) -> Arc<str> {
    let sent = headers.get("x-request-id").and_then(|v| v.to_str().ok());
    let fits = |id: &&str| {
        (8..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    sent.filter(fits).map_or_else(|| kernel::random::token()[..26].into(), Into::into)
}

/// Gives every error its problem body, also those that the router made (405, 413) and that carry none.
fn with_body(response: Response, request_id: &str, method: &Method, endpoint: &str) -> Response {
    let made_here = response.status().is_client_error() || response.status().is_server_error();
    if !made_here {
        return response;
    }
    let pending = response.extensions().get::<Pending>().cloned();
    let error = match pending {
        Some(Pending(error)) => error,
        None if response.headers().contains_key(header::CONTENT_TYPE) => return response,
        None => Arc::new(of_status(response.status())),
    };
    if let Some(source) = &error.source {
        let source = chain(source.as_ref());
        tracing::error!(request_id, %method, endpoint, code = error.code, source, "request failed");
    }
    let mut rendered = render(&error, request_id);
    *rendered.status_mut() = response.status();
    for (name, value) in response.headers() {
        if name != header::CONTENT_LENGTH && name != header::CONTENT_TYPE {
            rendered.headers_mut().append(name, value.clone());
        }
    }
    rendered
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |e| e.source()).map(ToString::to_string);
    causes.collect::<Vec<_>>().join(": ")
}

fn of_status(status: StatusCode) -> Error {
    match status {
        StatusCode::METHOD_NOT_ALLOWED => Error::new(
            ErrorKind::MethodNotAllowed,
            "method_not_allowed",
            "this route does not serve that method; see the Allow header",
        ),
        StatusCode::NOT_FOUND => Error::not_found("route"),
        StatusCode::PAYLOAD_TOO_LARGE => {
            Error::new(ErrorKind::TooLarge, "too_large", "the body is too large")
        }
        status if status.is_client_error() => Error::invalid("bad_request", "the request cannot be read"),
        status => Error::internal(format!("bare status {status}")),
    }
}

/// `self` and nothing else: the page needs no other origin, no inline script and no inline style.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'";

const SECURITY_HEADERS: [(&str, &str); 7] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "strict-origin-when-cross-origin"),
    ("x-xss-protection", "1; mode=block"),
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
    ("cross-origin-opener-policy", "same-origin"),
];

fn set_headers(headers: &mut HeaderMap, state: &RequestState, elapsed: Duration) {
    for (name, value) in SECURITY_HEADERS {
        headers.entry(HeaderName::from_static(name)).or_insert(HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if state.is_encrypted {
        let hsts = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, hsts);
    }
    let mut set = |name: &'static str, text: &str| {
        let value = HeaderValue::from_str(text).expect("checked when the request came in");
        headers.insert(HeaderName::from_static(name), value);
    };
    set("x-request-id", &state.request_id);
    set("x-response-time", &format!("{:.1}ms", elapsed.as_secs_f64() * 1e3));
    if let Some(rate) = state.rate.get() {
        set("ratelimit-limit", &rate.limit.to_string());
        set("ratelimit-remaining", &rate.remaining.to_string());
        set("ratelimit-reset", &rate.reset_seconds.to_string());
    }
}

impl Edge {
    fn observe(&self, seen: Observation<'_>, request_id: &str) {
        if self.0.config.slow_request.is_some_and(|limit| seen.elapsed > limit) {
            let duration_ms = seen.elapsed.as_millis() as u64;
            tracing::warn!(
                request_id,
                method = method_label(seen.method),
                endpoint = seen.endpoint,
                duration_ms,
                "SLOW REQUEST"
            );
        }
        (self.0.observer)(seen);
    }
}
