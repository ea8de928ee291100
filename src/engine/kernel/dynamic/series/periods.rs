//! Periods of a series: `series_periods_detect`, `series_periods_validate`.
//!
//! A series is compared with itself turned by a lag (circular autocorrelation, by Fourier transforms). The score of a
//! lag is where its correlation lies between the lowest one, 0, and that of no lag, 1. A lag is a period if no lag
//! from half of it to one and a half of it correlates better.

use arrow_array::ArrayRef;
use conshelf_storage::DynamicBuilder;

use super::fourier::transform;
use super::{put_reals, reals_of};
use crate::engine::error::Result;
use crate::engine::kernel::access::{Dynamics, Longs, Reals, argument, dynamics};
use crate::engine::kernel::{Datum, KernelCall};

/// The shortest period.
const PERIOD_MIN: usize = 4;

/// The most periods that are asked for at once.
const PERIODS_MAX: i64 = 10_000;

/// The score of each lag up to half of the series; nothing for a series that does not vary.
fn scores(values: &[f64]) -> Vec<f64> {
    let count = values.len();
    let mean = values.iter().sum::<f64>() / count.max(1) as f64;
    let centred: Vec<(f64, f64)> = values.iter().map(|value| (value - mean, 0.0)).collect();
    let power: Vec<(f64, f64)> = transform(&centred, -1.0)
        .iter()
        .map(|(real, imaginary)| (real * real + imaginary * imaginary, 0.0))
        .collect();
    let correlations: Vec<f64> = transform(&power, 1.0).iter().map(|(real, _)| *real).collect();
    let whole = correlations.first().copied().unwrap_or(0.0);
    let half = &correlations[..(count / 2 + 1).min(count)];
    let least = half.iter().copied().fold(f64::INFINITY, f64::min);
    if !(whole - least).is_finite() || whole - least <= f64::EPSILON * whole.abs() || whole <= 0.0 {
        return Vec::new();
    }
    half.iter().map(|correlation| (correlation - least) / (whole - least)).collect()
}

/// The score of a lag if it is a period.
fn score_of(scores: &[f64], period: usize) -> Option<f64> {
    if period < PERIOD_MIN || period >= scores.len() {
        return None;
    }
    let score = scores[period];
    let around = period / 2..(period + period / 2 + 1).min(scores.len());
    let best = scores[around].iter().all(|other| *other <= score + 1e-12);
    (best && score > 0.0).then_some(score)
}

/// Periods with their scores, the best first. Multiples of a period that do no better than it are left out.
fn detect(values: &[f64], least: f64, most: f64) -> Vec<(usize, f64)> {
    let scores = scores(values);
    let mut found: Vec<(usize, f64)> = Vec::new();
    for period in PERIOD_MIN..scores.len() {
        let Some(score) = score_of(&scores, period) else { continue };
        let repeats = found.iter().any(|(shorter, other)| period % shorter == 0 && score <= other + 1e-9);
        if !repeats {
            found.push((period, score));
        }
    }
    found.retain(|(period, _)| (least..=most).contains(&(*period as f64)));
    found.sort_by(|left, right| right.1.total_cmp(&left.1));
    found
}

/// The best period of a series, if its score reaches the threshold.
pub fn best_period(values: &[f64], threshold: f64) -> Option<usize> {
    let (period, score) = detect(values, 0.0, f64::INFINITY).into_iter().next()?;
    (score >= threshold).then_some(period)
}

fn is_regular(values: &[f64]) -> bool {
    !values.is_empty() && values.iter().all(|value| value.is_finite())
}

fn put_pair(builder: &mut DynamicBuilder, periods: &[f64], scores: &[f64]) {
    builder.begin_array();
    put_reals(builder, periods);
    put_reals(builder, scores);
    builder.end_array();
}

/// `series_periods_detect(series, least, most, how many)`.
pub fn detected(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let series = Dynamics::new(argument(arguments, 0)?)?;
    let (least, most) = (Reals::new(argument(arguments, 1)?)?, Reals::new(argument(arguments, 2)?)?);
    let counts = Longs::new(argument(arguments, 3)?)?;
    Ok(dynamics(call.rows, |row, builder| {
        let (Some(values), Some(least), Some(most), Some(count)) =
            (reals_of(series.get(row)), least.get(row), most.get(row), counts.get(row))
        else {
            return false;
        };
        if !is_regular(&values) {
            return false;
        }
        let count = count.clamp(0, PERIODS_MAX) as usize;
        let mut found = detect(&values, least, most);
        found.resize(count, (0, 0.0));
        let periods: Vec<f64> = found.iter().map(|(period, _)| *period as f64).collect();
        let scores: Vec<f64> = found.iter().map(|(_, score)| *score).collect();
        put_pair(builder, &periods, &scores);
        true
    }))
}

/// `series_periods_validate(series, period, …)`.
pub fn validated(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let series = Dynamics::new(argument(arguments, 0)?)?;
    let periods = arguments.iter().skip(1).map(Reals::new).collect::<Result<Vec<_>>>()?;
    Ok(dynamics(call.rows, |row, builder| {
        let Some(values) = reals_of(series.get(row)).filter(|values| is_regular(values)) else {
            return false;
        };
        let scores = scores(&values);
        let periods: Vec<f64> = periods.iter().map(|period| period.get(row).unwrap_or(f64::NAN)).collect();
        let found: Vec<f64> = periods
            .iter()
            .map(|period| match *period >= 0.0 && *period <= values.len() as f64 {
                true => score_of(&scores, period.round() as usize).unwrap_or(0.0),
                false => 0.0,
            })
            .collect();
        put_pair(builder, &periods, &found);
        true
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two weeks and a half of days with 12 values, higher at weekends.
    fn weeks() -> Vec<f64> {
        let day = |hour: usize| (hour as f64 / 12.0 * std::f64::consts::TAU).sin();
        (0..12 * 7 * 5).map(|hour| day(hour) * 10.0 + if hour / 12 % 7 > 4 { 8.0 } else { 0.0 }).collect()
    }

    #[test]
    fn periods_and_their_multiples() {
        let found: Vec<usize> = detect(&weeks(), 0.0, 1_000.0).iter().map(|(period, _)| *period).collect();
        assert_eq!(found, [84, 12]);
        assert_eq!(best_period(&weeks(), 0.6), Some(84));
        assert_eq!(detect(&[1.0; 50], 0.0, 25.0), []);
        let days: Vec<usize> = detect(&weeks(), 10.0, 20.0).iter().map(|(period, _)| *period).collect();
        assert_eq!(days, [12]);
    }
}
