//! Maps in characters: coast lines as small dots, places as marks upon them.

use super::super::choose::Choice;
use super::super::map::{Places, bounds, places, view};
use super::super::scene::Area;
use super::super::{Properties, Table, earth};
use super::{Canvas, Page, centred};

/// Marks of the places, by series.
const MARKS: [char; 6] = ['●', '◆', '▲', '■', '✚', '○'];

pub fn draw(page: &mut Page, table: &Table, properties: &Properties, choice: &Choice) {
    let Places { points, names, .. } = places(table, choice);
    let Some(bounds) = bounds(&points) else {
        return page.line(&centred("No data", page.width));
    };
    let has_legend = properties.legend != Some(false) && names.len() > 1;
    let rows = page.left().saturating_sub(usize::from(has_legend) + 1).max(3);
    let columns = page.width.max(8);
    let plot = Area { x: 0.0, y: 0.0, width: columns as f64 * 2.0, height: rows as f64 * 4.0 };
    let (x, y) = view(bounds, plot);
    let mut canvas = Canvas::new(columns, rows);
    for coast in &earth::earth().coasts {
        let line: Vec<(f64, f64)> =
            coast.iter().map(|(longitude, latitude)| (x.at(*longitude), y.at(*latitude))).collect();
        for pair in line.windows(2) {
            let [from, to] = pair else { continue };
            let touches = from.0.max(to.0) >= 0.0
                && from.0.min(to.0) <= plot.width
                && from.1.max(to.1) >= 0.0
                && from.1.min(to.1) <= plot.height;
            if touches {
                canvas.line(*from, *to, None);
            }
        }
    }
    let mut marks: Vec<Option<usize>> = vec![None; columns * rows];
    for (longitude, latitude, _, series) in &points {
        let (column, row) = ((x.at(*longitude) / 2.0) as usize, (y.at(*latitude) / 4.0) as usize);
        if column < columns && row < rows {
            marks[row * columns + column] = Some(*series);
        }
    }
    for row in 0..rows {
        let mut line = String::new();
        for column in 0..columns {
            match marks[row * columns + column] {
                Some(series) => {
                    let mark = MARKS[series % MARKS.len()].to_string();
                    line.push_str(&page.coloured(&mark, series));
                }
                None => line.push(canvas.character(column, row)),
            }
        }
        page.line(&line);
    }
    if has_legend {
        let named: Vec<String> = names
            .iter()
            .enumerate()
            .map(|(at, name)| format!("{} {name}", page.coloured(&MARKS[at % MARKS.len()].to_string(), at)))
            .collect();
        let shown = named.len().min((page.width / 16).max(1));
        let more =
            if shown < named.len() { format!("  and {} more", named.len() - shown) } else { String::new() };
        page.line(&format!("{}{more}", named[..shown].join("  ")));
    }
}
