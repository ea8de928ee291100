//! Time pivots: a tree of rows, one for each value of each level; events as dashes in the slices of time in which they
//! begin, upon a pale bar from the first begin to the last end.
//!
//! Levels are the series columns from the outside in. Spans of OpenTelemetry may also be a tree by their parents.

use std::collections::{HashMap, HashSet};

use super::axes;
use super::choose::Choice;
use super::data;
use super::font;
use super::frame;
use super::scale::{Measure, Scale, clock_step};
use super::scene::{Anchor, Area, Group, Node, Paint, Scene, Segment, crisp};
use super::{Properties, Table, text};

/// Deeper levels are not told apart.
const DEPTH_MAX: usize = 12;

/// A row of the picture with those below it.
#[derive(Debug, Default)]
struct Branch {
    name: String,
    events: Vec<(f64, f64)>,
    children: Vec<Branch>,
    positions: HashMap<String, usize>,
}

impl Branch {
    fn child(&mut self, name: &str) -> &mut Branch {
        let next = self.children.len();
        let at = *self.positions.entry(name.to_owned()).or_insert(next);
        if at == next {
            self.children.push(Branch { name: name.to_owned(), ..Branch::default() });
        }
        &mut self.children[at]
    }

    fn range(&self) -> Option<(f64, f64)> {
        data::range(self.events.iter().flat_map(|event| [event.0, event.1]))
    }

    /// The earliest first.
    fn sort(&mut self) {
        self.children.sort_by(|left, right| {
            let begin = |branch: &Branch| branch.range().map_or(f64::INFINITY, |range| range.0);
            begin(left).total_cmp(&begin(right))
        });
        for child in &mut self.children {
            child.sort();
        }
    }

    fn flatten(self, depth: usize, out: &mut Vec<Lane>) {
        for child in self.children {
            if let Some((begin, end)) = child.range() {
                let (name, events) = (child.name.clone(), child.events.clone());
                out.push(Lane { depth, name, begin, end, events, opened: !child.children.is_empty() });
            }
            child.flatten(depth + 1, out);
        }
    }
}

/// A row of the picture.
#[derive(Debug)]
pub struct Lane {
    pub depth: usize,
    pub name: String,
    pub begin: f64,
    pub end: f64,
    /// Begin and end of each.
    pub events: Vec<(f64, f64)>,
    /// Whether there are rows below it that belong to it.
    pub opened: bool,
}

/// The rows from top to bottom.
pub fn lanes(table: &Table, choice: &Choice) -> Vec<Lane> {
    let Some(start) = choice.x else { return Vec::new() };
    let events = events(table, choice, start);
    let mut root = match span_columns(table, &choice.series) {
        Some((id, parent)) => by_parents(table, id, parent, &events),
        None => by_levels(table, &choice.series, &events),
    };
    root.sort();
    let mut lanes = Vec::new();
    root.flatten(0, &mut lanes);
    lanes
}

struct Event {
    row: usize,
    begin: f64,
    end: f64,
}

fn events(table: &Table, choice: &Choice, start: usize) -> Vec<Event> {
    (0..table.rows.len())
        .filter_map(|row| {
            let begin = table.value(row, start).number()?;
            let end = choice.x_end.and_then(|end| table.value(row, end).number()).unwrap_or(begin);
            Some(Event { row, begin: begin.min(end), end: begin.max(end) })
        })
        .collect()
}

fn by_levels(table: &Table, levels: &[usize], events: &[Event]) -> Branch {
    let mut root = Branch::default();
    for event in events {
        let mut branch = &mut root;
        if levels.is_empty() {
            branch = branch.child("All");
            branch.events.push((event.begin, event.end));
        }
        for level in levels.iter().take(DEPTH_MAX) {
            branch = branch.child(&text::name(table.value(event.row, *level)));
            branch.events.push((event.begin, event.end));
        }
    }
    root
}

