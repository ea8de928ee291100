//! `sort`: all rows in order of their keys; stable.

use std::sync::Arc;

use arrow_array::UInt32Array;
use conshelf_kql::plan::{Expr, Plan, SortKey};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::engine::batch::Batch;
use crate::engine::context::{MemoryReservation, QueryContext};
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::Executor;
use crate::engine::execute::columns;
use crate::engine::execute::expression::Expressions;
use crate::engine::execute::materialised::Materialised;
use crate::engine::execute::order::{Direction, SortKeys};
use crate::engine::execute::pipeline::{BATCH_ROWS, Flow, Pipeline, Position, Sink};
use crate::engine::profile::OperatorProfile;

/// Keys of a sort or top, ready to be evaluated.
pub struct Keys {
    pub expressions: Expressions,
    pub directions: Vec<Direction>,
}

impl Keys {
    pub fn new(executor: &Executor, keys: &[SortKey]) -> Result<Keys> {
        let expressions: Vec<Expr> = keys.iter().map(|key| key.expression.clone()).collect();
        Ok(Keys {
            expressions: Expressions::new(executor, &expressions)?,
            directions: keys
                .iter()
                .map(|key| Direction {
                    ty: key.expression.ty,
                    descending: key.descending,
                    nulls_first: key.nulls_first,
                })
                .collect(),
        })
    }

    /// The rows whose first key is not behind that of the first of some keys; `None`: not told apart from the others
    /// more cheaply than by all keys.
    pub fn not_behind(&self, batch: &Batch, worst: &SortKeys) -> Result<Option<Vec<u32>>> {
        let Some(direction) = self.directions.first() else { return Ok(None) };
        if !worst.is_bytes() {
            return Ok(None);
        }
        worst.not_behind(*direction, &self.expressions.column(batch, 0)?)
    }

    pub fn of(&self, batch: &Batch) -> Result<SortKeys> {
        SortKeys::new(&self.directions, &self.expressions.columns(batch)?, batch.rows)
    }
}

struct Sort {
    keys: Keys,
    query: Arc<QueryContext>,
}

struct Local {
    batches: Vec<(Position, Batch, SortKeys)>,
    bytes: u64,
    memory: MemoryReservation,
}

impl Sink for Sort {
    type Local = Local;

    fn start(&self) -> Result<Local> {
        Ok(Local { batches: Vec::new(), bytes: 0, memory: self.query.reserve(0)? })
    }

    fn push(&self, local: &mut Local, position: Position, batch: Batch) -> Result<Flow> {
        let keys = self.keys.of(&batch)?;
        let batch = columns::compact(batch);
        local.bytes += columns::held_bytes(&batch) + keys.memory_bytes() as u64;
        local.memory.resize(local.bytes)?;
        local.batches.push((position, batch, keys));
        Ok(Flow::Continue(()))
    }
}

pub fn pipeline(
    executor: &Executor,
    profile: &Arc<OperatorProfile>,
    input: &Plan,
    keys: &[SortKey],
) -> Result<Pipeline> {
    let below = executor.pipeline(input)?;
    let query = &executor.query;
    let keys = Keys::new(executor, keys)?;
    let locals = below.run(query, executor.workers, Arc::new(Sort { keys, query: query.clone() }))?;
    let started = std::time::Instant::now();
    let mut parts = Vec::new();
    let mut memory = Vec::new();
    for local in locals {
        parts.extend(local.batches);
        memory.push(local.memory);
    }
    parts.sort_by_key(|(position, _, _)| *position);
    let mut all_keys: Option<SortKeys> = None;
    let mut batches = Vec::with_capacity(parts.len());
    for (_, batch, keys) in parts {
        batches.push(batch);
        match &mut all_keys {
            None => all_keys = Some(keys),
            Some(all) => all.append(keys),
        }
    }
    let rows: usize = batches.iter().map(|batch| batch.rows).sum();
    if rows > u32::MAX as usize {
        return Err(EngineError::Evaluation(String::from("too many rows to sort")));
    }
    let order = all_keys.map_or_else(Vec::new, |keys| keys.sorted(&[]));
    query.check()?;
    let all = columns::concat(&batches, &input.schema)?;
    drop(batches);
    let chunks: Vec<&[u32]> = order.chunks(BATCH_ROWS).collect();
    let pick = |chunk: &&[u32]| columns::take(&all, &UInt32Array::from(chunk.to_vec()));
    let sorted: Vec<Batch> = if chunks.len() > 1 && executor.workers > 1 {
        chunks.par_iter().map(pick).collect::<Result<_>>()?
    } else {
        chunks.iter().map(pick).collect::<Result<_>>()?
    };
    drop(memory);
    let sorted = Materialised::new(query, sorted)?;
    profile.add_time(started.elapsed());
    Ok(Pipeline::of(Arc::new(sorted), profile.clone(), true))
}
