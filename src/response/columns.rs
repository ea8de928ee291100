//! Typed access to the arrays of a batch, once per batch and column, and the forms of a cell.
//!
//! Encoders walk rows over these; a column that does not hold what its schema says is an error, not a panic.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{
    Array, ArrayRef, BinaryViewArray, BooleanArray, DictionaryArray, FixedSizeBinaryArray, Float64Array,
    Int32Array, Int64Array, StringViewArray,
};
use arrow_schema::DataType;
use conshelf_kql::{Column, Schema, Type};
use conshelf_storage::dynamic::DynamicRef;

use crate::engine::Batch;
use crate::response::EncodeError;
use crate::response::value_text;

/// One column of a batch.
#[derive(Clone, Copy)]
pub enum Cells<'a> {
    Bool(&'a BooleanArray),
    Int(&'a Int32Array),
    Long(&'a Int64Array),
    Real(&'a Float64Array),
    Decimal(&'a FixedSizeBinaryArray),
    DateTime(&'a Int64Array),
    TimeSpan(&'a Int64Array),
    Guid(&'a FixedSizeBinaryArray),
    String(&'a StringViewArray),
    Dictionary(&'a DictionaryArray<UInt32Type>, &'a StringViewArray),
    Dynamic(&'a BinaryViewArray),
}

impl<'a> Cells<'a> {
    /// The column as the type its schema gives it.
    pub fn new(column: &Column, array: &'a ArrayRef) -> Result<Cells<'a>, EncodeError> {
        let wrong = || EncodeError {
            column: column.name.clone(),
            ty: column.ty.name(),
            arrow: array.data_type().to_string(),
        };
        Ok(match column.ty {
            Type::Bool => Cells::Bool(array.as_boolean_opt().ok_or_else(wrong)?),
            Type::Int => Cells::Int(array.as_primitive_opt().ok_or_else(wrong)?),
            Type::Long => Cells::Long(array.as_primitive_opt().ok_or_else(wrong)?),
            Type::Real => Cells::Real(array.as_primitive_opt().ok_or_else(wrong)?),
            Type::DateTime => Cells::DateTime(array.as_primitive_opt().ok_or_else(wrong)?),
            Type::TimeSpan => Cells::TimeSpan(array.as_primitive_opt().ok_or_else(wrong)?),
            Type::Decimal => Cells::Decimal(array.as_fixed_size_binary_opt().ok_or_else(wrong)?),
            Type::Guid => Cells::Guid(array.as_fixed_size_binary_opt().ok_or_else(wrong)?),
            Type::Dynamic => Cells::Dynamic(array.as_binary_view_opt().ok_or_else(wrong)?),
            Type::String => match array.data_type() {
                DataType::Dictionary(_, _) => {
                    let dictionary = array.as_dictionary_opt::<UInt32Type>().ok_or_else(wrong)?;
                    Cells::Dictionary(dictionary, dictionary.values().as_string_view_opt().ok_or_else(wrong)?)
                }
                _ => Cells::String(array.as_string_view_opt().ok_or_else(wrong)?),
            },
        })
    }

    /// Every column of a batch.
    pub fn of_batch(schema: &Schema, batch: &'a Batch) -> Result<Vec<Cells<'a>>, EncodeError> {
        if schema.len() != batch.columns.len() {
            return Err(EncodeError {
                column: format!("{} columns", schema.len()),
                ty: "a row",
                arrow: format!("{} arrays", batch.columns.len()),
            });
        }
        schema.iter().zip(&batch.columns).map(|(column, array)| Cells::new(column, array)).collect()
    }

    /// The text of a string column; "" where the slot is null.
    pub fn string_at(&self, row: usize) -> Option<&'a str> {
        match self {
            Cells::String(array) => Some(if array.is_valid(row) { array.value(row) } else { "" }),
            Cells::Dictionary(array, values) => Some(match array.key(row) {
                Some(key) if values.is_valid(key) => values.value(key),
                _ => "",
            }),
            _ => None,
        }
    }

    fn is_null(&self, row: usize) -> bool {
        match self {
            Cells::Bool(array) => array.is_null(row),
            Cells::Int(array) => array.is_null(row),
            Cells::Long(array) | Cells::DateTime(array) | Cells::TimeSpan(array) => array.is_null(row),
            Cells::Real(array) => array.is_null(row),
            Cells::Decimal(array) | Cells::Guid(array) => array.is_null(row),
            Cells::String(_) | Cells::Dictionary(..) => false,
            Cells::Dynamic(array) => array.is_null(row),
        }
    }

    /// The cell as a JSON value, in the forms of the wire protocol.
    pub fn write_json(&self, row: usize, scratch: &mut String, out: &mut Vec<u8>) {
        if self.is_null(row) {
            out.extend_from_slice(b"null");
            return;
        }
        match self {
            Cells::Bool(array) => out.extend_from_slice(if array.value(row) { b"true" } else { b"false" }),
            Cells::Int(array) => value_text::integer(i64::from(array.value(row)), out),
            Cells::Long(array) => value_text::integer(array.value(row), out),
            Cells::Real(array) => value_text::real_json(array.value(row), out),
            Cells::Decimal(_) | Cells::DateTime(_) | Cells::TimeSpan(_) | Cells::Guid(_) => {
                out.push(b'"');
                self.write_plain(row, scratch, out);
                out.push(b'"');
            }
            Cells::String(_) | Cells::Dictionary(..) => {
                value_text::json_string(self.string_at(row).unwrap_or(""), out);
            }
            Cells::Dynamic(array) => dynamic_json(array.value(row), scratch, out),
        }
    }

    /// The cell as plain text: nothing for a null, dynamic values as JSON (a dynamic string as its text).
    pub fn write_plain(&self, row: usize, scratch: &mut String, out: &mut Vec<u8>) {
        if self.is_null(row) {
            return;
        }
        match self {
            Cells::Bool(array) => out.extend_from_slice(if array.value(row) { b"true" } else { b"false" }),
            Cells::Int(array) => value_text::integer(i64::from(array.value(row)), out),
            Cells::Long(array) => value_text::integer(array.value(row), out),
            Cells::Real(array) => value_text::real(array.value(row), out),
            Cells::Decimal(array) => value_text::decimal(array.value(row), out),
            Cells::DateTime(array) => value_text::datetime(array.value(row), out),
            Cells::TimeSpan(array) => value_text::timespan(array.value(row), out),
            Cells::Guid(array) => value_text::guid(array.value(row), out),
            Cells::String(_) | Cells::Dictionary(..) => {
                out.extend_from_slice(self.string_at(row).unwrap_or("").as_bytes());
            }
            Cells::Dynamic(array) => {
                let value = DynamicRef::new(array.value(row));
                match value.as_str() {
                    Some(text) => out.extend_from_slice(text.as_bytes()),
                    None => dynamic_json(array.value(row), scratch, out),
                }
            }
        }
    }

    /// What the cell weighs against a byte limit: about the size of its text.
    pub fn weight(&self, rows: usize) -> u64 {
        let rows_u64 = rows as u64;
        match self {
            Cells::Bool(_) => rows_u64,
            Cells::Int(_) => rows_u64 * 4,
            Cells::Long(_) | Cells::Real(_) | Cells::DateTime(_) | Cells::TimeSpan(_) => rows_u64 * 8,
            Cells::Decimal(_) | Cells::Guid(_) => rows_u64 * 16,
            Cells::String(array) => array.lengths().map(u64::from).sum::<u64>() + rows_u64,
            Cells::Dictionary(array, values) => {
                let lengths: Vec<u64> = values.lengths().map(u64::from).collect();
                array
                    .keys()
                    .values()
                    .iter()
                    .map(|key| lengths.get(*key as usize).copied().unwrap_or(0))
                    .sum::<u64>()
                    + rows_u64
            }
            Cells::Dynamic(array) => array.lengths().map(u64::from).sum::<u64>() + rows_u64,
        }
    }
}

fn dynamic_json(bytes: &[u8], scratch: &mut String, out: &mut Vec<u8>) {
    scratch.clear();
    DynamicRef::new(bytes).to_json(scratch);
    out.extend_from_slice(scratch.as_bytes());
}

/// About how many bytes of result each batch is.
pub fn batch_weight(schema: &Schema, batch: &Batch) -> Result<u64, EncodeError> {
    Ok(Cells::of_batch(schema, batch)?.iter().map(|cells| cells.weight(batch.rows)).sum())
}

/// Fewer cells are written by one thread.
const PARALLEL_CELLS: usize = 16_384;

/// Texts are copied in pieces of so many bytes: cheaper than copying just what there is.
const PIECE: usize = 16;

/// Longer dictionary values are not written beforehand.
const CODED_BYTES: usize = 1_024;

/// Room that lines take at a time.
const ROOM: usize = 64 << 10;

/// Text under construction, of which the end is not used yet: pieces may reach over what they are to write.
struct Lines {
    bytes: Vec<u8>,
    end: usize,
}

impl Lines {
    /// Makes sure that so many bytes may be written.
    #[inline]
    fn room(&mut self, bytes: usize) {
        if self.bytes.len() < self.end + bytes {
            self.bytes.resize(self.end + bytes + ROOM, 0);
        }
    }

    #[inline]
    fn byte(&mut self, byte: u8) {
        self.bytes[self.end] = byte;
        self.end += 1;
    }

    /// Writes the first bytes of a piece.
    #[inline]
    fn piece<const N: usize>(&mut self, piece: &[u8; N], length: usize) {
        self.bytes[self.end..self.end + N].copy_from_slice(piece);
        self.end += length;
    }

    #[inline]
    fn all(&mut self, text: &[u8]) {
        self.bytes[self.end..self.end + text.len()].copy_from_slice(text);
        self.end += text.len();
    }
}

/// Text of each dictionary value with what stands before it, in pieces.
struct CodedTexts {
    pieces: Vec<[u8; PIECE]>,
    /// By code: the first piece, and the length of the text.
    places: Vec<(u32, u32)>,
    /// Pieces of the longest.
    longest: usize,
}

impl CodedTexts {
    fn new(values: &StringViewArray, before: u8) -> CodedTexts {
        let mut coded =
            CodedTexts { pieces: Vec::new(), places: Vec::with_capacity(values.len()), longest: 0 };
        let mut text = Vec::new();
        for row in 0..values.len() {
            text.clear();
            text.push(before);
            value_text::json_string(if values.is_valid(row) { values.value(row) } else { "" }, &mut text);
            coded.places.push((coded.pieces.len() as u32, text.len() as u32));
            text.resize(text.len().next_multiple_of(PIECE), 0);
            coded.pieces.extend_from_slice(text.as_chunks().0);
            coded.longest = coded.longest.max(text.len() / PIECE);
        }
        coded
    }
}

/// How a column of a batch becomes JSON: what rows have in common is written once.
#[derive(Clone)]
enum JsonColumn<'a> {
    Coded {
        codes: &'a [u32],
        texts: Arc<CodedTexts>,
    },
    /// Neighbours often are of one time.
    DateTime {
        array: &'a Int64Array,
        last: i64,
        text: [u8; 2 * PIECE],
        length: usize,
    },
    Real(&'a [f64]),
    Int(&'a [i32]),
    Long(&'a [i64]),
    Other(Cells<'a>),
}

impl<'a> JsonColumn<'a> {
    fn new(cells: Cells<'a>, before: u8) -> JsonColumn<'a> {
        match cells {
            // A dictionary of more values than rows is not worth writing whole.
            Cells::Dictionary(array, values)
                if array.null_count() == 0
                    && values.len() <= array.len()
                    && values.lengths().all(|length| length as usize <= CODED_BYTES) =>
            {
                JsonColumn::Coded {
                    codes: array.keys().values(),
                    texts: Arc::new(CodedTexts::new(values, before)),
                }
            }
            Cells::DateTime(array) => {
                JsonColumn::DateTime { array, last: 0, text: [0; 2 * PIECE], length: 0 }
            }
            Cells::Real(array) if array.null_count() == 0 => JsonColumn::Real(array.values()),
            Cells::Int(array) if array.null_count() == 0 => JsonColumn::Int(array.values()),
            Cells::Long(array) if array.null_count() == 0 => JsonColumn::Long(array.values()),
            other => JsonColumn::Other(other),
        }
    }

    /// Room that a cell takes while it is written; others ask for it themselves.
    fn room(&self) -> usize {
        match self {
            JsonColumn::Coded { texts, .. } => texts.longest * PIECE,
            _ => 4 * PIECE,
        }
    }

    #[inline]
    fn write(&mut self, row: usize, before: u8, scratch: &mut Scratch, lines: &mut Lines) {
        match self {
            JsonColumn::Coded { codes, texts } => {
                let (first, length) = texts.places[codes[row] as usize];
                let (first, length) = (first as usize, length as usize);
                lines.piece(&texts.pieces[first], length.min(PIECE));
                if length > PIECE {
                    let pieces = length.div_ceil(PIECE);
                    lines.all(&texts.pieces[first + 1..first + pieces].as_flattened()[..length - PIECE]);
                }
            }
            JsonColumn::DateTime { array, last, text, length } if array.is_valid(row) => {
                let ticks = array.value(row);
                if ticks != *last || *length == 0 {
                    *last = ticks;
                    scratch.bytes.clear();
                    scratch.bytes.extend_from_slice(&[before, b'"']);
                    value_text::datetime(ticks, &mut scratch.bytes);
                    scratch.bytes.push(b'"');
                    *length = scratch.bytes.len().min(text.len());
                    text[..*length].copy_from_slice(&scratch.bytes[..*length]);
                }
                lines.piece(text, *length);
            }
            JsonColumn::DateTime { .. } => lines.piece(&[before, b'n', b'u', b'l', b'l', 0, 0, 0], 5),
            JsonColumn::Real(values) => match value_text::hundredths(values[row]) {
                Some(mut text) => {
                    let length = usize::from(text[7]);
                    text[0] = before;
                    lines.piece(&text, length);
                }
                None => {
                    scratch.bytes.clear();
                    scratch.bytes.push(before);
                    value_text::real_json(values[row], &mut scratch.bytes);
                    lines.all(&scratch.bytes);
                }
            },
            JsonColumn::Int(values) => {
                lines.byte(before);
                lines.all(itoa::Buffer::new().format(values[row]).as_bytes());
            }
            JsonColumn::Long(values) => {
                lines.byte(before);
                lines.all(itoa::Buffer::new().format(values[row]).as_bytes());
            }
            JsonColumn::Other(cells) => {
                scratch.bytes.clear();
                scratch.bytes.push(before);
                cells.write_json(row, &mut scratch.text, &mut scratch.bytes);
                lines.room(scratch.bytes.len() + scratch.row);
                lines.all(&scratch.bytes);
            }
        }
    }
}

/// What cells are written in before they are copied.
#[derive(Default)]
struct Scratch {
    bytes: Vec<u8>,
    text: String,
    /// Room that a row takes without its cells that ask for room themselves.
    row: usize,
}

/// `[v,v,…],[v,v,…]`: rows as JSON arrays, a comma before each but the first.
pub fn write_json_rows(
    schema: &Schema,
    batch: &Batch,
    first: &mut bool,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let cells = Cells::of_batch(schema, batch)?.into_iter().enumerate();
    let columns: Vec<JsonColumn<'_>> = cells.map(|(at, cells)| JsonColumn::new(cells, before(at))).collect();
    if batch.rows > 0 && !std::mem::take(first) {
        out.push(b',');
    }
    if batch.rows < 2 || batch.rows * columns.len() < PARALLEL_CELLS {
        write_range(columns, 0..batch.rows, out);
        return Ok(());
    }
    let half = batch.rows / 2;
    let mut rest = Vec::new();
    let others = columns.clone();
    rayon::join(
        || write_range(columns, 0..half, out),
        || {
            rest.push(b',');
            write_range(others, half..batch.rows, &mut rest);
        },
    );
    out.extend_from_slice(&rest);
    Ok(())
}

/// What stands before the cell of a column.
fn before(column: usize) -> u8 {
    if column == 0 { b'[' } else { b',' }
}

/// Rows with commas between them.
fn write_range(mut columns: Vec<JsonColumn<'_>>, rows: Range<usize>, out: &mut Vec<u8>) {
    let row_room = columns.iter().map(JsonColumn::room).sum::<usize>() + PIECE;
    let mut scratch = Scratch { row: row_room, ..Scratch::default() };
    let mut lines = Lines { end: out.len(), bytes: std::mem::take(out) };
    let start = rows.start;
    for row in rows {
        lines.room(row_room);
        if row > start {
            lines.byte(b',');
        }
        if columns.is_empty() {
            lines.byte(b'[');
        }
        for (at, column) in columns.iter_mut().enumerate() {
            column.write(row, before(at), &mut scratch, &mut lines);
        }
        lines.byte(b']');
    }
    lines.bytes.truncate(lines.end);
    *out = lines.bytes;
}

#[cfg(test)]
mod tests {
    use arrow_array::UInt32Array;

    use super::*;

    #[test]
    fn rows_are_their_cells() {
        let texts = StringViewArray::from(vec![Some("a\"b"), None, Some("a text that is not inlined é\n")]);
        let dictionary = |codes: Vec<Option<u32>>| -> ArrayRef {
            let codes = UInt32Array::from(codes);
            Arc::new(DictionaryArray::<UInt32Type>::try_new(codes, Arc::new(texts.clone())).expect("codes"))
        };
        let columns: Vec<(Type, ArrayRef)> = vec![
            (Type::String, dictionary(vec![Some(0), Some(1), Some(2), Some(0), Some(2)])),
            (Type::String, dictionary(vec![Some(0), None, Some(2), None, Some(1)])),
            (Type::DateTime, Arc::new(Int64Array::from(vec![Some(0), Some(0), None, Some(0), Some(7)]))),
            (Type::Real, Arc::new(Float64Array::from(vec![0.0, -0.0, 12.5, f64::NAN, 1e300]))),
            (Type::Int, Arc::new(Int32Array::from(vec![0, -7, i32::MAX, i32::MIN, 12]))),
            (Type::Long, Arc::new(Int64Array::from(vec![i64::MIN, 0, 5, i64::MAX, -1]))),
            (
                Type::String,
                Arc::new(StringViewArray::from_iter_values([
                    "",
                    "x",
                    "\"",
                    "z".repeat(70_000).as_str(),
                    "é",
                ])),
            ),
            (Type::Real, Arc::new(Float64Array::from(vec![None, Some(0.25), None, Some(3.0), Some(-7.001)]))),
        ];
        let schema: Schema = columns.iter().map(|(ty, _)| Column::new("c", *ty)).collect();
        let many = UInt32Array::from_iter_values((0..5u32).cycle().take(4_001));
        let many: Vec<ArrayRef> = columns
            .iter()
            .map(|(_, array)| arrow_select::take::take(array, &many, None).expect("rows"))
            .collect();
        for rows in [0, 2, 5, 4_001] {
            let batch = Batch::new(many.iter().map(|array| array.slice(0, rows)).collect(), rows);
            let cells = Cells::of_batch(&schema, &batch).expect("cells");
            let mut expected = Vec::new();
            for row in 0..rows {
                expected.extend_from_slice(if row == 0 { b"[" } else { b",[" });
                for (at, cells) in cells.iter().enumerate() {
                    expected.extend_from_slice(if at == 0 { b"" } else { b"," });
                    cells.write_json(row, &mut String::new(), &mut expected);
                }
                expected.push(b']');
            }
            let mut out = Vec::new();
            write_json_rows(&schema, &batch, &mut true, &mut out).expect("rows");
            assert_eq!(String::from_utf8(out), String::from_utf8(expected));
        }
    }
}
