//! Builds the term index of a chunk in one pass over its values.
//!
//! A sample of the rows says which terms are common. Only those are looked for by name, in a small table;
//! all others are hashed into the filter of their block. What a list would cost too much goes back into the
//! filters, so that the size stays near a bit or two more than the filters alone.

use std::collections::HashMap;

use hashbrown::HashTable;

use super::posting;
use super::term_index::Parts;
use super::terms::{TermSplitter, hash_folded};
use super::{bloom, posting::words};
use crate::dynamic::DynamicRef;
use crate::encoding::text;

/// Rows that are looked at to find common terms.
const SAMPLE_ROWS: usize = 4096;
/// A common term is in at least so many of those.
const SAMPLE_COUNT_MIN: u32 = 6;
/// Most terms that are looked for by name.
const COMMON_TERMS_MAX: usize = 1024;
/// Bits a row that all lists of a chunk may take: of words, and of terms with digits.
const WORD_LIST_BITS: usize = 8;
const NUMBER_LIST_BITS: usize = 2;
/// The same of dynamic values, where lists only narrow a search.
const DYNAMIC_LIST_BITS: usize = 2;
/// Lists that are tried as parts of others.
const BASES_MAX: usize = 256;
/// Slots of recently seen hashes; most terms of a log repeat.
const RECENT: usize = 1 << 11;
/// Bits of the linear counter of the hashes of one block.
const COUNTER_BITS: usize = 1 << 16;

/// The bytes of the index of values, of which those of null rows are empty.
pub(crate) fn build(values: &[&[u8]], dynamic: bool) -> Vec<u8> {
    let mut values = Values { values, dynamic, splitter: TermSplitter::default() };
    let common = values.common();
    let mut filters = Filters::default();
    let stride = words(values.values.len());
    let mut bits = vec![0u64; stride * common.terms.len()];
    let blocks = text::frame_rows(values.values.iter().map(|value| value.len()));
    let mut row = 0;
    for rows in &blocks {
        for row in row..row + *rows as usize {
            values.each_term(row, &mut |term| {
                let hash = hash_folded(term);
                match common.find(hash, term) {
                    Some(number) => bits[number * stride + row / 64] |= 1 << (row % 64),
                    None => filters.add(hash),
                }
            });
        }
        filters.end_block();
        row += *rows as usize;
    }
    let mut out = Vec::new();
    let rows = values.values.len();
    let budgets = if dynamic {
        (rows * DYNAMIC_LIST_BITS, 0)
    } else {
        (rows * WORD_LIST_BITS, rows * NUMBER_LIST_BITS)
    };
    let mut parts = parts(&common, &bits, &blocks, filters, rows, budgets);
    parts.foreign_spelling = values.splitter.foreign_spelling();
    parts.encode(rows, &mut out);
    out
}

struct Values<'a> {
    values: &'a [&'a [u8]],
    dynamic: bool,
    splitter: TermSplitter,
}

impl Values<'_> {
    #[inline]
    fn each_term(&mut self, row: usize, sink: &mut impl FnMut(&[u8])) {
        let Some(value) = self.values.get(row).filter(|value| !value.is_empty()) else { return };
        if self.dynamic {
            self.splitter.dynamic(DynamicRef::new(value), sink);
        } else {
            self.splitter.text(std::str::from_utf8(value).unwrap_or_default(), sink);
        }
    }

    /// The terms that many of the sampled rows have: words first, the most frequent first.
    fn common(&mut self) -> Common {
        struct Seen {
            hash: u64,
            start: usize,
            end: usize,
            count: u32,
            last: usize,
        }
        let rows = self.values.len();
        let step = rows.div_ceil(SAMPLE_ROWS).max(1);
        let mut table: HashTable<Seen> = HashTable::with_capacity(4096);
        let mut bytes: Vec<u8> = Vec::new();
        for (number, start) in (0..rows).step_by(step).enumerate() {
            // Not always the same place of a step: logs have periods.
            let row = start + (number.wrapping_mul(0x9e37_79b1) >> 7) % step;
            self.each_term(row, &mut |term| {
                let hash = hash_folded(term);
                let entry = table.entry(
                    hash,
                    |seen| seen.hash == hash && bytes.get(seen.start..seen.end) == Some(term),
                    |seen| seen.hash,
                );
                let seen = entry.or_insert_with(|| {
                    let start = bytes.len();
                    Seen { hash, start, end: start + term.len(), count: 0, last: usize::MAX }
                });
                let seen = seen.into_mut();
                if seen.end > bytes.len() {
                    bytes.extend_from_slice(term);
                }
                if seen.last != row {
                    seen.last = row;
                    seen.count += 1;
                }
            });
        }
        let mut found: Vec<(bool, u32, &[u8])> = table
            .iter()
            .filter(|seen| seen.count >= SAMPLE_COUNT_MIN)
            .map(|seen| {
                let term = &bytes[seen.start..seen.end];
                (term.iter().any(u8::is_ascii_digit), u32::MAX - seen.count, term)
            })
            .collect();
        found.sort_unstable();
        found.truncate(COMMON_TERMS_MAX);
        Common::new(found.into_iter().map(|(_, _, term)| term.to_vec()).collect())
    }
}

