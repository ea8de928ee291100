//! Questions about each text of a chunk that need no array of texts: how long it is, whether it has another text.
//!
//! Lengths are stored apart from the bytes; a search runs over whole pieces of the bytes and maps what it finds
//! to rows. A dictionary is asked once per value.

use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder};

use super::input::{Decoded, Input};
use super::text::{self, Flat};
use super::{dictionary, templates};
use crate::format::encoding_tag as tag;
use crate::text_test::{Anchor, TextTest};

/// What is asked of each text.
#[derive(Clone, Copy, Debug)]
pub enum TextQuestion<'a> {
    /// Its length in bytes.
    Bytes,
    /// Its length in characters.
    Characters,
    /// Whether it passes the test.
    Fits(&'a TextTest),
}

/// The answer, a value a row.
#[derive(Clone, Debug, PartialEq)]
pub enum TextAnswer {
    Lengths(Vec<i64>),
    Found(BooleanBuffer),
}

/// How much may be unpacked for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// All texts, if it must be. Whole texts in a dictionary are left to whoever has the dictionary, unless templates
    /// tell.
    Any,
    /// Few texts: what templates of texts tell.
    Little,
}

/// An answer to each question; `None`: not with that effort.
pub(crate) fn answer(
    input: Input<'_>,
    rows: usize,
    questions: &[TextQuestion<'_>],
    effort: Effort,
) -> Decoded<Option<Vec<TextAnswer>>> {
    let mut body = input;
    if body.u8()? != tag::DICTIONARY {
        return of_node(input, rows, questions, effort);
    }
    let of_whole_texts = |question: &TextQuestion<'_>| matches!(question, TextQuestion::Fits(test) if test.anchor() == Anchor::Whole);
    if effort == Effort::Little {
        return Ok(None);
    }
    let effort = if questions.iter().any(of_whole_texts) { Effort::Little } else { effort };
    let (count, values, codes) = dictionary::parts(body, rows)?;
    let Some(of_values) = of_node(values, count, questions, effort)? else { return Ok(None) };
    let is_none =
        |answer: &TextAnswer| matches!(answer, TextAnswer::Found(found) if found.count_set_bits() == 0);
    if of_values.iter().all(is_none) {
        let none = of_values.iter().map(|_| TextAnswer::Found(BooleanBuffer::new_unset(rows)));
        return Ok(Some(none.collect()));
    }
    let codes = dictionary::decode_codes(codes, rows, count, 0)?;
    let spread = |answer| match answer {
        TextAnswer::Lengths(lengths) => {
            TextAnswer::Lengths(codes.iter().map(|code| lengths[*code as usize]).collect())
        }
        TextAnswer::Found(found) => {
            let found: Vec<bool> = found.iter().collect();
            TextAnswer::Found(BooleanBuffer::collect_bool(rows, |row| found[codes[row] as usize]))
        }
    };
    Ok(Some(of_values.into_iter().map(spread).collect()))
}

/// Of a node without dictionary.
fn of_node(
    input: Input<'_>,
    rows: usize,
    questions: &[TextQuestion<'_>],
    effort: Effort,
) -> Decoded<Option<Vec<TextAnswer>>> {
    let Some((body, is_ascii)) = text::templates_body(input) else {
        return match effort {
            Effort::Any => of_flat(&Flat::read(input, rows)?, questions).map(Some),
            Effort::Little => Ok(None),
        };
    };
    let mut answers = Vec::with_capacity(questions.len());
    for question in questions {
        answers.push(match question {
            TextQuestion::Fits(test) => match templates::find(body, rows, test, effort)? {
                Some(found) => TextAnswer::Found(found),
                None => return Ok(None),
            },
            TextQuestion::Characters if !is_ascii => {
                let texts = templates::decode(body, rows)?;
                let characters = |ends: &[i32]| {
                    let text = &texts.bytes[ends[0] as usize..ends[1] as usize];
                    text.iter().filter(|byte| !is_continuation(**byte)).count() as i64
                };
                TextAnswer::Lengths(texts.offsets.windows(2).map(characters).collect())
            }
            TextQuestion::Bytes | TextQuestion::Characters => {
                TextAnswer::Lengths(templates::lengths(body, rows)?)
            }
        });
    }
    Ok(Some(answers))
}

fn of_flat(texts: &Flat<'_>, questions: &[TextQuestion<'_>]) -> Decoded<Vec<TextAnswer>> {
    let offsets = &texts.offsets;
    let rows = offsets.len() - 1;
    let bytes_each = || offsets.windows(2).map(|ends| i64::from(ends[1] - ends[0]));
    // Of each question that reads the texts what is to be found out by that: a search, or the characters.
    let mut found: Vec<Option<BooleanBufferBuilder>> = Vec::with_capacity(questions.len());
    let mut characters: Option<Vec<i64>> = None;
    for question in questions {
        let is_search = matches!(question, TextQuestion::Fits(_));
        if matches!(question, TextQuestion::Characters) && characters.is_none() && !texts.is_ascii {
            characters = Some(bytes_each().collect());
        }
        found.push(is_search.then(|| {
            let mut found = BooleanBufferBuilder::new(rows);
            found.append_n(rows, false);
            found
        }));
    }
    if characters.is_some() || found.iter().any(Option::is_some) {
        texts.pieces(|rows, bytes| {
            for (question, found) in questions.iter().zip(&mut found) {
                if let (TextQuestion::Fits(test), Some(found)) = (question, found) {
                    test.each_row(bytes, &offsets[rows.start..=rows.end], |row| {
                        found.set_bit(rows.start + row, true);
                    });
                }
            }
            if let Some(lengths) = &mut characters
                && !bytes.is_ascii()
            {
                let base = offsets[rows.start];
                for row in rows {
                    let text = &bytes[(offsets[row] - base) as usize..(offsets[row + 1] - base) as usize];
                    lengths[row] = text.iter().filter(|byte| !is_continuation(**byte)).count() as i64;
                }
            }
            Ok(())
        })?;
    }
    let answers = questions.iter().zip(found).map(|(question, found)| match (question, found) {
        (_, Some(mut found)) => TextAnswer::Found(found.finish()),
        (TextQuestion::Characters, None) => {
            TextAnswer::Lengths(characters.clone().unwrap_or_else(|| bytes_each().collect()))
        }
        _ => TextAnswer::Lengths(bytes_each().collect()),
    });
    Ok(answers.collect())
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
    use crate::types::ColumnType;

    fn check(texts: &[String], needle: &str, case_sensitive: bool) {
        let array: ArrayRef = Arc::new(StringViewArray::from_iter_values(texts));
        let mut bytes = Vec::new();
        encode_chunk(ColumnType::String, &array, &EncodeOptions::SEAL, &mut bytes).expect("encodes");
        let other = TextTest::new(["a"], true, Anchor::Anywhere).expect("of bytes");
        let anchors = [Anchor::Anywhere, Anchor::Start, Anchor::End];
        let tests = anchors.map(|anchor| TextTest::new([needle], case_sensitive, anchor));
        let tests: Vec<TextTest> = tests.into_iter().flatten().collect();
        let ask = |question| {
            let answers = decode_chunk_texts(&bytes, texts.len(), &[question], Effort::Any).expect("sound");
            answers.expect("an answer").into_iter().next().expect("an answer")
        };
        let lengths = |length: fn(&String) -> usize| {
            TextAnswer::Lengths(texts.iter().map(|text| length(text) as i64).collect())
        };
        assert_eq!(ask(TextQuestion::Bytes), lengths(String::len));
        assert_eq!(ask(TextQuestion::Characters), lengths(|text| text.chars().count()));
        for test in &tests {
            let found = texts.iter().map(|text| test.is_match(text.as_bytes())).collect();
            assert_eq!(ask(TextQuestion::Fits(test)), TextAnswer::Found(found));
            let questions = [
                TextQuestion::Fits(&other),
                TextQuestion::Characters,
                TextQuestion::Fits(test),
                TextQuestion::Bytes,
            ];
            let together = decode_chunk_texts(&bytes, texts.len(), &questions, Effort::Any).expect("sound");
            assert_eq!(together, Some(questions.map(ask).to_vec()));
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
