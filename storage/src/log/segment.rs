//! One file of the log: its header, and reading its records whatever happened to the file.

use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64;

use crate::error::{Result, StorageError};
use crate::log::record::{ALIGNMENT, HEADER_BYTES, HeaderError, RecordHeader, RecordKind};

/// Bytes of a segment header.
pub const SEGMENT_HEADER_BYTES: usize = 48;

const MAGIC: &[u8; 8] = b"CSHLOG\r\n";

/// Version of the log: 2 has columns in few bits, and all that 1 has.
const LOG_VERSION: u32 = 2;

/// The file of a segment.
pub fn segment_path(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("{number:016x}.log"))
}

/// The number in a segment's file name.
pub fn segment_number(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?.strip_suffix(".log")?;
    if name.len() == 16 { u64::from_str_radix(name, 16).ok() } else { None }
}

/// The header of a segment.
pub fn encode_segment_header(number: u64, created_ticks: i64) -> [u8; SEGMENT_HEADER_BYTES] {
    let mut bytes = [0u8; SEGMENT_HEADER_BYTES];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..12].copy_from_slice(&LOG_VERSION.to_le_bytes());
    bytes[16..24].copy_from_slice(&number.to_le_bytes());
    bytes[24..32].copy_from_slice(&created_ticks.to_le_bytes());
    let checksum = xxh3_64(&bytes[..40]);
    bytes[40..].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

/// A record that is as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundRecord {
    pub offset: usize,
    pub header: RecordHeader,
}

impl FoundRecord {
    /// The stored payload in the bytes of the segment.
    pub fn payload<'a>(&self, segment: &'a [u8]) -> &'a [u8] {
        let start = self.offset + HEADER_BYTES;
        &segment[start..start + self.header.stored_length as usize]
    }
}

/// Bytes of a segment that are not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    pub offset: usize,
    /// First byte after it.
    pub end: usize,
    /// The header of the damaged record, when that is whole.
    pub header: Option<RecordHeader>,
    pub detail: String,
}

/// What a segment holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SegmentContents {
    pub records: Vec<FoundRecord>,
    pub damages: Vec<Damage>,
    /// Where a record or a request begins that was never completed: the end of a write that a crash cut off.
    pub torn_at: Option<usize>,
}

/// Reads a segment. `last`: nothing was written after it, so an incomplete end is a torn write and no damage.
/// Only a newer format version is an error.
pub fn read_segment(path: &Path, bytes: &[u8], last: bool) -> Result<SegmentContents> {
    let mut contents = SegmentContents::default();
    let mut at = read_header(path, bytes, last, &mut contents)?;
    let mut last_sequence = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        match RecordHeader::decode(rest) {
            Ok(header) if header.record_bytes() <= rest.len() => {
                let end = at + header.record_bytes();
                if xxh3_64(&bytes[at + HEADER_BYTES..end]) == header.payload_checksum {
                    contents.records.push(FoundRecord { offset: at, header });
                } else if last && bytes[end..].iter().all(|byte| *byte == 0) && ends_in_zeros(&bytes[at..end])
                {
                    contents.torn_at = Some(at);
                    break;
                } else {
                    contents.damages.push(Damage {
                        offset: at,
                        end,
                        header: Some(header),
                        detail: "the checksum of a record does not match".to_owned(),
                    });
                }
                if header.kind == RecordKind::Rows {
                    last_sequence = header.sequence;
                }
                at = end;
            }
            Ok(header) => {
                if last {
                    contents.torn_at = Some(at);
                } else {
                    let detail = "a record is cut off".to_owned();
                    contents.damages.push(Damage {
                        offset: at,
                        end: bytes.len(),
                        header: Some(header),
                        detail,
                    });
                }
                break;
            }
            Err(HeaderError::Short) if last => {
                contents.torn_at = Some(at);
                break;
            }
            Err(_) if last && rest.iter().all(|byte| *byte == 0) => {
                contents.torn_at = Some(at);
                break;
            }
            Err(_) => {
                let next = find_record(bytes, at + 1, last_sequence);
                let end = next.unwrap_or(bytes.len());
                let detail = "bytes that are no record".to_owned();
                contents.damages.push(Damage { offset: at, end, header: None, detail });
                at = end;
            }
        }
    }
    if last {
        drop_incomplete_request(&mut contents, bytes.len());
    }
    Ok(contents)
}

fn read_header(path: &Path, bytes: &[u8], last: bool, contents: &mut SegmentContents) -> Result<usize> {
    let Some(header) = bytes.first_chunk::<SEGMENT_HEADER_BYTES>() else {
        if last {
            contents.torn_at = Some(0);
        } else {
            let detail = "the file is shorter than its header".to_owned();
            contents.damages.push(Damage { offset: 0, end: bytes.len(), header: None, detail });
        }
        return Ok(bytes.len());
    };
    let mut stored = [0u8; 8];
    stored.copy_from_slice(&header[40..]);
    let mut version = [0u8; 4];
    version.copy_from_slice(&header[8..12]);
    let version = u32::from_le_bytes(version);
    if &header[..8] == MAGIC && xxh3_64(&header[..40]) == u64::from_le_bytes(stored) {
        if version > LOG_VERSION {
            return Err(StorageError::NewerVersion {
                path: path.to_owned(),
                found: version,
                supported: LOG_VERSION,
            });
        }
        return Ok(SEGMENT_HEADER_BYTES);
    }
    if last && bytes.iter().all(|byte| *byte == 0) {
        contents.torn_at = Some(0);
        return Ok(bytes.len());
    }
    contents.damages.push(Damage {
        offset: 0,
        end: SEGMENT_HEADER_BYTES,
        header: None,
        detail: "the header of the segment is damaged".to_owned(),
    });
    Ok(SEGMENT_HEADER_BYTES)
}

