//! Numbers for the distinct texts of one column that all workers share.
//!
//! Spread over shards by their hashes, each with a lock of its own, taken once a batch. Of a dictionary only the
//! values that occur are looked up.

use arrow_array::types::UInt32Type;
use arrow_array::{Array, ArrayRef, DictionaryArray, StringViewArray};
use arrow_buffer::Buffer;
use arrow_data::ByteView;
use parking_lot::Mutex;
use std::sync::Arc;

use crate::engine::context::{MemoryReservation, QueryContext};
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::columns;
use crate::engine::execute::key::{Interner, hash_text};

const SHARD_BITS: u32 = 6;
const SHARDS: usize = 1 << SHARD_BITS;
/// The number of a text is its shard and its place there.
const PLACE_BITS: u32 = super::shape::TEXT_BITS - SHARD_BITS;

/// Rows that are looked up together: so few that their texts stay in a core's cache until their turn comes.
const ROWS: usize = 8_192;

struct Shard {
    interner: Interner,
    memory: MemoryReservation,
}

pub struct Texts {
    shards: Vec<Mutex<Shard>>,
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

/// The values of a dictionary that occur, and how often, by value.
pub fn occurrences(dictionary: &DictionaryArray<UInt32Type>, weights: Weights<'_>) -> (Vec<u32>, Vec<u64>) {
    let mut counts = vec![0u64; dictionary.values().len()];
    for (row, key) in dictionary.keys().values().iter().enumerate() {
        counts[*key as usize] += weights.of(row);
    }
    let used = (0..counts.len() as u32).filter(|value| counts[*value as usize] > 0).collect();
    (used, counts)
}

impl Texts {
    pub fn new(query: &Arc<QueryContext>) -> Result<Texts> {
        let shard = || {
            let memory = query.reserve(0)?;
            Ok(Mutex::new(Shard { interner: Interner::texts(), memory }))
        };
        Ok(Texts { shards: (0..SHARDS).map(|_| shard()).collect::<Result<_>>()? })
    }

    /// The number of each row's text. `turn` is where to begin, so that workers seldom wait for each other.
    pub fn numbers(&self, column: &ArrayRef, turn: usize) -> Result<Vec<u32>> {
        match columns::as_dictionary(column) {
            Some(dictionary) => {
                let (used, _) = occurrences(dictionary, Weights::One);
                let codes = self.look_up(columns::texts(dictionary.values())?, &used, turn)?;
                Ok(dictionary.keys().values().iter().map(|key| codes[*key as usize]).collect())
            }
            None => {
                let values = columns::texts(column)?;
                let all: Vec<u32> = (0..values.len() as u32).collect();
                self.look_up(values, &all, turn)
            }
        }
    }

    /// The numbers of some of the values, at their places.
    fn look_up(&self, values: &StringViewArray, used: &[u32], turn: usize) -> Result<Vec<u32>> {
        let mut codes = vec![0u32; values.len()];
        for used in used.chunks(ROWS) {
            self.look_up_some(values, used, turn, &mut codes)?;
        }
        Ok(codes)
    }

    fn look_up_some(
        &self,
        values: &StringViewArray,
        used: &[u32],
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
            let Shard { interner, memory } = &mut *shard;
            let base = (number as u32) << PLACE_BITS;
            interner.number_texts(values, rows, hashes, |row, place| codes[row as usize] = base | place);
            if interner.len() >= 1 << PLACE_BITS {
                return Err(EngineError::Evaluation(String::from("more groups than can be counted")));
            }
            memory.resize(interner.memory_bytes() as u64)?;
        }
        Ok(())
    }

    /// The texts. Nothing is known afterwards.
    pub fn take(&self, query: &Arc<QueryContext>) -> Result<Frozen> {
        let mut frozen =
            Frozen { shards: Vec::with_capacity(SHARDS), buffers: Vec::new(), _memory: Vec::new() };
        for shard in &self.shards {
            let empty = Shard { interner: Interner::texts(), memory: query.reserve(0)? };
            let Shard { interner, memory } = std::mem::replace(&mut *shard.lock(), empty);
            let (views, blocks) = interner.into_parts();
            let first_buffer = frozen.buffers.len() as u32;
            frozen.buffers.extend(blocks.into_iter().map(Buffer::from_vec));
            frozen.shards.push(FrozenShard { views, first_buffer });
            frozen._memory.push(memory);
        }
        Ok(frozen)
    }
}

/// Texts by number, to be read only.
pub struct Frozen {
    shards: Vec<FrozenShard>,
    buffers: Vec<Buffer>,
    /// Of all shards.
    _memory: Vec<MemoryReservation>,
}

struct FrozenShard {
    views: Vec<u128>,
    first_buffer: u32,
}

impl Frozen {
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
