//! The engine's face: a query text in, batches out.
//!
//! `prepare` parses, binds and optimises over a snapshot of the store; `run` executes and hands batches to
//! the caller in order, on the caller's thread, which may block. Knows no HTTP and no response format.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use conshelf_kql::bind;
use conshelf_kql::catalog::Catalog;
use conshelf_kql::diagnostic::{Diagnostic, DiagnosticKind};
use conshelf_kql::explain::inputs;
use conshelf_kql::optimise::optimise;
use conshelf_kql::optimise::time_scope::{self, TimeScope};
use conshelf_kql::plan::{Plan, QueryPlan, Visualization};
use conshelf_kql::{Schema, Value};
use conshelf_storage::{Snapshot, Store};

use crate::engine::batch::Batch;
use crate::engine::catalog::QueryCatalog;
use crate::engine::context::QueryContext;
use crate::engine::error::{EngineError, QueryDiagnostic, Result};
use crate::engine::execute::pipeline::panic_text;
use crate::engine::execute::{BatchWriter, Executor, Sent, WrittenRows, pool, run_to};
use crate::engine::profile::Profile;

/// Most operators of one query.
const OPERATORS_MAX: usize = 4_000;

/// Runs queries over a store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Engine {
    store: Store,
    workers: usize,
    optimise: bool,
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct QueryRequest {
    pub text: String,
    pub database: String,
    /// KQL literals for `declare query_parameters`, by name.
    pub parameters: Vec<(String, String)>,
    pub context: Arc<QueryContext>,
}

/// A query that is understood and not yet run. Holds the snapshot it was bound to.
#[derive(Debug)]
pub struct Prepared {
    pub plan: QueryPlan,
    /// Remarks that are no errors.
    pub warnings: Vec<Diagnostic>,
    snapshot: Arc<Snapshot>,
    context: Arc<QueryContext>,
}

impl Drop for Prepared {
    fn drop(&mut self) {
        let results = std::mem::take(&mut self.plan.results);
        // Dropping a plan goes as deep as the plan does.
        if let Err(error) = pool::on_deep_stack(move || drop(results)) {
            tracing::error!(%error, "cannot start a thread");
        }
    }
}

/// What a result looks like.
#[derive(Clone, Debug, PartialEq)]
pub struct ResultDescription {
    pub name: String,
    pub schema: Schema,
    pub visualization: Option<Visualization>,
}

/// What running a query came to.
#[derive(Clone, Debug, Default)]
pub struct Statistics {
    pub rows: u64,
    pub bytes: u64,
    pub profile: Arc<Profile>,
    pub elapsed_seconds: f64,
}

/// A whole result in memory.
#[derive(Clone, Debug)]
pub struct ResultTable {
    pub description: ResultDescription,
    pub batches: Vec<Batch>,
}

impl Prepared {
    /// The results that running will yield, in order.
    pub fn results(&self) -> Vec<ResultDescription> {
        let results = self.plan.results.iter();
        results
            .map(|result| ResultDescription {
                name: result.name.clone(),
                schema: result.plan.schema.clone(),
                visualization: result.visualization.clone(),
            })
            .collect()
    }

    /// Request options that the text sets, in order.
    pub fn options(&self) -> &[(String, Value)] {
        &self.plan.options
    }
}

/// Takes the batches of a query with the index of their result, and the bytes of their first rows.
pub type Output<'a> = dyn FnMut(usize, Batch, Vec<WrittenRows>) -> Result<ControlFlow<()>> + 'a;

impl Engine {
    /// An engine that uses all cores.
    pub fn new(store: Store) -> Engine {
        Engine { store, workers: pool::worker_count(), optimise: true }
    }

    /// The engine with at most so many threads for one query.
    pub fn with_workers(self, workers: usize) -> Engine {
        Engine { workers, ..self }
    }

