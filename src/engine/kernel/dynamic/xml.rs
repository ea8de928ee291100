//! `parse_xml`: elements as properties, attributes as `@name`, text beside either as `#text`, repeated
//! elements as arrays (reference: parse_xml).

use arrow_array::ArrayRef;
use conshelf_storage::DynamicBuilder;

use crate::engine::error::Result;
use crate::engine::kernel::access::{Texts, argument, dynamics};
use crate::engine::kernel::{Datum, KernelCall};

/// The deepest nesting of elements.
const MAX_DEPTH: usize = 64;

#[derive(Debug, Default)]
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    children: Vec<Element>,
    text: String,
}

struct Reader<'a> {
    rest: &'a str,
}

fn is_name(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, ':' | '_' | '-' | '.')
}

impl<'a> Reader<'a> {
    fn take_until(&mut self, end: &str) -> Option<&'a str> {
        let at = self.rest.find(end)?;
        let taken = &self.rest[..at];
        self.rest = &self.rest[at + end.len()..];
        Some(taken)
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, prefix: &str) -> bool {
        match self.rest.strip_prefix(prefix) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn name(&mut self) -> Option<&'a str> {
        let end = self.rest.find(|c| !is_name(c)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!name.is_empty()).then_some(name)
    }

    /// Declarations, comments, processing instructions and a document type.
    fn skip_prolog(&mut self) -> Option<()> {
        loop {
            self.skip_blanks();
            if self.take("<?") {
                self.take_until("?>")?;
            } else if self.take("<!--") {
                self.take_until("-->")?;
            } else if self.rest.starts_with("<!") {
                self.take_until(">")?;
            } else {
                return Some(());
            }
        }
    }

    fn element(&mut self, depth: usize) -> Option<Element> {
        if depth > MAX_DEPTH || !self.take("<") {
            return None;
        }
        let mut element = Element { name: self.name()?.to_string(), ..Element::default() };
        loop {
            self.skip_blanks();
            if self.take("/>") {
                return Some(element);
            }
            if self.take(">") {
                break;
            }
            let name = self.name()?.to_string();
            self.skip_blanks();
            if !self.take("=") {
                return None;
            }
            self.skip_blanks();
            let quote = if self.take("\"") {
                "\""
            } else if self.take("'") {
                "'"
            } else {
                return None;
            };
            element.attributes.push((name, unescaped(self.take_until(quote)?)));
        }
        loop {
            if self.take("<!--") {
                self.take_until("-->")?;
            } else if self.take("<![CDATA[") {
                let text = self.take_until("]]>")?;
                element.text.push_str(text);
            } else if self.take("<?") {
                self.take_until("?>")?;
            } else if self.take("</") {
                let name = self.name()?;
                self.skip_blanks();
                return (name == element.name && self.take(">")).then_some(element);
            } else if self.rest.starts_with('<') {
                element.children.push(self.element(depth + 1)?);
            } else {
                let end = self.rest.find('<')?;
                let (text, rest) = self.rest.split_at(end);
                self.rest = rest;
                element.text.push_str(&unescaped(text));
            }
        }
    }
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let entity = rest.find(';').map(|end| &rest[1..end]);
        let decoded = entity.and_then(|entity| match entity {
            "lt" => Some('<'),
            "gt" => Some('>'),
            "amp" => Some('&'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => {
                let code = entity.strip_prefix('#')?;
                let code = match code.strip_prefix(['x', 'X']) {
                    Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                    None => code.parse().ok()?,
                };
                char::from_u32(code)
            }
        });
        match (decoded, entity) {
            (Some(character), Some(entity)) => {
                out.push(character);
                rest = &rest[entity.len() + 2..];
            }
            _ => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn put(element: &Element, builder: &mut DynamicBuilder) {
    let text = element.text.trim();
    if element.attributes.is_empty() && element.children.is_empty() {
        return if text.is_empty() { builder.null() } else { builder.string(text) };
    }
    builder.begin_object();
    for (name, value) in &element.attributes {
        builder.key(&format!("@{name}"));
        builder.string(value);
    }
    if !text.is_empty() {
        builder.key("#text");
        builder.string(text);
    }
    for (position, child) in element.children.iter().enumerate() {
        if element.children[..position].iter().any(|before| before.name == child.name) {
            continue;
        }
        let mut same =
            element.children[position..].iter().filter(|other| other.name == child.name).peekable();
        let several = same.clone().count() > 1;
        builder.key(&child.name);
        if several {
            builder.begin_array();
            same.for_each(|child| put(child, builder));
            builder.end_array();
        } else if let Some(child) = same.peek() {
            put(child, builder);
        }
    }
    builder.end_object();
}

/// Null for what is not well-formed.
pub fn parse_xml(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(dynamics(call.rows, |row, builder| {
        let mut reader = Reader { rest: values.get(row) };
        let root = reader.skip_prolog().and_then(|()| reader.element(0));
        let rest_is_blank = reader.skip_prolog().is_some() && reader.rest.is_empty();
        let Some(root) = root.filter(|_| rest_is_blank) else { return false };
        builder.begin_object();
        builder.key(&root.name);
        put(&root, builder);
        builder.end_object();
        true
    }))
}
