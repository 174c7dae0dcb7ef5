//! Threads that run the local model, queries before documents.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use tokio::sync::{Semaphore, oneshot};

use crate::{Embedding, Input, LocalModel, ModelError, Purpose};

/// Documents that may wait at a time; further callers wait to enter.
const WAITING_DOCUMENTS: usize = 64;

struct Task {
    input: Input,
    answer: oneshot::Sender<Result<Embedding, ModelError>>,
}

#[derive(Default)]
struct Queue {
    queries: VecDeque<Task>,
    documents: VecDeque<Task>,
    is_closed: bool,
}

struct Shared {
    model: LocalModel,
    queue: Mutex<Queue>,
    wake: Condvar,
}

/// A local model with its threads; they end when this is dropped.
pub struct Workers {
    shared: Arc<Shared>,
    documents: Semaphore,
}

impl Workers {
    pub(crate) fn start(model: LocalModel, threads: usize) -> Result<Self, ModelError> {
        let shared = Arc::new(Shared { model, queue: Mutex::default(), wake: Condvar::new() });
        for number in 0..threads.max(1) {
            let shared = Arc::clone(&shared);
            let builder = thread::Builder::new().name(format!("embed-{number}"));
            builder.spawn(move || run_alone(&shared)).map_err(ModelError::load)?;
        }
        Ok(Self { shared, documents: Semaphore::new(WAITING_DOCUMENTS) })
    }

    /// The model behind the threads.
    pub fn model(&self) -> &LocalModel {
        &self.shared.model
    }

    pub(crate) async fn embed(
        &self,
        purpose: Purpose,
        inputs: Vec<Input>,
    ) -> Result<Vec<Embedding>, ModelError> {
        let mut out = Vec::with_capacity(inputs.len());
        let mut waiting = Vec::new();
        for input in inputs {
            let permit = match (purpose, self.documents.try_acquire()) {
                (Purpose::Query, _) => None,
                (Purpose::Document, Ok(permit)) => Some(permit),
                (Purpose::Document, Err(_)) => {
                    // Ours are finished and let go first: two large callers must not wait for each other.
                    for (answer, _permit) in waiting.drain(..) {
                        out.push(finish(answer).await?);
                    }
                    Some(self.documents.acquire().await.map_err(|_| ModelError::Stopped)?)
                }
            };
            waiting.push((self.shared.submit(purpose, input), permit));
        }
        for (answer, _permit) in waiting {
            out.push(finish(answer).await?);
        }
        Ok(out)
    }
}

/// Makes the thread a pool of its own. The matrix products inside would otherwise split each small product over one
/// pool that all threads share, and spend most of their time waiting for each other (measured: 12 against 32 turns a
/// second on two cores).
fn run_alone(shared: &Shared) {
    match rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build() {
        Ok(_pool) => shared.run(),
        // Slower, and still right.
        Err(_) => shared.run(),
    }
}

async fn finish(answer: oneshot::Receiver<Result<Embedding, ModelError>>) -> Result<Embedding, ModelError> {
    answer.await.map_err(|_| ModelError::Stopped)?
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.shared.lock().is_closed = true;
        self.shared.wake.notify_all();
    }
}

impl Shared {
    /// A panic while the lock is held cannot leave the queue half-changed, so poison is passed over.
    fn lock(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn submit(&self, purpose: Purpose, input: Input) -> oneshot::Receiver<Result<Embedding, ModelError>> {
        let (answer, receiver) = oneshot::channel();
        let task = Task { input, answer };
        let mut queue = self.lock();
        match purpose {
            Purpose::Query => queue.queries.push_back(task),
            Purpose::Document => queue.documents.push_back(task),
        }
        drop(queue);
        self.wake.notify_one();
        receiver
    }

    fn run(&self) {
        while let Some(task) = self.next() {
            // Whoever asked may be gone by now.
            if !task.answer.is_closed() {
                let _ = task.answer.send(self.model.embed(&task.input));
            }
        }
    }

    fn next(&self) -> Option<Task> {
        let mut queue = self.lock();
        loop {
            if queue.is_closed {
                return None;
            }
            if let Some(task) = queue.queries.pop_front().or_else(|| queue.documents.pop_front()) {
                return Some(task);
            }
            queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
