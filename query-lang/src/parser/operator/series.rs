//! `make-series`, `mv-expand` and `mv-apply`: rows to arrays and back.

use crate::ast::{
    ExpandColumn, Expr, ExprKind, MakeSeries, MvApply, MvExpand, OperatorKind, SeriesAggregate, SeriesRange,
    TypeName, TypeOf,
};
use crate::diagnostic::Diagnostic;
use crate::span::Span;
use crate::token::TokenKind;

use super::super::parameter::Parameters;
use super::super::{ListRule, Parser};

impl Parser<'_> {
    /// `make-series aggregates on axis from … to … step … [by …]`
    pub(super) fn make_series(&mut self) -> OperatorKind {
        self.bump();
        let parameters = self.parameters(&Parameters::COMMON);
        let aggregates = self.list(
            ListRule::ONE_OR_MORE.until(&["on", "from", "in"]),
            Self::at_list_end,
            Self::series_aggregate,
            |parser| {
                let expression = parser.missing_expression();
                SeriesAggregate { span: expression.span, expression, default: None }
            },
        );
        self.expect_word("on");
        let axis = Box::new(self.required_named());
        let range = self.series_range();
        let by = if self.eat_word("by") {
            self.list(ListRule::OPEN, Self::never, Self::named, Self::missing_expression)
        } else {
            Vec::new()
        };
        OperatorKind::MakeSeries(MakeSeries { parameters, aggregates, axis, range, by })
    }

    fn series_aggregate(&mut self) -> Option<SeriesAggregate> {
        let start = self.start();
        let expression = self.named()?;
        let mut default = None;
        if self.eat_word("default") {
            self.expect(TokenKind::Assign, "=");
            default = Some(self.required_named());
        }
        Some(SeriesAggregate { expression, default, span: self.span_from(start) })
    }

    fn series_range(&mut self) -> SeriesRange {
        let from_to_step = self.at_word("from") || self.at_word("to") || self.at_word("step");
        if from_to_step {
            let from = if self.eat_word("from") { Some(Box::new(self.required_scalar())) } else { None };
            let to = if self.eat_word("to") { Some(Box::new(self.required_scalar())) } else { None };
            self.expect_word("step");
            return SeriesRange::FromToStep { from, to, step: Box::new(self.required_scalar()) };
        }
        self.expect_word("in");
        self.expect_word("range");
        self.expect(TokenKind::OpenParen, "(");
        let arguments = self.list(ListRule::ANY, Self::at_list_end, Self::named, Self::missing_expression);
        let end = Span::at(self.start());
        self.expect(TokenKind::CloseParen, ")");
        if arguments.len() > 3 {
            let span = arguments[3].span;
            let message = "'in range' takes three values: start, stop and step.";
            self.diagnostics.push(Diagnostic::semantic("KS121", message, span));
        }
        let mut arguments = arguments.into_iter();
        let mut next = || match arguments.next() {
            Some(argument) => Box::new(argument),
            None => Box::new(Expr { kind: ExprKind::Missing, span: end }),
        };
        SeriesRange::InRange { start: next(), stop: next(), step: next() }
    }

    /// `mv-expand columns [limit n]`
    pub(super) fn mv_expand(&mut self) -> OperatorKind {
        self.bump();
        let parameters = self.parameters(&Parameters::COMMON);
        let columns = self.list(
            ListRule::ONE_OR_MORE.until(&["limit"]),
            Self::at_list_end,
            Self::expand_column,
            Self::missing_expand_column,
        );
        let limit = self.row_limit();
        OperatorKind::MvExpand(MvExpand { parameters, columns, limit })
    }

    fn row_limit(&mut self) -> Option<Box<Expr>> {
        if self.eat_word("limit") { Some(Box::new(self.required_scalar())) } else { None }
    }

    /// `[name =] expression [to typeof(type)]`
    fn expand_column(&mut self) -> Option<ExpandColumn> {
        let start = self.start();
        let expression = if self.is_word(0, "to") { self.missing_expression() } else { self.named()? };
        let to_type = self.cast_type();
        Some(ExpandColumn { expression, to_type, span: self.span_from(start) })
    }

    fn missing_expand_column(&mut self) -> ExpandColumn {
        let expression = self.missing_expression();
        ExpandColumn { span: expression.span, expression, to_type: None }
    }

    fn cast_type(&mut self) -> Option<TypeName> {
        if !self.eat_word("to") {
            return None;
        }
        match self.type_of() {
            Some(Expr { kind: ExprKind::TypeOf(TypeOf::Scalar(type_name)), .. }) => Some(type_name),
            Some(other) => {
                let message = "typeof() takes one scalar type here.";
                self.diagnostics.push(Diagnostic::semantic("KS172", message, other.span));
                None
            }
            None => {
                self.report_missing("typeof(type)");
                None
            }
        }
    }

    /// `mv-apply columns [limit n] [id guid] on (pipeline)`
    pub(super) fn mv_apply(&mut self) -> OperatorKind {
        self.bump();
        let parameters = self.parameters(&Parameters::COMMON);
        let columns = self.apply_columns();
        let limit = self.row_limit();
        let context = if self.eat_word("id") { Some(Box::new(self.required_scalar())) } else { None };
        self.expect_word("on");
        let body = if self.eat(TokenKind::OpenParen) {
            let body = self.subpipeline();
            self.expect(TokenKind::CloseParen, ")");
            body
        } else {
            self.report_expected(&["("]);
            self.missing()
        };
        OperatorKind::MvApply(MvApply { parameters, columns, limit, context, body: Box::new(body) })
    }

    fn apply_columns(&mut self) -> Vec<ExpandColumn> {
        if self.is_word(0, "to") {
            // A type alone is a column without an expression, if it is the only one.
            let start = self.start();
            let before = (self.position, self.diagnostics.len(), self.error_position);
            let to_type = self.cast_type();
            if self.kind() != TokenKind::Comma {
                let expression = Expr { kind: ExprKind::Missing, span: Span::at(start) };
                return vec![ExpandColumn { expression, to_type, span: self.span_from(start) }];
            }
            self.position = before.0;
            self.diagnostics.truncate(before.1);
            self.error_position = before.2;
        }
        self.list(
            ListRule::ONE_OR_MORE,
            Self::at_apply_columns_end,
            Self::expand_column,
            Self::missing_expand_column,
        )
    }

    fn at_apply_columns_end(&self) -> bool {
        let at_clause = ["limit", "id", "on"].iter().any(|word| self.is_word(0, word));
        if at_clause {
            // They are names as well if what follows belongs to an expression.
            let named =
                matches!(self.kind_at(1), TokenKind::Comma | TokenKind::Assign) || self.is_word(1, "to");
            if !named {
                return true;
            }
        }
        self.at_list_end()
    }
}
