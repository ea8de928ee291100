//! Rows on their way into a table: one growing column per table column, and new ones as names appear.
//!
//! A strict builder takes the columns of the table and no others, and a value that does not fit becomes
//! null. An evolving builder adds a column for each new name, infers its type, and widens a column instead
//! of losing a value. The types settled by one batch hold for the next.

use std::cmp::Ordering;
use std::collections::HashMap;

use arrow_array::ArrayRef;
use conshelf_storage::{ColumnType, TableSchema};
use foldhash::fast::RandomState;

use crate::ingest::column::{ColumnBuilder, Scalar};
use crate::ingest::text;

/// Rows of a batch, at most.
pub const BATCH_ROWS: usize = 65_536;
/// Bytes of a batch after which it is full.
pub const BATCH_BYTES: usize = 16 << 20;
/// Columns a table may grow to by ingestion.
pub const MAX_COLUMNS: usize = 10_000;
/// Bytes of a column name.
pub const MAX_NAME_BYTES: usize = 1024;

/// What becomes of unknown names and of values that do not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    Strict,
    Evolve,
}

/// Where the texts of a new column come from decides what they may stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextOrigin {
    /// JSON strings: a datetime or a guid, else a text. Numbers have a syntax of their own.
    Json,
    /// Delimited values: anything.
    Delimited,
}

#[derive(Debug)]
struct TargetColumn {
    name: Box<str>,
    /// `None` until the first value of a new column.
    builder: Option<ColumnBuilder>,
    /// A new string column whose type is settled at the end of the batch.
    undecided: bool,
    /// The row whose value gave the column its type.
    born: Option<usize>,
    /// The name as JSON writes it, with quotes and colon; empty where it has escapes.
    token: Box<[u8]>,
}

impl TargetColumn {
    fn new(name: &str, builder: Option<ColumnBuilder>) -> TargetColumn {
        let plain = !name.bytes().any(|byte| byte < b' ' || matches!(byte, b'"' | b'\\'));
        let token = if plain { format!("\"{name}\":").into_bytes() } else { Vec::new() };
        TargetColumn { name: name.into(), builder, undecided: false, born: None, token: token.into() }
    }
}

/// A decoded column of a batch.
#[derive(Clone, Debug)]
pub struct DecodedColumn {
    pub name: String,
    pub ty: ColumnType,
    pub array: ArrayRef,
}

/// A decoded batch. Columns are those with at least one value, and all columns of the table known when the
/// request began.
#[derive(Clone, Debug)]
pub struct DecodedBatch {
    pub columns: Vec<DecodedColumn>,
    pub rows: usize,
    /// Values that did not fit and became null (strict doors only).
    pub nulled: u64,
}

impl DecodedBatch {
    /// The column of that name, which mostly stands at that place.
    pub fn column(&self, at: usize, name: &str) -> Option<&DecodedColumn> {
        match self.columns.get(at) {
            Some(column) if column.name == name => Some(column),
            _ => self.columns.iter().find(|column| column.name == name),
        }
    }
}

/// Builds rows column by column.
#[derive(Debug)]
pub struct RowBuilder {
    columns: Vec<TargetColumn>,
    names: HashMap<Box<str>, usize, RandomState>,
    policy: Policy,
    origin: TextOrigin,
    rows: usize,
    nulled: u64,
    /// Columns before this one were in the table when the request began.
    known: usize,
    /// The column that follows the last one looked up: rows mostly repeat the order of their names.
    expected: usize,
}

