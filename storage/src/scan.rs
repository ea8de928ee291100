//! From a request to morsels: which pieces of a table may have rows for a predicate, in which order.
//!
//! Pruning is conservative: a piece is left out only when no row of it can match. Whoever reads re-checks.

use std::sync::Arc;

use arrow_array::{ArrayRef, BinaryViewArray, FixedSizeBinaryArray, StringViewArray, UInt32Array};
use arrow_buffer::BooleanBuffer;
use uuid::Uuid;

use crate::catalog::{EXTENT_ID_COLUMN, EXTENT_TAGS_COLUMN, TableEntry};
use crate::column::{absent, chunk_array};
use crate::dynamic::DynamicBuilder;
use crate::encoding::{Effort, PathValues, TextAnswer, TextQuestion};
use crate::error::{Result, StorageError};
use crate::extent::{Extent, Selection};
use crate::extent_pool::{ExtentPool, Pooled};
use crate::limits::MORSEL_ROWS;
use crate::manifest::edit::ExtentRecord;
use crate::predicate::{Comparison, Literal, Predicate};
use crate::row_store::Chunk;
use crate::snapshot::TableSnapshot;
use crate::statistics::ColumnStatistics;
use crate::terms::TermFinder;
use crate::types::ColumnType;

/// In which order morsels come. Rows inside a morsel are not re-ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ScanOrder {
    #[default]
    Any,
    /// By the least time of each morsel, least first.
    TimeAscending,
    /// By the greatest time of each morsel, greatest first.
    TimeDescending,
}

/// What to look for.
#[derive(Clone, Debug)]
pub struct ScanRequest {
    pub predicate: Predicate,
    pub order: ScanOrder,
}

impl Default for ScanRequest {
    fn default() -> ScanRequest {
        ScanRequest { predicate: Predicate::And(Vec::new()), order: ScanOrder::Any }
    }
}

/// The morsels of a request and what was left out.
#[derive(Clone, Debug, Default)]
pub struct Scan {
    pub morsels: Vec<Morsel>,
    pub totals: PruneStatistics,
}

/// How much of a table a scan has to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PruneStatistics {
    pub extents_total: u64,
    pub extents_scanned: u64,
    /// Row groups of extents and chunks of the row store.
    pub row_groups_total: u64,
    pub row_groups_scanned: u64,
    pub rows_total: u64,
    pub rows_scanned: u64,
    /// Extents that are not served because they are damaged, one text each.
    pub damaged: Vec<String>,
}

/// Where a morsel's rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MorselSource {
    Extent {
        id: Uuid,
        row_group: u32,
    },
    /// Rows that are not sealed yet: a chunk by its first commit sequence, and the first row in it.
    RowStore {
        first_sequence: u64,
        offset: usize,
    },
}

/// A piece of a table that one thread reads at a time. Holding it keeps its extent on disk.
#[derive(Clone, Debug)]
pub struct Morsel {
    entry: Arc<TableEntry>,
    rows: usize,
    time: Option<(i64, i64)>,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    Chunk {
        chunk: Arc<Chunk>,
        offset: usize,
    },
    Extent {
        extent: Arc<Extent>,
        /// Holding the record keeps the file.
        record: Arc<ExtentRecord>,
        row_group: u32,
        pool: Arc<ExtentPool>,
    },
}

impl Morsel {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Bounds (both included) of the table's time column; `None` without one or when all are null.
    pub fn time_bounds(&self) -> Option<(i64, i64)> {
        self.time
    }

    /// Where the rows are.
    pub fn source(&self) -> MorselSource {
        match &self.place {
            Place::Chunk { chunk, offset } => {
                MorselSource::RowStore { first_sequence: chunk.first_sequence, offset: *offset }
            }
            Place::Extent { record, row_group, .. } => {
                MorselSource::Extent { id: record.id, row_group: *row_group }
            }
        }
    }

    /// Row groups of the extent that the morsel is of, read or not; `None` for rows of the row store.
    pub fn extent_row_groups(&self) -> Option<u32> {
        match &self.place {
            Place::Chunk { .. } => None,
            Place::Extent { record, .. } => Some(record.row_groups),
        }
    }

