//! Regular expressions: compiled once per pattern and thread, bounded in size (reference: RE2 syntax).
//!
//! Whatever a pattern is compiled to, its matches and groups are those of the `regex` crate.

mod direct;
pub mod needed;
pub mod rows;

use std::cell::RefCell;
use std::sync::Arc;

use arrow_array::StringViewArray;
use arrow_buffer::BooleanBuffer;
use hashbrown::HashMap;
use memchr::memmem::Finder;
use regex::{CaptureLocations, Regex, RegexBuilder};

use crate::engine::error::{EngineError, Result};
use direct::{Direct, NOWHERE, Unknown};
use rows::Literal;

/// Bytes a compiled pattern may take.
const SIZE_LIMIT: usize = 10 << 20;

/// Patterns a thread remembers.
const CACHED: usize = 256;

thread_local! {
    static CACHE: RefCell<HashMap<String, Arc<Pattern>, foldhash::fast::RandomState>> = RefCell::default();
}

/// A compiled pattern.
#[derive(Debug)]
pub struct Pattern {
    regex: Regex,
    direct: Option<Direct>,
    /// A text without it does not match.
    needed: Option<Finder<'static>>,
}

/// Where the groups of a match stand. Made by [`Pattern::groups`], for that pattern only.
#[derive(Debug)]
pub struct Groups {
    slots: Vec<usize>,
    locations: Option<CaptureLocations>,
}

impl Groups {
    /// Start and end of a group of the last match, in bytes; `None`: it has no part in it.
    pub fn get(&self, group: usize) -> Option<(usize, usize)> {
        let slots = self.slots.get(group.checked_mul(2)?..)?;
        match slots {
            [NOWHERE, ..] => None,
            [start, end, ..] => Some((*start, *end)),
            _ => None,
        }
    }
}

impl Pattern {
    /// Takes a compiled expression; the text it has is compiled a second time, for what can be done without it.
    pub fn new(regex: Regex) -> Pattern {
        let hir = regex_syntax::Parser::new().parse(regex.as_str()).ok();
        Pattern::with(regex, hir.as_ref())
    }

    /// An expression that was built with other than the default flags.
    pub fn with(regex: Regex, hir: Option<&regex_syntax::hir::Hir>) -> Pattern {
        let needed = hir.and_then(needed::longest).map(|literal| Finder::new(&literal).into_owned());
        Pattern { regex, direct: hir.and_then(Direct::new), needed }
    }

    /// Room for the groups of matches.
    pub fn groups(&self) -> Groups {
        Groups { slots: vec![NOWHERE; self.regex.captures_len() * 2], locations: None }
    }

    /// Number of groups, the whole match included.
    pub fn group_count(&self) -> usize {
        self.regex.captures_len()
    }

    /// The number of a group by its name.
    pub fn group_named(&self, name: &str) -> Option<usize> {
        self.regex.capture_names().position(|known| known == Some(name))
    }

    pub fn as_str(&self) -> &str {
        self.regex.as_str()
    }

    pub fn is_match(&self, text: &str) -> bool {
        match self.directly(text, 0, &mut []) {
            Ok(found) => found.is_some(),
            Err(Unknown) => self.may_match(text) && self.regex.is_match(text),
        }
    }

    /// Start and end of the leftmost match from a place on, which is between two characters.
    pub fn find_at(&self, text: &str, from: usize) -> Option<(usize, usize)> {
        match self.directly(text, from, &mut []) {
            Ok(found) => found,
            Err(Unknown) if from == 0 && !self.may_match(text) => None,
            Err(Unknown) => self.regex.find_at(text, from).map(|found| (found.start(), found.end())),
        }
    }

