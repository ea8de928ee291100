//! `sum` and `avg`. Nulls take no part; the sum of nothing is 0, the mean of nothing NaN for reals and
//! null otherwise. Sums of integers wrap, also those behind a mean.

use std::marker::PhantomData;
use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BooleanArray, FixedSizeBinaryArray, Float64Array, Int32Array, Int64Array,
};
use conshelf_kql::{Decimal, Type};
use conshelf_storage::Sum;

use crate::engine::aggregate::states::{
    Fixed, GroupOf, GroupStates, StateReader, StateWriter, Typed, argument, fixed_array, fixed_value,
    valued_rows,
};
use crate::engine::aggregate::{Accumulator, AggregateCall, first_type, unsupported};
use crate::engine::error::Result;

impl Fixed for Decimal {
    const SIZE: usize = 16;
    fn put(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_bytes());
    }
    fn get(bytes: &[u8]) -> Self {
        Decimal::from_bytes(<[u8; 16]>::get(bytes))
    }
}

/// A type of column that can be summed, the type of its totals, and how a total and a mean are shown.
trait Summand: Send + 'static {
    type Array: Array + 'static;
    type Total: Fixed + Send + 'static;
    const ZERO: Self::Total;
    fn add(total: Self::Total, array: &Self::Array, row: usize) -> Self::Total;
    /// The total of a whole array without nulls.
    fn add_all(total: Self::Total, array: &Self::Array) -> Self::Total {
        (0..array.len()).fold(total, |total, row| Self::add(total, array, row))
    }
    fn combine(left: Self::Total, right: Self::Total) -> Self::Total;
    /// The total that statistics know; `None` where they know none.
    fn known(_sum: Sum) -> Option<Self::Total> {
        None
    }
    fn totals(totals: &[Self::Total]) -> ArrayRef;
    fn means(totals: &[Self::Total], counts: &[i64]) -> ArrayRef;
}

/// int and long: totals of 64 bits, from which the engine takes the mean as well.
struct Ints;
struct Longs;
/// datetime and timespan: the mean is of the same type.
struct WideTicks;
struct Reals;
struct Decimals;

macro_rules! integers {
    ($name:ident, $array:ty) => {
        impl Summand for $name {
            type Array = $array;
            type Total = i64;
            const ZERO: i64 = 0;
            #[inline]
            fn add(total: i64, array: &$array, row: usize) -> i64 {
                total.wrapping_add(i64::from(array.values()[row]))
            }
            fn add_all(total: i64, array: &$array) -> i64 {
                array.values().iter().fold(total, |total, value| total.wrapping_add(i64::from(*value)))
            }
            fn combine(left: i64, right: i64) -> i64 {
                left.wrapping_add(right)
            }
            fn known(sum: Sum) -> Option<i64> {
                match sum {
                    // Cut as a sum that wraps is.
                    Sum::Integer(sum) => Some(sum as i64),
                    Sum::Real(_) => None,
                }
            }
            fn totals(totals: &[i64]) -> ArrayRef {
                Arc::new(Int64Array::from(totals.to_vec()))
            }
            fn means(totals: &[i64], counts: &[i64]) -> ArrayRef {
                let means = totals.iter().zip(counts).map(|(total, count)| *total as f64 / *count as f64);
                Arc::new(Float64Array::from_iter_values(means))
            }
        }
    };
}
integers!(Ints, Int32Array);
integers!(Longs, Int64Array);

impl Summand for WideTicks {
    type Array = Int64Array;
    type Total = i128;
    const ZERO: i128 = 0;
    #[inline]
    fn add(total: i128, array: &Int64Array, row: usize) -> i128 {
        total + i128::from(array.values()[row])
    }
    fn combine(left: i128, right: i128) -> i128 {
        left + right
    }
    fn known(sum: Sum) -> Option<i128> {
        match sum {
            Sum::Integer(sum) => Some(sum),
            Sum::Real(_) => None,
        }
    }
    fn totals(totals: &[i128]) -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(totals.iter().map(|total| *total as i64)))
    }
    fn means(totals: &[i128], counts: &[i64]) -> ArrayRef {
        let means = totals.iter().zip(counts);
        Arc::new(Int64Array::from_iter(
            means.map(|(total, count)| (*count != 0).then(|| (total / i128::from(*count)) as i64)),
        ))
    }
}

impl Summand for Reals {
    type Array = Float64Array;
    type Total = f64;
    const ZERO: f64 = 0.0;
    #[inline]
    fn add(total: f64, array: &Float64Array, row: usize) -> f64 {
        total + array.values()[row]
    }
    /// In eight lanes, so that additions do not wait for each other.
    fn add_all(total: f64, array: &Float64Array) -> f64 {
        let mut lanes = [0.0; 8];
        let chunks = array.values().chunks_exact(8);
        let rest: f64 = chunks.remainder().iter().sum();
        for chunk in chunks {
            for (lane, value) in lanes.iter_mut().zip(chunk) {
                *lane += value;
            }
        }
        total + lanes.iter().sum::<f64>() + rest
    }
    fn combine(left: f64, right: f64) -> f64 {
        left + right
    }
    fn known(sum: Sum) -> Option<f64> {
        match sum {
            Sum::Real(sum) => Some(sum),
            Sum::Integer(_) => None,
        }
    }
    fn totals(totals: &[f64]) -> ArrayRef {
        Arc::new(Float64Array::from(totals.to_vec()))
    }
    fn means(totals: &[f64], counts: &[i64]) -> ArrayRef {
        let means = totals.iter().zip(counts).map(|(total, count)| total / *count as f64);
        Arc::new(Float64Array::from_iter_values(means))
    }
}

