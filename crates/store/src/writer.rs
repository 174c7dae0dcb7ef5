//! SQLite's one writer: closures queue here, share a transaction, and are acknowledged after its commit.

use std::any::Any;
use std::io;
use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};

use crate::{Conn, Error, Result, Tx};

/// Closures that share one commit, at most.
const GROUP_LIMIT: usize = 256;
/// Closures that may wait; past it callers wait for a place.
const QUEUE_LIMIT: usize = 4_096;

/// A write in the queue: runs in the transaction, keeps its own result, and is told how the commit went.
trait Job: Send {
    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, bool>;
    fn finish(self: Box<Self>, commit: Result<(), Failed>);
}

/// Why a commit failed, for each of the many callers whose writes it held.
struct Failed {
    is_full: bool,
    /// The error and what the engine said, for the log.
    why: String,
}

impl From<&Error> for Failed {
    fn from(error: &Error) -> Self {
        let why = match std::error::Error::source(error) {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        };
        Self { is_full: matches!(error, Error::Full(_)), why }
    }
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        if failed.is_full {
            return Self::Full(io::Error::new(io::ErrorKind::StorageFull, failed.why).into());
        }
        Self::Aborted(failed.why)
    }
}

struct Write<T, F> {
    closure: Option<F>,
    result: Option<kernel::Result<T>>,
    answer: oneshot::Sender<kernel::Result<T>>,
}

impl<T, F> Job for Write<T, F>
where
    T: Send + 'static,
    F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, kernel::Result<T>> + Send + 'static,
{
    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, bool> {
        Box::pin(async move {
            let closure = self.closure.take().expect("a write runs once");
            let result = guarded(closure, tx).await;
            let kept = result.is_ok();
            self.result = Some(result);
            kept
        })
    }

    fn finish(self: Box<Self>, commit: Result<(), Failed>) {
        let result = match (self.result, commit) {
            (Some(Err(error)), _) => Err(error),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (_, Err(failed)) => Err(Error::from(failed).into()),
            (None, Ok(())) => Err(Error::Aborted("the write did not run".to_owned()).into()),
        };
        // A caller that went away does not undo what was committed.
        let _ = self.answer.send(result);
    }
}

/// Runs a closure and turns a panic into an error, so that one bad write cannot end the writer.
pub(crate) async fn guarded<T, F>(closure: F, tx: &mut Tx) -> kernel::Result<T>
where
    F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, kernel::Result<T>>,
{
    AssertUnwindSafe(async { closure(tx).await }).catch_unwind().await.unwrap_or_else(|panic| {
        Err(kernel::Error::internal(format!("a write panicked: {}", panic_text(&*panic))))
    })
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

/// The queue's entrance.
#[derive(Clone)]
pub(crate) struct Writer(mpsc::Sender<Box<dyn Job>>);

impl Writer {
    /// Starts the writer on its own connection; it ends when every entrance is dropped.
    pub(crate) fn start(conn: Conn) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE_LIMIT);
        tokio::spawn(serve(Tx::new(conn), receiver));
        Self(sender)
    }

    pub(crate) async fn write<T, F>(&self, closure: F) -> kernel::Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, kernel::Result<T>> + Send + 'static,
    {
        let (answer, wait) = oneshot::channel();
        let job = Box::new(Write { closure: Some(closure), result: None, answer });
        let gone = || Error::Aborted("the writer has ended".to_owned());
        self.0.send(job).await.map_err(|_| gone())?;
        wait.await.map_err(|_| gone())?
    }
}

async fn serve(mut tx: Tx, mut queue: mpsc::Receiver<Box<dyn Job>>) {
    while let Some(first) = queue.recv().await {
        let mut group = vec![first];
        let outcome = commit_group(&mut tx, &mut group, &mut queue).await;
        metrics::histogram!("hearth_commit_group_size").record(group.len() as f64);
        for job in group {
            job.finish(outcome.as_ref().copied().map_err(Failed::from));
        }
    }
}

/// Runs the first job and all that wait behind it in one transaction, each in its own savepoint.
async fn commit_group(
    tx: &mut Tx,
    group: &mut Vec<Box<dyn Job>>,
    queue: &mut mpsc::Receiver<Box<dyn Job>>,
) -> Result<()> {
    tx.batch("BEGIN IMMEDIATE").await?;
    let mut next = 0;
    let outcome = loop {
        if let Err(error) = run_in_savepoint(tx, &mut group[next]).await {
            break Err(error);
        }
        next += 1;
        if next == GROUP_LIMIT {
            break Ok(());
        }
        match queue.try_recv() {
            Ok(job) => group.push(job),
            Err(_) => break Ok(()),
        }
    };
    let outcome = match outcome {
        Ok(()) => tx.batch("COMMIT").await,
        Err(error) => Err(error),
    };
    if outcome.is_err() {
        // A full disk may have rolled back already; then this answers "no transaction", which is what we want.
        let _ = tx.batch("ROLLBACK").await;
    }
    outcome
}

/// An error here is the engine's, and ends the whole group; a job's own error rolls back that job alone.
async fn run_in_savepoint(tx: &mut Tx, job: &mut Box<dyn Job>) -> Result<()> {
    tx.batch("SAVEPOINT job").await?;
    if job.run(tx).await {
        tx.batch("RELEASE job").await
    } else {
        tx.batch("ROLLBACK TO job; RELEASE job").await
    }
}
