//! Shapes of GeoJSON, read from dynamic values and written to them.

use std::f64::consts::PI;

use conshelf_storage::{DynamicBuilder, DynamicRef};

use super::overlay::{NEAR, crossing, near_pairs, normal};
use super::sphere::{
    Vector, closest_on_edge, degrees, edge_centroid, edges_cross, point, triangle_area, triangle_centroid,
};

/// Lines of at least two points.
#[derive(Clone, Debug, PartialEq)]
pub struct Lines(pub Vec<Vec<Vector>>);

/// Polygons; each the outer ring, then its holes. Rings are not closed: the last point is not the first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Polygons(pub Vec<Vec<Vec<Vector>>>);

/// Longitude and latitude of a GeoJSON position.
pub fn position(value: DynamicRef<'_>) -> Option<(f64, f64)> {
    let (longitude, latitude) = (value.at(0)?.as_number()?, value.at(1)?.as_number()?);
    point(longitude, latitude)?;
    Some((longitude, latitude))
}

fn vector(value: DynamicRef<'_>) -> Option<Vector> {
    let (longitude, latitude) = position(value)?;
    point(longitude, latitude)
}

fn line(value: DynamicRef<'_>) -> Option<Vec<Vector>> {
    let points = value.iter_array().map(vector).collect::<Option<Vec<_>>>()?;
    (points.len() >= 2 && points.windows(2).any(|pair| pair[0] != pair[1])).then_some(points)
}

fn ring(value: DynamicRef<'_>) -> Option<Vec<Vector>> {
    let mut points = value.iter_array().map(vector).collect::<Option<Vec<_>>>()?;
    if points.len() < 4 || points.first() != points.last() {
        return None;
    }
    points.pop();
    let mut sorted: Vec<_> =
        points.iter().map(|point| [point.x, point.y, point.z].map(f64::to_bits)).collect();
    sorted.sort_unstable();
    let is_distinct = sorted.windows(2).all(|pair| pair[0] != pair[1]);
    is_distinct.then_some(points)
}

fn rings(value: DynamicRef<'_>) -> Option<Vec<Vec<Vector>>> {
    let rings = value.iter_array().map(ring).collect::<Option<Vec<_>>>()?;
    if rings.is_empty() {
        return None;
    }
    let edges: Vec<(Vector, Vector)> = ring_edges(&rings).collect();
    let mut is_valid = true;
    near_pairs(&edges, |left, right| is_valid &= !conflicts(edges[left], edges[right]));
    is_valid.then_some(rings)
}

/// Whether two edges of a polygon cross or are the same.
fn conflicts(one: (Vector, Vector), other: (Vector, Vector)) -> bool {
    if one == other || one == (other.1, other.0) {
        return true;
    }
    if one.0 == other.0 || one.0 == other.1 || one.1 == other.0 || one.1 == other.1 {
        return false;
    }
    let (first, second) = (normal(one.0, one.1).unit(), normal(other.0, other.1).unit());
    let touches = [other.0, other.1].iter().any(|end| first.dot(*end).abs() <= NEAR)
        || [one.0, one.1].iter().any(|end| second.dot(*end).abs() <= NEAR);
    !touches && crossing(one, other).is_some()
}

fn ring_edges(rings: &[Vec<Vector>]) -> impl Iterator<Item = (Vector, Vector)> + '_ {
    rings.iter().flat_map(|ring| (0..ring.len()).map(|at| (ring[at], ring[(at + 1) % ring.len()])))
}

fn all<T>(
    value: DynamicRef<'_>,
    single: &str,
    multiple: &str,
    read: impl Fn(DynamicRef<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    let kind = value.get("type")?.as_str()?;
    let coordinates = value.get("coordinates")?;
    if kind == single {
        return read(coordinates).map(|part| vec![part]);
    }
    if kind != multiple {
        return None;
    }
    let parts = coordinates.iter_array().map(read).collect::<Option<Vec<_>>>()?;
    (!parts.is_empty()).then_some(parts)
}

impl Lines {
    pub fn read(value: DynamicRef<'_>) -> Option<Lines> {
        all(value, "LineString", "MultiLineString", line).map(Lines)
    }

    pub fn edges(&self) -> impl Iterator<Item = (Vector, Vector)> + '_ {
        self.0.iter().flat_map(|line| line.windows(2).map(|pair| (pair[0], pair[1])))
    }

    /// Writes a line or a multiline; false, and nothing, if there is none.
    pub fn write(&self, builder: &mut DynamicBuilder) -> bool {
        let positions =
            |line: &[Vector]| -> Vec<(f64, f64)> { line.iter().map(|point| degrees(*point)).collect() };
        match self.0.as_slice() {
            [] => return false,
            [only] => {
                write_shape(builder, "LineString", |builder| write_positions(builder, &positions(only)))
            }
            several => write_shape(builder, "MultiLineString", |builder| {
                builder.begin_array();
                several.iter().for_each(|line| write_positions(builder, &positions(line)));
                builder.end_array();
            }),
        }
        true
    }

    pub fn length(&self) -> f64 {
        self.edges().map(|(a, b)| a.angle(b)).sum()
    }

    pub fn centroid(&self) -> Vector {
        self.edges().fold(Vector::ZERO, |sum, (a, b)| sum + edge_centroid(a, b)).unit()
    }
}

