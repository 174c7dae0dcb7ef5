//! Many tenants who talk about the same things, each with a word of its own in every text: whoever finds another's has looked
//! over the wall, and who does not find all of its own has lost some.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use kernel::Ctx;
use memory::Memory;
use memory::events::NewEvent;
use memory::search::SearchRequest;
use serde_json::json;
use testkit::ctx;

/// Texts of each tenant.
const TEXTS: usize = 24;
/// What is talked about; each tenant says something of each, in words that the others use, too.
const TOPICS: [&str; 12] = [
    "lantern", "harbour", "violin", "orchard", "glacier", "teapot", "compass", "meadow", "furnace", "parcel",
    "bridge", "saffron",
];
/// Searches at once.
const SEARCHERS: usize = 8;

/// Whether tenants are kept apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wall {
    /// Each has its own tenant, as in production.
    Up,
    /// All share one tenant and owner, as if the tenant were left out of every condition: what is to be found must be found.
    Down,
}

/// What the searches found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    /// Words of other tenants in answers.
    pub(crate) foreign: u64,
    /// The least share of what an exact search finds, of any tenant that searched; 0–1.
    pub(crate) least_recall: f64,
    /// The mean of those shares.
    pub(crate) mean_recall: f64,
}

/// Fills the tenants and searches in all of them, in turns. `progress` hears of each search.
pub(crate) async fn run(
    memory: &Memory,
    tenants: usize,
    searches: usize,
    wall: Wall,
    progress: impl Fn(usize) + Clone + Send + Sync + 'static,
) -> Found {
    for tenant in 0..tenants {
        let events = (0..TEXTS).map(|number| event(tenant, number)).collect();
        memory.record_batch(&caller(tenant, wall), events, None).await.expect("a batch is recorded");
    }
    let counts: Arc<Vec<[AtomicU64; 2]>> = Arc::new((0..tenants).map(|_| Default::default()).collect());
    let (next, foreign) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicU64::new(0)));
    let searchers = (0..SEARCHERS).map(|_| {
        let (memory, counts, next) = (memory.clone(), counts.clone(), next.clone());
        let (foreign, progress) = (foreign.clone(), progress.clone());
        tokio::spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= searches {
                    return;
                }
                // A prime apart, so that no tenant searches twice in a row.
                let (tenant, topic) = (number * 7_919 % tenants, number / tenants % TOPICS.len());
                let [hit, strange] = search(&memory, tenant, topic, wall).await;
                counts[tenant][0].fetch_add(hit, Ordering::Relaxed);
                counts[tenant][1].fetch_add(exact(tenant, topic).len() as u64, Ordering::Relaxed);
                foreign.fetch_add(strange, Ordering::Relaxed);
                progress(number + 1);
            }
        })
    });
    for searcher in searchers.collect::<Vec<_>>() {
        searcher.await.expect("a searcher ends well");
    }
    let shares = counts.iter().map(|count| count.each_ref().map(|n| n.load(Ordering::Relaxed) as f64));
    let shares: Vec<f64> =
        shares.filter(|[_, wanted]| *wanted > 0.0).map(|[hits, wanted]| hits / wanted).collect();
    Found {
        foreign: foreign.load(Ordering::Relaxed),
        least_recall: shares.iter().copied().fold(1.0, f64::min),
        mean_recall: shares.iter().sum::<f64>() / shares.len() as f64,
    }
}

/// How many of the exact texts were found, and how many words of others.
async fn search(memory: &Memory, tenant: usize, topic: usize, wall: Wall) -> [u64; 2] {
    let request = SearchRequest::new(&format!("who spoke of the {}?", TOPICS[topic]));
    let answer = memory.search(&caller(tenant, wall), request).await.expect("a search is answered");
    let hits =
        exact(tenant, topic).iter().filter(|text| answer.items.iter().any(|hit| hit.text == **text)).count();
    // All of the answer: neighbours, explanations and whatever else it may hold.
    let whole = serde_json::to_string(&answer).expect("an answer is JSON");
    let own = canary(tenant);
    let strange = whole.match_indices("canary").filter(|(at, _)| !whole[*at..].starts_with(&own)).count();
    [hits as u64, strange as u64]
}

/// The texts that an exact search finds: every one of the tenant's that has the word.
fn exact(tenant: usize, topic: usize) -> Vec<String> {
    (0..TEXTS).map(|number| text(tenant, number)).filter(|text| text.contains(TOPICS[topic])).collect()
}

fn caller(tenant: usize, wall: Wall) -> Ctx {
    match wall {
        Wall::Up => ctx(&format!("tenant-{tenant}"), "ana"),
        Wall::Down => ctx("shared", "ana"),
    }
}

/// Of one length, so that none is the beginning of another.
fn canary(tenant: usize) -> String {
    format!("canary{tenant:07}")
}

fn text(tenant: usize, number: usize) -> String {
    let topic = TOPICS[(number * 5 + tenant) % TOPICS.len()];
    format!("On day {number} {} spoke of the {topic} at length.", canary(tenant))
}

fn event(tenant: usize, number: usize) -> NewEvent {
    let whole = json!({
        "session_id": format!("talk-{}", number / 6), "channel": "private", "kind": "message",
        "actor": {"type": "human", "id": "ana"}, "content": {"text": text(tenant, number)},
    });
    serde_json::from_value(whole).expect("an event of the bench is one")
}
