//! The store: one directory, opened once, shared by every thread.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use arrow_array::ArrayRef;
use crossbeam_channel::Sender;
use parking_lot::Mutex;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use crate::catalog::{CatalogChange, TableEntry, TableId};
use crate::directory::DirectoryLock;
use crate::disk::{Disk, RealDisk};
use crate::error::{Result, StorageError};
use crate::limits;
use crate::log::commit::{AppendRequest, LogCommand, LogThread, PreparedBatch};
use crate::log::payload::{self, RowsPayload};
use crate::maintain::{background, garbage, merge, retention, seal};
use crate::manifest::edit::Edit;
use crate::manifest::plan::{PlanContext, plan};
use crate::open::{Opened, open};
use crate::row_store::{Chunk, ChunkColumn, check_batch};
use crate::shared::Shared;
use crate::snapshot::Snapshot;
use crate::types::SchemaRef;

/// When an append is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Durability {
    /// After the rows are on disk (fsync).
    #[default]
    Durable,
    /// After the rows are handed to the operating system; synced every 100 ms. A power failure can lose the
    /// last moment, a crash of the process nothing.
    Relaxed,
}

/// Gives the time in ticks since 0001-01-01T00:00:00Z.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The system's clock.
pub fn system_clock() -> Clock {
    Arc::new(|| {
        const UNIX_EPOCH_TICKS: i64 = 621_355_968_000_000_000;
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        UNIX_EPOCH_TICKS + i64::try_from(since.as_nanos() / 100).unwrap_or(0)
    })
}

/// How a store works. `Default` is right for a server.
#[derive(Clone)]
pub struct StoreOptions {
    pub durability: Durability,
    /// Bound of the row store's memory: past it appends are refused with `Busy`.
    pub row_store_limit_bytes: u64,
    /// How long an append waits for room before that.
    pub busy_wait: Duration,
    /// A table is sealed at this many unsealed rows, …
    pub seal_rows: u64,
    /// … bytes of them, …
    pub seal_bytes: u64,
    /// … or age of the oldest one.
    pub seal_age: Duration,
    /// A segment of the log is closed at this size: the unit in which log space is freed.
    pub log_segment_bytes: u64,
    /// Log size past which tables are sealed to free it.
    pub log_limit_bytes: u64,
    /// Span of the time column that one partition covers, in ticks.
    pub partition_span_ticks: i64,
    /// How long dropped extents stay on disk.
    pub recoverability: Duration,
    /// How long extents replaced by a merge stay on disk.
    pub replaced_keep: Duration,
    /// How long idempotency keys are remembered.
    pub key_age: Duration,
    /// Seal, merge and retire in background threads. Without it the caller does (tests).
    pub background: bool,
    pub clock: Clock,
    /// The file system; tests put a failing one here.
    pub disk: Arc<dyn Disk>,
}

impl Default for StoreOptions {
    fn default() -> StoreOptions {
        StoreOptions {
            durability: Durability::Durable,
            row_store_limit_bytes: limits::ROW_STORE_BYTES,
            busy_wait: limits::BUSY_WAIT,
            seal_rows: limits::SEAL_ROWS,
            seal_bytes: limits::SEAL_BYTES,
            seal_age: limits::SEAL_AGE,
            log_segment_bytes: limits::LOG_SEGMENT_BYTES,
            log_limit_bytes: limits::LOG_BYTES_MAX,
            partition_span_ticks: limits::PARTITION_SPAN_TICKS,
            recoverability: limits::RECOVERABILITY,
            replaced_keep: limits::REPLACED_KEEP,
            key_age: limits::KEY_AGE,
            background: true,
            clock: system_clock(),
            disk: Arc::new(RealDisk),
        }
    }
}

impl std::fmt::Debug for StoreOptions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("StoreOptions")
            .field("durability", &self.durability)
            .field("row_store_limit_bytes", &self.row_store_limit_bytes)
            .field("background", &self.background)
            .finish_non_exhaustive()
    }
}

/// Options of one append.
#[derive(Clone, Debug, Default)]
pub struct AppendOptions<'a> {
    /// Idempotency key or ingest-by tag: a second append with it to the same table stores nothing.
    pub key: Option<&'a str>,
    /// The schema that the arrays were built for, when it may not be the table's newest: columns are matched by
    /// their ids, so a batch stays valid while columns are added, renamed or reordered. `None`: the current one.
    pub schema: Option<SchemaRef>,
    /// Tags that the rows' first extent carries.
    pub tags: Vec<String>,
}

