//! `count()` by keys of very many groups, and `distinct`.
//!
//! What a table of groups costs then is waiting for memory. Here the keys of a row become one number (`shape`),
//! the numbers of all rows are kept by partition of their hashes, and are counted a partition at a time when all
//! are there (`runs`). Texts get their numbers from shards that all workers share (`texts`), but a key that is one
//! text is kept as it is (`text_runs`). If only the largest
//! groups are wanted the others never become rows. Knows nothing of when it is worth it: see `summarize`.

mod runs;
mod shape;
mod text_runs;
mod texts;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use arrow_array::{ArrayRef, Int64Array};
use arrow_buffer::BooleanBuffer;
use conshelf_kql::Type;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::engine::batch::Batch;
use crate::engine::context::{MemoryReservation, QueryContext};
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::columns;
use runs::{Counts, PARTITIONS, Runs};
use shape::{Shape, Word};
use text_runs::{Entry, TextRuns};
use texts::{Frozen, Texts};

pub use texts::Weights;

/// The largest groups are found in each partition if not more of them are wanted.
const MOST_MAX: usize = 4_096;

/// What all workers share.
pub struct Tally {
    types: Vec<Type>,
    shape: OnceLock<Option<Shape>>,
    /// Of each key column that is a text, unless it is the only one.
    texts: Vec<Option<Texts>>,
    /// The key is one text.
    is_text: bool,
    /// Whether the counts are wanted.
    yields_counts: bool,
    query: Arc<QueryContext>,
}

/// What one worker has.
pub struct TallyLocal {
    rows: Rows,
    batches: usize,
    memory: MemoryReservation,
}

enum Rows {
    Text(TextRuns),
    One(Runs<u64>),
    Two(Runs<u128>),
}

impl Tally {
    /// `None`: keys of these types are not counted this way.
    pub fn of(types: &[Type], yields_counts: bool, query: &Arc<QueryContext>) -> Result<Option<Tally>> {
        if types.is_empty() || types.iter().any(|ty| shape::width(*ty).is_none()) {
            return Ok(None);
        }
        let is_text = types == [Type::String];
        let texts = types.iter().map(|ty| match ty {
            Type::String if !is_text => Texts::new(query).map(Some),
            _ => Ok(None),
        });
        Ok(Some(Tally {
            types: types.to_vec(),
            shape: OnceLock::new(),
            texts: texts.collect::<Result<_>>()?,
            is_text,
            yields_counts,
            query: query.clone(),
        }))
    }

    /// A worker's part, if keys like these can be counted this way.
    pub fn start(&self, keys: &[ArrayRef]) -> Result<Option<TallyLocal>> {
        let shape = match self.shape.get() {
            Some(shape) => shape,
            None => {
                let shape = Shape::of(&self.types, keys)?;
                self.shape.get_or_init(|| shape)
            }
        };
        let Some(shape) = shape else { return Ok(None) };
        let rows = match shape.bits {
            _ if self.is_text => Rows::Text(TextRuns::default()),
            ..=64 => Rows::One(Runs::default()),
            _ => Rows::Two(Runs::default()),
        };
        Ok(Some(TallyLocal { rows, batches: 0, memory: self.query.reserve(0)? }))
    }

    /// The rows that can be counted; `None`: all.
    pub fn fitting(&self, keys: &[ArrayRef]) -> Result<Option<BooleanBuffer>> {
        self.shape()?.fitting(keys)
    }

    fn shape(&self) -> Result<&Shape> {
        let shape = self.shape.get().and_then(Option::as_ref);
        shape.ok_or_else(|| {
            EngineError::Internal(String::from("keys are counted before their first rows came"))
        })
    }

    /// Counts rows, all of which fit.
    pub fn add(
        &self,
        local: &mut TallyLocal,
        keys: &[ArrayRef],
        rows: usize,
        weights: Weights<'_>,
    ) -> Result<()> {
        local.batches += 1;
        // A prime, so that two workers do not follow each other.
        let turn = local.batches * 29;
        let number = |(texts, key): (&Option<Texts>, &ArrayRef)| match texts {
            Some(texts) => texts.numbers(key, turn),
            None => Ok(Vec::new()),
        };
        let texts = self.texts.iter().zip(keys).map(number).collect::<Result<Vec<_>>>()?;
        let shape = self.shape()?;
        let bytes = match &mut local.rows {
            Rows::Text(runs) => {
                let missing = || EngineError::Internal(String::from("a text key without its column"));
                runs.add(keys.first().ok_or_else(missing)?, weights)?;
                runs.memory_bytes()
            }
            Rows::One(runs) => {
                runs.add(&shape.pack(keys, &texts, rows)?, weights);
                runs.memory_bytes()
            }
            Rows::Two(runs) => {
                runs.add(&shape.pack(keys, &texts, rows)?, weights);
                runs.memory_bytes()
            }
        };
        local.memory.resize(bytes as u64)
    }

