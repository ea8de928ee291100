//! Shapes of GeoJSON, read from dynamic values and written to them.

use std::f64::consts::PI;

use conshelf_storage::{DynamicBuilder, DynamicRef};

use super::sphere::{
    Vector, closest_on_edge, degrees, edge_centroid, edges_cross, point, triangle_area, triangle_centroid,
};

/// Lines of at least two points.
#[derive(Clone, Debug, PartialEq)]
pub struct Lines(pub Vec<Vec<Vector>>);

/// Polygons; each the outer ring, then its holes. Rings are not closed: the last point is not the first.
#[derive(Clone, Debug, PartialEq)]
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
    points.dedup();
    points.pop();
    (points.len() >= 3).then_some(points)
}

fn rings(value: DynamicRef<'_>) -> Option<Vec<Vec<Vector>>> {
    let rings = value.iter_array().map(ring).collect::<Option<Vec<_>>>()?;
    (!rings.is_empty()).then_some(rings)
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
        self.rings().flat_map(|ring| (0..ring.len()).map(|at| (ring[at], ring[(at + 1) % ring.len()])))
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

    /// Whether any two of the polygons have inner points in common.
    pub fn overlap(&self) -> bool {
        let alone = |rings: &Vec<Vec<Vector>>| Polygons(vec![rings.clone()]);
        self.0.iter().enumerate().any(|(at, left)| {
            let left = alone(left);
            let mine: Vec<_> = left.edges().collect();
            self.0[at + 1..].iter().any(|right| {
                let right = alone(right);
                let theirs: Vec<_> = right.edges().collect();
                any_crossing(&mine, &theirs)
                    || mine.iter().any(|(a, _)| right.contain(*a))
                    || theirs.iter().any(|(a, _)| left.contain(*a))
            })
        })
    }

    /// Whether the point is inside: in an odd number of rings of a polygon.
    pub fn contain(&self, point: Vector) -> bool {
        self.0.iter().any(|rings| rings.iter().filter(|ring| ring_contains(ring, point)).count() % 2 == 1)
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
