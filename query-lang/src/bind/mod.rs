//! The binder: from the syntax tree to a typed plan. Names become columns, tables and functions, every
//! expression gets its type, implicit conversions become calls, and what cannot be is reported.
//!
//! Binding never fails and never panics: it yields what it understood and diagnostics. It asks the
//! [`Catalog`] for everything outside of the text. A plan is there only if there was no error.
//!
//! ```text
//! statement ─▶ pipeline ─▶ operator/* ─▶ expression ─▶ call ─▶ function/signature
//! ```

mod aggregate;
mod call;
mod comparison;
mod entity;
mod expression;
mod graph;
mod literal;
mod naming;
pub mod notes;
mod operator;
mod origin;
mod pipeline;
mod projection;
mod scope;
mod statement;
mod user_function;
mod window;

use std::collections::HashSet;
use std::rc::Rc;

use crate::ast;
use crate::catalog::Catalog;
use crate::diagnostic::{Diagnostic, closest};
use crate::plan::{Expr, ExprKind, Plan, QueryPlan, Visualization};
use crate::span::Span;
use crate::types::{Schema, Type};
use crate::value::Value;

use aggregate::Aggregation;
use entity::Access;
use scope::{Names, Piped, Relation, RowScope};

/// How deep expressions, function calls and subqueries may nest.
const DEPTH_MAX: usize = 250;
/// How many operators a plan may have after functions and variables are put in place.
const OPERATORS_MAX: usize = 50_000;

/// What binding yields.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    /// Present if there is no error among the diagnostics.
    pub plan: Option<QueryPlan>,
    pub diagnostics: Vec<Diagnostic>,
    /// The columns of the first result as far as they are known, errors or not.
    pub schema: Option<Schema>,
}

/// Binds a query to a catalog. `text` is the text the tree was made from.
pub fn bind(query: &ast::Query, text: &str, catalog: &dyn Catalog) -> Bound {
    let mut binder = Binder::new(text, catalog);
    let mut results = binder.bind_query(query);
    results.iter_mut().for_each(|result| origin::settle(&mut result.plan));
    let schema = results.first().map(|result| result.plan.schema.clone());
    let mut diagnostics = std::mem::take(&mut binder.diagnostics);
    let mut seen = HashSet::new();
    diagnostics.retain(|diagnostic| seen.insert((diagnostic.span, diagnostic.message.clone())));
    let broken = binder.failed || diagnostics.iter().any(Diagnostic::is_error);
    let plan = (!broken).then(|| QueryPlan { results, options: std::mem::take(&mut binder.options) });
    Bound { plan, diagnostics, schema }
}

/// The diagnostics of a text and the columns of its first result, without running it.
pub fn check(text: &str, catalog: &dyn Catalog) -> (Vec<Diagnostic>, Option<Schema>) {
    let parsed = crate::parser::parse(text);
    let mut diagnostics = parsed.diagnostics;
    let broken = diagnostics.iter().any(Diagnostic::is_error);
    let bound = bind(&parsed.query, text, catalog);
    // Names that are unknown only because the text is broken would hide what is really wrong.
    if !broken {
        diagnostics.extend(bound.diagnostics);
    }
    (diagnostics, bound.schema)
}

/// Marks that something could not be bound; the diagnostic is made already.
#[derive(Clone, Copy, Debug)]
struct Reported;

type Bind<T> = Result<T, Reported>;

