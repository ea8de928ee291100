//! Dashboards over HTTP: to list, read, write, check them, and to run their tiles and the queries of their choices.
//!
//! A tile's answer is that of `/v2/rest/query`. Its `ETag` has two parts: one of the data and the parameters, which
//! spares the run where nothing depends on the moment, and one of the rows that came. What `src/dashboard` says of
//! the files is not repeated here.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use conshelf_kql::plan::Visualization;
use conshelf_storage::{CatalogChange, CreateMode, DashboardEntry, StorageError};
use serde_json::{Map, Value, json};
use xxhash_rust::xxh3::xxh3_128;

use crate::dashboard::model::{Choices, Content, ParameterKind, Tile};
use crate::dashboard::node::Problem;
use crate::dashboard::query::{Composed, compose};
use crate::dashboard::source::{Found, Source, Sources};
use crate::dashboard::{self, Dashboard, FileFormat, check, import, values};
use crate::engine::Batch;
use crate::response::columns::Cells;
use crate::response::{Completion, EncodeError, Encoder, ResultHeader};
use crate::server::body::read_whole;
use crate::server::chart::{depends_on_data_alone, matches, set, unchanged};
use crate::server::error::{ApiError, ErrorContext, ErrorStyle, Place};
use crate::server::friendly::header_text;
use crate::server::kusto::{caller_of, identity_of, v2_encoder};
use crate::server::options::RequestOptions;
use crate::server::query_string;
use crate::server::request::is_command;
use crate::server::run::{self, Frame, MakeEncoder, QueryTask};
use crate::server::service::{Caller, Service};

/// Values that a choice offers.
const CHOICES_MAX: usize = 10_000;
/// The name of the database of what is built in, as a part of a path.
const BUILT_IN: &str = "-";

/// An error, and the text of the request that it is about.
pub(super) struct Refusal {
    pub error: ApiError,
    pub text: String,
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Refusal {
        Refusal { error, text: String::new() }
    }
}

impl Refusal {
    /// The first problem of a file.
    fn of_problems(problems: &[Problem], text: &str) -> Refusal {
        let Some(first) = problems.first() else {
            return ApiError::bad_request("the file is not a dashboard").into();
        };
        let path = if first.path.is_empty() { String::new() } else { format!("{}: ", first.path) };
        let mut error = ApiError::bad_request(format!("{path}{}", first.message));
        error.place = Some(Place { start: first.place.offset_in(text), length: 1 });
        Refusal { error, text: text.to_owned() }
    }
}

pub(super) type Answer = Result<Response<Body>, Refusal>;

pub(super) fn respond(caller: &Caller, answer: Answer) -> Response<Body> {
    answer.unwrap_or_else(|Refusal { error, text }| {
        let context = ErrorContext::of(caller, "DN.FE.Dashboard").with_text("", &text);
        error.response(ErrorStyle::Json, &context)
    })
}

pub(super) fn json_response(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(format!("{body}\n")));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    response
}

/// Runs what reads files or waits for the disk.
pub(super) async fn blocking<T: Send + 'static>(
    service: &Arc<Service>,
    work: impl FnOnce(&Service) -> T + Send + 'static,
) -> Result<T, ApiError> {
    let worker = service.clone();
    tokio::task::spawn_blocking(move || work(&worker))
        .await
        .map_err(|_| ApiError::internal("the answer stopped by a fault of the server; please report it"))
}

fn sources(service: &Service) -> Sources<'_> {
    Sources { store: &service.store, directory: service.settings.dashboards.as_deref() }
}

/// The dashboard at a path.
pub(super) async fn find(service: &Arc<Service>, database: &str, name: &str) -> Result<Found, ApiError> {
    let (key, wanted) = (if database == BUILT_IN { "" } else { database }.to_owned(), name.to_owned());
    let found = blocking(service, move |service| sources(service).find(&key, &wanted)).await?;
    found.ok_or_else(|| ApiError::missing("dashboard", name))
}

