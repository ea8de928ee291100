//! A server in this process and a client that asks it.

use std::time::Duration;

use conshelf::server::{RunningServer, Settings};
use conshelf::storage::{Store, StoreOptions};
use serde_json::{Value, json};

pub struct Fixture {
    pub server: RunningServer,
    _directory: tempfile::TempDir,
    pub agent: ureq::Agent,
}

pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

pub fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(60)))
        .build()
        .new_agent()
}

impl Fixture {
    pub fn new() -> Fixture {
        Fixture::with(Settings { telemetry: false, ..Settings::default() })
    }

    pub fn with(settings: Settings) -> Fixture {
        let directory = tempfile::tempdir().expect("a directory");
        let options = StoreOptions { background: false, ..StoreOptions::default() };
        let store = Store::open(directory.path(), options).expect("a store");
        let server = RunningServer::start(store, settings, "127.0.0.1:0").expect("a server");
        Fixture { server, _directory: directory, agent: agent() }
    }

    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut request =
            ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.server.url()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.to_vec()).expect("a request");
        let mut response = self.agent.run(request).expect("an answer");
        Answer {
            status: response.status().as_u16(),
            headers: response
                .headers()
                .iter()
                .map(|(name, value)| {
                    (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
                })
                .collect(),
            body: response.body_mut().read_to_string().expect("a body"),
        }
    }

    pub fn post(&self, path: &str, body: &str) -> Answer {
        self.request("POST", path, &[], body.as_bytes())
    }

    pub fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &[], b"")
    }

    pub fn v2(&self, text: &str, options: Value) -> Answer {
        let body = json!({"db": "NetDefaultDB", "csl": text, "properties": {"Options": options}});
        self.post("/v2/rest/query", &body.to_string())
    }

    pub fn v1(&self, text: &str) -> Answer {
        self.post("/v1/rest/query", &json!({"db": "NetDefaultDB", "csl": text}).to_string())
    }

    /// Rows of the first table of a v1 answer.
    pub fn rows(&self, text: &str) -> Value {
        let answer = self.v1(text);
        assert_eq!(answer.status, 200, "{text}: {}", answer.body);
        answer.json()["Tables"][0]["Rows"].clone()
    }
}
