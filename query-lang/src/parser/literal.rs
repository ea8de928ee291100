//! Literals: the values of their tokens, and `dynamic(…)` and `typeof(…)`. Knows the texts of the scalar types.

use crate::ast::{
    Call, DynamicLiteral, Expr, ExprKind, LiteralValue, Name, NameStyle, RowSchema, StringLiteral,
    TypeKeyword, TypeOf,
};
use crate::diagnostic::Diagnostic;
use crate::lexer::decode_string;
use crate::span::Span;
use crate::time::{parse_datetime, parse_timespan};
use crate::token::{Token, TokenKind, type_keyword};

use super::{ListRule, Parser, Slot};

impl Parser<'_> {
    /// A literal with a sign of its own, as it stands in `datatable` rows and parameters. A client parameter
    /// (`{name}`) may be in its place.
    pub(super) fn literal(&mut self) -> Option<Expr> {
        let start = self.start();
        match self.kind() {
            kind if kind.is_literal() => self.literal_token(),
            TokenKind::Keyword(_) if self.is_word(0, "dynamic") => self.dynamic_literal(),
            TokenKind::Keyword(_) if self.is_word(0, "typeof") => self.type_of(),
            TokenKind::Plus | TokenKind::Minus => {
                let sign = self.kind();
                let number = self.peek(1);
                let text = number.text(self.text);
                let is_number =
                    matches!(number.kind, TokenKind::Long | TokenKind::Real | TokenKind::Timespan)
                        && self.is_glued(1)
                        && text.starts_with(|c: char| c.is_ascii_digit());
                if !is_number {
                    return None;
                }
                self.bump();
                self.bump();
                let negative = sign == TokenKind::Minus;
                let value = value_of(number.kind, text, negative);
                Some(Expr { kind: ExprKind::Literal(value), span: self.span_from(start) })
            }
            TokenKind::OpenBrace if self.scan_braced_name(0) > 0 => self.name_reference(),
            _ => None,
        }
    }

    /// A literal that is one token, or strings side by side, which are one.
    pub(super) fn literal_token(&mut self) -> Option<Expr> {
        let start = self.start();
        let token = self.peek(0);
        if token.kind == TokenKind::String {
            let value = self.string_literal()?;
            return Some(Expr {
                kind: ExprKind::Literal(LiteralValue::String(value)),
                span: self.span_from(start),
            });
        }
        if !token.kind.is_literal() {
            return None;
        }
        self.bump();
        if token.kind == TokenKind::RawGuid {
            self.report_raw_guid(token);
        }
        let text = token.text(self.text);
        let kind = if token.kind == TokenKind::Datetime && inside_parentheses(text).trim().is_empty() {
            // `datetime()` is the present.
            let name = Name { text: "now".to_owned(), style: NameStyle::Plain, span: token.span };
            ExprKind::Call(Call { object: None, name, arguments: Vec::new() })
        } else {
            ExprKind::Literal(value_of(token.kind, text, false))
        };
        Some(Expr { kind, span: token.span })
    }

    fn report_raw_guid(&mut self, token: Token) {
        self.error_about(
            "KS214",
            "Raw guid literals are not allowed in this context, use guid(...) instead.",
            token.span,
        );
    }

    /// One or more string tokens side by side.
    pub(super) fn string_literal(&mut self) -> Option<StringLiteral> {
        if self.kind() != TokenKind::String {
            return None;
        }
        let mut literal = StringLiteral::default();
        while self.kind() == TokenKind::String {
            let (value, obfuscated) = decode_string(self.text_at(0));
            literal.value.push_str(&value);
            literal.obfuscated |= obfuscated;
            self.bump();
        }
        Some(literal)
    }

    /// `dynamic(value)`
    pub(super) fn dynamic_literal(&mut self) -> Option<Expr> {
        let start = self.start();
        let value = self.dynamic_value()?;
        let kind = match value {
            DynamicLiteral::Null => ExprKind::Literal(LiteralValue::Null(TypeKeyword::Dynamic)),
            value => ExprKind::Literal(LiteralValue::Dynamic(value)),
        };
        Some(Expr { kind, span: self.span_from(start) })
    }

    fn dynamic_value(&mut self) -> Option<DynamicLiteral> {
        if !self.is_word(0, "dynamic") || self.kind_at(1) != TokenKind::OpenParen {
            return None;
        }
        self.bump();
        self.bump();
        let value = self.required_json();
        self.expect(TokenKind::CloseParen, ")");
        Some(value)
    }

    fn required_json(&mut self) -> DynamicLiteral {
        match self.json() {
            Some(value) => value,
            None => {
                let value = self.missing_json();
                if self.kind() == TokenKind::Identifier {
                    self.bump();
                }
                value
            }
        }
    }

    fn missing_json(&mut self) -> DynamicLiteral {
        let found = self.text_at(0);
        let bare_word = self.kind() == TokenKind::Identifier;
        self.report_missing("json value");
        if bare_word && let Some(last) = self.diagnostics.last_mut() {
            last.hints.push(format!("strings inside dynamic() are quoted: \"{found}\""));
        }
        DynamicLiteral::Null
    }

    fn json(&mut self) -> Option<DynamicLiteral> {
        if !self.enter() {
            return Some(DynamicLiteral::Null);
        }
        let value = self.json_inner();
        self.leave();
        value
    }

    fn json_inner(&mut self) -> Option<DynamicLiteral> {
        use TokenKind::*;
        let scalar = |value: LiteralValue| match value {
            LiteralValue::Null(_) => DynamicLiteral::Null,
            value => DynamicLiteral::Scalar(Box::new(value)),
        };
        match self.kind() {
            String => self.string_literal().map(|value| scalar(LiteralValue::String(value))),
            Long | Real | Bool | Datetime | Timespan | Guid | RawGuid | Decimal => {
                let token = self.bump();
                if token.kind == RawGuid {
                    self.report_raw_guid(token);
                }
                Some(scalar(value_of(token.kind, token.text(self.text), false)))
            }
            Minus if matches!(self.kind_at(1), Long | Real) => {
                self.bump();
                let token = self.bump();
                Some(scalar(value_of(token.kind, token.text(self.text), true)))
            }
            Keyword(_) if self.is_word(0, "dynamic") => self.dynamic_value(),
            Keyword(_) if self.is_word(0, "null") => {
                self.bump();
                Some(DynamicLiteral::Null)
            }
            OpenBracket => {
                self.bump();
                let items = self.list(ListRule::ANY, Self::at_list_end, Self::json, Self::missing_json);
                self.expect(CloseBracket, "]");
                Some(DynamicLiteral::Array(items))
            }
            OpenBrace => {
                let count = self.scan_braced_name(0);
                if count > 0 {
                    let span = Span::new(self.start(), self.peek(count - 1).span.end);
                    self.position += count;
                    let message = "Client parameters are not supported or enabled.";
                    self.diagnostics.push(Diagnostic::semantic("KS213", message, span));
                    return Some(DynamicLiteral::Null);
                }
                self.bump();
                let pairs =
                    self.list(ListRule::ANY, Self::at_list_end, Self::json_pair, Self::missing_json_pair);
                self.expect(CloseBrace, "}");
                Some(DynamicLiteral::Bag(pairs))
            }
            _ => None,
        }
    }

    fn json_pair(&mut self) -> Option<(String, DynamicLiteral)> {
        match self.kind() {
            TokenKind::String => {
                let name = decode_string(self.text_at(0)).0;
                self.bump();
                self.expect(TokenKind::Colon, ":");
                Some((name, self.required_json()))
            }
            TokenKind::Colon => {
                self.report_missing("string");
                self.bump();
                Some((String::new(), self.required_json()))
            }
            TokenKind::Identifier if self.kind_at(1) == TokenKind::Colon => {
                let message = format!("The names of a dynamic bag are quoted: \"{}\".", self.text_at(0));
                self.error("KS005", message);
                let name = self.text_at(0).to_owned();
                self.bump();
                self.bump();
                Some((name, self.required_json()))
            }
            _ => {
                let before = self.position;
                let value = self.json()?;
                let after = std::mem::replace(&mut self.position, before);
                self.report_missing("name of a json pair");
                self.position = after;
                Some((String::new(), value))
            }
        }
    }

    fn missing_json_pair(&mut self) -> (String, DynamicLiteral) {
        self.report_missing("json pair (\"name\": value)");
        (String::new(), DynamicLiteral::Null)
    }

    /// `typeof(long)`, `typeof(a: long, b: string)`
    pub(super) fn type_of(&mut self) -> Option<Expr> {
        if !self.is_word(0, "typeof") || self.kind_at(1) != TokenKind::OpenParen {
            return None;
        }
        let start = self.start();
        self.bump();
        self.bump();
        self.seek(Slot::Type);
        let type_of = if self.at_any_type()
            || (self.kind() == TokenKind::Identifier && self.kind_at(1) == TokenKind::CloseParen)
        {
            TypeOf::Scalar(self.type_word())
        } else {
            let inside = self.start();
            let mut schema = RowSchema::default();
            let columns = self.list(
                ListRule::ANY,
                Self::at_list_end,
                |parser| {
                    if parser.eat(TokenKind::Star) {
                        Some(None)
                    } else {
                        parser.column_declaration().map(Some)
                    }
                },
                |parser| Some(parser.missing_column_declaration()),
            );
            for column in columns {
                match column {
                    Some(column) => schema.columns.push(column),
                    None => schema.any = true,
                }
            }
            schema.span = self.span_from(inside);
            TypeOf::Row(schema)
        };
        self.expect(TokenKind::CloseParen, ")");
        Some(Expr { kind: ExprKind::TypeOf(type_of), span: self.span_from(start) })
    }
}

