//! Runs a management command on a thread that may block and encodes its answer.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::http::{HeaderValue, Response, header};

use crate::activity::{RequestEnd, RequestStart, State};
use crate::command::{self, CommandContext, CommandError, CommandOutput};
use crate::engine::QueryContext;
use crate::engine::context::QueryLimits;
use crate::response::{Completion, Encoder, ResponseWriter, ResultLimits};
use crate::server::error::{ApiError, ErrorContext, ErrorStyle};
use crate::server::request::QueryBody;
use crate::server::service::{Caller, Service};

/// Cancels the queries of the command when the client has gone.
struct CancelOnDrop(Arc<QueryContext>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Answers a command.
pub async fn run_command(
    service: &Arc<Service>,
    body: QueryBody,
    caller: Caller,
    style: ErrorStyle,
    encoder: Box<dyn Encoder>,
) -> Response<Body> {
    let error_context = ErrorContext::of(&caller, "DN.AdminCommand").with_text(&body.database, &body.text);
    if service.is_stopping() {
        return ApiError::unavailable("the server is stopping").response(style, &error_context);
    }
    let permit = match service.command_slot().await {
        Ok(permit) => permit,
        Err(error) => return error.response(style, &error_context),
    };
    let limits = QueryLimits {
        timeout: body.options.timeout(service.settings.command_timeout),
        memory_bytes: service.settings.query_memory_bytes,
        result_rows: None,
        result_bytes: None,
    };
    let now = body.options.now.unwrap_or_else(crate::machine::now_ticks);
    let settings = &service.settings;
    let context =
        QueryContext::with_settings(limits, now, settings.query.clone(), settings.locations.clone());
    let _guard = CancelOnDrop(context.clone());
    let content_type = encoder.content_type();
    let worker = service.clone();
    let outcome = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        work(&worker, body, caller, &context, encoder)
    })
    .await;
    match outcome {
        Ok(Ok(bytes)) => {
            let mut response = Response::new(Body::from(bytes));
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
            response
        }
        Ok(Err(error)) => error.response(style, &error_context),
        Err(_) => ApiError::internal("the command stopped by a fault of the server; please report it")
            .response(style, &error_context),
    }
}

fn work(
    service: &Arc<Service>,
    body: QueryBody,
    caller: Caller,
    context: &Arc<QueryContext>,
    encoder: Box<dyn Encoder>,
) -> Result<Vec<u8>, ApiError> {
    let started = Instant::now();
    let running = service.activity.begin(
        RequestStart {
            activity_id: caller.activity_id,
            client_request_id: caller.client_request_id.clone(),
            is_command: true,
            command_type: command::command_type(&body.text),
            text: body.text.clone(),
            database: body.database.clone(),
            user: body.options.user.clone().unwrap_or_else(|| caller.user.clone()),
            application: body.options.application.clone().unwrap_or_else(|| caller.application.clone()),
        },
        Some(context.clone()),
    );
    let command_context = CommandContext {
        store: &service.store,
        activity: &service.activity,
        database: &body.database,
        read_only: caller.read_only || body.options.read_only,
        activity_id: caller.activity_id,
        user: &caller.user,
        query: context,
        started_ticks: service.started_ticks,
    };
    let result = command::execute(&command_context, &body.text);
    let (state, failure) = match &result {
        Ok(_) => (State::Completed, String::new()),
        Err(error) => (State::Failed, error.to_string()),
    };
    service.metrics.commands.record(started.elapsed(), result.is_ok());
    let rows =
        result.as_ref().map_or(0, |output| output.batches.iter().map(|(_, batch)| batch.rows as u64).sum());
    running.finish(RequestEnd { state, failure, cpu_seconds: 0.0, result_rows: rows, result_bytes: 0 });
    encode(result, encoder)
}

fn encode(
    result: Result<CommandOutput, CommandError>,
    encoder: Box<dyn Encoder>,
) -> Result<Vec<u8>, ApiError> {
    let output = result.map_err(ApiError::from_command)?;
    let broken = |what: String| ApiError::internal(what);
    let mut chunks: Vec<u8> = Vec::new();
    let mut sink = |mut chunk: Vec<u8>| {
        chunks.append(&mut chunk);
        Ok(())
    };
    let rest = {
        let mut writer = ResponseWriter::new(encoder, output.results, ResultLimits::default(), &mut sink)
            .map_err(|stop| broken(format!("{stop:?}")))?;
        for (index, batch) in &output.batches {
            if let ControlFlow::Break(()) =
                writer.rows(*index, batch, Vec::new()).map_err(|stop| broken(format!("{stop:?}")))?
            {
                break;
            }
        }
        let completion = Completion { finished_ticks: crate::machine::now_ticks(), ..Completion::default() };
        writer.finish(completion, None).map_err(|stop| broken(format!("{stop:?}")))?.0
    };
    chunks.extend_from_slice(&rest);
    Ok(chunks)
}
