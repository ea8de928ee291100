//! A search in the text of values without the text: key by key and leaf by leaf.
//!
//! What is looked for has no character that stands between keys and leaves, so that it is within one of them or
//! nowhere. Keys are looked at once a shape, texts of a dictionary once, and numbers only where what is looked for
//! may be part of one.

use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder};

use super::decode::Values;
use super::{Chunk, Leaf, Node, kind};
use crate::dynamic::{DynamicKind, DynamicRef, write_json_string};
use crate::encoding::input::{Decoded, Input, Malformed};
use crate::encoding::text::{DecodedText, Texts};
use crate::terms::TermFinder;

/// Which values, as `tostring` writes them, have what is looked for. `None`: it takes the texts to tell.
pub(crate) fn search(input: Input<'_>, rows: usize, finder: &TermFinder) -> Decoded<Option<BooleanBuffer>> {
    if !stands_in_one_part(finder.needle()) {
        return Ok(None);
    }
    let chunk = Chunk::read(input, rows)?;
    // Leaves that are the whole value are written in another way than those within.
    let mut whole = vec![false; chunk.leaves.len()];
    for shape in &chunk.shapes {
        if let Node::Leaf(leaf) = shape.root {
            whole[leaf as usize] = true;
        }
    }
    let is_mixed = |leaf: &u32, root: &Node<'_>| whole[*leaf as usize] && !matches!(root, Node::Leaf(_));
    if chunk.shapes.iter().any(|shape| shape.leaves.iter().any(|leaf| is_mixed(leaf, &shape.root))) {
        return Ok(None);
    }
    let mut in_leaves: Vec<Option<BooleanBuffer>> = Vec::with_capacity(chunk.leaves.len());
    for (leaf, whole) in chunk.leaves.iter().zip(&whole) {
        if !may_have(leaf.kind, finder) {
            in_leaves.push(None);
            continue;
        }
        let Some(found) = in_leaf(leaf, *whole, finder)? else { return Ok(None) };
        in_leaves.push(Some(found).filter(|found| found.count_set_bits() > 0));
    }
    let mut scratch = String::new();
    let mut in_shapes = Vec::with_capacity(chunk.shapes.len());
    for shape in &chunk.shapes {
        let keys = !matches!(shape.root, Node::Null) && in_keys(&shape.root, finder, &mut scratch)?;
        let leaves: Vec<usize> = shape.leaves.iter().map(|leaf| *leaf as usize).collect();
        in_shapes
            .push((keys, leaves.into_iter().filter(|leaf| in_leaves[*leaf].is_some()).collect::<Vec<_>>()));
    }
    let mut next = vec![0usize; chunk.leaves.len()];
    let mut found = BooleanBufferBuilder::new(rows);
    for code in &chunk.codes {
        let (keys, leaves) = &in_shapes[*code as usize];
        let mut has = *keys;
        for leaf in leaves {
            has |= in_leaves[*leaf].as_ref().is_some_and(|found| found.value(next[*leaf]));
            next[*leaf] += 1;
        }
        found.append(has);
    }
    Ok(Some(found.finish()))
}

/// Between the parts of an object stand `"`, `{`, `}`, a comma before a quotation mark and a colon after one.
fn stands_in_one_part(needle: &str) -> bool {
    !needle.is_empty()
        && !needle.contains(['"', '{', '}', '[', ']'])
        && !needle.starts_with(':')
        && !needle.ends_with(',')
}

/// Whether a value of the kind may be written so that it has what is looked for.
fn may_have(kind: u8, finder: &TermFinder) -> bool {
    let letters = match kind {
        kind::BOOL => return finder.is_match("true") || finder.is_match("false"),
        kind::LONG => "0123456789-",
        kind::REAL => "0123456789.+-einfaty",
        kind::DATETIME | kind::TIMESPAN => "0123456789.:-tz",
        kind::GUID => "0123456789abcdef-",
        _ => return true,
    };
    finder.needle().chars().all(|character| letters.contains(character.to_ascii_lowercase()))
}

fn in_keys(node: &Node<'_>, finder: &TermFinder, scratch: &mut String) -> Decoded<bool> {
    Ok(match node {
        Node::Null => finder.is_match("null"),
        Node::Leaf(_) => false,
        Node::Object(entries) => {
            for (key, node) in entries {
                if in_string(key, false, finder, scratch)? || in_keys(node, finder, scratch)? {
                    return Ok(true);
                }
            }
            false
        }
    })
}

/// Whether a string, within another value or alone, has it.
fn in_string(bytes: &[u8], whole: bool, finder: &TermFinder, scratch: &mut String) -> Decoded<bool> {
    let text = std::str::from_utf8(bytes).map_err(|_| Malformed("a text is not UTF-8"))?;
    let is_plain = whole || !bytes.iter().any(|byte| *byte < 0x20 || matches!(byte, b'"' | b'\\'));
    if is_plain {
        return Ok(finder.is_match(text));
    }
    scratch.clear();
    write_json_string(text, scratch);
    Ok(finder.is_match(scratch))
}

