//! Pictures of query results: a neutral table and the properties of `render` become SVG, PNG or terminal characters.
//!
//! Table → columns chosen (`choose`) → series (`data`) → shapes (one file per family of kinds) → `svg`, `png` or
//! `blocks`. Knows nothing of HTTP, the engine or Arrow. Reference: render-operator, visualization-*.

mod axes;
mod bars;
mod blocks;
mod card;
mod cartesian;
pub mod choose;
mod data;
mod earth;
mod font;
mod frame;
mod grid;
mod ladder;
mod map;
mod pie;
mod pivot;
mod plotly;
mod png;
pub mod properties;
mod scale;
mod scene;
mod svg;
mod text;
mod theme;
mod time_pivot;
mod treemap;

#[cfg(test)]
mod tests;

pub use cartesian::PANELS_MAX;
pub use properties::{Kind, Properties, VisualKind};
pub use theme::Theme;

use scene::Scene;

/// The kind of a column, as far as a picture cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    Bool,
    /// int, long, real, decimal
    Number,
    DateTime,
    TimeSpan,
    /// string, guid
    Text,
    /// dynamic of which nothing is known
    Dynamic,
    /// dynamic whose values are arrays of numbers
    Numbers,
    /// dynamic whose values are arrays of datetimes
    Times,
    /// dynamic whose values are GeoJSON points
    Points,
}

impl ColumnKind {
    /// By the name of a Kusto type; `dynamic(real)`, `dynamic(datetime)` and `dynamic(point)` say what the values hold.
    pub fn of_type(name: &str) -> ColumnKind {
        match name.trim().to_ascii_lowercase().as_str() {
            "bool" | "boolean" => ColumnKind::Bool,
            "int" | "long" | "real" | "double" | "decimal" => ColumnKind::Number,
            "datetime" | "date" => ColumnKind::DateTime,
            "timespan" | "time" => ColumnKind::TimeSpan,
            "dynamic" => ColumnKind::Dynamic,
            "dynamic(real)" | "dynamic(long)" | "dynamic(int)" | "dynamic(decimal)" => ColumnKind::Numbers,
            "dynamic(datetime)" => ColumnKind::Times,
            "dynamic(point)" => ColumnKind::Points,
            _ => ColumnKind::Text,
        }
    }
}

impl ColumnKind {
    /// As programs read it.
    pub fn name(self) -> &'static str {
        match self {
            ColumnKind::Bool => "bool",
            ColumnKind::Number => "number",
            ColumnKind::DateTime => "datetime",
            ColumnKind::TimeSpan => "timespan",
            ColumnKind::Text => "text",
            ColumnKind::Dynamic => "dynamic",
            ColumnKind::Numbers => "numbers",
            ColumnKind::Times => "datetimes",
            ColumnKind::Points => "points",
        }
    }
}

/// A value of the table. Ticks are 100 ns; datetimes count them since 0001-01-01.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    Real(f64),
    /// The text of a decimal.
    Decimal(String),
    DateTime(i64),
    TimeSpan(i64),
    Text(String),
    Array(Vec<Value>),
    Point {
        longitude: f64,
        latitude: f64,
    },
}

impl Value {
    /// The value as a finite number.
    pub fn number(&self) -> Option<f64> {
        let number = match self {
            Value::Bool(flag) => f64::from(u8::from(*flag)),
            Value::Integer(number) | Value::DateTime(number) | Value::TimeSpan(number) => *number as f64,
            Value::Real(number) => *number,
            Value::Decimal(text) => text.parse().ok()?,
            _ => return None,
        };
        number.is_finite().then_some(number)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    pub name: String,
    pub kind: ColumnKind,
}

/// Rows as a query answered them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    pub columns: Vec<Column>,
    /// Each as long as `columns`; missing values count as null.
    pub rows: Vec<Vec<Value>>,
    /// How many rows there were, where not all are here.
    pub rows_total: Option<u64>,
}

static NULL: Value = Value::Null;

impl Table {
    fn value(&self, row: usize, column: usize) -> &Value {
        self.rows.get(row).and_then(|row| row.get(column)).unwrap_or(&NULL)
    }

    fn name(&self, column: usize) -> &str {
        self.columns.get(column).map_or("", |column| column.name.as_str())
    }

    fn kind(&self, column: usize) -> ColumnKind {
        self.columns.get(column).map_or(ColumnKind::Dynamic, |column| column.kind)
    }
}

/// Size and look. Sizes are CSS pixels and are kept within `SIZE_MIN..=SIZE_MAX`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    pub width: u32,
    pub height: u32,
    pub theme: Theme,
}