/// What an append did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Commit sequence of the (last) batch.
    pub sequence: u64,
    /// Rows stored now, or by the first append with the same key.
    pub rows: u64,
    /// The key was known: nothing was stored.
    pub duplicate: bool,
}

/// Health of the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreStatus {
    /// Appends are refused at the moment, and why.
    pub degraded: Option<String>,
    /// The last failed write, even when writes work again.
    pub last_write_error: Option<String>,
    pub row_store_bytes: u64,
    pub row_store_limit_bytes: u64,
    pub log_bytes: u64,
    pub log_segments: u64,
    /// Log syncs since open; shared by the appends of a group.
    pub log_syncs: u64,
    pub manifest_version: u64,
}

/// Size of one table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableStatistics {
    pub table: TableId,
    pub database: String,
    pub name: String,
    pub extents: u64,
    pub sealed_rows: u64,
    /// Bytes on disk of the extents.
    pub sealed_bytes: u64,
    /// Bytes that the sealed rows had before encoding.
    pub original_bytes: u64,
    pub row_store_rows: u64,
    pub row_store_bytes: u64,
    pub min_time: Option<i64>,
    pub max_time: Option<i64>,
}

/// Something found damaged: in which file, where, and what it affects as far as known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub file: PathBuf,
    pub offset: Option<u64>,
    /// `database.table`, or the table's id when its name is not known.
    pub table: Option<String>,
    /// Ticks, both included.
    pub time_range: Option<(i64, i64)>,
    pub detail: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", self.file.display())?;
        if let Some(offset) = self.offset {
            write!(formatter, " at offset {offset}")?;
        }
        if let Some(table) = &self.table {
            write!(formatter, ", table {table}")?;
        }
        if let Some((least, greatest)) = self.time_range {
            write!(formatter, ", time {least}..={greatest}")?;
        }
        write!(formatter, ": {}", self.detail)
    }
}

/// An open data directory. Cloning is cheap; the directory is released when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    shared: Arc<Shared>,
    log: Sender<LogCommand>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    stop_background: Mutex<Option<Sender<()>>>,
    lock: Mutex<Option<DirectoryLock>>,
}

impl Store {
    /// Opens a data directory, creating it when it does not exist. What a crash left is put in order: torn
    /// writes are cut, unsealed rows come back, damage is reported by `problems`.
    pub fn open(directory: impl AsRef<Path>, options: StoreOptions) -> Result<Store> {
        let Opened { shared, lock, writer, last_sequence } = open(directory.as_ref(), options)?;
        let (log, receiver) = crossbeam_channel::bounded(limits::LOG_QUEUE_LENGTH);
        let thread = LogThread {
            writer,
            sink: shared.clone(),
            receiver,
            durability: shared.options.durability,
            clock: shared.options.clock.clone(),
            last_sequence,
            syncs: 0,
        };
        let thread = std::thread::Builder::new()
            .name("conshelf-log".to_owned())
            .spawn(move || thread.run())
            .map_err(|error| StorageError::io("start a thread for", &shared.layout.root, error))?;
        let mut threads = vec![thread];
        let (stop_background, stop) = crossbeam_channel::bounded(0);
        if shared.options.background {
            threads.extend(background::start(&shared, &log, &stop)?);
        }
        let inner = Inner {
            shared,
            log,
            threads: Mutex::new(threads),
            stop_background: Mutex::new(Some(stop_background)),
            lock: Mutex::new(Some(lock)),
        };
        Ok(Store { inner: Arc::new(inner) })
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.inner.shared.layout.root
    }

    /// The options it was opened with.
    pub fn options(&self) -> &StoreOptions {
        &self.inner.shared.options
    }

    /// Adds a batch: one array per column of the table in schema order (trailing columns may be missing).
    /// When it returns, the rows are durable and visible.
    pub fn append(
        &self,
        table: TableId,
        columns: &[ArrayRef],
        options: AppendOptions<'_>,
    ) -> Result<Appended> {
        self.append_many(table, std::slice::from_ref(&columns), options)
    }