/// The terms that are looked for by name.
struct Common {
    terms: Vec<Vec<u8>>,
    /// Hash and number of a term; `u32::MAX` where there is none. At most a quarter is taken.
    slots: Vec<(u64, u32)>,
}

impl Common {
    fn new(terms: Vec<Vec<u8>>) -> Common {
        let size = (terms.len() * 4).next_power_of_two().max(4);
        let mut slots = vec![(0, u32::MAX); size];
        for (number, term) in (0..).zip(&terms) {
            let hash = hash_folded(term);
            let mut at = hash as usize & (size - 1);
            while slots[at].1 != u32::MAX {
                at = (at + 1) & (size - 1);
            }
            slots[at] = (hash, number);
        }
        Common { terms, slots }
    }

    #[inline]
    fn find(&self, hash: u64, term: &[u8]) -> Option<usize> {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let (known, number) = self.slots[at];
            if number == u32::MAX {
                return None;
            }
            if known == hash && self.terms[number as usize] == term {
                return Some(number as usize);
            }
            at = (at + 1) & mask;
        }
    }
}

/// The hashes of each block, few of them twice.
struct Filters {
    hashes: Vec<u64>,
    /// End in `hashes`, and about how many differ.
    blocks: Vec<(usize, usize)>,
    recent: Vec<u64>,
    counter: Vec<u64>,
}

impl Default for Filters {
    fn default() -> Filters {
        Filters {
            hashes: Vec::new(),
            blocks: Vec::new(),
            recent: vec![0; RECENT],
            counter: vec![0; COUNTER_BITS / 64],
        }
    }
}

impl Filters {
    #[inline]
    fn add(&mut self, hash: u64) {
        let slot = &mut self.recent[hash as usize % RECENT];
        if *slot != hash || hash == 0 {
            *slot = hash;
            self.hashes.push(hash);
            let bit = (hash >> 20) as usize % COUNTER_BITS;
            self.counter[bit / 64] |= 1 << (bit % 64);
        }
    }

    fn end_block(&mut self) {
        let set: u32 = self.counter.iter().map(|word| word.count_ones()).sum();
        let zero_share = 1.0 - f64::from(set) / COUNTER_BITS as f64;
        let start = self.blocks.last().map_or(0, |(end, _)| *end);
        let all = self.hashes.len() - start;
        // Linear counting.
        let distinct =
            if zero_share > 0.0 { (-zero_share.ln() * COUNTER_BITS as f64).ceil() as usize } else { all };
        self.blocks.push((self.hashes.len(), distinct.min(all)));
        self.recent.fill(0);
        self.counter.fill(0);
    }
}

/// Lists of rows that have been written, and of what unions are made.
struct Lists<'a> {
    rows: usize,
    written: Vec<(u32, u32, Vec<u8>)>,
    /// Numbers of lists by a hash of their rows.
    known: HashMap<u64, Vec<(&'a [u64], u32)>>,
    /// The rows of lists that are no unions, with their numbers.
    bases: Vec<(Vec<u64>, u32)>,
}

