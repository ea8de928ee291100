//! Lines fitted to a series by least squares: one, or two that meet where they fit best.

use arrow_array::ArrayRef;
use conshelf_storage::DynamicBuilder;

use super::{put_reals, reals_of};
use crate::engine::error::Result;
use crate::engine::kernel::access::{Dynamics, argument, dynamics};
use crate::engine::kernel::{Datum, KernelCall};

/// The line over positions 1..=n, as the reference counts them. Variances are those of samples.
struct Line {
    rsquare: f64,
    slope: f64,
    variance: f64,
    rvariance: f64,
    interception: f64,
}

fn fit(values: &[f64]) -> Line {
    let count = values.len() as f64;
    let mean_x = (count + 1.0) / 2.0;
    let mean_y = values.iter().sum::<f64>() / count;
    let (mut cross, mut squares_x, mut squares_y) = (0.0, 0.0, 0.0);
    for (position, value) in values.iter().enumerate() {
        let (x, y) = (position as f64 + 1.0 - mean_x, value - mean_y);
        cross += x * y;
        squares_x += x * x;
        squares_y += y * y;
    }
    let slope = if squares_x > 0.0 { cross / squares_x } else { 0.0 };
    let interception = mean_y - slope * mean_x;
    let residual: f64 = values
        .iter()
        .enumerate()
        .map(|(position, value)| (value - slope * (position as f64 + 1.0) - interception).powi(2))
        .sum();
    let degrees = (count - 1.0).max(1.0);
    let (variance, rvariance) = (squares_y / degrees, residual / degrees);
    let rsquare = if variance > 0.0 { 1.0 - rvariance / variance } else { 0.0 };
    Line { rsquare, slope, variance, rvariance, interception }
}

impl Line {
    fn points(&self, count: usize) -> impl Iterator<Item = f64> + '_ {
        (1..=count).map(|position| self.slope * position as f64 + self.interception)
    }
}

/// The series of each row, if it has finite numbers only.
fn each(
    call: &KernelCall<'_>,
    arguments: &[Datum],
    mut put: impl FnMut(&[f64], &mut DynamicBuilder),
) -> Result<ArrayRef> {
    let series = Dynamics::new(argument(arguments, 0)?)?;
    Ok(dynamics(call.rows, |row, builder| match reals_of(series.get(row)) {
        Some(values) if !values.is_empty() && values.iter().all(|value| value.is_finite()) => {
            put(&values, builder);
            true
        }
        _ => false,
    }))
}

fn put_bag(builder: &mut DynamicBuilder, properties: &[(&str, f64)]) {
    for (key, value) in properties {
        builder.key(key);
        builder.real(*value);
    }
}

pub fn line_tuple(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    each(call, arguments, |values, builder| {
        let line = fit(values);
        builder.begin_array();
        for value in [line.rsquare, line.slope, line.variance, line.rvariance, line.interception] {
            builder.real(value);
        }
        put_reals(builder, &line.points(values.len()).collect::<Vec<_>>());
        builder.end_array();
    })
}

pub fn line_bag(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    each(call, arguments, |values, builder| {
        let line = fit(values);
        builder.begin_object();
        put_bag(
            builder,
            &[
                ("rsquare", line.rsquare),
                ("slope", line.slope),
                ("variance", line.variance),
                ("rvariance", line.rvariance),
                ("interception", line.interception),
            ],
        );
        builder.key("line_fit");
        put_reals(builder, &line.points(values.len()).collect::<Vec<_>>());
        builder.end_object();
    })
}

struct TwoLines {
    rsquare: f64,
    split: usize,
    variance: f64,
    rvariance: f64,
    left: Line,
    right: Line,
    points: Vec<f64>,
}

/// The split with the least residual; both sides have at least two values where there are enough.
fn fit_two(values: &[f64]) -> TwoLines {
    let whole = fit(values);
    let degrees = (values.len() as f64 - 1.0).max(1.0);
    let residual = |line: &Line, count: usize| line.rvariance * (count as f64 - 1.0).max(1.0);
    let mut best: Option<(f64, usize, Line, Line)> = None;
    for split in 2..values.len().saturating_sub(1) {
        let (left, right) = (fit(&values[..split]), fit(&values[split..]));
        let sum = residual(&left, split) + residual(&right, values.len() - split);
        if best.as_ref().is_none_or(|(least, ..)| sum < *least) {
            best = Some((sum, split, left, right));
        }
    }
    let (sum, split, left, right) = best
        .unwrap_or_else(|| (residual(&whole, values.len()), values.len(), fit(values), fit(&values[..0])));
    let points = left.points(split).chain(right.points(values.len() - split)).collect();
    let rvariance = sum / degrees;
    let rsquare = if whole.variance > 0.0 { 1.0 - rvariance / whole.variance } else { 0.0 };
    TwoLines { rsquare, split, variance: whole.variance, rvariance, left, right, points }
}

pub fn two_lines_tuple(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    each(call, arguments, |values, builder| {
        let fit = fit_two(values);
        builder.begin_array();
        builder.real(fit.rsquare);
        builder.long(fit.split as i64);
        builder.real(fit.variance);
        builder.real(fit.rvariance);
        put_reals(builder, &fit.points);
        for line in [&fit.right, &fit.left] {
            for value in [line.rsquare, line.slope, line.interception, line.variance, line.rvariance] {
                builder.real(value);
            }
        }
        builder.end_array();
    })
}

pub fn two_lines_bag(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    each(call, arguments, |values, builder| {
        let fit = fit_two(values);
        builder.begin_object();
        builder.key("rsquare");
        builder.real(fit.rsquare);
        builder.key("split_idx");
        builder.long(fit.split as i64);
        put_bag(builder, &[("variance", fit.variance), ("rvariance", fit.rvariance)]);
        builder.key("line_fit");
        put_reals(builder, &fit.points);
        for (side, line) in [("right", &fit.right), ("left", &fit.left)] {
            builder.key(side);
            builder.begin_object();
            put_bag(
                builder,
                &[
                    ("rsquare", line.rsquare),
                    ("slope", line.slope),
                    ("interception", line.interception),
                    ("variance", line.variance),
                    ("rvariance", line.rvariance),
                ],
            );
            builder.end_object();
        }
        builder.end_object();
    })
}
