//! Kusto terms: maximal runs of alphanumeric characters, compared without regard to case.
//!
//! Shared by the term index and by the engine's `has` family, so that both split text alike. Knows nothing
//! of columns or files.

use std::borrow::Cow;

const ASCII_TERM: [bool; 128] = {
    let mut table = [false; 128];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    table
};

/// Whether the character belongs to a term.
#[inline]
pub fn is_term_character(character: char) -> bool {
    match ASCII_TERM.get(character as usize) {
        Some(known) => *known,
        None => character.is_alphanumeric(),
    }
}

/// The terms of a text in order, as they stand in it (not lower-cased).
#[derive(Clone, Debug)]
pub struct Terms<'a> {
    rest: &'a str,
}

/// Splits a text into its terms.
pub fn terms(text: &str) -> Terms<'_> {
    Terms { rest: text }
}

/// Length in bytes of the term (or, with `inside` false, of the gap) that `text` starts with.
#[inline]
fn run_length(text: &str, inside: bool) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte < 0x80 {
            if ASCII_TERM[byte as usize] != inside {
                return at;
            }
            at += 1;
        } else {
            match text[at..].chars().next() {
                Some(character) if character.is_alphanumeric() == inside => at += character.len_utf8(),
                _ => return at,
            }
        }
    }
    at
}

impl<'a> Iterator for Terms<'a> {
    type Item = &'a str;

    #[inline]
    fn next(&mut self) -> Option<&'a str> {
        let text = &self.rest[run_length(self.rest, false)..];
        if text.is_empty() {
            self.rest = text;
            return None;
        }
        let (term, rest) = text.split_at(run_length(text, true));
        self.rest = rest;
        Some(term)
    }
}

/// The representative of all characters equal to this one without regard to case: its simple upper case,
/// lowered again, so that `Σ`, `σ` and `ς` fall together. Characters whose mapping is longer than one
/// character stay as they are.
#[inline]
pub fn fold_character(character: char) -> char {
    if character.is_ascii() {
        return character.to_ascii_lowercase();
    }
    let mut upper = character.to_uppercase();
    let raised = match (upper.next(), upper.next()) {
        (Some(single), None) => single,
        _ => character,
    };
    let mut lower = raised.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(single), None) => single,
        _ => raised,
    }
}

/// The text with every character folded (see [`fold_character`]).
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(text.to_ascii_lowercase())
        } else {
            Cow::Borrowed(text)
        }
    } else {
        Cow::Owned(text.chars().map(fold_character).collect())
    }
}

/// Which ends of a found text must be ends of a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TermMatch {
    /// Both: `has`.
    Whole,
    /// Only the start: `hasprefix`.
    Prefix,
    /// Only the end: `hassuffix`.
    Suffix,
    /// Neither: `contains`.
    Anywhere,
}

/// A prepared search for one text. Build once, use for many rows.
#[derive(Clone, Debug)]
pub struct TermFinder {
    /// Folded unless the search minds case.
    needle: String,
    case_sensitive: bool,
    kind: TermMatch,
    starts_with_term: bool,
    ends_with_term: bool,
    /// Position in the needle, and both cases, of the ASCII byte that is searched for.
    probe: Option<(usize, u8, u8)>,
    exact: Option<memchr::memmem::Finder<'static>>,
    /// For needles of ASCII in whatever case.
    folded: Option<IgnoreCaseFinder>,
}

/// How rare an ASCII byte is in logs and prose; the larger the rarer.
fn rarity(byte: u8) -> u8 {
    match byte.to_ascii_lowercase() {
        b'j' | b'q' | b'x' | b'z' => 9,
        b'k' | b'v' | b'w' | b'y' => 7,
        b'b' | b'f' | b'g' | b'h' | b'p' | b'u' => 5,
        b'0'..=b'9' => 4,
        b'c' | b'd' | b'l' | b'm' => 3,
        b'e' | b't' | b'a' | b' ' => 0,
        byte if byte.is_ascii_alphabetic() => 1,
        _ => 6,
    }
}

impl TermFinder {
    /// Prepares the search. An empty needle is found everywhere.
    pub fn new(needle: &str, case_sensitive: bool, kind: TermMatch) -> TermFinder {
        let needle = if case_sensitive { needle.to_owned() } else { fold(needle).into_owned() };
        let starts_with_term = needle.chars().next().is_some_and(is_term_character);
        let ends_with_term = needle.chars().next_back().is_some_and(is_term_character);
        let probe = (!case_sensitive && needle.is_ascii())
            .then(|| {
                needle
                    .bytes()
                    .enumerate()
                    .max_by_key(|(position, byte)| (rarity(*byte), std::cmp::Reverse(*position)))
                    .map(|(position, byte)| (position, byte, byte.to_ascii_uppercase()))
            })
            .flatten();
        let exact = case_sensitive.then(|| memchr::memmem::Finder::new(needle.as_bytes()).into_owned());
        let folded = if case_sensitive { None } else { IgnoreCaseFinder::new(needle.as_bytes()) };
        TermFinder { needle, case_sensitive, kind, starts_with_term, ends_with_term, probe, exact, folded }
    }

