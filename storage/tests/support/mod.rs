//! Columns for tests: made by hand, and by proptest in the shapes that encodings care about.

#![allow(dead_code)]

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, UInt32Type};
use arrow_array::{Array, ArrayRef};
use conshelf_storage::ColumnType;
use conshelf_storage::dynamic::from_json;
use proptest::prelude::*;

pub mod column_of {
    use super::*;
    use arrow_array::builder::FixedSizeBinaryBuilder;
    use arrow_array::{BinaryViewArray, BooleanArray, Float64Array, Int32Array, Int64Array, StringViewArray};

    pub fn bool(values: impl Iterator<Item = Option<bool>>) -> ArrayRef {
        Arc::new(values.collect::<BooleanArray>())
    }
    pub fn int(values: impl Iterator<Item = Option<i32>>) -> ArrayRef {
        Arc::new(values.collect::<Int32Array>())
    }
    pub fn long(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
        Arc::new(values.collect::<Int64Array>())
    }
    pub fn real(values: impl Iterator<Item = Option<f64>>) -> ArrayRef {
        Arc::new(values.collect::<Float64Array>())
    }
    pub fn string(values: impl Iterator<Item = String>) -> ArrayRef {
        Arc::new(values.map(Some).collect::<StringViewArray>())
    }
    pub fn bytes16(values: impl Iterator<Item = Option<u128>>) -> ArrayRef {
        let mut builder = FixedSizeBinaryBuilder::new(16);
        for value in values {
            match value {
                Some(value) => builder.append_value(value.to_be_bytes()).expect("16 bytes"),
                None => builder.append_null(),
            }
        }
        Arc::new(builder.finish())
    }
    pub fn dynamic(values: impl Iterator<Item = Option<String>>) -> ArrayRef {
        let values = values.map(|json| json.map(|json| from_json(&json).expect("JSON")));
        Arc::new(values.collect::<BinaryViewArray>())
    }

    /// A column of any type out of numbers.
    pub fn any(ty: ColumnType, values: &[Option<i64>]) -> ArrayRef {
        let values = values.iter().copied();
        match ty {
            ColumnType::Bool => bool(values.map(|value| value.map(|value| value % 2 != 0))),
            ColumnType::Int => int(values.map(|value| value.map(|value| value as i32))),
            ColumnType::Long | ColumnType::DateTime | ColumnType::TimeSpan => long(values),
            ColumnType::Real => real(values.map(|value| value.map(|value| value as f64 / 100.0))),
            ColumnType::Decimal | ColumnType::Guid => {
                bytes16(values.map(|value| value.map(|value| value as u128)))
            }
            ColumnType::String => {
                string(values.map(|value| value.map_or_else(String::new, |value| format!("Value {value}/é"))))
            }
            ColumnType::Dynamic => dynamic(
                values.map(|value| value.map(|value| format!("{{\"n\":{value},\"s\":\"a {value}\"}}"))),
            ),
        }
    }
}

/// Equality of a column and what came back: same type (a dictionary counts as its values), same nulls,
/// same bits.
pub fn arrays_equal(ty: ColumnType, left: &ArrayRef, right: &ArrayRef) -> bool {
    let (left, right) = (flat(left), flat(right));
    if left.data_type() != right.data_type()
        || left.len() != right.len()
        || *left.data_type() != ty.arrow_type()
    {
        return false;
    }
    let nulls_equal = (0..left.len()).all(|row| left.is_null(row) == right.is_null(row));
    let values_equal = match ty {
        ColumnType::Real => {
            let (left, right) = (left.as_primitive::<Float64Type>(), right.as_primitive::<Float64Type>());
            left.iter().zip(right).all(|(left, right)| left.map(f64::to_bits) == right.map(f64::to_bits))
        }
        _ => left.to_data() == right.to_data(),
    };
    nulls_equal && values_equal
}

pub fn flat(array: &ArrayRef) -> ArrayRef {
    match array.as_dictionary_opt::<UInt32Type>() {
        Some(dictionary) => {
            arrow_select::take::take(dictionary.values(), dictionary.keys(), None).expect("keys in range")
        }
        None => array.clone(),
    }
}

