//! Tokens to a syntax tree. Parsing never fails: it gives a complete tree, with [`ast::ExprKind::Missing`] where
//! something is absent, and the diagnostics.
//!
//! Hand-written recursive descent over the tokens: nearly every decision needs one or two tokens of lookahead,
//! keywords are names in many places, and going on after an error with good expectations is half of the work;
//! that reads better as code than as combinators (the lexer uses nom). Precedence climbing keeps the stack shallow;
//! nesting is bounded, so no text overflows it. Knows nothing of tables, columns, types or functions.

mod command;
mod expression;
pub mod literal;
mod name;
mod operator;
mod parameter;
mod path;
mod query;
mod recover;
mod seek;
mod source;
mod statement;

pub use command::{CommandText, split_command};
pub use seek::{Slot, Sought, seek};

use crate::ast;
use crate::diagnostic::Diagnostic;
use crate::lexer::lex;
use crate::span::Span;
use crate::token::{KeywordClass, Token, TokenKind};

/// A text as the parser understood it.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    pub query: ast::Query,
    /// In the order of their places.
    pub diagnostics: Vec<Diagnostic>,
}

impl Parsed {
    /// True if the text breaks the grammar.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// Texts longer than this are refused unread; spans would not fit.
const MAX_TEXT_BYTES: usize = 1 << 30;

/// Expressions inside one another, at most; a parenthesis counts twice, as it may hold a pipeline. Two megabytes of
/// stack, a thread's usual share, are enough for it even in unoptimised builds.
const MAX_NESTING: u32 = 200;

/// Operands of one chain of arithmetic or of one path, at most: such chains nest to the left.
const MAX_CHAIN: u32 = 1_000;

/// The syntax tree of a query text and what is wrong with it.
pub fn parse(text: &str) -> Parsed {
    if text.len() > MAX_TEXT_BYTES {
        let message = "The query text is too long to be parsed.";
        let diagnostics = vec![Diagnostic::syntax("KS244", message, Span::at(0))];
        return Parsed { query: ast::Query::default(), diagnostics };
    }
    let mut parser = Parser::new(text);
    let query = parser.query();
    let mut diagnostics = parser.diagnostics;
    diagnostics.sort_by_key(|diagnostic| diagnostic.span.start);
    Parsed { query, diagnostics }
}

struct Parser<'a> {
    text: &'a str,
    /// Without trivia; the last is [`TokenKind::End`].
    tokens: Vec<Token>,
    position: usize,
    nesting: u32,
    diagnostics: Vec<Diagnostic>,
    /// The token of the last syntax error: one place is reported once.
    error_position: Option<usize>,
    /// Words that would have been right at `expected_position`, for messages.
    expected: Vec<&'static str>,
    expected_position: usize,
    /// Closing brackets whose opening ones are missing, and reported.
    unopened: Vec<TokenKind>,
    /// What may stand at the end of the text, if that is asked for.
    sought: Option<Sought>,
    /// Keywords of the operators being parsed, the innermost last.
    operators: Vec<Span>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Self {
        let tokens: Vec<Token> = lex(text).into_iter().filter(|token| !token.kind.is_trivia()).collect();
        let mut parser = Self {
            text,
            tokens,
            position: 0,
            nesting: 0,
            diagnostics: Vec::new(),
            error_position: None,
            expected: Vec::new(),
            expected_position: 0,
            unopened: Vec::new(),
            sought: None,
            operators: Vec::new(),
        };
        parser.report_lexical_errors();
        parser
    }

