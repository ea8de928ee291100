//! Edges of up to two regions laid over each other: edges are split where they meet, vertices that are
//! nearly equal become one, and every piece learns how often each region winds around its two sides.
//!
//! It knows neither GeoJSON nor what a result is made of: see `boolean` and `buffer`.

use std::collections::{HashMap, VecDeque};
use std::f64::consts::PI;

use super::sphere::Vector;

/// Radians within which vertices are one, and a vertex lies on an edge (a tenth of a micrometer on Earth).
pub const NEAR: f64 = 1e-14;

/// An edge of the input; its place in the input says where results begin.
#[derive(Clone, Copy, Debug)]
pub struct Edge {
    pub from: Vector,
    pub to: Vector,
    /// 0 or 1.
    pub region: usize,
}

/// A piece between two vertices, whatever edges it stems from.
#[derive(Clone, Debug)]
pub struct Piece {
    pub vertices: [usize; 2],
    /// By region: how many edges run forward less how many run backward.
    pub weights: [i32; 2],
    /// By region: whether any edge runs here.
    pub present: [bool; 2],
    /// The first input edge that runs forward, and backward.
    pub inputs: [Option<usize>; 2],
    /// How often each region winds around the left side; around the right: that less the weight.
    pub left: [i32; 2],
}

impl Piece {
    pub fn right(&self) -> [i32; 2] {
        [self.left[0] - self.weights[0], self.left[1] - self.weights[1]]
    }

    /// The first input edge of the piece.
    pub fn input(&self) -> usize {
        self.inputs.iter().flatten().min().copied().unwrap_or(usize::MAX)
    }
}

/// The pieces of all edges.
#[derive(Clone, Debug)]
pub struct Overlay {
    pub vertices: Vec<Vector>,
    pub pieces: Vec<Piece>,
    /// The vertices along each input edge.
    pub chains: Vec<Vec<usize>>,
}

/// The normal of the plane of an edge, accurate for short ones; not of unit length.
pub fn normal(a: Vector, b: Vector) -> Vector {
    (a - b).cross(a + b)
}

/// On which side of the edge the point is, as its distance from the great circle: positive on the left.
fn side(normal: Vector, point: Vector) -> f64 {
    normal.dot(point)
}

fn distance(a: Vector, b: Vector) -> f64 {
    (a - b).length()
}

/// The first of the vertices that is near, for each.
fn merged(points: &[Vector]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by(|left, right| points[*left].x.total_cmp(&points[*right].x));
    let mut first: Vec<usize> = (0..points.len()).collect();
    for (at, &index) in order.iter().enumerate() {
        for &other in order[..at].iter().rev() {
            if points[index].x - points[other].x > NEAR {
                break;
            }
            if distance(points[index], points[other]) <= NEAR {
                let low = first[index].min(first[other]);
                first[index] = low;
                first[other] = low;
            }
        }
    }
    for index in 0..first.len() {
        let mut at = index;
        while first[at] != at {
            at = first[at];
        }
        first[index] = at;
    }
    first
}

/// Pairs of edges whose boxes in space overlap.
pub fn near_pairs(edges: &[(Vector, Vector)], mut visit: impl FnMut(usize, usize)) {
    struct Extent {
        low: Vector,
        high: Vector,
        edge: usize,
    }
    let mut extents: Vec<Extent> = edges
        .iter()
        .enumerate()
        .map(|(edge, (a, b))| {
            // An arc bulges beyond its chord.
            let bulge = 0.5 * distance(*a, *b).powi(2) + NEAR;
            let low = Vector::new(a.x.min(b.x) - bulge, a.y.min(b.y) - bulge, a.z.min(b.z) - bulge);
            let high = Vector::new(a.x.max(b.x) + bulge, a.y.max(b.y) + bulge, a.z.max(b.z) + bulge);
            Extent { low, high, edge }
        })
        .collect();
    extents.sort_by(|left, right| left.low.x.total_cmp(&right.low.x));
    let mut active: Vec<usize> = Vec::new();
    for (at, extent) in extents.iter().enumerate() {
        active.retain(|other| extents[*other].high.x >= extent.low.x);
        for other in active.iter().map(|other| &extents[*other]) {
            if other.low.y <= extent.high.y
                && extent.low.y <= other.high.y
                && other.low.z <= extent.high.z
                && extent.low.z <= other.high.z
            {
                visit(extent.edge, other.edge);
            }
        }
        active.push(at);
    }
}

