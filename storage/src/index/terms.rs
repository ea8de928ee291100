//! The term filter of a string or dynamic chunk.
//!
//! Terms as `terms.rs` splits them, folded, of at least [`TERM_BYTES_MIN`] bytes, hashed with XXH3. Of a
//! dynamic value: the terms of its JSON text, and those of its keys and strings as they are where JSON
//! writes them differently.

use std::fmt::Write;

use xxhash_rust::xxh3::xxh3_64;

use super::bloom;
use crate::dynamic::{DynamicKind, DynamicRef, MAX_DEPTH};
use crate::terms::{fold, fold_character, terms};

/// Shorter terms are in nearly every row group and not indexed.
pub(crate) const TERM_BYTES_MIN: usize = 3;

/// Bits of the linear counter that estimates how many hashes differ.
const COUNTER_BITS: usize = 1 << 20;

/// Slots of recently seen hashes; most words of a log repeat.
const RECENT: usize = 1 << 12;

/// The hash of a term however it is written.
pub(crate) fn hash_term(term: &str) -> u64 {
    xxh3_64(fold(term).as_bytes())
}

/// Gathers the hashes of a chunk's terms.
pub(crate) struct TermHashes {
    hashes: Vec<u64>,
    recent: Vec<u64>,
    counter: Vec<u64>,
    scratch: String,
}

impl TermHashes {
    pub fn new() -> TermHashes {
        TermHashes {
            hashes: Vec::new(),
            recent: vec![0; RECENT],
            counter: vec![0; COUNTER_BITS / 64],
            scratch: String::new(),
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
        for term in terms(text) {
            self.add_term(term);
        }
    }

    #[inline]
    fn add_term(&mut self, term: &str) {
        if term.len() < TERM_BYTES_MIN {
            return;
        }
        let mut lowered = [0u8; 64];
        let hash = if term.is_ascii() && term.len() <= lowered.len() {
            let lowered = &mut lowered[..term.len()];
            lowered.copy_from_slice(term.as_bytes());
            lowered.make_ascii_lowercase();
            xxh3_64(lowered)
        } else {
            let folded: String = term.chars().map(fold_character).collect();
            xxh3_64(folded.as_bytes())
        };
        self.add_hash(hash);
    }

    /// Adds the terms of a dynamic value.
    pub fn add_dynamic(&mut self, value: DynamicRef<'_>) {
        self.add_dynamic_at(value, 0);
    }

    fn add_dynamic_at(&mut self, value: DynamicRef<'_>, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        match value.kind() {
            DynamicKind::Array => {
                value.iter_array().for_each(|element| self.add_dynamic_at(element, depth + 1))
            }
            DynamicKind::Object => {
                for (key, part) in value.iter_object() {
                    self.add_dynamic_text(key);
                    self.add_dynamic_at(part, depth + 1);
                }
            }
            DynamicKind::String => self.add_dynamic_text(value.as_str().unwrap_or_default()),
            DynamicKind::Long => {
                let mut scratch = std::mem::take(&mut self.scratch);
                scratch.clear();
                // Writing into a String cannot fail.
                let _ = write!(scratch, "{}", value.as_long().unwrap_or_default());
                self.add_text(&scratch);
                self.scratch = scratch;
            }
            _ => {
                let mut scratch = std::mem::take(&mut self.scratch);
                scratch.clear();
                value.to_json(&mut scratch);
                self.add_text(&scratch);
                scratch.clear();
                value.to_text(&mut scratch);
                self.add_text(&scratch);
                self.scratch = scratch;
            }
        }
    }

    /// A key or string inside a dynamic value, as it is and as JSON writes it.
    fn add_dynamic_text(&mut self, text: &str) {
        self.add_text(text);
        if text.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
            let mut scratch = std::mem::take(&mut self.scratch);
            scratch.clear();
            crate::dynamic::write_json_string(text, &mut scratch);
            self.add_text(&scratch);
            self.scratch = scratch;
        }
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
