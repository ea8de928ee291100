//! Questions whether a text has, begins with, ends in or is one of some needles, answered by bytes.
//!
//! A test runs over many texts that stand end to end, and it can tell of a template of texts whether all, none or
//! some of its texts pass. Knows nothing of columns or encodings.

use crate::terms::{TermFinder, TermMatch, fold, fold_character};

/// Where in a text a needle must stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    Anywhere,
    Start,
    End,
    /// The needle is the text.
    Whole,
}

/// A prepared test of texts: whether one of its needles stands where it must.
#[derive(Clone, Debug)]
pub struct TextTest {
    needles: Vec<Needle>,
    case_sensitive: bool,
    anchor: Anchor,
}

#[derive(Clone, Debug)]
struct Needle {
    /// Folded unless case matters.
    text: String,
    /// Of needles that may stand anywhere.
    finder: Option<Box<TermFinder>>,
    steps: Steps,
}

impl PartialEq for TextTest {
    fn eq(&self, other: &TextTest) -> bool {
        self.case_sensitive == other.case_sensitive
            && self.anchor == other.anchor
            && self
                .needles
                .iter()
                .map(|needle| &needle.text)
                .eq(other.needles.iter().map(|needle| &needle.text))
    }
}

impl TextTest {
    /// `None`: bytes alone do not tell, or there are no needles, or empty ones that may stand in other than whole
    /// texts.
    pub fn new<'a>(
        needles: impl IntoIterator<Item = &'a str>,
        case_sensitive: bool,
        anchor: Anchor,
    ) -> Option<TextTest> {
        let needles = needles
            .into_iter()
            .map(|text| {
                let text = if case_sensitive { text.to_owned() } else { fold(text).into_owned() };
                let by_bytes = case_sensitive || text.is_ascii();
                let finder = match anchor {
                    Anchor::Anywhere => {
                        let finder = TermFinder::new(&text, case_sensitive, TermMatch::Anywhere);
                        Some(Box::new(Some(finder).filter(TermFinder::searches_bytes)?))
                    }
                    _ => None,
                };
                let fits = by_bytes && (!text.is_empty() || anchor == Anchor::Whole);
                let steps = Steps::new(text.as_bytes(), case_sensitive);
                fits.then_some(Needle { text, finder, steps })
            })
            .collect::<Option<Vec<_>>>()?;
        (!needles.is_empty()).then_some(TextTest { needles, case_sensitive, anchor })
    }

    pub fn anchor(&self) -> Anchor {
        self.anchor
    }

    pub(crate) fn is_case_sensitive(&self) -> bool {
        self.case_sensitive
    }

    /// What is looked for, folded unless case matters.
    pub(crate) fn needles(&self) -> impl Iterator<Item = &str> {
        self.needles.iter().map(|needle| needle.text.as_str())
    }

    /// Whether a text passes.
    pub fn is_match(&self, text: &[u8]) -> bool {
        self.needles.iter().any(|needle| self.has(needle, text))
    }

    fn same(&self, left: &[u8], right: &[u8]) -> bool {
        if self.case_sensitive { left == right } else { left.eq_ignore_ascii_case(right) }
    }

    fn has(&self, needle: &Needle, text: &[u8]) -> bool {
        let bytes = needle.text.as_bytes();
        match self.anchor {
            Anchor::Anywhere => {
                let mut found = false;
                if let Some(finder) = &needle.finder {
                    finder.each_row(text, &[0, text.len() as i32], |_| found = true);
                }
                found
            }
            Anchor::Start => text.get(..bytes.len()).is_some_and(|head| self.same(head, bytes)),
            Anchor::End => {
                let tail = text.len().checked_sub(bytes.len()).and_then(|start| text.get(start..));
                tail.is_some_and(|tail| self.same(tail, bytes))
            }
            Anchor::Whole => {
                if self.case_sensitive || text.is_ascii() {
                    return self.same(text, bytes);
                }
                // Some letters of other scripts are, in another case, ASCII.
                let text = std::str::from_utf8(text).unwrap_or_default();
                text.chars().map(fold_character).eq(needle.text.chars())
            }
        }
    }

    /// Calls `found` with the number of each text that passes, perhaps more than once. The texts stand end to end in
    /// `bytes`, text `n` from `offsets[n]` to `offsets[n + 1]`, counted from `offsets[0]`.
    pub fn each_row(&self, bytes: &[u8], offsets: &[i32], mut found: impl FnMut(usize)) {
        if self.anchor == Anchor::Anywhere {
            for finder in self.needles.iter().filter_map(|needle| needle.finder.as_ref()) {
                finder.each_row(bytes, offsets, &mut found);
            }
            return;
        }
        let base = offsets.first().copied().unwrap_or(0);
        for (row, ends) in offsets.windows(2).enumerate() {
            let text = bytes.get((ends[0] - base) as usize..(ends[1] - base) as usize);
            if text.is_some_and(|text| self.is_match(text)) {
                found(row);
            }
        }
    }

    /// Of texts that have these literals in this order, each but the last followed by one byte or more of the set:
    /// whether all pass, or none. `None`: it depends on what varies. There is one set fewer than literals.
    pub(crate) fn verdict(&self, literals: &[&[u8]], sets: &[ByteSet]) -> Option<bool> {
        // Of letters of other scripts bytes do not tell.
        if !self.case_sensitive
            && self.anchor == Anchor::Whole
            && !literals.iter().all(|part| part.is_ascii())
        {
            return None;
        }
        let (first, last) =
            (literals.first().copied().unwrap_or(&[]), literals.last().copied().unwrap_or(&[]));
        let always = |needle: &Needle| match self.anchor {
            Anchor::Anywhere => literals.iter().any(|literal| self.has(needle, literal)),
            Anchor::Start => self.has(needle, first),
            Anchor::End => self.has(needle, last),
            Anchor::Whole => sets.is_empty() && self.has(needle, first),
        };
        if self.needles.iter().any(always) {
            return Some(true);
        }
        let may = |needle: &Needle| needle.steps.may_stand(self.anchor, literals, sets);
        if self.needles.iter().any(may) { None } else { Some(false) }
    }
}

