//! Prints what the binder says of KQL queries, in the form of the official analyser's script, to compare both.
//!
//! ```text
//! cargo run -p conshelf-kql --example analyse < queries.jsonl     {"id", "query"} a line
//! cargo run -p conshelf-kql --example analyse -- --functions      every function with its signatures
//! ```

use std::io::BufRead;

use conshelf_kql::bind::check;
use conshelf_kql::catalog::TestCatalog;
use conshelf_kql::function::FunctionId;
use serde_json::json;

fn main() {
    if std::env::args().any(|argument| argument == "--functions") {
        for function in FunctionId::all() {
            let spec = function.spec();
            println!(
                "{}",
                json!({"name": spec.name, "aliases": spec.aliases, "kind": format!("{:?}", spec.kind), "signatures": spec.signatures})
            );
        }
        return;
    }
    let catalog = TestCatalog::default();
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let Ok(case) = serde_json::from_str::<serde_json::Value>(&line) else { continue };
        let query = case["query"].as_str().unwrap_or_default();
        let (diagnostics, schema) = check(query, &catalog);
        let diagnostics: Vec<serde_json::Value> = diagnostics
            .iter()
            .map(|found| json!({"code": found.code, "severity": found.severity.as_str(), "message": found.to_string(), "start": found.span.start, "length": found.span.len()}))
            .collect();
        let columns: Option<Vec<serde_json::Value>> = schema.map(|schema| {
            schema.iter().map(|column| json!({"name": column.name, "type": column.ty.name()})).collect()
        });
        println!("{}", json!({"id": case["id"], "diagnostics": diagnostics, "columns": columns}));
    }
}
