//! The numbers of the extent file: magics, versions and tags. `FORMAT.md` is the prose beside them.
//!
//! A number that a released version wrote never changes its meaning.

/// First eight bytes of an extent file.
pub const EXTENT_MAGIC: [u8; 8] = *b"CSHELFX\n";
/// Last eight bytes of an extent file.
pub const EXTENT_END_MAGIC: [u8; 8] = *b"\nCSHELFX";
/// The version this code writes, and the newest it reads.
pub const EXTENT_VERSION: u32 = 1;
/// Magic, version and a checksum of both, padded to eight bytes.
pub const EXTENT_HEADER_BYTES: usize = 16;
/// Footer length, footer checksum, file length, checksum of these three, end magic.
pub const EXTENT_POSTSCRIPT_BYTES: usize = 40;
/// Chunks and index sections start and end at multiples of this, so that fixed-width values can be used
/// where they lie.
pub const EXTENT_ALIGNMENT: usize = 8;

/// Values of one block of a bit-packed stream.
pub const BLOCK_VALUES: usize = 1024;
/// Values that lie side by side in a bit-packed block; `BLOCK_VALUES / BLOCK_LANES` rows follow each other.
pub const BLOCK_LANES: usize = 16;

/// Most rows of one row group: bounds what a decoder allocates for any bytes.
pub const ROW_GROUP_ROWS_MAX: usize = 1 << 20;
/// Most bytes of the values of one string or dynamic chunk, so that Arrow's 32-bit offsets reach them.
pub const TEXT_BYTES_MAX: usize = 1 << 30;

/// Which rows of a chunk are null.
pub mod validity {
    /// No row.
    pub const ALL_VALID: u8 = 0;
    /// Every row; no values follow.
    pub const ALL_NULL: u8 = 1;
    /// A bit a row, least significant first; set: valid.
    pub const BITMAP: u8 = 2;
    /// A roaring bitmap of the null rows.
    pub const ROARING_NULLS: u8 = 3;
}

/// The first byte of an encoding node.
pub mod encoding_tag {
    pub const RAW: u8 = 1;
    pub const CONSTANT: u8 = 2;
    pub const RUN_LENGTH: u8 = 3;
    pub const DICTIONARY: u8 = 4;
    pub const BIT_PACKED: u8 = 5;
    pub const DELTA: u8 = 6;
    pub const ALP: u8 = 7;
    pub const SPLIT_ZSTD: u8 = 8;
    pub const BITMAP: u8 = 9;
    pub const FIXED16: u8 = 10;
    pub const FIXED16_ZSTD: u8 = 11;
    pub const TEXT: u8 = 12;
    pub const TEXT_ZSTD: u8 = 13;
    pub const SPARSE: u8 = 14;
    pub const SHAPED: u8 = 15;
    pub const SERIES: u8 = 16;
    pub const COPIES: u8 = 17;
    pub const STEPS: u8 = 18;
    pub const TEMPLATES: u8 = 19;
    pub const ASCII: u8 = 32;
}

/// What the footer says about the index of a chunk.
pub mod index_kind {
    pub const NONE: u8 = 0;
    /// A bloom filter of the chunk's terms in a section of its own.
    pub const TERM_BLOOM: u8 = 1;
    /// The chunk's dictionary is small: its values answer.
    pub const DICTIONARY: u8 = 2;
    /// Rows of common terms and filters of the others, in a section of its own.
    pub const TERM_INDEX: u8 = 3;
}