/// Whether the edges cross at a point inside both, and where.
pub fn crossing((a, b): (Vector, Vector), (c, d): (Vector, Vector)) -> Option<Vector> {
    let (first, second) = (normal(a, b).unit(), normal(c, d).unit());
    let (sc, sd, sa, sb) = (side(first, c), side(first, d), side(second, a), side(second, b));
    if sc * sd >= 0.0 || sa * sb >= 0.0 {
        return None;
    }
    let found = first.cross(second).unit();
    let found = if found.dot(a + b) < 0.0 { -found } else { found };
    (found.dot(c + d) > 0.0 && found != Vector::ZERO).then_some(found)
}

/// Whether the point lies on the edge, away from its ends.
pub fn lies_inside((a, b): (Vector, Vector), point: Vector) -> bool {
    if distance(a, point) <= NEAR || distance(b, point) <= NEAR {
        return false;
    }
    let normal = normal(a, b).unit();
    side(normal, point).abs() <= NEAR && a.cross(point).dot(normal) > 0.0 && point.cross(b).dot(normal) > 0.0
}

impl Overlay {
    /// Splits and merges edges; `closed` regions have sides, lines have none.
    pub fn new(edges: &[Edge], closed: bool) -> Overlay {
        let ends: Vec<Vector> = edges.iter().flat_map(|edge| [edge.from, edge.to]).collect();
        let first = merged(&ends);
        let mut points: Vec<Vector> = first.iter().map(|index| ends[*index]).collect();
        let spans: Vec<(Vector, Vector)> =
            (0..edges.len()).map(|edge| (points[2 * edge], points[2 * edge + 1])).collect();
        // Points of each edge besides its ends, by their index among `points`.
        let mut inner: Vec<Vec<usize>> = vec![Vec::new(); edges.len()];
        near_pairs(&spans, |left, right| {
            let (one, other) = (spans[left], spans[right]);
            let mut touched = false;
            for (edge, span, end) in [
                (left, one, 2 * right),
                (left, one, 2 * right + 1),
                (right, other, 2 * left),
                (right, other, 2 * left + 1),
            ] {
                if lies_inside(span, ends[first[end]]) {
                    inner[edge].push(end);
                    touched = true;
                }
            }
            let meets = |a: Vector, b: Vector| distance(a, b) <= NEAR;
            let joined = meets(one.0, other.0)
                || meets(one.0, other.1)
                || meets(one.1, other.0)
                || meets(one.1, other.1);
            if !touched
                && !joined
                && let Some(point) = crossing(one, other)
            {
                inner[left].push(points.len());
                inner[right].push(points.len());
                points.push(point);
            }
        });
        let same = merged(&points);
        let mut vertices = Vec::new();
        let mut number: HashMap<usize, usize> = HashMap::new();
        let mut vertex = |point: usize| {
            *number.entry(same[point]).or_insert_with(|| {
                vertices.push(points[same[point]]);
                vertices.len() - 1
            })
        };
        let chains: Vec<Vec<usize>> = inner
            .iter_mut()
            .enumerate()
            .map(|(edge, inner)| {
                let start = points[2 * edge];
                inner.sort_by(|left, right| {
                    distance(start, points[*left]).total_cmp(&distance(start, points[*right]))
                });
                let mut chain: Vec<usize> = std::iter::once(2 * edge)
                    .chain(inner.iter().copied())
                    .chain([2 * edge + 1])
                    .map(&mut vertex)
                    .collect();
                chain.dedup();
                chain
            })
            .collect();
        let mut pieces: Vec<Piece> = Vec::new();
        let mut known: HashMap<[usize; 2], usize> = HashMap::new();
        for (input, (edge, chain)) in edges.iter().zip(&chains).enumerate() {
            for pair in chain.windows(2) {
                let forward = pair[0] < pair[1];
                let ends = if forward { [pair[0], pair[1]] } else { [pair[1], pair[0]] };
                let at = *known.entry(ends).or_insert_with(|| {
                    pieces.push(Piece {
                        vertices: ends,
                        weights: [0; 2],
                        present: [false; 2],
                        inputs: [None; 2],
                        left: [0; 2],
                    });
                    pieces.len() - 1
                });
                let piece = &mut pieces[at];
                piece.weights[edge.region] += if forward { 1 } else { -1 };
                piece.present[edge.region] = true;
                let place = &mut piece.inputs[usize::from(!forward)];
                *place = place.or(Some(input));
            }
        }
        let mut overlay = Overlay { vertices, pieces, chains };
        if closed {
            overlay.wind();
        }
        overlay
    }

