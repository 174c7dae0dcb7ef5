//! Last words on a connection that is not served: an answer written by hand, and a close that lets it be read.

use std::time::Duration;

use axum::response::Response;
use http::HeaderValue;
use kernel::{Error, ErrorKind};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::problem::{body_of, render, status_of};

/// How long a client that is sent away may take to read why.
const PATIENCE: Duration = Duration::from_secs(1);

/// There is no place for this connection.
pub(super) fn no_place() -> Error {
    let mut error = Error::unavailable(
        "too_many_connections",
        "the server has as many connections as it takes; try again",
    );
    error.retry_after_seconds = Some(5);
    error
}

/// The same as an answer to a request.
pub(super) fn no_place_for_it() -> Response {
    let request_id = new_id();
    let mut response = render(&no_place(), &request_id);
    let id = HeaderValue::from_str(&request_id).expect("letters and digits");
    response.headers_mut().insert("x-request-id", id);
    response
}

fn new_id() -> String {
    kernel::random::token()[..26].to_owned()
}

/// The head did not end in time.
pub(super) fn slow_head() -> Error {
    Error::new(ErrorKind::TooSlow, "request_timeout", "the request's head did not arrive in time")
}

/// Writes the error as an answer and closes. What the client still sends is read for a moment: closing a socket with
/// unread bytes would take the answer back.
pub(super) async fn send(mut io: impl AsyncRead + AsyncWrite + Unpin, error: &Error) {
    let words = async {
        io.write_all(&answer(error)).await?;
        io.shutdown().await?;
        let mut rest = [0; 512];
        while io.read(&mut rest).await? > 0 {}
        Ok::<_, std::io::Error>(())
    };
    // A client that left needs no words.
    let _ = tokio::time::timeout(PATIENCE, words).await;
}

fn answer(error: &Error) -> Vec<u8> {
    let (status, request_id) = (status_of(error.kind), new_id());
    let body = body_of(error, &request_id);
    let retry = error.retry_after_seconds.map(|seconds| format!("retry-after: {seconds}\r\n"));
    let mut out = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\ncache-control: no-store\r\n\
         x-request-id: {request_id}\r\n{}connection: close\r\n\r\n",
        body.len(),
        retry.unwrap_or_default(),
    )
    .into_bytes();
    out.extend(body);
    out
}
