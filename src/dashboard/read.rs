//! From a tree of nodes to a dashboard: every rule of the file is here, and every mistake is told at its place.

use std::collections::HashSet;

use conshelf_kql::Type;
use conshelf_kql::diagnostic::closest;
use conshelf_kql::time::{parse_datetime, parse_timespan};
use serde_json::Value;

use crate::dashboard::model::{
    BaseQuery, Choice, Choices, Chosen, Content, CrossFilter, Dashboard, GRID_COLUMNS, Gesture, Page,
    Parameter, ParameterKind, Tile, TimeRange, VISUAL_KINDS, VISUAL_PROPERTIES, Visualization,
};
use crate::dashboard::node::{Member, Node, NodeValue, Place, Problem};
use crate::dashboard::values;

/// Rows of the grid, parameters, tiles: far more than anyone looks at.
const ROWS_MAX: u32 = 10_000;
const TILES_MAX: usize = 2_000;
const PROBLEMS_MAX: usize = 50;

/// Reads a dashboard. The problems are in the order of the file; there is at least one if there is no dashboard.
pub fn dashboard(node: &Node) -> Result<Dashboard, Vec<Problem>> {
    let mut reader = Reader { problems: Vec::new() };
    let read = reader.dashboard(node);
    if reader.problems.is_empty() {
        return Ok(read);
    }
    reader.problems.sort_by_key(|problem| problem.place);
    reader.problems.truncate(PROBLEMS_MAX);
    Err(reader.problems)
}

struct Reader {
    problems: Vec<Problem>,
}

/// The members of an object, each to be asked for by its name.
struct Object<'n> {
    members: &'n [Member],
    place: Place,
    path: String,
    /// What is missing may be what was misspelt.
    has_unknown: bool,
}

impl Object<'_> {
    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }
}

/// What a query can call: a letter or underscore, then letters, digits and underscores.
pub fn is_identifier(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        && name.len() <= 128
}

/// A timespan above zero, in the units of KQL.
pub fn duration(text: &str) -> Option<i64> {
    parse_timespan(text).filter(|ticks| *ticks > 0)
}

impl Reader {
    fn problem(&mut self, place: Place, path: &str, message: impl Into<String>) {
        self.problems.push(Problem { place, path: path.to_owned(), message: message.into() });
    }

