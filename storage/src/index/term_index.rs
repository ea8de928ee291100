//! The term index of a chunk: the rows of common terms, and for each block of rows a filter of the others.
//!
//! `term_builder.rs` decides what is common; here are the bytes. A common term's list is exact, by folded letters. A term
//! without a list is in no block whose filter refuses it. `FORMAT.md` ("Term index") has the layout.

use std::ops::Range;

use super::bloom::{BLOCK_BYTES, Bloom};
use super::posting::{self, Posting};
use super::terms::hash_folded;
use crate::encoding::input::{Decoded, Input, Malformed};

/// What a term index is made of.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    /// Some listed rows have a term only in other than ASCII letters.
    pub foreign_spelling: bool,
    /// Rows of each block and the bytes of its filter.
    pub blocks: Vec<(u32, Vec<u8>)>,
    /// Folded terms, ascending, each with the number of its list.
    pub terms: Vec<(Vec<u8>, u32)>,
    /// Form, count and bytes of each list.
    pub lists: Vec<(u32, u32, Vec<u8>)>,
}

impl Parts {
    /// Appends the bytes of the index.
    pub fn encode(&self, rows: usize, out: &mut Vec<u8>) {
        let mut put = |number: usize| out.extend_from_slice(&(number as u32).to_le_bytes());
        put(rows);
        put(usize::from(self.foreign_spelling));
        put(self.blocks.len());
        put(self.terms.len());
        put(self.lists.len());
        for (rows, filter) in &self.blocks {
            put(*rows as usize);
            put(filter.len());
        }
        let mut end = 0;
        for (term, list) in &self.terms {
            end += term.len();
            put(end);
            put(*list as usize);
        }
        let mut end = 0;
        for (form, count, bytes) in &self.lists {
            end += bytes.len();
            put(*form as usize);
            put(*count as usize);
            put(end);
        }
        self.terms.iter().for_each(|(term, _)| out.extend_from_slice(term));
        self.lists.iter().for_each(|(_, _, bytes)| out.extend_from_slice(bytes));
        self.blocks.iter().for_each(|(_, filter)| out.extend_from_slice(filter));
    }
}

/// An index in somebody else's bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TermIndex<'a> {
    rows: usize,
    /// Some listed rows have a term only in other than ASCII letters.
    pub foreign_spelling: bool,
    blocks: &'a [[u8; 8]],
    terms: &'a [[u8; 8]],
    lists: &'a [[u8; 12]],
    term_bytes: &'a [u8],
    list_bytes: &'a [u8],
    filters: &'a [u8],
}

/// The two numbers of an entry.
fn pair(entry: &[u8; 8]) -> (usize, usize) {
    let number = u64::from_le_bytes(*entry);
    (number as u32 as usize, (number >> 32) as usize)
}

impl<'a> TermIndex<'a> {
    /// Finds the parts; lists and filters are looked at when they are used.
    pub fn new(bytes: &'a [u8], rows: usize) -> Decoded<TermIndex<'a>> {
        let mut input = Input::new(bytes);
        if input.u32()? as usize != rows {
            return Err(Malformed("a term index of another number of rows"));
        }
        let foreign_spelling = match input.u32()? {
            flag @ 0..=1 => flag == 1,
            _ => return Err(Malformed("unknown flags of a term index")),
        };
        let (blocks, terms, lists) = (input.u32()? as usize, input.u32()? as usize, input.u32()? as usize);
        let mut table = |entries: usize, width: usize| {
            input.take(entries.checked_mul(width).ok_or(Malformed("a term index is too large"))?)
        };
        let blocks = table(blocks, 8)?.as_chunks::<8>().0;
        let terms = table(terms, 8)?.as_chunks::<8>().0;
        let lists = table(lists, 12)?.as_chunks::<12>().0;
        let term_bytes = input.take(terms.last().map_or(0, |entry| pair(entry).0))?;
        let list_bytes = input
            .take(lists.last().map_or(0, |[.., a, b, c, d]| u32::from_le_bytes([*a, *b, *c, *d]) as usize))?;
        Ok(TermIndex {
            rows,
            foreign_spelling,
            blocks,
            terms,
            lists,
            term_bytes,
            list_bytes,
            filters: input.rest(),
        })
    }

    fn term(&self, number: usize) -> Option<&'a [u8]> {
        let start = number.checked_sub(1).map_or(0, |before| self.terms.get(before).map_or(0, |e| pair(e).0));
        self.term_bytes.get(start..pair(self.terms.get(number)?).0)
    }

