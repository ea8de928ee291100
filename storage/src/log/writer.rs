//! Appending to the newest segment, and giving back the oldest ones.
//!
//! One thread owns the writer. A write or sync that fails never counts as done: what may have reached the disk
//! is cut off, or disowned by an abort record at the head of the next segment.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_64;

use crate::catalog::TableId;
use crate::disk::{Disk, DiskFile};
use crate::error::{Result, StorageError};
use crate::log::payload::StoredPayload;
use crate::log::record::{RecordHeader, RecordKind};
use crate::log::segment::{SEGMENT_HEADER_BYTES, encode_segment_header, segment_path};

/// A segment that is not written any more.
#[derive(Clone, Debug)]
pub struct ClosedSegment {
    pub number: u64,
    pub path: PathBuf,
    pub bytes: u64,
    /// The last commit sequence of each table in it.
    pub tables: HashMap<TableId, u64>,
    /// Holds records that disown parts of older segments.
    pub has_aborts: bool,
    /// Kept in the `damaged` directory instead of being deleted.
    pub damaged: bool,
}

/// The closed segments, oldest first; shared with whoever frees them.
#[derive(Debug, Default)]
pub struct ClosedSegments {
    segments: Mutex<VecDeque<ClosedSegment>>,
    freeing: Mutex<()>,
}

impl ClosedSegments {
    pub fn new(segments: VecDeque<ClosedSegment>) -> ClosedSegments {
        ClosedSegments { segments: Mutex::new(segments), freeing: Mutex::default() }
    }

    /// Bytes and number of the segments.
    pub fn size(&self) -> (u64, u64) {
        let segments = self.segments.lock();
        (segments.iter().map(|segment| segment.bytes).sum(), segments.len() as u64)
    }

    /// The tables that the oldest segment is kept for.
    pub fn held_by(&self, sealed: impl Fn(TableId) -> Option<u64>) -> Vec<TableId> {
        let segments = self.segments.lock();
        let Some(oldest) = segments.front() else { return Vec::new() };
        oldest
            .tables
            .iter()
            .filter(|(table, last)| sealed(**table).is_some_and(|up_to| up_to < **last))
            .map(|(table, _)| *table)
            .collect()
    }

    /// Deletes the oldest segments whose rows are all in extents. `sealed` says up to which commit sequence a
    /// table is sealed, `None` for a table that does not exist any more. Stops at the first that cannot be
    /// deleted; a later call goes on.
    pub fn free(
        &self,
        disk: &dyn Disk,
        damaged_directory: &Path,
        sealed: impl Fn(TableId) -> Option<u64>,
    ) -> Result<usize> {
        let _one_at_a_time = self.freeing.lock();
        let mut freed = 0;
        // Deleting happens outside the lock of the list: the log thread adds to it.
        while let Some(oldest) = self.oldest() {
            let done =
                oldest.tables.iter().all(|(table, last)| sealed(*table).is_none_or(|up_to| up_to >= *last));
            if !done {
                break;
            }
            let path = &oldest.path;
            let directory = path.parent().unwrap_or(path);
            if oldest.has_aborts {
                // The disowned segment must be gone for good before the record that disowns it.
                disk.sync_directory(directory)
                    .map_err(|error| StorageError::io("sync directory", directory, error))?;
            }
            let result = if oldest.damaged {
                let name = path.file_name().unwrap_or_default();
                disk.create_directory(damaged_directory)
                    .and_then(|()| disk.rename(path, &damaged_directory.join(name)))
            } else {
                disk.remove(path)
            };
            match result {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(StorageError::io("remove", path, error)),
            }
            self.segments.lock().pop_front();
            freed += 1;
        }
        Ok(freed)
    }

    fn oldest(&self) -> Option<ClosedSegment> {
        self.segments.lock().front().cloned()
    }

    fn push(&self, segment: ClosedSegment) {
        self.segments.lock().push_back(segment);
    }
}

