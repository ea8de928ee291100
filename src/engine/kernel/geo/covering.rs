//! Cells of one size that cover shapes: S2 cells that meet them, H3 cells whose centers lie inside.

use std::collections::{HashSet, VecDeque};

use arrow_array::ArrayRef;
use conshelf_storage::DynamicBuilder;
use h3o::{CellIndex, LatLng, Resolution};

use super::buffer::grow_polygon;
use super::measure::Shapes;
use super::overlay::{crossing, lies_inside};
use super::s2cell::{Cell, MAX_LEVEL};
use super::shape::{Lines, Polygons};
use super::sphere::{EARTH_RADIUS, Vector, closest_on_edge, degrees};
use crate::engine::error::Result;
use crate::engine::kernel::access::{Longs, Reals, dynamics};
use crate::engine::kernel::{Datum, KernelCall};

const MAX_S2_CELLS: usize = 65_536;
const MAX_H3_CELLS: usize = 61_680;

const DEFAULT_LEVEL: i64 = 11;
const DEFAULT_RESOLUTION: i64 = 6;

/// Radians around a cell within which an edge touches it.
const TOUCHING: f64 = 1e-15;

/// The least distance of two edges.
fn edge_distance(one: (Vector, Vector), other: (Vector, Vector)) -> f64 {
    if crossing(one, other).is_some() {
        return 0.0;
    }
    let to = |point: Vector, (a, b): (Vector, Vector)| closest_on_edge(point, a, b).angle(point);
    to(one.0, other).min(to(one.1, other)).min(to(other.0, one)).min(to(other.1, one))
}

/// Finds the cells of a level that come within a radius of edges or lie inside of a shape.
struct Search<'a> {
    edges: &'a [(Vector, Vector)],
    inside: &'a dyn Fn(Vector) -> bool,
    level: u32,
    radius: f64,
    found: Vec<Cell>,
}

impl Search<'_> {
    /// Whether an edge comes within the radius of a cell.
    fn is_near(&self, corners: &[Vector; 4], edge: (Vector, Vector)) -> bool {
        let reach = self.radius.max(TOUCHING);
        let middle = corners.iter().fold(Vector::ZERO, |sum, corner| sum + *corner).unit();
        let around = corners.iter().map(|corner| middle.angle(*corner)).fold(0.0, f64::max);
        let away = closest_on_edge(middle, edge.0, edge.1).angle(middle);
        if away > around + reach {
            return false;
        }
        let sides = (0..4).map(|at| (corners[at], corners[(at + 1) % 4]));
        let holds =
            |point: Vector| sides.clone().all(|(a, b)| super::overlay::normal(a, b).dot(point) >= -TOUCHING);
        holds(edge.0)
            || holds(edge.1)
            || sides.clone().any(|side| edge_distance(side, edge) <= reach || lies_inside(edge, side.0))
    }

    /// False if there are too many.
    fn visit(&mut self, cell: Cell, edges: &[usize]) -> bool {
        let corners = cell.corners();
        let near: Vec<usize> =
            edges.iter().copied().filter(|edge| self.is_near(&corners, self.edges[*edge])).collect();
        if near.is_empty() && !(self.inside)(cell.center()) {
            return true;
        }
        if cell.level() == self.level {
            self.found.push(cell);
            return self.found.len() <= MAX_S2_CELLS;
        }
        if near.is_empty() {
            let inner = 4u64.checked_pow(self.level - cell.level()).unwrap_or(u64::MAX);
            if inner > (MAX_S2_CELLS - self.found.len()) as u64 {
                return false;
            }
            self.found.extend(cell.descendants(self.level));
            return true;
        }
        cell.children().into_iter().all(|child| self.visit(child, &near))
    }
}

