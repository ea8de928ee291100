//! How often the binder agrees with Microsoft's analyser on a fixed random sample of generated queries.
//!
//! `data/agreement.jsonl` holds, a line each, the class of the query, its text and what the analyser said: the
//! error it found first (code, start, length) or else the columns. The sample has the queries on which both differ
//! too; the shares below are floors, to be raised as the differences go.

use std::collections::BTreeMap;

use conshelf_kql::bind::check;
use conshelf_kql::catalog::TestCatalog;
use serde_json::Value;

/// Stands before each query; places count from its end.
const TABLES: &str = "let T=datatable(b:bool,i:int,l:long,r:real,c:decimal,d:datetime,t:timespan,s:string,g:guid,o:dynamic)[]; let U=datatable(l:long,s:string,x:real,d:datetime)[];\n";

/// The least share, in percent, of queries of a class with the same verdict and, where right, the same columns.
const FLOORS: &[(&str, usize)] = &[
    ("func", 95),
    ("aggr", 92),
    ("binop", 90),
    ("merge", 85),
    ("naming", 93),
    ("oper", 92),
    ("join", 95),
    ("props", 82),
    ("stmt", 84),
    ("more", 85),
];

#[test]
fn agreement_is_kept() {
    let catalog = TestCatalog::default();
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for line in include_str!("data/agreement.jsonl").lines() {
        let case: Value = serde_json::from_str(line).expect("a JSON object a line");
        let query = case["query"].as_str().expect("a query");
        let (diagnostics, schema) = check(&format!("{TABLES}{query}"), &catalog);
        let wrong = diagnostics.iter().any(|found| found.is_error());
        let columns: Vec<Value> = schema
            .unwrap_or_default()
            .iter()
            .map(|column| Value::from(format!("{}:{}", column.name, column.ty.name())))
            .collect();
        let agrees = match &case["columns"] {
            Value::Array(expected) => !wrong && *expected == columns,
            _ => wrong,
        };
        let count = counts.entry(case["class"].as_str().expect("a class").to_string()).or_default();
        count.0 += usize::from(agrees);
        count.1 += 1;
        if !agrees {
            println!("{}: {query}", case["class"]);
        }
    }
    for (class, floor) in FLOORS {
        let (agreed, all) = counts.get(*class).copied().unwrap_or((0, 1));
        println!("{class}: {agreed} of {all}");
        assert!(agreed * 100 >= floor * all, "{class}: {agreed} of {all}");
    }
}
