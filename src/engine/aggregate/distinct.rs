//! `count_distinct`: exact, by 128-bit keys. Values of up to 16 bytes are their own key, longer ones go by
//! their xxHash. Nulls take no part.

use std::sync::Arc;

use arrow_array::types::UInt32Type;
use arrow_array::{
    Array, ArrayRef, BinaryViewArray, BooleanArray, DictionaryArray, FixedSizeBinaryArray, Float64Array,
    Int32Array, Int64Array, StringViewArray, UInt64Array,
};
use conshelf_storage::dynamic::{DynamicRef, hash};
use foldhash::fast::RandomState;
use hashbrown::HashSet;
use xxhash_rust::xxh3::{Xxh3Default, xxh3_64, xxh3_128};

use crate::engine::aggregate::states::{
    GroupOf, GroupStates, StateReader, StateWriter, Typed, fixed_value, valued_rows,
};
use crate::engine::aggregate::{Accumulator, AggregateCall, first_type};
use crate::engine::error::{EngineError, Result};

/// Kusto's bound on the distinct values of `count_distinct`.
const MAX_DISTINCT: usize = 100_000_000;

/// Reals that are equal have one key.
fn real_bits(value: f64) -> u64 {
    if value.is_nan() { f64::NAN.to_bits() } else { (value + 0.0).to_bits() }
}

fn unknown(array: &dyn Array) -> EngineError {
    EngineError::Internal(format!("no keys for {}", array.data_type()))
}

/// Calls `take(group, key)` with a key per value that takes part: equal values have equal keys, others
/// almost certainly (texts longer than 16 bytes, dynamics) or certainly different ones.
pub(super) fn visit_keys(
    groups: GroupOf<'_>,
    array: &ArrayRef,
    condition: Option<&BooleanArray>,
    mut take: impl FnMut(usize, usize, u128),
) -> Result<()> {
    if let Some(dictionary) = dictionary_of(array) {
        visit_dictionary(groups, dictionary, condition, text_key, take);
        return Ok(());
    }
    let chosen = valued_rows(array, condition);
    let (chosen, rows, any) = (chosen.as_ref(), array.len(), array.as_any());
    if let Some(array) = any.downcast_ref::<Int64Array>() {
        let values = array.values();
        groups.visit(rows, chosen, |group, row| take(group, row, u128::from(values[row] as u64)));
    } else if let Some(array) = any.downcast_ref::<Int32Array>() {
        let values = array.values();
        groups.visit(rows, chosen, |group, row| take(group, row, u128::from(i64::from(values[row]) as u64)));
    } else if let Some(array) = any.downcast_ref::<StringViewArray>() {
        groups.visit(rows, chosen, |group, row| take(group, row, text_key(array.value(row).as_bytes())));
    } else if let Some(array) = any.downcast_ref::<Float64Array>() {
        let values = array.values();
        groups.visit(rows, chosen, |group, row| take(group, row, u128::from(real_bits(values[row]))));
    } else if let Some(array) = any.downcast_ref::<BooleanArray>() {
        groups.visit(rows, chosen, |group, row| take(group, row, u128::from(array.value(row))));
    } else if let Some(array) = any.downcast_ref::<FixedSizeBinaryArray>() {
        groups
            .visit(rows, chosen, |group, row| take(group, row, u128::from_be_bytes(fixed_value(array, row))));
    } else if let Some(array) = any.downcast_ref::<BinaryViewArray>() {
        groups.visit(rows, chosen, |group, row| take(group, row, dynamic_key(array.value(row))));
    } else {
        return Err(unknown(array));
    }
    Ok(())
}

/// The dictionary of an array of texts, and its values.
fn dictionary_of(array: &ArrayRef) -> Option<(&DictionaryArray<UInt32Type>, &StringViewArray)> {
    let dictionary = array.as_any().downcast_ref::<DictionaryArray<UInt32Type>>()?;
    Some((dictionary, dictionary.values().as_any().downcast_ref::<StringViewArray>()?))
}

/// Calls `take` with what `of` makes of each text, computed once per value of the dictionary.
fn visit_dictionary<K: Copy>(
    groups: GroupOf<'_>,
    (dictionary, values): (&DictionaryArray<UInt32Type>, &StringViewArray),
    condition: Option<&BooleanArray>,
    of: impl Fn(&[u8]) -> K,
    mut take: impl FnMut(usize, usize, K),
) {
    let chosen = valued_rows(dictionary, condition);
    let codes = dictionary.keys().values();
    if values.len() > dictionary.len() {
        groups.visit(dictionary.len(), chosen.as_ref(), |group, row| {
            take(group, row, of(values.value(codes[row] as usize).as_bytes()));
        });
        return;
    }
    let known: Vec<K> = (0..values.len()).map(|value| of(values.value(value).as_bytes())).collect();
    groups.visit(dictionary.len(), chosen.as_ref(), |group, row| {
        take(group, row, known[codes[row] as usize]);
    });
}

fn text_key(bytes: &[u8]) -> u128 {
    xxh3_128(bytes)
}

