//! Unions and intersections of shapes on the sphere, answered in the vertex order of the S2 library.

use std::collections::VecDeque;

use arrow_array::ArrayRef;
use conshelf_storage::{DynamicBuilder, DynamicRef};

use super::overlay::{Arc, Edge, Overlay, loops, paths};
use super::shape::{Lines, Parts, Polygons};
use super::sphere::Vector;
use crate::engine::error::Result;
use crate::engine::kernel::access::{Dynamics, argument, dynamics};
use crate::engine::kernel::{Datum, KernelCall};

fn line_edges(lines: &Lines, region: usize) -> impl Iterator<Item = Edge> + '_ {
    lines.edges().filter(|(from, to)| from != to).map(move |(from, to)| Edge { from, to, region })
}

fn polygon_edges(polygons: &Polygons, region: usize) -> Vec<Edge> {
    let mut edges = Vec::new();
    for ring in polygons.oriented() {
        for at in 0..ring.len() {
            edges.push(Edge { from: ring[at], to: ring[(at + 1) % ring.len()], region });
        }
    }
    edges
}

/// The boundary between where a rule holds and where not, by how often each region winds around.
fn boundary(overlay: &Overlay, is_in: impl Fn([i32; 2]) -> bool) -> Vec<Arc> {
    overlay
        .pieces
        .iter()
        .filter_map(|piece| {
            let [from, to] = piece.vertices;
            match (is_in(piece.left), is_in(piece.right())) {
                (true, false) => {
                    Some(Arc { from, to, input: piece.inputs[0].unwrap_or_else(|| piece.input()) })
                }
                (false, true) => {
                    Some(Arc { from: to, to: from, input: piece.inputs[1].unwrap_or_else(|| piece.input()) })
                }
                _ => None,
            }
        })
        .collect()
}

fn places(overlay: &Overlay, chains: Vec<Vec<usize>>) -> Vec<Vec<Vector>> {
    chains
        .into_iter()
        .map(|chain| chain.into_iter().map(|vertex| overlay.vertices[vertex]).collect())
        .collect()
}

/// What closed paths enclose at least once, counterclockwise.
pub fn enclosed(paths: &[Vec<Vector>]) -> Polygons {
    let edges: Vec<Edge> = paths
        .iter()
        .flat_map(|path| {
            (0..path.len()).map(|at| Edge { from: path[at], to: path[(at + 1) % path.len()], region: 0 })
        })
        .filter(|edge| edge.from != edge.to)
        .collect();
    let overlay = Overlay::new(&edges, true);
    let arcs = boundary(&overlay, |winding| winding[0] > 0);
    Polygons::from_loops(places(&overlay, loops(&overlay.vertices, &arcs)))
}

fn union_of_two(left: &Polygons, right: &Polygons) -> Polygons {
    let mut edges = polygon_edges(left, 0);
    edges.extend(polygon_edges(right, 1));
    let overlay = Overlay::new(&edges, true);
    let arcs = boundary(&overlay, |winding| winding[0] > 0 || winding[1] > 0);
    Polygons::from_loops(places(&overlay, loops(&overlay.vertices, &arcs)))
}

/// The union: again and again of the two with the fewest vertices; a union counts with the vertices of its
/// parts.
pub fn union(polygons: Vec<Polygons>) -> Polygons {
    if let [only] = polygons.as_slice()
        && only.0.len() > 1
    {
        return dissolved(only);
    }
    let mut queue: VecDeque<(usize, Polygons)> =
        polygons.into_iter().map(|polygon| (polygon.vertex_count(), polygon)).collect();
    queue.make_contiguous().sort_by_key(|(count, _)| *count);
    while let Some((count, left)) = queue.pop_front() {
        let Some((other, right)) = queue.pop_front() else {
            return left;
        };
        let count = count + other;
        let place = queue.partition_point(|(other, _)| *other <= count);
        queue.insert(place, (count, union_of_two(&left, &right)));
    }
    Polygons::default()
}

/// A multipolygon as polygons that do not overlap.
pub fn dissolved(polygons: &Polygons) -> Polygons {
    if polygons.0.len() < 2 {
        return polygons.clone();
    }
    union(polygons.0.iter().map(|rings| Polygons(vec![rings.clone()])).collect())
}

/// The vertices where both regions have edges and the result has none.
fn touching(overlay: &Overlay, used: impl Iterator<Item = usize>) -> Vec<Vector> {
    let mut met = vec![[false; 2]; overlay.vertices.len()];
    for piece in &overlay.pieces {
        for vertex in piece.vertices {
            met[vertex][0] |= piece.present[0];
            met[vertex][1] |= piece.present[1];
        }
    }
    used.for_each(|vertex| met[vertex] = [false; 2]);
    (0..met.len()).filter(|vertex| met[*vertex] == [true; 2]).map(|vertex| overlay.vertices[vertex]).collect()
}