    /// The half edges around each vertex, counterclockwise: `2 * piece` runs forward, `2 * piece + 1` backward.
    fn spokes(&self) -> Vec<Vec<usize>> {
        let mut spokes: Vec<Vec<usize>> = vec![Vec::new(); self.vertices.len()];
        for (at, piece) in self.pieces.iter().enumerate() {
            spokes[piece.vertices[0]].push(2 * at);
            spokes[piece.vertices[1]].push(2 * at + 1);
        }
        for (vertex, spokes) in spokes.iter_mut().enumerate() {
            if spokes.len() > 1 {
                let from = self.vertices[vertex];
                spokes.sort_by(|left, right| {
                    direction(from, self.vertices[self.head(*left)])
                        .total_cmp(&direction(from, self.vertices[self.head(*right)]))
                });
            }
        }
        spokes
    }

    /// Where a half edge ends.
    fn head(&self, half: usize) -> usize {
        self.pieces[half / 2].vertices[1 - half % 2]
    }

    /// Fills in how often the regions wind around the sides of every piece.
    fn wind(&mut self) {
        let spokes = self.spokes();
        let mut place = vec![0usize; 2 * self.pieces.len()];
        for around in &spokes {
            for (at, half) in around.iter().enumerate() {
                place[*half] = at;
            }
        }
        let mut known: Vec<Option<[i32; 2]>> = vec![None; 2 * self.pieces.len()];
        let mut queue = VecDeque::new();
        for seed in 0..self.pieces.len() {
            if known[2 * seed].is_some() {
                continue;
            }
            known[2 * seed] = Some(self.winding_left_of(seed));
            queue.push_back(2 * seed);
            while let Some(half) = queue.pop_front() {
                let left = known[half].unwrap_or_default();
                let weights = self.pieces[half / 2].weights;
                let sign = if half % 2 == 0 { 1 } else { -1 };
                let twin = half ^ 1;
                // The face on the left goes on with the half edge that is next clockwise from the twin.
                let around = &spokes[self.head(half)];
                let next = around[(place[twin] + around.len() - 1) % around.len()];
                let right = [left[0] - sign * weights[0], left[1] - sign * weights[1]];
                for (other, value) in [(twin, right), (next, left)] {
                    if known[other].is_none() {
                        known[other] = Some(value);
                        queue.push_back(other);
                    }
                }
            }
        }
        for (at, piece) in self.pieces.iter_mut().enumerate() {
            piece.left = known[2 * at].unwrap_or_default();
        }
    }

    /// How often the regions wind around a point just left of a piece, against its antipode.
    fn winding_left_of(&self, seed: usize) -> [i32; 2] {
        let [from, to] = self.pieces[seed].vertices;
        let middle = (self.vertices[from] + self.vertices[to]).unit();
        let mut turned = [0.0; 2];
        for (at, piece) in self.pieces.iter().enumerate() {
            if piece.weights == [0, 0] {
                continue;
            }
            let angle = if at == seed {
                PI
            } else {
                seen_angle(middle, self.vertices[piece.vertices[0]], self.vertices[piece.vertices[1]])
            };
            for (turned, weight) in turned.iter_mut().zip(piece.weights) {
                *turned += angle * f64::from(weight);
            }
        }
        turned.map(|turned| (turned / (2.0 * PI)).round() as i32)
    }
}

/// The direction in which one sees a point, counterclockwise from an arbitrary one.
pub fn direction(from: Vector, to: Vector) -> f64 {
    let axis = if from.x.abs() < 0.6 { Vector::new(1.0, 0.0, 0.0) } else { Vector::new(0.0, 1.0, 0.0) };
    let across = from.cross(axis).unit();
    let ahead = across.cross(from);
    let way = to - from;
    way.dot(across).atan2(way.dot(ahead))
}

