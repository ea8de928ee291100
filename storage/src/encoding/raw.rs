//! Integers as they are: one byte of item width (1, 2, 4 or 8), then the items, little-endian, signed.

use super::input::{Decoded, Input, Malformed};
use super::integer::Target;
use crate::format::encoding_tag as tag;

/// The smallest item width that holds both bounds.
pub(crate) fn width(min: i64, max: i64) -> usize {
    let fits = |low: i64, high: i64| min >= low && max <= high;
    if fits(i8::MIN.into(), i8::MAX.into()) {
        1
    } else if fits(i16::MIN.into(), i16::MAX.into()) {
        2
    } else if fits(i32::MIN.into(), i32::MAX.into()) {
        4
    } else {
        8
    }
}

pub(crate) fn encode(values: &[i64], width: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&[tag::RAW, width as u8]);
    out.reserve(values.len() * width);
    for value in values {
        out.extend_from_slice(&value.to_le_bytes()[..width]);
    }
}

pub(crate) fn decode<T: Target>(mut input: Input<'_>, rows: usize) -> Decoded<Vec<T>> {
    let width = input.u8()?;
    let bytes = input.rest();
    if !matches!(width, 1 | 2 | 4 | 8) || bytes.len() != rows * usize::from(width) {
        return Err(Malformed("raw integers of the wrong length"));
    }
    Ok(match width {
        1 => bytes.iter().map(|byte| T::from_integer((*byte as i8).into())).collect(),
        2 => items(bytes, |item| i16::from_le_bytes(item).into()),
        4 => items(bytes, |item| i32::from_le_bytes(item).into()),
        _ => items(bytes, i64::from_le_bytes),
    })
}

fn items<T: Target, const N: usize>(bytes: &[u8], read: impl Fn([u8; N]) -> i64) -> Vec<T> {
    bytes.as_chunks::<N>().0.iter().map(|item| T::from_integer(read(*item))).collect()
}

/// The values at places that exist.
pub(crate) fn pick(mut input: Input<'_>, rows: usize, wanted: &[u32]) -> Decoded<Vec<i64>> {
    let width = usize::from(input.u8()?);
    let bytes = input.rest();
    if !matches!(width, 1 | 2 | 4 | 8) || bytes.len() != rows * width {
        return Err(Malformed("raw integers of the wrong length"));
    }
    // The sign of the item goes into the bytes above it.
    let unused = 64 - 8 * width as u32;
    Ok(wanted
        .iter()
        .map(|place| {
            let mut item = [0; 8];
            let start = *place as usize * width;
            item[..width].copy_from_slice(&bytes[start..start + width]);
            (i64::from_le_bytes(item) << unused) >> unused
        })
        .collect())
}