    /// Adds several batches that become durable and visible together or not at all.
    ///
    /// `Busy` when the row store is full, `Io` when the log cannot be written (nothing is stored then),
    /// `NotFound` when the table is gone, `Invalid` when arrays and schema do not fit.
    pub fn append_many<B: AsRef<[ArrayRef]>>(
        &self,
        table: TableId,
        batches: &[B],
        options: AppendOptions<'_>,
    ) -> Result<Appended> {
        let shared = &self.inner.shared;
        shared.check_open()?;
        let key = match options.key {
            None => None,
            Some(key) if key.len() > limits::KEY_BYTES_MAX => {
                return Err(StorageError::Invalid(format!(
                    "an idempotency key has at most {} bytes, this one {}",
                    limits::KEY_BYTES_MAX,
                    key.len()
                )));
            }
            Some(key) => Some(xxh3_128(key.as_bytes())),
        };
        let (entry, sequence, known) = {
            let current = shared.current.read();
            let entry = match current.state.tables.get(&table) {
                Some(state) => state.entry.clone(),
                None => return Err(StorageError::NotFound { kind: "table", name: table.to_string() }),
            };
            let known = key.and_then(|key| current.keys.get(&table)?.get(&key).copied());
            (entry, current.sequence, known)
        };
        if let Some((sequence, rows)) = known {
            return Ok(Appended { sequence, rows, duplicate: true });
        }
        let schema = options.schema.as_ref().unwrap_or(&entry.schema);
        let mut rows = 0u64;
        for batch in batches {
            let batch_rows = check_batch(&entry, schema, batch.as_ref())?;
            if batch_rows > limits::APPEND_ROWS_MAX {
                return Err(StorageError::Invalid(format!(
                    "a batch has at most {} rows, this one {batch_rows}",
                    limits::APPEND_ROWS_MAX
                )));
            }
            rows += batch_rows as u64;
        }
        if rows == 0 {
            return Ok(Appended { sequence, rows: 0, duplicate: false });
        }
        let append = shared.cursors.append(shared.now());
        let now = append.ticks;
        let chunks: Vec<Chunk> = batches
            .iter()
            .filter(|batch| batch.as_ref().first().is_some_and(|column| !column.is_empty()))
            .map(|batch| {
                let columns: Vec<ArrayRef> = batch.as_ref().iter().map(crate::column::compact).collect();
                let mut chunk = Chunk::new(&entry, schema, &columns, now);
                chunk.tags = options.tags.clone();
                chunk
            })
            .collect();
        let bytes = chunks.iter().map(|chunk| chunk.bytes).sum();
        shared.reserve(bytes)?;
        let result = self.log_and_publish(table, chunks, key, rows, &options.tags);
        drop(append);
        if result.as_ref().map_or(true, |appended| appended.duplicate) {
            shared.release(bytes);
        }
        result
    }

    fn log_and_publish(
        &self,
        table: TableId,
        chunks: Vec<Chunk>,
        key: Option<u128>,
        rows: u64,
        tags: &[String],
    ) -> Result<Appended> {
        let mut prepared = Vec::with_capacity(chunks.len());
        for chunk in chunks {
            let columns: Vec<ChunkColumn> = chunk
                .columns
                .iter()
                .filter(|column| column.id != crate::catalog::INGESTION_TIME_COLUMN)
                .cloned()
                .collect();
            let last = prepared.len() + 1;
            let payload = payload::encode(&RowsPayload {
                appended_ticks: chunk.appended_ticks,
                // In the first record of the request: any whole request has it.
                key: key.filter(|_| last == 1).map(|key| (key, rows)),
                tags: tags.to_vec(),
                rows: chunk.rows,
                columns,
            })?;
            let checksum = xxh3_64(&payload.bytes);
            prepared.push(PreparedBatch { payload, checksum, chunk });
        }
        let (reply, answer) = crossbeam_channel::bounded(1);
        let request = AppendRequest { table, batches: prepared, key, rows, reply };
        self.inner.log.send(LogCommand::Append(Box::new(request))).map_err(|_| StorageError::Closed)?;
        answer.recv().map_err(|_| StorageError::Closed)?
    }

