//! Points, bubbles and pies on the earth: longitude and latitude on a plain graticule over the coast lines we have,
//! without pictures from elsewhere.

use std::collections::{HashMap, HashSet};

use super::choose::Choice;
use super::data::{self, SERIES_MAX};
use super::frame;
use super::scale::{Measure, Scale};
use super::scene::{Anchor, Area, Group, Node, Paint, Scene, crisp};
use super::{Kind, Properties, Table, Value, earth, pie, text};

/// What a map shows.
pub struct Places {
    /// Longitude, latitude, size (NaN where there is none), series.
    pub points: Vec<(f64, f64, f64, usize)>,
    /// Of the series.
    pub names: Vec<String>,
    /// Rows that are nowhere on earth.
    pub lost: usize,
}

pub fn places(table: &Table, choice: &Choice) -> Places {
    let mut points = Vec::new();
    let mut names: Vec<String> = Vec::new();
    let mut positions: HashMap<String, usize> = HashMap::new();
    let mut lost = 0;
    for row in 0..table.rows.len() {
        let place = match choice.x.map(|x| table.value(row, x)) {
            Some(Value::Point { longitude, latitude }) => Some((*longitude, *latitude)),
            Some(value) => value.number().zip(choice.x_end.and_then(|y| table.value(row, y).number())),
            None => None,
        };
        let Some((longitude, latitude)) =
            place.filter(|(x, y)| (-180.0..=180.0).contains(x) && (-90.0..=90.0).contains(y))
        else {
            lost += 1;
            continue;
        };
        let name = data::series_name(table, row, &choice.series).unwrap_or_default();
        let next = names.len();
        let series = *positions.entry(name.clone()).or_insert(next);
        if series == next {
            names.push(name);
        }
        let size = choice.y.first().and_then(|y| table.value(row, *y).number()).unwrap_or(f64::NAN);
        points.push((longitude, latitude, size, series));
    }
    Places { points, names, lost }
}

/// West, east, south and north.
pub fn bounds(points: &[(f64, f64, f64, usize)]) -> Option<(f64, f64, f64, f64)> {
    let (west, east) = data::range(points.iter().map(|point| point.0))?;
    let (south, north) = data::range(points.iter().map(|point| point.1))?;
    Some((west, east, south, north))
}

/// Scales over a plot of square pixels that show what is within the bounds, and some of what is around.
pub fn view((west, east, south, north): (f64, f64, f64, f64), plot: Area) -> (Scale, Scale) {
    // A degree of longitude is shorter far from the equator.
    let squeeze = ((south + north) / 2.0).to_radians().cos().max(0.2);
    let (mut width, mut height) = ((east - west).max(2.0) * 1.15, (north - south).max(2.0) * 1.15);
    let wanted = plot.width.max(1.0) / plot.height.max(1.0) / squeeze;
    if width / height < wanted {
        width = height * wanted;
    } else {
        height = width / wanted;
    }
    let (cx, cy) = ((west + east) / 2.0, (south + north) / 2.0);
    let along =
        |middle: f64, size: f64| Scale::new(Measure::Number, middle - size / 2.0, middle + size / 2.0, false);
    (along(cx, width).over(plot.x, plot.right()), along(cy, height).over(plot.bottom(), plot.y))
}

pub fn draw(scene: &mut Scene, area: Area, table: &Table, properties: &Properties, choice: &Choice) {
    let Places { mut points, mut names, lost } = places(table, choice);
    if lost > 0 {
        scene.note(format!("{} rows without a place left out", text::grouped(lost as i64)));
    }
    if names.len() > SERIES_MAX {
        scene.note(format!("first {SERIES_MAX} of {} series", names.len()));
        points.retain(|(_, _, _, series)| *series < SERIES_MAX);
        names.truncate(SERIES_MAX);
    }
    let area = frame::notes(scene, area);
    let Some((west, east, south, north)) = bounds(&points) else {
        frame::message(scene, area, "No data");
        scene.description = "Map: no places to draw.".to_owned();
        return;
    };
    scene.description = format!(
        "Map of {} points between longitudes {} and {}, latitudes {} and {}.",
        text::grouped(points.len() as i64),
        text::number(west),
        text::number(east),
        text::number(south),
        text::number(north)
    );
    let legend: Vec<(String, Paint)> = if choice.series.is_empty() {
        Vec::new()
    } else {
        names.iter().enumerate().map(|(at, name)| (name.clone(), Paint::Series(at))).collect()
    };
    let area = if properties.legend == Some(false) { area } else { frame::legend(scene, area, &legend) };
    let size = frame::text_size(scene);
    let plot = area.inset(38.0, 6.0, 10.0, size + 10.0);
    let (x, y) = view((west, east, south, north), plot);
    ground(scene, plot, &x, &y);
    let mut grid = Group::stroke(Paint::Grid, 1.0);
    let mut texts = Group::fill(Paint::Muted);
    let degrees = |value: f64, positive: &str, negative: &str| {
        let side = if value > 0.0 {
            positive
        } else if value < 0.0 {
            negative
        } else {
            ""
        };
        format!("{}°{side}", text::number(value.abs()))
    };
    for tick in x.ticks(((plot.width / 80.0) as usize).max(1)) {
        if (-180.0..=180.0).contains(&tick.value) {
            let at = crisp(x.at(tick.value));
            grid.line(at, plot.y, at, plot.bottom());
            texts.text(at, plot.bottom() + size + 4.0, degrees(tick.value, "E", "W"), size, Anchor::Middle);
        }
    }
    for tick in y.ticks(((plot.height / 50.0) as usize).max(1)) {
        if (-90.0..=90.0).contains(&tick.value) {
            let at = crisp(y.at(tick.value));
            grid.line(plot.x, at, plot.right(), at);
            texts.text(plot.x - 4.0, at + size * 0.35, degrees(tick.value, "N", "S"), size, Anchor::End);
        }
    }
    scene.add(grid);
    scene.add(texts);
    if properties.kind == Kind::PieChart && !choice.series.is_empty() && !choice.y.is_empty() {
        pies(scene, plot, (&x, &y), &points, &names);
    } else {
        dots(scene, plot, (&x, &y), &points, &names);
    }
}

