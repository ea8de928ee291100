//! `arg_max`, `arg_min` and `take_any`: aggregates that keep a whole row of each group.
//!
//! A row with a null key loses to any other; of rows with equal keys the first stays. `take_any` of one
//! column prefers the first value that is neither null nor empty.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BinaryViewArray, BooleanArray, StringViewArray, UInt32Array, new_null_array,
};
use arrow_schema::DataType;
use arrow_select::interleave::interleave;
use arrow_select::take::take;
use conshelf_kql::Type;

use crate::engine::aggregate::extreme::{
    Bools, Comparable, Decimals, Dynamics, Guids, Ints, Longs, Reals, Strings,
};
use crate::engine::aggregate::states::{
    GroupOf, GroupStates, StateReader, StateWriter, Typed, argument, chosen_rows,
};
use crate::engine::aggregate::{Accumulator, AggregateCall, first_type};
use crate::engine::batch::arrow_type;
use crate::engine::error::{EngineError, Result};

const NONE: u32 = u32::MAX;

/// One kept row per group, in chunks of rows that were copied together.
struct Rows {
    types: Vec<DataType>,
    chunks: Vec<Vec<ArrayRef>>,
    /// Chunk and row in it; chunk `NONE`: the group has no row yet.
    slots: Vec<(u32, u32)>,
    kept_rows: usize,
    bytes: usize,
}

fn arrow_error(error: arrow_schema::ArrowError) -> EngineError {
    EngineError::Internal(error.to_string())
}

/// A row of nulls (for texts: of the empty text).
fn empty_row(types: &[DataType]) -> Vec<ArrayRef> {
    let column = |ty: &DataType| match ty {
        DataType::Utf8View => Arc::new(StringViewArray::from_iter_values([""])) as ArrayRef,
        ty => new_null_array(ty, 1),
    };
    types.iter().map(column).collect()
}

impl Rows {
    fn new(call: &AggregateCall) -> Rows {
        Rows {
            types: call.argument_types.iter().map(|ty| arrow_type(*ty)).collect(),
            chunks: Vec::new(),
            slots: Vec::new(),
            kept_rows: 0,
            bytes: 0,
        }
    }

    fn push_chunk(&mut self, columns: Vec<ArrayRef>) -> u32 {
        self.kept_rows += columns.first().map_or(0, |column| column.len());
        self.bytes += columns.iter().map(|column| column.get_array_memory_size()).sum::<usize>();
        self.chunks.push(columns);
        (self.chunks.len() - 1) as u32
    }

