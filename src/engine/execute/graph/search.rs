//! Finding all matches of a pattern: depth first along its edges, with a stack of its own.

use conshelf_kql::plan::graph::Cycles;

use super::matches::Matches;
use super::pattern::{Hop, Pattern, passes};
use super::structure::Graph;
use crate::engine::context::QueryContext;
use crate::engine::error::Result;
use crate::engine::execute::pipeline::Flow;

const UNBOUND: u32 = u32::MAX;

/// Steps between two looks at the query's deadline.
const CHECK_STEPS: u32 = 8_192;

/// The state of a search that goes through start nodes one after another.
pub struct Search<'a> {
    graph: &'a Graph,
    pattern: &'a Pattern,
    query: &'a QueryContext,
    /// By node variable.
    bound: Vec<u32>,
    /// By hop: edges taken and the nodes they led to.
    paths: Vec<Vec<(u32, u32)>>,
    used_edges: Marks,
    visited: Marks,
    frames: Vec<Frame>,
    /// Only matches of so many edges in all.
    pub total: Option<usize>,
    /// Something longer than `total` was left out.
    pub cut: bool,
    taken: usize,
    steps: u32,
}

/// One place on the way.
struct Frame {
    hop: usize,
    node: u32,
    /// Edges taken for this hop before.
    taken: u32,
    cursor: usize,
    /// Whether the hop was tried to end here, and whether that bound its node.
    ended: bool,
    bound: bool,
}

/// A set of numbers.
struct Marks(Vec<u64>);

impl Marks {
    fn new(count: usize) -> Marks {
        Marks(vec![0; count.div_ceil(64)])
    }

    fn contains(&self, number: u32) -> bool {
        self.0[number as usize / 64] >> (number % 64) & 1 == 1
    }

    fn flip(&mut self, number: u32) {
        self.0[number as usize / 64] ^= 1 << (number % 64);
    }
}