/// One record to write; its sequence is given at writing.
#[derive(Debug)]
pub struct RecordToWrite<'a> {
    pub table: TableId,
    pub sequence: u64,
    pub index: u32,
    pub more: bool,
    pub rows: u32,
    pub time: Option<(i64, i64)>,
    pub payload: &'a StoredPayload,
    pub payload_checksum: u64,
}

#[derive(Debug)]
struct ActiveSegment {
    number: u64,
    path: PathBuf,
    file: Box<dyn DiskFile>,
    length: u64,
    synced: u64,
    tables: HashMap<TableId, u64>,
    has_aborts: bool,
}

/// Writes records to the newest segment.
#[derive(Debug)]
pub struct LogWriter {
    directory: PathBuf,
    disk: Arc<dyn Disk>,
    closed: Arc<ClosedSegments>,
    active: Option<ActiveSegment>,
    next_number: u64,
    /// Segment and offset from which on its bytes are disowned, until an abort record says so on disk.
    aborts: Vec<(u64, u64)>,
    segment_bytes: u64,
    /// Scratch for headers and small payloads, so that a group of small records is one write.
    buffer: Vec<u8>,
}

impl LogWriter {
    pub fn new(
        directory: PathBuf,
        disk: Arc<dyn Disk>,
        closed: Arc<ClosedSegments>,
        next_number: u64,
        segment_bytes: u64,
    ) -> LogWriter {
        LogWriter {
            directory,
            disk,
            closed,
            active: None,
            next_number,
            aborts: Vec::new(),
            segment_bytes,
            buffer: Vec::new(),
        }
    }

    /// Bytes of the segment being written.
    pub fn active_bytes(&self) -> u64 {
        self.active.as_ref().map_or(0, |active| active.length)
    }

    /// Whether a part of an older segment still has to be disowned on disk.
    pub fn needs_repair(&self) -> bool {
        !self.aborts.is_empty()
    }

    /// Whether there are bytes that are written but not synced.
    pub fn has_unsynced(&self) -> bool {
        self.active.as_ref().is_some_and(|active| active.synced < active.length)
    }

