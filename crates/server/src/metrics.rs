//! Metrics: true counters and histograms, the contract's JSON, and who may read them.

mod observer;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use axum::{Extension, Json, Router};
use data_encoding::BASE64;
use httpkit::{Authenticator, Meta, Problem};
use kernel::{Clock, Error, ErrorKind, Scope};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use serde_json::{Map, Value, json};
use store::Store;

use self::observer::Memory;
pub(crate) use self::observer::Observer;
use crate::config::MetricsAccess;
use crate::format::{Format, wanted_format};
use crate::process::process_lines;
use crate::system::SystemWatch;
use crate::window::Share;

const SECONDS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
const MILLISECONDS: &[f64] =
    &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 5_000.0, 10_000.0];
const SIZES: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1_024.0];

/// The process's recorder; there can be only one.
pub(crate) fn recorder() -> &'static PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    RECORDER.get_or_init(|| {
        let builder = PrometheusBuilder::new()
            .set_buckets(SECONDS)
            .and_then(|b| b.set_buckets_for_metric(Matcher::Suffix("_ms".to_owned()), MILLISECONDS))
            .and_then(|b| b.set_buckets_for_metric(Matcher::Suffix("_size".to_owned()), SIZES))
            .and_then(|b| b.set_buckets_for_metric(Matcher::Suffix("_events".to_owned()), SIZES))
            .expect("the buckets are not empty");
        let handle = builder.build_recorder();
        let rendering = handle.handle();
        metrics::set_global_recorder(handle).expect("no other recorder is set in this process");
        rendering
    })
}

/// The metrics of one server. Clones share everything.
#[derive(Clone)]
pub(crate) struct Metrics(Arc<Inner>);

struct Inner {
    store: Store,
    memory_service: memory::Memory,
    clock: Clock,
    system: SystemWatch,
    access: MetricsAccess,
    rules: httpkit::AddressRules,
    memory: Arc<Mutex<Memory>>,
    cache_reads: Mutex<Share>,
}

impl Metrics {
    /// The metrics over a server's parts.
    pub(crate) fn new(
        store: Store,
        memory_service: memory::Memory,
        clock: Clock,
        system: SystemWatch,
        access: MetricsAccess,
        rules: httpkit::AddressRules,
        observer: &Observer,
    ) -> Self {
        let memory = observer.memory();
        Self(Arc::new(Inner {
            store,
            memory_service,
            clock,
            system,
            access,
            rules,
            memory,
            cache_reads: Mutex::default(),
        }))
    }

    /// Text of Prometheus 0.0.4, with the gauges brought up to date.
    async fn prometheus(&self) -> String {
        let inner = &self.0;
        let system = inner.system.latest();
        metrics::gauge!("health_agent_cpu_percent").set(system.cpu_percent);
        metrics::gauge!("health_agent_memory_mb").set(system.memory_mb);
        metrics::gauge!("hearth_host_memory_percent").set(system.memory_percent);
        metrics::gauge!("hearth_data_disk_percent").set(system.data_disk_percent);
        let pool = inner.store.pool_state();
        let active = pool.open.saturating_sub(pool.idle);
        metrics::gauge!("health_agent_db_pool_active").set(f64::from(active));
        metrics::gauge!("health_agent_db_pool_size").set(f64::from(pool.max));
        for (state, value) in [("total", pool.open), ("idle", pool.idle), ("waiting", 0)] {
            metrics::gauge!("agent_memory_db_pool_connections", "state" => state).set(f64::from(value));
        }
        // There from the start, so that a rate sees the first one.
        metrics::counter!("db_pool_exhausted_total", "pool" => "primary").increment(0);
        if let Some(lag) = inner.store.replica_lag() {
            metrics::gauge!("hearth_replica_lag_seconds").set(lag.as_secs_f64());
        }
        metrics::gauge!("hearth_index_bytes").set(inner.memory_service.index_size().0 as f64);
        metrics::gauge!("hearth_build_info", "version" => env!("CARGO_PKG_VERSION"), "commit" => commit())
            .set(1.0);
        metrics::gauge!("health_agent_cache_hit_rate_percent").set(self.cache_hit_rate());
        self.set_memory_gauges();
        self.set_job_gauges().await;
        recorder().run_upkeep();
        format!("{}{}", recorder().render(), process_lines())
    }

