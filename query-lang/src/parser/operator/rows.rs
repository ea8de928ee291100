//! Operators that choose and order rows: `take`, `sample`, `sort`, `top`, `top-hitters`, `top-nested`.

use crate::ast::{
    NullsOrder, OperatorKind, Sample, SampleDistinct, Sort, SortDirection, SortKey, Take, Top, TopHitters,
    TopNestedClause,
};
use crate::token::TokenKind;

use super::super::parameter::Parameters;
use super::super::{ListRule, Parser};

impl Parser<'_> {
    pub(super) fn take(&mut self) -> OperatorKind {
        self.bump();
        let parameters = self.parameters(&Parameters::COMMON);
        OperatorKind::Take(Take { parameters, count: Box::new(self.required_named()) })
    }

    pub(super) fn sample(&mut self) -> OperatorKind {
        self.bump();
        let parameters = self.parameters(&Parameters::COMMON);
        OperatorKind::Sample(Sample { parameters, count: Box::new(self.required_named()) })
    }

    /// `sample-distinct n of expression`
    pub(super) fn sample_distinct(&mut self) -> OperatorKind {
        self.bump();
        let parameters = self.parameters(&Parameters::COMMON);
        let count = Box::new(self.required_named());
        self.expect_word("of");
        let of = Box::new(self.required_named());
        OperatorKind::SampleDistinct(SampleDistinct { parameters, count, of })
    }

    /// `sort by keys`
    pub(super) fn sort(&mut self) -> OperatorKind {
        self.bump();
        let parameters = self.parameters(&Parameters::COMMON_ALWAYS);
        self.expect_word("by");
        let keys = self.sort_keys(Self::at_list_end);
        OperatorKind::Sort(Sort { parameters, keys })
    }

    pub(super) fn sort_keys(&mut self, is_end: fn(&Self) -> bool) -> Vec<SortKey> {
        self.list(ListRule::ONE_OR_MORE, is_end, Self::sort_key, Self::missing_sort_key)
    }

    /// `expression [asc | desc] [nulls first | nulls last]`
    fn sort_key(&mut self) -> Option<SortKey> {
        let start = self.start();
        let expression = self.named()?;
        let direction = if self.eat_word("asc") || self.eat_word("granny-asc") {
            Some(SortDirection::Ascending)
        } else if self.eat_word("desc") || self.eat_word("granny-desc") {
            Some(SortDirection::Descending)
        } else {
            None
        };
        let mut nulls = None;
        if self.eat_word("nulls") {
            if self.eat_word("first") {
                nulls = Some(NullsOrder::First);
            } else if self.eat_word("last") {
                nulls = Some(NullsOrder::Last);
            } else {
                self.report_expected(&["first", "last"]);
            }
        }
        Some(SortKey { expression, direction, nulls, span: self.span_from(start) })
    }

    fn missing_sort_key(&mut self) -> SortKey {
        let expression = self.missing_expression();
        SortKey { span: expression.span, expression, direction: None, nulls: None }
    }

    fn required_sort_key(&mut self) -> SortKey {
        self.sort_key().unwrap_or_else(|| self.missing_sort_key())
    }

    /// `top n by key`
    pub(super) fn top(&mut self) -> OperatorKind {
        self.bump();
        let parameters = self.parameters(&Parameters::COMMON);
        let count = Box::new(self.required_named());
        self.expect_word("by");
        OperatorKind::Top(Top { parameters, count, key: self.required_sort_key() })
    }

    /// `top-hitters n of expression [by weight]`
    pub(super) fn top_hitters(&mut self) -> OperatorKind {
        self.bump();
        let count = Box::new(self.required_named());
        self.expect_word("of");
        let of = Box::new(self.required_named());
        let by = if self.eat_word("by") { Some(Box::new(self.required_named())) } else { None };
        OperatorKind::TopHitters(TopHitters { parameters: Vec::new(), count, of, by })
    }

    /// `top-nested [n] of expression [with others = value] by aggregate`, again and again after commas
    pub(super) fn top_nested(&mut self) -> OperatorKind {
        let clauses = self.list(
            ListRule::ONE_OR_MORE,
            Self::at_list_end,
            Self::top_nested_clause,
            Self::missing_top_nested_clause,
        );
        OperatorKind::TopNested(clauses)
    }

    fn top_nested_clause(&mut self) -> Option<TopNestedClause> {
        let start = self.start();
        if !self.eat_word("top-nested") {
            return None;
        }
        let count = self.named();
        self.expect_word("of");
        let of = self.required_named();
        let mut with_others = None;
        if self.eat_word("with") {
            self.expect_word("others");
            self.expect(TokenKind::Assign, "=");
            with_others = Some(match self.literal() {
                Some(value) => value,
                None => self.required_scalar(),
            });
        }
        self.expect_word("by");
        let by = self.required_sort_key();
        Some(TopNestedClause { count, of, with_others, by, span: self.span_from(start) })
    }

    fn missing_top_nested_clause(&mut self) -> TopNestedClause {
        self.report_expected(&["top-nested"]);
        let by = self.missing_sort_key();
        TopNestedClause { count: None, of: self.missing(), with_others: None, span: by.span, by }
    }
}