impl RowBuilder {
    pub fn new(schema: &TableSchema, policy: Policy, origin: TextOrigin) -> RowBuilder {
        let columns: Vec<TargetColumn> = schema
            .columns
            .iter()
            .map(|column| TargetColumn::new(&column.name, Some(ColumnBuilder::new(column.ty))))
            .collect();
        let names = columns.iter().enumerate().map(|(at, column)| (column.name.clone(), at)).collect();
        let known = columns.len();
        RowBuilder { columns, names, policy, origin, rows: 0, nulled: 0, known, expected: 0 }
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Values so far that did not fit and became null.
    pub fn nulled(&self) -> u64 {
        self.nulled
    }

    /// Whether the table takes the rows as it is: no new column has a value, none was widened.
    pub fn fits(&self, schema: &TableSchema) -> bool {
        self.columns.iter().enumerate().all(|(at, target)| match (schema.columns.get(at), &target.builder) {
            (Some(column), Some(builder)) => builder.ty() == column.ty,
            (None, Some(_)) => false,
            (_, None) => true,
        })
    }

    /// Number of columns so far.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    pub fn policy(&self) -> Policy {
        self.policy
    }

    /// The type of a column, if settled.
    pub fn column_type(&self, column: usize) -> Option<ColumnType> {
        self.columns[column].builder.as_ref().map(ColumnBuilder::ty)
    }

    pub fn name(&self, column: usize) -> &str {
        &self.columns[column].name
    }

    /// The column that mostly comes next, and the bytes of its name with quotes and colon, if `input` begins with them.
    #[inline]
    pub fn expected_name(&mut self, input: &[u8]) -> Option<(usize, usize)> {
        let token = &self.columns.get(self.expected)?.token;
        if token.is_empty() || !begins_with(input, token) {
            return None;
        }
        self.expected += 1;
        Some((self.expected - 1, token.len()))
    }

    /// The column of that name. An unknown name is `Ok(None)` to a strict builder and a new column to an
    /// evolving one; `Err` says why it cannot be one.
    pub fn column_of(&mut self, name: &str) -> Result<Option<usize>, String> {
        if self.expected >= self.columns.len() {
            self.expected = 0;
        }
        if let Some(column) = self.columns.get(self.expected)
            && *column.name == *name
        {
            self.expected += 1;
            return Ok(Some(self.expected - 1));
        }
        if let Some(&at) = self.names.get(name) {
            self.expected = at + 1;
            return Ok(Some(at));
        }
        if self.policy == Policy::Strict {
            return Ok(None);
        }
        if name.is_empty() || name.len() > MAX_NAME_BYTES {
            return Err(format!("a column name has 1 to {MAX_NAME_BYTES} bytes, this one {}", name.len()));
        }
        if self.columns.len() >= MAX_COLUMNS {
            return Err(format!(
                "the table would have more than {MAX_COLUMNS} columns; put varying keys into one object"
            ));
        }
        let at = self.columns.len();
        self.columns.push(TargetColumn::new(name, None));
        self.names.insert(name.into(), at);
        self.expected = at + 1;
        Ok(Some(at))
    }

    /// The position of a column that is there already.
    pub fn known(&self, name: &str) -> Option<usize> {
        self.names.get(name).copied()
    }

    /// The column of that name, made with the type if it is new (a strict builder makes none).
    pub fn declare(&mut self, name: &str, ty: Option<ColumnType>) -> Result<Option<usize>, String> {
        let column = self.column_of(name)?;
        if let (Some(at), Some(ty)) = (column, ty)
            && self.columns[at].builder.is_none()
        {
            self.columns[at].builder = Some(ColumnBuilder::new(ty));
        }
        Ok(column)
    }

    /// Sets the value of a column in the current row; of several values the last one stays.
    pub fn append(&mut self, column: usize, value: Scalar<'_>) {
        let target = &mut self.columns[column];
        let builder = match &mut target.builder {
            Some(builder) => builder,
            None => {
                if value == Scalar::Null {
                    return;
                }
                target.undecided = matches!(value, Scalar::Text(_));
                target.born = Some(self.rows);
                target.builder.insert(ColumnBuilder::new(inferred_type(value)))
            }
        };
        match builder.rows().cmp(&self.rows) {
            Ordering::Equal => {}
            Ordering::Less => builder.pad(self.rows),
            Ordering::Greater => builder.truncate(self.rows),
        }
        if builder.append(value).is_err() {
            match self.policy {
                Policy::Strict => {
                    self.nulled += 1;
                    builder.pad(self.rows + 1);
                }
                Policy::Evolve => {
                    builder.widen(builder.widened_for(value));
                    if builder.append(value).is_err() {
                        builder.widen(ColumnType::Dynamic);
                        let fits = builder.append(value);
                        debug_assert!(fits.is_ok(), "a dynamic column takes every value");
                    }
                }
            }
        }
    }

