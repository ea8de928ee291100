//! Rows as JSON arrays or objects, fast: what rows have in common is made into text once.
//!
//! A text column with a dictionary is written value by value beforehand, neighbouring columns of which one tells the
//! others (a host, its region, its rack) as one. Knows nothing of what stands around the rows.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{Array, Int64Array, StringViewArray};
use conshelf_kql::Schema;

use crate::engine::Batch;
use crate::response::EncodeError;
use crate::response::columns::Cells;
use crate::response::row_writer::{OpenRows, RowWriter};
use crate::response::value_text;

/// Fewer cells are written by one thread.
const PARALLEL_CELLS: usize = 16_384;

/// Texts are copied in pieces of so many bytes: cheaper than copying just what there is.
const PIECE: usize = 16;

/// Longer dictionary values are not written beforehand.
const CODED_BYTES: usize = 1_024;

/// Room that lines take at a time.
const ROOM: usize = 64 << 10;

/// Writes rows as JSON arrays or objects.
#[derive(Clone, Debug)]
pub struct JsonRows {
    schema: Schema,
    /// What stands before the cell of each column; before the first one also what separates rows.
    before: Vec<Vec<u8>>,
    /// What stands before `after` in rows without columns.
    empty: Vec<u8>,
    after: &'static [u8],
    joint: usize,
    /// What stands around the rows that are written together; between them there is a joint less.
    frame: Option<(Vec<u8>, &'static [u8])>,
}

impl JsonRows {
    /// `,[v,v]`
    pub fn arrays(schema: &Schema) -> JsonRows {
        let before = (0..schema.len()).map(|at| if at == 0 { b",[".to_vec() } else { vec![b','] }).collect();
        JsonRows { schema: schema.clone(), before, empty: b",[".to_vec(), after: b"]", joint: 1, frame: None }
    }

    /// `{"name":v,"name":v}` with something before and after each.
    pub fn objects(schema: &Schema, joint: &'static [u8], after: &'static [u8]) -> JsonRows {
        let key = |(at, name): (usize, &String)| {
            let mut key = if at == 0 { [joint, b"{"].concat() } else { vec![b','] };
            value_text::json_string(name, &mut key);
            key.push(b':');
            key
        };
        let before = schema.iter().map(|column| &column.name).enumerate().map(key).collect();
        let empty = [joint, b"{"].concat();
        JsonRows { schema: schema.clone(), before, empty, after, joint: joint.len(), frame: None }
    }

    /// Puts something around the rows that are written together.
    pub fn framed(self, start: Vec<u8>, end: &'static [u8]) -> JsonRows {
        JsonRows { frame: Some((start, end)), ..self }
    }
}

impl RowWriter for JsonRows {
    fn open<'a>(&'a self, batch: &'a Batch) -> Result<Box<dyn OpenRows + 'a>, EncodeError> {
        let cells = Cells::of_batch(&self.schema, batch)?;
        let columns = columns(&cells, &self.before, batch.rows);
        Ok(Box::new(OpenJsonRows { shape: self, columns }))
    }

    fn joint(&self) -> usize {
        if self.frame.is_some() { 0 } else { self.joint }
    }
}

#[derive(Clone)]
struct OpenJsonRows<'a> {
    shape: &'a JsonRows,
    columns: Vec<JsonColumn<'a>>,
}

impl OpenRows for OpenJsonRows<'_> {
    fn write(&mut self, rows: Range<usize>, out: &mut Vec<u8>) {
        self.write_framed(out, |this, out| this.lines(rows, out));
    }

    fn write_together(&mut self, rows: Range<usize>, out: &mut Vec<u8>) {
        if rows.len() < 2 || rows.len() * self.columns.len() < PARALLEL_CELLS {
            return self.write(rows, out);
        }
        self.write_framed(out, |this, out| {
            let half = rows.start + rows.len() / 2;
            let mut rest = Vec::new();
            let mut other = this.clone();
            rayon::join(|| this.lines(rows.start..half, out), || other.lines(half..rows.end, &mut rest));
            out.extend_from_slice(&rest);
        });
    }
}

