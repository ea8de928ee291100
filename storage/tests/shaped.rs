//! Dynamic columns by shapes: whole values, some rows and single paths are those of the values that went in.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BinaryViewArray};
use conshelf_storage::ColumnType;
use conshelf_storage::dynamic::{DynamicBuilder, DynamicKind, DynamicRef};
use conshelf_storage::encoding::{
    EncodeOptions, decode_chunk, decode_chunk_path, decode_chunk_rows, describe_chunk, encode_chunk,
};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Value {
    Null,
    Bool(bool),
    Long(i64),
    Real(u64),
    Decimal(u128),
    DateTime(i64),
    TimeSpan(i64),
    String(String),
    Guid([u8; 16]),
    Array(Vec<Value>),
    Object(Vec<(String, Value)>),
}

fn build(value: &Value, out: &mut DynamicBuilder) {
    match value {
        Value::Null => out.null(),
        Value::Bool(value) => out.bool(*value),
        Value::Long(value) => out.long(*value),
        Value::Real(bits) => out.real(f64::from_bits(*bits)),
        Value::Decimal(value) => out.decimal(value.to_be_bytes(), &value.to_string()),
        Value::DateTime(ticks) => out.datetime(*ticks),
        Value::TimeSpan(ticks) => out.timespan(*ticks),
        Value::String(text) => out.string(text),
        Value::Guid(bytes) => out.guid(*bytes),
        Value::Array(values) => {
            out.begin_array();
            values.iter().for_each(|value| build(value, out));
            out.end_array();
        }
        Value::Object(entries) => {
            out.begin_object();
            for (key, value) in entries {
                out.key(key);
                build(value, out);
            }
            out.end_object();
        }
    }
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        prop_oneof![any::<i64>(), -200i64..200, -40_000i64..40_000].prop_map(Value::Long),
        prop_oneof![any::<u64>(), (0i64..10_000).prop_map(|cents| (cents as f64 / 100.0).to_bits())]
            .prop_map(Value::Real),
        any::<u64>().prop_map(|value| Value::Decimal(value.into())),
        any::<i64>().prop_map(Value::DateTime),
        any::<i64>().prop_map(Value::TimeSpan),
        prop_oneof!["[a-c]{0,3}", ".{0,20}", "x{250,260}"].prop_map(Value::String),
        any::<[u8; 16]>().prop_map(Value::Guid),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(20, 60, 12, |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            // Few keys, so that some are equal and shapes repeat.
            6 => prop::collection::vec(("[a-e]{0,1}", inner.clone()), 0..4).prop_map(Value::Object),
            1 => prop::collection::vec(("[a-z]{1,2}", inner), 8..14).prop_map(Value::Object),
        ]
    })
}

/// Rows of few values in any order, with nulls.
fn column() -> impl Strategy<Value = ArrayRef> {
    let deep = (1usize..25).prop_map(|depth| {
        (0..depth).fold(Value::Long(1), |inner, _| Value::Object(vec![(String::from("a"), inner)]))
    });
    let values = prop::collection::vec(prop_oneof![9 => value(), 1 => deep], 1..30);
    (values, prop::collection::vec(any::<prop::sample::Index>(), 0..300)).prop_map(|(values, picks)| {
        let mut builder = DynamicBuilder::new();
        let bytes: Vec<Vec<u8>> = values
            .iter()
            .map(|value| {
                build(value, &mut builder);
                builder.finish()
            })
            .collect();
        let rows = picks.iter().enumerate().map(|(row, pick)| {
            (row % 11 != 3).then(|| pick.get(&bytes).clone()).filter(|bytes| *bytes != [0x10])
        });
        Arc::new(rows.collect::<BinaryViewArray>()) as ArrayRef
    })
}

fn encoded(array: &ArrayRef) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_chunk(ColumnType::Dynamic, array, &EncodeOptions::SEAL, &mut bytes).expect("encodes");
    bytes
}

