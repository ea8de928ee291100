//! Distances, directions, areas, and how shapes lie to each other.

use std::f64::consts::PI;

use arrow_array::ArrayRef;
use arrow_array::types::Float64Type;
use conshelf_storage::DynamicRef;

use super::boolean::{dissolved, shared_lines};
use super::shape::{Lines, Parts, Polygons, any_crossing, closest, write_point};
use super::sphere::{EARTH_RADIUS, Vector, along_edge, azimuth, crossing_point, edges_cross, point};
use crate::engine::error::Result;
use crate::engine::kernel::access::{Bools, Dynamics, Reals, argument, dynamics, nullable_bools, numbers};
use crate::engine::kernel::{Datum, KernelCall};

/// Points of pairs of columns, from a position on.
pub struct Points<'a>(Reals<'a>, Reals<'a>);

impl<'a> Points<'a> {
    pub fn new(arguments: &'a [Datum], position: usize) -> Result<Points<'a>> {
        Ok(Points(
            Reals::new(argument(arguments, position)?)?,
            Reals::new(argument(arguments, position + 1)?)?,
        ))
    }

    pub fn get(&self, row: usize) -> Option<Vector> {
        point(self.0.get(row)?, self.1.get(row)?)
    }
}

/// Shapes of a column; a constant one is read once.
pub struct Shapes<'a, T> {
    values: Dynamics<'a>,
    constant: Option<Option<T>>,
    read: fn(DynamicRef<'_>) -> Option<T>,
}

impl<'a, T> Shapes<'a, T> {
    pub fn new(
        arguments: &'a [Datum],
        position: usize,
        read: fn(DynamicRef<'_>) -> Option<T>,
    ) -> Result<Shapes<'a, T>> {
        let values = Dynamics::new(argument(arguments, position)?)?;
        Ok(Shapes { values, constant: values.constant().map(read), read })
    }

