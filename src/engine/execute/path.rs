//! What storage can tell of a column without the whole of it, as columns of a scan: paths into dynamic columns
//! (`d.a.b`, alone or under a conversion to a number or bool), and lengths of and searches in texts.
//!
//! Where storage keeps the values of a path on their own, only these are read, as numbers or as a dictionary;
//! elsewhere the whole column is read and the path taken out of its values. Knows nothing of operators.

use std::sync::Arc;

use arrow_array::types::{Float64Type, Int32Type};
use arrow_array::{Array, ArrayRef};
use conshelf_kql::function::{ConversionFunction, FunctionId, OperatorFunction};
use conshelf_kql::plan::{Expr, ExprKind};
use conshelf_kql::{Type, Value};
use conshelf_storage::PathValues;

use crate::engine::batch::Batch;
use crate::engine::context::QueryContext;
use crate::engine::error::Result;
use crate::engine::evaluate::{NoSubqueries, PreparedExpression};
use crate::engine::execute::text_fact::{TextFact, text_fact};
use crate::engine::kernel::operator::part;

/// What stands under keys in a column of the scan, converted or not; or a fact about its texts.
pub struct PathColumn {
    /// Position of the column among those of the scan.
    pub column: usize,
    pub part: Part,
    /// `Dynamic`: not converted.
    to: Type,
    /// The conversion, over a batch of the dynamic values; the whole function, over a batch of the texts.
    conversion: Option<PreparedExpression>,
}

/// Which part of a column's values.
pub enum Part {
    Path(Vec<String>),
    Text(TextFact),
}

/// The path columns of a scan; they stand after its own columns.
#[derive(Default)]
pub struct Paths {
    width: usize,
    list: Vec<PathColumn>,
}

impl Paths {
    /// Of a scan with that many columns.
    pub fn new(width: usize) -> Paths {
        Paths { width, list: Vec::new() }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.list.len()
    }

    /// The path column at a position of the batch.
    pub fn at(&self, position: usize) -> Option<&PathColumn> {
        self.list.get(position.checked_sub(self.width)?)
    }

    /// The expression with every path in it read from its path column.
    pub fn rewrite(&mut self, expression: &Expr, query: &Arc<QueryContext>) -> Result<Expr> {
        if let Some((column, keys)) = path_of(expression) {
            return self.column(column, keys, Type::Dynamic, None, query);
        }
        let kind = match &expression.kind {
            ExprKind::Call { function, arguments } => {
                if let Some((column, fact)) = text_fact(*function, arguments) {
                    return self.text_column(column, fact, *function, arguments, expression.ty, query);
                }
                if let (Some(conversion), [argument]) = (number_conversion(*function), &arguments[..])
                    && let Some((column, keys)) = path_of(argument)
                {
                    return self.column(column, keys, expression.ty, Some(conversion), query);
                }
                let arguments =
                    arguments.iter().map(|argument| self.rewrite(argument, query)).collect::<Result<_>>()?;
                ExprKind::Call { function: *function, arguments }
            }
            ExprKind::InSubquery { value, plan, negated, ignore_case } => ExprKind::InSubquery {
                value: Box::new(self.rewrite(value, query)?),
                plan: plan.clone(),
                negated: *negated,
                ignore_case: *ignore_case,
            },
            _ => return Ok(expression.clone()),
        };
        Ok(Expr { kind, ty: expression.ty })
    }

    /// The condition prepared over the path columns, where that is another one.
    pub fn prepare(
        &mut self,
        condition: &Expr,
        prepared: PreparedExpression,
        query: &Arc<QueryContext>,
    ) -> PreparedExpression {
        let known = self.list.len();
        let rewritten = match self.rewrite(condition, query) {
            Ok(rewritten) if rewritten != *condition => rewritten,
            _ => return prepared,
        };
        // A subquery that is left in it has run already: it keeps its form.
        match PreparedExpression::prepare(&rewritten, query, &mut NoSubqueries) {
            Ok(rewritten) => rewritten,
            Err(_) => {
                self.list.truncate(known);
                prepared
            }
        }
    }

