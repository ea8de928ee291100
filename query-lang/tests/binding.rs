//! Result schemas of the conformance cases: names and types of the columns that a query yields. The folder of
//! the cases is given by `CONSHELF_CONFORMANCE`; without it there is nothing to compare with.

use std::path::Path;

use conshelf_kql::bind::bind;
use conshelf_kql::catalog::TestCatalog;
use conshelf_kql::optimise::optimise;
use conshelf_kql::parser::parse;

struct Count {
    right: usize,
    wrong: Vec<String>,
    unsupported: usize,
}

fn compare(path: &Path) -> Count {
    let text = std::fs::read_to_string(path).expect("the file of the cases");
    let mut count = Count { right: 0, wrong: Vec::new(), unsupported: 0 };
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let case: serde_json::Value = serde_json::from_str(line).expect("a case");
        let query = case["query"].as_str().expect("a query");
        let expect = &case["expect"];
        let parsed = parse(query);
        let bound = bind(&parsed.query, query, &TestCatalog::default());
        let broken = parsed.has_errors();
        let refused = bound.plan.is_none() || broken;
        if expect["error"] == true {
            if refused {
                count.right += 1;
            } else {
                count
                    .wrong
                    .push(format!("{}: should be refused\n    {query}\n    {}", case["id"], case["notes"]));
            }
            continue;
        }
        if refused {
            let diagnostics = parsed.diagnostics.iter().chain(&bound.diagnostics);
            let messages: Vec<String> = diagnostics.map(ToString::to_string).collect();
            if messages.iter().any(|message| message.contains("not supported")) {
                count.unsupported += 1;
            }
            count.wrong.push(format!("{}: refused: {}\n    {query}", case["id"], messages.join(" | ")));
            continue;
        }
        let plan = bound.plan.expect("present without errors");
        let optimised = optimise(plan.clone(), &TestCatalog::default());
        for (before, after) in plan.results.iter().zip(&optimised.results) {
            assert_eq!(before.plan.schema, after.plan.schema, "{query}");
        }
        let found = &plan.results[0].plan.schema;
        let expected = expect["columns"].as_array().cloned().unwrap_or_default();
        let same = found.len() == expected.len()
            && found.iter().zip(&expected).all(|(found, expected)| {
                let name = expected["name"].as_str().is_none_or(|name| name == found.name);
                let ty =
                    expected["type"].as_str().is_none_or(|ty| ty.split('|').any(|ty| ty == found.ty.name()));
                name && ty
            });
        if same {
            count.right += 1;
        } else {
            let found: Vec<String> =
                found.iter().map(|column| format!("{}:{}", column.name, column.ty)).collect();
            let expected: Vec<String> = expected
                .iter()
                .map(|column| {
                    format!(
                        "{}:{}",
                        column["name"].as_str().unwrap_or("?"),
                        column["type"].as_str().unwrap_or("?")
                    )
                })
                .collect();
            count.wrong.push(format!(
                "{}: schema\n    found    {}\n    expected {}\n    {query}",
                case["id"],
                found.join(" "),
                expected.join(" ")
            ));
        }
    }
    count
}

#[test]
fn schemas_of_the_conformance_cases() {
    let Ok(folder) = std::env::var("CONSHELF_CONFORMANCE") else { return };
    let verbose = std::env::var("CONSHELF_VERBOSE").is_ok();
    for (file, floor) in [("engine", 0.95), ("docs", 0.8), ("schema", 0.8), ("loco", 0.95)] {
        let count = compare(&Path::new(&folder).join(format!("{file}.visible.jsonl")));
        let total = count.right + count.wrong.len();
        if verbose {
            for wrong in &count.wrong {
                println!("{wrong}");
            }
        }
        println!("{file}: {} of {total} right, {} not supported", count.right, count.unsupported);
        assert!(count.right as f64 >= floor * total as f64, "{file}: {} of {total}", count.right);
    }
}
