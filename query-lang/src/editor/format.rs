//! Formatting: one operator a line, bodies and subqueries indented, long lists an item a line, comments kept.
//!
//! Works on tokens, so that nothing that is written gets lost; what it changes is white space alone. Layout follows from
//! the tokens and not from the white space there was, but for names glued to what is beside them; formatting twice is
//! formatting once. A text that breaks the grammar stays as it is.

use crate::lexer::lex;
use crate::operator::{self, OperatorSpec};
use crate::token::TokenKind;

/// Lines are at most so many characters long where they can be broken.
const WIDTH: usize = 100;
/// Subqueries up to this length stay in their line.
const INLINE_QUERY: usize = 40;
const INDENT: usize = 4;

/// The text in the form of the house. The syntax tree is the same, spans apart.
pub fn format(text: &str) -> String {
    let before = crate::parse(text);
    if before.has_errors() || text.trim().is_empty() || text.trim_start().starts_with('.') {
        return text.to_string();
    }
    let formatted = Formatter::new(text).run();
    // White space means something in a few corners of the grammar: rather unformatted than changed.
    let after = crate::parse(&formatted);
    if after.has_errors() || after.query.to_string() != before.query.to_string() {
        return text.to_string();
    }
    formatted
}

/// A token with the comments around it.
struct Piece<'a> {
    text: &'a str,
    kind: TokenKind,
    /// Nothing stands between it and the token before.
    glued: bool,
    /// Comments on lines of their own before it.
    above: Vec<&'a str>,
    /// A comment after it on its line.
    beside: Option<&'a str>,
    /// An empty line stands before it.
    apart: bool,
}

#[derive(Debug)]
enum Node {
    Leaf(usize),
    Group { open: usize, inner: Vec<Node>, close: usize },
}

impl Node {
    fn first(&self) -> usize {
        match self {
            Node::Leaf(at) => *at,
            Node::Group { open, .. } => *open,
        }
    }
}

type Context = Option<&'static OperatorSpec>;

struct Formatter<'a> {
    pieces: Vec<Piece<'a>>,
    /// Comments after the last token.
    end: Vec<&'a str>,
    out: String,
    last: Option<usize>,
    /// The indentation of a line that is to begin before the next token.
    pending: Option<usize>,
    /// A comment ends the line.
    ended: bool,
    /// The indentation of the line, those that continue it apart.
    base: usize,
}

impl<'a> Formatter<'a> {
    fn new(text: &'a str) -> Self {
        let (pieces, end) = pieces(text);
        Formatter { pieces, end, out: String::new(), last: None, pending: None, ended: false, base: 0 }
    }

    fn run(mut self) -> String {
        let mut at = 0;
        let nodes = self.tree(&mut at, None);
        self.block(&nodes, 0);
        for comment in std::mem::take(&mut self.end) {
            if !self.out.is_empty() {
                self.out.push('\n');
            }
            self.out.push_str(comment);
        }
        self.out.push('\n');
        self.out
    }

    fn tree(&self, at: &mut usize, close: Option<TokenKind>) -> Vec<Node> {
        use TokenKind::{CloseBrace, CloseBracket, CloseParen, OpenBrace, OpenBracket, OpenParen};
        let mut nodes = Vec::new();
        while let Some(piece) = self.pieces.get(*at) {
            if Some(piece.kind) == close {
                break;
            }
            let end = match piece.kind {
                OpenParen => CloseParen,
                OpenBracket => CloseBracket,
                OpenBrace => CloseBrace,
                _ => {
                    nodes.push(Node::Leaf(*at));
                    *at += 1;
                    continue;
                }
            };
            let open = *at;
            *at += 1;
            let inner = self.tree(at, Some(end));
            if *at < self.pieces.len() {
                nodes.push(Node::Group { open, inner, close: *at });
                *at += 1;
            } else {
                // Not closed: the text has errors and is not formatted.
                nodes.push(Node::Leaf(open));
                nodes.extend(inner);
            }
        }
        nodes
    }

    fn kind(&self, node: &Node) -> Option<TokenKind> {
        match node {
            Node::Leaf(at) => Some(self.pieces[*at].kind),
            Node::Group { .. } => None,
        }
    }

    fn is(&self, node: &Node, kind: TokenKind) -> bool {
        self.kind(node) == Some(kind)
    }

