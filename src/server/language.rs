//! What editors ask while a query is written: `/v1/kql/{complete,hover,signature,format,tokens}`. (`/v1/kql/check`, the
//! diagnostics, is in `friendly`.)
//!
//! All take `POST` with a JSON object, and `GET` with the same names in the query string:
//!
//! ```json
//! {"db": "demo", "csl": "Logs | where le", "position": 15}
//! ```
//!
//! `db` may be left out. `position` is the place of the cursor in UTF-16 units from the start of the text, as
//! JavaScript counts; in its stead `line` and `character` may be given, both from 0. `format` and `tokens` need none.
//! All `start` and `length` of the answers are UTF-16 units of the text, too.
//!
//! | route | answer |
//! |---|---|
//! | `complete` | `{"start", "length", "items": [{"label", "kind", "insertText", "caret", "detail", "documentation", "sortText"}]}`: what may stand at the cursor; an item replaces the range. `caret` is the place in `insertText` for the cursor, in UTF-16 units. Kinds are those of [`CompletionKind`]. |
//! | `hover` | `{"start", "length", "markdown"}`, or `null` |
//! | `signature` | `{"signatures": [{"label", "documentation", "parameters": [{"start", "length"}]}], "activeSignature", "activeParameter"}`, or `null`; the ranges of parameters are within the label |
//! | `format` | `{"text"}`: the text formatted; the same text if it breaks the grammar |
//! | `tokens` | `{"kinds": [name, …], "tokens": [[start, length, kind], …]}`: every token but white space, its kind an index into `kinds` |
//!
//! [`CompletionKind`]: conshelf_kql::editor::CompletionKind

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderValue, Method, Response, header};
use conshelf_kql::editor::{self, position};
use serde_json::{Map, Value, json};

use crate::query;
use crate::server::body::read_whole;
use crate::server::error::{ApiError, ErrorContext, ErrorStyle};
use crate::server::kusto::caller_of;
use crate::server::query_string;
use crate::server::service::Service;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    Complete,
    Hover,
    Signature,
    Format,
    Tokens,
}

/// A text with a cursor.
struct Asked {
    database: String,
    text: String,
    /// Bytes.
    offset: usize,
}