fn check_paths(array: &ArrayRef, bytes: &[u8]) -> usize {
    let values = array.as_binary_view();
    let mut read = 0;
    for path in [&[][..], &["a"], &["b"], &[""], &["a", "a"], &["a", "b"], &["b", "c", "a"], &["n"]] {
        let Some(found) = decode_chunk_path(bytes, array.len(), path).expect("decodes") else { continue };
        read += 1;
        let mut found = found.into_dynamics();
        if let Some(dictionary) = found.as_any_dictionary_opt() {
            assert_eq!(dictionary.keys().null_count(), 0);
            found = arrow_select::take::take(dictionary.values(), dictionary.keys(), None).expect("keys");
        }
        let found = found.as_binary_view();
        for row in 0..values.len() {
            let whole = values.is_valid(row).then(|| DynamicRef::new(values.value(row)));
            let expected = path.iter().fold(whole, |value, key| value?.get(key));
            let expected = expected.filter(|value| value.kind() != DynamicKind::Null);
            let found = found.is_valid(row).then(|| found.value(row));
            assert_eq!(found, expected.map(|value| value.bytes()), "{path:?} of row {row}");
        }
    }
    read
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn values_rows_and_paths_come_back(array in column(), step in 1usize..40) {
        let bytes = encoded(&array);
        let whole = decode_chunk(ColumnType::Dynamic, &bytes, array.len()).expect("decodes");
        prop_assert_eq!(whole.as_binary_view(), array.as_binary_view());
        let wanted: Vec<u32> = (0..array.len() as u32).step_by(step).collect();
        let some = decode_chunk_rows(ColumnType::Dynamic, &bytes, array.len(), &wanted).expect("decodes");
        let picks = arrow_array::UInt32Array::from(wanted);
        let expected = arrow_select::take::take(&array, &picks, None).expect("takes");
        prop_assert_eq!(some.as_binary_view(), expected.as_binary_view());
        check_paths(&array, &bytes);
    }

    #[test]
    fn damage_never_panics(
        array in column(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        rows in 0usize..400,
    ) {
        let mut bytes = encoded(&array);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        for rows in [rows, array.len()] {
            let _ = describe_chunk(&bytes, rows);
            let _ = decode_chunk(ColumnType::Dynamic, &bytes, rows);
            let wanted: Vec<u32> = (0..rows as u32).step_by(7).collect();
            let _ = decode_chunk_rows(ColumnType::Dynamic, &bytes, rows, &wanted);
            for path in [&[][..], &["a"], &["a", "b"]] {
                if let Ok(Some(values)) = decode_chunk_path(&bytes, rows, path) {
                    prop_assert_eq!(values.into_dynamics().len(), rows);
                }
            }
        }
    }
}

/// Bytes that no builder makes keep their own form.
#[test]
fn odd_values_come_back() {
    let odd: Vec<Vec<u8>> = vec![
        // A long in more bytes than it needs; an object with wider offsets than it needs, with equal keys, with
        // bytes after its parts; nothing at all; an unknown tag.
        vec![0x13, 1, 0],
        vec![0x1b, 1, 1, 0, 1, 0, 2, 0, b'a', 0x11],
        vec![0x1b, 0, 2, 1, 2, 3, 4, b'a', 0x11, b'a', 0x12],
        vec![0x1b, 0, 1, 1, 2, b'a', 0x11, 9],
        vec![],
        vec![0x1f, 1],
        vec![0x10, 0],
    ];
    let mut builder = DynamicBuilder::new();
    build(&Value::Object(vec![(String::from("a"), Value::Long(5))]), &mut builder);
    let plain = builder.finish();
    let rows = (0..4000).map(|row| if row % 50 == 0 { &odd[row / 50 % odd.len()] } else { &plain });
    let array: ArrayRef = Arc::new(rows.map(Some).collect::<BinaryViewArray>());
    let bytes = encoded(&array);
    let whole = decode_chunk(ColumnType::Dynamic, &bytes, array.len()).expect("decodes");
    assert_eq!(whole.as_binary_view(), array.as_binary_view());
}

#[test]
fn properties_of_logs_take_their_own_columns() {
    let mut seed = 7u64;
    let mut random = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let values: Vec<String> = (0..20_000)
        .map(|_| {
            format!(
                r#"{{"region":"region-{}","user":{},"retry":{},"cart":{{"items":{},"total":{}.{}}}{}}}"#,
                random(5),
                random(100_000),
                random(2) == 0,
                random(9),
                random(400),
                10 + random(90),
                if random(3) == 0 {
                    format!(r#","experiment":"variant-{}""#, random(8))
                } else {
                    String::new()
                },
            )
        })
        .collect();
    let parsed: Vec<Vec<u8>> =
        values.iter().map(|json| conshelf_storage::dynamic::from_json(json).expect("JSON")).collect();
    let array: ArrayRef = Arc::new(parsed.iter().map(Some).collect::<BinaryViewArray>());
    let bytes = encoded(&array);
    let description = describe_chunk(&bytes, array.len()).expect("describes");
    assert!(description.starts_with("shaped(2 shapes: "), "{description}");
    let whole = decode_chunk(ColumnType::Dynamic, &bytes, array.len()).expect("decodes");
    assert_eq!(whole.as_binary_view(), array.as_binary_view());
    assert!(bytes.len() < array.len() * 10, "{} bytes: {description}", bytes.len());
    let longs = [&["user"][..], &["region"], &["experiment"], &["cart", "total"], &["cart", "items"]];
    for path in longs {
        let found = decode_chunk_path(&bytes, array.len(), path).expect("decodes").expect("a column");
        let found = found.into_dynamics();
        assert_eq!(found.len(), array.len());
    }
    assert!(decode_chunk_path(&bytes, array.len(), &["cart"]).expect("decodes").is_none());
    assert_eq!(check_paths(&array, &bytes), 7);
}
