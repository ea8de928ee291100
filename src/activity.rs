//! What the server is doing and did lately: queries, commands, ingestions that failed, operations.
//!
//! Bounded memory of the last of each; `.show queries` and its kin read it, `.cancel query` reaches the
//! running ones through it. Knows no HTTP and no KQL.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use uuid::Uuid;

use crate::engine::QueryContext;

/// How many finished requests of each kind are remembered.
const REMEMBERED: usize = 1000;
/// Longer texts are cut.
const TEXT_MAX: usize = 16 << 10;

/// State of a request in the words of `.show queries`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    InProgress,
    Completed,
    Failed,
    Throttled,
    Cancelled,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            State::InProgress => "InProgress",
            State::Completed => "Completed",
            State::Failed => "Failed",
            State::Throttled => "Throttled",
            State::Cancelled => "Cancelled",
        }
    }
}

/// A query or a command.
#[derive(Clone, Debug)]
pub struct RequestRecord {
    pub activity_id: Uuid,
    pub client_request_id: String,
    pub is_command: bool,
    /// For commands: the first words, e.g. `TableCreate`.
    pub command_type: String,
    pub text: String,
    pub database: String,
    pub started_ticks: i64,
    pub updated_ticks: i64,
    pub state: State,
    pub failure: String,
    pub user: String,
    pub application: String,
    pub cpu_seconds: f64,
    pub memory_peak_bytes: u64,
    pub extents_scanned: u64,
    pub extents_total: u64,
    pub rows_scanned: u64,
    pub result_rows: u64,
    pub result_bytes: u64,
}

/// What a running query has done so far.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryProgress {
    pub seconds: f64,
    pub rows_scanned: u64,
    pub bytes_scanned: u64,
    pub extents_scanned: u64,
    pub extents_total: u64,
    /// Pieces of the scans that began so far: a measure of how much is left of those.
    pub parts_done: u64,
    pub parts_total: u64,
    pub memory_peak_bytes: u64,
}

/// Something ingested that did not go in.
#[derive(Clone, Debug)]
pub struct IngestionFailure {
    pub operation_id: Uuid,
    pub database: String,
    pub table: String,
    pub failed_ticks: i64,
    pub source: String,
    pub details: String,
    pub error_code: String,
    pub permanent: bool,
    pub activity_id: Uuid,
}

/// An operation that was asked to run on its own (`async`).
#[derive(Clone, Debug)]
pub struct Operation {
    pub id: Uuid,
    pub name: String,
    pub database: String,
    pub started_ticks: i64,
    pub updated_ticks: i64,
    pub state: &'static str,
    pub status: String,
    pub activity_id: Uuid,
    pub user: String,
}

/// A finished query or command, for whoever listens.
pub type Listener = Box<dyn Fn(&RequestRecord) + Send + Sync>;

#[derive(Default)]
struct Inner {
    running: HashMap<Uuid, (RequestRecord, Option<Arc<QueryContext>>)>,
    finished: VecDeque<RequestRecord>,
    failures: VecDeque<IngestionFailure>,
    operations: VecDeque<Operation>,
}

/// See the module. Cheap to clone.
#[derive(Clone, Default)]
pub struct Activity {
    inner: Arc<Mutex<Inner>>,
    listener: Arc<Mutex<Option<Listener>>>,
}

impl std::fmt::Debug for Activity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Activity").field("running", &self.inner.lock().running.len()).finish_non_exhaustive()
    }
}

/// What is known of a request when it starts.
#[derive(Clone, Debug, Default)]
pub struct RequestStart {
    pub activity_id: Uuid,
    pub client_request_id: String,
    pub is_command: bool,
    pub command_type: String,
    pub text: String,
    pub database: String,
    pub user: String,
    pub application: String,
}

fn push_bounded<T>(list: &mut VecDeque<T>, item: T) {
    if list.len() >= REMEMBERED {
        list.pop_front();
    }
    list.push_back(item);
}

