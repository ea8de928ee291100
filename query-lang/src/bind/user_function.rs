//! Functions of the query (`let f = (a: long) { … }`) and of the database: their calls are put in place.

use std::rc::Rc;

use crate::ast::{self, ExprKind as Ast, LetValue, ParameterKind, StatementKind};
use crate::plan::Expr;
use crate::span::Span;
use crate::types::Type;
use crate::value::Value;

use super::comparison::cast;
use super::entity::Access;
use super::expression::Meaning;
use super::scope::{Entity, Function, Names, Pattern, Piped, RowScope};
use super::{Bind, Binder, Reported, literal};

impl Binder<'_> {
    /// The stored function of that name, read from its text.
    pub(super) fn stored_function(
        &mut self,
        database: &str,
        name: &str,
        span: Span,
    ) -> Bind<Option<Rc<Function>>> {
        let Some(stored) = self.catalog.function(database, name) else { return Ok(None) };
        if !self.is_reachable(database, name) {
            return Err(self.unreachable(name, span));
        }
        let body = stored.body.trim();
        let body = if body.starts_with('{') { body.to_string() } else { format!("{{\n{body}\n}}") };
        let parameters = stored.parameters.trim();
        let parameters = if parameters.is_empty() { "()" } else { parameters };
        let text = format!("let f = {parameters} {body};");
        let parsed = crate::parser::parse(&text);
        if let Some(diagnostic) = parsed.diagnostics.iter().find(|diagnostic| diagnostic.is_error()) {
            let message = format!("The stored function '{name}' is broken: {}", diagnostic.message);
            return Err(self.error("SEM0200", message, span));
        }
        let declaration = parsed.query.statements.into_iter().next().map(|statement| statement.kind);
        match declaration {
            Some(StatementKind::Let(ast::LetStatement { value: LetValue::Function(function), .. })) => {
                Ok(Some(Rc::new(Function {
                    name: name.to_string(),
                    parameters: function.parameters,
                    body: function.body,
                    view: function.view,
                    names: Names::default(),
                    access: Access::default(),
                    stored_in: Some(database.to_string()),
                })))
            }
            _ => Err(self.error("SEM0200", format!("The stored function '{name}' is broken"), span)),
        }
    }

    /// A call put in place: arguments are bound where the call stands, the body where it was declared.
    pub(super) fn call_function(
        &mut self,
        function: &Rc<Function>,
        arguments: &[ast::Expr],
        span: Span,
    ) -> Bind<Meaning> {
        self.call_function_with(function, None, arguments, span)
    }

    /// As `call_function`; `first` is the table that `invoke` hands over.
    pub(super) fn call_function_with(
        &mut self,
        function: &Rc<Function>,
        first: Option<Piped>,
        arguments: &[ast::Expr],
        span: Span,
    ) -> Bind<Meaning> {
        self.deeper(span, |binder| binder.expanded(function, first, arguments, span))
    }

    fn expanded(
        &mut self,
        function: &Rc<Function>,
        first: Option<Piped>,
        arguments: &[ast::Expr],
        span: Span,
    ) -> Bind<Meaning> {
        self.charge(1, span)?;
        if self.active.len() > 60 {
            return Err(self.error("SEM0011", "The query calls functions too deeply", span));
        }
        let key = format!("{}/{}", function.stored_in.as_deref().unwrap_or(""), function.name);
        if function.stored_in.is_some() && self.active.contains(&key) {
            let message = format!("The function '{}' calls itself: recursion is not allowed", function.name);
            return Err(self.error("SEM0012", message, span));
        }
        let values = self.parameter_values(function, first, arguments, span)?;

        self.active.push(key);
        let outer_names = std::mem::replace(&mut self.names, function.names.clone());
        let outer_access = std::mem::replace(&mut self.access, function.access.clone());
        let outer_row = self.row.clone();
        let outer_block = self.block;
        let outer_database = self.database.clone();
        let outer_foreign = self.foreign.clone();
        if let Some(database) = &function.stored_in {
            self.database = database.clone();
            if self.foreign.is_none() {
                self.foreign = Some((function.name.clone(), span));
            }
        }
        self.block += 1;
        for (parameter, value) in function.parameters.iter().zip(values) {
            self.names = self.names.with(parameter.name.text.clone(), value, self.block);
        }
        self.block += 1;
        // Columns of the caller have no names here, but arguments may read them.
        self.row = outer_row.clone().map(|row| RowScope { hidden: true, ..row });
        let aggregation = if self.is_scalar_body(function) { None } else { self.aggregation.take() };
        let result = self.function_body(&function.body, span);
        if aggregation.is_some() {
            self.aggregation = aggregation;
        }
        self.row = outer_row;
        self.block = outer_block;
        self.names = outer_names;
        self.access = outer_access;
        self.database = outer_database;
        self.foreign = outer_foreign;
        self.active.pop();
        result
    }

    pub(super) fn is_scalar_body(&self, function: &Function) -> bool {
        !matches!(
            function.body.result.as_ref().map(|result| &result.kind),
            Some(Ast::Pipeline(_) | Ast::DataTable(_))
        )
    }

    fn function_body(&mut self, body: &ast::FunctionBody, span: Span) -> Bind<Meaning> {
        for statement in &body.statements {
            self.local_statement(statement);
        }
        match &body.result {
            Some(result) => self.meaning(result),
            None => Err(self.error("SEM0200", "The function has no result", span)),
        }
    }

    fn parameter_values(
        &mut self,
        function: &Function,
        first: Option<Piped>,
        arguments: &[ast::Expr],
        span: Span,
    ) -> Bind<Vec<Entity>> {
        let count = function.parameters.len();
        let mut values: Vec<Option<Entity>> = vec![None; count];
        let mut failed = false;
        let handed_over = usize::from(first.is_some());
        if let Some(relation) = first {
            match function.parameters.first() {
                Some(parameter) => values[0] = Some(self.tabular_value(parameter, relation, span)?),
                None => {
                    let message = format!("The function '{}' takes no table", function.name);
                    return Err(self.error("SEM0219", message, span));
                }
            }
        }
        for (position, argument) in arguments.iter().enumerate() {
            let (target, value) = match &argument.kind {
                Ast::Named { name, value } => {
                    match function.parameters.iter().position(|parameter| parameter.name.text == name.text) {
                        Some(found) => (found, value.as_ref()),
                        None => {
                            let message = format!(
                                "The argument name '{}' does not refer to a parameter of '{}'",
                                name.text, function.name
                            );
                            let names: Vec<&str> = function
                                .parameters
                                .iter()
                                .map(|parameter| parameter.name.text.as_str())
                                .collect();
                            return Err(self.unknown("SEM0196", message, name.span, &name.text, names));
                        }
                    }
                }
                _ => (position + handed_over, argument),
            };
            let Some(parameter) = function.parameters.get(target) else {
                return Err(self.wrong_count(function, span));
            };
            match self.parameter_value(parameter, value) {
                Ok(value) => values[target] = Some(value),
                Err(Reported) => failed = true,
            }
        }
        if failed {
            return Err(Reported);
        }
        let mut filled = Vec::with_capacity(count);
        for (parameter, value) in function.parameters.iter().zip(values) {
            let value = match (value, &parameter.default) {
                (Some(value), _) => value,
                (None, Some(default)) => {
                    self.with_row_scope(None, |binder| binder.parameter_value(parameter, default))?
                }
                (None, None) => return Err(self.wrong_count(function, span)),
            };
            filled.push(value);
        }
        Ok(filled)
    }

    fn wrong_count(&mut self, function: &Function, span: Span) -> Reported {
        let (least, most) = (function.least_arguments(), function.parameters.len());
        let count = if least == most { most.to_string() } else { format!("{least} to {most}") };
        let noun = if least == most && most == 1 { "argument" } else { "arguments" };
        self.error("SEM0219", format!("{}() expects {count} {noun}", function.name), span)
    }

    fn parameter_value(&mut self, parameter: &ast::Parameter, argument: &ast::Expr) -> Bind<Entity> {
        match &parameter.kind {
            ParameterKind::Scalar(type_name) => {
                let ty = self.type_named(type_name)?;
                let bound = self.scalar(argument)?;
                let bound = self.folded(bound);
                let value = self.folded(convert(bound, ty));
                Ok(self.scalar_entity(value))
            }
            ParameterKind::Tabular(_) => {
                let argument_value = self.with_row_scope(None, |binder| binder.meaning(argument))?;
                let piped = match argument_value {
                    Meaning::Graph(graph) => Piped::Graph(*graph),
                    Meaning::Table(relation) => Piped::Rows(*relation),
                    _ => {
                        let message = "A tabular value is expected here";
                        return Err(self.error("SEM0111", message, argument.span));
                    }
                };
                self.tabular_value(parameter, piped, argument.span)
            }
        }
    }

    /// A table for a tabular parameter: it must have the declared columns.
    fn tabular_value(&mut self, parameter: &ast::Parameter, piped: Piped, span: Span) -> Bind<Entity> {
        let ParameterKind::Tabular(schema) = &parameter.kind else {
            let message = format!("The parameter '{}' is not tabular", parameter.name.text);
            return Err(self.error("SEM0111", message, span));
        };
        let relation = match piped {
            Piped::Rows(relation) => relation,
            Piped::Graph(graph) if schema.columns.is_empty() => return Ok(Entity::Graph(Rc::new(graph))),
            Piped::Graph(_) | Piped::Named => {
                let message = format!("The parameter '{}' takes a table", parameter.name.text);
                return Err(self.error("SEM0111", message, span));
            }
        };
        for column in &schema.columns {
            let ty = self.type_named(&column.type_name)?;
            let found = relation.schema().iter().find(|found| found.name == column.name.text);
            if found.is_none_or(|found| found.ty != ty) {
                let message = match found {
                    None => format!("The table lacks the column '{}' of type {ty}", column.name.text),
                    Some(found) => format!("The column '{}' must be {ty}, found {}", found.name, found.ty),
                };
                return Err(self.error("SEM0249", message, span));
            }
        }
        // Only the declared columns can be named, unless any are admitted; all flow through.
        Ok(Entity::Table(Rc::new(relation)))
    }

    /// The body of the case of a pattern that the arguments and the path choose.
    pub(super) fn call_pattern(
        &mut self,
        pattern: &Rc<Pattern>,
        call: &ast::Call,
        path: Option<&str>,
        span: Span,
    ) -> Bind<Meaning> {
        self.charge(1, span)?;
        let Some(definition) = &pattern.definition else {
            return self.missing_pattern(call, path, span);
        };
        if call.arguments.len() != definition.parameters.len() {
            let count = definition.parameters.len();
            let noun = if count == 1 { "argument" } else { "arguments" };
            return Err(self.error("SEM0219", format!("{}() expects {count} {noun}", call.name.text), span));
        }
        let mut values = Vec::with_capacity(call.arguments.len());
        for argument in &call.arguments {
            values.push(self.constant_of(argument)?);
        }
        for case in &definition.cases {
            let mut fits = case.arguments.len() == values.len();
            for (given, value) in case.arguments.iter().zip(&values) {
                fits = fits && self.constant_of(given)? == *value;
            }
            let case_path = match &case.path {
                Some(path) => Some(self.constant_text(path)?),
                None => None,
            };
            if !fits || case_path.as_deref() != path {
                continue;
            }
            let outer_names = std::mem::replace(&mut self.names, pattern.names.clone());
            let outer_access = std::mem::replace(&mut self.access, pattern.access.clone());
            let outer_block = self.block;
            self.block += 1;
            let path_value = definition
                .path
                .iter()
                .zip(case_path)
                .map(|(parameter, path)| (parameter.name.text.clone(), Value::String(path)));
            let named = definition.parameters.iter().zip(values);
            let named = named.map(|(parameter, value)| (parameter.name.text.clone(), value));
            for (name, value) in named.chain(path_value) {
                let entity = self.scalar_entity(Expr::constant(value));
                self.names = self.names.with(name, entity, self.block);
            }
            self.block += 1;
            let result = self.with_row_scope(None, |binder| binder.function_body(&case.body, span));
            self.block = outer_block;
            self.names = outer_names;
            self.access = outer_access;
            return result;
        }
        self.missing_pattern(call, path, span)
    }

    /// A call that no case fits. All of a query are reported together, for whoever fills them in.
    fn missing_pattern(&mut self, call: &ast::Call, path: Option<&str>, span: Span) -> Bind<Meaning> {
        let quoted = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
        let mut arguments = Vec::with_capacity(call.arguments.len());
        for argument in &call.arguments {
            arguments.push(quoted(&self.constant_text(argument)?));
        }
        let mut reference = format!("{}({})", call.name.text, arguments.join(","));
        if let Some(path) = path {
            reference.push_str(&format!(".[{}]", quoted(path)));
        }
        if !self.missing_patterns.contains(&reference) {
            self.missing_patterns.push(reference);
        }
        self.missing_pattern_span.get_or_insert(span);
        Err(self.give_up())
    }

    /// Says which calls of patterns have no case.
    pub(super) fn report_missing_patterns(&mut self) {
        let Some(span) = self.missing_pattern_span else { return };
        let references: Vec<String> =
            self.missing_patterns.iter().map(|text| format!("\"{text}\"")).collect();
        let message = format!(
            "One or more pattern references were not declared. Detected pattern references: [{}]",
            references.join(",")
        );
        self.error("SEM0036", message, span);
    }

    /// The type of a type name of the text.
    pub(super) fn type_named(&mut self, type_name: &ast::TypeName) -> Bind<Type> {
        match literal::type_of(type_name.keyword) {
            Some(ty) => Ok(ty),
            None => Err(self.error(
                "SEM0160",
                format!("The name '{}' is not a valid type name", type_name.text),
                type_name.span,
            )),
        }
    }
}

/// An argument in the type of its parameter; texts are not parsed into dynamic values.
fn convert(expression: Expr, ty: Type) -> Expr {
    cast(expression, ty)
}
