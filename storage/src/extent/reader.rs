//! Opens an extent and reads it column by column, row group by row group.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use arrow_array::{ArrayRef, StringViewArray};
use arrow_buffer::BooleanBuffer;
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::footer::{Chunk, Footer, Index, Section};
use super::select::{self, Selection};
use super::{prune, series, writer};
use crate::column;
use crate::encoding::chunk::{decode_chunk_by, decode_chunk_rows_by};
use crate::encoding::{
    Effort, Malformed, PathValues, TextAnswer, TextQuestion, decode_chunk_distinct, decode_chunk_dynamics,
    decode_chunk_path, decode_chunk_texts,
};
use crate::error::{Result, StorageError};
use crate::format::{
    EXTENT_END_MAGIC, EXTENT_HEADER_BYTES, EXTENT_MAGIC, EXTENT_POSTSCRIPT_BYTES, EXTENT_VERSION,
};
use crate::index::term_index::TermIndex;
use crate::mmap::MappedFile;
use crate::predicate::Predicate;
use crate::statistics::ColumnStatistics;
use crate::terms::TermFinder;
use crate::types::ColumnType;

/// Bits that remember which sections of a chunk had the right checksum.
mod verified {
    pub const CHUNK: u8 = 1;
    pub const INDEX: u8 = 2;
}

/// How many extents were opened.
static OPENED: AtomicU64 = AtomicU64::new(0);

/// An open extent. Shared freely between threads; the file stays mapped until it is dropped.
#[derive(Debug)]
pub struct Extent {
    path: PathBuf,
    file: MappedFile,
    footer: Footer,
    /// Stable id and type of each column.
    columns: Vec<(u32, ColumnType)>,
    /// One a chunk, row group after row group.
    verified: Vec<AtomicU8>,
    footer_offset: u64,
    /// Of all extents opened by the process: names this one.
    number: u64,
}

/// Splits a file into the offset of its footer and the footer, checking header and postscript.
fn frame(bytes: &[u8]) -> std::result::Result<(u64, &[u8]), (u64, FrameError)> {
    let damaged = |offset: usize, detail| Err((offset as u64, FrameError::Damaged(detail)));
    if bytes.len() < EXTENT_HEADER_BYTES + EXTENT_POSTSCRIPT_BYTES {
        return damaged(0, "the file is too short for an extent");
    }
    let header = &bytes[..EXTENT_HEADER_BYTES];
    if header != writer::header() {
        let field = |at: usize| header[at..at + 4].try_into().map_or(0, u32::from_le_bytes);
        let intact = header[..8] == EXTENT_MAGIC && field(12) == xxh3_64_with_seed(&header[..12], 0) as u32;
        return match field(8) {
            found if intact && found > EXTENT_VERSION => Err((8, FrameError::Newer(found))),
            _ => damaged(0, "the header is not that of an extent"),
        };
    }
    let postscript_offset = bytes.len() - EXTENT_POSTSCRIPT_BYTES;
    let postscript = &bytes[postscript_offset..];
    let field = |at: usize| postscript[at..at + 8].try_into().map_or(0, u64::from_le_bytes);
    let file_length = bytes.len() as u64;
    if postscript[32..] != EXTENT_END_MAGIC
        || field(24) != xxh3_64_with_seed(&postscript[..24], file_length)
        || field(16) != file_length
    {
        return damaged(postscript_offset, "the end of the file is missing or damaged");
    }
    let length =
        usize::try_from(field(0)).ok().filter(|length| *length <= postscript_offset - EXTENT_HEADER_BYTES);
    let Some(length) = length else {
        return damaged(postscript_offset, "the footer is longer than the file");
    };
    let offset = postscript_offset - length;
    let footer = &bytes[offset..postscript_offset];
    if field(8) != xxh3_64_with_seed(footer, offset as u64) {
        return damaged(offset, "the footer does not match its checksum");
    }
    Ok((offset as u64, footer))
}

