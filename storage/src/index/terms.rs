//! The terms of a string or dynamic chunk, and the filter of those of a chunk that is a dictionary.
//!
//! Terms as `terms.rs` splits them, folded, of at least [`TERM_BYTES_MIN`] bytes, hashed with XXH3. Of a
//! dynamic value: the terms of its JSON text, and those of its keys and strings as they are where JSON
//! writes them differently.

use std::fmt::Write;

use xxhash_rust::xxh3::xxh3_64;

use super::bloom;
use crate::dynamic::{DynamicKind, DynamicRef, MAX_DEPTH};
use crate::terms::{fold_character, terms};

/// Shorter terms are in nearly every row group and not indexed.
pub(crate) const TERM_BYTES_MIN: usize = 3;

/// Bits of the linear counter that estimates how many hashes differ.
const COUNTER_BITS: usize = 1 << 20;

/// Slots of recently seen hashes; most words of a log repeat.
const RECENT: usize = 1 << 12;

/// The hash of a term that is folded already.
#[inline]
pub(crate) fn hash_folded(term: &[u8]) -> u64 {
    xxh3_64(term)
}

/// The folded byte of each ASCII byte that belongs to a term; 0 for every other byte.
const FOLDED: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        if (byte as u8).is_ascii_alphanumeric() {
            table[byte] = (byte as u8).to_ascii_lowercase();
        }
        byte += 1;
    }
    table
};

/// Splits values into the terms that are indexed: folded, of at least [`TERM_BYTES_MIN`] bytes in the
/// value's own spelling. Keeps its buffers between values.
#[derive(Debug, Default)]
pub(crate) struct TermSplitter {
    folded: Vec<u8>,
    scratch: String,
    foreign_spelling: bool,
}

impl TermSplitter {
    /// Whether a term so far was folded to ASCII from other letters (`ſ`, the Kelvin sign), which a search
    /// for ASCII letters passes over.
    pub fn foreign_spelling(&self) -> bool {
        self.foreign_spelling
    }

    /// Each term of a text in turn; one that occurs twice comes twice.
    #[inline]
    pub fn text(&mut self, text: &str, sink: &mut impl FnMut(&[u8])) {
        if !text.is_ascii() {
            return self.foreign_text(text, sink);
        }
        self.folded.clear();
        self.folded.extend(text.bytes().map(|byte| FOLDED[byte as usize]));
        let mut start = 0;
        for (at, byte) in self.folded.iter().enumerate() {
            if *byte == 0 {
                if at - start >= TERM_BYTES_MIN {
                    sink(&self.folded[start..at]);
                }
                start = at + 1;
            }
        }
        if self.folded.len() - start >= TERM_BYTES_MIN {
            sink(&self.folded[start..]);
        }
    }

    #[cold]
    fn foreign_text(&mut self, text: &str, sink: &mut impl FnMut(&[u8])) {
        for term in terms(text).filter(|term| term.len() >= TERM_BYTES_MIN) {
            self.folded.clear();
            let mut encoded = [0; 4];
            for character in term.chars() {
                let folded = fold_character(character).encode_utf8(&mut encoded);
                self.folded.extend_from_slice(folded.as_bytes());
            }
            self.foreign_spelling |= self.folded.is_ascii() && !term.is_ascii();
            sink(&self.folded);
        }
    }

    /// Each term of a dynamic value.
    pub fn dynamic(&mut self, value: DynamicRef<'_>, sink: &mut impl FnMut(&[u8])) {
        self.dynamic_at(value, 0, sink);
    }

    fn dynamic_at(&mut self, value: DynamicRef<'_>, depth: usize, sink: &mut impl FnMut(&[u8])) {
        if depth > MAX_DEPTH {
            return;
        }
        match value.kind() {
            DynamicKind::Array => {
                value.iter_array().for_each(|element| self.dynamic_at(element, depth + 1, sink));
            }
            DynamicKind::Object => {
                for (key, part) in value.iter_object() {
                    self.dynamic_text(key, sink);
                    self.dynamic_at(part, depth + 1, sink);
                }
            }
            DynamicKind::String => self.dynamic_text(value.as_str().unwrap_or_default(), sink),
            DynamicKind::Long => {
                // Writing into a String cannot fail.
                self.written(sink, |out| {
                    let _ = write!(out, "{}", value.as_long().unwrap_or_default());
                });
            }
            _ => {
                self.written(sink, |out| value.to_json(out));
                self.written(sink, |out| value.to_text(out));
            }
        }
    }

    /// A key or string inside a dynamic value, as it is and as JSON writes it.
    fn dynamic_text(&mut self, text: &str, sink: &mut impl FnMut(&[u8])) {
        self.text(text, sink);
        if text.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
            self.written(sink, |out| crate::dynamic::write_json_string(text, out));
        }
    }

    fn written(&mut self, sink: &mut impl FnMut(&[u8]), write: impl FnOnce(&mut String)) {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        write(&mut scratch);
        self.text(&scratch, sink);
        self.scratch = scratch;
    }
}

/// Gathers the hashes of a chunk's terms.
pub(crate) struct TermHashes {
    hashes: Vec<u64>,
    recent: Vec<u64>,
    counter: Vec<u64>,
    splitter: TermSplitter,
}

impl TermHashes {
    pub fn new() -> TermHashes {
        TermHashes {
            hashes: Vec::new(),
            recent: vec![0; RECENT],
            counter: vec![0; COUNTER_BITS / 64],
            splitter: TermSplitter::default(),
        }
    }

    #[inline]
    fn add_hash(&mut self, hash: u64) {
        let slot = &mut self.recent[hash as usize % RECENT];
        if *slot != hash {
            *slot = hash;
            self.hashes.push(hash);
            let bit = (hash >> 20) as usize % COUNTER_BITS;
            self.counter[bit / 64] |= 1 << (bit % 64);
        }
    }

    /// Adds the terms of a text.
    pub fn add_text(&mut self, text: &str) {
        let mut splitter = std::mem::take(&mut self.splitter);
        splitter.text(text, &mut |term| self.add_hash(hash_folded(term)));
        self.splitter = splitter;
    }

    /// Adds the terms of a dynamic value.
    pub fn add_dynamic(&mut self, value: DynamicRef<'_>) {
        let mut splitter = std::mem::take(&mut self.splitter);
        splitter.dynamic(value, &mut |term| self.add_hash(hash_folded(term)));
        self.splitter = splitter;
    }

    /// The bytes of the filter. A chunk without terms has one too: it answers "no".
    pub fn finish(&self) -> Vec<u8> {
        let set: u32 = self.counter.iter().map(|word| word.count_ones()).sum();
        let zero_share = 1.0 - f64::from(set) / COUNTER_BITS as f64;
        // Linear counting; a full counter gives the size to the cap in `bloom`.
        let distinct = if zero_share > 0.0 { -zero_share.ln() * COUNTER_BITS as f64 } else { 1e9 };
        bloom::build(&self.hashes, distinct as usize + 1)
    }
}
