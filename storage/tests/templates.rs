//! Texts by templates: whole, some rows, and what is asked of them are those of the texts that went in.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, StringViewArray, UInt32Array};
use conshelf_storage::encoding::{
    Effort, EncodeOptions, TextAnswer, TextQuestion, decode_chunk, decode_chunk_rows, decode_chunk_texts,
    describe_chunk, encode_chunk,
};
use conshelf_storage::{Anchor, ColumnType, TextTest};
use proptest::prelude::*;

fn encoded(texts: &[String]) -> (ArrayRef, Vec<u8>) {
    let array: ArrayRef = Arc::new(StringViewArray::from_iter_values(texts));
    let mut bytes = Vec::new();
    encode_chunk(ColumnType::String, &array, &EncodeOptions::MERGE, &mut bytes).expect("encodes");
    (array, bytes)
}

fn check(texts: &[String]) -> String {
    let (array, bytes) = encoded(texts);
    let description = describe_chunk(&bytes, texts.len()).expect("describes");
    let whole = decode_chunk(ColumnType::String, &bytes, texts.len()).expect("sound");
    let flat = |array: &ArrayRef| texts_of(array);
    assert_eq!(flat(&whole), flat(&array), "{description}");
    for step in [1, 5, 40] {
        let rows: Vec<u32> = (step as u32 / 2..texts.len() as u32).step_by(step).collect();
        let some = decode_chunk_rows(ColumnType::String, &bytes, texts.len(), &rows).expect("sound");
        let expected = arrow_select::take::take(&array, &UInt32Array::from(rows), None).expect("takes");
        assert_eq!(flat(&some), flat(&expected), "{description}");
    }
    let tests = tests(texts.first().map_or("x", String::as_str));
    let ask = |question, effort| decode_chunk_texts(&bytes, texts.len(), &[question], effort).expect("sound");
    let lengths = TextAnswer::Lengths(texts.iter().map(|text| text.len() as i64).collect());
    assert_eq!(ask(TextQuestion::Bytes, Effort::Any), Some(vec![lengths]));
    for test in &tests {
        let expected = texts.iter().map(|text| test.is_match(text.as_bytes())).collect();
        let expected = Some(vec![TextAnswer::Found(expected)]);
        for effort in [Effort::Any, Effort::Little] {
            let found = ask(TextQuestion::Fits(test), effort);
            assert!(found.is_none() || found == expected, "{test:?} {description}");
        }
    }
    description
}

/// Tests for a few needles, one that is a text, and some that are beginnings of one.
fn tests(text: &str) -> Vec<TextTest> {
    let mut tests = Vec::new();
    let characters = text.chars().count();
    for part in [3, 5, 6, 7, 8] {
        let start: String = text.chars().take(characters * part / 8).collect();
        for case_sensitive in [false, true] {
            for start in [start.clone(), start.to_uppercase()] {
                for anchor in [Anchor::Start, Anchor::Whole] {
                    tests.extend(TextTest::new([start.as_str()], case_sensitive, anchor));
                }
            }
        }
    }
    for needle in ["a", "0", "12", "b7", " A", "-4", "7 b", "é"] {
        for case_sensitive in [false, true] {
            for anchor in [Anchor::Anywhere, Anchor::Start, Anchor::End, Anchor::Whole] {
                let needles = [needle, text].into_iter().filter(|needle| !needle.is_empty());
                tests.extend(TextTest::new(needles, case_sensitive, anchor));
            }
        }
    }
    tests
}

fn texts_of(array: &ArrayRef) -> Vec<String> {
    use arrow_array::cast::AsArray;
    use arrow_array::types::UInt32Type;
    let array = match array.as_dictionary_opt::<UInt32Type>() {
        Some(coded) => arrow_select::take::take(coded.values(), coded.keys(), None).expect("keys in range"),
        None => array.clone(),
    };
    array.as_string_view().iter().map(|text| text.unwrap_or_default().to_owned()).collect()
}