    /// Closes the current row; columns without a value get null.
    pub fn end_row(&mut self) {
        self.rows += 1;
        self.expected = 0;
    }

    /// Forgets the values of the current row.
    pub fn undo_row(&mut self) {
        for target in &mut self.columns {
            if target.born == Some(self.rows) {
                target.builder = None;
                target.born = None;
            } else if let Some(builder) = &mut target.builder {
                builder.truncate(self.rows);
            }
        }
        self.expected = 0;
    }

    pub fn is_full(&self) -> bool {
        // The sum is taken now and then: a row is small against a batch.
        self.rows >= BATCH_ROWS || (self.rows.is_multiple_of(512) && self.memory_bytes() >= BATCH_BYTES)
    }

    /// Bytes held by the values.
    pub fn memory_bytes(&self) -> usize {
        self.columns
            .iter()
            .filter_map(|target| target.builder.as_ref())
            .map(ColumnBuilder::memory_bytes)
            .sum()
    }

    /// The rows so far as arrays; the builder goes on empty, its columns keep the types they got.
    pub fn finish(&mut self) -> DecodedBatch {
        self.finish_as(ColumnBuilder::finish)
    }

    /// Like [`RowBuilder::finish`], with texts that repeat themselves as dictionaries: for the store.
    pub fn finish_coded(&mut self) -> DecodedBatch {
        self.finish_as(ColumnBuilder::finish_coded)
    }

    fn finish_as(&mut self, array: impl Fn(&mut ColumnBuilder) -> ArrayRef) -> DecodedBatch {
        let (rows, known) = (self.rows, self.known);
        let mut columns = Vec::with_capacity(self.columns.len());
        for (at, target) in self.columns.iter_mut().enumerate() {
            let Some(builder) = &mut target.builder else { continue };
            if target.undecided {
                target.undecided = false;
                if let Some(decided) = decide(builder, self.origin) {
                    *builder = decided;
                }
            }
            target.born = None;
            if builder.rows() == 0 && at >= known {
                continue;
            }
            builder.pad(rows);
            columns.push(DecodedColumn {
                name: target.name.to_string(),
                ty: builder.ty(),
                array: array(builder),
            });
        }
        self.rows = 0;
        DecodedBatch { columns, rows, nulled: std::mem::take(&mut self.nulled) }
    }
}

/// Whether bytes begin with a token: for tokens of a few words quicker than the call of a comparison of any length.
#[inline]
fn begins_with(input: &[u8], token: &[u8]) -> bool {
    let Some(start) = input.get(..token.len()) else { return false };
    let (words, rest) = start.as_chunks::<8>();
    let (token_words, token_rest) = token.as_chunks::<8>();
    let same = |(left, right): (&[u8; 8], &[u8; 8])| u64::from_le_bytes(*left) == u64::from_le_bytes(*right);
    if !words.iter().zip(token_words).all(same) {
        return false;
    }
    match (start.last_chunk::<8>(), token.last_chunk::<8>()) {
        (Some(left), Some(right)) => same((left, right)),
        _ => rest.iter().zip(token_rest).all(|(left, right)| left == right),
    }
}

fn inferred_type(value: Scalar<'_>) -> ColumnType {
    match value {
        Scalar::Bool(_) => ColumnType::Bool,
        Scalar::Integer(_) => ColumnType::Long,
        Scalar::BigInteger(_) => ColumnType::Decimal,
        Scalar::Real(_) => ColumnType::Real,
        Scalar::Ticks(ty, _) | Scalar::Fixed(ty, _) => ty,
        Scalar::Text(_) => ColumnType::String,
        Scalar::Null | Scalar::Nested { .. } => ColumnType::Dynamic,
    }
}