fn s2_cells(
    edges: &[(Vector, Vector)],
    inside: &dyn Fn(Vector) -> bool,
    level: u32,
    radius: f64,
) -> Option<Vec<Cell>> {
    let mut search = Search { edges, inside, level, radius: radius / EARTH_RADIUS, found: Vec::new() };
    let all: Vec<usize> = (0..edges.len()).collect();
    Cell::faces().into_iter().all(|face| search.visit(face, &all)).then_some(search.found)
}

fn write_tokens(builder: &mut DynamicBuilder, tokens: impl IntoIterator<Item = String>) {
    builder.begin_array();
    tokens.into_iter().for_each(|token| builder.string(&token));
    builder.end_array();
}

/// Level and radius of the calls.
struct Grain<'a> {
    levels: Option<Longs<'a>>,
    radii: Option<Reals<'a>>,
    default: i64,
}

impl<'a> Grain<'a> {
    fn new(arguments: &'a [Datum], default: i64) -> Result<Grain<'a>> {
        Ok(Grain {
            levels: arguments.get(1).map(Longs::new).transpose()?,
            radii: arguments.get(2).map(Reals::new).transpose()?,
            default,
        })
    }

    fn get(&self, row: usize) -> Option<(u32, f64)> {
        let level = self.levels.as_ref().map_or(Some(self.default), |levels| levels.get(row))?;
        let radius = self.radii.as_ref().map_or(Some(0.0), |radii| radii.get(row))?;
        (radius >= 0.0 && radius.is_finite()).then_some((u32::try_from(level).ok()?, radius))
    }
}

pub fn polygon_to_s2cells(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let polygons = Shapes::new(arguments, 0, Polygons::read)?;
    let grain = Grain::new(arguments, DEFAULT_LEVEL)?;
    Ok(dynamics(call.rows, |row, builder| {
        let cells = grain.get(row).filter(|(level, _)| *level <= MAX_LEVEL).and_then(|(level, radius)| {
            polygons.with(row, |polygon| {
                let edges: Vec<_> = polygon.edges().collect();
                s2_cells(&edges, &|point| polygon.contain(point), level, radius)
            })?
        });
        let found = cells.is_some();
        cells.into_iter().for_each(|cells| write_tokens(builder, cells.iter().map(|cell| cell.token())));
        found
    }))
}

pub fn line_to_s2cells(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let lines = Shapes::new(arguments, 0, Lines::read)?;
    let grain = Grain::new(arguments, DEFAULT_LEVEL)?;
    Ok(dynamics(call.rows, |row, builder| {
        let cells = grain.get(row).filter(|(level, _)| *level <= MAX_LEVEL).and_then(|(level, radius)| {
            lines.with(row, |line| {
                let edges: Vec<_> = line.edges().filter(|(from, to)| from != to).collect();
                s2_cells(&edges, &|_| false, level, radius)
            })?
        });
        let found = cells.is_some();
        cells.into_iter().for_each(|cells| write_tokens(builder, cells.iter().map(|cell| cell.token())));
        found
    }))
}

/// Rings in degrees, their edges straight on a map of longitudes and latitudes.
struct Flat(Vec<Vec<Vec<(f64, f64)>>>);

impl Flat {
    fn new(polygons: &Polygons) -> Flat {
        let ring = |ring: &Vec<Vector>| -> Vec<(f64, f64)> {
            let mut points: Vec<(f64, f64)> = ring.iter().map(|point| degrees(*point)).collect();
            let low = points.iter().map(|point| point.0).fold(f64::INFINITY, f64::min);
            let high = points.iter().map(|point| point.0).fold(f64::NEG_INFINITY, f64::max);
            // Wider than half of the map: it crosses the antimeridian.
            if high - low > 180.0 {
                points.iter_mut().filter(|point| point.0 < 0.0).for_each(|point| point.0 += 360.0);
            }
            points
        };
        Flat(polygons.0.iter().map(|rings| rings.iter().map(ring).collect()).collect())
    }

