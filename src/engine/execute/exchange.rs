//! Aggregation by keys of very many groups: tables by partition of the keys, that all workers share.
//!
//! A table of very many groups is larger than any cache, and looking up one row after another is waiting for
//! memory. So the rows of a batch are put in order of their partition and wait; in the end, or when too many
//! wait, all rows of one partition go through its table, which stays in a core's own cache meanwhile. If only
//! the groups with the greatest results are wanted the others never become rows. Knows nothing of when it is
//! worth it: see `summarize`.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, UInt32Array, UInt64Array};
use conshelf_kql::Type;
use parking_lot::Mutex;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::engine::aggregate::{self, Accumulator};
use crate::engine::batch::Batch;
use crate::engine::context::{MemoryReservation, QueryContext};
use crate::engine::error::Result;
use crate::engine::execute::columns;
use crate::engine::execute::key::{KeyTable, partition};
use crate::engine::execute::summarize::Calls;

/// Partitions, as a power of two.
const PARTITION_BITS: u32 = 7;

/// Bytes of rows that wait at most, of all workers together.
const WAITING_BYTES_MAX: u64 = 512 << 20;

/// They may also take this part of what the query may.
const WAITING_PART: u64 = 4;

/// Only the groups with the greatest values of one result column are wanted; others may come too.
#[derive(Clone, Copy, Debug)]
pub struct Most {
    pub limit: usize,
    /// Of the column among keys and results.
    pub column: usize,
}

/// What all workers share.
pub struct Exchange {
    tables: Vec<Mutex<Table>>,
    /// Bytes of one worker's rows that wait at most.
    waiting_max: u64,
    key_types: Vec<Type>,
    query: Arc<QueryContext>,
}

struct Table {
    keys: KeyTable,
    accumulators: Vec<Box<dyn Accumulator>>,
    group_of: Vec<u32>,
    memory: MemoryReservation,
}

/// The rows of one worker that are in no table yet.
pub struct Waiting {
    parts: Vec<Part>,
    bytes: u64,
    memory: MemoryReservation,
}

/// The rows of a batch in order of their partition.
struct Part {
    keys: Vec<ArrayRef>,
    arguments: Vec<ArrayRef>,
    /// Of a key that is one text; otherwise none.
    hashes: Vec<u64>,
    starts: Vec<usize>,
}

impl Table {
    fn start(calls: &Calls, key_types: &[Type], query: &Arc<QueryContext>) -> Result<Table> {
        Ok(Table {
            keys: KeyTable::new(key_types),
            accumulators: calls.create()?,
            group_of: Vec::new(),
            memory: query.reserve(0)?,
        })
    }

    /// Adds the rows of one partition.
    fn add(&mut self, calls: &Calls, part: &Part, number: usize) -> Result<()> {
        let (start, end) = (part.starts[number], part.starts[number + 1]);
        if start == end {
            return Ok(());
        }
        let slice = |list: &[ArrayRef]| -> Vec<ArrayRef> {
            list.iter().map(|column| column.slice(start, end - start)).collect()
        };
        let hashes = part.hashes.get(start..end);
        self.keys.assign_spread(&slice(&part.keys), end - start, hashes, &mut self.group_of)?;
        calls.update(&mut self.accumulators, &slice(&part.arguments), &self.group_of, self.keys.len())
    }

    fn charge(&mut self) -> Result<()> {
        let states: usize = self.accumulators.iter().map(|accumulator| accumulator.memory_bytes()).sum();
        self.memory.resize((self.keys.memory_bytes() + states) as u64)
    }

    /// One row per group.
    fn finish(mut self, most: Option<Most>) -> Result<Batch> {
        let groups = self.keys.len();
        let mut results = Vec::new();
        for accumulator in &mut self.accumulators {
            accumulator.resize(groups);
            results.extend(accumulator.finish()?);
        }
        let mut found = self.keys.columns()?;
        let position = most.and_then(|most| most.column.checked_sub(found.len()));
        found.extend(results.iter().cloned());
        let batch = Batch::new(found, groups);
        let by = position.and_then(|position| results.get(position));
        match (most, by) {
            (Some(most), Some(by)) => match greatest(by, most.limit) {
                // A few rows must not keep the texts of all.
                Some(rows) => Ok(columns::compact(columns::take(&batch, &rows)?)),
                None => Ok(batch),
            },
            _ => Ok(batch),
        }
    }
}

/// The rows with the greatest numbers of a column, and perhaps others; `None`: all of them.
fn greatest(column: &ArrayRef, limit: usize) -> Option<UInt32Array> {
    if column.null_count() > 0 || column.len() <= limit || limit == 0 {
        return None;
    }
    let values = columns::longs(column).ok()?.values();
    let mut rows: Vec<u32> = (0..values.len() as u32).collect();
    rows.select_nth_unstable_by_key(limit - 1, |row| std::cmp::Reverse(values[*row as usize]));
    rows.truncate(limit);
    rows.sort_unstable();
    Some(UInt32Array::from(rows))
}

