//! Ladder charts and time pivots: each row a bar from its begin to its end on a common axis.

use std::collections::HashMap;

use super::axes;
use super::choose::Choice;
use super::data;
use super::font;
use super::frame;
use super::scale::{Measure, Scale};
use super::scene::{Anchor, Area, Group, Node, Paint, Scene};
use super::{ColumnKind, Kind, Properties, Table, text};

pub fn draw(scene: &mut Scene, area: Area, table: &Table, properties: &Properties, choice: &Choice) {
    let Some(start) = choice.x else { return };
    let pivot = properties.kind == Kind::TimePivot;
    let measure = match table.kind(start) {
        ColumnKind::DateTime => Measure::Time,
        ColumnKind::TimeSpan => Measure::Span,
        _ => Measure::Number,
    };
    let mut lanes: Vec<String> = Vec::new();
    let mut lane_of: HashMap<String, usize> = HashMap::new();
    let mut colours: Vec<String> = Vec::new();
    let mut colour_of: HashMap<String, usize> = HashMap::new();
    // Lane, begin, end, colour.
    let mut bars: Vec<(usize, f64, f64, usize)> = Vec::new();
    for row in 0..table.rows.len() {
        let Some(begin) = table.value(row, start).number() else { continue };
        let end = choice.x_end.and_then(|end| table.value(row, end).number()).unwrap_or(begin);
        let columns: Vec<usize> = if pivot {
            choice.series.clone()
        } else {
            choice.series.iter().chain(&choice.y).copied().collect()
        };
        let name = data::series_name(table, row, &columns)
            .unwrap_or_else(|| if pivot { "All".to_owned() } else { format!("row {}", row + 1) });
        let next = lanes.len();
        let lane = *lane_of.entry(name.clone()).or_insert(next);
        if lane == next {
            lanes.push(name);
        }
        let series = choice.series.first().map_or(String::new(), |at| text::name(table.value(row, *at)));
        let next = colours.len();
        let colour = *colour_of.entry(series.clone()).or_insert(next);
        if colour == next {
            colours.push(series);
        }
        bars.push((lane, begin.min(end), begin.max(end), colour));
    }
    let size = frame::text_size(scene);
    let rows_max = ((area.height / (size + 2.0)) as usize).max(1);
    if lanes.len() > rows_max {
        scene.note(format!("first {rows_max} of {} rows", text::grouped(lanes.len() as i64)));
        lanes.truncate(rows_max);
        bars.retain(|bar| bar.0 < rows_max);
    }
    let area = frame::notes(scene, area);
    let ends = bars.iter().flat_map(|bar| [bar.1, bar.2]);
    let Some((low, high)) = data::range(ends) else {
        frame::message(scene, area, "No data");
        scene.description = format!("{}: nothing to draw.", properties.kind.title());
        return;
    };
    let word = |value: f64| axes::y_text(measure, value);
    scene.description = format!(
        "{} of {} bars in {} rows from {} to {}.",
        properties.kind.title(),
        bars.len(),
        lanes.len(),
        word(low),
        word(high)
    );
    let legend: Vec<(String, Paint)> = if choice.series.is_empty() || pivot || choice.series.len() < 2 {
        Vec::new()
    } else {
        colours.iter().enumerate().map(|(at, name)| (name.clone(), Paint::Series(at))).collect()
    };
    let area = if properties.legend == Some(false) { area } else { frame::legend(scene, area, &legend) };
    let widest = lanes.iter().map(|name| font::width(name, size)).fold(0.0, f64::max);
    let room = (widest + 10.0).min(area.width * 0.35);
    let context_room = size + 6.0;
    let plot = area.inset(room, 0.0, 10.0, size + 10.0 + context_room);
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
    let mut names = Group::fill(Paint::Muted);
    for (at, name) in lanes.iter().enumerate() {
        let y = plot.y + (at as f64 + 0.5) * lane_height + size * 0.35;
        names.fitted(plot.x - 8.0, y, name, size, Anchor::End, room - 10.0);
    }
    scene.add(names);
    let thickness = (lane_height * 0.66).max(1.0);
    let one_colour = legend.is_empty() && !pivot;
    for (colour, name) in colours.iter().enumerate() {
        let mut group = Group {
            fill: Some(Paint::Series(if one_colour { 0 } else { colour })),
            title: (!name.is_empty()).then(|| name.clone()),
            opacity: if pivot { 0.7 } else { 1.0 },
            clip: Some(plot.inset(-2.0, 0.0, -2.0, 0.0)),
            ..Group::default()
        };
        let mut seen = std::collections::HashSet::new();
        for (lane, begin, end, _) in bars.iter().filter(|bar| bar.3 == colour) {
            let (x1, x2) = (scale.at(*begin), scale.at(*end));
            if !seen.insert((*lane, x1 as i64, x2 as i64)) {
                continue;
            }
            let y = plot.y + *lane as f64 * lane_height + (lane_height - thickness) / 2.0;
            let width = (x2 - x1).max(2.0);
            group.nodes.push(Node::Rect {
                area: Area { x: x1, y, width, height: thickness },
                radius: if width > 6.0 && thickness > 6.0 { 2.0 } else { 0.0 },
            });
        }
        scene.add(group);
    }
}
