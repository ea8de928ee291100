//! Tokens of a management command: words, names, strings, and raw pieces that are other languages.
//!
//! Commands are read left to right by their families; a place of the text is in every error.

use conshelf_kql::Type;
use conshelf_storage::ColumnType;

use crate::command::{CommandError, CommandOutput, Result};

/// What stands at the reader's place.
#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// Letters, digits, `_`, `$`, and hyphens between them; may begin with a digit (`3d`, a guid).
    Word,
    /// `['…']`, decoded.
    Bracketed(String),
    /// A string literal, decoded.
    String(String),
    Symbol(char),
    End,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    text: &'a str,
    token: Token,
    start: usize,
    end: usize,
    pipeline: Option<usize>,
}

/// A column of a table's declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredColumn {
    pub name: String,
    pub ty: ColumnType,
}

/// The storage type of a name of a type (`long`, `System.Int64` …).
pub fn column_type(name: &str) -> Option<ColumnType> {
    let lower = name.to_ascii_lowercase();
    let ty = Type::from_name(&lower)
        .or_else(|| Type::ALL.iter().copied().find(|ty| ty.system_name().eq_ignore_ascii_case(name)))?;
    Some(crate::telemetry::column_type(ty))
}

impl<'a> Reader<'a> {
    pub fn new(text: &'a str) -> Reader<'a> {
        let mut reader = Reader { text, token: Token::End, start: 0, end: 0, pipeline: None };
        reader.advance();
        reader
    }

    /// Offset of the token that comes next.
    pub fn start(&self) -> usize {
        self.start
    }

    /// Where the pipeline after the command begins, if there is one.
    pub fn pipeline(&self) -> Option<usize> {
        self.pipeline
    }

    fn skip_space(&self, mut at: usize) -> usize {
        let bytes = self.text.as_bytes();
        loop {
            let rest = &self.text[at..];
            let trimmed = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
            at += rest.len() - trimmed.len();
            if bytes[at..].starts_with(b"//") {
                at += trimmed.find('\n').unwrap_or(trimmed.len());
            } else {
                return at;
            }
        }
    }

    fn advance(&mut self) {
        let at = self.skip_space(self.end);
        self.start = at;
        let rest = &self.text[at..];
        let Some(first) = rest.chars().next() else {
            self.end = at;
            self.token = Token::End;
            return;
        };
        if let Some((value, length)) = string_literal(rest) {
            self.end = at + length;
            self.token = Token::String(value);
            return;
        }
        if first == '[' {
            let inner_start = self.skip_space(at + 1);
            if let Some((value, length)) = string_literal(&self.text[inner_start..]) {
                let close = self.skip_space(inner_start + length);
                if self.text[close..].starts_with(']') {
                    self.end = close + 1;
                    self.token = Token::Bracketed(value);
                    return;
                }
            }
        }
        if first.is_alphanumeric() || first == '_' || first == '$' {
            let mut end = 0;
            let mut letters = rest.char_indices().peekable();
            while let Some((offset, letter)) = letters.next() {
                let next = letters.peek().map(|(_, next)| *next);
                let inside = letter.is_alphanumeric()
                    || letter == '_'
                    || letter == '$'
                    || (letter == '-' && next.is_some_and(char::is_alphanumeric))
                    // `1.5h`, `10.00:00:00`: a number or a length of time, not a path.
                    || ((letter == '.' || letter == ':')
                        && first.is_ascii_digit()
                        && next.is_some_and(|next| next.is_ascii_digit()));
                if !inside {
                    break;
                }
                end = offset + letter.len_utf8();
            }
            self.end = at + end;
            self.token = Token::Word;
            return;
        }
        self.end = at + first.len_utf8();
        self.token = Token::Symbol(first);
    }

    fn raw(&self) -> &'a str {
        &self.text[self.start..self.end]
    }

    /// What stands here, for messages.
    fn found(&self) -> String {
        match self.token {
            Token::End => "the end of the command".to_owned(),
            _ => format!("'{}'", self.raw()),
        }
    }

    /// An error at the token that comes next.
    pub fn error(&self, message: impl Into<String>) -> CommandError {
        CommandError::Syntax { message: message.into(), start: self.start, length: self.end - self.start }
    }

    fn expected(&self, what: &str) -> CommandError {
        self.error(format!("expected {what}, found {}", self.found()))
    }

