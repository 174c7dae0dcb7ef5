//! Clients that are slow at each step: cut off in time, told why where they can hear it. The last test is the control.

use std::time::Duration;

use httpkit::accept::AcceptConfig;
use httpkit::shed::Range;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::client::{connect, exchange, get, get_and_close, last_answer, next_answer, rest, say};
use crate::support::*;

const HALF_HEAD: &str = "GET /fast HTTP/1.1\r\nHost: hearth\r\nX-Slow: ";
const HALF_BODY: &str = "POST /read HTTP/1.1\r\nHost: hearth\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"a\":";

#[tokio::test]
async fn a_silent_client_is_closed_without_a_word() {
    let server = Server::start(hurried()).await;
    let (said, took) = rest(&mut connect(server.address).await).await;
    assert!(said.is_empty(), "{said:?}");
    assert!(took >= HURRIED.first_byte.mul_f64(0.9), "{took:?}");
}

#[tokio::test]
async fn half_a_head_is_408() {
    let server = Server::start(hurried()).await;
    let mut stream = say(server.address, HALF_HEAD).await;
    let answer = last_answer(&mut stream).await;
    assert_eq!((answer.status, answer.problem().as_str()), (408, "request_timeout"));
    assert_eq!(answer.header("connection"), "close");
}

#[tokio::test]
async fn a_head_that_drips_is_408() {
    let server = Server::start(hurried()).await;
    let stream = say(server.address, HALF_HEAD).await;
    let (mut reader, mut writer) = stream.into_split();
    let dripping = tokio::spawn(async move {
        while writer.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    assert_eq!(last_answer(&mut reader).await.status, 408);
    dripping.abort();
}

#[tokio::test]
async fn half_a_head_after_a_request_is_408() {
    let server = Server::start(hurried()).await;
    let mut stream = say(server.address, get("/fast")).await;
    assert_eq!(next_answer(&mut stream).await.body, "fast");
    stream.write_all(HALF_HEAD.as_bytes()).await.unwrap();
    assert_eq!(last_answer(&mut stream).await.status, 408);
}

#[tokio::test]
async fn half_a_body_is_408_and_the_connection_closes() {
    let server = Server::start(hurried()).await;
    let answer = exchange(server.address, HALF_BODY).await;
    assert_eq!((answer.status, answer.problem().as_str()), (408, "request_timeout"));
    assert!(answer.body.contains("stopped coming"), "{answer:?}");
    assert_eq!(answer.header("connection"), "close");
}

#[tokio::test]
async fn a_body_that_drips_is_408_when_its_time_is_over() {
    let server = Server::start(hurried()).await;
    let (mut reader, mut writer) = say(server.address, HALF_BODY).await.into_split();
    let dripping = tokio::spawn(async move {
        while writer.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    let answer = last_answer(&mut reader).await;
    dripping.abort();
    assert_eq!((answer.status, answer.problem().as_str()), (408, "request_timeout"));
    assert!(answer.body.contains("took too long"), "{answer:?}");
}

#[tokio::test]
async fn half_a_body_holds_no_place_among_what_runs() {
    let server = Server::start_with(AcceptConfig::default(), Some(Range { floor: 1, ceiling: 1 })).await;
    let head = "POST /admitted HTTP/1.1\r\nHost: hearth\r\nConnection: close\r\n\
        Content-Type: application/json\r\nContent-Length: 7\r\n\r\n";
    let mut slow = say(server.address, format!("{head}{{\"a\":")).await;
    let other = exchange(server.address, format!("{head}{{\"b\":2}}")).await;
    assert_eq!((other.status, other.body.as_str()), (200, r#"{"b":2}"#));
    slow.write_all(b"1}").await.unwrap();
    let at_last = last_answer(&mut slow).await;
    assert_eq!((at_last.status, at_last.body.as_str()), (200, r#"{"a":1}"#));
}

#[tokio::test]
async fn an_upload_may_take_longer() {
    let server = Server::start(hurried()).await;
    let head = "POST /upload HTTP/1.1\r\nHost: hearth\r\nConnection: close\r\nContent-Length: 20\r\n\r\n";
    let mut stream = say(server.address, head).await;
    for _ in 0..20 {
        tokio::time::sleep(HURRIED.body_total / 18).await;
        stream.write_all(b"x").await.unwrap();
    }
    let answer = last_answer(&mut stream).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "20"));
}

#[tokio::test]
async fn a_connection_may_idle_between_requests_but_not_for_ever() {
    let server = Server::start(hurried()).await;
    let mut stream = say(server.address, get("/fast")).await;
    for _ in 0..3 {
        assert_eq!(next_answer(&mut stream).await.status, 200);
        // Longer than a new connection may be silent.
        tokio::time::sleep(HURRIED.first_byte + Duration::from_millis(100)).await;
        stream.write_all(get("/fast").as_bytes()).await.unwrap();
    }
    assert_eq!(next_answer(&mut stream).await.status, 200);
    let (said, took) = rest(&mut stream).await;
    assert!(said.is_empty() && took >= HURRIED.keep_alive / 2, "{took:?} {said:?}");
}

#[tokio::test]
async fn a_reader_that_stops_is_cut_off() {
    let server = Server::start(hurried()).await;
    let mut stream = narrow(server.address).await;
    stream.write_all(get("/endless").as_bytes()).await.unwrap();
    server.work.becomes(1).await;
    server.work.becomes(0).await;
    // It is reset, so that what it was still to read is forgotten on the server.
    let mut read = Vec::new();
    let ended = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut read).await;
    assert_eq!(ended.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    assert!(read.len() < 64 * 1024, "{} bytes", read.len());
}

#[tokio::test]
async fn a_reader_that_goes_on_is_not_cut_off() {
    let server = Server::start(hurried()).await;
    let mut stream = narrow(server.address).await;
    stream.write_all(get("/endless").as_bytes()).await.unwrap();
    server.work.becomes(1).await;
    let began = std::time::Instant::now();
    let mut piece = vec![0; 256 * 1024];
    while began.elapsed() < HURRIED.write_stalled * 4 {
        tokio::io::AsyncReadExt::read_exact(&mut stream, &mut piece).await.unwrap();
        tokio::time::sleep(HURRIED.write_stalled / 10).await;
    }
    server.work.becomes(1).await;
}

/// A connection of which the server can write little ahead.
async fn narrow(address: std::net::SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    socket.connect(address).await.unwrap()
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_504_and_its_work_is_dropped() {
    let server = Server::start(hurried()).await;
    let answer = exchange(server.address, get_and_close("/wait")).await;
    assert_eq!((answer.status, answer.problem().as_str()), (504, "deadline_exceeded"));
    server.work.becomes(0).await;
    let patient = exchange(server.address, get_and_close("/patient")).await;
    assert_eq!((patient.status, patient.body.as_str()), (200, "at last"));
}

/// The control: the library's own serve loop lets the same clients stay. If this fails, the tests above prove nothing.
#[tokio::test]
async fn a_plain_serve_loop_never_closes_them() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, work) = (listener.local_addr().unwrap(), Work::default());
    let serving = tokio::spawn(axum::serve(listener, router(&work)).into_future());
    let mut slow = vec![connect(address).await, say(address, HALF_HEAD).await, say(address, HALF_BODY).await];
    let mut reader = narrow(address).await;
    reader.write_all(get("/endless").as_bytes()).await.unwrap();
    work.becomes(1).await;
    for stream in &mut slow {
        let closed = tokio::time::timeout(HURRIED.body_total, tokio::io::AsyncReadExt::read_u8(stream)).await;
        assert!(closed.is_err(), "closed after all: {closed:?}");
    }
    work.becomes(1).await;
    serving.abort();
}
