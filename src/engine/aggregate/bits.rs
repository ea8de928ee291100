//! `binary_all_and`, `binary_all_or`, `binary_all_xor`. Nulls take no part; of nothing: null.

use std::marker::PhantomData;
use std::sync::Arc;

use arrow_array::types::{ArrowPrimitiveType, Int32Type, Int64Type};
use arrow_array::{ArrayRef, BooleanArray, PrimitiveArray};
use conshelf_kql::Type;
use conshelf_kql::function::AggregateFunction;

use crate::engine::aggregate::states::{
    Fixed, GroupOf, GroupStates, StateReader, StateWriter, Typed, argument, valued_rows,
};
use crate::engine::aggregate::{Accumulator, AggregateCall, first_type, unsupported};
use crate::engine::error::Result;

struct BitStates<P: ArrowPrimitiveType> {
    operation: AggregateFunction,
    values: Vec<i64>,
    seen: Vec<bool>,
    kind: PhantomData<fn() -> P>,
}

pub fn create(call: &AggregateCall) -> Result<Box<dyn Accumulator>> {
    Ok(match first_type(call)? {
        Type::Int => states::<Int32Type>(call.function),
        Type::Long => states::<Int64Type>(call.function),
        _ => return Err(unsupported(call)),
    })
}

fn states<P>(operation: AggregateFunction) -> Box<dyn Accumulator>
where
    P: ArrowPrimitiveType,
    P::Native: Into<i64> + TryFrom<i64> + Fixed,
{
    Typed::boxed(BitStates::<P> { operation, values: Vec::new(), seen: Vec::new(), kind: PhantomData })
}

fn combine(operation: AggregateFunction) -> fn(i64, i64) -> i64 {
    match operation {
        AggregateFunction::BinaryAllAnd => |left, right| left & right,
        AggregateFunction::BinaryAllOr => |left, right| left | right,
        _ => |left, right| left ^ right,
    }
}

impl<P> GroupStates for BitStates<P>
where
    P: ArrowPrimitiveType,
    P::Native: Into<i64> + TryFrom<i64> + Fixed,
{
    fn resize(&mut self, groups: usize) {
        let start = if self.operation == AggregateFunction::BinaryAllAnd { -1 } else { 0 };
        self.values.resize(groups, start);
        self.seen.resize(groups, false);
    }

    fn update(
        &mut self,
        groups: GroupOf<'_>,
        arguments: &[ArrayRef],
        condition: Option<&BooleanArray>,
    ) -> Result<()> {
        let array = argument::<PrimitiveArray<P>>(arguments, 0)?;
        let chosen = valued_rows(array, condition);
        let operation = combine(self.operation);
        let (values, seen) = (self.values.as_mut_slice(), self.seen.as_mut_slice());
        groups.visit(array.len(), chosen.as_ref(), |group, row| {
            values[group] = operation(values[group], array.value(row).into());
            seen[group] = true;
        });
        Ok(())
    }

    fn merge(&mut self, other: Self, group_of: &[u32]) -> Result<()> {
        let operation = combine(self.operation);
        for ((value, seen), group) in other.values.iter().zip(&other.seen).zip(group_of) {
            let group = *group as usize;
            self.values[group] = operation(self.values[group], *value);
            self.seen[group] |= seen;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Vec<ArrayRef>> {
        let values = self.values.iter().zip(&self.seen);
        let values = values.map(|(value, seen)| if *seen { P::Native::try_from(*value).ok() } else { None });
        Ok(vec![Arc::new(PrimitiveArray::<P>::from_iter(values))])
    }

    fn encode(&self, out: &mut StateWriter<'_>) {
        out.numbers(&self.values);
        out.numbers(&self.seen);
    }

    fn decode(&mut self, from: &mut StateReader<'_>) -> Result<()> {
        self.values = from.numbers()?;
        self.seen = from.numbers()?;
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        self.values.capacity() * 8 + self.seen.capacity()
    }
}