    /// One row per group: its keys and how often it occurs. `most`: so many of the largest are wanted, others
    /// may come too.
    pub fn finish(&self, locals: Vec<TallyLocal>, most: Option<usize>) -> Result<Vec<Batch>> {
        let most = most.filter(|most| *most <= MOST_MAX).map(Most::new);
        let texts: Vec<Option<Frozen>> = self
            .texts
            .iter()
            .map(|texts| texts.as_ref().map(|texts| texts.take(&self.query)).transpose())
            .collect::<Result<_>>()?;
        let (mut one, mut two) = (Runs::<u64>::default(), Runs::<u128>::default());
        let mut text = TextRuns::default();
        let mut memory = Vec::new();
        for local in locals {
            memory.push(local.memory);
            match local.rows {
                Rows::Text(runs) => text.append(runs),
                Rows::One(runs) => one.append(runs),
                Rows::Two(runs) => two.append(runs),
            }
        }
        if self.is_text {
            return self.texts_by_count(&text, most.as_ref());
        }
        match self.shape()?.bits {
            ..=64 => self.rows_by_count(&one, &texts, most.as_ref()),
            _ => self.rows_by_count(&two, &texts, most.as_ref()),
        }
    }

    fn texts_by_count(&self, runs: &TextRuns, most: Option<&Most>) -> Result<Vec<Batch>> {
        let entries = |(): &mut (), number: usize| {
            let entries = runs.entries(number);
            chosen(entries.iter().map(|entry: &Entry| (entry.place(), entry.count)), entries.len(), most)
        };
        let columns =
            |entries: &[(u128, u64)]| Ok(vec![runs.column(entries.iter().map(|(place, _)| *place))?]);
        self.batches(PARTITIONS, most, || (), entries, columns)
    }

    fn rows_by_count<W: Word>(
        &self,
        runs: &Runs<W>,
        texts: &[Option<Frozen>],
        most: Option<&Most>,
    ) -> Result<Vec<Batch>> {
        let shape = self.shape()?;
        let entries = |counts: &mut Counts<W>, number: usize| {
            runs.fill(number, counts);
            chosen(counts.entries(), counts.len(), most)
        };
        let columns = |entries: &[(W, u64)]| {
            let words: Vec<W> = entries.iter().map(|(word, _)| *word).collect();
            let column = |(position, texts): (usize, &Option<Frozen>)| match texts {
                Some(texts) => texts.column(shape.codes(position, &words)),
                None => shape.column(position, &words),
            };
            texts.iter().enumerate().map(column).collect()
        };
        self.batches(PARTITIONS, most, Counts::default, entries, columns)
    }

    /// The rows of all parts: `entries` gives those of one, given what a thread keeps from part to part.
    fn batches<W: Word, T: Send>(
        &self,
        parts: usize,
        most: Option<&Most>,
        start: impl Fn() -> T + Send + Sync,
        entries: impl Fn(&mut T, usize) -> Vec<(W, u64)> + Send + Sync,
        columns: impl Fn(&[(W, u64)]) -> Result<Vec<ArrayRef>> + Send + Sync,
    ) -> Result<Vec<Batch>> {
        let batch = |entries: &[(W, u64)]| -> Result<Batch> {
            let mut columns = columns(entries)?;
            if self.yields_counts {
                let counts = entries.iter().map(|(_, count)| *count as i64);
                columns.push(Arc::new(Int64Array::from_iter_values(counts)));
            }
            Ok(Batch::new(columns, entries.len()))
        };
        if most.is_some() {
            let found = (0..parts).into_par_iter().map_init(start, |kept, part| {
                self.query.check()?;
                Ok(entries(kept, part))
            });
            let found: Vec<Vec<(W, u64)>> = found.collect::<Result<_>>()?;
            // A few rows must not keep the texts of all.
            return Ok(vec![columns::compact(batch(&found.concat())?)]);
        }
        let found = (0..parts).into_par_iter().map_init(start, |kept, part| {
            self.query.check()?;
            let entries = entries(kept, part);
            let batch = batch(&entries)?;
            Ok((self.query.reserve(columns::held_bytes(&batch))?, batch))
        });
        let found: Vec<(MemoryReservation, Batch)> = found.collect::<Result<_>>()?;
        Ok(found.into_iter().map(|(_, batch)| batch).filter(|batch| batch.rows > 0).collect())
    }
}

/// How many of the largest groups are wanted, and a count that so many are known to reach.
struct Most {
    limit: usize,
    floor: AtomicU64,
}

impl Most {
    fn new(limit: usize) -> Most {
        Most { limit, floor: AtomicU64::new(0) }
    }
}

/// The entries that may be among the largest.
fn chosen<W>(entries: impl Iterator<Item = (W, u64)>, len: usize, most: Option<&Most>) -> Vec<(W, u64)> {
    let Some(most) = most else {
        let mut all = Vec::with_capacity(len);
        all.extend(entries);
        return all;
    };
    let mut floor = most.floor.load(Ordering::Relaxed);
    let mut candidates: Vec<(W, u64)> = Vec::new();
    let mut largest: BinaryHeap<Reverse<u64>> = BinaryHeap::new();
    for (word, count) in entries {
        // One that only equals the floor has `limit` others that are as good.
        if count <= floor {
            continue;
        }
        candidates.push((word, count));
        largest.push(Reverse(count));
        if largest.len() > most.limit {
            largest.pop();
        }
        if let (true, Some(Reverse(least))) = (largest.len() == most.limit, largest.peek()) {
            floor = floor.max(*least);
        }
    }
    most.floor.fetch_max(floor, Ordering::Relaxed);
    candidates.retain(|(_, count)| *count >= floor);
    candidates
}
