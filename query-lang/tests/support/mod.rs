//! Queries that several tests go through.

/// The queries of the shared conformance files, where `CONSHELF_CONFORMANCE_DIR` names them; else none.
pub fn corpora() -> Vec<String> {
    let Ok(directory) = std::env::var("CONSHELF_CONFORMANCE_DIR") else { return Vec::new() };
    let mut found = Vec::new();
    for file in ["docs", "engine", "loco", "schema", "parse"] {
        let path = std::path::Path::new(&directory).join(format!("{file}.visible.jsonl"));
        let Ok(text) = std::fs::read_to_string(path) else { continue };
        for line in text.lines() {
            let case: serde_json::Value = serde_json::from_str(line).expect("a JSON object");
            found.push(case["query"].as_str().unwrap_or_default().to_owned());
        }
    }
    found
}
