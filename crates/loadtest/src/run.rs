//! One run from making its users to its report.

use std::time::Duration;

use kernel::Clock;
use reqwest::Client;
use serde_json::Value;

use crate::drive::{End, Progress, drive};
use crate::ground::Ground;
use crate::machine::OwnUse;
use crate::operation::PATIENCE;
use crate::report::{Outcome, Report};
use crate::scenario::Plan;
use crate::verdict::Measure;

/// Longest that connecting may take.
const CONNECT: Duration = Duration::from_secs(5);

/// The server to load.
#[derive(Clone, Debug)]
pub struct Target {
    /// Such as `http://localhost:8080`, without a slash at the end.
    pub host: String,
    /// API key of an administrator, bound to nobody.
    pub key: String,
    /// `METRICS_TOKEN` of the server, for thresholds on its cache.
    pub metrics_token: Option<String>,
}

/// A run that could not take place; says why and what helps.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct CouldNotRun(pub String);

/// Makes users, sends what the plan asks for, removes the users and judges. `watch` hears of the progress; when `stop` is
/// ready the run ends early, with its users removed all the same.
///
/// # Errors
/// When nothing answers at the host, or the key may not make users.
pub async fn run(
    target: &Target,
    plan: &Plan,
    watch: impl Fn(&Progress),
    stop: impl Future<Output = ()>,
) -> Result<Report, CouldNotRun> {
    let client = Client::builder()
        .no_proxy()
        .tcp_nodelay(true)
        .connect_timeout(CONNECT)
        .timeout(PATIENCE)
        .build()
        .map_err(|error| CouldNotRun(format!("no HTTP client: {error}")))?;
    let alive = client.get(format!("{}/health/live", target.host)).send().await;
    alive
        .and_then(reqwest::Response::error_for_status)
        .map_err(|error| CouldNotRun(format!("no server answers at {}: {error}; see --host", target.host)))?;
    let (started_at, count) = (Clock::system().now(), plan.schedule.most_users());
    let mut ground = Ground::new(target, &client);
    let told = |doing| {
        let watch = &watch;
        move |done| watch(&Progress::of_users(doing, done, count))
    };
    let mut stop = std::pin::pin!(stop);
    let made = tokio::select! {
        biased;
        () = stop.as_mut() => Err(CouldNotRun("stopped before it began".to_owned())),
        made = ground.make(count, plan.schedule.length(), told("making users")) => made,
    };
    if let Err(error) = made {
        ground.remove(told("removing users")).await;
        return Err(error);
    }
    let warm = tokio::spawn(cache_after_warm_up(client.clone(), target.clone(), plan.clone()));
    let own = OwnUse::begin();
    let (tally, end) =
        drive((&client, &target.host), &plan.schedule, ground.users.clone(), &watch, stop).await;
    let cpu_percent = own.cpu_percent();
    let hits = hits_since(&client, target, warm).await;
    let left = ground.remove(told("removing users")).await;
    let mut report = Report::new(plan, target, started_at, &tally, cpu_percent, hits);
    match end {
        End::Whole => {}
        End::Stopped => report.outcome = Outcome::Stopped,
        End::Limited => report.void(
            "the server's own limits refused a request; raise RATE_LIMIT_MAX_REQUESTS and \
             RATE_LIMIT_EVENTS_PER_MINUTE there, or set RATE_LIMIT_ENABLED=false while it is tested",
        ),
    }
    report.left_behind = left;
    Ok(report)
}

/// Hits and reads of the server's cache when the first stage is over; `None` when no threshold asks or it cannot be read.
async fn cache_after_warm_up(client: Client, target: Target, plan: Plan) -> Option<(f64, f64)> {
    let asks = |measure| matches!(measure, Measure::CacheHits { .. });
    plan.thresholds.iter().find(|threshold| asks(threshold.measure))?;
    tokio::time::sleep(plan.schedule.stages.first()?.length).await;
    cache_counts(&client, &target).await
}

async fn hits_since(
    client: &Client,
    target: &Target,
    warm: tokio::task::JoinHandle<Option<(f64, f64)>>,
) -> Option<f64> {
    if !warm.is_finished() {
        warm.abort();
        return None;
    }
    let (hits, reads) = warm.await.ok()??;
    let (last_hits, last_reads) = cache_counts(client, target).await?;
    (last_reads > reads).then(|| (last_hits - hits) / (last_reads - reads) * 100.0)
}

async fn cache_counts(client: &Client, target: &Target) -> Option<(f64, f64)> {
    let mut request = client.get(format!("{}/api/v1/metrics?format=json", target.host));
    if let Some(token) = &target.metrics_token {
        request = request.bearer_auth(token);
    }
    let answer = request.send().await.ok()?.error_for_status().ok()?;
    let metrics: Value = serde_json::from_str(&answer.text().await.ok()?).ok()?;
    Some((metrics.pointer("/cache/hits")?.as_f64()?, metrics.pointer("/cache/total_reads")?.as_f64()?))
}
