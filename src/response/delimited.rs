//! `csv` (RFC 4180 with a header line) and `tsv` (tab-separated, backslash escapes); several results are
//! separated by an empty line.

use crate::engine::Batch;
use crate::response::columns::Cells;
use crate::response::{Completion, EncodeError, Encoder, Failure, ResultHeader};

/// See the module.
#[derive(Debug)]
pub struct DelimitedEncoder {
    separator: u8,
    cell: Vec<u8>,
}

impl DelimitedEncoder {
    pub fn csv() -> DelimitedEncoder {
        DelimitedEncoder { separator: b',', cell: Vec::new() }
    }

    pub fn tsv() -> DelimitedEncoder {
        DelimitedEncoder { separator: b'\t', cell: Vec::new() }
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

    fn begin(&mut self, _results: &[ResultHeader], _out: &mut Vec<u8>) -> Result<(), EncodeError> {
        Ok(())
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
        let cells = Cells::of_batch(&header.columns, batch)?;
        let mut scratch = String::new();
        let mut cell = std::mem::take(&mut self.cell);
        for row in 0..batch.rows {
            for (at, column) in cells.iter().enumerate() {
                if at > 0 {
                    out.push(self.separator);
                }
                match column {
                    Cells::String(_) | Cells::Dictionary(..) => {
                        self.write_text(column.string_at(row).unwrap_or("").as_bytes(), out);
                    }
                    Cells::Dynamic(_) => {
                        cell.clear();
                        column.write_plain(row, &mut scratch, &mut cell);
                        self.write_text(&cell, out);
                    }
                    _ => column.write_plain(row, &mut scratch, out),
                }
            }
            out.extend_from_slice(self.end_of_line());
        }
        self.cell = cell;
        Ok(())
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

    fn finish(&mut self, _completion: &Completion, _out: &mut Vec<u8>) -> Result<(), EncodeError> {
        Ok(())
    }
}
