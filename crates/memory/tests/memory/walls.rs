//! Small counts of what `cargo bench -p memory --bench walls` runs at length, with its controls.

use std::sync::Arc;

use llm::Embedder;
use memory::{Memory, MemoryConfig};
use store::{Engine, Store};
use testkit::{Home, homes, on_both};

use crate::support::*;

#[path = "../../benches/walls/canaries.rs"]
mod canaries;
#[path = "../../benches/walls/replicas.rs"]
mod replicas;

use canaries::Wall;

fn silent(_: usize) {}

/// A second server's memory over the same database.
fn server(home: &Home, store: Store) -> Memory {
    let (clock, embedder) = (testkit::clock(), Arc::new(Embedder::None));
    Memory::start(store, home.blobs(), clock, embedder, MemoryConfig::default(), Arc::default())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_tenant_finds_the_canary_of_another_and_each_finds_its_own() {
    on_both(|home| async move {
        let found = canaries::run(&room(&home).memory, 25, 600, Wall::Up, silent).await;
        assert_eq!(found.foreign, 0);
        assert!(found.least_recall >= 0.99 && found.mean_recall >= 0.99, "{found:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_wall_the_canaries_are_heard() {
    on_both(|home| async move {
        let found = canaries::run(&room(&home).memory, 25, 200, Wall::Down, silent).await;
        assert!(found.foreign > 0, "{found:?}");
        assert!(found.least_recall < 0.99, "{found:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_finds_at_once_what_another_has_acknowledged() {
    for home in homes().await.into_iter().filter(|home| home.engine == Engine::Postgres) {
        let (here, there) = (room(&home).memory, server(&home, home.open_again().await));
        assert_eq!(replicas::missed(&here, &there, 4, 15, silent).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_on_another_database_misses_every_write() {
    let [one, two] = homes().await;
    let missed = replicas::missed(&room(&one).memory, &room(&two).memory, 2, 3, silent).await;
    assert_eq!(missed, 12);
}