pub async fn complete(
    State(service): State<Arc<Service>>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response<Body> {
    respond(service, query, request, Ask::Complete).await
}

pub async fn hover(
    State(service): State<Arc<Service>>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response<Body> {
    respond(service, query, request, Ask::Hover).await
}

pub async fn signature(
    State(service): State<Arc<Service>>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response<Body> {
    respond(service, query, request, Ask::Signature).await
}

pub async fn format(
    State(service): State<Arc<Service>>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response<Body> {
    respond(service, query, request, Ask::Format).await
}

pub async fn tokens(
    State(service): State<Arc<Service>>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response<Body> {
    respond(service, query, request, Ask::Tokens).await
}

async fn respond(service: Arc<Service>, query: Option<String>, request: Request, ask: Ask) -> Response<Body> {
    let caller = caller_of(&request);
    let context = ErrorContext::of(&caller, "");
    let answered = match read(&service, query.as_deref().unwrap_or(""), request).await {
        Ok(asked) => run(service, asked, ask).await,
        Err(error) => Err(error),
    };
    match answered {
        Ok(answer) => {
            let mut response = Response::new(Body::from(format!("{answer}\n")));
            response
                .headers_mut()
                .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
            response
        }
        Err(error) => error.response(ErrorStyle::Json, &context),
    }
}

async fn run(service: Arc<Service>, asked: Asked, ask: Ask) -> Result<Value, ApiError> {
    let permit = service.query_slot().await?;
    let answered = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        answer(&service, &asked, ask)
    })
    .await;
    let fault = || ApiError::internal("the answer stopped by a fault of the server; please report it");
    answered.ok().flatten().ok_or_else(fault)
}

/// Reads the question from the query string and, in a POST, from the body.
async fn read(service: &Service, query: &str, request: Request) -> Result<Asked, ApiError> {
    let mut object = Map::new();
    for (name, value) in query_string::pairs(query) {
        let value = match name.as_str() {
            "position" | "line" | "character" => value
                .parse::<u64>()
                .map(Value::from)
                .map_err(|_| ApiError::bad_request(format!("'{name}' must be a number, found '{value}'")))?,
            _ => Value::String(value),
        };
        object.insert(name, value);
    }
    if request.method() == Method::POST {
        let (parts, body) = request.into_parts();
        let bytes = read_whole(body, &parts.headers, service.settings.body_bytes).await?;
        let value: Value = serde_json::from_slice(&bytes)
            .map_err(|error| ApiError::bad_request(format!("the body is not JSON: {error}")))?;
        let Value::Object(posted) = value else {
            return Err(ApiError::bad_request("the body must be a JSON object with 'csl' and 'position'"));
        };
        object.extend(posted);
    }
    let text_of = |names: &[&str]| -> Result<Option<String>, ApiError> {
        match names.iter().find_map(|name| object.get(*name)) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(ApiError::bad_request(format!("'{}' must be a string", names[0]))),
        }
    };
    let number_of = |name: &str| -> Result<Option<u64>, ApiError> {
        match object.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_u64() {
                Some(number) => Ok(Some(number)),
                None => Err(ApiError::bad_request(format!("'{name}' must be a number from 0"))),
            },
        }
    };
    let database = text_of(&["db", "database"])?.unwrap_or_default();
    let text = text_of(&["csl", "query", "q"])?
        .ok_or_else(|| ApiError::bad_request("'csl' is missing; it must hold the text"))?;
    let offset = match (number_of("position")?, number_of("line")?) {
        (Some(unit), _) => position::offset_of_unit(&text, usize::try_from(unit).unwrap_or(usize::MAX)),
        (None, Some(line)) => {
            let clamp = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
            position::offset_of(&text, clamp(line), clamp(number_of("character")?.unwrap_or(0)))
        }
        (None, None) => text.len(),
    };
    Ok(Asked { database: database.trim().to_owned(), text, offset })
}

/// `None`: the work failed by a fault of ours.
fn answer(service: &Service, asked: &Asked, ask: Ask) -> Option<Value> {
    let Asked { database, text, offset } = asked;
    query::with_catalog(&service.store, database, |catalog| match ask {
        Ask::Complete => completion_json(text, &editor::complete(text, *offset, catalog)),
        Ask::Hover => match editor::hover(text, *offset, catalog) {
            Some(found) => {
                let (start, length) = range(text, found.span.start as usize, found.span.end as usize);
                json!({"start": start, "length": length, "markdown": found.markdown})
            }
            None => Value::Null,
        },
        Ask::Signature => match editor::signature_help(text, *offset, catalog) {
            Some(found) => signature_json(&found),
            None => Value::Null,
        },
        Ask::Format => json!({"text": editor::format(text)}),
        Ask::Tokens => tokens_json(text, &editor::classify(text, catalog)),
    })
}

/// A range of bytes in UTF-16 units.
pub(super) fn range(text: &str, start: usize, end: usize) -> (usize, usize) {
    let first = position::unit_of_offset(text, start);
    (first, position::unit_of_offset(text, end.max(start)) - first)
}

fn completion_json(text: &str, found: &editor::Completion) -> Value {
    let (start, length) = range(text, found.start, found.end);
    let items: Vec<Value> = found
        .items
        .iter()
        .map(|item| {
            json!({
                "label": item.label,
                "kind": item.kind.as_str(),
                "insertText": item.insert,
                "caret": item.caret.map(|caret| position::unit_of_offset(&item.insert, caret)),
                "detail": item.detail,
                "documentation": item.documentation,
                "sortText": format!("{:02}{}", item.rank, item.label),
            })
        })
        .collect();
    json!({"start": start, "length": length, "items": items})
}

fn signature_json(found: &editor::SignatureHelp) -> Value {
    let signatures: Vec<Value> = found
        .signatures
        .iter()
        .map(|signature| {
            let parameters: Vec<Value> = signature
                .parameters
                .iter()
                .map(|(start, end)| {
                    let (start, length) = range(&signature.label, *start, *end);
                    json!({"start": start, "length": length})
                })
                .collect();
            json!({"label": signature.label, "documentation": signature.documentation, "parameters": parameters})
        })
        .collect();
    json!({
        "signatures": signatures,
        "activeSignature": found.active_signature,
        "activeParameter": found.active_parameter,
    })
}

fn tokens_json(text: &str, tokens: &[editor::ClassifiedToken]) -> Value {
    let kinds: Vec<&str> = editor::Classification::ALL.iter().map(|kind| kind.as_str()).collect();
    // Tokens come in order: units are counted on from the last one.
    let (mut bytes, mut units) = (0, 0);
    let mut unit_of = |offset: usize| {
        units += text.get(bytes..offset).map_or(0, |piece| piece.chars().map(char::len_utf16).sum::<usize>());
        bytes = offset;
        units
    };
    let tokens: Vec<Value> = tokens
        .iter()
        .map(|token| {
            let start = unit_of(token.span.start as usize);
            let end = unit_of(token.span.end as usize);
            json!([start, end - start, token.kind as usize])
        })
        .collect();
    json!({"kinds": kinds, "tokens": tokens})
}
