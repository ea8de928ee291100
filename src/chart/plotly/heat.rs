//! A grid of numbers as coloured cells with the scale beside it: heatmap, contour, and surface seen from above.

use super::super::scale::{Measure, Scale};
use super::super::scene::{Anchor, Area, Group, Paint, Scene};
use super::super::{Value, axes, data, font, frame, text};
use super::figure::{Figure, Trace};

/// Cells across and upwards that are drawn; more are gathered.
const CELLS_MAX: usize = 240;
const STEPS: usize = 64;

pub fn draw(scene: &mut Scene, area: Area, figure: &Figure, trace: &Trace) {
    let width = trace.grid.iter().map(Vec::len).max().unwrap_or(0);
    let height = trace.grid.len();
    let Some((low, high)) = data::range(trace.grid.iter().flatten().copied()) else {
        return frame::message(scene, area, "No data");
    };
    scene.description = format!(
        "{} of {width} by {height} values from {} to {}.",
        if trace.word == "surface" { "Surface seen from above" } else { "Heat map" },
        text::number(low),
        text::number(high)
    );
    let size = frame::text_size(scene);
    let names = |given: &[Value], count: usize| -> Vec<String> {
        (0..count).map(|at| given.get(at).map_or_else(|| at.to_string(), text::name)).collect()
    };
    let (columns, rows) = (names(&trace.x, width), names(&trace.y, height));
    let bar = Scale::new(Measure::Number, low, high, false);
    let bar_ticks = bar.ticks(axes::count_upright(area.height));
    let bar_room = axes::widest(&bar_ticks, size) + 34.0;
    let widest = rows.iter().take(2000).map(|name| font::width(name, size)).fold(0.0, f64::max);
    let title_room = if figure.y_title.is_empty() { 0.0 } else { size + 6.0 };
    let left = (widest + 10.0).min(area.width * 0.3);
    let mut plot = area.inset(left + title_room, size * 0.5, bar_room, 0.0);
    let plan = axes::plan_names(&columns, plot.width, area.height, size);
    let below = if figure.x_title.is_empty() { 0.0 } else { size + 6.0 };
    plot.height = (plot.height - plan.room - below).max(4.0);
    cells(scene, plot, trace, (width, height), (low, high));
    axes::names_along(scene, plot, &columns, plan, size);
    let slot = plot.height / height.max(1) as f64;
    let every = ((size + 2.0) / slot).ceil().max(1.0) as usize;
    let mut texts = Group::fill(Paint::Muted);
    for (at, name) in rows.iter().enumerate().step_by(every) {
        let y = plot.bottom() - (at as f64 + 0.5) * slot + size * 0.35;
        texts.fitted(plot.x - 6.0, y, name, size, Anchor::End, left - 8.0);
    }
    scene.add(texts);
    if !figure.x_title.is_empty() {
        axes::title_along(scene, plot, plot.bottom() + plan.room + size, &figure.x_title, size);
    }
    if !figure.y_title.is_empty() {
        axes::title_upright(scene, plot, area.x + size * 0.8, &figure.y_title, size);
    }
    let x = plot.right() + 10.0;
    for step in 0..STEPS {
        let part = plot.height / STEPS as f64;
        let mut group = Group::fill(Paint::Heat((step * 255 / (STEPS - 1)) as u8));
        let top = (plot.bottom() - (step + 1) as f64 * part).floor();
        group.rect(x, top, 12.0, (plot.bottom() - step as f64 * part).ceil() - top);
        scene.add(group);
    }
    let bar = bar.over(plot.bottom(), plot.y);
    let mut texts = Group::fill(Paint::Muted);
    for tick in &bar_ticks {
        texts.text(x + 17.0, bar.at(tick.value) + size * 0.35, tick.text.clone(), size, Anchor::Start);
    }
    scene.add(texts);
}

fn cells(
    scene: &mut Scene,
    plot: Area,
    trace: &Trace,
    (width, height): (usize, usize),
    (low, high): (f64, f64),
) {
    let (across, up) = (width.min(CELLS_MAX), height.min(CELLS_MAX));
    let mut steps: Vec<Group> = Vec::new();
    steps.resize_with(256, Group::default);
    for row in 0..up {
        for column in 0..across {
            // The mean of those that fall into this cell.
            let (mut sum, mut count) = (0.0, 0);
            for values in &trace.grid[row * height / up..((row + 1) * height / up).max(row * height / up + 1)]
            {
                let from = column * width / across;
                for value in values.iter().take((column + 1) * width / across).skip(from) {
                    if value.is_finite() {
                        sum += value;
                        count += 1;
                    }
                }
            }
            if count == 0 {
                continue;
            }
            let part = if high > low { (sum / f64::from(count) - low) / (high - low) } else { 0.5 };
            let step = (part.clamp(0.0, 1.0) * 255.0) as usize;
            let x = |at: usize| (plot.x + plot.width * at as f64 / across as f64).round();
            let y = |at: usize| (plot.bottom() - plot.height * at as f64 / up as f64).round();
            steps[step].rect(x(column), y(row + 1), x(column + 1) - x(column), y(row) - y(row + 1));
        }
    }
    for (step, mut group) in steps.into_iter().enumerate() {
        group.fill = Some(Paint::Heat(step as u8));
        scene.add(group);
    }
}
