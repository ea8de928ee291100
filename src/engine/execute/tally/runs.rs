//! Rows by partition, and how they are counted a partition at a time.
//!
//! Nothing is looked up while rows come in: their keys are put in order of partition, some ten thousand at a
//! time. In the end all rows of one partition go through a table that stays in a core's own cache.

use super::shape::Word;
use super::texts::Weights;

pub const PARTITION_BITS: u32 = 8;
pub const PARTITIONS: usize = 1 << PARTITION_BITS;

/// Fewer rows are gathered before they are put in order.
const RUN_ROWS: usize = 32_768;

/// Rows of one worker past which they are counted to see whether they become fewer by it.
const COUNTED_ROWS: usize = 8 << 20;

const SLOTS_MIN: usize = 1 << 12;

/// Keys in order of their partition.
struct Run<W> {
    keys: Vec<W>,
    /// How often each counts; empty: once.
    counts: Vec<u64>,
    starts: Vec<u32>,
}

impl<W: Word> Run<W> {
    fn new(keys: &[W], weights: Weights<'_>) -> Run<W> {
        let partition = |key: &W| (key.hash() >> (64 - PARTITION_BITS)) as usize;
        let mut starts = vec![0u32; PARTITIONS + 1];
        let partitions: Vec<u8> = keys
            .iter()
            .map(|key| {
                let partition = partition(key);
                starts[partition + 1] += 1;
                partition as u8
            })
            .collect();
        for index in 0..PARTITIONS {
            starts[index + 1] += starts[index];
        }
        let mut next: [u32; PARTITIONS] = [0; PARTITIONS];
        next.copy_from_slice(&starts[..PARTITIONS]);
        let mut sorted = vec![W::default(); keys.len()];
        let counts = match weights {
            Weights::One => {
                for (key, partition) in keys.iter().zip(partitions) {
                    let place = &mut next[usize::from(partition)];
                    sorted[*place as usize] = *key;
                    *place += 1;
                }
                Vec::new()
            }
            Weights::Each(weights) => {
                let mut counts = vec![0; keys.len()];
                for ((key, weight), partition) in keys.iter().zip(weights).zip(partitions) {
                    let place = &mut next[usize::from(partition)];
                    sorted[*place as usize] = *key;
                    counts[*place as usize] = *weight;
                    *place += 1;
                }
                counts
            }
        };
        Run { keys: sorted, counts, starts }
    }

    fn bytes(&self) -> usize {
        self.keys.capacity() * size_of::<W>() + self.counts.capacity() * 8 + self.starts.capacity() * 4
    }
}

/// The rows of one worker, or of all.
pub struct Runs<W> {
    gathered: Vec<W>,
    runs: Vec<Run<W>>,
    rows: usize,
    /// Rows at which they are counted the next time.
    counted_at: usize,
    bytes: usize,
}

impl<W: Word> Default for Runs<W> {
    fn default() -> Self {
        Runs { gathered: Vec::new(), runs: Vec::new(), rows: 0, counted_at: COUNTED_ROWS, bytes: 0 }
    }
}

impl<W: Word> Runs<W> {
    pub fn add(&mut self, keys: &[W], weights: Weights<'_>) {
        match weights {
            Weights::One if keys.len() < RUN_ROWS => {
                self.gathered.extend_from_slice(keys);
                if self.gathered.len() >= RUN_ROWS {
                    self.order();
                }
            }
            _ => self.push(Run::new(keys, weights)),
        }
        if self.rows >= self.counted_at {
            self.count();
        }
    }

    fn push(&mut self, run: Run<W>) {
        self.rows += run.keys.len();
        self.bytes += run.bytes();
        self.runs.push(run);
    }

    fn order(&mut self) {
        if !self.gathered.is_empty() {
            let run = Run::new(&self.gathered, Weights::One);
            self.gathered.clear();
            self.push(run);
        }
    }

    /// Makes one entry of equal keys.
    fn count(&mut self) {
        self.order();
        let mut counts = Counts::default();
        let mut run = Run { keys: Vec::new(), counts: Vec::new(), starts: vec![0] };
        for partition in 0..PARTITIONS {
            self.fill(partition, &mut counts);
            for (key, count) in counts.entries() {
                run.keys.push(key);
                run.counts.push(count);
            }
            run.starts.push(run.keys.len() as u32);
        }
        run.keys.shrink_to_fit();
        run.counts.shrink_to_fit();
        self.runs.clear();
        (self.rows, self.bytes) = (0, 0);
        self.counted_at = COUNTED_ROWS.max(run.keys.len() * 2);
        self.push(run);
    }

