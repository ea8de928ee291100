//! `search` and `find`: conditions over the columns of many tables.

use crate::ast::{self, BinaryOperator, ExprKind as Ast, FindProjectionKind};
use crate::function::{FunctionId, OperatorFunction};
use crate::plan::{Expr, Operator};
use crate::span::Span;
use crate::types::{Column, Schema, Type};
use crate::value::Value;

use super::{matches_wildcard, parameter, parameter_text};
use crate::bind::comparison::{cast, operator};
use crate::bind::scope::Relation;
use crate::bind::{Bind, Binder};

impl Binder<'_> {
    pub(in crate::bind) fn search(
        &mut self,
        input: Option<Relation>,
        node: &ast::Search,
        span: Span,
    ) -> Bind<Relation> {
        let kind = parameter(&node.parameters, "kind").and_then(parameter_text);
        let case_sensitive = match kind.as_deref() {
            None | Some("default" | "case_insensitive") => false,
            Some("case_sensitive") => true,
            Some(other) => {
                return Err(self.error("SEM0140", format!("Unknown kind of search '{other}'"), span));
            }
        };
        let inputs = self.searched_tables(input, &node.tables, span)?;
        let united = self.united(inputs, false, Some("$table".to_string()), "search_arg");
        self.searched(united, &node.predicate, case_sensitive, &[])
    }

    /// The tables named after `in`, the piped rows, or everything in the database.
    fn searched_tables(
        &mut self,
        input: Option<Relation>,
        tables: &[ast::Expr],
        span: Span,
    ) -> Bind<Vec<Relation>> {
        if let Some(input) = input {
            if !tables.is_empty() {
                let message =
                    format!("The operator '{}' with tables must be the first of a query", self.operator);
                return Err(self.error("SEM0175", message, span));
            }
            // Piped rows are of no table.
            return Ok(vec![input.named(None)]);
        }
        let mut inputs = Vec::new();
        if tables.is_empty() {
            self.wildcard_tables("*", span, &mut inputs);
        }
        for table in tables {
            if self.wildcard_input(table, false, &mut inputs) {
                continue;
            }
            match self.table(table) {
                Ok(relation) => inputs.push(relation),
                Err(_) => self.failed = true,
            }
        }
        if inputs.is_empty() {
            if self.failed {
                return Err(self.give_up());
            }
            if tables.is_empty() && self.operator == "search" {
                // A database without tables holds nothing to be found.
                let plan = self.plan(Operator::Values { rows: Vec::new() }, Vec::new());
                return Ok(vec![Relation::new(plan)]);
            }
            let message = format!("'{}' operator: there is no table to look in", self.operator);
            return Err(self.error("SEM0100", message, span));
        }
        Ok(inputs)
    }

    /// Rows for which the condition holds; the first column and the `hidden` ones are not looked at by bare
    /// terms.
    fn searched(
        &mut self,
        relation: Relation,
        predicate: &ast::Expr,
        case_sensitive: bool,
        hidden: &[usize],
    ) -> Bind<Relation> {
        let columns: Vec<(usize, Type)> = relation
            .schema()
            .iter()
            .enumerate()
            .skip(1)
            .filter(|(position, _)| !hidden.contains(position))
            .map(|(position, column)| (position, column.ty))
            .collect();
        let bound =
            self.with_row(&relation, |binder| binder.search_condition(predicate, &columns, case_sensitive));
        let Ok(bound) = bound else {
            self.failed = true;
            return Ok(relation);
        };
        let schema = relation.schema().clone();
        let plan = self.plan(Operator::Filter { input: relation.plan, predicate: bound }, schema);
        Ok(Relation::new(plan))
    }

    fn search_condition(
        &mut self,
        condition: &ast::Expr,
        columns: &[(usize, Type)],
        case_sensitive: bool,
    ) -> Bind<Expr> {
        self.deeper(condition.span, |binder| match &condition.kind {
            Ast::Parenthesized(inner) => binder.search_condition(inner, columns, case_sensitive),
            Ast::Binary {
                operator: word @ (BinaryOperator::And | BinaryOperator::Or),
                operator_span,
                left,
                right,
            } => {
                let left = binder.search_condition(left, columns, case_sensitive);
                let right = binder.search_condition(right, columns, case_sensitive);
                binder.binary(*word, left?, right?, *operator_span)
            }
            // The engine looks for terms within `not` and for numbers, which the analyser refuses.
            Ast::Call(call) if call.name.text == "not" && call.arguments.len() == 1 => {
                let inner = binder.search_condition(&call.arguments[0], columns, case_sensitive)?;
                Ok(operator(OperatorFunction::Not, vec![inner], Type::Bool))
            }
            Ast::Star => Ok(Expr::constant(Value::Bool(true))),
            Ast::Binary { operator: BinaryOperator::SearchTerm, operator_span, left, right } => {
                if matches!(left.kind, Ast::Star) {
                    let text = binder.term_text(right)?;
                    return Ok(any_column(columns, |column| term_match(column, &text, case_sensitive)));
                }
                let column = binder.scalar(left)?;
                let term = binder.scalar(right)?;
                match binder.constant(&term) {
                    Some(Value::String(text)) if matches!(column.ty, Type::String | Type::Dynamic) => {
                        Ok(term_match(column, &text, case_sensitive))
                    }
                    _ => binder.binary(BinaryOperator::SearchTerm, column, term, *operator_span),
                }
            }
            Ast::Binary { operator: word, operator_span, left, right } if matches!(left.kind, Ast::Star) => {
                let value = binder.scalar(right)?;
                binder.in_any_column(*word, value, columns, *operator_span)
            }
            _ => {
                let bound = binder.scalar(condition)?;
                if bound.ty == Type::Bool {
                    return Ok(bound);
                }
                // A bare constant is a term to be found in any column.
                let bare = matches!(condition.kind, Ast::Literal(_) | Ast::Name(_));
                match binder.constant(&bound) {
                    Some(value) if bare => {
                        let text = value_text(&value);
                        Ok(any_column(columns, |column| term_match(column, &text, case_sensitive)))
                    }
                    _ => binder.expect_type(bound, Type::Bool, condition.span),
                }
            }
        })
    }

    /// `* has value` and its kin: a column for which the operator holds.
    pub(in crate::bind) fn in_any_column(
        &mut self,
        word: BinaryOperator,
        value: Expr,
        columns: &[(usize, Type)],
        span: Span,
    ) -> Bind<Expr> {
        let mut alternatives: Option<Expr> = None;
        for (position, ty) in columns {
            let column = Expr::column(*position, *ty);
            let comparable = *ty == value.ty || (ty.is_number() && value.ty.is_number());
            let column = match (value.ty == Type::String, comparable) {
                (true, _) => cast(column, Type::String),
                (false, true) => column,
                (false, false) => continue,
            };
            let test = self.binary(word, column, value.clone(), span)?;
            alternatives = Some(match alternatives {
                Some(before) => operator(OperatorFunction::Or, vec![before, test], Type::Bool),
                None => test,
            });
        }
        Ok(alternatives.unwrap_or_else(|| Expr::constant(Value::Bool(false))))
    }

    fn term_text(&mut self, term: &ast::Expr) -> Bind<String> {
        let value = self.constant_of(term)?;
        Ok(value_text(&value))
    }

    pub(in crate::bind) fn find(
        &mut self,
        input: Option<Relation>,
        node: &ast::Find,
        span: Span,
    ) -> Bind<Relation> {
        let source = parameter(&node.parameters, "withsource")
            .or_else(|| parameter(&node.parameters, "with_source"))
            .and_then(parameter_text)
            .unwrap_or_else(|| "source_".to_string());
        let mut tables = self.searched_tables(input, &node.tables, span)?;
        let mut names = Vec::new();
        let implicit = referenced_names(&node.predicate, &mut names);
        if tables.len() > 1 && !implicit {
            let known = |table: &Relation| table.schema().iter().any(|column| names.contains(&column.name));
            if tables.iter().any(known) {
                tables.retain(known);
            }
        }
        let common: Vec<String> = tables[0]
            .schema()
            .iter()
            .filter(|column| {
                tables.iter().all(|table| {
                    table.schema().iter().any(|other| other.name == column.name && other.ty == column.ty)
                })
            })
            .map(|column| column.name.clone())
            .collect();

        let smart =
            node.projection.as_ref().is_none_or(|projection| projection.kind != FindProjectionKind::Project);
        let mut wanted: Vec<String> = Vec::new();
        let mut types: Vec<(String, Type)> = Vec::new();
        let mut pack = smart;
        if smart {
            wanted.extend(common);
            for name in names {
                let known =
                    tables.iter().any(|table| table.schema().iter().any(|column| column.name == name));
                if known && !wanted.contains(&name) {
                    wanted.push(name);
                }
            }
        } else if let Some(projection) = &node.projection {
            for column in &projection.columns {
                match &column.kind {
                    Ast::Name(name) => wanted.push(name.text.clone()),
                    Ast::TypedName(declared) => {
                        let ty = self.type_named(&declared.type_name)?;
                        types.push((declared.name.text.clone(), ty));
                        wanted.push(declared.name.text.clone());
                    }
                    Ast::Wildcard(pattern) => {
                        for table in &tables {
                            for column in table.schema() {
                                if matches_wildcard(pattern, &column.name) && !wanted.contains(&column.name) {
                                    wanted.push(column.name.clone());
                                }
                            }
                        }
                    }
                    Ast::Star => {}
                    Ast::Call(call) if matches!(call.name.text.as_str(), "pack" | "pack_all") => pack = true,
                    _ => {
                        self.error("SEM0109", "A column name is expected here", column.span);
                    }
                }
            }
        }
        // What is not shown as a column of its own goes into one bag.
        let rest = |table: &Relation| -> Vec<(usize, Column)> {
            let columns = table.schema().iter().cloned().enumerate();
            columns.filter(|(_, column)| !wanted.contains(&column.name)).collect()
        };
        if smart && tables.iter().all(|table| rest(table).is_empty()) {
            pack = false;
        }
        let mut inputs = Vec::with_capacity(tables.len());
        for table in tables {
            if !pack {
                inputs.push(table);
                continue;
            }
            let mut pairs = Vec::new();
            for (position, column) in rest(&table) {
                pairs.push(Expr::constant(Value::String(column.name)));
                pairs.push(Expr::column(position, column.ty));
            }
            let bag = match FunctionId::by_name("bag_pack") {
                Some(function) if !pairs.is_empty() => {
                    self.resolved("bag_pack", function, pairs, &[], span)?
                }
                _ => Self::null_expression(Type::Dynamic),
            };
            let mut schema = table.schema().clone();
            let mut expressions = Self::all_columns(&schema);
            schema.push(Column::new("pack_", Type::Dynamic));
            expressions.push(bag);
            inputs.push(self.projected(table, expressions, schema));
        }
        let united = self.united(inputs, false, Some(source.clone()), "find_arg");
        let hidden: Vec<usize> = united
            .schema()
            .iter()
            .position(|column| column.name == "pack_")
            .filter(|_| pack)
            .into_iter()
            .collect();
        let found = self.searched(united, &node.predicate, false, &hidden)?;

        let away: Vec<String> = match &node.projection {
            Some(projection) if projection.kind == FindProjectionKind::ProjectAway => projection
                .columns
                .iter()
                .filter_map(|column| match &column.kind {
                    Ast::Name(name) => Some(name.text.clone()),
                    Ast::Wildcard(pattern) => Some(pattern.clone()),
                    Ast::Star => Some("*".to_string()),
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        };
        let mut schema: Schema = Vec::new();
        let mut expressions = Vec::new();
        let mut shown = vec![source.clone()];
        shown.extend(wanted);
        if pack {
            shown.push("pack_".to_string());
        }
        for name in shown {
            if name != source && away.iter().any(|pattern| matches_wildcard(pattern, &name)) {
                continue;
            }
            // A name of several types has become several columns.
            let columns =
                found.schema().iter().enumerate().filter(|(_, column)| {
                    column.name == name || column.name == format!("{name}_{}", column.ty)
                });
            let mut any = false;
            for (position, column) in columns {
                any = true;
                let wanted =
                    types.iter().find(|(wanted, _)| *wanted == name).map_or(column.ty, |(_, ty)| *ty);
                expressions.push(cast(Expr::column(position, column.ty), wanted));
                schema.push(Column::new(column.name.clone(), wanted));
            }
            if !any {
                match types.iter().find(|(wanted, _)| *wanted == name) {
                    Some((_, ty)) => {
                        expressions.push(Self::null_expression(*ty));
                        schema.push(Column::new(name, *ty));
                    }
                    None => {
                        let message = format!("'find' operator: Failed to resolve column named '{name}'");
                        self.error("SEM0100", message, span);
                    }
                }
            }
        }
        Ok(self.projected(found, expressions, schema))
    }
}

/// Collects the names in a condition; true if it also looks into columns it does not name.
fn referenced_names(condition: &ast::Expr, names: &mut Vec<String>) -> bool {
    match &condition.kind {
        Ast::Name(name) => {
            if !names.contains(&name.text) {
                names.push(name.text.clone());
            }
            false
        }
        Ast::Star => true,
        Ast::Literal(_) => true,
        Ast::Parenthesized(inner) => referenced_names(inner, names),
        Ast::Binary { operator: BinaryOperator::And | BinaryOperator::Or, left, right, .. } => {
            let left = referenced_names(left, names);
            let right = referenced_names(right, names);
            left || right
        }
        Ast::Binary { left, right, .. } => {
            let star = matches!(left.kind, Ast::Star);
            referenced_names(left, names);
            referenced_names(right, names);
            star
        }
        Ast::Membership { value, list, .. } => {
            referenced_names(value, names);
            for item in list {
                referenced_names(item, names);
            }
            false
        }
        Ast::Between { value, low, high, .. } => {
            for part in [value, low, high] {
                referenced_names(part, names);
            }
            false
        }
        Ast::Call(call) => {
            let inner = call
                .arguments
                .iter()
                .map(|argument| referenced_names(argument, names))
                .fold(false, |a, b| a | b);
            call.name.text == "not" && inner
        }
        Ast::Member { object, .. } => {
            referenced_names(object, names);
            false
        }
        Ast::Element { object, index } => {
            referenced_names(object, names);
            referenced_names(index, names);
            false
        }
        Ast::Unary { operand, .. } => {
            referenced_names(operand, names);
            false
        }
        _ => false,
    }
}

fn any_column(columns: &[(usize, Type)], test: impl Fn(Expr) -> Expr) -> Expr {
    // Numbers with a fraction and times are not taken for texts of terms.
    columns
        .iter()
        .filter(|(_, ty)| matches!(ty, Type::String | Type::Dynamic | Type::Int | Type::Long | Type::Guid))
        .map(|(position, ty)| test(Expr::column(*position, *ty)))
        .reduce(|before, next| operator(OperatorFunction::Or, vec![before, next], Type::Bool))
        .unwrap_or_else(|| Expr::constant(Value::Bool(false)))
}

/// A column that holds a term; `*` at its ends stands for more characters of the term.
fn term_match(column: Expr, text: &str, case_sensitive: bool) -> Expr {
    use OperatorFunction as O;
    let inner = text.trim_matches('*');
    if inner.is_empty() {
        return Expr::constant(Value::Bool(true));
    }
    let column = cast(column, Type::String);
    let (function, pattern) = if inner.contains('*') {
        let parts: Vec<String> = text.split('*').map(escaped).collect();
        let body = parts.join(".*");
        let start = if text.starts_with('*') { "" } else { r"\b" };
        let end = if text.ends_with('*') { "" } else { r"\b" };
        let flags = if case_sensitive { "(?s)" } else { "(?is)" };
        (O::MatchesRegex, format!("{flags}{start}{body}{end}"))
    } else {
        let function = match (text.starts_with('*'), text.ends_with('*'), case_sensitive) {
            (false, false, false) => O::Has,
            (false, false, true) => O::HasCs,
            (false, true, false) => O::HasPrefix,
            (false, true, true) => O::HasPrefixCs,
            (true, false, false) => O::HasSuffix,
            (true, false, true) => O::HasSuffixCs,
            (true, true, false) => O::Contains,
            (true, true, true) => O::ContainsCs,
        };
        (function, inner.to_string())
    };
    operator(function, vec![column, Expr::constant(Value::String(pattern))], Type::Bool)
}

/// The text with the characters escaped that mean something in a regular expression.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if r"\.+*?()|[]{}^$#&-~".contains(character) {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

/// A constant as the text that is searched for.
fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(flag) => flag.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Long(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Decimal(number) => number.to_string(),
        _ => String::new(),
    }
}
