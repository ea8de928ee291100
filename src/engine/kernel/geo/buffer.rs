//! Shapes grown by a radius: the curve at that distance around each part, as arcs of so many edges as a
//! tolerance asks for (the placement of vertices is that of the S2 library's buffer operation), and what
//! these curves enclose.

use std::f64::consts::{FRAC_PI_2, PI};

use arrow_array::ArrayRef;

use super::boolean::enclosed;
use super::measure::{Points, Shapes};
use super::overlay::normal;
use super::shape::{Lines, Polygons};
use super::sphere::{EARTH_RADIUS, Vector};
use crate::engine::error::Result;
use crate::engine::kernel::access::{Reals, argument, dynamics};
use crate::engine::kernel::{Datum, KernelCall};

/// Meters by which a result may miss the radius unless the query says otherwise.
const DEFAULT_TOLERANCE: f64 = 10.0;

/// The finest and the coarsest tolerance, as fractions of the radius.
const FINEST: f64 = 1e-6;
const COARSEST: f64 = 1.0 - 1e-9;

/// Keeps the last step around a circle from leaving a tiny edge.
const SLACK: f64 = 1e-15;

/// Draws the curve around one part.
struct Pen {
    radius: f64,
    vertex_step: f64,
    point_step: f64,
    edge_step: Option<f64>,
    path: Vec<Vector>,
}

/// The longest step around a circle of a radius whose chord stays within an error of it.
fn longest_step(radius: f64, error: f64) -> f64 {
    let inner = radius - error;
    let third = 2.0 * PI / 3.0 + SLACK;
    if radius < FRAC_PI_2 {
        third.min(2.0 * (inner.tan() / radius.tan()).acos())
    } else if inner > FRAC_PI_2 {
        third.min(2.0 * (radius.tan() / inner.tan()).acos())
    } else {
        third
    }
}

/// The point at a distance from another in a direction at right angles to it.
fn on_ray(origin: Vector, direction: Vector, distance: f64) -> Vector {
    (origin * distance.cos() + direction * distance.sin()).unit()
}

/// A direction at right angles to a point, the one from which circles begin.
fn start_direction(point: Vector) -> Vector {
    let (x, y, z) = (point.x.abs(), point.y.abs(), point.z.abs());
    let mut axis = Vector::new(0.012, 0.0053, 0.00457);
    // The component before the largest one.
    if x > y && x > z {
        axis.z = 1.0;
    } else if y > z {
        axis.x = 1.0;
    } else {
        axis.y = 1.0;
    }
    point.cross(axis).unit()
}

/// The direction to the right of an edge.
fn right_of(from: Vector, to: Vector) -> Vector {
    -normal(from, to).unit()
}

/// Whether one does not turn right from an edge into the next.
fn is_convex(a: Vector, b: Vector, c: Vector) -> bool {
    normal(a, b).dot(c) >= 0.0
}

impl Pen {
    /// `None` unless the radius and the tolerance, in meters, are valid.
    fn new(radius: f64, tolerance: f64) -> Option<Pen> {
        if !(radius.is_finite() && radius > 0.0 && tolerance.is_finite() && tolerance > 0.0) {
            return None;
        }
        let fraction = (tolerance / radius).clamp(FINEST, COARSEST);
        let radius = radius / EARTH_RADIUS;
        let error = fraction * radius;
        if radius + error >= PI {
            return None;
        }
        let vertex_step = longest_step(radius, error);
        let around_edge = FRAC_PI_2 - radius;
        Some(Pen {
            radius,
            vertex_step,
            point_step: 2.0 * PI / (2.0 * PI / vertex_step).ceil() + SLACK,
            edge_step: (around_edge > error).then(|| longest_step(around_edge, error)),
            path: Vec::new(),
        })
    }

    fn finish(&mut self) -> Vec<Vector> {
        let mut path = std::mem::take(&mut self.path);
        path.dedup();
        path
    }

    fn point(&mut self, point: Vector) -> Vec<Vector> {
        let start = start_direction(point);
        let ahead = point.cross(start).unit();
        let mut angle = 0.0;
        while angle < 2.0 * PI {
            self.path.push(on_ray(point, on_ray(start, ahead, angle), self.radius));
            angle += self.point_step;
        }
        self.finish()
    }

    /// An arc around a vertex, without its end.
    fn vertex_arc(&mut self, vertex: Vector, start: Vector, end: Vector) {
        let ahead = vertex.cross(start).unit();
        let span = start.angle(end);
        let mut angle = 0.0;
        loop {
            self.path.push(on_ray(vertex, on_ray(start, ahead, angle), self.radius));
            angle += self.vertex_step;
            if angle >= span {
                break;
            }
        }
    }

