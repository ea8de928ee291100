//! Rows as bytes that do not depend on the rows before them, so that several threads write at a time.
//!
//! A format has a [`RowWriter`] for each result. Whoever drives the encoder writes with it, and so do the workers of
//! the query, through [`WriterOfResults`]: they have the columns at hand, and one thread need not write it all.

use std::ops::Range;
use std::sync::Arc;

use conshelf_kql::Schema;

use crate::engine::{Batch, BatchWriter, EngineError, WrittenPiece, WrittenRows};
use crate::response::columns::{Cells, Weights};
use crate::response::{EncodeError, Encoder, ResultHeader};

/// Rows whose bytes are cut off together where a limit on bytes is passed.
pub const PIECE_ROWS: usize = 4096;

/// Bytes that workers give away at a time.
const CHUNK_BYTES: usize = 256 << 10;
/// Bytes that workers write of one batch: the others are written when the batch is sent.
const BATCH_BYTES_MAX: usize = 32 << 20;

/// Writes the rows of one result.
pub trait RowWriter: Send + Sync {
    /// Looks at a batch, once for all its rows.
    fn open<'a>(&'a self, batch: &'a Batch) -> Result<Box<dyn OpenRows + 'a>, EncodeError>;

    /// Length of what stands between rows: `write` begins with it, and the first rows of a result go without.
    fn joint(&self) -> usize {
        0
    }
}

/// The rows of one batch.
pub trait OpenRows {
    /// Appends some rows.
    fn write(&mut self, rows: Range<usize>, out: &mut Vec<u8>);

    /// Appends some rows, possibly by several threads.
    fn write_together(&mut self, rows: Range<usize>, out: &mut Vec<u8>) {
        self.write(rows, out);
    }
}

/// Appends all rows of a batch. `first`: there are no rows before them.
pub fn write_batch(
    writer: &dyn RowWriter,
    batch: &Batch,
    first: bool,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    if batch.rows > 0 {
        let start = out.len();
        writer.open(batch)?.write_together(0..batch.rows, out);
        if first {
            out.drain(start..start + writer.joint());
        }
    }
    Ok(())
}

/// Writes the rows of all results of an answer.
pub struct WriterOfResults {
    results: Vec<(Schema, Option<Arc<dyn RowWriter>>)>,
}

impl WriterOfResults {
    pub fn new(encoder: &dyn Encoder, results: &[ResultHeader]) -> WriterOfResults {
        let writer = |(index, header): (usize, &ResultHeader)| {
            (header.columns.clone(), encoder.row_writer(index, header))
        };
        WriterOfResults { results: results.iter().enumerate().map(writer).collect() }
    }

    fn written(
        &self,
        schema: &Schema,
        writer: &dyn RowWriter,
        batch: &Batch,
    ) -> Result<Vec<WrittenRows>, EncodeError> {
        let weights = Weights::new(&Cells::of_batch(schema, batch)?);
        let mut open = writer.open(batch)?;
        let mut all = Vec::new();
        let mut chunk = WrittenRows::default();
        let (mut row, mut row_bytes, mut total) = (0, 8 * schema.len() + 8, 0);
        while row < batch.rows && total < BATCH_BYTES_MAX {
            let rows = row..batch.rows.min(row + PIECE_ROWS);
            let before = chunk.bytes.len();
            chunk.bytes.reserve(rows.len() * row_bytes);
            open.write(rows.clone(), &mut chunk.bytes);
            let bytes = chunk.bytes.len() - before;
            // A little more than these, so that the next rows seldom need more room.
            row_bytes = bytes / rows.len() * 17 / 16 + 8;
            total += bytes;
            chunk.pieces.push(WrittenPiece {
                rows: rows.len(),
                weight: weights.of(rows.clone()),
                end: chunk.bytes.len(),
            });
            row = rows.end;
            if chunk.bytes.len() >= CHUNK_BYTES {
                all.push(std::mem::take(&mut chunk));
            }
        }
        if !chunk.pieces.is_empty() {
            all.push(chunk);
        }
        Ok(all)
    }
}

impl BatchWriter for WriterOfResults {
    fn write(&self, result: usize, batch: &Batch) -> Result<Vec<WrittenRows>, EngineError> {
        match self.results.get(result) {
            Some((schema, Some(writer))) => self
                .written(schema, writer.as_ref(), batch)
                .map_err(|error| EngineError::Internal(error.to_string())),
            _ => Ok(Vec::new()),
        }
    }
}
