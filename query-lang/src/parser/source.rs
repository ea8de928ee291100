//! Tables that a query brings along or names in detail: `datatable`, `externaldata`, `inline_external_table` and their
//! kin. Knows no operator but the `summarize` of a combined view.

use crate::ast::{
    ColumnDeclaration, ContextualDataTable, DataTable, Expr, ExprKind, ExternalData, ExternalPartition,
    InlineExternalTable, MaterializedViewCombine, OperatorParameter, Pipeline, RowSchema, TypeName,
};
use crate::span::Span;
use crate::token::TokenKind;

use super::parameter::Parameters;
use super::recover::Follow;
use super::{ListRule, Parser};

impl Parser<'_> {
    /// `datatable (columns) [values]`
    pub(super) fn data_table(&mut self) -> Option<Expr> {
        let start = self.start();
        self.bump();
        let parameters = self.parameters(&Parameters::COMMON_ALWAYS);
        let schema = self.row_schema(false, ListRule::TRAILING);
        self.expect(TokenKind::OpenBracket, "[");
        self.eat(TokenKind::Comma);
        let values = self.list(ListRule::TRAILING, Self::at_list_end, Self::literal, Self::missing_value);
        if !matches!(self.kind(), TokenKind::CloseBracket | TokenKind::End) && self.unopened.is_empty() {
            let message = format!("The values of a datatable are literals; '{}' is none.", self.text_at(0));
            self.error("KS005", message);
            self.skip_inside(TokenKind::CloseBracket);
        }
        self.expect(TokenKind::CloseBracket, "]");
        let kind = ExprKind::DataTable(DataTable { parameters, schema, values });
        Some(Expr { kind, span: self.span_from(start) })
    }

    fn missing_value(&mut self) -> Expr {
        self.report_missing("value");
        self.missing()
    }

    pub(super) fn contextual_data_table(&mut self) -> Option<Expr> {
        let start = self.start();
        self.bump();
        let id = match self.literal() {
            Some(id) => Box::new(id),
            None => Box::new(self.required_scalar()),
        };
        let schema = self.row_schema(false, ListRule::TRAILING);
        let kind = ExprKind::ContextualDataTable(ContextualDataTable { id, schema });
        Some(Expr { kind, span: self.span_from(start) })
    }

    /// `externaldata (columns) [uris] with (properties)`
    pub(super) fn external_data(&mut self) -> Option<Expr> {
        let start = self.start();
        self.bump();
        let parameters = self.parameters(&Parameters::COMMON_ALWAYS);
        let schema = self.row_schema(false, ListRule::TRAILING);
        self.expect(TokenKind::OpenBracket, "[");
        let uris = self.uris();
        self.expect(TokenKind::CloseBracket, "]");
        let properties = self.with_properties();
        let kind = ExprKind::ExternalData(Box::new(ExternalData { parameters, schema, uris, properties }));
        Some(Expr { kind, span: self.span_from(start) })
    }

    fn uris(&mut self) -> Vec<Expr> {
        self.list(
            ListRule::TRAILING,
            Self::at_list_end,
            |parser| parser.expression(Follow::Anything),
            Self::missing_value,
        )
    }

    /// `with (name = value, …)` with names and values of any kind.
    pub(super) fn with_properties(&mut self) -> Vec<OperatorParameter> {
        if !self.eat_word("with") {
            return Vec::new();
        }
        self.expect(TokenKind::OpenParen, "(");
        let properties = self.list(ListRule::ANY, Self::at_list_end, Self::property, |parser| {
            parser.missing_parameter(&Parameters::KIND)
        });
        self.expect(TokenKind::CloseParen, ")");
        properties
    }

    fn property(&mut self) -> Option<OperatorParameter> {
        let start = self.start();
        let name = self.declared_name()?;
        self.expect(TokenKind::Assign, "=");
        let value = match self.kind() {
            TokenKind::RawGuid => {
                let errors = self.diagnostics.len();
                let value = self.literal_token();
                self.diagnostics.truncate(errors);
                value
            }
            TokenKind::String
            | TokenKind::Long
            | TokenKind::Real
            | TokenKind::Bool
            | TokenKind::Datetime
            | TokenKind::Guid => self.literal(),
            _ => self.declared_name().map(Self::name_expression),
        };
        let value = value.unwrap_or_else(|| self.missing_value());
        Some(OperatorParameter { name, value, span: self.span_from(start) })
    }

    /// `inline_external_table (columns) kind=… …`
    pub(super) fn inline_external_table(&mut self) -> Option<Expr> {
        let is_table = self.is_word(0, "inline_external_table")
            && (self.at_external_schema(1) || self.is_word(1, "kind"));
        if !is_table {
            return None;
        }
        let start = self.start();
        self.bump();
        let has_schema = self.at_external_schema(0);
        let mut schema = RowSchema { span: Span::at(self.start()), ..RowSchema::default() };
        if has_schema {
            schema = self.row_schema(false, ListRule { one_or_more: true, ..ListRule::TRAILING });
        }
        let mut parameters = Vec::new();
        let mut delta = false;
        if self.at_word("kind") {
            let begin = self.start();
            let name = self.word_name();
            self.expect(TokenKind::Assign, "=");
            let known = matches!(self.text_at(0), "storage" | "delta");
            delta = self.text_at(0) == "delta";
            let value = if known {
                let name = self.word_name();
                Self::name_expression(name)
            } else {
                self.report_expected(&["storage", "delta"]);
                self.missing()
            };
            parameters.push(OperatorParameter { name, value, span: self.span_from(begin) });
        } else {
            self.report_missing("kind of the external table (kind=storage)");
        }
        if !has_schema && !delta {
            self.report_missing("schema declaration (name: type, …)");
        }
        let partitions = if self.at_word("partition") { self.external_partitions() } else { Vec::new() };
        let path_format = if self.at_word("pathformat") { self.path_format() } else { Vec::new() };
        if self.at_word("dataformat") {
            let begin = self.start();
            let name = self.word_name();
            self.expect(TokenKind::Assign, "=");
            let value = if self.kind() == TokenKind::Identifier {
                let name = self.word_name();
                Self::name_expression(name)
            } else {
                self.report_expected(&["a data format"]);
                self.missing()
            };
            parameters.push(OperatorParameter { name, value, span: self.span_from(begin) });
        } else if !delta {
            self.report_missing("data format (dataformat=…)");
        }
        let mut uris = Vec::new();
        if self.eat(TokenKind::OpenParen) {
            uris = self.uris();
            self.expect(TokenKind::CloseParen, ")");
        } else {
            self.report_missing("connection strings ('…')");
        }
        let properties = self.with_properties();
        let table = InlineExternalTable { schema, parameters, partitions, path_format, uris, properties };
        Some(Expr { kind: ExprKind::InlineExternalTable(Box::new(table)), span: self.span_from(start) })
    }

    /// `(` with a `:` before the next `)`
    fn at_external_schema(&self, ahead: usize) -> bool {
        if self.kind_at(ahead) != TokenKind::OpenParen {
            return false;
        }
        let mut at = ahead + 1;
        loop {
            match self.kind_at(at) {
                TokenKind::End | TokenKind::Colon => return true,
                TokenKind::CloseParen => return false,
                _ => at += 1,
            }
        }
    }

    fn external_partitions(&mut self) -> Vec<ExternalPartition> {
        self.bump();
        self.expect_word("by");
        self.expect(TokenKind::OpenParen, "(");
        self.eat(TokenKind::Comma);
        let partitions = self.list(
            ListRule::TRAILING,
            Self::at_list_end,
            |parser| Some(parser.external_partition()),
            Self::external_partition,
        );
        self.expect(TokenKind::CloseParen, ")");
        partitions
    }

    fn external_partition(&mut self) -> ExternalPartition {
        let start = self.start();
        let name = match self.declared_name() {
            Some(name) => name,
            None => self.missing_name(),
        };
        self.expect(TokenKind::Colon, ":");
        let type_name: TypeName = if matches!(self.text_at(0), "datetime" | "long" | "string") {
            self.type_word()
        } else {
            self.error("KS258", "External Table Partition Column type is not supported.");
            self.type_word()
        };
        let span = self.span_from(start);
        let column = ColumnDeclaration { name, type_name, span };
        let value = if self.eat(TokenKind::Assign) { self.scalar() } else { None };
        ExternalPartition { column, value, span: self.span_from(start) }
    }

    fn path_format(&mut self) -> Vec<Expr> {
        self.bump();
        self.expect(TokenKind::Assign, "=");
        self.expect(TokenKind::OpenParen, "(");
        let mut pieces = Vec::new();
        while !self.at_list_end() {
            let piece = if self.kind() == TokenKind::String {
                self.literal_token()
            } else if self.is_word(0, "datetime_pattern") && self.at_call() {
                Some(self.call())
            } else {
                self.name_reference()
            };
            match piece {
                Some(piece) => pieces.push(piece),
                None => {
                    self.error("KS257", "External Table Path Format syntax has unsupported expression.");
                    self.bump();
                }
            }
        }
        if pieces.is_empty() {
            self.error("KS255", "External Table Path Format is empty.");
        }
        self.expect(TokenKind::CloseParen, ")");
        pieces
    }

    /// `materialized-view-combine (name) base (…) delta (…) aggregations (…)`
    pub(super) fn materialized_view_combine(&mut self) -> Option<Expr> {
        let start = self.start();
        self.bump();
        let view = Box::new(self.combine_clause(|parser| parser.required_expression(Follow::Nested)));
        let mut clause = |word: &'static str| {
            if !self.eat_joined(word) {
                self.report_expected(&[word]);
                return Box::new(self.missing());
            }
            Box::new(if word == "aggregations" {
                self.combine_clause(|parser| {
                    let begin = parser.start();
                    let operator = if parser.is_word(0, "summarize") { parser.operator() } else { None };
                    match operator {
                        Some(operator) => {
                            let pipeline = Pipeline { source: None, operators: vec![operator] };
                            Expr { kind: ExprKind::Pipeline(pipeline), span: parser.span_from(begin) }
                        }
                        None => parser.missing_expression(),
                    }
                })
            } else {
                self.combine_clause(|parser| parser.required_expression(Follow::Nested))
            })
        };
        let base = clause("base");
        let delta = clause("delta");
        let aggregates = clause("aggregations");
        let combine = MaterializedViewCombine { view, base, delta, aggregates };
        Some(Expr { kind: ExprKind::MaterializedViewCombine(combine), span: self.span_from(start) })
    }

    fn combine_clause(&mut self, inside: impl Fn(&mut Self) -> Expr) -> Expr {
        self.expect(TokenKind::OpenParen, "(");
        let found = inside(self);
        self.expect(TokenKind::CloseParen, ")");
        found
    }
}
