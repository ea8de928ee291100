//! Syntax trees as short texts: their `Debug` form without spans and without the wrappers that every node has.

use std::fmt::{Debug, Write as _};
use std::iter::Peekable;
use std::str::Chars;

/// The tree of a value, an operator of a pipeline a line.
pub fn shape(value: &impl Debug) -> String {
    let debug = format!("{value:?}");
    let mut chars = debug.chars().peekable();
    let node = simplify(read(&mut chars));
    let mut out = String::new();
    write(&node, 0, &mut out);
    out
}

#[derive(Debug, Clone, PartialEq)]
enum Node {
    Atom(String),
    Struct(String, Vec<(String, Node)>),
    Tuple(String, Vec<Node>),
    List(Vec<Node>),
}

fn read(chars: &mut Peekable<Chars<'_>>) -> Node {
    skip_blanks(chars);
    match chars.peek() {
        Some('"' | '\'') => Node::Atom(quoted(chars)),
        Some('[') => Node::List(items(chars, ']')),
        Some('(') => Node::Tuple(String::new(), items(chars, ')')),
        _ => {
            let mut word = String::new();
            while let Some(c) =
                chars.next_if(|c| !" ,(){}[]".contains(*c) && (*c != ':' || word.starts_with('-')))
            {
                word.push(c);
            }
            if chars.peek() == Some(&'(') {
                return Node::Tuple(word, items(chars, ')'));
            }
            let mut ahead = chars.clone();
            skip_blanks(&mut ahead);
            if ahead.peek() == Some(&'{') {
                *chars = ahead;
                return Node::Struct(word, fields(chars));
            }
            Node::Atom(word)
        }
    }
}

fn skip_blanks(chars: &mut Peekable<Chars<'_>>) {
    while chars.next_if_eq(&' ').is_some() {}
}

fn quoted(chars: &mut Peekable<Chars<'_>>) -> String {
    let mut out = String::new();
    let quote = chars.next().expect("a quote");
    out.push(quote);
    while let Some(c) = chars.next() {
        out.push(c);
        if c == '\\' {
            out.extend(chars.next());
        } else if c == quote {
            break;
        }
    }
    out
}

fn items(chars: &mut Peekable<Chars<'_>>, close: char) -> Vec<Node> {
    chars.next();
    let mut found = Vec::new();
    loop {
        skip_blanks(chars);
        if chars.next_if_eq(&close).is_some() {
            return found;
        }
        found.push(read(chars));
        chars.next_if_eq(&',');
    }
}

fn fields(chars: &mut Peekable<Chars<'_>>) -> Vec<(String, Node)> {
    chars.next();
    let mut found = Vec::new();
    loop {
        skip_blanks(chars);
        if chars.next_if_eq(&'}').is_some() {
            return found;
        }
        let mut name = String::new();
        while let Some(c) = chars.next_if(|c| *c != ':') {
            name.push(c);
        }
        chars.next();
        found.push((name, read(chars)));
        skip_blanks(chars);
        chars.next_if_eq(&',');
    }
}

fn atom(node: &Node) -> &str {
    match node {
        Node::Atom(text) => text,
        _ => "",
    }
}

/// A string atom without its quotes if it is a plain word.
fn bare(text: &str) -> String {
    let inner = text.trim_matches('"');
    let plain = !inner.is_empty() && inner.chars().all(|c| c.is_alphanumeric() || "_.$-*@".contains(c));
    if plain { inner.to_owned() } else { text.to_owned() }
}

fn simplify(node: Node) -> Node {
    match node {
        Node::Struct(name, fields) => {
            let is_span = |field: &str| field.ends_with("span");
            let fields: Vec<(String, Node)> = fields
                .into_iter()
                .filter(|(field, _)| !is_span(field))
                .map(|(field, node)| (field, simplify(node)))
                .collect();
            let get =
                |wanted: &str| fields.iter().find(|(field, _)| field == wanted).map(|(_, node)| node.clone());
            match name.as_str() {
                "Expr" | "Operator" | "Statement" => return get("kind").expect("a kind"),
                "Name" => {
                    let text = get("text").expect("a text");
                    let style = get("style").expect("a style");
                    return Node::Atom(match atom(&style) {
                        "Bracketed" => format!("[{}]", atom(&text)),
                        "Braced" => format!("{{{}}}", bare(atom(&text))),
                        "Missing" => "<missing>".to_owned(),
                        _ => bare(atom(&text)),
                    });
                }
                "TypeName" => return Node::Atom(bare(atom(&get("text").expect("a text")))),
                _ => {}
            }
            let fields = fields
                .into_iter()
                .filter(|(_, node)| {
                    !matches!(node, Node::List(items) if items.is_empty())
                        && !matches!(atom(node), "None" | "false")
                })
                .collect();
            Node::Struct(name, fields)
        }
        Node::Tuple(name, items) => {
            let mut items: Vec<Node> = items.into_iter().map(simplify).collect();
            match name.as_str() {
                "Some" | "Name" | "Literal" | "Expression" | "Scalar" => items.remove(0),
                // `Call(Call { … })`: one name is enough.
                _ if matches!(items.as_slice(), [Node::Struct(inner, _)] if *inner == name) => {
                    items.remove(0)
                }
                "Skip" => Node::Atom("Skip".to_owned()),
                _ => Node::Tuple(name, items),
            }
        }
        Node::List(items) => Node::List(items.into_iter().map(simplify).collect()),
        atom => atom,
    }
}

fn write(node: &Node, indent: usize, out: &mut String) {
    match node {
        Node::Atom(text) => out.push_str(text),
        Node::Struct(name, fields) => {
            if name == "Pipeline" {
                return write_pipeline(fields, indent, out);
            }
            out.push_str(name);
            if fields.is_empty() {
                return;
            }
            out.push('{');
            for (at, (field, value)) in fields.iter().enumerate() {
                if at > 0 {
                    out.push(' ');
                }
                // Writing to a string cannot fail.
                let _ = write!(out, "{field}=");
                write(value, indent, out);
            }
            out.push('}');
        }
        Node::Tuple(name, items) => {
            out.push_str(name);
            write_items(items, indent, ('(', ')'), out);
        }
        Node::List(items) => write_items(items, indent, ('[', ']'), out),
    }
}

fn write_items(items: &[Node], indent: usize, (open, close): (char, char), out: &mut String) {
    out.push(open);
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        write(item, indent, out);
    }
    out.push(close);
}

fn write_pipeline(fields: &[(String, Node)], indent: usize, out: &mut String) {
    out.push_str("Pipeline");
    for (field, value) in fields {
        let items = match value {
            Node::List(items) => items.as_slice(),
            single => std::slice::from_ref(single),
        };
        for item in items {
            let bar = if field == "operators" { "| " } else { "" };
            let _ = write!(out, "\n{}{bar}", "  ".repeat(indent + 1));
            write(item, indent + 2, out);
        }
    }
}