/// The angle through which one turns, looking from a point, along an edge.
pub fn seen_angle(from: Vector, a: Vector, b: Vector) -> f64 {
    let (a, b) = (from.cross(a - from), from.cross(b - from));
    a.cross(b).dot(from).atan2(a.dot(b))
}

/// A directed edge of a result, with the place of its input.
#[derive(Clone, Copy, Debug)]
pub struct Arc {
    pub from: usize,
    pub to: usize,
    pub input: usize,
}

/// Joins edges into simple loops, with the region on their left: at each vertex the sharpest left turn. Each
/// loop begins after its last input edge, and loops come in the order of their first edges.
pub fn loops(vertices: &[Vector], arcs: &[Arc]) -> Vec<Vec<usize>> {
    let mut outgoing: HashMap<usize, Vec<usize>> = HashMap::new();
    for (at, arc) in arcs.iter().enumerate() {
        outgoing.entry(arc.from).or_default().push(at);
    }
    let mut used = vec![false; arcs.len()];
    let mut found: Vec<Vec<usize>> = Vec::new();
    for start in 0..arcs.len() {
        let mut path: Vec<usize> = Vec::new();
        let mut places: HashMap<usize, usize> = HashMap::new();
        let mut current = Some(start).filter(|start| !used[*start]);
        while let Some(arc) = current {
            used[arc] = true;
            places.insert(arcs[arc].from, path.len());
            path.push(arc);
            let to = arcs[arc].to;
            if let Some(begin) = places.get(&to).copied() {
                let ring: Vec<usize> = path.drain(begin..).collect();
                ring.iter().for_each(|arc| {
                    places.remove(&arcs[*arc].from);
                });
                found.push(ring);
            }
            if path.is_empty() {
                break;
            }
            let back = direction(vertices[to], vertices[arcs[arc].from]);
            current = outgoing.get(&to).and_then(|choices| {
                choices.iter().copied().filter(|choice| !used[*choice]).min_by(|left, right| {
                    let turn = |choice: usize| {
                        let angle = back - direction(vertices[to], vertices[arcs[choice].to]);
                        if angle <= 0.0 { angle + 2.0 * PI } else { angle }
                    };
                    turn(*left).total_cmp(&turn(*right))
                })
            });
        }
    }
    for ring in &mut found {
        let highest = ring.iter().map(|arc| arcs[*arc].input).max().unwrap_or(0);
        let count = ring.len();
        // The last of a run of pieces of that edge.
        let last = (0..count)
            .find(|at| arcs[ring[*at]].input == highest && arcs[ring[(at + 1) % count]].input != highest)
            .unwrap_or(count - 1);
        ring.rotate_left((last + 1) % count);
    }
    found.sort_by_key(|ring| ring.first().map_or(0, |arc| arcs[*arc].input));
    found.into_iter().map(|ring| ring.into_iter().map(|arc| arcs[arc].from).collect()).collect()
}

/// Joins edges into paths as long as they can be without a branch, in the order of their first edges.
pub fn paths(arcs: &[Arc]) -> Vec<Vec<usize>> {
    let mut incoming: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut outgoing: HashMap<usize, Vec<usize>> = HashMap::new();
    for (at, arc) in arcs.iter().enumerate() {
        outgoing.entry(arc.from).or_default().push(at);
        incoming.entry(arc.to).or_default().push(at);
    }
    let passes = |vertex: usize| {
        incoming.get(&vertex).map_or(0, Vec::len) == 1 && outgoing.get(&vertex).map_or(0, Vec::len) == 1
    };
    let mut used = vec![false; arcs.len()];
    let mut found: Vec<(usize, Vec<usize>)> = Vec::new();
    let starts = (0..arcs.len()).filter(|arc| !passes(arcs[*arc].from)).chain(0..arcs.len());
    for start in starts {
        if used[start] {
            continue;
        }
        let mut path = vec![arcs[start].from];
        let mut next = Some(start);
        while let Some(arc) = next.filter(|arc| !used[*arc]) {
            used[arc] = true;
            path.push(arcs[arc].to);
            next = if passes(arcs[arc].to) { outgoing[&arcs[arc].to].first().copied() } else { None };
        }
        found.push((arcs[start].input, path));
    }
    found.sort_by_key(|(input, _)| *input);
    found.into_iter().map(|(_, path)| path).collect()
}
