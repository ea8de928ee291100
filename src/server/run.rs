//! Runs a query on its own thread and streams its answer into a body.
//!
//! The thread encodes; chunks go through a bounded channel. When the client hangs up, body or handler are
//! dropped and the query is cancelled. Errors before the first chunk become an HTTP error, later ones are
//! told inside the body.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Response, header};
use conshelf_kql::plan::Visualization;
use conshelf_kql::{Column, Type};
use futures_util::{StreamExt, stream};
use tokio::sync::mpsc;

use crate::activity::{RequestEnd, RequestStart, State};
use crate::command::result::RowsBuilder;
use crate::engine::cache::CacheUse;
use crate::engine::context::{QueryLimits, QuerySettings};
use crate::engine::execute::pool;
use crate::engine::{Batch, BatchWriter, EngineError, QueryContext};
use crate::query::{self, Parameter, QueryInput};
use crate::response::writer::{ChunkSink, WriteStop};
use crate::response::{
    Completion, EncodeError, Encoder, Failure, FailureKind, QueryStatistics, ResponseWriter, ResultHeader,
    ResultLimits,
};
use crate::server::error::{ApiError, ErrorContext, ErrorStyle};
use crate::server::options::RequestOptions;
use crate::server::results::ResultsCache;
use crate::server::service::{Caller, Service};

/// Chunks between the thread that encodes and the socket.
const CHUNKS_IN_FLIGHT: usize = 8;

/// Makes the encoder once all options are known, those set in the text included.
pub type MakeEncoder = Box<dyn FnOnce(&RequestOptions) -> Box<dyn Encoder> + Send>;

/// What lies around the text that the asker knows.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// Bytes of the text that come before the asker's own; errors are told of what follows them.
    pub before: usize,
    /// Nothing of the text is told.
    pub is_hidden: bool,
    /// Takes the place of what the text's own `render` says.
    pub visualization: Option<Visualization>,
}

impl Frame {
    /// The part of a text that the asker knows.
    fn known(&self, text: &str) -> String {
        if self.is_hidden { String::new() } else { text.get(self.before..).unwrap_or("").to_owned() }
    }

    /// An error in the terms of what the asker knows.
    fn told(&self, error: &EngineError) -> ApiError {
        let mut told = ApiError::from_engine(error);
        if self.is_hidden && told.kind == FailureKind::Other {
            told.diagnostics.clear();
            told.message = "the query failed".to_owned();
        }
        for found in &mut told.diagnostics {
            match found.start.checked_sub(self.before) {
                Some(start) => found.start = start,
                None => {
                    found.message = format!("in what the query uses: {}", found.message);
                    (found.start, found.length) = (0, 0);
                }
            }
        }
        told
    }

    /// Lets the visualization of the frame take effect on the result that is drawn.
    fn apply(&self, headers: &mut [ResultHeader]) {
        let Some(wanted) = &self.visualization else { return };
        let drawn = headers.iter().position(|header| header.visualization.is_some()).unwrap_or(0);
        let Some(header) = headers.get_mut(drawn) else { return };
        let mut merged = header.visualization.take().unwrap_or_else(|| Visualization {
            kind: "table".to_owned(),
            properties: Vec::new(),
            is_query_sorted: false,
        });
        if !wanted.kind.is_empty() {
            merged.kind.clone_from(&wanted.kind);
        }
        for (name, value) in &wanted.properties {
            merged.properties.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            merged.properties.push((name.clone(), value.clone()));
        }
        header.visualization = Some(merged);
    }
}

/// A query to run.
pub struct QueryTask {
    pub text: String,
    pub database: String,
    pub parameters: Vec<Parameter>,
    pub options: RequestOptions,
    pub caller: Caller,
    pub style: ErrorStyle,
    pub make_encoder: MakeEncoder,
    pub frame: Frame,
}

enum Message {
    /// The complete body.
    Whole(Vec<u8>),
    Chunk(Vec<u8>),
    /// An error before the first chunk.
    Failed(ApiError),
    /// The body ends before its end.
    Broken,
}