    /// What is looked for, folded unless case matters.
    pub fn needle(&self) -> &str {
        &self.needle
    }

    /// Whether the text has the needle as a term (or prefix, suffix, part of one).
    pub fn is_match(&self, haystack: &str) -> bool {
        if self.needle.is_empty() {
            return true;
        }
        if haystack.len() < self.needle.len() && (self.case_sensitive || haystack.is_ascii()) {
            return false;
        }
        if let Some(finder) = &self.exact {
            let mut from = 0;
            while let Some(found) = haystack.as_bytes().get(from..).and_then(|rest| finder.find(rest)) {
                let start = from + found;
                if self.bounded(haystack, start, start + self.needle.len()) {
                    return true;
                }
                from = start + 1;
            }
            return false;
        }
        match self.probe {
            Some((position, lower, upper)) => self.match_ascii(haystack, position, lower, upper),
            None => self.match_folded(haystack),
        }
    }

    fn match_ascii(&self, haystack: &str, position: usize, lower: u8, upper: u8) -> bool {
        let bytes = haystack.as_bytes();
        let needle = self.needle.as_bytes();
        let candidate = |found: usize| {
            let Some(start) = found.checked_sub(position) else { return false };
            let Some(window) = bytes.get(start..start + needle.len()) else { return false };
            window.eq_ignore_ascii_case(needle) && self.bounded(haystack, start, start + needle.len())
        };
        if lower == upper {
            memchr::memchr_iter(lower, bytes).any(candidate)
        } else {
            memchr::memchr2_iter(lower, upper, bytes).any(candidate)
        }
    }

    /// Whether [`TermFinder::each_row`] can answer: the needle may stand anywhere, and bytes tell.
    pub fn searches_bytes(&self) -> bool {
        self.kind == TermMatch::Anywhere
            && !self.needle.is_empty()
            && (self.exact.is_some() || self.probe.is_some())
    }

    /// Calls `found` with the number of each text that has the needle, in order. The texts stand end to end in
    /// `bytes`, text `n` from `offsets[n]` to `offsets[n + 1]`, counted from `offsets[0]`. Only for finders that
    /// [search bytes](TermFinder::searches_bytes).
    pub fn each_row(&self, bytes: &[u8], offsets: &[i32], mut found: impl FnMut(usize)) {
        let base = offsets.first().copied().unwrap_or(0);
        let place = |row: usize| offsets.get(row).map_or(bytes.len(), |offset| (offset - base) as usize);
        let (mut row, mut from) = (0, 0);
        while let Some(start) = self.find_bytes(bytes, from) {
            let rest = offsets.get(row + 1..).unwrap_or_default();
            row += rest.partition_point(|end| (end - base) as usize <= start);
            if row + 1 >= offsets.len() {
                return;
            }
            if start + self.needle.len() <= place(row + 1) {
                found(row);
                row += 1;
                from = place(row);
            } else {
                from = start + 1;
            }
        }
    }

    /// Where the needle next stands in the bytes, whatever text it is in.
    fn find_bytes(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let rest = bytes.get(from..)?;
        if let Some(finder) = &self.exact {
            return finder.find(rest).map(|at| from + at);
        }
        self.folded.as_ref()?.find(bytes, from)
    }

    fn match_folded(&self, haystack: &str) -> bool {
        haystack.char_indices().any(|(start, _)| {
            let mut rest = haystack[start..].char_indices();
            for expected in self.needle.chars() {
                match rest.next() {
                    Some((_, character)) if fold_character(character) == expected => {}
                    _ => return false,
                }
            }
            self.bounded(haystack, start, start + rest.offset())
        })
    }

    /// Whether the ends of a found place are ends of terms where they must be.
    #[inline]
    fn bounded(&self, haystack: &str, start: usize, end: usize) -> bool {
        let check_start = matches!(self.kind, TermMatch::Whole | TermMatch::Prefix) && self.starts_with_term;
        let check_end = matches!(self.kind, TermMatch::Whole | TermMatch::Suffix) && self.ends_with_term;
        (!check_start || !haystack[..start].chars().next_back().is_some_and(is_term_character))
            && (!check_end || !haystack[end..].chars().next().is_some_and(is_term_character))
    }
}

/// Bytes that are compared at a time: the compiler makes vector instructions of a loop over so many.
const LANES: usize = 32;

/// A search for an ASCII text in whatever case. Its two rarest bytes are looked for at many places at once; only
/// where both fit is the rest compared.
#[derive(Clone, Debug)]
pub struct IgnoreCaseFinder {
    /// In lower case.
    needle: Box<[u8]>,
    /// Positions of the two bytes.
    first: usize,
    second: usize,
}

impl IgnoreCaseFinder {
    /// Of a needle in lower case; `None` where it is empty or has other than ASCII characters.
    pub fn new(needle: &[u8]) -> Option<IgnoreCaseFinder> {
        let rarest = |except: Option<usize>| {
            (0..needle.len())
                .filter(|position| Some(*position) != except)
                .max_by_key(|position| (rarity(needle[*position]), std::cmp::Reverse(*position)))
        };
        let first = rarest(None).filter(|_| needle.is_ascii())?;
        Some(IgnoreCaseFinder { needle: needle.into(), first, second: rarest(Some(first)).unwrap_or(first) })
    }

