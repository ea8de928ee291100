//! The command line's HTTP client: one server, blocking, errors as people read them.

use std::io::Read;
use std::time::Duration;

use ureq::http::Response;
use ureq::{Agent, Body};

/// Where a server listens unless told otherwise.
pub const DEFAULT_URL: &str = "http://127.0.0.1:8080";

/// A Conshelf server.
#[derive(Debug, Clone)]
pub struct Client {
    agent: Agent,
    url: String,
    token: Option<String>,
}

/// What a server said.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
    /// Seconds of a `Retry-After` header.
    pub retry_after: Option<u64>,
}

impl Answer {
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The message of an error answer: of its JSON form, else the text itself.
    pub fn error_message(&self) -> String {
        let json: Option<serde_json::Value> = serde_json::from_str(&self.body).ok();
        let error = json.as_ref().and_then(|json| json.get("error"));
        let text = |name: &str| error.and_then(|error| error.get(name)).and_then(|value| value.as_str());
        match text("@message").or_else(|| text("message")) {
            Some(message) => message.to_string(),
            None if self.body.trim().is_empty() => format!("the server answered with status {}", self.status),
            None => self.body.trim_end().to_string(),
        }
    }
}

impl Client {
    pub fn new(url: &str, token: Option<String>) -> Client {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(10)))
            .max_redirects(0)
            .user_agent(concat!("conshelf/", env!("CARGO_PKG_VERSION")))
            .build()
            .into();
        Client { agent, url: url.trim_end_matches('/').to_string(), token }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// A GET, its answer read whole.
    pub fn get(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Answer, String> {
        let mut request = self.agent.get(format!("{}{path}", self.url));
        for (name, value) in parameters {
            request = request.query(*name, *value);
        }
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        read(request.call().map_err(|error| self.unreachable(&error))?)
    }

    /// A POST, its answer as it comes.
    pub fn post(
        &self,
        path: &str,
        parameters: &[(&str, &str)],
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Response<Body>, String> {
        let mut request = self.agent.post(format!("{}{path}", self.url));
        for (name, value) in parameters {
            request = request.query(*name, *value);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        request.send(body).map_err(|error| self.unreachable(&error))
    }

    fn unreachable(&self, error: &ureq::Error) -> String {
        format!("no answer from {}: {error}; is `conshelf serve` running there?", self.url)
    }
}

/// Reads an answer to its end.
pub fn read(response: Response<Body>) -> Result<Answer, String> {
    let status = response.status().as_u16();
    let retry_after = response
        .headers()
        .get("retry-after")
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse().ok());
    let mut body = Vec::new();
    let mut reader = response.into_body().into_with_config().limit(u64::MAX).reader();
    reader.read_to_end(&mut body).map_err(|error| format!("the answer broke off: {error}"))?;
    Ok(Answer { status, body: String::from_utf8_lossy(&body).into_owned(), retry_after })
}
