//! Putting the log together at open: which rows are not in extents yet, what is damaged, what is to be cut.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::Int64Array;

use crate::catalog::{INGESTION_TIME_COLUMN, TableEntry, TableId};
use crate::directory::Layout;
use crate::disk::Disk;
use crate::error::{Result, StorageError};
use crate::log::payload;
use crate::log::record::{RecordHeader, RecordKind};
use crate::log::segment::{FoundRecord, SEGMENT_HEADER_BYTES, SegmentContents, read_segment, segment_number};
use crate::log::writer::ClosedSegment;
use crate::manifest::edit::KeyRecord;
use crate::manifest::state::State;
use crate::row_store::{Chunk, ChunkColumn};
use crate::store::Problem;
use crate::types::ColumnType;

/// What the log holds beyond the extents.
#[derive(Debug, Default)]
pub struct Replay {
    /// Unsealed rows in commit order.
    pub chunks: Vec<(TableId, Chunk)>,
    /// Idempotency keys of unsealed requests.
    pub keys: Vec<(TableId, KeyRecord)>,
    pub segments: VecDeque<ClosedSegment>,
    pub problems: Vec<Problem>,
    pub last_sequence: u64,
    pub next_number: u64,
    /// Files to cut, and where; `0` removes the file.
    cuts: Vec<(PathBuf, u64)>,
}

/// The segment files of a log directory in order of their numbers.
pub fn list_segments(directory: &Path) -> Result<Vec<(u64, PathBuf)>> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(StorageError::io("read directory", directory, error)),
    };
    let mut segments = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| StorageError::io("read directory", directory, error))?.path();
        if let Some(number) = segment_number(&path) {
            segments.push((number, path));
        }
    }
    segments.sort();
    Ok(segments)
}

/// Reads the whole log. Touches nothing: `cut` does that.
pub fn replay(layout: &Layout, state: &State) -> Result<Replay> {
    let files = list_segments(&layout.log())?;
    let mut replay = Replay {
        last_sequence: state.sequence,
        next_number: files.last().map_or(1, |(number, _)| number + 1),
        ..Replay::default()
    };
    let aborts = read_aborts(&files)?;
    for (position, (number, path)) in files.iter().enumerate() {
        let bytes = std::fs::read(path).map_err(|error| StorageError::io("read", path, error))?;
        let last = position + 1 == files.len();
        let limit = aborts.get(number).copied().unwrap_or(u64::MAX);
        let contents = read_segment(path, &bytes, last)?;
        replay.add_segment(*number, path, &bytes, contents, limit, state);
    }
    Ok(replay)
}

/// From which offset on the bytes of a segment do not count. Abort records stand at the head of segments.
pub fn read_aborts(files: &[(u64, PathBuf)]) -> Result<HashMap<u64, u64>> {
    use std::io::Read;
    const HEAD_BYTES: u64 = 16 << 10;
    let mut aborts = HashMap::new();
    for (_, path) in files {
        let mut head = Vec::new();
        std::fs::File::open(path)
            .and_then(|file| file.take(HEAD_BYTES).read_to_end(&mut head))
            .map_err(|error| StorageError::io("read", path, error))?;
        let mut at = SEGMENT_HEADER_BYTES;
        while let Some(rest) = head.get(at..)
            && let Ok(header) = RecordHeader::decode(rest)
            && header.kind == RecordKind::Abort
            && header.record_bytes() <= rest.len()
        {
            let payload = (FoundRecord { offset: at, header }).payload(&head);
            if let (Some(segment), Some(offset)) = (payload.first_chunk::<8>(), payload.last_chunk::<8>()) {
                let offset = u64::from_le_bytes(*offset);
                let limit = aborts.entry(u64::from_le_bytes(*segment)).or_insert(offset);
                *limit = offset.min(*limit);
            }
            at += header.record_bytes();
        }
    }
    Ok(aborts)
}

