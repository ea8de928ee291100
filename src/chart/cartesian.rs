//! Charts with an x and a y axis: line, area, stacked area, time, anomaly, scatter; bars are drawn by `bars`.
//!
//! Lays out panels and axes, scales the values and draws the marks.

use std::collections::HashSet;

use super::axes::{self, Side};
use super::choose::Choice;
use super::data::{self, Data, Series, XAxis};
use super::font;
use super::frame;
use super::properties::YSplit;
use super::scale::{Measure, Scale, Tick};
use super::scene::{Anchor, Area, Group, Node, Paint, Scene, Segment};
use super::{Kind, Properties, Table, bars, text};

/// As documented for `ysplit=panels`.
pub const PANELS_MAX: usize = 5;

/// A series as it is drawn: each mark from `base` to `top`.
pub struct Layer {
    pub series: usize,
    pub marks: Vec<Mark>,
}

#[derive(Clone, Copy, Debug)]
pub struct Mark {
    pub x: f64,
    pub base: f64,
    /// NaN: a gap.
    pub top: f64,
    pub anomaly: bool,
}

/// Series that share a value axis.
pub struct Shared {
    pub layers: Vec<Layer>,
    pub scale: Scale,
    pub ticks: Vec<Tick>,
    pub paint: Paint,
    pub name: String,
}

pub fn draw(scene: &mut Scene, area: Area, table: &Table, properties: &Properties, choice: &Choice) {
    let mut data = data::read(scene, table, properties, choice);
    if properties.kind.is_bar() {
        bars::settle(&mut data);
    }
    let Some(x_range) = data.x_range() else {
        let area = frame::notes(scene, area);
        frame::message(scene, area, "No data");
        scene.description = format!("{}: no values to draw.", properties.kind.title());
        return;
    };
    let groups = split(scene, &data, properties, choice);
    note_gaps(scene, &data, properties);
    describe(scene, table, &data, properties, choice, x_range);
    let area = frame::notes(scene, area);
    let mut names: Vec<(String, Paint)> =
        groups.iter().flatten().map(|at| (data.series[*at].name.clone(), Paint::Series(*at))).collect();
    if data.series.iter().flat_map(|one| &one.points).any(|point| point.anomaly) {
        names.push(("anomalies".to_owned(), Paint::Anomaly));
    }
    let wants_legend = properties.legend.unwrap_or(names.len() > 1);
    let by_panel = properties.split == YSplit::Panels && groups.iter().all(|group| group.len() == 1);
    let area = if wants_legend && !(by_panel && properties.legend.is_none()) {
        frame::legend(scene, area, &names)
    } else {
        area
    };
    let frame = Frame {
        data: &data,
        properties,
        x_range,
        x_name: choice.x.map_or(String::new(), |at| table.name(at).to_owned()),
        y_name: match choice.y.as_slice() {
            [y] => table.name(*y).to_owned(),
            _ => String::new(),
        },
        y_names: choice.y.iter().map(|at| table.name(*at).to_owned()).collect(),
    };
    if properties.split == YSplit::Panels && groups.len() > 1 {
        let size = frame::text_size(scene);
        let gap = size * 1.6 + 8.0;
        let tail = size * 2.0 + 14.0;
        let height = ((area.height - tail) / groups.len() as f64 - gap).max(8.0);
        // The plots stand one below the other.
        let ticks = ((height / 26.0) as usize).clamp(2, 8);
        let axes = frame.value_axes(&groups, ticks);
        let left = axes.iter().map(|one| axes::widest(&one.ticks, size)).fold(0.0, f64::max) + 8.0;
        for (at, group) in groups.iter().enumerate() {
            let top = area.y + at as f64 * (height + gap);
            let mut title = Group::fill(Paint::Text);
            title.fitted(area.x, top + size * 0.8, &frame.group_name(group), size, Anchor::Start, area.width);
            scene.add(title);
            let last = at + 1 == groups.len();
            let panel = Area {
                x: area.x,
                y: top + size + 4.0,
                width: area.width,
                height: height + if last { tail } else { 0.0 },
            };
            frame.panel(scene, panel, std::slice::from_ref(group), &Layout { last, height, left, ticks });
        }
    } else {
        let ticks = axes::count_upright(area.height - frame::text_size(scene) * 2.0);
        frame.panel(scene, area, &groups, &Layout { last: true, height: area.height, left: 0.0, ticks });
    }
}

