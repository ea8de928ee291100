//! Functions of arrays. What is not an array gives null where nothing else is said.

use std::cmp::Ordering;

use arrow_array::ArrayRef;
use arrow_array::types::{Float64Type, Int64Type};
use conshelf_kql::Type;
use conshelf_storage::dynamic::{compare, equal};
use conshelf_storage::{DynamicBuilder, DynamicKind, DynamicRef};

use super::value::Values;
use crate::engine::error::{EngineError, Result};
use crate::engine::kernel::access::{Bools, Dynamics, Longs, Reals, argument, dynamics, numbers};
use crate::engine::kernel::{Datum, KernelCall};

/// The most elements that `range` and `repeat` make.
const MAX_ELEMENTS: i64 = 1_048_576;

/// The elements of an array; `None` of anything else.
pub(super) fn elements(value: DynamicRef<'_>) -> Option<Vec<DynamicRef<'_>>> {
    (value.kind() == DynamicKind::Array).then(|| value.iter_array().collect())
}

pub(super) fn put_array<'a>(
    builder: &mut DynamicBuilder,
    elements: impl IntoIterator<Item = DynamicRef<'a>>,
) {
    builder.begin_array();
    for element in elements {
        builder.value(element);
    }
    builder.end_array();
}

/// A function of the elements of the first argument that builds a value; null if that is no array.
fn each_array(
    call: &KernelCall<'_>,
    arguments: &[Datum],
    mut f: impl FnMut(usize, Vec<DynamicRef<'_>>, &mut DynamicBuilder) -> bool,
) -> Result<ArrayRef> {
    let arrays = Dynamics::new(argument(arguments, 0)?)?;
    Ok(dynamics(call.rows, |row, builder| {
        elements(arrays.get(row)).is_some_and(|elements| f(row, elements, builder))
    }))
}

pub fn length(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let arrays = Dynamics::new(argument(arguments, 0)?)?;
    Ok(numbers::<Int64Type>(call.rows, |row| {
        let value = arrays.get(row);
        (value.kind() == DynamicKind::Array).then(|| value.len().unwrap_or(0) as i64)
    }))
}

/// What is not an array adds nothing.
pub fn concat(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let arrays = arguments.iter().map(Dynamics::new).collect::<Result<Vec<_>>>()?;
    Ok(dynamics(call.rows, |row, builder| {
        put_array(builder, arrays.iter().flat_map(|array| array.get(row).iter_array()));
        true
    }))
}

/// A position that counts from the end if it is negative.
fn from_end(position: i64, length: usize) -> i64 {
    if position < 0 { position.saturating_add(length as i64) } else { position }
}

pub fn slice(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let starts = Longs::new(argument(arguments, 1)?)?;
    let ends = Longs::new(argument(arguments, 2)?)?;
    each_array(call, arguments, |row, elements, builder| {
        let (Some(start), Some(end)) = (starts.get(row), ends.get(row)) else { return false };
        let start = from_end(start, elements.len()).clamp(0, elements.len() as i64);
        let end = from_end(end, elements.len()).saturating_add(1).clamp(start, elements.len() as i64);
        put_array(builder, elements[start as usize..end as usize].iter().copied());
        true
    })
}

pub fn split(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let cuts = Values::at(call, arguments, 1)?;
    each_array(call, arguments, |row, elements, builder| {
        let cuts: Vec<i64> = match &cuts {
            Values::Long(cuts) => cuts.get(row).into_iter().collect(),
            Values::Dynamic(cuts) => match cuts.get(row).as_long() {
                Some(cut) => vec![cut],
                None => cuts.get(row).iter_array().filter_map(|cut| cut.as_long()).collect(),
            },
            _ => Vec::new(),
        };
        builder.begin_array();
        let mut start = 0;
        for cut in cuts {
            let cut = from_end(cut, elements.len()).clamp(0, elements.len() as i64) as usize;
            put_array(builder, elements[start..cut.max(start)].iter().copied());
            start = cut.max(start);
        }
        put_array(builder, elements[start..].iter().copied());
        builder.end_array();
        true
    })
}

pub fn index_of(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let arrays = Dynamics::new(argument(arguments, 0)?)?;
    let values = Values::at(call, arguments, 1)?;
    let optional = |position: usize| arguments.get(position).map(Longs::new).transpose();
    let (starts, lengths, occurrences) = (optional(2)?, optional(3)?, optional(4)?);
    let get = |column: &Option<Longs<'_>>, row, default| {
        column.as_ref().and_then(|column| column.get(row)).unwrap_or(default)
    };
    Ok(numbers::<Int64Type>(call.rows, |row| {
        let elements = elements(arrays.get(row))?;
        let value = values.bytes(row);
        let value = DynamicRef::new(&value);
        let start = from_end(get(&starts, row, 0), elements.len()).max(0) as usize;
        let length = match get(&lengths, row, -1) {
            length if length < 0 => usize::MAX,
            length => length as usize,
        };
        let occurrence = get(&occurrences, row, 1).max(1) as usize;
        let examined = elements.iter().enumerate().skip(start).take(length);
        let found = examined.filter(|(_, element)| equal(**element, value)).nth(occurrence - 1);
        Some(found.map_or(-1, |(index, _)| index as i64))
    }))
}