struct Binder<'a> {
    text: &'a str,
    catalog: &'a dyn Catalog,
    diagnostics: Vec<Diagnostic>,
    /// Something was left out that makes the plan useless even if no diagnostic says so.
    failed: bool,
    options: Vec<(String, Value)>,
    /// Databases by the names that `alias database` gives them; `None`: its definition was wrong.
    aliases: Vec<(String, Option<String>)>,
    /// What `restrict access` leaves.
    access: Access,
    /// Calls of patterns that no case fits, and the place of the first.
    missing_patterns: Vec<String>,
    missing_pattern_span: Option<Span>,
    names: Names,
    block: u32,
    row: Option<RowScope>,
    rows: u32,
    /// Set while the expressions of `summarize` and its kin are bound.
    aggregation: Option<Aggregation>,
    /// Columns whose expressions were wrong: uses of them are not reported again.
    broken_columns: HashSet<String>,
    /// The database names are looked up in: that of the request, or of the stored function being bound.
    database: String,
    /// Keyword of the operator being bound, for messages.
    operator: &'static str,
    /// While the body of a stored function is bound: its name and the place of the call.
    foreign: Option<(String, Span)>,
    /// Stored functions being bound, to find recursion.
    active: Vec<String>,
    depth: usize,
    operators: usize,
    shared: u32,
    parameters: u32,
    /// The `toscalar`s around what is being bound, the innermost last.
    correlations: Vec<expression::Correlation>,
    visualization: Option<Visualization>,
    /// The rows a subquery without a source takes (`mv-apply`, `partition`, `fork`).
    argument: Option<Piped>,
    /// How many subqueries stand around what is being bound.
    subqueries: usize,
    /// How many pipelines are being bound, and at which number one may yield several results.
    pipelines: usize,
    results_at: usize,
    /// The match that the expressions of `graph-match` are about.
    graph: Option<graph::GraphScope>,
    result_name: Option<String>,
    forked: Vec<crate::plan::ResultPlan>,
    /// What editors want to know, if one asks.
    notes: Option<Box<notes::Notes>>,
}

impl<'a> Binder<'a> {
    fn new(text: &'a str, catalog: &'a dyn Catalog) -> Binder<'a> {
        Binder {
            text,
            catalog,
            diagnostics: Vec::new(),
            failed: false,
            options: Vec::new(),
            aliases: Vec::new(),
            access: Access::default(),
            missing_patterns: Vec::new(),
            missing_pattern_span: None,
            names: Names::default(),
            block: 0,
            row: None,
            rows: 0,
            aggregation: None,
            broken_columns: HashSet::new(),
            database: catalog.default_database().to_string(),
            operator: "query",
            foreign: None,
            active: Vec::new(),
            depth: 0,
            operators: 0,
            shared: 0,
            parameters: 0,
            correlations: Vec::new(),
            visualization: None,
            argument: None,
            subqueries: 0,
            pipelines: 0,
            results_at: 0,
            graph: None,
            result_name: None,
            forked: Vec::new(),
            notes: None,
        }
    }

    fn report(&mut self, diagnostic: Diagnostic) -> Reported {
        let diagnostic = match &self.foreign {
            None => diagnostic,
            Some((function, span)) => Diagnostic {
                message: format!("In function '{function}': {}", diagnostic.message),
                span: *span,
                ..diagnostic
            },
        };
        self.diagnostics.push(diagnostic);
        Reported
    }

    fn error(&mut self, code: &'static str, message: impl Into<String>, span: Span) -> Reported {
        self.report(Diagnostic::semantic(code, message, span))
    }

    /// An error with a suggestion, if one of the candidates is like the word.
    fn unknown<'c>(
        &mut self,
        code: &'static str,
        message: String,
        span: Span,
        word: &str,
        candidates: impl IntoIterator<Item = &'c str>,
    ) -> Reported {
        let mut diagnostic = Diagnostic::semantic(code, message, span);
        let lower = word.to_ascii_lowercase();
        let mut case_only = None;
        let candidates: Vec<&str> = candidates.into_iter().collect();
        for candidate in &candidates {
            if candidate.to_ascii_lowercase() == lower {
                case_only = Some(*candidate);
            }
        }
        if let Some(found) = case_only.or_else(|| closest(word, candidates.iter().copied())) {
            diagnostic = diagnostic.with_hint(format!("did you mean '{found}'?"));
        }
        self.report(diagnostic)
    }

    fn unsupported(&mut self, what: &str, span: Span) -> Reported {
        self.error("SEM0010", format!("{what} is not supported"), span)
    }

    /// Something that stands behind an error: no plan will come out, and nothing more is said about it.
    fn give_up(&mut self) -> Reported {
        self.failed = true;
        Reported
    }

    /// Whether the text sets an option to true.
    fn is_set(&self, option: &str) -> bool {
        let set = self.options.iter().rev().find(|(name, _)| name.eq_ignore_ascii_case(option));
        set.is_some_and(|(_, value)| *value == Value::Bool(true))
    }

    /// Runs a binding step one level deeper; refuses where the nesting is too deep for the stack.
    fn deeper<T>(&mut self, span: Span, step: impl FnOnce(&mut Self) -> Bind<T>) -> Bind<T> {
        if self.depth >= DEPTH_MAX {
            return Err(self.error("SEM0011", "The query is nested too deeply", span));
        }
        self.depth += 1;
        let result = step(self);
        self.depth -= 1;
        result
    }

    /// Runs a binding step with the columns of a schema in scope.
    fn with_row<T>(&mut self, relation: &Relation, step: impl FnOnce(&mut Self) -> T) -> T {
        self.rows += 1;
        let row = RowScope {
            number: self.rows,
            columns: Rc::new(relation.schema().clone()),
            hidden: false,
            serialized: relation.serialized,
            left_columns: None,
            steps: None,
        };
        self.with_row_scope(Some(row), step)
    }

    fn with_row_scope<T>(&mut self, row: Option<RowScope>, step: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.row, row);
        let aggregation = self.aggregation.take();
        let result = step(self);
        self.row = outer;
        self.aggregation = aggregation;
        result
    }

    /// Counts a new operator of the plan.
    fn plan(&mut self, operator: crate::plan::Operator, schema: Schema) -> Plan {
        self.operators += 1;
        window::lifted(operator, schema)
    }

    /// Counts parts of the plan that are put in place; refuses plans that grow past all use.
    fn charge(&mut self, parts: usize, span: Span) -> Bind<()> {
        self.operators += parts;
        if self.operators > OPERATORS_MAX {
            return Err(self.error(
                "SEM0011",
                "The query grows too large when its names are put in place",
                span,
            ));
        }
        Ok(())
    }

    fn next_parameter(&mut self) -> u32 {
        self.parameters += 1;
        self.parameters
    }

    fn next_shared(&mut self) -> u32 {
        self.shared += 1;
        self.shared
    }

    /// The constant an expression comes to, if it has no columns and is not volatile.
    fn constant(&self, expression: &Expr) -> Option<Value> {
        match &expression.kind {
            ExprKind::Constant(value) => Some(value.clone()),
            _ if is_foldable(expression) => self.catalog.fold(expression),
            _ => None,
        }
    }

    /// The expression as a constant where it comes to one.
    fn folded(&self, expression: Expr) -> Expr {
        match self.constant(&expression) {
            Some(value) if value.ty() == expression.ty => Expr::constant(value),
            _ => expression,
        }
    }
}

