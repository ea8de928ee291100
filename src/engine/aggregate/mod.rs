//! Aggregates: create, update with a batch, merge, finish, and a serialisable state (DESIGN D8).
//!
//! An accumulator holds the states of all groups of one worker as columns. Parallel aggregation, cached
//! partial results and distributed execution are all the same `merge`. Nothing here knows plans or how
//! groups are found.

use arrow_array::ArrayRef;
use arrow_array::BooleanArray;
use conshelf_kql::Type;
use conshelf_kql::function::AggregateFunction;

use crate::engine::error::{EngineError, Result};

/// The states of one aggregate for groups 0..n.
pub trait Accumulator: Send {
    /// Makes room for groups up to `groups` (new ones start empty).
    fn resize(&mut self, groups: usize);

    /// Adds rows: row i belongs to group `group_of[i]` (already within `resize`d range). `arguments` are
    /// flat arrays, one per argument, constants repeated. Rows where `condition` is not true are left out.
    fn update(
        &mut self,
        group_of: &[u32],
        arguments: &[ArrayRef],
        condition: Option<&BooleanArray>,
    ) -> Result<()>;

    /// Adds rows that all belong to one group: the fast way for runs.
    fn update_one(
        &mut self,
        group: u32,
        arguments: &[ArrayRef],
        condition: Option<&BooleanArray>,
    ) -> Result<()> {
        let rows =
            arguments.first().map_or_else(|| condition.map_or(0, arrow_array::Array::len), |a| a.len());
        self.update(&vec![group; rows], arguments, condition)
    }

    /// Adds `rows` rows of one group to an aggregate without arguments (`count()`).
    fn update_count(&mut self, _group: u32, _rows: u64) -> Result<()> {
        Err(EngineError::Internal(String::from("this aggregate needs its arguments")))
    }

    /// Merges another accumulator of the same aggregate: its group i goes into our group `group_of[i]`.
    fn merge(&mut self, other: Box<dyn Accumulator>, group_of: &[u32]) -> Result<()>;

    /// The result columns, one value per group.
    fn finish(&mut self) -> Result<Vec<ArrayRef>>;

    /// Appends a portable form of the state of all groups.
    fn encode(&self, out: &mut Vec<u8>);

    /// Bytes held.
    fn memory_bytes(&self) -> usize;

    /// For `merge`: gives the concrete type back.
    fn into_any(self: Box<Self>) -> Box<dyn std::any::Any>;
}

/// What an accumulator is created for.
#[derive(Clone, Debug)]
pub struct AggregateCall {
    pub function: AggregateFunction,
    pub argument_types: Vec<Type>,
    /// Constant arguments (percentiles, sizes) as arrays of one row; `None` where the argument varies.
    pub constants: Vec<Option<ArrayRef>>,
    pub outputs: Vec<Type>,
}

/// A fresh accumulator without groups.
pub fn create(call: &AggregateCall) -> Result<Box<dyn Accumulator>> {
    Err(EngineError::NotSupported(call.function.spec().name.to_string()))
}

/// Restores an accumulator from `Accumulator::encode`d bytes.
pub fn decode(call: &AggregateCall, _bytes: &[u8]) -> Result<Box<dyn Accumulator>> {
    create(call)
}
