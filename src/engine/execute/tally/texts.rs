//! Numbers for the distinct texts of one column that all workers share.
//!
//! Spread over shards by their hashes, each with a lock of its own, taken once a batch. Of a dictionary only the
//! values that occur are looked up. Where the text is the whole key the shards also count.

use arrow_array::{Array, ArrayRef, StringViewArray};
use arrow_buffer::Buffer;
use arrow_data::ByteView;
use parking_lot::Mutex;
use std::sync::Arc;

use crate::engine::context::{MemoryReservation, QueryContext};
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::columns;
use crate::engine::execute::key::{Interner, hash_text};

const SHARD_BITS: u32 = 6;
pub const SHARDS: usize = 1 << SHARD_BITS;
/// The number of a text is its shard and its place there.
const PLACE_BITS: u32 = super::shape::TEXT_BITS - SHARD_BITS;

/// Rows that are looked up together: so few that their texts stay in a core's cache until their turn comes.
const ROWS: usize = 8_192;

struct Shard {
    interner: Interner,
    counts: Vec<u64>,
    memory: MemoryReservation,
}

pub struct Texts {
    shards: Vec<Mutex<Shard>>,
    /// Whether the texts are counted.
    counts: bool,
}

/// How often the rows count.
#[derive(Clone, Copy)]
pub enum Weights<'a> {
    One,
    Each(&'a [u64]),
}

impl Weights<'_> {
    #[inline]
    pub fn of(self, row: usize) -> u64 {
        match self {
            Weights::One => 1,
            Weights::Each(weights) => weights[row],
        }
    }
}

impl Texts {
    pub fn new(query: &Arc<QueryContext>, counts: bool) -> Result<Texts> {
        let shard = || {
            let memory = query.reserve(0)?;
            Ok(Mutex::new(Shard { interner: Interner::texts(), counts: Vec::new(), memory }))
        };
        Ok(Texts { shards: (0..SHARDS).map(|_| shard()).collect::<Result<_>>()?, counts })
    }

    /// The number of each row's text; none if they are only counted. `turn` is where to begin, so that workers
    /// seldom wait for each other.
    pub fn numbers(&self, column: &ArrayRef, weights: Weights<'_>, turn: usize) -> Result<Vec<u32>> {
        match columns::as_dictionary(column) {
            Some(dictionary) => {
                let values = columns::texts(dictionary.values())?;
                let mut occurrences = vec![0u64; values.len()];
                for (row, key) in dictionary.keys().values().iter().enumerate() {
                    occurrences[*key as usize] += weights.of(row);
                }
                let used = (0..values.len() as u32).filter(|value| occurrences[*value as usize] > 0);
                let codes = self.look_up(values, used.collect(), Weights::Each(&occurrences), turn)?;
                if self.counts {
                    return Ok(codes);
                }
                Ok(dictionary.keys().values().iter().map(|key| codes[*key as usize]).collect())
            }
            None => {
                let values = columns::texts(column)?;
                self.look_up(values, (0..values.len() as u32).collect(), weights, turn)
            }
        }
    }

    /// The numbers of some of the values, at their places.
    fn look_up(
        &self,
        values: &StringViewArray,
        used: Vec<u32>,
        weights: Weights<'_>,
        turn: usize,
    ) -> Result<Vec<u32>> {
        let mut codes = vec![0u32; if self.counts { 0 } else { values.len() }];
        for used in used.chunks(ROWS) {
            self.look_up_some(values, used, weights, turn, &mut codes)?;
        }
        Ok(codes)
    }

