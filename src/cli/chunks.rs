//! A file cut into request bodies at the ends of records.
//!
//! Lines of JSON are cut at line breaks; delimited records at line breaks outside quotes, with the header
//! before each body. What cannot be cut (an array, raw text) is one body.

use std::io::{self, BufRead};

use crate::ingest::format::Format;

/// Reads bodies of about `target_bytes` from a stream.
pub struct Chunks<R> {
    input: R,
    target_bytes: usize,
    cut: Cut,
    /// The header of a delimited file, with its line break.
    header: Vec<u8>,
    /// Offset of the next body in the plain bytes.
    offset: u64,
    started: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    AtLines,
    OutsideQuotes,
    Never,
}

/// One body.
pub struct Chunk {
    /// Where its records begin in the plain bytes of the file.
    pub offset: u64,
    /// Plain bytes of the file in it, the repeated header not counted.
    pub length: u64,
    pub body: Vec<u8>,
}

impl<R: BufRead> Chunks<R> {
    pub fn new(
        mut input: R,
        format: Option<Format>,
        has_header: bool,
        target_bytes: usize,
    ) -> io::Result<Self> {
        let format = match format {
            Some(format) => format,
            None => Format::sniff(input.fill_buf()?),
        };
        let cut = match format {
            Format::Json => {
                let first = input.fill_buf()?.iter().find(|byte| !byte.is_ascii_whitespace()).copied();
                if first == Some(b'{') { Cut::AtLines } else { Cut::Never }
            }
            Format::Delimited(dialect) if dialect.quoted => Cut::OutsideQuotes,
            Format::Delimited(_) | Format::Text => Cut::AtLines,
            Format::Raw => Cut::Never,
        };
        let mut chunks = Chunks { input, target_bytes, cut, header: Vec::new(), offset: 0, started: false };
        if has_header && matches!(format, Format::Delimited(_)) {
            let mut header = Vec::new();
            chunks.record(&mut header)?;
            chunks.offset = header.len() as u64;
            chunks.header = header;
        }
        Ok(chunks)
    }

    /// Appends one record with its line break; `false` at the end of input.
    fn record(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        let start = out.len();
        let mut quotes = 0;
        loop {
            let before = out.len();
            if self.input.read_until(b'\n', out)? == 0 {
                return Ok(out.len() > start);
            }
            if self.cut != Cut::OutsideQuotes {
                return Ok(true);
            }
            quotes += memchr::memchr_iter(b'"', &out[before..]).count();
            if quotes % 2 == 0 {
                return Ok(true);
            }
        }
    }

    /// The next body; `None` at the end.
    pub fn next_chunk(&mut self) -> io::Result<Option<Chunk>> {
        let offset = self.offset;
        let mut body = self.header.clone();
        let before = body.len();
        if self.cut == Cut::Never {
            if std::mem::replace(&mut self.started, true) {
                return Ok(None);
            }
            self.input.read_to_end(&mut body)?;
        } else {
            while body.len() < self.target_bytes && self.record(&mut body)? {}
        }
        let length = (body.len() - before) as u64;
        self.offset += length;
        Ok((length > 0).then_some(Chunk { offset, length, body }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bodies(text: &str, has_header: bool) -> Vec<String> {
        let mut chunks = Chunks::new(text.as_bytes(), None, has_header, 12).expect("chunks");
        let mut bodies = Vec::new();
        while let Some(chunk) = chunks.next_chunk().expect("a chunk") {
            assert_eq!(
                chunk.offset as usize,
                text.find(&*String::from_utf8_lossy(&chunk.body[chunk.body.len() - chunk.length as usize..]))
                    .expect("in the text")
            );
            bodies.push(String::from_utf8(chunk.body).expect("text"));
        }
        bodies
    }

    #[test]
    fn records_stay_whole_and_headers_go_with_each_body() {
        assert_eq!(bodies("{\"a\":1}\n{\"a\":2}\n{\"a\":3}", false), ["{\"a\":1}\n{\"a\":2}\n", "{\"a\":3}"]);
        assert_eq!(bodies("[{\"a\":1},\n{\"a\":2}]", false), ["[{\"a\":1},\n{\"a\":2}]"]);
        assert_eq!(
            bodies("a,b\n1,\"x\ny\"\n2,z\n3,w\n4,v", true),
            ["a,b\n1,\"x\ny\"\n", "a,b\n2,z\n3,w\n", "a,b\n4,v"]
        );
        assert_eq!(bodies("", true), Vec::<String>::new());
    }
}
