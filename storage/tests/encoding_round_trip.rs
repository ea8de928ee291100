//! Every encoding and type gives back what it was given, whatever the data looks like, and refuses damaged
//! bytes without a panic.

mod support;

use std::sync::Arc;

use arrow_array::{ArrayRef, UInt32Array};
use conshelf_storage::encoding::{
    EncodeOptions, decode_chunk, decode_chunk_rows, describe_chunk, encode_chunk,
};
use conshelf_storage::{ColumnType, extent};
use proptest::prelude::*;
use support::{arrays_equal, column_of, column_strategy};

fn round_trip(ty: ColumnType, array: &ArrayRef) -> String {
    let mut bytes = Vec::new();
    encode_chunk(ty, array, &EncodeOptions::SEAL, &mut bytes).expect("encodes");
    let description = describe_chunk(&bytes, array.len()).expect("describes");
    let decoded = decode_chunk(ty, &bytes, array.len())
        .unwrap_or_else(|malformed| panic!("{malformed}: {} as {description}", ty.name()));
    assert!(arrays_equal(ty, array, &decoded), "{} as {description}: {array:?} {decoded:?}", ty.name());
    for step in [37, 700] {
        let rows: Vec<u32> = (0..array.len() as u32).skip(step / 2).step_by(step).collect();
        let found = decode_chunk_rows(ty, &bytes, array.len(), &rows).expect("decodes");
        let expected = arrow_select::take::take(array, &UInt32Array::from(rows), None).expect("takes");
        assert!(arrays_equal(ty, &expected, &found), "some rows of {} as {description}", ty.name());
    }
    description
}

/// A text without digits that is like no other.
fn words(number: u64) -> String {
    let letter = |at: u32| char::from(b'a' + (number >> (at * 4) & 15) as u8);
    (0..11).map(letter).chain(" \u{e9}t\u{e9} ".chars()).chain((3..9).map(letter)).collect()
}

fn uuid(id: u128) -> String {
    let text = format!("{id:032x}");
    [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-")
}

#[test]
fn data_of_every_shape_picks_its_encoding() {
    let rows = 5000i64;
    let long = |values: &mut dyn Iterator<Item = i64>| column_of::long(values.map(Some));
    let real = |values: &mut dyn Iterator<Item = f64>| column_of::real(values.map(Some));
    let mix = |n: i64| {
        let mixed = (n as u64 ^ (n as u64) << 29).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed ^ mixed >> 31).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 20
    };
    let cases: Vec<(&str, ColumnType, ArrayRef)> = vec![
        ("constant", ColumnType::Long, long(&mut (0..rows).map(|_| i64::MIN))),
        ("run_length", ColumnType::Long, long(&mut (0..rows).map(|n| mix(n / 500) as i64))),
        ("dictionary", ColumnType::Long, long(&mut (0..rows).map(|n| mix(mix(n) as i64 % 9) as i64))),
        (
            "sparse(",
            ColumnType::Int,
            column_of::int(
                (0..rows).map(|n| Some(if mix(n) % 9 == 0 { mix(n + 1) as i32 % 999 } else { 0 })),
            ),
        ),
        ("bit_packed", ColumnType::Long, long(&mut (0..rows).map(|n| mix(n) as i64 % 1000))),
        ("delta", ColumnType::DateTime, long(&mut (0..rows).map(|n| n * 10_000_000 + mix(n) as i64 % 9000))),
        ("delta", ColumnType::DateTime, long(&mut (0..rows).map(|n| n * 100_000_000))),
        ("raw64", ColumnType::Long, long(&mut (0..rows).map(|n| (mix(n) << 40 | mix(n + 1)) as i64))),
        ("alp", ColumnType::Real, real(&mut (0..rows).map(|n| (mix(n) % 10_000) as f64 / 100.0))),
        ("split_zstd", ColumnType::Real, real(&mut (0..rows).map(|n| (n as f64 / 100.0).sin()))),
        ("constant", ColumnType::Real, real(&mut (0..rows).map(|_| f64::NAN))),
        ("bitmap", ColumnType::Bool, column_of::bool((0..rows).map(|n| Some(mix(n) % 2 == 0)))),
        (
            "dictionary(5:",
            ColumnType::String,
            column_of::string((0..rows).map(|n| format!("v{}", mix(n) % 5))),
        ),
        (
            "text_zstd",
            ColumnType::String,
            column_of::string((0..rows).map(|n| "xyz".repeat(n as usize % 7) + &words(mix(n)))),
        ),
        (
            "templates(1:",
            ColumnType::String,
            column_of::string((0..rows).map(|n| format!("request {} took", 7 * n + (mix(n) % 7) as i64))),
        ),
        (
            "templates(2:",
            ColumnType::String,
            column_of::string((0..rows).map(|n| {
                let (at, id) = (mix(n) % 1000, u128::from(mix(n)) * u128::from(mix(n + 1)));
                match n % 9 {
                    0 => format!("user {at} of {id:032x} paid {}.{:02} \u{20ac}", mix(n) % 99, mix(n) % 97),
                    1 => words(mix(n)),
                    _ => format!("{} at host-{at:04}", uuid(id)),
                }
            })),
        ),
        (
            "fixed16",
            ColumnType::Guid,
            column_of::bytes16((0..rows).map(|n| Some(u128::from(mix(n)) * u128::from(mix(n + 7))))),
        ),
        ("nulls roaring", ColumnType::Int, column_of::int((0..rows as i32).map(|n| (n != 77).then_some(n)))),
        (
            "nulls bitmap",
            ColumnType::Int,
            column_of::int((0..rows as i32).map(|n| (mix(n.into()) % 2 == 0).then_some(n))),
        ),
        ("all null", ColumnType::Dynamic, column_of::dynamic((0..rows).map(|_| None))),
    ];
    for (expected, ty, array) in cases {
        let description = round_trip(ty, &array);
        assert!(description.contains(expected), "{expected} for {}: {description}", ty.name());
    }
}

