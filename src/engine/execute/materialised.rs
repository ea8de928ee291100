//! Rows held in memory, charged to their query, as a source of pipelines.

use std::sync::Arc;

use crate::engine::batch::Batch;
use crate::engine::context::{MemoryReservation, QueryContext};
use crate::engine::error::Result;
use crate::engine::execute::columns;
use crate::engine::execute::pipeline::{BATCH_ROWS, Emit, Flow, Source};

/// Batches in order.
pub struct Materialised {
    pub batches: Vec<Batch>,
    pub rows: usize,
    /// Batch, first row, number of rows.
    morsels: Vec<(usize, usize, usize)>,
    _memory: Option<MemoryReservation>,
}

impl Materialised {
    /// Charges the batches to the query.
    pub fn new(query: &Arc<QueryContext>, batches: Vec<Batch>) -> Result<Materialised> {
        let bytes = batches.iter().map(columns::held_bytes).sum();
        let memory = query.reserve(bytes)?;
        Ok(Materialised::charged(batches, Some(memory)))
    }

    pub fn empty(query: &Arc<QueryContext>) -> Result<Materialised> {
        Materialised::new(query, Vec::new())
    }

    /// Batches that are charged already, or not worth it.
    pub fn charged(batches: Vec<Batch>, memory: Option<MemoryReservation>) -> Materialised {
        let mut morsels = Vec::with_capacity(batches.len());
        let mut rows = 0;
        for (index, batch) in batches.iter().enumerate() {
            rows += batch.rows;
            let mut offset = 0;
            while offset < batch.rows {
                let length = (batch.rows - offset).min(BATCH_ROWS);
                morsels.push((index, offset, length));
                offset += length;
            }
        }
        Materialised { batches, rows, morsels, _memory: memory }
    }
}

impl Source for Materialised {
    fn morsels(&self) -> usize {
        self.morsels.len()
    }

    fn read(&self, morsel: usize, emit: &mut Emit<'_>) -> Result<Flow> {
        let (batch, offset, rows) = self.morsels[morsel];
        emit(columns::slice(&self.batches[batch], offset, rows))
    }
}
