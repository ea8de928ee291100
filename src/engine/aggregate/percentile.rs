//! `percentile`, `percentiles`, their weighted and array forms, `tdigest`, `tdigest_merge`.
//!
//! Nearest rank: the value at position ceil(p / 100 × n) of the n sorted values. Exact up to
//! `EXACT_LIMIT` values of a group, a t-digest past that. Types without arithmetic stay exact.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow_array::builder::{BinaryViewBuilder, StringViewBuilder};
use arrow_array::{
    Array, ArrayRef, BinaryViewArray, BooleanArray, FixedSizeBinaryArray, Float64Array, Int32Array,
    Int64Array, StringViewArray,
};
use arrow_buffer::NullBuffer;
use conshelf_kql::Type;
use conshelf_kql::function::AggregateFunction;
use conshelf_storage::dynamic::{DynamicBuilder, DynamicRef, compare};
use rayon::iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator};

use crate::engine::aggregate::digest::{Digest, number_of, put_number, read_digest, write_digest};
use crate::engine::aggregate::spread::as_reals;
use crate::engine::aggregate::states::{
    Fixed, GroupOf, GroupStates, StateReader, StateWriter, Typed, argument, chosen_rows, fixed_array,
    valued_rows,
};
use crate::engine::aggregate::{Accumulator, AggregateCall, first_type, unsupported};
use crate::engine::error::{EngineError, Result};

/// Up to this many values of a group percentiles are exact.
const EXACT_LIMIT: usize = 1 << 16;

/// Groups that one thread finishes at a time.
const PARALLEL_GROUPS: usize = 64;

/// What is shown of the values.
#[derive(Clone, Debug)]
enum Shown {
    /// One column per percentile.
    Columns(Vec<f64>),
    /// One dynamic array.
    Array(Vec<f64>),
    /// The digest itself.
    Digest,
}

fn constant_percentiles(call: &AggregateCall, first: usize) -> Vec<f64> {
    let mut percentiles = Vec::new();
    for constant in call.constants.iter().skip(first).flatten() {
        if let Some(array) = constant.as_any().downcast_ref::<BinaryViewArray>() {
            if array.len() == 1 && array.is_valid(0) {
                let values = DynamicRef::new(array.value(0));
                percentiles.extend(values.iter_array().map(|value| number_of(value).unwrap_or(f64::NAN)));
            }
        } else if let Ok(numbers) = as_reals(constant) {
            percentiles.extend(numbers.iter().map(|value| value.unwrap_or(f64::NAN)));
        }
    }
    percentiles
}

pub fn create(call: &AggregateCall) -> Result<Box<dyn Accumulator>> {
    use AggregateFunction::*;
    let weighted = match call.function {
        Percentilew | Percentilesw | PercentileswArray => true,
        Tdigest => call.argument_types.len() > 1,
        _ => false,
    };
    let shown = match call.function {
        Tdigest => Shown::Digest,
        PercentilesArray | PercentileswArray => {
            Shown::Array(constant_percentiles(call, 1 + usize::from(weighted)))
        }
        _ => Shown::Columns(constant_percentiles(call, 1 + usize::from(weighted))),
    };
    if let Shown::Columns(percentiles) | Shown::Array(percentiles) = &shown
        && percentiles.iter().any(|percent| !(0.0..=100.0).contains(percent))
    {
        return Err(EngineError::Evaluation(format!(
            "{}(): a percentile must be a number from 0 to 100",
            call.function.spec().name
        )));
    }
    let ty = first_type(call)?;
    Ok(match ty {
        Type::Int | Type::Long | Type::DateTime | Type::TimeSpan | Type::Bool => {
            numbers::<i64>(ty, weighted, shown)
        }
        Type::Real | Type::Decimal => numbers::<f64>(ty, weighted, shown),
        Type::String | Type::Guid | Type::Dynamic => {
            if matches!(shown, Shown::Digest) && ty != Type::Dynamic {
                return Err(unsupported(call));
            }
            Typed::boxed(OrderedStates { ty, weighted, shown, groups: Vec::new(), bytes: 0 })
        }
    })
}

pub fn create_merge() -> Box<dyn Accumulator> {
    Typed::boxed(DigestStates::default())
}

