//! `ndjson`: one object a line; the rows of several results follow each other.

use std::sync::Arc;

use crate::engine::Batch;
use crate::response::json::write_failure;
use crate::response::json_rows::JsonRows;
use crate::response::row_writer::{RowWriter, write_batch};
use crate::response::{EncodeError, Encoder, Failure, ResultHeader};

/// See the module.
#[derive(Debug, Default)]
pub struct NdjsonEncoder;

fn json_rows(header: &ResultHeader) -> JsonRows {
    JsonRows::objects(&header.columns, b"", b"}\n")
}

impl Encoder for NdjsonEncoder {
    fn content_type(&self) -> &'static str {
        "application/x-ndjson; charset=utf-8"
    }

    fn begin_result(
        &mut self,
        _index: usize,
        _header: &ResultHeader,
        _out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        Ok(())
    }

    fn rows(&mut self, header: &ResultHeader, batch: &Batch, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        write_batch(&json_rows(header), batch, true, out)
    }

    fn row_writer(&self, _index: usize, header: &ResultHeader) -> Option<Arc<dyn RowWriter>> {
        Some(Arc::new(json_rows(header)))
    }

    fn end_result(
        &mut self,
        _header: &ResultHeader,
        failure: Option<&Failure>,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        if let Some(failure) = failure {
            write_failure(failure, out);
            out.push(b'\n');
        }
        Ok(())
    }
}
