//! Operators that make columns: `extend`, `print`, `serialize`, `distinct`, `project` and its family, `range`.

use crate::ast::{Distinct, Expr, OperatorKind, Range, ReorderKey, Serialize};

use super::super::parameter::Parameters;
use super::super::{ListRule, Parser};

impl Parser<'_> {
    fn named_list(&mut self, rule: ListRule) -> Vec<Expr> {
        self.list(rule, Self::at_list_end, Self::named, Self::missing_expression)
    }

    pub(super) fn extend(&mut self) -> OperatorKind {
        self.bump();
        OperatorKind::Extend(self.named_list(ListRule::ONE_OR_MORE))
    }

    pub(super) fn print(&mut self) -> OperatorKind {
        self.bump();
        OperatorKind::Print(self.named_list(ListRule::ONE_OR_MORE))
    }

    pub(super) fn project(&mut self) -> OperatorKind {
        self.bump();
        OperatorKind::Project(self.named_list(ListRule::ANY))
    }

    pub(super) fn project_rename(&mut self) -> OperatorKind {
        self.bump();
        OperatorKind::ProjectRename(self.named_list(ListRule::ANY))
    }

    pub(super) fn project_by_names(&mut self) -> OperatorKind {
        self.bump();
        OperatorKind::ProjectByNames(self.list(
            ListRule::ANY,
            Self::at_list_end,
            Self::scalar,
            Self::missing_expression,
        ))
    }

    fn pattern_list(&mut self) -> Vec<Expr> {
        self.list(ListRule::ANY, Self::at_list_end, Self::wildcard_or_name, Self::missing_expression)
    }

    pub(super) fn project_away(&mut self) -> OperatorKind {
        self.bump();
        OperatorKind::ProjectAway(self.pattern_list())
    }

    pub(super) fn project_keep(&mut self) -> OperatorKind {
        self.bump();
        OperatorKind::ProjectKeep(self.pattern_list())
    }

    pub(super) fn project_reorder(&mut self) -> OperatorKind {
        self.bump();
        OperatorKind::ProjectReorder(self.list(
            ListRule::ANY,
            Self::at_list_end,
            Self::reorder_key,
            |parser| {
                let expression = parser.missing_expression();
                ReorderKey { span: expression.span, expression, order: None }
            },
        ))
    }

    fn reorder_key(&mut self) -> Option<ReorderKey> {
        let start = self.start();
        let expression = self.wildcard_or_name()?;
        let order = ["asc", "desc", "granny-asc", "granny-desc"]
            .into_iter()
            .find(|word| self.eat_word(word))
            .map(str::to_owned);
        Some(ReorderKey { expression, order, span: self.span_from(start) })
    }

    pub(super) fn distinct(&mut self) -> OperatorKind {
        self.bump();
        let parameters = self.parameters(&Parameters::COMMON);
        let expressions = self.list(
            ListRule::ONE_OR_MORE,
            Self::at_list_end,
            |parser| match parser.star() {
                None => parser.named(),
                found => found,
            },
            Self::missing_expression,
        );
        OperatorKind::Distinct(Distinct { parameters, expressions })
    }

    pub(super) fn serialize(&mut self) -> OperatorKind {
        self.bump();
        let parameters = self.parameters(&Parameters::COMMON);
        OperatorKind::Serialize(Serialize { parameters, expressions: self.named_list(ListRule::ANY) })
    }

    /// `range name from … to … step …`
    pub(super) fn range(&mut self) -> OperatorKind {
        self.bump();
        let name = self.required_name();
        self.expect_word("from");
        let from = Box::new(self.required_scalar());
        self.expect_word("to");
        let to = Box::new(self.required_scalar());
        self.expect_word("step");
        let step = Box::new(self.required_scalar());
        OperatorKind::Range(Range { name, from, to, step })
    }
}