    /// Bytes of the needle, which is never empty.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.needle.len()
    }

    /// Where the needle first stands in the bytes, from a place on.
    pub fn find(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let (needle, first, second) = (&*self.needle, self.first, self.second);
        let last = bytes.len().checked_sub(needle.len())?;
        // A letter's cases differ in one bit.
        let case = |byte: u8| if byte.is_ascii_lowercase() { 0x20 } else { 0 };
        let (one, other) = (needle[first], needle[second]);
        let (one_case, other_case) = (case(one), case(other));
        let stands = |start: usize| bytes[start..start + needle.len()].eq_ignore_ascii_case(needle);
        let mut start = from;
        while start + LANES <= last + 1 {
            let ones: &[u8; LANES] = bytes[start + first..].first_chunk()?;
            let others: &[u8; LANES] = bytes[start + second..].first_chunk()?;
            let mut fits = [0u8; LANES];
            let mut any = 0;
            for lane in 0..LANES {
                let both =
                    u8::from(ones[lane] | one_case == one) & u8::from(others[lane] | other_case == other);
                fits[lane] = both;
                any |= both;
            }
            if any != 0 {
                let hit = (0..LANES).find(|lane| fits[*lane] != 0 && stands(start + lane));
                if let Some(lane) = hit {
                    return Some(start + lane);
                }
            }
            start += LANES;
        }
        (start..=last).find(|start| stands(*start))
    }
}

/// Whether the text has the whole term. For many rows build a [`TermFinder`] instead.
pub fn contains_term(haystack: &str, term: &str, case_sensitive: bool) -> bool {
    TermFinder::new(term, case_sensitive, TermMatch::Whole).is_match(haystack)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_splits_at_whatever_is_not_alphanumeric() {
        let cases: [(&str, &[&str]); 5] = [
            ("", &[]),
            (" -- ", &[]),
            ("GET /api/v2/users?id=17", &["GET", "api", "v2", "users", "id", "17"]),
            ("größe_x:дом№5", &["größe", "x", "дом", "5"]),
            ("a", &["a"]),
        ];
        for (text, expected) in cases {
            assert_eq!(terms(text).collect::<Vec<_>>(), expected, "{text}");
        }
    }

    #[test]
    fn a_term_is_found_whole_only() {
        let cases = [
            ("North America", "america", false, true),
            ("North America", "america", true, false),
            ("North America", "amer", false, false),
            ("North America", "North America", true, true),
            ("x-abc", "-abc", false, true),
            ("x-abcd", "-abc", false, false),
            ("", "", false, true),
            ("abcabc abc", "abc", false, true),
            ("ΣΊΣΥΦΟΣ!", "σίσυφος", false, true),
            ("éabc", "abc", false, false),
        ];
        for (text, term, case_sensitive, expected) in cases {
            assert_eq!(contains_term(text, term, case_sensitive), expected, "{text} has {term}");
        }
    }

    proptest! {
        #[test]
        fn rows_agree_with_texts_one_by_one(
            texts in proptest::collection::vec("[aAbBkK/1 é]{0,60}", 0..40),
            needle in "[aAbBkK/1é]{1,4}",
            case_sensitive: bool,
        ) {
            let finder = TermFinder::new(&needle, case_sensitive, TermMatch::Anywhere);
            prop_assert_eq!(finder.searches_bytes(), case_sensitive || needle.is_ascii());
            if finder.searches_bytes() {
                let mut offsets = vec![7];
                for text in &texts {
                    offsets.push(offsets[offsets.len() - 1] + text.len() as i32);
                }
                let mut found = Vec::new();
                finder.each_row(texts.concat().as_bytes(), &offsets, |row| found.push(row));
                let expected: Vec<usize> =
                    (0..texts.len()).filter(|row| finder.is_match(&texts[*row])).collect();
                prop_assert_eq!(found, expected);
            }
        }

        #[test]
        fn finder_agrees_with_splitting(text in "[aAbBσΣ ./]{0,24}", term in "[aAbBσΣ]{1,3}") {
            let folded = fold(&term);
            let has = |test: &dyn Fn(&str) -> bool| terms(&text).any(|found| test(&fold(found)));
            prop_assert_eq!(contains_term(&text, &term, false), has(&|found| found == folded));
            prop_assert_eq!(contains_term(&text, &term, true), terms(&text).any(|found| found == term));
            let find = |kind| TermFinder::new(&term, false, kind).is_match(&text);
            prop_assert_eq!(find(TermMatch::Prefix), has(&|found| found.starts_with(&*folded)));
            prop_assert_eq!(find(TermMatch::Suffix), has(&|found| found.ends_with(&*folded)));
            prop_assert_eq!(find(TermMatch::Anywhere), fold(&text).contains(&*folded));
        }
    }
}
