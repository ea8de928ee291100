//! `sample` and `sample-distinct`: some rows, some values.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow_array::Int64Array;
use conshelf_kql::plan::{Expr, Plan, SortKey};
use conshelf_kql::{Column, Type};

use crate::engine::batch::Batch;
use crate::engine::context::QueryContext;
use crate::engine::error::Result;
use crate::engine::execute::Executor;
use crate::engine::execute::columns;
use crate::engine::execute::expression::Expressions;
use crate::engine::execute::key::KeyTable;
use crate::engine::execute::materialised::Materialised;
use crate::engine::execute::pipeline::{Emit, Flow, Pipeline, Position, Sink, Transform};
use crate::engine::execute::take::limit_of;
use crate::engine::execute::top;
use crate::engine::profile::OperatorProfile;

/// Appends a random number to every row.
struct Lots {
    random: RandomState,
    next: AtomicU64,
}

impl Transform for Lots {
    fn apply(&self, batch: Batch, emit: &mut Emit<'_>) -> Result<Flow> {
        let first = self.next.fetch_add(batch.rows as u64, Ordering::Relaxed);
        let lots = (0..batch.rows as u64).map(|row| self.random.hash_one(first + row) as i64);
        let mut batch = batch;
        batch.columns.push(Arc::new(Int64Array::from_iter_values(lots)));
        emit(batch)
    }
}

/// The rows that draw the lowest numbers.
pub fn sample(
    executor: &Executor,
    profile: &Arc<OperatorProfile>,
    input: &Plan,
    count: &Expr,
) -> Result<Pipeline> {
    let count = usize::try_from(limit_of(executor, count)?).unwrap_or(usize::MAX);
    if count == 0 {
        return Ok(Pipeline::of(Arc::new(Materialised::empty(&executor.query)?), profile.clone(), false));
    }
    let lots = Lots { random: RandomState::new(), next: AtomicU64::new(0) };
    let below = executor.pipeline(input)?.then(Arc::new(lots), &Arc::default());
    let mut schema = input.schema.clone();
    schema.push(Column::new("$lot", Type::Long));
    let expression = Expr::column(input.schema.len(), Type::Long);
    let key = SortKey { expression, descending: false, nulls_first: true };
    let mut drawn = top::best(executor, &below, vec![key], schema, count, None)?;
    drawn.columns.truncate(input.schema.len());
    let rows = Materialised::new(&executor.query, vec![drawn])?;
    Ok(Pipeline::of(Arc::new(rows), profile.clone(), false))
}

struct Distinct {
    of: Expressions,
    ty: Type,
    count: usize,
    query: Arc<QueryContext>,
}

impl Sink for Distinct {
    type Local = KeyTable;

    fn start(&self) -> Result<KeyTable> {
        Ok(KeyTable::new(&[self.ty]))
    }

    fn push(&self, table: &mut KeyTable, _position: Position, batch: Batch) -> Result<Flow> {
        let mut groups = Vec::new();
        table.assign(&self.of.columns(&batch)?, batch.rows, &mut groups)?;
        drop(self.query.reserve(table.memory_bytes() as u64)?);
        Ok(if table.len() >= self.count { Flow::Break(()) } else { Flow::Continue(()) })
    }
}

/// Up to `count` distinct values.
pub fn sample_distinct(
    executor: &Executor,
    profile: &Arc<OperatorProfile>,
    input: &Plan,
    count: &Expr,
    of: &Expr,
) -> Result<Pipeline> {
    let count = usize::try_from(limit_of(executor, count)?).unwrap_or(usize::MAX);
    let below = executor.pipeline(input)?;
    let sink = Distinct {
        of: Expressions::new(executor, std::slice::from_ref(of))?,
        ty: of.ty,
        count,
        query: executor.query.clone(),
    };
    let mut merged = KeyTable::new(&[of.ty]);
    let mut groups = Vec::new();
    for table in below.run(&executor.query, executor.workers, Arc::new(sink))? {
        merged.assign(&table.columns()?, table.len(), &mut groups)?;
    }
    let all = Batch::new(merged.columns()?, merged.len());
    let rows = columns::slice(&all, 0, count.min(all.rows));
    Ok(Pipeline::of(Arc::new(Materialised::new(&executor.query, vec![rows])?), profile.clone(), false))
}