impl OpenJsonRows<'_> {
    fn write_framed(&mut self, out: &mut Vec<u8>, write: impl FnOnce(&mut Self, &mut Vec<u8>)) {
        let Some((start, end)) = &self.shape.frame else { return write(self, out) };
        out.extend_from_slice(start);
        let rows = out.len();
        write(self, out);
        out.drain(rows..rows + self.shape.joint);
        out.extend_from_slice(end);
    }

    fn lines(&mut self, rows: Range<usize>, out: &mut Vec<u8>) {
        let columns = self.columns.as_mut_slice();
        columns.iter_mut().for_each(|column| column.prepare(rows.clone()));
        let row_room = columns.iter().map(JsonColumn::room).sum::<usize>() + 4 * PIECE;
        let hundredths = value_text::hundredths_texts();
        let mut scratch = Scratch { row: row_room, ..Scratch::default() };
        let mut lines = Lines { end: out.len(), bytes: std::mem::take(out) };
        for (number, row) in rows.enumerate() {
            lines.room(row_room);
            if columns.is_empty() {
                lines.all(&self.shape.empty);
            }
            for column in columns.iter_mut() {
                column.write(row, number, hundredths, &mut scratch, &mut lines);
            }
            lines.all(self.shape.after);
        }
        lines.bytes.truncate(lines.end);
        *out = lines.bytes;
    }
}

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
            // As much as there is room for anyway, within bounds.
            let more = (self.bytes.capacity() - self.end).min(ROOM).max(bytes);
            self.bytes.resize(self.end + more, 0);
        }
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

    /// What stands before a cell: a comma, mostly.
    #[inline]
    fn before(&mut self, text: &[u8]) {
        match text {
            [byte] => {
                self.bytes[self.end] = *byte;
                self.end += 1;
            }
            _ => self.all(text),
        }
    }
}

/// Text of each dictionary value with what stands before it, in pieces.
#[derive(Default)]
struct CodedTexts {
    pieces: Vec<[u8; PIECE]>,
    /// By code: the first piece, and the length of the text.
    places: Vec<(u32, u32)>,
    /// Pieces of the longest.
    longest: usize,
}

impl CodedTexts {
    fn new(values: &StringViewArray, before: &[u8]) -> CodedTexts {
        let mut coded = CodedTexts::default();
        let mut text = Vec::new();
        for row in 0..values.len() {
            text.clear();
            text.extend_from_slice(before);
            value_text::json_string(if values.is_valid(row) { values.value(row) } else { "" }, &mut text);
            coded.push(&mut text);
        }
        coded
    }

    /// Takes the text of the next code.
    fn push(&mut self, text: &mut Vec<u8>) {
        self.places.push((self.pieces.len() as u32, text.len() as u32));
        text.resize(text.len().next_multiple_of(PIECE), 0);
        self.pieces.extend_from_slice(text.as_chunks().0);
        self.longest = self.longest.max(text.len() / PIECE);
    }

    fn text(&self, code: u32) -> &[u8] {
        let (first, length) = self.places[code as usize];
        &self.pieces[first as usize..].as_flattened()[..length as usize]
    }
}

/// How a column of a batch becomes JSON: what rows have in common is written once.
#[derive(Clone)]
enum JsonColumn<'a> {
    Coded {
        codes: &'a [u32],
        texts: Arc<CodedTexts>,
    },
    /// Neighbours often are of one time: its text with what stands before it.
    DateTime {
        before: &'a [u8],
        array: &'a Int64Array,
        last: i64,
        text: Vec<u8>,
        length: usize,
    },
    Real {
        before: &'a [u8],
        values: &'a [f64],
        /// Of the rows at hand, as `value_text::hundredths` finds them.
        hundredths: Vec<u32>,
    },
    Int {
        before: &'a [u8],
        values: &'a [i32],
    },
    Long {
        before: &'a [u8],
        values: &'a [i64],
    },
    Text {
        before: &'a [u8],
        array: &'a StringViewArray,
    },
    Other {
        before: &'a [u8],
        cells: Cells<'a>,
    },
}

