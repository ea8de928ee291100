//! Frame of reference and bit-packing, in blocks of 1,024 values.
//!
//! Each block has its own smallest value and bit width, so that one outlier costs one block and any block
//! decodes alone. Within a block value `i` lies in lane `i % 16`, row `i / 16`; a lane is a stream of 64-bit
//! words, and the words of the 16 lanes take turns. Unpacking one row is then the same shift for 16
//! neighbouring words, which compilers turn into vector code; it is compiled for several widths of vectors, of
//! which the machine's is taken.

use super::input::{Decoded, Input, Malformed};
use super::integer::Target;
use crate::format::{BLOCK_LANES, BLOCK_VALUES, encoding_tag as tag};
use crate::widest_vectors;

const WORD_ROW_BYTES: usize = BLOCK_LANES * 8;

/// Bits that hold every value up to `max`.
#[inline]
pub(crate) fn bits(max: u64) -> u32 {
    64 - max.leading_zeros()
}

/// Words a lane takes for `count` values of a width.
#[inline]
fn words(count: usize, width: u32) -> usize {
    (count.div_ceil(BLOCK_LANES) * width as usize).div_ceil(64)
}

/// Bytes of a packed block of `count` values.
pub(crate) fn packed_bytes(count: usize, width: u32) -> usize {
    words(count, width) * WORD_ROW_BYTES
}

/// Appends a block of at most 1,024 values, none wider than `width` bits.
pub(crate) fn pack(values: &[u64], width: u32, out: &mut Vec<u8>) {
    let words = words(values.len(), width);
    if words == 0 {
        return;
    }
    // A lane of 64 rows of 64 bits: 64 words, and one more that a straddling shift may touch.
    let mut packed = [[0u64; BLOCK_LANES]; 65];
    for (row, group) in values.chunks(BLOCK_LANES).enumerate() {
        let bit = row * width as usize;
        let (word, shift) = (bit / 64, (bit % 64) as u32);
        for (lane, value) in group.iter().enumerate() {
            packed[word][lane] |= value << shift;
            if shift + width > 64 {
                packed[word + 1][lane] |= value >> (64 - shift);
            }
        }
    }
    for row in &packed[..words] {
        for word in row {
            out.extend_from_slice(&word.to_le_bytes());
        }
    }
}

widest_vectors! {
    /// Unpacks the first `count` values of a block whose bytes are exactly [`packed_bytes`] long. Values after
    /// `count` in the last row are unspecified.
    pub(crate) fn unpack(bytes: &[u8], width: u32, count: usize, out: &mut [u64; BLOCK_VALUES]) {
        unpack_as(bytes, width, count, out, |value| value);
    }
}

widest_vectors! {
    /// [`unpack`] to `reference + scale * value`, wrapping.
    fn unpack_scaled(
        bytes: &[u8],
        width: u32,
        count: usize,
        reference: i64,
        scale: i64,
        out: &mut [i64; BLOCK_VALUES],
    ) {
        if scale == 1 {
            unpack_as(bytes, width, count, out, |value| reference.wrapping_add(value as i64));
        } else {
            unpack_as(bytes, width, count, out, |value| {
                reference.wrapping_add((value as i64).wrapping_mul(scale))
            });
        }
    }
}

/// [`unpack`], each value as `convert` makes it.
#[inline(always)]
fn unpack_as<T: Copy>(
    bytes: &[u8],
    width: u32,
    count: usize,
    out: &mut [T; BLOCK_VALUES],
    convert: impl Fn(u64) -> T,
) {
    let rows = count.div_ceil(BLOCK_LANES);
    if width == 0 {
        out[..rows * BLOCK_LANES].fill(convert(0));
        return;
    }
    let mask = u64::MAX >> (64 - width);
    let (words, _) = bytes.as_chunks::<WORD_ROW_BYTES>();
    let (groups, _) = out.as_chunks_mut::<BLOCK_LANES>();
    for (row, group) in groups.iter_mut().take(rows).enumerate() {
        let bit = row * width as usize;
        let (word, shift) = (bit / 64, (bit % 64) as u32);
        let Some(low) = words.get(word) else { return };
        if shift + width <= 64 {
            for (lane, value) in group.iter_mut().enumerate() {
                *value = convert((load(low, lane) >> shift) & mask);
            }
        } else {
            let Some(high) = words.get(word + 1) else { return };
            for (lane, value) in group.iter_mut().enumerate() {
                *value = convert((load(low, lane) >> shift | load(high, lane) << (64 - shift)) & mask);
            }
        }
    }
}

