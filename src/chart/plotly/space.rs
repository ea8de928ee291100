//! Points in three dimensions, seen from above the corner of the largest x and y, without perspective.

use super::super::scale::{Measure, Scale};
use super::super::scene::{Anchor, Area, Group, Node, Paint, Scene, Segment};
use super::super::{Properties, data, font, frame, text};
use super::figure::{Figure, Trace};

type Point = (f64, f64, f64);

/// From a cube of -0.5..=0.5 to the plot.
struct View {
    cx: f64,
    cy: f64,
    scale: f64,
}

impl View {
    fn at(&self, (x, y, z): Point) -> (f64, f64) {
        let right = (y - x) * std::f64::consts::FRAC_1_SQRT_2;
        let up = z * 0.816 - (x + y) * 0.408;
        (self.cx + right * self.scale, self.cy - up * self.scale)
    }
}

pub fn draw(scene: &mut Scene, area: Area, figure: &Figure, traces: &[&Trace], properties: &Properties) {
    let points: Vec<Vec<Point>> = traces
        .iter()
        .map(|trace| {
            let places = trace.x.iter().zip(&trace.y).zip(&trace.z);
            places.filter_map(|((x, y), z)| Some((x.number()?, y.number()?, z.number()?))).collect()
        })
        .collect();
    let range = |of: fn(&Point) -> f64| data::range(points.iter().flatten().map(of));
    let (Some(x), Some(y), Some(z)) = (range(|p| p.0), range(|p| p.1), range(|p| p.2)) else {
        scene.description = "Points in space: none.".to_owned();
        return frame::message(scene, area, "No data");
    };
    let count: usize = points.iter().map(Vec::len).sum();
    scene.description = format!(
        "{} points in space of {}; x from {} to {}, y from {} to {}, z from {} to {}.",
        text::grouped(count as i64),
        traces.iter().take(5).map(|trace| trace.name.as_str()).collect::<Vec<_>>().join(", "),
        text::number(x.0),
        text::number(x.1),
        text::number(y.0),
        text::number(y.1),
        text::number(z.0),
        text::number(z.1),
    );
    let legend: Vec<(String, Paint)> =
        traces.iter().enumerate().map(|(at, trace)| (trace.name.clone(), Paint::Series(at))).collect();
    let wants = properties.legend.or(figure.legend).unwrap_or(legend.len() > 1);
    let area = if wants { frame::legend(scene, area, &legend) } else { area };
    let size = frame::text_size(scene);
    let scale = ((area.width - size * 8.0) / 1.42).min((area.height - size * 4.0) / 1.64).max(20.0);
    let view = View { cx: area.x + area.width / 2.0, cy: area.y + area.height / 2.0, scale };
    let along = |(low, high): (f64, f64)| {
        Scale::new(Measure::Number, low, high, false).nice(5, false, false).over(-0.5, 0.5)
    };
    let scales = [along(x), along(y), along(z)];
    cube(scene, &view, &scales, [&figure.x_title, &figure.y_title, &figure.z_title], size);
    // The far ones first.
    let mut dots: Vec<(f64, f64, f64, usize)> = Vec::new();
    for (at, points) in points.iter().enumerate() {
        for point in points {
            let placed = (scales[0].at(point.0), scales[1].at(point.1), scales[2].at(point.2));
            let (px, py) = view.at(placed);
            dots.push((placed.0 + placed.1 + placed.2, px, py, at));
        }
    }
    dots.sort_by(|left, right| left.0.total_cmp(&right.0));
    let radius = if count > 2000 { 2.0 } else { 4.0 };
    let mut group = Group::default();
    let mut current = usize::MAX;
    for (_, px, py, at) in dots {
        if at != current {
            scene.add(std::mem::take(&mut group));
            group = Group {
                fill: Some(Paint::Series(at)),
                stroke: Some(Paint::Background),
                width: 0.5,
                opacity: 0.9,
                title: Some(traces[at].name.clone()),
                ..Group::default()
            };
            current = at;
        }
        group.circle(px, py, radius);
    }
    scene.add(group);
}

/// Floor, walls, ticks and titles.
fn cube(scene: &mut Scene, view: &View, scales: &[Scale; 3], titles: [&String; 3], size: f64) {
    let mut grid = Group::stroke(Paint::Grid, 1.0);
    let mut edges = Group::stroke(Paint::Axis, 1.0);
    let mut texts = Group::fill(Paint::Muted);
    let line = |group: &mut Group, from: Point, to: Point| {
        let ((x1, y1), (x2, y2)) = (view.at(from), view.at(to));
        group.nodes.push(Node::Path(vec![Segment::Move(x1, y1), Segment::Line(x2, y2)]));
    };
    let (near, far) = (0.5, -0.5);
    for (axis, scale) in scales.iter().enumerate() {
        let mut widest: f64 = 0.0;
        for tick in scale.ticks(5) {
            let at = scale.at(tick.value);
            let (label, anchor, shift) = match axis {
                0 => {
                    line(&mut grid, (at, far, far), (at, near, far));
                    line(&mut grid, (at, far, far), (at, far, near));
                    ((at, near, far), Anchor::Start, (4.0, size))
                }
                1 => {
                    line(&mut grid, (far, at, far), (near, at, far));
                    line(&mut grid, (far, at, far), (far, at, near));
                    ((near, at, far), Anchor::End, (-4.0, size))
                }
                _ => {
                    line(&mut grid, (far, far, at), (near, far, at));
                    line(&mut grid, (far, far, at), (far, near, at));
                    ((near, far, at), Anchor::End, (-6.0, size * 0.35))
                }
            };
            let (x, y) = view.at(label);
            widest = widest.max(font::width(&tick.text, size));
            texts.text(x + shift.0, y + shift.1, tick.text, size, anchor);
        }
        let title = titles[axis].as_str();
        if title.is_empty() {
            continue;
        }
        match axis {
            0 => {
                let (x, y) = view.at((0.0, near, far));
                let x = (x + widest + 12.0).min(scene.width - 4.0);
                let room = (scene.width - x - 2.0).max(30.0);
                texts.fitted(x, y + size * 2.0, title, size, Anchor::Start, room);
            }
            1 => {
                let (x, y) = view.at((near, 0.0, far));
                texts.fitted(
                    x - widest - 12.0,
                    y + size * 2.0,
                    title,
                    size,
                    Anchor::End,
                    (x - widest - 14.0).max(30.0),
                );
            }
            _ => {
                let (x, y) = view.at((near, far, 0.0));
                frame::upward(&mut texts, x - widest - size, y, title, size, view.scale);
            }
        }
    }
    for (from, to) in [
        ((far, far, far), (far, far, near)),
        ((far, far, far), (near, far, far)),
        ((far, far, far), (far, near, far)),
        ((near, far, far), (near, near, far)),
        ((far, near, far), (near, near, far)),
        ((near, far, far), (near, far, near)),
    ] {
        line(&mut edges, from, to);
    }
    scene.add(grid);
    scene.add(edges);
    scene.add(texts);
}