    fn report_lexical_errors(&mut self) {
        // What follows an unclosed string on its line is most likely part of it.
        let mut quiet_until = 0;
        for (at, token) in self.tokens.iter().enumerate() {
            if token.span.start < quiet_until {
                continue;
            }
            if let Some(end) = token.unclosed {
                let rest = &self.text[token.span.end as usize..];
                let found = if rest.starts_with('\\') {
                    let escape: String = rest.chars().take(2).collect();
                    let span = Span::new(token.span.end, token.span.end + escape.len() as u32);
                    let message = format!("Unknown escape sequence {escape} in a string.");
                    Diagnostic::syntax("KS001", message, span)
                        .with_hint(format!("write \\{escape}, or mark the string as verbatim: @{end}…{end}"))
                } else {
                    let what = if end == ")" { "literal" } else { "string" };
                    Diagnostic::syntax(
                        "KS001",
                        format!("Missing {end} at the end of the {what}."),
                        token.span,
                    )
                };
                self.diagnostics.push(found);
                quiet_until = token.span.end + rest.find(['\r', '\n']).unwrap_or(rest.len()) as u32;
            } else if token.kind == TokenKind::Bad {
                let before = at.checked_sub(1).map(|before| self.tokens[before]);
                let continues = before.is_some_and(|before| {
                    before.kind == TokenKind::Bad && before.span.end == token.span.start
                });
                if continues {
                    continue;
                }
                let text = token.text(self.text);
                let message = format!("The character '{text}' means nothing here.");
                let mut found = Diagnostic::syntax("KS002", message, token.span);
                match text {
                    "&" => found.hints.push("to combine conditions, use 'and'".to_owned()),
                    "!" => found.hints.push("to negate, use not(…)".to_owned()),
                    _ => {}
                }
                self.diagnostics.push(found);
            }
        }
    }

    /// The token `ahead` tokens after the next; the end of the text again and again after it.
    fn peek(&self, ahead: usize) -> Token {
        let last = self.tokens.len() - 1;
        self.tokens[(self.position + ahead).min(last)]
    }

    fn kind(&self) -> TokenKind {
        self.peek(0).kind
    }

    fn kind_at(&self, ahead: usize) -> TokenKind {
        self.peek(ahead).kind
    }