    fn set_memory_gauges(&self) {
        let (mut memory, now) =
            (self.0.memory.lock().unwrap_or_else(PoisonError::into_inner), Instant::now());
        let all = memory.all.window.summary(now);
        for (name, value) in [("avg", all.avg), ("p50", all.p50), ("p95", all.p95), ("p99", all.p99)] {
            metrics::gauge!(format!("agent_memory_latency_ms_{name}")).set(value);
        }
        for (name, operation) in &mut memory.by_name {
            let summary = operation.window.summary(now);
            metrics::gauge!("agent_memory_operation_latency_avg", "operation" => *name).set(summary.avg);
            metrics::gauge!("agent_memory_operation_latency_p95", "operation" => *name).set(summary.p95);
        }
    }

    /// Percent of the cache reads of the last five minutes; not a number below a hundred reads.
    fn cache_hit_rate(&self) -> f64 {
        let (totals, now) = (self.0.store.cache().counts().totals(), Instant::now());
        let mut seen = self.0.cache_reads.lock().unwrap_or_else(PoisonError::into_inner);
        seen.share_since(now, totals.hits, totals.hits + totals.misses).unwrap_or(f64::NAN)
    }

    async fn set_job_gauges(&self) {
        let Ok((states, oldest)) = store::jobs::depth(&self.0.store, self.0.clock.now()).await else {
            return;
        };
        for state in ["due", "running", "failed", "dead"] {
            let depth = states.iter().find(|(name, _)| name == state).map_or(0, |(_, count)| *count);
            metrics::gauge!("hearth_jobs", "state" => state).set(depth as f64);
        }
        metrics::gauge!("hearth_job_oldest_seconds").set(oldest);
    }

    /// The contract's `/metrics/json`.
    fn memory_json(&self) -> Value {
        let (mut memory, now) =
            (self.0.memory.lock().unwrap_or_else(PoisonError::into_inner), Instant::now());
        let mut operations = Map::new();
        for (name, operation) in &mut memory.by_name {
            let summary = operation.window.summary(now);
            operations.insert(
                (*name).to_owned(),
                json!({"count": operation.count, "failures": operation.failures,
                "avg_latency_ms": summary.avg, "p95_latency_ms": summary.p95}),
            );
        }
        let all = memory.all.window.summary(now);
        json!({
            "total_requests": memory.all.count,
            "successful_requests": memory.all.count - memory.all.failures,
            "failed_requests": memory.all.failures,
            "avg_latency_ms": all.avg, "p50_latency_ms": all.p50, "p95_latency_ms": all.p95, "p99_latency_ms": all.p99,
            "operations": operations,
        })
    }

    /// The contract's JSON of `/api/v1/metrics`.
    fn overview_json(&self) -> Value {
        let pool = self.0.store.pool_state();
        let active = pool.open.saturating_sub(pool.idle);
        let cache = self.0.store.cache();
        let totals = cache.counts().totals();
        let reads = totals.hits + totals.misses;
        json!({
            "timestamp": self.0.clock.now().to_string(),
            "system": self.0.system.latest(),
            "database": {
                "pool_size": pool.open, "pool_available": pool.idle, "pool_active": active,
                "pool_min_size": pool.min, "pool_max_size": pool.max,
                "pool_utilization_percent": f64::from(active) / f64::from(pool.max.max(1)) * 100.0,
            },
            "cache": {
                "enabled": cache.is_enabled(), "hits": totals.hits, "misses": totals.misses, "sets": totals.sets,
                "deletes": totals.deletes, "errors": totals.errors, "total_reads": reads,
                "hit_rate_percent": totals.hits as f64 / reads.max(1) as f64 * 100.0,
            },
        })
    }
}

