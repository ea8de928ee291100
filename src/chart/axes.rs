//! Axes, grid lines and their texts, for charts with an x and a y direction.

use super::data::XAxis;
use super::font;
use super::frame;
use super::scale::{Measure, Scale, Tick};
use super::scene::{Anchor, Area, Group, Paint, Scene, crisp};
use super::text;

/// How many ticks have room on so many pixels of height.
pub fn count_upright(height: f64) -> usize {
    ((height / 42.0) as usize).clamp(1, 12)
}

/// Ticks along a width whose texts do not touch.
pub fn ticks_along(scale: &Scale, width: f64, size: f64) -> Vec<Tick> {
    let mut count = ((width / (size * 5.5)) as usize).clamp(1, 20);
    loop {
        let ticks = scale.ticks(count);
        let widest = ticks.iter().map(|tick| font::width(&tick.text, size)).fold(0.0, f64::max);
        if count == 1 || ticks.len() as f64 * (widest + 10.0) <= width + widest {
            return ticks;
        }
        count -= 1;
    }
}

/// The widest text of ticks.
pub fn widest(ticks: &[Tick], size: f64) -> f64 {
    ticks.iter().map(|tick| font::width(&tick.text, size)).fold(0.0, f64::max)
}

/// A value axis at the left or right of the plot; only the first has grid lines.
pub fn upright(scene: &mut Scene, plot: Area, scale: &Scale, ticks: &[Tick], at: f64, side: Side, size: f64) {
    let mut grid = Group::stroke(Paint::Grid, 1.0);
    let mut texts = Group::fill(side.paint);
    for tick in ticks {
        let y = crisp(scale.at(tick.value));
        if y < plot.y - 1.0 || y > plot.bottom() + 1.0 {
            continue;
        }
        if side.grid {
            grid.line(plot.x, y, plot.right(), y);
        }
        let (x, anchor) = if side.left { (at - 6.0, Anchor::End) } else { (at + 6.0, Anchor::Start) };
        texts.text(x, y + size * 0.35, tick.text.clone(), size, anchor);
    }
    scene.add(grid);
    scene.add(texts);
    if !side.grid {
        let mut line = Group::stroke(side.paint, 1.0);
        line.line(crisp(at), plot.y, crisp(at), plot.bottom());
        scene.add(line);
    }
}

/// Where a value axis stands and how it looks.
#[derive(Clone, Copy, Debug)]
pub struct Side {
    pub left: bool,
    pub grid: bool,
    pub paint: Paint,
}

/// The measured x axis below the plot.
pub fn along(scene: &mut Scene, plot: Area, scale: &Scale, ticks: &[Tick], texts: bool, size: f64) {
    let mut marks = Group::stroke(Paint::Axis, 1.0);
    let mut labels = Group::fill(Paint::Muted);
    let mut labels_major = Group::fill(Paint::Text);
    let mut free_from = f64::NEG_INFINITY;
    for tick in ticks {
        let x = scale.at(tick.value);
        if x < plot.x - 1.0 || x > plot.right() + 1.0 {
            continue;
        }
        marks.line(crisp(x), plot.bottom(), crisp(x), plot.bottom() + 4.0);
        let half = font::width(&tick.text, size) / 2.0;
        let x = x.min(scene.width - half - 2.0).max(half + 2.0);
        if texts && x - half >= free_from {
            free_from = x + half + 6.0;
            let group = if tick.major { &mut labels_major } else { &mut labels };
            group.text(x, plot.bottom() + size + 6.0, tick.text.clone(), size, Anchor::Middle);
        }
    }
    scene.add(marks);
    scene.add(labels);
    scene.add(labels_major);
}

/// How the names of categories are written below the plot.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    pub upward: bool,
    pub every: usize,
    /// Height they need.
    pub room: f64,
}

pub fn plan_names(names: &[String], width: f64, height: f64, size: f64) -> Names {
    let slot = width / names.len().max(1) as f64;
    let widest = names.iter().take(2000).map(|name| font::width(name, size)).fold(0.0, f64::max);
    if widest + 6.0 <= slot {
        return Names { upward: false, every: 1, room: size + 10.0 };
    }
    // Short names in narrow slots: some of them, level.
    if slot < size + 2.0 && widest <= 44.0 {
        let every = ((widest + 8.0) / slot).ceil().max(1.0) as usize;
        return Names { upward: false, every, room: size + 10.0 };
    }
    let every = ((size + 2.0) / slot).ceil().max(1.0) as usize;
    // A few long names are better cut level than read upwards.
    if slot >= 64.0 {
        return Names { upward: false, every: 1, room: size + 10.0 };
    }
    Names { upward: true, every, room: (widest + 10.0).min(height * 0.32).min(140.0) }
}