    /// Keeps row `winner[group]` of the arguments for every group in `touched`.
    fn keep(&mut self, arguments: &[ArrayRef], touched: &[u32], winner: &[u32]) -> Result<()> {
        if touched.is_empty() {
            return Ok(());
        }
        let rows = UInt32Array::from_iter_values(touched.iter().map(|group| winner[*group as usize]));
        let columns = arguments.iter().map(|array| {
            let taken = take(array, &rows, None).map_err(arrow_error)?;
            // A view of a few rows must not keep the whole batch's text alive.
            Ok(if let Some(texts) = taken.as_any().downcast_ref::<StringViewArray>() {
                Arc::new(texts.gc()) as ArrayRef
            } else if let Some(values) = taken.as_any().downcast_ref::<BinaryViewArray>() {
                Arc::new(values.gc())
            } else {
                taken
            })
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let chunk = self.push_chunk(columns);
        for (row, group) in touched.iter().enumerate() {
            self.slots[*group as usize] = (chunk, row as u32);
        }
        if self.kept_rows > 2 * self.slots.len() + 4096 || self.chunks.len() > 256 {
            self.compact()?;
        }
        Ok(())
    }

    /// Copies the live rows into one chunk.
    fn compact(&mut self) -> Result<()> {
        let columns = self.columns()?;
        self.chunks.clear();
        (self.kept_rows, self.bytes) = (0, 0);
        self.push_chunk(columns);
        for (row, slot) in self.slots.iter_mut().enumerate() {
            if slot.0 != NONE {
                *slot = (0, row as u32);
            }
        }
        Ok(())
    }

    /// One row per group, empty ones as nulls.
    fn columns(&self) -> Result<Vec<ArrayRef>> {
        let empty = empty_row(&self.types);
        let empty_chunk = self.chunks.len();
        let indices: Vec<(usize, usize)> = self
            .slots
            .iter()
            .map(
                |(chunk, row)| {
                    if *chunk == NONE { (empty_chunk, 0) } else { (*chunk as usize, *row as usize) }
                },
            )
            .collect();
        (0..self.types.len())
            .map(|column| {
                let mut parts: Vec<&dyn Array> =
                    self.chunks.iter().map(|chunk| chunk[column].as_ref()).collect();
                parts.push(empty[column].as_ref());
                interleave(&parts, &indices).map_err(arrow_error)
            })
            .collect()
    }

    /// Takes over another's chunks; returns what to add to its chunk numbers.
    fn adopt(&mut self, other: &mut Rows) -> u32 {
        let offset = self.chunks.len() as u32;
        self.chunks.append(&mut other.chunks);
        self.kept_rows += other.kept_rows;
        self.bytes += other.bytes;
        offset
    }

    fn encode(&self, out: &mut StateWriter<'_>) {
        out.numbers(&self.slots.iter().map(|slot| slot.0 != NONE).collect::<Vec<_>>());
        for column in self.columns().unwrap_or_default() {
            out.array(&column);
        }
    }

    fn decode(&mut self, from: &mut StateReader<'_>) -> Result<()> {
        let filled: Vec<bool> = from.numbers()?;
        let columns = self.types.iter().map(|ty| from.array(ty)).collect::<Result<Vec<_>>>()?;
        if columns.iter().any(|column| column.len() != filled.len()) {
            return Err(EngineError::Internal(String::from("the stored state of an aggregate is damaged")));
        }
        self.push_chunk(columns);
        self.slots =
            (0u32..).zip(&filled).map(|(row, filled)| if *filled { (0, row) } else { (NONE, 0) }).collect();
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        self.bytes + self.slots.capacity() * 8
    }
}

/// Winning rows of the batch at hand, by group.
#[derive(Default)]
struct Winners {
    row: Vec<u32>,
    touched: Vec<u32>,
}

impl Winners {
    #[inline]
    fn set(&mut self, group: usize, row: usize) {
        if self.row[group] == NONE {
            self.touched.push(group as u32);
        }
        self.row[group] = row as u32;
    }

    fn clear(&mut self) {
        for group in self.touched.drain(..) {
            self.row[group as usize] = NONE;
        }
    }
}

/// How good the kept row of a group is.
const NO_ROW: u8 = 0;
const NULL_KEY: u8 = 1;
const GOOD_KEY: u8 = 2;

struct ArgStates<C: Comparable, const MAX: bool> {
    rows: Rows,
    keys: Vec<C::Kept>,
    quality: Vec<u8>,
    winners: Winners,
}

pub fn create_extreme(call: &AggregateCall, max: bool) -> Result<Box<dyn Accumulator>> {
    fn states<C: Comparable, const MAX: bool>(call: &AggregateCall) -> Box<dyn Accumulator> {
        Typed::boxed(ArgStates::<C, MAX> {
            rows: Rows::new(call),
            keys: Vec::new(),
            quality: Vec::new(),
            winners: Winners::default(),
        })
    }
    fn either<C: Comparable>(call: &AggregateCall, max: bool) -> Box<dyn Accumulator> {
        if max { states::<C, true>(call) } else { states::<C, false>(call) }
    }
    Ok(match first_type(call)? {
        Type::Bool => either::<Bools>(call, max),
        Type::Int => either::<Ints>(call, max),
        Type::Long | Type::DateTime | Type::TimeSpan => either::<Longs>(call, max),
        Type::Real => either::<Reals>(call, max),
        Type::Decimal => either::<Decimals>(call, max),
        Type::Guid => either::<Guids>(call, max),
        Type::String => either::<Strings>(call, max),
        Type::Dynamic => either::<Dynamics>(call, max),
    })
}

impl<C: Comparable, const MAX: bool> GroupStates for ArgStates<C, MAX> {
    fn resize(&mut self, groups: usize) {
        self.rows.slots.resize(groups, (NONE, 0));
        self.keys.resize(groups, C::start());
        self.quality.resize(groups, NO_ROW);
        self.winners.row.resize(groups, NONE);
    }

    fn update(
        &mut self,
        groups: GroupOf<'_>,
        arguments: &[ArrayRef],
        condition: Option<&BooleanArray>,
    ) -> Result<()> {
        let array = argument::<C::Array>(arguments, 0)?;
        let chosen = chosen_rows(condition);
        let (keys, quality, winners) =
            (self.keys.as_mut_slice(), self.quality.as_mut_slice(), &mut self.winners);
        let may_be_null = array.null_count() > 0;
        groups.visit(array.len(), chosen.as_ref(), |group, row| {
            if may_be_null && array.is_null(row) {
                if quality[group] == NO_ROW {
                    quality[group] = NULL_KEY;
                    winners.set(group, row);
                }
                return;
            }
            let value = C::value(array, row);
            if quality[group] != GOOD_KEY || C::wins::<MAX>(value, &keys[group]) {
                C::keep(value, &mut keys[group]);
                quality[group] = GOOD_KEY;
                winners.set(group, row);
            }
        });
        self.rows.keep(arguments, &self.winners.touched, &self.winners.row)?;
        self.winners.clear();
        Ok(())
    }

    fn merge(&mut self, mut other: Self, group_of: &[u32]) -> Result<()> {
        let offset = self.rows.adopt(&mut other.rows);
        for (from, group) in group_of.iter().enumerate() {
            let group = *group as usize;
            let better = match (other.quality[from], self.quality[group]) {
                (GOOD_KEY, GOOD_KEY) => C::wins::<MAX>(C::kept(&other.keys[from]), &self.keys[group]),
                (theirs, ours) => theirs > ours,
            };
            if better {
                C::keep(C::kept(&other.keys[from]), &mut self.keys[group]);
                self.quality[group] = other.quality[from];
                let (chunk, row) = other.rows.slots[from];
                self.rows.slots[group] = (chunk + offset, row);
            }
        }
        if self.rows.kept_rows > 2 * self.rows.slots.len() + 4096 {
            self.rows.compact()?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Vec<ArrayRef>> {
        self.rows.columns()
    }

    fn encode(&self, out: &mut StateWriter<'_>) {
        out.numbers(&self.quality);
        for key in &self.keys {
            C::encode(key, out);
        }
        self.rows.encode(out);
    }

    fn decode(&mut self, from: &mut StateReader<'_>) -> Result<()> {
        self.quality = from.numbers()?;
        self.keys = self.quality.iter().map(|_| C::decode(from)).collect::<Result<_>>()?;
        self.winners.row = vec![NONE; self.quality.len()];
        self.rows.decode(from)
    }

    fn memory_bytes(&self) -> usize {
        self.rows.memory_bytes()
            + self.keys.capacity() * size_of::<C::Kept>()
            + self.quality.capacity()
            + self.winners.row.capacity() * 4
    }
}

struct AnyStates {
    rows: Rows,
    quality: Vec<u8>,
    winners: Winners,
    groups_full: usize,
}

pub fn create_any(call: &AggregateCall) -> Box<dyn Accumulator> {
    Typed::boxed(AnyStates {
        rows: Rows::new(call),
        quality: Vec::new(),
        winners: Winners::default(),
        groups_full: 0,
    })
}

impl GroupStates for AnyStates {
    fn resize(&mut self, groups: usize) {
        self.rows.slots.resize(groups, (NONE, 0));
        self.quality.resize(groups, NO_ROW);
        self.winners.row.resize(groups, NONE);
    }

    fn update(
        &mut self,
        groups: GroupOf<'_>,
        arguments: &[ArrayRef],
        condition: Option<&BooleanArray>,
    ) -> Result<()> {
        if self.groups_full == self.quality.len() {
            return Ok(());
        }
        let Some(array) = arguments.first() else { return Ok(()) };
        let texts = array.as_any().downcast_ref::<StringViewArray>();
        let single = arguments.len() == 1;
        let is_empty = |row: usize| match texts {
            Some(texts) => texts.value(row).is_empty(),
            None => array.is_null(row),
        };
        let chosen = chosen_rows(condition);
        let (quality, winners, full) =
            (self.quality.as_mut_slice(), &mut self.winners, &mut self.groups_full);
        groups.visit(array.len(), chosen.as_ref(), |group, row| {
            if quality[group] == GOOD_KEY {
                return;
            }
            let found = if single && is_empty(row) { NULL_KEY } else { GOOD_KEY };
            if found > quality[group] {
                quality[group] = found;
                *full += usize::from(found == GOOD_KEY);
                winners.set(group, row);
            }
        });
        self.rows.keep(arguments, &self.winners.touched, &self.winners.row)?;
        self.winners.clear();
        Ok(())
    }

    fn merge(&mut self, mut other: Self, group_of: &[u32]) -> Result<()> {
        let offset = self.rows.adopt(&mut other.rows);
        for (from, group) in group_of.iter().enumerate() {
            let group = *group as usize;
            if other.quality[from] > self.quality[group] {
                self.quality[group] = other.quality[from];
                self.groups_full += usize::from(other.quality[from] == GOOD_KEY);
                let (chunk, row) = other.rows.slots[from];
                self.rows.slots[group] = (chunk + offset, row);
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Vec<ArrayRef>> {
        self.rows.columns()
    }

    fn encode(&self, out: &mut StateWriter<'_>) {
        out.numbers(&self.quality);
        self.rows.encode(out);
    }

    fn decode(&mut self, from: &mut StateReader<'_>) -> Result<()> {
        self.quality = from.numbers()?;
        self.groups_full = self.quality.iter().filter(|quality| **quality == GOOD_KEY).count();
        self.winners.row = vec![NONE; self.quality.len()];
        self.rows.decode(from)
    }

    fn memory_bytes(&self) -> usize {
        self.rows.memory_bytes() + self.quality.capacity() + self.winners.row.capacity() * 4
    }
}