/// What the bytes of a varying part of a text may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ByteSet {
    Digits,
    /// `0-9a-f`.
    LowerHex,
    /// `0-9a-f-`.
    Guid,
}

/// How far a needle has been read, a bit for each of its places: bit `n` says that its first `n` bytes stand right
/// before. Of a long needle only the beginning.
#[derive(Clone, Debug)]
struct Steps {
    /// By byte: the places of the needle where it stands.
    places: Box<[u128; 256]>,
    /// By set of bytes: the places of the needle where one of it stands.
    sets: [u128; 3],
    length: usize,
    is_cut: bool,
}

impl Steps {
    const LENGTH_MAX: usize = 127;

    fn new(needle: &[u8], case_sensitive: bool) -> Steps {
        let mut places = Box::new([0; 256]);
        let mut sets = [0; 3];
        for (place, byte) in needle.iter().take(Self::LENGTH_MAX).enumerate() {
            places[usize::from(*byte)] |= 1 << place;
            if !case_sensitive {
                places[usize::from(byte.to_ascii_uppercase())] |= 1 << place;
            }
            let is_hex = matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            let inside = [byte.is_ascii_digit(), is_hex, is_hex || *byte == b'-'];
            for (set, inside) in sets.iter_mut().zip(inside) {
                *set |= u128::from(inside) << place;
            }
        }
        let length = needle.len().min(Self::LENGTH_MAX);
        Steps { places, sets, length, is_cut: length < needle.len() }
    }

