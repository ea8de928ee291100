//! `make-series`.

use crate::ast;
use crate::plan::{Expr, ExprKind, Operator, Series};
use crate::span::Span;
use crate::types::{Column, Type};
use crate::value::Value;

use crate::ast::{ExprKind as Ast, SeriesRange};
use crate::bind::comparison::{cast, operator};
use crate::bind::naming::result_name;
use crate::bind::projection::Projection;
use crate::bind::scope::Relation;
use crate::bind::{Bind, Binder, null_of};
use crate::function::OperatorFunction;

use super::summarize::source_columns;

impl Binder<'_> {
    pub(in crate::bind) fn make_series(
        &mut self,
        input: Relation,
        node: &ast::MakeSeries,
        span: Span,
    ) -> Bind<Relation> {
        let mut projection = Projection::default();
        let keys = self.group_keys(&input, &node.by, &mut projection);

        let expressions: Vec<&ast::Expr> =
            node.aggregates.iter().map(|aggregate| &aggregate.expression).collect();
        let (columns, aggregates) = self.aggregate_expressions(&input, source_columns(&keys), &expressions);
        let mut series = Vec::with_capacity(columns.len());
        for (columns, aggregate) in columns.into_iter().zip(&node.aggregates) {
            let default = match &aggregate.default {
                Some(default) => Some(self.constant_of(default)?),
                None => None,
            };
            for column in columns? {
                let ty = column.expression.ty;
                let default = match &default {
                    Some(value) => cast(Expr::constant(value.clone()), ty),
                    None => Expr::constant(match ty {
                        Type::Int => Value::Int(0),
                        Type::Long => Value::Long(0),
                        Type::Real => Value::Real(0.0),
                        ty => null_of(ty),
                    }),
                };
                let default = self.folded(default);
                self.series_column(&mut projection, column.declared, column.inferred, aggregate.span);
                series.push(Series { value: column.expression, default });
            }
        }

        let (axis_name, axis_value) = match &node.axis.kind {
            Ast::Named { name, value } => (Some(name.text.clone()), value.as_ref()),
            _ => (result_name(&node.axis), node.axis.as_ref()),
        };
        let axis = self.with_row(&input, |binder| binder.scalar(axis_value))?;
        if !axis.ty.is_number() && !matches!(axis.ty, Type::DateTime | Type::TimeSpan) {
            let message = format!("The axis of a series must be a number or a time, found {}", axis.ty);
            return Err(self.error("SEM0138", message, node.axis.span));
        }
        let axis = if axis.ty == Type::Int { cast(axis, Type::Long) } else { axis };
        let ty = axis.ty;
        let interval = if ty == Type::DateTime { Type::TimeSpan } else { ty };
        let name =
            axis_name.filter(|name| !name.is_empty()).unwrap_or_else(|| projection.unnamed(&Vec::new()));
        let written = matches!(node.axis.kind, Ast::Named { .. }) || matches!(axis.kind, ExprKind::Column(_));
        let values = Expr::constant(null_of(Type::Dynamic));
        if !written {
            projection.add(&name, values, None, false);
        } else if projection.declare(&name, values, None, false).is_err() {
            self.duplicate_column(&name, node.axis.span);
        }

        let (from, to, step) = match &node.range {
            SeriesRange::FromToStep { from, to, step } => {
                let from = from.as_ref().map(|from| self.series_bound(from, ty)).transpose()?;
                let to = to.as_ref().map(|to| self.series_bound(to, ty)).transpose()?;
                (from, to, self.series_bound(step, interval)?)
            }
            SeriesRange::InRange { start, stop, step } => {
                // The old form includes its end.
                let stop = self.series_bound(stop, ty)?;
                let least = match interval {
                    Type::TimeSpan => Value::TimeSpan(1),
                    Type::Real => Value::Real(f64::EPSILON),
                    Type::Decimal => Value::Decimal(crate::decimal::Decimal::new(1, -15)),
                    _ => Value::Long(1),
                };
                let past = operator(OperatorFunction::Add, vec![stop, Expr::constant(least)], ty);
                let past = self.folded(past);
                (Some(self.series_bound(start, ty)?), Some(past), self.series_bound(step, interval)?)
            }
        };
        if self.constant(&step).is_some_and(|step| step.is_null()) {
            return Err(self.error("SEM0133", "The step of a series must not be null", span));
        }
        let schema: Vec<Column> = projection.schema();
        let operator =
            Operator::MakeSeries { input: input.plan, aggregates, series, axis, from, to, step, keys };
        let plan = self.plan(operator, schema);
        Ok(Relation::new(plan))
    }

    fn series_column(
        &mut self,
        projection: &mut Projection,
        declared: Option<String>,
        inferred: Option<String>,
        span: Span,
    ) {
        let values = Expr::constant(null_of(Type::Dynamic));
        match (declared, inferred) {
            (Some(name), _) => {
                if projection.declare(&name, values, None, false).is_err() {
                    self.duplicate_column(&name, span);
                }
            }
            (None, Some(name)) if !name.is_empty() => {
                projection.add(&name, values, None, false);
            }
            _ => {
                let name = projection.unnamed(&Vec::new());
                projection.add(&name, values, None, false);
            }
        }
    }

    /// A bound or the step of the axis: a scalar without columns.
    fn series_bound(&mut self, expression: &ast::Expr, ty: Type) -> Bind<Expr> {
        let bound = self.with_row_scope(None, |binder| binder.scalar(expression))?;
        // A long step may stand for a real axis and the other way round, where the value allows it.
        let bound = if bound.ty.is_number() && ty.is_number() {
            cast(bound, ty)
        } else {
            self.expect_type(bound, ty, expression.span)?
        };
        Ok(self.folded(bound))
    }
}
