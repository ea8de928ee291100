//! Hover help: what the word at a place is.

use crate::bind::notes::{self, Notes, Use};
use crate::catalog::Catalog;
use crate::function::FunctionId;
use crate::lexer::lex;
use crate::operator;
use crate::plugin::Plugin;
use crate::span::Span;
use crate::token::{Token, TokenKind};
use crate::types::Type;

use super::completion::{BINDER_FUNCTIONS, GRAPH_FUNCTIONS, INFIX, TABLE_FUNCTIONS};
use super::{documentation, position, symbol};

/// Help for a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hover {
    /// The word it is about.
    pub span: Span,
    pub markdown: String,
}

/// What there is to say about the word at a byte offset.
pub fn hover(text: &str, offset: usize, catalog: &dyn Catalog) -> Option<Hover> {
    let offset = position::floor(text, offset);
    let (span, name) = symbol::name_at(text, offset)?;
    let tokens: Vec<Token> = lex(text).into_iter().filter(|token| !token.kind.is_trivia()).collect();
    let at = tokens.iter().position(|token| token.span.start == span.start)?;
    let markdown = about_operator(text, &tokens, at)
        .or_else(|| {
            let parsed = crate::parse(text);
            let notes = notes::annotate(&parsed.query, text, catalog, None);
            about_name(&notes, span, &name)
                .or_else(|| about_parameter(text, &notes, &tokens, at))
                .or_else(|| about_column(&notes, span, &name))
        })
        .or_else(|| about_word(&tokens, at, &name))?;
    Some(Hover { span, markdown })
}

/// The keyword of an operator: after a pipe or at the start of a query.
fn about_operator(text: &str, tokens: &[Token], at: usize) -> Option<String> {
    use TokenKind::{Assign, OpenBrace, OpenParen, Pipe, Semicolon};
    let found = operator::by_name(tokens[at].text(text))?;
    let before = at.checked_sub(1).map(|before| tokens[before].kind);
    let after = tokens.get(at + 1).map(|after| after.kind);
    let fits = match before {
        Some(Pipe) => found.may_follow_pipe(),
        None | Some(Semicolon) => found.may_lead(),
        // Sources of bodies, and subqueries.
        Some(OpenParen | OpenBrace | Assign) => after != Some(OpenParen) || found.may_lead(),
        _ => false,
    };
    (fits && after != Some(Assign)).then(|| documentation::of_operator(found))
}

fn code(text: &str) -> String {
    format!("```kusto\n{text}\n```")
}

fn about_name(notes: &Notes, span: Span, name: &str) -> Option<String> {
    Some(match notes.use_at(span)? {
        Use::Column(ty) => format!("{}\n\nColumn", code(&format!("{name}: {ty}"))),
        Use::Variable(ty) => format!("{}\n\nValue", code(&format!("{name}: {ty}"))),
        Use::Relation(schema) => format!("{}\n\nTabular value", code(&long_schema(name, schema))),
        Use::Table { database, schema } => {
            format!("{}\n\nTable of database `{database}`", code(&long_schema(name, schema)))
        }
        Use::Function(function) => documentation::of_function(*function),
        Use::LocalFunction(parameters) => {
            format!("{}\n\nFunction of this text", code(&format!("{name}{parameters}")))
        }
        Use::StoredFunction { database, parameters } => {
            format!("{}\n\nStored function of database `{database}`", code(&format!("{name}{parameters}")))
        }
        Use::Database => format!("{}\n\nDatabase", code(name)),
        Use::Graph(nodes, edges) => format!(
            "{}\n\nGraph",
            code(&format!("{}\n{}", long_schema("nodes", nodes), long_schema("edges", edges)))
        ),
        Use::GraphElement(schema) => {
            format!("{}\n\nElement of a graph pattern", code(&long_schema(name, schema)))
        }
    })
}

/// A column a line.
fn long_schema(name: &str, schema: &crate::types::Schema) -> String {
    let columns: Vec<String> = schema
        .iter()
        .map(|column| format!("    {}: {}", super::quoted_name(&column.name), column.ty))
        .collect();
    format!("{} (\n{}\n)", super::quoted_name(name), columns.join(",\n"))
}

/// `kind=…` of an operator.
fn about_parameter(text: &str, notes: &Notes, tokens: &[Token], at: usize) -> Option<String> {
    let assigned = tokens.get(at + 1).is_some_and(|next| next.kind == TokenKind::Assign);
    if !assigned {
        return None;
    }
    let start = tokens[at].span.start;
    let operator = notes
        .inputs
        .iter()
        .filter(|(span, _)| span.start <= start && start < span.end)
        .min_by_key(|(span, _)| span.len())
        .and_then(|(span, _)| {
            let keyword = tokens.iter().find(|token| token.span.start == span.start)?;
            operator::by_name(keyword.text(text))
        })?;
    let name = tokens[at].text(text);
    let parameter = operator.parameter(name).or_else(|| operator.property(name))?;
    Some(format!(
        "{}\n\n{}",
        code(&format!("{name}={}", documentation::parameter_values(parameter))),
        parameter.summary
    ))
}

/// A name that operators such as `project-away` look up by themselves.
fn about_column(notes: &Notes, span: Span, name: &str) -> Option<String> {
    let column = notes.input_at(span.start)?.iter().find(|column| column.name == name)?;
    Some(format!("{}\n\nColumn", code(&format!("{name}: {}", column.ty))))
}

/// Words whose meaning does not hang on the catalog.
fn about_word(tokens: &[Token], at: usize, name: &str) -> Option<String> {
    let called = tokens.get(at + 1).is_some_and(|next| next.kind == TokenKind::OpenParen);
    if called {
        let found = BINDER_FUNCTIONS
            .iter()
            .chain(TABLE_FUNCTIONS)
            .chain(GRAPH_FUNCTIONS)
            .find(|(known, _, _)| *known == name);
        if let Some((_, signature, summary)) = found {
            return Some(format!("{}\n\n{summary}", code(&format!("{name}{signature}"))));
        }
        if let Some(plugin) = Plugin::by_name(name) {
            return Some(documentation::of_plugin(plugin));
        }
        if let Some(function) = FunctionId::by_name(name) {
            return Some(documentation::of_function(function));
        }
    }
    if let Some((word, _, summary)) = INFIX.iter().find(|(word, _, _)| *word == name) {
        return Some(format!("{}\n\nTrue if the left side: {summary}.", code(word)));
    }
    let ty = Type::from_name(name)?;
    Some(format!("{}\n\nType", code(ty.name())))
}
