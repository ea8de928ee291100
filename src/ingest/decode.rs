//! What every decoder of rows answers: how far it came, and what was wrong with a row.

use crate::ingest::rows::RowBuilder;

/// Bytes of one record, at most: the buffer grows until a record is whole.
pub const MAX_RECORD_BYTES: usize = 32 << 20;

/// A record that could not be read. It left nothing in the row builder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowError {
    /// Byte offset in the input given to `decode`.
    pub offset: usize,
    /// The field it happened in, if inside one.
    pub field: Option<String>,
    pub message: String,
}

/// What one call of `decode` did.
#[derive(Debug, Default)]
pub struct Progress {
    /// Bytes that need not be given again.
    pub consumed: usize,
    /// The bad record that ended the call; it is within `consumed`.
    pub error: Option<RowError>,
}

/// Reads records of one format into rows.
pub trait Decoder: Send {
    /// Reads whole records from the front of `input` until the row builder is full, the input is used up or
    /// a record is bad. `last`: no input follows, so that an unfinished record is an error.
    fn decode(&mut self, input: &[u8], last: bool, rows: &mut RowBuilder) -> Progress;
}

/// A valid text, or the offset of the first byte that is none.
pub fn utf8(bytes: &[u8]) -> Result<&str, usize> {
    match simdutf8::basic::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(_) => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text),
            Err(error) => Err(error.valid_up_to()),
        },
    }
}
