//! The series of finished and running requests: handles are made once per method and endpoint, not per request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use http::{Method, StatusCode};
use metrics::{Counter, Gauge, Histogram};

/// Names of methods in labels; all that are not standard are the last, so that clients cannot make series.
const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "OTHER"];

/// Place of a method in [`METHODS`]. HEAD counts as the GET that serves it: series of its own would be a third of all.
fn place(method: &Method) -> usize {
    let method = if method == Method::HEAD { &Method::GET } else { method };
    METHODS.iter().position(|name| *name == method.as_str()).unwrap_or(METHODS.len() - 1)
}

/// The method as it stands in labels.
pub(crate) fn method_label(method: &Method) -> &'static str {
    METHODS[place(method)]
}

/// The series of one method and endpoint.
pub(crate) struct Series {
    method: &'static str,
    endpoint: String,
    in_progress: Mutex<InProgressNow>,
    /// Made with the first answer: a method that no route serves must not make a histogram.
    duration: OnceLock<Histogram>,
    /// Few statuses are ever seen on one endpoint, so a list beats a map.
    by_status: RwLock<Vec<(StatusCode, Counter)>>,
}

/// How many requests run, and the gauge that says so; made with the first answer, too.
#[derive(Default)]
struct InProgressNow {
    running: f64,
    gauge: Option<Gauge>,
}

impl Series {
    fn new(method: &'static str, endpoint: &str) -> Self {
        Self {
            in_progress: Mutex::default(),
            duration: OnceLock::new(),
            by_status: RwLock::default(),
            endpoint: endpoint.to_owned(),
            method,
        }
    }

    /// Counts a running request until the answer is dropped, also when its caller goes away.
    pub(crate) fn start(self: &Arc<Self>) -> InProgress {
        self.count_running(1.0);
        InProgress(self.clone())
    }

    fn count_running(&self, change: f64) {
        let mut now = self.in_progress.lock().unwrap_or_else(PoisonError::into_inner);
        now.running += change;
        if let Some(gauge) = &now.gauge {
            gauge.set(now.running);
        }
    }

    /// Counts a finished request.
    pub(crate) fn finish(&self, status: StatusCode, elapsed: Duration) {
        let made = || {
            let labels = [("method", self.method.to_owned()), ("endpoint", self.endpoint.clone())];
            let mut now = self.in_progress.lock().unwrap_or_else(PoisonError::into_inner);
            let gauge = metrics::gauge!("http_requests_in_progress", &labels);
            gauge.set(now.running);
            now.gauge = Some(gauge);
            metrics::histogram!("http_request_duration_seconds", &labels)
        };
        self.duration.get_or_init(made).record(elapsed.as_secs_f64());
        let known = self.by_status.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, counter)) = known.iter().find(|(seen, _)| *seen == status) {
            counter.increment(1);
            return;
        }
        drop(known);
        let labels = [
            ("method", self.method.to_owned()),
            ("endpoint", self.endpoint.clone()),
            ("status", status.as_u16().to_string()),
        ];
        let counter = metrics::counter!("http_requests_total", &labels);
        counter.increment(1);
        self.by_status.write().unwrap_or_else(PoisonError::into_inner).push((status, counter));
    }
}

/// Holds `http_requests_in_progress` up while it lives.
pub(crate) struct InProgress(Arc<Series>);

impl Drop for InProgress {
    fn drop(&mut self) {
        self.0.count_running(-1.0);
    }
}

/// The series of one endpoint, by method.
type ByMethod = [Option<Arc<Series>>; METHODS.len()];

/// All series of an edge. Endpoints are route templates, so the table is small and never shrinks.
#[derive(Default)]
pub(crate) struct SeriesTable(RwLock<HashMap<String, ByMethod>>);

impl SeriesTable {
    /// The series of a method and endpoint.
    pub(crate) fn get(&self, method: &Method, endpoint: &str) -> Arc<Series> {
        let place = place(method);
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(series) = known.get(endpoint).and_then(|by_method| by_method[place].as_ref()) {
            return series.clone();
        }
        drop(known);
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let by_method = table.entry(endpoint.to_owned()).or_default();
        by_method[place].get_or_insert_with(|| Arc::new(Series::new(METHODS[place], endpoint))).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_that_clients_make_up_share_one_series() {
        let table = SeriesTable::default();
        let of = |name: &str| table.get(&Method::from_bytes(name.as_bytes()).unwrap(), "/x");
        assert!(Arc::ptr_eq(&of("BREW"), &of("WHEN")));
        assert!(!Arc::ptr_eq(&of("GET"), &of("POST")));
        assert!(Arc::ptr_eq(&of("GET"), &of("HEAD")));
    }
}
