//! Numbers and ids of a log record in few bits.
//!
//! The nodes are those of extents, chosen by a look at the bounds instead of by trying: a record is written once and
//! read hardly ever, so that packing it may take no longer than writing the bytes that it saves. Knows slices of
//! values, no columns.

use crate::encoding::input::{Decoded, Input, Malformed, put_part};
use crate::encoding::integer::{self, Target};
use crate::encoding::{bit_packing, choose, delta, raw};
use crate::format::{BLOCK_VALUES, encoding_tag as tag};

/// Fewer rows are not packed: blocks have a least size.
pub(super) const ROWS_MIN: usize = 256;

/// Appends a part with a node of integers. `rising`: they may be times or counters, whose differences are small or have
/// a factor in common.
pub(super) fn put_integers(values: &[i64], rising: bool, out: &mut Vec<u8>) {
    put_part(out, |out| {
        let (min, max) = bit_packing::bounds(values);
        if min >= max {
            out.push(tag::CONSTANT);
            return out.extend_from_slice(&values.first().copied().unwrap_or(0).to_le_bytes());
        }
        if rising {
            let scale = choose::common_factor(values, min);
            let delta_scale = delta::usable_scale(values, scale);
            if delta::estimate(values, delta_scale) < bit_packing::estimate(values, scale) {
                delta::encode(values, delta_scale, out);
            } else {
                bit_packing::encode(values, scale, out);
            }
            return;
        }
        let width = bit_packing::bits(max.wrapping_sub(min) as u64);
        let packed: usize =
            values.chunks(BLOCK_VALUES).map(|block| 9 + bit_packing::packed_bytes(block.len(), width)).sum();
        let raw_width = raw::width(min, max);
        if raw_width * values.len() <= packed {
            raw::encode(values, raw_width, out);
        } else {
            bit_packing::encode(values, 1, out);
        }
    });
}

/// The integers of a part that [`put_integers`] wrote.
pub(super) fn integers<T: Target>(part: Input<'_>, count: usize) -> Decoded<Vec<T>> {
    integer::decode(part, count, integer::NESTING_MAX)
}

/// Most places behind the point that are looked for.
const PLACES_MAX: usize = 6;
const POWERS: [f64; PLACES_MAX + 1] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6];
/// Values looked at to find the places, and how many of them may have more.
const SAMPLE: usize = 32;
const SAMPLE_MISSES: usize = 2;
/// One of so many values may be no decimal.
const EXCEPTIONS_SHARE: usize = 16;
/// Added to a double below 2^51 this leaves its whole part in the low bits.
const ROUNDER: f64 = 6_755_399_441_055_744.0;

/// A double times a power of ten, rounded. For others than small ones the integer means nothing, but [`unscaled`] is
/// the way back from any.
#[inline(always)]
fn scaled(value: f64, power: f64) -> i64 {
    (value * power + ROUNDER).to_bits().wrapping_sub(ROUNDER.to_bits()) as i64
}

/// The double next to a decimal: a division of two exact numbers.
#[inline(always)]
fn unscaled(integer: i64, power: f64) -> f64 {
    (f64::from_bits(ROUNDER.to_bits().wrapping_add(integer as u64)) - ROUNDER) / power
}

#[inline(always)]
fn is_exact(value: f64, integer: i64, power: f64) -> bool {
    unscaled(integer, power).to_bits() == value.to_bits()
}

