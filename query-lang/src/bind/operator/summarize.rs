//! `summarize`, `distinct` and `count`.

use std::collections::HashSet;

use crate::ast::{self, ExprKind as Ast};
use crate::function::{AggregateFunction, FunctionId};
use crate::plan::{Aggregate, Expr, ExprKind, Operator};
use crate::span::Span;
use crate::types::{Column, Schema, Type};

use crate::bind::aggregate::AggregateColumn;
use crate::bind::comparison::cast;
use crate::bind::naming::result_name;
use crate::bind::projection::Projection;
use crate::bind::scope::Relation;
use crate::bind::{Bind, Binder};

impl Binder<'_> {
    pub(in crate::bind) fn summarize(&mut self, input: Relation, node: &ast::Summarize) -> Bind<Relation> {
        let mut projection = Projection::default();
        let by = node.by.as_deref().unwrap_or_default();
        let mut keys = self.group_keys(&input, by, &mut projection);
        if let Some(size) = &node.bin
            && let Some(last) = keys.pop()
        {
            keys.push(self.binned(last, size)?);
        }
        let key_columns = source_columns(&keys);

        let expressions: Vec<&ast::Expr> = node.aggregates.iter().collect();
        let (columns, aggregates) = self.aggregate_expressions(&input, key_columns.clone(), &expressions);
        let key_count = keys.len();
        // Columns of the projection refer to the output of the summarize operator from here on.
        let mut output = Projection::default();
        for (position, item) in projection.items().iter().enumerate() {
            let column = Expr::column(position, keys.get(position).map_or(item.expression.ty, |key| key.ty));
            // Names of keys count as written: an aggregate cannot take one of them.
            if output.declare(&item.name, column, None, false).is_err() {
                self.duplicate_column(
                    &item.name,
                    node.by.as_ref().and_then(|by| by.first()).map_or(Span::at(0), |key| key.span),
                );
            }
        }
        for column in key_columns {
            output.skip(column);
        }
        for (column, expression) in columns.into_iter().zip(&node.aggregates) {
            match column {
                Ok(columns) => self.add_aggregate_columns(&mut output, columns, key_count, expression.span),
                Err(_) => self.broken_aggregate(&mut output, expression),
            }
        }
        Ok(self.summarized(input, keys, aggregates, &output))
    }

    /// The old form `by …, key bin = size`: the last key falls into bins.
    fn binned(&mut self, key: Expr, size: &ast::Expr) -> Bind<Expr> {
        let size_bound = self.with_row_scope(None, |binder| binder.scalar(size))?;
        let ty = if key.ty == Type::DateTime { Type::TimeSpan } else { key.ty };
        let fits = size_bound.ty == ty || (size_bound.ty.is_number() && ty.is_number());
        match FunctionId::by_name("bin") {
            Some(bin) if fits && (key.ty.is_number() || ty == Type::TimeSpan) => {
                let ty = key.ty.max(if key.ty.is_number() { size_bound.ty } else { key.ty });
                let arguments = if key.ty.is_number() {
                    vec![cast(key, ty), cast(size_bound, ty)]
                } else {
                    vec![key, size_bound]
                };
                Ok(Expr::call(bin, arguments, ty))
            }
            _ => {
                let message = format!("Values of type {} cannot be binned by {}", key.ty, size_bound.ty);
                Err(self.error("SEM0107", message, size.span))
            }
        }
    }

    /// Binds the expressions after `by`.
    pub(in crate::bind) fn group_keys(
        &mut self,
        input: &Relation,
        by: &[ast::Expr],
        projection: &mut Projection,
    ) -> Vec<Expr> {
        self.with_row(input, |binder| {
            for key in by {
                binder.project_column(projection, key, false);
                let last = projection.items().last().map(|item| item.expression.ty);
                if last == Some(Type::Dynamic) && !binder.failed {
                    let message = "A key of type dynamic is not allowed: convert it, as in tostring(…)";
                    binder.error("SEM0116", message, key.span);
                }
            }
        });
        projection.expressions()
    }

    /// Adds the columns of one aggregate expression, behind the keys.
    pub(in crate::bind) fn add_aggregate_columns(
        &mut self,
        output: &mut Projection,
        columns: Vec<AggregateColumn>,
        key_count: usize,
        span: Span,
    ) {
        for column in columns {
            let expression = shifted(column.expression, key_count);
            if let Some(name) = column.declared {
                self.broken_columns.remove(&name);
                // A column taken over as it is may replace one of its name, a computed one may not.
                if output.declare(&name, expression, None, false).is_err() {
                    self.duplicate_column(&name, span);
                }
                continue;
            }
            let name = match column.inferred.filter(|name| !name.is_empty()) {
                Some(name) => name,
                None => output.unnamed(&Vec::new()),
            };
            output.add(&name, expression, column.source, false);
        }
    }

    pub(in crate::bind) fn broken_aggregate(&mut self, output: &mut Projection, expression: &ast::Expr) {
        self.failed = true;
        let name = match &expression.kind {
            Ast::Named { name, .. } => Some(name.text.clone()),
            _ => result_name(expression),
        };
        if let Some(name) = name {
            self.broken_columns.insert(name.clone());
            output.add(&name, Self::null_expression(Type::Dynamic), None, true);
        }
    }

    /// The summarize operator, and a projection behind it where the columns are not simply its outputs.
    pub(in crate::bind) fn summarized(
        &mut self,
        input: Relation,
        keys: Vec<Expr>,
        aggregates: Vec<Aggregate>,
        output: &Projection,
    ) -> Relation {
        let mut types: Vec<Type> = keys.iter().map(|key| key.ty).collect();
        types.extend(aggregates.iter().flat_map(|aggregate| aggregate.outputs.iter().copied()));
        let items = output.items();
        let plain = items.len() == types.len()
            && items
                .iter()
                .enumerate()
                .all(|(position, item)| item.expression.kind == ExprKind::Column(position));
        let operator = Operator::Summarize { input: input.plan, keys, aggregates };
        if plain {
            let plan = self.plan(operator, output.schema());
            return Relation::new(plan);
        }
        // Inner names are never seen; they follow the outer ones where these are plain.
        let mut names: Vec<String> = (0..types.len()).map(|position| format!("${position}")).collect();
        for item in items {
            if let ExprKind::Column(position) = item.expression.kind
                && let Some(name) = names.get_mut(position)
            {
                name.clone_from(&item.name);
            }
        }
        let schema: Schema = names.into_iter().zip(types).map(|(name, ty)| Column::new(name, ty)).collect();
        let plan = self.plan(operator, schema);
        self.projected(Relation::new(plan), output.expressions(), output.schema())
    }

    pub(in crate::bind) fn distinct(&mut self, input: Relation, node: &ast::Distinct) -> Bind<Relation> {
        let mut projection = Projection::default();
        for expression in &node.expressions {
            if matches!(expression.kind, Ast::Star) {
                for (position, column) in input.schema().clone().iter().enumerate() {
                    projection.add(&column.name, Expr::column(position, column.ty), Some(position), true);
                    if column.ty == Type::Dynamic {
                        let message = format!(
                            "The column '{}' of type dynamic is not allowed in 'distinct'",
                            column.name
                        );
                        self.error("SEM0116", message, expression.span);
                    }
                }
            } else {
                self.group_keys(&input, std::slice::from_ref(expression), &mut projection);
            }
        }
        let (keys, schema) = (projection.expressions(), projection.schema());
        let plan = self.plan(Operator::Summarize { input: input.plan, keys, aggregates: Vec::new() }, schema);
        Ok(Relation::new(plan))
    }

    pub(in crate::bind) fn count(&mut self, input: Relation, node: &ast::Count) -> Bind<Relation> {
        let name = node.name.as_ref().map_or("Count", |name| name.text.as_str());
        let schema = vec![Column::new(name, Type::Long)];
        let operator =
            Operator::Summarize { input: input.plan, keys: Vec::new(), aggregates: vec![count_rows()] };
        let plan = self.plan(operator, schema);
        Ok(Relation::new(plan))
    }
}

