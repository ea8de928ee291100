//! Areas that points are looked up in: the inside of a polygon, or what is within a radius of a shape.

use conshelf_storage::DynamicRef;

use super::shape::{Lines, Polygons, closest};
use super::sphere::{EARTH_RADIUS, Vector, point};

/// Radians by which rounding may move a point out of its cap.
const SLACK: f64 = 1e-9;

#[derive(Debug)]
pub struct Area {
    polygons: Polygons,
    edges: Vec<(Vector, Vector)>,
    /// Radians; `None`: only the inside counts.
    radius: Option<f64>,
    /// A cap that holds the area: its center and how far it reaches in radians.
    center: Vector,
    reach: f64,
}

impl Area {
    /// What lies within meters of a line. `None` if the shape is no valid line.
    pub fn around_line(shape: DynamicRef<'_>, radius: f64) -> Option<Area> {
        let lines = Lines::read(shape)?;
        Some(Area::new(Polygons::default(), lines.edges().collect(), Some(radius)))
    }

    /// What lies in a polygon, or within meters of it. `None` if the shape is no valid polygon.
    pub fn of_polygon(shape: DynamicRef<'_>, radius: Option<f64>) -> Option<Area> {
        let polygons = Polygons::read(shape)?;
        let edges = polygons.edges().collect();
        Some(Area::new(polygons, edges, radius))
    }

    fn new(polygons: Polygons, edges: Vec<(Vector, Vector)>, radius: Option<f64>) -> Area {
        let radius = radius.map(|meters| meters / EARTH_RADIUS);
        let center = edges.iter().fold(Vector::ZERO, |sum, (from, _)| sum + *from).unit();
        let reach =
            edges.iter().flat_map(|(from, to)| [from, to]).map(|end| center.angle(*end)).fold(0.0, f64::max);
        // A cap is convex, and holds what its boundary encloses, if it is smaller than a hemisphere.
        let is_small = center != Vector::ZERO && reach < 1.5;
        let reach = if is_small { reach + radius.unwrap_or(0.0).max(0.0) + SLACK } else { f64::INFINITY };
        Area { polygons, edges, radius, center, reach }
    }

    /// Whether a place, in degrees, lies in the area.
    pub fn holds(&self, longitude: f64, latitude: f64) -> bool {
        let Some(place) = point(longitude, latitude) else { return false };
        if self.center.angle(place) > self.reach {
            return false;
        }
        if self.polygons.contain(place) {
            return true;
        }
        let Some(radius) = self.radius else { return false };
        closest(self.edges.iter().copied(), place).is_some_and(|near| near.angle(place) <= radius)
    }
}