    fn contains(&self, (x, y): (f64, f64)) -> bool {
        let in_ring = |ring: &Vec<(f64, f64)>, x: f64| {
            let mut inside = false;
            for at in 0..ring.len() {
                let (a, b) = (ring[at], ring[(at + 1) % ring.len()]);
                if (a.1 > y) != (b.1 > y) && x < (b.0 - a.0) * (y - a.1) / (b.1 - a.1) + a.0 {
                    inside = !inside;
                }
            }
            inside
        };
        self.0.iter().any(|rings| {
            [x, x + 360.0].into_iter().any(|x| rings.iter().filter(|ring| in_ring(ring, x)).count() % 2 == 1)
        })
    }
}

fn cell_at(x: f64, y: f64, resolution: Resolution) -> Option<CellIndex> {
    let x = if x > 180.0 { x - 360.0 } else { x };
    Some(LatLng::new(y, x).ok()?.to_cell(resolution))
}

/// `None` if there are too many.
fn h3_cells(polygons: &Polygons, resolution: Resolution) -> Option<Vec<CellIndex>> {
    // Cells of a resolution differ in size by less than a factor of two.
    let expected = polygons.area() * EARTH_RADIUS * EARTH_RADIUS / resolution.area_m2();
    if expected > 2.0 * MAX_H3_CELLS as f64 {
        return None;
    }
    let flat = Flat::new(polygons);
    let is_inside = |cell: CellIndex| {
        let center = LatLng::from(cell);
        flat.contains((center.lng(), center.lat()))
    };
    // Every run of inner cells reaches the boundary or lies in one ring of cells around it.
    let step = (resolution.edge_length_m() / 111_195.0 * 0.5).max(1e-9);
    let mut seen: HashSet<CellIndex> = HashSet::new();
    let mut queue: VecDeque<CellIndex> = VecDeque::new();
    let mut found: Vec<CellIndex> = Vec::new();
    for ring in flat.0.iter().flatten() {
        for at in 0..ring.len() {
            let (a, b) = (ring[at], ring[(at + 1) % ring.len()]);
            let steps = ((b.0 - a.0).hypot(b.1 - a.1) / step).ceil();
            if steps > 16.0 * MAX_H3_CELLS as f64 {
                return None;
            }
            for at in 0..=steps as u32 {
                let share = if steps == 0.0 { 0.0 } else { f64::from(at) / steps };
                let place = cell_at(a.0 + (b.0 - a.0) * share, a.1 + (b.1 - a.1) * share, resolution);
                for cell in place.into_iter().flat_map(|cell| cell.grid_disk::<Vec<_>>(1)) {
                    if seen.insert(cell) && is_inside(cell) {
                        queue.push_back(cell);
                    }
                }
            }
        }
    }
    while let Some(cell) = queue.pop_front() {
        found.push(cell);
        if found.len() > MAX_H3_CELLS {
            return None;
        }
        for neighbor in cell.grid_disk::<Vec<_>>(1) {
            if seen.insert(neighbor) && is_inside(neighbor) {
                queue.push_back(neighbor);
            }
        }
    }
    found.sort_unstable();
    Some(found)
}

pub fn polygon_to_h3cells(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let polygons = Shapes::new(arguments, 0, Polygons::read)?;
    let grain = Grain::new(arguments, DEFAULT_RESOLUTION)?;
    Ok(dynamics(call.rows, |row, builder| {
        let cells = || -> Option<Vec<CellIndex>> {
            let (resolution, radius) = grain.get(row)?;
            let resolution = Resolution::try_from(u8::try_from(resolution).ok()?).ok()?;
            polygons.with(row, |polygon| {
                if radius > 0.0 {
                    return h3_cells(&grow_polygon(polygon, radius, 10.0)?, resolution);
                }
                h3_cells(polygon, resolution)
            })?
        };
        let cells = cells();
        let found = cells.is_some();
        cells.into_iter().for_each(|cells| write_tokens(builder, cells.iter().map(CellIndex::to_string)));
        found
    }))
}
