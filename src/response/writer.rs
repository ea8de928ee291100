//! Drives an encoder: order of results, limits of the result, bytes handed on in chunks.
//!
//! Runs on the thread that runs the query. Knows nothing of where the chunks go.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::engine::Batch;
use crate::response::columns::batch_weight;
use crate::response::{Completion, EncodeError, Encoder, Failure, ResultHeader};

/// Bytes gathered before a chunk is handed on.
const CHUNK_BYTES: usize = 128 << 10;
/// Rows are not held back longer than this, however few.
const CHUNK_AGE: Duration = Duration::from_millis(500);
/// Rows encoded between two looks at the chunk's size.
const ROWS_AT_ONCE: usize = 4096;

/// How much of a result is answered.
#[derive(Clone, Copy, Debug, Default)]
pub struct ResultLimits {
    /// More is a failure; counted over all results.
    pub records: Option<u64>,
    /// More is a failure; counted over all results.
    pub bytes: Option<u64>,
    /// Each result is cut to so many rows without a word.
    pub take: Option<u64>,
}

/// What stopped a writer.
#[derive(Debug)]
pub enum WriteStop {
    /// Nobody reads any more.
    Closed,
    /// A limit of the result; the failure was told to the encoder if it is of that kind.
    Limit {
        records: Option<u64>,
        bytes: Option<u64>,
    },
    Encode(EncodeError),
}

impl From<EncodeError> for WriteStop {
    fn from(error: EncodeError) -> WriteStop {
        WriteStop::Encode(error)
    }
}

/// Takes chunks; `Err` when nobody reads any more.
pub type ChunkSink<'a> = dyn FnMut(Vec<u8>) -> Result<(), ()> + 'a;

/// See the module.
pub struct ResponseWriter<'a> {
    encoder: Box<dyn Encoder>,
    results: Vec<ResultHeader>,
    limits: ResultLimits,
    /// The result that is open.
    current: Option<usize>,
    /// Results closed.
    closed: usize,
    counts: Vec<(u64, u64)>,
    records: u64,
    bytes: u64,
    buffer: Vec<u8>,
    flushed: bool,
    last_flush: Instant,
    sink: &'a mut ChunkSink<'a>,
}

