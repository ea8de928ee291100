//! Parses JSON text straight into a dynamic value, without a tree between.
//!
//! RFC 8259, with two liberties that real logs take: raw control characters inside strings are kept, and a
//! lone surrogate escape becomes U+FFFD. Integers that fit are longs, other numbers reals.

use super::{DynamicBuilder, MAX_DEPTH};

/// Why a text is not JSON, and at which byte.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at byte {offset}")]
pub struct JsonError {
    pub offset: usize,
    pub reason: &'static str,
}

/// Parses one JSON value into the bytes of a dynamic value.
pub fn from_json(text: &str) -> Result<Vec<u8>, JsonError> {
    let mut builder = DynamicBuilder::new();
    builder.json(text)?;
    Ok(builder.finish())
}

impl DynamicBuilder {
    /// Appends the value that a JSON text holds. After an error what was appended is unspecified, but the
    /// builder stays usable.
    pub fn json(&mut self, text: &str) -> Result<(), JsonError> {
        let depth = self.depth();
        let mut parser = Parser { bytes: text.as_bytes(), text, at: 0, out: self };
        let result = parser.document();
        if result.is_err() {
            self.unwind(depth);
        }
        result
    }
}

struct Parser<'t, 'b> {
    bytes: &'t [u8],
    text: &'t str,
    at: usize,
    out: &'b mut DynamicBuilder,
}

