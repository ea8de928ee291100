//! Text to tokens, with nom. Every byte belongs to a token and nothing fails: a character that the language does
//! not know is a token of its own, an unclosed string says what it lacks. Knows words and literals, no grammar.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_till, take_while, take_while_m_n, take_while1};
use nom::character::complete::{digit1, one_of, satisfy};
use nom::combinator::{not, opt, peek, recognize, verify};
use nom::{IResult, Parser};

use crate::span::Span;
use crate::time::ticks_of_unit;
use crate::token::{KeywordClass, Token, TokenKind, longest_keyword};

type Lexed<'a> = IResult<&'a str, &'a str>;

/// All tokens of a text, trivia included, and an empty [`TokenKind::End`] after the last.
pub fn lex(text: &str) -> Vec<Token> {
    let mut tokens = Vec::with_capacity(text.len() / 4 + 1);
    let mut at = 0;
    while at < text.len() {
        let (kind, length, unclosed) = next_token(&text[at..]);
        let end = at + length.max(1);
        tokens.push(Token { kind, span: Span::new(at as u32, end as u32), unclosed });
        at = end;
    }
    tokens.push(Token { kind: TokenKind::End, span: Span::at(text.len() as u32), unclosed: None });
    tokens
}

/// The kind and length in bytes of the token at the start of `text`, which is not empty.
fn next_token(text: &str) -> (TokenKind, usize, Option<&'static str>) {
    let Some(first) = text.chars().next() else { return (TokenKind::End, 0, None) };
    if is_whitespace(first) {
        return (TokenKind::Whitespace, matched(take_while(is_whitespace).parse(text)), None);
    }
    if text.starts_with("//") {
        return (TokenKind::Comment, matched(take_till(is_line_break).parse(text)), None);
    }
    if !first.is_ascii_alphanumeric() {
        if let Some((kind, length)) = punctuation(text) {
            return (kind, length, None);
        }
        if let Some((length, unclosed)) = string(text) {
            return (TokenKind::String, length, unclosed);
        }
        if first == '#' {
            return (TokenKind::Directive, matched(take_till(is_line_break).parse(text)), None);
        }
    }
    if let Some(found) = keyword(text) {
        return found;
    }
    if is_name_start(first) { word(text, first) } else { number(text, first) }
}

fn matched(result: Lexed<'_>) -> usize {
    result.map_or(0, |(_, taken)| taken.len())
}

fn is_whitespace(c: char) -> bool {
    matches!(
        c,
        '\t' | ' ' | '\r' | '\n' | '\u{c}' | '\u{a0}' | '\u{1680}' | '\u{180e}' | '\u{2000}'
            ..='\u{200b}' | '\u{202f}' | '\u{205f}' | '\u{3000}' | '\u{feff}'
    )
}

fn is_line_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{2028}' | '\u{2029}')
}

fn is_name_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || c == '$'
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn continues_name(rest: &str) -> bool {
    rest.starts_with(is_name_char)
}

fn punctuation(text: &str) -> Option<(TokenKind, usize)> {
    use TokenKind::*;
    let bytes = text.as_bytes();
    let second = bytes.get(1).copied().unwrap_or(0);
    let kind = match (bytes[0], second) {
        (b'(', _) => OpenParen,
        (b')', _) => CloseParen,
        (b'[', _) => OpenBracket,
        (b']', _) => CloseBracket,
        (b'{', _) => OpenBrace,
        (b'}', _) => CloseBrace,
        (b'|', _) => Pipe,
        (b'.', b'.') => return Some((DotDot, 2)),
        (b'.', _) => Dot,
        (b'+', _) => Plus,
        (b'-', _) => Minus,
        (b'*', _) => Star,
        (b'/', _) => Slash,
        (b'%', _) => Percent,
        (b'<', b'=') => return Some((LessEqual, 2)),
        (b'<', b'|') => return Some((LessPipe, 2)),
        (b'<', b'>') => return Some((NotEqual, 2)),
        (b'<', _) => Less,
        (b'>', b'=') => return Some((GreaterEqual, 2)),
        (b'>', _) => Greater,
        (b'=', b'=') => return Some((Equal, 2)),
        (b'=', b'>') => return Some((FatArrow, 2)),
        (b'=', b'~') => return Some((EqualTilde, 2)),
        (b'=', _) => Assign,
        (b'!', b'=') => return Some((NotEqual, 2)),
        (b'!', b'~') => return Some((BangTilde, 2)),
        (b':', _) => Colon,
        (b';', _) => Semicolon,
        (b',', _) => Comma,
        (b'@', b'\'' | b'"' | b'`' | b'~') => return None,
        (b'@', _) => At,
        (b'?', _) => Question,
        _ => return None,
    };
    Some((kind, 1))
}