/// The series of each value axis or panel: by y column where there are several, else each by itself.
fn split(scene: &mut Scene, data: &Data, properties: &Properties, choice: &Choice) -> Vec<Vec<usize>> {
    let all: Vec<usize> = (0..data.series.len()).collect();
    if properties.split == YSplit::None {
        return vec![all];
    }
    let mut groups: Vec<Vec<usize>> = if choice.y.len() > 1 {
        (0..choice.y.len())
            .map(|y| all.iter().copied().filter(|at| data.series[*at].y_column == y).collect())
            .collect()
    } else {
        all.iter().map(|at| vec![*at]).collect()
    };
    groups.retain(|group| !group.is_empty());
    if groups.len() > PANELS_MAX {
        let kind = if properties.split == YSplit::Panels { "panels" } else { "axes" };
        if properties.split == YSplit::Panels {
            scene.note(format!("first {PANELS_MAX} of {} {kind}", groups.len()));
            groups.truncate(PANELS_MAX);
        } else {
            // More axes than one can read: the last is shared.
            let rest: Vec<usize> = groups.drain(PANELS_MAX - 1..).flatten().collect();
            groups.push(rest);
        }
    }
    groups
}

fn note_gaps(scene: &mut Scene, data: &Data, properties: &Properties) {
    if properties.y_log && !properties.is_share() {
        let lost = data.series.iter().flat_map(|one| &one.points).filter(|point| point.y <= 0.0).count();
        if lost > 0 {
            scene.note(format!("{} values ≤ 0 have no place on a log axis", text::grouped(lost as i64)));
        }
    }
}

fn describe(
    scene: &mut Scene,
    table: &Table,
    data: &Data,
    properties: &Properties,
    choice: &Choice,
    (low, high): (f64, f64),
) {
    let mut names: Vec<&str> = data.series.iter().take(5).map(|one| one.name.as_str()).collect();
    let more = data.series.len().saturating_sub(5);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let over = choice.x.map_or("row", |at| table.name(at));
    let points: usize = data.series.iter().map(|one| one.points.len()).sum();
    let mut text = format!(
        "{} of {}{more} over {over}, {} points",
        properties.kind.title(),
        {
            names.dedup();
            names.join(", ")
        },
        text::grouped(points as i64),
    );
    match &data.x {
        XAxis::Categories(names) => text.push_str(&format!(" in {} categories", names.len())),
        axis => text.push_str(&format!(" from {} to {}", axes::x_text(axis, low), axes::x_text(axis, high))),
    }
    if let Some((low, high)) =
        data::range(data.series.iter().flat_map(|one| one.points.iter().map(|point| point.y)))
    {
        let word = |value| axes::y_text(data.y_measure, value);
        text.push_str(&format!("; values from {} to {}", word(low), word(high)));
    }
    let anomalies = data
        .series
        .iter()
        .flat_map(|one| &one.points)
        .filter(|point| point.anomaly && point.y.is_finite())
        .count();
    if anomalies > 0 {
        text.push_str(&format!("; {anomalies} anomalies marked"));
    }
    text.push('.');
    scene.description = text;
}

/// Marks of series, stacked where the properties say so.
pub fn layers(data: &Data, group: &[usize], properties: &Properties) -> Vec<Layer> {
    let mark = |x, base, top, anomaly| Mark { x, base, top, anomaly };
    if !properties.stacks() {
        return group
            .iter()
            .map(|at| Layer {
                series: *at,
                marks: data.series[*at].points.iter().map(|p| mark(p.x, 0.0, p.y, p.anomaly)).collect(),
            })
            .collect();
    }
    let mut places: Vec<f64> =
        group.iter().flat_map(|at| data.series[*at].points.iter().map(|point| point.x)).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    let index = |x: f64| places.partition_point(|place| *place < x);
    let values: Vec<Vec<f64>> = group
        .iter()
        .map(|at| {
            let mut values = vec![0.0; places.len()];
            for point in data.series[*at].points.iter().filter(|point| point.y.is_finite()) {
                values[index(point.x)] += point.y;
            }
            values
        })
        .collect();
    let mut totals = vec![0.0_f64; places.len()];
    for values in &values {
        for (total, value) in totals.iter_mut().zip(values) {
            *total += value.abs();
        }
    }
    let (mut above, mut below) = (vec![0.0; places.len()], vec![0.0; places.len()]);
    group
        .iter()
        .zip(values)
        .map(|(at, values)| Layer {
            series: *at,
            marks: values
                .into_iter()
                .enumerate()
                .map(|(at, value)| {
                    let value = match (properties.is_share(), totals[at] > 0.0) {
                        (true, true) => value / totals[at] * 100.0,
                        (true, false) => 0.0,
                        _ => value,
                    };
                    let sum: &mut f64 = if value < 0.0 { &mut below[at] } else { &mut above[at] };
                    let base = *sum;
                    *sum += value;
                    mark(places[at], base, *sum, false)
                })
                .collect(),
        })
        .collect()
}

