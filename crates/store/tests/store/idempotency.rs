//! First answers: replayed, refused with another body, forgotten after a day.

use kernel::{Ctx, Micros};
use store::Reach;
use store::Store;
use store::idempotency::{Idempotency, find_answer, save_answer};
use testkit::{clock, ctx, on_both};

use crate::support::{code, number};

fn key(route: &str, hash: &str) -> Idempotency {
    Idempotency { route: route.to_owned(), key: "k-1".to_owned(), request_hash: hash.to_owned() }
}

async fn find(store: &Store, ctx: &Ctx, wanted: Idempotency, now: Micros) -> kernel::Result<Option<String>> {
    let ctx = ctx.clone();
    store
        .write("test.find", Reach::Everyone, move |tx| {
            Box::pin(async move { find_answer(tx, &ctx, &wanted, now).await })
        })
        .await
}

async fn save(
    store: &Store,
    ctx: &Ctx,
    wanted: Idempotency,
    answer: &'static str,
    now: Micros,
) -> kernel::Result<()> {
    let ctx = ctx.clone();
    store
        .write("test.save", Reach::Everyone, move |tx| {
            Box::pin(async move { save_answer(tx, &ctx, &wanted, answer, now).await })
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_answers_its_first_result_and_refuses_another_body() {
    on_both(|home| async move {
        let (store, ana, now) = (&home.store, ctx("acme", "ana"), clock().now());
        assert_eq!(find(store, &ana, key("/a", "h1"), now).await.unwrap(), None);
        save(store, &ana, key("/a", "h1"), "first", now).await.unwrap();
        let found = find(store, &ana, key("/a", "h1"), now).await.unwrap();
        assert_eq!(found.as_deref(), Some("first"));
        assert_eq!(code(find(store, &ana, key("/a", "h2"), now).await), "idempotency_conflict");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_belongs_to_its_caller_and_route() {
    on_both(|home| async move {
        let (store, ana, now) = (&home.store, ctx("acme", "ana"), clock().now());
        save(store, &ana, key("/a", "h1"), "first", now).await.unwrap();
        for (other, route) in [(ctx("acme", "ben"), "/a"), (ctx("zeta", "ana"), "/a"), (ana.clone(), "/b")] {
            assert_eq!(find(store, &other, key(route, "h2"), now).await.unwrap(), None);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_kept_for_a_day() {
    on_both(|home| async move {
        let (store, ana, now) = (&home.store, ctx("acme", "ana"), clock().now());
        save(store, &ana, key("/a", "h1"), "first", now).await.unwrap();
        let (almost, later) = (now.plus(Micros::DAY - 1), now.plus(Micros::DAY));
        let found = find(store, &ana, key("/a", "h1"), almost).await.unwrap();
        assert_eq!(found.as_deref(), Some("first"));
        assert_eq!(find(store, &ana, key("/a", "h2"), later).await.unwrap(), None);
        save(store, &ana, key("/a", "h2"), "second", later).await.unwrap();
        let found = find(store, &ana, key("/a", "h2"), later).await.unwrap();
        assert_eq!(found.as_deref(), Some("second"));
        assert_eq!(number(store, "SELECT COUNT(*) FROM idempotency_keys").await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_later_of_two_requests_at_once_is_undone() {
    on_both(|home| async move {
        let (store, ana, now) = (&home.store, ctx("acme", "ana"), clock().now());
        save(store, &ana, key("/a", "h1"), "first", now).await.unwrap();
        let second = save(store, &ana, key("/a", "h1"), "second", now).await;
        assert_eq!(code(second), "idempotency_in_progress");
        let found = find(store, &ana, key("/a", "h1"), now).await.unwrap();
        assert_eq!(found.as_deref(), Some("first"));
    })
    .await;
}
