//! Pipelines and the tables that start them. Knows which words start an operator; the operators themselves have
//! files of their own.

use crate::ast::{Expr, ExprKind, Operator, OperatorKind, Pipeline};
use crate::diagnostic::Diagnostic;
use crate::span::Span;
use crate::token::TokenKind;

use super::recover::Follow;
use super::{Parser, Slot};

impl Parser<'_> {
    /// A scalar expression or a pipeline.
    pub(super) fn expression(&mut self, follow: Follow) -> Option<Expr> {
        if !self.enter() {
            return Some(self.missing());
        }
        let found = self.pipeline(follow);
        self.leave();
        found
    }

    pub(super) fn required_expression(&mut self, follow: Follow) -> Expr {
        match self.expression(follow) {
            Some(found) => found,
            None => {
                let missing = self.missing_expression();
                self.check_follow(follow);
                missing
            }
        }
    }

    fn pipeline(&mut self, follow: Follow) -> Option<Expr> {
        self.seek(Slot::Source);
        let start = self.start();
        let mut source = None;
        let mut operators = Vec::new();
        if self.at_operator() {
            match self.leading_operator() {
                Some(operator) => operators.push(operator),
                None => source = Some(self.inline_external_table().or_else(|| self.scalar())?),
            }
        } else {
            source = self.scalar();
            if source.is_none() {
                operators.push(self.leading_operator()?);
            }
        }
        if let Some(first) = operators.first() {
            self.check_leading(first);
        }
        self.finish_pipeline(source, operators, start, follow)
    }

    /// The operators after the first part of a pipeline.
    pub(super) fn finish_pipeline(
        &mut self,
        source: Option<Expr>,
        mut operators: Vec<Operator>,
        start: u32,
        follow: Follow,
    ) -> Option<Expr> {
        self.check_follow(follow);
        while self.eat(TokenKind::Pipe) {
            let operator = self.required_operator(follow);
            operators.push(operator);
            self.check_follow(follow);
        }
        if operators.is_empty() {
            return source;
        }
        let pipeline = Pipeline { source: source.map(Box::new), operators };
        Some(Expr { kind: ExprKind::Pipeline(pipeline), span: self.span_from(start) })
    }

    /// A pipeline that takes its rows from around it: the body of `mv-apply`, `partition`, `fork` and their like.
    pub(super) fn subpipeline(&mut self) -> Expr {
        if !self.enter() {
            return self.missing();
        }
        let start = self.start();
        let mut source = None;
        let mut operators = Vec::new();
        if self.is_word(0, "__contextual_datatable") {
            source = self.contextual_data_table();
        } else {
            operators.push(self.required_operator(Follow::Nested));
        }
        let found = self.finish_pipeline(source, operators, start, Follow::Nested);
        self.leave();
        found.unwrap_or_else(|| self.missing())
    }

    /// An operator at the start of a pipeline.
    fn leading_operator(&mut self) -> Option<Operator> {
        self.source_operator().or_else(|| self.operator())
    }

    /// What must follow a pipe.
    fn required_operator(&mut self, follow: Follow) -> Operator {
        self.seek(Slot::Operator);
        let start = self.start();
        if let Some(found) = self.operator().or_else(|| self.source_operator()) {
            self.check_after_pipe(&found);
            return found;
        }
        let keyword_span = self.peek(0).span;
        let text = self.text_at(0).to_owned();
        self.report_no_operator();
        if self.kind() == TokenKind::Pipe && self.is_glued(0) {
            self.bump();
        }
        self.skip_to_follow(follow);
        let span = if self.start() == start { Span::at(start) } else { self.span_from(start) };
        Operator { kind: OperatorKind::Unknown(text), keyword_span, span }
    }

    fn check_leading(&mut self, operator: &Operator) {
        let word = operator.keyword_span.text(self.text);
        let may_lead = matches!(
            operator.kind,
            OperatorKind::Evaluate(_)
                | OperatorKind::Find(_)
                | OperatorKind::MacroExpand(_)
                | OperatorKind::Print(_)
                | OperatorKind::Range(_)
                | OperatorKind::Search(_)
                | OperatorKind::Union(_)
        );
        if !may_lead {
            let message = format!("The operator '{word}' cannot be the first operator in a query.");
            self.diagnostics.push(Diagnostic::semantic("KS174", message, operator.keyword_span));
        }
    }

    fn check_after_pipe(&mut self, operator: &Operator) {
        let word = operator.keyword_span.text(self.text);
        if matches!(operator.kind, OperatorKind::Print(_) | OperatorKind::Range(_)) {
            let message = format!("The operator '{word}' must be the first operator in the query.");
            self.diagnostics.push(Diagnostic::semantic("KS175", message, operator.keyword_span));
        }
    }

    /// True if an operator, not a name that looks like one, comes next.
    fn at_operator(&self) -> bool {
        let token = self.peek(0);
        if !token.kind.is_keyword() {
            return false;
        }
        match token.text(self.text) {
            "evaluate" => self.scan_name(1) > 0 || self.at_common_parameter(1),
            "facet" => self.is_word(1, "by"),
            "partition" | "reduce" => self.is_word(1, "by") || self.at_common_parameter(1),
            "range" => {
                let count = self.scan_name(1);
                // A name after a name is no expression, so a `from` left out is no doubt.
                count > 0 && (self.is_word(1 + count, "from") || self.kind_at(1) == TokenKind::Identifier)
            }
            "inline_external_table" => self.kind_at(1) == TokenKind::OpenParen || self.is_word(1, "kind"),
            "render" => self.is_name_token(1) || super::operator::CHARTS.contains(&self.text_at(1)),
            "as"
            | "assert-schema"
            | "find"
            | "graph-mark-components"
            | "graph-match"
            | "graph-to-table"
            | "invoke"
            | "__executeAndCache"
            | "macro-expand"
            | "make-graph"
            | "make-series"
            | "mv-apply"
            | "mv-expand"
            | "parse-kv"
            | "parse-where"
            | "print"
            | "project"
            | "project-away"
            | "project-by-names"
            | "project-keep"
            | "project-rename"
            | "project-reorder"
            | "sample"
            | "sample-distinct"
            | "search"
            | "top-hitters"
            | "top-nested"
            | "union"
            | "where" => true,
            _ => false,
        }
    }

    /// True if a query comes next, not a list of values: it starts with an operator or has a pipe.
    pub(super) fn starts_query(&self) -> bool {
        if self.at_operator() {
            return true;
        }
        let mut depth = 0_u32;
        for token in &self.tokens[self.position..] {
            match token.kind {
                TokenKind::End | TokenKind::Semicolon => return false,
                TokenKind::Comma if depth == 0 => return false,
                TokenKind::CloseParen if depth == 0 => return false,
                TokenKind::CloseParen => depth -= 1,
                TokenKind::OpenParen => depth += 1,
                TokenKind::Pipe if depth == 0 => return true,
                _ => {}
            }
        }
        false
    }
}
