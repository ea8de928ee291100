//! Points, lines and bars of a plotly figure on common axes.

use std::collections::HashMap;

use super::super::scale::{Measure, Scale};
use super::super::scene::{Anchor, Area, Group, Node, Paint, Scene, Segment, crisp};
use super::super::{Properties, Value, axes, cartesian, data, font, frame, text};
use super::figure::{Figure, Shape, Trace};

/// A trace as numbers; places on an axis of names are their positions.
struct Line {
    at: usize,
    /// (x, y), or (y, x) where bars lie; NaN is a gap.
    points: Vec<(f64, f64)>,
}

fn measure(values: impl Iterator<Item = Value>) -> Option<Measure> {
    let (mut numbers, mut times, mut names) = (0, 0, 0);
    for value in values {
        match value {
            Value::DateTime(_) => times += 1,
            Value::Text(_) | Value::Bool(_) => names += 1,
            Value::Null => {}
            _ => numbers += 1,
        }
    }
    match (numbers, times, names) {
        (_, 0, 0) => Some(Measure::Number),
        (0, _, 0) => Some(Measure::Time),
        _ => None,
    }
}

pub fn draw(scene: &mut Scene, area: Area, figure: &Figure, traces: &[&Trace], properties: &Properties) {
    let level = traces.iter().all(|trace| trace.shape == Shape::Bar && trace.level);
    let across = |trace: &Trace| if level { trace.y.clone() } else { trace.x.clone() };
    let along = |trace: &Trace| if level { trace.x.clone() } else { trace.y.clone() };
    let measured = measure(traces.iter().flat_map(|trace| across(trace)));
    let y_measure = measure(traces.iter().flat_map(|trace| along(trace))).unwrap_or(Measure::Number);
    let mut names: Vec<String> = Vec::new();
    let mut name_of: HashMap<String, usize> = HashMap::new();
    let lines: Vec<Line> = traces
        .iter()
        .enumerate()
        .map(|(at, trace)| Line {
            at,
            points: across(trace)
                .iter()
                .zip(along(trace).iter())
                .filter_map(|(x, y)| {
                    let x = match measured {
                        Some(_) => x.number()?,
                        None => {
                            let name = text::name(x);
                            let next = names.len();
                            let index = *name_of.entry(name.clone()).or_insert(next);
                            if index == next {
                                names.push(name);
                            }
                            index as f64
                        }
                    };
                    Some((x, y.number().unwrap_or(f64::NAN)))
                })
                .collect(),
        })
        .collect();
    let count: usize = lines.iter().map(|line| line.points.len()).sum();
    scene.description = format!(
        "{} with {} points.",
        traces.iter().take(5).map(|trace| trace.name.as_str()).collect::<Vec<_>>().join(", "),
        text::grouped(count as i64)
    );
    let area = frame::notes(scene, area);
    let Some((x_low, x_high)) = data::range(lines.iter().flat_map(|line| line.points.iter().map(|p| p.0)))
    else {
        return frame::message(scene, area, "No data");
    };
    let legend: Vec<(String, Paint)> = traces
        .iter()
        .enumerate()
        .filter(|(_, trace)| trace.in_legend)
        .map(|(at, trace)| (trace.name.clone(), paint_of(trace, at)))
        .collect();
    let wants = properties.legend.or(figure.legend).unwrap_or(legend.len() > 1);
    let area = if wants { frame::legend(scene, area, &legend) } else { area };
    let bars: Vec<&Line> = lines.iter().filter(|line| traces[line.at].shape == Shape::Bar).collect();
    let stack = if figure.stacked { stacked(&bars) } else { HashMap::new() };
    let tops = lines
        .iter()
        .flat_map(|line| {
            let stack = &stack;
            line.points.iter().map(move |(x, y)| stack.get(&(line.at, x.to_bits())).map_or(*y, |s| s.1))
        })
        .chain((!bars.is_empty() || traces.iter().any(|trace| trace.filled)).then_some(0.0));
    let y_log = figure.y_log && !level;
    let tops: Vec<f64> = tops.filter(|y| !y_log || *y > 0.0).collect();
    let (y_low, y_high) = data::range(tops.into_iter()).unwrap_or((0.0, 1.0));
    let size = frame::text_size(scene);
    let step = bar_step(&bars, measured.is_none());
    let pad = if bars.is_empty() { (x_high - x_low) * 0.02 } else { step / 2.0 };
    let across_scale = match measured {
        None => Scale {
            measure: Measure::Number,
            low: -0.5,
            high: names.len().max(1) as f64 - 0.5,
            log: false,
            from: 0.0,
            to: 1.0,
        },
        Some(measure) if figure.x_log => Scale::new(measure, x_low, x_high, true),
        Some(measure) => Scale::new(measure, x_low - pad, x_high + pad, false),
    };
    let value_count = axes::count_upright(area.height - size * 2.0);
    let value = Scale::new(y_measure, y_low, y_high, y_log).nice(value_count, false, false);
    let titles = if level {
        (figure.y_title.as_str(), figure.x_title.as_str())
    } else {
        (figure.x_title.as_str(), figure.y_title.as_str())
    };
    let x_title = properties.x_title.as_deref().unwrap_or(titles.0);
    let y_title = properties.y_title.as_deref().unwrap_or(titles.1);
    let place = Plot { across: across_scale, value, names: &names, named: measured.is_none(), level };
    let (plot, across, value) = place.axes(scene, area, x_title, y_title, size);
    let clip = Some(plot.inset(-5.0, -5.0, -5.0, -5.0));
    let slot = ((across.to - across.from) * step / across.span()).abs().min(120.0 * bars.len().max(1) as f64);
    for (lane, line) in bars.iter().enumerate() {
        let trace = traces[line.at];
        let mut group = Group {
            fill: Some(paint_of(trace, line.at)),
            title: Some(trace.name.clone()),
            clip,
            ..Group::default()
        };
        let (offset, thickness) = if figure.stacked {
            (-0.4, 0.8)
        } else {
            (-0.4 + 0.8 * lane as f64 / bars.len() as f64, 0.8 / bars.len() as f64)
        };
        for (x, y) in line.points.iter().filter(|point| point.1.is_finite()) {
            let (base, top) = stack.get(&(line.at, x.to_bits())).copied().unwrap_or((0.0, *y));
            let begin = if value.log && base <= 0.0 { value.from } else { value.at(base) };
            let end = value.at(top);
            let at = across.at(*x) + offset * slot;
            let (low, length) = (begin.min(end), (begin - end).abs());
            let width = (thickness * slot - 1.0).max(1.0);
            if level { group.rect(low, at, length, width) } else { group.rect(at, low, width, length) }
        }
        scene.add(group);
    }
    for line in lines.iter().filter(|line| traces[line.at].shape == Shape::Scatter) {
        paint_line(scene, plot, traces[line.at], line, (&across, &value));
    }
    if level {
        let x = crisp(value.at(0.0).clamp(plot.x, plot.right()));
        let mut axis = Group::stroke(Paint::Axis, 1.0);
        axis.line(x, plot.y, x, plot.bottom());
        scene.add(axis);
    } else {
        axes::base_line(scene, plot, &value);
    }
}

