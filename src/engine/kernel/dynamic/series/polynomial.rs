//! `series_fit_poly`: the polynomial that fits a series best by least squares, over given positions or 1, 2, 3 ….
//!
//! The positions are brought to -1..1 and the system is solved by reflections (Householder), which keeps high degrees
//! stable; the coefficients are then those of the given positions.

use arrow_array::ArrayRef;

use super::{put_reals, reals_of};
use crate::engine::error::Result;
use crate::engine::kernel::access::{Dynamics, Longs, argument, dynamics};
use crate::engine::kernel::{Datum, KernelCall};

/// No polynomial of a higher degree is fitted.
const DEGREE_MAX: i64 = 64;

struct Polynomial {
    rsquare: f64,
    /// The highest power first.
    coefficients: Vec<f64>,
    variance: f64,
    rvariance: f64,
    points: Vec<f64>,
}

/// The least-squares solution of rows × columns, column by column; columns that others make up get 0.
fn solve(mut columns: Vec<Vec<f64>>, mut target: Vec<f64>) -> Vec<f64> {
    let rows = target.len();
    let count = columns.len();
    let mut diagonal = vec![0.0; count];
    for step in 0..count.min(rows) {
        let whole = columns[step].iter().map(|value| value * value).sum::<f64>().sqrt();
        let norm = columns[step][step..].iter().map(|value| value * value).sum::<f64>().sqrt();
        if norm <= whole * 1e-12 {
            continue;
        }
        let alpha = if columns[step][step] > 0.0 { -norm } else { norm };
        let mut reflector = columns[step][step..].to_vec();
        reflector[0] -= alpha;
        let length: f64 = reflector.iter().map(|value| value * value).sum();
        let reflect = |values: &mut [f64]| {
            let dot: f64 = reflector.iter().zip(&*values).map(|(left, right)| left * right).sum();
            for (value, part) in values.iter_mut().zip(&reflector) {
                *value -= 2.0 * dot / length * part;
            }
        };
        for column in columns.iter_mut().skip(step) {
            reflect(&mut column[step..]);
        }
        reflect(&mut target[step..]);
        diagonal[step] = alpha;
    }
    let mut solution = vec![0.0; count];
    for step in (0..count.min(rows)).rev() {
        if diagonal[step] == 0.0 {
            continue;
        }
        let rest: f64 = (step + 1..count).map(|later| columns[later][step] * solution[later]).sum();
        solution[step] = (target[step] - rest) / diagonal[step];
    }
    solution
}

fn fit(xs: &[f64], ys: &[f64], degree: usize) -> Polynomial {
    let count = ys.len();
    let (least, most) =
        xs.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), x| (least.min(*x), most.max(*x)));
    let middle = least / 2.0 + most / 2.0;
    let reach = if most > least { (most - least) / 2.0 } else { 1.0 };
    let scaled: Vec<f64> = xs.iter().map(|x| (x - middle) / reach).collect();
    let columns: Vec<Vec<f64>> =
        (0..=degree).map(|power| scaled.iter().map(|x| x.powi(power as i32)).collect()).collect();
    let solution = solve(columns, ys.to_vec());
    let at = |x: f64| solution.iter().rev().fold(0.0, |sum, coefficient| sum * x + coefficient);
    let points: Vec<f64> = scaled.iter().map(|x| at(*x)).collect();
    // The same polynomial of x: t = slope · x + shift is put in, the highest power first.
    let (slope, shift) = (1.0 / reach, -middle / reach);
    let mut coefficients: Vec<f64> = Vec::with_capacity(degree + 1);
    for coefficient in solution.iter().rev() {
        let mut next = vec![0.0; coefficients.len() + 1];
        for (place, value) in coefficients.iter().enumerate() {
            next[place] += value * slope;
            next[place + 1] += value * shift;
        }
        if let Some(last) = next.last_mut() {
            *last += coefficient;
        }
        coefficients = next;
    }
    let degrees = (count as f64 - 1.0).max(1.0);
    let mean = ys.iter().sum::<f64>() / count as f64;
    let variance = ys.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / degrees;
    let rvariance = ys.iter().zip(&points).map(|(y, point)| (y - point).powi(2)).sum::<f64>() / degrees;
    let rsquare = if variance > 0.0 { 1.0 - rvariance / variance } else { 0.0 };
    Polynomial { rsquare, coefficients, variance, rvariance, points }
}

/// `series_fit_poly(y, x, degree)`; null unless both are as many finite numbers.
pub fn tuple(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let ys = Dynamics::new(argument(arguments, 0)?)?;
    let xs = arguments.get(1).map(Dynamics::new).transpose()?;
    let degrees = arguments.get(2).map(Longs::new).transpose()?;
    let finite = |values: &Vec<f64>| !values.is_empty() && values.iter().all(|value| value.is_finite());
    Ok(dynamics(call.rows, |row, builder| {
        let Some(ys) = reals_of(ys.get(row)).filter(finite) else { return false };
        let xs = match &xs {
            Some(xs) if !xs.get(row).is_null() => reals_of(xs.get(row)).filter(finite),
            _ => Some((1..=ys.len()).map(|x| x as f64).collect()),
        };
        let degree = degrees.as_ref().map_or(Some(1), |degrees| degrees.get(row));
        let (Some(xs), Some(degree @ 0..=DEGREE_MAX)) = (xs, degree) else { return false };
        if xs.len() != ys.len() {
            return false;
        }
        let fit = fit(&xs, &ys, degree as usize);
        builder.begin_array();
        builder.real(fit.rsquare);
        put_reals(builder, &fit.coefficients);
        builder.real(fit.variance);
        builder.real(fit.rvariance);
        put_reals(builder, &fit.points);
        builder.end_array();
        true
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_polynomial_that_made_the_values() {
        let xs: Vec<f64> = (0..200).map(|place| place as f64 / 40.0 - 2.3).collect();
        let ys: Vec<f64> = xs.iter().map(|x| x.powi(5) - 8.0 * x.powi(3) + 10.0 * x + 6.0).collect();
        let found = fit(&xs, &ys, 5);
        for (found, expected) in found.coefficients.iter().zip([1.0, 0.0, -8.0, 0.0, 10.0, 6.0]) {
            assert!((found - expected).abs() < 1e-8, "{found} {expected}");
        }
        assert!(found.rsquare > 1.0 - 1e-12);
        // More coefficients than points, and points that are all the same.
        assert_eq!(fit(&[1.0, 2.0], &[3.0, 5.0], 4).points.len(), 2);
        let flat = fit(&[1.0, 1.0, 1.0], &[3.0, 4.0, 5.0], 2);
        assert!((flat.points[0] - 4.0).abs() < 1e-9);
    }
}
