//! Statements: what they declare, and the results they yield.

use std::rc::Rc;

use crate::ast::{self, ExprKind as Ast, LetValue, ParameterKind, StatementKind};
use crate::plan::{Operator, ResultPlan};
use crate::value::Value;

use super::expression::Meaning;
use super::scope::{Entity, Function, Pattern};
use super::{Bind, Binder};

impl Binder<'_> {
    pub(super) fn bind_query(&mut self, query: &ast::Query) -> Vec<ResultPlan> {
        let mut results = Vec::new();
        for statement in &query.statements {
            self.note_statement(statement.span);
            match &statement.kind {
                StatementKind::Expression(expression) => self.result(expression, &mut results),
                _ => self.local_statement(statement),
            }
        }
        self.report_missing_patterns();
        results
    }

    fn result(&mut self, expression: &ast::Expr, results: &mut Vec<ResultPlan>) {
        self.visualization = None;
        self.result_name = None;
        self.operator = "query";
        self.results_at = self.pipelines + 1;
        let meaning = self.meaning(expression);
        self.results_at = 0;
        match meaning {
            Ok(Meaning::Table(relation)) => {
                if !self.forked.is_empty() {
                    results.append(&mut self.forked);
                    return;
                }
                let name = self.result_name.take().unwrap_or_else(|| "PrimaryResult".to_string());
                let visualization = self.visualization.take();
                results.push(ResultPlan { name, plan: relation.plan, visualization });
            }
            Ok(Meaning::Scalar(value)) => {
                // A scalar alone answers as `print` would.
                let schema = vec![crate::types::Column::new("print_0", value.ty)];
                let values = self.plan(Operator::Values { rows: vec![Vec::new()] }, Vec::new());
                let operator = Operator::Project { input: values, expressions: vec![value] };
                let plan = self.plan(operator, schema);
                results.push(ResultPlan { name: "PrimaryResult".to_string(), plan, visualization: None });
            }
            Ok(Meaning::Named) => {}
            Ok(Meaning::Graph(graph)) => results.extend(self.graph_results(*graph)),
            Ok(Meaning::Database(_)) => {
                self.error("SEM0111", "A tabular value is expected here", expression.span);
            }
            Err(_) => {
                self.failed = true;
            }
        }
    }

    /// A statement that declares something.
    pub(super) fn local_statement(&mut self, statement: &ast::Statement) {
        match &statement.kind {
            StatementKind::Let(statement) => self.let_statement(statement),
            StatementKind::Set(set) => self.set_statement(set),
            StatementKind::DeclareQueryParameters(parameters) => {
                for parameter in parameters {
                    self.query_parameter(parameter);
                }
            }
            StatementKind::Alias(alias) => {
                let database = match self.meaning(&alias.value) {
                    Ok(Meaning::Database(database)) => Some(database),
                    Ok(_) => {
                        self.error("SEM0208", "A database is expected here", alias.value.span);
                        None
                    }
                    Err(_) => {
                        self.failed = true;
                        None
                    }
                };
                self.aliases.push((alias.name.text.clone(), database));
            }
            StatementKind::DeclarePattern(pattern) => {
                let entity = Entity::Pattern(Rc::new(Pattern {
                    definition: pattern.definition.clone(),
                    names: self.names.clone(),
                    access: self.access.clone(),
                }));
                self.declare(&pattern.name, entity);
            }
            StatementKind::Restrict(restrict) => self.restrict_access(restrict),
            StatementKind::Expression(expression) => {
                self.error("SEM0201", "Only the last expression of a body is its result", expression.span);
            }
        }
    }

    /// Gives a name a meaning in the current block.
    fn declare(&mut self, name: &ast::Name, entity: Entity) {
        if name.text.is_empty() {
            self.failed = true;
            return;
        }
        if self.names.declared_in(&name.text, self.block) {
            let message = format!("A variable with the name '{}' has already been declared", name.text);
            self.error("SEM0201", message, name.span);
        }
        self.note_entity(name.span, &entity);
        self.names = self.names.with(name.text.clone(), entity, self.block);
    }

    fn let_statement(&mut self, statement: &ast::LetStatement) {
        let entity = match &statement.value {
            LetValue::Function(function) => {
                self.sketch(function);
                let mut seen: Vec<&str> = Vec::new();
                for parameter in &function.parameters {
                    if seen.contains(&parameter.name.text.as_str()) {
                        let message = format!("The parameter '{}' is declared twice", parameter.name.text);
                        self.error("SEM0201", message, parameter.name.span);
                    }
                    seen.push(&parameter.name.text);
                }
                Entity::Function(Rc::new(Function {
                    name: statement.name.text.clone(),
                    parameters: function.parameters.clone(),
                    body: function.body.clone(),
                    view: function.view,
                    names: self.names.clone(),
                    access: self.access.clone(),
                    stored_in: None,
                }))
            }
            LetValue::Expression(expression) if matches!(expression.kind, Ast::EntityGroup(_)) => {
                match self.entity_group(expression, false) {
                    Ok(members) => Entity::Group(Rc::new(members)),
                    Err(_) => {
                        self.failed = true;
                        Entity::Broken
                    }
                }
            }
            LetValue::Expression(expression) => self.let_value(expression),
        };
        self.declare(&statement.name, entity);
    }

    fn let_value(&mut self, expression: &ast::Expr) -> Entity {
        match self.meaning(expression) {
            Ok(Meaning::Scalar(bound)) => {
                let folded = self.folded(bound);
                self.scalar_entity(folded)
            }
            Ok(Meaning::Table(relation)) => Entity::Table(Rc::new(*relation)),
            Ok(Meaning::Graph(graph)) => Entity::Graph(Rc::new(*graph)),
            Ok(Meaning::Named) => {
                self.error("SEM0111", "A value is expected here", expression.span);
                Entity::Broken
            }
            Ok(Meaning::Database(database)) => Entity::Database(database),
            Err(_) => {
                self.failed = true;
                Entity::Broken
            }
        }
    }

    fn set_statement(&mut self, set: &ast::SetStatement) {
        let value = match &set.value {
            None => Value::Bool(true),
            Some(expression) => match &expression.kind {
                // Names may stand for themselves: `set query_datascope = hotcache`.
                Ast::Name(name) => Value::String(name.text.clone()),
                _ => match self.constant_of(expression) {
                    Ok(value) => value,
                    Err(_) => return,
                },
            },
        };
        self.options.push((set.name.text.clone(), value));
    }

    /// `declare query_parameters (name: type = default)`: the value comes with the request.
    fn query_parameter(&mut self, parameter: &ast::Parameter) {
        let entity = match self.query_parameter_value(parameter) {
            Ok(entity) => entity,
            Err(_) => {
                self.failed = true;
                Entity::Broken
            }
        };
        self.declare(&parameter.name, entity);
    }

    fn query_parameter_value(&mut self, parameter: &ast::Parameter) -> Bind<Entity> {
        let ParameterKind::Scalar(type_name) = &parameter.kind else {
            return Err(self.error("SEM0160", "A query parameter must be a scalar", parameter.span));
        };
        let ty = self.type_named(type_name)?;
        let value = match self.catalog.query_parameter(&parameter.name.text) {
            Some(text) => self.parameter_text(&text, ty),
            None => match &parameter.default {
                Some(default) => self.constant_of(default)?,
                // Whoever only checks a text gives no values.
                None if !self.catalog.runs() => super::null_of(ty),
                None => {
                    let message = format!("The query parameter '{}' has no value", parameter.name.text);
                    return Err(self.error("SEM0185", message, parameter.name.span));
                }
            },
        };
        let bound = super::comparison::cast(crate::plan::Expr::constant(value), ty);
        let bound = self.folded(bound);
        Ok(self.scalar_entity(bound))
    }

    /// The value of a parameter as sent: a literal of the language, or a bare text.
    fn parameter_text(&mut self, text: &str, ty: crate::types::Type) -> Value {
        let plain = Value::String(text.to_string());
        if ty == crate::types::Type::String && !text.starts_with(['\'', '"', '@', 'h', 'H']) {
            return plain;
        }
        let parsed = crate::parser::parse(&format!("print {text}"));
        if parsed.diagnostics.iter().any(crate::diagnostic::Diagnostic::is_error) {
            return plain;
        }
        let literal = parsed.query.statements.into_iter().next().and_then(|statement| {
            let StatementKind::Expression(expression) = statement.kind else { return None };
            let Ast::Pipeline(pipeline) = expression.kind else { return None };
            match pipeline.operators.into_iter().next()?.kind {
                ast::OperatorKind::Print(mut expressions) if expressions.len() == 1 => expressions.pop(),
                _ => None,
            }
        });
        match literal {
            Some(literal) => {
                let reported = self.diagnostics.len();
                let value = self.constant_of(&literal);
                self.diagnostics.truncate(reported);
                value.unwrap_or(plain)
            }
            None => plain,
        }
    }
}
