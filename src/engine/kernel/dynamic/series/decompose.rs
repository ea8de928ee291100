//! Taking a series apart into season, trend and rest; anomalies in the rest; forecasts from the others.
//!
//! The season is the median of the values at one phase, the trend the mean or the line of what is left
//! (reference: series_decompose). Where the period is to be found by the function itself, it is the shortest
//! one whose autocorrelation is a peak nearly as high as the highest; it must reach the threshold.

use arrow_array::ArrayRef;
use conshelf_storage::DynamicBuilder;

use super::periods::best_period;
use super::reals_of;
use super::stats::outlier_scores;
use crate::engine::error::Result;
use crate::engine::kernel::access::{Dynamics, Longs, Reals, Texts, argument, dynamics};
use crate::engine::kernel::{Datum, KernelCall};

/// A series must have this many values for a period to be looked for, and a period this many.
const MIN_LENGTH: usize = 16;

/// The mean of the finite values.
fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for value in values.filter(|value| value.is_finite()) {
        sum += value;
        count += 1.0;
    }
    if count > 0.0 { sum / count } else { 0.0 }
}

/// Slope and height at position 0 of the line through the finite values.
fn line(values: &[f64]) -> (f64, f64) {
    let points = || values.iter().enumerate().filter(|(_, value)| value.is_finite());
    let (mean_x, mean_y) = (mean(points().map(|(x, _)| x as f64)), mean(points().map(|(_, y)| *y)));
    let (mut cross, mut squares) = (0.0, 0.0);
    for (x, y) in points() {
        cross += (x as f64 - mean_x) * (y - mean_y);
        squares += (x as f64 - mean_x).powi(2);
    }
    let slope = if squares > 0.0 { cross / squares } else { 0.0 };
    (slope, mean_y - slope * mean_x)
}

/// The period of a series if its score reaches the threshold (reference: series_periods_detect).
fn find_period(values: &[f64], threshold: f64) -> Option<usize> {
    if values.len() < MIN_LENGTH {
        return None;
    }
    let (slope, height) = line(values);
    let flat: Vec<f64> = values
        .iter()
        .enumerate()
        .map(|(x, y)| if y.is_finite() { y - slope * x as f64 - height } else { 0.0 })
        .collect();
    best_period(&flat, threshold)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        count if count % 2 == 1 => values[count / 2],
        count => (values[count / 2 - 1] + values[count / 2]) / 2.0,
    }
}

/// The season of the learned part, continued over the whole length; zeros without a period.
fn seasonal_of(learned: &[f64], length: usize, period: Option<usize>) -> Vec<f64> {
    let Some(period) = period.filter(|period| *period > 0 && *period <= learned.len()) else {
        return vec![0.0; length];
    };
    let phases: Vec<f64> = (0..period)
        .map(|phase| {
            let values = learned.iter().skip(phase).step_by(period).copied();
            median(&mut values.filter(|value| value.is_finite()).collect::<Vec<_>>())
        })
        .collect();
    (0..length).map(|position| phases[position % period]).collect()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trend {
    Average,
    Line,
    None,
}

impl Trend {
    fn named(name: &str) -> Option<Trend> {
        Some(match name.to_ascii_lowercase().as_str() {
            "avg" => Trend::Average,
            "linefit" => Trend::Line,
            "none" => Trend::None,
            _ => return None,
        })
    }
}

struct Settings {
    /// -1: to be found; 0: none.
    seasonality: i64,
    trend: Trend,
    test_points: usize,
    threshold: f64,
}

impl Settings {
    fn period(&self, learned: &[f64]) -> Option<usize> {
        match self.seasonality {
            0 => None,
            period if period > 0 => usize::try_from(period).ok(),
            _ => find_period(learned, self.threshold),
        }
    }
}

struct Parts {
    baseline: Vec<f64>,
    seasonal: Vec<f64>,
    trend: Vec<f64>,
    residual: Vec<f64>,
}

fn decompose(values: &[f64], settings: &Settings) -> Parts {
    let learned = &values[..values.len().saturating_sub(settings.test_points)];
    let seasonal = seasonal_of(learned, values.len(), settings.period(learned));
    let rest: Vec<f64> = learned.iter().zip(&seasonal).map(|(value, season)| value - season).collect();
    let (slope, height) = match settings.trend {
        Trend::Average => (0.0, mean(rest.iter().copied())),
        Trend::Line => line(&rest),
        Trend::None => (0.0, 0.0),
    };
    let trend: Vec<f64> = (0..values.len()).map(|position| slope * position as f64 + height).collect();
    let baseline: Vec<f64> = seasonal.iter().zip(&trend).map(|(season, trend)| season + trend).collect();
    let residual = values.iter().zip(&baseline).map(|(value, baseline)| value - baseline).collect();
    Parts { baseline, seasonal, trend, residual }
}

/// Reals, null where there is no number.
fn put(builder: &mut DynamicBuilder, values: &[f64]) {
    builder.begin_array();
    for value in values {
        if value.is_nan() { builder.null() } else { builder.real(*value) }
    }
    builder.end_array();
}

/// The optional arguments of the family, each at its position.
struct Options<'a> {
    seasonality: Option<Longs<'a>>,
    trend: Option<Texts<'a>>,
    test_points: Option<Longs<'a>>,
    threshold: Option<Reals<'a>>,
}

