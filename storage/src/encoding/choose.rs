//! Picks an encoding by looking at the data: the smallest, with a bias to what decodes fast.

use arrow_buffer::NullBuffer;

use super::dictionary::{self, Coded};
use super::integer::NESTING_MAX;
use super::series::{self, Series};
use super::{alp, bit_packing, copies, delta, raw, run_length, sparse, split_zstd, text};
use crate::format::{BLOCK_VALUES, encoding_tag as tag};

/// Most distinct integers of a dictionary: its values should stay in the fastest cache.
const INTEGER_DICTIONARY_MAX: usize = 4096;

/// Rows looked at before the distinct values of a text column are counted in full.
const TEXT_SAMPLE: usize = 4096;

/// The largest number that divides all differences between the values (1 where there is none above it).
pub(crate) fn common_factor(values: &[i64], min: i64) -> u64 {
    let mut factor = 0u64;
    for value in values {
        let difference = value.wrapping_sub(min) as u64;
        if factor == 0 || !difference.is_multiple_of(factor) {
            factor = greatest_common_divisor(difference, factor);
            if factor == 1 {
                return 1;
            }
        }
    }
    factor.max(1)
}

fn greatest_common_divisor(mut left: u64, mut right: u64) -> u64 {
    while right != 0 {
        (left, right) = (right, left % right);
    }
    left
}

/// Appends the node of integers that is smallest; `depth` counts the nodes around it.
pub(crate) fn encode_integers(values: &[i64], depth: u32, out: &mut Vec<u8>) {
    let (min, max) = bit_packing::bounds(values);
    if min >= max {
        out.push(tag::CONSTANT);
        out.extend_from_slice(&values.first().copied().unwrap_or(0).to_le_bytes());
        return;
    }
    let scale = common_factor(values, min);
    let delta_scale = delta::usable_scale(values, scale);
    let packed = bit_packing::estimate(values, scale);
    let delta = delta::estimate(values, delta_scale);
    let raw_width = raw::width(min, max);
    let raw = 1 + raw_width * values.len();
    let simple = packed.min(delta).min(raw);
    let nested = if depth < NESTING_MAX { nested(values, packed, simple, depth) } else { None };
    match nested {
        Some(node) => out.extend_from_slice(&node),
        // Bit-packing decodes with less work than differences; raw with the least.
        None if raw <= simple + simple / 16 => raw::encode(values, raw_width, out),
        None if packed <= delta + delta / 10 => bit_packing::encode(values, scale, out),
        None => delta::encode(values, delta_scale, out),
    }
}

/// Of so many blocks one is looked at where the size of all is guessed.
const SAMPLED_BLOCKS: usize = 4;

/// About as many bytes as integers take at least without a node of others inside.
pub(crate) fn simple_bytes(values: &[i64]) -> usize {
    let (min, max) = bit_packing::bounds(values);
    if min >= max {
        return 9;
    }
    let scale = common_factor(values, min);
    let (mut bytes, mut count) = (0, 0);
    for block in values.chunks(BLOCK_VALUES).step_by(SAMPLED_BLOCKS) {
        let delta = delta::estimate(block, delta::usable_scale(block, scale));
        bytes += bit_packing::estimate(block, scale).min(delta);
        count += block.len();
    }
    bytes * values.len() / count.max(1)
}

/// Whether a node of runs, exceptions, a dictionary or copies may be much smaller than others.
pub(crate) fn may_nest(values: &[i64]) -> bool {
    // Exceptions to one value are few distinct values of a sample, too.
    run_length::count(values) <= values.len() / 4 || few_distinct(values) || copies::looks_repeated(values)
}

/// A node of runs, exceptions, copies or a dictionary, where it is clearly smaller than `simple` bytes.
fn nested(values: &[i64], packed: usize, simple: usize, depth: u32) -> Option<Vec<u8>> {
    let mut best: Option<Vec<u8>> = None;
    let mut offer = |node: Vec<u8>| {
        let bound = best.as_ref().map_or(simple - simple / 8, Vec::len);
        if node.len() < bound {
            best = Some(node);
        }
    };
    let runs = run_length::count(values);
    if runs <= values.len() / 4 {
        let mut node = Vec::new();
        run_length::encode(values, depth, &mut node);
        offer(node);
    }
    if values.len() >= 64
        && let Some(common) = sparse::common_value(values)
    {
        let mut node = Vec::new();
        sparse::encode(values, common, depth, &mut node);
        // Scattering the exceptions takes twice the time of unpacking every row.
        if node.len() < simple / 2 {
            offer(node);
        }
    }
    if simple * 8 >= values.len()
        && copies::looks_repeated(values)
        && let Some(node) = copies::encode(values, depth)
    {
        offer(node);
    }
    // Codes of a dictionary of two take a bit a row: only wider values can gain.
    let bits_a_row = packed * 8 / values.len().max(1);
    if bits_a_row >= 6 && few_distinct(values) {
        let coded = dictionary::assign(values.iter().copied(), INTEGER_DICTIONARY_MAX.min(values.len() / 8));
        if let Some(coded) = coded {
            let mut node = Vec::new();
            dictionary::encode(&coded, depth, &mut node, |values, out| {
                encode_integers(values, depth + 1, out);
            });
            offer(node);
        }
    }
    best
}