/// Appends the doubles as decimals of few places, if that is what they are: u8 places, a part with the node of the
/// integers, u32 number of exceptions, the u32 position of each, the value of each.
pub(super) fn put_decimals(values: &[f64], integers: &mut Vec<i64>, out: &mut Vec<u8>) -> bool {
    let step = (values.len() / SAMPLE).max(1);
    let fits = |power: &f64| {
        let misses = values
            .iter()
            .step_by(step)
            .take(SAMPLE)
            .filter(|value| !is_exact(**value, scaled(**value, *power), *power));
        misses.take(SAMPLE_MISSES + 1).count() <= SAMPLE_MISSES
    };
    let Some(places) = POWERS.iter().position(fits) else { return false };
    let power = POWERS[places];
    integers.clear();
    integers.extend(values.iter().map(|value| scaled(*value, power)));
    let is_exception = |(value, integer): (&f64, &i64)| !is_exact(*value, *integer, power) || value.is_nan();
    let count: usize = values.iter().zip(&*integers).map(|pair| usize::from(is_exception(pair))).sum();
    if count * EXCEPTIONS_SHARE > values.len() {
        return false;
    }
    let mut positions: Vec<u32> = Vec::with_capacity(count);
    if count > 0 {
        for row in 0..values.len() {
            if is_exception((&values[row], &integers[row])) {
                positions.push(row as u32);
                // The neighbour's value does not widen the block.
                integers[row] = if row > 0 { integers[row - 1] } else { 0 };
            }
        }
    }
    out.push(places as u8);
    put_integers(integers, false, out);
    out.extend_from_slice(&(count as u32).to_le_bytes());
    for row in &positions {
        out.extend_from_slice(&row.to_le_bytes());
    }
    for row in &positions {
        out.extend_from_slice(&values[*row as usize].to_le_bytes());
    }
    true
}

/// What [`put_decimals`] wrote.
pub(super) fn decimals(input: &mut Input<'_>, rows: usize) -> Decoded<Vec<f64>> {
    let places = usize::from(input.u8()?);
    let power = *POWERS.get(places).ok_or(Malformed("decimals of too many places"))?;
    let integers: Vec<i64> = integers(input.part()?, rows)?;
    let mut values: Vec<f64> = integers.iter().map(|integer| unscaled(*integer, power)).collect();
    let count = input.count(rows)?;
    let positions = input.take(count * 4)?.as_chunks::<4>().0;
    let exceptions = input.take(count * 8)?.as_chunks::<8>().0;
    for (position, value) in positions.iter().zip(exceptions) {
        let slot = values.get_mut(u32::from_le_bytes(*position) as usize);
        *slot.ok_or(Malformed("an exception lies outside the batch"))? = f64::from_le_bytes(*value);
    }
    Ok(values)
}

/// Digits of ids that are packed: of all lengths that programs write, and even.
const HEX_LENGTHS: std::ops::RangeInclusive<usize> = 8..=128;
/// Not a digit.
const NO_DIGIT: u8 = 0xff;

const DIGITS: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut digit = 0;
    while digit < 16 {
        digits[b"0123456789abcdef"[digit as usize] as usize] = digit;
        digit += 1;
    }
    digits
};

/// Appends texts that are hexadecimal ids of one even length in lower case: u32 length, then two digits a byte, the
/// first in the high half. `false`, and nothing, for others.
pub(super) fn put_hex<'a>(
    mut texts: impl ExactSizeIterator<Item = &'a [u8]> + Clone,
    out: &mut Vec<u8>,
) -> bool {
    let Some(length) = texts.clone().next().map(<[u8]>::len) else { return false };
    if !HEX_LENGTHS.contains(&length) || !length.is_multiple_of(2) {
        return false;
    }
    let start = out.len();
    out.reserve(4 + texts.len() * length / 2);
    out.extend_from_slice(&(length as u32).to_le_bytes());
    let is_hex = texts.all(|text| {
        if text.len() != length {
            return false;
        }
        let mut seen = 0;
        out.extend(text.as_chunks::<2>().0.iter().map(|[high, low]| {
            let (high, low) = (DIGITS[*high as usize], DIGITS[*low as usize]);
            seen |= high | low;
            high << 4 | low
        }));
        seen < 16
    });
    if !is_hex {
        out.truncate(start);
    }
    is_hex
}

