//! Aggregates within the expressions of `summarize` and its kin.
//!
//! While such an expression is bound, each aggregate call is put into a list and stands in the expression as a
//! column past all real ones; `settled` turns these into positions in the output of the summarize operator.

use std::collections::HashSet;

use crate::ast::{self, ExprKind as Ast};
use crate::function::signature::Mismatch;
use crate::function::{AggregateFunction, ArgumentInfo, FunctionId, FunctionKind, signature};
use crate::plan::{self, Expr, ExprKind};
use crate::span::Span;
use crate::types::Type;
use crate::value::Value;

use super::comparison::cast;
use super::naming::result_name;
use super::scope::{Entity, Relation};
use super::{Bind, Binder, Reported};

/// Positions from here on are outputs of aggregates, not columns of the input.
const OUTPUTS: usize = 1 << 40;

/// The aggregates met so far.
#[derive(Debug, Default)]
pub(super) struct Aggregation {
    /// Input columns that are keys: `*` does not yield them again.
    pub keys: HashSet<usize>,
    pub aggregates: Vec<plan::Aggregate>,
    outputs: usize,
}

/// One column that an expression of `summarize` yields.
#[derive(Debug)]
pub(super) struct AggregateColumn {
    /// Written in the query (`x = …`).
    pub declared: Option<String>,
    /// What it is called otherwise.
    pub inferred: Option<String>,
    /// Over the outputs of the aggregates, from 0.
    pub expression: Expr,
    /// The input column whose values these are.
    pub source: Option<usize>,
}

/// An output of an aggregate call.
struct Output {
    name: Option<String>,
    expression: Expr,
    source: Option<usize>,
}

/// An aggregate with the name of each of its outputs and the input column that output is.
type NamedAggregate = (plan::Aggregate, Vec<(Option<String>, Option<usize>)>);

