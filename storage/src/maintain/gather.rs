//! Rows picked from several batches, in a given order, as new columns.
//!
//! Consecutive rows are copied as runs; scattered ones are interleaved.

use std::borrow::Borrow;

use arrow_array::{Array, ArrayRef};

use crate::column::{arrow_error, concat};
use crate::error::Result;
use crate::types::ColumnType;

/// Consecutive rows of one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub source: usize,
    pub start: usize,
    pub length: usize,
}

/// Adds rows to a list of runs, extending the last one where they continue it.
pub(crate) fn push_rows(runs: &mut Vec<Run>, source: usize, start: usize, length: usize) {
    match runs.last_mut() {
        Some(last) if last.source == source && last.start + last.length == start => last.length += length,
        _ => runs.push(Run { source, start, length }),
    }
}

/// One column of the picked rows. `sources[run.source]` is the column's flat array of each source.
pub(crate) fn gather<A: Borrow<ArrayRef>>(sources: &[A], runs: &[Run], ty: ColumnType) -> Result<ArrayRef> {
    if let [run] = runs {
        return Ok(sources[run.source].borrow().slice(run.start, run.length));
    }
    const ROWS_PER_RUN: usize = 16;
    let rows: usize = runs.iter().map(|run| run.length).sum();
    if runs.len() * ROWS_PER_RUN <= rows {
        let parts: Vec<ArrayRef> =
            runs.iter().map(|run| sources[run.source].borrow().slice(run.start, run.length)).collect();
        return match ty {
            ColumnType::String | ColumnType::Dynamic => {
                let parts: Vec<&dyn Array> = parts.iter().map(|part| part.as_ref()).collect();
                arrow_select::concat::concat(&parts).map_err(arrow_error)
            }
            _ => concat(&parts, ty),
        };
    }
    let mut indices = Vec::with_capacity(rows);
    for run in runs {
        indices.extend((run.start..run.start + run.length).map(|row| (run.source, row)));
    }
    let sources: Vec<&dyn Array> = sources.iter().map(|source| source.borrow().as_ref()).collect();
    arrow_select::interleave::interleave(&sources, &indices).map_err(arrow_error)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::cast::AsArray;
    use arrow_array::types::Int64Type;
    use arrow_array::{Int64Array, StringViewArray};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn the_picked_rows_in_their_order(picks in proptest::collection::vec((0usize..3, 0usize..50, 1usize..60), 1..40)) {
            let value = |source: usize, row: usize| (source * 1000 + row) as i64;
            let longs: Vec<ArrayRef> = (0..3)
                .map(|source| Arc::new((0..110).map(|row| Some(value(source, row))).collect::<Int64Array>()) as ArrayRef)
                .collect();
            let texts: Vec<ArrayRef> = (0..3)
                .map(|source| {
                    let text = |row| format!("the text of row {}", value(source, row));
                    Arc::new(StringViewArray::from_iter_values((0..110).map(text))) as ArrayRef
                })
                .collect();
            let mut runs = Vec::new();
            let mut expected = Vec::new();
            for (source, start, length) in picks {
                push_rows(&mut runs, source, start, length);
                expected.extend((start..start + length).map(|row| value(source, row)));
            }
            let got = gather(&longs.iter().collect::<Vec<_>>(), &runs, ColumnType::Long).unwrap();
            prop_assert_eq!(got.as_primitive::<Int64Type>().values().to_vec(), expected.clone());
            let got = gather(&texts.iter().collect::<Vec<_>>(), &runs, ColumnType::String).unwrap();
            let got: Vec<String> = got.as_string_view().iter().flatten().map(str::to_owned).collect();
            prop_assert_eq!(got, expected.iter().map(|v| format!("the text of row {v}")).collect::<Vec<_>>());
        }
    }
}
