//! Operators that make one row of many: `summarize` and `reduce`.

use crate::ast::{OperatorKind, Reduce, Summarize};
use crate::token::TokenKind;

use super::super::parameter::Parameters;
use super::super::{ListRule, Parser};

impl Parser<'_> {
    /// `summarize aggregates [by keys [bin = value]]`
    pub(super) fn summarize(&mut self) -> OperatorKind {
        self.bump();
        let parameters = self.parameters(&Parameters::COMMON);
        let aggregates =
            self.list(ListRule::ANY.until(&["by"]), Self::at_list_end, Self::named, Self::missing_expression);
        let mut by = None;
        let mut bin = None;
        if self.eat_word("by") {
            by = Some(self.list(
                ListRule::ONE_OR_MORE,
                |parser| parser.at_old_bin() || parser.at_list_end(),
                Self::named,
                Self::missing_expression,
            ));
            if self.is_word(0, "bin") && self.kind_at(1) == TokenKind::Assign {
                self.bump();
                self.bump();
                bin = Some(Box::new(self.required_scalar()));
            }
        }
        OperatorKind::Summarize(Summarize { parameters, aggregates, by, bin })
    }

    /// `bin = literal` after the keys
    fn at_old_bin(&self) -> bool {
        self.is_word(0, "bin") && self.kind_at(1) == TokenKind::Assign && self.kind_at(2).is_literal()
    }

    /// `reduce by expression [with threshold=…, characters=…]`
    pub(super) fn reduce(&mut self) -> OperatorKind {
        self.bump();
        let parameters = self.parameters(&Parameters::REDUCE);
        self.expect_word("by");
        let expression = Box::new(self.required_named());
        let properties =
            if self.eat_word("with") { self.parameter_list(&Parameters::REDUCE) } else { Vec::new() };
        OperatorKind::Reduce(Reduce { parameters, expression, properties })
    }
}