/// A keyword, or a typed literal that begins with one: `datetime(…)`.
fn keyword(text: &str) -> Option<(TokenKind, usize, Option<&'static str>)> {
    let (word, class) = match longest_keyword(text) {
        Some(found) => found,
        None if text.starts_with('!') && !continues_name(&text[1..]) => {
            return Some((TokenKind::Bang, 1, None));
        }
        None => return None,
    };
    let rest = &text[word.len()..];
    if rest.starts_with('(')
        && let Some(kind) = typed_literal_kind(word)
    {
        let content = matched(take_till(|c| c == ')' || is_line_break(c)).parse(rest));
        return Some(if rest[content..].starts_with(')') {
            (kind, word.len() + content + 1, None)
        } else {
            (kind, word.len() + content, Some(")"))
        });
    }
    (!continues_name(rest)).then_some((TokenKind::Keyword(class), word.len(), None))
}

/// The words that make a literal of what stands in the parentheses right after them.
fn typed_literal_kind(word: &str) -> Option<TokenKind> {
    Some(match word {
        "long" | "int64" => TokenKind::Long,
        "int" | "int32" => TokenKind::Int,
        "real" | "double" => TokenKind::Real,
        "decimal" => TokenKind::Decimal,
        "bool" => TokenKind::Bool,
        "datetime" | "date" => TokenKind::Datetime,
        "timespan" | "time" => TokenKind::Timespan,
        "guid" => TokenKind::Guid,
        _ => return None,
    })
}

fn word(text: &str, first: char) -> (TokenKind, usize, Option<&'static str>) {
    let length = matched(recognize((satisfy(is_name_start), take_while(is_name_char))).parse(text));
    if matches!(&text[..length], "true" | "True" | "TRUE" | "false" | "False" | "FALSE") {
        return (TokenKind::Bool, length, None);
    }
    let guid = matched(raw_guid(text));
    if guid > 0 {
        return (TokenKind::RawGuid, guid, None);
    }
    if length == 1
        && matches!(first, 'h' | 'H')
        && let Some((length, unclosed)) = string(text)
    {
        return (TokenKind::String, length, unclosed);
    }
    (TokenKind::Identifier, length, None)
}

fn number(text: &str, first: char) -> (TokenKind, usize, Option<&'static str>) {
    type Rule = for<'a> fn(&'a str) -> Lexed<'a>;
    const RULES: &[(TokenKind, Rule)] = &[
        (TokenKind::RawGuid, raw_guid),
        (TokenKind::Real, real),
        (TokenKind::Timespan, timespan),
        (TokenKind::Long, long),
        (TokenKind::Identifier, digits_first_name),
    ];
    if first.is_ascii_digit() {
        for (kind, rule) in RULES {
            let length = matched(rule(text));
            if length > 0 {
                return (*kind, length, None);
            }
        }
    }
    (TokenKind::Bad, first.len_utf8(), None)
}

fn end_of_word(text: &str) -> IResult<&str, ()> {
    not(satisfy(is_name_char)).parse(text)
}

/// `1.5`, `1.`, `1e5`, `1.5e-3`. The dot of `1..5` is not its own.
fn real(text: &str) -> Lexed<'_> {
    let exponent = || recognize((one_of("eE"), opt(one_of("+-")), digit1));
    let dot = recognize((tag("."), not((tag("."), not(tag("."))))));
    recognize((digit1, alt((recognize((dot, opt(digit1), opt(exponent()))), exponent())), end_of_word))
        .parse(text)
}

/// `1d`, `1.5h`, `100microseconds`
fn timespan(text: &str) -> Lexed<'_> {
    let unit = verify(take_while1(is_name_char), |unit: &str| ticks_of_unit(unit).is_some());
    recognize((digit1, opt((tag("."), digit1)), unit)).parse(text)
}

fn long(text: &str) -> Lexed<'_> {
    let hexadecimal =
        recognize((tag("0"), one_of("xX"), take_while1(|c: char| c.is_ascii_hexdigit()), end_of_word));
    alt((hexadecimal, recognize((digit1, end_of_word)))).parse(text)
}

/// A name may begin with digits as long as a letter or `_` follows them.
fn digits_first_name(text: &str) -> Lexed<'_> {
    recognize((digit1, peek(satisfy(is_name_char)), take_while(is_name_char))).parse(text)
}