/// Whether an expression has neither columns nor subqueries nor volatile or windowed calls.
pub(crate) fn is_foldable(expression: &Expr) -> bool {
    match &expression.kind {
        ExprKind::Constant(_) => true,
        ExprKind::Column(_)
        | ExprKind::CorrelatedSubquery { .. }
        | ExprKind::Parameter(_)
        | ExprKind::ScalarSubquery(_)
        | ExprKind::InSubquery { .. } => false,
        ExprKind::Call { function, arguments } => {
            let spec = function.spec();
            !spec.volatile
                && spec.kind == crate::function::FunctionKind::Scalar
                && arguments.iter().all(is_foldable)
        }
    }
}

/// Whether an expression of constants alone comes to another value each time.
fn is_drawn(expression: &Expr) -> bool {
    fn of_constants(expression: &Expr, volatile: &mut bool) -> bool {
        match &expression.kind {
            ExprKind::Constant(_) => true,
            ExprKind::Call { function, arguments } => {
                let spec = function.spec();
                *volatile |= spec.volatile;
                spec.kind == crate::function::FunctionKind::Scalar
                    && arguments.iter().all(|argument| of_constants(argument, volatile))
            }
            _ => false,
        }
    }
    let mut volatile = false;
    of_constants(expression, &mut volatile) && volatile
}

/// Whether an expression reads columns of its row.
fn has_columns(expression: &Expr) -> bool {
    match &expression.kind {
        ExprKind::Constant(_) | ExprKind::Parameter(_) | ExprKind::ScalarSubquery(_) => false,
        ExprKind::Column(_) => true,
        ExprKind::CorrelatedSubquery { parameters, .. } => {
            parameters.iter().any(|(_, value)| has_columns(value))
        }
        ExprKind::Call { arguments, .. } => arguments.iter().any(has_columns),
        ExprKind::InSubquery { value, .. } => has_columns(value),
    }
}

/// The null of a type; the empty text for strings.
fn null_of(ty: Type) -> Value {
    match ty {
        Type::String => Value::String(String::new()),
        Type::Dynamic => Value::Dynamic(crate::value::Dynamic::Null),
        ty => Value::Null(ty),
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_entities;
