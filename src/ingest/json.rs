//! JSON objects into rows: one after another, on lines or not, alone or in arrays.
//!
//! A scanner over the bytes puts each value straight into its column; objects and arrays become binary
//! dynamics on the way. A record that is broken is left out up to the next line that begins an object.

use conshelf_storage::dynamic::{DynamicBuilder, DynamicKind, DynamicRef};

use crate::ingest::column::Scalar;
use crate::ingest::decode::{Decoder, MAX_RECORD_BYTES, Progress, RowError, utf8};
use crate::ingest::mapping::{JsonMapping, JsonTarget};
use crate::ingest::rows::RowBuilder;

/// Deepest nesting of arrays and objects in a value.
const MAX_DEPTH: usize = 120;

/// Decodes a sequence of JSON objects.
#[derive(Debug, Default)]
pub struct JsonDecoder {
    mapping: Option<JsonMapping>,
    in_array: bool,
    /// A broken record is being passed over: everything up to a line that begins an object.
    skipping: bool,
    buffers: Buffers,
}

/// Scratch space that is used again for every value.
#[derive(Debug, Default)]
struct Buffers {
    text: Vec<u8>,
    dynamic: DynamicBuilder,
}

/// Why a record could not be read.
#[derive(Debug)]
enum Failure {
    /// The input ends inside the record.
    Incomplete,
    Bad {
        offset: usize,
        field: Option<String>,
        message: String,
    },
}

type Scanned<T> = Result<T, Failure>;

fn bad<T>(offset: usize, message: impl Into<String>) -> Scanned<T> {
    Err(Failure::Bad { offset, field: None, message: message.into() })
}

impl JsonDecoder {
    pub fn new(mapping: Option<JsonMapping>) -> JsonDecoder {
        JsonDecoder { mapping, ..JsonDecoder::default() }
    }

    /// Reads the object that begins at `start`; yields the offset after it.
    fn record(&mut self, input: Input<'_>, start: usize, rows: &mut RowBuilder) -> Scanned<usize> {
        let mut scanner = Scanner { input: input.bytes, text: input.text, at: start + 1 };
        if scanner.peek()? == b'}' {
            scanner.at += 1;
        } else {
            loop {
                if scanner.peek()? != b'"' {
                    return bad(scanner.at, "expected a property name in double quotes");
                }
                let expected = match &self.mapping {
                    None => rows.expected_name(&input.bytes[scanner.at..]),
                    Some(_) => None,
                };
                scanner.at += 1;
                let key_at = scanner.at;
                let value = match (&self.mapping, expected) {
                    (_, Some((column, length))) => {
                        scanner.at = key_at - 1 + length;
                        scanner
                            .value_into(Some(column), rows, &mut self.buffers)
                            .map_err(|failure| in_field(failure, || rows.name(column).to_string()))
                    }
                    (None, None) => {
                        let key = scanner.name(&mut self.buffers.text)?;
                        match rows.column_of(key) {
                            Ok(column) => {
                                let name = column.is_none().then(|| key.to_string());
                                scanner.colon()?;
                                scanner.value_into(column, rows, &mut self.buffers).map_err(|failure| {
                                    let known = column.map(|column| rows.name(column).to_string());
                                    in_field(failure, || known.or(name).unwrap_or_default())
                                })
                            }
                            Err(message) => bad(key_at, message),
                        }
                    }
                    (Some(mapping), None) => {
                        let key = scanner.name(&mut self.buffers.text)?;
                        let (name, targets) = (key.to_string(), mapping.targets(key));
                        scanner.colon()?;
                        scanner
                            .mapped_value(targets, rows, &mut self.buffers)
                            .map_err(|failure| in_field(failure, || name))
                    }
                };
                value?;
                match scanner.peek()? {
                    b',' => scanner.at += 1,
                    b'}' => {
                        scanner.at += 1;
                        break;
                    }
                    _ => return bad(scanner.at, "expected ',' or '}' after a property"),
                }
                scanner.peek()?;
            }
        }
        if let Some(mapping) = &self.mapping {
            mapping.constants(rows);
            if !mapping.whole_record().is_empty() {
                let mut whole = Scanner { input: input.bytes, text: input.text, at: start };
                whole.mapped_value(mapping.whole_record(), rows, &mut self.buffers)?;
            }
        }
        Ok(scanner.at)
    }
}