    pub fn with<R>(&self, row: usize, f: impl FnOnce(&T) -> R) -> Option<R> {
        match &self.constant {
            Some(shape) => shape.as_ref().map(f),
            None => (self.read)(self.values.get(row)).as_ref().map(f),
        }
    }
}

pub fn angle(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let (first, second, third) =
        (Points::new(arguments, 0)?, Points::new(arguments, 2)?, Points::new(arguments, 4)?);
    Ok(numbers::<Float64Type>(call.rows, |row| {
        let (first, corner, third) = (first.get(row)?, second.get(row)?, third.get(row)?);
        if first == corner || third == corner {
            return None;
        }
        let turned = azimuth(corner, third) - azimuth(corner, first);
        Some(if turned < 0.0 { turned + 2.0 * PI } else { turned })
    }))
}

pub fn azimuth_of_points(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let (first, second) = (Points::new(arguments, 0)?, Points::new(arguments, 2)?);
    Ok(numbers::<Float64Type>(call.rows, |row| {
        let (from, to) = (first.get(row)?, second.get(row)?);
        (from != to).then(|| azimuth(from, to))
    }))
}

/// The distance on the ellipsoid of WGS 84, by Vincenty's formula; `None` for nearly antipodal points.
fn spheroid_distance(from: (f64, f64), to: (f64, f64)) -> Option<f64> {
    const MAJOR: f64 = 6_378_137.0;
    const FLATTENING: f64 = 1.0 / 298.257_223_563;
    const MINOR: f64 = MAJOR * (1.0 - FLATTENING);
    let reduced = |latitude: f64| ((1.0 - FLATTENING) * latitude.to_radians().tan()).atan();
    let ((sin1, cos1), (sin2, cos2)) = (reduced(from.1).sin_cos(), reduced(to.1).sin_cos());
    let difference = (to.0 - from.0).to_radians();
    let mut lambda = difference;
    for _ in 0..200 {
        let (sin_lambda, cos_lambda) = lambda.sin_cos();
        let sine = (cos2 * sin_lambda).hypot(cos1 * sin2 - sin1 * cos2 * cos_lambda);
        if sine == 0.0 {
            return Some(0.0);
        }
        let cosine = sin1 * sin2 + cos1 * cos2 * cos_lambda;
        let sigma = sine.atan2(cosine);
        let sin_alpha = cos1 * cos2 * sin_lambda / sine;
        let cos2_alpha = 1.0 - sin_alpha * sin_alpha;
        let middle = if cos2_alpha == 0.0 { 0.0 } else { cosine - 2.0 * sin1 * sin2 / cos2_alpha };
        let c = FLATTENING / 16.0 * cos2_alpha * (4.0 + FLATTENING * (4.0 - 3.0 * cos2_alpha));
        let before = lambda;
        lambda = difference
            + (1.0 - c)
                * FLATTENING
                * sin_alpha
                * (sigma + c * sine * (middle + c * cosine * (2.0 * middle * middle - 1.0)));
        if (lambda - before).abs() < 1e-12 {
            let u2 = cos2_alpha * (MAJOR * MAJOR - MINOR * MINOR) / (MINOR * MINOR);
            let a = 1.0 + u2 / 16384.0 * (4096.0 + u2 * (-768.0 + u2 * (320.0 - 175.0 * u2)));
            let b = u2 / 1024.0 * (256.0 + u2 * (-128.0 + u2 * (74.0 - 47.0 * u2)));
            let correction = b
                * sine
                * (middle
                    + b / 4.0
                        * (cosine * (2.0 * middle * middle - 1.0)
                            - b / 6.0 * middle * (4.0 * sine * sine - 3.0) * (4.0 * middle * middle - 3.0)));
            return Some(MINOR * a * (sigma - correction));
        }
    }
    None
}

pub fn distance_2points(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let (first, second) = (Points::new(arguments, 0)?, Points::new(arguments, 2)?);
    let spheroid = arguments.get(4).map(Bools::new).transpose()?;
    Ok(numbers::<Float64Type>(call.rows, |row| {
        let (from, to) = (first.get(row)?, second.get(row)?);
        if spheroid.as_ref().and_then(|spheroid| spheroid.get(row)) == Some(true) {
            let exact = spheroid_distance(
                (first.0.get(row)?, first.1.get(row)?),
                (second.0.get(row)?, second.1.get(row)?),
            );
            if exact.is_some() {
                return exact;
            }
        }
        Some(from.angle(to) * EARTH_RADIUS)
    }))
}

pub fn distance_point_to_line(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let points = Points::new(arguments, 0)?;
    let lines = Shapes::new(arguments, 2, Lines::read)?;
    Ok(numbers::<Float64Type>(call.rows, |row| {
        let from = points.get(row)?;
        lines.with(row, |line| Some(closest(line.edges(), from)?.angle(from) * EARTH_RADIUS))?
    }))
}

pub fn distance_point_to_polygon(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let points = Points::new(arguments, 0)?;
    let polygons = Shapes::new(arguments, 2, Polygons::read)?;
    Ok(numbers::<Float64Type>(call.rows, |row| {
        let from = points.get(row)?;
        polygons.with(row, |polygon| {
            if polygon.contain(from) {
                return Some(0.0);
            }
            Some(closest(polygon.edges(), from)?.angle(from) * EARTH_RADIUS)
        })?
    }))
}

pub fn closest_point_on_line(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let points = Points::new(arguments, 0)?;
    let lines = Shapes::new(arguments, 2, Lines::read)?;
    Ok(dynamics(call.rows, |row, builder| {
        let found =
            points.get(row).and_then(|from| lines.with(row, |line| closest(line.edges(), from)).flatten());
        found.into_iter().for_each(|found| write_point(builder, found));
        found.is_some()
    }))
}

pub fn closest_point_on_polygon(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let points = Points::new(arguments, 0)?;
    let polygons = Shapes::new(arguments, 2, Polygons::read)?;
    Ok(dynamics(call.rows, |row, builder| {
        let found = points.get(row).and_then(|from| {
            let on = |polygon: &Polygons| {
                if polygon.contain(from) { Some(from) } else { closest(polygon.edges(), from) }
            };
            polygons.with(row, on).flatten()
        });
        found.into_iter().for_each(|found| write_point(builder, found));
        found.is_some()
    }))
}

pub fn point_in_circle(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let (points, centers) = (Points::new(arguments, 0)?, Points::new(arguments, 2)?);
    let radii = Reals::new(argument(arguments, 4)?)?;
    Ok(nullable_bools(call.rows, |row| {
        let (point, center) = (points.get(row)?, centers.get(row)?);
        let radius = radii.get(row).filter(|radius| *radius > 0.0)?;
        Some(point.angle(center) * EARTH_RADIUS <= radius)
    }))
}

pub fn point_in_polygon(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let points = Points::new(arguments, 0)?;
    let polygons = Shapes::new(arguments, 2, Polygons::read)?;
    Ok(nullable_bools(call.rows, |row| {
        let point = points.get(row)?;
        polygons.with(row, |polygon| polygon.contain(point))
    }))
}

pub fn line_length(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let lines = Shapes::new(arguments, 0, Lines::read)?;
    Ok(numbers::<Float64Type>(call.rows, |row| lines.with(row, |line| line.length() * EARTH_RADIUS)))
}

pub fn line_centroid(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let lines = Shapes::new(arguments, 0, Lines::read)?;
    Ok(dynamics(call.rows, |row, builder| {
        lines.with(row, |line| write_point(builder, line.centroid())).is_some()
    }))
}

/// The point at a fraction of the length of a single line.
fn interpolate(lines: &Lines, fraction: f64) -> Option<Vector> {
    let [line] = lines.0.as_slice() else { return None };
    if !(0.0..=1.0).contains(&fraction) {
        return None;
    }
    let mut rest = lines.length() * fraction;
    for (a, b) in lines.edges() {
        let length = a.angle(b);
        if rest < length {
            return Some(along_edge(a, b, rest));
        }
        rest -= length;
    }
    line.last().copied()
}

pub fn line_interpolate_point(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let lines = Shapes::new(arguments, 0, Lines::read)?;
    let fractions = Reals::new(argument(arguments, 1)?)?;
    Ok(dynamics(call.rows, |row, builder| {
        let found = fractions
            .get(row)
            .and_then(|fraction| lines.with(row, |line| interpolate(line, fraction)).flatten());
        found.into_iter().for_each(|found| write_point(builder, found));
        found.is_some()
    }))
}

pub fn line_locate_point(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let lines = Shapes::new(arguments, 0, Lines::read)?;
    let points = Points::new(arguments, 1)?;
    Ok(numbers::<Float64Type>(call.rows, |row| {
        let to = points.get(row)?;
        lines.with(row, |line| {
            if line.0.len() != 1 {
                return None;
            }
            let (mut best, mut place, mut passed) = (f64::INFINITY, 0.0, 0.0);
            for (a, b) in line.edges() {
                let near = super::sphere::closest_on_edge(to, a, b);
                if near.angle(to) < best {
                    best = near.angle(to);
                    place = passed + a.angle(near);
                }
                passed += a.angle(b);
            }
            (passed > 0.0).then(|| place / passed)
        })?
    }))
}

/// Computes with the polygons of a shape, those of a multipolygon made not to overlap.
fn with_union<R>(polygons: &Shapes<'_, Polygons>, row: usize, f: impl FnOnce(&Polygons) -> R) -> Option<R> {
    polygons.with(row, |polygon| if polygon.0.len() > 1 { f(&dissolved(polygon)) } else { f(polygon) })
}

pub fn polygon_area(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let polygons = Shapes::new(arguments, 0, Polygons::read)?;
    Ok(numbers::<Float64Type>(call.rows, |row| {
        with_union(&polygons, row, |polygon| polygon.area() * EARTH_RADIUS * EARTH_RADIUS)
    }))
}

pub fn polygon_centroid(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let polygons = Shapes::new(arguments, 0, Polygons::read)?;
    Ok(dynamics(call.rows, |row, builder| {
        with_union(&polygons, row, |polygon| write_point(builder, polygon.centroid())).is_some()
    }))
}

pub fn polygon_perimeter(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let polygons = Shapes::new(arguments, 0, Polygons::read)?;
    Ok(numbers::<Float64Type>(call.rows, |row| {
        with_union(&polygons, row, |polygon| polygon.perimeter() * EARTH_RADIUS)
    }))
}

type Edges = Vec<(Vector, Vector)>;

pub fn intersects_2lines(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let left = Shapes::new(arguments, 0, Lines::read)?;
    let right = Shapes::new(arguments, 1, Lines::read)?;
    Ok(nullable_bools(call.rows, |row| {
        let left: Edges = left.with(row, |line| line.edges().collect())?;
        right.with(row, |line| any_crossing(&left, &line.edges().collect::<Edges>()))
    }))
}

pub fn intersects_2polygons(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let left = Shapes::new(arguments, 0, Polygons::read)?;
    let right = Shapes::new(arguments, 1, Polygons::read)?;
    Ok(nullable_bools(call.rows, |row| {
        left.with(row, |left| {
            right.with(row, |right| {
                let (mine, theirs): (Edges, Edges) = (left.edges().collect(), right.edges().collect());
                any_crossing(&mine, &theirs)
                    || mine.iter().any(|(a, _)| right.contain(*a))
                    || theirs.iter().any(|(a, _)| left.contain(*a))
            })
        })?
    }))
}

pub fn intersects_line_with_polygon(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let lines = Shapes::new(arguments, 0, Lines::read)?;
    let polygons = Shapes::new(arguments, 1, Polygons::read)?;
    Ok(nullable_bools(call.rows, |row| {
        lines.with(row, |line| {
            polygons.with(row, |polygon| {
                let edges: Edges = line.edges().collect();
                any_crossing(&edges, &polygon.edges().collect::<Edges>())
                    || edges.iter().any(|(a, b)| polygon.contain(*a) || polygon.contain(*b))
            })
        })?
    }))
}

pub fn intersection_2lines(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let left = Shapes::new(arguments, 0, Lines::read)?;
    let right = Shapes::new(arguments, 1, Lines::read)?;
    Ok(dynamics(call.rows, |row, builder| {
        let parts =
            left.with(row, |left| right.with(row, |right| intersection_of_lines(left, right))).flatten();
        parts.iter().for_each(|parts| parts.write(builder));
        parts.is_some()
    }))
}

fn intersection_of_lines(left: &Lines, right: &Lines) -> Parts {
    if let Some(parts) = shared_lines(left, right) {
        return parts;
    }
    let mut points: Vec<Vector> = Vec::new();
    for (a, b) in left.edges() {
        for (c, d) in right.edges().filter(|(c, d)| edges_cross(a, b, *c, *d)) {
            let crossing = crossing_point(a, b, c, d);
            if !points.contains(&crossing) {
                points.push(crossing);
            }
        }
    }
    Parts { points, lines: Vec::new(), polygons: Polygons(Vec::new()) }
}