    fn text_at(&self, ahead: usize) -> &'a str {
        self.peek(ahead).span.text(self.text)
    }

    fn bump(&mut self) -> Token {
        let token = self.peek(0);
        if token.kind != TokenKind::End {
            self.position += 1;
        }
        token
    }

    fn eat(&mut self, kind: TokenKind) -> bool {
        let found = self.kind() == kind;
        if found {
            self.bump();
        }
        found
    }

    /// True if the token `ahead` is this keyword.
    fn is_word(&self, ahead: usize, word: &str) -> bool {
        let token = self.peek(ahead);
        token.kind.is_keyword() && token.span.text(self.text) == word
    }

    /// True if the next token is this keyword; otherwise it is noted as something that would have been right.
    fn at_word(&mut self, word: &'static str) -> bool {
        let found = self.is_word(0, word);
        if !found {
            self.note_expected(word);
        }
        found
    }

    fn eat_word(&mut self, word: &'static str) -> bool {
        let found = self.at_word(word);
        if found {
            self.bump();
        }
        found
    }

    /// How many tokens, written without anything between them, make up exactly `text`; 0 if they do not.
    fn joined(&self, ahead: usize, text: &str) -> usize {
        let start = self.peek(ahead).span.start as usize;
        let end = start + text.len();
        if self.text.get(start..end) != Some(text) {
            return 0;
        }
        let mut count = 0;
        loop {
            let token = self.peek(ahead + count);
            if token.kind == TokenKind::End {
                return 0;
            }
            count += 1;
            match (token.span.end as usize).cmp(&end) {
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Equal => return count,
                std::cmp::Ordering::Greater => return 0,
            }
        }
    }

    fn eat_joined(&mut self, text: &'static str) -> bool {
        let count = self.joined(0, text);
        self.position += count;
        if count == 0 {
            self.note_expected(text);
        }
        count > 0
    }

    /// True if nothing stands between the token `ahead` and the one before it.
    fn is_glued(&self, ahead: usize) -> bool {
        let at = self.position + ahead;
        at > 0
            && match (self.tokens.get(at - 1), self.tokens.get(at)) {
                (Some(before), Some(token)) => before.span.end == token.span.start,
                _ => false,
            }
    }

    /// The byte offset where the next token starts.
    fn start(&self) -> u32 {
        self.peek(0).span.start
    }

    /// From a start to the end of the last token taken.
    fn span_from(&self, start: u32) -> Span {
        let end = match self.position.checked_sub(1) {
            Some(last) => self.tokens[last].span.end,
            None => start,
        };
        Span::new(start, end.max(start))
    }

    /// One level deeper; false (and reported, and the rest of the text given up) if that is too deep.
    fn enter(&mut self) -> bool {
        if self.nesting >= MAX_NESTING {
            self.give_up("The query is nested too deeply here.".to_owned());
            return false;
        }
        self.nesting += 1;
        true
    }

    fn leave(&mut self) {
        self.nesting -= 1;
    }

    /// Reports and moves to the end of the text.
    fn give_up(&mut self, message: String) {
        let span = self.peek(0).span;
        self.diagnostics.push(Diagnostic::syntax("KS245", message, span));
        self.position = self.tokens.len() - 1;
        self.error_position = Some(self.position);
    }

    /// Elements separated by commas up to a token at which `is_end` is true. A comma left out between two elements
    /// is reported; an element left out is `missing`.
    fn list<T>(
        &mut self,
        rule: ListRule,
        is_end: fn(&Self) -> bool,
        element: impl Fn(&mut Self) -> Option<T>,
        missing: impl Fn(&mut Self) -> T,
    ) -> Vec<T> {
        let at_end = |parser: &mut Self| is_end(parser) || rule.ends.iter().any(|word| parser.at_word(word));
        let mut found = Vec::new();
        let mut comma_missed = false;
        let mut next = if at_end(self) && !self.is_seeking() { None } else { element(self) };
        if next.is_none() && self.kind() == TokenKind::Comma {
            next = Some(missing(self));
        }
        while let Some(current) = next.take() {
            found.push(current);
            if self.kind() == TokenKind::End || at_end(self) {
                break;
            }
            if self.eat(TokenKind::Comma) {
                comma_missed = false;
                next = if at_end(self) && !self.is_seeking() { None } else { element(self) };
                if next.is_none() {
                    if !rule.trailing_comma {
                        found.push(missing(self));
                    }
                    break;
                }
            } else {
                if !rule.comma_required {
                    break;
                }
                let before = self.position;
                let errors = self.diagnostics.len();
                let place = self.error_position;
                if comma_missed {
                    // Words without commas in a row are one mistake.
                    self.error_position = Some(before);
                }
                self.expect_comma();
                comma_missed = true;
                next = element(self);
                if self.position == before {
                    // Not an element after all: whoever parses what follows has the better message.
                    self.diagnostics.truncate(errors);
                    self.error_position = place;
                    break;
                }
            }
        }
        if found.is_empty() && rule.one_or_more {
            found.push(missing(self));
        }
        found
    }

    /// True where a list inside of anything ends.
    fn at_list_end(&self) -> bool {
        use TokenKind::*;
        matches!(self.kind(), CloseParen | CloseBracket | CloseBrace | Pipe | Semicolon | End)
    }

    fn never(&self) -> bool {
        false
    }

    fn is_name_token(&self, ahead: usize) -> bool {
        matches!(self.kind_at(ahead), TokenKind::Identifier | TokenKind::Keyword(KeywordClass::Anywhere))
    }
}

/// How strict a list is.
#[derive(Clone, Copy)]
struct ListRule {
    one_or_more: bool,
    trailing_comma: bool,
    /// Two elements without a comma between them are an error of this list; else the list just ends.
    comma_required: bool,
    /// Keywords that end the list.
    ends: &'static [&'static str],
}

impl ListRule {
    const ANY: Self = Self { one_or_more: false, trailing_comma: false, comma_required: true, ends: &[] };
    const ONE_OR_MORE: Self = Self { one_or_more: true, ..Self::ANY };
    const TRAILING: Self = Self { trailing_comma: true, ..Self::ANY };
    /// Ends at the first element that no comma follows.
    const OPEN: Self = Self { one_or_more: true, comma_required: false, ..Self::ANY };

    /// The same, ending at these keywords as well.
    const fn until(self, ends: &'static [&'static str]) -> Self {
        Self { ends, ..self }
    }
}