fn in_field(failure: Failure, name: impl FnOnce() -> String) -> Failure {
    match failure {
        Failure::Bad { offset, field: None, message } => {
            Failure::Bad { offset, field: Some(name()), message }
        }
        other => other,
    }
}

impl Decoder for JsonDecoder {
    fn decode(&mut self, input: &[u8], last: bool, rows: &mut RowBuilder) -> Progress {
        let text = valid_start(input);
        let mut at = 0;
        loop {
            if self.skipping {
                match next_object_line(&input[at..], last) {
                    Some(offset) => {
                        at += offset;
                        self.skipping = false;
                    }
                    // The last byte stays: it may be the line break before the next object.
                    None if last => return Progress { consumed: input.len(), error: None },
                    None => {
                        let consumed = memchr::memrchr(b'\n', &input[at..]).map_or(input.len(), |n| at + n);
                        return Progress { consumed, error: None };
                    }
                }
            }
            while input.get(at).is_some_and(|byte| byte.is_ascii_whitespace()) {
                at += 1;
            }
            let Some(&byte) = input.get(at) else {
                let open = last && self.in_array;
                self.in_array &= !last;
                let error = open.then(|| RowError {
                    offset: at,
                    field: None,
                    message: String::from("the input ends inside an array: ']' is missing"),
                });
                return Progress { consumed: at, error };
            };
            match byte {
                b'{' => {
                    if rows.is_full() {
                        return Progress { consumed: at, error: None };
                    }
                    match self.record(Input { bytes: input, text }, at, rows) {
                        Ok(end) => {
                            rows.end_row();
                            at = end;
                        }
                        Err(Failure::Incomplete) if !last && input.len() - at < MAX_RECORD_BYTES => {
                            rows.undo_row();
                            return Progress { consumed: at, error: None };
                        }
                        Err(failure) => {
                            rows.undo_row();
                            return self.refuse(input, at, last, failure);
                        }
                    }
                }
                b'[' if !self.in_array => {
                    self.in_array = true;
                    at += 1;
                }
                b']' if self.in_array => {
                    self.in_array = false;
                    at += 1;
                }
                b',' if self.in_array => at += 1,
                _ => {
                    let message = String::from("expected an object '{…}'");
                    return self.refuse(input, at, last, Failure::Bad { offset: at, field: None, message });
                }
            }
        }
    }
}

impl JsonDecoder {
    /// Reports the bad record that begins at `start` and passes over it.
    fn refuse(&mut self, input: &[u8], start: usize, last: bool, failure: Failure) -> Progress {
        let error = match failure {
            Failure::Bad { offset, field, message } => RowError { offset, field, message },
            Failure::Incomplete if input.len() - start >= MAX_RECORD_BYTES => RowError {
                offset: start,
                field: None,
                message: format!("a record is larger than {MAX_RECORD_BYTES} bytes"),
            },
            Failure::Incomplete => RowError {
                offset: start,
                field: None,
                message: String::from("the input ends inside this object"),
            },
        };
        self.skipping = true;
        let consumed = match next_object_line(&input[start + 1..], last) {
            Some(offset) => {
                self.skipping = false;
                start + 1 + offset
            }
            None if last => input.len(),
            None => (start + 1).max(memchr::memrchr(b'\n', input).unwrap_or(input.len())),
        };
        Progress { consumed, error: Some(error) }
    }
}

/// Offset of the first object that begins a line, after some line break. `None`: not in this input.
fn next_object_line(input: &[u8], last: bool) -> Option<usize> {
    for line in memchr::memchr_iter(b'\n', input) {
        let rest = &input[line + 1..];
        let blank = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        match rest.get(blank) {
            Some(b'{') => return Some(line + 1 + blank),
            None if !last => return None,
            _ => {}
        }
    }
    None
}

