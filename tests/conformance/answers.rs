//! Runs the queries of a JSON-lines file (`{"id", "query"}`) over an empty store in this process and prints
//! one line for each: `{"id", "status", "body"}` with the body as `/v1/rest/query` gives it. For comparing
//! answers with recorded ones without a server.

use std::io::{BufRead, Write};
use std::ops::ControlFlow;

use conshelf::engine::context::QueryLimits;
use conshelf::engine::{Engine, QueryContext, QueryRequest};
use conshelf::response::kusto::RequestIdentity;
use conshelf::response::kusto_v1;
use conshelf::storage::{DEFAULT_DATABASE, Store, StoreOptions};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = std::env::temp_dir().join(format!("conshelf-answers-{}", std::process::id()));
    let store = Store::open(&directory, StoreOptions::default())?;
    let engine = Engine::new(store);
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let case: serde_json::Value = serde_json::from_str(&line?)?;
        let text = case["query"].as_str().unwrap_or_default().to_owned();
        let context = QueryContext::new(QueryLimits::default(), 638_000_000_000_000_000);
        let request =
            QueryRequest { text, database: DEFAULT_DATABASE.to_owned(), parameters: Vec::new(), context };
        let (status, body) = match answer(&engine, &request) {
            Ok(body) => (200, body),
            Err(error) => (400, serde_json::json!({"error": {"@message": error}}).to_string()),
        };
        let line = serde_json::json!({"id": case["id"], "status": status, "body": body});
        writeln!(out, "{line}")?;
    }
    std::fs::remove_dir_all(&directory)?;
    Ok(())
}

fn answer(engine: &Engine, request: &QueryRequest) -> Result<String, String> {
    let prepared = engine.prepare(request).map_err(|error| error.to_string())?;
    let mut batches = Vec::new();
    engine
        .run(&prepared, &mut |index, batch| {
            if index == 0 {
                batches.push(batch);
            }
            Ok(ControlFlow::Continue(()))
        })
        .map_err(|error| error.to_string())?;
    let schema = prepared.results().first().map(|result| result.schema.clone()).unwrap_or_default();
    let identity = RequestIdentity { client_request_id: String::new(), activity_id: uuid::Uuid::nil() };
    let body = kusto_v1::single_table(identity, schema, &batches).map_err(|error| error.to_string())?;
    String::from_utf8(body).map_err(|error| error.to_string())
}