#[test]
fn empty_and_single_rows_of_every_type() {
    for ty in ColumnType::ALL {
        for text in [vec![], vec![None], vec![Some(7)]] {
            round_trip(ty, &column_of::any(ty, &text));
        }
    }
}

#[test]
fn long_text_reads_in_pieces() {
    let rows = 20_000u32;
    let text =
        |n: u32| format!("row {n} of a log that says much the same in every line, {}", n * 7919 % 10_007);
    let array = column_of::string((0..rows).map(text));
    let mut bytes = Vec::new();
    encode_chunk(ColumnType::String, &array, &EncodeOptions::MERGE, &mut bytes).expect("encodes");
    round_trip(ColumnType::String, &array);
    let wanted = [0, 1, 9_999, 10_000, 19_999];
    let found = decode_chunk_rows(ColumnType::String, &bytes, rows as usize, &wanted).expect("decodes");
    let expected = column_of::string(wanted.into_iter().map(text));
    assert!(arrays_equal(ColumnType::String, &expected, &found));
    assert!(decode_chunk_rows(ColumnType::String, &bytes, rows as usize, &[5, 5]).is_err());
}

#[test]
fn dictionary_input_with_nulls_and_equal_values() {
    use arrow_array::types::UInt32Type;
    use arrow_array::{DictionaryArray, StringViewArray};
    let keys = UInt32Array::from(vec![Some(0), None, Some(2), Some(1), Some(3), Some(0)]);
    let values = StringViewArray::from(vec![Some("x"), Some("y"), Some("x"), None, Some("unused")]);
    let array: ArrayRef =
        Arc::new(DictionaryArray::<UInt32Type>::try_new(keys, Arc::new(values)).expect("keys fit"));
    let flat = column_of::string(["x", "", "x", "y", "", "x"].into_iter().map(str::to_owned));
    let mut bytes = Vec::new();
    encode_chunk(ColumnType::String, &array, &EncodeOptions::SEAL, &mut bytes).expect("encodes");
    let decoded = decode_chunk(ColumnType::String, &bytes, 6).expect("decodes");
    assert!(arrays_equal(ColumnType::String, &flat, &decoded));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_column_comes_back((ty, array) in column_strategy()) {
        round_trip(ty, &array);
    }

    #[test]
    fn some_rows_are_those_of_the_whole((ty, array) in column_strategy(), step in 1usize..50) {
        let mut bytes = Vec::new();
        encode_chunk(ty, &array, &EncodeOptions::SEAL, &mut bytes).expect("encodes");
        let rows: Vec<u32> = (step / 2..array.len()).step_by(step).map(|row| row as u32).collect();
        let found = decode_chunk_rows(ty, &bytes, array.len(), &rows).expect("decodes");
        let expected = arrow_select::take::take(&array, &UInt32Array::from(rows), None).expect("takes");
        prop_assert!(arrays_equal(ty, &expected, &found));
        prop_assert!(decode_chunk_rows(ty, &bytes, array.len(), &[array.len() as u32]).is_err());
    }

    #[test]
    fn damaged_chunks_never_panic(
        (ty, array) in column_strategy(),
        at in any::<prop::sample::Index>(),
        mask in 1u8..,
        cut in any::<prop::sample::Index>(),
        rows in 0u16..3000,
    ) {
        let mut bytes = Vec::new();
        encode_chunk(ty, &array, &EncodeOptions::SEAL, &mut bytes).expect("encodes");
        let truncated = &bytes[..cut.index(bytes.len())];
        prop_assert!(decode_chunk(ty, truncated, array.len()).is_err() || array.is_empty());
        let at = at.index(bytes.len());
        bytes[at] ^= mask;
        let _ = decode_chunk(ty, &bytes, array.len());
        let _ = decode_chunk(ty, &bytes, rows.into());
        let _ = describe_chunk(&bytes, array.len());
    }

    #[test]
    fn arbitrary_bytes_never_panic(data in prop::collection::vec(any::<u8>(), 0..200)) {
        extent::fuzz::fuzz_decode_chunk(&data);
        extent::fuzz::fuzz_footer(&data);
        extent::fuzz::fuzz_dynamic(&data);
    }
}