/// Whether a value has it; `None`: the engine writes it in its own way.
fn in_value(bytes: &[u8], whole: bool, finder: &TermFinder, scratch: &mut String) -> Option<bool> {
    let value = DynamicRef::new(bytes);
    scratch.clear();
    match whole {
        true if value.kind() == DynamicKind::Real => return None,
        true => value.to_text(scratch),
        false => value.to_json(scratch),
    }
    Some(finder.is_match(scratch))
}

/// Whether the bytes of a value have what is looked for, if that can be told.
type Test<'a> = Box<dyn FnMut(&[u8]) -> Decoded<Option<bool>> + 'a>;

/// For each value of a leaf.
fn in_leaf(leaf: &Leaf<'_>, whole: bool, finder: &TermFinder) -> Decoded<Option<BooleanBuffer>> {
    let mut scratch = String::new();
    let values = Values::read(leaf)?;
    let mut test: Test<'_> = match &values {
        Values::Strings(_) => Box::new(|bytes| in_string(bytes, whole, finder, &mut scratch).map(Some)),
        _ => Box::new(|bytes| Ok(in_value(bytes, whole, finder, &mut scratch))),
    };
    let mut found = BooleanBufferBuilder::new(leaf.count);
    match &values {
        Values::Strings(texts) | Values::Raw(texts) => {
            let (texts, codes) = match texts {
                DecodedText::Flat(texts) => (texts, None),
                DecodedText::Dictionary { values, codes } => (values, Some(codes)),
            };
            let mut of_texts = Vec::with_capacity(texts.offsets.len());
            for place in texts.offsets.windows(2) {
                let Some(has) = test(text_between(texts, place)?)? else { return Ok(None) };
                of_texts.push(has);
            }
            match codes {
                Some(codes) => codes.iter().for_each(|code| found.append(of_texts[*code as usize])),
                None => found.append_slice(&of_texts),
            }
        }
        values => {
            let mut bytes = Vec::new();
            for index in 0..leaf.count {
                bytes.clear();
                values.append(index, &mut bytes)?;
                let Some(has) = test(&bytes)? else { return Ok(None) };
                found.append(has);
            }
        }
    }
    Ok((found.len() == leaf.count).then(|| found.finish()))
}

fn text_between<'t>(texts: &'t Texts, place: &[i32]) -> Decoded<&'t [u8]> {
    let range = place[0] as usize..place[1] as usize;
    texts.bytes.get(range).ok_or(Malformed("texts lie outside their buffer"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Array, ArrayRef, BinaryViewArray};
    use proptest::prelude::*;

    use super::*;
    use crate::encoding::{EncodeOptions, decode_chunk_dynamics, encode_chunk};
    use crate::terms::TermMatch;
    use crate::types::ColumnType;

    fn json() -> impl Strategy<Value = String> {
        let text = prop_oneof![
            Just("abc"),
            Just("x ab"),
            Just("a\\nbc"),
            Just("Ab,c"),
            Just("q:abc"),
            Just("12"),
            Just("ſk")
        ];
        let scalar = prop_oneof![
            text.prop_map(|text| format!("\"{text}\"")),
            (-20i64..2000).prop_map(|long| long.to_string()),
            (-9.0..9.0f64).prop_map(|real| format!("{real:?}")),
            Just(String::from("true")),
            Just(String::from("null")),
            Just(String::from("[1,\"abc\",{\"ab\":2}]")),
            Just(String::from("{}")),
            Just(String::from("{\"abc\":{\"x\":1},\"b\":\"ab\"}")),
        ];
        let keys = prop::sample::subsequence(vec!["k", "abc", "a\\\"b", "n1"], 0..4);
        prop_oneof![
            1 => scalar.clone(),
            6 => (keys, prop::collection::vec(scalar, 4)).prop_map(|(keys, values)| {
                let parts: Vec<String> =
                    keys.iter().zip(values).map(|(key, value)| format!("\"{key}\":{value}")).collect();
                format!("{{{}}}", parts.join(","))
            }),
        ]
    }

    proptest! {
        #[test]
        fn agrees_with_the_texts(
            kinds in prop::collection::vec(json(), 1..6),
            repeats in 1usize..400,
            needle in "[abcknull12tre,: {\\\\\"s-]{1,3}|true|null|abc|x ab|nbc",
            case_sensitive: bool,
            kind in prop_oneof![Just(TermMatch::Whole), Just(TermMatch::Prefix), Just(TermMatch::Suffix), Just(TermMatch::Anywhere)],
        ) {
            let values: Vec<Vec<u8>> = (0..repeats)
                .map(|row| crate::dynamic::from_json(&kinds[row % kinds.len()]).expect("JSON"))
                .collect();
            let array: ArrayRef = Arc::new(BinaryViewArray::from_iter_values(&values));
            let mut bytes = Vec::new();
            encode_chunk(ColumnType::Dynamic, &array, &EncodeOptions::SEAL, &mut bytes).expect("encodes");
            let finder = TermFinder::new(&needle, case_sensitive, kind);
            if let Some(found) = decode_chunk_dynamics(&bytes, array.len(), &finder).expect("readable") {
                for (row, value) in values.iter().enumerate() {
                    let mut text = String::new();
                    DynamicRef::new(value).to_text(&mut text);
                    prop_assert_eq!(found.value(row), finder.is_match(&text), "{} in {}", needle, text);
                }
            }
        }
    }
}
