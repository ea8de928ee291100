//! Sealing: the oldest rows of a table's row store become extents, one per time partition, sorted by time.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef};
use crossbeam_channel::Sender;

use crate::catalog::{INGESTION_TIME_COLUMN, TableEntry, TableId};
use crate::column::{chunk_array, flatten};
use crate::error::{Result, StorageError};
use crate::limits::{PARTITION_COARSENING, ROW_GROUP_ROWS, SEAL_PARTITIONS_MAX, TICKS_PER_SECOND};
use crate::log::commit::LogCommand;
use crate::maintain::extent_file::{self, NewExtent, abandon, columns_of, discard};
use crate::maintain::gather::{Run, gather, push_rows};
use crate::maintain::unite::{United, unite};
use crate::manifest::edit::{Edit, ExtentRecord, KeyRecord};
use crate::row_store::{Chunk, union_of_tags};
use crate::shared::Shared;
use crate::types::ColumnType;

/// What one seal works on.
struct Work {
    entry: Arc<TableEntry>,
    chunks: Vec<Arc<Chunk>>,
    up_to: u64,
    sealed_before: u64,
    keys: Vec<KeyRecord>,
}

/// Seals the oldest rows of a table, at most about four seals' worth; `false` when it has none.
pub(crate) fn seal_table(shared: &Shared, table: TableId) -> Result<bool> {
    let _one_at_a_time = shared.sealing.lock();
    shared.check_open()?;
    let Some(work) = take_work(shared, table) else { return Ok(false) };
    let extents = write_extents(shared, &work)?;
    let now = shared.now();
    let expire_before_ticks = now.saturating_sub(ticks(shared.options.key_age));
    let mut overtaken = false;
    let committed = shared.commit_edits(|state, _| {
        // The table was dropped or cleared meanwhile: its rows are gone, and so is the reason for the extents.
        let current = state.tables.get(&table);
        if current.is_none_or(|current| current.sealed_up_to != work.sealed_before) {
            overtaken = true;
            return Ok(Vec::new());
        }
        let has_old_keys = current
            .and_then(|current| current.keys.front())
            .is_some_and(|key| key.ticks < expire_before_ticks);
        let mut edits = vec![
            Edit::ReplaceExtents {
                table,
                add: extents.clone(),
                remove: Vec::new(),
                merged: false,
                at_ticks: now,
            },
            Edit::Sealed { table, up_to: work.up_to },
        ];
        if !work.keys.is_empty() || has_old_keys {
            edits.push(Edit::AddKeys { table, keys: work.keys.clone(), expire_before_ticks });
        }
        Ok(edits)
    });
    match committed {
        Ok(()) if overtaken => discard(shared, &work.entry, &extents),
        Ok(()) => {}
        Err(failure) => {
            abandon(shared, &work.entry, &extents, failure.doubtful);
            return Err(failure.error);
        }
    }
    Ok(true)
}

/// A duration in ticks.
pub(crate) fn ticks(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_nanos() / 100).unwrap_or(i64::MAX)
}

fn take_work(shared: &Shared, table: TableId) -> Option<Work> {
    let mut current = shared.current.write();
    let current = &mut *current;
    let state = current.state.tables.get(&table)?;
    let rows = current.rows.get_mut(&table)?;
    let mut chunks = Vec::new();
    let (mut total, mut bytes) = (0, 0);
    for chunk in rows.chunks.iter() {
        if total >= shared.options.seal_rows.saturating_mul(4)
            || bytes >= shared.options.seal_bytes.saturating_mul(4)
        {
            break;
        }
        total += chunk.rows as u64;
        bytes += chunk.bytes;
        chunks.push(chunk.clone());
    }
    let up_to = chunks.last()?.last_sequence;
    rows.sealing_up_to = up_to;
    let keys = current.unsealed_keys.get(&table).map_or(&[][..], |keys| keys.as_slice());
    Some(Work {
        entry: state.entry.clone(),
        chunks,
        up_to,
        sealed_before: state.sealed_up_to,
        keys: keys.iter().filter(|key| key.sequence <= up_to).cloned().collect(),
    })
}

/// A row by its sort key, chunk and position.
type RowPlace = (i64, u32, u32);

