//! Values of 16 bytes (guids, decimals): as they are, zstd, or a dictionary.

use super::dictionary::{self, Coded};
use super::input::{Decoded, Input, Malformed};
use super::zstd_block;
use crate::format::encoding_tag as tag;

type Value = [u8; 16];

fn encode_plain(values: &[Value], level: i32, out: &mut Vec<u8>) {
    let bytes = values.as_flattened();
    match zstd_block::compress(bytes, level) {
        Some(frame) => {
            out.push(tag::FIXED16_ZSTD);
            out.extend_from_slice(&frame);
        }
        None => {
            out.push(tag::FIXED16);
            out.extend_from_slice(bytes);
        }
    }
}

/// Appends the smaller of a plain and a dictionary node.
pub(crate) fn encode(values: &[Value], level: i32, out: &mut Vec<u8>) {
    let coded = dictionary::assign(values.iter().copied(), values.len() / 4 + 1);
    match coded {
        Some(coded) => encode_dictionary(&coded, level, out),
        None => encode_plain(values, level, out),
    }
}

fn encode_dictionary(coded: &Coded<Value>, level: i32, out: &mut Vec<u8>) {
    dictionary::encode(coded, 0, out, |values, out| encode_plain(values, level, out));
}

/// The values, 16 bytes each, end to end.
pub(crate) fn decode(mut input: Input<'_>, rows: usize) -> Decoded<Vec<u8>> {
    let length = rows * 16;
    match input.u8()? {
        tag::FIXED16 => {
            let bytes = input.rest();
            if bytes.len() != length {
                return Err(Malformed("16-byte values of the wrong length"));
            }
            Ok(bytes.to_vec())
        }
        tag::FIXED16_ZSTD => zstd_block::decompress(input.rest(), length),
        tag::DICTIONARY => {
            let (count, mut values, codes) = dictionary::parts(input, rows)?;
            let bytes = match values.u8()? {
                tag::FIXED16 => values.rest().to_vec(),
                tag::FIXED16_ZSTD => zstd_block::decompress(values.rest(), count * 16)?,
                _ => return Err(Malformed("unknown encoding of 16-byte values")),
            };
            if bytes.len() != count * 16 {
                return Err(Malformed("16-byte values of the wrong length"));
            }
            let values = bytes.as_chunks::<16>().0;
            let codes = dictionary::decode_codes(codes, rows, count, 0)?;
            Ok(codes.iter().flat_map(|code| values[*code as usize]).collect())
        }
        _ => Err(Malformed("unknown encoding of 16-byte values")),
    }
}
