//! Chains of edges with fewer vertices, in the way of the S2 library's builder: vertices closer than the
//! tolerance to an earlier one (along the cells' curve) fall on it, edges follow the vertices they pass
//! nearest to, and chains of edges become one where they stay within the tolerance of all their points.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::f64::consts::{FRAC_PI_2, PI};

use arrow_array::ArrayRef;

use super::boolean::{dissolved, read_array, union_of_lines};
use super::measure::Shapes;
use super::overlay::{Arc, direction, loops, normal};
use super::s2cell;
use super::shape::{Lines, Polygons};
use super::sphere::{EARTH_RADIUS, Vector, closest_on_edge};
use crate::engine::error::Result;
use crate::engine::kernel::access::{Dynamics, Reals, argument, dynamics};
use crate::engine::kernel::{Datum, KernelCall};

/// Meters, unless the query says otherwise.
const DEFAULT_TOLERANCE: f64 = 10.0;

/// Radians: the largest tolerance (70 degrees).
const MAX_TOLERANCE: f64 = 70.0 * PI / 180.0;

/// Shares of the tolerance: how far an edge may stray, and how near it may come to a vertex not its own.
const DEVIATION: f64 = 1.1;
const SEPARATION: f64 = 0.5;

/// Points ordered so that those near a place are found.
#[derive(Default)]
struct Sites {
    points: Vec<Vector>,
    by_x: BTreeMap<u64, Vec<usize>>,
}