/// The longest start of the input that is valid UTF-8.
fn valid_start(input: &[u8]) -> &str {
    match utf8(input) {
        Ok(text) => text,
        Err(length) => utf8(&input[..length]).unwrap_or_default(),
    }
}

/// The bytes to decode, and as much of them from the start as is valid UTF-8: it is checked once for all.
#[derive(Clone, Copy, Debug)]
struct Input<'a> {
    bytes: &'a [u8],
    text: &'a str,
}

/// Reads JSON tokens; every method leaves `at` after what it read.
#[derive(Debug)]
struct Scanner<'a> {
    input: &'a [u8],
    /// The start of the input that is known to be text.
    text: &'a str,
    at: usize,
}

/// A token that is a whole value, or the begin of one.
enum Token {
    Null,
    Bool(bool),
    Integer(i64),
    Real(f64),
    /// Digits past 64 bits, from this offset to `at`.
    BigInteger(usize),
}

impl<'a> Scanner<'a> {
    /// The next byte that is not white space.
    fn peek(&mut self) -> Scanned<u8> {
        while let Some(&byte) = self.input.get(self.at) {
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Ok(byte);
            }
            self.at += 1;
        }
        Err(Failure::Incomplete)
    }

    fn colon(&mut self) -> Scanned<()> {
        if self.peek()? != b':' {
            return bad(self.at, "expected ':' after a property name");
        }
        self.at += 1;
        Ok(())
    }

    /// A string whose opening quote was read, without escapes: of the input, or in `scratch`.
    fn string<'s>(&mut self, scratch: &'s mut Vec<u8>, what: &str) -> Scanned<&'s str>
    where
        'a: 's,
    {
        let start = self.at;
        let input = self.input;
        let Some(length) = string_end(&input[start..]) else { return Err(Failure::Incomplete) };
        let end = start + length;
        match input[end] {
            b'"' => {
                self.at = end + 1;
                return match self.text.get(start..end) {
                    Some(text) => Ok(text),
                    None => utf8(&input[start..end])
                        .or_else(|at| bad(start + at, format!("{what} is not valid UTF-8"))),
                };
            }
            b'\\' => {
                scratch.clear();
                scratch.extend_from_slice(&input[start..end]);
                self.at = end;
            }
            _ => return bad(end, "a line break inside a string: is the closing quote missing?"),
        }
        loop {
            let from = self.at;
            let Some(length) = string_end(&input[from..]) else { return Err(Failure::Incomplete) };
            scratch.extend_from_slice(&input[from..from + length]);
            self.at = from + length + 1;
            match input[from + length] {
                b'"' => break,
                b'\\' => self.escape(scratch)?,
                _ => {
                    return bad(from + length, "a line break inside a string: is the closing quote missing?");
                }
            }
        }
        utf8(scratch).or_else(|at| bad(start + at, format!("{what} is not valid UTF-8")))
    }

    /// A property name whose opening quote was read.
    fn name<'s>(&mut self, scratch: &'s mut Vec<u8>) -> Scanned<&'s str>
    where
        'a: 's,
    {
        self.string(scratch, "a property name")
    }

    /// Reads what follows a backslash.
    fn escape(&mut self, out: &mut Vec<u8>) -> Scanned<()> {
        let &byte = self.input.get(self.at).ok_or(Failure::Incomplete)?;
        self.at += 1;
        out.push(match byte {
            b'"' | b'\\' | b'/' => byte,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let mut code = self.hex4()?;
                if (0xd800..0xdc00).contains(&code)
                    && self.input.get(self.at) == Some(&b'\\')
                    && self.input.get(self.at + 1) == Some(&b'u')
                {
                    let before = self.at;
                    self.at += 2;
                    let low = self.hex4()?;
                    if (0xdc00..0xe000).contains(&low) {
                        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                    } else {
                        self.at = before;
                    }
                }
                // Half a surrogate pair stands for no character.
                let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                return Ok(());
            }
            _ => {
                return bad(
                    self.at - 1,
                    "an unknown escape in a string; a backslash itself is written '\\\\'",
                );
            }
        });
        Ok(())
    }

    fn hex4(&mut self) -> Scanned<u32> {
        let digits = self.input.get(self.at..self.at + 4).ok_or(Failure::Incomplete)?;
        let mut code = 0;
        for (index, digit) in digits.iter().enumerate() {
            match char::from(*digit).to_digit(16) {
                Some(value) => code = code * 16 + value,
                None => return bad(self.at + index, "expected four hexadecimal digits after '\\u'"),
            }
        }
        self.at += 4;
        Ok(code)
    }

    /// A number in its usual form, if that is what comes next; anything else is left to `token`.
    fn number(&mut self) -> Option<Token> {
        let mut at = self.at;
        let negative = self.input.get(at) == Some(&b'-');
        at += usize::from(negative);
        let mut value = 0u64;
        let mut digits = |at: &mut usize| {
            let from = *at;
            while let Some(digit) = self.input.get(*at).map(|byte| byte.wrapping_sub(b'0'))
                && digit < 10
            {
                value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
                *at += 1;
            }
            *at - from
        };
        let whole = digits(&mut at);
        let mut fraction = None;
        if whole > 0 && self.input.get(at) == Some(&b'.') {
            at += 1;
            fraction = Some(digits(&mut at));
        }
        let ends = matches!(self.input.get(at)?, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r');
        if !ends || whole == 0 || whole + fraction.unwrap_or(0) > 18 {
            return None;
        }
        let token = match fraction {
            None => Token::Integer(if negative { -(value as i64) } else { value as i64 }),
            // Both operands are exact doubles, so that the quotient is the nearest one.
            Some(places) if places > 0 && value < 1 << 53 => {
                let value = value as f64 / POWERS_OF_TEN[places];
                Token::Real(if negative { -value } else { value })
            }
            Some(_) => return None,
        };
        self.at = at;
        Some(token)
    }

    /// A number or a word.
    fn token(&mut self) -> Scanned<Token> {
        if let Some(number) = self.number() {
            return Ok(number);
        }
        let start = self.at;
        let rest = &self.input[start..];
        let end = rest
            .iter()
            .position(|byte| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r' | b':' | b'"'))
            .ok_or(Failure::Incomplete)?;
        let text = &rest[..end];
        self.at = start + end;
        match text {
            b"null" => return Ok(Token::Null),
            b"true" => return Ok(Token::Bool(true)),
            b"false" => return Ok(Token::Bool(false)),
            _ => {}
        }
        let (negative, digits) = match text {
            [b'-', digits @ ..] => (true, digits),
            digits => (false, digits),
        };
        if !digits.is_empty() && digits.len() <= 18 && digits.iter().all(u8::is_ascii_digit) {
            let value = digits.iter().fold(0i64, |value, digit| value * 10 + i64::from(digit - b'0'));
            return Ok(Token::Integer(if negative { -value } else { value }));
        }
        let begins_as_number = digits.first().is_some_and(u8::is_ascii_digit);
        match utf8(text).ok().filter(|_| begins_as_number) {
            Some(text) if digits.iter().all(u8::is_ascii_digit) => {
                Ok(text.parse().map_or(Token::BigInteger(start), Token::Integer))
            }
            Some(text) => match text.parse::<f64>() {
                Ok(value) => Ok(Token::Real(value)),
                Err(_) => bad(start, "this is not a number"),
            },
            None => {
                bad(start, "expected a value: a string in quotes, a number, true, false, null, '{' or '['")
            }
        }
    }

    /// Reads a value into a column, or passes over it.
    fn value_into(
        &mut self,
        column: Option<usize>,
        rows: &mut RowBuilder,
        buffers: &mut Buffers,
    ) -> Scanned<()> {
        let mut put = |value: Scalar<'_>| {
            if let Some(column) = column {
                rows.append(column, value);
            }
        };
        match self.peek()? {
            b'"' => {
                let text = self.text(&mut buffers.text)?;
                put(Scalar::Text(text));
            }
            b'{' | b'[' => {
                let start = self.at;
                buffers.dynamic.clear();
                self.nested(&mut buffers.dynamic, &mut buffers.text, 0)?;
                let json = match self.text.get(start..self.at) {
                    Some(json) => json,
                    None => utf8(&self.input[start..self.at])
                        .or_else(|at| bad(start + at, "the value is not valid UTF-8"))?,
                };
                buffers.dynamic.finish_with(|binary| put(Scalar::Nested { binary, json }));
            }
            _ => {
                let token = self.token()?;
                put(match token {
                    Token::Null => Scalar::Null,
                    Token::Bool(value) => Scalar::Bool(value),
                    Token::Integer(value) => Scalar::Integer(value),
                    Token::Real(value) => Scalar::Real(value),
                    Token::BigInteger(start) => {
                        Scalar::BigInteger(utf8(&self.input[start..self.at]).unwrap_or_default())
                    }
                });
            }
        }
        Ok(())
    }

    /// Reads a value for the columns that take it, or parts of it.
    fn mapped_value(
        &mut self,
        targets: &[JsonTarget],
        rows: &mut RowBuilder,
        buffers: &mut Buffers,
    ) -> Scanned<()> {
        if let [target] = targets
            && target.is_plain()
        {
            return self.value_into(Some(target.column), rows, buffers);
        }
        if targets.is_empty() {
            return self.value_into(None, rows, buffers);
        }
        self.peek()?;
        buffers.dynamic.clear();
        self.nested(&mut buffers.dynamic, &mut buffers.text, 0)?;
        buffers.dynamic.finish_with(|bytes| {
            let value = DynamicRef::new(bytes);
            for target in targets {
                target.put(value, rows);
            }
        });
        Ok(())
    }

    /// Reads any value into a dynamic.
    fn nested(&mut self, out: &mut DynamicBuilder, scratch: &mut Vec<u8>, depth: usize) -> Scanned<()> {
        if depth > MAX_DEPTH {
            return bad(self.at, format!("arrays and objects are nested more than {MAX_DEPTH} deep"));
        }
        match self.peek()? {
            b'"' => {
                let text = self.text(scratch)?;
                out.string(text);
            }
            b'{' => {
                self.at += 1;
                out.begin_object();
                if self.peek()? == b'}' {
                    self.at += 1;
                } else {
                    loop {
                        if self.peek()? != b'"' {
                            return bad(self.at, "expected a property name in double quotes");
                        }
                        let key = self.text(scratch)?;
                        out.key(key);
                        self.colon()?;
                        self.nested(out, scratch, depth + 1)?;
                        match self.peek()? {
                            b',' => self.at += 1,
                            b'}' => {
                                self.at += 1;
                                break;
                            }
                            _ => return bad(self.at, "expected ',' or '}' after a property"),
                        }
                    }
                }
                out.end_object();
            }
            b'[' => {
                self.at += 1;
                out.begin_array();
                if self.peek()? == b']' {
                    self.at += 1;
                } else {
                    loop {
                        self.nested(out, scratch, depth + 1)?;
                        match self.peek()? {
                            b',' => self.at += 1,
                            b']' => {
                                self.at += 1;
                                break;
                            }
                            _ => return bad(self.at, "expected ',' or ']' after an element"),
                        }
                    }
                }
                out.end_array();
            }
            _ => match self.token()? {
                Token::Null => out.null(),
                Token::Bool(value) => out.bool(value),
                Token::Integer(value) => out.long(value),
                Token::Real(value) => out.real(value),
                Token::BigInteger(start) => {
                    let text = utf8(&self.input[start..self.at]).unwrap_or_default();
                    match conshelf_kql::Decimal::parse(text) {
                        Some(value) => out.decimal(value.to_bytes(), &value.to_string()),
                        None => out.string(text),
                    }
                }
            },
        }
        Ok(())
    }

    /// A string with its quotes, as text.
    fn text<'s>(&mut self, scratch: &'s mut Vec<u8>) -> Scanned<&'s str>
    where
        'a: 's,
    {
        self.at += 1;
        self.string(scratch, "the string")
    }
}

