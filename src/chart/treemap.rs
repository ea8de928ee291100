//! Tree maps: nested rectangles whose areas are the sizes, laid out squarish.

use super::choose::Choice;
use super::font;
use super::frame;
use super::scene::{Anchor, Area, Group, Node, Paint, Scene};
use super::{Properties, Table, text};

/// More leaves cannot be seen.
const LEAVES_MAX: usize = 2000;

#[derive(Debug, Default)]
struct Branch {
    name: String,
    size: f64,
    children: Vec<Branch>,
    positions: std::collections::HashMap<String, usize>,
}

impl Branch {
    fn grow(&mut self, names: &[String], size: f64) {
        self.size += size;
        let Some((first, rest)) = names.split_first() else { return };
        let next = self.children.len();
        let at = *self.positions.entry(first.clone()).or_insert(next);
        if at == next {
            self.children.push(Branch { name: first.clone(), ..Branch::default() });
        }
        self.children[at].grow(rest, size);
    }

    fn sort(&mut self) {
        self.children.sort_by(|left, right| right.size.total_cmp(&left.size));
        for child in &mut self.children {
            child.sort();
        }
    }
}

pub fn draw(scene: &mut Scene, area: Area, table: &Table, properties: &Properties, choice: &Choice) {
    let Some(size_column) = choice.y.first() else { return };
    let mut root = Branch::default();
    let mut lost = 0_usize;
    let mut leaves: Vec<(f64, usize)> = Vec::new();
    for row in 0..table.rows.len() {
        match table.value(row, *size_column).number().filter(|size| *size > 0.0) {
            Some(size) => leaves.push((size, row)),
            None => lost += 1,
        }
    }
    if leaves.len() > LEAVES_MAX {
        leaves.sort_by(|left, right| right.0.total_cmp(&left.0));
        scene.note(format!("the largest {LEAVES_MAX} of {} rows", text::grouped(leaves.len() as i64)));
        leaves.truncate(LEAVES_MAX);
    }
    // The depth that can still be told apart.
    let levels: Vec<usize> = choice.series.iter().copied().take(6).collect();
    for (size, row) in &leaves {
        let names: Vec<String> = levels.iter().map(|at| text::name(table.value(*row, *at))).collect();
        root.grow(&names, *size);
    }
    root.sort();
    if lost > 0 {
        scene.note(format!("{} rows without a positive size left out", text::grouped(lost as i64)));
    }
    let area = frame::notes(scene, area);
    if !(root.size > 0.0 && root.size.is_finite()) {
        frame::message(scene, area, "No data");
        scene.description = "Tree map: no positive sizes to draw.".to_owned();
        return;
    }
    let largest: Vec<String> = root
        .children
        .iter()
        .take(5)
        .map(|child| format!("{} {}", child.name, text::number(child.size)))
        .collect();
    scene.description = format!(
        "Tree map of {} by {}: {} parts, {} in all; the largest: {}.",
        table.name(*size_column),
        levels.iter().map(|at| table.name(*at)).collect::<Vec<_>>().join(", "),
        root.children.len(),
        text::number(root.size),
        largest.join(", ")
    );
    let _ = properties;
    let text_size = frame::text_size(scene);
    for (at, (child, place)) in root.children.iter().zip(layout(&root.children, area)).enumerate() {
        branch(scene, child, place, Paint::Series(at), Paint::OnSeries(at), &child.name, text_size, 0);
    }
}

#[expect(clippy::too_many_arguments, reason = "one call, a plain recursion")]
fn branch(
    scene: &mut Scene,
    node: &Branch,
    area: Area,
    paint: Paint,
    on: Paint,
    path: &str,
    size: f64,
    depth: usize,
) {
    if area.width < 1.0 || area.height < 1.0 {
        return;
    }
    let mut group = Group {
        fill: Some(paint),
        stroke: Some(Paint::Background),
        width: if depth == 0 { 2.0 } else { 1.0 },
        title: Some(format!("{path}: {}", text::number(node.size))),
        ..Group::default()
    };
    group.nodes.push(Node::Rect { area, radius: 0.0 });
    scene.add(group);
    let mut texts = Group::fill(on);
    let room = area.width - 10.0;
    let has_head = area.height > size + 6.0 && room > size * 1.5;
    if has_head {
        texts.fitted(area.x + 6.0, area.y + size + 3.0, &node.name, size, Anchor::Start, room);
    }
    if node.children.is_empty() {
        let value = text::short(node.size);
        if area.height > size * 2.6 + 8.0 && font::width(&value, size) < room {
            texts.text(area.x + 6.0, area.y + size * 2.3 + 3.0, value, size, Anchor::Start);
        }
        scene.add(texts);
        return;
    }
    scene.add(texts);
    let inner = area.inset(3.0, if has_head { size + 8.0 } else { 3.0 }, 3.0, 3.0);
    if inner.width < 4.0 || inner.height < 4.0 {
        return;
    }
    for (child, place) in node.children.iter().zip(layout(&node.children, inner)) {
        branch(scene, child, place, paint, on, &format!("{path}, {}", child.name), size, depth + 1);
    }
}

/// Squarified: rows along the shorter side, as long as that makes the worst rectangle squarer.
fn layout(children: &[Branch], area: Area) -> Vec<Area> {
    let total: f64 = children.iter().map(|child| child.size).sum();
    let scale = area.width * area.height / total;
    let sizes: Vec<f64> = children.iter().map(|child| child.size * scale).collect();
    let mut places = Vec::with_capacity(sizes.len());
    let mut rest = area;
    let mut at = 0;
    while at < sizes.len() {
        let side = rest.width.min(rest.height).max(1e-6);
        let worst = |sum: f64, least: f64, most: f64| {
            let thickness = sum / side;
            (most / thickness / thickness).max(thickness * thickness / least)
        };
        let (mut sum, mut end) = (sizes[at], at + 1);
        while end < sizes.len() {
            let longer = sum + sizes[end];
            // Sizes come in falling order.
            if worst(longer, sizes[end], sizes[at]) > worst(sum, sizes[end - 1], sizes[at]) {
                break;
            }
            sum = longer;
            end += 1;
        }
        let thickness = sum / side;
        let mut along = 0.0;
        for size in &sizes[at..end] {
            let length = if thickness > 0.0 { size / thickness } else { 0.0 };
            places.push(if rest.width >= rest.height {
                Area { x: rest.x, y: rest.y + along, width: thickness, height: length }
            } else {
                Area { x: rest.x + along, y: rest.y, width: length, height: thickness }
            });
            along += length;
        }
        rest = if rest.width >= rest.height {
            rest.inset(thickness, 0.0, 0.0, 0.0)
        } else {
            rest.inset(0.0, thickness, 0.0, 0.0)
        };
        at = end;
    }
    places
}
