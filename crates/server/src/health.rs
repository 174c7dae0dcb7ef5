//! Health: probers write what they see into memory, and health routes read only that.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use httpkit::{Authenticator, Meta, Problem};
use kernel::{Clock, Error};
use serde_json::{Value, json};

use crate::dependencies::Dependencies;

/// Where the process stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Phase {
    /// Not migrated or not connected yet.
    Starting,
    /// Serving.
    Ready,
    /// Told to stop.
    Draining,
}

/// What health routes know. Clones share it.
#[derive(Clone)]
pub(crate) struct Health(Arc<Inner>);

struct Inner {
    phase: AtomicU8,
    dependencies: Dependencies,
    clock: Clock,
    service: String,
    database_name: String,
}

impl Health {
    /// A process that starts.
    pub(crate) fn new(
        clock: Clock,
        service: String,
        database_name: String,
        dependencies: Dependencies,
    ) -> Self {
        let phase = AtomicU8::new(Phase::Starting as u8);
        Self(Arc::new(Inner { phase, dependencies, clock, service, database_name }))
    }

    /// Moves to a phase.
    pub(crate) fn set_phase(&self, phase: Phase) {
        self.0.phase.store(phase as u8, Ordering::SeqCst);
    }

    pub(crate) fn phase(&self) -> Phase {
        match self.0.phase.load(Ordering::SeqCst) {
            0 => Phase::Starting,
            1 => Phase::Ready,
            _ => Phase::Draining,
        }
    }

    fn has_database(&self) -> bool {
        self.0.dependencies.is_up("database")
    }

    /// `degraded` when something configured does not answer; none of it but the database makes a server unready.
    fn word(&self) -> &'static str {
        let is_whole = self.has_database() && !self.0.dependencies.any_down();
        if is_whole { "healthy" } else { "degraded" }
    }

    fn now(&self) -> String {
        self.0.clock.now().to_millis_text()
    }
}

/// The health routes: no credential, no limit, nothing that waits.
pub(crate) fn routes(health: Health) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/health", get(overview))
        .route("/health/live", get(live))
        .route("/health/db", get(database))
        .route("/health/ready", get(ready))
        .route("/api/health", get(api_health))
        .with_state(health)
}

/// Answers 503 to what needs the database until the schema is known to be ours.
pub(crate) async fn refuse_while_starting(
    State(health): State<Health>,
    request: Request,
    next: Next,
) -> Response {
    if health.phase() == Phase::Starting {
        let text = "the server is starting or waits for its database; try again";
        return Problem(Error::unavailable("starting", text)).into_response();
    }
    next.run(request).await
}

async fn healthz() -> Json<Value> {
    Json(json!({"status": "healthy"}))
}

async fn live(State(health): State<Health>) -> Response {
    // Written out: this route is the yardstick of what a request costs.
    let body =
        format!(r#"{{"status":"alive","timestamp":"{}","uptime":"application is running"}}"#, health.now());
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

async fn overview(
    State(health): State<Health>,
    Extension(authenticator): Extension<Authenticator>,
    meta: Meta,
) -> Json<Value> {
    Json(json!({
        "status": health.word(),
        "timestamp": health.now(),
        "version": env!("CARGO_PKG_VERSION"),
        "service": health.0.service,
        "authenticated": authenticator.verify_in_memory(&meta.credentials),
        "database": health.has_database(),
        "llm": false,
    }))
}

async fn database(State(health): State<Health>) -> (StatusCode, Json<Value>) {
    if health.has_database() {
        let name = &health.0.database_name;
        let body =
            json!({"status": "healthy", "database": "connected", "timestamp": health.now(), "db_name": name});
        return (StatusCode::OK, Json(body));
    }
    let body = json!({"status": "unhealthy", "database": "disconnected", "timestamp": health.now(),
        "error": "Database connection failed"});
    (StatusCode::SERVICE_UNAVAILABLE, Json(body))
}

async fn ready(State(health): State<Health>) -> (StatusCode, Json<Value>) {
    let (database, phase) = (health.has_database(), health.phase());
    let error = match (phase, database) {
        (Phase::Ready, true) => {
            let body = json!({"status": "ready", "timestamp": health.now(),
                "checks": {"database": "ok", "application": "ok"}});
            return (StatusCode::OK, Json(body));
        }
        (Phase::Draining, _) => "Application is shutting down",
        // A server that waits for its database lacks nothing else, also at its start.
        (_, false) => "Database not available",
        (Phase::Starting, true) => "Application is starting",
    };
    let word = |ok: bool| if ok { "ok" } else { "failed" };
    let application = word(!database && phase != Phase::Draining);
    let body = json!({"status": "not_ready", "timestamp": health.now(),
        "checks": {"database": word(database), "application": application}, "error": error});
    (StatusCode::SERVICE_UNAVAILABLE, Json(body))
}

async fn api_health(State(health): State<Health>) -> Json<Value> {
    let database = health.has_database();
    Json(json!({
        "status": if database { "healthy" } else { "degraded" },
        "database": if database { "connected" } else { "disconnected" },
        "timestamp": health.now(),
    }))
}
