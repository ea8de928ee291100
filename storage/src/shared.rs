//! What every thread of a store shares: the current state and rows, the manifest, the log's closed segments.
//!
//! Order of locks: `manifest`, then `current`. Nothing slow happens under `current`.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Weak;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use parking_lot::{Condvar, Mutex, RwLock};
use uuid::Uuid;

use crate::catalog::TableId;
use crate::cursor::Cursors;
use crate::directory::{Layout, ReplaceFailure};
use crate::disk::Disk;
use crate::error::{Result, StorageError};
use crate::extent_pool::ExtentPool;
use crate::log::commit::{CommitSink, LogReport, Publication};
use crate::log::writer::ClosedSegments;
use crate::manifest::edit::{Edit, ExtentRecord, KeyRecord};
use crate::manifest::files::ManifestFiles;
use crate::manifest::state::State;
use crate::row_store::{TableRows, join_chunks};
use crate::snapshot::Snapshot;
use crate::store::{Appended, Problem, StoreOptions};

/// See the module.
#[derive(Debug)]
pub(crate) struct Shared {
    pub layout: Layout,
    pub options: StoreOptions,
    pub disk: Arc<dyn Disk>,
    pub current: RwLock<Current>,
    pub manifest: Mutex<ManifestFiles>,
    pub closed_segments: Arc<ClosedSegments>,
    pub problems: Arc<Mutex<Vec<Problem>>>,
    pub pool: Arc<ExtentPool>,
    /// Bytes of the row store, those on their way through the log included.
    pub row_bytes: AtomicU64,
    /// Appends that wait for some of it.
    pub waiting_for_room: Mutex<()>,
    pub room: Condvar,
    pub health: Mutex<Health>,
    pub closed: AtomicBool,
    /// Extents that left their table; one without holders may be deleted.
    pub graveyard: Mutex<HashMap<Uuid, Weak<ExtentRecord>>>,
    /// Extents of a manifest version that may or may not exist; unused once another took its place.
    pub doubtful: Mutex<Vec<PathBuf>>,
    /// Extents with damage that merging must not spread.
    pub unmergeable: Mutex<HashSet<Uuid>>,
    /// Partition directories that were created or synced since the start.
    pub durable_directories: Mutex<HashSet<PathBuf>>,
    /// Held by the one seal, and by the one merge, that runs.
    pub sealing: Mutex<()>,
    pub merging: Mutex<()>,
    pub cursors: Cursors,
}

/// What is true now.
#[derive(Debug, Default)]
pub(crate) struct Current {
    pub state: Arc<State>,
    pub rows: HashMap<TableId, TableRows>,
    /// Idempotency keys with sequence and rows of their request.
    pub keys: HashMap<TableId, HashMap<u128, (u64, u64)>>,
    /// Those of unsealed requests, which the manifest does not know yet.
    pub unsealed_keys: HashMap<TableId, Vec<KeyRecord>>,
    /// Commit sequence of the last visible batch.
    pub sequence: u64,
}

/// Whether writes work.
#[derive(Debug, Default)]
pub(crate) struct Health {
    pub degraded: Option<String>,
    pub last_write_error: Option<String>,
    pub log_active_bytes: u64,
    pub log_syncs: u64,
}

impl Shared {
    pub fn now(&self) -> i64 {
        (self.options.clock)()
    }

    pub fn check_open(&self) -> Result<()> {
        if self.closed.load(Ordering::Acquire) { Err(StorageError::Closed) } else { Ok(()) }
    }

    pub fn snapshot(&self) -> Arc<Snapshot> {
        let current = self.current.read();
        Arc::new(Snapshot {
            state: current.state.clone(),
            rows: current.rows.iter().map(|(table, rows)| (*table, rows.chunks.clone())).collect(),
            sequence: current.sequence,
            pool: self.pool.clone(),
        })
    }