/// Sea, land and borders.
fn ground(scene: &mut Scene, plot: Area, x: &Scale, y: &Scale) {
    let mut sea = Group::fill(Paint::Soft);
    sea.rect(plot.x, plot.y, plot.width, plot.height);
    scene.add(sea);
    let place = |line: &[(f64, f64)]| -> Vec<(f64, f64)> {
        line.iter().map(|(longitude, latitude)| (x.at(*longitude), y.at(*latitude))).collect()
    };
    let earth = earth::earth();
    let mut land = Group { fill: Some(Paint::Land), clip: Some(plot), ..Group::default() };
    for coast in &earth.coasts {
        let path = earth::filled_within(&place(coast), plot.inset(-2.0, -2.0, -2.0, -2.0));
        if !path.is_empty() {
            land.nodes.push(Node::Path(path));
        }
    }
    scene.add(land);
    let mut borders =
        Group { stroke: Some(Paint::Background), width: 1.0, clip: Some(plot), ..Group::default() };
    for border in &earth.borders {
        let path = earth::drawn_within(&place(border), plot);
        if !path.is_empty() {
            borders.nodes.push(Node::Path(path));
        }
    }
    scene.add(borders);
}

fn dots(
    scene: &mut Scene,
    plot: Area,
    (x, y): (&Scale, &Scale),
    points: &[(f64, f64, f64, usize)],
    names: &[String],
) {
    let largest = points.iter().map(|point| point.2).filter(|size| size.is_finite()).fold(0.0, f64::max);
    for (at, name) in names.iter().enumerate() {
        let mut dots = Group {
            fill: Some(Paint::Series(at)),
            stroke: Some(Paint::Background),
            width: 0.5,
            opacity: 0.7,
            title: (!name.is_empty()).then(|| name.clone()),
            clip: Some(plot),
            ..Group::default()
        };
        let mut seen = HashSet::new();
        for (longitude, latitude, size, _) in points.iter().filter(|point| point.3 == at) {
            let (px, py) = (x.at(*longitude), y.at(*latitude));
            let radius = if largest > 0.0 && *size > 0.0 { radius_of(size / largest) } else { 3.5 };
            if seen.insert(((px * 0.7) as i64, (py * 0.7) as i64, radius as i64)) {
                dots.circle(px, py, radius);
            }
        }
        scene.add(dots);
    }
}

/// The area tells the size.
fn radius_of(part: f64) -> f64 {
    2.0 + 16.0 * part.sqrt()
}

/// A pie at each place, its area the sum of what is there.
fn pies(
    scene: &mut Scene,
    plot: Area,
    (x, y): (&Scale, &Scale),
    points: &[(f64, f64, f64, usize)],
    names: &[String],
) {
    let mut places: Vec<(f64, f64, Vec<f64>)> = Vec::new();
    let mut place_of: HashMap<(u64, u64), usize> = HashMap::new();
    for (longitude, latitude, size, series) in points {
        let next = places.len();
        let at = *place_of.entry((longitude.to_bits(), latitude.to_bits())).or_insert(next);
        if at == next {
            places.push((x.at(*longitude), y.at(*latitude), vec![0.0; names.len()]));
        }
        if *size > 0.0 && size.is_finite() {
            places[at].2[*series] += size;
        }
    }
    let sum = |parts: &[f64]| parts.iter().sum::<f64>();
    let largest = places.iter().map(|place| sum(&place.2)).fold(0.0, f64::max);
    // The small ones above the large ones.
    places.sort_by(|left, right| sum(&right.2).total_cmp(&sum(&left.2)));
    for (px, py, parts) in &places {
        let total = sum(parts);
        if total <= 0.0 || !total.is_finite() {
            continue;
        }
        let radius = radius_of(total / largest);
        let mut begin = 0.0;
        for (at, part) in parts.iter().enumerate().filter(|(_, part)| **part > 0.0) {
            let end = begin + part / total;
            let mut slice = Group {
                fill: Some(Paint::Series(at)),
                stroke: Some(Paint::Background),
                width: 0.5,
                title: Some(format!("{}: {}", names[at], text::number(*part))),
                clip: Some(plot),
                ..Group::default()
            };
            slice.nodes.push(pie::slice((*px, *py), radius, begin, end));
            scene.add(slice);
            begin = end;
        }
    }
}
