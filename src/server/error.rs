//! Errors as clients see them: one value, told as Kusto's OneApi body, as friendly JSON or as text.
//!
//! Every error that leaves the server is made here, so that codes, statuses and wording agree.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use conshelf_kql::diagnostic::{Diagnostic, DiagnosticKind, Severity};
use conshelf_kql::span::{LineIndex, Span};
use uuid::Uuid;

use crate::command::CommandError;
use crate::engine::EngineError;
use crate::engine::error::QueryDiagnostic;
use crate::response::value_text::{datetime_text, quoted};
use crate::response::{Failure, FailureKind};
use crate::server::service::Caller;

/// In whose words an error is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorStyle {
    /// Kusto's OneApi body.
    Kusto,
    /// `{"error":{"code","message",…}}`
    Json,
    /// Message and excerpt with carets.
    Text,
}

/// The request an error belongs to.
#[derive(Clone, Debug, Default)]
pub struct ErrorContext {
    pub client_request_id: String,
    pub activity_id: Uuid,
    pub activity_type: &'static str,
    pub database: String,
    pub text: String,
}

impl ErrorContext {
    /// An error of this caller's request, in the activity that the wire protocol names.
    pub fn of(caller: &Caller, activity_type: &'static str) -> ErrorContext {
        ErrorContext {
            client_request_id: caller.client_request_id.clone(),
            activity_id: caller.activity_id,
            activity_type,
            ..ErrorContext::default()
        }
    }

    /// The same of a request whose text is known.
    pub fn with_text(mut self, database: &str, text: &str) -> ErrorContext {
        database.clone_into(&mut self.database);
        text.clone_into(&mut self.text);
        self
    }
}

/// A place in the text of the request: bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub start: usize,
    pub length: usize,
}

/// An error answer: [`ErrorDetails`], boxed because most answers are none.
#[derive(Clone, Debug)]
pub struct ApiError(Box<ErrorDetails>);

impl std::ops::Deref for ApiError {
    type Target = ErrorDetails;

    fn deref(&self) -> &ErrorDetails {
        &self.0
    }
}

impl std::ops::DerefMut for ApiError {
    fn deref_mut(&mut self) -> &mut ErrorDetails {
        &mut self.0
    }
}

/// What is known of an error.
#[derive(Clone, Debug)]
pub struct ErrorDetails {
    pub status: u16,
    pub code: String,
    /// Without `Kusto.Data.Exceptions.`
    pub exception: &'static str,
    /// What happened and what to do, in one sentence or two.
    pub message: String,
    pub permanent: bool,
    /// Errors of the query text, the first being the one reported.
    pub diagnostics: Vec<QueryDiagnostic>,
    /// The place of a command's error.
    pub place: Option<Place>,
    pub retry_after_seconds: Option<u32>,
    pub kind: FailureKind,
    /// The request is text of a query: the OneApi form wraps the error.
    pub wrapped: bool,
}

impl ApiError {
    pub fn new(
        status: u16,
        code: &str,
        exception: &'static str,
        permanent: bool,
        message: impl Into<String>,
    ) -> ApiError {
        ApiError(Box::new(ErrorDetails {
            status,
            code: code.to_owned(),
            exception,
            message: message.into(),
            permanent,
            diagnostics: Vec::new(),
            place: None,
            retry_after_seconds: None,
            kind: FailureKind::Other,
            wrapped: false,
        }))
    }

    pub fn bad_request(message: impl Into<String>) -> ApiError {
        ApiError::new(400, "General_BadRequest", "KustoBadRequestException", true, message)
    }

    pub fn not_found(path: &str) -> ApiError {
        ApiError::new(
            404,
            "NotFound",
            "KustoRequestException",
            true,
            format!("there is nothing at {path}; GET / lists what there is"),
        )
    }

    pub fn method_not_allowed(method: &str, path: &str) -> ApiError {
        ApiError::new(
            405,
            "MethodNotAllowed",
            "KustoRequestException",
            true,
            format!("{path} does not take {method}"),
        )
    }

