//! Questions about each text of a chunk that need no array of texts: how long it is, whether it has another text.
//!
//! Lengths are stored apart from the bytes; a search runs over whole pieces of the bytes and maps what it finds
//! to rows. A dictionary is asked once per value.

use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder};

use super::dictionary;
use super::input::{Decoded, Input};
use super::text::Flat;
use crate::format::encoding_tag as tag;
use crate::terms::TermFinder;

/// What is asked of each text.
#[derive(Clone, Copy, Debug)]
pub enum TextQuestion<'a> {
    /// Its length in bytes.
    Bytes,
    /// Its length in characters.
    Characters,
    /// Whether the finder, which must [search bytes](TermFinder::searches_bytes), finds something.
    Has(&'a TermFinder),
}

/// The answer, a value a row.
#[derive(Clone, Debug, PartialEq)]
pub enum TextAnswer {
    Lengths(Vec<i64>),
    Found(BooleanBuffer),
}

pub(crate) fn answer(input: Input<'_>, rows: usize, question: &TextQuestion<'_>) -> Decoded<TextAnswer> {
    let mut body = input;
    if body.u8()? != tag::DICTIONARY {
        return of_flat(&Flat::read(input, rows)?, question);
    }
    let (count, values, codes) = dictionary::parts(body, rows)?;
    let of_values = of_flat(&Flat::read(values, count)?, question)?;
    let codes = dictionary::decode_codes(codes, rows, count, 0)?;
    Ok(match of_values {
        TextAnswer::Lengths(lengths) => {
            TextAnswer::Lengths(codes.iter().map(|code| lengths[*code as usize]).collect())
        }
        TextAnswer::Found(found) => {
            TextAnswer::Found(BooleanBuffer::collect_bool(rows, |row| found.value(codes[row] as usize)))
        }
    })
}

fn of_flat(texts: &Flat<'_>, question: &TextQuestion<'_>) -> Decoded<TextAnswer> {
    let offsets = &texts.offsets;
    let bytes_each = || offsets.windows(2).map(|ends| i64::from(ends[1] - ends[0]));
    Ok(match question {
        TextQuestion::Bytes => TextAnswer::Lengths(bytes_each().collect()),
        TextQuestion::Characters if texts.is_ascii => TextAnswer::Lengths(bytes_each().collect()),
        TextQuestion::Characters => {
            let mut lengths: Vec<i64> = bytes_each().collect();
            texts.pieces(|rows, bytes| {
                if !bytes.is_ascii() {
                    let base = offsets[rows.start];
                    for row in rows {
                        let text = &bytes[(offsets[row] - base) as usize..(offsets[row + 1] - base) as usize];
                        lengths[row] = text.iter().filter(|byte| !is_continuation(**byte)).count() as i64;
                    }
                }
                Ok(())
            })?;
            TextAnswer::Lengths(lengths)
        }
        TextQuestion::Has(finder) => {
            let mut found = BooleanBufferBuilder::new(offsets.len() - 1);
            found.append_n(offsets.len() - 1, false);
            texts.pieces(|rows, bytes| {
                finder.each_row(bytes, &offsets[rows.start..=rows.end], |row| {
                    found.set_bit(rows.start + row, true);
                });
                Ok(())
            })?;
            TextAnswer::Found(found.finish())
        }
    })
}

/// Whether the byte goes on with a character of UTF-8 that an earlier byte began.
fn is_continuation(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, StringViewArray};
    use proptest::prelude::*;

    use super::*;
    use crate::encoding::{EncodeOptions, decode_chunk_texts, encode_chunk};
    use crate::terms::TermMatch;
    use crate::types::ColumnType;

    fn check(texts: &[String], needle: &str, case_sensitive: bool) {
        let array: ArrayRef = Arc::new(StringViewArray::from_iter_values(texts));
        let mut bytes = Vec::new();
        encode_chunk(ColumnType::String, &array, &EncodeOptions::SEAL, &mut bytes).expect("encodes");
        let ask = |question| decode_chunk_texts(&bytes, texts.len(), &question).expect("sound");
        let lengths = |length: fn(&String) -> usize| {
            TextAnswer::Lengths(texts.iter().map(|text| length(text) as i64).collect())
        };
        assert_eq!(ask(TextQuestion::Bytes), lengths(String::len));
        assert_eq!(ask(TextQuestion::Characters), lengths(|text| text.chars().count()));
        let finder = TermFinder::new(needle, case_sensitive, TermMatch::Anywhere);
        if finder.searches_bytes() {
            let found = texts.iter().map(|text| finder.is_match(text)).collect();
            assert_eq!(ask(TextQuestion::Has(&finder)), TextAnswer::Found(found));
        }
    }

    proptest! {
        #[test]
        fn answers_are_those_of_the_texts_one_by_one(
            few in proptest::collection::vec("[abcAé/ ]{0,12}", 1..6),
            many in proptest::collection::vec("[abcA/ ]{0,40}|[aé😀]{0,9}", 0..120),
            picks in proptest::collection::vec(0..6usize, 0..300),
            needle in "[abcAé/]{1,3}",
            case_sensitive: bool,
        ) {
            check(&many, &needle, case_sensitive);
            let repeated: Vec<String> = picks.iter().map(|pick| few[pick % few.len()].clone()).collect();
            check(&repeated, &needle, case_sensitive);
        }
    }

    #[test]
    fn texts_of_several_frames() {
        let texts: Vec<String> =
            (0..20_000).map(|row| format!("row {row} of a long text {}", "ab/".repeat(row % 40))).collect();
        check(&texts, "B/a", false);
        check(&texts, "row 1", true);
    }
}
