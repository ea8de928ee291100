//! Pie charts: slices clockwise from the top in the order of the rows, small ones together as "Other".

use super::choose::Choice;
use super::data;
use super::font;
use super::frame;
use super::scene::{Anchor, Area, Group, Node, Paint, Scene, Segment};
use super::{Properties, Table, text};

/// More slices cannot be told apart.
const SLICES_MAX: usize = 24;

pub fn draw(scene: &mut Scene, area: Area, table: &Table, properties: &Properties, choice: &Choice) {
    let mut names: Vec<(String, f64)> = Vec::new();
    let mut positions = std::collections::HashMap::new();
    let mut negative = 0_usize;
    for row in 0..table.rows.len() {
        let columns: Vec<usize> = choice.x.iter().chain(&choice.series).copied().collect();
        let own = data::series_name(table, row, &columns);
        for y in &choice.y {
            let Some(value) = table.value(row, *y).number() else { continue };
            if value < 0.0 {
                negative += 1;
                continue;
            }
            let name = match &own {
                Some(name) if choice.y.len() == 1 => name.clone(),
                Some(name) => format!("{name}: {}", table.name(*y)),
                None if choice.y.len() == 1 => format!("row {}", row + 1),
                None => table.name(*y).to_owned(),
            };
            let next = names.len();
            let at = *positions.entry(name.clone()).or_insert(next);
            if at == next {
                names.push((name, value));
            } else {
                names[at].1 += value;
            }
        }
    }
    if negative > 0 {
        scene.note(format!("{negative} negative values left out"));
    }
    if names.len() > SLICES_MAX {
        // The largest stay, in their order.
        let mut sizes: Vec<f64> = names.iter().map(|(_, value)| *value).collect();
        sizes.sort_by(|left, right| right.total_cmp(left));
        let least = sizes[SLICES_MAX - 2];
        let mut kept = Vec::new();
        let (mut rest, mut count) = (0.0, 0);
        for (name, value) in names {
            if value >= least && kept.len() < SLICES_MAX - 1 {
                kept.push((name, value));
            } else {
                rest += value;
                count += 1;
            }
        }
        kept.push((format!("Other ({count})"), rest));
        names = kept;
    }
    let area = frame::notes(scene, area);
    let total: f64 = names.iter().map(|(_, value)| value).sum();
    if !(total > 0.0 && total.is_finite()) {
        frame::message(scene, area, "No data");
        scene.description = "Pie chart: no positive values to draw.".to_owned();
        return;
    }
    let share = |value: f64| {
        let percent = value / total * 100.0;
        if value > 0.0 && percent < 0.1 {
            "<0.1%".to_owned()
        } else {
            format!("{percent:.1}%").replace(".0%", "%")
        }
    };
    let listed: Vec<String> =
        names.iter().take(5).map(|(name, value)| format!("{name} {}", share(*value))).collect();
    scene.description = format!(
        "Pie chart of {} slices, {} in all: {}.",
        names.len(),
        text::number(total),
        listed.join(", ")
    );
    let legend: Vec<(String, Paint)> = names
        .iter()
        .enumerate()
        .map(|(at, (name, value))| (format!("{name} ({})", share(*value)), Paint::Series(at)))
        .collect();
    let area = if properties.legend == Some(false) { area } else { frame::legend(scene, area, &legend) };
    let size = frame::text_size(scene);
    let labels = area.width > 300.0 && area.height > 150.0;
    let margin = if labels { size * 2.2 } else { 2.0 };
    let radius = ((area.width.min(area.height)) / 2.0 - margin).max(4.0);
    let (cx, cy) = (area.x + area.width / 2.0, area.y + area.height / 2.0);
    let mut begin = 0.0_f64;
    let mut texts = Group::fill(Paint::Text);
    let mut taken: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
    for (at, (name, value)) in names.iter().enumerate() {
        let part = value / total;
        let end = begin + part;
        let point = |part: f64, radius: f64| {
            let angle = part * std::f64::consts::TAU;
            (cx + radius * angle.sin(), cy - radius * angle.cos())
        };
        let mut slice = Group {
            fill: Some(Paint::Series(at)),
            stroke: Some(Paint::Background),
            width: if names.len() > 1 { 1.5 } else { 0.5 },
            title: Some(format!("{name}: {} ({})", text::number(*value), share(*value))),
            ..Group::default()
        };
        if part * radius > 0.02 {
            slice.nodes.push(self::slice((cx, cy), radius, begin, end));
        }
        scene.add(slice);
        let middle = (begin + end) / 2.0;
        let (x, y) = point(middle, radius + 8.0);
        let right = middle < 0.5;
        if labels
            && part >= 0.015
            && taken[usize::from(right)].iter().all(|other| (other - y).abs() > size + 1.0)
        {
            let room = if right { area.right() - x } else { x - area.x } - 2.0;
            if room > 24.0 {
                taken[usize::from(right)].push(y);
                let anchor = if right { Anchor::Start } else { Anchor::End };
                texts.fitted(x, y + size * 0.35, name, size, anchor, room);
            }
        }
        let inner = share(*value);
        if part * radius * std::f64::consts::TAU * 0.65 > font::width(&inner, size) + 4.0 && radius > 40.0 {
            let (x, y) = point(middle, radius * 0.65);
            let mut on = Group::fill(Paint::OnSeries(at));
            on.text(x, y + size * 0.35, inner, size, Anchor::Middle);
            scene.add(on);
        }
        begin = end;
    }
    scene.add(texts);
}

/// A slice from one part of the circle to another, both 0..=1, clockwise from the top.
pub fn slice((cx, cy): (f64, f64), radius: f64, begin: f64, end: f64) -> Node {
    if end - begin > 0.9999 {
        return Node::Circle { x: cx, y: cy, radius };
    }
    let point = |part: f64| {
        let angle = part * std::f64::consts::TAU;
        (cx + radius * angle.sin(), cy - radius * angle.cos())
    };
    let ((x1, y1), (x2, y2)) = (point(begin), point(end));
    Node::Path(vec![
        Segment::Move(cx, cy),
        Segment::Line(x1, y1),
        Segment::Arc { radius, large: end - begin > 0.5, clockwise: true, x: x2, y: y2 },
        Segment::Close,
    ])
}
