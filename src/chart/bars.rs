//! Bar and column charts: grouped, stacked, stretched to a hundred percent; categories or measured positions.

use std::collections::HashMap;

use super::axes;
use super::cartesian::{Layer, Mark, Shared, layers, value_scale};
use super::data::{Data, XAxis};
use super::font;
use super::frame;
use super::scale::{Measure, Scale, Tick};
use super::scene::{Anchor, Area, Group, Node, Paint, Scene, crisp};
use super::{Kind, Properties};

pub struct Titles {
    pub x: Option<String>,
    pub y: Option<String>,
    /// Of each value axis.
    pub axes: Vec<String>,
    pub last: bool,
}

fn places(data: &Data) -> Vec<f64> {
    let mut places: Vec<f64> =
        data.series.iter().flat_map(|one| one.points.iter().map(|point| point.x)).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    places
}

/// The least distance of two measured positions.
pub fn step(data: &Data) -> f64 {
    let places = places(data);
    let least = places.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min);
    match (least.is_finite(), &data.x) {
        (true, _) => least,
        (false, XAxis::Measured(Measure::Number)) => 1.0,
        (false, _) => super::text::TICKS_PER_SECOND as f64 * 60.0,
    }
}

/// Rows of the same series and place count together; measured positions without a rhythm become categories.
pub fn settle(data: &mut Data) {
    for one in &mut data.series {
        let mut points: Vec<super::data::Point> = Vec::with_capacity(one.points.len());
        for point in one.points.drain(..) {
            match points.last_mut() {
                Some(before) if before.x == point.x => {
                    if before.y.is_nan() {
                        before.y = point.y;
                    } else if point.y.is_finite() {
                        before.y += point.y;
                    }
                }
                _ => points.push(point),
            }
        }
        one.points = points;
    }
    if !matches!(data.x, XAxis::Measured(_)) {
        return;
    }
    let places = places(data);
    let (Some(first), Some(last)) = (places.first(), places.last()) else { return };
    let step = step(data);
    let slots = (last - first) / step;
    // Codes such as 200, 404, 500 are names: their distances say nothing.
    let even = !matches!(data.x, XAxis::Measured(Measure::Number))
        || places.iter().all(|place| {
            let slots = (place - first) / step;
            (slots - slots.round()).abs() < 0.01
        });
    if even && slots <= places.len() as f64 * 4.0 + 8.0 && places.len() > 1 {
        return;
    }
    let names = places.iter().map(|place| axes::x_text(&data.x, *place)).collect();
    for one in &mut data.series {
        for point in &mut one.points {
            point.x = places.partition_point(|place| *place < point.x) as f64;
        }
    }
    data.x = XAxis::Categories(names);
}

/// Ticks at the bars themselves, where their texts have room.
pub fn ticks(data: &Data, scale: &Scale, width: f64, size: f64) -> Option<Vec<Tick>> {
    let XAxis::Measured(_) = data.x else { return None };
    let places = places(data);
    if scale.log || places.len() > 40 {
        return None;
    }
    let ticks = scale.ticks_at(&places);
    let slot = slot_width(data, scale);
    (axes::widest(&ticks, size) + 8.0 <= slot.min(width)).then_some(ticks)
}

/// A bar thicker than this, in pixels, looks like a wall.
const THICKNESS_MAX: f64 = 120.0;

/// Where the bars of a layer lie across their slot: the offset from its middle and the thickness, in slots.
fn lane(at: usize, count: usize, stacks: bool) -> (f64, f64) {
    if stacks || count <= 1 {
        return (-0.4, 0.8);
    }
    let thickness = 0.8 / count as f64;
    (-0.4 + at as f64 * thickness, thickness)
}

