//! YAML: a text as a tree of nodes with their places, and a value as text.

use std::collections::HashMap;
use std::fmt::Write;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};
use serde_json::Value;

use crate::dashboard::node::{DEPTH_MAX, Member, NODES_MAX, Node, NodeValue, Place, Problem, TEXT_BYTES_MAX};

fn place_of(span: &Span) -> Place {
    Place { line: span.start.line().max(1), column: span.start.col() + 1 }
}

fn problem(place: Place, message: impl Into<String>) -> Problem {
    Problem { place, path: String::new(), message: message.into() }
}

/// A list or object whose end has not come yet.
struct Open {
    anchor: usize,
    place: Place,
    content: Content,
    nodes: usize,
}

enum Content {
    List(Vec<Node>),
    /// With the name whose value comes next.
    Object(Vec<Member>, Option<(String, Place)>),
}

/// Reads a text that is one YAML document.
pub fn read(text: &str) -> Result<Node, Problem> {
    let start = Place { line: 1, column: 1 };
    if text.len() > TEXT_BYTES_MAX {
        return Err(problem(start, format!("the file has more than {TEXT_BYTES_MAX} bytes")));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut open: Vec<Open> = Vec::new();
    let mut anchors: HashMap<usize, (Node, usize)> = HashMap::new();
    let mut root: Option<Node> = None;
    let mut documents = 0;
    let mut nodes = 0usize;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let mark = error.marker();
            let place = Place { line: mark.line().max(1), column: mark.col() + 1 };
            problem(place, error.info())
        })?;
        let place = place_of(&span);
        let (done, anchor, count) = match event {
            Event::DocumentStart(_) => {
                documents += 1;
                if documents > 1 {
                    return Err(problem(place, "the file has a second document; a dashboard is one"));
                }
                continue;
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => continue,
            Event::Alias(anchor) => {
                let Some((node, count)) = anchors.get(&anchor) else {
                    return Err(problem(place, "the alias names nothing that is complete"));
                };
                (Node { place, value: node.value.clone() }, 0, *count)
            }
            Event::Scalar(text, style, anchor, tag) => {
                // Aliases repeat bytes, too.
                let count = 1 + text.len() / 64;
                (Node { place, value: scalar(text.into_owned(), style, tag.as_deref()) }, anchor, count)
            }
            Event::SequenceStart(anchor, _) => {
                let content = Content::List(Vec::new());
                open.push(Open { anchor, place, content, nodes: 1 });
                if open.len() > DEPTH_MAX {
                    return Err(problem(place, "the file is nested too deeply"));
                }
                continue;
            }
            Event::MappingStart(anchor, _) => {
                let content = Content::Object(Vec::new(), None);
                open.push(Open { anchor, place, content, nodes: 1 });
                if open.len() > DEPTH_MAX {
                    return Err(problem(place, "the file is nested too deeply"));
                }
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(closed) = open.pop() else { continue };
                let value = match closed.content {
                    Content::List(elements) => NodeValue::List(elements),
                    Content::Object(members, _) => NodeValue::Object(members),
                };
                (Node { place: closed.place, value }, closed.anchor, closed.nodes)
            }
        };
        nodes += count;
        if nodes > NODES_MAX {
            return Err(problem(place, "the file has too many values"));
        }
        if anchor > 0 {
            anchors.insert(anchor, (done.clone(), count));
            nodes += count;
        }
        match open.last_mut() {
            None => root = Some(done),
            Some(parent) => {
                parent.nodes += count;
                put(&mut parent.content, done)?;
            }
        }
    }
    Ok(root.unwrap_or(Node { place: start, value: NodeValue::Null }))
}

/// Puts a complete node where it belongs: into a list, as the name of a member, or as its value.
fn put(content: &mut Content, node: Node) -> Result<(), Problem> {
    match content {
        Content::List(elements) => elements.push(node),
        Content::Object(members, name) => match name.take() {
            Some((name, place)) => members.push(Member { name, place, node }),
            None => {
                let NodeValue::Scalar { text, .. } = node.value else {
                    return Err(problem(node.place, "the name of a member must be a text"));
                };
                if members.iter().any(|known| known.name == text) {
                    return Err(problem(node.place, format!("'{text}' is given twice")));
                }
                *name = Some((text, node.place));
            }
        },
    }
    Ok(())
}

