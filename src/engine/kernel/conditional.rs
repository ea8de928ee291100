//! Kernels of choices between values, and of questions about what a value is.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type, UInt32Type};
use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, DictionaryArray, PrimitiveArray, StringViewArray, UInt32Array,
};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_schema::DataType;
use conshelf_kql::Type;
use conshelf_kql::function::ConditionalFunction;
use conshelf_storage::DynamicKind;

use crate::engine::error::{EngineError, Result};
use crate::engine::kernel::access::{Bools, Dynamics, Numbers, Texts, argument, bools, borrowed_texts};
use crate::engine::kernel::operator::{Relation, compare};
use crate::engine::kernel::{Datum, Kernel, KernelCall, conversion};

/// The kernel of a function of the family.
pub fn kernel(function: ConditionalFunction) -> Kernel {
    match function {
        ConditionalFunction::Iff | ConditionalFunction::Case => case,
        ConditionalFunction::Coalesce => coalesce,
        ConditionalFunction::MaxOf => |call, arguments| extreme(call, arguments, Relation::Greater),
        ConditionalFunction::MinOf => |call, arguments| extreme(call, arguments, Relation::Less),
        ConditionalFunction::IsNull => |call, arguments| absent(call, arguments, false, true),
        ConditionalFunction::IsNotNull => |call, arguments| absent(call, arguments, false, false),
        ConditionalFunction::IsEmpty => |call, arguments| absent(call, arguments, true, true),
        ConditionalFunction::IsNotEmpty => |call, arguments| absent(call, arguments, true, false),
        ConditionalFunction::GetType => type_name,
        ConditionalFunction::Assert => assertion,
    }
}

/// One value per row, taken from several columns: `choice` names the column, by position in `values`.
fn interleave(values: &[Datum], choice: &[u32], rows: usize) -> Result<ArrayRef> {
    let failed = |error: arrow_schema::ArrowError| EngineError::Internal(error.to_string());
    let arrays: Vec<&dyn Array> = values.iter().map(|value| value.parts().0.as_ref()).collect();
    if let Some(only) = choice.first()
        && choice.iter().all(|column| column == only)
        && let Some(value) = values.get(*only as usize)
    {
        return match value {
            Datum::Array(array) => Ok(array.clone()),
            Datum::Constant(array) => crate::engine::literal::repeat(array, rows),
        };
    }
    match arrays.first().map(|array| array.data_type()) {
        Some(DataType::Int64) => return interleave_numbers::<Int64Type>(values, choice),
        Some(DataType::Float64) => return interleave_numbers::<Float64Type>(values, choice),
        Some(DataType::Int32) => return interleave_numbers::<Int32Type>(values, choice),
        _ => {}
    }
    let places: Vec<(usize, usize)> = choice
        .iter()
        .enumerate()
        .map(|(row, column)| {
            let column = *column as usize;
            let constant = values.get(column).is_some_and(|value| matches!(value, Datum::Constant(_)));
            (column, if constant { 0 } else { row })
        })
        .collect();
    if places.is_empty() {
        return match arrays.first() {
            Some(array) => Ok(array.slice(0, 0)),
            None => Err(EngineError::Internal(String::from("a choice between no values"))),
        };
    }
    arrow_select::interleave::interleave(&arrays, &places).map_err(failed)
}

/// The same for numbers: no table of places, nulls only where there are any.
fn interleave_numbers<T: ArrowPrimitiveType>(values: &[Datum], choice: &[u32]) -> Result<ArrayRef> {
    let columns = values.iter().map(Numbers::<T>::new).collect::<Result<Vec<_>>>()?;
    let numbers: Vec<T::Native> =
        choice.iter().enumerate().map(|(row, column)| columns[*column as usize].raw(row)).collect();
    let nulls = values.iter().any(|value| value.parts().0.null_count() > 0).then(|| {
        NullBuffer::new(BooleanBuffer::collect_bool(choice.len(), |row| {
            columns[choice[row] as usize].get(row).is_some()
        }))
    });
    Ok(Arc::new(PrimitiveArray::<T>::new(numbers.into(), nulls)))
}

