//! `rows_near`: the rows with a row nearby that a condition holds for.

use arrow_array::Array;
use arrow_buffer::BooleanBufferBuilder;
use conshelf_kql::Value;

use crate::engine::batch::Batch;
use crate::engine::error::Result;
use crate::engine::execute::columns;

use super::PluginCall;

pub fn rows(call: &PluginCall<'_>) -> Result<Vec<Batch>> {
    let (Some(input), [Value::Long(before), Value::Long(after)]) = (call.inputs.first(), call.options) else {
        return Ok(Vec::new());
    };
    let Some((condition, kept)) = input.columns.split_first() else { return Ok(Vec::new()) };
    let condition = columns::booleans(condition)?;
    let (before, after) =
        (usize::try_from(*before).unwrap_or(usize::MAX), usize::try_from(*after).unwrap_or(usize::MAX));
    let mut chosen = BooleanBufferBuilder::new(input.rows);
    chosen.append_n(input.rows, false);
    // What lies before this row is decided.
    let mut decided = 0;
    for row in (0..input.rows).filter(|row| condition.is_valid(*row) && condition.value(*row)) {
        let end = row.saturating_add(after).saturating_add(1).min(input.rows);
        for near in row.saturating_sub(before).max(decided)..end {
            chosen.set_bit(near, true);
        }
        decided = decided.max(end);
    }
    Ok(vec![columns::filter(&Batch::new(kept.to_vec(), input.rows), &chosen.finish())?])
}