/// The column as the type that all its texts stand for, or `None`: they are just texts.
fn decide(column: &ColumnBuilder, origin: TextOrigin) -> Option<ColumnBuilder> {
    let all = |holds: fn(&str) -> bool| {
        let mut seen = false;
        let all = column.texts().filter(|text| !text.is_empty()).all(|text| {
            seen = true;
            holds(text)
        });
        all && seen
    };
    let is_whole = |text: &str| {
        // "007" and "+1" are texts: as numbers they would not come back as they were.
        text::long(text).is_some_and(|value| itoa::Buffer::new().format(value) == text)
    };
    if origin == TextOrigin::Delimited {
        if all(|text| text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false")) {
            return column.converted(ColumnType::Bool);
        }
        if all(is_whole) {
            return column.converted(ColumnType::Long);
        }
        if all(|text| text::real(text).is_some() && !has_leading_zero(text)) {
            return column.converted(ColumnType::Real);
        }
    }
    if all(|text| text::iso_datetime(text).is_some()) {
        return column.converted(ColumnType::DateTime);
    }
    if all(|text| text.len() == 36 && text::guid(text).is_some()) {
        return column.converted(ColumnType::Guid);
    }
    None
}

fn has_leading_zero(text: &str) -> bool {
    let digits = text.trim_start_matches('-').as_bytes();
    digits.first() == Some(&b'+') || (digits.len() > 1 && digits[0] == b'0' && digits[1].is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types(batch: &DecodedBatch) -> Vec<(String, &'static str)> {
        batch.columns.iter().map(|column| (column.name.clone(), column.ty.name())).collect()
    }

    fn infer(origin: TextOrigin, values: &[Scalar<'_>]) -> Vec<(String, &'static str)> {
        let mut rows = RowBuilder::new(&TableSchema::default(), Policy::Evolve, origin);
        for value in values {
            let column = rows.column_of("c").expect("a good name").expect("a column");
            rows.append(column, *value);
            rows.end_row();
        }
        types(&rows.finish())
    }

    #[test]
    fn types_are_inferred_from_all_texts_of_the_batch() {
        use Scalar::Text;
        for (values, json, delimited) in [
            (&["2024-01-01T00:00:00Z", ""][..], "datetime", "datetime"),
            (&["2024-01-01T00:00:00Z", "n/a"], "string", "string"),
            (&["74be27de-1e4e-49d9-b579-fe0b331d3642"], "guid", "guid"),
            (&["1", "2"], "string", "long"),
            (&["1", "2.5"], "string", "real"),
            (&["007"], "string", "string"),
            (&["true", "False"], "string", "bool"),
            (&["", ""], "string", "string"),
        ] {
            let values: Vec<Scalar<'_>> = values.iter().map(|text| Text(text)).collect();
            assert_eq!(infer(TextOrigin::Json, &values)[0].1, json, "{values:?}");
            assert_eq!(infer(TextOrigin::Delimited, &values)[0].1, delimited, "{values:?}");
        }
        assert_eq!(infer(TextOrigin::Json, &[Scalar::Integer(1), Scalar::Real(0.5)])[0].1, "real");
        assert_eq!(infer(TextOrigin::Json, &[Scalar::Integer(1), Text("x")])[0].1, "dynamic");
        assert_eq!(infer(TextOrigin::Json, &[Text("x"), Scalar::Integer(1)])[0].1, "string");
        assert_eq!(infer(TextOrigin::Json, &[Scalar::Null])[..], []);
    }

    #[test]
    fn an_undone_row_leaves_no_column_behind() {
        let mut rows = RowBuilder::new(&TableSchema::default(), Policy::Evolve, TextOrigin::Json);
        for (name, keep) in [("a", true), ("b", false), ("a", true)] {
            let column = rows.column_of(name).expect("a good name").expect("a column");
            rows.append(column, Scalar::Integer(1));
            if keep { rows.end_row() } else { rows.undo_row() }
        }
        let batch = rows.finish();
        assert_eq!((batch.rows, types(&batch)), (2, vec![(String::from("a"), "long")]));
    }
}