    /// What is known of a column without reading it. `None`: nothing (rows of the row store, columns that the
    /// extent does not have, columns whose type was changed since).
    pub fn statistics(&self, column: u32) -> Option<ColumnStatistics> {
        match &self.place {
            Place::Chunk { .. } => None,
            Place::Extent { extent, row_group, .. } => {
                let stored = extent.columns().iter().find(|(id, _)| *id == column)?.1;
                if self.entry.column_type(column) != Some(stored) {
                    return None;
                }
                extent.statistics(*row_group, column)
            }
        }
    }

    /// The different texts of a string column, where the piece keeps them apart from its rows. `None`: it does
    /// not, or the column is of another type there.
    pub fn distinct_texts(&self, column: u32) -> Result<Option<StringViewArray>> {
        let Place::Extent { extent, record, row_group, pool } = &self.place else { return Ok(None) };
        if self.entry.column_type(column) != Some(ColumnType::String) {
            return Ok(None);
        }
        extent.distinct_texts(*row_group, column).inspect_err(|error| {
            if matches!(error, StorageError::Corrupt { .. }) {
                pool.report(&self.entry, record, error);
            }
        })
    }

    /// The rows that may satisfy the predicate, as far as indexes say without reading a column.
    pub fn select(&self, predicate: &Predicate) -> Selection {
        match &self.place {
            Place::Extent { extent, row_group, .. } if !retyped(&self.entry, extent) => {
                extent.select(*row_group, predicate)
            }
            _ => Selection::UNKNOWN,
        }
    }

    /// Whether the morsel's piece has the column at all; a column it lacks reads as null (or empty).
    pub fn has_column(&self, column: u32) -> bool {
        if matches!(column, EXTENT_ID_COLUMN | EXTENT_TAGS_COLUMN) {
            return true;
        }
        match &self.place {
            Place::Chunk { chunk, .. } => chunk.column(column).is_some(),
            Place::Extent { extent, .. } => extent.columns().iter().any(|(id, _)| *id == column),
        }
    }

    /// The columns of those ids, in that order, as arrays of the table's types; a column that the piece does
    /// not have is null (or empty strings). `INGESTION_TIME_COLUMN` reads the ingestion time.
    pub fn read(&self, columns: &[u32]) -> Result<Vec<ArrayRef>> {
        self.note_query();
        columns.iter().map(|id| self.read_column(*id)).collect()
    }

    /// Some rows of the columns of those ids: `rows` ascend. Reads less than `read` where rows are few.
    pub fn read_rows(&self, columns: &[u32], rows: &[u32]) -> Result<Vec<ArrayRef>> {
        self.note_query();
        let Place::Extent { extent, record, row_group, pool } = &self.place else {
            let picks = UInt32Array::from(rows.to_vec());
            let pick = |array: ArrayRef| {
                arrow_select::take::take(&array, &picks, None)
                    .map_err(|error| StorageError::Invalid(error.to_string()))
            };
            return self.read(columns)?.into_iter().map(pick).collect();
        };
        columns
            .iter()
            .map(|id| {
                if let Some(array) = self.place_column(*id, rows.len()) {
                    return Ok(array);
                }
                let ty = self
                    .entry
                    .column_type(*id)
                    .ok_or_else(|| StorageError::NotFound { kind: "column", name: format!("id {id}") })?;
                extent.read_rows(*row_group, *id, ty, rows).inspect_err(|error| {
                    if matches!(error, StorageError::Corrupt { .. }) {
                        pool.report(&self.entry, record, error);
                    }
                })
            })
            .collect()
    }

    /// What stands under a path of keys in a dynamic column. `None`: not kept on its own here; read the column.
    pub fn read_path(&self, column: u32, keys: &[String]) -> Result<Option<PathValues>> {
        self.note_query();
        let Place::Extent { extent, record, row_group, pool } = &self.place else { return Ok(None) };
        if self.entry.column_type(column) != Some(ColumnType::Dynamic) {
            return Ok(None);
        }
        extent.read_path(*row_group, column, keys).inspect_err(|error| {
            if matches!(error, StorageError::Corrupt { .. }) {
                pool.report(&self.entry, record, error);
            }
        })
    }

