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

struct Output {
    query: Arc<QueryContext>,
    waiting: Mutex<Waiting>,
    waiting_bytes: AtomicUsize,
}

#[derive(Default)]
struct Waiting {
    batches: BTreeMap<Position, (Batch, MemoryReservation)>,
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
        let bytes = columns::held_bytes(&batch);
        let memory = self.query.reserve(bytes)?;
        self.waiting_bytes.fetch_add(bytes as usize, Ordering::Relaxed);
        self.waiting.lock().batches.insert(position, (batch, memory));
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
}

impl Output {
    /// The next batch in order, if it is there.
    fn next(&self) -> Option<Batch> {
        let mut waiting = self.waiting.lock();
        let (position, _) = waiting.batches.first_key_value()?;
        if position.morsel >= waiting.complete {
            return None;
        }
        let (_, (batch, memory)) = waiting.batches.pop_first()?;
        drop(memory);
        self.waiting_bytes.fetch_sub(columns::held_bytes(&batch) as usize, Ordering::Relaxed);
        Some(batch)
    }
}

/// Rows and bytes sent so far over all results of a query.
#[derive(Debug, Default)]
pub struct Sent {
    pub rows: u64,
    pub bytes: u64,
}

/// Runs a pipeline and hands its batches over in order. Fails with `ResultTooLarge` after the rows that fit.
pub fn run_to(
    pipeline: &Pipeline,
    query: &Arc<QueryContext>,
    workers: usize,
    sent: &mut Sent,
    receive: &mut dyn FnMut(Batch) -> Result<Flow>,
) -> Result<Flow> {
    let output = Arc::new(Output {
        query: query.clone(),
        waiting: Mutex::default(),
        waiting_bytes: AtomicUsize::new(0),
    });
    let mut flow = Flow::Continue(());
    let mut drain = |output: &Output, flow: &mut Flow| -> Result<Flow> {
        while flow.is_continue() {
            let Some(batch) = output.next() else { break };
            *flow = send(query, batch, sent, receive)?;
        }
        Ok(*flow)
    };
    if pipeline.fits_small_stack() && (workers <= 1 || pipeline.morsels() <= 1) {
        let direct = Direct { output: output.clone() };
        pipeline.run(query, 1, Arc::new(direct))?;
        let _ = drain(&output, &mut flow)?;
        return Ok(flow);
    }
    let run = Run::new(pipeline.clone(), query.clone(), workers, output.clone());
    run.start();
    run.wait(|| drain(&output, &mut flow))?;
    let _ = drain(&output, &mut flow)?;
    Ok(flow)
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
    sent: &mut Sent,
    receive: &mut dyn FnMut(Batch) -> Result<Flow>,
) -> Result<Flow> {
    let limits = &query.limits;
    if let Some(limit) = limits.result_rows
        && sent.rows + batch.rows as u64 > limit
    {
        let fitting = (limit - sent.rows) as usize;
        sent.rows = limit;
        if fitting > 0 && receive(columns::slice(&batch, 0, fitting))?.is_break() {
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
        if fitting > 0 && receive(columns::slice(&batch, 0, fitting))?.is_break() {
            return Ok(Flow::Break(()));
        }
        return Err(EngineError::ResultTooLarge { limit, unit: "bytes" });
    }
    sent.rows += batch.rows as u64;
    sent.bytes += bytes;
    receive(batch)
}
