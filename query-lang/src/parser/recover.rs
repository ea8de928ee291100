//! What the parser says when the text is wrong, and where it goes on. Knows the tokens and what would have been
//! right at a place; one place is reported once, so that a slip does not drag a train of messages behind it.

use crate::ast::{Expr, ExprKind};
use crate::diagnostic::{Diagnostic, closest};
use crate::operator;
use crate::span::Span;
use crate::token::TokenKind;

use super::Parser;

/// Words that stand between two operands, for suggestions.
const WORD_OPERATORS: &[&str] = &[
    "and",
    "or",
    "has",
    "has_any",
    "has_all",
    "has_cs",
    "hasprefix",
    "hassuffix",
    "contains",
    "contains_cs",
    "startswith",
    "endswith",
    "startswith_cs",
    "endswith_cs",
    "between",
    "matches regex",
    "!has",
    "!contains",
    "!startswith",
    "!endswith",
    "!between",
    "!in",
];

/// Words of other query languages and the operator that does the same here.
const FOREIGN_OPERATORS: &[(&str, &str)] = &[
    ("select", "project"),
    ("rename", "project-rename"),
    ("group", "summarize"),
    ("groupby", "summarize"),
    ("aggregate", "summarize"),
    ("stats", "summarize"),
    ("orderby", "order by"),
    ("sortby", "sort by"),
    ("head", "take"),
    ("eval", "extend"),
    ("expand", "mv-expand"),
    ("explode", "mv-expand"),
    ("having", "where"),
    ("drop", "project-away"),
    ("dedup", "distinct"),
    ("unique", "distinct"),
    ("fields", "project"),
];

/// Words of other languages inside of expressions, and what to write instead.
const FOREIGN_WORDS: &[(&str, &str)] = &[
    ("is", "to test for absence, use isnull(…) or isempty(…)"),
    ("not", "to negate, use not(…)"),
    ("regex", "the operator is 'matches regex'"),
    ("matches", "the operator is 'matches regex', with one blank"),
];

/// Where a pipeline may end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Follow {
    /// Only the end of the statement.
    Statement,
    /// A closing bracket or a comma as well.
    Nested,
    /// Whatever: the caller looks at it.
    Anything,
}

