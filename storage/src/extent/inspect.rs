//! Where the bytes of an extent go, as a table for people.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::reader::Extent;
use crate::encoding::describe_chunk;

/// The bytes of values, indexes and the rest of the file; then one line a column: bytes, bytes a row, index bytes, and
/// the encodings of its chunks with how many chunks use each.
pub fn describe(extent: &Extent) -> String {
    let mut out = String::new();
    let rows = extent.rows();
    // Writing into a String cannot fail.
    let _ = writeln!(
        out,
        "extent {}: {rows} rows in {} row groups, {} bytes in the file ({:.2} a row), {} before encoding",
        extent.extent_id(),
        extent.row_group_count(),
        extent.file_bytes(),
        extent.file_bytes() as f64 / rows.max(1) as f64,
        extent.original_bytes()
    );
    let columns = extent.column_bytes();
    let data: u64 = columns.iter().map(|column| column.data).sum();
    let index: u64 = columns.iter().map(|column| column.index).sum();
    let rest = extent.file_bytes().saturating_sub(data + index);
    for (what, bytes) in [("values", data), ("indexes", index), ("header and footer", rest)] {
        let _ = writeln!(
            out,
            "{:>41} {bytes:>12} bytes {:>8.3} a row, {:>5.1} %",
            what,
            bytes as f64 / rows.max(1) as f64,
            bytes as f64 * 100.0 / extent.file_bytes().max(1) as f64
        );
    }
    for (position, column) in extent.footer().columns.iter().enumerate() {
        let (mut bytes, mut index_bytes) = (0, 0);
        let mut encodings: BTreeMap<String, usize> = BTreeMap::new();
        for group in 0..extent.row_group_count() {
            let Some(chunk) = extent.chunk(group, position) else { continue };
            bytes += chunk.section.stored_length();
            if let Some(section) = chunk.index.section() {
                index_bytes += section.stored_length();
            }
            let encoding = match extent.chunk_bytes(group, position) {
                Ok(bytes) => describe_chunk(bytes, extent.row_group_rows(group) as usize)
                    .map_or_else(|malformed| malformed.to_string(), |text| with_names(extent, &text)),
                Err(error) => error.to_string(),
            };
            // Counts differ from chunk to chunk and would hide what is alike.
            let shape = if extent.row_group_count() == 1 { encoding } else { without_digits(&encoding) };
            *encodings.entry(shape).or_default() += 1;
        }
        let encodings: Vec<String> =
            encodings.iter().map(|(encoding, chunks)| format!("{chunks} × {encoding}")).collect();
        let _ = writeln!(
            out,
            "{:>10} {:<20} {:<9} {bytes:>12} bytes {:>8.3} a row, index {index_bytes:>10}  {}",
            column.id,
            column.name,
            column.ty.name(),
            bytes as f64 / rows.max(1) as f64,
            encodings.join("; ")
        );
    }
    out
}

/// The description with names for the ids of columns that it refers to as `#id`.
fn with_names(extent: &Extent, text: &str) -> String {
    let mut parts = text.split('#');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.find(|character: char| !character.is_ascii_digit()).unwrap_or(part.len());
        let (id, rest) = part.split_at(digits);
        let name = extent.footer().columns.iter().find(|column| column.id.to_string() == id);
        out.push_str(name.map_or(id, |column| &column.name));
        out.push_str(rest);
    }
    out
}

fn without_digits(text: &str) -> String {
    let mut out = String::new();
    let mut inside_count = false;
    for character in text.chars() {
        let after_bracket = out.ends_with(['(', ' ']);
        if character.is_ascii_digit() && (after_bracket || inside_count) {
            inside_count = true;
            continue;
        }
        if inside_count {
            out.push('n');
        }
        inside_count = false;
        out.push(character);
    }
    out
}
