//! The two doors of ingestion: Kusto's streaming route (strict) and the friendly one (creates what is
//! missing). The body flows to a thread that may block; nothing is decoded here.

use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use conshelf_kql::Type;
use serde_json::{Value, json};

use crate::activity::IngestionFailure;
use crate::command::result::RowsBuilder;
use crate::ingest::body::ContentEncoding;
use crate::ingest::delimited::Header;
use crate::ingest::format::Format;
use crate::ingest::small;
use crate::ingest::{self, Failure, IngestError, IngestReport, IngestRequest, MappingChoice, OnError};
use crate::response::kusto_v1;
use crate::server::body::{self, TOO_LARGE};
use crate::server::error::{ApiError, ErrorContext, ErrorStyle};
use crate::server::kusto::{caller_of, identity_of};
use crate::server::query_string;
use crate::server::service::{Caller, Service};
use crate::telemetry::IngestionEvent;

type Names = Result<Path<(String, String)>, axum::extract::rejection::PathRejection>;

fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim).filter(|text| !text.is_empty())
}

fn json_response(status: u16, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    response
}

fn encoding_of(headers: &HeaderMap) -> Result<ContentEncoding, ApiError> {
    ContentEncoding::from_header(header_text(headers, "content-encoding").unwrap_or(""))
        .map_err(ApiError::bad_request)
}

/// The database meant by a path segment: `.` and nothing stand for the default one.
fn database_of(name: String) -> String {
    let name = name.trim();
    if name.is_empty() { conshelf_storage::DEFAULT_DATABASE.to_owned() } else { name.to_owned() }
}

/// `POST /v1/rest/ingest/{db}/{table}?streamFormat=…`
pub async fn streaming(
    State(service): State<Arc<Service>>,
    names: Names,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response<Body> {
    let caller = caller_of(&request);
    let mut context = ErrorContext::of(&caller, "DN.FE.StreamingIngest");
    let prepared = strict_request(names, query.as_deref().unwrap_or(""), request.headers());
    let (ingestion, format_name) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => return error.response(ErrorStyle::Kusto, &context),
    };
    context.database.clone_from(&ingestion.database);
    let limit = Some(service.settings.streaming_ingest_bytes);
    let identity = identity_of(&caller);
    match run(&service, ingestion, format_name, request, caller, limit).await {
        Ok(report) => {
            let mut rows = RowsBuilder::new(&[
                ("ConsumedRecordsCount", Type::Long),
                ("UpdatePolicyStatus", Type::String),
                ("UpdatePolicyFailureCode", Type::String),
                ("UpdatePolicyFailureReason", Type::String),
            ]);
            rows.long(report.rows).text("Inactive").text("").text("").end_row();
            let (schema, batch) = rows.finish();
            match kusto_v1::single_table(identity, schema, &[batch]) {
                Ok(body) => json_response(200, body),
                Err(error) => ApiError::internal(error.to_string()).response(ErrorStyle::Kusto, &context),
            }
        }
        Err((error, _)) => error.response(ErrorStyle::Kusto, &context),
    }
}

fn strict_request(
    names: Names,
    query: &str,
    headers: &HeaderMap,
) -> Result<(IngestRequest, String), ApiError> {
    let Ok(Path((database, table))) = names else {
        return Err(ApiError::bad_request("the path must be /v1/rest/ingest/{database}/{table}"));
    };
    let pairs = query_string::pairs(query);
    let mut request = IngestRequest::new(database_of(database), table);
    request.create = false;
    request.header = Header::Absent;
    request.content_encoding = encoding_of(headers)?;
    if query_string::find(&pairs, "sourceKind").is_some_and(|kind| kind.eq_ignore_ascii_case("uri")) {
        return Err(ApiError::new(
            400,
            "BadRequest_NotSupported",
            "KustoBadRequestException",
            true,
            "sourceKind=uri is not supported: the server fetches no remote sources; send the data itself",
        ));
    }
    let name = query_string::find(&pairs, "streamFormat").unwrap_or("csv").to_owned();
    request.format = Some(Format::from_name(&name).map_err(|message| {
        ApiError::new(400, "BadRequest_InvalidOrEmptyFormat", "KustoBadRequestException", true, message)
    })?);
    if let Some(mapping) = query_string::find(&pairs, "mappingName").filter(|mapping| !mapping.is_empty()) {
        request.mapping = MappingChoice::Named(mapping.to_owned());
    }
    if query_string::find(&pairs, "ignoreFirstRecord").is_some_and(|text| text.eq_ignore_ascii_case("true")) {
        request.header = Header::Ignored;
    }
    request.idempotency_key = header_text(headers, "idempotency-key").map(str::to_owned);
    Ok((request, name))
}