fn scalar(text: String, style: ScalarStyle, tag: Option<&Tag>) -> NodeValue {
    let is_text = tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
    let is_plain = style == ScalarStyle::Plain && !is_text;
    if is_plain {
        match text.as_str() {
            "" | "~" | "null" | "Null" | "NULL" => return NodeValue::Null,
            "True" | "TRUE" => return NodeValue::Scalar { text: "true".to_owned(), is_plain },
            "False" | "FALSE" => return NodeValue::Scalar { text: "false".to_owned(), is_plain },
            _ => {}
        }
    }
    NodeValue::Scalar { text, is_plain }
}

/// Writes a value as YAML: texts of several lines as blocks, everything else as it reads best.
pub fn write(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(members) if !members.is_empty() => write_members(members, 0, &mut out),
        other => {
            write_value(other, 0, &mut out);
            out.push('\n');
        }
    }
    out
}

fn indent(depth: usize, out: &mut String) {
    out.extend(std::iter::repeat_n("  ", depth));
}

fn write_members(members: &serde_json::Map<String, Value>, depth: usize, out: &mut String) {
    for (at, (name, value)) in members.iter().enumerate() {
        if at > 0 {
            indent(depth, out);
        }
        write_text(name, out);
        out.push(':');
        write_behind(value, depth, out);
    }
}

/// The value of a member or element whose line has begun.
fn write_behind(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::Object(members) if !is_short(value) => {
            out.push('\n');
            indent(depth + 1, out);
            write_members(members, depth + 1, out);
        }
        Value::Array(elements) if !is_short(value) => {
            out.push('\n');
            for element in elements {
                indent(depth + 1, out);
                out.push('-');
                match element {
                    Value::Object(members) if !is_short(element) => {
                        out.push(' ');
                        write_members(members, depth + 2, out);
                    }
                    other => write_behind(other, depth + 1, out),
                }
            }
        }
        other => {
            out.push(' ');
            write_value(other, depth, out);
            out.push('\n');
        }
    }
}

/// Whether a list or object is written within its line.
fn is_short(value: &Value) -> bool {
    const WIDTH: usize = 90;
    let has_lines = |value: &Value| value.as_str().is_some_and(|text| text.contains('\n'));
    let is_flat = match value {
        Value::Object(members) => members.values().all(|member| {
            !has_lines(member)
                && match member {
                    Value::Object(inner) => {
                        inner.values().all(|value| !value.is_object() && !value.is_array())
                    }
                    Value::Array(inner) => inner.iter().all(|value| !value.is_object() && !value.is_array()),
                    _ => true,
                }
        }),
        Value::Array(elements) => {
            elements.iter().all(|element| !element.is_object() && !element.is_array() && !has_lines(element))
        }
        _ => true,
    };
    let is_empty = value.as_object().is_some_and(serde_json::Map::is_empty)
        || value.as_array().is_some_and(Vec::is_empty);
    is_empty || (is_flat && value.to_string().len() <= WIDTH)
}

fn write_value(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::String(text) if text.contains('\n') && is_block(text) => {
            let kept = if text.ends_with('\n') { "" } else { "-" };
            let _ = write!(out, "|{kept}");
            for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
                out.push('\n');
                if !line.is_empty() {
                    indent(depth + 1, out);
                    out.push_str(line);
                }
            }
        }
        Value::String(text) => write_text(text, out),
        Value::Array(elements) => {
            out.push('[');
            for (at, element) in elements.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                write_flow(element, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (at, (name, member)) in members.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                write_text(name, out);
                out.push_str(": ");
                write_flow(member, out);
            }
            out.push('}');
        }
        other => {
            let _ = write!(out, "{other}");
        }
    }
}

fn write_flow(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => write_text(text, out),
        other => write_value(other, 0, out),
    }
}

/// Whether a text of several lines can be a literal block and come back as it was.
fn is_block(text: &str) -> bool {
    let first = text.split('\n').find(|line| !line.is_empty()).unwrap_or("");
    !text.contains(|letter: char| {
        (letter.is_control() && letter != '\n' && letter != '\t') || is_special(letter)
    }) && !text.ends_with("\n\n")
        && text != "\n"
        && !text.starts_with('\n')
        && !first.starts_with([' ', '\t'])
        && !text.split('\n').any(|line| !line.is_empty() && line.trim().is_empty())
}

