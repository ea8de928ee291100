//! Nodes of doubles: ALP, split bytes, or their bits as integers (constant, runs, dictionary, raw).

use super::input::{Decoded, Input};
use super::{alp, integer, split_zstd};
use crate::format::encoding_tag as tag;

pub(crate) fn decode(input: Input<'_>, rows: usize) -> Decoded<Vec<f64>> {
    let mut body = input;
    match body.u8()? {
        tag::ALP => alp::decode(body, rows),
        tag::SPLIT_ZSTD => split_zstd::decode(body, rows),
        _ => integer::decode(input, rows, 0),
    }
}

/// The values at places that ascend and exist.
pub(crate) fn pick(input: Input<'_>, rows: usize, wanted: &[u32]) -> Decoded<Vec<f64>> {
    let mut body = input;
    match body.u8()? {
        tag::ALP if integer::are_few(wanted.len(), rows) => alp::pick(body, rows, wanted),
        tag::ALP | tag::SPLIT_ZSTD => {
            let values = decode(input, rows)?;
            Ok(wanted.iter().map(|place| values[*place as usize]).collect())
        }
        _ => {
            let bits = integer::pick(input, rows, 0, wanted)?;
            Ok(bits.iter().map(|bits| f64::from_bits(*bits as u64)).collect())
        }
    }
}
