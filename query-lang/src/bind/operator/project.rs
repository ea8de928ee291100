//! `extend`, `project` and its family.

use std::cmp::Ordering;
use std::collections::HashSet;

use crate::ast::{self, ExprKind as Ast};
use crate::plan::{Expr, ExprKind};
use crate::types::{Schema, Type};
use crate::value::{Dynamic, Value};

use super::matches_wildcard;
use crate::bind::comparison::{cast, operator};
use crate::bind::naming::result_name;
use crate::bind::projection::Projection;
use crate::bind::scope::Relation;
use crate::bind::{Bind, Binder};
use crate::function::{DynamicFunction, FunctionId, OperatorFunction};

/// The columns, with their default names, of a call that yields several at once (`series_stats(x)`,
/// `array_sort_asc(x, y)`); `None` for everything else.
pub(in crate::bind) fn tuple_columns(bound: &Expr, written: &ast::Expr) -> Option<Vec<(String, Expr)>> {
    let ExprKind::Call { function: FunctionId::Dynamic(function), arguments } = &bound.kind else {
        return None;
    };
    let Ast::Call(call) = &written.kind else { return None };
    let name_of = |position: usize| call.arguments.get(position).and_then(result_name).unwrap_or_default();
    let columns: Vec<(String, Type)> = if let Some(columns) = function.tuple_columns() {
        let prefix = format!("{}_{}", function.spec().name, name_of(0));
        columns.iter().map(|column| (format!("{prefix}_{}", column.suffix), column.ty)).collect()
    } else if matches!(function, DynamicFunction::ArraySortAsc | DynamicFunction::ArraySortDesc) {
        let arrays = arguments.iter().filter(|argument| argument.ty == Type::Dynamic).count();
        let name = |position| match name_of(position) {
            name if name.is_empty() => format!("array{position}_sorted"),
            name => format!("{name}_sorted"),
        };
        if arrays == 1 {
            return None;
        }
        (0..arrays).map(|position| (name(position), Type::Dynamic)).collect()
    } else {
        return None;
    };
    let element = |position: usize| {
        let index = Expr::constant(Value::Long(position as i64));
        operator(OperatorFunction::Element, vec![bound.clone(), index], Type::Dynamic)
    };
    let columns = columns.into_iter().enumerate();
    Some(columns.map(|(position, (name, ty))| (name, cast(element(position), ty))).collect())
}