impl Replay {
    fn add_segment(
        &mut self,
        number: u64,
        path: &Path,
        bytes: &[u8],
        contents: SegmentContents,
        limit: u64,
        state: &State,
    ) {
        let mut segment = ClosedSegment {
            number,
            path: path.to_owned(),
            bytes: bytes.len() as u64,
            tables: HashMap::new(),
            has_aborts: false,
            damaged: false,
        };
        for record in &contents.records {
            let header = &record.header;
            if header.kind == RecordKind::Abort {
                segment.has_aborts = true;
                continue;
            }
            self.last_sequence = self.last_sequence.max(header.sequence);
            if record.offset as u64 >= limit {
                continue;
            }
            let Some(table) = state.tables.get(&header.table) else { continue };
            segment.tables.insert(header.table, header.sequence);
            if header.sequence <= table.sealed_up_to {
                continue;
            }
            if let Err(detail) = self.add_record(&table.entry, header, record.payload(bytes)) {
                segment.damaged = true;
                self.problems.push(problem(state, path, record.offset, Some(header), detail));
            }
        }
        for damage in contents.damages.iter().filter(|damage| (damage.offset as u64) < limit) {
            let header = damage.header.as_ref();
            if let Some(header) = header {
                self.last_sequence = self.last_sequence.max(header.sequence);
                let sealed =
                    state.tables.get(&header.table).is_none_or(|table| header.sequence <= table.sealed_up_to);
                if sealed {
                    continue;
                }
            }
            segment.damaged = true;
            self.problems.push(problem(state, path, damage.offset, header, damage.detail.clone()));
        }
        match contents.torn_at {
            Some(at) if (at as u64) < limit => {
                let at = if at <= SEGMENT_HEADER_BYTES { 0 } else { at as u64 };
                tracing::info!(segment = %path.display(), offset = at, "cutting an incomplete write off the log");
                self.cuts.push((path.to_owned(), at));
                if at == 0 {
                    return;
                }
                segment.bytes = at;
            }
            _ => {}
        }
        self.segments.push_back(segment);
    }

    fn add_record(
        &mut self,
        entry: &TableEntry,
        header: &RecordHeader,
        stored: &[u8],
    ) -> std::result::Result<(), String> {
        let rows = payload::decode(stored, header.compressed, header.raw_length)?;
        if rows.rows != header.rows as usize {
            return Err("a record has another number of rows than its header says".to_owned());
        }
        if let Some((hash, request_rows)) = rows.key {
            let key =
                KeyRecord { hash, sequence: header.sequence, rows: request_rows, ticks: rows.appended_ticks };
            self.keys.push((header.table, key));
        }
        let mut columns = rows.columns;
        columns.push(ChunkColumn {
            id: INGESTION_TIME_COLUMN,
            ty: ColumnType::DateTime,
            array: Arc::new(Int64Array::from_value(rows.appended_ticks, rows.rows)),
        });
        let sequences = (header.sequence, header.sequence);
        let mut chunk =
            Chunk::from_columns(columns, entry.time_column(), rows.rows, sequences, rows.appended_ticks);
        chunk.tags = rows.tags;
        self.chunks.push((header.table, chunk));
        Ok(())
    }

    /// Cuts torn writes off, so that what follows in later segments is not taken for damage.
    pub fn cut(&self, disk: &dyn Disk) -> Result<()> {
        for (path, at) in &self.cuts {
            let result = if *at == 0 {
                let directory = path.parent().unwrap_or(path);
                disk.remove(path).and_then(|()| disk.sync_directory(directory))
            } else {
                disk.truncate(path, *at)
            };
            result.map_err(|error| StorageError::io("cut", path, error))?;
        }
        Ok(())
    }
}

fn problem(
    state: &State,
    path: &Path,
    offset: usize,
    header: Option<&RecordHeader>,
    detail: String,
) -> Problem {
    Problem {
        file: path.to_owned(),
        offset: Some(offset as u64),
        table: header.map(|header| match state.tables.get(&header.table) {
            Some(table) => format!("{}.{}", table.entry.database, table.entry.name),
            None => header.table.to_string(),
        }),
        time_range: header.and_then(RecordHeader::time_range),
        detail,
    }
}
