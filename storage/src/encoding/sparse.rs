//! One value that most rows have, and the others with their rows: for flags, optional fields and codes of
//! texts that are mostly empty.

use roaring::RoaringBitmap;

use super::choose;
use super::input::{Decoded, Input, Malformed, put_part};
use super::integer::{self, Target};
use crate::format::encoding_tag as tag;

/// The value of more than three quarters of the rows, if there is one.
pub(crate) fn common_value(values: &[i64]) -> Option<i64> {
    // Boyer and Moore's vote: a value with a majority survives it.
    let (mut candidate, mut votes) = (0, 0usize);
    for value in values {
        if votes == 0 {
            candidate = *value;
        }
        if *value == candidate {
            votes += 1;
        } else {
            votes -= 1;
        }
    }
    let count = values.iter().filter(|value| **value == candidate).count();
    (count > values.len() / 4 * 3).then_some(candidate)
}

pub(crate) fn encode(values: &[i64], common: i64, depth: u32, out: &mut Vec<u8>) {
    let others = || values.iter().enumerate().filter(|(_, value)| **value != common);
    let mut rows = RoaringBitmap::new();
    // Rows ascend, so that appending cannot fail.
    let _ = rows.append(others().map(|(row, _)| row as u32));
    rows.optimize();
    let exceptions: Vec<i64> = others().map(|(_, value)| *value).collect();
    out.push(tag::SPARSE);
    out.extend_from_slice(&common.to_le_bytes());
    out.extend_from_slice(&(exceptions.len() as u32).to_le_bytes());
    put_part(out, |out| {
        // Writing into a Vec cannot fail.
        let _ = rows.serialize_into(out);
    });
    put_part(out, |out| choose::encode_integers(&exceptions, depth + 1, out));
}

pub(crate) fn decode<T: Target>(mut input: Input<'_>, rows: usize, depth: u32) -> Decoded<Vec<T>> {
    let common = T::from_integer(input.i64()?);
    let count = input.count(rows)?;
    let positions = positions(&mut input, count, rows)?;
    let exceptions: Vec<T> = integer::decode(input.part()?, count, depth + 1)?;
    input.finish()?;
    let mut out = vec![common; rows];
    for (row, value) in positions.iter().zip(exceptions) {
        out[row as usize] = value;
    }
    Ok(out)
}

/// The values at places that ascend and exist.
pub(crate) fn pick(mut input: Input<'_>, rows: usize, depth: u32, wanted: &[u32]) -> Decoded<Vec<i64>> {
    let common = input.i64()?;
    let count = input.count(rows)?;
    let positions = positions(&mut input, count, rows)?;
    // Which exceptions are wanted, and where they go.
    let (mut exceptions, mut slots) = (Vec::new(), Vec::new());
    for (slot, place) in wanted.iter().enumerate() {
        if positions.contains(*place) {
            exceptions.push(positions.rank(*place) as u32 - 1);
            slots.push(slot);
        }
    }
    let values = integer::pick(input.part()?, count, depth + 1, &exceptions)?;
    input.finish()?;
    let mut out = vec![common; wanted.len()];
    for (slot, value) in slots.into_iter().zip(values) {
        out[slot] = value;
    }
    Ok(out)
}

/// The rows of the exceptions.
fn positions(input: &mut Input<'_>, count: usize, rows: usize) -> Decoded<RoaringBitmap> {
    let positions = RoaringBitmap::deserialize_from(input.part()?.rest())
        .map_err(|_| Malformed("the bitmap of exceptions does not decode"))?;
    if positions.len() != count as u64 || positions.max().is_some_and(|last| last as usize >= rows) {
        return Err(Malformed("the bitmap of exceptions has other rows than the chunk"));
    }
    Ok(positions)
}
