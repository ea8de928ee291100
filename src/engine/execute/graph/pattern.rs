//! A pattern made ready for a search: where to begin, in which order to go along its edges, and which nodes
//! and edges can stand in which place.

use std::sync::Arc;

use arrow_buffer::BooleanBuffer;
use conshelf_kql::plan::Expr;
use conshelf_kql::plan::graph::{Cycles, GraphSearch, GraphValueKind, PathCollect, PathLocal, StepDirection};

use super::matches::{Matches, Paths};
use super::structure::Graph;
use super::values::MatchValues;
use crate::engine::error::Result;
use crate::engine::execute::Executor;
use crate::engine::execute::expression::Expressions;

/// One edge of the pattern, in the direction the search takes it.
#[derive(Clone, Debug)]
pub struct Hop {
    /// Its number in the pattern.
    pub edge: usize,
    pub from: usize,
    pub to: usize,
    pub direction: StepDirection,
    /// Taken from right to left.
    pub reversed: bool,
    pub least: u32,
    pub most: u32,
}

/// Which nodes or edges may stand in a place; `None`: all.
pub type Mask = Option<BooleanBuffer>;

pub struct Pattern {
    pub nodes: usize,
    pub edges: usize,
    pub start: usize,
    pub hops: Vec<Hop>,
    pub cycles: Cycles,
    /// By node variable.
    pub node_masks: Vec<Mask>,
    /// By edge of the pattern.
    pub edge_masks: Vec<Mask>,
    /// By edge of the pattern: nodes between the edges it stands for.
    pub inner_masks: Vec<Mask>,
    /// Conditions that no mask stands for, by number.
    pub open: Vec<usize>,
}

/// Whether a mask lets an element pass.
pub fn passes(mask: &Mask, element: u32) -> bool {
    mask.as_ref().is_none_or(|mask| mask.value(element as usize))
}

/// What a condition is about.
enum Subject {
    Node(usize),
    Edge(usize),
    Inner(usize),
    Match,
}

impl Pattern {
    pub fn new(
        executor: &Executor,
        graph: &Arc<Graph>,
        search: &GraphSearch,
        values: &MatchValues,
    ) -> Result<Pattern> {
        let (nodes, edges) = (search.pattern.nodes, search.pattern.edges.len());
        let mut pattern = Pattern {
            nodes,
            edges,
            start: 0,
            hops: Vec::new(),
            cycles: search.cycles,
            node_masks: vec![None; nodes],
            edge_masks: vec![None; edges],
            inner_masks: vec![None; edges],
            open: Vec::new(),
        };
        for (number, condition) in search.conditions.iter().enumerate() {
            pattern.take_condition(executor, graph, values, number, condition)?;
        }
        Ok(pattern)
    }

    /// Evaluates a condition about one element for all nodes or edges at once.
    fn take_condition(
        &mut self,
        executor: &Executor,
        graph: &Graph,
        values: &MatchValues,
        number: usize,
        condition: &Expr,
    ) -> Result<()> {
        let prepared = Expressions::new(executor, std::slice::from_ref(condition))?;
        let subject = subject(&prepared, values);
        let mut all = Matches::new(self.nodes, self.edges);
        let one_each = |count: usize| {
            let elements: Vec<u32> = (0..count as u32).collect();
            let ends: Vec<u32> = (1..=count as u32).collect();
            (elements, ends)
        };
        let mask = match subject {
            Subject::Node(node) => {
                all.count = graph.nodes.rows;
                all.nodes[node] = one_each(all.count).0;
                &mut self.node_masks[node]
            }
            Subject::Edge(edge) => {
                all.count = graph.edges.rows;
                let (edges, edge_ends) = one_each(all.count);
                all.paths[edge] = Paths { edges, edge_ends, ..Paths::default() };
                &mut self.edge_masks[edge]
            }
            Subject::Inner(edge) => {
                all.count = graph.nodes.rows;
                let (inner, inner_ends) = one_each(all.count);
                all.paths[edge] = Paths { inner, inner_ends, ..Paths::default() };
                &mut self.inner_masks[edge]
            }
            Subject::Match => {
                self.open.push(number);
                return Ok(());
            }
        };
        let batch = values.batch(&all, &values.needed(&prepared))?;
        let selected = prepared.select(&batch, 0)?;
        *mask = Some(match mask.take() {
            Some(before) => &before & &selected,
            None => selected,
        });
        Ok(())
    }