impl<'a> Lists<'a> {
    /// The number of a list of those rows. `None`: it would take more than the budget, which it is taken from.
    fn add(&mut self, mine: &'a [u64], budget: &mut usize) -> Option<u32> {
        let same = self.known.entry(digest(mine)).or_default();
        if let Some((_, number)) = same.iter().find(|(known, _)| *known == mine) {
            return Some(*number);
        }
        let mut left = mine.to_vec();
        let mut numbers: Vec<u32> = Vec::new();
        // Large lists first: they were added last.
        for (base, number) in self.bases.iter().rev() {
            if base.iter().zip(&left).all(|(base, left)| base & !left == 0) {
                left.iter_mut().zip(base).for_each(|(left, base)| *left &= !base);
                numbers.push(*number);
            }
        }
        let count = |bits: &[u64]| bits.iter().map(|word| word.count_ones() as usize).sum::<usize>();
        let (all, rest) = (count(mine), count(&left));
        let whole_bytes = posting::encoded_bytes(all, self.rows);
        let rest_bytes = if rest > 0 { 4 + posting::encoded_bytes(rest, self.rows) } else { 0 };
        let union_bytes = numbers.len() * 4 + rest_bytes;
        let is_union = !numbers.is_empty() && union_bytes < whole_bytes;
        *budget = budget.checked_sub(8 * if is_union { union_bytes } else { whole_bytes })?;
        if !is_union {
            self.write(mine.to_vec(), all);
        } else {
            if rest > 0 {
                numbers.push(self.write(left, rest));
            }
            let bytes = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
            self.written.push((posting::UNION, all as u32, bytes));
        }
        let number = self.written.len() as u32 - 1;
        self.known.entry(digest(mine)).or_default().push((mine, number));
        Some(number)
    }

    /// Writes a list and takes it as a part of unions to come; gives back its number.
    fn write(&mut self, bits: Vec<u64>, count: usize) -> u32 {
        let mut bytes = Vec::new();
        let form = posting::encode(&bits, self.rows, &mut bytes);
        let number = self.written.len() as u32;
        self.written.push((form, count as u32, bytes));
        if self.bases.len() < BASES_MAX && count > 0 {
            self.bases.push((bits, number));
        }
        number
    }
}

/// Chooses which of the common terms get a list, and puts the others into the filters.
///
/// `budgets`: bits that the lists of words, and of terms with digits, may take.
fn parts(
    common: &Common,
    bits: &[u64],
    blocks: &[u32],
    filters: Filters,
    rows: usize,
    budgets: (usize, usize),
) -> Parts {
    let stride = words(rows);
    let mut parts = Parts::default();
    let mut lists = Lists { rows, written: Vec::new(), known: HashMap::new(), bases: Vec::new() };
    let (mut word_bits, mut number_bits) = budgets;
    let mut dropped = Vec::new();
    let of = |number: usize| &bits[number * stride..(number + 1) * stride];
    let mut order: Vec<(bool, u32, usize)> = common
        .terms
        .iter()
        .enumerate()
        .map(|(number, term)| {
            let count: u32 = of(number).iter().map(|word| word.count_ones()).sum();
            // Words from the rarest, of which the frequent ones are unions; numbers from the most frequent.
            let numeric = term.iter().any(u8::is_ascii_digit);
            (numeric, if numeric { u32::MAX - count } else { count }, number)
        })
        .collect();
    order.sort_unstable();
    for (numeric, _, number) in order {
        let budget = if numeric { &mut number_bits } else { &mut word_bits };
        match lists.add(of(number), budget) {
            Some(list) => parts.terms.push((common.terms[number].clone(), list)),
            None => dropped.push(number),
        }
    }
    parts.lists = lists.written;
    parts.terms.sort_unstable();
    let hashes_of_dropped: Vec<(usize, u64)> =
        dropped.into_iter().map(|number| (number, hash_folded(&common.terms[number]))).collect();
    let (mut row, mut start) = (0, 0);
    for (rows, (end, distinct)) in blocks.iter().zip(&filters.blocks) {
        let inside = row..row + *rows as usize;
        row = inside.end;
        let extra: Vec<u64> = hashes_of_dropped
            .iter()
            .filter(|(number, _)| {
                any_set(&bits[number * stride..(number + 1) * stride], inside.start, inside.end)
            })
            .map(|(_, hash)| *hash)
            .collect();
        let own = &filters.hashes[start..*end];
        start = *end;
        let mut filter = Vec::new();
        if !own.is_empty() || !extra.is_empty() {
            bloom::append(own.iter().chain(&extra).copied(), distinct + extra.len(), &mut filter);
        }
        parts.blocks.push((*rows, filter));
    }
    parts
}

/// A hash of a bitmap.
fn digest(words: &[u64]) -> u64 {
    words.iter().fold(0, |hash: u64, word| (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29))
}

/// Whether a bit from `start` to `end` (not included) is set.
fn any_set(words: &[u64], start: usize, end: usize) -> bool {
    let mut row = start;
    while row < end {
        let inside = (end - row).min(64 - row % 64);
        let mask = if inside == 64 { u64::MAX } else { ((1 << inside) - 1) << (row % 64) };
        if words[row / 64] & mask != 0 {
            return true;
        }
        row += inside;
    }
    false
}