    /// As [`Pattern::find_at`], with the groups.
    pub fn captures_at(&self, text: &str, from: usize, groups: &mut Groups) -> Option<(usize, usize)> {
        let found = match self.directly(text, from, &mut groups.slots) {
            Ok(found) => found,
            Err(Unknown) if from == 0 && !self.may_match(text) => None,
            Err(Unknown) => {
                let locations = groups.locations.get_or_insert_with(|| self.regex.capture_locations());
                let found = self.regex.captures_read_at(locations, text, from);
                for (group, slots) in groups.slots.chunks_exact_mut(2).enumerate() {
                    let (start, end) = locations.get(group).unwrap_or((NOWHERE, NOWHERE));
                    slots.copy_from_slice(&[start, end]);
                }
                found.map(|found| (found.start(), found.end()))
            }
        };
        if let (Some((start, end)), [first, last, ..]) = (found, &mut groups.slots[..]) {
            (*first, *last) = (start, end);
        }
        found
    }

    /// All matches that do not overlap, from the left.
    pub fn matches<'p, 't>(&'p self, text: &'t str) -> Matches<'p, 't> {
        Matches { pattern: self, text, from: 0, last_end: None }
    }

    /// The texts that may match, by a search for what every match has; `None`: each must be looked at.
    pub fn candidates(&self, texts: &StringViewArray) -> Option<BooleanBuffer> {
        let literal = match &self.direct {
            Some(direct) => direct.literal()?,
            None => Literal::Exact(self.needed.as_ref()?),
        };
        rows::rows_with(texts, literal)
    }

    fn directly(
        &self,
        text: &str,
        from: usize,
        slots: &mut [usize],
    ) -> std::result::Result<Option<(usize, usize)>, Unknown> {
        self.direct.as_ref().ok_or(Unknown)?.find_at(text, from, slots)
    }

    fn may_match(&self, text: &str) -> bool {
        self.needed.as_ref().is_none_or(|needed| needed.find(text.as_bytes()).is_some())
    }
}

/// The matches of a text.
#[derive(Debug)]
pub struct Matches<'p, 't> {
    pattern: &'p Pattern,
    text: &'t str,
    from: usize,
    last_end: Option<usize>,
}

impl Matches<'_, '_> {
    /// The next match, by a search from a place on.
    pub fn next_by(
        &mut self,
        mut find: impl FnMut(&Pattern, &str, usize) -> Option<(usize, usize)>,
    ) -> Option<(usize, usize)> {
        if self.from > self.text.len() {
            return None;
        }
        let mut found = find(self.pattern, self.text, self.from)?;
        // Nothing is not found where the match before ended.
        if found.0 == found.1 && Some(found.1) == self.last_end {
            let skipped = self.text[self.from..].chars().next().map_or(1, char::len_utf8);
            self.from += skipped;
            if self.from > self.text.len() {
                return None;
            }
            found = find(self.pattern, self.text, self.from)?;
        }
        self.from = found.1;
        self.last_end = Some(found.1);
        Some(found)
    }
}

impl Iterator for Matches<'_, '_> {
    type Item = (usize, usize);

    fn next(&mut self) -> Option<(usize, usize)> {
        self.next_by(Pattern::find_at)
    }
}

