//! The frame around one log record: a fixed header with its own checksum, the payload, padding to 8 bytes.

use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_64;

use crate::limits::LOG_RECORD_BYTES_MAX;

/// Bytes of a record header.
pub const HEADER_BYTES: usize = 80;
/// Records begin at multiples of this.
pub const ALIGNMENT: usize = 8;

const MAGIC: [u8; 4] = *b"CSLR";
const FLAG_COMPRESSED: u8 = 1;
const FLAG_MORE: u8 = 2;

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum RecordKind {
    /// A batch of rows.
    Rows = 1,
    /// The bytes of another segment from some offset on were refused: payload is segment number and offset.
    Abort = 2,
}

/// A record header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordHeader {
    pub kind: RecordKind,
    /// The whole payload is a zstd frame: records of earlier versions.
    pub compressed: bool,
    /// The next record belongs to the same request: all of them count or none.
    pub more: bool,
    /// Place in the request, from zero.
    pub index: u32,
    pub sequence: u64,
    pub table: Uuid,
    /// Bytes of the payload as stored, without padding.
    pub stored_length: u32,
    /// Bytes of the payload before compression.
    pub raw_length: u32,
    pub rows: u32,
    /// Bounds of the time column; least > greatest when there are none.
    pub time: (i64, i64),
    /// xxh3 of the stored payload with its padding.
    pub payload_checksum: u64,
}

/// Why bytes are not a record header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderError {
    /// Fewer bytes than a header has.
    Short,
    /// Wrong magic, checksum or values.
    Damaged,
}

/// Stored length with padding.
pub fn padded(length: u32) -> usize {
    (length as usize).next_multiple_of(ALIGNMENT)
}

impl RecordHeader {
    /// Bytes of the whole record.
    pub fn record_bytes(&self) -> usize {
        HEADER_BYTES + padded(self.stored_length)
    }

    /// The bounds of the time column, if there are any.
    pub fn time_range(&self) -> Option<(i64, i64)> {
        (self.time.0 <= self.time.1).then_some(self.time)
    }

    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0u8; HEADER_BYTES];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4] = self.kind as u8;
        bytes[5] = if self.compressed { FLAG_COMPRESSED } else { 0 } | if self.more { FLAG_MORE } else { 0 };
        bytes[8..16].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[16..32].copy_from_slice(self.table.as_bytes());
        bytes[32..36].copy_from_slice(&self.stored_length.to_le_bytes());
        bytes[36..40].copy_from_slice(&self.raw_length.to_le_bytes());
        bytes[40..44].copy_from_slice(&self.rows.to_le_bytes());
        bytes[44..48].copy_from_slice(&self.index.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.time.0.to_le_bytes());
        bytes[56..64].copy_from_slice(&self.time.1.to_le_bytes());
        bytes[64..72].copy_from_slice(&self.payload_checksum.to_le_bytes());
        let checksum = xxh3_64(&bytes[..72]);
        bytes[72..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    pub fn decode(bytes: &[u8]) -> Result<RecordHeader, HeaderError> {
        let Some(bytes) = bytes.first_chunk::<HEADER_BYTES>() else { return Err(HeaderError::Short) };
        if bytes[..4] != MAGIC || xxh3_64(&bytes[..72]) != read_u64(bytes, 72) {
            return Err(HeaderError::Damaged);
        }
        let kind = match bytes[4] {
            1 => RecordKind::Rows,
            2 => RecordKind::Abort,
            _ => return Err(HeaderError::Damaged),
        };
        let mut table = [0u8; 16];
        table.copy_from_slice(&bytes[16..32]);
        let header = RecordHeader {
            kind,
            compressed: bytes[5] & FLAG_COMPRESSED != 0,
            more: bytes[5] & FLAG_MORE != 0,
            index: read_u32(bytes, 44),
            sequence: read_u64(bytes, 8),
            table: Uuid::from_bytes(table),
            stored_length: read_u32(bytes, 32),
            raw_length: read_u32(bytes, 36),
            rows: read_u32(bytes, 40),
            time: (read_u64(bytes, 48) as i64, read_u64(bytes, 56) as i64),
            payload_checksum: read_u64(bytes, 64),
        };
        if header.stored_length > LOG_RECORD_BYTES_MAX || header.raw_length > LOG_RECORD_BYTES_MAX {
            return Err(HeaderError::Damaged);
        }
        Ok(header)
    }

    /// Whether bytes may begin with a header: its magic.
    pub fn may_begin(bytes: &[u8]) -> bool {
        bytes.starts_with(&MAGIC)
    }
}

fn read_u32(bytes: &[u8; HEADER_BYTES], at: usize) -> u32 {
    let mut value = [0u8; 4];
    value.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(value)
}

fn read_u64(bytes: &[u8; HEADER_BYTES], at: usize) -> u64 {
    let mut value = [0u8; 8];
    value.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_survives_the_round_trip_and_no_flipped_bit() {
        let header = RecordHeader {
            kind: RecordKind::Rows,
            compressed: true,
            more: true,
            index: 7,
            sequence: 1 << 40,
            table: Uuid::from_u128(0x1234_5678_9abc),
            stored_length: 1001,
            raw_length: 5000,
            rows: 17,
            time: (-5, 9),
            payload_checksum: u64::MAX - 3,
        };
        let bytes = header.encode();
        assert_eq!(RecordHeader::decode(&bytes), Ok(header));
        assert_eq!(header.record_bytes(), 80 + 1008);
        for bit in 0..HEADER_BYTES * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(RecordHeader::decode(&flipped), Err(HeaderError::Damaged), "bit {bit}");
        }
        assert_eq!(RecordHeader::decode(&bytes[..79]), Err(HeaderError::Short));
    }
}