/// Rectangles that begin at pixels: thin ones are a pixel thick, and of those in one pixel the longest is kept.
fn rectangles(
    layer: &Layer,
    across: &Scale,
    slot: f64,
    lane: (f64, f64),
    value: &Scale,
    level: bool,
) -> Vec<Area> {
    let mut found: Vec<Area> = Vec::new();
    let mut at_pixel: HashMap<i64, usize> = HashMap::new();
    for Mark { x, base, top, .. } in &layer.marks {
        if !top.is_finite() || (value.log && *top <= 0.0) {
            continue;
        }
        let middle = across.at(*x);
        let from = (middle + lane.0 * slot).round();
        let to = (middle + (lane.0 + lane.1) * slot - if slot * lane.1 >= 4.0 { 1.0 } else { 0.0 }).round();
        let (from, thickness) = (from, (to - from).max(1.0));
        let begin = if value.log && *base <= 0.0 { value.from } else { value.at(*base) };
        let end = value.at(*top);
        let (low, high) = (begin.min(end), begin.max(end));
        let length = if top == base { 0.0 } else { (high - low).max(1.0) };
        let area = if level {
            Area { x: low, y: from, width: length, height: thickness }
        } else {
            Area { x: from, y: high - length, width: thickness, height: length }
        };
        if length <= 0.0 {
            continue;
        }
        if slot * lane.1 >= 1.0 {
            found.push(area);
            continue;
        }
        let next = found.len();
        match at_pixel.get(&(from as i64)) {
            Some(known) => {
                let old = &mut found[*known];
                if (if level { old.width } else { old.height }) < length {
                    *old = area;
                }
            }
            None => {
                at_pixel.insert(from as i64, next);
                found.push(area);
            }
        }
    }
    found
}

fn slot_width(data: &Data, across: &Scale) -> f64 {
    let unit = match data.x {
        XAxis::Categories(_) => 1.0,
        XAxis::Measured(_) => step(data),
    };
    if across.log {
        return 8.0;
    }
    ((across.to - across.from) * unit / (across.high - across.low)).abs()
}

fn paint_layers(
    scene: &mut Scene,
    plot: Area,
    data: &Data,
    across: &Scale,
    shared: &[Shared],
    properties: &Properties,
    level: bool,
) {
    let slot = slot_width(data, across);
    let stacks = properties.stacks();
    // Bars of several axes stand side by side, as those of several series do.
    let lanes: usize = if stacks { shared.len() } else { shared.iter().map(|one| one.layers.len()).sum() };
    let slot = slot.min(THICKNESS_MAX * lanes.max(1) as f64);
    let mut at = 0;
    for one in shared {
        for layer in &one.layers {
            let lane = lane(at, lanes, lanes == 1);
            let mut group = Group {
                fill: Some(Paint::Series(layer.series)),
                title: Some(data.series[layer.series].name.clone()),
                clip: Some(plot.inset(-1.0, -1.0, -1.0, -1.0)),
                ..Group::default()
            };
            group.nodes = rectangles(layer, across, slot, lane, &one.scale, level)
                .into_iter()
                .map(|area| Node::Rect { area, radius: 0.0 })
                .collect();
            scene.add(group);
            at += usize::from(!stacks);
        }
        at += usize::from(stacks);
    }
}

/// Upright bars.
pub fn columns(
    scene: &mut Scene,
    plot: Area,
    data: &Data,
    x_scale: &Scale,
    shared: &[Shared],
    properties: &Properties,
) {
    paint_layers(scene, plot, data, x_scale, shared, properties, false);
}