impl<'a> Search<'a> {
    pub fn new(graph: &'a Graph, pattern: &'a Pattern, query: &'a QueryContext) -> Search<'a> {
        let nodes = if pattern.cycles == Cycles::None { graph.nodes.rows } else { 0 };
        let edges = if pattern.cycles == Cycles::UniqueEdges { graph.edges.rows } else { 0 };
        Search {
            graph,
            pattern,
            query,
            bound: vec![UNBOUND; pattern.nodes],
            paths: vec![Vec::new(); pattern.hops.len()],
            used_edges: Marks::new(edges),
            visited: Marks::new(nodes),
            frames: Vec::new(),
            total: None,
            cut: false,
            taken: 0,
            steps: 0,
        }
    }

    /// Finds all matches whose start variable is the node. `full` is called after each with what is found
    /// and may empty it.
    pub fn from(
        &mut self,
        start: u32,
        found: &mut Matches,
        full: &mut dyn FnMut(&mut Matches) -> Result<Flow>,
    ) -> Result<Flow> {
        let pattern = self.pattern;
        if !passes(&pattern.node_masks[pattern.start], start) {
            return Ok(Flow::Continue(()));
        }
        self.bound[pattern.start] = start;
        self.visit(start);
        let mut flow = Flow::Continue(());
        if pattern.hops.is_empty() {
            self.emit(found);
            flow = full(found)?;
        } else {
            self.enter(0, start);
        }
        while !self.frames.is_empty() && flow.is_continue() {
            if self.advance(found)? {
                flow = full(found)?;
            }
        }
        self.visit(start);
        self.bound[pattern.start] = UNBOUND;
        Ok(flow)
    }

    fn enter(&mut self, hop: usize, node: u32) {
        self.frames.push(Frame { hop, node, taken: 0, cursor: 0, ended: false, bound: false });
    }

    fn visit(&mut self, node: u32) {
        if self.pattern.cycles == Cycles::None {
            self.visited.flip(node);
        }
    }

    /// One step of the last frame. Whether a match was found.
    fn advance(&mut self, found: &mut Matches) -> Result<bool> {
        self.steps = self.steps.wrapping_add(1);
        if self.steps.is_multiple_of(CHECK_STEPS) {
            self.query.check()?;
        }
        let pattern = self.pattern;
        let Some(frame) = self.frames.last_mut() else { return Ok(false) };
        let hop = &pattern.hops[frame.hop];
        if !frame.ended {
            frame.ended = true;
            if frame.taken >= hop.least && self.end_hop(hop) {
                return Ok(self.next_hop(found));
            }
        }
        let Some(frame) = self.frames.last_mut() else { return Ok(false) };
        if std::mem::take(&mut frame.bound) {
            self.bound[hop.to] = UNBOUND;
        }
        if !self.take_edge(hop) {
            self.leave();
        }
        Ok(false)
    }

    /// Binds the node that the hop leads to, if it may be the one the last frame stands at.
    fn end_hop(&mut self, hop: &Hop) -> bool {
        let Some(frame) = self.frames.last_mut() else { return false };
        let known = self.bound[hop.to];
        if known != UNBOUND {
            return known == frame.node;
        }
        if !passes(&self.pattern.node_masks[hop.to], frame.node) {
            return false;
        }
        self.bound[hop.to] = frame.node;
        frame.bound = true;
        true
    }

    /// Goes on with the hop after the last frame's, or notes a match if it was the last one.
    fn next_hop(&mut self, found: &mut Matches) -> bool {
        let next = self.frames.last().map_or(0, |frame| frame.hop + 1);
        match self.pattern.hops.get(next) {
            Some(hop) => {
                self.enter(next, self.bound[hop.from]);
                false
            }
            None if self.total.is_some_and(|total| total != self.taken) => false,
            None => {
                self.emit(found);
                true
            }
        }
    }

    /// Takes the next edge that may be taken from the last frame.
    fn take_edge(&mut self, hop: &Hop) -> bool {
        let Some(frame) = self.frames.last_mut() else { return false };
        if frame.taken >= hop.most
            || (frame.taken > 0 && !passes(&self.pattern.inner_masks[hop.edge], frame.node))
        {
            return false;
        }
        while let Some((edge, node)) = self.graph.next_edge(frame.node, hop.direction, &mut frame.cursor) {
            let free = match self.pattern.cycles {
                Cycles::All => true,
                Cycles::None => !self.visited.contains(node),
                Cycles::UniqueEdges => !self.used_edges.contains(edge),
            };
            if !free || !passes(&self.pattern.edge_masks[hop.edge], edge) {
                continue;
            }
            if self.total.is_some_and(|total| self.taken >= total) {
                self.cut = true;
                return false;
            }
            match self.pattern.cycles {
                Cycles::All => {}
                Cycles::None => self.visited.flip(node),
                Cycles::UniqueEdges => self.used_edges.flip(edge),
            }
            let (number, taken) = (frame.hop, frame.taken + 1);
            self.paths[number].push((edge, node));
            self.taken += 1;
            self.frames.push(Frame { hop: number, node, taken, cursor: 0, ended: false, bound: false });
            return true;
        }
        false
    }

    /// Goes back from the last frame.
    fn leave(&mut self) {
        let Some(frame) = self.frames.pop() else { return };
        if frame.taken == 0 {
            return;
        }
        self.taken -= 1;
        if let Some((edge, node)) = self.paths[frame.hop].pop() {
            match self.pattern.cycles {
                Cycles::All => {}
                Cycles::None => self.visited.flip(node),
                Cycles::UniqueEdges => self.used_edges.flip(edge),
            }
        }
    }

    fn emit(&self, found: &mut Matches) {
        found.count += 1;
        for (node, column) in self.bound.iter().zip(&mut found.nodes) {
            column.push(*node);
        }
        for (hop, path) in self.pattern.hops.iter().zip(&self.paths) {
            let edges = path.iter().map(|(edge, _)| *edge);
            let inner = path[..path.len().saturating_sub(1)].iter().map(|(_, node)| *node);
            let paths = &mut found.paths[hop.edge];
            if hop.reversed {
                paths.push(edges.rev(), inner.rev());
            } else {
                paths.push(edges, inner);
            }
        }
    }
}