    /// Writes records one after the other; either all of them or, as far as a reader can tell, none.
    pub fn write(&mut self, records: &[RecordToWrite<'_>], now_ticks: i64) -> Result<()> {
        const GATHER_BYTES: usize = 256 << 10;
        if self.active.is_none() {
            self.begin_segment(now_ticks)?;
        }
        let Some(active) = self.active.as_mut() else { return Err(StorageError::Closed) };
        let start = active.length;
        self.buffer.clear();
        let mut result = Ok(());
        let mut written = start;
        for record in records {
            let header = RecordHeader {
                kind: RecordKind::Rows,
                compressed: false,
                more: record.more,
                index: record.index,
                sequence: record.sequence,
                table: record.table,
                stored_length: record.payload.length,
                raw_length: record.payload.length,
                rows: record.rows,
                time: record.time.unwrap_or((i64::MAX, i64::MIN)),
                payload_checksum: record.payload_checksum,
            };
            self.buffer.extend_from_slice(&header.encode());
            if record.payload.bytes.len() < GATHER_BYTES {
                self.buffer.extend_from_slice(&record.payload.bytes);
            }
            if record.payload.bytes.len() >= GATHER_BYTES || self.buffer.len() >= GATHER_BYTES {
                result = active.file.write_all(&self.buffer);
                written += self.buffer.len() as u64;
                self.buffer.clear();
                if result.is_ok() && record.payload.bytes.len() >= GATHER_BYTES {
                    result = active.file.write_all(&record.payload.bytes);
                    written += record.payload.bytes.len() as u64;
                }
            }
            if result.is_err() {
                break;
            }
        }
        if result.is_ok() && !self.buffer.is_empty() {
            result = active.file.write_all(&self.buffer);
            written += self.buffer.len() as u64;
        }
        match result {
            Ok(()) => {
                active.length = written;
                for record in records {
                    active.tables.insert(record.table, record.sequence);
                }
                Ok(())
            }
            Err(error) => {
                let path = active.path.clone();
                if active.file.truncate(start).is_err() {
                    self.disown(start);
                }
                Err(StorageError::io("write", path, error))
            }
        }
    }

    /// Makes everything written durable. `acknowledged`: the unsynced rows were already acknowledged (relaxed
    /// durability), so they stay valid if they did reach the disk.
    pub fn sync(&mut self, acknowledged: bool) -> Result<()> {
        let Some(active) = self.active.as_mut() else { return Ok(()) };
        match active.file.sync() {
            Ok(()) => {
                active.synced = active.length;
                Ok(())
            }
            Err(error) => {
                // The kernel may have dropped the dirty pages: a later sync that succeeds would prove nothing
                // about them. So nothing is added to this file any more.
                let path = active.path.clone();
                if acknowledged {
                    self.close_segment();
                } else {
                    let from = active.synced;
                    let _ = active.file.truncate(from);
                    self.disown(from);
                }
                Err(StorageError::io("sync", path, error))
            }
        }
    }

    /// Closes a segment that is large enough.
    pub fn rotate_if_full(&mut self) {
        if self.active_bytes() >= self.segment_bytes {
            self.close_segment();
        }
    }

    /// Closes the segment being written, so that it can be freed once its rows are sealed.
    pub fn close_segment(&mut self) {
        if let Some(mut active) = self.active.take() {
            if active.synced < active.length {
                // Whoever needs to know that this worked calls `sync`.
                let _ = active.file.sync();
            }
            self.closed.push(ClosedSegment {
                number: active.number,
                path: active.path,
                bytes: active.length,
                tables: active.tables,
                has_aborts: active.has_aborts,
                damaged: false,
            });
        }
    }

    /// After a failure: begins a segment that says on disk which bytes do not count.
    pub fn repair(&mut self, now_ticks: i64) -> Result<()> {
        if self.aborts.is_empty() {
            return Ok(());
        }
        if self.active.is_none() {
            self.begin_segment(now_ticks)?;
        }
        self.sync(false)
    }

    fn disown(&mut self, from: u64) {
        if let Some(mut active) = self.active.take() {
            self.aborts.push((active.number, from));
            active.length = from;
            self.active = Some(active);
            self.close_segment();
        }
    }

    fn begin_segment(&mut self, now_ticks: i64) -> Result<()> {
        let number = self.next_number;
        let path = segment_path(&self.directory, number);
        let mut file = self.disk.create(&path).map_err(|error| StorageError::io("create", &path, error))?;
        let mut head = encode_segment_header(number, now_ticks).to_vec();
        for (segment, offset) in &self.aborts {
            head.extend_from_slice(&abort_record(*segment, *offset));
        }
        let result = file
            .write_all(&head)
            .and_then(|()| file.sync())
            .and_then(|()| self.disk.sync_directory(&self.directory));
        if let Err(error) = result {
            drop(file);
            // The next attempt takes the same number: while this segment is the newest, whatever is left of it
            // after a crash counts as torn.
            let _ = self.disk.remove(&path);
            return Err(StorageError::io("begin log segment", path, error));
        }
        self.next_number += 1;
        let has_aborts = !self.aborts.is_empty();
        self.aborts.clear();
        let length = head.len() as u64;
        debug_assert!(head.len() >= SEGMENT_HEADER_BYTES);
        self.active = Some(ActiveSegment {
            number,
            path,
            file,
            length,
            synced: length,
            tables: HashMap::new(),
            has_aborts,
        });
        Ok(())
    }
}

fn abort_record(segment: u64, offset: u64) -> Vec<u8> {
    let mut payload = segment.to_le_bytes().to_vec();
    payload.extend_from_slice(&offset.to_le_bytes());
    let header = RecordHeader {
        kind: RecordKind::Abort,
        compressed: false,
        more: false,
        index: 0,
        sequence: 0,
        table: Uuid::nil(),
        stored_length: payload.len() as u32,
        raw_length: payload.len() as u32,
        rows: 0,
        time: (i64::MAX, i64::MIN),
        payload_checksum: xxh3_64(&payload),
    };
    let mut bytes = header.encode().to_vec();
    bytes.extend_from_slice(&payload);
    bytes
}