/// `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`
fn raw_guid(text: &str) -> Lexed<'_> {
    let hexadecimal = |count: usize| take_while_m_n(count, count, |c: char| c.is_ascii_hexdigit());
    recognize((
        hexadecimal(8),
        tag("-"),
        hexadecimal(4),
        tag("-"),
        hexadecimal(4),
        tag("-"),
        hexadecimal(4),
        tag("-"),
        hexadecimal(12),
    ))
    .parse(text)
}

/// The length of the string literal at the start of `text`, if there is one, and the quote it lacks at its end.
/// A string of one line ends before the line break or the escape that is none.
fn string(text: &str) -> Option<(usize, Option<&'static str>)> {
    let hidden = usize::from(text.starts_with(['h', 'H']));
    let verbatim = text[hidden..].starts_with('@');
    let open = hidden + usize::from(verbatim);
    let body = &text[open..];
    for fence in ["```", "~~~"] {
        if let Some(content) = body.strip_prefix(fence) {
            return Some(match content.find(fence) {
                Some(end) => (open + 3 + end + 3, None),
                None => (text.len(), Some(fence)),
            });
        }
    }
    let quote = match body.chars().next() {
        Some('\'') => "'",
        Some('"') => "\"",
        _ => return None,
    };
    let mut at = open + 1;
    loop {
        let rest = &text[at..];
        let Some(c) = rest.chars().next() else { return Some((at, Some(quote))) };
        if rest.starts_with(quote) {
            if verbatim && rest[1..].starts_with(quote) {
                at += 2;
                continue;
            }
            return Some((at + 1, None));
        }
        match c {
            '\r' | '\n' => return Some((at, Some(quote))),
            '\\' if !verbatim => match escape(rest) {
                Some((length, _)) => at += length,
                None => return Some((at, Some(quote))),
            },
            _ => at += c.len_utf8(),
        }
    }
}

/// The escape sequence at the start of `text`: its length and the character it stands for. A code that is no
/// character (half of a surrogate pair) stands for itself as `\u{fffd}`.
fn escape(text: &str) -> Option<(usize, char)> {
    let bytes = text.as_bytes();
    let hexadecimal = |count: usize| {
        let digits = text.get(2..2 + count).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        let code = u32::from_str_radix(digits, 16).ok()?;
        Some((2 + count, char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)))
    };
    Some(match bytes.get(1)? {
        b'\\' => (2, '\\'),
        b'\'' => (2, '\''),
        b'"' => (2, '"'),
        b'a' => (2, '\u{7}'),
        b'b' => (2, '\u{8}'),
        b'f' => (2, '\u{c}'),
        b'n' => (2, '\n'),
        b'r' => (2, '\r'),
        b't' => (2, '\t'),
        b'v' => (2, '\u{b}'),
        b'x' => return hexadecimal(2),
        b'u' => return surrogate_pair(text).or_else(|| hexadecimal(4)),
        b'U' => return hexadecimal(8),
        b'0'..=b'7' => {
            let longest = if bytes[1] <= b'3' { 3 } else { 2 };
            let digits = bytes[1..].iter().take(longest).take_while(|b| matches!(b, b'0'..=b'7')).count();
            let code = u32::from_str_radix(&text[1..1 + digits], 8).ok()?;
            (1 + digits, char::from_u32(code)?)
        }
        _ => return None,
    })
}

/// `\ud83d\ude00`: two escapes that are one character together.
fn surrogate_pair(text: &str) -> Option<(usize, char)> {
    let unit = |from: usize| u32::from_str_radix(text.get(from..from + 4)?, 16).ok();
    let high = unit(2).filter(|unit| (0xd800..0xdc00).contains(unit))?;
    let low = text.get(6..8).filter(|mark| *mark == "\\u").and_then(|_| unit(8))?;
    let low = Some(low).filter(|unit| (0xdc00..0xe000).contains(unit))?;
    let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    Some((12, char::from_u32(code)?))
}

/// The value of a string token, and whether it is marked as not to be logged.
pub fn decode_string(token: &str) -> (String, bool) {
    let (obfuscated, text) = match token.strip_prefix(['h', 'H']) {
        Some(rest) => (true, rest),
        None => (false, token),
    };
    let (verbatim, text) = match text.strip_prefix('@') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    for fence in ["```", "~~~"] {
        if let Some(content) = text.strip_prefix(fence) {
            return (content.strip_suffix(fence).unwrap_or(content).to_owned(), obfuscated);
        }
    }
    let Some(quote) = text.chars().next() else { return (String::new(), obfuscated) };
    let content = &text[quote.len_utf8()..];
    let mut value = String::with_capacity(content.len());
    let mut at = 0;
    while let Some(c) = content[at..].chars().next() {
        let rest = &content[at..];
        if c == quote {
            if !verbatim || !rest[1..].starts_with(quote) {
                break;
            }
            value.push(quote);
            at += 2;
        } else if c == '\\' && !verbatim {
            match escape(rest) {
                Some((length, decoded)) => {
                    value.push(decoded);
                    at += length;
                }
                None => {
                    value.push(c);
                    at += 1;
                }
            }
        } else {
            value.push(c);
            at += c.len_utf8();
        }
    }
    (value, obfuscated)
}

