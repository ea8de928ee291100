//! The door to the engine that the server and the commands share: a text in, batches out.
//!
//! Turns what a request says (database, parameters, options) into what the engine asks for. Knows no HTTP.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use conshelf_kql::ast::{ExprKind, LiteralValue, ParameterKind, StatementKind, TypeKeyword};
use conshelf_kql::catalog::Catalog;
use conshelf_kql::optimise::time_scope::TimeScope;
use conshelf_kql::{Schema, Value};
use conshelf_storage::{DEFAULT_DATABASE, Store};

use crate::engine::context::QueryLimits;
use crate::engine::error::QueryDiagnostic;
use crate::engine::{Batch, BatchWriter, Engine, EngineError, Output, Prepared, QueryContext, QueryRequest};
use crate::response::value_text::quoted;
use crate::response::{QueryStatistics, ResultHeader};

/// A value for `declare query_parameters`.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    pub name: String,
    pub value: ParameterValue,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParameterValue {
    /// Text of a KQL literal.
    Literal(String),
    /// Taken as it is for a string parameter, as a literal for others.
    Text(String),
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct QueryInput {
    pub text: String,
    /// Empty: the default one.
    pub database: String,
    pub parameters: Vec<Parameter>,
    /// Only rows within it are read.
    pub time_scope: Option<TimeScope>,
}

/// A query that is understood and not yet run.
#[derive(Debug)]
pub struct PreparedQuery {
    pub results: Vec<ResultHeader>,
    /// Options set in the text, in order.
    pub options: Vec<(String, Value)>,
    engine: Engine,
    prepared: Prepared,
}

/// The name of the database as it was created; the default one where none is named.
fn database_name(store: &Store, name: &str) -> Result<String, EngineError> {
    let name = if name.is_empty() { DEFAULT_DATABASE } else { name };
    match store.snapshot().database(name) {
        Some(database) => Ok(database.name.clone()),
        None => Err(EngineError::Query(vec![QueryDiagnostic {
            code: "SEM0100".to_owned(),
            is_syntax: false,
            message: format!("Entity ID '{name}' of kind 'Database' was not found."),
            start: 0,
            length: 0,
            hints: Vec::new(),
        }])),
    }
}

/// Understands a query.
pub fn prepare(
    store: &Store,
    input: &QueryInput,
    context: &Arc<QueryContext>,
) -> Result<PreparedQuery, EngineError> {
    let engine = Engine::new(store.clone());
    let request = QueryRequest {
        text: input.text.clone(),
        database: database_name(store, &input.database)?,
        parameters: literals(&input.text, &input.parameters),
        context: context.clone(),
    };
    let prepared = engine.prepare_within(&request, input.time_scope.as_ref())?;
    let results: Vec<ResultHeader> = prepared
        .results()
        .into_iter()
        .map(|result| ResultHeader {
            name: result.name,
            columns: result.schema,
            visualization: result.visualization,
        })
        .collect();
    if results.is_empty() {
        return Err(EngineError::Query(vec![QueryDiagnostic {
            code: "SEM0001".to_owned(),
            is_syntax: false,
            message: "the query has no tabular expression: it yields no result".to_owned(),
            start: 0,
            length: input.text.len(),
            hints: Vec::new(),
        }]));
    }
    let options = prepared.options().to_vec();
    Ok(PreparedQuery { results, options, engine, prepared })
}

impl PreparedQuery {
    /// Whether the answer may be given again to whoever asks the same soon: it takes no data from elsewhere, runs
    /// no plugin and does not depend on who asks.
    pub fn may_be_answered_again(&self) -> bool {
        // Names in texts of the query can only make it run once more.
        let plan = format!("{:?}", self.prepared.plan.results);
        !["External(", "Plugin {", "CurrentPrincipal"].iter().any(|part| plan.contains(part))
    }

    /// Runs it, throws its rows away and tells what each operator did.
    pub fn explain(&self) -> Result<String, EngineError> {
        self.engine.explain_prepared(&self.prepared)
    }

    /// Runs it; rows go to `sink` with the index of their result, in ascending order of results.
    pub fn run(
        self,
        context: &Arc<QueryContext>,
        sink: &mut dyn FnMut(usize, Batch) -> Result<ControlFlow<()>, EngineError>,
    ) -> Result<QueryStatistics, EngineError> {
        self.run_written(context, None, &mut |index, batch, _| sink(index, batch))
    }

    /// As `run`, with the bytes that the writer made of the first rows of each batch.
    pub fn run_written(
        self,
        context: &Arc<QueryContext>,
        writer: Option<Arc<dyn BatchWriter>>,
        sink: &mut Output<'_>,
    ) -> Result<QueryStatistics, EngineError> {
        let statistics = self.engine.run_written(&self.prepared, writer, sink)?;
        let progress = &context.progress;
        Ok(QueryStatistics {
            execution_seconds: statistics.elapsed_seconds,
            cpu_seconds: statistics.elapsed_seconds,
            memory_peak_bytes: context.memory_peak_bytes(),
            extents_total: progress.extents_total.load(Relaxed),
            extents_scanned: progress.extents_scanned.load(Relaxed),
            rows_total: progress.rows_scanned.load(Relaxed),
            rows_scanned: progress.rows_scanned.load(Relaxed),
            bytes_scanned: progress.bytes_scanned.load(Relaxed),
            results: Vec::new(),
        })
    }
}

/// The `now()` that a text sets for itself (`set query_now = datetime(…)`).
pub fn now_set_in(text: &str) -> Option<i64> {
    if !text.contains("query_now") {
        return None;
    }
    conshelf_kql::parse(text).query.statements.into_iter().find_map(|statement| match statement.kind {
        StatementKind::Set(set) if set.name.text.eq_ignore_ascii_case("query_now") => match set.value?.kind {
            ExprKind::Literal(LiteralValue::Datetime(ticks)) => Some(ticks),
            ExprKind::Literal(LiteralValue::String(text)) => conshelf_kql::time::parse_datetime(&text.value),
            _ => None,
        },
        _ => None,
    })
}

/// The given parameters as KQL literals. What a text means depends on the type that the query declares.
fn literals(text: &str, parameters: &[Parameter]) -> Vec<(String, String)> {
    if parameters.is_empty() {
        return Vec::new();
    }
    let mut declared: Vec<(String, TypeKeyword)> = Vec::new();
    for statement in conshelf_kql::parse(text).query.statements {
        if let StatementKind::DeclareQueryParameters(list) = statement.kind {
            for parameter in list {
                if let ParameterKind::Scalar(ty) = parameter.kind {
                    declared.push((parameter.name.text, ty.keyword));
                }
            }
        }
    }
    parameters
        .iter()
        .filter_map(|parameter| {
            let (name, ty) = declared.iter().find(|(name, _)| *name == parameter.name)?;
            Some((name.clone(), literal(*ty, &parameter.value)))
        })
        .collect()
}

fn literal(ty: TypeKeyword, value: &ParameterValue) -> String {
    match (ty, value) {
        (TypeKeyword::String, ParameterValue::Literal(text)) => quoted(text),
        (TypeKeyword::String, ParameterValue::Text(text)) => {
            // The Go SDK sends strings as literals.
            let inner = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            match inner.and_then(|_| serde_json::from_str::<String>(text).ok()) {
                Some(inner) => quoted(&inner),
                None => quoted(text),
            }
        }
        (ty, ParameterValue::Literal(text) | ParameterValue::Text(text)) => {
            let text = text.trim();
            let lower = text.to_ascii_lowercase();
            let is_typed = lower.ends_with(')')
                && lower.split_once('(').is_some_and(|(name, _)| {
                    conshelf_kql::Type::from_name(name.trim()).is_some() || name.trim().ends_with("now")
                });
            if is_typed || ty == TypeKeyword::Unknown {
                text.to_owned()
            } else {
                // `datetime("2024-01-01")` is no literal, its content without quotes is.
                let bare = if ty == TypeKeyword::Dynamic { text } else { text.trim_matches(['"', '\'']) };
                format!("{}({bare})", ty.as_str())
            }
        }
    }
}

/// A remark about a text; places in bytes.
#[derive(Clone, Debug)]
pub struct Remark {
    pub severity: &'static str,
    pub is_syntax: bool,
    pub code: String,
    pub message: String,
    pub start: usize,
    pub length: usize,
    /// What was likely meant.
    pub hints: Vec<String>,
}

/// What there is to say about a text without running it.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    pub diagnostics: Vec<Remark>,
    /// Of the first result.
    pub columns: Schema,
}