fn write_extents(shared: &Shared, work: &Work) -> Result<Vec<ExtentRecord>> {
    let columns = columns_of(&work.entry);
    let sources =
        columns.iter().map(|(id, ty)| Source::of(&work.chunks, *id, *ty)).collect::<Result<Vec<Source>>>()?;
    let (span, partitions) = partition_rows(&work.entry, &work.chunks, shared.options.partition_span_ticks)?;
    let tags = union_of_tags(work.chunks.iter().map(|chunk| chunk.tags.as_slice()));
    let created_ticks = shared.now();
    let mut written = Vec::with_capacity(partitions.len());
    for (start, mut places) in partitions {
        if !places.is_sorted() {
            places.sort_unstable();
        }
        let mut groups = places.chunks(ROW_GROUP_ROWS);
        let new = NewExtent {
            entry: &work.entry,
            partition: (start, start.saturating_add(span)),
            created_ticks,
            generation: 0,
            tags: tags.clone(),
        };
        let record = extent_file::write(shared, new, || {
            shared.check_open()?;
            let Some(group) = groups.next() else { return Ok(None) };
            let mut runs: Vec<Run> = Vec::new();
            for (_, chunk, row) in group {
                push_rows(&mut runs, *chunk as usize, *row as usize, 1);
            }
            let arrays = columns.iter().zip(&sources).map(|((_, ty), source)| source.gather(&runs, *ty));
            Ok(Some(arrays.collect::<Result<Vec<_>>>()?))
        });
        match record {
            Ok(record) => written.push(record),
            Err(error) => {
                discard(shared, &work.entry, &written);
                return Err(error);
            }
        }
    }
    Ok(written)
}

/// A column of the rows to be sealed, batch by batch.
enum Source {
    /// Without dictionaries.
    Flat(Vec<ArrayRef>),
    Coded(United),
}

impl Source {
    fn of(chunks: &[Arc<Chunk>], id: u32, ty: ColumnType) -> Result<Source> {
        let arrays =
            chunks.iter().map(|chunk| chunk_array(chunk, id, ty)).collect::<Result<Vec<ArrayRef>>>()?;
        if ty == ColumnType::String
            && let Some(united) = unite(&arrays)?
        {
            return Ok(Source::Coded(united));
        }
        Ok(Source::Flat(arrays.iter().map(flatten).collect::<Result<_>>()?))
    }

    fn gather(&self, runs: &[Run], ty: ColumnType) -> Result<ArrayRef> {
        match self {
            Source::Flat(arrays) => gather(arrays, runs, ty),
            // Codes are copied as numbers are.
            Source::Coded(united) => united.column(&gather(&united.codes, runs, ColumnType::Int)?),
        }
    }
}

/// The rows of each partition by the partition's first tick, and the span of a partition: the table's, or a
/// coarser one when the rows are scattered over too many.
fn partition_rows(
    entry: &TableEntry,
    chunks: &[Arc<Chunk>],
    span: i64,
) -> Result<(i64, BTreeMap<i64, Vec<RowPlace>>)> {
    let mut span = span.max(TICKS_PER_SECOND);
    let mut partitions = split(entry, chunks, span)?;
    while partitions.len() > SEAL_PARTITIONS_MAX {
        span = span.saturating_mul(PARTITION_COARSENING);
        partitions = split(entry, chunks, span)?;
    }
    Ok((span, partitions))
}

fn split(entry: &TableEntry, chunks: &[Arc<Chunk>], span: i64) -> Result<BTreeMap<i64, Vec<RowPlace>>> {
    let time_column = entry.time_column();
    let mut partitions: BTreeMap<i64, Vec<RowPlace>> = BTreeMap::new();
    // Neighbouring rows are nearly always of one partition.
    let mut recent: Option<(i64, Vec<RowPlace>)> = None;
    for (chunk, index) in chunks.iter().zip(0u32..) {
        let ingestion = chunk_array(chunk, INGESTION_TIME_COLUMN, ColumnType::DateTime)?;
        let ingestion = ticks_of(&ingestion)?;
        let time = match time_column {
            Some(id) => chunk_array(chunk, id, ColumnType::DateTime)?,
            None => chunk_array(chunk, INGESTION_TIME_COLUMN, ColumnType::DateTime)?,
        };
        let time = ticks_of(&time)?;
        for row in 0..chunk.rows {
            let (key, place) = if time.is_valid(row) {
                (time.value(row), time.value(row))
            } else {
                (i64::MIN, ingestion.value(row))
            };
            let start = place.div_euclid(span).saturating_mul(span);
            match &mut recent {
                Some((known, rows)) if *known == start => rows.push((key, index, row as u32)),
                _ => {
                    if let Some((known, rows)) = recent.take() {
                        partitions.insert(known, rows);
                    }
                    let mut rows = partitions.remove(&start).unwrap_or_default();
                    rows.push((key, index, row as u32));
                    recent = Some((start, rows));
                }
            }
        }
    }
    partitions.extend(recent);
    Ok(partitions)
}

