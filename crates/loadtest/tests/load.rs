//! The generator against servers that are good, slow, failing and stalling on purpose.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use loadtest::{Outcome, Progress, Report, Scenario, Target, Wishes, run};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;

/// How a false server behaves.
#[derive(Clone, Copy, PartialEq)]
enum Manner {
    Good,
    /// Every answer takes this long.
    Slow(Duration),
    /// Every answer but those of set-up is a 500.
    Failing,
    /// Answers hold words of another user.
    Leaking,
    /// Refuses by its limits.
    Limiting,
    /// Once, from its hundredth request on, nobody is answered for this long.
    Stalling(Duration),
}

/// Speaks just enough HTTP and memory for the generator.
struct False {
    manner: Manner,
    asked: AtomicU64,
    removed: AtomicU64,
    stall: Mutex<()>,
}

impl False {
    async fn start(manner: Manner) -> Result<(Arc<Self>, Target)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let host = format!("http://{}", listener.local_addr()?);
        let server = Arc::new(Self {
            manner,
            asked: AtomicU64::new(0),
            removed: AtomicU64::new(0),
            stall: Mutex::new(()),
        });
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(stream));
            }
        });
        Ok((server, Target { host, key: "admin".to_owned(), metrics_token: None }))
    }

    async fn serve(self: Arc<Self>, stream: TcpStream) -> Option<()> {
        let _ = stream.set_nodelay(true);
        let (read, mut write) = stream.into_split();
        let mut read = BufReader::new(read);
        loop {
            let (mut line, mut length) = (String::new(), 0_usize);
            read.read_line(&mut line).await.ok().filter(|bytes| *bytes > 0)?;
            loop {
                let mut header = String::new();
                read.read_line(&mut header).await.ok().filter(|bytes| *bytes > 0)?;
                let header = header.trim_end().to_ascii_lowercase();
                if header.is_empty() {
                    break;
                }
                length = header.strip_prefix("content-length: ").map_or(Some(length), |n| n.parse().ok())?;
            }
            let mut body = vec![0; length];
            read.read_exact(&mut body).await.ok()?;
            let body = serde_json::from_slice(&body).unwrap_or_default();
            let mut words = line.split(' ');
            let (status, answer) = self.answer(words.next()?, words.next()?, &body).await;
            let text = answer.to_string();
            let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n\r\n", text.len());
            write.write_all(format!("{head}{text}").as_bytes()).await.ok()?;
        }
    }

    async fn answer(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        match (method, path) {
            ("GET", "/health/live") => return (200, json!({})),
            ("POST", "/api/v1/api-keys") => {
                return (201, json!({"api_key": body["name"], "key_id": body["name"]}));
            }
            ("DELETE", _) | ("POST", "/api/v1/memory/erasures") => {
                self.removed.fetch_add(1, Ordering::Relaxed);
                return (200, json!({"erasure_id": "era_1"}));
            }
            (_, path) if path.starts_with("/api/v1/memory/erasures/") => {
                return (200, json!({"state": "done"}));
            }
            _ => {}
        }
        let events = body["events"].as_array().map_or(0, Vec::len);
        if events == 11 {
            return (201, json!({}));
        }
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        match self.manner {
            Manner::Slow(delay) => tokio::time::sleep(delay).await,
            Manner::Failing => return (500, json!({})),
            Manner::Limiting => return (429, json!({})),
            Manner::Stalling(delay) => {
                let _turn = self.stall.lock().await;
                if number == 100 {
                    tokio::time::sleep(delay).await;
                }
            }
            Manner::Good | Manner::Leaking => {}
        }
        right_answer(path, body, events, self.manner == Manner::Leaking)
    }
}

fn right_answer(path: &str, body: &Value, events: usize, is_leaking: bool) -> (u16, Value) {
    let owner = body["user_id"].as_str().unwrap_or_default();
    let number: usize = owner.rsplit('-').next().and_then(|digits| digits.parse().ok()).unwrap_or_default();
    let names = "identity rules handoff_packet task_state relevant_decisions recent_window retrieved_evidence reserve";
    match path.split('?').next().unwrap_or_default() {
        "/api/v1/events" if path.contains('?') => {
            let session = path.split(['=', '&']).nth(1).unwrap_or_default();
            (200, json!([{"session_id": session}]))
        }
        "/api/v1/events" => (201, json!({"event_id": "evt_1"})),
        "/api/v1/events/batch" => (201, json!({"accepted": events, "results": vec![1; events]})),
        "/api/v1/memories/search" => {
            let code = format!("code {}x{number:04}", 7_919 * (number + 1));
            let other = owner.rsplit_once('-').map_or("", |(run, _)| run);
            let leaked = if is_leaking { format!("{other}-9999") } else { String::new() };
            (200, json!({"items": [code, leaked]}))
        }
        "/api/v1/acb/build" => {
            let sections: Vec<Value> = names.split(' ').map(|name| json!({ "name": name })).collect();
            (200, json!({"budget_tokens": 65_000, "token_used_est": 100, "sections": sections}))
        }
        "/health" => (200, json!({"status": "healthy"})),
        _ => (404, json!({})),
    }
}

fn quick(seconds: f64, users: u32, rate: f64) -> Wishes {
    let duration = Some(Duration::from_secs_f64(seconds));
    Wishes { duration, users: Some(users), rate: Some(rate), ..Wishes::default() }
}