/// Keeps the order of finite numbers.
fn sortable(x: f64) -> u64 {
    let bits = (x + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

impl Sites {
    fn push(&mut self, point: Vector) {
        self.by_x.entry(sortable(point.x)).or_default().push(self.points.len());
        self.points.push(point);
    }

    /// Sites whose x lies in a range.
    fn within(&self, low: f64, high: f64) -> impl Iterator<Item = usize> + '_ {
        self.by_x.range(sortable(low)..=sortable(high)).flat_map(|(_, sites)| sites.iter().copied())
    }

    fn near_edge(&self, a: Vector, b: Vector, radius: f64) -> Vec<usize> {
        let reach = radius + 0.5 * (a - b).dot(a - b) + 1e-15;
        self.within(a.x.min(b.x) - reach, a.x.max(b.x) + reach)
            .filter(|site| closest_on_edge(self.points[*site], a, b).angle(self.points[*site]) <= radius)
            .collect()
    }

    fn nearest(&self, point: Vector, among: &[usize]) -> Option<usize> {
        among.iter().copied().min_by(|left, right| {
            let away = |site: usize| (self.points[site] - point).length();
            away(*left).total_cmp(&away(*right)).then(left.cmp(right))
        })
    }

    /// The sites an edge passes nearest to, in order.
    fn along(&self, a: Vector, b: Vector, radius: f64) -> Vec<usize> {
        let near = self.near_edge(a, b, radius);
        let (Some(first), Some(last)) = (self.nearest(a, &near), self.nearest(b, &near)) else {
            return Vec::new();
        };
        let tangent = normal(a, b).cross(a).unit();
        let length = a.angle(b);
        let (mut chain, mut angle) = (vec![first], 0.0);
        while chain.len() <= near.len() {
            let current = chain[chain.len() - 1];
            if current == last {
                break;
            }
            // Where each other site begins to be nearer than this one.
            let next = near
                .iter()
                .filter(|site| !chain.contains(site))
                .filter_map(|site| {
                    let difference = self.points[*site] - self.points[current];
                    let (along, rise) = (difference.dot(a), difference.dot(tangent));
                    let meets = (-along).atan2(rise);
                    (meets >= angle && meets <= length).then_some((meets, *site))
                })
                .min_by(|left, right| left.0.total_cmp(&right.0));
            let Some((meets, site)) = next else { break };
            angle = meets;
            chain.push(site);
        }
        if chain.last() != Some(&last) {
            chain.push(last);
        }
        chain
    }
}

/// A range of directions: a start, and how far it goes on counterclockwise.
#[derive(Clone, Copy)]
struct Window {
    from: f64,
    width: f64,
}

impl Window {
    fn around(center: f64, half: f64) -> Window {
        Window { from: center - half, width: 2.0 * half }
    }

    fn to(self) -> f64 {
        self.from + self.width
    }

    fn contains(self, direction: f64) -> bool {
        (direction - self.from).rem_euclid(2.0 * PI) <= self.width
    }

    fn intersection(self, other: Window) -> Option<Window> {
        let between = |from: f64, to: f64| Window { from, width: (to - from).rem_euclid(2.0 * PI) };
        match (self.contains(other.from), self.contains(other.to())) {
            (true, true) if other.width <= self.width => Some(other),
            (true, true) => Some(self),
            (true, false) => Some(between(other.from, self.to())),
            (false, true) => Some(between(self.from, other.to())),
            (false, false) => other.contains(self.from).then_some(self),
        }
    }

    fn without(self, hidden: Window, on_left: bool) -> Option<Window> {
        let holds = self.contains(hidden.from) && self.contains(hidden.to()) && hidden.width <= self.width;
        if holds {
            let (from, to) = if on_left { (self.from, hidden.from) } else { (hidden.to(), self.to()) };
            return Some(Window { from, width: (to - from).rem_euclid(2.0 * PI) });
        }
        self.intersection(Window { from: hidden.to(), width: 2.0 * PI - hidden.width })
    }
}

/// The directions in which one edge from a vertex may replace a chain.
struct Aim {
    from: Vector,
    window: Option<Window>,
    later: Vec<(Window, bool)>,
}

impl Aim {
    fn half_width(&self, point: Vector, radius: f64) -> f64 {
        let away = self.from.angle(point);
        if away <= radius { PI } else { (radius.sin() / away.sin()).clamp(-1.0, 1.0).asin() }
    }

    /// The edge must come within the radius of the point.
    fn target(&mut self, point: Vector, radius: f64) -> bool {
        let half = self.half_width(point, radius);
        if half >= PI {
            return true;
        }
        let aimed = Window::around(direction(self.from, point), half);
        let mut window = match self.window {
            None => Some(aimed),
            Some(window) => window.intersection(aimed),
        };
        for (hidden, on_left) in self.later.drain(..) {
            window = window.and_then(|window| window.without(hidden, on_left));
        }
        self.window = window;
        window.is_some()
    }

    /// The edge must stay away from the point, which lies on that side.
    fn avoid(&mut self, point: Vector, radius: f64, on_left: bool) -> bool {
        let half = self.half_width(point, radius);
        if half >= PI {
            return false;
        }
        let center = direction(self.from, point);
        let (left, right) = if on_left { (FRAC_PI_2, half) } else { (half, FRAC_PI_2) };
        let hidden = Window { from: center - right, width: left + right };
        match self.window {
            None => {
                self.later.push((hidden, on_left));
                true
            }
            Some(window) => match window.without(hidden, on_left) {
                Some(window) => {
                    self.window = Some(window);
                    true
                }
                None => false,
            },
        }
    }

    fn reaches(&self, point: Vector) -> bool {
        let way = direction(self.from, point);
        self.from.angle(point) <= FRAC_PI_2
            && self.window.is_none_or(|window| window.contains(way))
            && self.later.iter().all(|(hidden, _)| !hidden.contains(way))
    }
}

/// A chain of points; a closed one goes back to its first.
struct Chain {
    points: Vec<Vector>,
    closed: bool,
}

/// A chain of sites, each but the last with the first input edge of the edge it begins.
type Snapped = Vec<(usize, usize)>;

struct Builder {
    tolerance: f64,
    sites: Sites,
    /// The input points at each site.
    inputs: Vec<Vec<Vector>>,
    /// An input edge that became the edge of two sites.
    origin: HashMap<(usize, usize), (Vector, Vector)>,
}

impl Builder {
    /// The chains of each layer on common sites.
    fn simplify(layers: &[Vec<Chain>], tolerance: f64) -> (Vec<Vector>, Vec<Vec<Snapped>>) {
        let mut points: Vec<(u64, Vector)> = layers
            .iter()
            .flatten()
            .flat_map(|chain| chain.points.iter().map(|point| (s2cell::leaf(*point), *point)))
            .collect();
        points.sort_by_key(|(cell, _)| *cell);
        let mut builder =
            Builder { tolerance, sites: Sites::default(), inputs: Vec::new(), origin: HashMap::new() };
        for (_, point) in &points {
            if builder.sites.near_edge(*point, *point, tolerance).is_empty() {
                builder.sites.push(*point);
            }
        }
        builder.inputs = vec![Vec::new(); builder.sites.points.len()];
        let mut input = 0;
        let mut snapped: Vec<Vec<Snapped>> = layers
            .iter()
            .map(|layer| layer.iter().map(|chain| builder.snap(chain, &mut input)).collect())
            .collect();
        let removed = builder.needless(&snapped);
        for chain in snapped.iter_mut().flatten() {
            *chain = without(chain, &removed);
        }
        (builder.sites.points, snapped)
    }

    fn snap(&mut self, chain: &Chain, input: &mut usize) -> Snapped {
        let count = chain.points.len();
        let edges = if chain.closed { count } else { count.saturating_sub(1) };
        let mut out: Snapped = Vec::new();
        for at in 0..edges {
            let (a, b) = (chain.points[at], chain.points[(at + 1) % count]);
            let sites = self.sites.along(a, b, self.tolerance);
            if let Some(first) = sites.first() {
                self.inputs[*first].push(a);
            }
            if let Some(last) = sites.last().filter(|_| !chain.closed && at + 1 == edges) {
                self.inputs[*last].push(b);
            }
            for pair in sites.windows(2) {
                out.push((pair[0], *input));
                self.origin.entry((pair[0].min(pair[1]), pair[0].max(pair[1]))).or_insert((a, b));
            }
            *input += 1;
            if at + 1 == edges && !out.is_empty() {
                out.extend(sites.last().map(|last| (*last, *input)));
            }
        }
        out
    }

    /// Sites inside chains that one edge can leave out.
    fn needless(&self, layers: &[Vec<Snapped>]) -> HashSet<usize> {
        let mut edges: Vec<(usize, usize)> = Vec::new();
        let mut neighbors: HashMap<usize, Vec<usize>> = HashMap::new();
        let mut uneven: HashSet<usize> = HashSet::new();
        for layer in layers {
            // Per layer what comes from one neighbor must go on to the other.
            let mut balance: HashMap<(usize, usize), i64> = HashMap::new();
            for pair in layer.iter().flat_map(|chain| chain.windows(2)) {
                let (from, to) = (pair[0].0, pair[1].0);
                edges.push((from, to));
                neighbors.entry(from).or_default().push(to);
                neighbors.entry(to).or_default().push(from);
                *balance.entry((from, to)).or_default() += 1;
                *balance.entry((to, from)).or_default() += 0;
            }
            for (vertex, neighbor) in balance.keys() {
                let arriving = balance.get(&(*neighbor, *vertex)).copied().unwrap_or(0);
                let others: HashSet<usize> =
                    neighbors[vertex].iter().copied().filter(|other| other != neighbor).collect();
                let onward: i64 =
                    others.iter().map(|other| balance.get(&(*vertex, *other)).copied().unwrap_or(0)).sum();
                if arriving != onward {
                    uneven.insert(*vertex);
                }
            }
        }
        for around in neighbors.values_mut() {
            around.sort_unstable();
            around.dedup();
        }
        let inner = |site: usize| {
            neighbors.get(&site).is_some_and(|around| around.len() == 2) && !uneven.contains(&site)
        };
        edges.sort_unstable();
        edges.dedup();
        let mut walked: HashSet<(usize, usize)> = HashSet::new();
        let mut removed = HashSet::new();
        let starts: Vec<(usize, usize)> =
            edges.iter().copied().filter(|(from, _)| !inner(*from)).chain(edges.iter().copied()).collect();
        for (from, to) in starts {
            if walked.contains(&(from.min(to), from.max(to))) {
                continue;
            }
            let mut chain = vec![from, to];
            while inner(chain[chain.len() - 1]) && chain[chain.len() - 1] != from {
                let (before, at) = (chain[chain.len() - 2], chain[chain.len() - 1]);
                let Some(next) = neighbors[&at].iter().copied().find(|next| *next != before) else { break };
                chain.push(next);
            }
            for pair in chain.windows(2) {
                walked.insert((pair[0].min(pair[1]), pair[0].max(pair[1])));
            }
            self.thin_out(&chain, &mut removed);
        }
        removed
    }

    /// Leaves out what it can of a chain whose inner sites have no other edges.
    fn thin_out(&self, chain: &[usize], removed: &mut HashSet<usize>) {
        let points = &self.sites.points;
        let mut start = 0;
        while start + 1 < chain.len() {
            let mut aim = Aim { from: points[chain[start]], window: None, later: Vec::new() };
            let mut used = HashSet::from([chain[start], chain[start + 1]]);
            let mut end = start + 1;
            let mut may_go_on = self.avoid(chain[start], chain[start], chain[end], &mut used, &mut aim);
            while may_go_on && end + 1 < chain.len() {
                used.insert(chain[end + 1]);
                may_go_on = self.inputs[chain[end]].iter().all(|input| aim.target(*input, self.tolerance))
                    && self.avoid(chain[start], chain[end], chain[end + 1], &mut used, &mut aim)
                    && aim.reaches(points[chain[end + 1]]);
                if may_go_on {
                    end += 1;
                }
            }
            removed.extend(&chain[start + 1..end]);
            start = end;
        }
    }

    /// Keeps an edge from a start away from the sites beside the edge from `before` to `next`.
    fn avoid(
        &self,
        start: usize,
        before: usize,
        next: usize,
        used: &mut HashSet<usize>,
        aim: &mut Aim,
    ) -> bool {
        let points = &self.sites.points;
        let (p0, p1, p2) = (points[start], points[before], points[next]);
        let reach = p0.angle(p2);
        let longest = 2.0 * (self.tolerance.sin() / (DEVIATION * self.tolerance).sin()).min(1.0).acos();
        if reach < p0.angle(p1) || reach >= longest {
            return false;
        }
        let Some((a, b)) = self.origin.get(&(before.min(next), before.max(next))).copied() else {
            return true;
        };
        for site in self.sites.near_edge(a, b, (DEVIATION + SEPARATION) * self.tolerance) {
            let point = points[site];
            if p0.angle(point) >= reach || !used.insert(site) {
                continue;
            }
            let on_left = if before == start {
                normal(p1, p2).dot(point) > 0.0
            } else {
                let turn = |point: Vector| (direction(p0, point) - direction(p0, p2)).rem_euclid(2.0 * PI);
                turn(point) <= turn(p1)
            };
            if !aim.avoid(point, SEPARATION * self.tolerance, on_left) {
                return false;
            }
        }
        true
    }
}

/// The chain without some sites; an edge keeps the first of the inputs that it replaces.
fn without(chain: &[(usize, usize)], removed: &HashSet<usize>) -> Snapped {
    let is_closed = chain.len() > 2 && chain.first().map(|first| first.0) == chain.last().map(|last| last.0);
    let mut out: Snapped = chain.iter().copied().filter(|(site, _)| !removed.contains(site)).collect();
    // A closed chain that begins at a site that is left out goes around over it.
    if is_closed && chain.first().is_some_and(|(site, _)| removed.contains(site)) {
        let first = out.first().copied();
        let lowest = chain.first().map_or(0, |(_, input)| *input);
        if let Some(last) = out.last_mut() {
            last.1 = last.1.min(lowest);
        }
        out.extend(first);
    }
    out
}

/// Radians of a tolerance in meters; `None` if it is out of range.
fn radians(tolerance: f64) -> Option<f64> {
    let radians = tolerance / EARTH_RADIUS;
    (0.0..=MAX_TOLERANCE).contains(&radians).then_some(radians)
}

fn simplified_lines(lines: &Lines, tolerance: f64) -> Lines {
    let lines = if lines.0.len() > 1 { union_of_lines(std::slice::from_ref(lines)) } else { lines.clone() };
    let layer = lines.0.into_iter().map(|points| Chain { points, closed: false }).collect();
    let (sites, layers) = Builder::simplify(&[layer], tolerance);
    let read = |chain: Snapped| -> Vec<Vector> { chain.iter().map(|(site, _)| sites[*site]).collect() };
    Lines(layers.into_iter().flatten().map(read).filter(|line| line.len() > 1).collect())
}

/// Polygons on common sites, so that borders that they share stay shared.
fn simplified_polygons(polygons: &[Polygons], tolerance: f64) -> Vec<Polygons> {
    let layers: Vec<Vec<Chain>> = polygons
        .iter()
        .map(|polygon| polygon.oriented().into_iter().map(|points| Chain { points, closed: true }).collect())
        .collect();
    let (sites, layers) = Builder::simplify(&layers, tolerance);
    let read = |layer: Vec<Snapped>| -> Polygons {
        let mut edges: Vec<Arc> = Vec::new();
        let mut seen: HashMap<(usize, usize), i32> = HashMap::new();
        for pair in layer.iter().flat_map(|chain| chain.windows(2)) {
            let arc = Arc { from: pair[0].0, to: pair[1].0, input: pair[0].1 };
            if arc.from != arc.to {
                *seen.entry((arc.from, arc.to)).or_default() += 1;
                edges.push(arc);
            }
        }
        // Edges there and back cancel each other; others count once.
        let mut kept = HashSet::new();
        edges.retain(|arc| {
            let back = seen.get(&(arc.to, arc.from)).copied().unwrap_or(0);
            seen[&(arc.from, arc.to)] > back && kept.insert((arc.from, arc.to))
        });
        let rings = loops(&sites, &edges)
            .into_iter()
            .map(|ring| ring.into_iter().map(|site| sites[site]).collect())
            .collect();
        Polygons::from_loops(rings)
    };
    layers.into_iter().map(read).collect()
}

fn tolerances(arguments: &[Datum]) -> Result<Option<Reals<'_>>> {
    arguments.get(1).map(Reals::new).transpose()
}

