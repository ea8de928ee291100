//! Charts in characters for a terminal: braille dots for lines and points, eighth blocks for bars.

mod terminal_map;

use super::axes;
use super::cartesian::{layers, value_scale};
use super::choose::{self, Choice};
use super::data::{self, Data, XAxis};
use super::grid;
use super::scale::{Measure, Scale};
use super::scene::Scene;
use super::{Kind, Properties, Table, VisualKind, bars, pivot, plotly, text, time_pivot};

/// ANSI colours of the series in turn.
const COLOURS: [u8; 6] = [34, 33, 32, 35, 36, 31];
const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

pub fn write(table: &Table, properties: &Properties, width: usize, height: usize, colours: bool) -> String {
    let mut page = Page { width, height, colours, out: String::new() };
    if !properties.title.is_empty() {
        page.line(&centred(&properties.title, width));
    }
    if table.rows.is_empty() || table.columns.is_empty() {
        page.line(&centred("No data", width));
        return page.out;
    }
    let mut scene = Scene::new(800.0, 400.0);
    let choice = choose::choose(&table.columns, properties);
    if let Some(problem) = &choice.problem
        && properties.kind.needs_columns()
    {
        scene.note(format!("{problem}; shown as a table"));
        page.table(table);
    } else {
        match properties.kind {
            Kind::Card => page.card(table),
            Kind::LadderChart => page.ladder(table, properties, &choice),
            Kind::TimePivot => page.time_pivot(table, &choice),
            Kind::PivotChart => match pivot::table_of(&mut scene, table, &choice) {
                Some(pivoted) => page.table(&pivoted),
                None => page.table(table),
            },
            Kind::Plotly => match plotly::check(table) {
                Ok(()) => scene.note("a plotly figure is drawn as SVG or PNG only".to_owned()),
                Err(problem) => page.line(&cut(&problem, width)),
            },
            Kind::ScatterChart | Kind::PieChart if properties.shape == VisualKind::Map => {
                terminal_map::draw(&mut page, table, properties, &choice);
            }
            Kind::PieChart => page.shares(
                table,
                &choice.x.into_iter().chain(choice.series.iter().copied()).collect::<Vec<_>>(),
                &choice,
            ),
            Kind::TreeMap => page.shares(table, &choice.series, &choice),
            kind if kind.is_line() || kind.is_bar() || kind == Kind::ScatterChart => {
                page.chart(&mut scene, table, properties, &choice);
            }
            _ => page.table(table),
        }
    }
    if !scene.notes.is_empty() {
        let note = format!("({})", scene.notes.join("; "));
        page.line(&cut(&note, width));
    }
    page.out
}

fn length(text: &str) -> usize {
    unicode_columns(text)
}

/// Wide characters take two columns.
fn unicode_columns(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

fn columns_of(character: char) -> usize {
    match character as u32 {
        0x300..=0x36F | 0x200B..=0x200F | 0xFE00..=0xFE0F => 0,
        0x1100..=0x115F
        | 0x2E80..=0xA4CF
        | 0xAC00..=0xD7A3
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F
        | 0xFF00..=0xFF60
        | 0xFFE0..=0xFFE6
        | 0x1F300..=0x1FAFF
        | 0x20000..=0x3FFFD => 2,
        _ => 1,
    }
}

/// The text in at most so many columns, without characters that steer a terminal.
fn cut(text: &str, room: usize) -> String {
    let text: String = text
        .chars()
        .take(1000)
        .map(|character| if character.is_control() { ' ' } else { character })
        .collect();
    if length(&text) <= room {
        return text;
    }
    let mut out = String::new();
    let mut left = room.saturating_sub(1);
    for character in text.chars() {
        let columns = columns_of(character);
        if columns > left {
            break;
        }
        left -= columns;
        out.push(character);
    }
    out.push('…');
    out
}

fn padded(text: &str, width: usize, right: bool) -> String {
    let shown = cut(text, width);
    let space = " ".repeat(width.saturating_sub(length(&shown)));
    if right { format!("{space}{shown}") } else { format!("{shown}{space}") }
}

fn centred(text: &str, width: usize) -> String {
    let shown = cut(text, width);
    format!("{}{shown}", " ".repeat(width.saturating_sub(length(&shown)) / 2))
}

/// A level bar of so many columns, to the eighth.
fn bar(columns: f64) -> String {
    let eighths = (columns.max(0.0) * 8.0).round() as usize;
    let mut out = "█".repeat(eighths / 8);
    if !eighths.is_multiple_of(8) {
        out.push(EIGHTHS[eighths % 8]);
    }
    out
}

struct Page {
    width: usize,
    height: usize,
    colours: bool,
    out: String,
}

/// Dots, two wide and four high in each character.
struct Canvas {
    columns: usize,
    rows: usize,
    cells: Vec<(u8, Option<usize>)>,
}

impl Canvas {
    fn new(columns: usize, rows: usize) -> Canvas {
        Canvas { columns, rows, cells: vec![(0, None); columns * rows] }
    }

    fn dot(&mut self, x: i64, y: i64, series: Option<usize>) {
        let (width, height) = (self.columns as i64 * 2, self.rows as i64 * 4);
        if x < 0 || y < 0 || x >= width || y >= height {
            return;
        }
        let (x, y) = (x as usize, y as usize);
        let bit = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]][y % 4][x % 2];
        let cell = &mut self.cells[y / 4 * self.columns + x / 2];
        cell.0 |= bit;
        cell.1 = series.or(cell.1);
    }

    fn line(&mut self, from: (f64, f64), to: (f64, f64), series: Option<usize>) {
        let limit = |value: f64| value.clamp(-4000.0, 4000.0);
        let (dx, dy) = (limit(to.0) - limit(from.0), limit(to.1) - limit(from.1));
        let steps = dx.abs().max(dy.abs()).ceil().max(1.0) as usize;
        for step in 0..=steps {
            let part = step as f64 / steps as f64;
            let (x, y) = (limit(from.0) + dx * part, limit(from.1) + dy * part);
            self.dot(x.round() as i64, y.round() as i64, series);
        }
    }
}