/// The text, cut at a character boundary if it is long.
fn shortened(mut text: String) -> String {
    if text.len() > TEXT_MAX {
        let mut end = TEXT_MAX;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
    text
}

impl Activity {
    /// Whom to tell of every finished request.
    pub fn set_listener(&self, listener: Listener) {
        *self.listener.lock() = Some(listener);
    }

    /// Enters a request; it counts as failed when the handle is dropped before `finish`.
    pub fn begin(&self, start: RequestStart, context: Option<Arc<QueryContext>>) -> RunningRequest {
        let now = crate::machine::now_ticks();
        let id = start.activity_id;
        let record = RequestRecord {
            activity_id: id,
            client_request_id: start.client_request_id,
            is_command: start.is_command,
            command_type: start.command_type,
            text: shortened(start.text),
            database: start.database,
            started_ticks: now,
            updated_ticks: now,
            state: State::InProgress,
            failure: String::new(),
            user: start.user,
            application: start.application,
            cpu_seconds: 0.0,
            memory_peak_bytes: 0,
            extents_scanned: 0,
            extents_total: 0,
            rows_scanned: 0,
            result_rows: 0,
            result_bytes: 0,
        };
        self.inner.lock().running.insert(id, (record, context));
        RunningRequest { activity: self.clone(), id, finished: false }
    }

    /// Running requests, then finished ones from the latest to the earliest.
    pub fn requests(&self, commands: bool) -> Vec<RequestRecord> {
        let inner = self.inner.lock();
        let mut running: Vec<RequestRecord> = inner
            .running
            .values()
            .map(|(record, context)| match context {
                Some(context) => with_progress(record.clone(), context),
                None => record.clone(),
            })
            .filter(|record| record.is_command == commands)
            .collect();
        running.sort_by_key(|record| std::cmp::Reverse(record.started_ticks));
        running.extend(inner.finished.iter().rev().filter(|record| record.is_command == commands).cloned());
        running
    }

    pub fn running_count(&self) -> usize {
        self.inner.lock().running.len()
    }

    /// How far the running query of a client request id has come; of several the one that runs longest.
    pub fn progress(&self, client_request_id: &str) -> Option<QueryProgress> {
        use std::sync::atomic::Ordering::Relaxed;
        let inner = self.inner.lock();
        let running =
            inner.running.values().filter(|(record, _)| record.client_request_id == client_request_id);
        let contexts = running.filter_map(|(_, context)| context.as_ref());
        let context = contexts.min_by_key(|context| context.started)?;
        let progress = &context.progress;
        Some(QueryProgress {
            seconds: context.started.elapsed().as_secs_f64(),
            rows_scanned: progress.rows_scanned.load(Relaxed),
            bytes_scanned: progress.bytes_scanned.load(Relaxed),
            extents_scanned: progress.extents_scanned.load(Relaxed),
            extents_total: progress.extents_total.load(Relaxed),
            parts_done: progress.morsels_done.load(Relaxed),
            parts_total: progress.morsels_total.load(Relaxed),
            memory_peak_bytes: context.memory_peak_bytes(),
        })
    }

    /// Cancels the running queries of a client request id; answers them.
    pub fn cancel(&self, client_request_id: &str) -> Vec<RequestRecord> {
        let inner = self.inner.lock();
        let mut cancelled = Vec::new();
        for (record, context) in inner.running.values() {
            if let Some(context) = context
                && record.client_request_id == client_request_id
            {
                context.cancel();
                cancelled.push(record.clone());
            }
        }
        cancelled
    }

    /// Cancels every running query: the server is stopping.
    pub fn cancel_all(&self) {
        for (_, context) in self.inner.lock().running.values() {
            if let Some(context) = context {
                context.cancel();
            }
        }
    }

    pub fn add_failure(&self, failure: IngestionFailure) {
        push_bounded(&mut self.inner.lock().failures, failure);
    }

    /// Ingestion failures, latest first.
    pub fn failures(&self) -> Vec<IngestionFailure> {
        self.inner.lock().failures.iter().rev().cloned().collect()
    }

    pub fn add_operation(&self, operation: Operation) {
        push_bounded(&mut self.inner.lock().operations, operation);
    }

    pub fn end_operation(&self, id: Uuid, state: &'static str, status: String) {
        let mut inner = self.inner.lock();
        if let Some(operation) = inner.operations.iter_mut().find(|operation| operation.id == id) {
            operation.state = state;
            operation.status = status;
            operation.updated_ticks = crate::machine::now_ticks();
        }
    }

    /// Operations, latest first.
    pub fn operations(&self) -> Vec<Operation> {
        self.inner.lock().operations.iter().rev().cloned().collect()
    }
}

fn with_progress(mut record: RequestRecord, context: &QueryContext) -> RequestRecord {
    use std::sync::atomic::Ordering::Relaxed;
    record.updated_ticks = crate::machine::now_ticks();
    record.memory_peak_bytes = context.memory_peak_bytes();
    record.rows_scanned = context.progress.rows_scanned.load(Relaxed);
    record.extents_scanned = context.progress.extents_scanned.load(Relaxed);
    record.extents_total = context.progress.extents_total.load(Relaxed);
    record
}

/// A request that is being answered.
pub struct RunningRequest {
    activity: Activity,
    id: Uuid,
    finished: bool,
}

impl std::fmt::Debug for RunningRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RunningRequest({})", self.id)
    }
}