/// What [`put_hex`] wrote: the length of each text and all texts end to end.
pub(super) fn hex(input: &mut Input<'_>, rows: usize) -> Decoded<(usize, Vec<u8>)> {
    let length = input.u32()? as usize;
    if !HEX_LENGTHS.contains(&length) || !length.is_multiple_of(2) {
        return Err(Malformed("ids of the wrong length"));
    }
    let packed = input.take(rows.checked_mul(length / 2).ok_or(Malformed("too many ids"))?)?;
    let digit = |half: u8| b"0123456789abcdef"[half as usize & 15];
    Ok((length, packed.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check_decimals(values: &[f64]) -> bool {
        let mut out = Vec::new();
        if !put_decimals(values, &mut Vec::new(), &mut out) {
            return false;
        }
        let mut input = Input::new(&out);
        let back = decimals(&mut input, values.len()).unwrap();
        assert_eq!(input.remaining(), 0);
        let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&back), bits(values));
        true
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn integers_come_back(
            values in proptest::collection::vec(any::<i64>(), 0..40),
            shift in 0u32..64,
            repeat in 1usize..80,
            rising: bool,
        ) {
            let values: Vec<i64> = (0..repeat)
                .flat_map(|turn| values.iter().map(move |value| (value >> shift).wrapping_add(turn as i64)))
                .collect();
            let mut out = Vec::new();
            put_integers(&values, rising, &mut out);
            let mut input = Input::new(&out);
            let back: Vec<i64> = integers(input.part().unwrap(), values.len()).unwrap();
            prop_assert_eq!(back, values);
            prop_assert_eq!(input.remaining(), 0);
        }

        #[test]
        fn decimals_come_back(
            cents in proptest::collection::vec(-100_000i64..10_000_000, 300),
            places in 0usize..7,
            odd in proptest::collection::vec((0usize..300, any::<f64>()), 0..12),
        ) {
            let mut values: Vec<f64> = cents.iter().map(|cents| *cents as f64 / POWERS[places]).collect();
            prop_assert!(check_decimals(&values));
            for (row, value) in odd {
                values[row] = value;
            }
            check_decimals(&values);
        }

        #[test]
        fn any_doubles_come_back_or_are_refused(values in proptest::collection::vec(any::<f64>(), 1..300)) {
            check_decimals(&values);
        }
    }

    #[test]
    fn doubles_at_the_edges_come_back() {
        let odd = [
            -0.0,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MAX,
            f64::MIN_POSITIVE,
            4.5e15,
            -4.5e15,
            1e17,
            9007199254740993.0,
            2251799813685247.5,
            0.1 + 0.2,
            5e-324,
        ];
        for value in odd {
            let mut values: Vec<f64> = (0..400).map(|row| f64::from(row) / 100.0).collect();
            values[0] = value;
            values[399] = value;
            assert!(check_decimals(&values), "{value}");
            check_decimals(&vec![value; 300]);
        }
    }

    #[test]
    fn ids_come_back_and_other_texts_are_left() {
        let ids: Vec<String> =
            (0..300).map(|row: u64| format!("{:016x}", row.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
        let texts = |ids: &[String]| {
            let mut out = vec![7];
            put_hex(ids.iter().map(|id| id.as_bytes()), &mut out).then_some(out)
        };
        let out = texts(&ids).unwrap();
        assert_eq!(out.len(), 1 + 4 + 300 * 8);
        let (length, bytes) = hex(&mut Input::new(&out[1..]), 300).unwrap();
        assert_eq!((length, String::from_utf8(bytes).unwrap()), (16, ids.concat()));
        for other in [
            "0123456789abcdeF",
            "0123456789abcde",
            "0123456789abcdefa",
            "0123456789abcdeg",
            "",
            "é23456789abcdef",
        ] {
            let mut changed = ids.clone();
            changed[299] = other.to_owned();
            assert_eq!(texts(&changed), None, "{other}");
            changed[0] = other.to_owned();
            assert_eq!(texts(&changed), None, "{other}");
        }
    }
}
