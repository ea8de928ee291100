//! Paths and calls: `a.b[0]`, `f(x)`, `database('d').T*`. Knows which names may stand where in a path.

use crate::ast::{Call, Expr, ExprKind, Name, NameStyle, OperatorParameter};
use crate::span::Span;
use crate::token::TokenKind;

use super::{ListRule, MAX_CHAIN, Parser, Slot};

impl Parser<'_> {
    /// A primary expression with `.name`, `.call()` and `[index]` after it.
    pub(super) fn path(&mut self) -> Option<Expr> {
        let start = self.start();
        if self.is_word(0, "totable") {
            let wrapped = self.wrapped()?;
            return Some(Expr { kind: ExprKind::ToTable(wrapped), span: self.span_from(start) });
        }
        let mut object = self.primary()?;
        let mut chain = 0;
        loop {
            object = match self.kind() {
                TokenKind::Dot => {
                    self.bump();
                    self.selected(object, start)
                }
                TokenKind::OpenBracket => {
                    let index = Box::new(self.index());
                    let kind = ExprKind::Element { object: Box::new(object), index };
                    Expr { kind, span: self.span_from(start) }
                }
                _ => return Some(object),
            };
            chain += 1;
            if chain > MAX_CHAIN {
                self.give_up(format!("More than {MAX_CHAIN} steps in one path."));
                return Some(object);
            }
        }
    }

    /// What follows the dot of a path.
    pub(super) fn selected(&mut self, object: Expr, start: u32) -> Expr {
        self.seek(Slot::Member);
        let object = Box::new(object);
        let kind = if self.at_call() {
            let (name, arguments) = self.call_parts();
            ExprKind::Call(Call { object: Some(object), name, arguments })
        } else if let Some(index) = self.bracketed_wildcard() {
            ExprKind::Element { object, index: Box::new(index) }
        } else if let Some(name) = self.selector_name() {
            ExprKind::Member { object, name }
        } else if self.kind() == TokenKind::OpenBracket {
            ExprKind::Element { object, index: Box::new(self.index()) }
        } else {
            let name = self.missing_name();
            ExprKind::Member { object, name }
        };
        Expr { kind, span: self.span_from(start) }
    }

    /// A name in a path: some parameter names are names here as well, and `@` is one.
    pub(super) fn selector_name(&mut self) -> Option<Name> {
        let special =
            self.is_word(0, "kind") || self.is_word(0, "withsource") || self.is_word(0, "with_source");
        if special || self.kind() == TokenKind::At {
            return Some(self.word_name());
        }
        self.name()
    }

    /// `[expression]`; the bracket is the next token.
    fn index(&mut self) -> Expr {
        self.bump();
        let index = match self.scalar() {
            Some(index) => index,
            None => {
                self.missing_name();
                self.missing()
            }
        };
        self.expect(TokenKind::CloseBracket, "]");
        index
    }

    /// A name, `[a*]` or `[expression]` that starts a path.
    pub(super) fn selector(&mut self) -> Option<Expr> {
        if let Some(found) = self.bracketed_wildcard() {
            return Some(found);
        }
        if let Some(name) = self.selector_name() {
            return Some(Self::name_expression(name));
        }
        if self.kind() == TokenKind::OpenBracket {
            let start = self.start();
            let index = Box::new(self.index());
            // Nothing stands before the bracket: an element of no object.
            let object = Box::new(Expr { kind: ExprKind::Missing, span: Span::at(start) });
            return Some(Expr { kind: ExprKind::Element { object, index }, span: self.span_from(start) });
        }
        None
    }

    /// `source datascope=all`
    pub(super) fn with_data_scope(&mut self, source: Expr) -> Expr {
        match self.data_scope() {
            Some(parameter) => {
                let scope = match parameter.value.kind {
                    ExprKind::Name(name) => name,
                    _ => return source,
                };
                let span = source.span.to(scope.span);
                Expr { kind: ExprKind::DataScope { source: Box::new(source), scope }, span }
            }
            None => source,
        }
    }

    /// `datascope=all`
    pub(super) fn data_scope(&mut self) -> Option<OperatorParameter> {
        if !self.is_word(0, "datascope") {
            return None;
        }
        let start = self.start();
        let name = self.word_name();
        self.expect(TokenKind::Assign, "=");
        let value = if matches!(self.text_at(0), "all" | "hotcache") {
            self.word_name()
        } else {
            self.report_expected(&["all", "hotcache"]);
            Name { text: String::new(), style: NameStyle::Missing, span: Span::at(self.start()) }
        };
        let value = Self::name_expression(value);
        Some(OperatorParameter { name, value, span: self.span_from(start) })
    }

    /// True if the next tokens are `name(`.
    pub(super) fn at_call(&self) -> bool {
        let count = self.scan_name(0);
        count > 0 && self.kind_at(count) == TokenKind::OpenParen
    }

    /// `name(arguments)`; [`Self::at_call`] holds.
    pub(super) fn call(&mut self) -> Expr {
        let start = self.start();
        let (name, arguments) = self.call_parts();
        let call = Call { object: None, name, arguments };
        Expr { kind: ExprKind::Call(call), span: self.span_from(start) }
    }

    fn call_parts(&mut self) -> (Name, Vec<Expr>) {
        let name = self.required_name();
        (name, self.arguments())
    }

    fn arguments(&mut self) -> Vec<Expr> {
        self.expect(TokenKind::OpenParen, "(");
        let arguments = self.list(ListRule::ANY, Self::at_list_end, Self::argument, Self::missing_expression);
        self.expect(TokenKind::CloseParen, ")");
        arguments
    }

    fn argument(&mut self) -> Option<Expr> {
        if self.kind() == TokenKind::Star
            && matches!(self.kind_at(1), TokenKind::CloseParen | TokenKind::Comma)
        {
            return self.star();
        }
        self.named()
    }

    /// A table or a path to one, with a wildcard as its last name: `T*`, `database('x').T*`.
    pub(super) fn entity(&mut self) -> Option<Expr> {
        self.seek(Slot::Table);
        let start = self.start();
        if let Some(found) = self.wildcard() {
            return Some(found);
        }
        let mut object = if self.at_call() { self.call() } else { self.selector()? };
        let mut chain = 0;
        loop {
            object = match self.kind() {
                TokenKind::Dot => {
                    self.bump();
                    if self.scan_wildcard(0) > 0 {
                        let index = self.wildcard().unwrap_or_else(|| self.missing());
                        let kind = ExprKind::Element { object: Box::new(object), index: Box::new(index) };
                        return Some(Expr { kind, span: self.span_from(start) });
                    }
                    self.selected(object, start)
                }
                TokenKind::OpenBracket => {
                    let index = match self.bracketed_wildcard() {
                        Some(index) => index,
                        None => self.index(),
                    };
                    let kind = ExprKind::Element { object: Box::new(object), index: Box::new(index) };
                    Expr { kind, span: self.span_from(start) }
                }
                _ => return Some(object),
            };
            chain += 1;
            if chain > MAX_CHAIN {
                self.give_up(format!("More than {MAX_CHAIN} steps in one path."));
                return Some(object);
            }
        }
    }

    /// A column or a path into one, without calls: `a`, `a.b`, `a['b']`.
    pub(super) fn column_path(&mut self) -> Option<Expr> {
        self.seek(Slot::Column);
        let start = self.start();
        let mut object = self.selector()?;
        let mut chain = 0;
        loop {
            object = match self.kind() {
                TokenKind::Dot => {
                    self.bump();
                    let object = Box::new(object);
                    let kind = if let Some(index) = self.bracketed_wildcard() {
                        ExprKind::Element { object, index: Box::new(index) }
                    } else if let Some(name) = self.selector_name() {
                        ExprKind::Member { object, name }
                    } else if self.kind() == TokenKind::OpenBracket {
                        ExprKind::Element { object, index: Box::new(self.index()) }
                    } else {
                        ExprKind::Member { object, name: self.missing_name() }
                    };
                    Expr { kind, span: self.span_from(start) }
                }
                TokenKind::OpenBracket => {
                    let index = match self.bracketed_wildcard() {
                        Some(index) => index,
                        None => self.index(),
                    };
                    let kind = ExprKind::Element { object: Box::new(object), index: Box::new(index) };
                    Expr { kind, span: self.span_from(start) }
                }
                _ => return Some(object),
            };
            chain += 1;
            if chain > MAX_CHAIN {
                self.give_up(format!("More than {MAX_CHAIN} steps in one path."));
                return Some(object);
            }
        }
    }

    pub(super) fn required_column_path(&mut self) -> Expr {
        match self.column_path() {
            Some(found) => found,
            None => self.required_name_reference(),
        }
    }
}