/// `count()`
pub(in crate::bind) fn count_rows() -> Aggregate {
    Aggregate {
        function: FunctionId::Aggregate(AggregateFunction::Count),
        arguments: Vec::new(),
        condition: None,
        outputs: vec![Type::Long],
    }
}

/// The input columns that keys are as they stand.
pub(in crate::bind) fn source_columns(keys: &[Expr]) -> HashSet<usize> {
    keys.iter()
        .filter_map(|key| match key.kind {
            ExprKind::Column(position) => Some(position),
            _ => None,
        })
        .collect()
}

/// All columns of the expression moved to the right.
pub(in crate::bind) fn shifted(expression: Expr, by: usize) -> Expr {
    let ty = expression.ty;
    let kind = match expression.kind {
        ExprKind::Column(position) => ExprKind::Column(position + by),
        ExprKind::Call { function, arguments } => ExprKind::Call {
            function,
            arguments: arguments.into_iter().map(|argument| shifted(argument, by)).collect(),
        },
        ExprKind::InSubquery { value, plan, negated, ignore_case } => {
            ExprKind::InSubquery { value: Box::new(shifted(*value, by)), plan, negated, ignore_case }
        }
        ExprKind::CorrelatedSubquery { plan, parameters } => ExprKind::CorrelatedSubquery {
            plan,
            parameters: parameters.into_iter().map(|(number, value)| (number, shifted(value, by))).collect(),
        },
        kind @ (ExprKind::Constant(_) | ExprKind::Parameter(_) | ExprKind::ScalarSubquery(_)) => kind,
    };
    Expr { kind, ty }
}