    fn look_up_some(
        &self,
        values: &StringViewArray,
        used: &[u32],
        weights: Weights<'_>,
        turn: usize,
        codes: &mut [u32],
    ) -> Result<()> {
        let of = |value: u32| hash_text(values.value(value as usize).as_bytes());
        let unordered: Vec<u64> = used.iter().map(|value| of(*value)).collect();
        let shard_of = |hash: u64| (hash >> (64 - SHARD_BITS)) as usize;
        let mut starts = [0usize; SHARDS + 1];
        for hash in &unordered {
            starts[shard_of(*hash) + 1] += 1;
        }
        for shard in 0..SHARDS {
            starts[shard + 1] += starts[shard];
        }
        let mut next = starts;
        let mut rows = vec![0u32; used.len()];
        let mut hashes = vec![0u64; used.len()];
        for (value, hash) in used.iter().zip(&unordered) {
            let place = &mut next[shard_of(*hash)];
            rows[*place] = *value;
            hashes[*place] = *hash;
            *place += 1;
        }
        for step in 0..SHARDS {
            let number = (step + turn) % SHARDS;
            let range = starts[number]..starts[number + 1];
            if range.is_empty() {
                continue;
            }
            let (rows, hashes) = (&rows[range.clone()], &hashes[range]);
            let mut shard = self.shards[number].lock();
            let Shard { interner, counts, memory } = &mut *shard;
            if self.counts {
                interner.number_texts(values, rows, hashes, |row, place| {
                    let place = place as usize;
                    if place >= counts.len() {
                        counts.resize(place + 1, 0);
                    }
                    counts[place] += weights.of(row as usize);
                });
            } else {
                let base = (number as u32) << PLACE_BITS;
                interner.number_texts(values, rows, hashes, |row, place| {
                    codes[row as usize] = base | place;
                });
            }
            if interner.len() >= 1 << PLACE_BITS {
                return Err(EngineError::Evaluation(String::from("more groups than can be counted")));
            }
            memory.resize((interner.memory_bytes() + counts.capacity() * 8) as u64)?;
        }
        Ok(())
    }

    /// The texts and, if they were counted, the counts. Nothing is known afterwards.
    pub fn take(&self, query: &Arc<QueryContext>) -> Result<Frozen> {
        let mut frozen =
            Frozen { shards: Vec::with_capacity(SHARDS), buffers: Vec::new(), _memory: Vec::new() };
        for shard in &self.shards {
            let empty = Shard { interner: Interner::texts(), counts: Vec::new(), memory: query.reserve(0)? };
            let Shard { interner, counts, memory } = std::mem::replace(&mut *shard.lock(), empty);
            let (views, blocks) = interner.into_parts();
            let first_buffer = frozen.buffers.len() as u32;
            frozen.buffers.extend(blocks.into_iter().map(Buffer::from_vec));
            frozen.shards.push(FrozenShard { views, counts, first_buffer });
            frozen._memory.push(memory);
        }
        Ok(frozen)
    }
}

/// Texts by number, to be read only.
pub struct Frozen {
    pub shards: Vec<FrozenShard>,
    buffers: Vec<Buffer>,
    /// Of all shards.
    _memory: Vec<MemoryReservation>,
}

pub struct FrozenShard {
    views: Vec<u128>,
    pub counts: Vec<u64>,
    first_buffer: u32,
}

impl Frozen {
    /// The number of a text by its shard and its place there.
    pub fn number(shard: usize, place: usize) -> u64 {
        ((shard as u64) << PLACE_BITS) | place as u64
    }

    /// The texts with those numbers.
    pub fn column(&self, numbers: impl Iterator<Item = u64>) -> Result<ArrayRef> {
        let views: Vec<u128> = numbers
            .map(|number| {
                let shard = &self.shards[(number >> PLACE_BITS) as usize];
                let view = shard.views[number as usize & ((1 << PLACE_BITS) - 1)];
                if view as u32 as usize <= crate::engine::execute::key::INLINE_BYTES {
                    return view;
                }
                let mut view = ByteView::from(view);
                view.buffer_index += shard.first_buffer;
                view.as_u128()
            })
            .collect();
        Ok(Arc::new(StringViewArray::try_new(views.into(), self.buffers.clone(), None)?))
    }
}