    /// What exists and what rows there are now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.inner.shared.snapshot()
    }

    /// The table of that name (case-sensitive) in a database, as it is now. Cheaper than a snapshot.
    pub fn table(&self, database: &str, name: &str) -> Option<Arc<TableEntry>> {
        self.inner.shared.current.read().state.database(database)?.table(name).cloned()
    }

    /// A database cursor, in ticks of the time of ingestion: rows up to it are in every snapshot taken from now on,
    /// all rows still to come are past it.
    pub fn cursor(&self) -> i64 {
        let shared = &self.inner.shared;
        shared.cursors.current(shared.now())
    }

    /// Makes one change of the catalog durable.
    pub fn commit(&self, change: CatalogChange) -> Result<Arc<Snapshot>> {
        self.commit_all(&[change])
    }

    /// Makes several changes durable, all or none; each sees those before it.
    pub fn commit_all(&self, changes: &[CatalogChange]) -> Result<Arc<Snapshot>> {
        let shared = &self.inner.shared;
        shared.commit_edits(|state, sequence| {
            let context = PlanContext { now_ticks: shared.now(), sequence };
            let mut state = state.clone();
            let mut edits: Vec<Edit> = Vec::new();
            for change in changes {
                for edit in plan(&state, change, context)? {
                    state.apply(&edit).map_err(StorageError::Invalid)?;
                    edits.push(edit);
                }
            }
            Ok(edits)
        })?;
        Ok(self.snapshot())
    }

    /// Writes the unsealed rows of one table (or of all) into extents now, and frees the log of them.
    pub fn seal(&self, table: Option<TableId>) -> Result<()> {
        seal::seal_all(&self.inner.shared, table)?;
        seal::free_log(&self.inner.shared, &self.inner.log)
    }

    /// Merges one set of small extents; `false` when there is nothing worth it.
    pub fn merge_once(&self) -> Result<bool> {
        merge::merge_once(&self.inner.shared)
    }

    /// Drops the extents that are past their retention at a time (ticks); says how many.
    pub fn apply_retention(&self, now_ticks: i64) -> Result<usize> {
        retention::apply_retention(&self.inner.shared, now_ticks)
    }

    /// Deletes the files of dropped extents that no snapshot reads and that are past their recoverability; says
    /// how many.
    pub fn collect_garbage(&self) -> Result<usize> {
        garbage::collect_garbage(&self.inner.shared)
    }

    /// Size of every table.
    pub fn statistics(&self) -> Vec<TableStatistics> {
        let snapshot = self.snapshot();
        let mut all = Vec::new();
        for table in snapshot.databases().flat_map(|database| database.tables()) {
            let Some(data) = snapshot.table_data(table.id) else { continue };
            let chunk_times = data.chunks.iter().filter_map(|chunk| chunk.time);
            let least = chunk_times.clone().map(|(_, least, _)| least);
            let greatest = chunk_times.map(|(_, _, greatest)| greatest);
            all.push(TableStatistics {
                table: table.id,
                database: table.database.clone(),
                name: table.name.clone(),
                extents: data.extents.len() as u64,
                sealed_rows: data.sealed_rows(),
                sealed_bytes: data.extents.iter().map(|extent| extent.file_bytes).sum(),
                original_bytes: data.extents.iter().map(|extent| extent.original_bytes).sum(),
                row_store_rows: data.row_store_rows(),
                row_store_bytes: data.chunks.iter().map(|chunk| chunk.bytes).sum(),
                min_time: data.extents.iter().filter_map(|extent| extent.min_time).chain(least).min(),
                max_time: data.extents.iter().filter_map(|extent| extent.max_time).chain(greatest).max(),
            });
        }
        all
    }

    /// Health.
    pub fn status(&self) -> StoreStatus {
        let shared = &self.inner.shared;
        let (closed_bytes, closed_segments) = shared.closed_segments.size();
        let manifest_version = shared.current.read().state.version;
        let health = shared.health.lock();
        StoreStatus {
            degraded: health.degraded.clone(),
            last_write_error: health.last_write_error.clone(),
            row_store_bytes: shared.row_bytes.load(Ordering::Acquire),
            row_store_limit_bytes: shared.options.row_store_limit_bytes,
            log_bytes: closed_bytes + health.log_active_bytes,
            log_segments: closed_segments + u64::from(health.log_active_bytes > 0),
            log_syncs: health.log_syncs,
            manifest_version,
        }
    }

    /// What was found damaged at open or since.
    pub fn problems(&self) -> Vec<Problem> {
        self.inner.shared.problems.lock().clone()
    }

    /// Stops background work, syncs the log and refuses further writes with `Closed`. Unsealed rows stay in
    /// the log; snapshots stay readable.
    pub fn close(&self) -> Result<()> {
        self.inner.close()
    }
}

impl Inner {
    fn close(&self) -> Result<()> {
        if self.shared.closed.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        self.stop_background.lock().take();
        let (reply, answer) = crossbeam_channel::bounded(1);
        let result = match self.log.send(LogCommand::Stop(reply)) {
            Ok(()) => answer.recv().unwrap_or(Err(StorageError::Closed)),
            Err(_) => Err(StorageError::Closed),
        };
        for thread in self.threads.lock().drain(..) {
            if thread.join().is_err() {
                tracing::error!("a background thread of the store panicked");
            }
        }
        // A commit that had begun is over when its lock is free; then nobody writes any more.
        drop(self.shared.manifest.lock());
        self.lock.lock().take();
        result
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::error!(%error, "closing the store failed");
        }
    }
}
