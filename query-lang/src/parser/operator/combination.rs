//! Operators over several tables: `join`, `lookup`, `union`, `find`, `search`.

use crate::ast::{
    Expr, ExprKind, Find, FindProjection, FindProjectionKind, Join, JoinCondition, Operator, OperatorKind,
    Pipeline, Search, Union,
};
use crate::token::TokenKind;

use super::super::parameter::Parameters;
use super::super::{ListRule, Parser, Slot};

impl Parser<'_> {
    /// `join kind=… right on …`
    pub(super) fn join(&mut self) -> OperatorKind {
        self.bump();
        let parameters = self.parameters(&Parameters::COMMON);
        self.seek(Slot::Table);
        let right = Box::new(self.required_scalar());
        let condition = match self.join_on() {
            Some(condition) => condition,
            None if self.eat_word("where") => JoinCondition::Where(Box::new(self.required_scalar())),
            None => JoinCondition::None,
        };
        OperatorKind::Join(Join { parameters, right, condition })
    }

    fn join_on(&mut self) -> Option<JoinCondition> {
        if !self.eat_word("on") {
            return None;
        }
        self.seek(Slot::JoinCondition);
        let conditions = self.list(ListRule::OPEN, Self::never, Self::scalar, Self::missing_expression);
        Some(JoinCondition::On(conditions))
    }

    /// `lookup kind=… right on …`
    pub(super) fn lookup(&mut self) -> OperatorKind {
        self.bump();
        let parameters = self.parameters(&Parameters::COMMON);
        self.seek(Slot::Table);
        let right = Box::new(self.required_scalar());
        let condition = match self.join_on() {
            Some(condition) => condition,
            None => {
                self.report_expected(&["on"]);
                JoinCondition::None
            }
        };
        OperatorKind::Lookup(Join { parameters, right, condition })
    }

    /// `union kind=… tables`
    pub(super) fn union(&mut self) -> OperatorKind {
        self.bump();
        let parameters = self.parameters(&Parameters::UNION);
        let tables = self.list(
            ListRule::ONE_OR_MORE,
            Self::at_list_end,
            |parser| match parser.optional_parenthesized() {
                None => parser.entity(),
                found => found,
            },
            Self::missing_expression,
        );
        OperatorKind::Union(Union { parameters, tables })
    }

    /// `find [withsource=…] [in (tables)] [where] predicate [project …]`
    pub(super) fn find(&mut self) -> OperatorKind {
        self.bump();
        let mut parameters: Vec<_> = self.data_scope().into_iter().collect();
        let scopes = parameters.len();
        parameters.extend(self.parameters(&Parameters::COMMON_ALWAYS));
        let tables = self.find_tables();
        if parameters.len() > scopes || tables.is_some() {
            self.expect_word("where");
        } else {
            self.eat_word("where");
        }
        let predicate = self.required_scalar();
        let mut projection = self.find_projection();
        let away = self.start();
        if self.eat_word("__projectAway") {
            let columns = self.find_columns();
            let span = self.span_from(away);
            projection = Some(FindProjection { kind: FindProjectionKind::ProjectAway, columns, span });
        }
        OperatorKind::Find(Find { parameters, tables: tables.unwrap_or_default(), predicate, projection })
    }

    /// `in (tables)`
    fn find_tables(&mut self) -> Option<Vec<Expr>> {
        if !self.eat_word("in") {
            return None;
        }
        self.expect(TokenKind::OpenParen, "(");
        let tables =
            self.list(ListRule::ONE_OR_MORE, Self::at_list_end, Self::find_table, Self::missing_expression);
        self.expect(TokenKind::CloseParen, ")");
        Some(tables)
    }

    /// A table or wildcard name; a plain name may be renamed: `T | as name`.
    fn find_table(&mut self) -> Option<Expr> {
        let start = self.start();
        let table = self.entity()?;
        let plain = matches!(table.kind, ExprKind::Name(_) | ExprKind::BracketedWildcard(_));
        if !plain || !self.eat(TokenKind::Pipe) {
            return Some(table);
        }
        let keyword_span = self.peek(0).span;
        if !self.at_word("as") {
            self.report_expected(&["as"]);
            return Some(table);
        }
        let kind = self.as_operator();
        let operator = Operator { kind, keyword_span, span: self.span_from(keyword_span.start) };
        let pipeline = Pipeline { source: Some(Box::new(table)), operators: vec![operator] };
        Some(Expr { kind: ExprKind::Pipeline(pipeline), span: self.span_from(start) })
    }

    fn find_projection(&mut self) -> Option<FindProjection> {
        let start = self.start();
        if self.eat_word("project") {
            let columns = self.find_columns();
            let span = self.span_from(start);
            return Some(FindProjection { kind: FindProjectionKind::Project, columns, span });
        }
        if self.eat_word("project-smart") {
            let span = self.span_from(start);
            return Some(FindProjection {
                kind: FindProjectionKind::ProjectSmart,
                columns: Vec::new(),
                span,
            });
        }
        None
    }

    fn find_columns(&mut self) -> Vec<Expr> {
        self.list(ListRule::OPEN, Self::never, Self::find_column, Self::missing_expression)
    }

    /// `pack(*)`, `*`, `name` or `name: type`
    fn find_column(&mut self) -> Option<Expr> {
        let start = self.start();
        if self.is_word(0, "pack") {
            let name = self.word_name();
            self.expect(TokenKind::OpenParen, "(");
            let arguments = match self.star() {
                Some(star) => vec![star],
                None => {
                    self.report_expected(&["*"]);
                    Vec::new()
                }
            };
            self.expect(TokenKind::CloseParen, ")");
            let call = crate::ast::Call { object: None, name, arguments };
            return Some(Expr { kind: ExprKind::Call(call), span: self.span_from(start) });
        }
        if let Some(star) = self.star() {
            return Some(star);
        }
        let name = self.name()?;
        if !self.eat(TokenKind::Colon) {
            return Some(Self::name_expression(name));
        }
        let type_name = if self.at_any_type() { self.type_word() } else { self.invalid_type() };
        let span = self.span_from(start);
        let column = crate::ast::ColumnDeclaration { name, type_name, span };
        Some(Expr { kind: ExprKind::TypedName(column), span })
    }

    /// `search [kind=…] [in (tables)] predicate`
    pub(super) fn search(&mut self) -> OperatorKind {
        self.bump();
        let mut parameters = self.parameters(&Parameters::COMMON);
        parameters.extend(self.data_scope());
        let tables = self.find_tables().unwrap_or_default();
        let predicate = Box::new(self.search_predicate());
        OperatorKind::Search(Search { parameters, tables, predicate })
    }

    /// An expression, `*`, or `* and expression`
    fn search_predicate(&mut self) -> Expr {
        if let Some(found) = self.scalar() {
            return found;
        }
        let Some(star) = self.star() else { return self.missing_expression() };
        if !self.is_word(0, "and") {
            return star;
        }
        let operator_span = self.bump().span;
        let right = Box::new(self.required_scalar());
        let span = star.span.to(right.span);
        let kind = ExprKind::Binary {
            operator: crate::ast::BinaryOperator::And,
            operator_span,
            left: Box::new(star),
            right,
        };
        Expr { kind, span }
    }
}
