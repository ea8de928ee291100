//! `table`: aligned columns for people. Widths come from the first thousand rows, so memory stays bounded
//! and a long answer still flows; a longer cell further down pushes its line to the right.

use conshelf_kql::Type;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::engine::Batch;
use crate::response::columns::Cells;
use crate::response::{EncodeError, Encoder, Failure, ResultHeader};

const ROWS_MEASURED: usize = 1000;
/// A wider cell is not cut, but the column is padded no further than this.
const PADDED_WIDTH_MAX: usize = 80;

/// See the module.
#[derive(Debug, Default)]
pub struct TableEncoder {
    /// Cells held back until the widths are known, row after row.
    held: Vec<String>,
    widths: Vec<usize>,
    right: Vec<bool>,
    measured: bool,
    rows: u64,
}

impl TableEncoder {
    fn flush_held(&mut self, header: &ResultHeader, out: &mut Vec<u8>) {
        if self.measured {
            return;
        }
        self.measured = true;
        let columns = header.columns.len();
        self.widths = header.columns.iter().map(|column| visible(&column.name).width()).collect();
        if columns == 0 {
            return;
        }
        for row in self.held.chunks(columns) {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width().min(PADDED_WIDTH_MAX));
            }
        }
        let names: Vec<String> = header.columns.iter().map(|column| visible(&column.name)).collect();
        self.write_line(&names, out);
        let rules: Vec<String> = self.widths.iter().map(|width| "-".repeat(*width)).collect();
        self.write_line(&rules, out);
        let held = std::mem::take(&mut self.held);
        for row in held.chunks(columns) {
            self.write_line(row, out);
        }
    }

    fn write_line(&self, cells: &[String], out: &mut Vec<u8>) {
        for (at, cell) in cells.iter().enumerate() {
            let width = self.widths.get(at).copied().unwrap_or(0);
            let pad = width.saturating_sub(cell.width());
            let last = at + 1 == cells.len();
            if at > 0 {
                out.extend_from_slice(b"  ");
            }
            if self.right.get(at).copied().unwrap_or(false) {
                out.extend(std::iter::repeat_n(b' ', pad));
                out.extend_from_slice(cell.as_bytes());
            } else {
                out.extend_from_slice(cell.as_bytes());
                if !last {
                    out.extend(std::iter::repeat_n(b' ', pad));
                }
            }
        }
        out.push(b'\n');
    }
}

/// The text with what would move the cursor written out.
fn visible(text: &str) -> String {
    if !text.chars().any(|c| c.is_control() || c.width().is_none()) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

impl Encoder for TableEncoder {
    fn content_type(&self) -> &'static str {
        "text/plain; charset=utf-8"
    }

    fn begin_result(
        &mut self,
        index: usize,
        header: &ResultHeader,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        if index > 0 {
            out.push(b'\n');
        }
        self.held.clear();
        self.widths.clear();
        self.measured = false;
        self.rows = 0;
        self.right = header
            .columns
            .iter()
            .map(|column| {
                matches!(column.ty, Type::Int | Type::Long | Type::Real | Type::Decimal | Type::TimeSpan)
            })
            .collect();
        Ok(())
    }

    fn rows(&mut self, header: &ResultHeader, batch: &Batch, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let cells = Cells::of_batch(&header.columns, batch)?;
        let columns = cells.len().max(1);
        let mut scratch = String::new();
        let mut text = Vec::new();
        for row in 0..batch.rows {
            let mut line = Vec::with_capacity(cells.len());
            for column in &cells {
                text.clear();
                column.write_plain(row, &mut scratch, &mut text);
                if text.is_empty() && column.string_at(row).is_none() {
                    text.extend_from_slice(b"null");
                }
                line.push(visible(&String::from_utf8_lossy(&text)));
            }
            self.rows += 1;
            if self.measured {
                self.write_line(&line, out);
            } else {
                self.held.append(&mut line);
                if self.held.len() >= ROWS_MEASURED * columns {
                    self.flush_held(header, out);
                }
            }
        }
        Ok(())
    }

    fn end_result(
        &mut self,
        header: &ResultHeader,
        failure: Option<&Failure>,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        self.flush_held(header, out);
        let rows = self.rows;
        let plural = if rows == 1 { "row" } else { "rows" };
        out.extend_from_slice(format!("({rows} {plural})\n").as_bytes());
        if let Some(failure) = failure {
            out.extend_from_slice(format!("error: {}: {}\n", failure.code, failure.message).as_bytes());
        }
        Ok(())
    }
}