    /// The engine that runs plans as they were bound. For tests: answers must be the same.
    pub fn without_optimiser(self) -> Engine {
        Engine { optimise: false, ..self }
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Understands a query. `EngineError::Query` says what is wrong with the text, and where.
    pub fn prepare(&self, request: &QueryRequest) -> Result<Prepared> {
        self.prepare_within(request, None)
    }

    /// As `prepare`, reading only rows within a time scope.
    pub fn prepare_within(&self, request: &QueryRequest, scope: Option<&TimeScope>) -> Result<Prepared> {
        deep(|| self.prepare_unguarded(request, scope))
    }

    fn prepare_unguarded(&self, request: &QueryRequest, scope: Option<&TimeScope>) -> Result<Prepared> {
        // Before the snapshot: the rows up to the cursor are in it.
        let cursor = self.store.cursor();
        let snapshot = self.store.snapshot();
        let catalog = QueryCatalog::new(&snapshot, &request.database, &request.parameters, &request.context)
            .running(self.workers)
            .with_cursor(cursor);
        let parsed = conshelf_kql::parse(&request.text);
        if parsed.diagnostics.iter().any(Diagnostic::is_error) {
            return Err(query_error(&parsed.diagnostics));
        }
        let bound = bind::bind(&parsed.query, &request.text, &catalog);
        let Some(mut plan) = bound.plan else { return Err(query_error(&bound.diagnostics)) };
        check_size(&plan)?;
        if let Some(scope) = scope {
            time_scope::restrict(&mut plan, scope);
        }
        let plan = if self.optimise { optimise(plan, &catalog) } else { plan };
        let mut warnings = parsed.diagnostics;
        warnings.extend(bound.diagnostics);
        Ok(Prepared { plan, warnings, snapshot, context: request.context.clone() })
    }

    /// Runs a prepared query; `output` gets the index of the result and its batches, in order. `Break` stops
    /// the query. Fails with `ResultTooLarge` after the rows that the context's limits allow.
    pub fn run(
        &self,
        prepared: &Prepared,
        output: &mut dyn FnMut(usize, Batch) -> Result<ControlFlow<()>>,
    ) -> Result<Statistics> {
        self.run_written(prepared, None, &mut |index, batch, _| output(index, batch))
    }

    /// As `run`, with the bytes that the writer made of the first rows of each batch.
    pub fn run_written(
        &self,
        prepared: &Prepared,
        writer: Option<Arc<dyn BatchWriter>>,
        output: &mut Output<'_>,
    ) -> Result<Statistics> {
        let snapshot = &prepared.snapshot;
        let mut executor = Executor::new(prepared.context.clone(), Some(snapshot.clone()), self.workers);
        if !caches_per_shard(&prepared.plan.options) {
            executor.cache = None;
        }
        let started = Instant::now();
        let sent = guarded(|| run_all(&executor, &prepared.plan, writer, output))?;
        if let Some(cache) = &executor.cache {
            cache.sweep(snapshot.version(), || snapshot.extent_ids().collect());
        }
        Ok(Statistics {
            rows: sent.rows,
            bytes: sent.bytes,
            profile: executor.profile,
            elapsed_seconds: started.elapsed().as_secs_f64(),
        })
    }

    /// Runs a query to its end and keeps all results in memory.
    pub fn query_collect(&self, request: &QueryRequest) -> Result<Vec<ResultTable>> {
        let prepared = self.prepare(request)?;
        let mut tables: Vec<ResultTable> = prepared
            .results()
            .into_iter()
            .map(|description| ResultTable { description, batches: Vec::new() })
            .collect();
        let mut memory = request.context.reserve(0)?;
        let mut bytes = 0;
        self.run(&prepared, &mut |index, batch| {
            bytes += batch.memory_bytes() as u64;
            memory.resize(bytes)?;
            if let Some(table) = tables.get_mut(index) {
                table.batches.push(batch);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(tables)
    }

    /// What there is to say about a text without running it, and the columns of its first result.
    pub fn check(&self, request: &QueryRequest) -> (Vec<Diagnostic>, Option<Schema>) {
        let snapshot = self.store.snapshot();
        let catalog = QueryCatalog::new(&snapshot, &request.database, &request.parameters, &request.context);
        let checked = deep(|| Ok(bind::check(&request.text, &catalog)));
        checked.unwrap_or_else(|error| {
            tracing::error!(%error, "checking a text failed");
            (conshelf_kql::parse(&request.text).diagnostics, None)
        })
    }

    /// Hands the catalog of a request's database to a question that runs nothing, on a stack deep enough for any text.
    pub fn with_catalog<T: Send>(
        &self,
        request: &QueryRequest,
        ask: impl FnOnce(&dyn Catalog) -> T + Send,
    ) -> Option<T> {
        let snapshot = self.store.snapshot();
        let answered = deep(|| {
            let catalog =
                QueryCatalog::new(&snapshot, &request.database, &request.parameters, &request.context);
            Ok(ask(&catalog))
        });
        match answered {
            Ok(answer) => Some(answer),
            Err(error) => {
                tracing::error!(%error, "a question about a text failed");
                None
            }
        }
    }

    /// Runs a query, throws its rows away and gives its plan with what each operator did.
    pub fn explain(&self, request: &QueryRequest) -> Result<String> {
        self.explain_prepared(&self.prepare(request)?)
    }

    /// Runs a prepared query, throws its rows away and gives its plan with the rows, bytes and time each operator took.
    pub fn explain_prepared(&self, prepared: &Prepared) -> Result<String> {
        let statistics = self.run(prepared, &mut |_, _| Ok(ControlFlow::Continue(())))?;
        Ok(format!(
            "{}result rows={} bytes={} time={:.3}ms\n",
            statistics.profile.print(),
            statistics.rows,
            statistics.bytes,
            statistics.elapsed_seconds * 1e3
        ))
    }
}

fn run_all(
    executor: &Executor,
    plan: &QueryPlan,
    writer: Option<Arc<dyn BatchWriter>>,
    output: &mut Output<'_>,
) -> Result<Sent> {
    let mut sent = Sent::default();
    for (index, result) in plan.results.iter().enumerate() {
        let pipeline = deep(|| executor.pipeline(&result.plan))?;
        let writer = writer.clone().map(|writer| (writer, index));
        let mut receive = |batch, written| output(index, batch, written);
        let flow = run_to(&pipeline, &executor.query, executor.workers, &mut sent, writer, &mut receive)?;
        if flow.is_break() {
            break;
        }
    }
    Ok(sent)
}

/// Whether a text leaves it to the server to keep results of extents (`set query_results_cache_per_shard`).
fn caches_per_shard(options: &[(String, Value)]) -> bool {
    let named = |name: &str| name.eq_ignore_ascii_case("query_results_cache_per_shard");
    let last = options.iter().rev().find(|(name, _)| named(name));
    last.is_none_or(|(_, value)| match value {
        Value::Bool(flag) => *flag,
        Value::Int(number) => *number != 0,
        Value::Long(number) => *number != 0,
        Value::String(text) => !text.trim().eq_ignore_ascii_case("false"),
        _ => true,
    })
}

/// Refuses plans that no person writes before anything walks them again and again.
fn check_size(plan: &QueryPlan) -> Result<()> {
    let mut waiting: Vec<&Plan> = plan.results.iter().map(|result| &result.plan).collect();
    let mut operators = 0;
    while let Some(plan) = waiting.pop() {
        operators += 1;
        waiting.extend(inputs(&plan.operator));
        if operators > OPERATORS_MAX {
            return Err(EngineError::Evaluation(format!(
                "the query has more than {OPERATORS_MAX} operators, functions and variables put in place"
            )));
        }
    }
    Ok(())
}

/// Plans are as deep as the query is long, so whatever walks them needs room.
fn deep<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    match pool::on_deep_stack(|| guarded(work)) {
        Ok(outcome) => outcome,
        Err(error) => Err(EngineError::Internal(format!("cannot start a thread: {error}"))),
    }
}

/// A panic is a bug of ours: the query fails alone.
fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(outcome) => outcome,
        Err(panic) => Err(EngineError::Internal(panic_text(panic.as_ref()))),
    }
}

fn query_error(diagnostics: &[Diagnostic]) -> EngineError {
    // A warning alone can stand in the way: a cluster that is known to none but its users.
    let any = diagnostics.iter().any(Diagnostic::is_error);
    let errors: Vec<QueryDiagnostic> = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.is_error() || !any)
        .map(|diagnostic| QueryDiagnostic {
            code: diagnostic.code.to_string(),
            is_syntax: diagnostic.kind == DiagnosticKind::Syntax,
            message: diagnostic.message.clone(),
            start: diagnostic.span.start as usize,
            length: diagnostic.span.end.saturating_sub(diagnostic.span.start) as usize,
            hints: diagnostic.hints.clone(),
        })
        .collect();
    if errors.is_empty() {
        return EngineError::Internal(String::from("the query has neither a plan nor an error"));
    }
    EngineError::Query(errors)
}
