//! HTTP/2, without TLS by prior knowledge: limits on streams and floods, slow readers, and a polite end.

use bytes::Bytes;
use h2::client::{Connection, SendRequest, handshake};
use http::{Request, StatusCode};
use tokio::net::TcpStream;

use crate::client::connect;
use crate::support::*;

async fn client(server: &Server) -> (SendRequest<Bytes>, Connection<TcpStream, Bytes>) {
    handshake(connect(server.address).await).await.unwrap()
}

fn get(path: &str) -> Request<()> {
    Request::get(format!("http://hearth{path}")).body(()).unwrap()
}

#[tokio::test]
async fn many_requests_share_a_connection_and_the_server_says_how_many() {
    let server = Server::start(hurried()).await;
    let (sender, mut connection) = client(&server).await;
    let mut sender = sender.ready().await.unwrap();
    let (first, _) = sender.send_request(get("/fast"), true).unwrap();
    let answer = tokio::select! {
        answer = first => answer.unwrap(),
        ended = &mut connection => panic!("{ended:?}"),
    };
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.headers().get("connection").is_none());
    assert_eq!(connection.max_concurrent_send_streams(), 100);
}

#[tokio::test]
async fn an_idle_connection_ends_in_time() {
    let server = Server::start(hurried()).await;
    let (mut sender, connection) = client(&server).await;
    let (answer, _) = sender.send_request(get("/fast"), true).unwrap();
    let driving = tokio::spawn(connection);
    assert_eq!(answer.await.unwrap().status(), StatusCode::OK);
    tokio::time::timeout(PATIENCE, driving).await.expect("the server says good-bye").unwrap().unwrap();
}

#[tokio::test]
async fn a_reader_that_gives_no_room_is_cut_off() {
    let server = Server::start(hurried()).await;
    let (mut sender, connection) = client(&server).await;
    let (answer, _) = sender.send_request(get("/endless"), true).unwrap();
    let driving = tokio::spawn(connection);
    // Its window fills, and nothing of it is ever released.
    let answer = answer.await.unwrap();
    server.work.becomes(0).await;
    drop(answer);
    driving.abort();
}

#[tokio::test]
async fn a_flood_of_resets_ends_the_connection() {
    let server = Server::start(hurried()).await;
    let (sender, connection) = client(&server).await;
    let mut driving = tokio::spawn(connection);
    let flood = async move {
        for _ in 0..20_000 {
            let Ok(mut ready) = sender.clone().ready().await else {
                return;
            };
            let Ok((answer, mut stream)) = ready.send_request(get("/wait"), true) else {
                return;
            };
            // On its way before it is given up.
            tokio::task::yield_now().await;
            stream.send_reset(h2::Reason::CANCEL);
            drop(answer);
        }
    };
    tokio::select! {
        ended = &mut driving => assert!(ended.unwrap().is_err()),
        () = flood => { driving.await.unwrap().expect_err("the flood went through"); }
    }
    server.work.becomes(0).await;
}

#[tokio::test]
async fn a_list_of_headers_too_large_is_refused() {
    let server = Server::start(hurried()).await;
    let (mut sender, connection) = client(&server).await;
    let driving = tokio::spawn(connection);
    let request =
        Request::get("http://hearth/fast").header("x-large", "x".repeat(40 * 1024)).body(()).unwrap();
    let (answer, _) = sender.send_request(request, true).unwrap();
    let refused = tokio::time::timeout(PATIENCE, answer).await.unwrap();
    let is_refused = refused.as_ref().map_or(true, |answer| answer.status() == 431);
    assert!(is_refused, "{refused:?}");
    driving.abort();
}

#[tokio::test]
async fn a_drain_says_go_away_and_finishes_what_is_in_flight() {
    let mut server = Server::start(hurried()).await;
    let (mut sender, connection) = client(&server).await;
    let driving = tokio::spawn(connection);
    let (answer, _) = sender.send_request(get("/patient"), true).unwrap();
    server.work.becomes(1).await;
    server.tell_to_stop();
    assert_eq!(answer.await.unwrap().status(), StatusCode::OK);
    tokio::time::timeout(PATIENCE, driving).await.unwrap().unwrap().unwrap();
    server.ended().await;
}
