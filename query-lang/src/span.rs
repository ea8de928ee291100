//! Where a piece of query text lies: byte ranges, and their translation to lines and columns.
//! Knows nothing of what the text means.

use std::fmt;

/// A range of bytes of the query text: `start` included, `end` excluded. Texts are below 4 GiB.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

impl Span {
    pub const fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    /// The empty span at a byte offset.
    pub const fn at(offset: u32) -> Self {
        Self { start: offset, end: offset }
    }

    /// The smallest span that holds both.
    pub fn to(self, other: Span) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    pub const fn len(self) -> u32 {
        self.end.saturating_sub(self.start)
    }

    pub const fn is_empty(self) -> bool {
        self.end <= self.start
    }

    /// The text it covers; empty when the span does not fit `text`.
    pub fn text(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize).unwrap_or("")
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

/// A place as people count it: both from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    pub line: u32,
    pub column: u32,
}

/// The starts of the lines of a text, so that offsets become lines and columns in logarithmic time.
/// Lines end with `\n`, `\r\n` or `\r`.
#[derive(Debug, Clone)]
pub struct LineIndex {
    starts: Vec<u32>,
}

impl LineIndex {
    pub fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        for (at, byte) in bytes.iter().enumerate() {
            if *byte == b'\n' || (*byte == b'\r' && bytes.get(at + 1) != Some(&b'\n')) {
                starts.push(at as u32 + 1);
            }
        }
        Self { starts }
    }

    pub fn line_count(&self) -> usize {
        self.starts.len()
    }

    /// Line and column of a byte offset of `text`, the text this index was made from. Offsets past the end
    /// count as the end.
    pub fn position(&self, text: &str, offset: u32) -> Position {
        let offset = (offset as usize).min(text.len());
        let line = self.starts.partition_point(|start| *start as usize <= offset).saturating_sub(1);
        let start = self.starts[line] as usize;
        let column = text[start..].char_indices().take_while(|(at, _)| start + at < offset).count();
        Position { line: line as u32 + 1, column: column as u32 + 1 }
    }

    /// The text of a line counted from 1, without its line break.
    pub fn line<'a>(&self, text: &'a str, line: u32) -> &'a str {
        let at = line.saturating_sub(1) as usize;
        let Some(start) = self.starts.get(at) else { return "" };
        let end = self.starts.get(at + 1).map_or(text.len(), |next| *next as usize);
        text[*start as usize..end].trim_end_matches(['\n', '\r'])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_and_every_kind_of_line_break() {
        let text = "äb\ncd\r\ne\rf";
        let index = LineIndex::new(text);
        let place = |offset| {
            let position = index.position(text, offset);
            (position.line, position.column)
        };
        assert_eq!(place(0), (1, 1));
        assert_eq!(place(2), (1, 2));
        assert_eq!(place(4), (2, 1));
        assert_eq!(place(8), (3, 1));
        assert_eq!(place(10), (4, 1));
        assert_eq!(place(99), (4, 2));
        assert_eq!(index.line(text, 2), "cd");
        assert_eq!(index.line(text, 9), "");
    }
}