    /// Takes over all of another.
    pub fn append(&mut self, mut other: Runs<W>) {
        other.order();
        self.order();
        self.rows += other.rows;
        self.bytes += other.bytes;
        self.runs.extend(other.runs);
    }

    /// Counts the rows of a partition in a table, which is emptied first.
    pub fn fill(&self, partition: usize, counts: &mut Counts<W>) {
        counts.clear();
        for run in &self.runs {
            let range = run.starts[partition] as usize..run.starts[partition + 1] as usize;
            let keys = &run.keys[range.clone()];
            if run.counts.is_empty() {
                keys.iter().for_each(|key| counts.add(*key, 1));
            } else {
                for (key, count) in keys.iter().zip(&run.counts[range]) {
                    counts.add(*key, *count);
                }
            }
        }
    }

    pub fn memory_bytes(&self) -> usize {
        self.bytes + self.gathered.capacity() * size_of::<W>()
    }
}

/// How often keys occur: open addressing, key and count side by side.
pub struct Counts<W> {
    /// A count of zero where empty; a power of two long, at most half full.
    slots: Vec<(W, u64)>,
    len: usize,
}

impl<W: Word> Default for Counts<W> {
    fn default() -> Self {
        Counts { slots: vec![(W::default(), 0); SLOTS_MIN], len: 0 }
    }
}

impl<W: Word> Counts<W> {
    fn clear(&mut self) {
        self.slots.fill((W::default(), 0));
        self.len = 0;
    }

    pub fn len(&self) -> usize {
        self.len
    }

    #[inline]
    fn add(&mut self, key: W, count: u64) {
        if count == 0 {
            return;
        }
        let mask = self.slots.len() - 1;
        let mut place = key.hash() as usize & mask;
        loop {
            let slot = &mut self.slots[place & mask];
            if slot.1 == 0 {
                *slot = (key, count);
                self.len += 1;
                if self.len * 2 > self.slots.len() {
                    self.grow();
                }
                return;
            }
            if slot.0 == key {
                slot.1 += count;
                return;
            }
            place += 1;
        }
    }

    #[cold]
    fn grow(&mut self) {
        let slots = vec![(W::default(), 0); self.slots.len() * 4];
        let old = std::mem::replace(&mut self.slots, slots);
        self.len = 0;
        for (key, count) in old {
            self.add(key, count);
        }
    }

    pub fn entries(&self) -> impl Iterator<Item = (W, u64)> + '_ {
        self.slots.iter().copied().filter(|(_, count)| *count > 0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn counts_what_went_in(
            batches in prop::collection::vec((prop::collection::vec(0u64..90, 0..60), any::<bool>()), 0..12),
            counted_at in 1usize..200,
        ) {
            let mut model: BTreeMap<u64, u64> = BTreeMap::new();
            let mut workers = [Runs::<u128>::default(), Runs::default()];
            workers.iter_mut().for_each(|runs| runs.counted_at = counted_at);
            for (index, (keys, weighted)) in batches.iter().enumerate() {
                let words: Vec<u128> = keys.iter().map(|key| u128::from(*key) << 60).collect();
                let weights: Vec<u64> = keys.iter().map(|key| 1 + key % 3).collect();
                let weights = if *weighted { Weights::Each(&weights) } else { Weights::One };
                let runs = &mut workers[index % 2];
                runs.add(&words, weights);
                if index % 3 == 0 {
                    runs.count();
                }
                for (row, key) in keys.iter().enumerate() {
                    *model.entry(*key).or_default() += weights.of(row);
                }
            }
            let [mut all, other] = workers;
            all.append(other);
            let mut counts = Counts::default();
            let mut found = BTreeMap::new();
            for partition in 0..PARTITIONS {
                all.fill(partition, &mut counts);
                prop_assert_eq!(counts.entries().count(), counts.len());
                found.extend(counts.entries().map(|(key, count)| ((key >> 60) as u64, count)));
            }
            prop_assert_eq!(found, model);
        }
    }
}
