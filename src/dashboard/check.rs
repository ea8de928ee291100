//! What there is to say about a file without running it: its mistakes, and those of its queries.

use conshelf_storage::Store;
use serde_json::{Map, Value, json};

use crate::dashboard::model::{Choices, Content, Dashboard, ParameterKind};
use crate::dashboard::node::{Node, NodeValue, Place, Problem};
use crate::dashboard::query::compose;
use crate::dashboard::values::{Variables, variables};
use crate::dashboard::{FileFormat, json as json_file, read, yaml};
use crate::query;

/// A remark about a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    pub severity: &'static str,
    pub code: String,
    pub message: String,
    /// In the file.
    pub place: Place,
    /// E.g. `pages[0].tiles[2].query`
    pub path: String,
}

impl Remark {
    fn error(problem: Problem) -> Remark {
        Remark {
            severity: "Error",
            code: String::new(),
            message: problem.message,
            place: problem.place,
            path: problem.path,
        }
    }

    pub fn to_json(&self) -> Value {
        json!({
            "severity": self.severity,
            "code": self.code,
            "message": self.message,
            "line": self.place.line,
            "column": self.place.column,
            "path": self.path,
        })
    }
}

/// Everything there is to say. `database` is where queries look if neither they nor the file name one.
pub fn remarks(store: &Store, database: &str, text: &str, format: FileFormat) -> Vec<Remark> {
    let node = match format {
        FileFormat::Yaml => yaml::read(text),
        FileFormat::Json => json_file::read(text),
    };
    let read = node.map_err(|problem| vec![problem]).and_then(|node| Ok((read::dashboard(&node)?, node)));
    let (dashboard, node) = match read {
        Ok(read) => read,
        Err(problems) => return problems.into_iter().map(Remark::error).collect(),
    };
    let file = File { store, text, node: &node, dashboard: &dashboard, database };
    let mut remarks = file.queries();
    remarks.sort_by_key(|remark| remark.place);
    remarks.dedup();
    remarks
}

struct File<'a> {
    store: &'a Store,
    text: &'a str,
    node: &'a Node,
    dashboard: &'a Dashboard,
    database: &'a str,
}

impl File<'_> {
    fn queries(&self) -> Vec<Remark> {
        let now = crate::machine::now_ticks();
        let variables = match variables(self.dashboard, &Map::new(), now) {
            Ok(variables) => variables,
            Err(message) => {
                let place = self.node.place;
                return vec![Remark::error(Problem { place, path: String::new(), message })];
            }
        };
        let mut remarks = Vec::new();
        for (at, parameter) in self.dashboard.parameters.iter().enumerate() {
            if let ParameterKind::Choice {
                values: Choices::Query { query, value, label, database }, ..
            } = &parameter.kind
            {
                let path = format!("parameters[{at}].values");
                let columns = self.query(
                    query,
                    &format!("{path}.query"),
                    database.as_deref(),
                    &variables,
                    &mut remarks,
                );
                for (field, name) in [("value", value), ("label", label)] {
                    let Some(name) = name.as_ref().filter(|_| !columns.is_empty()) else { continue };
                    if !columns.contains(name) {
                        let path = format!("{path}.{field}");
                        let place = self.node.at(&path).map_or(self.node.place, |node| node.place);
                        let message =
                            format!("the query has no column '{name}'; it has {}", columns.join(", "));
                        remarks.push(Remark::error(Problem { place, path, message }));
                    }
                }
            }
        }
        for (page_at, page) in self.dashboard.pages.iter().enumerate() {
            for (tile_at, tile) in page.tiles.iter().enumerate() {
                if let Content::Query(query) = &tile.content {
                    let path = format!("pages[{page_at}].tiles[{tile_at}].query");
                    self.query(query, &path, tile.database.as_deref(), &variables, &mut remarks);
                }
            }
        }
        remarks
    }

    /// Remarks about one query; gives the names of its columns.
    fn query(
        &self,
        query: &str,
        path: &str,
        database: Option<&str>,
        variables: &Variables,
        remarks: &mut Vec<Remark>,
    ) -> Vec<String> {
        let composed = match compose(self.dashboard, query, variables) {
            Ok(composed) => composed,
            Err(message) => {
                let place = self.node.at(path).map_or(self.node.place, |node| node.place);
                remarks.push(Remark::error(Problem { place, path: path.to_owned(), message }));
                return Vec::new();
            }
        };
        let database = database.or(self.dashboard.database.as_deref()).unwrap_or(self.database);
        let checked = query::check_with(self.store, &composed.text, database, &composed.parameters);
        for found in checked.diagnostics {
            let base = composed.base_queries.iter().find(|(_, range)| range.contains(&found.start));
            let (path, text, start) = match base {
                Some((name, range)) => {
                    let at = self.dashboard.base_queries.iter().position(|base| base.name == *name);
                    let path = format!("base_queries[{}].query", at.unwrap_or_default());
                    (path, &composed.text[range.clone()], found.start - range.start)
                }
                None => (path.to_owned(), query, found.start.saturating_sub(composed.offset)),
            };
            let within = conshelf_kql::span::LineIndex::new(text)
                .position(text, u32::try_from(start).unwrap_or(u32::MAX));
            let place = match self.node.at(&path) {
                Some(node) => place_within(self.text, node, within.line as usize, within.column as usize),
                None => self.node.place,
            };
            remarks.push(Remark {
                severity: found.severity,
                code: found.code,
                message: found.message,
                place,
                path,
            });
        }
        checked.columns.into_iter().map(|column| column.name).collect()
    }
}

/// The place in a file of a line and column of one of its texts.
fn place_within(file: &str, node: &Node, line: usize, column: usize) -> Place {
    let NodeValue::Scalar { text, .. } = &node.value else { return node.place };
    let lines: Vec<&str> = file.split('\n').collect();
    let begins = lines.get(node.place.line - 1).map_or("", |line| line.trim_end());
    let first = begins.chars().nth(node.place.column - 1).unwrap_or(' ');
    let is_block = matches!(first, '|' | '>');
    let wanted = text.lines().nth(line - 1).unwrap_or("");
    if is_block || text.contains('\n') {
        // The lines of a block follow each other, each with the same indentation.
        let from = if is_block { node.place.line } else { node.place.line - 1 };
        let at = from + line - 1;
        let indentation = lines.get(at).and_then(|found| found.find(wanted)).unwrap_or(0);
        return Place { line: at + 1, column: indentation + column };
    }
    let quote = usize::from(matches!(first, '"' | '\''));
    Place { line: node.place.line, column: node.place.column + quote + column - 1 }
}