/// The scale of values that share an axis.
pub fn value_scale(data: &Data, layers: &[Layer], properties: &Properties, count: usize) -> Scale {
    let log = properties.y_log;
    let measure = if properties.is_share() { Measure::Number } else { data.y_measure };
    let seen = layers
        .iter()
        .flat_map(|layer| layer.marks.iter().map(|mark| mark.top))
        .filter(|value| !log || *value > 0.0);
    let (mut low, mut high) = data::range(seen).unwrap_or((if log { 1.0 } else { 0.0 }, 1.0));
    let from_zero = properties.kind.is_bar()
        || properties.stacks()
        || matches!(properties.kind, Kind::AreaChart | Kind::StackedAreaChart);
    if measure != Measure::Time && !log {
        if from_zero || (low > 0.0 && low < high * 0.5 && properties.kind != Kind::ScatterChart) {
            low = low.min(0.0);
        }
        if from_zero || (high < 0.0 && high > low * 0.5) {
            high = high.max(0.0);
        }
        if low == 0.0 && high == 0.0 {
            high = 1.0;
        }
    } else if log && from_zero {
        // A bar of the least value would have no length.
        low /= 2.0;
    }
    if properties.is_share() {
        high = if high > 0.0 { 100.0 } else { high };
    }
    let given = |bound: Option<f64>| bound.filter(|bound| !log || *bound > 0.0);
    let (y_min, y_max) = (given(properties.y_min), given(properties.y_max));
    let low_given = y_min.is_some() && y_min < y_max.or(Some(f64::INFINITY));
    if let Some(bound) = y_min {
        low = bound;
        high = high.max(bound);
    }
    if let Some(bound) = y_max {
        high = bound;
        if y_min.is_none() {
            low = low.min(bound);
        }
    }
    Scale::new(measure, low, high, log).nice(count, low_given, y_max.is_some())
}

/// How a panel stands among others.
struct Layout {
    /// The lowest: it has the texts of the x axis.
    last: bool,
    /// Of the plot, about; the same for all.
    height: f64,
    /// How many ticks the value axis may have, about.
    ticks: usize,
    /// Room that the texts of the value axis have at least.
    left: f64,
}

struct Frame<'a> {
    data: &'a Data,
    properties: &'a Properties,
    x_range: (f64, f64),
    x_name: String,
    y_name: String,
    y_names: Vec<String>,
}

