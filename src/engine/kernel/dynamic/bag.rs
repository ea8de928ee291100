//! Functions of property bags. What is not a property bag gives null where nothing else is said.

use arrow_array::ArrayRef;
use conshelf_storage::{DynamicBuilder, DynamicKind, DynamicRef};
use hashbrown::HashSet;

use super::array::elements;
use super::path;
use super::value::Values;
use crate::engine::error::{EngineError, Result};
use crate::engine::kernel::access::{Dynamics, Texts, argument, dynamics, nullable_bools};
use crate::engine::kernel::{Datum, KernelCall};

fn is_bag(value: DynamicRef<'_>) -> bool {
    value.kind() == DynamicKind::Object
}

pub fn keys(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let bags = Dynamics::new(argument(arguments, 0)?)?;
    Ok(dynamics(call.rows, |row, builder| {
        let bag = bags.get(row);
        if !is_bag(bag) {
            return false;
        }
        builder.begin_array();
        for (key, _) in bag.iter_object() {
            builder.string(key);
        }
        builder.end_array();
        true
    }))
}

pub fn has_key(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let bags = Dynamics::new(argument(arguments, 0)?)?;
    let names = Texts::new(argument(arguments, 1)?)?;
    let constant = names.constant().map(path::keys);
    Ok(nullable_bools(call.rows, |row| {
        let bag = bags.get(row);
        if !is_bag(bag) {
            return None;
        }
        let found = |keys: &[String]| keys.iter().try_fold(bag, |value, key| value.get(key)).is_some();
        Some(match &constant {
            Some(keys) => found(keys),
            None => found(&path::keys(names.get(row))),
        })
    }))
}

pub fn merge(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let bags = arguments.iter().map(Dynamics::new).collect::<Result<Vec<_>>>()?;
    Ok(dynamics(call.rows, |row, builder| {
        let mut seen: HashSet<&str> = HashSet::new();
        let mut any = false;
        builder.begin_object();
        for bag in bags.iter().map(|bags| bags.get(row)).filter(|bag| is_bag(*bag)) {
            any = true;
            for (key, value) in bag.iter_object() {
                if seen.insert(key) {
                    builder.key(key);
                    builder.value(value);
                }
            }
        }
        builder.end_object();
        any
    }))
}

/// Copies a bag without the properties at some paths.
fn put_without(bag: DynamicRef<'_>, removed: &[&[String]], builder: &mut DynamicBuilder) {
    builder.begin_object();
    for (key, value) in bag.iter_object() {
        if removed.iter().any(|path| matches!(path, [only] if only == key)) {
            continue;
        }
        builder.key(key);
        let deeper: Vec<&[String]> = removed
            .iter()
            .filter_map(|path| path.split_first().filter(|(first, _)| *first == key).map(|(_, rest)| rest))
            .collect();
        if !deeper.is_empty() && is_bag(value) {
            put_without(value, &deeper, builder);
        } else {
            builder.value(value);
        }
    }
    builder.end_object();
}

pub fn remove_keys(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let bags = Dynamics::new(argument(arguments, 0)?)?;
    let lists = Dynamics::new(argument(arguments, 1)?)?;
    Ok(dynamics(call.rows, |row, builder| {
        let bag = bags.get(row);
        if !is_bag(bag) {
            return false;
        }
        let removed: Vec<Vec<String>> =
            lists.get(row).iter_array().filter_map(|key| key.as_str().map(path::keys)).collect();
        let removed: Vec<&[String]> = removed.iter().map(Vec::as_slice).collect();
        put_without(bag, &removed, builder);
        true
    }))
}

pub fn remove_nulls(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let bags = Dynamics::new(argument(arguments, 0)?)?;
    Ok(dynamics(call.rows, |row, builder| {
        let bag = bags.get(row);
        if !is_bag(bag) {
            return false;
        }
        builder.begin_object();
        for (key, value) in bag.iter_object() {
            if !value.is_null() && value.as_str() != Some("") {
                builder.key(key);
                builder.value(value);
            }
        }
        builder.end_object();
        true
    }))
}

/// Copies a bag with the property at a path set; what is missing on the way is created.
fn put_with(
    bag: Option<DynamicRef<'_>>,
    keys: &[String],
    value: DynamicRef<'_>,
    builder: &mut DynamicBuilder,
) {
    let Some((first, rest)) = keys.split_first() else { return builder.value(value) };
    let mut found = false;
    builder.begin_object();
    for (key, old) in bag.iter().flat_map(|bag| bag.iter_object()) {
        builder.key(key);
        if key == first {
            found = true;
            put_with(Some(old), rest, value, builder);
        } else {
            builder.value(old);
        }
    }
    if !found {
        builder.key(first);
        put_with(None, rest, value, builder);
    }
    builder.end_object();
}

pub fn set_key(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let bags = Dynamics::new(argument(arguments, 0)?)?;
    let names = Texts::new(argument(arguments, 1)?)?;
    let values = Values::at(call, arguments, 2)?;
    Ok(dynamics(call.rows, |row, builder| {
        let bag = bags.get(row);
        if !is_bag(bag) {
            return false;
        }
        let value = values.bytes(row);
        put_with(Some(bag), &path::keys(names.get(row)), DynamicRef::new(&value), builder);
        true
    }))
}

/// Keys that are not texts are left out; missing values are null.
pub fn zip(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let keys = Dynamics::new(argument(arguments, 0)?)?;
    let values = Dynamics::new(argument(arguments, 1)?)?;
    Ok(dynamics(call.rows, |row, builder| {
        let Some(keys) = elements(keys.get(row)) else { return false };
        let values = elements(values.get(row)).unwrap_or_default();
        builder.begin_object();
        for (position, key) in keys.iter().enumerate() {
            if let Some(key) = key.as_str() {
                builder.key(key);
                builder.value(values.get(position).copied().unwrap_or(DynamicRef::NULL));
            }
        }
        builder.end_object();
        true
    }))
}

pub fn pack(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    if arguments.len() % 2 == 1 {
        return Err(EngineError::Evaluation(String::from(
            "bag_pack(): keys and values must come in pairs, but the number of arguments is odd",
        )));
    }
    let parts = Values::all(call, arguments, 0)?;
    Ok(dynamics(call.rows, |row, builder| {
        builder.begin_object();
        for pair in parts.chunks_exact(2) {
            if let Some(key) = pair[0].key(row) {
                builder.key(&key);
                pair[1].put(row, builder);
            }
        }
        builder.end_object();
        true
    }))
}

/// The paths of a value: of every property, and of the elements of an array as of its first.
fn put_paths(value: DynamicRef<'_>, prefix: &str, found: &mut Vec<String>) {
    let add = |path: String, value: DynamicRef<'_>, found: &mut Vec<String>| {
        if !found.contains(&path) {
            found.push(path.clone());
        }
        put_paths(value, &path, found);
    };
    match value.kind() {
        DynamicKind::Object => {
            for (key, value) in value.iter_object() {
                add(format!("{prefix}['{key}']"), value, found);
            }
        }
        DynamicKind::Array => {
            for element in value.iter_array() {
                add(format!("{prefix}[0]"), element, found);
            }
        }
        _ => {}
    }
}

pub fn tree_path(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Dynamics::new(argument(arguments, 0)?)?;
    Ok(dynamics(call.rows, |row, builder| {
        let value = values.get(row);
        if value.is_null() {
            return false;
        }
        let mut found = Vec::new();
        put_paths(value, "", &mut found);
        builder.begin_array();
        for path in &found {
            builder.string(path);
        }
        builder.end_array();
        true
    }))
}