#[inline(always)]
fn load(words: &[u8; WORD_ROW_BYTES], lane: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&words[lane * 8..lane * 8 + 8]);
    u64::from_le_bytes(word)
}

/// Divides by the common factor of the chunk; by one, mostly.
#[inline]
fn scaled(difference: u64, scale: u64) -> u64 {
    if scale == 1 { difference } else { difference / scale }
}

/// Bytes of the encoded stream, without encoding it.
pub(crate) fn estimate(values: &[i64], scale: u64) -> usize {
    let block = |block: &[i64]| {
        let (min, max) = bounds(block);
        9 + packed_bytes(block.len(), bits(scaled(max.wrapping_sub(min) as u64, scale)))
    };
    9 + values.chunks(BLOCK_VALUES).map(block).sum::<usize>()
}

pub(crate) fn bounds(values: &[i64]) -> (i64, i64) {
    values.iter().fold((i64::MAX, i64::MIN), |(min, max), value| (min.min(*value), max.max(*value)))
}

/// Writes scale, the reference of each block, the width of each block, the packed blocks. Every difference
/// from a block's smallest value must be a multiple of `scale`.
pub(crate) fn encode(values: &[i64], scale: u64, out: &mut Vec<u8>) {
    out.push(tag::BIT_PACKED);
    out.extend_from_slice(&scale.to_le_bytes());
    let blocks: Vec<(i64, u32)> = values
        .chunks(BLOCK_VALUES)
        .map(|block| {
            let (min, max) = bounds(block);
            (min, bits(scaled(max.wrapping_sub(min) as u64, scale)))
        })
        .collect();
    for (reference, _) in &blocks {
        out.extend_from_slice(&reference.to_le_bytes());
    }
    out.extend(blocks.iter().map(|(_, width)| *width as u8));
    let mut differences = [0u64; BLOCK_VALUES];
    for (block, (reference, width)) in values.chunks(BLOCK_VALUES).zip(&blocks) {
        for (difference, value) in differences.iter_mut().zip(block) {
            *difference = scaled(value.wrapping_sub(*reference) as u64, scale);
        }
        pack(&differences[..block.len()], *width, out);
    }
}

/// A decoded block: value `i` is `reference + scale * differences[i]`, wrapping.
pub(crate) struct Block<'a> {
    pub reference: i64,
    pub scale: i64,
    /// Bits of the widest difference.
    pub width: u32,
    pub differences: &'a [u64],
}

/// Gives block after block of `rows` values to `take`.
pub(crate) fn decode_blocks(
    mut input: Input<'_>,
    rows: usize,
    mut take: impl FnMut(Block<'_>),
) -> Decoded<()> {
    let scale = input.u64()? as i64;
    let blocks = rows.div_ceil(BLOCK_VALUES);
    let references = input.take(blocks * 8)?.as_chunks::<8>().0;
    let widths = input.take(blocks)?;
    let mut unpacked = [0u64; BLOCK_VALUES];
    for ((reference, width), start) in references.iter().zip(widths).zip((0..).step_by(BLOCK_VALUES)) {
        let count = (rows - start).min(BLOCK_VALUES);
        let width = u32::from(*width);
        if width > 64 {
            return Err(Malformed("a bit width is above 64"));
        }
        unpack(input.take(packed_bytes(count, width))?, width, count, &mut unpacked);
        let reference = i64::from_le_bytes(*reference);
        take(Block { reference, scale, width, differences: &unpacked[..count] });
    }
    input.finish()
}

/// The blocks of a stream, each of which unpacks alone.
pub(crate) struct Blocks<'a> {
    rows: usize,
    scale: i64,
    references: &'a [[u8; 8]],
    widths: &'a [u8],
    packed: &'a [u8],
    /// Where each block begins in `packed`.
    offsets: Vec<usize>,
}

