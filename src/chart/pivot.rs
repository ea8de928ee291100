//! Pivot charts: the numbers summed by row and column as a table, and below it as a chart.

use std::borrow::Cow;
use std::collections::HashMap;

use super::choose::Choice;
use super::scene::{Area, Scene};
use super::{Column, ColumnKind, Kind, Properties, Table, Value, VisualKind, cartesian, data, grid, text};

/// More columns cannot be read.
const COLUMNS_MAX: usize = 24;
/// Rows of the pivot that are held.
const ROWS_MAX: usize = 5000;

pub fn draw(scene: &mut Scene, area: Area, table: &Table, properties: &Properties, choice: &Choice) {
    let Some(x) = choice.x else { return };
    let (table, y) = measured(table, choice);
    let table: &Table = &table;
    let pivoted = pivot(scene, table, x, &choice.series, y);
    let is_time = table.kind(x) == ColumnKind::DateTime;
    let part = (area.height * 0.42).min((pivoted.rows.len() as f64 + 2.0) * 24.0 + 20.0);
    let (upper, lower) = if area.height < 220.0 {
        // No room for both.
        (Area { height: 0.0, ..area }, area)
    } else {
        (Area { height: part, ..area }, area.inset(0.0, part + 12.0, 0.0, 0.0))
    };
    let chart = Properties {
        kind: if is_time { Kind::TimeChart } else { Kind::ColumnChart },
        shape: if is_time { VisualKind::Default } else { VisualKind::Stacked },
        ..properties.clone()
    };
    let choice = Choice { x: Some(x), y: vec![y], series: choice.series.clone(), ..Choice::default() };
    if upper.height > 0.0 {
        let notes = std::mem::take(&mut scene.notes);
        grid::draw(scene, upper, &pivoted);
        scene.notes = notes;
    }
    cartesian::draw(scene, lower, &sums(&pivoted, table, x, y), &chart, &of_sums(&choice));
    scene.description = format!(
        "Pivot of {} by {} ({} rows{}). {}",
        table.name(y),
        table.name(x),
        text::grouped(pivoted.rows.len().saturating_sub(1) as i64),
        match choice.series.first() {
            Some(series) => format!(", columns by {}", table.name(*series)),
            None => String::new(),
        },
        scene.description
    );
}

/// The pivot as a table: a first row of totals, a last column of totals where there are several columns.
pub fn table_of(scene: &mut Scene, table: &Table, choice: &Choice) -> Option<Table> {
    let x = choice.x?;
    let (table, y) = measured(table, choice);
    Some(pivot(scene, &table, x, &choice.series, y))
}

/// The table and the column that is summed.
fn measured<'a>(table: &'a Table, choice: &Choice) -> (Cow<'a, Table>, usize) {
    match choice.y.first() {
        Some(y) => (Cow::Borrowed(table), *y),
        None => (Cow::Owned(with_ones(table)), table.columns.len()),
    }
}

/// The same rows with a last column `count` of ones.
fn with_ones(table: &Table) -> Table {
    let mut table = table.clone();
    let width = table.columns.len();
    table.columns.push(Column { name: "count".to_owned(), kind: ColumnKind::Number });
    for row in &mut table.rows {
        row.resize(width, Value::Null);
        row.push(Value::Integer(1));
    }
    table
}

/// Key of a row, as it is told apart from others.
fn key(value: &Value) -> String {
    text::name(value)
}

fn pivot(scene: &mut Scene, table: &Table, x: usize, series: &[usize], y: usize) -> Table {
    let mut names: Vec<String> = Vec::new();
    let mut name_of: HashMap<String, usize> = HashMap::new();
    let mut rows: Vec<(Value, HashMap<usize, f64>)> = Vec::new();
    let mut row_of: HashMap<String, usize> = HashMap::new();
    for row in 0..table.rows.len() {
        let Some(number) = table.value(row, y).number() else { continue };
        let place = table.value(row, x);
        let next = rows.len();
        let at = *row_of.entry(key(place)).or_insert(next);
        if at == next {
            if rows.len() >= ROWS_MAX {
                continue;
            }
            rows.push((place.clone(), HashMap::new()));
        }
        let Some((_, sums)) = rows.get_mut(at) else { continue };
        let name = data::series_name(table, row, series).unwrap_or_else(|| table.name(y).to_owned());
        let next = names.len();
        let column = *name_of.entry(name.clone()).or_insert(next);
        if column == next {
            names.push(name);
        }
        *sums.entry(column).or_insert(0.0) += number;
    }
    if matches!(table.kind(x), ColumnKind::DateTime | ColumnKind::Number | ColumnKind::TimeSpan) {
        let order = |value: &Value| value.number().unwrap_or(f64::INFINITY);
        rows.sort_by(|left, right| order(&left.0).total_cmp(&order(&right.0)));
    }
    if names.len() > COLUMNS_MAX {
        scene.note(format!("first {COLUMNS_MAX} of {} columns", names.len()));
    }
    let shown = names.len().min(COLUMNS_MAX);
    let mut columns = vec![Column { name: table.name(x).to_owned(), kind: table.kind(x) }];
    let number = |name: &str| Column { name: name.to_owned(), kind: ColumnKind::Number };
    columns.extend(names.iter().take(shown).map(|name| number(name)));
    let several = names.len() > 1;
    if several {
        columns.push(number("Total"));
    }
    let mut below = vec![0.0; shown + 1];
    let mut out: Vec<Vec<Value>> = rows
        .into_iter()
        .map(|(place, sums)| {
            let total: f64 = sums.values().sum();
            let mut row = vec![place];
            for (at, below) in below.iter_mut().enumerate().take(shown) {
                let sum = sums.get(&at).copied();
                *below += sum.unwrap_or(0.0);
                row.push(sum.map_or(Value::Null, whole_or_real));
            }
            below[shown] += total;
            if several {
                row.push(whole_or_real(total));
            }
            row
        })
        .collect();
    let mut totals = vec![Value::Text("Total".to_owned())];
    totals.extend(below.iter().take(if several { shown + 1 } else { shown }).map(|sum| whole_or_real(*sum)));
    out.insert(0, totals);
    Table { columns, rows: out, rows_total: None }
}

fn whole_or_real(sum: f64) -> Value {
    if sum.fract() == 0.0 && sum.abs() < 9e15 { Value::Integer(sum as i64) } else { Value::Real(sum) }
}

/// The sums as rows of place, series and number, for the chart.
fn sums(pivoted: &Table, table: &Table, x: usize, y: usize) -> Table {
    let columns = vec![
        Column { name: table.name(x).to_owned(), kind: table.kind(x) },
        Column { name: "series".to_owned(), kind: ColumnKind::Text },
        Column { name: table.name(y).to_owned(), kind: ColumnKind::Number },
    ];
    // Without the column of totals.
    let count = pivoted.columns.len() - 1 - usize::from(pivoted.columns.len() > 2);
    let mut rows = Vec::new();
    for row in pivoted.rows.iter().skip(1) {
        for (column, value) in pivoted.columns.iter().zip(row).skip(1).take(count) {
            rows.push(vec![row[0].clone(), Value::Text(column.name.clone()), value.clone()]);
        }
    }
    Table { columns, rows, rows_total: None }
}

fn of_sums(choice: &Choice) -> Choice {
    let series = if choice.series.is_empty() { Vec::new() } else { vec![1] };
    Choice { x: Some(0), y: vec![2], series, ..Choice::default() }
}
