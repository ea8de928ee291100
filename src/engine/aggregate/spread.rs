//! `stdev`, `stdevp`, `variance`, `variancep`, `covariance`, `covariancep`: moments around the mean, kept
//! so that neither large values nor merging lose precision (Welford, Chan et al.).

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BooleanArray, FixedSizeBinaryArray, Float64Array, Int32Array, Int64Array,
};
use arrow_buffer::NullBuffer;
use conshelf_kql::Decimal;
use conshelf_kql::function::AggregateFunction;

use crate::engine::aggregate::states::{
    GroupOf, GroupStates, StateReader, StateWriter, Typed, chosen_rows, fixed_value,
};
use crate::engine::aggregate::{Accumulator, AggregateCall, unsupported};
use crate::engine::error::{EngineError, Result};

/// A numeric array of any type as reals; nulls stay.
pub(super) fn as_reals(array: &ArrayRef) -> Result<Float64Array> {
    let any = array.as_any();
    if let Some(array) = any.downcast_ref::<Float64Array>() {
        return Ok(array.clone());
    }
    let values: Vec<f64> = if let Some(array) = any.downcast_ref::<Int64Array>() {
        array.values().iter().map(|value| *value as f64).collect()
    } else if let Some(array) = any.downcast_ref::<Int32Array>() {
        array.values().iter().map(|value| f64::from(*value)).collect()
    } else if let Some(array) = any.downcast_ref::<FixedSizeBinaryArray>() {
        (0..array.len()).map(|row| Decimal::from_bytes(fixed_value(array, row)).to_f64()).collect()
    } else {
        return Err(EngineError::Internal(format!("no numbers in {}", array.data_type())));
    };
    Ok(Float64Array::new(values.into(), array.nulls().cloned()))
}

/// Of `n` pairs: the means, and the sum of products of deviations. For a variance both are one variable.
#[derive(Clone, Copy, Debug, Default)]
struct Moments {
    count: f64,
    first: f64,
    second: f64,
    product: f64,
}

impl Moments {
    #[inline]
    fn add(&mut self, first: f64, second: f64) {
        self.count += 1.0;
        let deviation = first - self.first;
        self.first += deviation / self.count;
        self.second += (second - self.second) / self.count;
        self.product += deviation * (second - self.second);
    }

    fn merge(&mut self, other: &Moments) {
        if other.count == 0.0 {
            return;
        }
        if self.count == 0.0 {
            *self = *other;
            return;
        }
        let count = self.count + other.count;
        let (first, second) = (other.first - self.first, other.second - self.second);
        self.product += other.product + first * second * (self.count * other.count / count);
        self.first += first * (other.count / count);
        self.second += second * (other.count / count);
        self.count = count;
    }
}

struct SpreadStates {
    groups: Vec<Moments>,
    population: bool,
    root: bool,
    pair: bool,
}

pub fn create(call: &AggregateCall) -> Result<Box<dyn Accumulator>> {
    use AggregateFunction::{Stdev, Stdevp, Variance, Variancep};
    let (population, root) = match call.function {
        Stdev => (false, true),
        Stdevp => (true, true),
        Variance => (false, false),
        Variancep => (true, false),
        _ => return Err(unsupported(call)),
    };
    Ok(Typed::boxed(SpreadStates { groups: Vec::new(), population, root, pair: false }))
}

pub fn create_pair(call: &AggregateCall) -> Result<Box<dyn Accumulator>> {
    let population = call.function == AggregateFunction::Covariancep;
    Ok(Typed::boxed(SpreadStates { groups: Vec::new(), population, root: false, pair: true }))
}

impl GroupStates for SpreadStates {
    fn resize(&mut self, groups: usize) {
        self.groups.resize(groups, Moments::default());
    }

    fn update(
        &mut self,
        groups: GroupOf<'_>,
        arguments: &[ArrayRef],
        condition: Option<&BooleanArray>,
    ) -> Result<()> {
        let missing = || EngineError::Internal(String::from("a moment misses its argument"));
        let first = as_reals(arguments.first().ok_or_else(missing)?)?;
        let second = if self.pair { as_reals(arguments.get(1).ok_or_else(missing)?)? } else { first.clone() };
        let valued = NullBuffer::union(first.nulls(), second.nulls());
        let chosen = NullBuffer::union(valued.as_ref(), chosen_rows(condition).as_ref());
        let (left, right, states) = (first.values(), second.values(), self.groups.as_mut_slice());
        groups.visit(first.len(), chosen.as_ref(), |group, row| states[group].add(left[row], right[row]));
        Ok(())
    }

    fn merge(&mut self, other: Self, group_of: &[u32]) -> Result<()> {
        for (moments, group) in other.groups.iter().zip(group_of) {
            self.groups[*group as usize].merge(moments);
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Vec<ArrayRef>> {
        let values = self.groups.iter().map(|moments| {
            let degrees = if self.population { moments.count } else { moments.count - 1.0 };
            let value = if degrees > 0.0 { moments.product / degrees } else { 0.0 };
            if self.root { value.sqrt() } else { value }
        });
        Ok(vec![Arc::new(Float64Array::from_iter_values(values))])
    }

    fn encode(&self, out: &mut StateWriter<'_>) {
        let numbers: Vec<f64> =
            self.groups.iter().flat_map(|m| [m.count, m.first, m.second, m.product]).collect();
        out.numbers(&numbers);
    }

    fn decode(&mut self, from: &mut StateReader<'_>) -> Result<()> {
        let numbers = from.numbers::<f64>()?;
        let moments = |m: &[f64]| Moments { count: m[0], first: m[1], second: m[2], product: m[3] };
        self.groups = numbers.chunks_exact(4).map(moments).collect();
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        self.groups.capacity() * size_of::<Moments>()
    }
}