/// True if `text` as it stands would be one identifier or keyword token that may be a name anywhere.
pub fn is_plain_name(text: &str) -> bool {
    if text.is_empty() || text.starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let (kind, length, _) = next_token(text);
    length == text.len() && matches!(kind, TokenKind::Identifier | TokenKind::Keyword(KeywordClass::Anywhere))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The kinds and texts of all tokens but white space and the end.
    fn kinds(text: &str) -> Vec<(TokenKind, &str)> {
        lex(text)
            .into_iter()
            .filter(|token| !matches!(token.kind, TokenKind::Whitespace | TokenKind::End))
            .map(|token| (token.kind, token.text(text)))
            .collect()
    }

    #[test]
    fn literals() {
        use TokenKind::*;
        let cases: &[(&str, &[TokenKind])] = &[
            ("1 1.5 1. 1e5 1.5e-3 0x1F", &[Long, Real, Real, Real, Real, Long]),
            ("1d 2h 30m 10s 100ms 1microsecond 1tick 1.5h 3nanoseconds", &[Timespan; 9]),
            ("1min 2foo 1_000 3w", &[Timespan, Identifier, Identifier, Identifier]),
            ("1..5", &[Long, DotDot, Long]),
            ("true True FALSE tRue", &[Bool, Bool, Bool, Identifier]),
            ("datetime(2020-01-01) time(1d) guid(x) long(1) int(2)", &[Datetime, Timespan, Guid, Long, Int]),
            ("real(1) decimal(1) bool(1) double(2)", &[Real, Decimal, Bool, Real]),
            ("datetime (2020)", &[Keyword(KeywordClass::Never), OpenParen, Long, CloseParen]),
            ("74be27de-1e4e-49d9-b579-fe0b331d3642", &[RawGuid]),
            ("'a' \"b\" @'c\\' h'd' H@\"e\" ```f\n``` ~~~g~~~", &[String; 7]),
            ("h 'x' hh", &[Identifier, String, Identifier]),
            ("a// c\nb", &[Identifier, Comment, Identifier]),
            ("#connect x\nT", &[Directive, Identifier]),
            ("$left _ print_0 é", &[Identifier, Identifier, Identifier, Bad]),
        ];
        for (text, expected) in cases {
            let found: Vec<TokenKind> = kinds(text).into_iter().map(|(kind, _)| kind).collect();
            assert_eq!(found, *expected, "{text}");
        }
    }

    #[test]
    fn keywords_take_the_longest_word() {
        let text = "mv-expand matches regex !has_cs in~ hint.strategy project-awayx !x ! 3Dchart";
        let found: Vec<&str> = kinds(text).into_iter().map(|(_, text)| text).collect();
        assert_eq!(
            found,
            [
                "mv-expand",
                "matches regex",
                "!has_cs",
                "in~",
                "hint.strategy",
                "project",
                "-",
                "awayx",
                "!",
                "x",
                "!",
                "3Dchart"
            ]
        );
    }

    #[test]
    fn strings_decode() {
        let cases = [
            (r"'a\'b'", "a'b"),
            (r"@'a\''b'", r"a\'b"),
            (r#""\t\u0041\x41\101\ud83d\ude00""#, "\tAAA😀"),
            ("```a\n'b```", "a\n'b"),
            ("'open", "open"),
        ];
        for (token, value) in cases {
            assert_eq!(decode_string(token).0, value, "{token}");
        }
        assert_eq!(decode_string("h'x'"), ("x".to_owned(), true));
    }

    #[test]
    fn unclosed_strings_say_what_they_lack() {
        for (text, quote) in [("'abc", "'"), ("\"a\\qb\"", "\""), ("```a", "```"), ("long(1\n", ")")] {
            assert_eq!(lex(text)[0].unclosed, Some(quote), "{text}");
        }
    }

    proptest! {
        #[test]
        fn tokens_cover_any_text_without_gaps(text in "(\\PC|[ a-z'\"()|=.0-9\\n\\\\@h`~#/-]){0,80}") {
            let mut at = 0;
            for token in lex(&text) {
                prop_assert_eq!(token.span.start, at);
                prop_assert!(text.is_char_boundary(token.span.end as usize));
                at = token.span.end;
            }
            prop_assert_eq!(at as usize, text.len());
        }
    }
}
