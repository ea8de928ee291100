//! `parse`, `parse-where` and `parse-kv`.

use crate::ast::{self, ExprKind as Ast, LiteralValue, ParsePiece};
use crate::plan::{Expr, Operator, ParseKind, ParseKvOptions, ParseSegment};
use crate::types::{Column, Schema, Type};

use super::{parameter, parameter_text};
use crate::bind::comparison::cast;
use crate::bind::scope::Relation;
use crate::bind::{Bind, Binder};

impl Binder<'_> {
    pub(in crate::bind) fn parse_operator(
        &mut self,
        input: Relation,
        node: &ast::Parse,
        filter: bool,
    ) -> Bind<Relation> {
        let kind = match parameter(&node.parameters, "kind").and_then(parameter_text).as_deref() {
            None | Some("simple") => ParseKind::Simple,
            Some("regex") => ParseKind::Regex,
            Some("relaxed") => ParseKind::Relaxed,
            Some(other) => {
                let message =
                    format!("Unknown kind of parse '{other}': simple, regex or relaxed is expected");
                return Err(self.error("SEM0140", message, node.expression.span));
            }
        };
        let flags = parameter(&node.parameters, "flags").and_then(parameter_text).unwrap_or_default();
        let source = self.with_row(&input, |binder| binder.scalar(&node.expression))?;
        let mut segments = Vec::with_capacity(node.pattern.len());
        let mut captured: Schema = Vec::new();
        let mut previous_was_text_capture = false;
        for piece in &node.pattern {
            match piece {
                ParsePiece::Skip(span) => {
                    if previous_was_text_capture && kind != ParseKind::Regex {
                        let message = "Using * right after a column of type string is ambiguous";
                        self.error("SEM0103", message, *span);
                    }
                    segments.push(ParseSegment::Star);
                    previous_was_text_capture = false;
                }
                ParsePiece::Text { value, .. } => {
                    segments.push(ParseSegment::Text(value.clone()));
                    previous_was_text_capture = false;
                }
                ParsePiece::Column { name, type_name, span } => {
                    let ty = match type_name {
                        Some(type_name) => self.type_named(type_name)?,
                        None => Type::String,
                    };
                    if matches!(segments.last(), Some(ParseSegment::Capture { .. }))
                        && kind != ParseKind::Simple
                    {
                        let message = "The column name must follow a string literal";
                        self.error("SEM0101", message, *span);
                    }
                    if captured.iter().any(|column| column.name == name.text) {
                        self.duplicate_column(&name.text, name.span);
                        continue;
                    }
                    segments.push(ParseSegment::Capture { output: captured.len() });
                    captured.push(Column::new(name.text.clone(), ty));
                    previous_was_text_capture = ty == Type::String;
                }
            }
        }
        let outputs = captured.iter().map(|column| column.ty).collect();
        let inner = |input| Operator::Parse {
            input,
            source: cast(source, Type::String),
            kind,
            flags,
            segments,
            outputs,
            filter,
        };
        Ok(self.appended(input, captured, inner))
    }

    pub(in crate::bind) fn parse_kv(&mut self, input: Relation, node: &ast::ParseKv) -> Bind<Relation> {
        let source = self.with_row(&input, |binder| binder.scalar(&node.expression))?;
        let source = cast(source, Type::String);
        let keys = self.row_schema(&node.columns)?;
        let mut options = ParseKvOptions::default();
        for property in &node.properties {
            let value = &property.value;
            match property.name.text.as_str() {
                "pair_delimiter" => options.pair_delimiter = Some(self.constant_text(value)?),
                "kv_delimiter" => options.kv_delimiter = Some(self.constant_text(value)?),
                "escape" => options.escape = Some(self.constant_text(value)?),
                "regex" => options.regex = Some(self.constant_text(value)?),
                "greedy" => options.greedy = parameter_text(value).as_deref() == Some("true"),
                "quote" => options.quotes.extend(self.quotes(value)?),
                other => {
                    let names = ["pair_delimiter", "kv_delimiter", "escape", "regex", "greedy", "quote"];
                    let message = format!("Unknown property '{other}' of parse-kv");
                    self.unknown("SEM0179", message, property.name.span, other, names);
                }
            }
        }
        let pairs = keys.iter().map(|column| (column.name.clone(), column.ty)).collect();
        let inner = |input| Operator::ParseKv { input, source, keys: pairs, options };
        Ok(self.appended(input, keys, inner))
    }

    /// `quote = '"'`, or an opening and a closing one: `quote = '<>'`.
    fn quotes(&mut self, value: &ast::Expr) -> Bind<Vec<String>> {
        match &value.kind {
            Ast::Parenthesized(inner) => self.quotes(inner),
            Ast::Literal(LiteralValue::String(text)) => Ok(vec![text.value.clone()]),
            _ => Ok(vec![self.constant_text(value)?]),
        }
    }

    /// An operator that appends columns; where the input has columns of these names they are replaced.
    fn appended(
        &mut self,
        input: Relation,
        added: Schema,
        operator: impl FnOnce(crate::plan::Plan) -> Operator,
    ) -> Relation {
        let width = input.schema().len();
        let clash = |name: &str| input.schema().iter().position(|column| column.name == name);
        let targets: Vec<Option<usize>> = added.iter().map(|column| clash(&column.name)).collect();
        let mut raw = input.schema().clone();
        for (column, target) in added.iter().zip(&targets) {
            let name = if target.is_some() { format!("${}", column.name) } else { column.name.clone() };
            raw.push(Column::new(name, column.ty));
        }
        let (serialized, sorted, name) = (input.serialized, input.sorted, input.name.clone());
        let mut schema = input.schema().clone();
        let plan = self.plan(operator(input.plan), raw);
        let relation = Relation::flagged(plan, serialized, sorted).named(name);
        if targets.iter().all(Option::is_none) {
            return relation;
        }
        let mut expressions = Self::all_columns(&schema);
        for (position, (column, target)) in added.into_iter().zip(targets).enumerate() {
            let expression = Expr::column(width + position, column.ty);
            match target {
                Some(target) => {
                    expressions[target] = expression;
                    schema[target].ty = column.ty;
                }
                None => {
                    expressions.push(expression);
                    schema.push(column);
                }
            }
        }
        self.projected(relation, expressions, schema)
    }
}
