//! `narrow`: the inputs' columns are texts, the options their names.

use std::sync::Arc;

use arrow_array::builder::StringViewBuilder;
use arrow_array::{Array, Int64Array};
use conshelf_kql::Value;

use crate::engine::batch::Batch;
use crate::engine::error::Result;
use crate::engine::execute::columns;

use super::PluginCall;

pub fn rows(call: &PluginCall<'_>) -> Result<Vec<Batch>> {
    let Some(input) = call.inputs.first() else { return Ok(Vec::new()) };
    let count = input.rows * input.columns.len();
    let mut numbers = Vec::with_capacity(count);
    let mut names = StringViewBuilder::with_capacity(count);
    let mut values = StringViewBuilder::with_capacity(count);
    let flat = input.columns.iter().map(columns::flatten).collect::<Result<Vec<_>>>()?;
    let texts = flat.iter().map(columns::texts).collect::<Result<Vec<_>>>()?;
    for row in 0..input.rows {
        if row % 4096 == 0 {
            call.query.check()?;
        }
        for (texts, name) in texts.iter().zip(call.options) {
            numbers.push(row as i64);
            names.append_value(match name {
                Value::String(name) => name.as_str(),
                _ => "",
            });
            values.append_value(if texts.is_null(row) { "" } else { texts.value(row) });
        }
    }
    let columns: Vec<arrow_array::ArrayRef> =
        vec![Arc::new(Int64Array::from(numbers)), Arc::new(names.finish()), Arc::new(values.finish())];
    Ok(vec![Batch::new(columns, count)])
}