/// Traces that mark anomalies have the colour of such.
fn paint_of(trace: &Trace, at: usize) -> Paint {
    if !trace.lines && trace.name.to_ascii_lowercase().contains("anomal") {
        Paint::Anomaly
    } else {
        Paint::Series(at)
    }
}

fn bar_step(bars: &[&Line], named: bool) -> f64 {
    if named {
        return 1.0;
    }
    let mut places: Vec<f64> = bars.iter().flat_map(|line| line.points.iter().map(|point| point.0)).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    let least = places.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min);
    if least.is_finite() { least } else { 1.0 }
}

/// Base and top of each bar by trace and place.
fn stacked(bars: &[&Line]) -> HashMap<(usize, u64), (f64, f64)> {
    let mut sums: HashMap<(u64, bool), f64> = HashMap::new();
    let mut found = HashMap::new();
    for line in bars {
        for (x, y) in line.points.iter().filter(|point| point.1.is_finite()) {
            let sum = sums.entry((x.to_bits(), *y < 0.0)).or_insert(0.0);
            let base = *sum;
            *sum += y;
            found.insert((line.at, x.to_bits()), (base, *sum));
        }
    }
    found
}

struct Plot<'a> {
    across: Scale,
    value: Scale,
    names: &'a [String],
    named: bool,
    level: bool,
}

