//! Every example of the language reference (operators, functions, plugins) is run and must answer what it says.

use conshelf::engine::context::QueryLimits;
use conshelf::engine::{Engine, EngineError, QueryContext, QueryRequest};
use conshelf::kql::function::FunctionId;
use conshelf::reference;
use conshelf::response::delimited::DelimitedEncoder;
use conshelf::response::{Encoder, ResultHeader};
use conshelf::storage::{DEFAULT_DATABASE, Store, StoreOptions};

/// The rows of the first result as CSV without its header line.
fn answer(engine: &Engine, text: &str) -> Result<String, EngineError> {
    let request = QueryRequest {
        text: text.to_owned(),
        database: DEFAULT_DATABASE.to_owned(),
        parameters: Vec::new(),
        context: QueryContext::new(QueryLimits::default(), 638_000_000_000_000_000),
    };
    let tables = engine.query_collect(&request)?;
    let mut bytes = Vec::new();
    if let Some(table) = tables.first() {
        let header = ResultHeader::primary(table.description.schema.clone());
        let mut encoder = DelimitedEncoder::csv();
        for batch in &table.batches {
            encoder
                .rows(&header, batch, &mut bytes)
                .map_err(|error| EngineError::Internal(error.to_string()))?;
        }
    }
    Ok(String::from_utf8_lossy(&bytes).replace("\r\n", "\n").trim_end_matches('\n').to_owned())
}

#[test]
fn examples_answer_what_they_say() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = Store::open(directory.path(), StoreOptions::default()).expect("an empty store");
    let engine = Engine::new(store).with_workers(1);
    let mut wrong = Vec::new();
    for entry in reference::entries() {
        for example in entry.examples {
            match answer(&engine, example.query) {
                Ok(found) if found == example.answer => {}
                Ok(found) => {
                    wrong.push(format!("{}\n  says {}\n  is   {found}", example.query, example.answer))
                }
                Err(error) => wrong.push(format!("{}\n  {error}", example.query)),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn everything_that_runs_has_an_example() {
    // The grammar knows them; the engine does not run them, or they are for tests of clients, or need files.
    const WITHOUT: [&str; 4] =
        ["graph-where-edges", "graph-where-nodes", "identity_v3", "infer_storage_schema"];
    let lacking: Vec<&str> = reference::entries()
        .iter()
        .filter(|entry| {
            entry.examples.is_empty()
                && !entry.disabled
                && !entry.name.starts_with('(')
                && !WITHOUT.contains(&entry.name)
        })
        .map(|entry| entry.name)
        .collect();
    assert!(lacking.is_empty(), "these lack an example: {}", lacking.join(" "));
}

#[test]
fn names_are_unique_among_scalar_functions() {
    let mut names = std::collections::HashMap::new();
    for function in FunctionId::all().filter(|f| !matches!(f, FunctionId::Operator(_))) {
        let spec = function.spec();
        let aggregate = spec.kind == conshelf::kql::function::FunctionKind::Aggregate;
        for name in std::iter::once(&spec.name).chain(spec.aliases) {
            let earlier = names.insert((*name, aggregate), function);
            assert_eq!(earlier, None, "'{name}' is declared twice");
        }
    }
}
