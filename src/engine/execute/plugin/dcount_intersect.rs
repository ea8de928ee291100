//! `dcount_intersect`: of sets given as `hll` sketches, how large the first is, the first two have in common, and so
//! on. Sketches that still hold every value are intersected; for others unions are counted and the parts that are
//! counted twice taken off (inclusion and exclusion).

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Int64Array};
use conshelf_kql::Value;
use conshelf_storage::DynamicRef;

use crate::engine::aggregate::Sketch;
use crate::engine::batch::Batch;
use crate::engine::error::Result;
use crate::engine::execute::columns;

use super::PluginCall;

/// How many values the first one, two, three … sets have in common.
fn intersections(call: &PluginCall<'_>, sets: &[Sketch]) -> Result<Vec<i64>> {
    if let Some(counts) = Sketch::exact_intersections(sets) {
        return Ok(counts);
    }
    let mut counts = Vec::with_capacity(sets.len());
    let mut least = i64::MAX;
    // The unions of all subsets of the sets so far, with the sign of their count.
    let mut unions: Vec<(i64, Sketch)> = Vec::new();
    let mut sum = 0;
    let mut memory = call.query.reserve(0)?;
    for (position, set) in sets.iter().enumerate() {
        let last = position + 1 == sets.len();
        let mut new = vec![(1, set.clone())];
        sum += set.estimate();
        for (sign, union) in &unions {
            call.query.check()?;
            let mut wider = union.clone();
            wider.merge(set);
            sum -= sign * wider.estimate();
            if !last {
                new.push((-sign, wider));
                memory.resize((unions.len() + new.len()) as u64 * (1 << 14))?;
            }
        }
        unions.append(&mut new);
        least = least.min(set.estimate()).min(sum.max(0));
        counts.push(least);
    }
    Ok(counts)
}

pub fn rows(call: &PluginCall<'_>) -> Result<Vec<Batch>> {
    let (Some(input), [Value::Long(count)]) = (call.inputs.first(), call.options) else {
        return Ok(Vec::new());
    };
    let count = usize::try_from(*count).unwrap_or(0).min(input.columns.len());
    let (sets, kept) = input.columns.split_at(count);
    let sets = sets.iter().map(columns::dynamics).collect::<Result<Vec<_>>>()?;
    let mut found: Vec<Vec<Option<i64>>> = vec![Vec::with_capacity(input.rows); count];
    for row in 0..input.rows {
        let sketches: Vec<Sketch> = sets
            .iter()
            .map_while(|set| set.is_valid(row).then(|| Sketch::read(DynamicRef::new(set.value(row))))?)
            .collect();
        let counts = intersections(call, &sketches)?;
        for (place, found) in found.iter_mut().enumerate() {
            found.push(counts.get(place).copied());
        }
    }
    let mut columns = kept.to_vec();
    columns.extend(found.into_iter().map(|counts| Arc::new(Int64Array::from(counts)) as ArrayRef));
    Ok(vec![Batch::new(columns, input.rows)])
}
