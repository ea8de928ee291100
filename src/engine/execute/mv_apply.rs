//! `mv-apply`: a subquery over the expanded rows of each input row.

use std::sync::Arc;

use arrow_array::UInt32Array;
use conshelf_kql::explain::inputs;
use conshelf_kql::plan::{Operator, Plan};

use crate::engine::batch::Batch;
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::Executor;
use crate::engine::execute::columns;
use crate::engine::execute::materialised::Materialised;
use crate::engine::execute::mv_expand::MvExpand;
use crate::engine::execute::pipeline::{BATCH_ROWS, Emit, Flow, Pipeline, Transform};
use crate::engine::profile::OperatorProfile;

struct MvApply {
    executor: Executor,
    expand: MvExpand,
    kept: Vec<usize>,
    subquery: Plan,
    /// Columns that the subquery's leaf has; the last ones of what the expansion yields.
    argument_width: Option<usize>,
}

pub fn pipeline(
    executor: &Executor,
    profile: &Arc<OperatorProfile>,
    input: &Plan,
    expand: MvExpand,
    kept: &[usize],
    subquery: &Plan,
) -> Result<Pipeline> {
    let below = executor.pipeline(input)?;
    let apply = MvApply {
        executor: executor.clone(),
        expand,
        kept: kept.to_vec(),
        subquery: subquery.clone(),
        argument_width: argument_width(subquery),
    };
    Ok(below.then(Arc::new(apply), profile))
}

impl MvApply {
    /// The subquery's rows for one input row, the kept columns before them.
    fn row(&self, batch: &Batch, row: usize, results: &mut Vec<Batch>) -> Result<usize> {
        let one = columns::slice(batch, row, 1);
        let mut expanded = Vec::new();
        let _ = self.expand.apply(one.clone(), &mut |mut rows: Batch| {
            if let Some(width) = self.argument_width {
                let extra = rows.columns.len().saturating_sub(width);
                rows.columns.drain(..extra);
            }
            expanded.push(rows);
            Ok(Flow::Continue(()))
        })?;
        let argument = Arc::new(Materialised::charged(expanded, None));
        let result = self.executor.over(argument).materialise(&self.subquery)?;
        for rows in result.batches.iter().filter(|rows| rows.rows > 0) {
            let picks = UInt32Array::from(vec![0u32; rows.rows]);
            let mut all = Vec::with_capacity(self.kept.len() + rows.columns.len());
            for position in &self.kept {
                let column = one.columns.get(*position).ok_or_else(|| {
                    EngineError::Internal(String::from("mv-apply keeps a column that does not exist"))
                })?;
                all.push(columns::take_column(column, &picks)?);
            }
            all.extend(rows.columns.iter().cloned());
            results.push(Batch::new(all, rows.rows));
        }
        Ok(result.rows)
    }

    fn flush(&self, results: &mut Vec<Batch>) -> Result<Batch> {
        let schema = Vec::new();
        let rows = results.iter().map(|batch| batch.rows).sum();
        let width = results.first().map_or(0, |batch| batch.columns.len());
        let parts = std::mem::take(results);
        if parts.is_empty() {
            return columns::concat(&[], &schema);
        }
        let columns = (0..width)
            .map(|index| {
                let parts: Vec<_> = parts.iter().map(|batch| &batch.columns[index]).collect();
                columns::concat_column(&parts)
            })
            .collect::<Result<_>>()?;
        Ok(Batch::new(columns, rows))
    }
}

impl Transform for MvApply {
    fn apply(&self, batch: Batch, emit: &mut Emit<'_>) -> Result<Flow> {
        let mut results = Vec::new();
        let mut pending = 0;
        for row in 0..batch.rows {
            self.executor.query.check()?;
            pending += self.row(&batch, row, &mut results)?;
            if pending >= BATCH_ROWS {
                pending = 0;
                if emit(self.flush(&mut results)?)?.is_break() {
                    return Ok(Flow::Break(()));
                }
            }
        }
        if results.is_empty() {
            return Ok(Flow::Continue(()));
        }
        emit(self.flush(&mut results)?)
    }
}

/// Width of the subquery's leaf.
fn argument_width(plan: &Plan) -> Option<usize> {
    if matches!(*plan.operator, Operator::Argument) {
        return Some(plan.schema.len());
    }
    inputs(&plan.operator).into_iter().find_map(argument_width)
}
