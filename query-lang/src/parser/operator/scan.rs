//! `scan`: steps that match rows in order.

use crate::ast::{Expr, ExprKind, OperatorKind, Scan, ScanStep};
use crate::token::TokenKind;

use super::super::parameter::Parameters;
use super::super::{ListRule, Parser};

impl Parser<'_> {
    /// `scan [with_match_id=…] [order by …] [partition by …] [declare (…)] with (steps)`
    pub(super) fn scan(&mut self) -> OperatorKind {
        self.bump();
        let parameters = self.parameters(&Parameters::COMMON_ALWAYS);
        let mut order_by = Vec::new();
        if self.eat_word("order") {
            self.expect_word("by");
            order_by = self.sort_keys(Self::at_scan_clause);
        }
        let mut partition_by = Vec::new();
        if self.eat_word("partition") {
            self.expect_word("by");
            partition_by = self.list(
                ListRule::ONE_OR_MORE,
                Self::at_scan_clause,
                Self::scalar,
                Self::missing_expression,
            );
        }
        let declare =
            if self.eat_word("declare") { self.parameter_declarations(ListRule::ANY) } else { Vec::new() };
        self.expect_word("with");
        self.expect(TokenKind::OpenParen, "(");
        let mut steps = Vec::new();
        while let Some(step) = self.scan_step() {
            steps.push(step);
        }
        self.expect(TokenKind::CloseParen, ")");
        OperatorKind::Scan(Scan { parameters, order_by, partition_by, declare, steps })
    }

    fn at_scan_clause(&self) -> bool {
        ["partition", "order", "by", "declare", "with"].iter().any(|word| self.is_word(0, word))
            || self.at_list_end()
    }

    /// `step name [optional] [output = …]: condition [=> column = value, …];`
    fn scan_step(&mut self) -> Option<ScanStep> {
        let start = self.start();
        if !self.eat_word("step") {
            return None;
        }
        let name = match self.declared_name() {
            Some(name) => name,
            None => self.missing_name(),
        };
        let optional = self.eat_word("optional");
        let mut output = None;
        if self.eat_word("output") {
            self.expect(TokenKind::Assign, "=");
            if matches!(self.text_at(0), "all" | "last" | "none") {
                output = Some(self.word_name());
            } else {
                self.report_expected(&["all", "last", "none"]);
            }
        }
        self.expect(TokenKind::Colon, ":");
        let condition = self.required_scalar();
        let mut assignments = Vec::new();
        if self.eat(TokenKind::FatArrow) {
            assignments = self.list(ListRule::ONE_OR_MORE, Self::at_list_end, Self::assignment, |parser| {
                let name = parser.missing_name();
                Self::name_expression(name)
            });
        }
        self.expect(TokenKind::Semicolon, ";");
        Some(ScanStep { name, optional, output, condition, assignments, span: self.span_from(start) })
    }

    /// `name = value`
    fn assignment(&mut self) -> Option<Expr> {
        let start = self.start();
        let name = self.declared_name()?;
        self.expect(TokenKind::Assign, "=");
        let value = Box::new(self.required_scalar());
        Some(Expr { kind: ExprKind::Named { name, value }, span: self.span_from(start) })
    }
}
