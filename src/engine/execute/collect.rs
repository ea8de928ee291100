//! The sink that keeps all rows, in order.

use std::sync::Arc;

use crate::engine::batch::Batch;
use crate::engine::context::{MemoryReservation, QueryContext};
use crate::engine::error::Result;
use crate::engine::execute::columns;
use crate::engine::execute::materialised::Materialised;
use crate::engine::execute::pipeline::{Flow, Pipeline, Position, Sink};

struct Collect {
    query: Arc<QueryContext>,
}

struct Local {
    batches: Vec<(Position, Batch)>,
    bytes: u64,
    memory: MemoryReservation,
}

impl Sink for Collect {
    type Local = Local;

    fn start(&self) -> Result<Local> {
        Ok(Local { batches: Vec::new(), bytes: 0, memory: self.query.reserve(0)? })
    }

    fn push(&self, local: &mut Local, position: Position, batch: Batch) -> Result<Flow> {
        let batch = columns::compact(batch);
        local.bytes += columns::held_bytes(&batch);
        local.memory.resize(local.bytes)?;
        local.batches.push((position, batch));
        Ok(Flow::Continue(()))
    }
}

/// Runs a pipeline and keeps its rows.
pub fn collect(pipeline: &Pipeline, query: &Arc<QueryContext>, workers: usize) -> Result<Arc<Materialised>> {
    let locals = pipeline.run(query, workers, Arc::new(Collect { query: query.clone() }))?;
    let mut memory = query.reserve(0)?;
    let mut batches = Vec::new();
    let mut bytes = 0;
    for local in locals {
        bytes += local.bytes;
        batches.extend(local.batches);
        drop(local.memory);
        memory.resize(bytes)?;
    }
    batches.sort_by_key(|(position, _)| *position);
    let batches = batches.into_iter().map(|(_, batch)| batch).collect();
    Ok(Arc::new(Materialised::charged(batches, Some(memory))))
}
