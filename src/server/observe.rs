//! What happens around every request: ids, authorisation, counting.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, header};
use axum::middleware::Next;
use uuid::Uuid;

use crate::server::error::{ApiError, ErrorContext, ErrorStyle};
use crate::server::service::{Caller, Service};
use crate::telemetry::RequestEvent;

const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-client-request-id");
const ACTIVITY_ID: HeaderName = HeaderName::from_static("x-ms-activity-id");

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?;
    let text = String::from_utf8_lossy(value.as_bytes()).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// Reads who asks; makes ids where the client gave none.
fn caller(headers: &HeaderMap) -> Caller {
    let label = |name| text(headers, name).filter(|label| label != "[none]").unwrap_or_default();
    Caller {
        client_request_id: text(headers, "x-ms-client-request-id")
            .unwrap_or_else(|| format!("unspecified;{}", Uuid::new_v4())),
        activity_id: Uuid::new_v4(),
        application: text(headers, "x-ms-app")
            .filter(|label| label != "[none]")
            .or_else(|| text(headers, "user-agent"))
            .unwrap_or_default(),
        user: label("x-ms-user"),
        read_only: headers.contains_key("x-ms-readonly"),
    }
}

/// Whether the token is the right one; takes the same time for any wrong one of that length.
fn is_authorised(headers: &HeaderMap, token: &str) -> bool {
    let Some(given) = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let Some((scheme, given)) = given.split_once(' ') else { return false };
    let given = given.trim().as_bytes();
    let token = token.as_bytes();
    let differences = given.iter().zip(token).fold(0u8, |all, (left, right)| all | (left ^ right));
    scheme.eq_ignore_ascii_case("bearer") && given.len() == token.len() && differences == 0
}

/// Paths that answer without a token: what clients ask before they have one, the page itself with the rules by
/// which it draws (embedded pages have no token), what has a signature in its address, and what watches the server.
fn is_open(path: &str) -> bool {
    matches!(
        path,
        "/" | "/plain" | "/dashboards" | "/health" | "/ready" | "/v1/rest/auth/metadata" | "/v1/rest/ping"
    ) || path == "/v1/kql/chart"
        || ["/web/", "/dashboards/", "/embed/"].iter().any(|open| path.starts_with(open))
}

/// The routes as metrics name them, so that unknown paths cannot fill memory.
fn route_name(path: Option<&str>) -> &'static str {
    const ROUTES: [&str; 27] = [
        "/",
        "/query",
        "/chart",
        "/v1/kql/chart",
        "/health",
        "/ready",
        "/metrics",
        "/v1/rest/query",
        "/v2/rest/query",
        "/v1/rest/mgmt",
        "/v1/rest/ingest/{database}/{table}",
        "/ingest/{database}/{table}",
        "/v1/kql/check",
        "/v1/dashboards",
        "/v1/dashboards/check",
        "/v1/dashboards/import",
        "/v1/dashboards/{database}/{name}",
        "/v1/dashboards/{database}/{name}/tiles/{tile}/run",
        "/v1/dashboards/{database}/{name}/embed",
        "/embed/{token}",
        "/embed/{token}/dashboard",
        "/embed/{token}/tiles/{tile}/run",
        "/embed/{token}/tiles/{tile}/chart",
        "/embed/{token}/parameters/{parameter}/values",
        "/v1/dashboards/{database}/{name}/parameters/{parameter}/values",
        "/v1/rest/auth/metadata",
        "/v1/rest/ping",
    ];
    path.and_then(|path| ROUTES.into_iter().find(|route| *route == path)).unwrap_or("other")
}

/// The middleware around all routes.
pub async fn observe(
    State(service): State<Arc<Service>>,
    mut request: Request,
    next: Next,
) -> Response<Body> {
    let started = Instant::now();
    let caller = caller(request.headers());
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let route = route_name(request.extensions().get::<MatchedPath>().map(MatchedPath::as_str));
    request.extensions_mut().insert(caller.clone());
    let allowed = match &service.settings.token {
        Some(token) => is_open(&path) || method == Method::OPTIONS || is_authorised(request.headers(), token),
        None => true,
    };
    let mut response = if allowed {
        next.run(request).await
    } else {
        let context = ErrorContext::of(&caller, "DN.FE.Authenticate");
        ApiError::unauthorized().response(ErrorStyle::Kusto, &context)
    };
    let status = response.status().as_u16();
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_bytes(caller.client_request_id.as_bytes()) {
        headers.insert(CLIENT_REQUEST_ID, value);
    }
    if let Ok(value) = HeaderValue::from_str(&caller.activity_id.to_string()) {
        headers.insert(ACTIVITY_ID, value);
    }
    // A signed address opens what it shows: it is not kept.
    let path = if path.starts_with("/embed/") { route.to_owned() } else { path };
    service.metrics.request(route, status);
    if !matches!(route, "/health" | "/ready" | "/metrics" | "/v1/rest/ping") {
        service.telemetry.request(&RequestEvent {
            method: method.to_string(),
            path,
            status,
            duration: started.elapsed(),
            client_request_id: caller.client_request_id,
            activity_id: caller.activity_id,
            application: caller.application,
            user: caller.user,
        });
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens() {
        let with = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, HeaderValue::from_static(value));
            headers
        };
        assert!(is_authorised(&with("Bearer secret"), "secret"));
        assert!(is_authorised(&with("bearer  secret"), "secret"));
        for wrong in ["Bearer secre", "Bearer secret2", "Basic secret", "secret", "Bearer "] {
            assert!(!is_authorised(&with(wrong), "secret"), "{wrong}");
        }
        assert!(!is_authorised(&HeaderMap::new(), "secret"));
    }
}