impl Default for Look {
    fn default() -> Look {
        Look { width: 800, height: 400, theme: Theme::Light }
    }
}

pub const SIZE_MIN: u32 = 64;
pub const SIZE_MAX: u32 = 4096;

/// The columns, those of dynamic values by what the rows hold.
pub fn columns_of(table: &Table) -> Vec<Column> {
    data::refine(table).columns.clone()
}

/// The picture as a stand-alone SVG document.
pub fn svg(table: &Table, properties: &Properties, look: &Look) -> String {
    svg::write(&draw(table, properties, look), look.theme)
}

/// The picture as a PNG; a theme that follows the reader's becomes the light one.
///
/// # Errors
/// The picture cannot be held in memory or encoded.
pub fn png(table: &Table, properties: &Properties, look: &Look) -> Result<Vec<u8>, String> {
    png::write(&draw(table, properties, look), look.theme)
}

/// A picture that holds a message, e.g. why there is no other.
pub fn message_svg(title: &str, message: &str, look: &Look) -> String {
    svg::write(&message_scene(title, message, look), look.theme)
}

/// As [`message_svg`], as a PNG.
///
/// # Errors
/// As [`png`].
pub fn message_png(title: &str, message: &str, look: &Look) -> Result<Vec<u8>, String> {
    png::write(&message_scene(title, message, look), look.theme)
}

/// The picture in characters, lines ended by `\n`; colours are ANSI escapes.
pub fn blocks(table: &Table, properties: &Properties, width: usize, height: usize, colours: bool) -> String {
    blocks::write(&data::refine(table), properties, width.clamp(20, 400), height.clamp(6, 200), colours)
}

fn size_of(look: &Look) -> (f64, f64) {
    (f64::from(look.width.clamp(SIZE_MIN, SIZE_MAX)), f64::from(look.height.clamp(SIZE_MIN, SIZE_MAX)))
}

fn message_scene(title: &str, message: &str, look: &Look) -> Scene {
    let (width, height) = size_of(look);
    let mut scene = Scene::new(width, height);
    let area = frame::header(&mut scene, title);
    frame::message(&mut scene, area, message);
    scene.title = if title.is_empty() { "Message".to_owned() } else { title.to_owned() };
    scene.description = message.to_owned();
    scene
}

fn draw(table: &Table, properties: &Properties, look: &Look) -> Scene {
    let (width, height) = size_of(look);
    let table: &Table = &data::refine(table);
    let mut scene = Scene::new(width, height);
    let area = frame::header(&mut scene, &properties.title);
    scene.title = if properties.title.is_empty() {
        let name = properties.kind.title();
        name.to_owned()
    } else {
        properties.title.clone()
    };
    if let Some(total) = table.rows_total.filter(|total| *total > table.rows.len() as u64) {
        scene.note(format!(
            "first {} of {} rows",
            text::grouped(table.rows.len() as i64),
            text::grouped(i64::try_from(total).unwrap_or(i64::MAX))
        ));
    }
    if table.rows.is_empty() || table.columns.is_empty() {
        frame::message(&mut scene, area, "No data");
        scene.description = format!("{}: the query answered no rows.", properties.kind.title());
        return scene;
    }
    let choice = choose::choose(&table.columns, properties);
    if !choice.missing.is_empty() {
        scene.note(format!("there is no column '{}'", choice.missing.join("', '")));
    }
    if let Some(problem) = &choice.problem
        && properties.kind.needs_columns()
    {
        scene.note(format!("{problem}; shown as a table"));
        grid::draw(&mut scene, area, table);
        return scene;
    }
    match properties.kind {
        Kind::Table => grid::draw(&mut scene, area, table),
        Kind::PivotChart => pivot::draw(&mut scene, area, table, properties, &choice),
        Kind::Plotly => plotly::draw(&mut scene, area, table, properties),
        Kind::Other => {
            scene.note(format!("'{}' is not drawn here; shown as a table", properties.visualization));
            grid::draw(&mut scene, area, table);
        }
        Kind::Card => card::draw(&mut scene, area, table),
        Kind::TreeMap => treemap::draw(&mut scene, area, table, &choice),
        Kind::LadderChart => ladder::draw(&mut scene, area, table, properties, &choice),
        Kind::TimePivot => time_pivot::draw(&mut scene, area, table, properties, &choice),
        Kind::PieChart if properties.shape != VisualKind::Map => {
            pie::draw(&mut scene, area, table, properties, &choice);
        }
        Kind::PieChart | Kind::ScatterChart if properties.shape == VisualKind::Map => {
            map::draw(&mut scene, area, table, properties, &choice);
        }
        _ => cartesian::draw(&mut scene, area, table, properties, &choice),
    }
    scene
}