/// Checks a text.
pub fn check(store: &Store, text: &str, database: &str) -> Checked {
    check_with(store, text, database, &[])
}

/// Checks a text with values for what it declares.
pub fn check_with(store: &Store, text: &str, database: &str, parameters: &[Parameter]) -> Checked {
    let database = database_name(store, database).unwrap_or_else(|_| DEFAULT_DATABASE.to_owned());
    let context = QueryContext::new(QueryLimits::default(), crate::machine::now_ticks());
    let parameters = literals(text, parameters);
    let request = QueryRequest { text: text.to_owned(), database, parameters, context };
    let (diagnostics, columns) = Engine::new(store.clone()).check(&request);
    let diagnostics = diagnostics
        .into_iter()
        .map(|found| Remark {
            severity: found.severity.as_str(),
            is_syntax: found.kind == conshelf_kql::diagnostic::DiagnosticKind::Syntax,
            code: found.code.into_owned(),
            message: found.message,
            start: found.span.start as usize,
            length: found.span.len() as usize,
            hints: found.hints,
        })
        .collect();
    Checked { diagnostics, columns: columns.unwrap_or_default() }
}

/// Asks something of a text that needs the catalog of a database and runs nothing. `None`: it failed by a fault of ours.
pub fn with_catalog<T: Send>(
    store: &Store,
    database: &str,
    ask: impl FnOnce(&dyn Catalog) -> T + Send,
) -> Option<T> {
    let database = database_name(store, database).unwrap_or_else(|_| DEFAULT_DATABASE.to_owned());
    let context = QueryContext::new(QueryLimits::default(), crate::machine::now_ticks());
    let request = QueryRequest { text: String::new(), database, parameters: Vec::new(), context };
    Engine::new(store.clone()).with_catalog(&request, ask)
}

