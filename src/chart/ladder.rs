//! Ladder charts: each row a bar from its begin to its end on a common axis, rows of the same name in one lane.

use std::collections::{HashMap, HashSet};

use super::axes;
use super::choose::Choice;
use super::data;
use super::font;
use super::frame;
use super::scale::{Measure, Scale};
use super::scene::{Anchor, Area, Group, Node, Paint, Scene};
use super::{ColumnKind, Properties, Table, text};

struct Bar {
    lane: usize,
    begin: f64,
    end: f64,
    colour: usize,
}

pub fn draw(scene: &mut Scene, area: Area, table: &Table, properties: &Properties, choice: &Choice) {
    let Some(start) = choice.x else { return };
    let measure = match table.kind(start) {
        ColumnKind::DateTime => Measure::Time,
        ColumnKind::TimeSpan => Measure::Span,
        _ => Measure::Number,
    };
    let columns: Vec<usize> = choice.series.iter().chain(&choice.y).copied().collect();
    // Where several columns name a bar, the first of them gives the colour; else each lane has its own.
    let groups = columns.len() > 1;
    let mut lanes: Vec<String> = Vec::new();
    let mut lane_of: HashMap<String, usize> = HashMap::new();
    let mut colours: Vec<String> = Vec::new();
    let mut colour_of: HashMap<String, usize> = HashMap::new();
    let mut bars: Vec<Bar> = Vec::new();
    for row in 0..table.rows.len() {
        let Some(begin) = table.value(row, start).number() else { continue };
        let end = choice.x_end.and_then(|end| table.value(row, end).number()).unwrap_or(begin);
        let name = data::series_name(table, row, &columns).unwrap_or_else(|| format!("row {}", row + 1));
        let next = lanes.len();
        let lane = *lane_of.entry(name.clone()).or_insert(next);
        if lane == next {
            lanes.push(name.clone());
        }
        let group = match columns.first() {
            Some(first) if groups => text::name(table.value(row, *first)),
            _ => name,
        };
        let next = colours.len();
        let colour = *colour_of.entry(group.clone()).or_insert(next);
        if colour == next {
            colours.push(group);
        }
        bars.push(Bar { lane, begin: begin.min(end), end: begin.max(end), colour });
    }
    let size = frame::text_size(scene);
    let lanes_max = ((area.height - size * 4.0) / 3.0).max(1.0) as usize;
    if lanes.len() > lanes_max {
        scene.note(format!("first {lanes_max} of {} rows", text::grouped(lanes.len() as i64)));
        lanes.truncate(lanes_max);
        bars.retain(|bar| bar.lane < lanes_max);
    }
    let area = frame::notes(scene, area);
    let ends = bars.iter().flat_map(|bar| [bar.begin, bar.end]);
    let Some((low, high)) = data::range(ends) else {
        frame::message(scene, area, "No data");
        scene.description = "Ladder chart: nothing to draw.".to_owned();
        return;
    };
    let word = |value: f64| axes::y_text(measure, value);
    scene.description = format!(
        "Ladder chart of {} bars in {} rows from {} to {}.",
        bars.len(),
        lanes.len(),
        word(low),
        word(high)
    );
    let legend: Vec<(String, Paint)> =
        colours.iter().enumerate().map(|(at, name)| (name.clone(), Paint::Series(at))).collect();
    let wants_legend = properties.legend.unwrap_or(groups && colours.len() > 1);
    let area = if wants_legend { frame::legend(scene, area, &legend) } else { area };
    let widest = lanes.iter().map(|name| font::width(name, size)).fold(0.0, f64::max);
    let y_title = properties.y_title.as_deref().filter(|title| !title.trim().is_empty());
    let title_room = if y_title.is_some() { size + 6.0 } else { 0.0 };
    let room = (widest + 12.0).min(area.width * 0.35);
    let plot = area.inset(room + title_room, 0.0, 10.0, size * 2.0 + 16.0);
    let scale = Scale::new(
        measure,
        properties.x_min.unwrap_or(low),
        properties.x_max.unwrap_or(high),
        properties.x_log,
    )
    .over(plot.x, plot.right());
    let ticks = axes::ticks_along(&scale, plot.width, size);
    let lane_height = (plot.height / lanes.len().max(1) as f64).min(40.0);
    let plot = Area { height: lane_height * lanes.len() as f64, ..plot };
    let mut grid = Group::stroke(Paint::Grid, 1.0);
    for tick in &ticks {
        let x = super::scene::crisp(scale.at(tick.value));
        grid.line(x, plot.y, x, plot.bottom());
    }
    scene.add(grid);
    axes::along(scene, plot, &scale, &ticks, true, size);
    axes::base_line(scene, plot, &Scale::new(Measure::Number, 0.0, 1.0, false).over(plot.bottom(), plot.y));
    let title = properties.x_title.clone().unwrap_or_else(|| match measure {
        Measure::Time => axes::time_context(&scale, &ticks),
        _ => table.name(start).to_owned(),
    });
    axes::title_along(scene, plot, plot.bottom() + size * 2.0 + 12.0, &title, size);
    if let Some(title) = y_title {
        axes::title_upright(scene, plot, area.x + size * 0.8, title, size);
    }
    let mut names = Group::fill(Paint::Muted);
    let every = ((size + 1.0) / lane_height).ceil().max(1.0) as usize;
    for (at, name) in lanes.iter().enumerate().step_by(every) {
        let y = plot.y + (at as f64 + 0.5) * lane_height + size * 0.35;
        names.fitted(plot.x - 8.0, y, name, size, Anchor::End, room - 10.0);
    }
    scene.add(names);
    paint_bars(scene, plot, &scale, lane_height, &colours, &bars);
}

fn paint_bars(
    scene: &mut Scene,
    plot: Area,
    scale: &Scale,
    lane_height: f64,
    colours: &[String],
    bars: &[Bar],
) {
    let thickness = (lane_height * 0.5).clamp(1.0, 12.0);
    for (colour, name) in colours.iter().enumerate() {
        let mut group = Group {
            fill: Some(Paint::Series(colour)),
            title: (!name.is_empty()).then(|| name.clone()),
            clip: Some(plot.inset(-6.0, 0.0, -6.0, 0.0)),
            ..Group::default()
        };
        let mut seen = HashSet::new();
        for bar in bars.iter().filter(|bar| bar.colour == colour) {
            let (x1, x2) = (scale.at(bar.begin), scale.at(bar.end));
            if !seen.insert((bar.lane, x1 as i64, x2 as i64)) {
                continue;
            }
            let middle = plot.y + (bar.lane as f64 + 0.5) * lane_height;
            if x2 - x1 < 2.0 {
                // A moment.
                group.circle((x1 + x2) / 2.0, middle, (lane_height * 0.4).clamp(1.5, 4.5));
                continue;
            }
            let (width, y) = (x2 - x1, middle - thickness / 2.0);
            let radius = if width > 6.0 && thickness > 6.0 { 2.0 } else { 0.0 };
            group.nodes.push(Node::Rect { area: Area { x: x1, y, width, height: thickness }, radius });
        }
        scene.add(group);
    }
}