    fn column(
        &mut self,
        column: usize,
        keys: Vec<String>,
        to: Type,
        conversion: Option<FunctionId>,
        query: &Arc<QueryContext>,
    ) -> Result<Expr> {
        let same = |known: &PathColumn| {
            known.column == column
                && known.to == to
                && matches!(&known.part, Part::Path(known) if *known == keys)
        };
        let index = match self.list.iter().position(same) {
            Some(index) => index,
            None => {
                let conversion = conversion
                    .map(|function| {
                        let call = Expr::call(function, vec![Expr::column(0, Type::Dynamic)], to);
                        PreparedExpression::prepare(&call, query, &mut NoSubqueries)
                    })
                    .transpose()?;
                self.list.push(PathColumn { column, part: Part::Path(keys), to, conversion });
                self.list.len() - 1
            }
        };
        Ok(Expr::column(self.width + index, to))
    }

    fn text_column(
        &mut self,
        column: usize,
        fact: TextFact,
        function: FunctionId,
        arguments: &[Expr],
        to: Type,
        query: &Arc<QueryContext>,
    ) -> Result<Expr> {
        let same = |known: &PathColumn| {
            known.column == column && matches!(&known.part, Part::Text(known) if known.is_same(&fact))
        };
        let index = match self.list.iter().position(same) {
            Some(index) => index,
            None => {
                let mut arguments = arguments.to_vec();
                if let Some(text) = arguments.first_mut() {
                    *text = match &text.kind {
                        ExprKind::Call { function, .. } => {
                            Expr::call(*function, vec![Expr::column(0, Type::Dynamic)], Type::String)
                        }
                        _ => Expr::column(0, Type::String),
                    };
                }
                let call = Expr::call(function, arguments, to);
                let conversion = Some(PreparedExpression::prepare(&call, query, &mut NoSubqueries)?);
                self.list.push(PathColumn { column, part: Part::Text(fact), to, conversion });
                self.list.len() - 1
            }
        };
        Ok(Expr::column(self.width + index, to))
    }
}

/// Conversions whose results numbers and truth values give directly.
fn number_conversion(function: FunctionId) -> Option<FunctionId> {
    match function {
        FunctionId::Conversion(
            ConversionFunction::ToBool
            | ConversionFunction::ToInt
            | ConversionFunction::ToLong
            | ConversionFunction::ToReal,
        ) => Some(function),
        _ => None,
    }
}

/// The column and the keys of `column.key.key`.
pub fn path_of(expression: &Expr) -> Option<(usize, Vec<String>)> {
    let ExprKind::Call { function: FunctionId::Operator(OperatorFunction::Member), arguments } =
        &expression.kind
    else {
        return None;
    };
    let [bag, key] = &arguments[..] else { return None };
    let ExprKind::Constant(Value::String(key)) = &key.kind else { return None };
    let (column, mut keys) = match &bag.kind {
        ExprKind::Column(column) if bag.ty == Type::Dynamic => (*column, Vec::new()),
        _ => path_of(bag)?,
    };
    keys.push(key.clone());
    Some((column, keys))
}

impl PathColumn {
    /// The column out of what storage keeps of the path.
    pub fn of_values(&self, values: PathValues, query: &Arc<QueryContext>) -> Result<ArrayRef> {
        match (values, self.to) {
            (PathValues::Reals(array), Type::Real) => Ok(Arc::new(array)),
            (PathValues::Longs(array), Type::Long) => Ok(Arc::new(array)),
            (PathValues::Bools(array), Type::Bool) => Ok(Arc::new(array)),
            (PathValues::Longs(array), Type::Real) => {
                Ok(Arc::new(array.unary::<_, Float64Type>(|value| value as f64)))
            }
            (PathValues::Longs(array), Type::Int) => {
                Ok(Arc::new(array.unary::<_, Int32Type>(|value| value as i32)))
            }
            (values, _) => self.converted(values.into_dynamics(), query),
        }
    }

    /// The column out of whole values.
    pub fn of_whole(&self, values: &ArrayRef, query: &Arc<QueryContext>) -> Result<ArrayRef> {
        let mut array = values.clone();
        if let Part::Path(keys) = &self.part {
            for key in keys {
                array = part::members(&array, key)?;
            }
        }
        self.converted(array, query)
    }

    fn converted(&self, dynamics: ArrayRef, query: &Arc<QueryContext>) -> Result<ArrayRef> {
        let Some(conversion) = &self.conversion else { return Ok(dynamics) };
        let rows = dynamics.len();
        conversion.evaluate_column(&Batch::new(vec![dynamics], rows), query)
    }
}
