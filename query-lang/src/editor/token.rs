//! What each token of a text is, for colouring.

use crate::bind::notes::{self, Use};
use crate::catalog::Catalog;
use crate::lexer::lex;
use crate::operator;
use crate::span::Span;
use crate::token::{Token, TokenKind};
use crate::types::Type;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Classification {
    Comment,
    Directive,
    String,
    Number,
    /// `true`, `datetime(…)` and other literals of a type.
    Literal,
    Keyword,
    /// The keyword of an operator of a pipeline.
    QueryOperator,
    /// A symbol or word between operands.
    Operator,
    Punctuation,
    Type,
    Column,
    Table,
    /// A scalar name of the text.
    Variable,
    Function,
    Aggregate,
    Plugin,
    /// A parameter of an operator or the name of an argument.
    Parameter,
    Database,
    /// A name that nothing is known of.
    Name,
    Bad,
}

impl Classification {
    /// All of them.
    pub const ALL: &'static [Classification] = &[
        Classification::Comment,
        Classification::Directive,
        Classification::String,
        Classification::Number,
        Classification::Literal,
        Classification::Keyword,
        Classification::QueryOperator,
        Classification::Operator,
        Classification::Punctuation,
        Classification::Type,
        Classification::Column,
        Classification::Table,
        Classification::Variable,
        Classification::Function,
        Classification::Aggregate,
        Classification::Plugin,
        Classification::Parameter,
        Classification::Database,
        Classification::Name,
        Classification::Bad,
    ];

    /// The name in answers to editors.
    pub const fn as_str(self) -> &'static str {
        match self {
            Classification::Comment => "comment",
            Classification::Directive => "directive",
            Classification::String => "string",
            Classification::Number => "number",
            Classification::Literal => "literal",
            Classification::Keyword => "keyword",
            Classification::QueryOperator => "queryOperator",
            Classification::Operator => "operator",
            Classification::Punctuation => "punctuation",
            Classification::Type => "type",
            Classification::Column => "column",
            Classification::Table => "table",
            Classification::Variable => "variable",
            Classification::Function => "function",
            Classification::Aggregate => "aggregate",
            Classification::Plugin => "plugin",
            Classification::Parameter => "parameter",
            Classification::Database => "database",
            Classification::Name => "name",
            Classification::Bad => "bad",
        }
    }
}

/// A token of the text; white space has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassifiedToken {
    pub span: Span,
    pub kind: Classification,
}

/// Every token of a text but white space, in order.
pub fn classify(text: &str, catalog: &dyn Catalog) -> Vec<ClassifiedToken> {
    let parsed = crate::parse(text);
    let notes = notes::annotate(&parsed.query, text, catalog, None);
    let uses: std::collections::HashMap<u32, &Use> =
        notes.uses.iter().map(|(span, found)| (span.start, found)).collect();
    let tokens: Vec<Token> = lex(text);
    let solid: Vec<Token> = tokens.iter().copied().filter(|token| !token.kind.is_trivia()).collect();
    let mut at = 0;
    let mut found = Vec::with_capacity(tokens.len());
    for token in tokens {
        if token.kind == TokenKind::Whitespace || token.span.is_empty() {
            continue;
        }
        let kind = if token.kind == TokenKind::Comment {
            Classification::Comment
        } else {
            let kind = classification(text, &solid, at, &uses, &notes);
            at += 1;
            kind
        };
        found.push(ClassifiedToken { span: token.span, kind });
    }
    found
}

fn classification(
    text: &str,
    tokens: &[Token],
    at: usize,
    uses: &std::collections::HashMap<u32, &Use>,
    notes: &notes::Notes,
) -> Classification {
    use TokenKind as T;
    let token = tokens[at];
    let before = at.checked_sub(1).map(|before| tokens[before]);
    let after = tokens.get(at + 1);
    let is_after = |kind: T| after.is_some_and(|after| after.kind == kind);
    match token.kind {
        T::Comment => Classification::Comment,
        T::Directive => Classification::Directive,
        T::String => {
            // The name between brackets.
            let bracket = before.filter(|before| before.kind == T::OpenBracket);
            match bracket.and_then(|bracket| uses.get(&bracket.span.start)) {
                Some(found) => of_use(found),
                None => Classification::String,
            }
        }
        T::Long | T::Int | T::Real | T::Decimal => Classification::Number,
        T::Bool | T::Datetime | T::Timespan | T::Guid | T::RawGuid => Classification::Literal,
        T::Bad => Classification::Bad,
        T::Identifier | T::Keyword(_) => {
            let word = token.text(text);
            if let Some(found) = uses.get(&token.span.start) {
                return of_use(found);
            }
            let is_keyword = token.kind.is_keyword();
            let starts = matches!(
                before.map(|before| before.kind),
                None | Some(T::Pipe | T::Semicolon | T::OpenParen | T::OpenBrace | T::Assign)
            );
            if is_keyword && starts && operator::by_name(word).is_some() && !is_after(T::Assign) {
                return Classification::QueryOperator;
            }
            if before.is_some_and(|before| before.text(text) == "evaluate") && is_after(T::OpenParen) {
                return Classification::Plugin;
            }
            if is_after(T::Assign) && (is_keyword || operator_parameter(text, word, tokens, at)) {
                return Classification::Parameter;
            }
            if super::completion::INFIX.iter().any(|(infix, _, _)| *infix == word) {
                return Classification::Operator;
            }
            let typed = before.is_some_and(|before| before.kind == T::Colon)
                || before.is_some_and(|before| before.kind == T::OpenParen)
                    && at >= 2
                    && tokens[at - 2].text(text) == "typeof";
            if Type::from_name(word).is_some() && (is_keyword || typed) {
                return Classification::Type;
            }
            if is_after(T::OpenParen) && !is_keyword {
                return Classification::Function;
            }
            if is_keyword {
                return Classification::Keyword;
            }
            let column = notes
                .input_at(token.span.start)
                .is_some_and(|schema| schema.iter().any(|column| column.name == word));
            if column { Classification::Column } else { Classification::Name }
        }
        T::Plus
        | T::Minus
        | T::Star
        | T::Slash
        | T::Percent
        | T::Less
        | T::LessEqual
        | T::Greater
        | T::GreaterEqual
        | T::Assign
        | T::Equal
        | T::NotEqual
        | T::EqualTilde
        | T::BangTilde
        | T::FatArrow
        | T::DotDot
        | T::Bang => Classification::Operator,
        _ => Classification::Punctuation,
    }
}

/// Whether a word is a parameter of the operator it stands in.
fn operator_parameter(text: &str, word: &str, tokens: &[Token], at: usize) -> bool {
    let keyword = tokens[..at]
        .iter()
        .rev()
        .find(|token| token.kind.is_keyword() && operator::by_name(token.text(text)).is_some());
    keyword
        .and_then(|keyword| operator::by_name(keyword.text(text)))
        .is_some_and(|operator| operator.parameter(word).is_some() || operator.property(word).is_some())
}

fn of_use(found: &Use) -> Classification {
    match found {
        Use::Column(_) => Classification::Column,
        Use::Variable(_) | Use::GraphElement(_) => Classification::Variable,
        Use::Relation(_) | Use::Table { .. } | Use::Graph(..) => Classification::Table,
        Use::Function(crate::function::FunctionId::Aggregate(_)) => Classification::Aggregate,
        Use::Function(_) | Use::LocalFunction(_) | Use::StoredFunction { .. } => Classification::Function,
        Use::Database => Classification::Database,
    }
}