impl<'t> Parser<'t, '_> {
    fn document(&mut self) -> Result<(), JsonError> {
        self.value(0)?;
        self.blanks();
        if self.at < self.bytes.len() {
            return self.fail("unexpected text after the value");
        }
        Ok(())
    }

    fn fail<T>(&self, reason: &'static str) -> Result<T, JsonError> {
        Err(JsonError { offset: self.at, reason })
    }

    #[inline]
    fn blanks(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<(), JsonError> {
        self.blanks();
        match self.bytes.get(self.at) {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => {
                let (raw, escaped) = self.string()?;
                if escaped {
                    let at = self.at;
                    let mut result = Ok(());
                    self.out.string_with(|buffer| result = unescape(raw, buffer));
                    result.map_err(|reason| JsonError { offset: at, reason })
                } else {
                    self.out.string(raw);
                    Ok(())
                }
            }
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true").map(|()| self.out.bool(true)),
            Some(b'f') => self.word("false").map(|()| self.out.bool(false)),
            Some(b'n') => self.word("null").map(|()| self.out.null()),
            Some(_) => self.fail("expected a JSON value"),
            None => self.fail("the text ends where a JSON value is expected"),
        }
    }

    fn word(&mut self, word: &'static str) -> Result<(), JsonError> {
        if self.bytes[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(());
        }
        self.fail("expected a JSON value")
    }

    /// The raw text between the quotes at the current place, and whether it has escapes.
    #[inline]
    fn string(&mut self) -> Result<(&'t str, bool), JsonError> {
        let start = self.at + 1;
        let mut from = start;
        let mut escaped = false;
        while let Some(found) = self.bytes.get(from..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
            let at = from + found;
            if self.bytes[at] == b'"' {
                self.at = at + 1;
                return Ok((&self.text[start..at], escaped));
            }
            escaped = true;
            from = at + 2;
        }
        self.fail("a string has no closing quote")
    }

    fn number(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        let digits = |parser: &mut Self| {
            let from = parser.at;
            while matches!(parser.bytes.get(parser.at), Some(b'0'..=b'9')) {
                parser.at += 1;
            }
            parser.at - from
        };
        if self.bytes[self.at] == b'-' {
            self.at += 1;
        }
        let whole_start = self.at;
        let whole = digits(self);
        if whole == 0 {
            return self.fail("a number needs a digit");
        }
        if whole > 1 && self.bytes[whole_start] == b'0' {
            return self.fail("a number cannot start with zeros");
        }
        let mut integer = true;
        if self.bytes.get(self.at) == Some(&b'.') {
            integer = false;
            self.at += 1;
            if digits(self) == 0 {
                return self.fail("a digit must follow the point");
            }
        }
        if matches!(self.bytes.get(self.at), Some(b'e' | b'E')) {
            integer = false;
            self.at += 1;
            if matches!(self.bytes.get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if digits(self) == 0 {
                return self.fail("a digit must follow the exponent sign");
            }
        }
        let text = &self.text[start..self.at];
        if integer && let Ok(long) = text.parse::<i64>() {
            self.out.long(long);
            return Ok(());
        }
        match text.parse::<f64>() {
            Ok(real) => {
                self.out.real(real);
                Ok(())
            }
            Err(_) => self.fail("expected a number"),
        }
    }

    fn array(&mut self, depth: usize) -> Result<(), JsonError> {
        if depth >= MAX_DEPTH {
            return self.fail("nested too deeply");
        }
        self.at += 1;
        self.out.begin_array();
        self.blanks();
        if self.bytes.get(self.at) == Some(&b']') {
            self.at += 1;
            self.out.end_array();
            return Ok(());
        }
        loop {
            self.value(depth + 1)?;
            self.blanks();
            match self.bytes.get(self.at) {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    self.out.end_array();
                    return Ok(());
                }
                _ => return self.fail("expected ',' or ']'"),
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<(), JsonError> {
        if depth >= MAX_DEPTH {
            return self.fail("nested too deeply");
        }
        self.at += 1;
        self.out.begin_object();
        self.blanks();
        if self.bytes.get(self.at) == Some(&b'}') {
            self.at += 1;
            self.out.end_object();
            return Ok(());
        }
        loop {
            self.blanks();
            if self.bytes.get(self.at) != Some(&b'"') {
                return self.fail("expected a key in quotes");
            }
            let at = self.at;
            let (raw, escaped) = self.string()?;
            if escaped {
                let mut result = Ok(());
                self.out.key_with(|buffer| result = unescape(raw, buffer));
                result.map_err(|reason| JsonError { offset: at, reason })?;
            } else {
                self.out.key(raw);
            }
            self.blanks();
            if self.bytes.get(self.at) != Some(&b':') {
                return self.fail("expected ':'");
            }
            self.at += 1;
            self.value(depth + 1)?;
            self.blanks();
            match self.bytes.get(self.at) {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    self.out.end_object();
                    return Ok(());
                }
                _ => return self.fail("expected ',' or '}'"),
            }
        }
    }
}

/// Appends the text that a string with escapes stands for.
fn unescape(raw: &str, out: &mut Vec<u8>) -> Result<(), &'static str> {
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        let (plain, length) = match rest.as_bytes().get(at + 1) {
            Some(b'n') => ('\n', 2),
            Some(b't') => ('\t', 2),
            Some(b'r') => ('\r', 2),
            Some(b'b') => ('\u{8}', 2),
            Some(b'f') => ('\u{c}', 2),
            Some(escape @ (b'"' | b'\\' | b'/')) => (char::from(*escape), 2),
            Some(b'u') => {
                let first = hexadecimal(rest, at + 2).ok_or("\\u needs four hexadecimal digits")?;
                let second = rest.as_bytes().get(at + 6..at + 8).filter(|next| *next == b"\\u");
                let low = second.and_then(|_| hexadecimal(rest, at + 8));
                match (first, low) {
                    (0xd800..=0xdbff, Some(low @ 0xdc00..=0xdfff)) => {
                        let code = 0x1_0000 + ((first - 0xd800) << 10) + (low - 0xdc00);
                        (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12)
                    }
                    _ => (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 6),
                }
            }
            _ => return Err("unknown escape in a string"),
        };
        out.extend_from_slice(plain.encode_utf8(&mut [0; 4]).as_bytes());
        rest = &rest[at + length..];
    }
    out.extend_from_slice(rest.as_bytes());
    Ok(())
}