/// Null if an element is not a number.
pub fn sum(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let arrays = Dynamics::new(argument(arguments, 0)?)?;
    Ok(numbers::<Float64Type>(call.rows, |row| {
        let elements = elements(arrays.get(row))?;
        elements.iter().filter(|element| !element.is_null()).map(|element| element.as_number()).sum()
    }))
}

pub fn reverse(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    each_array(call, arguments, |_, mut elements, builder| {
        elements.reverse();
        put_array(builder, elements);
        true
    })
}

fn rotate(call: &KernelCall<'_>, arguments: &[Datum], sign: i64) -> Result<ArrayRef> {
    let counts = Longs::new(argument(arguments, 1)?)?;
    each_array(call, arguments, |row, mut elements, builder| {
        let Some(count) = counts.get(row) else { return false };
        if !elements.is_empty() {
            let left = count.wrapping_mul(sign).rem_euclid(elements.len() as i64);
            elements.rotate_left(left as usize);
        }
        put_array(builder, elements);
        true
    })
}

pub fn rotate_left(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    rotate(call, arguments, 1)
}

pub fn rotate_right(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    rotate(call, arguments, -1)
}

fn shift(call: &KernelCall<'_>, arguments: &[Datum], sign: i64) -> Result<ArrayRef> {
    let counts = Longs::new(argument(arguments, 1)?)?;
    let defaults = if arguments.len() > 2 { Some(Values::at(call, arguments, 2)?) } else { None };
    each_array(call, arguments, |row, elements, builder| {
        let Some(left) = counts.get(row).map(|count| count.saturating_mul(sign)) else { return false };
        let default = defaults.as_ref().map_or_else(|| DynamicRef::NULL.bytes().to_vec(), |d| d.bytes(row));
        let default = DynamicRef::new(&default);
        let moved = (0..elements.len() as i64).map(|position| {
            let from = usize::try_from(position.saturating_add(left)).ok();
            from.and_then(|from| elements.get(from).copied()).unwrap_or(default)
        });
        put_array(builder, moved);
        true
    })
}

pub fn shift_left(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    shift(call, arguments, 1)
}

pub fn shift_right(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    shift(call, arguments, -1)
}

/// The order of kinds within a sorted array, which is the same both ways (reference: `array_sort_asc`).
fn sort_rank(value: DynamicRef<'_>) -> u8 {
    match value.kind() {
        DynamicKind::Long
        | DynamicKind::Real
        | DynamicKind::Decimal
        | DynamicKind::DateTime
        | DynamicKind::TimeSpan => 0,
        DynamicKind::String => 1,
        DynamicKind::Guid => 2,
        DynamicKind::Bool | DynamicKind::Array | DynamicKind::Object | DynamicKind::Null => 3,
    }
}

