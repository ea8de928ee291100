//! What may be written at places of queries: reads `{"id", "query", "at"}` a line (`at` in UTF-16 units), with tables from
//! `{"tables": {"T": "(a:long)"}}` in the file of the first argument; prints `{"id", "start", "items": [[kind, label]]}`.

use std::io::BufRead;

use conshelf_kql::catalog::TestCatalog;
use conshelf_kql::editor::{complete, position};
use serde_json::{Value, json};

fn main() {
    let mut catalog = TestCatalog::default();
    if let Some(file) = std::env::args().nth(1) {
        let text = std::fs::read_to_string(file).expect("a readable schema file");
        let schema: Value = serde_json::from_str(&text).expect("a JSON schema");
        for (name, columns) in schema["tables"].as_object().expect("tables") {
            let columns = columns.as_str().expect("columns").trim_matches(['(', ')']).to_owned();
            catalog = catalog.with_table(name, &columns.replace("['", "").replace("']", ""));
        }
    }
    for line in std::io::stdin().lock().lines() {
        let case: Value = serde_json::from_str(&line.expect("a line")).expect("a JSON case");
        let query = case["query"].as_str().expect("a query");
        let at = position::offset_of_unit(query, case["at"].as_u64().expect("a place") as usize);
        let found = complete(query, at, &catalog);
        let items: Vec<Value> =
            found.items.iter().map(|item| json!([item.kind.as_str(), item.label])).collect();
        println!("{}", json!({"id": case["id"], "start": found.start, "items": items}));
    }
}
