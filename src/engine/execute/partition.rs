//! `partition`: a subquery over the rows of each key.

use std::sync::Arc;

use arrow_array::UInt32Array;
use conshelf_kql::Value;
use conshelf_kql::plan::{Expr, Plan};

use crate::engine::error::{EngineError, Result};
use crate::engine::execute::Executor;
use crate::engine::execute::columns;
use crate::engine::execute::expression::Expressions;
use crate::engine::execute::key::KeyTable;
use crate::engine::execute::materialised::Materialised;
use crate::engine::execute::pipeline::{Emit, Flow, Pipeline, Source};
use crate::engine::literal::array_to_value;
use crate::engine::profile::OperatorProfile;

/// One morsel per key.
struct Partitions {
    executor: Executor,
    parts: Vec<Part>,
    subquery: Plan,
}

/// What the subquery of a key gets.
enum Part {
    Rows(Arc<Materialised>),
    Parameter(u32, Value),
}

pub fn pipeline(
    executor: &Executor,
    profile: &Arc<OperatorProfile>,
    input: &Plan,
    key: &Expr,
    parameter: Option<u32>,
    keys_max: Option<u64>,
    subquery: &Plan,
) -> Result<Pipeline> {
    let rows = executor.materialise(input)?;
    let keys = Expressions::new(executor, std::slice::from_ref(key))?;
    let mut table = KeyTable::new(&[key.ty]);
    let all = columns::concat(&rows.batches, &input.schema)?;
    drop(rows);
    let mut groups = Vec::new();
    let keys = keys.columns(&all)?;
    table.assign(&keys, all.rows, &mut groups)?;
    if let Some(most) = keys_max.filter(|most| table.len() as u64 > *most) {
        return Err(EngineError::Evaluation(format!(
            "partition: {} distinct keys are more than the {most} of the legacy strategy: use hint.strategy=native or shuffle",
            table.len()
        )));
    }
    let mut members: Vec<Vec<u32>> = vec![Vec::new(); table.len()];
    for (row, group) in groups.iter().enumerate() {
        members[*group as usize].push(row as u32);
    }
    let parts = members
        .into_iter()
        .map(|rows| {
            if let (Some(number), [column], Some(row)) = (parameter, keys.as_slice(), rows.first()) {
                return Ok(Part::Parameter(number, array_to_value(column, *row as usize, key.ty)?));
            }
            let part = columns::take(&all, &UInt32Array::from(rows))?;
            Ok(Part::Rows(Arc::new(Materialised::new(&executor.query, vec![part])?)))
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
        let executor = match &self.parts[morsel] {
            Part::Rows(rows) => self.executor.over(rows.clone()),
            Part::Parameter(number, value) => self.executor.with_parameter(*number, value.clone()),
        };
        let result = executor.materialise(&self.subquery)?;
        for batch in &result.batches {
            if emit(batch.clone())?.is_break() {
                return Ok(Flow::Break(()));
            }
        }
        Ok(Flow::Continue(()))
    }
}
