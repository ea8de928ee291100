//! What is known of a column chunk without reading it: enough to prune, and to answer from.
//!
//! Computed once when a chunk is written, kept in the extent's footer. Knows the column types; knows
//! nothing of encodings or files.

use std::cmp::Ordering;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef};

use crate::error::{Result, StorageError};
use crate::predicate::Literal;
use crate::types::ColumnType;

/// Longest string bound that is kept whole; longer ones are shortened.
pub const MAX_BOUND_BYTES: usize = 64;

/// The sum of the non-null values of a numeric or timespan column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sum {
    /// Exact; of ints, longs and timespans.
    Integer(i128),
    /// Of reals, added in row order; NaN or infinite as the values say.
    Real(f64),
}

/// Statistics of one column of one row group.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ColumnStatistics {
    pub rows: u32,
    pub nulls: u32,
    /// Smallest value: of reals, of those that are not NaN. `None` when there is none, and for dynamic.
    pub min: Option<Literal>,
    /// Largest value. Strings compare by their UTF-8 bytes, guids and decimals by their 16 bytes (for
    /// decimals an arbitrary order that only equality may use).
    pub max: Option<Literal>,
    /// Whether `min` and `max` occur as values. Long strings have shortened bounds that only enclose; a
    /// string column without an upper bound has values that no shortened text encloses.
    pub exact_bounds: bool,
    /// Of int, long, timespan and real columns. `None` for the others.
    pub sum: Option<Sum>,
    /// Reals that are NaN.
    pub nans: u32,
    /// No nulls, and every value is at least its predecessor (no NaN for reals).
    pub sorted: bool,
    /// Number of distinct values when it is known exactly. For strings the empty one counts.
    pub distinct: Option<u32>,
}

fn wrong_type(ty: ColumnType, array: &ArrayRef) -> StorageError {
    StorageError::Invalid(format!(
        "a {} column cannot hold an Arrow array of {}",
        ty.name(),
        array.data_type()
    ))
}

impl ColumnStatistics {
    /// Statistics of an array of the given column type (see `types.rs` for the arrays of each type).
    pub fn compute(ty: ColumnType, array: &ArrayRef) -> Result<ColumnStatistics> {
        let rows = u32::try_from(array.len())
            .map_err(|_| StorageError::Invalid("a row group has too many rows".to_owned()))?;
        let base = ColumnStatistics { rows, nulls: array.null_count() as u32, ..Default::default() };
        let array_type = array.data_type();
        let fits = *array_type == ty.arrow_type()
            || (ty == ColumnType::String && array.as_any_dictionary_opt().is_some());
        if !fits {
            return Err(wrong_type(ty, array));
        }
        Ok(match ty {
            ColumnType::Bool => bools(base, array),
            ColumnType::Int => integers(
                base,
                array,
                array.as_primitive::<Int32Type>().values().iter().map(|v| i64::from(*v)),
                true,
            ),
            ColumnType::Long | ColumnType::TimeSpan => {
                integers(base, array, array.as_primitive::<Int64Type>().values().iter().copied(), true)
            }
            ColumnType::DateTime => {
                integers(base, array, array.as_primitive::<Int64Type>().values().iter().copied(), false)
            }
            ColumnType::Real => reals(base, array),
            ColumnType::Decimal | ColumnType::Guid => bytes16(base, array),
            ColumnType::String => strings(base, array)?,
            ColumnType::Dynamic => base,
        })
    }

    /// Statistics of a chunk that is absent because the extent has no such column: all null, or all "".
    pub fn absent(ty: ColumnType, rows: u32) -> ColumnStatistics {
        if ty == ColumnType::String {
            let empty = Some(Literal::String(String::new()));
            return ColumnStatistics {
                rows,
                min: empty.clone(),
                max: empty,
                exact_bounds: true,
                sorted: true,
                distinct: Some(1),
                ..Default::default()
            };
        }
        ColumnStatistics { rows, nulls: rows, distinct: Some(0), ..Default::default() }
    }