/// Commit of the build, when the builder said it.
fn commit() -> &'static str {
    option_env!("HEARTH_COMMIT").unwrap_or("unknown")
}

/// What the access rule looks at.
struct Seen {
    peer: Option<IpAddr>,
    headers: HeaderMap,
    /// What a wrong key is: routes of the API have always called it forbidden.
    wrong_key: ErrorKind,
}

impl<S: Send + Sync> FromRequestParts<S> for Seen {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let is_api = parts.uri.path().starts_with("/api/");
        Ok(Self {
            peer: parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip()),
            headers: parts.headers.clone(),
            wrong_key: if is_api { ErrorKind::Forbidden } else { ErrorKind::Unauthenticated },
        })
    }
}

/// The three metrics routes, behind one access rule.
pub(crate) fn routes(metrics: Metrics) -> Router {
    let guard = from_fn_with_state(metrics.clone(), check_access);
    let guarded = |handler: MethodRouter<Metrics>| handler.route_layer(guard.clone());
    Router::new()
        .route("/metrics", guarded(get(prometheus_text)))
        .route("/metrics/json", guarded(get(memory_json)))
        .route("/api/v1/metrics", guarded(get(negotiated)))
        .with_state(metrics)
}

async fn check_access(
    State(metrics): State<Metrics>,
    Extension(authenticator): Extension<Authenticator>,
    meta: Meta,
    seen: Seen,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    metrics.check_access(&authenticator, meta, &seen).await?;
    Ok(next.run(request).await)
}

async fn prometheus_text(State(metrics): State<Metrics>) -> Response {
    text_answer(metrics.prometheus().await)
}

async fn memory_json(State(metrics): State<Metrics>) -> Json<Value> {
    Json(metrics.memory_json())
}

async fn negotiated(
    State(metrics): State<Metrics>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut answer = match wanted_format(uri.query().unwrap_or_default(), &headers)? {
        Format::Json => Json(metrics.overview_json()).into_response(),
        Format::Prometheus => text_answer(metrics.prometheus().await),
    };
    answer.headers_mut().insert(header::VARY, header::HeaderValue::from_static("Accept"));
    Ok(answer)
}

fn text_answer(text: String) -> Response {
    (StatusCode::OK, [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
        .into_response()
}

impl Metrics {
    /// An allowed address, the metrics token, or a key with the scope `admin`.
    async fn check_access(
        &self,
        authenticator: &Authenticator,
        meta: Meta,
        seen: &Seen,
    ) -> kernel::Result<()> {
        let access = &self.0.access;
        if !access.is_enabled {
            return Err(Error::not_found("route"));
        }
        let forged = seen.peer.is_some_and(|peer| self.0.rules.is_forged(peer, &seen.headers));
        let near = meta.address.is_some_and(|address| access.allow.iter().any(|net| net.contains(&address)));
        if (near && !forged) || self.has_token(&seen.headers) {
            return Ok(());
        }
        match authenticator.authenticate(meta.credentials).await {
            Ok(ctx) if ctx.scopes.has(Scope::Admin) => Ok(()),
            Ok(_) => Err(Error::forbidden("this needs the scope admin")),
            Err(mut error) => {
                if error.public == "Invalid API key" {
                    error.kind = seen.wrong_key;
                }
                Err(error)
            }
        }
    }

    fn has_token(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.0.access.token else {
            return false;
        };
        let sent = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let basic = |encoded: &str| {
            let decoded = BASE64.decode(encoded.as_bytes()).ok()?;
            String::from_utf8(decoded).ok()?.split_once(':').map(|(_, password)| password.to_owned())
        };
        let shown = match sent.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Some(token.trim().to_owned()),
            Some((scheme, encoded)) if scheme.eq_ignore_ascii_case("basic") => basic(encoded.trim()),
            _ => None,
        };
        let shown = shown.unwrap_or_default();
        // Compared as hashes, so that the time taken tells nothing of the token.
        store::blob::data_hash(shown.as_bytes()) == store::blob::data_hash(token.expose().as_bytes())
    }
}
