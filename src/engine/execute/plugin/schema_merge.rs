//! `schema_merge`: one schema of several. Columns that cannot be brought together are marked instead of failing.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Int64Array, StringViewArray};
use conshelf_kql::{Type, Value};

use crate::engine::batch::Batch;
use crate::engine::error::Result;
use crate::engine::execute::columns;

use super::PluginCall;

struct Merged {
    name: String,
    /// Where the first schema with the column has it, and the largest place of all.
    first_ordinal: i64,
    last_ordinal: i64,
    /// The type, or why there is none.
    ty: std::result::Result<Type, String>,
    out_of_order: bool,
}

/// The type that holds the values of both.
fn common(left: Type, right: Type) -> Option<Type> {
    use Type::*;
    match (left, right) {
        _ if left == right => Some(left),
        (Int, Long) | (Long, Int) => Some(Long),
        (Int | Long, Real) | (Real, Int | Long) => Some(Real),
        (Int | Long | Real, Decimal) | (Decimal, Int | Long | Real) => Some(Decimal),
        _ => None,
    }
}

pub fn rows(call: &PluginCall<'_>) -> Result<Vec<Batch>> {
    let Some(input) = call.inputs.first() else { return Ok(Vec::new()) };
    let preserve = call.options.first() != Some(&Value::Bool(false));
    let names = columns::flatten(&input.columns[0])?;
    let types = columns::flatten(&input.columns[2])?;
    let (names, types) = (columns::texts(&names)?, columns::texts(&types)?);
    let ordinals = columns::longs(&input.columns[1])?;
    let mut merged: Vec<Merged> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for row in 0..input.rows {
        let text =
            |texts: &StringViewArray| if texts.is_null(row) { "" } else { texts.value(row) }.to_owned();
        let (name, ty) = (text(names), text(types));
        let ordinal = if ordinals.is_null(row) { 0 } else { ordinals.value(row) };
        let ty = Type::from_name(&ty).ok_or_else(|| format!("unknown type {ty}"));
        match places.get(&name) {
            None => {
                places.insert(name.clone(), merged.len());
                merged.push(Merged {
                    name,
                    first_ordinal: ordinal,
                    last_ordinal: ordinal,
                    ty,
                    out_of_order: false,
                });
            }
            Some(place) => {
                let column = &mut merged[*place];
                column.out_of_order |= preserve && ordinal != column.first_ordinal;
                column.last_ordinal = column.last_ordinal.max(ordinal);
                column.ty = match (&column.ty, ty) {
                    (Ok(ours), Ok(theirs)) => common(*ours, theirs).ok_or_else(|| {
                        format!("types {} and {} cannot be merged", ours.name(), theirs.name())
                    }),
                    (Err(reason), _) => Err(reason.clone()),
                    (_, Err(reason)) => Err(reason),
                };
            }
        }
    }
    for column in &mut merged {
        if column.out_of_order {
            column.ty = Err(String::from("columns are out of order"));
        }
    }
    // Stable: columns of one place keep the order in which they were first met.
    merged.sort_by_key(|column| (column.ty.is_err(), column.last_ordinal));
    let mut next = 0;
    let mut numbers = Vec::with_capacity(merged.len());
    let (mut system_types, mut column_types) = (Vec::new(), Vec::new());
    for column in &merged {
        match &column.ty {
            Ok(ty) => {
                numbers.push(next);
                next += 1;
                system_types.push(ty.system_name().to_owned());
                column_types.push(ty.name().to_owned());
            }
            Err(reason) => {
                numbers.push(-1);
                system_types.push(format!("ERROR(unknown CSL type:ERROR({reason}))"));
                column_types.push(format!("ERROR({reason})"));
            }
        }
    }
    let names = merged.iter().map(|column| column.name.as_str());
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringViewArray::from_iter_values(names)),
        Arc::new(Int64Array::from(numbers)),
        Arc::new(StringViewArray::from_iter_values(system_types)),
        Arc::new(StringViewArray::from_iter_values(column_types)),
    ];
    Ok(vec![Batch::new(columns, merged.len())])
}
