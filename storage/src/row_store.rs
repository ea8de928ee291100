//! Acknowledged rows that are not in an extent yet, as Arrow batches in memory.
//!
//! A table's rows are a list of immutable chunks in commit order; readers share the list, writers copy it when
//! it is shared. Knows nothing of files.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, Int64Array};
use arrow_schema::DataType;

use crate::catalog::{INGESTION_TIME_COLUMN, TableEntry};
use crate::error::{Result, StorageError};
use crate::limits::{CHUNK_GROWTH_FACTOR, CHUNK_JOIN_COUNT, CHUNK_ROWS_FULL, TAGS_PER_EXTENT_MAX};
use crate::types::{ColumnType, TableSchema};

/// One column of a chunk.
#[derive(Clone, Debug)]
pub struct ChunkColumn {
    pub id: u32,
    pub ty: ColumnType,
    pub array: ArrayRef,
}

/// Rows of one or several appended batches, with consecutive commit sequences of their table.
#[derive(Clone, Debug)]
pub struct Chunk {
    pub columns: Vec<ChunkColumn>,
    pub rows: usize,
    /// Memory that counts against the row store's bound.
    pub bytes: u64,
    pub first_sequence: u64,
    pub last_sequence: u64,
    /// Id of the time column with its least and greatest value; `None` without one or when all are null.
    pub time: Option<(u32, i64, i64)>,
    /// When its oldest row was appended.
    pub appended_ticks: i64,
    /// Tags for the extent that the rows go to.
    pub tags: Vec<String>,
}

impl Chunk {
    /// A chunk of one batch: arrays in the order of a schema's columns (trailing ones may be missing).
    pub fn new(entry: &TableEntry, schema: &TableSchema, columns: &[ArrayRef], appended_ticks: i64) -> Chunk {
        let rows = columns.first().map_or(0, |column| column.len());
        let mut chunk_columns: Vec<ChunkColumn> = schema
            .columns
            .iter()
            .zip(columns)
            .map(|(definition, array)| ChunkColumn {
                id: definition.id,
                ty: definition.ty,
                array: array.clone(),
            })
            .collect();
        chunk_columns.push(ChunkColumn {
            id: INGESTION_TIME_COLUMN,
            ty: ColumnType::DateTime,
            array: Arc::new(Int64Array::from_value(appended_ticks, rows)),
        });
        Chunk::from_columns(chunk_columns, entry.time_column(), rows, (0, 0), appended_ticks)
    }

    /// A chunk of complete columns, the hidden ones included.
    pub fn from_columns(
        columns: Vec<ChunkColumn>,
        time_column: Option<u32>,
        rows: usize,
        sequences: (u64, u64),
        appended_ticks: i64,
    ) -> Chunk {
        let time = time_column.and_then(|id| {
            let column = columns.iter().find(|column| column.id == id)?;
            let (least, greatest) = time_bounds(&column.array)?;
            Some((id, least, greatest))
        });
        let bytes = columns.iter().map(|column| array_bytes(&column.array)).sum();
        Chunk {
            columns,
            rows,
            bytes,
            first_sequence: sequences.0,
            last_sequence: sequences.1,
            time,
            appended_ticks,
            tags: Vec::new(),
        }
    }

    /// The column of that id.
    pub fn column(&self, id: u32) -> Option<&ChunkColumn> {
        self.columns.iter().find(|column| column.id == id)
    }
}

/// Least and greatest value of a column of ticks.
pub fn time_bounds(array: &ArrayRef) -> Option<(i64, i64)> {
    let ticks = array.as_primitive_opt::<Int64Type>()?;
    let mut bounds: Option<(i64, i64)> = None;
    let mut widen = |value: i64| {
        bounds =
            Some(bounds.map_or((value, value), |(least, greatest)| (least.min(value), greatest.max(value))));
    };
    if ticks.null_count() == 0 {
        ticks.values().iter().for_each(|value| widen(*value));
    } else {
        ticks.iter().flatten().for_each(&mut widen);
    }
    bounds
}

/// Bytes that an array's rows need in memory; unlike Arrow's own figure it does not count what a slice shares
/// with others.
pub fn array_bytes(array: &ArrayRef) -> u64 {
    let rows = array.len() as u64;
    let validity = if array.nulls().is_some() { rows.div_ceil(8) } else { 0 };
    let values = match array.data_type() {
        DataType::Boolean => rows.div_ceil(8),
        DataType::Int32 => rows * 4,
        DataType::Int64 | DataType::Float64 => rows * 8,
        DataType::FixedSizeBinary(width) => rows * u64::from(width.unsigned_abs()),
        DataType::Utf8View => view_bytes(array.as_string_view().views()),
        DataType::BinaryView => view_bytes(array.as_binary_view().views()),
        DataType::Dictionary(_, _) => match array.as_any_dictionary_opt() {
            Some(dictionary) => rows * 4 + array_bytes(dictionary.values()),
            None => rows * 4,
        },
        _ => array.get_buffer_memory_size() as u64,
    };
    validity + values
}

