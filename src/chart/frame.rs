//! What is around every picture: title, notes, legend, and the message where there is nothing to draw.

use super::font;
use super::scene::{Anchor, Area, Group, Label, Node, Paint, Scene};

/// Size of ordinary text.
pub fn text_size(scene: &Scene) -> f64 {
    if scene.width < 360.0 || scene.height < 200.0 { 10.0 } else { 12.0 }
}

/// The picture's own area below its title.
pub fn header(scene: &mut Scene, title: &str) -> Area {
    let pad = if scene.width < 200.0 || scene.height < 150.0 { 6.0 } else { 12.0 };
    let area = Area { x: 0.0, y: 0.0, width: scene.width, height: scene.height }.inset(pad, pad, pad, pad);
    title_above(scene, area, title)
}

/// Writes a title at the top and gives the rest of the area.
pub fn title_above(scene: &mut Scene, area: Area, title: &str) -> Area {
    if title.trim().is_empty() {
        return area;
    }
    let size = if scene.width < 360.0 { 12.0 } else { 16.0 };
    let mut group = Group::fill(Paint::Text);
    group.fitted(area.x, area.y + size * 0.85, title, size, Anchor::Start, area.width);
    scene.add(group);
    area.inset(0.0, size + 10.0, 0.0, 0.0)
}

/// Writes the notes at the bottom and gives the rest of the area.
pub fn notes(scene: &mut Scene, area: Area) -> Area {
    if scene.notes.is_empty() {
        return area;
    }
    let size = text_size(scene) - 1.0;
    let text = format!("Note: {}", scene.notes.join("; "));
    let mut group = Group::fill(Paint::Muted);
    group.fitted(area.x, area.bottom() - 1.0, &text, size, Anchor::Start, area.width);
    scene.add(group);
    area.inset(0.0, 0.0, 0.0, size + 5.0)
}

/// A text as lines of at most so much width; the last is cut where there are more.
pub fn wrap(text: &str, size: f64, room: f64, lines_max: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if line.is_empty() || font::width(&longer, size) <= room {
            line = longer;
            continue;
        }
        if lines.len() + 1 >= lines_max {
            line = words.fold(longer, |line, word| format!("{line} {word}"));
            break;
        }
        lines.push(std::mem::replace(&mut line, word.to_owned()));
    }
    lines.push(line);
    lines.truncate(lines_max.max(1));
    lines.iter().map(|line| font::fit(line, size, room)).collect()
}

/// A message in the middle, broken into lines.
pub fn message(scene: &mut Scene, area: Area, message: &str) {
    let size = text_size(scene) + 1.0;
    let lines_max = ((area.height / (size * 1.4)) as usize).max(1);
    let mut lines: Vec<String> = Vec::new();
    for paragraph in message.lines() {
        if lines.len() >= lines_max {
            break;
        }
        lines.extend(wrap(paragraph, size, area.width, lines_max - lines.len()));
    }
    let mut group = Group::fill(Paint::Muted);
    let top = area.y + (area.height - lines.len() as f64 * size * 1.4) / 2.0 + size;
    for (at, line) in lines.iter().enumerate() {
        let y = top + at as f64 * size * 1.4;
        group.fitted(area.x + area.width / 2.0, y, line, size, Anchor::Middle, area.width);
    }
    scene.add(group);
}

/// An upright title beside a y axis.
pub fn upward(group: &mut Group, x: f64, y: f64, text: &str, size: f64, room: f64) {
    let cut = font::fit(text, size, room);
    let full = (cut != text).then(|| text.chars().take(1000).collect());
    group.nodes.push(Node::Label(Label {
        x,
        y,
        text: cut,
        size,
        anchor: Anchor::Middle,
        upward: true,
        full,
    }));
}

/// Draws the names of the series, each with the colour of its position, below or to the right, and gives the rest
/// of the area. What has no room is counted.
pub fn legend(scene: &mut Scene, area: Area, names: &[(String, Paint)]) -> Area {
    let size = text_size(scene);
    let line = size + 6.0;
    if names.is_empty() || area.width < 60.0 || area.height < 60.0 {
        return area;
    }
    let more_width = font::width("and 999 more", size) + 8.0;
    let widest = (area.width * 0.45).min(260.0).min((area.width - more_width - 32.0).max(40.0));
    let entry = |name: &str| font::width(name, size).min(widest) + 32.0;
    let total: f64 = names.iter().map(|(name, _)| entry(name)).sum();
    let rows_below = (total / area.width).ceil();
    let mut group = Group::fill(Paint::Text);
    let mut marks: Vec<(Paint, f64, f64)> = Vec::new();
    let rest;
    if area.width >= 520.0 && rows_below > 2.0 {
        let longest = names.iter().map(|(name, _)| entry(name)).fold(0.0, f64::max);
        let width = longest.min(area.width * 0.28).max(90.0);
        let room = ((area.height / line) as usize).max(1);
        let shown = if names.len() > room { room - 1 } else { names.len() };
        let x = area.right() - width + 8.0;
        for (at, (name, paint)) in names.iter().take(shown).enumerate() {
            let y = area.y + (at as f64 + 0.5) * line;
            marks.push((*paint, x, y));
            group.fitted(x + 16.0, y + size * 0.35, name, size, Anchor::Start, width - 24.0);
        }
        if shown < names.len() {
            let y = area.y + (shown as f64 + 0.5) * line + size * 0.35;
            group.text(x, y, format!("and {} more", names.len() - shown), size, Anchor::Start);
        }
        rest = area.inset(0.0, 0.0, width + 8.0, 0.0);
    } else {
        let rows_max = ((area.height * 0.25 / line) as usize).clamp(1, 4);
        let (mut x, mut row, mut shown) = (0.0, 0, 0);
        let mut places: Vec<(f64, usize)> = Vec::new();
        for (at, (name, _)) in names.iter().enumerate() {
            let width = entry(name);
            let last = at + 1 == names.len();
            if x > 0.0 && x + width - 16.0 > area.width {
                x = 0.0;
                row += 1;
            }
            let reserve = if last || row + 1 < rows_max { 0.0 } else { more_width };
            if row >= rows_max || (x > 0.0 && reserve > 0.0 && x + width + reserve > area.width) {
                break;
            }
            places.push((x, row));
            x += width;
            shown += 1;
        }
        let rows = places.last().map_or(1, |(_, row)| row + 1);
        let top = area.bottom() - rows as f64 * line;
        for ((name, paint), (x, row)) in names.iter().zip(&places) {
            let y = top + (*row as f64 + 0.5) * line + 1.0;
            marks.push((*paint, area.x + x, y));
            group.fitted(area.x + x + 16.0, y + size * 0.35, name, size, Anchor::Start, widest);
        }
        if shown < names.len() {
            let x = if row + 1 > rows {
                let last = places.len().checked_sub(1).map_or(0.0, |last| entry(&names[last].0));
                places.last().map_or(0.0, |(x, _)| x + last)
            } else {
                x
            };
            let y = top + (rows as f64 - 0.5) * line + 1.0 + size * 0.35;
            group.text(area.x + x, y, format!("and {} more", names.len() - shown), size, Anchor::Start);
        }
        rest = area.inset(0.0, 0.0, 0.0, rows as f64 * line + 4.0);
    }
    for (paint, x, y) in marks {
        let mut mark = Group::fill(paint);
        mark.nodes.push(Node::Rect { area: Area { x, y: y - 5.0, width: 10.0, height: 10.0 }, radius: 2.0 });
        group.nodes.push(Node::Group(mark));
    }
    scene.add(group);
    rest
}
