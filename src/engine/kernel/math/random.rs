//! `rand`: SplitMix64, seeded from the operating system once per thread.

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};

use arrow_array::ArrayRef;
use arrow_array::types::Float64Type;

use crate::engine::error::Result;
use crate::engine::kernel::access::{Longs, numbers};
use crate::engine::kernel::{Datum, KernelCall};

thread_local! {
    static STATE: Cell<u64> = Cell::new(RandomState::new().hash_one(0u8));
}

/// The next random 64 bits of the thread.
pub(super) fn next() -> u64 {
    STATE.with(|state| {
        let value = state.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        state.set(value);
        let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        value ^ (value >> 31)
    })
}

/// In [0, 1), or a whole number in [0, limit).
pub fn rand(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let limits = match arguments.first() {
        Some(datum) => Some(Longs::new(datum)?),
        None => None,
    };
    Ok(numbers::<Float64Type>(call.rows, |row| {
        let fraction = (next() >> 11) as f64 / (1u64 << 53) as f64;
        match &limits {
            None => Some(fraction),
            Some(limits) => match limits.get(row)? {
                limit if limit > 1 => Some((fraction * limit as f64).floor()),
                _ => Some(fraction),
            },
        }
    }))
}
