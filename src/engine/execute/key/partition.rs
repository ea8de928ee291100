//! Spreads rows over partitions by their keys: equal keys always meet in the same partition.
//!
//! Used where groups are very many: tables of one partition stay small enough for caches, and workers need
//! not merge tables of their own at the end.

use std::hash::{BuildHasher, Hasher};

use arrow_array::{Array, ArrayRef};
use conshelf_kql::Type;
use conshelf_storage::dynamic::{self, DynamicRef};
use foldhash::fast::FixedState;

use super::layout::canonical_bits;
use super::mix;
use crate::engine::error::Result;
use crate::engine::execute::columns;

const NULL: u64 = 0x517C_C1B7_2722_0A95;

/// Rows of a batch in order of their partition: those of partition p are `order[starts[p]..starts[p + 1]]`.
pub struct Spread {
    pub order: Vec<u32>,
    pub starts: Vec<usize>,
    /// Of the keys, in that order.
    pub hashes: Vec<u64>,
}

/// Spreads the rows over `1 << bits` partitions.
pub fn spread(types: &[Type], keys: &[ArrayRef], rows: usize, bits: u32) -> Result<Spread> {
    let mut hashes = vec![0u64; rows];
    for (ty, key) in types.iter().zip(keys) {
        combine(*ty, key, &mut hashes)?;
    }
    let partition = |hash: u64| (hash >> (64 - bits)) as usize;
    let mut starts = vec![0usize; (1 << bits) + 1];
    for hash in &hashes {
        starts[partition(*hash) + 1] += 1;
    }
    for index in 1..starts.len() {
        starts[index] += starts[index - 1];
    }
    let mut next = starts.clone();
    let mut order = vec![0u32; rows];
    let mut ordered_hashes = vec![0u64; rows];
    for (row, hash) in hashes.iter().enumerate() {
        let place = &mut next[partition(*hash)];
        order[*place] = row as u32;
        ordered_hashes[*place] = *hash;
        *place += 1;
    }
    Ok(Spread { order, starts, hashes: ordered_hashes })
}

/// Mixes the values of a column into the hashes of its rows. The same value gives the same hash however the
/// column is represented.
fn combine(ty: Type, key: &ArrayRef, hashes: &mut [u64]) -> Result<()> {
    let state = FixedState::default();
    let of_bytes = |bytes: &[u8]| {
        let mut hasher = state.build_hasher();
        hasher.write(bytes);
        hasher.finish()
    };
    if let Some(dictionary) = columns::as_dictionary(key) {
        let values = columns::texts(dictionary.values())?;
        let mut known: Vec<Option<u64>> = vec![None; values.len()];
        for (hash, key) in hashes.iter_mut().zip(dictionary.keys().values()) {
            let key = *key as usize;
            let value = *known[key].get_or_insert_with(|| of_bytes(values.value(key).as_bytes()));
            *hash = mix(*hash, value);
        }
        return Ok(());
    }
    let nulls = key.nulls().filter(|nulls| nulls.null_count() > 0);
    let put = |hashes: &mut [u64], values: &mut dyn Iterator<Item = u64>| match nulls {
        None => hashes.iter_mut().zip(values).for_each(|(hash, value)| *hash = mix(*hash, value)),
        Some(nulls) => {
            for ((hash, value), valid) in hashes.iter_mut().zip(values).zip(nulls.iter()) {
                *hash = mix(*hash, if valid { value } else { NULL });
            }
        }
    };
    match ty {
        Type::Bool => put(hashes, &mut columns::booleans(key)?.values().iter().map(u64::from)),
        Type::Int => put(hashes, &mut columns::ints(key)?.values().iter().map(|value| *value as u64)),
        Type::Long | Type::DateTime | Type::TimeSpan => {
            put(hashes, &mut columns::longs(key)?.values().iter().map(|value| *value as u64));
        }
        Type::Real => {
            put(hashes, &mut columns::reals(key)?.values().iter().map(|value| canonical_bits(*value)))
        }
        Type::Decimal | Type::Guid => {
            let values = columns::bytes16(key)?;
            put(hashes, &mut (0..values.len()).map(|row| of_bytes(values.value(row))));
        }
        Type::String => put(hashes, &mut columns::texts(key)?.bytes_iter().map(of_bytes)),
        Type::Dynamic => {
            let values = columns::dynamics(key)?;
            let of_value = |row: usize| {
                let mut hasher = state.build_hasher();
                if values.is_valid(row) {
                    dynamic::hash(DynamicRef::new(values.value(row)), &mut hasher);
                }
                hasher.finish()
            };
            put(hashes, &mut (0..values.len()).map(of_value));
        }
    }
    Ok(())
}