/// What stands between the parentheses of `keyword(…)`, without quotes around it.
fn inside_parentheses(text: &str) -> &str {
    let inside = match text.split_once('(') {
        Some((_, rest)) => rest.strip_suffix(')').unwrap_or(rest),
        None => text,
    };
    let inside = inside.trim();
    for quote in ['\'', '"'] {
        if let Some(content) = inside.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return content;
        }
    }
    inside
}

/// The value of a literal token.
fn value_of(kind: TokenKind, text: &str, negative: bool) -> LiteralValue {
    let keyword = match kind {
        TokenKind::Bool => TypeKeyword::Bool,
        TokenKind::Int => TypeKeyword::Int,
        TokenKind::Long => TypeKeyword::Long,
        TokenKind::Real => TypeKeyword::Real,
        TokenKind::Decimal => TypeKeyword::Decimal,
        TokenKind::Datetime => TypeKeyword::Datetime,
        TokenKind::Timespan => TypeKeyword::Timespan,
        TokenKind::Guid | TokenKind::RawGuid => TypeKeyword::Guid,
        _ => TypeKeyword::String,
    };
    let inside = inside_parentheses(text);
    let typed =
        text.contains('(') && text.split_once('(').is_some_and(|(word, _)| type_keyword(word).is_some());
    if typed && inside.eq_ignore_ascii_case("null") {
        return LiteralValue::Null(keyword);
    }
    let signed = if negative { format!("-{inside}") } else { inside.to_owned() };
    literal_value(keyword, &signed).unwrap_or(LiteralValue::Invalid { keyword, text: signed })
}

