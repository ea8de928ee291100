//! Statements and the bodies of functions. Knows `let`, `set`, `declare`, `alias` and `restrict`; everything else is an
//! expression.

use crate::ast::{
    AliasStatement, Directive, Expr, ExprKind, FunctionBody, FunctionDeclaration, LetStatement, LetValue,
    Name, NameStyle, Parameter, ParameterKind, PatternCase, PatternDefinition, PatternStatement, Query,
    RestrictStatement, SetStatement, Statement, StatementKind, TypeKeyword, TypeName, Wrapped,
};
use crate::span::Span;
use crate::token::TokenKind;

use super::recover::Follow;
use super::{ListRule, Parser, Slot};

impl Parser<'_> {
    pub(super) fn query(&mut self) -> Query {
        let mut directives = Vec::new();
        while self.kind() == TokenKind::Directive {
            let token = self.bump();
            directives.push(Directive { text: token.text(self.text).to_owned(), span: token.span });
        }
        let start = self.start();
        let statements = self.statements(Follow::Statement);
        Query { directives, statements, span: self.span_from(start) }
    }

    /// Statements with `;` between them, up to the end or, inside of brackets, the closing one.
    pub(super) fn statements(&mut self, follow: Follow) -> Vec<Statement> {
        let mut statements = Vec::new();
        loop {
            let before = self.position;
            match self.statement(follow) {
                Some(statement) => statements.push(statement),
                None if self.at_statements_end(follow) => return statements,
                None => {
                    let start = self.start();
                    self.report_unexpected();
                    self.skip_to_follow(follow);
                    if self.kind() == TokenKind::Pipe {
                        // Operators without a source: go on with them for what else is wrong.
                        let source = Some(self.missing());
                        if let Some(rest) = self.finish_pipeline(source, Vec::new(), start, follow) {
                            let span = rest.span;
                            statements.push(Statement { kind: StatementKind::Expression(rest), span });
                        }
                    }
                }
            }
            if self.eat(TokenKind::Semicolon) {
                continue;
            }
            if self.at_statements_end(follow) {
                return statements;
            }
            self.report_expected(&[";"]);
            if self.position == before {
                self.bump();
            }
        }
    }

    fn at_statements_end(&self, follow: Follow) -> bool {
        use TokenKind::*;
        match self.kind() {
            End => true,
            CloseParen | CloseBracket | CloseBrace => follow == Follow::Nested,
            _ => false,
        }
    }

    fn statement(&mut self, follow: Follow) -> Option<Statement> {
        self.seek(Slot::Statement);
        let start = self.start();
        let kind = match self.statement_keyword() {
            Some("alias") => StatementKind::Alias(self.alias_statement()),
            Some("let") => self.let_statement(follow),
            Some("set") => StatementKind::Set(self.set_statement()),
            Some("restrict") => StatementKind::Restrict(self.restrict_statement()),
            Some("declare") if self.is_word(1, "pattern") => {
                StatementKind::DeclarePattern(self.pattern_statement())
            }
            Some(_) => self.query_parameters_statement(),
            None => StatementKind::Expression(self.expression(follow)?),
        };
        Some(Statement { kind, span: self.span_from(start) })
    }

    /// The keyword of the statement that comes next, if it is no expression that starts with a like name.
    fn statement_keyword(&self) -> Option<&'static str> {
        if !self.kind().is_keyword() {
            return None;
        }
        match self.text_at(0) {
            "alias" if self.is_word(1, "database") => Some("alias"),
            "let" if self.scan_name(1) > 0 || self.kind_at(1) == TokenKind::Assign => Some("let"),
            // A keyword after `let` is a name that lacks brackets; say so.
            "let" if self.kind_at(1).is_keyword() && self.kind_at(2) == TokenKind::Assign => Some("let"),
            "declare"
                if self.is_word(1, "pattern")
                    || self.is_word(1, "query_parameters")
                    || self.kind_at(1) == TokenKind::Identifier =>
            {
                Some("declare")
            }
            "restrict" if self.is_word(1, "access") => Some("restrict"),
            "set" => Some("set"),
            _ => None,
        }
    }

    fn alias_statement(&mut self) -> AliasStatement {
        self.bump();
        self.expect_word("database");
        let name = self.required_name();
        self.expect(TokenKind::Assign, "=");
        AliasStatement { name, value: self.required_scalar() }
    }

    fn set_statement(&mut self) -> SetStatement {
        self.bump();
        self.seek(Slot::Setting);
        let name = self.required_name();
        let value = if self.eat(TokenKind::Assign) { Some(self.required_scalar()) } else { None };
        SetStatement { name, value }
    }

    fn let_statement(&mut self, follow: Follow) -> StatementKind {
        self.bump();
        let name = match self.name() {
            Some(name) => name,
            None => {
                let name = self.missing_name();
                if self.kind().is_keyword() && self.kind_at(1) == TokenKind::Assign {
                    self.bump();
                }
                name
            }
        };
        self.expect(TokenKind::Assign, "=");
        self.seek(Slot::LetValue);
        let value = if self.is_word(0, "materialize") {
            LetValue::Expression(self.materialize())
        } else if self.is_word(0, "entity_group") {
            LetValue::Expression(self.entity_group())
        } else if self.at_function_declaration() {
            LetValue::Function(self.function_declaration())
        } else {
            LetValue::Expression(self.required_expression(follow))
        };
        StatementKind::Let(LetStatement { name, value })
    }

    fn materialize(&mut self) -> Expr {
        let start = self.start();
        self.bump();
        self.expect(TokenKind::OpenParen, "(");
        let pipeline = Box::new(self.required_expression(Follow::Nested));
        self.expect(TokenKind::CloseParen, ")");
        let kind = ExprKind::Materialize(Wrapped { parameters: Vec::new(), pipeline });
        Expr { kind, span: self.span_from(start) }
    }

    /// `entity_group [entities]` or a call `entity_group('name')`; the keyword is the next token.
    pub(super) fn entity_group(&mut self) -> Expr {
        if self.at_call() {
            return self.call();
        }
        let start = self.start();
        self.bump();
        self.expect(TokenKind::OpenBracket, "[");
        let entities =
            self.list(ListRule::ONE_OR_MORE, Self::at_list_end, Self::scalar, Self::missing_expression);
        self.expect(TokenKind::CloseBracket, "]");
        Expr { kind: ExprKind::EntityGroup(entities), span: self.span_from(start) }
    }

    /// `()`, `(*`, `(name:` or one of them after `view`
    fn at_function_declaration(&self) -> bool {
        let at = usize::from(self.is_word(0, "view"));
        if self.kind_at(at) != TokenKind::OpenParen {
            return false;
        }
        if matches!(self.kind_at(at + 1), TokenKind::CloseParen | TokenKind::Star) {
            return true;
        }
        let count = self.scan_declared_name(at + 1);
        count > 0 && self.kind_at(at + 1 + count) == TokenKind::Colon
    }

    fn function_declaration(&mut self) -> FunctionDeclaration {
        let start = self.start();
        let view = self.eat_word("view");
        let parameters = self.parameter_declarations(ListRule::ANY);
        let body = self.function_body(true);
        FunctionDeclaration { view, parameters, body, span: self.span_from(start) }
    }

    /// `(name: type = default, …)`
    pub(super) fn parameter_declarations(&mut self, rule: ListRule) -> Vec<Parameter> {
        if !self.expect(TokenKind::OpenParen, "(") {
            return Vec::new();
        }
        let parameters = self.list(
            rule,
            Self::at_list_end,
            Self::parameter_declaration,
            Self::missing_parameter_declaration,
        );
        self.expect(TokenKind::CloseParen, ")");
        parameters
    }

    fn parameter_declaration(&mut self) -> Option<Parameter> {
        let start = self.start();
        let (name, kind) = self.name_and_type()?;
        let mut default = None;
        if self.eat(TokenKind::Assign) {
            default = Some(match self.literal() {
                Some(value) => value,
                None if self.is_name_token(0) => {
                    let name = self.word_name();
                    Self::name_expression(name)
                }
                None => self.missing_expression(),
            });
        }
        Some(Parameter { name, kind, default, span: self.span_from(start) })
    }

    fn missing_parameter_declaration(&mut self) -> Parameter {
        self.report_missing("parameter (name: type)");
        let span = Span::at(self.start());
        let name = Name { text: String::new(), style: NameStyle::Missing, span };
        let unknown = TypeName { keyword: TypeKeyword::Unknown, text: String::new(), span };
        Parameter { name, kind: ParameterKind::Scalar(unknown), default: None, span }
    }

    /// `{ let …; expression }`. The bodies of patterns take no query parameters.
    pub(super) fn function_body(&mut self, query_parameters: bool) -> FunctionBody {
        let start = self.start();
        let mut body = FunctionBody { statements: Vec::new(), result: None, span: Span::at(start) };
        if !self.expect(TokenKind::OpenBrace, "{") {
            return body;
        }
        if !self.enter() {
            return body;
        }
        loop {
            self.seek(Slot::Body);
            let begin = self.start();
            let kind = if self.is_word(0, "let") {
                self.let_statement(Follow::Nested)
            } else if query_parameters && self.is_word(0, "declare") {
                self.query_parameters_statement()
            } else {
                break;
            };
            body.statements.push(Statement { kind, span: self.span_from(begin) });
            if !self.expect(TokenKind::Semicolon, ";") && self.at_list_end() {
                break;
            }
        }
        body.result = self.expression(Follow::Nested).map(Box::new);
        self.eat(TokenKind::Semicolon);
        self.leave();
        self.expect(TokenKind::CloseBrace, "}");
        body.span = self.span_from(start);
        body
    }

    fn query_parameters_statement(&mut self) -> StatementKind {
        self.bump();
        if !self.expect_word("query_parameters") && self.kind() == TokenKind::Identifier {
            self.bump();
        }
        StatementKind::DeclareQueryParameters(self.parameter_declarations(ListRule::ONE_OR_MORE))
    }

    fn restrict_statement(&mut self) -> RestrictStatement {
        self.bump();
        self.expect_word("access");
        self.expect_word("to");
        self.expect(TokenKind::OpenParen, "(");
        let entities =
            self.list(ListRule::ONE_OR_MORE, Self::at_list_end, Self::restricted, Self::missing_expression);
        self.expect(TokenKind::CloseParen, ")");
        RestrictStatement { entities, properties: self.with_properties() }
    }

    fn restricted(&mut self) -> Option<Expr> {
        match self.entity() {
            None => self.name_reference(),
            found => found,
        }
    }

    fn pattern_statement(&mut self) -> PatternStatement {
        self.bump();
        self.bump();
        let name = self.required_name();
        let definition = if self.eat(TokenKind::Assign) { Some(self.pattern_definition()) } else { None };
        PatternStatement { name, definition }
    }

    fn pattern_definition(&mut self) -> PatternDefinition {
        self.expect(TokenKind::OpenParen, "(");
        let parameters = self.list(
            ListRule::ANY,
            Self::at_list_end,
            Self::pattern_parameter,
            Self::missing_parameter_declaration,
        );
        self.expect(TokenKind::CloseParen, ")");
        let mut path = None;
        if self.eat(TokenKind::OpenBracket) {
            path = Some(match self.pattern_parameter() {
                Some(parameter) => parameter,
                None => self.missing_parameter_declaration(),
            });
            self.expect(TokenKind::CloseBracket, "]");
        }
        self.expect(TokenKind::OpenBrace, "{");
        let mut cases = Vec::new();
        while self.kind() == TokenKind::OpenParen {
            cases.push(self.pattern_case());
        }
        if cases.is_empty() {
            self.report_missing("pattern match (('value') = { … };)");
        }
        self.expect(TokenKind::CloseBrace, "}");
        PatternDefinition { parameters, path, cases }
    }

    fn pattern_parameter(&mut self) -> Option<Parameter> {
        let start = self.start();
        let (name, kind) = self.name_and_type()?;
        Some(Parameter { name, kind, default: None, span: self.span_from(start) })
    }

    fn pattern_case(&mut self) -> PatternCase {
        let start = self.start();
        self.bump();
        let arguments =
            self.list(ListRule::ONE_OR_MORE, Self::at_list_end, Self::scalar, Self::missing_expression);
        self.expect(TokenKind::CloseParen, ")");
        let mut path = None;
        if self.eat(TokenKind::Dot) {
            self.expect(TokenKind::OpenBracket, "[");
            path = Some(match self.literal() {
                Some(value) => value,
                None => {
                    self.report_missing("string");
                    self.missing()
                }
            });
            self.expect(TokenKind::CloseBracket, "]");
        }
        self.expect(TokenKind::Assign, "=");
        let body = self.function_body(false);
        self.expect(TokenKind::Semicolon, ";");
        PatternCase { arguments, path, body, span: self.span_from(start) }
    }
}
