//! A graph in memory: properties in columns, and for each node the edges at it.

use std::sync::Arc;

use arrow_array::ArrayRef;
use conshelf_kql::Type;
use conshelf_kql::plan::graph::StepDirection;

use crate::engine::batch::Batch;
use crate::engine::context::MemoryReservation;

/// Nodes and edges, numbered by their rows.
#[derive(Clone)]
pub struct Graph {
    pub nodes: Batch,
    pub edges: Batch,
    /// What identifies each node.
    pub ids: ArrayRef,
    pub id: Type,
    /// By edge.
    pub sources: Arc<Vec<u32>>,
    pub targets: Arc<Vec<u32>>,
    pub leaving: Arc<Adjacency>,
    pub reaching: Arc<Adjacency>,
    /// `false`: edges lead both ways.
    pub directed: bool,
    pub _memory: Arc<MemoryReservation>,
}

/// The edges at each node, in their order.
pub struct Adjacency {
    /// Those of node n are `edges[starts[n]..starts[n + 1]]`.
    starts: Vec<u32>,
    edges: Vec<u32>,
}

impl Adjacency {
    /// `ends`: the node at which each edge is.
    pub fn new(nodes: usize, ends: &[u32]) -> Adjacency {
        let mut starts = vec![0u32; nodes + 1];
        for node in ends {
            starts[*node as usize + 1] += 1;
        }
        for node in 0..nodes {
            starts[node + 1] += starts[node];
        }
        let mut next = starts.clone();
        let mut edges = vec![0u32; ends.len()];
        for (edge, node) in ends.iter().enumerate() {
            let place = &mut next[*node as usize];
            edges[*place as usize] = edge as u32;
            *place += 1;
        }
        Adjacency { starts, edges }
    }

    pub fn at(&self, node: u32) -> &[u32] {
        let node = node as usize;
        &self.edges[self.starts[node] as usize..self.starts[node + 1] as usize]
    }

    pub fn degree(&self, node: u32) -> usize {
        self.at(node).len()
    }
}

impl Graph {
    /// The edge that comes at or after `cursor` among those that lead from a node in a direction, and the node
    /// it leads to; moves the cursor behind it.
    pub fn next_edge(&self, node: u32, direction: StepDirection, cursor: &mut usize) -> Option<(u32, u32)> {
        let direction = if self.directed { direction } else { StepDirection::Any };
        let leaving = match direction {
            StepDirection::Backward => &[],
            StepDirection::Forward | StepDirection::Any => self.leaving.at(node),
        };
        if let Some(edge) = leaving.get(*cursor) {
            *cursor += 1;
            return Some((*edge, self.targets[*edge as usize]));
        }
        if direction == StepDirection::Forward {
            return None;
        }
        let reaching = self.reaching.at(node);
        while let Some(edge) = reaching.get(*cursor - leaving.len()) {
            *cursor += 1;
            let other = self.sources[*edge as usize];
            // A loop was met among those that leave.
            if direction == StepDirection::Backward || other != node {
                return Some((*edge, other));
            }
        }
        None
    }
}