/// Cancels its query when dropped: whoever waited is gone.
struct CancelOnDrop(Arc<QueryContext>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Answers a query.
pub async fn run(service: &Arc<Service>, task: QueryTask) -> Response<Body> {
    let error_context = ErrorContext::of(&task.caller, "DN.FE.ExecuteQuery")
        .with_text(&task.database, &task.frame.known(&task.text));
    let style = task.style;
    let refuse = |error: ApiError| error.response(style, &error_context);
    if service.is_stopping() {
        return refuse(ApiError::unavailable("the server is stopping"));
    }
    if let Some(language) = &task.options.query_language
        && !["csl", "kql"].contains(&language.to_ascii_lowercase().as_str())
    {
        return refuse(ApiError::bad_request(format!(
            "query_language '{language}' is not supported; send KQL (query_language 'kql')"
        )));
    }
    let permit = match service.query_slot().await {
        Ok(permit) => permit,
        Err(error) => return refuse(error),
    };
    let limits = QueryLimits {
        timeout: task.options.timeout(service.settings.query_timeout),
        memory_bytes: task.options.max_memory_bytes.map_or(service.settings.query_memory_bytes, |bytes| {
            bytes.min(service.settings.query_memory_bytes)
        }),
        // The writer counts what is sent; the engine need not.
        result_rows: None,
        result_bytes: None,
    };
    let now = query::now_set_in(&task.text).or(task.options.now).unwrap_or_else(crate::machine::now_ticks);
    let settings = &service.settings;
    let query_settings = query_settings(&settings.query, &task.options);
    let context = QueryContext::with_settings(limits, now, query_settings, settings.locations.clone());
    let guard = CancelOnDrop(context.clone());
    let (sender, mut receiver) = mpsc::channel::<Message>(CHUNKS_IN_FLIGHT);
    let worker_service = service.clone();
    let worker_errors = error_context.clone();
    let (content_type_sender, content_type) = tokio::sync::oneshot::channel::<&'static str>();
    let runtime = tokio::runtime::Handle::current();
    let started = pool::spawn_deep(move || {
        let _runtime = runtime.enter();
        let _permit = permit;
        work(&worker_service, task, &context, &worker_errors, &sender, content_type_sender);
    });
    if started.is_err() {
        return refuse(ApiError::unavailable(
            "the system refuses a thread for the query; try again in a moment",
        ));
    }
    let first = receiver.recv().await;
    let mut response = match first {
        None => {
            return refuse(ApiError::internal(
                "the query stopped by a fault of the server; please report it",
            ));
        }
        Some(Message::Failed(error)) => return refuse(error),
        Some(Message::Broken) => return refuse(ApiError::internal("the answer broke off")),
        Some(Message::Whole(body)) => Response::new(Body::from(body)),
        Some(Message::Chunk(chunk)) => {
            let state = (receiver, guard, Some(Message::Chunk(chunk)));
            let stream = stream::unfold(state, |(mut receiver, guard, pending)| async move {
                let message = match pending {
                    Some(message) => message,
                    None => receiver.recv().await?,
                };
                let item = match message {
                    Message::Whole(bytes) | Message::Chunk(bytes) => Ok(Bytes::from(bytes)),
                    Message::Failed(_) | Message::Broken => {
                        Err(std::io::Error::other("the answer is not complete"))
                    }
                };
                Some((item, (receiver, guard, None)))
            });
            // Compression polls a body once more after its end.
            Response::new(Body::from_stream(stream.fuse()))
        }
    };
    let content_type = content_type.await.unwrap_or("application/json; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// The server's settings as a request changes them.
fn query_settings(settings: &Arc<QuerySettings>, options: &RequestOptions) -> Arc<QuerySettings> {
    let cache_use = match (options.results_cache_per_shard, options.results_cache_force_refresh) {
        (Some(false), _) => CacheUse::Off,
        (_, true) => CacheUse::Refresh,
        _ => return settings.clone(),
    };
    Arc::new(QuerySettings { cache_use, ..QuerySettings::clone(settings) })
}

/// What a query came to, apart from its rows.
struct Outcome {
    error: Option<EngineError>,
    rows: u64,
    bytes: u64,
    statistics: QueryStatistics,
}

fn work(
    service: &Arc<Service>,
    task: QueryTask,
    context: &Arc<QueryContext>,
    errors: &ErrorContext,
    sender: &mpsc::Sender<Message>,
    content_type: tokio::sync::oneshot::Sender<&'static str>,
) {
    let started = Instant::now();
    let running = service.activity.begin(
        RequestStart {
            activity_id: task.caller.activity_id,
            client_request_id: task.caller.client_request_id.clone(),
            text: task.text.clone(),
            database: task.database.clone(),
            user: task.options.user.clone().unwrap_or_else(|| task.caller.user.clone()),
            application: task.options.application.clone().unwrap_or_else(|| task.caller.application.clone()),
            ..RequestStart::default()
        },
        Some(context.clone()),
    );
    let outcome = answer(service, task, context, errors, sender, content_type, started);
    let state = match &outcome.error {
        None => State::Completed,
        Some(EngineError::Cancelled) => State::Cancelled,
        Some(_) => State::Failed,
    };
    service.metrics.queries.record(started.elapsed(), state == State::Completed);
    service.metrics.rows_answered.add(outcome.rows);
    running.finish(RequestEnd {
        state,
        failure: outcome.error.map(|error| error.to_string()).unwrap_or_default(),
        cpu_seconds: outcome.statistics.cpu_seconds,
        result_rows: outcome.rows,
        result_bytes: outcome.bytes,
    });
}

fn answer(
    service: &Arc<Service>,
    task: QueryTask,
    context: &Arc<QueryContext>,
    errors: &ErrorContext,
    sender: &mpsc::Sender<Message>,
    content_type: tokio::sync::oneshot::Sender<&'static str>,
    started: Instant,
) -> Outcome {
    let frame = task.frame;
    let failed = |error: EngineError| {
        let message = Message::Failed(frame.told(&error));
        let _ = sender.blocking_send(message);
        Outcome { error: Some(error), rows: 0, bytes: 0, statistics: QueryStatistics::default() }
    };
    let input = QueryInput {
        text: task.text,
        database: task.database,
        parameters: task.parameters,
        time_scope: task.options.time_scope(),
    };
    let prepared = match query::prepare(&service.store, &input, context) {
        Ok(prepared) => prepared,
        Err(error) => return failed(error),
    };
    let mut options = task.options;
    for (name, value) in &prepared.options {
        options.set_from_text(name, value);
    }
    let mut headers = prepared.results.clone();
    frame.apply(&mut headers);
    let mut fixed: Option<Vec<Batch>> = None;
    if options.validate_permissions {
        let mut rows = RowsBuilder::new(&[("Result", Type::String)]);
        rows.text("OK").end_row();
        let (schema, batch) = rows.finish();
        headers = vec![ResultHeader::primary(schema)];
        fixed = Some(vec![batch]);
    } else if options.explain {
        let plan = match prepared.explain() {
            Ok(plan) => plan,
            Err(error) => return failed(error),
        };
        let mut rows = RowsBuilder::new(&[("Plan", Type::String)]);
        for line in plan.lines() {
            rows.text(line).end_row();
        }
        let (schema, batch) = rows.finish();
        headers = vec![ResultHeader::primary(schema)];
        fixed = Some(vec![batch]);
    } else if options.results_apply_getschema {
        let mut batches = Vec::new();
        for header in &mut headers {
            let (schema, batch) = schema_rows(&header.columns);
            header.columns = schema;
            batches.push(batch);
        }
        fixed = Some(batches);
    }
    let mut kept = None;
    if fixed.is_none() {
        let settings = &service.settings.query;
        kept = ResultsCache::of(settings, &input, &options, &prepared, &task.caller.client_request_id);
    }
    let earlier = kept.as_ref().and_then(ResultsCache::find);
    options.server_cache = earlier.as_ref().map(|earlier| earlier.origin());
    let limits = ResultLimits {
        records: (!options.no_truncation).then(|| options.truncation_max_records.unwrap_or(500_000)),
        bytes: (!options.no_truncation).then(|| options.truncation_max_size.unwrap_or(64 << 20)),
        take: options.take_max_records,
    };
    let encoder = (task.make_encoder)(&options);
    let _ = content_type.send(encoder.content_type());
    let mut sink = |chunk: Vec<u8>| sender.blocking_send(Message::Chunk(chunk)).map_err(|_| ());
    let sink: &mut ChunkSink<'_> = &mut sink;
    let mut writer = match ResponseWriter::new(encoder, headers, limits, sink) {
        Ok(writer) => writer,
        Err(stop) => return failed(engine_error(stop)),
    };
    let result = match (fixed, &earlier) {
        (Some(batches), _) => write_fixed(&mut writer, batches.iter().enumerate()),
        (None, Some(earlier)) => {
            write_fixed(&mut writer, earlier.batches.iter().map(|(index, batch)| (*index, batch)))
        }
        (None, None) => {
            let rows: Arc<dyn BatchWriter> = Arc::new(writer.writer_of_results());
            prepared.run_written(context, Some(rows), &mut |index, batch, written| {
                if let Some(kept) = &mut kept {
                    kept.see(index, &batch);
                }
                writer.rows(index, &batch, written).map_err(engine_error)
            })
        }
    };
    if let Some(kept) = kept.filter(|_| result.is_ok() && earlier.is_none()) {
        kept.keep();
    }
    let (error, mut statistics) = match result {
        Ok(statistics) => (None, statistics),
        Err(error) => (Some(error), QueryStatistics::default()),
    };
    statistics.execution_seconds = started.elapsed().as_secs_f64();
    statistics.memory_peak_bytes = context.memory_peak_bytes();
    let rows = writer.records();
    let bytes = writer.bytes();
    let reports = writer.reports_failures();
    let failure = error.as_ref().map(|error| frame.told(error));
    // A result that is too large is told after the rows up to the limit, by those formats that can tell.
    let in_band = reports && matches!(error, Some(EngineError::ResultTooLarge { .. }));
    if let Some(api) = &failure
        && !writer.has_flushed()
        && !in_band
    {
        let _ = sender.blocking_send(Message::Failed(api.clone()));
        return Outcome { error, rows, bytes, statistics };
    }
    let told: Option<Arc<Failure>> = failure.map(|api| Arc::new(api.failure(errors)));
    let is_failed = told.is_some();
    let completion = Completion {
        statistics: statistics.clone(),
        failure: None,
        finished_ticks: crate::machine::now_ticks(),
    };
    match writer.finish(completion, told) {
        Ok((rest, false)) => drop(sender.blocking_send(Message::Whole(rest))),
        Ok((rest, true)) => {
            let sent = sender.blocking_send(Message::Chunk(rest));
            if is_failed && !reports && sent.is_ok() {
                let _ = sender.blocking_send(Message::Broken);
            }
        }
        Err(_) => drop(sender.blocking_send(Message::Broken)),
    }
    Outcome { error, rows, bytes, statistics }
}

fn engine_error(stop: WriteStop) -> EngineError {
    match stop {
        WriteStop::Closed => EngineError::Cancelled,
        WriteStop::Limit { records: Some(limit), .. } => {
            EngineError::ResultTooLarge { limit, unit: "records" }
        }
        WriteStop::Limit { bytes, .. } => {
            EngineError::ResultTooLarge { limit: bytes.unwrap_or_default(), unit: "bytes" }
        }
        WriteStop::Encode(EncodeError::Refused(why)) => EngineError::Evaluation(why),
        WriteStop::Encode(error) => EngineError::Internal(error.to_string()),
    }
}

fn write_fixed<'a>(
    writer: &mut ResponseWriter<'_>,
    batches: impl Iterator<Item = (usize, &'a Batch)>,
) -> Result<QueryStatistics, EngineError> {
    for (index, batch) in batches {
        if let ControlFlow::Break(()) = writer.rows(index, batch, Vec::new()).map_err(engine_error)? {
            break;
        }
    }
    Ok(QueryStatistics::default())
}

/// The columns of a result as rows, as `getschema` gives them.
fn schema_rows(columns: &[Column]) -> (Vec<Column>, Batch) {
    let mut rows = RowsBuilder::new(&[
        ("ColumnName", Type::String),
        ("ColumnOrdinal", Type::Int),
        ("DataType", Type::String),
        ("ColumnType", Type::String),
    ]);
    for (at, column) in columns.iter().enumerate() {
        rows.text(&column.name)
            .int(i32::try_from(at).unwrap_or(i32::MAX))
            .text(column.ty.system_name())
            .text(column.ty.name())
            .end_row();
    }
    rows.finish()
}