fn numbers<T: Quantity>(ty: Type, weighted: bool, shown: Shown) -> Box<dyn Accumulator> {
    Typed::boxed(NumberStates::<T> { ty, weighted, shown, groups: Vec::new(), bytes: 0 })
}

/// Positions of percentiles in weighted, sorted values: `pick(index)` for each.
fn nearest_ranks(
    percentiles: &[f64],
    count: usize,
    weight: impl Fn(usize) -> i64,
    uniform: bool,
) -> Vec<usize> {
    let total: f64 = if uniform { count as f64 } else { (0..count).map(|index| weight(index) as f64).sum() };
    let index_of = |percent: &f64| {
        let rank = (percent * total / 100.0).ceil().max(1.0);
        if uniform {
            return (rank as usize - 1).min(count - 1);
        }
        let mut sum = 0.0;
        (0..count)
            .find(|index| {
                sum += weight(*index) as f64;
                sum >= rank
            })
            .unwrap_or(count - 1)
    };
    percentiles.iter().map(index_of).collect()
}

/// A weight of rows; `None`: each counts once.
fn weights(arguments: &[ArrayRef], weighted: bool) -> Result<Option<&Int64Array>> {
    if weighted { argument::<Int64Array>(arguments, 1).map(Some) } else { Ok(None) }
}

fn chosen(
    array: &dyn Array,
    weights: Option<&Int64Array>,
    condition: Option<&BooleanArray>,
) -> Option<NullBuffer> {
    let valued = valued_rows(array, condition);
    NullBuffer::union(valued.as_ref(), weights.and_then(|weights| weights.nulls()))
}

/// Values with arithmetic, kept as integers or as reals.
trait Quantity: Fixed + PartialOrd + Send + 'static {
    fn values(array: &ArrayRef) -> Result<Vec<Self>>;
    fn order(left: &Self, right: &Self) -> Ordering;
    fn to_real(self) -> f64;
    fn from_real(value: f64) -> Self;
    fn column(ty: Type, values: Vec<Option<Self>>) -> ArrayRef;
    fn show(self, ty: Type, builder: &mut DynamicBuilder);
}

impl Quantity for i64 {
    fn values(array: &ArrayRef) -> Result<Vec<i64>> {
        let any = array.as_any();
        if let Some(array) = any.downcast_ref::<Int64Array>() {
            Ok(array.values().to_vec())
        } else if let Some(array) = any.downcast_ref::<Int32Array>() {
            Ok(array.values().iter().map(|value| i64::from(*value)).collect())
        } else if let Some(array) = any.downcast_ref::<BooleanArray>() {
            Ok((0..array.len()).map(|row| i64::from(array.value(row))).collect())
        } else {
            Err(EngineError::Internal(format!("no percentiles of {}", array.data_type())))
        }
    }
    fn order(left: &i64, right: &i64) -> Ordering {
        left.cmp(right)
    }
    fn to_real(self) -> f64 {
        self as f64
    }
    fn from_real(value: f64) -> i64 {
        value.round() as i64
    }
    fn column(_ty: Type, values: Vec<Option<i64>>) -> ArrayRef {
        Arc::new(Int64Array::from(values))
    }
    fn show(self, ty: Type, builder: &mut DynamicBuilder) {
        match ty {
            Type::DateTime => builder.datetime(self),
            Type::TimeSpan => builder.timespan(self),
            _ => builder.long(self),
        }
    }
}

impl Quantity for f64 {
    fn values(array: &ArrayRef) -> Result<Vec<f64>> {
        Ok(as_reals(array)?.values().to_vec())
    }
    fn order(left: &f64, right: &f64) -> Ordering {
        left.total_cmp(right)
    }
    fn to_real(self) -> f64 {
        self
    }
    fn from_real(value: f64) -> f64 {
        value
    }
    fn column(_ty: Type, values: Vec<Option<f64>>) -> ArrayRef {
        Arc::new(Float64Array::from(values))
    }
    fn show(self, _ty: Type, builder: &mut DynamicBuilder) {
        builder.real(self);
    }
}

/// The values of one group: all of them, or a digest of their distance from the first.
struct Sample<T> {
    values: Vec<T>,
    /// As long as `values`, or empty: each counts once.
    weights: Vec<i64>,
    digest: Option<Box<(T, Digest)>>,
}

impl<T> Default for Sample<T> {
    fn default() -> Self {
        Sample { values: Vec::new(), weights: Vec::new(), digest: None }
    }
}