impl Frame<'_> {
    fn group_name(&self, group: &[usize]) -> String {
        match group {
            [one] => self.data.series[*one].name.clone(),
            [first, ..] => self.y_names.get(self.data.series[*first].y_column).cloned().unwrap_or_default(),
            [] => String::new(),
        }
    }

    /// The value axis of each group.
    fn value_axes(&self, groups: &[Vec<usize>], count: usize) -> Vec<Shared> {
        let shared = |group: &Vec<usize>| {
            let layers = layers(self.data, group, self.properties);
            let scale = value_scale(self.data, &layers, self.properties, count);
            let mut ticks = scale.ticks(count);
            if self.properties.is_share() {
                ticks.iter_mut().for_each(|tick| tick.text.push('%'));
            }
            let first = group.first().copied().unwrap_or(0);
            let paint = if groups.len() > 1 { Paint::SeriesText(first) } else { Paint::Muted };
            Shared { layers, scale, ticks, paint, name: self.group_name(group) }
        };
        groups.iter().map(shared).collect()
    }

    fn panel(&self, scene: &mut Scene, area: Area, groups: &[Vec<usize>], layout: &Layout) {
        let last = layout.last;
        if self.properties.kind == Kind::BarChart {
            return bars::draw_level(
                scene,
                area,
                self.data,
                self.properties,
                groups,
                &bars::Titles {
                    x: self.x_title(&self.x_name),
                    y: self.y_title(groups.len()),
                    axes: groups.iter().map(|group| self.group_name(group)).collect(),
                    last,
                },
            );
        }
        let size = frame::text_size(scene);
        let shared = self.value_axes(groups, layout.ticks);
        let y_title = self.y_title(groups.len()).filter(|_| layout.height > 45.0 && scene.width >= 240.0);
        let title_room = if y_title.is_some() { size + 6.0 } else { 0.0 };
        let axis_title_room = if groups.len() > 1 && scene.width >= 400.0 { size + 4.0 } else { 0.0 };
        let room = |one: &Shared| (axes::widest(&one.ticks, size) + 8.0).max(layout.left) + axis_title_room;
        let rooms: Vec<f64> = shared.iter().map(room).collect();
        let tiny = scene.width < 140.0 || scene.height < 90.0;
        let left: f64 = if tiny { 0.0 } else { rooms.iter().step_by(2).sum::<f64>() + title_room };
        let right: f64 = if tiny { 0.0 } else { rooms.iter().skip(1).step_by(2).sum() };
        let mut plot = area.inset(left, size * 0.5, right.max(if tiny { 0.0 } else { 6.0 }), 0.0);
        let x_scale = self.x_scale().over(plot.x, plot.right());
        let x_ticks = match self.properties.kind {
            Kind::ColumnChart => bars::ticks(self.data, &x_scale, plot.width, size),
            _ => None,
        }
        .unwrap_or_else(|| axes::ticks_along(&x_scale, plot.width, size));
        let names = match &self.data.x {
            XAxis::Categories(names) => Some((names, axes::plan_names(names, plot.width, area.height, size))),
            XAxis::Measured(_) => None,
        };
        let default_title = match self.data.x {
            XAxis::Measured(Measure::Time) => axes::time_context(&x_scale, &x_ticks),
            _ => self.x_name.clone(),
        };
        let x_title = self.x_title(&default_title).filter(|_| last && area.height > 90.0);
        let labels_room = match (&names, tiny || !last) {
            (_, true) => 4.0,
            (Some((_, plan)), _) => plan.room,
            (None, _) => size + 10.0,
        };
        plot.height = (plot.height - labels_room - if x_title.is_some() { size + 6.0 } else { 0.0 }).max(4.0);
        let shared: Vec<Shared> = shared
            .into_iter()
            .map(|mut one| {
                one.scale = one.scale.over(plot.bottom(), plot.y);
                one
            })
            .collect();
        let (mut at_left, mut at_right) = (plot.x, plot.right());
        for (at, (one, room)) in shared.iter().zip(&rooms).enumerate() {
            let left = at % 2 == 0;
            let side = Side { left, grid: at == 0, paint: one.paint };
            let place = if left { at_left } else { at_right };
            let ticks = if tiny { &[] } else { one.ticks.as_slice() };
            axes::upright(scene, plot, &one.scale, ticks, place, side, size);
            if axis_title_room > 0.0 && !tiny {
                let x = if left { place - room + size * 0.9 } else { place + room - 2.0 };
                let mut group = Group::fill(one.paint);
                frame::upward(&mut group, x, plot.y + plot.height / 2.0, &one.name, size, plot.height);
                scene.add(group);
            }
            if left { at_left -= room } else { at_right += room }
        }
        if let Some(title) = &y_title {
            axes::title_upright(scene, plot, area.x + size * 0.8, title, size);
        }
        match &names {
            Some((names, plan)) if last && !tiny => axes::names_along(scene, plot, names, *plan, size),
            Some(_) => {}
            None => axes::along(scene, plot, &x_scale, &x_ticks, last && !tiny, size),
        }
        if let Some(title) = &x_title {
            axes::title_along(scene, plot, plot.bottom() + labels_room + size, title, size);
        }
        if self.properties.kind == Kind::ColumnChart {
            bars::columns(scene, plot, self.data, &x_scale, &shared, self.properties);
        } else {
            for one in &shared {
                self.marks(scene, plot, &x_scale, one);
            }
        }
        if let Some(first) = shared.first() {
            axes::base_line(scene, plot, &first.scale);
        }
    }

    fn x_title(&self, default: &str) -> Option<String> {
        let title = self.properties.x_title.clone().unwrap_or_else(|| default.to_owned());
        (!title.trim().is_empty()).then_some(title)
    }

    fn y_title(&self, groups: usize) -> Option<String> {
        let default =
            if groups == 1 && self.properties.split != YSplit::Panels { self.y_name.as_str() } else { "" };
        let title = self.properties.y_title.clone().unwrap_or_else(|| default.to_owned());
        (!title.trim().is_empty()).then_some(title)
    }

    fn x_scale(&self) -> Scale {
        let (mut low, mut high) = self.x_range;
        match &self.data.x {
            XAxis::Categories(names) => Scale {
                measure: Measure::Number,
                low: -0.5,
                high: names.len().max(1) as f64 - 0.5,
                log: false,
                from: 0.0,
                to: 1.0,
            },
            XAxis::Measured(measure) => {
                if self.properties.kind == Kind::ColumnChart {
                    let half = bars::step(self.data) / 2.0;
                    (low, high) = (low - half, high + half);
                }
                let given = (self.properties.x_min, self.properties.x_max);
                low = given.0.unwrap_or(low);
                high = given.1.unwrap_or(high);
                let log = self.properties.x_log && *measure == Measure::Number && high > 0.0;
                if log && low <= 0.0 {
                    let positive =
                        self.data.series.iter().flat_map(|one| one.points.iter().map(|point| point.x));
                    low = positive.filter(|x| *x > 0.0).fold(high, f64::min);
                }
                let scale = Scale::new(*measure, low, high, log);
                if self.properties.kind == Kind::ScatterChart && given == (None, None) {
                    scale.nice(8, false, false)
                } else {
                    scale
                }
            }
        }
    }

    fn marks(&self, scene: &mut Scene, plot: Area, x_scale: &Scale, shared: &Shared) {
        let clip = Some(plot.inset(-1.0, -1.0, -1.0, -1.0));
        let is_area = matches!(self.properties.kind, Kind::AreaChart | Kind::StackedAreaChart);
        let place = |mark: &Mark, value: f64| -> Option<(f64, f64)> {
            let visible =
                value.is_finite() && (!shared.scale.log || value > 0.0) && (!x_scale.log || mark.x > 0.0);
            visible.then(|| (x_scale.at(mark.x), shared.scale.at(value)))
        };
        // Dots at the edge are whole, those beyond it are not there.
        let within = |(x, y): &(f64, f64)| {
            let edge = plot.inset(-1.0, -1.0, -1.0, -1.0);
            (edge.x..=edge.right()).contains(x) && (edge.y..=edge.bottom()).contains(y)
        };
        // Few values are told apart from the lines between them.
        let longest = self.data.series.iter().map(|one| one.points.len()).max().unwrap_or(0);
        let sparse = longest as f64 * 14.0 <= plot.width
            && self.data.series.len() <= 8
            && plot.height > 60.0
            && !self.properties.stacks();
        for layer in &shared.layers {
            let series: &Series = &self.data.series[layer.series];
            let paint = Paint::Series(layer.series);
            if self.properties.kind == Kind::ScatterChart {
                let title = Some(series.name.clone());
                let mut dots = Group { fill: Some(paint), opacity: 0.75, title, ..Group::default() };
                let radius = if layer.marks.len() > 1000 { 2.0 } else { 3.5 };
                let mut seen = HashSet::new();
                for mark in &layer.marks {
                    if let Some((x, y)) = place(mark, mark.top).filter(&within)
                        && seen.insert(((x * 0.7) as i64, (y * 0.7) as i64))
                    {
                        dots.circle(x, y, radius);
                    }
                }
                scene.add(dots);
                continue;
            }
            let mut group = Group { clip, title: Some(series.name.clone()), ..Group::default() };
            // Runs without gaps; each mark as (x, base, top) in pixels.
            let mut runs: Vec<Vec<(f64, f64, f64)>> = vec![Vec::new()];
            for mark in &layer.marks {
                match place(mark, mark.top) {
                    Some((x, top)) => {
                        let base = place(mark, mark.base).map_or(plot.bottom(), |(_, base)| base);
                        if let Some(run) = runs.last_mut() {
                            run.push((x, base, top));
                        }
                    }
                    None => runs.push(Vec::new()),
                }
            }
            let mut fills = Group {
                fill: Some(paint),
                opacity: match (self.properties.stacks(), self.data.series.len()) {
                    (true, _) => 0.75,
                    (false, 1) => 0.55,
                    (false, _) => 0.4,
                },
                ..Group::default()
            };
            let mut lines = Group::stroke(paint, if self.properties.stacks() { 1.0 } else { 2.0 });
            let mut dots = Group::fill(paint);
            for run in runs.iter().filter(|run| !run.is_empty()) {
                if let [(x, base, top)] = run.as_slice() {
                    if within(&(*x, *top)) {
                        dots.circle(*x, *top, 3.0);
                    }
                    if is_area {
                        lines.line(*x, *base, *x, *top);
                    }
                    continue;
                }
                if sparse {
                    let places = run.iter().map(|(x, _, top)| (*x, *top)).filter(&within);
                    places.for_each(|(x, y)| dots.circle(x, y, 2.5));
                }
                let tops = thin(run.iter().map(|(x, _, top)| (*x, *top)));
                if is_area {
                    let bases = thin(run.iter().map(|(x, base, _)| (*x, *base)));
                    let mut path = outline(&tops);
                    path.extend(bases.iter().rev().map(|(x, y)| Segment::Line(*x, *y)));
                    path.push(Segment::Close);
                    fills.nodes.push(Node::Path(path));
                }
                lines.nodes.push(Node::Path(outline(&tops)));
            }
            let mut anomalies = Group {
                fill: Some(Paint::Anomaly),
                stroke: Some(Paint::Background),
                width: 1.5,
                ..Group::default()
            };
            let mut seen = HashSet::new();
            for mark in layer.marks.iter().filter(|mark| mark.anomaly) {
                if let Some((x, y)) = place(mark, mark.top).filter(&within)
                    && seen.insert((x as i64, y as i64))
                {
                    anomalies.circle(x, y, 5.0);
                }
            }
            for part in [fills, lines] {
                if !part.nodes.is_empty() {
                    group.nodes.push(Node::Group(part));
                }
            }
            scene.add(group);
            scene.add(dots);
            scene.add(anomalies);
        }
        if self.data.series.len() == 1 && shared.layers.iter().all(|layer| layer.marks.is_empty()) {
            let mut empty = Group::fill(Paint::Muted);
            empty.text(plot.x, plot.y, font::fit("No data", 12.0, plot.width), 12.0, Anchor::Start);
            scene.add(empty);
        }
    }
}

