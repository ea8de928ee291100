//! `take`: the first rows, reading no more than it must.

use std::sync::Arc;

use conshelf_kql::Value;
use conshelf_kql::explain::operator_line;
use conshelf_kql::plan::{Expr, Operator, Plan};
use parking_lot::Mutex;

use crate::engine::batch::Batch;
use crate::engine::context::QueryContext;
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::Executor;
use crate::engine::execute::columns;
use crate::engine::execute::expression;
use crate::engine::execute::materialised::Materialised;
use crate::engine::execute::pipeline::{Flow, Pipeline, Position, Sink};
use crate::engine::execute::scan;
use crate::engine::profile::OperatorProfile;

struct Take {
    limit: u64,
    done: Mutex<Done>,
}

/// Which morsels have come to their end, and how many rows the first of them without a gap gave.
#[derive(Default)]
struct Done {
    morsels: u32,
    rows: u64,
    /// Finished past a gap.
    later: Vec<(u32, u64)>,
}

#[derive(Default)]
struct Local {
    batches: Vec<(Position, Batch)>,
    morsel_rows: u64,
}

impl Sink for Take {
    type Local = Local;

    fn start(&self) -> Result<Local> {
        Ok(Local::default())
    }

    fn push(&self, local: &mut Local, position: Position, batch: Batch) -> Result<Flow> {
        let missing = self.limit.saturating_sub(local.morsel_rows);
        let rows = (batch.rows as u64).min(missing) as usize;
        local.morsel_rows += rows as u64;
        if rows > 0 {
            local.batches.push((position, columns::compact(columns::slice(&batch, 0, rows))));
        }
        // Stops this morsel only if morsels before it may still have to give their rows.
        if local.morsel_rows < self.limit {
            return Ok(Flow::Continue(()));
        }
        let done = self.done.lock();
        Ok(if done.morsels == position.morsel { Flow::Break(()) } else { Flow::Continue(()) })
    }

    fn morsel_done(&self, local: &mut Local, morsel: u32) -> Result<Flow> {
        let rows = std::mem::take(&mut local.morsel_rows);
        let mut done = self.done.lock();
        done.later.push((morsel, rows));
        while let Some(at) = done.later.iter().position(|(later, _)| *later == done.morsels) {
            let (_, rows) = done.later.swap_remove(at);
            done.morsels += 1;
            done.rows += rows;
        }
        Ok(if done.rows >= self.limit { Flow::Break(()) } else { Flow::Continue(()) })
    }
}

/// The first rows of a pipeline.
pub fn first(
    pipeline: &Pipeline,
    query: &Arc<QueryContext>,
    workers: usize,
    limit: u64,
) -> Result<Arc<Materialised>> {
    if limit == 0 {
        return Ok(Arc::new(Materialised::empty(query)?));
    }
    let sink = Arc::new(Take { limit, done: Mutex::default() });
    let locals = pipeline.run(query, workers, sink)?;
    let mut batches: Vec<(Position, Batch)> = locals.into_iter().flat_map(|local| local.batches).collect();
    batches.sort_by_key(|(position, _)| *position);
    let mut missing = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut taken = Vec::new();
    for (_, batch) in batches {
        let rows = batch.rows.min(missing);
        missing -= rows;
        if rows > 0 {
            taken.push(columns::slice(&batch, 0, rows));
        }
    }
    Ok(Arc::new(Materialised::new(query, taken)?))
}

/// The number that `take`, `top` or `sample` asks for.
pub fn limit_of(executor: &Executor, limit: &Expr) -> Result<u64> {
    let count = match expression::constant(executor, limit)? {
        Value::Int(count) => i64::from(count),
        Value::Long(count) => count,
        Value::Real(count) => count as i64,
        _ => return Err(EngineError::Evaluation(String::from("the number of rows must be an integer"))),
    };
    u64::try_from(count)
        .map_err(|_| EngineError::Evaluation(format!("the number of rows must not be negative: {count}")))
}

pub fn pipeline(
    executor: &Executor,
    profile: &Arc<OperatorProfile>,
    input: &Plan,
    limit: &Expr,
) -> Result<Pipeline> {
    let limit = limit_of(executor, limit)?;
    let below = match &*input.operator {
        Operator::Scan { database, table, columns, predicate } => {
            let profile = executor.profile.operator(operator_line(input), executor.depth);
            let wanted = usize::try_from(limit).ok();
            let scan =
                scan::table_scan(executor, &profile, database, table, columns, predicate.as_ref(), wanted)?;
            Pipeline::of(Arc::new(scan), profile, false)
        }
        _ => executor.pipeline(input)?,
    };
    let ordered = below.ordered;
    let rows = first(&below, &executor.query, executor.workers, limit)?;
    Ok(Pipeline::of(rows, profile.clone(), ordered))
}
