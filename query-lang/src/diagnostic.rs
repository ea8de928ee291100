//! What there is to say about a query text: a code, a message that says what to do, and the place.
//! Parser and binder fill these; servers and shells show them. Knows nothing of the grammar.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use crate::span::{LineIndex, Span};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Severity {
    Error,
    Warning,
    Information,
    Suggestion,
}

impl Severity {
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "Error",
            Severity::Warning => "Warning",
            Severity::Information => "Information",
            Severity::Suggestion => "Suggestion",
        }
    }
}

/// Which stage objects: the grammar, or the rules of names and types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DiagnosticKind {
    Syntax,
    Semantic,
}

impl DiagnosticKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            DiagnosticKind::Syntax => "syntax",
            DiagnosticKind::Semantic => "semantic",
        }
    }
}

/// One remark about a query text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Kusto's code where it has one (`KS006`, `SYN0002`, `SEM0100`).
    pub code: Cow<'static, str>,
    pub severity: Severity,
    pub kind: DiagnosticKind,
    pub message: String,
    pub span: Span,
    /// Further lines of help: a likely correction, what is allowed here.
    pub hints: Vec<String>,
}

impl Diagnostic {
    /// An error of the grammar.
    pub fn syntax(code: impl Into<Cow<'static, str>>, message: impl Into<String>, span: Span) -> Self {
        Self::new(code, Severity::Error, DiagnosticKind::Syntax, message, span)
    }

    /// An error of names or types.
    pub fn semantic(code: impl Into<Cow<'static, str>>, message: impl Into<String>, span: Span) -> Self {
        Self::new(code, Severity::Error, DiagnosticKind::Semantic, message, span)
    }

    pub fn new(
        code: impl Into<Cow<'static, str>>,
        severity: Severity,
        kind: DiagnosticKind,
        message: impl Into<String>,
        span: Span,
    ) -> Self {
        Self { code: code.into(), severity, kind, message: message.into(), span, hints: Vec::new() }
    }

    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The message, the line it is about and carets under the place:
    ///
    /// ```text
    /// error[KS006]: Unexpected: wher
    ///  --> line 1, column 5
    ///   |
    /// 1 | T | wher x > 1
    ///   |     ^^^^
    ///   = did you mean 'where'?
    /// ```
    pub fn render(&self, text: &str, index: &LineIndex) -> String {
        let start = index.position(text, self.span.start);
        let end = index.position(text, self.span.end);
        let number = start.line.to_string();
        let gutter = " ".repeat(number.len());
        let line = index.line(text, start.line);
        let width = line.chars().count() as u32;
        let last = if end.line == start.line { end.column } else { width + 1 };
        let carets = last.saturating_sub(start.column).max(1) as usize;
        // Long lines (generated queries) are cut around the place, so that the excerpt stays readable.
        const MAX_COLUMNS: usize = 120;
        let column = start.column as usize - 1;
        let skip = if column > MAX_COLUMNS * 2 / 3 { column - MAX_COLUMNS / 3 } else { 0 };
        let shown: String = line.chars().skip(skip).take(MAX_COLUMNS).collect();
        let pad: String =
            line.chars().skip(skip).take(column - skip).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        let pad_missing = (column - skip).saturating_sub(pad.chars().count());
        let carets = carets.min(MAX_COLUMNS.saturating_sub(column - skip).max(1));
        let mut out = String::new();
        let severity = self.severity.as_str().to_ascii_lowercase();
        let _ = writeln!(out, "{severity}[{}]: {}", self.code, self.message);
        let _ = writeln!(out, "{gutter}--> line {}, column {}", start.line, start.column);
        let _ = writeln!(out, "{gutter} |");
        let _ = writeln!(out, "{number} | {shown}");
        let _ = writeln!(out, "{gutter} | {pad}{}{}", " ".repeat(pad_missing), "^".repeat(carets));
        for hint in &self.hints {
            let _ = writeln!(out, "{gutter} = {hint}");
        }
        out
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)?;
        for hint in &self.hints {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}

/// All diagnostics rendered one after another, as the text form of an error answer shows them.
pub fn render_all(diagnostics: &[Diagnostic], text: &str) -> String {
    let index = LineIndex::new(text);
    diagnostics.iter().map(|diagnostic| diagnostic.render(text, &index)).collect::<Vec<_>>().join("\n")
}

/// The candidate most like `original`, if any is close enough to be a likely slip of the fingers.
/// A word that differs in case only is the most likely of all.
pub fn closest<'a>(original: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = original.to_ascii_lowercase();
    let limit = match word.chars().count() {
        0..=1 => return None,
        2..=3 => 1,
        4..=7 => 2,
        _ => 3,
    };
    let mut best: Option<(usize, &'a str)> = None;
    for candidate in candidates {
        let lower = candidate.to_ascii_lowercase();
        if lower == word {
            if candidate == original {
                continue;
            }
            return Some(candidate);
        }
        let distance = edit_distance(&word, &lower);
        if distance <= limit && distance < lower.len() && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
fn edit_distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(64).collect();
    let b: Vec<char> = b.chars().take(64).collect();
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut previous: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut current = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            current[j] = (previous[j] + 1).min(current[j - 1] + 1).min(previous[j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                current[j] = current[j].min(before[j - 2] + 1);
            }
        }
        before = previous;
        previous = current;
    }
    previous[b.len()]
}

/// A code as editors show it: the analyser's `KS…`. The engine's codes carry the same numbers, but for a few.
pub fn editor_code(code: &str) -> Cow<'_, str> {
    match code.strip_prefix("SEM0") {
        None => Cow::Borrowed(code),
        Some("100") => Cow::Borrowed("KS142"),
        Some("219") => Cow::Borrowed("KS119"),
        Some("260") => Cow::Borrowed("KS211"),
        Some("064") => Cow::Borrowed("KS106"),
        Some(number) => Cow::Owned(format!("KS{number}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpt_points_at_the_place() {
        let text = "T\n| wher x > 1";
        let found = Diagnostic::syntax("KS006", "Unexpected: wher", Span::new(4, 8))
            .with_hint("did you mean 'where'?");
        let expected = "error[KS006]: Unexpected: wher\n --> line 2, column 3\n  |\n2 | | wher x > 1\n  |   ^^^^\n  = did you mean 'where'?\n";
        assert_eq!(found.render(text, &LineIndex::new(text)), expected);
    }

    #[test]
    fn places_past_the_end_still_render() {
        let found = Diagnostic::syntax("KS001", "x", Span::new(50, 60));
        assert!(found.render("", &LineIndex::new("")).contains("column 1"));
    }

    #[test]
    fn closest_finds_slips_only() {
        let words = ["where", "project", "summarize", "take", "top"];
        assert_eq!(closest("wehre", words), Some("where"));
        assert_eq!(closest("sumarise", words), Some("summarize"));
        assert_eq!(closest("TAKE", words), Some("take"));
        assert_eq!(closest("take", words), None);
        assert_eq!(closest("tka", words), None);
        assert_eq!(closest("banana", words), None);
    }
}
