//! `json`: one array of objects; several results give an array of such arrays.

use std::sync::Arc;

use crate::engine::Batch;
use crate::response::json_rows::JsonRows;
use crate::response::row_writer::{RowWriter, write_batch};
use crate::response::value_text;
use crate::response::{Completion, EncodeError, Encoder, Failure, ResultHeader};

/// See the module.
#[derive(Debug, Default)]
pub struct JsonEncoder {
    several: bool,
    first_row: bool,
}

/// `{"error":{"code":…,"message":…}}`, the mark of an answer that is not complete.
pub(super) fn write_failure(failure: &Failure, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"error\":{\"code\":");
    value_text::json_string(&failure.code, out);
    out.extend_from_slice(b",\"message\":");
    value_text::json_string(&failure.message, out);
    out.extend_from_slice(b"}}");
}

fn json_rows(header: &ResultHeader) -> JsonRows {
    JsonRows::objects(&header.columns, b",\n", b"}")
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
        _header: &ResultHeader,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        if index > 0 {
            out.extend_from_slice(b",\n");
        }
        out.push(b'[');
        self.first_row = true;
        Ok(())
    }

    fn rows(&mut self, header: &ResultHeader, batch: &Batch, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let first = self.note_rows(batch.rows);
        write_batch(&json_rows(header), batch, first, out)
    }

    fn row_writer(&self, _index: usize, header: &ResultHeader) -> Option<Arc<dyn RowWriter>> {
        Some(Arc::new(json_rows(header)))
    }

    fn note_rows(&mut self, rows: usize) -> bool {
        rows > 0 && std::mem::take(&mut self.first_row)
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
