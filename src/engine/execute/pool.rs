//! The worker threads of the process: a queue of running pipelines that all queries share in turn.
//!
//! An entry is worked on for a short slice and goes to the end of the queue, so that a long query does not
//! starve a short one. Knows nothing of batches or plans.

use std::cell::Cell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
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

/// Stack of a thread that does what is left where the system refuses a deep one.
const SMALL_STACK_BYTES: usize = 2 << 20;

/// How long a deep thread waits for its next job.
const DEEP_THREAD_IDLE: Duration = Duration::from_secs(10);

/// Runs work on a thread with room for deep recursion and waits for it: on this one if it has that room. A panic
/// of the work goes on here.
pub fn on_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> std::io::Result<T> {
    if on_deep_thread() {
        return Ok(work());
    }
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

/// Whether the current thread is one of `spawn_deep`.
pub fn on_deep_thread() -> bool {
    IS_DEEP.with(Cell::get)
}

type Job = Box<dyn FnOnce() + Send>;

/// Threads with deep stacks that wait for the next job for a while: a new thread costs more than a small query.
#[derive(Default)]
struct DeepThreads {
    state: Mutex<DeepState>,
    arrived: Condvar,
}

#[derive(Default)]
struct DeepState {
    jobs: VecDeque<Job>,
    /// Threads that wait for a job.
    idle: usize,
}

static DEEP_THREADS: LazyLock<DeepThreads> = LazyLock::new(DeepThreads::default);

/// Runs a job on a thread of its own with room for deep recursion. A panic of the job ends with it. Fails if the
/// system refuses a thread; the job is dropped then.
pub fn spawn_deep(job: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    let threads = &*DEEP_THREADS;
    {
        let mut state = threads.state.lock();
        state.jobs.push_back(Box::new(job));
        if state.idle >= state.jobs.len() {
            drop(state);
            threads.arrived.notify_one();
            return Ok(());
        }
    }
    let started = std::thread::Builder::new()
        .name(String::from("query"))
        .stack_size(PLAN_STACK_BYTES[0])
        .spawn(|| deep_thread(threads, true));
    let Err(refused) = started else { return Ok(()) };
    // A smaller stack will do for all but plans, which find themselves another thread.
    let started = std::thread::Builder::new()
        .name(String::from("query"))
        .stack_size(SMALL_STACK_BYTES)
        .spawn(|| deep_thread(threads, false));
    if started.is_err() {
        let mut state = threads.state.lock();
        if state.jobs.len() > state.idle {
            state.jobs.pop_back();
            return Err(refused);
        }
        threads.arrived.notify_one();
    }
    Ok(())
}

fn deep_thread(threads: &DeepThreads, is_deep: bool) {
    IS_DEEP.with(|flag| flag.set(is_deep));
    loop {
        let job = {
            let mut state = threads.state.lock();
            loop {
                if let Some(job) = state.jobs.pop_front() {
                    break job;
                }
                state.idle += 1;
                let is_late = threads.arrived.wait_for(&mut state, DEEP_THREAD_IDLE).timed_out();
                state.idle -= 1;
                if is_late && state.jobs.is_empty() {
                    return;
                }
            }
        };
        if catch_unwind(AssertUnwindSafe(job)).is_err() {
            tracing::error!("a query's thread panicked");
        }
    }
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

/// Starts the worker threads, which otherwise the first work does.
pub fn start() {
    LazyLock::force(&QUEUE);
}

thread_local! {
    static IS_WORKER: Cell<bool> = const { Cell::new(false) };
    static IS_DEEP: Cell<bool> = const { Cell::new(false) };
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_deep_thread_is_used_again_and_has_room_for_what_asks_for_it() {
        fn depth(of: usize) -> usize {
            std::hint::black_box([of; 64]);
            if of == 0 { 0 } else { 1 + depth(of - 1) }
        }
        let (sender, receiver) = mpsc::channel();
        for _ in 0..3 {
            let sender = sender.clone();
            spawn_deep(move || {
                let outer = std::thread::current().id();
                let inner = on_deep_stack(|| (std::thread::current().id(), depth(50_000)));
                sender.send((outer, inner.ok())).unwrap();
            })
            .unwrap();
            let (outer, inner) = receiver.recv().unwrap();
            assert_eq!(inner, Some((outer, 50_000)));
        }
    }

    #[test]
    fn a_panic_of_a_job_ends_with_it() {
        let (sender, receiver) = mpsc::channel();
        spawn_deep(|| panic!("on purpose")).unwrap();
        spawn_deep(move || sender.send(1).unwrap()).unwrap();
        assert_eq!(receiver.recv(), Ok(1));
    }
}
