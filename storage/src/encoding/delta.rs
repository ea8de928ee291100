//! Differences of neighbours, bit-packed: for times and other values that mostly rise.
//!
//! In blocks of 1,024 like bit-packing: each has its first value, its smallest difference and a bit width,
//! so that any block decodes alone and a regular series takes no bits at all.

use super::bit_packing::{bits, pack, packed_bytes, unpack};
use super::input::{Decoded, Input, Malformed};
use super::integer::Target;
use crate::format::{BLOCK_VALUES, encoding_tag as tag};

/// First value, smallest difference, bit width.
const BLOCK_HEADER_BYTES: usize = 17;

/// Smallest and largest difference of neighbours, in units of `scale`; zeros for a single value.
fn bounds(block: &[i64], scale: i64) -> (i64, i64) {
    let (mut min, mut max) = (i64::MAX, i64::MIN);
    for pair in block.windows(2) {
        let difference = pair[1].wrapping_sub(pair[0]);
        min = min.min(difference);
        max = max.max(difference);
    }
    if block.len() < 2 {
        return (0, 0);
    }
    if scale == 1 { (min, max) } else { (min / scale, max / scale) }
}

/// The scale as a divisor of signed differences; one where it would not divide them exactly.
pub(crate) fn usable_scale(values: &[i64], scale: u64) -> u64 {
    match i64::try_from(scale) {
        Ok(divisor) if divisor > 1 => {
            let exact = values
                .windows(2)
                .all(|pair| pair[1].checked_sub(pair[0]).is_some_and(|difference| difference % divisor == 0));
            if exact { scale } else { 1 }
        }
        _ => 1,
    }
}

/// Bytes of the encoded stream, without encoding it. `scale` must come from [`usable_scale`].
pub(crate) fn estimate(values: &[i64], scale: u64) -> usize {
    let block = |block: &[i64]| {
        let (min, max) = bounds(block, scale as i64);
        BLOCK_HEADER_BYTES + packed_bytes(block.len(), bits(max.wrapping_sub(min) as u64))
    };
    9 + values.chunks(BLOCK_VALUES).map(block).sum::<usize>()
}

/// Writes scale, then block after block. `scale` must come from [`usable_scale`].
pub(crate) fn encode(values: &[i64], scale: u64, out: &mut Vec<u8>) {
    out.push(tag::DELTA);
    out.extend_from_slice(&scale.to_le_bytes());
    let divisor = scale as i64;
    let mut packed = [0u64; BLOCK_VALUES];
    for block in values.chunks(BLOCK_VALUES) {
        let (min, max) = bounds(block, divisor);
        let width = bits(max.wrapping_sub(min) as u64);
        out.extend_from_slice(&block[0].to_le_bytes());
        out.extend_from_slice(&min.to_le_bytes());
        out.push(width as u8);
        packed[0] = 0;
        for (slot, pair) in packed[1..].iter_mut().zip(block.windows(2)) {
            let difference = pair[1].wrapping_sub(pair[0]);
            let steps = if divisor == 1 { difference } else { difference / divisor };
            *slot = steps.wrapping_sub(min) as u64;
        }
        pack(&packed[..block.len()], width, out);
    }
}

pub(crate) fn decode<T: Target>(mut input: Input<'_>, rows: usize) -> Decoded<Vec<T>> {
    let scale = input.i64()?;
    let mut out = Vec::with_capacity(rows);
    let mut unpacked = [0u64; BLOCK_VALUES];
    while out.len() < rows {
        let count = (rows - out.len()).min(BLOCK_VALUES);
        let first = input.i64()?;
        let min = input.i64()?;
        let width = u32::from(input.u8()?);
        if width > 64 {
            return Err(Malformed("a bit width is above 64"));
        }
        unpack(input.take(packed_bytes(count, width))?, width, count, &mut unpacked);
        let step = min.wrapping_mul(scale);
        // The first difference is stored as zero and stands for the smallest one.
        let mut value = first.wrapping_sub(step);
        if scale == 1 {
            out.extend(unpacked[..count].iter().map(|difference| {
                value = value.wrapping_add(step).wrapping_add(*difference as i64);
                T::from_integer(value)
            }));
        } else {
            out.extend(unpacked[..count].iter().map(|difference| {
                value = value.wrapping_add(step).wrapping_add((*difference as i64).wrapping_mul(scale));
                T::from_integer(value)
            }));
        }
    }
    input.finish()?;
    Ok(out)
}

/// The values at places that ascend and exist; blocks without any of them stay packed.
pub(crate) fn pick(mut input: Input<'_>, rows: usize, wanted: &[u32]) -> Decoded<Vec<i64>> {
    let scale = input.i64()?;
    let mut out = Vec::with_capacity(wanted.len());
    let mut left = wanted;
    let mut unpacked = [0u64; BLOCK_VALUES];
    for start in (0..rows).step_by(BLOCK_VALUES) {
        let count = (rows - start).min(BLOCK_VALUES);
        let first = input.i64()?;
        let min = input.i64()?;
        let width = u32::from(input.u8()?);
        if width > 64 {
            return Err(Malformed("a bit width is above 64"));
        }
        let packed = input.take(packed_bytes(count, width))?;
        let (inside, after) = left.split_at(left.partition_point(|place| (*place as usize) < start + count));
        left = after;
        if inside.is_empty() {
            continue;
        }
        unpack(packed, width, count, &mut unpacked);
        let step = min.wrapping_mul(scale);
        // The first difference is stored as zero and stands for the smallest one.
        let mut value = first.wrapping_sub(step);
        let mut next = 0;
        for place in inside {
            let end = *place as usize - start + 1;
            for difference in unpacked.get(next..end).unwrap_or_default() {
                value = value.wrapping_add(step).wrapping_add((*difference as i64).wrapping_mul(scale));
            }
            next = end;
            out.push(value);
        }
    }
    input.finish()?;
    Ok(out)
}