fn view_bytes(views: &[u128]) -> u64 {
    views
        .iter()
        .map(|view| {
            let length = *view as u32;
            16 + if length > 12 { u64::from(length) } else { 0 }
        })
        .sum()
}

/// Checks that arrays are what the table's columns ask for, and says how many rows they have.
pub fn check_batch(entry: &TableEntry, schema: &TableSchema, columns: &[ArrayRef]) -> Result<usize> {
    if columns.is_empty() || columns.len() > schema.columns.len() {
        return Err(StorageError::Invalid(format!(
            "table '{}' has {} columns, the batch {}",
            entry.name,
            schema.columns.len(),
            columns.len()
        )));
    }
    let rows = columns[0].len();
    for (definition, array) in schema.columns.iter().zip(columns) {
        let expected = definition.ty.arrow_type();
        let fits = match array.data_type() {
            DataType::Dictionary(key, value) => {
                definition.ty == ColumnType::String
                    && **key == DataType::UInt32
                    && **value == DataType::Utf8View
            }
            actual => *actual == expected,
        };
        if !fits {
            return Err(StorageError::Invalid(format!(
                "column '{}' of table '{}' is {}: expected an array of {expected}, got {}",
                definition.name,
                entry.name,
                definition.ty.name(),
                array.data_type()
            )));
        }
        if array.len() != rows {
            return Err(StorageError::Invalid(format!(
                "column '{}' has {} rows, the first column {rows}",
                definition.name,
                array.len()
            )));
        }
        if definition.ty == ColumnType::String && array.logical_null_count() > 0 {
            return Err(StorageError::Invalid(format!("string column '{}' has nulls", definition.name)));
        }
    }
    Ok(rows)
}

/// The chunks of one table.
#[derive(Clone, Debug, Default)]
pub struct TableRows {
    pub chunks: Arc<Vec<Arc<Chunk>>>,
    /// A seal is writing the chunks up to this sequence: they must stay as they are.
    pub sealing_up_to: u64,
}

impl TableRows {
    /// Adds a chunk at the end.
    pub fn push(&mut self, chunk: Arc<Chunk>) {
        Arc::make_mut(&mut self.chunks).push(chunk);
    }

    /// Removes the chunks up to a commit sequence and says how many bytes they had.
    pub fn remove_up_to(&mut self, sequence: u64) -> u64 {
        let count = self.chunks.iter().take_while(|chunk| chunk.last_sequence <= sequence).count();
        if count == 0 {
            return 0;
        }
        let bytes = self.chunks[..count].iter().map(|chunk| chunk.bytes).sum();
        self.chunks = Arc::new(self.chunks[count..].to_vec());
        bytes
    }

    /// Rows of all chunks.
    pub fn rows(&self) -> u64 {
        self.chunks.iter().map(|chunk| chunk.rows as u64).sum()
    }

    /// Bytes of all chunks.
    pub fn bytes(&self) -> u64 {
        self.chunks.iter().map(|chunk| chunk.bytes).sum()
    }

    /// The run of small chunks at the end that should be joined now, if there is one: long enough, and without a
    /// chunk that would not grow by the growth factor, so that no row is copied often.
    pub fn run_to_join(&self) -> Option<Vec<Arc<Chunk>>> {
        let small =
            self.chunks.iter().rev().take_while(|chunk| {
                chunk.rows < CHUNK_ROWS_FULL && chunk.first_sequence > self.sealing_up_to
            });
        let (mut total, mut largest) = (0, 0);
        for (position, chunk) in small.enumerate() {
            total += chunk.rows;
            largest = largest.max(chunk.rows);
            if position + 1 >= CHUNK_JOIN_COUNT && largest * CHUNK_GROWTH_FACTOR <= total {
                return Some(self.chunks[self.chunks.len() - position - 1..].to_vec());
            }
        }
        None
    }

    /// Puts a joined chunk in the place of its parts, if they are all still there.
    pub fn replace_run(&mut self, parts: &[Arc<Chunk>], joined: Arc<Chunk>) -> bool {
        let Some(first) = parts.first() else { return false };
        if first.first_sequence <= self.sealing_up_to {
            return false;
        }
        let Some(start) = self.chunks.iter().position(|chunk| Arc::ptr_eq(chunk, first)) else {
            return false;
        };
        let intact = self.chunks.len() >= start + parts.len()
            && self.chunks[start..].iter().zip(parts).all(|(chunk, part)| Arc::ptr_eq(chunk, part));
        if intact {
            Arc::make_mut(&mut self.chunks).splice(start..start + parts.len(), [joined]);
        }
        intact
    }
}