impl<T: Quantity> Sample<T> {
    #[inline]
    fn add(&mut self, value: T, weight: i64) {
        if weight <= 0 {
            return;
        }
        if let Some(digest) = &mut self.digest {
            digest.1.add(value.to_real() - digest.0.to_real(), weight as f64);
            return;
        }
        if weight != 1 && self.weights.is_empty() {
            self.weights.resize(self.values.len(), 1);
        }
        if weight != 1 || !self.weights.is_empty() {
            self.weights.push(weight);
        }
        self.values.push(value);
        if self.values.len() >= EXACT_LIMIT {
            self.spill();
        }
    }

    fn spill(&mut self) {
        let Some(base) = self.values.first().copied() else { return };
        let mut digest = Digest::default();
        let weights = std::mem::take(&mut self.weights);
        for (index, value) in std::mem::take(&mut self.values).into_iter().enumerate() {
            let weight = weights.get(index).copied().unwrap_or(1);
            digest.add(value.to_real() - base.to_real(), weight as f64);
        }
        self.digest = Some(Box::new((base, digest)));
    }

    fn merge(&mut self, other: Sample<T>) {
        let plain = |sample: &Sample<T>| sample.weights.is_empty() && sample.digest.is_none();
        if plain(self) && plain(&other) && self.values.len() + other.values.len() < EXACT_LIMIT {
            self.values.extend_from_slice(&other.values);
            return;
        }
        for (index, value) in other.values.into_iter().enumerate() {
            self.add(value, other.weights.get(index).copied().unwrap_or(1));
        }
        if let Some(theirs) = other.digest {
            if self.digest.is_none() {
                if self.values.is_empty() {
                    self.digest = Some(theirs);
                    return;
                }
                self.spill();
            }
            if let Some(ours) = &mut self.digest {
                let shift = theirs.0.to_real() - ours.0.to_real();
                for (value, weight) in theirs.1.parts() {
                    ours.1.add(value + shift, weight);
                }
            }
        }
    }

    fn sort(&mut self) {
        if self.weights.is_empty() {
            self.values.sort_unstable_by(T::order);
        } else {
            let mut pairs: Vec<(T, i64)> = self.values.drain(..).zip(self.weights.drain(..)).collect();
            pairs.sort_by(|left, right| T::order(&left.0, &right.0));
            (self.values, self.weights) = pairs.into_iter().unzip();
        }
    }

    fn percentiles(&mut self, percentiles: &[f64]) -> Vec<Option<T>> {
        if let Some(digest) = &mut self.digest {
            let base = digest.0;
            let value = |percent: &f64| digest.1.percentile(*percent);
            let values: Vec<Option<f64>> = percentiles.iter().map(value).collect();
            return values
                .into_iter()
                .map(|value| value.map(|value| T::from_real(base.to_real() + value)))
                .collect();
        }
        if self.values.is_empty() {
            return vec![None; percentiles.len()];
        }
        if self.weights.is_empty() {
            return self.selected(&nearest_ranks(percentiles, self.values.len(), |_| 1, true));
        }
        self.sort();
        nearest_ranks(percentiles, self.values.len(), |index| self.weights[index], false)
            .into_iter()
            .map(|index| Some(self.values[index]))
            .collect()
    }

    /// The values that would stand at some positions if all were sorted.
    fn selected(&mut self, positions: &[usize]) -> Vec<Option<T>> {
        let mut ascending = positions.to_vec();
        ascending.sort_unstable();
        ascending.dedup();
        // What is before a selected position is settled: the next one lies behind it.
        let mut settled = 0;
        for position in ascending {
            self.values[settled..].select_nth_unstable_by(position - settled, T::order);
            settled = position + 1;
        }
        positions.iter().map(|position| self.values.get(*position).copied()).collect()
    }

    /// Value and weight of every value or cluster.
    fn centroids(&mut self) -> Vec<(T, f64)> {
        if let Some(digest) = &mut self.digest {
            let base = digest.0.to_real();
            let centroids = digest.1.centroids().iter();
            return centroids.map(|(value, weight)| (T::from_real(base + value), *weight)).collect();
        }
        self.sort();
        let mut centroids: Vec<(T, f64)> = Vec::new();
        for (index, value) in self.values.iter().enumerate() {
            let weight = self.weights.get(index).copied().unwrap_or(1) as f64;
            match centroids.last_mut() {
                Some(last) if last.0 == *value => last.1 += weight,
                _ => centroids.push((*value, weight)),
            }
        }
        if centroids.len() > 2048 {
            let mut digest =
                Digest::from_centroids(centroids.iter().map(|(value, weight)| (value.to_real(), *weight)));
            centroids =
                digest.centroids().iter().map(|(value, weight)| (T::from_real(*value), *weight)).collect();
        }
        centroids
    }
}