    /// What is asked of the texts of a string column, an answer to each question. `None`: not known without
    /// reading the column, or with that effort.
    pub fn ask_texts(
        &self,
        column: u32,
        questions: &[TextQuestion<'_>],
        effort: Effort,
    ) -> Result<Option<Vec<TextAnswer>>> {
        self.note_query();
        let Place::Extent { extent, record, row_group, pool } = &self.place else { return Ok(None) };
        if self.entry.column_type(column) != Some(ColumnType::String) {
            return Ok(None);
        }
        extent.ask_texts(*row_group, column, questions, effort).inspect_err(|error| {
            if matches!(error, StorageError::Corrupt { .. }) {
                pool.report(&self.entry, record, error);
            }
        })
    }

    /// Which values of a dynamic column, as text, the finder finds something in. `None`: not known without reading
    /// the column.
    pub fn search_dynamics(&self, column: u32, finder: &TermFinder) -> Result<Option<BooleanBuffer>> {
        self.note_query();
        let Place::Extent { extent, record, row_group, pool } = &self.place else { return Ok(None) };
        if self.entry.column_type(column) != Some(ColumnType::Dynamic) {
            return Ok(None);
        }
        extent.search_dynamics(*row_group, column, finder).inspect_err(|error| {
            if matches!(error, StorageError::Corrupt { .. }) {
                pool.report(&self.entry, record, error);
            }
        })
    }

    fn note_query(&self) {
        if let Place::Extent { pool, .. } = &self.place {
            pool.note_query();
        }
    }

    /// A column that is not stored but follows from where the rows are.
    fn place_column(&self, id: u32, rows: usize) -> Option<ArrayRef> {
        let (extent, tags) = match &self.place {
            Place::Chunk { chunk, .. } => (Uuid::nil(), &chunk.tags),
            Place::Extent { record, .. } => (record.id, &record.tags),
        };
        match id {
            EXTENT_ID_COLUMN => {
                let bytes = extent.into_bytes().repeat(rows);
                Some(Arc::new(FixedSizeBinaryArray::new(16, bytes.into(), None)))
            }
            EXTENT_TAGS_COLUMN => {
                let mut builder = DynamicBuilder::new();
                builder.begin_array();
                tags.iter().for_each(|tag| builder.string(tag));
                builder.end_array();
                let bytes = builder.finish();
                Some(Arc::new(BinaryViewArray::from_iter_values(std::iter::repeat_n(bytes, rows))))
            }
            _ => None,
        }
    }

    fn read_column(&self, id: u32) -> Result<ArrayRef> {
        if let Some(array) = self.place_column(id, self.rows) {
            return Ok(array);
        }
        let ty = self
            .entry
            .column_type(id)
            .ok_or_else(|| StorageError::NotFound { kind: "column", name: format!("id {id}") })?;
        match &self.place {
            Place::Chunk { chunk, offset } => match chunk.column(id) {
                Some(_) => Ok(chunk_array(chunk, id, ty)?.slice(*offset, self.rows)),
                None => Ok(absent(ty, self.rows)),
            },
            Place::Extent { extent, record, row_group, pool } => {
                extent.read_column(*row_group, id, ty).inspect_err(|error| {
                    if matches!(error, StorageError::Corrupt { .. }) {
                        pool.report(&self.entry, record, error);
                    }
                })
            }
        }
    }
}

/// Plans a scan of one table.
pub(crate) fn scan(table: &TableSnapshot, request: &ScanRequest) -> Result<Scan> {
    let mut scan = Scan::default();
    let time_column = table.entry.time_column();
    let bounds = match time_column {
        Some(column) => ticks_bounds(&request.predicate, column),
        None => Bounds::EVERYTHING,
    };
    for record in table.extents.iter() {
        scan_extent(table, record, request, bounds, &mut scan)?;
    }
    for chunk in table.chunks.iter() {
        let rows = chunk.rows as u64;
        scan.totals.row_groups_total += 1;
        scan.totals.rows_total += rows;
        let time = chunk.time.filter(|(column, _, _)| Some(*column) == time_column);
        let time = time.map(|(_, least, greatest)| (least, greatest));
        if time.is_some_and(|(least, greatest)| !bounds.may_meet(least, greatest)) {
            continue;
        }
        scan.totals.row_groups_scanned += 1;
        scan.totals.rows_scanned += rows;
        let mut offset = 0;
        while offset < chunk.rows {
            let rows = (chunk.rows - offset).min(MORSEL_ROWS);
            scan.morsels.push(Morsel {
                entry: table.entry.clone(),
                rows,
                time,
                place: Place::Chunk { chunk: chunk.clone(), offset },
            });
            offset += rows;
        }
    }
    match request.order {
        ScanOrder::Any => {}
        ScanOrder::TimeAscending => {
            scan.morsels.sort_by_key(|morsel| morsel.time.map_or(i64::MIN, |(least, _)| least));
        }
        ScanOrder::TimeDescending => {
            let greatest = |morsel: &Morsel| morsel.time.map_or(i64::MAX, |(_, greatest)| greatest);
            scan.morsels.sort_by_key(|morsel| std::cmp::Reverse(greatest(morsel)));
        }
    }
    Ok(scan)
}

fn scan_extent(
    table: &TableSnapshot,
    record: &Arc<ExtentRecord>,
    request: &ScanRequest,
    bounds: Bounds,
    scan: &mut Scan,
) -> Result<()> {
    let time_column = table.entry.time_column();
    scan.totals.extents_total += 1;
    scan.totals.row_groups_total += u64::from(record.row_groups);
    scan.totals.rows_total += record.rows;
    // Without bounds all times are null, unless they are of another column.
    let same_column = record.time_column == time_column && time_column.is_some();
    let time = record.min_time.zip(record.max_time).filter(|_| same_column);
    if time.is_some_and(|(least, greatest)| !bounds.may_meet(least, greatest)) {
        return Ok(());
    }
    let extent = match table.pool.get(&table.entry, record)? {
        Pooled::Open(extent) => extent,
        Pooled::Damaged(detail) => {
            scan.totals.damaged.push(detail);
            return Ok(());
        }
    };
    let row_groups = match retyped(&table.entry, &extent) {
        // Bounds and indexes speak of the stored values, not of what they are converted to.
        true => (0..extent.row_group_count()).collect(),
        false => extent.prune(&request.predicate),
    };
    if !row_groups.is_empty() {
        scan.totals.extents_scanned += 1;
    }
    for row_group in row_groups {
        let rows = extent.row_group_rows(row_group) as usize;
        scan.totals.row_groups_scanned += 1;
        scan.totals.rows_scanned += rows as u64;
        let time = time_column.and_then(|column| extent.statistics(row_group, column)).and_then(
            |statistics| match (statistics.min, statistics.max) {
                (Some(Literal::Integer(least)), Some(Literal::Integer(greatest))) => Some((least, greatest)),
                _ => None,
            },
        );
        scan.morsels.push(Morsel {
            entry: table.entry.clone(),
            rows,
            time,
            place: Place::Extent {
                extent: extent.clone(),
                record: record.clone(),
                row_group,
                pool: table.pool.clone(),
            },
        });
    }
    Ok(())
}

/// Whether a column of the extent has another type than the table gives it now.
fn retyped(entry: &TableEntry, extent: &Extent) -> bool {
    extent.columns().iter().any(|(id, ty)| entry.column_type(*id).is_some_and(|now| now != *ty))
}

/// An inclusive range of values that rows must lie in to match; `nulls`: a null may match as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub least: i64,
    pub greatest: i64,
    pub nulls: bool,
}

