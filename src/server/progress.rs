//! `GET /v1/queries/{client request id}`: how far a running query has come, for whoever shows it while it runs.
//!
//! Asked often, so it is no command: it reads counters and leaves no trace in the server's log of requests.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Response, header};
use serde_json::json;

use crate::server::error::{ApiError, ErrorContext, ErrorStyle};
use crate::server::service::Service;

/// Seconds, rows, bytes, extents, parts of the work, memory; 404 when no such query runs.
pub async fn progress_route(
    State(service): State<Arc<Service>>,
    Path(client_request_id): Path<String>,
) -> Response<Body> {
    let Some(progress) = service.activity.progress(&client_request_id) else {
        let message = format!("no query with the client request id '{client_request_id}' is running");
        let error = ApiError::new(404, "NotFound", "KustoRequestException", true, message);
        return error.response(ErrorStyle::Json, &ErrorContext::default());
    };
    let body = json!({
        "seconds": progress.seconds,
        "rowsScanned": progress.rows_scanned,
        "bytesScanned": progress.bytes_scanned,
        "extentsScanned": progress.extents_scanned,
        "extentsTotal": progress.extents_total,
        "partsDone": progress.parts_done,
        "partsTotal": progress.parts_total,
        "memoryPeakBytes": progress.memory_peak_bytes,
    });
    let mut response = Response::new(Body::from(body.to_string()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