    /// Whether a text of the literals and what may stand between them may have the needle where it must stand.
    fn may_stand(&self, anchor: Anchor, literals: &[&[u8]], sets: &[ByteSet]) -> bool {
        let may_begin_late = matches!(anchor, Anchor::Anywhere | Anchor::End);
        let must_end = matches!(anchor, Anchor::End | Anchor::Whole) && !self.is_cut;
        let end = 1u128 << self.length;
        let late = u128::from(may_begin_late);
        let mut reached = 1u128;
        for (place, literal) in literals.iter().enumerate() {
            for byte in *literal {
                reached = (reached & self.places[usize::from(*byte)]) << 1 | late;
                if reached & end != 0 && !must_end {
                    return true;
                }
            }
            let Some(set) = sets.get(place) else { continue };
            let inside = self.sets[*set as usize];
            let mut next = (reached & inside) << 1 | late;
            loop {
                let more = next | (next & inside) << 1;
                if more == next {
                    break;
                }
                next = more;
            }
            reached = next;
            if reached & end != 0 && !must_end {
                return true;
            }
        }
        reached & end != 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn expected(text: &str, needle: &str, case_sensitive: bool, anchor: Anchor) -> bool {
        let (text, needle) = match case_sensitive {
            true => (text.to_owned(), needle.to_owned()),
            false => (fold(text).into_owned(), fold(needle).into_owned()),
        };
        match anchor {
            Anchor::Anywhere => text.contains(&needle),
            Anchor::Start => text.starts_with(&needle),
            Anchor::End => text.ends_with(&needle),
            Anchor::Whole => text == needle,
        }
    }

    fn anchors() -> impl Strategy<Value = Anchor> {
        prop_oneof![Just(Anchor::Anywhere), Just(Anchor::Start), Just(Anchor::End), Just(Anchor::Whole)]
    }

    proptest! {
        #[test]
        fn rows_that_pass_are_those_that_pass_alone(
            texts in proptest::collection::vec("[aAbB1é]{0,5}", 0..20),
            needles in proptest::collection::vec("[aAbB1é]{0,3}", 0..3),
            case_sensitive: bool,
            anchor in anchors(),
        ) {
            let Some(test) = TextTest::new(needles.iter().map(String::as_str), case_sensitive, anchor) else {
                return Ok(());
            };
            let mut offsets = vec![5];
            for text in &texts {
                offsets.push(offsets[offsets.len() - 1] + text.len() as i32);
            }
            let mut found = vec![false; texts.len()];
            test.each_row(texts.concat().as_bytes(), &offsets, |row| found[row] = true);
            for (text, found) in texts.iter().zip(found) {
                let wanted = needles.iter().any(|needle| expected(text, needle, case_sensitive, anchor));
                prop_assert_eq!(found, wanted, "{}", text);
                prop_assert_eq!(test.is_match(text.as_bytes()), wanted, "{}", text);
            }
        }

        #[test]
        fn a_verdict_holds_for_all_texts_of_a_template(
            literals in proptest::collection::vec("[aAbg1 -]{0,3}", 1..4),
            values in proptest::collection::vec("[0-9]{1,3}|[0-9a-f]{1,3}|[0-9a-f-]{1,3}", 3),
            needles in proptest::collection::vec("[aAbg1 -]{1,4}", 1..3),
            case_sensitive: bool,
            anchor in anchors(),
        ) {
            let test = TextTest::new(needles.iter().map(String::as_str), case_sensitive, anchor).expect("of bytes");
            let mut text = String::new();
            let mut sets = Vec::new();
            for (place, literal) in literals.iter().enumerate() {
                text.push_str(literal);
                if place + 1 < literals.len() {
                    let value = &values[place];
                    text.push_str(value);
                    sets.push(if value.bytes().all(|byte| byte.is_ascii_digit()) {
                        ByteSet::Digits
                    } else if value.contains('-') {
                        ByteSet::Guid
                    } else {
                        ByteSet::LowerHex
                    });
                }
            }
            let literals: Vec<&[u8]> = literals.iter().map(|literal| literal.as_bytes()).collect();
            if let Some(verdict) = test.verdict(&literals, &sets) {
                prop_assert_eq!(verdict, test.is_match(text.as_bytes()), "{}", text);
            }
        }
    }
}
