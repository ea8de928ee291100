//! Writes an extent, one row group after the other, in bounded memory.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::footer::{Chunk, Column, Footer, Index, RowGroup, Section};
use crate::column;
use crate::dynamic::DynamicRef;
use crate::encoding::EncodeOptions;
use crate::encoding::chunk::{DistinctTexts, dynamic_nulls, encode_with_distinct};
use crate::encoding::dictionary::Coded;
use crate::encoding::series::{self, Candidate, Series};
use crate::error::{Result, StorageError};
use crate::format::{
    EXTENT_ALIGNMENT, EXTENT_END_MAGIC, EXTENT_HEADER_BYTES, EXTENT_MAGIC, EXTENT_VERSION, ROW_GROUP_ROWS_MAX,
};
use crate::index::term_builder;
use crate::index::terms::TermHashes;
use crate::predicate::Literal;
use crate::statistics::ColumnStatistics;
use crate::types::{ColumnType, TableSchema};

/// A dictionary whose values answer term searches themselves has at most this many, in at most
/// [`SMALL_DICTIONARY_BYTES`].
const SMALL_DICTIONARY_VALUES: usize = 256;
const SMALL_DICTIONARY_BYTES: usize = 4096;

/// Text of one row group beyond which it is halved.
const ROW_GROUP_TEXT_BYTES: usize = 256 << 20;

/// Row groups of an extent in which a key of series is looked for in vain.
const KEY_TRIALS_MAX: u32 = 3;
/// Row groups of fewer rows are not looked at.
const SERIES_ROWS_MIN: usize = 256;

/// What an extent is to hold.
#[derive(Clone, Debug)]
pub struct ExtentSpecification<'a> {
    pub extent_id: Uuid,
    pub table_id: Uuid,
    pub schema: &'a TableSchema,
    /// Columns beyond the schema, such as the time of ingestion: stable id and type.
    pub hidden_columns: &'a [(u32, ColumnType)],
    /// First tick and end (exclusive) of the time partition.
    pub partition: Option<(i64, i64)>,
    pub created_ticks: i64,
    pub tags: &'a [String],
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExtentSummary {
    pub rows: u64,
    pub row_groups: u32,
    pub file_bytes: u64,
    /// Bytes of the values before encoding.
    pub original_bytes: u64,
    /// Bounds of the table's time column, in ticks.
    pub min_time: Option<i64>,
    pub max_time: Option<i64>,
    /// Stable column id and bytes in the file, indexes included.
    pub column_bytes: Vec<(u32, u64)>,
}

/// Writes an extent of all the batches. Each batch has an array a schema column, then one a hidden column.
/// Rows are in their final order already. The file is synced; name and directory are the caller's.
pub fn write_extent(
    path: &Path,
    specification: &ExtentSpecification<'_>,
    batches: &[Vec<ArrayRef>],
    options: &EncodeOptions,
) -> Result<ExtentSummary> {
    let mut writer = ExtentWriter::create(path, specification, options)?;
    let group_rows = options.row_group_rows.clamp(1, ROW_GROUP_ROWS_MAX);
    let mut pending: Vec<Vec<ArrayRef>> = Vec::new();
    let mut pending_rows = 0;
    for batch in batches {
        let rows = writer.rows_of(batch)?;
        let mut start = 0;
        while start < rows {
            let length = (rows - start).min(group_rows - pending_rows);
            pending.push(batch.iter().map(|array| array.slice(start, length)).collect());
            pending_rows += length;
            start += length;
            if pending_rows == group_rows {
                writer.push_parts(&pending)?;
                pending.clear();
                pending_rows = 0;
            }
        }
    }
    writer.push_parts(&pending)?;
    writer.finish()
}

/// Writes an extent incrementally. Dropping it before [`ExtentWriter::finish`] leaves an incomplete file,
/// which no reader opens.
#[derive(Debug)]
pub struct ExtentWriter {
    path: PathBuf,
    file: BufWriter<File>,
    offset: u64,
    options: EncodeOptions,
    footer: Footer,
    time_position: Option<usize>,
    column_bytes: Vec<u64>,
    scratch: Vec<u8>,
    /// Ids of the columns that name the series, once found.
    key: Option<Vec<u32>>,
    /// How often they were looked for.
    key_trials: u32,
}

