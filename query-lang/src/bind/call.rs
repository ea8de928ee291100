//! Calls: functions of the table, the few that are the binder's own, and the way to functions of the query.

use std::rc::Rc;

use crate::ast::{self, ExprKind as Ast};
use crate::function::signature::{Form, Mismatch, Parameter, Return};
use crate::function::{
    ArgumentInfo, ContextFunction, FunctionId, FunctionKind, OperatorFunction, Shape, Written, signature,
};
use crate::plan::Expr;
use crate::plan::ExprKind;
use crate::span::Span;
use crate::types::{Schema, Type};
use crate::value::{Dynamic, Value};

use super::comparison::{cast, operator};
use super::expression::{Meaning, table_meaning};
use super::scope::Entity;
use super::{Bind, Binder, Reported, literal, null_of};

/// Where an argument stands and how it is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub span: Span,
    pub written: Written,
}

impl Place {
    pub fn of(argument: &ast::Expr) -> Place {
        Place { span: argument.span, written: written(argument) }
    }
}

/// How an argument is written.
pub(super) fn written(argument: &ast::Expr) -> Written {
    match argument.kind {
        Ast::Literal(_) => Written::Literal,
        Ast::TypeOf(_) => Written::Type,
        Ast::Name(_) => Written::Name,
        _ => Written::Other,
    }
}

/// What is known of a bound argument.
pub(super) fn argument_info<'v>(argument: &Expr, constant: Option<&'v Value>) -> ArgumentInfo<'v> {
    ArgumentInfo { constant, shape: shape_of(argument), ..ArgumentInfo::of(argument.ty) }
}

/// What a dynamic expression is known to be.
fn shape_of(expression: &Expr) -> Option<Shape> {
    match &expression.kind {
        ExprKind::Constant(Value::Dynamic(value)) => match value {
            Dynamic::Null => None,
            Dynamic::Array(_) => Some(Shape::Array),
            Dynamic::Object(_) => Some(Shape::Bag),
            _ => Some(Shape::Scalar),
        },
        ExprKind::Call { function, .. } => match signature::signatures(*function).first()?.result {
            Return::Shaped(shape) => Some(shape),
            _ => None,
        },
        _ => None,
    }
}

