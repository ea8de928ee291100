//! Kusto's routes: v1 and v2 query, mgmt, and what clients ask while connecting.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderValue, Method, Response, header};
use serde_json::Value;

use crate::response::Encoder;
use crate::response::kusto::RequestIdentity;
use crate::response::kusto_v1::{KustoV1Encoder, V1Kind};
use crate::response::kusto_v2::KustoV2Encoder;
use crate::server::body::read_whole;
use crate::server::error::{ApiError, ErrorContext, ErrorStyle};
use crate::server::management::run_command;
use crate::server::query_string;
use crate::server::request::{QueryBody, is_command};
use crate::server::run::{self, MakeEncoder, QueryTask};
use crate::server::service::{Caller, Service};

/// Which of Kusto's three text routes was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route {
    V1Query,
    V2Query,
    Management,
}

pub async fn v1_query(state: State<Arc<Service>>, query: RawQuery, request: Request) -> Response<Body> {
    answer(state, query, request, Route::V1Query).await
}

pub async fn v2_query(state: State<Arc<Service>>, query: RawQuery, request: Request) -> Response<Body> {
    answer(state, query, request, Route::V2Query).await
}

pub async fn management(state: State<Arc<Service>>, query: RawQuery, request: Request) -> Response<Body> {
    answer(state, query, request, Route::Management).await
}

/// Who asks; the middleware put it there.
pub fn caller_of(request: &Request) -> Caller {
    request.extensions().get::<Caller>().cloned().unwrap_or_else(|| Caller {
        client_request_id: String::new(),
        activity_id: uuid::Uuid::new_v4(),
        application: String::new(),
        user: String::new(),
        read_only: false,
    })
}

pub fn identity_of(caller: &Caller) -> RequestIdentity {
    RequestIdentity { client_request_id: caller.client_request_id.clone(), activity_id: caller.activity_id }
}

/// The encoder of a v1 query.
pub fn v1_encoder(identity: RequestIdentity) -> MakeEncoder {
    Box::new(move |options| -> Box<dyn Encoder> {
        Box::new(KustoV1Encoder::new(identity, V1Kind::Query, options.defer_partial_query_failures))
    })
}

/// The encoder of a v2 query.
pub fn v2_encoder(identity: RequestIdentity) -> MakeEncoder {
    Box::new(move |options| -> Box<dyn Encoder> { Box::new(KustoV2Encoder::new(identity, options.v2())) })
}

async fn answer(
    State(service): State<Arc<Service>>,
    RawQuery(query): RawQuery,
    request: Request,
    route: Route,
) -> Response<Body> {
    let mut caller = caller_of(&request);
    let parsed = read_request(&service, query.as_deref(), request).await;
    let body = match parsed {
        Ok(body) => body,
        Err(error) => {
            let context = ErrorContext::of(&caller, "DN.FE.ParseRequest");
            return error.response(ErrorStyle::Kusto, &context);
        }
    };
    if let Some(id) = &body.client_request_id
        && caller.client_request_id.starts_with("unspecified;")
    {
        caller.client_request_id.clone_from(id);
    }
    let refuse = |error: ApiError| {
        let context = ErrorContext::of(&caller, "DN.FE.ExecuteQuery").with_text(&body.database, &body.text);
        error.response(ErrorStyle::Kusto, &context)
    };
    let command = is_command(&body.text);
    match route {
        Route::V2Query if command => {
            return refuse(ApiError::bad_request(
                "management commands (texts that begin with a dot) are not supported by the v2 query route; send them to /v1/rest/mgmt",
            ));
        }
        Route::Management if !command => {
            let mut error = ApiError::new(
                400,
                "BadRequest_SyntaxError",
                "SyntaxException",
                true,
                "Syntax error: a management command begins with a dot; send queries to /v2/rest/query",
            );
            error.place = Some(crate::server::error::Place { start: 0, length: 1 });
            return refuse(error);
        }
        _ => {}
    }
    let identity = identity_of(&caller);
    if command {
        let encoder = KustoV1Encoder::new(identity, V1Kind::Command, false);
        return run_command(&service, body, caller, ErrorStyle::Kusto, Box::new(encoder)).await;
    }
    let make_encoder = if route == Route::V2Query { v2_encoder(identity) } else { v1_encoder(identity) };
    let task = QueryTask {
        text: body.text,
        database: body.database,
        parameters: body.parameters,
        options: body.options,
        caller,
        style: ErrorStyle::Kusto,
        make_encoder,
        frame: run::Frame::default(),
    };
    run::run(&service, task).await
}

/// The request from the body, or from the query string of a GET.
async fn read_request(
    service: &Service,
    query: Option<&str>,
    request: Request,
) -> Result<QueryBody, ApiError> {
    if request.method() == Method::POST {
        let (parts, body) = request.into_parts();
        let bytes = read_whole(body, &parts.headers, service.settings.body_bytes).await?;
        return QueryBody::parse(&bytes);
    }
    let mut body = QueryBody::default();
    let mut properties = None;
    for (name, value) in query_string::pairs(query.unwrap_or("")) {
        match name.to_ascii_lowercase().as_str() {
            "db" => body.database = value,
            "csl" | "q" => body.text = value,
            "properties" => properties = Some(value),
            _ => {}
        }
    }
    if body.text.trim().is_empty() {
        return Err(ApiError::bad_request("'csl' is missing; it must hold a query"));
    }
    if let Some(properties) = properties {
        body.read_properties(&Value::String(properties))?;
    }
    Ok(body)
}

/// `GET /v1/rest/auth/metadata`: no directory service stands in front; clients use their defaults.
pub async fn auth_metadata() -> Response<Body> {
    let mut response = Response::new(Body::from("{\"AzureAD\":null,\"dSTS\":null}"));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    response
}