impl Binder<'_> {
    /// Binds expressions of aggregates over the rows of a relation. Yields, per expression, its columns, and
    /// the aggregates they refer to.
    pub(super) fn aggregate_expressions(
        &mut self,
        relation: &Relation,
        keys: HashSet<usize>,
        expressions: &[&ast::Expr],
    ) -> (Vec<Bind<Vec<AggregateColumn>>>, Vec<plan::Aggregate>) {
        self.with_row(relation, |binder| {
            binder.aggregation = Some(Aggregation { keys, ..Aggregation::default() });
            let columns = expressions.iter().map(|expression| binder.aggregate_columns(expression)).collect();
            let aggregates = binder.aggregation.take().map(|found| found.aggregates).unwrap_or_default();
            (columns, aggregates)
        })
    }

    fn aggregate_columns(&mut self, expression: &ast::Expr) -> Bind<Vec<AggregateColumn>> {
        let (declared, inner): (Vec<&ast::Name>, &ast::Expr) = match &expression.kind {
            Ast::Named { name, value } => (vec![name], value),
            Ast::NamedTuple { names, value } => (names.iter().collect(), value),
            _ => (Vec::new(), expression),
        };
        let outputs = match self.called_aggregate(inner) {
            Some((function, call)) => self.aggregate_outputs(function, call, inner.span)?,
            None => {
                let bound = self.scalar(inner)?;
                vec![Output { name: result_name(inner), expression: bound, source: None }]
            }
        };
        if declared.len() > outputs.len() {
            let name = declared[outputs.len()];
            return Err(self.error(
                "SEM0150",
                "The name does not have a corresponding expression",
                name.span,
            ));
        }
        let mut columns = Vec::with_capacity(outputs.len());
        for (position, output) in outputs.into_iter().enumerate() {
            let expression = self.settled(output.expression, inner)?;
            columns.push(AggregateColumn {
                declared: declared.get(position).map(|name| name.text.clone()),
                inferred: output.name,
                expression,
                source: output.source,
            });
        }
        Ok(columns)
    }

    /// The aggregate that the expression is a call of, as a whole.
    fn called_aggregate<'e>(&self, expression: &'e ast::Expr) -> Option<(AggregateFunction, &'e ast::Call)> {
        let mut inner = expression;
        while let Ast::Parenthesized(next) = &inner.kind {
            inner = next;
        }
        let Ast::Call(call) = &inner.kind else { return None };
        if call.object.is_some() || matches!(self.names.find(&call.name.text), Some(Entity::Function(_))) {
            return None;
        }
        match FunctionId::by_name_in_aggregation(&call.name.text) {
            Some(FunctionId::Aggregate(function)) => Some((function, call)),
            _ => None,
        }
    }

    /// An aggregate as part of a larger expression: its first output.
    pub(super) fn aggregate_call(
        &mut self,
        function: FunctionId,
        call: &ast::Call,
        span: Span,
    ) -> Bind<Expr> {
        let FunctionId::Aggregate(function) = function else {
            return Err(self.give_up());
        };
        let outputs = self.aggregate_outputs(function, call, span)?;
        match outputs.into_iter().next() {
            Some(output) => Ok(output.expression),
            None => Err(self.error("SEM0149", "The aggregate yields no column", span)),
        }
    }

    fn aggregate_outputs(
        &mut self,
        function: AggregateFunction,
        call: &ast::Call,
        span: Span,
    ) -> Bind<Vec<Output>> {
        self.note_use(call.name.span, |_| Some(super::notes::Use::Function(FunctionId::Aggregate(function))));
        let Some(mut aggregation) = self.aggregation.take() else {
            let message =
                format!("The aggregate function '{}' is not allowed in this context", call.name.text);
            return Err(self.error("SEM0144", message, call.name.span));
        };
        let found = if function.allows_star() {
            self.row_aggregate(function, call, &aggregation, span)
        } else {
            self.plain_aggregate(function, call, span)
        };
        let result = found.map(|(aggregate, names)| {
            let mut outputs = Vec::with_capacity(aggregate.outputs.len());
            for (position, ty) in aggregate.outputs.iter().enumerate() {
                let (name, source) = names.get(position).cloned().unwrap_or_default();
                let expression = Expr::column(OUTPUTS + aggregation.outputs + position, *ty);
                outputs.push(Output { name, expression, source });
            }
            aggregation.outputs += aggregate.outputs.len();
            aggregation.aggregates.push(aggregate);
            outputs
        });
        self.aggregation = Some(aggregation);
        result
    }

    /// Aggregates whose columns follow from their signature.
    fn plain_aggregate(
        &mut self,
        function: AggregateFunction,
        call: &ast::Call,
        span: Span,
    ) -> Bind<NamedAggregate> {
        let name = call.name.text.as_str();
        let mut arguments = Vec::with_capacity(call.arguments.len());
        let mut failed = false;
        for argument in &call.arguments {
            match &argument.kind {
                // `count(*)` counts rows as `count()` does.
                Ast::Star if function == AggregateFunction::Count => {}
                _ => match self.scalar(argument) {
                    Ok(bound) => arguments.push(bound),
                    Err(Reported) => failed = true,
                },
            }
        }
        if failed {
            return Err(Reported);
        }
        let spans: Vec<Span> = call.arguments.iter().map(|argument| argument.span).collect();
        let constants: Vec<Option<Value>> =
            arguments.iter().map(|argument| self.constant(argument)).collect();
        let infos: Vec<ArgumentInfo<'_>> = arguments
            .iter()
            .zip(&constants)
            .zip(&call.arguments)
            .map(|((bound, constant), argument)| ArgumentInfo {
                written: super::call::written(argument),
                ..super::call::argument_info(bound, constant.as_ref())
            })
            .collect();
        let argument_names: Vec<Option<String>> = call.arguments.iter().map(result_name).collect();
        let argument_names: Vec<Option<&str>> = argument_names.iter().map(Option::as_deref).collect();
        let names = function.default_names(name, &argument_names, &infos);

        let id = FunctionId::Aggregate(function);
        let spec = id.spec();
        let resolution = match signature::resolve(spec, signature::signatures(id), &infos) {
            Ok(resolution) => resolution,
            Err(mismatch) => {
                let types: Vec<Type> = arguments.iter().map(|argument| argument.ty).collect();
                return Err(self.mismatch(name, &types, mismatch, &spans, span));
            }
        };
        let mut bound: Vec<Expr> = arguments
            .into_iter()
            .zip(&constants)
            .zip(&resolution.argument_types)
            .map(|((argument, constant), ty)| match constant {
                Some(value) => cast(Expr::constant(value.clone()), *ty),
                None => cast(argument, *ty),
            })
            .collect();
        bound.extend(resolution.defaults.into_iter().map(Expr::constant));
        let mut condition = None;
        let mut base = function;
        if let (Some(plain), Some(position)) = (function.base_of_conditional(), function.condition_argument())
            && position < bound.len()
        {
            condition = Some(bound.remove(position));
            base = plain;
        }
        if base == AggregateFunction::Count {
            bound.clear();
        }
        let values: Vec<Option<Value>> = bound.iter().map(|argument| self.constant(argument)).collect();
        let infos: Vec<ArgumentInfo<'_>> = bound
            .iter()
            .zip(&values)
            .map(|(argument, constant)| super::call::argument_info(argument, constant.as_ref()))
            .collect();
        let outputs = base.output_types(&infos);
        let aggregate =
            plan::Aggregate { function: FunctionId::Aggregate(base), arguments: bound, condition, outputs };
        Ok((aggregate, names.into_iter().map(|name| (name, None)).collect()))
    }

    /// arg_max, arg_min and take_any: a column per argument, `*` for all columns that are not keys.
    fn row_aggregate(
        &mut self,
        function: AggregateFunction,
        call: &ast::Call,
        aggregation: &Aggregation,
        span: Span,
    ) -> Bind<NamedAggregate> {
        let called_as = call.name.text.as_str();
        let extreme = function != AggregateFunction::TakeAny;
        let old_names = matches!(called_as, "argmax" | "argmin" | "any");
        if call.arguments.is_empty() {
            let overloads = signature::signatures(FunctionId::Aggregate(function));
            let least = overloads.iter().map(signature::Signature::least).min().unwrap_or(1);
            let mismatch = Mismatch::Count { least, most: None };
            return Err(self.mismatch(called_as, &[], mismatch, &[], span));
        }
        let any_star = call.arguments.iter().any(|argument| matches!(argument.kind, Ast::Star));
        let argument_names: Vec<Option<String>> = call.arguments.iter().map(result_name).collect();
        let argument_names: Vec<Option<&str>> = argument_names.iter().map(Option::as_deref).collect();
        let infos = vec![ArgumentInfo::of(Type::Long); call.arguments.len()];
        let default_names = function.default_names(called_as, &argument_names, &infos);
        let star_prefix = match (called_as, default_names.first().cloned().flatten()) {
            ("any", _) => Some("any".to_string()),
            ("argmax" | "argmin", first) => first,
            _ => None,
        };

        let mut done: HashSet<usize> = if extreme { HashSet::new() } else { aggregation.keys.clone() };
        let mut arguments: Vec<Expr> = Vec::new();
        let mut names: Vec<(Option<String>, Option<usize>)> = Vec::new();
        for (position, argument) in call.arguments.iter().enumerate() {
            if matches!(argument.kind, Ast::Star) {
                let columns = self.row.as_ref().map(|row| row.columns.clone()).unwrap_or_default();
                for (column, found) in columns.iter().enumerate() {
                    if done.contains(&column) || aggregation.keys.contains(&column) {
                        continue;
                    }
                    done.insert(column);
                    arguments.push(Expr::column(column, found.ty));
                    names.push(match &star_prefix {
                        Some(prefix) => (Some(format!("{prefix}_{}", found.name)), None),
                        None => (Some(found.name.clone()), Some(column)),
                    });
                }
                continue;
            }
            let bound = self.scalar(argument)?;
            if extreme && position == 0 && bound.ty == Type::Dynamic {
                let expected = "any type but dynamic".to_string();
                let mismatch = Mismatch::Type { position, expected, code: "SEM0206" };
                let types = [bound.ty];
                return Err(self.mismatch(called_as, &types, mismatch, &[argument.span], span));
            }
            let named = matches!(argument.kind, Ast::Named { .. });
            let name = default_names.get(position).cloned().flatten();
            let source = match bound.kind {
                ExprKind::Column(column) if column < OUTPUTS => Some(column),
                _ => None,
            };
            match source {
                Some(column) => {
                    let taken = done.contains(&column) || (extreme && aggregation.keys.contains(&column));
                    if taken && any_star && (!extreme || position > 0) {
                        continue;
                    }
                    done.insert(column);
                    let identity = (!taken && !named && !old_names).then_some(column);
                    names.push((name, identity));
                }
                None => names.push((name, None)),
            }
            arguments.push(bound);
        }
        let outputs = arguments.iter().map(|argument| argument.ty).collect();
        let aggregate = plan::Aggregate {
            function: FunctionId::Aggregate(function),
            arguments,
            condition: None,
            outputs,
        };
        Ok((aggregate, names))
    }

    /// Outputs of aggregates become columns from 0; columns of the input must not be left.
    fn settled(&mut self, expression: Expr, written: &ast::Expr) -> Bind<Expr> {
        let ty = expression.ty;
        match expression.kind {
            ExprKind::Column(position) if position >= OUTPUTS => Ok(Expr::column(position - OUTPUTS, ty)),
            ExprKind::Column(position) => {
                let name = self
                    .row
                    .as_ref()
                    .and_then(|row| row.columns.get(position))
                    .map_or_else(String::new, |column| column.name.clone());
                let message = format!(
                    "The name '{name}' is not an aggregate: use an aggregate function over it, or group by it"
                );
                Err(self.error("SEM0236", message, written.span))
            }
            ExprKind::Call { function, arguments } => {
                let mut settled = Vec::with_capacity(arguments.len());
                for argument in arguments {
                    settled.push(self.settled(argument, written)?);
                }
                if function.spec().kind == FunctionKind::Window {
                    let message = format!("Function '{}' cannot be used here", function.spec().name);
                    return Err(self.error("SEM0024", message, written.span));
                }
                Ok(Expr::call(function, settled, ty))
            }
            ExprKind::InSubquery { value, plan, negated, ignore_case } => {
                let value = Box::new(self.settled(*value, written)?);
                Ok(Expr { kind: ExprKind::InSubquery { value, plan, negated, ignore_case }, ty })
            }
            ExprKind::CorrelatedSubquery { .. } => {
                let message = "A subquery that depends on rows cannot stand beside aggregates";
                Err(self.error("SEM0100", message, written.span))
            }
            kind @ (ExprKind::Constant(_) | ExprKind::Parameter(_) | ExprKind::ScalarSubquery(_)) => {
                Ok(Expr { kind, ty })
            }
        }
    }
}