/// Letters that YAML takes for breaks of lines or marks, or that do not stand in its files.
fn is_special(letter: char) -> bool {
    matches!(letter, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// A text in a line: plain where nothing can be taken for something else, else in double quotes.
fn write_text(text: &str, out: &mut String) {
    let is_safe_start = text.starts_with(|letter: char| letter.is_alphabetic() || letter == '_');
    let is_safe =
        |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | ' ' | '.' | '/' | '(' | ')');
    let lower = text.to_ascii_lowercase();
    let is_word =
        matches!(lower.as_str(), "null" | "true" | "false" | "yes" | "no" | "on" | "off" | "nan" | "inf");
    let is_span = text.strip_suffix(['d', 'h', 'm', 's']).is_some_and(|number| {
        (1..10).contains(&number.len()) && number.bytes().all(|digit| digit.is_ascii_digit())
    });
    if is_span || is_safe_start && !is_word && text.chars().all(is_safe) && !text.ends_with(' ') {
        out.push_str(text);
        return;
    }
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            letter if letter.is_control() || is_special(letter) => {
                let _ = write!(out, "\\U{:08x}", u32::from(letter));
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// The node as a value, numbers and flags as texts.
    fn plain(node: &Node) -> Value {
        match &node.value {
            NodeValue::Null => Value::Null,
            NodeValue::Scalar { text, .. } => json!(text),
            NodeValue::List(elements) => elements.iter().map(plain).collect(),
            NodeValue::Object(members) => Value::Object(
                members.iter().map(|member| (member.name.clone(), plain(&member.node))).collect(),
            ),
        }
    }

    #[test]
    fn values_know_their_places() {
        let node = read(
            "# a comment\na: 1\nb:\n  - {c: 'x', d: ~}\n  - |\n    T\n    | take 1\ne: &e [1, 2]\nf: *e\n",
        );
        let node = node.expect("read");
        assert_eq!(
            plain(&node),
            json!({"a": "1", "b": [{"c": "x", "d": null}, "T\n| take 1\n"], "e": ["1", "2"], "f": ["1", "2"]})
        );
        let NodeValue::Object(members) = &node.value else { panic!("an object") };
        assert_eq!(members[1].place, Place { line: 3, column: 1 });
        let NodeValue::List(elements) = &members[1].node.value else { panic!("a list") };
        assert_eq!(elements[0].place, Place { line: 4, column: 5 });
    }

    #[test]
    fn what_is_not_yaml_is_refused_at_its_place() {
        for (text, line, message) in [
            ("a: 1\na: 2", 2, "'a' is given twice"),
            ("a: [1, 2", 1, ""),
            ("a: 1\n---\nb: 2", 2, "second document"),
            ("a: *x", 1, ""),
            ("a:\n\t- 1", 2, ""),
            ("? [a]\n: 1", 1, "must be a text"),
        ] {
            let problem = read(text).expect_err(text);
            assert!(problem.place.line >= line && problem.message.contains(message), "{text}: {problem}");
        }
    }

    #[test]
    fn aliases_cannot_fill_memory() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for at in 1..12 {
            let names = vec![format!("*a{}", at - 1); 10].join(", ");
            text.push_str(&format!("a{at}: &a{at} [{names}]\n"));
        }
        assert!(read(&text).is_err());
        let long = format!("a: &a {}\nb: [{}]", "x".repeat(500_000), vec!["*a"; 1000].join(", "));
        assert!(read(&long).is_err());
        assert!(read(&"[".repeat(100_000)).is_err());
        assert!(read(&"- ".repeat(100_000)).is_err());
    }

    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z ]{0,8}",
            "[-:#\\[\\]{}|>&*!%@`'\"\\\\,? \n\ta0.~é\u{1}\u{85}]{0,12}",
            Just("true".to_owned()),
            Just("12".to_owned()),
            Just("T\n| where a == 'b'\n\n| take 1".to_owned()),
        ]
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![text().prop_map(Value::from), any::<i32>().prop_map(|n| json!(n.to_string()))];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(text(), inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(value in value()) {
            let written = write(&value);
            let again = read(&written).map_err(|error| TestCaseError::fail(format!("{error}\n{written}")))?;
            prop_assert_eq!(plain(&again), value, "{}", written);
        }
    }
}
