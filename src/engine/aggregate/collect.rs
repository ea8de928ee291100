//! `make_list`, `make_list_with_nulls`, `make_set`, `make_bag`: arrays and bags of the values of a group.
//!
//! The values of all groups lie behind each other in one log, as dynamic bytes in the order of arrival;
//! only `finish` sorts them out. Nulls of scalar types are left out (not by `make_list_with_nulls`), a
//! dynamic null is a value, a dynamic array counts as its elements. `make_set` keeps the order of first
//! appearance. In a bag the first value of a key stays.

use std::sync::Arc;

use arrow_array::builder::BinaryViewBuilder;
use arrow_array::types::UInt32Type;
use arrow_array::{
    Array, ArrayRef, BinaryViewArray, BooleanArray, DictionaryArray, FixedSizeBinaryArray, Float64Array,
    Int32Array, Int64Array, StringViewArray,
};
use conshelf_kql::function::AggregateFunction;
use conshelf_kql::{Decimal, Type};
use conshelf_storage::dynamic::{DynamicBuilder, DynamicKind, DynamicRef};
use foldhash::fast::RandomState;
use hashbrown::HashSet;
use xxhash_rust::xxh3::xxh3_128;

use crate::engine::aggregate::states::{
    GroupOf, GroupStates, StateReader, StateWriter, Typed, chosen_rows, fixed_value,
};
use crate::engine::aggregate::{Accumulator, AggregateCall, first_type};
use crate::engine::error::{EngineError, Result};

/// Kusto's bound on the size of a list, set or bag.
const MAX_SIZE: i64 = 1_048_576;

/// Dynamic values of many groups, in the order in which they came.
#[derive(Default)]
struct Log {
    bytes: Vec<u8>,
    /// Where each value ends in `bytes`, and the group it belongs to.
    entries: Vec<(usize, u32)>,
}

impl Log {
    fn push(&mut self, group: u32, value: &[u8]) {
        self.bytes.extend_from_slice(value);
        self.entries.push((self.bytes.len(), group));
    }

    fn value(&self, entry: usize) -> &[u8] {
        let start = if entry == 0 { 0 } else { self.entries[entry - 1].0 };
        &self.bytes[start..self.entries[entry].0]
    }

    /// The entries ordered by group (stable), and where each group's begin in that order.
    fn by_group(&self, groups: usize) -> (Vec<u32>, Vec<usize>) {
        let mut starts = vec![0usize; groups + 1];
        for (_, group) in &self.entries {
            starts[*group as usize + 1] += 1;
        }
        for group in 0..groups {
            starts[group + 1] += starts[group];
        }
        let mut next = starts.clone();
        let mut order = vec![0u32; self.entries.len()];
        for (entry, (_, group)) in self.entries.iter().enumerate() {
            let slot = &mut next[*group as usize];
            order[*slot] = entry as u32;
            *slot += 1;
        }
        (order, starts)
    }