/// The value that a text has as a literal of a type; `None` if it has none. `null` is the caller's business.
pub fn literal_value(keyword: TypeKeyword, text: &str) -> Option<LiteralValue> {
    let text = text.trim();
    Some(match keyword {
        TypeKeyword::Bool => match text.to_ascii_lowercase().as_str() {
            "true" => LiteralValue::Bool(true),
            "false" => LiteralValue::Bool(false),
            number => LiteralValue::Bool(integer(number)? != 0),
        },
        TypeKeyword::Int => LiteralValue::Int(i32::try_from(integer(text)?).ok()?),
        TypeKeyword::Long => LiteralValue::Long(integer(text)?),
        TypeKeyword::Real => LiteralValue::Real(real(text)?),
        TypeKeyword::Decimal => {
            let valid = text.bytes().any(|b| b.is_ascii_digit())
                && text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b))
                && real(text).is_some();
            LiteralValue::Decimal(valid.then(|| text.to_owned())?)
        }
        TypeKeyword::Datetime => LiteralValue::Datetime(parse_datetime(text)?),
        TypeKeyword::Timespan => LiteralValue::Timespan(parse_timespan(text)?),
        TypeKeyword::Guid => LiteralValue::Guid(parse_guid(text)?),
        TypeKeyword::String => {
            LiteralValue::String(StringLiteral { value: text.to_owned(), obfuscated: false })
        }
        TypeKeyword::Dynamic | TypeKeyword::Unknown => return None,
    })
}

