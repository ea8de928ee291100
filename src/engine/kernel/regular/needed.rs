//! What every match of a regular expression must have in it: literals, with or without regard to case.

use conshelf_storage::terms::fold_character;
use regex_syntax::hir::{Class, Hir, HirKind};

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