/// `POST /ingest/{db}/{table}`
pub async fn friendly(
    State(service): State<Arc<Service>>,
    names: Names,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response<Body> {
    let caller = caller_of(&request);
    let context = ErrorContext::of(&caller, "");
    let prepared = friendly_request(names, query.as_deref().unwrap_or(""), request.headers());
    let (ingestion, format_name) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => return error.response(ErrorStyle::Json, &context),
    };
    match run(&service, ingestion, format_name, request, caller, None).await {
        Ok(report) => match serde_json::to_string(&report) {
            Ok(body) => json_response(200, body + "\n"),
            Err(error) => ApiError::internal(error.to_string()).response(ErrorStyle::Json, &context),
        },
        Err((error, failed)) => {
            let Some(failed) = failed else { return error.response(ErrorStyle::Json, &context) };
            // The error says what was stored before it, so that a client knows where to go on.
            let body = json!({
                "error": {
                    "code": failed.code,
                    "message": failed.message,
                    "line": failed.line,
                    "field": failed.field,
                },
                "report": failed.report,
            });
            let mut response = json_response(error.status, format!("{body}\n"));
            if let Some(seconds) = error.retry_after_seconds {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            response
        }
    }
}

fn friendly_request(
    names: Names,
    query: &str,
    headers: &HeaderMap,
) -> Result<(IngestRequest, String), ApiError> {
    let Ok(Path((database, table))) = names else {
        return Err(ApiError::bad_request("the path must be /ingest/{database}/{table}"));
    };
    if table.trim().is_empty() {
        return Err(ApiError::bad_request("the path must name a table: /ingest/{database}/{table}"));
    }
    let pairs = query_string::pairs(query);
    let find = |name: &str| query_string::find(&pairs, name).filter(|value| !value.is_empty());
    let mut request = IngestRequest::new(database_of(database), table);
    request.content_encoding = encoding_of(headers)?;
    let content_type = header_text(headers, "content-type").unwrap_or("");
    let mut name = "auto".to_owned();
    if let Some(format) = find("format") {
        request.format = Some(Format::from_name(format).map_err(ApiError::bad_request)?);
        name = format.to_owned();
    } else if let Some(format) = Format::from_content_type(content_type) {
        request.format = Some(format);
        content_type.clone_into(&mut name);
    }
    if let Some(create) = find("create") {
        request.create = !matches!(create, "false" | "0" | "no");
    }
    match find("header") {
        None => {}
        Some("true" | "1" | "yes" | "names") => request.header = Header::Names,
        Some("false" | "0" | "no" | "absent") => request.header = Header::Absent,
        Some("ignore" | "ignored") => request.header = Header::Ignored,
        Some("auto") => request.header = Header::Auto,
        Some(other) => {
            return Err(ApiError::bad_request(format!(
                "header={other} is not understood; use true, false, ignore or auto"
            )));
        }
    }
    match find("onError").map(str::to_ascii_lowercase).as_deref() {
        None | Some("abort" | "fail") => {}
        Some("skip") => request.on_error = OnError::Skip,
        Some(other) => {
            return Err(ApiError::bad_request(format!(
                "onError={other} is not understood; use abort or skip"
            )));
        }
    }
    if let Some(mapping) = find("mapping") {
        request.mapping = if mapping.trim_start().starts_with('[') {
            let definition: Value = serde_json::from_str(mapping)
                .map_err(|error| ApiError::bad_request(format!("mapping is not JSON: {error}")))?;
            MappingChoice::Inline(definition)
        } else {
            MappingChoice::Named(mapping.to_owned())
        };
    }
    request.idempotency_key =
        header_text(headers, "idempotency-key").or_else(|| find("idempotencyKey")).map(str::to_owned);
    if let Some(tags) = find("tags") {
        request.tags =
            tags.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect();
    }
    if request.idempotency_key.is_none() {
        request.idempotency_key = request.tags.iter().find(|tag| tag.starts_with("ingest-by:")).cloned();
    }
    Ok((request, name))
}

/// Runs an ingestion with the body of a request.
async fn run(
    service: &Arc<Service>,
    ingestion: IngestRequest,
    format_name: String,
    request: Request,
    caller: Caller,
    limit: Option<u64>,
) -> Result<IngestReport, (ApiError, Option<Box<IngestError>>)> {
    if service.is_stopping() {
        return Err((ApiError::unavailable("the server is stopping"), None));
    }
    if caller.read_only {
        return Err((ApiError::forbidden("the request is marked read-only; ingestion writes"), None));
    }
    let started = Instant::now();
    let database = ingestion.database.clone();
    let table = ingestion.table.clone();
    let length = header_text(request.headers(), "content-length").and_then(|text| text.parse().ok());
    let is_small = length.is_some_and(|length: u64| {
        small::is_small(&ingestion, length) && limit.is_none_or(|limit| length <= limit)
    });
    let body = request.into_body();
    let (result, bytes) = if is_small {
        run_small(service, ingestion, body, limit).await
    } else {
        run_stream(service, ingestion, body, limit).await
    };
    let rows = match &result {
        Ok(report) if report.duplicate => 0,
        Ok(report) => report.rows,
        Err((_, failed)) => failed.as_ref().map_or(0, |failed| failed.report.rows),
    };
    service.metrics.ingestions.record(started.elapsed(), result.is_ok());
    service.metrics.rows_ingested.add(rows);
    service.metrics.bytes_ingested.add(bytes);
    let failure = result.as_ref().err().map(|(error, _)| error.message.clone());
    if let Err((error, _)) = &result {
        service.activity.add_failure(IngestionFailure {
            operation_id: caller.activity_id,
            database: database.clone(),
            table: table.clone(),
            failed_ticks: crate::machine::now_ticks(),
            source: String::new(),
            details: error.message.clone(),
            error_code: error.code.clone(),
            permanent: error.permanent,
            activity_id: caller.activity_id,
        });
    }
    service.telemetry.ingestion(&IngestionEvent {
        database,
        table,
        format: format_name,
        rows,
        bytes,
        duration: started.elapsed(),
        failure,
        client_request_id: caller.client_request_id,
        activity_id: caller.activity_id,
    });
    result
}

type Outcome = Result<IngestReport, (ApiError, Option<Box<IngestError>>)>;

fn outcome_of(result: Result<IngestReport, IngestError>, limit: Option<u64>) -> Outcome {
    result.map_err(|error| (api_error(&error, limit), Some(Box::new(error))))
}

fn fault() -> Outcome {
    Err((ApiError::internal("the ingestion stopped by a fault of the server"), None))
}

/// Decodes a body while it comes in, on a thread of its own. Gives the bytes read, too.
async fn run_stream(
    service: &Arc<Service>,
    ingestion: IngestRequest,
    body: Body,
    limit: Option<u64>,
) -> (Outcome, u64) {
    let permit = match service.ingest_slot().await {
        Ok(permit) => permit,
        Err(error) => return (Err((error, None)), 0),
    };
    let (feeder, mut reader) = body::channel();
    let store = service.store.clone();
    let work = service.ingest_threads.spawn(move || {
        let _permit = permit;
        ingest::run(&store, &ingestion, &mut reader)
    });
    let bytes = feeder.feed(body, limit).await;
    match work.await {
        Ok(result) => (outcome_of(result, limit), bytes),
        Err(_) => (fault(), bytes),
    }
}

/// Reads a short body and has its rows stored together with those of others.
async fn run_small(
    service: &Arc<Service>,
    ingestion: IngestRequest,
    body: Body,
    limit: Option<u64>,
) -> (Outcome, u64) {
    let body = match body::read_raw(body, small::SMALL_BYTES as u64).await {
        Ok(body) => Bytes::from(body),
        Err(error) => return (Err((error, None)), 0),
    };
    let bytes = body.len() as u64;
    let (sender, answer) = tokio::sync::oneshot::channel();
    let answer_to = Box::new(move |outcome| drop(sender.send(outcome)));
    service.small_requests.submit(ingestion, body.clone(), answer_to);
    match answer.await {
        Ok(small::Outcome::Stored(report)) => (Ok(report), bytes),
        Ok(small::Outcome::Failed(error)) => (outcome_of(Err(error), limit), bytes),
        Ok(small::Outcome::Alone(ingestion)) => {
            run_stream(service, *ingestion, Body::from(body), limit).await
        }
        Err(_) => (fault(), bytes),
    }
}

/// The HTTP error of a failed ingestion.
pub fn api_error(error: &IngestError, limit: Option<u64>) -> ApiError {
    if let Some(limit) = limit
        && error.message.contains(TOO_LARGE)
    {
        return ApiError::too_large(limit);
    }
    match error.failure {
        Failure::BadRequest | Failure::NotFound => {
            ApiError::new(400, error.code, "KustoBadRequestException", true, error.message.clone())
        }
        Failure::Busy => ApiError::throttled(error.message.clone()),
        Failure::Storage => ApiError::unavailable(error.message.clone()),
        Failure::Disconnected => {
            ApiError::new(400, error.code, "KustoBadRequestException", false, error.message.clone())
        }
    }
}