    fn word(&self, node: &Node) -> &'a str {
        match node {
            Node::Leaf(at) => self.pieces[*at].text,
            Node::Group { .. } => "",
        }
    }

    /// The parts between separators, each with the separator after it.
    fn split<'n>(&self, nodes: &'n [Node], kind: TokenKind) -> Vec<(&'n [Node], Option<&'n Node>)> {
        let mut parts = Vec::new();
        let mut start = 0;
        for (at, node) in nodes.iter().enumerate() {
            if self.is(node, kind) {
                parts.push((&nodes[start..at], Some(node)));
                start = at + 1;
            }
        }
        if start < nodes.len() || parts.is_empty() {
            parts.push((&nodes[start..], None));
        }
        parts
    }

    fn has(&self, nodes: &[Node], kind: TokenKind) -> bool {
        nodes.iter().any(|node| self.is(node, kind))
    }

    /// Statements.
    fn block(&mut self, nodes: &[Node], indent: usize) {
        // Directives stand on lines of their own.
        let directives = nodes.iter().take_while(|node| self.is(node, TokenKind::Directive)).count();
        for node in &nodes[..directives] {
            self.leaf(node.first(), None);
            self.newline(indent);
        }
        let statements = self.split(&nodes[directives..], TokenKind::Semicolon);
        for (number, (statement, separator)) in statements.into_iter().enumerate() {
            if number > 0 {
                self.newline(indent);
                if let Some(first) = statement.first()
                    && self.pieces[first.first()].apart
                {
                    self.out.push('\n');
                }
            }
            self.pipeline(statement, indent);
            if let Some(separator) = separator {
                self.leaf(separator.first(), None);
            }
        }
    }

    fn pipeline(&mut self, nodes: &[Node], indent: usize) {
        let declares = nodes.first().is_some_and(|first| self.word(first) == "let");
        let inner = if declares { indent + INDENT } else { indent };
        for (number, (stage, pipe)) in self.split(nodes, TokenKind::Pipe).into_iter().enumerate() {
            if number > 0 {
                self.base = inner;
            }
            self.stage(stage);
            if let Some(pipe) = pipe {
                self.newline(inner);
                self.leaf(pipe.first(), None);
            }
        }
    }

    fn context_of(&self, stage: &[Node]) -> Context {
        stage.first().and_then(|first| operator::by_name(self.word(first)))
    }

    /// What stands between two pipes.
    fn stage(&mut self, nodes: &[Node]) {
        let context = self.context_of(nodes);
        if self.fits(nodes, context) {
            self.nodes(nodes, context);
            return;
        }
        let keyword = nodes.first().map_or("", |first| self.word(first));
        let sequential = matches!(
            keyword,
            "join"
                | "lookup"
                | "let"
                | "scan"
                | "mv-apply"
                | "partition"
                | "parse"
                | "parse-where"
                | "parse-kv"
                | "render"
                | "declare"
                | "set"
                | "evaluate"
                | "invoke"
                | "find"
                | "search"
        ) || context.is_none();
        if !sequential && self.has(nodes, TokenKind::Comma) {
            self.list_stage(nodes, context);
        } else if keyword == "where" || keyword == "filter" {
            self.conditions(nodes, context);
        } else {
            self.nodes(nodes, context);
        }
    }

    /// `keyword` and its items a line each; what comes with `by` on lines of its own.
    fn list_stage(&mut self, nodes: &[Node], context: Context) {
        let base = self.base;
        self.node(&nodes[0], context);
        let mut rest = &nodes[1..];
        if self.word(&nodes[0]) != "sort" && self.word(&nodes[0]) != "order" {
            let by = rest.iter().position(|node| self.word(node) == "by");
            let (items, keys) = rest.split_at(by.unwrap_or(rest.len()));
            if !items.is_empty() {
                self.newline(base + INDENT);
                self.items(items, base + INDENT, context);
            }
            rest = keys;
            if !rest.is_empty() {
                self.newline(base + 2);
            }
        }
        let Some((by, keys)) = rest.split_first() else { return };
        self.node(by, context);
        if self.fits(keys, context) {
            self.nodes(keys, context);
        } else {
            self.newline(base + INDENT);
            self.items(keys, base + INDENT, context);
        }
        self.base = base;
    }

    /// Items with a comma after each, a line each.
    fn items(&mut self, nodes: &[Node], indent: usize, context: Context) {
        let base = std::mem::replace(&mut self.base, indent);
        for (number, (item, comma)) in self.split(nodes, TokenKind::Comma).into_iter().enumerate() {
            if number > 0 {
                self.newline(indent);
            }
            self.nodes(item, context);
            if let Some(comma) = comma {
                self.leaf(comma.first(), context);
            }
        }
        self.base = base;
    }

    /// A long predicate: each `and` or `or` begins a line.
    fn conditions(&mut self, nodes: &[Node], context: Context) {
        let indent = self.base + INDENT;
        for node in nodes {
            if matches!(self.word(node), "and" | "or") {
                self.newline(indent);
            }
            self.node(node, context);
        }
    }

    fn nodes(&mut self, nodes: &[Node], context: Context) {
        for node in nodes {
            self.node(node, context);
        }
    }

    fn node(&mut self, node: &Node, context: Context) {
        match node {
            Node::Leaf(at) => self.leaf(*at, context),
            Node::Group { open, inner, close } => {
                if self.fits(std::slice::from_ref(node), context) || inner.is_empty() && !self.commented(node)
                {
                    self.leaf(*open, context);
                    self.flat(inner, context);
                    self.leaf(*close, context);
                } else {
                    self.broken(*open, inner, *close, context);
                }
            }
        }
    }

    /// The contents of brackets on lines of their own.
    fn broken(&mut self, open: usize, inner: &[Node], close: usize, context: Context) {
        let base = self.base;
        let indent = base + INDENT;
        let columns = self.columns_before(open);
        self.leaf(open, context);
        self.newline(indent);
        self.base = indent;
        if self.has(inner, TokenKind::Semicolon) || self.has(inner, TokenKind::Pipe) {
            self.block(inner, indent);
        } else if self.has(inner, TokenKind::Comma) {
            match columns {
                Some(columns) => self.rows(inner, columns, indent),
                None => self.items(inner, indent, context),
            }
        } else {
            self.stage(inner);
        }
        self.base = base;
        self.newline(base);
        self.leaf(close, context);
    }

    /// The number of columns of the `datatable` whose values begin at a bracket.
    fn columns_before(&self, open: usize) -> Option<usize> {
        use TokenKind::{CloseParen, Colon, OpenBracket, OpenParen};
        if self.pieces[open].kind != OpenBracket || open == 0 || self.pieces[open - 1].kind != CloseParen {
            return None;
        }
        let start = self.pieces[..open].iter().rposition(|piece| piece.kind == OpenParen)?;
        let keyword = start.checked_sub(1).map(|at| self.pieces[at].text)?;
        let columns = self.pieces[start..open].iter().filter(|piece| piece.kind == Colon).count();
        (keyword == "datatable" && columns > 0).then_some(columns)
    }

    /// The values of a `datatable`, a row a line.
    fn rows(&mut self, nodes: &[Node], columns: usize, indent: usize) {
        for (number, (value, comma)) in self.split(nodes, TokenKind::Comma).into_iter().enumerate() {
            if number > 0 && number % columns == 0 {
                self.newline(indent);
            }
            self.nodes(value, None);
            if let Some(comma) = comma {
                self.leaf(comma.first(), None);
            }
        }
    }

    /// Everything in the line.
    fn flat(&mut self, nodes: &[Node], context: Context) {
        let mut context = context;
        let mut at_start = false;
        for node in nodes {
            if at_start {
                context = operator::by_name(self.word(node));
            }
            at_start = matches!(self.kind(node), Some(TokenKind::Pipe));
            match node {
                Node::Leaf(at) => self.leaf(*at, context),
                Node::Group { open, inner, close } => {
                    self.leaf(*open, context);
                    self.flat(inner, context);
                    self.leaf(*close, context);
                }
            }
        }
    }

    /// Whether nodes can stand in the rest of the line.
    fn fits(&self, nodes: &[Node], context: Context) -> bool {
        if nodes.iter().any(|node| self.commented(node) || self.must_break(node)) {
            return false;
        }
        let column = match self.pending {
            Some(indent) => indent,
            None => self.out.len() - self.out.rfind('\n').map_or(0, |at| at + 1),
        };
        column + self.width(nodes, context) <= WIDTH
    }

    /// The width of nodes in one line, at most a little more than fits.
    fn width(&self, nodes: &[Node], context: Context) -> usize {
        let mut width = 0;
        let mut stack: Vec<(usize, usize)> = Vec::new();
        let range = |node: &Node| match node {
            Node::Leaf(at) => (*at, *at),
            Node::Group { open, close, .. } => (*open, *close),
        };
        if let (Some(first), Some(last)) = (nodes.first(), nodes.last()) {
            stack.push((range(first).0, range(last).1));
        }
        for (start, end) in stack {
            for at in start..=end {
                if at > 0 && self.gap(at - 1, at, context) {
                    width += 1;
                }
                width += self.pieces[at].text.chars().count();
                if width > WIDTH {
                    return width;
                }
            }
        }
        width
    }

    /// Whether comments stand within a node, after its last token apart.
    fn commented(&self, node: &Node) -> bool {
        match node {
            Node::Leaf(at) => {
                let piece = &self.pieces[*at];
                !piece.above.is_empty() || piece.beside.is_some()
            }
            Node::Group { open, close, .. } => (*open..=*close).any(|at| {
                let piece = &self.pieces[at];
                !piece.above.is_empty() || piece.beside.is_some()
            }),
        }
    }

    /// Whether brackets hold what has lines of its own.
    fn must_break(&self, node: &Node) -> bool {
        let Node::Group { inner, .. } = node else { return false };
        if self.has(inner, TokenKind::Semicolon) {
            return true;
        }
        if self.has(inner, TokenKind::Pipe) && self.width(std::slice::from_ref(node), None) > INLINE_QUERY {
            return true;
        }
        inner.iter().any(|node| self.must_break(node))
    }

    fn newline(&mut self, indent: usize) {
        self.pending = Some(indent);
    }

    fn break_line(&mut self, indent: usize) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        self.out.extend(std::iter::repeat_n(' ', indent));
    }

    /// Writes a token with its comments.
    fn leaf(&mut self, at: usize, context: Context) {
        let continued = self.base + INDENT;
        let above = std::mem::take(&mut self.pieces[at].above);
        if !above.is_empty() {
            let indent = self.pending.unwrap_or(if self.out.is_empty() { 0 } else { continued });
            for comment in &above {
                self.break_line(indent);
                self.out.push_str(comment);
            }
            self.pending = Some(indent);
            self.ended = false;
        }
        match self.pending.take() {
            Some(indent) => {
                self.break_line(indent);
            }
            None if self.ended => self.break_line(continued),
            None => {
                if let Some(last) = self.last
                    && self.gap(last, at, context)
                {
                    self.out.push(' ');
                }
            }
        }
        self.ended = false;
        self.out.push_str(self.pieces[at].text);
        self.last = Some(at);
        if let Some(comment) = self.pieces[at].beside.take() {
            self.out.push(' ');
            self.out.push_str(comment);
            self.ended = true;
        }
    }

    /// Whether a blank stands between two neighbours on a line.
    fn gap(&self, left: usize, right: usize, context: Context) -> bool {
        use TokenKind::*;
        let (a, b) = (&self.pieces[left], &self.pieces[right]);
        let as_written = !b.glued;
        let graph = context.is_some_and(|operator| operator.name.contains("graph"));
        let is_word = |piece: &Piece<'_>| piece.kind == Identifier || piece.kind.is_keyword();
        match (a.kind, b.kind) {
            (_, Comma | Semicolon) => false,
            (Comma | Semicolon | Pipe, _) | (_, Pipe) => true,
            (OpenBrace, _) => self.spaced_brace(left + 1, context),
            (_, CloseBrace) => self.spaced_brace(right, context),
            (OpenParen | OpenBracket, _) | (_, CloseParen | CloseBracket) => false,
            _ if graph && !is_word(a) && !is_word(b) => as_written,
            (Dot, _) | (_, Dot) => false,
            (DotDot, _) | (_, DotDot) => !self.glued_range(if a.kind == DotDot { left } else { right }),
            (Colon, _) | (_, Colon) => as_written,
            (_, OpenBrace) => as_written || a.kind == CloseParen,
            (_, OpenParen) if is_word(a) => as_written || takes_list(a.text),
            (_, OpenBracket) => as_written,
            (Assign, _) => !self.is_parameter(left, context),
            (_, Assign) => !self.is_parameter(right, context),
            (Equal | NotEqual | LessEqual | GreaterEqual | EqualTilde | BangTilde | FatArrow, _)
            | (_, Equal | NotEqual | LessEqual | GreaterEqual | EqualTilde | BangTilde | FatArrow) => true,
            (Plus | Minus, _) if self.is_sign(left) => as_written && graph,
            (Star, _) | (_, Star) => as_written,
            (Plus | Minus | Slash | Percent | Less | Greater, _)
            | (_, Plus | Minus | Slash | Percent | Less | Greater) => {
                if graph {
                    as_written
                } else {
                    true
                }
            }
            (CloseParen | CloseBracket | CloseBrace | String, _) if is_word(b) => true,
            _ => as_written,
        }
    }

    /// Whether blanks stand inside of braces: those of a body have some, those of a name or of JSON none.
    fn spaced_brace(&self, inside: usize, _context: Context) -> bool {
        let first = match self.pieces[inside].kind {
            // From the closing brace back to the opening one.
            TokenKind::CloseBrace => {
                let mut depth = 0_u32;
                let open = (0..inside).rev().find(|at| match self.pieces[*at].kind {
                    TokenKind::CloseBrace => {
                        depth += 1;
                        false
                    }
                    TokenKind::OpenBrace if depth > 0 => {
                        depth -= 1;
                        false
                    }
                    kind => kind == TokenKind::OpenBrace,
                });
                match open {
                    Some(open) => open + 1,
                    None => return true,
                }
            }
            _ => inside,
        };
        let kind = self.pieces[first].kind;
        if kind == TokenKind::CloseBrace {
            return false;
        }
        let json = kind == TokenKind::String
            && self.pieces.get(first + 1).is_some_and(|next| next.kind == TokenKind::Colon);
        let after_paren = first >= 2 && self.pieces[first - 2].kind == TokenKind::CloseParen;
        !json && (after_paren || !self.pieces[first].glued)
    }

    fn glued_range(&self, at: usize) -> bool {
        self.pieces[at].glued
            && self.pieces.get(at + 1).is_some_and(|next| next.glued)
            && at > 0
            && self.pieces[at - 1].kind == TokenKind::Long
            && at > 1
            && self.pieces[at - 2].kind == TokenKind::Star
    }

    /// Whether the `=` at a place gives a parameter of the operator its value.
    fn is_parameter(&self, assign: usize, context: Context) -> bool {
        let Some(name) = assign.checked_sub(1).map(|before| self.pieces[before].text) else { return false };
        name.starts_with("hint.")
            || context.is_some_and(|operator| {
                operator.parameter(name).is_some() || operator.property(name).is_some()
            })
    }

    /// Whether the plus or minus at a place is a sign, not an operator between operands.
    fn is_sign(&self, at: usize) -> bool {
        use TokenKind::*;
        let Some(before) = at.checked_sub(1).map(|before| &self.pieces[before]) else { return true };
        match before.kind {
            Identifier | CloseParen | CloseBracket | CloseBrace => false,
            kind if kind.is_literal() => false,
            // A keyword that serves as a name.
            Keyword(crate::token::KeywordClass::Anywhere) => {
                matches!(before.text, "by" | "from" | "step" | "take" | "limit" | "top" | "on" | "default")
            }
            _ => true,
        }
    }
}

