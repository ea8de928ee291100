//! `json`: one array of objects; several results give an array of such arrays.

use crate::engine::Batch;
use crate::response::columns::Cells;
use crate::response::value_text;
use crate::response::{Completion, EncodeError, Encoder, Failure, ResultHeader};

/// See the module.
#[derive(Debug, Default)]
pub struct JsonEncoder {
    several: bool,
    first_row: bool,
    keys: Vec<Vec<u8>>,
}

/// `"name":` of every column, with a comma before all but the first.
pub(super) fn object_keys(header: &ResultHeader) -> Vec<Vec<u8>> {
    header
        .columns
        .iter()
        .enumerate()
        .map(|(at, column)| {
            let mut key = if at > 0 { vec![b','] } else { vec![b'{'] };
            value_text::json_string(&column.name, &mut key);
            key.push(b':');
            key
        })
        .collect()
}

/// One row as an object.
pub(super) fn write_object(
    keys: &[Vec<u8>],
    cells: &[Cells<'_>],
    row: usize,
    scratch: &mut String,
    out: &mut Vec<u8>,
) {
    for (key, column) in keys.iter().zip(cells) {
        out.extend_from_slice(key);
        column.write_json(row, scratch, out);
    }
    out.extend_from_slice(if keys.is_empty() { b"{}" } else { b"}" });
}

/// `{"error":{"code":…,"message":…}}`, the mark of an answer that is not complete.
pub(super) fn write_failure(failure: &Failure, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"error\":{\"code\":");
    value_text::json_string(&failure.code, out);
    out.extend_from_slice(b",\"message\":");
    value_text::json_string(&failure.message, out);
    out.extend_from_slice(b"}}");
}

impl Encoder for JsonEncoder {
    fn content_type(&self) -> &'static str {
        "application/json; charset=utf-8"
    }

    fn begin(&mut self, results: &[ResultHeader], out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.several = results.len() > 1;
        if self.several {
            out.push(b'[');
        }
        Ok(())
    }

    fn begin_result(
        &mut self,
        index: usize,
        header: &ResultHeader,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        if index > 0 {
            out.extend_from_slice(b",\n");
        }
        out.push(b'[');
        self.first_row = true;
        self.keys = object_keys(header);
        Ok(())
    }

    fn rows(&mut self, header: &ResultHeader, batch: &Batch, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let cells = Cells::of_batch(&header.columns, batch)?;
        let mut scratch = String::new();
        for row in 0..batch.rows {
            if !std::mem::take(&mut self.first_row) {
                out.extend_from_slice(b",\n");
            }
            write_object(&self.keys, &cells, row, &mut scratch, out);
        }
        Ok(())
    }

    fn end_result(
        &mut self,
        _header: &ResultHeader,
        failure: Option<&Failure>,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        if let Some(failure) = failure {
            if !std::mem::take(&mut self.first_row) {
                out.extend_from_slice(b",\n");
            }
            write_failure(failure, out);
        }
        out.push(b']');
        Ok(())
    }

    fn finish(&mut self, _completion: &Completion, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.extend_from_slice(if self.several { b"]\n" } else { b"\n" });
        Ok(())
    }
}
