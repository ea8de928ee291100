//! What an engine in this process answers, cell by cell as text with its type.

use std::sync::Arc;

use arrow_array::ArrayRef;
use conshelf::engine::context::{QueryLimits, QuerySettings};
use conshelf::engine::literal::array_to_value;
use conshelf::engine::{Engine, QueryContext, QueryRequest};
use conshelf::storage::DEFAULT_DATABASE;

/// The rows of a query's first table; panics with the query when it fails.
pub fn ask(engine: &Engine, text: &str) -> Vec<Vec<String>> {
    let settings = Arc::new(QuerySettings::default());
    let context = QueryContext::with_settings(QueryLimits::default(), 0, settings, Arc::default());
    let request = QueryRequest {
        text: text.to_owned(),
        database: DEFAULT_DATABASE.to_owned(),
        parameters: Vec::new(),
        context,
    };
    let tables = engine.query_collect(&request).unwrap_or_else(|error| panic!("{text}\n{error}"));
    let mut rows = Vec::new();
    for batch in &tables[0].batches {
        for row in 0..batch.rows {
            let values = batch.columns.iter().zip(&tables[0].description.schema);
            let text = |(array, column): (&ArrayRef, &conshelf_kql::Column)| {
                format!("{:?}", array_to_value(array, row, column.ty).expect("value"))
            };
            rows.push(values.map(text).collect());
        }
    }
    rows
}