    /// Refuses a command that Kusto has and this server has not.
    pub fn unsupported(&self, command: &str, advice: &str) -> Result<CommandOutput> {
        Err(CommandError::NotSupported(format!("the command '.{command}'; {advice}")))
    }

    /// The dot that begins a command.
    pub fn dot(&mut self) -> Result<()> {
        self.expect_symbol('.')
    }

    /// Any word.
    pub fn word(&mut self) -> Result<&'a str> {
        if self.token != Token::Word {
            return Err(self.expected("a word"));
        }
        let word = self.raw();
        self.advance();
        Ok(word)
    }

    /// Whether that word comes next, in any case.
    pub fn at(&self, word: &str) -> bool {
        self.token == Token::Word && self.raw().eq_ignore_ascii_case(word)
    }

    /// Takes that word if it comes next.
    pub fn eat(&mut self, word: &str) -> bool {
        let here = self.at(word);
        if here {
            self.advance();
        }
        here
    }

    pub fn expect(&mut self, word: &str) -> Result<()> {
        if self.eat(word) { Ok(()) } else { Err(self.expected(&format!("'{word}'"))) }
    }

    pub fn at_symbol(&self, symbol: char) -> bool {
        self.token == Token::Symbol(symbol)
    }

    pub fn eat_symbol(&mut self, symbol: char) -> bool {
        let here = self.at_symbol(symbol);
        if here {
            self.advance();
        }
        here
    }

    pub fn expect_symbol(&mut self, symbol: char) -> Result<()> {
        if self.eat_symbol(symbol) { Ok(()) } else { Err(self.expected(&format!("'{symbol}'"))) }
    }

    /// Whether a name could stand here.
    pub fn at_name(&self) -> bool {
        matches!(self.token, Token::Word | Token::Bracketed(_) | Token::String(_))
    }

    /// A name: plain, bracketed or quoted.
    pub fn name(&mut self, what: &str) -> Result<String> {
        let name = match &self.token {
            Token::Word => self.raw().to_owned(),
            Token::Bracketed(name) | Token::String(name) => name.clone(),
            _ => return Err(self.expected(what)),
        };
        if name.is_empty() {
            return Err(self.error(format!("{what} is empty")));
        }
        self.advance();
        Ok(name)
    }

    /// One or more string literals, joined.
    pub fn string(&mut self, what: &str) -> Result<String> {
        let Token::String(_) = &self.token else { return Err(self.expected(what)) };
        let mut joined = String::new();
        while let Token::String(piece) = &self.token {
            joined.push_str(piece);
            self.advance();
        }
        Ok(joined)
    }

    pub fn at_string(&self) -> bool {
        matches!(self.token, Token::String(_))
    }

    /// A list of names in parentheses.
    pub fn name_list(&mut self, what: &str) -> Result<Vec<String>> {
        self.expect_symbol('(')?;
        let mut names = Vec::new();
        if self.eat_symbol(')') {
            return Ok(names);
        }
        loop {
            names.push(self.name(what)?);
            if self.eat_symbol(')') {
                return Ok(names);
            }
            self.expect_symbol(',')?;
        }
    }

    /// `(name:type, …)`
    pub fn columns(&mut self) -> Result<Vec<DeclaredColumn>> {
        self.expect_symbol('(')?;
        let mut columns: Vec<DeclaredColumn> = Vec::new();
        if self.eat_symbol(')') {
            return Ok(columns);
        }
        loop {
            let start = self.start;
            let name = self.name("the name of a column")?;
            self.expect_symbol(':')?;
            let ty = self.column_type()?;
            if columns.iter().any(|known| known.name == name) {
                return Err(CommandError::Syntax {
                    message: format!("column '{name}' is declared twice"),
                    start,
                    length: name.len(),
                });
            }
            columns.push(DeclaredColumn { name, ty });
            if self.eat_symbol(')') {
                return Ok(columns);
            }
            self.expect_symbol(',')?;
        }
    }

    /// The name of a column type.
    pub fn column_type(&mut self) -> Result<ColumnType> {
        let start = self.start;
        let mut name = self.word()?.to_owned();
        while self.at_symbol('.') {
            self.advance();
            name = format!("{name}.{}", self.word()?);
        }
        column_type(&name).ok_or_else(|| CommandError::Syntax {
            message: format!(
                "'{name}' is not a type; a column is bool, int, long, real, decimal, datetime, timespan, string, guid or dynamic"
            ),
            start,
            length: name.len(),
        })
    }

    /// `with (name = value, …)`, if it comes next; names in lower case, values as text.
    pub fn properties(&mut self) -> Result<Vec<(String, String)>> {
        if !self.eat("with") {
            return Ok(Vec::new());
        }
        self.property_list()
    }

    /// `(name = value, …)`
    pub fn property_list(&mut self) -> Result<Vec<(String, String)>> {
        self.expect_symbol('(')?;
        let mut properties = Vec::new();
        if self.eat_symbol(')') {
            return Ok(properties);
        }
        loop {
            let name = self.name("the name of a property")?.to_ascii_lowercase();
            self.expect_symbol('=')?;
            properties.push((name, self.value()?));
            if self.eat_symbol(')') {
                return Ok(properties);
            }
            self.expect_symbol(',')?;
        }
    }

    /// A value of a property: a string, a word, a number, or raw text in parentheses behind a word
    /// (`datetime(…)`, `time(…)`), brackets or braces.
    pub fn value(&mut self) -> Result<String> {
        if self.at_string() {
            return self.string("a value");
        }
        if self.at_symbol('-') {
            self.advance();
            return Ok(format!("-{}", self.word()?));
        }
        if let Token::Bracketed(name) = &self.token {
            let value = format!("[{}]", crate::response::value_text::quoted(name));
            self.advance();
            return Ok(value);
        }
        if self.at_symbol('[') || self.at_symbol('{') {
            return self.balanced().map(str::to_owned);
        }
        let word = self.word().map_err(|_| self.expected("a value"))?;
        if self.at_symbol('(') {
            let inner = self.balanced()?;
            let inner = inner[1..inner.len() - 1].trim();
            return Ok(inner.trim_matches(['"', '\'']).to_owned());
        }
        Ok(word.to_owned())
    }

    /// A balanced piece that begins with the bracket here, as written with its brackets. Strings and comments
    /// inside do not count.
    pub fn balanced(&mut self) -> Result<&'a str> {
        let open_at = self.start;
        let mut depth = 0usize;
        let mut at = self.start;
        while at < self.text.len() {
            let rest = &self.text[at..];
            if rest.starts_with("//") {
                at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            if let Some((_, length)) = string_literal(rest) {
                at += length;
                continue;
            }
            let Some(letter) = rest.chars().next() else { break };
            at += letter.len_utf8();
            match letter {
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        self.end = at;
                        self.advance();
                        return Ok(&self.text[open_at..at]);
                    }
                }
                _ => {}
            }
        }
        Err(self.error("the bracket that opens here is not closed"))
    }

    /// Everything after `<|`: another language to the end of the request. The first line break is skipped.
    pub fn payload(&mut self) -> Result<(&'a str, usize)> {
        if !self.at_symbol('<') || !self.text[self.end..].starts_with('|') {
            return Err(self.expected("'<|'"));
        }
        let mut start = self.end + 1;
        self.end = self.text.len();
        self.advance();
        let rest = &self.text[start..];
        let blank = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        if let Some(line) = rest[blank..].strip_prefix("\r\n").or_else(|| rest[blank..].strip_prefix('\n')) {
            start = self.text.len() - line.len();
        }
        Ok((&self.text[start..], start))
    }

    pub fn at_payload(&self) -> bool {
        self.at_symbol('<') && self.text[self.end..].starts_with('|')
    }

    /// The end of the command: nothing, a semicolon, or a pipeline over its rows.
    pub fn finish(&mut self) -> Result<()> {
        if self.eat_symbol(';') && self.token == Token::End {
            return Ok(());
        }
        match self.token {
            Token::End => Ok(()),
            Token::Symbol('|') => {
                self.pipeline = Some(self.start);
                Ok(())
            }
            _ => Err(self.expected("the end of the command or '|'")),
        }
    }
}

