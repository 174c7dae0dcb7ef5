//! The service's figures: durable appends, durable batches, and recall over a large scope.
//!
//! ```text
//! cargo bench -p memory --bench figures -- append            SQLite, beside one commit per write
//! cargo bench -p memory --bench figures -- acknowledge [URL] how long one append waits, 64 writers
//! cargo bench -p memory --bench figures -- batch [URL]       SQLite, or the PostgreSQL database of URL
//! cargo bench -p memory --bench figures -- bundle [URL]      bundles over 50,000 events, with a search and without
//! cargo bench -p memory --bench figures -- recall [MODEL]    100,000 events; MODEL is a model directory
//! ```
//! Rounds are interleaved and medians printed, because machines are shared.

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]
#![allow(clippy::unwrap_used, reason = "a bench may end when something fails")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use store::Reach;

use kernel::{Clock, Ctx, Principal, PrincipalKind, Scopes, TenantId};
use llm::Embedder;
use memory::events::{Actor, ActorType, Channel, EventKind, NewEvent};
use memory::search::{SearchMode, SearchRequest};
use memory::{Memory, MemoryConfig};
use store::{Blobs, Store, StoreConfig, Value};

const ROUND: Duration = Duration::from_secs(2);
const ROUNDS: usize = 5;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["append"] => append().await,
        ["acknowledge", url @ ..] => acknowledge(url.first().copied()).await,
        ["batch", url @ ..] => batch(url.first().copied()).await,
        ["recall", model @ ..] => recall(model.first().copied()).await,
        ["bundle", url @ ..] => bundle(url.first().copied()).await,
        // `cargo bench` without words runs every bench of the workspace: nothing to do here.
        _ => println!("name one of: append, acknowledge [URL], batch [URL], recall [MODEL], bundle [URL]"),
    }
}

struct Place {
    memory: Memory,
    store: Store,
    folder: tempfile::TempDir,
}

async fn place(url: Option<&str>, embedder: Embedder) -> Place {
    let folder = tempfile::tempdir().unwrap();
    let url =
        url.map_or_else(|| format!("sqlite:{}", folder.path().join("bench.db").display()), str::to_owned);
    let store = Store::open(&StoreConfig::new(url)).await.unwrap();
    store::migrate::up(&store, &Clock::system()).await.unwrap();
    let memory = Memory::start(
        store.clone(),
        Blobs::disk(folder.path().join("blobs")),
        Clock::system(),
        Arc::new(embedder),
        MemoryConfig::default(),
        Arc::default(),
    );
    Place { memory, store, folder }
}

fn ctx() -> Ctx {
    Ctx {
        tenant: TenantId::parse("bench").unwrap(),
        principal: Arc::new(Principal {
            kind: PrincipalKind::Operator,
            id: "bench".to_owned(),
            user_id: None,
            role: None,
            credential_id: "bench".to_owned(),
        }),
        scopes: Scopes::all(),
        request_id: "bench".into(),
        address: None,
    }
}

/// A turn of 25 words from a vocabulary in which word k is drawn about 1 / k as often as the first (Zipf).
fn text(seed: u64) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let word = |draw: u64| ((draw % 1_000_000) as f64 / 1e6 * 20_000_f64.ln()).exp() as u64;
    (0..25).map(|_| format!("w{}", word(next()))).collect::<Vec<_>>().join(" ")
}

fn event(number: u64) -> NewEvent {
    let mut content = serde_json::Map::new();
    content.insert("text".to_owned(), text(number).into());
    let speaker = if number.is_multiple_of(2) { "Ana" } else { "Ben" };
    NewEvent {
        session_id: format!("session-{}", number / 50),
        channel: Channel::Private,
        actor: Actor { kind: ActorType::Human, id: speaker.to_owned(), name: None },
        kind: EventKind::Message,
        content,
        sensitivity: None,
        tags: Vec::new(),
        refs: Vec::new(),
        user_id: Some("owner".to_owned()),
        agent_id: None,
        client_event_id: Some(format!("c{number}")),
        occurred_at: None,
        expires_at: None,
        recalled: false,
        tenant_id: None,
    }
}

