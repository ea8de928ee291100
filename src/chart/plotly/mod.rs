//! Plotly figures: JSON in the first cell. The common traces are drawn with our own axes and colours; others are named.
//!
//! `figure` reads the JSON, `flat` draws points, lines and bars, `heat` grids of numbers, `space` points in three
//! dimensions. Reference: visualization-plotly.

mod figure;
mod flat;
mod heat;
mod space;

use super::choose::Choice;
use super::scene::{Area, Scene};
use super::{Column, ColumnKind, Properties, Table, Value, frame, pie};
use figure::{Figure, Shape};

pub fn draw(scene: &mut Scene, area: Area, table: &Table, properties: &Properties) {
    match read(table) {
        Ok(figure) => draw_figure(scene, area, &figure, properties),
        Err(problem) => {
            frame::message(scene, area, &problem);
            scene.description = format!("Plotly figure: {problem}");
        }
    }
}

fn read(table: &Table) -> Result<Figure, String> {
    match table.value(0, 0) {
        Value::Text(text) => figure::read(text),
        _ => Err("The first cell must be a text that holds a plotly figure as JSON.".to_owned()),
    }
}

/// Why nothing of the figure can be drawn, if so.
pub fn check(table: &Table) -> Result<(), String> {
    let figure = read(table)?;
    if figure.traces.is_empty() { Err(nothing(&figure)) } else { Ok(()) }
}

fn nothing(figure: &Figure) -> String {
    if figure.undrawn.is_empty() {
        return "No data".to_owned();
    }
    format!(
        "Plotly traces of type {} are not drawn here; scatter, bar, histogram, pie, heatmap, contour, surface and scatter3d are.",
        figure.undrawn.join(", ")
    )
}

fn draw_figure(scene: &mut Scene, area: Area, figure: &Figure, properties: &Properties) {
    // The title of `render` is drawn already; else the figure's own is.
    let area = if properties.title.trim().is_empty() && !figure.title.is_empty() {
        scene.title.clone_from(&figure.title);
        frame::title_above(scene, area, &figure.title)
    } else {
        area
    };
    let Some(first) = figure.traces.first() else {
        let message = nothing(figure);
        frame::message(scene, area, &message);
        scene.description = format!("Plotly figure: {message}");
        return;
    };
    let mut undrawn = figure.undrawn.clone();
    let family = |shape: Shape| match shape {
        Shape::Scatter | Shape::Bar => 0,
        Shape::Pie => 1,
        Shape::Heat => 2,
        Shape::Space => 3,
    };
    for trace in &figure.traces {
        if family(trace.shape) != family(first.shape) {
            undrawn.push(trace.word.clone());
        }
    }
    undrawn.sort();
    undrawn.dedup();
    if !undrawn.is_empty() {
        scene.note(format!("traces of type {} are not drawn", undrawn.join(", ")));
    }
    let traces: Vec<&figure::Trace> =
        figure.traces.iter().filter(|trace| family(trace.shape) == family(first.shape)).collect();
    match first.shape {
        Shape::Scatter | Shape::Bar => flat::draw(scene, area, figure, &traces, properties),
        Shape::Heat => {
            let area = frame::notes(scene, area);
            heat::draw(scene, area, figure, first);
        }
        Shape::Space => {
            let area = frame::notes(scene, area);
            space::draw(scene, area, figure, &traces, properties);
        }
        Shape::Pie => {
            let column = |name: &str, kind| Column { name: name.to_owned(), kind };
            let table = Table {
                columns: vec![column("label", ColumnKind::Text), column("value", ColumnKind::Number)],
                rows: first
                    .x
                    .iter()
                    .zip(&first.y)
                    .map(|(name, value)| vec![name.clone(), value.clone()])
                    .collect(),
                rows_total: None,
            };
            let choice = Choice { x: Some(0), y: vec![1], ..Choice::default() };
            pie::draw(scene, area, &table, properties, &choice);
        }
    }
    scene.description = format!("Plotly figure. {}", scene.description);
}
