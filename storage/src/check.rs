//! The offline verifier: every checksum and invariant of a data directory that no process has open.
//!
//! Reads only. A write that a crash cut off at the end of the log is no damage; the next open cuts it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::directory::{DirectoryLock, Format, Layout, read_format};
use crate::error::{Result, StorageError};
use crate::extent::Extent;
use crate::log::payload;
use crate::log::record::{RecordHeader, RecordKind};
use crate::log::replay::{list_segments, read_aborts};
use crate::log::segment::read_segment;
use crate::maintain::extent_file::file_checksum;
use crate::manifest::edit::ExtentRecord;
use crate::manifest::files::{list, load, read_file};
use crate::manifest::state::State;
use crate::store::Problem;

/// What the verifier found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    pub problems: Vec<Problem>,
    pub files_checked: u64,
    pub bytes_checked: u64,
}

/// Verifies a data directory. `Locked` while a store has it open; `NewerVersion` and `Invalid` as for opening.
pub fn check(directory: &Path) -> Result<CheckReport> {
    let layout = Layout::new(directory);
    let format = read_format(&layout)?;
    if format == Format::Absent {
        return Err(StorageError::NotFound { kind: "data directory", name: directory.display().to_string() });
    }
    let _lock = match DirectoryLock::take(&layout) {
        Ok(lock) => Some(lock),
        Err(error @ StorageError::Locked { .. }) => return Err(error),
        // A read-only directory has no writer to keep out.
        Err(_) => None,
    };
    let mut check = Check::default();
    if let Format::Damaged(detail) = format {
        check.problem(layout.format_file(), None, detail);
    }
    check.count(&layout.format_file());
    let state = check.manifest(&layout)?;
    check.log(&layout, &state)?;
    check.extents(&layout, &state);
    Ok(check.report)
}

#[derive(Default)]
struct Check {
    report: CheckReport,
}

impl Check {
    fn count(&mut self, path: &Path) {
        self.report.files_checked += 1;
        self.report.bytes_checked += std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    }

    fn problem(&mut self, file: PathBuf, offset: Option<u64>, detail: String) {
        self.report.problems.push(Problem { file, offset, table: None, time_range: None, detail });
    }

    fn error(&mut self, file: &Path, error: &StorageError) {
        match error {
            StorageError::Corrupt { path, offset, detail } => {
                self.problem(path.clone(), Some(*offset), detail.clone());
            }
            other => self.problem(file.to_owned(), None, other.to_string()),
        }
    }

    /// Every file, then the state they make. Without a readable state there is nothing to hold the rest against.
    fn manifest(&mut self, layout: &Layout) -> Result<State> {
        for ((version, kind), path) in list(&layout.manifest())? {
            self.count(&path);
            let mut damaged_copies = Vec::new();
            match read_file(&path, version, kind, &mut damaged_copies) {
                Ok(_) => {}
                Err(error @ StorageError::NewerVersion { .. }) => return Err(error),
                Err(error) => self.error(&path, &error),
            }
            self.report.problems.extend(damaged_copies);
        }
        match load(&layout.manifest()) {
            Ok(loaded) => Ok(loaded.state),
            Err(error @ StorageError::NewerVersion { .. }) => Err(error),
            Err(error) => {
                let already =
                    self.report.problems.iter().any(|problem| error.to_string().contains(&problem.detail));
                if !already {
                    self.error(&layout.manifest(), &error);
                }
                Ok(State::default())
            }
        }
    }

    fn log(&mut self, layout: &Layout, state: &State) -> Result<()> {
        let files = list_segments(&layout.log())?;
        let aborts: HashMap<u64, u64> = read_aborts(&files)?;
        for (position, (number, path)) in files.iter().enumerate() {
            self.count(path);
            let bytes = match std::fs::read(path) {
                Ok(bytes) => bytes,
                Err(error) => {
                    self.problem(path.clone(), None, format!("cannot be read: {error}"));
                    continue;
                }
            };
            let limit = aborts.get(number).copied().unwrap_or(u64::MAX);
            let contents = read_segment(path, &bytes, position + 1 == files.len())?;
            for damage in contents.damages.iter().filter(|damage| (damage.offset as u64) < limit) {
                self.record_problem(
                    path,
                    damage.offset,
                    damage.header.as_ref(),
                    damage.detail.clone(),
                    state,
                );
            }
            for record in contents.records.iter().filter(|record| (record.offset as u64) < limit) {
                let header = &record.header;
                if header.kind == RecordKind::Rows
                    && let Err(detail) =
                        payload::decode(record.payload(&bytes), header.compressed, header.raw_length)
                {
                    self.record_problem(path, record.offset, Some(header), detail, state);
                }
            }
        }
        Ok(())
    }

    fn record_problem(
        &mut self,
        path: &Path,
        offset: usize,
        header: Option<&RecordHeader>,
        detail: String,
        state: &State,
    ) {
        self.report.problems.push(Problem {
            file: path.to_owned(),
            offset: Some(offset as u64),
            table: header.map(|header| match state.tables.get(&header.table) {
                Some(table) => format!("{}.{}", table.entry.database, table.entry.name),
                None => header.table.to_string(),
            }),
            time_range: header.and_then(RecordHeader::time_range),
            detail,
        });
    }

    fn extents(&mut self, layout: &Layout, state: &State) {
        for (id, table) in &state.tables {
            let name = format!("{}.{}", table.entry.database, table.entry.name);
            for record in table.extents.iter() {
                self.extent(&layout.extent(*id, record), record, &name);
            }
        }
        for dropped in state.dropped.values() {
            let path = layout.extent(dropped.table, &dropped.extent);
            if path.exists() {
                self.extent(&path, &dropped.extent, &format!("{} (dropped)", dropped.table));
            }
        }
    }

    fn extent(&mut self, path: &Path, record: &ExtentRecord, table: &str) {
        self.count(path);
        let mut found: Vec<(Option<u64>, String)> = Vec::new();
        let mut add = |error: &StorageError| match error {
            StorageError::Corrupt { offset, detail, .. } => found.push((Some(*offset), detail.clone())),
            other => found.push((None, other.to_string())),
        };
        match Extent::open(path) {
            Ok(extent) => {
                extent.verify().iter().for_each(&mut add);
                let described =
                    (extent.extent_id(), extent.rows(), extent.row_group_count(), extent.file_bytes());
                if described != (record.id, record.rows, record.row_groups, record.file_bytes) {
                    found.push((None, "the file is another extent than the manifest names".to_owned()));
                }
            }
            Err(error) => add(&error),
        }
        if found.is_empty() {
            match file_checksum(path) {
                Ok(checksum) if checksum == record.file_checksum => {}
                Ok(_) => found.push((None, "the file's checksum is not the one in the manifest".to_owned())),
                Err(error) => found.push((None, error.to_string())),
            }
        }
        self.report.problems.extend(found.into_iter().map(|(offset, detail)| Problem {
            file: path.to_owned(),
            offset,
            table: Some(table.to_owned()),
            time_range: record.min_time.zip(record.max_time),
            detail,
        }));
    }
}