    /// One dynamic value per group, made of its entries.
    fn finish(
        &self,
        groups: usize,
        mut build: impl FnMut(&mut DynamicBuilder, &mut dyn Iterator<Item = DynamicRef<'_>>),
    ) -> Vec<ArrayRef> {
        let (order, starts) = self.by_group(groups);
        let mut values = BinaryViewBuilder::with_capacity(groups);
        let mut builder = DynamicBuilder::new();
        for group in 0..groups {
            let entries = &order[starts[group]..starts[group + 1]];
            let mut entries = entries.iter().map(|entry| DynamicRef::new(self.value(*entry as usize)));
            build(&mut builder, &mut entries);
            builder.finish_with(|bytes| values.append_value(bytes));
        }
        vec![Arc::new(values.finish())]
    }

    fn memory_bytes(&self) -> usize {
        self.bytes.capacity() + self.entries.capacity() * size_of::<(usize, u32)>()
    }

    fn encode(&self, out: &mut StateWriter<'_>) {
        let (ends, groups): (Vec<u64>, Vec<u32>) =
            self.entries.iter().map(|(end, group)| (*end as u64, *group)).unzip();
        out.numbers(&ends);
        out.numbers(&groups);
        out.bytes(&self.bytes);
    }

    fn decode(&mut self, from: &mut StateReader<'_>, groups: usize) -> Result<()> {
        let ends = from.numbers::<u64>()?;
        let entries = ends.into_iter().map(|end| end as usize).zip(from.numbers::<u32>()?);
        self.entries = entries.collect();
        self.bytes = from.bytes()?.to_vec();
        let mut before = 0;
        for (end, group) in &self.entries {
            if *end < before || *end > self.bytes.len() || *group as usize >= groups {
                return Err(EngineError::Internal(String::from(
                    "the stored state of an aggregate is damaged",
                )));
            }
            before = *end;
        }
        Ok(())
    }
}

/// Calls `take(group, bytes)` with every value as a dynamic; nulls of scalars only if `with_nulls`.
fn visit_dynamics(
    ty: Type,
    groups: GroupOf<'_>,
    array: &ArrayRef,
    condition: Option<&BooleanArray>,
    with_nulls: bool,
    mut take: impl FnMut(usize, &[u8]),
) -> Result<()> {
    let chosen = chosen_rows(condition);
    let mut builder = DynamicBuilder::new();
    let any = array.as_any();
    macro_rules! each {
        ($array:ty, $put:expr) => {{
            let Some(array) = any.downcast_ref::<$array>() else {
                return Err(EngineError::Internal(format!("no list of {} from {}", ty, array.data_type())));
            };
            let put = $put;
            groups.visit(array.len(), chosen.as_ref(), |group, row| {
                if array.is_null(row) {
                    if with_nulls {
                        take(group, DynamicRef::NULL.bytes());
                    }
                } else {
                    put(&mut builder, array, row);
                    builder.finish_with(|bytes| take(group, bytes));
                }
            });
        }};
    }
    type Builder = DynamicBuilder;
    match ty {
        Type::Bool => each!(BooleanArray, |b: &mut Builder, a: &BooleanArray, row| b.bool(a.value(row))),
        Type::Int => each!(Int32Array, |b: &mut Builder, a: &Int32Array, row| b.long(a.value(row).into())),
        Type::Long => each!(Int64Array, |b: &mut Builder, a: &Int64Array, row| b.long(a.value(row))),
        Type::Real => each!(Float64Array, |b: &mut Builder, a: &Float64Array, row| b.real(a.value(row))),
        Type::DateTime => each!(Int64Array, |b: &mut Builder, a: &Int64Array, row| b.datetime(a.value(row))),
        Type::TimeSpan => each!(Int64Array, |b: &mut Builder, a: &Int64Array, row| b.timespan(a.value(row))),
        Type::String => {
            each!(StringViewArray, |b: &mut Builder, a: &StringViewArray, row| b.string(a.value(row)));
        }
        Type::Decimal => {
            each!(FixedSizeBinaryArray, |b: &mut Builder, a: &FixedSizeBinaryArray, row| {
                let bytes = fixed_value(a, row);
                b.decimal(bytes, &Decimal::from_bytes(bytes).to_string());
            });
        }
        Type::Guid => {
            each!(FixedSizeBinaryArray, |b: &mut Builder, a: &FixedSizeBinaryArray, row| b
                .guid(fixed_value(a, row)));
        }
        Type::Dynamic => {
            let Some(array) = any.downcast_ref::<BinaryViewArray>() else {
                return Err(EngineError::Internal(format!("no list from {}", array.data_type())));
            };
            groups.visit(array.len(), chosen.as_ref(), |group, row| {
                take(group, if array.is_null(row) { DynamicRef::NULL.bytes() } else { array.value(row) });
            });
        }
    }
    Ok(())
}

fn max_size(call: &AggregateCall) -> usize {
    let given = match call.constants.get(1) {
        Some(Some(constant)) => constant
            .as_any()
            .downcast_ref::<Int64Array>()
            .filter(|array| array.len() == 1 && array.is_valid(0))
            .map_or(MAX_SIZE, |array| array.value(0)),
        _ => MAX_SIZE,
    };
    given.clamp(0, MAX_SIZE) as usize
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    List { with_nulls: bool },
    Set,
    Bag,
}

struct CollectStates {
    ty: Type,
    form: Form,
    max_size: usize,
    counts: Vec<u32>,
    log: Log,
    /// For sets: what is in the log already.
    seen: HashSet<(u32, u128), RandomState>,
}

fn create(call: &AggregateCall, form: Form) -> Result<Box<dyn Accumulator>> {
    Ok(Typed::boxed(CollectStates {
        ty: first_type(call)?,
        form,
        max_size: max_size(call),
        counts: Vec::new(),
        log: Log::default(),
        seen: HashSet::default(),
    }))
}

pub fn create_list(call: &AggregateCall) -> Result<Box<dyn Accumulator>> {
    create(call, Form::List { with_nulls: call.function == AggregateFunction::MakeListWithNulls })
}

pub fn create_set(call: &AggregateCall) -> Result<Box<dyn Accumulator>> {
    create(call, Form::Set)
}

pub fn create_bag(call: &AggregateCall) -> Result<Box<dyn Accumulator>> {
    create(call, Form::Bag)
}

impl CollectStates {
    fn push(&mut self, group: usize, value: &[u8]) {
        let value = DynamicRef::new(value);
        match (value.kind(), self.form) {
            (DynamicKind::Object, _) => self.push_one(group, value.bytes()),
            (_, Form::Bag) => {}
            (DynamicKind::Array, _) => {
                for element in value.iter_array() {
                    self.push_one(group, element.bytes());
                }
            }
            _ => self.push_one(group, value.bytes()),
        }
    }

