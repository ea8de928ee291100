//! Integers in the order of series as differences to the one before.
//!
//! The first value of each series stands apart, so that the jump from one series to the next widens no block.
//! The value before each block does, too, so that any block decodes alone.

use super::key::{Order, Places, SeriesKey};
use crate::encoding::bit_packing::{self, Blocks};
use crate::encoding::choose;
use crate::encoding::input::{Decoded, Input, Malformed, put_part};
use crate::encoding::integer;
use crate::format::{BLOCK_VALUES, encoding_tag as tag};

/// The nodes inside stand this deep.
const DEPTH: u32 = 2;

/// Differences of values in the order of series, and what stands apart.
pub(super) struct Steps<'a> {
    values: &'a [i64],
    steps: Vec<i64>,
    firsts: Vec<i64>,
    scale: u64,
}

impl<'a> Steps<'a> {
    pub fn of(values: &'a [i64], order: &Order) -> Steps<'a> {
        let mut steps = Vec::with_capacity(values.len());
        steps.push(0);
        steps.extend(values.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])));
        // The place of a first value holds a step of its neighbours, which widens no block.
        let runs = || order.starts.windows(2).map(|pair| (pair[0] as usize, pair[1] as usize));
        let mut near = runs().find(|(start, end)| end - start > 1).map_or(0, |(start, _)| steps[start + 1]);
        let mut firsts = Vec::with_capacity(order.series());
        for (start, end) in runs() {
            firsts.push(values[start]);
            steps[start] = near;
            if end - start > 1 {
                near = steps[end - 1];
            }
        }
        let scale = choose::common_factor(&steps, bit_packing::bounds(&steps).0);
        Steps { values, steps, firsts, scale }
    }

    /// About as many bytes as the node takes.
    pub fn estimate(&self) -> usize {
        let (min, max) = bit_packing::bounds(&self.firsts);
        let width = bit_packing::bits(max.wrapping_sub(min) as u64) as usize;
        let anchors = self.values.len() / BLOCK_VALUES;
        bit_packing::estimate(&self.steps, self.scale) + (self.firsts.len() + anchors) * width / 8 + 64
    }

    /// Share of the steps that are zero, in percent.
    pub fn still(&self) -> usize {
        self.steps.iter().filter(|step| **step == 0).count() * 100 / self.steps.len().max(1)
    }

    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(tag::STEPS);
        out.extend_from_slice(&(self.firsts.len() as u32).to_le_bytes());
        let anchors: Vec<i64> =
            self.values.chunks(BLOCK_VALUES).filter_map(|block| block.last().copied()).collect();
        let anchors = &anchors[..anchors.len().saturating_sub(1)];
        put_part(out, |out| choose::encode_integers(&self.firsts, DEPTH, out));
        put_part(out, |out| choose::encode_integers(anchors, DEPTH, out));
        bit_packing::encode(&self.steps, self.scale, out);
    }
}

/// The parts of a node.
struct Parts<'a> {
    /// Nodes of first values, values before each block but the first, steps.
    firsts: Input<'a>,
    anchors: Input<'a>,
    steps: Input<'a>,
}

fn parts(mut input: Input<'_>, series: usize) -> Decoded<Parts<'_>> {
    if input.u32()? as usize != series {
        return Err(Malformed("the key has another number of series than the values"));
    }
    let (firsts, anchors) = (input.part()?, input.part()?);
    if input.u8()? != tag::BIT_PACKED {
        return Err(Malformed("steps are not bit-packed"));
    }
    Ok(Parts { firsts, anchors, steps: input })
}

/// Every value, in the order of series; each as `convert` makes it.
fn decode_as<T>(input: Input<'_>, order: &Order, mut convert: impl FnMut(i64) -> T) -> Decoded<Vec<T>> {
    let rows = order.positions.len();
    let Parts { firsts, steps, .. } = parts(input, order.series())?;
    let firsts: Vec<i64> = integer::decode(firsts, order.series(), DEPTH)?;
    let mut out = Vec::with_capacity(rows);
    let mut starts =
        order.starts.iter().map(|start| *start as usize).zip(firsts.into_iter().map(Some).chain([None]));
    let (mut next, mut first) = starts.next().unwrap_or((0, None));
    let mut value = 0i64;
    let mut begin = 0;
    bit_packing::decode_blocks(steps, rows, |block| {
        let mut left = block.differences;
        let end = begin + left.len();
        while let [_, tail @ ..] = left {
            if let Some(found) = first.filter(|_| next == end - left.len()) {
                value = found;
                out.push(convert(value));
                (next, first) = starts.next().unwrap_or((rows, None));
                left = tail;
            }
            let inside = left.len().min(next - (end - left.len()));
            let (inside, after) = left.split_at(inside);
            out.extend(inside.iter().map(|difference| {
                let step = block.reference.wrapping_add((*difference as i64).wrapping_mul(block.scale));
                value = value.wrapping_add(step);
                convert(value)
            }));
            left = after;
        }
        begin = end;
    })?;
    Ok(out)
}

pub(super) fn decode(input: Input<'_>, order: &Order) -> Decoded<Vec<i64>> {
    decode_as(input, order, |value| value)
}

/// [`decode`] where every value fits in 32 bits, as nearly always; `None` where one does not.
pub(super) fn decode_narrow(input: Input<'_>, order: &Order) -> Decoded<Option<Vec<i32>>> {
    let mut cut = 0;
    let values = decode_as(input, order, |value| {
        cut |= value ^ i64::from(value as i32);
        value as i32
    })?;
    Ok((cut == 0).then_some(values))
}

/// The values at some places, each as `convert` makes it; only the blocks that hold them are unpacked.
pub(super) fn pick<T: Copy + Default>(
    input: Input<'_>,
    key: &SeriesKey,
    places: &Places,
    convert: impl Fn(i64) -> T,
) -> Decoded<Vec<T>> {
    let rows = key.rows();
    let Parts { firsts, anchors, steps } = parts(input, key.series())?;
    let firsts: Vec<i64> = integer::decode(firsts, key.series(), DEPTH)?;
    let blocks = Blocks::read(steps, rows)?;
    let anchors: Vec<i64> = integer::decode(anchors, blocks.count().saturating_sub(1), DEPTH)?;
    let mut out = vec![T::default(); places.list.len()];
    let mut unpacked = [0; BLOCK_VALUES];
    // The block at hand, and the last value found in it: its series, position and value.
    let mut block = usize::MAX;
    let mut last = (u32::MAX, 0, 0i64);
    for (place, number) in &places.ascending {
        let position = place.position as usize;
        if position / BLOCK_VALUES != block {
            block = position / BLOCK_VALUES;
            blocks.values(block, &mut unpacked)?;
            last.0 = u32::MAX;
        }
        let begin = block * BLOCK_VALUES;
        let (at, mut value) = match last {
            (series, at, value) if series == place.series => (at, value),
            _ if place.start as usize >= begin => {
                let first =
                    firsts.get(place.series as usize).ok_or(Malformed("a series has no first value"))?;
                (place.start as usize, *first)
            }
            _ => {
                let before = anchors.get(block - 1).ok_or(Malformed("a block has no value before it"))?;
                (begin - 1, *before)
            }
        };
        // `at` may stand before the block: what follows it then is the block's first step.
        for step in &unpacked[at + 1 - begin..=position - begin] {
            value = value.wrapping_add(*step);
        }
        last = (place.series, position, value);
        out[*number as usize] = convert(value);
    }
    Ok(out)
}