fn intersection_of_polygons(left: &Polygons, right: &Polygons) -> Parts {
    let mut edges = polygon_edges(left, 0);
    edges.extend(polygon_edges(right, 1));
    let overlay = Overlay::new(&edges, true);
    let is_in = |winding: [i32; 2]| winding[0] > 0 && winding[1] > 0;
    let arcs = boundary(&overlay, is_in);
    let shared: Vec<Arc> = overlay
        .pieces
        .iter()
        .filter(|piece| piece.present == [true; 2] && !is_in(piece.left) && !is_in(piece.right()))
        .map(|piece| {
            let [from, to] = piece.vertices;
            let input = piece.input();
            if piece.weights[0] >= 0 { Arc { from, to, input } } else { Arc { from: to, to: from, input } }
        })
        .collect();
    let points = touching(&overlay, arcs.iter().chain(&shared).flat_map(|arc| [arc.from, arc.to]));
    Parts {
        points,
        lines: places(&overlay, paths(&shared)),
        polygons: Polygons::from_loops(places(&overlay, loops(&overlay.vertices, &arcs))),
    }
}

fn intersection_of_line_and_polygon(lines: &Lines, polygons: &Polygons) -> Parts {
    let mut edges: Vec<Edge> = line_edges(lines, 0).collect();
    let count = edges.len();
    edges.extend(polygon_edges(polygons, 1));
    let overlay = Overlay::new(&edges, false);
    let mut on_boundary = vec![false; overlay.vertices.len()];
    let mut shared = std::collections::HashSet::new();
    for piece in overlay.pieces.iter().filter(|piece| piece.present[1]) {
        piece.vertices.iter().for_each(|vertex| on_boundary[*vertex] = true);
        shared.insert(piece.vertices);
    }
    let mut kept: Vec<Vec<usize>> = Vec::new();
    let mut at_end = None;
    let mut inside = false;
    for chain in &overlay.chains[..count] {
        if at_end != chain.first().copied() {
            at_end = None;
        }
        for pair in chain.windows(2) {
            let (from, to) = (pair[0], pair[1]);
            if at_end.is_none() || on_boundary[from] {
                inside = shared.contains(&[from.min(to), from.max(to)])
                    || polygons.contain((overlay.vertices[from] + overlay.vertices[to]).unit());
            }
            at_end = Some(to);
            match kept.last_mut().filter(|path| path.last() == Some(&from)) {
                Some(path) if inside => path.push(to),
                _ if inside => kept.push(vec![from, to]),
                _ => {}
            }
        }
    }
    let points = touching(&overlay, kept.iter().flatten().copied());
    Parts { points, lines: places(&overlay, kept), polygons: Polygons(Vec::new()) }
}

/// Lines with what they have in common once.
pub fn union_of_lines(lines: &[Lines]) -> Lines {
    let edges: Vec<Edge> = lines.iter().flat_map(|lines| line_edges(lines, 0)).collect();
    let overlay = Overlay::new(&edges, false);
    let arcs: Vec<Arc> = overlay
        .pieces
        .iter()
        .map(|piece| {
            let [from, to] = piece.vertices;
            let input = piece.input();
            if piece.inputs[0] == Some(input) {
                Arc { from, to, input }
            } else {
                Arc { from: to, to: from, input }
            }
        })
        .collect();
    // Pieces of one edge stay in their order.
    let mut ordered: Vec<Arc> = Vec::with_capacity(arcs.len());
    let mut by_ends: std::collections::HashMap<(usize, usize), Arc> =
        arcs.iter().map(|arc| ((arc.from, arc.to), *arc)).collect();
    for pair in overlay.chains.iter().flat_map(|chain| chain.windows(2)) {
        ordered.extend(by_ends.remove(&(pair[0], pair[1])));
    }
    ordered.iter_mut().enumerate().for_each(|(at, arc)| arc.input = at);
    Lines(places(&overlay, paths(&ordered)))
}

/// What two lines have in common where they run along each other; `None` if they only cross.
pub fn shared_lines(left: &Lines, right: &Lines) -> Option<Parts> {
    let edges: Vec<Edge> = line_edges(left, 0).chain(line_edges(right, 1)).collect();
    let overlay = Overlay::new(&edges, false);
    let mut shared: Vec<Arc> = Vec::new();
    for piece in overlay.pieces.iter().filter(|piece| piece.present == [true; 2]) {
        let [from, to] = piece.vertices;
        let input = piece.input();
        let forward = piece.inputs[0] == Some(input);
        shared.push(if forward { Arc { from, to, input } } else { Arc { from: to, to: from, input } });
    }
    if shared.is_empty() {
        return None;
    }
    let points = touching(&overlay, shared.iter().flat_map(|arc| [arc.from, arc.to]));
    Some(Parts { points, lines: places(&overlay, paths(&shared)), polygons: Polygons(Vec::new()) })
}