/// Every tag once, up to a bound: an extent with thousands of tags would tell nobody anything.
pub fn union_of_tags<'a>(parts: impl Iterator<Item = &'a [String]>) -> Vec<String> {
    let mut tags: Vec<String> = parts.flatten().cloned().collect();
    tags.sort_unstable();
    tags.dedup();
    tags.truncate(TAGS_PER_EXTENT_MAX);
    tags
}

/// One chunk with the rows of several, in order. Columns that only some of them have are filled.
pub fn join_chunks(parts: &[Arc<Chunk>]) -> Result<Chunk> {
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else {
        return Err(StorageError::Invalid("no chunks to join".to_owned()));
    };
    let mut ids: Vec<(u32, ColumnType)> = Vec::new();
    for column in parts.iter().rev().flat_map(|part| &part.columns) {
        if !ids.iter().any(|(id, _)| *id == column.id) {
            ids.push((column.id, column.ty));
        }
    }
    let rows = parts.iter().map(|part| part.rows).sum();
    let mut columns = Vec::with_capacity(ids.len());
    for (id, ty) in ids {
        let arrays =
            parts.iter().map(|part| crate::column::chunk_array(part, id, ty)).collect::<Result<Vec<_>>>()?;
        columns.push(ChunkColumn { id, ty, array: crate::column::concat(&arrays, ty)? });
    }
    // Of the newest time column, over all rows: bounds of a part of them would prune the others away.
    let time_column = parts.iter().rev().find_map(|part| part.time.map(|(id, _, _)| id));
    let time = time_column.and_then(|id| {
        let column = columns.iter().find(|column| column.id == id)?;
        let (least, greatest) = time_bounds(&column.array)?;
        Some((id, least, greatest))
    });
    let bytes = columns.iter().map(|column| array_bytes(&column.array)).sum();
    Ok(Chunk {
        columns,
        rows,
        bytes,
        first_sequence: first.first_sequence,
        last_sequence: last.last_sequence,
        time,
        appended_ticks: first.appended_ticks,
        tags: union_of_tags(parts.iter().map(|part| part.tags.as_slice())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(sequence: u64, column: u32, times: &[Option<i64>]) -> Arc<Chunk> {
        let array: ArrayRef = Arc::new(times.iter().copied().collect::<Int64Array>());
        let columns = vec![ChunkColumn { id: column, ty: ColumnType::DateTime, array }];
        Arc::new(Chunk::from_columns(columns, Some(column), times.len(), (sequence, sequence), 1))
    }

    #[test]
    fn joined_chunks_have_all_rows_and_bounds_of_all() {
        let parts = [
            chunk(1, 0, &[Some(5), None]),
            chunk(2, 1, &[Some(9)]),
            chunk(3, 1, &[Some(7)]),
            chunk(4, 0, &[None]),
        ];
        let joined = join_chunks(&parts).unwrap();
        assert_eq!((joined.rows, joined.first_sequence, joined.last_sequence), (5, 1, 4));
        assert_eq!(joined.time, Some((1, 7, 9)));
        let values =
            |id: u32| joined.column(id).unwrap().array.as_primitive::<Int64Type>().iter().collect::<Vec<_>>();
        assert_eq!(values(0), [Some(5), None, None, None, None]);
        assert_eq!(values(1), [None, None, Some(9), Some(7), None]);
    }

    #[test]
    fn single_rows_are_copied_few_times_on_their_way_to_full_chunks() {
        let mut rows = TableRows::default();
        let mut copied = 0;
        for sequence in 1..=20_000 {
            rows.push(chunk(sequence, 0, &[Some(sequence as i64)]));
            while let Some(run) = rows.run_to_join() {
                let joined = Arc::new(join_chunks(&run).unwrap());
                copied += joined.rows;
                assert!(rows.replace_run(&run, joined));
            }
        }
        assert_eq!(rows.rows(), 20_000);
        assert!(rows.chunks.len() < 64, "{} chunks", rows.chunks.len());
        assert!(copied <= 6 * 20_000, "{copied} rows copied");
        let sequences: Vec<(u64, u64)> =
            rows.chunks.iter().map(|chunk| (chunk.first_sequence, chunk.last_sequence)).collect();
        assert!(sequences.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0));
    }

    #[test]
    fn chunks_that_are_being_sealed_stay_as_they_are() {
        let mut rows = TableRows::default();
        (1..=CHUNK_JOIN_COUNT as u64).for_each(|sequence| rows.push(chunk(sequence, 0, &[Some(1)])));
        let run = rows.run_to_join().unwrap();
        let joined = Arc::new(join_chunks(&run).unwrap());
        rows.sealing_up_to = 3;
        assert!(rows.run_to_join().is_none());
        assert!(!rows.replace_run(&run, joined));
        assert!(rows.remove_up_to(3) > 0);
        assert_eq!(rows.rows(), CHUNK_JOIN_COUNT as u64 - 3);
    }
}
