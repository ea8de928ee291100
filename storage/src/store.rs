//! The store: one directory, opened once, shared by every thread.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arrow_array::ArrayRef;
use parking_lot::{Mutex, RwLock};

use crate::catalog::{CatalogChange, DEFAULT_DATABASE, TableId};
use crate::error::{Result, StorageError};
use crate::limits;
use crate::manifest::plan::{PlanContext, plan};
use crate::manifest::state::State;
use crate::row_store::{Chunk, TableRows, array_bytes, check_batch};
use crate::snapshot::Snapshot;

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
    /// A table is sealed at this many unsealed rows, …
    pub seal_rows: u64,
    /// … bytes of them, …
    pub seal_bytes: u64,
    /// … or age of the oldest one.
    pub seal_age: Duration,
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
}

impl Default for StoreOptions {
    fn default() -> StoreOptions {
        StoreOptions {
            durability: Durability::Durable,
            row_store_limit_bytes: limits::ROW_STORE_BYTES,
            seal_rows: limits::SEAL_ROWS,
            seal_bytes: limits::SEAL_BYTES,
            seal_age: limits::SEAL_AGE,
            log_limit_bytes: limits::LOG_BYTES_MAX,
            partition_span_ticks: limits::PARTITION_SPAN_TICKS,
            recoverability: limits::RECOVERABILITY,
            replaced_keep: limits::REPLACED_KEEP,
            key_age: limits::KEY_AGE,
            background: true,
            clock: system_clock(),
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
    /// Schema version that the arrays were built for; refused with `Invalid` when the table has moved on in a
    /// way that does not fit. `None`: the current one.
    pub schema_version: Option<u64>,
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
    directory: PathBuf,
    options: StoreOptions,
    commit: Mutex<()>,
    current: RwLock<Current>,
}

#[derive(Debug, Default)]
struct Current {
    state: Arc<State>,
    rows: HashMap<TableId, TableRows>,
    keys: HashMap<(TableId, String), (u64, u64)>,
    sequence: u64,
}

impl Store {
    /// Opens a data directory, creating it when it does not exist.
    pub fn open(directory: impl AsRef<Path>, options: StoreOptions) -> Result<Store> {
        let inner = Inner {
            directory: directory.as_ref().to_owned(),
            options,
            commit: Mutex::default(),
            current: RwLock::default(),
        };
        let store = Store { inner: Arc::new(inner) };
        store.commit(CatalogChange::CreateDatabase {
            name: DEFAULT_DATABASE.to_owned(),
            if_not_exists: true,
        })?;
        Ok(store)
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.inner.directory
    }

    /// The options it was opened with.
    pub fn options(&self) -> &StoreOptions {
        &self.inner.options
    }

    /// Adds a batch: one array per column of the table in schema order (trailing columns may be missing).
    /// When it returns, the rows are durable and visible.
    pub fn append(
        &self,
        table: TableId,
        columns: &[ArrayRef],
        options: AppendOptions<'_>,
    ) -> Result<Appended> {
        self.append_many(table, &[columns.to_vec()], options)
    }

    /// Adds several batches that become durable and visible together or not at all.
    pub fn append_many(
        &self,
        table: TableId,
        batches: &[Vec<ArrayRef>],
        options: AppendOptions<'_>,
    ) -> Result<Appended> {
        let now = (self.inner.options.clock)();
        let mut current = self.inner.current.write();
        let entry = match current.state.tables.get(&table) {
            Some(state) => state.entry.clone(),
            None => return Err(StorageError::NotFound { kind: "table", name: table.to_string() }),
        };
        let mut rows = 0;
        let mut bytes = 0;
        for batch in batches {
            rows += check_batch(&entry, batch)? as u64;
            bytes += batch.iter().map(array_bytes).sum::<u64>();
        }
        let key = options.key.map(|key| (table, key.to_owned()));
        if let Some((sequence, rows)) = key.as_ref().and_then(|key| current.keys.get(key)) {
            return Ok(Appended { sequence: *sequence, rows: *rows, duplicate: true });
        }
        let used = current.rows.values().map(TableRows::bytes).sum::<u64>();
        let limit = self.inner.options.row_store_limit_bytes;
        if used + bytes > limit {
            return Err(StorageError::Busy { used_bytes: used, limit_bytes: limit });
        }
        for batch in batches {
            current.sequence += 1;
            let chunk = Arc::new(Chunk::new(&entry, batch, current.sequence, now));
            current.rows.entry(table).or_default().push(chunk);
        }
        let sequence = current.sequence;
        if let Some(key) = key {
            current.keys.insert(key, (sequence, rows));
        }
        Ok(Appended { sequence, rows, duplicate: false })
    }

    /// What exists and what rows there are now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        let current = self.inner.current.read();
        Arc::new(Snapshot {
            state: current.state.clone(),
            rows: current.rows.iter().map(|(table, rows)| (*table, rows.chunks.clone())).collect(),
            sequence: current.sequence,
        })
    }

    /// Makes one change of the catalog durable.
    pub fn commit(&self, change: CatalogChange) -> Result<Arc<Snapshot>> {
        self.commit_all(&[change])
    }

    /// Makes several changes durable, all or none; each sees those before it.
    pub fn commit_all(&self, changes: &[CatalogChange]) -> Result<Arc<Snapshot>> {
        let _commit = self.inner.commit.lock();
        {
            let mut current = self.inner.current.write();
            let context = PlanContext { now_ticks: (self.inner.options.clock)(), sequence: current.sequence };
            let mut state = current.state.as_ref().clone();
            for change in changes {
                for edit in plan(&state, change, context)? {
                    state.apply(&edit).map_err(StorageError::Invalid)?;
                }
            }
            state.version += 1;
            let sealed: Vec<(TableId, u64)> =
                state.tables.iter().map(|(table, state)| (*table, state.sealed_up_to)).collect();
            current.rows.retain(|table, _| state.tables.contains_key(table));
            for (table, sequence) in sealed {
                if let Some(rows) = current.rows.get_mut(&table) {
                    rows.remove_up_to(sequence);
                }
            }
            current.state = Arc::new(state);
        }
        Ok(self.snapshot())
    }

    /// Writes the unsealed rows of one table (or of all) into extents now.
    pub fn seal(&self, _table: Option<TableId>) -> Result<()> {
        Ok(())
    }

    /// Merges one set of small extents; `false` when there is nothing worth it.
    pub fn merge_once(&self) -> Result<bool> {
        Ok(false)
    }

    /// Drops the extents that are past their retention at a time; says how many.
    pub fn apply_retention(&self, _now_ticks: i64) -> Result<usize> {
        Ok(0)
    }

    /// Size of every table.
    pub fn statistics(&self) -> Vec<TableStatistics> {
        let snapshot = self.snapshot();
        let mut all = Vec::new();
        for table in snapshot.databases().flat_map(|database| database.tables()) {
            let Some(data) = snapshot.table_data(table.id) else { continue };
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
                min_time: data.extents.iter().filter_map(|extent| extent.min_time).min(),
                max_time: data.extents.iter().filter_map(|extent| extent.max_time).max(),
            });
        }
        all
    }

    /// Health.
    pub fn status(&self) -> StoreStatus {
        let current = self.inner.current.read();
        StoreStatus {
            row_store_bytes: current.rows.values().map(TableRows::bytes).sum(),
            row_store_limit_bytes: self.inner.options.row_store_limit_bytes,
            manifest_version: current.state.version,
            ..StoreStatus::default()
        }
    }

    /// What was found damaged at open or since.
    pub fn problems(&self) -> Vec<Problem> {
        Vec::new()
    }

    /// Stops background work, syncs the log and refuses further writes with `Closed`. Unsealed rows stay in
    /// the log.
    pub fn close(&self) -> Result<()> {
        Ok(())
    }
}
