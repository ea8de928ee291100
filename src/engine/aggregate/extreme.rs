//! `min` and `max`. Nulls take no part; NaN is more extreme than every number in both directions; texts
//! compare by code point. `Comparable` also serves `arg_max` and `arg_min`.

use std::marker::PhantomData;
use std::sync::Arc;

use arrow_array::builder::{BinaryViewBuilder, StringViewBuilder};
use arrow_array::{
    Array, ArrayRef, BinaryViewArray, BooleanArray, FixedSizeBinaryArray, Float64Array, Int32Array,
    Int64Array, StringViewArray,
};
use conshelf_kql::{Decimal, Type};
use conshelf_storage::dynamic::{DynamicRef, compare};

use crate::engine::aggregate::states::{
    GroupOf, GroupStates, StateReader, StateWriter, Typed, argument, fixed_array, fixed_value, valued_rows,
};
use crate::engine::aggregate::{Accumulator, AggregateCall, first_type, unsupported};
use crate::engine::error::Result;

/// A type of column whose values have an order.
pub(super) trait Comparable: Send + 'static {
    type Array: Array + 'static;
    /// A value as it lies in an array, and as it is kept.
    type Value<'a>: Copy;
    type Kept: Send + Clone + 'static;
    fn start() -> Self::Kept;
    fn value(array: &Self::Array, row: usize) -> Self::Value<'_>;
    fn is_greater(left: Self::Value<'_>, right: &Self::Kept) -> bool;
    fn is_less(left: Self::Value<'_>, right: &Self::Kept) -> bool;
    fn keep(value: Self::Value<'_>, kept: &mut Self::Kept);
    fn kept(kept: &Self::Kept) -> Self::Value<'_>;
    fn array(values: Vec<Option<Self::Kept>>) -> ArrayRef;
    fn encode(kept: &Self::Kept, out: &mut StateWriter<'_>);
    fn decode(from: &mut StateReader<'_>) -> Result<Self::Kept>;
    /// Bytes held outside the value itself.
    fn heap_bytes(_kept: &Self::Kept) -> usize {
        0
    }
    #[inline]
    fn wins<const MAX: bool>(value: Self::Value<'_>, over: &Self::Kept) -> bool {
        if MAX { Self::is_greater(value, over) } else { Self::is_less(value, over) }
    }
}

pub(super) struct Bools;
pub(super) struct Ints;
pub(super) struct Longs;
pub(super) struct Reals;
pub(super) struct Decimals;
pub(super) struct Guids;
pub(super) struct Strings;
pub(super) struct Dynamics;

macro_rules! simple {
    ($name:ident, $array:ty, $value:ty, $start:expr, $get:expr, $greater:expr, $less:expr, $build:expr) => {
        impl Comparable for $name {
            type Array = $array;
            type Value<'a> = $value;
            type Kept = $value;
            fn start() -> $value {
                $start
            }
            #[inline]
            fn value(array: &$array, row: usize) -> $value {
                $get(array, row)
            }
            #[inline]
            fn is_greater(left: $value, right: &$value) -> bool {
                $greater(left, *right)
            }
            #[inline]
            fn is_less(left: $value, right: &$value) -> bool {
                $less(left, *right)
            }
            #[inline]
            fn keep(value: $value, kept: &mut $value) {
                *kept = value;
            }
            fn kept(kept: &$value) -> $value {
                *kept
            }
            fn array(values: Vec<Option<$value>>) -> ArrayRef {
                $build(values)
            }
            fn encode(kept: &$value, out: &mut StateWriter<'_>) {
                out.number(*kept);
            }
            fn decode(from: &mut StateReader<'_>) -> Result<$value> {
                from.number()
            }
        }
    };
}

simple!(
    Bools,
    BooleanArray,
    bool,
    false,
    |a: &BooleanArray, r| a.value(r),
    |l: bool, r: bool| l & !r,
    |l: bool, r: bool| !l & r,
    |v: Vec<Option<bool>>| Arc::new(BooleanArray::from(v)) as ArrayRef
);
simple!(
    Ints,
    Int32Array,
    i32,
    0,
    |a: &Int32Array, r: usize| a.values()[r],
    |l, r| l > r,
    |l, r| l < r,
    |v: Vec<Option<i32>>| Arc::new(Int32Array::from(v)) as ArrayRef
);
simple!(
    Longs,
    Int64Array,
    i64,
    0,
    |a: &Int64Array, r: usize| a.values()[r],
    |l, r| l > r,
    |l, r| l < r,
    |v: Vec<Option<i64>>| Arc::new(Int64Array::from(v)) as ArrayRef
);
simple!(
    Reals,
    Float64Array,
    f64,
    0.0,
    |a: &Float64Array, r: usize| a.values()[r],
    |l: f64, r: f64| l > r || (l.is_nan() && !r.is_nan()),
    |l: f64, r: f64| l < r || (l.is_nan() && !r.is_nan()),
    |v: Vec<Option<f64>>| Arc::new(Float64Array::from(v)) as ArrayRef
);
simple!(
    Decimals,
    FixedSizeBinaryArray,
    Decimal,
    Decimal::ZERO,
    |a: &FixedSizeBinaryArray, r: usize| Decimal::from_bytes(fixed_value(a, r)),
    |l: Decimal, r: Decimal| l > r,
    |l: Decimal, r: Decimal| l < r,
    |v: Vec<Option<Decimal>>| fixed_array(v.into_iter().map(|value| value.map(Decimal::to_bytes)))
);
simple!(
    Guids,
    FixedSizeBinaryArray,
    [u8; 16],
    [0; 16],
    |a: &FixedSizeBinaryArray, r: usize| fixed_value(a, r),
    |l: [u8; 16], r: [u8; 16]| l > r,
    |l: [u8; 16], r: [u8; 16]| l < r,
    |v: Vec<Option<[u8; 16]>>| fixed_array(v)
);

impl Comparable for Strings {
    type Array = StringViewArray;
    type Value<'a> = &'a str;
    type Kept = String;
    fn start() -> String {
        String::new()
    }
    fn value(array: &StringViewArray, row: usize) -> &str {
        array.value(row)
    }
    fn is_greater(left: &str, right: &String) -> bool {
        left > right.as_str()
    }
    fn is_less(left: &str, right: &String) -> bool {
        left < right.as_str()
    }
    fn keep(value: &str, kept: &mut String) {
        kept.clear();
        kept.push_str(value);
    }
    fn kept(kept: &String) -> &str {
        kept
    }
    /// Texts are never null: none is the empty text.
    fn array(values: Vec<Option<String>>) -> ArrayRef {
        let mut builder = StringViewBuilder::with_capacity(values.len());
        for value in &values {
            builder.append_value(value.as_deref().unwrap_or(""));
        }
        Arc::new(builder.finish())
    }
    fn encode(kept: &String, out: &mut StateWriter<'_>) {
        out.bytes(kept.as_bytes());
    }
    fn decode(from: &mut StateReader<'_>) -> Result<String> {
        Ok(from.text()?.to_string())
    }
    fn heap_bytes(kept: &String) -> usize {
        kept.capacity()
    }
}

impl Comparable for Dynamics {
    type Array = BinaryViewArray;
    type Value<'a> = &'a [u8];
    type Kept = Vec<u8>;
    fn start() -> Vec<u8> {
        Vec::new()
    }
    fn value(array: &BinaryViewArray, row: usize) -> &[u8] {
        array.value(row)
    }
    fn is_greater(left: &[u8], right: &Vec<u8>) -> bool {
        compare(DynamicRef::new(left), DynamicRef::new(right)).is_gt()
    }
    fn is_less(left: &[u8], right: &Vec<u8>) -> bool {
        compare(DynamicRef::new(left), DynamicRef::new(right)).is_lt()
    }
    fn keep(value: &[u8], kept: &mut Vec<u8>) {
        kept.clear();
        kept.extend_from_slice(value);
    }
    fn kept(kept: &Vec<u8>) -> &[u8] {
        kept
    }
    fn array(values: Vec<Option<Vec<u8>>>) -> ArrayRef {
        let mut builder = BinaryViewBuilder::with_capacity(values.len());
        for value in &values {
            builder.append_option(value.as_deref());
        }
        Arc::new(builder.finish())
    }
    fn encode(kept: &Vec<u8>, out: &mut StateWriter<'_>) {
        out.bytes(kept);
    }
    fn decode(from: &mut StateReader<'_>) -> Result<Vec<u8>> {
        Ok(from.bytes()?.to_vec())
    }
    fn heap_bytes(kept: &Vec<u8>) -> usize {
        kept.capacity()
    }
}

struct ExtremeStates<C: Comparable, const MAX: bool> {
    values: Vec<C::Kept>,
    seen: Vec<bool>,
    kind: PhantomData<fn() -> C>,
}

pub fn create(call: &AggregateCall, max: bool) -> Result<Box<dyn Accumulator>> {
    fn states<C: Comparable>(max: bool) -> Box<dyn Accumulator> {
        if max {
            Typed::boxed(ExtremeStates::<C, true> { values: vec![], seen: vec![], kind: PhantomData })
        } else {
            Typed::boxed(ExtremeStates::<C, false> { values: vec![], seen: vec![], kind: PhantomData })
        }
    }
    let ty = first_type(call)?;
    if call.outputs.len() > 1 {
        return Err(unsupported(call));
    }
    Ok(match ty {
        Type::Bool => states::<Bools>(max),
        Type::Int => states::<Ints>(max),
        Type::Long | Type::DateTime | Type::TimeSpan => states::<Longs>(max),
        Type::Real => states::<Reals>(max),
        Type::Decimal => states::<Decimals>(max),
        Type::Guid => states::<Guids>(max),
        Type::String => states::<Strings>(max),
        Type::Dynamic => states::<Dynamics>(max),
    })
}

impl<C: Comparable, const MAX: bool> ExtremeStates<C, MAX> {
    #[inline]
    fn offer(values: &mut [C::Kept], seen: &mut [bool], group: usize, value: C::Value<'_>) {
        if !seen[group] || C::wins::<MAX>(value, &values[group]) {
            C::keep(value, &mut values[group]);
            seen[group] = true;
        }
    }
}

impl<C: Comparable, const MAX: bool> GroupStates for ExtremeStates<C, MAX> {
    fn resize(&mut self, groups: usize) {
        self.values.resize(groups, C::start());
        self.seen.resize(groups, false);
    }

    fn update(
        &mut self,
        groups: GroupOf<'_>,
        arguments: &[ArrayRef],
        condition: Option<&BooleanArray>,
    ) -> Result<()> {
        let array = argument::<C::Array>(arguments, 0)?;
        let chosen = valued_rows(array, condition);
        let (values, seen) = (self.values.as_mut_slice(), self.seen.as_mut_slice());
        groups.visit(array.len(), chosen.as_ref(), |group, row| {
            Self::offer(values, seen, group, C::value(array, row));
        });
        Ok(())
    }

    fn merge(&mut self, other: Self, group_of: &[u32]) -> Result<()> {
        for ((value, seen), group) in other.values.iter().zip(&other.seen).zip(group_of) {
            if *seen {
                Self::offer(&mut self.values, &mut self.seen, *group as usize, C::kept(value));
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Vec<ArrayRef>> {
        let values = std::mem::take(&mut self.values).into_iter().zip(&self.seen);
        Ok(vec![C::array(values.map(|(value, seen)| seen.then_some(value)).collect())])
    }

    fn encode(&self, out: &mut StateWriter<'_>) {
        out.numbers(&self.seen);
        for value in &self.values {
            C::encode(value, out);
        }
    }

    fn decode(&mut self, from: &mut StateReader<'_>) -> Result<()> {
        self.seen = from.numbers()?;
        self.values = self.seen.iter().map(|_| C::decode(from)).collect::<Result<_>>()?;
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        // Of many values a sample tells, since this is asked for after every batch.
        let stride = self.values.len() / 512 + 1;
        let heap: usize = self.values.iter().step_by(stride).map(C::heap_bytes).sum();
        self.values.capacity() * size_of::<C::Kept>() + self.seen.capacity() + heap * stride
    }
}
