//! `csv` (RFC 4180 with a header line) and `tsv` (tab-separated, backslash escapes); several results are
//! separated by an empty line.

use std::ops::Range;
use std::sync::Arc;

use conshelf_kql::Schema;

use crate::engine::Batch;
use crate::response::columns::Cells;
use crate::response::row_writer::{OpenRows, RowWriter, write_batch};
use crate::response::{EncodeError, Encoder, Failure, ResultHeader};

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct DelimitedEncoder {
    separator: u8,
}

/// Lines with the cells of rows.
struct Lines {
    form: DelimitedEncoder,
    schema: Schema,
}

struct OpenLines<'a> {
    form: DelimitedEncoder,
    cells: Vec<Cells<'a>>,
}

impl RowWriter for Lines {
    fn open<'a>(&'a self, batch: &'a Batch) -> Result<Box<dyn OpenRows + 'a>, EncodeError> {
        Ok(Box::new(OpenLines { form: self.form, cells: Cells::of_batch(&self.schema, batch)? }))
    }
}

impl OpenRows for OpenLines<'_> {
    fn write(&mut self, rows: Range<usize>, out: &mut Vec<u8>) {
        let mut scratch = String::new();
        let mut cell = Vec::new();
        for row in rows {
            for (at, column) in self.cells.iter().enumerate() {
                if at > 0 {
                    out.push(self.form.separator);
                }
                match column {
                    Cells::String(_) | Cells::Dictionary(..) => {
                        self.form.write_text(column.string_at(row).unwrap_or("").as_bytes(), out);
                    }
                    Cells::Dynamic(_) => {
                        cell.clear();
                        column.write_plain(row, &mut scratch, &mut cell);
                        self.form.write_text(&cell, out);
                    }
                    _ => column.write_plain(row, &mut scratch, out),
                }
            }
            out.extend_from_slice(self.form.end_of_line());
        }
    }
}

impl DelimitedEncoder {
    pub fn csv() -> DelimitedEncoder {
        DelimitedEncoder { separator: b',' }
    }

    pub fn tsv() -> DelimitedEncoder {
        DelimitedEncoder { separator: b'\t' }
    }

    fn lines(&self, header: &ResultHeader) -> Lines {
        Lines { form: *self, schema: header.columns.clone() }
    }

    fn end_of_line(&self) -> &'static [u8] {
        if self.separator == b',' { b"\r\n" } else { b"\n" }
    }

    fn write_text(&self, text: &[u8], out: &mut Vec<u8>) {
        if self.separator == b',' { quote(text, out) } else { escape(text, out) }
    }
}

/// Quotes around a field that needs them, quotes inside doubled.
fn quote(text: &[u8], out: &mut Vec<u8>) {
    if !text.iter().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r')) {
        out.extend_from_slice(text);
        return;
    }
    out.push(b'"');
    for byte in text {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

/// Backslash escapes for what would end a field or a line.
fn escape(text: &[u8], out: &mut Vec<u8>) {
    for byte in text {
        match byte {
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\\' => out.extend_from_slice(b"\\\\"),
            byte => out.push(*byte),
        }
    }
}

impl Encoder for DelimitedEncoder {
    fn content_type(&self) -> &'static str {
        if self.separator == b',' {
            "text/csv; charset=utf-8; header=present"
        } else {
            "text/tab-separated-values; charset=utf-8"
        }
    }

    fn begin_result(
        &mut self,
        index: usize,
        header: &ResultHeader,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        if index > 0 {
            out.extend_from_slice(self.end_of_line());
        }
        for (at, column) in header.columns.iter().enumerate() {
            if at > 0 {
                out.push(self.separator);
            }
            self.write_text(column.name.as_bytes(), out);
        }
        out.extend_from_slice(self.end_of_line());
        Ok(())
    }

    fn rows(&mut self, header: &ResultHeader, batch: &Batch, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        write_batch(&self.lines(header), batch, true, out)
    }

    fn row_writer(&self, _index: usize, header: &ResultHeader) -> Option<Arc<dyn RowWriter>> {
        Some(Arc::new(self.lines(header)))
    }

    fn end_result(
        &mut self,
        _header: &ResultHeader,
        failure: Option<&Failure>,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        if let Some(failure) = failure {
            self.write_text(format!("error: {}: {}", failure.code, failure.message).as_bytes(), out);
            out.extend_from_slice(self.end_of_line());
        }
        Ok(())
    }
}
