//! The result as a table: as many rows and columns as there is room for, and how many are left out.

use super::font;
use super::frame;
use super::scene::{Anchor, Area, Group, Paint, Scene, crisp};
use super::{ColumnKind, Table, Value, text};

fn is_right(kind: ColumnKind) -> bool {
    matches!(kind, ColumnKind::Number | ColumnKind::TimeSpan)
}

/// A cell in one line; numbers keep their digits.
pub fn cell(value: &Value) -> String {
    let shown = match value {
        Value::Integer(whole) => whole.to_string(),
        Value::Real(real) if real.is_finite() => plain_real(*real),
        Value::Text(text) => text.chars().take(300).collect(),
        other => text::value(other),
    };
    shown.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

/// At most six digits after the point, or a power of ten.
fn plain_real(real: f64) -> String {
    let size = real.abs();
    if size != 0.0 && !(1e-6..1e15).contains(&size) {
        return format!("{real:e}");
    }
    let shown = format!("{real:.6}");
    shown.trim_end_matches('0').trim_end_matches('.').to_owned()
}

pub fn draw(scene: &mut Scene, area: Area, table: &Table) {
    let size = frame::text_size(scene);
    let line = size * 1.85;
    let count = table.rows.len();
    let fit = |height: f64| ((height / line) as usize).saturating_sub(1);
    let mut rows = fit(area.height);
    if rows < count {
        rows = fit(area.height - size - 6.0);
    }
    let rows = rows.min(count);
    let natural: Vec<f64> = table
        .columns
        .iter()
        .enumerate()
        .take(100)
        .map(|(at, column)| {
            let head = font::width(&column.name, size);
            (0..rows)
                .map(|row| font::width(&cell(table.value(row, at)), size))
                .fold(head, f64::max)
                .min(280.0)
                + 18.0
        })
        .collect();
    // As many columns as fit; the last may be narrowed.
    let mut widths: Vec<f64> = Vec::new();
    let mut left = area.width;
    for width in &natural {
        if left < 40.0 && !widths.is_empty() {
            break;
        }
        let width = width.min(left.max(30.0));
        widths.push(width);
        left -= width;
    }
    let mut told = Vec::new();
    if rows < count && scene.notes.iter().all(|note| !note.ends_with(" rows")) {
        told.push(format!("first {} of {} rows", text::grouped(rows as i64), text::grouped(count as i64)));
    }
    if widths.len() < table.columns.len() {
        told.push(format!("first {} of {} columns", widths.len(), table.columns.len()));
    }
    for note in told {
        scene.note(note);
    }
    let area = frame::notes(scene, area);
    let mut head = Group::fill(Paint::Soft);
    head.rect(area.x, area.y, area.width, line);
    scene.add(head);
    let mut lines = Group::stroke(Paint::Grid, 1.0);
    for row in 1..=rows + 1 {
        let y = crisp(area.y + row as f64 * line);
        lines.line(area.x, y, area.right(), y);
    }
    scene.add(lines);
    let mut names = Group::fill(Paint::Muted);
    let mut cells = Group::fill(Paint::Text);
    let mut x = area.x;
    for (at, width) in widths.iter().enumerate() {
        let kind = table.kind(at);
        let (place, anchor) =
            if is_right(kind) { (x + width - 9.0, Anchor::End) } else { (x + 9.0, Anchor::Start) };
        let room = (width - 14.0).max(4.0);
        names.fitted(place, area.y + line * 0.66, table.name(at), size, anchor, room);
        for row in 0..rows {
            let y = area.y + (row as f64 + 1.66) * line;
            let shown = cell(table.value(row, at));
            if !shown.is_empty() {
                cells.fitted(place, y, &shown, size, anchor, room);
            }
        }
        x += width;
    }
    scene.add(names);
    scene.add(cells);
    let columns: Vec<&str> = table.columns.iter().take(12).map(|column| column.name.as_str()).collect();
    scene.description = format!(
        "Table of {} rows and {} columns: {}.",
        text::grouped(count as i64),
        table.columns.len(),
        columns.join(", ")
    );
}