/// A kernel over two shapes.
fn of_two<L, R>(
    call: &KernelCall<'_>,
    arguments: &[Datum],
    read_left: fn(DynamicRef<'_>) -> Option<L>,
    read_right: fn(DynamicRef<'_>) -> Option<R>,
    compute: fn(&L, &R) -> Parts,
) -> Result<ArrayRef> {
    let left = super::measure::Shapes::new(arguments, 0, read_left)?;
    let right = super::measure::Shapes::new(arguments, 1, read_right)?;
    Ok(dynamics(call.rows, |row, builder| {
        let parts = left.with(row, |left| right.with(row, |right| compute(left, right))).flatten();
        parts.iter().for_each(|parts| parts.write(builder));
        parts.is_some()
    }))
}

pub fn intersection_2polygons(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    of_two(call, arguments, Polygons::read, Polygons::read, intersection_of_polygons)
}

pub fn intersection_line_with_polygon(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    of_two(call, arguments, Lines::read, Polygons::read, intersection_of_line_and_polygon)
}

/// Shapes of an array; `None` if one is not valid or there is none.
pub fn read_array<T>(value: DynamicRef<'_>, read: fn(DynamicRef<'_>) -> Option<T>) -> Option<Vec<T>> {
    let shapes = value.iter_array().map(read).collect::<Option<Vec<_>>>()?;
    (!shapes.is_empty()).then_some(shapes)
}

/// A kernel over an array of shapes.
fn of_array<T>(
    call: &KernelCall<'_>,
    arguments: &[Datum],
    read: fn(DynamicRef<'_>) -> Option<T>,
    compute: impl Fn(Vec<T>, &mut DynamicBuilder) -> bool,
) -> Result<ArrayRef> {
    let arrays = Dynamics::new(argument(arguments, 0)?)?;
    Ok(dynamics(call.rows, |row, builder| match read_array(arrays.get(row), read) {
        Some(shapes) => compute(shapes, builder),
        None => false,
    }))
}

pub fn union_polygons_array(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    of_array(call, arguments, Polygons::read, |polygons, builder| union(polygons).write(builder))
}

pub fn union_lines_array(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    of_array(call, arguments, Lines::read, |lines, builder| union_of_lines(&lines).write(builder))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::sphere::point;
    use super::*;

    /// A star around a place: each corner in its own direction, at its own distance (degrees).
    fn star() -> impl Strategy<Value = Polygons> {
        let corners = proptest::collection::vec(0.2f64..1.0, 3..9);
        (-1.0f64..1.0, 59.0f64..61.0, corners).prop_map(|(longitude, latitude, corners)| {
            let count = corners.len() as f64;
            let corner = |(at, distance): (usize, f64)| {
                let (sine, cosine) = (at as f64 / count * std::f64::consts::TAU).sin_cos();
                point(longitude + distance * cosine, latitude + distance * sine).expect("on Earth")
            };
            Polygons(vec![vec![corners.into_iter().enumerate().map(corner).collect()]])
        })
    }

    proptest! {
        #[test]
        fn the_parts_of_two_polygons_add_up(left in star(), right in star()) {
            let joined = union(vec![left.clone(), right.clone()]).area();
            let common = intersection_of_polygons(&left, &right).polygons.area();
            let sum = left.area() + right.area();
            prop_assert!((joined + common - sum).abs() <= 1e-9 * sum, "{joined} + {common} != {sum}");
        }

        #[test]
        fn a_polygon_has_itself_in_common_with_itself(polygon in star()) {
            let parts = intersection_of_polygons(&polygon, &polygon);
            prop_assert!((parts.polygons.area() - polygon.area()).abs() <= 1e-12);
            prop_assert!(parts.points.is_empty() && parts.lines.is_empty());
            prop_assert_eq!(union(vec![polygon.clone(), polygon.clone()]), polygon);
        }

        #[test]
        fn growing_holds_what_grows(polygon in star(), radius in 1.0f64..100_000.0) {
            let grown = super::super::buffer::grow_polygon(&polygon, radius, radius / 20.0).expect("grown");
            prop_assert!(grown.area() > polygon.area());
            let rest = intersection_of_polygons(&polygon, &grown).polygons.area();
            prop_assert!((rest - polygon.area()).abs() <= 1e-9 * polygon.area());
            prop_assert!(polygon.edges().all(|(from, _)| grown.contain(from)));
        }
    }
}
