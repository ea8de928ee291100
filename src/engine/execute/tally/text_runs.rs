//! Texts by partition, bytes and all: what `runs` is for numbers, for a key that is one text.
//!
//! Rows are written one partition after another, so that in the end the texts of one partition are compared with
//! each other where they lie, close together. A text is copied once for each of its rows; looking each row up
//! in one large table, which copies it once for all, costs several times as much in waiting for memory.

use arrow_array::builder::StringViewBuilder;
use arrow_array::{Array, ArrayRef, StringViewArray};
use std::sync::Arc;

use super::runs::{PARTITION_BITS, PARTITIONS};
use super::texts::{Weights, occurrences};
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::columns;
use crate::engine::execute::key::{STEP, Slots, hash_text};

/// Rows of a run: so few that their texts stay in a core's cache until they are written.
const RUN_ROWS: usize = 8_192;

/// Bytes of one worker past which texts are counted to see whether they become fewer by it.
const COUNTED_BYTES: usize = 512 << 20;

/// A column of texts lies in blocks of at most this size.
const BLOCK_BYTES_MAX: u64 = 16 << 20;

/// Texts in order of their partition.
#[derive(Default)]
struct Run {
    bytes: Vec<u8>,
    lengths: Vec<u32>,
    hashes: Vec<u64>,
    /// How often each counts; empty: once.
    counts: Vec<u64>,
    /// First row and first byte of each partition, and the end.
    starts: Vec<(u32, usize)>,
}

impl Run {
    fn new(values: &StringViewArray, used: &[u32], weights: Weights<'_>) -> Run {
        let value = |row: u32| values.value(row as usize).as_bytes();
        let hashes: Vec<u64> = used.iter().map(|row| hash_text(value(*row))).collect();
        let partition = |hash: u64| (hash >> (64 - PARTITION_BITS)) as usize;
        let mut starts = vec![(0u32, 0usize); PARTITIONS + 1];
        for (row, hash) in used.iter().zip(&hashes) {
            let (rows, bytes) = &mut starts[partition(*hash) + 1];
            *rows += 1;
            *bytes += value(*row).len();
        }
        for index in 0..PARTITIONS {
            let (rows, bytes) = starts[index];
            starts[index + 1].0 += rows;
            starts[index + 1].1 += bytes;
        }
        let mut next: Vec<u32> = starts.iter().map(|(row, _)| *row).collect();
        let mut order = vec![0u32; used.len()];
        let mut ordered = vec![0u64; used.len()];
        for (row, hash) in used.iter().zip(hashes) {
            let place = &mut next[partition(hash)];
            order[*place as usize] = *row;
            ordered[*place as usize] = hash;
            *place += 1;
        }
        let mut bytes = Vec::with_capacity(starts[PARTITIONS].1);
        order.iter().for_each(|row| bytes.extend_from_slice(value(*row)));
        Run {
            bytes,
            lengths: order.iter().map(|row| value(*row).len() as u32).collect(),
            counts: match weights {
                Weights::One => Vec::new(),
                Weights::Each(_) => order.iter().map(|row| weights.of(*row as usize)).collect(),
            },
            hashes: ordered,
            starts,
        }
    }

    fn memory_bytes(&self) -> usize {
        self.bytes.capacity()
            + self.lengths.capacity() * 4
            + (self.hashes.capacity() + self.counts.capacity()) * 8
            + self.starts.capacity() * size_of::<(u32, usize)>()
    }
}

/// The texts of one worker, or of all.
pub struct TextRuns {
    runs: Vec<Run>,
    memory_bytes: usize,
    /// Bytes at which texts are counted the next time.
    counted_at: usize,
}

impl Default for TextRuns {
    fn default() -> TextRuns {
        TextRuns { runs: Vec::new(), memory_bytes: 0, counted_at: COUNTED_BYTES }
    }
}

/// A text where it lies, and how often it occurs.
#[derive(Clone, Copy)]
pub struct Entry {
    hash: u64,
    pub count: u64,
    start: usize,
    run: u32,
    length: u32,
}

impl Entry {
    /// Where the text lies, as one number.
    pub fn place(&self) -> u128 {
        (self.start as u128) << 64 | u128::from(self.run) << 32 | u128::from(self.length)
    }
}

impl TextRuns {
    pub fn add(&mut self, column: &ArrayRef, weights: Weights<'_>) -> Result<()> {
        match columns::as_dictionary(column) {
            Some(dictionary) => {
                let (used, counts) = occurrences(dictionary, weights);
                self.add_values(columns::texts(dictionary.values())?, &used, Weights::Each(&counts));
            }
            None => {
                let values = columns::texts(column)?;
                let all: Vec<u32> = (0..values.len() as u32).collect();
                self.add_values(values, &all, weights);
            }
        }
        if self.memory_bytes >= self.counted_at {
            self.count();
        }
        Ok(())
    }

    fn add_values(&mut self, values: &StringViewArray, used: &[u32], weights: Weights<'_>) {
        for used in used.chunks(RUN_ROWS) {
            self.push(Run::new(values, used, weights));
        }
    }

    fn push(&mut self, run: Run) {
        self.memory_bytes += run.memory_bytes();
        self.runs.push(run);
    }

