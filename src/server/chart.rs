//! `render` over HTTP: `/chart` answers a picture of a query's result.
//!
//! A picture of a query that depends on nothing but stored data carries an `ETag` of the data's version: it is not
//! run again for a reader who has it. Knows nothing of shapes and colours; see `crate::chart`.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde_json::Value as Json;
use xxhash_rust::xxh3::xxh3_128;

use crate::chart::{self, ColumnKind, Look, Properties, Table, Theme, Value};
use crate::engine::Batch;
use crate::response::columns::Cells;
use crate::response::{Completion, EncodeError, Encoder, ResultHeader};
use crate::server::dashboards::Ready;
use crate::server::error::{ApiError, ErrorContext, ErrorStyle};
use crate::server::friendly::{self, header_text};
use crate::server::kusto::caller_of;
use crate::server::options::RequestOptions;
use crate::server::query_string;
use crate::server::request::is_command;
use crate::server::run::{self, QueryTask};
use crate::server::service::{Caller, Service};

/// Rows beyond these are counted and not drawn.
const ROWS_MAX: usize = 100_000;
/// Cells beyond these are not drawn.
const CELLS_MAX: usize = 2_000_000;
/// An error's text that is put into a picture.
const MESSAGE_BYTES_MAX: usize = 64 << 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Svg,
    Png,
    /// Characters for a terminal: width and height count columns and lines.
    Text,
}

