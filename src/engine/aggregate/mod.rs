//! Aggregates: create, update with a batch, merge, finish, and a serialisable state (DESIGN D8).
//!
//! An accumulator holds the states of all groups of one worker as columns. Parallel aggregation, cached
//! partial results and distributed execution are all the same `merge`. Nothing here knows plans or how
//! groups are found. One file an aggregate family; `states.rs` has what they share.
//!
//! The `-if` variants have no accumulators: the plan carries the plain aggregate and a condition.

mod bits;
mod collect;
mod count;
mod digest;
mod distinct;
mod extreme;
mod hash_set;
mod hyperloglog;
mod percentile;
mod row;
mod schema;
mod spread;
mod states;
mod sum;
mod waiting;

#[cfg(test)]
mod tests;

use arrow_array::ArrayRef;
use arrow_array::BooleanArray;
use conshelf_kql::Type;
use conshelf_kql::function::AggregateFunction;
use conshelf_storage::Sum;

use crate::engine::error::{EngineError, Result};

pub use digest::{Digest, number_of, put_number, read_digest, write_digest};
pub use distinct::text_hashes;
pub use hyperloglog::Sketch;
pub use states::{StateReader, StateWriter, fixed_array};

/// The states of one aggregate for groups 0..n.
pub trait Accumulator: Send {
    /// Makes room for groups up to `groups` (new ones start empty).
    fn resize(&mut self, groups: usize);

    /// Adds rows: row i belongs to group `group_of[i]` (already within `resize`d range). `arguments` are
    /// arrays, one per argument, constants repeated; texts may be dictionaries. Rows where `condition` is not
    /// true are left out.
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
    ) -> Result<()>;

    /// Adds `rows` rows of one group to an aggregate without arguments (`count()`).
    fn update_count(&mut self, group: u32, rows: u64) -> Result<()>;

    /// Adds rows of one group of which only the sum of the values and their number are known, to a sum or a
    /// mean. `false`: it needs the rows.
    fn update_sum(&mut self, _group: u32, _sum: Sum, _values: u64) -> bool {
        false
    }

    /// Merges another accumulator of the same aggregate: its group i goes into our group `group_of[i]`.
    /// Aggregates that keep the order of rows put the other's rows after their own.
    fn merge(&mut self, other: Box<dyn Accumulator>, group_of: &[u32]) -> Result<()>;

    /// Brings what may have been put off into the states: before `encode`, for its speed.
    fn settle(&mut self) {}

    /// The result columns, one value per group.
    fn finish(&mut self) -> Result<Vec<ArrayRef>>;

    /// Appends a portable form of the state of all groups.
    fn encode(&self, out: &mut Vec<u8>);

    /// Takes over the state that `encode` wrote; for a fresh accumulator of the same call.
    fn restore(&mut self, bytes: &[u8]) -> Result<()>;

    /// About how many single values the states hold, each of which is looked up when they are merged.
    fn held_values(&self) -> usize {
        0
    }

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
    use AggregateFunction::*;
    match call.function {
        Count => Ok(count::create()),
        Sum => sum::create_sum(call),
        Avg => sum::create_average(call),
        Min => extreme::create(call, false),
        Max => extreme::create(call, true),
        Stdev | Stdevp | Variance | Variancep => spread::create(call),
        Covariance | Covariancep => spread::create_pair(call),
        Dcount | Hll => hyperloglog::create(call),
        HllMerge => Ok(hyperloglog::create_merge()),
        CountDistinct => distinct::create(call),
        Percentile | Percentiles | PercentilesArray | Percentilew | Percentilesw | PercentileswArray
        | Tdigest => percentile::create(call),
        TdigestMerge => Ok(percentile::create_merge()),
        MakeList | MakeListWithNulls => collect::create_list(call),
        MakeSet => collect::create_set(call),
        MakeBag => collect::create_bag(call),
        ArgMax => row::create_extreme(call, true),
        ArgMin => row::create_extreme(call, false),
        TakeAny => Ok(row::create_any(call)),
        BinaryAllAnd | BinaryAllOr | BinaryAllXor => bits::create(call),
        BuildSchema => Ok(schema::create()),
        CountIf | SumIf | AvgIf | MinIf | MaxIf | StdevIf | VarianceIf | VariancepIf | CovarianceIf
        | CovariancepIf | DcountIf | CountDistinctIf | HllIf | MakeListIf | MakeSetIf | MakeBagIf
        | TakeAnyIf => Err(EngineError::Internal(format!(
            "{} reached the executor without being lowered to its base and a condition",
            call.function.spec().name
        ))),
    }
}

/// Restores an accumulator from `Accumulator::encode`d bytes.
pub fn decode(call: &AggregateCall, bytes: &[u8]) -> Result<Box<dyn Accumulator>> {
    let mut accumulator = create(call)?;
    accumulator.restore(bytes)?;
    Ok(accumulator)
}

/// The type of the first argument, which decides the accumulator of most aggregates.
fn first_type(call: &AggregateCall) -> Result<Type> {
    call.argument_types
        .first()
        .copied()
        .ok_or_else(|| EngineError::Internal(format!("{} without arguments", call.function.spec().name)))
}

/// The error for an argument type that the binder should not have let pass.
fn unsupported(call: &AggregateCall) -> EngineError {
    let types = call.argument_types.iter().map(|ty| ty.name()).collect::<Vec<_>>().join(", ");
    EngineError::NotSupported(format!("{}({types})", call.function.spec().name))
}
