//! The routes for people: `/query` in any format, and the check of a text without running it.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderValue, Method, Response, header};
use conshelf_kql::diagnostic::Diagnostic;
use conshelf_kql::span::Span;
use serde_json::Value;

use crate::query::{self, Parameter, ParameterValue};
use crate::response::kusto_v1::{KustoV1Encoder, V1Kind};
use crate::response::value_text::quoted;
use crate::response::{Encoder, Format};
use crate::server::body::read_whole;
use crate::server::error::{ApiError, ErrorContext, ErrorStyle, position};
use crate::server::kusto::{caller_of, identity_of, v1_encoder, v2_encoder};
use crate::server::management::run_command;
use crate::server::query_string;
use crate::server::request::{QueryBody, is_command};
use crate::server::run::{self, MakeEncoder, QueryTask};
use crate::server::service::Service;

/// What a friendly request says before its text is known.
pub(super) struct Asked {
    format: Format,
    pub(super) body: QueryBody,
    pub(super) content_type: String,
}

/// Reads the query string: `db`, `q`, `format`, `p.NAME` for parameters; everything else is an option.
pub(super) fn read_query_string(query: &str, accept: &str) -> Result<Asked, ApiError> {
    let mut asked = Asked {
        format: Format::from_accept(accept),
        body: QueryBody::default(),
        content_type: String::new(),
    };
    for (name, value) in query_string::pairs(query) {
        match name.to_ascii_lowercase().as_str() {
            "db" | "database" => asked.body.database = value,
            "q" | "query" | "csl" => asked.body.text = value,
            "format" => {
                asked.format = Format::from_name(&value).ok_or_else(|| {
                    let known: Vec<&str> = Format::ALL.iter().map(|(_, name)| *name).collect();
                    ApiError::bad_request(format!(
                        "format '{value}' is not known; use one of {}",
                        known.join(", ")
                    ))
                })?;
            }
            "timeout" => asked.body.options.set("servertimeout", &Value::String(value)),
            lower => match lower.strip_prefix("p.") {
                Some(_) => asked
                    .body
                    .parameters
                    .push(Parameter { name: name[2..].to_owned(), value: ParameterValue::Text(value) }),
                None => {
                    let value = if value.is_empty() { "true".to_owned() } else { value };
                    asked.body.options.set(lower, &Value::String(value));
                }
            },
        }
    }
    Ok(asked)
}

fn style_of(format: Format) -> ErrorStyle {
    match format {
        Format::KustoV1 | Format::KustoV2 => ErrorStyle::Kusto,
        format if format.is_text() => ErrorStyle::Text,
        _ => ErrorStyle::Json,
    }
}

pub(super) fn header_text(request: &Request, name: header::HeaderName) -> String {
    request
        .headers()
        .get(name)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .unwrap_or_default()
}

/// The text of the query: the parameter `q`, else the body — plain KQL, or a JSON request body.
pub(super) async fn read_text(
    service: &Service,
    asked: &mut Asked,
    request: Request,
) -> Result<(), ApiError> {
    if request.method() != Method::POST {
        return Ok(());
    }
    let (parts, body) = request.into_parts();
    let bytes = read_whole(body, &parts.headers, service.settings.body_bytes).await?;
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(());
    }
    if asked.content_type.to_ascii_lowercase().starts_with("application/json") {
        let posted = QueryBody::parse(&bytes)?;
        asked.body.text = posted.text;
        asked.body.parameters.extend(posted.parameters);
        if !posted.database.is_empty() {
            asked.body.database = posted.database;
        }
        return Ok(());
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| ApiError::bad_request("the body is not UTF-8 text; send the query as plain text"))?;
    // `curl -d q=…` sends a form; a query never begins with `q=`.
    let is_form = asked.content_type.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded");
    match text.strip_prefix("q=").filter(|_| is_form) {
        Some(_) => {
            let pairs = query_string::pairs(&text);
            asked.body.text = query_string::find(&pairs, "q").unwrap_or_default().to_owned();
        }
        None => asked.body.text = text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned(),
    }
    Ok(())
}

