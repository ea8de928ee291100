//! How one column chunk becomes bytes, and back.
//!
//! A chunk is a validity (which rows are null) and an encoding node: a tag byte and a body that may hold
//! further nodes. A chunk whose values stand in the order of series needs the key of its row group (`series.rs`). One file an encoding; `choose.rs` looks at the data and picks. Decoders take any bytes:
//! lengths are checked before use, what is allocated is bounded by the row count (and by the declared
//! length of text), and nothing panics. `FORMAT.md` has every layout.
//!
//! Knows arrays and bytes; knows nothing of files, checksums or statistics.

pub(crate) mod alp;
pub(crate) mod bit_packing;
pub(crate) mod bitmap;
pub(crate) mod choose;
pub(crate) mod chunk;
pub(crate) mod copies;
pub(crate) mod delta;
pub(crate) mod describe;
pub(crate) mod dictionary;
pub(crate) mod fixed16;
pub(crate) mod input;
pub(crate) mod integer;
pub(crate) mod raw;
pub(crate) mod real;
pub(crate) mod run_length;
pub(crate) mod series;
pub(crate) mod shaped;
pub(crate) mod sparse;
pub(crate) mod split_zstd;
pub(crate) mod templates;
pub(crate) mod text;
pub(crate) mod text_question;
pub(crate) mod validity;
pub(crate) mod zstd_block;

pub use chunk::{
    decode_chunk, decode_chunk_distinct, decode_chunk_dynamics, decode_chunk_path, decode_chunk_rows,
    decode_chunk_texts, encode_chunk,
};
pub use describe::describe_chunk;
pub use input::Malformed;
pub use shaped::PathValues;
pub use text_question::{Effort, TextAnswer, TextQuestion};

/// What the writer may spend on a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodeOptions {
    /// Rows of a row group that `write_extent` cuts; the last one has the rest.
    pub row_group_rows: usize,
    /// Level of zstd for text: low where rows are sealed, higher where they are merged for good.
    pub zstd_level: i32,
    /// Whether string and dynamic columns get a term index.
    pub term_index: bool,
}

impl EncodeOptions {
    /// For sealing: speed first.
    pub const SEAL: EncodeOptions = EncodeOptions { row_group_rows: 65_536, zstd_level: 1, term_index: true };
    /// For merging: size first.
    pub const MERGE: EncodeOptions =
        EncodeOptions { row_group_rows: 65_536, zstd_level: 3, term_index: true };
}

impl Default for EncodeOptions {
    fn default() -> EncodeOptions {
        EncodeOptions::SEAL
    }
}
