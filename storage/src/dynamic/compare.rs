//! One total order of dynamic values, and the equality and hash that agree with it.
//!
//! Kinds order null < bool < numbers < datetime < timespan < guid < string < array < object. Longs and
//! reals compare by value (NaN below every number), decimals by canonical bytes among themselves. Objects
//! compare as sorted lists of key and value, so that the order of keys does not matter.

use std::cmp::Ordering;
use std::hash::Hasher;

use super::{DynamicKind, DynamicRef, MAX_DEPTH};

fn rank(kind: DynamicKind) -> u8 {
    match kind {
        DynamicKind::Null => 0,
        DynamicKind::Bool => 1,
        DynamicKind::Long | DynamicKind::Real => 2,
        DynamicKind::Decimal => 3,
        DynamicKind::DateTime => 4,
        DynamicKind::TimeSpan => 5,
        DynamicKind::Guid => 6,
        DynamicKind::String => 7,
        DynamicKind::Array => 8,
        DynamicKind::Object => 9,
    }
}

/// Exact comparison of an integer with a double.
fn compare_long_real(long: i64, real: f64) -> Ordering {
    if real.is_nan() {
        return Ordering::Greater;
    }
    // 2^63 and beyond lie outside every long; inside, truncation is exact and the fraction decides ties.
    if real >= 9_223_372_036_854_775_808.0 {
        return Ordering::Less;
    }
    if real < -9_223_372_036_854_775_808.0 {
        return Ordering::Greater;
    }
    let whole = real.trunc();
    long.cmp(&(whole as i64)).then_with(|| 0.0f64.partial_cmp(&(real - whole)).unwrap_or(Ordering::Equal))
}

fn compare_reals(left: f64, right: f64) -> Ordering {
    match (left.is_nan(), right.is_nan()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => left.partial_cmp(&right).unwrap_or(Ordering::Equal),
    }
}

fn compare_numbers(left: DynamicRef<'_>, right: DynamicRef<'_>) -> Ordering {
    match (left.as_long(), right.as_long()) {
        (Some(left), Some(right)) => left.cmp(&right),
        (Some(left), None) => compare_long_real(left, right.as_real().unwrap_or(f64::NAN)),
        (None, Some(right)) => compare_long_real(right, left.as_real().unwrap_or(f64::NAN)).reverse(),
        (None, None) => {
            compare_reals(left.as_real().unwrap_or(f64::NAN), right.as_real().unwrap_or(f64::NAN))
        }
    }
}

fn sorted_entries(value: DynamicRef<'_>) -> Vec<(&str, DynamicRef<'_>)> {
    let mut entries: Vec<_> = value.iter_object().collect();
    entries.sort_by(|left, right| left.0.cmp(right.0));
    entries
}

/// The order of two values. Parts nested below [`MAX_DEPTH`] compare by their bytes.
pub fn compare(left: DynamicRef<'_>, right: DynamicRef<'_>) -> Ordering {
    compare_at(left, right, 0)
}

fn compare_at(left: DynamicRef<'_>, right: DynamicRef<'_>, depth: usize) -> Ordering {
    if depth > MAX_DEPTH {
        return left.bytes().cmp(right.bytes());
    }
    let kind = left.kind();
    rank(kind).cmp(&rank(right.kind())).then_with(|| match kind {
        DynamicKind::Null => Ordering::Equal,
        DynamicKind::Bool => left.as_bool().cmp(&right.as_bool()),
        DynamicKind::Long | DynamicKind::Real => compare_numbers(left, right),
        DynamicKind::Decimal => {
            left.as_decimal().map(|value| value.0).cmp(&right.as_decimal().map(|value| value.0))
        }
        DynamicKind::DateTime => left.as_datetime().cmp(&right.as_datetime()),
        DynamicKind::TimeSpan => left.as_timespan().cmp(&right.as_timespan()),
        DynamicKind::Guid => left.as_guid().cmp(&right.as_guid()),
        DynamicKind::String => left.as_str().cmp(&right.as_str()),
        DynamicKind::Array => {
            for (one, other) in left.iter_array().zip(right.iter_array()) {
                let order = compare_at(one, other, depth + 1);
                if order != Ordering::Equal {
                    return order;
                }
            }
            left.len().cmp(&right.len())
        }
        DynamicKind::Object => {
            let (one, other) = (sorted_entries(left), sorted_entries(right));
            for (one, other) in one.iter().zip(&other) {
                let order = one.0.cmp(other.0).then_with(|| compare_at(one.1, other.1, depth + 1));
                if order != Ordering::Equal {
                    return order;
                }
            }
            one.len().cmp(&other.len())
        }
    })
}

/// Whether two values are equal: `1` and `1.0` are, and objects whose keys stand in another order.
pub fn equal(left: DynamicRef<'_>, right: DynamicRef<'_>) -> bool {
    left.bytes() == right.bytes() || compare(left, right) == Ordering::Equal
}

/// Feeds a value to a hasher; equal values (see [`equal`]) feed the same.
pub fn hash<H: Hasher>(value: DynamicRef<'_>, state: &mut H) {
    hash_at(value, state, 0);
}

fn hash_at<H: Hasher>(value: DynamicRef<'_>, state: &mut H, depth: usize) {
    if depth > MAX_DEPTH {
        return state.write(value.bytes());
    }
    let kind = value.kind();
    state.write_u8(rank(kind));
    match kind {
        DynamicKind::Null => {}
        DynamicKind::Bool => state.write_u8(u8::from(value.as_bool() == Some(true))),
        DynamicKind::Long | DynamicKind::Real => hash_number(value, state),
        DynamicKind::Decimal => state.write(&value.as_decimal().map_or([0; 16], |decimal| decimal.0)),
        DynamicKind::DateTime => state.write_i64(value.as_datetime().unwrap_or_default()),
        DynamicKind::TimeSpan => state.write_i64(value.as_timespan().unwrap_or_default()),
        DynamicKind::Guid => state.write(&value.as_guid().unwrap_or_default()),
        DynamicKind::String => state.write(value.as_str().unwrap_or_default().as_bytes()),
        DynamicKind::Array => {
            state.write_usize(value.len().unwrap_or_default());
            for element in value.iter_array() {
                hash_at(element, state, depth + 1);
            }
        }
        DynamicKind::Object => {
            let entries = sorted_entries(value);
            state.write_usize(entries.len());
            for (key, part) in entries {
                state.write(key.as_bytes());
                hash_at(part, state, depth + 1);
            }
        }
    }
}

/// Whole reals inside the range of longs hash as the long they equal.
fn hash_number<H: Hasher>(value: DynamicRef<'_>, state: &mut H) {
    if let Some(long) = value.as_long() {
        return state.write_i64(long);
    }
    let real = value.as_real().unwrap_or(f64::NAN);
    if real.is_nan() {
        state.write_u64(f64::NAN.to_bits());
    } else if real.trunc() == real
        && (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&real)
    {
        state.write_i64(real as i64);
    } else {
        state.write_u64(real.to_bits());
    }
}
