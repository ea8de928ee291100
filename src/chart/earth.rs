//! The earth's land and the borders of its countries, coarse, for the ground of maps. See `earth/LICENSE` for source
//! and form of the data.

use std::sync::OnceLock;

use super::scene::{Area, Segment};

static BYTES: &[u8] = include_bytes!("earth/land.bin");

type Line = Vec<(f64, f64)>;

#[derive(Debug, Default)]
pub struct Earth {
    /// Closed, as longitude and latitude in degrees.
    pub coasts: Vec<Line>,
    pub borders: Vec<Line>,
}

pub fn earth() -> &'static Earth {
    static EARTH: OnceLock<Earth> = OnceLock::new();
    EARTH.get_or_init(|| read(BYTES).unwrap_or_default())
}

fn read(bytes: &[u8]) -> Option<Earth> {
    let mut words = bytes.chunks_exact(2).map(|pair| [pair[0], pair[1]]);
    let coasts = u16::from_le_bytes(words.next()?);
    let borders = u16::from_le_bytes(words.next()?);
    let mut line = || -> Option<Line> {
        let points = u16::from_le_bytes(words.next()?);
        (0..points)
            .map(|_| {
                let degrees = |word: [u8; 2]| f64::from(i16::from_le_bytes(word)) / 100.0;
                Some((degrees(words.next()?), degrees(words.next()?)))
            })
            .collect()
    };
    let coasts: Vec<Line> = (0..coasts).map(|_| line()).collect::<Option<_>>()?;
    Some(Earth {
        coasts: coasts.iter().flat_map(|line| beyond_date_line(line)).collect(),
        borders: (0..borders).map(|_| line()).collect::<Option<_>>()?,
    })
}

/// A coast that goes over the date line goes on beyond 180 degrees, and comes in on the other side as well.
fn beyond_date_line(line: &[(f64, f64)]) -> Vec<Line> {
    let mut turn = 0.0;
    let mut out: Line = Vec::with_capacity(line.len());
    for (at, (longitude, latitude)) in line.iter().enumerate() {
        let step = at.checked_sub(1).map_or(0.0, |before| longitude - line[before].0);
        // Antarctica's edge at the pole goes around the earth.
        if step.abs() > 180.0 && *latitude > -80.0 {
            turn -= 360.0 * step.signum();
        }
        out.push((longitude + turn, *latitude));
    }
    let other = |shift: f64| out.iter().map(|(x, y)| (x + shift, *y)).collect::<Line>();
    let mut lines = Vec::new();
    if out.iter().any(|(longitude, _)| *longitude > 180.0) {
        lines.push(other(-360.0));
    }
    if out.iter().any(|(longitude, _)| *longitude < -180.0) {
        lines.push(other(360.0));
    }
    lines.push(out);
    lines
}

/// A closed line in pixels as the part of it within an area; empty where nothing of it is.
pub fn filled_within(points: &[(f64, f64)], area: Area) -> Vec<Segment> {
    // Half plane after half plane: what is inside stays, edges are cut where they leave.
    type Side = (fn(&(f64, f64)) -> f64, f64, f64);
    let sides: [Side; 4] = [
        (|point| point.0, area.x, 1.0),
        (|point| point.0, area.right(), -1.0),
        (|point| point.1, area.y, 1.0),
        (|point| point.1, area.bottom(), -1.0),
    ];
    let mut points = points.to_vec();
    for (place, bound, sign) in sides {
        let depth = |point: &(f64, f64)| (place(point) - bound) * sign;
        let mut kept = Vec::with_capacity(points.len());
        for (at, point) in points.iter().enumerate() {
            let before = &points[(at + points.len() - 1) % points.len()];
            let (here, there) = (depth(point), depth(before));
            if (here >= 0.0) != (there >= 0.0) {
                let part = there / (there - here);
                kept.push((before.0 + (point.0 - before.0) * part, before.1 + (point.1 - before.1) * part));
            }
            if here >= 0.0 {
                kept.push(*point);
            }
        }
        points = kept;
    }
    let mut path = path(&thinned(&points));
    if !path.is_empty() {
        path.push(Segment::Close);
    }
    path
}

/// An open line in pixels: its parts near an area.
pub fn drawn_within(points: &[(f64, f64)], area: Area) -> Vec<Segment> {
    let mut out = Vec::new();
    let mut run: Line = Vec::new();
    for pair in thinned(points).windows(2) {
        let [from, to] = pair else { continue };
        let touches = from.0.max(to.0) >= area.x
            && from.0.min(to.0) <= area.right()
            && from.1.max(to.1) >= area.y
            && from.1.min(to.1) <= area.bottom();
        if touches {
            if run.is_empty() {
                run.push(*from);
            }
            run.push(*to);
        } else if !run.is_empty() {
            out.extend(path(&run));
            run.clear();
        }
    }
    out.extend(path(&run));
    out
}

/// Without points less than a pixel from the one before.
fn thinned(points: &[(f64, f64)]) -> Line {
    let mut out: Line = Vec::new();
    for (at, point) in points.iter().enumerate() {
        let near =
            out.last().is_some_and(|last| (last.0 - point.0).abs().max((last.1 - point.1).abs()) < 1.0);
        if !near || at + 1 == points.len() {
            out.push(*point);
        }
    }
    out
}

fn path(points: &[(f64, f64)]) -> Vec<Segment> {
    if points.len() < 2 {
        return Vec::new();
    }
    let segment =
        |at: usize, (x, y): (f64, f64)| if at == 0 { Segment::Move(x, y) } else { Segment::Line(x, y) };
    points.iter().enumerate().map(|(at, point)| segment(at, *point)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_land_is_there() {
        let earth = earth();
        assert!(earth.coasts.len() > 100 && earth.borders.len() > 100);
        for (longitude, latitude) in earth.coasts.iter().chain(&earth.borders).flatten() {
            assert!((-400.0..=400.0).contains(longitude) && (-90.0..=90.0).contains(latitude));
        }
        let europe = earth
            .coasts
            .iter()
            .any(|coast| coast.iter().any(|(x, y)| (*x - 5.0).abs() < 5.0 && (*y - 43.0).abs() < 3.0));
        assert!(europe, "the coast of the Mediterranean");
        assert!(read(&BYTES[..BYTES.len() - 2]).is_none());
    }

    #[test]
    fn what_is_outside_is_cut() {
        let area = Area { x: 0.0, y: 0.0, width: 10.0, height: 10.0 };
        let around = [(-90.0, -90.0), (90.0, -90.0), (90.0, 90.0), (-90.0, 90.0)];
        let path = filled_within(&around, area);
        assert_eq!(path.len(), 5, "the area itself: {path:?}");
        assert!(filled_within(&[(20.0, 20.0), (30.0, 20.0), (30.0, 30.0)], area).is_empty());
        assert!(drawn_within(&[(20.0, 20.0), (30.0, 20.0)], area).is_empty());
        assert_eq!(drawn_within(&[(-5.0, 5.0), (15.0, 5.0)], area).len(), 2);
    }
}