/// The columns of OpenTelemetry that make spans a tree: id and parent.
fn span_columns(table: &Table, levels: &[usize]) -> Option<(usize, usize)> {
    let find = |name: &str| table.columns.iter().position(|column| column.name == name);
    let (id, parent) = (find("SpanID")?, find("ParentID")?);
    (levels == [id]).then_some((id, parent))
}

fn by_parents(table: &Table, id: usize, parent: usize, events: &[Event]) -> Branch {
    let find = |name: &str| table.columns.iter().position(|column| column.name == name);
    let (kind, title) = (find("SpanKind"), find("SpanName"));
    let word = |row: usize, column: usize| text::name(table.value(row, column));
    let mut position: HashMap<String, usize> = HashMap::new();
    for (at, event) in events.iter().enumerate() {
        position.entry(word(event.row, id)).or_insert(at);
    }
    let mut below: Vec<Vec<usize>> = events.iter().map(|_| Vec::new()).collect();
    let mut roots = Vec::new();
    for (at, event) in events.iter().enumerate() {
        match position.get(&word(event.row, parent)).filter(|above| **above != at) {
            Some(above) => below[*above].push(at),
            None => roots.push(at),
        }
    }
    // Each span once, whatever its parents say.
    struct Maker<'a> {
        below: &'a [Vec<usize>],
        events: &'a [Event],
        name: &'a dyn Fn(usize) -> String,
        seen: HashSet<usize>,
    }
    impl Maker<'_> {
        fn make(&mut self, at: usize, depth: usize) -> Option<Branch> {
            if depth >= DEPTH_MAX || !self.seen.insert(at) {
                return None;
            }
            let event = &self.events[at];
            let below = self.below;
            Some(Branch {
                name: (self.name)(event.row),
                events: vec![(event.begin, event.end)],
                children: below[at].iter().filter_map(|child| self.make(*child, depth + 1)).collect(),
                positions: HashMap::new(),
            })
        }
    }
    let name = |row: usize| match (kind, title) {
        (Some(kind), Some(title)) => format!("[{}/{}]: {}", word(row, kind), word(row, title), word(row, id)),
        _ => word(row, id),
    };
    let mut maker = Maker { below: &below, events, name: &name, seen: HashSet::new() };
    let mut root = Branch::default();
    for at in roots {
        root.children.extend(maker.make(at, 0));
    }
    root
}

