//! Doubles that are really decimals (prices, durations, percentages) as integers.
//!
//! After "ALP: Adaptive Lossless floating-Point Compression" (Afroozeh, Kuffo, Boncz, 2023): a value times
//! `10^e`, times `10^-f`, rounds to an integer; where multiplying back gives the same bits the integer
//! stands for the value, elsewhere the value is kept aside as an exception. One `(e, f)` a chunk, found on
//! a sample; the integers are a node of their own.

use super::input::{Decoded, Input, Malformed, put_part};
use super::{bit_packing, integer};
use crate::format::encoding_tag as tag;

const POWERS: [f64; 19] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18];
const INVERSES: [f64; 19] = [
    1e0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15,
    1e-16, 1e-17, 1e-18,
];

/// Adding and subtracting this rounds a double below 2^51 to a whole number.
const ROUNDER: f64 = 6_755_399_441_055_744.0;

/// Values looked at to find the exponents.
const SAMPLE: usize = 256;
/// Bits that an exception costs.
const MISS_BITS: u64 = 96;

/// The two exponents of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exponents {
    pub e: u8,
    pub f: u8,
}

impl Exponents {
    #[inline(always)]
    pub fn to_integer(self, value: f64) -> i64 {
        let scaled = value * POWERS[self.e as usize] * INVERSES[self.f as usize];
        ((scaled + ROUNDER) - ROUNDER) as i64
    }

    #[inline(always)]
    pub fn to_real(self, integer: i64) -> f64 {
        self.scaled(integer as f64)
    }

    #[inline(always)]
    fn scaled(self, integer: f64) -> f64 {
        integer * POWERS[self.f as usize] * INVERSES[self.e as usize]
    }

    #[inline(always)]
    fn is_exact(self, value: f64, integer: i64) -> bool {
        self.to_real(integer).to_bits() == value.to_bits()
    }
}

/// The exponents that suit most of a sample, or `None` where too few values are decimals.
pub(crate) fn find(values: &[f64]) -> Option<Exponents> {
    let step = (values.len() / SAMPLE).max(1);
    let sample: Vec<f64> = values.iter().step_by(step).take(SAMPLE).copied().collect();
    // `None`: more than the limit.
    let cost = |exponents: Exponents, limit: u64| {
        let (mut misses, mut min, mut max) = (0u64, i64::MAX, i64::MIN);
        for value in &sample {
            let integer = exponents.to_integer(*value);
            if exponents.is_exact(*value, integer) {
                min = min.min(integer);
                max = max.max(integer);
            } else {
                misses += 1;
                if misses * MISS_BITS >= limit {
                    return None;
                }
            }
        }
        let width = if min > max { 0 } else { u64::from(bit_packing::bits(max.wrapping_sub(min) as u64)) };
        Some(misses * MISS_BITS + width * (sample.len() as u64 - misses))
    };
    // More than that is not worth it.
    let mut least = sample.len() as u64 * 48;
    let mut best = None;
    for e in 0..=18u8 {
        for f in 0..=e {
            let exponents = Exponents { e, f };
            if let Some(found) = cost(exponents, least)
                && found < least
            {
                (least, best) = (found, Some(exponents));
            }
        }
    }
    best
}

/// Values as integers, and the values that have none.
pub(crate) struct Converted {
    pub exponents: Exponents,
    pub integers: Vec<i64>,
    /// Position and value of each exception, ascending.
    pub exceptions: Vec<(u32, f64)>,
}

/// Converts all values.
pub(crate) fn convert(values: &[f64], exponents: Exponents) -> Converted {
    let mut integers: Vec<i64> = Vec::with_capacity(values.len());
    let mut exceptions = Vec::new();
    for (row, value) in values.iter().enumerate() {
        let integer = exponents.to_integer(*value);
        if exponents.is_exact(*value, integer) {
            integers.push(integer);
        } else {
            exceptions.push((row as u32, *value));
            // The neighbour's value does not widen the block.
            integers.push(integers.last().copied().unwrap_or(0));
        }
    }
    Converted { exponents, integers, exceptions }
}

/// Writes the exponents, the node of the integers, then positions and bits of the exceptions.
pub(crate) fn encode(
    exponents: Exponents,
    exceptions: &[(u32, f64)],
    out: &mut Vec<u8>,
    integers: impl FnOnce(&mut Vec<u8>),
) {
    out.extend_from_slice(&[tag::ALP, exponents.e, exponents.f]);
    put_part(out, integers);
    out.extend_from_slice(&(exceptions.len() as u32).to_le_bytes());
    for (position, _) in exceptions {
        out.extend_from_slice(&position.to_le_bytes());
    }
    for (_, value) in exceptions {
        out.extend_from_slice(&value.to_le_bytes());
    }
}

