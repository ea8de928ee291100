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
mod series;
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
    use arrow_array::{Array, ArrayRef};

    use crate::types::ColumnType;

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
        let ty = ColumnType::ALL[usize::from(*ty) % ColumnType::ALL.len()];
        let rows = usize::from(u16::from_le_bytes([*low, *high]));
        let _ = crate::encoding::describe_chunk(chunk, rows);
        if let Ok(array) = crate::encoding::decode_chunk(ty, chunk, rows) {
            assert_eq!(array.len(), rows);
        }
    }

    /// The codes of a key in as many bytes as the first two say, a chunk in the order of series from the rest;
    /// where the rest begins with zero, one of copies or of anything else.
    pub fn fuzz_series(data: &[u8]) {
        use crate::encoding::{chunk, series::SeriesKey};
        let [ty, low, high, rest @ ..] = data else { return };
        let types = [ColumnType::Int, ColumnType::Long, ColumnType::Real, ColumnType::TimeSpan];
        let ty = types[usize::from(*ty) % types.len()];
        let rows = usize::from(u16::from_le_bytes([*low, *high]));
        let (codes, bytes) = rest.split_at(rows.min(rest.len()));
        // Fewer bytes than rows: the codes of a table whose sources come in turns.
        let turns = (0..rows).map(|row| (row % 7) as u32);
        let codes: Vec<u32> = if codes.len() == rows {
            codes.iter().map(|code| u32::from(*code)).collect()
        } else {
            turns.collect()
        };
        let domain = codes.iter().max().map_or(1, |max| *max as usize + 1);
        let Ok(key) = SeriesKey::new(&[(codes.into(), domain)]) else { return };
        read_by(&key, ty, bytes, rows);
        let with_header = [&[0, crate::format::encoding_tag::SERIES, 1, 0, 0, 0, 0], bytes].concat();
        read_by(&key, ty, &with_header, rows);
        let _ = chunk::key_columns(bytes, rows);
        let _ = crate::encoding::describe_chunk(&with_header, rows);
    }

    /// Reads a chunk as a whole and in part, which must agree.
    fn read_by(key: &crate::encoding::series::SeriesKey, ty: ColumnType, bytes: &[u8], rows: usize) {
        use crate::encoding::chunk::{decode_chunk_by, decode_chunk_rows_by};
        let whole = decode_chunk_by(ty, bytes, rows, Some(key));
        for step in [3, 50] {
            let wanted: Vec<u32> = (0..rows as u32).step_by(step).collect();
            let some = decode_chunk_rows_by(ty, bytes, rows, &wanted, Some(key));
            if let Ok(some) = some {
                assert_eq!(some.len(), wanted.len());
            }
        }
        if let Ok(whole) = whole {
            assert_eq!(whole.len(), rows);
        }
    }

    /// Encodes a column in the order of the series that a text column names, damages the bytes and reads them.
    pub fn damage_series(
        key: &ArrayRef,
        ty: ColumnType,
        array: &ArrayRef,
        damage: impl FnOnce(&mut Vec<u8>),
    ) {
        use crate::encoding::chunk::{decode_codes, encode_with_distinct};
        use crate::encoding::series::{Candidate, Series, SeriesKey};
        let (mut codes, mut chunk) = (Vec::new(), Vec::new());
        let options = crate::encoding::EncodeOptions::SEAL;
        let Ok(Some(coded)) = encode_with_distinct(ColumnType::String, key, &options, None, &mut codes)
        else {
            return;
        };
        let candidate = Candidate { id: 0, codes: &coded.codes, distinct: coded.values.len() };
        let Some(series) = Series::of(&[0], &[candidate]) else { return };
        if encode_with_distinct(ty, array, &options, Some(&series), &mut chunk).is_err() {
            return;
        }
        let Ok(Some(codes)) = decode_codes(&codes, key.len()) else { return };
        let Ok(key) = SeriesKey::new(&[codes]) else { return };
        damage(&mut chunk);
        let _ = crate::encoding::describe_chunk(&chunk, array.len());
        read_by(&key, ty, &chunk, array.len());
    }

    /// A chunk of dynamic values by shapes: whole, some rows, the paths `a` and `a.b`.
    pub fn fuzz_shaped(data: &[u8]) {
        let [low, high, body @ ..] = data else { return };
        let rows = usize::from(u16::from_le_bytes([*low, *high]) % 4096);
        let chunk = [&[0, crate::format::encoding_tag::SHAPED], body].concat();
        let _ = crate::encoding::describe_chunk(&chunk, rows);
        let whole = crate::encoding::decode_chunk(ColumnType::Dynamic, &chunk, rows);
        let wanted: Vec<u32> = (0..rows as u32).step_by(5).collect();
        if let Ok(some) = crate::encoding::decode_chunk_rows(ColumnType::Dynamic, &chunk, rows, &wanted) {
            assert_eq!(some.len(), wanted.len());
        }
        for path in [&["a"][..], &["a", "b"]] {
            let _ = crate::encoding::decode_chunk_path(&chunk, rows, path);
        }
        if let Ok(whole) = whole {
            assert_eq!(whole.len(), rows);
        }
    }

    /// A chunk of texts by templates: whole, and some rows.
    pub fn fuzz_templates(data: &[u8]) {
        let [low, high, body @ ..] = data else { return };
        let rows = usize::from(u16::from_le_bytes([*low, *high]) % 4096);
        let chunk = [&[0, crate::format::encoding_tag::TEMPLATES], body].concat();
        let _ = crate::encoding::describe_chunk(&chunk, rows);
        let whole = crate::encoding::decode_chunk(ColumnType::String, &chunk, rows);
        if let Ok(whole) = &whole {
            assert_eq!(whole.len(), rows);
        }
        for step in [5, 50] {
            let wanted: Vec<u32> = (0..rows as u32).step_by(step).collect();
            let some = crate::encoding::decode_chunk_rows(ColumnType::String, &chunk, rows, &wanted);
            if let Ok(some) = some {
                assert_eq!(some.len(), wanted.len());
            }
        }
        let (question, effort) = (crate::encoding::TextQuestion::Bytes, crate::encoding::Effort::Any);
        let _ = crate::encoding::decode_chunk_texts(&chunk, rows, &[question], effort);
    }

    /// The section of a term index.
    pub fn fuzz_term_index(data: &[u8]) {
        use crate::index::term_index::TermIndex;
        let [low, high, bytes @ ..] = data else { return };
        let rows = usize::from(u16::from_le_bytes([*low, *high]));
        let Ok(index) = TermIndex::new(bytes, rows) else { return };
        let _ = index.check();
        for term in [&b"request"[..], b"", b"abc"] {
            if let Some(list) = index.list(term)
                && let Ok(bits) = index.bits(&list)
            {
                assert!(bits.len() * 64 >= rows);
            }
            index.candidates(term).for_each(|range| assert!(range.end <= rows));
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