/// Brings a value to the type of the result, should the binder have left it at another.
fn as_type(value: &Datum, from: Type, to: Type) -> Result<Datum> {
    if from == to {
        return Ok(value.clone());
    }
    let (array, constant) = value.parts();
    let converted = conversion::convert(value, from, to, array.len())?;
    Ok(if constant { Datum::Constant(converted) } else { Datum::Array(converted) })
}

/// `case(condition, value, condition, value, …, otherwise)`; `iff` is the shortest of them.
fn case(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    if arguments.len().is_multiple_of(2) {
        return Err(EngineError::Evaluation(String::from(
            "case(): expects pairs of a condition and a value, then one last value",
        )));
    }
    let branches = arguments.len() / 2;
    let otherwise = u32::try_from(branches).unwrap_or(u32::MAX);
    let mut choice = vec![otherwise; call.rows];
    let mut values = Vec::with_capacity(branches + 1);
    for (position, (argument, ty)) in arguments.iter().zip(call.argument_types).enumerate() {
        if position % 2 == 1 || position + 1 == arguments.len() {
            values.push(as_type(argument, *ty, call.return_type)?);
        }
    }
    // From the last branch to the first, so that the first whose condition holds wins.
    for branch in (0..branches).rev() {
        let number = u32::try_from(branch).unwrap_or(u32::MAX);
        let condition = argument(arguments, branch * 2)?;
        let conditions = Bools::new(condition)?;
        if let Some(constant) = conditions.constant() {
            if constant == Some(true) {
                choice.fill(number);
            }
            continue;
        }
        let truths = condition.parts().0.as_boolean();
        let holds = match truths.nulls() {
            Some(nulls) => truths.values() & nulls.inner(),
            None => truths.values().clone(),
        };
        for row in holds.set_indices() {
            choice[row] = number;
        }
    }
    match coded(&values, &choice)? {
        Some(coded) => Ok(coded),
        None => interleave(&values, &choice, call.rows),
    }
}

/// Constant texts as a dictionary; `None`: not all values are constant texts, or there are few rows.
fn coded(values: &[Datum], choice: &[u32]) -> Result<Option<ArrayRef>> {
    if choice.len() <= values.len() {
        return Ok(None);
    }
    let mut distinct: Vec<&str> = Vec::with_capacity(values.len());
    let mut codes: Vec<u32> = Vec::with_capacity(values.len());
    for value in values {
        let Datum::Constant(array) = value else { return Ok(None) };
        let Some(texts) = array.as_string_view_opt() else { return Ok(None) };
        let text = texts.iter().next().flatten().unwrap_or_default();
        let code = distinct.iter().position(|known| *known == text).unwrap_or_else(|| {
            distinct.push(text);
            distinct.len() - 1
        });
        codes.push(code as u32);
    }
    let keys = UInt32Array::from_iter_values(choice.iter().map(|column| codes[*column as usize]));
    let texts = StringViewArray::from_iter_values(distinct);
    let array = DictionaryArray::<UInt32Type>::try_new(keys, Arc::new(texts))
        .map_err(|error| EngineError::Internal(error.to_string()))?;
    Ok(Some(Arc::new(array)))
}

/// Rows where there is a value: not null, and for texts not empty.
fn present(value: &Datum, ty: Type, rows: usize) -> Result<BooleanBuffer> {
    let (array, constant) = value.parts();
    if ty == Type::String {
        let texts = Texts::new(value)?;
        return Ok(BooleanBuffer::collect_bool(rows, |row| !texts.get(row).is_empty()));
    }
    Ok(match array.nulls() {
        _ if constant && array.is_null(0) => BooleanBuffer::new_unset(rows),
        Some(nulls) if !constant => nulls.inner().clone(),
        _ => BooleanBuffer::new_set(rows),
    })
}