    /// Statistics of two runs of rows taken together, `other` following `self`.
    pub fn merge(&self, other: &ColumnStatistics) -> ColumnStatistics {
        let pick = |left: &Option<Literal>, right: &Option<Literal>, wanted: Ordering| match (left, right) {
            (Some(l), Some(r)) => {
                Some(if compare_literals(l, r) == Some(wanted) { l.clone() } else { r.clone() })
            }
            (one, None) | (None, one) => one.clone(),
        };
        let has_values = |part: &ColumnStatistics| part.rows - part.nulls > part.nans;
        let mut max = pick(&self.max, &other.max, Ordering::Greater);
        // A side with values but no upper bound is unbounded.
        if [self, other].iter().any(|part| has_values(part) && part.max.is_none()) {
            max = None;
        }
        let joined = match (&self.max, &other.min) {
            (Some(l), Some(r)) => compare_literals(l, r).is_some_and(Ordering::is_le),
            _ => false,
        };
        ColumnStatistics {
            rows: self.rows.saturating_add(other.rows),
            nulls: self.nulls.saturating_add(other.nulls),
            min: pick(&self.min, &other.min, Ordering::Less),
            max,
            exact_bounds: self.exact_bounds && other.exact_bounds,
            sum: match (self.sum, other.sum) {
                (Some(Sum::Integer(l)), Some(Sum::Integer(r))) => l.checked_add(r).map(Sum::Integer),
                (Some(Sum::Real(l)), Some(Sum::Real(r))) => Some(Sum::Real(l + r)),
                _ => None,
            },
            nans: self.nans.saturating_add(other.nans),
            sorted: (self.sorted && other.sorted && joined && self.exact_bounds && other.exact_bounds)
                || (self.rows == 0 && other.sorted)
                || (other.rows == 0 && self.sorted),
            distinct: None,
        }
    }
}

/// The order of two literals of one type; `None` for different types and for NaN.
pub fn compare_literals(left: &Literal, right: &Literal) -> Option<Ordering> {
    match (left, right) {
        (Literal::Bool(l), Literal::Bool(r)) => Some(l.cmp(r)),
        (Literal::Integer(l), Literal::Integer(r)) => Some(l.cmp(r)),
        (Literal::Real(l), Literal::Real(r)) => l.partial_cmp(r),
        (Literal::String(l), Literal::String(r)) => Some(l.as_bytes().cmp(r.as_bytes())),
        (Literal::Bytes16(l), Literal::Bytes16(r)) => Some(l.cmp(r)),
        _ => None,
    }
}

fn bools(mut statistics: ColumnStatistics, array: &ArrayRef) -> ColumnStatistics {
    let array = array.as_boolean();
    let trues = array.true_count() as u32;
    let falses = statistics.rows - statistics.nulls - trues;
    if statistics.rows > statistics.nulls {
        statistics.min = Some(Literal::Bool(falses == 0));
        statistics.max = Some(Literal::Bool(trues > 0));
        statistics.exact_bounds = true;
    }
    statistics.distinct = Some(u32::from(trues > 0) + u32::from(falses > 0));
    statistics.sorted = statistics.nulls == 0
        && (0..array.len()).skip_while(|row| !array.value(*row)).all(|row| array.value(row));
    statistics
}

fn integers(
    mut statistics: ColumnStatistics,
    array: &ArrayRef,
    values: impl Iterator<Item = i64> + Clone,
    summed: bool,
) -> ColumnStatistics {
    let (mut min, mut max) = (i64::MAX, i64::MIN);
    // Low and high halves are added apart, so that the loop needs no 128-bit arithmetic.
    let (mut low, mut high) = (0u64, 0i64);
    let mut sorted = true;
    let mut take = |value: i64| {
        min = min.min(value);
        max = max.max(value);
        low += value as u64 & 0xffff_ffff;
        high += value >> 32;
    };
    match array.nulls().filter(|_| statistics.nulls > 0) {
        None => {
            let mut previous = i64::MIN;
            for value in values {
                sorted &= previous <= value;
                previous = value;
                take(value);
            }
        }
        Some(nulls) => {
            sorted = false;
            for (value, valid) in values.zip(nulls.iter()) {
                if valid {
                    take(value);
                }
            }
        }
    }
    if statistics.rows > statistics.nulls {
        statistics.min = Some(Literal::Integer(min));
        statistics.max = Some(Literal::Integer(max));
        statistics.exact_bounds = true;
        if min == max {
            statistics.distinct = Some(1);
        }
    } else {
        statistics.distinct = Some(0);
    }
    if summed {
        statistics.sum = Some(Sum::Integer((i128::from(high) << 32) + i128::from(low)));
    }
    statistics.sorted = sorted && statistics.nulls == 0;
    statistics
}

