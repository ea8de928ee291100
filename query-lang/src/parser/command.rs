//! Management commands (`.show tables | where …`): only split, the words are read elsewhere.

use crate::lexer::lex;
use crate::span::Span;
use crate::token::{Token, TokenKind};

/// A management command, cut into its parts. Spans are of the whole text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandText {
    /// The command itself, from its dot on, without white space around it.
    pub command: Span,
    /// The tokens of it after the dot, without trivia.
    pub words: Vec<Token>,
    /// The query over its result, after the first `|` outside of brackets.
    pub pipeline: Option<Span>,
    /// What stands after `<|`: a query, or rows as they are.
    pub input: Option<Span>,
}

/// The parts of a text whose first token is a dot; `None` if it is no command.
pub fn split_command(text: &str) -> Option<CommandText> {
    let tokens: Vec<Token> = lex(text);
    let mut significant = tokens
        .iter()
        .copied()
        .filter(|token| !token.kind.is_trivia() && token.kind != TokenKind::Directive)
        .peekable();
    let dot = significant.next().filter(|token| token.kind == TokenKind::Dot)?;
    let mut parts = CommandText { command: dot.span, words: Vec::new(), pipeline: None, input: None };
    let mut depth = 0_u32;
    for token in significant {
        use TokenKind::*;
        match token.kind {
            End => break,
            OpenParen | OpenBracket | OpenBrace => depth += 1,
            CloseParen | CloseBracket | CloseBrace => depth = depth.saturating_sub(1),
            LessPipe if depth == 0 => {
                parts.input = Some(rest(text, token.span.end));
                break;
            }
            Pipe if depth == 0 => {
                parts.pipeline = Some(rest(text, token.span.end));
                break;
            }
            _ => {}
        }
        parts.words.push(token);
        parts.command = parts.command.to(token.span);
    }
    Some(parts)
}

/// From an offset to the end, as written: rows given inline keep their blanks and line breaks.
fn rest(text: &str, start: u32) -> Span {
    Span::new(start, text.len() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The command, its pipeline and its input as texts.
    fn split(text: &str) -> Option<(&str, Option<&str>, Option<&str>)> {
        let parts = split_command(text)?;
        Some((
            parts.command.text(text),
            parts.pipeline.map(|span| span.text(text).trim()),
            parts.input.map(|span| span.text(text).trim()),
        ))
    }

    #[test]
    fn commands_split_at_pipes_outside_of_brackets() {
        let cases = [
            (".show tables", Some((".show tables", None, None))),
            (
                "// all\n.show tables | where x == 1 | take 5",
                Some((".show tables", Some("where x == 1 | take 5"), None)),
            ),
            (".set-or-append T <| U | take 5", Some((".set-or-append T", None, Some("U | take 5")))),
            (
                ".ingest inline into table T <|\n1,2\n3,4",
                Some((".ingest inline into table T", None, Some("1,2\n3,4"))),
            ),
            (
                ".create function f() { T | take 5 }",
                Some((".create function f() { T | take 5 }", None, None)),
            ),
            ("T | take 5", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(split(text), expected, "{text}");
        }
    }

    #[test]
    fn words_are_the_tokens_after_the_dot() {
        let text = ".create-merge table ['my t'] (a: long)";
        let parts = split_command(text).expect("a command");
        let words: Vec<&str> = parts.words.iter().map(|token| token.text(text)).collect();
        assert_eq!(words, ["create", "-", "merge", "table", "[", "'my t'", "]", "(", "a", ":", "long", ")"]);
    }
}
