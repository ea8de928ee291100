//! JSON text as a tree of nodes with their places.

use crate::dashboard::node::{DEPTH_MAX, Member, NODES_MAX, Node, NodeValue, Place, Problem, TEXT_BYTES_MAX};

/// Reads a text that is one JSON value.
pub fn read(text: &str) -> Result<Node, Problem> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(Problem {
            place: Place { line: 1, column: 1 },
            path: String::new(),
            message: format!("the file has more than {TEXT_BYTES_MAX} bytes"),
        });
    }
    let mut reader = Reader { text, at: 0, place: Place { line: 1, column: 1 }, nodes: 0 };
    reader.skip_space();
    let node = reader.value(0)?;
    reader.skip_space();
    if reader.at < text.len() {
        return Err(reader.problem("the file goes on behind its value"));
    }
    Ok(node)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    place: Place,
    nodes: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn problem(&self, message: &str) -> Problem {
        Problem { place: self.place, path: String::new(), message: message.to_owned() }
    }

    fn advance(&mut self, bytes: usize) {
        for letter in self.text[self.at..self.at + bytes].chars() {
            if letter == '\n' {
                self.place = Place { line: self.place.line + 1, column: 1 };
            } else {
                self.place.column += 1;
            }
        }
        self.at += bytes;
    }

    fn skip_space(&mut self) {
        let space =
            self.rest().len() - self.rest().trim_start_matches([' ', '\t', '\r', '\n', '\u{feff}']).len();
        self.advance(space);
    }

    fn eat(&mut self, symbol: char) -> bool {
        let here = self.rest().starts_with(symbol);
        if here {
            self.advance(symbol.len_utf8());
        }
        here
    }

    fn value(&mut self, depth: usize) -> Result<Node, Problem> {
        let place = self.place;
        self.nodes += 1;
        if depth > DEPTH_MAX || self.nodes > NODES_MAX {
            return Err(self.problem("the file is nested too deeply or has too many values"));
        }
        let value = match self.rest().chars().next() {
            Some('{') => self.object(depth)?,
            Some('[') => self.list(depth)?,
            Some('"') => NodeValue::Scalar { text: self.string()?, is_plain: false },
            Some(letter) if letter.is_ascii_alphanumeric() || letter == '-' => self.word()?,
            Some(letter) => return Err(self.problem(&format!("expected a value, found '{letter}'"))),
            None => return Err(self.problem("expected a value, found the end of the file")),
        };
        Ok(Node { place, value })
    }

    fn word(&mut self) -> Result<NodeValue, Problem> {
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '+' | '.');
        let length = self.rest().find(|letter| !is_part(letter)).unwrap_or(self.rest().len());
        let word = &self.rest()[..length];
        let is_value = matches!(word, "true" | "false" | "null")
            || serde_json::from_str::<serde_json::Number>(word).is_ok();
        if !is_value {
            return Err(self.problem(&format!("'{word}' is not a value of JSON; texts stand in quotes")));
        }
        let word = word.to_owned();
        self.advance(length);
        Ok(if word == "null" { NodeValue::Null } else { NodeValue::Scalar { text: word, is_plain: true } })
    }

    fn string(&mut self) -> Result<String, Problem> {
        let mut escaped = false;
        let end = self.rest().char_indices().skip(1).find(|(_, letter)| {
            let is_end = *letter == '"' && !escaped;
            escaped = *letter == '\\' && !escaped;
            is_end
        });
        let Some((end, _)) = end else { return Err(self.problem("the text that begins here has no end")) };
        let text = serde_json::from_str::<String>(&self.rest()[..=end])
            .map_err(|error| self.problem(&format!("the text that begins here is not valid: {error}")))?;
        self.advance(end + 1);
        Ok(text)
    }

    fn list(&mut self, depth: usize) -> Result<NodeValue, Problem> {
        self.advance(1);
        let mut elements = Vec::new();
        self.skip_space();
        if self.eat(']') {
            return Ok(NodeValue::List(elements));
        }
        loop {
            self.skip_space();
            elements.push(self.value(depth + 1)?);
            self.skip_space();
            if self.eat(']') {
                return Ok(NodeValue::List(elements));
            }
            if !self.eat(',') {
                return Err(self.problem("expected ',' or ']'"));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<NodeValue, Problem> {
        self.advance(1);
        let mut members: Vec<Member> = Vec::new();
        self.skip_space();
        if self.eat('}') {
            return Ok(NodeValue::Object(members));
        }
        loop {
            self.skip_space();
            let place = self.place;
            if !self.rest().starts_with('"') {
                return Err(self.problem("expected the name of a member in quotes"));
            }
            let name = self.string()?;
            if members.iter().any(|known| known.name == name) {
                let message = format!("'{name}' is given twice");
                return Err(Problem { place, path: String::new(), message });
            }
            self.skip_space();
            if !self.eat(':') {
                return Err(self.problem("expected ':'"));
            }
            self.skip_space();
            let node = self.value(depth + 1)?;
            members.push(Member { name, place, node });
            self.skip_space();
            if self.eat('}') {
                return Ok(NodeValue::Object(members));
            }
            if !self.eat(',') {
                return Err(self.problem("expected ',' or '}'"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_know_their_places() {
        let node = read("{\n  \"a\": [1, \"\\u00e9\\ud83d\\ude00\"],\n  \"b\": null }\n").expect("read");
        let NodeValue::Object(members) = &node.value else { panic!("an object") };
        assert_eq!(
            (members[0].place, members[1].place),
            (Place { line: 2, column: 3 }, Place { line: 3, column: 3 })
        );
        let NodeValue::List(elements) = &members[0].node.value else { panic!("a list") };
        assert_eq!(elements[0].value, NodeValue::Scalar { text: "1".to_owned(), is_plain: true });
        assert_eq!(elements[1].value, NodeValue::Scalar { text: "é😀".to_owned(), is_plain: false });
        assert_eq!(elements[1].place, Place { line: 2, column: 12 });
        assert_eq!(members[1].node.value, NodeValue::Null);
    }

    #[test]
    fn what_is_not_json_is_refused_at_its_place() {
        let cases = [
            ("", 1, 1, "expected a value"),
            ("{\n \"a\" 1}", 2, 6, "expected ':'"),
            ("{\"a\":1 \"b\":2}", 1, 8, "expected ',' or '}'"),
            ("{\"a\":1,\n\"a\":2}", 2, 1, "'a' is given twice"),
            ("[1,]", 1, 4, "expected a value, found ']'"),
            ("[tru]", 1, 2, "'tru' is not a value of JSON"),
            ("[\"a", 1, 2, "has no end"),
            ("[01]", 1, 2, "is not a value"),
            ("1 2", 1, 3, "goes on"),
            ("[\"\\x\"]", 1, 2, "not valid"),
        ];
        for (text, line, column, message) in cases {
            let problem = read(text).expect_err(text);
            assert_eq!(problem.place, Place { line, column }, "{text}: {problem}");
            assert!(problem.message.contains(message), "{text}: {problem}");
        }
        assert!(read(&"[".repeat(100_000)).is_err());
    }
}
