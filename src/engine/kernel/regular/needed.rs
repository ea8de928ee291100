//! What every match of a regular expression must have in it: literals, with or without regard to case.

use conshelf_storage::Anchor;
use conshelf_storage::terms::fold_character;
use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// Most characters of a set that may be one letter in all its cases.
const CASES_MAX: usize = 4;
/// Most alternatives that are told apart.
const ALTERNATIVES_MAX: usize = 16;

/// The longest text, byte for byte, that every match has. `None`: none of two bytes or more is known.
pub fn longest(hir: &Hir) -> Option<Vec<u8>> {
    fn collect(hir: &Hir, best: &mut Vec<u8>) {
        match hir.kind() {
            HirKind::Literal(literal) if literal.0.len() > best.len() => *best = literal.0.to_vec(),
            HirKind::Capture(capture) => collect(&capture.sub, best),
            HirKind::Concat(parts) => parts.iter().for_each(|part| collect(part, best)),
            HirKind::Repetition(repetition) if repetition.min > 0 => collect(&repetition.sub, best),
            _ => {}
        }
    }
    let mut best = Vec::new();
    collect(hir, &mut best);
    (best.len() > 1).then_some(best)
}

/// The texts of which one stands somewhere, at the start, at the end or as the whole in just those texts that the
/// pattern matches; `None`: the pattern is none of plain texts.
pub fn plain_texts(pattern: &str) -> Option<(Vec<String>, Anchor)> {
    let hir = regex_syntax::Parser::new().parse(pattern).ok()?;
    let (parts, anchor) = anchored(&hir);
    let texts = match parts {
        [] => return None,
        [part] => match uncaptured(part).kind() {
            HirKind::Alternation(parts) if parts.len() <= ALTERNATIVES_MAX => {
                parts.iter().map(plain).collect::<Option<Vec<_>>>()?
            }
            _ => vec![plain(part)?],
        },
        _ => return None,
    };
    Some((texts, anchor))
}

/// A text that must stand somewhere, or at the start or end, in every text that the pattern matches.
pub fn needle(pattern: &str) -> Option<(String, Anchor)> {
    let hir = regex_syntax::Parser::new().parse(pattern).ok()?;
    let (parts, anchor) = anchored(&hir);
    let at_start = matches!(anchor, Anchor::Start | Anchor::Whole);
    let start = parts.first().filter(|_| at_start).and_then(plain).map(|text| (text, Anchor::Start));
    let at_end = matches!(anchor, Anchor::End | Anchor::Whole);
    let end = parts.last().filter(|_| at_end).and_then(plain).map(|text| (text, Anchor::End));
    let inside = longest(&hir).and_then(|bytes| String::from_utf8(bytes).ok());
    let inside = inside.map(|text| (text, Anchor::Anywhere));
    [start, end, inside].into_iter().flatten().max_by_key(|(text, _)| text.len())
}

/// The parts of a pattern without the looks for start and end of the text around them.
fn anchored(hir: &Hir) -> (&[Hir], Anchor) {
    let HirKind::Concat(parts) = hir.kind() else { return (std::slice::from_ref(hir), Anchor::Anywhere) };
    let is = |part: Option<&Hir>, look: Look| part.is_some_and(|part| *part.kind() == HirKind::Look(look));
    let (start, end) = (is(parts.first(), Look::Start), is(parts.last(), Look::End));
    let parts = &parts[usize::from(start)..];
    let parts = &parts[..parts.len() - usize::from(end && !parts.is_empty())];
    match (start, end) {
        (true, true) => (parts, Anchor::Whole),
        (true, false) => (parts, Anchor::Start),
        (false, true) => (parts, Anchor::End),
        (false, false) => (parts, Anchor::Anywhere),
    }
}

fn uncaptured(hir: &Hir) -> &Hir {
    match hir.kind() {
        HirKind::Capture(capture) => uncaptured(&capture.sub),
        _ => hir,
    }
}

/// The text that a pattern is.
fn plain(hir: &Hir) -> Option<String> {
    match uncaptured(hir).kind() {
        HirKind::Literal(literal) => String::from_utf8(literal.0.to_vec()).ok(),
        _ => None,
    }
}

/// Texts that a match has, folded: one of the alternatives has all of its texts. `None`: nothing is known.
pub fn folded_texts(pattern: &str) -> Option<Vec<Vec<String>>> {
    let hir = regex_syntax::Parser::new().parse(pattern).ok()?;
    let alternatives: Vec<&Hir> = match hir.kind() {
        HirKind::Alternation(parts) => parts.iter().collect(),
        _ => vec![&hir],
    };
    if alternatives.len() > ALTERNATIVES_MAX {
        return None;
    }
    alternatives
        .into_iter()
        .map(|alternative| {
            let mut runs = Runs::default();
            runs.add(alternative);
            runs.end();
            (!runs.done.is_empty()).then_some(runs.done)
        })
        .collect()
}

#[derive(Default)]
struct Runs {
    current: String,
    done: Vec<String>,
}

impl Runs {
    fn end(&mut self) {
        if !self.current.is_empty() {
            self.done.push(std::mem::take(&mut self.current));
        }
    }

    fn add(&mut self, hir: &Hir) {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
                Ok(text) => self.current.extend(text.chars().map(fold_character)),
                Err(_) => self.end(),
            },
            HirKind::Class(class) => match letter(class) {
                Some(letter) => self.current.push(letter),
                None => self.end(),
            },
            HirKind::Capture(capture) => self.add(&capture.sub),
            HirKind::Concat(parts) => parts.iter().for_each(|part| self.add(part)),
            HirKind::Repetition(repetition) => {
                self.end();
                if repetition.min > 0 {
                    self.add(&repetition.sub);
                    self.end();
                }
            }
            HirKind::Alternation(_) => self.end(),
        }
    }
}

/// The letter that all characters of a set fold to.
fn letter(class: &Class) -> Option<char> {
    let Class::Unicode(class) = class else { return None };
    let mut characters = class.iter().flat_map(|range| range.start()..=range.end()).take(CASES_MAX + 1);
    let first = fold_character(characters.next()?);
    let mut count = 1;
    let same = characters.all(|character| {
        count += 1;
        fold_character(character) == first
    });
    (same && count <= CASES_MAX).then_some(first)
}
