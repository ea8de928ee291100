//! The log: acknowledged rows on disk before they are in extents.
//!
//! `payload` turns a batch into bytes and back, `packed` its numbers, `record` frames it, `segment` reads a file of
//! records whatever happened to it, `writer` appends to the newest one and frees the oldest, `replay` puts a directory
//! of them together at open, `commit` is the thread that many appends share. See FORMAT.md, section "Log".

pub mod commit;
mod packed;
pub mod payload;
pub mod record;
pub mod replay;
pub mod segment;
pub mod writer;

/// Entry points for fuzzing: any bytes, no panic.
#[doc(hidden)]
pub mod fuzz {
    /// A segment file, as the newest one and as an older one: what is found lies inside it, in order.
    pub fn fuzz_segment(data: &[u8]) {
        // Random bytes hardly ever begin with a valid header, so every input gets one.
        let mut bytes = super::segment::encode_segment_header(1, 2).to_vec();
        bytes.extend_from_slice(data);
        for last in [false, true] {
            let Ok(contents) = super::segment::read_segment(std::path::Path::new("fuzz"), &bytes, last)
            else {
                continue;
            };
            let mut end = super::segment::SEGMENT_HEADER_BYTES;
            for record in &contents.records {
                assert!(record.offset >= end, "records do not overlap");
                let payload = record.payload(&bytes);
                let _ = super::payload::decode(payload, record.header.compressed, payload.len() as u32);
                end = record.offset + record.header.record_bytes();
            }
            assert!(end <= bytes.len() && contents.torn_at.is_none_or(|at| at >= end && at <= bytes.len()));
        }
    }

    /// Bytes as the packed parts of a payload, and as numbers and texts that come back from being packed.
    pub fn fuzz_packed(data: &[u8]) {
        use super::packed;
        use crate::encoding::input::Input;
        let rows = data.len() * 2;
        let _ = packed::integers::<i64>(Input::new(data), rows);
        let _ = packed::decimals(&mut Input::new(data), rows);
        let _ = packed::hex(&mut Input::new(data), rows);
        let words = data.as_chunks::<8>().0;
        let integers: Vec<i64> = words.iter().map(|word| i64::from_le_bytes(*word)).collect();
        for rising in [false, true] {
            let mut out = Vec::new();
            packed::put_integers(&integers, rising, &mut out);
            let back = Input::new(&out).part().and_then(|part| packed::integers(part, integers.len()));
            assert_eq!(back.as_ref(), Ok(&integers));
        }
        let reals: Vec<f64> = words.iter().map(|word| f64::from_le_bytes(*word)).collect();
        let mut out = Vec::new();
        if packed::put_decimals(&reals, &mut Vec::new(), &mut out) {
            let back = packed::decimals(&mut Input::new(&out), reals.len()).unwrap_or_default();
            assert!(back.iter().map(|real| real.to_bits()).eq(reals.iter().map(|real| real.to_bits())));
        }
        let texts = data.as_chunks::<16>().0;
        out.clear();
        if packed::put_hex(texts.iter().map(|text| text.as_slice()), &mut out) {
            let back = packed::hex(&mut Input::new(&out), texts.len()).map(|(_, bytes)| bytes);
            assert_eq!(back, Ok(texts.concat()));
        }
    }

    /// The payload of a record: what decodes is the same after another round trip.
    pub fn fuzz_payload(data: &[u8]) {
        let _ = super::payload::decode(data, true, 1 << 16);
        let Ok(payload) = super::payload::decode(data, false, data.len() as u32) else { return };
        let Ok(stored) = super::payload::encode(&payload) else { return };
        let bytes = &stored.bytes[..stored.length as usize];
        let again = super::payload::decode(bytes, false, stored.length);
        assert_eq!(again.map(|again| again.rows), Ok(payload.rows));
    }
}