    /// Makes one entry of equal texts.
    fn count(&mut self) {
        let mut run = Run { starts: vec![(0, 0)], ..Run::default() };
        for partition in 0..PARTITIONS {
            for entry in self.entries(partition) {
                run.bytes.extend_from_slice(self.text(&entry));
                run.lengths.push(entry.length);
                run.hashes.push(entry.hash);
                run.counts.push(entry.count);
            }
            run.starts.push((run.lengths.len() as u32, run.bytes.len()));
        }
        run.bytes.shrink_to_fit();
        self.runs.clear();
        self.memory_bytes = 0;
        self.push(run);
        self.counted_at = COUNTED_BYTES.max(self.memory_bytes * 2);
    }

    /// Takes over all of another.
    pub fn append(&mut self, other: TextRuns) {
        self.memory_bytes += other.memory_bytes;
        self.runs.extend(other.runs);
    }

    pub fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }

    fn text(&self, entry: &Entry) -> &[u8] {
        &self.runs[entry.run as usize].bytes[entry.start..entry.start + entry.length as usize]
    }

    /// The distinct texts of a partition.
    pub fn entries(&self, partition: usize) -> Vec<Entry> {
        let mut slots = Slots::default();
        let mut entries: Vec<Entry> = Vec::new();
        let mut candidates = [None; STEP];
        for (number, run) in self.runs.iter().enumerate() {
            let ((first, mut start), (end, _)) = (run.starts[partition], run.starts[partition + 1]);
            let rows = first as usize..end as usize;
            for first in rows.clone().step_by(STEP) {
                let rows = first..rows.end.min(first + STEP);
                let hashes = &run.hashes[rows.clone()];
                slots.reserve(hashes.len(), |entry| entries[entry as usize].hash);
                slots.candidates(hashes, &mut candidates);
                // The ends of the texts that will be compared: memory is waited for together.
                let known = candidates[..hashes.len()].iter().flatten();
                let touched = known.fold(0, |all: u8, entry| {
                    all ^ self.text(&entries[*entry as usize]).last().copied().unwrap_or(0)
                });
                std::hint::black_box(touched);
                for ((row, hash), candidate) in rows.zip(hashes).zip(candidates) {
                    let length = run.lengths[row];
                    let text = &run.bytes[start..start + length as usize];
                    let is = |entry: u32| {
                        let entry = &entries[entry as usize];
                        entry.hash == *hash && entry.length == length && self.text(entry) == text
                    };
                    let found = candidate.filter(|entry| is(*entry)).or_else(|| slots.find(*hash, is));
                    let count = run.counts.get(row).copied().unwrap_or(1);
                    match found {
                        Some(entry) => entries[entry as usize].count += count,
                        None => {
                            slots.insert(*hash, entries.len() as u32);
                            entries.push(Entry { hash: *hash, count, start, run: number as u32, length });
                        }
                    }
                    start += length as usize;
                }
            }
        }
        entries
    }

    /// The texts at the given places (see `Entry::place`).
    pub fn column(&self, places: impl Iterator<Item = u128> + Clone) -> Result<ArrayRef> {
        let bytes: u64 = places.clone().map(|place| u64::from(place as u32)).sum();
        let block = bytes.clamp(1, BLOCK_BYTES_MAX) as u32;
        let mut builder = StringViewBuilder::new().with_fixed_block_size(block);
        for place in places {
            let (start, run, length) = ((place >> 64) as usize, (place >> 32) as u32, place as u32);
            let text = &self.runs[run as usize].bytes[start..start + length as usize];
            let text = std::str::from_utf8(text)
                .map_err(|_| EngineError::Internal(String::from("a text that was kept is damaged")))?;
            builder.append_value(text);
        }
        Ok(Arc::new(builder.finish()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use arrow_array::DictionaryArray;
    use arrow_array::types::UInt32Type;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn counts_what_went_in(
            batches in prop::collection::vec((prop::collection::vec("[ab]{0,3}|[a-c]{14,15}", 0..60), 0usize..4), 0..12),
            counted_at in 1usize..2_000,
        ) {
            let mut model: BTreeMap<String, u64> = BTreeMap::new();
            let mut workers = [TextRuns::default(), TextRuns::default()];
            workers.iter_mut().for_each(|runs| runs.counted_at = counted_at);
            for (index, (texts, kind)) in batches.iter().enumerate() {
                let weights: Vec<u64> = texts.iter().map(|text| 1 + text.len() as u64 % 3).collect();
                let weights = if *kind < 2 { Weights::Each(&weights) } else { Weights::One };
                let mut column: ArrayRef = Arc::new(StringViewArray::from_iter_values(texts));
                if kind % 2 == 0 {
                    let keys = (0..texts.len() as u32).map(|row| row / 2);
                    column = Arc::new(DictionaryArray::<UInt32Type>::new(
                        arrow_array::UInt32Array::from_iter_values(keys), column,
                    ));
                }
                let flat = columns::flatten(&column).unwrap();
                for (row, text) in columns::texts(&flat).unwrap().iter().flatten().enumerate() {
                    *model.entry(text.to_owned()).or_default() += weights.of(row);
                }
                let runs = &mut workers[index % 2];
                runs.add(&column, weights).unwrap();
                if index % 3 == 0 {
                    runs.count();
                }
            }
            let [mut all, other] = workers;
            all.append(other);
            let mut found = BTreeMap::new();
            for partition in 0..PARTITIONS {
                let entries = all.entries(partition);
                let column = all.column(entries.iter().map(Entry::place)).unwrap();
                for (text, entry) in columns::texts(&column).unwrap().iter().flatten().zip(&entries) {
                    prop_assert_eq!(found.insert(text.to_owned(), entry.count), None);
                }
            }
            prop_assert_eq!(found, model);
        }
    }
}
