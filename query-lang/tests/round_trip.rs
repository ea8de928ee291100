//! The text printed from a tree has that tree again, spans apart.

use std::path::PathBuf;

use conshelf_kql::ast::Query;

/// The tree without its spans, as text.
fn shape(query: &Query) -> String {
    let debug = format!("{query:?}");
    let mut out = String::with_capacity(debug.len());
    let mut rest = debug.as_str();
    while let Some(at) = rest.find("span: ") {
        let after = &rest[at + 6..];
        let end = after.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(after.len());
        out.push_str(&rest[..at]);
        rest = &after[end..];
    }
    out.push_str(rest);
    // A skipped part of a pattern is nothing but its span.
    out.split("Skip(").map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.')).collect()
}

fn check(text: &str) {
    let first = conshelf_kql::parse(text);
    if first.has_errors() {
        return;
    }
    let printed = first.query.to_string();
    let second = conshelf_kql::parse(&printed);
    assert!(!second.has_errors(), "{text}\n--- printed\n{printed}\n{:?}", second.diagnostics);
    assert_eq!(shape(&first.query), shape(&second.query), "{text}\n--- printed\n{printed}");
    assert_eq!(second.query.to_string(), printed);
}

#[test]
fn one_query_per_operator() {
    for line in
        include_str!("operators.kql").lines().filter(|line| !line.is_empty() && !line.starts_with("//"))
    {
        let parsed = conshelf_kql::parse(line);
        assert!(!parsed.has_errors(), "{line}: {:?}", parsed.diagnostics);
        check(line);
    }
}

#[test]
fn conformance_corpora() {
    let Ok(directory) = std::env::var("CONSHELF_CONFORMANCE_DIR") else { return };
    for file in ["docs", "engine", "loco", "parse", "schema"] {
        let path = PathBuf::from(&directory).join(format!("{file}.visible.jsonl"));
        let Ok(text) = std::fs::read_to_string(path) else { continue };
        for line in text.lines() {
            let case: serde_json::Value = serde_json::from_str(line).expect("a JSON object a line");
            check(case["query"].as_str().expect("a query"));
        }
    }
}