impl Summand for Decimals {
    type Array = FixedSizeBinaryArray;
    type Total = Decimal;
    const ZERO: Decimal = Decimal::ZERO;
    fn add(total: Decimal, array: &FixedSizeBinaryArray, row: usize) -> Decimal {
        total.plus(Decimal::from_bytes(fixed_value(array, row)))
    }
    fn combine(left: Decimal, right: Decimal) -> Decimal {
        left.plus(right)
    }
    fn totals(totals: &[Decimal]) -> ArrayRef {
        fixed_array(totals.iter().map(|total| Some(total.to_bytes())))
    }
    fn means(totals: &[Decimal], counts: &[i64]) -> ArrayRef {
        let means = totals.iter().zip(counts);
        fixed_array(means.map(|(total, count)| {
            total.divided_by(Decimal::new(i128::from(*count), 0)).map(Decimal::to_bytes)
        }))
    }
}

struct SumStates<S: Summand, const MEAN: bool> {
    totals: Vec<S::Total>,
    /// How many values, for means only.
    counts: Vec<i64>,
    kind: PhantomData<fn() -> S>,
}

fn states<S: Summand, const MEAN: bool>() -> Box<dyn Accumulator> {
    Typed::boxed(SumStates::<S, MEAN> { totals: Vec::new(), counts: Vec::new(), kind: PhantomData })
}

pub fn create_sum(call: &AggregateCall) -> Result<Box<dyn Accumulator>> {
    Ok(match first_type(call)? {
        Type::Int => states::<Ints, false>(),
        Type::Long | Type::TimeSpan | Type::DateTime => states::<Longs, false>(),
        Type::Real => states::<Reals, false>(),
        Type::Decimal => states::<Decimals, false>(),
        _ => return Err(unsupported(call)),
    })
}

pub fn create_average(call: &AggregateCall) -> Result<Box<dyn Accumulator>> {
    Ok(match first_type(call)? {
        Type::Int => states::<Ints, true>(),
        Type::Long => states::<Longs, true>(),
        Type::TimeSpan | Type::DateTime => states::<WideTicks, true>(),
        Type::Real => states::<Reals, true>(),
        Type::Decimal => states::<Decimals, true>(),
        _ => return Err(unsupported(call)),
    })
}

impl<S: Summand, const MEAN: bool> GroupStates for SumStates<S, MEAN> {
    fn resize(&mut self, groups: usize) {
        self.totals.resize(groups, S::ZERO);
        if MEAN {
            self.counts.resize(groups, 0);
        }
    }

    fn update(
        &mut self,
        groups: GroupOf<'_>,
        arguments: &[ArrayRef],
        condition: Option<&BooleanArray>,
    ) -> Result<()> {
        let array = argument::<S::Array>(arguments, 0)?;
        let chosen = valued_rows(array, condition);
        let totals = self.totals.as_mut_slice();
        let all = chosen.as_ref().is_none_or(|chosen| chosen.null_count() == 0);
        if let (GroupOf::One(group), true) = (groups, all) {
            let group = group as usize;
            totals[group] = S::add_all(totals[group], array);
            if MEAN {
                self.counts[group] += array.len() as i64;
            }
        } else if MEAN {
            let counts = self.counts.as_mut_slice();
            groups.visit(array.len(), chosen.as_ref(), |group, row| {
                totals[group] = S::add(totals[group], array, row);
                counts[group] += 1;
            });
        } else {
            groups.visit(array.len(), chosen.as_ref(), |group, row| {
                totals[group] = S::add(totals[group], array, row);
            });
        }
        Ok(())
    }

    fn update_sum(&mut self, group: u32, sum: Sum, values: u64) -> bool {
        let (Some(sum), group) = (S::known(sum), group as usize) else { return false };
        self.totals[group] = S::combine(self.totals[group], sum);
        if MEAN {
            self.counts[group] += values as i64;
        }
        true
    }

    fn merge(&mut self, other: Self, group_of: &[u32]) -> Result<()> {
        for (total, group) in other.totals.iter().zip(group_of) {
            let group = *group as usize;
            self.totals[group] = S::combine(self.totals[group], *total);
        }
        for (count, group) in other.counts.iter().zip(group_of) {
            self.counts[*group as usize] += count;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Vec<ArrayRef>> {
        Ok(vec![if MEAN { S::means(&self.totals, &self.counts) } else { S::totals(&self.totals) }])
    }

    fn encode(&self, out: &mut StateWriter<'_>) {
        out.numbers(&self.totals);
        out.numbers(&self.counts);
    }

    fn decode(&mut self, from: &mut StateReader<'_>) -> Result<()> {
        self.totals = from.numbers()?;
        self.counts = from.numbers()?;
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        self.totals.capacity() * size_of::<S::Total>() + self.counts.capacity() * 8
    }
}