impl Plot<'_> {
    /// Draws the axes; the plot's area, and the scales laid over it.
    fn axes(
        self,
        scene: &mut Scene,
        area: Area,
        x_title: &str,
        y_title: &str,
        size: f64,
    ) -> (Area, Scale, Scale) {
        let Plot { across, value, names, named, level } = self;
        let count = axes::count_upright(area.height - size * 2.0);
        let upright = if level { across.ticks(count) } else { value.ticks(count) };
        let widest = if level && named {
            names.iter().take(2000).map(|name| font::width(name, size)).fold(0.0, f64::max)
        } else {
            axes::widest(&upright, size)
        };
        let title_room = if y_title.is_empty() { 0.0 } else { size + 6.0 };
        let left = (widest + 8.0).min(area.width * 0.35);
        let mut plot = area.inset(left + title_room, size * 0.5, 8.0, 0.0);
        let plan = (named && !level).then(|| axes::plan_names(names, plot.width, area.height, size));
        let room = plan.map_or(size + 10.0, |plan| plan.room);
        let below = if x_title.is_empty() { 0.0 } else { size + 6.0 };
        plot.height = (plot.height - room - below).max(4.0);
        let (across, value) = if level {
            (across.over(plot.y, plot.bottom()), value.over(plot.x, plot.right()))
        } else {
            (across.over(plot.x, plot.right()), value.over(plot.bottom(), plot.y))
        };
        let side = axes::Side { left: true, grid: true, paint: Paint::Muted };
        match (level, plan) {
            (false, Some(plan)) => {
                axes::upright(scene, plot, &value, &upright, plot.x, side, size);
                axes::names_along(scene, plot, names, plan, size);
            }
            (false, None) => {
                axes::upright(scene, plot, &value, &upright, plot.x, side, size);
                let ticks = axes::ticks_along(&across, plot.width, size);
                axes::along(scene, plot, &across, &ticks, true, size);
            }
            (true, _) => {
                if named {
                    let slot = plot.height / names.len().max(1) as f64;
                    let every = ((size + 1.0) / slot).ceil().max(1.0) as usize;
                    let mut texts = Group::fill(Paint::Muted);
                    for (at, name) in names.iter().enumerate().step_by(every) {
                        let y = across.at(at as f64) + size * 0.35;
                        texts.fitted(plot.x - 6.0, y, name, size, Anchor::End, left - 8.0);
                    }
                    scene.add(texts);
                } else {
                    axes::upright(scene, plot, &across, &upright, plot.x, side, size);
                }
                let ticks = axes::ticks_along(&value, plot.width, size);
                axes::along(scene, plot, &value, &ticks, true, size);
            }
        }
        if !x_title.is_empty() {
            axes::title_along(scene, plot, plot.bottom() + room + size, x_title, size);
        }
        if !y_title.is_empty() {
            axes::title_upright(scene, plot, area.x + size * 0.8, y_title, size);
        }
        (plot, across, value)
    }
}

fn paint_line(scene: &mut Scene, plot: Area, trace: &Trace, line: &Line, (x, y): (&Scale, &Scale)) {
    let paint = paint_of(trace, line.at);
    let mut group = Group {
        title: Some(trace.name.clone()),
        clip: Some(plot.inset(-5.0, -5.0, -5.0, -5.0)),
        ..Group::default()
    };
    let visible =
        |point: &&(f64, f64)| point.1.is_finite() && (!y.log || point.1 > 0.0) && (!x.log || point.0 > 0.0);
    if trace.lines {
        let mut strokes = Group::stroke(paint, 2.0);
        let mut fills = Group { fill: Some(paint), opacity: 0.4, ..Group::default() };
        for run in line.points.split(|point| !visible(&point)) {
            let points = cartesian::thin(run.iter().map(|point| (x.at(point.0), y.at(point.1))));
            let (Some(first), Some(last)) = (points.first(), points.last()) else { continue };
            let path = cartesian::outline(&points);
            if trace.filled {
                let zero = if y.log { y.from } else { y.at(0.0) };
                let mut filled = path.clone();
                filled.extend([Segment::Line(last.0, zero), Segment::Line(first.0, zero), Segment::Close]);
                fills.nodes.push(Node::Path(filled));
            }
            strokes.nodes.push(Node::Path(path));
        }
        group.nodes.push(Node::Group(fills));
        group.nodes.push(Node::Group(strokes));
    }
    if trace.markers || line.points.len() == 1 {
        let radius = if line.points.len() > 1000 { 2.0 } else { 3.5 };
        let mut dots = Group { fill: Some(paint), opacity: 0.85, ..Group::default() };
        let mut seen = std::collections::HashSet::new();
        for point in line.points.iter().filter(visible) {
            let (px, py) = (x.at(point.0), y.at(point.1));
            if seen.insert(((px * 0.7) as i64, (py * 0.7) as i64)) {
                dots.circle(px, py, radius);
            }
        }
        group.nodes.push(Node::Group(dots));
    }
    scene.add(group);
}
