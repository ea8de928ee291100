//! `command | operator | …`: the command's rows become the source table of a query.
//!
//! The rows are written as a `datatable` in front of the pipeline, so that the engine needs to know nothing
//! of commands.

use std::fmt::Write;

use conshelf_kql::{Schema, Type};

use crate::command::{CommandContext, CommandError, CommandOutput, Result, schema};
use crate::engine::{Batch, EngineError};
use crate::query::{self, QueryInput};
use crate::response::columns::Cells;
use crate::response::value_text::quoted;

/// Runs the pipeline that begins at `offset` of the text over the command's first result.
pub fn run(
    context: &CommandContext<'_>,
    output: CommandOutput,
    text: &str,
    offset: usize,
) -> Result<CommandOutput> {
    let Some(header) = output.results.first() else { return Ok(output) };
    let batches = output.batches.iter().filter(|(index, _)| *index == 0).map(|(_, batch)| batch);
    let table = datatable(&header.columns, batches)?;
    let pipeline = text[offset..].trim_end();
    let pipeline = pipeline.strip_suffix(';').unwrap_or(pipeline);
    let input = QueryInput {
        text: format!("{table}\n{pipeline}"),
        database: context.database_name().to_owned(),
        parameters: Vec::new(),
        time_scope: None,
    };
    let source = table.len() + 1;
    let failed = |mut error: EngineError| {
        // Places of the generated text become places of the text that was sent.
        if let EngineError::Query(diagnostics) = &mut error {
            for diagnostic in diagnostics {
                diagnostic.start = diagnostic.start.saturating_sub(source);
            }
        }
        CommandError::Query { error, offset }
    };
    let prepared = query::prepare(context.store, &input, context.query).map_err(failed)?;
    let results = prepared.results.clone();
    let mut rows: Vec<(usize, Batch)> = Vec::new();
    prepared
        .run(context.query, &mut |index, batch| {
            rows.push((index, batch));
            Ok(std::ops::ControlFlow::Continue(()))
        })
        .map_err(failed)?;
    Ok(CommandOutput { results, batches: rows })
}

/// `datatable(name:type, …)[value, …]`
fn datatable<'b>(columns: &Schema, batches: impl Iterator<Item = &'b Batch>) -> Result<String> {
    let declared: Vec<String> = columns
        .iter()
        .map(|column| format!("{}:{}", schema::written_name(&column.name), column.ty.name()))
        .collect();
    let mut text = format!("datatable({})[", declared.join(","));
    let mut first = true;
    let mut scratch = String::new();
    for batch in batches {
        let cells =
            Cells::of_batch(columns, batch).map_err(|error| CommandError::Internal(error.to_string()))?;
        for row in 0..batch.rows {
            for (column, cells) in columns.iter().zip(&cells) {
                if !std::mem::take(&mut first) {
                    text.push(',');
                }
                literal(column.ty, cells, row, &mut scratch, &mut text);
            }
        }
    }
    text.push(']');
    Ok(text)
}

/// One cell as a KQL literal.
fn literal(ty: Type, cells: &Cells<'_>, row: usize, scratch: &mut String, out: &mut String) {
    if let Some(text) = cells.string_at(row) {
        out.push_str(&quoted(text));
        return;
    }
    let mut plain = Vec::new();
    match ty {
        Type::Dynamic => cells.write_json(row, scratch, &mut plain),
        _ => cells.write_plain(row, scratch, &mut plain),
    }
    let plain = String::from_utf8_lossy(&plain);
    let plain = match (ty, plain.as_ref()) {
        (_, "") => "null",
        (Type::Real, "Infinity") => "+inf",
        (Type::Real, "-Infinity") => "-inf",
        (Type::Real, "NaN") => "nan",
        (_, plain) => plain,
    };
    let _ = write!(out, "{}({plain})", ty.name());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response::tests_support::sample;

    #[test]
    fn rows_become_literals() {
        let (header, batch) = sample();
        let text = datatable(&header.columns, std::iter::once(&batch)).expect("text");
        insta::assert_snapshot!(text);
    }
}