impl<'a> ResponseWriter<'a> {
    /// Begins the answer.
    pub fn new(
        encoder: Box<dyn Encoder>,
        results: Vec<ResultHeader>,
        limits: ResultLimits,
        sink: &'a mut ChunkSink<'a>,
    ) -> Result<ResponseWriter<'a>, WriteStop> {
        let mut writer = ResponseWriter {
            encoder,
            counts: vec![(0, 0); results.len()],
            results,
            limits,
            current: None,
            closed: 0,
            records: 0,
            bytes: 0,
            buffer: Vec::new(),
            flushed: false,
            last_flush: Instant::now(),
            sink,
        };
        writer.encoder.begin(&writer.results, &mut writer.buffer)?;
        Ok(writer)
    }

    /// Whether bytes left the writer: from then on a failure can only be told inside the body.
    pub fn has_flushed(&self) -> bool {
        self.flushed
    }

    pub fn reports_failures(&self) -> bool {
        self.encoder.reports_failures()
    }

    /// Rows written so far, over all results.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Weight of the rows written so far, over all results.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    fn flush(&mut self) -> Result<(), WriteStop> {
        self.last_flush = Instant::now();
        if self.buffer.is_empty() {
            return Ok(());
        }
        self.flushed = true;
        let chunk = std::mem::replace(&mut self.buffer, Vec::with_capacity(CHUNK_BYTES + (16 << 10)));
        (self.sink)(chunk).map_err(|()| WriteStop::Closed)
    }

    /// Opens the result with that index, and those before it that got no rows.
    fn advance_to(&mut self, index: usize) -> Result<(), WriteStop> {
        while self.current != Some(index) {
            if let Some(open) = self.current.take() {
                self.encoder.end_result(&self.results[open], None, &mut self.buffer)?;
                self.closed = open + 1;
            }
            let next = self.closed;
            self.encoder.begin_result(next, &self.results[next], &mut self.buffer)?;
            self.current = Some(next);
        }
        Ok(())
    }

    /// Takes rows of a result; results come in ascending order. `Break`: no more rows are wanted.
    pub fn rows(&mut self, index: usize, batch: &Batch) -> Result<ControlFlow<()>, WriteStop> {
        if index >= self.results.len() || self.current.is_some_and(|open| index < open) || index < self.closed
        {
            return Err(WriteStop::Encode(EncodeError {
                column: format!("result {index}"),
                ty: "rows in order",
                arrow: format!("rows after {} results", self.closed),
            }));
        }
        self.advance_to(index)?;
        let mut room = batch.rows as u64;
        if let Some(take) = self.limits.take {
            room = room.min(take.saturating_sub(self.counts[index].0));
        }
        let mut exceeded = None;
        if let Some(limit) = self.limits.records {
            let left = limit.saturating_sub(self.records);
            if room > left {
                exceeded = Some(WriteStop::Limit { records: Some(limit), bytes: None });
                room = left;
            }
        }
        let mut start = 0;
        while start < room as usize {
            let rows = ROWS_AT_ONCE.min(room as usize - start);
            let piece;
            let piece = if rows == batch.rows {
                batch
            } else {
                piece = slice(batch, start, rows);
                &piece
            };
            let weight = batch_weight(&self.results[index].columns, piece)?;
            if let Some(limit) = self.limits.bytes.filter(|limit| self.bytes + weight > *limit) {
                return Err(WriteStop::Limit { records: None, bytes: Some(limit) });
            }
            self.encoder.rows(&self.results[index], piece, &mut self.buffer)?;
            self.counts[index].0 += rows as u64;
            self.counts[index].1 += weight;
            self.records += rows as u64;
            self.bytes += weight;
            start += rows;
            if self.buffer.len() >= CHUNK_BYTES {
                self.flush()?;
            }
        }
        if let Some(exceeded) = exceeded {
            return Err(exceeded);
        }
        if self.last_flush.elapsed() > CHUNK_AGE {
            self.flush()?;
        }
        let last = index + 1 == self.results.len();
        let full = self.limits.take.is_some_and(|take| self.counts[index].0 >= take);
        Ok(if last && full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    /// Ends the answer. Returns what was not handed on yet, and whether something was.
    pub fn finish(
        mut self,
        mut completion: Completion,
        failure: Option<Arc<Failure>>,
    ) -> Result<(Vec<u8>, bool), WriteStop> {
        if failure.is_none() {
            if !self.results.is_empty() {
                self.advance_to(self.results.len() - 1)?;
            }
        } else if self.current.is_none() && self.closed < self.results.len() {
            self.advance_to(self.closed)?;
        }
        if let Some(open) = self.current.take() {
            self.encoder.end_result(&self.results[open], failure.as_deref(), &mut self.buffer)?;
        }
        completion.statistics.results = self.counts;
        completion.failure = failure;
        self.encoder.finish(&completion, &mut self.buffer)?;
        Ok((self.buffer, self.flushed))
    }
}

fn slice(batch: &Batch, start: usize, rows: usize) -> Batch {
    Batch { columns: batch.columns.iter().map(|column| column.slice(start, rows)).collect(), rows }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response::Format;
    use crate::response::tests_support::{numbers, sample};

    fn json(batches: &[(usize, Batch)], results: usize, limits: ResultLimits) -> (String, Option<WriteStop>) {
        let header = numbers(0).0;
        let mut sink = |_: Vec<u8>| Ok(());
        let encoder = Format::Ndjson.friendly_encoder().expect("encoder");
        let mut writer =
            ResponseWriter::new(encoder, vec![header; results], limits, &mut sink).expect("begin");
        let mut stop = None;
        for (index, batch) in batches {
            match writer.rows(*index, batch) {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => break,
                Err(error) => {
                    stop = Some(error);
                    break;
                }
            }
        }
        let (rest, _) = writer.finish(Completion::default(), None).expect("finish");
        (String::from_utf8(rest).expect("text"), stop)
    }

    #[test]
    fn takes_so_many_rows_of_each_result_silently() {
        let batch = numbers(5).1;
        let limits = ResultLimits { take: Some(2), ..ResultLimits::default() };
        let (text, stop) = json(&[(0, batch.clone()), (1, batch)], 2, limits);
        assert!(stop.is_none());
        assert_eq!(text.lines().count(), 4);
    }

    #[test]
    fn stops_at_the_record_limit_with_the_rows_up_to_it() {
        let limits = ResultLimits { records: Some(7), ..ResultLimits::default() };
        let (text, stop) = json(&[(0, numbers(5).1), (0, numbers(5).1)], 1, limits);
        assert!(matches!(stop, Some(WriteStop::Limit { records: Some(7), .. })));
        assert_eq!(text.lines().count(), 7);
    }

    #[test]
    fn stops_at_the_byte_limit() {
        let limits = ResultLimits { bytes: Some(100), ..ResultLimits::default() };
        let (_, stop) = json(&[(0, numbers(5).1), (0, numbers(50).1)], 1, limits);
        assert!(matches!(stop, Some(WriteStop::Limit { bytes: Some(100), .. })));
    }

    #[test]
    fn rows_of_a_closed_result_are_refused() {
        let (_, stop) = json(&[(1, numbers(1).1), (0, numbers(1).1)], 2, ResultLimits::default());
        assert!(matches!(stop, Some(WriteStop::Encode(_))));
    }

    #[test]
    fn friendly_formats() {
        let (header, batch) = sample();
        for (format, name) in Format::ALL {
            if format == Format::Arrow {
                continue;
            }
            let Some(encoder) = format.friendly_encoder() else { continue };
            let mut sink = |_: Vec<u8>| Ok(());
            let results = vec![header.clone(), header.clone()];
            let mut writer =
                ResponseWriter::new(encoder, results, ResultLimits::default(), &mut sink).expect("begin");
            assert!(writer.rows(0, &batch).is_ok());
            let (rest, _) = writer.finish(Completion::default(), None).expect("finish");
            insta::assert_snapshot!(name, String::from_utf8(rest).expect("text"));
        }
    }
}
