//! The pages that tell how things are: hello, health, readiness, metrics, and errors of routing.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use serde_json::json;

use crate::reference::{self, Chapter};
use crate::server::error::{ApiError, ErrorContext, ErrorStyle};
use crate::server::kusto::caller_of;
use crate::server::service::Service;

fn page(status: StatusCode, content_type: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

const JSON: &str = "application/json; charset=utf-8";

const ROUTES: [(&str, &str); 24] = [
    ("GET /", "the web page, for browsers; this list for others"),
    (
        "GET|POST /query?db=&q=&format=",
        "run KQL; format json, ndjson, csv, tsv, table, arrow, kusto-v1 or kusto-v2",
    ),
    (
        "GET|POST /chart?db=&q=&format=&width=&height=&theme=",
        "draw what render asks for; format svg, png or text",
    ),
    ("POST /v1/kql/chart", "which columns a chart of a schema takes"),
    ("GET /v1/queries/{client request id}", "how far a running query has come"),
    ("GET /plain", "a page that queries and draws, without a build"),
    ("POST /ingest/{database}/{table}", "store NDJSON, JSON or CSV; creates what is missing"),
    ("POST /v1/kql/check", "diagnostics and columns of a text without running it"),
    ("POST /v1/kql/{complete,hover,signature,format,tokens}", "what editors ask while a query is written"),
    ("GET /v1/dashboards", "the dashboards there are"),
    ("GET|PUT|DELETE /v1/dashboards/{database}/{name}", "a dashboard as YAML or JSON"),
    ("POST /v1/dashboards/{database}/{name}/tiles/{tile}/run", "the answer of a tile, as of /v2/rest/query"),
    ("POST /v1/dashboards/{database}/{name}/embed", "a signed address that shows it, or a tile, to anyone"),
    ("GET /embed/{token}", "what a signed address shows"),
    ("POST /v1/dashboards/check", "diagnostics of a dashboard and its queries"),
    ("POST /v1/dashboards/import?database=", "a dashboard of Azure Data Explorer as one of ours"),
    ("GET /docs/kql", "the language: operators, functions, plugins"),
    ("POST /v2/rest/query", "Kusto SDKs: queries"),
    ("POST /v1/rest/query", "Kusto SDKs, Grafana: queries and commands"),
    ("POST /v1/rest/mgmt", "Kusto SDKs: management commands"),
    ("POST /v1/rest/ingest/{database}/{table}", "Kusto SDKs: streaming ingestion"),
    ("GET /health", "whether the server is well"),
    ("GET /ready", "whether it takes work"),
    ("GET /metrics", "counters for Prometheus"),
];

/// The list of routes, as JSON.
pub fn hello() -> Response<Body> {
    let routes: serde_json::Map<String, serde_json::Value> =
        ROUTES.iter().map(|(route, text)| ((*route).to_owned(), json!(text))).collect();
    let body = json!({"name": "conshelf", "version": env!("CARGO_PKG_VERSION"), "routes": routes});
    page(StatusCode::OK, JSON, format!("{body:#}\n"))
}

const HTML: &str = "text/html; charset=utf-8";

/// `GET /docs/kql`
pub async fn docs_index() -> Response<Body> {
    page(StatusCode::OK, HTML, reference::html_index())
}

/// `GET /docs/kql/{chapter}`, with `.md` after it as Markdown.
pub async fn docs(Path(name): Path<String>, request: Request) -> Response<Body> {
    let chapter = |name: &str| Chapter::ALL.into_iter().find(|chapter| chapter.name() == name);
    match (chapter(&name), name.strip_suffix(".md").and_then(chapter)) {
        (Some(found), _) => page(StatusCode::OK, HTML, reference::html(found)),
        (None, Some(found)) => {
            page(StatusCode::OK, "text/markdown; charset=utf-8", reference::markdown(found))
        }
        (None, None) => refuse(&request, &ApiError::not_found(request.uri().path())),
    }
}

/// `GET /health`: 200 while the server can answer queries; says whether ingestion is refused.
pub async fn health(State(service): State<Arc<Service>>) -> Response<Body> {
    let status = service.store.status();
    let problems: Vec<String> = service.store.problems().iter().take(20).map(ToString::to_string).collect();
    let well = status.degraded.is_none() && problems.is_empty();
    let body = json!({
        "status": if well { "healthy" } else { "degraded" },
        "version": env!("CARGO_PKG_VERSION"),
        "uptimeSeconds": service.started.elapsed().as_secs(),
        "degraded": status.degraded,
        "lastWriteError": status.last_write_error,
        "problems": problems,
    });
    page(StatusCode::OK, JSON, format!("{body}\n"))
}

/// `GET /ready`: 200 while new work is taken.
pub async fn ready(State(service): State<Arc<Service>>) -> Response<Body> {
    if service.is_stopping() {
        return page(StatusCode::SERVICE_UNAVAILABLE, JSON, "{\"ready\":false}\n".to_owned());
    }
    page(StatusCode::OK, JSON, "{\"ready\":true}\n".to_owned())
}

/// `GET /metrics`
pub async fn metrics(State(service): State<Arc<Service>>) -> Response<Body> {
    let worker = service.clone();
    let text = tokio::task::spawn_blocking(move || worker.metrics.prometheus(&worker)).await;
    page(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text.unwrap_or_default())
}

fn style_of(path: &str) -> ErrorStyle {
    if path.starts_with("/v1/rest") || path.starts_with("/v2/rest") {
        ErrorStyle::Kusto
    } else {
        ErrorStyle::Json
    }
}

fn refuse(request: &Request, error: &ApiError) -> Response<Body> {
    let caller = caller_of(request);
    let context = ErrorContext::of(&caller, "");
    error.response(style_of(request.uri().path()), &context)
}

/// No such path.
pub async fn not_found(request: Request) -> Response<Body> {
    refuse(&request, &ApiError::not_found(request.uri().path()))
}

/// No such method on the path.
pub async fn method_not_allowed(request: Request) -> Response<Body> {
    refuse(&request, &ApiError::method_not_allowed(request.method().as_str(), request.uri().path()))
}
