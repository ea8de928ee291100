//! From a table and the chosen columns to series of points. Bounded: so many series, so many categories.

use std::borrow::Cow;
use std::collections::HashMap;

use super::choose::Choice;
use super::scale::Measure;
use super::scene::Scene;
use super::{Column, ColumnKind, Kind, Properties, Table, Value, text};

/// More series than these are not drawn; the picture says so.
pub const SERIES_MAX: usize = 100;
/// Cells that the expansion of arrays may yield.
const EXPANDED_ROWS_MAX: usize = 500_000;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub x: f64,
    /// NaN: a gap.
    pub y: f64,
    pub anomaly: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    pub name: String,
    /// Which of the chosen y columns it measures.
    pub y_column: usize,
    pub points: Vec<Point>,
}

/// What the x axis holds.
#[derive(Clone, Debug, PartialEq)]
pub enum XAxis {
    Measured(Measure),
    Categories(Vec<String>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Data {
    pub x: XAxis,
    pub y_measure: Measure,
    pub series: Vec<Series>,
}

/// The table with dynamic columns told apart by what their values hold.
pub fn refine(table: &Table) -> Cow<'_, Table> {
    if table.columns.iter().all(|column| column.kind != ColumnKind::Dynamic) {
        return Cow::Borrowed(table);
    }
    let mut table = table.clone();
    for at in 0..table.columns.len() {
        if table.columns[at].kind != ColumnKind::Dynamic {
            continue;
        }
        let (mut numbers, mut times, mut points, mut others, mut scalars) = (0, 0, 0, 0, 0);
        for row in &table.rows {
            match row.get(at) {
                Some(Value::Array(values)) => {
                    for value in values.iter().take(100) {
                        match value {
                            Value::Integer(_) | Value::Real(_) | Value::Decimal(_) => numbers += 1,
                            Value::DateTime(_) => times += 1,
                            Value::Text(text) if parse_datetime(text).is_some() => times += 1,
                            Value::Null => {}
                            _ => others += 1,
                        }
                    }
                }
                Some(Value::Point { .. }) => points += 1,
                Some(Value::Integer(_) | Value::Real(_)) => scalars += 1,
                Some(Value::Null) | None => {}
                _ => others += 1,
            }
        }
        table.columns[at].kind = match (numbers, times, points, scalars, others) {
            (1.., 0, 0, 0, 0) => ColumnKind::Numbers,
            (0, 1.., 0, 0, 0) => ColumnKind::Times,
            (0, 0, 1.., 0, 0) => ColumnKind::Points,
            (0, 0, 0, 1.., 0) => ColumnKind::Number,
            _ => ColumnKind::Dynamic,
        };
    }
    Cow::Owned(table)
}

/// Ticks of a datetime as JSON texts have it: `2017-01-05T00:00:00.0000000Z`.
pub fn parse_datetime(text: &str) -> Option<i64> {
    let (day, rest) = text.strip_suffix('Z').unwrap_or(text).split_once(['T', ' '])?;
    let mut day = day.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, date) = (day.next()??, day.next()??, day.next()??);
    let (clock, fraction) = rest.split_once('.').unwrap_or((rest, ""));
    let mut clock = clock.split(':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next().unwrap_or(Some(0))?);
    if !(1..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&date) {
        return None;
    }
    if !(0..24).contains(&hour) || !(0..60).contains(&minute) || !(0..60).contains(&second) {
        return None;
    }
    let digits: String = fraction.chars().chain("0000000".chars()).take(7).collect();
    let part: i64 = digits.parse().ok()?;
    let days = text::days_of(year, month, date);
    Some(
        ((days * 24 + hour) * 60 + minute) * 60 * text::TICKS_PER_SECOND
            + second * text::TICKS_PER_SECOND
            + part,
    )
}

/// Arrays of the chosen columns become rows of their elements.
fn expand(table: &Table, choice: &Choice) -> Option<Table> {
    let wanted = || choice.x.iter().chain(&choice.y).chain(&choice.anomalies).copied();
    let arrays: Vec<usize> =
        wanted().filter(|at| matches!(table.kind(*at), ColumnKind::Numbers | ColumnKind::Times)).collect();
    if arrays.is_empty() {
        return None;
    }
    let columns: Vec<Column> = table
        .columns
        .iter()
        .enumerate()
        .map(|(at, column)| Column {
            name: column.name.clone(),
            kind: match column.kind {
                ColumnKind::Numbers if arrays.contains(&at) => ColumnKind::Number,
                ColumnKind::Times if arrays.contains(&at) => ColumnKind::DateTime,
                kind => kind,
            },
        })
        .collect();
    let kept: Vec<usize> = wanted().chain(choice.series.iter().copied()).collect();
    let mut rows = Vec::new();
    for row in 0..table.rows.len() {
        let length = arrays.iter().map(|at| match table.value(row, *at) {
            Value::Array(values) => values.len(),
            _ => 0,
        });
        for item in 0..length.max().unwrap_or(0) {
            if rows.len() >= EXPANDED_ROWS_MAX {
                break;
            }
            let value = |at: usize| {
                if !kept.contains(&at) {
                    return Value::Null;
                }
                match table.value(row, at) {
                    Value::Array(values) if arrays.contains(&at) => match values.get(item) {
                        Some(Value::Text(text)) => parse_datetime(text).map_or(Value::Null, Value::DateTime),
                        Some(value) => value.clone(),
                        None => Value::Null,
                    },
                    value => value.clone(),
                }
            };
            rows.push((0..columns.len()).map(value).collect());
        }
    }
    Some(Table { columns, rows, rows_total: None })
}

fn measure_of(kind: ColumnKind) -> Option<Measure> {
    match kind {
        ColumnKind::Number | ColumnKind::Numbers => Some(Measure::Number),
        ColumnKind::DateTime | ColumnKind::Times => Some(Measure::Time),
        ColumnKind::TimeSpan => Some(Measure::Span),
        _ => None,
    }
}

/// The name of a row's series by its series columns; `None` without such.
pub fn series_name(table: &Table, row: usize, columns: &[usize]) -> Option<String> {
    let mut columns = columns.iter();
    let mut name = text::name(table.value(row, *columns.next()?));
    for column in columns {
        name.push_str(", ");
        name.push_str(&text::name(table.value(row, *column)));
    }
    Some(name)
}

/// Reads the series; what is left out is noted in the scene.
pub fn read(scene: &mut Scene, table: &Table, properties: &Properties, choice: &Choice) -> Data {
    let expanded = expand(table, choice);
    let table = expanded.as_ref().unwrap_or(table);
    let x_kind = choice.x.map_or(ColumnKind::Number, |at| table.kind(at));
    let y_kinds: Vec<Option<Measure>> = choice.y.iter().map(|at| measure_of(table.kind(*at))).collect();
    let y_measure = match y_kinds.first() {
        Some(Some(first)) if y_kinds.iter().all(|kind| *kind == Some(*first)) => *first,
        _ => Measure::Number,
    };
    let mut categories: Vec<String> = Vec::new();
    let mut category_of: HashMap<String, usize> = HashMap::new();
    let measured = measure_of(x_kind);
    let mut series: Vec<Series> = Vec::new();
    let mut series_of: HashMap<(String, usize), usize> = HashMap::new();
    let mut without_x = 0_u64;
    for row in 0..table.rows.len() {
        let x = match (choice.x, measured) {
            (None, _) => row as f64,
            (Some(at), Some(_)) => match table.value(row, at).number() {
                Some(x) => x,
                None => {
                    without_x += 1;
                    continue;
                }
            },
            (Some(at), None) => {
                let name = text::name(table.value(row, at));
                let next = categories.len();
                let index = *category_of.entry(name).or_insert_with_key(|name| {
                    categories.push(name.clone());
                    next
                });
                index as f64
            }
        };
        let group = series_name(table, row, &choice.series);
        for (position, column) in choice.y.iter().enumerate() {
            let key = (group.clone().unwrap_or_default(), position);
            let next = series.len();
            let index = *series_of.entry(key).or_insert(next);
            if index == next {
                let name = match &group {
                    Some(group) if choice.y.len() == 1 => group.clone(),
                    Some(group) => format!("{group}: {}", table.name(*column)),
                    None => table.name(*column).to_owned(),
                };
                series.push(Series { name, y_column: position, points: Vec::new() });
            }
            if index >= SERIES_MAX {
                // Known, counted, not drawn.
                continue;
            }
            let y = table.value(row, *column).number().unwrap_or(f64::NAN);
            // The k-th column of anomalies tells of the k-th measure.
            let flag = choice.anomalies.iter().enumerate().any(|(at, flags)| {
                at.min(choice.y.len() - 1) == position
                    && table.value(row, *flags).number().is_some_and(|flag| flag != 0.0)
            });
            series[index].points.push(Point { x, y, anomaly: flag });
        }
    }
    if without_x > 0 {
        scene.note(format!("{} rows without x left out", text::grouped(without_x as i64)));
    }
    if series.len() > SERIES_MAX {
        scene.note(format!("first {SERIES_MAX} of {} series", text::grouped(series.len() as i64)));
        series.truncate(SERIES_MAX);
    }
    let x = match measured {
        Some(measure) => XAxis::Measured(measure),
        None => XAxis::Categories(categories),
    };
    if properties.kind != Kind::ScatterChart {
        for one in &mut series {
            one.points.sort_by(|left, right| left.x.total_cmp(&right.x));
        }
    }
    if properties.accumulate {
        for one in &mut series {
            let mut sum = 0.0;
            for point in &mut one.points {
                if point.y.is_finite() {
                    sum += point.y;
                    point.y = sum;
                }
            }
        }
    }
    Data { x, y_measure, series }
}

impl Data {
    /// The least and the largest x of all points.
    pub fn x_range(&self) -> Option<(f64, f64)> {
        range(self.series.iter().flat_map(|one| one.points.iter().map(|point| point.x)))
    }
}

pub fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.filter(|value| value.is_finite()).fold(None, |found, value| match found {
        None => Some((value, value)),
        Some((low, high)) => Some((value.min(low), value.max(high))),
    })
}
