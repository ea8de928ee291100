//! `top`: the first rows by their keys, with at most a small multiple of the limit held per worker.
//!
//! Over a scan only the key columns (and those of filters) are read at first; the others are read for the
//! winners alone, and pieces of the table whose values cannot win are not read at all.

use std::sync::Arc;

use arrow_array::UInt32Array;
use conshelf_kql::plan::{Expr, ExprKind, Operator, Plan, SortKey};
use conshelf_kql::{Schema, Type};

use crate::engine::batch::Batch;
use crate::engine::context::{MemoryReservation, QueryContext};
use crate::engine::error::Result;
use crate::engine::execute::Executor;
use crate::engine::execute::bound::TopBound;
use crate::engine::execute::columns;
use crate::engine::execute::exchange::Most;
use crate::engine::execute::late::{Late, Wanted};
use crate::engine::execute::materialised::Materialised;
use crate::engine::execute::order::SortKeys;
use crate::engine::execute::pipeline::{Flow, Pipeline, Position, Sink};
use crate::engine::execute::sort::Keys;
use crate::engine::execute::take::limit_of;
use crate::engine::profile::OperatorProfile;

/// Past this limit all columns are read at once.
const LATE_ROWS: usize = 10_000;

/// Candidates are cut back to the limit when there are this many more.
const SLACK_ROWS: usize = 8_192;

struct Top {
    keys: Keys,
    limit: usize,
    schema: Schema,
    bound: Option<Arc<TopBound>>,
    query: Arc<QueryContext>,
}

/// Rows that may still be among the winners.
struct Local {
    batches: Vec<Batch>,
    keys: Option<SortKeys>,
    ordinals: Vec<u64>,
    /// Holds the worst of `limit` known rows: rows behind it are out.
    worst: Option<SortKeys>,
    /// Of `batches`.
    bytes: u64,
    memory: MemoryReservation,
}

impl Local {
    /// Charges rows of so many bytes beside keys and ordinals.
    fn charge(&mut self, rows: u64) -> Result<()> {
        let keys = self.keys.as_ref().map_or(0, SortKeys::memory_bytes);
        self.memory.resize(rows + (keys + self.ordinals.capacity() * 8) as u64)
    }
}

impl Sink for Top {
    type Local = Local;

    fn start(&self) -> Result<Local> {
        let memory = self.query.reserve(0)?;
        Ok(Local { batches: Vec::new(), keys: None, ordinals: Vec::new(), worst: None, bytes: 0, memory })
    }

    fn push(&self, local: &mut Local, position: Position, batch: Batch) -> Result<Flow> {
        let mut batch = batch;
        // The rows left of the batch as it came.
        let mut left: Option<Vec<u32>> = None;
        if let Some(worst) = &local.worst
            && let Some(rows) = self.keys.not_behind(&batch, worst)?
        {
            if rows.is_empty() {
                return Ok(Flow::Continue(()));
            }
            batch = columns::take(&batch, &UInt32Array::from(rows.clone()))?;
            left = Some(rows);
        }
        let mut keys = self.keys.of(&batch)?;
        let ordinal = |row: usize| position.ordinal(left.as_ref().map_or(row, |rows| rows[row] as usize));
        match &local.worst {
            None => local.ordinals.extend((0..batch.rows).map(ordinal)),
            Some(worst) => {
                // A row equal to the worst comes later than it, so it is out as well.
                let rows: Vec<u32> = (0..batch.rows as u32)
                    .filter(|row| keys.compare(*row as usize, worst, 0).is_lt())
                    .collect();
                if rows.is_empty() {
                    return Ok(Flow::Continue(()));
                }
                local.ordinals.extend(rows.iter().map(|row| ordinal(*row as usize)));
                keys = keys.pick(&rows);
                // A few rows must not keep the texts of all.
                batch = columns::compact(columns::take(&batch, &UInt32Array::from(rows))?);
            }
        }
        local.bytes += columns::held_bytes(&batch);
        local.batches.push(batch);
        match &mut local.keys {
            None => local.keys = Some(keys),
            Some(all) => all.append(keys),
        }
        local.charge(local.bytes)?;
        if local.ordinals.len() > 2 * self.limit + SLACK_ROWS
            || (local.worst.is_none() && local.ordinals.len() > self.limit + 64)
        {
            self.cut(local)?;
        }
        Ok(Flow::Continue(()))
    }
}

