//! Corrections: diagnostics that name what was likely meant, as changes of the text.

use crate::diagnostic::Diagnostic;
use crate::span::Span;

/// A change that would do away with a diagnostic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    pub title: String,
    /// What to replace.
    pub span: Span,
    pub replacement: String,
}

/// The corrections that a diagnostic of a text suggests.
pub fn corrections(text: &str, diagnostic: &Diagnostic) -> Vec<Correction> {
    let mut found = Vec::new();
    for hint in &diagnostic.hints {
        let word = ["did you mean '", "operators are written in lower case: '"]
            .iter()
            .find_map(|start| hint.strip_prefix(start))
            .and_then(|rest| rest.rsplit_once('\'').map(|(word, _)| word));
        let Some(word) = word.filter(|word| !word.is_empty()) else { continue };
        let mut span = diagnostic.span;
        if word.contains('-') {
            span = dashed(text, span);
        }
        let replacement = match word.strip_prefix("| ") {
            Some(_) => word.to_string(),
            None => renamed(text, span, word),
        };
        found.push(Correction { title: format!("Change to '{word}'"), span, replacement });
    }
    // "… needs to be bracketed as ['x'] …"
    if diagnostic.code == "KS228"
        && let Some((_, rest)) = diagnostic.message.split_once("bracketed as ")
        && let Some((name, _)) = rest.split_once("']")
    {
        let replacement = format!("{name}']");
        found.push(Correction { title: format!("Write {replacement}"), span: diagnostic.span, replacement });
    }
    found
}

/// A name in place of a name: in brackets if it must be, without quotes where there were some.
fn renamed(text: &str, span: Span, word: &str) -> String {
    let old = span.text(text);
    let plain = word
        .chars()
        .all(|character| character.is_alphanumeric() || matches!(character, '_' | '-' | ' ' | '~' | '!'));
    if plain || old.is_empty() { word.to_string() } else { super::quoted_name(word) }
}

/// The whole of a word with dashes that a span lies in, or that stands before it: the parser stumbles after it.
fn dashed(text: &str, span: Span) -> Span {
    let part = |character: char| character.is_alphanumeric() || character == '-' || character == '_';
    let start = super::position::floor(text, span.start as usize);
    let end = super::position::floor(text, span.end as usize);
    let before = text[..start].trim_end();
    let word = before.trim_end_matches(part).len();
    if before.len() < start && before[word..].contains('-') {
        return Span::new(word as u32, before.len() as u32);
    }
    let start = text[..start].trim_end_matches(part).len();
    let end = end + text[end..].find(|c| !part(c)).unwrap_or(text.len() - end);
    Span::new(start as u32, end.max(start) as u32)
}
