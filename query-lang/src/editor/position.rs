//! Places as editors count them: lines from 0 and UTF-16 units within the line, or UTF-16 units of the whole text.

/// The line (from 0) and the UTF-16 unit within it of a byte offset. Offsets inside of a character count as its
/// start, those past the end as the end.
pub fn line_and_unit(text: &str, offset: usize) -> (u32, u32) {
    let offset = floor(text, offset);
    let before = &text[..offset];
    let mut line = 0;
    let mut start = 0;
    for (at, end) in breaks(before) {
        // Between the two characters of a line break the line still goes on.
        if end == offset && before.ends_with('\r') && text[offset..].starts_with('\n') {
            let _ = at;
            break;
        }
        line += 1;
        start = end;
    }
    (line, utf16(&before[start..]) as u32)
}

/// The byte offset of a line (from 0) and a UTF-16 unit within it; past the end of the line: its end.
pub fn offset_of(text: &str, line: u32, unit: u32) -> usize {
    let mut start = 0;
    let mut end = text.len();
    let mut count = 0;
    for (at, next) in breaks(text) {
        if count == line {
            end = at;
            break;
        }
        count += 1;
        start = next;
    }
    if count < line {
        return text.len();
    }
    let mut units = 0;
    for (at, character) in text[start..end].char_indices() {
        if units + character.len_utf16() as u32 > unit {
            return start + at;
        }
        units += character.len_utf16() as u32;
    }
    end
}

/// The byte offset of a UTF-16 offset in the whole text.
pub fn offset_of_unit(text: &str, unit: usize) -> usize {
    let mut units = 0;
    for (at, character) in text.char_indices() {
        if units + character.len_utf16() > unit {
            return at;
        }
        units += character.len_utf16();
    }
    text.len()
}

/// The UTF-16 offset of a byte offset.
pub fn unit_of_offset(text: &str, offset: usize) -> usize {
    utf16(&text[..floor(text, offset)])
}

/// The nearest start of a character at or before an offset.
pub fn floor(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

fn utf16(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// Where lines end, and where the next begin: `\n`, `\r\n` and `\r`.
fn breaks(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().filter_map(move |(at, byte)| match byte {
        b'\n' if at > 0 && bytes[at - 1] == b'\r' => Some((at - 1, at + 1)),
        b'\n' => Some((at, at + 1)),
        b'\r' if bytes.get(at + 1) != Some(&b'\n') => Some((at, at + 1)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_there_and_back() {
        let text = "é😀x\r\n\ny\rz";
        for (offset, place) in [
            (0, (0, 0)),
            (2, (0, 1)),
            (6, (0, 3)),
            (7, (0, 4)),
            (9, (1, 0)),
            (10, (2, 0)),
            (12, (3, 0)),
            (99, (3, 1)),
        ] {
            assert_eq!(line_and_unit(text, offset), place, "{offset}");
            assert_eq!(offset_of(text, place.0, place.1), offset.min(text.len()), "{place:?}");
        }
        assert_eq!(offset_of(text, 0, 99), 7);
        assert_eq!(offset_of(text, 9, 0), text.len());
        assert_eq!(offset_of_unit(text, 3), 6);
        assert_eq!(unit_of_offset(text, 6), 3);
        assert_eq!(line_and_unit(text, 3), (0, 1));
    }
}