/// Words between which and a parenthesis a blank stands.
pub(super) fn takes_list(word: &str) -> bool {
    matches!(
        word,
        "and"
            | "or"
            | "in"
            | "in~"
            | "!in"
            | "!in~"
            | "has_any"
            | "has_all"
            | "between"
            | "!between"
            | "by"
            | "on"
            | "with"
            | "where"
            | "as"
            | "join"
            | "lookup"
            | "union"
            | "fork"
            | "extend"
            | "project"
            | "summarize"
            | "print"
            | "distinct"
            | "declare"
            | "query_parameters"
            | "to"
            | "from"
            | "step"
            | "filter"
            | "has"
            | "contains"
            | "startswith"
            | "endswith"
            | "matches regex"
            | "facet"
    )
}

/// The tokens of a text with their comments, and the comments after the last.
fn pieces(text: &str) -> (Vec<Piece<'_>>, Vec<&str>) {
    let mut pieces: Vec<Piece<'_>> = Vec::new();
    let mut above: Vec<&str> = Vec::new();
    let mut glued = false;
    let mut lines = 0;
    let mut apart = false;
    for token in lex(text) {
        let source = token.span.text(text);
        match token.kind {
            TokenKind::Whitespace => {
                lines += source.matches('\n').count().max(source.matches('\r').count());
                if lines > 1 && above.is_empty() {
                    apart = true;
                }
                glued = false;
            }
            TokenKind::Comment => {
                let comment = source.trim_end();
                match pieces.last_mut() {
                    Some(last) if lines == 0 && above.is_empty() && last.beside.is_none() => {
                        last.beside = Some(comment);
                    }
                    _ => above.push(comment),
                }
                lines = source.matches('\n').count();
                glued = false;
            }
            TokenKind::End => break,
            kind => {
                pieces.push(Piece {
                    text: if kind == TokenKind::Directive { source.trim_end() } else { source },
                    kind,
                    glued: glued && !pieces.is_empty(),
                    above: std::mem::take(&mut above),
                    beside: None,
                    apart,
                });
                glued = true;
                lines = 0;
                apart = false;
            }
        }
    }
    (pieces, above)
}