fn reals(mut statistics: ColumnStatistics, array: &ArrayRef) -> ColumnStatistics {
    let array = array.as_primitive::<Float64Type>();
    let mut bounds: Option<(f64, f64)> = None;
    let mut sum = 0.0;
    let mut sorted = statistics.nulls == 0;
    let mut previous = f64::NEG_INFINITY;
    let mut take = |value: f64| {
        sum += value;
        sorted &= previous <= value;
        previous = value;
        if value.is_nan() {
            statistics.nans += 1;
        } else {
            let (min, max) = bounds.unwrap_or((value, value));
            bounds = Some((if value < min { value } else { min }, if value > max { value } else { max }));
        }
    };
    if statistics.nulls == 0 {
        array.values().iter().for_each(|value| take(*value));
    } else {
        array.iter().flatten().for_each(take);
    }
    if let Some((min, max)) = bounds {
        statistics.min = Some(Literal::Real(min));
        statistics.max = Some(Literal::Real(max));
        statistics.exact_bounds = true;
    }
    if statistics.rows == statistics.nulls {
        statistics.distinct = Some(0);
    }
    statistics.sum = Some(Sum::Real(sum));
    statistics.sorted = sorted;
    statistics
}

fn bytes16(mut statistics: ColumnStatistics, array: &ArrayRef) -> ColumnStatistics {
    let array = array.as_fixed_size_binary();
    let mut bounds: Option<(&[u8], &[u8])> = None;
    let mut sorted = statistics.nulls == 0;
    let mut previous: &[u8] = &[];
    for value in array.iter().flatten() {
        sorted &= previous <= value;
        previous = value;
        let (min, max) = bounds.unwrap_or((value, value));
        bounds = Some((min.min(value), max.max(value)));
    }
    if let Some((min, max)) = bounds {
        statistics.min = min.try_into().ok().map(Literal::Bytes16);
        statistics.max = max.try_into().ok().map(Literal::Bytes16);
        statistics.exact_bounds = true;
        if min == max {
            statistics.distinct = Some(1);
        }
    } else {
        statistics.distinct = Some(0);
    }
    statistics.sorted = sorted;
    statistics
}

fn strings(mut statistics: ColumnStatistics, array: &ArrayRef) -> Result<ColumnStatistics> {
    // A null string slot means "".
    statistics.nulls = 0;
    let mut bounds: Option<(&str, &str)> = None;
    let mut include = |value| {
        let (min, max) = bounds.unwrap_or((value, value));
        bounds = Some((value.min(min), value.max(max)));
    };
    statistics.sorted = true;
    if let Some(dictionary) = array.as_any_dictionary_opt() {
        let values =
            dictionary.values().as_string_view_opt().ok_or_else(|| wrong_type(ColumnType::String, array))?;
        let keys = dictionary.normalized_keys();
        let text = |row: usize| {
            let key = keys[row];
            if dictionary.keys().is_valid(row) && values.is_valid(key) { values.value(key) } else { "" }
        };
        let mut used = vec![false; values.len()];
        let mut previous = None;
        for (row, key) in keys.iter().enumerate() {
            let repeated = previous == Some(*key) && dictionary.keys().is_valid(row);
            previous = dictionary.keys().is_valid(row).then_some(*key);
            if repeated {
                continue;
            }
            statistics.sorted = statistics.sorted && (row == 0 || text(row - 1) <= text(row));
            match used.get_mut(*key).filter(|_| previous.is_some()) {
                Some(used) if *used => {}
                Some(used) => {
                    *used = true;
                    include(text(row));
                }
                None => include(""),
            }
        }
    } else {
        let values = array.as_string_view();
        let mut previous = "";
        for value in values.iter() {
            let value = value.unwrap_or_default();
            statistics.sorted = statistics.sorted && previous <= value;
            previous = value;
            include(value);
        }
    }
    if let Some((min, max)) = bounds {
        statistics.exact_bounds = min.len() <= MAX_BOUND_BYTES && max.len() <= MAX_BOUND_BYTES;
        statistics.min = Some(Literal::String(shortened(min).to_owned()));
        statistics.max = upper_bound(max).map(Literal::String);
        if min == max {
            statistics.distinct = Some(1);
        }
    }
    Ok(statistics)
}

