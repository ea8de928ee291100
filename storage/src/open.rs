//! Opening a data directory: format, lock, manifest, log, leftovers.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use parking_lot::{Condvar, Mutex, RwLock};

use crate::catalog::{CatalogChange, DEFAULT_DATABASE};
use crate::directory::{DirectoryLock, Format, Layout, read_format, write_format};
use crate::error::{Result, StorageError};
use crate::extent_pool::ExtentPool;
use crate::log::replay::{Replay, replay};
use crate::log::writer::{ClosedSegments, LogWriter};
use crate::manifest::files::{ManifestFiles, list, load};
use crate::manifest::plan::{PlanContext, plan};
use crate::manifest::state::State;
use crate::row_store::join_chunks;
use crate::shared::{Current, Health, Shared};
use crate::store::{Problem, StoreOptions};

/// An opened directory, before any thread works on it.
pub(crate) struct Opened {
    pub shared: Arc<Shared>,
    pub lock: DirectoryLock,
    pub writer: LogWriter,
    pub last_sequence: u64,
}

/// Opens a directory or creates one.
pub(crate) fn open(directory: &Path, options: StoreOptions) -> Result<Opened> {
    let layout = Layout::new(directory);
    let disk = options.disk.clone();
    // Before the lock: a directory of a newer version is left exactly as it is.
    read_format(&layout)?;
    std::fs::create_dir_all(directory)
        .map_err(|error| StorageError::io("create directory", directory, error))?;
    let lock = DirectoryLock::take(&layout)?;
    let format = read_format(&layout)?;
    let mut problems = Vec::new();
    if let Format::Damaged(detail) = &format {
        problems.push(Problem {
            file: layout.format_file(),
            offset: None,
            table: None,
            time_range: None,
            detail: format!("{detail}; it was written anew"),
        });
    }
    let now = (options.clock)();
    if let Some(parent) = directory.parent().filter(|parent| parent.is_dir()) {
        // A new directory must not vanish with what is acknowledged in it. Some parents cannot be opened.
        let _ = disk.sync_directory(parent);
    }
    if format == Format::Absent {
        // First of all files: a directory without it, but with others, has lost it.
        write_format(&layout, disk.as_ref(), now)?;
    }
    for path in [layout.manifest(), layout.log(), layout.extents()] {
        disk.create_directory(&path).map_err(|error| StorageError::io("create directory", path, error))?;
    }
    disk.sync_directory(directory).map_err(|error| StorageError::io("sync directory", directory, error))?;
    let fresh = list(&layout.manifest())?.is_empty();
    let mut manifest = ManifestFiles::open(layout.manifest(), disk.clone())?;
    let mut manifest_is_whole = true;
    let state = if fresh {
        refuse_data_without_manifest(&layout)?;
        let state = first_state(now)?;
        manifest.write_full(&state, now)?;
        state
    } else {
        let loaded = load(&layout.manifest())?;
        manifest_is_whole = loaded.problems.is_empty();
        problems.extend(loaded.problems);
        loaded.state
    };
    if let Format::Damaged(_) = format {
        write_format(&layout, disk.as_ref(), now)?;
    }
    let replay = replay(&layout, &state)?;
    replay.cut(disk.as_ref())?;
    if manifest_is_whole {
        remove_leftovers(&layout, &state, disk.as_ref())?;
    }
    problems.extend(replay.problems.iter().cloned());
    problems.extend(missing_extents(&layout, &state));
    for problem in &problems {
        tracing::error!(%problem, "damaged data");
    }
    let closed = Arc::new(ClosedSegments::new(replay.segments.clone()));
    let segment_bytes = options.log_segment_bytes;
    let writer =
        LogWriter::new(layout.log(), disk.clone(), closed.clone(), replay.next_number, segment_bytes);
    let last_sequence =
        replay.last_sequence.max(state.tables.values().map(|table| table.sealed_up_to).max().unwrap_or(0));
    let current = current(state, replay, last_sequence)?;
    let row_bytes = current.rows.values().map(|rows| rows.bytes()).sum();
    let problems = Arc::new(Mutex::new(problems));
    let shared = Shared {
        pool: Arc::new(ExtentPool::new(layout.clone(), problems.clone())),
        layout,
        options,
        disk,
        current: RwLock::new(current),
        manifest: Mutex::new(manifest),
        closed_segments: closed,
        problems,
        row_bytes: AtomicU64::new(row_bytes),
        waiting_for_room: Mutex::default(),
        room: Condvar::new(),
        health: Mutex::new(Health::default()),
        closed: AtomicBool::new(false),
        graveyard: Mutex::default(),
        doubtful: Mutex::default(),
        unmergeable: Mutex::default(),
        durable_directories: Mutex::default(),
        sealing: Mutex::default(),
        cursors: crate::cursor::Cursors::default(),
        merging: Mutex::default(),
    };
    Ok(Opened { shared: Arc::new(shared), lock, writer, last_sequence })
}

