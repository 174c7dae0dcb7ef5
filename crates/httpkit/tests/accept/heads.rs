//! Heads that no honest client sends.

use crate::client::{exchange, last_answer, say};
use crate::support::*;

async fn status_of(server: &Server, head: &str) -> u16 {
    exchange(server.address, format!("{head}\r\n\r\n")).await.status
}

#[tokio::test]
async fn a_host_that_is_no_name_is_400() {
    let server = Server::start(hurried()).await;
    for host in ["hearth/path", "user@hearth", "hearth?x", "hearth#x", "a b", "hearth\\x", "a\r\nHost: b"] {
        let head = format!("GET /fast HTTP/1.1\r\nConnection: close\r\nHost: {host}\r\n\r\n");
        let answer = exchange(server.address, head).await;
        assert_eq!((answer.status, answer.problem().as_str()), (400, "invalid_host"), "{host:?}");
    }
    // The parser's own refusals.
    for host in ["a\rb", "a\nb c", "a\0b"] {
        let answer =
            status_of(&server, &format!("GET /fast HTTP/1.1\r\nConnection: close\r\nHost: {host}")).await;
        assert_eq!(answer, 400, "{host:?}");
    }
    for host in ["hearth", "hearth:80", "[::1]:80", ""] {
        let answer =
            status_of(&server, &format!("GET /fast HTTP/1.1\r\nConnection: close\r\nHost: {host}")).await;
        assert_eq!(answer, 200, "{host:?}");
    }
}

#[tokio::test]
async fn a_target_in_absolute_form_is_read_by_its_path() {
    let server = Server::start(hurried()).await;
    let ask = async |target: &str| {
        status_of(&server, &format!("GET {target} HTTP/1.1\r\nConnection: close\r\nHost: hearth")).await
    };
    assert_eq!(ask("http://elsewhere/fast").await, 200);
    assert_eq!(ask("http://user@elsewhere/fast").await, 400);
    assert_eq!(ask("http://elsewhere/absent").await, 404);
    assert_eq!(ask("/fas%74").await, 404, "an escape in a fixed path is another path");
    assert_eq!(ask("/%66ast/..").await, 404);
}

#[tokio::test]
async fn a_head_too_large_or_of_too_many_lines_is_431() {
    let server = Server::start(hurried()).await;
    let of_bytes = |bytes: usize| {
        format!("GET /fast HTTP/1.1\r\nConnection: close\r\nHost: h\r\nX: {}", "x".repeat(bytes))
    };
    assert_eq!(status_of(&server, &of_bytes(31 * 1024)).await, 200);
    assert_eq!(status_of(&server, &of_bytes(33 * 1024)).await, 431);
    // Without an end: refused as soon as it is too large, not when its time is over.
    let mut endless = say(server.address, of_bytes(40 * 1024)).await;
    assert_eq!(last_answer(&mut endless).await.status, 431);
    let of_lines = |lines: usize| {
        format!("GET /fast HTTP/1.1\r\nConnection: close\r\nHost: h{}", "\r\nX: y".repeat(lines))
    };
    assert_eq!(status_of(&server, &of_lines(98)).await, 200);
    assert_eq!(status_of(&server, &of_lines(99)).await, 431);
}

#[tokio::test]
async fn compressed_bodies_are_415_on_every_route() {
    let server = Server::start(hurried()).await;
    for path in ["/read", "/upload"] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nConnection: close\r\nHost: h\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{{}}"
        );
        let answer = exchange(server.address, head).await;
        assert_eq!((answer.status, answer.problem().as_str()), (415, "unsupported_media_type"), "{path}");
    }
}

#[tokio::test]
async fn unclear_framing_never_leaves_the_connection_open() {
    let server = Server::start(hurried()).await;
    let post = |framing: &str| {
        format!(
            "POST /upload HTTP/1.1\r\nHost: h\r\n{framing}\r\n\r\n0\r\n\r\nGET /fast HTTP/1.1\r\nHost: h\r\n\r\n"
        )
    };
    for framing in [
        "Content-Length: 2\r\nContent-Length: 3",
        "Content-Length: +2",
        "Transfer-Encoding: gzip",
        "Transfer-Encoding: chunked, identity",
    ] {
        let answer = exchange(server.address, post(framing)).await;
        assert_eq!(answer.status, 400, "{framing:?}");
    }
    // Both framings: the chunks count (RFC 9112, 6.3), and nothing after them is read as a request.
    for framing in
        ["Content-Length: 5\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 5"]
    {
        let answer = exchange(server.address, post(framing)).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "0"), "{framing:?}: {answer:?}");
    }
}
