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
