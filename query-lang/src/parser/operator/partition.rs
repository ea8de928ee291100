//! Operators with a pipeline of their own: `partition`, `__partitionby`, `fork`, `facet`, `macro-expand`.

use crate::ast::{
    Expr, ExprKind, Facet, Fork, ForkBranch, FunctionBody, MacroExpand, OperatorKind, Partition,
    PartitionBody, PartitionBy, Pipeline,
};
use crate::token::TokenKind;

use super::super::parameter::Parameters;
use super::super::recover::Follow;
use super::super::{ListRule, Parser};

impl Parser<'_> {
    /// `partition by column (pipeline)` or `partition by column { query }`
    pub(super) fn partition(&mut self) -> OperatorKind {
        self.bump();
        let parameters = self.parameters(&Parameters::COMMON_ALWAYS);
        self.expect_word("by");
        let by = Box::new(self.required_column_path());
        let mut scope = None;
        if self.eat_word("in") {
            scope = Some(Box::new(if self.at_call() {
                self.call()
            } else {
                match self.dynamic_literal() {
                    Some(values) => values,
                    None => self.missing_expression(),
                }
            }));
        }
        let start = self.start();
        let body = match self.kind() {
            TokenKind::OpenBrace => {
                self.bump();
                let result = Some(Box::new(self.required_expression(Follow::Nested)));
                self.expect(TokenKind::CloseBrace, "}");
                PartitionBody::Query(FunctionBody {
                    statements: Vec::new(),
                    result,
                    span: self.span_from(start),
                })
            }
            TokenKind::OpenParen => PartitionBody::Subquery(Box::new(self.parenthesized_subpipeline())),
            _ => {
                self.report_expected(&["(", "{"]);
                PartitionBody::Subquery(Box::new(self.missing()))
            }
        };
        OperatorKind::Partition(Partition { parameters, by, scope, body })
    }

    /// `(pipeline)`
    pub(super) fn parenthesized_subpipeline(&mut self) -> Expr {
        self.expect(TokenKind::OpenParen, "(");
        let body = self.subpipeline();
        self.expect(TokenKind::CloseParen, ")");
        body
    }

    /// `__partitionby column [id guid] (pipeline)`
    pub(super) fn partition_by(&mut self) -> OperatorKind {
        self.bump();
        let parameters = self.parameters(&Parameters::COMMON_ALWAYS);
        let column = Box::new(self.required_column_path());
        let mut context = None;
        if self.eat_word("id") {
            context = Some(Box::new(match self.literal() {
                Some(id) => id,
                None => {
                    self.report_missing("value");
                    self.missing()
                }
            }));
        }
        let body = Box::new(self.parenthesized_subpipeline());
        OperatorKind::PartitionBy(PartitionBy { parameters, column, context, body })
    }

    /// `fork name=(pipeline) (pipeline)`
    pub(super) fn fork(&mut self) -> OperatorKind {
        self.bump();
        let mut branches = Vec::new();
        while let Some(branch) = self.fork_branch() {
            branches.push(branch);
        }
        if branches.is_empty() {
            self.report_expected(&["("]);
        }
        OperatorKind::Fork(Fork { branches })
    }

    fn fork_branch(&mut self) -> Option<ForkBranch> {
        let start = self.start();
        let count = self.scan_name(0);
        let mut name = None;
        if count > 0 && self.kind_at(count) == TokenKind::Assign {
            name = self.name();
            self.bump();
        } else if self.kind() != TokenKind::OpenParen {
            return None;
        }
        self.expect(TokenKind::OpenParen, "(");
        let body = self.subpipeline();
        self.expect(TokenKind::CloseParen, ")");
        Some(ForkBranch { name, body, span: self.span_from(start) })
    }

    /// `facet by columns [with (pipeline)]`
    pub(super) fn facet(&mut self) -> OperatorKind {
        self.bump();
        self.expect_word("by");
        let columns = self.list(
            ListRule::ONE_OR_MORE.until(&["with"]),
            Self::at_list_end,
            Self::column_path,
            Self::required_name_reference,
        );
        let mut with = None;
        if self.eat_word("with") {
            let start = self.start();
            if self.kind() == TokenKind::OpenParen {
                with = Some(self.parenthesized_subpipeline());
            } else {
                let operator = self.operator().or_else(|| self.source_operator());
                with = Some(match operator {
                    Some(operator) => {
                        let pipeline = Pipeline { source: None, operators: vec![operator] };
                        Expr { kind: ExprKind::Pipeline(pipeline), span: self.span_from(start) }
                    }
                    None => {
                        self.report_no_operator();
                        self.missing()
                    }
                });
            }
        }
        OperatorKind::Facet(Facet { columns, with })
    }

    /// `macro-expand group as name (statements)`
    pub(super) fn macro_expand(&mut self) -> OperatorKind {
        self.bump();
        let parameters = self.parameters(&Parameters::UNION);
        let entity_group = Box::new(if self.is_word(0, "entity_group") {
            self.entity_group()
        } else if matches!(self.text_at(0), "database" | "cluster") && self.kind_at(1) == TokenKind::OpenParen
        {
            self.entity().unwrap_or_else(|| self.missing())
        } else {
            match self.name_reference() {
                Some(name) => name,
                None => self.missing_expression(),
            }
        });
        let name = if self.eat_word("as") { Some(self.required_name()) } else { None };
        let mut body = Vec::new();
        if self.expect(TokenKind::OpenParen, "(") && self.enter() {
            body = self.statements(Follow::Nested);
            self.leave();
        }
        self.expect(TokenKind::CloseParen, ")");
        OperatorKind::MacroExpand(MacroExpand { parameters, entity_group, name, body })
    }
}