/// The columns of a batch, fewer than it has where neighbours are written together.
fn columns<'a>(cells: &[Cells<'a>], before: &'a [Vec<u8>], rows: usize) -> Vec<JsonColumn<'a>> {
    let mut columns = Vec::with_capacity(cells.len());
    // Coded columns that stand together.
    let mut run: Vec<(&'a [u32], Arc<CodedTexts>)> = Vec::new();
    for (cells, before) in cells.iter().zip(before) {
        if let Cells::Dictionary(array, values) = cells
            && array.null_count() == 0
            // A dictionary of more values than rows is not worth writing whole.
            && values.len() <= array.len()
            && values.lengths().all(|length| length as usize <= CODED_BYTES)
        {
            run.push((array.keys().values(), Arc::new(CodedTexts::new(values, before))));
            continue;
        }
        join_coded(std::mem::take(&mut run), rows, &mut columns);
        columns.push(match *cells {
            Cells::DateTime(array) => JsonColumn::DateTime {
                before,
                array,
                last: 0,
                text: vec![0; (before.len() + 30).next_multiple_of(2 * PIECE)],
                length: 0,
            },
            Cells::Real(array) if array.null_count() == 0 => {
                JsonColumn::Real { before, values: array.values(), hundredths: Vec::new() }
            }
            Cells::Int(array) if array.null_count() == 0 => {
                JsonColumn::Int { before, values: array.values() }
            }
            Cells::Long(array) if array.null_count() == 0 => {
                JsonColumn::Long { before, values: array.values() }
            }
            Cells::String(array) if array.null_count() == 0 => JsonColumn::Text { before, array },
            cells => JsonColumn::Other { before, cells },
        });
    }
    join_coded(run, rows, &mut columns);
    columns
}

/// Appends coded columns that stand together; those next to each other that follow from one of them as one.
fn join_coded<'a>(run: Vec<(&'a [u32], Arc<CodedTexts>)>, rows: usize, columns: &mut Vec<JsonColumn<'a>>) {
    // The first of those with the most codes.
    let widest = run.iter().rev().max_by_key(|(_, texts)| texts.places.len());
    let lead = widest.map(|(codes, texts)| (*codes, texts.places.len()));
    let Some((codes, count)) = lead.filter(|(_, count)| run.len() > 1 && 2 * count <= rows) else {
        columns.extend(run.into_iter().map(|(codes, texts)| JsonColumn::Coded { codes, texts }));
        return;
    };
    // For each column the code that goes with each code of the leading one; empty: there are several.
    let follow = |at: usize| {
        let mut found = vec![u32::MAX; count];
        for (lead, code) in codes.iter().zip(run[at].0) {
            let slot = &mut found[*lead as usize];
            if *slot != *code {
                if *slot != u32::MAX {
                    return Vec::new();
                }
                *slot = *code;
            }
        }
        found
    };
    let followers: Vec<Vec<u32>> = (0..run.len()).map(follow).collect();
    let mut at = 0;
    for group in followers.chunk_by(|left, right| !left.is_empty() && !right.is_empty()) {
        let members = &run[at..at + group.len()];
        at += group.len();
        let longest: usize = members.iter().map(|(_, texts)| texts.longest * PIECE).sum();
        if members.len() == 1 || longest > CODED_BYTES {
            let apart = members.iter().cloned();
            columns.extend(apart.map(|(codes, texts)| JsonColumn::Coded { codes, texts }));
            continue;
        }
        let mut joined = CodedTexts::default();
        let mut text = Vec::new();
        for lead in 0..count {
            text.clear();
            for ((_, texts), follower) in members.iter().zip(group) {
                if follower[lead] != u32::MAX {
                    text.extend_from_slice(texts.text(follower[lead]));
                }
            }
            joined.push(&mut text);
        }
        columns.push(JsonColumn::Coded { codes, texts: Arc::new(joined) });
    }
}

