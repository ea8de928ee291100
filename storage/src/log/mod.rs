//! The log: acknowledged rows on disk before they are in extents.
//!
//! `payload` turns a batch into bytes and back, `record` frames it, `segment` reads a file of records whatever
//! happened to it, `writer` appends to the newest one and frees the oldest, `replay` puts a directory of them
//! together at open, `commit` is the thread that many appends share. See FORMAT.md, section "Log".

pub mod commit;
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
