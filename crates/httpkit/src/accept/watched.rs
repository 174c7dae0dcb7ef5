//! A socket and an answer's body that tell the connection's pulse what moves.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::pulse::{InFlight, Pulse};

/// Bytes of an answer that the kernel holds for a client that does not take them; by itself it holds up to 4 MiB. What is
/// under way is not counted, so a client that reads is sent as much as ever.
const UNSENT_BYTES: u32 = 64 * 1024;

/// The socket under everything else, TLS included.
pub(super) struct WatchedSocket {
    stream: TcpStream,
    pulse: Arc<Pulse>,
}

impl WatchedSocket {
    pub(super) fn new(stream: TcpStream, pulse: Arc<Pulse>) -> Self {
        // Where the kernel has no such bound, its own holds.
        let _ = SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT_BYTES);
        Self { stream, pulse }
    }
}

impl Drop for WatchedSocket {
    fn drop(&mut self) {
        // Otherwise the kernel would offer the rest for minutes to a client that does not take it.
        if self.pulse.is_blocked() {
            let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
        }
    }
}

impl AsyncRead for WatchedSocket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        if buf.filled().len() > before {
            self.pulse.heard();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for WatchedSocket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.pulse.wrote(wrote.is_pending());
        wrote
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.pulse.wrote(wrote.is_pending());
        wrote
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// An answer's body. Its request is in flight as long as this lives.
pub(super) struct WatchedBody {
    inner: axum::body::Body,
    pulse: Arc<Pulse>,
    /// A piece was handed over, and the next not asked for: over HTTP/2 that is all that shows a client which does not read.
    is_held: bool,
    _in_flight: InFlight,
}

impl WatchedBody {
    pub(super) fn new(inner: axum::body::Body, pulse: Arc<Pulse>, in_flight: InFlight) -> Self {
        Self { inner, pulse, is_held: false, _in_flight: in_flight.answered() }
    }

    fn hold(&mut self, is_held: bool) {
        if self.is_held != is_held {
            self.is_held = is_held;
            self.pulse.hold_answer(is_held);
        }
    }
}

impl hyper::body::Body for WatchedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.hold(false);
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        let is_more_to_come = frame.is_some() && !self.inner.is_end_stream();
        self.hold(is_more_to_come);
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for WatchedBody {
    fn drop(&mut self) {
        self.hold(false);
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::{TcpListener, TcpSocket};

    use super::*;

    #[tokio::test]
    async fn a_client_that_does_not_read_is_held_little_for() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let narrow = TcpSocket::new_v4().unwrap();
        narrow.set_recv_buffer_size(4_096).unwrap();
        let _client = narrow.connect(listener.local_addr().unwrap()).await.unwrap();
        let pulse = Pulse::new();
        let mut socket = WatchedSocket::new(listener.accept().await.unwrap().0, pulse.clone());
        let (piece, mut taken) = (vec![b'x'; 16 * 1024], 0);
        while let Ok(wrote) = tokio::time::timeout(Duration::from_millis(100), socket.write(&piece)).await {
            taken += wrote.unwrap();
        }
        assert!(pulse.is_blocked());
        assert!(taken < 4 * UNSENT_BYTES as usize, "{taken} bytes");
    }
}