impl ExtentWriter {
    /// Creates the file, which must not exist yet.
    pub fn create(
        path: &Path,
        specification: &ExtentSpecification<'_>,
        options: &EncodeOptions,
    ) -> Result<ExtentWriter> {
        let file = File::options()
            .write(true)
            .create_new(true)
            .open(path)
            .map_err(|source| StorageError::io("creating", path, source))?;
        let schema = specification.schema;
        let visible = schema.columns.iter().map(|column| Column {
            id: column.id,
            ty: column.ty,
            name: column.name.clone(),
        });
        let hidden = specification.hidden_columns.iter().map(|(id, ty)| Column {
            id: *id,
            ty: *ty,
            name: String::new(),
        });
        let columns: Vec<Column> = visible.chain(hidden).collect();
        let mut writer = ExtentWriter {
            path: path.to_owned(),
            file: BufWriter::with_capacity(1 << 20, file),
            offset: 0,
            options: *options,
            time_position: schema.time_position(),
            column_bytes: vec![0; columns.len()],
            footer: Footer {
                extent_id: specification.extent_id,
                table_id: specification.table_id,
                created_ticks: specification.created_ticks,
                partition: specification.partition,
                original_bytes: 0,
                tags: specification.tags.to_vec(),
                columns,
                sub_columns: Vec::new(),
                row_groups: Vec::new(),
            },
            scratch: Vec::new(),
            key: None,
            key_trials: 0,
        };
        writer.write(&header())?;
        Ok(writer)
    }

    /// Rows of a batch whose arrays are as many as the columns and equally long.
    fn rows_of(&self, arrays: &[ArrayRef]) -> Result<usize> {
        let rows = arrays.first().map_or(0, |array| array.len());
        if arrays.len() != self.footer.columns.len() || arrays.iter().any(|array| array.len() != rows) {
            return Err(StorageError::Invalid(format!(
                "an extent of {} columns got {} arrays, or arrays of different lengths",
                self.footer.columns.len(),
                arrays.len()
            )));
        }
        Ok(rows)
    }

    /// Appends one row group made of several runs of rows.
    fn push_parts(&mut self, parts: &[Vec<ArrayRef>]) -> Result<()> {
        match parts {
            [] => Ok(()),
            [single] => self.push_row_group(single),
            _ => {
                let arrays = (0..self.footer.columns.len())
                    .map(|position| {
                        let runs: Vec<ArrayRef> = parts.iter().map(|part| part[position].clone()).collect();
                        column::concat(&runs, self.footer.columns[position].ty)
                    })
                    .collect::<Result<Vec<ArrayRef>>>()?;
                self.push_row_group(&arrays)
            }
        }
    }

    /// Appends one row group. Very many rows, or rows of very much text, become several.
    pub fn push_row_group(&mut self, arrays: &[ArrayRef]) -> Result<()> {
        let rows = self.rows_of(arrays)?;
        if rows == 0 {
            return Ok(());
        }
        let bytes: Vec<u64> = self
            .footer
            .columns
            .iter()
            .zip(arrays)
            .map(|(column, array)| value_bytes(column.ty, array))
            .collect::<Result<_>>()?;
        let heavy = bytes.iter().any(|bytes| *bytes > ROW_GROUP_TEXT_BYTES as u64);
        if rows > ROW_GROUP_ROWS_MAX || (heavy && rows > 1) {
            let half = rows / 2;
            let part = |start: usize, length: usize| -> Vec<ArrayRef> {
                arrays.iter().map(|array| array.slice(start, length)).collect()
            };
            self.push_row_group(&part(0, half))?;
            return self.push_row_group(&part(half, rows - half));
        }
        let chunks = self.write_chunks(arrays)?;
        self.footer.original_bytes += bytes.iter().sum::<u64>();
        self.footer.row_groups.push(RowGroup { rows: rows as u32, chunks });
        Ok(())
    }

    /// Texts first: the codes of one may be the key by which the values of other columns are put in order.
    fn write_chunks(&mut self, arrays: &[ArrayRef]) -> Result<Vec<Chunk>> {
        let types: Vec<ColumnType> = self.footer.columns.iter().map(|column| column.ty).collect();
        let mut chunks: Vec<Option<Chunk>> = vec![None; arrays.len()];
        let mut coded = Vec::new();
        for (position, array) in arrays.iter().enumerate() {
            if types[position] == ColumnType::String {
                let (chunk, distinct) = self.write_chunk(position, array, None)?;
                chunks[position] = Some(chunk);
                let id = self.footer.columns[position].id;
                let is_wanted = match &self.key {
                    Some(key) => key.contains(&id),
                    None => self.key_trials < KEY_TRIALS_MAX,
                };
                coded.extend(distinct.filter(|_| is_wanted).map(|distinct| (id, distinct)));
            }
        }
        let series = self.series(&coded, &types, arrays);
        for (position, array) in arrays.iter().enumerate() {
            if chunks[position].is_none() {
                chunks[position] = Some(self.write_chunk(position, array, series.as_ref())?.0);
            }
        }
        Ok(chunks.into_iter().flatten().collect())
    }