impl Canvas {
    fn character(&self, column: usize, row: usize) -> char {
        match self.cells.get(row * self.columns + column) {
            Some((dots, _)) => braille(*dots),
            None => ' ',
        }
    }
}

fn braille(dots: u8) -> char {
    if dots == 0 { ' ' } else { char::from_u32(0x2800 + u32::from(dots)).unwrap_or(' ') }
}

impl Page {
    fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    fn coloured(&self, text: &str, series: usize) -> String {
        if self.colours && !text.trim().is_empty() {
            format!("\x1b[{}m{text}\x1b[0m", COLOURS[series % COLOURS.len()])
        } else {
            text.to_owned()
        }
    }

    /// A line of a canvas as characters.
    fn dots(&self, canvas: &Canvas, row: usize) -> String {
        let mut line = String::new();
        for (dots, series) in &canvas.cells[row * canvas.columns..(row + 1) * canvas.columns] {
            let shown = braille(*dots);
            match series {
                Some(series) => line.push_str(&self.coloured(&shown.to_string(), *series)),
                None => line.push(shown),
            }
        }
        line
    }

    fn left(&self) -> usize {
        self.height.saturating_sub(self.out.lines().count())
    }

    fn card(&mut self, table: &Table) {
        for at in 0..table.columns.len().min(self.left().max(1)) {
            let shown = format!("{}: {}", table.name(at), text::value(table.value(0, at)));
            self.line(&centred(&shown, self.width));
        }
    }

    fn table(&mut self, table: &Table) {
        let rows = table.rows.len().min(self.left().saturating_sub(3).max(1));
        let mut lines: Vec<String> = vec![String::new(); rows + 1];
        for (at, column) in table.columns.iter().enumerate() {
            let used = length(&lines[0]);
            if used + 6 > self.width && at > 0 {
                break;
            }
            let right = column.kind == super::ColumnKind::Number;
            let cells: Vec<String> = std::iter::once(column.name.clone())
                .chain((0..rows).map(|row| grid::cell(table.value(row, at))))
                .collect();
            let widest = cells.iter().map(|cell| length(cell)).max().unwrap_or(0);
            let width = widest.min(40).min(self.width.saturating_sub(used));
            for (line, cell) in lines.iter_mut().zip(&cells) {
                line.push_str(&padded(cell, width, right));
                line.push_str("  ");
            }
        }
        let rule = "─".repeat(length(lines[0].trim_end()).min(self.width));
        lines.insert(1, rule);
        for line in lines {
            self.line(&line);
        }
        if rows < table.rows.len() {
            let more = format!("… {} more rows", table.rows.len() - rows);
            self.line(&more);
        }
    }