impl Binder<'_> {
    pub(in crate::bind) fn extend(&mut self, input: Relation, expressions: &[ast::Expr]) -> Bind<Relation> {
        let mut projection = Projection::of_input(input.schema());
        self.with_row(&input, |binder| {
            for expression in expressions {
                binder.project_column(&mut projection, expression, true);
            }
        });
        let (expressions, schema) = (projection.expressions(), projection.schema());
        Ok(self.projected(input, expressions, schema))
    }

    pub(in crate::bind) fn project(&mut self, input: Relation, expressions: &[ast::Expr]) -> Bind<Relation> {
        let mut projection = Projection::default();
        self.with_row(&input, |binder| {
            for expression in expressions {
                binder.project_column(&mut projection, expression, false);
            }
        });
        let (expressions, schema) = (projection.expressions(), projection.schema());
        Ok(self.projected(input, expressions, schema))
    }

    /// Adds the column of an expression, by the rules of `project` or of `extend`. What is wrong is reported
    /// and its column stays, so that later uses of it are not reported too.
    pub(in crate::bind) fn project_column(
        &mut self,
        projection: &mut Projection,
        expression: &ast::Expr,
        extend: bool,
    ) {
        let (names, value): (&[ast::Name], &ast::Expr) = match &expression.kind {
            Ast::Named { name, value } => (std::slice::from_ref(name), value.as_ref()),
            Ast::NamedTuple { names, value } => (names.as_slice(), value.as_ref()),
            _ => (&[], expression),
        };
        let mut bound = match self.projected_value(value) {
            Ok(bound) => bound,
            Err(_) => {
                self.failed = true;
                for name in names {
                    self.broken_column(projection, &name.text);
                }
                if let (true, Some(name)) = (names.is_empty(), self.projected_name(value)) {
                    self.broken_column(projection, &name);
                }
                return;
            }
        };
        if let Some(columns) = tuple_columns(&bound, value) {
            if names.is_empty() {
                for (name, column) in columns {
                    projection.add(&name, column, None, extend);
                }
                return;
            }
            if names.len() > 1 && names.len() <= columns.len() {
                for (name, (_, column)) in names.iter().zip(columns) {
                    self.broken_columns.remove(&name.text);
                    if projection.declare(&name.text, column, None, extend).is_err() {
                        self.duplicate_column(&name.text, name.span);
                    }
                }
                return;
            }
            if let Some((_, first)) = columns.into_iter().next() {
                bound = first;
            }
        }
        let name = match names {
            [] => None,
            [name] => Some(name),
            _ => {
                let message = "The expression does not have as many values as there are names";
                self.error("SEM0149", message, expression.span);
                for name in names {
                    self.broken_column(projection, &name.text);
                }
                return;
            }
        };
        let source = match &bound.kind {
            // What is hidden has no name to take over.
            ExprKind::Column(position) if self.row.as_ref().is_some_and(|row| !row.hidden) => Some(*position),
            _ => None,
        };
        if let Some(name) = name {
            self.broken_columns.remove(&name.text);
            let replace = extend || source.is_some();
            if projection.declare(&name.text, bound, None, replace).is_err() {
                self.duplicate_column(&name.text, name.span);
            }
            return;
        }
        match source {
            Some(position) => {
                let name = self.column_name(position);
                if projection.declare(&name, bound, Some(position), false).is_err() {
                    self.duplicate_column(&name, value.span);
                }
            }
            None => {
                let taken = match &self.row {
                    Some(row) if extend => row.columns.clone(),
                    _ => Default::default(),
                };
                let name = self
                    .projected_name(value)
                    .filter(|name| !name.is_empty())
                    .unwrap_or_else(|| projection.unnamed(&taken));
                projection.add(&name, bound, None, extend);
            }
        }
    }

    pub(in crate::bind) fn duplicate_column(&mut self, name: &str, span: crate::span::Span) {
        self.error("SEM0171", format!("A column with the name '{name}' is already declared"), span);
    }

    fn broken_column(&mut self, projection: &mut Projection, name: &str) {
        self.failed = true;
        self.broken_columns.insert(name.to_string());
        projection.add(name, Self::null_expression(Type::Dynamic), None, true);
    }

    /// The name of a column of the row in scope.
    pub(in crate::bind) fn column_name(&self, position: usize) -> String {
        let row = self.row.as_ref();
        row.and_then(|row| row.columns.get(position)).map_or_else(String::new, |column| column.name.clone())
    }

    /// The columns that names and wildcard names stand for, in the order of the schema for each.
    fn named_columns(&mut self, schema: &Schema, expression: &ast::Expr) -> Bind<Vec<usize>> {
        match &expression.kind {
            Ast::Name(name) => match schema.iter().position(|column| column.name == name.text) {
                Some(position) => Ok(vec![position]),
                None if self.broken_columns.contains(&name.text) => Err(self.give_up()),
                None => {
                    let message = format!(
                        "'{}' operator: Failed to resolve column named '{}'",
                        self.operator, name.text
                    );
                    let names = schema.iter().map(|column| column.name.as_str());
                    Err(self.unknown("SEM0100", message, name.span, &name.text, names))
                }
            },
            Ast::Wildcard(pattern) | Ast::BracketedWildcard(pattern) => {
                let columns = schema.iter().enumerate();
                let fitting = columns.filter(|(_, column)| matches_wildcard(pattern, &column.name));
                let positions: Vec<usize> = fitting.map(|(position, _)| position).collect();
                if positions.is_empty() {
                    let message =
                        format!("'{}' operator: no column fits the pattern '{pattern}'", self.operator);
                    return Err(self.error("SEM0100", message, expression.span));
                }
                Ok(positions)
            }
            Ast::Star => Ok((0..schema.len()).collect()),
            Ast::Parenthesized(inner) => self.named_columns(schema, inner),
            Ast::Missing => Err(self.give_up()),
            _ => Err(self.error("SEM0109", "A column name is expected here", expression.span)),
        }
    }

    /// The input's columns at these positions.
    pub(in crate::bind) fn picked(&mut self, input: Relation, positions: &[usize]) -> Relation {
        let schema: Schema = positions.iter().map(|position| input.schema()[*position].clone()).collect();
        let expressions = positions
            .iter()
            .zip(&schema)
            .map(|(position, column)| Expr::column(*position, column.ty))
            .collect();
        self.projected(input, expressions, schema)
    }

    pub(in crate::bind) fn project_away(
        &mut self,
        input: Relation,
        expressions: &[ast::Expr],
    ) -> Bind<Relation> {
        let mut away = HashSet::new();
        for expression in expressions {
            match self.named_columns(&input.schema().clone(), expression) {
                Ok(positions) => away.extend(positions),
                Err(_) => self.failed = true,
            }
        }
        let kept: Vec<usize> =
            (0..input.schema().len()).filter(|position| !away.contains(position)).collect();
        Ok(self.picked(input, &kept))
    }

    pub(in crate::bind) fn project_keep(
        &mut self,
        input: Relation,
        expressions: &[ast::Expr],
    ) -> Bind<Relation> {
        let mut keep = HashSet::new();
        for expression in expressions {
            match self.named_columns(&input.schema().clone(), expression) {
                Ok(positions) => keep.extend(positions),
                Err(_) => self.failed = true,
            }
        }
        let kept: Vec<usize> = (0..input.schema().len()).filter(|position| keep.contains(position)).collect();
        Ok(self.picked(input, &kept))
    }

    pub(in crate::bind) fn project_rename(
        &mut self,
        input: Relation,
        expressions: &[ast::Expr],
    ) -> Bind<Relation> {
        let schema = input.schema().clone();
        let mut projection = Projection::of_input(&schema);
        for expression in expressions {
            let (Ast::Named { name, value }, Some(column)) = (&expression.kind, renamed_column(expression))
            else {
                self.error("SEM0110", "A column rename (new = old) is expected here", expression.span);
                continue;
            };
            let Some(position) = schema.iter().position(|found| found.name == column.text) else {
                if !self.broken_columns.contains(&column.text) {
                    let message = format!(
                        "'project-rename' operator: Failed to resolve column named '{}'",
                        column.text
                    );
                    let names = schema.iter().map(|column| column.name.as_str());
                    self.unknown("SEM0100", message, value.span, &column.text, names);
                }
                self.failed = true;
                continue;
            };
            let taken = schema.iter().any(|found| found.name == name.text);
            if taken || projection.rename(position, &name.text).is_err() {
                self.duplicate_column(&name.text, name.span);
            }
        }
        let (expressions, schema) = (projection.expressions(), projection.schema());
        Ok(self.projected(input, expressions, schema))
    }

    pub(in crate::bind) fn project_reorder(
        &mut self,
        input: Relation,
        keys: &[ast::ReorderKey],
    ) -> Bind<Relation> {
        let schema = input.schema().clone();
        let mut order: Vec<usize> = Vec::with_capacity(schema.len());
        let mut named = HashSet::new();
        for key in keys {
            let Ok(mut positions) = self.named_columns(&schema, &key.expression) else {
                self.failed = true;
                continue;
            };
            let name = |position: &usize| schema[*position].name.to_lowercase();
            match key.order.as_deref() {
                Some("asc") => positions.sort_by_key(name),
                Some("desc") => {
                    positions.sort_by_key(name);
                    positions.reverse();
                }
                Some("granny-asc") => positions.sort_by(|a, b| compare_with_numbers(&name(a), &name(b))),
                Some("granny-desc") => {
                    positions.sort_by(|a, b| compare_with_numbers(&name(b), &name(a)));
                }
                _ => {}
            }
            for position in positions {
                if !order.contains(&position) {
                    order.push(position);
                }
                if matches!(key.expression.kind, Ast::Name(_)) && !named.insert(position) {
                    self.duplicate_column(&schema[position].name, key.span);
                }
            }
        }
        let rest: Vec<usize> = (0..schema.len()).filter(|position| !order.contains(position)).collect();
        order.extend(rest);
        Ok(self.picked(input, &order))
    }

    /// `project-by-names`: names as texts, arrays of texts or wildcard patterns.
    pub(in crate::bind) fn project_by_names(
        &mut self,
        input: Relation,
        expressions: &[ast::Expr],
    ) -> Bind<Relation> {
        let mut patterns = Vec::new();
        for expression in expressions {
            match self.constant_of(expression) {
                Ok(Value::String(name) | Value::Dynamic(Dynamic::String(name))) => patterns.push(name),
                Ok(Value::Dynamic(Dynamic::Array(items))) => {
                    patterns.extend(items.into_iter().filter_map(|item| match item {
                        Dynamic::String(name) => Some(name),
                        _ => None,
                    }));
                }
                Ok(_) => {
                    self.error("SEM0233", "Texts or arrays of texts are expected here", expression.span);
                }
                Err(_) => self.failed = true,
            }
        }
        let mut order: Vec<usize> = Vec::new();
        for pattern in patterns {
            for (position, column) in input.schema().iter().enumerate() {
                if matches_wildcard(&pattern, &column.name) && !order.contains(&position) {
                    order.push(position);
                }
            }
        }
        Ok(self.picked(input, &order))
    }
}