    /// How many nodes may stand for a variable.
    pub fn candidates(&self, graph: &Graph, node: usize) -> usize {
        self.node_masks[node].as_ref().map_or(graph.nodes.rows, BooleanBuffer::count_set_bits)
    }

    /// Chooses the order: begins at the variable with the fewest candidates, then takes edges between known
    /// nodes first, then those to few candidates.
    pub fn order(&mut self, graph: &Graph, search: &GraphSearch) {
        let candidates: Vec<usize> = (0..self.nodes).map(|node| self.candidates(graph, node)).collect();
        self.start = (0..self.nodes).min_by_key(|node| candidates[*node]).unwrap_or(0);
        let mut known = vec![false; self.nodes];
        if let Some(known) = known.get_mut(self.start) {
            *known = true;
        }
        let mut waiting: Vec<usize> = (0..self.edges).collect();
        while !waiting.is_empty() {
            let best = waiting
                .iter()
                .enumerate()
                .filter(|(_, edge)| {
                    let step = &search.pattern.edges[**edge];
                    known[step.from] || known[step.to]
                })
                .min_by_key(|(_, edge)| {
                    let step = &search.pattern.edges[**edge];
                    let closes = known[step.from] && known[step.to];
                    let next = if known[step.from] { step.to } else { step.from };
                    (!closes, step.most != 1, candidates[next], **edge)
                });
            let Some((place, _)) = best else { break };
            let edge = waiting.remove(place);
            let step = &search.pattern.edges[edge];
            let reversed = !known[step.from];
            self.hops.push(hop(edge, step, reversed));
            known[step.from] = true;
            known[step.to] = true;
        }
    }

    /// The order as written, from left to right; for patterns of one sequence.
    pub fn order_as_written(&mut self, search: &GraphSearch) {
        self.start = search.pattern.edges.first().map_or(0, |step| step.from);
        self.hops =
            search.pattern.edges.iter().enumerate().map(|(edge, step)| hop(edge, step, false)).collect();
    }
}

fn hop(edge: usize, step: &conshelf_kql::plan::graph::GraphStep, reversed: bool) -> Hop {
    let direction = match (step.direction, reversed) {
        (StepDirection::Forward, true) => StepDirection::Backward,
        (StepDirection::Backward, true) => StepDirection::Forward,
        (direction, _) => direction,
    };
    let (from, to) = if reversed { (step.to, step.from) } else { (step.from, step.to) };
    Hop { edge, from, to, direction, reversed, least: step.least, most: step.most }
}

/// The one element that all values of a condition are of.
fn subject(condition: &Expressions, values: &MatchValues) -> Subject {
    let needed = values.needed(condition);
    let read: Vec<&GraphValueKind> =
        values.kinds().zip(&needed).filter(|(_, needed)| **needed).map(|(kind, _)| kind).collect();
    let node_of = |kind: &GraphValueKind| match kind {
        GraphValueKind::NodeProperty { node, .. }
        | GraphValueKind::NodeId { node }
        | GraphValueKind::NodeDegreeIn { node }
        | GraphValueKind::NodeDegreeOut { node } => Some(*node),
        _ => None,
    };
    let edge_of = |kind: &GraphValueKind| match kind {
        GraphValueKind::EdgeProperty { edge, .. } => Some(*edge),
        _ => None,
    };
    let Some(first) = read.first() else { return Subject::Match };
    if let Some(node) = node_of(first)
        && read.iter().all(|kind| node_of(kind) == Some(node))
    {
        return Subject::Node(node);
    }
    if let Some(edge) = edge_of(first)
        && read.iter().all(|kind| edge_of(kind) == Some(edge))
    {
        return Subject::Edge(edge);
    }
    // What holds for all edges of a path holds for each of them.
    let plain = condition.prepared().first().is_some_and(|condition| condition.column().is_some());
    match (first, read.len()) {
        (GraphValueKind::Path { edge, inner_nodes, collect: PathCollect::All, locals, .. }, 1)
            if plain && !locals.iter().any(|local| matches!(local, PathLocal::Outer(_))) =>
        {
            if *inner_nodes {
                Subject::Inner(*edge)
            } else {
                Subject::Edge(*edge)
            }
        }
        _ => Subject::Match,
    }
}