/// Where the elements go: positions in sorted order, stable.
fn sorted_positions(elements: &[DynamicRef<'_>], descending: bool, nulls_last: bool) -> Vec<usize> {
    let mut order: Vec<usize> = (0..elements.len()).collect();
    order.sort_by(|left, right| {
        let (left, right) = (elements[*left], elements[*right]);
        match (left.is_null(), right.is_null()) {
            (true, true) => return Ordering::Equal,
            (true, false) => return if nulls_last { Ordering::Greater } else { Ordering::Less },
            (false, true) => return if nulls_last { Ordering::Less } else { Ordering::Greater },
            (false, false) => {}
        }
        sort_rank(left).cmp(&sort_rank(right)).then_with(|| match sort_rank(left) {
            3 => Ordering::Equal,
            _ if descending => compare(right, left),
            _ => compare(left, right),
        })
    });
    order
}

/// One array: sorted. Several: an array of them, all in the order of the first; those of another length are
/// null.
fn sort(call: &KernelCall<'_>, arguments: &[Datum], descending: bool) -> Result<ArrayRef> {
    let has_flag = call.argument_types.last() == Some(&Type::Bool) && arguments.len() > 1;
    let (arrays, flag) = arguments.split_at(arguments.len() - usize::from(has_flag));
    let nulls_last = flag.first().map(Bools::new).transpose()?;
    let arrays = arrays.iter().map(Dynamics::new).collect::<Result<Vec<_>>>()?;
    let Some((first, others)) = arrays.split_first() else {
        return Err(EngineError::Internal(String::from("a sort without an array")));
    };
    Ok(dynamics(call.rows, |row, builder| {
        let Some(keys) = elements(first.get(row)) else { return false };
        let nulls_last = nulls_last.as_ref().and_then(|flag| flag.get(row)).unwrap_or(true);
        let order = sorted_positions(&keys, descending, nulls_last);
        if others.is_empty() {
            put_array(builder, order.iter().map(|position| keys[*position]));
            return true;
        }
        builder.begin_array();
        put_array(builder, order.iter().map(|position| keys[*position]));
        for other in others {
            match elements(other.get(row)) {
                Some(values) if values.len() == keys.len() => {
                    put_array(builder, order.iter().map(|position| values[*position]));
                }
                _ => builder.null(),
            }
        }
        builder.end_array();
        true
    }))
}

pub fn sort_ascending(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    sort(call, arguments, false)
}

pub fn sort_descending(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    sort(call, arguments, true)
}

/// Conditions are truth values or numbers; others give null, as does an array that is too short.
pub fn iff(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let (when_true, when_false) = (Values::at(call, arguments, 1)?, Values::at(call, arguments, 2)?);
    each_array(call, arguments, |row, conditions, builder| {
        let (when_true, when_false) = (when_true.bytes(row), when_false.bytes(row));
        let choices = [DynamicRef::new(&when_false), DynamicRef::new(&when_true)];
        let chosen = conditions.iter().enumerate().map(|(position, condition)| {
            let truth = condition.as_bool().or_else(|| condition.as_number().map(|number| number != 0.0));
            let Some(truth) = truth else { return DynamicRef::NULL };
            let choice = choices[usize::from(truth)];
            match choice.kind() {
                DynamicKind::Array => choice.at(position as i64).unwrap_or(DynamicRef::NULL),
                _ => choice,
            }
        });
        put_array(builder, chosen);
        true
    })
}

pub fn pack(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Values::all(call, arguments, 0)?;
    Ok(dynamics(call.rows, |row, builder| {
        builder.begin_array();
        for value in &values {
            value.put(row, builder);
        }
        builder.end_array();
        true
    }))
}

pub fn repeat(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Values::at(call, arguments, 0)?;
    let counts = Longs::new(argument(arguments, 1)?)?;
    Ok(dynamics(call.rows, |row, builder| {
        let Some(count) = counts.get(row).filter(|count| *count >= 0) else { return false };
        builder.begin_array();
        for _ in 0..count.min(MAX_ELEMENTS) {
            values.put(row, builder);
        }
        builder.end_array();
        true
    }))
}

/// How many values there are from start to stop by step; `None` for a step that leads nowhere.
fn range_count(start: f64, stop: f64, step: f64) -> Option<i64> {
    if step == 0.0 || step.is_nan() || start.is_nan() || stop.is_nan() {
        return None;
    }
    let steps = ((stop - start) / step + 1e-9).floor();
    Some(if steps < 0.0 { 0 } else { (steps as i64).saturating_add(1).min(MAX_ELEMENTS) })
}

pub fn range(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let ty = call.argument_types.first().copied().unwrap_or(Type::Long);
    if ty == Type::Real {
        let starts = Reals::new(argument(arguments, 0)?)?;
        let stops = Reals::new(argument(arguments, 1)?)?;
        let steps = Reals::new(argument(arguments, 2)?)?;
        return Ok(dynamics(call.rows, |row, builder| {
            let (Some(start), Some(stop), Some(step)) = (starts.get(row), stops.get(row), steps.get(row))
            else {
                return false;
            };
            let Some(count) = range_count(start, stop, step) else { return false };
            builder.begin_array();
            for position in 0..count {
                builder.real(start + position as f64 * step);
            }
            builder.end_array();
            true
        }));
    }
    let starts = Longs::new(argument(arguments, 0)?)?;
    let stops = Longs::new(argument(arguments, 1)?)?;
    let steps = Longs::new(argument(arguments, 2)?)?;
    Ok(dynamics(call.rows, |row, builder| {
        let (Some(start), Some(stop), Some(step)) = (starts.get(row), stops.get(row), steps.get(row)) else {
            return false;
        };
        if step == 0 {
            return false;
        }
        builder.begin_array();
        let (mut value, mut count) = (start, 0);
        while count < MAX_ELEMENTS && if step > 0 { value <= stop } else { value >= stop } {
            match ty {
                Type::DateTime => builder.datetime(value),
                Type::TimeSpan => builder.timespan(value),
                _ => builder.long(value),
            }
            count += 1;
            match value.checked_add(step) {
                Some(next) => value = next,
                None => break,
            }
        }
        builder.end_array();
        true
    }))
}

/// As long as the longest array; what is missing is null.
pub fn zip(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let arrays = arguments.iter().map(Dynamics::new).collect::<Result<Vec<_>>>()?;
    Ok(dynamics(call.rows, |row, builder| {
        let columns: Option<Vec<_>> = arrays.iter().map(|array| elements(array.get(row))).collect();
        let Some(columns) = columns else { return false };
        let longest = columns.iter().map(Vec::len).max().unwrap_or(0);
        builder.begin_array();
        for position in 0..longest {
            let column = |column: &Vec<_>| column.get(position).copied().unwrap_or(DynamicRef::NULL);
            put_array(builder, columns.iter().map(column));
        }
        builder.end_array();
        true
    }))
}
