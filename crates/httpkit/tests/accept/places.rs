//! More connections than are taken: the rest is told so at once, and health is still answered.

use httpkit::accept::{AcceptConfig, PlaceLimits};

use crate::client::{exchange, get, get_and_close, last_answer, next_answer, say};
use crate::support::*;
use tokio::net::TcpStream;

async fn server(total: usize, per_address: usize) -> Server {
    let places = PlaceLimits { total, per_address, reserve: 2 };
    Server::start(AcceptConfig { places, ..AcceptConfig::default() }).await
}

/// Connections that are served and stay.
async fn settle(server: &Server, count: usize) -> Vec<TcpStream> {
    let mut held = Vec::new();
    for _ in 0..count {
        let mut stream = say(server.address, get("/fast")).await;
        assert_eq!(next_answer(&mut stream).await.status, 200);
        held.push(stream);
    }
    held
}

#[tokio::test]
async fn an_address_with_its_share_gets_503() {
    let server = server(100, 3).await;
    let mut held = settle(&server, 3).await;
    let answer = exchange(server.address, get("/fast")).await;
    assert_eq!((answer.status, answer.problem().as_str()), (503, "too_many_connections"));
    assert_eq!((answer.header("retry-after"), answer.header("connection")), ("5", "close"));
    held.pop();
    // The place comes back as soon as the server has seen the end.
    let again = async { while exchange(server.address, get_and_close("/fast")).await.status != 200 {} };
    tokio::time::timeout(PATIENCE, again).await.unwrap();
}

#[tokio::test]
async fn a_full_server_still_answers_health_and_nothing_else() {
    let server = server(3, 100).await;
    let _held = settle(&server, 3).await;
    let health = exchange(server.address, get("/healthz")).await;
    assert_eq!((health.status, health.body.as_str()), (200, "healthy"));
    assert_eq!(health.header("connection"), "close", "a place of the reserve is for one request");
    let other = exchange(server.address, get("/fast")).await;
    assert_eq!((other.status, other.problem().as_str()), (503, "too_many_connections"));
}

#[tokio::test]
async fn beyond_the_reserve_even_health_is_refused() {
    let server = server(1, 100).await;
    let _held = settle(&server, 1).await;
    let sitting = [say(server.address, "GET").await, say(server.address, "GET").await];
    let answer = exchange(server.address, get("/healthz")).await;
    assert_eq!((answer.status, answer.problem().as_str()), (503, "too_many_connections"));
    // Whoever sits on the reserve is sent away soon, although this server gives others 15 seconds.
    for mut stream in sitting {
        assert_eq!(last_answer(&mut stream).await.status, 408);
    }
}
