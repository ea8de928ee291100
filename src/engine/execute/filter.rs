//! `where`: keeps the rows for which a condition is true.

use std::sync::Arc;

use conshelf_kql::function::{FunctionId, OperatorFunction};
use conshelf_kql::plan::{Expr, ExprKind, Plan};

use crate::engine::batch::Batch;
use crate::engine::error::Result;
use crate::engine::execute::Executor;
use crate::engine::execute::columns;
use crate::engine::execute::expression::Expressions;
use crate::engine::execute::pipeline::{Emit, Flow, Pipeline, Transform};
use crate::engine::profile::OperatorProfile;

struct Filter {
    conditions: Expressions,
}

pub fn pipeline(
    executor: &Executor,
    profile: &Arc<OperatorProfile>,
    input: &Plan,
    predicate: &Expr,
) -> Result<Pipeline> {
    let below = executor.pipeline(input)?;
    let filter = Filter { conditions: Expressions::new(executor, &conjuncts(predicate))? };
    Ok(below.then(Arc::new(filter), profile))
}

/// The conditions that an `and` joins, in order.
pub fn conjuncts(predicate: &Expr) -> Vec<Expr> {
    let mut list = Vec::new();
    let mut stack = vec![predicate];
    while let Some(expression) = stack.pop() {
        match &expression.kind {
            ExprKind::Call { function: FunctionId::Operator(OperatorFunction::And), arguments } => {
                stack.extend(arguments.iter().rev());
            }
            _ => list.push(expression.clone()),
        }
    }
    list
}

impl Transform for Filter {
    fn apply(&self, batch: Batch, emit: &mut Emit<'_>) -> Result<Flow> {
        let mut batch = batch;
        for condition in 0..self.conditions.prepared().len() {
            batch = columns::filter(&batch, &self.conditions.select(&batch, condition)?)?;
            if batch.rows == 0 {
                return Ok(Flow::Continue(()));
            }
        }
        emit(batch)
    }
}
