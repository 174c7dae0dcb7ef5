//! What is counted of each finished request beside the edge's own series.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use axum::http::Method;
use httpkit::Observation;
use metrics::{Counter, Histogram};

use crate::window::Window;

/// Operation of a memory route in the contract's fixed list; `None` for other routes.
fn memory_operation(method: &Method, endpoint: &str) -> Option<&'static str> {
    if let Some(rest) = endpoint.strip_prefix("/mem0/") {
        return Some(mem0_operation(method, rest));
    }
    if endpoint == "/mcp" {
        return Some("mcp");
    }
    let rest = endpoint.strip_prefix("/api/v1/")?;
    Some(match (method.as_str(), rest) {
        ("POST", "events" | "events/batch") => "record",
        ("POST", "memories/search") => "search",
        ("POST", "acb/build" | "context") => "context",
        ("POST", "memories") => "remember",
        ("POST", "decisions") => "decision",
        ("POST" | "PATCH", "tasks" | "tasks/{task_id}") => "task",
        ("PATCH" | "DELETE", "memories/{memory_id}") => "edit",
        ("POST" | "PATCH" | "DELETE", path) if path.starts_with("blocks") => "block",
        ("POST" | "PATCH" | "DELETE", path) if path.starts_with("rules") => "rule",
        ("POST", path) if path.starts_with("capsules") => "capsule",
        ("POST", "memory/tool") => "file",
        ("POST" | "DELETE", path) if path.starts_with("entities") => "entity",
        ("GET", "blocks" | "rules" | "capsules" | "entities") => "list",
        ("GET", path)
            if ["blocks/", "rules/", "capsules/", "entities/"].iter().any(|room| path.starts_with(room)) =>
        {
            "get"
        }
        ("POST", path) if path.starts_with("edits") || path.starts_with("memories/{memory_id}/") => "edit",
        ("GET", "events" | "memory/timeline" | "sessions" | "memories" | "edits" | "decisions" | "tasks") => {
            "list"
        }
        ("GET", "events/{event_id}" | "chunks/{chunk_id}" | "artifacts/{artifact_id}" | "acb/{acb_id}") => {
            "get"
        }
        ("GET", path) if path.starts_with("decisions/") || path.starts_with("memories/{memory_id}") => "get",
        ("POST", "memory/import") => "import",
        ("GET", "memory/stats") => "stats",
        _ => return None,
    })
}

/// The same of the door for mem0's clients.
fn mem0_operation(method: &Method, rest: &str) -> &'static str {
    match method.as_str() {
        _ if rest.ends_with("search/") || rest == "search" => "search",
        "GET" if rest.contains("{memory_id}") => "get",
        "GET" => "list",
        "POST" if rest.ends_with("v2/memories/") || rest.ends_with("v3/memories/") => "list",
        "POST" => "remember",
        _ => "edit",
    }
}

/// The requests of one operation.
#[derive(Default)]
pub(super) struct Operation {
    pub(super) window: Window,
    pub(super) count: u64,
    pub(super) failures: u64,
    /// Its series, counts and failures; none for the sum of all.
    series: OnceLock<[Counter; 2]>,
}

/// What is counted here beside the recorder: figures over the last five minutes.
#[derive(Default)]
pub(super) struct Memory {
    pub(super) all: Operation,
    pub(super) by_name: BTreeMap<&'static str, Operation>,
    by_endpoint: HashMap<String, Histogram>,
}

/// Series of all operations: total, successful, failed, and how long they took.
static TOTALS: LazyLock<([Counter; 3], Histogram)> = LazyLock::new(|| {
    let counters = [
        metrics::counter!("agent_memory_total_requests"),
        metrics::counter!("agent_memory_successful_requests"),
        metrics::counter!("agent_memory_failed_requests"),
    ];
    (counters, metrics::histogram!("agent_memory_latency_ms"))
});

/// Counts requests to memory; becomes the edge's observer.
#[derive(Clone, Default)]
pub(crate) struct Observer(Arc<Mutex<Memory>>);

impl Observer {
    /// What is counted, for whoever shows it.
    pub(super) fn memory(&self) -> Arc<Mutex<Memory>> {
        self.0.clone()
    }

    /// Counts one finished request.
    pub(crate) fn see(&self, seen: Observation<'_>) {
        let ms = seen.elapsed.as_secs_f64() * 1e3;
        let (mut memory, now) = (self.0.lock().unwrap_or_else(PoisonError::into_inner), Instant::now());
        if seen.endpoint.starts_with("/api/v1/") {
            memory.latency_of(seen.endpoint).record(ms);
        }
        let Some(name) = memory_operation(seen.method, seen.endpoint) else {
            return;
        };
        let failed = u64::from(seen.status.as_u16() >= 400);
        let ([total, successful, failures], latency) = &*TOTALS;
        total.increment(1);
        successful.increment(1 - failed);
        failures.increment(failed);
        latency.record(ms);
        let memory = &mut *memory;
        let named = memory.by_name.entry(name).or_default();
        let [counts, failures] = named.series.get_or_init(|| {
            [
                metrics::counter!("agent_memory_operation_count", "operation" => name),
                metrics::counter!("agent_memory_operation_failures", "operation" => name),
            ]
        });
        counts.increment(1);
        failures.increment(failed);
        for operation in [&mut memory.all, named] {
            operation.window.add(now, ms);
            operation.count += 1;
            operation.failures += failed;
        }
    }
}

impl Memory {
    fn latency_of(&mut self, endpoint: &str) -> &Histogram {
        if !self.by_endpoint.contains_key(endpoint) {
            let name = endpoint.to_owned();
            let made = metrics::histogram!("health_agent_request_duration_ms", "endpoint" => name.clone());
            self.by_endpoint.insert(name, made);
        }
        &self.by_endpoint[endpoint]
    }
}