pub fn outline(points: &[(f64, f64)]) -> Vec<Segment> {
    let line =
        |at: usize, (x, y): (f64, f64)| if at == 0 { Segment::Move(x, y) } else { Segment::Line(x, y) };
    points.iter().enumerate().map(|(at, point)| line(at, *point)).collect()
}

/// At most four points of each pixel column: the first, the lowest, the highest and the last, which is all that can
/// be seen of a line.
pub fn thin(points: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
    let mut out: Vec<(f64, f64)> = Vec::new();
    let mut column: Vec<(f64, f64)> = Vec::new();
    let flush = |column: &mut Vec<(f64, f64)>, out: &mut Vec<(f64, f64)>| {
        if column.len() > 4 {
            let by = |left: &usize, right: &usize| column[*left].1.total_cmp(&column[*right].1);
            let least = (0..column.len()).min_by(by).unwrap_or(0);
            let most = (0..column.len()).max_by(by).unwrap_or(0);
            let mut keep = [0, least, most, column.len() - 1];
            keep.sort_unstable();
            let mut before = usize::MAX;
            for at in keep {
                if at != before {
                    out.push(column[at]);
                }
                before = at;
            }
            column.clear();
        } else {
            out.append(column);
        }
    };
    for point in points {
        if column.first().is_some_and(|first: &(f64, f64)| first.0.floor() != point.0.floor()) {
            flush(&mut column, &mut out);
        }
        column.push(point);
    }
    flush(&mut column, &mut out);
    out
}
