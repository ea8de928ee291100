//! Digital filters: finite and infinite impulse response.

use arrow_array::ArrayRef;

use super::{put_reals, reals_of};
use crate::engine::error::Result;
use crate::engine::kernel::access::{Bools, Dynamics, argument, dynamics};
use crate::engine::kernel::{Datum, KernelCall};

/// The values before the start of a series count as zero. By default the filter is normalised unless it has
/// a negative coefficient, and looks back only.
pub fn fir(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let series = Dynamics::new(argument(arguments, 0)?)?;
    let filters = Dynamics::new(argument(arguments, 1)?)?;
    let normalized = arguments.get(2).map(Bools::new).transpose()?;
    let centered = arguments.get(3).map(Bools::new).transpose()?;
    Ok(dynamics(call.rows, |row, builder| {
        let (Some(values), Some(mut filter)) = (reals_of(series.get(row)), reals_of(filters.get(row))) else {
            return false;
        };
        let has_negative = filter.iter().any(|coefficient| *coefficient < 0.0);
        let normalize = normalized.as_ref().and_then(|flag| flag.get(row)).unwrap_or(!has_negative);
        if normalize {
            if has_negative {
                return false;
            }
            let sum: f64 = filter.iter().sum();
            filter.iter_mut().for_each(|coefficient| *coefficient /= sum);
        }
        let center = centered.as_ref().and_then(|flag| flag.get(row)).unwrap_or(false);
        let ahead = if center { filter.len() / 2 } else { 0 };
        let filtered: Vec<f64> = (0..values.len())
            .map(|position| {
                let terms = filter.iter().enumerate().filter_map(|(back, coefficient)| {
                    let at = (position + ahead).checked_sub(back)?;
                    Some(coefficient * values.get(at)?)
                });
                terms.sum()
            })
            .collect();
        put_reals(builder, &filtered);
        true
    }))
}

pub fn iir(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let series = Dynamics::new(argument(arguments, 0)?)?;
    let numerators = Dynamics::new(argument(arguments, 1)?)?;
    let denominators = Dynamics::new(argument(arguments, 2)?)?;
    Ok(dynamics(call.rows, |row, builder| {
        let (Some(values), Some(numerators), Some(denominators)) =
            (reals_of(series.get(row)), reals_of(numerators.get(row)), reals_of(denominators.get(row)))
        else {
            return false;
        };
        let Some((first, feedback)) = denominators.split_first() else { return false };
        let mut filtered: Vec<f64> = Vec::with_capacity(values.len());
        for position in 0..values.len() {
            let back = |values: &[f64], distance: usize| {
                position.checked_sub(distance).and_then(|at| values.get(at).copied()).unwrap_or(0.0)
            };
            let forward = numerators.iter().enumerate().map(|(i, b)| b * back(&values, i));
            let backward = feedback.iter().enumerate().map(|(i, a)| a * back(&filtered, i + 1));
            let value = (forward.sum::<f64>() - backward.sum::<f64>()) / first;
            filtered.push(value);
        }
        put_reals(builder, &filtered);
        true
    }))
}
