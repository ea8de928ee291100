//! extend, project and family: one expression per yielded column.

use std::sync::Arc;

use conshelf_kql::plan::{Expr, Plan};

use crate::engine::batch::Batch;
use crate::engine::error::Result;
use crate::engine::execute::Executor;
use crate::engine::execute::expression::Expressions;
use crate::engine::execute::pipeline::{Emit, Flow, Pipeline, Transform};
use crate::engine::execute::scan::pipeline_using;
use crate::engine::execute::window;
use crate::engine::profile::OperatorProfile;

struct Project {
    expressions: Expressions,
}

pub fn pipeline(
    executor: &Executor,
    profile: &Arc<OperatorProfile>,
    input: &Plan,
    expressions: &[Expr],
) -> Result<Pipeline> {
    if !expressions.iter().any(window::has_window) {
        let mut expressions = expressions.to_vec();
        let below = pipeline_using(executor, input, &mut expressions.iter_mut().collect::<Vec<_>>())?;
        let expressions = Expressions::new(executor, &expressions)?;
        return Ok(below.then(Arc::new(Project { expressions }), profile));
    }
    let below = executor.pipeline(input)?;
    let (windowed, expressions) = window::compute(executor, profile, &below, expressions, &input.schema)?;
    let expressions = Expressions::new(executor, &expressions)?;
    Ok(windowed.then(Arc::new(Project { expressions }), profile))
}

impl Transform for Project {
    fn apply(&self, batch: Batch, emit: &mut Emit<'_>) -> Result<Flow> {
        let columns = self.expressions.columns(&batch)?;
        emit(Batch::new(columns, batch.rows))
    }
}
