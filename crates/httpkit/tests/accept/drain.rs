//! Told to stop: what is in flight finishes, what is stuck is cut off, and nothing waits for either for long.

use std::time::{Duration, Instant};

use httpkit::accept::AcceptConfig;
use tokio::io::AsyncWriteExt;

use crate::client::{connect, get, last_answer, next_answer, rest, say};
use crate::support::*;

#[tokio::test]
async fn a_request_in_flight_is_answered_and_told_that_it_is_the_last() {
    let mut server = Server::start(hurried()).await;
    let mut stream = say(server.address, get("/patient")).await;
    server.work.becomes(1).await;
    server.tell_to_stop();
    let answer = last_answer(&mut stream).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "at last"));
    assert_eq!(answer.header("connection"), "close");
    server.ended().await;
}

#[tokio::test]
async fn connections_without_a_request_do_not_hold_the_end() {
    let mut server = Server::start(AcceptConfig::default()).await;
    let mut idle = say(server.address, get("/fast")).await;
    next_answer(&mut idle).await;
    let mut half = say(server.address, "GET /fast HT").await;
    let mut silent = connect(server.address).await;
    server.tell_to_stop();
    let began = Instant::now();
    server.ended().await;
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    for stream in [&mut idle, &mut half, &mut silent] {
        rest(stream).await;
    }
}

#[tokio::test]
async fn stuck_clients_are_cut_off_at_the_limit() {
    let drain_limit = Duration::from_millis(500);
    let mut server = Server::start(AcceptConfig { drain_limit, ..AcceptConfig::default() }).await;
    let head =
        "POST /read HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{";
    let mut half = say(server.address, head).await;
    let _reader = say(server.address, get("/endless")).await;
    let mut waiting = say(server.address, get("/wait")).await;
    server.work.becomes(2).await;
    server.tell_to_stop();
    let began = Instant::now();
    server.ended().await;
    let took = began.elapsed();
    assert!(took >= drain_limit && took < drain_limit * 6, "{took:?}");
    for stream in [&mut half, &mut waiting] {
        assert!(rest(stream).await.0.is_empty());
    }
    server.work.becomes(0).await;
}

#[tokio::test]
async fn during_the_grace_new_connections_are_served_and_sent_away() {
    let drain_grace = Duration::from_secs(1);
    let mut server = Server::start(AcceptConfig { drain_grace, ..hurried() }).await;
    let mut kept = say(server.address, get("/fast")).await;
    next_answer(&mut kept).await;
    server.tell_to_stop();
    let mut fresh = say(server.address, get("/fast")).await;
    assert_eq!(last_answer(&mut fresh).await.status, 200);
    kept.write_all(get("/fast").as_bytes()).await.unwrap();
    assert_eq!(last_answer(&mut kept).await.header("connection"), "close");
    server.ended().await;
    assert!(tokio::net::TcpStream::connect(server.address).await.is_err());
}