/// A string literal at the start of a text: its value and its length. All of Kusto's forms: `'…'`, `"…"`,
/// verbatim `@'…'`, hidden `h'…'`, and multi-line between three backticks or tildes.
fn string_literal(text: &str) -> Option<(String, usize)> {
    let mut rest = text;
    if let Some(hidden) = rest.strip_prefix(['h', 'H'])
        && hidden.starts_with(['\'', '"', '@', '`', '~'])
    {
        rest = hidden;
    }
    let prefix = text.len() - rest.len();
    for fence in ["```", "~~~"] {
        if let Some(inner) = rest.strip_prefix(fence) {
            let end = inner.find(fence)?;
            return Some((inner[..end].to_owned(), prefix + fence.len() * 2 + end));
        }
    }
    if let Some(verbatim) = rest.strip_prefix('@') {
        let quote = verbatim.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let mut value = String::new();
        let mut letters = verbatim[1..].char_indices().peekable();
        while let Some((at, letter)) = letters.next() {
            if letter != quote {
                value.push(letter);
            } else if letters.peek().is_some_and(|(_, next)| *next == quote) {
                letters.next();
                value.push(quote);
            } else {
                return Some((value, prefix + 2 + at + 1));
            }
        }
        return None;
    }
    let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let mut value = String::new();
    let mut letters = rest[1..].char_indices();
    while let Some((at, letter)) = letters.next() {
        if letter == quote {
            return Some((value, prefix + 1 + at + 1));
        }
        if letter != '\\' {
            value.push(letter);
            continue;
        }
        let (_, escaped) = letters.next()?;
        match escaped {
            'n' => value.push('\n'),
            't' => value.push('\t'),
            'r' => value.push('\r'),
            'a' => value.push('\u{7}'),
            'b' => value.push('\u{8}'),
            'f' => value.push('\u{c}'),
            'v' => value.push('\u{b}'),
            '0' => value.push('\0'),
            'u' | 'x' | 'U' => {
                let digits = match escaped {
                    'u' => 4,
                    'x' => 2,
                    _ => 8,
                };
                let mut code = 0u32;
                for _ in 0..digits {
                    let (_, digit) = letters.next()?;
                    code = code.checked_mul(16)?.checked_add(digit.to_digit(16)?)?;
                }
                value.push(char::from_u32(code).unwrap_or('\u{fffd}'));
            }
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_in_every_form() {
        let cases = [
            (r"'a\'b'", "a'b"),
            (r#""a\tb""#, "a\tb"),
            (r"@'a\b''c'", r"a\b'c"),
            ("h'secret'", "secret"),
            ("```a\n'b'```", "a\n'b'"),
            (r"'\u00e9\x41'", "éA"),
        ];
        for (text, value) in cases {
            assert_eq!(string_literal(text), Some((value.to_owned(), text.len())), "{text}");
        }
        for broken in ["'a", "\"", "@'a''", "```a", r"'\u12", "'\\"] {
            assert_eq!(string_literal(broken), None, "{broken}");
        }
    }

    #[test]
    fn words_names_and_values() {
        let mut reader = Reader::new(
            " // c\n.create-or-alter ['a b'].x with (a = 1.5h, b = 'x' \"y\", c=datetime(2024-01-01), d=[1,2]) ; ",
        );
        assert!(reader.dot().is_ok());
        assert_eq!(reader.word().ok(), Some("create-or-alter"));
        assert_eq!(reader.name("n").ok(), Some("a b".to_owned()));
        assert!(reader.eat_symbol('.') && reader.eat("X"));
        let properties = reader.properties().expect("properties");
        let expected = [("a", "1.5h"), ("b", "xy"), ("c", "2024-01-01"), ("d", "[1,2]")];
        assert_eq!(properties, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert!(reader.finish().is_ok());
        assert_eq!(reader.pipeline(), None);
    }

    #[test]
    fn the_payload_begins_after_the_first_line_break() {
        let mut reader = Reader::new("x <|  \r\n1,2\n");
        assert!(reader.eat("x"));
        assert_eq!(reader.payload().ok().map(|(text, _)| text), Some("1,2\n"));
        let mut reader = Reader::new("x <| T | take 1");
        assert!(reader.eat("x"));
        assert_eq!(reader.payload().ok(), Some((" T | take 1", 4)));
    }

    #[test]
    fn balanced_pieces_pass_over_strings_and_comments() {
        let mut reader = Reader::new("{ T | where a == '}' // }\n | take 1 } rest");
        assert_eq!(reader.balanced().ok(), Some("{ T | where a == '}' // }\n | take 1 }"));
        assert!(reader.eat("rest"));
        assert!(Reader::new("{ (").balanced().is_err());
    }

    #[test]
    fn any_text_is_read_to_an_end() {
        for text in ["", ".", "...", "é('", "[['a']]", "<|", "\u{0}", "-", "'"] {
            let mut reader = Reader::new(text);
            for _ in 0..10 {
                let _ = reader.finish();
                let _ = reader.value();
                reader.advance();
            }
            assert_eq!(reader.token, Token::End);
        }
    }
}