/// Integers in the shapes that encodings look for: repeated, rising, narrow, wild, extreme.
pub fn integers() -> impl Strategy<Value = Vec<i64>> {
    let shape = prop_oneof![
        prop::collection::vec(any::<i64>(), 0..40),
        prop::collection::vec(prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(0), Just(-1)], 0..2500),
        (any::<i64>(), 0usize..2500).prop_map(|(value, count)| vec![value; count]),
        prop::collection::vec(-20i64..20, 0..2500),
        prop::collection::vec(prop_oneof![9 => Just(7i64), 1 => any::<i64>()], 0..2500),
        (any::<i64>(), prop::collection::vec(0i64..100_000, 0..2500)).prop_map(|(start, steps)| {
            steps
                .iter()
                .scan(start, |at, step| {
                    *at = at.wrapping_add(*step);
                    Some(*at)
                })
                .collect()
        }),
        (any::<i64>(), 1i64..1_000_000_000_000, prop::collection::vec(0i64..1000, 0..2500)).prop_map(
            |(start, unit, steps)| steps
                .iter()
                .map(|step| start.wrapping_add(step.wrapping_mul(unit)))
                .collect()
        ),
        prop::collection::vec((any::<i64>(), 1usize..300), 0..12).prop_map(|runs| {
            runs.iter().flat_map(|(value, count)| std::iter::repeat_n(*value, *count)).collect()
        }),
    ];
    shape.boxed()
}

fn reals() -> impl Strategy<Value = Vec<f64>> {
    prop_oneof![
        integers().prop_map(|values| values.iter().map(|value| *value as f64 / 1000.0).collect()),
        integers().prop_map(|values| values.iter().map(|value| f64::from_bits(*value as u64)).collect()),
        prop::collection::vec(
            prop_oneof![
                Just(f64::NAN),
                Just(-f64::NAN),
                Just(f64::INFINITY),
                Just(f64::NEG_INFINITY),
                Just(-0.0),
                Just(0.0),
                Just(f64::from_bits(0x7ff8_0000_0000_1234)),
                Just(f64::MIN_POSITIVE),
                Just(f64::MAX),
                Just(1.5),
            ],
            0..300,
        ),
    ]
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    prop_oneof![
        prop::collection::vec(".{0,30}", 0..60),
        prop::collection::vec("(GET|PUT) /[a-c]{0,3}", 0..2500),
        integers().prop_map(|values| values.iter().map(|value| format!("id={value} ok")).collect()),
    ]
}

/// A column of any type and shape.
pub fn column_strategy() -> BoxedStrategy<(ColumnType, ArrayRef)> {
    use ColumnType::*;
    let nulls = (prop_oneof![Just(0u32), Just(3), Just(50), Just(100)], any::<u32>());
    let numbers = (
        prop::sample::select(vec![Bool, Int, Long, DateTime, TimeSpan, Decimal, Guid]),
        integers(),
        nulls.clone(),
    )
        .prop_map(|(ty, values, nulls)| (ty, column_of::any(ty, &nullify(values, nulls))));
    let reals = (reals(), nulls.clone())
        .prop_map(|(values, nulls)| (Real, column_of::real(nullify(values, nulls).into_iter())));
    let strings = texts().prop_map(|values| (String, column_of::string(values.into_iter())));
    let dynamics = (texts(), nulls).prop_map(|(values, nulls)| {
        let values = nullify(values, nulls).into_iter().map(|text| {
            text.map(|text| serde_json::json!({ "text": text, "length": text.len() }).to_string())
        });
        (Dynamic, column_of::dynamic(values))
    });
    prop_oneof![4 => numbers, 2 => reals, 2 => strings, 1 => dynamics].boxed()
}

fn nullify<T>(values: Vec<T>, (percent, seed): (u32, u32)) -> Vec<Option<T>> {
    let mut state = seed;
    values
        .into_iter()
        .map(|value| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((state >> 8) % 100 >= percent).then_some(value)
        })
        .collect()
}