    /// A parallel of an edge, without its end.
    fn edge_arc(&mut self, from: Vector, to: Vector) {
        let out = right_of(from, to);
        let Some(step) = self.edge_step else {
            self.path.push(out);
            return;
        };
        let ahead = from.cross(out).unit();
        let span = from.angle(to);
        let mut angle = 0.0;
        loop {
            self.path.push(on_ray(on_ray(from, ahead, angle), out, self.radius));
            angle += step;
            if angle >= span {
                break;
            }
        }
    }

    /// An edge and the vertex at its end.
    fn edge_and_vertex(&mut self, a: Vector, b: Vector, c: Vector) {
        self.edge_arc(a, b);
        let (start, end) = (right_of(a, b), right_of(b, c));
        if is_convex(a, b, c) {
            self.vertex_arc(b, start, end);
            if self.edge_step.is_none() {
                self.path.push(on_ray(b, end, self.radius));
            }
        } else {
            if self.edge_step.is_some() {
                self.path.push(on_ray(b, start, self.radius));
            }
            // Through the vertex itself, so that the winding numbers are right.
            self.path.push(b);
        }
    }

    fn ring(&mut self, ring: &[Vector]) -> Vec<Vector> {
        let count = ring.len();
        for at in 0..count {
            self.edge_and_vertex(ring[at], ring[(at + 1) % count], ring[(at + 2) % count]);
        }
        self.finish()
    }

    fn line(&mut self, line: &[Vector]) -> Vec<Vector> {
        let mut line = line.to_vec();
        line.dedup();
        let [first, .., last] = line.as_slice() else {
            return line.first().map_or_else(Vec::new, |point| self.point(*point));
        };
        let (first, last, count) = (*first, *last, line.len());
        let out = right_of(first, line[1]);
        self.vertex_arc(first, -out, out);
        for at in 0..count - 2 {
            self.edge_and_vertex(line[at], line[at + 1], line[at + 2]);
        }
        self.edge_arc(line[count - 2], last);
        let out = right_of(line[count - 2], last);
        self.vertex_arc(last, out, -out);
        for at in (0..count - 2).rev() {
            self.edge_and_vertex(line[at + 2], line[at + 1], line[at]);
        }
        self.edge_arc(line[1], first);
        self.finish()
    }
}

/// A polygon grown by meters.
pub fn grow_polygon(polygons: &Polygons, radius: f64, tolerance: f64) -> Option<Polygons> {
    let mut pen = Pen::new(radius, tolerance)?;
    let paths: Vec<Vec<Vector>> = polygons.oriented().iter().map(|ring| pen.ring(ring)).collect();
    Some(enclosed(&paths))
}

fn grow_line(lines: &Lines, radius: f64, tolerance: f64) -> Option<Polygons> {
    let mut pen = Pen::new(radius, tolerance)?;
    let paths: Vec<Vec<Vector>> = lines.0.iter().map(|line| pen.line(line)).collect();
    Some(enclosed(&paths))
}

fn grow_point(point: Vector, radius: f64, tolerance: f64) -> Option<Polygons> {
    Some(enclosed(&[Pen::new(radius, tolerance)?.point(point)]))
}

/// Radius and tolerance, from a position of the arguments on.
struct Reach<'a> {
    radii: Reals<'a>,
    tolerances: Option<Reals<'a>>,
}

impl<'a> Reach<'a> {
    fn new(arguments: &'a [Datum], position: usize) -> Result<Reach<'a>> {
        Ok(Reach {
            radii: Reals::new(argument(arguments, position)?)?,
            tolerances: arguments.get(position + 1).map(Reals::new).transpose()?,
        })
    }

    fn get(&self, row: usize) -> Option<(f64, f64)> {
        let tolerance = self.tolerances.as_ref().map_or(Some(DEFAULT_TOLERANCE), |given| given.get(row))?;
        Some((self.radii.get(row)?, tolerance))
    }
}

fn write(
    call: &KernelCall<'_>,
    reach: &Reach<'_>,
    grow: impl Fn(usize, f64, f64) -> Option<Polygons>,
) -> ArrayRef {
    dynamics(call.rows, |row, builder| {
        let grown = reach.get(row).and_then(|(radius, tolerance)| grow(row, radius, tolerance));
        grown.is_some_and(|grown| grown.write(builder))
    })
}

pub fn polygon(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let polygons = Shapes::new(arguments, 0, Polygons::read)?;
    Ok(write(call, &Reach::new(arguments, 1)?, |row, radius, tolerance| {
        polygons.with(row, |polygon| grow_polygon(polygon, radius, tolerance))?
    }))
}

pub fn line(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let lines = Shapes::new(arguments, 0, Lines::read)?;
    Ok(write(call, &Reach::new(arguments, 1)?, |row, radius, tolerance| {
        lines.with(row, |line| grow_line(line, radius, tolerance))?
    }))
}

pub fn point(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let points = Points::new(arguments, 0)?;
    Ok(write(call, &Reach::new(arguments, 2)?, |row, radius, tolerance| {
        grow_point(points.get(row)?, radius, tolerance)
    }))
}
