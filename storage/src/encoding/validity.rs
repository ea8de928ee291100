//! Which rows of a chunk are null: none, all, a bit a row, or a roaring bitmap of the null rows.

use arrow_buffer::{BooleanBuffer, NullBuffer};
use roaring::RoaringBitmap;

use super::input::{Decoded, Input, Malformed};
use crate::format::validity as tag;

/// What the validity of a chunk says.
#[derive(Clone, Debug)]
pub(crate) enum Validity {
    AllValid,
    AllNull,
    Some(NullBuffer),
}

pub(crate) fn encode(nulls: Option<&NullBuffer>, rows: usize, out: &mut Vec<u8>) {
    let Some(nulls) = nulls.filter(|nulls| nulls.null_count() > 0) else {
        return out.push(tag::ALL_VALID);
    };
    if nulls.null_count() == rows {
        return out.push(tag::ALL_NULL);
    }
    let mut bitmap = RoaringBitmap::new();
    let missing = !nulls.inner();
    for (start, end) in missing.set_slices() {
        bitmap.insert_range(start as u32..end as u32);
    }
    bitmap.optimize();
    if bitmap.serialized_size() < rows.div_ceil(8) {
        out.push(tag::ROARING_NULLS);
        out.extend_from_slice(&(bitmap.serialized_size() as u32).to_le_bytes());
        // Writing into a Vec cannot fail.
        let _ = bitmap.serialize_into(&mut *out);
    } else {
        out.push(tag::BITMAP);
        let start = out.len();
        out.resize(start + rows.div_ceil(8), 0);
        for row in nulls.inner().set_indices() {
            out[start + row / 8] |= 1 << (row % 8);
        }
    }
}

pub(crate) fn decode(input: &mut Input<'_>, rows: usize) -> Decoded<Validity> {
    match input.u8()? {
        tag::ALL_VALID => Ok(Validity::AllValid),
        tag::ALL_NULL => Ok(Validity::AllNull),
        tag::BITMAP => {
            let bytes = input.take(rows.div_ceil(8))?;
            let bits = BooleanBuffer::new(bytes.to_vec().into(), 0, rows);
            Ok(Validity::Some(NullBuffer::new(bits)))
        }
        tag::ROARING_NULLS => {
            let bytes = input.part()?.rest();
            let bitmap = RoaringBitmap::deserialize_from(bytes)
                .map_err(|_| Malformed("the bitmap of null rows does not decode"))?;
            if bitmap.max().is_some_and(|last| last as usize >= rows) {
                return Err(Malformed("a null row lies outside the row group"));
            }
            let mut bits = arrow_buffer::BooleanBufferBuilder::new(rows);
            bits.append_n(rows, true);
            for row in &bitmap {
                bits.set_bit(row as usize, false);
            }
            Ok(Validity::Some(NullBuffer::new(bits.finish())))
        }
        _ => Err(Malformed("unknown kind of validity")),
    }
}