/// How a request ended.
#[derive(Clone, Debug)]
pub struct RequestEnd {
    pub state: State,
    pub failure: String,
    pub cpu_seconds: f64,
    pub result_rows: u64,
    pub result_bytes: u64,
}

impl RunningRequest {
    pub fn finish(mut self, end: RequestEnd) {
        self.end(end);
    }

    fn end(&mut self, end: RequestEnd) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        let record = {
            let mut inner = self.activity.inner.lock();
            let Some((record, context)) = inner.running.remove(&self.id) else { return };
            let mut record = match &context {
                Some(context) => with_progress(record, context),
                None => record,
            };
            record.updated_ticks = crate::machine::now_ticks();
            record.state = end.state;
            record.failure = end.failure;
            record.cpu_seconds = end.cpu_seconds;
            record.result_rows = end.result_rows;
            record.result_bytes = end.result_bytes;
            push_bounded(&mut inner.finished, record.clone());
            record
        };
        if let Some(listener) = self.activity.listener.lock().as_ref() {
            listener(&record);
        }
    }
}

impl Drop for RunningRequest {
    fn drop(&mut self) {
        self.end(RequestEnd {
            state: State::Failed,
            failure: "the request ended without an answer".to_owned(),
            cpu_seconds: 0.0,
            result_rows: 0,
            result_bytes: 0,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::context::QueryLimits;

    fn start(id: u128, client: &str) -> RequestStart {
        RequestStart {
            activity_id: Uuid::from_u128(id),
            client_request_id: client.to_owned(),
            ..RequestStart::default()
        }
    }

    #[test]
    fn a_running_query_can_be_cancelled_by_its_client_id() {
        let activity = Activity::default();
        let context = QueryContext::new(QueryLimits::default(), 0);
        let _running = activity.begin(start(1, "a"), Some(context.clone()));
        assert!(activity.cancel("b").is_empty());
        assert!(!context.is_cancelled());
        assert_eq!(activity.cancel("a").len(), 1);
        assert!(context.is_cancelled());
    }

    #[test]
    fn progress_is_that_of_the_running_query() {
        let activity = Activity::default();
        let context = QueryContext::new(QueryLimits::default(), 0);
        let running = activity.begin(start(1, "a"), Some(context.clone()));
        context.progress.rows_scanned.fetch_add(7, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(activity.progress("a").map(|progress| progress.rows_scanned), Some(7));
        assert_eq!(activity.progress("b"), None);
        drop(running);
        assert_eq!(activity.progress("a"), None);
    }

    #[test]
    fn a_dropped_request_counts_as_failed() {
        let activity = Activity::default();
        drop(activity.begin(start(1, "a"), None));
        let records = activity.requests(false);
        assert_eq!(records.len(), 1);
        assert_eq!(records[0].state, State::Failed);
    }

    #[test]
    fn memory_of_the_past_is_bounded() {
        let activity = Activity::default();
        for id in 0..(REMEMBERED as u128 + 10) {
            drop(activity.begin(start(id, "a"), None));
        }
        assert_eq!(activity.requests(false).len(), REMEMBERED);
    }
}