/// Decimal or `0x…`, signed. Hexadecimal digits are the bits of the value.
fn integer(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if let Some(hexadecimal) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        let value = u64::from_str_radix(hexadecimal, 16).ok()? as i64;
        return Some(if negative { value.wrapping_neg() } else { value });
    }
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    if negative { format!("-{digits}").parse().ok() } else { digits.parse().ok() }
}

fn real(text: &str) -> Option<f64> {
    match text.to_ascii_lowercase().as_str() {
        "nan" => Some(f64::NAN),
        "inf" | "+inf" => Some(f64::INFINITY),
        "-inf" => Some(f64::NEG_INFINITY),
        number if number.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) => {
            number.parse().ok().filter(|value: &f64| !value.is_nan())
        }
        _ => None,
    }
}

/// The bytes of a guid, in the order of its text. Dashes may be left out, braces may be around it.
pub fn parse_guid(text: &str) -> Option<[u8; 16]> {
    let text = text.trim();
    let text = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    let dashes_in_place = text.len() == 36 && [8, 13, 18, 23].iter().all(|at| text.as_bytes()[*at] == b'-');
    if !dashes_in_place && text.len() != 32 {
        return None;
    }
    let digits: Vec<u8> = text.bytes().filter(|b| *b != b'-').collect();
    if digits.len() != 32 {
        return None;
    }
    let mut bytes = [0; 16];
    for (at, pair) in digits.chunks_exact(2).enumerate() {
        let pair =
            std::str::from_utf8(pair).ok().filter(|pair| pair.bytes().all(|b| b.is_ascii_hexdigit()))?;
        bytes[at] = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_have_values() {
        use LiteralValue::*;
        let cases = [
            (TokenKind::Long, "0x1F", Long(31)),
            (TokenKind::Long, "long(-5)", Long(-5)),
            (TokenKind::Long, "long(null)", Null(TypeKeyword::Long)),
            (TokenKind::Int, "int( 7 )", Int(7)),
            (TokenKind::Real, "1.", Real(1.0)),
            (TokenKind::Real, "real(-inf)", Real(f64::NEG_INFINITY)),
            (TokenKind::Decimal, "decimal(1.50)", Decimal("1.50".to_owned())),
            (TokenKind::Bool, "bool(1)", Bool(true)),
            (TokenKind::Timespan, "time(00:00:01)", Timespan(10_000_000)),
            (TokenKind::Datetime, "datetime('0001-01-02')", Datetime(864_000_000_000)),
            (TokenKind::Long, "long(x)", Invalid { keyword: TypeKeyword::Long, text: "x".to_owned() }),
            (
                TokenKind::Int,
                "int(2147483648)",
                Invalid { keyword: TypeKeyword::Int, text: "2147483648".to_owned() },
            ),
        ];
        for (kind, text, value) in cases {
            assert_eq!(value_of(kind, text, false), value, "{text}");
        }
        assert_eq!(value_of(TokenKind::Long, "9223372036854775808", true), Long(i64::MIN));
    }

    #[test]
    fn guids_keep_the_order_of_their_text() {
        let bytes = parse_guid("74be27de-1e4e-49d9-b579-fe0b331d3642").expect("a guid");
        assert_eq!((bytes[0], bytes[15]), (0x74, 0x42));
        assert_eq!(parse_guid("{74be27de1e4e49d9b579fe0b331d3642}"), Some(bytes));
        assert_eq!(parse_guid("74be27de-1e4e-49d9-b579-fe0b331d364"), None);
        assert_eq!(parse_guid("74be27de-1e4e-49d9-b579-fe0b331d36é"), None);
    }
}
