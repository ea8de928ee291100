//! Expressions of an operator, prepared once: their subqueries have run.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_buffer::BooleanBuffer;
use conshelf_kql::plan::{Expr, Plan};
use conshelf_kql::{Type, Value};

use crate::engine::batch::Batch;
use crate::engine::context::QueryContext;
use crate::engine::error::{EngineError, Result};
use crate::engine::evaluate::{PreparedExpression, SubqueryResolver};
use crate::engine::execute::Executor;
use crate::engine::execute::columns;
use crate::engine::execute::resolve::resolve;
use crate::engine::kernel::Datum;
use crate::engine::literal;

/// Expressions over the columns of one input.
pub struct Expressions {
    prepared: Vec<PreparedExpression>,
    query: Arc<QueryContext>,
}

/// Runs subqueries with the executor, each of the given expressions once.
struct Subqueries<'a> {
    executor: &'a Executor,
    /// Answers by the plan's place in the expressions.
    scalars: HashMap<*const Plan, Value>,
    columns: HashMap<*const Plan, Vec<ArrayRef>>,
}

impl<'a> Subqueries<'a> {
    fn new(executor: &'a Executor) -> Subqueries<'a> {
        Subqueries { executor, scalars: HashMap::new(), columns: HashMap::new() }
    }
}

impl SubqueryResolver for Subqueries<'_> {
    fn scalar(&mut self, plan: &Plan, ty: Type) -> Result<Value> {
        if let Some(known) = self.scalars.get(&std::ptr::from_ref(plan)) {
            return Ok(known.clone());
        }
        let rows = self.executor.first_rows(plan, 1)?;
        let value = match rows.iter().find(|batch| batch.rows > 0).and_then(|batch| batch.columns.first()) {
            Some(column) => literal::array_to_value(column, 0, ty)?,
            None if ty == Type::String => Value::String(String::new()),
            None => Value::Null(ty),
        };
        self.scalars.insert(plan, value.clone());
        Ok(value)
    }

    fn parameter(&mut self, number: u32) -> Result<Value> {
        self.executor
            .parameters
            .get(&number)
            .cloned()
            .ok_or_else(|| EngineError::Internal(format!("a subquery without its parameter {number}")))
    }

    fn column(&mut self, plan: &Plan) -> Result<Vec<ArrayRef>> {
        if let Some(known) = self.columns.get(&std::ptr::from_ref(plan)) {
            return Ok(known.clone());
        }
        let rows = self.executor.materialise(plan)?;
        let pieces: Vec<ArrayRef> =
            rows.batches.iter().filter_map(|batch| batch.columns.first().cloned()).collect();
        self.columns.insert(plan, pieces.clone());
        Ok(pieces)
    }
}

impl Expressions {
    /// Prepares expressions; runs their subqueries.
    pub fn new(executor: &Executor, expressions: &[Expr]) -> Result<Expressions> {
        Expressions::prepare(executor, expressions, &mut Subqueries::new(executor))
    }

    /// Prepares conditions; yields them also with the answers of their subqueries in place, see `resolve`.
    pub fn resolved(executor: &Executor, conditions: &[Expr]) -> Result<(Expressions, Vec<Expr>)> {
        let mut subqueries = Subqueries::new(executor);
        let resolved =
            conditions.iter().map(|condition| resolve(condition, &mut subqueries)).collect::<Result<_>>()?;
        Ok((Expressions::prepare(executor, conditions, &mut subqueries)?, resolved))
    }

    fn prepare(
        executor: &Executor,
        expressions: &[Expr],
        subqueries: &mut Subqueries<'_>,
    ) -> Result<Expressions> {
        let prepared = expressions
            .iter()
            .map(|expression| PreparedExpression::prepare(expression, &executor.query, subqueries))
            .collect::<Result<_>>()?;
        Ok(Expressions { prepared, query: executor.query.clone() })
    }

    pub fn into_prepared(self) -> Vec<PreparedExpression> {
        self.prepared
    }

    pub fn prepared(&self) -> &[PreparedExpression] {
        &self.prepared
    }

    /// The values of all expressions.
    pub fn evaluate(&self, batch: &Batch) -> Result<Vec<Datum>> {
        self.prepared.iter().map(|expression| expression.evaluate(batch, &self.query)).collect()
    }

    /// The values of all expressions, one per row.
    pub fn columns(&self, batch: &Batch) -> Result<Vec<ArrayRef>> {
        self.evaluate(batch)?.iter().map(|datum| columns::expand(datum, batch.rows)).collect()
    }

    /// The value of the expression at a position, one per row.
    pub fn column(&self, batch: &Batch, position: usize) -> Result<ArrayRef> {
        columns::expand(&self.prepared[position].evaluate(batch, &self.query)?, batch.rows)
    }

    /// The rows for which the condition at a position holds.
    pub fn select(&self, batch: &Batch, position: usize) -> Result<BooleanBuffer> {
        self.prepared[position].select(batch, &self.query)
    }

    /// The constant that the expression at a position comes to, if it is one.
    pub fn constant(&self, position: usize) -> Result<Option<Value>> {
        self.prepared[position].constant().transpose()
    }
}

/// The value of an expression without columns.
pub fn constant(executor: &Executor, expression: &Expr) -> Result<Value> {
    let prepared = Expressions::new(executor, std::slice::from_ref(expression))?;
    if let Some(value) = prepared.constant(0)? {
        return Ok(value);
    }
    let column = prepared.column(&Batch::new(Vec::new(), 1), 0)?;
    if column.is_empty() {
        return Err(EngineError::Internal(String::from("a constant without a value")));
    }
    literal::array_to_value(&column, 0, expression.ty)
}