enum FrameError {
    Damaged(&'static str),
    Newer(u32),
}

impl Extent {
    /// Maps the file and checks header, footer and that all it names lies inside the file.
    pub fn open(path: &Path) -> Result<Extent> {
        let file = MappedFile::open(path).map_err(|source| StorageError::io("opening", path, source))?;
        let corrupt = |offset: u64, detail: &str| StorageError::Corrupt {
            path: path.to_owned(),
            offset,
            detail: detail.to_owned(),
        };
        let (footer_offset, bytes) = frame(file.bytes()).map_err(|(offset, error)| match error {
            FrameError::Damaged(detail) => corrupt(offset, detail),
            FrameError::Newer(found) => {
                StorageError::NewerVersion { path: path.to_owned(), found, supported: EXTENT_VERSION }
            }
        })?;
        let footer = Footer::decode(bytes).map_err(|Malformed(reason)| corrupt(footer_offset, reason))?;
        if footer.sections().any(|section| section.end() > footer_offset) {
            return Err(corrupt(footer_offset, "the footer names bytes outside the file"));
        }
        let chunks = footer.row_groups.iter().map(|group| group.chunks.len()).sum();
        Ok(Extent {
            path: path.to_owned(),
            columns: footer.columns.iter().map(|column| (column.id, column.ty)).collect(),
            verified: std::iter::repeat_with(|| AtomicU8::new(0)).take(chunks).collect(),
            file,
            footer,
            footer_offset,
            number: OPENED.fetch_add(1, Ordering::Relaxed),
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn extent_id(&self) -> Uuid {
        self.footer.extent_id
    }

    pub fn table_id(&self) -> Uuid {
        self.footer.table_id
    }

    pub fn created_ticks(&self) -> i64 {
        self.footer.created_ticks
    }

    /// First tick and end (exclusive) of the time partition.
    pub fn partition(&self) -> Option<(i64, i64)> {
        self.footer.partition
    }

    pub fn tags(&self) -> &[String] {
        &self.footer.tags
    }

    /// Stable id and type of each column, hidden ones included.
    pub fn columns(&self) -> &[(u32, ColumnType)] {
        &self.columns
    }

    pub fn row_group_count(&self) -> u32 {
        self.footer.row_groups.len() as u32
    }

    /// Rows of a row group; none of one that does not exist.
    pub fn row_group_rows(&self, row_group: u32) -> u32 {
        self.footer.row_groups.get(row_group as usize).map_or(0, |group| group.rows)
    }

    pub fn rows(&self) -> u64 {
        self.footer.row_groups.iter().map(|group| u64::from(group.rows)).sum()
    }

    pub fn file_bytes(&self) -> u64 {
        self.file.bytes().len() as u64
    }

    /// Bytes of the values before encoding.
    pub fn original_bytes(&self) -> u64 {
        self.footer.original_bytes
    }

    /// Statistics of a column of a row group; `None` where the extent has no such column (all its rows are
    /// null, or "").
    pub fn statistics(&self, row_group: u32, column_id: u32) -> Option<ColumnStatistics> {
        Some(self.chunk(row_group, self.position(column_id)?)?.statistics.clone())
    }

    /// Row groups that may have a row for which the predicate holds, ascending.
    pub fn prune(&self, predicate: &Predicate) -> Vec<u32> {
        (0..self.row_group_count()).filter(|group| prune::may_match(self, *group, predicate)).collect()
    }

    /// Rows of a row group that may satisfy the predicate, as far as indexes of terms say, and whether all of
    /// them do.
    pub fn select(&self, row_group: u32, predicate: &Predicate) -> Selection {
        select::select(self, row_group, predicate)
    }

    /// A column of a row group as an array of the asked type. A column that the extent lacks is null (or
    /// ""); one of another type is converted as `column::convert` does.
    pub fn read_column(&self, row_group: u32, column_id: u32, ty: ColumnType) -> Result<ArrayRef> {
        let rows = self.row_group_rows(row_group) as usize;
        let Some(position) = self.position(column_id) else { return Ok(column::absent(ty, rows)) };
        let stored = self.columns[position].1;
        let bytes = self.chunk_bytes(row_group, position)?;
        let key = self.series_key(row_group, position, bytes)?;
        let array = decode_chunk_by(stored, bytes, rows, key.as_deref())
            .map_err(|Malformed(reason)| self.chunk_error(row_group, position, reason))?;
        self.remember_codes(row_group, position, &array);
        Ok(column::convert(&array, stored, ty))
    }

    /// Some rows of a column of a row group: `rows` ascend and lie below [`Extent::row_group_rows`]. For the
    /// columns of few rows that others selected: of long text only the pieces that hold them are unpacked.
    pub fn read_rows(
        &self,
        row_group: u32,
        column_id: u32,
        ty: ColumnType,
        rows: &[u32],
    ) -> Result<ArrayRef> {
        let Some(position) = self.position(column_id) else { return Ok(column::absent(ty, rows.len())) };
        let stored = self.columns[position].1;
        let bytes = self.chunk_bytes(row_group, position)?;
        let key = self.series_key(row_group, position, bytes)?;
        let all = self.row_group_rows(row_group) as usize;
        let array = decode_chunk_rows_by(stored, bytes, all, rows, key.as_deref())
            .map_err(|Malformed(reason)| self.chunk_error(row_group, position, reason))?;
        Ok(column::convert(&array, stored, ty))
    }

    /// The different texts of a string column of a row group. `None` where the chunk does not keep them apart
    /// from its rows, the extent lacks the column, or the column is of another type.
    pub fn distinct_texts(&self, row_group: u32, column_id: u32) -> Result<Option<StringViewArray>> {
        let Some(position) = self.position(column_id) else { return Ok(None) };
        if self.columns[position].1 != ColumnType::String {
            return Ok(None);
        }
        let bytes = self.chunk_bytes(row_group, position)?;
        decode_chunk_distinct(bytes, self.row_group_rows(row_group) as usize)
            .map_err(|Malformed(reason)| self.chunk_error(row_group, position, reason))
    }

    /// What stands under a path of keys in a dynamic column of a row group. `None` where the extent does not
    /// keep it on its own, or the column is of another type.
    pub fn read_path(&self, row_group: u32, column_id: u32, keys: &[String]) -> Result<Option<PathValues>> {
        let Some(position) = self.position(column_id) else { return Ok(None) };
        if self.columns[position].1 != ColumnType::Dynamic {
            return Ok(None);
        }
        let bytes = self.chunk_bytes(row_group, position)?;
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        decode_chunk_path(bytes, self.row_group_rows(row_group) as usize, &keys)
            .map_err(|Malformed(reason)| self.chunk_error(row_group, position, reason))
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Maps the chunks and indexes of a row group and checks their checksums, so that the first query does not.
    /// What is damaged stays for whoever reads it to report.
    pub fn warm(&self, row_group: u32) {
        for position in 0..self.chunks_a_group() {
            let _ = self.chunk_bytes(row_group, position);
            let _ = self.index_bytes(row_group, position);
        }
    }

    /// What is asked of the texts of a string column of a row group, an answer to each question. `None` where the
    /// extent lacks the column, it is of another type, or the effort would be larger.
    pub fn ask_texts(
        &self,
        row_group: u32,
        column_id: u32,
        questions: &[TextQuestion<'_>],
        effort: Effort,
    ) -> Result<Option<Vec<TextAnswer>>> {
        let Some(position) = self.position(column_id) else { return Ok(None) };
        if self.columns[position].1 != ColumnType::String {
            return Ok(None);
        }
        let bytes = self.chunk_bytes(row_group, position)?;
        decode_chunk_texts(bytes, self.row_group_rows(row_group) as usize, questions, effort)
            .map_err(|Malformed(reason)| self.chunk_error(row_group, position, reason))
    }

    /// Which values of a dynamic column, as text, the finder finds something in. `None` where only their texts tell.
    pub fn search_dynamics(
        &self,
        row_group: u32,
        column_id: u32,
        finder: &TermFinder,
    ) -> Result<Option<BooleanBuffer>> {
        let Some(position) = self.position(column_id) else { return Ok(None) };
        if self.columns[position].1 != ColumnType::Dynamic {
            return Ok(None);
        }
        let bytes = self.chunk_bytes(row_group, position)?;
        decode_chunk_dynamics(bytes, self.row_group_rows(row_group) as usize, finder)
            .map_err(|Malformed(reason)| self.chunk_error(row_group, position, reason))
    }

    pub(super) fn footer(&self) -> &Footer {
        &self.footer
    }

    pub(super) fn position(&self, column_id: u32) -> Option<usize> {
        self.columns.iter().position(|(id, _)| *id == column_id)
    }

    pub(super) fn chunk(&self, row_group: u32, position: usize) -> Option<&Chunk> {
        self.footer.row_groups.get(row_group as usize)?.chunks.get(position)
    }

    /// The bytes of a chunk, its checksum checked at the first touch.
    pub(super) fn chunk_bytes(&self, row_group: u32, position: usize) -> Result<&[u8]> {
        let chunk = self
            .chunk(row_group, position)
            .ok_or_else(|| StorageError::Invalid(format!("the extent has no row group {row_group}")))?;
        self.section_bytes(&chunk.section, row_group, position, verified::CHUNK)
            .map_err(|reason| self.section_error(&chunk.section, row_group, position, reason))
    }

    /// The bytes of a chunk's index, their checksum checked at the first touch; `None` where there are none or
    /// they are damaged.
    pub(super) fn index_bytes(&self, row_group: u32, position: usize) -> Option<&[u8]> {
        let section = self.chunk(row_group, position)?.index.section()?;
        self.section_bytes(section, row_group, position, verified::INDEX).ok()
    }

    fn section_bytes(
        &self,
        section: &Section,
        row_group: u32,
        position: usize,
        bit: u8,
    ) -> std::result::Result<&[u8], &'static str> {
        let start = section.offset as usize;
        let stored = self
            .file
            .bytes()
            .get(start..start + section.stored_length() as usize)
            .ok_or("bytes lie outside the file")?;
        let state = self.verified.get(row_group as usize * self.chunks_a_group() + position);
        if state.is_none_or(|state| state.load(Ordering::Relaxed) & bit == 0) {
            self.file.populate(start, stored.len());
            if xxh3_64_with_seed(stored, section.offset) != section.checksum {
                return Err("the bytes do not match their checksum");
            }
            if let Some(state) = state {
                state.fetch_or(bit, Ordering::Relaxed);
            }
        }
        Ok(&stored[..section.length as usize])
    }

    fn chunks_a_group(&self) -> usize {
        self.footer.columns.len() + self.footer.sub_columns.len()
    }

    pub(super) fn chunk_error(&self, row_group: u32, position: usize, reason: &str) -> StorageError {
        let section = self.chunk(row_group, position).map(|chunk| chunk.section).unwrap_or_default();
        self.section_error(&section, row_group, position, reason)
    }

    fn section_error(
        &self,
        section: &Section,
        row_group: u32,
        position: usize,
        reason: &str,
    ) -> StorageError {
        let column = match self.footer.columns.get(position) {
            Some(column) if column.name.is_empty() => format!("column {}", column.id),
            Some(column) => format!("column {} '{}'", column.id, column.name),
            None => format!("sub-column {position}"),
        };
        StorageError::Corrupt {
            path: self.path.clone(),
            offset: section.offset,
            detail: format!("{column}, row group {row_group}: {reason}"),
        }
    }

    /// Everything that is wrong with the file: checksums read afresh, gaps between sections, chunks that do
    /// not decode, statistics that are not those of the values, dynamic values that are malformed.
    pub fn verify(&self) -> Vec<StorageError> {
        let mut errors = Vec::new();
        let corrupt = |offset, detail: &str| StorageError::Corrupt {
            path: self.path.clone(),
            offset,
            detail: detail.to_owned(),
        };
        match frame(self.file.bytes()) {
            Ok(_) => {}
            Err((offset, FrameError::Damaged(detail))) => errors.push(corrupt(offset, detail)),
            Err((offset, FrameError::Newer(_))) => errors.push(corrupt(offset, "the version has changed")),
        }
        let mut sections: Vec<Section> = self.footer.sections().collect();
        sections.sort_by_key(|section| section.offset);
        let mut end = EXTENT_HEADER_BYTES as u64;
        for section in &sections {
            if section.offset != end {
                errors.push(corrupt(end, "bytes belong to no section, or to two"));
            }
            end = section.end();
        }
        if end != self.footer_offset {
            errors.push(corrupt(end, "bytes belong to no section"));
        }
        for row_group in 0..self.row_group_count() {
            for position in 0..self.chunks_a_group() {
                if let Err(error) = self.verify_chunk(row_group, position) {
                    errors.push(error);
                }
            }
        }
        errors
    }

    fn verify_chunk(&self, row_group: u32, position: usize) -> Result<()> {
        let Some(chunk) = self.chunk(row_group, position) else { return Ok(()) };
        if let Some(state) = self.verified.get(row_group as usize * self.chunks_a_group() + position) {
            state.store(0, Ordering::Relaxed);
        }
        series::forget();
        if let Some(section) = chunk.index.section() {
            let bytes = self
                .section_bytes(section, row_group, position, verified::INDEX)
                .map_err(|reason| self.section_error(section, row_group, position, reason))?;
            if let Index::Terms(_) = chunk.index {
                TermIndex::new(bytes, self.row_group_rows(row_group) as usize)
                    .and_then(|index| index.check())
                    .map_err(|Malformed(reason)| self.section_error(section, row_group, position, reason))?;
            }
        }
        let bytes = self.chunk_bytes(row_group, position)?;
        let ty = match self.footer.columns.get(position) {
            Some(column) => column.ty,
            None => match self.footer.sub_columns.get(position - self.footer.columns.len()) {
                Some(column) => column.ty,
                None => return Ok(()),
            },
        };
        let wrong = |reason: &str| self.chunk_error(row_group, position, reason);
        let key = self.series_key(row_group, position, bytes)?;
        let array = decode_chunk_by(ty, bytes, self.row_group_rows(row_group) as usize, key.as_deref())
            .map_err(|Malformed(reason)| wrong(reason))?;
        let found = ColumnStatistics::compute(ty, &array)?;
        let distinct = chunk.statistics.distinct.or(found.distinct);
        let found = ColumnStatistics { distinct, ..found };
        if !same_statistics(&found, &chunk.statistics) {
            return Err(wrong("the statistics in the footer are not those of the values"));
        }
        if ty == ColumnType::Dynamic {
            let values = arrow_array::cast::AsArray::as_binary_view(&array);
            for value in values.iter().flatten() {
                crate::dynamic::validate(value).map_err(|error| wrong(&error.to_string()))?;
            }
        }
        Ok(())
    }
}

/// Equal but for the signs of zero and NaN payloads, which sums and bounds may lose.
fn same_statistics(left: &ColumnStatistics, right: &ColumnStatistics) -> bool {
    use crate::statistics::Sum;
    let sums = match (left.sum, right.sum) {
        (Some(Sum::Real(l)), Some(Sum::Real(r))) => l == r || (l.is_nan() && r.is_nan()),
        (l, r) => l == r,
    };
    sums && ColumnStatistics { sum: None, ..left.clone() } == ColumnStatistics { sum: None, ..right.clone() }
}