    /// The object with these members and no others.
    fn object<'n>(&mut self, node: &'n Node, path: &str, known: &[&str]) -> Object<'n> {
        let mut object =
            Object { members: &[], place: node.place, path: path.to_owned(), has_unknown: false };
        let NodeValue::Object(members) = &node.value else {
            self.problem(node.place, path, format!("expected an object, found {}", node.kind()));
            return object;
        };
        for member in members {
            if !known.contains(&member.name.as_str()) {
                let hint = closest(&member.name, known.iter().copied()).map_or_else(
                    || format!("known are {}", known.join(", ")),
                    |near| format!("did you mean '{near}'?"),
                );
                let message = format!("there is no field '{}' here; {hint}", member.name);
                let path = object.path_of(&member.name);
                self.problem(member.place, &path, message);
                object.has_unknown = true;
            }
        }
        object.members = members;
        object
    }

    /// A member that says something.
    fn member<'n>(&mut self, object: &Object<'n>, name: &str) -> Option<&'n Node> {
        object
            .members
            .iter()
            .find(|member| member.name == name)
            .map(|member| &member.node)
            .filter(|node| node.value != NodeValue::Null)
    }

    fn needed<'n>(&mut self, object: &Object<'n>, name: &str) -> Option<&'n Node> {
        let found = self.member(object, name);
        if found.is_none() && !object.has_unknown {
            self.problem(object.place, &object.path_of(name), format!("'{name}' is missing"));
        }
        found
    }

    fn text_of(&mut self, node: &Node, path: &str) -> String {
        match &node.value {
            NodeValue::Scalar { text, .. } => text.clone(),
            _ => {
                self.problem(node.place, path, format!("expected a text, found {}", node.kind()));
                String::new()
            }
        }
    }

    fn text(&mut self, object: &Object<'_>, name: &str) -> Option<String> {
        let node = self.member(object, name)?;
        Some(self.text_of(node, &object.path_of(name)))
    }

    fn needed_text(&mut self, object: &Object<'_>, name: &str) -> String {
        let Some(node) = self.needed(object, name) else { return String::new() };
        let text = self.text_of(node, &object.path_of(name));
        if text.trim().is_empty() && matches!(node.value, NodeValue::Scalar { .. }) {
            self.problem(node.place, &object.path_of(name), format!("'{name}' is empty"));
        }
        text
    }

    fn flag(&mut self, object: &Object<'_>, name: &str) -> bool {
        let Some(node) = self.member(object, name) else { return false };
        match &node.value {
            NodeValue::Scalar { text, is_plain: true } if text == "true" => true,
            NodeValue::Scalar { text, is_plain: true } if text == "false" => false,
            _ => {
                let message = format!("expected true or false, found {}", node.kind());
                self.problem(node.place, &object.path_of(name), message);
                false
            }
        }
    }

    /// A whole number within bounds.
    fn number(&mut self, object: &Object<'_>, name: &str, least: u32, most: u32) -> Option<u32> {
        let node = self.member(object, name)?;
        let number = match &node.value {
            NodeValue::Scalar { text, is_plain: true } => text.parse::<u32>().ok(),
            _ => None,
        };
        let number = number.filter(|number| (least..=most).contains(number));
        if number.is_none() {
            let message = format!("'{name}' must be a whole number from {least} to {most}");
            self.problem(node.place, &object.path_of(name), message);
        }
        number
    }

    fn elements<'n>(&mut self, object: &Object<'n>, name: &str) -> Vec<(&'n Node, String)> {
        let Some(node) = self.member(object, name) else { return Vec::new() };
        let path = object.path_of(name);
        match &node.value {
            NodeValue::List(elements) => {
                elements.iter().enumerate().map(|(at, element)| (element, format!("{path}[{at}]"))).collect()
            }
            _ => {
                self.problem(node.place, &path, format!("expected a list, found {}", node.kind()));
                Vec::new()
            }
        }
    }

    /// A name that queries use: not used before.
    fn variable(&mut self, object: &Object<'_>, name: &str, used: &mut HashSet<String>) -> String {
        let text = self.needed_text(object, name);
        let place = self.member(object, name).map_or(object.place, |node| node.place);
        let path = object.path_of(name);
        if !text.trim().is_empty() && !is_identifier(&text) {
            let message = format!(
                "'{text}' cannot be used in a query: a name has letters, digits and underscores, no digit first"
            );
            self.problem(place, &path, message);
        } else if !text.is_empty() && !used.insert(text.clone()) {
            self.problem(place, &path, format!("the name '{text}' is used twice"));
        }
        text
    }

    fn dashboard(&mut self, node: &Node) -> Dashboard {
        const FIELDS: [&str; 8] =
            ["version", "title", "description", "database", "refresh", "parameters", "base_queries", "pages"];
        let object = self.object(node, "", &FIELDS);
        let mut dashboard = Dashboard::default();
        if object.members.is_empty() {
            if self.problems.is_empty() {
                self.problem(node.place, "", "the dashboard is empty");
            }
            return dashboard;
        }
        if self.needed(&object, "version").is_some()
            && self.number(&object, "version", 1, 1).is_none()
            && let Some(last) = self.problems.last_mut()
        {
            last.message = "the only version of the file that is known is 1".to_owned();
        }
        dashboard.title = self.needed_text(&object, "title");
        dashboard.description = self.text(&object, "description").unwrap_or_default();
        dashboard.database = self.text(&object, "database").filter(|name| !name.is_empty());
        if let Some(node) = self.member(&object, "refresh") {
            let text = self.text_of(node, "refresh");
            const SECOND: i64 = 10_000_000;
            match duration(&text) {
                Some(ticks) if ticks >= SECOND => dashboard.refresh = Some(text),
                _ => self.problem(
                    node.place,
                    "refresh",
                    format!("'{text}' is not a timespan of a second or more; write e.g. 30s"),
                ),
            }
        }
        let mut names = HashSet::new();
        let mut parameter_names = HashSet::new();
        for (node, path) in self.elements(&object, "parameters") {
            let parameter = self.parameter(node, &path, &mut names);
            if !parameter.name.is_empty() && !parameter_names.insert(parameter.name.clone()) {
                self.problem(node.place, &path, format!("the parameter '{}' is given twice", parameter.name));
            }
            dashboard.parameters.push(parameter);
        }
        for (node, path) in self.elements(&object, "base_queries") {
            let base = self.object(node, &path, &["name", "query"]);
            let name = self.variable(&base, "name", &mut names);
            let query = self.needed_text(&base, "query");
            dashboard.base_queries.push(BaseQuery { name, query });
        }
        let _ = self.needed(&object, "pages");
        let mut ids = HashSet::new();
        for (node, path) in self.elements(&object, "pages") {
            let page = self.page(node, &path, &dashboard.parameters, &mut ids);
            dashboard.pages.push(page);
        }
        for (parameter, (_, path)) in dashboard.parameters.iter().zip(self.elements(&object, "parameters")) {
            for title in &parameter.pages {
                if !dashboard.pages.iter().any(|page| page.title == *title) {
                    let place = node.at(&path).map_or(object.place, |node| node.place);
                    self.problem(place, &format!("{path}.pages"), format!("there is no page '{title}'"));
                }
            }
        }
        dashboard
    }

    fn parameter(&mut self, node: &Node, path: &str, names: &mut HashSet<String>) -> Parameter {
        const COMMON: [&str; 5] = ["name", "label", "description", "pages", "kind"];
        let mut fields = COMMON.to_vec();
        let kind = match &node.value {
            NodeValue::Object(members) => members
                .iter()
                .find(|member| member.name == "kind")
                .and_then(|member| match &member.node.value {
                    NodeValue::Scalar { text, .. } => Some(text.as_str()),
                    _ => None,
                })
                .unwrap_or(""),
            _ => "",
        };
        match kind {
            "time-range" => fields.extend(["start", "end", "default"]),
            "choice" => fields.extend(["type", "multiple", "all", "values", "default"]),
            "text" => fields.extend(["type", "default"]),
            _ => fields.extend(["start", "end", "default", "type", "multiple", "all", "values"]),
        }
        let object = self.object(node, path, &fields);
        let is_range = kind == "time-range";
        let name = if is_range {
            let text = self.needed_text(&object, "name");
            if !text.is_empty() && !is_identifier(&text) {
                let message = format!(
                    "'{text}' cannot be the name of a parameter: it has letters, digits and underscores"
                );
                self.problem(object.place, &object.path_of("name"), message);
            }
            text
        } else {
            self.variable(&object, "name", names)
        };
        let kind_node = self.needed(&object, "kind").map_or(object.place, |node| node.place);
        let pages = self.elements(&object, "pages");
        let pages = pages.iter().map(|(node, path)| self.text_of(node, path)).collect();
        let kind = match kind {
            "time-range" => {
                let start = self.variable(&object, "start", names);
                let end = self.variable(&object, "end", names);
                let default = match self.member(&object, "default") {
                    Some(node) => self.time_range(node, &object.path_of("default")),
                    None => TimeRange::Last { ticks: 36_000_000_000, text: "1h".to_owned() },
                };
                ParameterKind::TimeRange { start, end, default }
            }
            "choice" => self.choice(&object),
            "text" => {
                let ty = self.value_type(&object);
                let default = match self.member(&object, "default") {
                    Some(node) => self.value(node, ty, &object.path_of("default")),
                    None => Value::Null,
                };
                ParameterKind::Text { ty, default }
            }
            "" => ParameterKind::Text { ty: Type::String, default: Value::Null },
            other => {
                let message =
                    format!("'{other}' is not a kind of parameter; one of time-range, choice, text");
                self.problem(kind_node, &object.path_of("kind"), message);
                ParameterKind::Text { ty: Type::String, default: Value::Null }
            }
        };
        Parameter {
            name,
            label: self.text(&object, "label").unwrap_or_default(),
            description: self.text(&object, "description").unwrap_or_default(),
            pages,
            kind,
        }
    }

    fn value_type(&mut self, object: &Object<'_>) -> Type {
        let Some(node) = self.member(object, "type") else { return Type::String };
        let text = self.text_of(node, &object.path_of("type"));
        match Type::from_name(&text).filter(|ty| *ty != Type::Dynamic) {
            Some(ty) => ty,
            None => {
                let message = format!(
                    "'{text}' is not a type of a parameter; one of string, long, int, real, bool, datetime, timespan, guid, decimal"
                );
                self.problem(node.place, &object.path_of("type"), message);
                Type::String
            }
        }
    }

    /// A value of a type, as JSON.
    fn value(&mut self, node: &Node, ty: Type, path: &str) -> Value {
        let NodeValue::Scalar { text, .. } = &node.value else {
            self.problem(
                node.place,
                path,
                format!("expected a value of type {}, found {}", ty.name(), node.kind()),
            );
            return Value::Null;
        };
        match values::of_text(ty, text) {
            Some(value) => value,
            None => {
                self.problem(node.place, path, format!("'{text}' is not a value of type {}", ty.name()));
                Value::Null
            }
        }
    }

    fn time_range(&mut self, node: &Node, path: &str) -> TimeRange {
        let object = self.object(node, path, &["last", "from", "to"]);
        let fallback = TimeRange::Last { ticks: 36_000_000_000, text: "1h".to_owned() };
        let last = self.member(&object, "last");
        let from = self.member(&object, "from");
        match (last, from) {
            (Some(last), None) if self.member(&object, "to").is_none() => {
                let text = self.text_of(last, &object.path_of("last"));
                match duration(&text) {
                    Some(ticks) => return TimeRange::Last { ticks, text },
                    None => {
                        let message = format!("'{text}' is not a timespan above zero; write e.g. 1h or 30d");
                        self.problem(last.place, &object.path_of("last"), message);
                    }
                }
            }
            (None, Some(from)) => {
                let from = self.datetime(from, &object.path_of("from"));
                let to = self.member(&object, "to").map(|node| self.datetime(node, &object.path_of("to")));
                if to.is_some_and(|to| to < from) {
                    self.problem(object.place, path, "'to' is before 'from'");
                }
                return TimeRange::Between { from, to };
            }
            _ if matches!(node.value, NodeValue::Object(_)) && !object.has_unknown => {
                self.problem(object.place, path, "a time range is {last: 1h} or {from: …, to: …}");
            }
            _ => {}
        }
        fallback
    }

    fn datetime(&mut self, node: &Node, path: &str) -> i64 {
        let text = self.text_of(node, path);
        let ticks = parse_datetime(&text);
        if ticks.is_none() {
            self.problem(
                node.place,
                path,
                format!("'{text}' is not a datetime; write e.g. 2024-05-01T12:00:00Z"),
            );
        }
        ticks.unwrap_or_default()
    }

    fn choice(&mut self, object: &Object<'_>) -> ParameterKind {
        let ty = self.value_type(object);
        let multiple = self.flag(object, "multiple");
        let all = self.flag(object, "all");
        let values = match self.needed(object, "values") {
            Some(Node { value: NodeValue::List(_), .. }) => {
                let elements = self.elements(object, "values");
                Choices::Fixed(
                    elements.iter().map(|(node, path)| self.fixed_choice(node, ty, path)).collect(),
                )
            }
            Some(node) => {
                let path = object.path_of("values");
                let query = self.object(node, &path, &["query", "value", "label", "database"]);
                Choices::Query {
                    query: self.needed_text(&query, "query"),
                    value: self.text(&query, "value"),
                    label: self.text(&query, "label"),
                    database: self.text(&query, "database").filter(|name| !name.is_empty()),
                }
            }
            None => Choices::Fixed(Vec::new()),
        };
        let path = object.path_of("default");
        let default = match self.member(object, "default") {
            None if all => Chosen::All,
            None => Chosen::Nothing,
            Some(Node { value: NodeValue::Scalar { text, .. }, .. }) if all && text == "all" => Chosen::All,
            Some(Node { value: NodeValue::List(_), place }) => {
                let elements = self.elements(object, "default");
                if !multiple && elements.len() > 1 {
                    self.problem(*place, &path, "one value can be chosen, the default has several");
                }
                match elements.is_empty() {
                    true if all => Chosen::All,
                    true => Chosen::Nothing,
                    false => Chosen::Values(
                        elements.iter().map(|(node, path)| self.value(node, ty, path)).collect(),
                    ),
                }
            }
            Some(node) => Chosen::Values(vec![self.value(node, ty, &path)]),
        };
        ParameterKind::Choice { ty, multiple, all, values, default }
    }

    fn fixed_choice(&mut self, node: &Node, ty: Type, path: &str) -> Choice {
        if let NodeValue::Scalar { text, .. } = &node.value {
            return Choice { value: self.value(node, ty, path), label: text.clone() };
        }
        let object = self.object(node, path, &["value", "label"]);
        let Some(node) = self.needed(&object, "value") else {
            return Choice { value: Value::Null, label: String::new() };
        };
        let value = self.value(node, ty, &object.path_of("value"));
        let text = match &node.value {
            NodeValue::Scalar { text, .. } => text.clone(),
            _ => String::new(),
        };
        Choice { value, label: self.text(&object, "label").unwrap_or(text) }
    }

    fn page(&mut self, node: &Node, path: &str, parameters: &[Parameter], ids: &mut HashSet<String>) -> Page {
        let object = self.object(node, path, &["title", "tiles"]);
        let title = self.text(&object, "title").unwrap_or_default();
        let mut tiles = Vec::new();
        for (node, path) in self.elements(&object, "tiles") {
            let tile = self.tile(node, &path, parameters);
            if !tile.id.is_empty() && !ids.insert(tile.id.clone()) {
                self.problem(
                    node.place,
                    &format!("{path}.id"),
                    format!("two tiles have the id '{}'", tile.id),
                );
            }
            if ids.len() > TILES_MAX {
                self.problem(node.place, &path, format!("a dashboard has at most {TILES_MAX} tiles"));
                break;
            }
            tiles.push(tile);
        }
        Page { title, tiles }
    }

    fn tile(&mut self, node: &Node, path: &str, parameters: &[Parameter]) -> Tile {
        const FIELDS: [&str; 13] = [
            "id",
            "title",
            "description",
            "hide_title",
            "x",
            "y",
            "width",
            "height",
            "database",
            "query",
            "markdown",
            "visualization",
            "cross_filter",
        ];
        let object = self.object(node, path, &FIELDS);
        let mut tile = Tile {
            id: self.needed_text(&object, "id"),
            title: self.text(&object, "title").unwrap_or_default(),
            description: self.text(&object, "description").unwrap_or_default(),
            hide_title: self.flag(&object, "hide_title"),
            x: self.number(&object, "x", 0, GRID_COLUMNS - 1).unwrap_or(0),
            y: self.number(&object, "y", 0, ROWS_MAX).unwrap_or(0),
            width: self.number(&object, "width", 1, GRID_COLUMNS).unwrap_or(GRID_COLUMNS / 2),
            height: self.number(&object, "height", 1, ROWS_MAX).unwrap_or(6),
            database: self.text(&object, "database").filter(|name| !name.is_empty()),
            ..Tile::default()
        };
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
        if tile.id.len() > 128 || !tile.id.chars().all(is_plain) {
            let place = self.member(&object, "id").map_or(object.place, |node| node.place);
            let message = "an id has letters, digits, '-', '_' and '.', at most 128";
            self.problem(place, &object.path_of("id"), message);
        }
        if tile.x + tile.width > GRID_COLUMNS {
            let message =
                format!("the tile ends in column {}; the grid has {GRID_COLUMNS}", tile.x + tile.width);
            self.problem(object.place, path, message);
        }
        let query = self.member(&object, "query").is_some();
        let markdown = self.text(&object, "markdown");
        tile.content = match (query, markdown) {
            (true, None) => Content::Query(self.needed_text(&object, "query")),
            (false, Some(text)) => Content::Markdown(text),
            (true, Some(_)) => {
                self.problem(object.place, path, "a tile has a query or a markdown text, not both");
                Content::default()
            }
            (false, None) => {
                if matches!(node.value, NodeValue::Object(_)) && !object.has_unknown {
                    self.problem(object.place, path, "the tile has neither 'query' nor 'markdown'");
                }
                Content::default()
            }
        };
        if let Some(node) = self.member(&object, "visualization") {
            tile.visualization = Some(self.visualization(node, &object.path_of("visualization")));
        }
        for (node, path) in self.elements(&object, "cross_filter") {
            if let Some(filter) = self.cross_filter(node, &path, parameters) {
                tile.cross_filter.push(filter);
            }
        }
        tile
    }

    fn visualization(&mut self, node: &Node, path: &str) -> Visualization {
        let mut fields = vec!["kind"];
        fields.extend(VISUAL_PROPERTIES.iter().map(|(name, _)| *name));
        let object = self.object(node, path, &fields);
        let kind = self.text(&object, "kind").unwrap_or_default();
        if !kind.is_empty() && !VISUAL_KINDS.contains(&kind.as_str()) {
            let place = self.member(&object, "kind").map_or(object.place, |node| node.place);
            let hint = closest(&kind, VISUAL_KINDS).map_or_else(
                || format!("one of {}", VISUAL_KINDS.join(", ")),
                |near| format!("did you mean '{near}'?"),
            );
            self.problem(place, &object.path_of("kind"), format!("'{kind}' is not a visualization; {hint}"));
        }
        let mut properties = Vec::new();
        for member in object.members {
            let Some((name, is_list)) = VISUAL_PROPERTIES.iter().find(|(name, _)| *name == member.name)
            else {
                continue;
            };
            let path = object.path_of(name);
            let mut text = match &member.node.value {
                NodeValue::Null => continue,
                NodeValue::List(elements) if *is_list => {
                    let names: Vec<String> =
                        elements.iter().map(|element| self.text_of(element, &path)).collect();
                    names.join(",")
                }
                _ => self.text_of(&member.node, &path),
            };
            if *is_list {
                let names: Vec<&str> = text.split(',').map(str::trim).collect();
                text = names.join(",");
            }
            let allowed: &[&str] = match *name {
                "xaxis" | "yaxis" => &["linear", "log"],
                "legend" => &["visible", "hidden"],
                "ysplit" => &["none", "axes", "panels"],
                "accumulate" => &["true", "false"],
                "shape" => &["default", "unstacked", "stacked", "stacked100", "map"],
                _ => &[],
            };
            if !allowed.is_empty() && !allowed.contains(&text.as_str()) {
                let message = format!("'{text}' is not known; one of {}", allowed.join(", "));
                self.problem(member.node.place, &path, message);
            }
            if matches!(*name, "ymin" | "ymax") {
                match text.trim().parse::<f64>().ok().filter(|number| number.is_finite()) {
                    // Without the sign of a zero.
                    Some(number) => text = (number + 0.0).to_string(),
                    None => self.problem(member.node.place, &path, format!("'{text}' is not a number")),
                }
            }
            properties.push(((*name).to_owned(), text));
        }
        Visualization { kind, properties }
    }

    fn cross_filter(&mut self, node: &Node, path: &str, parameters: &[Parameter]) -> Option<CrossFilter> {
        let object = self.object(node, path, &["column", "drag", "parameter"]);
        let parameter = self.needed_text(&object, "parameter");
        let gesture = match (self.text(&object, "column"), self.text(&object, "drag")) {
            (Some(column), None) => Gesture::Column(column),
            (None, Some(axis)) if axis == "x" => Gesture::DragX,
            (None, Some(axis)) => {
                self.problem(object.place, path, format!("'{axis}' cannot be dragged along; only x"));
                return None;
            }
            _ => {
                self.problem(object.place, path, "a cross filter has either 'column' or 'drag: x'");
                return None;
            }
        };
        let known = parameters.iter().find(|known| known.name == parameter);
        let is_range = known.is_some_and(|known| matches!(known.kind, ParameterKind::TimeRange { .. }));
        match known {
            None if parameter.is_empty() => return None,
            None => {
                let message = format!("there is no parameter '{parameter}'");
                self.problem(object.place, &object.path_of("parameter"), message);
            }
            Some(_) if is_range != (gesture == Gesture::DragX) => {
                let message = "a drag sets a time range, a column sets a choice or text";
                self.problem(object.place, path, message);
            }
            Some(_) => {}
        }
        Some(CrossFilter { gesture, parameter })
    }
}