/// The values without their exceptions. Bit-packed integers, the usual ones, become doubles block by block.
fn decode_reals(exponents: Exponents, node: Input<'_>, rows: usize) -> Decoded<Vec<f64>> {
    let mut body = node;
    if body.u8()? != tag::BIT_PACKED {
        let integers: Vec<i64> = integer::decode(node, rows, 1)?;
        return Ok(integers.iter().map(|integer| exponents.to_real(*integer)).collect());
    }
    let mut out = Vec::with_capacity(rows);
    bit_packing::decode_blocks(body, rows, |block| {
        let (reference, scale) = (block.reference, block.scale);
        if scale == 1 && block.width < 50 && reference.unsigned_abs() < 1 << 50 {
            let integers = block.differences.iter().map(|difference| reference + *difference as i64);
            out.extend(integers.map(|integer| exponents.scaled(small_to_real(integer))));
        } else {
            let integers = block.differences.iter();
            let integers =
                integers.map(|difference| reference.wrapping_add((*difference as i64).wrapping_mul(scale)));
            out.extend(integers.map(|integer| exponents.to_real(integer)));
        }
    })?;
    Ok(out)
}

/// An integer of magnitude below 2^51 as a double: a step that vectorises everywhere, unlike the conversion.
#[inline(always)]
fn small_to_real(integer: i64) -> f64 {
    f64::from_bits(ROUNDER.to_bits().wrapping_add(integer as u64)) - ROUNDER
}

/// The parts of a node.
pub(crate) struct Parts<'a> {
    pub exponents: Exponents,
    /// The node of the integers.
    pub integers: Input<'a>,
    /// Positions and values of the exceptions.
    pub exceptions: Vec<(u32, f64)>,
}

impl<'a> Parts<'a> {
    pub fn read(mut input: Input<'a>, rows: usize) -> Decoded<Parts<'a>> {
        let exponents = Exponents { e: input.u8()?, f: input.u8()? };
        if exponents.e > 18 || exponents.f > exponents.e {
            return Err(Malformed("decimal exponents are out of range"));
        }
        let integers = input.part()?;
        let count = input.count(rows)?;
        let positions = input.take(count * 4)?.as_chunks::<4>().0;
        let values = input.take(count * 8)?.as_chunks::<8>().0;
        input.finish()?;
        let exceptions = positions
            .iter()
            .zip(values)
            .map(|(position, value)| (u32::from_le_bytes(*position), f64::from_le_bytes(*value)))
            .collect();
        Ok(Parts { exponents, integers, exceptions })
    }

    /// The values put in the place of the exceptions.
    pub fn except(&self, mut values: Vec<f64>) -> Decoded<Vec<f64>> {
        for (position, value) in &self.exceptions {
            let slot = values.get_mut(*position as usize);
            *slot.ok_or(Malformed("an exception lies outside the row group"))? = *value;
        }
        Ok(values)
    }
}

pub(crate) fn decode(input: Input<'_>, rows: usize) -> Decoded<Vec<f64>> {
    let parts = Parts::read(input, rows)?;
    parts.except(decode_reals(parts.exponents, parts.integers, rows)?)
}

/// The values at places that ascend and exist.
pub(crate) fn pick(input: Input<'_>, rows: usize, wanted: &[u32]) -> Decoded<Vec<f64>> {
    let parts = Parts::read(input, rows)?;
    let integers = integer::pick(parts.integers, rows, 1, wanted)?;
    let mut values: Vec<f64> = integers.iter().map(|integer| parts.exponents.to_real(*integer)).collect();
    for (position, value) in &parts.exceptions {
        if *position as usize >= rows {
            return Err(Malformed("an exception lies outside the row group"));
        }
        if let Ok(place) = wanted.binary_search(position) {
            values[place] = *value;
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::small_to_real;

    #[test]
    fn small_integers_become_their_doubles() {
        for shift in 0..51 {
            for integer in [0, 1, (1i64 << shift) - 1, 1 << shift, (1 << shift) | 1] {
                for integer in [integer, -integer] {
                    assert_eq!(small_to_real(integer).to_bits(), (integer as f64).to_bits());
                }
            }
        }
    }
}
