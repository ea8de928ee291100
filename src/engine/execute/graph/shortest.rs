//! `graph-shortest-paths`: for each start node the shortest matches to each node the pattern can end at.
//!
//! Breadth first over places in the pattern: (hop, edges taken for it, node). A place that is reached again
//! later is left alone; one that is reached again at the same distance remembers that way, too, so that all
//! shortest paths can be read backwards. Where what is found breaks a rule that hangs on the whole path
//! (an edge twice, conditions about the path), lengths are tried one after another instead.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_buffer::BooleanBuffer;
use conshelf_kql::plan::graph::{Cycles, Shortest};
use hashbrown::HashMap;

use super::matches::Matches;
use super::pattern::{Pattern, passes};
use super::search::Search;
use super::structure::Graph;
use crate::engine::context::QueryContext;
use crate::engine::error::Result;
use crate::engine::execute::pipeline::Flow;

/// No edge: the next hop begins where the last one ended.
const NO_EDGE: u32 = u32::MAX;

/// Places between two looks at the query's deadline and memory.
const CHECK_STATES: usize = 16_384;

/// Tells which of the matches hold all conditions.
pub type Accept<'a> = dyn FnMut(&Matches) -> Result<BooleanBuffer> + 'a;

pub struct ShortestPaths<'a> {
    pub graph: &'a Graph,
    /// In the order as written.
    pub pattern: &'a Pattern,
    pub query: &'a Arc<QueryContext>,
    pub output: Shortest,
    /// Conditions hang on more than the ends of a path.
    pub by_length: bool,
}

/// A place in the pattern, with the ways that lead to it at its distance.
struct State {
    hop: u32,
    taken: u32,
    node: u32,
    distance: u32,
    /// The place before and the edge taken from there.
    before: Vec<(u32, u32)>,
}

#[derive(Default)]
struct States {
    all: Vec<State>,
    known: HashMap<(u32, u32, u32), u32>,
}

