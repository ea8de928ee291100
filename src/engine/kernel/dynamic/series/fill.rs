//! Filling what is missing in a series. Missing is null, or the value given as the placeholder.

use arrow_array::ArrayRef;
use conshelf_storage::DynamicRef;
use conshelf_storage::dynamic::equal;

use super::super::array::{elements, put_array};
use super::super::value::Values;
use super::Number;
use crate::engine::error::Result;
use crate::engine::kernel::access::{Bools, Dynamics, argument, dynamics};
use crate::engine::kernel::{Datum, KernelCall};

/// The elements of the series of each row, with the placeholder argument at a position.
fn each(
    call: &KernelCall<'_>,
    arguments: &[Datum],
    placeholder: usize,
    mut f: impl FnMut(
        usize,
        Vec<DynamicRef<'_>>,
        &dyn Fn(DynamicRef<'_>) -> bool,
        &mut conshelf_storage::DynamicBuilder,
    ),
) -> Result<ArrayRef> {
    let series = Dynamics::new(argument(arguments, 0)?)?;
    let placeholders =
        if arguments.len() > placeholder { Some(Values::at(call, arguments, placeholder)?) } else { None };
    Ok(dynamics(call.rows, |row, builder| {
        let Some(elements) = elements(series.get(row)) else { return false };
        let missing = placeholders.as_ref().map(|values| values.bytes(row));
        let is_missing = |element: DynamicRef<'_>| match &missing {
            Some(bytes) => equal(element, DynamicRef::new(bytes)),
            None => element.is_null(),
        };
        f(row, elements, &is_missing, builder);
        true
    }))
}

pub fn constant(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let constants = if arguments.len() > 1 { Some(Values::at(call, arguments, 1)?) } else { None };
    each(call, arguments, 2, |row, elements, is_missing, builder| {
        builder.begin_array();
        for element in elements {
            match (is_missing(element), &constants) {
                (false, _) => builder.value(element),
                (true, Some(constants)) => constants.put(row, builder),
                (true, None) => builder.long(0),
            }
        }
        builder.end_array();
    })
}

fn carry(call: &KernelCall<'_>, arguments: &[Datum], backward: bool) -> Result<ArrayRef> {
    each(call, arguments, 1, |_, mut elements, is_missing, builder| {
        if backward {
            elements.reverse();
        }
        let mut last = None;
        for element in &mut elements {
            if is_missing(*element) {
                *element = last.unwrap_or(*element);
            } else {
                last = Some(*element);
            }
        }
        if backward {
            elements.reverse();
        }
        put_array(builder, elements);
    })
}

pub fn forward(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    carry(call, arguments, false)
}

pub fn backward(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    carry(call, arguments, true)
}

/// Between two known numbers on the line between them, rounded down if all are longs; at the edges the
/// nearest known number; if none is known, the constant.
pub fn linear(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let edges = arguments.get(2).map(Bools::new).transpose()?;
    let constants = if arguments.len() > 3 { Some(Values::at(call, arguments, 3)?) } else { None };
    each(call, arguments, 1, |row, elements, is_missing, builder| {
        let fill_edges = edges.as_ref().and_then(|edges| edges.get(row)).unwrap_or(true);
        let known: Vec<(usize, Number)> = elements
            .iter()
            .enumerate()
            .filter(|(_, element)| !is_missing(**element))
            .filter_map(|(position, element)| Some((position, Number::of(*element)?)))
            .collect();
        let all_long = known.iter().all(|(_, number)| matches!(number, Number::Long(_)));
        builder.begin_array();
        let mut next = 0;
        for (position, element) in elements.iter().enumerate() {
            while next < known.len() && known[next].0 < position {
                next += 1;
            }
            if !is_missing(*element) {
                builder.value(*element);
                continue;
            }
            let (before, after) = (next.checked_sub(1).map(|index| known[index]), known.get(next).copied());
            match (before, after) {
                (Some((left, from)), Some((right, to))) => {
                    let part = (position - left) as f64 / (right - left) as f64;
                    let value = from.real() + (to.real() - from.real()) * part;
                    if all_long { builder.long(value.floor() as i64) } else { builder.real(value) }
                }
                (Some((_, edge)), None) | (None, Some((_, edge))) if fill_edges => edge.put(builder),
                (None, None) => match &constants {
                    Some(constants) => constants.put(row, builder),
                    None => builder.real(0.0),
                },
                _ => builder.value(*element),
            }
        }
        builder.end_array();
    })
}