    pub fn too_large(limit_bytes: u64) -> ApiError {
        ApiError::new(
            413,
            "PayloadTooLarge",
            "KustoRequestException",
            true,
            format!("the request's body is larger than the limit of {limit_bytes} bytes"),
        )
    }

    pub fn throttled(message: impl Into<String>) -> ApiError {
        let mut error =
            ApiError::new(429, "TooManyRequests", "KustoRequestThrottledException", false, message);
        error.retry_after_seconds = Some(1);
        error
    }

    pub fn forbidden(message: impl Into<String>) -> ApiError {
        ApiError::new(403, "Forbidden", "KustoRequestDeniedException", true, message)
    }

    pub fn unauthorized() -> ApiError {
        ApiError::new(
            401,
            "Unauthorized",
            "KustoRequestDeniedException",
            true,
            "send the server's token as 'Authorization: Bearer <token>'",
        )
    }

    pub fn internal(message: impl Into<String>) -> ApiError {
        ApiError::new(500, "Internal service error", "KustoServiceException", false, message)
    }

    pub fn unavailable(message: impl Into<String>) -> ApiError {
        let mut error = ApiError::new(503, "ServiceUnavailable", "KustoServiceException", false, message);
        error.retry_after_seconds = Some(5);
        error
    }

    pub fn entity_not_found(kind: &str, name: &str) -> ApiError {
        ApiError::new(
            400,
            "BadRequest_EntityNotFound",
            "EntityNotFoundException",
            true,
            format!("Entity ID '{name}' of kind '{kind}' was not found."),
        )
    }

    /// There is no such thing below an address.
    pub fn missing(kind: &str, name: &str) -> ApiError {
        let message = format!("{kind} '{name}' was not found");
        ApiError::new(404, "NotFound", "EntityNotFoundException", true, message)
    }

    pub fn precondition_failed(message: impl Into<String>) -> ApiError {
        ApiError::new(412, "PreconditionFailed", "KustoRequestException", true, message)
    }

    /// An error of running a query.
    pub fn from_engine(error: &EngineError) -> ApiError {
        let text = error.to_string();
        let mut api = match error {
            EngineError::Query(diagnostics) => {
                let mut api = ApiError::bad_request(match diagnostics.first() {
                    Some(first) => first.message.clone(),
                    None => "the query is invalid".to_owned(),
                });
                api.diagnostics = diagnostics.clone();
                api
            }
            EngineError::Evaluation(_) => ApiError::bad_request(text),
            EngineError::NotSupported(_) => ApiError::new(
                400,
                "General_BadRequest",
                "KustoBadRequestException",
                true,
                format!("Semantic error: SEM0001: {text}"),
            ),
            EngineError::Memory { .. } | EngineError::ResultTooLarge { .. } => ApiError::new(
                400,
                "LimitsExceeded",
                "KustoServicePartialQueryFailureLimitsExceededException",
                false,
                text,
            ),
            EngineError::Timeout { .. } => {
                ApiError::new(504, "Timeout", "KustoServiceTimeoutException", false, text)
            }
            EngineError::Cancelled => ApiError::new(
                400,
                "Canceled",
                "KustoServicePartialQueryFailureException",
                false,
                format!("{text} (E_QUERY_CANCELLED)"),
            ),
            EngineError::Storage(_) => ApiError::internal(text),
            _ => ApiError::internal(text),
        };
        api.wrapped = matches!(error, EngineError::Query(_) | EngineError::NotSupported(_));
        api.kind = match error {
            EngineError::Memory { .. } => FailureKind::Memory,
            EngineError::ResultTooLarge { limit, unit } => {
                let records = unit.starts_with("rec") || unit.starts_with("row");
                FailureKind::ResultTooLarge { record_limit: records.then_some(*limit) }
            }
            EngineError::Timeout { .. } => FailureKind::Timeout,
            EngineError::Cancelled => FailureKind::Cancelled,
            _ => FailureKind::Other,
        };
        api
    }