impl ShortestPaths<'_> {
    /// Appends the shortest matches that begin at a node.
    pub fn from(&self, start: u32, found: &mut Matches, accept: &mut Accept<'_>) -> Result<()> {
        if !passes(&self.pattern.node_masks[self.pattern.start], start) {
            return Ok(());
        }
        if self.by_length {
            return self.lengths(start, found, accept);
        }
        let mut local = Matches::new(self.pattern.nodes, self.pattern.edges);
        if !self.breadth_first(start, &mut local)? {
            return self.lengths(start, found, accept);
        }
        for row in 0..local.count {
            local.copy_to(row, found);
        }
        Ok(())
    }

    /// `false`: some node is reached only by paths that break a rule.
    fn breadth_first(&self, start: u32, found: &mut Matches) -> Result<bool> {
        let hops = &self.pattern.hops;
        // With one edge of varying length, to have taken more than its least number makes no difference: the
        // first to get there has the shortest way and the most edges left.
        let single = hops.iter().filter(|hop| hop.least != hop.most).count() <= 1;
        let key = |hop: usize, taken: u32, node: u32| {
            let taken = match hops.get(hop) {
                Some(hop) if single => taken.min(hop.least),
                _ => taken,
            };
            (hop as u32, taken, node)
        };
        let wanted = match hops.last() {
            Some(hop) => self.pattern.candidates(self.graph, hop.to),
            None => 0,
        };
        let mut memory = self.query.reserve(0)?;
        let mut states = States::default();
        states.all.push(State { hop: 0, taken: 0, node: start, distance: 0, before: Vec::new() });
        states.known.insert(key(0, 0, start), 0);
        let mut ends = Vec::new();
        let mut current = vec![0u32];
        let mut distance = 0;
        let mut looked = 0usize;
        while !current.is_empty() && ends.len() < wanted {
            let mut next = Vec::new();
            let mut place = 0;
            while let Some(&number) = current.get(place) {
                place += 1;
                looked += 1;
                if looked.is_multiple_of(CHECK_STATES) {
                    self.query.check()?;
                    memory.resize(states.all.len() as u64 * 96)?;
                }
                let State { hop, taken, node, .. } = states.all[number as usize];
                let hop_number = hop as usize;
                let Some(hop) = hops.get(hop_number) else {
                    ends.push(number);
                    continue;
                };
                if taken >= hop.least && passes(&self.pattern.node_masks[hop.to], node) {
                    let known = key(hop_number + 1, 0, node);
                    let at = (hop_number + 1, 0, node, distance);
                    current.extend(states.reach(known, at, (number, NO_EDGE)));
                }
                if taken >= hop.most || (taken > 0 && !passes(&self.pattern.inner_masks[hop.edge], node)) {
                    continue;
                }
                let mut cursor = 0;
                while let Some((edge, other)) = self.graph.next_edge(node, hop.direction, &mut cursor) {
                    if passes(&self.pattern.edge_masks[hop.edge], edge) {
                        let known = key(hop_number, taken + 1, other);
                        let at = (hop_number, taken + 1, other, distance + 1);
                        next.extend(states.reach(known, at, (number, edge)));
                    }
                }
            }
            current = next;
            distance += 1;
        }
        for end in ends {
            if !self.paths_to(&states, end, found)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads the paths to a place backwards. `false`: none of them is allowed.
    fn paths_to(&self, states: &States, end: u32, found: &mut Matches) -> Result<bool> {
        let mut way = vec![(end, 0usize)];
        let mut any = false;
        let mut steps = 0usize;
        while let Some((state, cursor)) = way.last_mut() {
            steps += 1;
            if steps.is_multiple_of(CHECK_STATES) {
                self.query.check()?;
            }
            let before = &states.all[*state as usize].before;
            if let Some((previous, _)) = before.get(*cursor) {
                *cursor += 1;
                way.push((*previous, 0));
                continue;
            }
            if before.is_empty() && self.push_path(states, &way, found) {
                any = true;
                if self.output == Shortest::Any {
                    return Ok(true);
                }
            }
            way.pop();
        }
        Ok(any)
    }

    /// Appends the path of the places, the last first, unless it passes something twice that it must not.
    fn push_path(&self, states: &States, way: &[(u32, usize)], found: &mut Matches) -> bool {
        let hops = &self.pattern.hops;
        let Some((first, _)) = way.last() else { return false };
        let start = states.all[*first as usize].node;
        let mut nodes = vec![start; self.pattern.nodes];
        let mut paths: Vec<Vec<(u32, u32)>> = vec![Vec::new(); hops.len()];
        for (state, cursor) in way.iter().rev().skip(1) {
            let State { hop, node, before, .. } = &states.all[*state as usize];
            let Some((_, edge)) = before.get(cursor.wrapping_sub(1)) else { return false };
            if *edge == NO_EDGE {
                nodes[hops[*hop as usize - 1].to] = *node;
            } else {
                paths[*hop as usize].push((*edge, *node));
            }
        }
        let passed = || paths.iter().flatten();
        let allowed = match self.pattern.cycles {
            Cycles::All => true,
            Cycles::UniqueEdges => {
                let mut seen = HashSet::new();
                passed().all(|(edge, _)| seen.insert(*edge))
            }
            Cycles::None => {
                let mut seen = HashSet::from([start]);
                passed().all(|(_, node)| seen.insert(*node))
            }
        };
        if !allowed {
            return false;
        }
        found.count += 1;
        for (column, node) in found.nodes.iter_mut().zip(&nodes) {
            column.push(*node);
        }
        for (hop, path) in hops.iter().zip(&paths) {
            let edges = path.iter().map(|(edge, _)| *edge);
            let inner = path[..path.len().saturating_sub(1)].iter().map(|(_, node)| *node);
            found.paths[hop.edge].push(edges, inner);
        }
        true
    }

    /// Tries one length after another.
    fn lengths(&self, start: u32, found: &mut Matches, accept: &mut Accept<'_>) -> Result<()> {
        let hops = &self.pattern.hops;
        let Some(last) = hops.last().map(|hop| hop.to) else { return Ok(()) };
        let least: u64 = hops.iter().map(|hop| u64::from(hop.least)).sum();
        let most: u64 = hops.iter().map(|hop| u64::from(hop.most)).sum();
        let wanted = self.pattern.candidates(self.graph, last);
        let mut settled: HashSet<u32> = HashSet::new();
        for total in least..=most {
            self.query.check()?;
            let mut search = Search::new(self.graph, self.pattern, self.query);
            search.total = Some(usize::try_from(total).unwrap_or(usize::MAX));
            let mut local = Matches::new(self.pattern.nodes, self.pattern.edges);
            let mut memory = self.query.reserve(0)?;
            let _ = search.from(start, &mut local, &mut |matches| {
                if matches.count.is_multiple_of(4_096) {
                    memory.resize(matches.size() as u64 * 4)?;
                }
                Ok(Flow::Continue(()))
            })?;
            let mut fresh = HashSet::new();
            for row in accept(&local)?.set_indices() {
                let end = local.nodes[last][row];
                if settled.contains(&end) || (!fresh.insert(end) && self.output == Shortest::Any) {
                    continue;
                }
                local.copy_to(row, found);
            }
            settled.extend(fresh);
            if !search.cut || settled.len() >= wanted {
                break;
            }
        }
        Ok(())
    }
}

impl States {
    /// Notes a way to a place. The place's number if it is new.
    fn reach(
        &mut self,
        key: (u32, u32, u32),
        (hop, taken, node, distance): (usize, u32, u32, u32),
        way: (u32, u32),
    ) -> Option<u32> {
        if let Some(number) = self.known.get(&key) {
            let state = &mut self.all[*number as usize];
            if state.distance == distance && *number != 0 {
                state.before.push(way);
            }
            return None;
        }
        let number = self.all.len() as u32;
        self.all.push(State { hop: hop as u32, taken, node, distance, before: vec![way] });
        self.known.insert(key, number);
        Some(number)
    }
}
