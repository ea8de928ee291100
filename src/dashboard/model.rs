//! What a dashboard is: parameters, base queries, pages of tiles. Plain data; `FORMAT.md` tells every field.

use conshelf_kql::Type;
use serde_json::{Map, Value, json};

/// Columns of the grid that tiles lie on.
pub const GRID_COLUMNS: u32 = 24;

/// A dashboard.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dashboard {
    pub title: String,
    pub description: String,
    /// Where tiles that name no database look.
    pub database: Option<String>,
    /// A timespan as it is written, e.g. `30s`.
    pub refresh: Option<String>,
    pub parameters: Vec<Parameter>,
    pub base_queries: Vec<BaseQuery>,
    pub pages: Vec<Page>,
}

/// A query with a name that tiles, parameters and other base queries use like a table.
#[derive(Clone, Debug, PartialEq)]
pub struct BaseQuery {
    pub name: String,
    pub query: String,
}

/// What its reader may choose.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    pub name: String,
    pub label: String,
    pub description: String,
    /// Titles of the pages that show it; empty: all.
    pub pages: Vec<String>,
    pub kind: ParameterKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ParameterKind {
    /// Gives two datetimes to the queries.
    TimeRange { start: String, end: String, default: TimeRange },
    Choice {
        ty: Type,
        /// Gives an array.
        multiple: bool,
        /// Whether "all" can be chosen: no restriction.
        all: bool,
        values: Choices,
        default: Chosen,
    },
    Text {
        ty: Type,
        /// A value of the type; null: none.
        default: Value,
    },
}

/// A span of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimeRange {
    /// That long, up to now. Ticks, and as it was written.
    Last { ticks: i64, text: String },
    /// Ticks; without an end: up to now.
    Between { from: i64, to: Option<i64> },
}

/// What can be chosen.
#[derive(Clone, Debug, PartialEq)]
pub enum Choices {
    Fixed(Vec<Choice>),
    Query {
        query: String,
        /// The column of the values; none: the first.
        value: Option<String>,
        /// The column of what is shown; none: the values.
        label: Option<String>,
        database: Option<String>,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    pub value: Value,
    pub label: String,
}

/// What is chosen.
#[derive(Clone, Debug, PartialEq)]
pub enum Chosen {
    All,
    /// Nothing: a null, or an empty text.
    Nothing,
    Values(Vec<Value>),
}

/// Tiles that are seen together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    pub title: String,
    pub tiles: Vec<Tile>,
}

/// A rectangle of the grid, with the result of a query or a text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tile {
    /// Unique in the dashboard.
    pub id: String,
    pub title: String,
    pub description: String,
    pub hide_title: bool,
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
    pub database: Option<String>,
    pub content: Content,
    pub visualization: Option<Visualization>,
    pub cross_filter: Vec<CrossFilter>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    Query(String),
    Markdown(String),
}

impl Default for Content {
    fn default() -> Content {
        Content::Markdown(String::new())
    }
}

/// What is drawn, in the names of `render`; takes the place of what the query's own `render` says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Visualization {
    /// Empty: as the query says.
    pub kind: String,
    /// In the order of the file; lists as texts with commas, as the language has them.
    pub properties: Vec<(String, String)>,
}

/// A click or a drag in a tile that sets a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrossFilter {
    pub gesture: Gesture,
    pub parameter: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gesture {
    /// The value of a column, where a row or mark is clicked.
    Column(String),
    /// The range that is dragged along the x axis.
    DragX,
}

/// Properties of `visualization` beside `kind`, with those that are lists of names.
pub const VISUAL_PROPERTIES: [(&str, bool); 17] = [
    ("title", false),
    ("xtitle", false),
    ("ytitle", false),
    ("xcolumn", false),
    ("ycolumns", true),
    ("series", true),
    ("anomalycolumns", true),
    ("xaxis", false),
    ("yaxis", false),
    ("legend", false),
    ("ysplit", false),
    ("accumulate", false),
    ("shape", false),
    ("ymin", false),
    ("ymax", false),
    ("xmin", false),
    ("xmax", false),
];

/// What `visualization: {kind: …}` may say.
pub const VISUAL_KINDS: [&str; 17] = [
    "table",
    "timechart",
    "linechart",
    "areachart",
    "stackedareachart",
    "barchart",
    "columnchart",
    "piechart",
    "scatterchart",
    "anomalychart",
    "ladderchart",
    "card",
    "treemap",
    "timepivot",
    "pivotchart",
    "plotly",
    "graph",
];

impl Dashboard {
    pub fn tiles(&self) -> impl Iterator<Item = &Tile> {
        self.pages.iter().flat_map(|page| &page.tiles)
    }

    pub fn tile(&self, id: &str) -> Option<&Tile> {
        self.tiles().find(|tile| tile.id == id)
    }

    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }

    /// The model as JSON, as a file would have it; what says nothing is left out.
    pub fn to_json(&self) -> Value {
        let mut out = Fields::default();
        out.put("version", json!(1));
        out.put("title", json!(self.title));
        out.text("description", &self.description);
        out.maybe("database", self.database.as_deref());
        out.maybe("refresh", self.refresh.as_deref());
        out.list("parameters", self.parameters.iter().map(Parameter::to_json));
        out.list(
            "base_queries",
            self.base_queries.iter().map(|base| json!({"name": base.name, "query": base.query})),
        );
        out.put("pages", self.pages.iter().map(Page::to_json).collect());
        Value::Object(out.0)
    }
}