fn ticks_of(array: &ArrayRef) -> Result<&arrow_array::Int64Array> {
    array
        .as_primitive_opt::<Int64Type>()
        .ok_or_else(|| StorageError::Invalid("a datetime column is not an array of ticks".to_owned()))
}

/// Seals all unsealed rows of one table, or of every table.
pub(crate) fn seal_all(shared: &Shared, table: Option<TableId>) -> Result<()> {
    let tables: Vec<TableId> = match table {
        Some(table) => vec![table],
        None => shared.current.read().rows.keys().copied().collect(),
    };
    for table in tables {
        let end = match shared.current.read().rows.get(&table).and_then(|rows| rows.chunks.last()) {
            Some(last) => last.last_sequence,
            None => continue,
        };
        loop {
            let current = shared.current.read();
            let first =
                current.rows.get(&table).and_then(|rows| rows.chunks.first()).map(|c| c.first_sequence);
            drop(current);
            if first.is_none_or(|first| first > end) || !seal_table(shared, table)? {
                break;
            }
        }
    }
    Ok(())
}

/// Frees the log segments whose rows are sealed; also the one being written when no row is unsealed.
pub(crate) fn free_log(shared: &Shared, log: &Sender<LogCommand>) -> Result<()> {
    let free = || {
        let state = shared.current.read().state.clone();
        let sealed = |table| state.tables.get(&table).map(|table| table.sealed_up_to);
        shared.closed_segments.free(shared.disk.as_ref(), &shared.layout.damaged_log(), sealed)
    };
    free()?;
    let nothing_unsealed = shared.row_bytes.load(std::sync::atomic::Ordering::Acquire) == 0;
    if nothing_unsealed && shared.health.lock().log_active_bytes > 0 {
        let (reply, answer) = crossbeam_channel::bounded(1);
        if log.send(LogCommand::CloseSegment(reply)).is_ok() && answer.recv().is_ok() {
            free()?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::PARTITION_SPAN_TICKS as DAY;
    use crate::row_store::ChunkColumn;
    use crate::types::TableSchema;
    use arrow_array::Int64Array;

    fn entry() -> TableEntry {
        TableEntry {
            id: TableId::nil(),
            name: "t".to_owned(),
            database_id: TableId::nil(),
            database: "d".to_owned(),
            schema: Arc::new(TableSchema::new([("time", ColumnType::DateTime)])),
            schema_version: 1,
            folder: String::new(),
            docstring: String::new(),
            policies: BTreeMap::new(),
            mappings: Vec::new(),
            created_ticks: 0,
        }
    }

    fn chunk(times: Vec<Option<i64>>) -> Arc<Chunk> {
        let rows = times.len();
        let ingestion: ArrayRef = Arc::new(Int64Array::from_value(50 * DAY, rows));
        let columns = vec![
            ChunkColumn { id: 0, ty: ColumnType::DateTime, array: Arc::new(Int64Array::from(times)) },
            ChunkColumn { id: INGESTION_TIME_COLUMN, ty: ColumnType::DateTime, array: ingestion },
        ];
        Arc::new(Chunk::from_columns(columns, Some(0), rows, (1, 1), 50 * DAY))
    }

    #[test]
    fn rows_go_to_the_day_of_their_time_or_of_their_ingestion() {
        let chunks =
            [chunk(vec![Some(10 * DAY + 5), None, Some(9 * DAY)]), chunk(vec![Some(10 * DAY), None])];
        let (span, partitions) = partition_rows(&entry(), &chunks, DAY).unwrap();
        assert_eq!(span, DAY);
        let expected = BTreeMap::from([
            (9 * DAY, vec![(9 * DAY, 0, 2)]),
            (10 * DAY, vec![(10 * DAY + 5, 0, 0), (10 * DAY, 1, 0)]),
            (50 * DAY, vec![(i64::MIN, 0, 1), (i64::MIN, 1, 1)]),
        ]);
        assert_eq!(partitions, expected);
    }

    #[test]
    fn scattered_rows_share_coarser_partitions() {
        let chunks = [chunk((0..1000).map(|day| Some(day * DAY)).collect())];
        let (span, partitions) = partition_rows(&entry(), &chunks, DAY).unwrap();
        assert_eq!(span, 32 * DAY);
        assert_eq!(partitions.len(), 32);
        assert_eq!(partitions.values().map(Vec::len).sum::<usize>(), 1000);
    }
}
