//! `sequence_detect`: the times at which conditions held one after the other. Options: the longest step, the
//! longest sequence, the number of conditions. Columns: the timeline, the conditions, the dimensions.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{Array, Int64Array};
use conshelf_kql::Value;

use crate::engine::batch::Batch;
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::columns;
use crate::engine::execute::key::KeyTable;
use crate::engine::execute::plugin::PluginCall;

use super::events::{ROWS_BETWEEN_CHECKS, dimensions};
use super::timeline::Axis;

pub fn rows(call: &PluginCall<'_>) -> Result<Vec<Batch>> {
    let ([step, span, Value::Long(count)], [input], [schema]) =
        (call.options, call.inputs.as_slice(), call.input_schemas.as_slice())
    else {
        return Err(EngineError::Internal(String::from("sequence_detect has three options")));
    };
    let steps = usize::try_from(*count).unwrap_or(0);
    let axis = Axis::of(schema[0].ty);
    let (step, span) = (axis.required(Some(step))?, axis.required(Some(span))?);
    let types: Vec<_> = schema[1 + steps..].iter().map(|column| column.ty).collect();
    let mut groups = KeyTable::new(&types);
    let mut group_of = Vec::new();
    groups.assign(&input.columns[1 + steps..], input.rows, &mut group_of)?;
    let mut memory = call.query.reserve((input.rows * 32) as u64)?;
    let instants = axis.instants(&input.columns[0])?;
    // The distinct times of each step, by group.
    let mut times: BTreeMap<u32, Vec<Vec<i128>>> = BTreeMap::new();
    for place in 0..steps {
        let holds = columns::booleans(&input.columns[1 + place])?;
        for row in (0..input.rows).filter(|row| holds.is_valid(*row) && holds.value(*row)) {
            if let Some(instant) = instants[row] {
                times.entry(group_of[row]).or_insert_with(|| vec![Vec::new(); steps])[place].push(instant);
            }
        }
    }
    let mut found: Vec<i128> = Vec::new();
    let mut found_groups: Vec<u32> = Vec::new();
    for (group, mut times) in times {
        for times in &mut times {
            times.sort_unstable();
            times.dedup();
        }
        sequences(&times, step, span, |sequence| {
            found.extend(sequence);
            found_groups.push(group);
            if found_groups.len().is_multiple_of(ROWS_BETWEEN_CHECKS) {
                call.query.check()?;
                memory.resize((input.rows * 32 + found.capacity() * 32) as u64)?;
            }
            Ok(())
        })?;
        call.query.check()?;
    }
    let mut order: Vec<usize> = (0..found_groups.len()).collect();
    let sequence = |row: usize| &found[row * steps..(row + 1) * steps];
    order.sort_by(|left, right| sequence(*left).cmp(sequence(*right)));
    let mut columns = dimensions(&groups, order.iter().map(|row| found_groups[*row]))?;
    for place in 0..steps {
        columns.push(axis.column(order.iter().map(|row| sequence(*row)[place])));
    }
    let duration = |row: &usize| {
        let sequence = sequence(*row);
        let ticks = sequence.last().zip(sequence.first()).map_or(0, |(last, first)| last - first);
        i64::try_from(ticks).unwrap_or(i64::MAX)
    };
    columns.push(Arc::new(Int64Array::from_iter_values(order.iter().map(duration))));
    Ok(vec![Batch::new(columns, order.len())])
}

/// Yields every sequence of one time of each step, each later than the one before by at most `step`, the last
/// later than the first by at most `span`. `times` are sorted and distinct.
pub fn sequences(
    times: &[Vec<i128>],
    step: i128,
    span: i128,
    mut yielded: impl FnMut(&[i128]) -> Result<()>,
) -> Result<()> {
    let Some((firsts, rest)) = times.split_first() else { return Ok(()) };
    let mut sequence = Vec::with_capacity(times.len());
    for first in firsts {
        // Only the times from which the end can be reached are walked: no dead ends.
        let until = first.saturating_add(span);
        let mut alive: Vec<Vec<i128>> = Vec::with_capacity(rest.len());
        for times in rest.iter().rev() {
            let from = times.partition_point(|time| time <= first);
            let to = times.partition_point(|time| *time <= until);
            let window = times.get(from..to).unwrap_or(&[]);
            let reaches = |time: &&i128| match alive.last() {
                Some(next) => !after(next, **time, step).is_empty(),
                None => true,
            };
            alive.push(window.iter().filter(reaches).copied().collect());
        }
        alive.reverse();
        sequence.clear();
        sequence.push(*first);
        walk(&alive, step, &mut sequence, &mut yielded)?;
    }
    Ok(())
}

/// The times later than `time` by at most `step`.
fn after(times: &[i128], time: i128, step: i128) -> &[i128] {
    let from = times.partition_point(|later| *later <= time);
    let to = times.partition_point(|later| *later <= time.saturating_add(step));
    times.get(from..to).unwrap_or(&[])
}

fn walk(
    rest: &[Vec<i128>],
    step: i128,
    sequence: &mut Vec<i128>,
    yielded: &mut impl FnMut(&[i128]) -> Result<()>,
) -> Result<()> {
    let Some((times, rest)) = rest.split_first() else { return yielded(sequence) };
    let before = sequence.last().copied().unwrap_or_default();
    for time in after(times, before, step) {
        sequence.push(*time);
        walk(rest, step, sequence, yielded)?;
        sequence.pop();
    }
    Ok(())
}
