//! What a text declares, and where each name is used: outline, definition, rename.

use crate::ast::{FunctionBody, LetValue, Parameter, ParameterKind, Query, Statement, StatementKind};
use crate::bind::notes::{self, Use};
use crate::catalog::Catalog;
use crate::lexer::lex;
use crate::span::Span;
use crate::token::TokenKind;

/// What is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeclarationKind {
    Value,
    Function,
    Parameter,
    QueryParameter,
    Pattern,
    Database,
}

impl DeclarationKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            DeclarationKind::Value => "let",
            DeclarationKind::Function => "function",
            DeclarationKind::Parameter => "parameter",
            DeclarationKind::QueryParameter => "query parameter",
            DeclarationKind::Pattern => "pattern",
            DeclarationKind::Database => "database",
        }
    }
}

/// A name that the text declares.
#[derive(Clone, Debug, PartialEq)]
pub struct Declaration {
    pub name: String,
    pub kind: DeclarationKind,
    /// The name.
    pub span: Span,
    /// The statement or parameter.
    pub full: Span,
    /// Where the name holds.
    pub scope: Span,
    /// Of a function, as written: `(a: long)`.
    pub parameters: Option<String>,
}

/// Everything a query declares, in the order of the text.
pub fn declarations(query: &Query) -> Vec<Declaration> {
    let mut found = Vec::new();
    collect(&query.statements, Span::new(0, u32::MAX), 0, &mut found);
    found.sort_by_key(|declaration| declaration.span.start);
    found
}

fn collect(statements: &[Statement], block: Span, depth: usize, found: &mut Vec<Declaration>) {
    if depth > 100 {
        return;
    }
    for statement in statements {
        let mut add = |name: &crate::ast::Name, kind, scope, parameters| {
            if !name.text.is_empty() {
                let full = statement.span;
                found.push(Declaration {
                    name: name.text.clone(),
                    kind,
                    span: name.span,
                    full,
                    scope,
                    parameters,
                });
            }
        };
        let scope = Span::new(statement.span.end, block.end);
        match &statement.kind {
            StatementKind::Let(statement) => match &statement.value {
                LetValue::Expression(_) => add(&statement.name, DeclarationKind::Value, scope, None),
                LetValue::Function(function) => {
                    let texts: Vec<String> =
                        function.parameters.iter().map(|parameter| parameter.to_string()).collect();
                    let parameters = Some(format!("({})", texts.join(", ")));
                    add(&statement.name, DeclarationKind::Function, scope, parameters);
                    parameters_of(&function.parameters, DeclarationKind::Parameter, function.span, found);
                    body(&function.body, depth, found);
                }
            },
            StatementKind::DeclareQueryParameters(parameters) => {
                parameters_of(parameters, DeclarationKind::QueryParameter, scope, found);
            }
            StatementKind::DeclarePattern(pattern) => {
                add(&pattern.name, DeclarationKind::Pattern, scope, None)
            }
            StatementKind::Alias(alias) => add(&alias.name, DeclarationKind::Database, scope, None),
            StatementKind::Set(_) | StatementKind::Restrict(_) | StatementKind::Expression(_) => {}
        }
    }
}

fn body(body: &FunctionBody, depth: usize, found: &mut Vec<Declaration>) {
    collect(&body.statements, body.span, depth + 1, found);
}

fn parameters_of(parameters: &[Parameter], kind: DeclarationKind, scope: Span, found: &mut Vec<Declaration>) {
    for parameter in parameters {
        if parameter.name.text.is_empty() {
            continue;
        }
        let parameters = match &parameter.kind {
            ParameterKind::Scalar(_) | ParameterKind::Tabular(_) => None,
        };
        found.push(Declaration {
            name: parameter.name.text.clone(),
            kind,
            span: parameter.name.span,
            full: parameter.span,
            scope,
            parameters,
        });
    }
}

/// The name at an offset: its span with brackets, and its text without.
pub(super) fn name_at(text: &str, offset: usize) -> Option<(Span, String)> {
    names(text).into_iter().find(|(span, _)| (span.start as usize) <= offset && offset <= span.end as usize)
}

/// All names of a text, bracketed ones among them, and keywords that may be names.
fn names(text: &str) -> Vec<(Span, String)> {
    let tokens: Vec<_> = lex(text).into_iter().filter(|token| !token.kind.is_trivia()).collect();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token.kind {
            TokenKind::Identifier | TokenKind::Keyword(_) => {
                found.push((token.span, token.text(text).to_string()))
            }
            TokenKind::OpenBracket => {
                let (inner, close) = (tokens.get(at + 1), tokens.get(at + 2));
                if let (Some(inner), Some(close)) = (inner, close)
                    && inner.kind == TokenKind::String
                    && close.kind == TokenKind::CloseBracket
                {
                    let name = crate::lexer::decode_string(inner.text(text)).0;
                    found.push((token.span.to(close.span), name));
                    at += 2;
                }
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// The declaration that the name at a byte offset refers to, or is.
pub fn definition(text: &str, offset: usize, catalog: &dyn Catalog) -> Option<Declaration> {
    let parsed = crate::parse(text);
    let (span, name) = name_at(text, offset)?;
    let declared = declarations(&parsed.query);
    if let Some(found) = declared.iter().find(|declaration| declaration.span == span) {
        return Some(found.clone());
    }
    let notes = notes::annotate(&parsed.query, text, catalog, None);
    resolve(&declared, &notes, span, &name).cloned()
}

fn resolve<'d>(
    declared: &'d [Declaration],
    notes: &notes::Notes,
    span: Span,
    name: &str,
) -> Option<&'d Declaration> {
    if matches!(notes.use_at(span), Some(Use::Column(_) | Use::Function(_) | Use::Table { .. })) {
        return None;
    }
    declared
        .iter()
        .filter(|declaration| {
            declaration.name == name
                && declaration.scope.start <= span.start
                && span.end <= declaration.scope.end
        })
        .max_by_key(|declaration| declaration.scope.start.max(declaration.span.start))
}

/// All places of the declared name at a byte offset, its declaration first.
pub fn references(text: &str, offset: usize, catalog: &dyn Catalog) -> Vec<Span> {
    let Some(declaration) = definition(text, offset, catalog) else { return Vec::new() };
    let parsed = crate::parse(text);
    let declared = declarations(&parsed.query);
    let notes = notes::annotate(&parsed.query, text, catalog, None);
    let mut found = vec![declaration.span];
    for (span, name) in names(text) {
        // What the binder did not see as a name (`count`, a property) is none.
        let used = notes.use_at(span).is_some() && !declared.iter().any(|other| other.span == span);
        if name == declaration.name && used && resolve(&declared, &notes, span, &name) == Some(&declaration) {
            found.push(span);
        }
    }
    found
}