impl Form {
    fn content_type(self) -> &'static str {
        match self {
            Form::Svg => "image/svg+xml; charset=utf-8",
            Form::Png => "image/png",
            Form::Text => "text/plain; charset=utf-8",
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Wish {
    form: Form,
    look: Look,
    colours: bool,
    errors_as_picture: bool,
}

/// The parameters of a picture and the query string without them.
fn read_wish(query: &str) -> Result<(Wish, String), ApiError> {
    let mut wish = Wish { form: Form::Svg, look: Look::default(), colours: false, errors_as_picture: false };
    let (mut width, mut height) = (None, None);
    let mut rest: Vec<&str> = Vec::new();
    let size = |value: &str, name: &str| {
        let number = value.trim().parse::<u32>();
        number.map_err(|_| ApiError::bad_request(format!("{name} '{value}' is not a number of pixels")))
    };
    for part in query.split('&') {
        let pairs = query_string::pairs(part);
        let Some((name, value)) = pairs.first() else { continue };
        match name.to_ascii_lowercase().as_str() {
            "format" => {
                wish.form = match value.to_ascii_lowercase().as_str() {
                    "svg" => Form::Svg,
                    "png" => Form::Png,
                    "text" | "txt" => Form::Text,
                    _ => {
                        let message = format!("format '{value}' is not known; use one of svg, png, text");
                        return Err(ApiError::bad_request(message));
                    }
                };
            }
            "width" => width = Some(size(value, "width")?),
            "height" => height = Some(size(value, "height")?),
            "theme" => {
                wish.look.theme = Theme::from_name(value).ok_or_else(|| {
                    ApiError::bad_request(format!(
                        "theme '{value}' is not known; use one of light, dark, auto"
                    ))
                })?;
            }
            "errors" => wish.errors_as_picture = value.eq_ignore_ascii_case("picture"),
            "colours" | "colors" => wish.colours = value.eq_ignore_ascii_case("true"),
            _ => rest.push(part),
        }
    }
    let (usual_width, usual_height) = if wish.form == Form::Text { (100, 24) } else { (800, 400) };
    wish.look.width = width.unwrap_or(usual_width);
    wish.look.height = height.unwrap_or(usual_height);
    if wish.form == Form::Text {
        wish.errors_as_picture = false;
    }
    Ok((wish, rest.join("&")))
}

/// `GET|POST /chart`
pub async fn chart_route(
    State(service): State<Arc<Service>>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response<Body> {
    let caller = caller_of(&request);
    let context = ErrorContext::of(&caller, "DN.FE.ExecuteQuery");
    let style = if header_text(&request, header::ACCEPT).contains("application/json") {
        ErrorStyle::Json
    } else {
        ErrorStyle::Text
    };
    let query = query.unwrap_or_default();
    let (wish, rest) = match read_wish(&query) {
        Ok(read) => read,
        Err(error) => return error.response(style, &context),
    };
    let style = if wish.errors_as_picture { ErrorStyle::Text } else { style };
    let known = header_text(&request, header::IF_NONE_MATCH);
    let mut asked = match friendly::read_query_string(&rest, "") {
        Ok(asked) => asked,
        Err(error) => return told(error.response(style, &context), &wish).await,
    };
    asked.content_type = header_text(&request, header::CONTENT_TYPE);
    if let Err(error) = friendly::read_text(&service, &mut asked, request).await {
        return told(error.response(style, &context), &wish).await;
    }
    let refusal = if asked.body.text.trim().is_empty() {
        Some("there is no query; send KQL as the body or as q=, e.g. /chart?q=print%20now()")
    } else if is_command(&asked.body.text) {
        Some("a management command has no chart; send a query")
    } else {
        None
    };
    if let Some(message) = refusal {
        return told(ApiError::bad_request(message).response(style, &context), &wish).await;
    }
    let etag = depends_on_data_alone(&service, &asked.body.text).then(|| {
        let snapshot = service.store.snapshot();
        let what = format!(
            "{}\0{}\0{}\0{}\0{rest}\0{}\0{}\0{:?}\0{wish:?}",
            env!("CARGO_PKG_VERSION"),
            service.started_ticks,
            snapshot.version(),
            snapshot.sequence(),
            asked.body.database,
            asked.body.text,
            asked.body.parameters,
        );
        format!("\"{:032x}\"", xxh3_128(what.as_bytes()))
    });
    if let Some(etag) = etag.as_deref().filter(|etag| matches(&known, etag)) {
        return unchanged(etag);
    }
    let task = QueryTask {
        text: asked.body.text,
        database: asked.body.database,
        parameters: asked.body.parameters,
        options: asked.body.options,
        caller,
        style,
        make_encoder: Box::new(move |_| -> Box<dyn Encoder> { Box::new(ChartEncoder::new(wish)) }),
        frame: run::Frame::default(),
    };
    let response = run::run(&service, task).await;
    if response.status() != StatusCode::OK {
        return told(response, &wish).await;
    }
    finished(response, etag, &known).await
}

/// Draws the result of a tile; the query string says how.
pub(super) async fn picture_of(
    service: &Arc<Service>,
    ready: Ready,
    query: &str,
    caller: Caller,
    known: &str,
) -> Response<Body> {
    let (wish, _) = match read_wish(query) {
        Ok(read) => read,
        Err(error) => return error.response(ErrorStyle::Text, &ErrorContext::default()),
    };
    let etag = ready
        .data_tag
        .as_ref()
        .map(|tag| format!("\"{:032x}\"", xxh3_128(format!("{tag}{wish:?}").as_bytes())));
    if let Some(etag) = etag.as_deref().filter(|etag| matches(known, etag)) {
        return unchanged(etag);
    }
    let make_encoder =
        Box::new(move |_: &RequestOptions| -> Box<dyn Encoder> { Box::new(ChartEncoder::new(wish)) });
    let response = run::run(service, ready.task(caller, ErrorStyle::Text, make_encoder)).await;
    if response.status() != StatusCode::OK {
        return told(response, &wish).await;
    }
    finished(response, etag, known).await
}

/// Whether the same text gives the same rows as long as no data changes. In doubt it does not.
pub(super) fn depends_on_data_alone(service: &Service, text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let words: BTreeSet<&str> =
        lower.split(|character: char| !character.is_alphanumeric() && character != '_').collect();
    let restless = [
        "now",
        "ago",
        "rand",
        "new_guid",
        "current_principal",
        "current_principal_details",
        "externaldata",
        "external_table",
        "evaluate",
        "sample",
        "take",
        "limit",
        "cluster",
        "database",
        "invoke",
    ];
    let changes = restless.iter().any(|word| words.contains(word))
        || words.iter().any(|word| word.starts_with("current_") || word.starts_with("cursor_"));
    // What stored functions do is not looked into.
    !changes
        && service.store.snapshot().databases().all(|database| {
            database.functions.keys().all(|name| !words.contains(name.to_ascii_lowercase().as_str()))
        })
}

pub(super) fn matches(known: &str, etag: &str) -> bool {
    known.split(',').map(|one| one.trim().trim_start_matches("W/")).any(|one| one == etag || one == "*")
}

pub(super) fn set(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Pictures run nothing, load nothing and are what they say.
fn guard(headers: &mut HeaderMap) {
    set(headers, header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; sandbox");
    set(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
}

pub(super) fn unchanged(etag: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    set(response.headers_mut(), header::ETAG, etag);
    set(response.headers_mut(), header::CACHE_CONTROL, "private, no-cache");
    response
}

async fn finished(response: Response<Body>, etag: Option<String>, known: &str) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    let stable = etag.is_some();
    let (etag, body) = match etag {
        Some(etag) => (etag, body),
        None => match axum::body::to_bytes(body, usize::MAX).await {
            // What changes with time is compared by what it came to.
            Ok(bytes) => (format!("\"{:032x}\"", xxh3_128(&bytes)), Body::from(bytes)),
            Err(_) => {
                return ApiError::internal("the picture broke off")
                    .response(ErrorStyle::Text, &ErrorContext::default());
            }
        },
    };
    if !stable && matches(known, &etag) {
        let mut response = unchanged(&etag);
        set(response.headers_mut(), header::CACHE_CONTROL, "private, max-age=10");
        return response;
    }
    set(&mut parts.headers, header::ETAG, &etag);
    set(
        &mut parts.headers,
        header::CACHE_CONTROL,
        if stable { "private, no-cache" } else { "private, max-age=10" },
    );
    guard(&mut parts.headers);
    Response::from_parts(parts, body)
}

/// An error, as a picture where that is wished: pages show nothing else in place of an image.
async fn told(response: Response<Body>, wish: &Wish) -> Response<Body> {
    if !wish.errors_as_picture {
        return response;
    }
    let bytes = axum::body::to_bytes(response.into_body(), MESSAGE_BYTES_MAX).await.unwrap_or_default();
    let message = String::from_utf8_lossy(&bytes);
    let message = if message.trim().is_empty() { "the query failed" } else { message.trim() };
    let picture = match wish.form {
        Form::Png => chart::message_png("Error", message, &wish.look).unwrap_or_default(),
        _ => chart::message_svg("Error", message, &wish.look).into_bytes(),
    };
    let mut response = Response::new(Body::from(picture));
    set(response.headers_mut(), header::CONTENT_TYPE, wish.form.content_type());
    set(response.headers_mut(), header::CACHE_CONTROL, "no-store");
    guard(response.headers_mut());
    response
}

/// Gathers the rows of the rendered result and draws them at the end.
struct ChartEncoder {
    wish: Wish,
    /// The result that is drawn: the first with a visualization, else the first.
    drawn: usize,
    current: usize,
    properties: Properties,
    table: Table,
    rows: u64,
}

impl ChartEncoder {
    fn new(wish: Wish) -> ChartEncoder {
        ChartEncoder {
            wish,
            drawn: 0,
            current: 0,
            properties: Properties::default(),
            table: Table::default(),
            rows: 0,
        }
    }
}

impl Encoder for ChartEncoder {
    fn content_type(&self) -> &'static str {
        self.wish.form.content_type()
    }

    fn begin(&mut self, results: &[ResultHeader], _out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.drawn = results.iter().position(|result| result.visualization.is_some()).unwrap_or(0);
        if let Some(result) = results.get(self.drawn) {
            if let Some(visualization) = &result.visualization {
                let pairs =
                    visualization.properties.iter().map(|(name, value)| (name.as_str(), value.as_str()));
                self.properties = Properties::new(&visualization.kind, pairs);
            }
            self.table.columns = result
                .columns
                .iter()
                .map(|column| chart::Column {
                    name: column.name.clone(),
                    kind: ColumnKind::of_type(column.ty.name()),
                })
                .collect();
        }
        Ok(())
    }

    fn begin_result(
        &mut self,
        index: usize,
        _header: &ResultHeader,
        _out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        self.current = index;
        Ok(())
    }

    fn rows(&mut self, header: &ResultHeader, batch: &Batch, _out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if self.current != self.drawn {
            return Ok(());
        }
        self.rows += batch.rows as u64;
        let most = ROWS_MAX.min(CELLS_MAX / header.columns.len().max(1));
        let cells = Cells::of_batch(&header.columns, batch)?;
        let mut scratch = String::new();
        for row in 0..batch.rows.min(most.saturating_sub(self.table.rows.len())) {
            let values = cells.iter().map(|cells| value_of(cells, row, &mut scratch)).collect();
            self.table.rows.push(values);
        }
        Ok(())
    }

    fn finish(&mut self, completion: &Completion, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if completion.failure.is_some() {
            return Ok(());
        }
        self.table.rows_total = Some(self.rows);
        let (width, height) = (self.wish.look.width as usize, self.wish.look.height as usize);
        match self.wish.form {
            Form::Svg => {
                out.extend_from_slice(chart::svg(&self.table, &self.properties, &self.wish.look).as_bytes());
            }
            Form::Text => {
                let text = chart::blocks(&self.table, &self.properties, width, height, self.wish.colours);
                out.extend_from_slice(text.as_bytes());
            }
            Form::Png => {
                let picture =
                    chart::png(&self.table, &self.properties, &self.wish.look).map_err(|error| {
                        EncodeError::Wrong { column: "the picture".to_owned(), ty: "png", arrow: error }
                    })?;
                out.extend_from_slice(&picture);
            }
        }
        Ok(())
    }
}

fn value_of(cells: &Cells<'_>, row: usize, scratch: &mut String) -> Value {
    use arrow_array::Array;

    match cells {
        Cells::Bool(array) if array.is_valid(row) => Value::Bool(array.value(row)),
        Cells::Int(array) if array.is_valid(row) => Value::Integer(i64::from(array.value(row))),
        Cells::Long(array) if array.is_valid(row) => Value::Integer(array.value(row)),
        Cells::Real(array) if array.is_valid(row) => Value::Real(array.value(row)),
        Cells::DateTime(array) if array.is_valid(row) => Value::DateTime(array.value(row)),
        Cells::TimeSpan(array) if array.is_valid(row) => Value::TimeSpan(array.value(row)),
        Cells::String(_) | Cells::Dictionary(..) => {
            Value::Text(cells.string_at(row).unwrap_or_default().to_owned())
        }
        Cells::Decimal(array) if array.is_valid(row) => Value::Decimal(plain(cells, row, scratch)),
        Cells::Guid(array) if array.is_valid(row) => Value::Text(plain(cells, row, scratch)),
        Cells::Dynamic(array) if array.is_valid(row) => {
            let mut json = Vec::new();
            cells.write_json(row, scratch, &mut json);
            match serde_json::from_slice::<Json>(&json) {
                Ok(value) => value_of_json(value),
                Err(_) => Value::Text(String::from_utf8_lossy(&json).into_owned()),
            }
        }
        _ => Value::Null,
    }
}

fn plain(cells: &Cells<'_>, row: usize, scratch: &mut String) -> String {
    let mut text = Vec::new();
    cells.write_plain(row, scratch, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// A dynamic value, or a cell of a JSON answer.
pub(super) fn value_of_json(value: Json) -> Value {
    match value {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Bool(flag),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::Integer(whole),
            None => Value::Real(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::Text(text),
        Json::Array(values) => Value::Array(values.into_iter().map(value_of_json).collect()),
        Json::Object(members) => {
            let is_point = members.get("type").and_then(Json::as_str) == Some("Point");
            let place = members.get("coordinates").and_then(Json::as_array).and_then(|place| {
                place.first().and_then(Json::as_f64).zip(place.get(1).and_then(Json::as_f64))
            });
            match place.filter(|_| is_point) {
                Some((longitude, latitude)) => Value::Point { longitude, latitude },
                None => Value::Text(Json::Object(members).to_string()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_string_tells_picture_from_query() {
        let (wish, rest) =
            read_wish("db=D&q=T%26x&format=png&width=300&height=200&theme=dark&errors=picture")
                .expect("read");
        assert_eq!((wish.form, wish.look.width, wish.look.height), (Form::Png, 300, 200));
        assert_eq!(wish.look.theme, Theme::Dark);
        assert!(wish.errors_as_picture);
        assert_eq!(rest, "db=D&q=T%26x");
        for wrong in ["format=gif", "width=x", "height=-1", "theme=pink"] {
            assert!(read_wish(wrong).is_err(), "{wrong}");
        }
    }
}
