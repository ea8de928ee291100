//! Truth values: a bit a row, least significant first; or constant and runs as integers 0 and 1.

use arrow_buffer::BooleanBuffer;

use super::input::{Decoded, Input, Malformed};
use super::{choose, integer};
use crate::format::encoding_tag as tag;

pub(crate) fn encode(values: &[bool], out: &mut Vec<u8>) {
    let integers: Vec<i64> = values.iter().map(|value| i64::from(*value)).collect();
    let mut node = Vec::new();
    choose::encode_integers(&integers, 0, &mut node);
    let bytes = values.len().div_ceil(8);
    if node.len() <= 9 || node.len() < bytes / 2 {
        out.extend_from_slice(&node);
        return;
    }
    out.push(tag::BITMAP);
    let start = out.len();
    out.resize(start + bytes, 0);
    for (row, value) in values.iter().enumerate() {
        out[start + row / 8] |= u8::from(*value) << (row % 8);
    }
}

pub(crate) fn decode(input: Input<'_>, rows: usize) -> Decoded<BooleanBuffer> {
    let mut body = input;
    if body.u8()? != tag::BITMAP {
        let values: Vec<u8> = integer::decode(input, rows, 0)?;
        return Ok(BooleanBuffer::collect_bool(rows, |row| values[row] != 0));
    }
    let bytes = body.rest();
    if bytes.len() != rows.div_ceil(8) {
        return Err(Malformed("a bitmap of the wrong length"));
    }
    Ok(BooleanBuffer::new(bytes.to_vec().into(), 0, rows))
}
