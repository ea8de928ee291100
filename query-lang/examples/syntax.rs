//! Reads `{"id", "query"}` a line and prints the syntax errors of each query: `{"id", "errors": [{code, message, start,
//! length}]}`. For comparing verdicts in bulk.

use std::io::{self, BufRead, Write};

use conshelf_kql::diagnostic::DiagnosticKind;
use serde_json::{Value, json};

fn main() -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let line = line?;
        let Ok(case) = serde_json::from_str::<Value>(&line) else { continue };
        let text = case["query"].as_str().unwrap_or_default();
        let errors: Vec<Value> = conshelf_kql::parse(text)
            .diagnostics
            .iter()
            .filter(|found| found.is_error() && found.kind == DiagnosticKind::Syntax)
            .map(|found| {
                json!({
                    "code": found.code,
                    "message": found.message,
                    "start": found.span.start,
                    "length": found.span.len(),
                })
            })
            .collect();
        writeln!(out, "{}", json!({ "id": case["id"], "errors": errors }))?;
    }
    out.flush()
}