/// Equal dynamics (`1` and `1.0`, objects in another order) have one key.
fn dynamic_key(bytes: &[u8]) -> u128 {
    let value = DynamicRef::new(bytes);
    let (mut low, mut high) = (Xxh3Default::new(), Xxh3Default::new());
    high.update(b"conshelf");
    hash(value, &mut low);
    hash(value, &mut high);
    u128::from(high.digest()) << 64 | u128::from(low.digest())
}

/// Calls `take(group, hash)` with a well-mixed 64-bit hash per value that takes part. The hash is part of
/// the stored form of sketches: it must not change. An array of hashes (`text_hashes`) stands for its texts.
pub(super) fn visit_hashes(
    groups: GroupOf<'_>,
    array: &ArrayRef,
    condition: Option<&BooleanArray>,
    mut take: impl FnMut(usize, u64),
) -> Result<()> {
    if let Some(dictionary) = dictionary_of(array) {
        visit_dictionary(groups, dictionary, condition, xxh3_64, |group, _, hash| take(group, hash));
        return Ok(());
    }
    if let Some(hashes) = array.as_any().downcast_ref::<UInt64Array>() {
        let (chosen, hashes) = (valued_rows(array, condition), hashes.values());
        groups.visit(array.len(), chosen.as_ref(), |group, row| take(group, hashes[row]));
        return Ok(());
    }
    if let Some(texts) = array.as_any().downcast_ref::<StringViewArray>() {
        let chosen = valued_rows(array, condition);
        groups.visit(array.len(), chosen.as_ref(), |group, row| {
            take(group, xxh3_64(texts.value(row).as_bytes()))
        });
        return Ok(());
    }
    visit_keys(groups, array, condition, |group, _, key| {
        let folded = (key as u64) ^ ((key >> 64) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        take(group, mix(folded));
    })
}

/// The hashes of texts, which sketches take in their place; `None`: the array has no texts.
pub fn text_hashes(array: &ArrayRef) -> Option<Vec<u64>> {
    let is_text = dictionary_of(array).is_some() || array.as_any().is::<StringViewArray>();
    if !is_text || array.null_count() > 0 {
        return None;
    }
    let mut hashes = Vec::with_capacity(array.len());
    visit_hashes(GroupOf::One(0), array, None, |_, hash| hashes.push(hash)).ok()?;
    Some(hashes)
}

/// Appends the hashes of whole numbers (see `visit_hashes`) if there are no nulls among them; `false`: the array is
/// none of those.
pub(super) fn append_number_hashes(array: &ArrayRef, hashes: &mut Vec<u64>) -> bool {
    if array.null_count() > 0 {
        return false;
    }
    if let Some(array) = array.as_any().downcast_ref::<Int64Array>() {
        hashes.extend(array.values().iter().map(|value| mix(*value as u64)));
    } else if let Some(array) = array.as_any().downcast_ref::<Int32Array>() {
        hashes.extend(array.values().iter().map(|value| mix(i64::from(*value) as u64)));
    } else {
        return false;
    }
    true
}

/// The finalizer of SplitMix64: a bijection, so that distinct 64-bit values never collide.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[derive(Default)]
struct DistinctStates {
    counts: Vec<i64>,
    seen: HashSet<(u32, u128), RandomState>,
}

pub fn create(call: &AggregateCall) -> Result<Box<dyn Accumulator>> {
    first_type(call)?;
    Ok(Typed::boxed(DistinctStates::default()))
}

impl DistinctStates {
    fn check(&self) -> Result<()> {
        if self.seen.len() > MAX_DISTINCT {
            return Err(EngineError::Evaluation(String::from(
                "Query execution has exceeded the allowed limits (80DA0012): count_distinct met more than 100,000,000 distinct values; use dcount for an estimate",
            )));
        }
        Ok(())
    }
}

impl GroupStates for DistinctStates {
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
        let missing = || EngineError::Internal(String::from("count_distinct misses its argument"));
        let (counts, seen) = (self.counts.as_mut_slice(), &mut self.seen);
        visit_keys(groups, arguments.first().ok_or_else(missing)?, condition, |group, _, key| {
            counts[group] += i64::from(seen.insert((group as u32, key)));
        })?;
        self.check()
    }

    fn merge(&mut self, other: Self, group_of: &[u32]) -> Result<()> {
        for (group, key) in other.seen {
            let group = group_of[group as usize];
            self.counts[group as usize] += i64::from(self.seen.insert((group, key)));
        }
        self.check()
    }

    fn finish(&mut self) -> Result<Vec<ArrayRef>> {
        Ok(vec![Arc::new(Int64Array::from(std::mem::take(&mut self.counts)))])
    }

    fn encode(&self, out: &mut StateWriter<'_>) {
        out.number(self.counts.len() as u64);
        let (groups, keys): (Vec<u32>, Vec<u128>) = self.seen.iter().copied().unzip();
        out.numbers(&groups);
        out.numbers(&keys);
    }

    fn decode(&mut self, from: &mut StateReader<'_>) -> Result<()> {
        let groups = from.number::<u64>()? as usize;
        let pairs = from.numbers::<u32>()?.into_iter().zip(from.numbers::<u128>()?);
        self.counts = vec![0; groups];
        for (group, key) in pairs {
            if let Some(count) = self.counts.get_mut(group as usize) {
                *count += i64::from(self.seen.insert((group, key)));
            }
        }
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        self.counts.capacity() * 8 + self.seen.capacity() * 33
    }
}