impl Exchange {
    pub fn start(
        calls: &Calls,
        key_types: &[Type],
        workers: usize,
        query: &Arc<QueryContext>,
    ) -> Result<Exchange> {
        let tables = (0..1 << PARTITION_BITS).map(|_| Table::start(calls, key_types, query).map(Mutex::new));
        let waiting_max = WAITING_BYTES_MAX.min(query.limits.memory_bytes / WAITING_PART);
        Ok(Exchange {
            tables: tables.collect::<Result<_>>()?,
            waiting_max: waiting_max / workers.max(1) as u64,
            key_types: key_types.to_vec(),
            query: query.clone(),
        })
    }

    /// Takes the rows of a batch. `turn`: where to begin, so that workers seldom wait for each other.
    pub fn add(
        &self,
        calls: &Calls,
        waiting: &mut Option<Waiting>,
        keys: &[ArrayRef],
        batch: &Batch,
        turn: usize,
    ) -> Result<()> {
        let spread = partition::spread(&self.key_types, keys, batch.rows, PARTITION_BITS)?;
        let order = UInt32Array::from(spread.order);
        // A piece of a dictionary's rows would still pay for all of its values.
        let keys = keys.iter().map(|column| with_own_bytes(columns::take_column(column, &order)?));
        let keys = keys.collect::<Result<Vec<_>>>()?;
        let arguments = calls.evaluate(batch)?.into_iter().enumerate().map(|(position, column)| {
            if calls.only_hashed(position)
                && let Some(hashes) = aggregate::text_hashes(&column)
            {
                return columns::take_column(&(Arc::new(UInt64Array::from(hashes)) as ArrayRef), &order);
            }
            columns::take_column(&column, &order)
        });
        let arguments = arguments.collect::<Result<Vec<_>>>()?;
        let is_text = self.key_types == [Type::String];
        let hashes = if is_text { spread.hashes } else { Vec::new() };
        let part = Part { keys, arguments, hashes, starts: spread.starts };
        let waiting = match waiting {
            Some(waiting) => waiting,
            None => waiting.insert(Waiting { parts: Vec::new(), bytes: 0, memory: self.query.reserve(0)? }),
        };
        waiting.bytes += part.bytes(batch.rows);
        waiting.parts.push(part);
        waiting.memory.resize(waiting.bytes)?;
        if waiting.bytes >= self.waiting_max { self.drain(calls, waiting, turn) } else { Ok(()) }
    }

    /// Brings all rows that wait with a worker into the tables.
    fn drain(&self, calls: &Calls, waiting: &mut Waiting, turn: usize) -> Result<()> {
        for step in 0..self.tables.len() {
            self.query.check()?;
            let number = (step + turn * 29) % self.tables.len();
            let mut table = self.tables[number].lock();
            for part in &waiting.parts {
                table.add(calls, part, number)?;
            }
            table.accumulators.iter_mut().for_each(|accumulator| accumulator.settle());
            table.charge()?;
        }
        waiting.parts.clear();
        waiting.bytes = 0;
        waiting.memory.resize(0)
    }

    /// One row per group, given what waits with the workers.
    pub fn finish(&self, calls: &Calls, waiting: &[Waiting], most: Option<Most>) -> Result<Vec<Batch>> {
        let finish = |number: usize| -> Result<(MemoryReservation, Batch)> {
            self.query.check()?;
            let empty = Table::start(calls, &self.key_types, &self.query)?;
            let mut table = std::mem::replace(&mut *self.tables[number].lock(), empty);
            for part in waiting.iter().flat_map(|waiting| &waiting.parts) {
                table.add(calls, part, number)?;
            }
            table.charge()?;
            let batch = table.finish(most)?;
            Ok((self.query.reserve(columns::held_bytes(&batch))?, batch))
        };
        let batches = (0..self.tables.len()).into_par_iter().map(finish).collect::<Result<Vec<_>>>()?;
        Ok(batches.into_iter().map(|(_, batch)| batch).filter(|batch| batch.rows > 0).collect())
    }
}

impl Part {
    fn bytes(&self, rows: usize) -> u64 {
        let of = |list: &[ArrayRef]| columns::held_bytes(&Batch { columns: list.to_vec(), rows });
        of(&self.keys) + of(&self.arguments) + (self.hashes.len() + self.starts.len()) as u64 * 8
    }
}

/// Values that are no dictionary, whose bytes lie in the order of the rows.
fn with_own_bytes(column: ArrayRef) -> Result<ArrayRef> {
    let column = columns::flatten(&column)?;
    Ok(match column.data_type() {
        arrow_schema::DataType::Utf8View => Arc::new(columns::texts(&column)?.gc()),
        arrow_schema::DataType::BinaryView => Arc::new(columns::dynamics(&column)?.gc()),
        _ => column,
    })
}
