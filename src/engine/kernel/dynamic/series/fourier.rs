//! The discrete Fourier transform of a series of any length: radix 2, and Bluestein's algorithm for lengths
//! that are no power of two.

use std::f64::consts::TAU;

use arrow_array::ArrayRef;

use super::{put_reals, reals_of};
use crate::engine::error::Result;
use crate::engine::kernel::access::{Dynamics, argument, dynamics};
use crate::engine::kernel::{Datum, KernelCall};

/// Real and imaginary part.
pub type Complex = (f64, f64);

fn times(left: Complex, right: Complex) -> Complex {
    (left.0 * right.0 - left.1 * right.1, left.0 * right.1 + left.1 * right.0)
}

fn turn(fraction: f64) -> Complex {
    let angle = TAU * fraction;
    (angle.cos(), angle.sin())
}

/// In place; the length is a power of two. `sign` is -1 forwards and 1 backwards, without scaling.
fn radix_two(values: &mut [Complex], sign: f64) {
    let length = values.len();
    let mut target = 0;
    for position in 1..length {
        let mut bit = length >> 1;
        while target & bit != 0 {
            target ^= bit;
            bit >>= 1;
        }
        target |= bit;
        if position < target {
            values.swap(position, target);
        }
    }
    let mut size = 2;
    while size <= length {
        let twiddles: Vec<Complex> = (0..size / 2).map(|k| turn(sign * k as f64 / size as f64)).collect();
        for block in values.chunks_exact_mut(size) {
            let (even, odd) = block.split_at_mut(size / 2);
            for ((even, odd), twiddle) in even.iter_mut().zip(odd).zip(&twiddles) {
                let turned = times(*odd, *twiddle);
                *odd = (even.0 - turned.0, even.1 - turned.1);
                *even = (even.0 + turned.0, even.1 + turned.1);
            }
        }
        size *= 2;
    }
}

/// The transform of values of any length, without scaling.
pub fn transform(values: &[Complex], sign: f64) -> Vec<Complex> {
    let length = values.len();
    if length.is_power_of_two() {
        let mut values = values.to_vec();
        radix_two(&mut values, sign);
        return values;
    }
    if length == 0 {
        return Vec::new();
    }
    // The angle of k² modulo a whole turn, from an exact remainder.
    let chirp: Vec<Complex> = (0..length)
        .map(|k| {
            let square = (k as u128 * k as u128) % (2 * length as u128);
            turn(sign * square as f64 / (2.0 * length as f64))
        })
        .collect();
    let padded = (2 * length - 1).next_power_of_two();
    let (mut left, mut right) = (vec![(0.0, 0.0); padded], vec![(0.0, 0.0); padded]);
    for k in 0..length {
        left[k] = times(values[k], chirp[k]);
        let conjugate = (chirp[k].0, -chirp[k].1);
        right[k] = conjugate;
        right[(padded - k) % padded] = conjugate;
    }
    radix_two(&mut left, -1.0);
    radix_two(&mut right, -1.0);
    for (left, right) in left.iter_mut().zip(&right) {
        *left = times(*left, *right);
    }
    radix_two(&mut left, 1.0);
    let scale = padded as f64;
    (0..length).map(|k| times((left[k].0 / scale, left[k].1 / scale), chirp[k])).collect()
}

fn run(call: &KernelCall<'_>, arguments: &[Datum], inverse: bool) -> Result<ArrayRef> {
    let reals = Dynamics::new(argument(arguments, 0)?)?;
    let imaginaries = arguments.get(1).map(Dynamics::new).transpose()?;
    Ok(dynamics(call.rows, |row, builder| {
        let Some(reals) = reals_of(reals.get(row)) else { return false };
        let imaginary = match &imaginaries {
            Some(values) => reals_of(values.get(row)),
            None => Some(vec![0.0; reals.len()]),
        };
        let Some(imaginary) = imaginary.filter(|values| values.len() == reals.len()) else { return false };
        let values: Vec<Complex> = reals.into_iter().zip(imaginary).collect();
        let mut result = transform(&values, if inverse { 1.0 } else { -1.0 });
        if inverse {
            let scale = result.len() as f64;
            result.iter_mut().for_each(|value| *value = (value.0 / scale, value.1 / scale));
        }
        let (real, imaginary): (Vec<f64>, Vec<f64>) = result.into_iter().unzip();
        builder.begin_array();
        put_reals(builder, &real);
        put_reals(builder, &imaginary);
        builder.end_array();
        true
    }))
}

/// An array of the real and the imaginary part.
pub fn fft(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    run(call, arguments, false)
}

pub fn ifft(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    run(call, arguments, true)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_length_follows_the_definition(values in prop::collection::vec((-9.0f64..9.0, -9.0f64..9.0), 1..40)) {
            let found = transform(&values, -1.0);
            for (k, found) in found.iter().enumerate() {
                let model = values.iter().enumerate().fold((0.0, 0.0), |sum: Complex, (n, value)| {
                    let term = times(*value, turn(-((k * n % values.len()) as f64) / values.len() as f64));
                    (sum.0 + term.0, sum.1 + term.1)
                });
                prop_assert!((found.0 - model.0).abs() < 1e-9 && (found.1 - model.1).abs() < 1e-9);
            }
        }
    }
}
