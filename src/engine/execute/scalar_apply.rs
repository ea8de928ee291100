//! `toscalar` of a subquery that depends on the row: run once for each set of values it takes from rows.

use std::sync::Arc;

use conshelf_kql::plan::{Expr, Plan};
use conshelf_kql::{Type, Value};

use crate::engine::batch::Batch;
use crate::engine::constant;
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::Executor;
use crate::engine::execute::expression::Expressions;
use crate::engine::execute::key::KeyTable;
use crate::engine::execute::pipeline::{Emit, Flow, Pipeline, Transform};
use crate::engine::literal::array_to_value;
use crate::engine::profile::OperatorProfile;

struct ScalarApply {
    executor: Executor,
    numbers: Vec<u32>,
    types: Vec<Type>,
    values: Expressions,
    subquery: Plan,
    ty: Type,
}

pub fn pipeline(
    executor: &Executor,
    profile: &Arc<OperatorProfile>,
    input: &Plan,
    parameters: &[(u32, Expr)],
    subquery: &Plan,
) -> Result<Pipeline> {
    let below = executor.pipeline(input)?;
    let expressions: Vec<Expr> = parameters.iter().map(|(_, value)| value.clone()).collect();
    let Some(first) = subquery.schema.first() else {
        return Err(EngineError::Internal(String::from("a scalar subquery without columns")));
    };
    let apply = ScalarApply {
        executor: executor.clone(),
        numbers: parameters.iter().map(|(number, _)| *number).collect(),
        types: expressions.iter().map(|value| value.ty).collect(),
        values: Expressions::new(executor, &expressions)?,
        subquery: subquery.clone(),
        ty: first.ty,
    };
    Ok(below.then(Arc::new(apply), profile))
}

impl Transform for ScalarApply {
    fn apply(&self, batch: Batch, emit: &mut Emit<'_>) -> Result<Flow> {
        let values = self.values.columns(&batch)?;
        let mut groups = Vec::new();
        let mut table = KeyTable::new(&self.types);
        table.assign(&values, batch.rows, &mut groups)?;
        let mut results: Vec<Option<Value>> = vec![None; table.len()];
        for (row, group) in groups.iter().enumerate() {
            let result = &mut results[*group as usize];
            if result.is_none() {
                self.executor.query.check()?;
                *result = Some(self.value(&values, row)?);
            }
        }
        let none = Value::Null(self.ty);
        let all = groups.iter().map(|group| results[*group as usize].as_ref().unwrap_or(&none));
        let column = constant::array_of(self.ty, all)?;
        let mut batch = batch;
        batch.columns.push(column);
        emit(batch)
    }
}

impl ScalarApply {
    /// The first value of the subquery with the values of a row.
    fn value(&self, values: &[arrow_array::ArrayRef], row: usize) -> Result<Value> {
        let mut executor = self.executor.clone();
        for ((number, ty), column) in self.numbers.iter().zip(&self.types).zip(values) {
            executor = executor.with_parameter(*number, array_to_value(column, row, *ty)?);
        }
        let rows = executor.first_rows(&self.subquery, 1)?;
        match rows.iter().find(|batch| batch.rows > 0).and_then(|batch| batch.columns.first()) {
            Some(column) => array_to_value(column, 0, self.ty),
            None => Ok(Value::Null(self.ty)),
        }
    }
}