/// Level bars, the first category at the top.
pub fn draw_level(
    scene: &mut Scene,
    area: Area,
    data: &Data,
    properties: &Properties,
    groups: &[Vec<usize>],
    titles: &Titles,
) {
    debug_assert_eq!(properties.kind, Kind::BarChart);
    let size = frame::text_size(scene);
    let names: Vec<String> = match &data.x {
        XAxis::Categories(names) => names.clone(),
        axis => places(data).iter().map(|place| axes::x_text(axis, *place)).collect(),
    };
    let measured = match &data.x {
        XAxis::Measured(measure) => {
            let half = step(data) / 2.0;
            data.x_range().map(|(low, high)| Scale::new(*measure, low - half, high + half, false))
        }
        XAxis::Categories(_) => None,
    };
    let tiny = scene.width < 140.0 || scene.height < 90.0;
    let y_title = titles.x.as_ref().filter(|_| area.height > 60.0 && scene.width >= 240.0);
    let x_title = titles.y.as_ref().filter(|_| titles.last && area.height > 90.0);
    // The first axis is below the bars, the second above them, and so on; several have names.
    let axis_room = if groups.len() > 1 { size * 2.0 + 10.0 } else { size + 8.0 };
    let below = groups.len().div_ceil(2) as f64;
    let above = (groups.len() / 2) as f64;
    let (bottom, top) = match (tiny, titles.last || groups.len() > 1) {
        (true, _) => (0.0, 0.0),
        (false, true) => (axis_room * below, axis_room * above),
        (false, false) => (size + 6.0, 0.0),
    };
    let title_room = if x_title.is_some() { size + 6.0 } else { 0.0 };
    let left_title = if y_title.is_some() { size + 6.0 } else { 0.0 };
    let height = (area.height - bottom - top - title_room).max(4.0);
    let upright_ticks = measured.as_ref().map(|scale| scale.ticks(axes::count_upright(height).max(2)));
    let widest = match &upright_ticks {
        Some(ticks) => axes::widest(ticks, size),
        None => names.iter().take(2000).map(|name| font::width(name, size)).fold(0.0, f64::max),
    };
    let room = if tiny { 0.0 } else { (widest + 10.0).min(area.width * 0.38) };
    let plot = Area {
        x: area.x + left_title + room,
        y: area.y + top,
        width: (area.width - left_title - room - if tiny { 0.0 } else { 14.0 }).max(4.0),
        height,
    };
    let across = match &measured {
        Some(scale) => scale.clone(),
        None => Scale {
            measure: Measure::Number,
            low: -0.5,
            high: names.len().max(1) as f64 - 0.5,
            log: false,
            from: 0.0,
            to: 1.0,
        },
    }
    .over(plot.y, plot.bottom());
    let shared: Vec<Shared> = groups
        .iter()
        .map(|group| {
            let layers = layers(data, group, properties);
            let count = ((plot.width / (size * 6.0)) as usize).clamp(1, 10);
            let scale = value_scale(data, &layers, properties, count).over(plot.x, plot.right());
            let mut ticks = axes::ticks_along(&scale, plot.width, size);
            if properties.is_share() {
                ticks.iter_mut().for_each(|tick| tick.text.push('%'));
            }
            let first = group.first().copied().unwrap_or(0);
            let paint = if groups.len() > 1 { Paint::SeriesText(first) } else { Paint::Muted };
            Shared { layers, scale, ticks, paint, name: String::new() }
        })
        .collect();
    if groups.len() > 1 && !tiny {
        for (at, (one, name)) in shared.iter().zip(&titles.axes).enumerate() {
            let row = (at / 2) as f64;
            let y = if at % 2 == 0 {
                plot.bottom() + row * axis_room + size * 2.0 + 7.0
            } else {
                plot.y - row * axis_room - size - 10.0
            };
            let mut title = Group::fill(one.paint);
            title.fitted(plot.x + plot.width / 2.0, y, name, size, Anchor::Middle, plot.width);
            scene.add(title);
        }
    }
    for (at, one) in shared.iter().enumerate() {
        let mut grid = Group::stroke(Paint::Grid, 1.0);
        let mut texts = Group::fill(one.paint);
        for tick in &one.ticks {
            let x = crisp(one.scale.at(tick.value));
            if x < plot.x - 1.0 || x > plot.right() + 1.0 {
                continue;
            }
            if at == 0 {
                grid.line(x, plot.y, x, plot.bottom());
            }
            if !tiny {
                let row = (at / 2) as f64 * axis_room;
                let y = if at % 2 == 0 { plot.bottom() + size + 5.0 + row } else { plot.y - 6.0 - row };
                let half = font::width(&tick.text, size) / 2.0;
                texts.text(x.min(scene.width - half - 2.0), y, tick.text.clone(), size, Anchor::Middle);
            }
        }
        scene.add(grid);
        scene.add(texts);
    }
    if !tiny {
        let mut texts = Group::fill(Paint::Muted);
        match (&measured, &upright_ticks) {
            (Some(_), Some(ticks)) => {
                for tick in ticks {
                    let y = across.at(tick.value).max(plot.y + size * 0.5);
                    texts.text(plot.x - 6.0, y + size * 0.35, tick.text.clone(), size, Anchor::End);
                }
            }
            _ => {
                let slot = plot.height / names.len().max(1) as f64;
                let every = ((size + 1.0) / slot).ceil().max(1.0) as usize;
                for (at, name) in names.iter().enumerate().step_by(every) {
                    let y = plot.y + (at as f64 + 0.5) * slot + size * 0.35;
                    texts.fitted(plot.x - 6.0, y, name, size, Anchor::End, room - 8.0);
                }
            }
        }
        scene.add(texts);
    }
    paint_layers(scene, plot, data, &across, &shared, properties, true);
    if let Some(first) = shared.first() {
        let zero = first.scale.at(0.0);
        let x = if first.scale.low < 0.0 && first.scale.high > 0.0 { zero } else { plot.x };
        let mut axis = Group::stroke(Paint::Axis, 1.0);
        axis.line(crisp(x), plot.y, crisp(x), plot.bottom());
        scene.add(axis);
    }
    if let Some(title) = y_title {
        axes::title_upright(scene, plot, area.x + size * 0.8, title, size);
    }
    if let Some(title) = x_title {
        axes::title_along(scene, plot, area.bottom() - 2.0, title, size);
    }
}
