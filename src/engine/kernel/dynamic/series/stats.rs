//! Statistics and outliers of a series.

use arrow_array::ArrayRef;
use conshelf_storage::DynamicBuilder;

use super::super::value::Values;
use super::{numbers_of, put_reals, reals_of};
use crate::engine::error::Result;
use crate::engine::kernel::access::{Bools, Dynamics, Reals, Texts, argument, dynamics};
use crate::engine::kernel::{Datum, KernelCall};

struct Stats {
    min: (f64, usize),
    max: (f64, usize),
    sum: f64,
    count: usize,
    variance: f64,
}

/// `None` if there is no number, or one that is not finite and may not be left out.
fn stats_of(values: &[f64], ignore_nonfinite: bool) -> Option<Stats> {
    if !ignore_nonfinite && values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let finite = || values.iter().copied().enumerate().filter(|(_, value)| value.is_finite());
    let (first, start) = finite().next()?;
    let (mut min, mut max, mut sum, mut count) = ((start, first), (start, first), 0.0, 0usize);
    for (position, value) in finite() {
        if value < min.0 {
            min = (value, position);
        }
        if value > max.0 {
            max = (value, position);
        }
        sum += value;
        count += 1;
    }
    let mean = sum / count as f64;
    let squares: f64 = finite().map(|(_, value)| (value - mean) * (value - mean)).sum();
    let variance = if count > 1 { squares / (count - 1) as f64 } else { 0.0 };
    Some(Stats { min, max, sum, count, variance })
}

fn each(
    call: &KernelCall<'_>,
    arguments: &[Datum],
    put: impl Fn(&Stats, usize, &mut DynamicBuilder),
) -> Result<ArrayRef> {
    let series = Dynamics::new(argument(arguments, 0)?)?;
    let ignored = arguments.get(1).map(Bools::new).transpose()?;
    Ok(dynamics(call.rows, |row, builder| {
        let Some(values) = reals_of(series.get(row)) else { return false };
        let ignore = ignored.as_ref().and_then(|flag| flag.get(row)).unwrap_or(false);
        stats_of(&values, ignore).inspect(|stats| put(stats, values.len(), builder)).is_some()
    }))
}

/// As the array of the columns of `series_stats`.
pub fn tuple(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    each(call, arguments, |stats, _, builder| {
        builder.begin_array();
        builder.real(stats.min.0);
        builder.long(stats.min.1 as i64);
        builder.real(stats.max.0);
        builder.long(stats.max.1 as i64);
        builder.real(stats.sum / stats.count as f64);
        builder.real(stats.variance.sqrt());
        builder.real(stats.variance);
        builder.end_array();
    })
}

pub fn bag(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    each(call, arguments, |stats, length, builder| {
        builder.begin_object();
        for (key, value) in [
            ("min", stats.min.0),
            ("min_idx", stats.min.1 as f64),
            ("max", stats.max.0),
            ("max_idx", stats.max.1 as f64),
            ("avg", stats.sum / stats.count as f64),
            ("stdev", stats.variance.sqrt()),
            ("variance", stats.variance),
            ("sum", stats.sum),
            ("len", length as f64),
        ] {
            builder.key(key);
            if matches!(key, "min_idx" | "max_idx" | "len") {
                builder.long(value as i64);
            } else {
                builder.real(value);
            }
        }
        builder.end_object();
    })
}

/// The percentile of sorted values, on the line between neighbours.
fn percentile(sorted: &[f64], percent: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = percent / 100.0 * last as f64;
    let low = (place.floor() as usize).min(last);
    let high = (low + 1).min(last);
    sorted[low] + (sorted[high] - sorted[low]) * (place - low as f64)
}

/// The score of each value by the range between two percentiles; 0 of what is no value.
pub fn outlier_scores(values: &[Option<f64>], (low, high): (f64, f64)) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().flatten().collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let (lower, upper) = (percentile(&sorted, low), percentile(&sorted, high));
    let range = upper - lower;
    let score = |value: &Option<f64>| match *value {
        Some(value) if range > 0.0 && value > upper => (value - upper) / range,
        Some(value) if range > 0.0 && value < lower => (value - lower) / range,
        _ => 0.0,
    };
    values.iter().map(score).collect()
}

/// Tukey's test: by how many ranges between two percentiles an element lies outside of them.
pub fn outliers(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let series = Dynamics::new(argument(arguments, 0)?)?;
    let kinds = arguments.get(1).map(Texts::new).transpose()?;
    let ignored = if arguments.len() > 2 { Some(Values::at(call, arguments, 2)?) } else { None };
    let low = arguments.get(3).map(Reals::new).transpose()?;
    let high = arguments.get(4).map(Reals::new).transpose()?;
    Ok(dynamics(call.rows, |row, builder| {
        let Some(values) = numbers_of(series.get(row)) else { return false };
        let plain = kinds.as_ref().is_some_and(|kinds| kinds.get(row).eq_ignore_ascii_case("tukey"));
        let bound = |column: &Option<Reals<'_>>, default: f64| {
            column.as_ref().and_then(|column| column.get(row)).unwrap_or(default)
        };
        let (low, high) = if plain { (25.0, 75.0) } else { (bound(&low, 10.0), bound(&high, 90.0)) };
        let skipped = ignored.as_ref().map(|values| values.bytes(row));
        let skipped = skipped.and_then(|bytes| conshelf_storage::DynamicRef::new(&bytes).as_number());
        let value = |number: &Option<super::Number>| {
            number.map(super::Number::real).filter(|value| value.is_finite() && Some(*value) != skipped)
        };
        let values: Vec<Option<f64>> = values.iter().map(value).collect();
        let scores = outlier_scores(&values, (low, high));
        put_reals(builder, &scores);
        true
    }))
}