    /// The series of a row group. The key found first serves the whole extent; where there is none, trying again
    /// is soon given up.
    fn series(
        &mut self,
        coded: &[(u32, Coded<&[u8]>)],
        types: &[ColumnType],
        arrays: &[ArrayRef],
    ) -> Option<Series> {
        let candidates: Vec<Candidate<'_>> = coded
            .iter()
            .map(|(id, coded)| Candidate { id: *id, codes: &coded.codes, distinct: coded.values.len() })
            .collect();
        if let Some(known) = &self.key {
            return Series::of(known, &candidates);
        }
        if self.key_trials == KEY_TRIALS_MAX || arrays.first()?.len() < SERIES_ROWS_MIN {
            return None;
        }
        self.key_trials += 1;
        let columns: Vec<(ColumnType, &ArrayRef)> = types.iter().copied().zip(arrays).collect();
        let key = series::choose(&candidates, &columns)?;
        let series = Series::of(&key, &candidates);
        self.key = Some(key);
        series
    }

    fn write_chunk<'a>(
        &mut self,
        position: usize,
        array: &'a ArrayRef,
        series: Option<&Series>,
    ) -> Result<(Chunk, DistinctTexts<'a>)> {
        let ty = self.footer.columns[position].ty;
        let mut statistics = ColumnStatistics::compute(ty, array)?;
        if ty == ColumnType::Dynamic {
            statistics.nulls = dynamic_nulls(array).map_or(0, |nulls| nulls.null_count() as u32);
        }
        let mut bytes = std::mem::take(&mut self.scratch);
        bytes.clear();
        let options = self.options;
        let distinct = encode_with_distinct(ty, array, &options, series, &mut bytes)?;
        let values = distinct.as_ref().map(|distinct| distinct.values.as_slice());
        if let Some(values) = values
            && ty == ColumnType::String
        {
            statistics.distinct = Some(values.len() as u32);
        }
        let filter = match ty {
            ColumnType::String | ColumnType::Dynamic if options.term_index => term_index(ty, array, values),
            _ => PendingIndex::None,
        };
        let section = self.write_section(&mut bytes)?;
        self.scratch = bytes;
        self.column_bytes[position] += section.stored_length();
        let index = match filter {
            PendingIndex::None => Index::None,
            PendingIndex::Dictionary => Index::Dictionary,
            PendingIndex::Bloom(mut filter) => {
                let section = self.write_section(&mut filter)?;
                self.column_bytes[position] += section.stored_length();
                Index::TermBloom(section)
            }
            PendingIndex::Terms(mut index) => {
                let section = self.write_section(&mut index)?;
                self.column_bytes[position] += section.stored_length();
                Index::Terms(section)
            }
        };
        Ok((Chunk { section, statistics, index }, distinct))
    }

    /// Pads the bytes and writes them.
    fn write_section(&mut self, bytes: &mut Vec<u8>) -> Result<Section> {
        let length = bytes.len() as u64;
        bytes.resize(bytes.len().next_multiple_of(EXTENT_ALIGNMENT), 0);
        let section =
            Section { offset: self.offset, length, checksum: xxh3_64_with_seed(bytes, self.offset) };
        self.write(bytes)?;
        Ok(section)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|source| StorageError::io("writing", &self.path, source))?;
        self.offset += bytes.len() as u64;
        Ok(())
    }

    /// Rows pushed so far.
    pub fn rows(&self) -> u64 {
        self.footer.row_groups.iter().map(|group| u64::from(group.rows)).sum()
    }

    /// Bytes written so far.
    pub fn bytes(&self) -> u64 {
        self.offset
    }

    /// Writes the footer and syncs the file.
    pub fn finish(mut self) -> Result<ExtentSummary> {
        let mut footer = Vec::new();
        self.footer.encode(&mut footer);
        let postscript = postscript(&footer, self.offset);
        self.write(&footer)?;
        self.write(&postscript)?;
        let synced = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        synced.map_err(|source| StorageError::io("syncing", &self.path, source))?;
        let times = self.time_position.map(|position| {
            self.footer.row_groups.iter().map(|group| &group.chunks[position].statistics).fold(
                (None, None),
                |(min, max): (Option<i64>, Option<i64>), statistics| match (&statistics.min, &statistics.max)
                {
                    (Some(Literal::Integer(low)), Some(Literal::Integer(high))) => (
                        Some(min.map_or(*low, |min| min.min(*low))),
                        Some(max.map_or(*high, |max| max.max(*high))),
                    ),
                    _ => (min, max),
                },
            )
        });
        let (min_time, max_time) = times.unwrap_or_default();
        Ok(ExtentSummary {
            rows: self.rows(),
            row_groups: self.footer.row_groups.len() as u32,
            file_bytes: self.offset,
            original_bytes: self.footer.original_bytes,
            min_time,
            max_time,
            column_bytes: self
                .footer
                .columns
                .iter()
                .zip(&self.column_bytes)
                .map(|(column, bytes)| (column.id, *bytes))
                .collect(),
        })
    }
}

