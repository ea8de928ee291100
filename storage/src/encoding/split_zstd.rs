//! Doubles without a decimal pattern: their bytes sorted by significance (all first bytes, all second
//! bytes, …), then zstd. Signs and exponents repeat and compress; the rest costs what it must.

use super::input::{Decoded, Input};
use super::zstd_block;
use crate::format::encoding_tag as tag;

/// Appends the node, or returns false where it saves nothing.
pub(crate) fn encode(values: &[f64], level: i32, out: &mut Vec<u8>) -> bool {
    let mut split = vec![0; values.len() * 8];
    for (place, plane) in split.chunks_exact_mut(values.len().max(1)).enumerate() {
        for (slot, value) in plane.iter_mut().zip(values) {
            *slot = value.to_le_bytes()[place];
        }
    }
    let Some(frame) = zstd_block::compress(&split, level) else { return false };
    out.push(tag::SPLIT_ZSTD);
    out.extend_from_slice(&frame);
    true
}

pub(crate) fn decode(mut input: Input<'_>, rows: usize) -> Decoded<Vec<f64>> {
    let split = zstd_block::decompress(input.rest(), rows * 8)?;
    let mut bits = vec![0u64; rows];
    for (place, plane) in split.chunks_exact(rows.max(1)).enumerate() {
        for (slot, byte) in bits.iter_mut().zip(plane) {
            *slot |= u64::from(*byte) << (place * 8);
        }
    }
    Ok(bits.into_iter().map(f64::from_bits).collect())
}