    fn push_one(&mut self, group: usize, value: &[u8]) {
        if self.counts[group] as usize >= self.max_size
            || (self.form == Form::Set && !self.seen.insert((group as u32, xxh3_128(value))))
        {
            return;
        }
        self.counts[group] += 1;
        self.log.push(group as u32, value);
    }
}

/// Pairs of group and code that are remembered of a batch.
const PAIRS: usize = 4096;

impl CollectStates {
    /// Adds texts of a dictionary to sets: pairs of group and text that came lately are not looked up again.
    fn add_coded(
        &mut self,
        groups: GroupOf<'_>,
        codes: &[u32],
        values: &StringViewArray,
        condition: Option<&BooleanArray>,
    ) {
        let chosen = chosen_rows(condition);
        let mut lately = vec![u64::MAX; PAIRS];
        let mut builder = DynamicBuilder::new();
        groups.visit(codes.len(), chosen.as_ref(), |group, row| {
            let code = codes[row];
            let pair = (group as u64) << 32 | u64::from(code);
            let place = (pair.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 52) as usize % PAIRS;
            if lately[place] == pair {
                return;
            }
            lately[place] = pair;
            builder.string(values.value(code as usize));
            builder.finish_with(|bytes| self.push_one(group, bytes));
        });
    }
}

impl GroupStates for CollectStates {
    const TAKES_DICTIONARIES: bool = true;

    fn resize(&mut self, groups: usize) {
        self.counts.resize(groups, 0);
    }

    fn update(
        &mut self,
        groups: GroupOf<'_>,
        arguments: &[ArrayRef],
        condition: Option<&BooleanArray>,
    ) -> Result<()> {
        let missing = || EngineError::Internal(String::from("make_list misses its argument"));
        let array = arguments.first().ok_or_else(missing)?;
        if let Some(dictionary) = array.as_any().downcast_ref::<DictionaryArray<UInt32Type>>() {
            return match (self.form, dictionary.values().as_any().downcast_ref::<StringViewArray>()) {
                (Form::Set, Some(values)) => {
                    self.add_coded(groups, dictionary.keys().values(), values, condition);
                    Ok(())
                }
                _ => {
                    let flat = arrow_select::take::take(dictionary.values(), dictionary.keys(), None)
                        .map_err(|error| EngineError::Internal(error.to_string()))?;
                    self.update(groups, &[flat], condition)
                }
            };
        }
        let with_nulls = self.form == Form::List { with_nulls: true };
        visit_dynamics(self.ty, groups, array, condition, with_nulls, |group, bytes| {
            self.push(group, bytes);
        })
    }

    fn merge(&mut self, other: Self, group_of: &[u32]) -> Result<()> {
        for (entry, (_, group)) in other.log.entries.iter().enumerate() {
            let group = group_of[*group as usize] as usize;
            self.push_one(group, other.log.value(entry));
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Vec<ArrayRef>> {
        let (groups, max_size) = (self.counts.len(), self.max_size);
        let mut keys: HashSet<String, RandomState> = HashSet::default();
        Ok(self.log.finish(groups, |builder, entries| {
            if self.form != Form::Bag {
                builder.begin_array();
                for entry in entries {
                    builder.value(entry);
                }
                builder.end_array();
                return;
            }
            keys.clear();
            builder.begin_object();
            for (key, value) in entries.flat_map(|bag| bag.iter_object()) {
                if keys.len() < max_size && !keys.contains(key) {
                    keys.insert(key.to_string());
                    builder.key(key);
                    builder.value(value);
                }
            }
            builder.end_object();
        }))
    }

    fn encode(&self, out: &mut StateWriter<'_>) {
        out.numbers(&self.counts);
        self.log.encode(out);
    }

    fn decode(&mut self, from: &mut StateReader<'_>) -> Result<()> {
        self.counts = from.numbers()?;
        self.log.decode(from, self.counts.len())?;
        if self.form == Form::Set {
            let entries = self.log.entries.iter().enumerate();
            self.seen =
                entries.map(|(entry, (_, group))| (*group, xxh3_128(self.log.value(entry)))).collect();
        }
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        self.log.memory_bytes() + self.counts.capacity() * 4 + self.seen.capacity() * 33
    }
}