    /// An error of a management command.
    pub fn from_command(error: CommandError) -> ApiError {
        match error {
            CommandError::Syntax { message, start, length } => {
                let mut api = ApiError::new(
                    400,
                    "BadRequest_SyntaxError",
                    "SyntaxException",
                    true,
                    format!("Syntax error: {message}"),
                );
                api.place = Some(Place { start, length });
                api
            }
            CommandError::NotFound { kind, name } => ApiError::entity_not_found(&kind, &name),
            CommandError::AlreadyExists { kind, name } => ApiError::new(
                400,
                "BadRequest_EntityAlreadyExists",
                "EntityAlreadyExistsException",
                true,
                format!("Entity ID '{name}' of kind '{kind}' already exists."),
            ),
            CommandError::Invalid(message) => {
                ApiError::new(400, "General_BadRequest", "KustoBadRequestException", true, message)
            }
            CommandError::NotSupported(message) => ApiError::new(
                400,
                "BadRequest_NotSupported",
                "KustoBadRequestException",
                true,
                format!("not supported: {message}"),
            ),
            CommandError::Forbidden(message) => ApiError::forbidden(message),
            CommandError::Busy(message) => ApiError::throttled(message),
            CommandError::Unavailable(message) => ApiError::unavailable(message),
            CommandError::Query { error, offset } => {
                let mut api = ApiError::from_engine(&error);
                for diagnostic in &mut api.diagnostics {
                    diagnostic.start += offset;
                }
                api
            }
            CommandError::Ingestion { code, message, permanent } => {
                ApiError::new(400, &code, "KustoBadRequestException", permanent, message)
            }
            CommandError::Internal(message) => ApiError::internal(message),
        }
    }

    fn place(&self) -> Option<Place> {
        match self.diagnostics.first() {
            Some(first) => Some(Place { start: first.start, length: first.length }),
            None => self.place.clone(),
        }
    }

    /// The long form: what Kusto's clients show.
    fn kusto_text(&self, text: &str) -> String {
        let inner = match self.diagnostics.first() {
            None => self.message.clone(),
            Some(first) => {
                let (line, column) = position(text, first.start);
                if first.is_syntax {
                    format!(
                        "Syntax error: {}: {} [line:position={line}:{}]. Query: '{text}'",
                        first.code,
                        first.message,
                        column - 1
                    )
                } else {
                    format!("Semantic error: {}: {}", first.code, first.message)
                }
            }
        };
        if self.wrapped { format!("Request is invalid and cannot be processed: {inner}") } else { inner }
    }