impl Polygons {
    pub fn read(value: DynamicRef<'_>) -> Option<Polygons> {
        all(value, "Polygon", "MultiPolygon", rings).map(Polygons)
    }

    fn rings(&self) -> impl Iterator<Item = &Vec<Vector>> + '_ {
        self.0.iter().flatten()
    }

    pub fn edges(&self) -> impl Iterator<Item = (Vector, Vector)> + '_ {
        self.0.iter().flat_map(|rings| ring_edges(rings))
    }

    pub fn perimeter(&self) -> f64 {
        self.edges().map(|(a, b)| a.angle(b)).sum()
    }

    /// On the unit sphere.
    pub fn area(&self) -> f64 {
        let of_polygon = |rings: &Vec<Vec<Vector>>| -> f64 {
            rings
                .iter()
                .enumerate()
                .map(|(at, ring)| if at == 0 { ring_area(ring).abs() } else { -ring_area(ring).abs() })
                .sum()
        };
        self.0.iter().map(of_polygon).sum()
    }

    pub fn centroid(&self) -> Vector {
        let mut sum = Vector::ZERO;
        for rings in &self.0 {
            for (at, ring) in rings.iter().enumerate() {
                let mut part = Vector::ZERO;
                for pair in ring.get(1..).unwrap_or_default().windows(2) {
                    part = part + triangle_centroid(ring[0], pair[0], pair[1]);
                }
                let inward = (ring_area(ring) > 0.0) == (at == 0);
                sum = if inward { sum + part } else { sum - part };
            }
        }
        sum.unit()
    }

    /// Points of all rings.
    pub fn vertex_count(&self) -> usize {
        self.rings().map(Vec::len).sum()
    }

    /// The rings with the inside on their left.
    pub fn oriented(&self) -> Vec<Vec<Vector>> {
        let mut oriented = Vec::new();
        for rings in &self.0 {
            for (at, ring) in rings.iter().enumerate() {
                let mut ring = ring.clone();
                if (ring_area(&ring) < 0.0) == (at == 0) {
                    ring.reverse();
                }
                oriented.push(ring);
            }
        }
        oriented
    }

    /// Polygons of loops that have the inside on their left: counterclockwise ones are outer rings, the
    /// others holes of the smallest that is around them.
    pub fn from_loops(loops: Vec<Vec<Vector>>) -> Polygons {
        let (shells, holes): (Vec<_>, Vec<_>) =
            loops.into_iter().filter(|ring| ring.len() > 2).partition(|ring| ring_area(ring) > 0.0);
        let mut polygons: Vec<Vec<Vec<Vector>>> = shells.into_iter().map(|shell| vec![shell]).collect();
        for hole in holes {
            let place = (hole[0] + hole[1]).unit();
            let around = polygons
                .iter_mut()
                .filter(|rings| ring_contains(&rings[0], place))
                .min_by(|left, right| ring_area(&left[0]).total_cmp(&ring_area(&right[0])));
            if let Some(rings) = around {
                rings.push(hole);
            }
        }
        Polygons(polygons)
    }

    /// Writes a polygon or a multipolygon; false, and nothing, if there is none.
    pub fn write(&self, builder: &mut DynamicBuilder) -> bool {
        fn write_rings(builder: &mut DynamicBuilder, rings: &[Vec<Vector>]) {
            builder.begin_array();
            for ring in rings {
                let positions: Vec<(f64, f64)> =
                    ring.iter().chain(ring.first()).map(|point| degrees(*point)).collect();
                write_positions(builder, &positions);
            }
            builder.end_array();
        }
        match self.0.as_slice() {
            [] => return false,
            [only] => write_shape(builder, "Polygon", |builder| write_rings(builder, only)),
            several => write_shape(builder, "MultiPolygon", |builder| {
                builder.begin_array();
                several.iter().for_each(|rings| write_rings(builder, rings));
                builder.end_array();
            }),
        }
        true
    }

    /// Whether the point is inside: in an odd number of rings of a polygon.
    pub fn contain(&self, point: Vector) -> bool {
        self.0.iter().any(|rings| rings.iter().filter(|ring| ring_contains(ring, point)).count() % 2 == 1)
    }
}

