//! `rolling_percentile`: for each bin and combination of dimensions a percentile (nearest rank) of the values in the
//! window of bins that ends there.

use std::collections::BTreeMap;

use arrow_array::{ArrayRef, UInt32Array};
use conshelf_kql::{Type, Value};

use crate::engine::batch::Batch;
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::columns;
use crate::engine::execute::key::KeyTable;

use super::PluginCall;

/// The numbers of a column so that integers compare as they do; `None` for null.
fn sortable(column: &ArrayRef, ty: Type) -> Result<Vec<Option<i64>>> {
    let ordered = |value: f64| {
        let bits = value.to_bits() as i64;
        bits ^ (((bits >> 63) as u64) >> 1) as i64
    };
    Ok(match ty {
        Type::Int => columns::ints(column)?.iter().map(|value| value.map(i64::from)).collect(),
        Type::Real => columns::reals(column)?.iter().map(|value| value.map(ordered)).collect(),
        Type::Long | Type::DateTime | Type::TimeSpan => columns::longs(column)?.iter().collect(),
        _ => return Err(EngineError::Internal(format!("a percentile of {ty}"))),
    })
}

/// The number of each row's bin.
fn bins(column: &ArrayRef, size: &Value) -> Result<Vec<Option<i64>>> {
    Ok(match size {
        Value::Int(size) => columns::ints(column)?
            .iter()
            .map(|value| Some(i64::from(value?).div_euclid(i64::from(*size))))
            .collect(),
        Value::Long(size) | Value::TimeSpan(size) => {
            columns::longs(column)?.iter().map(|value| Some(value?.div_euclid(*size))).collect()
        }
        Value::Real(size) => {
            columns::reals(column)?.iter().map(|value| Some((value? / size).round() as i64)).collect()
        }
        _ => return Err(EngineError::Internal(String::from("a bin without a size"))),
    })
}

pub fn rows(call: &PluginCall<'_>) -> Result<Vec<Batch>> {
    let (Some(input), [Value::Real(percentile), size, Value::Long(window)]) =
        (call.inputs.first(), call.options)
    else {
        return Ok(Vec::new());
    };
    let Some(schema) = call.input_schemas.first() else { return Ok(Vec::new()) };
    let bin_of = bins(&input.columns[0], size)?;
    let values = sortable(&input.columns[1], schema[1].ty)?;
    let types: Vec<Type> = schema[2..].iter().map(|column| column.ty).collect();
    let mut groups = Vec::new();
    KeyTable::new(&types).assign(&input.columns[2..], input.rows, &mut groups)?;
    let mut by_group: BTreeMap<u32, BTreeMap<i64, Vec<u32>>> = BTreeMap::new();
    let _memory = call.query.reserve(32 * input.rows as u64)?;
    for (row, (group, bin)) in groups.iter().zip(&bin_of).enumerate() {
        if let Some(bin) = bin {
            by_group.entry(*group).or_default().entry(*bin).or_default().push(row as u32);
        }
    }
    let (mut shown, mut picked): (Vec<u32>, Vec<Option<u32>>) = (Vec::new(), Vec::new());
    for bins in by_group.values() {
        for (bin, own) in bins {
            call.query.check()?;
            let first = bin.saturating_sub(*window - 1);
            let mut inside: Vec<(i64, u32)> = bins
                .range(first..=*bin)
                .flat_map(|(_, rows)| rows)
                .filter_map(|row| Some((values[*row as usize]?, *row)))
                .collect();
            shown.extend(own.first().copied());
            if inside.is_empty() {
                picked.push(None);
                continue;
            }
            let rank = (percentile * inside.len() as f64 / 100.0).ceil().max(1.0) as usize;
            let place = rank.min(inside.len()) - 1;
            picked.push(Some(inside.select_nth_unstable(place).1.1));
        }
    }
    let (shown, picked) = (UInt32Array::from(shown), UInt32Array::from(picked));
    let mut result = vec![columns::take_column(&input.columns[0], &shown)?];
    for dimension in &input.columns[2..] {
        result.push(columns::take_column(dimension, &shown)?);
    }
    result.push(columns::take_column(&input.columns[1], &picked)?);
    Ok(vec![Batch::new(result, shown.len())])
}