    /// The OneApi body.
    pub fn one_api(&self, context: &ErrorContext) -> String {
        let at_context = format!(
            "{{\"timestamp\":\"{}\",\"serviceAlias\":\"CONSHELF\",\"machineName\":\"localhost\",\"processName\":\"conshelf\",\"processId\":{},\"threadId\":1,\"clientRequestId\":{},\"activityId\":\"{activity}\",\"subActivityId\":\"{activity}\",\"activityType\":\"{}\",\"parentActivityId\":\"{activity}\",\"activityStack\":\"\"}}",
            datetime_text(crate::machine::now_ticks()),
            std::process::id(),
            quoted(&context.client_request_id),
            context.activity_type,
            activity = context.activity_id,
        );
        let summary = if self.permanent {
            "Request is invalid and cannot be executed."
        } else {
            "Request could not be executed; it may succeed when tried again or with other limits."
        };
        let message = if self.wrapped { summary } else { self.message.as_str() };
        let mut body = format!(
            "{{\"error\":{{\"code\":{},\"message\":{},\"@type\":\"Kusto.Data.Exceptions.{}\",\"@message\":{},\"@context\":{at_context},\"@permanent\":{},\"@text\":{},\"@database\":{},\"@ClientRequestLogger\":\"\"",
            quoted(&self.code),
            quoted(message),
            self.exception,
            quoted(&self.kusto_text(&context.text)),
            self.permanent,
            quoted(&context.text),
            quoted(&context.database),
        );
        if let Some(first) = self.diagnostics.first() {
            let (line, column) = position(&context.text, first.start);
            let token = excerpt_of(&context.text, first.start, first.length);
            let (exception, stage) = if first.is_syntax {
                ("SyntaxException", "Syntax")
            } else {
                ("SemanticException", "Semantic")
            };
            let inner_text = format!("{stage} error: {}: {}", first.code, first.message);
            body.push_str(&format!(
                ",\"innererror\":{{\"code\":{code},\"message\":{text},\"@type\":\"Kusto.Data.Exceptions.{exception}\",\"@message\":{text},\"@context\":{at_context},\"@permanent\":true,\"@errorCode\":{code},\"@errorMessage\":{},\"@line\":{line},\"@posInLine\":{},\"@token\":{}}}",
                quoted(&first.message),
                column - 1,
                quoted(token),
                code = quoted(&first.code),
                text = quoted(&inner_text),
            ));
        } else if let Some(place) = &self.place {
            let (line, column) = position(&context.text, place.start);
            body.push_str(&format!(
                ",\"@line\":{line},\"@posInLine\":{},\"@token\":{}",
                column - 1,
                quoted(excerpt_of(&context.text, place.start, place.length)),
            ));
        }
        body.push_str("}}");
        body
    }

    /// Code of the first diagnostic, else the error's own.
    fn short_code(&self) -> &str {
        self.diagnostics.first().map_or(self.code.as_str(), |first| first.code.as_str())
    }

    /// `{"error":{"code","message","line","column","excerpt","diagnostics"}}`
    pub fn friendly_json(&self, text: &str) -> String {
        let mut body = format!(
            "{{\"error\":{{\"code\":{},\"message\":{}",
            quoted(self.short_code()),
            quoted(&self.message)
        );
        if let Some(place) = self.place() {
            let (line, column) = position(text, place.start);
            body.push_str(&format!(
                ",\"line\":{line},\"column\":{column},\"excerpt\":{}",
                quoted(&self.excerpt(text))
            ));
        }
        if let Some(first) = self.diagnostics.first()
            && !first.hints.is_empty()
        {
            let hints: Vec<String> = first.hints.iter().map(|hint| quoted(hint)).collect();
            body.push_str(&format!(",\"hints\":[{}]", hints.join(",")));
        }
        if self.diagnostics.len() > 1 {
            let all: Vec<String> = self
                .diagnostics
                .iter()
                .map(|diagnostic| {
                    let (line, column) = position(text, diagnostic.start);
                    format!(
                        "{{\"code\":{},\"message\":{},\"line\":{line},\"column\":{column}}}",
                        quoted(&diagnostic.code),
                        quoted(&diagnostic.message)
                    )
                })
                .collect();
            body.push_str(&format!(",\"diagnostics\":[{}]", all.join(",")));
        }
        body.push_str("}}\n");
        body
    }