impl Parser<'_> {
    pub(super) fn note_expected(&mut self, word: &'static str) {
        self.seek_word(word);
        if self.expected_position != self.position {
            self.expected.clear();
            self.expected_position = self.position;
        }
        if self.expected.len() < 24 && !self.expected.contains(&word) {
            self.expected.push(word);
        }
    }

    /// Reports an error at the next token unless one has been reported there.
    pub(super) fn error(&mut self, code: &'static str, message: impl Into<String>) {
        let span = self.place();
        self.error_at(code, message, span);
    }

    fn error_at(&mut self, code: &'static str, message: impl Into<String>, span: Span) {
        self.error_with_hints(code, message, span, Vec::new());
    }

    pub(in crate::parser) fn error_with_hints(
        &mut self,
        code: &'static str,
        message: impl Into<String>,
        span: Span,
        hints: Vec<String>,
    ) {
        if self.error_position == Some(self.position) {
            return;
        }
        self.error_position = Some(self.position);
        if self.kind() == TokenKind::Bad {
            // The character itself has been reported.
            return;
        }
        let mut found = Diagnostic::syntax(code, message, span);
        found.hints = hints;
        self.diagnostics.push(found);
    }

    /// An error about something read already: a name that needs brackets, a type that is none.
    pub(super) fn error_about(&mut self, code: &'static str, message: impl Into<String>, span: Span) {
        self.diagnostics.push(Diagnostic::syntax(code, message, span));
    }

    /// The next token, or the place after the last one at the end of the text.
    fn place(&self) -> Span {
        let token = self.peek(0);
        if token.kind != TokenKind::End {
            return token.span;
        }
        match self.position.checked_sub(1) {
            Some(last) => Span::at(self.tokens[last].span.end),
            None => Span::at(0),
        }
    }

    fn found(&self) -> String {
        match self.kind() {
            TokenKind::End => "the end of the query".to_owned(),
            TokenKind::String => shorten(self.text_at(0)),
            _ => format!("'{}'", shorten(self.text_at(0))),
        }
    }

    /// Takes a token of this kind, or reports that it is missing.
    pub(super) fn expect(&mut self, kind: TokenKind, text: &'static str) -> bool {
        use TokenKind::*;
        if self.eat(kind) {
            return true;
        }
        match kind {
            // One bracket of a pair is enough to complain of.
            OpenParen => self.unopened.push(CloseParen),
            OpenBracket => self.unopened.push(CloseBracket),
            OpenBrace => self.unopened.push(CloseBrace),
            _ if self.unopened.last() == Some(&kind) => {
                self.unopened.pop();
                return false;
            }
            _ => {}
        }
        self.report_expected(&[text]);
        false
    }

    pub(super) fn expect_word(&mut self, word: &'static str) -> bool {
        if self.eat_word(word) {
            return true;
        }
        self.report_expected(&[word]);
        false
    }

    pub(super) fn expect_comma(&mut self) {
        self.report_expected(&[","]);
    }

    /// Reports that one of these had to stand here, together with the words noted for this place.
    pub(super) fn report_expected(&mut self, wanted: &[&'static str]) {
        wanted.iter().for_each(|word| self.seek_word(word));
        let mut all: Vec<&'static str> = Vec::new();
        if self.expected_position == self.position {
            all.extend(self.expected.iter().copied().filter(|word| !wanted.contains(word)));
        }
        let mut hints = self.hints(&all.iter().chain(wanted).copied().collect::<Vec<_>>());
        if hints.is_empty() && !all.is_empty() && all.len() <= 12 {
            hints.push(format!("also possible here: {}", all.join(", ")));
        }
        let message = format!("Expected {} but found {}.", list_of(wanted), self.found());
        let span = self.place();
        self.error_with_hints("KS005", message, span, hints);
    }

    pub(super) fn missing_expression(&mut self) -> Expr {
        let mut message = format!("Missing expression before {}.", self.found());
        if self.kind().is_keyword() {
            let word = self.text_at(0);
            message = format!(
                "Missing expression: if the keyword '{word}' is meant as a name, it needs to be bracketed as ['{word}']."
            );
        }
        let hints = self.hints(&[]);
        let span = self.place();
        self.error_with_hints("KS006", message, span, hints);
        self.missing()
    }

    /// A hole in the tree, without a report.
    pub(super) fn missing(&self) -> Expr {
        Expr { kind: ExprKind::Missing, span: Span::at(self.start()) }
    }

    pub(super) fn report_missing(&mut self, what: &str) {
        let message = format!("Missing {what} before {}.", self.found());
        self.error("KS006", message);
    }

    /// Reports that an operator had to follow the pipe, and skips to the next one.
    pub(super) fn report_no_operator(&mut self) {
        let word = self.text_at(0);
        let lower = word.to_ascii_lowercase();
        let mut hints = Vec::new();
        if self.kind() == TokenKind::Pipe && self.is_glued(0) {
            hints.push("to combine conditions, use 'or'".to_owned());
        } else if self.kind() != TokenKind::End {
            if operator::by_name(&lower).is_some() && lower != word {
                hints.push(format!("operators are written in lower case: '{lower}'"));
            } else if let Some((_, same)) = FOREIGN_OPERATORS.iter().find(|(other, _)| *other == lower) {
                hints.push(format!("did you mean '{same}'?"));
            } else if let Some(like) =
                closest(&self.dashed_text(), operator::names()).or_else(|| closest(word, operator::names()))
            {
                hints.push(format!("did you mean '{like}'?"));
            } else {
                hints.push("an operator such as where, extend, summarize or take follows '|'".to_owned());
            }
        }
        let message = format!("Query operator expected but found {}.", self.found());
        let span = self.place();
        self.error_with_hints("KS176", message, span, hints);
    }

    /// The next word with what hangs on it by dashes: `project-awy`.
    fn dashed_text(&self) -> String {
        let mut ahead = 1;
        while self.is_glued(ahead)
            && (self.kind_at(ahead) == TokenKind::Minus
                || self.kind_at(ahead) == TokenKind::Identifier
                || self.kind_at(ahead).is_keyword())
        {
            ahead += 1;
        }
        let start = self.peek(0).span.start;
        let end = self.peek(ahead - 1).span.end;
        Span::new(start, end).text(self.text).to_owned()
    }

    /// The operator most like the next word with what hangs on it by dashes.
    pub(super) fn like_dashed(&self) -> Option<&'static str> {
        closest(&self.dashed_text(), operator::names())
    }

    /// What may have been meant by the next token, given what would be right.
    fn hints(&self, right: &[&'static str]) -> Vec<String> {
        let word = self.text_at(0);
        let mut hints = Vec::new();
        match self.kind() {
            TokenKind::Identifier => {
                if let Some((_, advice)) =
                    FOREIGN_WORDS.iter().find(|(other, _)| other.eq_ignore_ascii_case(word))
                {
                    return vec![(*advice).to_owned()];
                }
                let candidates = right.iter().copied().filter(|word| word.len() > 1).chain(
                    WORD_OPERATORS.iter().copied().filter(|operator| operator.len() > 2 || word.len() <= 3),
                );
                if let Some(like) = closest(word, candidates) {
                    hints.push(format!("did you mean '{like}'?"));
                } else if word.len() >= 4
                    && let Some(like) = closest(&self.dashed_text(), operator::names())
                {
                    hints.push(format!("did you mean '| {like}'?"));
                }
            }
            TokenKind::Keyword(_) if operator::by_name(word).is_some() => {
                hints.push(format!("an operator follows a pipe: '| {word}'"));
            }
            TokenKind::Assign => {
                hints.push("to compare, use '=='; 'name = value' names a value".to_owned());
            }
            TokenKind::Dot if self.position == 0 => {
                hints.push("a text that begins with a dot is a management command, not a query".to_owned());
            }
            TokenKind::Bang => hints.push("to negate, use not(…)".to_owned()),
            TokenKind::OpenBrace => {
                hints.push("a function declares the types of its parameters: (name: type)".to_owned());
            }
            _ => {}
        }
        hints
    }

    /// Looks at what follows a part of a pipeline. If it is nothing that may, says so and skips to the next pipe or
    /// the end of the pipeline.
    pub(super) fn check_follow(&mut self, follow: Follow) {
        if follow == Follow::Anything || self.may_follow(follow) {
            return;
        }
        if follow == Follow::Nested && self.is_word(0, "on") {
            // The parenthesis of the right side of a join has been left open.
            self.report_expected(&[")"]);
            return;
        }
        self.report_unexpected();
        self.skip_to_follow(follow);
    }

    fn may_follow(&self, follow: Follow) -> bool {
        use TokenKind::*;
        match self.kind() {
            Pipe | Semicolon | End => true,
            CloseParen | CloseBracket | CloseBrace | Comma => follow == Follow::Nested,
            _ => false,
        }
    }

    pub(super) fn report_unexpected(&mut self) {
        let noted: Vec<&'static str> =
            if self.expected_position == self.position { self.expected.clone() } else { Vec::new() };
        let mut hints = self.hints(&noted);
        if hints.is_empty() && !noted.is_empty() && noted.len() <= 12 {
            hints.push(format!("possible here: {}", noted.join(", ")));
        }
        let message = format!("Unexpected {}.", self.found());
        let span = self.place();
        self.error_with_hints("KS198", message, span, hints);
    }

    /// Skips to the closing bracket of the list that the next token stands in, but not past a `;`.
    pub(super) fn skip_inside(&mut self, close: TokenKind) {
        use TokenKind::*;
        let mut depth = 0_u32;
        loop {
            match self.kind() {
                End | Semicolon => return,
                kind if kind == close && depth == 0 => return,
                OpenParen | OpenBracket | OpenBrace => depth += 1,
                CloseParen | CloseBracket | CloseBrace if depth == 0 => return,
                CloseParen | CloseBracket | CloseBrace => depth -= 1,
                _ => {}
            }
            self.bump();
        }
    }

    /// Skips to the next pipe, semicolon or, inside brackets, their end. Brackets opened on the way are skipped
    /// whole.
    pub(super) fn skip_to_follow(&mut self, follow: Follow) {
        use TokenKind::*;
        let mut depth = 0_u32;
        loop {
            match self.kind() {
                End | Semicolon => return,
                Pipe if depth == 0 => return,
                OpenParen | OpenBracket | OpenBrace => depth += 1,
                CloseParen | CloseBracket | CloseBrace => {
                    if depth == 0 && follow == Follow::Nested {
                        return;
                    }
                    depth = depth.saturating_sub(1);
                }
                _ => {}
            }
            self.bump();
        }
    }
}

fn shorten(text: &str) -> String {
    let line = text.lines().next().unwrap_or("");
    if line.chars().count() <= 40 && line.len() == text.len() {
        return text.to_owned();
    }
    format!("{}…", line.chars().take(40).collect::<String>())
}

/// `'a'`, `'a' or 'b'`, `'a', 'b' or 'c'`; descriptions of several words are not quoted.
fn list_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words
        .iter()
        .map(|word| if word.contains(' ') { (*word).to_owned() } else { format!("'{word}'") })
        .collect();
    match quoted.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