impl JsonColumn<'_> {
    /// Room that a cell takes while it is written; others ask for it themselves.
    fn room(&self) -> usize {
        match self {
            JsonColumn::Coded { texts, .. } => texts.longest * PIECE,
            JsonColumn::DateTime { text, .. } => text.len(),
            JsonColumn::Real { before, .. }
            | JsonColumn::Int { before, .. }
            | JsonColumn::Long { before, .. } => before.len() + 3 * PIECE,
            JsonColumn::Text { .. } | JsonColumn::Other { .. } => 0,
        }
    }

    /// Gets ready for the rows that are to be written next.
    fn prepare(&mut self, rows: Range<usize>) {
        if let JsonColumn::Real { values, hundredths, .. } = self {
            value_text::hundredths(&values[rows], hundredths);
        }
    }

    /// `number`: of the row among those of `prepare`.
    #[inline]
    fn write(
        &mut self,
        row: usize,
        number: usize,
        hundredths_texts: &[[u8; 8]],
        scratch: &mut Scratch,
        lines: &mut Lines,
    ) {
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
            JsonColumn::DateTime { before, array, last, text, length } if array.is_valid(row) => {
                let ticks = array.value(row);
                if ticks != *last || *length == 0 {
                    *last = ticks;
                    scratch.bytes.clear();
                    scratch.bytes.extend_from_slice(before);
                    scratch.bytes.push(b'"');
                    value_text::datetime(ticks, &mut scratch.bytes);
                    scratch.bytes.push(b'"');
                    *length = scratch.bytes.len().min(text.len());
                    text[..*length].copy_from_slice(&scratch.bytes[..*length]);
                }
                match text.as_slice().try_into() {
                    Ok(piece) => lines.piece::<{ 2 * PIECE }>(piece, *length),
                    Err(_) => lines.all(&text[..*length]),
                }
            }
            JsonColumn::DateTime { before, .. } => {
                lines.before(before);
                lines.all(b"null");
            }
            JsonColumn::Real { before, values, hundredths } => {
                match (hundredths_texts.get(hundredths[number] as usize), *before) {
                    (Some(text), [byte]) => {
                        let mut text = *text;
                        let length = usize::from(text[7]);
                        text[0] = *byte;
                        lines.piece(&text, length);
                    }
                    (Some(text), before) => {
                        lines.all(before);
                        lines.all(&text[1..usize::from(text[7])]);
                    }
                    (None, before) => {
                        lines.before(before);
                        scratch.bytes.clear();
                        value_text::real_json(values[row], &mut scratch.bytes);
                        lines.all(&scratch.bytes);
                    }
                }
            }
            JsonColumn::Int { before, values } => {
                lines.before(before);
                lines.all(itoa::Buffer::new().format(values[row]).as_bytes());
            }
            JsonColumn::Long { before, values } => {
                lines.before(before);
                lines.all(itoa::Buffer::new().format(values[row]).as_bytes());
            }
            JsonColumn::Text { before, array } => {
                let text = array.value(row);
                if value_text::plain_bytes(text.as_bytes()) == text.len() {
                    lines.room(before.len() + text.len() + 2 + scratch.row);
                    lines.before(before);
                    lines.all(b"\"");
                    lines.all(text.as_bytes());
                    lines.all(b"\"");
                } else {
                    scratch.bytes.clear();
                    scratch.bytes.extend_from_slice(before);
                    value_text::json_string(text, &mut scratch.bytes);
                    lines.room(scratch.bytes.len() + scratch.row);
                    lines.all(&scratch.bytes);
                }
            }
            JsonColumn::Other { before, cells } => {
                scratch.bytes.clear();
                scratch.bytes.extend_from_slice(before);
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

#[cfg(test)]
mod tests {
    use arrow_array::types::UInt32Type;
    use arrow_array::{ArrayRef, DictionaryArray, Float64Array, Int32Array, UInt32Array};
    use conshelf_kql::{Column, Type};

    use super::*;
    use crate::response::row_writer::write_batch;

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
            (Type::String, dictionary(vec![Some(0), Some(1), Some(2), Some(0), Some(2)])),
            (Type::String, dictionary(vec![Some(2), Some(1), Some(0), Some(2), Some(0)])),
            (Type::String, dictionary(vec![Some(1), Some(1), Some(0), Some(2), Some(0)])),
            (Type::String, dictionary(vec![Some(0), Some(0), Some(1), Some(0), Some(1)])),
            (Type::String, dictionary(vec![Some(2), Some(2), Some(2), Some(2), Some(2)])),
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
            if rows > 5 {
                // Some of the texts that stand together follow from each other, and are written together.
                let shape = JsonRows::arrays(&schema);
                assert_eq!(super::columns(&cells, &shape.before, rows).len(), cells.len() - 2);
            }
            write_batch(&JsonRows::arrays(&schema), &batch, true, &mut out).expect("rows");
            assert_eq!(String::from_utf8(out), String::from_utf8(expected));
        }
    }
}
