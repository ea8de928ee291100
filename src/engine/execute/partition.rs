//! `partition`: a subquery over the rows of each key.

use std::sync::Arc;

use arrow_array::UInt32Array;
use conshelf_kql::plan::{Expr, Plan};

use crate::engine::error::Result;
use crate::engine::execute::Executor;
use crate::engine::execute::columns;
use crate::engine::execute::expression::Expressions;
use crate::engine::execute::key::KeyTable;
use crate::engine::execute::materialised::Materialised;
use crate::engine::execute::pipeline::{Emit, Flow, Pipeline, Source};
use crate::engine::profile::OperatorProfile;

/// One morsel per key.
struct Partitions {
    executor: Executor,
    parts: Vec<Arc<Materialised>>,
    subquery: Plan,
}

pub fn pipeline(
    executor: &Executor,
    profile: &Arc<OperatorProfile>,
    input: &Plan,
    key: &Expr,
    subquery: &Plan,
) -> Result<Pipeline> {
    let rows = executor.materialise(input)?;
    let keys = Expressions::new(executor, std::slice::from_ref(key))?;
    let mut table = KeyTable::new(&[key.ty]);
    let all = columns::concat(&rows.batches, &input.schema)?;
    drop(rows);
    let mut groups = Vec::new();
    table.assign(&keys.columns(&all)?, all.rows, &mut groups)?;
    let mut members: Vec<Vec<u32>> = vec![Vec::new(); table.len()];
    for (row, group) in groups.iter().enumerate() {
        members[*group as usize].push(row as u32);
    }
    let parts = members
        .into_iter()
        .map(|rows| {
            let part = columns::take(&all, &UInt32Array::from(rows))?;
            Ok(Arc::new(Materialised::new(&executor.query, vec![part])?))
        })
        .collect::<Result<_>>()?;
    let partitions = Partitions { executor: executor.clone(), parts, subquery: subquery.clone() };
    Ok(Pipeline::of(Arc::new(partitions), profile.clone(), false))
}

impl Source for Partitions {
    fn morsels(&self) -> usize {
        self.parts.len()
    }

    fn read(&self, morsel: usize, emit: &mut Emit<'_>) -> Result<Flow> {
        let result = self.executor.over(self.parts[morsel].clone()).materialise(&self.subquery)?;
        for batch in &result.batches {
            if emit(batch.clone())?.is_break() {
                return Ok(Flow::Break(()));
            }
        }
        Ok(Flow::Continue(()))
    }
}