impl<'a> Options<'a> {
    fn new(arguments: &'a [Datum], positions: [Option<usize>; 4]) -> Result<Options<'a>> {
        let at = |position: Option<usize>| position.and_then(|position| arguments.get(position));
        Ok(Options {
            seasonality: at(positions[0]).map(Longs::new).transpose()?,
            trend: at(positions[1]).map(Texts::new).transpose()?,
            test_points: at(positions[2]).map(Longs::new).transpose()?,
            threshold: at(positions[3]).map(Reals::new).transpose()?,
        })
    }

    /// `None` for a trend that is not known.
    fn settings(&self, row: usize, trend: Trend, threshold: f64) -> Option<Settings> {
        let points = self.test_points.as_ref().and_then(|points| points.get(row)).unwrap_or(0);
        Some(Settings {
            seasonality: self.seasonality.as_ref().and_then(|values| values.get(row)).unwrap_or(-1),
            trend: self.trend.as_ref().map_or(Some(trend), |names| Trend::named(names.get(row)))?,
            test_points: usize::try_from(points).unwrap_or(0),
            threshold: self.threshold.as_ref().and_then(|values| values.get(row)).unwrap_or(threshold),
        })
    }
}

fn decomposed(
    call: &KernelCall<'_>,
    arguments: &[Datum],
    options: &Options<'_>,
    trend: Trend,
) -> Result<ArrayRef> {
    let series = Dynamics::new(argument(arguments, 0)?)?;
    Ok(dynamics(call.rows, |row, builder| {
        let settings = options.settings(row, trend, 0.6);
        let (Some(values), Some(settings)) = (reals_of(series.get(row)), settings) else { return false };
        let parts = decompose(&values, &settings);
        builder.begin_array();
        for part in [&parts.baseline, &parts.seasonal, &parts.trend, &parts.residual] {
            put(builder, part);
        }
        builder.end_array();
        true
    }))
}

/// `series_decompose(series, seasonality, trend, test points, threshold)`.
pub fn parts(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let options = Options::new(arguments, [Some(1), Some(2), Some(3), Some(4)])?;
    decomposed(call, arguments, &options, Trend::Average)
}

/// `series_decompose_forecast(series, points, seasonality, trend, threshold)`.
pub fn forecast(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let options = Options::new(arguments, [Some(2), Some(3), Some(1), Some(4)])?;
    decomposed(call, arguments, &options, Trend::Line)
}

/// `series_decompose_anomalies(series, threshold, seasonality, trend, test points, method, threshold of the
/// season)`.
pub fn anomalies(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let series = Dynamics::new(argument(arguments, 0)?)?;
    let thresholds = arguments.get(1).map(Reals::new).transpose()?;
    let options = Options::new(arguments, [Some(2), Some(3), Some(4), Some(6)])?;
    let methods = arguments.get(5).map(Texts::new).transpose()?;
    Ok(dynamics(call.rows, |row, builder| {
        let settings = options.settings(row, Trend::Average, 0.6);
        let (Some(values), Some(settings)) = (reals_of(series.get(row)), settings) else { return false };
        let threshold = thresholds.as_ref().and_then(|values| values.get(row)).unwrap_or(1.5);
        let plain = methods.as_ref().is_some_and(|names| names.get(row).eq_ignore_ascii_case("tukey"));
        let bounds = if plain { (25.0, 75.0) } else { (10.0, 90.0) };
        let parts = decompose(&values, &settings);
        let residual: Vec<Option<f64>> =
            parts.residual.iter().map(|value| value.is_finite().then_some(*value)).collect();
        let scores = outlier_scores(&residual, bounds);
        builder.begin_array();
        builder.begin_array();
        for score in &scores {
            builder.long(if *score > threshold {
                1
            } else if *score < -threshold {
                -1
            } else {
                0
            });
        }
        builder.end_array();
        put(builder, &scores);
        put(builder, &parts.baseline);
        builder.end_array();
        true
    }))
}

/// `series_seasonal(series, period, test points)`.
pub fn seasonal(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let series = Dynamics::new(argument(arguments, 0)?)?;
    let options = Options::new(arguments, [Some(1), None, Some(2), None])?;
    Ok(dynamics(call.rows, |row, builder| {
        let settings = options.settings(row, Trend::None, 0.7);
        let (Some(values), Some(settings)) = (reals_of(series.get(row)), settings) else { return false };
        let learned = &values[..values.len().saturating_sub(settings.test_points)];
        put(builder, &seasonal_of(learned, values.len(), settings.period(learned)));
        true
    }))
}