/// The column on the right side of `new = old`.
fn renamed_column(expression: &ast::Expr) -> Option<&ast::Name> {
    let Ast::Named { value, .. } = &expression.kind else { return None };
    let mut inner = value.as_ref();
    while let Ast::Parenthesized(next) = &inner.kind {
        inner = next;
    }
    match &inner.kind {
        Ast::Name(name) => Some(name),
        _ => None,
    }
}

/// Compares texts with runs of digits as numbers: `a2` before `a10`.
fn compare_with_numbers(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left, right);
    loop {
        let (Some(a), Some(b)) = (left.chars().next(), right.chars().next()) else {
            return left.len().cmp(&right.len());
        };
        if a.is_ascii_digit() && b.is_ascii_digit() {
            let (first, left_rest) = split_digits(left);
            let (second, right_rest) = split_digits(right);
            let by_value = first.len().cmp(&second.len()).then_with(|| first.cmp(second));
            if by_value != Ordering::Equal {
                return by_value;
            }
            (left, right) = (left_rest, right_rest);
            continue;
        }
        if a != b {
            return a.cmp(&b);
        }
        (left, right) = (&left[a.len_utf8()..], &right[b.len_utf8()..]);
    }
}

/// The leading digits without leading zeros, and the rest.
fn split_digits(text: &str) -> (&str, &str) {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    (text[..end].trim_start_matches('0'), &text[end..])
}
