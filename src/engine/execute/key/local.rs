//! Numbers for the distinct keys within one batch, where they are few.
//!
//! Texts come with numbers already (their dictionary), times and small integers have few distinct values in
//! a batch: then combining small numbers per row is much cheaper than hashing whole keys, and only one row
//! of each combination has to be looked up.

use arrow_array::{Array, ArrayRef};
use conshelf_kql::Type;

use crate::engine::error::Result;
use crate::engine::execute::columns;

/// Most distinct values of one column.
const VALUES_MAX: usize = 2_048;
/// Most combinations that could occur.
const COMBINATIONS_MAX: usize = 1 << 16;
/// Values of a range of so many are numbered by where they lie in it, if there are several keys.
const NEAR: usize = 512;
const SLOTS: usize = 8_192;
const NONE: u32 = u32::MAX;

/// The keys of a batch by number.
pub struct LocalCodes {
    /// Number of each row's key.
    pub codes: Vec<u32>,
    /// By number: the first row with that key.
    pub representatives: Vec<u32>,
}

/// `None`: the keys are not of that kind.
pub fn codes(types: &[Type], keys: &[ArrayRef], rows: usize) -> Result<Option<LocalCodes>> {
    let mut combined: Vec<u32> = Vec::new();
    let mut combinations = 1usize;
    let limit = VALUES_MAX.min(rows / 8);
    // A single key need not share the combinations with others.
    let range_max = if types.len() == 1 { COMBINATIONS_MAX.min(rows / 4) } else { NEAR.min(limit) };
    for (ty, key) in types.iter().zip(keys) {
        let Some((codes, count)) = column(*ty, key, limit, range_max)? else { return Ok(None) };
        let count = count.max(1);
        if combinations * count > COMBINATIONS_MAX {
            return Ok(None);
        }
        if combined.is_empty() {
            combined = codes;
        } else {
            let count = count as u32;
            for (combined, code) in combined.iter_mut().zip(&codes) {
                *combined = *combined * count + code;
            }
        }
        combinations *= count;
    }
    if combined.len() != rows {
        return Ok(None);
    }
    let mut numbers = vec![NONE; combinations];
    let mut representatives = Vec::new();
    for (row, code) in combined.iter_mut().enumerate() {
        let number = &mut numbers[*code as usize];
        if *number == NONE {
            *number = representatives.len() as u32;
            representatives.push(row as u32);
        }
        *code = *number;
    }
    Ok(Some(LocalCodes { codes: combined, representatives }))
}

/// Numbers of one column's values and how many there are: at most `limit`, or values in a range of `range_max`.
fn column(ty: Type, key: &ArrayRef, limit: usize, range_max: usize) -> Result<Option<(Vec<u32>, usize)>> {
    if let Some(dictionary) = columns::as_dictionary(key) {
        let count = dictionary.values().len();
        return Ok((count <= VALUES_MAX).then(|| (dictionary.keys().values().to_vec(), count)));
    }
    let found = match ty {
        Type::Long | Type::DateTime | Type::TimeSpan => {
            let keys = columns::longs(key)?.values();
            near(keys.iter().copied(), range_max)
                .or_else(|| values(keys.iter().map(|value| *value as u64), limit))
        }
        Type::Int => {
            let keys = columns::ints(key)?.values();
            near(keys.iter().map(|value| i64::from(*value)), range_max)
                .or_else(|| values(keys.iter().map(|value| u64::from(*value as u32)), limit))
        }
        Type::Bool => {
            let values = columns::booleans(key)?.values().iter().map(u32::from).collect();
            Some((values, 2))
        }
        Type::Real | Type::Decimal | Type::String | Type::Guid | Type::Dynamic => None,
    };
    let Some((mut codes, count)) = found else { return Ok(None) };
    let Some(nulls) = key.nulls().filter(|nulls| nulls.null_count() > 0) else {
        return Ok(Some((codes, count)));
    };
    for (code, valid) in codes.iter_mut().zip(nulls.iter()) {
        if !valid {
            *code = count as u32;
        }
    }
    Ok(Some((codes, count + 1)))
}

/// Values that lie close together are numbers already, but for where they begin.
fn near(values: impl Iterator<Item = i64> + Clone, range_max: usize) -> Option<(Vec<u32>, usize)> {
    let bounds = |(least, greatest): (i64, i64), value: i64| (least.min(value), greatest.max(value));
    let (least, greatest) = values.clone().fold((i64::MAX, i64::MIN), bounds);
    let range = greatest.checked_sub(least)?;
    (range < range_max as i64)
        .then(|| (values.map(|value| value.wrapping_sub(least) as u32).collect(), range as usize + 1))
}

fn values(values: impl ExactSizeIterator<Item = u64>, limit: usize) -> Option<(Vec<u32>, usize)> {
    let mut slots: Vec<(u64, u32)> = vec![(0, NONE); SLOTS];
    let mut codes = Vec::with_capacity(values.len());
    let mut count = 0u32;
    let (mut last, mut last_code) = (0u64, NONE);
    for value in values {
        if value == last && last_code != NONE {
            codes.push(last_code);
            continue;
        }
        let mut slot = (value.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 51) as usize;
        let code = loop {
            let (known, code) = slots[slot];
            if code == NONE {
                if count as usize >= limit {
                    return None;
                }
                slots[slot] = (value, count);
                count += 1;
                break count - 1;
            }
            if known == value {
                break code;
            }
            slot = (slot + 1) % SLOTS;
        };
        (last, last_code) = (value, code);
        codes.push(code);
    }
    Some((codes, count as usize))
}