    /// Names with bars, longest first as they came, with the share of the whole.
    fn shares(&mut self, table: &Table, columns: &[usize], choice: &Choice) {
        let Some(y) = choice.y.first() else { return };
        let mut parts: Vec<(String, f64)> = Vec::new();
        for row in 0..table.rows.len() {
            if let Some(value) = table.value(row, *y).number().filter(|value| *value > 0.0) {
                let name =
                    data::series_name(table, row, columns).unwrap_or_else(|| format!("row {}", row + 1));
                parts.push((name, value));
            }
        }
        let total: f64 = parts.iter().map(|(_, value)| value).sum();
        let most = parts.iter().map(|(_, value)| *value).fold(0.0, f64::max);
        if !(total > 0.0 && total.is_finite()) {
            return self.line(&centred("No data", self.width));
        }
        let room = self.left().saturating_sub(1).max(1);
        let names =
            parts.iter().take(room).map(|(name, _)| length(name)).max().unwrap_or(0).min(self.width / 3);
        let bars = self.width.saturating_sub(names + 18).max(4);
        for (at, (name, value)) in parts.iter().take(room).enumerate() {
            let drawn = self.coloured(&bar(value / most * bars as f64), at);
            let share = text::number((value / total * 1000.0).round() / 10.0);
            let line = format!("{} {drawn} {} ({share}%)", padded(name, names, true), text::short(*value));
            self.line(&line);
        }
        if parts.len() > room {
            self.line(&format!("… {} more", parts.len() - room));
        }
    }

    fn ladder(&mut self, table: &Table, properties: &Properties, choice: &Choice) {
        let Some(start) = choice.x else { return };
        let columns: Vec<usize> = choice.series.iter().chain(&choice.y).copied().collect();
        let mut found: Vec<(String, f64, f64)> = Vec::new();
        for row in 0..table.rows.len() {
            let Some(begin) = table.value(row, start).number() else { continue };
            let end = choice.x_end.and_then(|end| table.value(row, end).number()).unwrap_or(begin);
            let name = data::series_name(table, row, &columns).unwrap_or_else(|| format!("row {}", row + 1));
            found.push((name, begin.min(end), begin.max(end)));
        }
        let Some((low, high)) = data::range(found.iter().flat_map(|bar| [bar.1, bar.2])) else {
            return self.line(&centred("No data", self.width));
        };
        let measure = match table.kind(start) {
            super::ColumnKind::DateTime => Measure::Time,
            super::ColumnKind::TimeSpan => Measure::Span,
            _ => Measure::Number,
        };
        let room = self.left().saturating_sub(3).max(1);
        let names = found.iter().take(room).map(|bar| length(&bar.0)).max().unwrap_or(0).min(self.width / 3);
        let width = self.width.saturating_sub(names + 2).max(8);
        let scale = Scale::new(measure, low, high, properties.x_log).over(0.0, width as f64);
        for (at, (name, begin, end)) in found.iter().take(room).enumerate() {
            let (from, to) = (scale.at(*begin).max(0.0) as usize, scale.at(*end).ceil() as usize);
            let drawn = "█".repeat(to.clamp(from + 1, width.max(from + 1)) - from);
            let drawn = self.coloured(&drawn, at);
            let line = format!("{} │{}{drawn}", padded(name, names, true), " ".repeat(from));
            self.line(&line);
        }
        self.axis(&scale, names + 2, width);
        if found.len() > room {
            self.line(&format!("… {} more", found.len() - room));
        }
    }

    /// A tree of rows: pale from the first begin to the last end, full where events begin.
    fn time_pivot(&mut self, table: &Table, choice: &Choice) {
        let lanes = time_pivot::lanes(table, choice);
        let Some((low, high)) = data::range(lanes.iter().flat_map(|lane| [lane.begin, lane.end])) else {
            return self.line(&centred("No data", self.width));
        };
        let room = self.left().saturating_sub(3).max(1);
        let title = |lane: &time_pivot::Lane| format!("{}{}", "  ".repeat(lane.depth), lane.name);
        let names =
            lanes.iter().take(room).map(|lane| length(&title(lane))).max().unwrap_or(0).min(self.width / 3);
        let width = self.width.saturating_sub(names + 2).max(8);
        let scale = Scale::new(Measure::Time, low, high, false).over(0.0, width as f64 - 1.0);
        for (at, lane) in lanes.iter().take(room).enumerate() {
            let place = |value: f64| (scale.at(value).max(0.0) as usize).min(width - 1);
            let mut cells = vec![' '; width];
            cells[place(lane.begin)..=place(lane.end)].fill('░');
            for event in &lane.events {
                cells[place(event.0)] = '█';
            }
            let drawn: String = cells.into_iter().collect();
            let drawn = self.coloured(drawn.trim_end(), at);
            let line = format!("{} │{drawn}", padded(&title(lane), names, false));
            self.line(&line);
        }
        self.axis(&scale, names + 2, width);
        if lanes.len() > room {
            self.line(&format!("… {} more", lanes.len() - room));
        }
    }