/// Its model; a refusal where the file is wrong.
pub(super) fn model(found: &Found) -> Result<&Dashboard, Refusal> {
    found.dashboard.as_ref().map_err(|problems| Refusal::of_problems(problems, &found.text))
}

/// A JSON object as body; nothing is an empty one.
pub(super) async fn read_object(service: &Service, request: Request) -> Result<Map<String, Value>, ApiError> {
    let (parts, body) = request.into_parts();
    let bytes = read_whole(body, &parts.headers, service.settings.body_bytes).await?;
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(ApiError::bad_request("the body must be a JSON object")),
        Err(error) => Err(ApiError::bad_request(format!("the body is not JSON: {error}"))),
    }
}

/// The values of parameters in a body.
pub(super) fn given_parameters(body: &Map<String, Value>) -> Result<Map<String, Value>, ApiError> {
    match body.get("parameters") {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(given)) => Ok(given.clone()),
        Some(_) => Err(ApiError::bad_request("'parameters' must be an object of values by their names")),
    }
}

async fn read_text(service: &Service, request: Request) -> Result<(String, Option<FileFormat>), ApiError> {
    let content_type = header_text(&request, header::CONTENT_TYPE).to_ascii_lowercase();
    let (parts, body) = request.into_parts();
    let bytes = read_whole(body, &parts.headers, service.settings.body_bytes).await?;
    let text = String::from_utf8(bytes).map_err(|_| ApiError::bad_request("the body is not UTF-8 text"))?;
    let format = match content_type.split(';').next().unwrap_or("").trim() {
        "application/json" => Some(FileFormat::Json),
        "application/yaml" | "application/x-yaml" | "text/yaml" => Some(FileFormat::Yaml),
        _ => None,
    };
    Ok((text, format))
}

/// `GET /v1/dashboards`
pub async fn list(State(service): State<Arc<Service>>, request: Request) -> Response<Body> {
    let caller = caller_of(&request);
    respond(&caller, list_answer(&service).await)
}

async fn list_answer(service: &Arc<Service>) -> Answer {
    let all = blocking(service, |service| sources(service).all()).await?;
    let listed: Vec<Value> = all
        .iter()
        .map(|found| {
            let model = found.dashboard.as_ref();
            let mut entry = json!({
                "database": found.database,
                "name": found.name,
                "title": model.map_or(found.name.as_str(), |model| model.title.as_str()),
                "description": model.map_or("", |model| model.description.as_str()),
                "source": found.source.name(),
                "writable": found.source == Source::Database,
            });
            if let Err(problems) = &found.dashboard {
                entry["problem"] = json!(problems.first().map(ToString::to_string));
            }
            entry
        })
        .collect();
    Ok(json_response(StatusCode::OK, &json!({ "dashboards": listed })))
}

fn tell(found: &Found, status: StatusCode) -> Response<Body> {
    let etag = found.etag();
    let mut body = json!({
        "dashboard": found.dashboard.as_ref().ok().map(Dashboard::to_json),
        "text": found.text,
        "format": found.format.name(),
        "source": found.source.name(),
        "writable": found.source == Source::Database,
        "etag": etag,
    });
    if let Err(problems) = &found.dashboard {
        body["problems"] = problems.iter().map(problem_json).collect();
    }
    let mut response = json_response(status, &body);
    set(response.headers_mut(), header::ETAG, &etag);
    response
}

fn problem_json(problem: &Problem) -> Value {
    json!({
        "severity": "Error",
        "message": problem.message,
        "line": problem.place.line,
        "column": problem.place.column,
        "path": problem.path,
    })
}

