//! Streams of 64-bit integers: what ints, longs, times, codes, lengths and the bits of reals come down to.

use super::input::{Decoded, Input, Malformed};
use super::{bit_packing, copies, delta, dictionary, raw, run_length, sparse};
use crate::format::encoding_tag as tag;

/// What an integer decodes into. Values that do not fit are cut: only damage makes them.
pub(crate) trait Target: Copy {
    fn from_integer(value: i64) -> Self;
}

macro_rules! truncating_target {
    ($($ty:ty),*) => {$(
        impl Target for $ty {
            #[inline(always)]
            fn from_integer(value: i64) -> $ty {
                value as $ty
            }
        }
    )*};
}
truncating_target!(i64, i32, u32, u8);

/// The bits of a double.
impl Target for f64 {
    #[inline(always)]
    fn from_integer(value: i64) -> f64 {
        f64::from_bits(value as u64)
    }
}

/// Runs, dictionaries and sparse nodes may hold such nodes, this deep.
pub(crate) const NESTING_MAX: u32 = 3;

/// The value of a node that holds nothing else.
pub(crate) fn constant(mut input: Input<'_>) -> Decoded<Option<i64>> {
    if input.u8()? != tag::CONSTANT {
        return Ok(None);
    }
    let value = input.i64()?;
    input.finish()?;
    Ok(Some(value))
}

/// One wanted value among fewer than so many is not worth decoding all of a node for.
const FEW: usize = 16;

/// Whether single values are picked rather than decoded with all others.
pub(crate) fn are_few(wanted: usize, rows: usize) -> bool {
    wanted * FEW <= rows
}

/// The values of a node of `rows` integers at some places, which ascend and exist; of most nodes only what
/// holds them is unpacked.
pub(crate) fn pick(input: Input<'_>, rows: usize, depth: u32, wanted: &[u32]) -> Decoded<Vec<i64>> {
    if depth > NESTING_MAX {
        return Err(Malformed("encodings are nested too deeply"));
    }
    if wanted.last().is_some_and(|last| *last as usize >= rows) {
        return Err(Malformed("a value asked for does not exist"));
    }
    let mut body = input;
    let tag = body.u8()?;
    if are_few(wanted.len(), rows) {
        match tag {
            tag::RAW => return raw::pick(body, rows, wanted),
            tag::BIT_PACKED => return bit_packing::pick(body, rows, wanted),
            tag::DELTA => return delta::pick(body, rows, wanted),
            tag::RUN_LENGTH => return run_length::pick(body, rows, depth, wanted),
            tag::DICTIONARY => return dictionary::pick_integers(body, rows, depth, wanted),
            tag::SPARSE => return sparse::pick(body, rows, depth, wanted),
            _ => {}
        }
    }
    if let Some(value) = constant(input)? {
        return Ok(vec![value; wanted.len()]);
    }
    let values: Vec<i64> = decode(input, rows, depth)?;
    Ok(wanted.iter().map(|place| values[*place as usize]).collect())
}

/// Decodes a node of exactly `rows` integers.
pub(crate) fn decode<T: Target>(mut input: Input<'_>, rows: usize, depth: u32) -> Decoded<Vec<T>> {
    if depth > NESTING_MAX {
        return Err(Malformed("encodings are nested too deeply"));
    }
    match input.u8()? {
        tag::RAW => raw::decode(input, rows),
        tag::CONSTANT => {
            let value = T::from_integer(input.i64()?);
            input.finish()?;
            Ok(vec![value; rows])
        }
        tag::RUN_LENGTH => run_length::decode(input, rows, depth),
        tag::DICTIONARY => dictionary::decode_integers(input, rows, depth),
        tag::BIT_PACKED => bit_packing::decode(input, rows),
        tag::DELTA => delta::decode(input, rows),
        tag::SPARSE => sparse::decode(input, rows, depth),
        tag::COPIES => copies::decode(input, rows, depth),
        _ => Err(Malformed("unknown encoding of integers")),
    }
}