    /// The texts of a level axis.
    fn axis(&mut self, scale: &Scale, indent: usize, width: usize) {
        let mut count = (width / 12).max(1);
        let ticks = loop {
            let ticks = scale.ticks(count);
            let needed: usize = ticks.iter().map(|tick| length(&tick.text) + 2).sum();
            if needed <= width || count == 1 {
                break ticks;
            }
            count -= 1;
        };
        let mut line: Vec<char> = vec![' '; indent + width];
        let mut free = 0;
        for tick in &ticks {
            let middle = indent as f64 + scale.at(tick.value);
            let size = tick.text.chars().count();
            let begin = (middle.max(0.0) as usize)
                .saturating_sub(size / 2)
                .min((indent + width).saturating_sub(size));
            if begin < free {
                continue;
            }
            for (at, character) in tick.text.chars().enumerate() {
                if let Some(cell) = line.get_mut(begin + at) {
                    *cell = character;
                }
            }
            free = begin + size + 1;
        }
        self.line(&line.into_iter().collect::<String>());
        if scale.measure == Measure::Time {
            let context = axes::time_context(scale, &ticks);
            let at = " ".repeat(indent);
            self.line(&format!("{at}{}", centred(&context, width)));
        }
    }

    /// Without colours, parts of a stack are told apart by their density.
    fn stack_glyph(&self, series: usize) -> &'static str {
        if self.colours { "█" } else { ["█", "▒", "▓", "░"][series % 4] }
    }

    fn legend(&mut self, names: &[&str], stacks: bool) {
        let mut line = String::new();
        let mut used = 0;
        for (at, name) in names.iter().enumerate() {
            let name = cut(name, 30);
            let size = length(&name) + 4;
            if used + size + 12 > self.width && used > 0 {
                line.push_str(&format!("and {} more", names.len() - at));
                break;
            }
            let mark = if stacks { self.stack_glyph(at) } else { "■" };
            line.push_str(&format!("{} {name}  ", self.coloured(mark, at)));
            used += size;
        }
        self.line(&line);
    }

    fn chart(&mut self, scene: &mut Scene, table: &Table, properties: &Properties, choice: &Choice) {
        let mut data = data::read(scene, table, properties, choice);
        if properties.kind.is_bar() {
            bars::settle(&mut data);
        }
        let Some((low, high)) = data.x_range() else {
            return self.line(&centred("No data", self.width));
        };
        let has_legend = properties.legend.unwrap_or(data.series.len() > 1);
        let all: Vec<usize> = (0..data.series.len()).collect();
        let layers = layers(&data, &all, properties);
        let mut places: Vec<f64> =
            layers.iter().flat_map(|layer| layer.marks.iter().map(|mark| mark.x)).collect();
        places.sort_by(f64::total_cmp);
        places.dedup();
        let categories = matches!(data.x, XAxis::Categories(_));
        if properties.kind.is_bar() && (categories || places.len() + 3 < self.left()) {
            self.level_bars(&data, properties, &layers, &places);
        } else {
            let rows = self.left().saturating_sub(3 + usize::from(has_legend)).max(3);
            let value = value_scale(&data, &layers, properties, (rows / 3).clamp(2, 8));
            let ticks = value.ticks((rows / 3).clamp(2, 8));
            let gutter =
                ticks.iter().map(|tick| length(&tick.text)).max().unwrap_or(0).min(self.width / 3) + 1;
            let columns = self.width.saturating_sub(gutter + 1).max(8);
            let value = value.over(rows as f64 * 4.0 - 1.0, 0.0);
            let across = match &data.x {
                XAxis::Categories(names) => {
                    Scale::new(Measure::Number, -0.5, names.len().max(1) as f64 - 0.5, false)
                }
                XAxis::Measured(measure) => Scale::new(*measure, low, high, properties.x_log),
            }
            .over(0.0, columns as f64 * 2.0 - 1.0);
            let mut canvas = Canvas::new(columns, rows);
            for layer in &layers {
                let mut before: Option<(f64, f64)> = None;
                for mark in &layer.marks {
                    if !mark.top.is_finite() || (value.log && mark.top <= 0.0) {
                        before = None;
                        continue;
                    }
                    let here = (across.at(mark.x), value.at(mark.top));
                    if properties.kind.is_bar() {
                        canvas.line((here.0, value.at(mark.base)), here, Some(layer.series));
                    } else if properties.kind == Kind::ScatterChart {
                        canvas.dot(here.0.round() as i64, here.1.round() as i64, Some(layer.series));
                    } else {
                        canvas.line(before.unwrap_or(here), here, Some(layer.series));
                    }
                    before = Some(here);
                }
            }
            for row in 0..rows {
                let tick = ticks.iter().find(|tick| (value.at(tick.value) / 4.0) as usize == row);
                let name = tick.map_or("", |tick| tick.text.as_str());
                let mut line =
                    format!("{}{}", padded(name, gutter - 1, true), if tick.is_some() { " ┤" } else { " │" });
                line.push_str(&self.dots(&canvas, row));
                self.line(&line);
            }
            match &data.x {
                XAxis::Measured(_) => {
                    let scale = across.over(0.0, columns as f64);
                    self.axis(&scale, gutter + 1, columns);
                }
                XAxis::Categories(names) => {
                    let slot = columns / names.len().max(1);
                    let every = if slot >= 6 { 1 } else { 6_usize.div_ceil(slot.max(1)) };
                    let mut line = " ".repeat(gutter + 1);
                    for name in names.iter().step_by(every) {
                        line.push_str(&padded(name, (slot * every).max(6), false));
                    }
                    let line = cut(&line, self.width);
                    self.line(&line);
                }
            }
        }
        if has_legend {
            let names: Vec<&str> = data.series.iter().map(|one| one.name.as_str()).collect();
            self.legend(&names, properties.stacks() && properties.kind.is_bar());
        }
    }

    fn level_bars(
        &mut self,
        data: &Data,
        properties: &Properties,
        layers: &[super::cartesian::Layer],
        places: &[f64],
    ) {
        let value = value_scale(data, layers, properties, 5);
        let named = |place: f64| axes::x_text(&data.x, place);
        let per_place = if properties.stacks() { 1 } else { layers.len().max(1) };
        let room = (self.left().saturating_sub(2) / per_place).max(1);
        let names = places
            .iter()
            .take(room)
            .map(|place| length(&named(*place)))
            .max()
            .unwrap_or(0)
            .min(self.width / 3);
        let width = self.width.saturating_sub(names + 12).max(6);
        let value = value.over(0.0, width as f64);
        for place in places.iter().take(room) {
            let marks: Vec<(usize, f64, f64)> = layers
                .iter()
                .filter_map(|layer| {
                    let mark = layer.marks.iter().find(|mark| mark.x == *place)?;
                    mark.top.is_finite().then_some((layer.series, mark.base, mark.top))
                })
                .collect();
            let zero = if value.log { 0.0 } else { value.at(0.0_f64.clamp(value.low, value.high)) };
            if properties.stacks() {
                let mut line = format!("{} ", padded(&named(*place), names, true));
                let mut end = 0;
                let mut sum = 0.0;
                for (series, base, top) in &marks {
                    let to = value.at(*top).round().max(0.0) as usize;
                    let glyph = self.stack_glyph(*series);
                    line.push_str(&self.coloured(&glyph.repeat(to.saturating_sub(end)), *series));
                    end = end.max(to);
                    sum += top - base;
                }
                line.push_str(&format!(" {}", text::short(sum)));
                self.line(&line);
                continue;
            }
            let mut first = true;
            for (series, _, top) in &marks {
                let name = if first { named(*place) } else { String::new() };
                first = false;
                let at = if value.log && *top <= 0.0 { 0.0 } else { value.at(*top) };
                let drawn = if *top >= 0.0 {
                    format!(
                        "{}{}",
                        " ".repeat(zero as usize),
                        self.coloured(&bar(at - zero.floor()), *series)
                    )
                } else {
                    let from = at.max(0.0) as usize;
                    let size = (zero as usize).saturating_sub(from).max(1);
                    format!("{}{}", " ".repeat(from), self.coloured(&"█".repeat(size), *series))
                };
                let line =
                    format!("{} {drawn} {}", padded(&name, names, true), axes::y_text(data.y_measure, *top));
                self.line(&line);
            }
        }
        if places.len() > room {
            self.line(&format!("… {} more", text::grouped((places.len() - room) as i64)));
        }
    }
}
