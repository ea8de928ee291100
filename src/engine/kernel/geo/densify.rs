//! Planar edges as chains of geodesic ones: points are added until the chain stays within a tolerance.

use arrow_array::ArrayRef;
use conshelf_storage::DynamicRef;

use super::shape::{Lines, Polygons, position, write_positions};
use super::sphere::{EARTH_RADIUS, Vector, along_edge, degrees, point};
use crate::engine::error::Result;
use crate::engine::kernel::access::{Dynamics, Reals, argument, dynamics};
use crate::engine::kernel::{Datum, KernelCall};

/// Where, as a fraction of an edge, its planar and its geodesic form are compared, and how much of the
/// tolerance the difference there may use (the estimate of the S2 library's edge tessellator).
const PROBE: f64 = 0.312_156_910_822_483_1;
const PROBE_SHARE: f64 = 0.838_299_925_698_885_1;

/// Deeper than any tolerance of a decimeter needs.
const MAX_DEPTH: u32 = 24;

fn between(from: (f64, f64), to: (f64, f64), fraction: f64) -> (f64, f64) {
    (from.0 + (to.0 - from.0) * fraction, from.1 + (to.1 - from.1) * fraction)
}

fn vector((longitude, latitude): (f64, f64)) -> Vector {
    point(longitude, latitude).unwrap_or(Vector::ZERO)
}

fn push_edge(from: (f64, f64), to: (f64, f64), tolerance: f64, depth: u32, out: &mut Vec<(f64, f64)>) {
    let (a, b) = (vector(from), vector(to));
    let length = a.angle(b);
    let error = [PROBE, 1.0 - PROBE]
        .into_iter()
        .map(|fraction| along_edge(a, b, length * fraction).angle(vector(between(from, to, fraction))))
        .fold(0.0, f64::max);
    if depth == 0 || error * EARTH_RADIUS <= tolerance * PROBE_SHARE {
        out.push(to);
        return;
    }
    let middle = degrees(vector(between(from, to, 0.5)));
    push_edge(from, middle, tolerance, depth - 1, out);
    push_edge(middle, to, tolerance, depth - 1, out);
}

fn chain(positions: DynamicRef<'_>, tolerance: f64) -> Option<Vec<(f64, f64)>> {
    let positions = positions.iter_array().map(position).collect::<Option<Vec<_>>>()?;
    let mut out: Vec<(f64, f64)> = positions.first().copied().into_iter().collect();
    for pair in positions.windows(2) {
        push_edge(pair[0], pair[1], tolerance, MAX_DEPTH, &mut out);
    }
    Some(out)
}

/// Rewrites the chains of positions at a depth below the coordinates.
fn rewrite(
    call: &KernelCall<'_>,
    arguments: &[Datum],
    is_valid: fn(DynamicRef<'_>) -> bool,
    depth_of: fn(&str) -> u32,
) -> Result<ArrayRef> {
    fn write(
        value: DynamicRef<'_>,
        depth: u32,
        tolerance: f64,
        builder: &mut conshelf_storage::DynamicBuilder,
    ) {
        if depth == 0 {
            write_positions(builder, &chain(value, tolerance).unwrap_or_default());
            return;
        }
        builder.begin_array();
        value.iter_array().for_each(|part| write(part, depth - 1, tolerance, builder));
        builder.end_array();
    }
    let shapes = Dynamics::new(argument(arguments, 0)?)?;
    let tolerances = arguments.get(1).map(Reals::new).transpose()?;
    Ok(dynamics(call.rows, |row, builder| {
        let shape = shapes.get(row);
        let tolerance = tolerances.as_ref().map_or(Some(10.0), |tolerances| tolerances.get(row));
        let Some(tolerance) = tolerance.filter(|tolerance| (0.1..=10_000.0).contains(tolerance)) else {
            return false;
        };
        let kind = shape.get("type").and_then(|kind| kind.as_str()).unwrap_or_default();
        let Some(coordinates) = shape.get("coordinates").filter(|_| is_valid(shape)) else { return false };
        super::shape::write_shape(builder, kind, |builder| {
            write(coordinates, depth_of(kind), tolerance, builder)
        });
        true
    }))
}

pub fn line(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    rewrite(
        call,
        arguments,
        |shape| Lines::read(shape).is_some(),
        |kind| u32::from(kind == "MultiLineString"),
    )
}

pub fn polygon(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    rewrite(
        call,
        arguments,
        |shape| Polygons::read(shape).is_some(),
        |kind| if kind == "MultiPolygon" { 2 } else { 1 },
    )
}
