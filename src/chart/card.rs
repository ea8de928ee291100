//! Cards: the values of the first row, large.

use super::font;
use super::frame;
use super::scene::{Anchor, Area, Group, Paint, Scene};
use super::{Table, text};

/// More values make no card.
const VALUES_MAX: usize = 24;

pub fn draw(scene: &mut Scene, area: Area, table: &Table) {
    let count = table.columns.len().min(VALUES_MAX);
    if table.columns.len() > VALUES_MAX {
        scene.note(format!("first {VALUES_MAX} of {} values", table.columns.len()));
    }
    let area = frame::notes(scene, area);
    let columns = ((area.width / (area.height.max(1.0) * 1.2) * count as f64).sqrt().round() as usize)
        .clamp(1, count.max(1));
    let rows = count.div_ceil(columns).max(1);
    let cell =
        Area { x: area.x, y: area.y, width: area.width / columns as f64, height: area.height / rows as f64 };
    let texts: Vec<String> = (0..count)
        .map(|at| {
            let shown = text::value(table.value(0, at));
            if shown.is_empty() { "–".to_owned() } else { shown }
        })
        .collect();
    // One size for all, so that they compare.
    let widest = texts.iter().map(|shown| font::width(shown, 1.0)).fold(0.5, f64::max);
    let size = (cell.height * 0.42).min((cell.width - 16.0).max(8.0) / widest).clamp(12.0, 96.0);
    let small = (size * 0.34).clamp(10.0, 18.0);
    let mut values = Group::fill(Paint::Text);
    let mut names = Group::fill(Paint::Muted);
    for (at, shown) in texts.iter().enumerate() {
        let x = cell.x + (at % columns) as f64 * cell.width + cell.width / 2.0;
        let y = cell.y + (at / columns) as f64 * cell.height + cell.height / 2.0;
        values.fitted(x, y + size * 0.22, shown, size, Anchor::Middle, cell.width - 8.0);
        names.fitted(
            x,
            y + size * 0.22 + small * 1.7,
            table.name(at),
            small,
            Anchor::Middle,
            cell.width - 8.0,
        );
    }
    scene.add(values);
    scene.add(names);
    let told: Vec<String> =
        texts.iter().enumerate().map(|(at, shown)| format!("{} {shown}", table.name(at))).collect();
    scene.description = format!("Card: {}.", told.join(", "));
}