/// `GET|POST /query`
pub async fn query_route(
    State(service): State<Arc<Service>>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response<Body> {
    let caller = caller_of(&request);
    let accept = header_text(&request, header::ACCEPT);
    let context = ErrorContext::of(&caller, "DN.FE.ExecuteQuery");
    let mut asked = match read_query_string(query.as_deref().unwrap_or(""), &accept) {
        Ok(asked) => asked,
        Err(error) => return error.response(style_of(Format::from_accept(&accept)), &context),
    };
    asked.content_type = header_text(&request, header::CONTENT_TYPE);
    let style = style_of(asked.format);
    let read_only = request.method() != Method::POST;
    if let Err(error) = read_text(&service, &mut asked, request).await {
        return error.response(style, &context);
    }
    if asked.body.text.trim().is_empty() {
        return ApiError::bad_request(
            "there is no query; send KQL as the body or as q=, e.g. /query?q=print%20now()",
        )
        .response(style, &context);
    }
    let identity = identity_of(&caller);
    if is_command(&asked.body.text) {
        // A link or an image must not change anything.
        asked.body.options.read_only |= read_only;
        let encoder: Box<dyn Encoder> = match asked.format.friendly_encoder() {
            Some(encoder) => encoder,
            None => Box::new(KustoV1Encoder::new(identity, V1Kind::Command, false)),
        };
        return run_command(&service, asked.body, caller, style, encoder).await;
    }
    let format = asked.format;
    let make_encoder: MakeEncoder = match format {
        Format::KustoV1 => v1_encoder(identity),
        Format::KustoV2 => v2_encoder(identity),
        _ => Box::new(move |_| {
            format
                .friendly_encoder()
                .unwrap_or_else(|| Box::new(crate::response::json::JsonEncoder::default()))
        }),
    };
    let task = QueryTask {
        text: asked.body.text,
        database: asked.body.database,
        parameters: asked.body.parameters,
        options: asked.body.options,
        caller,
        style,
        make_encoder,
        frame: run::Frame::default(),
    };
    run::run(&service, task).await
}

/// `POST /v1/kql/check`: what there is to say about a text, and the columns it would answer.
pub async fn check_route(
    State(service): State<Arc<Service>>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response<Body> {
    let caller = caller_of(&request);
    let context = ErrorContext::of(&caller, "");
    let mut asked = match read_query_string(query.as_deref().unwrap_or(""), "application/json") {
        Ok(asked) => asked,
        Err(error) => return error.response(ErrorStyle::Json, &context),
    };
    asked.content_type = header_text(&request, header::CONTENT_TYPE);
    // Without a content type a body that looks like a request body is one.
    if asked.content_type.is_empty() || asked.content_type.starts_with("application/x-www-form") {
        asked.content_type = "application/json".to_owned();
    }
    if let Err(error) = read_text(&service, &mut asked, request).await {
        return error.response(ErrorStyle::Json, &context);
    }
    let permit = match service.query_slot().await {
        Ok(permit) => permit,
        Err(error) => return error.response(ErrorStyle::Json, &context),
    };
    let worker = service.clone();
    let body = asked.body;
    let checked = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        check_json(&worker, &body)
    })
    .await;
    match checked {
        Ok(body) => {
            let mut response = Response::new(Body::from(body));
            response
                .headers_mut()
                .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
            response
        }
        Err(_) => ApiError::internal("the check stopped by a fault of the server; please report it")
            .response(ErrorStyle::Json, &context),
    }
}

fn check_json(service: &Service, body: &QueryBody) -> String {
    if is_command(&body.text) {
        return "{\"diagnostics\":[],\"columns\":[]}\n".to_owned();
    }
    let checked = query::check(&service.store, &body.text, &body.database);
    let diagnostics: Vec<String> = checked
        .diagnostics
        .iter()
        .map(|found| {
            let (start, length) = utf16_range(&body.text, found.start, found.length);
            let (line, column) = position(&body.text, found.start);
            let hints: Vec<String> = found.hints.iter().map(|hint| quoted(hint)).collect();
            format!(
                "{{\"severity\":{},\"kind\":\"{}\",\"code\":{},\"message\":{},\"start\":{start},\"length\":{length},\"line\":{line},\"column\":{column},\"hints\":[{}],\"fixes\":[{}]}}",
                quoted(found.severity),
                if found.is_syntax { "syntax" } else { "semantic" },
                quoted(&conshelf_kql::diagnostic::editor_code(&found.code)),
                quoted(&found.message),
                hints.join(","),
                fixes(&body.text, found),
            )
        })
        .collect();
    let columns: Vec<String> = checked
        .columns
        .iter()
        .map(|column| format!("{{\"name\":{},\"type\":\"{}\"}}", quoted(&column.name), column.ty.name()))
        .collect();
    format!("{{\"diagnostics\":[{}],\"columns\":[{}]}}\n", diagnostics.join(","), columns.join(","))
}

/// The corrections that a remark suggests, as JSON objects: title, start, length, replacement.
fn fixes(text: &str, found: &query::Remark) -> String {
    let span = Span::new(found.start as u32, (found.start + found.length) as u32);
    let mut diagnostic = Diagnostic::syntax(found.code.clone(), found.message.clone(), span);
    diagnostic.hints.clone_from(&found.hints);
    let fixes: Vec<String> = conshelf_kql::editor::corrections(text, &diagnostic)
        .iter()
        .map(|fix| {
            let (start, length) = utf16_range(text, fix.span.start as usize, fix.span.len() as usize);
            format!(
                "{{\"title\":{},\"start\":{start},\"length\":{length},\"replacement\":{}}}",
                quoted(&fix.title),
                quoted(&fix.replacement)
            )
        })
        .collect();
    fixes.join(",")
}

/// A byte range in the units that editors count in.
fn utf16_range(text: &str, start: usize, length: usize) -> (usize, usize) {
    let floor = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let (start, end) = (floor(start), floor(start.saturating_add(length)));
    let units = |text: &str| text.encode_utf16().count();
    (units(&text[..start]), units(&text[start..end.max(start)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_string_gives_options_and_parameters() {
        let asked =
            read_query_string("db=D&q=T&format=csv&notruncation&p.Name=x%20y&timeout=5s", "").expect("read");
        assert_eq!(asked.format, Format::Csv);
        assert_eq!((asked.body.database.as_str(), asked.body.text.as_str()), ("D", "T"));
        assert!(asked.body.options.no_truncation);
        assert_eq!(asked.body.options.server_timeout, Some(std::time::Duration::from_secs(5)));
        assert_eq!(asked.body.parameters[0].name, "Name");
        assert!(read_query_string("format=xml", "").is_err());
    }

    #[test]
    fn ranges_count_as_editors_do() {
        assert_eq!(utf16_range("é😀x", 6, 1), (3, 1));
        assert_eq!(utf16_range("é", 1, 5), (0, 1));
        assert_eq!(utf16_range("", 9, 9), (0, 0));
    }
}