async fn loaded(manner: Manner, scenario: Scenario, wishes: &Wishes) -> Result<(Arc<False>, Report)> {
    let (server, target) = False::start(manner).await?;
    let silent = |_: &Progress| {};
    let report = run(&target, &scenario.plan(wishes), silent, std::future::pending()).await?;
    Ok((server, report))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_server_passes_and_nothing_of_the_run_is_left() -> Result<()> {
    let (server, report) = loaded(Manner::Good, Scenario::Basic, &quick(1.5, 4, 20.0)).await?;
    assert_eq!(report.outcome, Outcome::Pass, "{:#?}", report.lines());
    assert!(report.failures.is_empty() && report.left_behind.is_empty());
    assert_eq!(report.all.requests, report.operations.iter().map(|row| row.requests).sum::<u64>());
    assert_eq!(report.all.requests, report.stages.iter().map(|row| row.requests).sum::<u64>());
    assert_eq!(report.operations.len(), 6, "every operation was asked");
    assert_eq!(server.removed.load(Ordering::Relaxed), 8, "a key and the memories of each of four users");
    let page = report.page();
    assert!(page.contains("Passed") && !page.contains("http-equiv") && !page.contains("src="), "{page}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_server_misses_the_limit_of_its_latency() -> Result<()> {
    let wishes = Wishes { p95_ms: Some(50.0), ..quick(1.0, 2, 10.0) };
    let (_, report) = loaded(Manner::Slow(Duration::from_millis(120)), Scenario::Stress, &wishes).await?;
    assert_eq!(report.outcome, Outcome::Missed);
    let missed: Vec<&str> =
        report.thresholds.iter().filter(|t| !t.is_met).map(|t| t.claim.as_str()).collect();
    assert_eq!(missed, ["p95 < 50 ms"]);
    let (_, good) = loaded(Manner::Good, Scenario::Stress, &wishes).await?;
    assert_eq!(good.outcome, Outcome::Pass, "{:#?}", good.lines());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_and_foreign_words_are_missed_thresholds_with_their_reason() -> Result<()> {
    let (server, failing) = loaded(Manner::Failing, Scenario::Smoke, &quick(0.5, 1, 20.0)).await?;
    assert_eq!(failing.outcome, Outcome::Missed);
    assert_eq!(failing.all.failed, failing.all.requests);
    assert!(
        failing.failures.iter().any(|f| f.reason == "status 500 instead of 201"),
        "{:?}",
        failing.failures
    );
    assert_eq!(server.removed.load(Ordering::Relaxed), 2);
    let (_, leaking) = loaded(Manner::Leaking, Scenario::Smoke, &quick(0.5, 1, 20.0)).await?;
    let reasons: Vec<&str> = leaking.failures.iter().map(|f| f.reason.as_str()).collect();
    assert_eq!(reasons, ["the answer has words of another user"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_limits_makes_the_run_void_at_once() -> Result<()> {
    let (server, report) = loaded(Manner::Limiting, Scenario::Smoke, &quick(60.0, 1, 50.0)).await?;
    assert_eq!(report.outcome, Outcome::Void);
    assert!(report.void.as_deref().is_some_and(|why| why.contains("RATE_LIMIT_MAX_REQUESTS")));
    assert!(report.all.requests < 100, "it went on: {}", report.all.requests);
    assert_eq!(server.removed.load(Ordering::Relaxed), 2);
    Ok(())
}

#[tokio::test]
async fn no_server_is_an_error_that_names_the_host() -> Result<()> {
    let port = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
    let target = Target { host: format!("http://127.0.0.1:{port}"), key: String::new(), metrics_token: None };
    let plan = Scenario::Smoke.plan(&Wishes::default());
    let error = run(&target, &plan, |_| {}, std::future::pending()).await.err().context("it ran")?;
    assert!(error.to_string().contains(&target.host), "{error}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_early_still_removes_the_users() -> Result<()> {
    let (server, target) = False::start(Manner::Good).await?;
    let plan = Scenario::Smoke.plan(&quick(60.0, 2, 50.0));
    let enough = async {
        while server.asked.load(Ordering::Relaxed) < 10 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let report = run(&target, &plan, |_| {}, enough).await?;
    assert_eq!(report.outcome, Outcome::Stopped);
    assert_eq!(server.removed.load(Ordering::Relaxed), 4);
    Ok(())
}

/// The reason for the open loop: a server that answers nobody for a second. A client that waits for each answer before it
/// asks again has one slow answer to show among hundreds; users who come when they come have met it by the hundred.
#[tokio::test(flavor = "multi_thread")]
async fn a_stall_shows_in_the_tail_and_a_closed_loop_hides_it() -> Result<()> {
    let stall = Duration::from_secs(1);
    let (_, open) = loaded(Manner::Stalling(stall), Scenario::Smoke, &quick(3.0, 4, 50.0)).await?;
    assert!(open.all.p95_ms > 500.0, "the stall is hidden: {:#?}", open.lines());
    let late = open.windows.iter().filter(|window| window.max_ms > 500.0).count();
    assert!((1..=3).contains(&late), "the course shows when: {:?}", open.windows);

    let (_, target) = False::start(Manner::Stalling(stall)).await?;
    let (client, mut closed) = (reqwest::Client::builder().no_proxy().build()?, Histogram::<u64>::new(3)?);
    for _ in 0..600 {
        let left = Instant::now();
        client.get(format!("{}/health", target.host)).send().await?.bytes().await?;
        closed.record(left.elapsed().as_micros() as u64)?;
    }
    assert!(closed.max() >= 900_000, "the stall never came");
    assert!(closed.value_at_percentile(95.0) < 100_000, "a closed loop has no reason to show it");
    Ok(())
}
