//! Runs of equal integers: a node of run lengths and a node of run values.

use super::choose;
use super::input::{Decoded, Input, Malformed, put_part};
use super::integer::{self, Target};
use crate::format::encoding_tag as tag;

/// Number of runs.
pub(crate) fn count(values: &[i64]) -> usize {
    match values {
        [] => 0,
        _ => 1 + values.windows(2).filter(|pair| pair[0] != pair[1]).count(),
    }
}

pub(crate) fn encode(values: &[i64], depth: u32, out: &mut Vec<u8>) {
    let (mut lengths, mut heads) = (Vec::new(), Vec::new());
    for run in values.chunk_by(|left, right| left == right) {
        lengths.push(run.len() as i64);
        heads.push(run[0]);
    }
    out.push(tag::RUN_LENGTH);
    out.extend_from_slice(&(heads.len() as u32).to_le_bytes());
    put_part(out, |out| choose::encode_integers(&lengths, depth + 1, out));
    put_part(out, |out| choose::encode_integers(&heads, depth + 1, out));
}

pub(crate) fn decode<T: Target>(mut input: Input<'_>, rows: usize, depth: u32) -> Decoded<Vec<T>> {
    let runs = input.count(rows)?;
    let lengths: Vec<u32> = integer::decode(input.part()?, runs, depth + 1)?;
    let heads: Vec<T> = integer::decode(input.part()?, runs, depth + 1)?;
    input.finish()?;
    let mut out = Vec::with_capacity(rows);
    for (length, head) in lengths.iter().zip(heads) {
        let length = *length as usize;
        if length > rows - out.len() {
            return Err(Malformed("runs are longer than the row group"));
        }
        out.resize(out.len() + length, head);
    }
    if out.len() != rows {
        return Err(Malformed("runs are shorter than the row group"));
    }
    Ok(out)
}

/// The values at places that ascend and exist.
pub(crate) fn pick(mut input: Input<'_>, rows: usize, depth: u32, wanted: &[u32]) -> Decoded<Vec<i64>> {
    let runs = input.count(rows)?;
    let lengths: Vec<u32> = integer::decode(input.part()?, runs, depth + 1)?;
    let mut places = Vec::with_capacity(wanted.len());
    let mut left = wanted.iter().copied().peekable();
    let mut end = 0u64;
    for (run, length) in (0u32..).zip(lengths) {
        end += u64::from(length);
        while left.next_if(|place| u64::from(*place) < end).is_some() {
            places.push(run);
        }
    }
    if end != rows as u64 {
        return Err(Malformed("runs are longer or shorter than the row group"));
    }
    let values = integer::pick(input.part()?, runs, depth + 1, &places)?;
    input.finish()?;
    Ok(values)
}
