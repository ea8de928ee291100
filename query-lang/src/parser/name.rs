//! Names, wildcard names and declared columns. Knows which keywords may be names where; nothing of what they name.

use crate::ast::{
    ColumnDeclaration, Expr, ExprKind, Name, NameStyle, ParameterKind, RowSchema, TypeKeyword, TypeName,
};
use crate::diagnostic::Diagnostic;
use crate::lexer::decode_string;
use crate::span::Span;
use crate::token::{KeywordClass, TokenKind, type_keyword};

use super::{ListRule, Parser, Slot};

impl Parser<'_> {
    /// The number of tokens of the name that starts `ahead`; 0 if none does. Keywords count only if they may be
    /// names anywhere.
    pub(super) fn scan_name(&self, ahead: usize) -> usize {
        match self.kind_at(ahead) {
            TokenKind::OpenBracket => self.scan_bracketed_name(ahead),
            TokenKind::OpenBrace => {
                let inside =
                    self.is_name_token(ahead + 1) && self.kind_at(ahead + 2) == TokenKind::CloseBrace;
                if inside { 3 } else { 0 }
            }
            _ => usize::from(self.is_name_token(ahead)),
        }
    }

    /// As [`Self::scan_name`], with the keywords that may be names where one is declared.
    pub(super) fn scan_declared_name(&self, ahead: usize) -> usize {
        match self.scan_name(ahead) {
            0 => usize::from(self.kind_at(ahead) == TokenKind::Keyword(KeywordClass::Declared)),
            count => count,
        }
    }

    fn scan_bracketed_name(&self, ahead: usize) -> usize {
        let mut count = 1;
        while self.kind_at(ahead + count) == TokenKind::String {
            count += 1;
        }
        if count > 1 && self.kind_at(ahead + count) == TokenKind::CloseBracket { count + 1 } else { 0 }
    }

    /// `{name}` or `{name[1]}` without white space inside.
    pub(super) fn scan_braced_name(&self, ahead: usize) -> usize {
        if self.kind_at(ahead) != TokenKind::OpenBrace {
            return 0;
        }
        let glued = |at: usize| self.is_glued(at);
        let mut at = ahead + 1;
        if !glued(at) || !(self.kind_at(at) == TokenKind::Identifier || self.kind_at(at).is_keyword()) {
            return 0;
        }
        at += 1;
        if self.kind_at(at) == TokenKind::OpenBracket && glued(at) {
            at += 1;
            if self.kind_at(at) == TokenKind::Minus && glued(at) {
                at += 1;
            }
            if self.kind_at(at) != TokenKind::Long || !glued(at) {
                return 0;
            }
            at += 1;
            if self.kind_at(at) != TokenKind::CloseBracket || !glued(at) {
                return 0;
            }
            at += 1;
        }
        if self.kind_at(at) == TokenKind::CloseBrace && glued(at) { at + 1 - ahead } else { 0 }
    }

    /// A name: plain, bracketed or braced.
    pub(super) fn name(&mut self) -> Option<Name> {
        let start = self.start();
        match self.kind() {
            TokenKind::OpenBracket => {
                if self.scan_bracketed_name(0) == 0 {
                    return None;
                }
                self.bump();
                let mut text = String::new();
                while self.kind() == TokenKind::String {
                    text.push_str(&decode_string(self.text_at(0)).0);
                    self.bump();
                }
                self.bump();
                Some(Name { text, style: NameStyle::Bracketed, span: self.span_from(start) })
            }
            TokenKind::OpenBrace => {
                let count = self.scan_braced_name(0);
                if count == 0 {
                    return None;
                }
                self.position += count;
                let span = self.span_from(start);
                let text = Span::new(span.start + 1, span.end - 1).text(self.text).to_owned();
                Some(Name { text, style: NameStyle::Braced, span })
            }
            _ if self.is_name_token(0) => Some(self.word_name()),
            _ => None,
        }
    }

    /// The next token as a plain name, whatever it is.
    pub(super) fn word_name(&mut self) -> Name {
        let text = self.text_at(0).to_owned();
        let token = self.bump();
        Name { text, style: NameStyle::Plain, span: token.span }
    }

    /// A name where one is declared, which more keywords may be.
    pub(super) fn declared_name(&mut self) -> Option<Name> {
        if self.kind() == TokenKind::Keyword(KeywordClass::Declared) {
            return Some(self.word_name());
        }
        self.name()
    }

    pub(super) fn required_name(&mut self) -> Name {
        self.name().unwrap_or_else(|| self.missing_name())
    }

    /// Reports that a name is missing. A keyword in its place is not taken.
    pub(super) fn missing_name(&mut self) -> Name {
        self.seek(Slot::NewName);
        if self.kind().is_keyword() {
            let word = self.text_at(0).to_owned();
            self.error(
                "KS006",
                format!(
                    "Missing name: if the keyword '{word}' is meant as a name, it needs to be bracketed as ['{word}']."
                ),
            );
        } else {
            self.report_missing("name");
        }
        Name { text: String::new(), style: NameStyle::Missing, span: Span::at(self.start()) }
    }

    pub(super) fn name_expression(name: Name) -> Expr {
        Expr { span: name.span, kind: ExprKind::Name(name) }
    }

    /// A name as an expression.
    pub(super) fn name_reference(&mut self) -> Option<Expr> {
        self.name().map(Self::name_expression)
    }

    pub(super) fn required_name_reference(&mut self) -> Expr {
        let name = self.required_name();
        Self::name_expression(name)
    }

    /// The number of tokens of the wildcard name (`a*`, `*`, `T*x`) that starts `ahead`; 0 if none does.
    pub(super) fn scan_wildcard(&self, ahead: usize) -> usize {
        let is_word = |at: usize| {
            matches!(
                self.kind_at(at),
                TokenKind::Identifier | TokenKind::Keyword(KeywordClass::Anywhere | KeywordClass::Declared)
            )
        };
        let mut at = ahead;
        if self.kind_at(at) == TokenKind::Star {
            at += 1;
        } else if is_word(at) && self.kind_at(at + 1) == TokenKind::Star && self.is_glued(at + 1) {
            at += 2;
        } else {
            return 0;
        }
        while self.is_glued(at)
            && (is_word(at) || matches!(self.kind_at(at), TokenKind::Star | TokenKind::Long))
        {
            at += 1;
        }
        at - ahead
    }

    /// A wildcard name; a lone `*` is [`ExprKind::Star`].
    pub(super) fn wildcard(&mut self) -> Option<Expr> {
        let count = self.scan_wildcard(0);
        if count == 0 {
            return None;
        }
        let start = self.start();
        self.position += count;
        let span = self.span_from(start);
        let text = span.text(self.text);
        let kind = if text == "*" { ExprKind::Star } else { ExprKind::Wildcard(text.to_owned()) };
        Some(Expr { kind, span })
    }

    pub(super) fn wildcard_or_name(&mut self) -> Option<Expr> {
        self.seek(Slot::Column);
        match self.wildcard() {
            None => self.name_reference(),
            found => found,
        }
    }

    /// `[a*]`
    pub(super) fn bracketed_wildcard(&mut self) -> Option<Expr> {
        if self.kind() != TokenKind::OpenBracket || self.scan_wildcard(1) == 0 {
            return None;
        }
        let start = self.start();
        self.bump();
        let count = self.scan_wildcard(0);
        let inside = self.start();
        self.position += count;
        let text = self.span_from(inside).text(self.text).to_owned();
        self.expect(TokenKind::CloseBracket, "]");
        Some(Expr { kind: ExprKind::BracketedWildcard(text), span: self.span_from(start) })
    }

    /// The number of tokens of a word with dashes in it (`a-b`), which is no name unless bracketed.
    pub(super) fn scan_dashed_word(&self) -> usize {
        let is_word = |at: usize| self.kind_at(at) == TokenKind::Identifier || self.kind_at(at).is_keyword();
        if !is_word(0) {
            return 0;
        }
        let mut count = 1;
        while self.is_glued(count) && (is_word(count) || self.kind_at(count) == TokenKind::Minus) {
            count += 1;
        }
        count
    }

    /// Says that a word needs brackets to be a name.
    pub(super) fn report_needs_brackets(&mut self, name: &Name) {
        let text = &name.text;
        self.error_about(
            "KS228",
            format!("The name '{text}' needs to be bracketed as ['{text}'] to be used in this context."),
            name.span,
        );
    }

    /// The types that a column or parameter may be declared with.
    fn at_declarable_type(&self) -> bool {
        self.kind().is_keyword()
            && matches!(
                self.text_at(0),
                "bool"
                    | "boolean"
                    | "date"
                    | "datetime"
                    | "decimal"
                    | "double"
                    | "dynamic"
                    | "guid"
                    | "int"
                    | "int64"
                    | "int8"
                    | "long"
                    | "real"
                    | "string"
                    | "time"
                    | "timespan"
                    | "uniqueid"
            )
    }

    /// Those and the ones that only `typeof` takes.
    pub(super) fn at_any_type(&self) -> bool {
        self.at_declarable_type()
            || (self.kind().is_keyword()
                && matches!(
                    self.text_at(0),
                    "float" | "int16" | "int32" | "uint" | "uint16" | "uint32" | "uint64" | "uint8" | "ulong"
                ))
    }

    /// The next word as a type, known or not, without a report.
    pub(super) fn type_word(&mut self) -> TypeName {
        let text = self.text_at(0).to_owned();
        let keyword = type_keyword(&text).unwrap_or(TypeKeyword::Unknown);
        let token = self.bump();
        TypeName { keyword, text, span: token.span }
    }

    pub(super) fn declared_type(&mut self) -> TypeName {
        self.seek(Slot::Type);
        if self.at_declarable_type() {
            return self.type_word();
        }
        self.invalid_type()
    }

    /// What stands where a type must: a word that is none, or nothing.
    pub(super) fn invalid_type(&mut self) -> TypeName {
        self.seek(Slot::Type);
        if self.at_any_type() || self.is_name_token(0) {
            let found = self.type_word();
            let message =
                format!("The name '{}' is not a valid type name that can be used here.", found.text);
            let mut diagnostic = Diagnostic::syntax("KS160", message, found.span);
            let known = [
                "bool", "int", "long", "real", "decimal", "datetime", "timespan", "string", "guid", "dynamic",
            ];
            let meant = match found.keyword {
                TypeKeyword::Unknown => crate::diagnostic::closest(&found.text, known),
                keyword => Some(keyword.as_str()),
            };
            diagnostic.hints.push(match meant {
                Some(meant) => format!("did you mean '{meant}'?"),
                None => format!("types are: {}", known.join(", ")),
            });
            self.diagnostics.push(diagnostic);
            return found;
        }
        self.report_missing("type name");
        TypeName { keyword: TypeKeyword::Unknown, text: String::new(), span: Span::at(self.start()) }
    }

    /// `name: type` or `name: (schema)`
    pub(super) fn name_and_type(&mut self) -> Option<(Name, ParameterKind)> {
        let name = match self.declared_name() {
            Some(name) => name,
            None if self.kind() == TokenKind::Colon => {
                let name = self.missing_name();
                self.bump();
                return Some((name, ParameterKind::Scalar(self.declared_type())));
            }
            None => return None,
        };
        self.expect(TokenKind::Colon, ":");
        let kind = if self.kind() == TokenKind::OpenParen {
            ParameterKind::Tabular(self.parameter_schema())
        } else {
            ParameterKind::Scalar(self.declared_type())
        };
        Some((name, kind))
    }

    /// `(*)` or `(name: type, …)` of a tabular parameter.
    fn parameter_schema(&mut self) -> RowSchema {
        let start = self.start();
        self.expect(TokenKind::OpenParen, "(");
        let mut schema = RowSchema::default();
        if self.eat(TokenKind::Star) {
            schema.any = true;
        } else if self.enter() {
            schema.columns = self.column_declarations(ListRule::TRAILING);
            self.leave();
        }
        self.expect(TokenKind::CloseParen, ")");
        schema.span = self.span_from(start);
        schema
    }

    fn column_declarations(&mut self, rule: ListRule) -> Vec<ColumnDeclaration> {
        self.list(rule, Self::at_list_end, Self::column_declaration, Self::missing_column_declaration)
    }

    /// `name: type`
    pub(super) fn column_declaration(&mut self) -> Option<ColumnDeclaration> {
        let start = self.start();
        let (name, kind) = self.name_and_type()?;
        let span = self.span_from(start);
        let type_name = match kind {
            ParameterKind::Scalar(type_name) => type_name,
            ParameterKind::Tabular(schema) => {
                self.diagnostics.push(Diagnostic::semantic(
                    "KS170",
                    "A column cannot have the type of a table.",
                    schema.span,
                ));
                TypeName { keyword: TypeKeyword::Unknown, text: String::new(), span: schema.span }
            }
        };
        Some(ColumnDeclaration { name, type_name, span })
    }

    pub(super) fn missing_column_declaration(&mut self) -> ColumnDeclaration {
        self.report_missing("column declaration (name: type)");
        let span = Span::at(self.start());
        ColumnDeclaration {
            name: Name { text: String::new(), style: NameStyle::Missing, span },
            type_name: TypeName { keyword: TypeKeyword::Unknown, text: String::new(), span },
            span,
        }
    }

    /// `(name: type, …)`; reported if absent. With `star`, `*` may come first: `(*, name: type)`.
    pub(super) fn row_schema(&mut self, star: bool, rule: ListRule) -> RowSchema {
        let start = self.start();
        let mut schema = RowSchema { span: Span::at(start), ..RowSchema::default() };
        if !self.eat(TokenKind::OpenParen) {
            self.report_missing("schema declaration (name: type, …)");
            return schema;
        }
        self.eat(TokenKind::Comma);
        if star {
            schema.any = self.eat(TokenKind::Star);
            self.eat(TokenKind::Comma);
        }
        schema.columns = self.column_declarations(rule);
        self.expect(TokenKind::CloseParen, ")");
        schema.span = self.span_from(start);
        schema
    }
}