/// `GET|PUT|DELETE /v1/dashboards/{database}/{name}`
pub async fn one(
    State(service): State<Arc<Service>>,
    Path((database, name)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response<Body> {
    let caller = caller_of(&request);
    let conditions = Conditions {
        wanted: header_text(&request, header::IF_MATCH),
        known: header_text(&request, header::IF_NONE_MATCH),
    };
    let answer = match *request.method() {
        Method::PUT => put(&service, &database, &name, &caller, conditions, request).await,
        Method::DELETE => delete(&service, &database, &name, &caller, conditions).await,
        _ => get(&service, &database, &name, query.as_deref().unwrap_or(""), &conditions.known).await,
    };
    respond(&caller, answer)
}

/// What a request says of the entity tags.
struct Conditions {
    /// `If-Match`
    wanted: String,
    /// `If-None-Match`
    known: String,
}

async fn get(service: &Arc<Service>, database: &str, name: &str, query: &str, known: &str) -> Answer {
    let found = find(service, database, name).await?;
    let pairs = query_string::pairs(query);
    let Some(format) = query_string::find(&pairs, "format") else {
        if matches(known, &found.etag()) {
            return Ok(unchanged(&found.etag()));
        }
        return Ok(tell(&found, StatusCode::OK));
    };
    let format = FileFormat::from_name(format)
        .ok_or_else(|| ApiError::bad_request(format!("format '{format}' is not known; use yaml or json")))?;
    let text = match format == found.format {
        true => found.text.clone(),
        false => dashboard::write(model(&found)?, format),
    };
    let mut response = Response::new(Body::from(text));
    let content_type = match format {
        FileFormat::Yaml => "application/yaml; charset=utf-8",
        FileFormat::Json => "application/json; charset=utf-8",
    };
    set(response.headers_mut(), header::CONTENT_TYPE, content_type);
    set(response.headers_mut(), header::ETAG, &found.etag());
    set(response.headers_mut(), header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    Ok(response)
}

/// What is there now, if the caller may change it and believes right about it.
async fn changeable(
    service: &Arc<Service>,
    database: &str,
    name: &str,
    caller: &Caller,
    conditions: &Conditions,
) -> Result<Option<Found>, ApiError> {
    if caller.read_only {
        return Err(ApiError::forbidden("the request is marked read-only; this changes a dashboard"));
    }
    if database == BUILT_IN {
        return Err(ApiError::forbidden("what is built in cannot be changed; store a copy in a database"));
    }
    if service.store.snapshot().database(database).is_none() {
        return Err(ApiError::missing("database", database));
    }
    let known = match find(service, database, name).await {
        Ok(found) => Some(found),
        Err(error) if error.status == 404 => None,
        Err(error) => return Err(error),
    };
    if known.as_ref().is_some_and(|known| known.source == Source::File) {
        return Err(ApiError::forbidden("the dashboard is a file of the server; change it there"));
    }
    let Conditions { wanted, known: unwanted } = conditions;
    let etag = known.as_ref().map(Found::etag);
    let holds = match (&etag, wanted.is_empty()) {
        (_, true) => true,
        (Some(etag), false) => matches(wanted, etag),
        (None, false) => false,
    };
    if !holds || (!unwanted.is_empty() && etag.is_some_and(|etag| matches(unwanted, &etag))) {
        return Err(ApiError::precondition_failed("the dashboard has changed meanwhile; read it again"));
    }
    Ok(known)
}

async fn commit(service: &Arc<Service>, change: CatalogChange) -> Result<(), ApiError> {
    let done = blocking(service, move |service| service.store.commit_all(&[change])).await?;
    match done {
        Ok(_) => Ok(()),
        Err(StorageError::Invalid(message)) if message.contains("has changed meanwhile") => {
            Err(ApiError::precondition_failed(message))
        }
        Err(error) => Err(ApiError::from_command(error.into())),
    }
}

async fn put(
    service: &Arc<Service>,
    database: &str,
    name: &str,
    caller: &Caller,
    conditions: Conditions,
    request: Request,
) -> Answer {
    let is_conditional = !conditions.wanted.is_empty();
    let (text, format) = read_text(service, request).await?;
    let format = format.unwrap_or_else(|| FileFormat::of_text(&text));
    if let Err(problems) = dashboard::read(&text, format) {
        return Err(Refusal::of_problems(&problems, &text));
    }
    let known = changeable(service, database, name, caller, &conditions).await?;
    let dashboard = DashboardEntry {
        name: name.to_owned(),
        format: format.name().to_owned(),
        text,
        updated_ticks: crate::machine::now_ticks(),
    };
    let change = CatalogChange::CreateDashboard {
        database: database.to_owned(),
        dashboard,
        mode: CreateMode::CreateOrAlter,
        expected_text: known.as_ref().filter(|_| is_conditional).map(|known| known.text.clone()),
    };
    commit(service, change).await?;
    let found = find(service, database, name).await?;
    let status = if known.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    Ok(tell(&found, status))
}

async fn delete(
    service: &Arc<Service>,
    database: &str,
    name: &str,
    caller: &Caller,
    conditions: Conditions,
) -> Answer {
    let is_conditional = !conditions.wanted.is_empty();
    let known = changeable(service, database, name, caller, &conditions).await?;
    let known = known.ok_or_else(|| ApiError::missing("dashboard", name))?;
    let change = CatalogChange::DropDashboard {
        database: database.to_owned(),
        name: name.to_owned(),
        if_exists: false,
        expected_text: is_conditional.then_some(known.text),
    };
    commit(service, change).await?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

/// `POST /v1/dashboards/check?database=`
pub async fn check_route(
    State(service): State<Arc<Service>>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response<Body> {
    let caller = caller_of(&request);
    let database = database_of(query.as_deref());
    respond(&caller, check_answer(&service, database, request).await)
}

pub(super) fn database_of(query: Option<&str>) -> String {
    let pairs = query_string::pairs(query.unwrap_or(""));
    query_string::find(&pairs, "database")
        .or_else(|| query_string::find(&pairs, "db"))
        .unwrap_or("")
        .to_owned()
}

async fn check_answer(service: &Arc<Service>, database: String, request: Request) -> Answer {
    let (text, format) = read_text(service, request).await?;
    let permit = service.query_slot().await?;
    let remarks = blocking(service, move |service| {
        let _permit = permit;
        let format = format.unwrap_or_else(|| FileFormat::of_text(&text));
        check::remarks(&service.store, &database, &text, format)
    })
    .await?;
    let diagnostics: Vec<Value> = remarks.iter().map(check::Remark::to_json).collect();
    Ok(json_response(StatusCode::OK, &json!({ "diagnostics": diagnostics })))
}

/// `POST /v1/dashboards/import?database=`: what a dashboard of Azure Data Explorer is here; stores nothing.
pub async fn import_route(
    State(service): State<Arc<Service>>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response<Body> {
    let caller = caller_of(&request);
    let database = database_of(query.as_deref());
    let answer = async {
        let (text, _) = read_text(&service, request).await?;
        let imported = blocking(&service, move |_| import::import(&text, &database))
            .await?
            .map_err(ApiError::bad_request)?;
        let warnings: Vec<Value> = imported.warnings.iter().map(import::Warning::to_json).collect();
        let body = json!({
            "dashboard": imported.dashboard.to_json(),
            "text": dashboard::write(&imported.dashboard, FileFormat::Yaml),
            "warnings": warnings,
        });
        Ok(json_response(StatusCode::OK, &body))
    }
    .await;
    respond(&caller, answer)
}

/// `POST /v1/dashboards/{database}/{name}/tiles/{tile}/run`
pub async fn run_route(
    State(service): State<Arc<Service>>,
    Path((database, name, tile)): Path<(String, String, String)>,
    request: Request,
) -> Response<Body> {
    let mut caller = caller_of(&request);
    let known = header_text(&request, header::IF_NONE_MATCH);
    let answer = async {
        let found = find(&service, &database, &name).await?;
        let body = read_object(&service, request).await?;
        let given = given_parameters(&body)?;
        if let Some(id) = body.get("cancel_id").and_then(Value::as_str) {
            id.clone_into(&mut caller.client_request_id);
        }
        let dashboard = model(&found)?;
        let tile = dashboard.tile(&tile).ok_or_else(|| ApiError::missing("tile", &tile))?;
        let run = TileRun { found: &found, dashboard, tile, given: &given, is_hidden: false };
        run_tile(&service, &run, caller.clone(), &known).await
    }
    .await;
    respond(&caller, answer)
}

/// A tile and what it is run with.
#[derive(Clone, Copy)]
pub(super) struct TileRun<'a> {
    pub found: &'a Found,
    pub dashboard: &'a Dashboard,
    pub tile: &'a Tile,
    pub given: &'a Map<String, Value>,
    /// Whoever asks is told nothing of the query's text.
    pub is_hidden: bool,
}

/// A query of a dashboard on its way to run.
pub(super) struct Ready {
    pub composed: Composed,
    pub database: String,
    pub visualization: Option<Visualization>,
    pub now_ticks: i64,
    /// Of the data and all that is asked, where the same rows follow from the same.
    pub data_tag: Option<String>,
    is_hidden: bool,
}

impl Ready {
    fn new(
        service: &Service,
        run: &TileRun<'_>,
        query: &str,
        database: Option<&str>,
        visualization: Option<Visualization>,
    ) -> Result<Ready, ApiError> {
        let now_ticks = crate::machine::now_ticks();
        let variables =
            values::variables(run.dashboard, run.given, now_ticks).map_err(ApiError::bad_request)?;
        let composed = compose(run.dashboard, query, &variables).map_err(ApiError::bad_request)?;
        if is_command(&composed.text) {
            return Err(ApiError::bad_request(
                "a management command has no place in a dashboard; use a query",
            ));
        }
        let database = database.unwrap_or_else(|| run.found.default_database()).to_owned();
        let is_steady = !composed.is_moving && depends_on_data_alone(service, &composed.text);
        let data_tag = is_steady.then(|| {
            let snapshot = service.store.snapshot();
            let what = format!(
                "{}\0{}\0{}\0{}\0{database}\0{}\0{:?}\0{visualization:?}",
                env!("CARGO_PKG_VERSION"),
                service.started_ticks,
                snapshot.version(),
                snapshot.sequence(),
                composed.text,
                composed.parameters,
            );
            format!("{:032x}", xxh3_128(what.as_bytes()))
        });
        Ok(Ready { composed, database, visualization, now_ticks, data_tag, is_hidden: run.is_hidden })
    }

    /// The query of a tile.
    pub fn of_tile(service: &Service, run: &TileRun<'_>) -> Result<Ready, ApiError> {
        let Content::Query(query) = &run.tile.content else {
            return Err(ApiError::bad_request(format!("the tile '{}' has no query", run.tile.id)));
        };
        let visualization = run.tile.visualization.as_ref().map(|wanted| Visualization {
            kind: wanted.kind.clone(),
            properties: wanted
                .properties
                .iter()
                .map(|(name, value)| {
                    let name = if name == "shape" { "kind" } else { name };
                    (name.to_owned(), value.clone())
                })
                .collect(),
            is_query_sorted: false,
        });
        Ready::new(service, run, query, run.tile.database.as_deref(), visualization)
    }

    pub fn task(self, caller: Caller, style: ErrorStyle, make_encoder: MakeEncoder) -> QueryTask {
        QueryTask {
            frame: Frame {
                before: self.composed.offset,
                is_hidden: self.is_hidden,
                visualization: self.visualization,
            },
            text: self.composed.text,
            database: self.database,
            parameters: self.composed.parameters,
            options: RequestOptions {
                now: Some(self.now_ticks),
                read_only: true,
                ..RequestOptions::default()
            },
            caller,
            style,
            make_encoder,
        }
    }
}

/// Whether a reader has what the data alone determines.
fn knows_data(known: &str, data_tag: &str) -> Option<String> {
    known
        .split(',')
        .map(|one| one.trim().trim_start_matches("W/"))
        .find(|one| one.trim_matches('"').split('-').next() == Some(data_tag))
        .map(str::to_owned)
}

/// Whether a reader has these rows.
fn knows_rows(known: &str, rows_tag: &str) -> bool {
    known
        .split(',')
        .map(|one| one.trim().trim_start_matches("W/").trim_matches('"'))
        .any(|one| one.split('-').nth(1) == Some(rows_tag))
}

/// Answers a tile as `/v2/rest/query` would, or that its reader has it.
pub(super) async fn run_tile(
    service: &Arc<Service>,
    run: &TileRun<'_>,
    caller: Caller,
    known: &str,
) -> Answer {
    let ready = Ready::of_tile(service, run)?;
    let data_tag = ready.data_tag.clone();
    if let Some(etag) = data_tag.as_deref().and_then(|tag| knows_data(known, tag)) {
        return Ok(unchanged(&etag));
    }
    let make_encoder = v2_encoder(identity_of(&caller));
    let response = run::run(service, ready.task(caller, ErrorStyle::Json, make_encoder)).await;
    if response.status() != StatusCode::OK {
        return Ok(response);
    }
    let (mut parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX)
        .await
        .map_err(|_| ApiError::internal("the answer broke off"))?;
    // Behind the rows are times and ids of the run.
    let marker = b"\"TableKind\":\"QueryCompletionInformation\"";
    let rows_end = memchr::memmem::rfind(&bytes, marker).unwrap_or(bytes.len());
    let is_whole = memchr::memmem::rfind(&bytes[rows_end..], b"\"HasErrors\":false").is_some();
    if is_whole {
        let rows_tag = format!("{:032x}", xxh3_128(&bytes[..rows_end]));
        let etag = format!("\"{}-{rows_tag}\"", data_tag.unwrap_or_else(|| "0".to_owned()));
        if knows_rows(known, &rows_tag) {
            return Ok(unchanged(&etag));
        }
        set(&mut parts.headers, header::ETAG, &etag);
    }
    set(&mut parts.headers, header::CACHE_CONTROL, "private, no-cache");
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

/// `POST /v1/dashboards/{database}/{name}/parameters/{parameter}/values`
pub async fn values_route(
    State(service): State<Arc<Service>>,
    Path((database, name, parameter)): Path<(String, String, String)>,
    request: Request,
) -> Response<Body> {
    let caller = caller_of(&request);
    let answer = async {
        let found = find(&service, &database, &name).await?;
        let body = read_object(&service, request).await?;
        let given = given_parameters(&body)?;
        let dashboard = model(&found)?;
        let run =
            ValuesRun { found: &found, dashboard, parameter: &parameter, given: &given, is_hidden: false };
        parameter_values(&service, &run, caller.clone()).await
    }
    .await;
    respond(&caller, answer)
}

/// A parameter whose choices are asked for.
pub(super) struct ValuesRun<'a> {
    pub found: &'a Found,
    pub dashboard: &'a Dashboard,
    pub parameter: &'a str,
    pub given: &'a Map<String, Value>,
    pub is_hidden: bool,
}

/// What can be chosen for a parameter.
pub(super) async fn parameter_values(service: &Arc<Service>, run: &ValuesRun<'_>, caller: Caller) -> Answer {
    let parameter = run
        .dashboard
        .parameter(run.parameter)
        .ok_or_else(|| ApiError::missing("parameter", run.parameter))?;
    let ParameterKind::Choice { values, .. } = &parameter.kind else {
        return Err(ApiError::bad_request(format!("'{}' is not a choice", parameter.name)).into());
    };
    let (query, value, label, database) = match values {
        Choices::Fixed(choices) => {
            let choices: Vec<Value> = choices.iter().map(dashboard::model::Choice::to_json).collect();
            return Ok(json_response(StatusCode::OK, &json!({ "values": choices })));
        }
        Choices::Query { query, value, label, database } => (query, value, label, database),
    };
    let tile = Tile::default();
    let tile_run = TileRun {
        found: run.found,
        dashboard: run.dashboard,
        tile: &tile,
        given: run.given,
        is_hidden: run.is_hidden,
    };
    let ready = Ready::new(service, &tile_run, query, database.as_deref(), None)?;
    let problem: Arc<Mutex<Option<String>>> = Arc::default();
    let encoder = ValuesEncoder {
        value: value.clone(),
        label: label.clone(),
        columns: None,
        is_first_result: true,
        found: Vec::new(),
        seen: HashSet::new(),
        problem: problem.clone(),
    };
    let make_encoder: MakeEncoder = Box::new(move |_| -> Box<dyn Encoder> { Box::new(encoder) });
    let response = run::run(service, ready.task(caller, ErrorStyle::Json, make_encoder)).await;
    let problem = problem.lock().unwrap_or_else(PoisonError::into_inner).take();
    match problem {
        Some(message) => Err(ApiError::bad_request(message).into()),
        None => Ok(response),
    }
}

/// Gathers value and label of every row of the first result.
struct ValuesEncoder {
    value: Option<String>,
    label: Option<String>,
    /// Where the two columns are.
    columns: Option<(usize, usize)>,
    is_first_result: bool,
    found: Vec<Value>,
    seen: HashSet<String>,
    problem: Arc<Mutex<Option<String>>>,
}

impl ValuesEncoder {
    fn column(&self, header: &ResultHeader, name: Option<&str>) -> Option<usize> {
        let name = name?;
        let found = header.columns.iter().position(|column| column.name == name);
        if found.is_none() {
            let known: Vec<&str> = header.columns.iter().map(|column| column.name.as_str()).collect();
            let message = format!("the choices have no column '{name}'; they have {}", known.join(", "));
            *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = Some(message);
        }
        found
    }
}

impl Encoder for ValuesEncoder {
    fn content_type(&self) -> &'static str {
        "application/json; charset=utf-8"
    }

    fn begin(&mut self, results: &[ResultHeader], _out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if let Some(header) = results.first().filter(|header| !header.columns.is_empty()) {
            let value = self.column(header, self.value.as_deref()).unwrap_or(0);
            let label = self.column(header, self.label.as_deref()).unwrap_or(value);
            self.columns = Some((value, label));
        }
        Ok(())
    }

    fn begin_result(
        &mut self,
        index: usize,
        _header: &ResultHeader,
        _out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        self.is_first_result = index == 0;
        Ok(())
    }

    fn rows(&mut self, header: &ResultHeader, batch: &Batch, _out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let Some((value, label)) = self.columns.filter(|_| self.is_first_result) else { return Ok(()) };
        let cells = Cells::of_batch(&header.columns, batch)?;
        let mut scratch = String::new();
        for row in 0..batch.rows {
            if self.found.len() >= CHOICES_MAX {
                break;
            }
            let (mut json, mut plain) = (Vec::new(), Vec::new());
            cells[value].write_json(row, &mut scratch, &mut json);
            cells[label].write_plain(row, &mut scratch, &mut plain);
            let value: Value = serde_json::from_slice(&json).unwrap_or_default();
            // A null is what choosing nothing gives.
            if !value.is_null() && self.seen.insert(value.to_string()) {
                self.found.push(json!({"value": value, "label": String::from_utf8_lossy(&plain)}));
            }
        }
        Ok(())
    }

    fn finish(&mut self, _completion: &Completion, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let values = std::mem::take(&mut self.found);
        out.extend_from_slice(format!("{}\n", json!({ "values": values })).as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_data_and_rows_are_told_apart() {
        assert_eq!(knows_data("W/\"a-b\", \"c-d\"", "c"), Some("\"c-d\"".to_owned()));
        assert_eq!(knows_data("\"a-b\"", "b"), None);
        assert_eq!(knows_data("", "b"), None);
        assert!(knows_rows("\"a-b\", W/\"c-d\"", "d"));
        assert!(!knows_rows("\"a-b\"", "a"));
        assert!(!knows_rows("", "a"));
    }
}