fn tolerance_of(tolerances: &Option<Reals<'_>>, row: usize) -> Option<f64> {
    radians(tolerances.as_ref().map_or(Some(DEFAULT_TOLERANCE), |given| given.get(row))?)
}

pub fn line(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let lines = Shapes::new(arguments, 0, Lines::read)?;
    let tolerances = tolerances(arguments)?;
    Ok(dynamics(call.rows, |row, builder| {
        let found = tolerance_of(&tolerances, row)
            .and_then(|tolerance| lines.with(row, |line| simplified_lines(line, tolerance)));
        found.is_some_and(|found| found.write(builder))
    }))
}

pub fn polygon(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let polygons = Shapes::new(arguments, 0, Polygons::read)?;
    let tolerances = tolerances(arguments)?;
    Ok(dynamics(call.rows, |row, builder| {
        let found = tolerance_of(&tolerances, row).and_then(|tolerance| {
            polygons.with(row, |polygon| simplified_polygons(&[dissolved(polygon)], tolerance))
        });
        found.into_iter().flatten().next().is_some_and(|found| found.write(builder))
    }))
}

pub fn polygons_array(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let arrays = Dynamics::new(argument(arguments, 0)?)?;
    let tolerances = tolerances(arguments)?;
    Ok(dynamics(call.rows, |row, builder| {
        let Some(tolerance) = tolerance_of(&tolerances, row) else { return false };
        let Some(polygons) = read_array(arrays.get(row), Polygons::read) else { return false };
        let polygons: Vec<Polygons> = polygons.iter().map(dissolved).collect();
        let parts = simplified_polygons(&polygons, tolerance);
        Polygons(parts.into_iter().flat_map(|part| part.0).collect()).write(builder)
    }))
}