fn shortened(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_BOUND_BYTES)]
}

/// The shortest simple text that is no less than every text that begins like this one: shortened, then with
/// its last character that has a successor raised. `None` when no such character is left.
fn upper_bound(text: &str) -> Option<String> {
    if text.len() <= MAX_BOUND_BYTES {
        return Some(text.to_owned());
    }
    let mut prefix = shortened(text).to_owned();
    while let Some(last) = prefix.pop() {
        let next = match last {
            '\u{d7ff}' => Some('\u{e000}'),
            _ => char::from_u32(u32::from(last) + 1),
        };
        if let Some(next) = next {
            prefix.push(next);
            return Some(prefix);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Float64Array, Int64Array, StringViewArray};

    use super::*;

    fn of(ty: ColumnType, array: impl Array + 'static) -> ColumnStatistics {
        ColumnStatistics::compute(ty, &(Arc::new(array) as ArrayRef)).expect("right type")
    }

    #[test]
    fn integers_are_bounded_summed_and_checked_for_order() {
        let found =
            of(ColumnType::Long, Int64Array::from(vec![Some(i64::MIN), None, Some(i64::MAX), Some(-5)]));
        assert_eq!((found.rows, found.nulls, found.sorted), (4, 1, false));
        assert_eq!(
            (found.min, found.max),
            (Some(Literal::Integer(i64::MIN)), Some(Literal::Integer(i64::MAX)))
        );
        assert_eq!(found.sum, Some(Sum::Integer(-6)));
        assert!(of(ColumnType::DateTime, Int64Array::from(vec![1, 1, 2])).sorted);
        assert!(!of(ColumnType::DateTime, Int64Array::from(vec![1, 3, 2])).sorted);
        let extreme = of(ColumnType::Long, Int64Array::from(vec![i64::MIN; 3]));
        assert_eq!(extreme.sum, Some(Sum::Integer(3 * i128::from(i64::MIN))));
        assert_eq!(of(ColumnType::Long, Int64Array::new_null(2)).min, None);
    }

    #[test]
    fn nan_is_counted_and_bounds_nothing() {
        let found = of(ColumnType::Real, Float64Array::from(vec![1.0, f64::NAN, -2.0]));
        assert_eq!((found.nans, found.sorted), (1, false));
        assert_eq!((found.min, found.max), (Some(Literal::Real(-2.0)), Some(Literal::Real(1.0))));
    }

    #[test]
    fn long_strings_have_enclosing_bounds() {
        let long = "é".repeat(100);
        let found = of(ColumnType::String, StringViewArray::from(vec![long.as_str(), "a"]));
        assert!(!found.exact_bounds);
        let Some(Literal::String(max)) = found.max else { panic!("no upper bound") };
        assert!(max > long && max.len() <= MAX_BOUND_BYTES + 4);
        let top = "\u{10ffff}".repeat(40);
        let found = of(ColumnType::String, StringViewArray::from(vec![top.as_str()]));
        assert_eq!(found.max, None);
        assert_eq!(found.merge(&of(ColumnType::String, StringViewArray::from(vec!["a"]))).max, None);
    }

    #[test]
    fn merged_runs_stay_sorted_only_when_they_join() {
        let run = |values: Vec<i64>| of(ColumnType::DateTime, Int64Array::from(values));
        assert!(run(vec![1, 2]).merge(&run(vec![2, 3])).sorted);
        assert!(!run(vec![1, 3]).merge(&run(vec![2, 4])).sorted);
    }
}
