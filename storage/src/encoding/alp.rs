//! Doubles that are really decimals (prices, durations, percentages) as integers.
//!
//! After "ALP: Adaptive Lossless floating-Point Compression" (Afroozeh, Kuffo, Boncz, 2023): a value times
//! `10^e`, times `10^-f`, rounds to an integer; where multiplying back gives the same bits the integer
//! stands for the value, elsewhere the value is kept aside as an exception. One `(e, f)` a chunk, found on
//! a sample; the integers are a node of their own.

use super::input::{Decoded, Input, Malformed, put_part};
use super::{bit_packing, choose, integer};
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

/// The two exponents of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exponents {
    pub e: u8,
    pub f: u8,
}

impl Exponents {
    #[inline(always)]
    fn to_integer(self, value: f64) -> i64 {
        let scaled = value * POWERS[self.e as usize] * INVERSES[self.f as usize];
        ((scaled + ROUNDER) - ROUNDER) as i64
    }

    #[inline(always)]
    fn to_real(self, integer: i64) -> f64 {
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
    let cost = |exponents: Exponents| {
        let (mut misses, mut min, mut max) = (0u64, i64::MAX, i64::MIN);
        for value in &sample {
            let integer = exponents.to_integer(*value);
            if exponents.is_exact(*value, integer) {
                min = min.min(integer);
                max = max.max(integer);
            } else {
                misses += 1;
            }
        }
        let width = if min > max { 0 } else { u64::from(bit_packing::bits(max.wrapping_sub(min) as u64)) };
        misses * 96 + width * (sample.len() as u64 - misses)
    };
    let mut best: Option<(u64, Exponents)> = None;
    for e in 0..=18u8 {
        for f in 0..=e {
            let exponents = Exponents { e, f };
            let found = cost(exponents);
            if best.is_none_or(|(known, _)| found < known) {
                best = Some((found, exponents));
            }
        }
    }
    best.filter(|(cost, _)| *cost < sample.len() as u64 * 48).map(|(_, exponents)| exponents)
}

/// Writes the exponents, the node of the integers, then rows and bits of the exceptions.
pub(crate) fn encode(values: &[f64], exponents: Exponents, out: &mut Vec<u8>) {
    let mut integers: Vec<i64> = Vec::with_capacity(values.len());
    let mut exceptions: Vec<u32> = Vec::new();
    for (row, value) in values.iter().enumerate() {
        let integer = exponents.to_integer(*value);
        if exponents.is_exact(*value, integer) {
            integers.push(integer);
        } else {
            exceptions.push(row as u32);
            // The neighbour's value does not widen the block.
            integers.push(integers.last().copied().unwrap_or(0));
        }
    }
    out.extend_from_slice(&[tag::ALP, exponents.e, exponents.f]);
    put_part(out, |out| choose::encode_integers(&integers, 1, out));
    out.extend_from_slice(&(exceptions.len() as u32).to_le_bytes());
    for row in &exceptions {
        out.extend_from_slice(&row.to_le_bytes());
    }
    for row in &exceptions {
        out.extend_from_slice(&values[*row as usize].to_le_bytes());
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

pub(crate) fn decode(mut input: Input<'_>, rows: usize) -> Decoded<Vec<f64>> {
    let exponents = Exponents { e: input.u8()?, f: input.u8()? };
    if exponents.e > 18 || exponents.f > exponents.e {
        return Err(Malformed("decimal exponents are out of range"));
    }
    let mut out = decode_reals(exponents, input.part()?, rows)?;
    let count = input.count(rows)?;
    let positions = input.take(count * 4)?.as_chunks::<4>().0;
    let values = input.take(count * 8)?.as_chunks::<8>().0;
    for (position, value) in positions.iter().zip(values) {
        let slot = out.get_mut(u32::from_le_bytes(*position) as usize);
        *slot.ok_or(Malformed("an exception lies outside the row group"))? = f64::from_le_bytes(*value);
    }
    input.finish()?;
    Ok(out)
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
