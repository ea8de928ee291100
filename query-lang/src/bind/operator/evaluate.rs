//! `evaluate`: the plugins `bag_unpack` and `pivot`. Their columns follow from the rows, unless they are
//! declared: the catalog is asked for them, which runs a part of the query.

use crate::ast::{self, ExprKind as Ast};
use crate::function::{AggregateFunction, FunctionId, OperatorFunction};
use crate::plan::{Aggregate, Expr, ExprKind, Operator};
use crate::span::Span;
use crate::types::{Column, Schema, Type};
use crate::value::{Dynamic, Value};

use crate::bind::comparison::{cast, operator};
use crate::bind::naming::UniqueNames;
use crate::bind::scope::Relation;
use crate::bind::{Bind, Binder};

/// What to do with a property that is called like a column.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Conflict {
    Error,
    ReplaceSource,
    KeepSource,
}

impl Binder<'_> {
    pub(in crate::bind) fn evaluate(
        &mut self,
        input: Relation,
        node: &ast::Evaluate,
        span: Span,
    ) -> Bind<Relation> {
        let Ast::Call(call) = &node.call.kind else { return Err(self.give_up()) };
        match call.name.text.as_str() {
            "bag_unpack" => self.bag_unpack(input, call, node.schema.as_ref(), node.call.span),
            "pivot" => self.pivot(input, call, node.schema.as_ref(), node.call.span),
            name => Err(self.unsupported(&format!("The plugin '{name}' of 'evaluate'"), span)),
        }
    }

    /// The arguments of a plugin by position, where some may be given by name.
    fn plugin_arguments<'e>(
        &mut self,
        call: &'e ast::Call,
        names: &[&str],
        span: Span,
    ) -> Bind<Vec<Option<&'e ast::Expr>>> {
        let mut found: Vec<Option<&ast::Expr>> = vec![None; names.len()];
        for (position, argument) in call.arguments.iter().enumerate() {
            let (place, value) = match &argument.kind {
                Ast::Named { name, value } => {
                    match names.iter().position(|known| known.eq_ignore_ascii_case(&name.text)) {
                        Some(place) => (place, value.as_ref()),
                        None => {
                            let message = format!("{}() has no argument '{}'", call.name.text, name.text);
                            return Err(self.unknown(
                                "SEM0196",
                                message,
                                name.span,
                                &name.text,
                                names.iter().copied(),
                            ));
                        }
                    }
                }
                _ => (position, argument),
            };
            match found.get_mut(place) {
                Some(slot) => *slot = Some(value),
                None => {
                    let message = format!("{}() expects 1 to {} arguments", call.name.text, names.len());
                    return Err(self.error("SEM0219", message, span));
                }
            }
        }
        Ok(found)
    }

    fn bag_unpack(
        &mut self,
        input: Relation,
        call: &ast::Call,
        declared: Option<&ast::RowSchema>,
        span: Span,
    ) -> Bind<Relation> {
        let names = ["column", "OutputColumnPrefix", "columnsConflict", "ignoredProperties"];
        let arguments = self.plugin_arguments(call, &names, span)?;
        let Some(column) = arguments[0] else {
            return Err(self.error("SEM0219", "bag_unpack() expects 1 to 4 arguments", span));
        };
        let bag = self.with_row(&input, |binder| binder.scalar(column))?;
        let ExprKind::Column(position) = bag.kind else {
            return Err(self.error("SEM0109", "A column is expected here", column.span));
        };
        if bag.ty != Type::Dynamic {
            let message = format!("A column of type dynamic is expected here, found {}", bag.ty);
            return Err(self.error("SEM0107", message, column.span));
        }
        let prefix = match arguments[1] {
            Some(prefix) => self.constant_text(prefix)?,
            None => String::new(),
        };
        let conflict = match arguments[2] {
            None => Conflict::Error,
            Some(given) => match self.constant_text(given)?.as_str() {
                "error" => Conflict::Error,
                "replace_source" => Conflict::ReplaceSource,
                "keep_source" => Conflict::KeepSource,
                other => {
                    let message = format!("Unknown value '{other}' of columnsConflict");
                    let known = ["error", "replace_source", "keep_source"];
                    return Err(self.unknown("SEM0140", message, given.span, other, known));
                }
            },
        };
        let ignored: Vec<String> = match arguments[3] {
            None => Vec::new(),
            Some(given) => match self.constant_of(given)? {
                Value::Dynamic(Dynamic::Array(items)) => items
                    .into_iter()
                    .filter_map(|item| match item {
                        Dynamic::String(name) => Some(name),
                        _ => None,
                    })
                    .collect(),
                _ => return Err(self.error("SEM0234", "An array of names is expected here", given.span)),
            },
        };

        let source = input.schema().clone();
        let mut schema: Schema = Vec::new();
        let mut expressions: Vec<Expr> = Vec::new();
        let property = |name: &str, ty: Type| {
            let key = Expr::constant(Value::String(name.to_string()));
            cast(operator(OperatorFunction::Member, vec![bag.clone(), key], Type::Dynamic), ty)
        };
        if let Some(declared) = declared {
            let columns = self.row_schema(declared)?;
            if declared.any {
                for (place, column) in source.iter().enumerate() {
                    if place != position && columns.iter().all(|other| other.name != column.name) {
                        schema.push(column.clone());
                        expressions.push(Expr::column(place, column.ty));
                    }
                }
            }
            for column in columns {
                // A declared column is one of the input, or a property.
                let known = source
                    .iter()
                    .position(|other| other.name == column.name && conflict != Conflict::ReplaceSource);
                let value = match known.filter(|place| *place != position) {
                    Some(place) => cast(Expr::column(place, source[place].ty), column.ty),
                    None => property(column.name.strip_prefix(&prefix).unwrap_or(&column.name), column.ty),
                };
                expressions.push(value);
                schema.push(column);
            }
            return Ok(self.projected(input, expressions, schema));
        }

        let mut properties: Vec<(String, String, Type)> = self
            .properties_of(&input, position)?
            .into_iter()
            .filter(|(name, _)| !ignored.contains(name))
            .map(|(name, ty)| (format!("{prefix}{name}"), name, ty))
            .collect();
        properties.sort();
        for (place, column) in source.iter().enumerate() {
            let same = properties.iter().position(|(shown, _, _)| *shown == column.name);
            match same {
                None if place == position => {}
                None => {
                    schema.push(column.clone());
                    expressions.push(Expr::column(place, column.ty));
                }
                Some(found) if place == position || conflict == Conflict::ReplaceSource => {
                    let (shown, name, ty) = properties.remove(found);
                    expressions.push(property(&name, ty));
                    schema.push(Column::new(shown, ty));
                }
                Some(found) if conflict == Conflict::KeepSource => {
                    properties.remove(found);
                    schema.push(column.clone());
                    expressions.push(Expr::column(place, column.ty));
                }
                Some(_) => {
                    let message = format!(
                        "The property '{0}' is called like the column '{0}': see columnsConflict",
                        column.name
                    );
                    return Err(self.error("SEM0171", message, column_span(call, span)));
                }
            }
        }
        for (shown, name, ty) in properties {
            expressions.push(property(&name, ty));
            schema.push(Column::new(shown, ty));
        }
        Ok(self.projected(input, expressions, schema))
    }

    /// The properties of the bags in a column, with the type of their values.
    fn properties_of(&mut self, input: &Relation, position: usize) -> Bind<Vec<(String, Type)>> {
        let aggregate = Aggregate {
            function: FunctionId::Aggregate(AggregateFunction::BuildSchema),
            arguments: vec![Expr::column(position, Type::Dynamic)],
            condition: None,
            outputs: vec![Type::Dynamic],
        };
        let operator =
            Operator::Summarize { input: input.plan.clone(), keys: Vec::new(), aggregates: vec![aggregate] };
        let plan = self.plan(operator, vec![Column::new("schema", Type::Dynamic)]);
        let Some(Value::Dynamic(found)) = self.first_value_of(&plan) else {
            return Err(self.give_up());
        };
        // Of several forms the bags among them count.
        let bag = match found {
            Dynamic::Array(forms) => forms.into_iter().find(|form| matches!(form, Dynamic::Object(_))),
            other => Some(other),
        };
        let Some(Dynamic::Object(members)) = bag else { return Ok(Vec::new()) };
        let properties = members.into_iter().map(|(name, form)| {
            let ty = match form {
                Dynamic::String(name) => Type::from_name(&name).unwrap_or(Type::Dynamic),
                _ => Type::Dynamic,
            };
            (name, ty)
        });
        Ok(properties.collect())
    }

    /// The first value of a part of the query, if the catalog may run it and no error stands in the way.
    fn first_value_of(&mut self, plan: &crate::plan::Plan) -> Option<Value> {
        if self.failed
            || self.argument.is_some()
            || self.diagnostics.iter().any(crate::diagnostic::Diagnostic::is_error)
        {
            return None;
        }
        self.catalog.first_value(plan)
    }

    /// `pivot(column [, aggregate [, keys …]])`: a column for each value of a column.
    fn pivot(
        &mut self,
        input: Relation,
        call: &ast::Call,
        declared: Option<&ast::RowSchema>,
        span: Span,
    ) -> Bind<Relation> {
        const COLUMNS_MAX: usize = 1_000;
        let Some((first, rest)) = call.arguments.split_first() else {
            return Err(self.error("SEM0219", "pivot() expects at least 1 argument", span));
        };
        let pivot = self.with_row(&input, |binder| binder.scalar(first))?;
        let ExprKind::Column(pivot_column) = pivot.kind else {
            return Err(self.error("SEM0109", "A column is expected here", first.span));
        };
        let (aggregate, named_keys) = match rest.split_first() {
            Some((aggregate, keys)) => {
                let (_, mut aggregates) =
                    self.aggregate_expressions(&input, Default::default(), &[aggregate]);
                match (aggregates.len(), aggregates.pop()) {
                    (1, Some(aggregate)) if aggregate.outputs.len() == 1 => (aggregate, keys),
                    _ => {
                        return Err(self.error(
                            "SEM0123",
                            "An aggregate of one value is expected here",
                            aggregate.span,
                        ));
                    }
                }
            }
            None => (super::summarize::count_rows(), &[][..]),
        };
        let mut used = std::collections::BTreeSet::from([pivot_column]);
        for argument in aggregate.arguments.iter().chain(&aggregate.condition) {
            crate::optimise::tree::columns_of(argument, &mut used);
        }
        let mut keys = Vec::new();
        if named_keys.is_empty() {
            keys.extend((0..input.schema().len()).filter(|column| !used.contains(column)));
        }
        for key in named_keys {
            match self.with_row(&input, |binder| binder.scalar(key))?.kind {
                ExprKind::Column(column) => keys.push(column),
                _ => return Err(self.error("SEM0109", "A column is expected here", key.span)),
            }
        }
        let text = cast(pivot, Type::String);
        let values = match declared {
            Some(declared) => {
                let columns = self.row_schema(declared)?;
                let known = |name: &str| keys.iter().any(|key| input.schema()[*key].name == name);
                columns.into_iter().map(|column| column.name).filter(|name| !known(name)).collect()
            }
            None => self.distinct_texts(&input, text.clone())?,
        };
        if values.len() > COLUMNS_MAX {
            let message = format!("pivot() would yield {} columns, more than {COLUMNS_MAX}", values.len());
            return Err(self.error("SEM0219", message, first.span));
        }
        let mut unique = UniqueNames::default();
        let mut schema: Schema = Vec::new();
        for key in &keys {
            let column = &input.schema()[*key];
            schema.push(Column::new(unique.take(&column.name), column.ty));
        }
        let mut aggregates = Vec::with_capacity(values.len());
        for value in values {
            let ty = aggregate.outputs.first().copied().unwrap_or(Type::Long);
            schema.push(Column::new(unique.take(&value), ty));
            let constant = Expr::constant(Value::String(value));
            let test = operator(OperatorFunction::Equal, vec![text.clone(), constant], Type::Bool);
            let condition = match &aggregate.condition {
                Some(before) => operator(OperatorFunction::And, vec![before.clone(), test], Type::Bool),
                None => test,
            };
            aggregates.push(Aggregate { condition: Some(condition), ..aggregate.clone() });
        }
        let keys = keys.into_iter().map(|key| Expr::column(key, input.schema()[key].ty)).collect();
        let operator = Operator::Summarize { input: input.plan, keys, aggregates };
        let plan = self.plan(operator, schema);
        Ok(Relation::new(plan))
    }

    /// The distinct texts of an expression over a relation, sorted.
    fn distinct_texts(&mut self, input: &Relation, text: Expr) -> Bind<Vec<String>> {
        let aggregate = Aggregate {
            function: FunctionId::Aggregate(AggregateFunction::MakeSet),
            arguments: vec![text, Expr::constant(Value::Long(1_048_576))],
            condition: None,
            outputs: vec![Type::Dynamic],
        };
        let operator =
            Operator::Summarize { input: input.plan.clone(), keys: Vec::new(), aggregates: vec![aggregate] };
        let plan = self.plan(operator, vec![Column::new("values", Type::Dynamic)]);
        let Some(Value::Dynamic(Dynamic::Array(items))) = self.first_value_of(&plan) else {
            return Err(self.give_up());
        };
        let mut texts: Vec<String> = items
            .into_iter()
            .filter_map(|item| match item {
                Dynamic::String(text) if !text.is_empty() => Some(text),
                _ => None,
            })
            .collect();
        texts.sort();
        Ok(texts)
    }
}

/// The place of the first argument.
fn column_span(call: &ast::Call, span: Span) -> Span {
    call.arguments.first().map_or(span, |argument| argument.span)
}
