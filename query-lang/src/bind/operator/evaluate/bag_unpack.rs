//! `bag_unpack`: a column of each property of a column of bags. Which there are follows from the rows, unless
//! they are declared: the catalog is asked, which runs a part of the query.

use crate::ast;
use crate::function::{AggregateFunction, FunctionId, OperatorFunction};
use crate::plan::{Aggregate, Expr, Operator};
use crate::span::Span;
use crate::types::{Column, Schema, Type};
use crate::value::{Dynamic, Value};

use crate::bind::comparison::{cast, operator};
use crate::bind::scope::Relation;
use crate::bind::{Bind, Binder};
use crate::plugin::Plugin;

use super::PluginArguments;

/// What to do with a property that is called like a column.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Conflict {
    Error,
    ReplaceSource,
    KeepSource,
}

impl Binder<'_> {
    pub(super) fn bag_unpack(
        &mut self,
        input: Relation,
        call: &ast::Call,
        declared: Option<&ast::RowSchema>,
        span: Span,
    ) -> Bind<Relation> {
        let arguments = PluginArguments::read(self, Plugin::BagUnpack, &input, call, span)?;
        let Some((position, _)) = arguments.column("column") else { return Err(self.give_up()) };
        let bag = Expr::column(position, Type::Dynamic);
        let text = |name: &str| match arguments.constant(name) {
            Some(Value::String(text)) if !text.is_empty() => Some(text.as_str()),
            _ => None,
        };
        let prefix = text("OutputColumnPrefix").unwrap_or("").to_string();
        let conflict = match text("columnsConflict") {
            None | Some("error") => Conflict::Error,
            Some("replace_source") => Conflict::ReplaceSource,
            Some("keep_source") => Conflict::KeepSource,
            Some(other) => {
                let message = format!("Unknown value '{other}' of columnsConflict");
                let known = ["error", "replace_source", "keep_source"];
                return Err(self.unknown(
                    "SEM0140",
                    message,
                    arguments.span("columnsConflict"),
                    other,
                    known,
                ));
            }
        };
        let ignored: Vec<String> = match arguments.constant("ignoredProperties") {
            None | Some(Value::Dynamic(Dynamic::Null)) => Vec::new(),
            Some(Value::Dynamic(Dynamic::Array(items))) => items
                .iter()
                .filter_map(|item| match item {
                    Dynamic::String(name) => Some(name.clone()),
                    _ => None,
                })
                .collect(),
            Some(_) => {
                let span = arguments.span("ignoredProperties");
                return Err(self.error("SEM0234", "An array of names is expected here", span));
            }
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
            .properties_of(&input, position, span)?
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
                    return Err(self.error("SEM0171", message, arguments.span("column")));
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
    fn properties_of(&mut self, input: &Relation, position: usize, span: Span) -> Bind<Vec<(String, Type)>> {
        let aggregate = Aggregate {
            function: FunctionId::Aggregate(AggregateFunction::BuildSchema),
            arguments: vec![Expr::column(position, Type::Dynamic)],
            condition: None,
            outputs: vec![Type::Dynamic],
        };
        let operator =
            Operator::Summarize { input: input.plan.clone(), keys: Vec::new(), aggregates: vec![aggregate] };
        let plan = self.plan(operator, vec![Column::new("schema", Type::Dynamic)]);
        let Value::Dynamic(found) = self.first_value_of(&plan, span)? else { return Ok(Vec::new()) };
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
}