/// A torn write after a power failure: the file has its length but its last sectors were never written.
fn ends_in_zeros(record: &[u8]) -> bool {
    const SECTOR: usize = 512;
    record.len() >= SECTOR && record[record.len() - SECTOR..].iter().all(|byte| *byte == 0)
}

/// The next whole header at or after `from`; a header in the middle of someone's data does not continue the
/// sequence.
fn find_record(bytes: &[u8], from: usize, last_sequence: u64) -> Option<usize> {
    let mut at = from.next_multiple_of(ALIGNMENT);
    while at + HEADER_BYTES <= bytes.len() {
        if RecordHeader::may_begin(&bytes[at..])
            && let Ok(header) = RecordHeader::decode(&bytes[at..])
            && (header.kind == RecordKind::Abort || header.sequence > last_sequence)
        {
            return Some(at);
        }
        at += ALIGNMENT;
    }
    None
}

/// A request whose last record is missing at the end of the last segment was never acknowledged.
fn drop_incomplete_request(contents: &mut SegmentContents, length: usize) {
    let Some(record) = contents.records.last().copied() else { return };
    let end = record.offset + record.header.record_bytes();
    let reaches_the_end = contents.torn_at == Some(end) || end == length;
    if !record.header.more || !reaches_the_end {
        return;
    }
    while let Some(record) = contents.records.pop() {
        contents.torn_at = Some(record.offset);
        if record.header.index == 0 {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn record(sequence: u64, index: u32, more: bool, payload: &[u8]) -> Vec<u8> {
        let mut padded = payload.to_vec();
        padded.resize(payload.len().next_multiple_of(8), 0);
        let header = RecordHeader {
            kind: RecordKind::Rows,
            compressed: false,
            more,
            index,
            sequence,
            table: Uuid::from_u128(9),
            stored_length: payload.len() as u32,
            raw_length: payload.len() as u32,
            rows: 1,
            time: (1, 2),
            payload_checksum: xxh3_64(&padded),
        };
        let mut bytes = header.encode().to_vec();
        bytes.extend_from_slice(&padded);
        bytes
    }

    fn segment(records: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = encode_segment_header(3, 4).to_vec();
        records.iter().for_each(|record| bytes.extend_from_slice(record));
        bytes
    }

    fn sequences(contents: &SegmentContents) -> Vec<u64> {
        contents.records.iter().map(|record| record.header.sequence).collect()
    }

    #[test]
    fn a_cut_at_any_byte_loses_only_the_last_record() {
        let records =
            [record(1, 0, false, b"one"), record(2, 0, false, &[7; 100]), record(3, 0, false, b"three")];
        let bytes = segment(&records);
        let mut ends = vec![SEGMENT_HEADER_BYTES];
        for record in &records {
            ends.push(ends[ends.len() - 1] + record.len());
        }
        for length in 0..bytes.len() {
            let contents = read_segment(Path::new("x"), &bytes[..length], true).unwrap();
            let whole = ends.iter().filter(|end| **end <= length).count();
            assert!(contents.damages.is_empty(), "cut at {length}: {:?}", contents.damages);
            assert_eq!(contents.records.len(), whole.saturating_sub(1), "cut at {length}");
            let clean = length > 0 && ends.contains(&length);
            assert_eq!(contents.torn_at.is_none(), clean, "cut at {length}");
        }
    }

    #[test]
    fn every_flipped_bit_is_found_and_costs_at_most_one_record() {
        let bytes =
            segment(&[record(1, 0, false, b"one"), record(2, 0, false, &[7; 50]), record(3, 0, false, b"x")]);
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            for last in [false, true] {
                let contents = read_segment(Path::new("x"), &flipped, last).unwrap();
                assert_eq!(contents.damages.len(), 1, "bit {bit}");
                assert!(contents.records.len() >= 2, "bit {bit}");
                assert_eq!(contents.torn_at, None, "bit {bit}");
            }
        }
    }

    #[test]
    fn an_incomplete_request_at_the_end_counts_as_torn() {
        let whole =
            segment(&[record(1, 0, false, b"one"), record(2, 0, true, b"a"), record(3, 1, false, b"b")]);
        assert_eq!(sequences(&read_segment(Path::new("x"), &whole, true).unwrap()), [1, 2, 3]);
        let cut = segment(&[record(1, 0, false, b"one"), record(2, 0, true, b"a"), record(3, 1, true, b"b")]);
        for extra in [0, 5, 90] {
            let mut bytes = cut.clone();
            bytes.extend_from_slice(&record(4, 2, false, &[1; 64])[..extra]);
            let contents = read_segment(Path::new("x"), &bytes, true).unwrap();
            assert_eq!(sequences(&contents), [1], "{extra} bytes of the next record");
            assert_eq!(contents.torn_at, Some(SEGMENT_HEADER_BYTES + 88));
        }
    }

    #[test]
    fn zeros_at_the_end_are_a_torn_write() {
        let mut bytes = segment(&[record(1, 0, false, b"one")]);
        let end = bytes.len();
        bytes.resize(end + 4096, 0);
        let contents = read_segment(Path::new("x"), &bytes, true).unwrap();
        assert_eq!((sequences(&contents), contents.torn_at), (vec![1], Some(end)));
        assert!(contents.damages.is_empty());
    }
}