/// Whether a sample repeats itself enough for a dictionary.
fn few_distinct(values: &[i64]) -> bool {
    let step = (values.len() / 512).max(1);
    let mut sample: Vec<i64> = values.iter().step_by(step).copied().collect();
    let taken = sample.len();
    sample.sort_unstable();
    sample.dedup();
    taken >= 32 && sample.len() * 2 < taken
}

/// Exceptions to decimals, as a share of the values, up to which no other encoding than ALP comes near.
const EXCEPTIONS_SHARE: usize = 256;

/// Appends the node of doubles that is smallest. Values under `nulls` may be any.
pub(crate) fn encode_reals(
    values: &[f64],
    nulls: Option<&NullBuffer>,
    series: Option<&Series>,
    level: i32,
    out: &mut Vec<u8>,
) {
    let bits = || -> Vec<i64> { values.iter().map(|value| value.to_bits() as i64).collect() };
    let first = values.first().map_or(0, |value| value.to_bits());
    if values.iter().all(|value| value.to_bits() == first) {
        return encode_integers(&bits(), 0, out);
    }
    let converted = alp::find(values).map(|exponents| alp::convert(values, exponents));
    let decimals = converted.as_ref().filter(|converted| {
        // The bits of other values need not be tried where nearly all are decimals.
        converted.exceptions.len() * EXCEPTIONS_SHARE <= values.len()
    });
    if let Some((converted, series)) = decimals.zip(series)
        && series::encode_reals(converted, nulls, series, out)
    {
        return;
    }
    let mut best = Vec::new();
    if let Some(converted) = &converted {
        alp::encode(converted.exponents, &converted.exceptions, &mut best, |out| {
            encode_integers(&converted.integers, 1, out);
        });
    }
    if decimals.is_none() {
        let mut node = Vec::new();
        encode_integers(&bits(), 0, &mut node);
        if best.is_empty() || node.len() <= best.len() {
            best = node;
        }
    }
    // Unpacking zstd is several times slower than the rest: it must save a fifth.
    if best.len() * 8 > values.len() * 40 {
        let mut node = Vec::new();
        if split_zstd::encode(values, level, &mut node) && node.len() < best.len() - best.len() / 5 {
            best = node;
        }
    }
    out.extend_from_slice(&best);
}

/// Appends the node of texts that is smallest, and gives the dictionary back where it is one.
pub(crate) fn encode_texts<'a>(
    values: &[&'a [u8]],
    level: i32,
    out: &mut Vec<u8>,
) -> Option<Coded<&'a [u8]>> {
    let sample = &values[..values.len().min(TEXT_SAMPLE)];
    // A sample that hardly repeats itself belongs to ids or messages.
    let sample_repeats =
        dictionary::assign(sample.iter().copied(), sample.len() - sample.len() / 8).is_some();
    let coded = if sample_repeats {
        dictionary::assign(values.iter().copied(), values.len() - values.len() / 4)
    } else {
        None
    };
    let Some(coded) = coded else {
        text::encode_flat(values, level, out);
        return None;
    };
    encode_coded_texts(coded, level, out)
}

/// Like [`encode_texts`] for rows that come with a dictionary.
pub(crate) fn encode_coded_texts<'a>(
    coded: Coded<&'a [u8]>,
    level: i32,
    out: &mut Vec<u8>,
) -> Option<Coded<&'a [u8]>> {
    let mut node = Vec::new();
    text::encode_dictionary(&coded, level, &mut node);
    if coded.values.len() > coded.codes.len() / 5 && coded.codes.len() > 64 {
        let rows: Vec<&[u8]> = coded.codes.iter().map(|code| coded.values[*code as usize]).collect();
        let mut flat = Vec::new();
        text::encode_flat(&rows, level, &mut flat);
        if flat.len() + flat.len() / 10 < node.len() {
            out.extend_from_slice(&flat);
            return None;
        }
    }
    out.extend_from_slice(&node);
    Some(coded)
}