    fn list_at(&self, number: usize) -> Option<Posting<'a>> {
        let entry = |number: usize| {
            let [form, count, end] = self.lists.get(number)?.as_chunks::<4>().0 else { return None };
            Some((u32::from_le_bytes(*form), u32::from_le_bytes(*count), u32::from_le_bytes(*end) as usize))
        };
        let (form, count, end) = entry(number)?;
        let start = match number.checked_sub(1) {
            Some(before) => entry(before)?.2,
            None => 0,
        };
        let bytes = self.list_bytes.get(start..end)?;
        Some(Posting { form, count: count as usize, rows: self.rows, bytes })
    }

    /// A bit a row of a list.
    pub fn bits(&self, list: &Posting<'_>) -> Decoded<Vec<u64>> {
        if list.form != posting::UNION {
            return list.bits();
        }
        let wrong = Malformed("a union of lists of rows is malformed");
        let (numbers, rest) = list.bytes.as_chunks::<4>();
        let mut out = vec![0u64; posting::words(self.rows)];
        for number in numbers {
            let part = self.list_at(u32::from_le_bytes(*number) as usize).ok_or(wrong)?;
            // A union of unions is no list: `Posting::bits` refuses it.
            for (word, bits) in out.iter_mut().zip(part.bits()?) {
                *word |= bits;
            }
        }
        let count: usize = out.iter().map(|word| word.count_ones() as usize).sum();
        if count != list.count || !rest.is_empty() { Err(wrong) } else { Ok(out) }
    }

    /// The rows of a folded term, if it is one of the common ones.
    pub fn list(&self, folded: &[u8]) -> Option<Posting<'a>> {
        let (mut low, mut high) = (0, self.terms.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.term(middle)?.cmp(folded) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return self.list_at(pair(&self.terms[middle]).1),
            }
        }
        None
    }

    /// Rows and filter of each block in order.
    fn blocks(&self) -> impl Iterator<Item = (Range<usize>, Option<&'a [u8]>)> {
        let (mut row, mut at) = (0usize, 0usize);
        let (filters, total) = (self.filters, self.rows);
        self.blocks.iter().map(move |entry| {
            let (rows, length) = pair(entry);
            let end = (row + rows).min(total);
            let range = row..end;
            let filter = filters.get(at..at + length);
            row = end;
            at += length;
            (range, filter)
        })
    }

    /// The rows of the blocks that may have a term without a list.
    pub fn candidates(&self, folded: &[u8]) -> impl Iterator<Item = Range<usize>> {
        let hash = hash_folded(folded);
        self.blocks().filter_map(move |(rows, filter)| {
            let refused = match filter {
                // No terms but common ones.
                Some([]) => true,
                Some(filter) => Bloom::new(filter).is_ok_and(|bloom| !bloom.may_contain(hash)),
                None => false,
            };
            (!refused).then_some(rows)
        })
    }

    /// Whether a row may have the folded term; `false` is certain.
    pub fn may_contain(&self, folded: &[u8]) -> bool {
        self.list(folded).is_some_and(|list| list.count > 0) || self.candidates(folded).next().is_some()
    }

    /// Reads everything there is.
    pub fn check(&self) -> Decoded<()> {
        let wrong = Malformed("a part of a term index is malformed");
        let numbers = 0..self.terms.len();
        let ascending = numbers.clone().skip(1).all(|number| self.term(number - 1) < self.term(number));
        let known = numbers.clone().all(|number| self.term(number).is_some())
            && self.terms.iter().all(|entry| pair(entry).1 < self.lists.len());
        if !ascending || !known {
            return Err(wrong);
        }
        for number in 0..self.lists.len() {
            self.bits(&self.list_at(number).ok_or(wrong)?)?;
        }
        let (mut rows, mut bytes) = (0, 0);
        for (range, filter) in self.blocks() {
            let filter = filter.ok_or(wrong)?;
            if !filter.len().is_multiple_of(BLOCK_BYTES) {
                return Err(wrong);
            }
            rows += range.len();
            bytes += filter.len();
        }
        if rows != self.rows || bytes != self.filters.len() { Err(wrong) } else { Ok(()) }
    }
}
