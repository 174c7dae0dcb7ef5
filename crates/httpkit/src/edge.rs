//! What every request passes: an id, an address, limits, time, headers, metrics, and the body of every error.

mod request;

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, ArcSwapOption};
use axum::Router;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use kernel::{Error, ErrorKind};
use store::{Redis, Store};
use tokio::sync::Semaphore;
use tower::{Layer, ServiceExt};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::address::AddressRules;
use crate::limits::{Limits, RateConfig};
use crate::problem::{Pending, Problem, render};
use crate::series::{SeriesTable, method_label};
use crate::shed::{Gate, Range};
use crate::timing::in_time;
use request::Known;
pub(crate) use request::RequestState;

/// Refusals that may wait for their audit row after they were answered.
const REFUSALS_BEHIND: usize = 64;

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
    /// `None` when no other site's page may call.
    cors: ArcSwapOption<CorsLayer>,
    /// Places of refusals on their way to the audit log.
    refusals: Arc<Semaphore>,
    /// Pages of other sites that may call.
    origins: ArcSwap<Vec<HeaderValue>>,
    series: SeriesTable,
    observer: Box<dyn Fn(Observation<'_>) + Send + Sync>,
}

impl Edge {
    /// Makes an edge; `observer` is told of every finished request.
    pub fn new(config: EdgeConfig, observer: impl Fn(Observation<'_>) + Send + Sync + 'static) -> Self {
        let limits = Limits::new(config.rate, config.redis.clone());
        let gate = config.at_once.map(Gate::new);
        let edge = Self(Arc::new(Inner {
            limits,
            gate,
            cors: ArcSwapOption::empty(),
            refusals: Arc::new(Semaphore::new(REFUSALS_BEHIND)),
            origins: ArcSwap::default(),
            series: SeriesTable::default(),
            observer: Box::new(observer),
            config,
        }));
        edge.set_cors_origins(edge.0.config.cors_origins.clone());
        edge
    }

    /// Puts the edge around a router, outermost.
    pub fn around(&self, router: Router) -> Router {
        router.layer(from_fn_with_state(self.clone(), pass))
    }

    /// Whose word counts for a caller's address.
    pub fn addresses(&self) -> &AddressRules {
        &self.0.config.addresses
    }

    /// Changes which pages of other sites may call.
    pub fn set_cors_origins(&self, origins: Vec<HeaderValue>) {
        self.0.origins.store(Arc::new(origins.clone()));
        if origins.is_empty() {
            return self.0.cors.store(None);
        }
        let cors = CorsLayer::new()
            .allow_origin(AllowOrigin::list(origins))
            .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
            .allow_headers(
                [
                    "authorization",
                    "content-type",
                    "x-api-key",
                    "idempotency-key",
                    "mcp-session-id",
                    "mcp-protocol-version",
                ]
                .map(HeaderName::from_static),
            )
            .expose_headers(
                ["x-request-id", "x-response-time", "retry-after", "mcp-session-id"]
                    .map(HeaderName::from_static),
            );
        self.0.cors.store(Some(Arc::new(cors)));
    }

    /// Whether a page of this origin may call: one of this machine, or one that the settings name.
    pub(crate) fn knows_origin(&self, origin: &HeaderValue) -> bool {
        let host = origin.to_str().ok().and_then(|text| text.parse::<http::Uri>().ok());
        let host = host.as_ref().and_then(http::Uri::host).unwrap_or_default();
        ["localhost", "127.0.0.1", "[::1]"].contains(&host) || self.0.origins.load().contains(origin)
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
    let state = RequestState::new(&edge, &request, peer);
    request.extensions_mut().insert(state.clone());
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let path = request.extensions().get::<MatchedPath>().cloned();
    let endpoint = path.as_ref().map_or("unmatched", MatchedPath::as_str);
    let series = edge.0.series.get(&method, endpoint);
    let running = series.start();
    let work = in_time(request.extensions().get().cloned(), async {
        match crate::head::check(&request) {
            Ok(()) => edge.run(request, next).await,
            Err(error) => Problem(error).into_response(),
        }
    });
    let answer = AssertUnwindSafe(work).catch_unwind().await;
    let answer = answer.unwrap_or_else(|_| Problem(Error::internal("a handler panicked")).into_response());
    state.note_write().await;
    if let Some(Pending(error)) = answer.extensions().get() {
        state.audit_refusal(error, &method, uri.path()).await;
    }
    drop(running);
    state.leave();
    let mut response = with_body(answer, &state, &method, endpoint);
    let elapsed = started.elapsed();
    set_headers(response.headers_mut(), &state, elapsed);
    // A method that no route serves makes no series for each path that it is tried on.
    let is_served = response.status() != StatusCode::METHOD_NOT_ALLOWED && method != Method::OPTIONS;
    let endpoint = if is_served { endpoint } else { "unmatched" };
    let series = if is_served { series } else { edge.0.series.get(&method, endpoint) };
    series.finish(response.status(), elapsed);
    edge.observe(Observation { method: &method, endpoint, status: response.status(), elapsed }, &state);
    response
}

/// Gives every error its problem body, also those that the router made (405, 413) and that carry none.
fn with_body(response: Response, state: &Known, method: &Method, endpoint: &str) -> Response {
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
        let (request_id, tenant) = (&*state.request_id, state.tenant());
        tracing::error!(request_id, tenant, %method, endpoint, code = error.code, source, "request failed");
    }
    let mut rendered = render(&error, &state.request_id);
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

static USUAL_HEADERS: [(HeaderName, HeaderValue); 8] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin")),
    (header::X_XSS_PROTECTION, HeaderValue::from_static("1; mode=block")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY)),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=()"),
    ),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];
static HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000; includeSubDomains");
static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
static RESPONSE_TIME: HeaderName = HeaderName::from_static("x-response-time");
static RATE_LIMIT: [HeaderName; 3] = [
    HeaderName::from_static("ratelimit-limit"),
    HeaderName::from_static("ratelimit-remaining"),
    HeaderName::from_static("ratelimit-reset"),
];

fn set_headers(headers: &mut HeaderMap, state: &Known, elapsed: Duration) {
    headers.reserve(USUAL_HEADERS.len() + 6);
    for (name, value) in &USUAL_HEADERS {
        headers.entry(name).or_insert_with(|| value.clone());
    }
    if state.is_encrypted {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS.clone());
    }
    let text = |text: &str| HeaderValue::from_str(text).expect("checked when the request came in");
    headers.insert(&REQUEST_ID, text(&state.request_id));
    let tenths = (elapsed.as_micros() + 50) / 100;
    headers.insert(&RESPONSE_TIME, text(&format!("{}.{}ms", tenths / 10, tenths % 10)));
    if let Some(rate) = state.rate.get() {
        let values = [rate.limit, rate.remaining, rate.reset_seconds];
        for (name, value) in RATE_LIMIT.iter().zip(values) {
            headers.insert(name, value.into());
        }
    }
}

impl Edge {
    /// Asks the router, on behalf of a page of another site where that is set.
    async fn run(&self, request: Request, next: Next) -> Response {
        let Some(cors) = self.0.cors.load_full() else {
            return next.run(request).await;
        };
        let Ok(response) = cors.layer(next).oneshot(request).await;
        response
    }

    fn observe(&self, seen: Observation<'_>, state: &Known) {
        if self.0.config.slow_request.is_some_and(|limit| seen.elapsed > limit) {
            let duration_ms = seen.elapsed.as_millis() as u64;
            tracing::warn!(
                request_id = &*state.request_id,
                tenant = state.tenant(),
                method = method_label(seen.method),
                endpoint = seen.endpoint,
                duration_ms,
                "SLOW REQUEST"
            );
        }
        (self.0.observer)(seen);
    }
}