/// Magic, version and their checksum.
pub(super) fn header() -> [u8; EXTENT_HEADER_BYTES] {
    let mut header = [0; EXTENT_HEADER_BYTES];
    header[..8].copy_from_slice(&EXTENT_MAGIC);
    header[8..12].copy_from_slice(&EXTENT_VERSION.to_le_bytes());
    let checksum = xxh3_64_with_seed(&header[..12], 0) as u32;
    header[12..].copy_from_slice(&checksum.to_le_bytes());
    header
}

/// The last bytes of a file whose footer starts at `offset`.
pub(super) fn postscript(footer: &[u8], offset: u64) -> Vec<u8> {
    let length = footer.len() as u64;
    let mut out = Vec::new();
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&xxh3_64_with_seed(footer, offset).to_le_bytes());
    let file_length = offset + length + crate::format::EXTENT_POSTSCRIPT_BYTES as u64;
    out.extend_from_slice(&file_length.to_le_bytes());
    out.extend_from_slice(&xxh3_64_with_seed(&out, file_length).to_le_bytes());
    out.extend_from_slice(&EXTENT_END_MAGIC);
    out
}

/// An index that is made and not written yet.
enum PendingIndex {
    None,
    Dictionary,
    Bloom(Vec<u8>),
    Terms(Vec<u8>),
}

fn term_index(ty: ColumnType, array: &ArrayRef, distinct: Option<&[&[u8]]>) -> PendingIndex {
    if let Some(values) = distinct
        && ty == ColumnType::String
        && values.len() <= SMALL_DICTIONARY_VALUES
        && values.iter().map(|value| value.len()).sum::<usize>() <= SMALL_DICTIONARY_BYTES
    {
        return PendingIndex::Dictionary;
    }
    let Some(values) = distinct else {
        let flat;
        let values: Vec<&[u8]> = if ty == ColumnType::Dynamic {
            array.as_binary_view().iter().map(Option::unwrap_or_default).collect()
        } else {
            match column::flatten(array) {
                Ok(found) => flat = found,
                Err(_) => return PendingIndex::None,
            }
            flat.as_string_view().iter().map(|value| value.unwrap_or_default().as_bytes()).collect()
        };
        return PendingIndex::Terms(term_builder::build(&values, ty == ColumnType::Dynamic));
    };
    let mut terms = TermHashes::new();
    for value in values {
        match ty {
            ColumnType::Dynamic => terms.add_dynamic(DynamicRef::new(value)),
            _ => terms.add_text(std::str::from_utf8(value).unwrap_or_default()),
        }
    }
    PendingIndex::Bloom(terms.finish())
}

/// Bytes of the values before encoding.
fn value_bytes(ty: ColumnType, array: &ArrayRef) -> Result<u64> {
    let rows = array.len() as u64;
    Ok(match ty {
        ColumnType::Bool => rows,
        ColumnType::Int => rows * 4,
        ColumnType::Long | ColumnType::Real | ColumnType::DateTime | ColumnType::TimeSpan => rows * 8,
        ColumnType::Decimal | ColumnType::Guid => rows * 16,
        ColumnType::Dynamic => match array.as_binary_view_opt() {
            Some(array) => array.lengths().map(u64::from).sum(),
            None => rows,
        },
        ColumnType::String => match array.as_any_dictionary_opt() {
            Some(dictionary) => {
                let values = dictionary.values().as_string_view_opt();
                let lengths: Vec<u64> =
                    values.map_or_else(Vec::new, |v| v.lengths().map(u64::from).collect());
                dictionary.normalized_keys().iter().map(|key| lengths.get(*key).copied().unwrap_or(0)).sum()
            }
            None => match array.as_string_view_opt() {
                Some(array) => array.lengths().map(u64::from).sum(),
                None => rows,
            },
        },
    })
}