/// Runs a query to its end and gives its first result: for commands that store a query's rows.
pub fn collect(
    store: &Store,
    input: &QueryInput,
    context: &Arc<QueryContext>,
) -> Result<(Schema, Vec<Batch>), EngineError> {
    let prepared = prepare(store, input, context)?;
    let schema = prepared.results.first().map(|result| result.columns.clone()).unwrap_or_default();
    let mut batches = Vec::new();
    let mut memory = context.reserve(0)?;
    let mut bytes = 0;
    prepared.run(context, &mut |index, batch| {
        if index == 0 {
            bytes += batch.memory_bytes() as u64;
            memory.resize(bytes)?;
            batches.push(batch);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok((schema, batches))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_can_set_its_now() {
        let ticks = conshelf_kql::time::parse_datetime("2020-01-02");
        assert_eq!(now_set_in("set query_now = datetime(2020-01-02); print now()"), ticks);
        assert_eq!(now_set_in("set query_now = '2020-01-02'; print now()"), ticks);
        assert_eq!(now_set_in("print 'query_now'"), None);
        assert_eq!(now_set_in("set query_now = ; ("), None);
    }

    #[test]
    fn parameters_become_literals_of_their_declared_type() {
        let text = "declare query_parameters(n:long, s:string, t:datetime, d:dynamic, g:guid, b:bool, x:timespan = 1h); print n";
        let given = |name: &str, value: ParameterValue| Parameter { name: name.to_owned(), value };
        let text_of = |value: &str| ParameterValue::Text(value.to_owned());
        let cases = [
            ("n", ParameterValue::Literal("10".to_owned()), "long(10)"),
            ("n", text_of("10"), "long(10)"),
            ("n", text_of("long(10)"), "long(10)"),
            ("s", text_of("O'Brien \"x\""), "\"O'Brien \\\"x\\\"\""),
            ("s", text_of("\"go\""), "\"go\""),
            ("t", text_of("datetime(2024-01-01)"), "datetime(2024-01-01)"),
            ("t", text_of("2024-01-01T00:00:00Z"), "datetime(2024-01-01T00:00:00Z)"),
            ("d", text_of("dynamic([1])"), "dynamic([1])"),
            ("d", text_of("[1]"), "dynamic([1])"),
            ("b", ParameterValue::Literal("true".to_owned()), "bool(true)"),
            ("x", text_of("1h"), "timespan(1h)"),
        ];
        for (name, value, expected) in cases {
            let literals = literals(text, &[given(name, value)]);
            assert_eq!(literals, [(name.to_owned(), expected.to_owned())]);
        }
        assert!(literals(text, &[given("undeclared", text_of("1"))]).is_empty());
    }
}
