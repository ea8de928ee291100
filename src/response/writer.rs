//! Drives an encoder: order of results, limits of the result, bytes handed on in chunks.
//!
//! Runs on the thread that runs the query. Knows nothing of where the chunks go.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::{Array, ArrayRef};

use crate::engine::{Batch, WrittenPiece, WrittenRows};
use crate::response::columns::{Cells, Weights};
use crate::response::row_writer::{PIECE_ROWS, RowWriter, WriterOfResults};
use crate::response::{Completion, EncodeError, Encoder, Failure, ResultHeader};

/// Bytes gathered before a chunk is handed on.
const CHUNK_BYTES: usize = 256 << 10;
/// Rows are not held back longer than this, however few.
const CHUNK_AGE: Duration = Duration::from_millis(500);
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
    /// Writes its rows.
    row_writer: Option<Arc<dyn RowWriter>>,
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
            row_writer: None,
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
        let chunk = std::mem::take(&mut self.buffer);
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
            self.row_writer = self.encoder.row_writer(next, &self.results[next]);
            self.current = Some(next);
        }
        Ok(())
    }

    /// Writes the rows of the answer's results on other threads.
    pub fn writer_of_results(&self) -> WriterOfResults {
        WriterOfResults::new(self.encoder.as_ref(), &self.results)
    }

    /// Takes rows of a result; results come in ascending order. `written`: the bytes of the first of them, as
    /// `writer_of_results` made them. `Break`: no more rows are wanted.
    pub fn rows(
        &mut self,
        index: usize,
        batch: &Batch,
        written: Vec<WrittenRows>,
    ) -> Result<ControlFlow<()>, WriteStop> {
        if index >= self.results.len() || self.current.is_some_and(|open| index < open) || index < self.closed
        {
            return Err(WriteStop::Encode(EncodeError::Wrong {
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
        let start = self.written_rows(index, room as usize, written)?;
        self.other_rows(index, batch, start..room as usize)?;
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

    /// Counts rows of a result that are about to be answered; fails if they are too many bytes.
    fn charge(&mut self, index: usize, rows: usize, weight: u64) -> Result<(), WriteStop> {
        if let Some(limit) = self.limits.bytes.filter(|limit| self.bytes + weight > *limit) {
            return Err(WriteStop::Limit { records: None, bytes: Some(limit) });
        }
        self.counts[index].0 += rows as u64;
        self.counts[index].1 += weight;
        self.records += rows as u64;
        self.bytes += weight;
        Ok(())
    }

    /// Hands on rows that others wrote, as far as there is room for; how many rows these were.
    fn written_rows(
        &mut self,
        index: usize,
        room: usize,
        written: Vec<WrittenRows>,
    ) -> Result<usize, WriteStop> {
        let mut done = 0;
        for WrittenRows { mut bytes, pieces } in written {
            let before = done;
            let (mut end, mut stop) = (0, None);
            for WrittenPiece { rows, weight, end: piece_end } in &pieces {
                if done + rows > room {
                    break;
                }
                if let Err(error) = self.charge(index, *rows, *weight) {
                    stop = Some(error);
                    break;
                }
                done += rows;
                end = *piece_end;
            }
            bytes.truncate(end);
            if done > before {
                let first = self.encoder.note_rows(done - before);
                if first && let Some(writer) = &self.row_writer {
                    bytes.drain(..writer.joint());
                }
                self.hand_on(bytes)?;
            }
            if let Some(stop) = stop {
                return Err(stop);
            }
            if done < before + pieces.iter().map(|piece| piece.rows).sum::<usize>() {
                break;
            }
        }
        Ok(done)
    }

    /// Takes a chunk: as it is, or together with others if it is small.
    fn hand_on(&mut self, chunk: Vec<u8>) -> Result<(), WriteStop> {
        if chunk.len() < CHUNK_BYTES / 2 {
            self.buffer.extend_from_slice(&chunk);
        } else {
            self.flush()?;
            self.buffer = chunk;
        }
        if self.buffer.len() >= CHUNK_BYTES / 2 { self.flush() } else { Ok(()) }
    }

    /// Writes rows that nobody wrote yet.
    fn other_rows(&mut self, index: usize, batch: &Batch, rows: Range<usize>) -> Result<(), WriteStop> {
        if rows.is_empty() {
            return Ok(());
        }
        let weights = Weights::new(&Cells::of_batch(&self.results[index].columns, batch)?);
        let writer = self.row_writer.clone();
        let mut open = writer.as_ref().map(|writer| writer.open(batch)).transpose()?;
        let mut start = rows.start;
        while start < rows.end {
            let piece = start..rows.end.min(start + PIECE_ROWS);
            self.charge(index, piece.len(), weights.of(piece.clone()))?;
            match (&mut open, &writer) {
                (Some(open), Some(writer)) => {
                    let before = self.buffer.len();
                    open.write_together(piece.clone(), &mut self.buffer);
                    if self.encoder.note_rows(piece.len()) {
                        self.buffer.drain(before..before + writer.joint());
                    }
                }
                _ => {
                    let slice = slice(batch, piece.clone());
                    self.encoder.rows(&self.results[index], &slice, &mut self.buffer)?;
                }
            }
            start = piece.end;
            if self.buffer.len() >= CHUNK_BYTES {
                self.flush()?;
            }
        }
        Ok(())
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

fn slice(batch: &Batch, rows: Range<usize>) -> Batch {
    let column = |column: &ArrayRef| column.slice(rows.start, rows.len());
    Batch { columns: batch.columns.iter().map(column).collect(), rows: rows.len() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::BatchWriter;
    use crate::response::Format;
    use crate::response::kusto_v2::{KustoV2Encoder, V2Options};
    use crate::response::tests_support::{numbers, sample};

    fn json(batches: &[(usize, Batch)], results: usize, limits: ResultLimits) -> (String, Option<WriteStop>) {
        let header = numbers(0).0;
        let mut sink = |_: Vec<u8>| Ok(());
        let encoder = Format::Ndjson.friendly_encoder().expect("encoder");
        let mut writer =
            ResponseWriter::new(encoder, vec![header; results], limits, &mut sink).expect("begin");
        let mut stop = None;
        for (index, batch) in batches {
            match writer.rows(*index, batch, Vec::new()) {
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
    fn rows_written_by_others_are_the_same() {
        let (header, batch) = numbers(20_000);
        let batches = [(0, batch.clone()), (0, numbers(3).1), (1, numbers(9_000).1), (1, batch)];
        let identity = crate::response::tests_support::identity;
        let v2 = |fragmented: bool| V2Options { fragment_primary_tables: fragmented, ..V2Options::default() };
        let encoders: [&dyn Fn() -> Box<dyn Encoder>; 6] = [
            &|| Box::new(KustoV2Encoder::new(identity(), v2(false))),
            &|| Box::new(KustoV2Encoder::new(identity(), v2(true))),
            &|| Format::Json.friendly_encoder().expect("encoder"),
            &|| Format::Ndjson.friendly_encoder().expect("encoder"),
            &|| Format::Csv.friendly_encoder().expect("encoder"),
            &|| Format::Table.friendly_encoder().expect("encoder"),
        ];
        for make in encoders {
            for limit in
                [None, Some(0), Some(1), Some(4096), Some(8192), Some(10_000), Some(20_003), Some(30_000)]
            {
                let limits = [
                    ResultLimits { take: limit, ..ResultLimits::default() },
                    ResultLimits { records: limit, ..ResultLimits::default() },
                    ResultLimits { bytes: limit.map(|limit| limit * 8), ..ResultLimits::default() },
                ];
                for limits in limits {
                    let answer = |by_others: bool| {
                        let mut all = Vec::new();
                        let mut sink = |chunk: Vec<u8>| {
                            all.extend_from_slice(&chunk);
                            Ok(())
                        };
                        let results = vec![header.clone(), header.clone()];
                        let mut writer =
                            ResponseWriter::new(make(), results, limits, &mut sink).expect("begin");
                        let others = writer.writer_of_results();
                        let mut outcome = String::new();
                        for (index, batch) in &batches {
                            let written = match by_others {
                                true => others.write(*index, batch).expect("rows"),
                                false => Vec::new(),
                            };
                            let step = writer.rows(*index, batch, written);
                            outcome.push_str(&format!("{step:?} {} {};", writer.records(), writer.bytes()));
                            if step.is_err() {
                                break;
                            }
                        }
                        let (rest, _) = writer.finish(Completion::default(), None).expect("finish");
                        all.extend_from_slice(&rest);
                        (String::from_utf8(all).expect("text"), outcome)
                    };
                    assert!(answer(true) == answer(false), "{limits:?}");
                }
            }
        }
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
            if matches!(format, Format::Arrow | Format::Parquet) {
                continue;
            }
            let Some(encoder) = format.friendly_encoder() else { continue };
            let mut sink = |_: Vec<u8>| Ok(());
            let results = vec![header.clone(), header.clone()];
            let mut writer =
                ResponseWriter::new(encoder, results, ResultLimits::default(), &mut sink).expect("begin");
            assert!(writer.rows(0, &batch, Vec::new()).is_ok());
            let (rest, _) = writer.finish(Completion::default(), None).expect("finish");
            insta::assert_snapshot!(name, String::from_utf8(rest).expect("text"));
        }
    }
}