impl Top {
    /// Keeps only the best `limit` rows.
    fn cut(&self, local: &mut Local) -> Result<()> {
        // Candidates are there twice for a moment, and the winners.
        local.charge(3 * local.bytes)?;
        let Some(keys) = &local.keys else { return Ok(()) };
        let order = keys.first(&local.ordinals, self.limit);
        let kept = keys.pick(&order);
        let ordinals: Vec<u64> = order.iter().map(|row| local.ordinals[*row as usize]).collect();
        let all = columns::concat(&local.batches, &self.schema)?;
        let best = columns::compact(columns::take(&all, &UInt32Array::from(order.clone()))?);
        if let (Some(last), true) = (order.last(), order.len() == self.limit) {
            local.worst = Some(keys.pick(&[*last]));
            if let (Some(bound), Some(SortKeys::Fixed(worst))) = (&self.bound, &local.worst)
                && let (Some(worst), Some(ordinal)) = (worst.first(), ordinals.last())
            {
                bound.tighten(*worst, *ordinal);
            }
        }
        local.bytes = columns::held_bytes(&best);
        local.ordinals = ordinals;
        local.keys = Some(kept);
        local.batches = vec![best];
        local.charge(local.bytes)
    }
}

pub fn pipeline(
    executor: &Executor,
    profile: &Arc<OperatorProfile>,
    input: &Plan,
    keys: &[SortKey],
    limit: &Expr,
) -> Result<Pipeline> {
    let limit = usize::try_from(limit_of(executor, limit)?).unwrap_or(usize::MAX);
    let query = &executor.query;
    if limit == 0 {
        return Ok(Pipeline::of(Arc::new(Materialised::empty(query)?), profile.clone(), true));
    }
    let expressions: Vec<Expr> = keys.iter().map(|key| key.expression.clone()).collect();
    let all: Vec<Expr> =
        input.schema.iter().enumerate().map(|(index, column)| Expr::column(index, column.ty)).collect();
    let wanted = if let [key] = keys { Wanted::First(key) } else { Wanted::Any };
    let late = if limit <= LATE_ROWS { Late::of(executor, input, &expressions, &all, wanted)? } else { None };
    let rows = match late {
        Some(late) => {
            let keys = keys.iter().zip(&late.early);
            let keys =
                keys.map(|(key, early)| SortKey { expression: early.clone(), ..key.clone() }).collect();
            let schema = late.schema.clone();
            let winners = best(executor, &late.pipeline, keys, schema, limit, late.bound.clone())?;
            match winners.columns.last() {
                Some(row_ids) => Batch::new(late.fetch(executor, row_ids)?, winners.rows),
                None => columns::empty(&input.schema),
            }
        }
        None => {
            let below = executor.pipeline_of_most(input, most(input, keys, limit))?;
            best(executor, &below, keys.to_vec(), input.schema.clone(), limit, None)?
        }
    };
    Ok(Pipeline::of(Arc::new(Materialised::new(query, vec![rows])?), profile.clone(), true))
}

/// Which groups are wanted of a summary.
fn most(input: &Plan, keys: &[SortKey], limit: usize) -> Option<Most> {
    let Operator::Summarize { keys: groups, .. } = &*input.operator else { return None };
    let [key] = keys else { return None };
    let ExprKind::Column(column) = key.expression.kind else { return None };
    (column >= groups.len() && key.descending && key.expression.ty == Type::Long)
        .then_some(Most { limit, column })
}

/// The best rows of a pipeline, in order.
pub fn best(
    executor: &Executor,
    below: &Pipeline,
    keys: Vec<SortKey>,
    schema: Schema,
    limit: usize,
    bound: Option<Arc<TopBound>>,
) -> Result<Batch> {
    let query = &executor.query;
    let limit = limit.min(u32::MAX as usize / 4);
    let keys = Keys::new(executor, &keys)?;
    let sink = Arc::new(Top { keys, limit, schema, bound, query: query.clone() });
    let locals = below.run(query, executor.workers, sink.clone())?;
    let mut merged: Option<Local> = None;
    for local in locals {
        match (&mut merged, local) {
            (None, local) => merged = Some(local),
            (Some(merged), mut local) => {
                sink.cut(&mut local)?;
                merged.bytes += local.bytes;
                merged.batches.extend(local.batches);
                merged.ordinals.extend(local.ordinals);
                match (&mut merged.keys, local.keys) {
                    (Some(all), Some(keys)) => all.append(keys),
                    (all, Some(keys)) => *all = Some(keys),
                    (_, None) => {}
                }
            }
        }
    }
    match merged {
        Some(mut merged) => {
            sink.cut(&mut merged)?;
            columns::concat(&merged.batches, &sink.schema)
        }
        None => Ok(columns::empty(&sink.schema)),
    }
}