/// Single appends by `writers` at once for one round; returns appends a second.
async fn write_singly(memory: &Memory, writers: u64, numbers: &Arc<AtomicU64>) -> f64 {
    let (started, before) = (Instant::now(), numbers.load(Ordering::Relaxed));
    let tasks = (0..writers).map(|_| {
        let (memory, numbers, ctx) = (memory.clone(), numbers.clone(), ctx());
        tokio::spawn(async move {
            while started.elapsed() < ROUND {
                let number = numbers.fetch_add(1, Ordering::Relaxed);
                memory.record(&ctx, event(number), None).await.unwrap();
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    (numbers.load(Ordering::Relaxed) - before) as f64 / started.elapsed().as_secs_f64()
}

async fn append() {
    let place = place(None, Embedder::None).await;
    let numbers = Arc::new(AtomicU64::new(0));
    let (mut alone, mut eight, mut many) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        // One writer that waits for each commit is one commit per write.
        alone.push(write_singly(&place.memory, 1, &numbers).await);
        eight.push(write_singly(&place.memory, 8, &numbers).await);
        many.push(write_singly(&place.memory, 64, &numbers).await);
        println!(
            "round {round}: one commit per write {:.0}/s, 8 writers {:.0}/s, 64 writers {:.0}/s",
            last(&alone),
            last(&eight),
            last(&many)
        );
    }
    let (alone, eight, many) = (median(alone), median(eight), median(many));
    println!(
        "median: one commit per write {alone:.0}/s, 8 writers {eight:.0}/s (× {:.1}), 64 writers {many:.0}/s (× {:.1})",
        eight / alone,
        many / alone
    );
}

/// From handing a single append over until it is durable and answered, with 64 writers that wait for each.
async fn acknowledge(url: Option<&str>) {
    let place = place(url, Embedder::None).await;
    let (numbers, mut tails) = (Arc::new(AtomicU64::new(0)), Vec::new());
    for round in 1..=ROUNDS {
        let started = Instant::now();
        let tasks = (0..64).map(|_| {
            let (memory, numbers, ctx) = (place.memory.clone(), numbers.clone(), ctx());
            tokio::spawn(async move {
                let mut times = Vec::new();
                while started.elapsed() < ROUND {
                    let event = event(numbers.fetch_add(1, Ordering::Relaxed));
                    let handed = Instant::now();
                    memory.record(&ctx, event, None).await.unwrap();
                    times.push(handed.elapsed().as_secs_f64() * 1e3);
                }
                times
            })
        });
        let mut times = Vec::new();
        for task in tasks.collect::<Vec<_>>() {
            times.extend(task.await.unwrap());
        }
        times.sort_by(f64::total_cmp);
        let at = |percent: usize| times[(times.len() - 1) * percent / 100];
        println!(
            "round {round}: {} appends, p50 {:.2} ms, p95 {:.2} ms, p99 {:.2} ms",
            times.len(),
            at(50),
            at(95),
            at(99)
        );
        tails.push(at(95));
    }
    println!("median p95 of single appends, 64 writers, {:?}: {:.2} ms", place.store.engine(), median(tails));
}

async fn batch(url: Option<&str>) {
    let place = place(url, Embedder::None).await;
    let numbers = Arc::new(AtomicU64::new(0));
    let mut rates = Vec::new();
    for round in 1..=ROUNDS {
        let (started, before) = (Instant::now(), numbers.load(Ordering::Relaxed));
        let tasks = (0..8).map(|_| {
            let (memory, numbers, ctx) = (place.memory.clone(), numbers.clone(), ctx());
            tokio::spawn(async move {
                while started.elapsed() < ROUND {
                    let first = numbers.fetch_add(100, Ordering::Relaxed);
                    let events = (first..first + 100).map(event).collect();
                    memory.record_batch(&ctx, events, None).await.unwrap();
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        rates.push((numbers.load(Ordering::Relaxed) - before) as f64 / started.elapsed().as_secs_f64());
        println!("round {round}: {:.0} events/s", last(&rates));
    }
    println!(
        "median: {:.0} durable events/s in batches of 100, 8 clients, {:?}",
        median(rates),
        place.store.engine()
    );
}

/// Bundles over 50,000 events, 60 decisions and 60 tasks: with a search, and the fast path.
async fn bundle(url: Option<&str>) {
    let place = place(url, Embedder::None).await;
    for first in (0..50_000).step_by(1_000) {
        let events = (first..first + 1_000).map(event).collect();
        place.memory.record_batch(&ctx(), events, None).await.unwrap();
    }
    let of_kind = |kind, name: &str, number: u64| {
        let mut made = NewEvent { kind, client_event_id: None, ..event(number) };
        made.content.insert(name.to_owned(), text(number).into());
        made
    };
    let decisions = (0..60).map(|number| of_kind(EventKind::Decision, "decision", number));
    let tasks = (60..120).map(|number| of_kind(EventKind::TaskUpdate, "title", number));
    place.memory.record_batch(&ctx(), decisions.chain(tasks).collect(), None).await.unwrap();
    for (name, wish) in [("bundle", "answer"), ("fast path", "continue")] {
        let (mut times, mut last) = (Vec::new(), None);
        for number in 0..320_u64 {
            let query_text = (wish == "answer").then(|| question(number).query);
            let request = serde_json::json!({"session_id": format!("session-{}", number % 1_000), "intent": wish,
                "query_text": query_text, "agent_id": "helper", "channel": "private", "user_id": "owner"});
            let request = serde_json::from_value(request).unwrap();
            let started = Instant::now();
            last = Some(place.memory.build_bundle(&ctx(), request).await.unwrap());
            times.push(started.elapsed().as_secs_f64() * 1e3);
        }
        // The first ones load the index.
        let mut times = times.split_off(20);
        times.sort_by(f64::total_cmp);
        let (bundle, at) = (last.unwrap(), |percent: usize| times[(times.len() - 1) * percent / 100]);
        println!(
            "{name}, 50,000 events, {:?}: p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms over {}; {} tokens, {} candidates, {} reads",
            place.store.engine(),
            at(50),
            at(95),
            at(99),
            times.len(),
            bundle.token_used_est,
            bundle.provenance.candidate_pool_size,
            bundle.provenance.reads
        );
    }
}

const EVENTS: u64 = 100_000;

async fn recall(model: Option<&str>) {
    let embedder =
        model.map_or(Embedder::None, |directory| Embedder::local(Path::new(directory), 1).unwrap());
    let name = embedder.model_id().map(str::to_owned);
    let place = place(None, embedder).await;
    let started = Instant::now();
    let mut chunks = Vec::new();
    for first in (0..EVENTS).step_by(1_000) {
        let recorded = place
            .memory
            .record_batch(&ctx(), (first..first + 1_000).map(event).collect(), None)
            .await
            .unwrap();
        chunks.extend(recorded.results.into_iter().flat_map(|result| result.chunk_ids));
    }
    println!("recorded {EVENTS} events in {:.1} s", started.elapsed().as_secs_f64());
    if let Some(name) = &name {
        add_vectors(&place.store, name, chunks).await;
    }
    let started = Instant::now();
    place.memory.search(&ctx(), question(0)).await.unwrap();
    println!("cold load and first answer: {:.0} ms", started.elapsed().as_secs_f64() * 1e3);
    let (bytes, _) = place.memory.index_size();
    println!(
        "index: {:.0} bytes of RAM an event; database file {:.0} bytes an event",
        bytes as f64 / EVENTS as f64,
        file_bytes(&place) as f64 / EVENTS as f64
    );
    for question_number in 0..50 {
        place.memory.search(&ctx(), question(question_number)).await.unwrap();
    }
    let mut times = Vec::new();
    for number in 0..1_000 {
        let started = Instant::now();
        place.memory.search(&ctx(), question(number % 50)).await.unwrap();
        times.push(started.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    println!(
        "recall, {} legs, one client, query vectors cached: p50 {:.2} ms, p95 {:.2} ms, p99 {:.2} ms",
        if name.is_some() { "words, sentence vectors, token codes:" } else { "words:" },
        times[500],
        times[950],
        times[990]
    );
}

fn question(number: u64) -> SearchRequest {
    let words = text(number * 977 + 13);
    let query = words.split(' ').take(8).collect::<Vec<_>>().join(" ");
    SearchRequest { user_id: Some("owner".to_owned()), mode: SearchMode::Auto, ..SearchRequest::new(&query) }
}

/// Random vectors of the model's shape, 25 token codes each: speed does not depend on what they mean.
async fn add_vectors(store: &Store, model: &str, chunks: Vec<String>) {
    let (dim, tokens) = (384_usize, 25_usize);
    let (model, mut seed) = (model.to_owned(), 1_u64);
    for part in chunks.chunks(2_000) {
        let rows: Vec<(String, Vec<u8>, Vec<u8>)> = part
            .iter()
            .map(|chunk| {
                let mut byte = || {
                    seed =
                        seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    (seed >> 33) as u8
                };
                (
                    chunk.clone(),
                    (0..dim).map(|_| byte()).collect(),
                    (0..tokens * dim / 8).map(|_| byte()).collect(),
                )
            })
            .collect();
        let model = model.clone();
        store
            .write("bench.vectors", Reach::Everyone, move |tx| {
                Box::pin(async move {
                    let (scope, version): (String, i64) = store::fetch_one!(
                        tx,
                        (String, i64),
                        "UPDATE memory_scopes SET version = version + 1 WHERE tenant_id = 'bench' RETURNING scope_id, version"
                    )?;
                    let values = rows.into_iter().map(|(chunk, bytes, codes)| {
                        vec![
                            "bench".into(), chunk.into(), model.as_str().into(), scope.as_str().into(), version.into(),
                            Value::from(384_i64), (1.0_f64 / 2_500.0).into(), "".into(), bytes.into(), codes.into(),
                        ]
                    });
                    let head = "INSERT INTO vectors (tenant_id, owner_id, model, scope_id, scope_version, dim, scale,
                        text_hash, bytes, token_codes)";
                    Ok(store::insert_many(tx, head, "", values.collect()).await?)
                })
            })
            .await
            .unwrap();
    }
}

fn file_bytes(place: &Place) -> u64 {
    std::fs::metadata(place.folder.path().join("bench.db")).map_or(0, |meta| meta.len())
}

fn last(rates: &[f64]) -> f64 {
    rates.last().copied().unwrap_or_default()
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}
