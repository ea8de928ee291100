//! The worker threads of the process: a queue of running pipelines that all queries share in turn.
//!
//! An entry is worked on for a short slice and goes to the end of the queue, so that a long query does not
//! starve a short one. Knows nothing of batches or plans.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// How long one entry is worked on before others get their turn.
pub const SLICE: Duration = Duration::from_millis(4);

/// Stack of a worker: long chains of operators nest deeply. Only what is used costs memory.
const STACK_BYTES: usize = 64 << 20;

/// Stack of a thread that builds, rewrites or drops plans, which are trees as deep as the query is long. The
/// smaller ones are for when the system refuses the larger.
const PLAN_STACK_BYTES: [usize; 3] = [256 << 20, 32 << 20, 4 << 20];

/// Runs work on a thread with room for deep recursion and waits for it. A panic of the work goes on here.
pub fn on_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> std::io::Result<T> {
    let work = Mutex::new(Some(work));
    let take = || work.lock().take().map(|work| work());
    let mut refused = std::io::Error::other("no thread was tried");
    for stack_bytes in PLAN_STACK_BYTES {
        let outcome = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new()
                .name(String::from("query-plan"))
                .stack_size(stack_bytes)
                .spawn_scoped(scope, take)?;
            match thread.join() {
                Ok(outcome) => Ok(outcome),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        });
        match outcome {
            Ok(Some(outcome)) => return Ok(outcome),
            Ok(None) => break,
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

/// Something that several threads may work on in slices. Must not panic.
pub trait Work: Send + Sync {
    /// Works for about one slice; whether there is more to do.
    fn slice(&self) -> Progress;
}

/// What a slice came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// More to do: put the entry back into the queue.
    More,
    /// This entry is not to be queued again by the pool.
    Leave,
}

#[derive(Default)]
struct Queue {
    entries: Mutex<VecDeque<Arc<dyn Work>>>,
    arrived: Condvar,
}

static QUEUE: LazyLock<Arc<Queue>> = LazyLock::new(|| {
    let queue = Arc::new(Queue::default());
    for number in 0..worker_count() {
        let queue = queue.clone();
        let started = std::thread::Builder::new()
            .name(format!("query-{number}"))
            .stack_size(STACK_BYTES)
            .spawn(move || work(&queue));
        if let Err(error) = started {
            tracing::error!(%error, "cannot start a query worker");
        }
    }
    queue
});

thread_local! {
    static IS_WORKER: Cell<bool> = const { Cell::new(false) };
}

/// Number of threads that run queries: one per core.
pub fn worker_count() -> usize {
    static COUNT: LazyLock<usize> =
        LazyLock::new(|| std::thread::available_parallelism().map_or(2, |count| count.get()));
    *COUNT
}

/// Whether the current thread is one of the pool's: then nested pipelines run in place.
pub fn on_worker() -> bool {
    IS_WORKER.with(Cell::get)
}

/// Queues `copies` entries of a piece of work: as many threads may work on it at a time.
pub fn submit(work: &Arc<dyn Work>, copies: usize) {
    let queue = &*QUEUE;
    let mut entries = queue.entries.lock();
    entries.extend(std::iter::repeat_n(work, copies).cloned());
    drop(entries);
    if copies == 1 {
        queue.arrived.notify_one();
    } else {
        queue.arrived.notify_all();
    }
}

fn work(queue: &Queue) {
    IS_WORKER.with(|flag| flag.set(true));
    loop {
        let entry = {
            let mut entries = queue.entries.lock();
            loop {
                match entries.pop_front() {
                    Some(entry) => break entry,
                    None => queue.arrived.wait(&mut entries),
                }
            }
        };
        if entry.slice() == Progress::More {
            queue.entries.lock().push_back(entry);
        }
    }
}