pub fn names_along(scene: &mut Scene, plot: Area, names: &[String], plan: Names, size: f64) {
    let slot = plot.width / names.len().max(1) as f64;
    let mut group = Group::fill(Paint::Muted);
    for (at, name) in names.iter().enumerate().step_by(plan.every.max(1)) {
        let x = plot.x + (at as f64 + 0.5) * slot;
        if plan.upward {
            let room = plan.room - 8.0;
            let cut = font::fit(name, size, room);
            let full = (cut != *name).then(|| name.clone());
            group.nodes.push(super::scene::Node::Label(super::scene::Label {
                x: x + size * 0.35,
                y: plot.bottom() + 6.0,
                text: cut,
                size,
                anchor: Anchor::End,
                upward: true,
                full,
            }));
        } else {
            let room = (slot * plan.every as f64 - 4.0).max(8.0);
            group.fitted(x, plot.bottom() + size + 6.0, name, size, Anchor::Middle, room);
        }
    }
    scene.add(group);
}

/// The line of the x axis: at nought where that is within, else at the bottom.
pub fn base_line(scene: &mut Scene, plot: Area, scale: &Scale) {
    let zero = scale.at(0.0);
    let mut group = Group::stroke(Paint::Axis, 1.0);
    group.line(plot.x, crisp(plot.bottom()), plot.right(), crisp(plot.bottom()));
    if !scale.log && scale.low < 0.0 && scale.high > 0.0 && zero < plot.bottom() - 1.0 {
        group.line(plot.x, crisp(zero), plot.right(), crisp(zero));
    }
    scene.add(group);
}

/// A title below the x axis.
pub fn title_along(scene: &mut Scene, plot: Area, y: f64, title: &str, size: f64) {
    let mut group = Group::fill(Paint::Muted);
    group.fitted(plot.x + plot.width / 2.0, y, title, size, Anchor::Middle, plot.width.max(40.0));
    scene.add(group);
}

/// A title beside the y axis.
pub fn title_upright(scene: &mut Scene, plot: Area, x: f64, title: &str, size: f64) {
    let mut group = Group::fill(Paint::Muted);
    frame::upward(&mut group, x, plot.y + plot.height / 2.0, title, size, plot.height.max(30.0));
    scene.add(group);
}

/// What the ticks of a time axis leave unsaid: the day, or the year, and that it is UTC.
pub fn time_context(scale: &Scale, ticks: &[Tick]) -> String {
    let seen = match (ticks.first(), ticks.last()) {
        (Some(first), Some(last)) => (first.value as i64, last.value as i64),
        _ => (scale.low as i64, scale.high as i64),
    };
    let (low, high) = (text::civil(seen.0), text::civil(seen.1));
    let years_told =
        ticks.iter().any(|tick| tick.text.len() == 4 && tick.text.bytes().all(|b| b.is_ascii_digit()));
    if (low.year, low.month, low.day) == (high.year, high.month, high.day) {
        format!("{} (UTC)", text::day(seen.0))
    } else if ticks.iter().all(|tick| tick.text.contains(':')) {
        format!("{} – {} (UTC)", text::day(seen.0), text::day(seen.1))
    } else if years_told {
        "UTC".to_owned()
    } else if low.year == high.year {
        format!("{} (UTC)", low.year)
    } else {
        format!("{} – {} (UTC)", low.year, high.year)
    }
}

/// A position of an x axis in words.
pub fn x_text(axis: &XAxis, value: f64) -> String {
    match axis {
        XAxis::Measured(Measure::Time) => text::datetime(value as i64),
        XAxis::Measured(Measure::Span) => text::span(value as i64),
        XAxis::Measured(Measure::Number) => text::number(value),
        XAxis::Categories(names) => names.get(value as usize).cloned().unwrap_or_default(),
    }
}

/// A measured value in words.
pub fn y_text(measure: Measure, value: f64) -> String {
    x_text(&XAxis::Measured(measure), value)
}
