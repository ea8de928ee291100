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