struct NumberStates<T> {
    ty: Type,
    weighted: bool,
    shown: Shown,
    groups: Vec<Sample<T>>,
    bytes: usize,
}

impl<T: Quantity> NumberStates<T> {
    fn measure(&mut self) {
        let bytes = |sample: &Sample<T>| {
            (sample.values.capacity() + sample.weights.capacity()) * 8
                + sample.digest.as_ref().map_or(0, |digest| digest.1.memory_bytes())
        };
        self.bytes = self.groups.iter().map(bytes).sum();
    }
}

impl<T: Quantity> GroupStates for NumberStates<T> {
    fn resize(&mut self, groups: usize) {
        self.groups.resize_with(groups, Sample::default);
    }

    fn update(
        &mut self,
        groups: GroupOf<'_>,
        arguments: &[ArrayRef],
        condition: Option<&BooleanArray>,
    ) -> Result<()> {
        let missing = || EngineError::Internal(String::from("a percentile misses its argument"));
        let array = arguments.first().ok_or_else(missing)?;
        let weights = weights(arguments, self.weighted)?;
        let values = T::values(array)?;
        let samples = self.groups.as_mut_slice();
        let chosen = chosen(array, weights, condition);
        groups.visit(array.len(), chosen.as_ref(), |group, row| {
            samples[group].add(values[row], weights.map_or(1, |weights| weights.value(row)));
        });
        self.bytes += array.len() * if self.weighted { 16 } else { 8 };
        Ok(())
    }

    fn merge(&mut self, other: Self, group_of: &[u32]) -> Result<()> {
        for (sample, group) in other.groups.into_iter().zip(group_of) {
            self.groups[*group as usize].merge(sample);
        }
        self.measure();
        Ok(())
    }

    fn finish(&mut self) -> Result<Vec<ArrayRef>> {
        let ty = self.ty;
        match self.shown.clone() {
            Shown::Columns(percentiles) => {
                let groups = self.groups.par_iter_mut().with_min_len(PARALLEL_GROUPS);
                let rows: Vec<Vec<Option<T>>> =
                    groups.map(|sample| sample.percentiles(&percentiles)).collect();
                let column = |position: usize| rows.iter().map(|row| row[position]).collect();
                Ok((0..percentiles.len()).map(|position| T::column(ty, column(position))).collect())
            }
            Shown::Array(percentiles) => dynamics(&mut self.groups, |sample, builder| {
                let values: Option<Vec<T>> = sample.percentiles(&percentiles).into_iter().collect();
                let Some(values) = values else { return false };
                builder.begin_array();
                for value in values {
                    value.show(ty, builder);
                }
                builder.end_array();
                true
            }),
            Shown::Digest => dynamics(&mut self.groups, |sample, builder| {
                let centroids = sample.centroids();
                write_digest(builder, &centroids, |builder, value| value.show(ty, builder));
                !centroids.is_empty()
            }),
        }
    }

    fn encode(&self, out: &mut StateWriter<'_>) {
        out.number(self.groups.len() as u64);
        for sample in &self.groups {
            out.numbers(&sample.values);
            out.numbers(&sample.weights);
            out.number(sample.digest.is_some());
            if let Some(digest) = &sample.digest {
                out.number(digest.0);
                let (values, weights): (Vec<f64>, Vec<f64>) = digest.1.parts().unzip();
                out.numbers(&values);
                out.numbers(&weights);
            }
        }
    }

    fn decode(&mut self, from: &mut StateReader<'_>) -> Result<()> {
        let groups = from.count()?;
        self.groups = (0..groups)
            .map(|_| {
                let (values, mut weights) = (from.numbers()?, from.numbers()?);
                if !weights.is_empty() {
                    weights.resize(values.len(), 1);
                }
                let digest = match from.number::<bool>()? {
                    true => {
                        let base = from.number()?;
                        let (values, weights) = (from.numbers::<f64>()?, from.numbers::<f64>()?);
                        Some(Box::new((base, Digest::from_centroids(values.into_iter().zip(weights)))))
                    }
                    false => None,
                };
                Ok(Sample { values, weights, digest })
            })
            .collect::<Result<_>>()?;
        self.measure();
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        self.bytes + self.groups.capacity() * size_of::<Sample<T>>()
    }
}