/// A piece of a text: what programs write, and what only looks like it.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<u64>().prop_map(|number| number.to_string()),
        (0u32..2000).prop_map(|number| number.to_string()),
        (0u32..2000).prop_map(|number| format!("{number:04}")),
        any::<u128>().prop_map(|id| format!("{id:032x}")),
        any::<u64>().prop_map(|id| format!("{:x}", id >> 20)),
        any::<u128>().prop_map(|id| {
            let id = format!("{id:032x}");
            [&id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]].join("-")
        }),
        "[0-9a-fA-F]{1,40}",
        "0{1,20}",
        "[0-9]{17,20}",
        "[0-9a-f]{8}-[0-9a-f]{3,4}",
        ".{0,3}",
    ]
}

/// Texts of a few templates, of which some rows have pieces of their own.
fn texts() -> impl Strategy<Value = Vec<String>> {
    let template = prop::collection::vec("[a-zA-Z é:/=€-]{0,9}", 1..6);
    (prop::collection::vec(template, 1..5), prop::collection::vec((0..8usize, piece(), piece()), 150..900))
        .prop_map(|(templates, rows)| {
            let row = |(at, (pick, first, second)): (usize, (usize, String, String))| {
                let Some(template) = templates.get(pick) else { return format!("row {at}: {first}") };
                let variables = [first, second, at.to_string()];
                let mut text = String::new();
                for (literal, variable) in template.iter().zip(variables.iter().cycle()) {
                    text.push_str(literal);
                    text.push_str(variable);
                }
                text
            };
            rows.into_iter().enumerate().map(row).collect()
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn every_text_comes_back(texts in texts()) {
        check(&texts);
    }

    #[test]
    fn damage_never_panics(
        texts in texts(),
        at in any::<prop::sample::Index>(),
        mask in 1u8..,
        cut in any::<prop::sample::Index>(),
    ) {
        let (_, mut bytes) = encoded(&texts);
        // The head holds the counts and templates; most of the rest are values.
        for range in [bytes.len(), bytes.len().min(200)] {
            let mut damaged = bytes.clone();
            damaged[at.index(range)] ^= mask;
            read(&damaged, texts.len());
        }
        bytes.truncate(cut.index(bytes.len()));
        read(&bytes, texts.len());
    }
}

fn read(bytes: &[u8], rows: usize) {
    let _ = describe_chunk(bytes, rows);
    if let Ok(array) = decode_chunk(ColumnType::String, bytes, rows) {
        assert_eq!(array.len(), rows);
    }
    let wanted: Vec<u32> = (0..rows as u32).step_by(30).collect();
    if let Ok(array) = decode_chunk_rows(ColumnType::String, bytes, rows, &wanted) {
        assert_eq!(array.len(), wanted.len());
    }
    let _ = decode_chunk_texts(bytes, rows, &[TextQuestion::Characters], Effort::Any);
}

#[test]
fn texts_of_programs_become_templates() {
    let mix = |n: u64| {
        let mixed = (n ^ n << 29).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed ^ mixed >> 31).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 20
    };
    let described = |text: &dyn Fn(u64) -> String, rows: u64| check(&(0..rows).map(text).collect::<Vec<_>>());
    let ids = described(&|row| format!("{:010x}{:010x}", mix(row) >> 4, mix(row + 9999) >> 4), 9000);
    assert!(ids.starts_with("templates(1: constant"), "{ids}");
    // Room numbers begin with zeros and have four digits; cents do not all.
    let rooms = described(
        &|row| format!("room {:04} costs {}.{:02} EUR", mix(row) % 10_000, row, mix(row) % 100),
        9000,
    );
    assert!(rooms.starts_with("templates(1: constant"), "{rooms}");
    let some = described(
        &|row| match mix(row) % 50 {
            0 => "once ".repeat((mix(row) >> 9) as usize % 9) + &(mix(row) % 5).to_string(),
            1 => format!("{}", char::from_u32(0x4e00 + mix(row) as u32 % 4096).unwrap_or(' ')),
            kind => format!("kind {} of {row}", "abcdefghij".get(kind as usize % 10..).unwrap_or_default()),
        },
        9000,
    );
    assert!(some.contains("others"), "{some}");
    let prose = described(&|row| mix(row).to_string().replace(|digit: char| digit > '4', "ab"), 9000);
    assert!(!prose.starts_with("templates"), "{prose}");
}
