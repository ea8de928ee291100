//! A file as a tree of nodes that know their places: what YAML and JSON have in common.
//!
//! Knows no dashboard. Places are lines and columns, both from 1, columns in characters.

/// Bytes of a file; larger ones are refused.
pub const TEXT_BYTES_MAX: usize = 1 << 20;
/// Lists and objects within each other.
pub const DEPTH_MAX: usize = 40;
/// Nodes of a file, with those that aliases repeat.
pub const NODES_MAX: usize = 100_000;

/// A place in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub line: usize,
    pub column: usize,
}

impl Place {
    /// The byte at that place; the end of the text if it has no such place.
    pub fn offset_in(self, text: &str) -> usize {
        let mut start = 0;
        for _ in 1..self.line {
            match text[start..].find('\n') {
                Some(end) => start += end + 1,
                None => return text.len(),
            }
        }
        let line = text[start..].split('\n').next().unwrap_or("");
        let within = line.char_indices().nth(self.column.saturating_sub(1)).map_or(line.len(), |(at, _)| at);
        start + within
    }
}

/// What is wrong with a file, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {}, column {}: {message}", place.line, place.column)]
pub struct Problem {
    pub place: Place,
    /// Where it is in the tree, e.g. `pages[0].tiles[2].query`; empty for the whole.
    pub path: String,
    pub message: String,
}

/// A value and where it begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub place: Place,
    pub value: NodeValue,
}

#[derive(Clone, Debug, PartialEq)]
pub enum NodeValue {
    Null,
    /// A text, number or flag as it is written.
    Scalar {
        text: String,
        /// Written without quotes: may be a number or a flag.
        is_plain: bool,
    },
    List(Vec<Node>),
    Object(Vec<Member>),
}

/// A member of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    pub name: String,
    pub place: Place,
    pub node: Node,
}

impl Node {
    /// The node at a path like `pages[0].tiles[2].query`.
    pub fn at(&self, path: &str) -> Option<&Node> {
        let mut node = self;
        for step in path.split('.').filter(|step| !step.is_empty()) {
            let (name, positions) = step.split_once('[').unwrap_or((step, ""));
            let NodeValue::Object(members) = &node.value else { return None };
            node = &members.iter().find(|member| member.name == name)?.node;
            for position in positions.split('[').filter(|position| !position.is_empty()) {
                let NodeValue::List(elements) = &node.value else { return None };
                node = elements.get(position.trim_end_matches(']').parse::<usize>().ok()?)?;
            }
        }
        Some(node)
    }

    /// In words, for messages.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            NodeValue::Null => "nothing",
            NodeValue::Scalar { is_plain: true, text } if text.parse::<f64>().is_ok() => "a number",
            NodeValue::Scalar { is_plain: true, text } if text == "true" || text == "false" => {
                "true or false"
            }
            NodeValue::Scalar { .. } => "a text",
            NodeValue::List(_) => "a list",
            NodeValue::Object(_) => "an object",
        }
    }
}