/// A dynamic value per group; null where `put` says that there is none.
fn dynamics<S>(
    groups: &mut [S],
    mut put: impl FnMut(&mut S, &mut DynamicBuilder) -> bool,
) -> Result<Vec<ArrayRef>> {
    let mut values = BinaryViewBuilder::with_capacity(groups.len());
    let mut builder = DynamicBuilder::new();
    for group in groups {
        if put(group, &mut builder) {
            builder.finish_with(|bytes| values.append_value(bytes));
        } else {
            builder.clear();
            values.append_null();
        }
    }
    Ok(vec![Arc::new(values.finish())])
}

/// Percentiles of texts, guids and dynamics: all values, as bytes.
struct OrderedStates {
    ty: Type,
    weighted: bool,
    shown: Shown,
    groups: Vec<Vec<(Vec<u8>, i64)>>,
    bytes: usize,
}

impl OrderedStates {
    fn sort(&mut self) {
        let ty = self.ty;
        for group in &mut self.groups {
            group.sort_by(|left, right| match ty {
                Type::Dynamic => compare(DynamicRef::new(&left.0), DynamicRef::new(&right.0)),
                _ => left.0.cmp(&right.0),
            });
        }
    }

    fn put(ty: Type, bytes: &[u8], builder: &mut DynamicBuilder) {
        match ty {
            Type::String => builder.string(std::str::from_utf8(bytes).unwrap_or_default()),
            Type::Guid => builder.guid(<[u8; 16]>::get(bytes)),
            _ => builder.value(DynamicRef::new(bytes)),
        }
    }

    fn column(ty: Type, values: &[Option<&[u8]>]) -> ArrayRef {
        match ty {
            Type::String => {
                let mut builder = StringViewBuilder::with_capacity(values.len());
                for value in values {
                    builder.append_value(std::str::from_utf8(value.unwrap_or_default()).unwrap_or_default());
                }
                Arc::new(builder.finish())
            }
            Type::Guid => fixed_array(values.iter().map(|value| value.map(<[u8; 16]>::get))),
            _ => {
                let mut builder = BinaryViewBuilder::with_capacity(values.len());
                for value in values {
                    builder.append_option(*value);
                }
                Arc::new(builder.finish())
            }
        }
    }
}

impl GroupStates for OrderedStates {
    fn resize(&mut self, groups: usize) {
        self.groups.resize(groups, Vec::new());
    }

    fn update(
        &mut self,
        groups: GroupOf<'_>,
        arguments: &[ArrayRef],
        condition: Option<&BooleanArray>,
    ) -> Result<()> {
        let missing = || EngineError::Internal(String::from("a percentile misses its argument"));
        let array = arguments.first().ok_or_else(missing)?;
        let weights = weights(arguments, self.weighted)?;
        let chosen = chosen(array, weights, condition);
        let any = array.as_any();
        let (texts, fixed, dynamics) = (
            any.downcast_ref::<StringViewArray>(),
            any.downcast_ref::<FixedSizeBinaryArray>(),
            any.downcast_ref::<BinaryViewArray>(),
        );
        let (states, bytes) = (self.groups.as_mut_slice(), &mut self.bytes);
        groups.visit(array.len(), chosen.as_ref(), |group, row| {
            let value = match (texts, fixed, dynamics) {
                (Some(array), _, _) => array.value(row).as_bytes(),
                (_, Some(array), _) => array.value(row),
                (_, _, Some(array)) => array.value(row),
                _ => return,
            };
            let weight = weights.map_or(1, |weights| weights.value(row));
            if weight > 0 {
                *bytes += value.len() + 40;
                states[group].push((value.to_vec(), weight));
            }
        });
        Ok(())
    }