fn hexadecimal(text: &str, at: usize) -> Option<u32> {
    let digits = text.get(at..at + 4)?;
    digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::*;
    use super::*;

    fn reprint(text: &str) -> String {
        DynamicRef::new(&from_json(text).expect(text)).to_json_string()
    }

    #[test]
    fn json_prints_back_in_the_form_of_kusto() {
        let cases = [
            ("null", "null"),
            (" [ 1 , 2.0, true,false , null ] ", "[1,2.0,true,false,null]"),
            (r#"{"b":{"x":[]},"a":{}}"#, r#"{"b":{"x":[]},"a":{}}"#),
            ("-9223372036854775808", "-9223372036854775808"),
            ("9223372036854775808", "9.223372036854776E+18"),
            (
                "[1e14,1e15,1e-4,1e-5,0.1,-0.0,123456.75,1E400]",
                "[100000000000000.0,1E+15,0.0001,1E-05,0.1,-0.0,123456.75,\"Infinity\"]",
            ),
            (r#""a\"\\\/\n\u0041\u00e9\ud83d\ude00\ud800x\u0001""#, "\"a\\\"\\\\/\\nAé😀\u{fffd}x\\u0001\""),
            (r#"{"a":1,"b":2,"a":3}"#, r#"{"a":3,"b":2}"#),
            (r#"{"k\n":1}"#, r#"{"k\n":1}"#),
        ];
        for (text, expected) in cases {
            assert_eq!(reprint(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_json_names_its_place() {
        let cases = [
            ("", 0),
            ("{", 1),
            ("[1", 2),
            ("[1,]", 3),
            ("{\"a\" 1}", 5),
            ("01", 2),
            ("1.", 2),
            ("1e", 2),
            ("tru", 0),
            ("\"a", 0),
            ("1 2", 2),
            ("{a:1}", 1),
            ("-", 1),
            ("\"\\", 0),
        ];
        for (text, offset) in cases {
            assert_eq!(from_json(text).expect_err(text).offset, offset, "{text}");
        }
        for text in ["\"\\x\"", "\"\\u12g4\"", "\"\\u12\""] {
            assert!(from_json(text).is_err(), "{text}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(from_json(&deep).expect_err("deep").reason, "nested too deeply");
        let fits = format!("{}{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
        let bytes = from_json(&fits).expect("fits");
        assert_eq!(validate(&bytes), Ok(()));
        assert_eq!(DynamicRef::new(&bytes).to_json_string(), fits);
    }

    #[test]
    fn large_objects_find_every_key() {
        let count = 1000;
        let body: Vec<String> = (0..count).map(|n| format!("\"key{}\":{n}", n * 7919 % count)).collect();
        let bytes = from_json(&format!("{{{}}}", body.join(","))).expect("valid");
        assert_eq!(validate(&bytes), Ok(()));
        let value = DynamicRef::new(&bytes);
        assert_eq!(value.len(), Some(count));
        for n in 0..count {
            let found = value.get(&format!("key{}", n * 7919 % count)).and_then(|found| found.as_long());
            assert_eq!(found, Some(n as i64));
        }
        assert!(value.get("key").is_none() && value.get("zzz").is_none() && value.get("").is_none());
        let duplicated = format!("{{{},\"key5\":\"last\"}}", body.join(","));
        let bytes = from_json(&duplicated).expect("valid");
        assert_eq!(validate(&bytes), Ok(()));
        assert_eq!(DynamicRef::new(&bytes).get("key5").and_then(|found| found.as_str()), Some("last"));
        assert_eq!(DynamicRef::new(&bytes).len(), Some(count));
    }

    #[test]
    fn typed_scalars_keep_their_type_and_print_as_strings() {
        let mut builder = DynamicBuilder::new();
        builder.begin_object();
        builder.key("t");
        builder.datetime(crate::ticks::UNIX_EPOCH_TICKS);
        builder.key("s");
        builder.timespan(crate::ticks::TICKS_PER_DAY);
        builder.key("g");
        builder.guid([0xab; 16]);
        builder.key("d");
        builder.decimal([1; 16], "1.50");
        builder.key("n");
        builder.real(f64::NAN);
        builder.key("left open");
        let bytes = builder.finish();
        assert_eq!(validate(&bytes), Ok(()));
        let value = DynamicRef::new(&bytes);
        assert_eq!(
            value.to_json_string(),
            "{\"t\":\"1970-01-01T00:00:00.0000000Z\",\"s\":\"1.00:00:00\",\
             \"g\":\"abababab-abab-abab-abab-abababababab\",\"d\":\"1.50\",\"n\":\"NaN\",\"left open\":null}"
        );
        assert_eq!(
            value.get("t").and_then(|found| found.as_datetime()),
            Some(crate::ticks::UNIX_EPOCH_TICKS)
        );
        assert_eq!(value.get("d").and_then(|found| found.as_decimal()), Some(([1; 16], "1.50")));
        assert_eq!(builder.finish(), DynamicRef::NULL.bytes());
    }

    #[test]
    fn arrays_read_from_both_ends() {
        let bytes = from_json("[10,20,30]").expect("valid");
        let value = DynamicRef::new(&bytes);
        let at = |index| value.at(index).and_then(|found| found.as_long());
        assert_eq!(
            [at(0), at(2), at(-1), at(-3), at(3), at(-4)],
            [Some(10), Some(30), Some(30), Some(10), None, None]
        );
        assert!(value.at(i64::MIN).is_none());
    }

    #[test]
    fn equal_values_hash_alike() {
        use std::hash::BuildHasher;
        let state = foldhash::fast::FixedState::with_seed(7);
        let hash_of = |bytes: &[u8]| {
            let mut hasher = state.build_hasher();
            hash(DynamicRef::new(bytes), &mut hasher);
            std::hash::Hasher::finish(&hasher)
        };
        let cases = [
            ("1", "1.0", true),
            ("{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1.0}", true),
            ("[1]", "[1,1]", false),
            ("9007199254740993", "9007199254740992.0", false),
            ("\"1\"", "1", false),
            ("-0.0", "0", true),
        ];
        for (left, right, same) in cases {
            let (left, right) = (from_json(left).expect(left), from_json(right).expect(right));
            assert_eq!(equal(DynamicRef::new(&left), DynamicRef::new(&right)), same);
            if same {
                assert_eq!(hash_of(&left), hash_of(&right));
            }
        }
    }

    fn json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            any::<bool>().prop_map(|value| value.to_string()),
            any::<i64>().prop_map(|value| value.to_string()),
            any::<f64>().prop_filter("finite", |value| value.is_finite()).prop_map(|value| {
                let mut text = String::new();
                format_real(value, &mut text);
                if text.contains(['.', 'E']) { text } else { text + ".0" }
            }),
            ".{0,20}".prop_map(|text| {
                let mut out = String::new();
                write_json_string(&text, &mut out);
                out
            }),
        ];
        leaf.prop_recursive(4, 64, 12, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..12)
                    .prop_map(|parts| format!("[{}]", parts.join(","))),
                prop::collection::btree_map("[a-zé]{0,6}", inner, 0..12).prop_map(|parts| {
                    let parts: Vec<String> =
                        parts.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
                    format!("{{{}}}", parts.join(","))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn printing_returns_the_text_parsed(text in json()) {
            let bytes = from_json(&text).expect("valid");
            prop_assert_eq!(validate(&bytes), Ok(()));
            prop_assert_eq!(DynamicRef::new(&bytes).to_json_string(), text);
            let mut builder = DynamicBuilder::new();
            builder.value(DynamicRef::new(&bytes));
            prop_assert_eq!(builder.finish(), bytes);
        }

        #[test]
        fn no_bytes_make_the_reader_panic(text in json(), at in any::<prop::sample::Index>(), byte: u8, cut in any::<prop::sample::Index>()) {
            let mut bytes = from_json(&text).expect("valid");
            let at = at.index(bytes.len());
            bytes[at] = byte;
            bytes.truncate(cut.index(bytes.len() + 1).max(1));
            let value = DynamicRef::new(&bytes);
            let _ = validate(&bytes);
            let _ = value.to_json_string();
            let _ = (value.get("a"), value.at(-1), compare(value, DynamicRef::NULL), equal(value, value));
        }
    }
}
