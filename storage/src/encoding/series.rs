//! Values in the order of the series that they belong to.
//!
//! Rows of metrics come in the order of time, with the sources in turns: neighbours have nothing to do with each
//! other. Where a text column names the source, a value is close to the one before it of the same source, and the
//! values of one source that stand together are read without those of others. A chunk of this encoding names the
//! key columns; their dictionary codes say how its values are permuted, so that the permutation costs nothing.
//!
//! `choose` finds the key of a row group, `steps` has the encoding of the permuted integers.

mod choose;
mod encode;
mod key;
mod steps;

pub(crate) use choose::{Candidate, choose};
pub(crate) use encode::{Series, encode_integers, encode_reals};
pub(crate) use key::{Place, SeriesKey};

use super::input::{Decoded, Input, Malformed};
use super::{alp, integer, real};
use crate::format::encoding_tag as tag;

/// Most key columns of a chunk.
pub(crate) const KEYS_MAX: usize = 4;

/// The ids of the key columns and the node of the values in the order of series; `None` for other nodes.
pub(crate) fn parts(mut input: Input<'_>) -> Decoded<Option<(Vec<u32>, Input<'_>)>> {
    if !matches!(input.u8(), Ok(tag::SERIES)) {
        return Ok(None);
    }
    let count = usize::from(input.u8()?);
    if count == 0 || count > KEYS_MAX {
        return Err(Malformed("a chunk in the order of series has too many keys, or none"));
    }
    let ids = (0..count).map(|_| input.u32()).collect::<Decoded<_>>()?;
    Ok(Some((ids, input)))
}

/// Integers in the order of series, put back into the order of rows by the caller.
fn integers(input: Input<'_>, key: &SeriesKey, depth: u32) -> Decoded<Vec<i64>> {
    let mut body = input;
    match body.u8()? {
        tag::STEPS => steps::decode(body, key.order()),
        _ => integer::decode(input, key.rows(), depth),
    }
}

/// Every value of a node of integers, in the order of rows.
pub(crate) fn decode_integers(input: Input<'_>, key: &SeriesKey) -> Decoded<Vec<i64>> {
    Ok(key.order().to_rows(&integers(input, key, 0)?))
}

/// Every value of a node of doubles, in the order of rows.
pub(crate) fn decode_reals(input: Input<'_>, key: &SeriesKey) -> Decoded<Vec<f64>> {
    let mut body = input;
    let values = match body.u8()? {
        tag::ALP => alp::decode_with(body, key.rows(), |node| integers(node, key, 1))?,
        _ => real::decode(input, key.rows())?,
    };
    Ok(key.order().to_rows(&values))
}

/// The values of a node of integers at some places.
pub(crate) fn pick_integers(input: Input<'_>, key: &SeriesKey, places: &[Place]) -> Decoded<Vec<i64>> {
    pick(input, key, places, 0)
}

fn pick(input: Input<'_>, key: &SeriesKey, places: &[Place], depth: u32) -> Decoded<Vec<i64>> {
    let mut body = input;
    match body.u8()? {
        tag::STEPS => steps::pick(body, key, places),
        _ => {
            let values: Vec<i64> = integer::decode(input, key.rows(), depth)?;
            Ok(places.iter().map(|place| values[place.position as usize]).collect())
        }
    }
}

/// The values of a node of doubles at some places.
pub(crate) fn pick_reals(input: Input<'_>, key: &SeriesKey, places: &[Place]) -> Decoded<Vec<f64>> {
    let mut body = input;
    match body.u8()? {
        tag::ALP => {
            let positions: Vec<u32> = places.iter().map(|place| place.position).collect();
            alp::pick(body, key.rows(), &positions, |node| pick(node, key, places, 1))
        }
        _ => {
            let values = real::decode(input, key.rows())?;
            Ok(places.iter().map(|place| values[place.position as usize]).collect())
        }
    }
}
