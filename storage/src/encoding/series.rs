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
pub(crate) use key::{Places, SeriesKey};

use super::dictionary::fast_map;
use super::input::{Decoded, Input, Malformed};
use super::integer::Target;
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

/// A node of integers in the order of series.
fn integers(input: Input<'_>, key: &SeriesKey, depth: u32) -> Decoded<Vec<i64>> {
    match steps_body(input) {
        Some(body) => steps::decode(body, key.order()),
        None => integer::decode(input, key.rows(), depth),
    }
}

/// The body of a node of steps.
fn steps_body(mut input: Input<'_>) -> Option<Input<'_>> {
    matches!(input.u8(), Ok(tag::STEPS)).then_some(input)
}

/// Every value of a node of integers, in the order of rows.
pub(crate) fn decode_integers<T: Target>(input: Input<'_>, key: &SeriesKey) -> Decoded<Vec<T>> {
    let order = key.order();
    if let Some(body) = steps_body(input)
        && let Some(values) = steps::decode_narrow(body, order)?
    {
        return Ok(order.to_rows(&values, |value| T::from_integer(value.into())));
    }
    Ok(order.to_rows(&integers(input, key, 0)?, T::from_integer))
}

/// Every value of a node of doubles, in the order of rows.
pub(crate) fn decode_reals(input: Input<'_>, key: &SeriesKey) -> Decoded<Vec<f64>> {
    let order = key.order();
    let Some(body) = alp_body(input) else {
        return Ok(order.to_rows(&real::decode(input, key.rows())?, |value| value));
    };
    let parts = alp::Parts::read(body, key.rows())?;
    let exponents = parts.exponents;
    if parts.exceptions.is_empty()
        && let Some(body) = steps_body(parts.integers)
        && let Some(values) = steps::decode_narrow(body, order)?
    {
        return Ok(order.to_rows(&values, |value| exponents.to_real(value.into())));
    }
    let integers = integers(parts.integers, key, 1)?;
    let values = integers.iter().map(|integer| exponents.to_real(*integer)).collect();
    Ok(order.to_rows(&parts.except(values)?, |value| value))
}

fn alp_body(mut input: Input<'_>) -> Option<Input<'_>> {
    matches!(input.u8(), Ok(tag::ALP)).then_some(input)
}

/// The values of a node of integers at some places.
pub(crate) fn pick_integers(input: Input<'_>, key: &SeriesKey, places: &Places) -> Decoded<Vec<i64>> {
    pick(input, key, places, 0, |value| value)
}

fn pick<T: Copy + Default>(
    input: Input<'_>,
    key: &SeriesKey,
    places: &Places,
    depth: u32,
    convert: impl Fn(i64) -> T,
) -> Decoded<Vec<T>> {
    match steps_body(input) {
        Some(body) => steps::pick(body, key, places, convert),
        None => {
            let values: Vec<i64> = integer::decode(input, key.rows(), depth)?;
            Ok(places.list.iter().map(|place| convert(values[place.position as usize])).collect())
        }
    }
}

/// The values of a node of doubles at some places.
pub(crate) fn pick_reals(input: Input<'_>, key: &SeriesKey, places: &Places) -> Decoded<Vec<f64>> {
    let Some(body) = alp_body(input) else {
        let values = real::decode(input, key.rows())?;
        return Ok(places.list.iter().map(|place| values[place.position as usize]).collect());
    };
    let parts = alp::Parts::read(body, key.rows())?;
    let mut values = pick(parts.integers, key, places, 1, |integer| parts.exponents.to_real(integer))?;
    if !parts.exceptions.is_empty() {
        let mut exceptions = fast_map();
        exceptions.extend(parts.exceptions);
        for (slot, place) in values.iter_mut().zip(&places.list) {
            *slot = exceptions.get(&place.position).copied().unwrap_or(*slot);
        }
    }
    Ok(values)
}
