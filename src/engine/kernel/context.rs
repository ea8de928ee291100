//! Kernels of functions of the query's surroundings. What the binder puts in place has none.

use std::sync::Arc;

use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, StringViewArray};
use conshelf_kql::Type;
use conshelf_kql::function::ContextFunction;
use conshelf_kql::time::parse_datetime;
use conshelf_storage::DynamicKind;

use crate::engine::error::{EngineError, Result};
use crate::engine::kernel::access::{Dynamics, Numbers, Texts, argument, bools, dynamics, numbers};
use crate::engine::kernel::{Datum, Kernel, KernelCall};
use crate::engine::literal::null_column;

/// The kernel of a function of the family.
pub fn kernel(function: ContextFunction) -> Kernel {
    use ContextFunction::*;
    match function {
        CursorAfter => |call, arguments| cursor(call, arguments, true),
        CursorBeforeOrAt => |call, arguments| cursor(call, arguments, false),
        CurrentClusterEndpoint => |call, _| Ok(text(call, &call.query.settings.endpoint)),
        CurrentNodeId => |call, _| Ok(text(call, &call.query.settings.endpoint)),
        CurrentPrincipal => |call, _| Ok(text(call, &call.query.settings.principal)),
        CurrentPrincipalDetails => principal_details,
        CurrentPrincipalIsMemberOf => is_member,
        RowId => |call, _| Ok(text(call, "")),
        RowstoreOrdinalRange => |call, _| Ok(null_column(Type::Bool, call.rows)),
        EstimateDataSize => data_size,
        IngestionTime | ExtentId | ExtentTags | CursorCurrent | CurrentDatabase | ColumnIfExists
        | IsColumnExists | PackAll | BagPackColumns | ColumnNamesOf | BinAuto => |_, _| {
            Err(EngineError::Internal(String::from(
                "a function that the binder puts in place was left in the plan",
            )))
        },
    }
}

fn text(call: &KernelCall<'_>, value: &str) -> ArrayRef {
    Arc::new(StringViewArray::from_iter_values(std::iter::repeat_n(value, call.rows)))
}

/// The ticks of a database cursor: a number of ticks, or a time.
fn cursor_ticks(text: &str) -> Result<i64> {
    let text = text.trim();
    text.parse().ok().or_else(|| parse_datetime(text)).ok_or_else(|| {
        EngineError::Evaluation(format!("'{text}' is not a database cursor: take it from cursor_current()"))
    })
}

/// The cursor and the time of ingestion; a row without one is on neither side.
fn cursor(call: &KernelCall<'_>, arguments: &[Datum], after: bool) -> Result<ArrayRef> {
    let cursors = Texts::new(argument(arguments, 0)?)?;
    let times = Numbers::<Int64Type>::new(argument(arguments, 1)?)?;
    let mut ticks: Option<(String, i64)> = None;
    let mut answers = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        let cursor = cursors.get(row);
        if cursor.is_empty() {
            answers.push(after);
            continue;
        }
        let bound = match &ticks {
            Some((known, bound)) if known == cursor => *bound,
            _ => {
                let bound = cursor_ticks(cursor)?;
                ticks = Some((cursor.to_owned(), bound));
                bound
            }
        };
        answers.push(times.get(row).is_some_and(|time| (time > bound) == after));
    }
    Ok(bools(call.rows, |row| answers[row]))
}

fn principal_details(call: &KernelCall<'_>, _arguments: &[Datum]) -> Result<ArrayRef> {
    let principal = &call.query.settings.principal;
    let (kind, name) = principal.split_once('=').unwrap_or(("", principal));
    Ok(dynamics(call.rows, |_, builder| {
        builder.begin_object();
        for (key, value) in [
            ("UserPrincipalName", name),
            ("IdentityProvider", ""),
            ("Authority", ""),
            ("Mfa", "False"),
            ("Type", kind),
            ("DisplayName", name),
            ("ObjectId", ""),
            ("FQN", principal.as_str()),
        ] {
            builder.key(key);
            builder.string(value);
        }
        builder.key("Notes");
        builder.null();
        builder.end_object();
        true
    }))
}

fn is_member(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let principal = &call.query.settings.principal;
    let is_principal = |text: &str| text.eq_ignore_ascii_case(principal);
    let mut found = vec![false; call.rows];
    for (datum, ty) in arguments.iter().zip(call.argument_types) {
        if *ty == Type::String {
            let names = Texts::new(datum)?;
            found.iter_mut().enumerate().for_each(|(row, found)| *found |= is_principal(names.get(row)));
            continue;
        }
        let lists = Dynamics::new(datum)?;
        for (row, found) in found.iter_mut().enumerate() {
            let value = lists.get(row);
            *found |= match value.kind() {
                DynamicKind::Array => value.iter_array().any(|item| item.as_str().is_some_and(is_principal)),
                _ => value.as_str().is_some_and(is_principal),
            };
        }
    }
    Ok(bools(call.rows, |row| found[row]))
}

fn data_size(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let mut sizes = vec![0i64; call.rows];
    for (datum, ty) in arguments.iter().zip(call.argument_types) {
        match ty {
            Type::String => {
                let values = Texts::new(datum)?;
                sizes.iter_mut().enumerate().for_each(|(row, size)| *size += values.get(row).len() as i64);
            }
            Type::Dynamic => {
                let values = Dynamics::new(datum)?;
                sizes
                    .iter_mut()
                    .enumerate()
                    .for_each(|(row, size)| *size += values.get(row).bytes().len() as i64);
            }
            ty => {
                let width = match ty {
                    Type::Bool => 1,
                    Type::Int => 4,
                    Type::Guid | Type::Decimal => 16,
                    _ => 8,
                };
                sizes.iter_mut().for_each(|size| *size += width);
            }
        }
    }
    Ok(numbers::<Int64Type>(call.rows, |row| sizes.get(row).copied()))
}
