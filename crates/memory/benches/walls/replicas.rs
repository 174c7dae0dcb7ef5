//! Two servers on one database: what either has acknowledged, the other finds at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use memory::Memory;
use memory::events::NewEvent;
use memory::search::SearchRequest;
use serde_json::json;
use testkit::ctx;

/// Lets `writers` on each server write `writes` times; after each acknowledgement the other server is asked. Returns how many
/// writes it did not find. `progress` hears of each.
pub(crate) async fn missed(
    here: &Memory,
    there: &Memory,
    writers: usize,
    writes: usize,
    progress: impl Fn(usize) + Clone + Send + Sync + 'static,
) -> usize {
    let (missed, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let sides = [(here, there, "here"), (there, here, "there")];
    let writers = (0..writers).flat_map(|writer| sides.map(|side| (writer, side)));
    let tasks = writers.map(|(writer, (to, from, side))| {
        let (to, from, missed, done) = (to.clone(), from.clone(), missed.clone(), done.clone());
        let progress = progress.clone();
        tokio::spawn(async move {
            for number in 0..writes {
                let word = format!("pebble{side}{writer}x{number}");
                if !is_found(&to, &from, writer, &word).await {
                    missed.fetch_add(1, Ordering::Relaxed);
                }
                progress(done.fetch_add(1, Ordering::Relaxed) + 1);
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("a writer ends well");
    }
    missed.load(Ordering::Relaxed)
}

/// Writes to one server and asks the other. Writers of both sides share an owner, and so a partition and its index.
async fn is_found(to: &Memory, from: &Memory, writer: usize, word: &str) -> bool {
    let who = ctx("acme", &format!("owner-{writer}"));
    let whole = json!({
        "session_id": "s", "channel": "private", "kind": "message", "actor": {"type": "human", "id": "ana"},
        "content": {"text": format!("There lies {word} by the water.")},
    });
    let event: NewEvent = serde_json::from_value(whole).expect("an event of the bench is one");
    let recorded = to.record(&who, event, None).await.expect("an event is recorded");
    let answer = from.search(&who, SearchRequest::new(word)).await.expect("a search is answered");
    let is_it = |id: &str| id == recorded.event_id;
    answer.items.iter().any(|hit| hit.event.as_ref().is_some_and(|event| is_it(&event.event_id)))
}