    /// Counts bytes against the bound of the row store, or refuses.
    pub fn reserve(&self, bytes: u64) -> Result<()> {
        let limit = self.options.row_store_limit_bytes;
        if bytes > limit {
            return Err(StorageError::Invalid(format!(
                "a request of {bytes} bytes is larger than the row store ({limit} bytes): split it"
            )));
        }
        let try_reserve = || {
            self.row_bytes.fetch_update(Ordering::AcqRel, Ordering::Acquire, |used| {
                used.checked_add(bytes).filter(|total| *total <= limit)
            })
        };
        if try_reserve().is_ok() {
            return Ok(());
        }
        let deadline = Instant::now() + self.options.busy_wait;
        let mut waiting = self.waiting_for_room.lock();
        loop {
            match try_reserve() {
                Ok(_) => return Ok(()),
                Err(used) => {
                    let timed_out = self.room.wait_until(&mut waiting, deadline).timed_out();
                    self.check_open()?;
                    if timed_out {
                        return Err(StorageError::Busy { used_bytes: used, limit_bytes: limit });
                    }
                }
            }
        }
    }

    pub fn release(&self, bytes: u64) {
        if bytes > 0 {
            self.row_bytes.fetch_sub(bytes, Ordering::AcqRel);
            // Under the lock, so that nobody misses it between looking and waiting.
            let _waiting = self.waiting_for_room.lock();
            self.room.notify_all();
        }
    }

    /// Makes a version of the manifest durable and current. `build` makes its edits from the state and the
    /// last visible commit sequence; without edits nothing happens. After a doubtful failure the version may
    /// exist on disk until the next one takes its place, so the files it names must stay.
    pub fn commit_edits(
        &self,
        build: impl FnOnce(&State, u64) -> Result<Vec<Edit>>,
    ) -> std::result::Result<(), ReplaceFailure> {
        let certain = |error| ReplaceFailure { error, doubtful: false };
        let mut manifest = self.manifest.lock();
        self.check_open().map_err(certain)?;
        let (state, sequence) = {
            let current = self.current.read();
            (current.state.clone(), current.sequence)
        };
        let mut edits = build(&state, sequence).map_err(certain)?;
        if edits.is_empty() {
            return Ok(());
        }
        edits.push(Edit::Sequence { last: sequence });
        let mut next = state.as_ref().clone();
        next.version += 1;
        for edit in &edits {
            next.apply(edit).map_err(|detail| certain(StorageError::Invalid(detail)))?;
        }
        let next = Arc::new(next);
        if let Err(failure) = manifest.write_delta(next.version, edits.clone(), self.now()) {
            self.health.lock().last_write_error = Some(failure.error.to_string());
            return Err(failure);
        }
        self.bury(&state, &edits);
        self.install(next.clone(), &edits);
        for path in std::mem::take(&mut *self.doubtful.lock()) {
            let _ = self.disk.remove(&path);
        }
        if manifest.wants_full(next.version)
            && let Err(error) = manifest.write_full(&next, self.now())
        {
            tracing::warn!(%error, "could not write a full manifest; the next version tries again");
        }
        Ok(())
    }

    /// Remembers who still reads extents that leave their table.
    fn bury(&self, before: &State, edits: &[Edit]) {
        let mut graveyard = self.graveyard.lock();
        for edit in edits {
            let (table, gone): (&Uuid, Option<&Vec<Uuid>>) = match edit {
                Edit::ReplaceExtents { table, remove, .. } => (table, Some(remove)),
                Edit::RemoveTable { id, .. } => (id, None),
                _ => continue,
            };
            let Some(table) = before.tables.get(table) else { continue };
            let gone: Option<HashSet<&Uuid>> = gone.map(|ids| ids.iter().collect());
            for extent in table.extents.iter() {
                if gone.as_ref().is_none_or(|gone| gone.contains(&extent.id)) {
                    graveyard.insert(extent.id, Arc::downgrade(extent));
                }
            }
        }
    }

