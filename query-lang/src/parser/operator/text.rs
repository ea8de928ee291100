//! `parse`, `parse-where` and `parse-kv`: columns out of text.

use crate::ast::{OperatorKind, Parse, ParseKv, ParsePiece};
use crate::span::Span;
use crate::token::TokenKind;

use super::super::parameter::Parameters;
use super::super::{ListRule, Parser};

impl Parser<'_> {
    pub(super) fn parse_operator(&mut self) -> OperatorKind {
        OperatorKind::Parse(self.parse_parts())
    }

    pub(super) fn parse_where(&mut self) -> OperatorKind {
        OperatorKind::ParseWhere(self.parse_parts())
    }

    /// `parse [kind=… [flags=…]] expression with pattern`
    fn parse_parts(&mut self) -> Parse {
        self.bump();
        let parameters = self.parameters(&Parameters::PARSE);
        let expression = Box::new(self.required_scalar());
        self.expect_word("with");
        let mut pattern = Vec::new();
        while let Some(piece) = self.parse_piece() {
            pattern.push(piece);
        }
        Parse { parameters, expression, pattern }
    }

    fn parse_piece(&mut self) -> Option<ParsePiece> {
        let start = self.start();
        if self.kind() == TokenKind::Star {
            return Some(ParsePiece::Skip(self.bump().span));
        }
        if let Some(literal) = self.string_literal() {
            return Some(ParsePiece::Text { value: literal.value, span: self.span_from(start) });
        }
        let name = if self.kind() == TokenKind::Colon { self.missing_name() } else { self.declared_name()? };
        let type_name = if self.eat(TokenKind::Colon) { Some(self.declared_type()) } else { None };
        Some(ParsePiece::Column { name, type_name, span: self.span_from(start) })
    }

    /// `parse-kv expression as (columns) [with (properties)]`
    pub(super) fn parse_kv(&mut self) -> OperatorKind {
        self.bump();
        let expression = Box::new(self.required_scalar());
        self.expect_word("as");
        let columns = self.row_schema(false, ListRule::TRAILING);
        let mut properties = Vec::new();
        if self.eat_word("with") {
            self.expect(TokenKind::OpenParen, "(");
            properties = self.parameter_list(&Parameters::PARSE_KV);
            self.expect(TokenKind::CloseParen, ")");
        }
        OperatorKind::ParseKv(ParseKv { parameters: Vec::new(), expression, columns, properties })
    }
}

impl ParsePiece {
    /// Where it stands in the text.
    pub fn span(&self) -> Span {
        match self {
            ParsePiece::Skip(span) | ParsePiece::Text { span, .. } | ParsePiece::Column { span, .. } => *span,
        }
    }
}
