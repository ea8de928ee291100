//! The threads that decode bodies: they let queries go first.
//!
//! Knows nothing of what is decoded.

use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// Steps by which the scheduler puts these threads behind those of queries: a query that computes gets about six
/// sevenths of a processor that both want.
const NICENESS: i32 = 8;

/// Threads that are started by need and end when idle.
#[derive(Debug, Default)]
pub struct IngestThreads {
    /// `None`: the system refused a thread.
    runtime: OnceLock<Option<Runtime>>,
}

impl IngestThreads {
    /// Runs work that may block and gives its outcome. To be called in an asynchronous task, whose runtime's own
    /// threads do it where the system has no others.
    pub fn spawn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
        match self.runtime.get_or_init(start) {
            Some(runtime) => runtime.spawn_blocking(work),
            None => tokio::task::spawn_blocking(work),
        }
    }
}

fn start() -> Option<Runtime> {
    let started = Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("ingest")
        .on_thread_start(|| {
            // Where it is refused, ingestion and queries are equals.
            let _ = rustix::process::nice(NICENESS);
        })
        .build();
    started.inspect_err(|error| tracing::warn!(%error, "no threads of their own for ingestion")).ok()
}

impl Drop for IngestThreads {
    fn drop(&mut self) {
        // A runtime that is dropped waits for its threads, which a task must not do.
        if let Some(runtime) = self.runtime.take().flatten() {
            runtime.shutdown_background();
        }
    }
}
