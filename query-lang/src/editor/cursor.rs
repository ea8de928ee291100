//! What the tokens around the cursor say: the word that is being written, the call it is an argument of.

use crate::lexer::lex;
use crate::operator;
use crate::token::{Token, TokenKind};

/// What is being written at the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writing {
    /// A word, maybe empty.
    Word,
    /// A name between `['` and `']`.
    BracketedName,
    /// A text.
    Text,
    /// Nothing that can be completed: a comment, a number.
    Nothing,
}

/// The word at the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub writing: Writing,
    /// Where it starts and, past the cursor, ends.
    pub start: usize,
    pub end: usize,
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == '$'
}

/// The word at an offset, which is at the start of a character.
pub(super) fn word_at(text: &str, offset: usize) -> Word {
    let tokens = lex(text);
    let inside = |token: &&Token| (token.span.start as usize) < offset && offset <= token.span.end as usize;
    if let Some(at) = tokens.iter().position(|token| inside(&token)) {
        let token = tokens[at];
        let (start, end) = (token.span.start as usize, token.span.end as usize);
        let closed = token.unclosed.is_none() && offset == end;
        let line_comment = token.kind == TokenKind::Comment && !text[start..end].ends_with('\n');
        match token.kind {
            TokenKind::String if !closed => {
                let bracket = at.checked_sub(1).map(|before| tokens[before]).filter(|before| {
                    before.kind == TokenKind::OpenBracket && before.span.end == token.span.start
                });
                // `x['` is an element of x, not a name.
                let named = bracket.is_some_and(|bracket| {
                    let rest = &text[..bracket.span.start as usize];
                    !rest.ends_with(|last: char| is_word(last) || last == ')' || last == ']')
                });
                return match bracket {
                    Some(bracket) if named => {
                        let line = text[start..end].find('\n').map_or(end, |found| start + found);
                        let end = if token.unclosed.is_some() { offset.max(line.min(offset)) } else { end };
                        let end = if text[end..].starts_with(']') && token.unclosed.is_none() {
                            end + 1
                        } else {
                            end
                        };
                        Word { writing: Writing::BracketedName, start: bracket.span.start as usize, end }
                    }
                    _ => Word {
                        writing: Writing::Text,
                        start,
                        end: if token.unclosed.is_some() { offset } else { end },
                    },
                };
            }
            TokenKind::Comment if offset < end || line_comment => {
                return Word { writing: Writing::Nothing, start: offset, end: offset };
            }
            TokenKind::Long | TokenKind::Real | TokenKind::Timespan | TokenKind::RawGuid => {
                return Word { writing: Writing::Nothing, start: offset, end: offset };
            }
            TokenKind::Datetime | TokenKind::Guid | TokenKind::Int | TokenKind::Decimal if !closed => {
                return Word { writing: Writing::Nothing, start: offset, end: offset };
            }
            TokenKind::Directive => return Word { writing: Writing::Nothing, start: offset, end: offset },
            _ => {}
        }
    }
    let before = &text[..offset];
    let mut start = before.trim_end_matches(is_word).len();
    let end = offset + text[offset..].find(|next: char| !is_word(next)).unwrap_or(text.len() - offset);
    // `project-aw`, `hint.str`, `!ha`: one word to whoever writes it.
    let longer = before.trim_end_matches(|c: char| is_word(c) || c == '-' || c == '.').len();
    let written = &before[longer..];
    let after_pipe = text[..longer].trim_end().ends_with('|');
    let dashed = written.contains('-')
        && !written.contains('.')
        && (after_pipe || longer == 0)
        && operator::names().any(|name| name.starts_with(written));
    if dashed || (written.starts_with("hint.") && !written.contains('-')) {
        start = longer;
    } else if before[..start].ends_with('!') && !written.is_empty() {
        start -= 1;
    }
    Word { writing: Writing::Word, start, end }
}

/// A call that the cursor is among the arguments of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OpenCall {
    pub name: String,
    /// The offset of the name.
    pub start: usize,
    /// The position of the argument, from 0.
    pub argument: usize,
    /// The argument's name, if one is written (`name = …`).
    pub named: Option<String>,
}

/// The innermost call around the end of a text. Parentheses without a name before them are looked through.
pub(super) fn open_call(text: &str) -> Option<OpenCall> {
    use TokenKind::*;
    let tokens: Vec<Token> = lex(text).into_iter().filter(|token| !token.kind.is_trivia()).collect();
    let mut depth = 0_u32;
    let mut argument = 0;
    let mut first_of_argument = tokens.len();
    for at in (0..tokens.len()).rev() {
        match tokens[at].kind {
            CloseParen | CloseBracket | CloseBrace => depth += 1,
            OpenParen | OpenBracket | OpenBrace if depth > 0 => depth -= 1,
            OpenParen => {
                let name = at
                    .checked_sub(1)
                    .map(|before| tokens[before])
                    .filter(|name| name.kind == Identifier || name.kind.is_keyword());
                match name {
                    Some(name) if callable(name.text(text)) => {
                        let named = tokens.get(first_of_argument).zip(tokens.get(first_of_argument + 1));
                        let named = named
                            .filter(|(name, assign)| name.kind == Identifier && assign.kind == Assign)
                            .map(|(name, _)| name.text(text).to_owned());
                        return Some(OpenCall {
                            name: name.text(text).to_owned(),
                            start: name.span.start as usize,
                            argument,
                            named,
                        });
                    }
                    _ => argument = 0,
                }
                first_of_argument = at;
            }
            OpenBracket | OpenBrace => argument = 0,
            Comma if depth == 0 => argument += 1,
            Pipe | Semicolon if depth == 0 => argument = 0,
            _ => {}
        }
        if depth == 0 && argument == 0 && tokens[at].kind != Comma {
            first_of_argument = at;
        }
    }
    None
}

/// Whether a word before a parenthesis may be the name of what is called.
fn callable(word: &str) -> bool {
    !super::format::takes_list(word)
        && !matches!(word, "datatable" | "find" | "kind" | "search" | "take" | "top" | "view")
}