pub fn draw(scene: &mut Scene, area: Area, table: &Table, properties: &Properties, choice: &Choice) {
    let mut rows = lanes(table, choice);
    let size = frame::text_size(scene);
    let foot = size * 2.0 + 16.0;
    let rows_max = (((area.height - foot) / (size + 3.0)) as usize).max(1);
    let count = rows.len();
    if count > rows_max {
        scene.note(format!("first {rows_max} of {} rows", text::grouped(count as i64)));
        rows.truncate(rows_max);
    }
    let area = frame::notes(scene, area);
    let ends = rows.iter().flat_map(|row| [row.begin, row.end]);
    let Some((low, high)) = data::range(ends) else {
        frame::message(scene, area, "No data");
        scene.description = "Time pivot: nothing to draw.".to_owned();
        return;
    };
    let levels: Vec<&str> = choice.series.iter().map(|at| table.name(*at)).collect();
    scene.description = format!(
        "Time pivot of {} events in {} rows by {} from {} to {}.",
        text::grouped(table.rows.len() as i64),
        text::grouped(count as i64),
        if levels.is_empty() { "nothing".to_owned() } else { levels.join(", ") },
        axes::y_text(Measure::Time, low),
        axes::y_text(Measure::Time, high)
    );
    let deepest = rows.iter().map(|row| row.depth).max().unwrap_or(0);
    // Deep trees leave room for their names.
    let shift = (area.width * 0.12 / deepest.max(1) as f64).min(12.0);
    let indent = |depth: usize| depth as f64 * shift + 14.0;
    let widest = rows.iter().map(|row| font::width(&row.name, size) + indent(row.depth)).fold(0.0, f64::max);
    let room = (widest + 12.0).min(area.width * 0.4);
    let plot = area.inset(room, 0.0, 10.0, foot);
    let row_height = (plot.height / rows.len().max(1) as f64).min(34.0);
    let plot = Area { height: row_height * rows.len() as f64, ..plot };
    let slices = (plot.width / 18.0).clamp(4.0, 60.0);
    let slice = clock_step(Scale::new(Measure::Time, low, high, false).span() / slices);
    let floor = |value: f64| (value / slice).floor() * slice;
    let scale = Scale::new(
        Measure::Time,
        properties.x_min.unwrap_or(floor(low)),
        properties.x_max.unwrap_or(floor(high) + slice),
        false,
    )
    .over(plot.x, plot.right());
    let ticks = axes::ticks_along(&scale, plot.width, size);
    let mut grid = Group::stroke(Paint::Grid, 1.0);
    for at in 0..=200 {
        let x = scale.at(floor(scale.low) + f64::from(at) * slice);
        if x > plot.right() + 0.5 {
            break;
        }
        if x >= plot.x {
            grid.line(crisp(x), plot.y, crisp(x), plot.bottom());
        }
    }
    for at in 0..=rows.len() {
        let y = crisp(plot.y + at as f64 * row_height);
        grid.line(area.x, y, plot.right(), y);
    }
    scene.add(grid);
    axes::along(scene, plot, &scale, &ticks, true, size);
    let title = properties.x_title.clone().unwrap_or_else(|| axes::time_context(&scale, &ticks));
    axes::title_along(scene, plot, plot.bottom() + size * 2.0 + 12.0, &title, size);
    let mut names = Group::fill(Paint::Text);
    let mut opened = Group::fill(Paint::Muted);
    for (at, row) in rows.iter().enumerate() {
        let top = plot.y + at as f64 * row_height;
        let middle = top + row_height / 2.0;
        let x = area.x + indent(row.depth);
        names.fitted(x, middle + size * 0.35, &row.name, size, Anchor::Start, plot.x - x - 6.0);
        if row.opened {
            let (x, y) = (x - 12.0, middle - 2.0);
            opened.nodes.push(Node::Path(vec![
                Segment::Move(x, y),
                Segment::Line(x + 8.0, y),
                Segment::Line(x + 4.0, y + 5.0),
                Segment::Close,
            ]));
        }
        paint_row(scene, plot, &scale, slice, row, Paint::Series(at), (top, row_height));
    }
    scene.add(opened);
    scene.add(names);
}

fn paint_row(
    scene: &mut Scene,
    plot: Area,
    scale: &Scale,
    slice: f64,
    row: &Lane,
    paint: Paint,
    (top, height): (f64, f64),
) {
    let (begin, end) = (row.begin, row.end);
    let floor = |value: f64| (value / slice).floor() * slice;
    let from = scale.at(floor(begin));
    let to = scale.at(floor(end) + slice);
    let clip = Some(plot);
    let mut pale = Group { fill: Some(paint), opacity: 0.25, clip, ..Group::default() };
    pale.rect(from, top + 1.0, (to - from).max(2.0), (height - 2.0).max(1.0));
    scene.add(pale);
    let mut slices: Vec<f64> = row.events.iter().map(|event| (event.0 / slice).floor()).collect();
    slices.sort_by(f64::total_cmp);
    slices.dedup();
    let thickness = (height * 0.34).clamp(2.0, 9.0);
    let count = row.events.len();
    let mut dashes = Group {
        fill: Some(paint),
        clip,
        title: Some(format!(
            "{}: {} {} from {} to {}",
            row.name,
            text::grouped(count as i64),
            if count == 1 { "event" } else { "events" },
            axes::y_text(Measure::Time, begin),
            axes::y_text(Measure::Time, end)
        )),
        ..Group::default()
    };
    for at in slices {
        let x = scale.at(at * slice);
        let width = scale.at((at + 1.0) * slice) - x;
        dashes.rect(x + 1.0, top + (height - thickness) / 2.0, (width - 2.0).max(1.5), thickness);
    }
    scene.add(dashes);
}