impl Binder<'_> {
    pub(super) fn call(&mut self, call: &ast::Call, span: Span) -> Bind<Meaning> {
        if let Some(object) = &call.object {
            return self.path_call(object, call, span);
        }
        if let Some(entity) = self.names.find(&call.name.text).cloned() {
            match entity {
                Entity::Function(function) => {
                    self.note_entity(call.name.span, &Entity::Function(function.clone()));
                    return self.call_function(&function, &call.arguments, span);
                }
                Entity::Pattern(pattern) => return self.call_pattern(&pattern, call, None, span),
                Entity::Broken => return Err(self.give_up()),
                Entity::Hidden => return Err(self.unreachable(&call.name.text, call.name.span)),
                // A variable does not hide a function of its name.
                _ => {}
            }
        }
        if let Some(found) = self.graph_call(call, span)? {
            return Ok(found);
        }
        if let Some(found) = self.special(call, span)? {
            return Ok(found);
        }
        let name = call.name.text.as_str();
        let aggregation = self.aggregation.is_some();
        let found =
            if aggregation { FunctionId::by_name_in_aggregation(name) } else { FunctionId::by_name(name) };
        if let Some(function) = found {
            self.note_use(call.name.span, |_| Some(super::notes::Use::Function(function)));
            if function.spec().kind == FunctionKind::Aggregate {
                return self.aggregate_call(function, call, span).map(Meaning::Scalar);
            }
            return self.table_call(function, call, span).map(Meaning::Scalar);
        }
        let database = self.database.clone();
        if let Some(function) = self.stored_function(&database, name, call.name.span)? {
            self.note_use(call.name.span, |binder| {
                let parameters = binder.catalog.function(&database, name)?.parameters;
                Some(super::notes::Use::StoredFunction { database: database.clone(), parameters })
            });
            return self.call_function(&function, &call.arguments, span);
        }
        Err(self.unknown_function(&call.name))
    }

    fn unknown_function(&mut self, name: &ast::Name) -> Reported {
        let mut candidates: Vec<String> = FunctionId::all()
            .filter(|function| !matches!(function, FunctionId::Operator(_)))
            .map(|function| function.spec().name.to_string())
            .collect();
        candidates.extend(
            self.names
                .all()
                .filter(|(_, entity)| matches!(entity, Entity::Function(_)))
                .map(|(name, _)| name.to_string()),
        );
        candidates.extend(self.catalog.functions(&self.database));
        let message = format!("Unknown function: '{}'", name.text);
        self.unknown("SEM0260", message, name.span, &name.text, candidates.iter().map(String::as_str))
    }

    /// `database('x').f(…)`, `cluster('x').database('y')`, `database('x').table('T')`.
    fn path_call(&mut self, object: &ast::Expr, call: &ast::Call, span: Span) -> Bind<Meaning> {
        if self.is_cluster(object) {
            self.this_cluster(object)?;
            if call.name.text == "database" {
                return self.database_call(call, span);
            }
            return Err(self.error("SEM0100", "A database is expected after 'cluster()'", call.name.span));
        }
        match self.meaning(object)? {
            Meaning::Database(database) => {
                let name = call.name.text.as_str();
                if matches!(name, "table" | "materialized_view") {
                    return self.named_table(&database, call, span);
                }
                match self.stored_function(&database, name, call.name.span)? {
                    Some(function) => self.call_function(&function, &call.arguments, span),
                    None => {
                        let message = format!("Unknown function: '{name}' in database '{database}'");
                        let functions = self.catalog.functions(&database);
                        let candidates = functions.iter().map(String::as_str);
                        Err(self.unknown("SEM0260", message, call.name.span, name, candidates))
                    }
                }
            }
            _ => {
                let message = format!("The function '{}' cannot be called on this value", call.name.text);
                Err(self.error("SEM0260", message, call.name.span))
            }
        }
    }

    fn database_call(&mut self, call: &ast::Call, span: Span) -> Bind<Meaning> {
        let name = match call.arguments.as_slice() {
            [] => return Ok(Meaning::Database(self.database.clone())),
            [argument] => self.constant_text(argument)?,
            _ => return Err(self.error("SEM0219", "database() expects 1 argument", span)),
        };
        let alias = self.aliases.iter().rev().find(|(alias, _)| *alias == name);
        let found = match alias.filter(|_| call.object.is_none()) {
            Some((_, Some(database))) => Some(database.clone()),
            Some((_, None)) => return Err(self.give_up()),
            None => self.catalog.database(&name),
        };
        match found {
            Some(database) => Ok(Meaning::Database(database)),
            None => {
                let databases = self.catalog.databases();
                let message = format!("'{name}' does not refer to any known database");
                Err(self.unknown("SEM0208", message, span, &name, databases.iter().map(String::as_str)))
            }
        }
    }

    fn named_table(&mut self, database: &str, call: &ast::Call, span: Span) -> Bind<Meaning> {
        let Some(argument) = call.arguments.first() else {
            return Err(self.error("SEM0219", format!("{}() expects 1 argument", call.name.text), span));
        };
        let name = self.constant_text(argument)?;
        if let Some(scope) = call.arguments.get(1) {
            let scope_name = self.constant_text(scope)?;
            if !matches!(scope_name.to_ascii_lowercase().as_str(), "all" | "hotcache" | "default" | "") {
                let message = format!("'{scope_name}' is no scope of data: 'all' or 'hotcache' is expected");
                return Err(self.error("SEM0140", message, scope.span));
            }
        }
        if call.object.is_none() {
            match self.names.find(&name) {
                Some(Entity::Table(relation)) => {
                    return Ok(table_meaning(super::scope::Relation::clone(relation)));
                }
                Some(Entity::Hidden) => return Err(self.unreachable(&name, argument.span)),
                Some(Entity::Broken) => return Err(self.give_up()),
                _ => {}
            }
        }
        match self.stored(database, &name, argument.span)? {
            Some(found) => Ok(found),
            None => {
                let tables = self.catalog.tables(database);
                let message = format!(
                    "'{}' operator: Failed to resolve table expression named '{name}'",
                    self.operator
                );
                Err(self.unknown("SEM0100", message, argument.span, &name, tables.iter().map(String::as_str)))
            }
        }
    }

    /// `graph("name")`: no graphs are stored.
    fn stored_graph(&mut self, call: &ast::Call, span: Span) -> Reported {
        let Some(argument) = call.arguments.first() else {
            return self.error("SEM0119", "graph() expects at least 1 argument", span);
        };
        match self.constant_text(argument) {
            Ok(name) => {
                let message = format!("The name '{name}' does not refer to any known graph model");
                let diagnostic = crate::diagnostic::Diagnostic::semantic("SEM0260", message, call.name.span)
                    .with_hint("graphs are made in the query, with 'make-graph'");
                self.report(diagnostic)
            }
            Err(reported) => reported,
        }
    }

    /// Functions that need the scope, the catalog or the moment of the query rather than a kernel.
    fn special(&mut self, call: &ast::Call, span: Span) -> Bind<Option<Meaning>> {
        let name = call.name.text.as_str();
        let arguments = call.arguments.as_slice();
        let scalar = match name {
            "database" => return self.database_call(call, span).map(Some),
            "cluster" => {
                let cluster = ast::Expr { kind: Ast::Call(call.clone()), span };
                self.this_cluster(&cluster)?;
                return Ok(Some(Meaning::Database(self.database.clone())));
            }
            "table" | "materialized_view" => {
                let database = self.database.clone();
                return self.named_table(&database, call, span).map(Some);
            }
            "graph" => return Err(self.stored_graph(call, span)),
            "external_table" | "stored_query_result" | "entity_group" => {
                return Err(self.unsupported(&format!("'{name}()'"), span));
            }
            "not" => {
                self.expect_count(name, arguments.len(), 1, 1, span)?;
                let operand = self.scalar(&arguments[0])?;
                if !matches!(operand.ty, Type::Bool | Type::Dynamic) {
                    let message = format!("not(): argument 1 must be bool, found {}", operand.ty);
                    return Err(self.error("SEM0107", message, arguments[0].span));
                }
                operator(OperatorFunction::Not, vec![cast(operand, Type::Bool)], Type::Bool)
            }
            "now" => {
                self.expect_count(name, arguments.len(), 0, 1, span)?;
                let now = Expr::constant(Value::DateTime(self.catalog.now_ticks()));
                match arguments.first() {
                    None => now,
                    Some(offset) => {
                        let offset = self.scalar_of(offset, Type::TimeSpan)?;
                        let sum = operator(OperatorFunction::Add, vec![now, offset], Type::DateTime);
                        self.folded(sum)
                    }
                }
            }
            "ago" => {
                self.expect_count(name, arguments.len(), 1, 1, span)?;
                let now = Expr::constant(Value::DateTime(self.catalog.now_ticks()));
                let offset = self.scalar_of(&arguments[0], Type::TimeSpan)?;
                let difference = operator(OperatorFunction::Subtract, vec![now, offset], Type::DateTime);
                self.folded(difference)
            }
            "column_ifexists" | "columnifexists" => {
                self.expect_count(name, arguments.len(), 2, 2, span)?;
                let column = self.constant_text(&arguments[0])?;
                let found = self.row.as_ref().and_then(|row| {
                    row.position(&column).map(|position| Expr::column(position, row.columns[position].ty))
                });
                match found {
                    Some(found) => found,
                    None => self.scalar(&arguments[1])?,
                }
            }
            "iscolumnexists" => {
                self.expect_count(name, arguments.len(), 1, 1, span)?;
                let column = self.constant_text(&arguments[0])?;
                let exists = self.row.as_ref().is_some_and(|row| row.position(&column).is_some());
                Expr::constant(Value::Bool(exists))
            }
            "pack_all" => {
                self.expect_count(name, arguments.len(), 0, 1, span)?;
                let ignore_null = match arguments.first() {
                    Some(argument) => self.constant_of(argument)? == Value::Bool(true),
                    None => false,
                };
                self.pack_row(ignore_null, span)?
            }
            "pack" | "pack_dictionary" | "bag_pack" if matches!(arguments, [only] if only.kind == Ast::Star) => {
                self.pack_row(false, span)?
            }
            "bag_pack_columns" => {
                let mut pairs = Vec::with_capacity(arguments.len() * 2);
                for argument in arguments {
                    let value = self.scalar(argument)?;
                    let key = super::naming::result_name(argument).unwrap_or_default();
                    pairs.push(Expr::constant(Value::String(key)));
                    pairs.push(value);
                }
                self.packed(pairs, span)?
            }
            "column_names_of" => {
                self.expect_count(name, arguments.len(), 1, 1, span)?;
                let relation = self.table(&arguments[0])?;
                let names = relation.schema().iter().map(|column| Dynamic::String(column.name.clone()));
                Expr::constant(Value::Dynamic(Dynamic::Array(names.collect())))
            }
            "cursor_after" | "cursor_before_or_at" => {
                self.expect_count(name, arguments.len(), 1, 1, span)?;
                let cursor = self.scalar_of(&arguments[0], Type::String)?;
                let cursor = self.folded(cursor);
                let time = FunctionId::Context(ContextFunction::IngestionTime);
                let time = Expr::call(time, Vec::new(), Type::DateTime);
                let (function, comparison) = match name {
                    "cursor_after" => (ContextFunction::CursorAfter, OperatorFunction::Greater),
                    _ => (ContextFunction::CursorBeforeOrAt, OperatorFunction::LessOrEqual),
                };
                let known = match self.constant(&cursor) {
                    Some(Value::String(text)) if !text.is_empty() => {
                        let ticks = text.trim().parse().ok();
                        match ticks.or_else(|| crate::time::parse_datetime(text.trim())) {
                            Some(ticks) => Some(Expr::constant(Value::DateTime(ticks))),
                            None => {
                                let message = format!(
                                    "'{text}' is not a database cursor: take it from cursor_current()"
                                );
                                return Err(self.error("SEM0129", message, arguments[0].span));
                            }
                        }
                    }
                    _ => None,
                };
                match known {
                    // A comparison tells which parts of a table need not be read.
                    Some(known) => operator(comparison, vec![time, known], Type::Bool),
                    None => Expr::call(FunctionId::Context(function), vec![cursor, time], Type::Bool),
                }
            }
            "cursor_current" | "current_cursor" => {
                self.expect_count(name, arguments.len(), 0, 0, span)?;
                Expr::constant(Value::String(self.catalog.cursor_ticks().to_string()))
            }
            "estimate_data_size" => {
                let mut columns = Vec::new();
                for argument in arguments {
                    match (&argument.kind, &self.row) {
                        (Ast::Star, Some(row)) if !row.hidden => {
                            columns.extend(
                                row.columns
                                    .iter()
                                    .enumerate()
                                    .map(|(at, column)| Expr::column(at, column.ty)),
                            );
                        }
                        _ => {
                            let bound = self.scalar(argument)?;
                            self.expect_column(&bound, argument)?;
                            columns.push(bound);
                        }
                    }
                }
                self.resolved(
                    name,
                    FunctionId::Context(ContextFunction::EstimateDataSize),
                    columns,
                    &[],
                    span,
                )?
            }
            "bin_auto" => {
                self.expect_count(name, arguments.len(), 1, 1, span)?;
                self.bin_auto(&arguments[0], span)?
            }
            "current_database" => Expr::constant(Value::String(self.database.clone())),
            "materialize" | "toscalar" | "totable" if arguments.len() == 1 => {
                if name == "toscalar" {
                    return Err(self.error("SEM0111", "toscalar() expects a tabular expression", span));
                }
                let relation = self.table(&arguments[0])?;
                return Ok(Some(table_meaning(self.share(relation))));
            }
            "extract" if arguments.len() == 4 => self.typed_extract("extract", arguments, span)?,
            "extractjson" | "extract_json" | "extractJson"
                if arguments.len() == 3 && matches!(arguments[2].kind, Ast::TypeOf(_)) =>
            {
                self.typed_extract(name, arguments, span)?
            }
            _ => return Ok(None),
        };
        Ok(Some(Meaning::Scalar(scalar)))
    }

    /// `bin_auto(value)`: size and fixed point are options of the query.
    fn bin_auto(&mut self, value: &ast::Expr, span: Span) -> Bind<Expr> {
        let bound = self.scalar(value)?;
        let option = |binder: &Self, name: &str| {
            let set = binder.options.iter().rev().find(|(option, _)| option.eq_ignore_ascii_case(name));
            set.map(|(_, value)| Expr::constant(value.clone()))
        };
        let Some(size) = option(self, "query_bin_auto_size") else {
            if !self.catalog.runs() {
                return Ok(bound);
            }
            let message = "bin_auto() takes its bins from options of the query: 'set query_bin_auto_size = …;' is missing";
            return Err(self.error("SEM0129", message, span));
        };
        let (name, arguments) = match option(self, "query_bin_auto_at") {
            Some(at) => ("bin_at", vec![bound, size, at]),
            None => ("bin", vec![bound, size]),
        };
        match FunctionId::by_name(name) {
            Some(function) => self.resolved("bin_auto", function, arguments, &[Place::of(value)], span),
            None => Err(self.give_up()),
        }
    }

    /// `extract(…, typeof(T))`: the plain function and a conversion of its text.
    fn typed_extract(&mut self, name: &str, arguments: &[ast::Expr], span: Span) -> Bind<Expr> {
        let Some(function) = FunctionId::by_name(name) else {
            return Err(self.error("SEM0260", format!("Unknown function: '{name}'"), span));
        };
        let Some((last, plain)) = arguments.split_last() else {
            return Err(self.give_up());
        };
        let ty = match &last.kind {
            Ast::TypeOf(ast::TypeOf::Scalar(type_name)) => literal::type_of(type_name.keyword),
            _ => None,
        };
        let Some(ty) = ty else {
            return Err(self.error(
                "SEM0160",
                "A scalar type such as typeof(long) is expected here",
                last.span,
            ));
        };
        let bound = plain.iter().map(|argument| self.scalar(argument)).collect::<Vec<_>>();
        let bound = bound.into_iter().collect::<Bind<Vec<_>>>()?;
        let places: Vec<Place> = plain.iter().map(Place::of).collect();
        let text = self.resolved(name, function, bound, &places, span)?;
        Ok(match (ty, FunctionId::by_name("parse_json")) {
            (Type::Dynamic, Some(parse)) if text.ty == Type::String => {
                Expr::call(parse, vec![text], Type::Dynamic)
            }
            _ => cast(text, ty),
        })
    }

    /// The columns of the row that have names here.
    fn visible_columns(&self) -> Rc<Schema> {
        match &self.row {
            Some(row) if !row.hidden => row.columns.clone(),
            _ => Default::default(),
        }
    }

    fn pack_row(&mut self, ignore_null: bool, span: Span) -> Bind<Expr> {
        let columns = self.visible_columns();
        let mut pairs = Vec::with_capacity(columns.len() * 2);
        for (position, column) in columns.iter().enumerate() {
            pairs.push(Expr::constant(Value::String(column.name.clone())));
            pairs.push(Expr::column(position, column.ty));
        }
        let bag = self.packed(pairs, span)?;
        if !ignore_null {
            return Ok(bag);
        }
        // Nulls and empty texts are left out.
        match FunctionId::by_name("bag_remove_nulls") {
            Some(function) => Ok(Expr::call(function, vec![bag], Type::Dynamic)),
            None => Err(self.unsupported("pack_all(true)", span)),
        }
    }

    pub(super) fn packed(&mut self, pairs: Vec<Expr>, span: Span) -> Bind<Expr> {
        if pairs.is_empty() {
            return Ok(Expr::constant(Value::Dynamic(Dynamic::Object(Vec::new()))));
        }
        match FunctionId::by_name("bag_pack") {
            Some(function) => self.resolved("bag_pack", function, pairs, &[], span),
            None => Err(self.unsupported("bag_pack()", span)),
        }
    }

    fn expect_count(&mut self, name: &str, found: usize, least: usize, most: usize, span: Span) -> Bind<()> {
        if (least..=most).contains(&found) {
            return Ok(());
        }
        let message = count_message(name, least, Some(most));
        Err(self.error("SEM0219", message, span))
    }

    /// A call of a scalar or window function of the table.
    fn table_call(&mut self, function: FunctionId, call: &ast::Call, span: Span) -> Bind<Expr> {
        let spec = function.spec();
        if spec.kind == FunctionKind::Window && !self.row.as_ref().is_some_and(|row| row.serialized) {
            let message = format!(
                "The rows have no order of their own here, so the answer of '{}' depends on how they come",
                spec.name
            );
            let severity = crate::diagnostic::Severity::Warning;
            let kind = crate::diagnostic::DiagnosticKind::Semantic;
            let diagnostic = crate::diagnostic::Diagnostic::new("SEM0024", severity, kind, message, span)
                .with_hint("add '| serialize' or '| sort by …' before this operator");
            self.report(diagnostic);
        }
        let mut arguments = Vec::with_capacity(call.arguments.len());
        let mut failed = false;
        for argument in &call.arguments {
            // `pack_array(*)`: every column of the row.
            if spec.name == "pack_array" && matches!(argument.kind, Ast::Star) {
                let columns = self.visible_columns();
                arguments.extend(columns.iter().enumerate().map(|(at, column)| Expr::column(at, column.ty)));
                continue;
            }
            match self.argument_value(argument) {
                Ok(bound) => arguments.push(bound),
                Err(Reported) => failed = true,
            }
        }
        if failed {
            return Err(Reported);
        }
        let places: Vec<Place> = call.arguments.iter().map(Place::of).collect();
        self.resolved(&call.name.text, function, arguments, &places, span)
    }

    /// An argument; a type (`typeof(long)`) stands for its name.
    fn argument_value(&mut self, argument: &ast::Expr) -> Bind<Expr> {
        match &argument.kind {
            Ast::TypeOf(ast::TypeOf::Scalar(type_name)) => match literal::type_of(type_name.keyword) {
                Some(ty) => Ok(Expr::constant(Value::String(ty.name().to_string()))),
                None => Err(self.error("SEM0160", "An unknown type", argument.span)),
            },
            Ast::Star => Err(self.error("SEM0191", "'*' is not allowed here", argument.span)),
            _ => self.scalar(argument),
        }
    }

    /// Finds the overload for bound arguments and makes the call with all conversions.
    pub(super) fn resolved(
        &mut self,
        name: &str,
        function: FunctionId,
        arguments: Vec<Expr>,
        places: &[Place],
        span: Span,
    ) -> Bind<Expr> {
        let spec = function.spec();
        let spans: Vec<Span> = places.iter().map(|place| place.span).collect();
        let spans = spans.as_slice();
        let arguments = self.prepared(function, arguments);
        match spec.name {
            "case" => self.case_conditions(&arguments, spans, span)?,
            "bag_pack" => self.keys_and_values(name, &arguments, spans, span)?,
            "max_of" | "min_of" => self.comparable_arguments(spec.name, &arguments, span)?,
            "array_sort_asc" | "array_sort_desc" => self.sort_flag(spec.name, &arguments, spans, span)?,
            _ => {}
        }
        let overloads = signature::signatures(function);
        let wants = |parameter: &Parameter| {
            parameter.form == Form::Constant
                || parameter.form == Form::Literal
                || !parameter.allowed.is_empty()
        };
        let wants_constants =
            spec.return_rule.is_some() || overloads.iter().any(|found| found.parameters.iter().any(wants));
        let constants: Vec<Option<Value>> = arguments
            .iter()
            .map(|argument| if wants_constants { self.constant(argument) } else { None })
            .collect();
        let infos: Vec<ArgumentInfo<'_>> = arguments
            .iter()
            .zip(&constants)
            .enumerate()
            .map(|(position, (argument, constant))| ArgumentInfo {
                written: places.get(position).map_or(Written::Unknown, |place| place.written),
                ..argument_info(argument, constant.as_ref())
            })
            .collect();
        match signature::resolve(spec, overloads, &infos) {
            Ok(found) => {
                let must_fold = |position: usize| {
                    overloads.iter().any(|signature| {
                        let parameter = signature.parameters.get(position);
                        let parameter = parameter.or(signature.parameters.last());
                        parameter.is_some_and(|parameter| {
                            matches!(parameter.form, Form::Constant | Form::Literal | Form::Type)
                        })
                    })
                };
                let mut bound: Vec<Expr> = Vec::with_capacity(found.argument_types.len());
                for (position, (argument, ty)) in arguments.into_iter().zip(&found.argument_types).enumerate()
                {
                    let argument = match constants.get(position).cloned().flatten() {
                        Some(value) if must_fold(position) => Expr::constant(value),
                        _ => argument,
                    };
                    bound.push(cast(argument, *ty));
                }
                bound.extend(found.defaults.into_iter().map(Expr::constant));
                Ok(Expr::call(function, bound, found.result))
            }
            Err(mismatch) => Err(self.mismatch(name, &types_of(&arguments), mismatch, spans, span)),
        }
    }

    /// The arguments of `bag_pack` come in pairs, the first of each a text or a dynamic value.
    fn keys_and_values(&mut self, name: &str, arguments: &[Expr], spans: &[Span], span: Span) -> Bind<()> {
        if !arguments.len().is_multiple_of(2) {
            let message = format!("{name}() expects a value after each key: an even number of arguments");
            return Err(self.error("SEM0219", message, span));
        }
        for (position, key) in arguments.iter().enumerate().step_by(2) {
            if !matches!(key.ty, Type::String | Type::Dynamic) {
                let message = format!("{name}(): argument {} must be string, found {}", position + 1, key.ty);
                return Err(self.error("SEM0107", message, spans.get(position).copied().unwrap_or(span)));
            }
        }
        Ok(())
    }

    /// Brings the arguments of functions with choices of value to one type, as the engine does: dynamic
    /// gives way to the other type, and what has nothing in common becomes dynamic.
    fn prepared(&mut self, function: FunctionId, arguments: Vec<Expr>) -> Vec<Expr> {
        if !matches!(function, FunctionId::Conditional(_)) {
            return arguments;
        }
        let spec = function.spec();
        let count = arguments.len();
        let is_value = |position: usize| match spec.name {
            "iff" => position > 0,
            "case" => position % 2 == 1 || position + 1 == count,
            "coalesce" | "max_of" | "min_of" => true,
            _ => false,
        };
        let values: Vec<Type> = arguments
            .iter()
            .enumerate()
            .filter(|(position, argument)| is_value(*position) && argument.ty != Type::Dynamic)
            .map(|(_, argument)| argument.ty)
            .collect();
        let Some(first) = values.first().copied() else { return arguments };
        let mut common = Some(first);
        for ty in &values[1..] {
            common = common.and_then(|before| signature::common_type(before, *ty));
        }
        let ty = match (common, spec.name) {
            (Some(ty), _) => ty,
            (None, "iff" | "case") => Type::Dynamic,
            (None, _) => return arguments,
        };
        arguments
            .into_iter()
            .enumerate()
            .map(|(position, argument)| if is_value(position) { cast(argument, ty) } else { argument })
            .collect()
    }

    /// `case` takes conditions and values in turn, and one value more: what a signature cannot say.
    fn case_conditions(&mut self, arguments: &[Expr], spans: &[Span], span: Span) -> Bind<()> {
        let wrong = |(position, argument): &(usize, &Expr)| {
            position % 2 == 0 && position + 1 < arguments.len() && argument.ty != Type::Bool
        };
        if let Some((position, argument)) = arguments.iter().enumerate().find(wrong) {
            let message = format!("case(): argument {} must be bool, found {}", position + 1, argument.ty);
            return Err(self.error("SEM0107", message, spans.get(position).copied().unwrap_or(span)));
        }
        if arguments.len() >= 3 && arguments.len().is_multiple_of(2) {
            let message = format!("case() lacks its last value: {} arguments", arguments.len());
            return Err(self.error("SEM0219", message, span));
        }
        Ok(())
    }

    /// The greatest or least is asked of values that have an order.
    fn comparable_arguments(&mut self, name: &str, arguments: &[Expr], span: Span) -> Bind<()> {
        let unordered = |ty: Type| matches!(ty, Type::Dynamic | Type::Guid | Type::Bool);
        match arguments.iter().find(|argument| unordered(argument.ty)) {
            Some(argument) if arguments.len() > 1 => {
                let message = format!("{name}(): values of type {} have no order", argument.ty);
                let whole = Span::new(span.start, (span.start + name.len() as u32).min(span.end));
                Err(self.error("SEM0232", message, whole))
            }
            _ => Ok(()),
        }
    }

    /// Of the arguments of a sort only the last may be a flag.
    fn sort_flag(&mut self, name: &str, arguments: &[Expr], spans: &[Span], span: Span) -> Bind<()> {
        let before_last = arguments.len().saturating_sub(1);
        let flag = arguments[..before_last].iter().position(|argument| argument.ty == Type::Bool);
        match flag {
            Some(position) => {
                let message = format!("{name}(): argument {} must be dynamic, found bool", position + 1);
                Err(self.error("SEM0234", message, spans.get(position).copied().unwrap_or(span)))
            }
            None => Ok(()),
        }
    }

    pub(super) fn mismatch(
        &mut self,
        name: &str,
        types: &[Type],
        mismatch: Mismatch,
        spans: &[Span],
        span: Span,
    ) -> Reported {
        let place = |position: usize| spans.get(position).copied().unwrap_or(span);
        // What is wrong with the arguments together is said of the function's name.
        let whole = Span::new(span.start, (span.start + name.len() as u32).min(span.end));
        match mismatch {
            Mismatch::Count { least, most } => self.error("SEM0219", count_message(name, least, most), whole),
            Mismatch::Type { position, expected, code } => {
                let found = types.get(position).map_or("nothing", |ty| ty.name());
                let message =
                    format!("{name}(): argument {} must be {expected}, found {found}", position + 1);
                self.error(code, message, place(position))
            }
            Mismatch::Column { position } => {
                let message = format!("{name}(): argument {} must be the name of a column", position + 1);
                self.error("SEM0109", message, place(position))
            }
            Mismatch::Literal { position } => {
                let message = format!("{name}(): argument {} must be a literal", position + 1);
                self.error("SEM0131", message, place(position))
            }
            Mismatch::Value { position, allowed } => {
                let message =
                    format!("{name}(): argument {} must be one of {}", position + 1, allowed.join(", "));
                self.error("SEM0140", message, place(position))
            }
            Mismatch::Constant { position } => {
                let message = format!("{name}(): argument {} must be a constant", position + 1);
                self.error("SEM0129", message, place(position))
            }
            Mismatch::Common => {
                let names: Vec<&str> = types.iter().map(|ty| ty.name()).collect();
                let message =
                    format!("{name}(): the arguments have no type in common ({})", names.join(", "));
                self.error("SEM0232", message, whole)
            }
        }
    }

    /// The value of a default or omitted argument of a type.
    pub(super) fn null_expression(ty: Type) -> Expr {
        Expr::constant(null_of(ty))
    }
}

fn types_of(arguments: &[Expr]) -> Vec<Type> {
    arguments.iter().map(|argument| argument.ty).collect()
}

fn count_message(name: &str, least: usize, most: Option<usize>) -> String {
    let plural = |count: usize| if count == 1 { "argument" } else { "arguments" };
    match most {
        Some(0) => format!("{name}() expects no arguments"),
        Some(most) if most == least => format!("{name}() expects {least} {}", plural(least)),
        Some(most) if most == least + 1 => format!("{name}() expects {least} or {most} arguments"),
        Some(most) => format!("{name}() expects {least} to {most} arguments"),
        None => format!("{name}() expects at least {least} {}", plural(least)),
    }
}