/// The compiled pattern.
pub fn compile(pattern: &str) -> Result<Arc<Pattern>> {
    if let Some(known) = CACHE.with_borrow(|cache| cache.get(pattern).cloned()) {
        return Ok(known);
    }
    let regex = RegexBuilder::new(pattern).size_limit(SIZE_LIMIT).build().map_err(|error| {
        let reason = error.to_string();
        let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
        EngineError::Evaluation(format!("the regular expression '{pattern}' is not valid: {reason}"))
    })?;
    let compiled = Arc::new(Pattern::new(regex));
    CACHE.with_borrow_mut(|cache| {
        if cache.len() >= CACHED {
            cache.clear();
        }
        cache.insert(pattern.to_owned(), compiled.clone());
    });
    Ok(compiled)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(pattern: &str, texts: &[String]) {
        let Ok(regex) = Regex::new(pattern) else { return };
        let compiled = Pattern::new(regex.clone());
        for text in texts {
            let context = format!("{pattern:?} in {text:?}");
            assert_eq!(compiled.is_match(text), regex.is_match(text), "{context}");
            let expected: Vec<_> = regex.find_iter(text).map(|found| (found.start(), found.end())).collect();
            assert_eq!(compiled.matches(text).collect::<Vec<_>>(), expected, "{context}");
            let mut groups = compiled.groups();
            let mut matches = compiled.matches(text);
            for expected in regex.captures_iter(text) {
                matches.next_by(|pattern, text, from| pattern.captures_at(text, from, &mut groups));
                for group in 0..compiled.group_count() {
                    let expected = expected.get(group).map(|part| (part.start(), part.end()));
                    assert_eq!(groups.get(group), expected, "group {group} of {context}");
                }
            }
            assert_eq!(compiled.find_at(text, 0), regex.find(text).map(|found| (found.start(), found.end())));
            if let Ok(hir) = regex_syntax::Parser::new().parse(pattern)
                && let Some(literal) = needed::longest(&hir)
                && regex.is_match(text)
            {
                assert!(memchr::memmem::find(text.as_bytes(), &literal).is_some(), "{context}");
            }
        }
    }

    #[test]
    fn patterns_of_steps_are_known_as_such() {
        let direct = [
            r"took (\d+) ms",
            r"user (\w+)",
            r"duration=(\d+)",
            r"user (\w+) logged",
            r"\d+",
            "[^0-9]+",
            r"(\d+) items",
            r"total ([0-9.]+) EUR",
            "^Token for.*seconds$",
            "from (.*) to",
            "from (.*?) to (\\d+)",
            r"(?i)error: (\d+)",
            r"\b(\d+)\b",
            r"/api/v\d/resource/99\d+/items",
            r"^\S+ (\S+)",
            r#""name":"([^"]*)""#,
            r"^Order (\d+) was .* user",
            r"\A(?:[^0-9]+)",
            r"(?:[^0-9]+)\z",
            "abc$",
        ];
        for pattern in direct {
            assert!(Pattern::new(Regex::new(pattern).expect("valid")).direct.is_some(), "{pattern}");
        }
        for pattern in ["a|bc", "(?:ab)+", r"\d*", "(?m)^a", r".*a.*b", "[a-z]+abc[a-z]+d"] {
            assert!(Pattern::new(Regex::new(pattern).expect("valid")).direct.is_none(), "{pattern}");
        }
    }

    #[test]
    fn a_text_made_to_be_slow_is_not() {
        for (pattern, unit) in
            [("a[0-9]*b[0-9ab]*c", "ab"), ("1\\d*x", "1"), ("a.*b", "a"), ("\\d+x", "7"), ("a.*ab\\d", "ab")]
        {
            let text = unit.repeat(50_000);
            check(pattern, &[text]);
        }
    }

    fn patterns() -> impl Strategy<Value = String> {
        let atom = prop_oneof![
            4 => "[ab1 ]{1,3}",
            2 => prop_oneof![
                Just(r"\d"), Just(r"\w"), Just(r"\s"), Just("[^1]"), Just("."), Just("[ab]"), Just("a"), Just("[^a ]"),
                Just(r"\S"), Just("[k-s]"), Just("(?i:k)"), Just("é"), Just(r"(?s:.)"), Just("[aé]"),
            ]
            .prop_flat_map(|class| {
                prop_oneof![
                    Just("+"), Just("*"), Just("?"), Just("+?"), Just("*?"), Just("{2}"), Just("{1,2}"), Just("{2,}"), Just("")
                ]
                .prop_map(move |count| format!("{class}{count}"))
            }),
            1 => prop_oneof![Just(r"\b"), Just("$"), Just("^"), Just(r"\B"), Just("(?i:ab)"), Just("(?i:sk1)"), Just("a|b1"), Just("(?:ab)?")]
                .prop_map(String::from),
        ];
        proptest::collection::vec((atom, any::<bool>()), 1..6).prop_map(|atoms| {
            let part = |(atom, group): (String, bool)| if group { format!("({atom})") } else { atom };
            atoms.into_iter().map(part).collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]
        #[test]
        fn matches_are_those_of_the_crate(
            pattern in patterns(),
            texts in proptest::collection::vec("[abAB1kSſé \n]{0,14}", 4),
        ) {
            check(&pattern, &texts);
        }
    }
}
