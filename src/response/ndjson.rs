//! `ndjson`: one object a line; the rows of several results follow each other.

use crate::engine::Batch;
use crate::response::columns::Cells;
use crate::response::json::{object_keys, write_failure, write_object};
use crate::response::{Completion, EncodeError, Encoder, Failure, ResultHeader};

/// See the module.
#[derive(Debug, Default)]
pub struct NdjsonEncoder {
    keys: Vec<Vec<u8>>,
}

impl Encoder for NdjsonEncoder {
    fn content_type(&self) -> &'static str {
        "application/x-ndjson; charset=utf-8"
    }

    fn begin(&mut self, _results: &[ResultHeader], _out: &mut Vec<u8>) -> Result<(), EncodeError> {
        Ok(())
    }

    fn begin_result(
        &mut self,
        _index: usize,
        header: &ResultHeader,
        _out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        self.keys = object_keys(header);
        Ok(())
    }

    fn rows(&mut self, header: &ResultHeader, batch: &Batch, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let cells = Cells::of_batch(&header.columns, batch)?;
        let mut scratch = String::new();
        for row in 0..batch.rows {
            write_object(&self.keys, &cells, row, &mut scratch, out);
            out.push(b'\n');
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
            write_failure(failure, out);
            out.push(b'\n');
        }
        Ok(())
    }

    fn finish(&mut self, _completion: &Completion, _out: &mut Vec<u8>) -> Result<(), EncodeError> {
        Ok(())
    }
}
