//! The threads that do the upkeep by need: one seals, one merges, retires and deletes. Another warms up what was there
//! at the start, and ends.

use std::cmp::Reverse;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use crate::catalog::TableId;
use crate::error::{Result, StorageError};
use crate::extent_pool::Pooled;
use crate::limits::{
    BACKGROUND_TICK, GARBAGE_INTERVAL, RETENTION_INTERVAL, WARM_UP_BYTES_MAX, WARM_UP_EXTENTS_MAX,
};
use crate::log::commit::LogCommand;
use crate::maintain::garbage::collect_garbage;
use crate::maintain::merge::merge_once;
use crate::maintain::retention::apply_retention;
use crate::maintain::seal::{free_log, seal_table, ticks};
use crate::shared::Shared;

/// How long a job that failed rests.
const REST_AFTER_FAILURE: Duration = Duration::from_secs(2);

/// Starts the threads. They end when the other side of `stop` is dropped.
pub(crate) fn start(
    shared: &Arc<Shared>,
    log: &Sender<LogCommand>,
    stop: &Receiver<()>,
) -> Result<Vec<JoinHandle<()>>> {
    let spawn = |name: &str, body: Box<dyn FnOnce() + Send>| {
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(body)
            .map_err(|error| StorageError::io("start a thread for", &shared.layout.root, error))
    };
    let sealer = (shared.clone(), log.clone(), stop.clone());
    let merger = (shared.clone(), stop.clone());
    let warmer = shared.clone();
    Ok(vec![
        spawn("conshelf-seal", Box::new(move || run_sealer(&sealer.0, &sealer.1, &sealer.2)))?,
        spawn("conshelf-merge", Box::new(move || run_merger(&merger.0, &merger.1)))?,
        spawn("conshelf-warm", Box::new(move || warm_up(&warmer)))?,
    ])
}

fn stopped(stop: &Receiver<()>, wait: Duration) -> bool {
    !matches!(stop.recv_timeout(wait), Err(RecvTimeoutError::Timeout))
}

fn run_sealer(shared: &Shared, log: &Sender<LogCommand>, stop: &Receiver<()>) {
    // Queries come first; ingestion waits for it when the row store is full.
    let _ = rustix::process::nice(8);
    let mut wait = BACKGROUND_TICK;
    let mut free_at = Instant::now();
    while !stopped(stop, wait) {
        wait = BACKGROUND_TICK;
        let due = tables_to_seal(shared);
        if due.is_empty() && Instant::now() < free_at {
            continue;
        }
        free_at = Instant::now() + GARBAGE_INTERVAL;
        let sealed: Result<()> = due.into_iter().try_for_each(|table| seal_table(shared, table).map(|_| ()));
        if let Err(error) = sealed.and_then(|()| free_log(shared, log)) {
            wait = failed("seal", shared, &error);
        }
    }
}

/// The tables that have enough unsealed rows, or old ones, or stand in the way.
fn tables_to_seal(shared: &Shared) -> Vec<TableId> {
    let options = &shared.options;
    let old = shared.now().saturating_sub(ticks(options.seal_age));
    let (log_bytes, _) = shared.closed_segments.size();
    let current = shared.current.read();
    let mut due: Vec<TableId> = Vec::new();
    let mut largest: Option<(u64, TableId)> = None;
    for (table, rows) in &current.rows {
        let Some(first) = rows.chunks.first() else { continue };
        let bytes = rows.bytes();
        if rows.rows() >= options.seal_rows || bytes >= options.seal_bytes || first.appended_ticks <= old {
            due.push(*table);
        }
        largest = largest.max(Some((bytes, *table)));
    }
    let used = shared.row_bytes.load(Ordering::Acquire);
    if due.is_empty() && used > options.row_store_limit_bytes / 2 {
        due.extend(largest.map(|(_, table)| table));
    }
    if log_bytes > options.log_limit_bytes {
        let state = &current.state;
        for table in shared.closed_segments.held_by(|table| state.tables.get(&table).map(|t| t.sealed_up_to))
        {
            if !due.contains(&table) {
                due.push(table);
            }
        }
    }
    due
}

fn run_merger(shared: &Shared, stop: &Receiver<()>) {
    // Queries and ingestion come first.
    let _ = rustix::process::nice(19);
    let mut wait = BACKGROUND_TICK;
    let mut retention_at = Instant::now() + GARBAGE_INTERVAL;
    let mut garbage_at = Instant::now() + GARBAGE_INTERVAL;
    while !stopped(stop, wait) {
        wait = BACKGROUND_TICK * 4;
        match merge_once(shared) {
            Ok(true) => wait = Duration::ZERO,
            Ok(false) => {}
            Err(error) => wait = failed("merge", shared, &error),
        }
        if Instant::now() >= retention_at {
            retention_at = Instant::now() + RETENTION_INTERVAL;
            if let Err(error) = apply_retention(shared, shared.now()) {
                wait = failed("retire", shared, &error);
            }
        }
        if Instant::now() >= garbage_at {
            garbage_at = Instant::now() + GARBAGE_INTERVAL;
            if let Err(error) = collect_garbage(shared) {
                wait = failed("delete", shared, &error);
            }
        }
    }
}

/// Maps the newest extents and checks their checksums, as far as [`WARM_UP_BYTES_MAX`] goes and no more than
/// [`WARM_UP_EXTENTS_MAX`].
fn warm_up(shared: &Shared) {
    let _ = rustix::process::nice(19);
    let state = shared.current.read().state.clone();
    let mut extents: Vec<_> = state
        .tables
        .values()
        .flat_map(|table| table.extents.iter().map(|extent| (table.entry.clone(), extent.clone())))
        .collect();
    // What is replaced meanwhile can be deleted only once nobody holds it.
    drop(state);
    extents.sort_by_key(|(_, extent)| Reverse(extent.max_time.unwrap_or(extent.created_ticks)));
    extents.truncate(WARM_UP_EXTENTS_MAX);
    let mut left = WARM_UP_BYTES_MAX;
    for (entry, record) in extents {
        left = left.saturating_sub(record.file_bytes);
        if left == 0 {
            return;
        }
        let Ok(Pooled::Open(extent)) = shared.pool.get(&entry, &record) else { continue };
        for row_group in 0..extent.row_group_count() {
            if shared.check_open().is_err() {
                return;
            }
            extent.warm(row_group);
        }
    }
}

fn failed(job: &str, shared: &Shared, error: &StorageError) -> Duration {
    if !matches!(error, StorageError::Closed) {
        tracing::error!(job, %error, "upkeep failed and will be tried again");
        shared.health.lock().last_write_error = Some(error.to_string());
    }
    REST_AFTER_FAILURE
}
