//! Time limits of one request: its body must keep coming, and its answer must begin soon after.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use kernel::{Error, ErrorKind};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::Problem;
use crate::accept::TimeLimits;

/// Other limits for the requests of a route.
///
/// ```ignore
/// route("/upload", post(upload)).layer(from_fn(|r, n| Patience::UPLOAD.grant(r, n)))
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// From the head to the end of the body.
    pub body_total: Duration,
    /// From the end of the body to the answer's head; `None` waits as long as the route does.
    pub answer: Option<Duration>,
}

impl Patience {
    /// A body of ten minutes, and an answer whenever it is ready.
    pub const UPLOAD: Self = Self { body_total: Duration::from_mins(10), answer: None };

    /// Middleware that lets a request take this long.
    pub async fn grant(self, request: Request, next: Next) -> Response {
        if let Some(timing) = request.extensions().get::<Arc<Timing>>() {
            // A route has one patience; a second would be the same.
            let _ = timing.granted.set(self);
        }
        next.run(request).await
    }
}

/// The clock of one request, in its extensions.
pub(crate) struct Timing {
    began: Instant,
    body_idle: Duration,
    usual: Patience,
    granted: OnceLock<Patience>,
    body_ended: OnceLock<Instant>,
}

impl Timing {
    /// A request whose head is complete now.
    pub(crate) fn new(limits: &TimeLimits) -> Self {
        Self {
            began: Instant::now(),
            body_idle: limits.body_idle,
            usual: Patience { body_total: limits.body_total, answer: Some(limits.answer) },
            granted: OnceLock::new(),
            body_ended: OnceLock::new(),
        }
    }

    fn patience(&self) -> &Patience {
        self.granted.get().unwrap_or(&self.usual)
    }

    fn end_body(&self) {
        self.body_ended.get_or_init(Instant::now);
    }

    /// Returns when the answer is overdue. A body that ends after a look is answered for until after the next one.
    async fn overdue(&self) {
        loop {
            let Some(answer) = self.patience().answer else {
                return std::future::pending().await;
            };
            let due = self.body_ended.get().map(|ended| *ended + answer);
            match due {
                Some(due) if due <= Instant::now() => return,
                Some(due) => sleep_until(due).await,
                None => tokio::time::sleep(answer).await,
            }
        }
    }
}

/// Runs a handler until its answer is overdue; then its work is dropped.
pub(crate) async fn in_time(timing: Option<Arc<Timing>>, work: impl Future<Output = Response>) -> Response {
    let Some(timing) = timing else {
        return work.await;
    };
    tokio::select! {
        biased;
        answer = work => answer,
        () = timing.overdue() => {
            let text = "the answer took too long and was given up; ask for less, or try again";
            Problem(Error::new(ErrorKind::DeadlineExceeded, "deadline_exceeded", text)).into_response()
        }
    }
}

/// A body that came too slowly.
#[derive(Debug)]
pub(crate) struct SlowBody(&'static str);

impl SlowBody {
    /// What its sender is told, if this is why a body could not be read.
    pub(crate) fn find(error: &(dyn std::error::Error + 'static)) -> Option<Error> {
        let mut causes = std::iter::successors(Some(error), |error| error.source());
        let slow = causes.find_map(|cause| cause.downcast_ref::<Self>())?;
        Some(Error::new(ErrorKind::TooSlow, "request_timeout", slow.to_string()))
    }
}

impl std::fmt::Display for SlowBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the body {}; nothing was stored", self.0)
    }
}

impl std::error::Error for SlowBody {}

/// A request's body that fails when it stops coming.
pub(crate) struct TimedBody {
    inner: Incoming,
    timing: Arc<Timing>,
    /// Since the last piece; set while one is waited for.
    waiting_since: Option<Instant>,
    alarm: Option<Pin<Box<Sleep>>>,
}

impl TimedBody {
    /// The body as handlers see it.
    pub(crate) fn around(inner: Incoming, timing: Arc<Timing>) -> Body {
        if inner.is_end_stream() {
            timing.end_body();
            return Body::empty();
        }
        Body::new(Self { inner, timing, waiting_since: None, alarm: None })
    }

    /// When to give up, and on what.
    fn due(&mut self) -> (Instant, &'static str, &'static str) {
        let since = *self.waiting_since.get_or_insert_with(Instant::now);
        let idle = since + self.timing.body_idle;
        let total = self.timing.began + self.timing.patience().body_total;
        if idle < total {
            (idle, "body_idle", "stopped coming")
        } else {
            (total, "body_total", "took too long")
        }
    }
}

impl HttpBody for TimedBody {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(cx) {
            self.waiting_since = None;
            if frame.is_none() || self.inner.is_end_stream() {
                self.timing.end_body();
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let (due, kind, text) = self.due();
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(due)));
        if alarm.deadline() != due {
            alarm.as_mut().reset(due);
        }
        ready!(alarm.as_mut().poll(cx));
        metrics::counter!("hearth_client_timeouts_total", "kind" => kind).increment(1);
        Poll::Ready(Some(Err(SlowBody(text).into())))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for TimedBody {
    fn drop(&mut self) {
        // A handler that does not want the rest answers now.
        self.timing.end_body();
    }
}
