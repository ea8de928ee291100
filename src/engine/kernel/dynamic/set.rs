//! Functions of arrays as sets. `1` and `1.0` are one element; elements keep the order in which they come.

use std::hash::Hasher;

use arrow_array::ArrayRef;
use arrow_array::types::Float64Type;
use conshelf_storage::DynamicRef;
use conshelf_storage::dynamic::{equal, hash};
use hashbrown::HashTable;

use super::array::{elements, put_array};
use super::value::Values;
use crate::engine::error::Result;
use crate::engine::kernel::access::{Dynamics, argument, dynamics, nullable_bools, numbers};
use crate::engine::kernel::{Datum, KernelCall};

/// The distinct elements of arrays, in the order in which they came.
#[derive(Default)]
struct Distinct<'a> {
    elements: Vec<DynamicRef<'a>>,
    positions: HashTable<usize>,
}

fn hash_of(value: DynamicRef<'_>) -> u64 {
    let mut hasher = xxhash_rust::xxh3::Xxh3Default::new();
    hash(value, &mut hasher);
    Hasher::finish(&hasher)
}

impl<'a> Distinct<'a> {
    fn of(array: DynamicRef<'a>) -> Distinct<'a> {
        let mut distinct = Distinct::default();
        distinct.add_all(array);
        distinct
    }

    fn add_all(&mut self, array: DynamicRef<'a>) {
        for element in array.iter_array() {
            let hash = hash_of(element);
            let elements = &mut self.elements;
            let known = self.positions.find(hash, |position| equal(elements[*position], element)).is_some();
            if !known {
                let position = elements.len();
                elements.push(element);
                self.positions.insert_unique(hash, position, |position| hash_of(elements[*position]));
            }
        }
    }

    fn contains(&self, element: DynamicRef<'_>) -> bool {
        let same = |position: &usize| equal(self.elements[*position], element);
        self.positions.find(hash_of(element), same).is_some()
    }
}

fn arrays(arguments: &[Datum]) -> Result<Vec<Dynamics<'_>>> {
    arguments.iter().map(Dynamics::new).collect()
}

/// What is not an array is an empty set.
pub fn union(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let arrays = arrays(arguments)?;
    Ok(dynamics(call.rows, |row, builder| {
        let mut distinct = Distinct::default();
        for array in &arrays {
            distinct.add_all(array.get(row));
        }
        put_array(builder, distinct.elements);
        true
    }))
}

fn filtered(call: &KernelCall<'_>, arguments: &[Datum], keep_common: bool) -> Result<ArrayRef> {
    let arrays = arrays(arguments)?;
    Ok(dynamics(call.rows, |row, builder| {
        let Some((first, others)) = arrays.split_first() else { return false };
        let others: Vec<Distinct<'_>> = others.iter().map(|other| Distinct::of(other.get(row))).collect();
        let elements = Distinct::of(first.get(row)).elements.into_iter().filter(|element| {
            if keep_common {
                others.iter().all(|other| other.contains(*element))
            } else {
                !others.iter().any(|other| other.contains(*element))
            }
        });
        put_array(builder, elements);
        true
    }))
}

pub fn intersect(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    filtered(call, arguments, true)
}

pub fn difference(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    filtered(call, arguments, false)
}

pub fn equals(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let left = Dynamics::new(argument(arguments, 0)?)?;
    let right = Dynamics::new(argument(arguments, 1)?)?;
    Ok(nullable_bools(call.rows, |row| {
        elements(left.get(row))?;
        elements(right.get(row))?;
        let (left, right) = (Distinct::of(left.get(row)), Distinct::of(right.get(row)));
        let same = left.elements.len() == right.elements.len();
        Some(same && left.elements.iter().all(|element| right.contains(*element)))
    }))
}

pub fn has_element(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let sets = Dynamics::new(argument(arguments, 0)?)?;
    let values = Values::at(call, arguments, 1)?;
    Ok(nullable_bools(call.rows, |row| {
        let elements = elements(sets.get(row))?;
        let value = values.bytes(row);
        let value = DynamicRef::new(&value);
        Some(elements.iter().any(|element| equal(*element, value)))
    }))
}

/// NaN of two empty sets.
pub fn jaccard_index(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let left = Dynamics::new(argument(arguments, 0)?)?;
    let right = Dynamics::new(argument(arguments, 1)?)?;
    Ok(numbers::<Float64Type>(call.rows, |row| {
        elements(left.get(row))?;
        elements(right.get(row))?;
        let (left, right) = (Distinct::of(left.get(row)), Distinct::of(right.get(row)));
        let common = left.elements.iter().filter(|element| right.contains(**element)).count();
        let all = left.elements.len() + right.elements.len() - common;
        Some(common as f64 / all as f64)
    }))
}