fn coalesce(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let last = u32::try_from(arguments.len().saturating_sub(1)).unwrap_or(u32::MAX);
    let mut choice = vec![last; call.rows];
    for (number, argument) in (0..last).zip(arguments).rev() {
        for row in present(argument, call.return_type, call.rows)?.set_indices() {
            choice[row] = number;
        }
    }
    interleave(arguments, &choice, call.rows)
}

/// The largest or smallest argument; NaN beats every number, a null is beaten by everything.
fn extreme(call: &KernelCall<'_>, arguments: &[Datum], better: Relation) -> Result<ArrayRef> {
    let ty = call.return_type;
    let mut best = match argument(arguments, 0)? {
        Datum::Array(array) => array.clone(),
        Datum::Constant(array) => crate::engine::literal::repeat(array, call.rows)?,
    };
    for candidate in &arguments[1..] {
        let best_datum = Datum::Array(best.clone());
        let wins = compare(better, ty, candidate, &best_datum, call.rows)?;
        let mut wins = wins.values().clone();
        if ty == Type::Real {
            let reals = crate::engine::kernel::access::Reals::new(candidate)?;
            let not_a_number =
                BooleanBuffer::collect_bool(call.rows, |row| reals.get(row).is_some_and(f64::is_nan));
            wins = &wins | &not_a_number;
        }
        if ty != Type::String {
            let candidate_present = present(candidate, ty, call.rows)?;
            let best_present = present(&best_datum, ty, call.rows)?;
            wins = &(&wins & &candidate_present) | &(&candidate_present & &!&best_present);
        }
        let choice: Vec<u32> = wins.iter().map(u32::from).collect();
        best = interleave(&[best_datum, candidate.clone()], &choice, call.rows)?;
    }
    Ok(best)
}

/// Whether a value is absent: null, or with `empty` also the empty text.
fn absent(call: &KernelCall<'_>, arguments: &[Datum], empty: bool, wanted: bool) -> Result<ArrayRef> {
    let value = argument(arguments, 0)?;
    let ty = call.argument_types.first().copied().unwrap_or(Type::Dynamic);
    let absent: Box<dyn Fn(usize) -> bool + '_> = match ty {
        Type::String if empty => {
            let texts = Texts::new(value)?;
            Box::new(move |row| texts.get(row).is_empty())
        }
        Type::String => Box::new(|_| false),
        Type::Dynamic => {
            let values = Dynamics::new(value)?;
            Box::new(move |row| {
                let value = values.get(row);
                value.is_null() || (empty && value.as_str() == Some(""))
            })
        }
        _ => {
            let (array, constant) = value.parts();
            Box::new(move |row| array.is_null(if constant { 0 } else { row }))
        }
    };
    Ok(bools(call.rows, |row| absent(row) == wanted))
}

fn assertion(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let conditions = Bools::new(argument(arguments, 0)?)?;
    let messages = Texts::new(argument(arguments, 1)?)?;
    match (0..call.rows).find(|row| conditions.get(*row) != Some(true)) {
        Some(row) => {
            Err(EngineError::Evaluation(format!("assert() has failed with message: '{}'", messages.get(row))))
        }
        None => Ok(bools(call.rows, |_| true)),
    }
}

fn type_name(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let ty = call.argument_types.first().copied().unwrap_or(Type::Dynamic);
    if ty != Type::Dynamic {
        return Ok(borrowed_texts(call.rows, |_| ty.name()));
    }
    let values = Dynamics::new(argument(arguments, 0)?)?;
    Ok(borrowed_texts(call.rows, |row| match values.get(row).kind() {
        DynamicKind::Null => "null",
        DynamicKind::Bool => "bool",
        DynamicKind::Long => "long",
        DynamicKind::Real => "real",
        DynamicKind::Decimal => "decimal",
        DynamicKind::DateTime => "datetime",
        DynamicKind::TimeSpan => "timespan",
        DynamicKind::String => "string",
        DynamicKind::Guid => "guid",
        DynamicKind::Array => "array",
        DynamicKind::Object => "dictionary",
    }))
}
