//! The states of `hll` and `tdigest` as values.

use arrow_array::ArrayRef;
use arrow_array::types::{Float64Type, Int64Type};
use conshelf_kql::Type;

use super::value::Values;
use crate::engine::aggregate::{Digest, Sketch, number_of, put_number, read_digest, write_digest};
use crate::engine::error::Result;
use crate::engine::kernel::access::{Dynamics, Reals, argument, dynamics, numbers};
use crate::engine::kernel::conversion::convert;
use crate::engine::kernel::{Datum, KernelCall};

pub fn dcount_hll(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let sketches = Dynamics::new(argument(arguments, 0)?)?;
    Ok(numbers::<Int64Type>(call.rows, |row| Some(Sketch::read(sketches.get(row))?.estimate())))
}

pub fn hll_merge(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let columns = arguments.iter().map(Dynamics::new).collect::<Result<Vec<_>>>()?;
    Ok(dynamics(call.rows, |row, builder| {
        let merged =
            columns.iter().filter_map(|column| Sketch::read(column.get(row))).reduce(|mut merged, sketch| {
                merged.merge(&sketch);
                merged
            });
        merged.inspect(|sketch| sketch.write(builder)).is_some()
    }))
}

/// Without a type the value is dynamic: a whole number as a long.
pub fn percentile(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let digests = Dynamics::new(argument(arguments, 0)?)?;
    let percents = Reals::new(argument(arguments, 1)?)?;
    let value = |row| read_digest(digests.get(row))?.percentile(percents.get(row)?);
    if call.return_type == Type::Dynamic {
        return Ok(dynamics(call.rows, |row, builder| {
            value(row).inspect(|value| put_number(builder, *value)).is_some()
        }));
    }
    match call.return_type {
        Type::DateTime | Type::TimeSpan => {
            Ok(numbers::<Int64Type>(call.rows, |row| value(row).map(|value| value as i64)))
        }
        other => {
            let values = numbers::<Float64Type>(call.rows, value);
            convert(&Datum::Array(values), Type::Real, other, call.rows)
        }
    }
}

pub fn percentiles_array(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let digests = Dynamics::new(argument(arguments, 0)?)?;
    let percents = Values::all(call, arguments, 1)?;
    Ok(dynamics(call.rows, |row, builder| {
        let Some(mut digest) = read_digest(digests.get(row)).filter(|digest| !digest.is_empty()) else {
            return false;
        };
        builder.begin_array();
        for column in &percents {
            let wanted: Vec<f64> = match column {
                Values::Real(values) => values.get(row).into_iter().collect(),
                Values::Dynamic(values) => values.get(row).iter_array().filter_map(number_of).collect(),
                _ => Vec::new(),
            };
            for percent in wanted {
                match digest.percentile(percent) {
                    Some(value) => put_number(builder, value),
                    None => builder.null(),
                }
            }
        }
        builder.end_array();
        true
    }))
}

pub fn tdigest_merge(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let columns = arguments.iter().map(Dynamics::new).collect::<Result<Vec<_>>>()?;
    Ok(dynamics(call.rows, |row, builder| {
        let mut merged = Digest::default();
        for digest in columns.iter().filter_map(|column| read_digest(column.get(row))) {
            merged.merge(&digest);
        }
        write_digest(builder, merged.centroids(), |builder, value| put_number(builder, *value));
        !merged.is_empty()
    }))
}