/// Powers of ten that are exact doubles, as many as a number of 18 digits needs.
const POWERS_OF_TEN: [f64; 19] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18];

/// Length of the run before a quote, a backslash or a line break.
fn string_end(input: &[u8]) -> Option<usize> {
    // Most strings are short: words of eight bytes beat the call of a vector search.
    const SHORT: usize = 32;
    let mut at = 0;
    while at < SHORT {
        let Some(word) = input.get(at..).and_then(<[u8]>::first_chunk::<8>) else { break };
        let word = u64::from_le_bytes(*word);
        let found = equal_bytes(word, b'"') | equal_bytes(word, b'\\') | equal_bytes(word, b'\n');
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    memchr::memchr3(b'"', b'\\', b'\n', &input[at..]).map(|length| at + length)
}

/// The high bit of each byte that equals `byte`; right up to the lowest one that does.
fn equal_bytes(word: u64, byte: u8) -> u64 {
    const LOW: u64 = 0x0101_0101_0101_0101;
    let difference = word ^ (LOW * u64::from(byte));
    difference.wrapping_sub(LOW) & !difference & (LOW << 7)
}

/// The value as a scalar for a column. `json` is filled where the value is an array or object.
pub fn scalar_of<'a>(value: DynamicRef<'a>, json: &'a mut String) -> Scalar<'a> {
    match value.kind() {
        DynamicKind::Null => Scalar::Null,
        DynamicKind::Bool => value.as_bool().map_or(Scalar::Null, Scalar::Bool),
        DynamicKind::Long => value.as_long().map_or(Scalar::Null, Scalar::Integer),
        DynamicKind::Real => value.as_real().map_or(Scalar::Null, Scalar::Real),
        DynamicKind::Decimal => value.as_decimal().map_or(Scalar::Null, |(_, text)| Scalar::BigInteger(text)),
        DynamicKind::String => value.as_str().map_or(Scalar::Null, Scalar::Text),
        DynamicKind::DateTime | DynamicKind::TimeSpan | DynamicKind::Guid => {
            value.to_text(json);
            Scalar::Text(json)
        }
        DynamicKind::Array | DynamicKind::Object => {
            value.to_json(json);
            Scalar::Nested { binary: value.bytes(), json }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::rows::{Policy, TextOrigin};
    use conshelf_storage::{ColumnType, TableSchema};

    /// Decodes in pieces of `step` bytes; yields rows per decoder and the errors as (offset, field, message).
    fn decode(input: &[u8], step: usize) -> (usize, Vec<(usize, Option<String>, String)>) {
        let schema = TableSchema::new([("a", ColumnType::Long), ("b", ColumnType::String)]);
        let mut rows = RowBuilder::new(&schema, Policy::Evolve, TextOrigin::Json);
        let mut decoder = JsonDecoder::new(None);
        let (mut start, mut end) = (0, step.min(input.len()));
        let mut errors = Vec::new();
        loop {
            let last = end == input.len();
            let progress = decoder.decode(&input[start..end], last, &mut rows);
            if let Some(error) = &progress.error {
                errors.push((start + error.offset, error.field.clone(), error.message.clone()));
            }
            start += progress.consumed;
            if last && (start == end || progress.consumed == 0) {
                break;
            }
            if progress.error.is_none() {
                end = (end + step).min(input.len());
            }
        }
        assert_eq!(start, input.len());
        (rows.finish().rows, errors)
    }

    #[test]
    fn objects_in_every_arrangement() {
        for input in [
            "{\"a\":1}\n{\"a\":2}\n{\"a\":3}",
            "{\"a\":1} {\"a\":2}{\"a\":3}\n",
            "[{\"a\":1},{\"a\":2},\n{\"a\":3}]",
            "[{\"a\":1}][{\"a\":2},{\"a\":3}]",
            "\n\n{ \"a\" : 1 ,\n \"b\":\"x\\\"y\\u00e9\\ud83d\\ude00\" }\r\n{\"c\":{\"d\":[1,2,{}]}} {}",
            "{\"a\":1}{\"a\":2}{\"a\":18446744073709551615}",
        ] {
            for step in [1, 3, 7, 1000] {
                assert_eq!(decode(input.as_bytes(), step), (3, vec![]), "{input} by {step}");
            }
        }
    }

    #[test]
    fn numbers_are_the_same_by_the_short_way() {
        for text in [
            "0",
            "-0",
            "7",
            "-12",
            "123456789012345678",
            "999999999999999999",
            "0.0",
            "-0.0",
            "0.1",
            "2.5",
            "-123.456",
            "9007199254740991.5",
            "9007199254740992.5",
            "0.000000000000000001",
            "1.",
            "1.e5",
            "1e3",
            "12345678901234.5678",
            "1234567890123456789",
            "00.5",
            "179.769",
            "4503599627370497.5",
            "1.7976e308",
        ] {
            let input = format!("{text},");
            let mut scanner = Scanner { input: input.as_bytes(), text: &input, at: 0 };
            let Ok(token) = scanner.token() else { panic!("{text}") };
            assert_eq!(scanner.at, text.len(), "{text}");
            match token {
                Token::Integer(value) => assert_eq!(Ok(value), text.parse::<i64>(), "{text}"),
                Token::Real(value) => {
                    assert_eq!(Ok(value.to_bits()), text.parse::<f64>().map(f64::to_bits), "{text}");
                }
                _ => panic!("{text} is a number"),
            }
        }
    }

    #[test]
    fn the_end_of_a_string_is_found_at_every_place() {
        for length in 0..80 {
            for end in [b'"', b'\\', b'\n'] {
                let mut input = vec![b'!'; length];
                input.push(end);
                input.extend_from_slice(b"#\"\\\n\xa2\xdc\x8a\x22");
                assert_eq!(string_end(&input), Some(length));
                assert_eq!(string_end(&input[..length]), None);
            }
        }
        assert_eq!(string_end(b"\xa2\xdc\x8a\x23\x5d\x0b\x21\x5b\""), Some(8));
    }

    #[test]
    fn a_bad_record_is_named_and_loses_nothing_else() {
        for (input, rows, offset, field, message) in [
            ("{\"a\":1}\n{\"a\":nope}\n{\"a\":3}", 2, 13, Some("a"), "expected a value"),
            ("{\"a\":1}\n{\"b\":\"x}\n{\"a\":3}", 2, 16, Some("b"), "closing quote"),
            ("{\"a\":1}\n{\"a\" 2}\n{\"a\":3}", 2, 13, None, "expected ':'"),
            ("{\"a\":1}\nhello\n{\"a\":3}\n", 2, 8, None, "expected an object"),
            ("{\"a\":1\n{\"a\":2}\n", 1, 7, None, "expected ','"),
            ("{\"a\":1}\n{\"a\":2", 1, 8, None, "ends inside this object"),
            ("[{\"a\":1},{\"a\":2}", 2, 16, None, "']' is missing"),
            ("{\"a\":1}\n{\"b\":\"\\q\"}\n{}", 2, 15, Some("b"), "escape"),
        ] {
            let (got, errors) = decode(input.as_bytes(), 1000);
            assert_eq!(got, rows, "{input}");
            assert_eq!(errors.len(), 1, "{input}: {errors:?}");
            assert_eq!((errors[0].0, errors[0].1.as_deref()), (offset, field), "{input}: {errors:?}");
            assert!(errors[0].2.contains(message), "{input}: {errors:?}");
        }
        let (rows, errors) = decode(b"{\"b\":\"\xff\"}\n{\"a\":1}\n", 1000);
        assert_eq!((rows, errors.len(), errors[0].0), (1, 1, 6));
        let deep = format!("{{\"a\":{}1{}}}\n{{}}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(decode(deep.as_bytes(), 100_000).1[0].2.contains("deep"));
    }
}