    fn excerpt(&self, text: &str) -> String {
        let index = LineIndex::new(text);
        if self.diagnostics.is_empty() {
            let Some(place) = &self.place else { return String::new() };
            return diagnostic("syntax", &self.message, true, place.start, place.length, &[])
                .render(text, &index);
        }
        self.diagnostics
            .iter()
            .map(|found| {
                let QueryDiagnostic { code, message, is_syntax, start, length, hints } = found;
                diagnostic(code, message, *is_syntax, *start, *length, hints).render(text, &index)
            })
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// Message and excerpts with carets.
    pub fn friendly_text(&self, text: &str) -> String {
        if self.place().is_some() {
            self.excerpt(text)
        } else {
            format!("error[{}]: {}\n", self.short_code(), self.message)
        }
    }

    /// The error as the formats tell it inside a body.
    pub fn failure(&self, context: &ErrorContext) -> Failure {
        Failure {
            code: self.short_code().to_owned(),
            message: self.kusto_text(&context.text),
            one_api: self.one_api(context),
            kind: self.kind,
        }
    }

    /// The whole answer.
    pub fn response(&self, style: ErrorStyle, context: &ErrorContext) -> Response<Body> {
        let (content_type, body) = match style {
            ErrorStyle::Kusto => ("application/json; charset=utf-8", self.one_api(context)),
            ErrorStyle::Json => ("application/json; charset=utf-8", self.friendly_json(&context.text)),
            ErrorStyle::Text => ("text/plain; charset=utf-8", self.friendly_text(&context.text)),
        };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == 401 {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

fn diagnostic(
    code: &str,
    message: &str,
    is_syntax: bool,
    start: usize,
    length: usize,
    hints: &[String],
) -> Diagnostic {
    let start = u32::try_from(start).unwrap_or(u32::MAX);
    let end = start.saturating_add(u32::try_from(length).unwrap_or(0));
    let kind = if is_syntax { DiagnosticKind::Syntax } else { DiagnosticKind::Semantic };
    let mut found = Diagnostic::new(code.to_owned(), Severity::Error, kind, message, Span::new(start, end));
    found.hints = hints.to_vec();
    found
}

/// Line and column of a byte offset, both from 1.
pub fn position(text: &str, offset: usize) -> (u32, u32) {
    let index = LineIndex::new(text);
    let place = index.position(text, u32::try_from(offset).unwrap_or(u32::MAX));
    (place.line, place.column)
}

fn excerpt_of(text: &str, start: usize, length: usize) -> &str {
    text.get(start..start.saturating_add(length).min(text.len())).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn semantic() -> ApiError {
        ApiError::from_engine(&EngineError::Query(vec![QueryDiagnostic {
            code: "SEM0100".to_owned(),
            is_syntax: false,
            message: "Failed to resolve table or column expression named 'T'".to_owned(),
            start: 0,
            length: 1,
            hints: vec!["did you mean 'U'?".to_owned()],
        }]))
    }

    #[test]
    fn semantic_error_in_three_styles() {
        let context = ErrorContext { text: "T | take 1".to_owned(), ..ErrorContext::default() };
        let body: serde_json::Value =
            serde_json::from_str(&semantic().one_api(&context)).expect("OneApi is JSON");
        let error = &body["error"];
        assert_eq!(error["code"], "General_BadRequest");
        assert_eq!(error["@permanent"], true);
        assert!(error["@message"].as_str().is_some_and(|text| text.contains("Semantic error: SEM0100")));
        assert_eq!(error["innererror"]["@line"], 1);
        assert_eq!(error["innererror"]["@posInLine"], 0);
        assert_eq!(error["innererror"]["@token"], "T");
        assert!(error["@context"]["processId"].is_number());
        let friendly: serde_json::Value =
            serde_json::from_str(&semantic().friendly_json(&context.text)).expect("friendly is JSON");
        assert_eq!(friendly["error"]["line"], 1);
        assert_eq!(friendly["error"]["hints"][0], "did you mean 'U'?");
        assert!(semantic().friendly_text(&context.text).contains("did you mean 'U'?"));
        assert_eq!(friendly["error"]["code"], "SEM0100");
        let text = semantic().friendly_text(&context.text);
        assert!(text.contains("1 | T | take 1\n  | ^\n  = did you mean 'U'?"), "{text}");
    }

    #[test]
    fn places_outside_the_text_do_no_harm() {
        let mut error = semantic();
        error.diagnostics[0].start = 400;
        error.diagnostics[0].length = usize::MAX;
        let context = ErrorContext { text: "é".to_owned(), ..ErrorContext::default() };
        assert!(serde_json::from_str::<serde_json::Value>(&error.one_api(&context)).is_ok());
        assert!(!error.friendly_text("é").is_empty());
    }
}