/// What shapes have in common: of each dimension what is not in a higher one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parts {
    pub points: Vec<Vector>,
    pub lines: Vec<Vec<Vector>>,
    pub polygons: Polygons,
}

impl Parts {
    /// Writes a shape if all parts are of one dimension, else a collection.
    pub fn write(&self, builder: &mut DynamicBuilder) {
        let lines = Lines(self.lines.clone());
        let dimensions = [self.points.is_empty(), lines.0.is_empty(), self.polygons.0.is_empty()];
        let is_collection = dimensions.iter().filter(|is_empty| !**is_empty).count() != 1;
        if is_collection {
            builder.begin_object();
            builder.key("type");
            builder.string("GeometryCollection");
            builder.key("geometries");
            builder.begin_array();
        }
        match self.points.as_slice() {
            [] => {}
            [only] => write_point(builder, *only),
            several => {
                let positions: Vec<(f64, f64)> = several.iter().map(|point| degrees(*point)).collect();
                write_shape(builder, "MultiPoint", |builder| write_positions(builder, &positions));
            }
        }
        lines.write(builder);
        self.polygons.write(builder);
        if is_collection {
            builder.end_array();
            builder.end_object();
        }
    }
}

/// The signed area of a ring on the unit sphere: the smaller of its two sides, positive if it runs
/// counterclockwise around it.
fn ring_area(ring: &[Vector]) -> f64 {
    let area: f64 = ring
        .get(1..)
        .unwrap_or_default()
        .windows(2)
        .map(|pair| triangle_area(ring[0], pair[0], pair[1]))
        .sum();
    if area > 2.0 * PI {
        area - 4.0 * PI
    } else if area < -2.0 * PI {
        area + 4.0 * PI
    } else {
        area
    }
}

/// Whether a ring winds around the point, seen from it.
fn ring_contains(ring: &[Vector], point: Vector) -> bool {
    if ring.contains(&point) {
        return true;
    }
    let mut winding = 0.0;
    for at in 0..ring.len() {
        let a = point.cross(ring[at]);
        let b = point.cross(ring[(at + 1) % ring.len()]);
        winding += a.cross(b).dot(point).atan2(a.dot(b));
    }
    winding.abs() > PI
}

/// The point of the edges that is closest to a point.
pub fn closest(edges: impl Iterator<Item = (Vector, Vector)>, to: Vector) -> Option<Vector> {
    edges
        .map(|(a, b)| closest_on_edge(to, a, b))
        .min_by(|left, right| left.angle(to).total_cmp(&right.angle(to)))
}

/// Whether any edge of one meets any edge of the other.
pub fn any_crossing(left: &[(Vector, Vector)], right: &[(Vector, Vector)]) -> bool {
    left.iter().any(|(a, b)| right.iter().any(|(c, d)| edges_cross(*a, *b, *c, *d)))
}

fn pair(builder: &mut DynamicBuilder, longitude: f64, latitude: f64) {
    builder.begin_array();
    builder.real(longitude);
    builder.real(latitude);
    builder.end_array();
}

/// Writes `{"type": kind, "coordinates": …}`.
pub fn write_shape(builder: &mut DynamicBuilder, kind: &str, coordinates: impl FnOnce(&mut DynamicBuilder)) {
    builder.begin_object();
    builder.key("type");
    builder.string(kind);
    builder.key("coordinates");
    coordinates(builder);
    builder.end_object();
}

/// Writes a position.
pub fn write_position(builder: &mut DynamicBuilder, longitude: f64, latitude: f64) {
    pair(builder, longitude, latitude);
}

/// Writes positions as an array.
pub fn write_positions(builder: &mut DynamicBuilder, positions: &[(f64, f64)]) {
    builder.begin_array();
    positions.iter().for_each(|(longitude, latitude)| pair(builder, *longitude, *latitude));
    builder.end_array();
}

/// Writes a point.
pub fn write_point(builder: &mut DynamicBuilder, point: Vector) {
    let (longitude, latitude) = degrees(point);
    write_shape(builder, "Point", |builder| pair(builder, longitude, latitude));
}