impl Bounds {
    pub const EVERYTHING: Bounds = Bounds { least: i64::MIN, greatest: i64::MAX, nulls: true };
    const NOTHING: Bounds = Bounds { least: i64::MAX, greatest: i64::MIN, nulls: false };

    /// Whether rows with values in the given range (and perhaps nulls) can match.
    pub fn may_meet(&self, least: i64, greatest: i64) -> bool {
        self.nulls || (least <= self.greatest && self.least <= greatest)
    }

    fn both(self, other: Bounds) -> Bounds {
        Bounds {
            least: self.least.max(other.least),
            greatest: self.greatest.min(other.greatest),
            nulls: self.nulls && other.nulls,
        }
    }

    fn either(self, other: Bounds) -> Bounds {
        let nulls = self.nulls || other.nulls;
        if self.least > self.greatest {
            return Bounds { nulls, ..other };
        }
        if other.least > other.greatest {
            return Bounds { nulls, ..self };
        }
        Bounds { least: self.least.min(other.least), greatest: self.greatest.max(other.greatest), nulls }
    }
}

/// What a predicate demands of a column of ticks, at least.
pub(crate) fn ticks_bounds(predicate: &Predicate, column: u32) -> Bounds {
    match predicate {
        Predicate::And(parts) => {
            parts.iter().fold(Bounds::EVERYTHING, |bounds, part| bounds.both(ticks_bounds(part, column)))
        }
        Predicate::Or(parts) => {
            parts.iter().fold(Bounds::NOTHING, |bounds, part| bounds.either(ticks_bounds(part, column)))
        }
        Predicate::Compare { column: id, operator, value: Literal::Integer(value), .. } if *id == column => {
            let value = *value;
            let (least, greatest) = match operator {
                Comparison::Equal => (value, value),
                Comparison::NotEqual => return Bounds::EVERYTHING,
                Comparison::Less if value == i64::MIN => return Bounds::NOTHING,
                Comparison::Less => (i64::MIN, value - 1),
                Comparison::LessOrEqual => (i64::MIN, value),
                Comparison::Greater if value == i64::MAX => return Bounds::NOTHING,
                Comparison::Greater => (value + 1, i64::MAX),
                Comparison::GreaterOrEqual => (value, i64::MAX),
            };
            Bounds { least, greatest, nulls: false }
        }
        Predicate::In { column: id, values, .. } if *id == column => {
            let mut bounds = Bounds::NOTHING;
            for value in values {
                match value {
                    Literal::Integer(value) => {
                        bounds = bounds.either(Bounds { least: *value, greatest: *value, nulls: false });
                    }
                    _ => return Bounds::EVERYTHING,
                }
            }
            bounds
        }
        Predicate::IsNotNull { column: id, .. } if *id == column => {
            Bounds { nulls: false, ..Bounds::EVERYTHING }
        }
        _ => Bounds::EVERYTHING,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(operator: Comparison, value: i64) -> Predicate {
        Predicate::Compare { column: 0, ty: ColumnType::DateTime, operator, value: Literal::Integer(value) }
    }

    #[test]
    fn bounds_of_predicates() {
        use Comparison::*;
        let other = Predicate::HasTerm { column: 1, term: "x".to_owned() };
        let cases = [
            (Predicate::And(vec![]), (i64::MIN, i64::MAX, true)),
            (Predicate::Or(vec![]), (i64::MAX, i64::MIN, false)),
            (
                Predicate::And(vec![compare(GreaterOrEqual, 5), compare(Less, 10), other.clone()]),
                (5, 9, false),
            ),
            (Predicate::Or(vec![compare(Equal, 5), compare(Equal, 10)]), (5, 10, false)),
            (Predicate::Or(vec![compare(Equal, 5), other]), (i64::MIN, i64::MAX, true)),
            (
                Predicate::Or(vec![
                    compare(Equal, 5),
                    Predicate::IsNull { column: 0, ty: ColumnType::DateTime },
                ]),
                (i64::MIN, i64::MAX, true),
            ),
            (compare(NotEqual, 5), (i64::MIN, i64::MAX, true)),
            (compare(Greater, i64::MAX), (i64::MAX, i64::MIN, false)),
        ];
        for (predicate, (least, greatest, nulls)) in cases {
            assert_eq!(ticks_bounds(&predicate, 0), Bounds { least, greatest, nulls }, "{predicate:?}");
        }
    }
}