impl<'a> Blocks<'a> {
    pub fn read(mut input: Input<'a>, rows: usize) -> Decoded<Blocks<'a>> {
        let scale = input.u64()? as i64;
        let blocks = rows.div_ceil(BLOCK_VALUES);
        let references = input.take(blocks * 8)?.as_chunks::<8>().0;
        let widths = input.take(blocks)?;
        let mut offsets = Vec::with_capacity(blocks);
        let mut end = 0;
        for (width, start) in widths.iter().zip((0..).step_by(BLOCK_VALUES)) {
            if *width > 64 {
                return Err(Malformed("a bit width is above 64"));
            }
            offsets.push(end);
            end += packed_bytes((rows - start).min(BLOCK_VALUES), u32::from(*width));
        }
        if input.remaining() != end {
            return Err(Malformed("packed blocks of the wrong length"));
        }
        Ok(Blocks { rows, scale, references, widths, packed: input.rest(), offsets })
    }

    pub fn count(&self) -> usize {
        self.offsets.len()
    }

    /// One value.
    fn value(&self, place: usize) -> Decoded<i64> {
        let missing = Malformed("there is no such value");
        let (block, inside) = (place / BLOCK_VALUES, place % BLOCK_VALUES);
        let offset = *self.offsets.get(block).ok_or(missing)?;
        let (reference, width) = (i64::from_le_bytes(self.references[block]), u32::from(self.widths[block]));
        let bit = inside / BLOCK_LANES * width as usize;
        let (word, shift) = (bit / 64, (bit % 64) as u32);
        let load = |word: usize| {
            let start = offset + word * WORD_ROW_BYTES + inside % BLOCK_LANES * 8;
            let bytes = self.packed.get(start..)?.first_chunk::<8>()?;
            Some(u64::from_le_bytes(*bytes))
        };
        let difference = match width {
            0 => 0,
            _ => {
                let mut value = load(word).ok_or(missing)? >> shift;
                if shift + width > 64 {
                    value |= load(word + 1).ok_or(missing)? << (64 - shift);
                }
                value & (u64::MAX >> (64 - width))
            }
        };
        Ok(reference.wrapping_add((difference as i64).wrapping_mul(self.scale)))
    }

    /// The values of a block that exists; those after the last one are unspecified.
    pub fn values(&self, block: usize, out: &mut [i64; BLOCK_VALUES]) -> Decoded<()> {
        let missing = Malformed("there is no such block");
        let offset = *self.offsets.get(block).ok_or(missing)?;
        let (reference, width) = (i64::from_le_bytes(self.references[block]), u32::from(self.widths[block]));
        let count = (self.rows - block * BLOCK_VALUES).min(BLOCK_VALUES);
        let bytes = self.packed.get(offset..offset + packed_bytes(count, width)).ok_or(missing)?;
        unpack_scaled(bytes, width, count, reference, self.scale, out);
        Ok(())
    }
}

/// The values at places that exist, each taken out of its block alone.
pub(crate) fn pick(input: Input<'_>, rows: usize, wanted: &[u32]) -> Decoded<Vec<i64>> {
    let blocks = Blocks::read(input, rows)?;
    wanted.iter().map(|place| blocks.value(*place as usize)).collect()
}

pub(crate) fn decode<T: Target>(input: Input<'_>, rows: usize) -> Decoded<Vec<T>> {
    let mut out = Vec::with_capacity(rows);
    decode_blocks(input, rows, |block| {
        let (reference, scale) = (block.reference, block.scale);
        let values = block.differences.iter();
        if scale == 1 {
            out.extend(values.map(|value| T::from_integer(reference.wrapping_add(*value as i64))));
        } else {
            out.extend(
                values.map(|value| {
                    T::from_integer(reference.wrapping_add((*value as i64).wrapping_mul(scale)))
                }),
            );
        }
    })?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_width_and_length_unpacks() {
        for width in 0..=64u32 {
            for count in [1, 15, 16, 17, 64, 100, 1000, 1023, 1024] {
                let mask = if width == 0 { 0 } else { u64::MAX >> (64 - width) };
                let values: Vec<u64> = (0..count as u64)
                    .map(|n| (n ^ u64::MAX << 7).wrapping_mul(0x9e37_79b9_7f4a_7c15) & mask)
                    .collect();
                let mut bytes = Vec::new();
                pack(&values, width, &mut bytes);
                assert_eq!(bytes.len(), packed_bytes(count, width));
                let mut out = [u64::MAX; BLOCK_VALUES];
                unpack(&bytes, width, count, &mut out);
                assert_eq!(out[..count], values, "{count} values of {width} bits");
            }
        }
    }

    #[test]
    fn an_outlier_widens_one_block_only() {
        let mut values = vec![0i64; 8 * BLOCK_VALUES];
        values.iter_mut().enumerate().for_each(|(row, value)| *value = row as i64 % 16);
        let before = estimate(&values, 1);
        values[5000] = i64::MAX;
        assert!(estimate(&values, 1) < before + BLOCK_VALUES * 8);
    }
}
