//! The extent: an immutable file of the rows of one table and time partition.
//!
//! ```text
//! header | chunk or index section … | footer | postscript
//! ```
//!
//! The writer streams row group after row group; the reader maps the file, checks the footer at once and
//! every chunk at its first touch. `FORMAT.md` ("Extent file") has every byte. Knows columns by their stable
//! ids; knows nothing of tables' names, the manifest or which extents are alive.

mod footer;
mod inspect;
mod prune;
mod reader;
mod select;
mod sizes;
mod writer;

pub use inspect::describe;
pub use reader::Extent;
pub use select::Selection;
pub use sizes::ColumnBytes;
pub use writer::{ExtentSpecification, ExtentSummary, ExtentWriter, write_extent};

pub use crate::encoding::EncodeOptions;

/// Entry points for fuzzing: any bytes, no panic.
#[doc(hidden)]
pub mod fuzz {
    /// A file whose content is the data, opened and read in full.
    pub fn fuzz_footer(data: &[u8]) {
        if let Ok(footer) = super::footer::Footer::decode(data) {
            let mut again = Vec::new();
            footer.encode(&mut again);
            assert_eq!(again, data, "a footer that decodes is canonical");
        }
    }

    /// Type and row count from the first bytes, a chunk from the rest.
    pub fn fuzz_decode_chunk(data: &[u8]) {
        let [ty, low, high, chunk @ ..] = data else { return };
        let ty = crate::types::ColumnType::ALL[usize::from(*ty) % crate::types::ColumnType::ALL.len()];
        let rows = usize::from(u16::from_le_bytes([*low, *high]));
        let _ = crate::encoding::describe_chunk(chunk, rows);
        if let Ok(array) = crate::encoding::decode_chunk(ty, chunk, rows) {
            assert_eq!(arrow_array::Array::len(&array), rows);
        }
    }

    /// A dynamic value.
    pub fn fuzz_dynamic(data: &[u8]) {
        let value = crate::dynamic::DynamicRef::new(data);
        let valid = crate::dynamic::validate(data).is_ok();
        let json = value.to_json_string();
        if valid {
            assert!(crate::dynamic::equal(value, value));
            assert!(crate::dynamic::from_json(&json).is_ok(), "printed values are JSON");
        }
        if let Ok(text) = std::str::from_utf8(data)
            && let Ok(bytes) = crate::dynamic::from_json(text)
        {
            assert_eq!(crate::dynamic::validate(&bytes), Ok(()));
        }
    }
}
