//! The grammar against the shared conformance corpora. Needs `CONSHELF_CONFORMANCE_DIR`; without it nothing is tested.

use std::path::PathBuf;

use conshelf_kql::diagnostic::{DiagnosticKind, render_all};
use conshelf_kql::parser::Parsed;
use serde_json::Value;

fn cases(file: &str) -> Vec<Value> {
    let Ok(directory) = std::env::var("CONSHELF_CONFORMANCE_DIR") else { return Vec::new() };
    let path = PathBuf::from(directory).join(file);
    let Ok(text) = std::fs::read_to_string(&path) else { return Vec::new() };
    text.lines().map(|line| serde_json::from_str(line).expect("a JSON object a line")).collect()
}

fn has_syntax_error(parsed: &Parsed) -> bool {
    parsed.diagnostics.iter().any(|found| found.is_error() && found.kind == DiagnosticKind::Syntax)
}

/// Prints the cases that fail and checks the share of those that pass.
fn judge(file: &str, at_least: f64, passes: impl Fn(&Value, &Parsed) -> bool) {
    let cases = cases(file);
    let mut failed = 0;
    for case in &cases {
        let query = case["query"].as_str().expect("a query");
        let parsed = conshelf_kql::parse(query);
        if !passes(case, &parsed) {
            failed += 1;
            println!("{}: {query}\n{}", case["id"], render_all(&parsed.diagnostics, query));
        }
    }
    println!("{file}: {failed} of {} failed", cases.len());
    let share = if cases.is_empty() { 1.0 } else { 1.0 - failed as f64 / cases.len() as f64 };
    assert!(share >= at_least, "{file}: {share}");
}

#[test]
fn verdicts_agree() {
    judge("parse.visible.jsonl", 0.995, |case, parsed| {
        has_syntax_error(parsed) != case["accept"].as_bool().expect("a verdict")
    });
}

#[test]
fn answered_queries_parse() {
    for file in ["docs", "engine", "loco", "schema"] {
        judge(&format!("{file}.visible.jsonl"), 0.995, |case, parsed| {
            case["expect"].get("error").is_some() || !has_syntax_error(parsed)
        });
    }
}