    fn install(&self, state: Arc<State>, edits: &[Edit]) {
        let mut released = 0;
        let mut current = self.current.write();
        let current = &mut *current;
        for edit in edits {
            match edit {
                Edit::RemoveTable { id, .. } => {
                    released += current.rows.remove(id).map_or(0, |rows| rows.bytes());
                    current.keys.remove(id);
                    current.unsealed_keys.remove(id);
                }
                Edit::Sealed { table, up_to } => {
                    if let Some(rows) = current.rows.get_mut(table) {
                        released += rows.remove_up_to(*up_to);
                    }
                    if let Some(keys) = current.unsealed_keys.get_mut(table) {
                        keys.retain(|key| key.sequence > *up_to);
                    }
                }
                _ => {}
            }
        }
        for edit in edits {
            let Edit::AddKeys { table, .. } = edit else { continue };
            let sealed = state.tables.get(table).map(|table| table.keys.clone()).unwrap_or_default();
            let unsealed = current.unsealed_keys.get(table).map_or(&[][..], |keys| keys.as_slice());
            let known =
                sealed.iter().chain(unsealed).map(|key| (key.hash, (key.sequence, key.rows))).collect();
            current.keys.insert(*table, known);
        }
        current.state = state;
        self.release(released);
    }
}

impl CommitSink for Shared {
    fn known_key(&self, table: TableId, key: u128) -> Option<(u64, u64)> {
        self.current.read().keys.get(&table)?.get(&key).copied()
    }

    fn publish(&self, publications: Vec<Publication>) -> Vec<Result<Appended>> {
        let mut answers = Vec::with_capacity(publications.len());
        let mut current = self.current.write();
        let current = &mut *current;
        for publication in publications {
            let table = publication.table;
            let sequence = publication.chunks.last().map_or(current.sequence, |chunk| chunk.last_sequence);
            if !current.state.tables.contains_key(&table) {
                // Dropped while the rows were on their way. Replay skips the rows of unknown tables.
                answers.push(Err(StorageError::NotFound { kind: "table", name: table.to_string() }));
                continue;
            }
            if let Some(hash) = publication.key {
                let ticks = publication.chunks.first().map_or(0, |chunk| chunk.appended_ticks);
                let key = KeyRecord { hash, sequence, rows: publication.rows, ticks };
                current.keys.entry(table).or_default().insert(hash, (sequence, publication.rows));
                current.unsealed_keys.entry(table).or_default().push(key);
            }
            let rows = current.rows.entry(table).or_default();
            for chunk in publication.chunks {
                rows.push(Arc::new(chunk));
            }
            current.sequence = current.sequence.max(sequence);
            answers.push(Ok(Appended { sequence, rows: publication.rows, duplicate: false }));
        }
        answers
    }

    fn after_publish(&self, tables: &[TableId]) {
        for table in tables {
            self.join_small_chunks(*table);
        }
    }

    fn report(&self, report: LogReport) {
        let mut health = self.health.lock();
        if let Some(failure) = report.failure {
            tracing::error!(error = failure, "the log cannot be written");
            health.last_write_error = Some(failure.clone());
            health.degraded = Some(failure);
        } else if report.healthy {
            health.degraded = None;
        }
        health.log_active_bytes = report.active_bytes;
        health.log_syncs = report.syncs;
    }
}

impl Shared {
    /// Joins runs of small chunks at the end of a table. The copying happens outside the lock.
    pub fn join_small_chunks(&self, table: TableId) {
        loop {
            let run = match self.current.read().rows.get(&table) {
                Some(rows) => rows.run_to_join(),
                None => None,
            };
            let Some(run) = run else { return };
            let joined = match join_chunks(&run) {
                Ok(joined) => Arc::new(joined),
                Err(error) => {
                    tracing::error!(%error, "small batches stay apart");
                    return;
                }
            };
            let before: u64 = run.iter().map(|chunk| chunk.bytes).sum();
            let after = joined.bytes;
            let mut current = self.current.write();
            let replaced = current.rows.get_mut(&table).is_some_and(|rows| rows.replace_run(&run, joined));
            drop(current);
            if !replaced {
                return;
            }
            if after > before {
                self.row_bytes.fetch_add(after - before, Ordering::AcqRel);
            } else {
                self.release(before - after);
            }
        }
    }
}
