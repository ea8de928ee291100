//! The end of a result: batches in order to whoever asked, under the limits on rows and bytes.
//!
//! Workers run ahead of the receiver by a bounded amount; when it is slow they leave the pool to others.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::engine::batch::Batch;
use crate::engine::context::{MemoryReservation, QueryContext};
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::columns;
use crate::engine::execute::pipeline::{Flow, Pipeline, Position, Run, Sink};

/// Bytes that may wait for the receiver before workers pause.
const WAITING_BYTES: usize = 16 << 20;

/// Makes bytes of rows for receivers that want them so: on the threads of the workers, batch by batch in any order.
pub trait BatchWriter: Send + Sync {
    /// Bytes of the first rows of a batch, if not of all; whoever receives the batch sees to the others.
    fn write(&self, result: usize, batch: &Batch) -> Result<Vec<WrittenRows>>;
}

/// Some rows as bytes.
#[derive(Debug, Default)]
pub struct WrittenRows {
    pub bytes: Vec<u8>,
    /// In order, end to end.
    pub pieces: Vec<WrittenPiece>,
}

/// Rows of which the bytes may go without those of the rows after them.
#[derive(Clone, Copy, Debug)]
pub struct WrittenPiece {
    pub rows: usize,
    /// What they count against a limit on bytes.
    pub weight: u64,
    /// Where their bytes end.
    pub end: usize,
}

struct Output {
    query: Arc<QueryContext>,
    /// With the number of the result.
    writer: Option<(Arc<dyn BatchWriter>, usize)>,
    waiting: Mutex<Waiting>,
    waiting_bytes: AtomicUsize,
}

struct WaitingBatch {
    batch: Batch,
    written: Vec<WrittenRows>,
    bytes: usize,
    memory: MemoryReservation,
}

#[derive(Default)]
struct Waiting {
    batches: BTreeMap<Position, WaitingBatch>,
    /// Morsels below this are complete.
    complete: u32,
    later: Vec<u32>,
}

impl Sink for Output {
    type Local = ();

    fn start(&self) -> Result<()> {
        Ok(())
    }

    fn push(&self, _local: &mut (), position: Position, batch: Batch) -> Result<Flow> {
        let batch = columns::compact(batch);
        let mut memory = self.query.reserve(columns::held_bytes(&batch))?;
        let written = match &self.writer {
            Some((writer, result)) => writer.write(*result, &batch)?,
            None => Vec::new(),
        };
        let bytes = columns::held_bytes(&batch)
            + written.iter().map(|written| written.bytes.capacity() as u64).sum::<u64>();
        memory.resize(bytes)?;
        let bytes = bytes as usize;
        self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.waiting.lock().batches.insert(position, WaitingBatch { batch, written, bytes, memory });
        Ok(Flow::Continue(()))
    }

    fn morsel_done(&self, _local: &mut (), morsel: u32) -> Result<Flow> {
        let mut waiting = self.waiting.lock();
        waiting.later.push(morsel);
        while let Some(at) = waiting.later.iter().position(|later| *later == waiting.complete) {
            waiting.later.swap_remove(at);
            waiting.complete += 1;
        }
        Ok(Flow::Continue(()))
    }

    fn ready(&self) -> bool {
        self.waiting_bytes.load(Ordering::Relaxed) < WAITING_BYTES
    }

    fn has_news(&self) -> bool {
        self.waiting.lock().has_next()
    }
}

impl Waiting {
    /// Whether the next batch in order is there.
    fn has_next(&self) -> bool {
        self.batches.first_key_value().is_some_and(|(position, _)| position.morsel < self.complete)
    }
}

impl Output {
    /// The next batch in order, if it is there.
    fn next(&self) -> Option<(Batch, Vec<WrittenRows>)> {
        let mut waiting = self.waiting.lock();
        if !waiting.has_next() {
            return None;
        }
        let (_, WaitingBatch { batch, written, bytes, memory }) = waiting.batches.pop_first()?;
        drop(waiting);
        drop(memory);
        self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
        Some((batch, written))
    }
}

/// Rows and bytes sent so far over all results of a query.
#[derive(Debug, Default)]
pub struct Sent {
    pub rows: u64,
    pub bytes: u64,
}

/// Takes batches in order, each with the bytes of its first rows.
pub type Receive<'a> = dyn FnMut(Batch, Vec<WrittenRows>) -> Result<Flow> + 'a;

/// Runs a pipeline and hands its batches over in order. Fails with `ResultTooLarge` after the rows that fit.
/// `writer` makes bytes of the rows of the result of that number, where several threads work.
pub fn run_to(
    pipeline: &Pipeline,
    query: &Arc<QueryContext>,
    workers: usize,
    sent: &mut Sent,
    writer: Option<(Arc<dyn BatchWriter>, usize)>,
    receive: &mut Receive<'_>,
) -> Result<Flow> {
    let is_direct = pipeline.fits_small_stack() && (workers <= 1 || pipeline.morsels() <= 1);
    let output = Arc::new(Output {
        query: query.clone(),
        writer: writer.filter(|_| !is_direct),
        waiting: Mutex::default(),
        waiting_bytes: AtomicUsize::new(0),
    });
    let mut flow = Flow::Continue(());
    let mut send_next = || -> Result<Flow> {
        if flow.is_continue()
            && let Some((batch, written)) = output.next()
        {
            flow = send(query, batch, written, sent, receive)?;
        }
        Ok(flow)
    };
    if is_direct {
        let direct = Direct { output: output.clone() };
        pipeline.run(query, 1, Arc::new(direct))?;
    } else {
        let run = Run::new(pipeline.clone(), query.clone(), workers, output.clone());
        run.start();
        run.wait(&mut send_next)?;
    }
    while output.has_news() && send_next()?.is_continue() {}
    send_next()
}

/// The output without back-pressure, for a single worker on the receiver's own thread.
struct Direct {
    output: Arc<Output>,
}

impl Sink for Direct {
    type Local = ();

    fn start(&self) -> Result<()> {
        Ok(())
    }

    fn push(&self, local: &mut (), position: Position, batch: Batch) -> Result<Flow> {
        self.output.push(local, position, batch)
    }

    fn morsel_done(&self, local: &mut (), morsel: u32) -> Result<Flow> {
        self.output.morsel_done(local, morsel)
    }
}

fn send(
    query: &Arc<QueryContext>,
    batch: Batch,
    written: Vec<WrittenRows>,
    sent: &mut Sent,
    receive: &mut Receive<'_>,
) -> Result<Flow> {
    let limits = &query.limits;
    if let Some(limit) = limits.result_rows
        && sent.rows + batch.rows as u64 > limit
    {
        let fitting = (limit - sent.rows) as usize;
        sent.rows = limit;
        if fitting > 0 && receive(columns::slice(&batch, 0, fitting), Vec::new())?.is_break() {
            return Ok(Flow::Break(()));
        }
        return Err(EngineError::ResultTooLarge { limit, unit: "records" });
    }
    let bytes = columns::held_bytes(&batch);
    if let Some(limit) = limits.result_bytes
        && sent.bytes + bytes > limit
    {
        let share = (limit - sent.bytes) as f64 / bytes as f64;
        let fitting = (batch.rows as f64 * share) as usize;
        sent.bytes = limit;
        if fitting > 0 && receive(columns::slice(&batch, 0, fitting), Vec::new())?.is_break() {
            return Ok(Flow::Break(()));
        }
        return Err(EngineError::ResultTooLarge { limit, unit: "bytes" });
    }
    sent.rows += batch.rows as u64;
    sent.bytes += bytes;
    receive(batch, written)
}