/// An object that is being written.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }

    fn text(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.put(name, json!(text));
        }
    }

    fn maybe(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.put(name, json!(text));
        }
    }

    fn flag(&mut self, name: &str, flag: bool) {
        if flag {
            self.put(name, json!(true));
        }
    }

    fn list(&mut self, name: &str, values: impl Iterator<Item = Value>) {
        let values: Vec<Value> = values.collect();
        if !values.is_empty() {
            self.put(name, Value::Array(values));
        }
    }
}

impl Parameter {
    pub fn to_json(&self) -> Value {
        let mut out = Fields::default();
        out.put("name", json!(self.name));
        out.text("label", &self.label);
        out.text("description", &self.description);
        out.list("pages", self.pages.iter().map(|title| json!(title)));
        match &self.kind {
            ParameterKind::TimeRange { start, end, default } => {
                out.put("kind", json!("time-range"));
                out.put("start", json!(start));
                out.put("end", json!(end));
                out.put("default", default.to_json());
            }
            ParameterKind::Choice { ty, multiple, all, values, default } => {
                out.put("kind", json!("choice"));
                out.put("type", json!(ty.name()));
                out.flag("multiple", *multiple);
                out.flag("all", *all);
                out.put("values", values.to_json());
                match default {
                    Chosen::All => out.put("default", json!("all")),
                    Chosen::Nothing => {}
                    Chosen::Values(values) if *multiple || *all => out.put("default", json!(values)),
                    Chosen::Values(values) => {
                        out.put("default", values.first().cloned().unwrap_or_default());
                    }
                }
            }
            ParameterKind::Text { ty, default } => {
                out.put("kind", json!("text"));
                out.put("type", json!(ty.name()));
                if !default.is_null() {
                    out.put("default", default.clone());
                }
            }
        }
        Value::Object(out.0)
    }
}

impl TimeRange {
    pub fn to_json(&self) -> Value {
        let text = crate::response::value_text::datetime_text;
        match self {
            TimeRange::Last { text, .. } => json!({"last": text}),
            TimeRange::Between { from, to: None } => json!({"from": text(*from)}),
            TimeRange::Between { from, to: Some(to) } => json!({"from": text(*from), "to": text(*to)}),
        }
    }
}

impl Choices {
    fn to_json(&self) -> Value {
        match self {
            Choices::Fixed(choices) => choices.iter().map(Choice::to_json).collect(),
            Choices::Query { query, value, label, database } => {
                let mut out = Fields::default();
                out.put("query", json!(query));
                out.maybe("value", value.as_deref());
                out.maybe("label", label.as_deref());
                out.maybe("database", database.as_deref());
                Value::Object(out.0)
            }
        }
    }
}

impl Choice {
    pub fn to_json(&self) -> Value {
        json!({"value": self.value, "label": self.label})
    }
}

impl Page {
    fn to_json(&self) -> Value {
        let tiles: Vec<Value> = self.tiles.iter().map(Tile::to_json).collect();
        json!({"title": self.title, "tiles": tiles})
    }
}

impl Tile {
    pub fn to_json(&self) -> Value {
        let mut out = Fields::default();
        out.put("id", json!(self.id));
        out.text("title", &self.title);
        out.text("description", &self.description);
        out.flag("hide_title", self.hide_title);
        for (name, number) in [("x", self.x), ("y", self.y), ("width", self.width), ("height", self.height)] {
            out.put(name, json!(number));
        }
        out.maybe("database", self.database.as_deref());
        match &self.content {
            Content::Query(text) => out.put("query", json!(text)),
            Content::Markdown(text) => out.put("markdown", json!(text)),
        }
        if let Some(visualization) = &self.visualization {
            out.put("visualization", visualization.to_json());
        }
        out.list("cross_filter", self.cross_filter.iter().map(CrossFilter::to_json));
        Value::Object(out.0)
    }
}

impl Visualization {
    fn to_json(&self) -> Value {
        let mut out = Fields::default();
        out.text("kind", &self.kind);
        for (name, text) in &self.properties {
            let is_list = VISUAL_PROPERTIES.iter().any(|(known, is_list)| known == name && *is_list);
            let value = match name.as_str() {
                _ if is_list => text.split(',').map(|name| json!(name.trim())).collect(),
                "ymin" | "ymax" => match (text.parse::<i64>(), text.parse::<f64>()) {
                    (Ok(number), _) => json!(number),
                    (_, Ok(number)) => json!(number),
                    _ => json!(text),
                },
                "accumulate" => json!(text == "true"),
                _ => json!(text),
            };
            out.put(name, value);
        }
        Value::Object(out.0)
    }
}

impl CrossFilter {
    pub fn to_json(&self) -> Value {
        match &self.gesture {
            Gesture::Column(column) => json!({"column": column, "parameter": self.parameter}),
            Gesture::DragX => json!({"drag": "x", "parameter": self.parameter}),
        }
    }
}