fn first_state(now_ticks: i64) -> Result<State> {
    let mut state = State { version: 1, ..State::default() };
    let change = CatalogChange::CreateDatabase { name: DEFAULT_DATABASE.to_owned(), if_not_exists: false };
    for edit in plan(&state, &change, PlanContext { now_ticks, sequence: 0 })? {
        state.apply(&edit).map_err(StorageError::Invalid)?;
    }
    Ok(state)
}

/// A directory with rows but no manifest has lost it; an empty one in its place would drop the rows.
fn refuse_data_without_manifest(layout: &Layout) -> Result<()> {
    let has_rows = !crate::log::replay::list_segments(&layout.log())?.is_empty()
        || !files_below(&layout.extents()).is_empty();
    if has_rows {
        return Err(StorageError::Corrupt {
            path: layout.manifest(),
            offset: 0,
            detail: "the manifest is missing, but there are log segments or extents: restore its files"
                .to_owned(),
        });
    }
    Ok(())
}

fn current(state: State, replay: Replay, last_sequence: u64) -> Result<Current> {
    let mut current = Current { sequence: last_sequence, ..Current::default() };
    for (id, table) in &state.tables {
        let keys = table.keys.iter().map(|key| (key.hash, (key.sequence, key.rows))).collect();
        current.keys.insert(*id, keys);
    }
    for (table, key) in replay.keys {
        let known = current.keys.entry(table).or_default();
        if known.insert(key.hash, (key.sequence, key.rows)).is_none() {
            current.unsealed_keys.entry(table).or_default().push(key);
        }
    }
    for (table, chunk) in replay.chunks {
        let rows = current.rows.entry(table).or_default();
        rows.push(Arc::new(chunk));
        while let Some(run) = rows.run_to_join() {
            let joined = Arc::new(join_chunks(&run)?);
            rows.replace_run(&run, joined);
        }
    }
    current.state = Arc::new(state);
    Ok(current)
}

/// Every file below a directory; unreadable places are left out.
pub(crate) fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&directory) else { continue };
        for entry in entries.flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => open.push(entry.path()),
                _ => files.push(entry.path()),
            }
        }
    }
    files.sort();
    files
}

/// Removes temporary files, and extents that no version of the manifest names: seals and merges that a crash
/// interrupted before their commit.
fn remove_leftovers(layout: &Layout, state: &State, disk: &dyn crate::disk::Disk) -> Result<()> {
    let mut named: HashSet<PathBuf> = HashSet::new();
    for (id, table) in &state.tables {
        named.extend(table.extents.iter().map(|extent| layout.extent(*id, extent)));
    }
    named.extend(state.dropped.values().map(|dropped| layout.extent(dropped.table, &dropped.extent)));
    let mut leftovers: Vec<PathBuf> =
        files_below(&layout.extents()).into_iter().filter(|path| !named.contains(path)).collect();
    for directory in [layout.root.clone(), layout.manifest()] {
        let Ok(entries) = std::fs::read_dir(directory) else { continue };
        let temporary = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "tmp");
        leftovers.extend(entries.flatten().map(|entry| entry.path()).filter(temporary));
    }
    for path in leftovers {
        tracing::info!(file = %path.display(), "removing a leftover");
        disk.remove(&path).map_err(|error| StorageError::io("remove", path, error))?;
    }
    Ok(())
}

/// Extents that the manifest names but that are not there, or not in their length.
fn missing_extents(layout: &Layout, state: &State) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (id, table) in &state.tables {
        for extent in table.extents.iter() {
            let path = layout.extent(*id, extent);
            let detail = match std::fs::metadata(&path) {
                Ok(metadata) if metadata.len() == extent.file_bytes => continue,
                Ok(metadata) => {
                    format!("the extent has {} bytes instead of {}", metadata.len(), extent.file_bytes)
                }
                Err(error) => format!("the extent cannot be read: {error}"),
            };
            problems.push(Problem {
                file: path,
                offset: None,
                table: Some(format!("{}.{}", table.entry.database, table.entry.name)),
                time_range: extent.min_time.zip(extent.max_time),
                detail,
            });
        }
    }
    problems
}
