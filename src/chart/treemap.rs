//! Tree maps: nested rectangles whose areas are the sizes, laid out squarish; a leaf's colour is that of its name.

use std::collections::HashMap;

use super::choose::Choice;
use super::font;
use super::frame;
use super::scene::{Anchor, Area, Group, Node, Paint, Scene};
use super::{Table, text};

/// More leaves cannot be seen.
const LEAVES_MAX: usize = 2000;

#[derive(Debug, Default)]
struct Branch {
    name: String,
    size: f64,
    children: Vec<Branch>,
    positions: HashMap<String, usize>,
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

pub fn draw(scene: &mut Scene, area: Area, table: &Table, choice: &Choice) {
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
    let text_size = frame::text_size(scene);
    let mut painter = Painter {
        size: text_size,
        colours: HashMap::new(),
        heads: levels.iter().map(|at| table.name(*at).to_owned()).collect(),
    };
    let total = root.size;
    for (at, (child, place)) in root.children.iter().zip(layout(&root.children, area)).enumerate() {
        painter.branch(scene, child, place, &Above { total, path: "", depth: 0, tint: at });
    }
}

struct Painter {
    size: f64,
    /// A name has one colour wherever it stands.
    colours: HashMap<String, usize>,
    /// The names of the levels.
    heads: Vec<String>,
}

/// What a branch stands within.
struct Above<'a> {
    total: f64,
    path: &'a str,
    depth: usize,
    tint: usize,
}

impl Painter {
    fn branch(&mut self, scene: &mut Scene, node: &Branch, area: Area, above: &Above<'_>) {
        if area.width < 1.0 || area.height < 1.0 {
            return;
        }
        let path =
            if above.path.is_empty() { node.name.clone() } else { format!("{}, {}", above.path, node.name) };
        let share = format!("{:.1}%", node.size / above.total * 100.0).replace(".0%", "%");
        let title = Some(format!("{path}: {} ({share})", text::number(node.size)));
        if node.children.is_empty() {
            return self.leaf(scene, node, area, title, &share);
        }
        let mut ground = Group {
            fill: Some(Paint::Series(above.tint)),
            stroke: Some(Paint::Background),
            width: if above.depth == 0 { 2.0 } else { 1.0 },
            opacity: 0.25,
            title,
            ..Group::default()
        };
        ground.nodes.push(Node::Rect { area, radius: 0.0 });
        scene.add(ground);
        let room = area.width - 10.0;
        let has_head = area.height > self.size + 6.0 && room > self.size * 1.5;
        if has_head {
            let head = match self.heads.get(above.depth) {
                Some(level) => format!("{level}: {}", node.name),
                None => node.name.clone(),
            };
            // The level is said where there is room for the whole.
            let head = if font::width(&head, self.size) <= room { head } else { node.name.clone() };
            let mut texts = Group::fill(Paint::Text);
            texts.fitted(area.x + 6.0, area.y + self.size + 3.0, &head, self.size, Anchor::Start, room);
            scene.add(texts);
        }
        let inner = area.inset(3.0, if has_head { self.size + 8.0 } else { 3.0 }, 3.0, 3.0);
        if inner.width < 4.0 || inner.height < 4.0 {
            return;
        }
        for (child, place) in node.children.iter().zip(layout(&node.children, inner)) {
            let below = Above { total: node.size, path: &path, depth: above.depth + 1, tint: above.tint };
            self.branch(scene, child, place, &below);
        }
    }

    fn leaf(&mut self, scene: &mut Scene, node: &Branch, area: Area, title: Option<String>, share: &str) {
        let next = self.colours.len();
        let colour = *self.colours.entry(node.name.clone()).or_insert(next);
        let mut ground = Group {
            fill: Some(Paint::Series(colour)),
            stroke: Some(Paint::Background),
            width: 1.0,
            title,
            ..Group::default()
        };
        ground.nodes.push(Node::Rect { area, radius: 0.0 });
        scene.add(ground);
        let (room, line) = (area.width - 10.0, self.size * 1.3);
        let lines_max = ((area.height - 5.0) / line) as usize;
        if lines_max == 0 || room < self.size * 1.5 {
            return;
        }
        let whole = format!("{}: {} ({share})", node.name, text::number(node.size));
        let mut lines = frame::wrap(&whole, self.size, room, lines_max.min(4));
        if lines.iter().any(|line| line.ends_with('…')) {
            lines = frame::wrap(&node.name, self.size, room, lines_max.min(3));
        }
        let mut texts = Group::fill(Paint::OnSeries(colour));
        for (at, shown) in lines.into_iter().enumerate() {
            let y = area.y + self.size + 3.0 + at as f64 * line;
            texts.text(area.x + 6.0, y, shown, self.size, Anchor::Start);
        }
        scene.add(texts);
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
