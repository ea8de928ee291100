//! A request body as plain bytes: content encodings, and a window over the stream for the decoders.

use std::io::{self, Read};

use flate2::read::{MultiGzDecoder, ZlibDecoder};

/// Bytes asked of the body at a time.
const READ_BYTES: usize = 256 << 10;

/// A content encoding of a request body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ContentEncoding {
    #[default]
    Identity,
    Gzip,
    Deflate,
    Zstd,
}

impl ContentEncoding {
    /// The encoding of a `Content-Encoding` header; `Err` says which are known.
    pub fn from_header(header: &str) -> Result<ContentEncoding, String> {
        match header.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(ContentEncoding::Identity),
            "gzip" | "x-gzip" => Ok(ContentEncoding::Gzip),
            "deflate" => Ok(ContentEncoding::Deflate),
            "zstd" => Ok(ContentEncoding::Zstd),
            _ => Err(format!("content encoding '{header}' is not supported; use gzip, deflate or zstd")),
        }
    }

    /// A reader of the plain bytes.
    pub fn decode<'a>(self, body: &'a mut (dyn Read + Send)) -> io::Result<Box<dyn Read + Send + 'a>> {
        Ok(match self {
            ContentEncoding::Identity => Box::new(body),
            ContentEncoding::Gzip => Box::new(MultiGzDecoder::new(body)),
            ContentEncoding::Deflate => Box::new(ZlibDecoder::new(body)),
            ContentEncoding::Zstd => Box::new(zstd::stream::read::Decoder::new(body)?),
        })
    }
}

/// The part of a stream that is being decoded.
pub struct Window<'a> {
    source: Box<dyn Read + Send + 'a>,
    buffer: Vec<u8>,
    start: usize,
    ended: bool,
    /// Line breaks before `start`.
    lines: u64,
    /// Bytes before `start`.
    consumed: u64,
}

impl<'a> Window<'a> {
    pub fn new(source: Box<dyn Read + Send + 'a>) -> Window<'a> {
        Window { source, buffer: Vec::new(), start: 0, ended: false, lines: 0, consumed: 0 }
    }

    /// The bytes not consumed yet.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// No bytes follow.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Plain bytes consumed so far.
    pub fn consumed(&self) -> u64 {
        self.consumed
    }

    /// The line, from 1, of an offset in `bytes`.
    pub fn line_at(&self, offset: usize) -> u64 {
        let offset = offset.min(self.bytes().len());
        self.lines + memchr::memchr_iter(b'\n', &self.bytes()[..offset]).count() as u64 + 1
    }

    /// Lets go of bytes at the front.
    pub fn consume(&mut self, count: usize) {
        let taken = &self.buffer[self.start..self.start + count];
        self.lines += memchr::memchr_iter(b'\n', taken).count() as u64;
        self.start += count;
        self.consumed += count as u64;
    }

    /// Reads more bytes behind those that are there. A byte order mark at the start is passed over.
    pub fn fill(&mut self) -> io::Result<()> {
        let at_start = self.consumed == 0 && self.buffer.is_empty();
        self.read_more()?;
        if at_start && self.bytes().starts_with(b"\xef\xbb\xbf") {
            self.start = 3;
        }
        Ok(())
    }

    fn read_more(&mut self) -> io::Result<()> {
        if self.start > 0 && (self.start == self.buffer.len() || self.start >= READ_BYTES) {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        let held = self.buffer.len();
        let wanted = READ_BYTES.max(held - self.start);
        self.buffer.resize(held + wanted, 0);
        let mut filled = held;
        let outcome = loop {
            if filled == self.buffer.len() {
                break Ok(());
            }
            match self.source.read(&mut self.buffer[filled..]) {
                Ok(0) => {
                    self.ended = true;
                    break Ok(());
                }
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
            // What has arrived is decoded while the rest is on its way.
            if filled - held >= READ_BYTES / 2 {
                break Ok(());
            }
        };
        self.buffer.truncate(filled);
        outcome
    }
}