    fn merge(&mut self, other: Self, group_of: &[u32]) -> Result<()> {
        self.bytes += other.bytes;
        for (mut values, group) in other.groups.into_iter().zip(group_of) {
            self.groups[*group as usize].append(&mut values);
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Vec<ArrayRef>> {
        self.sort();
        let ty = self.ty;
        let pick = |group: &[(Vec<u8>, i64)], percentiles: &[f64]| -> Vec<usize> {
            nearest_ranks(percentiles, group.len(), |index| group[index].1, false)
        };
        match &self.shown {
            Shown::Columns(percentiles) => {
                let mut columns = vec![Vec::with_capacity(self.groups.len()); percentiles.len()];
                for group in &self.groups {
                    let picked = if group.is_empty() { Vec::new() } else { pick(group, percentiles) };
                    for (position, column) in columns.iter_mut().enumerate() {
                        column.push(picked.get(position).map(|index| group[*index].0.as_slice()));
                    }
                }
                Ok(columns.iter().map(|values| Self::column(ty, values)).collect())
            }
            Shown::Array(percentiles) => dynamics(&mut self.groups, |group, builder| {
                if group.is_empty() {
                    return false;
                }
                builder.begin_array();
                for index in pick(group, percentiles) {
                    Self::put(ty, &group[index].0, builder);
                }
                builder.end_array();
                true
            }),
            Shown::Digest => dynamics(&mut self.groups, |group, builder| {
                let values: Vec<(&[u8], f64)> =
                    group.iter().map(|(value, weight)| (value.as_slice(), *weight as f64)).collect();
                write_digest(builder, &values, |builder, value| Self::put(ty, value, builder));
                !values.is_empty()
            }),
        }
    }

    fn encode(&self, out: &mut StateWriter<'_>) {
        out.number(self.groups.len() as u64);
        for group in &self.groups {
            out.number(group.len() as u64);
            for (value, weight) in group {
                out.bytes(value);
                out.number(*weight);
            }
        }
    }

    fn decode(&mut self, from: &mut StateReader<'_>) -> Result<()> {
        let groups = from.count()?;
        self.groups = (0..groups)
            .map(|_| {
                let values = from.count()?;
                (0..values).map(|_| Ok((from.bytes()?.to_vec(), from.number()?))).collect::<Result<_>>()
            })
            .collect::<Result<_>>()?;
        self.bytes = self.groups.iter().flatten().map(|value| value.0.len() + 40).sum();
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        self.bytes + self.groups.capacity() * 24
    }
}

/// `tdigest_merge`.
#[derive(Default)]
struct DigestStates {
    groups: Vec<Digest>,
}

impl GroupStates for DigestStates {
    fn resize(&mut self, groups: usize) {
        self.groups.resize(groups, Digest::default());
    }

    fn update(
        &mut self,
        groups: GroupOf<'_>,
        arguments: &[ArrayRef],
        condition: Option<&BooleanArray>,
    ) -> Result<()> {
        let array = argument::<BinaryViewArray>(arguments, 0)?;
        let chosen = NullBuffer::union(array.nulls(), chosen_rows(condition).as_ref());
        let states = self.groups.as_mut_slice();
        groups.visit(array.len(), chosen.as_ref(), |group, row| {
            if let Some(digest) = read_digest(DynamicRef::new(array.value(row))) {
                states[group].merge(&digest);
            }
        });
        Ok(())
    }

    fn merge(&mut self, other: Self, group_of: &[u32]) -> Result<()> {
        for (digest, group) in other.groups.iter().zip(group_of) {
            self.groups[*group as usize].merge(digest);
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Vec<ArrayRef>> {
        dynamics(&mut self.groups, |digest, builder| {
            write_digest(builder, digest.centroids(), |builder, value| put_number(builder, *value));
            !digest.is_empty()
        })
    }

    fn encode(&self, out: &mut StateWriter<'_>) {
        out.number(self.groups.len() as u64);
        for digest in &self.groups {
            let (values, weights): (Vec<f64>, Vec<f64>) = digest.parts().unzip();
            out.numbers(&values);
            out.numbers(&weights);
        }
    }

    fn decode(&mut self, from: &mut StateReader<'_>) -> Result<()> {
        let groups = from.count()?;
        self.groups = (0..groups)
            .map(|_| {
                let (values, weights) = (from.numbers::<f64>()?, from.numbers::<f64>()?);
                Ok(Digest::from_centroids(values.into_iter().zip(weights)))
            })
            .collect::<Result<_>>()?;
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        self.groups.iter().map(Digest::memory_bytes).sum()
    }
}
